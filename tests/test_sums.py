"""Sums over indices in the text: values and gradients against loops in NumPy, forms, and what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import matcalc as mc
from matcalc.cli import main
from matcalc.loops.check import checked

INDEXED = re.compile(r"\b(?:sum|prod|mean|max|min)\s*\(\s*\w+\s*=")
SIZES = {"n": 5, "p": 3, "m": 4, "d": 2, "k": 3, "q": 2, "K": 3, "T": 4}
CASES = [json.loads(line) for line in (Path(__file__).parent / "cases" / "sums.jsonl").read_text().splitlines()]


def number(value: Any) -> float:
    """A 1 x 1 value as a float."""
    return float(np.asarray(value, float).reshape(()))


def differences(f: Callable[[np.ndarray], float], x: np.ndarray) -> np.ndarray:
    """The gradient by central differences, extrapolated."""
    gradient = np.zeros_like(x)
    for at in np.ndindex(x.shape):
        steps = []
        for h in (2e-3, 1e-3, 5e-4):
            up, down = x.copy(), x.copy()
            up[at] += h
            down[at] -= h
            steps.append((f(up) - f(down)) / (2 * h))
        first = [(4 * b - a) / 3 for a, b in zip(steps, steps[1:])]
        gradient[at] = (16 * first[1] - first[0]) / 15
    return gradient


def drawn(program: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Values for what a program declares."""
    arrays = {}
    for line in program.splitlines():
        found = re.match(r"(\w+): (\w+) x (\w+)(.*)", line)
        if found:
            shape = tuple(int(s) if s.isdigit() else SIZES[s] for s in found.groups()[1:3])
            values = rng.standard_normal(shape)
            arrays[found[1]] = np.abs(values) + 0.3 if "positive" in found[4] else values
    return arrays


def agrees(program: str, wrt: str, loops: Callable[..., Any], sizes: dict[str, int] | None = None) -> mc.Derivation:
    """Derive, and compare value and gradient with loops."""
    d = mc.derive(program, wrt=wrt)
    f = d.function("value_and_grad")
    for seed in (1, 2):
        arrays = drawn(program, np.random.default_rng(seed))
        wanted = number(loops(**arrays))
        value, gradients = f(**arrays)
        assert value == pytest.approx(wanted, rel=1e-9, abs=1e-12)
        assert d.evaluate(**arrays) == pytest.approx(wanted, rel=1e-9, abs=1e-12)
        slope = differences(lambda x, given=arrays: number(loops(**{**given, wrt: x})), arrays[wrt])
        np.testing.assert_allclose(gradients[wrt], slope, rtol=1e-6, atol=1e-8 * (1 + np.abs(slope).max()))
    return d


N = range


def row(X: np.ndarray, i: int) -> np.ndarray:
    """The 1-dimensional row (0-based)."""
    return X[i]


