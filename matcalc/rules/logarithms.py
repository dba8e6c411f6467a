"""Exponentials, logarithms and squares of functions; for proofs (the group `expand`)."""

from __future__ import annotations

from matcalc import core
from matcalc.core import add, hadamard, minus, number, power, scale, var
from matcalc.expr import Expr
from matcalc.ops.comparison import HALF
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
from matcalc.ops.matrix_functions import matpow
from matcalc.ops.normalization import logsumexp
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MATRIX_ALGEBRA, node_rule, rule
from matcalc.rewrite.terms import coefficient_and_rest, number_and_term

TWO = number(2)
ANALYSIS = "Abramowitz & Stegun, Handbook of Mathematical Functions (1964), ch. 4"


def product_of_entries(*factors: Expr) -> Expr:
    """The entrywise product of matrices, and the product of 1 x 1 values."""
    return scale(*factors) if factors[0].is_scalar else hadamard(*factors)


@rule(X="m n", group="expand", source=ANALYSIS)
def log_of_exponential(X: Expr) -> tuple[Expr, Expr]:
    """log(exp(X)) = X"""
    return log(exp(X)), X


def _of_multiple(A: Expr, *s: Expr) -> tuple[Expr, Expr]:
    return log(scale(*s, A)), add(*(core.broadcast(log(f), A.shape) for f in (*s, A)))


def _of_number_power(A: Expr, k: Expr) -> tuple[Expr, Expr]:
    return log(power(A, k)), scale(k, log(A))


def _of_entry_powers(A: Expr, K: Expr) -> tuple[Expr, Expr]:
    return log(power(A, K)), hadamard(K, log(A))


@rule(
    F="X: m n, Y: m n",
    A="m n",
    K="m n",
    k="1 1",
    s="s: 1 1",
    facts={"F": "positive", "A": "positive", "s": "positive"},
    also=[_of_multiple, _of_number_power, _of_entry_powers],
    group="expand",
    source=ANALYSIS,
)
def log_of_product(*F: Expr) -> tuple[Expr, Expr]:
    """log(X o Y) = log(X) + log(Y) and log(X .^ k) = k log(X) for positive X and Y"""
    return log(hadamard(*F)), add(*map(log, F))


def _exponential_of_log() -> tuple[Expr, Expr]:
    X = var("X", "m", "n", ["positive"])
    return exp(log(X)), X


@node_rule(op="exp", source=ANALYSIS, example=_exponential_of_log)
def exponential_of_log(e: Expr, context: Context) -> Expr | None:
    """exp(log(X)) = X, exp(k log(X)) = X .^ k for positive X and a number k"""
    k, inner = number_and_term(e.args[0])
    if inner is None:
        return None
    bare = inner.args[0] if inner.op == "broadcast" else inner
    if bare.op != "log" or not context.known(bare.args[0], "positive"):
        return None
    return core.broadcast(power(bare.args[0], number(k)), e.shape)


@rule(X="X: m n, Y: m n", group="expand", source=ANALYSIS)
def exponential_of_sum(*X: Expr) -> tuple[Expr, Expr]:
    """exp(X + Y) = exp(X) o exp(Y)"""
    return exp(add(*X)), product_of_entries(*map(exp, X))


@rule(X="m n", axis=(2, 1, None), group="expand", source="definition of the function")
def logsumexp_is_log_of_sum(X: Expr, axis: int | None) -> tuple[Expr, Expr]:
    """logsumexp(X, 2) = log(sum(exp(X), 2))"""
    return logsumexp(X, axis), log(core.total(exp(X), axis))


@rule(X="m n", group="expand", source=ANALYSIS)
def tanh_by_sigmoid(X: Expr) -> tuple[Expr, Expr]:
    """tanh(X) = 2 sigmoid(2 X) - 1"""
    return tanh(X), core.difference(scale(TWO, sigmoid(scale(TWO, X))), 1)


def _squared_cosh(X: Expr) -> tuple[Expr, Expr]:
    return power(cosh(X), 2), core.plus(1, power(sinh(X), 2))


@rule(X="m n", also=[_squared_cosh], group="expand", source=ANALYSIS)
def squared_sine(X: Expr) -> tuple[Expr, Expr]:
    """sin(X) .^ 2 = 1 - cos(X) .^ 2, cosh(X) .^ 2 = 1 + sinh(X) .^ 2"""
    return power(sin(X), 2), core.difference(1, power(cos(X), 2))


def _reciprocal_cosh(X: Expr) -> tuple[Expr, Expr]:
    return power(cosh(X), -2), power(core.plus(1, power(sinh(X), 2)), -1)


@rule(X="m n", also=[_reciprocal_cosh], group="expand", source=ANALYSIS)
def squared_tanh(X: Expr) -> tuple[Expr, Expr]:
    """tanh(X) .^ 2 = 1 - 1 ./ (1 + sinh(X) .^ 2), cosh(X) .^ -2 = 1 ./ (1 + sinh(X) .^ 2)"""
    return power(tanh(X), 2), core.difference(1, power(core.plus(1, power(sinh(X), 2)), -1))


@rule(X="m n", group="expand", source=ANALYSIS)
def root_of_square(X: Expr) -> tuple[Expr, Expr]:
    """sqrt(X .^ 2) = abs(X)"""
    return sqrt(power(X, 2)), absolute(X)


