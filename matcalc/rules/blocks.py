"""Block matrices: operations go into the blocks, and what all blocks share comes out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from matcalc import core
from matcalc.core import add, inverse, matmul, minus, total, var
from matcalc.dims import same, same_shape
from matcalc.exact import ONE
from matcalc.expr import Expr, node
from matcalc.ops.elementwise import exp
from matcalc.ops.linalg import det, logdet
from matcalc.ops.selection import block, block_of, rows_of
from matcalc.rewrite.context import Context
from matcalc.rewrite.normal import is_zero
from matcalc.rewrite.rule import MATRIX_ALGEBRA, node_rule
from matcalc.rewrite.terms import join, split
from matcalc.rules.canonical import entrywise

SCHUR = "Horn & Johnson, Matrix Analysis (2013), 0.8.5"
Rows = list[tuple[Expr, ...]]


def _grid(e: Expr) -> Rows | None:
    """The rows of blocks, if the columns of blocks are aligned too."""
    if e.op != "block":
        return None
    rows = rows_of(e.args, e.params[0])
    widths = [b.shape[1] for b in rows[0]]
    aligned = all(len(row) == len(widths) and all(same(b.shape[1], w) for b, w in zip(row, widths)) for row in rows[1:])
    return rows if aligned else None


def _example_grid() -> tuple[list[list[Expr]], Expr]:
    rows = [[var("A", "m", "p"), var("B", "m", "q")], [var("C", "n", "p"), var("D", "n", "q")]]
    return rows, block_of(rows)


def _turned() -> tuple[Expr, Expr]:
    rows, E = _example_grid()
    return E.T, block_of([[row[k].T for row in rows] for k in range(2)])


@node_rule(op="transpose", source=MATRIX_ALGEBRA, example=_turned, why="transposes move in")
def transpose_of_blocks(e: Expr, context: Context) -> Expr | None:
    """[A, B; C, D]' = [A', C'; B', D']"""
    rows = _grid(e.args[0])
    if rows is None:
        return None
    return block_of([[core.transpose(row[k]) for row in rows] for k in range(len(rows[0]))])


def _scaled() -> tuple[Expr, Expr]:
    rows, E = _example_grid()
    s = var("s", 1, 1)
    return core.scale(s, E), block_of([[core.scale(s, b) for b in row] for row in rows])


@node_rule(op="scale", group="expand", source=MATRIX_ALGEBRA, example=_scaled, having="block")
def scaled_blocks(e: Expr, context: Context) -> Expr | None:
    """s [A, B; C, D] = [s A, s B; s C, s D]"""
    E = e.args[-1]
    if E.op != "block":
        return None
    return block(*[core.scale(*e.args[:-1], b) for b in E.args], *E.params)


def _scaled_product() -> tuple[Expr, Expr]:
    _, E = _example_grid()
    X = var("X", "r", E.shape[0])
    return core.scale(core.number(2), matmul(X, E)), matmul(X, core.scale(core.number(2), E))


@node_rule(op="scale", group="expand", source=MATRIX_ALGEBRA, example=_scaled_product, having="matmul")
def scaled_product_with_blocks(e: Expr, context: Context) -> Expr | None:
    """c X [A, B; C, D] = X (c [A, B; C, D]), c a number"""
    E = e.args[-1]
    if E.op != "matmul" or any(c.number is None for c in e.args[:-1]):
        return None
    found = [k for k, factor in enumerate(E.args) if factor.op == "block"]
    if len(found) != 1:
        return None
    k = found[0]
    return matmul(*E.args[:k], core.scale(*e.args[:-1], E.args[k]), *E.args[k + 1 :])


def _summed() -> tuple[Expr, Expr]:
    _, E = _example_grid()
    _, F = _example_grid()
    other = block(*[var(f"{b.params[0]}2", *b.shape) for b in F.args], *F.params)
    return add(E, other), block(*[add(a, b) for a, b in zip(E.args, other.args)], *E.params)


