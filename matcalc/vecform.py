"""The matrix of a linear map on column-major vec: `vec(L(dX)) = matrix(L) vec(dX)`.

In Kronecker, commutation and diagonal form, as an expression; nothing is simplified but identity factors dropped. With
`vec(A (x) B) = (I_n (x) K_{q,m} (x) I_p)(vec A (x) vec B)` for A m x n and B p x q.

Source: Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 2 and 3.
"""

from __future__ import annotations

from functools import reduce, singledispatch

from matcalc import core, map_kinds
from matcalc.dims import Dim, is_one, is_scalar, plus, same, times
from matcalc.errors import NoRuleError
from matcalc.expr import Expr, node, record
from matcalc.linop import adjoint
from matcalc.map_kinds import LinearMap


@singledispatch
def matrix(L: LinearMap) -> Expr:
    """The matrix of a map on vec: mn x pq for a map from p x q to m x n.

    A map of your own registers its form with `@matrix.register`.

    Raises:
        NoRuleError: the map does not say what its matrix is.
    """
    raise NoRuleError(f"{type(L).__name__} does not say what its matrix on vec is")


def matrices(L: LinearMap) -> list[Expr]:
    """The matrices whose product is `matrix(L)`: one for each map of a chain, identities left out."""
    factors = [matrix(f) for f in L.factors] if isinstance(L, map_kinds.Compose) else [matrix(L)]
    return [f for f in factors if f.op != "eye"] or factors[:1]


@matrix.register
def _(L: map_kinds.Identity) -> Expr:
    return core.eye(times(*L.domain))


@matrix.register
def _(L: map_kinds.Zero) -> Expr:
    return core.zeros(times(*L.codomain), times(*L.domain))


@matrix.register
def _(L: map_kinds.Scaled) -> Expr:
    return core.scale(L.factor, matrix(L.of))


@matrix.register
def _(L: map_kinds.Sandwich) -> Expr:
    left = core.eye(L.domain[0]) if L.left is None else L.left
    right = core.eye(L.domain[1]) if L.right is None else core.transpose(L.right)
    return _kron(right, left)


@matrix.register
def _(L: map_kinds.Transposition) -> Expr:
    m, n = L.domain
    return core.eye(times(m, n)) if is_one(m) or is_one(n) else core.commutation(m, n)


@matrix.register
def _(L: map_kinds.Mask) -> Expr:
    if is_scalar(L.domain):
        return L.by
    return core.diag(L.by if is_one(L.domain[0]) or is_one(L.domain[1]) else core.vec(L.by))


@matrix.register
def _(L: map_kinds.Inner) -> Expr:
    return L.by if is_one(L.domain[0]) else core.transpose(_vec(L.by))


@matrix.register
def _(L: map_kinds.Outer) -> Expr:
    return _vec(L.by)


@matrix.register
def _(L: map_kinds.ToDiag) -> Expr:
    return _selection(L.codomain[0])


@matrix.register
def _(L: map_kinds.Diagonal) -> Expr:
    selection = _selection(L.domain[0])
    return selection if selection.op == "eye" else core.transpose(selection)


@matrix.register
def _(L: map_kinds.KronLeft) -> Expr:
    (m, n), (p, q) = L.domain, L.right.shape
    return _product(_interleave(n, q, m, p), _kron(core.eye(times(m, n)), _vec(L.right)))


@matrix.register
def _(L: map_kinds.KronRight) -> Expr:
    (m, n), (p, q) = L.left.shape, L.domain
    return _product(_interleave(n, q, m, p), _kron(_vec(L.left), core.eye(times(p, q))))


@matrix.register(map_kinds.BlockInner)
@matrix.register(map_kinds.BlockSum)
def _(L: LinearMap) -> Expr:
    return core.transpose(matrix(adjoint(L)))


@matrix.register
def _(L: map_kinds.BlockInnerBy) -> Expr:
    return core.transpose(_block_columns(L.blocks, L.codomain, L.domain))


