"""Norms, extreme eigenvalues and entries of transposes, multiples, rotations, Kronecker products; for proofs."""

from __future__ import annotations

from matcalc import core
from matcalc.core import inverse, matmul, number, power, scale, var
from matcalc.dims import is_one
from matcalc.expr import Expr, node, record
from matcalc.ops.decompositions import normspec
from matcalc.ops.reductions import norm2
from matcalc.ops.spectral import eigmax
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MATRIX_ALGEBRA, node_rule, rule
from matcalc.rewrite.terms import join, split

NORMS = "Horn & Johnson, Matrix Analysis (2013), ch. 5"
HORN = "Horn & Johnson, Topics in Matrix Analysis (1991), ch. 4"
UNITARY = ("normspec", "normnuc")  # those invariant under rotations, beside norm2, which is by its square
SPECTRA = ("eigvals", "eigmax", "eigmin")


def _of_transpose(name: str) -> None:
    def sides(X: Expr) -> tuple[Expr, Expr]:
        return record(name)(X.T), record(name)(X)

    sides.__name__, sides.__doc__ = f"{name}_of_transpose", f"{name}(X') = {name}(X)"
    rule(X="m n", group="expand", source=NORMS)(sides)


def _rotated(name: str) -> tuple[Expr, Expr]:
    Q, X = var("Q", "n", "n", ["orthogonal"]), var("X", "n", "n")
    return record(name)(matmul(Q, X)), record(name)(X)


def _under_rotation(name: str) -> None:
    def without(e: Expr, context: Context) -> Expr | None:
        if e.args[0].op != "matmul":
            return None
        factors = e.args[0].args
        for outer, rest in ((factors[0], factors[1:]), (factors[-1], factors[:-1])):
            if context.known(outer, "orthogonal"):
                return record(name)(matmul(*rest))
        return None

    without.__name__ = f"{name}_under_rotation"
    without.__doc__ = f"{name}(Q X) = {name}(X Q) = {name}(X) for orthogonal Q"
    node_rule(op=name, group="expand", source=NORMS, example=lambda: _rotated(name), having="matmul")(without)


for _name in UNITARY:
    _under_rotation(_name)
for _name in (*UNITARY, "norm2", "norm1"):
    _of_transpose(_name)


# ------------------------------------------------------------------------------------------------ Kronecker products


def _of_kron(name: str) -> None:
    def sides(A: Expr, B: Expr) -> tuple[Expr, Expr]:
        return record(name)(core.kron(A, B)), scale(record(name)(A), record(name)(B))

    sides.__name__, sides.__doc__ = f"{name}_of_kron", f"{name}(A (x) B) = {name}(A) {name}(B)"
    rule(A="m n", B="p q", group="expand", source=HORN)(sides)


for _name in (*UNITARY, "norm2", "norm1"):
    _of_kron(_name)


def _outer_product() -> tuple[Expr, Expr]:
    x, y = var("x", "m", 1), var("y", 1, "n")
    return norm2(matmul(x, y)), scale(norm2(x), norm2(y))


@node_rule(op="norm2", group="expand", source=NORMS, example=_outer_product, having="matmul")
def norm_of_outer_product(e: Expr, context: Context) -> Expr | None:
    """norm2(x y') = norm2(x) norm2(y)"""
    factors = e.args[0].args
    for k, f in enumerate(factors[1:], 1):
        if is_one(f.shape[0]) and not e.args[0].is_scalar:
            return scale(norm2(matmul(*factors[:k])), norm2(matmul(*factors[k:])))
    return None


# ------------------------------------------------------------------------------------------------ eigenvalues


def _of_row(x: Expr) -> tuple[Expr, Expr]:
    return normspec(x.T), norm2(x)


@rule(x="n 1", also=[_of_row], group="expand", source=NORMS)
def spectral_norm_of_column(x: Expr) -> tuple[Expr, Expr]:
    """normspec(x) = normspec(x') = norm2(x) for a column x"""
    return normspec(x), norm2(x)


def _of_rows(X: Expr) -> tuple[Expr, Expr]:
    return eigmax(X @ X.T), power(normspec(X), number(2))


@rule(X="m n", also=[_of_rows], group="expand", source=NORMS)
def largest_eigenvalue_of_gram(X: Expr) -> tuple[Expr, Expr]:
    """eigmax(X' X) = eigmax(X X') = normspec(X)^2"""
    return eigmax(X.T @ X), power(normspec(X), number(2))


def _turned(name: str) -> tuple[Expr, Expr]:
    Q, S = var("Q", "n", "n", ["orthogonal"]), var("S", "n", "n", ["symmetric"])
    return record(name)(matmul(Q, S, Q.T)), record(name)(S)


def _of_similar(name: str) -> None:
    def similar(e: Expr, context: Context) -> Expr | None:
        if e.args[0].op != "matmul":
            return None
        first, *inner, last = e.args[0].args
        return (
            record(name)(matmul(*inner))
            if inner and last is core.turned(first) and context.known(first, "orthogonal")
            else None
        )

    similar.__name__ = f"{name}_under_rotation"
    similar.__doc__ = f"{name}(Q S Q') = {name}(S) for orthogonal Q"
    node_rule(op=name, group="expand", source=MATRIX_ALGEBRA, example=lambda: _turned(name), having="matmul")(similar)


def _multiple(name: str) -> tuple[Expr, Expr]:
    s, S = var("s", 1, 1, ["positive"]), var("S", "n", "n", ["symmetric"])
    return record(name)(scale(s, S)), scale(s, record(name)(S))


def _of_multiple(name: str) -> None:
    def multiple(e: Expr, context: Context) -> Expr | None:
        coefficient, scalars, body = split(e.args[0])
        outside = [s for s in scalars if context.known(s, "nonnegative")]
        if body is None or not (outside or (coefficient.is_positive and coefficient != 1)):
            return None
        positive = bool(coefficient.is_positive)
        inside = join(1 if positive else coefficient, [s for s in scalars if s not in outside], body)
        return join(coefficient if positive else 1, outside, node(name, (inside,), e.params))

    multiple.__name__, multiple.__doc__ = f"{name}_of_positive_multiple", f"{name}(s A) = s {name}(A) for s >= 0"
    node_rule(op=name, group="expand", source=MATRIX_ALGEBRA, example=lambda: _multiple(name), having="scale")(multiple)


for _name in SPECTRA:
    _of_similar(_name)
for _name in (*SPECTRA, "max", "min"):
    _of_multiple(_name)


def _extreme_of_inverse(name: str, other: str) -> None:
    def sides(S: Expr) -> tuple[Expr, Expr]:
        return record(name)(inverse(S)), power(record(other)(S), -1)

    sides.__name__, sides.__doc__ = f"{name}_of_inverse", f"{name}(A^-1) = 1/{other}(A) for positive definite A"
    rule(S="n n", facts={"S": "positive-definite"}, group="expand", source=MATRIX_ALGEBRA)(sides)


_extreme_of_inverse("eigmax", "eigmin")
_extreme_of_inverse("eigmin", "eigmax")
