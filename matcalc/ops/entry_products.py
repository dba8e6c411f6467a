"""Products of entries, and of all entries but some: polynomials, also derived where entries are 0."""

from __future__ import annotations

from matcalc import core
from matcalc.dims import Shape, times
from matcalc.errors import MatcalcError
from matcalc.expr import Expr, Param
from matcalc.map_kinds import LinearMap
from matcalc.maps import on_vec, slope
from matcalc.notation import Level, Notation, Template
from matcalc.ops.define import AXIS, anywhere, keeps, need_same, no_facts, op, reduced
from matcalc.ops.leaves import ELEMENTARY
from matcalc.ops.products import reshape_
from matcalc.ops.reductions import SIGNS, axis_helper, axis_latex, axis_numpy, weighted_sum


@op(
    shape=reduced,
    latex=axis_latex("prod"),
    numpy=axis_numpy("np.prod"),
    domain=anywhere,
    source=ELEMENTARY,
    example=("m n", 1),
    facts=keeps(*SIGNS, "nonzero"),
    params=(AXIS,),
    numpy_names=("np.prod",),
)
def prod(Y: Expr, X: Expr, axis: int | None) -> tuple[LinearMap, ...]:
    """d prod(X) = sum(prodothers(X) o dX), prodothers the product of all other entries"""
    return (weighted_sum(X, axis, prodothers(X, axis)),)


@op(
    shape=lambda X, axis: (reduced(X, axis), X.shape)[1],
    latex=axis_latex("prodothers"),
    numpy=axis_helper("_prodothers"),
    domain=anywhere,
    source=ELEMENTARY,
    example=("m n", 2),
    facts=keeps(*SIGNS, "nonzero"),
    params=(AXIS,),
    over=lambda X, *_: times(*X.shape),
)
def prodothers(Y: Expr, X: Expr, axis: int | None) -> tuple[LinearMap, ...]:
    """d prodothers(X) = dprodothers(X, dX), for X without zeros prodothers(X) o (sum(dX ./ X) - dX ./ X)"""
    return (slope("dprodothers", "prodothersform", X, (axis,)),)


def _slope_shape(X: Expr, V: Expr, axis: int | None) -> Shape:
    reduced(X, axis)
    return need_same("dprodothers", X, V)


def _slope_latex(axis: int | None) -> Notation:
    index = "" if axis is None else f"_{axis}"
    return Template(
        rf"\mathrm{{{{D}}}}\operatorname{{{{prodothers}}}}{index}\left({{0}}\right)\left[{{1}}\right]", Level.POSTFIX
    )


def _slope_numpy(axis: int | None) -> Notation:
    return Template(f"_dprodothers({{0}}, {{1}}, axis={None if axis is None else axis - 1})")


@op(
    shape=_slope_shape,
    latex=_slope_latex,
    numpy=_slope_numpy,
    domain=anywhere,
    source=ELEMENTARY,
    example=("m n, m n", 1),
    facts=no_facts,
    params=(AXIS,),
    cost=12,
    real_only=True,
    over=lambda X, *_: times(*X.shape),
)
def dprodothers(Y: Expr, X: Expr, V: Expr, axis: int | None) -> tuple[LinearMap, ...]:
    """dprodothers(X, V) is linear in V, and vec(d dprodothers(X, V)) = prodothersform(X, 2) (vec(V) (x) vec(dX))"""
    second = prodothersform(X, axis, 2) @ core.kron(core.vec(V), core.eye(times(*X.shape)))
    return on_vec(second, X.shape, X.shape), slope("dprodothers", "prodothersform", X, (axis,))


def _form_shape(X: Expr, axis: int | None, order: int) -> Shape:
    reduced(X, axis)
    if not isinstance(order, int) or order < 1:
        raise MatcalcError(f"the order must be a positive whole number, got {order}")
    size = times(*X.shape)
    return size, times(*[size] * order)


def _form_latex(axis: int | None, order: int) -> Notation:
    power, index = "" if order == 1 else f"^{order}", "" if axis is None else f"_{axis}"
    return Template(rf"\mathrm{{{{D}}}}{power}\operatorname{{{{prodothers}}}}{index}\left({{0}}\right)", Level.POSTFIX)


def _form_numpy(axis: int | None, order: int) -> Notation:
    return Template(f"_prodothersform({{0}}, {order}, axis={None if axis is None else axis - 1})")


@op(
    shape=_form_shape,
    latex=_form_latex,
    numpy=_form_numpy,
    domain=anywhere,
    source=ELEMENTARY,
    example=("m n", 2, 1),
    facts=no_facts,
    params=(AXIS, Param("order", "int", 1)),
    cost=30,
    over=lambda X, *_: times(*X.shape),
)
def prodothersform(Y: Expr, X: Expr, axis: int | None, order: int) -> tuple[LinearMap, ...]:
    """prodothersform(X, r) (vec(V1) (x) ... (x) vec(Vr)) is vec of the r-th derivative of prodothers along V1 ... Vr"""
    rows, columns = Y.shape
    higher = prodothersform(X, axis, order + 1)
    return (on_vec(reshape_(higher, times(rows, columns), rows), X.shape, Y.shape),)
