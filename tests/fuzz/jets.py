"""Truncated Taylor arithmetic on matrices: values, derivatives by many seeds, second ones along one direction.

A jet is an array X with axes (order in e, seed, row, column): X[0, 0] is the value, X[0, k] the derivative by seed k,
X[1, 0] the derivative along the direction e, X[1, k] the mixed second derivative. It is the algebra of polynomials in
d_1 ... d_K and e with d_i d_j = e^2 = 0, so sums, products and inverses are exact, and what satisfies an equation is
found by iterating it as often as the algebra has orders. Nothing here is shared with the package.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

Jet = np.ndarray
ORDERS = 3  # iterations after which every order of the algebra is exact


def constant(value: np.ndarray, like: Jet) -> Jet:
    """A jet without derivatives."""
    X = np.zeros((*like.shape[:2], *value.shape))
    X[0, 0] = value
    return X


def value(X: Jet) -> np.ndarray:
    """The value of a jet."""
    return np.asarray(X[0, 0])


def _seeds(X: np.ndarray) -> np.ndarray:
    """One order of a jet without the part of no seed."""
    Z = X.copy()
    Z[0] = 0
    return Z


def bilinear(f: Callable[[np.ndarray, np.ndarray], np.ndarray], A: Jet, B: Jet) -> Jet:
    """f(A, B) for a bilinear f that works on the last two axes."""
    a, b = A[0], B[0]
    z = _seeds(a)
    first = f(a[:1], b) + f(z, b[:1])
    if len(A) == 1:
        return first[None]
    e = B[1]
    second = f(a[:1], e) + f(z, e[:1]) + f(A[1][:1], b) + f(_seeds(A[1]), b[:1])
    return np.stack([first, second])


def mul(A: Jet, B: Jet) -> Jet:
    """The entrywise product, with broadcasting."""
    return bilinear(np.multiply, A, B)


def mm(A: Jet, *rest: Jet) -> Jet:
    """The matrix product."""
    for B in rest:
        A = bilinear(np.matmul, A, B)
    return A


def T(X: Jet) -> Jet:
    """The transpose."""
    return np.swapaxes(X, -1, -2)


def entrywise(X: Jet, f0: np.ndarray, f1: np.ndarray, f2: np.ndarray) -> Jet:
    """A function of every entry from its value, slope and second derivative there."""
    Y = f1 * X
    Y[0, 0] = f0
    if len(X) > 1:
        Y[1, 1:] += f2 * X[1, :1] * X[0, 1:]
    return Y


def exp(X: Jet) -> Jet:
    """The exponential."""
    f = np.exp(value(X))
    return entrywise(X, f, f, f)


def log(X: Jet) -> Jet:
    """The logarithm."""
    x = value(X)
    return entrywise(X, np.log(x), 1 / x, -1 / x**2)


def power(X: Jet, c: float) -> Jet:
    """A fixed power of every entry."""
    x = value(X)
    zero = np.zeros_like(x)
    first = c * x ** (c - 1) if c != 0 else zero
    second = c * (c - 1) * x ** (c - 2) if c not in (0, 1) else zero
    return entrywise(X, x**c, first, second)


def recip(X: Jet) -> Jet:
    """1 / X, entry by entry."""
    return power(X, -1.0)


def sin(X: Jet) -> Jet:
    """The sine."""
    s, c = np.sin(value(X)), np.cos(value(X))
    return entrywise(X, s, c, -s)


def cos(X: Jet) -> Jet:
    """The cosine."""
    s, c = np.sin(value(X)), np.cos(value(X))
    return entrywise(X, c, -s, -c)


def erf(X: Jet) -> Jet:
    """The error function."""
    x = value(X)
    slope = 2 / np.sqrt(np.pi) * np.exp(-(x**2))
    return entrywise(X, special.erf(x), slope, -2 * x * slope)


def arctan(X: Jet) -> Jet:
    """The inverse tangent."""
    x = value(X)
    slope = 1 / (1 + x**2)
    return entrywise(X, np.arctan(x), slope, -2 * x * slope**2)


def polygamma(order: int, X: Jet) -> Jet:
    """The derivatives of log gamma; order -1 is log gamma itself."""
    x = value(X)
    f0, f1, f2 = (special.gammaln(x) if k < 0 else special.polygamma(k, x) for k in range(order, order + 3))
    return entrywise(X, f0, f1, f2)


def where(condition: np.ndarray, A: Jet, B: Jet) -> Jet:
    """A where the condition holds, else B."""
    return np.where(condition, A, B)


def total(X: Jet, axis: int | None) -> Jet:
    """The sum of all entries (None), over rows (1) or over columns (2)."""
    return X.sum(axis=(-1, -2) if axis is None else -2 if axis == 1 else -1, keepdims=True)


# ------------------------------------------------------------------------------------------------ matrices


def eye(n: int, like: Jet) -> Jet:
    """The identity."""
    return constant(np.eye(n), like)


def inv(X: Jet) -> Jet:
    """The inverse, by Newton's iteration."""
    n = X.shape[-1]
    Z = constant(np.linalg.inv(value(X)), X)
    for _ in range(ORDERS):
        Z = mm(Z, 2 * eye(n, X) - mm(X, Z))
    return Z