LIFTED = {
    "pairs-less": (
        "X: n x p\nA: n x n\nsum(i=1..n, j=1..n, i<j, A[i,j]*norm2(X[i,:] - X[j,:])^2)",
        "X",
        lambda X, A: sum(A[i, j] * np.sum((X[i] - X[j]) ** 2) for i in N(5) for j in N(5) if i < j),
    ),
    "coulomb": (
        "X: n x p\nsum(i=1..n, j=1..n, i!=j, 1/norm2(X[i,:] - X[j,:]))",
        "X",
        lambda X: sum(1 / np.linalg.norm(X[i] - X[j]) for i in N(5) for j in N(5) if i != j),
    ),
    "log-distance": (
        "X: n x p\nsum(i=1..n, j=i+1..n, log(norm2(X[i,:] - X[j,:])))",
        "X",
        lambda X: sum(np.log(np.linalg.norm(X[i] - X[j])) for i in N(5) for j in N(i + 1, 5)),
    ),
    "log-distance-squared": (
        "X: n x p\nsum(i=1..n, sum(j=1..i-1, log(norm2(X[i,:] - X[j,:])^2)))",
        "X",
        lambda X: sum(2 * np.log(np.linalg.norm(X[i] - X[j])) for i in N(5) for j in N(i)),
    ),
    "sqrt-difference": (
        "x: n x 1\nsum(i=1..n, j=1..n, i>j, sqrt((x[i] - x[j])^2)*x[j])",
        "x",
        lambda x: sum(abs(x[i] - x[j]) * x[j] for i in N(5) for j in N(5) if i > j),
    ),
    "band": (
        "A: n x n\nx: n x 1\nsum(i=1..n, j=1..n, i<=j+1, A[i,j]*x[i]*x[j])",
        "x",
        lambda A, x: sum(A[i, j] * x[i] * x[j] for i in N(5) for j in N(5) if i <= j + 1),
    ),
    "off-band": (
        "A: n x n\nx: n x 1\nsum(i=1..n, j=1..n, i!=j-1, A[i,j]*x[i]*x[j])",
        "x",
        lambda A, x: sum(A[i, j] * x[i] * x[j] for i in N(5) for j in N(5) if i != j - 1),
    ),
    "rectangular-unequal": (
        "A: n x p\nsum(i=1..n, j=1..p, i!=j, A[i,j]^2)",
        "A",
        lambda A: sum(A[i, j] ** 2 for i in N(5) for j in N(3) if i != j),
    ),
    "cauchy": (
        "x: n x 1\nsum(i=1..n, j=1..n, i!=j, x[j]^2/(x[i] - x[j])) + sum(i=1..n, j=1..n, i<j, (x[i] - x[j])^-2)",
        "x",
        lambda x: sum(x[j] ** 2 / (x[i] - x[j]) + 0.5 / (x[i] - x[j]) ** 2 for i in N(5) for j in N(5) if i != j),
    ),
    "root-of-a-distance": (
        "X: n x p\nsum(i=1..n, j=1..n, i<j, norm2(X[i,:] - X[j,:])^(1/2)) + "
        "sum(i=2..n, j=1..i-1, 1 ./ abs(X[j,1] - X[i,2]))",
        "X",
        lambda X: sum(
            np.linalg.norm(X[i] - X[j]) ** 0.5 + 1 / abs(X[i, 0] - X[j, 1]) for i in N(5) for j in N(5) if i < j
        ),
    ),
    "two-conditions": (
        "A: n x n\nsum(i=1..n, j=1..n, i<=j, i!=j, exp(A[i,j])*A[j,i])",
        "A",
        lambda A: sum(np.exp(A[i, j]) * A[j, i] for i in N(5) for j in N(5) if i < j),
    ),
    "three-indices": (
        "A: n x p\nB: p x m\nC: m x n\nsum(i=1..n, j=1..p, k=1..m, A[i,j]*B[j,k]*C[k,i])",
        "B",
        lambda A, B, C: np.trace(A @ B @ C),
    ),
    "cubic": (
        "X: n x p\nw: p x 1\nv: p x 1\nu: p x 1\nsum(i=1..n, (X[i,:]*w)*(X[i,:]*v)*(X[i,:]*u))",
        "X",
        lambda X, w, v, u: np.sum((X @ w) * (X @ v) * (X @ u)),
    ),
    "square-of-a-sum": (
        "X: n x p\nw: p x 1\nsum(i=1..n, X[i,:]*w)^2 + sum(j=1..p, sum(i=1..n, X[i,j])^2)",
        "X",
        lambda X, w: np.sum(X @ w) ** 2 + np.sum(X.sum(0) ** 2),
    ),
    "same-index-twice": (
        "A: n x n\nsum(i=1..n, A[i,i]*sum(j=1..n, A[i,j]))",
        "A",
        lambda A: sum(A[i, i] * A[i, j] for i in N(5) for j in N(5)),
    ),
    "superdiagonal": (
        "A: n x n\nsum(i=1..n-1, A[i,i+1]^2*A[i+1,i])",
        "A",
        lambda A: sum(A[i, i + 1] ** 2 * A[i + 1, i] for i in N(4)),
    ),
    "bilinear-over-both": (
        "X: n x p\nB: p x p\nA: n x n\nsum(i=1..n, j=1..n, A[i,j]*X[i,:]*B*X[j,:]')",
        "X",
        lambda X, B, A: np.sum(A * (X @ B @ X.T)),
    ),
    "kernel": (
        "X: n x p\nZ: m x p\na: n x 1\ns: 1 x 1 positive\nsum(i=1..n, j=1..m, a[i]*exp(-norm2(X[i,:] - Z[j,:])^2/s))",
        "Z",
        lambda X, Z, a, s: sum(a[i, 0] * np.exp(-np.sum((X[i] - Z[j]) ** 2) / s[0, 0]) for i in N(5) for j in N(4)),
    ),
    "mahalanobis-pairs": (
        "X: n x p\nM: p x p\nA: n x n\nsum(i=1..n, j=1..n, A[i,j]*(X[i,:] - X[j,:])*M*(X[i,:] - X[j,:])')",
        "M",
        lambda X, M, A: sum(A[i, j] * (X[i] - X[j]) @ M @ (X[i] - X[j]) for i in N(5) for j in N(5)),
    ),
    "index-as-number": (
        "x: n x 1\nsum(i=1..n, i*x[i]^2)",
        "x",
        lambda x: sum((i + 1) * x[i] ** 2 for i in N(5)),
    ),
    "lag-weights": (
        "x: n x 1\nsum(i=2..n, j=2..n, x[i]*x[j]*(i - j)^2)",
        "x",
        lambda x: sum(x[i] * x[j] * (i - j) ** 2 for i in N(1, 5) for j in N(1, 5)),
    ),
    "polynomial": (
        "x: n x 1\nc: 4 x 1\nsum(i=1..n, sum(k=1..4, c[k]*x[i]^(k-1))^2)",
        "x",
        lambda x, c: sum(sum(c[k] * x[i] ** k for k in N(4)) ** 2 for i in N(5)),
    ),
    "softmax-rows": (
        "X: n x p\nY: n x p\nsum(i=1..n, Y[i,:]*log(softmax(X[i,:]))')",
        "X",
        lambda X, Y: np.sum(Y * (X - np.log(np.exp(X).sum(1, keepdims=True)))),
    ),
    "row-maxima": (
        "X: n x p\na: n x 1\nsum(i=1..n, a[i]*max(X[i,:])) + sum(i=1..n, max(j=1..p, X[i,j]^2))",
        "X",
        lambda X, a: np.sum(a[:, 0] * X.max(1)) + np.sum((X**2).max(1)),
    ),
    "column-softmax": (
        "X: n x p\nT: n x p\nsum(j=1..p, T[:,j]'*softmax(X[:,j]))",
        "X",
        lambda X, T: np.sum(T * np.exp(X) / np.exp(X).sum(0)),
    ),
    "variances": (
        "X: n x p\nsum(j=1..p, log(var(X[:,j]) + 1)) + sum(i=1..n, std(X[i,:])*mean(X[i,:]))",
        "X",
        lambda X: np.sum(np.log(X.var(0) + 1)) + np.sum(X.std(1) * X.mean(1)),
    ),
    "mean-over-index": (
        "X: n x p\nw: p x 1\nmean(i=1..n, tanh(X[i,:]*w)) + logsumexp(i=1..n, X[i,:]*w)",
        "w",
        lambda X, w: np.mean(np.tanh(X @ w)) + np.log(np.sum(np.exp(X @ w))),
    ),
    "matrix-valued": (
        "X: n x p\nC: p x p\nm = mean(i=1..n, X[i,:])\ntr(C*sum(i=1..n, X[i,:]'*(X[i,:] - m)))",
        "X",
        lambda X, C: np.trace(C @ X.T @ (X - X.mean(0))),
    ),
    "outer-of-columns": (
        "A: n x p\nB: m x p\nC: m x n\ntr(C*sum(j=1..p, A[:,j]*B[:,j]'))",
        "A",
        lambda A, B, C: np.trace(C @ A @ B.T),
    ),
    "nested-logs": (
        "A: n x m\nB: m x p\nsum(i=1..n, log(1 + sum(j=1..m, exp(A[i,j])*sum(k=1..p, B[j,k]^2))))",
        "B",
        lambda A, B: np.sum(np.log(1 + np.exp(A) @ (B**2).sum(1))),
    ),
    "inner-quotient": (
        "A: n x m\nsum(i=1..n, sum(j=1..m, A[i,j]^3)/sum(j=1..m, exp(A[i,j])))",
        "A",
        lambda A: np.sum((A**3).sum(1) / np.exp(A).sum(1)),
    ),
    "autoregression": (
        "y: n x 1\na: 1 x 1\nb: 1 x 1\nsum(t=3..n, (y[t] - a*y[t-1] - b*y[t-2])^2)",
        "y",
        lambda y, a, b: sum((y[t] - a * y[t - 1] - b * y[t - 2]) ** 2 for t in N(2, 5)),
    ),
    "rows-of-differences": (
        "X: n x p\nsum(i=2..n, norm2(X[i,:] - X[i-1,:])^2) + sum(i=1..n-2, X[i,:]*X[i+2,:]')",
        "X",
        lambda X: sum(np.sum((X[i] - X[i - 1]) ** 2) for i in N(1, 5)) + sum(X[i] @ X[i + 2] for i in N(3)),
    ),
    "entry-fixed": (
        "X: n x p\nsum(i=1..n, X[i,2]*X[1,:]*X[i,:]')",
        "X",
        lambda X: sum(X[i, 1] * X[0] @ X[i] for i in N(5)),
    ),
    "where-entries": (
        "X: n x p\nsum(i=1..n, sum(j=1..p, where(X[i,j] > 0, X[i,j]^2, -3*X[i,j]))*maximum(X[i,1], X[i,2]))",
        "X",
        lambda X: np.sum(np.where(X > 0, X**2, -3 * X).sum(1) * np.maximum(X[:, 0], X[:, 1])),
    ),
    "group-norms": (
        "X: n x p\nsum(i=1..n, norm2(X[i,:])) + sum(j=1..p, norm1(X[:,j])^2)",
        "X",
        lambda X: np.sum(np.linalg.norm(X, axis=1)) + np.sum(np.abs(X).sum(0) ** 2),
    ),
    "power-by-rows": (
        "A: n x p positive\nb: n x 1\nsum(i=1..n, sum(j=1..p, A[i,j]^(b[i])))",
        "b",
        lambda A, b: np.sum(A**b),
    ),
    "product-of-ranges": (
        "x: n x 1\ny: m x 1\nprod(i=2..n, x[i])*sum(i=1..n, sum(j=1..m, x[i]*y[j]))/n",
        "x",
        lambda x, y: np.prod(x[1:]) * np.sum(x) * np.sum(y) / 5,
    ),
    "divided-by-an-index": (
        "x: n x 1\nsum(i=1..n, x[i]^2/i) + sum(i=1..n, j=1..n, x[i]*x[j]/(i + j - 1))",
        "x",
        lambda x: sum(x[i] ** 2 / (i + 1) for i in N(5)) + sum(x[i] * x[j] / (i + j + 1) for i in N(5) for j in N(5)),
    ),
    "one-sample": (
        "x: n x 1\nsum(i=1..1, x[i]^2) + sum(i=2..3, x[i]^3)",
        "x",
        lambda x: x[0] ** 2 + x[1] ** 3 + x[2] ** 3,
    ),
    "last-entry": (
        "x: n x 1\nX: n x n\nx[n]^2*x[1] + sum(i=1..n, X[i,n]*x[n]*X[n,i])",
        "x",
        lambda x, X: x[-1] ** 2 * x[0] + np.sum(X[:, -1] * X[-1]) * x[-1],
    ),
}


