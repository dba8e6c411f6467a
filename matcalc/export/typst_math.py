"""Formulas in Typst's own notation, from their trees: `frac(∂ J, ∂ W_2) = h^⊤ (hat(y) - y)`."""

from __future__ import annotations

import re

from matcalc.export.markup import FOREIGN
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

KNOWN = {
    "arccos", "arcsin", "arctan", "arg", "cos", "cosh", "cot", "coth", "csc", "deg", "det", "dim", "exp", "gcd", "hom",
    "inf", "ker", "lim", "ln", "log", "max", "min", "Pr", "sec", "sin", "sinh", "sup", "tan", "tanh",
}  # fmt: skip
STYLES = {
    "bolditalic": "bold", "script": "cal", "sans": "sans", "mono": "mono", "double": "bb", "fraktur": "frak",
    "italic": "italic",
}  # fmt: skip
MARKS = {
    "hat": "hat", "bar": "macron", "tilde": "tilde", "dot": "dot", "ddot": "dot.double", "vec": "arrow",
    "check": "caron", "breve": "breve", "acute": "acute", "grave": "grave",
    "overline": "overline", "underline": "underline",
}  # fmt: skip
SPACES = {0.17: "thin", 0.22: "med", 0.28: "thick", 1.0: "quad", 2.0: "wide", 0.33: "space"}
SPECIAL_TEXT = re.compile(r"""[\\#$*_`<>@\[\]~"']|--+|//|(?<=/)\*|^[-+=/](?= )""", re.MULTILINE)
SPECIAL = set("\\#$\"'/_^&*~`@|")
PAIRS = {("|", "|"): "abs", ("‖", "‖"): "norm", ("⌊", "⌋"): "floor", ("⌈", "⌉"): "ceil"}
SIGNS = {
    "−": "-",
    "∗": "*",
    "⋅": "dot",
    "…": "dots.h",
    "∣": "divides",
    "⋯": "dots.h.c",
    "⋮": "dots.v",
    "⋱": "dots.down",
}


PRIME = Row((Sign("′", "plain"),))


def typst(latex: str) -> str:
    r"""A formula of a page in Typst, without the dollars around it.

    Raises:
        MatcalcError: the formula has a command that is not known.

    Example:
        >>> typst(r"\frac{\partial f}{\partial X} = A^\top B^\top")
        'frac(∂ f, ∂ X) = A^⊤ B^⊤'
    """
    return _row(formula(latex), inside=False)


def _row(row: Row, *, inside: bool) -> str:
    """Items side by side; `inside` the arguments of a function commas are no separators."""
    written = ""
    joins = True  # the next piece follows without a blank, which would be seen beside words in quotation marks
    for k, item in enumerate(row.items):
        piece = _arguments(item, inside) if k and _is_function(row.items[k - 1]) else _item(item, inside)
        quoted = piece.startswith('"') and piece.endswith('"')
        if not joins and not isinstance(item, Space) and (quoted or (isinstance(item, Sign) and item.text in ",;")):
            joins = not written.endswith(("thin", "med", "thick", "quad", "wide", "space"))
        written += piece if joins else f" {piece}"
        joins = quoted or written in ("-", "+")
    return written


def _is_function(item: Item) -> bool:
    base = item.base if isinstance(item, Scripts) else item
    return isinstance(base, Word) and base.function


def _arguments(item: Item, inside: bool) -> str:
    """What follows a function: an exponent behind its bracket leaves no room between them."""
    if not isinstance(item, Scripts) or not isinstance(item.base, Fenced) or _is_tall(item.base.content):
        return _item(item, inside)
    fenced = item.base
    close = _scripts(Scripts(Bracket(fenced.right, True, 0.0), item.below, item.above), inside)
    return f"\\{fenced.left}{_row(fenced.content, inside=inside)}{close}"


def _is_tall(row: Row) -> bool:
    return any(isinstance(item, (Fraction, Table, Root)) or _within(item) for item in row.items)


def _within(item: Item) -> bool:
    match item:
        case Fenced() | Styled() | Accent() | Boxed():
            return _is_tall(item.content)
        case Scripts():
            return _within(item.base) or isinstance(item.base, Fraction)
        case Row():
            return _is_tall(item)
        case Sign():
            return item.kind == "large"
    return False


def _item(item: Item, inside: bool) -> str:
    match item:
        case Sign():
            return _sign(item, inside)
        case Word():
            return _word(item)
        case Said():
            return "".join(_words(p) if isinstance(p, str) else _row(p, inside=inside) for p in item.parts)
        case Space():
            return SPACES.get(round(item.em, 2)) or f"#h({item.em:.3g}em)"
        case Bracket():
            return rf"lr(size: #{item.size}em, \{item.text})" if item.size else rf"\{item.text}"
        case Fenced():
            return _fenced(item, inside)
        case Scripts():
            return _scripts(item, inside)
        case Row():
            return _row(item, inside=inside)
        case Table():
            return _table(item, inside)
    return _call(item)


