"""Derivatives at special points: adjugates at singular matrices, products of entries that are 0, branches not taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from oracle import adjugate

import matcalc as mc
from matcalc.errors import FactError, MatcalcError
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


def units_of(m: int, n: int) -> Iterator[np.ndarray]:
    """The m x n unit matrices in the order of vec."""
    for k in range(m * n):
        yield np.eye(m * n)[k].reshape(m, n, order="F")


@pytest.mark.parametrize(("n", "rank"), RANKS)
def test_hessian_of_det(n: int, rank: int) -> None:
    d = mc.derive("det(X)", shapes={"X": ("n", "n")})
    X, V = of_rank(n, rank), of_rank(n, n) + 1
    assert not d.hessian("X").conditions
    H = np.reshape(d.function("hessian")(X=X)["X"], (n * n, n * n))
    expected = np.stack([vec(slope_of_polynomial(lambda t: adjugate(X + t * E).T, n)) for E in units_of(n, n)], axis=1)  # noqa: B023
    assert np.allclose(H, expected, rtol=1e-9, atol=1e-9)
    product = d.function("hvp")(X=X, tangents={"X": V})["X"]
    assert np.allclose(vec(np.reshape(product, (n, n))), expected @ vec(V), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("n", "rank"), RANKS)
def test_derivatives_of_the_adjugate(n: int, rank: int) -> None:
    d = mc.derive("tr(C'*adj(A*X))", shapes={"X": ("n", "n"), "A": ("n", "n"), "C": ("n", "n")}, wrt="X")
    X, A, C = of_rank(n, rank), of_rank(n, n) + 1, of_rank(n, n) + 2
    gradient = np.reshape(d.function("gradient")(X=X, A=A, C=C)["X"], (n, n))
    along = [slope_of_polynomial(lambda t: np.sum(C * adjugate(A @ (X + t * E))), n).item() for E in units_of(n, n)]  # noqa: B023
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


# ------------------------------------------------------------------------------------------------ products of entries


@pytest.mark.parametrize("axis", ["", ", 1", ", 2"])
@pytest.mark.parametrize("zeros", [0, 1, 2, 3, 6])
def test_hessian_of_products_with_zeros(axis: str, zeros: int) -> None:
    d = mc.derive(f"sum((A .* prod(X{axis})).^2)", shapes={"X": ("m", "n"), "A": ("m", "n")}, wrt="X")
    rng = np.random.default_rng(zeros)
    X, A, V = (rng.normal(size=(2, 3)) for _ in range(3))
    X.ravel()[:zeros] = 0
    gradient = d.function("gradient")
    expected = np.stack(
        [vec(slope_of_polynomial(lambda t: gradient(X=X + t * E, A=A)["X"], 12)) for E in units_of(2, 3)],  # noqa: B023
        axis=1,
    )
    along = [slope_of_polynomial(lambda t: np.array(d.evaluate(X=X + t * E, A=A)), 12) for E in units_of(2, 3)]  # noqa: B023
    assert np.allclose(vec(gradient(X=X, A=A)["X"]), along, atol=1e-9)
    assert np.allclose(d.function("hessian")(X=X, A=A)["X"], expected, atol=1e-8)
    assert np.allclose(evaluate(d.hessian("X").as_matrix(), {"X": X, "A": A}), expected, atol=1e-8)
    product = d.function("hvp")(X=X, A=A, tangents={"X": V})["X"]
    assert np.allclose(vec(product), expected @ vec(V), atol=1e-8)


def test_third_derivative_of_a_product() -> None:
    d = mc.derive("prod(x)", shapes={"x": ("n", 1)})
    x, v = np.array([[2.0], [0.0], [0.0], [-3.0]]), np.array([[1.0], [2.0], [-1.0], [0.5]])
    third = evaluate(d.hessian("x").jacobian("x").as_matrix(), {"x": x})
    hessian = d.function("hessian")
    assert np.allclose(third @ vec(v), vec(slope_of_polynomial(lambda t: hessian(x=x + t * v)["x"], 3)))


# ------------------------------------------------------------------------------------------------ constant rank


@pytest.mark.parametrize(("m", "n", "rank"), [(3, 4, 1), (4, 3, 2), (3, 3, 3), (1, 3, 1), (4, 1, 1), (5, 4, 2)])
def test_nuclear_norm_along_matrices_of_a_rank(m: int, n: int, rank: int) -> None:
    """|| A B' ||_* for A m x r and B n x r: it is smooth, though the nuclear norm is not."""
    d = mc.derive("normnuc(A*B')", shapes={"A": ("m", "r"), "B": ("n", "r")})
    rng = np.random.default_rng([m, n, rank])
    A, B, V = rng.normal(size=(m, rank)), rng.normal(size=(n, rank)), rng.normal(size=(m, rank))
    gradient, h = d.function("gradient"), 1e-4
    slope = (d.evaluate(A=A + h * V, B=B) - d.evaluate(A=A - h * V, B=B)) / (2 * h)
    assert np.isclose(np.sum(gradient(A=A, B=B)["A"] * V), slope, atol=1e-7)
    for name in ("A", "B"):
        G = [gradient(A=A + t * V, B=B)[name] for t in (h, -h)]
        expected = vec((G[0] - G[1]) / (2 * h))
        second = evaluate(d.hessian(name, "A").as_matrix(), {"A": A, "B": B})
        assert np.allclose(second @ vec(V), expected, atol=1e-6)
    assert not d.hessian("A").conditions
    assert np.allclose(d.function("hessian")(A=A, B=B)["A"], evaluate(d.hessian("A").as_matrix(), {"A": A, "B": B}))


