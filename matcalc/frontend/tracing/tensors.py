"""Arrays of rank 3 that are sums of products of matrices: pairwise differences and the like.

`X[:, None, :] - Z[None, :, :]` has the entries X[i, k] - Z[j, k]. Such an array is kept as terms c * P[i, j] * A[i, k]
* B[j, k]; a sum over one of the axes makes a matrix of it again, and the sum of squared differences is `pdist2`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from matcalc import core
from matcalc.dims import Dim, is_one, same
from matcalc.errors import NoRuleError
from matcalc.expr import Expr
from matcalc.frontend.tracing.arrays import Value, common_shape, sizes_text
from matcalc.ops.pairs import pdist2
from matcalc.ops.products import matmul_

PAIRS = ((0, 1), (0, 2), (1, 2))
RANK = 3
ONE = core.number(1)


@dataclass(frozen=True, eq=False)
class Term:
    """A factor 1 x 1, and matrices on pairs of axes (None: ones)."""

    factor: Expr
    parts: tuple[Expr | None, Expr | None, Expr | None]


@dataclass(frozen=True, eq=False)
class Tensor:
    """An array of rank 3: the sum of its terms.

    Attributes:
        square_of: the array whose square this is, up to `factor`.
    """

    shape: tuple[Dim, Dim, Dim]
    terms: tuple[Term, ...]
    square_of: Tensor | None = None
    factor: Expr = ONE

    @property
    def rank(self) -> int:
        """3."""
        return RANK

    @property
    def number(self) -> None:
        """No number."""
        return None


def refused(shape: Sequence[Dim]) -> NoRuleError:
    """What is said of an array of rank 3 that is none of the known forms."""
    return NoRuleError(
        f"an array of rank {len(shape)}, {sizes_text(shape)}: only sums of products such as X[:, None, :] - Z[None, :, "
        ":], which are then squared or multiplied and summed over an axis, are read; write it with matrices"
    )


def expanded(value: Value, shape: Sequence[Dim], axes: Sequence[int]) -> Tensor:
    """An array of rank at most 2 whose axes are those axes of one of rank 3, the others of length 1."""
    full = (shape[0], shape[1], shape[2])
    parts: list[Expr | None] = [None, None, None]
    factor = ONE
    if value.rank == 0:
        factor = value.expr
    elif value.rank == 1:
        axis = axes[0]
        pair = next(p for p in PAIRS if axis in p)
        sizes = (full[pair[0]], full[pair[1]])
        column = value.expr if pair[0] == axis else core.transpose(value.expr)
        parts[PAIRS.index(pair)] = core.broadcast(column, sizes)
    else:
        a, b = axes
        e = value.expr if a < b else core.transpose(value.expr)
        parts[PAIRS.index((min(a, b), max(a, b)))] = e
    return Tensor(full, (Term(factor, (parts[0], parts[1], parts[2])),))


def lifted(value: Value | Tensor, shape: Sequence[Dim]) -> Tensor:
    """An array broadcast to a shape of rank 3."""
    if isinstance(value, Tensor):
        return _stretched(value, shape)
    offset = RANK - value.rank
    return _stretched(expanded(value, (1,) * offset + value.shape, list(range(offset, RANK))), shape)


def _stretched(t: Tensor, shape: Sequence[Dim]) -> Tensor:
    full = (shape[0], shape[1], shape[2])
    terms = []
    for term in t.terms:
        parts = [
            None if part is None else core.broadcast(part, (full[a], full[b]))
            for part, (a, b) in zip(term.parts, PAIRS)
        ]
        terms.append(Term(term.factor, (parts[0], parts[1], parts[2])))
    square = None if t.square_of is None else _stretched(t.square_of, shape)
    return Tensor(full, tuple(terms), square, t.factor)


def _both(what: str, a: Value | Tensor, b: Value | Tensor) -> tuple[Tensor, Tensor]:
    shape = common_shape([a.shape, b.shape], what)
    if len(shape) != RANK:
        raise refused(shape)
    return lifted(a, shape), lifted(b, shape)


def added(a: Value | Tensor, b: Value | Tensor) -> Tensor:
    """The sum."""
    x, y = _both("+", a, b)
    return Tensor(x.shape, (*x.terms, *y.terms))


def scaled(t: Tensor, factor: Expr) -> Tensor:
    """The array times a number."""
    terms = tuple(Term(core.product(factor, term.factor), term.parts) for term in t.terms)
    return replace(t, terms=terms, factor=core.product(factor, t.factor))


def multiplied(a: Value | Tensor, b: Value | Tensor) -> Tensor:
    """The entrywise product."""
    for x, y in ((a, b), (b, a)):
        if isinstance(x, Tensor) and isinstance(y, Value) and y.expr.is_scalar and all(map(is_one, y.shape)):
            return scaled(x, y.expr)
    x, y = _both("*", a, b)
    terms = [
        Term(core.product(s.factor, t.factor), (_times(s, t, 0), _times(s, t, 1), _times(s, t, 2)))
        for s in x.terms
        for t in y.terms
    ]
    return Tensor(x.shape, tuple(terms), square_of=x if a is b else None)


def _times(s: Term, t: Term, k: int) -> Expr | None:
    p, q = s.parts[k], t.parts[k]
    return q if p is None else p if q is None else core.entrywise_product(p, q)


def squared(t: Tensor) -> Tensor:
    """The square of each entry."""
    return multiplied(t, t)


def mapped(t: Tensor, function: Any) -> Tensor:
    """A function of each entry, where each entry depends on two indices only.

    Raises:
        NoRuleError: it depends on all three.
    """
    if len(t.terms) == 1 and sum(part is not None for part in t.terms[0].parts) == 1:
        term = t.terms[0]
        parts = [None if p is None else function(core.product(term.factor, p)) for p in term.parts]
        return Tensor(t.shape, (Term(ONE, (parts[0], parts[1], parts[2])),))
    raise refused(t.shape)


def summed(t: Tensor, axis: int, *, keepdims: bool = False) -> Value | Tensor:
    """The sum over an axis: a matrix."""
    rest = [k for k in range(RANK) if k != axis]
    shape = (t.shape[rest[0]], t.shape[rest[1]])
    total = _distances(t, axis, shape)
    if total is None:
        pieces = [core.product(term.factor, _contracted(term, axis, t.shape)) for term in t.terms]
        total = pieces[0] if len(pieces) == 1 else core.add(*pieces)
    made = Value(total, shape)
    if not keepdims:
        return made
    return expanded(made, [1 if k == axis else d for k, d in enumerate(t.shape)], rest)


def _contracted(term: Term, axis: int, sizes: tuple[Dim, Dim, Dim]) -> Expr:
    """The sum of one term over an axis, on the two axes that are left."""
    first, second = (k for k in range(RANK) if k != axis)
    kept = term.parts[PAIRS.index((first, second))]
    left, right = _oriented(term, first, axis), _oriented(term, second, axis)
    m, n, inner = sizes[first], sizes[second], sizes[axis]
    if left is None and right is None:
        made = core.broadcast(core.number(inner), (m, n))
    elif right is None and left is not None:
        made = core.broadcast(core.total(left, 2), (m, n))
    elif left is None and right is not None:
        made = core.broadcast(core.transpose(core.total(right, 2)), (m, n))
    else:
        assert left is not None
        assert right is not None
        made = matmul_(left, core.transpose(right))
    return made if kept is None else core.entrywise_product(kept, made)


def _oriented(term: Term, row: int, column: int) -> Expr | None:
    """The part on two axes as a matrix with the rows along `row`."""
    part = term.parts[PAIRS.index((min(row, column), max(row, column)))]
    return part if part is None or row < column else core.transpose(part)


def _distances(t: Tensor, axis: int, shape: tuple[Dim, Dim]) -> Expr | None:
    """The sums of squared differences as `pdist2`, where the array is a difference of two matrices, squared."""
    inner = t.square_of
    if inner is None or len(inner.terms) != 2:
        return None
    first, second = (k for k in range(RANK) if k != axis)
    sides: dict[int, Expr] = {}
    for term in inner.terms:
        for side in (first, second):
            part = _oriented(term, side, axis)
            if part is not None and sum(p is not None for p in term.parts) == 1:
                sides[side] = core.product(term.factor, part) if term.factor is not ONE else part
    if sides.keys() != {first, second}:
        return None
    right = sides[second]
    opposite = right.args[1] if right.op == "scale" and right.args[0] is core.number(-1) else core.minus(right)
    made = pdist2(sides[first], opposite)
    assert same(made.shape[0], shape[0])
    return core.product(t.factor, made) if t.factor is not ONE else made
