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
from matcalc.emit.matching import plus_one
from matcalc.emit.normal_tails import as_normal, is_minus_square, product_like
from matcalc.emit.over import over
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
    def product(self) -> Expr | None:
        """The whole as a product, for the logistic distribution."""
        if self.law == "normal":
            return None
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
    (c, k, first), (d, other, second) = map(_multiple, meaning(body).args)
    if first is None or second is None or k != -other or c + d != 0:
        return None
    F, G = (meaning(f) for f in ((first, second) if k > 0 else (second, first)))
    if F.op != G.op or F.op not in _LAWS:
        return None
    law, multiple, argument = _LAWS[F.op]
    ends = (G, F) if multiple > 0 else (F, G)
    start, end = (argument(X.args[0]) for X in ends)
    return Interval(factor * abs(k * multiple), law, start, end)


def _multiple(t: Expr) -> tuple[Any, Any, Expr | None]:
    """(c, k, F) where a term is c + k F, as that of 1 - F is."""
    k, F = coefficient_and_rest(meaning(t))
    rest = None if F is None else plus_one(F)
    if rest is None:
        return 0, k, F
    inner, F = coefficient_and_rest(meaning(rest))
    return k, k * inner, F


def over_interval(e: Expr) -> Expr | None:
    """A product with a probability of an interval in its denominator."""
    return over(e, interval_of)


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
