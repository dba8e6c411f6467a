"""Differentials as they are read: the differential last in its product and not transposed, like terms collected."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from matcalc import core
from matcalc.exact import ONE
from matcalc.expr import Expr, record
from matcalc.ops.equations import dlyapunov, lyapunov
from matcalc.rewrite.engine import Rewriter
from matcalc.rewrite.terms import coefficient_and_rest, times_number
from matcalc.walk import depends, rebuild, transform

SOLUTIONS = (lyapunov.name, dlyapunov.name)


def oriented(e: Expr, differentials: Collection[Expr], rewriter: Rewriter) -> Expr:
    """A 1 x 1 differential with every product and trace turned so that the differential stands last; terms collected.

    A number is its own transpose, so is a trace, and the factors of a trace go round.
    """
    if not e.is_scalar:
        return e
    return transform(
        (e,),
        lambda new, old: _gathered(_collected(_turned(new, differentials, rewriter)), differentials),
        through_names=False,
    )[e]


def _turned(e: Expr, differentials: Collection[Expr], rewriter: Rewriter) -> Expr:
    if e.op == "matmul" and e.is_scalar:
        where = _place(e, differentials)
        if where is None or where[1] is False:
            return e
        return core.matmul(*(_flipped(f, rewriter) for f in reversed(e.args)))
    if e.op == "tr" and e.args[0].op == "matmul":
        product = e.args[0]
        where = _place(product, differentials)
        if where is None:
            return e
        factors = list(product.args)
        k, flip = where
        if flip:
            factors = [_flipped(f, rewriter) for f in reversed(factors)]
            k = len(factors) - 1 - k
        return core.trace(core.matmul(*factors[k + 1 :], *factors[: k + 1]))
    return e


def _place(product: Expr, differentials: Collection[Expr]) -> tuple[int, bool] | None:
    """Which factor is a differential, and whether it is transposed."""
    for k, f in enumerate(product.args):
        if f in differentials:
            return k, False
        if f.op == "transpose" and f.args[0] in differentials:
            return k, True
    return None


def _flipped(f: Expr, rewriter: Rewriter) -> Expr:
    if f.op == "transpose":
        return f.args[0]
    return rewriter.simplify(core.transpose(f))


def _collected(e: Expr) -> Expr:
    """A sum with its equal terms added."""
    if e.op != "add":
        return e
    found: dict[Expr, Any] = {}
    for t in e.args:
        coefficient, rest = coefficient_and_rest(t)
        if rest is None:
            return e
        found[rest] = found.get(rest, 0) + coefficient
    if len(found) == len(e.args):
        return e
    terms = [times_number(c, rest) for rest, c in found.items() if c != 0]
    return core.add(*terms) if terms else core.number(0)


def _gathered(e: Expr, differentials: Collection[Expr]) -> Expr:
    """sum(A .* dX) - sum(B .* dX) as sum((A - B) .* dX), and means likewise."""
    if e.op != "add":
        return e
    found: dict[tuple[str, Expr], list[tuple[Any, Expr | None]]] = {}
    others = []
    for t in e.args:
        coefficient, rest = coefficient_and_rest(t)
        weighed = None if rest is None else _weighed(rest, differentials)
        if weighed is None:
            others.append(t)
        else:
            found.setdefault(weighed[:2], []).append((coefficient, weighed[2]))
    if all(len(parts) == 1 for parts in found.values()):
        return e
    terms = [_weighted_sum(op, dX, parts) for (op, dX), parts in found.items()]
    return core.add(*terms, *others)


def _weighed(t: Expr, differentials: Collection[Expr]) -> tuple[str, Expr, Expr | None] | None:
    """The operation, the differential and the weights of sum(A .* dX) or mean(A .* dX); weights of 1 are None."""
    if t.op not in ("sum", "mean") or t.params[0] is not None:
        return None
    factors = t.args[0].args if t.args[0].op == "hadamard" else t.args
    moving = [f for f in factors if f in differentials]
    rest = [f for f in factors if f not in differentials]
    if len(moving) != 1 or depends(rest, differentials, through_names=False) - set(differentials):
        return None
    return t.op, moving[0], core.hadamard(*rest) if rest else None


def _weighted_sum(op: str, dX: Expr, parts: list[tuple[Any, Expr | None]]) -> Expr:
    parts = sorted(parts, key=lambda part: (bool(part[0].is_negative), part[1] is None))
    first = parts[0][0] if len(parts) == 1 or len({abs(c) for c, _ in parts}) == 1 else ONE
    terms = [
        core.broadcast(core.number(c / first), dX.shape) if A is None else times_number(c / first, A) for c, A in parts
    ]
    weights = core.add(*terms)
    inside = dX if len(parts) == 1 and parts[0][1] is None else core.hadamard(weights, dX)
    return times_number(first, core.total(inside) if op == "sum" else core.mean(inside))


def arranged(e: Expr, differentials: Collection[Expr]) -> Expr:
    """Entrywise products with the differential as their last factor, as they are written by hand."""
    moving = depends((e,), differentials, through_names=False)

    def change(new: Expr, old: Expr) -> Expr:
        if old.op == "add" and old in moving:
            return solved_together(new)
        if old.op in ("broadcast", "matmul") and old in moving:
            return _numbers_in_front(new)
        if old.op != "hadamard":
            return new
        kept = [n for n, o in zip(new.args, old.args) if o not in moving]
        moved = [n for n, o in zip(new.args, old.args) if o in moving]
        return rebuild(new, (*kept, *moved)) if kept and moved else new

    return transform((e,), change, through_names=False)[e]


def solved_together(e: Expr) -> Expr:
    """Solutions of one linear equation with several right sides as that with their sum: lyapunov(F, X + Y)."""
    found: dict[tuple[str, Expr], list[tuple[Any, Expr]]] = {}
    others = []
    for t in e.args:
        coefficient, rest = coefficient_and_rest(t)
        if rest is None or rest.op not in SOLUTIONS:
            others.append(t)
        else:
            found.setdefault((rest.op, rest.args[0]), []).append((coefficient, rest.args[1]))
    if all(len(parts) == 1 for parts in found.values()):
        return e
    sums = []
    for (op, F), parts in found.items():
        sign = -1 if all(c.is_negative for c, _ in parts) else 1
        right = core.add(*(times_number(sign * c, X) for c, X in parts))
        sums.append(times_number(sign * ONE, record(op)(F, right)))
    return core.add(*others, *sums)


def _numbers_in_front(e: Expr) -> Expr:
    """A product or a broadcast with the numbers of its factors in front of it."""
    coefficient: Any = ONE
    args = []
    for a in e.args:
        c, rest = coefficient_and_rest(a)
        if rest is None:
            return e
        coefficient *= c
        args.append(rest)
    return e if coefficient == 1 else times_number(coefficient, rebuild(e, args))
