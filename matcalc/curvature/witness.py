"""A witness that a function is neither convex nor concave: points and directions with curvatures of both signs.

Hessians are taken along a basis of the directions in which the variables may move, by generated Hessian-vector
products; what is reported is confirmed by second differences of the source.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from matcalc.calculus.problem import Problem
from matcalc.errors import FactError, MatcalcError
from matcalc.functions.request import function
from matcalc.numeric.binding import Array
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.sample import MODES, sample
from matcalc.properties import known

_POINTS = 60
_SCALES = (1.0, 0.3, 2.0, 0.05)
_VISIBLE = 1e-6
_AGREE = 1e-4
_SMALL = 3


@dataclass(frozen=True)
class Witness:
    """A point, and directions with the second derivatives along them: two of different sign, or one.

    Across a kink a chord instead: the point in its middle, one direction, and by how much the function exceeds the
    chord there (negative: undercuts it).

    Attributes:
        values: of all variables.
        directions: each by the names of the variables that move.
        curvatures: the second derivatives along them, v' H v.
        chord: for a chord, f(middle) minus the mean of f at the ends, middle minus and plus the direction.
    """

    values: Mapping[str, Array]
    directions: tuple[Mapping[str, Array], ...]
    curvatures: tuple[float, ...]
    chord: float | None = None

    def lines(self) -> list[str]:
        """What it shows, in plain text."""
        first = f"at {_text(self.values)}"
        if self.chord is not None:
            ends = _text(self.directions[0])
            return [first, f"the function minus its chord between -v and +v, v: {ends}, is {self.chord:.4g}"]
        rest = zip(self.directions, self.curvatures)
        return [first, *(f"the second derivative along {_text(v)} is {value:.4g}" for v, value in rest)]

    def data(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "values": {name: array.tolist() for name, array in self.values.items()},
            "directions": [{name: array.tolist() for name, array in v.items()} for v in self.directions],
            "curvatures": list(self.curvatures),
            "chord": self.chord,
        }


def _text(arrays: Mapping[str, Array]) -> str:
    return ", ".join(f"{name} = {np.round(array, 4).tolist()}" for name, array in arrays.items())


@dataclass(frozen=True)
class Extremes:
    """The least and the largest curvature at a point, with their directions."""

    values: Mapping[str, Array]
    directions: tuple[Mapping[str, Array], Mapping[str, Array]]
    curvatures: tuple[float, float]


def witness(d: Problem, *, rough: bool = False) -> Witness | tuple[Witness, ...] | None:
    """Where the function is neither convex nor concave; None where nothing was found.

    Args:
        d: the problem.
        rough: whether the function has kinks, so that chords are tried too.
    """
    below: Witness | None = None
    above: Witness | None = None
    for found in extremes(d):
        low, high = found.curvatures
        if low < 0 < high and _confirmed(d, found):
            return Witness(found.values, found.directions, found.curvatures)
        for k, value in enumerate(found.curvatures):
            if value and _agrees(d, found.values, found.directions[k], value):
                one = Witness(found.values, (found.directions[k],), (value,))
                below, above = (one if value < 0 else below), (one if value > 0 else above)
        if below is not None and above is not None:
            return below, above
    if not rough:
        return None
    for chord in chords(d):
        size = chord.chord or 0.0
        below, above = (chord if size > 0 else below), (chord if size < 0 else above)
        if below is not None and above is not None:
            return below, above
    return None


def chords(d: Problem, seed: int = 1) -> Iterator[Witness]:
    """Chords that the function visibly leaves, between points whose middle lies between them."""
    variables = list(d.graph.declared.values())
    rng = np.random.default_rng(seed)
    small = {name: _SMALL if k == 0 else 2 for k, name in enumerate(_size_names(d))}
    for k in range(_POINTS):
        try:
            arrays, sizes = sample(variables, rng, small, mode=MODES[k // 4 % 2])
            other, _ = sample([d.graph.declared[name] for name in d.names], rng, sizes, mode=MODES[k // 4 % 2])
        except (FactError, MatcalcError):
            continue
        if k % 2:
            other = {name: -arrays[name] if MODES[k // 4 % 2] == "free" else other[name] for name in other}
        middle = {**arrays, **{name: (arrays[name] + other[name]) / 2 for name in other}}
        half = {name: (arrays[name] - other[name]) / 2 for name in other}
        values = [_value(d, middle, half, step) for step in (-1.0, 0.0, 1.0)]
        size = values[1] - (values[0] + values[2]) / 2
        if np.isfinite(size) and abs(size) > _VISIBLE * (1 + max(map(abs, values))):
            yield Witness(middle, (half,), (), float(size))


def extremes(d: Problem, points: int = _POINTS, seed: int = 0) -> Iterator[Extremes]:
    """The extreme curvatures at random points of the domain."""
    variables = list(d.graph.declared.values())
    products = function(d, "hvp")
    rng = np.random.default_rng(seed)
    small = {name: _SMALL if k == 0 else 2 for k, name in enumerate(_size_names(d))}
    for k in range(points):
        try:
            arrays, sizes = sample(variables, rng, small, mode=MODES[k // 4 % 2])
        except (FactError, MatcalcError):
            continue
        arrays = {name: _scaled(d, name, array, _SCALES[k % 4]) for name, array in arrays.items()}
        basis = list(_basis(d, arrays))
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                columns = [products(**arrays, dims=sizes, tangents=direction) for direction in basis]
            except (MatcalcError, np.linalg.LinAlgError, ValueError, FloatingPointError):
                continue
        H = np.array([[_inner(column, direction) for direction in basis] for column in columns])
        if not np.all(np.isfinite(H)):
            continue
        values, vectors = np.linalg.eigh(H / 2 + H.T / 2)
        directions = tuple(_combined(basis, vectors[:, j]) for j in (0, -1))
        floor = _VISIBLE * max(1.0, float(np.abs(values).max()))
        ends = [0.0 if abs(value) < floor else float(value) for value in (values[0], values[-1])]
        yield Extremes(arrays, (directions[0], directions[1]), (ends[0], ends[1]))


def _size_names(d: Problem) -> list[str]:
    return list(dict.fromkeys(str(s) for v in d.graph.declared.values() for s in v.shape if not isinstance(s, int)))


def _scaled(d: Problem, name: str, array: Array, factor: float) -> Array:
    """A value moved towards or away from 0, where no fact forbids it."""
    v = d.graph.declared[name]
    closed = ("orthogonal", "one-hot", "one-hot-column", "row-stochastic", "column-stochastic", "constant")
    return array if name not in d.names or any(known(v, fact) for fact in closed) else factor * array


def _basis(d: Problem, arrays: Mapping[str, Array]) -> Iterator[dict[str, Array]]:
    """An orthonormal basis of the directions in which the variables may move together."""
    zero = {name: np.zeros_like(arrays[name]) for name in d.names}
    for v in d.wrt:
        m, n = arrays[v.name].shape
        structure = d.structure_of(v)
        diagonal = structure == "diagonal" or known(v, "diagonal")
        symmetric = structure == "symmetric" or known(v, "symmetric")
        for i in range(m):
            for j in range(n):
                if (diagonal and i != j) or (symmetric and i < j):
                    continue
                E = np.zeros((m, n))
                E[i, j] = 1.0
                if symmetric and i != j:
                    E[i, j] = E[j, i] = np.sqrt(0.5)
                yield {**zero, v.name: E}


def _inner(a: Mapping[str, Any], b: Mapping[str, Array]) -> float:
    return float(sum(np.sum(np.asarray(a[name]) * b[name]) for name in b))


def _combined(basis: list[dict[str, Array]], weights: Array) -> dict[str, Array]:
    return {name: np.asarray(sum(w * b[name] for w, b in zip(weights, basis))) for name in basis[0]}


def _confirmed(d: Problem, found: Extremes) -> bool:
    """Whether second differences of the source agree with both curvatures."""
    return all(_agrees(d, found.values, v, c) for v, c in zip(found.directions, found.curvatures))


def _agrees(d: Problem, values: Mapping[str, Array], direction: Mapping[str, Array], curvature: float) -> bool:
    def at(step: float) -> float:
        return _value(d, values, direction, step)

    for h in (1e-2, 3e-3, 1e-3, 3e-4):
        second = (-at(2 * h) + 16 * at(h) - 30 * at(0.0) + 16 * at(-h) - at(-2 * h)) / (12 * h * h)
        if abs(second - curvature) <= _AGREE * (1 + abs(curvature)):
            return True
    return False


def _value(d: Problem, values: Mapping[str, Array], direction: Mapping[str, Array], step: float) -> float:
    """The source at a point moved along a direction."""
    sizes = {str(s): k for v in d.graph.declared.values() for s, k in zip(v.shape, values[v.name].shape)}
    moved = {n: a + step * direction[n] if n in direction else a for n, a in values.items()}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return float(evaluate(d.source.output, moved, sizes, {})[0, 0])
