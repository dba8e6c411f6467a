"""Forms that neither overflow nor cancel, for those that a source or a derivative spells out.

`log(1 + exp(X))` is `softplus(X)`, `1 - cos(X)` is `2*sin(X/2)^2`, `sqrt(1 + X) - 1` is `X/(sqrt(1 + X) + 1)`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import sympy as sp

from matcalc import core
from matcalc.core import broadcast, minus, number
from matcalc.emit.differences import without_squares
from matcalc.emit.growth import difference_of_exponentials, log_of_growth, without_growth
from matcalc.emit.intervals import interval_of, over_interval
from matcalc.emit.log_sums import log_of_sum, over_sum
from matcalc.emit.matching import (
    constant_of,
    exponent_of,
    negation_of,
    one_minus_sigmoid_of,
    plus_one,
    sigmoid_of,
    softmax_of,
    sum_of_exponentials,
)
from matcalc.emit.mixtures import mixture_of, over_mixture
from matcalc.emit.normal_tails import (
    as_normal,
    base_and_power,
    factors_of_product,
    is_normal,
    log_density,
    negated_form,
    normal_ratio,
    product_like,
)
from matcalc.emit.quotients import without_common_part
from matcalc.expr import Expr, node
from matcalc.ops.activations import log1mexp, normcdf, normlogcdf
from matcalc.ops.comparison import maximum, minimum, where
from matcalc.ops.elementwise import absolute, erfc, expm1, log, log1p, sigmoid, sinh, softplus
from matcalc.ops.normalization import log_softmax, logsumexp, softmax
from matcalc.properties import known
from matcalc.rewrite.terms import coefficient_and_rest, meaning, times_number

Form = Callable[[Expr], "Expr | None"]


def stable(e: Expr) -> Expr | None:
    """The form of `e` that neither overflows nor cancels, or None where it is one already."""
    rule = _STABLE.get(e.op)
    return None if rule is None else rule(e)


def _stable_log(e: Expr) -> Expr | None:
    X = e.args[0]
    soft = softmax_of(X)
    if soft is not None:
        return log_softmax(soft[0], soft[1])
    inner = sigmoid_of(X)
    if inner is not None:
        return minus(softplus(minus(inner)))
    inner = one_minus_sigmoid_of(X)
    if inner is not None:
        return minus(softplus(inner))
    total = sum_of_exponentials(X)
    if total is not None:
        return logsumexp(total[0], total[1])
    inner = exponent_of(X)
    if inner is not None:
        return inner
    if meaning(X).op == "normcdf":
        return normlogcdf(*meaning(X).args)
    if meaning(X).op == "normpdf":
        return log_density(*meaning(X).args)
    factor, body = coefficient_and_rest(meaning(X))
    if body is not None and meaning(body).op == "erfc" and factor.is_positive:  # erfc(X) = 2 normcdf(-sqrt(2) X)
        constant, log_F = sp.log(2 * factor), normlogcdf(as_normal(*meaning(body).args))
        return log_F if constant == 0 else core.plus(number(constant), log_F)
    interval = interval_of(X)
    if interval is not None:
        constant, log_F = sp.log(interval.factor), interval.logarithm
        return log_F if constant == 0 else core.plus(number(constant), log_F)
    if meaning(X).op == "sqrt":
        return core.scale(number(sp.S.Half), log(*meaning(X).args))
    if body is not None and factor != 1 and factor.is_positive and is_normal(body):  # half of 1 + erf(X)
        return core.plus(number(sp.log(factor)), log(body))
    if meaning(X).op == "cosh":
        return _log_cosh(*meaning(X).args)
    rest = plus_one(*meaning(X).args) if meaning(X).op == "abs" else None
    if rest is not None:  # |1 + Y| = 1 + max(Y, -2 - Y)
        return log1p(maximum(rest, minus(core.plus(rest, broadcast(number(2), rest.shape)))))
    inner = log_of_sum(X)
    if inner is not None:
        return inner
    inner = _log_of_tails(meaning(X))
    if inner is not None:
        return inner
    rest = plus_one(X)
    if rest is not None:
        return _log_of_one_plus(rest, X)
    for form in (_log_of_difference, log_of_growth):
        inner = form(X)
        if inner is not None:
            return inner
    mixture = mixture_of(X)
    return None if mixture is None else mixture.logarithm


def _log_of_tails(X: Expr) -> Expr | None:
    """The sum of the logarithms of positive factors, of which one is a density or a tail that vanishes before it."""
    factors = [base_and_power(f) for f in factors_of_product(X)]
    vanish = any(meaning(base).op in ("normcdf", "normpdf", "erfc") for base, _ in factors)
    if not vanish or not all(k is not None and known(base, "positive") for base, k in factors):
        return None
    return core.add(*(broadcast(times_number(k, log(base)), X.shape) for base, k in factors))


def _log_cosh(X: Expr) -> Expr:
    """log(cosh(X)) = log(cosh(c)) + (a - b) + softplus(-2 a) - softplus(-2 b), a = |X|, b = |c|, c between -1 and 1."""
    one = broadcast(number(1), X.shape)
    c = maximum(minimum(X, one), minus(one))
    a, b = absolute(X), absolute(c)
    half = core.scale(number(sp.Rational(1, 2)), c)
    near = log1p(core.scale(number(2), core.power(sinh(half), 2)))
    sides = (softplus(core.scale(number(-2), y)) for y in (a, b))
    return core.add(near, core.add(a, minus(b)), core.difference(*sides))


def _log_of_one_plus(rest: Expr, whole: Expr) -> Expr:
    """log(1 + rest)"""
    negated = negation_of(rest)
    below = meaning(rest if negated is None else negated)
    if below.op == "tanh":  # log(1 - tanh(X)) = log(2) - softplus(2 X)
        X = core.scale(number(-2 if negated is None else 2), below.args[0])
        return core.plus(number(sp.log(2)), minus(softplus(X)))
    base, k = base_and_power(below)
    if negated is not None and k == 2 and meaning(base).op == "tanh":  # 1 - tanh(X)^2 = cosh(X)^-2
        return core.scale(number(-2), _log_cosh(*meaning(base).args))
    if negated is not None and k == 2 and meaning(base).op in ("sigmoid", "normcdf", "erf"):
        one, half = (broadcast(number(c), base.shape) for c in (1, sp.S.Half))
        near = core.add(log(core.difference(one, base)), log(core.add(one, base)))  # log(1 - f) + log(1 + f)
        far = log1p(minus(minimum(negated, half)))
        return where(negated, half, near, far, ">")
    inner = None if negated is None else exponent_of(negated)
    if inner is not None:
        return log1mexp(negated_form(inner))
    if negated is not None and below.op == "normcdf":
        return normlogcdf(negated_form(below.args[0]))
    if below.op == "erf":  # 1 + erf(X) = 2 normcdf(sqrt(2) X)
        X = core.scale(number(sp.sqrt(2) * (-1 if negated is not None else 1)), *below.args)
        return core.plus(number(sp.log(2)), normlogcdf(X))
    better = _stable_sum(meaning(whole))
    return log1p(rest) if better is None else log(better)


def _log_of_difference(X: Expr) -> Expr | None:
    """log(exp(X) - 1) = X + log(1 - exp(-X))"""
    X = meaning(X)
    for a, b in (X.args, X.args[::-1]) if X.op == "add" and len(X.args) == 2 else ():
        inner = exponent_of(a)
        if inner is not None and constant_of(b) == -1:
            return core.add(inner, log1mexp(inner))
    return None


def _stable_quotient(e: Expr) -> Expr | None:
    soft = softmax_of(e)
    if soft is not None:
        return softmax(soft[0], soft[1])
    inner = sigmoid_of(e)
    if inner is not None:
        return sigmoid(inner)
    for form in (over_sum, normal_ratio, over_interval):
        better = form(e)
        if better is not None:
            return better
    for form in (_over_difference, without_growth, over_mixture):
        better = form(e)
        if better is not None:
            return better
    return None


def _over_difference(e: Expr) -> Expr | None:
    """exp(j X) (exp(X) - 1)^-k = (1 - exp(-X))^-j (exp(X) - 1)^(j - k) for j up to k, which does not overflow"""
    if e.op not in ("hadamard", "scale", "divide"):
        return None
    factors: tuple[Expr, ...] = e.args if e.op != "divide" else (e.args[0], core.power(e.args[1], -1))
    for i, k in permutations(range(len(factors)), 2):
        below, power = base_and_power(factors[k])
        X = _exponent_above_one(below) if power is not None and power.is_negative else None
        j = None if X is None else _multiple(exponent_of(factors[i]), X)
        if X is None or j is None or not 1 <= j <= -power:
            continue
        rest = [a for n, a in enumerate(factors) if n not in (i, k)]
        remaining = [] if power == -j else [core.power(below, power + j)]
        made = (core.power(minus(expm1(negated_form(X))), -j), *remaining, *rest)  # a matrix comes last
        return (core.scale if e.op == "scale" or e.is_scalar else core.hadamard)(*made)
    return None


def _multiple(Y: Expr | None, X: Expr) -> Any:
    """The whole number j where Y is j X."""
    (c, y), (d, x) = (None, None) if Y is None else coefficient_and_rest(Y), coefficient_and_rest(X)
    return c / d if c is not None and y is x and (c / d).is_integer else None


def _exponent_above_one(e: Expr) -> Expr | None:
    """X where `e` is exp(X) - 1."""
    e = meaning(e)
    if e.op == "expm1":
        return e.args[0]
    for a, b in (e.args, e.args[::-1]) if e.op == "add" and len(e.args) == 2 else ():
        if constant_of(a) == -1:
            return exponent_of(b)
    return None


def _stable_log1p(e: Expr) -> Expr | None:
    inner = exponent_of(e.args[0])
    if inner is not None:
        return softplus(inner)
    total = sum_of_exponentials(e.args[0])
    if total is not None:
        return softplus(logsumexp(total[0], total[1]))
    negated = negation_of(e.args[0])
    inner = None if negated is None else sigmoid_of(negated)
    return None if inner is None else minus(softplus(inner))


def _stable_sum(e: Expr) -> Expr | None:
    """Two terms of a sum that cancel, in a form in which they do not."""
    constants = [constant_of(a) for a in e.args]
    firsts = [i for i, a in enumerate(e.args) if constants[i] is not None or exponent_of(a) is not None]
    for i, k in ((i, k) for i in firsts for k in range(len(e.args)) if k != i):
        c = constants[i]
        found = difference_of_exponentials(e.args[i], e.args[k]) if c is None else _with_constant(c, e.args[k], e.shape)
        if found is not None:
            rest = [a for n, a in enumerate(e.args) if n not in (i, k)]
            return core.add(*rest[:i], found, *rest[i:])
    found = without_common_part(e)
    return without_squares(e) if found is None else found


def _with_constant(c: Any, t: Expr, shape: Any) -> Expr | None:
    """c + t for a number c, where t is near -c."""
    negated = negation_of(t)
    f = meaning(t if negated is None else negated)
    near = c if negated is not None else -c  # the value of f at which the two cancel
    found = _less_one(f) if near == 1 else None
    if found is None and f.op == "transpose":
        inner = _with_constant(-near, f.args[0], f.args[0].shape)
        found = None if inner is None else core.transpose(inner)
    elif found is None and near in (1, -1) and f.op == "tanh":  # tanh(X) - 1 = -2 sigmoid(-2 X)
        X = core.scale(number(-2 * near), f.args[0])
        found = core.scale(number(-2 * near), sigmoid(X))
    elif found is None and near == -1 and f.op == "erf":  # 1 + erf(X) = erfc(-X)
        found = erfc(minus(*f.args))
    elif found is None and f.op == "sqrt" and near.is_positive:
        found = _root_minus(near, f)
    return minus(found) if found is not None and negated is not None else found


def _root_minus(c: Any, root: Expr) -> Expr | None:
    """sqrt(c^2 + X) - c = X ./ (sqrt(c^2 + X) + c)"""
    inside = meaning(root.args[0])
    for i, a in enumerate(inside.args if inside.op == "add" else ()):
        if constant_of(a) == c**2:
            X = core.add(*(b for n, b in enumerate(inside.args) if n != i))
            return core.divide(X, core.plus(root, broadcast(number(c), root.shape)))
    return None


def _half_squared(name: str, sign: int) -> Form:
    def form(f: Expr) -> Expr:
        half = core.scale(number(sp.Rational(1, 2)), f.args[0])
        return core.scale(number(2 * sign), core.power(node(name, (half,)), 2))

    return form


def _square_less_one(f: Expr) -> Expr | None:
    """f^2 - 1 = (f - 1) (f + 1); for tanh(X) it is -4 sigmoid(2 X) sigmoid(-2 X)."""
    base, k = base_and_power(f)
    base = meaning(base)
    if k != 2:
        return None
    if base.op == "tanh":
        sides = (sigmoid(core.scale(number(c), base.args[0])) for c in (2, -2))
        return core.scale(number(-4), product_like(sides, base))
    less = _less_one(base) if base.op in ("sigmoid", "normcdf", "erf") else None
    return None if less is None else product_like([less, core.plus(base, broadcast(number(1), base.shape))], base)


def _less_one(f: Expr) -> Expr | None:
    """f - 1 for what is near 1 somewhere."""
    X = sigmoid_of(f)
    if X is not None:
        return minus(sigmoid(negated_form(X)))
    form = _NEAR_ONE.get(f.op)
    return None if form is None else form(f)


# f(X) - 1 for functions that are near 1 somewhere.
_NEAR_ONE: dict[str, Form] = {
    "power": _square_less_one,
    "exp": lambda f: expm1(*f.args),
    "cosh": _half_squared("sinh", 1),
    "cos": _half_squared("sin", -1),
    "normcdf": lambda f: minus(normcdf(minus(f.args[0]))),
    "erf": lambda f: minus(erfc(*f.args)),
}


def _stable_exp(e: Expr) -> Expr | None:
    soft = softmax_of(e)
    return None if soft is None else softmax(soft[0], soft[1])


_STABLE = {
    "log": _stable_log,
    "log1p": _stable_log1p,
    "exp": _stable_exp,
    "divide": _stable_quotient,
    "power": _stable_quotient,
    "hadamard": _stable_quotient,
    "scale": _stable_quotient,
    "add": _stable_sum,
}
