"""Families and recurrences in the text: the statements that define them, and whether what they use is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matcalc import core
from matcalc.dims import Dim, Shape, plus, same_shape, shape_text, surely_nonnegative
from matcalc.dims import text as dim_text
from matcalc.expr import Expr, number_value
from matcalc.frontend.loop_members import Reference
from matcalc.frontend.loop_statements import whole_run
from matcalc.frontend.loop_sums import SumBuilder
from matcalc.frontend.names import Names
from matcalc.frontend.syntax import Source, fold
from matcalc.indices.program import Group, Program, Recurrence


class LoopBuilder(SumBuilder):
    """Builds expressions and the program of loops around them."""

    def __init__(
        self, source: Source, names: Names, constants: dict[int, Shape], program: Program, zeros: Mapping[str, Shape]
    ) -> None:
        super().__init__(source, names, constants, program)
        self.zeros = zeros  # the shapes of recurrences that start at a 0 that is no number

    # -------------------------------------------------------------------------------------------- statements

    def assign(self, tree: Any) -> None:
        """`h[0] = value`, or `h[t] = value for t = 1..T`."""
        target, value, *loop = tree.children
        name = str(target.children[0].children[0])
        place = target.children[1].children[0].children[0]
        if loop:
            self.recurrence(tree, name, place, value, loop)
            return
        found = self.program.recurrences[name]
        position = fold(place, self.visit, self.source)
        exact = number_value(position) if isinstance(position, Expr) and position.op == "number" else None
        if exact is None or not exact.is_Integer:
            words = self.source.words(place)
            raise self.source.error(
                f"a start has a number as its index, as in {name}[0], got {words}; a recurrence ends in `for t = 1..T`",
                place,
            )
        if name in self.zeros and value.data == "number":
            start = core.zeros(*self.zeros[name])
        else:
            start = self.plain(fold(value, self.visit, self.source), value)
        self.need_same(name, found, start, value)
        if int(exact) in found.starts:
            raise self.source.error(f"{name}[{exact}] is given twice", target)
        found.starts[int(exact)] = start

    def plain(self, value: Any, tree: Any) -> Expr:
        """A value that depends on no index."""
        if not isinstance(value, Expr):
            raise self.source.error("the value depends on an index that is not summed over", tree)
        return value

    def need_same(self, name: str, found: Recurrence, value: Expr, tree: Any) -> None:
        """All values of a recurrence have one shape."""
        if found.shape is None:
            found.shape = value.shape
        elif not same_shape(found.shape, value.shape):
            shapes = f"{shape_text(found.shape)} and {shape_text(value.shape)}"
            zero = any(start.number == 0 for start in found.starts.values())
            hint = "; the 0 that it starts at is the number: write zeros(n, 1)" if zero else ""
            raise self.source.error(f"{name} has two shapes: {shapes}{hint}", tree)

    def recurrence(self, tree: Any, name: str, place: Any, value: Any, loop: list[Any]) -> None:
        """h[t] = f(h[t-1]) for t = 1..T."""
        word, ranging = loop
        if word.value != "for":
            raise self.source.error("a recurrence is `h[t] = ... for t = 1..T`", word)
        index = self.bound(ranging)
        ahead = self.moved(name, place, index.name)
        found = self.program.recurrences[name]
        if found.body is not None:
            raise self.source.error(f"{name}[{index.name}] is defined twice", tree)
        if not isinstance(index.first, int):
            raise self.source.error("a recurrence begins at a whole number, as in t = 1..T", ranging)
        ends = plus(index.first, ahead), plus(index.last, ahead)
        run = whole_run(self.source, index.name, *ends, ranging)
        for position in found.starts:
            if not surely_nonnegative(plus(run.first, -1, -position)):
                raise self.source.error(f"the start {name}[{position}] lies in the range {run.text}", tree)
        self.running, self.current = {run.name: (run, self.number_of(run))}, found
        self.leading, self.ahead = run.name, ahead
        body = self.plain(fold(value, self.visit, self.source), value)
        self.running, self.current, self.ahead = {}, None, 0
        self.need_same(name, found, body, value)
        found.run, found.body = run, body
        inside = self.pending.pop(body, None)
        if inside is not None:  # the value is a sum itself
            self.program.recurrences.pop(inside.name, None)
            found.body, found.inner, found.guards = inside.body, inside.runs, inside.guards
        parts = (*self.ended(tree, run), found)
        last = self.program.quantities[-1] if self.program.quantities else None
        if isinstance(last, Group) and last.run == run:
            self.program.quantities[-1] = Group(run, (*last.parts, *parts))
        else:
            self.program.quantities.append(Group(run, parts))

    def moved(self, name: str, place: Any, index: str) -> int:
        """By how much the place that a line defines is ahead of its index: 1 in h[t+1] = ... for t = 0..T-1."""
        if place.data == "name" and str(place.children[0]) == index:
            return 0
        if place.data == "sum" and len(place.children) == 3:
            head, sign, offset = place.children
            if head.data == "name" and str(head.children[0]) == index and offset.data == "number":
                words = str(offset.children[0])
                if words.isdigit():
                    return int(f"{sign}{words}")
        raise self.source.error(f"a recurrence defines {name}[{index}] or {name}[{index}+1], with its own index", place)

    # -------------------------------------------------------------------------------------------- the whole

    def check_references(self) -> None:
        """Raise ParseError for members that have no value, or none yet."""
        for r in self.references:
            shown = self.shown(r.member.of, r.tree)
            first, last = ends_of(r)
            if r.member.of in self.program.families:
                self.check_family(r, first, last, shown)
            else:
                self.check_recurrence(r, first, last, shown)

    def check_family(self, r: Reference, first: Dim, last: Dim, shown: str) -> None:
        """A family has members in its range only."""
        family = self.program.families[r.member.of]
        low, high = family.run.first, family.run.last
        if not (surely_nonnegative(plus(first, -low)) and surely_nonnegative(plus(high, -last))):
            used = dim_text(first) if first == last else f"{dim_text(first)}..{dim_text(last)}"
            raise self.source.error(
                f"{shown} needs the members {used} of {family.name}, whose range is {family.run.text}", r.tree
            )

    def check_recurrence(self, r: Reference, first: Dim, last: Dim, shown: str) -> None:
        """A value of a recurrence is used after it is computed."""
        found = self.program.recurrences[r.member.of]
        if found.run is None or not isinstance(found.run.first, int):
            raise self.source.error(f"{found.name} has no line `{found.name}[t] = ... for t = 1..T`", r.tree)
        order = self.program.quantities
        at = next(k for k, q in enumerate(order) if isinstance(q, Group) and found in q.parts)
        group = order[at]
        assert isinstance(group, Group)
        if r.inside is not None and r.inside in group.parts:
            self.check_inside(r, found, group, shown)
            last = plus(last, -1) if r.member.at == 0 else last
        elif at >= r.before:
            raise self.source.error(f"{shown} is used before it is computed: its line must come before", r.tree)
        for position in range(first, found.run.first) if isinstance(first, int) else ():
            if position not in found.starts:
                raise self.source.error(
                    f"{found.name}[{position}] is missing: a recurrence needs a start, {found.name}[{position}] = ...",
                    r.tree,
                )
        if not surely_nonnegative(plus(first, -found.lowest)) or not surely_nonnegative(plus(found.run.last, -last)):
            ends = f"from {dim_text(found.lowest)} to {dim_text(found.run.last)}"
            raise self.source.error(f"{shown} is outside: {found.name} has values {ends}", r.tree)

    def check_inside(self, r: Reference, found: Recurrence, group: Group, shown: str) -> None:
        """Inside of the lines that are computed together only earlier values are there."""
        at = r.member.at
        assert r.inside is not None
        if r.run is None or r.run.name != group.run.name:
            known = f"{found.name}[{group.run.name} - 1]"
            raise self.source.error(f"{shown}: inside of its own loop only {known} and the like are known", r.tree)
        if not isinstance(at, int) or at > 0:
            raise self.source.error(f"{shown} is later than {r.run.name}: a recurrence uses earlier values", r.tree)
        if at == 0 and group.parts.index(found) >= group.parts.index(r.inside):
            raise self.source.error(f"{shown} is used before it is computed: its line must come before", r.tree)


def ends_of(r: Reference) -> tuple[Dim, Dim]:
    """The first and the last position that a reference uses."""
    if r.run is None:
        return r.member.at, r.member.at
    return plus(r.run.first, r.member.at), plus(r.run.last, r.member.at)
