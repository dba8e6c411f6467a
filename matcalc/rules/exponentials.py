"""Exponentials of opposite arguments cancel; quotients of exponentials are hyperbolic tangents."""

from __future__ import annotations

from collections.abc import Callable

from matcalc import core
from matcalc.core import hadamard, number, power, scale, var
from matcalc.exact import MINUS_ONE
from matcalc.expr import Expr, node
from matcalc.ops.elementwise import exp, tanh
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import node_rule
from matcalc.rewrite.terms import number_and_term, times_number
from matcalc.rules.recognition import EXPONENTIALS, is_one_everywhere, opposite


def _opposite_exponentials() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return hadamard(exp(X), exp(-X)), core.ones("m", "n")


@node_rule(op="hadamard", source=EXPONENTIALS, example=_opposite_exponentials)
def opposite_exponentials(e: Expr, context: Context) -> Expr | None:
    """exp(X) o exp(-X) = 1"""
    return _without_opposites(e, hadamard)


def _opposite_scalars() -> tuple[Expr, Expr]:
    x, A = var("x", 1, 1), var("A", "m", "n")
    return scale(exp(x), exp(-x), A), A


@node_rule(op="scale", source=EXPONENTIALS, example=_opposite_scalars)
def opposite_scalar_exponentials(e: Expr, context: Context) -> Expr | None:
    """exp(x) exp(-x) = 1"""
    return _without_opposites(e, scale)


def _without_opposites(e: Expr, product: Callable[..., Expr]) -> Expr | None:
    places = [k for k, f in enumerate(e.args) if f.op == "exp" and f.shape == e.args[0].shape]
    for k in places:
        for i in places:
            if i > k and opposite(e.args[k].args[0], e.args[i].args[0]):
                rest = [f for n, f in enumerate(e.args) if n not in (i, k)]
                return product(*rest) if rest else core.broadcast(number(1), e.shape)
    return None


def _quotient_of_exponentials() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    up, down = exp(X), exp(-X)
    return hadamard(core.difference(up, down), power(core.plus(up, down), -1)), tanh(X)


@node_rule(op="hadamard", source=EXPONENTIALS, example=_quotient_of_exponentials)
def quotient_of_exponentials(e: Expr, context: Context) -> Expr | None:
    """(exp(X) - exp(-X)) ./ (exp(X) + exp(-X)) = tanh(X), (exp(2 X) - 1) ./ (exp(2 X) + 1) = tanh(X)"""
    return _hyperbolic(e)


def _scalar_quotient() -> tuple[Expr, Expr]:
    x = var("x", 1, 1)
    up, down = exp(x), exp(-x)
    return scale(core.difference(up, down), power(core.plus(up, down), -1)), tanh(x)


@node_rule(op="scale", source=EXPONENTIALS, example=_scalar_quotient)
def scalar_quotient_of_exponentials(e: Expr, context: Context) -> Expr | None:
    """(exp(x) - exp(-x))/(exp(x) + exp(-x)) = tanh(x) for a 1 x 1 value"""
    return _hyperbolic(e)


def _hyperbolic(e: Expr) -> Expr | None:
    above = [(k, found) for k, f in enumerate(e.args) if (found := _difference_of_exponentials(f)) is not None]
    below = [(i, found) for i, g in enumerate(e.args) if (found := _denominator(g)) is not None] if above else []
    for k, (a, b) in above:
        for i, found in below:
            if {a.digest, b.digest} != {z.digest for z in found}:
                continue
            z = scale(number(core.exact("0.5")), core.difference(a, b))
            others = [h for n, h in enumerate(e.args) if n not in (i, k)]
            return node(e.op, (tanh(z), *others)) if others else tanh(z)
    return None


def _exponent(t: Expr) -> Expr | None:
    """The z where a term is exp(z); 0 for the number 1."""
    if is_one_everywhere(t):
        return _zero(t)
    return t.args[0] if t.op == "exp" else None


def _denominator(e: Expr) -> tuple[Expr, Expr] | None:
    """a and b where `e` is 1 ./ (exp(a) + exp(b))."""
    if e.op == "sigmoid":
        return _zero(e), times_number(MINUS_ONE, e.args[0])
    inverted = e.op == "power" and e.args[1].number == -1
    return _sum_of_exponentials(e.args[0]) if inverted else None


def _zero(e: Expr) -> Expr:
    return core.zero_of(e)


def _sum_of_exponentials(e: Expr) -> tuple[Expr, Expr] | None:
    """a and b where `e` is exp(a) + exp(b)."""
    if e.op != "add" or len(e.args) != 2:
        return None
    a, b = map(_exponent, e.args)
    return None if a is None or b is None else (a, b)


def _difference_of_exponentials(e: Expr) -> tuple[Expr, Expr] | None:
    """a and b where `e` is exp(a) - exp(b)."""
    if e.op != "add" or len(e.args) != 2:
        return None
    for positive, negative in (e.args, e.args[::-1]):
        coefficient, rest = number_and_term(negative)
        if coefficient == -1:
            a, b = _exponent(positive), _exponent(number(1) if rest is None else rest)
            return None if a is None or b is None else (a, b)
    return None
