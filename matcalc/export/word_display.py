"""Displays in a Word document: aligned lines and frames as tables, each cell an equation of its own.

Word knows equation arrays and framed equations, LibreOffice does not: tables are set alike by both.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

from matcalc.export.markup import FOREIGN
from matcalc.export.word_math import omath
from matcalc.printing.formula import (
    Accent,
    Boxed,
    Fenced,
    Fraction,
    Item,
    Root,
    Row,
    Said,
    Scripts,
    Sign,
    Space,
    Styled,
    Table,
    Word,
    formula,
)

EM = 235  # twentieths of a point
LINE = 9185  # of the text
GAP = '<w:p><w:pPr><w:pStyle w:val="Gap"/></w:pPr></w:p>\n'
KEPT = GAP.replace("/></w:pPr>", "/><w:keepNext/></w:pPr>")
FRAME = "".join(
    f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="auto"/>' for side in ("top", "left", "bottom", "right")
)
Cell = tuple[str, float, bool]  # its paragraphs, its width in em, whether it has a frame


def display(latex: str) -> str:
    """A formula on lines of its own."""
    return _displayed(formula(latex))


def _displayed(row: Row) -> str:
    table = _only_table(row)
    if table is not None and table.kind == "gathered":
        return "".join(_displayed(Row(tuple(i for cell in cells for i in cell.items))) for cells in table.rows)
    if table is not None and table.kind == "aligned":
        return _aligned(table)
    if any(isinstance(item, Boxed) for item in row.items):
        return _grid([[_part(part) for part in _parts(row)]])
    return paragraph(row, "center", "Display")


def _only_table(row: Row) -> Table | None:
    items = [item for item in row.items if not isinstance(item, Space)]
    return items[0] if len(items) == 1 and isinstance(items[0], Table) else None


def paragraph(row: Row, side: str, style: str = "Line") -> str:
    """A paragraph that is one equation, in display style."""
    place = f'<w:pPr><w:pStyle w:val="{style}"/><w:jc w:val="{side}"/></w:pPr>'
    if not row.items:
        return f"<w:p>{place}</w:p>\n"
    if _is_said(row):
        return f"<w:p>{place}{_sentence(row)}</w:p>\n"
    properties = f'<m:oMathParaPr><m:jc m:val="{side}"/></m:oMathParaPr>'
    return f"<w:p>{place}<m:oMathPara>{properties}{omath(row)}</m:oMathPara></w:p>\n"


def _is_said(row: Row) -> bool:
    """Whether it is a sentence with formulas in it; so are lines with words whose letters join, as those of Hindi."""
    said = [item for item in row.items if isinstance(item, Said)]
    first = next((item for item in row.items if not isinstance(item, Space)), None)
    joined = any(FOREIGN.search(part) for item in said for part in item.parts if isinstance(part, str))
    return isinstance(first, Said) or joined


def _sentence(row: Row) -> str:
    """Words as runs of text, with equations between them."""
    parts: list[str | Row] = []
    for is_said, group in groupby(row.items, lambda item: isinstance(item, Said)):
        if is_said:
            parts += [part for item in group if isinstance(item, Said) for part in item.parts]
        else:
            parts.append(Row(tuple(group)))
    return "".join(
        f'<w:r><w:t xml:space="preserve">{escape(part, quote=False)}</w:t></w:r>'
        if isinstance(part, str)
        else omath(part)
        for part in parts
    )


def _aligned(table: Table) -> str:
    """A row of cells for each line; the first column ends where the others begin."""
    count = max(map(len, table.rows))
    columns = [k for k in range(count) if any(k < len(cells) and cells[k].items for cells in table.rows)]
    rows = [
        [
            (
                paragraph(cells[k] if k < len(cells) else Row(()), "left" if k % 2 else "right"),
                _breadth(cells[k]),
                False,
            )
            if k < len(cells)
            else (paragraph(Row(()), "left"), 0.0, False)
            for k in columns
        ]
        for cells in table.rows
    ]
    return _grid(rows)


def _parts(row: Row) -> list[list[Item]]:
    """Frames and room between them each by itself, what else follows together."""
    parts: list[list[Item]] = []
    for alone, group in groupby(row.items, lambda item: isinstance(item, (Boxed, Space)) and not _is_thin(item)):
        items = list(group)
        parts += [[item] for item in items] if alone else [items]
    return parts


def _is_thin(item: Item) -> bool:
    return isinstance(item, Space) and item.em < 0.5


def _part(items: list[Item]) -> Cell:
    first = items[0]
    if isinstance(first, Boxed):
        table = _only_table(first.content)
        rows = (
            [first.content]
            if table is None
            else [Row(tuple(i for c in cells for i in c.items)) for cells in table.rows]
        )
        side = "center" if table is None else "left"
        return "".join(paragraph(row, side) for row in rows), max(map(_breadth, rows)) + 1.4, True
    if isinstance(first, Space):
        return GAP, first.em, False
    row = Row(tuple(items))
    return paragraph(row, "left"), _breadth(row) + 0.6, False


def _grid(rows: Sequence[Sequence[Cell]]) -> str:
    """Rows of cells in the middle of the page."""
    count = max(map(len, rows))
    widths = [max(row[k][1] for row in rows if k < len(row)) for k in range(count)]
    scale = min(1.0, LINE / EM / max(sum(widths) + 0.8 * count, 1.0))
    sizes = [round((width + 0.8) * scale * EM) for width in widths]
    written = []
    for row in rows:
        cells = []
        for (content, _, framed), size in zip(row, sizes):
            borders = f"<w:tcBorders>{FRAME}</w:tcBorders>" if framed else ""
            properties = f'<w:tcPr><w:tcW w:w="{size}" w:type="dxa"/>{borders}<w:vAlign w:val="center"/></w:tcPr>'
            cells.append(f"<w:tc>{properties}{content.rstrip()}</w:tc>")
        written.append(f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{''.join(cells)}</w:tr>\n")
    margins = '<w:tblCellMar><w:left w:w="40" w:type="dxa"/><w:right w:w="40" w:type="dxa"/></w:tblCellMar>'
    properties = f'<w:tblPr><w:tblW w:w="{sum(sizes)}" w:type="dxa"/><w:jc w:val="center"/>{margins}</w:tblPr>'
    grid = "".join(f'<w:gridCol w:w="{size}"/>' for size in sizes)
    after = GAP if any(framed for row in rows for _, _, framed in row) else KEPT  # a chain stays with its frame
    return f"{KEPT}<w:tbl>{properties}<w:tblGrid>{grid}</w:tblGrid>\n{''.join(written)}</w:tbl>\n{after}"


def _breadth(row: Row) -> float:
    """How wide a row is, in em, estimated; rather too wide than too narrow."""
    return 1.06 * sum(map(_width, row.items))


def _width(item: Item) -> float:
    match item:
        case Sign():
            return {"binary": 1.1, "relation": 1.3}.get(item.kind, 0.75 if item.text.isupper() else 0.6) * len(
                item.text
            )
        case Word():
            return 0.58 * len(item.text) + (0.8 if item.function else 0.2)
        case Said():
            return sum(0.55 * len(part) if isinstance(part, str) else _breadth(part) for part in item.parts)
        case Space():
            return max(item.em, 0.5)  # LibreOffice has no thin blanks
        case Row():
            return _breadth(item)
        case Fraction():
            return max(_breadth(item.above), _breadth(item.below)) + 0.4
        case Scripts():
            scripts = max(_breadth(row) for row in (item.below, item.above) if row is not None)
            return _width(item.base) + 0.72 * scripts
        case Fenced():
            return _breadth(item.content) + 1.0
        case Root() | Accent() | Styled() | Boxed():
            return _breadth(item.content) + 0.4
        case Table():
            return max(sum(map(_breadth, cells)) + 1.0 * len(cells) for cells in item.rows)
    return 0.5
