"""Functions of several values that are convex or concave together, recognised as they are spelled."""

from __future__ import annotations

from matcalc.core import difference
from matcalc.curvature.composition import (
    BOYD,
    CONCAVE,
    CONVEX,
    Composition,
    Shape,
    atom,
    coefficient,
    minus_of,
    pair,
    quotient,
)
from matcalc.expr import Expr
from matcalc.ops.activations import normlogcdf
from matcalc.ops.normalization import log_softmax
from matcalc.properties import known

_LINDBLAD = (
    "tr(X (log X - log Y)) is jointly convex in positive definite X and Y",
    "Lindblad, Expectations and entropy inequalities for finite quantum systems (1974)",
)


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
    """x log(x/y), x and y > 0, also as x (log(x) - log(y))."""
    if e.op not in ("hadamard", "scale") or len(e.args) != 2:
        return None
    for x, log in (e.args, e.args[::-1]):
        top, below = _ratio_under_logarithm(log)
        if top is None or below is None or not (c.shape[x].affine and c.ranges.of(x).positive):
            continue
        if not (c.of(top).affine and c.of(below).affine and c.ranges.of(below).positive):
            continue
        if top is x:
            return c.says("relative_entropy", "x log(x/y) is convex", f"{BOYD}, 3.2.6", e, CONVEX)
        if below is x and c.ranges.of(top).positive:
            return c.says("relative_entropy", "t log(x/t) is concave", f"{BOYD}, 3.2.6", e, CONCAVE)
    return None


@atom
def quantum_relative_entropy(c: Composition, e: Expr) -> Shape | None:
    """tr(X (log(X) - log(Y))), X and Y positive definite."""
    if e.op != "tr" or e.args[0].op != "matmul" or len(e.args[0].args) != 2:
        return None
    for X, log in (e.args[0].args, e.args[0].args[::-1]):
        top, below = _ratio_under_logarithm(log, "logm")
        if top is X and below is not None and _is_definite(c, X) and _is_definite(c, below):
            return c.says("quantum_relative_entropy", _LINDBLAD[0], _LINDBLAD[1], e, CONVEX)
    return None


def _is_definite(c: Composition, X: Expr) -> bool:
    return c.shape[X].affine and known(X, "positive-definite")


def _ratio_under_logarithm(e: Expr, log: str = "log") -> tuple[Expr | None, Expr | None]:
    """The x and y of log(x/y) and of log(x) - log(y)."""
    if e.op == log == "log":
        return quotient(e.args[0])
    if e.op == "add" and len(e.args) == 2:
        for first, other in (e.args, e.args[::-1]):
            minus = minus_of(other)
            if first.op == log and minus is not None and minus.op == log:
                return first.args[0], minus.args[0]
    return None, None


@pair
def relative_entropy_in_two_terms(c: Composition, first: Expr, other: Expr) -> Shape | None:
    """sum(x log(x)) - sum(x log(y)), and the same as traces of matrices."""
    factor, inner = coefficient(first)
    other_factor, other_inner = coefficient(other)
    if not factor.is_positive or other_factor != -factor:
        return None
    while inner.op == other_inner.op and inner.op in ("sum", "mean", "tr"):
        inner, other_inner = inner.args[0], other_inner.args[0]
    table = {"hadamard": "log", "scale": "log", "matmul": "logm"}
    if inner.op != other_inner.op or inner.op not in table or len(inner.args) != 2 or len(other_inner.args) != 2:
        return None
    for x, log in (inner.args, inner.args[::-1]):
        if log.op != table[inner.op] or log.args[0] is not x or x not in other_inner.args:
            continue
        log_y = next((f for f in other_inner.args if f.op == log.op), None)
        if log_y is None or not (c.shape[x].affine and c.shape[log_y.args[0]].affine):
            continue
        if log.op == "logm" and first.is_scalar and all(_is_definite(c, a.args[0]) for a in (log, log_y)):
            return c.says("quantum_relative_entropy", _LINDBLAD[0], _LINDBLAD[1], first, CONVEX)
        if log.op == "log" and all(c.ranges.of(a.args[0]).positive for a in (log, log_y)):
            return c.says("relative_entropy", "x log(x/y) is convex", f"{BOYD}, 3.2.6", first, CONVEX)
    return None