@node_rule(op="add", group="expand", source=MATRIX_ALGEBRA, example=_summed, having="block, block")
def sum_of_blocks(e: Expr, context: Context) -> Expr | None:
    """[A, B; C, D] + [E, F; G, H] = [A + E, B + F; C + G, D + H]"""
    for (i, first), (k, second) in combinations([(n, t) for n, t in enumerate(e.args) if t.op == "block"], 2):
        if first.params == second.params and all(same_shape(a.shape, b.shape) for a, b in zip(first.args, second.args)):
            joint = block(*[add(a, b) for a, b in zip(first.args, second.args)], *first.params)
            return add(joint, *(t for n, t in enumerate(e.args) if n not in (i, k)))
    return None


def _multiplied() -> tuple[Expr, Expr]:
    rows, E = _example_grid()
    x, y = var("X", "p", "r"), var("Y", "q", "r")
    return E @ block_of([[x], [y]]), block_of([[add(a @ x, b @ y)] for a, b in rows])


@node_rule(op="matmul", group="distribute", source=MATRIX_ALGEBRA, example=_multiplied, exact=True)
def product_of_blocks(e: Expr, context: Context) -> Expr | None:
    """[A, B; C, D] [X; Y] = [A X + B Y; C X + D Y], [A; B] X = [A X; B X], X [A, B] = [X A, X B]"""
    for k, (left, right) in enumerate(zip(e.args, e.args[1:])):
        made = _product(left, right)
        if made is not None:
            return matmul(*e.args[:k], made, *e.args[k + 2 :])
    return None


def _product(left: Expr, right: Expr) -> Expr | None:
    first = _grid(left) or ([(left,)] if left.op != "block" else None)
    second = _grid(right) or ([(right,)] if right.op != "block" else None)
    if first is None or second is None or "block" not in (left.op, right.op):
        return None
    inner = [row[0].shape[0] for row in second]
    if len(first[0]) != len(inner) or not all(same(b.shape[1], d) for b, d in zip(first[0], inner)):
        return None
    return block_of(
        [[_sum_of([a @ row[k] for a, row in zip(line, second)]) for k in range(len(second[0]))] for line in first]
    )


def _sum_of(terms: Sequence[Expr]) -> Expr:
    return terms[0] if len(terms) == 1 else add(*terms)


def _total() -> tuple[Expr, Expr]:
    rows, E = _example_grid()
    return total(E, 1), block_of([[add(total(rows[0][k], 1), total(rows[1][k], 1)) for k in range(2)]])


@node_rule(op="sum", group="distribute", source=MATRIX_ALGEBRA, example=_total, exact=True)
def sum_over_blocks(e: Expr, context: Context) -> Expr | None:
    """sum([A, B; C, D], 1) = [sum(A, 1) + sum(C, 1), sum(B, 1) + sum(D, 1)]; the same over columns and over all"""
    E, axis = e.args[0], e.params[0]
    if E.op == "block" and axis is None:
        return add(*map(total, E.args))
    rows = _grid(E)
    if rows is None:
        return None
    if axis == 1:
        return block_of([[_sum_of([total(row[k], 1) for row in rows]) for k in range(len(rows[0]))]])
    return block_of([[_sum_of([total(b, 2) for b in row])] for row in rows])


def _function_total() -> tuple[Expr, Expr]:
    A, B = var("A", "m", "n"), var("B", "p", "n")
    return total(exp(block_of([[A], [B]])), None), total(block_of([[exp(A)], [exp(B)]]), None)


@node_rule(op="sum", group="expand", source=MATRIX_ALGEBRA, example=_function_total)
def sum_over_function_of_blocks(e: Expr, context: Context) -> Expr | None:
    """sum(f([A, B; C, D])) = sum([f(A), f(B); f(C), f(D)]), f applied to every entry"""
    E = e.args[0]
    if not E.args or E.args[0].op != "block" or not entrywise(E):
        return None
    parts = E.args[0]
    return total(block(*[node(E.op, (b,), E.params) for b in parts.args], *parts.params), e.params[0])


def _factor() -> tuple[Expr, Expr]:
    s, A, B = var("s", 1, 1), var("A", "m", "p"), var("B", "m", "q")
    return block_of([[core.scale(s, A), core.scale(s, B)]]), core.scale(s, block_of([[A, B]]))


