"""Inverse, determinant, adjugate and linear systems.

Source of the differentials: Giles, Collected matrix derivative results for forward and reverse mode algorithmic
differentiation (2008), and Magnus & Neudecker (2019), ch. 8.
"""

from __future__ import annotations

from matcalc import core
from matcalc.core import inverse, transpose
from matcalc.dims import Shape, same, shape_text, times
from matcalc.errors import MatcalcError, ShapeError
from matcalc.expr import Expr, Param
from matcalc.map_kinds import LinearMap
from matcalc.maps import inner, negated, on_vec, sandwich, slope
from matcalc.notation import Call, Level, Template
from matcalc.ops.define import anywhere, need_same, need_square, no_facts, op, square, square_to_scalar
from matcalc.ops.products import reshape_
from matcalc.properties import BIT, bits

GILES = "Giles, Collected matrix derivative results (2008), sec. 2"
MN8 = "Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 8"
KEEPS = bits(
    "symmetric",
    "skew",
    "diagonal",
    "lower",
    "upper",
    "orthogonal",
    "positive-definite",
    "nonsingular",
    "constant",
    "row-stochastic",
    "column-stochastic",
)


def _inv_facts(e: Expr, X: int) -> tuple[int, int]:
    true = X & KEEPS | BIT["nonsingular"]
    if X & BIT["positive-semidefinite"]:  # and nonsingular, or there is no inverse
        true |= BIT["positive-definite"]
    if e.is_scalar:
        true |= X & bits("positive", "nonnegative") | BIT["nonzero"]
    return true, 0


