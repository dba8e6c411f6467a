"""Calls that have one meaning elsewhere, turned into the expressions they are here: `dot(x, y)`, `norm(x)`, `tg(x)`."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

from lark import Token, Tree

from matcalc.frontend.hints import READINGS
from matcalc.frontend.names import operation
from matcalc.frontend.syntax import Node, read

_PLACES = {f"_{k}": k for k in range(3)}
_NORMS = {"": "norm_of", "1": "norm_1", "2": "norm_2"}
_DOTS = frozenset(("dot", "vdot", "inner", "dotprod"))
_LARGER = {"max": "maximum", "min": "minimum"}


def with_readings(root: Node, is_taken: Callable[[str], bool]) -> None:
    """Turn every call of a function that is not here, and has one meaning elsewhere, into that meaning, in place.

    Args:
        root: a syntax tree.
        is_taken: whether a name stands for something in the text already.
    """
    for node in root.iter_subtrees():
        if node.data == "name" and node.children[0] == "eye" and not is_taken(str(node.children[0])):
            node.data, node.children = "shaped", [Token("MEANING", "identity")]
        elif node.data == "call" and not is_taken(str(node.children[0])):
            _read_call(node)


def _read_call(node: Node) -> None:
    name, *given = node.children
    assert isinstance(name, Token)
    arguments: list[Any] = list(given)
    if any(isinstance(a, Tree) and a.data in ("keyword", "comparison") for a in arguments):
        return
    if name in _LARGER and len(arguments) == 2 and arguments[0].data == "number" and arguments[1].data != "number":
        node.children[0] = name.update(value=_LARGER[name])
    elif operation(name) is not None:
        return
    elif name == "norm" and 1 <= len(arguments) <= 2:
        kind = str(arguments[1].children[0]) if len(arguments) == 2 and arguments[1].data == "number" else ""
        if kind in _NORMS and (kind or len(arguments) == 1):
            node.data, node.children = "shaped", [name.update("MEANING", _NORMS[kind]), arguments[0]]
    elif name in _DOTS and len(arguments) == 2:
        node.data, node.children = "shaped", [name.update("MEANING", "called_dot"), *arguments]
    elif name in READINGS:
        pattern, places = _pattern(READINGS[name])
        if places == len(arguments):
            _fill(node, pattern, arguments)


@cache
def _pattern(template: str) -> tuple[Node, int]:
    """The tree of a template, and how many arguments it has."""
    _, root = read(template.format("_0", "_1", "_2"))
    statement: Any = root.children[0]
    return statement.children[0], sum(f"{{{k}}}" in template for k in range(3))


def _fill(node: Node, pattern: Node, arguments: list[Any]) -> None:
    """Make a call the pattern with the arguments in it, all at the place of the call."""
    start = node.children[0]
    assert isinstance(start, Token)
    root = copy.deepcopy(Tree("root", [pattern]))
    for sub in root.iter_subtrees():
        sub._meta = node.meta
        sub.children = [
            arguments[_PLACES[str(c.children[0])]]
            if isinstance(c, Tree) and c.data == "name" and str(c.children[0]) in _PLACES
            else Token(c.type, c.value, start_pos=start.start_pos, end_pos=start.end_pos)
            if isinstance(c, Token)
            else c
            for c in sub.children
        ]
    value: Any = root.children[0]
    node.data, node.children = value.data, value.children
