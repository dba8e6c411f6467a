"""Linear maps: each kind by its three views, composition, and errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from support import SIZES, Sample, check_map_matrix, close, concrete

from matcalc import core
from matcalc.dims import dim
from matcalc.errors import NoRuleError, ShapeError
from matcalc.expr import Expr
from matcalc.linop import adjoint, apply
from matcalc.map_kinds import BlockInner, BlockInnerBy, BlockSum, BlockSumBy, Compose, Identity, LinearMap, Zero
from matcalc.maps import (
    compose,
    diagonal,
    frechet,
    identity,
    inner,
    kron_left,
    kron_right,
    map_sum,
    mask,
    negated,
    outer,
    placing,
    reshape,
    sandwich,
    scaled,
    taking,
    to_diag,
    transposition,
    unvech,
    vech,
    zero,
)
from matcalc.vecform import matrices, matrix

m, n, p, q = (dim(name) for name in "mnpq")
A, B, D = core.var("A", "p", "m"), core.var("B", "n", "q"), core.var("D", "m", "n")
K, s = core.var("K", "p", "q"), core.var("s", 1, 1)
col, row = core.var("c", "m", 1), core.var("r", 1, "n")
G, H = core.var("G", m * p, n * q), core.var("H", 2, 3)
P, k = core.var("P", "n", "n"), core.var("k", 1, 1)
VARIABLES = (A, B, D, K, s, col, row, G, H, P, k)
X = (m, n)

MAPS: dict[str, LinearMap] = {
    "identity": identity(X),
    "zero": zero(X, (p, q)),
    "scaled": scaled(s, transposition(X)),
    "negated": negated(mask(D)),
    "sandwich": sandwich(A, B, X),
    "left": sandwich(A, None, X),
    "right": sandwich(None, B, X),
    "left-of-column": sandwich(A, None, (m, 1)),
    "right-of-row": sandwich(None, B, (1, n)),
    "both-on-column": sandwich(A, core.var("r", 1, "n"), (m, 1)),
    "right-of-column": sandwich(None, row, (m, 1)),
    "left-of-row": sandwich(col, None, (1, n)),
    "both-on-scalar": sandwich(col, row, (1, 1)),
    "transposition": transposition(X),
    "transposition-of-column": transposition((m, 1)),
    "transposition-of-row": transposition((1, n)),
    "mask": mask(D),
    "mask-of-column": mask(col),
    "mask-of-row": mask(row),
    "mask-of-scalar": mask(s),
    "inner": inner(D),
    "inner-column": inner(col),
    "inner-row": inner(row),
    "inner-scalar": inner(s),
    "outer": outer(D),
    "outer-column": outer(col),
    "outer-row": outer(row),
    "outer-scalar": outer(s),
    "diag-of-column": to_diag((n, 1), n),
    "diag-of-row": to_diag((1, n), n),
    "diag-of-scalar": to_diag((1, 1), 1),
    "diagonal": diagonal(n, (n, 1)),
    "diagonal-as-row": diagonal(n, (1, n)),
    "diagonal-of-scalar": diagonal(1, (1, 1)),
    "kron-left": kron_left(K, X),
    "kron-left-column": kron_left(col, (p, 1)),
    "kron-left-row": kron_left(row, (p, 1)),
    "kron-left-of-row": kron_left(K, (1, n)),
    "kron-left-scalar": kron_left(s, X),
    "kron-right": kron_right(K, X),
    "kron-right-column": kron_right(col, (1, q)),
    "kron-right-row": kron_right(row, (p, q)),
    "kron-right-of-scalar": kron_right(K, (1, 1)),
    "block-inner": BlockInner(G.shape, X, K),
    "block-sum": BlockSum(G.shape, (p, q), D),
    "block-inner-by": BlockInnerBy((p, q), X, G),
    "block-sum-by": BlockSumBy(X, (p, q), G),
    "block-inner-by-one-block": BlockInnerBy((m, n), (1, 1), D),
    "block-sum-by-columns": BlockSumBy((m, 1), (1, n), D),
    "reshape": reshape((m, n), (m * n, 1)),
    "reshape-back": reshape((m * n, 1), (m, n)),
    "reshape-numbers": reshape((2, 3), (3, 2)),
    "slice": taking((4, 5), (2, 3), 2, 3),
    "slice-of-rows": taking((4, n), (2, n), 3, 1),
    "slice-of-row": taking((1, 5), (1, 2), 1, 4),
    "slice-of-everything": taking((2, 3), (2, 3), 1, 1),
    "place": placing((2, 3), (4, 5), 3, 1),
    "place-column": placing((n, 1), (n, 3), 1, 2),
    "vech": vech(3, 6),
    "vech-of-scalar": vech(1, 1),
    "unvech": unvech(4, 10),
    "frechet-expm": frechet("expm", P),
    "frechet-of-scalar": frechet("expm", s),
    "frechet-of-whole-power": frechet("matpow", P, core.number(4)),
    "sum": map_sum(sandwich(A, None, X), compose(sandwich(A, None, X), mask(D))),
    "compose": compose(outer(K), inner(D), mask(D)),
    "softmax-like": compose(mask(D), map_sum(identity(X), negated(compose(mask(D), mask(D))))),
    "compose-with-reshape": compose(sandwich(None, B, X), reshape((m * n, 1), X), reshape(X, (m * n, 1))),
}


def random_sample(seed: int = 0) -> Sample:
    """Random values of all the parameters."""
    rng = np.random.default_rng(seed)
    values = {v.params[0]: rng.normal(size=concrete(v.shape)) for v in VARIABLES}
    return Sample(D, values, dict(SIZES))


@pytest.mark.parametrize("name", MAPS)
def test_three_views(name: str) -> None:
    L, values = MAPS[name], random_sample()
    rng = np.random.default_rng(1)
    V, W = rng.normal(size=concrete(L.domain)), rng.normal(size=concrete(L.codomain))
    dX, dG = core.var("V", *L.domain), core.var("W", *L.codomain)
    forward, backward = values.at(apply(L, dX), V=V), values.at(apply(adjoint(L), dG), W=W)
    assert forward.shape == concrete(L.codomain)
    assert backward.shape == concrete(L.domain)
    assert close(np.sum(forward * W), np.sum(V * backward), 1e-12)
    check_map_matrix(L, values, V)
    check_map_matrix(adjoint(L), values, W)


@pytest.mark.parametrize("name", MAPS)
def test_shapes_of_the_adjoint(name: str) -> None:
    L = MAPS[name]
    assert (adjoint(L).domain, adjoint(L).codomain) == (L.codomain, L.domain)
    assert apply(L, core.var("V", *L.domain)).shape == L.codomain


@pytest.mark.parametrize("name", MAPS)
def test_matrices_are_the_factors(name: str) -> None:
    L, values = MAPS[name], random_sample()
    product: Expr = core.matmul(*matrices(L))
    assert close(values.at(product), values.at(matrix(L)), 1e-12)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("left-of-column", A),
        ("right-of-row", B.T),
        ("left", core.kron(core.eye("n"), A)),
        ("right", core.kron(B.T, core.eye("m"))),
        ("sandwich", core.kron(B.T, A)),
        ("transposition", core.commutation("m", "n")),
        ("transposition-of-column", core.eye("m")),
        ("mask", core.diag(core.vec(D))),
        ("mask-of-column", core.diag(col)),
        ("mask-of-scalar", s),
        ("inner", core.vec(D).T),
        ("inner-column", col.T),
        ("inner-row", row),
        ("outer-row", row.T),
        ("reshape", core.eye(m * n)),
        ("both-on-scalar", core.kron(row.T, col)),
    ],
)
def test_form_of_the_matrix(name: str, expected: Expr) -> None:
    assert matrix(MAPS[name]) is expected


# ------------------------------------------------------------------------------------------------ composition


def test_compose_is_matrix_product_and_reverses_under_adjoint() -> None:
    values = random_sample()
    L, M = sandwich(A, B, X), mask(D)
    both = compose(L, M)
    assert (both.domain, both.codomain) == (X, (p, q))
    J = values.at(matrix(both))
    assert close(J, values.at(matrix(L)) @ values.at(matrix(M)), 1e-12)
    assert close(values.at(matrix(adjoint(both))), J.T, 1e-12)
    assert [type(f) for f in adjoint(both).factors] == [type(M), type(L)]


def test_compose_flattens_and_drops_identities() -> None:
    M = mask(D)
    assert compose(identity(X), M) is M
    assert compose(M, identity(X)) is M
    assert isinstance(compose(identity(X), identity(X)), Identity)
    nested = compose(compose(M, M), compose(M, identity(X)))
    assert isinstance(nested, Compose)
    assert nested.factors == (M, M, M)


def test_zero_absorbs() -> None:
    found = compose(sandwich(A, B, X), zero((1, 1), X))
    assert isinstance(found, Zero)
    assert (found.domain, found.codomain) == ((1, 1), (p, q))
    assert map_sum(zero(X, X), mask(D)) == mask(D)
    assert isinstance(map_sum(zero(X, X), zero(X, X)), Zero)
    assert isinstance(scaled(s, zero(X, X)), Zero)


@dataclass(frozen=True, slots=True)
class Unfinished(LinearMap):
    """A map that brings none of its views."""


def test_errors() -> None:
    with pytest.raises(ShapeError):
        compose(mask(D), sandwich(A, B, X))
    with pytest.raises(ShapeError):
        apply(mask(D), col)
    with pytest.raises(ShapeError):
        sandwich(B, None, X)
    with pytest.raises(ShapeError):
        sandwich(None, A, X)
    with pytest.raises(ShapeError):
        frechet("expm", A)
    with pytest.raises(ShapeError):
        map_sum(mask(D), sandwich(A, None, X))
    with pytest.raises(ShapeError):
        reshape((m, n), (p, 1))
    with pytest.raises(ShapeError):
        scaled(col, mask(D))
    for view in (matrix, adjoint, lambda L: apply(L, D)):
        with pytest.raises(NoRuleError):
            view(Unfinished(X, X))


def test_long_chains_do_not_recurse() -> None:
    chain = compose(*[mask(D)] * 3000)
    assert len(matrices(chain)) == 3000
    assert len(adjoint(chain).factors) == 3000
    assert apply(chain, D).shape == X
