"""Toeplitz matrices as a linear space: its basis, and sums along diagonals.

Source: Petersen & Pedersen, The Matrix Cookbook (2012), 2.8.
"""

from __future__ import annotations

from typing import Any

from matcalc import core
from matcalc.dims import plus, times
from matcalc.expr import Expr, Param, node
from matcalc.maps import LinearMap, diagonal_sums
from matcalc.notation import Call
from matcalc.ops.define import always, anywhere, keeps, op, square

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


def _by_basis(G: Expr) -> Expr:
    n = G.shape[0]
    basis = core.call("toep", n)
    return node("reshape", (core.matmul(basis, basis.T, core.vec(G)),), (n, n))


@op(
    shape=square("diagsums"),
    latex=Call(r"\operatorname{diagsums}"),
    numpy=Call("_diagsums"),
    domain=anywhere,
    source=COOKBOOK,
    example=("n n",),
    facts=keeps("symmetric", "skew", "diagonal", "lower", "upper", "nonnegative", "constant"),
    definition=_by_basis,
)
def diagsums(Y: Expr, G: Expr) -> tuple[LinearMap, ...]:
    """entry i, j is the sum of G along the diagonal of i, j; linear and self-adjoint"""
    return (diagonal_sums(G.shape),)
