"""Sums, means, variances, norms and traces: from a matrix to a scalar, a row or a column."""

from __future__ import annotations

from typing import Any

from matcalc import core
from matcalc.core import hadamard, mean, minus, number, ones, power, scale, total
from matcalc.dims import times
from matcalc.expr import Expr, Param, node
from matcalc.map_kinds import LinearMap
from matcalc.maps import compose, inner, mask, sandwich, scaled
from matcalc.notation import Call, Level, Notation, Template
from matcalc.ops.comparison import SUBGRADIENT, where
from matcalc.ops.define import AXIS, always, anywhere, extent, keeps, need_same, op, reduced, scalar, square_to_scalar
from matcalc.ops.elementwise import absolute, sign, sqrt
from matcalc.ops.leaves import ELEMENTARY
from matcalc.properties import bits

SIGNS = ("positive", "nonnegative", "constant")


def axis_latex(name: str) -> Any:
    """LaTeX of a reduction: the axis as an index."""

    upright = name.replace("_", r"\_")

    def latex(axis: int | None = None, *_: Any) -> Notation:
        index = "" if axis is None else f"_{{{axis}}}"
        return Call(rf"\operatorname{{{upright}}}{index}")

    return latex


def axis_numpy(function: str) -> Any:
    """NumPy of a reduction: both dimensions are kept."""

    def numpy(axis: int | None = None, *_: Any) -> Notation:
        keeping = "" if axis is None else f", axis={axis - 1}, keepdims=True"
        return Template(f"{function}({{0}}{keeping})")

    return numpy


def axis_helper(name: str) -> Any:
    """NumPy of a function with a helper of its own, which takes the axis."""

    def numpy(axis: int | None) -> Notation:
        return Template(f"{name}({{0}}, axis={None if axis is None else axis - 1})")

    return numpy


def summing(X: Expr, axis: int | None) -> LinearMap:
    """dX -> sum(dX, axis), as a product with ones."""
    if axis is None:
        return inner(ones(*X.shape))
    m, n = X.shape
    return sandwich(ones(1, m), None, X.shape) if axis == 1 else sandwich(None, ones(n, 1), X.shape)


def repeated_sum(X: Expr, axis: int | None) -> LinearMap:
    """dX -> its sums over the axis, broadcast back: a product with matrices of ones."""
    m, n = X.shape
    if axis is None:
        return sandwich(ones(m, m), ones(n, n), X.shape)
    return sandwich(ones(m, m), None, X.shape) if axis == 1 else sandwich(None, ones(n, n), X.shape)


def averaging(X: Expr, axis: int | None) -> LinearMap:
    """dX -> mean(dX, axis)."""
    return scaled(number(1 / core.exact_dim(extent(X, axis))), summing(X, axis))


def spread_mean(X: Expr, axis: int | None) -> Expr:
    """The mean, broadcast back to the shape of X."""
    return core.broadcast(mean(X, axis), X.shape)


def centred(X: Expr, axis: int | None) -> Expr:
    """X minus its mean."""
    return core.difference(X, spread_mean(X, axis))


@op(
    shape=reduced,
    latex=axis_latex("sum"),
    numpy=axis_numpy("np.sum"),
    domain=anywhere,
    source=ELEMENTARY,
    example=("m n", 1),
    facts=keeps(*SIGNS),
    params=(AXIS,),
    also=("total",),
    numpy_names=("np.sum",),
    linear=True,
)
def sum_(Y: Expr, X: Expr, axis: int | None) -> tuple[LinearMap, ...]:
    """d sum(X) = sum(dX) = 1' dX 1"""
    return (summing(X, axis),)


@op(
    shape=reduced,
    latex=axis_latex("mean"),
    numpy=axis_numpy("np.mean"),
    domain=anywhere,
    source=ELEMENTARY,
    example=("m n", 1),
    facts=keeps(*SIGNS),
    params=(AXIS,),
    definition=lambda X, axis: scale(number(1 / core.exact_dim(extent(X, axis))), total(X, axis)),
    also=("average", "avg"),
    numpy_names=("np.mean",),
    linear=True,
    over=extent,
)
def mean_(Y: Expr, X: Expr, axis: int | None) -> tuple[LinearMap, ...]:
    """d mean(X) = sum(dX) / count"""
    return (averaging(X, axis),)


