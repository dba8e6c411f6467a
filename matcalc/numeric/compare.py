"""One derivative at one point against differences of the source: along the structured set, or in free directions.

Gradients and Jacobians are compared with first differences, Hessians with mixed second differences of the source, so
that nothing that was derived stands on both sides. Facts do not restrict directions, a structure does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from matcalc.core import var
from matcalc.errors import MatcalcError
from matcalc.expr import postorder
from matcalc.numeric.binding import Array
from matcalc.numeric.differences import (
    TOLERANCE,
    Arrays,
    Difference,
    difference,
    disagreement,
    scatter,
    second_difference,
)
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.points import Point, Task, smooth_functions
from matcalc.numeric.precise import evaluate_precisely, exactly
from matcalc.numeric.structures import direction, independent, projected
from matcalc.walk import depends, substitute, variables

_VALUE_TOLERANCE = 1e-9
_VALUE_ROUNDING = 1e3
_SOURCE_ROUNDING = 100  # rounding errors beyond which differences of the source say nothing
_DIRECTIONS = 2
_ROWS = 6  # how many rows of a Hessian are compared by themselves
_ON_SET = 1e-9  # a gradient along a set that leaves it by less, relative to its size, is on it


def compare(task: Task, point: Point) -> bool:
    """Record the errors at a point; False where differences do not settle (a kink is near) or the source is inexact."""
    found: dict[str, float] = {}
    with np.errstate(all="ignore"):
        noise = scatter(_source(task, point), point.arrays, point.rng)
        if not np.all(np.isfinite(noise)):  # rounding decides whether there is a value: the log of a det that is 0
            return False
        try:
            if task.with_value:
                value = task.call(point, point.arrays)[0]
                if not _is_value(value, point.value, noise):
                    if _is_inexact(task, point, _allowed(point.value, noise)):
                        return False
                    task.reason = f"the generated code gives the value {value}, the source graph {point.value.item()}"
                    return True
            for name in task.wrt:
                errors = list(_errors(task, point, name, noise))
                if None in errors:
                    return False
                found[name] = max(error for error in errors if error is not None)
        except np.linalg.LinAlgError as error:
            task.reason = f"the generated code failed: {error}"
            return True
    rounding = _SOURCE_ROUNDING * (noise + np.finfo(float).eps * np.abs(point.value))
    if not all(error <= TOLERANCE for error in found.values()) and _is_inexact(task, point, rounding):
        return False
    for name, worst in found.items():
        task.errors[name] = max(task.errors[name], worst)
    return True


def _source(task: Task, point: Point) -> Callable[[Arrays], Array]:
    functions = smooth_functions(task.output)
    return lambda arrays: evaluate(task.output, arrays, point.sizes, functions)


def _is_value(value: object, expected: Array, noise: Array) -> bool:
    return bool(np.all(np.abs(np.asarray(value) - expected) <= _allowed(expected, noise)))


def _allowed(expected: Array, noise: Array) -> Array:
    """How far a value may be from the source's."""
    return np.asarray(_VALUE_TOLERANCE * np.abs(expected) + _VALUE_ROUNDING * noise)


def _is_inexact(task: Task, point: Point, allowed: Array) -> bool:
    """Whether the source loses digits at the point, as it is typed: its value with 60 digits is too far."""
    try:
        exact = {v.name: exactly(v, point.arrays[v.name]) for v in variables((task.output,))}
        value = evaluate_precisely([task.output], exact, point.sizes).values[0]
    except MatcalcError:  # not known with so many digits
        return False
    return not np.all(np.abs(value.astype(float) - point.value) <= allowed)


def _errors(task: Task, point: Point, name: str, noise: Array) -> Iterator[float | None]:
    """The relative errors of the derivative by `name`; None where nothing can be said."""
    derivative = task.derivative(point, name, point.arrays)
    if not task.kind.matrix:
        yield _leaves_set(task, point, name, derivative)
    for _ in range(_DIRECTIONS):
        if task.kind.second:
            yield _second(task, point, name, derivative, noise)
        else:
            yield _first(task, point, name, derivative, noise)
    if task.kind.second:
        for row in point.rng.permutation(len(derivative))[:_ROWS]:
            yield _second(task, point, name, derivative, noise, row)


