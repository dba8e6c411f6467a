"""The commutation matrix K: it transposes inside vec and swaps Kronecker factors."""

from __future__ import annotations

from matcalc.core import commutation, diag, eye, kron, vec
from matcalc.dims import is_one, times
from matcalc.expr import Expr
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import node_rule, rule

NEUDECKER = "Magnus & Neudecker, The commutation matrix, Annals of Statistics 7 (1979)"


@rule(X="m n", source=NEUDECKER)
def commutation_times_vec(X: Expr) -> tuple[Expr, Expr]:
    """K_mn vec(X) = vec(X')"""
    return commutation(*X.shape) @ vec(X), vec(X.T)


@rule(X="m n", source=NEUDECKER)
def commutation_squared(X: Expr) -> tuple[Expr, Expr]:
    """K_nm K_mn = I"""
    m, n = X.shape
    return commutation(n, m) @ commutation(m, n), eye(times(m, n))


@rule(A="m n", B="p q", source=NEUDECKER)
def commutation_of_kron(A: Expr, B: Expr) -> tuple[Expr, Expr]:
    """K_pm (A (x) B) K_nq = B (x) A"""
    from_left = commutation(B.shape[0], A.shape[0])
    return from_left @ kron(A, B), kron(B, A) @ commutation(B.shape[1], A.shape[1])


@rule(D="n p", source=NEUDECKER)
def commutation_of_diagonal(D: Expr) -> tuple[Expr, Expr]:
    """K_np diag(vec D) = diag(vec D') K_np"""
    K = commutation(*D.shape)
    return K @ diag(vec(D)), diag(vec(D.T)) @ K


@node_rule(op="comm", source=NEUDECKER, example=lambda: (commutation(1, "n"), eye("n")))
def commutation_of_vectors(e: Expr, context: Context) -> Expr | None:
    """K_1n = K_n1 = I"""
    return eye(e.shape[0]) if is_one(e.params[0]) or is_one(e.params[1]) else None
