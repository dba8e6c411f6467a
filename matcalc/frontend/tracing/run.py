"""The run of a function on tracers, and the graph that comes of it: its values named, compared with the function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np

from matcalc.core import named
from matcalc.dims import symbols
from matcalc.errors import MatcalcError, NoRuleError
from matcalc.expr import Expr, postorder
from matcalc.frontend.tracing.arrays import Value, number
from matcalc.frontend.tracing.compare import difference
from matcalc.frontend.tracing.library import is_filled
from matcalc.frontend.tracing.origin import Argument, Origin
from matcalc.frontend.tracing.plain import Constant, plain
from matcalc.frontend.tracing.session import Session, named_values
from matcalc.frontend.tracing.tracer import Tracer
from matcalc.graph import Graph
from matcalc.walk import transform


@dataclass
class Traced:
    """What a run gave: the graph, and what it is of."""

    graph: Graph
    origin: Origin


def taken_names(arguments: Mapping[str, Argument]) -> dict[str, None]:
    return dict.fromkeys((*arguments, *symbols(d for a in arguments.values() for d in a.shape)))


class known_constants:  # noqa: N801
    """For a run: the arrays in a function's modules and closure are known by name and take values in `dot`."""

    def __init__(self, session: Session, function: Any, modules: list[dict[str, Any]], *, views: bool = True) -> None:
        self.session, self.function, self.modules, self.views = session, function, modules, views
        self.undo: list[Callable[[], None]] = []

    def __enter__(self) -> dict[str, Any]:
        for names in self.modules:
            for name, value in list(names.items()):
                self._note(name, value)
                if self.views and type(value) is np.ndarray:
                    names[name] = self._view(name, value)
                    self.undo.append(lambda names=names, name=name, value=value: names.__setitem__(name, value))  # type: ignore[misc]
        self._closure(self.function)
        defaults = {}
        for name, p in inspect.signature(self.function).parameters.items():
            self._note(name, p.default)
            if self.views and type(p.default) is np.ndarray:
                defaults[name] = self._view(name, p.default)
        return defaults

    def _closure(self, function: Any) -> None:
        if not isinstance(function, FunctionType):
            return
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            if not is_filled(cell):
                continue
            value = cell.cell_contents
            self._note(name, value)
            if self.views and type(value) is np.ndarray:
                cell.cell_contents = self._view(name, value)
                self.undo.append(lambda cell=cell, value=value: setattr(cell, "cell_contents", value))  # type: ignore[misc]

    def _note(self, name: str, value: Any) -> None:
        if hasattr(value, "shape") and hasattr(value, "dtype"):
            self.session.know(name, value)

    def _view(self, name: str, value: Any) -> Any:
        view = value.view(Constant)
        self.session.know(name, view)
        return view

    def __exit__(self, *_: object) -> None:
        for step in reversed(self.undo):
            step()


def traced(session: Session, call: Callable[[], Any]) -> Any:
    """The result of a run.

    Raises:
        MatcalcError: something was refused, or failed on values that are not known; with the place.
    """
    try:
        with session.watched(lambda value: value.expr if isinstance(value, Tracer) else None):
            result = call()
    except MatcalcError as error:
        raise _placed(error, session.place(error.__traceback__)) from None
    except RecursionError as error:
        raise NoRuleError(
            f"{session.place(error.__traceback__)}: a recursion that does not end on unknown values"
        ) from None
    except Exception as error:
        place = session.place(error.__traceback__)
        raise NoRuleError(
            f"{place or 'the function'}: this does not work on arrays whose values are not known "
            f"({type(error).__name__}: {error})"
        ) from None
    if session.refused is not None:  # the function caught it, and went another way
        raise _placed(session.refused, session.place(session.refused.__traceback__))
    return result


def _placed(error: MatcalcError, place: str) -> MatcalcError:
    return NoRuleError(f"{place}: {error}" if place else str(error))


def finished(session: Session, result: Any, origin: Origin) -> Traced:
    """The graph of a result, its values named, compared with the function.

    Raises:
        MatcalcError: the result is not an array, or the function gives other values.
    """
    output = output_of(session, result, origin)
    declared = [a.variable for a in origin.arguments.values()]
    constants = [e for e in postorder((output,)) if e.op == "variable" and e not in declared]
    words = difference(origin, output, [*declared, *constants])
    if words:
        raise NoRuleError(f"the function could not be read as a formula: {words}")
    return Traced(named_graph(session, output, [*declared, *constants]), origin)


def output_of(session: Session, result: Any, origin: Origin) -> Expr:
    """The expression of what a function returned."""
    if isinstance(result, Tracer):
        return plain(result.value).expr
    if isinstance(result, Value):
        return result.expr
    if isinstance(result, (int, float, np.floating, np.integer)) and not isinstance(result, bool):
        return Value(number(result).expr, ()).expr
    what = "a tuple" if isinstance(result, tuple) else type(result).__name__
    raise NoRuleError(f"the function returns {what}: it must return one array or number")


def named_graph(session: Session, output: Expr, declared: list[Expr]) -> Graph:
    """The graph with the function's local names."""
    inside = set(postorder((output,)))
    names = named_values(session.names, inside, {v.name for v in declared})
    done = transform((output,), lambda new, old: named(names[old], new) if old in names else new)
    return Graph.of(done[output], declared)


def title_of(function: Any) -> str:
    """The first line of a docstring."""
    text = inspect.getdoc(inspect.unwrap(function)) or ""
    return text.strip().splitlines()[0].rstrip(".") if text.strip() else ""
