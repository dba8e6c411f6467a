"""Networks and attention: text for matcalc, careful hand-written NumPy, a forward pass for autodiff.

The hand-written functions use the forms that were measured to be fast: owned buffers written in place, products in the
cheapest order, syrk for `Z' Z`, no diagonal, Kronecker or identity matrix built. They return arrays by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from workload import Arrays, Problem

# ------------------------------------------------------------------------------------------------ one hidden layer

HIDDEN_LAYER = """
X: n x p
Y: n x c row-stochastic
W1: p x q
b1: 1 x q
W2: q x c
b2: 1 x c
r = X*W1 + b1
h = sigmoid(r)
theta = h*W2 + b2
yhat = softmax(theta, 2)
-sum(Y .* log(yhat))
"""


def _hidden_layer_inputs(n: int, p: int, q: int, c: int) -> Callable[[np.random.Generator], Arrays]:
    def make(rng: np.random.Generator) -> Arrays:
        return {
            "X": rng.normal(size=(n, p)),
            "Y": np.eye(c)[rng.integers(c, size=n)],
            "W1": rng.normal(size=(p, q)) / np.sqrt(p),
            "b1": rng.normal(size=(1, q)),
            "W2": rng.normal(size=(q, c)) / np.sqrt(q),
            "b2": rng.normal(size=(1, c)),
        }

    return make


def _hidden_layer_pass(X, W1, b1, W2, b2):  # type: ignore[no-untyped-def]
    h = X @ W1
    h += b1
    np.negative(h, out=h)
    with np.errstate(over="ignore"):
        np.exp(h, out=h)
    h += 1
    np.reciprocal(h, out=h)
    theta = (W2.T @ h.T).T
    theta += b2
    theta -= theta.max(axis=1, keepdims=True)
    return h, theta


def hidden_layer_value(X, Y, W1, b1, W2, b2):  # type: ignore[no-untyped-def]
    _, theta = _hidden_layer_pass(X, W1, b1, W2, b2)
    return np.log(np.exp(theta).sum(axis=1)).sum() - np.vdot(Y, theta)


def hidden_layer_gradient(X, Y, W1, b1, W2, b2):  # type: ignore[no-untyped-def]
    h, D = _hidden_layer_pass(X, W1, b1, W2, b2)
    np.exp(D, out=D)
    D /= D.sum(axis=1, keepdims=True)
    D -= Y
    R = D @ W2.T
    R *= h
    g = {"W2": h.T @ D, "b2": D.sum(axis=0, keepdims=True)}
    np.subtract(1, h, out=h)
    R *= h
    return {"W1": X.T @ R, "b1": np.ones((1, len(X))) @ R, **g}


def hidden_layer_forward(np_, X, Y, W1, b1, W2, b2):  # type: ignore[no-untyped-def]
    h = 1 / (1 + np_.exp(-(X @ W1 + b1)))
    theta = h @ W2 + b2
    top = np_.amax(theta, 1)[:, None]
    return np_.sum(np_.log(np_.sum(np_.exp(theta - top), 1))) + np_.sum(top) - np_.sum(Y * theta)


# ------------------------------------------------------------------------------------------------ deep network


LAYERS, INNER = 10, 5


def deep_source(layers: int, free: str | None = None) -> str:
    lines = ["h0: n x p", "Y: n x p"]
    lines += [f"W{k}: p x p{'' if free in (None, f'W{k}') else ' constant'}" for k in range(1, layers + 1)]
    lines += [f"h{k} = tanh(h{k - 1}*W{k})" for k in range(1, layers + 1)]
    return "\n".join([*lines, f"e = h{layers} - Y", "sum(e.*e)/2"])


def _deep_inputs(n: int, p: int, layers: int = LAYERS) -> Callable[[np.random.Generator], Arrays]:
    def make(rng: np.random.Generator) -> Arrays:
        weights = {f"W{k}": rng.normal(size=(p, p)) / np.sqrt(p) for k in range(1, layers + 1)}
        return {"h0": rng.normal(size=(n, p)), "Y": rng.normal(size=(n, p)), **weights}

    return make


def deep_value(h0, Y, *weights):  # type: ignore[no-untyped-def]
    h = h0
    for W in weights:
        h = h @ W
        np.tanh(h, out=h)
    h -= Y
    return np.vdot(h, h) / 2


def deep_gradient(h0, Y, *weights):  # type: ignore[no-untyped-def]
    hidden = [h0]
    for W in weights:
        h = hidden[-1] @ W
        hidden.append(np.tanh(h, out=h))
    D = hidden[-1] - Y
    found = {}
    for k in range(len(weights), 0, -1):
        h = hidden[k]
        np.square(h, out=h)
        np.subtract(1, h, out=h)
        D *= h
        found[f"W{k}"] = hidden[k - 1].T @ D
        if k > 1:
            D = D @ weights[k - 1].T
    return found


def deep_hessian(h0, Y, *weights):  # type: ignore[no-untyped-def]
    hidden = [h0]
    for W in weights:
        h = hidden[-1] @ W
        hidden.append(np.tanh(h, out=h))
    h = hidden[-1]
    n, p = h.shape
    s, D = 1 - h * h, h - Y
    d = s * s - 2 * D * h * s
    M = np.zeros((n, p, p))
    np.einsum("sii->si", M)[...] = d
    for k in range(len(weights), INNER, -1):
        W = weights[k - 1]
        M = (W * d[:, None, :]) @ W.T if k == len(weights) else W @ M @ W.T
        D = (D * s) @ W.T
        h = hidden[k - 1]
        s = 1 - h * h
        M *= s[:, :, None]
        M *= s[:, None, :]
        np.einsum("sii->si", M)[...] -= 2 * D * h * s
    x = hidden[INNER - 1]
    H = np.empty((p * p, p * p))
    for i in range(p):
        np.matmul(x.T, (M[:, i, :, None] * x[:, None, :]).reshape(n, -1), out=H[i * p : (i + 1) * p])
    return {f"W{INNER}": H}


def deep_forward(np_, h0, Y, *weights):  # type: ignore[no-untyped-def]
    h = h0
    for W in weights:
        h = np_.tanh(h @ W)
    return np_.sum((h - Y) ** 2) / 2


# ------------------------------------------------------------------------------------------------ batch normalisation

BATCH_NORM = """
X: N x p
Y: N x c
G1: p x q
gamma: 1 x q
beta: 1 x q
G2: q x c
Z = X*G1
Zh = standardize(Z, 1)
B = gamma .* Zh + beta
V = relu(B)
e = Y - V*G2
sum(e.^2)/N
"""


def _batch_norm_inputs(n: int, p: int, q: int, c: int) -> Callable[[np.random.Generator], Arrays]:
    return lambda rng: {
        "X": rng.normal(size=(n, p)),
        "Y": rng.normal(size=(n, c)),
        "G1": rng.normal(size=(p, q)),
        "gamma": rng.normal(size=(1, q)),
        "beta": rng.normal(size=(1, q)),
        "G2": rng.normal(size=(q, c)) / np.sqrt(q),
    }


def _batch_norm_pass(X, Y, G1, gamma, beta, G2):  # type: ignore[no-untyped-def]
    Z = X @ G1
    Z -= Z.mean(axis=0, keepdims=True)
    s = np.sqrt(np.einsum("ij,ij->j", Z, Z)[None, :] / len(X))
    Z /= s
    V = Z * gamma
    V += beta
    np.maximum(V, 0, out=V)
    e = V @ G2
    np.subtract(Y, e, out=e)
    return Z, s, V, e


def batch_norm_value(*arrays):  # type: ignore[no-untyped-def]
    e = _batch_norm_pass(*arrays)[-1]
    return np.vdot(e, e) / len(e)


def batch_norm_gradient(X, Y, G1, gamma, beta, G2):  # type: ignore[no-untyped-def]
    n = len(X)
    Z, s, V, e = _batch_norm_pass(X, Y, G1, gamma, beta, G2)
    e *= -2 / n
    D = e @ G2.T
    D *= V > 0
    found = {
        "G2": V.T @ e,
        "gamma": np.einsum("ij,ij->j", D, Z)[None, :],
        "beta": D.sum(axis=0, keepdims=True),
    }
    np.multiply(Z, found["gamma"] / n, out=Z)
    D -= found["beta"] / n
    D -= Z
    D *= gamma / s
    return {"G1": X.T @ D, **found}


def batch_norm_forward(np_, X, Y, G1, gamma, beta, G2):  # type: ignore[no-untyped-def]
    Z = X @ G1
    Z = Z - np_.sum(Z, 0) / X.shape[0]
    Z = Z / np_.sqrt(np_.sum(Z * Z, 0) / X.shape[0])
    B = gamma * Z + beta
    e = Y - (B * (B > 0)) @ G2
    return np_.sum(e * e) / X.shape[0]


# ------------------------------------------------------------------------------------------------ attention

ATTENTION = """
X: n x d
Wq: d x k
Wk: d x k
Wv: d x k
Q = X*Wq
K = X*Wk
V = X*Wv
P = softmax(Q*K'/sqrt(k), 2)
O = P*V
sum(O.*O)/2
"""


def _attention_inputs(n: int, d: int) -> Callable[[np.random.Generator], Arrays]:
    return lambda rng: {
        "X": rng.normal(size=(n, d)),
        **{name: rng.normal(size=(d, d)) / np.sqrt(d) for name in ("Wq", "Wk", "Wv")},
    }


def _attention_pass(X, Wq, Wk, Wv):  # type: ignore[no-untyped-def]
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    Q /= np.sqrt(Q.shape[1])
    P = Q @ K.T
    P -= P.max(axis=1, keepdims=True)
    np.exp(P, out=P)
    P /= P.sum(axis=1, keepdims=True)
    return Q, K, V, P, P @ V


def attention_value(*arrays):  # type: ignore[no-untyped-def]
    O = _attention_pass(*arrays)[-1]
    return np.vdot(O, O) / 2


def attention_gradient(X, Wq, Wk, Wv):  # type: ignore[no-untyped-def]
    Q, K, V, P, O = _attention_pass(X, Wq, Wk, Wv)
    D = O @ V.T
    D -= np.einsum("ij,ij->i", O, O)[:, None]
    dV = P.T @ O
    D *= P
    dQ = D @ K
    dQ /= np.sqrt(Q.shape[1])
    return {"Wq": X.T @ dQ, "Wk": X.T @ (D.T @ Q), "Wv": X.T @ dV}


def attention_forward(np_, X, Wq, Wk, Wv):  # type: ignore[no-untyped-def]
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    A = (Q @ K.T) / Wq.shape[1] ** 0.5
    P = np_.exp(A - np_.amax(A, 1)[:, None])
    P = P / np_.sum(P, 1)[:, None]
    O = P @ V
    return np_.sum(O * O) / 2


# ------------------------------------------------------------------------------------------------ problems

HIDDEN_LAYER_GRADIENT = Problem(
    *("hidden layer gradient", HIDDEN_LAYER, ("W1", "b1", "W2", "b2"), "gradient"),
    *(_hidden_layer_inputs, hidden_layer_gradient, hidden_layer_value, hidden_layer_forward),
)

TEN_LAYERS_GRADIENT = Problem(
    *("ten layers gradient", deep_source(LAYERS), tuple(f"W{k}" for k in range(1, LAYERS + 1)), "gradient"),
    *(_deep_inputs, deep_gradient, deep_value, deep_forward),
)
TEN_LAYERS_HESSIAN = replace(
    TEN_LAYERS_GRADIENT,
    name=f"ten layers Hessian of W{INNER}",
    source=deep_source(LAYERS, f"W{INNER}"),
    wrt=(f"W{INNER}",),
    kind="hessian",
    by_hand=deep_hessian,
)
BATCH_NORM_GRADIENT = Problem(
    *("batch norm gradient", BATCH_NORM, ("G1", "gamma", "beta", "G2"), "gradient"),
    *(_batch_norm_inputs, batch_norm_gradient, batch_norm_value, batch_norm_forward),
)
ATTENTION_GRADIENT = Problem(
    *("attention gradient", ATTENTION, ("Wq", "Wk", "Wv"), "gradient"),
    *(_attention_inputs, attention_gradient, attention_value, attention_forward),
)
