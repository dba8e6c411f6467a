"""How the lines from the gradient to an optimum are written, in text and in LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matcalc.dims import is_one
from matcalc.expr import Expr
from matcalc.optimum.lines import Line
from matcalc.optimum.question import Question
from matcalc.printing.latex import latex
from matcalc.printing.style import Notation
from matcalc.views.layout import beside


@dataclass(frozen=True)
class Step:
    """A line in LaTeX.

    Attributes:
        parts: the reason: words, and formulas, which are marked.
        equation: what holds.
    """

    parts: tuple[tuple[bool, str], ...]
    equation: str

    @property
    def words(self) -> str:
        """The reason, for the `text` of a formula."""
        return "".join(f"${part}$" if formula else plain_words(part) for formula, part in self.parts)

    @property
    def markdown(self) -> str:
        """The reason as the beginning of a sentence."""
        said = "".join(f"${part}$" if formula else part for formula, part in self.parts)
        return f"{said[:1].upper()}{said[1:]}"


def flat(e: Expr) -> str:
    """An expression on one line."""
    return "; ".join(str(e).split("\n"))


def zero_or(e: Expr, written: Callable[[Expr], str]) -> str:
    """0 for a value that is zero, else how it is written."""
    return "0" if e.op == "zeros" else written(e)


def plain_words(text: str) -> str:
    """Words inside the `text` of a formula."""
    for character in "\\{}$&#%_^~":
        text = text.replace(character, f"\\{character}" if character in "{}$&#%_" else " ")
    return text


def steps_text(q: Question, lines: Sequence[Line], second: tuple[Expr, str] | None) -> list[str]:
    """The lines with their reasons beside them."""
    rows = [(f"{flat(line.left)} = {zero_or(line.right, flat)}", line.words) for line in lines]
    if second is not None:
        v = q.one
        below = v.name if is_one(v.shape[1]) else f"vec({v.name})"
        rows.append((f"d2f/d{below}2 = {flat(second[0])}", second[1]))
    return beside(rows)


def steps_latex(q: Question, lines: Sequence[Line], second: tuple[Expr, str] | None, notation: Notation) -> list[Step]:
    """The lines in LaTeX."""
    rows = [
        Step(
            tuple(
                (isinstance(part, Expr), latex(part, notation) if isinstance(part, Expr) else part) for part in line.why
            ),
            f"{latex(line.left, notation)} = {zero_or(line.right, lambda e: latex(e, notation))}",
        )
        for line in lines
    ]
    if second is not None:
        v = latex(q.one, notation)
        below = v if is_one(q.one.shape[1]) else rf"\operatorname{{vec}}({v})"
        H, words = second
        rows.append(Step(((False, f"the Hessian is {words}"),), rf"\nabla^2_{{{below}}} f = {latex(H, notation)}"))
    return rows
