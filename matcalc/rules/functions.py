"""Functions by one representative: parity, signs, and composite operations by their definition.

The group `expand` is used by proofs only.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from matcalc import core
from matcalc.core import add, entrywise_product, minus, number, power, scale, var
from matcalc.exact import MINUS_ONE
from matcalc.expr import Expr, record
from matcalc.ops.comparison import HALF
from matcalc.ops.decompositions import pinv
from matcalc.ops.elementwise import absolute, exp, log, sigmoid, sign, softplus, sqrt, step
from matcalc.ops.normalization import log_softmax, softmax
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MATRIX_ALGEBRA, node_rule, rule
from matcalc.rewrite.terms import factors_of, join, split, times_number
from matcalc.rules.content import lead_of

ANALYSIS = "Abramowitz & Stegun, Handbook of Mathematical Functions (1964), ch. 4"
DEFINITION = "definition of the function"
ODD = ("sin", "tan", "sinh", "tanh", "arcsin", "arctan", "arcsinh", "arctanh", "erf", "sign")
EVEN = ("cos", "cosh", "abs")
# Composite operations that proofs write by their definition.
COMPOSITE = {
    "norm1": "norm1(X) = sum(abs(X))",
    "norm2": "norm2(X) = sqrt(sum(X .^ 2))",
    "mse": "mse(A, B) = mean((A - B) .^ 2)",
    "var": "var(X, 1) = mean((X - mean(X, 1)) .^ 2, 1)",
    "std": "std(X, 1) = sqrt(var(X, 1))",
    "standardize": "standardize(X, 1) = (X - mean(X, 1)) ./ std(X, 1)",
    "cross_entropy": "cross_entropy(Y, P) = -sum(Y o log(P))",
    "quadform": "quadform(x, A) = x' A x",
    "outer": "outer(u, v) = u v'",
    "cossim": "cossim(x, y) = x' y/(norm2(x) norm2(y))",
    "pdist2": "pdist2(X, Y) is the matrix of squared distances of the rows",
    "silu": "silu(X) = X o sigmoid(X)",
    "softsign": "softsign(X) = X ./ (1 + abs(X))",
    "leakyrelu": "leakyrelu(X, c) = X where X > 0, else c X",
    "hardtanh": "hardtanh(X) is X clipped to the interval from -1 to 1",
    "logsigmoid": "logsigmoid(X) = -softplus(-X)",
}


def _defined(name: str, identity: str) -> None:
    """Declare the rule that opens a composite operation."""
    entry = record(name)
    definition = entry.definition
    assert definition is not None
    shapes = dict(zip("ABC", (part.strip() for part in entry.example[0].split(","))))

    def sides(*args: Any) -> tuple[Expr, Expr]:
        left = entry(*args)
        return left, definition(*left.args, *left.params)

    def opened(e: Expr, context: Context) -> Expr | None:
        return definition(*e.args, *e.params)  # type: ignore[no-any-return]

    sides.__name__ = opened.__name__ = f"definition_of_{name}"
    sides.__doc__ = opened.__doc__ = identity
    if entry.params:
        X = var("A", *shapes["A"].split())
        node_rule(op=name, group="expand", source=DEFINITION, example=lambda: sides(X, *entry.example[1:]))(opened)
    else:
        rule(group="expand", source=DEFINITION, loose=True, **shapes)(sides)


for _name, _identity in COMPOSITE.items():
    _defined(_name, _identity)


def negative_lead(e: Expr, context: Context) -> bool:
    """Whether the number of the leading term is negative."""
    return bool(lead_of(e, context).is_negative)


def negated(e: Expr) -> Expr:
    """-e, term by term."""
    return add(*(times_number(MINUS_ONE, t) for t in e.args)) if e.op == "add" else times_number(MINUS_ONE, e)


def opposite(e: Expr, context: Context) -> Expr | None:
    """X where `e` is -X by the sign of its leading term."""
    return negated(e) if negative_lead(e, context) else None


# -X in the pattern of these stands for whatever has a negative number in front.
signed = partial(rule, group="expand", minus=opposite)


def _parity(name: str, parity: int) -> None:
    def sides(X: Expr) -> tuple[Expr, Expr]:
        f = record(name)
        return f(-X), -f(X) if parity < 0 else f(X)

    sides.__name__ = f"{name}_is_{'odd' if parity < 0 else 'even'}"
    sides.__doc__ = f"{name}(-X) = {'-' if parity < 0 else ''}{name}(X)"
    signed(X="m n", source=ANALYSIS)(sides)


for _name in ODD:
    _parity(_name, -1)
for _name in EVEN:
    _parity(_name, 1)


@signed(X="m n", source=ANALYSIS)
def sigmoid_of_negative(X: Expr) -> tuple[Expr, Expr]:
    """sigmoid(-X) = 1 - sigmoid(X)"""
    return sigmoid(-X), core.difference(1, sigmoid(X))


def _reflected_in_sum() -> tuple[Expr, Expr]:
    X, Y = var("X", "m", "n"), var("Y", "m", "n")
    left = add(core.hadamard(Y, sigmoid(-X)), core.hadamard(Y, sigmoid(X)))
    return left, Y


@node_rule(op="add", group="distribute", source=ANALYSIS, example=_reflected_in_sum, having="sigmoid|scale|hadamard")
def reflected_sigmoids_in_sum(e: Expr, context: Context) -> Expr | None:
    """A o sigmoid(-X) + B = A - A o sigmoid(X) + B"""
    for k, t in enumerate(e.args):
        coefficient, scalars, body = split(t)
        factors = scalars if body is None else factors_of(body, "hadamard")
        for i, f in enumerate(factors):
            if f.op == "sigmoid" and negative_lead(f.args[0], context):
                others = [g for n, g in enumerate(factors) if n != i]
                whole = core.broadcast(number(1), f.shape) if body is not None else number(1)
                parts = (whole, minus(sigmoid(negated(f.args[0]))))
                if body is None:
                    spread = [scale(number(coefficient), *others, p) for p in parts]
                else:
                    spread = [join(coefficient, scalars, core.hadamard(*others, p)) for p in parts]
                return add(*e.args[:k], *spread, *e.args[k + 1 :])
    return None


@rule(X="m n", group="expand", source=DEFINITION)
def absolute_value_by_sign(X: Expr) -> tuple[Expr, Expr]:
    """abs(X) = X o sign(X)"""
    return absolute(X), entrywise_product(X, sign(X))


@rule(X="m n", facts={"X": "nonzero"}, group="expand", source=DEFINITION)
def step_by_sign(X: Expr) -> tuple[Expr, Expr]:
    """step(X) = (1 + sign(X))/2 for nonzero X"""
    return step(X), scale(HALF, core.plus(1, sign(X)))


def _power_of_step(Z: Expr, k: Expr) -> tuple[Expr, Expr]:
    left = power(step(Z), k)
    return left, step(Z) if k.number is not None and k.number.is_positive else left


@rule(
    X="m n",
    Z="m n",
    k="number 2",
    facts={"X": "nonzero"},
    where=lambda k: bool(k.number.is_Integer),
    also=[_power_of_step],
    group="expand",
    source=DEFINITION,
)
def squared_sign(X: Expr, k: Expr) -> tuple[Expr, Expr]:
    """sign(X) .^ 2 = 1 and 1 ./ sign(X) = sign(X) for nonzero X; step(X) .^ 2 = step(X)"""
    one = number(1) if X.is_scalar else core.ones(*X.shape)
    return power(sign(X), k), one if k.number is not None and k.number.is_even else sign(X)


@rule(X="m n", axis=(2, 1), loose=True, group="expand", source=DEFINITION)
def log_softmax_is_log_of_softmax(X: Expr, axis: int | None) -> tuple[Expr, Expr]:
    """log_softmax(X, 2) = log(softmax(X, 2))"""
    return log_softmax(X, axis), log(softmax(X, axis))


@rule(x="1 1", k="1 1", where=lambda k: k.number is None, loose=True, group="expand", source=ANALYSIS)
def power_of_root(x: Expr, k: Expr) -> tuple[Expr, Expr]:
    """sqrt(x) .^ k = x .^ (k/2)"""
    return power(sqrt(x), k), power(x, scale(HALF, k))


@rule(X="m n", axis=(2, 1), loose=True, group="expand", source=DEFINITION)
def softmax_by_exponentials(X: Expr, axis: int | None) -> tuple[Expr, Expr]:
    """softmax(X, 2) = exp(X) ./ sum(exp(X), 2)"""
    E = exp(X)
    return softmax(X, axis), core.hadamard(E, core.broadcast(power(core.total(E, axis), -1), X.shape))


@rule(A="n n", facts={"A": "nonsingular"}, group="expand", source=MATRIX_ALGEBRA)
def pseudo_inverse_of_nonsingular(A: Expr) -> tuple[Expr, Expr]:
    """pinv(A) = A^-1 for nonsingular A"""
    return pinv(A), core.inverse(A)


@signed(X="m n", source=ANALYSIS)
def softplus_of_negative(X: Expr) -> tuple[Expr, Expr]:
    """softplus(-X) = softplus(X) - X"""
    return softplus(-X), add(softplus(X), -X)


def _extreme(name: str, other: str) -> None:
    """Declare max(-X) = -min(X), or the same the other way."""

    def sides(X: Expr, axis: int | None) -> tuple[Expr, Expr]:
        return record(name)(-X, axis=axis), minus(record(other)(X, axis=axis))

    sides.__name__ = f"{name}_of_negative"
    sides.__doc__ = f"{name}(-X, 1) = -{other}(X, 1)"
    signed(X="m n", axis=(1, 2, None), source=DEFINITION)(sides)


_extreme("max", "min")
_extreme("min", "max")
