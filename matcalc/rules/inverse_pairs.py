"""Functions that undo each other, and logarithms and exponentials of softplus and sigmoid; for proofs."""

from __future__ import annotations

from matcalc import core
from matcalc.core import add, difference, minus, var
from matcalc.exact import root
from matcalc.expr import Expr, record
from matcalc.ops.comparison import HALF
from matcalc.ops.elementwise import (
    absolute,
    arcsinh,
    arctanh,
    cos,
    erf,
    erfc,
    exp,
    log,
    sigmoid,
    sin,
    softplus,
    sqrt,
    tan,
)
from matcalc.ops.linalg import det, logdet
from matcalc.ops.matrix_functions import expm, logm
from matcalc.ops.selection import tril, unvech_, vech_
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MAGNUS, node_rule, rule

ANALYSIS = "Abramowitz & Stegun, Handbook of Mathematical Functions (1964), ch. 4"
NORMS = "Horn & Johnson, Matrix Analysis (2013), ch. 5"
HIGHAM = "Higham, Functions of Matrices (2008), ch. 11"
# f(g(X)) = X wherever g(X) is defined; X is drawn with this fact in tests.
INVERSE = (
    ("sin", "arcsin"),
    ("cos", "arccos"),
    ("tan", "arctan"),
    ("sinh", "arcsinh"),
    ("cosh", "arccosh"),
    ("tanh", "arctanh"),
    ("arcsinh", "sinh"),
    ("arctanh", "tanh"),
    ("log1p", "expm1"),
    ("expm1", "log1p"),
    ("sigmoid", "logit"),
    ("logit", "sigmoid"),
)


def _undone(outer: str, inner: str) -> None:
    """Declare outer(inner(X)) = X."""

    def sides(X: Expr) -> tuple[Expr, Expr]:
        return record(outer)(record(inner)(X)), X

    sides.__name__, sides.__doc__ = f"{outer}_of_{inner}", f"{outer}({inner}(X)) = X"
    rule(X="m n", group="expand", source=ANALYSIS, exact=False)(sides)


for _outer, _inner in INVERSE:
    _undone(_outer, _inner)


@rule(X="m n", group="expand", source=ANALYSIS, exact=False)
def arctanh_by_logarithms(X: Expr) -> tuple[Expr, Expr]:
    """arctanh(X) = (log(1 + X) - log(1 - X))/2"""
    return arctanh(X), core.scale(HALF, difference(log(core.plus(X, 1)), log(difference(1, X))))


@rule(X="m n", group="expand", source=ANALYSIS, exact=False)
def arcsinh_by_logarithms(X: Expr) -> tuple[Expr, Expr]:
    """arcsinh(X) = log(X + sqrt(1 + X^2))"""
    return arcsinh(X), log(add(X, sqrt(core.plus(core.power(X, 2), 1))))


@rule(S="n n", facts={"S": "symmetric"}, drawn={"S": "orthogonal"}, group="expand", source=HIGHAM)
def logarithm_of_exponential(S: Expr) -> tuple[Expr, Expr]:
    """logm(expm(S)) = S for symmetric S"""
    return logm(expm(S)), S


def _of_opposite(X: Expr) -> tuple[Expr, Expr]:
    return exp(-softplus(X)), difference(1, sigmoid(X))


def _with_itself(X: Expr) -> tuple[Expr, Expr]:
    return exp(add(X, -softplus(X))), sigmoid(X)


@rule(X="m n", also=[_of_opposite, _with_itself], group="expand", source="definition of softplus")
def exponential_of_softplus(X: Expr) -> tuple[Expr, Expr]:
    """exp(softplus(X)) = 1 + exp(X), exp(-softplus(X)) = 1 - sigmoid(X), exp(X - softplus(X)) = sigmoid(X)"""
    return exp(softplus(X)), core.plus(1, exp(X))


@rule(X="m n", group="expand", source="definition of softplus")
def log_of_complement_by_softplus(X: Expr) -> tuple[Expr, Expr]:
    """log(1 - sigmoid(X)) = -softplus(X)"""
    return log(difference(1, sigmoid(X))), minus(softplus(X))


@rule(X="m n", group="expand", source=ANALYSIS)
def tangent_by_sine(X: Expr) -> tuple[Expr, Expr]:
    """tan(X) = sin(X) ./ cos(X)"""
    return tan(X), core.entrywise_product(sin(X), core.power(cos(X), -1))


def _root() -> tuple[Expr, Expr]:
    s, a = var("s", 1, 1), var("a", 1, 1)
    return sqrt(core.scale(core.power(s, 2), a)), core.scale(absolute(s), sqrt(a))


@node_rule(op="sqrt", group="expand", source=ANALYSIS, example=_root)
def root_of_square_times(e: Expr, context: Context) -> Expr | None:
    """sqrt(s^2 a) = abs(s) sqrt(a)"""
    X = e.args[0]
    if X.op != "scale":
        return None
    taken: list[Expr] = []
    rest: list[Expr] = []
    for f in X.args:
        root = _root_of(f)
        (rest if root is None else taken).append(f if root is None else root)
    return core.scale(*taken, sqrt(core.scale(*rest))) if taken and rest else None


def _root_of(f: Expr) -> Expr | None:
    """sqrt(f) for a positive number and for an even power."""
    if f.op == "number" and f.params[0].is_positive and f.params[0] != 1:
        return core.number(root(f.params[0]))
    if f.op != "power" or f.args[1].op != "number" or not f.args[1].params[0].is_even:
        return None
    return core.power(absolute(f.args[0]), core.number(f.args[1].params[0] / 2))


def _homogeneous(name: str) -> None:
    """Declare that a norm of a multiple is a multiple of the norm."""

    def sides(X: Expr, *s: Expr) -> tuple[Expr, Expr]:
        return record(name)(core.scale(*s, X)), core.scale(*map(absolute, s), record(name)(X))

    sides.__name__, sides.__doc__ = f"{name}_of_multiple", f"{name}(s X) = abs(s) {name}(X)"
    rule(X="m n", s="s: 1 1", group="expand", source=NORMS)(sides)


for _name in ("normspec", "normnuc"):
    _homogeneous(_name)


@rule(X="m n", group="expand", source=ANALYSIS)
def complementary_error_function(X: Expr) -> tuple[Expr, Expr]:
    """erfc(X) = 1 - erf(X)"""
    return erfc(X), difference(1, erf(X))


@rule(S="n n", facts={"S": "positive-definite"}, group="expand", source=HIGHAM)
def exponential_of_logdet(S: Expr) -> tuple[Expr, Expr]:
    """exp(logdet(S)) = det(S) for positive definite S"""
    return exp(logdet(S)), det(S)


@rule(X="n n", group="expand", source=MAGNUS)
def triangle_of_its_columns(X: Expr) -> tuple[Expr, Expr]:
    """unvech(vech(X), n) = tril(X)"""
    return unvech_(vech_(X), X.shape[0]), tril(X)


@rule(X="m n", group="expand", source="definition of the sigmoid")
def reciprocal_of_one_plus_exponential(X: Expr) -> tuple[Expr, Expr]:
    """1 ./ (1 + exp(X)) = 1 - sigmoid(X)"""
    return core.power(core.plus(1, exp(X)), -1), difference(1, sigmoid(X))
