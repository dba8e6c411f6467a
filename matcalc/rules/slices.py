"""Slices: they go into what they are taken of, where that has the rows and columns apart."""

from __future__ import annotations

from typing import TypeAlias

from matcalc import core
from matcalc.core import add, matmul, var
from matcalc.dims import Dim, is_one, plus, same, same_shape, surely_nonnegative
from matcalc.expr import REGISTRY, Expr, node
from matcalc.ops.selection import block_of, rows_of, slice_
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MATRIX_ALGEBRA, node_rule, rule

Range: TypeAlias = tuple[Dim, Dim, Dim, Dim]  # first and last row, first and last column


def slice_of(X: Expr, at: Range) -> Expr:
    """X[i:j, k:l]."""
    return slice_(X, *at)


def is_entrywise(e: Expr) -> bool:
    """Whether it is a function of each entry of its first argument alone."""
    return REGISTRY[e.op].scalar_function is not None or (e.op == "power" and e.args[1].is_scalar)


def taken(X: Expr, at: Range) -> Expr | None:
    """X[i:j, k:l] with the slice gone; None where it has to stay."""
    row, last_row, column, last_column = at
    size = plus(last_row, -row, 1), plus(last_column, -column, 1)
    if same_shape(size, X.shape):
        return X
    if X.op in ("ones", "zeros"):
        return node(X.op, (), size)
    if X.op == "eye":
        return _of_identity(at)
    if X.op == "block":
        return _of_blocks(X, at)
    if X.op == "transpose":
        inner = taken(X.args[0], (column, last_column, row, last_row))
        return None if inner is None else core.transpose(inner)
    if X.op == "broadcast":
        a = X.args[0]
        rows = (1, 1) if is_one(a.shape[0]) else (row, last_row)
        columns = (1, 1) if is_one(a.shape[1]) else (column, last_column)
        inside = a if a.is_scalar else slice_of(a, (*rows, *columns))
        return core.broadcast(inside, size)
    if X.op in ("add", "hadamard"):
        parts = [taken(t, at) for t in X.args]
        found = [p for p in parts if p is not None]
        return node(X.op, found) if len(found) == len(parts) else None
    if X.op == "scale" or is_entrywise(X):
        k = -1 if X.op == "scale" else 0
        inner = taken(X.args[k], at)
        return None if inner is None else node(X.op, (*X.args[:-1], inner) if k else (inner, *X.args[1:]), X.params)
    return _of_product(X, at) if X.op == "matmul" else None


def _of_identity(at: Range) -> Expr | None:
    """Rows and columns of an identity: an identity where they are the same, zeros where they are apart."""
    row, last_row, column, last_column = at
    if same(row, column) and same(last_row, last_column):
        return core.eye(plus(last_row, -row, 1))
    apart = surely_nonnegative(plus(column, -last_row, -1)) or surely_nonnegative(plus(row, -last_column, -1))
    return core.zeros(plus(last_row, -row, 1), plus(last_column, -column, 1)) if apart else None


def _of_product(X: Expr, at: Range) -> Expr | None:
    """Rows of the first factor, columns of the last."""
    factors = list(X.args)
    (m, n), (row, last_row, column, last_column) = X.shape, at
    if not (same(row, 1) and same(last_row, m)):
        first = taken(factors[0], (row, last_row, 1, factors[0].shape[1]))
        if first is None:
            return None
        factors[0] = first
    if not (same(column, 1) and same(last_column, n)):
        last = taken(factors[-1], (1, factors[-1].shape[0], column, last_column))
        if last is None:
            return None
        factors[-1] = last
    return matmul(*factors)


