"""A program with one loop of recurrences, cut into stretches of steps: what gradients in little memory are made of.

A stretch is a program of its own: its steps are 1..L, its starts the states that enter it, and its function is what it
adds to sums and passes on, weighted. The gradient by the weights is the stretch forwards, that by all else backwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from matcalc import core
from matcalc.dims import Dim, plus, surely_nonnegative, symbol
from matcalc.errors import NoRuleError
from matcalc.expr import Expr
from matcalc.indices.program import Family, Group, LoopSum, Member, Program, Recurrence, Run
from matcalc.loops.nests import need_flat
from matcalc.loops.pieces import Pieces
from matcalc.properties import names_of
from matcalc.walk import substitute, variables

REFUSED = "checkpoint is not available for this program in this target (numpy may have it): "


@dataclass(frozen=True)
class Cut:
    """A part of an input that a stretch reads: `name` is `of` along an axis, `begin` places from the step before it on.

    It has as many entries as the stretch has steps, and `more`.
    """

    name: str
    of: str
    axis: int
    begin: int
    more: int


@dataclass(frozen=True, eq=False)
class Stretch:
    """A program for steps from `first` to `last` in which the same sums run.

    Attributes:
        program, output, declared: of a stretch of L of these.
        whole: the inputs that it takes as they are.
        cuts: the inputs of which it takes a part.
        moved: whether it takes the number of the step before it.
    """

    first: Dim
    last: Dim
    program: Program
    output: Expr
    declared: list[Expr]
    whole: list[str]
    cuts: list[Cut]
    moved: bool


class Stretches:
    """The parts of a program that is cut into stretches.

    Attributes:
        steps: the size L.
        offset: the number of the step before a stretch.
        entering, leaving: for each state of a recurrence that is passed on, by its age, the variable for its value and
            that for its weight.
        begun: the variables for the values of starts, by recurrence and position.
        weights, totals: the variables for the weight of each sum and for its value.

    Raises:
        NoRuleError: the program has no such parts.
    """

    def __init__(self, pieces: Pieces) -> None:
        self.pieces, self.program = pieces, pieces.program
        need_flat(self.program, "checkpoint")
        groups = [q for q in self.program.quantities if isinstance(q, Group)]
        if len(groups) != 1:
            raise NoRuleError(f"checkpoint is for programs with one loop of recurrences; here are {len(groups)}")
        self.group = groups[0]
        if not isinstance(self.group.run.first, int) or any(r.largest for r in self.group.parts):
            raise NoRuleError(f"{REFUSED}the recurrence is not of a plain kind")
        self.first: int = self.group.run.first
        self.own = {r.name: r for r in self.group.parts}
        self.names = pieces.fresh_names()
        self.steps = symbol(self.names.fresh("steps"))
        self.offset = core.var(self.names.fresh("before"), 1, 1, ["constant"])
        self.beside = self._beside()
        self.ages = self._ages()
        self.entering = {key: self._state(key, "from") for key in self._keys()}
        self.leaving = {key: self._state(key, "to") for key in self._keys()}
        self.begun = {(r, p): self._state((r, p), "start") for r in self.group.parts for p in r.starts}
        self.weights = {q: core.var(self.names.fresh(f"weight_{q.value.name}"), *q.value.shape) for q in self.beside}
        self.totals = {q: core.var(self.names.fresh(f"total_{q.value.name}"), *q.value.shape) for q in self.beside}
        self.stretches = list(self._stretches())

    # -------------------------------------------------------------------------------------------- what there is

    def _keys(self) -> list[tuple[Recurrence, int]]:
        return [(r, age) for r in self.group.parts for age in range(1, self.ages[r] + 1)]

    def _state(self, key: tuple[Recurrence, int], word: str) -> Expr:
        r, at = key
        assert r.shape is not None
        return core.var(self.names.fresh(f"{word}_{r.name}_{abs(at)}"), *r.shape)

    def _beside(self) -> dict[LoopSum, int]:
        """The sums that use states: by how much the last that they use is ahead of their index."""
        values = {q.value for q in self.program.quantities if isinstance(q, LoopSum)}
        found: dict[LoopSum, int] = {}
        for q in self.program.quantities:
            bodies = [q.body] if isinstance(q, LoopSum) else [r.body for r in q.parts if r.body is not None]
            starts = [] if isinstance(q, LoopSum) else [s for r in q.parts for s in r.starts.values()]
            if values & set(variables((*bodies, *starts))):
                raise NoRuleError(f"{REFUSED}a sum is used by another, or by a step")
            if not isinstance(q, LoopSum):
                continue
            used = [m for _, m in self.program.used(q.body) if m.of in self.own]
            if not used:
                continue
            if q.largest:
                raise NoRuleError(f"{REFUSED}the sum over {q.run.name} is computed relative to its largest term")
            if not isinstance(q.run.first, int) or any(m.index != q.run.name for m in used):
                raise NoRuleError(f"{REFUSED}the sum over {q.run.name} uses states in another way")
            found[q] = max(_whole(m.at) for m in used)
        return found

    def _ages(self) -> dict[Recurrence, int]:
        """How many of the last values of each recurrence are passed on from a stretch to the next."""
        ages = dict.fromkeys(self.group.parts, 0)
        for r in self.group.parts:
            assert r.body is not None
            for _, m in self.program.used(r.body):
                if m.of in self.own:
                    self._need(m.index == self.group.run.name, f"{m.of} is used at a fixed place inside of a step")
                    ages[self.own[m.of]] = max(ages[self.own[m.of]], -_whole(m.at))
        for q, ahead in self.beside.items():
            for _, m in self.program.used(q.body):
                if m.of in self.own:
                    ages[self.own[m.of]] = max(ages[self.own[m.of]], ahead - _whole(m.at))
        for r, back in (found for e in self._outside() for found in self._ends(e)):
            ages[r] = max(ages[r], back + 1)
        return ages

    def _outside(self) -> list[Expr]:
        """The output, and the sums without states."""
        rest = [q.body for q in self.program.quantities if isinstance(q, LoopSum) and q not in self.beside]
        return [self.pieces.output, *rest]

    def _ends(self, e: Expr) -> Iterable[tuple[Recurrence, int]]:
        """The states at the end that an expression uses: by how much they are before the last."""
        for _, m in self.program.used(e):
            if m.of in self.own and not isinstance(m.at, int):
                back = plus(self.group.run.last, -m.at)
                if not isinstance(back, int) or m.index:
                    raise NoRuleError(f"{REFUSED}{m.of} is used between its ends")
                yield self.own[m.of], back

    def _need(self, holds: bool, why: str) -> None:
        if not holds:
            raise NoRuleError(f"{REFUSED}{why}")

    # -------------------------------------------------------------------------------------------- stretches

    def _stretches(self) -> Iterable[Stretch]:
        """One for each range of steps in which the same sums run."""
        begins = sorted({self.first, *(max(self.first, _whole(q.run.first) + a) for q, a in self.beside.items())})
        ends = {q: plus(q.run.last, a) for q, a in self.beside.items()}
        ordered = sorted({_whole(plus(self.group.run.last, -end)) for end in ends.values()} | {0}, reverse=True)
        self._need(not ordered or ordered[-1] == 0, "a sum ends behind the recurrence")
        lasts = [plus(self.group.run.last, -back) for back in ordered]
        pairs = [(a, b - 1) for a, b in zip(begins, begins[1:])]
        pairs += [(begins[-1], lasts[0]), *((plus(a, 1), b) for a, b in zip(lasts, lasts[1:]))]
        for first, last in pairs:
            running = []
            for q, ahead in self.beside.items():
                started = surely_nonnegative(plus(first, -_whole(q.run.first), -ahead)) or not isinstance(first, int)
                over = not isinstance(first, int) and surely_nonnegative(plus(first, -1, -ends[q]))
                if started and not over:
                    running.append(q)
            yield self._stretch(first, last, running)

    def _stretch(self, first: Dim, last: Dim, running: Sequence[LoopSum]) -> Stretch:
        """The program of a stretch."""
        bodies = [(r.body, self.group.run.name, 0) for r in self.group.parts if r.body is not None]
        bodies += [(q.body, q.run.name, self.beside[q]) for q in running]
        made = _Here(self, Program(), bodies)
        group: list[Recurrence] = []
        for r in self.group.parts:
            assert r.body is not None
            starts = {1 - age: v for (of, age), v in self.entering.items() if of is r}
            run = Run(self.group.run.name, 1, self.steps)
            new = Recurrence(r.name, r.shape, starts, run, None)
            made.program.recurrences[r.name] = new
            group.append(new)
        for r, new in zip(self.group.parts, group):
            assert r.body is not None
            new.body = made.moved(r.body)
        made.program.quantities.append(Group(Run(self.group.run.name, 1, self.steps), tuple(group)))
        terms = []
        for q in running:
            ahead = self.beside[q]
            run = Run(q.run.name, 1 - ahead, plus(self.steps, -ahead))
            made.program.quantities.append(LoopSum(q.value, run, made.moved(q.body)))
            terms.append(_weighted(self.weights[q], q.value))
        for (r, age), weight in self.leaving.items():
            terms.append(_weighted(weight, made.program.of_family(r.name, "", plus(self.steps, 1 - age))))
        states = [*self.entering.values(), *self.leaving.values(), *(self.weights[q] for q in running)]
        moved = self.offset in made.declared
        rest = [v for v in made.declared if v is not self.offset]
        declared = [*rest, *states, *([self.offset] if moved else [])]
        return Stretch(first, last, made.program, core.add(*terms), declared, made.whole, made.cuts, moved)

    # -------------------------------------------------------------------------------------------- the ends

    def start(self) -> tuple[Program, Expr]:
        """The program whose gradient by the weights are the starts."""
        program = Program(dict(self.program.families), {}, [], dict(self.program.members))
        terms = [_weighted(v, r.starts[p]) for (r, p), v in self.begun.items()]
        return program, core.add(*terms)

    def out(self) -> tuple[Program, Expr]:
        """The program of the value: in the sums, and in states at the ends as variables."""
        program = Program(dict(self.program.families), dict(self.program.recurrences), [], dict(self.program.members))
        table: dict[Expr, Expr] = {}
        for q, ahead in self.beside.items():
            early = range(_whole(q.run.first), self.first - ahead)
            terms = [substitute(q.body, program.placed(q.body, q.run.name, place)) for place in early]
            table[q.value] = core.add(self.totals[q], *terms) if terms else self.totals[q]
        quantities = [q for q in self.program.quantities if isinstance(q, LoopSum) and q not in self.beside]
        output = substitute(self.pieces.output, table)
        states = {v: self._at(m) for v, m in program.used(output) if m.of in self.own}
        output = substitute(output, states)
        program.recurrences = {}
        for q in quantities:
            fixed = {v: self._at(m) for v, m in program.used(q.body) if m.of in self.own}
            program.quantities.append(replace(q, body=substitute(q.body, fixed)))
        return program, output

    def _at(self, m: Member) -> Expr:
        """The variable for a state at one of the ends."""
        r = self.own[m.of]
        if isinstance(m.at, int):
            if (r, m.at) in self.begun:
                return self.begun[r, m.at]
            raise NoRuleError(f"{REFUSED}{r.name}[{m.at}] is used, which is not at an end")
        back = _whole(plus(self.group.run.last, -m.at))
        return self.entering[r, back + 1]


class _Here:
    """What stands in a stretch: parts of inputs, with places that count from its first step."""

    def __init__(self, whole: Stretches, program: Program, bodies: Sequence[tuple[Expr, str, int]]) -> None:
        self.of, self.program = whole, program
        self.declared: list[Expr] = []
        self.whole: list[str] = []
        self.cuts: list[Cut] = []
        self.made: dict[tuple[str, int], tuple[Expr | None, int]] = {}
        self.spans: dict[tuple[str, int], list[int]] = {}
        for body, index, ahead in bodies:
            for _, m in whole.program.used(body):
                if m.of not in whole.own and (m.of or m.base is not None):
                    whole._need(m.index == index and not m.other, f"{m.of or m.base} has a place of its own in a step")
                    name, axis, at = _side(m)
                    self.spans.setdefault((name, axis), []).append(at - ahead)
        for (name, axis), ats in self.spans.items():
            self._cut(name, axis, min(ats), max(ats))

    def _cut(self, name: str, axis: int, low: int, high: int) -> None:
        """A part of an input: places 1 + low to L + high of the stretch."""
        size = plus(self.of.steps, high - low)
        family = self.of.program.families.get(name)
        here = self.of.names.fresh(f"{name}_here")
        if family is not None:
            first = _whole(family.run.first)
            run = Run(family.run.name, 1 + low, plus(self.of.steps, high))
            self.program.families[here] = Family(here, run, family.shape, family.facts)
            self.made[name, axis] = (None, 0)
        else:
            first, base = 1, self.of.pieces.declared[name]
            shape = (size, base.shape[1]) if axis == 0 else (base.shape[0], size)
            part = core.var(here, *shape)
            self.declared.append(part)
            self.made[name, axis] = (part, low)
        self.cuts.append(Cut(here, name, axis, low + 1 - first, high - low))

    def moved(self, e: Expr) -> Expr:
        """An expression in the places of the stretch."""
        table: dict[Expr, Expr] = {}
        for v in variables((e,)):
            m = self.of.program.members.get(v)
            if m is None:
                if v not in self.declared:
                    self.declared.append(v)
                    self.whole.append(v.name)
            elif m.of in self.of.own:
                table[v] = self.program.of_family(m.of, m.index, m.at)
            elif m.of:
                here = next(c.name for c in self.cuts if c.of == m.of)
                table[v] = self.program.of_family(here, m.index, m.at)
            elif m.base is None:
                number = self.program.member(m.index, (1, 1), Member("", None, m.index), names_of(v.params[3]))
                self.declared += [] if self.of.offset in self.declared else [self.of.offset]
                table[v] = core.plus(number, self.of.offset)
            else:
                name, axis, at = _side(m)
                part, low = self.made[name, axis]
                assert part is not None
                rows, columns = (at - low, None) if axis == 0 else (None, at - low)
                table[v] = self.program.slice_member(part, m.index, rows, columns)
        return substitute(e, table)


def _side(m: Member) -> tuple[str, int, int]:
    """What a member is a part of, along which axis, and at which distance from the index."""
    if m.of:
        return m.of, 0, _whole(m.at)
    assert m.base is not None
    if m.rows is not None and m.columns is not None:
        raise NoRuleError(f"{REFUSED}{m.base.name} has the index on both sides")
    axis, at = (0, m.rows) if m.rows is not None else (1, m.columns)
    assert at is not None
    return m.base.name, axis, _whole(at)


def _whole(at: Dim) -> int:
    if not isinstance(at, int):
        raise NoRuleError(f"{REFUSED}a place is not at a fixed distance from the step")
    return at


def _weighted(weight: Expr, value: Expr) -> Expr:
    if value.is_scalar:
        return core.scale(weight, value)
    return core.trace(core.matmul(core.transpose(weight), value))
