"""Directions inside structured sets of matrices, and their independent entries, for the numeric check."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def _along_diagonals(V: Array) -> Array:
    """The Toeplitz matrix with the first row and the first column of V."""
    n = len(V)
    return np.array([[V[0, j - i] if j >= i else V[i - j, 0] for j in range(n)] for i in range(n)])


def _by_distance(V: Array) -> Array:
    n = len(V)
    return np.array([[V[0, abs(i - j)] for j in range(n)] for i in range(n)])


# A direction in the tangent space at X, from a free matrix V.
_TANGENT: dict[str, Callable[[Array, Array], Array]] = {
    "symmetric": lambda V, X: (V + V.T) / 2,
    "skew": lambda V, X: _skew(V),
    "diagonal": lambda V, X: V * np.eye(len(V)),
    "lower": lambda V, X: np.tril(V),
    "upper": lambda V, X: np.triu(V),
    "toeplitz": lambda V, X: _along_diagonals(V),
    "symmetric-toeplitz": lambda V, X: _by_distance(V),
    "orthogonal": lambda V, X: X @ _skew(V),
}


def direction(rng: np.random.Generator, X: Array, kind: str) -> Array:
    """A random direction at X inside the structured set; any direction for `none`."""
    V = rng.normal(size=X.shape)
    return V if kind == "none" else np.asarray(_TANGENT[kind](V, X))


def projected(G: Array, X: Array, kind: str) -> Array:
    """G where it is a direction of the structured set at X; something else where it leaves the set."""
    return np.asarray(X @ _skew(X.T @ G) if kind == "orthogonal" else _TANGENT[kind](G, X))


def _skew(V: Array) -> Array:
    return (V - V.T) / 2


def independent(V: Array, kind: str) -> Array:
    """The direction at one representative of each independent entry, 0 elsewhere."""
    if kind in ("symmetric", "skew"):
        return np.triu(V)
    first = np.zeros_like(V)
    if kind in ("toeplitz", "symmetric-toeplitz"):
        first[0] = V[0]
        if kind == "toeplitz":
            first[1:, 0] = V[1:, 0]
        return first
    return V
