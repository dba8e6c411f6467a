"""Products that divide by what vanishes together with what is above it: term by term, also behind names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from matcalc.core import add, power
from matcalc.emit.normal_tails import base_and_power, factors_of_product, product_like
from matcalc.expr import Expr
from matcalc.rewrite.terms import meaning


class Divisor(Protocol):
    """What a product divides by."""

    @property
    def product(self) -> Expr | None:
        """The divisor as a product that does not vanish, where there is one."""

    def under(self, f: Expr) -> Expr | None:
        """f over the divisor, for those f that vanish with it."""


Search: TypeAlias = Callable[[Expr], "Divisor | None"]


def over(e: Expr, search: Search) -> Expr | None:
    """The form of a product in which no such quotient is 0/0, or None where it has none.

    Args:
        e: the product.
        search: the divisor that a value is.
    """
    if e.op == "divide":
        e = product_like([e.args[0], power(e.args[1], -1)], e)
    parts = [e]
    if e.op in ("hadamard", "scale"):
        parts = [f for a in e.args for f in _opened(a, search)]
    elif e.op != "power":
        return None
    for n, part in enumerate(parts):
        divisor = _divisor(part, search)
        if divisor is None:
            continue
        (below, k), others = base_and_power(part), [*parts[:n], *parts[n + 1 :]]
        if divisor.product is not None:
            return product_like([*others, power(divisor.product, k)], e)
        left = [] if k == -1 else [power(below, k + 1)]
        for i, f in enumerate(others):
            found = _divided(f, divisor)
            if found is not None:
                return product_like([*others[:i], *others[i + 1 :], *left, found], e)
    return _multiplied_out(parts, e, search)


def _multiplied_out(parts: list[Expr], e: Expr, search: Search) -> Expr | None:
    """f (a ./ P + b) = f a ./ P + f b, where f vanishes with P."""
    for n, part in enumerate(parts):
        terms = meaning(part).args if meaning(part).op == "add" else ()
        divisors = [found for t in terms for f in _opened(t, search) if (found := _divisor(f, search)) is not None]
        others = [*parts[:n], *parts[n + 1 :]]
        if any(_divided(f, d) is not None for d in divisors if d.product is None for f in others):
            return add(*(product_like([*others, t], e) for t in terms))
    return None


def _divisor(part: Expr, search: Search) -> Divisor | None:
    """By what this factor divides."""
    below, k = base_and_power(part)
    return search(below) if k is not None and k.is_Integer and k.is_negative else None


def _opened(e: Expr, search: Search) -> list[Expr]:
    """The factors of a value that has a divisor, also behind a name; other values as they are."""
    factors = factors_of_product(meaning(e))
    return factors if any(_divisor(f, search) is not None for f in factors) else [e]


def _divided(e: Expr, divisor: Divisor) -> Expr | None:
    """What vanishes with a divisor in each of its terms, over it."""
    e = meaning(e)
    if e.op == "add":
        terms = [_divided(t, divisor) for t in e.args]
        made = [t for t in terms if t is not None]
        return add(*made) if len(made) == len(terms) else None
    factors = factors_of_product(e)
    for n, f in enumerate(factors):
        base, k = base_and_power(f)
        if k is None or not (k.is_Integer and k.is_positive):
            continue
        found = _divided(base, divisor) if meaning(base).op == "add" else divisor.under(base)
        if found is not None:
            left = [] if k == 1 else [power(base, k - 1)]
            return product_like([*factors[:n], *factors[n + 1 :], *left, found], e)
    return None
