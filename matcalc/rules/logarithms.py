"""Exponentials, logarithms and squares of functions; for proofs (the group `expand`)."""

from __future__ import annotations

from matcalc import core
from matcalc.core import add, hadamard, minus, number, power, scale, var
from matcalc.expr import Expr, node
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MATRIX_ALGEBRA, node_rule

ANALYSIS = "Abramowitz & Stegun, Handbook of Mathematical Functions (1964), ch. 4"


def exp(X: Expr) -> Expr:
    """exp(X), entrywise."""
    return node("exp", (X,))


def log(X: Expr) -> Expr:
    """log(X), entrywise."""
    return node("log", (X,))


def logdet(A: Expr) -> Expr:
    """log|det A|."""
    return node("logdet", (A,))


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
    """exp(log(X)) = X for positive X"""
    inner = e.args[0]
    return inner.args[0] if inner.op == "log" and context.known(inner.args[0], "positive") else None


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
    return node("logsumexp", (X,), (2,)), log(core.total(exp(X), 2))


@node_rule(op="logsumexp", group="expand", source="definition of the function", example=_logsumexp)
def logsumexp_is_log_of_sum(e: Expr, context: Context) -> Expr | None:
    """logsumexp(X, 2) = log(sum(exp(X), 2))"""
    return log(core.total(exp(e.args[0]), e.params[0]))


def _tanh() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    right = core.difference(scale(number(2), node("sigmoid", (scale(number(2), X),))), 1)
    return node("tanh", (X,)), right


@node_rule(op="tanh", group="expand", source=ANALYSIS, example=_tanh)
def tanh_by_sigmoid(e: Expr, context: Context) -> Expr | None:
    """tanh(X) = 2 sigmoid(2 X) - 1"""
    return core.difference(scale(number(2), node("sigmoid", (scale(number(2), e.args[0]),))), 1)


def _sine() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return power(node("sin", (X,)), 2), core.difference(1, power(node("cos", (X,)), 2))


@node_rule(op="power", group="expand", source=ANALYSIS, example=_sine)
def squared_sine(e: Expr, context: Context) -> Expr | None:
    """sin(X) .^ 2 = 1 - cos(X) .^ 2, cosh(X) .^ 2 = 1 + sinh(X) .^ 2"""
    base, k = e.args
    if k.op != "number" or k.params[0] != 2 or base.op not in ("sin", "cosh"):
        return None
    if base.op == "sin":
        return core.difference(1, power(node("cos", base.args), 2))
    return core.plus(1, power(node("sinh", base.args), 2))


def _root() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return node("sqrt", (power(X, 2),)), node("abs", (X,))


@node_rule(op="sqrt", group="expand", source=ANALYSIS, example=_root)
def root_of_square(e: Expr, context: Context) -> Expr | None:
    """sqrt(X .^ 2) = abs(X)"""
    X = e.args[0]
    square = X.op == "power" and X.args[1].op == "number" and X.args[1].params[0] == 2
    return node("abs", (X.args[0],)) if square else None


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
    """log|det A B| = log|det A| + log|det B| for square A and B, log|det A^-1| = -log|det A|"""
    A = e.args[0]
    if A.op == "matmul" and all(f.shape[0] == f.shape[1] for f in A.args):
        return add(*(logdet(f) for f in A.args))
    if A.op == "inv":
        return minus(logdet(A.args[0]))
    return scale(A.args[1], logdet(A.args[0])) if A.op == "matpow" else None