def _of_blocks(X: Expr, at: Range) -> Expr | None:
    """The blocks that the slice consists of, or the part of the one that it lies in."""
    row, last_row, column, last_column = at
    lines = rows_of(X.args, X.params[0])
    heights = _within([line[0].shape[0] for line in lines], row, last_row)
    if heights is None:
        return None
    first, stop, above = heights
    kept = []
    for line in lines[first:stop]:
        widths = _within([b.shape[1] for b in line], column, last_column)
        if widths is None:
            return None
        kept.append((line, widths))
    if stop - first == 1 and kept[0][1][1] - kept[0][1][0] == 1:  # one block, or a part of it
        line, (k, _, left) = kept[0]
        b = line[k]
        inside = (plus(row, -above), plus(last_row, -above), plus(column, -left), plus(last_column, -left))
        whole = same_shape((plus(last_row, -row, 1), plus(last_column, -column, 1)), b.shape)
        return b if whole else slice_of(b, inside)
    fits = _sum([line[0].shape[0] for line in lines[first:stop]], plus(last_row, -row, 1)) and all(
        _sum([b.shape[1] for b in line[k:end]], plus(last_column, -column, 1)) for line, (k, end, _) in kept
    )
    return block_of([list(line[k:end]) for line, (k, end, _) in kept]) if fits else None


def _sum(sizes: list[Dim], total: Dim) -> bool:
    return same(plus(*sizes), total)


def _within(sizes: list[Dim], first: Dim, last: Dim) -> tuple[int, int, Dim] | None:
    """Which sizes, one after the other, the range consists of or the one that it lies in; and what is before them."""
    before: Dim = 0
    for k, size in enumerate(sizes):
        end = plus(before, size)
        starts = same(first, plus(before, 1))
        if starts:
            stop: Dim = before
            for i in range(k, len(sizes)):
                stop = plus(stop, sizes[i])
                if same(stop, last):
                    return k, i + 1, before
        if (starts or surely_nonnegative(plus(first, -before, -1))) and surely_nonnegative(plus(end, -last)):
            return k, k + 1, before
        before = end
    return None


def _example() -> tuple[Expr, Expr]:
    A, B, x = var("A", "m", "n"), var("B", 2, "n"), var("x", "n", 1)
    both = block_of([[A], [B]])
    m = A.shape[0]
    return slice_of(add(both @ x, core.ones(plus(m, 2), 1)), (1, m, 1, 1)), add(A @ x, core.ones(m, 1))


@node_rule(op="slice", source=MATRIX_ALGEBRA, example=_example)
def slice_goes_inside(e: Expr, context: Context) -> Expr | None:
    """([A; B] x)[1:m] = A x: rows are taken of first factors, of terms, of blocks, and of rows of an identity"""
    return taken(e.args[0], e.params)


def _twice() -> tuple[Expr, Expr]:
    X = var("X", 6, 7)
    return slice_(slice_(X, 2, 5, 3, 7), 2, 3, 1, 4), slice_(X, 3, 4, 3, 6)


@node_rule(op="slice", source=MATRIX_ALGEBRA, example=_twice)
def slice_of_slice(e: Expr, context: Context) -> Expr | None:
    """X[a:b, c:d][i:j, k:l] = X[a+i-1:a+j-1, c+k-1:c+l-1]; place(X)[i:j, k:l] = X there"""
    inner = e.args[0]
    row, last_row, column, last_column = e.params
    if inner.op == "slice":
        top, left = inner.params[0], inner.params[2]
        rows, columns = (
            (plus(top, row, -1), plus(top, last_row, -1)),
            (plus(left, column, -1), plus(left, last_column, -1)),
        )
        return slice_(*inner.args, *rows, *columns)
    if inner.op == "place" and same_shape(inner.args[0].shape, e.shape):
        return inner.args[0] if same(row, inner.params[2]) and same(column, inner.params[3]) else None
    return None


@rule(X="m n", source=MATRIX_ALGEBRA)
def slice_of_all(X: Expr) -> tuple[Expr, Expr]:
    """X[1:m, 1:n] = X for X m x n"""
    return slice_(X, 1, X.shape[0], 1, X.shape[1]), X
