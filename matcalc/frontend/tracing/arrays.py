"""Arrays of rank 0, 1 and 2 as expressions, with NumPy's broadcasting: what all three libraries' functions are read to.

Every expression is a matrix: a one-dimensional array of length n is a column n x 1 here, and becomes a row where it
meets a matrix, as NumPy aligns the last axes. The shape of the array stands beside the expression.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from numbers import Real
from typing import Any

import numpy as np
import sympy as sp

import matcalc.ops  # noqa: F401  (fills the registry, of which constants are built here)
from matcalc import core
from matcalc.dims import Dim, Shape, dim, is_one, plus, same, same_shape, times
from matcalc.errors import NoRuleError, ShapeError
from matcalc.expr import Expr, node
from matcalc.ops.products import reshape_
from matcalc.ops.selection import block

MATRIX = 2  # the highest rank that is a matrix
INFINITE = 10**30  # stands for infinity in masks: exp(-10^30) is 0
_PARTS_OF_PI = [sp.Rational(p, q) for p in range(1, 9) for q in range(1, 5)]


def matrix_shape(shape: Sequence[Dim]) -> Shape:
    """The shape of the matrix that holds an array."""
    if len(shape) > MATRIX:
        raise NoRuleError(f"an array of rank {len(shape)} is not a matrix")
    padded = (*shape, 1, 1)
    return padded[0], padded[1]


@dataclass(frozen=True, eq=False)
class Value:
    """An array of rank 0, 1 or 2: the expression of its matrix, and its shape."""

    expr: Expr
    shape: tuple[Dim, ...]

    def __post_init__(self) -> None:
        if not same_shape(self.expr.shape, matrix_shape(self.shape)):
            raise NoRuleError(f"an array of shape {sizes_text(self.shape)} came out as {self.expr.shape}")

    @property
    def rank(self) -> int:
        """The number of its axes."""
        return len(self.shape)

    @property
    def number(self) -> Any:
        """Its exact value, if it is one known number; else None."""
        return self.expr.number if not self.shape else None


def sizes_text(shape: Sequence[Dim]) -> str:
    """A shape as Python writes it: `(n, p)`."""
    inner = ", ".join(str(d).replace("**", "^") for d in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def number(value: Any) -> Value:
    """A number; multiples of pi, which floats cannot hold, are taken for what they are, and infinity for a huge one."""
    if isinstance(value, (float, np.floating)):
        value = float(value)
        if math.isinf(value):
            value = int(math.copysign(1, value)) * INFINITE
        else:
            value = next(
                (q * sp.pi * s for s in (1, -1) for q in _PARTS_OF_PI if s * float(q) * math.pi == value),
                _constants().get(value, value),
            )
    elif isinstance(value, np.generic):
        value = value.item()
    return Value(core.number(int(value) if isinstance(value, (bool, np.bool_)) else value), ())


@cache
def _constants() -> dict[float, Any]:
    """Constants of densities, as they are computed with floats: log(2 pi), sqrt(2), and simple multiples of them."""
    two, pi = sp.Integer(2), sp.pi
    exact = [sp.log(2 * pi), sp.log(pi), sp.log(two), sp.sqrt(two), sp.sqrt(2 * pi), sp.sqrt(pi), sp.sqrt(two / pi)]
    floats = [np.log(2 * np.pi), np.log(np.pi), np.log(2.0), np.sqrt(2.0), np.sqrt(2 * np.pi), np.sqrt(np.pi)]
    pairs = [*zip(exact, [*floats, np.sqrt(2 / np.pi)]), (1 / sp.sqrt(2 * pi), 1 / np.sqrt(2 * np.pi))]
    return {
        float(q) * float(x): q * e for e, x in pairs for n in (1, 2, -1, -2) for q in (sp.Integer(n), 1 / sp.Integer(n))
    }


def is_number(value: Any) -> bool:
    """Whether it is a real number, of Python or NumPy, and no array."""
    return isinstance(value, (Real, np.generic)) and not isinstance(value, np.ndarray)


def filled(value: Value, shape: Sequence[Dim]) -> Value:
    """A scalar repeated to a shape."""
    return Value(core.broadcast(value.expr, matrix_shape(shape)), tuple(shape))


def common_shape(shapes: Sequence[Sequence[Dim]], what: str) -> tuple[Dim, ...]:
    """The shape that arrays are broadcast to: the last axes are aligned, and an axis of length 1 stretches.

    Raises:
        ShapeError: two lengths differ, or cannot be known to be the same.
    """
    result: list[Dim] = [1] * max(map(len, shapes))
    for shape in shapes:
        for k, size in enumerate(reversed(shape), 1):
            if is_one(result[-k]):
                result[-k] = size
            elif not is_one(size) and not same(size, result[-k]):
                first = next(other for other in shapes if len(other) >= k and same(other[-k], result[-k]))
                raise ShapeError(
                    f"{what}: the shapes {sizes_text(first)} and {sizes_text(shape)} do not fit: NumPy aligns the "
                    f"last axes, and {result[-k]} and {size} need not be equal (v[:, None] makes a column of v)"
                )
    return tuple(result)


def aligned(value: Value, rank: int) -> Expr:
    """The matrix of an array among arrays of a rank: a one-dimensional one is a row among matrices."""
    return core.transpose(value.expr) if value.rank == 1 and rank == MATRIX and not value.expr.is_scalar else value.expr


def elementwise(what: str, build: Callable[..., Expr], *values: Value) -> Value:
    """An entrywise operation on arrays that are broadcast; `build` broadcasts rows and columns itself."""
    shape = common_shape([v.shape for v in values], what)
    made = build(*(aligned(v, len(shape)) for v in values))
    return Value(core.broadcast(made, matrix_shape(shape)), shape)


def spread(operation: str, *values: Value, params: tuple[Any, ...] = ()) -> Value:
    """An operation of the catalogue whose operands must have one shape."""
    shape = common_shape([v.shape for v in values], operation)
    exprs = [core.broadcast(aligned(v, len(shape)), matrix_shape(shape)) for v in values]
    return Value(node(operation, exprs, params), shape)


def entrywise(operation: str, value: Value, *params: Any) -> Value:
    """An entrywise function of the catalogue."""
    return Value(node(operation, (value.expr,), params), value.shape)


# ------------------------------------------------------------------------------------------------ arithmetic


def add(a: Value, b: Value) -> Value:
    """a + b."""
    return _folded(lambda x, y: x + y, a, b) or elementwise("+", core.plus, a, b)


def subtract(a: Value, b: Value) -> Value:
    """a - b."""
    return _folded(lambda x, y: x - y, a, b) or elementwise("-", core.difference, a, b)


def multiply(a: Value, b: Value) -> Value:
    """a * b, entry by entry."""
    return _folded(lambda x, y: x * y, a, b) or elementwise("*", core.entrywise_product, a, b)


def divide(a: Value, b: Value) -> Value:
    """a / b, entry by entry."""
    if b.number is not None and b.number != 0:
        return _folded(lambda x, y: x / y, a, b) or multiply(Value(core.number(1 / b.number), ()), a)
    return elementwise("/", core.entrywise_quotient, a, b)


def _folded(combine: Callable[[Any, Any], Any], a: Value, b: Value) -> Value | None:
    """Two known numbers combined; sizes of arrays are such numbers."""
    if a.number is None or b.number is None:
        return None
    return Value(core.number(combine(a.number, b.number)), ())


def negative(a: Value) -> Value:
    """-a."""
    return Value(core.minus(a.expr), a.shape) if a.number is None else Value(core.number(-a.number), ())


def power(a: Value, b: Value) -> Value:
    """a ** b, entry by entry."""
    if a.number is not None and b.number is not None:
        return Value(core.matrix_power(a.expr, b.expr), ())
    if b.number is not None and b.number == 1:
        return a
    if b.number is not None and b.number == sp.Rational(1, 2):
        return entrywise("sqrt", a)
    if not b.shape:
        return Value(core.power(a.expr, b.expr), a.shape)
    return spread("power", a, b)


def root(a: Value) -> Value:
    """The square root."""
    return power(a, number(0.5)) if a.number is not None else entrywise("sqrt", a)


# ------------------------------------------------------------------------------------------------ form


def transposed(a: Value) -> Value:
    """The axes in the other order: of a one-dimensional array itself."""
    return Value(core.transpose(a.expr), a.shape[::-1]) if a.rank == MATRIX else a


def reshaped(a: Value, shape: Sequence[Dim]) -> Value:
    """The same entries row by row in another shape; -1 stands for what is left.

    Raises:
        NoRuleError: the new shape is not a matrix; ShapeError: it has another number of entries.
    """
    wanted = list(shape)
    if len(wanted) > MATRIX:
        raise NoRuleError(f"reshape to rank {len(wanted)}: write it with matrices")
    count = times(*a.shape) if a.shape else 1
    unknown = [k for k, d in enumerate(wanted) if isinstance(d, int) and d == -1]
    if len(unknown) == 1:
        rest = times(*(d for d in wanted if not (isinstance(d, int) and d == -1)), 1)
        wanted[unknown[0]] = dim(sp.cancel(sp.sympify(count) / rest))
    target = tuple(map(dim, wanted))
    if not same(times(*target, 1), count):
        raise ShapeError(f"reshape: {sizes_text(a.shape)} and {sizes_text(target)} have other numbers of entries")
    if len(target) == a.rank and all(map(same, target, a.shape)):
        return a
    source, (m, n) = a.expr, matrix_shape(target)
    if same_shape(source.shape, (m, n)):
        return Value(source, target)
    if same_shape(source.shape, (n, m)) and (is_one(m) or is_one(n)):
        return Value(core.transpose(source), target)
    by_columns = source if is_one(source.shape[1]) else core.transpose(source)
    if is_one(n):
        return Value(core.vec(by_columns), target)
    return Value(core.transpose(reshape_(by_columns, n, m)), target)


def with_axes(a: Value, shape: Sequence[Dim]) -> Value:
    """The array with axes of length 1 put in or left out; the other axes keep their order."""
    target, rank = tuple(shape), len(shape)
    if rank <= MATRIX and same_shape(a.expr.shape, matrix_shape(target)):
        return Value(a.expr, target)
    return Value(core.transpose(a.expr), target)


def joined(parts: Sequence[Value], axis: int) -> Value:
    """Arrays one after the other along an axis that they have."""
    rank = parts[0].rank
    if rank == 0 or any(p.rank != rank for p in parts):
        raise ShapeError("concatenate needs arrays of one rank, at least 1")
    axis = axis + rank if axis < 0 else axis
    blocks = [p.expr for p in parts]
    made = block_matrix([[b] for b in blocks] if axis == 0 else [blocks])
    shape = list(parts[0].shape)
    shape[axis] = plus(*(p.shape[axis] for p in parts))
    return Value(made, tuple(shape))


def block_matrix(rows: list[list[Expr]]) -> Expr:
    """The block matrix; a single block is itself."""
    blocks = [b for row in rows for b in row]
    return blocks[0] if len(blocks) == 1 else block(*blocks, " ".join(str(len(row)) for row in rows))


def stacked(parts: Sequence[Value], axis: int = 0) -> Value:
    """Numbers as a one-dimensional array, one-dimensional arrays as the rows (or columns) of a matrix.

    Raises:
        NoRuleError: matrices are stacked, which has rank 3.
    """
    rank = parts[0].rank
    if rank >= MATRIX:
        raise NoRuleError(
            "a stack of matrices has rank 3: write the sum or the product over the matrices one by one (a Python list)"
        )
    if rank == 0:
        return joined([Value(p.expr, (1,)) for p in parts], 0)
    if axis in (0, -2):
        return joined([Value(core.transpose(p.expr), (1, *p.shape)) for p in parts], 0)
    return joined([Value(p.expr, (*p.shape, 1)) for p in parts], 1)
