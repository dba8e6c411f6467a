"""Regressions, factorisations, likelihoods: text for matcalc, careful hand-written NumPy, a forward pass for autodiff.

The hand-written functions use the forms that were measured to be fast: owned buffers written in place, products in the
cheapest order, syrk for `Z' Z`, no diagonal, Kronecker or identity matrix built. They return arrays by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.linalg import lapack
from workload import Arrays, Problem

# ------------------------------------------------------------------------------------------------ logistic regression

LOGISTIC = """
X: n x k
y: n x 1
w: k x 1
z = X*w
sum(log(1 + exp(-y.*z)))
"""


def _logistic_inputs(n: int, k: int) -> Callable[[np.random.Generator], Arrays]:
    return lambda rng: {
        "X": rng.normal(size=(n, k)),
        "y": np.sign(rng.normal(size=(n, 1))),
        "w": rng.normal(size=(k, 1)) / np.sqrt(k),
    }


def logistic_value(X, y, w):  # type: ignore[no-untyped-def]
    t = X @ w
    t *= y
    np.negative(t, out=t)
    high = np.maximum(t, 0)
    np.abs(t, out=t)
    np.negative(t, out=t)
    np.exp(t, out=t)
    np.log1p(t, out=t)
    t += high
    return t.sum()


def logistic_gradient(X, y, w):  # type: ignore[no-untyped-def]
    t = X @ w
    t *= y
    with np.errstate(over="ignore"):
        np.exp(t, out=t)
    t += 1
    np.divide(y, t, out=t)
    np.negative(t, out=t)
    return {"w": X.T @ t}


def logistic_hessian(X, y, w):  # type: ignore[no-untyped-def]
    t = X @ w
    t *= y
    np.negative(np.abs(t, out=t), out=t)
    np.exp(t, out=t)
    if X.size < 10_000:
        d = t / (1 + t) ** 2
        return {"w": (X.T * d.T) @ X}
    np.sqrt(t / (1 + t) ** 2, out=t)
    Z = X * t
    return {"w": Z.T @ Z}


def logistic_forward(np_, X, y, w):  # type: ignore[no-untyped-def]
    return np_.sum(np_.logaddexp(np_.zeros_like(y), -y * (X @ w)))


# ------------------------------------------------------------------------------------------------ matrix factorisation

FACTORISATION = """
U: m x k
V: n x k
T: m x n
E = U*V' - T
sum(E.*E)
"""


def _factorisation_inputs(m: int, n: int, k: int) -> Callable[[np.random.Generator], Arrays]:
    return lambda rng: {
        "U": rng.normal(size=(m, k)),
        "V": rng.normal(size=(n, k)),
        "T": rng.normal(size=(m, n)),
    }


def factorisation_value(U, V, T):  # type: ignore[no-untyped-def]
    E = U @ V.T
    E -= T
    return np.vdot(E, E)


def factorisation_gradient(U, V, T):  # type: ignore[no-untyped-def]
    G = U @ (V.T @ V)
    G -= T @ V
    G *= 2
    H = V @ (U.T @ U)
    H -= T.T @ U
    H *= 2
    return {"U": G, "V": H}


def factorisation_hessian(U, V, T):  # type: ignore[no-untyped-def]
    m, k = U.shape
    H = np.zeros((k, m, k, m))
    np.einsum("imjm->mij", H)[...] = 2 * (V.T @ V)
    return {"U": H.reshape(m * k, m * k)}


def factorisation_factors(U, V, T):  # type: ignore[no-untyped-def]
    A = V.T @ V
    A *= 2
    return {"U": [(A, U.shape[0])]}


def factorisation_forward(np_, U, V, T):  # type: ignore[no-untyped-def]
    E = U @ V.T - T
    return np_.sum(E * E)


# ------------------------------------------------------------------------------------------------ Gaussian likelihood

GAUSSIAN = """
S: n x n positive-definite
X: N x n constant
N/2*logdet(S) + tr(X*inv(S)*X')/2
"""


def _gaussian_inputs(rows: int, n: int) -> Callable[[np.random.Generator], Arrays]:
    def make(rng: np.random.Generator) -> Arrays:
        A = rng.normal(size=(n, n))
        return {"S": A @ A.T / n + np.eye(n), "X": rng.normal(size=(rows, n))}

    return make


def gaussian_value(S, X):  # type: ignore[no-untyped-def]
    L, _ = lapack.dpotrf(S, lower=1)
    B, _ = lapack.dpotrs(L, X.T, lower=1)
    return len(X) * np.log(np.diagonal(L)).sum() + np.vdot(B.T, X) / 2


def gaussian_gradient(S, X):  # type: ignore[no-untyped-def]
    half = lapack.dpotri(lapack.dpotrf(S.T)[0])[0]
    P = half + half.T
    P.flat[:: len(P) + 1] /= 2
    B = X @ P
    G = B.T @ B
    P *= len(X)
    P -= G
    P /= 2
    return {"S": P}


def gaussian_forward(np_, S, X):  # type: ignore[no-untyped-def]
    return X.shape[0] / 2 * np_.linalg.slogdet(S)[1] + np_.sum(np_.linalg.solve(S, X.T) * X.T) / 2


# ------------------------------------------------------------------------------------------------ softmax regression

SOFTMAX = """
X: n x p
Y: n x c row-stochastic
W: p x c
P = softmax(X*W, 2)
-sum(Y .* log(P))
"""


def _softmax_inputs(n: int, p: int, c: int) -> Callable[[np.random.Generator], Arrays]:
    return lambda rng: {
        "X": rng.normal(size=(n, p)),
        "Y": np.eye(c)[rng.integers(c, size=n)],
        "W": rng.normal(size=(p, c)) / np.sqrt(p),
    }


def _softmax_of(X, W):  # type: ignore[no-untyped-def]
    P = X @ W
    P -= P.max(axis=1, keepdims=True)
    np.exp(P, out=P)
    total = P.sum(axis=1, keepdims=True)
    P /= total
    return P


def softmax_value(X, Y, W):  # type: ignore[no-untyped-def]
    theta = X @ W
    theta -= theta.max(axis=1, keepdims=True)
    return np.log(np.exp(theta).sum(axis=1)).sum() - np.vdot(Y, theta)


def softmax_hessian(X, Y, W):  # type: ignore[no-untyped-def]
    P = _softmax_of(X, W)
    p, c = W.shape
    H = np.empty((c * p, c * p))
    weighted = np.empty_like(X)
    for i in range(c):
        rows = slice(i * p, (i + 1) * p)
        for j in range(i, c):
            columns = slice(j * p, (j + 1) * p)
            np.multiply(X, (P[:, i] * ((i == j) - P[:, j]))[:, None], out=weighted)
            H[rows, columns] = X.T @ weighted
            if i != j:
                H[columns, rows] = H[rows, columns].T
    return {"W": H}


def softmax_forward(np_, X, Y, W):  # type: ignore[no-untyped-def]
    theta = X @ W
    top = np_.amax(theta, 1)[:, None]
    return np_.sum(np_.log(np_.sum(np_.exp(theta - top), 1))) + np_.sum(top) - np_.sum(Y * theta)


# ------------------------------------------------------------------------------------------------ problems

LOGISTIC_GRADIENT = Problem(
    *("logistic gradient", LOGISTIC, ("w",), "gradient"),
    *(_logistic_inputs, logistic_gradient, logistic_value, logistic_forward),
)
LOGISTIC_HESSIAN = replace(LOGISTIC_GRADIENT, name="logistic Hessian", kind="hessian", by_hand=logistic_hessian)
SOFTMAX_HESSIAN = Problem(
    *("softmax regression Hessian", SOFTMAX, ("W",), "hessian"),
    *(_softmax_inputs, softmax_hessian, softmax_value, softmax_forward),
)
FACTORISATION_GRADIENT = Problem(
    *("factorisation gradient", FACTORISATION, ("U", "V"), "gradient"),
    *(_factorisation_inputs, factorisation_gradient, factorisation_value, factorisation_forward),
)
FACTORISATION_HESSIAN = replace(
    FACTORISATION_GRADIENT, name="factorisation Hessian", wrt=("U",), kind="hessian", by_hand=factorisation_hessian
)
FACTORISATION_FACTORED = replace(
    FACTORISATION_HESSIAN, name="factorisation Hessian, factored", by_hand=factorisation_factors, form="factored"
)
GAUSSIAN_GRADIENT = Problem(
    *("Gaussian gradient", GAUSSIAN, ("S",), "gradient"),
    *(_gaussian_inputs, gaussian_gradient, gaussian_value, gaussian_forward),
)