@pytest.mark.parametrize("name", LIFTED)
def test_a_sum_becomes_matrices_with_the_value_and_the_gradient_of_the_loops(name: str) -> None:
    d = agrees(*LIFTED[name])
    wrt = LIFTED[name][1]
    assert not INDEXED.search(str(d.gradient(wrt)))
    assert not INDEXED.search(str(d.output))


FORMS = [
    ("X: n x p\nw: p x 1\nsum(i=1..n, X[i,:]*w)", "sum(X*w)"),
    ("X: n x p\na: n x 1\nC: p x p\ntr(C*sum(i=1..n, a[i]*X[i,:]'*X[i,:]))", "tr(C*(X'*diag(a)*X))"),
    ("X: n x p\nY: m x p\nR: n x m\nsum(i=1..n, j=1..m, R[i,j]*norm2(X[i,:] - Y[j,:])^2)", "tr(R'*pdist2(X, Y))"),
    ("X: n x p\nW: p x d\nsum(i=1..n, norm2(X[i,:]' - W*W'*X[i,:]')^2)", "norm2(X - X*W*W')^2"),
    ("A: n x p\nsum(i=1..n, sum(j=1..p, A[i,j]^2))", "norm2(A)^2"),
    ("A: n x p\nsum(i=1..n, j=1..p, A[i,j]^3)", "sum(A.^3)"),
]


@pytest.mark.parametrize(("program", "form"), FORMS)
def test_the_matrix_form_is_the_one_of_the_textbooks(program: str, form: str) -> None:
    assert str(mc.derive(program).output) == form


REFUSED = [
    ("x: n x 1\nsum(i=1..n, x[2*i])", "integer"),
    ("x: n x 1\nsum(i=1..n, x[n-i])", "integer"),
    ("x: n x 1\nsum(i=1..n, x[i+1])", "outside"),
    ("x: n x 1\nsum(i=1..m, x[i])", "outside"),
    ("x: n x 1\nsum(i=1..n, sum(i=1..n, x[i]))", "already"),
    ("x: n x 1\nsum(n=1..3, x[n])", "already"),
    ("A: n x n\nsum(i=1..n, inv(A)[i,i]*logdet(A*A[i,i]))", "matrix form"),
    ("X: n x p\nsum(i=1..n, X[i])", "two indices"),
    ("x: n x 1\nmax(i=1..n, j=1..n, i<j, x[i] - x[j])", "condition"),
    ("x: n x 1\nsum(i=1..n, i<3, x[i])", "two indices"),
    ("x: n x 1\nsum(i=1..n)", "missing"),
    ("x: n x 1\nexp(i=1..n, x[i])", "run over"),
    ("x: n x 1\nsum(i=1..x, x[i])", "range"),
    ("sum(i=1..n, x[i])", "not declared"),
    ("X: n x p\nw: p x 1\nsum(i=1..n, X[i,:]*X[i,:]*w)", "multiply"),
    ("X: n x p\nw: m x 1\nsum(i=1..n, X[i,:]*w)", "multiply"),
    ("X: n x p\nw: m x 1\nsum(i=1..n, X[i,:] + w')", "fit"),
    ("x: n x 1\nsum(i=1..n, [x[i], 1]*[1; 2])", "block"),
]


