"""PDF by the TeX that is installed: latexmk where there is one, else pdflatex (or lualatex, xelatex) twice."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from matcalc.errors import MatcalcError, MissingDependencyError

TIMEOUT = 180  # seconds
MESSAGE = (
    "a PDF needs a TeX installation ({0} was not found): install TeX Live or MiKTeX, or export .html and print it "
    "from the browser, or export .tex and compile it elsewhere"
)


UNICODE = ("xelatex", "lualatex")


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
        raise MissingDependencyError(MESSAGE.format(" or ".join(engines)))
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
