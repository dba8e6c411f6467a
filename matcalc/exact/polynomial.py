"""Sums of multiples of products of sizes, with whole exponents: `n - 1`, `n*m/2`, `1/n`."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from matcalc.exact import text
from matcalc.exact.scalar import ONE, ZERO, Exact, Rational, by_sympy, exactly, number_of, ratio, scalar_of, sp
from matcalc.exact.text import Monomial, Terms, ordered

# What is known of the sign where 0 is the smallest value, or the largest.
_AT_LEAST_ZERO = dict.fromkeys(("is_positive", "is_nonpositive", "is_zero")) | {
    "is_negative": False,
    "is_nonnegative": True,
}
_AT_MOST_ZERO = dict.fromkeys(("is_negative", "is_nonnegative", "is_zero")) | {
    "is_positive": False,
    "is_nonpositive": True,
}


class Polynomial(Exact):
    """A sum of multiples of products of sizes, with whole exponents; made by `symbol` and from others."""

    __slots__ = ("_hash", "terms")

    is_rational = None

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._hash = hash(terms)

    def __reduce__(self) -> Any:
        return _unpickled, ([(monomial, c.p, c.q) for monomial, c in self.terms],)

    def _as_sympy(self) -> Any:
        return sp.Add(
            *(sp.Mul(c._sympy_(), *(sympy_symbol(n) ** k for n, k in monomial)) for monomial, c in self.terms)
        )

    # -------------------------------------------------------------------------------------------- what it is

    @property
    def single(self) -> tuple[Monomial, Rational] | None:
        """Its only term, where there is one."""
        return self.terms[0] if len(self.terms) == 1 else None

    @property
    def is_Add(self) -> bool:  # type: ignore[override]
        return len(self.terms) > 1

    @property
    def is_Symbol(self) -> bool:  # type: ignore[override]
        return self._is_alone and self.terms[0][0][0][1] == 1

    @property
    def is_Pow(self) -> bool:  # type: ignore[override]
        return self._is_alone and self.terms[0][0][0][1] != 1

    @property
    def is_Mul(self) -> bool:  # type: ignore[override]
        return len(self.terms) == 1 and not self._is_alone

    @property
    def _is_alone(self) -> bool:
        """Whether it is one size or a power of it."""
        return len(self.terms) == 1 and len(self.terms[0][0]) == 1 and self.terms[0][1] is ONE

    @property
    def name(self) -> str:
        """Of a size."""
        if not self.is_Symbol:
            raise AttributeError("name")
        return self.terms[0][0][0][0]

    @property
    def free_symbols(self) -> set[Any]:
        """The sizes in it."""
        return {symbol(name) for monomial, _ in self.terms for name, _ in monomial}

    @property
    def _sign(self) -> int:
        """1 or -1 where it is positive or negative because all of its terms are; 0 elsewhere."""
        signs = {c.p > 0 for _, c in self.terms}
        return 0 if len(signs) > 1 else 1 if signs.pop() else -1

    @property
    def _is_shifted(self) -> bool:
        """Whether it is a number and one more term of which SymPy sees the smallest value: 2 n - 1 or m n - 1."""
        if len(self.terms) != 2 or self.terms[0][0] or not self.is_plain:
            return False
        monomial, c = self.terms[1]
        return len(monomial) == 1 or abs(c) is ONE

    def _known(self, name: str) -> Any:
        """What is known of the sign: by the signs of the terms; of 2 n - 1 by its value at n = 1, the smallest one."""
        sign = self._sign
        if sign == 0 and self._is_shifted:
            (_, c), (_, slope) = self.terms
            rising = slope.p > 0
            end = c + slope
            if end.p == 0:
                return _AT_LEAST_ZERO[name] if rising else _AT_MOST_ZERO[name]
            if (end.p > 0) is rising:
                sign = 1 if rising else -1
            elif name != "is_zero":
                return None
        if sign:
            return name in (("is_positive", "is_nonnegative") if sign > 0 else ("is_negative", "is_nonpositive"))
        return getattr(self._sympy_(), name)

    @property
    def is_positive(self) -> Any:
        """Whether it is above 0 for all sizes; None where that depends on them."""
        return self._known("is_positive")

    @property
    def is_negative(self) -> Any:
        """Whether it is below 0 for all sizes."""
        return self._known("is_negative")

    @property
    def is_nonnegative(self) -> Any:
        """Whether it is 0 or more for all sizes."""
        return self._known("is_nonnegative")

    @property
    def is_nonpositive(self) -> Any:
        """Whether it is 0 or less for all sizes."""
        return self._known("is_nonpositive")

    @property
    def is_zero(self) -> Any:
        """Whether it is 0 for all sizes."""
        return self._known("is_zero")

    @property
    def is_integer(self) -> Any:
        """Whether it is a whole number for all sizes."""
        whole = all(c.q == 1 and all(k > 0 for _, k in monomial) for monomial, c in self.terms)
        return True if whole else self._sympy_().is_integer

    def is_polynomial(self, *gens: Any) -> bool:
        """Whether no size stands below the line."""
        return bool(self._sympy_().is_polynomial(*gens)) if gens else self.is_plain

    @property
    def is_plain(self) -> bool:
        """Whether no size stands below the line."""
        return all(k > 0 for monomial, _ in self.terms for _, k in monomial)

    def as_coeff_Mul(self, rational: bool = False) -> tuple[Any, Any]:
        """The number before a product, and the rest."""
        if self.single is None:
            return ONE, self
        monomial, c = self.single
        return c, self if c is ONE else Polynomial(((monomial, ONE),))

    def as_numer_denom(self) -> Any:
        """Numerator and denominator."""
        if self.single is None:
            return exactly(self._sympy_().as_numer_denom())
        monomial, c = self.single
        above = tuple((name, k) for name, k in monomial if k > 0)
        below = tuple((name, -k) for name, k in monomial if k < 0)
        return sum_of({above: ratio(c.p, 1)}), sum_of({below: ratio(c.q, 1)})

    def could_extract_minus_sign(self) -> bool:
        """Whether it is written with a minus sign in front."""
        return self._sign < 0 if self._sign else bool(self._sympy_().could_extract_minus_sign())

    def xreplace(self, table: Mapping[Any, Any]) -> Any:
        """With sizes replaced."""
        new = {name: scalar_of(table[s]) for name, s in ((s.name, s) for s in self.free_symbols) if s in table}
        if not new:
            return self
        if self.is_Symbol:
            return exactly(table[self])
        if any(value is None or value.is_Add for value in new.values()):
            return exactly(self._sympy_().xreplace({s._sympy_(): value for s, value in table.items()}))
        total: Any = ZERO
        for monomial, c in self.terms:
            product: Any = c
            for name, k in monomial:
                product = product * (new[name] if name in new else symbol(name)) ** k
            total = total + product
        return total

    # -------------------------------------------------------------------------------------------- arithmetic

    def __add__(self, other: Any) -> Any:
        read = scalar_of(other)
        if read is None:
            return by_sympy(operator.add, self, other)
        found = dict(self.terms)
        for monomial, c in _terms(read):
            found[monomial] = found[monomial] + c if monomial in found else c
        return sum_of(found)

    def __radd__(self, other: Any) -> Any:
        read = scalar_of(other)
        return by_sympy(operator.add, other, self) if read is None else self + read

    def __mul__(self, other: Any) -> Any:
        read = scalar_of(other)
        if type(read) is Rational:
            return sum_of({monomial: c * read for monomial, c in self.terms})
        if read is None or self.single is None or read.single is None:
            return by_sympy(operator.mul, self, other)
        (monomial, c), (others, d) = self.single, read.single
        return sum_of({_product(monomial, others): c * d})

    def __rmul__(self, other: Any) -> Any:
        read = scalar_of(other)
        return by_sympy(operator.mul, other, self) if read is None else self * read

    def __pow__(self, other: Any) -> Any:
        read = number_of(other)
        if read is None or read.q != 1 or (self.single is None and read.p not in (0, 1)):
            return by_sympy(operator.pow, self, other)
        if read.p in (0, 1):
            return self if read.p else ONE
        ((monomial, c),) = self.terms
        return sum_of({tuple((name, k * read.p) for name, k in monomial): c**read})

    def __neg__(self) -> Any:
        return Polynomial(ordered({monomial: -c for monomial, c in self.terms}))

    def __abs__(self) -> Any:
        sign = self._sign
        return (self if sign > 0 else -self) if sign else exactly(abs(self._sympy_()))

    def __eq__(self, other: object) -> Any:
        if type(other) is Polynomial:
            return self is other or (self._hash == other._hash and self.terms == other.terms)
        return False if isinstance(other, (int, Exact)) else NotImplemented

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        return text.text(self.terms, "**")

    def written(self, power: str) -> str:
        """As SymPy writes it, with this sign for powers."""
        return text.text(self.terms, power)

    @property
    def structure(self) -> str:
        """A text that determines the sum, as SymPy's `srepr` writes it."""
        return text.structure(self.terms)


