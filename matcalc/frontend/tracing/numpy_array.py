"""The tracer of a NumPy array: it answers NumPy's protocols, and has an array's attributes and methods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from matcalc.dims import times
from matcalc.frontend.tracing import operations
from matcalc.frontend.tracing.arrays import Value, number
from matcalc.frontend.tracing.masks import Mask
from matcalc.frontend.tracing.numpy_table import Entry
from matcalc.frontend.tracing.scipy_table import entry_of
from matcalc.frontend.tracing.tracer import Tracer

INSTEAD = {
    "argmax": "an index that depends on values: the value itself is np.max",
    "argmin": "an index that depends on values: the value itself is np.min",
    "argsort": "an order that depends on values",
    "sort": "an order that depends on values",
    "median": "an order that depends on values",
    "round": "rounding has no derivative",
    "floor": "rounding has no derivative",
    "ceil": "rounding has no derivative",
    "eigh": "eigenvectors: np.linalg.eigvalsh(S) gives the eigenvalues",
    "eig": "np.linalg.eigvalsh(S) gives the eigenvalues of a symmetric S",
    "qr": "write Q and R with np.linalg.cholesky(X.T @ X)",
    "cross": "write the entries",
    "tensordot": "write np.einsum or @",
    "repeat": "multiply by a matrix of ones and zeros",
    "tile": "multiply by a matrix of ones, or use broadcasting",
}
DROPPED = ("dtype", "casting", "subok", "order", "check_finite", "overwrite_a", "overwrite_b", "optimize", "copy")


class Array(Tracer):
    """A NumPy array that is not known."""

    library = "np"

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        name = ufunc.__name__
        if method == "reduce":
            whole = {"add": np.sum, "multiply": np.prod, "maximum": np.max, "minimum": np.min}.get(name)
            if whole is not None:
                return self.called(whole, (inputs[0],), {"axis": 0, **options})
        if method == "outer" and name == "multiply":
            return self.called(np.outer, inputs, options)
        if method != "__call__":
            raise self.session.refuse(f"np.{name}.{method}: write np.sum, np.prod, np.outer or the like")
        out = options.pop("out", None)
        if out is not None and isinstance(inputs[0], np.ndarray):
            raise self.session.refuse(
                "an in-place update of an array of numbers by a value: start with np.zeros(...) inside of the function"
            )
        if out is not None:
            raise self.session.refuse(f"np.{name} with out=: write y = np.{name}(...)")
        return self.called(ufunc, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        return self.called(function, args, options)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise self.session.refuse(
            "a conversion to an array of numbers, which has no values here: use @ and np's functions"
        )

    def called(self, function: Any, args: Sequence[Any], options: dict[str, Any]) -> Any:
        """A function of NumPy or SciPy on arguments of which some are tracers."""
        name = function.__name__
        if function in (np.shape, np.ndim, np.size):
            return {np.shape: args[0].shape, np.ndim: args[0].ndim, np.size: args[0].size}[function]
        entry = entry_of(function)
        if entry is None:
            why = INSTEAD.get(name, "write it with functions that are")
            raise self.session.refuse(f"{name} is not known here: {why}")
        return self.entered(name, entry, args, options)

    def entered(self, name: str, entry: Entry, args: Sequence[Any], options: dict[str, Any]) -> Any:
        """A known function."""
        rest = {
            k: v
            for k, v in options.items()
            if k not in DROPPED and not (k in ("out", "where", "initial") and v is None)
        }
        rest = {k: v for k, v in rest.items() if v is not np._NoValue}
        if rest.get("out") is not None:
            raise self.session.refuse(f"{name} with out=: write y = {name}(...)")
        lifted = [self.operand(v) if k < entry.operands else self.other(v) for k, v in enumerate(args)]
        return self.perform(name, entry.function, *lifted, **{k: self.other(v) for k, v in rest.items()})

    def operand(self, value: Any) -> Any:
        """An array argument."""
        lifted = self.perform_lift(value)
        return lifted if isinstance(lifted, (Value, Mask, list)) or hasattr(lifted, "terms") else value

    def other(self, value: Any) -> Any:
        """Another argument: tracers as what they are, sizes as exact numbers, numbers as they are."""
        if isinstance(value, Tracer):
            exact = getattr(value.value, "number", None)
            return exact if exact is not None and exact.is_integer else value.value
        if isinstance(value, np.ndarray):
            return self.perform_lift(value)
        if isinstance(value, (tuple, list)):
            return type(value)(map(self.other, value))
        return value

    # ------------------------------------------------------------------------------------------------ attributes

    @property
    def shape(self) -> tuple[Any, ...]:
        """Its sizes."""
        return self.sizes

    @property
    def ndim(self) -> int:
        """Its rank."""
        return len(self.value.shape)

    @property
    def size(self) -> Any:
        """How many entries it has."""
        count = times(*self.value.shape) if self.value.shape else 1
        return count if isinstance(count, int) else self.made(number(count))

    @property
    def dtype(self) -> Any:
        """Floating-point numbers."""
        return np.dtype(bool if isinstance(self.value, Mask) else np.float64)

    @property
    def T(self) -> Any:
        """The transpose, which shares the memory."""
        return self.viewed(self.perform("T", operations.transposed, self.value).value, (self, None))

    @property
    def real(self) -> Any:
        """Itself."""
        return self

    def astype(self, dtype: Any, **_: Any) -> Any:
        """A copy; truth values become numbers."""
        if np.dtype(dtype).kind in "iu" and not isinstance(self.value, Mask):
            raise self.session.refuse(
                "a conversion to whole numbers: it has no derivative (a one-hot matrix replaces indices)"
            )
        if np.dtype(dtype).kind == "b":
            return self.made(operations.inverted(operations.compared("==")(self.value, number(0))))
        return self.made(operations.numeric(self.value))

    def item(self, *index: Any) -> Any:
        """The value of an array with one entry."""
        if self.ndim == 0:
            return self
        return self[index] if index else self.reshape(())

    def fill(self, value: Any) -> None:
        """All entries set to a value."""
        self[...] = value

    def reshape(self, *shape: Any, order: str = "C") -> Any:
        """The same entries in another shape."""
        sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        made = self.called(np.reshape, (self, tuple(sizes)), {"order": order} if order != "C" else {})
        return self.viewed(made.value, (self, None))

    def transpose(self, *axes: Any) -> Any:
        """The axes in another order."""
        order = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes or None
        return self.viewed(self.called(np.transpose, (self, order), {}).value, (self, None))

    def ravel(self, order: str = "C") -> Any:
        """The entries row by row; it may share the memory."""
        return self.viewed(self.called(np.ravel, (self,), {"order": order}).value, (self, None))

    def flatten(self, order: str = "C") -> Any:
        """The entries row by row, as a copy."""
        return self.called(np.ravel, (self,), {"order": order})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        function = METHODS.get(name)
        if function is not None:
            return lambda *args, **options: self.called(function, (self, *args), options)
        raise self.session.refuse(f"the attribute {name} of an array is not known here")


METHODS: dict[str, Callable[..., Any]] = {
    name: getattr(np, name)
    for name in (
        *("sum", "mean", "max", "min", "prod", "var", "std", "dot", "trace", "diagonal", "clip", "cumsum", "squeeze"),
        *("swapaxes", "copy", "conjugate", "argmax", "argmin", "argsort", "sort", "round", "repeat", "all", "any"),
    )
} | {"conj": np.conjugate}
