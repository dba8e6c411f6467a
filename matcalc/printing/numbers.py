"""Exact scalars as text and as LaTeX: fractions, decimals, dimension expressions, constants such as sqrt(2) and pi."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from matcalc import exact
from matcalc.errors import NoRuleError
from matcalc.exact import Exact, fraction, rationals, scalar, sp
from matcalc.notation import Level
from matcalc.optional import later
from matcalc.printing.symbols import name_latex

if TYPE_CHECKING:
    from matcalc.printing.sympy_text import sympy_text
else:
    (sympy_text,) = later("matcalc.printing.sympy_text", "sympy_text")

MAX_DIGITS = 11  # a literal of 12 or more digits stands for a rounded constant in a claim
MAX_BITS = 14_000  # about 4,200 digits: Python refuses to write out longer integers
SMALLEST_PLAIN = Decimal("0.00001")


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A scalar as sign, numerators and denominator; a numerator of 1 is left out."""

    negative: bool
    numerators: tuple[Any, ...]
    denominator: Any


@lru_cache(maxsize=4096)
def split(value: Any) -> Coefficient:
    """The scalar's sign, its factors above the line (a rational first) and what is below it."""
    rational, rest = value.as_coeff_Mul(rational=True)
    negative = bool(rational < 0)
    rational = abs(rational)
    above, below = fraction(rest)
    if not is_decimal(rational):
        rational, below = exact.rational(int(rational.p)), rational.q * below
    return Coefficient(negative, tuple(x for x in (rational, above) if x != 1), below)


def is_decimal(value: Any) -> bool:
    """Whether a rational is written as a decimal: its denominator, at least 10, has the prime factors 2 and 5 only."""
    if not value.is_Rational or value.q < 10 or _bits(value) > MAX_BITS:
        return False
    rest = int(value.q)
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1 and len(_digits(value)) <= MAX_DIGITS


def _bits(value: Any) -> int:
    """The length of a rational's longer part, in bits."""
    return max(int(value.p).bit_length(), int(value.q).bit_length())


def _places(value: Any) -> int:
    """How many digits stand behind the point."""
    return next(k for k in range(value.q.bit_length() + 1) if 10**k % value.q == 0)


def _digits(value: Any) -> str:
    """The significant digits of a rational that has finitely many."""
    places = _places(value)
    return str(abs(int(value * 10**places)))


def _decimal(value: Any) -> tuple[str, int]:
    """A decimal's digits, with a point, and the power of ten beside them."""
    places = _places(value)
    number = Decimal(int(value * 10**places)).scaleb(-places)
    if number >= SMALLEST_PLAIN:
        return f"{number:f}", 0
    exponent = number.adjusted()
    return f"{number.scaleb(-exponent).normalize():f}", exponent


def _level(value: Any) -> Level:
    if any(_bits(r) > MAX_BITS for r in rationals(value)):
        raise NoRuleError("a number of more than 4,000 digits is not written out")
    if value.is_Symbol or value.is_Function or (value.is_NumberSymbol and value in (sp.pi, sp.E)):
        return Level.ATOM
    if value.is_Integer:
        return Level.ATOM if value >= 0 else Level.MINUS
    if value.is_Add:
        return Level.SUM
    if value.is_Pow and not value.exp.could_extract_minus_sign():
        return Level.ATOM if value.exp == exact.HALF else Level.POSTFIX
    if value.is_Mul or value.is_Pow or value.is_Rational:
        return Level.PRODUCT
    raise NoRuleError(f"the scalar {value} cannot be written in the text syntax")


@lru_cache(maxsize=4096)
def number_text(value: Any) -> tuple[str, Level]:
    """A scalar (not negative, a fraction only where it is a decimal) as text, and how strongly that binds."""
    if is_decimal(value):
        digits, exponent = _decimal(value)
        return f"{digits}e{exponent}" if exponent else digits, Level.ATOM
    if isinstance(value, Exact):
        level = _level(value)
        return value.written("^"), level
    if value.atoms(sp.NumberSymbol) - {sp.pi, sp.E}:
        raise NoRuleError(f"the scalar {value} cannot be written in the text syntax")
    level = _level(value)
    return sympy_text(value), level


@lru_cache(maxsize=4096)
def number_latex(value: Any) -> tuple[str, Level]:
    """A scalar (not negative, a fraction only where it is a decimal) as LaTeX, and how strongly that binds."""
    if is_decimal(value):
        digits, exponent = _decimal(value)
        if not exponent:
            return digits, Level.ATOM
        ten = f"10^{{{exponent}}}"
        return (ten, Level.POSTFIX) if digits == "1" else (rf"{digits} \cdot {ten}", Level.PRODUCT)
    level = _level(value)
    if isinstance(value, Exact) and level is Level.ATOM:
        return name_latex(value.name) if value.is_Symbol else str(value), level
    value = sp.sympify(value)
    names = {s: name_latex(s.name) for s in value.free_symbols}
    if level is Level.ATOM and (value.is_Pow or value.is_Function):
        level = Level.POSTFIX
    return sp.latex(value, symbol_names=names, ln_notation=False), level


def dim_text(d: Any) -> str:
    """A dimension in the text syntax."""
    return number_text(scalar(d))[0]


def dim_latex(d: Any) -> str:
    """A dimension in LaTeX."""
    return number_latex(scalar(d))[0]


def scalar_text(value: Any) -> str:
    """Any exact scalar in the text syntax: `-1/2`, `0.001`, `2*n/3`."""
    parts = split(value)
    written = [number_text(x) for x in parts.numerators]
    below = "" if parts.denominator == 1 else f"/{_text_factor(parts.denominator)}"
    if len(written) == 1 and not below and not parts.negative:
        return written[0][0]
    above = "*".join(text if level >= Level.PRODUCT else f"({text})" for text, level in written) or "1"
    return f"{'-' if parts.negative else ''}{above}{below}"


def _text_factor(value: Any) -> str:
    text, level = number_text(value)
    return text if level >= Level.POSTFIX else f"({text})"


def scalar_latex(value: Any) -> str:
    """Any exact scalar in LaTeX."""
    parts = split(value)
    written = [number_latex(x) for x in parts.numerators]
    alone = len(written) == 1 and (parts.denominator != 1 or not parts.negative)
    above = " ".join(text if alone or level >= Level.PRODUCT else f"({text})" for text, level in written) or "1"
    if parts.denominator != 1:
        above = rf"\frac{{{above}}}{{{number_latex(parts.denominator)[0]}}}"
    return f"-{above}" if parts.negative else above