# ------------------------------------------------------------------------------------------------ branches not taken

X0 = np.array([[0.0], [2.0], [-1.0]])
CHOICES = {
    "sum(where(x > 0, log(x), 0))": ([0, 0.5, 0], [0, -0.25, 0]),
    "sum(where(0 >= x, 3*x, sqrt(x)))": ([3, 8**-0.5, 3], [0, -(128**-0.5), 0]),
    "sum(where(x > 0, x.*log(x), x.^2))": ([0, 1 + np.log(2), -2], [2, 0.5, 2]),
    "sum(where(x > 0, 1./x, x))": ([1, -0.25, 1], [0, 0.25, 0]),
    "sum(where(-500*x > 0, x.^2, exp(500*x - 1000)))": (
        [500 * np.exp(-1000), 500, -2],
        [250000 * np.exp(-1000), 250000, 2],
    ),
    "sum((x > 0) ./ x)": ([0, -0.25, 0], [0, 0.25, 0]),
    "sum((x > 0) .* log(x))": ([0, 0.5, 0], [0, -0.25, 0]),
    "sum(where(x*ones(1, 2) > 0, log(x)*ones(1, 2), 0))": ([0, 1, 0], [0, -0.5, 0]),
    "sum(where(x > 0, log(x), 0).^2)": ([0, np.log(2), 0], [0, (1 - np.log(2)) / 2, 0]),
    "sum(relu(x).^0.5)": ([0, 8**-0.5, 0], [0, -(128**-0.5), 0]),
    "sum(maximum(x - 5, log(x + 1)))": ([1, 1 / 3, 1], [-1, -1 / 9, 0]),
}


@pytest.mark.parametrize("source", CHOICES)
def test_a_branch_that_is_not_taken_may_be_infinite(source: str) -> None:
    d, (slope, curvature) = mc.derive(source, shapes={"x": ("n", 1)}), CHOICES[source]
    x = {"x": X0}
    V = np.array([[2.0], [3.0], [5.0]])
    diagonal = np.diag(curvature)
    for gradient in (d.function("gradient")(**x)["x"], evaluate(d.gradient("x"), x)):
        assert np.allclose(np.ravel(gradient), slope)
    for hessian in (d.function("hessian")(**x)["x"], evaluate(d.hessian("x").as_matrix(), x)):
        assert np.allclose(hessian, diagonal)
    assert np.allclose(np.ravel(d.function("hvp")(**x, tangents={"x": V})["x"]), diagonal @ np.ravel(V))
    assert np.isclose(d.function("jvp")(**x, tangents={"x": V}), np.dot(slope, np.ravel(V)))
    assert not d.hessian("x").conditions or "where" not in source
    with np.errstate(all="ignore"):
        portable = d.function("gradient", "array-api")(**x, xp=np)["x"]
    assert np.allclose(np.ravel(portable), slope)


def test_what_is_undefined_stays_undefined() -> None:
    d = mc.derive("sum(maximum(x, y))", shapes={"x": ("n", 1), "y": ("n", 1)})
    values = {"x": np.array([[np.nan], [1.0]]), "y": np.array([[1.0], [2.0]])}
    assert np.isnan(d.function("gradient")(**values)["x"][0, 0])


@pytest.mark.parametrize("source", ["logdet(zeros(n, n) + 0*X)", "sum(X*inv(zeros(n, n)))", "tr(solve(X - X, X))"])
def test_what_is_always_singular_is_refused(source: str) -> None:
    with pytest.raises(FactError, match="is singular"):
        mc.derive(source, shapes={"X": ("n", "n")})


@pytest.mark.parametrize("norm", ["norm1", "norm2", "normspec", "normnuc"])
def test_norms_have_a_subgradient_at_zero(norm: str) -> None:
    d = mc.derive(f"{norm}(X)", wrt="X", shapes={"X": ("n", "p")})
    for shape in ((3, 2), (2, 3), (1, 1), (4, 4)):
        G = d.function("gradient")(X=np.zeros(shape))["X"]
        assert np.isfinite(G).all()
        assert np.linalg.norm(G, 2) <= 1
