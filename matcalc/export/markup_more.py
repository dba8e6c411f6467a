"""Markups for publishing systems: Quarto and MyST, which are Markdown with their own fences, and AsciiDoc."""

from __future__ import annotations

import re
from collections.abc import Sequence

from matcalc.export.markup import Markdown
from matcalc.languages import Language

MARKS = re.compile(r"""[][*_`#^~{}<>\\+&|'"]|-(?=-)|\.(?=\.)|:(?=:|//)|\((?=(?:C|R|TM)\))""")


class Outlined(Markdown):
    """Markdown in which no level of headings is left out, which publishing systems complain of."""

    def __init__(self, language: Language, stem: str = "") -> None:
        super().__init__(language, stem)
        self.outline = [1]  # the levels of the headings that stand above the next one; the title is in the template

    def level(self, level: int) -> int:
        """The level of the next heading in the outline, whose level on the page is given."""
        while self.outline[-1] >= level > 1:
            self.outline.pop()
        self.outline.append(level)
        return len(self.outline)

    def heading(self, level: int, content: str) -> str:
        return super().heading(self.level(level), content)


class Quarto(Outlined):
    """Quarto's Markdown; the front matter is in the template."""

    def picture(self, drawing: str, legend: str) -> str:
        """A figure whose caption is the legend."""
        words = self.t("Forward graph")
        return f'\n\n![{legend or words}]({drawing}){{fig-alt="{words}"}}\n\n'


class Myst(Outlined):
    """MyST; roles and directives, which need no extension for dollars."""

    def math(self, formula: str) -> str:
        return f"{{math}}`{super().math(formula)[1:-1]}`"

    def block(self, formula: str) -> str:
        return f"\n\n```{{math}}\n{formula}\n```\n\n"

    def code(self, source: str, name: str) -> str:
        return f"\n\n```{{code-block}} {name}\n{source.rstrip()}\n```\n\n"

    def picture(self, drawing: str, legend: str) -> str:
        """A figure; pictures in the text itself are images."""
        if drawing.startswith("data:"):
            return super().picture(drawing, legend)
        return f"\n\n```{{figure}} {drawing}\n:alt: {self.t('Forward graph')}\n\n{legend}\n```\n\n"


class AsciiDoc(Outlined):
    """AsciiDoc, with `stem` formulas in LaTeX."""

    def text(self, plain: str) -> str:
        return MARKS.sub(lambda found: f"&#{ord(found[0])};", plain)

    def math(self, formula: str) -> str:
        line = super().math(formula)[1:-1]
        return f"latexmath:[{line.replace(']', chr(92) + ']')}]"

    def strong(self, content: str) -> str:
        return f"**{content}**"

    def small(self, content: str) -> str:
        return f"__{content}__"

    def heading(self, level: int, content: str) -> str:
        return f"\n\n{'=' * self.level(level)} {content}\n\n"

    def block(self, formula: str) -> str:
        return f"\n\n[latexmath]\n++++\n{formula}\n++++\n\n"

    def items(self, rows: Sequence[str]) -> str:
        return "\n\n" + "\n".join(f"* {row}" for row in rows) + "\n\n"

    def verbatim(self, code: str) -> str:
        return f"`{self.text(code)}`"

    def lines(self, *parts: str) -> str:
        return " +\n".join(p for p in parts if p)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], prose: float = 0.0) -> str:
        columns = ",".join(["<"] * len(head))
        lines = [" ".join(f"|{cell}" for cell in row) for row in (head, *rows)]
        body = "\n".join([lines[0], "", *lines[1:]])
        return f'\n\n[%autowidth,cols="{columns}",options="header"]\n|===\n{body}\n|===\n\n'

    def code(self, source: str, name: str) -> str:
        return f"\n\n[source,{name}]\n----\n{source.rstrip()}\n----\n\n"

    def picture(self, drawing: str, legend: str) -> str:
        caption = f".{legend}\n" if legend else ""
        return f"\n\n{caption}image::{drawing}[{self.t('Forward graph')}]\n\n"
