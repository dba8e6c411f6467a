"""The statements of families and recurrences as they are written: what they name, and over which range."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lark import Token

from matcalc.dims import Dim
from matcalc.dims import text as dim_text
from matcalc.frontend.hints import about_construction
from matcalc.frontend.indexed_ranges import Ranges, is_empty
from matcalc.frontend.syntax import Node, Source
from matcalc.indices.program import Run


def indexed_name(tree: Any, kind: str) -> tuple[str, Any] | None:
    """The name in `name[index]`, with its place, where `kind` says what the one index is."""
    if isinstance(tree, Token) or tree.data != "postfix" or len(tree.children) != 2:
        return None
    head, suffix = tree.children
    if head.data != "name" or suffix.data != "indexing" or [t.data for t in suffix.children] != [kind]:
        return None
    return str(head.children[0]), head


def target(source: Source, tree: Any) -> tuple[str, Node]:
    """The name in `name[index] = value`, with its place.

    Raises:
        ParseError: something else is defined.
    """
    found = indexed_name(tree.children[0], "entry")
    if found is None:
        at = source.text.index("=", tree.children[0].meta.end_pos)
        said = "unexpected '=': only a name can be defined (`name = expression`), and an equation is not an expression"
        hint = about_construction(source.text, at)
        raise source.error_at(f"{said} ({hint})" if hint else said, at)
    return found


def family(source: Source, tree: Any) -> tuple[str, Any, str, tuple[Node, Node]]:
    """The name of `name[k=1..K]: rows x columns`, its place, its index and the ends of the range.

    Raises:
        ParseError: something else is declared.
    """
    found = indexed_name(tree.children[0], "every")
    if found is None:
        at = source.text.index(":", tree.children[0].meta.end_pos)
        raise source.error_at("unexpected ':': a declaration is `name: rows x columns`", at)
    index, low, _, high = tree.children[0].children[1].children[0].children[0].children
    return found[0], found[1], str(index), (low, high)


def run_of(builder: Ranges, name: str, index: str, ends: tuple[Node, Node], place: Any) -> Run:
    """The range of a family.

    Raises:
        ParseError: it is empty, or no range.
    """
    first, last = (builder.end(t, name) for t in ends)
    if is_empty(first, last):
        message = f"the range {dim_text(first)}..{dim_text(last)} of {name} is empty"
        raise builder.source.error(message, place)
    return whole_run(builder.source, index, first, last, place)


def whole_run(source: Source, index: str, first: Dim, last: Dim, place: Any) -> Run:
    """The range of an index in a loop.

    Raises:
        ParseError: an end is no whole number for some sizes, as T/2.
    """
    for end in (first, last):
        if not isinstance(end, int) and not end.is_integer:
            raise source.error(
                f"the range of {index} ends at {dim_text(end)}, which is not always a whole number", place
            )
    return Run(index, first, last)


def names_in_ranges(trees: Iterable[Any]) -> Iterator[tuple[str, Node]]:
    """The names in the ends of ranges that are no indices themselves."""
    ranges = [t for tree in trees for t in tree.children if not isinstance(t, Token) and t.data == "ranging"]
    indices = {str(t.children[0]) for t in ranges}
    for tree in ranges:
        for part in tree.children[1:]:
            for sub in () if isinstance(part, Token) else part.find_data("name"):
                if str(sub.children[0]) not in indices:
                    yield str(sub.children[0]), sub


def need_shapes(source: Source, calls: Iterable[Any], open_names: Sequence[str]) -> None:
    """Raise ParseError for a constant whose shape would have to be found: beside families all shapes are written."""
    for tree in calls:
        if tree.children[0] in open_names:
            raise source.error("beside families and recurrences every size is written: use ones(n, 1), eye(n)", tree)
