"""C99 with CBLAS and LAPACK."""

from matcalc.targets.c.module import c_text
from matcalc.targets.c.run import c_functions
from matcalc.targets.registry import Target

TARGET = Target(
    "c",
    c_text,
    language="a C file: write d.code(target='c') to a file and compile it",
    suffix=".c",
    runner=c_functions,
)
