"""Structured linear maps dX -> dY: the local Jacobians, never formed as matrices.

`apply(L, dX)` and `adjoint(L)` are free functions by single dispatch, as is the matrix on vec in `matcalc.vecform`: a
new map brings these three views. `compose(L, M)` is L after M. The kinds and constructors are those of `matcalc.maps`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import singledispatch
from typing import Any

from matcalc import core, maps
from matcalc.dims import is_one, is_scalar, plus, same_shape, shape_text
from matcalc.errors import NoRuleError, ShapeError
from matcalc.expr import Expr, node, record
from matcalc.maps import LinearMap

# ------------------------------------------------------------------------------------------------ apply


@singledispatch
def _apply(L: LinearMap, dX: Expr) -> Expr:
    raise NoRuleError(f"{type(L).__name__} does not say how it is applied")


def apply(L: LinearMap, dX: Expr) -> Expr:
    """The value of the map at dX.

    Raises:
        ShapeError: dX has not the shape of the map's domain.
    """
    if not same_shape(L.domain, dX.shape):
        raise ShapeError(f"a map from {shape_text(L.domain)} is applied to {{}} ({shape_text(dX.shape)})", dX)
    return _apply(L, dX)


@_apply.register
def _(L: maps.Identity, dX: Expr) -> Expr:
    return dX


@_apply.register
def _(L: maps.Zero, dX: Expr) -> Expr:
    return core.zeros(*L.codomain)


@_apply.register
def _(L: maps.Scaled, dX: Expr) -> Expr:
    return core.scale(L.factor, apply(L.of, dX))


@_apply.register
def _(L: maps.Sandwich, dX: Expr) -> Expr:
    parts = [p for p in (L.left, dX, L.right) if p is not None]
    return core.matmul(*parts)


@_apply.register
def _(L: maps.Transposition, dX: Expr) -> Expr:
    return core.transpose(dX)


@_apply.register
def _(L: maps.Mask, dX: Expr) -> Expr:
    return core.scale(L.by, dX) if is_scalar(L.domain) else core.hadamard(dX, L.by)


@_apply.register
def _(L: maps.Inner, dX: Expr) -> Expr:
    if is_scalar(L.domain):
        return core.scale(L.by, dX)
    return core.trace(core.matmul(core.transpose(L.by), dX))


@_apply.register
def _(L: maps.Outer, dX: Expr) -> Expr:
    return core.scale(dX, L.by)


@_apply.register
def _(L: maps.ToDiag, dX: Expr) -> Expr:
    return core.diag(dX)


@_apply.register
def _(L: maps.Diagonal, dX: Expr) -> Expr:
    column = core.diagvec(dX)
    return column if same_shape(column.shape, L.codomain) else core.transpose(column)


@_apply.register
def _(L: maps.KronLeft, dX: Expr) -> Expr:
    return core.kron(dX, L.right)


@_apply.register
def _(L: maps.KronRight, dX: Expr) -> Expr:
    return core.kron(L.left, dX)


@_apply.register
def _(L: maps.BlockInner, dX: Expr) -> Expr:
    return core.block_inner(dX, L.by)


@_apply.register
def _(L: maps.BlockSum, dX: Expr) -> Expr:
    return core.block_sum(L.by, dX)


@_apply.register
def _(L: maps.BlockInnerBy, dX: Expr) -> Expr:
    return core.block_inner(L.blocks, dX)


@_apply.register
def _(L: maps.BlockSumBy, dX: Expr) -> Expr:
    return core.block_sum(dX, L.blocks)


@_apply.register
def _(L: maps.DiagonalSums, dX: Expr) -> Expr:
    return core.diagonal_sums(dX)


@_apply.register
def _(L: maps.Reshape, dX: Expr) -> Expr:
    if is_one(L.codomain[1]):
        return core.vec(dX)
    return core.reshape(dX, *L.codomain)


@_apply.register
def _(L: maps.Slice, dX: Expr) -> Expr:
    if same_shape(L.domain, L.codomain):
        return dX
    last = plus(L.row, L.codomain[0], -1), plus(L.column, L.codomain[1], -1)
    return core.part(dX, L.row, last[0], L.column, last[1])


@_apply.register
def _(L: maps.Place, dX: Expr) -> Expr:
    return dX if same_shape(L.domain, L.codomain) else core.place(dX, *L.codomain, L.row, L.column)


@_apply.register
def _(L: maps.Vech, dX: Expr) -> Expr:
    return core.vech(dX)


@_apply.register
def _(L: maps.Unvech, dX: Expr) -> Expr:
    return core.unvech(dX, L.codomain[0])


@_apply.register
def _(L: maps.Frechet, dX: Expr) -> Expr:
    if L.exponent is not None:
        return record("frechetpow")(L.at, dX, L.exponent)
    return record("frechet")(L.at, dX, L.function)


@_apply.register
def _(L: maps.Slope, dX: Expr) -> Expr:
    return node(L.operation, (L.at, dX), L.params)


@_apply.register
def _(L: maps.Solution, dX: Expr) -> Expr:
    return node(L.operation, (*L.at, dX))


@_apply.register
def _(L: maps.Sum, dX: Expr) -> Expr:
    return core.add(*(apply(t, dX) for t in L.terms))


@_apply.register
def _(L: maps.Compose, dX: Expr) -> Expr:
    for f in reversed(L.factors):
        dX = apply(f, dX)
    return dX


def register_map(kind: type[LinearMap], how: Callable[[Any, Expr], Expr], turned: Callable[[Any], LinearMap]) -> None:
    """Add a kind of map: how it is applied, and its adjoint. Its matrix is registered in `matcalc.vecform`."""
    _apply.register(kind, how)
    adjoint.register(kind, turned)


# ------------------------------------------------------------------------------------------------ adjoint


@singledispatch
def adjoint(L: LinearMap) -> LinearMap:
    """The adjoint map: <L(dX), G> = <dX, adjoint(L)(G)> for the trace inner product."""
    raise NoRuleError(f"{type(L).__name__} does not state its adjoint")


@adjoint.register
def _(L: maps.Identity) -> LinearMap:
    return L


@adjoint.register
def _(L: maps.Zero) -> LinearMap:
    return maps.Zero(L.codomain, L.domain)


@adjoint.register
def _(L: maps.Scaled) -> LinearMap:
    return maps.Scaled(L.codomain, L.domain, L.factor, adjoint(L.of))


@adjoint.register
def _(L: maps.Sandwich) -> LinearMap:
    left = None if L.left is None else core.transpose(L.left)
    right = None if L.right is None else core.transpose(L.right)
    return maps.Sandwich(L.codomain, L.domain, left, right)


@adjoint.register
def _(L: maps.Transposition) -> LinearMap:
    return maps.Transposition(L.codomain, L.domain)


@adjoint.register
def _(L: maps.Mask) -> LinearMap:
    return L


@adjoint.register
def _(L: maps.Inner) -> LinearMap:
    return maps.Outer(L.codomain, L.domain, L.by)


@adjoint.register
def _(L: maps.Outer) -> LinearMap:
    return maps.Inner(L.codomain, L.domain, L.by)


@adjoint.register
def _(L: maps.ToDiag) -> LinearMap:
    return maps.Diagonal(L.codomain, L.domain)


@adjoint.register
def _(L: maps.Diagonal) -> LinearMap:
    return maps.ToDiag(L.codomain, L.domain)


@adjoint.register
def _(L: maps.KronLeft) -> LinearMap:
    return maps.BlockInner(L.codomain, L.domain, L.right)


@adjoint.register
def _(L: maps.KronRight) -> LinearMap:
    return maps.BlockSum(L.codomain, L.domain, L.left)


@adjoint.register
def _(L: maps.BlockInner) -> LinearMap:
    return maps.KronLeft(L.codomain, L.domain, L.by)


@adjoint.register
def _(L: maps.BlockSum) -> LinearMap:
    return maps.KronRight(L.codomain, L.domain, L.by)


@adjoint.register
def _(L: maps.BlockInnerBy) -> LinearMap:
    return maps.BlockSumBy(L.codomain, L.domain, L.blocks)


@adjoint.register
def _(L: maps.BlockSumBy) -> LinearMap:
    return maps.BlockInnerBy(L.codomain, L.domain, L.blocks)


@adjoint.register
def _(L: maps.DiagonalSums) -> LinearMap:
    return L


@adjoint.register
def _(L: maps.Reshape) -> LinearMap:
    return maps.Reshape(L.codomain, L.domain)


@adjoint.register
def _(L: maps.Slice) -> LinearMap:
    return maps.Place(L.codomain, L.domain, L.row, L.column)


@adjoint.register
def _(L: maps.Place) -> LinearMap:
    return maps.Slice(L.codomain, L.domain, L.row, L.column)


@adjoint.register
def _(L: maps.Vech) -> LinearMap:
    return maps.Unvech(L.codomain, L.domain)


@adjoint.register
def _(L: maps.Unvech) -> LinearMap:
    return maps.Vech(L.codomain, L.domain)


@adjoint.register
def _(L: maps.Frechet) -> LinearMap:
    return maps.Frechet(L.domain, L.codomain, L.function, core.transpose(L.at), L.exponent)


@adjoint.register
def _(L: maps.Slope) -> LinearMap:
    return replace(L, at=core.transpose(L.at)) if L.turned else L


@adjoint.register
def _(L: maps.Solution) -> LinearMap:
    return replace(L, at=tuple(core.transpose(A) for A in L.at))


@adjoint.register
def _(L: maps.Sum) -> LinearMap:
    return maps.Sum(L.codomain, L.domain, tuple(adjoint(t) for t in L.terms))


@adjoint.register
def _(L: maps.Compose) -> LinearMap:
    return maps.Compose(L.codomain, L.domain, tuple(adjoint(f) for f in reversed(L.factors)))
