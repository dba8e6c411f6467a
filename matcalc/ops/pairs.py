"""Functions of two vectors or matrices: outer products, quadratic forms, similarities, distances, convolutions.

All are composite: each has a compact record and a definition by primitives.
"""

from __future__ import annotations

from matcalc import core
from matcalc.core import broadcast, difference, matmul, number, ones, power, scale, total
from matcalc.dims import Dim, Shape, is_one, plus, same, shape_text, times
from matcalc.errors import ShapeError
from matcalc.expr import Expr, Param
from matcalc.map_kinds import LinearMap
from matcalc.maps import (
    compose,
    inner,
    map_sum,
    mask,
    negated,
    placing,
    reshape,
    sandwich,
    scaled,
    taking,
    transposition,
)
from matcalc.notation import Call, Level, Template
from matcalc.ops.define import anywhere, keeps, need_same, need_square, no_facts, op
from matcalc.ops.leaves import ELEMENTARY
from matcalc.ops.products import reshape_
from matcalc.ops.reductions import norm2
from matcalc.ops.selection import block_of, slice_
from matcalc.properties import BIT, bits

GOLUB = "Golub & Van Loan, Matrix Computations (2013), sec. 4.8"
MN8 = "Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 8"


def need_column(name: str, x: Expr) -> None:
    """Raise ShapeError unless x is a column."""
    if not is_one(x.shape[1]):
        raise ShapeError(f"{name} needs column vectors (n x 1), but {{}} is {shape_text(x.shape)}", x)


def _outer_shape(u: Expr, v: Expr) -> Shape:
    for x in (u, v):
        need_column("outer", x)
    return (u.shape[0], v.shape[0])


@op(
    shape=_outer_shape,
    latex=Template(r"{0} {1}^\top", Level.PRODUCT, Level.ATOM),
    numpy=Call("np.outer"),
    domain=anywhere,
    source=ELEMENTARY,
    example=("m 1, n 1",),
    facts=keeps("positive", "nonnegative", "nonzero", "constant"),
    definition=lambda u, v: matmul(u, v.T),
)
def outer_(Y: Expr, u: Expr, v: Expr) -> tuple[LinearMap, ...]:
    """d(u v') = du v' + u dv'"""
    return sandwich(None, v.T, u.shape), compose(sandwich(u, None, (1, v.shape[0])), transposition(v.shape))


def _quadform_shape(x: Expr, A: Expr) -> Shape:
    need_column("quadform", x)
    need_square("quadform", A)
    if not same(x.shape[0], A.shape[0]):
        raise ShapeError(
            f"quadform: {{}} ({shape_text(x.shape)}) and {{}} ({shape_text(A.shape)}) do not fit: "
            f"{x.shape[0]} and {A.shape[0]} differ",
            x,
            A,
        )
    return (1, 1)


def _quadform_facts(e: Expr, x: int, A: int) -> tuple[int, int]:
    true = x & A & bits("nonnegative", "positive", "constant")
    if A & BIT["positive-semidefinite"]:
        true |= BIT["nonnegative"]
    return true, 0


@op(
    shape=_quadform_shape,
    latex=Template(r"{0}^\top {1} {0}", Level.PRODUCT, Level.ATOM),
    numpy=Template("np.sum({0} * ({1} @ {0}))", inner=Level.ATOM),
    domain=anywhere,
    source=MN8,
    example=("n 1, n n",),
    facts=_quadform_facts,
    definition=lambda x, A: matmul(x.T, A, x),
)
def quadform(Y: Expr, x: Expr, A: Expr) -> tuple[LinearMap, ...]:
    """d(x'A x) = x'(A + A') dx + x' dA x"""
    return inner(matmul(core.add(A, A.T), x)), sandwich(x.T, x, A.shape)


def _unit(X: Expr) -> Expr:
    return scale(power(norm2(X), -1), X)


@op(
    shape=lambda X, Z: (need_same("cossim", X, Z), (1, 1))[1],
    latex=Call(r"\operatorname{cossim}"),
    numpy=Template("np.sum({0} * {1}) / (np.linalg.norm({0}) * np.linalg.norm({1}))", Level.PRODUCT, Level.ATOM),
    domain=lambda X, Z: (("positive", norm2(X)), ("positive", norm2(Z))),
    source=MN8,
    example=("m n, m n",),
    facts=no_facts,
    commutative=True,
    definition=lambda X, Z: total(core.entrywise_product(_unit(X), _unit(Z))),
    real_only=True,
)
def cossim(Y: Expr, X: Expr, Z: Expr) -> tuple[LinearMap, ...]:
    """d cossim(X, Z) = tr((Z/|Z| - Y X/|X|)' dX)/|X| + the same with X and Z swapped"""

    def slope(A: Expr, B: Expr) -> Expr:
        return scale(power(norm2(A), -1), difference(_unit(B), scale(Y, _unit(A))))

    return inner(slope(X, Z)), inner(slope(Z, X))


