"""A tensor of a PyTorch function that is run once: it answers `__torch_function__` and tensor methods."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from matcalc.dims import times
from matcalc.frontend.tracing import operations
from matcalc.frontend.tracing.arrays import common_shape, number
from matcalc.frontend.tracing.masks import Mask
from matcalc.frontend.tracing.numpy_table import Entry
from matcalc.frontend.tracing.scipy_table import entry_of as numpy_entry
from matcalc.frontend.tracing.session import Session
from matcalc.frontend.tracing.torch_table import DETACHED, TORCH, Values, entry_of
from matcalc.frontend.tracing.tracer import Tracer

_DROPPED = (
    "dtype",
    "_stacklevel",
    "device",
    "memory_format",
    "out",
    "requires_grad",
    "check_errors",
    "driver",
    "ignore_index",
)


IN_PLACE = ("add", "sub", "mul", "div", "pow", "clamp", "masked_fill", "exp", "tanh", "relu", "sigmoid", "sqrt", "neg")


def library() -> Any:
    """PyTorch itself."""
    return importlib.import_module("torch")


class Tensor(Tracer):
    """A PyTorch tensor that is not known."""

    library = "torch"
    device, requires_grad, is_cuda, is_sparse, layout, grad_fn = "cpu", True, False, False, None, None

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), options: Any = None) -> Any:
        tracer = _first((*args, *(options or {}).values()))
        assert tracer is not None
        return tracer.called(function, args, options or {})

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        entry = numpy_entry(ufunc)
        if method != "__call__" or options or entry is None:
            raise self.session.refuse(f"np.{ufunc.__name__} of a tensor: write torch's function")
        return self.perform(ufunc.__name__, entry.function, *map(self.perform_lift, inputs))

    def perform(self, what: str, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """As for all tracers; where gradients are off, PyTorch would give another derivative."""
        if not library().is_grad_enabled():
            raise self.session.refuse(f"torch.no_grad(): {DETACHED}")
        return super().perform(what, function, *args, **options)

    def array(self, value: Any) -> Any:
        """The numbers of a tensor or a NumPy array."""
        if isinstance(value, library().Tensor):
            return value.detach().cpu().numpy()
        return super().array(value)

    def lifted(self, value: Any) -> Any:
        """An operand; a tensor keeps its identity, by which its name is known."""
        if isinstance(value, library().Tensor):
            return self.session.constant(value, value.detach().cpu().numpy())
        return super().lifted(value)

    def called(self, function: Any, args: Any, options: Mapping[str, Any]) -> Any:
        """A function of PyTorch on arguments of which some are tracers."""
        full = getattr(function, "__name__", str(function))
        name = full.strip("_")
        if full.endswith("_") and not full.startswith("_"):
            raise self.session.refuse(f"{full}: an in-place update of a tensor of numbers by a value")
        if name == "get":  # a property of a tensor of numbers
            raise self.session.refuse("an attribute of a tensor")
        if name == "broadcast_tensors":
            shape = common_shape([self.perform_lift(a).shape for a in args], name)
            return tuple(self.perform(name, operations.broadcast_to, self.perform_lift(a), shape) for a in args)
        entry, turned = entry_of(name), False
        if entry is None and name[:1] == "r" and entry_of(name[1:]) is not None:  # __rsub__ of a tensor of numbers
            entry, turned = entry_of(name[1:]), True
        if entry is None:
            raise self.session.refuse(f"{name} is not known here: write it with functions that are")
        return self.entered(name, entry, args[::-1] if turned else args, options)

    def entered(self, name: str, entry: Entry, args: Any, options: Mapping[str, Any]) -> Any:
        """A known function."""
        if isinstance(options.get("out"), (Tracer, library().Tensor)) or options.get("inplace"):
            raise self.session.refuse(f"{name} with out= or inplace=True: write y = {name}(...)")
        rest = {k: v for k, v in options.items() if k not in _DROPPED and k != "inplace" and v is not None}
        lifted = [
            self.perform_lift(v) if k < entry.operands and v is not None else self.other(v) for k, v in enumerate(args)
        ]
        made = self.perform(name, entry.function, *lifted, **{k: self.other(v) for k, v in rest.items()})
        return Result(made[0], Unknown(self.session)) if isinstance(made, Values) else made

    def made(self, value: Any) -> Any:
        """What a function gave, as tracers."""
        return Values(super().made(value[0])) if isinstance(value, Values) else super().made(value)

    def other(self, value: Any) -> Any:
        """Another argument: tracers as what they are, sizes as exact numbers, numbers as they are."""
        if isinstance(value, Tracer):
            exact = getattr(value.value, "number", None)
            return exact if exact is not None and exact.is_integer else value.value
        if isinstance(value, (np.ndarray, library().Tensor)):
            return self.perform_lift(value)
        if isinstance(value, (tuple, list)):
            return list(map(self.other, value))
        return value

    # ------------------------------------------------------------------------------------------------ attributes

    @property
    def shape(self) -> tuple[Any, ...]:
        """Its sizes."""
        return self.sizes

    def size(self, dim: int | None = None) -> Any:
        """Its sizes, or one of them."""
        return self.sizes if dim is None else self.sizes[dim]

    @property
    def ndim(self) -> int:
        """Its rank."""
        return len(self.value.shape)

    def dim(self) -> int:
        """Its rank."""
        return self.ndim

    def numel(self) -> Any:
        """How many entries it has."""
        count = times(*self.value.shape, 1)
        return count if isinstance(count, int) else self.made(number(count))

    @property
    def dtype(self) -> Any:
        """Floating-point numbers."""
        return library().bool if isinstance(self.value, Mask) else library().float64

    @property
    def T(self) -> Any:
        """The transpose, which shares the memory."""
        return self.viewed(self.perform("T", operations.transposed, self.value).value, (self, None))

    @property
    def mT(self) -> Any:
        """The transpose."""
        return self.T

    def bool(self) -> Any:
        """Where it is not 0."""
        return self.made(operations.inverted(operations.compared("==")(self.value, number(0))))

    def type(self, *_: Any) -> Any:
        """Itself."""
        return self.made(operations.numeric(self.value))

    def requires_grad_(self, *_: Any) -> Any:
        """Itself: every argument has a gradient."""
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name == "data":
            raise self.session.refuse(DETACHED)
        if name in TORCH or entry_of(name) is not None:
            entry = entry_of(name)
            assert entry is not None
            shares = name in (
                "t",
                "transpose",
                "permute",
                "view",
                "reshape",
                "unsqueeze",
                "squeeze",
                "expand",
                "diagonal",
            )
            return _method(self, name, entry, shares=shares)
        if name.endswith("_") and name[:-1] in IN_PLACE:
            return lambda *args, **options: self.in_place(name[:-1], args, options)
        raise self.session.refuse(f"the attribute {name} of a tensor is not known here")

    def in_place(self, name: str, args: Any, options: Mapping[str, Any]) -> Any:
        """A method that changes the tensor."""
        self.need_writable()
        entry = entry_of(name)
        assert entry is not None
        self.assign(self.entered(name, entry, (self, *args), options).value)
        return self


class Result(NamedTuple):
    """What torch.max(X, dim) gives: the values, and indices that depend on the data."""

    values: Any
    indices: Unknown


class Unknown:
    """Indices that depend on the data: whatever is done with them is refused."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __getattr__(self, name: str) -> Any:
        raise self.session.refuse("the indices of the largest entries depend on the values")


def _method(tensor: Tensor, name: str, entry: Entry, *, shares: bool) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        made = tensor.entered(name, entry, (tensor, *args), options)
        if shares and isinstance(made, Tensor):
            return tensor.viewed(made.value, (tensor, None))
        return made

    return call


def _first(args: Any) -> Tensor | None:
    """The first tensor that is not known, in nested arguments."""
    for value in args:
        found = _first(value) if isinstance(value, (list, tuple)) else value if isinstance(value, Tensor) else None
        if found is not None:
            return found
    return None
