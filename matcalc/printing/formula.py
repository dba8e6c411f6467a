r"""Formulas as trees: what stands on a page in LaTeX, taken apart for notations that are not LaTeX (Typst, Word).

All pages make their formulas from one vocabulary of LaTeX, which every renderer knows. The reader here knows exactly
that vocabulary: a command that is not in its tables is an error and is never left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from matcalc.errors import MatcalcError
from matcalc.printing.signs import ACCENTS, BRACKETS, FUNCTIONS, LIMITS, SIGNS, SPACES, STYLES, plain_sign

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\s+|.", re.DOTALL)
SKIPPED = {r"\displaystyle", r"\textstyle", r"\limits", r"\nolimits"}
SIZED = {r"\bigl": 1.2, r"\bigr": 1.2, r"\Bigl": 1.8, r"\Bigr": 1.8}  # in em
ESCAPED = {r"\{": "{", r"\}": "}", r"\_": "_", r"\$": "$", r"\&": "&", r"\#": "#", r"\%": "%", r"\|": "‖"}
IN_WORDS = {
    **ESCAPED,
    r"\textbackslash": "\\", r"\textasciicircum": "^", r"\textasciitilde": "~", r"\textless": "<",
    r"\textgreater": ">", r"\textbar": "|", r"\textquotedbl": '"', r"\,": "\u2009", r"\ ": " ",
}  # fmt: skip
TABLES = {"aligned", "gathered", "bmatrix", "cases", "array", "matrix"}
DEEPEST = 120  # groups inside groups


@dataclass(frozen=True, slots=True)
class Sign:
    """One character: `kind` is letter, number, binary, relation, punctuation, large (a sum) or plain."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Bracket:
    """A bracket without its partner in the same row; its size in em where it is fixed, else 0."""

    text: str
    closes: bool
    size: float


@dataclass(frozen=True, slots=True)
class Word:
    """Upright letters: the name of a function, or of a value; with `limits` indices stand below it."""

    text: str
    function: bool
    limits: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """Words of a language, with formulas among them."""

    parts: tuple[str | Row, ...]


@dataclass(frozen=True, slots=True)
class Styled:
    """In another kind of letters: bold (upright), bolditalic, upright, script, sans, mono."""

    style: str
    content: Row


@dataclass(frozen=True, slots=True)
class Accent:
    """With a mark above: hat, bar, tilde, dot, ddot, vec, overline."""

    mark: str
    content: Row


@dataclass(frozen=True, slots=True)
class Fraction:
    """One above the other; `small` as in a line of text."""

    above: Row
    below: Row
    small: bool


@dataclass(frozen=True, slots=True)
class Root:
    """A square root."""

    content: Row


@dataclass(frozen=True, slots=True)
class Scripts:
    """With an index, an exponent, or both."""

    base: Item
    below: Row | None
    above: Row | None


