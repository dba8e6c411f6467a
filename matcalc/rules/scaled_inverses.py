"""Scaled rows and columns of a matrix and its inverse: `inv(diag(t)*W) = inv(W)*diag(1 ./ t)`, and what then cancels.

`diag(t)*W` is `W .* t` by the time these rules see it: the rows of W times the entries of the column t.
"""

from __future__ import annotations

from typing import NamedTuple

from matcalc import core
from matcalc.core import broadcast, diag, diagvec, hadamard, inverse, matmul, power, total, var
from matcalc.dims import is_one, same
from matcalc.expr import Expr
from matcalc.ops.elementwise import absolute, log
from matcalc.ops.linalg import logdet
from matcalc.rewrite.context import Context
from matcalc.rewrite.normal import tidy
from matcalc.rewrite.rule import HORN, MATRIX_ALGEBRA, node_rule
from matcalc.rewrite.terms import flipped
from matcalc.rules.canonical import turned


class Scaled(NamedTuple):
    """A matrix with scaled rows and columns: diag(left) body diag(right), None where nothing scales."""

    left: Expr | None  # a column
    body: Expr
    right: Expr | None  # a row


def scaled_parts(e: Expr) -> Scaled | None:
    """A Hadamard product as a matrix with scaled rows and columns; None where nothing else is left."""
    if e.op != "hadamard":
        return Scaled(None, e, None)
    sides: dict[int, list[Expr]] = {0: [], 1: []}
    rest: list[Expr] = []
    for f in e.args:
        v = f.args[0] if f.op == "broadcast" else None
        if v is None or v.is_scalar:
            rest.append(f)
        else:
            sides[0 if is_one(v.shape[1]) else 1].append(v)
    if not rest:
        return None
    left, right = (hadamard(*vs) if vs else None for vs in sides.values())
    return Scaled(left, hadamard(*rest), right)


def rescaled(s: Scaled) -> Expr:
    """The Hadamard product of scaled parts."""
    vectors = [broadcast(v, s.body.shape) for v in (s.left, s.right) if v is not None]
    return hadamard(s.body, *vectors)


def _example() -> tuple[Expr, Expr]:
    t, W = var("t", "n", 1, ["positive"]), var("W", "n", "n", ["nonsingular"])
    inside = inverse(W)
    return inverse(hadamard(W, broadcast(t, W.shape))), hadamard(inside, broadcast(power(t, -1).T, W.shape))


@node_rule(op="inv", source=MATRIX_ALGEBRA, example=_example, why="inverses move in")
def inverse_of_scaled_rows(e: Expr, context: Context) -> Expr | None:
    """(v 1' o W)^-1 = W^-1 o 1 (1 ./ v)', (W o 1 v')^-1 = (1 ./ v) 1' o W^-1 for nonsingular W, v without zeros"""
    parts = scaled_parts(e.args[0])
    if parts is None or (parts.left is None and parts.right is None):
        return None
    if not all(v is None or context.known(v, "nonzero") for v in (parts.left, parts.right)):
        return None
    if not context.known(parts.body, "nonsingular"):
        return None
    left, right = (None if v is None else power(flipped(v), -1) for v in (parts.right, parts.left))
    return rescaled(Scaled(left, inverse(parts.body), right))


def _cancelling() -> tuple[Expr, Expr]:
    t, W = var("t", "n", 1), var("W", "n", "n", ["nonsingular"])
    return matmul(hadamard(inverse(W), broadcast(t, W.shape)), W), diag(t)


@node_rule(op="matmul", source=MATRIX_ALGEBRA, example=_cancelling, having="hadamard")
def scaled_inverse_cancels(e: Expr, context: Context) -> Expr | None:
    """(v 1' o W^-1) W = diag(v), W (W^-1 o 1 v') = diag(v), (W^-1 o 1 (1 ./ v)') (v 1' o W) = I for nonsingular W"""
    for k, (f, g) in enumerate(zip(e.args, e.args[1:])):
        if "hadamard" not in (f.op, g.op):
            continue
        first, second = scaled_parts(f), scaled_parts(g)
        if first is None or second is None or not _inverse_of_each_other(first.body, second.body, context):
            continue
        if _between(first, second, context) is not None:
            continue
        outer = [v if is_one(v.shape[1]) else flipped(v) for v in (first.left, second.right) if v is not None]
        inside = diag(hadamard(*outer)) if outer else core.eye(f.shape[0])
        return matmul(*e.args[:k], inside, *e.args[k + 2 :])
    return None


