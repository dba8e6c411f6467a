"""Where the entries of an expression lie, whatever its variables are within their facts: intervals with exact ends.

Interval arithmetic node by node; an entrywise expression in one value is looked at as a function of one number, whose
extrema are found exactly where it is rational in that number, its exponential, its sigmoid or its root.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from matcalc.curvature.intervals import EVERYTHING, NONNEGATIVE, POSITIVE, UNIT, Range, by_value, power
from matcalc.curvature.univariate import T, function_of_one, range_of_function
from matcalc.dims import is_one
from matcalc.expr import Expr, postorder, record
from matcalc.properties import known


class Ranges:
    """The ranges of expressions, found once each.

    Args:
        given: ranges of some expressions that hold besides what their facts say.
    """

    def __init__(self, given: Mapping[Expr, Range] | None = None) -> None:
        self._given = {} if given is None else given
        self._found: dict[Expr, Range] = {}
        self._exact: dict[Expr, Range] = {}

    def of(self, e: Expr) -> Range:
        """Where the entries of `e` lie."""
        for sub in postorder((e,), stop=self._found.__contains__):
            self._found[sub] = self._one(sub)
        if e not in self._exact:
            self._exact[e] = self._as_function_of_one(e, self._found[e])
        return self._exact[e]

    def _one(self, e: Expr) -> Range:
        found = self._by_rule(e)
        if known(e, "positive"):
            found = found.intersection(POSITIVE)
        elif known(e, "nonnegative"):
            found = found.intersection(NONNEGATIVE)
        if e in self._given:
            found = found.intersection(self._given[e])
        if any(known(e, fact) for fact in ("row-stochastic", "column-stochastic")) and found.nonnegative:
            found = found.intersection(UNIT)
        if found.low == -sp.oo or found.high == sp.oo or not (found.nonnegative or found.nonpositive):
            found = self._as_function_of_one(e, found)
        return found

    def _by_rule(self, e: Expr) -> Range:
        args = [self._found[a] for a in e.args]
        match e.op:
            case "number":
                return Range(e.number, e.number) if e.number.is_number else _of_size(e.number)
            case "named" | "transpose" | "vec" | "reshape" | "broadcast" | "diagvec" | "slice" | "mean" | "max" | "min":
                return args[0]
            case "ones":
                return Range(sp.S.One, sp.S.One)
            case "zeros":
                return Range(sp.S.Zero, sp.S.Zero)
            case "eye":
                return UNIT
            case "diag":
                return args[0].union(Range(sp.S.Zero, sp.S.Zero))
            case "add":
                total = args[0]
                for r in args[1:]:
                    total = total + r
                return total
            case "scale" | "hadamard":
                return self._product(e)
            case "kron":
                return args[0] * args[1]
            case "divide":
                return args[0] * power(args[1], sp.S.NegativeOne)
            case "power" if e.args[1].number is not None and e.args[1].number.is_number:
                return power(args[0], e.args[1].number)
            case "sum":
                return _sum(args[0])
            case "matmul" if is_one(e.shape[0]) and is_one(e.shape[1]) and len(e.args) == 2 and _same(e):
                return NONNEGATIVE
            case "matmul":
                return self._matrix_product(args)
            case "softmax":
                return Range(sp.S.Zero, sp.S.One, True, False)
            case "maximum" | "minimum":
                pick = max if e.op == "maximum" else min
                return Range(*(pick(ends, key=by_value) for ends in zip(*((r.low, r.high) for r in args))))
            case "where":
                return args[2].union(args[3])
        if e.op in ("eigmax", "eigmin", "tr", "det") and known(e.args[0], "positive-semidefinite"):
            return POSITIVE if known(e.args[0], "positive-definite") else NONNEGATIVE
        return _function(e, args)

    def _product(self, e: Expr) -> Range:
        """The product of factors; a factor that occurs twice is squared."""
        counts: dict[Expr, int] = {}
        for a in e.args:
            counts[a] = counts.get(a, 0) + 1
        product = Range(sp.S.One, sp.S.One)
        for a, count in counts.items():
            product = product * power(self._found[a], sp.Integer(count))
        return product

    def _matrix_product(self, args: list[Range]) -> Range:
        if all(r.nonnegative for r in args):
            return NONNEGATIVE
        if sum(not r.nonnegative for r in args) == 1 and all(r.nonnegative or r.nonpositive for r in args):
            return -NONNEGATIVE
        return EVERYTHING

    def _as_function_of_one(self, e: Expr, found: Range) -> Range:
        """The range of an entrywise expression in one value, by the calculus of one variable."""
        made = function_of_one(e)
        if made is None:
            return found
        form, z = made
        if z is e or not form.has(T):
            return found
        exact = range_of_function(form, self._found[z] if z in self._found else self.of(z))
        return found if exact is None else found.intersection(exact)


def _same(e: Expr) -> bool:
    """Whether a product of two is x' x."""
    a, b = e.args
    return (a.op == "transpose" and a.args[0] is b) or (b.op == "transpose" and b.args[0] is a)


def _of_size(value: Any) -> Range:
    """The range of a number in symbolic sizes, which are at least 1."""
    if value.is_Pow and value.base.is_nonnegative:  # without a value where the base is 0 and the exponent negative
        return POSITIVE if value.exp.is_negative else NONNEGATIVE
    if value.is_Mul:
        product = Range(sp.S.One, sp.S.One)
        for factor in value.args:
            product = product * (Range(factor, factor) if factor.is_number else _of_size(factor))
        return product
    if value.is_positive or value.is_negative:
        return POSITIVE if value.is_positive else -POSITIVE
    return NONNEGATIVE if value.is_nonnegative else EVERYTHING


def _sum(r: Range) -> Range:
    """The sum of at least one entry."""
    low = r.low if r.low >= 0 else -sp.oo
    high = r.high if r.high <= 0 else sp.oo
    return Range(low, high, r.low_open or low == -sp.oo, r.high_open or high == sp.oo)


def _function(e: Expr, args: list[Range]) -> Range:
    """The image of an entrywise function: of an interval where it is monotone."""
    entry = record(e.op)
    if entry.image is None:
        return EVERYTHING
    low, high, *open_ends = entry.image(*e.params)
    image = Range(sp.sympify(low), sp.sympify(high), *open_ends)
    if not entry.monotone or entry.scalar_function is None:
        return image
    r = args[0] if entry.monotone > 0 else -args[0]
    sign = entry.monotone

    def at(end: Any, default: Any) -> Any:
        return default if end in (sp.oo, -sp.oo) else entry.scalar_function(sp.sympify(sign * end))  # type: ignore[misc]

    low, high = at(r.low, image.low), at(r.high, image.high)
    if not (low.is_extended_real and high.is_extended_real):
        return image
    return Range(low, high, r.low_open, r.high_open).intersection(image)
