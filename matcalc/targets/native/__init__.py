"""Native code: the C text, compiled by the machine's compiler when the function is made, called on NumPy arrays."""

from matcalc.targets.native.module import RUNTIME, native_text
from matcalc.targets.registry import Target

TARGET = Target("native", native_text, runtime=RUNTIME, library="scipy", solves=True)
