"""The formats of documents by their names: one record each, whose writer (`writers.py`) is found by the name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from matcalc.errors import MatcalcError, closest, need_one_of


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        name: what it is asked for by.
        suffix: how its files end; the longest suffix that fits a file's name decides.
        what: what it is, in a few words.
        needs: what must be installed to write it; empty for nothing.
        always: whether programs with loops and optima have it too.
    """

    name: str
    suffix: str
    what: str
    needs: str = ""
    always: bool = True


ENGINES = ("tex", "typst")  # what makes a PDF
FORMATS = {
    f.name: f
    for f in (
        Format("markdown", ".md", "Markdown with formulas between dollars"),
        Format("latex", ".tex", "an article in LaTeX"),
        Format("html", ".html", "one page that needs no network"),
        Format("notebook", ".ipynb", "a Jupyter notebook", always=False),
        Format("pdf", ".pdf", "pages to print", "the package typst, or TeX"),
        Format("typst", ".typ", "a document in Typst"),
        Format("word", ".docx", "a Word document with its own equations"),
        Format("quarto", ".qmd", "Markdown for Quarto"),
        Format("myst", ".myst.md", "Markdown for MyST and Jupyter Book"),
        Format("asciidoc", ".adoc", "AsciiDoc"),
        Format("beamer", ".beamer.tex", "slides in LaTeX, one step on each"),
        Format("slides", ".slides.html", "slides by reveal.js that need no network, one step on each"),
        Format("anki", ".anki.txt", "cards for Anki: a question for each step"),
        Format("json", ".json", "plain data"),
    )
}


def suffixes(of: str = "") -> list[str]:
    """The suffixes of all formats; with `of`, what is not a note of derivations, of those that it has too."""
    return [f.suffix for f in FORMATS.values() if f.always or not of]


def format_of(path: PurePath, name: str = "", of: str = "", *, also: str = "") -> Format:
    """The format of a file: by its name, or by the suffix of the path.

    Args:
        path: the file.
        name: of the format; empty where the suffix says it.
        of: what is written, where it is no note of derivations.
        also: the name of a format that it has beside those that everything has.

    Raises:
        MatcalcError: there is no such format, or not of that.
    """
    known = [f for f in FORMATS.values() if f.always or not of or f.name == also]
    if name:
        need_one_of("format", name, [f.name for f in known])
        return FORMATS[name]
    fitting = [f for f in known if path.name.lower().endswith(f.suffix)]
    if fitting:
        return max(fitting, key=lambda f: len(f.suffix))
    whose = f"of the note of {of} " if of else ""
    endings = [f.suffix for f in known]
    meant = closest(path.suffix, endings) if path.suffix else ""
    raise MatcalcError(f"the suffix {whose}must be one of {', '.join(endings)}, got {path.name!r}{meant}")
