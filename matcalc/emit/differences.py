"""Differences of squares and of distances that a source spells out, without the squares that cancel.

With m = min(|r|, c), r .* r - relu(|r| - c).^2 is m .* (2 |r| - m) and r - relu(|r| - c) .* sign(r) is m .* sign(r):
Huber's loss and its slope. The sizes of the rows of X less 2 X X' are their squared distances.
"""

from __future__ import annotations

from itertools import permutations

from matcalc import core
from matcalc.core import minus, number, total
from matcalc.dims import is_one
from matcalc.emit.matching import constant_of
from matcalc.expr import Expr
from matcalc.ops.comparison import minimum
from matcalc.ops.elementwise import absolute
from matcalc.ops.pairs import pdist2
from matcalc.rewrite.terms import coefficient_and_rest, meaning

_SQUARE = 2


def without_squares(e: Expr) -> Expr | None:
    """The sum `e` with two such terms as one, or with three such terms as distances; None where there are none."""
    found = [coefficient_and_rest(t) for t in e.args]
    for i, k in permutations(range(len(e.args)), 2):
        (c, first), (d, second) = found[i], found[k]
        joint = None if first is None or second is None or c != -d else _capped(meaning(first), meaning(second))
        if joint is not None:
            rest = (a for n, a in enumerate(e.args) if n not in (i, k))
            return core.add(core.scale(number(c), joint), *rest)
    return _distances(e)


def _capped(first: Expr, second: Expr) -> Expr | None:
    """first - second, if that is m .* (2 |r| - m), its sum, or m .* sign(r)."""
    if second.op == "hadamard" and len(second.args) == 2:
        return _clipped(first, second)
    beyond = _squared(second)
    r = None if beyond is None else _squared(first)
    m = None if beyond is None or r is None else _cap(beyond, r)
    if m is None or r is None or first.shape != second.shape:
        return None
    times = core.scale if r.is_scalar else core.hadamard
    product = times(m, core.add(core.scale(number(2), absolute(r)), minus(m)))
    return product if product.shape == first.shape else total(product)


def _clipped(r: Expr, product: Expr) -> Expr | None:
    """r - relu(|r| - c) .* sign(r)"""
    for beyond, direction in permutations(product.args):
        m = _cap(beyond, r) if _is_sign(direction, r) else None
        if m is not None:
            return core.hadamard(m, direction)
    return None


def _is_sign(e: Expr, r: Expr) -> bool:
    e = meaning(e)
    return e.op == "sign" and meaning(e.args[0]) is meaning(r)


def _cap(beyond: Expr, r: Expr) -> Expr | None:
    """min(|r|, c) where the first is relu(|r| - c)."""
    beyond = meaning(beyond)
    inside = meaning(beyond.args[0]) if beyond.op == "relu" else None
    for a, b in (
        permutations(inside.args) if inside is not None and inside.op == "add" and len(inside.args) == 2 else ()
    ):
        if meaning(a).op == "abs" and meaning(meaning(a).args[0]) is meaning(r):
            return minimum(a, minus(b))
    return None


def _squared(e: Expr) -> Expr | None:
    """X where `e` is X .* X or the sum of its entries."""
    if e.op == "sum" and e.is_scalar:
        return _squared(meaning(e.args[0]))
    if e.op == "matmul" and len(e.args) == 2 and e.is_scalar:
        a, b = e.args
        return b if a.op == "transpose" and a.args[0] is b else None
    if e.op == "power" and constant_of(e.args[1]) == _SQUARE:
        base = meaning(e.args[0])
        return base.args[0] if base.op == "norm2" else e.args[0]
    return None


# ------------------------------------------------------------------------------------------------ distances


def _distances(e: Expr) -> Expr | None:
    """x_i'*x_i + z_j'*z_j - 2 x_i'*z_j, for the rows of X and Z."""
    for a, b, c in permutations(e.args) if len(e.args) == 3 else ():
        factor, product = coefficient_and_rest(c)
        if factor == -2 and product is not None and product.op == "matmul" and len(product.args) == 2:
            X, Z = product.args[0], _transposed(product.args[1])
            column, row = _repeated(a), _repeated(b)
            if Z is not None and _is_size(column, X) and _is_size(None if row is None else _transposed(row), Z):
                return pdist2(X, Z)
    return None


def _transposed(e: Expr) -> Expr | None:
    return e.args[0] if meaning(e).op == "transpose" else None


def _repeated(e: Expr) -> Expr | None:
    """What is repeated by a broadcast or by a product with ones."""
    e = meaning(e)
    if e.op == "broadcast":
        return e.args[0]
    if e.op == "matmul" and len(e.args) == 2:
        a, b = e.args
        return a if b.op == "ones" and is_one(b.shape[0]) else b if a.op == "ones" and is_one(a.shape[1]) else None
    return None


def _is_size(column: Expr | None, X: Expr) -> bool:
    """Whether a column has the squared lengths of the rows of X."""
    found = None if column is None else meaning(column)
    if found is None or found.op != "sum" or found.params[0] != 2:
        return False
    squared = _squared(meaning(found.args[0]))
    return squared is not None and meaning(squared) is meaning(X)
