"""PyTorch."""

from functools import partial

from matcalc.targets.libraries.autodiff import autodiff_text
from matcalc.targets.libraries.dialect import Dialect
from matcalc.targets.libraries.module import portable_text
from matcalc.targets.registry import Target
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
TARGET = Target(
    "torch",
    partial(portable_text, DIALECT),
    runtime=DIALECT.helpers,
    library="torch",
    solves=True,
    autodiff=partial(autodiff_text, "torch", DIALECT),
)
