"""Numba: the NumPy module with its entrywise blocks compiled."""

from matcalc.emit.program import Lowered
from matcalc.targets.numba.kernels import Kernels, matrices
from matcalc.targets.numpy.module import numpy_text
from matcalc.targets.registry import Page, Target


def numba_text(lowered: Lowered, page: Page) -> str:
    """The module."""
    return numpy_text(lowered, page, Kernels(matrices(lowered), lowered.namer.fresh))


TARGET = Target("numba", numba_text, library="numba", solves=True)
