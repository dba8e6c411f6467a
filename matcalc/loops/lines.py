"""Lines of programs with loops, `g_h[t] = ... for t = T..1`, and how they are written in text and in LaTeX."""

from __future__ import annotations

from dataclasses import dataclass, field

from matcalc import core
from matcalc.dims import Dim, same
from matcalc.dims import text as dim_text
from matcalc.expr import Expr
from matcalc.indices.program import Guard, Run
from matcalc.printing.latex import latex
from matcalc.printing.numbers import dim_latex
from matcalc.printing.style import STANDARD, Notation
from matcalc.printing.symbols import name_latex
from matcalc.printing.text import shared
from matcalc.walk import transform


@dataclass(frozen=True)
class Term:
    """A value, or the sum of one over an index.

    Attributes:
        inner: further indices of the sum.
        guards: conditions on them.
    """

    value: Expr
    run: Run | None = None
    inner: tuple[Run, ...] = ()
    guards: tuple[Guard, ...] = ()

    @property
    def runs(self) -> tuple[Run, ...]:
        """All indices of the sum."""
        return () if self.run is None else (self.run, *self.inner)


@dataclass(frozen=True)
class Range:
    """The values of an index for which a line holds, in the order in which they are computed."""

    index: str
    first: Dim
    last: Dim

    @property
    def text(self) -> str:
        """t = T..1"""
        return f"{self.index} = {dim_text(self.first)}..{dim_text(self.last)}"


@dataclass(frozen=True)
class Line:
    """One line: what it defines, by which terms, and for which values of an index.

    Attributes:
        head: the variable, or the name of a result; None for the result alone.
        terms: the value is their sum; 0 if there are none.
        over: for which values of the index.
        across: for which values of a second one.
        guards: conditions on the two.
        relation: `=`; `:` for the gradient by a member, an entry or a row; `+=` for what is added to a line.
        further: what is added where the index is at an end.
    """

    head: Expr | None
    terms: tuple[Term, ...]
    over: Range | None = None
    relation: str = "="
    further: tuple[Line, ...] = field(default=())
    across: Range | None = None
    guards: tuple[Guard, ...] = ()

    @property
    def ranges(self) -> list[Range]:
        """The values of indices for which it holds."""
        return [r for r in (self.over, self.across) if r is not None]

    def __str__(self) -> str:
        return text(self)


def without_locals(e: Expr) -> Expr:
    """An expression, the names that it has for parts of itself opened."""
    return transform((e,), lambda new, _: new.args[0] if new.op == "named" and new.params[1] == "local" else new)[e]


def written(e: Expr) -> str:
    """An expression on one line."""
    return shared(without_locals(e)).body


# ------------------------------------------------------------------------------------------------ text


def text(line: Line) -> str:
    """The line in the notation that is read."""
    value = value_text(line)
    if line.head is not None:
        gap = "" if line.relation == ":" else " "
        value = f"{line.head}{gap}{line.relation} {value}"
    if line.over is not None:
        value += f" for {', '.join([*(r.text for r in line.ranges), *(g.text for g in line.guards)])}"
    return value + "".join(f", and {text(other)}" for other in line.further)


def value_text(line: Line) -> str:
    """What stands right of the sign."""
    shown = ""
    for term in line.terms:
        heads = [*(run.text for run in term.runs), *(guard.text for guard in term.guards)]
        part = f"sum({', '.join([*heads, written(term.value)])})" if heads else written(term.value)
        if not shown:
            shown = part
        elif part.startswith("-") and not part.startswith("-("):
            shown += f" - {part[1:]}"
        else:
            shown += f" + {part}"
    return shown or "0"


# ------------------------------------------------------------------------------------------------ LaTeX


def line_latex(line: Line, notation: Notation = STANDARD) -> str:
    r"""The line in LaTeX, with `&` before the sign, for an `aligned` list."""
    value = value_latex(line, notation)
    if line.head is not None:
        relation = {":": ":", "+=": r"\mathrel{+}="}.get(line.relation, "=")
        value = f"{latex(line.head, notation)} &{relation} {value}"
    else:
        value = f"&{value}"
    if line.over is not None:
        value += r", \quad " + r",\; ".join([*map(range_latex, line.ranges), *map(guard_latex, line.guards)])
    return value + "".join(rf"; \quad {line_latex(other, notation).replace('&', '', 1)}" for other in line.further)


def value_latex(line: Line, notation: Notation = STANDARD) -> str:
    """What stands right of the sign."""
    shown = ""
    for term in line.terms:
        part = latex(without_locals(term.value), notation)
        if term.run is not None:
            part = sum_latex(term, part, bracketed=term.value.op == "add")
        if not shown:
            shown = part
        else:
            shown += f" - {part[1:].lstrip()}" if part.startswith("-") else f" + {part}"
    return shown or "0"


def sum_latex(term: Term, body: str, *, bracketed: bool) -> str:
    """A sum over indices; conditions stand below the last."""
    inside = rf"\left({body}\right)" if bracketed or body.startswith("-") else body
    below = [f"{name_latex(run.name)}={dim_latex(run.first)}" for run in term.runs]
    below[-1] += "".join(rf",\, {guard_latex(guard)}" for guard in term.guards)
    signs = (rf"\sum_{{{low}}}^{{{dim_latex(run.last)}}}" for low, run in zip(below, term.runs))
    return f"{' '.join(signs)} {inside}"


def guard_latex(guard: Guard) -> str:
    """A condition on two indices."""
    relation = {"<=": r"\le", ">=": r"\ge", "!=": r"\ne"}.get(guard.relation, guard.relation)
    right = name_latex(guard.right)
    if not same(guard.offset, 0):
        shown = dim_latex(guard.offset)
        right += f" {shown}" if shown.startswith("-") else f" + {shown}"
    return f"{name_latex(guard.left)} {relation} {right}"


def range_latex(over: Range) -> str:
    """The values of an index."""
    index = name_latex(over.index)
    if over.first == over.last:
        return f"{index} = {dim_latex(over.first)}"
    return rf"{index} = {dim_latex(over.first)}, \dots, {dim_latex(over.last)}"


def single(e: Expr) -> tuple[Term, ...]:
    """A value as the terms of a line; nothing for the number 0."""
    return () if e.number == 0 else (Term(e),)


def heading(name: str, like: Expr) -> Expr:
    """A name of the shape of an expression, as the head of a line."""
    rows, cols = like.shape
    return core.var(name, rows, cols)
