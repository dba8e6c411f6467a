"""Values as text by a table from the names of instructions to their form in a language: the smallest printer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from matcalc.emit.instructions import Instruction, Value
from matcalc.errors import NoRuleError

Form: TypeAlias = "str | Callable[[Instruction, Sequence[str]], str]"


def written(value: Value, table: Mapping[str, Form]) -> str:
    """A value as text.

    Args:
        value: what a statement computes (`statement.computed`).
        table: for each instruction a template with `{0}`, `{1}`, ... for the operands, with the brackets that it needs,
            or a function of the instruction and the texts of its operands.

    Raises:
        NoRuleError: an instruction is not in the table.
    """
    if value.instruction is None:
        return value.name
    form = table.get(value.instruction.name)
    if form is None:
        raise NoRuleError(f"{value.instruction.name} is not in the table")
    operands = [written(a, table) for a in value.operands]
    return form.format(*operands) if isinstance(form, str) else form(value.instruction, operands)


def sum_of(instruction: Instruction, operands: Sequence[str]) -> str:
    """The form of the instruction `add` where sums are written with + and -."""
    signs = ["-" if sign < 0 else "+" for sign in instruction.options[0]]
    return f"({' '.join(f'{sign} {a}' for sign, a in zip(signs, operands)).removeprefix('+ ')})"


def product_of(instruction: Instruction, operands: Sequence[str], times: str = "*", over: str = "/") -> str:
    """The form of the instruction `product` where entries are multiplied by `times` and divided by `over`."""
    minus, roles = instruction.options
    text = ""
    for role, a in sorted(zip(roles, operands), key=lambda part: part[0] == "below"):
        factor = f"({a} > 0)" if role == "mask" else a
        text += f" {over if role == 'below' else times} {factor}" if text else factor
    return f"(-{text})" if minus else f"({text})"
