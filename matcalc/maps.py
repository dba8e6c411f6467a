"""The kinds of structured linear maps dX -> dY, and their constructors, which check shapes.

What can be done with a map is in `matcalc.linop` (apply, adjoint) and `matcalc.vecform` (its matrix).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from matcalc import core
from matcalc.dims import Dim, Shape, same, same_shape, shape_text, times
from matcalc.errors import ShapeError
from matcalc.expr import Expr


@dataclass(frozen=True, slots=True)
class LinearMap:
    """A linear map from matrices of shape `domain` to matrices of shape `codomain`."""

    domain: Shape
    codomain: Shape


@dataclass(frozen=True, slots=True)
class Identity(LinearMap):
    """dX -> dX."""


@dataclass(frozen=True, slots=True)
class Zero(LinearMap):
    """dX -> 0."""


@dataclass(frozen=True, slots=True)
class Scaled(LinearMap):
    """dX -> s L(dX) for a 1 x 1 value s."""

    factor: Expr
    of: LinearMap


@dataclass(frozen=True, slots=True)
class Sandwich(LinearMap):
    """dX -> A dX B; None stands for the identity."""

    left: Expr | None
    right: Expr | None


@dataclass(frozen=True, slots=True)
class Transposition(LinearMap):
    """dX -> dX'."""


@dataclass(frozen=True, slots=True)
class Mask(LinearMap):
    """dX -> D o dX."""

    by: Expr


@dataclass(frozen=True, slots=True)
class Inner(LinearMap):
    """dX -> tr(C' dX), 1 x 1."""

    by: Expr


@dataclass(frozen=True, slots=True)
class Outer(LinearMap):
    """ds -> ds C for a 1 x 1 differential."""

    by: Expr


@dataclass(frozen=True, slots=True)
class ToDiag(LinearMap):
    """dx -> diag(dx), from a column or a row."""


@dataclass(frozen=True, slots=True)
class Diagonal(LinearMap):
    """dX -> the diagonal of dX, as a column or a row."""


@dataclass(frozen=True, slots=True)
class KronLeft(LinearMap):
    """dX -> dX (x) B."""

    right: Expr


@dataclass(frozen=True, slots=True)
class KronRight(LinearMap):
    """dX -> A (x) dX."""

    left: Expr


@dataclass(frozen=True, slots=True)
class BlockInner(LinearMap):
    """dG -> the matrix of inner products of its blocks with B; the adjoint of dX -> dX (x) B."""

    by: Expr


@dataclass(frozen=True, slots=True)
class BlockSum(LinearMap):
    """dG -> the sum of its blocks weighted by A; the adjoint of dX -> A (x) dX."""

    by: Expr


@dataclass(frozen=True, slots=True)
class BlockInnerBy(LinearMap):
    """dB -> the matrix of inner products of the blocks of G with dB."""

    blocks: Expr


@dataclass(frozen=True, slots=True)
class BlockSumBy(LinearMap):
    """dA -> the sum of the blocks of G weighted by dA."""

    blocks: Expr


@dataclass(frozen=True, slots=True)
class DiagonalSums(LinearMap):
    """dX -> the matrix whose entry i, j is the sum of dX along the diagonal of i, j; self-adjoint."""


@dataclass(frozen=True, slots=True)
class Reshape(LinearMap):
    """dX -> the same entries, column-major, in another shape."""


@dataclass(frozen=True, slots=True)
class Slice(LinearMap):
    """dX -> the block of dX that starts at this row and column (counted from 1)."""

    row: Dim
    column: Dim


@dataclass(frozen=True, slots=True)
class Place(LinearMap):
    """dX -> a zero matrix with dX as its block that starts at this row and column (counted from 1)."""

    row: Dim
    column: Dim


@dataclass(frozen=True, slots=True)
class Vech(LinearMap):
    """dX -> the columns of its lower triangle, stacked."""


@dataclass(frozen=True, slots=True)
class Unvech(LinearMap):
    """dv -> the lower triangular matrix whose vech is dv."""


@dataclass(frozen=True, slots=True)
class Frechet(LinearMap):
    """dX -> L_f(X, dX), the Frechet derivative of a matrix function at X; with an exponent that of the power."""

    function: str
    at: Expr
    exponent: Expr | None = None


