"""Logarithms of log-convex values: sums, products and positive powers of such values are log-convex again."""

from __future__ import annotations

from matcalc.curvature.composition import BOYD, CONVEX, Composition, Shape, atom
from matcalc.expr import Expr, operations
from matcalc.ops.arithmetic import broadcast
from matcalc.ops.products import diagvec, reshape_, transpose, vec
from matcalc.ops.reductions import mean_, sum_
from matcalc.ops.selection import slice_

_SUMS = operations(sum_, mean_, broadcast, transpose, diagvec, vec, reshape_, slice_)


@atom
def log_of_log_convex(c: Composition, e: Expr) -> Shape | None:
    """log(exp(f) + exp(g)) and its kin, f and g convex."""
    if e.op != "log" or c.is_constant(e) or not is_log_convex(c, e.args[0]):
        return None
    return c.says("log_convex", "sums and products of log-convex values are log-convex", f"{BOYD}, 3.5.2", e, CONVEX)


def is_log_convex(c: Composition, e: Expr) -> bool:
    """Whether every entry is positive, and the exponential of something convex."""
    if c.is_constant(e):
        return c.ranges.of(e).positive
    if e.op == "exp":
        return c.of(e.args[0]).convex
    if e.op in ("add", "scale", "hadamard") or e.op in _SUMS:
        return all(is_log_convex(c, a) for a in e.args)
    if e.op == "power" and e.args[1].number is not None and e.args[1].number.is_number:
        p, base = e.args[1].number, e.args[0]
        if p.is_positive:
            return is_log_convex(c, base)
        return bool(p.is_negative) and c.of(base).concave and c.ranges.of(base).positive
    return False
