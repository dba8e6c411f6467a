"""Functions of several values that are convex or concave together, recognised as they are spelled."""

from __future__ import annotations

import sympy as sp

from matcalc.curvature.composition import (
    BOYD,
    CONCAVE,
    CONVEX,
    Composition,
    Shape,
    atom,
    curvature_of_function,
    own_form,
)
from matcalc.curvature.intervals import EVERYTHING, POSITIVE
from matcalc.curvature.univariate import T as _T
from matcalc.expr import Expr
from matcalc.properties import known


@atom
def quadratic_over_linear(c: Composition, e: Expr) -> Shape | None:
    """x'x / t, t > 0."""
    moving = [f for f in e.args if not c.is_constant(f)] if e.op == "scale" else []
    over = [f for f in moving if f.op == "power" and f.args[1].number == -1]
    if len(moving) != 2 or len(over) != 1:
        return None
    t, square = over[0].args[0], next(f for f in moving if f is not over[0])
    if not (c.shape[t].affine and c.ranges.of(t).positive and c.is_square(square)):
        return None
    if not all(c.ranges.of(f).nonnegative for f in e.args if f not in moving):
        return None
    return c.says("quadratic_over_linear", "x'x/t is convex for t > 0", f"{BOYD}, 3.1.5", e, CONVEX)


@atom
def relative_entropy(c: Composition, e: Expr) -> Shape | None:
    """x log(x/y), x and y > 0."""
    if e.op not in ("hadamard", "scale") or len(e.args) != 2:
        return None
    for x, log in (e.args, e.args[::-1]):
        if log.op != "log":
            continue
        quotient = log.args[0]
        top, below = _quotient(quotient)
        if top is None or below is None or not (c.shape[x].affine and c.ranges.of(x).positive):
            continue
        if not (c.shape[top].affine and c.shape[below].affine and c.ranges.of(below).positive):
            continue
        if top is x:
            return c.says("relative_entropy", "x log(x/y) is convex", f"{BOYD}, 3.2.6", e, CONVEX)
        if below is x and c.ranges.of(top).positive:
            return c.says("relative_entropy", "t log(x/t) is concave", f"{BOYD}, 3.2.6", e, CONCAVE)
    return None


@atom
def matrix_fraction(c: Composition, e: Expr) -> Shape | None:
    """tr(X' S^-1 X) and x' S^-1 x, S positive definite."""
    product = e.args[0] if e.op == "tr" else e
    if product.op != "matmul" or len(product.args) != 3 or not (e.op == "tr" or e.is_scalar):
        return None
    left, inverse, right = product.args
    if inverse.op != "inv" or not c.turned(left, right):
        return None
    S = inverse.args[0]
    if c.shape[right].affine and c.shape[S].affine and known(S, "positive-definite"):
        statement = "X' S^-1 X is convex in X and S where S is positive definite"
        return c.says("matrix_fraction", statement, f"{BOYD}, 3.1.7", e, CONVEX)
    return None


@atom
def root_of_squares(c: Composition, e: Expr) -> Shape | None:
    """The Euclidean norm of affine values, spelled as a root."""
    if e.op != "sqrt":
        return None
    square = e.args[0]
    statement = "the root of a sum of squares of affine values is a norm"
    if not c.is_square(square):
        return None
    return c.says("norm", statement, f"{BOYD}, 3.1.5", e, CONVEX)


@atom
def powers(c: Composition, e: Expr) -> Shape | None:
    """Products of powers of positive affine values: concave as a weighted geometric mean, or log-convex."""
    factors = e.args if e.op in ("scale", "hadamard") else (e,)
    moving = [f for f in factors if not c.is_constant(f)]
    powers = [_power_of_positive(c, f) for f in moving]
    if not powers or None in powers or not all(c.ranges.of(f).nonnegative for f in factors if f not in moving):
        return None
    if len(powers) == 1 and moving[0].op != "prod" and _base_of(moving[0]).op != "prod":
        return None  # a function of one number
    exponents = [p for p in powers if p is not None]
    if all(p < 0 for p in exponents):
        statement = "a product of negative powers of positive affine values is log-convex"
        return c.says("log_convex_product", statement, f"{BOYD}, 3.5", e, CONVEX)
    if all(p > 0 for p in exponents) and sum(exponents) <= 1 and all(_base_of(f).op != "prod" for f in moving):
        statement = "x^a y^b is concave for x, y > 0, a, b >= 0, a + b <= 1"
        return c.says("geometric_mean", statement, f"{BOYD}, 3.1.5", e, CONCAVE)
    return None


