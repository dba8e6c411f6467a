"""Parts of an expression, as they are written in a language with matrices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

# The texts of two sizes, "1" where it is 1 whatever the sizes are: then the value is a number, a column or a row, which
# languages with matrices may write differently.
Shape: TypeAlias = tuple[str, str]
SCALAR: Shape = ("1", "1")

# How strongly a text binds.
COMPARE, SUM, PRODUCT, MATMUL, UNARY, POWER, ATOM = range(7)
_SQUARE = 2


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an expression.

    Attributes:
        text: how it is written.
        shape: its shape.
        level: how strongly the text binds.
        turned: where it is a transpose, that of which it is one.
        array: it is written for entrywise operations, where a language has types of its own for these.
    """

    text: str
    shape: Shape = SCALAR
    level: int = ATOM
    turned: Piece | None = None
    array: bool = False

    def at(self, level: int) -> str:
        """The text, in brackets where it binds less than this."""
        return self.text if self.level >= level else f"({self.text})"

    @property
    def flags(self) -> tuple[bool, bool]:
        """Whether there is one row, one column."""
        return self.shape[0] == "1", self.shape[1] == "1"


def joint(*shapes: Shape) -> Shape:
    """The shape of an entrywise operation."""
    rows = next((s[0] for s in shapes if s[0] != "1"), "1")
    columns = next((s[1] for s in shapes if s[1] != "1"), "1")
    return rows, columns


def squared(b: Piece) -> bool:
    """Whether an exponent is 2."""
    return b.text.removesuffix(".0") == str(_SQUARE)


def loose(a: Piece) -> Piece:
    """The same piece without the memory of being a transpose."""
    return replace(a, turned=None)
