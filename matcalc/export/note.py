"""Notes: one or several derivations as a document, in Markdown, LaTeX, HTML, PDF, as a notebook or as data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matcalc.calculus.problem import Problem
from matcalc.errors import MatcalcError, need_one_of
from matcalc.export.data import derivation_data, report_data
from matcalc.export.formats import format_of
from matcalc.export.lecture import make_lesson
from matcalc.export.lesson import DETAILS, Lesson
from matcalc.export.loops import LoopSection, loop_report, loop_section
from matcalc.export.markup import Markdown, Markup
from matcalc.export.notebook import executed, notebook
from matcalc.export.picture_svg import for_screens, graph_svg
from matcalc.export.picture_tex import graph_tex
from matcalc.export.picture_word import graph_word
from matcalc.export.program import code_kind, main_function
from matcalc.export.references import References
from matcalc.export.rendering import rendered, tidied
from matcalc.export.rows import rows_for
from matcalc.export.symbols import Symbol, symbols_in
from matcalc.export.writers import WRITERS, Progress, Wish, written
from matcalc.functions.certificate import certified
from matcalc.functions.request import module
from matcalc.languages import Language, language
from matcalc.loops.problem import LoopProblem
from matcalc.numeric.report import Report
from matcalc.printing.latex import latex
from matcalc.printing.style import STANDARD, Notation
from matcalc.printing.symbols import ADJOINT, name_latex

LONGEST = 100  # values on the way back of a derivation that Jupyter shows in full
DRAWINGS = {"tex": graph_tex, "word": graph_word}
LISTING = 60  # lines of a function that a note prints among the results; longer ones at the end, or not at all


@dataclass(slots=True)
class Lifted:
    """A sum over indices, the lines in which it becomes matrices with their rules, and its matrix form."""

    words: str
    rows: list[tuple[str, str]]
    value: str


@dataclass(slots=True)
class Section:
    """One derivation of a note, ready for the templates."""

    title: str
    text: str
    lesson: Lesson
    adjoint: str
    letter: str
    meaning: str
    picture: str
    module: str
    code: str
    left_out: int
    command: str
    helpers: bool
    sums: list[Lifted]
    report: Report | None
    program: None = None  # what a program with loops has instead of a lesson


@dataclass(slots=True)
class Content:
    """What the templates see as `note`."""

    title: str
    detail: str
    sections: list[Section | LoopSection]
    references: References
    symbols: list[Symbol]
    appendix: bool = True

    @property
    def complete(self) -> bool:
        """Whether there are modules to print at the end."""
        return self.appendix and any(section.helpers for section in self.sections)


class Note:
    """A document of one or several derivations, with one list of the identities that they use.

    Args:
        title: of the document; made from the derivations where it is left out.
        notation: the symbols.
        language: of the fixed words: `en`, `es`, `hi`.
        detail: `full`; `lesson` without Jacobians, list of identities and complete code; or `sheet` (also `brief`), the
            adjoints and results.
        code: whether the generated code is in it.
        template: a Jinja2 file of your own; it may extend `note.md.jinja`, `note.tex.jinja` or `note.html.jinja`.
        entries: for how many entries diagonal Jacobians are written out; 0 for not at all.
        hessian: whether the Hessians of scalar functions follow, with their steps.

    Example:
        >>> import matcalc as mc
        >>> note = mc.Note("Least squares")
        >>> note.add(mc.derive("norm2(X*w - y)^2/2", wrt="w"), "The gradient")
        >>> print(note.markdown()[:15])
        # Least squares
    """

    def __init__(
        self,
        title: str = "",
        *,
        notation: Notation = STANDARD,
        language: str = "en",
        detail: str = "full",
        template: str | Path | None = None,
        entries: int = 0,
        hessian: bool = False,
        code: bool = True,
    ) -> None:
        self.title = title
        self.notation = notation
        self.language = _language(language)
        need_one_of("detail", detail, DETAILS)
        self.detail = "brief" if detail == "sheet" else detail
        self.code = code
        self.template = template
        if type(entries) is not int or not 0 <= entries <= 8:
            raise MatcalcError(f"entries must be a whole number from 0 to 8, got {entries!r}")
        self.entries = entries
        self.hessian = hessian
        self.parts: list[tuple[Problem | LoopProblem, str, str]] = []

    def add(self, d: Problem | LoopProblem, title: str = "", text: str = "") -> None:
        """Add a derivation, with a title and an introduction in plain words."""
        if not isinstance(d, Problem | LoopProblem):
            raise MatcalcError(f"a note is made of derivations, got {type(d).__name__}")
        self.parts.append((d, title, text))

    def markdown(self, progress: Progress | None = None) -> str:
        """The note in Markdown; the pictures stand in the text, as data addresses."""
        return self.page("md", Markdown(self.language), progress)

    def latex(self, *, fragment: bool = False, progress: Progress | None = None) -> str:
        r"""The note in LaTeX: an article, or a fragment for `\input`."""
        return self._text("latex", Wish("", fragment, progress=progress))

    def html(self, progress: Progress | None = None) -> str:
        """The note as one HTML page that needs no network."""
        return self._text("html", Wish("", progress=progress))

    def typst(self, progress: Progress | None = None) -> str:
        """The note in Typst."""
        return self._text("typst", Wish("", progress=progress))

    def _text(self, name: str, wish: Wish) -> str:
        return WRITERS[name](self, wish).content.decode("utf-8")

    def data(self) -> dict[str, Any]:
        """The note as plain data."""
        return {
            "title": self.heading(),
            "language": self.language.code,
            "derivations": [
                {
                    **({"title": title} if title else {}),
                    **derivation_data(d),
                    "check": report_data(_report(d)),
                }
                for d, title, _ in self.parts
            ],
        }

    def notebook(self, progress: Progress | None = None, *, execute: bool = True) -> dict[str, Any]:
        """The note as a Jupyter notebook (nbformat 4.5).

        Args:
            progress: called before each derivation.
            execute: whether the cells are run, so that their outputs are in it; without nbclient and ipykernel they
                are not, and the notebook says so.

        Raises:
            MatcalcError: a cell failed.
        """
        book = notebook(self.heading(), self.parts, self.lessons(progress), self.language)
        return executed(book, self.language) if execute else book

    def heading(self) -> str:
        """The title, or one made from what is differentiated."""
        if self.title:
            return self.title
        titles = [said for d, title, _ in self.parts if (said := title or _title(d))]
        if len(self.parts) == 1 and titles:
            return titles[0]
        if len(self.parts) == 1 and (name := self.parts[0][0].output.name):
            return self.language.filled("Derivatives of {0}", name)
        return self.language("Derivatives")

    def export(
        self,
        path: str | Path,
        *,
        format: str = "",  # noqa: A002  (the name that users expect)
        fragment: bool = False,
        engine: str = "",
        progress: Progress | None = None,
    ) -> Path:
        """Write the note; the suffix of `path`, or `format`, says as what.

        Args:
            path: the file; the endings of all formats are in `matcalc.export.formats`.
            format: the name of a format, where the suffix does not say it.
            fragment: for .tex: without preamble, to be read by `input`.
            engine: for .pdf: `tex` or `typst`; what is installed where it is left out, TeX first.
            progress: called with the number done, the number of derivations, and the title of the next.

        Raises:
            MatcalcError: another suffix, or the file cannot be written; MissingDependencyError for what a format needs.
        """
        target = Path(path)
        form = format_of(target, format)
        if not self.parts:
            raise MatcalcError("the note is empty: add a derivation first")
        if fragment and form.name != "latex":
            raise MatcalcError(f"a fragment is LaTeX: it needs the suffix .tex, got {target.name!r}")
        return written(self, target, form, fragment=fragment, engine=engine, progress=progress)

    def page(self, form: str, markup: Markup, progress: Progress | None = None, **values: Any) -> str:
        """The note by the template of a form, in a markup; `values` are for the template."""
        content = self._content(self.parts, markup, progress)
        return tidied(
            rendered(
                form,
                self.template,
                note=content,
                f=markup,
                language=self.language,
                **rows_for(markup),
                **values,
            )
        )

    def lessons(self, progress: Progress | None = None, markup: Markup | None = None) -> list[str]:
        """Each derivation, as Markdown by default, without picture, code and certificate: a notebook computes those."""
        markup = markup or Markdown(self.language)
        texts = []
        for k, part in enumerate(self.parts):
            if progress is not None:
                progress(k, len(self.parts), part[1])
            content = self._content([part], markup, None, computed=False)
            body = rendered("body", None, note=content, f=markup, language=self.language, **rows_for(markup))
            texts.append(tidied(body))
        return texts

    def _content(
        self,
        parts: list[tuple[Problem | LoopProblem, str, str]],
        markup: Markup,
        progress: Progress | None,
        *,
        computed: bool = True,
    ) -> Content:
        references = References(self.notation)
        sections: list[Section | LoopSection] = []
        for k, (d, title, text) in enumerate(parts):
            if progress is not None:
                progress(k, len(parts), title)
            if isinstance(d, LoopProblem):
                sections.append(self._program(d, title, text, markup, computed))
            else:
                sections.append(self._section(d, title, text, references, markup, computed))
        lessons = [section.lesson for section in sections if isinstance(section, Section)]
        symbols = symbols_in(lessons, self.notation) if self.detail != "brief" else []
        shown, appendix = ("brief", False) if self.detail == "brief" else ("full", self.detail == "full")
        return Content(self.heading(), shown, sections, references, symbols, appendix)

    def _program(self, d: LoopProblem, title: str, text: str, markup: Markup, computed: bool) -> LoopSection:
        return loop_section(
            d,
            title or self.language("Derivatives"),
            text,
            self.notation,
            markup.line,
            self.language,
            style="result" if self.detail == "brief" else "steps",
            source=d.source() if computed and self.code and self.detail == "full" else "",
            computed=computed,
        )

    def _section(
        self, d: Problem, title: str, text: str, references: References, markup: Markup, computed: bool
    ) -> Section:
        lesson = make_lesson(
            d, self.notation, references, self.language, detail=self.detail, entries=self.entries, hessian=self.hessian
        )
        notation = self.notation.with_output(str(d.output.params[0]) if d.output.op == "named" else "f")
        letter = next(x for x in ("v", "u", "q", "a", "v_") if x not in d.graph.scope)
        adjoint = name_latex(ADJOINT + letter, notation)
        transposed = rf"\left({adjoint}\right)" if notation.adjoint == "partial" else adjoint
        transposed += notation.transpose
        source = module(d, code_kind(d)) if computed and markup.listings and self.code else ""
        function, helpers = main_function(source)
        lines = function.count("\n")
        at_the_end = self.detail == "full" and helpers  # where the whole module is
        left_out = lines if at_the_end or (lines > LISTING and self.detail != "full") else 0
        return Section(
            title=title or self.language("Derivatives"),
            text=text,
            lesson=lesson,
            adjoint=adjoint,
            letter=letter,
            meaning=rf"{lesson.differential} = \operatorname{{tr}}({transposed} \,\mathrm{{d}}{letter})",
            picture=_drawing(lesson.problem or d, markup, notation) if computed else "",
            module=source,
            code="" if left_out else function,
            left_out=left_out,
            command=" ".join(["matcalc code", *(["--kind", kind] if (kind := code_kind(d)) else [])]),
            helpers=helpers,
            sums=[Lifted(x.words, x.rows(notation), latex(x.value, notation)) for x in d.liftings],
            report=certified(d, trials=3) if computed else None,
        )


def _title(d: Problem | LoopProblem) -> str:
    """The title that a derivation has of its own."""
    return d.title if isinstance(d, Problem) else ""


def _report(d: Problem | LoopProblem) -> Report:
    return certified(d, trials=3) if isinstance(d, Problem) else loop_report(d)


def _drawing(d: Problem, markup: Markup, notation: Notation) -> str:
    """The picture of the graph as the markup takes it."""
    if markup.pictures in DRAWINGS:
        return DRAWINGS[markup.pictures](d, notation)
    if markup.pictures == "screens":
        return for_screens(d, notation)
    drawn = graph_svg(d, notation, alone=markup.pictures != "svg", widest=markup.columns)
    return markup.stored(drawn) if isinstance(markup, Markdown) else drawn


def _language(code: str) -> Language:
    return language(code)


def export(
    d: Problem,
    path: str | Path,
    *,
    title: str = "",
    text: str = "",
    format: str = "",  # noqa: A002  (the name that users expect)
    fragment: bool = False,
    engine: str = "",
    progress: Progress | None = None,
    **options: Any,
) -> Path:
    """Write the note of one derivation; `options` are those of `Note`."""
    known = ("template", "notation", "language", "detail", "entries", "hessian", "code")
    unknown = [name for name in options if name not in known]
    if unknown:
        raise MatcalcError(
            f"export has no option {', '.join(unknown)}; there are title, text, format, fragment, engine, "
            f"{', '.join(known)}"
        )
    note = Note(title, **options)
    note.add(d, title, text)
    return note.export(path, format=format, fragment=fragment, engine=engine, progress=progress)


def lesson(d: Problem) -> str:
    """What Jupyter shows of a derivation, in Markdown: the lesson; of a very long one the brief form."""
    note = Note(detail="full" if len(d.paths) <= LONGEST else "brief")
    note.add(d)
    return note.lessons()[0]
