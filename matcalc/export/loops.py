"""Notes on programs with families and recurrences, in the formats of all notes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from matcalc.core import var
from matcalc.emit.module import compile_function
from matcalc.errors import MatcalcError
from matcalc.export.data import report_data
from matcalc.export.formats import format_of
from matcalc.export.lecture import shape_latex
from matcalc.export.markup import Markup
from matcalc.export.notebook import executed, loop_notebook
from matcalc.export.rendering import rendered, tidied
from matcalc.export.writers import Progress, written
from matcalc.languages import ENGLISH, Language
from matcalc.languages import language as language_of
from matcalc.loops.check import checked
from matcalc.loops.lines import Range, range_latex
from matcalc.loops.page import BACKWARD, GRADIENTS, page_data, parts_latex
from matcalc.loops.problem import LoopProblem
from matcalc.loops.rows import LINE_END, fitted
from matcalc.numeric.report import Report
from matcalc.printing.latex import latex
from matcalc.printing.style import STANDARD, Notation
from matcalc.properties import mask_of, words_of


@dataclass
class Content:
    """What the templates see as `note`."""

    title: str
    text: str
    variables: list[tuple[str, str, str]]
    parts: list[tuple[str, str]]
    report: str
    module: str

    @property
    def found(self) -> list[tuple[str, str]]:
        """What is found, each with the rows of its formula: adjoints and gradients."""
        bodies = [body for title, body in self.parts if title in (BACKWARD, GRADIENTS)]
        pieces = [piece for body in bodies for piece in _pieces(body, 1)]
        return [(piece.split("\n")[1].partition("&")[0].strip(), piece) for piece in pieces]

    @property
    def slides(self) -> list[tuple[str, str]]:
        """The parts again, in pieces that fit on a slide."""
        return [(title, piece) for title, body in self.parts for piece in _pieces(body)]


class LoopNote:
    """The note of a program with loops: what a document is made of."""

    template: str | Path | None = None

    def __init__(
        self, d: LoopProblem, content: Content, report: Report, words: Language, *, execute: bool = True
    ) -> None:
        self.language = words
        self.d = d
        self.content = content
        self.report = report
        self.execute = execute

    def heading(self) -> str:
        """The title."""
        return self.content.title

    def page(self, form: str, markup: Markup, progress: Progress | None = None, **values: Any) -> str:
        """The note by the template of a form, in a markup."""
        parts = [(title, fitted(body, markup.line)) for title, body in self.content.parts]
        note = replace(self.content, parts=parts)
        return tidied(rendered(f"loops.{form}", None, note=note, f=markup, language=self.language, **values))

    def data(self) -> dict[str, Any]:
        """The same as plain data."""
        page = page_data(self.d)
        return {"title": self.content.title, **page, "check": report_data(self.report), "module": self.content.module}

    def notebook(self, progress: Progress | None = None) -> dict[str, Any]:
        """The note as a notebook, with cells that derive, check and plot; they are run unless `execute` is false.

        Raises:
            MatcalcError: a cell failed.
        """
        made = self.content
        book = loop_notebook(self.d, made.title, made.text, made.parts, self.language)
        return executed(book, self.language) if self.execute else book


@dataclass(frozen=True)
class LoopSection:
    """A program with loops among the derivations of a note."""

    title: str
    text: str
    program: Content
    helpers: bool = False
    module: str = ""  # nothing for the end of the note: its module is printed where it stands


def loop_report(d: LoopProblem) -> Report:
    """The certificate of the program's gradients."""
    return checked(d, compile_function(d.source()), 3, 0)


def loop_section(
    d: LoopProblem,
    title: str,
    text: str,
    notation: Notation,
    line: float,
    words: Language,
    *,
    style: str,
    source: str,
    computed: bool,
) -> LoopSection:
    """A program with loops as a section of a note, with its certificate if it is `computed`.

    Args:
        d: the program.
        title: of the section.
        text: an introduction.
        notation: the symbols.
        line: how wide a formula may be.
        words: the language.
        style: `steps`, or `result` for the adjoints and gradients alone.
        source: the module that is shown; empty for none.
        computed: whether the certificate is made.
    """
    parts = [(heading, fitted(body, line)) for heading, body in parts_latex(d, style, notation)]
    report = loop_report(d).text(words.code) if computed else ""
    return LoopSection(title, text, Content(title, "", _declared(d, words, notation), parts, report, source))


def _declared(d: LoopProblem, words: Language, notation: Notation) -> list[tuple[str, str, str]]:
    """The variables and members of families with their indices, their shapes, and their facts in a language."""
    rows = [(latex(v, notation), v, words_of(v.params[3])) for v in d.declared]
    for f in d.program.families.values():
        member = var(f"{f.name}[{f.run.name}]", *f.shape)
        runs = range_latex(Range(f.run.name, f.run.first, f.run.last))
        rows.append((rf"{latex(member, notation)}, \; {runs}", member, words_of(mask_of(f.facts))))
    return [(name, shape_latex(e), ", ".join(map(words, facts))) for name, e, facts in rows]


def export_loops(
    d: LoopProblem,
    path: str | Path,
    module: str,
    report: Report,
    *,
    title: str = "",
    text: str = "",
    format: str = "",  # noqa: A002  (the name that users expect)
    engine: str = "",
    notation: Notation = STANDARD,
    execute: bool = True,
    language: str = ENGLISH,
    **others: Any,
) -> Path:
    """Write the note; the suffix of the path, or `format`, says as what. `execute`: whether a notebook's cells are run.

    Raises:
        MatcalcError: another suffix, option or language, or the file cannot be written.
    """
    if others:
        raise MatcalcError(
            f"the note of a program with loops has no option {', '.join(others)}; there are title, text, format, "
            "engine, notation, execute, language"
        )
    target = Path(path)
    form = format_of(target, format, "a program with loops", also="notebook")
    words, parts = language_of(language), parts_latex(d, "steps", notation)
    title = title or words("Derivatives")
    content = Content(title, text, _declared(d, words, notation), parts, report.text(language), module)
    return written(LoopNote(d, content, report, words, execute=execute), target, form, engine=engine)


def _pieces(body: str, least: int = 4) -> list[str]:
    """The rows of `aligned` in several ones of at least some lines each; those of one formula stay together."""
    head, *rows, foot = body.split("\n")
    groups: list[list[str]] = []
    for row in rows:
        new = not groups or (not row.startswith("&") and len(groups[-1]) >= least)
        if new:
            groups.append([])
        groups[-1].append(row)
    return ["\n".join([head, *group[:-1], LINE_END.sub("", group[-1]), foot]) for group in groups]