@pytest.mark.parametrize(("program", "word"), REFUSED)
def test_what_has_no_matrix_form_or_no_meaning_is_refused_at_its_line(program: str, word: str) -> None:
    with pytest.raises(mc.MatcalcError) as caught:
        mc.derive(program)
    line = program.count("\n") + 1
    assert f"line {line}" in str(caught.value)
    assert word in str(caught.value).split("\n")[0]


UNDECIDED = {"product": ("undecided",)}  # products without one entry, which divide where no entry is 0


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["id"])
def test_a_reference_case(case: dict[str, Any]) -> None:
    if case["expect"] == "refused":
        with pytest.raises(mc.MatcalcError) as caught:
            mc.derive(case["program"], wrt=case["wrt"])
        said = str(caught.value)
        assert "line" in said
        for line in case["program"].split("\n"):
            said = said.replace(line, " ")
        assert any(word.lower() in said.lower() for word in case["mention_any"])
        return
    d = mc.derive(case["program"], wrt=case["wrt"])
    assert not (case["matrix_form"] and INDEXED.search(str(d.gradient(case["wrt"]))))
    if case["expected"] is not None and isinstance(d, mc.Derivation):
        assert d.claim(case["wrt"], case["expected"]).status in ("proved", *UNDECIDED.get(case["id"], ()))


def test_a_claim_may_be_in_sums_or_in_matrices() -> None:
    d = mc.derive("X: n x p\ny: n x 1\nw: p x 1\nsum(i=1..n, (X[i,:]*w - y[i])^2)", wrt="w")
    assert d.claim("w", "2*X'*(X*w - y)").status == "proved"
    assert d.claim("w", "2*sum(i=1..n, (X[i,:]*w - y[i])*X[i,:]')").status == "proved"
    assert d.claim("w", "sum(i=1..n, (X[i,:]*w - y[i])*X[i,:]')").status == "disproved"


def test_a_derivation_in_matrices_is_judged_by_claims_in_sums() -> None:
    d = mc.derive("X: n x p\nw: p x 1\nsum(exp(X*w))", wrt="w")
    assert d.claim("w", "sum(i=1..n, exp(X[i,:]*w)*X[i,:]')").status == "proved"


def test_ranges_do_not_change_how_numbers_are_read() -> None:
    assert mc.derive("x: n x 1\n1.5*x'*x + .5*sum(x).^2").evaluate(x=np.ones((2, 1))) == 5.0
    with pytest.raises(mc.ParseError):
        mc.derive("1..3")


# ------------------------------------------------------------------------------------------------ loops


def with_families(program: str, rng: np.random.Generator) -> dict[str, Any]:
    """Values for a program; families are lists."""
    arrays: dict[str, Any] = dict(drawn(program, rng))
    for line in program.splitlines():
        found = re.match(r"(\w+)\[\w+=(\d+)\.\.(\w+)\]: (\w+) x (\w+)(.*)", line)
        if not found:
            continue
        first, last = int(found[2]), int(found[3]) if found[3].isdigit() else SIZES[found[3]]
        shape = tuple(int(s) if s.isdigit() else SIZES[s] for s in found.groups()[3:5])
        members = [rng.standard_normal(shape) for _ in range(first, last + 1)]
        if "positive-definite" in found[6]:
            members = [M @ M.T + np.eye(len(M)) for M in members]
        arrays[found[1]] = members
    return arrays


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def lstm(W: Any, U: Any, b: Any, x: Any) -> Any:
    h, c, total = np.zeros((2, 1)), np.zeros((2, 1)), 0.0
    for t in range(4):
        z = W @ h + U @ x[t] + b
        c = sigmoid(z) * c + sigmoid(2 * z) * np.tanh(z)
        h = sigmoid(3 * z) * np.tanh(c)
        total += np.sum(h**2)
    return total


def lags(a: Any, b: Any, s: Any, r: Any) -> Any:
    y = {-1: r[0, 0], 0: s[0, 0]}
    for t in range(1, 5):
        y[t] = np.tanh(a[0, 0] * y[t - 1] + b[0, 0] * y[t - 2] + t / 10)
    return sum(y[t] * y[t - 1] for t in range(1, 5)) + y[4] ** 2


def garch(y: Any, w: Any, a: Any, b: Any) -> Any:
    s, total = w[0, 0], 0.0
    for t in range(4):
        if t:
            s = w[0, 0] + a[0, 0] * y[t - 1, 0] ** 2 + b[0, 0] * s
        total += np.log(s) + y[t, 0] ** 2 / s
    return total


def filtered(A: Any, Q: Any, y: Any) -> Any:
    m, P, total = np.zeros((2, 1)), np.eye(2), 0.0
    for t in range(4):
        m, P = A @ m, A @ P @ A.T + Q @ Q.T
        e, S = y[t] - m, P + np.eye(2)
        total += np.log(np.linalg.det(S)) + (e.T @ np.linalg.inv(S) @ e)[0, 0]
        K = P @ np.linalg.inv(S)
        m, P = m + K @ e, P - K @ P
    return total


def forwards(A: Any, B: Any, c: Any) -> Any:
    a, total = c * B[:, [0]], 0.0
    for t in range(1, 4):
        total += np.log(a.sum())
        a = B[:, [t]] * (A.T @ (a / a.sum()))
    return total + np.log(a.sum())


