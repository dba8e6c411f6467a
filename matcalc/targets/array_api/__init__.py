"""The array API standard: one function for all libraries that follow it, which take the place of `xp`."""

from matcalc.targets.libraries.dialect import Dialect

DIALECT = Dialect("the array API", "", "xp", options={"linalg.cholesky": {"upper": False}})
