"""Blocks, slices, triangles, vech and cumulative sums: where entries are placed and which are taken.

Rows and columns are counted from 1, and ranges include their ends, as in the text syntax.
"""

from __future__ import annotations

from typing import Any

from matcalc import core
from matcalc.dims import (
    Dim,
    Shape,
    is_one,
    plus,
    same,
    shape_text,
    simplified,
    surely_negative,
    surely_nonnegative,
    times,
)
from matcalc.errors import ShapeError
from matcalc.expr import Expr, Param
from matcalc.map_kinds import LinearMap
from matcalc.maps import mask, placing, sandwich, taking, unvech, vech
from matcalc.notation import Call, Level, Notation, Template
from matcalc.ops.define import AXIS, always, anywhere, keeps, like, need_square, op
from matcalc.ops.leaves import ELEMENTARY
from matcalc.ops.reductions import axis_helper, axis_latex
from matcalc.properties import BIT, bits

MN_VECH = "Magnus & Neudecker, The elimination matrix: some lemmas and applications (1980)"
ENTRY_FACTS = ("positive", "nonnegative", "nonzero", "constant")
ZERO_KEEPING = bits("nonnegative", "constant")


# ------------------------------------------------------------------------------------------------ slices


def _extent(X: Expr, axis: int, first: Dim, last: Dim) -> Dim:
    """How many rows or columns there are from `first` to `last`."""
    what, size = ("row", "column")[axis], X.shape[axis]
    count = plus(last, -first, 1)
    if surely_negative(plus(count, -1)):
        raise ShapeError(f"the slice from {what} {first} to {last} of {{}} is empty", X)
    if surely_negative(plus(size, -last)):
        raise ShapeError(f"{{}} ({shape_text(X.shape)}) has no {what} {last}", X)
    return count


def _slice_shape(X: Expr, row: Dim, last_row: Dim, column: Dim, last_column: Dim) -> Shape:
    return _extent(X, 0, row, last_row), _extent(X, 1, column, last_column)


def _slice_latex(row: Dim, last_row: Dim, column: Dim, last_column: Dim) -> Notation:
    rows = "{p0}" if same(row, last_row) else "{p0}:{p1}"
    columns = "{p2}" if same(column, last_column) else "{p2}:{p3}"
    return Template(rf"\left[{{0}}\right]_{{{{{rows},\, {columns}}}}}", Level.POSTFIX)


def fits(size: Dim, last: Dim) -> tuple[tuple[str, Expr], ...]:
    """The condition that there is a row or column `last`; none where the dimensions say so."""
    room = plus(size, -last)
    return () if surely_nonnegative(room) else (("positive", core.number(plus(room, 1))),)


RANGES = tuple(Param(name, "dim") for name in ("row", "last_row", "column", "last_column"))


@op(
    shape=_slice_shape,
    latex=_slice_latex,
    numpy=Call("_slice"),
    domain=lambda X, row, last_row, column, last_column: (*fits(X.shape[0], last_row), *fits(X.shape[1], last_column)),
    source=ELEMENTARY,
    example=("4 5", 2, 3, 2, 5),
    facts=keeps(*ENTRY_FACTS),
    params=RANGES,
    linear=True,
    syntax="form",
)
def slice_(Y: Expr, X: Expr, row: Dim, last_row: Dim, column: Dim, last_column: Dim) -> tuple[LinearMap, ...]:
    """d X[i:j, k:l] = dX[i:j, k:l]"""
    return (taking(X.shape, Y.shape, row, column),)


def _place_shape(X: Expr, m: Dim, n: Dim, row: Dim, column: Dim) -> Shape:
    for axis, first in enumerate((row, column)):
        if surely_negative(plus((m, n)[axis], -first, 1, -X.shape[axis])):
            what = ("row", "column")[axis]
            raise ShapeError(
                f"{{}} ({shape_text(X.shape)}) does not fit into {shape_text((m, n))} from {what} {first} on", X
            )
    return (m, n)


@op(
    shape=_place_shape,
    latex=Call(r"\operatorname{place}"),
    numpy=Call("_place"),
    domain=lambda X, m, n, row, column: (
        *fits(m, plus(row, X.shape[0], -1)),
        *fits(n, plus(column, X.shape[1], -1)),
    ),
    source=ELEMENTARY,
    example=("2 3", 4, 5, 2, 3),
    facts=lambda e, X: (X & ZERO_KEEPING, 0),
    params=(Param("m", "dim"), Param("n", "dim"), Param("row", "dim"), Param("column", "dim")),
    linear=True,
)
def place(Y: Expr, X: Expr, m: Dim, n: Dim, row: Dim, column: Dim) -> tuple[LinearMap, ...]:
    """d place(X) = place(dX): a block in a matrix of zeros; the adjoint of a slice"""
    return (placing(X.shape, Y.shape, row, column),)


