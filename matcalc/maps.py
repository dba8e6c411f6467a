"""The constructors of structured linear maps dX -> dY, which check shapes; their kinds are in `matcalc.map_kinds`.

What can be done with a map is in `matcalc.linop` (apply, adjoint) and `matcalc.vecform` (its matrix).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matcalc import core
from matcalc.dims import Dim, Shape, same, same_shape, shape_text, times
from matcalc.errors import ShapeError
from matcalc.expr import Expr
from matcalc.map_kinds import (
    Compose,
    Diagonal,
    DiagonalSums,
    Frechet,
    Identity,
    Inner,
    KronLeft,
    KronRight,
    LinearMap,
    Mask,
    Outer,
    Place,
    Reshape,
    Sandwich,
    Scaled,
    Slice,
    Slope,
    Solution,
    Sum,
    ToDiag,
    Transposition,
    Unvech,
    Vech,
    Zero,
)

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
