"""How an operation is written: calls, infix, postfix and templates, with one table of precedences.

The printers for text, LaTeX and code share this table; `{0}`, `{1}` in a template are the printed arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias


class Level(IntEnum):
    """Binding strength, weakest first. Transpose and powers are one level, applied from left to right."""

    LOOSE = 0
    SUM = 1
    PRODUCT = 2
    MINUS = 3
    POSTFIX = 4
    ATOM = 5


@dataclass(frozen=True, slots=True)
class Call:
    """`name(a, b)`; the parameters of the operation follow its arguments."""

    name: str


@dataclass(frozen=True, slots=True)
class Template:
    """Text with `{0}`, `{1}`, ... for the arguments and `{p0}`, `{p1}`, ... for the parameters.

    `level` is how strongly the whole binds, `inner` what an argument must bind to stay without brackets. `of_matrices`
    is the name of a call for arguments that are not 1 x 1, where the text would mean something else (a determinant).
    """

    text: str
    level: Level = Level.ATOM
    inner: Level = Level.LOOSE
    of_matrices: str = ""


@dataclass(frozen=True, slots=True)
class Builtin:
    """Written by the printer itself: sums, products, powers, leaves."""


Notation: TypeAlias = Call | Template | Builtin