@cache
def symbol(name: str) -> Polynomial:
    """The size called `name`: a positive integer."""
    return Polynomial(((((name, 1),), ONE),))


@cache
def sympy_symbol(name: str) -> Any:
    """The size called `name` in SymPy."""
    return sp.Symbol(name, integer=True, positive=True)


def _unpickled(terms: Iterable[tuple[Monomial, int, int]]) -> Any:
    return sum_of({monomial: ratio(p, q) for monomial, p, q in terms})


def sum_of(terms: Mapping[Monomial, Rational]) -> Any:
    """The sum of some terms, with their coefficients."""
    left = {monomial: c for monomial, c in terms.items() if c.p}
    if not left:
        return ZERO
    if len(left) == 1 and () in left:
        return left[()]
    return Polynomial(ordered(left))


def _terms(value: Any) -> Terms:
    return (((), value),) if type(value) is Rational else value.terms


def _product(first: Monomial, second: Monomial) -> Monomial:
    exponents = dict(first)
    for name, k in second:
        exponents[name] = exponents.get(name, 0) + k
    return tuple(sorted((name, k) for name, k in exponents.items() if k))


def expanded_product(a: Any, b: Any) -> Any:
    """The product of two numbers or scalars, multiplied out where both are ours."""
    first, second = scalar_of(a), scalar_of(b)
    if first is None or second is None:
        return a * b
    found: dict[Monomial, Rational] = {}
    for monomial, c in _terms(first):
        for other, d in _terms(second):
            together = _product(monomial, other)
            found[together] = found[together] + c * d if together in found else c * d
    return sum_of(found)