def _pdist2_shape(X: Expr, Z: Expr) -> Shape:
    if not same(X.shape[1], Z.shape[1]):
        raise ShapeError(
            f"pdist2 needs rows of one length: {{}} is {shape_text(X.shape)} and {{}} is {shape_text(Z.shape)}",
            X,
            Z,
        )
    return (X.shape[0], Z.shape[0])


def _pdist2(X: Expr, Z: Expr) -> Expr:
    shape = (X.shape[0], Z.shape[0])
    squares = [broadcast(total(power(X, 2), 2), shape), broadcast(total(power(Z, 2), 2).T, shape)]
    return core.add(*squares, scale(number(-2), matmul(X, Z.T)))


def _pdist2_facts(e: Expr, X: int, Z: int) -> tuple[int, int]:
    own = BIT["symmetric"] if e.args[0].digest == e.args[1].digest else 0  # the distances of one set of points
    return BIT["nonnegative"] | X & Z & BIT["constant"] | own, 0


@op(
    shape=_pdist2_shape,
    latex=Call(r"\operatorname{pdist2}"),
    numpy=Call("_pdist2"),
    domain=anywhere,
    source=ELEMENTARY,
    example=("m p, n p",),
    facts=_pdist2_facts,
    definition=_pdist2,
)
def pdist2(Y: Expr, X: Expr, Z: Expr) -> tuple[LinearMap, ...]:
    """dY_ij = 2 (x_i - z_j)'(dx_i - dz_j), x_i and z_j the rows of X and Z"""
    (m, p), n = X.shape, Z.shape[0]
    two = number(2)

    def own(A: Expr, count: Dim) -> LinearMap:
        """dA -> the sums over the columns of 2 A o dA, repeated in `count` columns."""
        return compose(scaled(two, sandwich(None, ones(p, count), A.shape)), mask(A))

    by_x = map_sum(own(X, n), negated(scaled(two, sandwich(None, Z.T, X.shape))))
    by_z = map_sum(own(Z, m), negated(scaled(two, sandwich(None, X.T, Z.shape))))
    return by_x, compose(transposition((n, m)), by_z)


# ------------------------------------------------------------------------------------------------ convolution


def _convmat_shape(w: Expr, m: Dim) -> Shape:
    need_column("convmat", w)
    return (plus(w.shape[0], m, -1), m)


def _convmat(w: Expr, m: Dim) -> Expr:
    n = w.shape[0]
    padded = block_of([[w], [core.zeros(m, 1)]])
    length = times(plus(m, n, -1), m)
    entries = core.vec(matmul(padded, ones(1, m)))
    return reshape_(slice_(entries, 1, length, 1, 1), plus(m, n, -1), m)


@op(
    shape=_convmat_shape,
    latex=Call(r"\operatorname{convmat}"),
    numpy=Call("_convmat"),
    domain=anywhere,
    source=GOLUB,
    example=("n 1", 4),
    facts=lambda e, w: (w & bits("nonnegative", "constant"), 0),
    params=(Param("m", "dim"),),
    definition=_convmat,
    linear=True,
)
def convmat(Y: Expr, w: Expr, m: Dim) -> tuple[LinearMap, ...]:
    """d convmat(w) = convmat(dw): the Toeplitz matrix T, (m + n - 1) x m, with T x = conv(x, w) for x m x 1"""
    n = w.shape[0]
    tall, rows = plus(m, n), plus(m, n, -1)
    whole, kept = (times(tall, m), 1), (times(rows, m), 1)
    return (
        compose(
            reshape(kept, Y.shape),
            taking(whole, kept, 1, 1),
            reshape((tall, m), whole),
            sandwich(None, ones(1, m), (tall, 1)),
            placing(w.shape, (tall, 1), 1, 1),
        ),
    )


def _conv_shape(x: Expr, w: Expr) -> Shape:
    for v in (x, w):
        need_column("conv", v)
    return (plus(x.shape[0], w.shape[0], -1), 1)


@op(
    shape=_conv_shape,
    latex=Call(r"\operatorname{conv}"),
    numpy=Template("np.convolve({0}[:, 0], {1}[:, 0])[:, None]", inner=Level.ATOM),
    domain=anywhere,
    source=GOLUB,
    example=("m 1, n 1",),
    facts=keeps("positive", "nonnegative", "constant"),
    commutative=True,
    definition=lambda x, w: matmul(convmat(w, x.shape[0]), x),
    over=lambda x, w: times(*x.shape, *w.shape),
)
def conv(Y: Expr, x: Expr, w: Expr) -> tuple[LinearMap, ...]:
    """d conv(x, w) = T(w) dx + T(x) dw: the full convolution is a product with a Toeplitz matrix"""
    left, right = convmat(w, x.shape[0]), convmat(x, w.shape[0])
    return sandwich(left, None, x.shape), sandwich(right, None, w.shape)