@node_rule(op="block", group="present", source=MATRIX_ALGEBRA, example=_factor)
def common_factor_of_blocks(e: Expr, context: Context) -> Expr | None:
    """[s A, s B] = s [A, B]: the numbers and 1 x 1 factors that all blocks share, zeros aside, come out"""
    pieces = [split(b) for b in e.args]
    filled = [p for p, b in zip(pieces, e.args) if not is_zero(b)]
    if len(filled) < 2:
        return None
    first, others = filled[0], filled[1:]
    shared = [s for s in first[1] if all(any(s is t for t in p[1]) for p in others)]
    numbers = {abs(p[0]) for p in filled} if all(p[0].is_Rational for p in filled) else {1}
    number = numbers.pop() if len(numbers) == 1 else ONE
    if number == 1 and not shared:
        return None
    blocks = [b if is_zero(b) else _over(p, number, shared) for p, b in zip(pieces, e.args)]
    return join(number, shared, block(*blocks, *e.params))


def _over(piece: tuple[Any, list[Expr], Expr | None], number: Any, shared: list[Expr]) -> Expr:
    """A block over the number and the factors that come out, each once."""
    coefficient, scalars, body = piece
    kept = list(scalars)
    for s in shared:
        kept.remove(s)
    return join(coefficient / number, kept, body)


def _constant() -> tuple[Expr, Expr]:
    s, zero = var("s", 1, 1), core.number(0)
    return block_of([[s, zero], [zero, s]]), core.scale(s, core.eye(2))


@node_rule(op="block", source=MATRIX_ALGEBRA, example=_constant, why="one name for one thing")
def block_is_constant(e: Expr, context: Context) -> Expr | None:
    """[0, 0; 0, 0] = 0, [I, 0; 0, I] = I, [s, 0; 0, s] = s I"""
    if all(map(is_zero, e.args)):
        return core.zeros(*e.shape)
    rows = _grid(e)
    if rows is None or len(rows) != len(rows[0]):
        return None
    diagonal = [row[k] for k, row in enumerate(rows)]
    beside = [b for k, row in enumerate(rows) for i, b in enumerate(row) if i != k]
    if not all(map(is_zero, beside)):
        return None
    if all(b.op == "eye" for b in diagonal):
        return core.eye(e.shape[0])
    same_scalar = diagonal[0].is_scalar and all(b is diagonal[0] for b in diagonal)
    return core.scale(diagonal[0], core.eye(e.shape[0])) if same_scalar else None


def _triangular() -> tuple[Expr, Expr]:
    A, B, D = var("A", "m", "m"), var("B", "m", "n"), var("D", "n", "n")
    E = block_of([[A, B], [core.zeros("n", "m"), D]])
    return det(E), core.scale(det(A), det(D))


def _triangular_blocks(e: Expr) -> tuple[Expr, Expr] | None:
    rows = _grid(e)
    if rows is None or len(rows) != 2 or len(rows[0]) != 2:
        return None
    (A, B), (C, D) = rows
    if "zeros" not in (B.op, C.op) or not same(*A.shape) or not same(*D.shape):
        return None
    return A, D


@node_rule(op="det", group="expand", source=MATRIX_ALGEBRA, example=_triangular)
def det_of_triangular_blocks(e: Expr, context: Context) -> Expr | None:
    """det([A, B; 0, D]) = det(A) det(D) for square A and D"""
    found = _triangular_blocks(e.args[0])
    return None if found is None else core.scale(*(det(b) for b in found))


def _symmetric_blocks() -> tuple[Expr, Expr]:
    A, B = var("A", "n", "n"), var("B", "n", "n")
    return det(block_of([[A, B], [B, A]])), core.scale(det(add(A, B)), det(add(A, minus(B))))


@node_rule(op="det", group="expand", source=MATRIX_ALGEBRA, example=_symmetric_blocks, having="block")
def det_of_symmetric_blocks(e: Expr, context: Context) -> Expr | None:
    """det([A, B; B, A]) = det(A + B) det(A - B)"""
    rows = _grid(e.args[0])
    if rows is None or len(rows) != 2 or len(rows[0]) != 2 or rows[0] != rows[1][::-1] or not same(*rows[0][0].shape):
        return None
    A, B = rows[0]
    return core.scale(det(add(A, B)), det(add(A, minus(B))))


