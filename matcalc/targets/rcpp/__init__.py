"""C++ for R: RcppArmadillo, by the printer for Armadillo."""

from functools import partial

from matcalc.targets.cpp.module import RCPP, cpp_text
from matcalc.targets.rcpp.run import rcpp_functions
from matcalc.targets.registry import Target

TARGET = Target(
    "rcpp",
    partial(cpp_text, RCPP),
    language="a C++ file for R: write d.code(target='rcpp') to a file and call Rcpp::sourceCpp(file)",
    suffix=".cpp",
    runner=rcpp_functions,
    three_axes=False,
)
