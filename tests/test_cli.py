"""The command line: commands, formats, input, output and exit codes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import matcalc as mc
from matcalc.api.derivation import Derivation
from matcalc.calculus.problem import Problem
from matcalc.cli import main
from matcalc.emit.module import compile_function
from matcalc.expr import REGISTRY
from matcalc.functions import certificate
from matcalc.kinds import names
from matcalc.rewrite.rule import RULES

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.txt"))
LEAST_SQUARES = ("norm2(X*w - y)^2/2", "--shape", "X=n,p", "--shape", "w=p,1", "--shape", "y=n,1")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    code = main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The message of a command that must fail for its input, and print nothing else."""
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    assert "defect" not in err
    return err


# ------------------------------------------------------------------------------------------------ derive


def test_derive_prints_the_steps_and_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "derive", *LEAST_SQUARES, "--wrt", "w")
    assert (code, err) == (0, "")
    assert "1. w enters f\n   df = (X*w - y)'*X*dw\n" in out
    assert "=> g_w = X'*(X*w - y)" in out
    assert "df/dw = X'*(X*w - y)   [p x 1]" in out
    _, short, _ = run(capsys, "derive", *LEAST_SQUARES, "--wrt", "w", "--style", "result")
    assert "enters" not in short
    _, jacobians, _ = run(capsys, "derive", *LEAST_SQUARES, "--wrt", "w", "--style", "jacobians")
    assert "chain rule:" in jacobians
    assert "df/dw = X'*(X*w - y)" in short


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
@pytest.mark.parametrize("form", ["text", "latex", "markdown", "json"])
def test_examples_derive_in_every_format(capsys: pytest.CaptureFixture[str], path: Path, form: str) -> None:
    code, out, err = run(capsys, "derive", str(path), "--format", form)
    assert (code, err) == (0, "")
    assert out.endswith("\n")
    assert not out.endswith("\n\n")
    assert not [line for line in out.splitlines() if "None" in line]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_examples_check(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    code, out, _ = run(capsys, "check", str(path), "--trials", "2", "--seed", "7")
    assert code == 0
    assert "agrees with finite differences" in out


def test_the_network_has_the_five_reference_gradients(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "derive", str(ROOT / "examples" / "one_hidden_layer.txt"), "--style", "result")
    for line in (
        "g_theta = yhat - y",
        "g_h = g_theta*W2'",
        "g_r = g_h .* h .* (1 - h)",
        "dJ/dx = g_r*W1'",
        "dJ/dW1 = x'*g_r",
        "dJ/db1 = g_r",
        "dJ/dW2 = h'*g_theta",
        "dJ/db2 = g_theta",
    ):
        assert f"  {line}   [" in out


def test_json_is_plain_data_that_parses_back(capsys: pytest.CaptureFixture[str]) -> None:
    path = ROOT / "examples" / "one_hidden_layer.txt"
    _, out, _ = run(capsys, "derive", str(path), "--format", "json")
    data = json.loads(out)
    assert [v["name"] for v in data["variables"]] == ["x", "W1", "b1", "W2", "b2", "y"]
    assert [d["name"] for d in data["definitions"]] == ["r", "h", "theta", "yhat", "J"]
    assert data["facts_used"] == [{"name": "y", "fact": "one-hot"}]
    assert data["domain"] == [{"fact": "positive", "expression": "yhat"}]
    assert [(step["of"], step["into"]) for step in data["steps"][:2]] == [(["yhat"], ["J"]), (["theta"], ["yhat"])]
    assert data["steps"][1]["adjoints"][0]["equals"][-1] == "yhat - y"
    assert data["needed"][1]["equations"][0] == "sigmoid(t) = 1/(1 + exp(-t))"
    assert data["jacobians"]
    _, out, _ = run(capsys, "derive", str(path), "--format", "json", "--style", "jacobians")
    rules = [rule for step in json.loads(out)["steps"] for rule in step["rules"]]
    assert rules
    for rule in rules:
        assert set(rule) == {"rule", "before", "after", "identity", "source", "facts"}
        assert rule["rule"] in RULES or rule["rule"] in ("expand_name", "fold_name")
    d = mc.derive(path.read_text(encoding="utf-8"))
    for result in data["results"]:
        assert str(d.parse(result["gradient"])) == result["gradient"]
    _, out, _ = run(capsys, "derive", str(path), "--format", "json", "--style", "result")
    assert "steps" not in json.loads(out)


def test_options_reach_the_derivation(capsys: pytest.CaptureFixture[str]) -> None:
    quadratic = ("x'*A*x", "--shape", "x = n, 1", "--shape", "A=n x n")
    assert "2*A*x" in run(capsys, "derive", *quadratic, "--fact", "A=symmetric", "--wrt", "x")[1]
    assert "Would be shorter if: A is symmetric" in run(capsys, "derive", *quadratic, "--wrt", "x")[1]
    _, out, _ = run(capsys, "derive", *quadratic, "--wrt", "A,x", "--layout", "numerator", "--style", "result")
    assert out.index("df/dA") < out.index("df/dx")
    assert "numerator" in out
    along = ("derive", "tr(C*S)", "--shape", "S=n,n", "--shape", "C=n,n", "--wrt", "S", "--structure", "S=symmetric")
    entries = run(capsys, *along, "--style", "result")[1]
    projection = run(capsys, *along, "--style", "result", "--convention", "projection")[1]
    assert "convention: entries" in entries
    assert "convention: projection" in projection
    _, out, _ = run(capsys, "derive", "sum(phi(X))", "--function", "phi", "--style", "result")
    assert "D(phi)(X)" in out


def test_jacobians_of_matrix_valued_functions_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    source = ("A*X*B", "--shape", "A=p,m", "--shape", "X=m,n", "--shape", "B=n,q", "--wrt", "X")
    assert "scalar" in refused(capsys, "derive", *source)
    assert "kron(B', A)" in run(capsys, "derive", *source, "--kind", "jacobian")[1]
    data = json.loads(run(capsys, "derive", *source, "--kind", "jacobian", "--format", "json")[1])
    assert [result["jacobian"] for result in data["results"]] == ["kron(B', A)"]
    assert [e["equals"] for e in data["steps"][0]["differentials"]] == [["A*dX*B"], ["kron(B', A) * d vec(X)"]]
    assert "1 x 1" in refused(capsys, "derive", "x'*x", "--kind", "jacobian")


def test_the_differential_style(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "derive", *LEAST_SQUARES, "--wrt", "w", "--style", "differential")
    assert code == 0
    assert "(X'*(X*w - y))'*dw" in out
    data = json.loads(run(capsys, "derive", *LEAST_SQUARES, "--style", "differential", "--format", "json")[1])
    assert data["differentials"]
    assert data["identified"]


def test_a_leading_minus_is_an_expression(capsys: pytest.CaptureFixture[str]) -> None:
    assert "df/dx = -2*x" in run(capsys, "derive", "-x'*x", "--style", "result")[1]
    assert "df/dh = -2*h" in run(capsys, "derive", "-h'*h", "--style", "result")[1]
    assert "column 2:" in refused(capsys, "derive", "-(x'*x")


# ------------------------------------------------------------------------------------------------ code and check


def test_code_is_a_module_that_works(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target = tmp_path / "gradient.py"
    code, out, _ = run(capsys, "code", *LEAST_SQUARES, "--wrt", "w", "--kind", "gradient", "-o", str(target))
    assert (code, out) == (0, "")
    function = compile_function(target.read_text(encoding="utf-8"))
    gradient = function(X=np.eye(2), w=np.array([3.0, 5.0]), y=np.array([1.0, 1.0]))["w"]
    assert gradient.tolist() == [2.0, 4.0]


def test_help_names_every_kind_of_code(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "code", "--help")
    assert code == 0
    assert all(kind in out for kind in names())


def test_check_fails_where_the_code_is_wrong(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = certificate.function

    def wrong(d: Problem, *kind: str) -> object:
        def function(**values: object) -> object:
            value, gradients = right(d, *kind)(**values)
            return value, {name: 1.001 * G for name, G in gradients.items()}

        return function

    monkeypatch.setattr(certificate, "function", wrong)
    code, out, _ = run(capsys, "check", *LEAST_SQUARES, "--format", "json")
    data = json.loads(out)
    assert code == 1
    assert data["ok"] is False
    assert 1e-4 < data["worst"] < 1e-2
    assert run(capsys, "check", *LEAST_SQUARES)[1].startswith("The generated derivative DISAGREES")


# ------------------------------------------------------------------------------------------------ lists


def test_ops_and_rules_list_the_registries(capsys: pytest.CaptureFixture[str]) -> None:
    for command, registry in (("ops", REGISTRY), ("rules", RULES)):
        data = json.loads(run(capsys, command, "--format", "json")[1])
        assert sorted(entry["name"] for entry in data) == sorted(registry)
        assert all(entry["identity"] and entry["source"] for entry in data)
        text = run(capsys, command)[1]
        assert all(any(line.startswith(name) for line in text.splitlines()) for name in registry)


def test_lists_are_filtered_by_words(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(run(capsys, "rules", "KRON", "vec(X)", "--format", "json")[1])
    assert "kron_times_vec" in [entry["name"] for entry in data]
    assert len(data) < len(RULES) / 2
    assert "nonsuch" in refused(capsys, "ops", "nonsuch")


# ------------------------------------------------------------------------------------------------ input and output


class Stdin(io.StringIO):
    """A standard input of these bytes."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.buffer = io.BytesIO(content)


def test_the_source_comes_from_a_file_or_the_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "source"
    path.write_bytes(b"\xef\xbb\xbfx: n x 1\r\nx'*x\r\n")
    assert "2*x" in run(capsys, "derive", str(path))[1]
    monkeypatch.setattr(sys, "stdin", Stdin(b"x'*x"))
    assert "2*x" in run(capsys, "derive", "-")[1]
    monkeypatch.setattr(sys, "stdin", Stdin(b"\xff\xfe"))
    assert "UTF-8" in refused(capsys, "derive", "-")
    path.write_bytes(b"x'*\x80x")
    assert "UTF-8" in refused(capsys, "derive", str(path))


def test_an_optimum_is_written_as_the_document_that_its_file_is_called(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    note, text = tmp_path / "note.md", tmp_path / "answer.txt"
    asked = ("solve", "norm2(X*w - y)^2", "--over", "w", "-o")
    assert run(capsys, *asked, str(note))[:2] == (0, f"{note}\n")
    assert r"2 X^\top (X w - y) = 0" in note.read_text(encoding="utf-8")
    assert run(capsys, *asked, str(text))[:2] == (0, "")
    assert "2*X'*(X*w - y) = 0" in text.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "mention"),
    [
        (("derive", "x'*A*x)"), "column 7"),
        (("derive", "sum(x", "--wrt", "x"), "never closed"),
        (("derive", ""), ""),
        (("derive", "no_such_file.txt"), "cannot read no_such_file.txt"),
        (("derive", "x'*x", "-o", "/no/such/folder/x"), "cannot write"),
        (("derive", "x'*x", "-o", "/"), "cannot write"),
        (("derive", "x'*x", "-o", "note.docx"), "`matcalc export SOURCE -o note.docx` writes one"),
        (("claim", "A' = A", "-o", "cards.anki.txt"), "claim prints text here"),
        (("solve", "x'*x", "--over", "x", "--format", "latex", "-o", "x.pdf"), "`matcalc solve without --format"),
        (("derive", "x'*x", "--wrt", "z"), "'z'"),
        (("derive", "x'*x", "--shape", "x"), "--shape needs an entry such as X=n,p"),
        (("derive", "x'*A*x", "--shape", "x=scalar"), "A is not declared"),
        (("derive", "x'*x", "--shape", "x=n,1,1"), "pair"),
        (("derive", "x'*x", "--shape", "x=n,-1"), "dimension"),
        (("derive", "x'*x", "--shape", "x=n,1", "--shape", "x=n,1"), "twice"),
        (("derive", "x'*x", "--fact", "x=pretty"), "pretty"),
        (("derive", "x'*x", "--fact", "=positive"), "--fact"),
        (("derive", "tr(S)", "--structure", "S=round"), "round"),
        (("derive", "tr(S)", "--convention", "mine"), "--convention"),
        (("derive", "A*B", "--shape", "A=m,n", "--shape", "B=n,p"), "scalar"),
        (("derive", "x'*x", "--format", "pdf"), "--format"),
        (("derive", "x'*x", "--form", "json"), "--form"),
        (("derive",), "SOURCE"),
        (("derive", "x'*x", "y'*y"), "y'*y"),
        (("code", "x'*x", "--kind", "dance"), "dance"),
        (("code", "x'*x", "--target", "fortran"), "fortran"),
        (("check", "x'*x", "--trials", "0"), "at least 1"),
        (("check", "x'*x", "--seed", "-1"), "at least 0"),
        (("check", "x'*x", "--seed", "one"), "whole number"),
        (("dance",), "dance"),
        ((), "COMMAND"),
    ],
)
def test_wrong_input_gets_one_message_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], mention: str
) -> None:
    assert mention in refused(capsys, *arguments)


def test_a_message_has_the_place(capsys: pytest.CaptureFixture[str]) -> None:
    error = refused(capsys, "derive", "x: n x 1; A: m x n; A*x + x")
    lines = error.splitlines()
    assert lines[0].startswith("matcalc: error: line 1, column ")
    assert lines[-1].strip() == "^"


def test_a_defect_is_told_without_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(d: Derivation, **options: str) -> str:
        raise TypeError("unexpected")

    monkeypatch.setattr(Derivation, "text", broken)
    monkeypatch.delenv("MATCALC_TRACEBACK", raising=False)
    code, _, err = run(capsys, "derive", "x'*x")
    assert code == 70
    assert "TypeError: unexpected" in err
    monkeypatch.setenv("MATCALC_TRACEBACK", "1")
    with pytest.raises(TypeError):
        main(["derive", "x'*x"])


# ------------------------------------------------------------------------------------------------ the program


def program(*arguments: str) -> list[str]:
    """The command line that runs matcalc in a process of its own."""
    return [sys.executable, "-m", "matcalc", *arguments]


def test_help_and_version_answer_at_once() -> None:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run(program("--help"), check=True, capture_output=True, text=True, cwd=ROOT)
        times.append(time.perf_counter() - start)
    assert "matcalc derive" in done.stdout
    assert min(times) < 0.4, "the target is 0.15 s on an idle machine"
    done = subprocess.run(program("--version"), check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.startswith("matcalc 0.")


def test_a_closed_pipe_is_no_error() -> None:
    process = subprocess.Popen(program("rules"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 141
    assert error == b""


def test_output_is_the_same_under_other_hash_seeds() -> None:
    command = program("derive", "examples/batch_normalization.txt", "--format", "latex")
    outputs = {
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env={"PYTHONHASHSEED": seed}).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_hessians(capsys: pytest.CaptureFixture[str]) -> None:
    source = ("x'*A*x", "--wrt", "x", "--shape", "A=n,n", "--shape", "x=n,1")
    out = run(capsys, "derive", *source, "--kind", "hessian")[1]
    assert "=> d2f/dx2 = A + A'   [n x n]" in out
    data = json.loads(run(capsys, "derive", *source, "--kind", "hessian", "--format", "json")[1])
    assert data["hessians"][0]["hessian"] == "A + A'"
    for form in ("latex", "markdown"):
        assert r"A + A^\top" in run(capsys, "derive", *source, "--kind", "hessian", "--format", form)[1]
    assert "scalar" in refused(capsys, "derive", "A*x", "--kind", "hessian")


def test_checks_of_jacobians_and_hessians(capsys: pytest.CaptureFixture[str]) -> None:
    for source, options in (("A*X*B", ()), ("A*X*B", ("--kind", "jacobian")), ("sum(exp(X))", ("--kind", "hessian"))):
        code, out, _ = run(capsys, "check", source, *options, "--trials", "1")
        assert code == 0
        assert "agrees" in out
    assert "scalar" in refused(capsys, "check", "A*X", "--kind", "hessian")
