"""Exponentials, logarithms and squares of functions; for proofs (the group `expand`)."""

from __future__ import annotations

from matcalc import core
from matcalc.core import add, hadamard, minus, number, power, scale, var
from matcalc.expr import Expr
from matcalc.ops.elementwise import (
    absolute,
    cos,
    cosh,
    exp,
    expm1,
    gammaln,
    log,
    log1p,
    sigmoid,
    sin,
    sinh,
    softplus,
    sqrt,
    tanh,
)
from matcalc.ops.linalg import logdet
from matcalc.ops.normalization import logsumexp
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MATRIX_ALGEBRA, node_rule
from matcalc.rewrite.terms import coefficient_and_rest, number_and_term

ANALYSIS = "Abramowitz & Stegun, Handbook of Mathematical Functions (1964), ch. 4"


def _inverse() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return log(exp(X)), X


@node_rule(op="log", group="expand", source=ANALYSIS, example=_inverse)
def log_of_exponential(e: Expr, context: Context) -> Expr | None:
    """log(exp(X)) = X"""
    return e.args[0].args[0] if e.args[0].op == "exp" else None


def _product() -> tuple[Expr, Expr]:
    X, Y = (var(name, "m", "n", ["positive"]) for name in "XY")
    return log(hadamard(X, Y)), add(log(X), log(Y))


@node_rule(op="log", group="expand", source=ANALYSIS, example=_product)
def log_of_product(e: Expr, context: Context) -> Expr | None:
    """log(X o Y) = log(X) + log(Y) and log(X .^ k) = k log(X) for positive X and Y"""
    X = e.args[0]
    if X.op == "power" and context.known(X.args[0], "positive"):
        base, k = X.args
        return scale(k, log(base)) if k.is_scalar else hadamard(k, log(base))
    if X.op not in ("hadamard", "scale") or not all(context.known(f, "positive") for f in X.args):
        return None
    return add(*(core.broadcast(log(f), X.shape) for f in X.args))


def _exponential_of_log() -> tuple[Expr, Expr]:
    X = var("X", "m", "n", ["positive"])
    return exp(log(X)), X


@node_rule(op="exp", group="expand", source=ANALYSIS, example=_exponential_of_log)
def exponential_of_log(e: Expr, context: Context) -> Expr | None:
    """exp(log(X)) = X, exp(k log(X)) = X .^ k for positive X and a number k"""
    k, inner = number_and_term(e.args[0])
    if inner is None:
        return None
    bare = inner.args[0] if inner.op == "broadcast" else inner
    if bare.op != "log" or not context.known(bare.args[0], "positive"):
        return None
    return core.broadcast(power(bare.args[0], number(k)), e.shape)


def _sum() -> tuple[Expr, Expr]:
    X, Y = var("X", "m", "n"), var("Y", "m", "n")
    return exp(add(X, Y)), hadamard(exp(X), exp(Y))


@node_rule(op="exp", group="expand", source=ANALYSIS, example=_sum)
def exponential_of_sum(e: Expr, context: Context) -> Expr | None:
    """exp(X + Y) = exp(X) o exp(Y)"""
    X = e.args[0]
    if X.op != "add":
        return None
    return scale(*map(exp, X.args)) if e.is_scalar else hadamard(*map(exp, X.args))


def _logsumexp() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return logsumexp(X, 2), log(core.total(exp(X), 2))


@node_rule(op="logsumexp", group="expand", source="definition of the function", example=_logsumexp)
def logsumexp_is_log_of_sum(e: Expr, context: Context) -> Expr | None:
    """logsumexp(X, 2) = log(sum(exp(X), 2))"""
    return log(core.total(exp(e.args[0]), e.params[0]))


def _tanh() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    right = core.difference(scale(number(2), sigmoid(scale(number(2), X))), 1)
    return tanh(X), right


@node_rule(op="tanh", group="expand", source=ANALYSIS, example=_tanh)
def tanh_by_sigmoid(e: Expr, context: Context) -> Expr | None:
    """tanh(X) = 2 sigmoid(2 X) - 1"""
    return core.difference(scale(number(2), sigmoid(scale(number(2), e.args[0]))), 1)


def _sine() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return power(sin(X), 2), core.difference(1, power(cos(X), 2))


@node_rule(op="power", group="expand", source=ANALYSIS, example=_sine)
def squared_sine(e: Expr, context: Context) -> Expr | None:
    """sin(X) .^ 2 = 1 - cos(X) .^ 2, cosh(X) .^ 2 = 1 + sinh(X) .^ 2"""
    base, k = e.args
    if k.op != "number" or k.params[0] != 2 or base.op not in ("sin", "cosh"):
        return None
    if base.op == "sin":
        return core.difference(1, power(cos(*base.args), 2))
    return core.plus(1, power(sinh(*base.args), 2))


def _root() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return sqrt(power(X, 2)), absolute(X)


@node_rule(op="sqrt", group="expand", source=ANALYSIS, example=_root)
def root_of_square(e: Expr, context: Context) -> Expr | None:
    """sqrt(X .^ 2) = abs(X)"""
    X = e.args[0]
    square = X.op == "power" and X.args[1].op == "number" and X.args[1].params[0] == 2
    return absolute(X.args[0]) if square else None


def _choice() -> tuple[Expr, Expr]:
    Y = var("Y", "m", "n", ["one-hot"])
    return power(Y, 2), Y


@node_rule(
    op="power", group="expand", source="definition of a one-hot matrix: its entries are 0 and 1", example=_choice
)
def power_of_one_hot(e: Expr, context: Context) -> Expr | None:
    """Y .^ k = Y for a one-hot matrix and k > 0"""
    base, k = e.args
    if k.op != "number" or not k.params[0].is_positive:
        return None
    return base if context.known(base, "one-hot") or context.known(base, "one-hot-column") else None


