"""Every operation of the registry from its definition, on jets: the oracle's own table.

A definition takes the machine, the arguments as jets and the parameters (numbers and words; sizes are integers). It
tells the machine how far a value is from where the operation has a kink or no derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
import scipy.linalg

from . import jets as J  # noqa: N812  (its names stand in formulas)
from .jets import Jet, T, constant, inv, mm, mul, total, value

Definition = Callable[..., Jet]


class Machine:
    """What definitions tell about the point: the smallest relative distance from a kink, a pole, a tie."""

    def __init__(self) -> None:
        self.margin = np.inf

    def away(self, distance: Any, scale: Any = 1.0) -> None:
        """Note a distance from where the operation is not smooth."""
        found = np.min(np.abs(distance) / np.maximum(np.abs(scale), 1e-300)) if np.size(distance) else np.inf
        self.margin = min(self.margin, float(found) if np.isfinite(found) else 0.0)


def _plain(f: Callable[..., Jet]) -> Definition:
    return lambda machine, *args: f(*args)


def _split(machine: Machine, X: Jet, at: float = 0.0) -> np.ndarray:
    """Where X exceeds a kink."""
    machine.away(value(X) - at)
    return value(X) > at


def _one(X: Jet, c: float = 1.0) -> Jet:
    return constant(np.full(X.shape[-2:], c), X)


def _positive(machine: Machine, X: Jet) -> Jet:
    machine.away(np.where(value(X) > 0, value(X), 0))
    return X


def sigmoid(X: Jet) -> Jet:
    return J.recip(_one(X) + J.exp(-X))


def softplus(X: Jet) -> Jet:
    x = value(X)
    s = 1 / (1 + np.exp(-x))
    return J.entrywise(X, np.logaddexp(0, x), s, s * (1 - s))


def tanh(X: Jet) -> Jet:
    x = np.tanh(value(X))
    return J.entrywise(X, x, 1 - x**2, -2 * x * (1 - x**2))


def normcdf(X: Jet) -> Jet:
    return 0.5 * (_one(X) + J.erf(X / np.sqrt(2)))


def normpdf(X: Jet) -> Jet:
    return J.exp(-0.5 * mul(X, X)) / np.sqrt(2 * np.pi)


def arcsin(machine: Machine, X: Jet) -> Jet:
    x = value(X)
    machine.away(np.maximum(1 - np.abs(x), 0))
    root = 1 - x**2
    return J.entrywise(X, np.arcsin(x), root**-0.5, x * root**-1.5)


def arcsinh(X: Jet) -> Jet:
    x = value(X)
    root = 1 + x**2
    return J.entrywise(X, np.arcsinh(x), root**-0.5, -x * root**-1.5)


def arccosh(machine: Machine, X: Jet) -> Jet:
    x = value(X)
    machine.away(np.maximum(x - 1, 0))
    root = x**2 - 1
    return J.entrywise(X, np.arccosh(x), root**-0.5, -x * root**-1.5)


def arctanh(machine: Machine, X: Jet) -> Jet:
    x = value(X)
    machine.away(np.maximum(1 - np.abs(x), 0))
    return J.entrywise(X, np.arctanh(x), 1 / (1 - x**2), 2 * x / (1 - x**2) ** 2)


def logit(machine: Machine, X: Jet) -> Jet:
    machine.away(np.maximum(np.minimum(value(X), 1 - value(X)), 0))
    return J.log(X) - J.log(_one(X) - X)


def absolute(machine: Machine, X: Jet) -> Jet:
    return J.where(_split(machine, X), X, -X)


def elu(machine: Machine, X: Jet, alpha: float) -> Jet:
    return J.where(_split(machine, X), X, alpha * (J.exp(X) - _one(X)))


def selu(machine: Machine, X: Jet) -> Jet:
    return 1.0507009873554804934193349852946 * elu(machine, X, 1.6732632423543772848170429916717)


def huber(machine: Machine, X: Jet, delta: float) -> Jet:
    size = absolute(machine, X)
    return J.where(_split(machine, size, delta), delta * (size - _one(X, delta / 2)), 0.5 * mul(X, X))


def hardtanh(machine: Machine, X: Jet) -> Jet:
    above, below = _split(machine, X, 1.0), ~_split(machine, X, -1.0)
    return J.where(above, _one(X), J.where(below, _one(X, -1.0), X))


def general_power(machine: Machine, X: Jet, P: Jet) -> Jet:
    p = value(P)
    if not P[:, 1:].any() and not P[1:].any() and p.size and (p == p.flat[0]).all():
        c = float(p.flat[0])
        if not c.is_integer():
            _positive(machine, X)
        elif c < 0:
            machine.away(value(X))
        if P.shape[-2:] == (1, 1) or P.shape == X.shape:
            return J.power(X, c)
    _positive(machine, X)
    return J.exp(mul(P, J.log(X)))


# ------------------------------------------------------------------------------------------------ reductions


def count(X: Jet, axis: int | None) -> float:
    m, n = X.shape[-2:]
    return float(m * n if axis is None else m if axis == 1 else n)


def mean(X: Jet, axis: int | None) -> Jet:
    return total(X, axis) / count(X, axis)


def var(X: Jet, axis: int | None, ddof: int) -> Jet:
    centred = X - mean(X, axis)
    return total(mul(centred, centred), axis) / (count(X, axis) - ddof)


def std(machine: Machine, X: Jet, axis: int | None, ddof: int) -> Jet:
    return J.power(_positive(machine, var(X, axis, ddof)), 0.5)


def standardize(machine: Machine, X: Jet, axis: int | None, ddof: int, eps: float) -> Jet:
    s = var(X, axis, ddof)
    return mul(X - mean(X, axis), J.power(_positive(machine, s + _one(s, eps)), -0.5))


def extreme(sign: int) -> Definition:
    def along(machine: Machine, X: Jet, axis: int | None) -> Jet:
        if axis is None:
            return along(machine, X.reshape(*X.shape[:2], -1, 1), 1)
        at = -2 if axis == 1 else -1
        x = sign * value(X)
        if x.shape[at] > 1:
            ordered = np.sort(x, axis=at)
            machine.away(np.diff(ordered, axis=at).take(-1, axis=at), np.abs(ordered).max())
        k = np.expand_dims(np.argmax(x, axis=at), at)
        return np.take_along_axis(X, k[None, None], axis=at)

    return along


def prod(X: Jet, axis: int | None) -> Jet:
    if axis is None:
        return prod(X.reshape(*X.shape[:2], -1, 1), 1)
    if axis == 2:
        return T(prod(T(X), 1))
    return reduce(mul, [X[..., i : i + 1, :] for i in range(X.shape[-2])])


def prodothers(X: Jet, axis: int | None) -> Jet:
    if axis is None:
        flat = X.reshape(*X.shape[:2], -1, 1)
        return prodothers(flat, 1).reshape(X.shape)
    if axis == 2:
        return T(prodothers(T(X), 1))
    n = X.shape[-2]
    one = constant(np.ones((1, X.shape[-1])), X)
    rows = [reduce(mul, [X[..., i : i + 1, :] for i in range(n) if i != k], one) for k in range(n)]
    return np.concatenate(rows, axis=-2)


def dprodothers(X: Jet, V: Jet, axis: int | None) -> Jet:
    """The derivative of the products of all other entries: each factor replaced in turn."""
    if axis is None:
        flat = (Z.reshape(*Z.shape[:2], -1, 1) for Z in (X, V))
        return dprodothers(*flat, 1).reshape(X.shape)
    if axis == 2:
        return T(dprodothers(T(X), T(V), 1))
    n = X.shape[-2]
    rows = []
    for k in range(n):
        row = np.zeros_like(X[..., :1, :])
        for j in range(n):
            if j != k:
                row = row + reduce(
                    mul, [X[..., i : i + 1, :] for i in range(n) if i not in (j, k)], V[..., j : j + 1, :]
                )
        rows.append(row)
    return np.concatenate(rows, axis=-2)


def form(f: Callable[[Jet, Jet], Jet], X: Jet) -> Jet:
    """The matrix on vec of V -> f(X, V)."""
    m, n = X.shape[-2:]
    columns = []
    for k in range(m * n):
        E = np.zeros(m * n)
        E[k] = 1
        columns.append(vec(f(X, constant(E.reshape(m, n, order="F"), X))))
    return np.concatenate(columns, axis=-1)


def softmax(X: Jet, axis: int) -> Jet:
    E = J.exp(X - _shift(X, axis))
    return mul(E, J.recip(total(E, axis)))


def _shift(X: Jet, axis: int | None) -> Jet:
    """The largest value along an axis, as a constant."""
    return constant(
        value(X)
        .max(axis=None if axis is None else axis - 1, keepdims=True)
        .reshape((1, 1) if axis is None else (1, -1) if axis == 1 else (-1, 1)),
        X,
    )


def logsumexp(X: Jet, axis: int | None) -> Jet:
    top = _shift(X, axis)
    return J.log(total(J.exp(X - top), axis)) + top


# ------------------------------------------------------------------------------------------------ matrices


def vec(X: Jet) -> Jet:
    return np.swapaxes(X, -1, -2).reshape(*X.shape[:2], -1, 1)


def reshape(X: Jet, m: int, n: int) -> Jet:
    return np.swapaxes(vec(X).reshape(*X.shape[:2], n, m), -1, -2)


def kron(A: Jet, B: Jet) -> Jet:
    (m, n), (p, q) = A.shape[-2:], B.shape[-2:]

    def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a[..., :, None, :, None] * b[..., None, :, None, :]).reshape(-1, m * p, n * q)

    return J.bilinear(product, A, B)


def tiles(G: Jet, p: int, q: int) -> Jet:
    """The p x q blocks of G, with axes (..., block row, row, block column, column)."""
    m, n = G.shape[-2:]
    return G.reshape(*G.shape[:2], m // p, p, n // q, q)


def blockinner(G: Jet, B: Jet) -> Jet:
    p, q = B.shape[-2:]
    m, n = G.shape[-2] // p, G.shape[-1] // q
    rows = [
        np.concatenate([total(mul(G[..., i * p : (i + 1) * p, j * q : (j + 1) * q], B), None) for j in range(n)], -1)
        for i in range(m)
    ]
    return np.concatenate(rows, axis=-2)


def blocksum(A: Jet, G: Jet) -> Jet:
    m, n = A.shape[-2:]
    p, q = G.shape[-2] // m, G.shape[-1] // n
    terms = [
        mul(A[..., i : i + 1, j : j + 1], G[..., i * p : (i + 1) * p, j * q : (j + 1) * q])
        for i in range(m)
        for j in range(n)
    ]
    return sum(terms[1:], terms[0])


def diag(v: Jet) -> Jet:
    flat = v.reshape(*v.shape[:2], -1)
    return flat[..., :, None] * np.eye(flat.shape[-1])


def diagvec(X: Jet) -> Jet:
    return np.diagonal(X, axis1=-2, axis2=-1)[..., None]


def lower(n: int) -> list[tuple[int, int]]:
    """The places of the lower triangle, column by column."""
    return [(i, j) for j in range(n) for i in range(j, n)]


def vech(X: Jet) -> Jet:
    return np.stack([X[..., i, j] for i, j in lower(X.shape[-1])], axis=-1)[..., None]


def unvech(v: Jet, n: int) -> Jet:
    X = np.zeros((*v.shape[:2], n, n))
    for k, (i, j) in enumerate(lower(n)):
        X[..., i, j] = v[..., k, 0]
    return X


def diagsums(G: Jet) -> Jet:
    n = G.shape[-1]
    found = np.zeros_like(G)
    for i in range(n):
        for j in range(n):
            found[..., i, j] = np.trace(G, offset=j - i, axis1=-2, axis2=-1)
    return found


def convmat(w: Jet, m: int) -> Jet:
    n = w.shape[-2]
    X = np.zeros((*w.shape[:2], m + n - 1, m))
    for j in range(m):
        X[..., j : j + n, j] = w[..., 0]
    return X


def place(X: Jet, m: int, n: int, row: int, column: int) -> Jet:
    Y = np.zeros((*X.shape[:2], m, n))
    Y[..., row - 1 : row - 1 + X.shape[-2], column - 1 : column - 1 + X.shape[-1]] = X
    return Y


def block(*args: Any) -> Jet:
    *parts, layout = args
    rows, at = [], 0
    for size in map(int, layout.split()):
        rows.append(np.concatenate(parts[at : at + size], axis=-1))
        at += size
    return np.concatenate(rows, axis=-2)


def _regular(machine: Machine, X: Jet) -> Jet:
    s = np.linalg.svd(value(X), compute_uv=False)
    machine.away(s[-1], s[0])
    return X


def _principal(machine: Machine, X: Jet) -> Jet:
    """A matrix without eigenvalues on the negative real axis."""
    _regular(machine, X)
    lam = np.linalg.eigvals(value(X))
    machine.away(np.pi - np.abs(np.angle(lam)))
    return X


def _real_simple(machine: Machine, X: Jet, extreme: int = 0) -> Jet:
    """A matrix with simple real eigenvalues (or only the largest, 1, or the smallest, -1, of real parts)."""
    lam, V = np.linalg.eig(value(X))
    if np.abs(lam.imag).max() > 0 or np.linalg.cond(V) > 1e3:
        machine.away(0.0)
    gaps = np.diff(np.sort(lam.real))
    if gaps.size:
        machine.away(gaps if not extreme else gaps[-1 if extreme > 0 else 0], np.abs(lam).max() + 1e-300)
        tops = np.sort(np.abs(V / np.linalg.norm(V, axis=0)), axis=0)
        machine.away(tops[-1] - tops[-2])
    return X


def pinv(machine: Machine, X: Jet) -> Jet:
    _regular(machine, X)
    tall = X.shape[-2] >= X.shape[-1]
    return mm(inv(mm(T(X), X)), T(X)) if tall else mm(T(X), inv(mm(X, T(X))))


def singvals(machine: Machine, X: Jet) -> Jet:
    G = mm(T(X), X) if X.shape[-2] >= X.shape[-1] else mm(X, T(X))
    _regular(machine, X)
    lam = J.eigen(_real_simple(machine, G))[0]
    return J.power(lam, 0.5)[..., ::-1, :]


def real_power(machine: Machine, X: Jet, k: Jet) -> Jet:
    c = float(value(k)[0, 0])
    if not k[:, 1:].any() and not k[1:].any() and c.is_integer():
        if c < 0:
            return real_power(machine, inv(_regular(machine, X)), -k)
        return mm(J.eye(X.shape[-1], X), *[X] * int(c))
    return J.expm(mul(k, J.logm(_principal(machine, X))))


def half_power(machine: Machine, X: Jet) -> Jet:
    """X^(-1/2)."""
    return inv(J.sqrtm(_principal(machine, X)))


def polar(machine: Machine, X: Jet) -> Jet:
    if X.shape[-2] < X.shape[-1]:
        return T(polar(machine, T(X)))
    return mm(X, half_power(machine, mm(T(X), X)))


def corner(f: Callable[[Jet], Jet], X: Jet, V: Jet) -> Jet:
    """The Frechet derivative of a function of matrices: the corner of its value at [X, V; 0, X]."""
    n = X.shape[-1]
    return f(block(X, V, np.zeros_like(X), X, "2 2"))[..., :n, n:]


def dpolar(machine: Machine, X: Jet, V: Jet) -> Jet:
    if X.shape[-2] < X.shape[-1]:
        return T(dpolar(machine, T(X), T(V)))
    G = mm(T(X), X)
    _principal(machine, G)
    moved = mm(T(V), X) + mm(T(X), V)
    free = Machine()
    return mm(V, half_power(free, G)) + mm(X, corner(lambda Z: half_power(free, Z), G, moved))


def cofactors(minor: Callable[..., Jet], *args: Jet) -> Jet:
    """The transposed matrix of signed minors."""
    n = args[0].shape[-1]
    rows = []
    for i in range(n):
        kept = ([np.delete(np.delete(X, j, axis=-2), i, axis=-1) for X in args] for j in range(n))
        rows.append(np.concatenate([(-1) ** (i + j) * minor(*k) for j, k in enumerate(kept)], axis=-1))
    return np.concatenate(rows, axis=-2)


def adj(X: Jet) -> Jet:
    """The adjugate."""
    return _one(X) if X.shape[-1] == 1 else cofactors(leibniz, X)


def dadj(X: Jet, V: Jet) -> Jet:
    """The derivative of the adjugate along V."""
    return 0 * X if X.shape[-1] == 1 else cofactors(leibniz_along, X, V)


def leibniz_along(X: Jet, V: Jet) -> Jet:
    """The derivative of the determinant along V, by its expansion."""
    n = X.shape[-1]
    if n == 1:
        return V
    terms = []
    for i in range(n):
        x, v = (np.delete(Z, i, axis=-2)[..., 1:] for Z in (X, V))
        a, b = X[..., i : i + 1, :1], V[..., i : i + 1, :1]
        terms.append((-1) ** i * (mul(b, leibniz(x)) + mul(a, leibniz_along(x, v))))
    return sum(terms[1:], terms[0])


def leibniz(X: Jet) -> Jet:
    """The determinant by expansion along the first column."""
    n = X.shape[-1]
    if n == 1:
        return X
    terms = [(-1) ** i * mul(X[..., i : i + 1, :1], leibniz(np.delete(X, i, axis=-2)[..., 1:])) for i in range(n)]
    return sum(terms[1:], terms[0])


def matrix_function(name: str) -> Callable[[Machine, Jet], Jet]:
    if name == "expm":
        return lambda machine, X: J.expm(X)
    f = J.logm if name == "logm" else J.sqrtm
    return lambda machine, X: f(_principal(machine, X))


def frechet(machine: Machine, X: Jet, V: Jet, name: str) -> Jet:
    f = matrix_function(name)
    return corner(lambda Z: f(machine, Z), X, V)


def frechetpow(machine: Machine, X: Jet, V: Jet, k: Jet) -> Jet:
    return corner(lambda Z: real_power(machine, Z, k), X, V)


def solve(machine: Machine, A: Jet, B: Jet) -> Jet:
    return mm(inv(_regular(machine, A)), B)


def linear_equation(machine: Machine, M: Jet, C: Jet) -> Jet:
    """The X with M vec(X) = vec(C)."""
    return reshape(mm(inv(_regular(machine, M)), vec(C)), *C.shape[-2:])


def _eye(n: int, like: Jet) -> Jet:
    return constant(np.eye(n), like)


def sylvester(machine: Machine, A: Jet, B: Jet, C: Jet) -> Jet:
    m, n = C.shape[-2:]
    return linear_equation(machine, kron(_eye(n, C), A) + kron(T(B), _eye(m, C)), C)


def dlyapunov(machine: Machine, A: Jet, Q: Jet) -> Jet:
    return linear_equation(machine, _eye(len(value(A)) ** 2, A) - kron(A, A), Q)


def riccati(kind: str) -> Definition:
    """Newton's method (Kleinman 1967, Hewer 1971) from the solution at the point: each step doubles the order."""

    def solved(machine: Machine, A: Jet, B: Jet, Q: Jet, R: Jet) -> Jet:
        Q, R = 0.5 * (Q + T(Q)), 0.5 * (R + T(R))
        solver = scipy.linalg.solve_continuous_are if kind == "care" else scipy.linalg.solve_discrete_are
        try:
            P = constant(solver(*map(value, (A, B, Q, R))), A)
        except (np.linalg.LinAlgError, ValueError):
            machine.away(0.0)
            return constant(np.full(value(A).shape, np.nan), A)
        for _ in range(4):
            if kind == "care":
                K = mm(inv(_regular(machine, R)), T(B), P)
                F = T(A - mm(B, K))
                P = sylvester(machine, F, T(F), -(Q + mm(T(K), R, K)))
            else:
                K = mm(inv(_regular(machine, R + mm(T(B), P, B))), T(B), P, A)
                P = dlyapunov(machine, T(A - mm(B, K)), Q + mm(T(K), R, K))
        return P

    return solved


