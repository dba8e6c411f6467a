"""The door for NumPy functions: they are run once on tracers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from matcalc.frontend.tracing.arrays import Value
from matcalc.frontend.tracing.factories import builtins, changes
from matcalc.frontend.tracing.numpy_array import Array
from matcalc.frontend.tracing.origin import Origin, arguments_of, parameters
from matcalc.frontend.tracing.run import Traced, finished, known_constants, taken_names, title_of, traced
from matcalc.frontend.tracing.session import Session, own_modules, replaced


def read(function: Any, shapes: Mapping[str, Any] | None, facts: Mapping[str, list[str]]) -> Traced:
    """The graph of a function written with NumPy."""
    plain_function = inspect.unwrap(function)
    arguments = arguments_of(parameters(function), shapes, facts)
    session = Session(plain_function, taken_names(arguments))
    modules = own_modules(plain_function)
    with known_constants(session, plain_function, modules) as defaults:
        inputs = {
            name: Array(session, Value(a.variable, a.shape), writable=not a.shape) for name, a in arguments.items()
        }
        with replaced(modules, changes(session), builtins()):
            result = traced(session, lambda: function(**{**defaults, **inputs}))
    origin = Origin(
        function,
        "numpy",
        arguments,
        caller(function),
        constants=session.constants,
        title=title_of(function),
    )
    return finished(session, result, origin)


def caller(function: Any) -> Callable[[Mapping[str, Any]], Any]:
    """The function's value for arrays by name."""
    return lambda arrays: function(**arrays)


def gradient(function: Any) -> None:
    """NumPy has no derivatives: they are compared by differences."""