@dataclass(frozen=True, slots=True)
class Fenced:
    """Between two brackets, either of which may be empty; their size in em where it is fixed, else 0."""

    left: str
    content: Row
    right: str
    size: float


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells: aligned, gathered, bmatrix, cases, array, matrix."""

    kind: str
    rows: tuple[tuple[Row, ...], ...]


@dataclass(frozen=True, slots=True)
class Boxed:
    """In a frame."""

    content: Row


@dataclass(frozen=True, slots=True)
class Space:
    """Room between two items, in em."""

    em: float


@dataclass(frozen=True, slots=True)
class Row:
    """Items side by side."""

    items: tuple[Item, ...]


Item: TypeAlias = (
    Sign | Bracket | Word | Said | Styled | Accent | Fraction | Root | Scripts | Fenced | Table | Boxed | Space | Row
)


@lru_cache(maxsize=4096)
def formula(latex: str) -> Row:
    r"""The tree of a formula.

    Args:
        latex: without the dollars around it.

    Raises:
        MatcalcError: a command is not known, or brackets of LaTeX do not match.

    Example:
        >>> formula(r"W^\top").items[0].above.items[0].text
        '⊤'
    """
    reader = _Reader(latex)
    row = reader.row(())
    if reader.at < len(reader.tokens):
        raise reader.wrong(f"{reader.tokens[reader.at]!r} has no beginning")
    return row


class _Reader:
    def __init__(self, latex: str) -> None:
        self.latex = latex
        self.tokens = TOKEN.findall(latex)
        self.at = 0
        self.depth = 0

    def wrong(self, what: str) -> MatcalcError:
        return MatcalcError(f"the formula {self.latex[:80]!r} cannot be written in this format: {what}")

    def peek(self) -> str:
        """The next token that is no blank; empty at the end."""
        while self.at < len(self.tokens) and self.tokens[self.at].isspace():
            self.at += 1
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def row(self, ends: tuple[str, ...]) -> Row:
        """Items up to one of the tokens in `ends`, which stays; brackets in the row find their partners."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.wrong("it is nested too deeply")
        items: list[Item] = []
        opened: list[int] = []
        while (token := self.peek()) and token not in ends and token not in ("}", r"\right", r"\end"):
            self.at += 1
            if token in SKIPPED:
                continue
            if token in ("^", "_", "'"):
                items.append(self.scripted(items.pop() if items else Row(()), token))
                continue
            item = self.item(token)
            if isinstance(item, Bracket) and item.closes and opened:
                start = opened.pop()
                first = items[start]
                assert isinstance(first, Bracket)
                content = Row(tuple(items[start + 1 :]))
                items[start:] = [Fenced(first.text, content, item.text, max(first.size, item.size))]
                continue
            if isinstance(item, Bracket) and not item.closes and len(opened) < DEEPEST // 2:
                opened.append(len(items))
            items.append(item)
        self.depth -= 1
        return Row(tuple(items))

    def scripted(self, base: Item, token: str) -> Scripts:
        """The base with what follows it as index and exponent."""
        scripts: dict[str, Row | None] = {"_": None, "^": None}
        primes: tuple[Item, ...] = ()
        while True:
            if token == "'":
                primes += (Sign("′", "plain"),)
            elif scripts[token] is not None:
                raise self.wrong("it has two indices or exponents at one place")
            else:
                scripts[token] = self.argument()
            if self.peek() not in ("^", "_", "'"):
                above = scripts["^"]
                if primes:
                    above = Row((*primes, *(above.items if above else ())))
                return Scripts(base, scripts["_"], above)
            token = self.take()

    def argument(self) -> Row:
        """What a command takes: a group, or one token."""
        token = self.take()
        if token == "{":
            row = self.row(())
            if self.take() != "}":
                raise self.wrong("a brace is not closed")
            return row
        if token in ("", "}", "^", "_", "&"):
            raise self.wrong("something is missing after a command")
        return Row((self.item(token[0]) if token.isdigit() else self.item(token),))

    def item(self, token: str) -> Item:
        """The item that begins with a token, which has been taken."""
        if token == "{":
            self.at -= 1
            return self.argument()
        if token in SPACES:
            return Space(SPACES[token])
        if token in STYLES:
            return self.styled(token)
        if token in ACCENTS:
            return Accent(ACCENTS[token], self.argument())
        if token in (r"\frac", r"\dfrac", r"\tfrac"):
            above = self.argument()
            return Fraction(above, self.argument(), token == r"\tfrac")
        if token in BRACKETS:
            return Bracket(*BRACKETS[token], 0.0)
        if token in SIZED:
            text, closes = self.bracket()
            return Bracket(text, closes if text in "|‖" else token.endswith("r"), SIZED[token])
        if token in FUNCTIONS:
            return Word(token[1:], True, token[1:] in LIMITS)
        if token in SIGNS:
            return Sign(*SIGNS[token])
        return self.structure(token)

    def structure(self, token: str) -> Item:
        """The items that few formulas have."""
        match token:
            case r"\left":
                return self.fenced()
            case r"\sqrt":
                return Root(self.argument())
            case r"\boxed":
                return Boxed(self.argument())
            case r"\text" | r"\mbox":
                return Said(self.words(formulas=True))
            case r"\mathrel" | r"\mathbin":
                return self.argument()
            case r"\begin":
                return self.table()
        if token in ESCAPED:
            return Sign(ESCAPED[token], "plain")
        if token.startswith("\\") or token == "&":
            raise self.wrong(f"{token} is not known")
        return Sign(*plain_sign(token))

    def styled(self, token: str) -> Item:
        """Letters of another kind; several upright ones are a word."""
        style = STYLES[token]
        if style in ("function", "upright", "mono"):
            (text,) = self.words(formulas=False) or ("",)
            if style == "mono":
                return Styled(style, Row((Word(str(text), False),)))
            return Word(str(text), style == "function")
        return Styled(style, self.argument())

    def fenced(self) -> Fenced:
        left, _ = self.bracket()
        content = self.row(())
        if self.take() != r"\right":
            raise self.wrong("\\left has no \\right")
        right, _ = self.bracket()
        return Fenced(left, content, right, 0.0)

    def bracket(self) -> tuple[str, bool]:
        """The bracket after `left`, `right`, `bigl`, ...; a dot is none."""
        token = self.take()
        if token == ".":
            return "", False
        if token == "|":
            return "|", False
        if token not in BRACKETS:
            raise self.wrong(f"{token!r} is not a bracket")
        return BRACKETS[token]

    def words(self, *, formulas: bool) -> tuple[str | Row, ...]:
        """The words in braces; with formulas between dollars."""
        if self.take() != "{":
            raise self.wrong("a brace is missing")
        parts: list[str | Row] = []
        text = ""
        depth = 0
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            if token == "}" and depth == 0:
                return (*parts, text) if text else tuple(parts)
            depth += (token == "{") - (token == "}")
            if token == "$" and formulas:
                parts += [text] if text else []
                parts.append(self.row(("$",)))
                self.take()
                text = ""
            elif token.isspace():
                text += " "
            elif token in IN_WORDS:
                text += IN_WORDS[token]
            elif token.startswith("\\"):
                raise self.wrong(f"{token} is not known inside words")
            elif token not in "{}":
                text += "\u00a0" if token == "~" else token
        raise self.wrong("a brace is not closed")

    def table(self) -> Table:
        """What stands between `begin` and `end`."""
        kind = self.name()
        if kind not in TABLES:
            raise self.wrong(f"{kind} is not known")
        if kind == "array":
            self.argument()
        self.option()
        rows: list[tuple[Row, ...]] = []
        cells: list[Row] = []
        while True:
            cells.append(self.row(("&", r"\\")))
            token = self.take()
            if token == "&":
                continue
            rows.append(tuple(cells))
            cells = []
            if token == r"\\":
                self.option()
                continue
            if token != r"\end" or self.name() != kind:
                raise self.wrong(f"{kind} has no end")
            if len(rows) > 1 and all(not cell.items for cell in rows[-1]):
                rows.pop()  # after the last line break
            return Table(kind, tuple(rows))

    def name(self) -> str:
        """The name of an environment, in braces."""
        found = "".join(str(part) for part in self.words(formulas=False))
        return found.strip()

    def option(self) -> None:
        """Skip an option in brackets, as the additional room after a line."""
        if self.at < len(self.tokens) and self.tokens[self.at] == "[":
            while self.take() != "]":
                if self.at >= len(self.tokens):
                    raise self.wrong("an option is not closed")
