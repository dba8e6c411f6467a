r"""Recurrences in pasted mathematics: `h_t = \tanh(W h_{t-1} + U x_t), \quad t = 1, \dots, T` is the text's
`h[t] = tanh(W*h[t-1] + U*x[t]) for t = 1..T`.

The tokens are gone through first: where a statement ends, and which range is written behind it. A line without a range
has that of the next line with its index. A start may be written after the line that needs it, or be a declared variable
that is written like it, `h_0`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from matcalc.errors import ParseError
from matcalc.frontend import syntax_tree as st
from matcalc.frontend.pasted.tokens import GREEK_VARIANTS, Known, PastedError, Tok, written
from matcalc.frontend.syntax import Node, Place, Source
from matcalc.printing.symbols import Symbol

NAMES = ("letter", "symbol", "word")
_OPENS, _CLOSES = ("open", "group"), ("close", "endgroup")
_ENDS = ("line", ";", ",", "gap")
_BEFORE_RANGE = ("gap", "for", ",")
_INDEX = re.compile(r"\\?([A-Za-z]+)\s*(?:([+-])\s*(\d+))?|\d+")


@dataclass(frozen=True)
class Head:
    """The left side of a line with an index: `h_t`, `h_{t+1}`, `h_0`, `w^{(t)}`.

    Attributes:
        name: as the text syntax writes it.
        index: the letter that runs; empty in a start.
        at: what is added to it, or the position of a start.
        places: where the name and the index stand.
        end: the token behind the equals sign.
    """

    name: str
    index: str
    at: int
    tok: Tok
    place: tuple[int, int]
    end: int


@dataclass(frozen=True)
class Tail:
    """A range behind a line: the index, its ends as tokens, and the token behind all of it."""

    index: str
    tok: Tok
    low: tuple[int, int]
    high: tuple[int, int]
    end: int


@dataclass
class Statement:
    """A statement of the text: its tokens, and its range where one is written."""

    tokens: list[Tok]
    head: Head | None = None
    tail: Tail | None = None
    group: list[Head] = field(default_factory=list)  # of the first of those that are computed together: all of them
    ends: tuple[list[Tok], list[Tok]] = field(default_factory=lambda: ([], []))


class Splitter:
    """Finds the statements and the ranges behind them."""

    def __init__(self, source: Source, tokens: Sequence[Tok]) -> None:
        self.source = source
        end = len(source.text)
        self.tokens = [*tokens, Tok("eof", "", end, end)]

    def statements(self) -> list[Statement]:
        """All of them, without what separates them."""
        found: list[Statement] = []
        begin = at = depth = 0
        while self.tokens[at].kind != "eof":
            tok = self.tokens[at]
            depth += (tok.kind in _OPENS) - (tok.kind in _CLOSES)
            if depth == (tok.kind in _OPENS):
                tail = self.tail(at)
                if tail is not None:
                    found.append(self.made(begin, at, tail))
                    begin = at = tail.end
                    depth = 0
                    continue
            if depth == 0 and self.ends(at):
                found.append(self.made(begin, at, None))
                begin = at if tok.kind in NAMES else at + 1
            at += 1
        found.append(self.made(begin, at, None))
        return [s for s in found if s.tokens or s.tail]

    def ends(self, at: int) -> bool:
        """Whether a statement ends before a token."""
        tok = self.tokens[at]
        if tok.kind in ("line", ";"):
            return True
        if tok.kind in (",", "gap"):
            return self.head(at + 1) is not None or self.defines(at + 1)
        new_line = at > 0 and "\n" in self.source.text[self.tokens[at - 1].end : tok.start]
        return new_line and tok.kind in NAMES and (self.head(at) is not None or self.defines(at))

    def made(self, begin: int, end: int, tail: Tail | None) -> Statement:
        """A statement."""
        kept = [t for t in self.tokens[begin:end] if t.kind != "gap"]
        while kept and kept[-1].kind in (",", "."):
            kept.pop()
        head = self.head(begin) if kept else None
        ends = ([], []) if tail is None else (self.tokens[slice(*tail.low)], self.tokens[slice(*tail.high)])
        return Statement(kept, head, tail, ends=ends)

    # -------------------------------------------------------------------------------------------- left sides

    def defines(self, at: int) -> bool:
        """Whether `name =` stands here."""
        return self.tokens[at].kind in NAMES and self.tokens[at + 1].kind == "="

    def head(self, at: int) -> Head | None:
        """The left side with an index that begins at a token."""
        tok = self.tokens[at]
        if tok.kind not in NAMES:
            return None
        span, text = self.subscript(at + 1)
        if not text or self.tokens[span].kind != "=":
            return None
        found = _INDEX.fullmatch(text)
        if found is None:
            return None
        place = (self.tokens[at + 1].start, self.tokens[span - 1].end)
        name = written(Symbol(GREEK_VARIANTS.get(tok.value, tok.value), tok.accent, ()))
        if found[1] is None:
            return Head(name, "", int(text), tok, place, span + 1)
        at_ = int(f"{found[2]}{found[3]}") if found[2] else 0
        return Head(name, GREEK_VARIANTS.get(found[1], found[1]), at_, tok, place, span + 1)

    def subscript(self, at: int) -> tuple[int, str]:
        """The token behind an index, `_t`, `_{t-1}` or `^{(t)}`, and its text."""
        tok = self.tokens[at]
        if tok.kind == "sub":
            return at + 1, tok.value
        if tok.kind not in ("_", "^"):
            return at, ""
        if self.tokens[at + 1].kind != "group":
            return at + 2, self.tokens[at + 1].value
        end = at + 1
        while self.tokens[end].kind not in ("endgroup", "eof"):
            end += 1
        text = self.source.text[self.tokens[at + 1].end : self.tokens[end].start].strip()
        if tok.kind == "^":
            inside = re.fullmatch(r"\((.*)\)", text)
            text = inside[1].strip() if inside else text
        return end + 1, text

    # -------------------------------------------------------------------------------------------- ranges

    def tail(self, at: int) -> Tail | None:
        r"""The range that begins at a token: `, \quad t = 1, \dots, T`, `(t = 1, \dots, T)`, `\forall t \in [T]`."""
        start = at
        while self.tokens[at].kind in _BEFORE_RANGE:
            at += 1
        bracket = self.tokens[at].kind == "open" and self.tokens[at].value == "("
        if at == start and not bracket:
            return None
        at += bracket
        while self.tokens[at].kind in _BEFORE_RANGE:
            at += 1
        found = self.counted(at) or self.between(at)
        if found is None or not bracket:
            return found
        closed = self.tokens[found.end].kind == "close"
        return Tail(found.index, found.tok, found.low, found.high, found.end + 1) if closed else None

    def counted(self, at: int) -> Tail | None:
        r"""`t = 1, \dots, T`, `t = 1:T`, `t \in \{1, \dots, T\}`, `t \in [T]`."""
        tok = self.tokens[at]
        if tok.kind not in NAMES or self.tokens[at + 1].kind not in ("=", "in"):
            return None
        index, begin = GREEK_VARIANTS.get(tok.value, tok.value), at + 2
        opener = self.tokens[begin]
        if self.tokens[at + 1].kind == "in":
            if opener.kind != "open" or opener.value not in "[{":
                return None
            end = self.end_of(begin + 1)
            if opener.value == "[" and self.tokens[end].kind == "close":
                return Tail(index, tok, (begin, begin), (begin + 1, end), end + 1)
            begin += 1
        low = self.end_of(begin)
        middle = low
        while [t.kind for t in self.tokens[middle : middle + 3]] == [",", "num", ","]:  # 1, 2, ..., T
            middle += 2
        after = middle
        while self.tokens[middle].kind in (",", "dots", ".", ":"):
            middle += 1
        if {t.kind for t in self.tokens[after:middle]} <= {","}:
            return None
        high = self.end_of(middle)
        closed = self.tokens[at + 1].kind == "in"
        if closed and self.tokens[high].kind != "close":
            return None
        return Tail(index, tok, (begin, low), (middle, high), high + closed)

    def between(self, at: int) -> Tail | None:
        r"""`1 \le t \le T`."""
        low = self.end_of(at)
        tok = self.tokens[low + 1] if low + 1 < len(self.tokens) else self.tokens[low]
        if low == at or (self.tokens[low].kind, self.tokens[low].value) != ("<", "<=") or tok.kind not in NAMES:
            return None
        after = self.tokens[min(low + 2, len(self.tokens) - 1)]
        if (after.kind, after.value) != ("<", "<="):
            return None
        high = self.end_of(low + 3)
        return Tail(GREEK_VARIANTS.get(tok.value, tok.value), tok, (at, low), (low + 3, high), high)

    def end_of(self, at: int) -> int:
        """The token behind an end of a range: numbers, names, + and -."""
        begin = at
        while self.tokens[at].kind in (*NAMES, "num") or (
            self.tokens[at].kind == "op" and self.tokens[at].value in "+-"
        ):
            if at > begin and "\n" in self.source.text[self.tokens[at - 1].end : self.tokens[at].start]:
                break
            at += 1
        return at


def split(source: Source, tokens: Sequence[Tok], known: Known) -> list[Statement] | None:
    """The statements of a text with recurrences in order, starts before what needs them; None without recurrences.

    Raises:
        PastedError: a line has no range, or its index is not that of its range.
    """
    found = Splitter(source, tokens).statements()
    if all(s.tail is None for s in found):
        need_no_range(source, found)
        return None
    following: dict[str, Statement] = {}
    for s in reversed(found):
        if s.tail is not None:
            if s.head is None or s.head.index != s.tail.index:
                said = (
                    f"a range stands behind a recurrence: a line that begins with a name and the index {s.tail.index}"
                )
                raise error(source, f"{said}, as in h_{s.tail.index} = ...", s.tail.tok)
            following[s.tail.index] = s
        elif s.head is not None and s.head.index in following:
            s.tail, s.ends = following[s.head.index].tail, following[s.head.index].ends
    heads = [s.head for s in found if s.tail is not None and s.head is not None]
    known.recurrences |= {head.name for head in heads}
    known.raised |= {head.name for head in heads if re.match(r"\^(?!\s*\{\s*\()", source.text[head.place[0] :])}
    for s in found:
        for tok in (*s.ends[0], *s.ends[1]):
            if tok.kind in NAMES and tok.value not in known:
                known.dims.add(tok.value)
    return ordered(found, known)


def ordered(found: list[Statement], known: Known) -> list[Statement]:
    """The statements, the starts of recurrences before the lines that are computed together with theirs."""
    starts = [s for s in found if is_start(s, known)]
    made: list[Statement] = []
    first: Statement | None = None
    for s in found:
        if any(s is x for x in starts):
            continue
        first = first if s.tail is not None and first is not None and first.tail == s.tail else s
        if s.head is not None and s.tail is not None:
            first.group.append(s.head)
        made.append(s)
    return [x for s in made for x in (*(x for x in starts if x.head and x.head.name in names_of(s)), s)]


def names_of(s: Statement) -> set[str]:
    """The recurrences that are computed together with a line, and first in it."""
    return {head.name for head in s.group}


def is_start(s: Statement, known: Known) -> bool:
    """Whether a statement is h_0 = ... of a recurrence."""
    return s.head is not None and not s.head.index and s.head.name in known.recurrences


def given_starts(head: Head, known: Known) -> dict[int, str]:
    """The declared variables that are written as starts of a recurrence, by position: h_0, h0."""
    letter = head.tok.value
    found = {}
    for name in known.names():
        apart = re.fullmatch(rf"{re.escape(written(Symbol(letter, head.tok.accent, ())))}_?(\d+)", name)
        if apart:
            found[int(apart[1])] = name
    return found


def need_no_range(source: Source, found: Sequence[Statement]) -> None:
    """Raise PastedError for a line that is made of its own earlier value and has no range."""
    for s in found:
        if s.head is None or not s.head.index:
            continue
        letter, index = re.escape(s.head.tok.value), re.escape(s.head.index)
        body = source.text[s.head.place[1] : s.tokens[-1].end]
        if re.search(rf"{letter}\s*(?:_|\^)\s*\{{?\s*\(?\s*\\?{index}\s*(?:[+-]\s*\d+)?\s*\)?\s*[}}\s)]", body):
            said = f"the range of {s.head.index} is missing"
            raise error(source, rf"{said}: end the line with \quad {s.head.index} = 1, \dots, T", s.head.tok)


def error(source: Source, message: str, tok: Tok) -> ParseError:
    """The error at a token."""
    found = source.error_at(message, tok.start)
    return PastedError(found.message, found.source, found.line, found.column)


def assignment(head: Head, index: Node, value: Node, ranging: Node | None) -> Node:
    """`h[t] = value for t = 1..T`, or `h[0] = value`."""
    a, b = head.tok.start, head.place[1]
    target = st.entry(st.name(head.name, a, head.tok.end), [index], *head.place)
    word: list[Place] = [] if ranging is None else [st.token("NAME", "for", b, b), ranging]
    return st.tree("assignment", [target, value, *word], a, st.span(value)[1])
