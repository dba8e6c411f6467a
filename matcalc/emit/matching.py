"""Recognising softmax, sigmoid, logsumexp and their like where they are spelled out, also behind names."""

from __future__ import annotations

from typing import Any

import sympy as sp

from matcalc.core import broadcast, minus, number, trace
from matcalc.dims import is_one
from matcalc.expr import Expr, number_value, postorder
from matcalc.ops.linalg import det
from matcalc.rewrite.terms import meaning
from matcalc.walk import substitute


def constant_of(e: Expr) -> Any:
    """The number that every entry of `e` is, or None."""
    e = meaning(e)
    if e.op == "number":
        return number_value(e)
    if e.op == "ones":
        return sp.Integer(1)
    if e.op == "zeros":
        return sp.Integer(0)
    if e.op == "broadcast" and meaning(e.args[0]).op in ("number", "scale"):
        return constant_of(e.args[0])
    if e.op == "scale" and e.args[-1].op in ("ones", "number", "broadcast"):
        values = [constant_of(a) for a in e.args]
        return None if None in values else sp.Mul(*values)
    return None


def narrow(e: Expr) -> Expr:
    """What a broadcast repeats; other values as they are."""
    e = meaning(e)
    return meaning(e.args[0]) if e.op == "broadcast" else e


def apart(e: Expr, axis: int) -> tuple[list[Expr], list[Expr]]:
    """The factors of an entrywise product, names opened: what is repeated along an axis, and the others."""
    repeated: list[Expr] = []
    rest: list[Expr] = []
    stack = [e]
    while stack:
        f = stack.pop()
        inner = meaning(f)
        if inner.op == "hadamard":
            stack.extend(inner.args)
        elif inner.op == "broadcast" and is_one(inner.args[0].shape[axis - 1]):
            repeated.append(inner.args[0])
        else:
            rest.append(f)
    return repeated, rest


def negation_of(e: Expr) -> Expr | None:
    """X where `e` is -X."""
    e = meaning(e)
    if e.op == "scale" and e.args[0].number == -1 and len(e.args) == 2:
        return e.args[1]
    return None


def quotient_of(e: Expr) -> tuple[Expr, Expr] | None:
    """(A, B) where `e` is A ./ B, in any of its spellings with two operands."""
    e = meaning(e)
    if e.op == "divide":
        return e.args[0], e.args[1]
    if e.op == "power" and _is_minus_one(e.args[1]):
        return broadcast(number(1), e.shape), e.args[0]
    if e.op in ("hadamard", "scale") and len(e.args) == 2:
        for a, b in (e.args, e.args[::-1]):
            inner = narrow(b)
            if inner.op == "power" and _is_minus_one(inner.args[1]):
                return a, inner.args[0]
    return None


def _is_minus_one(e: Expr) -> bool:
    return bool(e.number == -1)


def plus_one(e: Expr) -> Expr | None:
    """X where `e` is 1 + X, for X one term."""
    e = meaning(e)
    if e.op != "add" or len(e.args) != 2:
        return None
    for a, b in (e.args, e.args[::-1]):
        if constant_of(a) == 1:
            return b
    return None


def exponent_of(e: Expr) -> Expr | None:
    """X where `e` is exp(X)."""
    e = meaning(e)
    return e.args[0] if e.op == "exp" else None


def sum_of_exponentials(e: Expr) -> tuple[Expr, int | None] | None:
    """(X, axis) where `e` is sum(exp(X), axis), also as a product with ones."""
    e = meaning(e)
    if e.op == "matmul" and len(e.args) == 2:
        (left, right) = map(meaning, e.args)
        inner, axis = (right, 1) if _ones_of(left) and is_one(left.shape[0]) else (left, 2)
        X = exponent_of(inner)
        return (X, axis) if X is not None and (axis == 1 or (_ones_of(right) and is_one(right.shape[1]))) else None
    if e.op != "sum":
        return None
    X = exponent_of(e.args[0])
    return None if X is None else (X, e.params[0])


def _ones_of(e: Expr) -> bool:
    return e.op == "ones" or (e.op == "transpose" and meaning(e.args[0]).op == "ones")


def softmax_of(e: Expr) -> tuple[Expr, int] | None:
    """(X, axis) where `e` is a softmax, by name or spelled out."""
    e = meaning(e)
    if e.op == "softmax":
        return e.args[0], e.params[0]
    if e.op == "exp":
        body = meaning(e.args[0])
        return (body.args[0], body.params[0]) if body.op == "log_softmax" else None
    parts = quotient_of(e)
    if parts is None:
        return None
    X, total = exponent_of(parts[0]), sum_of_exponentials(narrow(parts[1]))
    if X is None or total is None or not _same_value(total[0], X):
        return None
    axis = total[1]
    if axis is None:
        axis = 1 if is_one(X.shape[1]) else 2 if is_one(X.shape[0]) else None
    return None if axis is None else (X, axis)


def _same_value(a: Expr, b: Expr) -> bool:
    return meaning(a) is meaning(b)


def sigmoid_of(e: Expr) -> Expr | None:
    """X where `e` is sigmoid(X), by name or spelled out."""
    e = meaning(e)
    if e.op == "sigmoid":
        return e.args[0]
    parts = quotient_of(e)
    if parts is None:
        return None
    rest = plus_one(narrow(parts[1]) if meaning(parts[1]).op == "broadcast" else parts[1])
    X = None if rest is None else exponent_of(rest)
    if X is None or X.shape != e.shape:
        return None
    if constant_of(parts[0]) == 1:
        inner = negation_of(X)
        return minus(X) if inner is None else inner
    above = exponent_of(parts[0])
    return X if above is not None and _same_value(above, X) else None


def one_minus_sigmoid_of(e: Expr) -> Expr | None:
    """X where `e` is 1 - sigmoid(X)."""
    rest = plus_one(e)
    inner = None if rest is None else negation_of(rest)
    return None if inner is None else sigmoid_of(inner)


def with_sums_of_eigenvalues(roots: list[Expr]) -> list[Expr]:
    """The sum and the product of all eigenvalues as trace and determinant: they are real where the values are not."""
    table: dict[Expr, Expr] = {}
    for e in postorder(roots):
        if e.op in ("sum", "prod") and e.is_scalar and meaning(e.args[0]).op == "eigvals":
            S = meaning(e.args[0]).args[0]
            table[e] = trace(S) if e.op == "sum" else det(S)
    return [substitute(root, table) for root in roots] if table else roots
