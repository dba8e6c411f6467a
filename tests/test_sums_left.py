"""Sums that have no matrix form stay sums, and run in loops; conditions may compare values."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

import matcalc as mc
from matcalc.errors import ParseError

DECLARED = {"X": "X: n x p", "A": "A: n x n", "W": "W: p x 2", "x": "x: n x 1", "y": "y: n x 1"}


def drawn() -> dict[str, np.ndarray]:
    """Numbers for the variables."""
    rng = np.random.default_rng(5)
    shapes = {"X": (4, 3), "A": (4, 4), "W": (3, 2), "x": (4, 1)}
    y = np.array([[1.0], [2.0], [1.0], [0.5]])  # with ties
    return {**{name: rng.normal(size=shape) for name, shape in shapes.items()}, "y": y}


def triplets(X: Any, A: Any) -> Any:
    """Distances to the like and to the others."""
    n = len(X)
    far = [[np.sum((X[i] - X[j]) ** 2) for j in range(n)] for i in range(n)]
    return sum(
        A[i, j] * max(0, far[i][j] - far[i][k] + 1) for i in range(n) for j in range(n) for k in range(n) if j != i
    )


def powers(x: Any) -> Any:
    """A sum inside of a logarithm, over three indices."""
    n = len(x)
    return sum(np.log(sum(np.exp(x[i] * x[j] * x[k]) for j in range(n) for k in range(n))) for i in range(n))


def determinants(X: Any) -> Any:
    """A determinant for each sample."""
    return sum(np.log(np.linalg.det(np.outer(row, row) + np.eye(3))) for row in X)


def minors(X: Any, W: Any) -> Any:
    """Another."""
    return sum(np.linalg.det(W.T @ np.diag(row) @ W) for row in X)


def cox(x: Any, y: Any) -> Any:
    """The partial likelihood, with ties."""
    return sum(x[i] - np.log(sum(np.exp(x[j]) for j in range(4) if y[j] >= y[i])) for i in range(4))


def alike(x: Any, y: Any) -> Any:
    """Over those with the same label."""
    return sum((x[i] - x[j]) ** 2 for i in range(4) for j in range(4) if i != j and y[i] == y[j])


def roots(x: Any, y: Any) -> Any:
    """Logarithms of what is negative where the condition does not hold."""
    return sum(np.log(x[i] ** 2 + y[i] - y[j]) for i in range(4) for j in range(4) if y[i] >= y[j])


LEFT = {
    "triplets": (
        "sum(i=1..n, j=1..n, k=1..n, j!=i, A[i,j]*maximum(0, norm2(X[i,:] - X[j,:])^2 - norm2(X[i,:] - X[k,:])^2 + 1))",
        ("X", "A"),
        triplets,
    ),
    "triplets in LaTeX": (
        r"\sum_{i=1}^n \sum_{j \ne i} \sum_{k=1}^n A_{ij} \max(0, \|x_i - x_j\|^2 - \|x_i - x_k\|^2 + 1)",
        ("X", "A"),
        triplets,
    ),
    "powers": ("sum(i=1..n, log(sum(j=1..n, sum(k=1..n, exp(x[i]*x[j]*x[k])))))", ("x",), powers),
    "determinants": ("sum(i=1..n, logdet(X[i,:]'*X[i,:] + eye(p)))", ("X",), determinants),
    "means": (
        "mean(i=1..n, j=1..n, k=1..n, sin(x[i]*x[j]*x[k]))",
        ("x",),
        lambda x: np.mean([np.sin(a * b * c) for a in x for b in x for c in x]),
    ),
    "minors": ("sum(i=1..n, det(W'*diag(X[i,:])*W))", ("W", "X"), minors),
}
MEMBERS = {
    "mean": ("mean(k=1..K, l=1..K, u[k]'*u[l])", lambda u: np.mean(u @ u.T)),
    "logsumexp": ("logsumexp(k=1..K, l=1..K, u[k]'*u[l])", lambda u: np.log(np.sum(np.exp(u @ u.T)))),
    "triangle": (
        "sum(k=1..K, logsumexp(l=1..k, u[k]'*u[l]))",
        lambda u: sum(np.log(sum(np.exp(u[k] @ u[m]) for m in range(k + 1))) for k in range(len(u))),
    ),
}
CONDITIONS = {
    "cox": ("sum(i=1..n, x[i] - log(sum(j=1..n, y[j]>=y[i], exp(x[j]))))", ("x", "y"), cox),
    "cox in LaTeX": (r"\sum_{i=1}^n \left(x_i - \log \sum_{j : y_j \ge y_i} \exp(x_j)\right)", ("x", "y"), cox),
    "alike": (r"\sum_{i \ne j, y_i = y_j} (x_i - x_j)^2", ("x", "y"), alike),
    "roots": ("sum(i=1..n, j=1..n, y[i]>=y[j], log(x[i]^2 + y[i] - y[j]))", ("x", "y"), roots),
}


def gradient_of(f: Callable[..., Any], given: dict[str, Any], name: str) -> np.ndarray:
    """Central differences of the loops."""
    found = np.zeros(given[name].shape)
    for place in np.ndindex(found.shape):
        values = []
        for step in (1e-6, -1e-6):
            moved = given[name].copy()
            moved[place] += step
            values.append(float(np.squeeze(f(**{**given, name: moved}))))
        found[place] = (values[0] - values[1]) / 2e-6
    return found


def compared(source: str, names: tuple[str, ...], f: Callable[..., Any], target: str) -> None:
    """The value and the gradient, against the loops."""
    given = {name: drawn()[name] for name in names}
    d = mc.derive("\n".join([*(DECLARED[name] for name in names), source]), wrt=names[0])
    value, gradients = d.function(target=target)(**given)
    assert np.isclose(float(value), float(np.squeeze(f(**given))), rtol=1e-9)
    wanted = gradient_of(f, given, names[0])
    assert np.allclose(np.asarray(gradients[names[0]]).reshape(wanted.shape), wanted, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", LEFT)
def test_a_sum_without_a_matrix_form_becomes_a_loop(name: str) -> None:
    source, names, f = LEFT[name]
    compared(source, names, f, "numpy")


@pytest.mark.parametrize("target", ["jax", "native", "torch"])
def test_it_does_in_other_targets(target: str) -> None:
    package = None if target == "native" else pytest.importorskip(target)
    with package.enable_x64(True) if package and target == "jax" else nullcontext():
        compared(*LEFT["triplets"], target)


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_may_compare_values(name: str) -> None:
    source, names, f = CONDITIONS[name]
    compared(source, names, f, "numpy")


@pytest.mark.parametrize("name", MEMBERS)
def test_reductions_over_several_families(name: str) -> None:
    source, f = MEMBERS[name]
    u = np.random.default_rng(0).normal(size=(3, 2))
    d = mc.derive(f"u[k=1..K]: p x 1\n{source}", wrt="u")
    value, gradients = d.function()(u=u)
    assert np.isclose(value, f(u), rtol=1e-10)
    np.testing.assert_allclose(gradients["u"], gradient_of(f, {"u": u}, "u"), rtol=1e-6, atol=1e-8)


def test_the_result_is_in_the_notation_of_the_sum() -> None:
    d = mc.derive("x: n x 1; sum(i=1..n, j=1..n, k=1..n, sin(x[i] + x[j]*x[k]))", wrt="x")
    assert str(d.gradient()).splitlines()[0] == "x[i]: sum(j=1..n, k=1..n, cos(x[i] + x[j]*x[k])) for i = 1..n"
    assert d.check(trials=1).ok


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("X: n x p; y: n x 1; sum(i=1..n, j=1..n, X[i,:] > y[j], y[i]*y[j])", "compares two numbers, and these are"),
        ("u[k=1..K]: p x 1; y: K x 1; sum(k=1..K, l=1..K, y[k]>y[l], u[k]'*u[l])", "(y[i] > y[j]) is a factor"),
        ("u[k=1..K]: p x 1; sum(k=1..K, mean(l=1..k, u[k]'*u[l]))", "of a mean, divide the sum"),
        ("A: p x p; h[0] = 0; h[t] = A*h[t-1] for t = 1..T; norm2(h[T])", "write zeros(n, 1)"),
        ("y: n x 1; max(i=1..n, y[i] > 0, y[i])", "a condition can only stand in a sum or a product"),
        ("X: n x p; sum(i=1..n, j=1..n, k=1..n, (X*X')[i,j]*sin(X[i,1]*X[j,1]*X[k,1]))", "no matrix form"),
    ],
)
def test_what_is_refused(program: str, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        mc.derive(program)
    assert said in caught.value.message


def test_a_mean_over_two_families() -> None:
    d = mc.derive("x[i=1..n]: p x 1\ny[j=1..m]: p x 1\nmean(i=1..n, j=1..m, x[i]'*y[j])")
    assert str(d.gradient("x")) == "x[i]: sum(j=1..m, y[j]/(m*n)) for i = 1..n"
    assert d.check().ok
