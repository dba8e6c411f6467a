"""Functions applied to every entry; each has a diagonal Jacobian, `d f(X) = f'(X) o dX`.

f' comes from SymPy, written with the output where that is shorter, unless the record states it (kinks, overflow).
"""

from __future__ import annotations

from math import inf

from matcalc import core
from matcalc.core import hadamard, power
from matcalc.exact import ONE, ZERO, sp
from matcalc.expr import Expr, Op, Param, register
from matcalc.map_kinds import LinearMap
from matcalc.maps import mask
from matcalc.notation import Call, Level, Template
from matcalc.ops.arithmetic import zero_like
from matcalc.ops.define import anywhere, like, no_facts
from matcalc.ops.entrywise import (
    ABOVE_ZERO,
    ALL,
    CALCULUS,
    FROM_ZERO,
    INSIDE_ONE,
    PROBABILITY,
    WITHIN_ONE,
    above_minus_one,
    above_one,
    above_zero,
    elementwise,
    keeps_sign,
    nonnegative,
    odd,
    positive,
    within_one,
)
from matcalc.ops.hollow import root_domain, root_slope
from matcalc.ops.scalars import polygamma_of, spelled
from matcalc.properties import BIT


def _abs_facts(e: Expr, X: int) -> tuple[int, int]:
    return BIT["nonnegative"] | (BIT["positive"] if X & BIT["nonzero"] else 0) | X & BIT["diagonal"], 0


def one_minus_square(Y: Expr, X: Expr) -> Expr:
    """1 - Y o Y."""
    return core.difference(1, power(Y, 2))


def _times(*factors: Expr) -> Expr:
    return core.scale(*factors) if factors[0].is_scalar else hadamard(*factors)


