"""Faults that use has found, each standing for its kind: the numbers, forms, verdicts and messages that are right.

A case of `tests/cases/faults.jsonl` says what is done with a source (`do`) and what must come of it. Numbers come from
50-digit evaluation or are compared with differences of the oracle.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from case_support import DOMAINS, Case, difference_error, load, relative_error
from oracle import evaluate

import matcalc as mc
from matcalc.cli import main
from matcalc.expr import Expr

FILES = ("faults", "faults_more")
CASES = [
    case for name in FILES for case in load(name)
]  # the second: two or more of each kind, made up and checked against other sources
SIZES = {"n": 4, "m": 5, "p": 3, "q": 2, "k": 3, "d": 3, "N": 6, "H": 4, "K": 3, "T": 4}
DRAWN = {"spd": "positive-definite", "pos": "positive", "sym": "symmetric", "nonsing": "invertible"}
SKEW = "skew"
TOLERANCE = {"gradient": 1e-5, "jacobian": 1e-5, "hessian": 2e-4}
EVERY_VIEW = (
    *((style, "denominator") for style in ("steps", "differential", "result")),
    ("steps", "numerator"),
)


def cases(do: str) -> pytest.MarkDecorator:
    """One test for each case of a kind of judgement."""
    found = [case for case in CASES if case["do"] == do]
    assert found
    return pytest.mark.parametrize("case", found, ids=[case["id"] for case in found])


def derived(case: Case) -> mc.Derivation:
    options = {key: case[key] for key in ("shapes", "facts", "structure", "wrt") if case.get(key)}
    return mc.derive(case["source"], **options)


def sizes_of(case: Case) -> dict[str, int]:
    """The sizes of the dimensions that the shapes of a case name."""
    wanted = {size for shape in case["shapes"].values() for size in shape if isinstance(size, str)}
    return {size: (SIZES | case.get("dims", {}))[size] for size in wanted}


def values(case: Case, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Random values in the domains of a case."""
    rng = np.random.default_rng(5)
    arrays = {}
    for name, shape in case["shapes"].items():
        rows, columns = (sizes[size] if isinstance(size, str) else size for size in shape)
        how = case.get("domain", {}).get(name)
        free = rng.standard_normal((rows, columns))
        if not how:
            arrays[name] = free
        elif how == SKEW:
            arrays[name] = free - free.T
        else:
            arrays[name] = np.asarray(DOMAINS[DRAWN.get(how, how)](rng, rows, columns), dtype=float)
    return arrays


def kind_of(case: Case) -> str:
    return str(case.get("order", "gradient"))


def name_of(case: Case) -> str:
    wrt = case["wrt"]
    return str(wrt[0] if isinstance(wrt, list) else wrt)


def result(d: mc.Derivation, case: Case) -> Expr:
    """What is printed: the gradient, or the matrix of a Jacobian or Hessian."""
    found = getattr(d, kind_of(case))(name_of(case))
    return found if isinstance(found, Expr) else found.as_matrix()


def need_right_numbers(d: mc.Derivation, case: Case, kind: str) -> None:
    """The generated derivative and the printed one agree with differences of the oracle."""
    sizes = sizes_of(case)
    arrays = values(case, sizes)
    name = name_of(case)
    array = d.function(kind)(**arrays, dims=sizes)[name]
    asked = {"expr": case["source"], "wrt": name, "kind": kind}
    structure = case.get("structure", {}).get(name, "none")
    error = difference_error(asked | {"structure": structure}, arrays, sizes, array, 5)
    assert error < TOLERANCE[kind], f"{kind}: {error:.1e}"
    if kind == kind_of(case):
        named = {n: d.graph.definitions[n] for n in d.graph.definitions}
        scope = arrays | {n: evaluate(f"{case['source']}; {n}", arrays, sizes) for n in named}
        try:
            printed = evaluate(str(result(d, case)), scope, sizes)
        except ValueError as refused:
            pytest.fail(f"the printed text cannot be evaluated: {refused}")
        assert relative_error(printed, array) < 1e-6


def operations(text: str) -> int:
    """The operators and calls of a text in the syntax; signs of exponents are not counted."""
    return len(re.findall(r"\w+\(|\.\*|\./|\.\^|(?<!\^)[-+*/^']", text))


