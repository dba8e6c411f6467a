"""What `h_0 = 0` stands for in pasted mathematics: the number, or else the zeros of the one shape that fits.

The number is tried first. Where the lines of the recurrence do not fit it, the sizes of the declared variables are
tried: one shape for all such recurrences, then a shape for each. Of shapes that fit, those count for which the function
is a number, if there are any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, product
from typing import Any

from matcalc.dims import Shape, shape_text
from matcalc.errors import ParseError
from matcalc.expr import Expr
from matcalc.frontend.loop_statements import target
from matcalc.frontend.syntax import Source

_MOST = 100  # how many ways are tried


def zero_starts(source: Source, statements: Iterable[Any]) -> dict[str, Any]:
    """The recurrences that start at a literal 0, with the places of these."""
    found: dict[str, Any] = {}
    for s in statements:
        if s.data != "assignment" or len(s.children) != 2:
            continue
        value = s.children[1]
        if value.data == "number" and str(value.children[0]) == "0":
            found.setdefault(target(source, s)[0], value)
    return found


def with_shapes(
    source: Source, starts: dict[str, Any], shapes: Iterable[Shape], build: Callable[[dict[str, Shape]], Expr]
) -> Expr:
    """What is built with the shapes that fit.

    Raises:
        ParseError: none fits, or several do.
    """
    try:
        return build({})
    except ParseError as error:
        first = error
    for tier in _tiers(list(starts), _candidates(shapes)):
        made = [(table, output) for table in tier if (output := _built(build, table)) is not None]
        numbers = [table for table, output in made if output.is_scalar]
        fitting = numbers or [table for table, _ in made]
        if len(fitting) > 1:
            name, place = next((n, p) for n, p in starts.items() if len({t[n] for t in fitting}) > 1)
            words = " and ".join(dict.fromkeys(shape_text(t[name]) for t in fitting))
            raise source.error(rf"0 has several shapes that fit, {words}: write \operatorname{{zeros}}(n, 1)", place)
        if fitting:
            return build(fitting[0])
    raise first


def _candidates(shapes: Iterable[Shape]) -> list[Shape]:
    """The columns and the matrices of declared sizes."""
    given = list(shapes)
    columns: list[Shape] = [(size, 1) for shape in given for size in shape]
    return [shape for shape in dict.fromkeys((*columns, *given)) if shape != (1, 1)]


def _tiers(names: Sequence[str], shapes: Sequence[Shape]) -> Iterator[Iterator[dict[str, Shape]]]:
    yield (dict.fromkeys(names, shape) for shape in shapes)
    if len(names) > 1:
        ways = product([*shapes, (1, 1)], repeat=len(names))
        yield (dict(zip(names, way)) for way in islice(ways, _MOST) if len(set(way)) > 1)


def _built(build: Callable[[dict[str, Shape]], Expr], table: dict[str, Shape]) -> Expr | None:
    try:
        return build(table)
    except ParseError:
        return None
