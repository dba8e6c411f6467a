"""Functions that undo each other, and logarithms and exponentials of softplus and sigmoid; for proofs."""

from __future__ import annotations

import sympy as sp

from matcalc import core
from matcalc.core import difference, minus, var
from matcalc.expr import Expr, node
from matcalc.ops.elementwise import absolute, cos, erf, erfc, exp, log, sigmoid, sin, softplus, sqrt, tan
from matcalc.ops.linalg import det, logdet
from matcalc.ops.matrix_functions import expm, logm
from matcalc.ops.selection import tril, unvech_, vech_
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MAGNUS, Apply, node_rule, rule
from matcalc.rewrite.terms import coefficient_and_rest
from matcalc.rules.recognition import complement_of_sigmoid_at, one_plus_exp

ANALYSIS = "Abramowitz & Stegun, Handbook of Mathematical Functions (1964), ch. 4"
NORMS = "Horn & Johnson, Matrix Analysis (2013), ch. 5"
HIGHAM = "Higham, Functions of Matrices (2008), ch. 11"
# f(g(X)) = X wherever g(X) is defined; X is drawn with this fact in tests.
PAIRS = {
    "sin": ("arcsin",),
    "cos": ("arccos",),
    "tan": ("arctan",),
    "sinh": ("arcsinh",),
    "cosh": ("arccosh",),
    "tanh": ("arctanh",),
    "arcsinh": ("sinh",),
    "arctanh": ("tanh",),
    "log1p": ("expm1",),
    "expm1": ("log1p",),
    "sigmoid": ("logit",),
    "logit": ("sigmoid",),
}


def _pair(outer: str, inner: str) -> None:
    """Declare outer(inner(X)) = X."""

    def undone(e: Expr, context: Context) -> Expr | None:
        return e.args[0].args[0] if e.args[0].op == inner else None

    apply: Apply = undone
    apply.__name__ = f"{outer}_of_{inner}"
    apply.__doc__ = f"{outer}({inner}(X)) = X"
    X = var("X", "m", "n")
    node_rule(
        op=outer, group="expand", source=ANALYSIS, example=lambda: (node(outer, (node(inner, (X,)),)), X), exact=False
    )(apply)


for _outer, _inner_names in PAIRS.items():
    for _inner in _inner_names:
        _pair(_outer, _inner)


def _logarithm() -> tuple[Expr, Expr]:
    S = var("S", "n", "n", ["symmetric", "orthogonal"])  # its exponential is well conditioned
    return logm(expm(S)), S


@node_rule(op="logm", group="expand", source=HIGHAM, example=_logarithm)
def logarithm_of_exponential(e: Expr, context: Context) -> Expr | None:
    """logm(expm(S)) = S for symmetric S"""
    S = e.args[0].args[0] if e.args[0].op == "expm" else None
    return S if S is not None and context.known(S, "symmetric") else None


def _exponential() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return exp(softplus(X)), core.plus(1, exp(X))


@node_rule(op="exp", group="expand", source="definition of softplus", example=_exponential)
def exponential_of_softplus(e: Expr, context: Context) -> Expr | None:
    """exp(softplus(X)) = 1 + exp(X), exp(-softplus(X)) = 1 - sigmoid(X), exp(X - softplus(X)) = sigmoid(X)"""
    k, inner = coefficient_and_rest(e.args[0])
    if e.args[0].op == "add" and len(e.args[0].args) == 2:
        return _logistic(*e.args[0].args)
    if inner is None or inner.op != "softplus" or k not in (1, -1):
        return None
    X = inner.args[0]
    return core.plus(1, exp(X)) if k == 1 else difference(1, sigmoid(X))


def _logistic(*terms: Expr) -> Expr | None:
    """sigmoid(X) where the terms are X and -softplus(X)."""
    for X, other in (terms, terms[::-1]):
        k, inner = coefficient_and_rest(other)
        if k == -1 and inner is not None and inner.op == "softplus" and inner.args[0].digest == X.digest:
            return sigmoid(X)
    return None


def _log_complement() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return log(difference(1, sigmoid(X))), minus(softplus(X))


