r"""What stands below the sign of a sum: `i=1`, `i, j`, `i < j`, `1 \le i < j \le n`, `i \in [n]`, `j \ne i`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from matcalc.frontend import syntax_tree as st
from matcalc.frontend.pasted.names import NameReader
from matcalc.frontend.pasted.tokens import GREEK_VARIANTS, Tok
from matcalc.frontend.syntax import Node

_SEPARATES = frozenset((",", ";", "line", ":", "bar"))
_RELATES = frozenset(("=", "<", ">", "!=", "in"))
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "!=": "!="}
_CLOSING = {"group": "endgroup", "open": "close"}
PRIMED = "_prime"  # i' is a name of its own
_SMALL = re.compile(r"\d+|.")
Span = tuple[int, int]  # the first token and the one behind the last


@dataclass(slots=True)
class Below:
    """What stands below a sum: its indices with their limits as far as they are written, and conditions."""

    places: dict[str, Tok] = field(default_factory=dict)
    low: dict[str, Node] = field(default_factory=dict)
    high: dict[str, Node] = field(default_factory=dict)
    conditions: list[Node] = field(default_factory=list)


class BelowReader(NameReader):
    """The part of the reader that takes the ranges of sums."""

    def sum(self) -> Node:
        raise NotImplementedError

    def spread_small(self) -> None:
        """Small characters, ᵢ₌₁ or ⁿ⁻¹, as the tokens that they stand for."""
        tok = self.peek()
        made = [
            Tok("_" if tok.kind == "sub" else "^", "", tok.start, tok.start),
            Tok("group", "{", tok.start, tok.start),
        ]
        for found in _SMALL.finditer(tok.value):
            c, a = found[0], tok.start + found.start()
            kind = "num" if c.isdigit() else "letter" if c.isalpha() else "op" if c in "+-" else c
            made.append(Tok(kind, c, a, tok.start + found.end()))
        made.append(Tok("endgroup", "}", tok.end, tok.end))
        self.tokens[self.at : self.at + 1] = made

    def below(self, below: Below, sign: Tok) -> None:
        """Read the subscript of a sum."""
        self.take()
        start = self.at
        self.raw_argument()
        end = self.at
        a, b = self._unwrapped(start, end)
        parts = self._split(a, b, _SEPARATES)
        at = 0
        while at < len(parts):
            if at + 2 < len(parts) and self._is_dots(parts[at + 1]):  # i = 1, ..., n
                names = self._related(below, parts[at], sign)
                for name in names:
                    below.high[name] = self._expression(parts[at + 2])
                at += 2
            else:
                self._related(below, parts[at], sign)
            at += 1
        self.at = end

    def _unwrapped(self, a: int, b: int) -> Span:
        """Without the groups around all of it."""
        while b - a > 1 and self.tokens[a].kind in _CLOSING and self._closer(a) == b - 1:
            if self.tokens[a].kind == "open" and self.tokens[a].value != "{":
                break
            a, b = a + 1, b - 1
        return a, b

    def _closer(self, at: int) -> int:
        """Where what is opened at a place is closed."""
        depth = 0
        for k in range(at, len(self.tokens)):
            depth += (self.tokens[k].kind in _CLOSING) - (self.tokens[k].kind in _CLOSING.values())
            if depth == 0:
                return k
        return len(self.tokens)

    def _split(self, a: int, b: int, kinds: frozenset[str]) -> list[Span]:
        """The parts between tokens of some kinds, outside of brackets."""
        parts, begin, at = [], a, a
        while at < b:
            if self.tokens[at].kind in _CLOSING:
                at = self._closer(at)
            elif self.tokens[at].kind in kinds:
                parts.append((begin, at))
                begin = at + 1
            at += 1
        return [*parts, (begin, b)]

    def _is_dots(self, part: Span) -> bool:
        a, b = part
        kinds = [tok.kind for tok in self.tokens[a:b]]
        return kinds == ["dots"] or (len(kinds) > 1 and set(kinds) == {"."})

    def _related(self, below: Below, part: Span, sign: Tok) -> list[str]:
        """One part: names of indices, i = 1, i in [n], or a chain of inequalities; its new indices."""
        operands, relations = self._operands(part)
        if not relations:
            return [self._bind(below, tok, sign) for tok in self._letters(operands[0], sign)]
        if relations == ["="] and any(self._is_entry(o) for o in operands):  # j: y_j = y_i
            below.conditions.append(self._condition(below, operands[0], "==", operands[1]))
            return []
        if relations[0] == "=":
            names = [self._bind(below, t, sign) for o in operands[:-1] for t in self._letters(o, sign)]
            if set(relations) != {"="}:
                raise self.error("the range below the sum is not read: write \\sum_{i=1}^n", self.tokens[part[0]])
            below.low.update({name: self._expression(operands[-1]) for name in names})
            return names
        if relations == ["in"]:
            names = [self._bind(below, t, sign) for t in self._letters(operands[0], sign)]
            self._members(below, names, operands[1])
            return names
        return self._chain(below, operands, relations, sign)

    def _operands(self, part: Span) -> tuple[list[Span], list[str]]:
        """What stands between relations, and these."""
        operands = self._split(*part, _RELATES | {"!"})
        relations: list[str] = []
        kept: list[Span] = [operands[0]]
        for before, operand in zip(operands, operands[1:]):
            tok = self.tokens[operand[0] - 1]
            relation = tok.value if tok.kind != "in" else "in"
            if before[0] == before[1] and relations and relation == "=" and relations[-1] in ("<", ">", "!"):
                relations[-1] += "="  # <=
                kept[-1] = operand
                continue
            relations.append(relation)
            kept.append(operand)
        return kept, relations

    def _letters(self, part: Span, sign: Tok) -> list[Tok]:
        """The letters that are indices: i, ij."""
        found: list[Tok] = []
        for tok in self.tokens[slice(*part)]:
            if tok.kind in ("'", "prime") and found:
                found[-1] = replace(found[-1], value=found[-1].value + PRIMED)
            elif tok.kind == "word" and re.fullmatch("[a-z]{2,3}", tok.value) and tok.value not in self.known:
                found += [Tok("letter", c, tok.start + k, tok.start + k + 1) for k, c in enumerate(tok.value)]
            elif self._is_letter(tok):
                found.append(tok)
            else:
                raise self.error("what is below the sum is not read: write \\sum_{i=1}^n, \\sum_{i<j}", tok)
        if not found:
            raise self.error("an index is missing below the sum: write \\sum_{i=1}^n", self.tokens[part[0]])
        return found

    def _is_letter(self, tok: Tok) -> bool:
        return tok.kind in ("letter", "symbol", "word") and tok.value.isidentifier() and tok.value[:1].islower()

    def _bind(self, below: Below, tok: Tok, sign: Tok) -> str:
        """A new index."""
        name = GREEK_VARIANTS.get(tok.value, tok.value)
        if name in self.indices:
            raise self.error(f"the index {name} is used by two sums, one inside the other", tok)
        if name in below.places:
            raise self.error(f"the index {name} stands twice below the sum", tok)
        if name in self.known:
            raise self.error(f"the index {name} is declared already: an index has a name of its own", tok)
        below.places[name] = tok
        return name

    def _expression(self, part: Span) -> Node:
        """A limit."""
        if part[0] == part[1]:
            raise self.error("a limit of the sum is missing", self.tokens[part[0]])
        self.at = part[0]
        node = self.sum()
        if self.at != part[1]:
            raise self.error("the limit of the sum is not read: write \\sum_{i=1}^n", self.peek())
        return node

    def _members(self, below: Below, names: Sequence[str], part: Span) -> None:
        r"""[n] or \{1, \dots, n\}."""
        first = self.tokens[part[0]]
        if first.kind in _CLOSING and self._closer(part[0]) == part[1] - 1:
            inside = self._split(part[0] + 1, part[1] - 1, _SEPARATES)
            if first.value == "[" and len(inside) == 1:
                below.high.update({name: self._expression(inside[0]) for name in names})
                return
            if first.value == "{" and len(inside) >= 3 and self._is_dots(inside[-2]):
                below.low.update({name: self._expression(inside[0]) for name in names})
                below.high.update({name: self._expression(inside[-1]) for name in names})
                return
        raise self.error(
            "sums run over numbers, not over a set: write \\sum_{i=1}^n, with a 0-1 weight for each term", first
        )

    def _chain(self, below: Below, operands: list[Span], relations: list[str], sign: Tok) -> list[str]:
        r"""1 \le i < j \le n."""
        if not set(relations) <= set(_TURNED):
            raise self.error("what is below the sum is not read: write \\sum_{i<j}", self.tokens[operands[0][0]])
        names: list[str] = []
        for a, b in operands:
            tok = self.tokens[a]
            new = b - a == 1 and self._is_letter(tok) and tok.value not in (*self.indices, *below.places)
            if new and tok.value not in self.known:
                names.append(self._bind(below, tok, sign))
        running = {*self.indices, *below.places}
        sides = [(o, any(t.value in running for t in self.tokens[slice(*o)])) for o in operands]
        for (left, one), relation, (right, other) in zip(sides, relations, sides[1:]):
            if (one and other) or self._is_entry(left) or self._is_entry(right):
                below.conditions.append(self._condition(below, left, relation, right))
            elif other:
                self._bound(below, right, _TURNED[relation], left)
            elif one:
                self._bound(below, left, relation, right)
        return names

    def _is_entry(self, part: Span) -> bool:
        """Whether a side of a relation has an index itself: t_j."""
        return any(tok.kind in ("_", "sub") for tok in self.tokens[slice(*part)])

    def _condition(self, below: Below, left: Span, relation: str, right: Span) -> Node:
        """i < j, or t_j >= t_i."""
        before = list(self.indices)
        self.indices += below.places
        a, b = self._expression(left), self._expression(right)
        self.indices[:] = before
        at = st.span(a)[1]
        return st.tree("comparison", [a, st.token("COMPARISON", relation, at, at), b], st.span(a)[0], st.span(b)[1])

    def _bound(self, below: Below, index: Span, relation: str, limit: Span) -> None:
        """i <= n: a limit of an index."""
        tok = self.tokens[index[0]]
        if index[1] - index[0] != 1 or tok.value not in below.places or relation == "!=":
            raise self.error("a condition compares two indices, as in i<j or i \\ne j, or limits a new one", tok)
        found = below.high if relation.startswith("<") else below.low
        if tok.value in found:
            raise self.error(f"the index {tok.value} has two limits on one side", tok)
        value = self._expression(limit)
        if not relation.endswith("="):
            value = st.pair(value, "-" if relation == "<" else "+", st.number("1", *st.span(value)))
        found[tok.value] = value
