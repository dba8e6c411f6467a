"""Arrays from nothing, from other arrays, and from their parts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from matcalc.serve.arrays.array import asarray, broadcast_to, common_shape, ndarray, nonzero
from matcalc.serve.arrays.reductions import places
from matcalc.serve.arrays.scalars import BOOL, FLOAT, INT, DType, joined, type_of
from matcalc.serve.arrays.ufuncs import given_back


def _shape(given: Any) -> tuple[int, ...]:
    return (int(given),) if isinstance(given, int) else tuple(int(n) for n in given)


def array(value: Any, dtype: Any = None, copy: bool = True, ndmin: int = 0) -> ndarray:
    """A copy of a value as an array."""
    made = asarray(value, dtype).copy()
    return made.reshape((1,) * (ndmin - made.ndim) + made.shape) if made.ndim < ndmin else made


def full(shape: Any, value: Any, dtype: Any = None) -> ndarray:
    """An array with the same value everywhere."""
    given, sizes = asarray(value), _shape(shape)
    made = broadcast_to(given, sizes).copy()
    return made if dtype is None else made.astype(dtype, copy=False)


def zeros(shape: Any, dtype: Any = float) -> ndarray:
    """An array of zeros."""
    return full(shape, _type(dtype).plain(0))


def ones(shape: Any, dtype: Any = float) -> ndarray:
    """An array of ones."""
    return full(shape, _type(dtype).plain(1))


def empty(shape: Any, dtype: Any = float) -> ndarray:
    """An array that is going to be set."""
    of = _type(dtype)
    made = full(shape, 0.0 if of.kind == "O" else of.plain(0))
    return ndarray(made.buffer, made.shape, of)


def _type(given: Any) -> DType:
    return type_of(FLOAT if given is None else given)


def zeros_like(value: Any, dtype: Any = None) -> ndarray:
    """Zeros in the shape of an array."""
    of = asarray(value)
    return zeros(of.shape, dtype or of.dtype)


def ones_like(value: Any, dtype: Any = None) -> ndarray:
    """Ones in the shape of an array."""
    of = asarray(value)
    return ones(of.shape, dtype or of.dtype)


def full_like(value: Any, filling: Any, dtype: Any = None) -> ndarray:
    """One value in the shape of an array."""
    of = asarray(value)
    return full(of.shape, filling, dtype or of.dtype)


def empty_like(value: Any, dtype: Any = None) -> ndarray:
    """An array in the shape of another, that is going to be set."""
    of = asarray(value)
    return empty(of.shape, dtype or of.dtype)


def arange(*given: Any, dtype: Any = None) -> ndarray:
    """The numbers of a range."""
    if all(isinstance(x, int) for x in given):
        made = ndarray([*range(*given)], (len(range(*given)),), INT)
    else:
        start, stop, step = (0, *given, 1) if len(given) == 1 else (*given, 1)[:3]
        count = max(0, math.ceil((stop - start) / step))
        made = ndarray([float(start + k * step) for k in range(count)], (count,), FLOAT)
    return made if dtype is None else made.astype(dtype)


def linspace(start: float, stop: float, count: int = 50) -> ndarray:
    """Numbers at equal distances."""
    step = (stop - start) / max(count - 1, 1)
    return ndarray([float(start + k * step) for k in range(count)], (count,), FLOAT)


def eye(n: int, m: int | None = None, k: int = 0, dtype: Any = float) -> ndarray:
    """The identity."""
    columns = n if m is None else m
    one, zero = _type(dtype).plain(1), _type(dtype).plain(0)
    entries = [one if j - i == k else zero for i in range(n) for j in range(columns)]
    return ndarray(entries, (n, columns), _type(dtype))


def diag(value: Any, k: int = 0) -> ndarray:
    """The diagonal matrix of a vector, or the diagonal of a matrix."""
    of = asarray(value)
    if of.ndim == 2:
        return of.diagonal().copy()
    made = zeros((of.size, of.size), of.dtype)
    made.diagonal().put(of.entries())
    return made


def diagonal(value: Any) -> ndarray:
    """The diagonal of a matrix."""
    return asarray(value).diagonal()


def fill_diagonal(of: ndarray, value: Any) -> None:
    """Set the diagonal of a matrix."""
    of.diagonal()[...] = value


def trace(value: Any) -> Any:
    """The sum of the diagonal."""
    return asarray(value).diagonal().sum()  # type: ignore[attr-defined]


def _triangle(value: Any, keep: Any) -> ndarray:
    of = asarray(value)
    zero = of.dtype.plain(0)
    columns = of.shape[-1]
    entries = [x if keep(*divmod(k, columns)) else zero for k, x in enumerate(of.entries())]
    return ndarray(entries, of.shape, of.dtype)


def tril(value: Any, k: int = 0) -> ndarray:
    """The lower triangle."""
    return _triangle(value, lambda i, j: j - i <= k)


def triu(value: Any, k: int = 0) -> ndarray:
    """The upper triangle."""
    return _triangle(value, lambda i, j: j - i >= k)


def triu_indices(n: int, k: int = 0) -> tuple[ndarray, ndarray]:
    """The places of the upper triangle."""
    return _split([(i, j) for i in range(n) for j in range(n) if j - i >= k])


def tril_indices(n: int, k: int = 0) -> tuple[ndarray, ndarray]:
    """The places of the lower triangle."""
    return _split([(i, j) for i in range(n) for j in range(n) if j - i <= k])


def _split(found: list[tuple[int, int]]) -> tuple[ndarray, ndarray]:
    first, second = ([place[k] for place in found] for k in (0, 1))
    return ndarray(first, (len(found),), INT), ndarray(second, (len(found),), INT)


def indices(shape: Any) -> ndarray:
    """The places of all entries, an array for each axis."""
    sizes = _shape(shape)
    found = places(sizes)
    return ndarray([place[k] for k in range(len(sizes)) for place in found], (len(sizes), *sizes), INT)


def ndindex(*shape: Any) -> Iterator[tuple[int, ...]]:
    """The places of all entries."""
    return iter(places(_shape(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else _shape(shape)))


def ix_(*parts: Any) -> tuple[ndarray, ...]:
    """The keys that choose some places along each axis."""
    made = []
    for k, part in enumerate(parts):
        of = asarray(part)
        of = nonzero(of)[0] if of.dtype is BOOL else of
        made.append(of.reshape([of.size if j == k else 1 for j in range(len(parts))]))
    return tuple(made)


def where(mask: Any, *choices: Any) -> Any:
    """The entries of one array where a mask holds, those of another elsewhere; with the mask alone, its places."""
    of = asarray(mask)
    if not choices:
        return tuple(nonzero(of))
    yes, no = map(asarray, choices)
    shape = common_shape(of.shape, yes.shape, no.shape)
    columns = [broadcast_to(part, shape).entries() for part in (of, yes, no)]
    kind = joined(yes.dtype, no.dtype)
    entries = [kind.plain(x if chosen else y) for chosen, x, y in zip(*columns)]
    return ndarray(entries, shape, kind)


def clip(value: Any, low: Any, high: Any) -> Any:
    """The entries, moved into an interval."""
    of = asarray(value)
    entries = [x if x != x else max(low, min(x, high)) for x in of.entries()]
    return given_back([of.dtype.plain(x) for x in entries], of.shape, of.dtype)


# ------------------------------------------------------------------------------------------------ together


def concatenate(parts: Sequence[Any], axis: int = 0) -> ndarray:
    """Arrays one after the other along an axis."""
    arrays = [asarray(part) for part in parts]
    axis %= arrays[0].ndim
    shape = list(arrays[0].shape)
    for part in arrays[1:]:
        if [n for k, n in enumerate(part.shape) if k != axis] != [n for k, n in enumerate(shape) if k != axis]:
            raise ValueError("all the input array dimensions except for the concatenation axis must match exactly")
    shape[axis] = sum(part.shape[axis] for part in arrays)
    made, start = empty(shape, joined(*(part.dtype for part in arrays))), 0
    for part in arrays:
        made[(slice(None),) * axis + (slice(start, start + part.shape[axis]),)] = part
        start += part.shape[axis]
    return made


def stack(parts: Sequence[Any], axis: int = 0) -> ndarray:
    """Arrays one after the other along a new axis."""
    arrays = [asarray(part) for part in parts]
    axis %= arrays[0].ndim + 1
    return concatenate([part[(slice(None),) * axis + (None,)] for part in arrays], axis)


def hstack(parts: Sequence[Any]) -> ndarray:
    """Arrays beside each other."""
    arrays = [asarray(part) for part in parts]
    return concatenate(arrays, 0 if arrays[0].ndim == 1 else 1)


def vstack(parts: Sequence[Any]) -> ndarray:
    """Arrays below each other."""
    return concatenate([atleast_2d(part) for part in parts], 0)


def block(parts: Any) -> ndarray:
    """Nested lists of blocks as one array."""
    if not isinstance(parts, list):
        return atleast_2d(parts)
    if isinstance(parts[0], list):
        return concatenate([block(row) for row in parts], 0)
    return concatenate([atleast_2d(part) for part in parts], 1)


def atleast_1d(value: Any) -> ndarray:
    """An array with an axis."""
    of = asarray(value)
    return of if of.ndim else of.reshape((1,))


def atleast_2d(value: Any) -> ndarray:
    """An array with two axes."""
    of = asarray(value)
    return of if of.ndim >= 2 else of.reshape((1, of.size))


def tile(value: Any, times: Any) -> ndarray:
    """An array repeated along its axes."""
    of = asarray(value)
    counts = _shape(times)
    counts = (1,) * (of.ndim - len(counts)) + counts
    of = of.reshape((1,) * (len(counts) - of.ndim) + of.shape)
    for axis, count in enumerate(counts):
        of = concatenate([of] * count, axis)
    return of


def repeat(value: Any, times: int, axis: int | None = None) -> ndarray:
    """Every entry several times."""
    of = asarray(value)
    of, axis = (of.ravel(), 0) if axis is None else (of, axis)
    chosen = [k for k in range(of.shape[axis]) for _ in range(times)]
    found: ndarray = of[(slice(None),) * axis + (asarray(chosen),)]
    return found


def delete(value: Any, place: int, axis: int) -> ndarray:
    """An array without one row or column."""
    of = asarray(value)
    kept = [k for k in range(of.shape[axis]) if k != place % of.shape[axis]]
    found: ndarray = of[(slice(None),) * axis + (asarray(kept) if kept else ndarray([], (0,), INT),)]
    return found


def moveaxis(value: Any, source: int, target: int) -> ndarray:
    """An axis moved to another place."""
    of = asarray(value)
    order = [k for k in range(of.ndim) if k != source % of.ndim]
    order.insert(target % of.ndim, source % of.ndim)
    return of.transpose(order)


def take_along_axis(value: Any, places: Any, axis: int) -> ndarray:
    """The entries at places that are given along an axis."""
    of, chosen = asarray(value), asarray(places)
    keys = list(indices(chosen.shape))
    keys[axis] = chosen
    found: ndarray = of[tuple(keys)]
    return found


def ravel(value: Any, order: str = "C") -> ndarray:
    """The entries on one axis."""
    return asarray(value).ravel(order)


def reshape(value: Any, shape: Any, order: str = "C") -> ndarray:
    """The entries in another shape."""
    return asarray(value).reshape(shape, order=order)


def transpose(value: Any, axes: Any = None) -> ndarray:
    """The transpose."""
    return asarray(value).transpose(axes) if axes is not None else asarray(value).transpose()


def squeeze(value: Any) -> ndarray:
    """The same without axes of size 1."""
    return asarray(value).squeeze()


def flatnonzero(value: Any) -> ndarray:
    """The places of the entries that are not 0."""
    return nonzero(asarray(value).ravel())[0]


def shape(value: Any) -> tuple[int, ...]:
    """The sizes of an array."""
    return asarray(value).shape


def ndim(value: Any) -> int:
    """How many axes an array has."""
    return asarray(value).ndim


def size(value: Any) -> int:
    """How many entries an array has."""
    return asarray(value).size


def real(value: Any) -> Any:
    """The real parts."""
    return value if isinstance(value, (int, float)) else asarray(value).real  # type: ignore[attr-defined]


def iscomplexobj(value: Any) -> bool:
    """Whether the entries are complex numbers."""
    return asarray(value).dtype.kind == "c"


def isrealobj(value: Any) -> bool:
    """Whether they are not."""
    return not iscomplexobj(value)


def around(value: Any, decimals: int = 0) -> Any:
    """The entries rounded."""
    of = asarray(value)
    entries = [x if isinstance(x, int) or not math.isfinite(x) else round(x, decimals) for x in of.entries()]
    return given_back(entries, of.shape, of.dtype)