@dataclass(frozen=True, slots=True)
class Slope(LinearMap):
    """dX -> the derivative of a function of matrices at X in the direction dX, an operation of (X, dX).

    Attributes:
        operation: of (X, dX), such as `dadj`; linear in dX.
        form: the operation of X that gives its matrix on vec.
        at: X.
        params: of both operations.
        turned: whether the adjoint is the derivative at X', or the map itself.
    """

    operation: str
    form: str
    at: Expr
    params: tuple[Any, ...]
    turned: bool


@dataclass(frozen=True, slots=True)
class Solution(LinearMap):
    """dC -> the X that solves a linear equation with the right side dC, such as A X + X B = dC.

    Attributes:
        operation: of (*at, dC), such as `sylvester`; the adjoint is the same one at the transposes.
        form: the matrix on vec of the left side, a function of `at`.
        at: the coefficients.
    """

    operation: str
    form: Callable[..., Expr]
    at: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Sum(LinearMap):
    """dX -> the sum of what the terms give."""

    terms: tuple[LinearMap, ...]


@dataclass(frozen=True, slots=True)
class Compose(LinearMap):
    """dX -> outer(inner(dX)), any number of maps, the last one applied first."""

    factors: tuple[LinearMap, ...]


# ------------------------------------------------------------------------------------------------ constructors


def identity(shape: Shape) -> LinearMap:
    """dX -> dX."""
    return Identity(shape, shape)


def sandwich(left: Expr | None, right: Expr | None, domain: Shape) -> LinearMap:
    """dX -> left dX right.

    Raises:
        ShapeError: a factor does not fit.
    """
    if left is not None and not same(left.shape[1], domain[0]):
        raise ShapeError(f"{{}} ({shape_text(left.shape)}) does not multiply {shape_text(domain)} from the left", left)
    if right is not None and not same(domain[1], right.shape[0]):
        raise ShapeError(
            f"{{}} ({shape_text(right.shape)}) does not multiply {shape_text(domain)} from the right", right
        )
    rows = domain[0] if left is None else left.shape[0]
    cols = domain[1] if right is None else right.shape[1]
    if left is None and right is None:
        return identity(domain)
    return Sandwich(domain, (rows, cols), left, right)


def transposition(domain: Shape) -> LinearMap:
    """dX -> dX'."""
    return Transposition(domain, (domain[1], domain[0]))


def mask(by: Expr) -> LinearMap:
    """dX -> by o dX."""
    return Mask(by.shape, by.shape, by)


def inner(by: Expr) -> LinearMap:
    """dX -> tr(by' dX)."""
    return Inner(by.shape, (1, 1), by)


def outer(by: Expr) -> LinearMap:
    """ds -> ds by."""
    return Outer((1, 1), by.shape, by)


def scaled(factor: Expr, of: LinearMap) -> LinearMap:
    """dX -> factor of(dX).

    Raises:
        ShapeError: the factor is not 1 x 1.
    """
    if not factor.is_scalar:
        raise ShapeError(f"only a 1 x 1 value scales, but {{}} is {shape_text(factor.shape)}", factor)
    if isinstance(of, Zero):
        return of
    return Scaled(of.domain, of.codomain, factor, of)


def negated(of: LinearMap) -> LinearMap:
    """dX -> -of(dX)."""
    return scaled(core.number(-1), of)


def zero(domain: Shape, codomain: Shape) -> LinearMap:
    """dX -> 0."""
    return Zero(domain, codomain)


def to_diag(domain: Shape, n: Dim) -> LinearMap:
    """dx -> diag(dx)."""
    return ToDiag(domain, (n, n))


def diagonal(n: Dim, codomain: Shape) -> LinearMap:
    """dX -> its diagonal."""
    return Diagonal((n, n), codomain)


def kron_left(right: Expr, domain: Shape) -> LinearMap:
    """dX -> dX (x) right."""
    (m, n), (p, q) = domain, right.shape
    return KronLeft(domain, (times(m, p), times(n, q)), right)


def kron_right(left: Expr, domain: Shape) -> LinearMap:
    """dX -> left (x) dX."""
    (m, n), (p, q) = left.shape, domain
    return KronRight(domain, (times(m, p), times(n, q)), left)


