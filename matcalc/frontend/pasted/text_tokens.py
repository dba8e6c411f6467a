"""Unicode mathematics and other systems' spellings as tokens: `xᵀAx`, `‖x‖²`, `np.log(x)`, `A\\b`, `x .- y`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from matcalc.errors import ParseError
from matcalc.frontend.pasted.tokens import GREEK_VARIANTS, Tok
from matcalc.frontend.syntax import Source, strange
from matcalc.naming import greek

_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿᵏᵖᵐᵀᵗᴴ", "0123456789+-nkpmTTT"))
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₗₘₙₚₜᵣₛₐₑₓ₌₊₋", "0123456789ijklmnptrsaex=+-"))
_CHARACTERS = {
    **dict.fromkeys("−–﹣－", ("op", "-")), **dict.fromkeys("+＋", ("op", "+")), "-": ("op", "-"),
    **dict.fromkeys("·⋅∙", ("op", "dot")), **dict.fromkeys("×✕", ("op", "cross")),
    **dict.fromkeys("⊙∘◦", ("op", "odot")), "⊗": ("op", "kron"), "⊘": ("op", "oslash"),
    **dict.fromkeys("/÷∕⁄", ("op", "/")), **dict.fromkeys("*∗＊", ("op", "*")), "@": ("op", "@"), "\\": ("op", "\\"),
    **dict.fromkeys("(（", ("open", "(")), **dict.fromkeys(")）", ("close", ")")), "[": ("open", "["),
    "]": ("close", "]"), "{": ("open", "{"), "}": ("close", "}"), **dict.fromkeys("⟨〈", ("open", "<")),
    **dict.fromkeys("⟩〉", ("close", ">")), "|": ("bar", ""), **dict.fromkeys("‖∥", ("norm", "")),
    **dict.fromkeys(",，", (",", ",")), **dict.fromkeys(";；", (";", ";")), **dict.fromkeys("=＝", ("=", "=")),
    **dict.fromkeys(":：", (":", ":")), "^": ("^", "^"), "⊤": ("top", "T"), **dict.fromkeys("'’′", ("'", "'")),
    "√": ("sqrt", "√"), "∑": ("sum", "sum"), "∏": ("prod", "prod"), "<": ("<", "<"), ">": (">", ">"),
    **dict.fromkeys("≤⩽", ("<", "<=")), **dict.fromkeys("≥⩾", (">", ">=")),
    "≠": ("!=", "!="), "∈": ("in", "in"), "…": ("dots", "dots"),
    "𝟙": ("ones", "1"), "𝟏": ("ones", "1"), "_": ("_", "_"),
}  # fmt: skip
_ACCENTS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0305": "bar", "\u0307": "dot", "\u0308": "ddot",
            "\u20d7": "vec"}  # fmt: skip
PREFIXES = (
    r"np|numpy|jnp|jax|torch|tf|scipy|sp|math|nn|cp|cupy|LinearAlgebra|linalg|mc|matcalc|[FK](?=\.[a-z]{2,}\w*\()"
)
_PREFIXED = re.compile(rf"\b(?:{PREFIXES})\.(?:[A-Za-z]\w*\.)*([A-Za-z]\w*)")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_NUMBER = re.compile(r"(?:\d+(?:\.(?![*/^'\\+-])\d*)?|\.\d+)(?:[eE][+-]?\d+(?![A-Za-z0-9_]))?")
_DOTTED = re.compile(r"\.(\*|/|\^|\\|\+|-|'|T\b|mT\b|t\(\)|transpose\(\))")
_METHOD = re.compile(r"\.([a-z]\w*)(?=\()")
_STRING = re.compile(r"(['\"])(\w+)\1")
_COLON_CALL = re.compile(r"\(\s*:\s*\)")
_OPERATORS = {"*": ".*", "/": "./", "+": "+", "-": "-", "\\": ".\\"}


def tokens(source: Source, start: int, end: int, *, separators: bool) -> list[Tok]:
    """The tokens of a part of the text; new lines and `;` separate statements if `separators`.

    Raises:
        ParseError: a character has no meaning.
    """
    return [*_Tokenizer(source, start, end, separators).run()]


class _Tokenizer:
    def __init__(self, source: Source, start: int, end: int, separators: bool) -> None:
        self.source, self.text, self.at, self.end = source, source.text[:end], start, end
        self.separators, self.depth, self.before = separators, 0, ""

    def run(self) -> Iterator[Tok]:
        spaced = False
        while self.at < self.end:
            c = self.text[self.at]
            if c == "#":
                self.at = (self.text + "\n").index("\n", self.at)
                continue
            if c == "\n" and self.separators and not self.depth:
                yield Tok("line", "", self.at, self.at + 1)
            if c.isspace():
                self.at, spaced = self.at + 1, True
                continue
            for tok in self.next(c, self.at):
                self.depth += (tok.kind == "open") - (tok.kind == "close")
                yield Tok(tok.kind, tok.value, tok.start, tok.end, spaced, tok.accent)
                spaced, self.before = False, tok.kind

    def take(self, kind: str, value: str, length: int, accent: str = "") -> Tok:
        start, self.at = self.at, self.at + length
        return Tok(kind, value, start, self.at, accent=accent)

    def next(self, c: str, start: int) -> Iterator[Tok]:
        """The tokens at a place, and the step over them."""
        text = self.text
        prefixed, word = _PREFIXED.match(text, start), _WORD.match(text, start)
        number, dotted, method = _NUMBER.match(text, start), _DOTTED.match(text, start), _METHOD.match(text, start)
        value_before = self.before in ("word", "symbol", "num", "close", "top", "'", "super", "sub", "vec", "ones")
        if prefixed:
            yield self.take("func", prefixed[1], len(prefixed[0]))
        elif word and self._accent(start) is None:
            bare = word[0].rstrip("_") if text.startswith("{", word.end()) else word[0]  # A_{ij}
            yield self.take("word", bare, len(bare))
            if text.startswith(".(", self.at):
                self.at += 1
        elif number and not (c == "." and value_before):
            yield self.take("num", number[0].rstrip("."), len(number[0]))
        elif value_before and _COLON_CALL.match(text, start):
            yield self.take("vec", ":", len(_COLON_CALL.match(text, start)[0]))  # type: ignore[index]
        elif _STRING.match(text, start) and not (c == "'" and value_before):
            yield self.take("string", _STRING.match(text, start)[2], len(_STRING.match(text, start)[0]))  # type: ignore[index]
        elif dotted:
            yield self._dotted(dotted)
        elif method and value_before:
            yield self.take("method", method[1], len(method[0]))
        elif text.startswith("**", start):
            yield self.take("**", "**", 2)
        elif text.startswith("||", start):
            yield self.take("norm", "", 2)
        elif c in _SUPERSCRIPTS or c in _SUBSCRIPTS:
            yield self._raised(c)
        elif c in _CHARACTERS:
            yield self.take(*_CHARACTERS[c], 1)
        else:
            yield self._other(c, start)

    def _dotted(self, found: re.Match[str]) -> Tok:
        sign = found[1]
        if sign == "^":
            return self.take(".^", ".^", 2)
        if sign in _OPERATORS:
            return self.take("op", _OPERATORS[sign], 2)
        return self.take("top", "T", len(found[0]))

    def _raised(self, c: str) -> Tok:
        table, kind = (_SUPERSCRIPTS, "super") if c in _SUPERSCRIPTS else (_SUBSCRIPTS, "sub")
        end = self.at
        while end < self.end and self.text[end] in table:
            end += 1
        return self.take(kind, "".join(table[k] for k in self.text[self.at : end]), end - self.at)

    def _accent(self, start: int) -> tuple[str, str, int] | None:
        """The letter at a place with its accent and their length, if it has one."""
        taken = self.text[start : start + 2]
        for length in (1, 2):
            parts = unicodedata.normalize("NFD", taken[:length])
            if len(parts) == 2 and parts[1] in _ACCENTS:
                return parts[0], _ACCENTS[parts[1]], length
        return None

    def _other(self, c: str, start: int) -> Tok:
        accented = self._accent(start)
        if accented:
            letter, accent, length = accented
            return self.take("symbol", _greek(letter) or letter, length, accent)
        if _greek(c):
            return self.take("symbol", _greek(c), 1)
        plain = unicodedata.normalize("NFKC", c)
        wide = "FULLWIDTH" in unicodedata.name(c, "")
        if plain != c and not wide and (_greek(plain) or (len(plain) == 1 and plain.isascii() and plain.isalpha())):
            return self.take("symbol", _greek(plain) or plain, 1)
        if unicodedata.category(c) == "No" and "\u2044" in plain:
            return self.take("vulgar", plain.replace("\u2044", "/"), 1)
        raise self.error(start)

    def error(self, start: int) -> ParseError:
        return self.source.error_at(strange(self.source.text, start), start)


def _greek(c: str) -> str:
    """The name in letters of a Greek letter; empty for others."""
    if len(c) != 1:
        return ""
    symbol = re.fullmatch(r"greek (\w+) symbol", unicodedata.name(c, "").lower())
    return GREEK_VARIANTS.get("var" + symbol[1], symbol[1]) if symbol else greek(c)