def _inverse_of_each_other(a: Expr, b: Expr, context: Context) -> bool:
    for outer, inner in ((a, b), (b, a)):
        if outer.op == "inv" and outer.args[0].digest == inner.digest:
            return context.known(inner, "nonsingular")
    return False


def _between(first: Scaled, second: Scaled, context: Context) -> Expr | None:
    """What scales between two factors, as a column; None where there is nothing or all cancels."""
    vectors = [None if first.right is None else turned(first.right, context), second.left]
    kept = [v for v in vectors if v is not None]
    if len(kept) < len(vectors):
        return kept[0] if kept else None
    joint = tidied(hadamard(*kept), context)
    return None if joint.op == "ones" else joint


def _meeting() -> tuple[Expr, Expr]:
    t, A, B = var("t", "n", 1, ["nonzero"]), var("A", "m", "n"), var("B", "n", "p")
    return hadamard(A, broadcast(power(t.T, -1), A.shape)) @ hadamard(B, broadcast(t, B.shape)), A @ B


@node_rule(op="matmul", source=HORN, example=_meeting, having="hadamard, hadamard")
def scalings_cancel_in_a_product(e: Expr, context: Context) -> Expr | None:
    """(A o 1 (1 ./ v)') (v 1' o B) = A B for v without zeros, (A o 1 v') (v 1' o B) = A (v.^2 1' o B)"""
    for k, (f, g) in enumerate(zip(e.args, e.args[1:])):
        if f.op != "hadamard" or g.op != "hadamard":
            continue
        first, second = scaled_parts(f), scaled_parts(g)
        if first is None or second is None or first.right is None or second.left is None:
            continue
        joint = _between(first, second, context)
        if joint is not None and joint.op == "hadamard":  # nothing has met
            continue
        pair = rescaled(first._replace(right=None)), rescaled(second._replace(left=joint))
        return matmul(*e.args[:k], *pair, *e.args[k + 2 :])
    return None


def _diagonal() -> tuple[Expr, Expr]:
    v, A, B = var("v", "n", 1), var("A", "n", "m"), var("B", "m", "n")
    return diagvec(hadamard(A, broadcast(v, A.shape)) @ B), hadamard(v, diagvec(A @ B))


@node_rule(op="diagvec", source=HORN, example=_diagonal, why="scalings move out")
def diagonal_of_scaled_product(e: Expr, context: Context) -> Expr | None:
    """diagvec((v 1' o A) B) = v o diagvec(A B), diagvec(A (B o 1 v')) = v o diagvec(A B)"""
    word = e.args[0]
    if word.op != "matmul":
        return None
    factors = list(word.args)
    outer: list[Expr] = []
    for end in {0, len(factors) - 1}:
        parts = scaled_parts(factors[end])
        if parts is None:
            continue
        left = parts.left if end == 0 else None
        right = parts.right if end == len(factors) - 1 else None
        outer += [v for v in (left, None if right is None else flipped(right)) if v is not None]
        factors[end] = rescaled(
            Scaled(None if left is not None else parts.left, parts.body, None if right is not None else parts.right)
        )
    return hadamard(*outer, diagvec(matmul(*factors))) if outer else None


def _weighted_sum() -> tuple[Expr, Expr]:
    P, W = var("P", "n", "n"), var("W", "n", "n", ["nonsingular"])
    return total(hadamard(P @ inverse(W.T), W), 2), diagvec(P)


@node_rule(op="sum", source=HORN, example=_weighted_sum, having="hadamard")
def inverse_in_row_products(e: Expr, context: Context) -> Expr | None:
    """sum(P W'^-1 o W, 2) = diagvec(P), sum(W'^-1 P o W, 1) = diagvec(P)' for nonsingular W"""
    X, axis = e.args[0], e.params[0]
    if X.op != "hadamard" or len(X.args) != 2 or axis is None or not same(*X.shape):
        return None
    for f, W in (X.args, X.args[::-1]):
        factors = f.args if f.op == "matmul" else (f,)
        end = factors[-1] if axis == 2 else factors[0]
        if end.op != "inv" or end.args[0].digest != flipped(W).digest or not context.known(W, "nonsingular"):
            continue
        rest = factors[:-1] if axis == 2 else factors[1:]
        diagonal = diagvec(matmul(*rest)) if rest else core.ones(W.shape[0], 1)
        return diagonal if axis == 2 else core.transpose(diagonal)
    return None


# ------------------------------------------------------------------------------------------------ shorter forms


