"""Dask: arrays in blocks, lazily."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from matcalc.targets.dask import runtime
from matcalc.targets.libraries.dialect import Dialect
from matcalc.targets.libraries.module import portable_text
from matcalc.targets.registry import Target, mapped

DIALECT = Dialect(
    "Dask",
    "import dask.array as da",
    "da",
    {
        **{"asin": "arcsin", "acos": "arccos", "atan": "arctan"},
        **{"asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "cumulative_sum": "cumsum"},
        **{"linalg.diagonal": "diagonal", "linalg.trace": "trace", "linalg.vector_norm": "linalg.norm"},
    },
    missing=frozenset(
        [
            *("linalg.det", "linalg.slogdet", "linalg.matrix_power", "linalg.matrix_norm", "linalg.eigh", "linalg.eig"),
            *("linalg.svd", "linalg.svdvals", "linalg.pinv", "linalg.qr", "finfo"),
            *("_expm", "_sylvester", "_dlyapunov"),  # what they solve for depends on how their arrays are cut
        ]
    ),
    options={"linalg.cholesky": {"lower": True}},
    taken="da.asarray",
    special="special",
    own=runtime,
    needs={"special.": "from scipy import special"},
)


def called(function: Callable[..., Any], arrays: dict[str, Any]) -> Any:
    """A function's results for arrays of NumPy, computed."""
    return mapped(np.asarray, function(**arrays))


TARGET = Target(
    "dask",
    partial(portable_text, DIALECT),
    runtime=DIALECT.helpers,
    library="dask",
    call=called,
)