# ------------------------------------------------------------------------------------------------ blocks


def counts_of(layout: str) -> list[int]:
    """How many blocks each row of blocks has: "2 2" for [A, B; C, D]."""
    return [int(count) for count in layout.split()]


def rows_of(blocks: tuple[Expr, ...], layout: str) -> list[tuple[Expr, ...]]:
    """The rows of blocks."""
    rows, start = [], 0
    for count in counts_of(layout):
        rows.append(blocks[start : start + count])
        start += count
    return rows


def _block_shape(*args: Any) -> Shape:
    *blocks, layout = args
    if sum(counts_of(layout)) != len(blocks):
        raise ShapeError(f"the layout {layout} does not fit {len(blocks)} blocks", *blocks)
    heights: list[Dim] = []
    width: Dim | None = None
    for row in rows_of(tuple(blocks), layout):
        first = row[0]
        for other in row[1:]:
            if not same(first.shape[0], other.shape[0]):
                raise ShapeError(
                    f"blocks side by side need equally many rows: {{}} ({shape_text(first.shape)}) and "
                    f"{{}} ({shape_text(other.shape)})",
                    first,
                    other,
                )
        total = plus(*(b.shape[1] for b in row))
        if width is not None and not same(width, total):
            raise ShapeError(
                f"rows of blocks need equally many columns: {width} and {total} ({', '.join('{}' for _ in blocks)})",
                *blocks,
            )
        width = total
        heights.append(first.shape[0])
    return plus(*heights), width


def _block_latex(layout: str) -> Notation:
    return Template(rf"\begin{{{{bmatrix}}}} {_grid(layout, ' & ', ' ')} \end{{{{bmatrix}}}}")


def _grid(layout: str, between: str, after: str) -> str:
    counts, start, rows = counts_of(layout), 0, []
    for count in counts:
        rows.append(between.join(f"{{{k}}}" for k in range(start, start + count)))
        start += count
    return rf" \\{after}".join(rows)


def _block_numpy(layout: str) -> Notation:
    counts, start, rows = counts_of(layout), 0, []
    for count in counts:
        rows.append(f"[{', '.join(f'{{{k}}}' for k in range(start, start + count))}]")
        start += count
    return Template(f"np.block([{', '.join(rows)}])")


def _block_facts(e: Expr, *masks: int) -> tuple[int, int]:
    common = bits(*ENTRY_FACTS)
    for m in masks:
        common &= m
    return common, 0


@op(
    shape=_block_shape,
    latex=_block_latex,
    numpy=_block_numpy,
    domain=anywhere,
    source=ELEMENTARY,
    example=("m n, m p, q n, q p", "2 2"),
    facts=_block_facts,
    params=(Param("layout", "any"),),
    variadic=True,
    linear=True,
    syntax="form",
)
def block(Y: Expr, *args: Any) -> tuple[LinearMap, ...]:
    """d [A, B; C, D] = [dA, dB; dC, dD]: each block moves in its own place"""
    *blocks, layout = args
    maps = []
    row: Dim = 1
    for line in rows_of(tuple(blocks), layout):
        column: Dim = 1
        for b in line:
            maps.append(placing(b.shape, Y.shape, row, column))
            column = plus(column, b.shape[1])
        row = plus(row, line[0].shape[0])
    return tuple(maps)


def block_of(rows: list[list[Expr]]) -> Expr:
    """The block matrix with these rows of blocks; a single block is itself."""
    blocks = [b for row in rows for b in row]
    return blocks[0] if len(blocks) == 1 else block(*blocks, " ".join(str(len(row)) for row in rows))


# ------------------------------------------------------------------------------------------------ triangles


def lower_ones(m: Dim, n: Dim) -> Expr:
    """Ones on and below the diagonal."""
    return tril(core.ones(m, n))


def upper_ones(m: Dim, n: Dim) -> Expr:
    """Ones on and above the diagonal."""
    return triu(core.ones(m, n))


def _triangle_facts(kept: str, other: str) -> Any:
    def facts(e: Expr, X: int) -> tuple[int, int]:
        true = X & (ZERO_KEEPING | BIT["diagonal"])
        if same(*e.shape):
            true |= BIT[kept]
            if X & BIT[other]:
                true |= BIT["diagonal"]
            if X & bits("nonzero", "positive-definite"):  # then no diagonal entry is zero
                true |= BIT["nonsingular"]
        return true, 0

    return facts


