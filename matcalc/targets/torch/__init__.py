"""PyTorch."""

from matcalc.targets.libraries.dialect import Dialect
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
