r"""What stands behind a factor in pasted mathematics: transposes, exponents, indices, methods, `(:)`."""

from __future__ import annotations

import re

from matcalc.errors import shorten
from matcalc.frontend import syntax_tree as st
from matcalc.frontend.pasted import calls
from matcalc.frontend.pasted.sums import SumReader, is_row_of
from matcalc.frontend.pasted.tokens import Tok
from matcalc.frontend.syntax import Node

TRANSPOSED = re.compile(
    r"(-?)\s*(?:\{?\s*\\(?:mathsf|mathrm|text|intercal|top|mathbf|rm|sf|textsf|prime|mathit)\b\s*\{?\s*[TH]?\s*\}?\s*\}?|[TH]|\*|\\ast|'+|⊤)"
)
_LETTER = re.compile(r"-?([TH])")


class SuffixReader(SumReader):
    """The part of the reader that takes what follows a value."""

    closing: list[str]

    def primary(self) -> Node:
        raise NotImplementedError

    def arguments(self) -> list[calls.Argument]:
        raise NotImplementedError

    def suffixed(self, node: Node) -> Node:
        """The value with all that stands behind it."""
        powered = False
        while True:
            tok = self.peek()
            if tok.kind in ("top", "'"):
                self.take()
                node = self.transposed(node, tok)
            elif tok.kind in ("^", "super"):
                if powered:
                    raise self.error("bracket the chained power", tok)
                before = node
                node = self.raised(node, tok)
                powered = node.data == "postfix" and node.children[-1].data == "powering" and node is not before  # type: ignore[union-attr]
            elif tok.kind in ("**", ".^"):
                self.take()
                node = st.powered(node, ".^", self.plain_exponent(), tok.start)
            elif tok.kind in ("_", "sub"):
                node = self.subscripted(node, tok)
            elif tok.kind == "vec":
                self.take()
                node = st.call("vec", [node], st.span(node)[0], tok.end)
            elif tok.kind == "method":
                node = self.method(node)
            elif tok.kind == "open" and tok.value == "[" and not self.latex and not tok.spaced:
                node = self.bracketed_index(node)
            else:
                return node

    def transposed(self, node: Node, tok: Tok) -> Node:
        """The transpose; of a literal 1 the row of ones; twice is refused."""
        if self.python and tok.kind == "'":
            raise self.error("' is not a transpose in Python: write .T there, or the text syntax alone", tok)
        if is_row_of(node):
            return node.children[0]  # type: ignore[return-value]
        bracketed = any(c in ")}]" for c in self.source.text[st.span(node)[1] : tok.start])  # (A')' is clear
        last = node.children[-1] if node.data == "postfix" and not bracketed else None
        if last is not None and getattr(last, "data", "") == "transposition":
            raise self.error("two transposes one after the other have no clear meaning: write one", tok)
        if calls.is_literal(node, "1"):
            node = st.call("vector", [node], *st.span(node))
        return st.transposed(node, tok.start, tok.end)

    def raised(self, node: Node, tok: Tok) -> Node:
        """The node with a superscript: a transpose, an inverse, a power."""
        if tok.kind == "super":
            self.take()
            return self.raised_by(node, tok.value, tok)
        start = self.at
        self.take()
        text = re.sub(r"\\[!,;: ]|\\(?:mkern|mskip|kern)-?[\d.]+\w\w", "", self.raw_argument()).strip()
        if re.fullmatch(r"\(\w\)", text):
            raise self.error(f"the superscript {text} names another variable, which is not declared", tok)
        found = TRANSPOSED.fullmatch(text) if text else None
        letter = _LETTER.fullmatch(text)
        if letter and letter[1] in self.known:
            name = letter[1]
            raise self.error(f"^{name} has two readings, the transpose and a power with the declared {name}", tok)
        end = Tok("top", "T", tok.start, self.tokens[self.at - 1].end)
        if found:
            if found[1]:
                node = st.call("inv", [node], st.span(node)[0], end.end)
            return self.transposed(node, end)
        if text == "+":
            return st.call("pinv", [node], st.span(node)[0], end.end)
        if re.fullmatch(r"(\\top|\\intercal|T|\\prime)\s*(\\top|\\intercal|T|\\prime)", text):
            raise self.error("two transposes one after the other have no clear meaning: write one", tok)
        if text in (r"\dagger", "†"):
            raise self.error(r"\dagger is the pseudoinverse, A^{+}, or the transpose, A^\top: write the one meant", tok)
        self.at = start
        entrywise = False
        if self.peek(1).kind == "group" and self.peek(2).value == "odot":
            entrywise = True
            del self.tokens[self.at + 2]
        exponent = self.exponent()
        return st.powered(node, ".^" if entrywise else "^", exponent, tok.start)

    def raised_by(self, node: Node, text: str, tok: Tok) -> Node:
        """The node with a superscript of small characters: ᵀ, ², ⁻¹, ⁻ᵀ."""
        if text in ("T", "-T"):
            if text == "-T":
                node = st.call("inv", [node], st.span(node)[0], tok.end)
            return self.transposed(node, tok)
        turned = re.fullmatch(r"(T)(-?\d+)|(-?\d+)(T)", text)
        if turned:
            raise self.error("an exponent and a transpose side by side: write brackets", tok)
        return st.powered(node, "^", self.small(text, tok), tok.start)

    def small(self, text: str, tok: Tok) -> Node:
        """A number or letter in small characters."""
        found = re.fullmatch(r"([+-]?)(\d+|[a-z])", text)
        if not found:
            raise self.error(f"the superscript {text} is not read", tok)
        make = st.number if found[2].isdigit() else st.name
        node = make(found[2], tok.start, tok.end)
        return st.signed(st.sign("-", tok.start, tok.start), node) if found[1] == "-" else node

    def exponent(self) -> Node:
        """The exponent that follows, with its mark."""
        tok = self.take()
        if tok.kind == "super":
            return self.small(tok.value, tok)
        return self.plain_exponent()

    def plain_exponent(self) -> Node:
        """An exponent: a group, or a signed factor."""
        tok = self.peek()
        if tok.kind == "op" and tok.value in "+-":
            self.take()
            return st.signed(st.sign(tok.value, tok.start, tok.end), self.plain_exponent())
        if tok.kind == "num" and len(tok.value) > 1 and self.latex:
            rest = Tok("num", tok.value[1:], tok.start + 1, tok.end)
            self.tokens[self.at : self.at + 1] = [Tok("num", tok.value[0], tok.start, tok.start + 1), rest]
        if tok.kind in ("letter", "symbol"):
            self.take()
            return self.of_symbol(tok, (), tok)
        return self.primary()

    # -------------------------------------------------------------------------------------------- indices

    def subscripted(self, node: Node, tok: Tok) -> Node:
        """An index behind an expression: an entry."""
        text = self.index_text()
        parts = self.parts_of(text, tok, ())
        a, b = st.span(node)[0], self.tokens[self.at - 1].end
        places = self.places(parts, tok.start, b)
        if places is not None and len(places) <= 2:
            return st.entry(node, places, a, b)
        if all(part.isdigit() for part in parts) and len(parts) <= 2:
            return st.entry(node, [st.number(p, tok.start, b) for p in parts], a, b)
        ranges = [self._range(part, tok, b) for part in re.split(r",|\\,", text) if part.strip()]
        if len(ranges) <= 2 and all(part is not None for part in ranges) and ":" in text:
            return st.entry(node, [part for part in ranges if part is not None], a, b)
        raise self.error(
            f"the index {shorten(text)} is free: the sum over it, as in \\sum_{{{text}}} or sum(...), is missing", tok
        )

    def _range(self, text: str, tok: Tok, end: int) -> Node | None:
        """2, 2:3 or : in an index; None for anything else."""
        found = re.fullmatch(r"\s*(?:(\d+|[A-Za-z]\w*)\s*)?(:?)(?:\s*(\d+|[A-Za-z]\w*)\s*)?", text)
        if not found or any(p and not p.isdigit() and p not in self.known.dims for p in (found[1], found[3])):
            return None

        def size(word: str) -> Node:
            return (st.number if word.isdigit() else st.name)(word, tok.start, end)

        if not found[2]:
            return size(found[1]) if found[1] else None
        if found[1] and found[3]:
            return st.tree("range", [size(found[1]), size(found[3])], tok.start, end)
        return None if found[1] or found[3] else st.tree("whole", [], tok.start, end)

    def bracketed_index(self, node: Node) -> Node:
        """x[1], A[1, 2]: counted from 1, as in the text syntax."""
        opener = self.take()
        words = self.source.words(node)
        if self.python:
            raise self.error(
                f"Python counts entries from 0, the text syntax from 1: write {words}[1] for the first entry, without "
                "signs of Python", opener)  # fmt: skip
        indices = [self._index()]
        while self.peek().kind == ",":
            self.take()
            indices.append(self._index())
        tok = self.peek()
        if (tok.kind, tok.value) != ("close", "]") or len(indices) > 2:
            raise self.error("an index is written x[1], A[1, 2], X[1:3, :]", opener)
        self.take()
        return st.entry(node, indices, opener.start, tok.end)

    def _index(self) -> Node:
        tok = self.peek()
        if tok.kind == ":":
            self.take()
            if self.peek().kind in (",", "close"):
                return st.tree("whole", [], tok.start, tok.end)
            last = self.sum()
            return st.tree("range_to", [last], tok.start, st.span(last)[1])
        first = self.sum()
        if self.peek().kind != ":":
            return first
        self.take()
        if self.peek().kind in (",", "close"):
            return st.tree("range_from", [first], *st.span(first))
        last = self.sum()
        return st.tree("range", [first, last], st.span(first)[0], st.span(last)[1])

    def method(self, node: Node) -> Node:
        """X.sum(axis=0): a method is the function of what stands before it."""
        tok = self.take()
        if self.peek().kind != "open":
            raise self.error(f"the attribute {tok.value} is not read", tok)
        given = [calls.Argument(node), *self.arguments()]
        end = self.tokens[self.at - 1].end
        return calls.called(self.source, tok.value, given, st.span(node)[0], end, self.python)

    def norm_index(self) -> str:
        """The index of a norm, which may stand before or behind its exponent."""
        start = self.at
        if self.peek().kind in ("^", "super"):
            if self.take().kind == "^":
                self.raw_argument()
            middle = self.at
            self.index_text()
            self.tokens[start : self.at] = [*self.tokens[middle : self.at], *self.tokens[start:middle]]
            self.at = start
        return self.index_text() if self.peek().kind in ("_", "sub") else ""
