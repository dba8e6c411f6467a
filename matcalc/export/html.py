"""What an HTML note carries inside itself, so that it needs no network: KaTeX (MIT, katex/LICENSE) and its fonts."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

FACE = re.compile(r"@font-face\{[^}]*?url\(fonts/([\w-]+)\.woff2\)[^}]*\}")
SOURCES = re.compile(r"src:[^;}]*")


@dataclass(frozen=True, slots=True)
class Katex:
    """The style sheet with its fonts inside, and the script."""

    style: str
    script: str


@lru_cache(maxsize=1)
def katex() -> Katex:
    """KaTeX for one page; font families that our formulas never use are left out."""
    folder = files("matcalc.export").joinpath("katex")

    def face(found: re.Match[str]) -> str:
        font = folder.joinpath("fonts", f"{found[1]}.woff2")
        if not font.is_file():
            return ""
        data = base64.b64encode(font.read_bytes()).decode("ascii")
        return SOURCES.sub(f'src:url(data:font/woff2;base64,{data}) format("woff2")', found[0], count=1)

    style = FACE.sub(face, folder.joinpath("katex.min.css").read_text(encoding="utf-8"))
    licence = folder.joinpath("LICENSE").read_text(encoding="utf-8").strip()
    script = folder.joinpath("katex.min.js").read_text(encoding="utf-8").replace("</script", r"<\/script")
    return Katex(style, f"/*! KaTeX\n{licence}\n*/\n{script}")
