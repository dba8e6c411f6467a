"""Structured linear maps dX -> dY: the local Jacobians, never formed as matrices.

`apply(L, dX)` and `adjoint(L)` are free functions by single dispatch, as is the matrix on vec in `matcalc.vecform`: a
new map brings these three views. `compose(L, M)` is L after M. The kinds of maps are in
`matcalc.map_kinds`, their constructors in `matcalc.maps`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import singledispatch
from typing import Any

from matcalc import core, map_kinds
from matcalc.dims import is_one, is_scalar, plus, same_shape, shape_text
from matcalc.errors import NoRuleError, ShapeError
from matcalc.expr import Expr, node, record
from matcalc.map_kinds import LinearMap

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
def _(L: map_kinds.Identity, dX: Expr) -> Expr:
    return dX


@_apply.register
def _(L: map_kinds.Zero, dX: Expr) -> Expr:
    return core.zeros(*L.codomain)


@_apply.register
def _(L: map_kinds.Scaled, dX: Expr) -> Expr:
    return core.scale(L.factor, apply(L.of, dX))


@_apply.register
def _(L: map_kinds.Sandwich, dX: Expr) -> Expr:
    parts = [p for p in (L.left, dX, L.right) if p is not None]
    return core.matmul(*parts)


@_apply.register
def _(L: map_kinds.Transposition, dX: Expr) -> Expr:
    return core.transpose(dX)


@_apply.register
def _(L: map_kinds.Mask, dX: Expr) -> Expr:
    return core.scale(L.by, dX) if is_scalar(L.domain) else core.hadamard(dX, L.by)


@_apply.register
def _(L: map_kinds.Inner, dX: Expr) -> Expr:
    if is_scalar(L.domain):
        return core.scale(L.by, dX)
    return core.trace(core.matmul(core.transpose(L.by), dX))


@_apply.register
def _(L: map_kinds.Outer, dX: Expr) -> Expr:
    return core.scale(dX, L.by)


@_apply.register
def _(L: map_kinds.ToDiag, dX: Expr) -> Expr:
    return core.diag(dX)


@_apply.register
def _(L: map_kinds.Diagonal, dX: Expr) -> Expr:
    column = core.diagvec(dX)
    return column if same_shape(column.shape, L.codomain) else core.transpose(column)


@_apply.register
def _(L: map_kinds.KronLeft, dX: Expr) -> Expr:
    return core.kron(dX, L.right)


@_apply.register
def _(L: map_kinds.KronRight, dX: Expr) -> Expr:
    return core.kron(L.left, dX)


@_apply.register
def _(L: map_kinds.BlockInner, dX: Expr) -> Expr:
    return core.block_inner(dX, L.by)


@_apply.register
def _(L: map_kinds.BlockSum, dX: Expr) -> Expr:
    return core.block_sum(L.by, dX)


@_apply.register
def _(L: map_kinds.BlockInnerBy, dX: Expr) -> Expr:
    return core.block_inner(L.blocks, dX)


@_apply.register
def _(L: map_kinds.BlockSumBy, dX: Expr) -> Expr:
    return core.block_sum(dX, L.blocks)


@_apply.register
def _(L: map_kinds.DiagonalSums, dX: Expr) -> Expr:
    return core.diagonal_sums(dX)


@_apply.register
def _(L: map_kinds.Reshape, dX: Expr) -> Expr:
    if is_one(L.codomain[1]):
        return core.vec(dX)
    return core.reshape(dX, *L.codomain)


@_apply.register
def _(L: map_kinds.Slice, dX: Expr) -> Expr:
    if same_shape(L.domain, L.codomain):
        return dX
    last = plus(L.row, L.codomain[0], -1), plus(L.column, L.codomain[1], -1)
    return core.part(dX, L.row, last[0], L.column, last[1])


@_apply.register
def _(L: map_kinds.Place, dX: Expr) -> Expr:
    return dX if same_shape(L.domain, L.codomain) else core.place(dX, *L.codomain, L.row, L.column)


@_apply.register
def _(L: map_kinds.Vech, dX: Expr) -> Expr:
    return core.vech(dX)


@_apply.register
def _(L: map_kinds.Unvech, dX: Expr) -> Expr:
    return core.unvech(dX, L.codomain[0])


@_apply.register
def _(L: map_kinds.Frechet, dX: Expr) -> Expr:
    if L.exponent is not None:
        return record("frechetpow")(L.at, dX, L.exponent)
    return record("frechet")(L.at, dX, L.function)


@_apply.register
def _(L: map_kinds.Slope, dX: Expr) -> Expr:
    return node(L.operation, (L.at, dX), L.params)


@_apply.register
def _(L: map_kinds.Solution, dX: Expr) -> Expr:
    return node(L.operation, (*L.at, dX))


@_apply.register
def _(L: map_kinds.Sum, dX: Expr) -> Expr:
    return core.add(*(apply(t, dX) for t in L.terms))


@_apply.register
def _(L: map_kinds.Compose, dX: Expr) -> Expr:
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
def _(L: map_kinds.Identity) -> LinearMap:
    return L


@adjoint.register
def _(L: map_kinds.Zero) -> LinearMap:
    return map_kinds.Zero(L.codomain, L.domain)


@adjoint.register
def _(L: map_kinds.Scaled) -> LinearMap:
    return map_kinds.Scaled(L.codomain, L.domain, L.factor, adjoint(L.of))


@adjoint.register
def _(L: map_kinds.Sandwich) -> LinearMap:
    left = None if L.left is None else core.transpose(L.left)
    right = None if L.right is None else core.transpose(L.right)
    return map_kinds.Sandwich(L.codomain, L.domain, left, right)


@adjoint.register
def _(L: map_kinds.Transposition) -> LinearMap:
    return map_kinds.Transposition(L.codomain, L.domain)


@adjoint.register
def _(L: map_kinds.Mask) -> LinearMap:
    return L


@adjoint.register
def _(L: map_kinds.Inner) -> LinearMap:
    return map_kinds.Outer(L.codomain, L.domain, L.by)


@adjoint.register
def _(L: map_kinds.Outer) -> LinearMap:
    return map_kinds.Inner(L.codomain, L.domain, L.by)


@adjoint.register
def _(L: map_kinds.ToDiag) -> LinearMap:
    return map_kinds.Diagonal(L.codomain, L.domain)


@adjoint.register
def _(L: map_kinds.Diagonal) -> LinearMap:
    return map_kinds.ToDiag(L.codomain, L.domain)


@adjoint.register
def _(L: map_kinds.KronLeft) -> LinearMap:
    return map_kinds.BlockInner(L.codomain, L.domain, L.right)


@adjoint.register
def _(L: map_kinds.KronRight) -> LinearMap:
    return map_kinds.BlockSum(L.codomain, L.domain, L.left)


@adjoint.register
def _(L: map_kinds.BlockInner) -> LinearMap:
    return map_kinds.KronLeft(L.codomain, L.domain, L.by)


@adjoint.register
def _(L: map_kinds.BlockSum) -> LinearMap:
    return map_kinds.KronRight(L.codomain, L.domain, L.by)


@adjoint.register
def _(L: map_kinds.BlockInnerBy) -> LinearMap:
    return map_kinds.BlockSumBy(L.codomain, L.domain, L.blocks)


@adjoint.register
def _(L: map_kinds.BlockSumBy) -> LinearMap:
    return map_kinds.BlockInnerBy(L.codomain, L.domain, L.blocks)


@adjoint.register
def _(L: map_kinds.DiagonalSums) -> LinearMap:
    return L


@adjoint.register
def _(L: map_kinds.Reshape) -> LinearMap:
    return map_kinds.Reshape(L.codomain, L.domain)


@adjoint.register
def _(L: map_kinds.Slice) -> LinearMap:
    return map_kinds.Place(L.codomain, L.domain, L.row, L.column)


@adjoint.register
def _(L: map_kinds.Place) -> LinearMap:
    return map_kinds.Slice(L.codomain, L.domain, L.row, L.column)


@adjoint.register
def _(L: map_kinds.Vech) -> LinearMap:
    return map_kinds.Unvech(L.codomain, L.domain)


@adjoint.register
def _(L: map_kinds.Unvech) -> LinearMap:
    return map_kinds.Vech(L.codomain, L.domain)


@adjoint.register
def _(L: map_kinds.Frechet) -> LinearMap:
    return map_kinds.Frechet(L.domain, L.codomain, L.function, core.transpose(L.at), L.exponent)


@adjoint.register
def _(L: map_kinds.Slope) -> LinearMap:
    return replace(L, at=core.transpose(L.at)) if L.turned else L


@adjoint.register
def _(L: map_kinds.Solution) -> LinearMap:
    return replace(L, at=tuple(core.transpose(A) for A in L.at))


@adjoint.register
def _(L: map_kinds.Sum) -> LinearMap:
    return map_kinds.Sum(L.codomain, L.domain, tuple(adjoint(t) for t in L.terms))


@adjoint.register
def _(L: map_kinds.Compose) -> LinearMap:
    return map_kinds.Compose(L.codomain, L.domain, tuple(adjoint(f) for f in reversed(L.factors)))
