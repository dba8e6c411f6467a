"""Products with ones are sums; broadcasts move outward; rows of a one-hot or stochastic matrix sum to 1."""

from __future__ import annotations

from collections.abc import Callable

from matcalc import core
from matcalc.core import broadcast, matmul, number, ones, total, var
from matcalc.dims import dim, is_one, times
from matcalc.expr import Expr
from matcalc.ops.reductions import norm2
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MAGNUS, node_rule, rule
from matcalc.rewrite.terms import coefficient_and_rest, flipped
from matcalc.walk import rebuild


@rule(X="m n", source=MAGNUS)
def ones_times_matrix(X: Expr) -> tuple[Expr, Expr]:
    """1' X = sum(X, 1)"""
    return ones(1, X.shape[0]) @ X, total(X, 1)


@rule(X="m n", source=MAGNUS)
def matrix_times_ones(X: Expr) -> tuple[Expr, Expr]:
    """X 1 = sum(X, 2)"""
    return X @ ones(X.shape[1], 1), total(X, 2)


def _left() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return ones("k", "m") @ X, broadcast(total(X, 1), (dim("k"), dim("n")))


@node_rule(op="matmul", source=MAGNUS, example=_left, having="ones|broadcast")
def ones_matrix_times_matrix(e: Expr, context: Context) -> Expr | None:
    """1 1' X = 1 sum(X, 1), X 1 1' = sum(X, 2) 1'"""
    for k, f in enumerate(e.args):
        if f.op not in ("ones", "broadcast"):
            continue
        m, n = f.shape
        if f.op == "broadcast" and f.args[0].is_scalar:
            return core.scale(f.args[0], matmul(*e.args[:k], ones(m, n), *e.args[k + 1 :]))
        row, column = _outer_of(f)
        if k + 1 < len(e.args):
            X = e.args[k + 1]
            inside = broadcast_column(column, row @ X if row.op != "ones" else total(X, 1), m)
            return matmul(*e.args[:k], inside, *e.args[k + 2 :])
        if k:
            X = e.args[k - 1]
            inside = broadcast_row(X @ column if column.op != "ones" else total(X, 2), row, n)
            return matmul(*e.args[: k - 1], inside)
    return None


def _outer_of(f: Expr) -> tuple[Expr, Expr]:
    """A broadcast row or column as row and column; one of them is ones."""
    m, n = f.shape
    if f.op == "ones":
        return ones(1, n), ones(m, 1)
    a = f.args[0]
    return (a, ones(m, 1)) if is_one(a.shape[0]) else (ones(1, n), a)


def broadcast_column(column: Expr, row: Expr, m: object) -> Expr:
    """column times row, as a broadcast where the column is of ones."""
    return broadcast(row, (m, row.shape[1])) if column.op == "ones" else column @ row


def broadcast_row(column: Expr, row: Expr, n: object) -> Expr:
    """column times row, as a broadcast where the row is of ones."""
    return broadcast(column, (column.shape[0], n)) if row.op == "ones" else column @ row


# ------------------------------------------------------------------------------------------------ simple sums


@rule(
    X="m n",
    axis=(1, 2, None),
    s="s: 1 1",
    where=lambda X: not X.is_scalar,
    source=MAGNUS,
    why="scalars move out",
)
def sum_of_scaled(X: Expr, axis: int | None, *s: Expr) -> tuple[Expr, Expr]:
    """sum(s X) = s sum(X)"""
    return total(core.scale(*s, X), axis), core.scale(*s, total(X, axis))


@rule(X="m n", axis=(None, 1, 2), source=MAGNUS)
def sum_of_transpose(X: Expr, axis: int | None) -> tuple[Expr, Expr]:
    """sum(X') = sum(X), sum(X', 1) = sum(X, 2)'"""
    return total(X.T, axis), total(X) if axis is None else total(X, 3 - axis).T


@rule(X="m n", axis=(None, 1, 2), source=MAGNUS)
def sum_of_zero(X: Expr, axis: int | None) -> tuple[Expr, Expr]:
    """sum(0) = 0, along rows and columns too"""
    return total(core.zeros(*X.shape), axis), core.zero_of(total(X, axis))


@rule(X="m n", axis=(None, 1, 2), source=MAGNUS)
def mean_of_zero(X: Expr, axis: int | None) -> tuple[Expr, Expr]:
    """mean(0) = 0, along rows and columns too"""
    return core.mean(core.zeros(*X.shape), axis), core.zero_of(core.mean(X, axis))


