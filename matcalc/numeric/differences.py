"""Derivatives by differences, with an estimate of their rounding errors.

The rounding error of a function is estimated by its own scatter: its values where the inputs are changed in their last
digits. Nothing is compared with a fixed small number: a derivative of size 1e-9 is judged like one of size 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from matcalc.numeric.binding import Array

Arrays: TypeAlias = "dict[str, Array]"

TOLERANCE = 1e-6
_STEPS = (1e-2, 1e-3, 1e-4)
_SMOOTH = 1e-2
_SCATTER = 3  # how many times the inputs are changed
_LAST_DIGITS = 4 * np.finfo(np.float64).eps
_AMPLIFIED = 30  # rounding errors of an extrapolated difference with step h, in units of those of the values over h
_AMPLIFIED_TWICE = 100  # the same of a second difference, over h^2
_CANCELLED = 1e-3  # an entry that is smaller, relative to the sizes of gradient and direction, is so by cancellation
_VISIBLE = 1e-4  # rounding errors that are larger, relative to the derivative, hide an error of a thousandth


@dataclass(frozen=True, slots=True)
class Difference:
    """A directional derivative by differences, and its rounding errors, entry by entry."""

    value: Array
    rounding: Array


def scatter(f: Callable[[Arrays], Array], inputs: Arrays, rng: np.random.Generator) -> Array:
    """The rounding errors of f at some inputs, entry by entry: its scatter when their last digits change."""
    value = f(inputs)
    found = np.finfo(np.float64).eps * np.abs(value)
    for _ in range(_SCATTER):
        changed: dict[str, Any] = {
            name: array * (1 + _LAST_DIGITS * rng.uniform(-1, 1, size=np.shape(array)))
            for name, array in inputs.items()
        }
        found = np.maximum(found, np.abs(f(changed) - value))
    return np.asarray(found)


def difference(f: Callable[[float], Array], noise: Array, scale: Array) -> Difference | None:
    """f'(0) by central differences at three steps, extrapolated; None where they disagree (a kink is near).

    Args:
        f: the values along a line.
        noise: their rounding errors.
        scale: the size that the entries of f'(0) have unless they cancel.
    """

    def quotient(h: float) -> Array:
        return (f(h) - f(-h)) / (2 * h)

    return _extrapolated(quotient, lambda h: _AMPLIFIED * noise / h, scale)


def second_difference(f: Callable[[float, float], Array], noise: Array, scale: Array) -> Difference | None:
    """The mixed second derivative of f(s, t) at 0, as `difference`.

    Args:
        f: the values in a plane.
        noise: their rounding errors.
        scale: the size that the entries of the derivative have unless they cancel.
    """

    def quotient(h: float) -> Array:
        return (f(h, h) - f(h, -h) - f(-h, h) + f(-h, -h)) / (4 * h**2)

    return _extrapolated(quotient, lambda h: _AMPLIFIED_TWICE * noise / h**2, scale)


def _extrapolated(
    quotient: Callable[[float], Array], roundings: Callable[[float], Array], scale: Array
) -> Difference | None:
    """The limit of a quotient that is even in its step h, from three steps, with its rounding errors."""
    for h in _STEPS:
        coarse, middle, fine = quotient(h), quotient(h / 2), quotient(h / 4)
        first, second = (4 * middle - coarse) / 3, (4 * fine - middle) / 3
        third = (16 * second - first) / 15
        rounding = roundings(h)
        size = np.maximum(np.abs(third), _CANCELLED * scale)
        smooth = np.abs(coarse - fine) <= _SMOOTH * size + rounding
        settled = np.abs(third - second) <= TOLERANCE * size + rounding
        if np.all(smooth & settled):
            return Difference(third, rounding)
    return None


def disagreement(claimed: Array, noise: Array, found: Difference, scale: Array) -> float | None:
    """The largest relative error of the entries of a derivative; None where rounding hides an error of a thousandth.

    Args:
        claimed: the entries that are judged.
        noise: their own rounding errors.
        found: the same by differences.
        scale: the size that they have unless they cancel.
    """
    if not np.all(np.isfinite(claimed)):
        return np.inf
    size = np.maximum(np.abs(claimed), np.abs(found.value))
    zero = (np.abs(claimed) <= _AMPLIFIED * noise) & (np.abs(found.value) <= found.rounding)
    if np.any(~zero & (found.rounding > _VISIBLE * np.maximum(size, _CANCELLED * scale))):
        return None
    floor = np.maximum(TOLERANCE * scale, (found.rounding + _AMPLIFIED * noise) / TOLERANCE)
    with np.errstate(all="ignore"):
        errors = np.abs(claimed - found.value) / np.maximum(size, floor)
    return float(np.max(np.where(zero | (errors != errors), 0, errors), initial=0.0))
