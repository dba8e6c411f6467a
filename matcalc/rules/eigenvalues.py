"""Sums and products over all eigenvalues: traces and determinants, which need no eigenvalues."""

from __future__ import annotations

from matcalc.core import matrix_power, power, total, trace, var
from matcalc.expr import Expr
from matcalc.ops.elementwise import log
from matcalc.ops.entry_products import prod
from matcalc.ops.linalg import det, logdet
from matcalc.ops.spectral import eigvals
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MATRIX_ALGEBRA, node_rule, rule

HIGHAM = "Higham, Functions of Matrices (2008), ch. 1"

# The rules by which sums and products over eigenvalues and over a factor's diagonal are rewritten at first.
FACTORED = frozenset(
    (
        "sum_of_eigenvalues",
        "product_of_eigenvalues",
        "sum_of_log_eigenvalues",
        "sum_of_powers_of_eigenvalues",
        "log_diagonal_of_cholesky",
        "diagonal_product_of_cholesky",
    )
)


@rule(X="n n", source=MATRIX_ALGEBRA)
def sum_of_eigenvalues(X: Expr) -> tuple[Expr, Expr]:
    """sum(eigvals(X)) = tr(X)"""
    return total(eigvals(X)), trace(X)


@rule(X="n n", source=MATRIX_ALGEBRA)
def product_of_eigenvalues(X: Expr) -> tuple[Expr, Expr]:
    """prod(eigvals(X)) = det(X)"""
    return prod(eigvals(X)), det(X)


def _logarithms() -> tuple[Expr, Expr]:
    X = var("X", "n", "n", ["positive-definite"])
    return total(log(eigvals(X))), logdet(X)


@node_rule(op="sum", source=MATRIX_ALGEBRA, example=_logarithms)
def sum_of_log_eigenvalues(e: Expr, context: Context) -> Expr | None:
    """sum(log(eigvals(X))) = log|det X| for positive eigenvalues"""
    inner = e.args[0]
    if inner.op != "log" or inner.args[0].op != "eigvals" or not e.is_scalar:
        return None
    return logdet(*inner.args[0].args) if context.known(inner.args[0], "positive") else None


@rule(X="n n", k="number 3", where=lambda k: bool(k.number.is_Integer), source=HIGHAM)
def sum_of_powers_of_eigenvalues(X: Expr, k: Expr) -> tuple[Expr, Expr]:
    """sum(eigvals(X) .^ k) = tr(X^k) for whole k"""
    return total(power(eigvals(X), k)), trace(matrix_power(X, k))