LOOPS: dict[str, tuple[str, list[str], Callable[..., Any]]] = {
    "lstm": (
        "W: d x d\nU: d x p\nb: d x 1\nx[t=1..T]: p x 1\nh[0] = zeros(d, 1)\nc[0] = zeros(d, 1)\n"
        "c[t] = sigmoid(W*h[t-1] + U*x[t] + b) .* c[t-1] + sigmoid(2*(W*h[t-1] + U*x[t] + b)) .* "
        "tanh(W*h[t-1] + U*x[t] + b) for t = 1..T\n"
        "h[t] = sigmoid(3*(W*h[t-1] + U*x[t] + b)) .* tanh(c[t]) for t = 1..T\nsum(t=1..T, norm2(h[t])^2)",
        ["W", "U", "b", "x"],
        lstm,
    ),
    "lags": (
        "a: 1 x 1\nb: 1 x 1\ns: 1 x 1\nr: 1 x 1\ny[0] = s\ny[-1] = r\n"
        "y[t] = tanh(a*y[t-1] + b*y[t-2] + t/10) for t = 1..T\nsum(k=1..T, y[k]*y[k-1]) + y[T]^2",
        ["a", "b", "s", "r"],
        lags,
    ),
    "garch": (
        "y: T x 1\nw: 1 x 1 positive\na: 1 x 1 positive\nb: 1 x 1 positive\nv[1] = w\n"
        "v[t] = w + a*y[t-1]^2 + b*v[t-1] for t = 2..T\nsum(t=1..T, log(v[t]) + y[t]^2/v[t])",
        ["y", "w", "a", "b"],
        garch,
    ),
    "kalman": (
        "A: d x d\nQ: d x d\ny[t=1..T]: d x 1\nm[0] = zeros(d, 1)\nP[0] = eye(d)\n"
        "g[t] = A*m[t-1] for t = 1..T\nG[t] = A*P[t-1]*A' + Q*Q' for t = 1..T\n"
        "m[t] = g[t] + G[t]*inv(G[t] + eye(d))*(y[t] - g[t]) for t = 1..T\n"
        "P[t] = G[t] - G[t]*inv(G[t] + eye(d))*G[t] for t = 1..T\n"
        "sum(t=1..T, log(det(G[t] + eye(d))) + (y[t] - g[t])'*inv(G[t] + eye(d))*(y[t] - g[t]))",
        ["A", "Q", "y"],
        filtered,
    ),
    "hidden-markov": (
        "A: d x d positive\nB: d x T positive\nc: d x 1 positive\na[1] = c .* B[:,1]\n"
        "a[t] = B[:,t] .* (A'*(a[t-1]/sum(a[t-1]))) for t = 2..T\nsum(t=1..T, log(sum(a[t])))",
        ["A", "B", "c"],
        forwards,
    ),
    "two-sums": (
        "X: n x p\nu[k=1..K]: p x 1\nb: K x 1\nt = sum(k=1..K, b[k]*X*u[k])\nr = sum(k=1..K, norm2(u[k])^2)\n"
        "sum(exp(t)) + r*sum(k=2..K, u[k]'*u[k-1])",
        ["X", "u", "b"],
        lambda X, u, b: (
            np.sum(np.exp(sum(b[k, 0] * X @ u[k] for k in N(3))))
            + sum(np.sum(m**2) for m in u) * sum((u[k].T @ u[k - 1])[0, 0] for k in N(1, 3))
        ),
    ),
    "mixed-ranges": (
        "X: n x p\nu[k=1..K]: p x 1\nsum(i=1..n, k=1..K, log(1 + norm2(X[i,:]' - u[k])^2)*k)",
        ["X", "u"],
        lambda X, u: sum((k + 1) * np.log(1 + np.sum((X[i] - u[k][:, 0]) ** 2)) for i in N(5) for k in N(3)),
    ),
    "mean-of-members": (
        "S[k=1..K]: p x p symmetric positive-definite\nw: K x 1\nmean(k=1..K, w[k]*logdet(S[k])) + tr(S[1]*S[K])",
        ["S", "w"],
        lambda S, w: sum(w[k, 0] * np.log(np.linalg.det(S[k])) for k in N(3)) / 3 + np.trace(S[0] @ S[2]),
    ),
    "deep": (
        "W[l=1..K]: n x n\nx: n x 1\nh[0] = x\nh[l] = tanh(W[l]*h[l-1]) for l = 1..K\nsum(h[K])",
        ["W", "x"],
        lambda W, x: np.sum(np.tanh(W[2] @ np.tanh(W[1] @ np.tanh(W[0] @ x)))),
    ),
    "two-stages": (
        "A: n x n\nz: n x 1\nh[0] = z\nh[t] = tanh(A*h[t-1]) for t = 1..T\n"
        "g[0] = h[T]\ng[s] = A*g[s-1] + h[s] for s = 1..T\nnorm2(g[T])^2",
        ["A", "z"],
        lambda A, z: two_stages(A, z),
    ),
    "rows-and-columns": (
        "X: K x p\nC: p x K\nu[k=1..K]: p x 1\nsum(k=1..K, tanh(X[k,:]*u[k]) + u[k]'*C[:,k]*C[2,k]*X[k,1])",
        ["X", "C", "u"],
        lambda X, C, u: sum(np.tanh(X[k] @ u[k][:, 0]) + u[k][:, 0] @ C[:, k] * C[1, k] * X[k, 0] for k in range(3)),
    ),
    "rows-in-time": (
        "X: T x p\nW: p x p\nh[1] = X[1,:]\nh[t] = tanh(h[t-1]*W + X[t,:]) for t = 2..T\nsum(t=1..T, h[t]*X[t,:]')",
        ["X", "W"],
        lambda X, W: rows_in_time(X, W),
    ),
}


def two_stages(A: Any, z: Any) -> Any:
    h = [z]
    for _ in range(4):
        h.append(np.tanh(A @ h[-1]))
    g = h[-1]
    for s in range(1, 5):
        g = A @ g + h[s]
    return np.sum(g**2)


def rows_in_time(X: Any, W: Any) -> Any:
    h, total = X[0], X[0] @ X[0]
    for t in range(1, 4):
        h = np.tanh(h @ W + X[t])
        total += h @ X[t]
    return total


