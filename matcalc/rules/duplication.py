"""The duplication matrix D and the elimination matrix L: vec and vech of symmetric matrices.

Source: Magnus & Neudecker, The elimination matrix: some lemmas and applications, SIAM J. Alg. Disc. Meth. 1 (1980), and
Matrix Differential Calculus (2019), ch. 3.
"""

from __future__ import annotations

from matcalc.core import add, commutation, eye, scale, vec
from matcalc.dims import times
from matcalc.expr import Expr
from matcalc.ops.comparison import HALF
from matcalc.ops.decompositions import pinv
from matcalc.ops.selection import dup, elim, vech_
from matcalc.rewrite.rule import rule

MN_VECH = "Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 3"


def _dup(n: object) -> Expr:
    return dup(n)


def _elim(n: object) -> Expr:
    return elim(n)


def _before(S: Expr) -> tuple[Expr, Expr]:
    n = S.shape[0]
    return _dup(n).T @ commutation(n, n), _dup(n).T


def _inverted(S: Expr) -> tuple[Expr, Expr]:
    n = S.shape[0]
    return pinv(_dup(n)) @ commutation(n, n), pinv(_dup(n))


@rule(S="n n", also=[_before, _inverted], source=MN_VECH)
def commutation_of_duplication(S: Expr) -> tuple[Expr, Expr]:
    """K D = D, D' K = D', D^+ K = D^+, for K = K_nn"""
    n = S.shape[0]
    return commutation(n, n) @ _dup(n), _dup(n)


def _transposed(S: Expr) -> tuple[Expr, Expr]:
    D = _dup(S.shape[0])
    return D.T @ _elim(S.shape[0]).T, eye(D.shape[1])


def _by_inverse(S: Expr) -> tuple[Expr, Expr]:
    D = _dup(S.shape[0])
    return pinv(D) @ D, eye(D.shape[1])


@rule(S="n n", also=[_transposed, _by_inverse], source=MN_VECH)
def elimination_of_duplication(S: Expr) -> tuple[Expr, Expr]:
    """L D = I, D' L' = I, D^+ D = I"""
    D = _dup(S.shape[0])
    return _elim(S.shape[0]) @ D, eye(D.shape[1])


@rule(S="n n", source=MN_VECH)
def duplication_times_its_inverse(S: Expr) -> tuple[Expr, Expr]:
    """D D^+ = (I + K)/2"""
    n, D = S.shape[0], _dup(S.shape[0])
    return D @ pinv(D), scale(HALF, add(eye(times(n, n)), commutation(n, n)))


@rule(S="n n", facts={"S": "symmetric"}, source=MN_VECH)
def duplication_times_vech(S: Expr) -> tuple[Expr, Expr]:
    """D vech(S) = vec(S) for symmetric S"""
    return _dup(S.shape[0]) @ vech_(S), vec(S)


@rule(A="n n", source=MN_VECH)
def elimination_times_vec(A: Expr) -> tuple[Expr, Expr]:
    """L vec(A) = vech(A)"""
    return _elim(A.shape[0]) @ vec(A), vech_(A)
