"""PDF by the TeX that is installed: latexmk where there is one, else pdflatex (or lualatex, xelatex) twice.

Where there is no TeX, the package typst makes the pages (`typst_pdf.py`).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from matcalc.errors import MatcalcError, MissingDependencyError, need_one_of
from matcalc.export.formats import ENGINES

TIMEOUT = 180  # seconds
MESSAGE = (
    "a PDF needs the package typst (pip install matcalculus[pdf]) or a TeX installation ({0} was not found); or export "
    ".html and print it from the browser, or export .typ or .tex and compile it elsewhere"
)
NO_TEX = "engine='tex' needs a TeX installation ({0} was not found): install TeX Live or MiKTeX"
UNICODE = ("xelatex", "lualatex")


def chosen(engine: str, template: str | Path | None, programs: Sequence[str]) -> str:
    """The engine for a PDF: the one that is asked for, that of the template, or what is installed, TeX first.

    Raises:
        MissingDependencyError: neither is installed.
        MatcalcError: there is no such engine.
    """
    if engine:
        need_one_of("engine", engine, ENGINES)
        return engine
    if template is not None:
        return "typst" if ".typ" in Path(template).suffixes else "tex"
    if any(shutil.which(name) for name in programs):
        return "tex"
    try:
        found = find_spec("typst") is not None
    except ModuleNotFoundError:  # an importer that is asked refuses it
        found = False
    if not found:
        raise MissingDependencyError(MESSAGE.format(" or ".join(programs)))
    return "typst"


def compiled(source: str, engines: Sequence[str] = ("pdflatex",)) -> bytes:
    """The PDF of a LaTeX document.

    Args:
        source: the document.
        engines: what can compile it, the best first: those in `UNICODE` for scripts that pdflatex does not know.

    Raises:
        MissingDependencyError: no TeX is installed.
        MatcalcError: the document does not compile.
    """
    engine = next((name for name in engines if shutil.which(name)), None)
    if engine is None:
        raise MissingDependencyError(NO_TEX.format(" or ".join(engines)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "note.tex"
        path.write_text(source, encoding="utf-8")
        for command in _commands(engine):
            try:
                subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=TIMEOUT)
            except subprocess.CalledProcessError:
                raise MatcalcError(f"{engine} could not compile the note: {_first_error(path)}") from None
            except subprocess.TimeoutExpired:
                raise MatcalcError(f"{engine} did not end within {TIMEOUT} seconds") from None
        return path.with_suffix(".pdf").read_bytes()


def _commands(engine: str) -> list[list[str]]:
    options = ["-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "note.tex"]
    if shutil.which("latexmk"):
        flag = {"pdflatex": "-pdf", "lualatex": "-pdflua", "xelatex": "-pdfxe"}[engine]
        return [["latexmk", "-norc", flag, *options]]
    return [[engine, *options]] * 2


def _first_error(path: Path) -> str:
    log = path.with_suffix(".log")
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    found = re.search(r"^! (.*)$", text, re.MULTILINE)
    return found[1].strip() if found else "there is no log"