exp = elementwise(
    "exp", "exp", r"\exp", "np.exp", facts=positive, monotone=1, image=ABOVE_ZERO, also=("Exp",), folds=True
)
log = elementwise(
    "log",
    "log",
    r"\log",
    "np.log",
    domain=above_zero,
    slope=lambda Y, X: power(X, -1),
    monotone=1,
    also=("ln", "Log"),
    folds=True,
)
log1p = elementwise(
    "log1p",
    lambda t: sp.log(1 + t),
    r"\operatorname{log1p}",
    "np.log1p",
    facts=keeps_sign,
    domain=above_minus_one,
    monotone=1,
)
expm1 = elementwise(
    "expm1",
    lambda t: sp.exp(t) - 1,
    r"\operatorname{expm1}",
    "np.expm1",
    facts=keeps_sign,
    slope=lambda Y, X: exp(X),
    monotone=1,
    image=(-1, inf, True, True),
)
sqrt = elementwise(
    "sqrt",
    lambda t: sp.sqrt(t),
    Template(r"\sqrt{{{0}}}"),
    "np.sqrt",
    domain=root_domain,
    facts=nonnegative,
    slope=root_slope,
    also=("Sqrt",),
    monotone=1,
    image=FROM_ZERO,
    kinks="origin",
)
absolute = elementwise(
    "abs",
    "Abs",
    Template(r"\lvert {0} \rvert", of_matrices=r"\operatorname{abs}"),
    "np.abs",
    facts=_abs_facts,
    slope=lambda Y, X: sign(X),
    also=("fabs", "absolute", "Abs"),
    convexity=1,
    image=FROM_ZERO,
    real_only=True,
    kinks="zero",
    folds=True,
)
sign: Op = elementwise(
    "sign",
    "sign",
    r"\operatorname{sign}",
    "np.sign",
    slope=lambda Y, X: zero_like(X),
    facts=odd,
    also=("sgn", "signum"),
    monotone=1,
    image=WITHIN_ONE,
    real_only=True,
    kinks="zero",
    folds=True,
)
step = elementwise(
    "step",
    None,
    r"\operatorname{step}",
    Template("({0} > 0)", inner=Level.MINUS),
    source="unit step, 0 at 0",
    slope=lambda Y, X: zero_like(X),
    facts=nonnegative,
    monotone=1,
    image=(0, 1, False, False),
    real_only=True,
    kinks="zero",
    exact=lambda v: ONE if v.is_positive else ZERO if v.is_nonpositive else sp.nan,
)
sin = elementwise("sin", "sin", r"\sin", "np.sin", image=WITHIN_ONE, folds=True)
cos = elementwise("cos", "cos", r"\cos", "np.cos", image=WITHIN_ONE, folds=True)
tan = elementwise("tan", "tan", r"\tan", "np.tan", branch=("-pi/2", "pi/2"), folds=True)
tanh = elementwise(
    "tanh", "tanh", r"\tanh", "np.tanh", facts=odd, slope=one_minus_square, monotone=1, image=INSIDE_ONE, folds=True
)
arcsin = elementwise(
    "arcsin", "asin", r"\arcsin", "np.arcsin", facts=odd, domain=within_one, monotone=1, also=("asin",)
)
arccos = elementwise("arccos", "acos", r"\arccos", "np.arccos", domain=within_one, monotone=-1, also=("acos",))
arctan = elementwise(
    "arctan",
    "atan",
    r"\arctan",
    "np.arctan",
    facts=odd,
    monotone=1,
    image=("-pi/2", "pi/2", True, True),
    also=("atan",),
)
sinh = elementwise("sinh", "sinh", r"\sinh", "np.sinh", facts=odd, monotone=1, folds=True)
cosh = elementwise("cosh", "cosh", r"\cosh", "np.cosh", facts=positive, image=(1, inf, False, True), folds=True)
arcsinh = elementwise(
    "arcsinh", "asinh", r"\operatorname{arcsinh}", "np.arcsinh", facts=odd, monotone=1, also=("asinh",)
)
arccosh = elementwise(
    "arccosh",
    "acosh",
    r"\operatorname{arccosh}",
    "np.arccosh",
    domain=above_one,
    monotone=1,
    image=FROM_ZERO,
    also=("acosh",),
)
arctanh = elementwise(
    "arctanh",
    "atanh",
    r"\operatorname{arctanh}",
    "np.arctanh",
    facts=odd,
    domain=within_one,
    monotone=1,
    also=("atanh",),
)
sigmoid = elementwise(
    "sigmoid",
    lambda t: 1 / (1 + sp.exp(-t)),
    r"\sigma",
    "_sigmoid",
    facts=positive,
    slope=lambda Y, X: _times(Y, core.difference(1, Y)),
    also=("expit", "logistic"),
    monotone=1,
    image=PROBABILITY,
)
relu = elementwise(
    "relu",
    lambda t: sp.Max(t, 0),
    r"\operatorname{relu}",
    Template("np.maximum({0}, 0)"),
    facts=nonnegative,
    slope=lambda Y, X: step(X),
    source="relu'(0) = 0 by convention",
    monotone=1,
    convexity=1,
    image=FROM_ZERO,
    real_only=True,
    kinks="zero",
)
softplus = elementwise(
    "softplus",
    lambda t: sp.log(1 + sp.exp(t)),
    r"\operatorname{softplus}",
    "_softplus",
    facts=positive,
    slope=lambda Y, X: sigmoid(X),
    monotone=1,
    image=ABOVE_ZERO,
    real_only=True,
)
erf = elementwise("erf", "erf", r"\operatorname{erf}", "special.erf", facts=odd, monotone=1, image=INSIDE_ONE)
erfc = elementwise(
    "erfc",
    "erfc",
    r"\operatorname{erfc}",
    "special.erfc",
    facts=positive,
    monotone=-1,
    image=(0, 2, True, True),
)
gammaln = elementwise(
    "gammaln",
    "loggamma",
    r"\log\Gamma",
    "special.gammaln",
    branch=(0, inf),
    sampling=above_zero,
    slope=lambda Y, X: digamma(X),
    also=("lgamma", "loggamma"),
    real_only=True,
)
digamma: Op = elementwise(
    "digamma",
    "digamma",
    r"\psi",
    "special.digamma",
    branch=(0, inf),
    sampling=above_zero,
    slope=lambda Y, X: polygamma_of(1, X),
)
gelu = elementwise(
    "gelu",
    lambda t: t * (1 + sp.erf(t / sp.sqrt(2))) / 2,
    r"\operatorname{gelu}",
    "_gelu",
    source="Hendrycks & Gimpel, Gaussian Error Linear Units (2016)",
    definition=spelled("gelu"),
)
silu = elementwise(
    "silu",
    lambda t: t / (1 + sp.exp(-t)),
    r"\operatorname{silu}",
    Template("{0} * _sigmoid({0})", Level.PRODUCT, Level.ATOM),
    slope=lambda Y, X: core.plus(Y, _times(sigmoid(X), core.difference(1, Y))),
    source="Elfwing, Uchibe & Doya, Sigmoid-weighted linear units (2018)",
    definition=lambda X: _times(X, sigmoid(X)),
    also=("swish",),
)


def _polygamma_slope(Y: Expr, X: Expr, order: int) -> tuple[LinearMap, ...]:
    return (mask(polygamma_of(order + 1, X)),)


polygamma = register(
    Op(
        name="polygamma",
        identity="d polygamma(k, X) = polygamma(k + 1, X) o dX",
        shape=like,
        differential=_polygamma_slope,
        latex=lambda order: Call(rf"\psi^{{({order})}}"),
        numpy=lambda order: Template(f"special.polygamma({order}, {{0}})"),
        domain=anywhere,
        branch=(0, inf),
        sampling=lambda X, order: (("positive", X),),
        source=CALCULUS,
        example=("m n", 2),
        facts=no_facts,
        params=(Param("order", "int"),),
        image=lambda order: ABOVE_ZERO if order % 2 else ALL,
        parameters_first=True,
        entrywise=True,
        real_only=True,
    )
)
