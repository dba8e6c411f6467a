"""A program with loops for PyTorch: loops with stored states, as in NumPy."""

from __future__ import annotations

from matcalc.loops import portable_helpers as helpers
from matcalc.loops.code import Writer
from matcalc.loops.library import Library

TORCH = Library(
    "torch",
    "import torch",
    "torch.zeros(({0}), dtype=torch.float64)",
    "torch.zeros((), dtype=torch.float64)",
    "_real(torch, {0})",
    (
        *(helpers._sizes, helpers._size, helpers._real, helpers._matrix, helpers._members),
        *(helpers._like, helpers._all_like),
    ),
)


class TorchWriter(Writer):
    """Writes the functions of a module."""

    def checked(self, name: str, shape: str) -> str:
        """An input as a matrix."""
        return f'{name} = _matrix(torch, "{name}", {name}, {shape}, dims)'

    def checked_members(self, name: str, shape: str, first: str, last: str) -> str:
        """An input as the members of a family."""
        return f'{name} = _members(torch, "{name}", {name}, {shape}, {first}, {last}, dims)'

    def number_result(self) -> str:
        """The value as it is returned."""
        return "value"

    def returned(self, name: str) -> str:
        """A gradient in the form of the input."""
        return super().returned(name).replace("(", "(torch, ", 1)
