"""The markup of Typst: notes that become PDF without TeX."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from matcalc.export.markup import CELL, Markup
from matcalc.export.picture import PRINTED
from matcalc.export.typst_math import escaped, typst
from matcalc.printing.breaking import displayed

FENCE = re.compile("`+")
SHORT = 45  # lines of a listing that stands on one page
WHOLE = 16  # rows of a table that stands on one page


class Typst(Markup):
    """Typst's own markup, with formulas in its own notation; `note.typ.jinja` defines `boxed`, `remark`, `drawing`."""

    columns = PRINTED

    def text(self, plain: str) -> str:
        return escaped(plain)

    def quoted(self, plain: str) -> str:
        """A string of code."""
        return quoted(plain)

    def math(self, formula: str) -> str:
        return f"${typst(formula)}$"

    def tall(self, formula: str, line: float = CELL) -> str:
        """Of several lines the first stands beside the bullet or in the row of the table, by a box around them."""
        shown = displayed(formula, line)
        written = typst(shown)
        if "\n" in shown:
            return f"#box($ {written} $)"
        return f"#box(inset: (y: 0.3em), $display({written})$)" if r"\frac" in shown else f"$display({written})$"

    def strong(self, content: str) -> str:
        return f"#strong[{content}]"

    def small(self, content: str) -> str:
        return f"#remark[{content}]"

    def heading(self, level: int, content: str) -> str:
        """A heading; the title of the document is no heading."""
        return f"\n\n{'=' * max(level - 1, 1)} {content}\n\n"

    def paragraph(self, content: str) -> str:
        return f"\n\n{content}\n\n"

    def lead(self, content: str) -> str:
        return f"\n\n#lead[{content}]\n\n"

    def block(self, formula: str) -> str:
        return f"\n\n$ {typst(formula)} $\n\n"

    def result(self, made: Callable[[float], str]) -> str:
        """Formulas stay with what follows, all but the last: the frame."""
        return f"\n\n#result[$ {typst(made(self.line))} $]\n\n"

    def items(self, rows: Sequence[str]) -> str:
        return "\n\n" + "\n".join(f"- {row}" for row in rows) + "\n\n"

    def verbatim(self, code: str) -> str:
        return f"#raw({quoted(code)})"

    def lines(self, *parts: str) -> str:
        return " \\\n  ".join(p for p in parts if p)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], prose: float = 0.0) -> str:
        columns = ", ".join(["auto"] * (len(head) - 1) + [f"{100 * prose:.0f}%" if prose else "auto"])
        top = "".join(f"[{self.strong(cell) if cell else ''}], " for cell in head)
        body = "\n".join("  " + "".join(f"[{cell}], " for cell in row).rstrip() for row in rows)
        head_row = f"  table.hline(), table.header({top.removesuffix(', ')}), table.hline(stroke: 0.5pt),"
        table = "whole" if len(rows) <= WHOLE else "table"
        tall = any("frac(" in cell for row in rows for cell in row)
        columns += "," if len(head) == 1 else ""
        sizes = f"columns: ({columns}), {'' if tall or not prose else 'align: left + top, '}\n{head_row}"
        return f"\n\n#{table}({sizes}\n{body}\n  table.hline())\n\n"

    def code(self, source: str, name: str) -> str:
        fence = _fence(source)
        listing = f"{fence}{name}\n{source.rstrip()}\n{fence}"
        if source.count("\n") < SHORT:
            listing = f"#block(breakable: false)[\n{listing}\n]"
        return f"\n\n{listing}\n\n"

    def picture(self, drawing: str, legend: str) -> str:
        """A picture of the graph, as SVG inside the text."""
        fence = _fence(drawing)
        return f"\n\n#drawing({fence}svg\n{drawing}\n{fence}.text, {quoted(self.t('Forward graph'))}, [{legend}])\n\n"


def quoted(text: str) -> str:
    """A string of Typst's code."""
    shielded = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{shielded}"'


def _fence(text: str) -> str:
    return "`" * max(3, 1 + max((len(ticks) for ticks in FENCE.findall(text)), default=0))