def _determinants() -> tuple[Expr, Expr]:
    A, B = var("A", "n", "n"), var("B", "n", "n")
    return logdet(A @ B), add(logdet(A), logdet(B))


@node_rule(op="logdet", group="expand", source=MATRIX_ALGEBRA, example=_determinants)
def logdet_of_product(e: Expr, context: Context) -> Expr | None:
    """log|det A B| = log|det A| + log|det B|, log|det A^-1| = -log|det A|, log|det A^k| = k log|det A|, and for kron"""
    A = e.args[0]
    if A.op == "kron" and all(f.shape[0] == f.shape[1] for f in A.args):
        m, n = (number(core.exact_dim(f.shape[0])) for f in A.args)
        return add(scale(n, logdet(A.args[0])), scale(m, logdet(A.args[1])))
    if A.op == "matmul" and all(f.shape[0] == f.shape[1] for f in A.args):
        return add(*(logdet(f) for f in A.args))
    if A.op == "inv":
        return minus(logdet(A.args[0]))
    return scale(A.args[1], logdet(A.args[0])) if A.op == "matpow" else None


def _log_sigmoid() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return log(sigmoid(X)), minus(softplus(-X))


@node_rule(op="log", group="expand", source=ANALYSIS, example=_log_sigmoid)
def log_of_sigmoid(e: Expr, context: Context) -> Expr | None:
    """log(sigmoid(X)) = -softplus(-X)"""
    return minus(softplus(scale(number(-1), e.args[0].args[0]))) if e.args[0].op == "sigmoid" else None


def _doubled() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return sin(scale(number(2), X)), scale(number(2), hadamard(sin(X), cos(X)))


@node_rule(op="sin", group="expand", source=ANALYSIS, example=_doubled)
def sine_of_double(e: Expr, context: Context) -> Expr | None:
    """sin(2 X) = 2 sin(X) o cos(X)"""
    half = _half(e.args[0])
    if half is None:
        return None
    times = scale if e.is_scalar else hadamard
    return scale(number(2), times(sin(half), cos(half)))


def _doubled_cosine() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return cos(scale(number(2), X)), core.difference(scale(number(2), power(cos(X), 2)), 1)


@node_rule(op="cos", group="expand", source=ANALYSIS, example=_doubled_cosine)
def cosine_of_double(e: Expr, context: Context) -> Expr | None:
    """cos(2 X) = 2 cos(X) .^ 2 - 1"""
    half = _half(e.args[0])
    return None if half is None else core.difference(scale(number(2), power(cos(half), 2)), 1)


def _half(X: Expr) -> Expr | None:
    """X/2 where X is an even multiple of something."""
    k, rest = coefficient_and_rest(X)
    if rest is None or not k.is_Integer or k % 2:
        return None
    return rest if k == 2 else scale(number(k / 2), rest)


def _hyperbolic_sine() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return sinh(X), scale(number(core.exact("0.5")), core.difference(exp(X), exp(-X)))


@node_rule(op="sinh", group="expand", source=ANALYSIS, example=_hyperbolic_sine)
def sinh_by_exponentials(e: Expr, context: Context) -> Expr | None:
    """sinh(X) = (exp(X) - exp(-X))/2"""
    X = e.args[0]
    return scale(number(core.exact("0.5")), core.difference(exp(X), exp(scale(number(-1), X))))


def _hyperbolic_cosine() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return cosh(X), scale(number(core.exact("0.5")), core.plus(exp(X), exp(-X)))


@node_rule(op="cosh", group="expand", source=ANALYSIS, example=_hyperbolic_cosine)
def cosh_by_exponentials(e: Expr, context: Context) -> Expr | None:
    """cosh(X) = (exp(X) + exp(-X))/2"""
    X = e.args[0]
    return scale(number(core.exact("0.5")), core.plus(exp(X), exp(scale(number(-1), X))))


def _recurrence() -> tuple[Expr, Expr]:
    X = var("X", "m", "n", ["positive"])
    return gammaln(core.plus(X, 1)), add(gammaln(X), log(X))


@node_rule(op="gammaln", group="expand", source=ANALYSIS, example=_recurrence)
def gammaln_of_next(e: Expr, context: Context) -> Expr | None:
    """gammaln(X + 1) = gammaln(X) + log(X) for positive X"""
    X = e.args[0]
    if X.op != "add":
        return None
    ones = [t for t in X.args if number_and_term(t)[1] is None or t.op in ("ones", "broadcast")]
    for t in ones:
        k, unit = number_and_term(t)
        rest = add(*(s for s in X.args if s is not t))
        if (unit is None or unit.op == "ones") and k.is_Integer and k > 0 and context.known(rest, "positive"):
            lower = rest if k == 1 else core.plus(rest, k - 1)
            return add(gammaln(lower), log(lower))
    return None


@node_rule(
    op="log1p",
    group="expand",
    source="definition of the function",
    example=lambda: (log1p(var("X", "m", "n")), log(core.plus(1, var("X", "m", "n")))),
)
def definition_of_log1p(e: Expr, context: Context) -> Expr | None:
    """log1p(X) = log(1 + X)"""
    return log(core.plus(1, e.args[0]))


@node_rule(
    op="expm1",
    group="expand",
    source="definition of the function",
    example=lambda: (expm1(var("X", "m", "n")), core.difference(exp(var("X", "m", "n")), 1)),
)
def definition_of_expm1(e: Expr, context: Context) -> Expr | None:
    """expm1(X) = exp(X) - 1"""
    return core.difference(exp(e.args[0]), 1)
