"""The door for PyTorch functions and modules: they are run once on tracers that answer `__torch_function__`."""

from __future__ import annotations

import copy
import importlib
import inspect
import math
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, NamedTuple

import numpy as np

from matcalc.core import var
from matcalc.dims import times
from matcalc.errors import MatcalcError
from matcalc.frontend.tracing import operations
from matcalc.frontend.tracing.arrays import Value, common_shape, number
from matcalc.frontend.tracing.factories import builtins, wrapped
from matcalc.frontend.tracing.layers import RANDOM
from matcalc.frontend.tracing.masks import Mask
from matcalc.frontend.tracing.numpy_table import Entry
from matcalc.frontend.tracing.origin import Argument, Origin, arguments_of, parameters
from matcalc.frontend.tracing.run import Traced, finished, known_constants, taken_names, title_of, traced
from matcalc.frontend.tracing.scipy_table import entry_of as numpy_entry
from matcalc.frontend.tracing.session import Session, own_modules, replaced
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


# ------------------------------------------------------------------------------------------------ the door


def read(function: Any, shapes: Mapping[str, Any] | None, facts: Mapping[str, list[str]]) -> Traced:
    """The graph of a PyTorch function, or of a module: then its parameters are variables too."""
    module = function if isinstance(function, library().nn.Module) else None
    code = inspect.unwrap(module.forward if module is not None else function)
    arguments = arguments_of(parameters(code if module is not None else function), shapes, facts)
    weights = {} if module is None else _weights(module, arguments)
    every = {**arguments, **{name: argument for name, (_, argument) in weights.items()}}
    session = Session(code, taken_names(every))
    modules = own_modules(code)
    inputs = {n: Tensor(session, Value(a.variable, a.shape), writable=not a.shape) for n, a in arguments.items()}
    with known_constants(session, code, modules) as defaults, replaced(modules, changes(session), builtins()):
        if module is None:
            result = traced(session, lambda: function(**{**defaults, **inputs}))
        else:
            stand_in = _with_tracers(module, session, weights)
            result = traced(session, lambda: stand_in(**inputs))
    paths = {name: path for name, (path, _) in weights.items()}
    origin = Origin(
        function,
        "torch",
        every,
        caller(function, paths),
        gradient(function, paths),
        constants=session.constants,
        title=title_of(code),
    )
    return finished(session, result, origin)


def _weights(module: Any, arguments: Mapping[str, Argument]) -> dict[str, tuple[str, Argument]]:
    """The parameters of a module by the names of their variables: `linear.weight` is `linear_weight`."""
    found: dict[str, tuple[str, Argument]] = {}
    for path, weight in module.named_parameters():
        name = path.replace(".", "_")
        name = f"layer{name}" if name[0].isdigit() else name
        if name in found or name in arguments:
            raise MatcalcError(f"two values would be called {name}")
        shape = tuple(weight.shape)
        rows, columns, *rest = (*shape, 1, 1)
        if len(rest) > 2:
            raise MatcalcError(f"the parameter {path} has rank {len(shape)}: only matrices and vectors are read")
        found[name] = path, Argument(var(name, rows, columns), shape)
    return found


def _with_tracers(module: Any, session: Session, weights: Mapping[str, tuple[str, Argument]]) -> Any:
    """A copy of a module whose parameters are tracers."""
    made = copy.deepcopy(module)
    for path, argument in weights.values():
        *owners, last = path.split(".")
        owner = made
        for part in owners:
            owner = getattr(owner, part)
        owner._parameters[last] = Tensor(session, Value(argument.variable, argument.shape), writable=False)
    return made


def caller(function: Any, paths: Mapping[str, str] | None = None) -> Callable[[Mapping[str, Any]], Any]:
    """The function's value for arrays by name; of a module with these parameters."""

    def call(arrays: Mapping[str, Any]) -> Any:
        torch = library()
        tensors = {k: torch.as_tensor(v, dtype=torch.float64) for k, v in arrays.items()}
        with torch.no_grad():
            return called(function, tensors, paths or {}).detach().numpy()

    return call


def called(function: Any, tensors: Mapping[str, Any], paths: Mapping[str, str]) -> Any:
    """The function of tensors; where its own constants are of single precision, in single precision."""
    torch = library()
    given = {k: v for k, v in tensors.items() if k not in paths}
    weights = {paths[k]: v for k, v in tensors.items() if k in paths}
    if isinstance(function, torch.nn.Module):
        exact = copy.deepcopy(function).double()
        return torch.func.functional_call(exact, weights, (), given)
    try:
        return torch.as_tensor(function(**given))
    except RuntimeError:
        return torch.as_tensor(function(**{k: v.float() for k, v in given.items()}))


def gradient(function: Any, paths: Mapping[str, str] | None = None) -> Callable[..., dict[str, Any]]:
    """The function's own gradients, by PyTorch's differentiation."""

    def of(arrays: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
        torch = library()
        tensors = {k: torch.tensor(v, dtype=torch.float64, requires_grad=k in names) for k, v in arrays.items()}
        value = called(function, tensors, paths or {})
        moving = [tensors[name] for name in names]
        found = torch.autograd.grad(value, moving, allow_unused=True)
        return {n: np.zeros(t.shape) if g is None else g.numpy() for n, t, g in zip(names, moving, found)}

    return of


def changes(session: Session) -> list[tuple[Any, str, Any]]:
    """What is wrapped for a run: functions that make tensors from sizes, and randomness."""
    torch = library()
    seed = Tensor(session, number(0))

    def filled(value: Any, *sizes: Any) -> Any:
        shape = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes
        return seed.perform(
            "a tensor of one value", operations.filled, seed.perform_lift(value), seed.exact_index(tuple(shape))
        )

    def arranged(values: Any) -> Any:
        lifted = seed.perform_lift(values)
        if not all(v.number is not None for v in (lifted if isinstance(lifted, list) else [lifted])):
            raise session.refuse("torch.tensor of values stops their gradient: write torch.stack")
        return seed.perform("torch.tensor", operations.arranged, lifted)

    def eye(n: Any, m: Any = None) -> Any:
        if m is not None and seed.exact_index(m) != seed.exact_index(n):
            raise session.refuse("eye with two sizes")
        ones = filled(1, n)
        return seed.perform("eye", operations.diagonal, ones.value)

    makers: dict[str, Callable[..., Any]] = {
        "ones": lambda *sizes: filled(1, *sizes),
        "zeros": lambda *sizes: filled(0, *sizes),
        "empty": lambda *sizes: filled(0, *sizes),
        "full": lambda size, fill_value: filled(fill_value, size),
        "eye": eye,
        "tensor": arranged,
        "as_tensor": arranged,
    }
    found = [(torch, name, wrapped(getattr(torch, name), _without(mine))) for name, mine in makers.items()]
    for name in (
        "rand",
        "randn",
        "randint",
        "randperm",
        "normal",
        "bernoulli",
        "rand_like",
        "randn_like",
        "multinomial",
    ):
        found.append((torch, name, _random(session, getattr(torch, name))))
    for name in ("sqrt", "exp", "log", "log1p", "tanh", "sin", "cos"):
        found.append((math, name, wrapped(getattr(math, name), getattr(np, name))))
    return found


def _without(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **options: function(*args, **{k: v for k, v in options.items() if k not in _DROPPED})


def _random(session: Session, original: Any) -> Any:
    @wraps(original, updated=())
    def call(*_: Any, **__: Any) -> Any:
        raise session.refuse(RANDOM)

    return call
