"""The door for PyTorch functions and modules: they are run once on tracers that answer `__torch_function__`."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import numpy as np

from matcalc.core import var
from matcalc.errors import MatcalcError
from matcalc.frontend.tracing import operations
from matcalc.frontend.tracing.arrays import Value, number
from matcalc.frontend.tracing.factories import builtins, wrapped
from matcalc.frontend.tracing.layers import RANDOM
from matcalc.frontend.tracing.origin import Argument, Origin, arguments_of, parameters
from matcalc.frontend.tracing.run import Traced, finished, known_constants, taken_names, title_of, traced
from matcalc.frontend.tracing.session import Session, own_modules, replaced
from matcalc.frontend.tracing.torch_tensor import _DROPPED, Tensor, library

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
