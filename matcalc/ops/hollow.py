"""Matrices that are 0 on their diagonal whatever the variables are: the distances of one set of points, 1 1' - I."""

from __future__ import annotations

from math import prod
from typing import Any

from matcalc import core
from matcalc.dims import is_one, same, sign
from matcalc.expr import Expr, number_value, record
from matcalc.properties import known

_DEEPEST = 8  # names, transposes and factors that are looked through
_PRODUCTS = frozenset(("scale", "hadamard"))
_KEEPS_ZERO = frozenset(("sqrt", "abs", "transpose", "named"))


def is_hollow(e: Expr, depth: int = _DEEPEST) -> bool:
    """Whether a square matrix has a diagonal of zeros by its form alone."""
    if depth == 0 or is_one(e.shape[0]) or not same(*e.shape):
        return False
    if e.op == "pdist2":
        return e.args[0].digest == e.args[1].digest
    if e.op in _KEEPS_ZERO or (e.op == "power" and e.args[1].op == "number" and sign(number_value(e.args[1])) == 1):
        return is_hollow(e.args[0], depth - 1)
    if e.op in _PRODUCTS:
        return any(is_hollow(a, depth - 1) for a in e.args)
    return e.op == "add" and _on_diagonal(e, depth) == 0


def _on_diagonal(e: Expr, depth: int) -> Any:
    """The number that stands everywhere on the diagonal; None where it is no number, or not seen."""
    if depth == 0:
        return None
    if e.op in ("eye", "ones"):
        return 1
    if e.op == "number":
        return number_value(e)
    if e.op in ("broadcast", "named", "transpose"):
        return _on_diagonal(e.args[0], depth - 1)
    if e.op in ("scale", "add"):
        parts = [_on_diagonal(a, depth - 1) for a in e.args]
        if all(part is not None for part in parts):
            return sum(parts) if e.op == "add" else prod(parts)
    return 0 if e.op != "add" and is_hollow(e, depth) else None


def distances_in(e: Expr) -> Expr | None:
    """The distances that make the diagonal of a matrix 0; None where something else does."""
    if e.op == "pdist2" and is_hollow(e):
        return e
    followed = e.args[:1] if e.op in _KEEPS_ZERO or e.op == "power" else e.args if e.op in _PRODUCTS else ()
    return next((found for a in followed if (found := distances_in(a)) is not None), None)


def positive_off_diagonal(X: Expr) -> tuple[tuple[str, Expr], ...]:
    """The entries beside the diagonal are positive; nothing is needed of a mask times what is positive."""
    factors = X.args if X.op in _PRODUCTS else (X,)
    if all(known(f, "positive") or _is_mask(f) for f in factors):
        return ()
    return (("positive", core.add(X, core.eye(X.shape[0]))),)


def _is_mask(e: Expr) -> bool:
    """Whether it is c (1 1' - I) for a positive number c."""
    e = e.args[0] if e.op == "named" else e
    others = [a for a in e.args if a.op in ("ones", "broadcast", "number")] if e.op == "add" else []
    return len(e.args) == len(others) + 1 > 1 and is_hollow(e) and sum(_on_diagonal(a, _DEEPEST) for a in others) > 0


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
