"""Functions of entries from their definitions, on jets."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from . import jets as J  # noqa: N812  (its names stand in formulas)
from .jets import Jet, mul, value
from .machine import Machine, one, positive, split


def sigmoid(X: Jet) -> Jet:
    return J.recip(one(X) + J.exp(-X))


def softplus(X: Jet) -> Jet:
    x = value(X)
    s = 1 / (1 + np.exp(-x))
    return J.entrywise(X, np.logaddexp(0, x), s, s * (1 - s))


def tanh(X: Jet) -> Jet:
    x = np.tanh(value(X))
    return J.entrywise(X, x, 1 - x**2, -2 * x * (1 - x**2))


def normcdf(X: Jet) -> Jet:
    x = value(X)
    slope = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return J.entrywise(X, special.ndtr(x), slope, -x * slope)  # 1 + erf cancels far to the left


def normlogcdf(X: Jet) -> Jet:
    x = value(X)
    ratio, excess, _ = _normal_ratio(x)
    return J.entrywise(X, special.log_ndtr(x), ratio, -ratio * excess)


def normratio(X: Jet) -> Jet:
    ratio, excess, bend = _normal_ratio(value(X))
    return J.entrywise(X, ratio, -ratio * excess, ratio * bend)


def _normal_ratio(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """r = phi(x)/Phi(x), x + r, and (x + r)(x + 2 r) - 1.

    For t = -x > 5 these cancel; there r = t + K1, Kj = j/(t + K(j+1)), and the last is K1^2 K2 (K3 - K2).
    """
    ratio = np.exp(-(x**2) / 2 - special.log_ndtr(x)) / np.sqrt(2 * np.pi)
    far, t = x < -5, np.maximum(-x, 5)
    tails = [np.zeros_like(t)]
    for j in range(40, 0, -1):
        tails.append(j / (t + tails[-1]))
    K1, K2, K3 = tails[:-4:-1]
    excess = np.where(far, K1, x + ratio)
    bend = np.where(far, K1**2 * K2 * (K3 - K2), excess * (excess + ratio) - 1)
    return np.where(far, t + K1, ratio), excess, bend


def normpdf(X: Jet) -> Jet:
    return J.exp(-0.5 * mul(X, X)) / np.sqrt(2 * np.pi)


def erfc(X: Jet) -> Jet:
    x = value(X)
    slope = -2 / np.sqrt(np.pi) * np.exp(-(x**2))
    return J.entrywise(X, special.erfc(x), slope, -2 * x * slope)


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
    return J.log(X) - J.log(one(X) - X)


def absolute(machine: Machine, X: Jet) -> Jet:
    return J.where(split(machine, X), X, -X)


def elu(machine: Machine, X: Jet, alpha: float) -> Jet:
    return J.where(split(machine, X), X, alpha * (J.exp(X) - one(X)))


def selu(machine: Machine, X: Jet) -> Jet:
    return 1.0507009873554804934193349852946 * elu(machine, X, 1.6732632423543772848170429916717)


def huber(machine: Machine, X: Jet, delta: float) -> Jet:
    size = absolute(machine, X)
    return J.where(split(machine, size, delta), delta * (size - one(X, delta / 2)), 0.5 * mul(X, X))


def hardtanh(machine: Machine, X: Jet) -> Jet:
    above, below = split(machine, X, 1.0), ~split(machine, X, -1.0)
    return J.where(above, one(X), J.where(below, one(X, -1.0), X))


def general_power(machine: Machine, X: Jet, P: Jet) -> Jet:
    p = value(P)
    if not P[:, 1:].any() and not P[1:].any() and p.size and (p == p.flat[0]).all():
        c = float(p.flat[0])
        if not c.is_integer():
            positive(machine, X)
        elif c < 0:
            machine.away(value(X))
        if P.shape[-2:] == (1, 1) or P.shape == X.shape:
            return J.power(X, c)
    positive(machine, X)
    return J.exp(mul(P, J.log(X)))


def divide(machine: Machine, A: Jet, B: Jet) -> Jet:
    machine.away(value(B))
    return mul(A, J.recip(B))


def choose(machine: Machine, A: Jet, B: Jet, C: Jet, D: Jet, relation: str) -> Jet:
    machine.away(value(A) - value(B))
    return J.where(value(A) > value(B), C, D)


def log_of(machine: Machine, X: Jet) -> Jet:
    return J.log(positive(machine, X))


def swish(X: Jet, *_: Any) -> Jet:
    return mul(X, sigmoid(X))
