"""Values beside tracers: constants of a module, sizes that are numbers, results as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from matcalc.errors import NoRuleError
from matcalc.frontend.tracing.arrays import Value
from matcalc.frontend.tracing.masks import Mask, as_numbers
from matcalc.frontend.tracing.operations import Thing
from matcalc.frontend.tracing.tracer import Tracer


class Constant(np.ndarray):
    """An array of the function's module: its method `dot` takes tracers too."""

    def dot(self, other: Any, out: Any = None) -> Any:
        """The product, as a value of the function where the other factor is one."""
        return self @ other if isinstance(other, Tracer) else super().dot(other)


def plain(value: Thing) -> Value:
    """A result of the function as an array.

    Raises:
        NoRuleError: it has rank 3.
    """
    if isinstance(value, Mask):
        return as_numbers(value)
    if isinstance(value, Value):
        return value
    raise NoRuleError("the function returns an array of rank 3")
