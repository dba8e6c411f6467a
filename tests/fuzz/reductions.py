"""Sums, means, products and extremes along an axis, on jets."""

from __future__ import annotations

from functools import reduce

import numpy as np

from . import jets as J  # noqa: N812  (its names stand in formulas)
from .jets import Jet, T, constant, mul, total, value
from .machine import Definition, Machine, one, positive


def count(X: Jet, axis: int | None) -> float:
    m, n = X.shape[-2:]
    return float(m * n if axis is None else m if axis == 1 else n)


def mean(X: Jet, axis: int | None) -> Jet:
    return total(X, axis) / count(X, axis)


def var(X: Jet, axis: int | None, ddof: int) -> Jet:
    centred = X - mean(X, axis)
    return total(mul(centred, centred), axis) / (count(X, axis) - ddof)


def std(machine: Machine, X: Jet, axis: int | None, ddof: int) -> Jet:
    return J.power(positive(machine, var(X, axis, ddof)), 0.5)


def standardize(machine: Machine, X: Jet, axis: int | None, ddof: int, eps: float) -> Jet:
    s = var(X, axis, ddof)
    return mul(X - mean(X, axis), J.power(positive(machine, s + one(s, eps)), -0.5))


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


def cumsum(X: Jet, axis: int) -> Jet:
    return np.cumsum(X, axis=-2 if axis == 1 else -1)
