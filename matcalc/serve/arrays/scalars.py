"""Types of entries, and single numbers that behave as arrays of no axis: they divide by zero and have a shape."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ContextDecorator
from typing import Any


class DType:
    """A type of entries; equal to its Python type, its scalar class and its name.

    Attributes:
        name: `float64`, ...
        kind: one letter, as NumPy has it.
        itemsize: in bytes.
        rank: in a sum of two types the higher one wins.
        plain: what makes an entry.
    """

    def __init__(self, name: str, kind: str, itemsize: int, rank: int, plain: Callable[[Any], Any]) -> None:
        self.name, self.kind, self.itemsize, self.rank, self.plain = name, kind, itemsize, rank, plain
        self.type: Any = plain

    def __eq__(self, other: object) -> bool:
        return self is other or (other is not None and other in (self.name, self.type, self.plain))

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return self.name


BOOL = DType("bool", "b", 1, 0, bool)
INT = DType("int64", "i", 8, 1, int)
FLOAT = DType("float64", "f", 8, 2, float)
COMPLEX = DType("complex128", "c", 16, 3, complex)
OBJECT = DType("object", "O", 8, 4, lambda x: x)
TEXT = DType("str", "U", 8, 5, str)
TYPES = (BOOL, INT, FLOAT, COMPLEX, OBJECT)


def type_of(given: Any) -> DType:
    """The type of entries that is meant: by itself, a class, or a name."""
    if isinstance(given, DType):
        return given
    if given is object:
        return OBJECT
    for known in TYPES:
        if known == given:
            return known
    raise TypeError(f"arrays of {given!r} are not known here")


class dtype:  # noqa: N801  (NumPy's names)
    """What is called to have a type of entries."""

    def __new__(cls, given: Any) -> Any:
        return type_of(given)

    def __class_getitem__(cls, entries: Any) -> type:
        return cls


def of_entry(x: Any) -> DType:
    """The type of an entry."""
    if isinstance(x, (bool, bool_)):
        return BOOL
    if isinstance(x, int):
        return INT
    if isinstance(x, float):
        return FLOAT
    if isinstance(x, complex):
        return COMPLEX
    return TEXT if isinstance(x, (str, bytes)) else OBJECT


def joined(*types: DType) -> DType:
    """The type that holds all entries of some types."""
    return max(types, key=lambda t: t.rank)


class generic:  # noqa: N801
    """A number with the attributes of an array."""

    ndim, size, shape = 0, 1, ()
    dtype: Any = FLOAT

    @property
    def itemsize(self) -> int:
        """In bytes."""
        return int(self.dtype.itemsize)

    def item(self) -> Any:
        """The number of Python."""
        return self.dtype.plain(self)

    tolist = item

    def same(self, *given: Any, **options: Any) -> Any:
        """Itself: what the methods of an array are that only move or reduce entries."""
        return self

    copy = all = any = max = min = sum = same
    T = property(same)

    def __getitem__(self, key: Any) -> Any:
        if key not in ((), Ellipsis):
            raise IndexError("invalid index to scalar variable.")
        return self


class bool_(generic):  # noqa: N801
    """A truth value: `~` is its opposite, as it is not of Python's."""

    __slots__ = ("value",)
    dtype = BOOL

    def __init__(self, value: Any) -> None:
        self.value = bool(value)

    def __bool__(self) -> bool:
        return self.value

    def __int__(self) -> int:
        return int(self.value)

    __index__ = __int__

    def __float__(self) -> float:
        return float(self.value)

    def __eq__(self, other: object) -> bool:
        return self.value == other

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return repr(self.value)


class int64(generic, int):  # noqa: N801
    """A whole number."""

    dtype = INT


class float64(generic, float):  # noqa: N801
    """A number in double precision."""

    dtype = FLOAT


class complex128(generic, complex):  # noqa: N801
    """A complex number in double precision."""

    dtype = COMPLEX


for known, made in ((BOOL, bool_), (INT, int64), (FLOAT, float64), (COMPLEX, complex128)):
    known.type = made


def boxed(x: Any, of: DType) -> Any:
    """An entry as it is when it stands alone."""
    return x if of is OBJECT else of.type(x)


class finfo:  # noqa: N801
    """What is known of double precision."""

    eps, max, min, tiny = 2.0**-52, 1.7976931348623157e308, -1.7976931348623157e308, 2.0**-1022

    def __init__(self, of: Any = float) -> None:
        self.dtype = type_of(of)


class errstate(ContextDecorator):  # noqa: N801
    """Nothing is warned of here."""

    def __init__(self, **options: str) -> None:
        self.options = options

    def __enter__(self) -> None:
        """There is nothing to set."""

    def __exit__(self, *error: object) -> None:
        """Nor to reset."""


pi, e, inf, nan = math.pi, math.e, math.inf, math.nan
