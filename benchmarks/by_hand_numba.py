"""The workloads by hand for Numba: loops over entries, products by NumPy's names, which Numba passes to SciPy's BLAS.

The functions are plain Python here; `in_numba` compiles the one that is asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from workload import Arrays, Problem

# mypy: disable-error-code="no-untyped-def"


def logistic_gradient(X, y, w):
    t = X @ w
    for i in range(len(t)):
        t[i, 0] = -y[i, 0] / (1 + np.exp(y[i, 0] * t[i, 0]))
    return (X.T @ t,)


def logistic_hessian(X, y, w):
    t = X @ w
    Z = np.empty_like(X)
    for i in range(X.shape[0]):
        e = np.exp(-abs(t[i, 0]))
        s = np.sqrt(e) / (1 + e)
        for j in range(X.shape[1]):
            Z[i, j] = s * X[i, j]
    return (Z.T @ Z,)


def softmax_hessian(X, Y, W):
    P = X @ W
    n, c = P.shape
    p = X.shape[1]
    for i in range(n):
        top = P[i].max()
        total = 0.0
        for j in range(c):
            P[i, j] = np.exp(P[i, j] - top)
            total += P[i, j]
        for j in range(c):
            P[i, j] /= total
    H = np.empty((c * p, c * p))
    weighted = np.empty_like(X)
    for i in range(c):
        for j in range(i, c):
            for t in range(n):
                weight = P[t, i] * ((i == j) - P[t, j])
                for k in range(p):
                    weighted[t, k] = weight * X[t, k]
            block = X.T @ weighted
            H[i * p : (i + 1) * p, j * p : (j + 1) * p] = block
            H[j * p : (j + 1) * p, i * p : (i + 1) * p] = block
    return (H,)


def factorisation_gradient(U, V, T):
    G = U @ (V.T @ V)
    B = T @ V
    for i in range(G.shape[0]):
        for j in range(G.shape[1]):
            G[i, j] = 2 * (G[i, j] - B[i, j])
    H = V @ (U.T @ U)
    C = T.T @ U
    for i in range(H.shape[0]):
        for j in range(H.shape[1]):
            H[i, j] = 2 * (H[i, j] - C[i, j])
    return G, H


def factorisation_hessian(U, V, T):
    m, k = U.shape
    A = V.T @ V
    H = np.zeros((k * m, k * m))
    for i in range(k):
        for t in range(m):
            for j in range(k):
                H[i * m + t, j * m + t] = 2 * A[i, j]
    return (H,)


def gaussian_gradient(S, X):
    P = np.linalg.inv(S)
    B = X @ P
    G = B.T @ B
    for i in range(G.shape[0]):
        for j in range(G.shape[1]):
            G[i, j] = (len(X) * P[i, j] - G[i, j]) / 2
    return (G,)


def hidden_layer_gradient(X, Y, W1, b1, W2, b2):
    h = X @ W1
    n, q = h.shape
    for i in range(n):
        for j in range(q):
            h[i, j] = 1 / (1 + np.exp(-(h[i, j] + b1[0, j])))
    D = h @ W2
    c = D.shape[1]
    g1, g2 = np.zeros((1, q)), np.zeros((1, c))
    for i in range(n):
        top = -np.inf
        for j in range(c):
            D[i, j] += b2[0, j]
            top = max(top, D[i, j])
        total = 0.0
        for j in range(c):
            D[i, j] = np.exp(D[i, j] - top)
            total += D[i, j]
        for j in range(c):
            D[i, j] = D[i, j] / total - Y[i, j]
            g2[0, j] += D[i, j]
    G2 = h.T @ D
    R = D @ W2.T
    for i in range(n):
        for j in range(q):
            R[i, j] *= h[i, j] * (1 - h[i, j])
            g1[0, j] += R[i, j]
    return X.T @ R, g1, G2, g2


def deep_gradient(h0, Y, *weights):
    count = len(weights)
    hidden = np.empty((count, *h0.shape))
    h = h0
    for k in range(count):
        np.dot(h, weights[k], hidden[k])
        h = hidden[k]
        for i in range(h.shape[0]):
            for j in range(h.shape[1]):
                h[i, j] = np.tanh(h[i, j])
    D = h - Y
    found = np.empty((count, *weights[0].shape))
    for k in range(count - 1, -1, -1):
        h = hidden[k]
        for i in range(h.shape[0]):
            for j in range(h.shape[1]):
                D[i, j] *= 1 - h[i, j] * h[i, j]
        before = h0 if k == 0 else hidden[k - 1]
        np.dot(before.T, D, found[k])
        if k > 0:
            D = D @ weights[k].T
    return found


def batch_norm_gradient(X, Y, G1, gamma, beta, G2):
    Z = X @ G1
    n, q = Z.shape
    mean, s = np.zeros(q), np.zeros(q)
    for i in range(n):
        for j in range(q):
            mean[j] += Z[i, j] / n
    for i in range(n):
        for j in range(q):
            Z[i, j] -= mean[j]
            s[j] += Z[i, j] * Z[i, j]
    for j in range(q):
        s[j] = 1 / np.sqrt(s[j] / n)
    V = np.empty_like(Z)
    for i in range(n):
        for j in range(q):
            Z[i, j] *= s[j]
            V[i, j] = max(Z[i, j] * gamma[0, j] + beta[0, j], 0.0)
    e = V @ G2
    for i in range(n):
        for j in range(e.shape[1]):
            e[i, j] = -2 / n * (Y[i, j] - e[i, j])
    H2 = V.T @ e
    D = e @ G2.T
    g, b = np.zeros((1, q)), np.zeros((1, q))
    for i in range(n):
        for j in range(q):
            D[i, j] = D[i, j] if V[i, j] > 0 else 0.0
            g[0, j] += D[i, j] * Z[i, j]
            b[0, j] += D[i, j]
    for i in range(n):
        for j in range(q):
            D[i, j] = (D[i, j] - b[0, j] / n - Z[i, j] * (g[0, j] / n)) * (gamma[0, j] * s[j])
    return X.T @ D, g, b, H2


def attention_gradient(X, Wq, Wk, Wv):
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    root = 1 / np.sqrt(Q.shape[1])
    P = Q @ K.T
    n = len(P)
    for i in range(n):
        top = -np.inf
        for j in range(n):
            P[i, j] *= root
            top = max(top, P[i, j])
        total = 0.0
        for j in range(n):
            P[i, j] = np.exp(P[i, j] - top)
            total += P[i, j]
        for j in range(n):
            P[i, j] /= total
    O = P @ V
    D = O @ V.T
    for i in range(n):
        square = 0.0
        for j in range(O.shape[1]):
            square += O[i, j] * O[i, j]
        for j in range(n):
            D[i, j] = (D[i, j] - square) * P[i, j] * root
    return X.T @ (D @ K), X.T @ (D.T @ Q), X.T @ (P.T @ O)


BY_HAND: dict[str, Callable[..., Any]] = {
    "logistic gradient": logistic_gradient,
    "logistic Hessian": logistic_hessian,
    "softmax regression Hessian": softmax_hessian,
    "factorisation gradient": factorisation_gradient,
    "factorisation Hessian": factorisation_hessian,
    "Gaussian gradient": gaussian_gradient,
    "hidden layer gradient": hidden_layer_gradient,
    "ten layers gradient": deep_gradient,
    "batch norm gradient": batch_norm_gradient,
    "attention gradient": attention_gradient,
}


def in_numba(problem: Problem, arrays: Arrays) -> Callable[[], Any]:
    """A call of the compiled function by hand; the results by name."""
    made = importlib.import_module("numba").njit(fastmath=True)(BY_HAND[problem.name])
    values = tuple(arrays.values())
    return lambda: dict(zip(problem.wrt, made(*values)))
