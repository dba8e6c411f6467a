"""Octave and MATLAB."""

from matcalc.targets.octave.module import octave_text
from matcalc.targets.octave.run import octave_functions
from matcalc.targets.registry import Target

TARGET = Target(
    "octave",
    octave_text,
    language="a function file of Octave or MATLAB: write d.code(target='octave') to a file with its name",
    suffix=".m",
    runner=octave_functions,
    three_axes=False,
)
