"""A derivation against a Python function: its values, and its gradient by its own library or by differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any

import numpy as np

from matcalc.calculus.problem import Problem
from matcalc.frontend.tracing.doors import origin_of
from matcalc.frontend.tracing.origin import Origin
from matcalc.functions.request import function
from matcalc.numeric.binding import Array
from matcalc.numeric.differences import Arrays, difference, disagreement, scatter
from matcalc.numeric.points import Point, Task, drawn
from matcalc.numeric.report import Report
from matcalc.numeric.sample import MODES

_ATTEMPTS = 60
_KINK = 2e-2
_TOLERANCE = 1e-6


def with_constants(made: Callable[..., Any], origin: Origin) -> Callable[..., Any]:
    """A generated function to which the constants of the Python function are given."""
    if not origin.constants:
        return made

    @wraps(made)
    def call(*args: Any, **arrays: Any) -> Any:
        return made(*args, **origin.with_constants(arrays))

    return call


def checked_against(d: Problem, other: Any, report: Report, trials: int, seed: int) -> Report:
    """A report, with the comparison with a function added to it.

    Raises:
        MatcalcError: it is not a function, or has other arguments.
    """
    d.need_scalar("comparison with a function")
    variables = list(d.graph.declared.values())
    known = getattr(d, "origin", None)
    origin = origin_of(other, variables, known)
    task = Task(d.source.output, variables, function(d, "value_and_grad"), d.names, {}, with_value=True)
    constants = {} if known is None else known.constants
    worst, points, reason = dict.fromkeys(d.names, 0.0), 0, ""
    seen = {name: 0 for name in d.names if name in origin.arguments}
    for attempt in range(_ATTEMPTS):
        if (points >= trials and min(seen.values(), default=trials) >= trials) or reason:
            break
        rng = np.random.default_rng([seed, attempt])
        point = drawn(task, rng, MODES[attempt % len(MODES)], _KINK if attempt < _ATTEMPTS // 2 else 0.0)
        if point is None:
            continue
        if constants:
            point = _at_constants(point, constants)
        reason, errors = _compared(task, origin, point, rng)
        points += 1
        seen = {name: count + (name in errors) for name, count in seen.items()}
        worst = {name: max(worst[name], errors.get(name, 0.0)) for name in worst}
    bad = [name for name, error in worst.items() if not error <= _TOLERANCE]
    if bad and not reason:
        reason = f"the gradient of the function with respect to {', '.join(bad)} is another"
    hidden = [name for name, count in seen.items() if not count]
    if points and hidden:
        reason = reason or f"rounding errors hide the derivative of the function with respect to {', '.join(hidden)}"
    if not points:
        reason = reason or "no point was found where both have values"
    errors = {name: max(report.errors.get(name, 0.0), error) for name, error in worst.items()}
    ok = report.ok and not reason
    return replace(
        report, ok=ok, errors=errors, worst=max(errors.values(), default=0.0), reason=report.reason or reason
    )


def _at_constants(point: Point, constants: Mapping[str, Array]) -> Point:
    arrays = {**point.arrays, **{name: a.reshape(len(a), -1) for name, a in constants.items()}}
    return replace(point, arrays=arrays, inputs={**point.inputs, **arrays})


def _compared(task: Task, origin: Origin, point: Point, rng: np.random.Generator) -> tuple[str, dict[str, float]]:
    """What differs in words, and the errors of the gradients by name."""
    mine, gradients = task.call(point, point.arrays)
    theirs = float(origin.value(point.arrays).reshape(()))
    if abs(mine - theirs) > _TOLERANCE * (1 + abs(theirs)):
        return f"the function gives {theirs:.8g} where the derivation gives {mine:.8g}", {}
    wanted = [name for name in task.wrt if name in origin.arguments]
    if origin.gradient is not None:
        own = origin.gradient(origin.formed(point.arrays), wanted)
        return "", {name: _error(np.asarray(gradients[name]), np.asarray(own[name])) for name in wanted}
    found = {name: _by_differences(task, origin, point, name, rng) for name in wanted}
    return "", {name: error for name, error in found.items() if error is not None}


def _by_differences(task: Task, origin: Origin, point: Point, name: str, rng: np.random.Generator) -> float | None:
    """The error of a gradient against differences of the function; None where these say nothing at this point."""
    X = point.arrays[name]
    V = rng.standard_normal(X.shape)
    V = V / np.linalg.norm(V)

    def value(arrays: Arrays) -> Array:
        return np.reshape(np.asarray(origin.value(arrays), dtype=float), (1, 1))

    def claimed(arrays: Arrays) -> Array:
        return np.full((1, 1), np.sum(task.derivative(point, name, arrays).reshape(X.shape) * V))

    scale = np.full((1, 1), np.linalg.norm(task.derivative(point, name, point.arrays)))
    settled = difference(lambda h: value({**point.arrays, name: X + h * V}), scatter(value, point.arrays, rng), scale)
    if settled is None:
        return None
    return disagreement(claimed(point.arrays), scatter(claimed, point.arrays, rng), settled, scale)


def _error(G: Array, other: Array) -> float:
    return float(np.abs(G.reshape(-1) - other.reshape(-1)).max() / (np.abs(other).max() + 1e-12))
