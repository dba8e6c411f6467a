"""The operation count: what "simpler" means. Leaves, names, signs and broadcasts are free."""

from __future__ import annotations

from typing import Any

from matcalc.expr import Expr, postorder, record

APART = 6  # for each matrix of entries beside another one in a sum: they are added entry by entry


def weight(e: Expr) -> int:
    """The operations of the root of `e` alone."""
    op = e.op
    if op == "add":
        return len(e.args) - 1 + APART * max(0, sum(map(_is_written_out, e.args)) - 1)
    if op == "block":
        return 1 + sum(b.op == "zeros" for b in e.args)
    if op in ("hadamard", "matmul"):
        return len(e.args) - 1
    if op == "scale":
        first = e.args[0]
        return len(e.args) - 2 + _multiplications(first.params[0]) if first.op == "number" else len(e.args) - 1
    if op == "eye":
        return 1 + (not isinstance(e.params[0], int) and not e.params[0].is_Symbol)
    return record(op).cost


def _is_written_out(t: Expr) -> bool:
    """Whether a term of a sum is a matrix written entry by entry, or a multiple of one."""
    body = t.args[-1] if t.op == "scale" else t
    return body.op == "block" and all(b.is_scalar for b in body.args)


def _multiplications(c: Any) -> int:
    """The operations of multiplying by a number: 2/n are two, signs are free."""
    if c.is_Rational:
        return int(abs(c) != 1)
    above, below = c.as_numer_denom()
    return int(abs(above) != 1) + int(below != 1)


def cost(e: Expr) -> int:
    """The number of operations of `e` written out as a tree; names are not opened. Kept at the expression."""
    if e._cost is not None:
        return e._cost
    for sub in postorder((e,), through_names=False, stop=_is_counted):
        below = 0 if sub.op == "named" else sum(a._cost or 0 for a in sub.args)
        object.__setattr__(sub, "_cost", weight(sub) + below)
    return e._cost or 0


def _is_counted(e: Expr) -> bool:
    return e._cost is not None


def substance(e: Expr) -> int:
    """The operations that a reader thinks about: those of `cost` but transposes and multiplications by numbers."""
    counts: dict[Expr, int] = {}
    for sub in postorder((e,), through_names=False):
        own = 0 if sub.op == "transpose" else len(sub.args) - 2 if _is_multiple(sub) else weight(sub)
        counts[sub] = own + (0 if sub.op == "named" else sum(counts[a] for a in sub.args))
    return counts[e]


def _is_multiple(e: Expr) -> bool:
    return e.op == "scale" and e.args[0].op == "number"
