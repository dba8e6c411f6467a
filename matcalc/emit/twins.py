"""Transposed twins: where an expression and its transpose are both needed, one is computed and the other is a view."""

from __future__ import annotations

from collections.abc import Iterable

from matcalc import core
from matcalc.dims import is_one
from matcalc.expr import Expr, node, postorder, rebuild, record

_MIRRORED = frozenset(["add", "hadamard", "divide", "matmul", "scale"])


def without_twins(roots: Iterable[Expr]) -> dict[Expr, Expr]:
    """For each root the same with later twins written as transposes of the first."""
    roots = list(roots)
    done: dict[Expr, Expr] = {}
    mirror: dict[Expr, Expr] = {}
    first: dict[bytes, Expr] = {}
    for e in postorder(roots):
        new = rebuild(e, [done[a] for a in e.args]) if e.args else e
        turned = _mirror(new, mirror)
        if _is_work(new):
            twin = first.get(turned.digest)
            if twin is not None and turned.digest != new.digest:
                new, turned = core.transpose(twin), twin
            else:
                first.setdefault(new.digest, new)
        mirror.setdefault(new, turned)
        done[e] = new
    return {root: done[root] for root in roots}


def _is_work(e: Expr) -> bool:
    return (e.op in _MIRRORED or _is_function(e)) and not any(map(is_one, e.shape))


def _is_function(e: Expr) -> bool:
    return record(e.op).scalar_function is not None


def _mirror(e: Expr, mirror: dict[Expr, Expr]) -> Expr:
    """The transpose with transposition taken down to the variables."""
    if e.is_scalar:
        return e
    turned = [mirror.get(a, a) if not a.is_scalar else a for a in e.args]
    if e.op == "transpose":
        return e.args[0]
    if e.op == "matmul":
        return node("matmul", turned[::-1])
    if e.op in _MIRRORED or _is_function(e):
        return rebuild(e, turned)
    if e.op == "broadcast":
        return core.broadcast(turned[0], e.shape[::-1])
    return core.transpose(e)
