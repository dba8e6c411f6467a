"""Matrix, Kronecker and block products, transpose, vec and diagonals."""

from __future__ import annotations

import itertools
from typing import Any

from matcalc.core import matmul
from matcalc.dims import Dim, Shape, is_one, same, shape_text, simplified, times
from matcalc.errors import ShapeError
from matcalc.exact import cancel, scalar, sp
from matcalc.expr import Expr, Param
from matcalc.map_kinds import BlockInner, BlockInnerBy, BlockSum, BlockSumBy, LinearMap
from matcalc.maps import diagonal, kron_left, kron_right, reshape, sandwich, to_diag, transposition
from matcalc.notation import Builtin, Call, Level, Template
from matcalc.ops.define import always, anywhere, keeps, need_square, need_vector, no_facts, op
from matcalc.ops.leaves import ELEMENTARY
from matcalc.properties import BIT, bits

KRONECKER = "Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 2 and 3"


def _matmul_shape(*factors: Expr) -> Shape:
    for a, b in zip(factors, factors[1:]):
        if not same(a.shape[1], b.shape[0]):
            raise ShapeError(
                f"cannot multiply {{}} ({shape_text(a.shape)}) by {{}} ({shape_text(b.shape)}): "
                f"{a.shape[1]} and {b.shape[0]} differ",
                a,
                b,
            )
    return (factors[0].shape[0], factors[-1].shape[1])


