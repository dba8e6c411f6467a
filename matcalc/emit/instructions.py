"""Instructions: what is computed from what, chosen once from expressions; how it is written is a matter of the targets.

Those that no target writes on its own are the operations of the catalogue, by the names of their records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matcalc.dims import Shape, is_scalar
from matcalc.expr import Expr
from matcalc.ops.implicit import Equation


@dataclass(frozen=True, slots=True)
class Instruction:
    """How one value is computed.

    Attributes:
        name: what is done.
        operands: with these values.
        options: what it depends on besides: an axis, the signs of terms, the name of a variable.
        view: whether the result shares the memory of the first operand, or of an input.
        cheap: whether it may be written twice rather than named.
        shape: of the result; None for the blocks of a matrix, which have three axes.
    """

    name: str
    operands: tuple[Expr, ...] = ()
    options: tuple[Any, ...] = ()
    view: bool = False
    cheap: bool = False
    shape: Shape | None = None

    @property
    def is_scalar(self) -> bool:
        """Whether the result is a 1 x 1 value."""
        return self.shape is not None and is_scalar(self.shape)


@dataclass(frozen=True, slots=True)
class Names:
    """The names in the code of variables, dimensions, abstract functions (`phi`, `phi_prime`) and solvers."""

    variables: Mapping[str, str]
    dimensions: Mapping[str, str]
    functions: Mapping[str, str]
    solvers: Mapping[Equation, str]


def function_name(e: Expr) -> str:
    """What the function of a `func` node is called in code: `phi`, `phi_prime`."""
    function = e.params[0]
    return f"{function.name}{'_prime' * function.order}"