@pytest.mark.parametrize("name", LOOPS)
def test_a_program_with_loops_has_the_value_and_the_gradient_of_the_loops(name: str) -> None:
    program, names, loops = LOOPS[name]
    d = mc.derive(program, wrt=names)
    arrays = with_families(program, np.random.default_rng(3))
    value, gradients = d.function("value_and_grad")(**arrays, dims=SIZES)
    wanted = number(loops(**arrays))
    assert value == pytest.approx(wanted, rel=1e-9)
    assert d.evaluate(**arrays, dims=SIZES) == pytest.approx(wanted, rel=1e-9)
    for wrt in names:
        if not isinstance(arrays[wrt], list):
            slope = differences(lambda x, of=wrt: number(loops(**{**arrays, of: x})), arrays[wrt])
            np.testing.assert_allclose(gradients[wrt], slope, rtol=1e-6, atol=1e-8 * (1 + np.abs(slope).max()))
            continue
        for k, member in enumerate(arrays[wrt]):

            def moved(x: np.ndarray, of: str = wrt, at: int = k) -> float:
                return number(loops(**{**arrays, of: [x if j == at else m for j, m in enumerate(arrays[of])]}))

            slope = differences(moved, member)
            np.testing.assert_allclose(gradients[wrt][k], slope, rtol=1e-6, atol=1e-8 * (1 + np.abs(slope).max()))


@pytest.mark.parametrize("name", LOOPS)
def test_a_program_with_loops_passes_its_check(name: str) -> None:
    program, names, _ = LOOPS[name]
    report = mc.derive(program, wrt=names).check(trials=1)
    assert report.ok, str(report)
    assert set(report.errors) == set(names)


def test_the_check_of_a_program_with_loops_sees_a_wrong_gradient() -> None:
    d = mc.derive(LOOPS["lags"][0], wrt="a")
    right = d.function()

    def wrong(**arrays: Any) -> Any:
        value, gradients = right(**arrays)
        return value, {"a": 1.001 * np.asarray(gradients["a"])}

    assert not checked(d, wrong, 1, 0)


def shifted(value: Any, direction: Any, h: float) -> Any:
    """A value, or the members of a family, moved along a direction."""
    return [v + h * w for v, w in zip(value, direction)] if isinstance(value, list) else value + h * direction


@pytest.mark.parametrize("name", [n for n in LOOPS if n != "mean-of-members"])
def test_products_with_the_jacobian_and_the_hessian_agree_with_differences(name: str) -> None:
    program, names, _ = LOOPS[name]
    d = mc.derive(program, wrt=names)
    rng = np.random.default_rng(4)
    arrays = with_families(program, rng)
    along = {
        n: [rng.standard_normal(np.shape(m)) for m in a] if isinstance(a, list) else rng.standard_normal(np.shape(a))
        for n, a in arrays.items()
        if n in names
    }
    h = 1e-5
    up, down = ({**arrays, **{n: shifted(arrays[n], along[n], s * h) for n in names}} for s in (1, -1))
    value, gradient = d.function("value"), d.function("gradient")
    slope = (value(**up, dims=SIZES) - value(**down, dims=SIZES)) / (2 * h)
    assert d.function("jvp")(**arrays, tangents=along, dims=SIZES) == pytest.approx(slope, rel=1e-7, abs=1e-7)
    products = d.function("hvp")(**arrays, tangents=along, dims=SIZES)
    above, below = gradient(**up, dims=SIZES), gradient(**down, dims=SIZES)
    for n in names:
        change = (np.asarray(above[n]) - np.asarray(below[n])) / (2 * h)
        np.testing.assert_allclose(np.asarray(products[n]), change, rtol=1e-6, atol=1e-7 * (1 + np.abs(change).max()))


def test_names_of_adjoints_keep_clear_of_names_of_the_source() -> None:
    d = mc.derive("g_h: 1 x 1\nh[0] = g_h\nh[t] = g_h*h[t-1] for t = 1..3\nh[3]^2", wrt="g_h")
    assert d.function()(g_h=1.5)[1]["g_h"] == pytest.approx(8 * 1.5**7)
    assert "gg_h[t]" in str(d.gradient())


def test_what_a_program_with_loops_does_not_offer_is_refused() -> None:
    d = mc.derive("u[k=1..K]: p x 1\nsum(k=1..K, norm2(u[k])^2)", wrt="u")
    for name in ("jacobian", "objective", "paths"):
        with pytest.raises(mc.MatcalcError, match="families and recurrences"):
            getattr(d, name)
    assert main(["derive", "u[k=1..K]: p x 1; sum(k=1..K, norm2(u[k])^2)"]) == 0
    assert main(["derive", "u[k=1..K]: p x 1; sum(k=1..K, norm2(u[k])^2)", "--format", "latex"]) == 0


RNN = (
    "W: d x d\nU: d x p\nV: 1 x d\nx[t=1..T]: p x 1\ny[t=1..T]: 1 x 1\nh[0] = zeros(d, 1)\n"
    "h[t] = tanh(W*h[t-1] + U*x[t]) for t = 1..T\nJ = sum(t=1..T, (V*h[t] - y[t])^2)/2"
)


def test_backpropagation_through_time_is_printed_as_people_write_it() -> None:
    d = mc.derive(RNN, wrt=["W", "x"])
    assert d.gradient("W").split("\n") == [
        "g_h[T + 1] = 0",
        "g_h[t] = (V*h[t] - y[t])*V' + W'*(g_h[t + 1] .* (1 - h[t + 1].^2)) for t = T..1",
        "sum(t=1..T, (g_h[t] .* (1 - h[t].^2))*h[t - 1]')",
    ]
    text = str(d)
    assert text.count("for t = T..1") == 1
    assert "dJ/dx[t] = U'*(g_h[t] .* (1 - h[t].^2)) for t = 1..T" in text


def test_programs_with_loops_in_latex() -> None:
    shown = mc.derive(RNN, wrt=["W", "x"]).latex()
    assert r"\delta_{h_{t}} &= (V h_{t} - y_{t}) V^\top + W^\top" in shown
    assert r"\frac{\partial J}{\partial x_{t}} &= U^\top" in shown
    assert r"\sum_{t=1}^{T}" in shown
    assert "[" not in shown


