"""HTML: every long formula twice, for a page and for a phone; a script sets the one that has room."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence

from matcalc.export.markup import CELL, Markup
from matcalc.loops.rows import fitted
from matcalc.printing.breaking import displayed

NARROW = 20.0  # em of a formula on a phone
NARROW_ITEM = 18.0  # in a table or list there
ALIGNED = r"\begin{aligned}"


class Html(Markup):
    """HTML; formulas as LaTeX in elements of the class `m` (in text) or `d` (displayed), set when the page opens.

    Where a formula is broken otherwise on a narrow screen, `data-narrow` has it.
    """

    pictures = "screens"

    def text(self, plain: str) -> str:
        return html.escape(plain, quote=False)

    def math(self, formula: str) -> str:
        return self._element("span", "m", formula)

    def tall(self, formula: str, line: float = CELL) -> str:
        wide, narrow = (rf"\displaystyle {displayed(formula, width)}" for width in (line, min(line, NARROW_ITEM)))
        return self._element("span", "m", wide, narrow)

    def strong(self, content: str) -> str:
        return f"<strong>{content}</strong>"

    def small(self, content: str) -> str:
        return f'<span class="remark">{content}</span>'

    def heading(self, level: int, content: str) -> str:
        return f"\n<h{level}>{content}</h{level}>\n"

    def paragraph(self, content: str) -> str:
        return f"\n<p>{content}</p>\n"

    def lead(self, content: str) -> str:
        return f'\n<p class="lead">{content}</p>\n'

    def block(self, formula: str) -> str:
        one = formula.startswith(ALIGNED) and formula.count(r"\begin") == 1 and "\n" in formula
        return f"\n{self._element('div', 'd', formula, fitted(formula, NARROW) if one else formula)}\n"

    def fitted(self, made: Callable[[float], str]) -> str:
        return f"\n{self._element('div', 'd', made(self.line), made(NARROW))}\n"

    def _element(self, tag: str, kind: str, wide: str, narrow: str = "") -> str:
        other = f' data-narrow="{html.escape(narrow)}"' if narrow not in ("", wide) else ""
        return f'<{tag} class="{kind}"{other}>{html.escape(wide, quote=False)}</{tag}>'

    def items(self, rows: Sequence[str]) -> str:
        return "\n<ul>\n" + "\n".join(f"<li>{row}</li>" for row in rows) + "\n</ul>\n"

    def verbatim(self, code: str) -> str:
        return f"<code>{html.escape(code, quote=False)}</code>"

    def lines(self, *parts: str) -> str:
        return "<br>".join(p for p in parts if p)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], prose: float = 0.0) -> str:
        top = "".join(f"<th>{cell}</th>" for cell in head)
        body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
        return f"\n<table>\n<thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"

    def code(self, source: str, name: str) -> str:
        """A listing; each line is an element of its own, so that a long one goes on indented and nothing is cut."""
        lines = [f"<span>{html.escape(line, quote=False)}\n</span>" for line in source.rstrip().split("\n")]
        return f'\n<pre><code class="{html.escape(name)}">{"".join(lines)}</code></pre>\n'

    def picture(self, drawing: str, legend: str) -> str:
        """A picture of the graph."""
        caption = f"<figcaption>{legend}</figcaption>" if legend else ""
        return f'\n<figure class="graph">{drawing}{caption}</figure>\n'
