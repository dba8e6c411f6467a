"""Calls of what depends on an index: functions entry by entry, reductions, and sums over the index itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from matcalc import core
from matcalc.dims import same_shape, times
from matcalc.expr import Expr, Op, record
from matcalc.frontend.chains import Operand
from matcalc.frontend.indexed_values import Indexed, NotLiftedError, aligned, as_indexed, norm_of
from matcalc.indices.conditions import Condition, guarded, mask_of, safe_argument
from matcalc.indices.contraction import NoMatrixError
from matcalc.indices.terms import Along, Apply, Index, Term, Total, Value, product_of_terms, renamed
from matcalc.ops.elementwise import absolute

BINDERS = ("sum", "mean", "prod", "max", "min", "logsumexp")
CONDITIONAL = ("sum", "prod")  # those that may have conditions: a term without effect is known
NESTED = ("max", "min", "logsumexp", "prod")  # of all entries: of the rows, of that


def along(entry: Op, rest: Sequence[Any] = ()) -> Callable[[Expr, int | None], Expr]:
    """The operation along an axis of a matrix of values."""

    def build(M: Expr, axis: int | None) -> Expr:
        if any(p.kind == "axis" for p in entry.params):
            return entry(M, axis, *rest)
        if axis is not None:
            raise NoMatrixError(f"{entry.name} over one index of what depends on another")
        return entry(M)

    return build


def reduced(name: str, indices: Sequence[Index], conditions: Sequence[Condition], value: Indexed) -> Indexed:
    """sum(i=1..n, value), and the same of a mean, a product, a maximum."""
    if name in ("sum", "mean"):
        body = product_of_terms([mask_of(conditions), value.term]) if conditions else value.term
        total: Term = Total(tuple(indices), body)
        if name == "mean":
            count = core.exact_dim(times(*(i.size for i in indices)))
            total = product_of_terms([Value(core.number(1 / count)), total])
        return value.like(total)
    term = guarded(value.term, conditions, core.number(1))  # only products have conditions
    for index in reversed(indices):
        term = Along(along(record(name)), index, term)
    return value.like(term)


def applied(entry: Op, args: list[Operand], params: Sequence[Any], conditions: Sequence[Condition]) -> Indexed:
    """A call of an operation of which an argument depends on an index.

    Raises:
        NotIndexedError: it is neither entry by entry nor a reduction.
    """
    first = as_indexed(args[0].value)
    if entry.scalar_function is not None:
        safe = safe_argument(entry)
        inside = first.term if safe is None else guarded(first.term, conditions, safe)
        return first.like(Apply(lambda values: entry(*values[:1], *params), (inside,)))
    if entry.broadcasts:
        terms, row, column = aligned(args)
        return Indexed(Apply(lambda values: entry(*values, *params), tuple(terms)), row, column)
    if len(args) == 1 and any(p.kind == "axis" for p in entry.params):
        return _along_axis(entry, first, list(params))
    if len(args) == 1:
        return _of_all(entry, first, conditions)
    raise _unreadable(entry)


def _unreadable(entry: Op) -> NotLiftedError:
    return NotLiftedError(
        f"{entry.name} of what depends on an index has no matrix form that is known: functions entry by entry, sums, "
        "means, maxima, norms and products have one"
    )


def _of_all(entry: Op, v: Indexed, conditions: Sequence[Condition]) -> Indexed:
    """A reduction without an axis."""
    if entry.name == "norm2":
        return Indexed(norm_of(v, conditions))
    if entry.name == "norm1":
        size = Apply(lambda values: absolute(*values), (v.term,))
        return Indexed(Total(tuple(v.labels), size) if v.labels else size)
    if entry.name == "tr" and v.row is not None and v.column is not None:
        return Indexed(Total((v.row,), renamed(v.term, {v.column: v.row})))
    if entry.name == "tr" and v.is_scalar:
        return v
    if entry.name in NESTED:
        return _nested(entry, v)
    raise _unreadable(entry)


def _nested(entry: Op, v: Indexed) -> Indexed:
    term = v.term
    for label in v.labels:
        term = Along(along(entry), label, term)
    return Indexed(term)


def _along_axis(entry: Op, v: Indexed, params: list[Any]) -> Indexed:
    """A reduction, or an operation along rows or columns."""
    at = next(k for k, p in enumerate(entry.params) if p.kind == "axis")
    axis, rest = params[at], [p for k, p in enumerate(params) if k != at]
    labels = [p for p in ([v.row] if axis == 1 else [v.column] if axis == 2 else v.labels) if p is not None]
    row = None if axis in (1, None) else v.row
    column = None if axis in (2, None) else v.column
    wide = len(v.term.free | frozenset(labels)) > 2
    if entry.name == "sum" or (entry.name == "mean" and (wide or len(labels) != 1)):
        total: Term = Total(tuple(labels), v.term) if labels else v.term
        if entry.name == "mean" and labels:
            count = core.exact_dim(times(*(i.size for i in labels)))
            total = product_of_terms([Value(core.number(1 / count)), total])
        return Indexed(total, row, column)
    if entry.name in NESTED and axis is None:
        return _nested(entry, v)
    if len(labels) != 1:
        raise _unreadable(entry)
    sample = core.var("X", 2, 3)
    keeps = same_shape(entry(sample, 2, *rest).shape, sample.shape)
    term = Along(along(entry, rest), labels[0], v.term, keeps)
    return v.like(term) if keeps else Indexed(term, row, column)