@cases("value")
def test_the_generated_number_is_right(case):
    array = derived(case).function("gradient")(**case["point"])[case["wrt"]]
    expected = np.asarray(case["expect"], dtype=float)
    array = np.asarray(array).reshape(expected.shape)
    floor = 1e-13 * np.abs(expected).max()
    assert np.isfinite(array).all()
    assert np.max(np.abs(array - expected) / (np.abs(expected) + floor)) < 1e-6


@cases("views")
def test_every_view_is_written(case, tmp_path, capsys):
    d = derived(case)
    for style, layout in EVERY_VIEW:
        assert d.text(style, layout=layout)
        assert d.latex(style, layout=layout)
        assert d.markdown(style, layout=layout)
    for target in ("numpy", "jax", "torch"):
        assert d.code(target=target)
    try:
        assert d.code(target="c")
    except mc.NoRuleError as refused:
        assert "no counterpart" in str(refused)  # noqa: PT017
    for suffix in (".md", ".html", ".tex", ".json"):
        assert d.export(tmp_path / f"note{suffix}").stat().st_size
    assert d.check(trials=2)
    need_right_numbers(d, case, kind_of(case))
    shapes = [word for name, shape in case["shapes"].items() for word in ("--shape", f"{name}={shape[0]},{shape[1]}")]
    facts = [word for name, given in case.get("facts", {}).items() for f in given for word in ("--fact", f"{name}={f}")]
    kind = [] if kind_of(case) == "gradient" else ["--kind", kind_of(case)]
    options = [case["source"], *shapes, *facts, "--wrt", case["wrt"], *kind]
    for command in (["derive"], ["derive", "--format", "latex"], ["check", "--trials", "1"]):
        assert main([*command[:1], *options, *command[1:]]) == 0
    capsys.readouterr()


@cases("check")
def test_a_right_derivative_passes_its_check(case):
    d = derived(case)
    for kind in ("gradient", "hessian"):
        report = d.check(kind=kind, trials=3)
        assert report, report.reason
        need_right_numbers(d, case, kind)


@cases("form")
def test_the_result_has_the_form_of_a_textbook(case):
    d = derived(case)
    need_right_numbers(d, case, kind_of(case))
    text = str(result(d, case))
    assert operations(text) <= max(case.get("ratio", 1.25) * operations(case["right"]), 1), text
    for name in case.get("absent", ()):
        assert not re.search(rf"\b{name}\(", text), text
    for pattern in case.get("text_not", ()):
        assert not re.search(pattern, d.text("result"))
    assert d.claim(name_of(case), case["right"], kind=kind_of(case)).status == "proved"


@cases("claims")
def test_the_verdict_and_its_diagnosis(case):
    d = derived(case)
    for claim in case["claims"]:
        kind = claim.get("order", kind_of(case))
        verdict = d.claim(claim["name"], claim["text"], kind=kind)
        assert verdict.status == claim["status"], claim["text"]
        if claim.get("diagnosis_any"):
            said = str(verdict.diagnosis or "").lower()
            assert any(word.lower() in said for word in claim["diagnosis_any"]), said
    if not case["claims"]:
        assert d.text()
        assert d.latex()


@cases("prove")
def test_the_identity_is_judged(case):
    assert mc.prove(case["source"]).status == case["status"]


def shapes_shown(d: mc.Derivation) -> dict[str, tuple[str, str]]:
    """The shapes that a derivation has inferred."""
    found = {name: tuple(map(str, v.shape)) for name, v in d.graph.declared.items()}
    return {name: (rows, columns) for name, (rows, columns) in found.items()}


def accepts(answer: dict[str, Any], error: str | None, note: str, shapes: dict[str, tuple[str, str]]) -> bool:
    """Whether one of the answers that a case accepts was given."""
    if (error is not None) != ("error_any" in answer or "error_all" in answer):
        return False
    if error is not None:
        every, some = answer.get("error_all", []), answer.get("error_any", [""])
        return all(w.lower() in error.lower() for w in every) and any(w.lower() in error.lower() for w in some)
    for name, shape in answer.get("shapes", {}).items():
        if name not in shapes or [str(size) == "1" for size in shape] != [size == "1" for size in shapes[name]]:
            return False
    if any(name in shapes for name in answer.get("no_names", [])):
        return False
    every, some = answer.get("notice_all", []), answer.get("notice_any", [""])
    return all(w.lower() in note for w in every) and any(w.lower() in note for w in some)


