"""C++ with Eigen."""

from functools import partial

from matcalc.targets.cpp.module import EIGEN, cpp_text
from matcalc.targets.cpp.run import EIGEN as LIBRARY
from matcalc.targets.cpp.run import cpp_functions
from matcalc.targets.registry import Target

TARGET = Target(
    "cpp",
    partial(cpp_text, EIGEN),
    language="a C++ header: write d.code(target='cpp') to a file and include it",
    suffix=".hpp",
    runner=partial(cpp_functions, LIBRARY),
    three_axes=False,
)
