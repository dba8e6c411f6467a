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
from matcalc.numeric.structures import direction, independent
from matcalc.properties import known

_ATTEMPTS = 60
_KINK = 2e-2
_TOLERANCE = 1e-6
_DIRECTIONS = 3
# Facts of matrices of which libraries read a part only: one triangle, the diagonal.
_PARTS = ("diagonal", "symmetric", "skew", "lower", "upper")


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
    read = getattr(d, "origin", None)
    origin = origin_of(other, variables, read)
    made = function(d, "value_and_grad")
    task = Task(d.source.output, variables, made, d.names, dict(d.structure), d.convention, with_value=True)
    constants = {} if read is None else read.constants
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
    own = None if origin.gradient is None else origin.gradient(origin.formed(point.arrays), wanted)
    errors: dict[str, float] = {}
    for name in wanted:
        for kind in _sets(task, name):
            if own is None:
                error = _by_differences(task, origin, point, name, kind, rng)
            else:
                error = _by_gradient(task, point, name, kind, np.asarray(own[name]), np.asarray(gradients[name]), rng)
            if error is None or error <= _TOLERANCE:
                break
        if error is not None:
            errors[name] = error
    return "", errors


def _sets(task: Task, name: str) -> tuple[str, ...]:
    """The sets along which the gradients are compared; it is enough that they agree along one of them.

    That is the structured set, if there is one. Else all directions count; but of a matrix that is symmetric, say, a
    function may read one triangle (a Cholesky factor does): then its derivative is known along that set only.
    """
    if task.structure.get(name, "none") != "none":
        return (task.structure[name],)
    variable = next(v for v in task.variables if v.name == name)
    part = next((fact for fact in _PARTS if not variable.is_scalar and known(variable, fact)), None)
    return ("none",) if part is None else ("none", part)


def _weights(task: Task, name: str, V: Array) -> Array:
    """What the entries of a gradient are multiplied by in the derivative along V."""
    kind = task.structure.get(name, "none")
    return V if kind == "none" or task.convention == "projection" else independent(V, kind)


def _by_gradient(
    task: Task, point: Point, name: str, kind: str, own: Array, mine: Array, rng: np.random.Generator
) -> float:
    """The error of a gradient against that of the function's own library."""
    if kind == "none":
        return _error(mine, own)
    X = point.inputs[name]
    directions = [direction(rng, X, kind) for _ in range(_DIRECTIONS)]
    pairs = [
        [np.sum(own.reshape(X.shape) * V), np.sum(mine.reshape(X.shape) * _weights(task, name, V))] for V in directions
    ]
    theirs, ours = np.array(pairs).T
    return _error(ours, theirs)


def _by_differences(
    task: Task, origin: Origin, point: Point, name: str, kind: str, rng: np.random.Generator
) -> float | None:
    """The error of a gradient against differences of the function; None where these say nothing at this point."""
    X = point.arrays[name]
    V = direction(rng, X, kind)
    V = V / np.linalg.norm(V)
    weights = _weights(task, name, V)

    def value(arrays: Arrays) -> Array:
        return np.reshape(np.asarray(origin.value(arrays), dtype=float), (1, 1))

    def claimed(arrays: Arrays) -> Array:
        return np.full((1, 1), np.sum(task.derivative(point, name, arrays).reshape(X.shape) * weights))

    scale = np.full((1, 1), np.linalg.norm(task.derivative(point, name, point.arrays)))
    settled = difference(lambda h: value({**point.arrays, name: X + h * V}), scatter(value, point.arrays, rng), scale)
    if settled is None:
        return None
    return disagreement(claimed(point.arrays), scatter(claimed, point.arrays, rng), settled, scale)


def _error(G: Array, other: Array) -> float:
    return float(np.abs(G.reshape(-1) - other.reshape(-1)).max() / (np.abs(other).max() + 1e-12))