@pair
def log_partition_of_dirichlet(c: Composition, first: Expr, other: Expr) -> Shape | None:
    """+-(gammaln(sum(a)) - sum(gammaln(a))), a > 0: minus the logarithm of the Beta function."""
    for sign, shape in ((1, CONCAVE), (-1, CONVEX)):
        whole, parts = (first, minus_of(other)) if sign == 1 else (minus_of(first), other)
        if whole is None or parts is None or whole.op != "gammaln" or whole.args[0].op != "sum":
            continue
        a = whole.args[0].args[0]
        if parts.op != "sum" or parts.args[0].op != "gammaln" or parts.args[0].args[0] is not a:
            continue
        if c.shape[a].affine and c.ranges.of(a).positive:
            statement = "the logarithm of the Beta function, the log-partition of a Dirichlet, is convex"
            source = "Wainwright & Jordan, Graphical models, exponential families, and variational inference (2008)"
            return c.says("log_partition", statement, source, whole, shape)
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
def unitarily_invariant_norm(c: Composition, e: Expr) -> Shape | None:
    """Norms of the singular values, and what is a norm by its definition: the root of eigmax(X'X), tr(sqrtm(X'X))."""
    if e.op in ("sum", "max", "norm1", "norm2") and e.is_scalar and e.args[0].op == "singvals":
        found = c.shape[e.args[0].args[0]].affine
    elif e.op == "tr" and e.args[0].op == "sqrtm":
        found = c.is_gram(e.args[0].args[0])
    else:
        found = e.op == "eigmax" and c.is_gram(e.args[0])
    if not found:
        return None
    statement = "a symmetric norm of the singular values is a norm of the matrix"
    source = "von Neumann, Some matrix-inequalities and metrization of matric-space (1937)"
    return c.says("unitarily_invariant_norm", statement, source, e, CONVEX)


@atom
def choice(c: Composition, e: Expr) -> Shape | None:
    """where(x > y, x, y) is the maximum of x and y, where(x < y, x, y) the minimum."""
    if e.op != "where":
        return None
    left, right, then, otherwise = e.args
    if {left, right} != {then, otherwise}:
        return None
    larger = (e.params[0] in (">", ">=")) == (then is left)
    inner = [c.shape[a] for a in (left, right)]
    if larger and all(a.convex for a in inner):
        return c.says("maximum", "the maximum of convex values is convex", f"{BOYD}, 3.2.3", e, CONVEX)
    if not larger and all(a.concave for a in inner):
        return c.says("minimum", "the minimum of concave values is concave", f"{BOYD}, 3.2.3", e, CONCAVE)
    return None


@atom
def log_of_function_with_own_logarithm(c: Composition, e: Expr) -> Shape | None:
    """log(normcdf(x)) is normlogcdf(x), log(softmax(x)) is log_softmax(x)."""
    if e.op != "log" or e.args[0].op not in ("normcdf", "softmax"):
        return None
    inner = e.args[0]
    return c.of(normlogcdf(*inner.args) if inner.op == "normcdf" else log_softmax(*inner.args, axis=inner.axis))


@pair
def difference_of_logdets(c: Composition, first: Expr, other: Expr) -> Shape | None:
    """a (logdet(S + A) - logdet(S)), S positive definite, A positive semidefinite and constant."""
    factor, whole = coefficient(first)
    other_factor, part = coefficient(other)
    if whole.op != "logdet" or part.op != "logdet" or factor != -other_factor or not factor.is_real:
        return None
    S, more = part.args[0], c.rewriter.simplify(difference(whole.args[0], part.args[0]))
    if not (_is_definite(c, S) and not c.moves(more) and known(more, "positive-semidefinite")):
        return None
    statement = "logdet(S + A) - logdet(S) is convex in S: its Hessian is kron(V, V) - kron(W, W) with V = S^-1 >= W"
    source = "Diggavi & Cover, The worst additive noise under a covariance constraint (2001)"
    return c.says("difference_of_logdets", statement, source, first, CONVEX if factor > 0 else CONCAVE)