@rule(X="m n", source=MAGNUS)
def norm_of_zero(X: Expr) -> tuple[Expr, Expr]:
    """norm2(0) = 0"""
    return norm2(core.zeros(*X.shape)), number(0)


def _repeated() -> tuple[Expr, Expr]:
    b = var("b", 1, "n")
    return total(broadcast(b, (dim("m"), dim("n"))), 1), core.scale(number(core.exact_dim(dim("m"))), b)


@node_rule(op="sum", source=MAGNUS, example=_repeated, having="broadcast|ones", why="sums of equal rows are multiples")
def sum_of_broadcast(e: Expr, context: Context) -> Expr | None:
    """sum(1 b, 1) = m b, the sum of m equal rows"""
    X, axis = e.args[0], e.params[0]
    if X.op not in ("broadcast", "ones"):
        return None
    a = number(1) if X.op == "ones" else X.args[0]
    m, n = X.shape
    rows, columns = is_one(a.shape[0]), is_one(a.shape[1])
    if axis is None:
        count = times(m if rows else 1, n if columns else 1)
        return core.scale(number(core.exact_dim(count)), a if a.is_scalar else total(a))
    if axis == 1:
        inner = core.scale(number(core.exact_dim(m)), a) if rows else total(a)
        return broadcast(inner, (1, n))
    inner = core.scale(number(core.exact_dim(n)), a) if columns else total(a)
    return broadcast(inner, (m, 1))


def _of_row(r: Expr) -> tuple[Expr, Expr]:
    return total(r, 2), total(r)


def _along_row(r: Expr) -> tuple[Expr, Expr]:
    return total(r, 1), r


def _along_column(x: Expr) -> tuple[Expr, Expr]:
    return total(x, 2), x


def _of_sum(X: Expr, axis: int | None) -> tuple[Expr, Expr]:
    return total(total(X, axis)), total(X)


@rule(
    x="n 1",
    r="1 n",
    X="m n",
    axis=(1, 2),
    also=[_of_row, _along_row, _along_column, _of_sum],
    source=MAGNUS,
    why="one name for one thing",
)
def sum_of_vector(x: Expr) -> tuple[Expr, Expr]:
    """sum(x, 1) = sum(x) for a column, sum(x, 2) = x; sum(sum(X, 1)) = sum(X)"""
    return total(x, 1), total(x)


@rule(X="m n", axis=(1, 2, None), source=MAGNUS, why="one name for one thing")
def mean_is_sum_over_count(X: Expr, axis: int | None) -> tuple[Expr, Expr]:
    """mean(X, 1) = sum(X, 1)/m"""
    count = times(*X.shape) if axis is None else X.shape[axis - 1]
    return core.mean(X, axis), core.scale(number(1 / core.exact_dim(count)), total(X, axis))


def _centred() -> tuple[Expr, Expr]:
    Y = var("Y", "m", "n", ["row-stochastic"])
    return total(Y, 2), ones("m", 1)


@node_rule(
    op="sum",
    source="definition of a row-stochastic matrix: Y 1 = 1",
    example=_centred,
    why="sums that are known are written out",
)
def rows_sum_to_one(e: Expr, context: Context) -> Expr | None:
    """sum(Y, 2) = 1 for a matrix whose rows sum to 1; sum(Y, 1) = 1' where the columns do"""
    Y, axis = e.args[0], e.params[0]
    rows, columns = ("row-stochastic", "column-stochastic")
    if axis != 1 and (axis == 2 or is_one(Y.shape[0])) and context.known(Y, rows):
        return number(1) if e.is_scalar else ones(Y.shape[0], 1)
    if axis != 2 and (axis == 1 or is_one(Y.shape[1])) and context.known(Y, columns):
        return number(1) if e.is_scalar else ones(1, Y.shape[1])
    if axis is None and context.known(Y, rows):
        return number(core.exact_dim(Y.shape[0]))
    if axis is None and context.known(Y, columns):
        return number(core.exact_dim(Y.shape[1]))
    if axis == 2 or (axis is None and is_one(Y.shape[0])):
        context.wish(Y, rows)
    elif axis == 1 or is_one(Y.shape[1]):
        context.wish(Y, columns)
    return None


@rule(A="n n", source=MAGNUS)
def sum_of_diagonal(A: Expr) -> tuple[Expr, Expr]:
    """sum(diagvec(A)) = tr(A)"""
    return total(core.diagvec(A)), core.trace(A)


