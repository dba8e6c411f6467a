"""The pseudoinverse, singular values and their norms, the polar and Cholesky factors.

Singular values are in descending order. Derivatives hold where the rank is constant (pseudoinverse, nuclear norm, polar
factor) or the singular values are simple and positive.
"""

from __future__ import annotations

from matcalc import core
from matcalc.core import difference, eye, inverse, matmul, minus, number, power, scale
from matcalc.dims import Dim, is_one, plus, same, shape_text, surely_nonnegative, times
from matcalc.errors import NoRuleError, ShapeError
from matcalc.expr import Expr
from matcalc.linop import apply
from matcalc.map_kinds import LinearMap
from matcalc.maps import (
    compose,
    diagonal,
    identity,
    inner,
    map_sum,
    mask,
    negated,
    sandwich,
    scaled,
    slope,
    transposition,
)
from matcalc.notation import Call, Level, Template
from matcalc.ops.define import always, anywhere, map_by_definition, need_same, no_facts, op, scalar, square
from matcalc.ops.matrix_functions import matpow
from matcalc.ops.selection import lower_ones
from matcalc.ops.spectral import eigvecmax, eigvecs, simple, simple_extreme
from matcalc.properties import BIT, Truth, bits, truth
from matcalc.vecform import matrix

GOLUB_PEREYRA = "Golub & Pereyra, The differentiation of pseudo-inverses, SIAM J. Numer. Anal. 10 (1973), (4.12)"
GILES_SVD = "Giles, Collected matrix derivative results (2008), sec. 3"
WATSON = "Watson, Characterization of the subdifferential of some matrix norms (1992)"
MURRAY = "Murray, Differentiation of the Cholesky decomposition (2016)"
HIGHAM_POLAR = "Higham, Functions of Matrices (2008), ch. 8"
HALF = core.exact("0.5")


# ------------------------------------------------------------------------------------------------ pseudoinverse


def is_tall(X: Expr) -> bool | None:
    """Whether there are at least as many rows as columns; None where the dimensions do not say."""
    m, n = X.shape
    if surely_nonnegative(plus(m, -n)):
        return True
    return False if surely_nonnegative(plus(n, -m)) else None


PINV_KEEPS = bits(
    "symmetric",
    "skew",
    "diagonal",
    "orthogonal",
    "positive-definite",
    "positive-semidefinite",
    "nonsingular",
    "constant",
)


