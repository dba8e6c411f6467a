"""Decimals in a claim: a literal of 12 or more digits stands for the constant that it rounds."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

import sympy as sp

MIN_DIGITS = 12
LARGEST_DENOMINATOR = 1000
_LITERAL = re.compile(r"(?<![\w.])\d*\.\d+(?:[eE][+-]?\d+)?(?![\w.])")
_BASES = ("pi", "sqrt(pi)", "sqrt(2*pi)", "exp(1)", "log(2)", "log(10)", "log(2*pi)", "log(pi)")
_ROOTS = tuple(f"sqrt({k})" for k in (2, 3, 5, 6, 7, 10))


def with_constants(text: str) -> str:
    """The text with its long decimals replaced by the constants that they round."""
    return _LITERAL.sub(lambda found: constant(found.group()), text)


def constant(literal: str) -> str:
    """The simplest constant that a decimal of 12 or more digits rounds, as text; else the literal itself.

    Example:
        >>> constant("3.141592653589793"), constant("0.333333333333"), constant("0.3333")
        ('pi', '(1/3)', '0.3333')
    """
    digits = re.split("[eE]", literal)[0].replace(".", "").lstrip("0")
    if len(digits) < MIN_DIGITS:
        return literal
    value = Decimal(literal)
    unit = Decimal((0, (1,), int(value.as_tuple().exponent)))
    nearest = Fraction(value).limit_denominator(LARGEST_DENOMINATOR)
    if abs(Fraction(value) - nearest) <= Fraction(unit):
        return f"({nearest.numerator}/{nearest.denominator})"
    for base in (*_BASES, *_ROOTS):
        exact = sp.sympify(base)
        for name, number in ((base, exact), (f"1/{base}", 1 / exact)):
            ratio = Fraction(value) / Fraction(str(sp.N(number, 30)))
            simple = ratio.limit_denominator(8)
            close = simple and abs(ratio - simple) * Fraction(str(sp.N(number, 30))) <= Fraction(unit)
            if close:
                return name if simple == 1 and name == base else f"({simple.numerator}/{simple.denominator}*{name})"
    return literal
