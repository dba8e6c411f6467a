"""Twins: what is equal in another order is computed once, and of a value and its transpose the second is a view.

Sums of entrywise products are brought to one form before, with the common factors in front, which is also cheaper.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp

from matcalc import core
from matcalc.dims import is_one
from matcalc.expr import Expr, number_value, record
from matcalc.ops.products import matmul_
from matcalc.walk import rebuild, transform

_MIRRORED = frozenset(["add", "hadamard", "divide", "matmul", "scale"])


def without_twins(roots: Iterable[Expr], *, vectors: bool = False) -> dict[Expr, Expr]:
    """For each root the same with later twins written as transposes of the first; of vectors too, if asked for."""
    roots = list(roots)
    mirror: dict[Expr, Expr] = {}
    first: dict[bytes, Expr] = {}

    def single(new: Expr, _: Expr) -> Expr:
        new = _number(_repeated_last(_with_factor_in_front(new)))
        if _is_work(new, vectors=vectors):
            new = first.get(new.digest, new)
        turned = _mirror(new, mirror)
        if _is_work(new, vectors=vectors):
            twin = first.get(turned.digest)
            if twin is not None and turned.digest != new.digest:
                new, turned = core.transpose(twin), twin
            else:
                first.setdefault(new.digest, new)
        mirror.setdefault(new, turned)
        return new

    done = transform(roots, single)
    return {root: done[root] for root in roots}


def _with_factor_in_front(e: Expr) -> Expr:
    """P .* A - P .* B = P .* (A - B)"""
    if e.op != "add" or e.is_scalar:
        return e
    terms = [_parts(t) for t in e.args]
    common = [f for f in terms[0][1] if all(f in factors for _, factors in terms[1:])]
    common = [f for f in dict.fromkeys(common) if f.op not in ("broadcast", "ones")]
    if not common or any(len(factors) == len(common) for _, factors in terms):
        return e
    rest = []
    for scalars, factors in terms:
        left = list(factors)
        for f in common:
            left.remove(f)
        rest.append(_repeated_last(core.scale(*scalars, core.hadamard(*left))))
    return core.hadamard(*common, core.add(*rest))


def _repeated_last(e: Expr) -> Expr:
    """c (1 r) = 1 (c r)"""
    if e.op != "scale" or e.args[-1].op != "broadcast":
        return e
    return core.broadcast(core.scale(*e.args[:-1], e.args[-1].args[0]), e.shape)


def _number(e: Expr) -> Expr:
    """sqrt(c) and c^k of a positive number, as derivatives have them"""
    if e.op not in ("sqrt", "power") or any(a.op != "number" for a in e.args):
        return e
    base, exponent = [*map(number_value, e.args), sp.Rational(1, 2)][:2]
    return core.number(base**exponent) if base.is_positive and exponent.is_Rational else e


def _parts(t: Expr) -> tuple[tuple[Expr, ...], tuple[Expr, ...]]:
    """The scalars and the entrywise factors of a term."""
    scalars, body = (t.args[:-1], t.args[-1]) if t.op == "scale" else ((), t)
    return scalars, body.args if body.op == "hadamard" else (body,)


def _is_work(e: Expr, *, vectors: bool) -> bool:
    return (e.op in _MIRRORED or _is_function(e)) and not (e.is_scalar if vectors else any(map(is_one, e.shape)))


def _is_function(e: Expr) -> bool:
    return record(e.op).scalar_function is not None


def _mirror(e: Expr, mirror: dict[Expr, Expr]) -> Expr:
    """The transpose with transposition taken down to the variables."""
    if e.is_scalar:
        return e
    turned = [a if a.is_scalar else mirror[a] if a in mirror else core.transpose(a) for a in e.args]
    if e.op == "transpose":
        return e.args[0]
    if e.op == "matmul":
        return matmul_(*turned[::-1])
    if e.op in _MIRRORED or _is_function(e):
        return rebuild(e, turned)
    if e.op == "broadcast":
        return core.broadcast(turned[0], e.shape[::-1])
    return core.transpose(e)
