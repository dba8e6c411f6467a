"""JAX: what is generated can be traced, so that it can be jitted, sharded and differentiated further."""

from functools import partial

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
TARGET = Target(
    "jax",
    partial(portable_text, DIALECT),
    runtime=DIALECT.helpers,
    library="jax",
    solves=True,
    autodiff=partial(autodiff_text, "jax", DIALECT),
)