def logdet(machine: Machine, X: Jet) -> Jet:
    d = J.det(_regular(machine, X))
    return J.log(d * np.sign(value(d)))


def chol(machine: Machine, X: Jet) -> Jet:
    S = 0.5 * (X + T(X))
    lam = np.linalg.eigvalsh(value(S))
    machine.away(max(lam[0], 0.0), lam[-1])
    return J.chol(S) if lam[0] > 0 else S


def norm2(machine: Machine, X: Jet) -> Jet:
    return J.power(_positive(machine, total(mul(X, X), None)), 0.5)


def cossim(machine: Machine, X: Jet, Z: Jet) -> Jet:
    return mul(total(mul(X, Z), None), J.recip(mul(norm2(machine, X), norm2(machine, Z))))


def pdist2(X: Jet, Z: Jet) -> Jet:
    rows = [total(mul(d := X[..., i : i + 1, :] - Z, d), 2) for i in range(X.shape[-2])]
    return np.concatenate([T(r) for r in rows], axis=-2)


def conv(x: Jet, w: Jet) -> Jet:
    return mm(convmat(w, x.shape[-2]), x)


def cumsum(X: Jet, axis: int) -> Jet:
    return np.cumsum(X, axis=-2 if axis == 1 else -1)


def eig(which: str) -> Definition:
    def found(machine: Machine, X: Jet) -> Jet:
        lam, V = J.eigen(_real_simple(machine, X))
        return {
            "vals": lam,
            "vecs": V,
            "max": lam[..., -1:, :],
            "min": lam[..., :1, :],
            "vecmax": V[..., -1:],
            "vecmin": V[..., :1],
        }[which]

    return found


