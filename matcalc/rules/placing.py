"""Rows of an identity and matrices placed in zeros: what they take, where they put it, the blocks that this makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from matcalc import core
from matcalc.core import add, matmul, var
from matcalc.dims import Dim, Shape, dim, plus, same, same_shape, surely_nonnegative
from matcalc.expr import Expr, node
from matcalc.ops.selection import block_of, place, rows_of, slice_
from matcalc.rewrite.context import Context
from matcalc.rewrite.normal import is_zero
from matcalc.rewrite.rule import MATRIX_ALGEBRA, node_rule
from matcalc.rewrite.terms import flipped, join, split
from matcalc.rules.slices import Range, is_entrywise

FEW_CELLS = 9
CELLS_FOR_EACH = 4  # blocks of a matrix for each one that is not zero


def _rows_of_identity(e: Expr, *, turned: bool = False) -> tuple[Dim, Dim] | None:
    """First and last row where `e`, or its transpose, are rows of an identity, all columns of them."""
    inner = e.args[0] if e.op == "transpose" else e
    if inner.op != "slice" or inner.args[0].op != "eye":
        return None
    rows, columns = (same(a, b) for a, b in zip(inner.shape, inner.args[0].shape))
    if (e.op == "transpose") != turned:
        return (inner.params[2], inner.params[3]) if rows else None
    return (inner.params[0], inner.params[1]) if columns else None


def identity_rows(n: Dim, first: Dim, last: Dim) -> Expr:
    """The rows from `first` to `last` of the n x n identity."""
    return slice_(core.eye(n), first, last, 1, n)


def _picked() -> tuple[Expr, Expr]:
    M = var("M", 5, "n")
    return identity_rows(5, 2, 4) @ M, slice_(M, 2, 4, 1, dim("n"))


@node_rule(op="matmul", source=MATRIX_ALGEBRA, example=_picked, having="slice|transpose")
def rows_picked_by_identity(e: Expr, context: Context) -> Expr | None:
    """I[i:j, :] M = M[i:j, :], M I[i:j, :]' = M[:, i:j]"""
    for k, (f, g) in enumerate(zip(e.args, e.args[1:])):
        rows, columns = _rows_of_identity(f), _rows_of_identity(g, turned=True)
        if rows is not None:
            inside = slice_(g, *rows, 1, g.shape[1])
        elif columns is not None:
            inside = slice_(f, 1, f.shape[0], *columns)
        else:
            continue
        return matmul(*e.args[:k], inside, *e.args[k + 2 :])
    return None


# ------------------------------------------------------------------------------------------------ blocks from pieces


class Piece(NamedTuple):
    """A matrix that stands in a matrix of zeros, from this row and column on."""

    row: Dim
    column: Dim
    body: Expr


def _pieces(t: Expr) -> list[Piece]:
    """A term as pieces: those of a block matrix that has zeros, or one; none where it is no matrix in zeros."""
    coefficient, scalars, body = split(t)
    if body is None or body.op != "block" or not any(map(is_zero, body.args)):
        piece = _piece(t)
        return [] if piece is None else [piece]
    return [Piece(at[0], at[2], join(coefficient, scalars, b)) for b, at in places_of(body) if not is_zero(b)]


def places_of(e: Expr) -> Iterator[tuple[Expr, Range]]:
    """The blocks of a block matrix, each with its first and last row and column."""
    row: Dim = 1
    for line in rows_of(e.args, e.params[0]):
        column: Dim = 1
        for b in line:
            yield b, (row, plus(row, b.shape[0], -1), column, plus(column, b.shape[1], -1))
            column = plus(column, b.shape[1])
        row = plus(row, line[0].shape[0])


def _piece(t: Expr) -> Piece | None:
    """A term as a piece: place(X), I[i:j, :]' X, X I[i:j, :], or both, times scalars."""
    coefficient, scalars, body = split(t)
    if body is None:
        return None
    if body.op == "place":
        return Piece(body.params[2], body.params[3], join(coefficient, scalars, body.args[0]))
    factors = list(body.args) if body.op == "matmul" else [body]
    rows, columns = _rows_of_identity(factors[0], turned=True), _rows_of_identity(factors[-1])
    if rows is None and columns is None:
        return None
    start, stop = int(rows is not None), len(factors) - int(columns is not None)
    if start > stop:
        return None
    inside = matmul(*factors[start:stop]) if start < stop else core.eye(_count(rows or columns or (1, 1)))
    return Piece(rows[0] if rows else 1, columns[0] if columns else 1, join(coefficient, scalars, inside))


def _count(interval: tuple[Dim, Dim]) -> Dim:
    return plus(interval[1], -interval[0], 1)


def _placed() -> tuple[Expr, Expr]:
    A, B = var("A", "m", "n"), var("B", "k", "n")
    m, k, n = dim("m"), dim("k"), dim("n")
    left = add(place(A, m + k, n, 1, 1), place(B, m + k, n, m + 1, 1))
    return left, block_of([[A], [B]])


@node_rule(op="add", group="present", source=MATRIX_ALGEBRA, example=_placed)
def sum_of_placed(e: Expr, context: Context) -> Expr | None:
    """matrices placed in zeros beside each other are the blocks of one matrix: place(A) + place(B) = [A; B]"""
    pieces: list[Piece] = []
    others: list[Expr] = []
    for t in e.args:
        found = _pieces(t)
        pieces.extend(found)
        if not found:
            others.append(t)
    whole = tiled(pieces, e.shape) if len(e.args) - len(others) > 1 else None
    return None if whole is None else add(whole, *others)