def _weighted() -> tuple[Expr, Expr]:
    A, b = var("A", "m", "n"), var("b", 1, "n")
    return total(core.hadamard(A, broadcast(b, A.shape)), 2), A @ b.T


@node_rule(op="sum", source=MAGNUS, example=_weighted, having="hadamard", why="sums become matrix products")
def sum_of_weighted_columns(e: Expr, context: Context) -> Expr | None:
    """sum(A o 1 b, 2) = A b', sum(A o c 1', 1) = c' A; a factor that the sum does not see comes out"""
    X, axis = e.args[0], e.params[0]
    if X.op != "hadamard" or axis is None:
        return None
    for k, f in enumerate(X.args):
        if f.op != "broadcast":
            continue
        rest = core.hadamard(*X.args[:k], *X.args[k + 1 :])
        a = f.args[0]
        along = 1 if is_one(a.shape[0]) else 2
        if along == axis:
            return core.entrywise_product(total(rest, axis), a)
        return rest @ flipped(a) if axis == 2 else flipped(a) @ rest
    return None


# ------------------------------------------------------------------------------------------------ presentation


def _mean() -> tuple[Expr, Expr]:
    left, right = number(1 / core.exact_dim(dim("m"))), var("X", "m", "n")
    return core.scale(left, total(right, 1)), core.mean(right, 1)


@node_rule(op="scale", group="present", source=MAGNUS, example=_mean)
def sum_over_count_is_mean(e: Expr, context: Context) -> Expr | None:
    """sum(X, 1)/m = mean(X, 1)"""
    coefficient, rest = coefficient_and_rest(e)
    if rest is None or coefficient.is_Rational:
        return None
    found = _sum_inside(rest)
    if found is None:
        return None
    summed, others = found
    X, axis = summed.args[0], summed.params[0]
    scaled = coefficient * core.exact_dim(times(*X.shape) if axis is None else X.shape[axis - 1])
    if not scaled.is_Rational:
        return None
    return core.scale(*([] if scaled == 1 else [number(scaled)]), others(core.mean(X, axis)))


def _sum_inside(e: Expr) -> tuple[Expr, Callable[[Expr], Expr]] | None:
    """A sum among the factors of `e`, and how to put something in its place."""
    if e.op == "sum":
        return e, lambda new: new
    if e.op not in ("scale", "hadamard", "matmul", "broadcast"):
        return None
    for k, f in enumerate(e.args):
        found = _sum_inside(f) if f.op in ("sum", "broadcast") or e.op == "scale" else None
        if found is not None:
            summed, others = found
            return summed, lambda new, k=k, others=others: rebuild(e, (*e.args[:k], others(new), *e.args[k + 1 :]))
    return None


def _one_in_sum() -> tuple[Expr, Expr]:
    h = var("h", "m", "n")
    return core.add(ones("m", "n"), -h), core.difference(1, h)


@node_rule(op="add", group="present", source=MAGNUS, example=_one_in_sum)
def ones_in_a_sum(e: Expr, context: Context) -> Expr | None:
    """in a sum, the matrix of ones is written 1"""
    if not any(_constant(t) for t in e.args):
        return None
    return core.add(*(broadcast(number(1), t.shape) if _constant(t) else t for t in e.args))


def _constant(t: Expr) -> bool:
    return t.op == "ones" and not t.is_scalar


def _scaled_rows() -> tuple[Expr, Expr]:
    u, X = var("u", "m", 1), var("X", "m", "n")
    return total(core.hadamard(broadcast(u, X.shape), X)), matmul(u.T, total(X, 2))


@node_rule(op="sum", group="expand", source=MAGNUS, example=_scaled_rows, having="hadamard")
def sum_of_scaled_rows(e: Expr, context: Context) -> Expr | None:
    """sum(u 1' o X) = u' sum(X, 2), sum(1 v' o X) = sum(X, 1) v"""
    if not e.is_scalar:
        return None
    factors = e.args[0].args
    for k, f in enumerate(factors):
        if f.op == "broadcast" and not f.args[0].is_scalar:
            a, X = f.args[0], core.hadamard(*factors[:k], *factors[k + 1 :])
            return matmul(flipped(a), total(X, 2)) if is_one(a.shape[1]) else matmul(total(X, 1), flipped(a))
    return None
