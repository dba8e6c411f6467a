"""Functions by one representative: parity, signs, and composite operations by their definition.

The group `expand` is used by proofs only.
"""

from __future__ import annotations

import sympy as sp

from matcalc import core
from matcalc.core import add, hadamard, minus, number, power, scale, var
from matcalc.expr import Expr, node, record
from matcalc.ops.decompositions import pinv
from matcalc.ops.elementwise import absolute, exp, log, sigmoid, sign, softplus, sqrt, step
from matcalc.ops.normalization import log_softmax, softmax
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MATRIX_ALGEBRA, Apply, node_rule
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
    definition = record(name).definition
    assert definition is not None

    def example() -> tuple[Expr, Expr]:
        entry = record(name)
        shapes = [part.split() for part in entry.example[0].split(",")]
        args = [var("ABC"[k], _size(shape[0]), _size(shape[1]), shape[2:]) for k, shape in enumerate(shapes)]
        left = node(name, args, tuple(entry.example[1:]))
        return left, definition(*left.args, *left.params)

    def open_definition(e: Expr, context: Context) -> Expr | None:
        return definition(*e.args, *e.params)  # type: ignore[no-any-return]

    rule: Apply = open_definition
    rule.__name__ = f"definition_of_{name}"
    rule.__doc__ = identity
    node_rule(op=name, group="expand", source=DEFINITION, example=example)(rule)


def _size(text: str) -> object:
    return int(text) if text.isdigit() else text


for _name, _identity in COMPOSITE.items():
    _defined(_name, _identity)


def negative_lead(e: Expr, context: Context) -> bool:
    """Whether the number of the leading term is negative."""
    return bool(lead_of(e, context).is_negative)


def negated(e: Expr) -> Expr:
    """-e, term by term."""
    return (
        add(*(times_number(sp.S.NegativeOne, t) for t in e.args))
        if e.op == "add"
        else times_number(sp.S.NegativeOne, e)
    )


def _parity(name: str, parity: int) -> None:
    X = var("X", "m", "n")

    def flipped_argument(e: Expr, context: Context) -> Expr | None:
        if not negative_lead(e.args[0], context):
            return None
        return scale(number(parity), node(name, (negated(e.args[0]),)))

    rule: Apply = flipped_argument
    rule.__name__ = f"{name}_is_{'odd' if parity < 0 else 'even'}"
    rule.__doc__ = f"{name}(-X) = {'-' if parity < 0 else ''}{name}(X)"
    plain = node(name, (X,))
    node_rule(
        op=name,
        group="expand",
        source=ANALYSIS,
        example=lambda: (node(name, (-X,)), -plain if parity < 0 else plain),
    )(rule)


for _name in ODD:
    _parity(_name, -1)
for _name in EVEN:
    _parity(_name, 1)


def _reflected() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return sigmoid(-X), core.difference(1, sigmoid(X))


@node_rule(op="sigmoid", group="expand", source=ANALYSIS, example=_reflected)
def sigmoid_of_negative(e: Expr, context: Context) -> Expr | None:
    """sigmoid(-X) = 1 - sigmoid(X)"""
    X = e.args[0]
    return core.difference(1, sigmoid(negated(X))) if negative_lead(X, context) else None


def _reflected_in_sum() -> tuple[Expr, Expr]:
    X, Y = var("X", "m", "n"), var("Y", "m", "n")
    left = add(hadamard(Y, sigmoid(-X)), hadamard(Y, sigmoid(X)))
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
                    spread = [join(coefficient, scalars, hadamard(*others, p)) for p in parts]
                return add(*e.args[:k], *spread, *e.args[k + 1 :])
    return None


def _product(e: Expr, *factors: Expr) -> Expr:
    return scale(*factors) if e.is_scalar else hadamard(*factors)


def _absolute() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return absolute(X), hadamard(X, sign(X))


@node_rule(op="abs", group="expand", source=DEFINITION, example=_absolute)
def absolute_value_by_sign(e: Expr, context: Context) -> Expr | None:
    """abs(X) = X o sign(X)"""
    return _product(e, e.args[0], sign(*e.args))


def _step() -> tuple[Expr, Expr]:
    X = var("X", "m", "n", ["nonzero"])
    half = number(core.exact("0.5"))
    return step(X), scale(half, core.plus(1, sign(X)))


