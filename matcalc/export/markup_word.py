"""The markup of Word: paragraphs, tables, lists and formulas of WordprocessingML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape, unescape
from itertools import count

from matcalc.export.markup import CELL, Markup
from matcalc.export.word import allowed
from matcalc.export.word_display import GAP, display
from matcalc.export.word_math import lines, office_math
from matcalc.languages import Language
from matcalc.printing.breaking import displayed
from matcalc.printing.formula import formula as read

PIECE = re.compile(r"(<w:r>.*?</w:r>|<m:oMath>.*?</m:oMath>)", re.DOTALL)
TAG = re.compile(r"<[^>]*>|\s")
ID = re.compile(r'(<wp:docPr|<wps:cNvPr) id="\d+"')
ORDER = ("<w:rStyle", "<w:b/>", "<w:bCs/>", "<w:i/>")  # in which Word wants the properties of a run
BREAK = "<w:r><w:br/></w:r>"
WIDTH = 9185  # of the text, in twentieths of a point
LINES = '<w:{0} w:val="single" w:sz="{1}" w:space="0" w:color="auto"/>'


class Word(Markup):
    """WordprocessingML; what stands in a line is runs and formulas, and bare words that a template puts between."""

    pictures = "word"
    line = 34.0  # its letters are wider than those of LaTeX

    def __init__(self, language: Language) -> None:
        super().__init__(language)
        self.numbers = count(1)  # of what is drawn: no two have the same in a document

    def text(self, plain: str) -> str:
        shown = escape(allowed(plain), quote=False)
        return f'<w:r><w:t xml:space="preserve">{shown}</w:t></w:r>' if shown else ""

    def math(self, formula: str) -> str:
        return office_math(formula)

    def tall(self, formula: str, line: float = CELL) -> str:
        return BREAK.join("".join(columns) for columns in lines(read(displayed(formula, line))))

    def strong(self, content: str) -> str:
        return self.marked(self.marked(content, "<w:b/>"), "<w:bCs/>")

    def small(self, content: str) -> str:
        return self.marked(content, '<w:rStyle w:val="Remark"/>')

    def verbatim(self, code: str) -> str:
        return self.marked(self.text(code), '<w:rStyle w:val="Verbatim"/>')

    def marked(self, content: str, mark: str) -> str:
        """The content with one more property on each of its runs."""
        pieces = []
        for piece in PIECE.split(self.runs(content)):
            if piece.startswith("<w:r>"):
                inner = piece.removeprefix("<w:r>")
                before = re.match(r"<w:rPr>(.*?)</w:rPr>", inner)
                found = re.findall(r"<[^>]*>", before[1]) if before else []
                marks = sorted({*found, mark}, key=lambda m: next(k for k, o in enumerate(ORDER) if m.startswith(o)))
                piece = f"<w:r><w:rPr>{''.join(marks)}</w:rPr>{inner[before.end() :] if before else inner}"
            pieces.append(piece)
        return "".join(pieces)

    def runs(self, content: str) -> str:
        """The content with its bare words as runs."""
        pieces = PIECE.split(content)
        return "".join(p if k % 2 else self.text(p) for k, p in enumerate(pieces))

    def styled(self, style: str, content: str, more: str = "") -> str:
        """A paragraph in a style."""
        return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{more}</w:pPr>{self.runs(content)}</w:p>\n'

    def heading(self, level: int, content: str) -> str:
        """A heading; 1 is the title."""
        return self.styled("Title" if level == 1 else f"Heading{level - 1}", content)

    def paragraph(self, content: str) -> str:
        return f"<w:p>{self.runs(content)}</w:p>\n"

    def lead(self, content: str) -> str:
        return f"<w:p><w:pPr><w:keepNext/></w:pPr>{self.runs(content)}</w:p>\n"

    def block(self, formula: str) -> str:
        return display(formula)

    def items(self, rows: Sequence[str]) -> str:
        number = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
        return "".join(self.styled("ListBullet", row, number) for row in rows)

    def lines(self, *parts: str) -> str:
        return BREAK.join(p for p in parts if p)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], prose: float = 0.0) -> str:
        widths = [max(map(_breadth, column)) for column in zip(head, *rows)]
        if prose:
            widths[-1] = round(prose * WIDTH)
        scale = min(1.0, WIDTH / sum(widths))
        widths = [round(width * scale) for width in widths]
        grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
        edges = LINES.format("top", 8) + LINES.format("bottom", 8)
        properties = (
            f'<w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblBorders>{edges}</w:tblBorders></w:tblPr>'
        )
        line = f"<w:tcBorders>{LINES.format('bottom', 4)}</w:tcBorders>"
        top = self._cells([self.strong(cell) for cell in head], widths, line)
        body = "".join(f"<w:tr>{self._cells(row, widths)}</w:tr>\n" for row in rows)
        header = f"<w:tr><w:trPr><w:tblHeader/></w:trPr>{top}</w:tr>\n"
        return f"<w:tbl>{properties}<w:tblGrid>{grid}</w:tblGrid>\n{header}{body}</w:tbl>\n<w:p/>\n"

    def _cells(self, cells: Sequence[str], widths: Sequence[int], more: str = "") -> str:
        written = []
        for cell, width in zip(cells, widths):
            size = f'<w:tcW w:w="{width}" w:type="dxa"/>'
            written.append(f"<w:tc><w:tcPr>{size}{more}</w:tcPr>{self.styled('Cell', cell).strip()}</w:tc>")
        return "".join(written)

    def code(self, source: str, name: str) -> str:
        lines = source.rstrip().splitlines()
        return "".join(self.styled("Code", self.text(line)) for line in lines) + GAP

    def picture(self, drawing: str, legend: str) -> str:
        drawing = ID.sub(lambda found: f'{found[1]} id="{next(self.numbers)}"', drawing)
        middle = '<w:pPr><w:jc w:val="center"/></w:pPr>'
        return f"<w:p>{middle}{drawing}</w:p>\n" + (self.paragraph(self.small(legend)) if legend else "")


def _breadth(cell: str) -> int:
    """How wide the widest line of a cell is, estimated by its characters, in twentieths of a point."""
    lines = cell.split("<w:br/>")
    longest = max(len(unescape(TAG.sub("", line))) + 2 * line.count("<m:d>") for line in lines)
    return 160 * longest + 460