@op(
    shape=like,
    latex=Call(r"\operatorname{tril}"),
    numpy=Call("np.tril"),
    domain=anywhere,
    source=ELEMENTARY,
    example=("m n",),
    facts=_triangle_facts("lower", "upper"),
    numpy_names=("np.tril",),
    linear=True,
)
def tril(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d tril(X) = tril(dX): the entries on and below the diagonal"""
    return (mask(lower_ones(*X.shape)),)


@op(
    shape=like,
    latex=Call(r"\operatorname{triu}"),
    numpy=Call("np.triu"),
    domain=anywhere,
    source=ELEMENTARY,
    example=("m n",),
    facts=_triangle_facts("upper", "lower"),
    numpy_names=("np.triu",),
    linear=True,
)
def triu(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d triu(X) = triu(dX): the entries on and above the diagonal"""
    return (mask(upper_ones(*X.shape)),)


# ------------------------------------------------------------------------------------------------ vech


def triangle(n: Dim) -> Dim:
    """n (n + 1)/2, the number of entries on and below the diagonal."""
    return n * (n + 1) // 2 if isinstance(n, int) else simplified(times(n, n + 1) / 2)


def _vech_shape(X: Expr) -> Shape:
    need_square("vech", X)
    return (triangle(X.shape[0]), 1)


@op(
    shape=_vech_shape,
    latex=Call(r"\operatorname{vech}"),
    numpy=Call("_vech"),
    domain=anywhere,
    source=MN_VECH,
    example=("n n",),
    facts=keeps(*ENTRY_FACTS),
    linear=True,
)
def vech_(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d vech(X) = vech(dX) = L vec(dX): the columns of the lower triangle, stacked"""
    return (vech(X.shape[0], Y.shape[0]),)


def _unvech_shape(v: Expr, n: Dim) -> Shape:
    if not (is_one(v.shape[1]) and same(v.shape[0], triangle(n))):
        raise ShapeError(f"unvech to {n} x {n} needs {triangle(n)} x 1, but {{}} is {shape_text(v.shape)}", v)
    return (n, n)


@op(
    shape=_unvech_shape,
    latex=Call(r"\operatorname{unvech}"),
    numpy=Call("_unvech"),
    domain=anywhere,
    source=MN_VECH,
    example=("6 1", 3),
    facts=lambda e, v: (BIT["lower"] | v & ZERO_KEEPING | (BIT["nonsingular"] if v & BIT["nonzero"] else 0), 0),
    params=(Param("n", "dim"),),
    linear=True,
)
def unvech_(Y: Expr, v: Expr, n: Dim) -> tuple[LinearMap, ...]:
    """d unvech(v) = unvech(dv), the lower triangular matrix whose vech is v"""
    return (unvech(n, v.shape[0]),)


@op(
    shape=lambda n: (core.count(core.eye(n)), triangle(n)),
    latex=Template("D_{{{p0}}}"),
    numpy=Call("_dup"),
    domain=anywhere,
    source=MN_VECH,
    example=("", 3),
    facts=always("constant", "one-hot"),
    params=(Param("n", "dim"),),
    cost=6,
)
def dup(Y: Expr, *_: Any) -> tuple[LinearMap, ...]:
    """dD = 0, where D vech(S) = vec(S) for symmetric S"""
    return ()


@op(
    shape=lambda n: (triangle(n), core.count(core.eye(n))),
    latex=Template("L_{{{p0}}}"),
    numpy=Call("_elim"),
    domain=anywhere,
    source=MN_VECH,
    example=("", 3),
    facts=always("constant", "one-hot"),
    params=(Param("n", "dim"),),
    cost=6,
)
def elim(Y: Expr, *_: Any) -> tuple[LinearMap, ...]:
    """dL = 0, where L vec(X) = vech(X)"""
    return ()


# ------------------------------------------------------------------------------------------------ cumulative sums


def _cumsum_shape(X: Expr, axis: int | None) -> Shape:
    if axis not in (1, 2):
        raise ShapeError(f"cumsum: axis must be 1 (over rows) or 2 (over columns), got {axis}")
    return X.shape


def _cumsum_axis(X: Expr, axis: int | None = None) -> tuple[Any, ...]:
    if axis is None:
        if not (is_one(X.shape[0]) or is_one(X.shape[1])):
            raise ShapeError("cumsum of a matrix needs an axis: 1 (over rows) or 2 (over columns); {} is one", X)
        axis = 1 if is_one(X.shape[1]) else 2
    return (axis,)


@op(
    shape=_cumsum_shape,
    latex=axis_latex("cumsum"),
    numpy=axis_helper("np.cumsum"),
    domain=anywhere,
    source=ELEMENTARY,
    example=("m n", 1),
    facts=keeps("positive", "nonnegative", "constant"),
    params=(AXIS,),
    complete=_cumsum_axis,
    linear=True,
)
def cumsum(Y: Expr, X: Expr, axis: int) -> tuple[LinearMap, ...]:
    """d cumsum(X) = cumsum(dX), a product with a triangle of ones"""
    m, n = X.shape
    if axis == 1:
        return (sandwich(lower_ones(m, m), None, X.shape),)
    return (sandwich(None, upper_ones(n, n), X.shape),)