DDOF = Param("ddof", "int", 0)


def degrees(X: Expr, axis: int | None, ddof: int) -> Any:
    """The number that a variance divides by."""
    return core.exact_dim(extent(X, axis)) - ddof


def _variance(X: Expr, axis: int | None, ddof: int) -> Expr:
    return scale(number(1 / degrees(X, axis, ddof)), total(power(centred(X, axis), 2), axis))


def _var_numpy(function: str) -> Any:
    def numpy(axis: int | None = None, ddof: int = 0) -> Notation:
        where = "" if axis is None else f", axis={axis - 1}, keepdims=True"
        return Template(f"{function}({{0}}{where}{f', ddof={ddof}' if ddof else ''})")

    return numpy


@op(
    shape=reduced,
    latex=axis_latex("var"),
    numpy=_var_numpy("np.var"),
    domain=anywhere,
    source=ELEMENTARY,
    example=("m n", 1, 1),
    facts=always("nonnegative"),
    params=(AXIS, DDOF),
    definition=_variance,
    also=("variance",),
    numpy_names=("np.var",),
    real_only=True,
    over=extent,
)
def var_(Y: Expr, X: Expr, axis: int | None, ddof: int) -> tuple[LinearMap, ...]:
    """d var(X) = 2/n sum((X - mean(X)) o dX)"""
    weight = number(2 / degrees(X, axis, ddof))
    return (compose(scaled(weight, summing(X, axis)), mask(centred(X, axis))),)


def _deviation(X: Expr, axis: int | None, ddof: int) -> Expr:
    return std(X, axis, ddof)


@op(
    shape=reduced,
    latex=axis_latex("std"),
    numpy=_var_numpy("np.std"),
    domain=lambda X, axis, ddof: (("positive", _deviation(X, axis, ddof)),),
    source=ELEMENTARY,
    example=("m n", 1, 1),
    facts=always("nonnegative"),
    params=(AXIS, DDOF),
    definition=lambda X, axis, ddof: sqrt(_variance(X, axis, ddof)),
    numpy_names=("np.std",),
    real_only=True,
    kinks="origin",
    over=extent,
)
def std(Y: Expr, X: Expr, axis: int | None, ddof: int) -> tuple[LinearMap, ...]:
    """d std(X) = 1/n sum((X - mean(X)) ./ std(X) o dX)"""
    weight = number(1 / degrees(X, axis, ddof))
    unit = hadamard(centred(X, axis), power(core.broadcast(Y, X.shape), -1))
    return (compose(scaled(weight, summing(X, axis)), mask(unit)),)


# ------------------------------------------------------------------------------------------------ extremes


def weighted_sum(X: Expr, axis: int | None, weights: Expr) -> LinearMap:
    """dX -> sum(weights o dX, axis)."""
    return inner(weights) if axis is None else compose(summing(X, axis), mask(weights))


def _shares(above: Expr, below: Expr, axis: int | None) -> Expr:
    """1 where above >= below and 0 elsewhere, divided by how many there are along the axis."""
    hit = where(above, below, core.broadcast(number(1), above.shape), core.zeros(*above.shape), ">=")
    return core.divide(hit, core.broadcast(total(hit, axis), hit.shape))


def _again(name: str, X: Expr, axis: int | None) -> Expr:
    """The extreme of X, in its shape: not a name for it, so that it is compared with the very X that it comes from.

    Otherwise X might be rewritten and the definition of the name not: they then differ in their last digits.
    """
    return core.broadcast(node(name, (X,), (axis,)), X.shape)


@op(
    shape=reduced,
    latex=axis_latex("max"),
    numpy=axis_numpy("np.max"),
    domain=anywhere,
    source=SUBGRADIENT,
    example=("m n", 1),
    facts=keeps(*SIGNS, "nonzero"),
    params=(AXIS,),
    numpy_names=("np.max", "np.amax"),
    real_only=True,
    kinks="ties",
    monotone=1,
    convexity=1,
    over=extent,
)
def max_(Y: Expr, X: Expr, axis: int | None) -> tuple[LinearMap, ...]:
    """d max(X) = sum of dX over the largest entries, in equal shares"""
    return (weighted_sum(X, axis, _shares(X, _again("max", X, axis), axis)),)


