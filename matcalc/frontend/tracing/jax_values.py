"""What stands for JAX's values beside arrays: stopped shifts, counted numbers, nan; and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from matcalc import core
from matcalc.dims import Dim, dim, symbol
from matcalc.errors import NoRuleError
from matcalc.expr import Expr
from matcalc.frontend.tracing import arrays, operations
from matcalc.frontend.tracing.arrays import Value, number


@dataclass(frozen=True)
class Stopped:
    """A shift on which nothing depends: 0."""

    shape: tuple[Dim, ...]


@dataclass(frozen=True)
class Count:
    """Whole numbers from an offset along one axis."""

    axis: int
    shape: tuple[Dim, ...]
    offset: Any = 0


class NotANumber:
    """nan: the branch of a choice that is not taken."""


NAN = NotANumber()


def size(given: Any) -> Dim:
    """A dimension of JAX here.

    Raises:
        NoRuleError: it rounds.
    """
    if isinstance(given, (int, np.integer)):
        return int(given)
    text = str(given)
    if any(word in text for word in ("floordiv", "mod(", "max(", "min(")):
        raise NoRuleError(f"a size that rounds or compares: {text}")
    names = {str(v): symbol(str(v)) for v in given.get_vars()} if hasattr(given, "get_vars") else {}
    if not names:
        names = {word: symbol(word) for word in text.replace("*", " ").replace("^", " ").split() if word.isidentifier()}
    return dim(sp.sympify(text.replace("^", "**"), locals=names))


def sizes(given: Sequence[Any]) -> tuple[Dim, ...]:
    """A shape of JAX here."""
    return tuple(map(size, given))


def plain(value: Any) -> Any:
    """An operand as numbers: a stopped shift is 0."""
    if isinstance(value, Stopped):
        return operations.filled(number(0), value.shape)
    if isinstance(value, bool):
        return number(int(value))
    if isinstance(value, Count):
        if value.offset == 0 and len(value.shape) == 1 and isinstance(value.shape[0], int):
            column = [core.number(k) for k in range(value.shape[0])]
            return Value(arrays.block_matrix([[e] for e in column]), value.shape)
        raise NoRuleError("an array of counted numbers: give it as an argument")
    if isinstance(value, NotANumber):
        raise NoRuleError("nan")
    return value


def is_zero(value: Any) -> bool:
    e = value.expr if isinstance(value, Value) else None
    while isinstance(e, Expr) and e.op == "broadcast":
        e = e.args[0]
    return isinstance(e, Expr) and (e.op == "zeros" or (e.op == "number" and e.number == 0))
