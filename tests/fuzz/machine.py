"""What definitions tell of a point, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .jets import Jet, constant, value

Definition = Callable[..., Jet]


class Machine:
    """What definitions tell about the point: the smallest relative distance from a kink, a pole, a tie."""

    def __init__(self) -> None:
        self.margin = np.inf

    def away(self, distance: Any, scale: Any = 1.0) -> None:
        """Note a distance from where the operation is not smooth."""
        found = np.min(np.abs(distance) / np.maximum(np.abs(scale), 1e-300)) if np.size(distance) else np.inf
        self.margin = min(self.margin, float(found) if np.isfinite(found) else 0.0)


def plain(f: Callable[..., Jet]) -> Definition:
    return lambda machine, *args: f(*args)


def split(machine: Machine, X: Jet, at: float = 0.0) -> np.ndarray:
    """Where X exceeds a kink."""
    machine.away(value(X) - at)
    return value(X) > at


def one(X: Jet, c: float = 1.0) -> Jet:
    return constant(np.full(X.shape[-2:], c), X)


def positive(machine: Machine, X: Jet) -> Jet:
    machine.away(np.where(value(X) > 0, value(X), 0))
    return X
