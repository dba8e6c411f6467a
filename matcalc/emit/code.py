"""Pieces of Python: a text with `{0}`, `{1}` for its operands, and how strongly it binds; numbers and sizes as text."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import product

import sympy as sp

from matcalc import core, notation
from matcalc.emit import trees
from matcalc.errors import NoRuleError


class Level(IntEnum):
    """Binding strength, weakest first. `@` stands below `*`, so that a mixture of the two gets brackets."""

    LOOSE = 0
    COMPARE = 1
    SUM = 2
    MATMUL = 3
    TIMES = 4
    MINUS = 5
    POWER = 6
    ATOM = 7


FROM_NOTATION = {
    notation.Level.LOOSE: Level.LOOSE,
    notation.Level.SUM: Level.SUM,
    notation.Level.PRODUCT: Level.TIMES,
    notation.Level.MINUS: Level.MINUS,
    notation.Level.POSTFIX: Level.POWER,
    notation.Level.ATOM: Level.ATOM,
}


@dataclass(frozen=True, slots=True)
class Code:
    """How one instruction is written.

    Attributes:
        text: Python with `{0}`, `{1}`, ... for the operands (literal braces doubled).
        level: how strongly the text binds.
        needs: how strongly each operand must bind to stay without brackets (LOOSE beyond the end).
    """

    text: str
    level: Level = Level.ATOM
    needs: tuple[Level, ...] = ()

    def fill(self, operands: list[tuple[str, Level]]) -> str:
        """The text with the operands put in, bracketed where they bind too weakly."""
        texts = []
        for k, (text, level) in enumerate(operands):
            need = self.needs[k] if k < len(self.needs) else Level.LOOSE
            texts.append(text if level >= need else f"({text})")
        return self.text.format(*texts)

    def tree(self, operands: list[tuple[ast.expr, Level]]) -> ast.expr:
        """The tree with those of the operands put in."""
        bare = [
            level >= (self.needs[k] if k < len(self.needs) else Level.LOOSE) for k, (_, level) in enumerate(operands)
        ]
        return trees.filled(self.text, [tree for tree, _ in operands], bare)


def number_code(value: sp.Expr, names: Mapping[str, str]) -> tuple[str, Level]:
    """An exact scalar as Python: `0.5`, `2 / n`, `math.sqrt(2)`; `names` gives the names of dimensions in the code.

    Raises:
        NoRuleError: a function in it has no counterpart in `math`.
    """
    if value.is_Integer:
        text = str(value) if abs(value) < 2**53 else repr(float(value))
        return text, Level.ATOM if value >= 0 else Level.MINUS
    if value.is_Rational:
        decimal = repr(float(value))
        if sp.Rational(decimal) == value and len(decimal) <= 18:
            return decimal, Level.ATOM if value >= 0 else Level.MINUS
        if max(abs(value.p), value.q) >= 2**53:
            return decimal, Level.ATOM if value >= 0 else Level.MINUS
        return f"{value.p} / {value.q}", Level.TIMES
    if value.is_Symbol:
        return names[value.name], Level.ATOM
    if value.is_Add:
        return _sum_code(value, names), Level.SUM
    if value.is_Mul:
        return _product_code(value, names)
    if value.is_Pow:
        return _power_code(value, names)
    if value is sp.pi:
        return "math.pi", Level.ATOM
    if value is sp.E:
        return "math.e", Level.ATOM
    if not value.free_symbols:
        return repr(float(value)), Level.ATOM
    function = _MATH.get(value.func)
    if function is None:
        raise NoRuleError(f"no Python for the number {value}")
    return f"{function}({', '.join(number_code(a, names)[0] for a in value.args)})", Level.ATOM


_MATH = {sp.log: "math.log", sp.exp: "math.exp", sp.loggamma: "math.lgamma", sp.gamma: "math.gamma"}


def _bracket(value: sp.Expr, names: Mapping[str, str], need: Level) -> str:
    text, level = number_code(value, names)
    return text if level >= need else f"({text})"


def _sum_code(value: sp.Expr, names: Mapping[str, str]) -> str:
    terms = sorted(value.as_ordered_terms(), key=lambda t: bool(t.could_extract_minus_sign()))
    text = _bracket(terms[0], names, Level.MATMUL)
    for t in terms[1:]:
        minus = t.could_extract_minus_sign()
        text += f" {'-' if minus else '+'} {_bracket(-t if minus else t, names, Level.MATMUL)}"
    return text


def _product_code(value: sp.Expr, names: Mapping[str, str]) -> tuple[str, Level]:
    if value.could_extract_minus_sign():
        inner, level = number_code(-value, names)
        return f"-{inner}" if level >= Level.TIMES else f"-({inner})", Level.TIMES
    above, below = value.as_numer_denom()
    if below == 1:
        factors = above.as_ordered_factors()
        return " * ".join(_bracket(f, names, Level.TIMES if k == 0 else Level.MINUS) for k, f in enumerate(factors)), (
            Level.TIMES
        )
    return f"{_bracket(above, names, Level.TIMES)} / {_bracket(below, names, Level.POWER)}", Level.TIMES


def _power_code(value: sp.Expr, names: Mapping[str, str]) -> tuple[str, Level]:
    base, exponent = value.base, value.exp
    if exponent.is_number and exponent.is_negative:
        return f"1 / {_bracket(1 / value, names, Level.POWER)}", Level.TIMES
    if exponent == sp.Rational(1, 2):
        return f"math.sqrt({number_code(base, names)[0]})", Level.ATOM
    return f"{_bracket(base, names, Level.ATOM)}**{_bracket(exponent, names, Level.POWER)}", Level.POWER


_DIVISORS = 12  # of sizes that are whole numbers all the same


def size_text(d: object, names: Mapping[str, str]) -> str:
    """A size as Python: a whole number."""
    whole, divisor = sp.fraction(sp.together(core.exact_dim(d)))
    text, _ = number_code(whole, names)
    return text if divisor == 1 else f"({text}) // {divisor}"  # n (n + 1)/2 is whole, but / gives a float


def is_whole(value: sp.Expr) -> bool:
    """Whether a fraction of sizes is a whole number whatever they are, as n (n + 1)/2 is: by its remainders."""
    value = sp.sympify(value)
    unknowns = sorted(value.free_symbols, key=str)
    above, divisor = sp.fraction(sp.together(value)) if unknowns else (value, sp.S.One)
    if not (divisor.is_Integer and 1 < divisor <= _DIVISORS and above.is_polynomial(*unknowns)):
        return False
    points = product(range(int(divisor)), repeat=len(unknowns))
    return all(above.subs(dict(zip(unknowns, point))) % divisor == 0 for point in points)
