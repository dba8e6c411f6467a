"""Formulas in Office Math, from their trees: what Word and LibreOffice set and edit as their own equations."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from matcalc.printing.formula import (
    Accent,
    Boxed,
    Bracket,
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

FONT = '<w:rPr><w:rFonts w:ascii="Cambria Math" w:hAnsi="Cambria Math"/></w:rPr>'
UPRIGHT, BOLD, BOLD_ITALIC, WORDS = '<m:sty m:val="p"/>', '<m:sty m:val="b"/>', '<m:sty m:val="bi"/>', "<m:nor/>"
STYLES = {
    "bold": BOLD,
    "bolditalic": BOLD_ITALIC,
    "script": f'<m:scr m:val="script"/>{UPRIGHT}',
    "sans": f'<m:scr m:val="sans-serif"/>{UPRIGHT}',
    "mono": f'<m:scr m:val="monospace"/>{UPRIGHT}',
    "double": f'<m:scr m:val="double-struck"/>{UPRIGHT}',
    "fraktur": f'<m:scr m:val="fraktur"/>{UPRIGHT}',
    "italic": "",
}
MARKS = {
    "hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307", "ddot": "\u0308", "vec": "\u20d7",
    "check": "\u030c", "breve": "\u0306", "acute": "\u0301", "grave": "\u0300",
}  # fmt: skip
SPACES = ((1.0, "\u2003"), (0.5, "\u2002"), (0.3, "\u2004"), (0.25, "\u2005"), (0.1, "\u2009"))
ENDS_TERM = {"+", "−", "±"}  # what ends the summand of a sum
READ_OTHERWISE = set("|&#%~_^{}:/\\\"'′")  # LibreOffice would take them for commands: they are set as words


def office_math(latex: str) -> str:
    r"""A formula of a page as an `oMath` element.

    Raises:
        MatcalcError: the formula has a command that is not known.

    Example:
        >>> office_math("x").count("<m:t")
        1
    """
    return omath(formula(latex))


PRIME = Sign("′", "plain")
THIN = f'<m:r><m:rPr>{WORDS}</m:rPr>{FONT}<m:t xml:space="preserve">\u2009</m:t></m:r>'


def lines(row: Row) -> list[tuple[str, ...]]:
    """The lines of a formula, each with its columns, as `oMath` elements; one line where nothing is aligned."""
    items = [item for item in row.items if not isinstance(item, Space)]
    if len(items) == 1 and isinstance(items[0], Table) and items[0].kind in ("aligned", "gathered"):
        return [tuple(omath(cell) for cell in cells) for cells in items[0].rows]
    return [(omath(row),)]


def omath(row: Row) -> str:
    """A row as an `oMath` element; empty for an empty row."""
    return f"<m:oMath>{_row(row, '')}</m:oMath>" if row.items else ""


def _run(text: str, style: str) -> str:
    properties = f"<m:rPr>{style}</m:rPr>" if style else ""
    return f'<m:r>{properties}{FONT}<m:t xml:space="preserve">{escape(text)}</m:t></m:r>'


def _row(row: Row, style: str) -> str:
    return _items(row.items, style)


def _items(items: Sequence[Item], style: str) -> str:
    """Items side by side; a sum takes what follows it as its summand.

    LibreOffice wants an operand on both sides of a relation: a thin blank is one, where a line is broken.
    """
    written = [THIN] if items and _needs_left(items[0]) else []
    for k, item in enumerate(items):
        large = _large(item)
        if large is not None:
            end = next((j for j in range(k + 1, len(items)) if _ends_term(items[j])), len(items))
            below, above = (item.below, item.above) if isinstance(item, Scripts) else (None, None)
            written.append(_sum(large.text, below, above, _items(items[k + 1 : end], style), style))
            return "".join([*written, _items(items[end:], style)])
        if _is_function(item) and k and not isinstance(items[k - 1], (Space, Bracket)) and not _separates(items[k - 1]):
            written.append(THIN)
        written.append(_item(item, style))
        if _is_function(item) and k + 1 < len(items) and not _opens(items[k + 1]):
            written.append(THIN)
    if items and _separates(items[-1]) and not _is_punctuation(items[-1]):
        written.append(THIN)
    return "".join(written)


def _large(item: Item) -> Sign | None:
    base = item.base if isinstance(item, Scripts) else item
    return base if isinstance(base, Sign) and base.kind == "large" else None


def _ends_term(item: Item) -> bool:
    return isinstance(item, Sign) and (item.kind in ("relation", "punctuation") or item.text in ENDS_TERM)


def _separates(item: Item) -> bool:
    return isinstance(item, Sign) and item.kind in ("relation", "binary", "punctuation", "large")


def _opens(item: Item) -> bool:
    base = item.base if isinstance(item, Scripts) else item
    return isinstance(base, (Fenced, Bracket, Space))


def _is_punctuation(item: Item) -> bool:
    return isinstance(item, Sign) and item.kind == "punctuation"


BOLD_LETTERS = (  # first and last, and where their bold and bold italic forms begin: LibreOffice knows no bold runs
    ("A", "Z", 0x1D400, 0x1D468),
    ("a", "z", 0x1D41A, 0x1D482),
    ("0", "9", 0x1D7CE, 0x1D7CE),
    ("Α", "Ω", 0x1D6A8, 0x1D71C),
    ("α", "ω", 0x1D6C2, 0x1D736),
)


def bold(text: str, *, italic: bool) -> str:
    """Letters and digits as the bold ones of mathematics."""
    return "".join(
        next(
            (
                chr((slanted if italic else upright) + ord(c) - ord(first))
                for first, last, upright, slanted in BOLD_LETTERS
                if first <= c <= last
            ),
            c,
        )
        for c in text
    )


def _needs_left(item: Item) -> bool:
    return _separates(item) and isinstance(item, Sign) and item.text not in "+−,;" and item.kind != "large"


def _is_function(item: Item) -> bool:
    base = item.base if isinstance(item, Scripts) else item
    return isinstance(base, Word) and base.function


def _sum(sign: str, below: Row | None, above: Row | None, summand: str, style: str) -> str:
    hidden = "".join(f'<m:{name}Hide m:val="1"/>' for name, row in (("sub", below), ("sup", above)) if row is None)
    properties = f'<m:naryPr><m:chr m:val="{sign}"/><m:limLoc m:val="undOvr"/>{hidden}</m:naryPr>'
    sub, sup = (_row(row, style) if row else "" for row in (below, above))
    return f"<m:nary>{properties}<m:sub>{sub}</m:sub><m:sup>{sup}</m:sup><m:e>{summand}</m:e></m:nary>"


def _item(item: Item, style: str) -> str:
    match item:
        case Sign():
            if item.text in READ_OTHERWISE:
                return _run(item.text, WORDS)
            if item.kind not in ("letter", "number"):
                return _run(item.text, "")
            return (
                _run(bold(item.text, italic=style == BOLD_ITALIC), UPRIGHT if style == BOLD else "")
                if style in (BOLD, BOLD_ITALIC)
                else _run(item.text, style)
            )
        case Bracket():
            return _run(item.text, WORDS)
        case Word():
            if style in (BOLD, BOLD_ITALIC):
                return _run(bold(item.text, italic=False), WORDS)
            return _run(item.text, style if "scr" in style else WORDS)
        case Said():
            return "".join(_run(p, WORDS) if isinstance(p, str) else _row(p, style) for p in item.parts)
        case Space():
            return _space(item.em)
        case Row():
            return _row(item, style)
        case Styled():
            return _row(item.content, STYLES[item.style])
        case Scripts():
            return _scripts(item, style)
        case Table():
            return _table(item, style)
    return _structure(item, style)


def _structure(item: Item, style: str) -> str:
    match item:
        case Fraction():
            return f"<m:f><m:num>{_row(item.above, style)}</m:num><m:den>{_row(item.below, style)}</m:den></m:f>"
        case Root():
            head = '<m:radPr><m:degHide m:val="1"/></m:radPr><m:deg/>'
            return f"<m:rad>{head}<m:e>{_row(item.content, style)}</m:e></m:rad>"
        case Boxed():
            return f"<m:borderBox><m:e>{_row(item.content, style)}</m:e></m:borderBox>"
        case Fenced():
            return _fenced(item.left, item.right, _row(item.content, style))
        case Accent():
            content = f"<m:e>{_row(item.content, style)}</m:e>"
            if item.mark in ("overline", "underline"):
                place = "top" if item.mark == "overline" else "bot"
                return f'<m:bar><m:barPr><m:pos m:val="{place}"/></m:barPr>{content}</m:bar>'
            return f'<m:acc><m:accPr><m:chr m:val="{MARKS[item.mark]}"/></m:accPr>{content}</m:acc>'
    raise AssertionError(item)


def _fenced(left: str, right: str, content: str) -> str:
    ends = f'<m:begChr m:val="{escape(left)}"/><m:endChr m:val="{escape(right)}"/>'
    return f"<m:d><m:dPr>{ends}</m:dPr><m:e>{content}</m:e></m:d>"


def _space(em: float) -> str:
    text = ""
    while em >= 0.1:
        size, character = next((s, c) for s, c in SPACES if em >= s)
        text += character
        em -= max(size, 0.16)
    return _run(text, WORDS) if text else ""


def _scripts(item: Scripts, style: str) -> str:
    above = item.above.items if item.above else ()
    if above and all(i == PRIME for i in above):  # primes are raised already
        base = _scripts(Scripts(item.base, item.below, None), style) if item.below else _item(item.base, style)
        return base + _run("′" * len(above), WORDS)
    base = f"<m:e>{_item(item.base, style)}</m:e>"
    sub, sup = (f"<m:{n}>{_row(r, style)}</m:{n}>" if r else "" for n, r in (("sub", item.below), ("sup", item.above)))
    if isinstance(item.base, Word) and item.base.limits and item.below and not item.above:
        return f"<m:limLow>{base}<m:lim>{_row(item.below, style)}</m:lim></m:limLow>"
    name = {(True, False): "sSub", (False, True): "sSup"}.get((bool(sub), bool(sup)), "sSubSup")
    return f"<m:{name}>{base}{sub}{sup}</m:{name}>"


def _table(table: Table, style: str) -> str:
    count = max(map(len, table.rows))
    sides = (
        ["right", "left"] * count
        if table.kind == "aligned"
        else ["left" if table.kind == "cases" else "center"] * count
    )
    columns = "".join(
        f'<m:mc><m:mcPr><m:count m:val="1"/><m:mcJc m:val="{side}"/></m:mcPr></m:mc>' for side in sides[:count]
    )
    body = "".join(
        "<m:mr>"
        + "".join(f"<m:e>{_row(cell, style)}</m:e>" for cell in (*row, *[Row(())] * (count - len(row))))
        + "</m:mr>"
        for row in table.rows
    )
    matrix = f"<m:m><m:mPr><m:mcs>{columns}</m:mcs></m:mPr>{body}</m:m>"
    left, right = {"bmatrix": ("[", "]"), "cases": ("{", "")}.get(table.kind, ("", ""))
    return _fenced(left, right, matrix) if left else matrix
