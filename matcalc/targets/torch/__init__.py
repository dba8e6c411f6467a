"""PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from matcalc.targets.libraries.autodiff import autodiff_text
from matcalc.targets.libraries.dialect import Dialect
from matcalc.targets.libraries.module import portable_text
from matcalc.targets.registry import Target, mapped
from matcalc.targets.torch import runtime

DIALECT = Dialect(
    "PyTorch",
    "import torch",
    "torch",
    {"max": "amax", "min": "amin", "linalg.trace": "trace", "cumulative_sum": "cumsum"},
    scalar="as_tensor",
    special="torch.special",
    own=runtime,
)


def called(function: Callable[..., Any], arrays: dict[str, Any]) -> Any:
    """A function's results for arrays of NumPy."""
    torch = import_module("torch")
    return mapped(np.asarray, function(**mapped(torch.asarray, arrays)))


TARGET = Target(
    "torch",
    partial(portable_text, DIALECT),
    runtime=DIALECT.helpers,
    library="torch",
    solves=True,
    autodiff=partial(autodiff_text, "torch", DIALECT),
    call=called,
)