def trace(X: Jet) -> Jet:
    """The trace, 1 x 1."""
    return np.trace(X, axis1=-2, axis2=-1)[..., None, None]


def det(X: Jet) -> Jet:
    """The determinant: det(X0) det(I + N), N without a value: 1 + tr N + (tr(N)^2 - tr(N^2))/2."""
    x = value(X)
    N = np.linalg.inv(x) @ X
    N[0, 0] = 0
    t = trace(N)
    series = t + 0.5 * (mul(t, t) - trace(mm(N, N)))
    series[0, 0] = 1
    return np.linalg.det(x) * series


def expm(X: Jet) -> Jet:
    """The exponential of a matrix: Taylor's series of X/2^s, squared s times."""
    size = float(np.abs(value(X)).sum(axis=1).max())
    s = max(0, int(np.ceil(np.log2(max(size, 1e-300)))) + 2)
    A, Y = X / 2.0**s, eye(X.shape[-1], X)
    for k in range(20, 0, -1):
        Y = eye(X.shape[-1], X) + mm(A, Y) / k
    for _ in range(s):
        Y = mm(Y, Y)
    return Y


def sqrtm(X: Jet) -> Jet:
    """The principal square root: the product form of Denman and Beavers' iteration."""
    Y, Z = X, eye(X.shape[-1], X)
    for _ in range(12 + ORDERS):
        Y, Z = 0.5 * (Y + inv(Z)), 0.5 * (Z + inv(Y))
    return Y


def logm(X: Jet) -> Jet:
    """The principal logarithm: roots until X is near I, then 2 artanh((X - I)(X + I)^-1)."""
    n, count = X.shape[-1], 0
    while np.abs(value(X) - np.eye(n)).sum(axis=1).max() > 0.3 and count < 30:
        X, count = sqrtm(X), count + 1
    E = mm(X - eye(n, X), inv(X + eye(n, X)))
    square, Y = mm(E, E), eye(n, X) / 41.0
    for k in range(39, 0, -2):
        Y = eye(n, X) / k + mm(square, Y)
    return 2.0 ** (count + 1) * mm(E, Y)


def chol(X: Jet) -> Jet:
    """The lower triangular L with L L' = X: L0 (I + P), P = Phi(N - P P')."""
    x = value(X)
    L = np.linalg.cholesky(x)
    back = np.linalg.inv(L)
    N = back @ X @ back.T
    N[0, 0] = 0
    keep = np.tril(np.ones_like(x)) - 0.5 * np.eye(len(x))
    P = np.zeros_like(N)
    for _ in range(ORDERS):
        P = keep * (N - mm(P, T(P)))
    return L @ (P + eye(len(x), X))


def eigen(X: Jet) -> tuple[Jet, Jet]:
    """Ascending eigenvalues (n x 1) and eigenvectors (length 1, largest entry positive) of a matrix with real ones."""
    x = value(X)
    values, vectors = np.linalg.eig(x)
    order = np.argsort(values.real)
    lam, V = values.real[order], vectors.real[:, order]
    n = len(x)
    N = np.linalg.inv(V) @ X @ V
    N[0, 0] = 0
    W, D = eye(n, X), constant(lam[None, :], X)
    off = 1 - np.eye(n)
    for _ in range(ORDERS + 1):
        NW = mm(N, W)
        diagonal = np.diagonal(NW, axis1=-2, axis2=-1)[..., None, :]
        D = constant(lam[None, :], X) + diagonal
        gaps = D - constant(lam[:, None], X) + constant(np.eye(n), X)  # entry i, j: D_j - lambda_i
        W = mul(off * NW, recip(gaps)) + eye(n, X)
    Y = V @ W
    Y = mul(Y, power(total(mul(Y, Y), 1), -0.5))
    y = value(Y)
    return T(D), Y * np.sign(np.take_along_axis(y, np.argmax(np.abs(y), axis=0)[None, :], axis=0))
