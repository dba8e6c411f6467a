"""C++ with Armadillo."""

from functools import partial

from matcalc.targets.cpp.module import ARMADILLO, cpp_text
from matcalc.targets.cpp.run import ARMADILLO as LIBRARY
from matcalc.targets.cpp.run import cpp_functions
from matcalc.targets.registry import Target

TARGET = Target(
    "armadillo",
    partial(cpp_text, ARMADILLO),
    language="a C++ header: write d.code(target='armadillo') to a file and include it",
    runner=partial(cpp_functions, LIBRARY),
    three_axes=False,
)
