"""Sums, extremes and the like along axes, and what is made of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from typing import Any

from matcalc.serve.arrays.array import Shape, asarray, ndarray
from matcalc.serve.arrays.scalars import BOOL, FLOAT, INT, OBJECT, DType
from matcalc.serve.arrays.ufuncs import absolute, given_back, isfinite, maximum, minimum, sqrt

Rows = list[list[Any]]


def rows(of: ndarray, axis: Any) -> tuple[Rows, Shape, tuple[int, ...]]:
    """The entries in rows along some axes, the shape of what is left, and the axes."""
    taken = tuple(range(of.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if any(not -of.ndim <= k < of.ndim for k in taken):
        raise IndexError(f"axis {axis} is out of bounds for array of dimension {of.ndim}")
    taken = tuple(k % of.ndim for k in taken)
    kept = [k for k in range(of.ndim) if k not in taken]
    one = of.transpose([*kept, *taken]).entries() if of.ndim else of.entries()
    shape = tuple(of.shape[k] for k in kept)
    count, length = math.prod(shape), math.prod(of.shape[k] for k in taken)
    return [one[k * length : (k + 1) * length] for k in range(count)], shape, taken


def reduced(
    value: Any,
    axis: Any,
    keepdims: bool,
    function: Callable[[list[Any]], Any],
    gives: DType | None = None,
    out: Any = None,
) -> Any:
    """A function of each row along some axes."""
    of = asarray(value)
    parts, shape, taken = rows(of, axis)
    found = [function(part) for part in parts]
    if keepdims:
        shape = tuple(1 if k in taken else n for k, n in enumerate(of.shape))
    return given_back(found, shape, gives or of.dtype, out)


def _total(part: list[Any]) -> Any:
    return reduce(lambda x, y: x + y, part) if part else 0


def sum_(value: Any, axis: Any = None, keepdims: bool = False, out: Any = None, dtype: Any = None) -> Any:
    """The sum along some axes."""
    of = asarray(value)
    if of.dtype is OBJECT:
        return reduced(of, axis, keepdims, _total)
    made = INT if of.dtype is BOOL else of.dtype
    return reduced(of, axis, keepdims, lambda part: _added(part, made), made, out)


def _added(part: list[Any], of: DType) -> Any:
    start = of.plain(0)
    for x in part:
        start += x
    return start


def prod(value: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product along some axes."""
    of = asarray(value)
    made = INT if of.dtype is BOOL else of.dtype
    return reduced(of, axis, keepdims, lambda part: reduce(lambda x, y: x * y, part, made.plain(1)), made)


def _extreme(choose: Any, name: str) -> Callable[..., Any]:
    def extreme(value: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, out: Any = None) -> Any:
        def of_row(part: list[Any]) -> Any:
            start = [] if initial is None else [initial]
            if not part and not start:
                raise ValueError("zero-size array to reduction operation which has no identity")
            return reduce(choose, [*start, *part])

        of = asarray(value)
        return reduced(
            of, axis, keepdims, of_row, FLOAT if isinstance(initial, float) and of.dtype is INT else None, out
        )

    extreme.__name__ = name
    return extreme


max_ = _extreme(maximum.plain, "max")
min_ = _extreme(minimum.plain, "min")


def all_(value: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether no entry is 0."""
    return reduced(value, axis, keepdims, lambda part: False not in map(bool, part), BOOL)


def any_(value: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether some entry is not 0."""
    return reduced(value, axis, keepdims, lambda part: True in map(bool, part), BOOL)


def mean(value: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean along some axes."""
    of = asarray(value)
    return sum_(of, axis, keepdims) / _count(of, axis)


def _count(of: ndarray, axis: Any) -> float:
    taken = range(of.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return float(math.prod(of.shape[k] for k in taken)) or math.nan


def var(value: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """The variance along some axes."""
    of = asarray(value)
    total: Any = sum_(absolute(of - mean(of, axis, keepdims=True)) ** 2, axis, keepdims)
    left = _count(of, axis) - ddof
    return total / left if left > 0 else total * math.nan


def std(value: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """The standard deviation along some axes."""
    return sqrt(var(value, axis, ddof, keepdims))


def argmax(value: Any, axis: Any = None) -> Any:
    """The place of the first largest entry."""
    return reduced(value, axis, False, lambda part: _first(part, lambda x, y: x > y), INT)


def argmin(value: Any, axis: Any = None) -> Any:
    """The place of the first smallest entry."""
    return reduced(value, axis, False, lambda part: _first(part, lambda x, y: x < y), INT)


def _first(part: list[Any], better: Callable[[Any, Any], bool]) -> int:
    best = 0
    for k, x in enumerate(part):
        if x != x:
            return k
        if better(x, part[best]):
            best = k
    return best


def along(
    value: Any, axis: int | None, function: Callable[[list[Any]], list[Any]], gives: DType | None = None
) -> ndarray:
    """A function that makes a row of each row along an axis."""
    of = asarray(value)
    of, axis = (of.ravel(), 0) if axis is None else (of, axis % of.ndim)
    parts, shape, _ = rows(of, axis)
    made = [function(part) for part in parts]
    length = len(made[0]) if made else 0
    flat = ndarray([x for part in made for x in part], (*shape, length), gives or of.dtype)
    order = [*range(axis), of.ndim - 1, *range(axis, of.ndim - 1)]
    return flat.transpose(order)


def _running(step: Callable[[Any, Any], Any]) -> Callable[[list[Any]], list[Any]]:
    def row(part: list[Any]) -> list[Any]:
        made: list[Any] = []
        for x in part:
            made.append(step(made[-1], x) if made else x)
        return made

    return row


def cumsum(value: Any, axis: int | None = None) -> ndarray:
    """The sums of the first entries."""
    return along(value, axis, _running(lambda x, y: x + y))


def cumprod(value: Any, axis: int | None = None) -> ndarray:
    """The products of the first entries."""
    return along(value, axis, _running(lambda x, y: x * y))


def sort(value: Any, axis: int = -1) -> ndarray:
    """The entries in ascending order."""
    return along(value, axis, sorted)


def argsort(value: Any, axis: int = -1, **options: Any) -> ndarray:
    """The places of the entries in ascending order."""
    return along(value, axis, lambda part: sorted(range(len(part)), key=part.__getitem__), INT)


def count_nonzero(value: Any) -> int:
    """How many entries are not 0."""
    return len([x for x in asarray(value).entries() if x])


def allclose(first: Any, second: Any, rtol: float = 1e-5, atol: float = 1e-8) -> bool:
    """Whether two arrays agree up to rounding."""
    a: Any = asarray(first)
    b: Any = asarray(second)
    gap: Any = absolute(a - b)
    close = gap <= atol + rtol * absolute(b)
    return bool(all_(close | (a == b)) and all_(isfinite(b) | (a == b)))


def places(shape: Shape) -> list[tuple[int, ...]]:
    """The places of an array of a shape, row by row."""
    found: list[tuple[int, ...]] = [()]
    for n in shape:
        found = [(*place, k) for place in found for k in range(n)]
    return found
