"""One edit of an expression at a time: what a slip of the pen changes. Used both ways, as mistakes and as repairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import permutations

from matcalc import core
from matcalc.claims.prover import replaced
from matcalc.dims import is_one, same_shape
from matcalc.errors import MatcalcError
from matcalc.expr import Expr, node, postorder
from matcalc.walk import rebuild

MAX_EDITS = 400


@dataclass(frozen=True)
class Edit:
    """One change.

    Attributes:
        kind: `drop term`, `drop factor`, `sign`, `transpose`, `order`, `product`, `elementwise`, `mean`, ...
        place: the part that is changed.
        result: the whole expression after it.
    """

    kind: str
    place: Expr
    result: Expr


def edits(e: Expr) -> Iterator[Edit]:
    """The expressions of the same shape that differ from `e` by one edit, with the names left closed."""
    count = 0
    for sub in reversed(list(postorder((e,), through_names=False))):
        for kind, place, new in _local(sub):
            if new is sub or not same_shape(new.shape, sub.shape):
                continue
            changed = _with(e, sub, new)
            if changed is not None and changed is not e and same_shape(changed.shape, e.shape):
                yield Edit(kind, place, changed)
                count += 1
                if count == MAX_EDITS:
                    return


def _with(e: Expr, old: Expr, new: Expr) -> Expr | None:
    try:
        return replaced(e, old, new)
    except MatcalcError:  # the edit does not fit there
        return None


def _local(e: Expr) -> Iterator[tuple[str, Expr, Expr]]:
    """The edits at the root: kind, the part concerned, what takes the place of `e`."""
    for kind, place, made in _candidates(e):
        try:
            yield kind, place, made()
        except MatcalcError:  # shapes do not fit: nobody would have written it
            continue


def _candidates(e: Expr) -> Iterator[tuple[str, Expr, Callable[..., Expr]]]:
    if e.op == "add":
        yield from _of_sum(e)
    elif e.op in ("scale", "hadamard", "matmul"):
        yield from _of_product(e)
    elif e.op == "transpose":
        yield "transpose", e.args[0], lambda: e.args[0]
    elif e.op in ("sum", "mean"):
        other = "mean" if e.op == "sum" else "sum"
        yield other, e, lambda: node(other, e.args, e.params)
    elif e.op in ("var", "std"):
        yield "degrees of freedom", e, lambda: node(e.op, e.args, (e.params[0], 1 - int(e.params[1])))
    elif e.op == "inv":
        yield "inverse", e.args[0], lambda: e.args[0]
    elif e.op == "power" and e.args[1].op == "number":
        k = e.args[1].params[0]
        yield "reciprocal", e.args[0], lambda: core.power(e.args[0], core.number(-k))
        if k != 1:
            yield "power", e.args[0], lambda: e.args[0]
    elif e.op == "divide":
        a, b = e.args
        yield "reciprocal", b, lambda: core.scale(a, b) if e.is_scalar else core.hadamard(a, b)
    if e.op in ("variable", "named", "inv", "sum", "func", "matpow") and not e.is_scalar:
        yield "transpose", e, lambda: core.transpose(e)


def _of_sum(e: Expr) -> Iterator[tuple[str, Expr, Callable[..., Expr]]]:
    for k, t in enumerate(e.args):
        rest = (*e.args[:k], *e.args[k + 1 :])
        yield "drop term", t, lambda rest=rest: core.add(*rest)
        yield "sign", t, lambda k=k, t=t: core.add(*e.args[:k], core.minus(t), *e.args[k + 1 :])
        for number in (2, core.exact("0.5")):
            yield (
                f"factor {core.exact(number)}",
                t,
                lambda k=k, t=t, number=number: core.add(
                    *e.args[:k], core.scale(core.number(number), t), *e.args[k + 1 :]
                ),
            )


def _of_product(e: Expr) -> Iterator[tuple[str, Expr, Callable[..., Expr]]]:
    for k, f in enumerate(e.args):
        if f.number == -1:  # that is a sign
            continue
        rest = (*e.args[:k], *e.args[k + 1 :])
        yield "drop factor", f, lambda rest=rest: rebuild(e, rest) if len(rest) > 1 else rest[0]
    if e.op == "hadamard":
        for (i, a), (k, b) in permutations(enumerate(e.args), 2):
            others = tuple(f for n, f in enumerate(e.args) if n not in (i, k))
            yield "product", e, lambda a=a, b=b, others=others: core.hadamard(core.matmul(a, b), *others)
    if e.op == "matmul":
        for k, (a, b) in enumerate(zip(e.args, e.args[1:])):
            before, after = e.args[:k], e.args[k + 2 :]
            yield "order", e, lambda a=a, b=b, p=before, q=after: core.matmul(*p, b, a, *q)
            if not (is_one(a.shape[1]) and is_one(b.shape[0])):
                yield "elementwise", e, lambda a=a, b=b, p=before, q=after: core.matmul(*p, core.hadamard(a, b), *q)
