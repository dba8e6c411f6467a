"""Code for variances, deviations and standardised values, which share the centred values and their sums of squares."""

from __future__ import annotations

import sympy as sp

from matcalc import core
from matcalc.core import broadcast, number, power, scale
from matcalc.emit.selection import Choice, Selector
from matcalc.expr import Expr


def centred(X: Expr, axis: int | None) -> Expr:
    """X - mean(X)"""
    return core.add(X, broadcast(core.minus(core.mean(X, axis)), X.shape))


def _variance(X: Expr, axis: int | None, ddof: int) -> Expr:
    C = centred(X, axis)
    entries = core.exact_dim(core.count(X) if axis is None else X.shape[axis - 1])
    return scale(number(1 / (entries - ddof)), core.total(core.hadamard(C, C), axis))


def variance_code(select: Selector, e: Expr) -> Choice | None:
    """var = sum((X - mean)^2) / (n - ddof)"""
    X, (axis, ddof) = e.args[0], e.params
    return None if _is_degenerate(X, axis, ddof) else _variance(X, axis, ddof)


def deviation_code(select: Selector, e: Expr) -> Choice | None:
    """std = sqrt(var)"""
    X, (axis, ddof) = e.args[0], e.params
    return None if _is_degenerate(X, axis, ddof) else power(_variance(X, axis, ddof), sp.Rational(1, 2))


def standardize_code(select: Selector, e: Expr) -> Choice | None:
    """(X - mean) / sqrt(var + eps)"""
    X, (axis, ddof, eps) = e.args[0], e.params
    if X.is_scalar and ddof == 0:  # its variance is 0
        none = core.add(X, core.minus(X))
        return core.divide(none, power(core.plus(none, number(eps)), sp.Rational(1, 2)))
    if _is_degenerate(X, axis, ddof):
        return None
    spread = _variance(X, axis, ddof)
    if core.exact(eps) != 0:
        spread = core.add(spread, broadcast(number(eps), spread.shape))
    return core.divide(centred(X, axis), broadcast(power(spread, sp.Rational(1, 2)), X.shape))


def _is_degenerate(X: Expr, axis: int | None, ddof: int) -> bool:
    """Whether there is one value, or as many as are subtracted: NumPy says what comes out."""
    entries = core.count(X) if axis is None else X.shape[axis - 1]
    return X.is_scalar or (isinstance(entries, int) and entries <= max(ddof, 1))


RULES = {"var": [variance_code], "std": [deviation_code], "standardize": [standardize_code]}
