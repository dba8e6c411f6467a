"""Matrices of numbers from their definitions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .arrangements import lower


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