def _stacked() -> tuple[Expr, Expr]:
    A = var("A", "m", "n")
    m = dim("m")
    return identity_rows(m + 2, 1, m).T @ A, block_of([[A], [core.zeros(2, "n")]])


@node_rule(op="matmul", group="present", source=MATRIX_ALGEBRA, example=_stacked)
def product_is_placed(e: Expr, context: Context) -> Expr | None:
    """I[1:m, :]' A = [A; 0], A I[1:n, :] = [A, 0]: a matrix above, below or beside zeros"""
    piece = _piece(e)
    return None if piece is None else tiled([piece], e.shape)


def tiled(pieces: Sequence[Piece], shape: Shape) -> Expr | None:
    """The block matrix of pieces, with zeros where there is none; None where they overlap partly or are few."""
    rows = _intervals([(p.row, p.body.shape[0]) for p in pieces], shape[0])
    columns = _intervals([(p.column, p.body.shape[1]) for p in pieces], shape[1])
    if rows is None or columns is None or len(rows) * len(columns) > max(FEW_CELLS, CELLS_FOR_EACH * len(pieces)):
        return None
    grid = []
    for top, height in rows:
        line = []
        for left, width in columns:
            here = [p.body for p in pieces if same(p.row, top) and same(p.column, left)]
            line.append(add(*here) if here else zero_block(height, width))
        grid.append(line)
    return block_of(grid)


def zero_block(height: Dim, width: Dim) -> Expr:
    """Zeros of a size; the number 0 for 1 x 1."""
    return core.number(0) if same_shape((height, width), (1, 1)) else core.zeros(height, width)


def _intervals(found: Sequence[tuple[Dim, Dim]], size: Dim) -> list[tuple[Dim, Dim]] | None:
    """The intervals (first, length) and the gaps between them in order, from 1 to `size`; None if that is not known."""
    left: list[tuple[Dim, Dim]] = []
    for interval in found:
        if not any(same_shape(interval, other) for other in left):
            left.append(interval)
    made: list[tuple[Dim, Dim]] = []
    start: Dim = 1
    while not same(start, plus(size, 1)):
        here = [interval for interval in left if same(interval[0], start)]
        if len(here) > 1:
            return None
        if here:
            left.remove(here[0])
            length = here[0][1]
        else:
            after = [s for s, _ in left if all(surely_nonnegative(plus(other, -s)) for other, _ in left)]
            length = plus(after[0], -start) if after else plus(size, 1, -start)
            if (left and not after) or not surely_nonnegative(plus(length, -1)):
                return None
        made.append((start, length))
        start = plus(start, length)
    return None if left else made


# ------------------------------------------------------------------------------------------------ parts of one whole


def _reassembled() -> tuple[Expr, Expr]:
    x = var("x", 2, 1)
    parts = [[core.scale(core.number(2), slice_(x, k, k, 1, 1))] for k in (1, 2)]
    return block_of(parts), core.scale(core.number(2), x)


@node_rule(op="block", source=MATRIX_ALGEBRA, example=_reassembled)
def block_of_parts(e: Expr, context: Context) -> Expr | None:
    """[x[1]; x[2]] = x for x 2 x 1, and f of the parts is f of the whole: [2*exp(x[1]); 2*exp(x[2])] = 2*exp(x)"""
    whole: Expr | None = None
    for b, at in places_of(e):
        found = _lifted(b, at, e.shape)
        if found is None or not same_shape(found.shape, e.shape) or (whole is not None and found is not whole):
            return None
        whole = found
    return whole


def _lifted(b: Expr, at: Range, shape: Shape) -> Expr | None:
    """What `b` is the part of, as a function of the entries; a 1 x 1 factor is the same in all parts."""
    if b.op == "slice":
        X = b.args[0]
        if same_shape(X.shape, shape) and _same_range(b.params, at):
            return X
        if b.is_scalar and same_shape(X.shape[::-1], shape) and _same_range(b.params, (*at[2:], *at[:2])):
            return flipped(X)
    if b.op == "broadcast" and b.args[0].is_scalar:
        return _lifted(b.args[0], at, shape)
    if b.op in ("add", "hadamard", "scale"):
        return _lifted_together(b, at, shape)
    if is_entrywise(b):
        inner = _lifted(b.args[0], at, shape)
        if inner is None or same_shape(inner.shape, shape):
            return None if inner is None else node(b.op, (inner, *b.args[1:]), b.params)
    return b if b.is_scalar else None


def _same_range(a: Sequence[Dim], b: Sequence[Dim]) -> bool:
    return all(same(i, j) for i, j in zip(a, b))


def _lifted_together(b: Expr, at: Range, shape: Shape) -> Expr | None:
    """A sum or an entrywise product of lifted parts."""
    parts = [_lifted(a, at, shape) for a in b.args]
    whole = [p for p in parts if p is not None and same_shape(p.shape, shape)]
    scalars = [p for p in parts if p is not None and not same_shape(p.shape, shape)]
    if not whole or len(whole) + len(scalars) < len(parts):
        return b if b.is_scalar and not whole else None
    if b.op == "add":
        return add(*(core.broadcast(p, shape) for p in parts if p is not None))
    return core.scale(*scalars, core.hadamard(*whole))
