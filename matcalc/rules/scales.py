"""What scales out of deviations and standardizations, inverse functions that add up to a constant, and exponentials."""

from __future__ import annotations

from matcalc import core
from matcalc.core import add, broadcast, hadamard, inverse, matmul, minus, number, power, scale
from matcalc.exact import HALF, sp
from matcalc.expr import Expr, Op
from matcalc.ops.activations import normpdf
from matcalc.ops.elementwise import absolute, arccos, arcsin, arctan, exp, log, sign
from matcalc.ops.matrix_functions import sqrtm
from matcalc.ops.normalization import standardize
from matcalc.ops.reductions import std, var_
from matcalc.rewrite.pair import Right
from matcalc.rewrite.rule import rule

DEFINITION = "definition of the function"


def half_pi() -> Expr:
    """pi/2, made where a rule is used: it is SymPy's."""
    return number(sp.pi / 2)


@rule(X="m n", s="s: 1 1", axis=(None, 1, 2), ddof=(0, 1), loose=True, group="expand", source=DEFINITION)
def deviation_of_scaled(X: Expr, axis: int | None, ddof: int, *s: Expr) -> tuple[Expr, Expr]:
    """std(s X) = |s| std(X)"""
    return std(scale(*s, X), axis, ddof), scale(*map(absolute, s), std(X, axis, ddof))


@rule(
    X="m n",
    s="1 1",
    axis=(None, 1, 2),
    ddof=(0, 1),
    facts={"s": "positive"},
    group="expand",
    source=DEFINITION,
)
def standardization_of_scaled(X: Expr, s: Expr, axis: int | None, ddof: int) -> tuple[Expr, Expr]:
    """standardize(s X) = standardize(X) for positive s"""
    eps = core.exact(0)
    return standardize(scale(s, X), axis, ddof, eps), standardize(X, axis, ddof, eps)


@rule(X="m n", axis=(None, 1, 2), ddof=(0, 1), group="expand", source=DEFINITION)
def variance_of_standardization(X: Expr, axis: int | None, ddof: int) -> tuple[Expr, Expr]:
    """var(standardize(X)) = 1"""
    left = var_(standardize(X, axis, ddof, core.exact(0)), axis, ddof)
    return left, broadcast(number(1), left.shape)


@rule(A="n n", facts={"A": "positive-definite"}, group="expand", source="Higham, Functions of Matrices (2008)")
def root_times_inverse(A: Expr) -> tuple[Expr, Expr]:
    """sqrtm(A) A^-1 = sqrtm(A)^-1 for positive definite A"""
    return matmul(sqrtm(A), inverse(A)), inverse(sqrtm(A))


@rule(A="n n", facts={"A": "positive-definite"}, group="expand", source="Higham, Functions of Matrices (2008)")
def inverse_times_root(A: Expr) -> tuple[Expr, Expr]:
    """A^-1 sqrtm(A) = sqrtm(A)^-1 for positive definite A"""
    return matmul(inverse(A), sqrtm(A)), inverse(sqrtm(A))


@rule(X="m n", drawn={"X": "row-stochastic"}, loose=True, group="expand", source=DEFINITION)
def arccosine_by_arcsine(X: Expr) -> tuple[Expr, Right]:
    """arccos(X) = pi/2 - arcsin(X)"""
    return arccos(X), lambda: add(broadcast(half_pi(), X.shape), minus(arcsin(X)))


@rule(X="m n", drawn={"X": "nonzero"}, loose=True, group="expand", source=DEFINITION)
def arctangent_of_reciprocal(X: Expr) -> tuple[Expr, Right]:
    """arctan(1 ./ X) = pi/2 sign(X) - arctan(X)"""
    return arctan(power(X, -1)), lambda: add(scale(half_pi(), sign(X)), minus(arctan(X)))


def _of_outer_product(f: Op) -> None:
    def sides(x: Expr, y: Expr) -> tuple[Expr, Expr]:
        return f(matmul(x, y)), matmul(f(x), f(y))

    sides.__name__, sides.__doc__ = f"{f.name}_of_outer_product", f"{f.name}(x y') = {f.name}(x) {f.name}(y')"
    rule(x="m 1", y="1 n", group="expand", source=DEFINITION)(sides)


for _function in (absolute, sign):
    _of_outer_product(_function)


@rule(
    X="m n",
    s="1 1",
    facts={"X": "positive"},
    where=lambda s: s.is_scalar and (s.number is None or bool(s.number.free_symbols)),
    loose=True,
    group="expand",
    source=DEFINITION,
)
def power_by_exponential(X: Expr, s: Expr) -> tuple[Expr, Expr]:
    """X .^ s = exp(s log(X)) for positive X"""
    return power(X, s), exp(scale(s, log(X)))


@rule(X="m n", Y="m n", facts={"X": "positive"}, group="expand", source=DEFINITION)
def powers_by_exponential(X: Expr, Y: Expr) -> tuple[Expr, Expr]:
    """X .^ Y = exp(Y o log(X)) for positive X"""
    return power(X, Y), exp(hadamard(Y, log(X)))


@rule(X="m n", loose=True, group="expand", source=DEFINITION)
def normal_density_by_exponential(X: Expr) -> tuple[Expr, Right]:
    """normpdf(X) = exp(-X .^ 2/2)/sqrt(2 pi)"""
    weight = number(-HALF)
    return normpdf(X), lambda: scale(number(1 / sp.sqrt(2 * sp.pi)), exp(scale(weight, power(X, 2))))


BY_EXPONENTIALS = frozenset(
    r.name for r in (power_by_exponential, powers_by_exponential, normal_density_by_exponential)
)
