"""The answer to an optimisation problem as a document, in the formats of all notes but notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matcalc.errors import MatcalcError
from matcalc.export.formats import format_of
from matcalc.export.markup import Markup
from matcalc.export.rendering import rendered, tidied
from matcalc.export.writers import Progress, written
from matcalc.languages import ENGLISH, language
from matcalc.optimum.question import STATIONARY
from matcalc.optimum.result import CLOSED, Optimum
from matcalc.optimum.shown import Step
from matcalc.optimum.way import gradients_of
from matcalc.printing.display import display
from matcalc.printing.latex import latex
from matcalc.printing.style import STANDARD, Notation

CHECKED = 3  # data sets


@dataclass(frozen=True)
class Content:
    """What the templates see as `note`.

    Attributes:
        title: of the document.
        text: an introduction.
        answer: the problem and its answer.
        sense: what is sought, as LaTeX.
        function: in LaTeX.
        values: of the unknowns and of the function, in LaTeX.
        further: other forms of the values in LaTeX, with the rules by which they are equal.
        constraints: equations in LaTeX.
        multipliers: constraints, and their multipliers, in LaTeX.
        stationarity: the equations that hold there, in LaTeX; nothing where there are steps.
        steps: what leads to the answer.
        check: what numbers say; empty where there is no closed form.
        code: a module; empty where there is no closed form.
    """

    title: str
    text: str
    answer: Optimum
    sense: str
    function: str
    values: list[str]
    further: list[tuple[str, str]]
    constraints: list[str]
    multipliers: list[tuple[str, str]]
    stationarity: list[str]
    steps: list[Step]
    check: str
    code: str


class OptimumNote:
    """What a document is made of."""

    template: str | Path | None = None

    def __init__(self, o: Optimum, title: str, text: str, notation: Notation) -> None:
        self.language = language(ENGLISH)
        closed = o.status == CLOSED
        values = [
            f"{latex(v, notation)} = {display(o.values[v.name], notation)}"
            for v in o.question.over
            if v.name in o.values
        ]
        given = {c.text: f"{latex(c.left, notation)} = {latex(c.right, notation)}" for c in o.question.constraints}
        zero = [f"{display(g, notation)} = 0" for g in gradients_of(o.question)] if o.equations else []
        names = ", ".join(latex(v, notation) for v in o.question.over)
        self.content = Content(
            title=title or o.headline[:1].upper() + o.headline[1:],
            text=text,
            answer=o,
            sense=rf"\{o.question.sense[:3]}_{{{names}}}" if o.question.sense != STATIONARY else "",  # min, max
            function=latex(o.question.function, notation),
            values=values + ([rf"f^\star = {display(o.value, notation)}"] if o.value is not None else []),
            further=[(f"{left} = {display(form, notation)}", rule) for _, left, form, rule in o.by_vec],
            constraints=[*given.values()],
            multipliers=[(given[said], latex(L, notation)) for said, L in o.multipliers.items()],
            stationarity=[*zero, *given.values()] if zero and not o.lines else [],
            steps=o.steps_latex(notation),
            check=str(o.check(CHECKED)) if closed else "",
            code=o.code() if closed else "",
        )

    def heading(self) -> str:
        """The title."""
        return self.content.title

    def page(self, form: str, markup: Markup, progress: Progress | None = None, **values: Any) -> str:
        """The note by the template of a form, in a markup."""
        note = self.content
        return tidied(rendered(f"optimum.{form}", None, note=note, f=markup, language=self.language, **values))

    def data(self) -> dict[str, Any]:
        """The same as plain data."""
        note = self.content
        return {"title": note.title, **note.answer.data(), "check": note.check, "module": note.code}

    def notebook(self, progress: Progress | None = None) -> dict[str, Any]:
        """There is none.

        Raises:
            MatcalcError: always.
        """
        raise MatcalcError("an optimum has no notebook")


def export_optimum(
    o: Optimum,
    path: str | Path,
    *,
    title: str = "",
    text: str = "",
    format: str = "",  # noqa: A002  (the name that users expect)
    engine: str = "",
    notation: Notation = STANDARD,
    **others: Any,
) -> Path:
    """Write the answer; the suffix of the path, or `format`, says as what.

    Raises:
        MatcalcError: another suffix or option, or the file cannot be written.
    """
    if others:
        raise MatcalcError(
            f"the note of an optimum has no option {', '.join(others)}; there are title, text, format, engine, notation"
        )
    target = Path(path)
    form = format_of(target, format, "an optimum")
    return written(OptimumNote(o, title, text, notation), target, form, engine=engine)
