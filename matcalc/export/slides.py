"""Slides, one step on each: the markups of beamer and of reveal.js, and what a page of slides carries inside itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from matcalc.export.markup import Tex
from matcalc.export.markup_html import Html
from matcalc.languages import Language


class RevealSlides(Html):
    """The slides of reveal.js."""

    listings = False
    pictures = "svg"

    def _element(self, tag: str, kind: str, wide: str, narrow: str = "") -> str:
        """A slide has one width on every screen."""
        return super()._element(tag, kind, wide)

    def slide(self, title: str, content: str) -> str:
        """A slide; empty where it would have no content."""
        if not content.strip():
            return ""
        head = f"<h2>{title}</h2>\n" if title else ""
        return f"\n<section>\n{head}{content}\n</section>\n"


class BeamerSlides(Tex):
    """The frames of beamer; what is too long for one goes on in another."""

    def __init__(self, language: Language) -> None:
        super().__init__(language, fragment=True)

    def heading(self, level: int, content: str) -> str:
        return f"\n\n\\structure{{{content}}}\n\n"

    def picture(self, drawing: str, legend: str) -> str:
        """Drawn for the width of a page, and scaled to that of a slide."""
        room = r"\begin{minipage}{\dimexpr\linewidth*100/88\relax}\centering"
        return f"\n\\scalebox{{0.88}}{{{room}\n{drawing}\n\\end{{minipage}}}}\n"

    def slide(self, title: str, content: str) -> str:
        """A frame; empty where it would have no content."""
        if not content.strip():
            return ""
        return f"\n\\begin{{frame}}[allowframebreaks]{{{title}}}\n{content}\n\\end{{frame}}\n"


@dataclass(frozen=True, slots=True)
class Reveal:
    """The style sheet and the script."""

    style: str
    script: str


@lru_cache(maxsize=1)
def reveal() -> Reveal:
    """reveal.js for one page (MIT, reveal/LICENSE)."""
    folder = files("matcalc.export").joinpath("reveal")
    licence = folder.joinpath("LICENSE").read_text(encoding="utf-8").strip()
    script = folder.joinpath("reveal.js").read_text(encoding="utf-8").replace("</script", r"<\/script")
    return Reveal(folder.joinpath("reveal.css").read_text(encoding="utf-8"), f"/*! reveal.js\n{licence}\n*/\n{script}")
