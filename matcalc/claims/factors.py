"""The factor by which an array differs from another: a number, a dimension, or the power of a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from matcalc.numeric.binding import Array

CLOSE = 1e-7
POWERS = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5)
LARGEST = 64


@dataclass(frozen=True)
class Factor:
    """`number * value ^ exponent`; `value` is a name, or empty for a number alone."""

    number: Fraction
    value: str = ""
    exponent: float = 1.0

    @property
    def is_one(self) -> bool:
        """Whether it changes nothing."""
        return not self.value and self.number == 1

    @property
    def weight(self) -> float:
        """How odd it would be."""
        if self.is_one:
            return 0.0
        return (0.0 if self.number == 1 else 1.0) + (0.0 if not self.value else 1.0 if abs(self.exponent) == 1 else 1.2)

    def __str__(self) -> str:
        if not self.value:
            return str(self.number)
        size = f"{abs(self.exponent):g}"
        power = self.value if size == "1" else f"{self.value}^{size}"
        above = "" if self.number.numerator == 1 and self.exponent > 0 else str(self.number.numerator)
        parts = [above, power] if self.exponent > 0 else [above]
        below = [power] if self.exponent < 0 else []
        below += [str(self.number.denominator)] if self.number.denominator != 1 else []
        return "*".join(part for part in parts if part) + "".join(f"/{part}" for part in below)


def factors(pairs: Sequence[tuple[Array, Array]], values: Sequence[Mapping[str, Array]]) -> Iterator[Factor]:
    """The factors f with `first = f * second` at every point.

    Args:
        pairs: the two arrays at each point.
        values: by name, what may be a factor, at each point.
    """
    ratios = [_ratio(a, b) for a, b in pairs]
    if any(r is None for r in ratios):
        return
    known = [r for r in ratios if r is not None]
    number = _constant(known)
    if number is not None:
        yield Factor(number)
        return
    for name in values[0]:
        if not all(_fits(v[name], r) for v, r in zip(values, known)):
            continue
        for exponent in POWERS:
            with np.errstate(all="ignore"):
                rest = [r / np.broadcast_to(v[name] + 0.0, r.shape) ** exponent for v, r in zip(values, known)]
            number = _constant(rest)
            if number is not None:
                yield Factor(number, name, exponent)


def _fits(value: Array, ratio: Array) -> bool:
    return all(p in (1, q) for p, q in zip(value.shape, ratio.shape))


def _ratio(a: Array, b: Array) -> Array | None:
    """a ./ b with nan where both vanish; None where only one does, or both do everywhere."""
    size = max(np.abs(a).max(initial=0), np.abs(b).max(initial=0))
    if size == 0:
        return None
    small = CLOSE * size
    gone = np.abs(b) <= small
    if np.any(np.abs(a[gone]) > small * 10) or np.all(gone):
        return None
    with np.errstate(all="ignore"):
        return np.where(gone, np.nan, a / b)


def _constant(ratios: Sequence[Array]) -> Fraction | None:
    """The simple number that all entries are."""
    entries = np.concatenate([r[~np.isnan(r)].ravel() for r in ratios])
    if not entries.size or not np.all(np.isfinite(entries)):
        return None
    first = float(entries[0])
    if first == 0 or np.abs(entries - first).max() > CLOSE * abs(first):
        return None
    number = Fraction(first).limit_denominator(LARGEST)
    return number if number and abs(float(number) - first) <= CLOSE * abs(first) else None