def _schur() -> tuple[Expr, Expr]:
    A, B, C, D = var("A", "m", "m", ["nonsingular"]), var("B", "m", "n"), var("C", "n", "m"), var("D", "n", "n")
    return det(block_of([[A, B], [C, D]])), core.scale(det(A), det(add(D, minus(matmul(C, inverse(A), B)))))


@node_rule(op="det", group="expand", source=SCHUR, example=_schur, having="block")
def det_by_schur_complement(e: Expr, context: Context) -> Expr | None:
    """det([A, B; C, D]) = det(A) det(D - C A^-1 B) for nonsingular A, and likewise for nonsingular D"""
    found = _complement(e.args[0], context)
    return None if found is None else core.scale(*map(det, found))


def _logarithm() -> tuple[Expr, Expr]:
    A, B, C, D = var("A", "m", "m", ["nonsingular"]), var("B", "m", "n"), var("C", "n", "m"), var("D", "n", "n")
    return logdet(block_of([[A, B], [C, D]])), add(logdet(A), logdet(add(D, minus(matmul(C, inverse(A), B)))))


@node_rule(op="logdet", group="expand", source=SCHUR, example=_logarithm, having="block")
def logdet_by_schur_complement(e: Expr, context: Context) -> Expr | None:
    """log|det [A, B; C, D]| = log|det A| + log|det(D - C A^-1 B)| for nonsingular A, and likewise for nonsingular D"""
    found = _complement(e.args[0], context)
    return None if found is None else add(*map(logdet, found))


def _complement(e: Expr, context: Context) -> tuple[Expr, Expr] | None:
    """A and D - C A^-1 B, or D and A - B D^-1 C, whichever of A and D is known to be nonsingular."""
    rows = _grid(e)
    if rows is None or len(rows) != 2 or len(rows[0]) != 2 or not same(*rows[0][0].shape):
        return None
    (A, B), (C, D) = rows
    for P, U, V, Q in ((A, B, C, D), (D, C, B, A)):
        if context.known(P, "nonsingular"):
            return P, add(Q, minus(matmul(V, inverse(P), U)))
    return None


def _diagonal_blocks() -> tuple[Expr, Expr]:
    A, D = var("A", "m", "m"), var("D", "n", "n")
    zeros = [core.zeros("m", "n"), core.zeros("n", "m")]
    return inverse(block_of([[A, zeros[0]], [zeros[1], D]])), block_of([[inverse(A), zeros[0]], [zeros[1], inverse(D)]])


@node_rule(op="inv", group="expand", source=MATRIX_ALGEBRA, example=_diagonal_blocks, having="block")
def inverse_of_triangular_blocks(e: Expr, context: Context) -> Expr | None:
    """[A, B; 0, D]^-1 = [A^-1, -A^-1 B D^-1; 0, D^-1], and transposed"""
    rows = _grid(e.args[0])
    if rows is None or _triangular_blocks(e.args[0]) is None:
        return None
    (A, B), (C, D) = rows
    first, last = inverse(A), inverse(D)
    right = B if B.op == "zeros" else minus(matmul(first, B, last))
    left = C if C.op == "zeros" else minus(matmul(last, C, first))
    return block_of([[first, right], [left, last]])


def _trace() -> tuple[Expr, Expr]:
    A, B, C, D = var("A", "m", "m"), var("B", "m", "n"), var("C", "n", "m"), var("D", "n", "n")
    return core.trace(block_of([[A, B], [C, D]])), add(core.trace(A), core.trace(D))


@node_rule(op="tr", source=MATRIX_ALGEBRA, example=_trace, why="traces move in")
def trace_of_blocks(e: Expr, context: Context) -> Expr | None:
    """tr([A, B; C, D]) = tr(A) + tr(D) for square A and D"""
    rows = _grid(e.args[0])
    if rows is None or len(rows) != len(rows[0]):
        return None
    diagonal = [row[k] for k, row in enumerate(rows)]
    return add(*map(core.trace, diagonal)) if all(same(*b.shape) for b in diagonal) else None