def _to_vector() -> tuple[Expr, Expr]:
    A, w, x = var("A", "m", "n"), var("w", "n", 1), var("x", "n", 1)
    return hadamard(A, broadcast(w.T, A.shape)) @ x, A @ hadamard(w, x)


@node_rule(op="matmul", group="present", source=HORN, example=_to_vector, having="hadamard")
def scaling_goes_to_the_vector(e: Expr, context: Context) -> Expr | None:
    """(A o 1 w') x = A (w o x) for a column x, y' (v 1' o A) = (y o v)' A for a row y'"""
    for k, (f, g) in enumerate(zip(e.args, e.args[1:])):
        first, second = scaled_parts(f), scaled_parts(g)
        if first is not None and first.right is not None and is_one(g.shape[1]):
            pair = rescaled(first._replace(right=None)), tidied(hadamard(turned(first.right, context), g), context)
        elif second is not None and second.left is not None and is_one(f.shape[0]):
            pair = tidied(hadamard(f, turned(second.left, context)), context), rescaled(second._replace(left=None))
        else:
            continue
        return matmul(*e.args[:k], *pair, *e.args[k + 2 :])
    return None


def _rank_one() -> tuple[Expr, Expr]:
    t, x, y = var("t", "n", 1, ["nonzero"]), var("x", "n", 1), var("y", 1, "n")
    left = hadamard(hadamard(x, power(t, -1)) @ y, broadcast(t, (t.shape[0], y.shape[1])))
    return left, x @ y


@node_rule(op="hadamard", group="present", source=HORN, example=_rank_one)
def scaling_of_rank_one(e: Expr, context: Context) -> Expr | None:
    """v 1' o (x y') = (v o x) y', x y' o 1 w' = x (y o w)'"""
    parts = scaled_parts(e)
    if parts is None or parts.body.op != "matmul" or (parts.left is None and parts.right is None):
        return None
    factors = list(parts.body.args)
    left, right = parts.left, parts.right
    if left is not None and is_one(factors[0].shape[1]):
        factors[0], left = tidied(hadamard(left, factors[0]), context), None
    if right is not None and is_one(factors[-1].shape[0]):
        factors[-1], right = tidied(hadamard(right, factors[-1]), context), None
    return rescaled(Scaled(left, matmul(*factors), right))


def tidied(e: Expr, context: Context) -> Expr:
    """The root tidied until nothing changes."""
    while True:
        after = tidy(e, context)
        if after is e:
            return e
        e = after


def _mirrored() -> tuple[Expr, Expr]:
    A, W = var("A", "n", "n"), var("W", "n", "n")
    return diagvec(inverse(W.T) @ A.T), diagvec(A @ inverse(W))


@node_rule(op="diagvec", group="present", source=HORN, example=_mirrored)
def diagonal_of_mirrored_product(e: Expr, context: Context) -> Expr | None:
    """diagvec(B' A') = diagvec(A B)"""
    word = e.args[0]
    return diagvec(turned(word, context)) if word.op == "matmul" else None


# ------------------------------------------------------------------------------------------------ for proofs


def _logdet() -> tuple[Expr, Expr]:
    t, W = var("t", "n", 1, ["positive"]), var("W", "n", "n")
    left = logdet(hadamard(W, broadcast(t, W.shape)))
    return left, core.add(logdet(W), total(log(absolute(t))))


@node_rule(op="logdet", group="expand", source=MATRIX_ALGEBRA, example=_logdet)
def logdet_of_scaled_rows(e: Expr, context: Context) -> Expr | None:
    """log|det(v 1' o W)| = log|det W| + sum(log(|v|)), and for columns"""
    parts = scaled_parts(e.args[0])
    vectors = [] if parts is None else [v for v in (parts.left, parts.right) if v is not None]
    if parts is None or not vectors:
        return None
    logs = [total(log(absolute(v))) for v in vectors]
    return core.add(logdet(parts.body), *logs)


def _outer_power() -> tuple[Expr, Expr]:
    x, y = var("x", "m", 1), var("y", 1, "n")
    return power(x @ y, -1), power(x, -1) @ power(y, -1)


@node_rule(op="power", group="expand", source=HORN, example=_outer_power)
def power_of_rank_one(e: Expr, context: Context) -> Expr | None:
    """(x y').^k = x.^k (y.^k)' for whole k"""
    base, k = e.args
    if base.op != "matmul" or k.op != "number" or not k.params[0].is_integer:
        return None
    for i, f in enumerate(base.args[1:], 1):
        if is_one(f.shape[0]):
            return power(matmul(*base.args[:i]), k) @ power(matmul(*base.args[i:]), k)
    return None
