"""Determinants and diagonals of triangular matrices, the diagonal ones among them, and sums up to here; for proofs."""

from __future__ import annotations

from matcalc.core import diag, diagvec, hadamard, matmul, total, trace, var
from matcalc.expr import Expr
from matcalc.ops.elementwise import absolute, log
from matcalc.ops.entry_products import prod
from matcalc.ops.linalg import det, logdet
from matcalc.ops.selection import cumsum, lower_ones
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MATRIX_ALGEBRA, node_rule, rule


def _of_diagonal(v: Expr) -> tuple[Expr, Expr]:
    return det(diag(v)), prod(v)


@rule(
    L="n n",
    v="n 1",
    facts={"L": "lower|upper"},
    also=[_of_diagonal],
    group="expand",
    exact=False,
    source=MATRIX_ALGEBRA,
)
def det_of_triangle(L: Expr) -> tuple[Expr, Expr]:
    """det(L) = prod(diagvec(L)) for triangular L, det(diag(v)) = prod(v)"""
    return det(L), prod(diagvec(L))


def _logarithm_of_diagonal(v: Expr) -> tuple[Expr, Expr]:
    return logdet(diag(v)), total(log(absolute(v)))


@rule(
    L="n n", v="n 1", facts={"L": "lower|upper"}, also=[_logarithm_of_diagonal], group="expand", source=MATRIX_ALGEBRA
)
def logdet_of_triangle(L: Expr) -> tuple[Expr, Expr]:
    """log|det L| = sum(log(abs(diagvec(L)))) for triangular L, log|det diag(v)| = sum(log(abs(v)))"""
    return logdet(L), total(log(absolute(diagvec(L))))


def _product() -> tuple[Expr, Expr]:
    A, B = var("A", "n", "n", ["lower"]), var("B", "n", "n", ["lower"])
    return diagvec(A @ B), hadamard(diagvec(A), diagvec(B))


@node_rule(op="diagvec", group="expand", source=MATRIX_ALGEBRA, example=_product, having="matmul")
def diagonal_of_triangles(e: Expr, context: Context) -> Expr | None:
    """diagvec(A B) = diagvec(A) o diagvec(B) for lower triangular A and B, or upper ones"""
    if e.args[0].op != "matmul":
        return None
    first, *others = e.args[0].args
    rest = matmul(*others)
    both = any(context.known(first, fact) and context.known(rest, fact) for fact in ("lower", "upper"))
    return hadamard(diagvec(first), diagvec(rest)) if both else None


def _trace() -> tuple[Expr, Expr]:
    A, B = var("A", "n", "n", ["lower"]), var("B", "n", "n", ["lower"])
    return trace(A @ B), diagvec(A).T @ diagvec(B)


@node_rule(op="tr", group="expand", source=MATRIX_ALGEBRA, example=_trace, having="matmul")
def trace_of_triangles(e: Expr, context: Context) -> Expr | None:
    """tr(A B) = diagvec(A)' diagvec(B) for lower triangular A and B, or upper ones"""
    factors = e.args[0].args if e.args[0].op == "matmul" else ()
    if factors and any(all(context.known(f, fact) for f in factors) for fact in ("lower", "upper")):
        return diagvec(factors[0]).T @ hadamard(*map(diagvec, factors[1:]))
    return None


def _along_rows(X: Expr) -> tuple[Expr, Expr]:
    return cumsum(X, 2), X @ lower_ones(X.shape[1], X.shape[1]).T


@rule(X="m n", also=[_along_rows], group="expand", source="definition of the function")
def cumulative_sum_by_triangle(X: Expr) -> tuple[Expr, Expr]:
    """cumsum(X, 1) = tril(1 1') X, cumsum(X, 2) = X tril(1 1')'"""
    return cumsum(X, 1), lower_ones(X.shape[0], X.shape[0]) @ X
