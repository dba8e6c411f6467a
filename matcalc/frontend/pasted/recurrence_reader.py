"""Reads the statements of a text with recurrences, which `recurrences.py` has found, into those of the text syntax."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matcalc.frontend import syntax_tree as st
from matcalc.frontend.pasted.reader import Reader
from matcalc.frontend.pasted.recurrences import Head, Statement, assignment, error, given_starts, is_start
from matcalc.frontend.pasted.tokens import Tok
from matcalc.frontend.syntax import Node


class RecurrenceReader(Reader):
    """Reads statements of which some have a range."""

    def all_of(self, statements: Sequence[Statement]) -> list[Node]:
        """The definitions, the recurrences with their starts, and the function."""
        found: list[Node] = []
        begun: set[str] = set()
        written = {(s.head.name, s.head.at) for s in statements if s.head is not None and is_start(s, self.known)}
        for s in statements:
            for head in s.group:
                if head.name not in begun:
                    begun.add(head.name)
                    found += self.given(head, written)
            if s.head is not None and s.tail is not None:
                found.append(self.recurrence(s, s.head))
            elif s.head is not None and is_start(s, self.known):
                found.append(self.start(s, s.head))
            else:
                found += self.read(s.tokens)
        return found

    def read(self, tokens: Sequence[Tok]) -> list[Node]:
        """A statement without a range."""
        self.begin(tokens)
        return self.statements()

    def begin(self, tokens: Sequence[Tok]) -> None:
        """Take other tokens."""
        end = tokens[-1].end if tokens else 0
        self.tokens, self.at = [*tokens, Tok("eof", "", end, end)], 0

    def value(self, tokens: Sequence[Tok]) -> Node:
        """The value that some tokens are."""
        self.begin(tokens)
        found = self.sum()
        if self.peek().kind != "eof":
            raise self.unexpected(self.peek())
        return found

    def given(self, head: Head, written: set[tuple[str, int]]) -> Iterator[Node]:
        """The starts that are declared variables."""
        a, b = head.place
        for position, name in sorted(given_starts(head, self.known).items()):
            if (head.name, position) not in written:
                yield assignment(head, st.number(str(position), a, b), st.name(name, a, b), None)

    def start(self, s: Statement, head: Head) -> Node:
        """h_0 = value; P_0 = P_0 is the declared variable."""
        value = self.value(s.tokens[s.tokens.index(self.behind(s)) :])
        return assignment(head, st.number(str(head.at), *head.place), value, None)

    def behind(self, s: Statement) -> Tok:
        """The token behind the equals sign."""
        at = next(k for k, tok in enumerate(s.tokens) if tok.kind == "=")
        if at + 1 == len(s.tokens):
            raise error(self.source, "a value is missing behind this", s.tokens[at])
        return s.tokens[at + 1]

    def recurrence(self, s: Statement, head: Head) -> Node:
        """h_t = value, t = 1, ..., T."""
        assert s.tail is not None
        a, b = s.tail.tok.start, s.tail.tok.end
        low = self.value(s.ends[0]) if s.ends[0] else st.number("1", a, b)
        high = self.value(s.ends[1])
        self.indices, self.limits = [s.tail.index], {s.tail.index: high}
        value = self.value(s.tokens[s.tokens.index(self.behind(s)) :])
        self.indices, self.limits = [], {}
        place: Node = st.name(head.index, *head.place)
        if head.at:
            sign = "+" if head.at > 0 else "-"
            place = st.pair(place, sign, st.number(str(abs(head.at)), *head.place))
        dots = st.token("DOTS", "..", b, b)
        ranging = st.tree("ranging", [st.token("NAME", s.tail.index, a, b), low, dots, high], a, b)
        return assignment(head, place, value, ranging)
