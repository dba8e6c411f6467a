"""Declarations as people write them, in the text and beside it."""

from __future__ import annotations

import pytest

import matcalc as mc
from matcalc.dims import shape_text
from matcalc.errors import MatcalcError
from matcalc.frontend.parser import parse
from matcalc.properties import ALIASES, NAMES, fact_words, names_of

READ = {
    "l: scalar\nl^2": ("1 x 1", []),
    "l: scalar positive\nlog(l)": ("1 x 1", ["positive"]),
    "l: positive scalar\nlog(l)": ("1 x 1", ["positive"]),
    "l: positive real number\nlog(l)": ("1 x 1", ["positive"]),
    "l: real\nl^2": ("1 x 1", []),
    "x: n\nx'*x": ("n x 1", []),
    "x: 3\nx'*x": ("3 x 1", []),
    "x: n positive\nsum(log(x))": ("n x 1", ["positive"]),
    "x: n + 1\nx'*x": ("(n + 1) x 1", []),
    "x: vector\nx'*x": ("n x 1", []),
    "b: vector\nb'*b": ("n x 1", []),
    "X: vector\nX'*X": ("n x 1", []),
    "x: column vector\nx'*x": ("n x 1", []),
    "x: real-valued vector\nx'*x": ("n x 1", []),
    "x: row vector\nx*x'": ("1 x n", []),
    "x: vector(k)\nx'*x": ("k x 1", []),
    "x: R^k\nx'*x": ("k x 1", []),
    "A: matrix\nsum(A)": ("n x m", []),
    "a: matrix\nsum(a)": ("n x m", []),
    "A: matrix(p, q)\nsum(A)": ("p x q", []),
    "A: square matrix\nsum(A)": ("n x n", []),
    "A: square\nsum(A)": ("n x n", []),
    "A: 3x2\nsum(A)": ("3 x 2", []),
    "A: 3xp\nsum(A)": ("3 x p", []),
    "A: p × q\nsum(A)": ("p x q", []),
    "A: p×q\nsum(A)": ("p x q", []),
    "A: p by q\nsum(A)": ("p x q", []),
    "A: (p, q)\nsum(A)": ("p x q", []),
    "A: [p, q]\nsum(A)": ("p x q", []),
    "A: p x q matrix\nsum(A)": ("p x q", []),
    "A: symmetric\ntr(A*A)": ("n x n", ["symmetric"]),
    "A: symmetric matrix\ntr(A*A)": ("n x n", ["symmetric"]),
    "A: spd\nlogdet(A)": ("n x n", ["positive-definite"]),
    "A: p x p pd\nlogdet(A)": ("p x p", ["positive-definite"]),
    "A: p x p psd\ntr(A)": ("p x p", ["positive-semidefinite"]),
    "A: positive definite\nlogdet(A)": ("n x n", ["positive-definite"]),
    "A: p x p positive definite\nlogdet(A)": ("p x p", ["positive-definite"]),
    "A: p x p symmetric positive definite matrix\nlogdet(A)": ("p x p", ["positive-definite"]),
    "A: p x p positive semi-definite\ntr(A)": ("p x p", ["positive-semidefinite"]),
    "A: positive-definite\nlogdet(A)": ("n x n", ["positive-definite"]),
    "A: lower triangular\ndet(A)": ("n x n", ["lower"]),
    "A: Symmetric\ntr(A*A)": ("n x n", ["symmetric"]),
    "x: x\nx'*x": None,
}


@pytest.mark.parametrize("text", READ)
def test_declarations_are_read(text: str) -> None:
    wanted = READ[text]
    if wanted is None:
        with pytest.raises(MatcalcError, match="x is both a variable and a dimension"):
            parse(text)
        return
    graph = parse(text).graph
    (v,) = graph.declared.values()
    assert (shape_text(v.shape), names_of(v.params[3])) == wanted


def test_words_of_the_shape_are_not_assumptions() -> None:
    d = mc.derive("l: scalar\nx: vector\nl*norm2(x)^2", wrt="x")
    assert str(d.gradient()) == "2*l*x"
    assert d.notice is None
    mixed = mc.derive("A: matrix\nnorm2(A*x - b)^2", wrt="x")
    assert "A" not in str(mixed.notice).partition(";")[0]
    assert mixed.check().ok
    assert mc.derive("d: matrix\nsum(d*x)", wrt="x").graph.declared["d"].shape[0] != 1


def test_sizes_that_are_left_open_meet_in_the_text() -> None:
    graph = parse("A: matrix\nx: vector\ny: vector\ny'*A*x").graph
    rows, cols = graph.declared["A"].shape
    assert graph.declared["x"].shape == (cols, 1)
    assert graph.declared["y"].shape == (rows, 1)
    with pytest.raises(MatcalcError, match=r"differ|do not fit"):
        parse("x: vector\nA: square\ny: 3\nz: 4\nz'*A*x + y'*A*x")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x: vector; S[k=1..K]: n x n; sum(k=1..K, x'*S[k]*x)", "x: n x 1"),
        ("x: vector solves A*x = b; sum(x)", "x: n x 1"),
        ("x: vector; x: n; x'*x", "declared twice"),
        ("x: n; x: vector; x'*x", "declared twice"),
        (r"x: vector" + "\n" + r"\lVert x \rVert^2", "x: n x 1"),
    ],
)
def test_where_sizes_are_needed_they_are_asked_for(text: str, written: str) -> None:
    with pytest.raises(MatcalcError, match=written):
        mc.derive(text)


@pytest.mark.parametrize("alias", ALIASES)
def test_other_words_for_facts(alias: str) -> None:
    (name,) = fact_words([alias])
    assert name in NAMES
    assert fact_words(alias.replace("_", "-").split("-")) == [name]
    assert fact_words([alias.upper()]) == [name]


def test_facts_beside_the_text() -> None:
    for words in ("pd", "positive definite", ["positive", "definite"], "Positive-Definite", ["spd"]):
        d = mc.derive("logdet(A)", facts={"A": words})
        assert names_of(d.graph.declared["A"].params[3]) == ["positive-definite"]


def test_a_function_of_python_takes_the_same_words() -> None:
    def loss(w, X, c):
        return c * ((X @ w) ** 2).sum()

    d = mc.derive(loss, wrt="w", shapes={"w": "p", "X": "n x p", "c": "scalar"})
    assert str(d.gradient()) == "2*c*X'*X*w"
