"""Notes on programs with families and recurrences: Markdown, LaTeX, HTML, or plain data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from matcalc.errors import MatcalcError
from matcalc.export.data import report_data
from matcalc.export.html import katex
from matcalc.export.markup import Html, Markdown, Markup, Tex
from matcalc.export.note import tidied
from matcalc.export.rendering import rendered
from matcalc.languages import ENGLISH, language
from matcalc.loops.page import page_data, parts_latex, variables
from matcalc.loops.problem import LoopProblem
from matcalc.numeric.report import Report
from matcalc.printing.style import STANDARD, Notation

MARKUPS: dict[str, type[Markup]] = {".md": Markdown, ".tex": Tex, ".html": Html}
SUFFIXES = (*MARKUPS, ".json")


@dataclass
class Content:
    """What the templates see as `note`."""

    title: str
    text: str
    variables: list[tuple[str, str]]
    parts: list[tuple[str, str]]
    report: str
    module: str


def export_loops(
    d: LoopProblem,
    path: str | Path,
    module: str,
    report: Report,
    *,
    title: str = "Derivatives",
    text: str = "",
    notation: Notation = STANDARD,
) -> Path:
    """Write the note; the suffix of the path says as what.

    Raises:
        MatcalcError: another suffix, or the file cannot be written.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        raise MatcalcError(
            f"a note on a program with loops needs one of the suffixes {', '.join(SUFFIXES)}, got {target.name!r}"
        )
    if suffix == ".json":
        data = {"title": title, **page_data(d), "check": report_data(report), "module": module}
        content = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    else:
        note = Content(title, text, variables(d), parts_latex(d, "steps", notation), str(report), module)
        content = _rendered(suffix, note)
    try:
        target.write_text(content, encoding="utf-8")
    except OSError as error:
        raise MatcalcError(f"cannot write {target}: {error.strerror}") from None
    return target


def _rendered(suffix: str, note: Content) -> str:
    """The note in a markup."""
    english = language(ENGLISH)
    f = MARKUPS[suffix](english)
    rows = [(f.verbatim(name), f.text(words)) for name, words in note.variables]
    note.variables = rows
    further = {"katex": katex()} if suffix == ".html" else {}
    return tidied(rendered(f"loops{suffix}", None, note=note, f=f, language=english, **further))
