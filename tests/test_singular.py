"""Derivatives at singular points: adjugates and determinants of rank n - 1, n - 2, ..., down to 0."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from oracle import adjugate

import matcalc as mc
from matcalc.errors import MatcalcError
from matcalc.numeric.evaluate import evaluate

RANKS = [(n, rank) for n in (1, 2, 3, 5) for rank in range(n + 1) if rank in (0, n) or rank >= n - 3]


def of_rank(n: int, rank: int) -> np.ndarray:
    """A random n x n matrix of this rank."""
    rng = np.random.default_rng([n, rank])
    return rng.normal(size=(n, rank)) @ rng.normal(size=(rank, n))


def slope_of_polynomial(f: Callable[[float], np.ndarray], degree: int) -> np.ndarray:
    """f'(0), exact up to rounding for a polynomial of this degree."""
    t = np.cos(np.pi * (np.arange(degree + 2) + 0.5) / (degree + 2))
    values = np.array([np.ravel(f(x)) for x in t])
    return np.polynomial.polynomial.polyfit(t, values, degree + 1)[1].reshape(np.shape(f(0.0)))


def vec(X: np.ndarray) -> np.ndarray:
    return X.reshape(-1, order="F")


def units(n: int) -> Iterator[np.ndarray]:
    """The unit matrices in the order of vec."""
    for k in range(n * n):
        yield np.eye(n * n)[k].reshape(n, n, order="F")


@pytest.mark.parametrize(("n", "rank"), RANKS)
def test_hessian_of_det(n: int, rank: int) -> None:
    d = mc.derive("det(X)", shapes={"X": ("n", "n")})
    X, V = of_rank(n, rank), of_rank(n, n) + 1
    assert not d.hessian("X").conditions
    H = np.reshape(d.function("hessian")(X=X)["X"], (n * n, n * n))
    expected = np.stack([vec(slope_of_polynomial(lambda t: adjugate(X + t * E).T, n)) for E in units(n)], axis=1)  # noqa: B023
    assert np.allclose(H, expected, rtol=1e-9, atol=1e-9)
    product = d.function("hvp")(X=X, tangents={"X": V})["X"]
    assert np.allclose(vec(np.reshape(product, (n, n))), expected @ vec(V), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("n", "rank"), RANKS)
def test_derivatives_of_the_adjugate(n: int, rank: int) -> None:
    d = mc.derive("tr(C'*adj(A*X))", shapes={"X": ("n", "n"), "A": ("n", "n"), "C": ("n", "n")}, wrt="X")
    X, A, C = of_rank(n, rank), of_rank(n, n) + 1, of_rank(n, n) + 2
    gradient = np.reshape(d.function("gradient")(X=X, A=A, C=C)["X"], (n, n))
    along = [slope_of_polynomial(lambda t: np.sum(C * adjugate(A @ (X + t * E))), n).item() for E in units(n)]  # noqa: B023
    assert np.allclose(vec(gradient), along, rtol=1e-9, atol=1e-9)


def test_third_derivative_of_det() -> None:
    d = mc.derive("det(X)", shapes={"X": ("n", "n")})
    X, V = of_rank(4, 1), of_rank(4, 4)
    third = evaluate(d.hessian("X").jacobian("X").as_matrix(), {"X": X})
    hessian = d.function("hessian")
    expected = slope_of_polynomial(lambda t: hessian(X=X + t * V)["X"].reshape(16, 16), 2)
    assert np.allclose(third @ vec(V), vec(expected))


def test_textbook_forms_at_nonsingular_matrices() -> None:
    d = mc.derive("adj(X)", shapes={"X": ("n", "n")}, facts={"X": "nonsingular"})
    assert str(d.jacobian("X")) == "det(X)*(vec(inv(X))*vec(inv(X'))' - kron(inv(X'), inv(X)))"


def test_the_order_of_a_derivative_is_positive() -> None:
    with pytest.raises(MatcalcError, match="positive whole number"):
        mc.derive("sum(dadjform(X, 0))", shapes={"X": ("n", "n")})
