"""Scalars that are SymPy expressions (roots, pi, quotients of sums) as text."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from matcalc.errors import NoRuleError
from matcalc.expr import REGISTRY
from matcalc.ops.scalars import SymPyFunction


def sympy_text(value: Any) -> str:
    """The expression in the text syntax.

    Raises:
        NoRuleError: a function in it has no name there.
    """
    return str(_ScalarText().doprint(value))


class _ScalarText(StrPrinter):  # type: ignore[misc]
    """SymPy's text with `^`, and with the catalogue's names of functions."""

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:
        base, exponent = expr.as_base_exp()
        if exponent == sp.Rational(1, 2):
            return f"sqrt({self._print(base)})"
        if exponent.could_extract_minus_sign():
            return f"1/{self.parenthesize(base**-exponent, PRECEDENCE['Mul'], strict=False)}"
        below = self.parenthesize(base, PRECEDENCE["Pow"], strict=False)
        above = self._print(exponent)
        return f"{below}^{above}" if exponent.is_Symbol or exponent.is_Integer else f"{below}^({above})"

    def _print_Exp1(self, expr: Any) -> str:
        return "exp(1)"

    def _print_Function(self, expr: Any) -> str:
        for name, entry in REGISTRY.items():
            function = entry.scalar_function
            if isinstance(function, SymPyFunction) and function.function is expr.func:
                return f"{name}({', '.join(self._print(a) for a in expr.args)})"
        raise NoRuleError(f"the scalar function {expr.func.__name__} has no name in the text syntax")
