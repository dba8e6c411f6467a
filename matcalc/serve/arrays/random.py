"""Random numbers; from the same seed they are others than NumPy's."""

from __future__ import annotations

import random
from math import prod
from typing import Any

from matcalc.serve.arrays.array import asarray, ndarray
from matcalc.serve.arrays.scalars import FLOAT, INT, boxed


class Generator:
    """A source of random numbers."""

    def __init__(self, source: random.Random) -> None:
        self.source = source

    def _drawn(self, draw: Any, size: Any, of: Any = FLOAT) -> Any:
        if size is None:
            return boxed(draw(), of)
        shape = (size,) if isinstance(size, int) else tuple(size)
        return ndarray([draw() for _ in range(prod(shape))], shape, of)

    def normal(self, loc: float = 0.0, scale: float = 1.0, size: Any = None) -> Any:
        """Normal numbers."""
        return self._drawn(lambda: self.source.gauss(float(loc), float(scale)), size)

    def standard_normal(self, size: Any = None) -> Any:
        """Normal numbers with mean 0 and variance 1."""
        return self.normal(size=size)

    def uniform(self, low: float = 0.0, high: float = 1.0, size: Any = None) -> Any:
        """Numbers from an interval."""
        return self._drawn(lambda: self.source.uniform(float(low), float(high)), size)

    def random(self, size: Any = None) -> Any:
        """Numbers between 0 and 1."""
        return self._drawn(self.source.random, size)

    def integers(self, low: int, high: int | None = None, size: Any = None) -> Any:
        """Whole numbers, the upper bound left out."""
        start, stop = (0, low) if high is None else (low, high)
        return self._drawn(lambda: self.source.randrange(int(start), int(stop)), size, INT)

    def permutation(self, of: Any) -> Any:
        """A range or some values in random order."""
        values = asarray(list(range(int(of))) if isinstance(of, int) else of)
        order = list(range(len(values)))
        self.source.shuffle(order)
        return values[order]

    def choice(self, of: Any, size: Any = None, replace: bool = True) -> Any:
        """One of some values, or several of them."""
        values = list(range(of)) if isinstance(of, int) else list(of)
        if not replace:
            return asarray(self.source.sample(values, size))
        if size is None:
            return self.source.choice(values)
        shape = (size,) if isinstance(size, int) else tuple(size)
        return asarray(self.source.choices(values, k=prod(shape))).reshape(shape)


def default_rng(seed: Any = None) -> Generator:
    """A source that begins with a seed; a source itself."""
    if isinstance(seed, Generator):
        return seed
    return Generator(random.Random(seed if seed is None or isinstance(seed, int) else repr(seed)))
