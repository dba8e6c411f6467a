"""The door to SymPy: its results as exact scalars, and what it computes for them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any

from matcalc.exact.polynomial import Polynomial, sum_of, sympy_symbol
from matcalc.exact.scalar import DOOR, ONE, Exact, Rational, ratio, rational, sp
from matcalc.exact.text import Monomial


def _sympy(value: Any) -> Any:
    return value._sympy_() if isinstance(value, Exact) else value


def _by_sympy(operation: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    """The operation by SymPy, between what SymPy knows."""
    other = b if isinstance(a, Exact) else a
    known = isinstance(other, (Exact, int, float, Fraction)) or ("sympy" in sys.modules and isinstance(other, sp.Basic))
    return exactly(operation(_sympy(a), _sympy(b))) if known else NotImplemented


def exactly(value: Any) -> Any:
    """A value of SymPy as an exact scalar of ours where it is one; anything else as it is, tuples part by part."""
    if isinstance(value, (Exact, int, str)) or value is None:
        return value
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(map(exactly, value))
    if getattr(value, "is_Rational", False):
        return ratio(int(value.p), int(value.q))
    parts = value.args if getattr(value, "is_Add", False) else (value,)
    terms = dict(term for term in map(_term, parts) if term is not None)
    return sum_of(terms) if len(terms) == len(parts) else value


def _term(value: Any) -> tuple[Monomial, Rational] | None:
    """A SymPy expression as a multiple of a product of sizes."""
    factors = value.args if getattr(value, "is_Mul", False) else (value,)
    c, exponents = ONE, {}
    for place, factor in enumerate(factors):
        if place == 0 and getattr(factor, "is_Rational", False):
            c = ratio(int(factor.p), int(factor.q))
            continue
        base, k = factor.args if getattr(factor, "is_Pow", False) else (factor, sp.S.One)
        if not getattr(base, "is_Symbol", False) or base != sympy_symbol(base.name) or not k.is_Integer:
            return None
        exponents[base.name] = int(k)
    whole = len(exponents) + (c is not ONE) == len(factors) and c.p != 0
    return (tuple(sorted(exponents.items())), c) if whole or not exponents else None


def expand(value: Any) -> Any:
    """The value multiplied out."""
    return value if isinstance(value, (Exact, int)) else exactly(sp.expand(value))


def cancel(value: Any) -> Any:
    """The value as a fraction in lowest terms."""
    if isinstance(value, (Rational, int)):
        return value
    if isinstance(value, Polynomial) and (value.is_plain or value.single is not None):
        return value
    return _cancelled(_sympy(value))


@lru_cache(maxsize=4096, typed=True)
def _cancelled(value: Any) -> Any:
    return exactly(sp.cancel(value))


def simplify(value: Any) -> Any:
    """The value in the form that SymPy finds simplest."""
    return value if isinstance(value, (Rational, int)) else exactly(sp.simplify(_sympy(value)))


def root(value: Any) -> Any:
    """The square root."""
    return exactly(sp.sqrt(_sympy(value)))


def is_sympy(value: Any) -> bool:
    """Whether it is an object of SymPy."""
    return "sympy" in sys.modules and isinstance(value, sp.Basic)


def is_exact(value: Any) -> bool:
    """Whether it is an exact scalar, of ours or of SymPy's."""
    return isinstance(value, Exact) or is_sympy(value)


def scalar(value: Any) -> Any:
    """A size, or another number, as an exact scalar."""
    return rational(value) if isinstance(value, (int, Fraction)) else exactly(value)


def fraction(value: Any) -> tuple[Any, Any]:
    """What stands above and below the line, for the outermost product."""
    if isinstance(value, Exact):
        return value.as_numer_denom() if not value.is_Add else (value, ONE)
    above, below = sp.fraction(value)
    return exactly(above), exactly(below)


def exponents(value: Any) -> list[Any]:
    """The numbers to which something is raised in a scalar."""
    if isinstance(value, Polynomial):
        return [k for monomial, _ in value.terms for _, k in monomial]
    return [] if isinstance(value, Exact) else [power.exp for power in value.atoms(sp.Pow) if power.exp.is_number]


def rationals(value: Any) -> list[Any]:
    """The rational numbers in a scalar."""
    if isinstance(value, Rational):
        return [value]
    return [c for _, c in value.terms] if isinstance(value, Polynomial) else list(value.atoms(sp.Rational))


def structure(value: Any) -> str:
    """A text that determines the scalar."""
    return value.structure if isinstance(value, Exact) else str(sp.srepr(value))


DOOR.update(exactly=exactly, by_sympy=_by_sympy)
