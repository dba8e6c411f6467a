"""How entries are arranged: vec, blocks, triangles, convolutions, Kronecker products; on jets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import jets as J  # noqa: N812  (its names stand in formulas)
from .jets import Jet, T, constant, mm, mul, total


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


def form(f: Callable[[Jet, Jet], Jet], X: Jet) -> Jet:
    """The matrix on vec of V -> f(X, V)."""
    m, n = X.shape[-2:]
    columns = []
    for k in range(m * n):
        E = np.zeros(m * n)
        E[k] = 1
        columns.append(vec(f(X, constant(E.reshape(m, n, order="F"), X))))
    return np.concatenate(columns, axis=-1)


def pdist2(X: Jet, Z: Jet) -> Jet:
    rows = [total(mul(d := X[..., i : i + 1, :] - Z, d), 2) for i in range(X.shape[-2])]
    return np.concatenate([T(r) for r in rows], axis=-2)


def conv(x: Jet, w: Jet) -> Jet:
    return mm(convmat(w, x.shape[-2]), x)
