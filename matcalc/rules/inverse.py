"""Inverses and powers of matrices. Nothing cancels unless the matrix is known to be nonsingular."""

from __future__ import annotations

from matcalc import core
from matcalc.core import diag, inverse, kron, matmul, number, power, scale, var
from matcalc.dims import same
from matcalc.expr import Expr, node
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import HORN, MATRIX_ALGEBRA, node_rule, rule


@rule(A="n n", facts={"A": "nonsingular"}, source=MATRIX_ALGEBRA)
def inverse_cancels_left(A: Expr) -> tuple[Expr, Expr]:
    """A^-1 A = I for nonsingular A"""
    return inverse(A) @ A, core.eye(A.shape[0])


@rule(A="n n", facts={"A": "nonsingular"}, source=MATRIX_ALGEBRA)
def inverse_cancels_right(A: Expr) -> tuple[Expr, Expr]:
    """A A^-1 = I for nonsingular A"""
    return A @ inverse(A), core.eye(A.shape[0])


@rule(A="n n", facts={"A": "nonsingular"}, source=MATRIX_ALGEBRA)
def inverse_of_inverse(A: Expr) -> tuple[Expr, Expr]:
    """(A^-1)^-1 = A for nonsingular A"""
    return inverse(inverse(A)), A


@rule(Q="n n", facts={"Q": "orthogonal"}, source=MATRIX_ALGEBRA)
def inverse_of_orthogonal(Q: Expr) -> tuple[Expr, Expr]:
    """Q^-1 = Q' for orthogonal Q"""
    return inverse(Q), Q.T


@rule(Q="n n", facts={"Q": "orthogonal"}, source=MATRIX_ALGEBRA)
def orthogonal_cancels_left(Q: Expr) -> tuple[Expr, Expr]:
    """Q' Q = I for orthogonal Q"""
    return Q.T @ Q, core.eye(Q.shape[0])


@rule(Q="n n", facts={"Q": "orthogonal"}, source=MATRIX_ALGEBRA)
def orthogonal_cancels_right(Q: Expr) -> tuple[Expr, Expr]:
    """Q Q' = I for orthogonal Q"""
    return Q @ Q.T, core.eye(Q.shape[0])


def _product() -> tuple[Expr, Expr]:
    A, B = var("A", "n", "n", ["nonsingular"]), var("B", "n", "n", ["nonsingular"])
    return inverse(A @ B), inverse(B) @ inverse(A)


@node_rule(op="inv", source=MATRIX_ALGEBRA, example=_product)
def inverse_of_product(e: Expr, context: Context) -> Expr | None:
    """(A B)^-1 = B^-1 A^-1 for nonsingular A and B"""
    inner = e.args[0]
    if inner.op == "matmul" and all(same(*f.shape) and context.known(f, "nonsingular") for f in inner.args):
        return matmul(*(inverse(f) for f in reversed(inner.args)))
    return None


def _scaled() -> tuple[Expr, Expr]:
    s, A = var("s", 1, 1, ["positive"]), var("A", "n", "n")
    return inverse(scale(s, A)), scale(power(s, -1), inverse(A))


@node_rule(op="inv", source=MATRIX_ALGEBRA, example=_scaled)
def inverse_of_scaled(e: Expr, context: Context) -> Expr | None:
    """(s A)^-1 = s^-1 A^-1"""
    inner = e.args[0]
    if e.is_scalar:
        return core.reciprocal(inner)
    if inner.op == "scale":
        return scale(*(core.reciprocal(s) for s in inner.args[:-1]), inverse(inner.args[-1]))
    return inner if inner.op == "eye" else None


@rule(v="n 1", source=MATRIX_ALGEBRA)
def inverse_of_diagonal(v: Expr) -> tuple[Expr, Expr]:
    """diag(v)^-1 = diag(1 ./ v)"""
    return inverse(diag(v)), diag(power(v, -1))


@rule(A="m m", B="n n", source=HORN)
def inverse_of_kron(A: Expr, B: Expr) -> tuple[Expr, Expr]:
    """(A (x) B)^-1 = A^-1 (x) B^-1 for square A and B"""
    return inverse(kron(A, B)), kron(inverse(A), inverse(B))


def _powers() -> tuple[Expr, Expr]:
    A = var("A", "n", "n")
    return matmul(node("matpow", (A, number(2))), node("matpow", (A, number(3)))), node("matpow", (A, number(5)))


@node_rule(op="matmul", source=MATRIX_ALGEBRA, example=_powers)
def product_of_powers(e: Expr, context: Context) -> Expr | None:
    """A^j A^k = A^(j+k) for whole j, k of one sign"""
    for k, (a, b) in enumerate(zip(e.args, e.args[1:])):
        base, j = _base(a)
        other, i = _base(b)
        if base.digest != other.digest or base.op == "comm" or not same(*base.shape):
            continue
        if (j > 0) == (i > 0) or context.known(base, "nonsingular"):
            joint = core.eye(base.shape[0]) if i + j == 0 else _power(base, i + j)
            return matmul(*e.args[:k], joint, *e.args[k + 2 :])
    return None


def _base(e: Expr) -> tuple[Expr, int]:
    if e.op == "inv":
        return e.args[0], -1
    if e.op == "matpow" and e.args[1].op == "number" and e.args[1].params[0].is_Integer:
        return e.args[0], int(e.args[1].params[0])
    return e, 1


def _power(base: Expr, k: int) -> Expr:
    return base if k == 1 else inverse(base) if k == -1 else node("matpow", (base, number(k)))


@node_rule(
    op="solve",
    source=MATRIX_ALGEBRA,
    example=lambda: (
        node("solve", (var("A", "n", "n"), var("B", "n", "p"))),
        inverse(var("A", "n", "n")) @ var("B", "n", "p"),
    ),
)
def solve_is_inverse_times(e: Expr, context: Context) -> Expr | None:
    """solve(A, B) = A^-1 B"""
    return inverse(e.args[0]) @ e.args[1]
