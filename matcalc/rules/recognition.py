"""Functions recognised in their spelled-out form: sigmoid, softmax, log-sum-exp, softplus, tanh, absolute values."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from matcalc import core
from matcalc.core import broadcast, entrywise_product, hadamard, number, power, scale, total, var
from matcalc.dims import is_one
from matcalc.exact import MINUS_ONE
from matcalc.expr import Expr, node
from matcalc.ops.elementwise import absolute, cosh, exp, log, relu, sigmoid, sign, sinh, softplus, step, tanh
from matcalc.ops.normalization import log_softmax, logsumexp, softmax
from matcalc.ops.reductions import norm1, norm2
from matcalc.rewrite.context import Context
from matcalc.rewrite.pattern import constant_of
from matcalc.rewrite.rule import node_rule, rule
from matcalc.rewrite.terms import coefficient_and_rest, times_number

EXPONENTIALS = "Abramowitz & Stegun, Handbook of Mathematical Functions (1964), ch. 4"
BISHOP = "Bishop, Pattern Recognition and Machine Learning (2006), 4.3"

NEGATIVE = MINUS_ONE
# The rules by which functions that a source spells out are recognised before it is differentiated.
SPELLED_OUT = frozenset(
    (
        "logistic_is_sigmoid",
        "exponentials_over_their_sum",
        "exponentials_over_their_total",
        "exponential_times_sigmoid",
        "scalar_exponential_times_sigmoid",
        "complement_of_sigmoid",
        "hyperbolic_tangent",
        "log_of_sum_of_exponentials",
        "log_of_softmax",
        "log_of_one_plus_exponential",
        "log_of_complement_of_sigmoid",
        "quotient_of_exponentials",
        "scalar_quotient_of_exponentials",
        "softmax_of_shifted",
        "log_softmax_of_shifted",
        "log_sum_exp_of_shifted",
        "minus_log_sum_exp",
        "exponential_of_log_softmax",
    )
)


def is_one_everywhere(e: Expr) -> bool:
    """Whether it is the number 1 or a matrix of ones."""
    return bool(constant_of(e) == 1)


def turned(e: Expr, context: Context) -> Expr:
    """X where `e` is -X, whatever its sign: -X in a pattern then is what is opposite to X."""
    return times_number(NEGATIVE, e)


def without_minus(e: Expr, context: Context) -> Expr | None:
    """X where `e` is -X, by the sign of its number."""
    return times_number(NEGATIVE, e) if coefficient_and_rest(e)[0].is_negative else None


@rule(X="m n", minus=turned, source=BISHOP)
def logistic_is_sigmoid(X: Expr) -> tuple[Expr, Expr]:
    """1 ./ (1 + exp(-X)) = sigmoid(X)"""
    return power(core.plus(1, exp(-X)), -1), sigmoid(X)


@rule(X="m n", axis=(2, 1), source=BISHOP)
def exponentials_over_their_sum(X: Expr, axis: int) -> tuple[Expr, Expr]:
    """exp(X) ./ sum(exp(X), 2) = softmax(X, 2), and the same over rows"""
    E = exp(X)
    return hadamard(E, broadcast(power(total(E, axis), -1), X.shape)), softmax(X, axis)


def _sum_of(reciprocal: Expr, E: Expr) -> int | None:
    """The axis where `reciprocal` is 1 ./ sum(E, axis)."""
    if reciprocal.op != "power" or reciprocal.args[1].op != "number" or reciprocal.args[1].params[0] != -1:
        return None
    s = reciprocal.args[0]
    if s.op != "sum" or s.args[0].digest != E.digest:
        return None
    if s.params[0] is None:
        return 1 if is_one(E.shape[1]) else 2 if is_one(E.shape[0]) else None
    return int(s.params[0])


def _vector() -> tuple[Expr, Expr]:
    x = var("x", "n", 1)
    E = exp(x)
    return scale(power(total(E), -1), E), softmax(x, 1)


@node_rule(op="scale", source=BISHOP, example=_vector, having="power")
def exponentials_over_their_total(e: Expr, context: Context) -> Expr | None:
    """exp(x)/sum(exp(x)) = softmax(x) for a vector"""
    *scalars, E = e.args
    for f, wrap in _exponentials(E):
        for k, s in enumerate(scalars):
            axis = _sum_of(s, f)
            if axis is not None and s.args[0].params[0] is None:
                P = wrap(softmax(*f.args, axis))
                return scale(*scalars[:k], *scalars[k + 1 :], P)
    return None


def _exponentials(body: Expr) -> list[tuple[Expr, Callable[[Expr], Expr]]]:
    """The exponentials among the factors of a body, each with how to put something in its place."""
    if body.op == "exp":
        return [(body, lambda new: new)]
    if body.op in ("matmul", "hadamard"):
        return [(f, partial(_with_factor, body, k)) for k, f in enumerate(body.args) if f.op == "exp"]
    return []


def _with_factor(body: Expr, k: int, new: Expr) -> Expr:
    return node(body.op, (*body.args[:k], new, *body.args[k + 1 :]))


@rule(X="m n", minus=without_minus, whole=True, group="present", source=BISHOP)
def complement_of_sigmoid(X: Expr) -> tuple[Expr, Expr]:
    """1 - sigmoid(-X) = sigmoid(X)"""
    return core.difference(1, sigmoid(-X)), sigmoid(X)


@rule(X="m n", source="Abramowitz & Stegun, Handbook of Mathematical Functions (1964)")
def hyperbolic_tangent(X: Expr) -> tuple[Expr, Expr]:
    """sinh(X) ./ cosh(X) = tanh(X)"""
    return hadamard(sinh(X), power(cosh(X), -1)), tanh(X)


@rule(X="m n", drawn={"X": "nonzero"}, source="definition of the absolute value", scalar="sign(x)/abs(x) = 1/x")
def sign_over_absolute_value(X: Expr) -> tuple[Expr, Expr]:
    """sign(X) ./ abs(X) = 1 ./ X"""
    return entrywise_product(sign(X), power(absolute(X), -1)), power(X, -1)


@rule(X="m n", source="definition of the absolute value", scalar="abs(x) sign(x) = x")
def absolute_value_times_sign(X: Expr) -> tuple[Expr, Expr]:
    """abs(X) o sign(X) = X"""
    return entrywise_product(absolute(X), sign(X)), X


def is_count(k: Expr) -> bool:
    """Whether a number is 1, 2, 3, ..."""
    return bool(k.number.is_Integer and k.number.is_positive)


def _with_power(X: Expr, k: Expr) -> tuple[Expr, Expr]:
    S = sigmoid(X)
    return entrywise_product(exp(-X), power(S, k)), entrywise_product(core.difference(1, S), lowered(S, k))


def lowered(e: Expr, k: Expr) -> Expr:
    """e .^ (k - 1) for a number k; that of a pattern is unknown."""
    return e if k.number is None else power(e, number(k.number - 1))


@rule(
    X="m n", k="number 2", minus=turned, also=[_with_power], source=BISHOP, scalar="exp(-x) sigmoid(x) = 1 - sigmoid(x)"
)
def exponential_times_sigmoid(X: Expr) -> tuple[Expr, Expr]:
    """exp(-X) o sigmoid(X) = 1 - sigmoid(X)"""
    return entrywise_product(exp(-X), sigmoid(X)), core.difference(1, sigmoid(X))


def opposite(a: Expr, b: Expr) -> bool:
    """Whether a = -b, by coefficient."""
    c, rest = coefficient_and_rest(a)
    d, other = coefficient_and_rest(b)
    return rest is not None and other is not None and c == -d and rest.digest == other.digest


@rule(X="m n", source="definition of the norm", why="signs that do not matter go")
def norm_of_negative(X: Expr) -> tuple[Expr, Expr]:
    """norm2(-X) = norm2(X)"""
    return norm2(-X), norm2(X)


@rule(x="1 1", source="definition of the norm", why="one name for one thing")
def norm_of_scalar(x: Expr) -> tuple[Expr, Expr]:
    """norm2(x) = abs(x) for a 1 x 1 value"""
    return norm2(x), absolute(x)


@rule(x="1 1", source="definition of the norm", why="one name for one thing")
def sum_norm_of_scalar(x: Expr) -> tuple[Expr, Expr]:
    """norm1(x) = abs(x) for a 1 x 1 value"""
    return norm1(x), absolute(x)


@rule(X="m n", facts={"X": "nonnegative"}, source="definition of the absolute value")
def absolute_value_of_nonnegative(X: Expr) -> tuple[Expr, Expr]:
    """abs(X) = X for nonnegative X"""
    return absolute(X), X


@rule(X="m n", facts={"X": "nonnegative"}, group="expand", source="definition of the norm")
def sum_norm_of_nonnegative(X: Expr) -> tuple[Expr, Expr]:
    """norm1(X) = sum(X) for nonnegative X"""
    return norm1(X), core.total(X)


@rule(X="m n", facts={"X": "positive"}, source="definition of the sign", why="signs that are known are written out")
def sign_of_positive(X: Expr) -> tuple[Expr, Expr]:
    """sign(X) = 1 for positive X"""
    return sign(X), core.ones(*X.shape)


@rule(X="m n", source="definition of relu and step")
def relu_times_step(X: Expr) -> tuple[Expr, Expr]:
    """relu(X) o step(X) = relu(X)"""
    return hadamard(relu(X), step(X)), relu(X)


@rule(X="m n", whole=True, group="present", source=BISHOP)
def sigmoid_minus_one(X: Expr) -> tuple[Expr, Expr]:
    """sigmoid(X) - 1 = -sigmoid(-X)"""
    return core.plus(sigmoid(X), -1), -sigmoid(-X)


# ------------------------------------------------------------------------------------------------ logarithms


@rule(X="m n", axis=(2, 1, None), group="present", source=BISHOP)
def log_of_sum_of_exponentials(X: Expr, axis: int | None) -> tuple[Expr, Expr]:
    """log(sum(exp(X), 2)) = logsumexp(X, 2), and the same over rows and over all"""
    return log(total(exp(X), axis)), logsumexp(X, axis)


@rule(X="m n", axis=(2, 1), group="present", source=BISHOP)
def log_of_softmax(X: Expr, axis: int) -> tuple[Expr, Expr]:
    """log(softmax(X, 2)) = log_softmax(X, 2)"""
    return log(softmax(X, axis)), log_softmax(X, axis)


@rule(X="m n", group="present", source=BISHOP)
def log_of_one_plus_exponential(X: Expr) -> tuple[Expr, Expr]:
    """log(1 + exp(X)) = softplus(X)"""
    return log(core.plus(1, exp(X))), softplus(X)


@rule(X="m n", group="present", source=BISHOP)
def log_of_complement_of_sigmoid(X: Expr) -> tuple[Expr, Expr]:
    """log(1 - sigmoid(X)) = log(sigmoid(-X))"""
    return log(core.difference(1, sigmoid(X))), log(sigmoid(-X))
