"""Probabilities of intervals, F(B) - F(A) for the logistic and the normal distribution: both tails keep their digits.

With the logistic F, F(B) - F(A) = F(B) F(-A) (1 - exp(A - B)). With the normal one an interval of the upper tail is
mirrored into the lower: it is L and H with L < H and L + H <= 0, and F(H) - F(L) = F(H) (1 - F(L)/F(H)).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy as sp

from matcalc import core
from matcalc.core import add, difference, minus, number, power
from matcalc.emit.normal_tails import as_normal, base_and_power, factors_of_product, is_minus_square, product_like
from matcalc.expr import Expr
from matcalc.ops.activations import log1mexp, normlogcdf, normratio
from matcalc.ops.comparison import maximum, minimum, where
from matcalc.ops.elementwise import exp, expm1, sigmoid, softplus
from matcalc.rewrite.terms import coefficient_and_rest, meaning, times_number

# The law of what a function gives, by which number it is multiplied, and of which argument.
_LAWS: dict[str, tuple[str, int, Callable[[Expr], Expr]]] = {
    "sigmoid": ("logistic", 1, lambda X: X),
    "normcdf": ("normal", 1, lambda X: X),
    "erfc": ("normal", 2, as_normal),
    "erf": ("normal", -2, as_normal),
}


@dataclass(frozen=True)
class Interval:
    """factor (F(end) - F(start))

    Attributes:
        factor: a number.
        law: `logistic` or `normal`.
        start: A.
        end: B.
    """

    factor: Any
    law: str
    start: Expr
    end: Expr

    @property
    def logarithm(self) -> Expr:
        """log(F(end) - F(start)), without the factor; the end is above the start, or there is no logarithm."""
        if self.law == "logistic":
            below = add(softplus(_negative(self.end)), softplus(self.start))
            return difference(log1mexp(difference(self.end, self.start)), below)
        low, high = _mirrored(self.start, self.end)
        return add(normlogcdf(high), log1mexp(difference(normlogcdf(high), normlogcdf(low))))

    @property
    def product(self) -> Expr:
        """The whole as a product, for the logistic distribution."""
        high, low = maximum(self.start, self.end), minimum(self.start, self.end)
        parts = [self._sign, sigmoid(high), sigmoid(_negative(low)), minus(expm1(difference(low, high)))]
        return times_number(self.factor, product_like(parts, self.end))

    def under(self, f: Expr) -> Expr | None:
        """f over the whole, where f is the normal density at one of the ends: f(H)/F(H) and what f has beside f(H)."""
        low, high = _mirrored(minimum(self.start, self.end), maximum(self.start, self.end))
        for X in (self.start, self.end):
            number_of = _density_at(f, X)
            if number_of is not None:
                beside = product_like([difference(high, X), add(high, X)], X)
                rest = minus(expm1(difference(normlogcdf(low), normlogcdf(high))))
                parts = [self._sign, normratio(high), exp(core.scale(number(sp.S.Half), beside)), power(rest, -1)]
                return times_number(number_of / self.factor, product_like(parts, X))
        return None

    @property
    def _sign(self) -> Expr:
        one = core.broadcast(number(1), self.end.shape)
        return where(self.start, self.end, minus(one), one, ">")


def interval_of(e: Expr) -> Interval | None:
    """The interval whose probability, or a multiple of it, `e` is."""
    factor, body = coefficient_and_rest(meaning(e))
    if body is None or meaning(body).op != "add" or len(meaning(body).args) != 2:
        return None
    (k, first), (other, second) = (coefficient_and_rest(meaning(t)) for t in meaning(body).args)
    if first is None or second is None or k != -other:
        return None
    F, G = (meaning(f) for f in ((first, second) if k > 0 else (second, first)))
    if F.op != G.op or F.op not in _LAWS:
        return None
    law, multiple, argument = _LAWS[F.op]
    ends = (G, F) if multiple > 0 else (F, G)
    start, end = (argument(X.args[0]) for X in ends)
    return Interval(factor * abs(k * multiple), law, start, end)


def over_interval(e: Expr) -> Expr | None:
    """A product with a probability of an interval in its denominator."""
    if e.op == "divide":
        e = product_like([e.args[0], power(e.args[1], -1)], e)
    parts = [e]
    if e.op in ("hadamard", "scale"):
        parts = [f for a in e.args for f in _opened(a)]
    elif e.op != "power":
        return None
    for n, part in enumerate(parts):
        below, k = base_and_power(part)
        interval = _divisor(part)
        if interval is None:
            continue
        others = [*parts[:n], *parts[n + 1 :]]
        if interval.law == "logistic":
            return product_like([*others, power(interval.product, k)], e)
        left = [] if k == -1 else [power(below, k + 1)]
        for i, f in enumerate(others):
            found = _divided(f, interval)
            if found is not None:
                return product_like([*others[:i], *others[i + 1 :], *left, found], e)
    return _multiplied_out(parts, e)


def _multiplied_out(parts: list[Expr], e: Expr) -> Expr | None:
    """f (a ./ P + b) = f a ./ P + f b, where f has a density at an end of the interval whose probability is P."""
    for n, part in enumerate(parts):
        terms = meaning(part).args if meaning(part).op == "add" else ()
        intervals = [found for t in terms for f in _opened(t) if (found := _divisor(f)) is not None]
        others = [*parts[:n], *parts[n + 1 :]]
        if any(_divided(f, i) is not None for i in intervals if i.law == "normal" for f in others):
            return add(*(product_like([*others, t], e) for t in terms))
    return None


def _divisor(part: Expr) -> Interval | None:
    """The interval by whose probability this factor divides."""
    below, k = base_and_power(part)
    return interval_of(below) if k is not None and k.is_Integer and k.is_negative else None


def _opened(e: Expr) -> list[Expr]:
    """The factors of a value that divides by the probability of an interval, also behind a name; others as they are."""
    factors = factors_of_product(meaning(e))
    return factors if any(_divisor(f) is not None for f in factors) else [e]


def _divided(e: Expr, interval: Interval) -> Expr | None:
    """What has a density at one of the ends in each of its terms, over the interval."""
    e = meaning(e)
    if e.op == "add":
        terms = [_divided(t, interval) for t in e.args]
        made = [t for t in terms if t is not None]
        return add(*made) if len(made) == len(terms) else None
    factors = factors_of_product(e)
    for n, f in enumerate(factors):
        base, k = base_and_power(f)
        if k is None or not (k.is_Integer and k.is_positive):
            continue
        found = _divided(base, interval) if meaning(base).op == "add" else interval.under(base)
        if found is not None:
            left = [] if k == 1 else [power(base, k - 1)]
            return product_like([*factors[:n], *factors[n + 1 :], *left, found], e)
    return None


def _mirrored(start: Expr, end: Expr) -> tuple[Expr, Expr]:
    """The ends, low before high, of the interval in the lower tail that has the same probability."""
    middle = add(start, end)
    above = core.zero_of(middle)
    low, high = (where(middle, above, _negative(b), a, ">") for a, b in ((start, end), (end, start)))
    return low, high


def _negative(X: Expr) -> Expr:
    return times_number(-sp.S.One, X)


def _density_at(f: Expr, X: Expr) -> Any:
    """The number c where f is c times the normal density at X."""
    f = meaning(f)
    if f.op == "normpdf" and f.args[0] in (X, _negative(X)):
        return sp.S.One
    if f.op == "exp" and is_minus_square(f.args[0], times_number(1 / sp.sqrt(2), X)):
        return sp.sqrt(2 * sp.pi)
    return None