@rule(
    Y="m n",
    k="number 2",
    facts={"Y": "one-hot|one-hot-column"},
    where=lambda k: bool(k.number.is_positive),
    group="expand",
    source="definition of a one-hot matrix: its entries are 0 and 1",
)
def power_of_one_hot(Y: Expr, k: Expr) -> tuple[Expr, Expr]:
    """Y .^ k = Y for a one-hot matrix and k > 0"""
    return power(Y, k), Y


def _of_kron(P: Expr, Q: Expr) -> tuple[Expr, Expr]:
    m, n = (number(core.exact_dim(X.shape[0])) for X in (P, Q))
    return logdet(core.kron(P, Q)), add(scale(n, logdet(P)), scale(m, logdet(Q)))


def _of_inverse(P: Expr) -> tuple[Expr, Expr]:
    return logdet(core.inverse(P)), minus(logdet(P))


def _of_power(P: Expr, k: Expr) -> tuple[Expr, Expr]:
    return logdet(matpow(P, k)), scale(k, logdet(P))


@rule(
    F="A: n n, B: n n",
    P="m m",
    Q="n n",
    k="1 1",
    also=[_of_kron, _of_inverse, _of_power],
    group="expand",
    source=MATRIX_ALGEBRA,
)
def logdet_of_product(*F: Expr) -> tuple[Expr, Expr]:
    """log|det A B| = log|det A| + log|det B|, log|det A^-1| = -log|det A|, log|det A^k| = k log|det A|, and for kron"""
    return logdet(core.matmul(*F)), add(*map(logdet, F))


@rule(X="m n", group="expand", source=ANALYSIS)
def log_of_sigmoid(X: Expr) -> tuple[Expr, Expr]:
    """log(sigmoid(X)) = -softplus(-X)"""
    return log(sigmoid(X)), minus(softplus(-X))


def half(X: Expr, context: Context) -> Expr | None:
    """X/2 where X is an even multiple of something."""
    k, rest = coefficient_and_rest(X)
    if rest is None or not k.is_Integer or k % 2:
        return None
    return rest if k == 2 else scale(number(k / 2), rest)


@rule(X="m n", doubled=half, group="expand", source=ANALYSIS)
def sine_of_double(X: Expr) -> tuple[Expr, Expr]:
    """sin(2 X) = 2 sin(X) o cos(X)"""
    return sin(scale(TWO, X)), scale(TWO, product_of_entries(sin(X), cos(X)))


@rule(X="m n", doubled=half, group="expand", source=ANALYSIS)
def cosine_of_double(X: Expr) -> tuple[Expr, Expr]:
    """cos(2 X) = 2 cos(X) .^ 2 - 1"""
    return cos(scale(TWO, X)), core.difference(scale(TWO, power(cos(X), 2)), 1)


@rule(X="m n", group="expand", source=ANALYSIS)
def sinh_by_exponentials(X: Expr) -> tuple[Expr, Expr]:
    """sinh(X) = (exp(X) - exp(-X))/2"""
    return sinh(X), scale(HALF, core.difference(exp(X), exp(-X)))


@rule(X="m n", group="expand", source=ANALYSIS)
def cosh_by_exponentials(X: Expr) -> tuple[Expr, Expr]:
    """cosh(X) = (exp(X) + exp(-X))/2"""
    return cosh(X), scale(HALF, core.plus(exp(X), exp(-X)))


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


@rule(X="m n", group="expand", source="definition of the function")
def definition_of_log1p(X: Expr) -> tuple[Expr, Expr]:
    """log1p(X) = log(1 + X)"""
    return log1p(X), log(core.plus(1, X))


@rule(X="m n", group="expand", source="definition of the function")
def definition_of_expm1(X: Expr) -> tuple[Expr, Expr]:
    """expm1(X) = exp(X) - 1"""
    return expm1(X), core.difference(exp(X), 1)


@rule(X="m n", k="1 1", group="expand", source=ANALYSIS)
def power_of_exponential(X: Expr, k: Expr) -> tuple[Expr, Expr]:
    """exp(X) .^ k = exp(k X)"""
    return power(exp(X), k), exp(scale(k, X))


def _of_exponential_scalars(x: Expr, y: Expr) -> tuple[Expr, Expr]:
    return scale(exp(x), exp(y)), exp(add(x, y))


@rule(X="m n", Y="m n", x="1 1", y="1 1", also=[_of_exponential_scalars], group="expand", source=ANALYSIS)
def product_of_entry_exponentials(X: Expr, Y: Expr) -> tuple[Expr, Expr]:
    """exp(X) o exp(Y) = exp(X + Y)"""
    return hadamard(exp(X), exp(Y)), exp(add(X, Y))


@rule(x="n 1", y="n 1", group="expand", source=ANALYSIS)
def inner_product_of_exponentials(x: Expr, y: Expr) -> tuple[Expr, Expr]:
    """exp(x)' exp(y) = sum(exp(x + y))"""
    return exp(x).T @ exp(y), core.total(exp(add(x, y)), None)


MERGED = frozenset(r.name for r in (power_of_exponential, product_of_entry_exponentials, inner_product_of_exponentials))
