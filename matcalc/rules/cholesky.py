"""Cholesky factors and triangles: products, inverses and diagonals of factors in terms of the matrix itself.

A name that stands for chol(S) counts as chol(S). Where S is not known to be symmetric, it is the factor
of (S + S')/2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matcalc.core import add, diag, diagvec, eye, inverse, matmul, number, ones, scale, total, var
from matcalc.dims import same
from matcalc.expr import Expr, node
from matcalc.ops.decompositions import HALF, chol, symmetric_part
from matcalc.ops.elementwise import log, sqrt
from matcalc.ops.entry_products import prod
from matcalc.ops.linalg import det, logdet
from matcalc.ops.selection import tril, triu
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MATRIX_ALGEBRA, node_rule, rule
from matcalc.rewrite.terms import coefficient_and_rest, meaning, times_number

GOLUB = "Golub & Van Loan, Matrix Computations (2013), sec. 4.2"


def _square(*facts: str) -> Expr:
    return var("S", "n", "n", facts)


def _is_transposed(a: Expr, b: Expr) -> bool:
    return a.op == "transpose" and a.args[0].digest == b.digest


def _source(L: Expr, context: Context) -> Expr | None:
    """S where a factor is chol(S) for symmetric S."""
    value = meaning(L)
    return value.args[0] if value.op == "chol" and context.known(value.args[0], "symmetric") else None


# ------------------------------------------------------------------------------------------------ products of factors


def _gram() -> tuple[Expr, Expr]:
    S = _square("symmetric")
    return chol(S) @ chol(S).T, S


@node_rule(op="matmul", source=GOLUB, example=_gram, having="transpose")
def cholesky_factors(e: Expr, context: Context) -> Expr | None:
    """chol(S) chol(S)' = S for symmetric S"""
    for k, (a, b) in enumerate(zip(e.args, e.args[1:])):
        S = _source(a, context) if _is_transposed(b, a) else None
        if S is not None:
            return matmul(*e.args[:k], S, *e.args[k + 2 :])
    return None


def _scaled_factor() -> tuple[Expr, Expr]:
    s, S = var("s", 1, 1, ["positive"]), _square("positive-definite")
    return chol(scale(s, S)), scale(sqrt(s), chol(S))


@node_rule(op="chol", group="expand", source=GOLUB, example=_scaled_factor, having="scale")
def cholesky_factor_of_multiple(e: Expr, context: Context) -> Expr | None:
    """chol(s S) = sqrt(s) chol(S) for s > 0"""
    if e.args[0].op != "scale":
        return None
    *scalars, S = e.args[0].args
    outside = [s for s in scalars if context.known(s, "positive")]
    inside = [s for s in scalars if s not in outside]
    return scale(*map(sqrt, outside), chol(scale(*inside, S))) if outside else None


def _inverse_gram() -> tuple[Expr, Expr]:
    L = chol(_square("symmetric"))
    return inverse(L.T) @ inverse(L), inverse(_square("symmetric"))


@node_rule(op="matmul", source=GOLUB, example=_inverse_gram, having="inv, inv")
def inverses_of_cholesky_factors(e: Expr, context: Context) -> Expr | None:
    """L'^-1 L^-1 = S^-1 for L = chol(S), S symmetric"""
    for k, (a, b) in enumerate(zip(e.args, e.args[1:])):
        if a.op == b.op == "inv" and _is_transposed(a.args[0], b.args[0]):
            S = _source(b.args[0], context)
            if S is not None:
                return matmul(*e.args[:k], inverse(S), *e.args[k + 2 :])
    return None


def _whitened() -> tuple[Expr, Expr]:
    S = _square("symmetric")
    return inverse(chol(S)) @ S, chol(S).T


@node_rule(op="matmul", source=GOLUB, example=_whitened, having="inv")
def cholesky_factor_cancels(e: Expr, context: Context) -> Expr | None:
    """L^-1 S = L', S L'^-1 = L, L' S^-1 = L^-1, S^-1 L = L'^-1 for L = chol(S), S symmetric"""
    for k, (a, b) in enumerate(zip(e.args, e.args[1:])):
        left = _other_factor(a, b, context)
        other = left if left is not None else _turned_factor(a, b, context)
        if other is not None:
            return matmul(*e.args[:k], other, *e.args[k + 2 :])
    return None


def _other_factor(a: Expr, b: Expr, context: Context) -> Expr | None:
    """L^-1 S as L', L' S^-1 as L^-1."""
    if a.op == "inv":
        return a.args[0].T if _is_source(a.args[0], b, context) else None
    if a.op == "transpose" and b.op == "inv" and _is_source(a.args[0], b.args[0], context):
        return inverse(a.args[0])
    return None


def _turned_factor(a: Expr, b: Expr, context: Context) -> Expr | None:
    """S L'^-1 as L, S^-1 L as L'^-1."""
    if b.op == "inv" and b.args[0].op == "transpose":
        L = b.args[0].args[0]
        return L if _is_source(L, a, context) else None
    return inverse(b.T) if a.op == "inv" and _is_source(b, a.args[0], context) else None


def _is_source(L: Expr, S: Expr, context: Context) -> bool:
    value = meaning(L)
    return value.op == "chol" and value.args[0].digest == S.digest and context.known(S, "symmetric")


