"""The array API standard: one function for all libraries that follow it, which take the place of `xp`."""

from functools import partial

from matcalc.targets.libraries.dialect import Dialect
from matcalc.targets.libraries.module import portable_text
from matcalc.targets.registry import Target

DIALECT = Dialect("the array API", "", "xp", options={"linalg.cholesky": {"upper": False}})
TARGET = Target(
    "array-api",
    partial(portable_text, DIALECT),
    runtime=DIALECT.helpers,
)
