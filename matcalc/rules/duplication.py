"""The duplication matrix D and the elimination matrix L: vec and vech of symmetric matrices.

Source: Magnus & Neudecker, The elimination matrix: some lemmas and applications, SIAM J. Alg. Disc. Meth. 1 (1980), and
Matrix Differential Calculus (2019), ch. 3.
"""

from __future__ import annotations

from matcalc import core
from matcalc.core import add, commutation, eye, matmul, number, scale, vec
from matcalc.dims import dim, times
from matcalc.expr import Expr
from matcalc.ops.decompositions import pinv
from matcalc.ops.selection import dup, elim, vech_
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import node_rule, rule

MN_VECH = "Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 3"


def _dup(n: object) -> Expr:
    return dup(n)


def _elim(n: object) -> Expr:
    return elim(n)


def _pair(e: Expr, first: str, second: str) -> int | None:
    """The position of two neighbouring factors of these kinds."""
    for k, (a, b) in enumerate(zip(e.args, e.args[1:])):
        if _kind(a) == first and _kind(b) == second:
            return k
    return None


def _kind(f: Expr) -> str:
    if f.op in ("transpose", "pinv"):
        return f"{f.op} {f.args[0].op}"
    return "comm" if f.op == "comm" and f.params[0] == f.params[1] else f.op if f.op != "comm" else ""


def _joined(e: Expr, k: int | None, inside: Expr | None) -> Expr | None:
    return None if k is None or inside is None else matmul(*e.args[:k], inside, *e.args[k + 2 :])


def _commuted() -> tuple[Expr, Expr]:
    D = _dup(dim("n"))
    return commutation("n", "n") @ D, D


@node_rule(op="matmul", source=MN_VECH, example=_commuted, having="comm")
def commutation_of_duplication(e: Expr, context: Context) -> Expr | None:
    """K D = D, D' K = D', D^+ K = D^+, for K = K_nn"""
    for first, second, kept in (
        ("comm", "dup", 1),
        ("transpose dup", "comm", 0),
        ("pinv dup", "comm", 0),
    ):
        k = _pair(e, first, second)
        if k is not None:
            return _joined(e, k, e.args[k + kept])
    return None


def _eliminated() -> tuple[Expr, Expr]:
    D = _dup(dim("n"))
    return _elim(dim("n")) @ D, eye(D.shape[1])


@node_rule(op="matmul", source=MN_VECH, example=_eliminated, having="dup|transpose, elim|transpose|pinv")
def elimination_of_duplication(e: Expr, context: Context) -> Expr | None:
    """L D = I, D' L' = I, D^+ D = I"""
    for first, second in (("elim", "dup"), ("transpose dup", "transpose elim"), ("pinv dup", "dup")):
        k = _pair(e, first, second)
        if k is not None:
            return _joined(e, k, eye(e.args[k].shape[0]))
    return None


def _symmetrized() -> tuple[Expr, Expr]:
    D = _dup(dim("n"))
    n2 = D.shape[0]
    half = scale(number(core.exact("0.5")), add(eye(n2), commutation("n", "n")))
    return D @ pinv(D), half


@node_rule(op="matmul", source=MN_VECH, example=_symmetrized, having="dup, pinv")
def duplication_times_its_inverse(e: Expr, context: Context) -> Expr | None:
    """D D^+ = (I + K)/2"""
    k = _pair(e, "dup", "pinv dup")
    if k is None:
        return None
    n = e.args[k].params[0]
    return _joined(e, k, scale(number(core.exact("0.5")), add(eye(times(n, n)), commutation(n, n))))


@rule(S="n n", facts={"S": "symmetric"}, source=MN_VECH)
def duplication_times_vech(S: Expr) -> tuple[Expr, Expr]:
    """D vech(S) = vec(S) for symmetric S"""
    return _dup(S.shape[0]) @ vech_(S), vec(S)


@rule(A="n n", source=MN_VECH)
def elimination_times_vec(A: Expr) -> tuple[Expr, Expr]:
    """L vec(A) = vech(A)"""
    return _elim(A.shape[0]) @ vec(A), vech_(A)
