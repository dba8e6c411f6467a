"""Arrays in Python alone: a list of entries, and how it is walked through; slices and transposes share the list."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

from matcalc.serve.arrays.scalars import BOOL, FLOAT, INT, OBJECT, DType, boxed, generic, joined, of_entry, type_of

Shape = tuple[int, ...]


def row_major(shape: Shape) -> Shape:
    """The steps through a list that has the entries row by row."""
    steps, step = [], 1
    for n in reversed(shape):
        steps.append(step)
        step *= n
    return tuple(reversed(steps))


class ndarray:  # noqa: N801  (NumPy's name)
    """An array.

    Attributes:
        buffer: the entries, and perhaps others.
        shape: its sizes.
        strides: by how many places of the list the next entry along each axis is away.
        offset: where the first entry is.
        dtype: the type of the entries.
    """

    __slots__ = ("buffer", "dtype", "offset", "shape", "strides")
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self, buffer: list[Any], shape: Shape, of: DType, strides: Shape | None = None, offset: int = 0
    ) -> None:
        self.buffer, self.shape, self.dtype, self.offset = buffer, shape, of, offset
        self.strides = row_major(shape) if strides is None else strides

    def __class_getitem__(cls, entries: Any) -> type:
        return cls

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many entries it has."""
        return prod(self.shape)

    @property
    def itemsize(self) -> int:
        """The bytes of an entry."""
        return self.dtype.itemsize

    @property
    def contiguous(self) -> bool:
        """Whether its entries stand row by row."""
        return self.strides == row_major(self.shape) or self.size == 0

    def places(self) -> list[int]:
        """Where its entries are in the list, row by row."""
        return outer_sum(self.offset, [range(0, n * s, s) if s else [0] * n for n, s in zip(self.shape, self.strides)])

    def entries(self) -> list[Any]:
        """Its entries row by row."""
        if self.contiguous:
            return self.buffer[self.offset : self.offset + self.size]
        buffer = self.buffer
        return [buffer[k] for k in self.places()]

    def put(self, values: list[Any]) -> None:
        """Set its entries, given row by row."""
        if self.contiguous:
            self.buffer[self.offset : self.offset + self.size] = values
            return
        for k, value in zip(self.places(), values):
            self.buffer[k] = value

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))

    def item(self, *place: int) -> Any:
        """Its only entry, or the one at a place."""
        if place:
            return self[place[0] if len(place) == 1 else place].item()
        if self.size != 1:
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        return self.buffer[self.offset]

    def tolist(self) -> Any:
        """Nested lists of numbers."""
        return self.item() if not self.shape else [part.tolist() if self.ndim > 1 else part for part in self._parts()]

    def _parts(self) -> list[Any]:
        return self.entries() if self.ndim == 1 else list(self)

    def view(self, shape: Shape, strides: Shape) -> ndarray:
        """The same entries in another order."""
        return ndarray(self.buffer, shape, self.dtype, strides, self.offset)

    def copy(self, order: str = "C") -> ndarray:
        """The same entries in a list of their own."""
        return ndarray(self.entries(), self.shape, self.dtype)

    def astype(self, of: Any, copy: bool = True) -> ndarray:
        """The same with entries of another type."""
        wanted = type_of(of)
        if wanted is self.dtype:
            return self.copy() if copy else self
        if self.dtype.kind == "c" and wanted is not OBJECT:
            return ndarray([wanted.plain(x.real) for x in self.entries()], self.shape, wanted)
        return ndarray([wanted.plain(x) for x in self.entries()], self.shape, wanted)

    def reshape(self, *shape: Any, order: str = "C") -> ndarray:
        """The same entries in another shape; a size of -1 is what is left."""
        given = tuple(map(int, shape[0])) if len(shape) == 1 and not isinstance(shape[0], int) else tuple(shape)
        if -1 in given:
            rest = prod(n for n in given if n != -1)
            given = tuple(self.size // rest if n == -1 else int(n) for n in given)
        if prod(given) != self.size:
            raise ValueError(f"cannot reshape array of size {self.size} into shape {given}")
        if order == "F":
            backwards = tuple(reversed(range(self.ndim)))
            return self.transpose(backwards).reshape(given[::-1]).transpose()
        if self.contiguous:
            return self.view(given, row_major(given))
        return ndarray(self.entries(), given, self.dtype)

    def ravel(self, order: str = "C") -> ndarray:
        """Its entries on one axis."""
        return self.reshape((self.size,), order=order)

    def flatten(self, order: str = "C") -> ndarray:
        """Its entries on one axis, in a list of their own."""
        return self.ravel(order).copy()

    def transpose(self, *axes: Any) -> ndarray:
        """The same with its axes in another order, backwards where none is given."""
        order = axes[0] if len(axes) == 1 and axes[0] is not None and not isinstance(axes[0], int) else axes
        order = [k % self.ndim for k in order] if order and order[0] is not None else range(self.ndim)[::-1]
        return self.view(tuple(self.shape[k] for k in order), tuple(self.strides[k] for k in order))

    @property
    def T(self) -> ndarray:
        """The transpose."""
        return self.transpose()

    def swapaxes(self, first: int, second: int) -> ndarray:
        """The same with two axes exchanged."""
        order = list(range(self.ndim))
        order[first], order[second] = order[second], order[first]
        return self.transpose(order)

    def squeeze(self) -> ndarray:
        """The same without the axes of size 1."""
        kept = [k for k, n in enumerate(self.shape) if n != 1]
        return self.view(tuple(self.shape[k] for k in kept), tuple(self.strides[k] for k in kept))

    def diagonal(self) -> ndarray:
        """The diagonal of a matrix; it shares the entries."""
        (m, n), (down, right) = self.shape, self.strides
        return self.view((min(m, n),), (down + right,))

    def fill(self, value: Any) -> None:
        """Set all entries."""
        self[...] = value

    @property
    def flat(self) -> Flat:
        """Its entries in one row, which can be set."""
        return Flat(self)

    # -------------------------------------------------------------------------------------------- places

    def __getitem__(self, key: Any) -> Any:
        keys, plain = expanded(key, self.ndim)
        if plain:
            made = self._sliced(keys)
            return (
                boxed(made.buffer[made.offset], made.dtype) if not made.shape and Ellipsis not in _given(key) else made
            )
        places, shape = self._chosen(keys)
        return ndarray([self.buffer[k] for k in places], shape, self.dtype)

    def __setitem__(self, key: Any, value: Any) -> None:
        keys, plain = expanded(key, self.ndim)
        if plain:
            part = self._sliced(keys)
            places, shape = part.places(), part.shape
        else:
            places, shape = self._chosen(keys)
        given = asarray(value)
        while given.ndim > len(shape) and given.shape[0] == 1:
            given = given[0] if given.ndim > 1 else asarray(given[0])
        values = broadcast_to(given, shape).entries()
        plain_value = self.dtype.plain
        if self.dtype is not given.dtype:
            values = [
                plain_value(x.real) if isinstance(x, complex) and self.dtype is FLOAT else plain_value(x)
                for x in values
            ]
        for k, x in zip(places, values):
            self.buffer[k] = x

    def _sliced(self, keys: list[Any]) -> ndarray:
        offset, axis = self.offset, 0
        shape: list[int] = []
        strides: list[int] = []
        for key in keys:
            if key is None:
                shape.append(1)
                strides.append(0)
                continue
            n, step = self.shape[axis], self.strides[axis]
            axis += 1
            if isinstance(key, slice):
                start, stop, by = key.indices(n)
                shape.append(len(range(start, stop, by)))
                strides.append(step * by)
                offset += step * start if shape[-1] else 0
            else:
                offset += step * inside(key, n)
        return ndarray(self.buffer, tuple(shape), self.dtype, tuple(strides), offset)

    def _chosen(self, keys: list[Any]) -> tuple[list[int], Shape]:
        """The places of entries that arrays of numbers choose, and the shape of the result."""
        arrays = [k for k, key in enumerate(keys) if key is not None and not isinstance(key, slice)]
        shape = common_shape(*(asarray(keys[k]).shape for k in arrays))
        front = arrays[0] if arrays == list(range(arrays[0], arrays[-1] + 1)) else 0
        chosen = [0] * prod(shape)
        parts: list[tuple[Shape, Any]] = []
        axis = 0
        for k, key in enumerate(keys):
            if key is None:
                parts.append(((1,), [0]))
                continue
            n, step = self.shape[axis], self.strides[axis]
            axis += 1
            if k in arrays:
                found = broadcast_to(asarray(key), shape).entries()
                chosen = [c + step * inside(j, n) for c, j in zip(chosen, found)]
            else:
                parts.append(((len(range(n)[key]),), [step * j for j in range(n)[key]]))
        at = sum(1 for k in range(front) if k not in arrays)
        parts.insert(at, (shape, chosen))
        return outer_sum(self.offset, [p for _, p in parts]), tuple(n for s, _ in parts for n in s)


def _given(key: Any) -> tuple[Any, ...]:
    return tuple(k for k in (key if isinstance(key, tuple) else (key,)) if k is Ellipsis)


def expanded(key: Any, axes: int) -> tuple[list[Any], bool]:
    """A key for each axis, and whether none of them is an array: masks become numbers, lists arrays."""
    keys: list[Any] = []
    for k in key if isinstance(key, tuple) else (key,):
        if isinstance(k, list):
            k = asarray(k) if k else ndarray([], (0,), INT)
        if isinstance(k, ndarray) and k.dtype is BOOL:
            keys += nonzero(k)
        else:
            keys.append(k.item() if isinstance(k, ndarray) and not k.shape else k)
    taken = sum(1 for k in keys if k is not None and k is not Ellipsis)
    if taken > axes:
        raise IndexError(f"too many indices for array: array is {axes}-dimensional, but {taken} were indexed")
    rest = [slice(None)] * (axes - taken)
    place = next((j for j, k in enumerate(keys) if k is Ellipsis), None)
    keys = [*keys, *rest] if place is None else [*keys[:place], *rest, *keys[place + 1 :]]
    return keys, not any(isinstance(k, ndarray) for k in keys)


def inside(k: Any, n: int) -> int:
    """A place from 0 to n - 1; negative ones count from the end."""
    if not -n <= k < n:
        raise IndexError(f"index {k} is out of bounds for axis with size {n}")
    return int(k) + n if k < 0 else int(k)


def outer_sum(start: int, parts: list[Any]) -> list[int]:
    """All sums of a start and a number of each part, the last part running first."""
    found = [start]
    for part in parts:
        found = [base + k for base in found for k in part]
    return found


class Flat:
    """The entries of an array in one row."""

    def __init__(self, of: ndarray) -> None:
        self.of = of

    def __getitem__(self, key: Any) -> Any:
        return self.of.ravel().copy()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        made = self.of.ravel().copy()
        made[key] = value
        self.of.put(made.buffer)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.of.ravel())


