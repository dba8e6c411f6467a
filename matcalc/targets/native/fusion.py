"""Steps that go over the same rows, one after the other for some rows at a time, while these are in the cache.

A step goes over rows where its row i depends on rows i of some matrices and on others as a whole, or where it adds the
rows up. What lies between the steps of a group waits until after it, or comes before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from matcalc.targets.c.entries import Shape, product
from matcalc.targets.c.parts import Step, group
from matcalc.targets.native.merging import Loop, merged, registers, runs

Lines = Callable[[str, str, Callable[[str], str]], list[str]]


@dataclass(frozen=True)
class Rows:
    """How a step goes over rows.

    Attributes:
        size: their number.
        lines: the step for a number of rows, with the factor of what is there already (where it adds up), and the names
            of the parts of the matrices.
        parts: the matrices of which it reads or writes these rows.
        first: lines before the first rows.
        total: what it adds the rows up to.
        loop: the pass that it is, where it is one over entries.
    """

    size: str
    lines: Lines
    parts: frozenset[str]
    first: tuple[str, ...] = ()
    total: str | None = None
    loop: Loop | None = None


@dataclass
class Group:
    """Steps over the same rows; `sets` gives the names that a step writes.

    Attributes:
        steps: in order.
        before: the steps that do not depend on them.
        after: the others.
    """

    size: str
    sets: Callable[[Step], set[str]]
    steps: list[tuple[Step, Rows]] = field(default_factory=list)
    before: list[Step] = field(default_factory=list)
    after: list[Step] = field(default_factory=list)
    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    totals: set[str] = field(default_factory=set)
    waiting: tuple[set[str], set[str]] = field(default_factory=lambda: (set(), set()))

    def take(self, step: Step, rows: Rows | None) -> None:
        """Put a step into the group, before it or after it."""
        writes = self.sets(step)
        free = not (step.reads & self.waiting[1] or writes & (self.waiting[0] | self.waiting[1]))
        if free and rows is not None and rows.size == self.size and self._fits(step, rows, writes):
            self.steps.append((step, rows))
            self.reads |= step.reads
            self.writes |= writes
            self.whole |= step.reads - rows.parts
            self.totals |= {rows.total} if rows.total is not None else set()
        elif free and not (step.reads & self.writes or writes & (self.reads | self.writes)):
            self.before.append(step)
        else:
            self.after.append(step)
            self.waiting[0].update(step.reads)
            self.waiting[1].update(writes)

    def _fits(self, step: Step, rows: Rows, writes: set[str]) -> bool:
        if (step.reads - rows.parts) & self.writes or step.reads & self.totals or writes & (self.whole | self.totals):
            return False
        return rows.total is None or rows.total not in self.reads | self.writes

    def shared(self) -> bool:
        """Whether two of the steps go over the rows of one matrix, or one goes over what another has computed."""
        seen: set[str] = set()
        for _, rows in self.steps:
            if seen & rows.parts:
                return True
            seen |= rows.parts
        return False


def fused(
    steps: list[Step],
    forms: dict[int, Rows],
    shapes: dict[str, Shape],
    fresh: Callable[[str], str],
    kept: Collection[str],
    scalars: Collection[str],
) -> tuple[list[Step], list[str]]:
    """The steps with groups in place of what goes over the same rows, and lines that say how many rows at a time.

    Args:
        forms: how steps go over rows, by the steps' identities.
        kept: the names that are read or written elsewhere too: the results, and what is in their memory.
        scalars: the names of the 1 x 1 values.
    """

    def sets(step: Step) -> set[str]:
        rows = forms.get(id(step))
        if rows is not None:
            return {rows.total} if rows.total is not None else {step.writes} if step.writes is not None else set()
        words = set(re.findall(r"\w+", " ".join(step.lines)))
        return words & set(scalars) | ({step.writes} if step.writes is not None else set())

    done: list[Step] = []
    lines: list[str] = []
    rest = list(steps)
    while rest:
        rows = forms.get(id(rest[0]))
        made = None if rows is None else _group(rest, rows.size, forms, sets)
        if made is None or len(made.steps) < 2 or not made.shared():
            done.append(rest.pop(0))
            continue
        used = {name for s in (*done, *made.before, *made.after) for name in s.reads | sets(s)} | set(kept)
        elsewhere = {name for s in (*done, *made.after) for name in s.reads | sets(s)} | made.reads | made.writes
        earlier, more = fused(made.before, forms, shapes, fresh, {*kept, *elsewhere}, scalars)
        done += earlier
        lines += more
        done += _written(made, shapes, fresh, used, lines)
        rest = made.after
    return done, lines


def _group(rest: list[Step], size: str, forms: dict[int, Rows], sets: Callable[[Step], set[str]]) -> Group:
    made = Group(size, sets)
    for step in rest:
        made.take(step, forms.get(id(step)))
    return made


def _written(
    made: Group, shapes: dict[str, Shape], fresh: Callable[[str], str], used: Collection[str], lines: list[str]
) -> Iterable[Step]:
    """The steps of a group: places for what it writes, then one loop."""
    start, at_once, rows = fresh("start"), fresh("at_once"), fresh("rows")
    parts = sorted({name for _, form in made.steps for name in form.parts})
    written = [name for name in sorted(made.writes) if name in parts and name not in made.totals]
    inner = {name for name in written if name not in used}
    columns = [shapes[name][1] for name in parts]
    products = int(any("dgemm" in line for step, _ in made.steps for line in step.lines))
    lines.append(
        f"const ptrdiff_t {at_once} = rows_at_once({made.size}, {' + '.join(map(group, columns))}, {products});"
    )
    names = {name: name if name in inner else fresh(f"{name}_part") for name in parts}
    for name in inner:
        shapes[name] = at_once, shapes[name][1]
    inside: list[str] = [
        f"const ptrdiff_t {rows} = {start} + {at_once} < {made.size} ? {at_once} : {made.size} - {start};"
    ]
    for name in parts:
        if name not in inner:
            const = "" if name in written else "const "
            inside.append(f"{const}real *const {names[name]} = {name} + (size_t){start} * {group(shapes[name][1])};")
    totals = [t for t in sorted(made.totals) if t in shapes and product(*shapes[t]) != "1"]
    yield from (Step([], name, set()) for name in [*(w for w in written if w not in inner), *totals])
    forms = {id(step): form for step, form in made.steps}
    steps = [step for step, _ in made.steps]
    for run in runs(steps, lambda step: forms[id(step)].loop, made.sets):
        loops = [loop for loop in (forms[id(step)].loop for step in run) if loop is not None]
        local = registers(run, loops, steps, inner) if len(run) > 1 else set()
        if len(run) > 1:
            inside += merged(loops, rows, local, lambda name: names.get(name, name), fresh)
        else:
            factor = f"{start} == 0 ? 0.0 : 1.0"
            inside += forms[id(run[0])].lines(rows, factor, lambda name: names.get(name, name))
        yield from _places(run, inner - local, made.sets)
    body = [line for step in steps for line in forms[id(step)].first]
    body += [f"ptrdiff_t {start} = 0;", "do {", *(f"    {line}" for line in inside)]
    body += [f"}} while (({start} += {at_once}) < {made.size});"]
    yield Step(["{", *(f"    {line}" for line in body), "}"], None, (made.reads | made.writes & set(shapes)) - inner)


def _places(run: Sequence[Step], inner: set[str], sets: Callable[[Step], set[str]]) -> Iterable[Step]:
    """Steps without lines that say how long what lies inside of a group is needed, so that its memory serves again."""
    writes = {name for step in run for name in sets(step)} & inner
    yield from (Step([], name, set()) for name in sorted(writes))
    yield Step([], None, {name for step in run for name in step.reads} & inner | writes)
