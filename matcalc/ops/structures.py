"""Toeplitz and skew matrices as linear spaces: their bases, and sums along diagonals.

Source: Petersen & Pedersen, The Matrix Cookbook (2012), 2.8.
"""

from __future__ import annotations

from typing import Any

from matcalc import core
from matcalc.dims import Dim, Shape, plus, same, times
from matcalc.errors import ShapeError
from matcalc.expr import Expr, Param
from matcalc.map_kinds import LinearMap
from matcalc.maps import diagonal_sums
from matcalc.notation import Call
from matcalc.ops.define import always, anywhere, keeps, op, square
from matcalc.ops.products import reshape_
from matcalc.ops.selection import MN_VECH, triangle

COOKBOOK = "Petersen & Pedersen, The Matrix Cookbook (2012), 2.8"


@op(
    shape=lambda n: (times(n, n), plus(n, n, -1)),
    latex=Call(r"\operatorname{toep}"),
    numpy=Call("_toep"),
    domain=anywhere,
    source=COOKBOOK,
    example=("", 3),
    facts=always("constant", "nonnegative"),
    params=(Param("n", "dim"),),
)
def toep(Y: Expr, *_: Any) -> tuple[LinearMap, ...]:
    """the basis of the n x n Toeplitz matrices: vec(T) = toep(n) t, t the diagonals from the lower left corner up"""
    return ()


@op(
    shape=lambda n: (times(n, n), n),
    latex=Call(r"\operatorname{symtoep}"),
    numpy=Call("_symtoep"),
    domain=anywhere,
    source=COOKBOOK,
    example=("", 3),
    facts=always("constant", "one-hot"),
    params=(Param("n", "dim"),),
)
def symtoep(Y: Expr, *_: Any) -> tuple[LinearMap, ...]:
    """the basis of the symmetric n x n Toeplitz matrices: vec(T) = symtoep(n) t, t the first row of T"""
    return ()


def _skew_shape(n: Dim) -> Shape:
    below = triangle(plus(n, -1))
    if same(n, 1):
        raise ShapeError("a skew 1 x 1 matrix is 0: it has no independent entries")
    return times(n, n), below


@op(
    shape=_skew_shape,
    latex=Call(r"\operatorname{skewdup}"),
    numpy=Call("_skewdup"),
    domain=anywhere,
    source=MN_VECH,
    example=("", 3),
    facts=always("constant"),
    params=(Param("n", "dim"),),
)
def skewdup(Y: Expr, *_: Any) -> tuple[LinearMap, ...]:
    """the basis of the skew n x n matrices: vec(S) = skewdup(n) w, w the columns below the diagonal of S, stacked"""
    return ()


def _by_basis(G: Expr) -> Expr:
    n = G.shape[0]
    basis = toep(n)
    return reshape_(core.matmul(basis, basis.T, core.vec(G)), n, n)


@op(
    shape=square("diagsums"),
    latex=Call(r"\operatorname{diagsums}"),
    numpy=Call("_diagsums"),
    domain=anywhere,
    source=COOKBOOK,
    example=("n n",),
    facts=keeps("symmetric", "skew", "diagonal", "lower", "upper", "nonnegative", "constant"),
    definition=_by_basis,
    linear=True,
    over=lambda X: X.shape[0],
)
def diagsums(Y: Expr, G: Expr) -> tuple[LinearMap, ...]:
    """entry i, j is the sum of G along the diagonal of i, j; linear and self-adjoint"""
    return (diagonal_sums(G.shape),)
