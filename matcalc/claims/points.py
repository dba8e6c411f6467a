"""Points at which two expressions are compared: random ones and small integers, inside the domains, away from kinks."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matcalc import dims
from matcalc.errors import MatcalcError, MissingDependencyError
from matcalc.expr import Expr, postorder
from matcalc.numeric.binding import Array
from matcalc.numeric.evaluate import evaluate_all
from matcalc.numeric.kinks import arguments_of_kinks, has_ties
from matcalc.numeric.points import domain_conditions, smooth_functions
from matcalc.numeric.precise import evaluate_precisely, exactly
from matcalc.numeric.sample import MODES, draw_sizes, holds, sample
from matcalc.properties import BIT, NAMES
from matcalc.walk import variables

NOTHING = 1.001e-10  # a relative difference below this one disproves nothing
NOISE_FACTOR = 1e4  # how far above its own rounding a difference must be
CLEAR = 1e-8  # a difference above this part of the largest value on the way is no rounding error
_EPS = 4e-16
_KINK = 1e-3
_LARGEST = 1e8
SMALL_SIZES = (2, 3, 1, 4, 5, 6, 7, 8)


@dataclass(frozen=True)
class Point:
    """Values of the variables, and the sizes of the dimensions."""

    arrays: Mapping[str, Array]
    sizes: Mapping[str, int]
    whole: bool


class Field:
    """Draws points at which some expressions are defined, and evaluates there.

    Args:
        roots: the expressions whose domains count.
        also: variables that are given values although they do not occur.

    Attributes:
        missing: why nothing can be evaluated: the package that is not installed.
    """

    def __init__(self, roots: Sequence[Expr], also: Sequence[Expr] = ()) -> None:
        self.roots = list(roots)
        self.missing: tuple[str, ...] = ()
        self.variables = list(dict.fromkeys([*also, *variables(self.roots)]))
        found = dict.fromkeys(pair for root in self.roots for pair in domain_conditions(root))
        self.conditions = list(found)
        self.kinks = arguments_of_kinks(self.roots)
        self.functions: dict[str, Callable[[Array], Any]] = {}
        for root in self.roots:
            self.functions.update(smooth_functions(root))
        shapes = [d for sub in postorder(self.roots) for d in sub.shape]
        self.shapes = [*(d for v in self.variables for d in v.shape), *shapes]

    def random(self, count: int, seed: int = 0) -> Iterator[Point]:
        """Up to `count` random points of distinct sizes."""
        yield from self._points(count, 8 * count, lambda k: self._draw(seed, k))

    def small(self, count: int, seed: int = 0) -> Iterator[Point]:
        """Up to `count` points of small integers and small sizes; none where ties would decide."""
        if has_ties(self.roots):
            return
        yield from self._points(count, 6 * count, lambda k: self._draw_small(seed, k))

    def _points(self, count: int, tries: int, draw: Callable[[int], Point | None]) -> Iterator[Point]:
        found = 0
        for k in range(tries):
            try:
                point = draw(k)
            except MissingDependencyError as error:
                self.missing = (f"no evaluation: {error}",)
                return
            if point is not None and self.admits(point):
                yield point
                found += 1
            if found == count:
                return

    def _draw(self, seed: int, k: int) -> Point | None:
        rng = np.random.default_rng([seed, k])
        try:
            sizes = draw_sizes(self.shapes, rng)
            arrays, sizes = sample(self.variables, rng, sizes, MODES[k % len(MODES)])
        except MatcalcError:  # no value with these facts at these sizes: another try
            return None
        return Point(self._whole_exponents(arrays, rng), sizes, False)

    def _draw_small(self, seed: int, k: int) -> Point | None:
        rng = np.random.default_rng([seed, k, 1])
        names = dims.symbols(self.shapes)
        rotated = SMALL_SIZES[: max(len(names), 2)]
        sizes = dict(zip(names, rng.permutation(rotated).tolist()))
        try:
            sizes = draw_sizes(self.shapes, rng, sizes if len(sizes) == len(names) else None)
            arrays, sizes = sample(self.variables, rng, sizes, MODES[k % len(MODES)])
        except MatcalcError:
            return None
        rounded = {v.params[0]: _rounded(v, arrays[v.params[0]]) for v in self.variables}
        return Point(self._whole_exponents(rounded, rng), sizes, all(np.all(a == np.rint(a)) for a in rounded.values()))

    def _whole_exponents(self, arrays: dict[str, Array], rng: np.random.Generator) -> dict[str, Array]:
        """Whole values for the variables that are exponents of matrices."""
        exponents = [s.args[1] for s in postorder(self.roots) if s.op == "matpow"]
        for v in variables(exponents):
            arrays[v.params[0]] = np.full(arrays[v.params[0]].shape, float(rng.integers(2, 5)))
        return arrays

    def admits(self, point: Point) -> bool:
        """Whether everything is defined there, and no kink is near."""
        try:
            values = self.values([*(e for _, e in self.conditions), *self.kinks, *self.roots], point)
        except MissingDependencyError as error:
            self.missing = (f"no evaluation: {error}",)
            return False
        except (MatcalcError, np.linalg.LinAlgError):
            return False
        if not all(np.all(np.isfinite(v)) and np.abs(v).max(initial=0) < _LARGEST for v in values):
            return False
        count = len(self.conditions)
        if not all(holds(v, fact) for (fact, _), v in zip(self.conditions, values)):
            return False
        return all(np.abs(v).min() > _KINK for v in values[count : count + len(self.kinks)])

    def values(self, exprs: Sequence[Expr], point: Point) -> list[Array]:
        """The values of some expressions at a point; what is not finite there is judged by the caller."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a variance of one entry, the logarithm of a singular matrix
            return evaluate_all(list(exprs), point.arrays, point.sizes, self.functions)

    def differ(self, first: Expr, second: Expr, point: Point) -> bool | None:
        """Whether two expressions differ there for certain; None where one has no finite value or rounding decides."""
        try:
            a, b = self.values([first, second], point)
        except (MatcalcError, np.linalg.LinAlgError):
            return None
        if not (np.all(np.isfinite(a)) and np.all(np.isfinite(b))):
            return None
        gap = distance(a, b)
        if gap <= NOTHING:
            return False
        rng = np.random.default_rng(7)
        near = {k: v * (1 + _EPS * rng.choice([-1.0, 1.0], size=v.shape)) for k, v in point.arrays.items()}
        try:
            c, d = self.values([first, second], Point(near, point.sizes, False))
        except (MatcalcError, np.linalg.LinAlgError):
            return None
        noise = max(distance(a, c), distance(b, d))
        return True if gap > NOISE_FACTOR * noise else None

    def certain(self, first: Expr, second: Expr, point: Point) -> bool:
        """Whether two expressions that differ there in floating point differ with 60 digits too, at exact facts.

        Where an operation is not known with so many digits, the difference must stand out from what was computed on
        the way: of `a - a` nothing but rounding is left.
        """
        try:
            exact = {v.name: exactly(v, point.arrays[v.params[0]]) for v in self.variables}
            return evaluate_precisely([first, second], exact, point.sizes).differ
        except MatcalcError:
            parts = list(postorder((first, second)))
            a, b, *inner = self.values([first, second, *parts], point)
            largest = max(float(np.abs(v).max(initial=0)) for v in inner)
            return float(np.abs(a - b).max(initial=0)) > CLEAR * largest


def distance(a: Array, b: Array) -> float:
    """The largest difference relative to the largest entry."""
    size = max(float(np.abs(a).max(initial=0)), float(np.abs(b).max(initial=0)))
    gap = float(np.abs(a - b).max(initial=0))
    return 0.0 if gap == 0 else gap / size


def _rounded(v: Expr, value: Array) -> Array:
    """Small integers with the variable's facts, near the value; the value itself where there are none."""
    facts = [fact for fact in NAMES if v.params[3] & BIT[fact]]
    for candidate in (np.rint(2 * value), np.rint(2 * value) + np.sign(value), np.rint(3 * value), np.ceil(value)):
        near = np.clip(candidate, -9, 9) + 0.0
        if np.any(near) and all(holds(near, fact) for fact in facts):
            return np.asarray(near)
    return value
