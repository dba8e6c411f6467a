"""Exact scalars that need no SymPy, and the rational numbers among them."""

from __future__ import annotations

import numbers
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from math import gcd, inf
from typing import Any

from matcalc.optional import Later

sp: Any = Later("sympy")
# What takes SymPy's results back and what knows its operands; filled by `sympy_door.py`, which knows all scalars.
DOOR: dict[str, Callable[..., Any]] = {}


def exactly(value: Any) -> Any:
    """A value of SymPy as an exact scalar of ours where it is one; anything else as it is, tuples part by part."""
    return DOOR["exactly"](value)


def by_sympy(operation: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    """The operation by SymPy, between what SymPy knows."""
    return DOOR["by_sympy"](operation, a, b)


class Exact:
    """An exact scalar that needs no SymPy."""

    __slots__ = ("_made",)

    _op_priority = 1000.0  # SymPy leaves what stands between its objects and these to the methods here
    is_Symbol = is_Integer = is_Rational = is_Number = is_number = is_Add = is_Mul = is_Pow = False
    is_Function = is_NumberSymbol = is_Matrix = is_Float = is_Piecewise = False
    is_real = is_finite = is_commutative = True
    _made: Any

    def _sympy_(self) -> Any:
        try:
            return self._made
        except AttributeError:
            self._made = self._as_sympy()
            return self._made

    def _as_sympy(self) -> Any:
        raise NotImplementedError

    def written(self, power: str) -> str:
        """As SymPy writes it, with this sign for powers."""
        raise NotImplementedError

    @property
    def structure(self) -> str:
        """A text that determines the scalar, as SymPy's `srepr` writes it."""
        raise NotImplementedError

    # How SymPy's printers, and notebooks, write it.
    def _latex(self, printer: Any, *args: Any) -> Any:
        return printer._print(self._sympy_(), *args)

    _pretty = _sympyrepr = _latex

    def _repr_latex_(self) -> Any:
        return self._sympy_()._repr_latex_()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = getattr(self._sympy_(), name)
        return (lambda *args, **options: exactly(found(*args, **options))) if callable(found) else exactly(found)

    def __sub__(self, other: Any) -> Any:
        read = scalar_of(other)
        return by_sympy(operator.sub, self, other) if read is None else self + -read

    def __rsub__(self, other: Any) -> Any:
        read = scalar_of(other)
        return by_sympy(operator.sub, other, self) if read is None else read + -self

    def __truediv__(self, other: Any) -> Any:
        read = scalar_of(other)
        return by_sympy(operator.truediv, self, other) if read is None else self * read**-1

    def __rtruediv__(self, other: Any) -> Any:
        read = scalar_of(other)
        return by_sympy(operator.truediv, other, self) if read is None else read * self**-1

    def __rpow__(self, other: Any) -> Any:
        read = scalar_of(other)
        return by_sympy(operator.pow, other, self) if read is None else read**self

    def __floordiv__(self, other: Any) -> Any:
        return by_sympy(operator.floordiv, self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return by_sympy(operator.floordiv, other, self)

    def __mod__(self, other: Any) -> Any:
        return by_sympy(operator.mod, self, other)

    def __rmod__(self, other: Any) -> Any:
        return by_sympy(operator.mod, other, self)

    def __divmod__(self, other: Any) -> Any:
        return by_sympy(divmod, self, other)

    def __rdivmod__(self, other: Any) -> Any:
        return by_sympy(divmod, other, self)

    def __lt__(self, other: Any) -> Any:
        return by_sympy(operator.lt, self, other)

    def __le__(self, other: Any) -> Any:
        return by_sympy(operator.le, self, other)

    def __gt__(self, other: Any) -> Any:
        return by_sympy(operator.gt, self, other)

    def __ge__(self, other: Any) -> Any:
        return by_sympy(operator.ge, self, other)

    def __neg__(self) -> Any:
        raise NotImplementedError

    def __pow__(self, other: Any) -> Any:
        raise NotImplementedError

    def __pos__(self) -> Any:
        return self

    def __repr__(self) -> str:
        return str(self)


class Rational(Exact):
    """A rational number p/q in lowest terms; made by `rational`."""

    __slots__ = ("p", "q")

    is_Rational = is_Number = is_number = is_rational = True
    free_symbols: frozenset[Any] = frozenset()

    def __init__(self, p: int, q: int) -> None:
        self.p, self.q = p, q

    def __reduce__(self) -> Any:
        return ratio, (self.p, self.q)

    def _as_sympy(self) -> Any:
        return sp.Rational(self.p, self.q)

    @property
    def is_Integer(self) -> bool:  # type: ignore[override]
        return self.q == 1

    is_integer = is_Integer

    @property
    def is_even(self) -> bool:
        """Whether it is an even integer."""
        return self.q == 1 and self.p % 2 == 0

    @property
    def is_odd(self) -> bool:
        """Whether it is an odd integer."""
        return self.q == 1 and self.p % 2 == 1

    @property
    def is_zero(self) -> bool:
        """Whether it is 0."""
        return self.p == 0

    @property
    def is_positive(self) -> bool:
        """Whether it is above 0."""
        return self.p > 0

    @property
    def is_negative(self) -> bool:
        """Whether it is below 0."""
        return self.p < 0

    @property
    def is_nonnegative(self) -> bool:
        """Whether it is 0 or more."""
        return self.p >= 0

    @property
    def is_nonpositive(self) -> bool:
        """Whether it is 0 or less."""
        return self.p <= 0

    @property
    def numerator(self) -> int:
        """As of Python's numbers."""
        return self.p

    @property
    def denominator(self) -> int:
        """As of Python's numbers."""
        return self.q

    def as_numer_denom(self) -> tuple[Any, Any]:
        """Numerator and denominator."""
        return ratio(self.p, 1), ratio(self.q, 1)

    def as_coeff_Mul(self, rational: bool = False) -> tuple[Any, Any]:
        """The number, and what it multiplies."""
        return self, ONE

    def could_extract_minus_sign(self) -> bool:
        """Whether it is below 0."""
        return self.p < 0

    def count_ops(self) -> int:
        """How many operations stand in it."""
        return (self.p < 0) + (self.q != 1)

    def has(self, *patterns: Any) -> bool:
        """Whether one of some expressions occurs in it."""
        return any(pattern == self for pattern in patterns)

    def xreplace(self, table: Mapping[Any, Any]) -> Any:
        """What the table says of it."""
        return table.get(self, self)

    def __add__(self, other: Any) -> Any:
        read = number_of(other)
        if read is None:
            return NotImplemented if isinstance(other, Exact) else by_sympy(operator.add, self, other)
        return ratio(self.p * read.q + read.p * self.q, self.q * read.q)

    def __radd__(self, other: Any) -> Any:
        read = number_of(other)
        return by_sympy(operator.add, other, self) if read is None else self + read

    def __mul__(self, other: Any) -> Any:
        read = number_of(other)
        if read is None:
            return NotImplemented if isinstance(other, Exact) else by_sympy(operator.mul, self, other)
        return ratio(self.p * read.p, self.q * read.q)

    def __rmul__(self, other: Any) -> Any:
        read = number_of(other)
        return by_sympy(operator.mul, other, self) if read is None else self * read

    def __pow__(self, other: Any) -> Any:
        read = number_of(other)
        if read is None or read.q != 1 or (self.p == 0 and read.p < 0):
            return by_sympy(operator.pow, self, other)
        return ratio(self.p**read.p, self.q**read.p) if read.p >= 0 else ratio(self.q**-read.p, self.p**-read.p)

    def __neg__(self) -> Any:
        return ratio(-self.p, self.q)

    def __abs__(self) -> Any:
        return ratio(abs(self.p), self.q)

    def __mod__(self, other: Any) -> Any:
        read = number_of(other)
        if read is None or read.p == 0:
            return by_sympy(operator.mod, self, other)
        return rational(Fraction(self.p, self.q) % Fraction(read.p, read.q))

    def __eq__(self, other: object) -> Any:
        if type(other) is Rational:
            return self.p == other.p and self.q == other.q
        if isinstance(other, int):
            return self.q == 1 and self.p == other
        if isinstance(other, Fraction):
            return self.p == other.numerator and self.q == other.denominator
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.p) if self.q == 1 else hash(Fraction(self.p, self.q))

    def _compared(self, other: Any, compare: Callable[[Any, Any], bool]) -> Any:
        if isinstance(other, float):
            return compare(Fraction(self.p, self.q), other)
        read = number_of(other)
        return by_sympy(compare, self, other) if read is None else compare(self.p * read.q, read.p * self.q)

    def __lt__(self, other: Any) -> Any:
        return self._compared(other, operator.lt)

    def __le__(self, other: Any) -> Any:
        return self._compared(other, operator.le)

    def __gt__(self, other: Any) -> Any:
        return self._compared(other, operator.gt)

    def __ge__(self, other: Any) -> Any:
        return self._compared(other, operator.ge)

    def __bool__(self) -> bool:
        return self.p != 0

    def __int__(self) -> int:
        return self.p // self.q if self.p >= 0 else -(-self.p // self.q)

    def __index__(self) -> int:
        if self.q != 1:
            raise TypeError(f"{self} is no integer")
        return self.p

    def __float__(self) -> float:
        try:
            return self.p / self.q
        except OverflowError:
            return inf if self.p > 0 else -inf

    def __round__(self, digits: int | None = None) -> Any:
        return round(Fraction(self.p, self.q), digits)

    def __str__(self) -> str:
        return str(self.p) if self.q == 1 else f"{self.p}/{self.q}"

    def written(self, power: str) -> str:
        """As SymPy writes it, with this sign for powers."""
        return str(self)

    @property
    def structure(self) -> str:
        """A text that determines the number, as SymPy's `srepr` writes it."""
        return f"Integer({self.p})" if self.q == 1 else f"Rational({self.p}, {self.q})"


numbers.Rational.register(Rational)


@cache
def _kept(p: int, q: int) -> Rational:
    return Rational(p, q)


def ratio(p: int, q: int) -> Rational:
    """p/q; small ones are made once."""
    if q != 1:
        if q < 0:
            p, q = -p, -q
        common = gcd(p, q)
        p, q = p // common, q // common
    return _kept(p, q) if -16 <= p <= 16 and q <= 16 else Rational(p, q)


ZERO, ONE, MINUS_ONE, TWO, HALF = (ratio(p, q) for p, q in ((0, 1), (1, 1), (-1, 1), (2, 1), (1, 2)))


def rational(value: Any) -> Rational:
    """An int, a Fraction or a text such as `1.5` or `2/3` as a rational number."""
    if isinstance(value, int):
        return ratio(int(value), 1)
    read = Fraction(value)
    return ratio(read.numerator, read.denominator)


def number_of(value: Any) -> Rational | None:
    """A rational number of ours or of Python; None for anything else."""
    if type(value) is Rational:
        return value
    return rational(value) if isinstance(value, (int, Fraction)) else None


def scalar_of(value: Any) -> Any:
    """An exact scalar of ours or a rational number of Python; None for anything else."""
    return value if isinstance(value, Exact) else number_of(value)
