"""What undeclared names are taken for, and that no output is silent about it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import matcalc as mc
from matcalc.cli import main
from matcalc.export.data import derivation_data, report_data
from matcalc.frontend.assumptions import kind_of
from matcalc.frontend.parser import parse


def taken(text: str) -> dict[str, str]:
    return dict(line.split(": ") for line in parse(text).inferred)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        # terms of a sum have one shape
        ("norm2(A*x - b)^2", {"b": "n x 1"}),
        ("norm2(A*x - c)^2 + norm2(x - d)^2", {"c": "n x 1", "d": "m x 1"}),
        ("r = A*x - b; r'*r + gamma*x'*x", {"b": "n x 1", "gamma": "1 x 1"}),
        ("W2*relu(W1*x + b1) + b2", {"b1": "m x 1", "b2": "n x 1"}),
        ("x'*A*x + b'*x + c", {"b": "n x 1", "c": "1 x 1"}),
        # what is handed to functions of vectors, transposed, or multiplied entry by entry
        ("x'*diag(d)*x", {"d": "n x 1"}),
        ("norm2(b)^2", {"b": "n x 1"}),
        ("c'*x", {"c": "n x 1"}),
        ("sum(d.*x)", {"d": "n x 1"}),
        ("a'*X*b", {"a": "n x 1", "b": "m x 1"}),
        # scalars by what a scalar function needs
        ("lambda*x'*x + norm2(A*x - b)^2", {"lambda": "1 x 1", "b": "m x 1"}),
        ("lambda/2*w'*w", {"lambda": "1 x 1"}),
        ("alpha*x'*A*x", {"alpha": "1 x 1", "x": "n x 1"}),
        ("(alpha + beta)*x'*x", {"alpha": "1 x 1", "beta": "1 x 1", "x": "n x 1"}),
        ("x*x'*y", {"x": "n x 1", "y": "n x 1"}),
        ("theta*phi'*x", {"theta": "1 x 1", "phi": "n x 1"}),
        ("x - mu*x'*y", {"mu": "n x 1"}),
        ("(y - X*w)'*D*(y - X*w)/2 + lambda/2*w'*w", {"lambda": "1 x 1"}),
        ("alpha*norm1(w) + (1 - alpha)*norm2(w)^2", {"alpha": "1 x 1"}),
        ("norm2(y - X*beta)^2 + lambda1*norm1(beta)", {"lambda1": "1 x 1", "beta": "m x 1"}),
        ("norm2(X*w - y)^2/(2*sigma2) + log(sigma2)", {"sigma2": "1 x 1"}),
        ("exp(-norm2(x - y)^2/(2*sigma^2))", {"sigma": "1 x 1"}),
        ("C*norm1(w) + w'*w/2", {"C": "1 x 1"}),
        ("y - x'*w", {"y": "1 x 1", "x": "n x 1"}),
        ("X^k", {"k": "1 x 1", "X": "n x n"}),
        # by the first letter
        ("a*x", {"a": "1 x 1", "x": "n x 1"}),
        ("sum(x.^a)", {"a": "1 x 1"}),
        ("theta'*x", {"theta": "n x 1"}),
        ("exp(theta)", {"theta": "n x 1"}),
        ("tr(A*B)", {"A": "n x m", "B": "m x n"}),
        ("sigmoid(X*W + b)", {"X": "n x m", "W": "m x p", "b": "1 x 1"}),
    ],
)
def test_taken_for(text: str, wanted: dict[str, str]) -> None:
    found = taken(text)
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(A*x - b)^2", "needs a square matrix"),
        ("sum((X*w - y)^3)", r"\.\^ is the power entry by entry"),
        ("x + A", "do not fit"),
        ("X*w - Y", "do not fit"),
        ("X - mu", "do not fit"),
        ("sigma.*X", "do not fit"),
        ("x*y", "cannot multiply"),
        ("x/s", "divides by a 1 x 1 value"),
        ("diag(D)", "needs a vector"),
        ("X*ones(1, n)", "cannot multiply"),
    ],
)
def test_no_size_is_set_to_1_to_make_shapes_fit(text: str, words: str) -> None:
    with pytest.raises(mc.ParseError, match=words) as caught:
        parse(text)
    said = caught.value.message
    assert "undeclared names are taken for" in said
    assert "declare one to change that, as in" in said


def test_what_is_declared_is_not_questioned() -> None:
    assert taken("b: 1 x 1\nnorm2(A*x - b)^2") == {"A": "n x m", "x": "m x 1"}
    assert taken("c: 1 x 1\nx + c") == {"x": "n x 1"}
    assert parse("x: n x 1\nb: 1 x 1\nsum(x + b)").notice is None
    with pytest.raises(mc.ParseError) as caught:
        parse("x + y", shapes={"x": ("n", 1)})
    assert "taken for" not in caught.value.message


def test_the_choice_is_reproducible_and_bounded() -> None:
    text = " + ".join(f"lambda{k}*norm1(w{k}*a{k}) + norm2(A{k}*x{k} - b{k})" for k in range(12))
    first = parse(text).inferred
    assert first == parse(text).inferred


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a", "scalar"), ("g2", "scalar"), ("h", "vector"), ("lambda", "vector"), ("beta_1", "vector"), ("X", "matrix"),
     ("Gamma", "matrix"), ("_x", "vector"), ("_1", None)],
)  # fmt: skip
def test_first_letters(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind


@pytest.mark.parametrize("name", ["I", "e", "inf", "Inf", "nan", "T", "True", "None"])
def test_names_of_constants_are_not_assumed_to_be_variables(name: str) -> None:
    with pytest.raises(mc.ParseError, match=f"{name} is not declared:"):
        parse(f"tr(A*(X + {name}))")
    assert parse(f"{name}: n x n\nX: n x n\ntr(X*{name})").notice is None


@pytest.mark.parametrize("axis", ["0", "1", "2", "-1", "n"])
@pytest.mark.parametrize("function", ["sum", "mean", "logsumexp", "max", "var", "prod"])
def test_axis_as_a_keyword_is_explained(function: str, axis: str) -> None:
    with pytest.raises(mc.ParseError, match=rf"axis.*{function}\(X, 1\) goes over the rows and gives 1 x n"):
        parse(f"norm2({function}(X, axis={axis}))^2")


# ------------------------------------------------------------------------------------------------ never silent

TEXT = "norm2(A*x - b)^2"
SAID = "Undeclared names are taken for b: n x 1 (from the context), A: n x m; x: m x 1 (by first letter)"


def plain(text: str) -> str:
    """The words of a typeset text."""
    for mark in ("\\quad", "\\text{", "&", "\\\\", "}", "{", "$", "\n", "*", "#", "//"):
        text = text.replace(mark, " ")
    return " ".join(text.replace("×", "x").split())


@pytest.mark.parametrize("style", ["steps", "differential", "result"])
@pytest.mark.parametrize("source", [TEXT, "A*x - b"])
def test_every_view_says_what_was_assumed(style: str, source: str) -> None:
    d = mc.derive(source)
    assert d.notice is not None
    for view in (d.text(style), d.latex(style), d.markdown(style)):
        assert SAID in plain(view)


def test_components_say_it() -> None:
    d = mc.derive(TEXT)
    assert SAID in plain(d.latex("components"))
    assert SAID in plain(d.markdown("components"))


@pytest.mark.parametrize("target", ["numpy", "array-api", "dask", "jax", "torch", "numba", "c"])
def test_generated_code_says_it(target: str) -> None:
    assert SAID in plain(mc.derive(TEXT, wrt="x").code(target=target))


@pytest.mark.parametrize("suffix", ["md", "tex", "html", "ipynb", "json"])
def test_notes_say_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"note.{suffix}"
    mc.derive(TEXT, wrt="x").export(path)
    assert SAID in plain(path.read_text(encoding="utf-8").replace("\\n", " ").replace('", "', ""))


def test_reports_verdicts_and_data_say_it(capsys: pytest.CaptureFixture[str]) -> None:
    d = mc.derive(TEXT, wrt="x")
    assert SAID in str(d.check(trials=1))
    assert SAID in report_data(d.check(trials=1))["notice"]
    assert SAID in derivation_data(d)["notice"]
    assert "taken for A: n x m" in str(mc.prove("(A*B)' = B'*A'"))
    assert SAID in str(d.claim("x", "2*A'*(A*x - b)"))
    assert main(["derive", TEXT, "--style", "result"]) == 0
    assert SAID in capsys.readouterr().out
    assert main(["check", TEXT, "--trials", "1"]) == 0
    assert SAID in capsys.readouterr().out
    assert main(["derive", TEXT, "--format", "json"]) == 0
    assert SAID in json.loads(capsys.readouterr().out)["notice"]


@pytest.mark.parametrize("language", ["es", "hi"])
def test_it_is_said_in_the_language_of_the_view(language: str) -> None:
    text = mc.derive(TEXT).text("result", language=language)
    assert "b: n x 1" in text
    assert "Undeclared" not in text
    assert "first letter" not in text


def test_nothing_is_said_where_all_is_declared() -> None:
    d = mc.derive(TEXT, shapes={"A": ("n", "m"), "x": "m", "b": "n"})
    assert d.notice is None
    assert "ndeclared" not in d.text() + d.latex() + d.markdown() + d.code() + str(d.check(trials=1))


SOURCE = "norm2(A*x - b)^2 + c*x'*x"
SAID = "Undeclared names are taken for"


def _words() -> dict[str, str]:
    d = mc.derive(SOURCE)
    curvature, optimum = d.curvature("x"), d.optimum("x")
    return {
        "curvature": str(curvature),
        "curvature in LaTeX": curvature.latex(),
        "curvature as data": curvature.data()["notice"],
        "optimum": str(optimum),
        "optimum in LaTeX": optimum.latex(),
        "optimum in Markdown": optimum.markdown(),
        "optimum as code": optimum.code(),
        "optimum as data": optimum.data()["notice"],
        "minimize": str(mc.minimize(SOURCE, "x")),
        "tutor": d.tutor("df/dx = 2*A'*(A*x - b)"),
        "claim": str(d.claim("x", "2*A'*(A*x - b)")),
        "check": str(d.check(trials=1)),
    }


def test_every_answer_says_what_was_assumed(tmp_path: Path) -> None:
    said = {where: " ".join(text.split()) for where, text in _words().items()}
    for name in ("a.md", "a.anki.txt", "a.html", "a.tex"):
        said[name] = " ".join(mc.derive(SOURCE).export(tmp_path / name).read_text().split())
        said[f"optimum {name}"] = " ".join(mc.minimize(SOURCE, "x").export(tmp_path / name).read_text().split())
    assert [where for where, text in said.items() if SAID not in text] == []


@pytest.mark.parametrize("ask", [mc.minimize, lambda source, over: mc.derive(source).curvature(over)])
def test_errors_of_shapes_say_what_was_assumed(ask: Callable[..., object]) -> None:
    with pytest.raises(mc.MatcalcError, match=r"undeclared names are taken for A: n x m; x: m x 1"):
        ask("A*x", "x")


def test_declared_names_are_not_spoken_of() -> None:
    d = mc.derive("A: m x n; x: n x 1; b: m x 1; norm2(A*x - b)^2")
    assert SAID not in "".join(map(str, (d.curvature("x"), d.optimum("x"), d.tutor("df/dx = A*x"))))
