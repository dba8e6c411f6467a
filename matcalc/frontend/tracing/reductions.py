"""Sums, means, extrema, norms and softmax along NumPy's axes."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from matcalc import core
from matcalc.dims import times
from matcalc.errors import MatcalcError, NoRuleError
from matcalc.expr import node
from matcalc.frontend.tracing.arrays import MATRIX, Value, divide, entrywise, multiply, power, root, subtract
from matcalc.frontend.tracing.arrays import number as as_number
from matcalc.frontend.tracing.tensors import Tensor, mapped, refused, scaled, squared, summed
from matcalc.ops.elementwise import absolute, sqrt
from matcalc.ops.reductions import max_, norm2, sum_
from matcalc.ops.selection import cumsum, slice_

Axes = tuple[int, ...]


def axes_of(axis: Any, rank: int) -> Axes:
    """The axes that are meant, counted from 0; all of them for None."""
    if axis is None:
        return tuple(range(rank))
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    try:
        found = tuple(sorted({index(a) + rank if index(a) < 0 else index(a) for a in given}))
    except TypeError:
        raise MatcalcError(f"an axis must be a whole number, got {axis!r}") from None
    if any(not 0 <= a < rank for a in found):
        raise MatcalcError(f"axis {axis} of an array of rank {rank}")
    return found


def reduced(
    operation: str, a: Value | Tensor, axis: Any = None, *, keepdims: bool = False, params: tuple[Any, ...] = ()
) -> Value | Tensor:
    """A reduction of the catalogue over some axes."""
    axes = axes_of(axis, a.rank)
    if isinstance(a, Tensor):
        return _of_tensor(operation, a, axes, keepdims=keepdims)
    if not axes:
        return a
    shape = [1 if k in axes else d for k, d in enumerate(a.shape)]
    kept = tuple(shape) if keepdims else tuple(d for k, d in enumerate(a.shape) if k not in axes)
    over = None if len(axes) == a.rank else axes[0] + 1
    made = node(operation, (a.expr,), (over, *params))
    return Value(core.transpose(made) if over == 1 and not keepdims else made, kept)


def _of_tensor(operation: str, a: Tensor, axes: Axes, *, keepdims: bool) -> Value | Tensor:
    if operation not in ("sum", "mean") or not axes:
        raise refused(a.shape)
    first, *rest = axes
    made = summed(a, first, keepdims=keepdims)
    if rest:
        made = reduced("sum", made, [k if keepdims else k - 1 for k in rest], keepdims=keepdims)
    if operation == "sum":
        return made
    factor = core.number(1 / core.exact_dim(times(*(a.shape[k] for k in axes))))
    return scaled(made, factor) if isinstance(made, Tensor) else multiply(Value(factor, ()), made)


def along(operation: str, a: Value, axis: Any = None, *params: Any) -> Value:
    """An operation along an axis that keeps the shape: softmax, cumulative sums; over all entries for None."""
    if a.rank == 0:
        raise NoRuleError(f"{operation} of a number")
    axes = axes_of(axis, a.rank)
    over = None if len(axes) == a.rank else axes[0] + 1
    return Value(node(operation, (a.expr,), (over, *params)), a.shape)


def cumulated(a: Value, axis: Any = None) -> Value:
    """Cumulative sums."""
    if a.rank == MATRIX and axis is None:
        raise NoRuleError("cumsum of a matrix without an axis flattens it: give the axis")
    over = axes_of(axis, a.rank)[0] + 1
    return Value(cumsum(a.expr, over), a.shape)


def norm(a: Value | Tensor, kind: Any = None, axis: Any = None, *, keepdims: bool = False) -> Value | Tensor:
    """A norm of a vector or matrix, or of rows or columns."""
    vector = a.rank == 1 or (axis is not None and len(axes_of(axis, a.rank)) == 1)
    if a.rank == 0:
        return entrywise("abs", a) if isinstance(a, Value) else a
    if vector:
        return _vector_norm(a, kind, axis, keepdims=keepdims)
    if isinstance(a, Tensor):
        raise refused(a.shape)
    if kind in (None, "fro", "nuc", 2):
        name = {None: "norm2", "fro": "norm2", "nuc": "normnuc", 2: "normspec"}[kind]
        return Value(node(name, (a.expr,)), (1,) * a.rank if keepdims else ())
    if kind in (1, float("inf")):
        sums = sum_(absolute(a.expr), 1 if kind == 1 else 2)
        return Value(max_(sums, None), ())
    raise NoRuleError(f"the matrix norm with ord={kind!r} is not known: write it with sums and singular values")


def _vector_norm(a: Value | Tensor, kind: Any, axis: Any, *, keepdims: bool) -> Value | Tensor:
    if kind in (None, 2, "fro"):
        if isinstance(a, Value) and a.rank == 1 and not keepdims:
            return Value(norm2(a.expr), ())
        square = squared(a) if isinstance(a, Tensor) else power(a, as_number(2))
        return rooted(reduced("sum", square, axis, keepdims=keepdims))
    if isinstance(a, Tensor):
        raise refused(a.shape)
    size = entrywise("abs", a)
    if kind == 1:
        return reduced("sum", size, axis, keepdims=keepdims)
    if kind in (float("inf"), float("-inf")):
        return reduced("max" if kind > 0 else "min", size, axis, keepdims=keepdims)
    if isinstance(kind, (int, float)) and kind > 0:
        total = reduced("sum", power(size, as_number(kind)), axis, keepdims=keepdims)
        assert isinstance(total, Value)
        return power(total, divide(as_number(1), as_number(kind)))
    raise NoRuleError(f"the norm with ord={kind!r} is not known: write it with sums of powers")


def rooted(a: Value | Tensor) -> Value | Tensor:
    """The square root of each entry."""
    return root(a) if isinstance(a, Value) else mapped(a, sqrt)


def averaged(a: Value, weights: Value, axis: Any = None) -> Value:
    """The weighted mean."""
    total = reduced("sum", multiply(a, weights), axis)
    weight = reduced("sum", weights, None if weights.rank < a.rank else axis)
    assert isinstance(total, Value)
    assert isinstance(weight, Value)
    return divide(total, weight)


def differences(a: Value) -> Value:
    """The differences of neighbours in a one-dimensional array."""
    if a.rank != 1:
        raise NoRuleError("diff of a matrix: write X[1:] - X[:-1]")
    n = core.exact_dim(a.shape[0])
    later = slice_(a.expr, 2, a.shape[0], 1, 1)
    earlier = slice_(a.expr, 1, n - 1, 1, 1)
    shape = (later.shape[0],)
    return subtract(Value(later, shape), Value(earlier, shape))


def product_of(a: Sequence[Any]) -> Any:
    """The product of some sizes."""
    return times(*a) if a else 1
