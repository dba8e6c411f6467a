"""The doors for Python functions, one for each library: reading them, calling them, and their own gradients."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from matcalc.dims import is_one
from matcalc.errors import MatcalcError
from matcalc.expr import Expr
from matcalc.frontend.tracing import jax, numpy, torch
from matcalc.frontend.tracing.library import library_of
from matcalc.frontend.tracing.origin import Argument, Origin, parameters
from matcalc.frontend.tracing.run import Traced

DOORS: dict[str, ModuleType] = {"numpy": numpy, "jax": jax, "torch": torch}
_RUNNING = threading.RLock()  # what has no protocol is wrapped for the whole process


def read(function: Any, shapes: Mapping[str, Any] | None, facts: Mapping[str, list[str]]) -> Traced:
    """The graph of a Python function.

    Raises:
        MatcalcError: it does what cannot be read, with the line and what to write instead; or the shapes are wrong.
    """
    with _RUNNING:
        made: Traced = DOORS[library_of(function)].read(function, shapes, facts)
    return made


def origin_of(function: Any, variables: list[Expr], known: Origin | None) -> Origin:
    """A function as something to compare with: its arguments are the variables, in the forms of the derivation.

    Raises:
        MatcalcError: it is not a function, or has other arguments.
    """
    if known is not None and (function is known.function):
        return known
    if not callable(function):
        raise MatcalcError(f"against= must be a function, got {type(function).__name__}")
    named_variables = {v.name: v for v in variables}
    taken = [n for n, p in parameters(function).items() if n in named_variables or p.default is p.empty]
    missing = [name for name in taken if name not in named_variables]
    if missing:
        raise MatcalcError(
            f"against=: the function's arguments {', '.join(missing)} are no variables of the derivation"
        )
    arguments = {
        name: known.arguments[name]
        if known is not None and name in known.arguments
        else Argument(named_variables[name], _natural(named_variables[name]))
        for name in taken
    }
    door = DOORS[library_of(function)]
    return Origin(function, library_of(function), arguments, door.caller(function), door.gradient(function))


def _natural(v: Expr) -> tuple[Any, ...]:
    """The form of a variable of a text: a column is a one-dimensional array, 1 x 1 a number."""
    return () if v.is_scalar else v.shape[:1] if is_one(v.shape[1]) else v.shape