# ------------------------------------------------------------------------------------------------ making


def asarray(value: Any, dtype: Any = None, **options: Any) -> ndarray:
    """A value as an array: itself, a number, or nested lists."""
    made = value if isinstance(value, ndarray) else _read(value)
    return made if dtype is None else made.astype(dtype, copy=False)


def _read(value: Any) -> ndarray:
    if isinstance(value, (range, tuple)):
        value = list(value)
    if not isinstance(value, list):
        of = of_entry(value)
        return ndarray([of.plain(value) if isinstance(value, generic) else value], (), of)
    parts = [_read(part) if isinstance(part, (list, tuple, range)) else asarray(part) for part in value]
    if len({part.shape for part in parts}) > 1:
        raise ValueError("setting an array element with a sequence: the rows have different lengths")
    inner = parts[0].shape if parts else ()
    of = joined(*(part.dtype for part in parts)) if parts else FLOAT
    return ndarray([of.plain(x) for part in parts for x in part.entries()], (len(parts), *inner), of)


def nonzero(of: ndarray) -> list[ndarray]:
    """The places of the entries that are not 0, an array for each axis."""
    found = [place for place, x in zip(product(*map(range, of.shape)), of.entries()) if x]
    return [ndarray([place[k] for place in found], (len(found),), INT) for k in range(of.ndim)]


def common_shape(*shapes: Shape) -> Shape:
    """The shape to which some shapes are broadcast."""
    axes = max(map(len, shapes), default=0)
    padded = [(1,) * (axes - len(s)) + s for s in shapes]
    found = []
    for sizes in zip(*padded):
        wanted = {n for n in sizes if n != 1}
        if len(wanted) > 1:
            raise ValueError(f"operands could not be broadcast together with shapes {' '.join(map(str, shapes))}")
        found.append(wanted.pop() if wanted else 1)
    return tuple(found)


def broadcast_to(value: Any, shape: Any, **options: Any) -> ndarray:
    """An array in a larger shape, its entries repeated without being copied."""
    of = asarray(value)
    shape = (shape,) if isinstance(shape, int) else tuple(int(n) for n in shape)
    if of.shape == shape:
        return of
    missing = len(shape) - of.ndim
    if missing < 0 or any(n not in (1, m) for n, m in zip(of.shape, shape[missing:])):
        raise ValueError(f"could not broadcast input array from shape {of.shape} into shape {shape}")
    steps = (0,) * missing + tuple(
        0 if n == 1 and m != 1 else s for n, m, s in zip(of.shape, shape[missing:], of.strides)
    )
    return of.view(shape, steps)
