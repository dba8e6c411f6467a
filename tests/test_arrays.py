"""The stand-in for NumPy gives what NumPy gives: functions, methods, keys, broadcasting, views, linear algebra."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.special
from scipy.linalg import lapack

from matcalc.serve.arrays.array import ndarray
from matcalc.serve.arrays.further import LAPACK, SCIPY_LINALG, SPECIAL
from matcalc.serve.arrays.names import LINALG, NUMPY, RANDOM

own = SimpleNamespace(**NUMPY, linalg=SimpleNamespace(**LINALG), random=SimpleNamespace(**RANDOM))

A = [[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]]
B = [[2.0, 1.0], [-3.0, 0.25], [0.0, 7.0]]
S = [[4.0, 1.0, -0.5], [1.0, 3.0, 0.25], [-0.5, 0.25, 2.0]]
N = [[1.0, 2.0, 0.0], [0.5, -1.0, 3.0], [2.0, 0.0, 1.0]]
EDGES = [[0.0, -0.0, 1.0], [float("inf"), float("-inf"), float("nan")], [-1.0, 2.0, 800.0]]

# Each is evaluated once with `np` as NumPy and once as the stand-in.
EXPRESSIONS = (Path(__file__).parent / "data" / "numpy_expressions.txt").read_text(encoding="utf-8").splitlines()


def given(of: Any) -> dict[str, Any]:
    return {
        "np": of,
        **{name: of.array(value) for name, value in (("A", A), ("B", B), ("S", S), ("N", N), ("E", EDGES))},
    }


def plain(value: Any) -> Any:
    if isinstance(value, (ndarray, np.ndarray)):
        return value.tolist()
    return value.item() if hasattr(value, "item") else value


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_it_gives_what_numpy_gives(expression: str) -> None:
    with np.errstate(all="ignore"):
        expected = plain(eval(expression, given(np)))
    found = plain(eval(expression, given(own)))
    assert np.shape(found) == np.shape(expected)
    if isinstance(expected, str):
        assert found == expected
        return
    np.testing.assert_allclose(np.array(found), np.array(expected), rtol=2e-13, atol=1e-14)
    assert np.array(found).dtype.kind == np.array(expected).dtype.kind


STATEMENTS = {
    "a part": "X[0] = 7; X[:, 1] += 1; X[1, ::2] *= 2",
    "a view is the array itself": "Y = X[:, 1:]; Y *= 3; Z = X.T; Z[0] = 9",
    "diagonals": "np.einsum('ii->i', Q)[...] += 5; np.fill_diagonal(Q[1:, 1:], 0); Q.flat[:: len(Q) + 1] /= 2",
    "a mask": "X[X < 0] = 0; Q[np.triu_indices(3)] = [1, 2, 3, 4, 5, 6]",
    "lists of places": "X[:, [0, 2]] = X[:, [2, 0]]; Q[[0, 1]] = Q[[1, 0]]",
    "sums at places": "np.add.at(X[0], np.array([0, 0, 1]), np.array([1.0, 2.0, 3.0]))",
    "into given memory": "np.exp(X, out=X); np.multiply(X, 2, out=X); X -= 1; np.subtract(X, X[:, :1], out=X)",
    "a row of places": "Q[np.ix_([0, 2], [0, 2])] = np.ones((2, 2)); X[..., 0] = 4; Q.T[0] = X[0]",
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_arrays_are_changed_as_numpy_does(name: str) -> None:
    found = []
    for of in (np, own):
        space = {"np": of, "X": of.array(A), "Q": of.array(N)}
        exec(STATEMENTS[name], space)
        found.append([space[k].tolist() for k in ("X", "Q")])
    for first, second in zip(*found, strict=True):
        np.testing.assert_allclose(second, first, rtol=1e-14)


REFUSED = [
    ("np.linalg.cholesky(-S)", "LinAlgError"),
    ("np.linalg.solve(np.zeros((2, 2)), np.ones((2, 1)))", "LinAlgError"),
    ("np.linalg.inv(A)", "LinAlgError"),
    ("A + B", "ValueError"),
    ("A @ A", "ValueError"),
    ("A.reshape(4, 2)", "ValueError"),
    ("bool(A)", "ValueError"),
    ("np.array([[1], [1, 2]])", "ValueError"),
    ("np.array([1, 2]) ** -1", "ValueError"),
    ("A[2]", "IndexError"),
    ("A[0, 0, 0]", "IndexError"),
    ("np.exp(np.array([None]))", "TypeError"),
    ("len(np.array(1.0))", "TypeError"),
    ("np.max(A[:0])", "ValueError"),
]


@pytest.mark.parametrize(("expression", "error"), REFUSED)
def test_it_refuses_what_numpy_refuses(expression: str, error: str) -> None:
    for of in (np, own):
        with pytest.raises(Exception) as caught:  # noqa: PT011
            eval(expression, given(of))
        assert error in {c.__name__ for c in type(caught.value).__mro__}


def test_random_numbers_have_their_law() -> None:
    rng = own.random.default_rng([0, 1])
    assert own.random.default_rng(rng) is rng
    assert (
        own.random.default_rng([0, 1]).normal(size=3).tolist() == own.random.default_rng([0, 1]).normal(size=3).tolist()
    )
    drawn = np.array(rng.normal(size=(400, 5)).tolist())
    assert abs(drawn.mean()) < 0.1
    assert abs(drawn.std() - 1) < 0.1
    assert sorted(rng.permutation(4).tolist()) == [0, 1, 2, 3]
    assert set(rng.integers(3, size=50).tolist()) == {0, 1, 2}
    low, high = np.min(rng.uniform(2, 3, size=60).tolist()), np.max(rng.uniform(2, 3, size=60).tolist())
    assert 2 <= low < high <= 3


def test_factors_are_orthogonal() -> None:
    rng = np.random.default_rng(0)
    for m, n in [(1, 1), (2, 5), (5, 2), (6, 6), (4, 1)]:
        X = rng.normal(size=(m, n))
        X[:, -1] = X[:, 0]  # singular
        u, s, vt = (np.array(part.tolist()) for part in own.linalg.svd(own.array(X.tolist())))
        np.testing.assert_allclose(u.T @ u, np.eye(m), atol=1e-13)
        np.testing.assert_allclose(vt @ vt.T, np.eye(n), atol=1e-13)
        np.testing.assert_allclose(s, np.linalg.svd(X, compute_uv=False), atol=1e-13)
        np.testing.assert_allclose((u[:, : len(s)] * s) @ vt[: len(s)], X, atol=1e-13)
        P = X @ X.T
        values, vectors = (np.array(part.tolist()) for part in own.linalg.eigh(own.array(P.tolist())))
        np.testing.assert_allclose(values, np.linalg.eigvalsh(P), atol=1e-12)
        np.testing.assert_allclose(vectors @ np.diag(values) @ vectors.T, P, atol=1e-12)
    values, vectors = own.linalg.eig(own.array([[0.0, 1.0], [-1.0, 0.0]]))
    assert sorted(x.imag for x in values.tolist()) == [-1.0, 1.0]
    assert vectors.dtype.kind == "c"


@pytest.mark.parametrize("name", sorted(set(SPECIAL) - {"polygamma"}))
def test_special_functions_are_those_of_scipy(name: str) -> None:
    x = np.array([[-30.0, -5.5, -2.5, -0.3, 1e-9], [0.5, 1.0, 3.0, 30.0, np.nan]])
    found = np.array(SPECIAL[name](own.array(x.tolist())).tolist())
    np.testing.assert_allclose(found, getattr(scipy.special, name)(x), rtol=1e-13)


def test_derivatives_of_digamma_are_those_of_scipy() -> None:
    x = np.array([0.5, 1.0, 7.25])
    found = np.array(SPECIAL["polygamma"](2, own.array(x.tolist())).tolist())
    np.testing.assert_allclose(found, scipy.special.polygamma(2, x), rtol=1e-13)


def mine(X: np.ndarray) -> Any:
    return own.array(X.tolist())


@pytest.mark.parametrize("n", [1, 2, 5])
def test_functions_of_matrices_are_those_of_scipy(n: int) -> None:
    X = np.random.default_rng(n).normal(size=(n, n))
    for M in (X @ X.T + 0.5 * np.eye(n), X / np.sqrt(n) + 2 * np.eye(n), np.eye(n)):
        for name, arguments in (("logm", ()), ("sqrtm", ()), ("fractional_matrix_power", (0.3,))):
            expected = getattr(scipy.linalg, name)(M, *arguments)
            found = np.array(SCIPY_LINALG[name](mine(M), *arguments).tolist())
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    no_root = own.array([[-1.0, 0.0], [0.0, 2.0]])
    for name in ("logm", "sqrtm"):
        assert np.isnan(np.array(SCIPY_LINALG[name](no_root).tolist())).all()


def test_matrix_equations_are_those_of_scipy() -> None:
    rng = np.random.default_rng(3)
    A, C, Q, R = rng.normal(size=(3, 3)), rng.normal(size=(3, 2)), np.eye(3), 2 * np.eye(2)
    for name in ("solve_continuous_are", "solve_discrete_are"):
        found = np.array(SCIPY_LINALG[name](mine(A), mine(C), mine(Q), mine(R)).tolist())
        np.testing.assert_allclose(found, getattr(scipy.linalg, name)(A, C, Q, R), rtol=1e-10)
    found = np.array(SCIPY_LINALG["solve_sylvester"](mine(A), mine(Q), mine(C @ C.T)).tolist())
    np.testing.assert_allclose(found, scipy.linalg.solve_sylvester(A, Q, C @ C.T), rtol=1e-11)
    t, u = (np.array(part.tolist()) for part in SCIPY_LINALG["schur"](mine(A)))
    np.testing.assert_allclose(u @ t @ u.conj().T, A, atol=1e-12)
    P = C @ C.T + np.eye(3)
    upper, info = LAPACK["dpotrf"](mine(P))
    assert info == 0
    np.testing.assert_allclose(np.array(upper.tolist()), lapack.dpotrf(P)[0], atol=1e-13)
    solved, inverse = (
        np.array(LAPACK[name](*more)[0].tolist()) for name, more in (("dpotrs", (upper, mine(C))), ("dpotri", (upper,)))
    )
    np.testing.assert_allclose(solved, np.linalg.solve(P, C), atol=1e-13)
    np.testing.assert_allclose(np.triu(inverse), np.triu(np.linalg.inv(P)), atol=1e-13)
    assert LAPACK["dpotrf"](mine(-P))[1] == 1