def divide(machine: Machine, A: Jet, B: Jet) -> Jet:
    machine.away(value(B))
    return mul(A, J.recip(B))


def choose(machine: Machine, A: Jet, B: Jet, C: Jet, D: Jet, relation: str) -> Jet:
    machine.away(value(A) - value(B))
    return J.where(value(A) > value(B), C, D)


def log_of(machine: Machine, X: Jet) -> Jet:
    return J.log(_positive(machine, X))


def swish(X: Jet, *_: Any) -> Jet:
    return mul(X, sigmoid(X))


# ------------------------------------------------------------------------------------------------ matrices of numbers


def comm(m: int, n: int) -> np.ndarray:
    K = np.zeros((m * n, m * n))
    for i in range(m):
        for j in range(n):
            K[i * n + j, j * m + i] = 1
    return K


def dsel(n: int) -> np.ndarray:
    S = np.zeros((n * n, n))
    S[np.arange(n) * (n + 1), np.arange(n)] = 1
    return S


def dup(n: int) -> np.ndarray:
    D = np.zeros((n * n, n * (n + 1) // 2))
    for k, (i, j) in enumerate(lower(n)):
        D[j * n + i, k] = D[i * n + j, k] = 1
    return D


def elim(n: int) -> np.ndarray:
    L = np.zeros((n * (n + 1) // 2, n * n))
    for k, (i, j) in enumerate(lower(n)):
        L[k, j * n + i] = 1
    return L


def toep(n: int) -> np.ndarray:
    M = np.zeros((n * n, 2 * n - 1))
    for i in range(n):
        for j in range(n):
            M[j * n + i, j - i + n - 1] = 1
    return M


def symtoep(n: int) -> np.ndarray:
    M = np.zeros((n * n, n))
    for i in range(n):
        for j in range(n):
            M[j * n + i, abs(i - j)] = 1
    return M


def skewdup(n: int) -> np.ndarray:
    M = np.zeros((n * n, n * (n - 1) // 2))
    for k, (i, j) in enumerate([(i, j) for i, j in lower(n) if i > j]):
        M[j * n + i, k], M[i * n + j, k] = 1, -1
    return M


LEAVES: dict[str, Callable[..., np.ndarray]] = {
    "number": lambda c: np.full((1, 1), float(c)),
    "ones": lambda m, n: np.ones((m, n)),
    "zeros": lambda m, n: np.zeros((m, n)),
    "eye": np.eye,
    "comm": comm,
    "dsel": dsel,
    "dup": dup,
    "elim": elim,
    "toep": toep,
    "symtoep": symtoep,
    "skewdup": skewdup,
}

TABLE: dict[str, Definition] = {
    "add": _plain(lambda *terms: sum(terms[1:], terms[0])),
    "scale": _plain(lambda *factors: reduce(mul, factors)),
    "hadamard": _plain(lambda *factors: reduce(mul, factors)),
    "matmul": _plain(mm),
    "divide": divide,
    "broadcast": _plain(lambda X, m, n: np.broadcast_to(X, (*X.shape[:2], m, n)).copy()),
    "named": _plain(lambda X, *_: X),
    "transpose": _plain(T),
    "power": general_power,
    "matpow": real_power,
    "exp": _plain(J.exp),
    "expm1": _plain(lambda X: J.exp(X) - _one(X)),
    "log": log_of,
    "log1p": lambda machine, X: log_of(machine, _one(X) + X),
    "sqrt": lambda machine, X: J.power(_positive(machine, X), 0.5),
    "sin": _plain(J.sin),
    "cos": _plain(J.cos),
    "tan": lambda machine, X: divide(machine, J.sin(X), J.cos(X)),
    "sinh": _plain(lambda X: 0.5 * (J.exp(X) - J.exp(-X))),
    "cosh": _plain(lambda X: 0.5 * (J.exp(X) + J.exp(-X))),
    "tanh": _plain(tanh),
    "arcsin": arcsin,
    "arccos": lambda machine, X: _one(X, np.pi / 2) - arcsin(machine, X),
    "arctan": _plain(J.arctan),
    "arcsinh": _plain(arcsinh),
    "arccosh": arccosh,
    "arctanh": arctanh,
    "erf": _plain(J.erf),
    "erfc": _plain(lambda X: _one(X) - J.erf(X)),
    "gammaln": lambda machine, X: J.polygamma(-1, _positive(machine, X)),
    "digamma": lambda machine, X: J.polygamma(0, _positive(machine, X)),
    "polygamma": lambda machine, X, order: J.polygamma(order, _positive(machine, X)),
    "sigmoid": _plain(sigmoid),
    "softplus": _plain(softplus),
    "logsigmoid": _plain(lambda X: -softplus(-X)),
    "silu": _plain(swish),
    "func": _plain(swish),
    "gelu": _plain(lambda X: mul(X, normcdf(X))),
    "normcdf": _plain(normcdf),
    "normpdf": _plain(normpdf),
    "normlogcdf": _plain(lambda X: J.log(normcdf(X))),
    "normratio": _plain(lambda X: mul(normpdf(X), J.recip(normcdf(X)))),
    "log1mexp": lambda machine, X: log_of(machine, _one(X) - J.exp(-X)),
    "logit": logit,
    "softsign": lambda machine, X: mul(X, J.recip(_one(X) + absolute(machine, X))),
    "abs": absolute,
    "sign": lambda machine, X: constant(np.where(_split(machine, X), 1.0, -1.0), X),
    "step": lambda machine, X: constant(np.where(_split(machine, X), 1.0, 0.0), X),
    "relu": lambda machine, X: J.where(_split(machine, X), X, 0 * X),
    "leakyrelu": lambda machine, X, slope: J.where(_split(machine, X), X, slope * X),
    "elu": elu,
    "selu": selu,
    "huber": huber,
    "hardtanh": hardtanh,
    "maximum": lambda machine, A, B: choose(machine, A, B, A, B, ">"),
    "minimum": lambda machine, A, B: choose(machine, A, B, B, A, ">"),
    "where": choose,
    "sum": _plain(total),
    "mean": _plain(mean),
    "var": _plain(var),
    "std": std,
    "standardize": standardize,
    "max": extreme(1),
    "min": extreme(-1),
    "prod": _plain(prod),
    "prodothers": _plain(prodothers),
    "dprodothers": _plain(dprodothers),
    "prodothersform": _plain(lambda X, axis, order: form(lambda Z, V: dprodothers(Z, V, axis), X)),
    "cumsum": _plain(cumsum),
    "softmax": _plain(softmax),
    "log_softmax": _plain(lambda X, axis: X - logsumexp(X, axis)),
    "logsumexp": _plain(logsumexp),
    "cross_entropy": lambda machine, Y, P: -total(mul(Y, log_of(machine, P)), None),
    "mse": _plain(lambda A, B: mean(mul(A - B, A - B), None)),
    "cossim": cossim,
    "pdist2": _plain(pdist2),
    "conv": _plain(conv),
    "convmat": _plain(convmat),
    "norm1": lambda machine, X: total(absolute(machine, X), None),
    "norm2": norm2,
    "normnuc": lambda machine, X: total(singvals(machine, X), None),
    "normspec": lambda machine, X: singvals(machine, X)[..., :1, :],
    "singvals": singvals,
    "pinv": pinv,
    "polar": polar,
    "dpolar": dpolar,
    "dpolarform": lambda machine, X: form(lambda Z, V: dpolar(machine, Z, V), X),
    "tr": _plain(J.trace),
    "det": lambda machine, X: J.det(_regular(machine, X)),
    "logdet": logdet,
    "inv": lambda machine, X: inv(_regular(machine, X)),
    "solve": solve,
    "sylvester": sylvester,
    "lyapunov": lambda machine, A, Q: sylvester(machine, A, T(A), Q),
    "dlyapunov": dlyapunov,
    "care": riccati("care"),
    "dare": riccati("dare"),
    "adj": _plain(adj),
    "dadj": _plain(dadj),
    "dadjform": _plain(lambda X, order: form(dadj, X)),
    "chol": chol,
    "expm": matrix_function("expm"),
    "logm": matrix_function("logm"),
    "sqrtm": matrix_function("sqrtm"),
    "frechet": frechet,
    "frechetform": lambda machine, X, name: form(lambda Z, V: frechet(machine, Z, V, name), X),
    "frechetpow": frechetpow,
    "frechetpowform": lambda machine, X, k: form(lambda Z, V: frechetpow(machine, Z, V, k), X),
    "eigvals": eig("vals"),
    "eigvecs": eig("vecs"),
    "eigmax": eig("max"),
    "eigmin": eig("min"),
    "eigvecmax": eig("vecmax"),
    "eigvecmin": eig("vecmin"),
    "kron": _plain(kron),
    "outer": _plain(lambda u, v: mm(u, T(v))),
    "quadform": _plain(lambda x, A: mm(T(x), A, x)),
    "blockinner": _plain(blockinner),
    "blocksum": _plain(blocksum),
    "block": _plain(block),
    "place": _plain(place),
    "slice": _plain(lambda X, row, last, column, end: X[..., row - 1 : last, column - 1 : end]),
    "vec": _plain(vec),
    "reshape": _plain(reshape),
    "diag": _plain(diag),
    "diagvec": _plain(diagvec),
    "vech": _plain(vech),
    "unvech": _plain(unvech),
    "diagsums": _plain(diagsums),
    "tril": _plain(np.tril),
    "triu": _plain(np.triu),
}
