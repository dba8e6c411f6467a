"""The kinds of structured linear maps dX -> dY: records without behaviour.

Their constructors, which check shapes, are in `matcalc.maps`; what can be done with a map is in `matcalc.linop` (apply,
adjoint) and `matcalc.vecform` (its matrix).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from matcalc.dims import Dim, Shape
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