@matrix.register
def _(L: map_kinds.BlockSumBy) -> Expr:
    return _block_columns(L.blocks, L.domain, L.codomain)


@matrix.register
def _(L: map_kinds.DiagonalSums) -> Expr:
    basis = core.toeplitz_basis(L.domain[0])
    return core.matmul(basis, core.transpose(basis))


@matrix.register
def _(L: map_kinds.Reshape) -> Expr:
    return core.eye(times(*L.domain))


@matrix.register
def _(L: map_kinds.Slice) -> Expr:
    rows, columns = (_rows_of_identity(L.domain[k], L.codomain[k], (L.row, L.column)[k]) for k in (0, 1))
    return _kron(columns, rows)


@matrix.register(map_kinds.Place)
@matrix.register(map_kinds.Unvech)
def _(L: LinearMap) -> Expr:
    return core.transpose(matrix(adjoint(L)))


@matrix.register
def _(L: map_kinds.Vech) -> Expr:
    return core.elimination(L.domain[0])


@matrix.register
def _(L: map_kinds.Frechet) -> Expr:
    if L.exponent is not None:
        return record("frechetpowform")(L.at, L.exponent)
    return record("frechetform")(L.at, L.function)


@matrix.register
def _(L: map_kinds.Slope) -> Expr:
    return node(L.form, (L.at,), L.params)


@matrix.register
def _(L: map_kinds.Solution) -> Expr:
    return core.inverse(L.form(*L.at))


@matrix.register
def _(L: map_kinds.Sum) -> Expr:
    return core.add(*(matrix(t) for t in L.terms))


@matrix.register
def _(L: map_kinds.Compose) -> Expr:
    return core.matmul(*matrices(L))


# ------------------------------------------------------------------------------------------------ parts


def _kron(*factors: Expr) -> Expr:
    """The Kronecker product, without 1 x 1 identities and with neighbouring identities as one."""
    kept: list[Expr] = []
    for f in factors:
        if f.op == "eye" and kept and kept[-1].op == "eye":
            kept[-1] = core.eye(times(kept[-1].params[0], f.params[0]))
        elif not (f.op == "eye" and f.is_scalar):
            kept.append(f)
    return reduce(core.kron, kept) if kept else factors[0]


def _product(a: Expr, b: Expr) -> Expr:
    """a b, without identities."""
    return b if a.op == "eye" else a if b.op == "eye" else core.matmul(a, b)


def _rows_of_identity(n: Dim, count: Dim, first: Dim) -> Expr:
    """The rows from `first` of the n x n identity, `count` of them."""
    return core.eye(n) if same(n, count) else core.part(core.eye(n), first, plus(first, count, -1), 1, n)


def _vec(a: Expr) -> Expr:
    """vec(a): of a column itself, of a row its transpose."""
    return a if is_one(a.shape[1]) else core.transpose(a) if is_one(a.shape[0]) else core.vec(a)


def _selection(n: Dim) -> Expr:
    """S, n^2 x n, with diag(x) = unvec(S x)."""
    return core.eye(1) if is_one(n) else core.diagonal_selection(n)


def _interleave(n: Dim, q: Dim, m: Dim, p: Dim) -> Expr:
    """I_n (x) K_{q,m} (x) I_p; an identity where q or m is 1."""
    swap = core.eye(times(q, m)) if is_one(q) or is_one(m) else core.commutation(q, m)
    return _kron(core.eye(n), swap, core.eye(p))


def _block_columns(G: Expr, grid: tuple[Dim, Dim], block: tuple[Dim, Dim]) -> Expr:
    """The pq x mn matrix whose columns are vec(G_ij), for G of m x n blocks, each p x q."""
    (m, n), (p, q) = grid, block
    if is_one(m) and is_one(n):
        return _vec(G)
    stacked = _product(_interleave(n, m, q, p), core.vec(G))
    return core.reshape(stacked, times(p, q), times(m, n))
