"""The function that a derivation comes from: its arguments, its constants, and its own values for comparison."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from matcalc.core import var
from matcalc.dims import Dim, shape_text, symbols
from matcalc.errors import MatcalcError, shorten
from matcalc.expr import Expr
from matcalc.frontend.names import check_free, shape_of, sizes_of
from matcalc.frontend.tracing.arrays import MATRIX, sizes_text
from matcalc.numeric.binding import Array


@dataclass(frozen=True)
class Argument:
    """An argument of the function that is an array: its variable, and its shape as the function sees it."""

    variable: Expr
    shape: tuple[Dim, ...]

    def form(self, array: Any) -> Any:
        """A matrix with the variable's values in the form that the function takes."""
        values = np.asarray(array, dtype=np.float64)
        if not self.shape:
            return float(values.reshape(()))
        return values.reshape(-1).copy() if len(self.shape) == 1 else values.copy()


@dataclass
class Origin:
    """What a derivation knows of the Python function that it was read from.

    Attributes:
        function: the function, as it was given.
        library: `numpy`, `jax` or `torch`.
        arguments: by name.
        call: the function's value for arrays by name, in its own forms.
        gradient: its own derivatives by automatic differentiation, where the library has that.
        constants: arrays that the function has from elsewhere, by the name of the variable that stands for them.
        title: the first line of its docstring.
    """

    function: Any
    library: str
    arguments: dict[str, Argument]
    call: Callable[[Mapping[str, Any]], Any]
    gradient: Callable[[Mapping[str, Any], list[str]], dict[str, Any]] | None = None
    constants: dict[str, Array] = field(default_factory=dict)
    title: str = ""

    def value(self, arrays: Mapping[str, Any]) -> Array:
        """The function's own value at matrices, as an array."""
        return np.asarray(self.call(self.formed(arrays)), dtype=np.float64)

    def formed(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """Matrices in the forms that the function takes."""
        return {name: a.form(arrays[name]) for name, a in self.arguments.items()}

    def with_constants(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The arrays of a call with the function's constants.

        Raises:
            MatcalcError: a constant is given.
        """
        given = self.constants.keys() & values.keys()
        if given:
            raise MatcalcError(f"{', '.join(sorted(given))} is a constant of the function, which has its own values")
        return {**values, **self.constants}


def arguments_of(
    names: Mapping[str, inspect.Parameter], shapes: Mapping[str, Any] | None, facts: Mapping[str, list[str]]
) -> dict[str, Argument]:
    """The array arguments of a function.

    Raises:
        MatcalcError: a shape is missing, malformed, or that of no argument; facts are about no argument.
    """
    if not isinstance(shapes, Mapping):
        known = "{" + ", ".join(f'"{name}": ...' for name in names) + "}"
        raise MatcalcError(
            f"a Python function needs shapes={known}: a name or number of a size for a one-dimensional array, "
            "a pair for a matrix, () for a number"
        )
    for name in (*shapes, *facts):
        if name not in names:
            have = ", ".join(names) or "none"
            raise MatcalcError(f"{shorten(repr(name))} is not an argument of the function; its arguments are: {have}")
    missing = [n for n, p in names.items() if n not in shapes and p.default is inspect.Parameter.empty]
    if missing:
        raise MatcalcError(f"shapes has nothing for {', '.join(missing)}, which has no default")
    made = {name: _argument(name, entry, facts.get(name, ())) for name, entry in shapes.items()}
    for name in facts:
        if name not in made:
            raise MatcalcError(f"facts are given for {name}, which keeps its default: give its shape too")
    clash = made.keys() & set(symbols(d for a in made.values() for d in a.shape))
    if clash:
        raise MatcalcError(f"{min(clash)} is both an argument and a dimension: give the size another name in shapes")
    return made


def _argument(name: str, entry: Any, facts: Any) -> Argument:
    check_free(name, "variable")
    rows, columns = shape_of(name, entry)
    rank = len(sizes_of(entry) or ()) if isinstance(entry, (tuple, list, str)) else 1
    if rank > MATRIX:
        raise MatcalcError(f"the shape of {name}: an array of rank {rank} is not read")
    shape: tuple[Dim, ...] = (rows, columns)[:rank]
    try:
        return Argument(var(name, rows, columns, facts), shape)
    except MatcalcError as error:
        raise MatcalcError(f"{name}, {shape_text((rows, columns))} of shape {sizes_text(shape)}: {error}") from None


def parameters(function: Any) -> dict[str, inspect.Parameter]:
    """The arguments of a function by name.

    Raises:
        MatcalcError: it has no signature, or takes any number of arguments.
    """
    try:
        found = dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        raise MatcalcError(
            f"{function!r} has no signature that can be read: write a Python function around it"
        ) from None
    for name, p in found.items():
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) or (p.kind is p.POSITIONAL_ONLY):
            raise MatcalcError(f"the argument {name} cannot be given by name: write a function with named arguments")
    return found
