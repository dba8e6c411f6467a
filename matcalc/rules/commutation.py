"""The commutation matrix K: it transposes inside vec and swaps Kronecker factors."""

from __future__ import annotations

from matcalc import core
from matcalc.core import commutation, diag, eye, kron, var, vec
from matcalc.dims import same, same_shape, times
from matcalc.expr import Expr
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import node_rule, rule
from matcalc.rewrite.terms import join, split

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


@rule(A="m n", B="p q", source=NEUDECKER, why="commutation matrices move to the right")
def commutation_of_kron(A: Expr, B: Expr) -> tuple[Expr, Expr]:
    """K_pm (A (x) B) K_nq = B (x) A"""
    from_left = commutation(B.shape[0], A.shape[0])
    return from_left @ kron(A, B), kron(B, A) @ commutation(B.shape[1], A.shape[1])


@rule(D="n p", source=NEUDECKER, why="commutation matrices move to the right")
def commutation_of_diagonal(D: Expr) -> tuple[Expr, Expr]:
    """K_np diag(vec D) = diag(vec D') K_np"""
    K = commutation(*D.shape)
    return K @ diag(vec(D)), diag(vec(D.T)) @ K


@rule(X="m n", source=NEUDECKER)
def vec_times_commutation(X: Expr) -> tuple[Expr, Expr]:
    """vec(X)' K_mn = vec(X')' for X n x m"""
    n, m = X.shape
    return vec(X).T @ commutation(m, n), vec(X.T).T


def _swap() -> tuple[Expr, Expr]:
    A, B = var("A", "n", "n"), var("B", "n", "m")
    K = commutation("n", "m")
    left = core.add(kron(A, B) @ K, kron(B, A))
    n = A.shape[0]
    return left, core.add(eye(n * n), commutation(n, n)) @ kron(B, A)


@node_rule(op="add", group="present", source=NEUDECKER, example=_swap, having="matmul|scale, kron|scale")
def kron_plus_its_swap(e: Expr, context: Context) -> Expr | None:
    """(A (x) B) K + B (x) A = (I + K)(B (x) A)"""
    pieces = [split(t) for t in e.args]
    for k, (c, scalars, body) in enumerate(pieces):
        if body is None or body.op != "matmul" or len(body.args) != 2:
            continue
        swapped, K = body.args
        if swapped.op != "kron" or K.op != "comm":
            continue
        A, B = swapped.args
        if not (same(A.shape[0], B.shape[0]) and same_shape(K.params, (A.shape[1], B.shape[1]))):
            continue
        wanted = kron(B, A)
        for i, (other, more, plain) in enumerate(pieces):
            if plain is wanted and other == c and [s.digest for s in more] == [s.digest for s in scalars]:
                n = A.shape[0]
                joint = join(c, scalars, core.add(eye(times(n, n)), commutation(n, n)) @ wanted)
                return core.add(*(joint if j == min(i, k) else t for j, t in enumerate(e.args) if j != max(i, k)))
    return None


def _of_column(x: Expr) -> tuple[Expr, Expr]:
    return commutation(x.shape[0], 1), eye(x.shape[0])


@rule(x="n 1", also=[_of_column], source=NEUDECKER)
def commutation_of_vectors(x: Expr) -> tuple[Expr, Expr]:
    """K_1n = K_n1 = I"""
    return commutation(1, x.shape[0]), eye(x.shape[0])
