"""Softmax, log-sum-exp, standardization (batch and layer normalisation) and cross-entropy, in compact records.

Each also has a definition by primitives; a test proves the two agree.
"""

from __future__ import annotations

from typing import Any

from matcalc import core
from matcalc.core import broadcast, hadamard, minus, number, power, total
from matcalc.dims import Shape, is_one
from matcalc.errors import ShapeError
from matcalc.expr import Expr, Param
from matcalc.map_kinds import LinearMap
from matcalc.maps import compose, identity, inner, map_sum, mask, negated, scaled
from matcalc.notation import Call, Level, Notation, Template
from matcalc.ops.define import AXIS, anywhere, extent, like, need_plain, need_same, no_facts, op, reduced
from matcalc.ops.elementwise import exp, log, sqrt
from matcalc.ops.reductions import axis_helper, axis_latex, centred, degrees, repeated_sum, std, summing, var_
from matcalc.properties import bits

BISHOP = "Bishop, Pattern Recognition and Machine Learning (2006), 4.3.4"
BATCHNORM = "Ioffe & Szegedy, Batch Normalization (2015), sec. 3"
MN_CHAIN = "Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 8 (chain rule on the definition)"


def _axis_of_vector(name: str) -> Any:
    def complete(X: Expr, axis: int | None = None) -> tuple[Any, ...]:
        if axis is None:
            if not (is_one(X.shape[0]) or is_one(X.shape[1])):
                raise ShapeError(f"{name} of a matrix needs an axis: 1 (over rows) or 2 (over columns); {{}} is one", X)
            axis = 1 if is_one(X.shape[1]) else 2
        if axis not in (1, 2):
            raise ShapeError(f"{name}: axis must be 1 (over rows) or 2 (over columns), got {axis}")
        return (axis,)

    return complete


def _softmax_facts(e: Expr, X: int) -> tuple[int, int]:
    return bits("positive") | (bits("row-stochastic") if e.params[0] == 2 else bits("column-stochastic")), 0


def _softmax_by_primitives(X: Expr, axis: int) -> Expr:
    E = exp(X)
    return core.divide(E, broadcast(total(E, axis), X.shape))


@op(
    shape=like,
    latex=axis_latex("softmax"),
    numpy=axis_helper("_softmax"),
    domain=anywhere,
    source=BISHOP,
    example=("m n", 2),
    facts=_softmax_facts,
    params=(AXIS,),
    complete=_axis_of_vector("softmax"),
    definition=_softmax_by_primitives,
)
def softmax(P: Expr, X: Expr, axis: int) -> tuple[LinearMap, ...]:
    """dP = P o dX - P o sum(P o dX)"""
    weighted = mask(P)
    return (compose(weighted, map_sum(identity(X.shape), negated(compose(repeated_sum(X, axis), weighted)))),)


@op(
    shape=like,
    latex=axis_latex("log_softmax"),
    numpy=axis_helper("_log_softmax"),
    domain=anywhere,
    source=BISHOP,
    example=("m n", 2),
    facts=no_facts,
    params=(AXIS,),
    complete=_axis_of_vector("log_softmax"),
    definition=lambda X, axis: log(_softmax_by_primitives(X, axis)),
    also=("logsoftmax",),
)
def log_softmax(Y: Expr, X: Expr, axis: int) -> tuple[LinearMap, ...]:
    """d log_softmax(X) = dX - sum(softmax(X) o dX)"""
    P = softmax(X, axis)
    return (map_sum(identity(X.shape), negated(compose(repeated_sum(X, axis), mask(P)))),)


def _softmax_of_all(Y: Expr, X: Expr, axis: int | None) -> Expr:
    """The weights that log-sum-exp gives its entries."""
    if axis is None:
        if is_one(X.shape[0]) or is_one(X.shape[1]):
            return softmax(X, None)
        return exp(core.difference(X, Y))
    return softmax(X, axis)


@op(
    shape=reduced,
    latex=axis_latex("logsumexp"),
    numpy=axis_helper("_logsumexp"),
    domain=anywhere,
    source=BISHOP,
    example=("m n", 2),
    facts=no_facts,
    params=(AXIS,),
    definition=lambda X, axis: log(total(exp(X), axis)),
    monotone=1,
    convexity=1,
    over=extent,
)
def logsumexp(Y: Expr, X: Expr, axis: int | None) -> tuple[LinearMap, ...]:
    """d logsumexp(X) = sum(softmax(X) o dX)"""
    P = _softmax_of_all(Y, X, axis)
    return (inner(P) if axis is None else compose(summing(X, axis), mask(P)),)


def deviation(X: Expr, axis: int | None, ddof: int, eps: Any) -> Expr:
    """What a standardization divides by: the standard deviation, or sqrt(var + eps)."""
    if eps == 0:
        return std(X, axis, ddof)
    return sqrt(core.plus(var_(X, axis, ddof), number(eps)))


def _standardize_shape(X: Expr, axis: int | None, ddof: int, eps: Any) -> Shape:
    need_plain("standardize", "eps", eps)
    reduced(X, axis)
    return X.shape


def _standardize_numpy(axis: int | None, ddof: int, eps: Any) -> Notation:
    where = "None" if axis is None else str(axis - 1)
    return Template(f"_standardize({{0}}, {where}, {ddof}, {float(eps)!r})")


@op(
    shape=_standardize_shape,
    latex=axis_latex("standardize"),
    numpy=_standardize_numpy,
    domain=lambda X, axis, ddof, eps: (("positive", deviation(X, axis, ddof, eps)),),
    source=BATCHNORM,
    example=("m n", 1, 1, core.exact("0.1")),
    facts=no_facts,
    params=(AXIS, Param("ddof", "int", 0), Param("eps", "number", core.exact(0))),
    definition=lambda X, axis, ddof, eps: core.divide(
        centred(X, axis), broadcast(deviation(X, axis, ddof, eps), X.shape)
    ),
    real_only=True,
    over=extent,
)
def standardize(Z: Expr, X: Expr, axis: int | None, ddof: int, eps: Any) -> tuple[LinearMap, ...]:
    """dZ = 1/s o (dX - mean(dX) - Z o mean(Z o dX))"""
    spread = broadcast(power(deviation(X, axis, ddof, eps), -1), X.shape)
    level = repeated_sum(X, axis)
    size = degrees(X, axis, 0)
    centring = map_sum(identity(X.shape), negated(scaled(number(1 / size), level)))
    along = compose(mask(Z), scaled(number(1 / degrees(X, axis, ddof)), level), mask(Z))
    by = scaled(power(deviation(X, axis, ddof, eps), -1), identity(X.shape)) if axis is None else mask(spread)
    return (compose(map_sum(centring, negated(along)), by),)


@op(
    shape=lambda Y, P: (need_same("cross_entropy", Y, P), (1, 1))[1],
    latex=Call(r"\operatorname{cross\_entropy}"),
    numpy=Template("-np.sum({0} * np.log({1}))", Level.MINUS, Level.MINUS),
    domain=lambda Y, P: (("positive", P),),
    source=BISHOP,
    example=("m n, m n",),
    facts=no_facts,
    definition=lambda Y, P: minus(total(hadamard(Y, log(P)))),
    broadcasts=True,
)
def cross_entropy(J: Expr, Y: Expr, P: Expr) -> tuple[LinearMap, ...]:
    """d(-sum(Y o log P)) = -tr(log(P)' dY) - tr((Y ./ P)' dP)"""
    return inner(minus(log(P))), inner(minus(hadamard(Y, power(P, -1))))