def diagonal_sums(shape: Shape) -> LinearMap:
    """dX -> its sums along diagonals, in its shape."""
    return DiagonalSums(shape, shape)


def reshape(domain: Shape, codomain: Shape) -> LinearMap:
    """dX -> the same entries in another shape.

    Raises:
        ShapeError: the numbers of entries differ.
    """
    if not same(times(*domain), times(*codomain)):
        raise ShapeError(f"cannot reshape {shape_text(domain)} to {shape_text(codomain)}")
    return Reshape(domain, codomain)


def taking(domain: Shape, codomain: Shape, row: Dim, column: Dim) -> LinearMap:
    """dX -> its block of the shape `codomain` that starts at (row, column), counted from 1."""
    return Slice(domain, codomain, row, column)


def placing(domain: Shape, codomain: Shape, row: Dim, column: Dim) -> LinearMap:
    """dX -> a zero matrix of the shape `codomain` with dX at (row, column), counted from 1."""
    return Place(domain, codomain, row, column)


def vech(n: Dim, length: Dim) -> LinearMap:
    """dX -> vech(dX) for n x n matrices."""
    return Vech((n, n), (length, 1))


def unvech(n: Dim, length: Dim) -> LinearMap:
    """dv -> the lower triangular n x n matrix whose vech is dv."""
    return Unvech((length, 1), (n, n))


def frechet(function: str, at: Expr, exponent: Expr | None = None) -> LinearMap:
    """dX -> the Frechet derivative of a matrix function (or power) at `at` in the direction dX.

    Raises:
        ShapeError: `at` is not square.
    """
    if not same(*at.shape):
        raise ShapeError(f"a matrix function needs a square matrix, but {{}} is {shape_text(at.shape)}", at)
    return Frechet(at.shape, at.shape, function, at, exponent)


def slope(operation: str, form: str, at: Expr, params: tuple[Any, ...] = (), *, turned: bool = False) -> LinearMap:
    """dX -> operation(at, dX), with the matrix form(at); its adjoint is itself, or (turned) the one at at'."""
    return Slope(at.shape, at.shape, operation, form, at, params, turned)


def solution(operation: str, form: Callable[..., Expr], at: tuple[Expr, ...], shape: Shape) -> LinearMap:
    """dC -> operation(*at, dC), the solution of an equation whose left side is form(*at) on vec."""
    return Solution(shape, shape, operation, form, at)


def on_vec(matrix: Expr, domain: Shape, codomain: Shape) -> LinearMap:
    """The map between these shapes that has this matrix on vec."""
    columns, rows = (times(*domain), 1), (times(*codomain), 1)
    return compose(reshape(rows, codomain), sandwich(matrix, None, columns), reshape(domain, columns))


def map_sum(*terms: LinearMap) -> LinearMap:
    """dX -> the sum of what the maps give; zeros dropped.

    Raises:
        ShapeError: the maps go between different shapes.
    """
    first = terms[0]
    for t in terms[1:]:
        if not (same_shape(t.domain, first.domain) and same_shape(t.codomain, first.codomain)):
            raise ShapeError(
                f"cannot add a map from {shape_text(first.domain)} to {shape_text(first.codomain)} "
                f"and one from {shape_text(t.domain)} to {shape_text(t.codomain)}"
            )
    kept = [t for t in terms if not isinstance(t, Zero)]
    if not kept:
        return terms[0]
    return kept[0] if len(kept) == 1 else Sum(kept[0].domain, kept[0].codomain, tuple(kept))


def compose(*factors: LinearMap) -> LinearMap:
    """The maps one after the other, the last one applied first; identities dropped.

    Raises:
        ShapeError: the shapes do not chain.
    """
    for later, earlier in zip(factors, factors[1:]):
        if not same_shape(later.domain, earlier.codomain):
            raise ShapeError(f"cannot compose: {shape_text(earlier.codomain)} goes into {shape_text(later.domain)}")
    flat: list[LinearMap] = []
    for f in factors:
        flat.extend(f.factors if isinstance(f, Compose) else () if isinstance(f, Identity) else (f,))
    if any(isinstance(f, Zero) for f in flat):
        return Zero(factors[-1].domain, factors[0].codomain)
    if not flat:
        return factors[0]
    return flat[0] if len(flat) == 1 else Compose(flat[-1].domain, flat[0].codomain, tuple(flat))
