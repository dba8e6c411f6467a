"""The tracer: it stands for an array while a function of NumPy or PyTorch runs, and takes down what is computed.

It has Python's operators, indices and in-place updates. A branch on it, a loop over it, or a conversion to a number is
refused, since its values are not known.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from matcalc.dims import sign
from matcalc.errors import MatcalcError, shorten
from matcalc.expr import Expr
from matcalc.frontend.tracing import indexing, operations, products
from matcalc.frontend.tracing.arrays import Value, common_shape, is_number, number, sizes_text, stacked
from matcalc.frontend.tracing.masks import Mask
from matcalc.frontend.tracing.operations import Thing, matrix
from matcalc.frontend.tracing.session import Session

BRANCH = "a branch or a loop on a value: which way it goes depends on the data. Write {lib}.where(condition, a, b)"
NUMBER = "a conversion to a Python number: the value is not known. Compute with {lib}'s functions instead"


class Tracer:
    """An array that is not known, in a run of a function.

    Attributes:
        value: what it is so far; in-place updates change it.
        writable: whether it was made by the function, so that in-place updates are the function's own business.
        base: the array whose part it is, with the index of the part: writing into it writes there.
    """

    library = ""
    __array_priority__ = 2000.0

    def __init__(
        self,
        session: Session,
        value: Thing,
        *,
        writable: bool = True,
        base: tuple[Tracer, Any] | None = None,
    ) -> None:
        self.session = session
        self.value = value
        self.writable = writable
        self.base = base
        self.views: list[weakref.ref[Tracer]] = []
        if base is not None:
            base[0].views.append(weakref.ref(self))

    # ------------------------------------------------------------------------------------------------ gateway

    def made(self, value: Any) -> Any:
        """What a function gave, as tracers."""
        if isinstance(value, (tuple, list)):
            return type(value)(map(self.made, value))
        return type(self)(self.session, value) if not isinstance(value, (bool, int, str, type(None))) else value

    def lifted(self, value: Any) -> Any:
        """An operand: of a tracer, a number or an array what it is here; anything else as it is."""
        if isinstance(value, Tracer):
            return value.value
        if is_number(value):
            return number(value)
        if isinstance(value, (list, tuple)) and has_tracer(value):
            return [self.lifted(v) for v in value]
        if isinstance(value, (list, tuple)) and value and all(map(is_number, value)):
            return self.session.constant(np.array(value))
        array = self.array(value)
        return value if array is None else self.session.constant(array)

    def array(self, value: Any) -> Any:
        """The array of numbers that a value of the library is, or None."""
        return value if isinstance(value, np.ndarray) else None

    def perform(self, what: str, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """A function of what the operands are; every error is noted, so that no `except` can hide it.

        Raises:
            MatcalcError: the operation is not known for these operands.
        """
        try:
            return self.made(function(*args, **options))
        except MatcalcError as error:
            self.session.refused = self.session.refused or error
            raise
        except (TypeError, AttributeError, ValueError, IndexError) as error:
            raise self.session.refuse(f"{what} is not read with these arguments: {error}") from None

    def binary(self, what: str, function: Callable[..., Any], a: Any, b: Any) -> Any:
        """An operator on two operands."""
        x, y = self.perform_lift(a), self.perform_lift(b)
        if any(isinstance(v, list) for v in (x, y)):
            x, y = (stacked([matrix(e) for e in v]) if isinstance(v, list) else v for v in (x, y))
        if not all(isinstance(v, (Value, Mask)) or hasattr(v, "terms") for v in (x, y)):
            odd = b if isinstance(a, Tracer) else a
            raise self.session.refuse(f"{what} of an array and {type(odd).__name__} {shorten(repr(odd))}")
        return self.perform(what, function, x, y)

    def perform_lift(self, value: Any) -> Any:
        """`lifted`, with its errors noted."""
        try:
            return self.lifted(value)
        except MatcalcError as error:
            self.session.refused = self.session.refused or error
            raise

    # ------------------------------------------------------------------------------------------------ operators

    def __add__(self, other: Any) -> Any:
        return self.binary("+", operations.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return self.binary("+", operations.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return self.binary("-", operations.subtract, self, other)

    def __rsub__(self, other: Any) -> Any:
        return self.binary("-", operations.subtract, other, self)

    def __mul__(self, other: Any) -> Any:
        return self.binary("*", operations.multiply, self, other)

    def __rmul__(self, other: Any) -> Any:
        return self.binary("*", operations.multiply, other, self)

    def __truediv__(self, other: Any) -> Any:
        return self.binary("/", operations.divide, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self.binary("/", operations.divide, other, self)

    def __pow__(self, other: Any) -> Any:
        return self.binary("**", operations.power, self, other)

    def __rpow__(self, other: Any) -> Any:
        return self.binary("**", operations.power, other, self)

    def __matmul__(self, other: Any) -> Any:
        return self.binary("@", products.matmul, self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return self.binary("@", products.matmul, other, self)

    def __neg__(self) -> Any:
        return self.perform("-", operations.negative, self.value)

    def __pos__(self) -> Any:
        return self.made(self.value)

    def __abs__(self) -> Any:
        return self.perform("abs", operations.absolute, self.value)

    def __invert__(self) -> Any:
        if not isinstance(self.value, Mask):
            raise self.session.refuse("~ is read on conditions only")
        return self.perform("~", operations.inverted, self.value)

    def __and__(self, other: Any) -> Any:
        return self.binary("&", operations.both, self, other)

    __rand__ = __and__

    def __or__(self, other: Any) -> Any:
        return self.binary("|", operations.either, self, other)

    __ror__ = __or__

    def _whole(self, what: str, other: Any) -> Any:
        raise self.session.refuse(f"{what} rounds a value, which has no derivative")

    def __floordiv__(self, other: Any) -> Any:
        return self._whole("//", other)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._whole("//", other)

    def __mod__(self, other: Any) -> Any:
        return self._whole("%", other)

    def __rmod__(self, other: Any) -> Any:
        return self._whole("%", other)

    def __round__(self, *_: Any) -> Any:
        return self._whole("round()", None)

    # ------------------------------------------------------------------------------------------------ comparisons

    def compared(self, relation: str, other: Any) -> Any:
        """A comparison: of two sizes the answer, where it is known; otherwise a condition on the entries."""
        if other is None or isinstance(other, str):
            return relation == "!="
        b = self.perform_lift(other)
        if getattr(b, "number", None) is not None and getattr(self.value, "number", None) is not None:
            order = sign(self.value.number - b.number)
            if order is not None:
                return {
                    "==": order == 0,
                    "!=": order != 0,
                    "<": order < 0,
                    "<=": order <= 0,
                    ">": order > 0,
                    ">=": order >= 0,
                }[relation]
        return self.binary(relation, operations.compared(relation), self, other)

    def __lt__(self, other: Any) -> Any:
        return self.compared("<", other)

    def __le__(self, other: Any) -> Any:
        return self.compared("<=", other)

    def __gt__(self, other: Any) -> Any:
        return self.compared(">", other)

    def __ge__(self, other: Any) -> Any:
        return self.compared(">=", other)

    def __eq__(self, other: Any) -> Any:
        return self.compared("==", other)

    def __ne__(self, other: Any) -> Any:
        return self.compared("!=", other)

    __hash__ = object.__hash__

    # ------------------------------------------------------------------------------------------------ Python's values

    def _size_or(self, message: str) -> str:
        exact = getattr(self.value, "number", None)
        if exact is None:
            return message.format(lib=self.library)
        return (
            f"the size {exact} has no value here: give it as a number in shapes, or write it without a loop over data"
        )

    def __bool__(self) -> bool:
        exact = getattr(self.value, "number", None)
        if exact is not None and sign(exact) is not None:
            return bool(sign(exact) != 0)
        raise self.session.refuse(self._size_or(BRANCH))

    def __float__(self) -> float:
        exact = getattr(self.value, "number", None)
        if exact is not None and not exact.free_symbols:
            return float(exact)
        raise self.session.refuse(self._size_or(NUMBER))

    def __int__(self) -> int:
        return self.__index__()

    def __index__(self) -> int:
        exact = getattr(self.value, "number", None)
        if exact is not None and exact.is_Integer:
            return int(exact)
        raise self.session.refuse(self._size_or(NUMBER))

    def __len__(self) -> int:
        size = self.length()
        if isinstance(size, int):
            return size
        raise self.session.refuse(f"a loop over data: the length {size} is not known. Write it with matrices")

    def length(self) -> Any:
        """len() of it: a number, or the size as a tracer."""
        if not self.value.shape:
            raise TypeError("len() of a number")
        return self.sizes[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.value.shape:
            raise TypeError("iteration over a number")
        return iter([self[k] for k in range(len(self))])

    def __contains__(self, other: Any) -> bool:
        raise self.session.refuse(self._size_or(BRANCH))

    def __format__(self, spec: str) -> str:
        return format(float(self), spec) if spec else repr(self)

    def __repr__(self) -> str:
        return f"<array of shape {sizes_text(self.value.shape)}>"

    # ------------------------------------------------------------------------------------------------ parts and writing

    @property
    def sizes(self) -> tuple[Any, ...]:
        """Its shape: numbers, and tracers for sizes that have a name."""
        return tuple(d if isinstance(d, int) else self.made(number(d)) for d in self.value.shape)

    @property
    def expr(self) -> Expr | None:
        """Its expression; None for an array of rank 3 or a condition."""
        return self.value.expr if isinstance(self.value, Value) else None

    def exact_index(self, index: Any) -> Any:
        """An index with sizes in place of tracers."""
        if isinstance(index, tuple):
            return tuple(map(self.exact_index, index))
        if isinstance(index, slice):
            return slice(self.exact_index(index.start), self.exact_index(index.stop), self.exact_index(index.step))
        if isinstance(index, Tracer):
            exact = getattr(index.value, "number", None)
            if exact is None or not exact.is_integer:
                raise self.session.refuse(indexing.DATA)
            return int(exact) if exact.is_Integer else exact
        if isinstance(index, (np.integer, int)) and not isinstance(index, bool):
            return int(index)
        if isinstance(index, (np.ndarray, list)):
            raise self.session.refuse(indexing.DATA)
        return index

    def __getitem__(self, index: Any) -> Any:
        where = self.exact_index(index)
        taken = self.perform("an index", indexing.taken, matrix(self.value), where)
        return self.viewed(taken.value, (self, where))

    def viewed(self, value: Thing, base: tuple[Tracer, Any] | None) -> Any:
        """A part of it, or another form of it, which shares its memory."""
        return type(self)(self.session, value, base=base if value.shape else None)

    def __setitem__(self, index: Any, new: Any) -> None:
        where = self.exact_index(index)
        self.need_writable(new)
        put = self.perform_lift(new)
        self.assign(self.perform("an assignment", indexing.written, matrix(self.value), where, matrix(put)).value)

    def need_writable(self, new: Any = None) -> None:
        """Raise MatcalcError where writing would change an argument, or something else that shares the memory."""
        if not self.writable:
            raise self.session.refuse(
                "an in-place update of an argument would change the caller's array: make a new one, X = X - ..., or "
                "update X.copy()"
            )
        alive = [v for v in (ref() for ref in self.views) if v is not None and v is not new]
        if alive:
            raise self.session.refuse("an in-place update of an array of which parts are still in use: use .copy()")

    def assign(self, value: Thing) -> None:
        """Replace what it is, here and in the array that it is a part of."""
        if self.base is not None:
            owner, index = self.base
            owner.need_writable(self)
            if index is None:
                raise self.session.refuse("an in-place update through another view of an array: use .copy()")
            whole = self.perform("an assignment", indexing.written, matrix(owner.value), index, matrix(value))
            owner.assign(whole.value)
        self.value = value

    def _updated(self, what: str, function: Callable[..., Any], other: Any) -> Any:
        new = self.binary(what, function, self, other)
        if not self.value.shape and self.base is None:
            return new
        self.need_writable()
        if len(common_shape([new.value.shape, self.value.shape], what)) != len(self.value.shape):
            raise self.session.refuse(f"{what}= cannot change the shape of an array")
        self.assign(new.value)
        return self

    def __iadd__(self, other: Any) -> Any:
        return self._updated("+", operations.add, other)

    def __isub__(self, other: Any) -> Any:
        return self._updated("-", operations.subtract, other)

    def __imul__(self, other: Any) -> Any:
        return self._updated("*", operations.multiply, other)

    def __itruediv__(self, other: Any) -> Any:
        return self._updated("/", operations.divide, other)

    def __ipow__(self, other: Any) -> Any:
        return self._updated("**", operations.power, other)

    def __imatmul__(self, other: Any) -> Any:
        raise self.session.refuse("@=: write X = X @ A")


def has_tracer(value: Any) -> bool:
    """Whether a tracer is in nested lists and tuples."""
    if isinstance(value, (list, tuple)):
        return any(map(has_tracer, value))
    return isinstance(value, Tracer)
