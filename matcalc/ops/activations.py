"""More functions of entries: activations, the Huber function, and the normal distribution.

At a kink the derivative is that of the flat or linear side where the argument is at most the kink, as for relu.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from matcalc import core
from matcalc.core import hadamard, number, scale
from matcalc.dims import sign
from matcalc.errors import MatcalcError
from matcalc.exact import HALF, ONE, sp
from matcalc.expr import Expr, Op, Param, register
from matcalc.map_kinds import LinearMap
from matcalc.maps import mask
from matcalc.notation import Call, Level, Template
from matcalc.ops.comparison import maximum, minimum, where
from matcalc.ops.define import anywhere, need_plain
from matcalc.ops.elementwise import absolute, exp, expm1, log, sigmoid, softplus, step
from matcalc.ops.entrywise import INSIDE_ONE, PROBABILITY, WITHIN_ONE, elementwise, keeps_sign, odd, positive
from matcalc.ops.scalars import spelled
from matcalc.properties import BIT, bits
from matcalc.traits import Kinks

SELU_SCALE = core.exact("1.0507009873554804934193349852946")
SELU_ALPHA = core.exact("1.6732632423543772848170429916717")
KLAMBAUER = "Klambauer, Unterthiner, Mayr & Hochreiter, Self-normalizing neural networks (2017)"
CLEVERT = "Clevert, Unterthiner & Hochreiter, Exponential linear units (2016)"
HUBER = "Huber, Robust estimation of a location parameter (1964)"
MAECHLER = "Mächler, Accurately computing log(1 - exp(-|a|)) (2012)"
MAAS = "Maas, Hannun & Ng, Rectifier nonlinearities improve neural network acoustic models (2013)"


def constant(value: Any, like_: Expr) -> Expr:
    """The number in every entry."""
    return core.broadcast(number(value), like_.shape)


def times(*factors: Expr) -> Expr:
    """The product of entries, also of 1 x 1 values."""
    return scale(*factors) if factors[0].is_scalar else hadamard(*factors)


def choose(X: Expr, above: Expr, below: Expr) -> Expr:
    """`above` where X > 0, `below` elsewhere."""
    return where(X, constant(0, X), above, below, ">")


def clipped(X: Expr, bound: Any) -> Expr:
    """X, cut off at -bound and bound."""
    return minimum(maximum(X, constant(-bound, X)), constant(bound, X))


def inside(X: Expr, bound: Any) -> Expr:
    """1 where |X| < bound, 0 elsewhere."""
    return step(core.difference(bound, absolute(X)))


def away_from(X: Expr, kink: Any = 0) -> tuple[tuple[str, Expr], ...]:
    """No entry is near the kinks at -kink and kink."""
    distance = absolute(core.difference(absolute(X), number(kink)))
    return (("positive", core.difference(distance, number(core.exact("0.05")))),)


# ------------------------------------------------------------------------------------------------ without a parameter

softsign = elementwise(
    "softsign",
    lambda t: t / (1 + sp.Abs(t)),
    r"\operatorname{softsign}",
    Template("{0} / (1 + np.abs({0}))", Level.PRODUCT, Level.ATOM),
    slope=lambda Y, X: core.power(core.plus(1, absolute(X)), -2),
    sampling=away_from,
    facts=odd,
    definition=lambda X: core.divide(X, core.plus(1, absolute(X))),
    monotone=1,
    image=INSIDE_ONE,
    real_only=True,
)
logsigmoid = elementwise(
    "logsigmoid",
    lambda t: -sp.log(1 + sp.exp(-t)),
    r"\log\sigma",
    Template("-_softplus(-{0})", Level.MINUS, Level.ATOM),
    slope=lambda Y, X: sigmoid(core.minus(X)),
    definition=lambda X: core.minus(softplus(core.minus(X))),
    also=("log_sigmoid",),
    monotone=1,
    image=(-inf, 0, True, True),
    real_only=True,
)
hardtanh = elementwise(
    "hardtanh",
    lambda t: sp.Min(sp.Max(t, -1), 1),
    r"\operatorname{hardtanh}",
    Template("np.clip({0}, -1, 1)"),
    slope=lambda Y, X: inside(X, 1),
    sampling=lambda X: away_from(X, 1),
    facts=odd,
    definition=lambda X: clipped(X, ONE),
    monotone=1,
    image=WITHIN_ONE,
    real_only=True,
    kinks="ties",
)
selu = elementwise(
    "selu",
    lambda t: SELU_SCALE * sp.Piecewise((t, t > 0), (SELU_ALPHA * (sp.exp(t) - 1), True)),
    r"\operatorname{selu}",
    Call("_selu"),
    slope=lambda Y, X: choose(
        X, constant(SELU_SCALE, X), scale(number(SELU_SCALE * SELU_ALPHA), exp(_negative_part(X)))
    ),
    sampling=away_from,
    facts=keeps_sign,
    source=KLAMBAUER,
    definition=lambda X: scale(number(SELU_SCALE), _elu_by_parts(X, SELU_ALPHA)),
    monotone=1,
    real_only=True,
    kinks="ties",
)
logit = elementwise(
    "logit",
    lambda t: sp.log(t / (1 - t)),
    r"\operatorname{logit}",
    Template("np.log({0} / (1 - {0}))", inner=Level.ATOM),
    slope=lambda Y, X: core.power(times(X, core.difference(1, X)), -1),
    domain=lambda X: (("positive", X), ("positive", core.difference(1, X))),
    definition=lambda X: core.difference(log(X), log(core.difference(1, X))),
    monotone=1,
)
normpdf = elementwise(
    "normpdf",
    lambda t: sp.exp(-(t**2) / 2) / sp.sqrt(2 * sp.pi),
    r"\varphi_{\mathcal{N}}",
    Template("0.3989422804014327 * np.exp(-({0}**2) / 2)", Level.PRODUCT, Level.ATOM),
    slope=lambda Y, X: core.minus(times(X, Y)),
    facts=positive,
    definition=spelled("normpdf"),
    image=(0, "1/sqrt(2*pi)", True, False),
)
normcdf = elementwise(
    "normcdf",
    lambda t: (1 + sp.erf(t / sp.sqrt(2))) / 2,
    r"\Phi",
    Call("special.ndtr"),
    slope=lambda Y, X: normpdf(X),
    facts=positive,
    definition=spelled("normcdf"),
    monotone=1,
    image=PROBABILITY,
)
normlogcdf = elementwise(
    "normlogcdf",
    lambda t: sp.log((1 + sp.erf(t / sp.sqrt(2))) / 2),
    r"\log\Phi",
    Call("special.log_ndtr"),
    slope=lambda Y, X: normratio(X),
    definition=lambda X: log(normcdf(X)),
    monotone=1,
    convexity=-1,
    image=(-inf, 0, True, True),
)
normratio: Op = elementwise(
    "normratio",
    lambda t: sp.sqrt(2 / sp.pi) * sp.exp(-(t**2) / 2) / (1 + sp.erf(t / sp.sqrt(2))),
    r"\tfrac{\varphi}{\Phi}",
    Template("0.7978845608028654 / special.erfcx({0} * -0.7071067811865476)", Level.PRODUCT, Level.ATOM),
    slope=lambda Y, X: core.minus(times(Y, core.plus(X, Y))),
    facts=positive,
    definition=lambda X: core.divide(normpdf(X), normcdf(X)),
)
log1mexp = elementwise(
    "log1mexp",
    lambda t: sp.log(1 - sp.exp(-t)),
    r"\operatorname{log1mexp}",
    Call("_log1mexp"),
    slope=lambda Y, X: core.power(expm1(X), -1),
    domain=lambda X: (("positive", X),),
    source=MAECHLER,
    definition=lambda X: log(core.difference(1, exp(core.minus(X)))),
)


# ------------------------------------------------------------------------------------------------ with a parameter


def _negative_part(X: Expr) -> Expr:
    """min(X, 0): exp of it does not overflow."""
    return minimum(X, core.zeros(*X.shape))


def _elu_by_parts(X: Expr, alpha: Any) -> Expr:
    return choose(X, X, scale(number(alpha), expm1(_negative_part(X))))


def _positive(name: str, what: str) -> Callable[..., Any]:
    """The shape rule: that of the argument; the parameter must be positive."""

    def shape(X: Expr, value: Any) -> Any:
        need_plain(name, what, value)
        if sign(value) != 1:
            raise MatcalcError(f"{name}: {what} must be a positive number, got {value}")
        return X.shape

    return shape


def entrywise(
    name: str,
    parameter: tuple[str, Any],
    slope: Callable[[Expr, Expr, Any], Expr],
    definition: Callable[[Expr, Any], Expr],
    facts: Callable[..., tuple[int, int]],
    source: str,
    kinks: Kinks = "ties",
    kink: Callable[[Any], Any] = lambda value: 0,
    positive_only: bool = True,
    **traits: Any,
) -> Op:
    """Declare an elementwise function with one number as a parameter; its NumPy is the helper `_name`."""
    word, default = parameter

    def any_sign(X: Expr, value: Any) -> Any:
        need_plain(name, word, value)
        return X.shape

    def differential(Y: Expr, X: Expr, value: Any) -> tuple[LinearMap, ...]:
        return (mask(slope(Y, X, value)),)

    return register(
        Op(
            name=name,
            identity=f"d {name}(X) = {name}'(X) o dX: every entry depends on one entry only",
            shape=_positive(name, word) if positive_only else any_sign,
            differential=differential,
            latex=Call(rf"\operatorname{{{name}}}"),
            numpy=lambda value: Template(f"_{name}({{0}}, {float(value)!r})"),
            domain=anywhere,
            source=source,
            example=("m n", core.exact("0.7")),
            facts=facts,
            definition=definition,
            params=(Param(word, "number", core.exact(default)),),
            sampling=lambda X, value: away_from(X, kink(value)),
            entrywise=True,
            real_only=True,
            kinks=kinks,
            **traits,
        )
    )


def _huber(X: Expr, delta: Any) -> Expr:
    size = absolute(X)
    square = scale(number(HALF), core.power(X, 2))
    linear = scale(number(delta), core.difference(size, number(delta / 2)))
    return where(size, constant(delta, X), linear, square, ">")


huber = entrywise(
    "huber",
    ("delta", 1),
    slope=lambda Y, X, delta: clipped(X, delta),
    definition=_huber,
    facts=lambda e, X: (BIT["nonnegative"] | X & bits("diagonal", "symmetric", "constant"), 0),
    convexity=1,
    kinks="bends",
    source=HUBER,
    kink=lambda delta: delta,
)
leakyrelu = entrywise(
    "leakyrelu",
    ("slope", "0.01"),
    slope=lambda Y, X, value: choose(X, constant(1, X), constant(value, X)),
    definition=lambda X, value: choose(X, X, scale(number(value), X)),
    facts=lambda e, X: (X & bits("positive", "nonnegative", "diagonal", "symmetric", "lower", "upper", "constant"), 0),
    source=MAAS,
    positive_only=False,
)
elu = entrywise(
    "elu",
    ("alpha", 1),
    slope=lambda Y, X, alpha: choose(X, constant(1, X), scale(number(alpha), exp(_negative_part(X)))),
    definition=_elu_by_parts,
    facts=lambda e, X: (X & bits("positive", "nonnegative", "nonzero", "diagonal", "symmetric", "constant"), 0),
    source=CLEVERT,
)
