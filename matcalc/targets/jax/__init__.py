"""JAX: what is generated can be traced, so that it can be jitted, sharded and differentiated further."""

from matcalc.targets.jax import runtime
from matcalc.targets.libraries.dialect import Dialect

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
