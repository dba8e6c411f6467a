"""How array libraries write what stands in loops, and the targets that have loops."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from matcalc.emit import input_helpers
from matcalc.errors import NoRuleError
from matcalc.loops import helpers

RESERVED = frozenset(
    ("np", "dtype", "jnp", "lax", "torch", "dims", "value", "tangents", "range", "reversed", "float", "len")
)


@dataclass(frozen=True)
class Library:
    """How an array library writes what stands in the loops."""

    target: str
    import_line: str
    zeros: str
    zero: str
    number: str
    helpers: tuple[Callable[..., Any], ...]
    moved: bool = True  # whether sums are taken in place

    @property
    def prefix(self) -> str:
        """How its functions are called."""
        return {"torch": "torch", "jax": "jnp"}.get(self.target, "np")


NUMPY = Library(
    "numpy",
    "import numpy as np",
    "np.zeros(({0}))",
    "np.float64(0)",
    "np.float64({0})",
    (
        *(input_helpers._array, input_helpers._sizes, input_helpers._size, input_helpers._matrix),
        *(helpers._input, helpers._members, helpers._like, helpers._all_like),
    ),
)


def need_target(target: str, targets: Collection[str]) -> None:
    """Raise NoRuleError for a target that has no loops."""
    if target not in targets:
        raise NoRuleError(
            f"families and recurrences are written for {', '.join(targets)}, not for the target {target!r}"
        )
