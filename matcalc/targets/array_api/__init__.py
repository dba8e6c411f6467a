"""The array API standard: one function for all libraries that follow it, which take the place of `xp`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from matcalc.targets.libraries.dialect import Dialect
from matcalc.targets.libraries.module import portable_text
from matcalc.targets.registry import Target

DIALECT = Dialect("the array API", "", "xp", options={"linalg.cholesky": {"upper": False}})


def called(function: Callable[..., Any], arrays: dict[str, Any]) -> Any:
    """A function's results for arrays of NumPy."""
    return function(**arrays, xp=np)


TARGET = Target(
    "array-api",
    partial(portable_text, DIALECT),
    runtime=DIALECT.helpers,
    call=called,
)
