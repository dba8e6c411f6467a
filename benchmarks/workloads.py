"""The workloads of the runtime benchmark: text for matcalc, careful hand-written NumPy, a forward pass for autodiff.

The hand-written functions use the forms that were measured to be fast: owned buffers written in place, products in the
cheapest order, syrk for `Z' Z`, no diagonal, Kronecker or identity matrix built. They return arrays by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import lapack

Arrays = dict[str, Any]


@dataclass(frozen=True)
class Workload:
    """One derivative at one size.

    Attributes:
        name: with the size.
        group: "gradient", "hessian" or "small".
        source: the function in the text syntax.
        wrt: the variables.
        kind: of the generated function.
        inputs: makes the arrays.
        by_hand: the same derivative in NumPy, a dict of arrays.
        value_by_hand: the forward pass in NumPy.
        forward: the function for autodiff, of (library, *arrays in the order of the inputs).
    """

    name: str
    group: str
    source: str
    wrt: tuple[str, ...]
    kind: str
    inputs: Callable[[np.random.Generator], Arrays]
    by_hand: Callable[..., Arrays]
    value_by_hand: Callable[..., float]
    forward: Callable[..., Any]


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


def factorisation_forward(np_, U, V, T):  # type: ignore[no-untyped-def]
    E = U @ V.T - T
    return np_.sum(E * E)


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


def _deep_source(layers: int, free: str | None = None) -> str:
    lines = ["h0: n x p", "Y: n x p"]
    lines += [f"W{k}: p x p{'' if free in (None, f'W{k}') else ' constant'}" for k in range(1, layers + 1)]
    lines += [f"h{k} = tanh(h{k - 1}*W{k})" for k in range(1, layers + 1)]
    return "\n".join([*lines, f"e = h{layers} - Y", "sum(e.*e)/2"])


def _deep_inputs(n: int, p: int, layers: int) -> Callable[[np.random.Generator], Arrays]:
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
    P = np.linalg.inv(S)
    B = X @ P
    G = B.T @ B
    P *= len(X)
    P -= G
    P /= 2
    return {"S": P}


def gaussian_forward(np_, S, X):  # type: ignore[no-untyped-def]
    return X.shape[0] / 2 * np_.linalg.slogdet(S)[1] + np_.sum(np_.linalg.solve(S, X.T) * X.T) / 2


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


# ------------------------------------------------------------------------------------------------ the list


def _deep_weights(layers: int) -> tuple[str, ...]:
    return tuple(f"W{k}" for k in range(1, layers + 1))


def workloads(quick: bool = False) -> list[Workload]:
    """All workloads; `quick` leaves out the large sizes."""
    found = []

    def put(name: str, group: str, *rest: Any, large: bool = False) -> None:
        if not (quick and large):
            found.append(Workload(name, group, *rest))

    for n, k in ((64, 32), (5000, 200), (4000, 2000)):
        group = "small" if n < 100 else "gradient"
        args = (_logistic_inputs(n, k), logistic_gradient, logistic_value, logistic_forward)
        put(f"logistic gradient {n}x{k}", group, LOGISTIC, ("w",), "gradient", *args, large=n * k > 10**6)
    for n, k in ((64, 32), (5000, 200), (2000, 1000)):
        group = "small" if n < 100 else "hessian"
        args = (_logistic_inputs(n, k), logistic_hessian, logistic_value, logistic_forward)
        put(f"logistic Hessian {n}x{k}", group, LOGISTIC, ("w",), "hessian", *args, large=n * k > 10**6)
    for m, n, k in ((32, 32, 4), (100, 80, 5), (500, 400, 10), (2000, 1500, 50)):
        group = "small" if m < 50 else "gradient"
        rest = (_factorisation_inputs(m, n, k), factorisation_gradient, factorisation_value, factorisation_forward)
        name = f"factorisation gradient {m}x{n}, k = {k}"
        put(name, group, FACTORISATION, ("U", "V"), "gradient", *rest, large=m > 1000)
    for m, k in ((100, 5), (300, 5)):
        rest = (_factorisation_inputs(m, m, k), factorisation_hessian, factorisation_value, factorisation_forward)
        put(
            f"factorisation Hessian {m}x{m}, k = {k}", "hessian", FACTORISATION, ("U",), "hessian", *rest, large=m > 200
        )
    for n in (32, 256, 1024, 4096):
        rest = (_hidden_layer_inputs(n, 784, 256, 10), hidden_layer_gradient, hidden_layer_value, hidden_layer_forward)
        name = f"hidden layer gradient, batch {n}"
        put(name, "gradient", HIDDEN_LAYER, ("W1", "b1", "W2", "b2"), "gradient", *rest, large=n > 300)
    rest = (_hidden_layer_inputs(32, 32, 32, 10), hidden_layer_gradient, hidden_layer_value, hidden_layer_forward)
    put("hidden layer gradient 32x32", "small", HIDDEN_LAYER, ("W1", "b1", "W2", "b2"), "gradient", *rest)
    for n, p in ((32, 32), (256, 256)):
        group = "small" if n < 100 else "gradient"
        rest = (_deep_inputs(n, p, 10), deep_gradient, deep_value, deep_forward)
        put(f"ten layers gradient {n}x{p}", group, _deep_source(10), _deep_weights(10), "gradient", *rest)
    for n, p, q, c in ((32, 32, 32, 4), (2048, 256, 256, 10)):
        group = "small" if n < 100 else "gradient"
        rest = (_batch_norm_inputs(n, p, q, c), batch_norm_gradient, batch_norm_value, batch_norm_forward)
        put(f"batch norm gradient {n}x{p}", group, BATCH_NORM, ("G1", "gamma", "beta", "G2"), "gradient", *rest)
    for rows, n in ((64, 32), (1000, 100), (2000, 500)):
        group = "small" if n < 50 else "gradient"
        rest = (_gaussian_inputs(rows, n), gaussian_gradient, gaussian_value, gaussian_forward)
        put(f"Gaussian gradient {rows}x{n}", group, GAUSSIAN, ("S",), "gradient", *rest, large=n > 200)
    for n, d in ((32, 32), (512, 64), (2048, 64)):
        group = "small" if n < 50 else "gradient"
        rest = (_attention_inputs(n, d), attention_gradient, attention_value, attention_forward)
        put(f"attention gradient {n}x{d}", group, ATTENTION, ("Wq", "Wk", "Wv"), "gradient", *rest, large=n > 1000)
    return found


def called(function: Callable[..., Any], arrays: Mapping[str, Any]) -> Callable[[], Any]:
    """The call of a hand-written function, whose arguments are the inputs in order."""
    values = tuple(arrays.values())
    return lambda: function(*values)
