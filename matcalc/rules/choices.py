"""Choices by absolute values and steps: maximum, minimum, where, relu; signs of products."""

from __future__ import annotations

from typing import Any

from matcalc import core
from matcalc.core import add, difference, hadamard, minus, number, scale, var
from matcalc.expr import Expr, node
from matcalc.ops.comparison import HALF, maximum, minimum, where
from matcalc.ops.elementwise import absolute, relu, sign, step
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.rewrite.rule import among, node_rule, rule
from matcalc.rewrite.terms import coefficient_and_rest

DEFINITION = "definition of the function"


@rule(X="m n", Y="m n", group="expand", source=DEFINITION)
def maximum_by_absolute_value(X: Expr, Y: Expr) -> tuple[Expr, Expr]:
    """maximum(X, Y) = (X + Y + abs(X - Y))/2"""
    return maximum(X, Y), scale(HALF, add(X, Y, absolute(difference(X, Y))))


@rule(X="m n", Y="m n", group="expand", source=DEFINITION)
def minimum_by_absolute_value(X: Expr, Y: Expr) -> tuple[Expr, Expr]:
    """minimum(X, Y) = (X + Y - abs(X - Y))/2"""
    return minimum(X, Y), scale(HALF, add(X, Y, minus(absolute(difference(X, Y)))))


@rule(X="m n", facts={"X": "nonnegative"}, source=DEFINITION)
def relu_of_nonnegative(X: Expr) -> tuple[Expr, Expr]:
    """relu(X) = X for nonnegative X"""
    return relu(X), X


@rule(X="m n", source=DEFINITION)
def step_of_relu(X: Expr) -> tuple[Expr, Expr]:
    """step(relu(X)) = step(X)"""
    return step(relu(X)), step(X)


@rule(X="m n", source=DEFINITION)
def sign_of_relu(X: Expr) -> tuple[Expr, Expr]:
    """sign(relu(X)) = step(X)"""
    return sign(relu(X)), step(X)


@rule(X="m n", group="expand", source=DEFINITION)
def relu_by_absolute_value(X: Expr) -> tuple[Expr, Expr]:
    """relu(X) = (X + abs(X))/2"""
    return relu(X), scale(HALF, add(X, absolute(X)))


@rule(A="m n", B="m n", C="m n", relation=(">", ">="), source=DEFINITION)
def where_of_equal_branches(A: Expr, B: Expr, C: Expr, relation: str) -> tuple[Expr, Expr]:
    """where(A > B, C, C) = C"""
    return where(A, B, C, C, relation), C


@rule(A="m n", B="m n", C="m n", D="m n", relation=(">", ">="), source=DEFINITION)
def where_of_indicator(A: Expr, B: Expr, C: Expr, D: Expr, relation: str) -> tuple[Expr, Expr]:
    """where(where(A > B, 1, 0) > 1/2, C, D) = where(A > B, C, D)"""
    ones, half = core.ones(*A.shape), core.broadcast(HALF, A.shape)
    return where(where(A, B, ones, core.zeros(*A.shape), relation), half, C, D, ">"), where(A, B, C, D, relation)


def _chosen() -> tuple[Expr, Expr]:
    A, B, C, D = (var(name, "m", "n") for name in "ABCD")
    return where(A, B, C, D, ">"), add(D, hadamard(difference(C, D), step(difference(A, B))))


@node_rule(op="where", group="expand", source=DEFINITION, example=_chosen)
def where_by_step(e: Expr, context: Context) -> Expr | None:
    """where(A > B, C, D) = D + (C - D) o step(A - B), where(A > B, A, B) = (A + B + abs(A - B))/2"""
    A, B, C, D = e.args
    gap, jump = _tidied(difference(A, B)), _tidied(difference(C, D))
    for turn, same in ((1, gap), (-1, _tidied(minus(gap)))):
        ratio = _ratio(jump, same)
        if ratio is not None:
            return add(scale(HALF, add(C, D)), scale(number(turn * ratio / 2), absolute(gap)))
    if e.params[0] == ">":
        return add(D, _times(jump, step(gap)))
    return add(C, minus(_times(jump, step(_tidied(minus(gap))))))


def _ratio(X: Expr, Y: Expr) -> Any:
    """The number c with X = c Y; None where there is none."""
    (first, body), (second, other) = coefficient_and_rest(X), coefficient_and_rest(Y)
    return first / second if body is not None and other is not None and body.digest == other.digest else None


def _tidied(e: Expr) -> Expr:
    return Rewriter(Context(), only=among()).normal(e)


def _times(X: Expr, Y: Expr) -> Expr:
    return scale(X, Y) if X.is_scalar else hadamard(X, Y)


@rule(X="m n", facts={"X": "nonnegative, nonzero"}, group="expand", source=DEFINITION)
def sign_of_nonnegative(X: Expr) -> tuple[Expr, Expr]:
    """sign(X) = 1 for nonnegative X without zeros"""
    return sign(X), number(1) if X.is_scalar else core.ones(*X.shape)


def _sign_of_product() -> tuple[Expr, Expr]:
    X, Y = var("X", "m", "n"), var("Y", "m", "n")
    return sign(hadamard(X, Y)), hadamard(sign(X), sign(Y))


@node_rule(op="sign", group="expand", source=DEFINITION, example=_sign_of_product)
def sign_of_product(e: Expr, context: Context) -> Expr | None:
    """sign(X o Y) = sign(X) o sign(Y), sign(s X) = sign(s) sign(X)"""
    X = e.args[0]
    if X.op not in ("scale", "hadamard"):
        return None
    return node(X.op, [_sign(f) for f in X.args])


def _sign(f: Expr) -> Expr:
    if f.op == "number" and f.params[0].is_real and f.params[0].is_number:
        return number(1 if f.params[0] > 0 else -1 if f.params[0] < 0 else 0)
    return core.broadcast(sign(f.args[0]), f.shape) if f.op == "broadcast" else sign(f)
