"""Functions recognised in their spelled-out form: sigmoid, softmax, log-sum-exp, softplus, tanh, absolute values."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from matcalc import core
from matcalc.core import broadcast, hadamard, number, power, scale, total, var
from matcalc.dims import is_one
from matcalc.expr import Expr, node
from matcalc.ops.elementwise import absolute, cosh, exp, log, relu, sigmoid, sign, sinh, softplus, step, tanh
from matcalc.ops.normalization import log_softmax, logsumexp, softmax
from matcalc.ops.reductions import norm1, norm2
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import node_rule, rule
from matcalc.rewrite.terms import coefficient_and_rest

EXPONENTIALS = "Abramowitz & Stegun, Handbook of Mathematical Functions (1964), ch. 4"
BISHOP = "Bishop, Pattern Recognition and Machine Learning (2006), 4.3"

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


def one_plus_exp(e: Expr) -> Expr | None:
    """The argument z where `e` is 1 + exp(z)."""
    if e.op != "add" or len(e.args) != 2:
        return None
    a, b = e.args
    if b.op != "exp":
        a, b = b, a
    return b.args[0] if is_one_everywhere(a) and b.op == "exp" else None


def is_one_everywhere(e: Expr) -> bool:
    """Whether it is the number 1 or a matrix of ones."""
    bare = e.args[0] if e.op == "broadcast" else e
    return bare.op == "ones" or (bare.op == "number" and bare.params[0] == 1)


def _sigmoid() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return power(core.plus(1, exp(-X)), -1), sigmoid(X)


@node_rule(op="power", source=BISHOP, example=_sigmoid)
def logistic_is_sigmoid(e: Expr, context: Context) -> Expr | None:
    """1 ./ (1 + exp(-X)) = sigmoid(X)"""
    base, exponent = e.args
    if exponent.op != "number" or exponent.params[0] != -1:
        return None
    z = one_plus_exp(base)
    return None if z is None else sigmoid(scale(number(-1), z))


def _ratio() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    E = exp(X)
    return hadamard(E, broadcast(power(total(E, 2), -1), X.shape)), softmax(X, 2)


@node_rule(op="hadamard", source=BISHOP, example=_ratio, having="exp, broadcast")
def exponentials_over_their_sum(e: Expr, context: Context) -> Expr | None:
    """exp(X) ./ sum(exp(X), 2) = softmax(X, 2), and the same over rows"""
    for k, f in enumerate(e.args):
        if f.op != "exp":
            continue
        for i, g in enumerate(e.args):
            if g.op == "broadcast":
                axis = _sum_of(g.args[0], f)
                if axis in (1, 2):
                    others = [h for n, h in enumerate(e.args) if n not in (i, k)]
                    return hadamard(softmax(*f.args, axis), *others)
    return None


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


def _swapped() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return core.add(core.ones("m", "n"), -sigmoid(-X)), sigmoid(X)


@node_rule(op="add", source=BISHOP, group="present", example=_swapped, having="scale")
def complement_of_sigmoid(e: Expr, context: Context) -> Expr | None:
    """1 - sigmoid(-X) = sigmoid(X)"""
    if len(e.args) != 2:
        return None
    for one, other in (e.args, e.args[::-1]):
        if is_one_everywhere(one):
            coefficient, rest = coefficient_and_rest(other)
            if coefficient == -1 and rest is not None and rest.op == "sigmoid":
                inner, z = coefficient_and_rest(rest.args[0])
                if inner.is_negative and z is not None:
                    return sigmoid(scale(number(-1), rest.args[0]) if inner != -1 else z)
    return None


def _tangent() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return hadamard(sinh(X), power(cosh(X), -1)), tanh(X)


@node_rule(
    op="hadamard",
    source="Abramowitz & Stegun, Handbook of Mathematical Functions (1964)",
    example=_tangent,
    having="sinh, power",
)
def hyperbolic_tangent(e: Expr, context: Context) -> Expr | None:
    """sinh(X) ./ cosh(X) = tanh(X)"""
    return _joined(e, "sinh", "cosh", lambda X: tanh(X))


def _sign() -> tuple[Expr, Expr]:
    X = var("X", "m", "n", ["nonzero"])
    return hadamard(sign(X), power(absolute(X), -1)), power(X, -1)


@node_rule(op="hadamard", source="definition of the absolute value", example=_sign, having="sign, power")
def sign_over_absolute_value(e: Expr, context: Context) -> Expr | None:
    """sign(X) ./ abs(X) = 1 ./ X"""
    return _joined(e, "sign", "abs", lambda X: power(X, -1))


def _scalar_sign() -> tuple[Expr, Expr]:
    x = var("x", 1, 1, ["nonzero"])
    return scale(sign(x), power(absolute(x), -1)), power(x, -1)


@node_rule(op="scale", source="definition of the absolute value", example=_scalar_sign, having="sign, power")
def scalar_sign_over_absolute_value(e: Expr, context: Context) -> Expr | None:
    """sign(x)/abs(x) = 1/x"""
    return _joined(e, "sign", "abs", lambda X: power(X, -1))


@rule(X="m n", source="definition of the absolute value")
def absolute_value_times_sign(X: Expr) -> tuple[Expr, Expr]:
    """abs(X) o sign(X) = X"""
    return hadamard(absolute(X), sign(X)), X


@rule(x="1 1", source="definition of the absolute value")
def scalar_absolute_value_times_sign(x: Expr) -> tuple[Expr, Expr]:
    """abs(x) sign(x) = x"""
    return scale(absolute(x), sign(x)), x


def _joined(e: Expr, above: str, below: str, joint: Callable[[Expr], Expr]) -> Expr | None:
    """f(X) .* g(X)^-1 in a product, replaced by one function of X."""
    for k, f in enumerate(e.args):
        if f.op != above:
            continue
        for i, g in enumerate(e.args):
            inverted = g.op == "power" and g.args[1].op == "number" and g.args[1].params[0] == -1
            if inverted and g.args[0].op == below and g.args[0].args[0].digest == f.args[0].digest:
                others = [h for n, h in enumerate(e.args) if n not in (i, k)]
                return node(e.op, (joint(f.args[0]), *others)) if others else joint(f.args[0])
    return None


def _complement() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return hadamard(exp(-X), sigmoid(X)), core.difference(1, sigmoid(X))


def _scalar_complement() -> tuple[Expr, Expr]:
    x = var("x", 1, 1)
    return scale(exp(-x), sigmoid(x)), core.difference(1, sigmoid(x))


@node_rule(op="hadamard", source=BISHOP, example=_complement, having="exp, sigmoid")
def exponential_times_sigmoid(e: Expr, context: Context) -> Expr | None:
    """exp(-X) o sigmoid(X) = 1 - sigmoid(X)"""
    return _complemented(e)


@node_rule(op="scale", source=BISHOP, example=_scalar_complement, having="exp, sigmoid")
def scalar_exponential_times_sigmoid(e: Expr, context: Context) -> Expr | None:
    """exp(-x) sigmoid(x) = 1 - sigmoid(x)"""
    return _complemented(e)


def _complemented(e: Expr) -> Expr | None:
    for k, f in enumerate(e.args):
        if f.op != "exp":
            continue
        for i, g in enumerate(e.args):
            base, times = (g.args[0], g.args[1]) if g.op == "power" else (g, number(1))
            whole = times.op == "number" and times.params[0].is_Integer and times.params[0].is_positive
            if base.op != "sigmoid" or not whole or not opposite(f.args[0], base.args[0]):
                continue
            others = [h for n, h in enumerate(e.args) if n not in (i, k)]
            rest = [] if times.params[0] == 1 else [power(base, number(times.params[0] - 1))]
            return (
                node(e.op, (core.difference(1, base), *rest, *others)) if rest or others else core.difference(1, base)
            )
    return None


def opposite(a: Expr, b: Expr) -> bool:
    """Whether a = -b, by coefficient."""
    c, rest = coefficient_and_rest(a)
    d, other = coefficient_and_rest(b)
    return rest is not None and other is not None and c == -d and rest.digest == other.digest


@rule(X="m n", source="definition of the norm")
def norm_of_negative(X: Expr) -> tuple[Expr, Expr]:
    """norm2(-X) = norm2(X)"""
    return norm2(-X), norm2(X)


def _norm() -> tuple[Expr, Expr]:
    x = var("x", 1, 1)
    return norm2(x), absolute(x)


@node_rule(op="norm2", source="definition of the norm", example=_norm)
def norm_of_scalar(e: Expr, context: Context) -> Expr | None:
    """norm2(x) = abs(x) for a 1 x 1 value"""
    return absolute(*e.args) if e.args[0].is_scalar else None


@rule(x="1 1", source="definition of the norm")
def sum_norm_of_scalar(x: Expr) -> tuple[Expr, Expr]:
    """norm1(x) = abs(x) for a 1 x 1 value"""
    return norm1(x), absolute(x)


@rule(X="m n", facts={"X": "nonnegative"}, source="definition of the absolute value")
def absolute_value_of_nonnegative(X: Expr) -> tuple[Expr, Expr]:
    """abs(X) = X for nonnegative X"""
    return absolute(X), X


@rule(X="m n", facts={"X": "positive"}, source="definition of the sign")
def sign_of_positive(X: Expr) -> tuple[Expr, Expr]:
    """sign(X) = 1 for positive X"""
    return sign(X), core.ones(*X.shape)


def _rectified() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return hadamard(relu(X), step(X)), relu(X)


@node_rule(op="hadamard", source="definition of relu and step", example=_rectified, having="relu, step")
def relu_times_step(e: Expr, context: Context) -> Expr | None:
    """relu(X) o step(X) = relu(X)"""
    kept = [
        f
        for f in e.args
        if not (f.op == "step" and any(g.op == "relu" and g.args[0].digest == f.args[0].digest for g in e.args))
    ]
    return hadamard(*kept) if len(kept) < len(e.args) else None


def _minus_one() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return core.difference(sigmoid(X), 1), -sigmoid(-X)


@node_rule(op="add", group="present", source=BISHOP, example=_minus_one, having="sigmoid")
def sigmoid_minus_one(e: Expr, context: Context) -> Expr | None:
    """sigmoid(X) - 1 = -sigmoid(-X)"""
    if len(e.args) != 2:
        return None
    for s, other in (e.args, e.args[::-1]):
        bare = other.args[0] if other.op == "broadcast" else other
        coefficient, rest = coefficient_and_rest(bare)
        minus_one = coefficient == -1 and (rest is None or rest.op == "ones")
        if s.op == "sigmoid" and minus_one:
            return scale(number(-1), sigmoid(scale(number(-1), s.args[0])))
    return None


# ------------------------------------------------------------------------------------------------ logarithms


def _log_total() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return log(total(exp(X), 2)), logsumexp(X, 2)


@node_rule(op="log", group="present", source=BISHOP, example=_log_total)
def log_of_sum_of_exponentials(e: Expr, context: Context) -> Expr | None:
    """log(sum(exp(X), 2)) = logsumexp(X, 2), and the same over rows and over all"""
    s = e.args[0]
    return logsumexp(*s.args[0].args, *s.params) if s.op == "sum" and s.args[0].op == "exp" else None


def _log_share() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return log(softmax(X, 2)), log_softmax(X, 2)


@node_rule(op="log", group="present", source=BISHOP, example=_log_share)
def log_of_softmax(e: Expr, context: Context) -> Expr | None:
    """log(softmax(X, 2)) = log_softmax(X, 2)"""
    P = e.args[0]
    return log_softmax(*P.args, *P.params) if P.op == "softmax" else None


def _soft() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return log(core.plus(1, exp(X))), softplus(X)


@node_rule(op="log", group="present", source=BISHOP, example=_soft)
def log_of_one_plus_exponential(e: Expr, context: Context) -> Expr | None:
    """log(1 + exp(X)) = softplus(X)"""
    z = one_plus_exp(e.args[0])
    return None if z is None else softplus(z)


def _log_complement() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    left = log(core.difference(1, sigmoid(X)))
    return left, log(sigmoid(-X))


@node_rule(op="log", group="present", source=BISHOP, example=_log_complement)
def log_of_complement_of_sigmoid(e: Expr, context: Context) -> Expr | None:
    """log(1 - sigmoid(X)) = log(sigmoid(-X))"""
    z = complement_of_sigmoid_at(e.args[0])
    return None if z is None else log(sigmoid(scale(number(-1), z)))


def complement_of_sigmoid_at(e: Expr) -> Expr | None:
    """The argument z where `e` is 1 - sigmoid(z)."""
    if e.op != "add" or len(e.args) != 2:
        return None
    for one, other in (e.args, e.args[::-1]):
        coefficient, rest = coefficient_and_rest(other)
        if is_one_everywhere(one) and coefficient == -1 and rest is not None and rest.op == "sigmoid":
            return rest.args[0]
    return None