@node_rule(op="log", group="expand", source="definition of softplus", example=_log_complement)
def log_of_complement_by_softplus(e: Expr, context: Context) -> Expr | None:
    """log(1 - sigmoid(X)) = -softplus(X)"""
    X = complement_of_sigmoid_at(e.args[0])
    return None if X is None else minus(softplus(X))


def _tangent() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return tan(X), core.entrywise_product(sin(X), core.power(cos(X), -1))


@node_rule(op="tan", group="expand", source=ANALYSIS, example=_tangent)
def tangent_by_sine(e: Expr, context: Context) -> Expr | None:
    """tan(X) = sin(X) ./ cos(X)"""
    return core.entrywise_product(sin(*e.args), core.power(cos(*e.args), -1))


def _root() -> tuple[Expr, Expr]:
    s, a = var("s", 1, 1), var("a", 1, 1)
    return sqrt(core.scale(core.power(s, 2), a)), core.scale(absolute(s), sqrt(a))


@node_rule(op="sqrt", group="expand", source=ANALYSIS, example=_root)
def root_of_square_times(e: Expr, context: Context) -> Expr | None:
    """sqrt(s^2 a) = abs(s) sqrt(a)"""
    X = e.args[0]
    if X.op != "scale":
        return None
    taken: list[Expr] = []
    rest: list[Expr] = []
    for f in X.args:
        root = _root_of(f)
        (rest if root is None else taken).append(f if root is None else root)
    return core.scale(*taken, sqrt(core.scale(*rest))) if taken and rest else None


def _root_of(f: Expr) -> Expr | None:
    """sqrt(f) for a positive number and for an even power."""
    if f.op == "number" and f.params[0].is_positive and f.params[0] != 1:
        return core.number(sp.sqrt(f.params[0]))
    if f.op != "power" or f.args[1].op != "number" or not f.args[1].params[0].is_even:
        return None
    return core.power(absolute(f.args[0]), core.number(f.args[1].params[0] / 2))


def _homogeneous(name: str) -> None:
    """Declare that a norm of a multiple is a multiple of the norm."""

    def norm_of_multiple(e: Expr, context: Context) -> Expr | None:
        X = e.args[0]
        if X.op != "scale":
            return None
        return core.scale(*(absolute(s) for s in X.args[:-1]), node(name, (X.args[-1],)))

    apply: Apply = norm_of_multiple
    apply.__name__ = f"{name}_of_multiple"
    apply.__doc__ = f"{name}(s X) = abs(s) {name}(X)"
    s, X = var("s", 1, 1), var("X", "m", "n")
    left, right = node(name, (core.scale(s, X),)), core.scale(absolute(s), node(name, (X,)))
    node_rule(op=name, group="expand", source=NORMS, example=lambda: (left, right))(apply)


for _name in ("normspec", "normnuc"):
    _homogeneous(_name)


@rule(X="m n", group="expand", source=ANALYSIS)
def complementary_error_function(X: Expr) -> tuple[Expr, Expr]:
    """erfc(X) = 1 - erf(X)"""
    return erfc(X), difference(1, erf(X))


@rule(S="n n", facts={"S": "positive-definite"}, group="expand", source=HIGHAM)
def exponential_of_logdet(S: Expr) -> tuple[Expr, Expr]:
    """exp(logdet(S)) = det(S) for positive definite S"""
    return exp(logdet(S)), det(S)


@rule(X="n n", group="expand", source=MAGNUS)
def triangle_of_its_columns(X: Expr) -> tuple[Expr, Expr]:
    """unvech(vech(X), n) = tril(X)"""
    return unvech_(vech_(X), X.shape[0]), tril(X)


def _reciprocal() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    return core.power(core.plus(1, exp(X)), -1), difference(1, sigmoid(X))


@node_rule(op="power", group="expand", source="definition of the sigmoid", example=_reciprocal)
def reciprocal_of_one_plus_exponential(e: Expr, context: Context) -> Expr | None:
    """1 ./ (1 + exp(X)) = 1 - sigmoid(X)"""
    X = one_plus_exp(e.args[0]) if e.args[1].op == "number" and e.args[1].params[0] == -1 else None
    return None if X is None else difference(1, sigmoid(X))
