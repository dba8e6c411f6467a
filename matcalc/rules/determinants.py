"""Determinants and adjugates of products, inverses and powers (for proofs), and derivatives of adjugates."""

from __future__ import annotations

from matcalc import core
from matcalc.core import add, inverse, matmul, minus, number, power, scale, trace, var, vec
from matcalc.dims import same
from matcalc.expr import Expr
from matcalc.ops.linalg import adj, dadj, dadjform, det, logdet
from matcalc.ops.matrix_functions import matpow
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MATRIX_ALGEBRA, node_rule, rule


def _product() -> tuple[Expr, Expr]:
    A, B = var("A", "n", "n"), var("B", "n", "n")
    return det(A @ B), scale(det(A), det(B))


@node_rule(op="det", group="expand", source=MATRIX_ALGEBRA, example=_product)
def det_of_product(e: Expr, context: Context) -> Expr | None:
    """det(A B) = det(A) det(B), det(A^k) = det(A)^k, det(s A) = s^n det(A), det(A (x) B) = det(A)^n det(B)^m"""
    A = e.args[0]
    if A.op == "kron" and all(same(*f.shape) for f in A.args):
        orders = [number(core.exact_dim(f.shape[0])) for f in A.args]
        return scale(*(power(det(f), k) for f, k in zip(A.args, reversed(orders))))
    if A.op == "matmul" and all(same(*f.shape) for f in A.args):
        return scale(*(det(f) for f in A.args))
    if A.op == "inv":
        return power(det(A.args[0]), -1)
    if A.op == "matpow":
        return power(det(A.args[0]), A.args[1])
    if A.op == "scale":
        size = number(core.exact_dim(A.shape[0]))
        return scale(*(power(s, size) for s in A.args[:-1]), det(A.args[-1]))
    return number(1) if A.op == "eye" else None


def _powers() -> tuple[Expr, Expr]:
    A = var("A", "n", "n", ["nonsingular"])
    return logdet(matpow(A, number(3))), scale(number(3), logdet(A))


@node_rule(op="logdet", source=MATRIX_ALGEBRA, example=_powers, why="determinants move in")
def logdet_of_matrix_power(e: Expr, context: Context) -> Expr | None:
    """log|det A^k| = k log|det A|, log|det A^-1| = -log|det A|"""
    A = e.args[0]
    if A.op == "inv":
        return minus(logdet(*A.args))
    return scale(A.args[1], logdet(A.args[0])) if A.op == "matpow" else None


def _adjugates() -> tuple[Expr, Expr]:
    A, B = var("A", "n", "n"), var("B", "n", "n")
    return adj(A @ B), adj(B) @ adj(A)


@node_rule(op="adj", group="expand", source=MATRIX_ALGEBRA, example=_adjugates)
def adjugate_of_product(e: Expr, context: Context) -> Expr | None:
    """adj(A B) = adj(B) adj(A) for square A and B"""
    A = e.args[0]
    if A.op == "matmul" and all(same(*f.shape) for f in A.args):
        return matmul(*(adj(f) for f in reversed(A.args)))
    return None


def _cancelled() -> tuple[Expr, Expr]:
    A = var("A", "n", "n")
    return A @ adj(A), scale(det(A), core.eye("n"))


@node_rule(op="matmul", group="expand", source=MATRIX_ALGEBRA, example=_cancelled)
def adjugate_cancels(e: Expr, context: Context) -> Expr | None:
    """A adj(A) = adj(A) A = det(A) I"""
    for k, (a, b) in enumerate(zip(e.args, e.args[1:])):
        for outer, inner in ((a, b), (b, a)):
            if inner.op == "adj" and inner.args[0].digest == outer.digest:
                rest = (*e.args[:k], *e.args[k + 2 :])
                return scale(det(outer), matmul(*rest) if rest else core.eye(e.shape[0]))
    return None


def _power_of_inverse() -> tuple[Expr, Expr]:
    A = var("A", "n", "n")
    return matpow(inverse(A), number(2)), matpow(A, number(-2))


@node_rule(op="matpow", group="expand", source=MATRIX_ALGEBRA, example=_power_of_inverse)
def matrix_power_of_inverse(e: Expr, context: Context) -> Expr | None:
    """(A^-1)^k = A^-k"""
    base, k = e.args
    if base.op != "inv" or k.op != "number":
        return None
    return matpow(base.args[0], number(-k.params[0]))


def _inverse_of_power() -> tuple[Expr, Expr]:
    A = var("A", "n", "n")
    return inverse(matpow(A, number(2))), matpow(A, number(-2))


@node_rule(op="inv", group="expand", source=MATRIX_ALGEBRA, example=_inverse_of_power)
def inverse_of_matrix_power(e: Expr, context: Context) -> Expr | None:
    """(A^k)^-1 = A^-k"""
    A = e.args[0]
    if A.op != "matpow" or A.args[1].op != "number":
        return None
    return matpow(A.args[0], number(-A.args[1].params[0]))


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
