"""Intervals of real numbers with exact ends, open or closed, and their arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cmp_to_key, lru_cache
from typing import Any

import sympy as sp


@lru_cache(maxsize=4096)
def compared(a: Any, b: Any) -> int:
    """-1, 0 or 1: two exact numbers in order, also where SymPy does not see that they are equal."""
    if a == b:
        return 0
    first, second = approximation(a), approximation(b)
    if first is not None and second is not None and abs(first - second) > (1 + abs(first) + abs(second)) / 10**12:
        return -1 if first < second else 1
    if (
        first is not None and second is not None and sp.cancel(sp.together(a - b)) == 0
    ):  # in a root of a polynomial, say
        return 0
    try:
        return -1 if a < b else 1 if a > b else 0
    except TypeError:  # E/(1 + E) and 1/(1 + exp(-1)), say
        difference = sp.simplify(a - b)
        return 0 if difference == 0 else 1 if sp.N(difference, _DIGITS) > 0 else -1


@lru_cache(maxsize=4096)
def approximation(number: Any) -> Any:
    """A finite exact number with at least 20 digits that are right; None where they cannot be had at once."""
    number = sp.sympify(number)
    if number.is_Rational:
        return sp.Float(number, 30)
    found = number.evalf(30) if number.is_number and number.is_finite is not False else None
    return found if isinstance(found, sp.Float) and found._prec >= 70 else None


_DIGITS = 50
by_value = cmp_to_key(compared)


@dataclass(frozen=True, slots=True)
class Range:
    """An interval of real numbers; an end that is not attained is open, as infinite ends are.

    Attributes:
        low: the lower end, exact.
        high: the upper end.
        low_open: whether `low` itself is left out.
        high_open: whether `high` itself is left out.
    """

    low: Any
    high: Any
    low_open: bool = False
    high_open: bool = False

    def __post_init__(self) -> None:
        """An end that SymPy does not see to be 0 is made so, before it is multiplied with infinity."""
        for name in ("low", "high"):
            end = getattr(self, name)
            if end != 0 and end.is_number and end.is_zero is not False and sp.simplify(end) == 0:
                object.__setattr__(self, name, sp.S.Zero)

    @property
    def nonnegative(self) -> bool:
        """Whether no number in it is below 0."""
        return compared(self.low, 0) >= 0

    @property
    def positive(self) -> bool:
        """Whether every number in it is above 0."""
        order = compared(self.low, 0)
        return order > 0 or (order == 0 and self.low_open)

    @property
    def nonpositive(self) -> bool:
        """Whether no number in it is above 0."""
        return compared(self.high, 0) <= 0

    @property
    def negative(self) -> bool:
        """Whether every number in it is below 0."""
        order = compared(self.high, 0)
        return order < 0 or (order == 0 and self.high_open)

    def __neg__(self) -> Range:
        return Range(-self.high, -self.low, self.high_open, self.low_open)

    def __add__(self, other: Range) -> Range:
        return Range(
            self.low + other.low,
            self.high + other.high,
            self.low_open or other.low_open,
            self.high_open or other.high_open,
        )

    def __mul__(self, other: Range) -> Range:
        ends = [
            (_product(a, b), _open(a, a_open, b, b_open))
            for a, a_open in ((self.low, self.low_open), (self.high, self.high_open))
            for b, b_open in ((other.low, other.low_open), (other.high, other.high_open))
        ]
        return hull_of_ends(ends)

    def union(self, other: Range) -> Range:
        """The smallest interval that holds both."""
        ends = (self.low, self.low_open), (self.high, self.high_open)
        return hull_of_ends([*ends, (other.low, other.low_open), (other.high, other.high_open)])

    def intersection(self, other: Range) -> Range:
        """What both say."""
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open), key=_ordered)
        high, high_open = min((self.high, not self.high_open), (other.high, not other.high_open), key=_ordered)
        return Range(low, high, low_open, not high_open)


def _ordered(end: tuple[Any, bool]) -> tuple[Any, bool]:
    return by_value(end[0]), end[1]


def _product(a: Any, b: Any) -> Any:
    return sp.S.Zero if a == 0 or b == 0 else a * b


def _open(a: Any, a_open: bool, b: Any, b_open: bool) -> bool:
    """Whether a product of two ends is not attained: an attained 0 makes it attained."""
    if (a == 0 and not a_open) or (b == 0 and not b_open):
        return False
    return a_open or b_open


def hull_of_ends(ends: Iterable[tuple[Any, bool]]) -> Range:
    """The smallest interval with these points (number, whether it is left out) in its closure."""
    ends = list(ends)
    low = min((value for value, _ in ends), key=by_value)
    high = max((value for value, _ in ends), key=by_value)
    return Range(
        low,
        high,
        all(is_open for value, is_open in ends if compared(value, low) == 0),
        all(is_open for value, is_open in ends if compared(value, high) == 0),
    )


EVERYTHING = Range(-sp.oo, sp.oo, True, True)
POSITIVE = Range(sp.S.Zero, sp.oo, True, True)
NONNEGATIVE = Range(sp.S.Zero, sp.oo, False, True)
UNIT = Range(sp.S.Zero, sp.S.One)


def power(r: Range, exponent: Any) -> Range:
    """The range of a power with a fixed exponent."""
    if exponent == 1:
        return r
    if exponent == 0:
        return Range(sp.S.One, sp.S.One)
    even = exponent.is_integer and exponent.is_even
    if even and not r.nonnegative:
        mirrored = r if r.nonpositive else None
        if mirrored is not None:
            r = -mirrored
        else:
            size = (-r.low, r.low_open) if -r.low > r.high else (r.high, r.high_open)
            r = Range(sp.S.Zero, size[0], False, size[1])
    if not r.nonnegative:
        if exponent.is_integer and exponent > 0:  # odd: increasing
            return Range(_raised(r.low, exponent), _raised(r.high, exponent), r.low_open, r.high_open)
        if exponent.is_integer and r.negative:
            return -power(-r, exponent)
        return EVERYTHING
    if exponent > 0:
        return Range(_raised(r.low, exponent), _raised(r.high, exponent), r.low_open, r.high_open)
    if r.high == 0:  # 0 has no negative power
        return EVERYTHING
    low = sp.S.Zero if r.high == sp.oo else r.high**exponent
    high = sp.oo if r.low == 0 else r.low**exponent
    return Range(low, high, r.high_open or r.high == sp.oo, r.low_open or r.low == 0)


def _raised(value: Any, exponent: Any) -> Any:
    return value if value in (sp.oo, -sp.oo) else value**exponent
