r"""Sums over indices in pasted mathematics: `\sum_{i=1}^n y_i x_i` is the text's `sum(i=1..n, y[i]*X[i,:]')`.

What stands below the sign is read into ranges and conditions, entries and rows into those of the text; what a sum
means is said in `frontend/indexed.py` alone. A range that is not written is left open: it follows from what it counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lark import Token

from matcalc.dims import same, symbols
from matcalc.frontend import syntax_tree as st
from matcalc.frontend.pasted.below import PRIMED, Below, BelowReader
from matcalc.frontend.pasted.tokens import GREEK_VARIANTS, Tok, written
from matcalc.frontend.syntax import Node
from matcalc.printing.symbols import Symbol


class SumReader(BelowReader):
    """The part of the reader that takes sums, products and maxima over indices, and what has an index."""

    limits: dict[str, Node | None]

    def term(self) -> Node:
        raise NotImplementedError

    # -------------------------------------------------------------------------------------------- the sum

    def index_sum(self) -> Node:
        r"""\sum_{i=1}^n, \prod_i, \max_{i \ne j}."""
        sign = self.take()
        below, upper = Below(), None
        for _ in range(2):
            kind = self.peek().kind
            if kind in ("sub", "super"):
                self.spread_small()
            if kind in ("_", "sub") and not below.places:
                self.below(below, sign)
            elif kind in ("^", "super") and upper is None:
                upper = self.exponent()
        if not below.places:
            raise self.error(
                "a sum without an index is not read (of all entries it is sum(x)): write \\sum_{i=1}^n", sign
            )
        ranges = [self._range_of(below, name, upper, sign) for name in below.places]
        outer = dict(self.limits)
        self.indices += below.places
        self.limits.update({name: below.high.get(name, upper) for name in below.places})
        body = self.term()
        del self.indices[-len(below.places) :]
        self.limits = outer
        return st.call(sign.kind, [*ranges, *below.conditions, body], sign.start, st.span(body)[1])

    def _range_of(self, below: Below, name: str, upper: Node | None, sign: Tok) -> Node:
        """i=1..n; an end that is not written is left open."""
        tok = below.places[name]
        if name in below.high and upper is not None:
            raise self.error(f"the index {name} has two upper limits", tok)
        a, b = tok.start, tok.end
        low, high = below.low.get(name), below.high.get(name, upper)
        if low is None:
            low = st.tree("whole", [], a, b) if high is None else st.number("1", a, b)
        dots = st.token("DOTS", "..", b, b)
        head = st.token("NAME", name, a, b)
        return st.tree("ranging", [head, low, dots, st.tree("whole", [], a, b) if high is None else high], a, b)

    # -------------------------------------------------------------------------------------------- entries and rows

    def places(self, parts: Sequence[str], start: int, end: int) -> list[Node] | None:
        """The indices of an entry as trees, where one of them runs in a sum; None for anything else."""
        parts = [re.sub(r"(?<=\w)(?:'|\^?\{?\\prime\}?)", PRIMED, p) for p in parts]
        if len(parts) == 1:
            beside = re.fullmatch(r"(:?)\s*(\w+)\s*(:?)", re.sub(r"\\(?:cdot|bullet|ast|star|,)|[*]", ":", parts[0]))
            if beside and beside[1] != beside[3]:
                parts = [":", beside[2]] if beside[1] else [beside[2], ":"]
        made = [self._place(re.sub(r"^\\(?:cdot|bullet|ast)$|^[*]$", ":", p.strip()), start, end) for p in parts]
        words = (name for p in parts for name in re.findall(r"[A-Za-z]\w*", p))
        if not any(GREEK_VARIANTS.get(name, name) in self.indices for name in words):
            return None
        return None if None in made else made  # type: ignore[return-value]

    def _place(self, part: str, start: int, end: int) -> Node | None:
        """i, i + 1, 2, or all."""
        if part == ":":
            return st.tree("whole", [], start, end)
        terms = re.findall(r"([+-]?)\s*\\?(\w+)\s*", part)
        if "".join(s + w for s, w in terms) != re.sub(r"[\s\\]", "", part) or terms[0][0]:
            return None
        words = [GREEK_VARIANTS.get(w, w) for _, w in terms]
        if not all(w.isdigit() or w in self.indices or w in self.known.dims for w in words) or not words:
            return None
        nodes = [(st.number if w.isdigit() else st.name)(w, start, end) for w in words]
        signs = [st.sign(s or "+", start, end) for s, _ in terms[1:]]
        if any(not s for s, _ in terms[1:]):
            return None
        return st.chain("sum", nodes, signs)

    def rows(self, tok: Tok) -> str:
        """The matrix whose rows or columns are written by its letter in lower case."""
        upper = tok.value.upper()
        return upper if tok.value.islower() and len(tok.value) == 1 and self.known.is_matrix(upper) else ""

    def indexed(self, tok: Tok, base: list[str], places: list[Node], place: Tok, start: int, end: int) -> Node:
        """An entry at indices of sums, or a row of a matrix."""
        letter = written(Symbol(GREEK_VARIANTS.get(tok.value, tok.value), tok.accent, ()))
        rows = "" if base else self.rows(tok)
        if base and self.known.is_matrix(base[0]) and len(places) == 1:
            raise self.error(
                f"{base[0]} is a matrix and has two indices (a row is written by its letter in lower case)", place
            )
        if base and self.known.is_vector(base[0]) and len(places) == 2:
            raise self.error(f"{base[0]} is a vector and has one index", place)
        if rows and len(places) == 1:
            return self.row_of(rows, places[0], place, start, end)
        if self.known.strict and not base:
            raise self.error(f"{letter} is not declared", place)
        return st.entry(st.name(base[0] if base else letter, tok.start, tok.end), places, start, end)

    def member(self, name: str, parts: list[str], place: Tok, start: int, end: int) -> Node:
        """u_k of a family, x_{ij} for an entry of its member."""
        found = self.places(parts, start, end)
        if found is None:
            found = [made for part in parts if (made := self._place(part, start, end))]
            if len(found) < len(parts):
                raise self.error(f"an index of {name} is a name or number, or one plus or minus a whole number", place)
        member = st.entry(st.name(name, start, end), found[:1], start, end)
        return st.entry(member, found[1:], start, end) if found[1:] else member

    def superscript(self, base: Sequence[str]) -> str:
        """The (k) of W^{(k)}, of a recurrence the (k-1) too; empty if there is none."""
        if base and base[0] in self.known.recurrences and self.peek().kind == "^":
            start = self.at
            self.take()
            text = self.raw_argument()
            inside = re.fullmatch(r"\((.*)\)", text)
            if inside or (base[0] in self.known.raised and re.fullmatch(r"0|[A-Za-z]\s*([+-]\s*\d+)?", text)):
                return inside[1] if inside else text
            self.at = start
        kinds = [self.peek(k).kind for k in range(6)]
        if kinds[:5] == ["^", "group", "open", "num", "close"] or kinds[:5] == [
            "^",
            "group",
            "open",
            "letter",
            "close",
        ]:
            value = self.peek(3).value
            if kinds[5] == "endgroup":
                self.at += 6
                return value
            if kinds[5] == "top" and self.peek(6).kind == "endgroup":  # x^{(i)\top}
                at = self.peek(5).start
                self.tokens[self.at + 1 : self.at + 5] = [Tok("group", "{", at, at)]
                return value
        return ""

    def row_of(self, name: str, place: Node, tok: Tok, start: int, end: int) -> Node:
        """x_i of a matrix X as a column: the transpose of its row, or its column, by what the index counts."""
        shape = self.known.shapes.get(name)
        assert shape is not None
        if same(*shape):
            raise self.error(
                f"a row and a column of {name} have two readings: write {name}_{{i,:}} or {name}_{{:,i}}", tok
            )
        base, anything = st.name(name, start, end), st.tree("whole", [], start, end)
        counted = self._names_of_limit(place)
        rows, columns = ({str(s) for s in symbols((d,))} or {str(d)} for d in shape)
        if counted & columns and not counted & rows:
            return st.entry(base, [anything, place], start, end)
        return st.transposed(st.entry(base, [place, anything], start, end), end, end)

    def _names_of_limit(self, place: Node) -> set[str]:
        """The names and numbers in the limit of the index in a place."""
        found: set[str] = set()
        todo = [str(t.children[0]) for t in place.find_data("name")]
        seen: set[str] = set()
        while todo:
            name = todo.pop()
            limit = self.limits.get(name) if name not in seen else None
            seen.add(name)
            if limit is None:
                continue
            for leaf in limit.iter_subtrees():
                if leaf.data in ("name", "number"):
                    word = str(leaf.children[0])
                    todo.append(word) if word in self.limits else found.add(word)
        return found


def is_row_of(node: Node) -> bool:
    """Whether a tree is x_i, a row of X that is written as a column: its transpose has no mark of its own."""
    last = node.children[-1] if node.data == "postfix" else None
    if last is None or isinstance(last, Token) or last.data != "transposition":
        return False
    return st.span(last)[0] == st.span(last)[1]
