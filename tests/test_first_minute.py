"""What a newcomer types: it is understood, or the answer says what to type instead."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

import matcalc as mc
from matcalc.api import reference, requests
from matcalc.cli import COMMANDS, main
from matcalc.cli_completion import commands_of, script
from matcalc.cli_options import parser
from matcalc.errors import MatcalcError
from matcalc.expr import REGISTRY
from matcalc.patience import patience

# What is typed, and the gradient by the first variable (or the shape of the value), or what the answer says to type.
UNDERSTOOD = {
    "x.T @ A @ x": "(A + A')*x",
    "norm(A*x - b)": "(A*x - b)*x'/norm2(A*x - b)",
    "norm(A*x - b, 2)^2": "2*(A*x - b)*x'",
    "mean((X*w - y).^2)": "2*(X*w - y)*w'/n",
    "softmax(W*x + b)": "n x 1",
    "max(0, W*x + b)": "n x 1",
    "sigmoid(w'*x)": "sigmoid(w'*x)*(1 - sigmoid(w'*x))*x",
    "A^-1": "n x n",
    "A^(-1)*b": "n x 1",
    "tr(A*B)": "B'",
    "trace(A'*A)": "2*A",
    "log(det(A))": "inv(A')",
    "ln(x)": "n x 1",
    "exp(x)/sum(exp(x))": "n x 1",
    "y = W*x + b": "n x 1",
    "λ‖w‖²": "norm2(w)^2",
    "dot(w, x)": "x",
    "sum(abs(x))": "sign(x)",
    "A[1, :]*x": "place(x', n, m, 1, 1)",
    "x: vector\nx'*x": "2*x",
    "x: R^n\nx'*x": "2*x",
    "S: spd\nlogdet(S)": "inv(S)",
    "l: scalar\nl^2": "2*l",
}
ANSWERED = {
    "x^2": "`x: scalar`",
    "x**2": "entry by entry .^",
    "sum(x^2)": ".^ is the power entry by entry",
    "2x + 1": "2*x",
    "x'Ax": "A*x: write the *",
    "xᵀAx": "A*x: write the *",
    "‖Xw − y‖²": "X*w: write the *",
    "||A*x - b||^2": "norm2(x)",
    "|x|": "abs(x)",
    "1/n * sum(x)": "`X: n x p`",
    "sum_i (x_i - y_i)^2": "sum(i=1..n, x[i])",
    "log(1 + e^(-x))": "exp(x)",
    "log(1 + exp(-y*x))": "entry by entry it is .*",
    "A\\b": "solve(A, b)",
    "f(x) = x'*x": "`f = x'*x`",
    "d/dx x'*A*x": "leave d/dx out",
    "grad(x'*A*x)": "wrt",
    "minimize norm2(A*x - b)^2": "matcalc solve",
    "x'*A*x; wrt x": 'wrt="x"',
    "x'*x where x: n": "declarations come first",
    "I*x": "eye(n)",
    "ones(n)*x": "ones(m, n)",
    "x[0]^2": "positive integer",
    "x(1)^2": "x[1]",
    "": "empty",
    "x +": "a value is needed",
    "(x + y": "never closed",
    "3": "no variable",
    "x, y": "';'",
    "w·x": "w'*x",
    "cross(a, b)": "skew matrix",
    "KL(p, q)": "sum(p .* log(p ./ q))",
    "np.sum(x**2)": "write sum",
    "A is symmetric\ntr(A*A)": "`A: n x n symmetric`",
    "x in R^n\nx'*x": "`x: n x 1`",
    "A: nxn\ntr(A)": "`A: n x n`",
    "einsum(A, B)": "tr(A*B)",
    "size(X)": "`X: n x p`",
}


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_what_is_understood(text: str) -> None:
    d = mc.derive(text)
    shape = " x ".join(map(str, d.output.shape))
    assert (str(d.gradient(d.names[0])) if d.output.is_scalar else shape) == UNDERSTOOD[text]


@pytest.mark.parametrize("text", ANSWERED)
def test_what_is_answered(text: str) -> None:
    with pytest.raises(MatcalcError) as caught:
        mc.derive(text)
    assert ANSWERED[text] in str(caught.value).partition("\n")[0]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda d: d.code("grad"), "did you mean gradient"),
        (lambda d: d.code("pullback"), "did you mean vjp"),
        (lambda d: d.code(target="pytorch"), "did you mean torch"),
        (lambda d: d.check(kind="hess"), "did you mean hessian"),
        (lambda d: d.text("result", "num"), "did you mean numerator"),
        (lambda d: d.gradient("X"), "did you mean x"),
        (lambda d: mc.derive("x'*x", facts={"x": "positiv"}), "did you mean positive"),
        (lambda d: mc.derive("tr(S)", structure={"S": "sym"}), "did you mean symmetric"),
    ],
)
def test_words_that_are_nearly_right(call, said) -> None:
    with pytest.raises(MatcalcError, match=said):
        call(mc.derive("x'*A*x", "x"))


def test_names_that_the_module_has_not() -> None:
    with pytest.raises(AttributeError, match=r"has no attribute 'grad': the text is the function"):
        mc.grad  # noqa: B018
    with pytest.raises(AttributeError, match=r"did you mean "):
        mc.deriv  # noqa: B018


# ------------------------------------------------------------------------------------------------ the reference


@pytest.mark.parametrize(
    ("word", "name"),
    [("trace", "tr"), ("ln", "log"), ("svd", "singvals"), ("transpose", "transpose"), ("norm2", "norm2")],
)
def test_operations_are_found_by_meaning(word: str, name: str) -> None:
    assert reference.found(reference.operations(), [word], "operation")[0]["name"] == name


def test_the_reference_shows_signatures_and_definitions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ops", "softmax"]) == 0
    first = capsys.readouterr().out.splitlines()[:3]
    assert first == ["softmax(X, axis=all)", "    X: m x n gives m x n", "    = exp(X) ./ sum(exp(X), 2)"]
    entries = reference.operations()
    assert {e["name"] for e in entries} == set(REGISTRY)
    called = [e["syntax"] == "call" and "example" in e for e in entries]
    assert called == sorted(called, reverse=True), "the operations of the text come first"
    with pytest.raises(MatcalcError, match=r"einsum: write the products"):
        reference.found(entries, ["einsum"], "operation")


# ------------------------------------------------------------------------------------------------ requests


def test_a_request_is_plain_data_and_so_is_its_answer() -> None:
    given = {"source": "x'*A*x", "wrt": "x", "shape": {"x": "n", "A": "n,n"}, "fact": ["A=symmetric"]}
    for command, more in (("derive", {}), ("derive", {"format": "json"}), ("code", {}), ("check", {"trials": 1})):
        found = requests.answer(command, json.loads(json.dumps({**given, **more})))
        assert found["status"] == "ok"
        assert json.loads(json.dumps(found)) == found
    assert requests.answer("claim", {"claim": "A' = A"})["status"] == "failed"
    assert requests.answer("claim", {"claim": "A*x", "of": "x'*A*x", "name": "x", "wrt": "x"})["status"] == "failed"


def test_a_request_with_unknown_words_is_refused() -> None:
    with pytest.raises(MatcalcError, match=r"did you mean "):
        requests.answer("deriv", {})
    with pytest.raises(MatcalcError, match=r"derive has no field 'shapes' \(did you mean shape\?\)"):
        requests.answer("derive", {"source": "x", "shapes": {}})
    with pytest.raises(MatcalcError, match="format must be one of"):
        requests.answer("curvature", {"source": "x'*x", "format": "pdf"})


def test_the_command_line_reads_the_fields_of_requests() -> None:
    assert set(requests.FIELDS) == set(COMMANDS) - {"export", "completion", "serve", "site", "mcp"}
    for command in commands_of(parser(COMMANDS)):
        for name in requests.FIELDS.get(command.name, ()):
            option = f"--{name.replace('_', '-')}"
            positional = name in ("source", "claim", "words")
            assert positional or option in command.options or (command.name, name) in {("solve", "wrt")}


# ------------------------------------------------------------------------------------------------ a function of Python

LOSS = "import numpy as np\n\n\ndef loss(w, X, y):\n    r = X @ w - y\n    return r @ r / 2\n"


def test_a_function_in_a_file_is_read_only_where_running_it_is_allowed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "model.py"
    path.write_text(LOSS + f"open({str(tmp_path / 'ran')!r}, 'w').close()\n", encoding="utf-8")
    shapes = ["--wrt", "w", "--shape", "X=n,p", "--shape", "w=p", "--shape", "y=n", "--style", "result"]
    assert main(["derive", f"{path}:loss", *shapes]) == 2
    assert "add --run" in capsys.readouterr().err
    assert not (tmp_path / "ran").exists()
    assert main(["derive", f"{path}:loss", *shapes, "--run"]) == 0
    out, err = capsys.readouterr()
    assert "X'*r" in out
    assert err == f"matcalc: running {path}\n"
    assert main(["check", f"{path}:loss", *shapes[:-2], "--trials", "1", "--run"]) == 0
    capsys.readouterr()
    for wrong, said in (("los", "did you mean loss"), ("np", "has no function np")):
        assert main(["derive", f"{path}:{wrong}", "--run"]) == 2
        assert said in capsys.readouterr().err
    assert main(["derive", str(path)]) == 2
    assert "name the function in it" in capsys.readouterr().err
    path.write_text("1/0", encoding="utf-8")
    assert main(["derive", f"{path}:loss", "--run"]) == 2
    assert "ZeroDivisionError" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------ shells


def test_bash_completes_commands_options_and_values(tmp_path: Path) -> None:
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    path = tmp_path / "completion.sh"
    path.write_text(script(parser(COMMANDS), "bash"), encoding="utf-8")

    def completed(*words: str) -> list[str]:
        line = f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _matcalc; echo ${{COMPREPLY[@]}}"
        done = subprocess.run(["bash", "-c", f". {path}; {line}"], check=True, capture_output=True, text=True)
        return done.stdout.split()

    assert completed("matcalc", "de") == ["derive"]
    assert completed("matcalc", "derive", "--sty") == ["--style"]
    assert completed("matcalc", "derive", "--style", "res") == ["result"]
    assert completed("matcalc", "claim", "--kind", "adj") == ["adjoint"]
    assert completed("matcalc", "completion", "z") == ["zsh"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_name_every_command_and_option(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    assert main(["completion", shell]) == 0
    out = capsys.readouterr().out
    for command in commands_of(parser(COMMANDS)):
        assert command.name in out
        assert all(option.lstrip("-") in out for option in command.options)
    program = shutil.which(shell)
    if program is not None:
        assert subprocess.run([program, "-n"], input=out, text=True, check=False).returncode == 0


# ------------------------------------------------------------------------------------------------ waiting, notebooks


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_what_takes_long_says_so_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr("sys.stderr", stream)
        with patience("thinking", after=0.02), patience("inside", after=0.02):
            time.sleep(0.3)
        assert ("matcalc: thinking (0 s)" in stream.getvalue()) is shown
        assert "inside" not in stream.getvalue()
    quick = Terminal()
    monkeypatch.setattr("sys.stderr", quick)
    with patience("thinking"):
        pass
    assert quick.getvalue() == ""


def test_errors_in_notebooks_are_one_short_block() -> None:
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell()
    shell.run_cell("import matcalc as mc")
    shown: list[str] = []
    shell._showtraceback = lambda kind, value, lines: shown.extend(lines)
    shell.run_cell("x = 1\nd = mc.derive(\"x'*A*x)\", wrt='x')")
    assert shown[0] == "line 2: d = mc.derive(\"x'*A*x)\", wrt='x')"
    assert shown[1].startswith("ParseError: line 1, column 7: ")
    assert len(shown) == 4


def test_completion_of_a_derivation_shows_what_a_user_uses() -> None:
    shown = [name for name in dir(mc.derive("x'*x")) if not name.startswith("_")]
    assert {"gradient", "text", "code", "check", "curvature", "optimum", "steps", "names", "graph"} <= set(shown)
    assert not {"rewriter", "contexts", "lossy", "folds", "reverse_of", "need_scalar", "stops"} & set(shown)
    d = mc.derive("x'*x")
    assert all(hasattr(d, name) for name in shown)