@pytest.mark.parametrize("suffix", ["md", "tex", "html", "json"])
def test_a_note_on_a_program_with_loops(suffix: str, tmp_path: Path) -> None:
    path = mc.derive(RNN, wrt=["W", "x"]).export(tmp_path / f"rnn.{suffix}", title="Backpropagation", text="In time.")
    content = path.read_text(encoding="utf-8")
    assert "Backpropagation" in content
    if suffix == "json":
        assert json.loads(content)["results"][0]["name"] == "W"
        assert json.loads(content)["check"]["ok"]
    else:
        assert "agrees with finite differences" in content
        assert r"\delta_{h_{t}}" in content


def test_programs_with_loops_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "rnn.txt"
    source.write_text(RNN, encoding="utf-8")
    for arguments in (
        ["derive", str(source), "--wrt", "W", "--format", "json"],
        ["check", str(source), "--wrt", "W"],
        ["code", str(source), "--wrt", "W", "--kind", "hvp"],
        ["export", str(source), "--wrt", "W", "-o", str(tmp_path / "rnn.md")],
    ):
        assert main(arguments) == 0
    assert "def hvp(*, W, U, V, x, y, tangents, dims=None):" in capsys.readouterr().out
    assert (tmp_path / "rnn.md").read_text().startswith("# Rnn")


def test_definitions_of_a_program_with_loops_are_shown() -> None:
    d = mc.derive("X: n x p\nb: n x 1\nu[k=1..K]: p x 1\nr = X'*b\nsum(k=1..K, tanh(u[k]'*r)) + r'*r", wrt="b")
    assert "r = X'*b" in str(d).split("\n")[1]


# ------------------------------------------------------------------------------------------------ Python

X_, Y_, W_, A_ = mc.var("X", "n", "p"), mc.var("y", "n", 1), mc.var("w", "p", 1), mc.var("A", "n", "n")

IN_PYTHON = [
    ("i=1..n", lambda i: (X_[i, :] @ W_ - Y_[i]) ** 2, "sum", "sum(i=1..n, (X[i,:]*w - y[i])^2)"),
    (
        "i=1..n, j=1..n, i<j",
        lambda i, j: A_[i, j] * mc.norm2(X_[i, :] - X_[j, :]) ** 2,
        "sum",
        "sum(i=1..n, j=1..n, i<j, A[i,j]*norm2(X[i,:] - X[j,:])^2)",
    ),
    (
        "i=1..n",
        lambda i: mc.sum_over("j=1..n", lambda j: A_[i, j] * Y_[j]) ** 2,
        "sum",
        "sum(i=1..n, sum(j=1..n, A[i,j]*y[j])^2)",
    ),
    ("i=1..n", lambda i: i * Y_[i] ** 2, "max", "max(i=1..n, i*y[i]^2)"),
    ("i=2..n", lambda i: Y_[i] * Y_[i - 1] + X_[i, 1], "mean", "mean(i=2..n, y[i]*y[i-1] + X[i,1])"),
]


@pytest.mark.parametrize(("ranges", "body", "take", "text"), IN_PYTHON)
def test_sums_in_python_are_those_of_the_text(ranges: str, body: Callable[..., Any], take: str, text: str) -> None:
    declared = "X: n x p\ny: n x 1\nw: p x 1\nA: n x n\n"
    assert mc.sum_over(ranges, body, take) is mc.derive(declared + text).source.output


def test_a_computed_matrix_has_entries_in_python() -> None:
    value = mc.sum_over("i=2..n", lambda i: (X_ @ W_)[i] * Y_[i - 1])
    arrays = drawn("X: n x p\ny: n x 1\nw: p x 1", np.random.default_rng(0))
    wanted = float(np.sum((arrays["X"] @ arrays["w"])[1:] * arrays["y"][:-1]))
    assert mc.derive(value, wrt="w").evaluate(**arrays) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("build", "word"),
    [
        (lambda: X_[1, :], "sum_over"),
        (lambda: mc.sum_over("i=1..n", lambda i: X_[i]), "two indices"),
        (lambda: mc.sum_over("i", lambda i: Y_[i]), "written as"),
        (lambda: mc.sum_over("i=1..n", lambda i: Y_[i + 1]), "outside"),
        (lambda: mc.sum_over("i=1..n", lambda i: Y_[0] * Y_[i]), "start at 1"),
        (lambda: mc.sum_over("i=1..n", "y[i]"), "function"),
        (lambda: mc.sum_over("i=1..n", lambda i: Y_[i], "median"), "take"),
    ],
)
def test_what_is_no_sum_in_python_is_refused(build: Callable[[], Any], word: str) -> None:
    with pytest.raises(mc.MatcalcError, match=word):
        build()


def test_an_expression_is_no_sequence() -> None:
    with pytest.raises(TypeError):
        list(X_)


# ------------------------------------------------------------------------------------------------ targets

ELSEWHERE = ["lags", "hidden-markov", "mixed-ranges", "rows-in-time", "two-stages", "rows-and-columns"]


def flat(value: Any) -> np.ndarray:
    """A gradient, or those by the members of a family, as one array."""
    return np.stack([np.asarray(v) for v in value]) if isinstance(value, list) else np.asarray(value)


@pytest.mark.parametrize("target", ["jax", "torch"])
@pytest.mark.parametrize("name", ELSEWHERE)
def test_programs_with_loops_in_other_libraries(name: str, target: str) -> None:
    pytest.importorskip(target)
    if target == "jax":
        pytest.importorskip("jax").config.update("jax_enable_x64", True)
    program, names, _ = LOOPS[name]
    d = mc.derive(program, wrt=names)
    arrays = with_families(program, np.random.default_rng(8))
    value, gradients = d.function()(**arrays, dims=SIZES)
    other, found = d.function(target=target)(**arrays, dims=SIZES)
    assert float(other) == pytest.approx(value, rel=1e-12)
    for wrt in names:
        np.testing.assert_allclose(flat(found[wrt]), flat(gradients[wrt]), rtol=1e-10, atol=1e-12)


