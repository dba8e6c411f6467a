"""Jacobians and Hessians along structured sets: by their independent entries, against differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import matcalc as mc
from matcalc.errors import NoRuleError, ShapeError
from matcalc.numeric.evaluate import evaluate

N = 4


def _symmetric(t: np.ndarray) -> np.ndarray:
    S = np.zeros((N, N))
    S.T[np.triu_indices(N)] = t
    return S + np.tril(S, -1).T


def _lower(t: np.ndarray) -> np.ndarray:
    return np.tril(_symmetric(t))


def _skew(t: np.ndarray) -> np.ndarray:
    S = np.zeros((N, N))
    S.T[np.triu_indices(N, 1)] = t
    return S - S.T


def _toeplitz(t: np.ndarray) -> np.ndarray:
    return np.array([[t[j - i + N - 1] for j in range(N)] for i in range(N)])


# From the independent entries to the matrix, in the documented order.
SETS: dict[str, tuple[int, Callable[[np.ndarray], np.ndarray]]] = {
    "symmetric": (N * (N + 1) // 2, _symmetric),
    "skew": (N * (N - 1) // 2, _skew),
    "diagonal": (N, np.diag),
    "lower": (N * (N + 1) // 2, _lower),
    "upper": (N * (N + 1) // 2, lambda t: _lower(t).T),
    "toeplitz": (2 * N - 1, _toeplitz),
    "symmetric-toeplitz": (N, lambda t: np.array([[t[abs(i - j)] for j in range(N)] for i in range(N)])),
}
SOURCES = ("sum(exp(A*S).*B)", "tr(S*A*S'*B*S)", "sum((S*B).^3) + logdet(eye(n) + S'*S)")
MATRICES = ("A*S*B", "S.^2*A", "S*B*S")
SHAPES = dict.fromkeys("SAB", ("n", "n"))


def _derivative(f: Callable[[np.ndarray], np.ndarray], t: np.ndarray) -> np.ndarray:
    """The Jacobian of f by central differences, extrapolated."""
    columns = []
    for k in range(t.size):
        e = np.eye(t.size)[k]
        first, second = ((f(t + h * e) - f(t - h * e)) / (2 * h) for h in (2e-3, 1e-3))
        columns.append((4 * second - first) / 3)
    return np.stack([c.reshape(-1, order="F") for c in columns], axis=1)


def _arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    return {"A": rng.normal(size=(N, N)) / 2, "B": rng.normal(size=(N, N)) / 2}


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("source", SOURCES)
def test_hessian(source: str, kind: str) -> None:
    size, member = SETS[kind]
    d = mc.derive(source, "S", shapes=SHAPES, structure={"S": kind})
    other, t = _arrays(), np.random.default_rng(1).normal(size=size) / 2
    gradient = lambda t: _derivative(lambda u: np.array(d.evaluate(S=member(u), **other)), t).ravel()  # noqa: E731
    expected = _derivative(gradient, t)
    S = {"S": member(t), **other}
    for found in (d.function("hessian")(**S)["S"], evaluate(d.hessian("S").as_matrix(), S)):
        assert found.shape == (size, size)
        assert np.allclose(found, expected, atol=2e-5 * max(1, np.abs(expected).max()))
    assert np.allclose(evaluate(d.jacobian("S").as_matrix(), S).ravel(), gradient(t), atol=1e-6)
    assert d.check(trials=2)


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("source", MATRICES)
def test_jacobian(source: str, kind: str) -> None:
    size, member = SETS[kind]
    d = mc.derive(source, "S", shapes=SHAPES, structure={"S": kind})
    other, t = _arrays(), np.random.default_rng(2).normal(size=size)
    expected = _derivative(lambda u: d.evaluate(S=member(u), **other), t)
    S = {"S": member(t), **other}
    for found in (d.function("jacobian")(**S)["S"], evaluate(d.jacobian("S").as_matrix(), S)):
        assert np.allclose(found, expected, atol=1e-6)
    printed = evaluate(d.parse(str(d.jacobian("S"))), S)
    assert np.allclose(printed, expected, atol=1e-6)


def test_what_has_no_independent_entries() -> None:
    d = mc.derive("sum(A*S)", "S", shapes=SHAPES, structure={"S": "orthogonal"}, convention="projection")
    with pytest.raises(NoRuleError, match="no independent entries"):
        d.jacobian("S")
    with pytest.raises(ShapeError, match="no independent entries"):
        mc.derive("sum(s)", "s", shapes={"s": (1, 1)}, structure={"s": "skew"}).jacobian("s")


@pytest.mark.parametrize("kind", SETS)
def test_a_hessian_that_is_zero_has_the_size_of_the_set(kind: str) -> None:
    d = mc.derive("sum(A*S)", "S", shapes=SHAPES, structure={"S": kind})
    size, member = SETS[kind]
    hessian = d.function("hessian")(S=member(np.ones(size)), **_arrays())["S"]
    assert hessian.shape == (size, size)
    assert not hessian.any()


@pytest.mark.parametrize(
    ("kind", "by"),
    [("symmetric", "vech(X)"), ("upper", "vech(X')"), ("diagonal", "diagvec(X)"), ("skew", "entries(X)")],
)
def test_views_say_by_what_a_jacobian_is_taken(kind: str, by: str) -> None:
    d = mc.derive("X*B", wrt="X", shapes={"X": ("n", "n"), "B": ("n", "m")}, structure={"X": kind})
    assert f"dvec(f)/d{by}' = kron(B', eye(n))*" in d.text("result")
    assert f"where vec(X) = {str(d.jacobian()).split('*', 1)[1]} * {by}" in d.text("result")
    assert f" * d {by}\n" in d.text("differential")


def test_code_says_by_what_a_hessian_is_taken() -> None:
    d = mc.derive("tr(X*X)", wrt="X", structure={"X": "symmetric"})
    assert "the Hessian by the independent entries of X = " in d.code("hessian")
