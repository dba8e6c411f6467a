"""Base R."""

from matcalc.targets.r.module import r_text
from matcalc.targets.r.run import r_functions
from matcalc.targets.registry import Target

TARGET = Target(
    "r",
    r_text,
    language="an R file: write d.code(target='r') to a file and source() it",
    suffix=".R",
    runner=r_functions,
    three_axes=False,
)