@op(
    shape=lambda X: (X.shape[1], X.shape[0]),
    latex=Template("{0}^{{+}}", Level.POSTFIX, Level.ATOM),
    numpy=Call("_pinv"),
    domain=anywhere,
    source=GOLUB_PEREYRA,
    example=("m n",),
    facts=lambda e, X: (X & PINV_KEEPS, 0),
    also=("pseudoinverse", "pseudo_inverse"),
    numpy_names=("np.linalg.pinv",),
    real_only=True,
)
def pinv(P: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """dP = -P dX P + P P' dX' (I - X P) + (I - P X) dX' P' P, where the rank is constant"""
    m, n = X.shape
    outside, inside = difference(eye(m), X @ P), difference(eye(n), P @ X)
    turned = transposition(X.shape)
    return (
        map_sum(
            negated(sandwich(P, P, X.shape)),
            compose(sandwich(P @ P.T, outside, turned.codomain), turned),
            compose(sandwich(inside, P.T @ P, turned.codomain), turned),
        ),
    )


# ------------------------------------------------------------------------------------------------ singular values


def rank_dim(X: Expr) -> Dim:
    """The smaller dimension.

    Raises:
        ShapeError: the dimensions do not say which it is.
    """
    m, n = X.shape
    tall = True if is_one(n) else False if is_one(m) else is_tall(X)
    if tall is None:
        raise ShapeError(
            f"singvals of {{}} ({shape_text(X.shape)}) has as many entries as the smaller dimension, "
            "which is not known: give numbers (normnuc and normspec do not need them)",
            X,
        )
    return n if tall else m


def _values(X: Expr) -> Expr:
    return singvals(X)


@op(
    shape=lambda X: (rank_dim(X), 1),
    latex=Call(r"\operatorname{singvals}"),
    numpy=Template("np.linalg.svd({0}, compute_uv=False)[:, None]"),
    domain=lambda X: (("positive", _values(X)), *simple(gram(X))),
    source=GILES_SVD,
    example=("4 3",),
    facts=lambda e, X: (
        BIT["nonnegative"] | X & BIT["constant"] | (BIT["positive"] if X & BIT["nonsingular"] else 0),
        0,
    ),
    also=("svdvals",),
    real_only=True,
    kinks="crossings",
)
def singvals(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d sigma_i = u_i' dX v_i, for distinct positive singular values"""
    V = eigvecs(minus(gram(X)))  # in the order of the singular values, which descend
    left, right = ((X @ V).T, V) if is_same_rank(X) else (V.T, X.T @ V)
    k = Y.shape[0]
    return (compose(mask(power(Y, -1)), diagonal(k, Y.shape), sandwich(left, right, X.shape)),)


def is_same_rank(X: Expr) -> bool:
    """Whether the columns are as many as the singular values."""
    return same(rank_dim(X), X.shape[1])


def gram(X: Expr) -> Expr:
    """X'X or X X', the smaller one."""
    return X.T @ X if is_same_rank(X) else X @ X.T


def _polar_by_powers(X: Expr) -> Expr:
    """X (X'X)^(-1/2), or (X X')^(-1/2) X for a wide X.

    Raises:
        NoRuleError: the dimensions do not say whether X is wide.
    """
    tall = is_tall(X)
    if tall is None:
        raise NoRuleError(f"polar({X}): whether {X.shape[0]} or {X.shape[1]} is larger must be known to go on")
    half = number(-HALF)
    if tall:
        return core.matmul(X, matpow(core.matmul(X.T, X), half))
    return core.matmul(matpow(core.matmul(X, X.T), half), X)


def _slope_by_powers(X: Expr, V: Expr) -> Expr:
    """The differential of X (X'X)^(-1/2) in the direction V."""
    return apply(map_by_definition(_polar_by_powers, [X]), V)


def _form_by_powers(X: Expr) -> Expr:
    return matrix(map_by_definition(_polar_by_powers, [X]))


@op(
    shape=lambda X: X.shape,
    latex=Call(r"\operatorname{polar}"),
    numpy=Call("_polar"),
    domain=anywhere,
    source=HIGHAM_POLAR,
    example=("4 3",),
    facts=lambda e, X: (
        X & bits("orthogonal", "constant", "diagonal", "symmetric")
        | (BIT["orthogonal"] if X & BIT["nonsingular"] else 0),
        0,
    ),
    definition=_polar_by_powers,
    real_only=True,
)
def polar(Q: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """dQ = dpolar(X, dX), Q = U V' for X = U diag(sigma) V' with sigma > 0, where the rank is constant"""
    return (slope("dpolar", "dpolarform", X),)


@op(
    shape=lambda X, V: need_same("dpolar", X, V),
    latex=Template(r"\mathrm{{D}}\operatorname{{polar}}\left({0}\right)\left[{1}\right]", Level.POSTFIX),
    numpy=Call("_dpolar"),
    domain=anywhere,
    source=HIGHAM_POLAR,
    example=("4 3, 4 3",),
    facts=no_facts,
    definition=_slope_by_powers,
    real_only=True,
    cost=12,
)
def dpolar(Y: Expr, X: Expr, V: Expr) -> tuple[LinearMap, ...]:
    """dpolar(X, V) is linear in V; by X it is that of X (X'X)^(-1/2), for X of full rank"""
    return map_by_definition(_slope_by_powers, [X, V]), slope("dpolar", "dpolarform", X)


@op(
    shape=lambda X: (times(*X.shape), times(*X.shape)),
    latex=Template(r"\mathrm{{D}}\operatorname{{polar}}\left({0}\right)", Level.POSTFIX),
    numpy=Call("_dpolarform"),
    domain=anywhere,
    source=HIGHAM_POLAR,
    example=("3 2",),
    facts=always("symmetric"),
    definition=_form_by_powers,
    real_only=True,
    cost=30,
)
def dpolarform(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """dpolarform(X) vec(V) = vec(dpolar(X, V)); by X it is that of X (X'X)^(-1/2), for X of full rank"""
    return (map_by_definition(_form_by_powers, [X]),)


def _norm_facts(e: Expr, X: int) -> tuple[int, int]:
    true = BIT["nonnegative"] | X & BIT["constant"]
    return true | (BIT["positive"] if X & bits("nonzero", "nonsingular") else 0), 0


@op(
    shape=scalar,
    latex=Template(r"\lVert {0} \rVert_*"),
    numpy=Template('np.linalg.norm({0}, "nuc")'),
    domain=anywhere,
    source=WATSON,
    example=("4 3",),
    facts=_norm_facts,
    also=("nuclear_norm",),
    real_only=True,
    kinks="ties",
    norm=True,
)
def normnuc(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d normnuc(X) = tr(Q' dX), Q = U V' the polar factor of X = U diag(sigma) V', where the rank is constant"""
    return (inner(polar(X)),)


@op(
    shape=scalar,
    latex=Template(r"\lVert {0} \rVert_{{\mathrm{{op}}}}"),
    numpy=Template("np.linalg.norm({0}, 2)"),
    domain=lambda X: simple_extreme("eigmax", X.T @ X),
    source=WATSON,
    example=("4 3",),
    facts=_norm_facts,
    guarded=True,
    real_only=True,
    kinks="ties",
    norm=True,
    over=lambda X: times(*X.shape),
)
def normspec(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d normspec(X) = u' dX v, the singular vectors of a simple largest singular value; u = X v / normspec(X)"""
    v = eigvecmax(X.T @ X)
    return (inner(scale(power(Y, -1), matmul(X, v, v.T))),)


# ------------------------------------------------------------------------------------------------ Cholesky


def symmetric_part(X: Expr) -> Expr:
    """(X + X')/2."""
    return scale(number(HALF), core.add(X, X.T))


def _chol_facts(e: Expr, X: int) -> tuple[int, int]:
    true = BIT["lower"] | BIT["nonsingular"] | X & bits("diagonal", "constant")
    if X & BIT["diagonal"]:
        true |= BIT["positive-definite"]
    return true, 0


@op(
    shape=square("chol"),
    latex=Call(r"\operatorname{chol}"),
    numpy=Call("_chol"),
    domain=lambda X: (("positive-definite", X if truth(X, "symmetric") is Truth.TRUE else symmetric_part(X)),),
    source=MURRAY,
    example=("n n",),
    facts=_chol_facts,
    also=("cholesky",),
    numpy_names=("np.linalg.cholesky",),
    real_only=True,
)
def chol(L: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """dL = L Phi(L^-1 (dX + dX')/2 L^-T), L L' = (X + X')/2, Phi the lower triangle with half the diagonal"""
    n = X.shape[0]
    phi = difference(lower_ones(n, n), scale(number(HALF), eye(n)))
    half = scaled(number(HALF), map_sum(identity(X.shape), transposition(X.shape)))
    back = inverse(L)
    return (compose(sandwich(L, None, X.shape), mask(phi), sandwich(back, back.T, X.shape), half),)
