"""What vanishes for skew matrices, and what orthogonal and diagonal ones make simple."""

from __future__ import annotations

from matcalc import core
from matcalc.core import diagvec, hadamard, matmul, number, power, total, trace, var
from matcalc.dims import plus, surely_negative
from matcalc.expr import Expr
from matcalc.ops.elementwise import absolute
from matcalc.ops.linalg import det, logdet
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MATRIX_ALGEBRA, node_rule, rule
from matcalc.rewrite.terms import flipped

FORMS = "Horn & Johnson, Matrix Analysis (2013), 2.5 and 4.1"


@rule(S="n n", facts={"S": "skew"}, source=FORMS)
def diagonal_of_skew(S: Expr) -> tuple[Expr, Expr]:
    """diagvec(S) = 0 for skew S"""
    return diagvec(S), core.zeros(S.shape[0], 1)


@rule(S="n n", facts={"S": "skew"}, source=FORMS)
def sum_of_skew(S: Expr) -> tuple[Expr, Expr]:
    """sum(S) = 0 for skew S"""
    return total(S), number(0)


def _skew_form() -> tuple[Expr, Expr]:
    x, S = var("x", "n", 1), var("S", "n", "n", ["skew"])
    return matmul(x.T, S, x), number(0)


@node_rule(op="matmul", source=FORMS, example=_skew_form)
def skew_form(e: Expr, context: Context) -> Expr | None:
    """x' S x = 0 for skew S: a 1 x 1 product that is the negative of its transpose"""
    if not e.is_scalar:
        return None
    return number(0) if _mirrored(e.args, context, rotate=False) else None


def _skew_trace() -> tuple[Expr, Expr]:
    A, S = var("A", "n", "n", ["symmetric"]), var("S", "n", "n", ["skew"])
    return trace(A @ S), number(0)


@node_rule(op="tr", source=FORMS, example=_skew_trace)
def trace_with_skew(e: Expr, context: Context) -> Expr | None:
    """tr(S) = 0 and tr(A S) = 0 for skew S and symmetric A: a trace that is the negative of its transpose"""
    factors = e.args[0].args if e.args[0].op == "matmul" else e.args
    return number(0) if _mirrored(factors, context, rotate=True) else None


def _mirrored(factors: tuple[Expr, ...], context: Context, *, rotate: bool) -> bool:
    """Whether the transpose of a product is its negative, the factors going round if they may."""
    skew = [context.known(f, "skew") for f in factors]
    if sum(skew) % 2 == 0:
        return False
    turned = [
        f if is_skew or context.known(f, "symmetric") else flipped(f)
        for f, is_skew in reversed(list(zip(factors, skew)))
    ]
    word, mirrored = [f.digest for f in factors], [f.digest for f in turned]
    return any(mirrored[k:] + mirrored[:k] == word for k in (range(len(word)) if rotate else (0,)))


def _skew_entries() -> tuple[Expr, Expr]:
    A, S = var("A", "n", "n", ["symmetric"]), var("S", "n", "n", ["skew"])
    return total(hadamard(A, S)), number(0)


@node_rule(op="sum", source=FORMS, example=_skew_entries, having="hadamard")
def sum_with_skew(e: Expr, context: Context) -> Expr | None:
    """sum(A o S) = 0 for skew S and symmetric A"""
    inner = e.args[0]
    if not e.is_scalar or inner.op != "hadamard":
        return None
    skew = [context.known(f, "skew") for f in inner.args]
    others = [f for f, is_skew in zip(inner.args, skew) if not is_skew]
    vanishes = sum(skew) % 2 == 1 and all(context.known(f, "symmetric") for f in others)
    return number(0) if vanishes else None


# ------------------------------------------------------------------------------------------------ orthogonal, diagonal


@rule(Q="n n", facts={"Q": "orthogonal"}, source=MATRIX_ALGEBRA)
def logdet_of_orthogonal(Q: Expr) -> tuple[Expr, Expr]:
    """log|det Q| = 0 for orthogonal Q"""
    return logdet(Q), number(0)


@rule(Q="n n", facts={"Q": "orthogonal"}, source=MATRIX_ALGEBRA)
def absolute_determinant_of_orthogonal(Q: Expr) -> tuple[Expr, Expr]:
    """abs(det(Q)) = 1 for orthogonal Q"""
    return absolute(det(Q)), number(1)


@rule(
    Q="n n",
    k="number 2",
    facts={"Q": "orthogonal"},
    where=lambda k: bool(k.number.is_even),
    source=MATRIX_ALGEBRA,
)
def even_power_of_orthogonal_determinant(Q: Expr, k: Expr) -> tuple[Expr, Expr]:
    """det(Q)^k = 1 for orthogonal Q and even k"""
    return power(det(Q), k), number(1)


def _is_thin(F: tuple[Expr, ...]) -> bool:
    """Whether a factor of a square product has fewer columns than that."""
    return any(surely_negative(plus(f.shape[1], -F[0].shape[0])) for f in F)


@rule(F="A: 3 2, B: 2 3", where=_is_thin, source=MATRIX_ALGEBRA)
def det_of_low_rank(*F: Expr) -> tuple[Expr, Expr]:
    """det(A B) = 0 for A m x k with k < m"""
    return det(matmul(*F)), number(0)


def _diagonals() -> tuple[Expr, Expr]:
    pair = sorted((var(name, "n", "n", ["diagonal"]) for name in "AB"), key=lambda f: f.digest, reverse=True)
    return matmul(*pair), matmul(*reversed(pair))


@node_rule(op="matmul", group="expand", source=MATRIX_ALGEBRA, example=_diagonals)
def diagonals_commute(e: Expr, context: Context) -> Expr | None:
    """A B = B A for diagonal A and B"""
    for k, (f, g) in enumerate(zip(e.args, e.args[1:])):
        if f.digest > g.digest and context.known(f, "diagonal") and context.known(g, "diagonal"):
            return matmul(*e.args[:k], g, f, *e.args[k + 2 :])
    return None