@op(
    shape=reduced,
    latex=axis_latex("min"),
    numpy=axis_numpy("np.min"),
    domain=anywhere,
    source=SUBGRADIENT,
    example=("m n", 2),
    facts=keeps(*SIGNS, "nonzero"),
    params=(AXIS,),
    numpy_names=("np.min", "np.amin"),
    real_only=True,
    kinks="ties",
    monotone=1,
    convexity=-1,
    over=extent,
)
def min_(Y: Expr, X: Expr, axis: int | None) -> tuple[LinearMap, ...]:
    """d min(X) = sum of dX over the smallest entries, in equal shares"""
    return (weighted_sum(X, axis, _shares(_again("min", X, axis), X, axis)),)


# ------------------------------------------------------------------------------------------------ to a scalar


def _trace_facts(e: Expr, X: int) -> tuple[int, int]:
    true = X & bits("positive", "nonnegative", "constant")
    if X & bits("positive-definite"):
        true |= bits("positive")
    if X & bits("positive-semidefinite"):
        true |= bits("nonnegative")
    if X & bits("skew"):
        return true, bits("nonzero", "positive")
    return true, 0


@op(
    shape=square_to_scalar("tr"),
    latex=Call(r"\operatorname{tr}"),
    numpy=Call("np.trace"),
    domain=anywhere,
    source=ELEMENTARY,
    example=("n n",),
    facts=_trace_facts,
    also=("trace", "Tr"),
    linear=True,
)
def tr(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d tr(X) = tr(dX) = tr(I' dX)"""
    return (inner(core.eye(X.shape[0])),)


@op(
    shape=scalar,
    latex=Template(r"\lVert {0} \rVert_1"),
    numpy=Template("np.sum(np.abs({0}))"),
    domain=anywhere,
    source=ELEMENTARY,
    example=("m n",),
    facts=always("nonnegative"),
    definition=lambda X: total(absolute(X)),
    real_only=True,
    kinks="zero",
    norm=True,
)
def norm1(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d norm1(X) = tr(sign(X)' dX)"""
    return (inner(sign(X)),)


@op(
    shape=scalar,
    latex=Template(r"\lVert {0} \rVert"),
    numpy=Call("np.linalg.norm"),
    domain=anywhere,
    source="Petersen & Pedersen, The Matrix Cookbook (2012), 2.6",
    example=("m n",),
    facts=lambda e, X: (bits("nonnegative") | (bits("positive") if X & bits("nonzero") else 0), 0),
    definition=lambda X: sqrt(total(power(X, 2))),
    guarded=True,
    real_only=True,
    kinks="origin",
    norm=True,
)
def norm2(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d norm2(X) = tr(X' dX) / norm2(X)"""
    if X.is_scalar:  # the absolute value: x/abs(x) would have no value at 0, its product with abs(x) neither
        return (inner(sign(X)),)
    return (inner(scale(power(Y, -1), X)),)


@op(
    shape=lambda A, B: (need_same("mse", A, B), (1, 1))[1],
    latex=Call(r"\operatorname{mse}"),
    numpy=Template("np.mean(({0} - {1}) ** 2)", inner=Level.MINUS),
    domain=anywhere,
    source=ELEMENTARY,
    example=("m n, m n",),
    facts=always("nonnegative"),
    definition=lambda A, B: mean(power(core.difference(A, B), 2)),
    broadcasts=True,
    over=lambda A, B: times(*A.shape),
)
def mse(Y: Expr, A: Expr, B: Expr) -> tuple[LinearMap, ...]:
    """d mean((A - B)^2) = 2/(mn) tr((A - B)' (dA - dB))"""
    E = core.difference(A, B)
    slope = scale(number(2 / core.exact_dim(times(*E.shape))), E)
    return inner(slope), inner(minus(slope))
