"""Traces and determinants."""

from __future__ import annotations

from matcalc import core
from matcalc.core import matmul, number, trace, var
from matcalc.dims import is_one
from matcalc.expr import Expr
from matcalc.ops.linalg import adj, det, logdet
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import HORN, MATRIX_ALGEBRA, node_rule, rule
from matcalc.rewrite.terms import flipped


@rule(a="1 1", source=MATRIX_ALGEBRA)
def trace_of_scalar(a: Expr) -> tuple[Expr, Expr]:
    """tr(a) = a for a 1 x 1 value"""
    return trace(a), a


@rule(A="n n", source=MATRIX_ALGEBRA)
def trace_of_transpose(A: Expr) -> tuple[Expr, Expr]:
    """tr(A') = tr(A)"""
    return trace(A.T), trace(A)


@rule(X="n n", source=MATRIX_ALGEBRA)
def trace_of_identity(X: Expr) -> tuple[Expr, Expr]:
    """tr(I) = n"""
    return trace(core.eye(X.shape[0])), number(core.exact_dim(X.shape[0]))


@rule(X="n n", source=MATRIX_ALGEBRA)
def trace_of_zero(X: Expr) -> tuple[Expr, Expr]:
    """tr(0) = 0"""
    return trace(core.zeros(*X.shape)), number(0)


def _sum() -> tuple[Expr, Expr]:
    A, B = var("A", "n", "n"), var("B", "n", "n")
    return trace(core.add(A, B)), core.add(trace(A), trace(B))


@node_rule(op="tr", source=MATRIX_ALGEBRA, example=_sum, why="traces move in")
def trace_of_sum(e: Expr, context: Context) -> Expr | None:
    """tr(A + B) = tr(A) + tr(B)"""
    inner = e.args[0]
    return core.add(*(trace(a) for a in inner.args)) if inner.op == "add" and context.may_open(inner) else None


@rule(A="n n", s="s: 1 1", source=MATRIX_ALGEBRA, why="scalars move out")
def trace_of_scaled(A: Expr, *s: Expr) -> tuple[Expr, Expr]:
    """tr(s A) = s tr(A)"""
    return trace(core.scale(*s, A)), core.scale(*s, trace(A))


@rule(A="m m", B="n n", source=HORN)
def trace_of_kron(A: Expr, B: Expr) -> tuple[Expr, Expr]:
    """tr(A (x) B) = tr(A) tr(B) for square A and B"""
    return trace(core.kron(A, B)), core.scale(trace(A), trace(B))


def _cyclic() -> tuple[Expr, Expr]:
    A, x, y = var("A", "n", "m"), var("x", "m", 1), var("y", 1, "n")
    return trace(matmul(A, x, y)), matmul(y, A, x)


@node_rule(op="tr", source=MATRIX_ALGEBRA, example=_cyclic)
def trace_through_a_vector(e: Expr, context: Context) -> Expr | None:
    """tr(A x y') = y' A x"""
    inner = e.args[0]
    if inner.op != "matmul":
        return None
    for k, f in enumerate(inner.args[1:], 1):
        if is_one(f.shape[0]):
            return matmul(*inner.args[k:], *inner.args[:k])
    return None


@rule(v="n 1", source=MATRIX_ALGEBRA)
def trace_of_diagonal(v: Expr) -> tuple[Expr, Expr]:
    """tr(diag(v)) = sum(v)"""
    return trace(core.diag(v)), core.total(v)


def _of_value(a: Expr, X: Expr) -> tuple[Expr, Expr]:
    return trace(core.broadcast(a, X.shape)), core.scale(number(core.exact_dim(X.shape[0])), a)


def _of_row(b: Expr, X: Expr) -> tuple[Expr, Expr]:
    return trace(core.broadcast(b, X.shape)), core.total(b)


def _of_column(c: Expr, X: Expr) -> tuple[Expr, Expr]:
    return trace(core.broadcast(c, X.shape)), core.total(c)


@rule(X="n n", a="1 1", b="1 n", c="n 1", also=[_of_value, _of_row, _of_column], source=MATRIX_ALGEBRA)
def trace_of_ones(X: Expr) -> tuple[Expr, Expr]:
    """tr(1 1') = n"""
    return trace(core.ones(*X.shape)), number(core.exact_dim(X.shape[0]))


@rule(A="n n", facts={"A": "nonsingular"}, source=MATRIX_ALGEBRA, wish=True)
def adjugate_of_nonsingular(A: Expr) -> tuple[Expr, Expr]:
    """adj(A) = det(A) A^-1 for nonsingular A"""
    return adj(A), core.scale(det(A), core.inverse(A))


@rule(A="n n", source=MATRIX_ALGEBRA)
def det_of_transpose(A: Expr) -> tuple[Expr, Expr]:
    """det(A') = det(A)"""
    return det(A.T), det(A)


@rule(A="n n", source=MATRIX_ALGEBRA, why="inverses move out")
def det_of_inverse(A: Expr) -> tuple[Expr, Expr]:
    """det(A^-1) = 1/det(A)"""
    return det(core.inverse(A)), core.power(det(A), -1)


@rule(A="n n", source=MATRIX_ALGEBRA)
def logdet_of_transpose(A: Expr) -> tuple[Expr, Expr]:
    """log|det A'| = log|det A|"""
    return logdet(A.T), logdet(A)


def _meeting() -> tuple[Expr, Expr]:
    X, A = var("X", "m", "n"), var("A", "m", "m")
    return trace(matmul(X, core.inverse(matmul(X.T, A, X)), X.T, A)), number(core.exact_dim(X.shape[1]))


@node_rule(op="tr", source=MATRIX_ALGEBRA, example=_meeting, having="matmul")
def trace_around_an_inverse(e: Expr, context: Context) -> Expr | None:
    """tr(A M^-1 B) = tr(C) where B A = M C or C M: a trace goes round"""
    factors = e.args[0].args
    for k, f in enumerate(factors):
        word = (f.args[0].args if f.args[0].op == "matmul" else f.args) if f.op == "inv" else ()
        beside = (*factors[k + 1 :], *factors[:k])
        if not word or len(word) > len(beside):
            continue
        for cut, rest in ((beside[: len(word)], beside[len(word) :]), (beside[-len(word) :], beside[: -len(word)])):
            if all(a.digest == b.digest for a, b in zip(cut, word)):
                return trace(matmul(*rest) if rest else core.eye(f.shape[0]))
    return None


def _turned_product() -> tuple[Expr, Expr]:
    A, B = var("A", "n", "m"), var("B", "m", "n")
    return trace(matmul(B.T, A.T)), trace(A @ B)


@node_rule(op="tr", group="present", source=MATRIX_ALGEBRA, example=_turned_product)
def trace_of_transposed_product(e: Expr, context: Context) -> Expr | None:
    """tr(B' A') = tr(A B)"""
    inner = e.args[0]
    if inner.op == "transpose":
        return trace(inner.args[0])
    return trace(matmul(*(flipped(f) for f in reversed(inner.args)))) if inner.op == "matmul" else None