@node_rule(op="step", group="expand", source=DEFINITION, example=_step)
def step_by_sign(e: Expr, context: Context) -> Expr | None:
    """step(X) = (1 + sign(X))/2 for nonzero X"""
    if not context.known(e.args[0], "nonzero"):
        return None
    return scale(number(core.exact("0.5")), core.plus(1, sign(*e.args)))


def _squared_sign() -> tuple[Expr, Expr]:
    X = var("X", "m", "n", ["nonzero"])
    return power(sign(X), 2), core.ones("m", "n")


@node_rule(op="power", group="expand", source=DEFINITION, example=_squared_sign)
def squared_sign(e: Expr, context: Context) -> Expr | None:
    """sign(X) .^ 2 = 1 and 1 ./ sign(X) = sign(X) for nonzero X; step(X) .^ 2 = step(X)"""
    base, k = e.args
    if k.op != "number" or not k.params[0].is_Integer:
        return None
    if base.op == "step":
        return base if k.params[0].is_positive else None
    if base.op != "sign" or not context.known(base.args[0], "nonzero"):
        return None
    one = number(1) if e.is_scalar else core.ones(*e.shape)
    return one if k.params[0].is_even else base


def _log_softmax() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return log_softmax(X, 2), log(softmax(X, 2))


@node_rule(op="log_softmax", group="expand", source=DEFINITION, example=_log_softmax)
def log_softmax_is_log_of_softmax(e: Expr, context: Context) -> Expr | None:
    """log_softmax(X, 2) = log(softmax(X, 2))"""
    return log(softmax(*e.args, *e.params))


def _root_power() -> tuple[Expr, Expr]:
    x, k = var("x", 1, 1), var("k", 1, 1)
    return power(sqrt(x), k), power(x, scale(number(core.exact("0.5")), k))


@node_rule(op="power", group="expand", source=ANALYSIS, example=_root_power)
def power_of_root(e: Expr, context: Context) -> Expr | None:
    """sqrt(x) .^ k = x .^ (k/2)"""
    base, k = e.args
    if base.op != "sqrt" or k.op == "number":
        return None
    return power(base.args[0], scale(number(core.exact("0.5")), k))


def _exponentials() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    E = exp(X)
    return softmax(X, 2), hadamard(E, core.broadcast(power(core.total(E, 2), -1), X.shape))


@node_rule(op="softmax", group="expand", source=DEFINITION, example=_exponentials)
def softmax_by_exponentials(e: Expr, context: Context) -> Expr | None:
    """softmax(X, 2) = exp(X) ./ sum(exp(X), 2)"""
    E = exp(*e.args)
    return hadamard(E, core.broadcast(power(core.total(E, e.params[0]), -1), e.shape))


def _pseudo() -> tuple[Expr, Expr]:
    A = var("A", "n", "n", ["nonsingular"])
    return pinv(A), core.inverse(A)


@node_rule(op="pinv", group="expand", source=MATRIX_ALGEBRA, example=_pseudo)
def pseudo_inverse_of_nonsingular(e: Expr, context: Context) -> Expr | None:
    """pinv(A) = A^-1 for nonsingular A"""
    return core.inverse(e.args[0]) if context.known(e.args[0], "nonsingular") else None


def _reflected_softplus() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return softplus(-X), add(softplus(X), -X)


@node_rule(op="softplus", group="expand", source=ANALYSIS, example=_reflected_softplus)
def softplus_of_negative(e: Expr, context: Context) -> Expr | None:
    """softplus(-X) = softplus(X) - X"""
    X = e.args[0]
    return add(softplus(negated(X)), X) if negative_lead(X, context) else None


def _extreme(name: str, other: str) -> None:
    """Declare max(-X) = -min(X), or the same the other way."""

    def extreme_of_negative(e: Expr, context: Context) -> Expr | None:
        if not negative_lead(e.args[0], context):
            return None
        return minus(node(other, (negated(e.args[0]),), e.params))

    rule: Apply = extreme_of_negative
    rule.__name__ = f"{name}_of_negative"
    rule.__doc__ = f"{name}(-X, 1) = -{other}(X, 1)"
    X = var("X", "m", "n")
    example = (node(name, (-X,), (1,)), minus(node(other, (X,), (1,))))
    node_rule(op=name, group="expand", source=DEFINITION, example=lambda: example)(rule)


_extreme("max", "min")
_extreme("min", "max")
