"""The syntax tree that every notation is read into: its kinds of nodes, and how a reader makes them.

The grammar of the text makes these trees by itself, other readers through the functions below. A node is a lark tree
with its place in the text that was read, so that every error shows what the user wrote. Its kinds are those of
`grammar.lark`, and one more: `shaped`, whose meaning depends on the shapes of its operands (bars are an absolute value
or a determinant); what it means is said in `by_shape.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lark import Token, Tree
from lark.tree import Meta

from matcalc.frontend.syntax import Node, Place, indicated

_SIGNS = {
    "+": "PLUS", "-": "MINUS", "*": "STAR", "@": "AT", "/": "SLASH", ".*": "DOT_STAR", "./": "DOT_SLASH",
    "^": "CARET", ".^": "DOT_CARET", "'": "QUOTE",
}  # fmt: skip


def span(place: Any) -> tuple[int, int]:
    """Where a node or token begins and ends."""
    at = place if isinstance(place, Token) else place.meta
    return int(at.start_pos or 0), int(at.end_pos or 0)


def token(kind: str, value: str, start: int, end: int) -> Token:
    """A token at its place."""
    return Token(kind, value, start_pos=start, end_pos=end)


def sign(value: str, start: int, end: int) -> Token:
    """An operator at its place."""
    return token(_SIGNS[value], value, start, end)


def tree(kind: str, children: Sequence[Place], start: int, end: int) -> Node:
    """A node of any kind at its place."""
    meta = Meta()  # type: ignore[no-untyped-call]
    meta.empty, meta.start_pos, meta.end_pos = False, start, end
    return Tree(kind, list(children), meta)


def _around(kind: str, children: Sequence[Place]) -> Node:
    places = [span(c) for c in children]
    return tree(kind, children, min(a for a, _ in places), max(b for _, b in places))


def number(value: str, start: int, end: int) -> Node:
    """A literal."""
    return tree("number", [token("NUMBER", value, start, end)], start, end)


def name(value: str, start: int, end: int) -> Node:
    """A name."""
    return tree("name", [token("NAME", value, start, end)], start, end)


def chain(kind: str, operands: Sequence[Node], signs: Iterable[Token]) -> Node:
    """A `sum` or `product` from left to right."""
    if len(operands) == 1:
        return operands[0]
    children: list[Place] = [operands[0]]
    for operator, operand in zip(signs, operands[1:]):
        children += [operator, operand]
    return _around(kind, children)


def pair(left: Node, operator: str, right: Node) -> Node:
    """`left operator right`, where the operator is not written at a place of its own."""
    end = span(left)[1]
    kind = "sum" if operator in "+-" else "product"
    return chain(kind, [left, right], [sign(operator, end, end)])


def signed(operator: Token, operand: Node) -> Node:
    """-a or +a."""
    return _around("signed", [operator, operand])


def transposed(base: Node, start: int, end: int) -> Node:
    """The transpose, whose mark is at a place."""
    return _around("postfix", [base, tree("transposition", [sign("'", start, end)], start, end)])


def powered(base: Node, operator: str, exponent: Node, start: int) -> Node:
    """A power; the operator is `^` or `.^`."""
    end = max(span(exponent)[1], start)
    return _around("postfix", [base, tree("powering", [sign(operator, start, start + 1), exponent], start, end)])


def entry(base: Node, indices: Sequence[Node], start: int, end: int) -> Node:
    """An entry or a slice; each index is an expression, or a node of a kind of its own (`whole`, `range`)."""
    ranges = ("entry", "range", "range_from", "range_to", "whole")
    given = [i if i.data in ranges else tree("entry", [i], *span(i)) for i in indices]
    return _around("postfix", [base, tree("indexing", given, start, end)])


def call(function: str, arguments: Sequence[Node], start: int, end: int) -> Node:
    """`function(arguments)`."""
    return tree("call", [token("NAME", function, start, end), *arguments], start, end)


def indicator(comparison: Node, start: int, end: int) -> Node:
    """`(A > B)`, 1 where it holds and 0 elsewhere."""
    return indicated(tree("indicator", [comparison], start, end))


def block(rows: Sequence[Sequence[Node]], start: int, end: int) -> Node:
    """A matrix of blocks."""
    return tree("block", [_around("row", row) for row in rows], start, end)


def shaped(meaning: str, operands: Sequence[Node], start: int, end: int) -> Node:
    """What is decided by shapes: a meaning of `by_shape.py` with its operands."""
    return tree("shaped", [token("MEANING", meaning, start, end), *operands], start, end)