def _call(item: Item) -> str:
    """The items that are functions in Typst."""
    match item:
        case Fraction():
            whole = f"frac({_row(item.above, inside=True)}, {_row(item.below, inside=True)})"
            return f"inline({whole})" if item.small else whole
        case Root():
            return f"sqrt({_row(item.content, inside=True)})"
        case Boxed():
            return f"boxed({_row(item.content, inside=True)})"
        case Accent():
            content = _row(item.content, inside=True)
            mark = MARKS[item.mark]
            return (
                f"{mark}({content})"
                if mark in ("hat", "tilde", "dot", "overline", "underline")
                else (f"accent({content}, {mark})")
            )
        case Styled():
            content = _row(item.content, inside=True)
            return f"upright(bold({content}))" if item.style == "bold" else f"{STYLES[item.style]}({content})"
    raise AssertionError(item)


def _sign(sign: Sign, inside: bool) -> str:
    text = SIGNS.get(sign.text, sign.text)
    if text in ",;" and not inside:
        return text
    return f"\\{text}" if text in SPECIAL or text in ",;" else text


def _word(word: Word) -> str:
    if not word.function:
        return f"upright({word.text})" if len(word.text) == 1 and word.text.isalpha() else _quoted(word.text)
    if word.text in KNOWN:
        return word.text
    return f"op({_quoted(word.text)}{', limits: #true' if word.limits else ''})"


def _words(text: str) -> str:
    """Words of a language; those of a script whose letters join are set as text, not as mathematics."""
    return f"#box[{escaped(text)}]" if FOREIGN.search(text) else _quoted(text)


def escaped(plain: str) -> str:
    """Plain text in Typst's markup."""
    return SPECIAL_TEXT.sub(lambda found: "".join(f"\\{c}" for c in found[0]), plain)


def _quoted(text: str) -> str:
    shielded = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{shielded}"'


def _fenced(item: Fenced, inside: bool) -> str:
    pair = PAIRS.get((item.left, item.right))
    if pair and not item.size:
        return f"{pair}({_row(item.content, inside=True)})"
    if item.size:
        return rf"lr(size: #{item.size}em, \{item.left} {_row(item.content, inside=True)} \{item.right})"
    content = _row(item.content, inside=inside)
    if item.left in "([{⟨⌊⌈" and item.right in ")]}⟩⌋⌉" and item.left and item.right:
        return f"{item.left}{content}{item.right}"
    left, right = (f"\\{b}" if b else "" for b in (item.left, item.right))
    return f"lr({left} {_row(item.content, inside=True)} {right})"


def _scripts(item: Scripts, inside: bool) -> str:
    base = item.base
    while isinstance(base, Row) and len(base.items) == 1:
        base = base.items[0]
    plain = isinstance(base, (Sign, Word, Fenced, Accent, Styled, Bracket, Boxed)) or (
        isinstance(base, Row) and not base.items
    )
    if plain and item.above == PRIME and item.below is None:
        return f"{_item(base, inside)}'"
    if plain:
        written = _item(base, inside) or '""'
        below = f"_{_script(item.below)}" if item.below else ""
        return f"{written}{below}{f'^{_script(item.above)}' if item.above else ''}"
    parts = [_item(base, True)]
    parts += [f"b: {_row(item.below, inside=True)}"] if item.below else []
    parts += [f"t: {_row(item.above, inside=True)}"] if item.above else []
    return f"attach({', '.join(parts)})"


def _script(row: Row) -> str:
    only = row.items[0] if len(row.items) == 1 else None
    if isinstance(only, Sign) and only.text not in SIGNS and only.text not in SPECIAL and only.kind != "punctuation":
        return only.text
    return f"({_row(row, inside=True)})"


def _table(table: Table, inside: bool) -> str:
    if table.kind in ("aligned", "gathered", "array"):
        return " \\\n".join("& ".join(_row(cell, inside=inside) for cell in row) for row in table.rows)
    rows = [[_row(cell, inside=True) or '""' for cell in row] for row in table.rows]
    if table.kind == "cases":
        return f"cases({', '.join(' & '.join(row) for row in rows)})"
    delimiter = '"["' if table.kind == "bmatrix" else "#none"
    return f"mat(delim: {delimiter}, {'; '.join(', '.join(row) for row in rows)})"