# ------------------------------------------------------------------------------------------------ diagonals of factors


def _log_diagonal() -> tuple[Expr, Expr]:
    S = _square("symmetric")
    return total(log(diagvec(chol(S)))), scale(number(HALF), logdet(S))


@node_rule(op="sum", source=GOLUB, example=_log_diagonal)
def log_diagonal_of_cholesky(e: Expr, context: Context) -> Expr | None:
    """sum(log(diagvec(chol(S)))) = log|det S|/2, for (S + S')/2 where S is not known to be symmetric"""
    S = _diagonal_source(e, "log", context)
    return None if S is None else scale(number(HALF), logdet(S))


def _diagonal_product() -> tuple[Expr, Expr]:
    S = _square("symmetric")
    return prod(diagvec(chol(S))), sqrt(det(S))


@node_rule(op="prod", source=GOLUB, example=_diagonal_product)
def diagonal_product_of_cholesky(e: Expr, context: Context) -> Expr | None:
    """prod(diagvec(chol(S))) = sqrt(det(S)), for (S + S')/2 where S is not known to be symmetric"""
    S = _diagonal_source(e, None, context)
    return None if S is None else sqrt(det(S))


def _diagonal_source(e: Expr, function: str | None, context: Context) -> Expr | None:
    """The matrix with log or entries of the diagonal of its factor under a sum or product over all entries."""
    inner = meaning(e.args[0])
    if function is not None:
        if inner.op != function:
            return None
        inner = meaning(inner.args[0])
    if inner.op != "diagvec" or not e.is_scalar:
        return None
    L = meaning(inner.args[0])
    if L.op != "chol":
        return None
    S = L.args[0]
    return S if context.known(S, "symmetric") else symmetric_part(S)


# ------------------------------------------------------------------------------------------------ triangles


def _both_triangles() -> tuple[Expr, Expr]:
    one = ones("n", "n")
    return add(tril(one), triu(one)), add(one, eye("n"))


@node_rule(op="add", source=MATRIX_ALGEBRA, example=_both_triangles, having="tril|scale, triu|scale")
def triangles_of_ones(e: Expr, context: Context) -> Expr | None:
    """tril(1) + triu(1) = 1 + I"""
    return _triangles_joined(e, lambda X: X.op == "ones")


def _any_triangles() -> tuple[Expr, Expr]:
    X = var("X", "n", "n")
    return add(tril(X), triu(X)), add(X, diag(diagvec(X)))


@node_rule(op="add", group="distribute", source=MATRIX_ALGEBRA, example=_any_triangles, having="tril|scale, triu|scale")
def triangles_of_matrix(e: Expr, context: Context) -> Expr | None:
    """tril(X) + triu(X) = X + diag(diagvec(X))"""
    return _triangles_joined(e, lambda X: X.op != "ones")


def _triangles_joined(e: Expr, wanted: Callable[[Expr], bool]) -> Expr | None:
    """c tril(X) + c triu(X) in a sum, as c (X + X o I)."""
    below = _triangles(e, "tril")
    above = _triangles(e, "triu") if below else {}
    for key in below:
        if key not in above or not wanted(below[key][1]):
            continue
        (j, X), (k, _) = below[key], above[key]
        diagonal = eye(X.shape[0]) if X.op == "ones" else diag(diagvec(X))
        others = [t for n, t in enumerate(e.args) if n not in (j, k)]
        return add(times_number(key[0], X), times_number(key[0], diagonal), *others)
    return None


def _triangles(e: Expr, op: str) -> dict[tuple[Any, bytes], tuple[int, Expr]]:
    """The terms c op(X) of a sum for square X: by c and X, where they stand, and X."""
    found: dict[tuple[Any, bytes], tuple[int, Expr]] = {}
    for k, t in enumerate(e.args):
        coefficient, rest = coefficient_and_rest(t)
        if rest is not None and rest.op == op and same(*rest.shape):
            found[coefficient, rest.args[0].digest] = k, rest.args[0]
    return found


def _declare_crossed(op: str, fact: str) -> None:
    """The rule that a triangle of a matrix with the other triangle only is its diagonal."""

    def identity(X: Expr) -> tuple[Expr, Expr]:
        return node(op, (X,)), diag(diagvec(X))

    side = "lower" if op == "tril" else "upper"
    identity.__name__ = f"{side}_triangle_of_{fact}"
    identity.__doc__ = f"{op}(X) = diag(diagvec(X)) for {fact} triangular X"
    why = "triangles of triangles become diagonals"
    rule(X="n n", facts={"X": fact}, source=MATRIX_ALGEBRA, why=why)(identity)


def _declare_own(op: str, fact: str) -> None:
    """The rule that a triangular matrix is its own triangle."""

    def identity(X: Expr) -> tuple[Expr, Expr]:
        return node(op, (X,)), X

    identity.__name__ = f"{fact}_triangle_of_{fact}"
    identity.__doc__ = f"{op}(X) = X for {fact} triangular X"
    rule(X="n n", facts={"X": fact}, source=MATRIX_ALGEBRA)(identity)


for _op, _own, _other in (("tril", "lower", "upper"), ("triu", "upper", "lower")):
    _declare_own(_op, _own)
    _declare_crossed(_op, _other)