def test_a_recurrence_in_jax_can_be_jitted_and_has_second_derivatives() -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    d = mc.derive(RNN, wrt="W")
    source = d.code(target="jax")
    assert source.count("lax.scan") == 2
    rng = np.random.default_rng(9)
    arrays = {
        "W": rng.normal(size=(2, 2)),
        "U": rng.normal(size=(2, 3)),
        "V": rng.normal(size=(1, 2)),
        "x": rng.normal(size=(6, 3)),
        "y": rng.normal(size=6),
    }
    value, gradients = jax.jit(d.function(target="jax"))(**arrays)
    expected, own = d.function()(**arrays)
    assert float(value) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradients["W"], own["W"], rtol=1e-10)
    along = {"W": rng.normal(size=(2, 2))}
    product = d.function("hvp", target="jax")(**arrays, tangents=along)["W"]
    np.testing.assert_allclose(product, d.function("hvp")(**arrays, tangents=along)["W"], rtol=1e-9)


def test_other_targets_have_no_loops() -> None:
    with pytest.raises(mc.MatcalcError, match="numpy, numba, native, c, jax, torch"):
        mc.derive(RNN, wrt="W").code(target="stan")


# ------------------------------------------------------------------------------------------------ kinks

AT_ZERO = [
    ("X: n x p\nsum(i=1..n, norm2(X[i,:]))", "X", lambda X: sum(np.linalg.norm(X[i]) for i in N(3))),
    ("X: n x p\nsum(j=1..p, norm2(X[:,j])^3)", "X", lambda X: sum(np.linalg.norm(X[:, j]) ** 3 for j in N(2))),
    (
        "X: n x p\nsum(i=1..n, j=1..n, norm2(X[i,:] - X[j,:]))",
        "X",
        lambda X: sum(np.linalg.norm(X[i] - X[j]) for i in N(3) for j in N(3) if i != j),
    ),
]


@pytest.mark.parametrize(("program", "wrt", "loops"), AT_ZERO)
def test_the_gradient_of_a_norm_is_0_where_the_row_is_0(program: str, wrt: str, loops: Callable[..., Any]) -> None:
    X = np.array([[1.0, 2.0], [0.0, 0.0], [3.0, 4.0]])
    d = mc.derive(program, wrt=wrt)
    with np.errstate(all="raise"):
        value, gradients = d.function()(X=X)
    assert value == pytest.approx(loops(X))
    slope = differences(loops, X)  # central: 0 at a kink
    np.testing.assert_allclose(gradients[wrt], slope, rtol=1e-6, atol=1e-6)
    jax = pytest.importorskip("jax")
    assert np.isfinite(np.asarray(d.function(target="jax")(X=jax.numpy.asarray(X))[1][wrt])).all()


def test_a_member_with_its_index_names_its_family() -> None:
    d = mc.derive("u[k=1..K]: p x 1\nsum(k=1..K, norm2(u[k])^2)", wrt="u[k]")
    assert d.names == ["u"]
    assert d.gradient("u[k]") == "u[k]: 2*u[k] for k = 1..K"
    with pytest.raises(mc.MatcalcError, match="no variable or family"):
        mc.derive("u[k=1..K]: p x 1\nnorm2(u[1])", wrt="u[j]")


def test_a_direction_that_does_not_fit_is_named() -> None:
    d = mc.derive("u[k=1..2]: p x 1\nW: p x p\nsum(k=1..2, norm2(W*u[k])^2)", wrt=["u", "W"])
    u, along = np.ones((2, 3)), {"u": np.ones((2, 3)), "W": np.ones((2, 2))}
    with pytest.raises(ValueError, match=r"tangents\['W'\] has the shape 2 x 2"):
        d.function("hvp")(u=u, W=np.eye(3), tangents=along)


def test_a_squared_distance_under_a_condition_needs_no_guard() -> None:
    d = mc.derive("X: n x p; A: n x n; sum(i=1..n, j=1..n, i<j, A[i,j]*norm2(X[i,:] - X[j,:])^2)", wrt="X")
    assert "where" not in f"{d.output} {d.gradient()}"


def test_the_laplacian_is_a_step_and_the_value_keeps_the_distances() -> None:
    d = mc.derive("X: n x p; A: n x n; sum(i=1..n, j=1..n, A[i,j]*norm2(X[i,:] - X[j,:])^2)", wrt="X")
    assert "Laplacian: tr(A'*pdist2(X, X)) = tr(X'*(diag(sum(A, 2) + sum(A, 1)') - A - A')*X)" in d.text()
    X = 1e8 + np.random.default_rng(0).normal(size=(4, 2))
    assert d.evaluate(X=X, A=np.ones((4, 4))) == pytest.approx(sum(((a - b) ** 2).sum() for a in X for b in X))


def test_a_notebook_of_a_recurrence_derives_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matcalc.export.loops.executed", lambda book, words: book)  # running it takes half a minute
    d = mc.derive(RNN, wrt=["W", "x"])
    d.export(tmp_path / "note.ipynb", title="A network", text="By time.")
    cells = json.loads((tmp_path / "note.ipynb").read_text())["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    scope: dict[str, Any] = {}
    exec("\n".join(sources[:2]), scope)
    assert scope["d"].gradient("W") == d.gradient("W")
    assert any(r"\frac{\partial J}{\partial W}" in "".join(cell["source"]) for cell in cells)


def test_constants_are_not_differentiated_by_unless_they_are_named() -> None:
    text = "u[t=1..T]: n x 1 constant\nA: n x n\nh[0] = zeros(n, 1)\nh[t] = A*h[t-1] + u[t] for t = 1..T\nsum(h[T])"
    assert mc.derive(text).names == ["A"]
    assert set(mc.derive(text).function("gradient")(A=np.eye(2), u=np.ones((3, 2)))) == {"A"}
    assert mc.derive(text, wrt="u").names == ["u"]
    with pytest.raises(mc.MatcalcError, match="all are constant"):
        mc.derive(text.replace("A: n x n", "A: n x n constant"))


def test_a_sum_is_not_called_as_a_member_is_written() -> None:
    lines = (
        "u[t=1..T]: n x 1\ns[0] = zeros(n, 1)\ns[t] = tanh(s[t-1] + u[t]) for t = 1..T\nsum(t=1..T, norm2(s[t])^2)/2"
    )
    assert "q1 = sum(t=1..T, norm2(s[t])^2)" in mc.derive(lines).text()
    assert "s1 = sum(t=1..T, norm2(h[t])^2)" in mc.derive(lines.replace("s[", "h[")).text()
