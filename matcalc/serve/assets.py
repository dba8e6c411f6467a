"""The files of the page: what lies in `static/`, and KaTeX with its fonts inside the style sheet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from matcalc.export.html import katex

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
PAGE = ("index.html", "style.css", "page.js", "backend.js", "worker.js", "python.js", "icon.svg")


@dataclass(frozen=True)
class Asset:
    """A file: its media type and what is in it."""

    type: str
    content: bytes


@lru_cache(maxsize=1)
def assets() -> dict[str, Asset]:
    """The files of the page by their names."""
    folder = files("matcalc.serve").joinpath("static")
    found = {name: folder.joinpath(name).read_bytes() for name in PAGE}
    typeset = katex()
    found |= {"katex.css": typeset.style.encode(), "katex.js": typeset.script.encode()}
    return {name: Asset(TYPES[name[name.rindex(".") :]], content) for name, content in found.items()}
