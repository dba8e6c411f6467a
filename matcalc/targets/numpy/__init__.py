"""NumPy: the module that checks its inputs, writes in place and keeps the type of its arrays."""

from matcalc.targets.numpy.module import HELPERS, numpy_text
from matcalc.targets.numpy.spelling import spelled
from matcalc.targets.registry import Target

TARGET = Target("numpy", numpy_text, runtime=HELPERS, suffix=".py", solves=True, spelled=spelled)
