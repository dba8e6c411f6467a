"""Indices and slices of arrays, counted from 0, and writing into arrays that the function made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matcalc import core
from matcalc.dims import Dim, is_one, plus, same, surely_negative
from matcalc.errors import MatcalcError, NoRuleError, ShapeError
from matcalc.expr import Expr, node
from matcalc.frontend.tracing.arrays import MATRIX, Value, block_matrix, common_shape, matrix_shape, sizes_text
from matcalc.frontend.tracing.tensors import RANK, Tensor, expanded
from matcalc.ops.selection import slice_

Range = tuple[Dim, Dim]  # the first and the last index, counted from 1
DATA = "an index that depends on values: multiply by a one-hot matrix Y instead, as in np.sum(Y * Z, axis=1)"


def taken(a: Value, index: Any) -> Value | Tensor:
    """a[index] for whole numbers, slices, None and ...

    Raises:
        NoRuleError: an index is an array or depends on values.
    """
    items = _complete(index, a.rank)
    ranges: list[Range] = []
    shape: list[Dim] = []
    kept: list[int] = []  # of which new axes the old ones are
    for item in items:
        if item is None:
            shape.append(1)
            continue
        size = a.shape[len(ranges)]
        ranges.append(_range(item, size))
        if isinstance(item, slice):
            kept.append(len(shape))
            shape.append(plus(ranges[-1][1], -ranges[-1][0], 1))
    cut = part(a.expr, *_matrix_ranges(ranges))
    rest = [i for i in items if i is not None]
    inner = _without_axes(cut, [isinstance(i, slice) for i in rest])
    if len(shape) == RANK:
        return expanded(inner, shape, kept)
    return _placed(inner, shape, kept)


def _complete(index: Any, rank: int) -> list[Any]:
    """The index of every axis."""
    items = list(index) if isinstance(index, tuple) else [index]
    for item in items:
        if not (item is None or item is Ellipsis or isinstance(item, (int, slice)) or _is_exact(item)):
            raise NoRuleError(DATA)
        if isinstance(item, bool):
            raise NoRuleError(DATA)
    used = sum(1 for i in items if i is not None and i is not Ellipsis)
    if used > rank:
        raise MatcalcError(f"{used} indices for an array of rank {rank}")
    fill = [slice(None)] * (rank - used)
    if Ellipsis in items:
        k = items.index(Ellipsis)
        return [*items[:k], *fill, *items[k + 1 :]]
    return [*items, *fill]


def _is_exact(item: Any) -> bool:
    return hasattr(item, "free_symbols")


def _range(item: Any, size: Dim) -> Range:
    if not isinstance(item, slice):
        k = _position(item, size)
        if surely_negative(k) or surely_negative(plus(size, -k, -1)):
            raise MatcalcError(f"there is no index {item} on an axis of length {size}")
        return plus(k, 1), plus(k, 1)
    if item.step not in (None, 1):
        raise NoRuleError(f"a slice with a step ({item.step}): multiply by a selection matrix")
    first = 0 if item.start is None else _position(item.start, size)
    last = size if item.stop is None else _position(item.stop, size)
    if isinstance(last, int) and isinstance(size, int):
        last = min(last, size)
    if surely_negative(plus(last, -first, -1)):
        raise NoRuleError(f"the slice {item.start}:{item.stop} of an axis of length {size} is empty")
    return plus(first, 1), last


def _position(k: Any, size: Dim) -> Dim:
    """An index from 0, negative ones from the end."""
    if isinstance(k, int):
        return plus(size, k) if k < 0 else k
    return plus(size, k) if surely_negative(k) else k


def _matrix_ranges(ranges: Sequence[Range]) -> tuple[Range, Range]:
    padded = [*ranges, (1, 1), (1, 1)]
    return padded[0], padded[1]


def _without_axes(cut: Expr, sliced: Sequence[bool]) -> Value:
    """The array of a part: the axes that were indexed by a number are gone."""
    shape = tuple(d for d, keep in zip(cut.shape, sliced) if keep)
    row = len(sliced) == MATRIX and sliced == [False, True]
    return Value(core.transpose(cut) if row and not cut.is_scalar else cut, shape)


def _placed(a: Value, shape: Sequence[Dim], kept: Sequence[int]) -> Value:
    """The array with new axes of length 1."""
    target = tuple(shape)
    row = a.rank == 1 and len(target) == MATRIX and kept == [1]
    return Value(core.transpose(a.expr) if row and not a.expr.is_scalar else a.expr, target)


# ------------------------------------------------------------------------------------------------ parts


def part(e: Expr, rows: Range, columns: Range) -> Expr:
    """The rows and columns of a matrix from the first to the last; blocks are taken out as they are."""
    whole = [same(first, 1) and same(last, size) for (first, last), size in zip((rows, columns), e.shape)]
    if all(whole):
        return e
    shape = plus(rows[1], -rows[0], 1), plus(columns[1], -columns[0], 1)
    if e.op in ("ones", "zeros"):
        return node(e.op, (), shape)
    if e.op == "block" and whole[1] and set(e.params[0].split()) == {"1"}:
        found = _rows_of(e, rows)
        if found is not None:
            return found
    return slice_(e, *rows, *columns)


def _rows_of(e: Expr, rows: Range) -> Expr | None:
    """Rows of a stack of blocks, where all sizes are numbers."""
    start = 1
    inside: list[Expr] = []
    if not all(isinstance(d, int) for d in (*rows, *(block.shape[0] for block in e.args))):
        return None
    for block in e.args:
        end = start + block.shape[0] - 1
        first, last = max(start, rows[0]), min(end, rows[1])
        if first <= last:
            inside.append(part(block, (first - start + 1, last - start + 1), (1, e.shape[1])))
        start = end + 1
    return block_matrix([[b] for b in inside])


def written(a: Value, index: Any, new: Value) -> Value:
    """The array after a[index] = new.

    Raises:
        NoRuleError: the index is not a range of rows and columns.
    """
    items = _complete(index, a.rank)
    if any(i is None for i in items):
        raise NoRuleError("writing at a new axis")
    ranges = [_range(item, size) for item, size in zip(items, a.shape)]
    rows, columns = _matrix_ranges(ranges)
    shape = tuple(plus(r[1], -r[0], 1) for r, i in zip(ranges, items) if isinstance(i, slice))
    if len(common_shape([shape, new.shape], "=")) > len(shape):
        raise ShapeError(f"cannot write {sizes_text(new.shape)} into {sizes_text(shape)}")
    size = plus(rows[1], -rows[0], 1), plus(columns[1], -columns[0], 1)
    row = a.rank == MATRIX and new.rank == 1 and isinstance(items[1], slice)
    put = core.broadcast(core.transpose(new.expr) if row and not new.expr.is_scalar else new.expr, size)
    m, n = matrix_shape(a.shape)
    lines = [
        *_strip(a.expr, _before(rows[0]), (1, n)),
        [*_cells(a.expr, rows, _before(columns[0])), put, *_cells(a.expr, rows, _after(columns[1], n))],
        *_strip(a.expr, _after(rows[1], m), (1, n)),
    ]
    return Value(block_matrix(_merged(lines)), a.shape)


def _before(first: Dim) -> Range | None:
    return None if is_one(first) else (1, plus(first, -1))


def _after(last: Dim, size: Dim) -> Range | None:
    return None if same(last, size) else (plus(last, 1), size)


def _strip(e: Expr, rows: Range | None, columns: Range) -> list[list[Expr]]:
    return [] if rows is None else [[part(e, rows, columns)]]


def _cells(e: Expr, rows: Range, columns: Range | None) -> list[Expr]:
    return [] if columns is None else [part(e, rows, columns)]


def _merged(lines: list[list[Expr]]) -> list[list[Expr]]:
    """Stacks of blocks inside a stack are opened."""
    opened: list[list[Expr]] = []
    for line in lines:
        e = line[0]
        if len(line) == 1 and e.op == "block" and set(e.params[0].split()) == {"1"}:
            opened.extend([b] for b in e.args)
        else:
            opened.append(line)
    return opened
