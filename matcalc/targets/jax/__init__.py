"""JAX: what is generated can be traced, so that it can be jitted, sharded and differentiated further."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from matcalc.targets.jax import runtime
from matcalc.targets.libraries.autodiff import autodiff_text
from matcalc.targets.libraries.dialect import Dialect
from matcalc.targets.libraries.module import portable_text
from matcalc.targets.registry import Target

DIALECT = Dialect(
    "JAX",
    "import jax.numpy as jnp",
    "jnp",
    {"linalg.trace": "trace"},
    default="result_type(float)",
    special="jax.scipy.special",
    own=runtime,
    needs={"jax.": "import jax"},
)


def called(function: Callable[..., Any], arrays: dict[str, Any]) -> Any:
    """A function's results for arrays of NumPy, in double precision."""
    jax = import_module("jax")
    with jax.enable_x64(True):
        return jax.tree.map(np.asarray, function(**jax.tree.map(jax.numpy.asarray, arrays)))


TARGET = Target(
    "jax",
    partial(portable_text, DIALECT),
    runtime=DIALECT.helpers,
    library="jax",
    solves=True,
    autodiff=partial(autodiff_text, "jax", DIALECT),
    call=called,
)
