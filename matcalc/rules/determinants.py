"""Determinants and adjugates of products, inverses and powers (for proofs), and derivatives of adjugates."""

from __future__ import annotations

from matcalc import core
from matcalc.core import add, inverse, matmul, minus, number, power, scale, trace, vec
from matcalc.expr import Expr
from matcalc.ops.linalg import adj, dadj, dadjform, det, logdet
from matcalc.ops.matrix_functions import matpow
from matcalc.rewrite.rule import MATRIX_ALGEBRA, rule


def _of_kron(P: Expr, Q: Expr) -> tuple[Expr, Expr]:
    m, n = (number(core.exact_dim(X.shape[0])) for X in (P, Q))
    return det(core.kron(P, Q)), scale(power(det(P), n), power(det(Q), m))


def _of_inverse(X: Expr) -> tuple[Expr, Expr]:
    return det(inverse(X)), power(det(X), -1)


def _of_power(X: Expr, k: Expr) -> tuple[Expr, Expr]:
    return det(matpow(X, k)), power(det(X), k)


def _of_multiple(X: Expr, *s: Expr) -> tuple[Expr, Expr]:
    size = number(core.exact_dim(X.shape[0]))
    return det(scale(*s, X)), scale(*(power(f, size) for f in s), det(X))


def _of_identity(X: Expr) -> tuple[Expr, Expr]:
    return det(core.eye(X.shape[0])), number(1)


@rule(
    F="A: n n, B: n n",
    P="m m",
    Q="n n",
    X="n n",
    k="1 1",
    s="s: 1 1",
    also=[_of_kron, _of_inverse, _of_power, _of_multiple, _of_identity],
    group="expand",
    source=MATRIX_ALGEBRA,
)
def det_of_product(*F: Expr) -> tuple[Expr, Expr]:
    """det(A B) = det(A) det(B), det(A^k) = det(A)^k, det(s A) = s^n det(A), det(A (x) B) = det(A)^n det(B)^m"""
    return det(matmul(*F)), scale(*map(det, F))


def _logdet_of_power(A: Expr, c: Expr) -> tuple[Expr, Expr]:
    return logdet(matpow(A, c)), scale(c, logdet(A))


def _logdet_of_inverse(A: Expr) -> tuple[Expr, Expr]:
    return logdet(inverse(A)), minus(logdet(A))


@rule(
    A="n n",
    k="number 3",
    c="1 1",
    drawn={"A": "nonsingular"},
    also=[_logdet_of_power, _logdet_of_inverse],
    source=MATRIX_ALGEBRA,
    why="determinants move in",
)
def logdet_of_matrix_power(A: Expr, k: Expr) -> tuple[Expr, Expr]:
    """log|det A^k| = k log|det A|, log|det A^-1| = -log|det A|"""
    return logdet(matpow(A, k)), scale(k, logdet(A))


@rule(F="A: n n, B: n n", group="expand", source=MATRIX_ALGEBRA)
def adjugate_of_product(*F: Expr) -> tuple[Expr, Expr]:
    """adj(A B) = adj(B) adj(A) for square A and B"""
    return adj(matmul(*F)), matmul(*map(adj, reversed(F)))


def _from_left(A: Expr) -> tuple[Expr, Expr]:
    return adj(A) @ A, scale(det(A), core.eye(A.shape[0]))


@rule(A="n n", also=[_from_left], group="expand", source=MATRIX_ALGEBRA)
def adjugate_cancels(A: Expr) -> tuple[Expr, Expr]:
    """A adj(A) = adj(A) A = det(A) I"""
    return A @ adj(A), scale(det(A), core.eye(A.shape[0]))


def _negative(k: Expr) -> Expr:
    """-k for a number k; that of a pattern is unknown."""
    return k if k.number is None else number(-k.number)


@rule(A="n n", k="number 2", group="expand", source=MATRIX_ALGEBRA)
def matrix_power_of_inverse(A: Expr, k: Expr) -> tuple[Expr, Expr]:
    """(A^-1)^k = A^-k"""
    return matpow(inverse(A), k), matpow(A, _negative(k))


@rule(A="n n", k="number 2", group="expand", source=MATRIX_ALGEBRA)
def inverse_of_matrix_power(A: Expr, k: Expr) -> tuple[Expr, Expr]:
    """(A^k)^-1 = A^-k"""
    return inverse(matpow(A, k)), matpow(A, _negative(k))


# ------------------------------------------------------------------------------------------------ slopes of adjugates

MAGNUS_ADJUGATES = "Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 8"


@rule(A="n n", V="n n", source=MATRIX_ALGEBRA, why="transposes move in")
def transpose_of_adjugate_slope(A: Expr, V: Expr) -> tuple[Expr, Expr]:
    """dadj(A, V)' = dadj(A', V')"""
    return dadj(A, V).T, dadj(A.T, V.T)


@rule(A="n n", V="n n", facts={"A": "nonsingular"}, source=MAGNUS_ADJUGATES, wish=True)
def adjugate_slope_of_nonsingular(A: Expr, V: Expr) -> tuple[Expr, Expr]:
    """dadj(A, V) = det(A) (tr(A^-1 V) A^-1 - A^-1 V A^-1) for nonsingular A"""
    inv = inverse(A)
    return dadj(A, V), scale(det(A), add(scale(trace(inv @ V), inv), minus(matmul(inv, V, inv))))


@rule(A="n n", facts={"A": "nonsingular"}, source=MAGNUS_ADJUGATES, wish=True)
def adjugate_form_of_nonsingular(A: Expr) -> tuple[Expr, Expr]:
    """dadjform(A, 1) = det(A) (vec(A^-1) vec(A'^-1)' - A'^-1 (x) A^-1) for nonsingular A"""
    inv, turned = inverse(A), inverse(A.T)
    form = add(vec(inv) @ vec(turned).T, minus(core.kron(turned, inv)))
    return dadjform(A, 1), scale(det(A), form)
