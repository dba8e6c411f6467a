"""Sums of exponentials with weights of any sign, such as the density of a mixture: all of them may vanish together.

With M the largest of the exponents, w exp(X) + v exp(Y) = exp(M) (w exp(X - M) + v exp(Y - M)).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce

from matcalc.core import add, broadcast, difference, power
from matcalc.dims import same_shape
from matcalc.emit.matching import negation_of
from matcalc.emit.normal_tails import base_and_power, factors_of_product, log_density, product_like
from matcalc.emit.over import over
from matcalc.expr import Expr
from matcalc.ops.comparison import maximum
from matcalc.ops.elementwise import exp, log
from matcalc.rewrite.terms import meaning, times_number


@dataclass(frozen=True)
class Mixture:
    """Multiples of exponentials, to be added.

    Attributes:
        terms: of each the factors beside the exponential, and the exponent.
    """

    terms: tuple[tuple[tuple[Expr, ...], Expr], ...]

    @cached_property
    def largest(self) -> Expr:
        """M"""
        return reduce(maximum, dict.fromkeys(exponent for _, exponent in self.terms))

    @cached_property
    def rest(self) -> Expr:
        """The sum over exp(M)."""
        return add(*(product_like([*w, exp(difference(X, self.largest))], self.largest) for w, X in self.terms))

    @property
    def logarithm(self) -> Expr:
        return add(self.largest, log(self.rest))

    @property
    def product(self) -> None:
        """It is a sum."""

    def under(self, f: Expr) -> Expr | None:
        """f over the sum, where f is an exponential."""
        exponent = _exponent(f)
        if exponent is None:
            return None
        moved = exp(difference(broadcast(exponent, self.largest.shape), self.largest))
        return product_like([moved, power(self.rest, -1)], self.largest)


def mixture_of(e: Expr) -> Mixture | None:
    """The mixture that `e` is, if all its terms have exponentials, and their largest exponent is not taken out yet."""
    e = meaning(e)
    terms = [_term(t) for t in e.args] if e.op == "add" else []
    found = [t for t in terms if t is not None]
    if not found or len(found) < len(terms) or any(_is_moved(X) for _, X in found):
        return None
    return Mixture(tuple(found)) if all(same_shape(X.shape, e.shape) for _, X in found) else None


def over_mixture(e: Expr) -> Expr | None:
    """A product with such a sum in its denominator."""
    return over(e, mixture_of)


def _term(t: Expr) -> tuple[tuple[Expr, ...], Expr] | None:
    """The factors beside the exponentials, and the sum of the exponents."""
    weights, exponents = [], []
    for f in factors_of_product(meaning(t)):
        base, k = base_and_power(f)
        exponent = None if k is None else _exponent(base)
        if exponent is None:
            weights.append(f)
        else:
            exponents.append(broadcast(times_number(k, exponent), t.shape))
    return (tuple(weights), add(*exponents)) if exponents else None


def _exponent(f: Expr) -> Expr | None:
    f = meaning(f)
    return f.args[0] if f.op == "exp" else log_density(*f.args) if f.op == "normpdf" else None


def _is_moved(X: Expr) -> bool:
    terms = (negation_of(t) for t in X.args) if X.op == "add" else ()
    return any(t is not None and t.op == "maximum" for t in terms)
