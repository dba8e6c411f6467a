"""Layers of networks recognised in their spelled-out form: rectifiers, variances, standardized rows and columns."""

from __future__ import annotations

from typing import Any

from matcalc import core
from matcalc.core import broadcast, hadamard, mean, number, power, scale, var
from matcalc.expr import Expr, node
from matcalc.ops.comparison import maximum, where
from matcalc.ops.elementwise import relu, sqrt
from matcalc.ops.normalization import BATCHNORM, standardize
from matcalc.ops.reductions import centred, var_
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import node_rule, rule
from matcalc.rewrite.terms import number_and_term

DEFINITION = "definition of the function"
# The rules by which layers that a source spells out are recognised before it is differentiated. A choice becomes relu
# there only: in a derivative its 0 leaves out what it is multiplied by, also where that has no value.
RECTIFIERS = ("maximum_with_zero", "maximum_of_zero", "choice_of_positive_entries", "entries_times_mask")
LAYERS = ("mean_of_squared_deviations", "standardized_matrix", "standardized_vector")


def all_of(value: int, X: Expr) -> Expr:
    """A matrix of one number in the shape of X."""
    return broadcast(number(value), X.shape)


@rule(X="m n", group="expand", source=DEFINITION)
def maximum_with_zero(X: Expr) -> tuple[Expr, Expr]:
    """maximum(X, 0) = relu(X)"""
    return maximum(X, all_of(0, X)), relu(X)


@rule(X="m n", group="expand", source=DEFINITION)
def maximum_of_zero(X: Expr) -> tuple[Expr, Expr]:
    """maximum(0, X) = relu(X)"""
    return maximum(all_of(0, X), X), relu(X)


@rule(X="m n", group="expand", source=DEFINITION)
def choice_of_positive_entries(X: Expr) -> tuple[Expr, Expr]:
    """where(X > 0, X, 0) = relu(X)"""
    return where(X, all_of(0, X), X, all_of(0, X), ">"), relu(X)


@rule(X="m n", group="expand", source=DEFINITION)
def entries_times_mask(X: Expr) -> tuple[Expr, Expr]:
    """X o where(X > 0, 1, 0) = relu(X)"""
    return hadamard(X, where(X, all_of(0, X), all_of(1, X), all_of(0, X), ">")), relu(X)


# ------------------------------------------------------------------------------------------------ standardization


def _squares() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return mean(power(centred(X, 1), 2), 1), var_(X, 1, 0)


@node_rule(op="mean", group="present", source=DEFINITION, example=_squares)
def mean_of_squared_deviations(e: Expr, context: Context) -> Expr | None:
    """mean((X - mean(X)) .^ 2) = var(X), and the same over rows and over columns"""
    axis, squares = e.params[0], e.args[0]
    if squares.op != "power" or squares.args[1].op != "number" or squares.args[1].params[0] != 2:
        return None
    X = _centred_by(squares.args[0], axis)
    return None if X is None else var_(X, axis, 0)


def _centred_by(e: Expr, axis: int | None) -> Expr | None:
    """X where `e` is X - mean(X, axis)."""
    for k, t in enumerate(e.args) if e.op == "add" else ():
        coefficient, level = number_and_term(t)
        bare = level.args[0] if level is not None and level.op == "broadcast" else level
        if coefficient != -1 or bare is None or bare.op != "mean" or bare.params[0] != axis:
            continue
        rest = [s for n, s in enumerate(e.args) if n != k]
        X = rest[0] if len(rest) == 1 else core.add(*rest)
        if bare.args[0].digest == X.digest:
            return X
    return None


def _deviation(e: Expr) -> tuple[Expr, Any] | None:
    """The variance and eps where `e` is 1/sqrt(var + eps), a broadcast looked through; the deviation itself for std."""
    bare = e.args[0] if e.op == "broadcast" else e
    if bare.op != "power" or bare.args[1].op != "number" or bare.args[1].params[0] != -1:
        return None
    spread = bare.args[0]
    if spread.op == "std":
        return spread, core.exact(0)
    if spread.op != "sqrt":
        return None
    inner = spread.args[0]
    if inner.op == "var":
        return inner, core.exact(0)
    if inner.op != "add" or len(inner.args) != len(("var", "eps")):
        return None
    for variance, other in (inner.args, inner.args[::-1]):
        eps = _constant(other)
        if variance.op == "var" and eps is not None and eps.is_Rational and eps.is_positive:
            return variance, eps
    return None


def _constant(e: Expr) -> Any:
    """The number that all entries are."""
    coefficient, rest = number_and_term(e)
    return coefficient if rest is None or rest.op == "ones" else None


def _standardized(e: Expr) -> Expr | None:
    for k, f in enumerate(e.args):
        found = _deviation(f)
        if found is None:
            continue
        for i, g in enumerate(e.args):
            Z = _with_standardized(g, *found) if i != k else None
            if Z is not None:
                others = [Z if n == i else h for n, h in enumerate(e.args) if n != k]
                return node(e.op, others) if len(others) > 1 else Z
    return None


def _with_standardized(g: Expr, spread: Expr, eps: Any) -> Expr | None:
    """A factor that is X - mean(X), or has it as a factor, with standardize(X) in its place; the spread is X's."""
    axis, ddof = spread.params
    X = _centred_by(g, axis)
    if X is not None and X.digest == spread.args[0].digest:
        return standardize(X, axis, ddof, eps)
    for k, f in enumerate(g.args) if g.op in ("hadamard", "matmul") else ():
        Z = _with_standardized(f, spread, eps) if f.op == "add" else None
        if Z is not None:
            return node(g.op, (*g.args[:k], Z, *g.args[k + 1 :]))
    return None


def _rows() -> tuple[Expr, Expr]:
    X, eps = var("X", "m", "n"), core.exact("0.1")
    spread = power(sqrt(core.plus(var_(X, 2, 0), number(eps))), -1)
    return hadamard(centred(X, 2), broadcast(spread, X.shape)), standardize(X, 2, 0, eps)


@node_rule(op="hadamard", group="present", source=BATCHNORM, example=_rows)
def standardized_matrix(e: Expr, context: Context) -> Expr | None:
    """(X - mean(X, 1)) ./ sqrt(var(X, 1) + eps) = standardize(X, 1, eps=eps), and the same over columns"""
    return _standardized(e)


def _vector() -> tuple[Expr, Expr]:
    x, eps = var("x", "n", 1), core.exact("0.1")
    spread = power(sqrt(core.plus(var_(x, None, 0), number(eps))), -1)
    return scale(spread, centred(x, None)), standardize(x, None, 0, eps)


@node_rule(op="scale", group="present", source=BATCHNORM, example=_vector)
def standardized_vector(e: Expr, context: Context) -> Expr | None:
    """(x - mean(x))/sqrt(var(x) + eps) = standardize(x, eps=eps)"""
    return _standardized(e)