def _matmul_facts(e: Expr, *masks: int) -> tuple[int, int]:
    names = (
        "diagonal",
        "lower",
        "upper",
        "orthogonal",
        "nonnegative",
        "constant",
        "row-stochastic",
        "column-stochastic",
        "one-hot",
        "one-hot-column",
    )
    common = sum(BIT[n] for n in names)
    for m in masks:
        common &= m
    if all(m & BIT["nonsingular"] for m in masks) and all(same(*a.shape) for a in e.args):
        common |= BIT["nonsingular"]
    if all(m & BIT["positive"] for m in masks):
        common |= BIT["positive"]
    if is_congruence(e.args, masks):
        middle = masks[len(masks) // 2] if len(masks) % 2 else BIT["positive-semidefinite"]
        common |= middle & (BIT["symmetric"] | BIT["positive-semidefinite"])
        if len(masks) > 2 and common & BIT["nonsingular"]:
            common |= middle & BIT["positive-definite"]
        if not len(masks) % 2 and common & BIT["nonsingular"]:
            common |= BIT["positive-definite"]
    return common, 0


def is_congruence(factors: tuple[Expr, ...], masks: tuple[int, ...]) -> bool:
    """Whether a product reads the same transposed, but for its middle factor: A' M A, B' A' A B, X X'."""
    k = len(factors) // 2
    return all(_is_transpose_of(factors[i], factors[-1 - i], masks[i]) for i in range(k))


def _is_transpose_of(a: Expr, b: Expr, facts: int) -> bool:
    if (a.op == "transpose" and a.args[0] is b) or (b.op == "transpose" and b.args[0] is a):
        return True
    return a is b and bool(facts & BIT["symmetric"])


@op(
    shape=_matmul_shape,
    latex=Builtin(),
    numpy=Builtin(),
    domain=anywhere,
    source=ELEMENTARY,
    example=("m n, n p, p q",),
    facts=_matmul_facts,
    variadic=True,
    syntax="form",
)
def matmul_(Y: Expr, *factors: Expr) -> tuple[LinearMap, ...]:
    """d(X Z) = dX Z + X dZ, and vec(A dX B) = (B' (x) A) vec(dX)"""
    maps = []
    for k, X in enumerate(factors):
        left = matmul(*factors[:k]) if k else None
        right = matmul(*factors[k + 1 :]) if k + 1 < len(factors) else None
        maps.append(sandwich(left, right, X.shape))
    return tuple(maps)


def _transpose_facts(e: Expr, true: int) -> tuple[int, int]:
    swap = {
        "lower": "upper",
        "upper": "lower",
        "one-hot": "one-hot-column",
        "one-hot-column": "one-hot",
        "row-stochastic": "column-stochastic",
        "column-stochastic": "row-stochastic",
    }
    mask = true & ~sum(BIT[n] for n in swap)
    for name, other in swap.items():
        if true & BIT[name]:
            mask |= BIT[other]
    return mask, 0


@op(
    shape=lambda X: (X.shape[1], X.shape[0]),
    latex=Builtin(),
    numpy=Template("{0}.T", Level.ATOM, Level.ATOM),
    domain=anywhere,
    source=ELEMENTARY,
    example=("m n",),
    facts=_transpose_facts,
    linear=True,
    syntax="form",
)
def transpose(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d(X') = dX', and vec(dX') = K vec(dX)"""
    return (transposition(X.shape),)


@op(
    shape=lambda A, B: (times(A.shape[0], B.shape[0]), times(A.shape[1], B.shape[1])),
    latex=Template(r"{0} \otimes {1}", Level.PRODUCT, Level.MINUS),
    numpy=Call("np.kron"),
    domain=anywhere,
    source="Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 9",
    example=("m n, p q",),
    facts=keeps(
        "symmetric",
        "diagonal",
        "lower",
        "upper",
        "orthogonal",
        "positive-definite",
        "positive-semidefinite",
        "nonsingular",
        "positive",
        "nonnegative",
        "nonzero",
        "constant",
        "row-stochastic",
        "column-stochastic",
    ),
    also=("kronecker",),
    numpy_names=("np.kron",),
    cost=6,
)
def kron(Y: Expr, A: Expr, B: Expr) -> tuple[LinearMap, ...]:
    """d(A (x) B) = dA (x) B + A (x) dB"""
    return kron_left(B, A.shape), kron_right(A, B.shape)


def _blockinner_shape(G: Expr, B: Expr) -> Shape:
    return _blocks(G, B, 0), _blocks(G, B, 1)


def _blocks(G: Expr, B: Expr, axis: int) -> Dim:
    """How often B fits into G along an axis."""
    ratio = cancel(scalar(G.shape[axis]) / scalar(B.shape[axis]))
    if not _integer_valued(ratio):
        raise ShapeError(
            f"{{}} ({shape_text(G.shape)}) does not divide into blocks of the shape of {{}} ({shape_text(B.shape)})",
            G,
            B,
        )
    return simplified(ratio)


def _integer_valued(form: Any) -> bool:
    """Whether a form is a polynomial with integer values: it is one if they are at degree + 1 consecutive points."""
    if not form.free_symbols or not form.is_polynomial():
        return bool(form.is_Integer)
    if form.is_integer:
        return True
    polynomial = sp.Poly(form)
    if all(c.is_Integer for c in polynomial.coeffs()):
        return True
    points = itertools.product(*(range(polynomial.degree(s) + 1) for s in polynomial.gens))
    return all(polynomial.eval(dict(zip(polynomial.gens, point))).is_Integer for point in points)


@op(
    shape=_blockinner_shape,
    latex=Call(r"\operatorname{blockinner}"),
    numpy=Call("_blockinner"),
    domain=anywhere,
    source=KRONECKER,
    example=("m*p n*q, p q",),
    facts=no_facts,
    cost=6,
    over=lambda G, B: times(*B.shape),
)
def blockinner(Y: Expr, G: Expr, B: Expr) -> tuple[LinearMap, ...]:
    """entry i, j is tr(B' G_ij), G_ij the blocks of G: the adjoint of dX -> dX (x) B"""
    return BlockInner(G.shape, Y.shape, B), BlockInnerBy(B.shape, Y.shape, G)


@op(
    shape=lambda A, G: _blockinner_shape(G, A),
    latex=Call(r"\operatorname{blocksum}"),
    numpy=Call("_blocksum"),
    domain=anywhere,
    source=KRONECKER,
    example=("m n, m*p n*q",),
    facts=no_facts,
    cost=6,
    over=lambda A, G: times(*G.shape),
)
def blocksum(Y: Expr, A: Expr, G: Expr) -> tuple[LinearMap, ...]:
    """the sum over i, j of A_ij G_ij, G_ij the blocks of G: the adjoint of dX -> A (x) dX"""
    return BlockSumBy(A.shape, Y.shape, G), BlockSum(G.shape, Y.shape, A)


@op(
    shape=lambda X: (times(*X.shape), 1),
    latex=Call(r"\operatorname{vec}"),
    numpy=Call("_vec"),
    domain=anywhere,
    source=KRONECKER,
    example=("m n",),
    facts=keeps("positive", "nonnegative", "nonzero", "constant"),
    linear=True,
    cost=3,
)
def vec(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d vec(X) = vec(dX)"""
    return (reshape(X.shape, Y.shape),)


def _reshape_shape(X: Expr, m: Any, n: Any) -> Shape:
    if not same(times(*X.shape), times(m, n)):
        raise ShapeError(f"cannot reshape {{}} ({shape_text(X.shape)}) to {shape_text((m, n))}", X)
    return (m, n)


@op(
    shape=_reshape_shape,
    latex=Call(r"\operatorname{reshape}"),
    numpy=Call("_reshape"),
    domain=anywhere,
    source=KRONECKER,
    example=("6 2", 4, 3),
    facts=keeps("positive", "nonnegative", "nonzero", "constant"),
    params=(Param("m", "dim"), Param("n", "dim")),
    linear=True,
    cost=3,
)
def reshape_(Y: Expr, X: Expr, m: Any, n: Any) -> tuple[LinearMap, ...]:
    """the same entries, column-major: vec(dY) = vec(dX)"""
    return (reshape(X.shape, Y.shape),)


def _diag_shape(v: Expr) -> Shape:
    need_vector("diag", v)
    n = v.shape[1] if is_one(v.shape[0]) else v.shape[0]
    return (n, n)


def _diag_facts(e: Expr, v: int) -> tuple[int, int]:
    true = BIT["diagonal"] | v & (BIT["nonnegative"] | BIT["constant"])
    if v & BIT["nonzero"]:
        true |= BIT["nonsingular"]
    if v & BIT["positive"]:
        true |= BIT["positive-definite"]
    if v & BIT["nonnegative"]:
        true |= BIT["positive-semidefinite"]
    return true, 0


@op(
    shape=_diag_shape,
    latex=Call(r"\operatorname{diag}"),
    numpy=Call("_diag"),
    domain=anywhere,
    source=KRONECKER,
    example=("n 1",),
    facts=_diag_facts,
    linear=True,
    cost=2,
)
def diag(Y: Expr, v: Expr) -> tuple[LinearMap, ...]:
    """d diag(v) = diag(dv)"""
    return (to_diag(v.shape, Y.shape[0]),)


def _diagvec_facts(e: Expr, X: int) -> tuple[int, int]:
    true = X & bits("positive", "nonnegative", "nonzero", "constant")
    inner = e.args[0]
    while inner.op == "named":
        inner = inner.args[0]
    if X & BIT["positive-definite"] or inner.op == "chol":
        true |= BIT["positive"]
    if X & BIT["positive-semidefinite"]:
        true |= BIT["nonnegative"]
    if X & (BIT["lower"] | BIT["upper"]) and X & BIT["nonsingular"]:
        true |= BIT["nonzero"]
    return true, 0


def _diagvec_shape(X: Expr) -> Shape:
    need_square("diagvec", X)
    return (X.shape[0], 1)


@op(
    shape=_diagvec_shape,
    latex=Call(r"\operatorname{diagvec}"),
    numpy=Call("_diagvec"),
    domain=anywhere,
    source=KRONECKER,
    example=("n n",),
    facts=_diagvec_facts,
    also=("diagonal",),
    numpy_names=("np.diagonal",),
    linear=True,
)
def diagvec(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d diagvec(X) = diagvec(dX)"""
    return (diagonal(X.shape[0], Y.shape),)


@op(
    shape=lambda m, n: (times(m, n), times(m, n)),
    latex=Builtin(),
    numpy=Call("_comm"),
    domain=anywhere,
    source="Magnus & Neudecker, The commutation matrix, Annals of Statistics 7 (1979)",
    example=("", 2, 3),
    facts=always("constant", "orthogonal", "nonnegative", "one-hot", "one-hot-column"),
    params=(Param("m", "dim"), Param("n", "dim")),
    cost=6,
)
def comm(Y: Expr, *_: Any) -> tuple[LinearMap, ...]:
    """dK = 0"""
    return ()


@op(
    shape=lambda n: (times(n, n), n),
    latex=Template("S_{{{p0}}}"),
    numpy=Template("np.eye(({p0}) ** 2)[:, :: ({p0}) + 1]"),
    domain=anywhere,
    source=KRONECKER,
    example=("", 3),
    facts=always("constant", "one-hot-column"),
    params=(Param("n", "dim"),),
)
def dsel(Y: Expr, *_: Any) -> tuple[LinearMap, ...]:
    """dS = 0, where diag(x) = unvec(S x)"""
    return ()
