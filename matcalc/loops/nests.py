"""Several indices at a time: the terms of a sum over families of which each runs, and conditions between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Protocol

from matcalc.dims import Dim, same
from matcalc.errors import NoRuleError
from matcalc.indices.program import Group, Guard, LoopSum, Program, Run


def walked(
    runs: Sequence[Run],
    steps: Callable[[Run], Iterable[int]],
    guards: Sequence[Guard],
    number: Callable[[Dim], int],
    at: Mapping[str, int],
) -> Iterator[dict[str, int]]:
    """The values of some indices, beside those that are known, for which all conditions hold; the last runs fastest.

    Args:
        runs: the indices.
        steps: the values of one.
        guards: the conditions.
        number: a dimension as a number.
        at: the indices around.
    """
    for values in product(*(steps(run) for run in runs)):
        places = {**at, **{run.name: value for run, value in zip(runs, values)}}
        if all(guard.holds(places, number(guard.offset)) for guard in guards):
            yield places


class Around(Protocol):
    """What writes loops."""

    def range(self, run: Run, *, backwards: bool = False) -> str:
        """The head of a loop."""

    def size(self, d: Dim) -> str:
        """A size as Python."""


def nested(
    around: Around, runs: Sequence[Run], guards: Sequence[Guard], lines: Sequence[str], *, backwards: bool = False
) -> Iterator[str]:
    """Statements inside of loops over some indices, where the conditions hold."""
    if not lines:
        return
    depth = 0
    for run in runs:
        yield "    " * depth + around.range(run, backwards=backwards)
        depth += 1
    if guards:
        yield "    " * depth + f"if {guards_text(guards, around.size)}:"
        depth += 1
    yield from ("    " * depth + line for line in lines)


def guards_text(guards: Sequence[Guard], size: Callable[[Dim], str], joined: str = " and ", each: str = "{0}") -> str:
    """Conditions as Python."""
    return joined.join(
        each.format(f"{g.left}_ {g.relation} {g.right}_{'' if same(g.offset, 0) else f' + ({size(g.offset)})'}")
        for g in guards
    )


def is_nested(program: Program) -> bool:
    """Whether sums run over several indices at a time."""
    return any(bool(q.inner) if isinstance(q, LoopSum) else any(r.inner for r in q.parts) for q in program.quantities)


def need_flat(program: Program, what: str) -> None:
    """Raise NoRuleError where a sum runs over several indices at a time."""
    if is_nested(program):
        raise NoRuleError(f"{what} is not available where a sum runs over two families at a time")


def is_apart(q: Group) -> bool:
    """Whether the values of a group are sums that do not use each other: they can be computed in any order."""
    return len(q.parts) == 1 and bool(q.parts[0].inner) and not q.parts[0].starts
