"""What writes each format, from a note or from the note of a program with loops: both give their page in any markup."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from matcalc.errors import MatcalcError
from matcalc.export.cards import AnkiCards, import_file
from matcalc.export.formats import Format
from matcalc.export.html import katex
from matcalc.export.markup import Markdown, Markup, Tex
from matcalc.export.markup_html import Html
from matcalc.export.markup_more import AsciiDoc, Myst, Quarto
from matcalc.export.markup_typst import Typst
from matcalc.export.markup_word import Word
from matcalc.export.pdf import UNICODE, chosen, compiled
from matcalc.export.slides import BeamerSlides, RevealSlides, reveal
from matcalc.export.typst_pdf import compiled_typst, fonts_for
from matcalc.export.word import need_xml, packed
from matcalc.languages import Language

Progress = Callable[[int, int, str], None]


class Source(Protocol):
    """What a document is made of."""

    language: Language
    template: str | Path | None

    def heading(self) -> str:
        """The title."""

    def page(self, form: str, markup: Markup, progress: Progress | None = None, **values: Any) -> str:
        """The page by the template of a form, in a markup; `values` are for the template."""

    def data(self) -> dict[str, Any]:
        """The same as plain data."""

    def notebook(self, progress: Progress | None = None) -> dict[str, Any]:
        """The same as a notebook."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for beside the format.

    Attributes:
        stem: the name of the file without its suffix.
        fragment: whether LaTeX is written without its preamble.
        engine: what makes a PDF: `tex`, `typst`, or empty for what is installed, TeX first.
        progress: called before each derivation.
    """

    stem: str
    fragment: bool = False
    engine: str = ""
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """The content of a file, and the files that stand beside it, by name."""

    content: bytes
    beside: dict[str, str] = field(default_factory=dict)


Writer: TypeAlias = Callable[[Source, Wish], Written]


def _text(text: str, beside: dict[str, str] | None = None) -> Written:
    return Written(text.encode("utf-8", "replace"), beside or {})


def _in_markdown(form: str, kind: type[Markdown]) -> Writer:
    """What writes Markdown and its kin, with the pictures in files beside the note."""

    def write(source: Source, wish: Wish) -> Written:
        markup = kind(source.language, wish.stem)
        return _text(source.page(form, markup, wish.progress), markup.files)

    return write


def _latex(source: Source, wish: Wish) -> Written:
    form = "fragment.tex" if wish.fragment else "tex"
    return _text(source.page(form, Tex(source.language, wish.fragment), wish.progress))


def _html(source: Source, wish: Wish) -> Written:
    return _text(source.page("html", Html(source.language), wish.progress, katex=katex()))


def _beamer(source: Source, wish: Wish) -> Written:
    return _text(source.page("beamer", BeamerSlides(source.language), wish.progress))


def _slides(source: Source, wish: Wish) -> Written:
    page = source.page("slides", RevealSlides(source.language), wish.progress, katex=katex(), reveal=reveal())
    return _text(page)


def _typst(source: Source, wish: Wish) -> Written:
    return _text(source.page("typ", Typst(source.language), wish.progress, fonts=source.language.fonts))


def _pdf(source: Source, wish: Wish) -> Written:
    """By the engine that is asked for or installed; a template of one's own is in the language of its engine."""
    engines = UNICODE if source.language.fonts else ("pdflatex",)
    if chosen(wish.engine, source.template, engines) == "typst":
        fonts = fonts_for(source.language)
        return Written(compiled_typst(source.page("typ", Typst(source.language), wish.progress, fonts=fonts)))
    return Written(compiled(source.page("tex", Tex(source.language), wish.progress), engines))


def _word(source: Source, wish: Wish) -> Written:
    page = source.page("docx", Word(source.language), wish.progress)
    if source.template is not None:
        need_xml(page)
    return Written(packed(page, source.heading(), source.language))


def _anki(source: Source, wish: Wish) -> Written:
    cards = AnkiCards(source.language)
    source.page("anki", cards, wish.progress)
    if not cards.cards:
        raise MatcalcError("there are no cards: a template of Anki cards calls f.card(front, back)")
    return _text(import_file(source.heading(), cards.cards))


def _notebook(source: Source, wish: Wish) -> Written:
    return _text(json.dumps(source.notebook(wish.progress), indent=1, ensure_ascii=False) + "\n")


def _json(source: Source, wish: Wish) -> Written:
    return _text(json.dumps(source.data(), indent=2, ensure_ascii=False) + "\n")


def written(source: Source, target: Path, form: Format, **wishes: Any) -> Path:
    """Write a file in a format, and what stands beside it.

    Raises:
        MatcalcError: it cannot be written.
    """
    made = WRITERS[form.name](source, Wish(_stem(target, form), **wishes))
    try:
        target.write_bytes(made.content)
        for name, text in made.beside.items():
            (target.parent / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise MatcalcError(f"cannot write {target}: {error.strerror}") from None
    return target


def _stem(target: Path, form: Format) -> str:
    return target.name[: -len(form.suffix)] if target.name.lower().endswith(form.suffix) else target.stem


WRITERS: dict[str, Writer] = {
    "markdown": _in_markdown("md", Markdown),
    "latex": _latex,
    "html": _html,
    "notebook": _notebook,
    "pdf": _pdf,
    "typst": _typst,
    "word": _word,
    "quarto": _in_markdown("qmd", Quarto),
    "myst": _in_markdown("myst", Myst),
    "asciidoc": _in_markdown("adoc", AsciiDoc),
    "beamer": _beamer,
    "slides": _slides,
    "anki": _anki,
    "json": _json,
}
