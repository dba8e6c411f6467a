"""Instructions: what is computed from what, chosen once from expressions; how it is written is a matter of the targets.

Those that no target writes on its own are the operations of the catalogue, by the names of their records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """What a statement computes, or a part of it: an instruction on other values, or what has a name already.

    Attributes:
        shape: of the value; None for the blocks of a matrix.
        instruction: how it is computed; None where it is read.
        operands: the values that the instruction takes.
        name: of the statement or input that is read.
        is_number: whether it is a number of Python's, made of sizes and exact numbers, and has not the program's type.
    """

    shape: Shape | None
    instruction: Instruction | None = None
    operands: tuple[Value, ...] = ()
    name: str = ""
    is_number: bool = False

    def reads(self) -> Iterator[str]:
        """The names of the statements and inputs that it reads, as often as it does."""
        waiting = [self]
        while waiting:
            value = waiting.pop()
            if value.instruction is None:
                yield value.name
            waiting += reversed(value.operands)

    def __str__(self) -> str:
        if self.instruction is None:
            return self.name
        if self.instruction.name == "number":
            return str(self.instruction.options[0]).replace("**", "^")
        options = " ".join(filter(None, map(_shown, self.instruction.options)))
        operands = ", ".join(map(str, self.operands))
        return f"{self.instruction.name}{f'[{options}]' if options else ''}({operands})"


_SYMBOLS = {1: "+", -1: "-", "above": "*", "mask": ">", "below": "/"}


def _shown(option: object) -> str:
    """An option for a reader: the signs of terms, and where factors stand, as symbols."""
    if isinstance(option, tuple):
        return "".join(_SYMBOLS.get(part, str(part)) for part in option)
    if isinstance(option, Instruction):
        return option.name
    return "" if option is None or option is False else "-" if option is True else str(option)


# What makes numbers of Python's of such numbers.
_ARITHMETIC = frozenset(["add", "product", "power", "one_over"])


def computed(instruction: Instruction, operands: tuple[Value, ...]) -> Value:
    """The value that an instruction computes."""
    if instruction.name == "same":
        return operands[0]
    arithmetic = instruction.name in _ARITHMETIC and all(a.is_number for a in operands)
    return Value(instruction.shape, instruction, operands, is_number=arithmetic or instruction.name == "number")


def read(name: str, value: Value) -> Value:
    """What has a name, where it is read."""
    return Value(value.shape, name=name, is_number=value.is_number)


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