@op(
    shape=square("inv"),
    latex=Template("{0}^{{-1}}", Level.POSTFIX, Level.ATOM),
    numpy=Call("np.linalg.inv"),
    domain=lambda X: (("nonsingular", X),),
    source=GILES,
    example=("n n",),
    facts=_inv_facts,
    also=("inverse",),
    numpy_names=("np.linalg.inv",),
)
def inv(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d(X^-1) = -X^-1 dX X^-1"""
    return (negated(sandwich(Y, Y, X.shape)),)


def _solve_shape(A: Expr, B: Expr) -> Shape:
    need_square("solve", A)
    if not same(A.shape[1], B.shape[0]):
        raise ShapeError(
            f"solve: {{}} ({shape_text(A.shape)}) and {{}} ({shape_text(B.shape)}) do not fit: "
            f"{A.shape[1]} and {B.shape[0]} differ",
            A,
            B,
        )
    return B.shape


@op(
    shape=_solve_shape,
    latex=Template("{0}^{{-1}} {1}", Level.PRODUCT, Level.POSTFIX),
    numpy=Call("np.linalg.solve"),
    domain=lambda A, B: (("nonsingular", A),),
    source=GILES,
    example=("n n, n p",),
    facts=no_facts,
    definition=lambda A, B: inverse(A) @ B,
    also=("mldivide",),
    numpy_names=("np.linalg.solve",),
)
def solve(Y: Expr, A: Expr, B: Expr) -> tuple[LinearMap, ...]:
    """d(A^-1 B) = A^-1 (dB - dA Y)"""
    return negated(sandwich(inverse(A), Y, A.shape)), sandwich(inverse(A), None, B.shape)


def spectrum_facts(e: Expr, X: int) -> tuple[int, int]:
    """What is so of every eigenvalue, and of their product."""
    true = X & BIT["constant"]
    if X & BIT["positive-definite"]:
        true |= BIT["positive"]
    if X & BIT["positive-semidefinite"]:
        true |= BIT["nonnegative"]
    if X & BIT["nonsingular"]:
        true |= BIT["nonzero"]
    return true, 0


@op(
    shape=square_to_scalar("det"),
    latex=Call(r"\det"),
    numpy=Call("np.linalg.det"),
    domain=anywhere,
    source=MN8,
    example=("n n",),
    facts=spectrum_facts,
    also=("determinant", "Det"),
    numpy_names=("np.linalg.det",),
)
def det(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d det(X) = tr(adj(X) dX)"""
    return (inner(transpose(adjugate(X))),)


@op(
    shape=square_to_scalar("logdet"),
    latex=Template(r"\log\lvert\det {0}\rvert", Level.MINUS, Level.POSTFIX),
    numpy=Template("np.linalg.slogdet({0})[1]"),
    domain=lambda X: (("nonsingular", X),),
    source=MN8,
    example=("n n",),
    facts=lambda e, X: (X & BIT["constant"], 0),
    also=("logabsdet", "log_abs_det"),
    real_only=True,
)
def logdet(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d log|det X| = tr(X^-1 dX)"""
    return (inner(transpose(inverse(X))),)


def adjugate(X: Expr) -> Expr:
    """adj(X): det(X) X^-1 for nonsingular X, and defined by cofactors for every square X."""
    return adj(X)


@op(
    shape=square("adj"),
    latex=Call(r"\operatorname{adj}"),
    numpy=Call("_adj"),
    domain=anywhere,
    source=MN8,
    example=("n n",),
    facts=lambda e, X: (X & bits("symmetric", "diagonal", "lower", "upper", "positive-definite", "nonsingular"), 0),
    also=("adjugate",),
    cost=4,
)
def adj(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d adj(X) = dadj(X, dX), for nonsingular X tr(X^-1 dX) adj(X) - X^-1 dX adj(X)"""
    return (slope("dadj", "dadjform", X, turned=True),)


# The adjugate is a polynomial: its derivatives of order r are multilinear in r directions, also where X is singular.


def _dadj_shape(X: Expr, V: Expr) -> Shape:
    need_square("dadj", X)
    return need_same("dadj", X, V)


@op(
    shape=_dadj_shape,
    latex=Template(r"\mathrm{{D}}\operatorname{{adj}}\left({0}\right)\left[{1}\right]", Level.POSTFIX),
    numpy=Call("_dadj"),
    domain=anywhere,
    source=MN8,
    example=("n n, n n",),
    facts=no_facts,
    cost=16,
    over=lambda X, *_: X.shape[0],
)
def dadj(Y: Expr, X: Expr, V: Expr) -> tuple[LinearMap, ...]:
    """dadj(X, V) is linear in V, and vec(d dadj(X, V)) = dadjform(X, 2) (vec(V) (x) vec(dX))"""
    size = times(*X.shape)
    second = dadjform(X, 2) @ core.kron(core.vec(V), core.eye(size))
    return on_vec(second, X.shape, X.shape), slope("dadj", "dadjform", X, turned=True)


def _dadjform_shape(X: Expr, order: int) -> Shape:
    need_square("dadjform", X)
    if not isinstance(order, int) or order < 1:
        raise MatcalcError(f"the order must be a positive whole number, got {order}")
    size = times(*X.shape)
    return size, times(*[size] * order)


@op(
    shape=_dadjform_shape,
    latex=lambda order: Template(
        rf"\mathrm{{{{D}}}}{'' if order == 1 else f'^{order}'}\operatorname{{{{adj}}}}\left({{0}}\right)", Level.POSTFIX
    ),
    numpy=Call("_dadjform"),
    domain=anywhere,
    source=MN8,
    example=("n n", 1),
    facts=no_facts,
    params=(Param("order", "int", 1),),
    cost=30,
    over=lambda X, *_: X.shape[0],
)
def dadjform(Y: Expr, X: Expr, order: int) -> tuple[LinearMap, ...]:
    """dadjform(X, r) (vec(V1) (x) ... (x) vec(Vr)) is vec of the r-th derivative of adj at X along V1 ... Vr"""
    rows, columns = Y.shape
    higher = dadjform(X, order + 1)
    return (on_vec(reshape_(higher, times(rows, columns), rows), X.shape, Y.shape),)