@cases("outcome")
def test_nothing_is_assumed_in_silence(case):
    error, note, shapes = None, "", {}
    try:
        d = derived(case)
        note, shapes = d.text("result").lower(), shapes_shown(d)
    except mc.MatcalcError as refused:
        error = str(refused)
    assert any(accepts(answer, error, note, shapes) for answer in case["accept"]), error or note


@cases("hint")
def test_what_a_newcomer_types_is_read_or_explained(case):
    try:
        d = mc.derive(case["source"])
    except mc.MatcalcError as refused:
        echoed = {line.strip() for line in case["source"].splitlines()}
        lines = [line for line in str(refused).splitlines() if line.strip() not in echoed and set(line.strip()) - {"^"}]
        said = "\n".join(lines).lower().replace(case["source"].lower(), "")
        assert any(hint.lower() in said for hint in case["hint_any"]), said
        return
    assert case.get("right"), f"accepted without a word: {d.text('result')}"
    meant = mc.derive(case["right"])
    assert meant.graph.declared.keys() == d.graph.declared.keys()
    rng = np.random.default_rng(3)
    sizes = {"n": 4, "m": 4, "p": 4, "k": 4}
    arrays = {}
    for name, v in d.graph.declared.items():
        array = np.abs(rng.normal(size=[size if isinstance(size, int) else sizes[str(size)] for size in v.shape])) + 0.2
        arrays[name] = array / 4 + np.eye(len(array)) if array.shape[0] == array.shape[1] else array
    assert np.allclose(d.function("value")(**arrays), meant.function("value")(**arrays))


@cases("conditions")
def test_conditions_are_those_that_a_person_would_state(case):
    d = derived(case)
    text = d.text("result")
    lines = text.splitlines()
    valid = " ".join(line for line in lines if line.strip().startswith("Valid where"))
    wishes = " ".join(line for line in lines if line.strip().startswith("Would be shorter"))
    assert not [words for words in case.get("absent", ()) if words in valid], valid
    assert not [words for words in case.get("wish_absent", ()) if words in wishes], wishes
    if case.get("any_of"):
        assert any(words.lower() in valid.lower() for words in case["any_of"]), valid


@cases("render")
def test_what_is_typeset_is_read_as_it_is_meant(case, tmp_path):
    d = derived(case)
    if kind_of(case) == "hessian":
        H = d.hessian(name_of(case))
        texts = [str(H), d.text(), H.latex()]
        typeset = "\n".join((H.latex(), d.latex()))
    else:
        typeset = d.latex() + "\n" + d.latex("differential")
        texts = [d.text(), d.text("differential"), typeset]
    for pattern in case.get("latex_not", ()):
        assert not re.search(pattern, typeset)
    page = d.export(tmp_path / "note.html").read_text(encoding="utf-8")
    for pattern in case.get("html_not", ()):
        assert not re.search(pattern, page)
    for symbol, explained in case.get("needs", ()):
        whole = page + d.text()
        assert not re.search(symbol, whole) or re.search(explained, whole), symbol
    if case.get("not_scalar_from_eye"):
        beside = r"eye\([^()]*\) ?- ?1/|\b1/\w+ ?- ?eye\(|/2 - 1/2\b|\b1/2 ?- ?exp\(|eye\([^()]*\)/\w+ - 1/"
        assert not [text for text in texts if re.search(beside, text)]


@cases("fresh")
def test_what_needs_no_optional_package_works_without_it(case):
    done = subprocess.run([sys.executable, "-c", case["py"]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@cases("py")
def test_the_program_runs(case):
    alone = "elementwise(" in case["py"] or "@rule" in case["py"]  # they change the registries
    if alone:
        program = f"import numpy as np, matcalc as mc\n{case['py']}"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    else:
        exec(compile(case["py"], case["id"], "exec"), {"mc": mc, "np": np})


def test_the_cases_are_all_judged():
    judged = {
        "value",
        "views",
        "check",
        "form",
        "claims",
        "prove",
        "outcome",
        "hint",
        "conditions",
        "render",
        "fresh",
        "py",
    }
    assert {case["do"] for case in CASES} == judged
    folder = Path(__file__).parent / "cases"
    assert sum(len((folder / f"{name}.jsonl").read_text().splitlines()) for name in FILES) == len(CASES)
    added = Counter(case["kind"] for case in load("faults_more"))
    assert min(added[kind] for kind in {case["kind"] for case in load("faults")}) >= 2