def _leaves_set(task: Task, point: Point, name: str, derivative: Array) -> float:
    """How far a gradient along a set is from the set's directions, relative to its size."""
    X, kind = point.inputs[name], task.structure.get(name, "none")
    G = derivative.reshape(X.shape)
    if kind == "none" or not np.all(np.isfinite(G)):
        return 0.0
    away, size = np.abs(G - projected(G, X, kind)).max(initial=0), np.abs(G).max(initial=0)
    return float(away / size) if away > _ON_SET * size else 0.0


def _first(task: Task, point: Point, name: str, derivative: Array, noise: Array) -> float | None:
    """The error of a gradient or Jacobian in a random direction of the set."""
    kind, X = task.structure.get(name, "none"), point.inputs[name]
    V = direction(point.rng, X, kind)
    W = V if task.convention == "projection" else independent(V, kind)
    coordinates = _coordinates(task, point, name, V)

    def claimed(arrays: Arrays) -> Array:
        found = task.derivative(point, name, arrays)
        return np.full((1, 1), np.sum(found.reshape(X.shape) * W)) if task.with_value else found @ coordinates

    if task.with_value:
        scale = np.full((1, 1), np.linalg.norm(derivative) * np.linalg.norm(V))
    else:
        scale = np.linalg.norm(derivative, axis=1, keepdims=True) * np.linalg.norm(coordinates)
    value = _moving(task, point, name)
    settled = difference(lambda h: value({name: X + h * V}), _vec(noise), scale)
    return _judged(task, point, claimed, scale, settled)


def _second(
    task: Task, point: Point, name: str, derivative: Array, noise: Array, row: int | None = None
) -> float | None:
    """The error of a Hessian in two random directions, or of one of its rows in one."""
    other = name if task.by is None else task.by
    X, Y = point.inputs[name], point.inputs[other]
    if row is None:
        V = direction(point.rng, X, task.structure.get(name, "none"))
    else:
        V = _unit(task, point, name, len(derivative), row)
    W = direction(point.rng, Y, task.structure.get(other, "none"))
    left, right = _coordinates(task, point, name, V), _coordinates(task, point, other, W)

    def claimed(arrays: Arrays) -> Array:
        return np.asarray(left.T @ task.derivative(point, name, arrays) @ right)

    scale = np.full((1, 1), np.linalg.norm(left.T @ derivative) * np.linalg.norm(right))
    value = _moving(task, point, name, other)

    def moved(s: float, t: float) -> Array:
        return value({name: X + s * V + t * W} if other == name else {name: X + s * V, other: Y + t * W})

    return _judged(task, point, claimed, scale, second_difference(moved, _vec(noise), scale))


def _judged(
    task: Task, point: Point, claimed: Callable[[Arrays], Array], scale: Array, settled: Difference | None
) -> float | None:
    """The relative error of what is claimed at a point against a difference."""
    if settled is None:
        return None
    error = disagreement(claimed(point.arrays), scatter(claimed, point.arrays, point.rng), settled, scale)
    task.hidden = task.hidden or error is None
    return error


def _basis(task: Task, point: Point, name: str) -> Array | None:
    """The basis D of the set: vec(X) = D t for the coordinates t; None for a free variable."""
    return None if name not in task.bases else evaluate(task.bases[name], {}, point.sizes)


def _coordinates(task: Task, point: Point, name: str, V: Array) -> Array:
    """A direction by the coordinates of the set."""
    D = _basis(task, point, name)
    return _vec(V) if D is None else np.asarray(np.linalg.lstsq(D, _vec(V), rcond=None)[0])


def _unit(task: Task, point: Point, name: str, count: int, k: int) -> Array:
    """The direction in which the k-th coordinate alone moves."""
    D, unit = _basis(task, point, name), np.eye(count)[:, [k]]
    return np.asarray((unit if D is None else D @ unit).reshape(point.inputs[name].shape, order="F"))


def _moving(task: Task, point: Point, *names: str) -> Callable[[Arrays], Array]:
    """vec of the source for changed values of variables and of named values, which are variables then."""
    table = {task.named[name]: var(name, *task.named[name].shape) for name in names if name in task.named}
    output = substitute(task.output, table)
    moving = [e for e in postorder((output,)) if e.op == "variable" and e.params[0] in names]
    if output not in depends((output,), moving):
        return lambda changed: np.zeros_like(_vec(point.value))
    functions = smooth_functions(output)
    return lambda changed: _vec(evaluate(output, {**point.inputs, **changed}, point.sizes, functions))


def _vec(X: Array) -> Array:
    return X.reshape(-1, 1, order="F")
