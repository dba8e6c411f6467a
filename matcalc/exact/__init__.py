"""Exact scalars: rational numbers, and sums of multiples of products of sizes, `n - 1`, `n*m/2`, `1/n`.

They are what sizes and coefficients nearly always are, and do what SymPy's numbers do, by the same names and with the
same results, without SymPy. What goes beyond them (roots, pi, quotients of sums) is a SymPy expression; `exactly` takes
any result back. `_sympy_` makes the SymPy object, so that SymPy takes them as they are; `sp` is SymPy, imported when it
is used.
"""

from matcalc.exact.polynomial import Polynomial, expanded_product, symbol
from matcalc.exact.scalar import HALF, MINUS_ONE, ONE, TWO, ZERO, Exact, Rational, rational, sp
from matcalc.exact.sympy_door import (
    cancel,
    exactly,
    expand,
    exponents,
    fraction,
    is_exact,
    is_sympy,
    rationals,
    root,
    scalar,
    simplify,
    structure,
)

__all__ = [
    "HALF",
    "MINUS_ONE",
    "ONE",
    "TWO",
    "ZERO",
    "Exact",
    "Polynomial",
    "Rational",
    "cancel",
    "exactly",
    "expand",
    "expanded_product",
    "exponents",
    "fraction",
    "is_exact",
    "is_sympy",
    "rational",
    "rationals",
    "root",
    "scalar",
    "simplify",
    "sp",
    "structure",
    "symbol",
]
