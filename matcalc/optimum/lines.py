"""The lines that lead from the gradient to the answer: equations that hold at the optimum, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from matcalc.expr import Expr
from matcalc.walk import substitute

Said = tuple["str | Expr", ...]  # words, and the expressions between them


@dataclass(frozen=True)
class Line:
    """An equation that the optimum satisfies.

    Attributes:
        left: its left side.
        right: its right side.
        why: how it follows from the line before.
    """

    left: Expr
    right: Expr
    why: Said = ()

    @property
    def words(self) -> str:
        """The reason as text."""
        return "".join(map(str, self.why))

    def changed(self, change: Callable[[Expr], Expr]) -> Line:
        """The line with both sides changed."""
        return Line(change(self.left), change(self.right), self.why)


def reasoned(lines: Iterable[Line], why: Said) -> tuple[Line, ...]:
    """The lines, the first one with another reason."""
    first, *rest = lines
    return (Line(first.left, first.right, why), *rest)


def put_in(lines: Iterable[Line], table: dict[Expr, Expr]) -> tuple[Line, ...]:
    """The lines with values in place of others."""
    return tuple(line.changed(lambda e: substitute(e, table)) for line in lines)


def without_repeats(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The lines without those that say what the line before says already."""
    kept: list[Line] = []
    for line in lines:
        if not kept or (line.left, line.right) != (kept[-1].left, kept[-1].right):
            kept.append(line)
    return tuple(kept)
