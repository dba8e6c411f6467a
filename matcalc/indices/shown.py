"""The steps that made matrices of sums, written for text, LaTeX and Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from matcalc.indices.lifting import TITLE, Lifting
from matcalc.printing.latex import latex
from matcalc.printing.style import STANDARD, Notation


def liftings_text(liftings: Sequence[Lifting]) -> str:
    """All of them in text."""
    return "\n".join([f"{TITLE}:", *(f"  {line}" for lifting in liftings for line in lifting.lines())])


def liftings_latex(liftings: Sequence[Lifting], notation: Notation = STANDARD) -> list[str]:
    """All of them as rows of an aligned list, each with its rule."""
    rows = []
    for lifting in liftings:
        rows += [rf"&{line} \quad \text{{({name})}}" for name, line in lifting.rows(notation)]
        rows.append(rf"&{latex(lifting.value, notation)} \quad \text{{(in matrices)}}")
    return rows


def liftings_markdown(liftings: Sequence[Lifting], notation: Notation = STANDARD) -> str:
    """All of them in Markdown."""
    parts = [f"**{TITLE}**"]
    for lifting in liftings:
        parts.append(f"`{lifting.words}`")
        parts += [f"- {name}: ${line}$" for name, line in lifting.rows(notation)]
        parts.append(f"$$\n{latex(lifting.value, notation)}\n$$")
    return "\n\n".join(parts)


def beneath_liftings(page: str, medium: str, liftings: Sequence[Lifting], notation: Notation = STANDARD) -> str:
    """A page of the medium `text`, `latex` or `markdown` with the steps above it."""
    if medium == "latex":
        rows = "".join(f"{row} \\\\[8pt]\n" for row in liftings_latex(liftings, notation))
        return page.replace("\n", "\n" + rows, 1)
    steps = liftings_text(liftings) if medium == "text" else liftings_markdown(liftings, notation)
    return f"{steps}\n\n{page}"
