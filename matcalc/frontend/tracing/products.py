"""Matrix products of arrays of rank 0 to 2 as NumPy means them, and einsum."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from matcalc import core
from matcalc.dims import Dim, same
from matcalc.errors import MatcalcError, NoRuleError, ShapeError
from matcalc.expr import Expr
from matcalc.frontend.tracing.arrays import MATRIX, Value, multiply, reshaped, sizes_text
from matcalc.frontend.tracing.masks import Mask, as_numbers
from matcalc.frontend.tracing.tensors import RANK, Tensor, expanded, lifted, multiplied, refused
from matcalc.ops.products import matmul_

Thing = Value | Tensor


def matmul(first: Thing | Mask, second: Thing | Mask) -> Value:
    """a @ b: one-dimensional arrays are rows on the left and columns on the right."""
    a, b = (as_numbers(x) if isinstance(x, Mask) else x for x in (first, second))
    for x in (a, b):
        if isinstance(x, Tensor):
            raise refused(x.shape)
        if x.rank == 0:
            raise ShapeError("@ needs arrays, not numbers: write *")
    assert isinstance(a, Value)
    assert isinstance(b, Value)
    inner = a.shape[-1], b.shape[0]
    if not same(*inner):
        raise ShapeError(
            f"@: the shapes {sizes_text(a.shape)} and {sizes_text(b.shape)} do not fit: {inner[0]} and {inner[1]} "
            "need not be equal"
        )
    if a.rank == 1 and b.rank == MATRIX:
        return Value(core.product(core.transpose(b.expr), a.expr), (b.shape[1],))
    left = core.transpose(a.expr) if a.rank == 1 else a.expr
    return Value(_product(left, b.expr), (*a.shape[:-1], *b.shape[1:]))


def _product(A: Expr, B: Expr) -> Expr:
    return core.product(A, B) if A.is_scalar or B.is_scalar else matmul_(A, B)


def dot(a: Thing, b: Thing) -> Value:
    """np.dot: a product with a number, or a matrix product."""
    if isinstance(a, Value) and isinstance(b, Value) and 0 in (a.rank, b.rank):
        return multiply(a, b)
    return matmul(a, b)


def inner(a: Value, b: Value) -> Value:
    """np.inner: the sum over the last axes."""
    if 0 in (a.rank, b.rank):
        return multiply(a, b)
    return matmul(a, Value(core.transpose(b.expr), b.shape[::-1]) if b.rank == MATRIX else b)


def flat(a: Value) -> Value:
    """The entries row by row."""
    return reshaped(a, (-1,)) if a.rank != 1 else a


def vdot(a: Value, b: Value) -> Value:
    """The sum of products of entries."""
    if a.rank == 1 and b.rank == 1:
        return matmul(a, b)
    if a.rank == b.rank and all(map(same, a.shape, b.shape)):
        return Value(core.total(multiply(a, b).expr), ())
    return matmul(flat(a), flat(b))


def outer(a: Value, b: Value) -> Value:
    """The matrix of all products of entries."""
    u, v = flat(a), flat(b)
    return Value(_product(u.expr, core.transpose(v.expr)), (u.shape[0], v.shape[0]))


def kron(a: Value, b: Value) -> Value:
    """The Kronecker product; of one-dimensional arrays one-dimensional."""
    if a.rank != b.rank:
        raise ShapeError("kron of arrays of different rank: give both two axes")
    made = core.kron(a.expr, b.expr)
    return Value(made, made.shape if a.rank == MATRIX else (made.shape[0],))


def chain(factors: Sequence[Value]) -> Value:
    """np.linalg.multi_dot."""
    return reduce(matmul, factors)


# ------------------------------------------------------------------------------------------------ einsum


class Factor:
    """A matrix with a label on each axis: no label for a number, one for a column."""

    def __init__(self, labels: str, expr: Expr) -> None:
        self.labels, self.expr = labels, expr

    def oriented(self, labels: str) -> Expr:
        """The matrix with its axes in the order of `labels`; one label is a column or, second, a row."""
        if len(self.labels) == MATRIX:
            return self.expr if self.labels == labels else core.transpose(self.expr)
        return self.expr if len(labels) < MATRIX or self.labels == labels[0] else core.transpose(self.expr)


def einsum(subscripts: str, operands: Sequence[Value]) -> Thing:
    """The sum of products that the labels mean.

    Raises:
        NoRuleError: a step of it has more than two free indices; MatcalcError: the labels do not fit.
    """
    inputs, output, sizes = _labels(subscripts, operands)
    if len(output) == RANK and set("".join(inputs)) == set(output):
        return _tensor(inputs, output, operands, sizes)
    if len(output) > MATRIX:
        raise NoRuleError(f"einsum {subscripts!r} gives an array of rank {len(output)}: write it with matrices")
    factors = [_distinct(labels, a, inputs, output) for labels, a in zip(inputs, operands)]
    left = [label for label in dict.fromkeys("".join(f.labels for f in factors)) if label not in output]
    while left:
        label = min(left, key=lambda s: len(_others(factors, s)))
        others = _others(factors, label)
        if len(others) > MATRIX:
            raise NoRuleError(f"einsum {subscripts!r}: the sum over {label} is not a matrix product; write it in steps")
        mine = [f for f in factors if label in f.labels]
        factors = [f for f in factors if label not in f.labels]
        factors.append(Factor(others, _summed(mine, label, others)))
        left.remove(label)
    return _gathered(factors, output, sizes)


def _labels(subscripts: str, operands: Sequence[Value]) -> tuple[list[str], str, dict[str, Dim]]:
    if not isinstance(subscripts, str) or "." in subscripts:
        raise NoRuleError("einsum is read with labels for all axes, such as 'ij,jk->ik'")
    given, arrow, output = subscripts.replace(" ", "").partition("->")
    inputs = given.split(",")
    if not arrow:
        output = "".join(sorted(c for c in set(given) - {","} if given.count(c) == 1))
    if len(inputs) != len(operands):
        raise MatcalcError(f"einsum {subscripts!r} is for {len(inputs)} operands, got {len(operands)}")
    sizes: dict[str, Dim] = {}
    for labels, a in zip(inputs, operands):
        if not isinstance(a, Value) or len(labels) != a.rank:
            raise MatcalcError(f"einsum {subscripts!r}: {labels!r} does not fit an array of rank {a.rank}")
        for label, size in zip(labels, a.shape):
            if not same(sizes.setdefault(label, size), size):
                raise ShapeError(f"einsum: {label} is {sizes[label]} and {size}")
    if len(set(output)) != len(output) or not set(output) <= sizes.keys():
        raise MatcalcError(f"einsum {subscripts!r}: the output labels are not read")
    return inputs, output, sizes


def _distinct(labels: str, a: Value, inputs: list[str], output: str) -> Factor:
    """An operand with distinct labels: of 'ii' the diagonal, or the trace."""
    if len(labels) == MATRIX and labels[0] == labels[1]:
        if labels[0] in output or sum(labels[0] in other for other in inputs) > 1:
            return Factor(labels[0], core.diagvec(a.expr))
        return Factor("", core.trace(a.expr))
    return Factor(labels, a.expr)


def _others(factors: list[Factor], label: str) -> str:
    """The other labels of the factors that have a label."""
    return "".join(dict.fromkeys(c for f in factors if label in f.labels for c in f.labels if c != label))


def _combined(factors: list[Factor], labels: str) -> Expr | None:
    """The entrywise product of the factors on just these labels, in this order; None for no factor."""
    same_labels = [f.oriented(labels) for f in factors if set(f.labels) == set(labels)]
    return reduce(core.entrywise_product, same_labels) if same_labels else None


def _summed(mine: list[Factor], label: str, others: str) -> Expr:
    """The sum over a label of the product of factors that have it, on the other labels."""
    alone = _combined(mine, label)
    if not others:
        columns = [f.expr for f in mine]
        if len(columns) == 2:
            return matmul_(core.transpose(columns[0]), columns[1]) if not columns[0].is_scalar else core.scale(*columns)
        assert alone is not None
        return core.total(alone)
    first = _combined(mine, others[0] + label)
    assert first is not None
    if len(others) == 1:
        return core.total(first, 2) if alone is None else _product(first, alone)
    second = _combined(mine, label + others[1])
    assert second is not None
    if alone is not None:
        first = core.entrywise_product(first, core.transpose(alone))
    return _product(first, second)


def _gathered(factors: list[Factor], output: str, sizes: dict[str, Dim]) -> Value:
    """The product of what is left, on the output's labels."""
    shape = tuple(sizes[c] for c in output)
    vectors = [f for f in factors if len(f.labels) == 1]
    if len(output) == MATRIX and len(factors) == MATRIX == len(vectors) and vectors[0].labels != vectors[1].labels:
        first, second = sorted(vectors, key=lambda f: output.index(f.labels))
        return Value(_product(first.expr, core.transpose(second.expr)), shape)
    made = reduce(core.entrywise_product, [f.oriented(output) for f in factors])
    return Value(core.broadcast(made, (*shape, 1, 1)[:2]), shape)


def _tensor(inputs: list[str], output: str, operands: Sequence[Value], sizes: dict[str, Dim]) -> Tensor:
    """An array of rank 3 without any sum."""
    shape = [sizes[c] for c in output]
    parts: list[Tensor] = []
    for labels, a in zip(inputs, operands):
        if len(set(labels)) != len(labels):
            raise refused(shape)
        own = [d if c in labels else 1 for c, d in zip(output, shape)]
        parts.append(lifted(expanded(a, own, [output.index(c) for c in labels]), shape))
    return reduce(multiplied, parts)