@atom
def harmonic(c: Composition, e: Expr) -> Shape | None:
    """1/sum(1/x), x > 0."""
    if e.op != "power" or e.args[1].number != -1 or e.args[0].op not in ("sum", "mean"):
        return None
    inner = e.args[0].args[0]
    x = inner.args[0] if inner.op == "power" and inner.args[1].number == -1 else None
    if x is None or not (c.shape[x].affine and c.ranges.of(x).positive):
        return None
    return c.says("harmonic_mean", "the harmonic mean of positive values is concave", f"{BOYD}, 3.2.6", e, CONCAVE)


@atom
def trace_function(c: Composition, e: Expr) -> Shape | None:
    """tr f(S) for a function f of one number, convex or concave on the spectrum of S."""
    if e.op != "tr" or len(e.args[0].args) == 0:
        return None
    f = e.args[0]
    S = f.args[0]
    form = _spectral_form(f)
    if form is None or not c.shape[S].affine or not known(S, "symmetric"):
        return None
    where = POSITIVE if known(S, "positive-definite") else EVERYTHING
    shape = curvature_of_function(form, where)
    if not (shape.convex or shape.concave):
        return None
    statement = "tr f(S) of symmetric matrices is as convex as f is on the spectrum"
    return c.says("trace_function", statement, "Carlen, Trace inequalities and quantum entropy (2010)", e, shape)


@atom
def perspective(c: Composition, e: Expr) -> Shape | None:
    """t phi(x/t), t > 0."""
    if e.op != "scale" or len(e.args) != 2:
        return None
    for t, f in (e.args, e.args[::-1]):
        form = own_form(f)
        if form is None or not (c.shape[t].affine and c.ranges.of(t).positive):
            continue
        top, below = _quotient(f.args[0])
        if below is not t or top is None or not c.shape[top].affine:
            continue
        shape = curvature_of_function(form, c.ranges.of(f.args[0]))
        if shape.convex or shape.concave:
            return c.says("perspective", "t phi(x/t) is as convex as phi", f"{BOYD}, 3.2.6", e, shape)
    return None


def _power_of_positive(c: Composition, e: Expr) -> sp.Expr | None:
    """The exponent of a power of an affine positive value, or of the product of its entries."""
    base, exponent = _base_of(e), _exponent_of(e)
    inner = base.args[0] if base.op == "prod" else base
    if exponent is None or not exponent.is_number or inner not in c.shape:
        return None
    return exponent if c.shape[inner].affine and c.ranges.of(inner).positive else None


def _base_of(e: Expr) -> Expr:
    return e.args[0] if e.op in ("power", "sqrt") else e


def _exponent_of(e: Expr) -> sp.Expr | None:
    return e.args[1].number if e.op == "power" else sp.Rational(1, 2) if e.op == "sqrt" else sp.S.One


def _spectral_form(f: Expr) -> sp.Expr | None:
    """The function of one number that a function of matrices is."""
    forms = {"sqrtm": sp.sqrt(_T), "logm": sp.log(_T), "expm": sp.exp(_T), "inv": 1 / _T}
    if f.op == "matpow" and f.args[1].number is not None and f.args[1].number.is_number:
        return _T ** f.args[1].number
    return forms.get(f.op)


def _quotient(e: Expr) -> tuple[Expr | None, Expr | None]:
    """The x and t of x/t."""
    if e.op == "divide":
        return e.args[0], e.args[1]
    if e.op in ("scale", "hadamard") and len(e.args) == 2:
        for a, b in (e.args, e.args[::-1]):
            if a.op == "power" and a.args[1].number == -1:
                return b, a.args[0]
    return None, None
