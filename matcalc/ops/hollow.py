"""Matrices that are 0 on their diagonal whatever the variables are: the distances of one set of points."""

from __future__ import annotations

from typing import Any

from matcalc import core
from matcalc.dims import is_one, same, sign
from matcalc.expr import Expr, number_value, record

_DEEPEST = 8  # names, transposes and factors that are looked through
_KEEPS_ZERO = frozenset(("sqrt", "abs", "transpose", "named"))


def is_hollow(e: Expr, depth: int = _DEEPEST) -> bool:
    """Whether a square matrix has a diagonal of zeros by its form alone."""
    if depth == 0 or is_one(e.shape[0]) or not same(*e.shape):
        return False
    if e.op == "pdist2":
        return e.args[0].digest == e.args[1].digest
    if e.op in _KEEPS_ZERO or (e.op == "power" and e.args[1].op == "number" and sign(number_value(e.args[1])) == 1):
        return is_hollow(e.args[0], depth - 1)
    if e.op in ("scale", "hadamard"):
        return any(is_hollow(a, depth - 1) for a in e.args)
    return e.op == "add" and all(is_hollow(a, depth - 1) for a in e.args)


def positive_off_diagonal(X: Expr) -> tuple[tuple[str, Expr], ...]:
    """The entries beside the diagonal are positive."""
    return (("positive", core.add(X, core.eye(X.shape[0]))),)


def root_domain(X: Expr) -> tuple[tuple[str, Expr], ...]:
    """Where the root of X is differentiable: where X is positive, as far as it ever is."""
    return positive_off_diagonal(X) if is_hollow(X) else (("positive", X),)


def root_slope(Y: Expr, X: Expr) -> Expr:
    """The slope of Y = sqrt(X); the subgradient 0 on a diagonal that is always 0."""
    slope = core.scale(core.number(core.exact("0.5")), core.power(Y, -1))
    return where_positive(X, slope) if is_hollow(X) else slope


def where_positive(X: Expr, slope: Expr) -> Expr:
    """A slope where X > 0; the subgradient 0 where X is 0."""
    zero: Any = core.broadcast(core.number(0), X.shape)
    return record("where")(X, zero, slope, zero, ">")
