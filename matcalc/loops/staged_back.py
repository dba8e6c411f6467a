"""The adjoints of a program with loops for NumPy, beside `staged.py`: what a loop passes back."""

from __future__ import annotations

from collections.abc import Iterator

from matcalc import core
from matcalc.expr import Expr, record
from matcalc.indices.contraction import NoMatrixError
from matcalc.indices.program import Group, LoopSum, Recurrence, Run
from matcalc.loops.hoisting import Hoister
from matcalc.loops.looping import Loop
from matcalc.loops.nests import is_apart
from matcalc.loops.pieces import Piece
from matcalc.loops.staged import StagedWriter, is_zero
from matcalc.walk import substitute, variables


class BackwardWriter(StagedWriter):
    """Writes the function of a module whose loops run backwards too."""

    def backward(self) -> Iterator[str]:
        """The adjoints, from the value back."""
        for q in reversed(self.program.quantities):
            if isinstance(q, Group):
                yield from self.through_time(q, [r for r in q.parts if self.pieces.is_active(r.name)])
            elif q.value not in self.in_output and self.adjoint(q.value.name) in self.begun:
                yield from self.passed_by_sum(q)

    def passed_by_sum(self, q: LoopSum) -> Iterator[str]:
        """What a sum passes back: in stacks, or in a loop over its terms."""
        label = f"back_{q.value.name}"
        adjoint = self.pieces.adjoint_of(q.value)
        if q in self.lifted:
            yield from self.passing(label, self.piece_of(self.lifted[q], adjoint).exact_gradients)
            return
        yield from self.passed_by_terms(label, self.pieces.sums[q], q, q.run)

    def passed_by_terms(self, label: str, piece: Piece, q: LoopSum | Recurrence, run: Run) -> Iterator[str]:
        """What the terms of a sum pass back, in a loop over them."""
        added = [(v, g) for v, g in piece.exact_gradients.items() if not is_zero(g)]
        loop = Loop(run, added=added, inner=q.inner, guards=q.guards)
        for v, _ in loop.added:
            yield from self.begin_for_loop(v)
        if loop.added:
            yield from self.looped(label, loop)

    def begin_for_loop(self, v: Expr) -> Iterator[str]:
        """What a loop adds to must be there; numbers are returned instead."""
        if not v.is_scalar or v in self.program.members:
            yield from self.begin(v)

    # -------------------------------------------------------------------------------------------- through time

    def through_time(self, q: Group, active: list[Recurrence]) -> Iterator[str]:
        """The loop of a group backwards, then the gradients by all else, then its starts."""
        if is_apart(q):
            if active and self.adjoint(active[0].name) in self.begun:
                step_piece = self.pieces.steps[active[0]]
                yield from self.passed_by_terms(f"back_{active[0].name}", step_piece, active[0], q.run)
            return
        step = _Step(self, q, active)
        label = q.parts[0].name
        hoister = self.hoister(q.run, lambda what: what.of in step.moving)
        loop = step.loop(hoister)
        yield from step.begins()
        yield from self.before(f"before_back_{label}", q.run, hoister)
        if loop.stores or loop.added:
            yield from self.looped(f"back_{label}", loop)
        yield from step.gradients(f"gradients_{label}")
        for r in active:
            for position in r.starts:
                if self.adjoint(r.name) in self.begun:
                    start = self.pieces.starts[r, position]
                    yield from self.passing(f"back_{start.label}", start.exact_gradients)


class _Step:
    """One step of the adjoint recurrences of a group, and what is passed on after all steps."""

    def __init__(self, writer: BackwardWriter, q: Group, active: list[Recurrence]) -> None:
        self.writer, self.q, self.active = writer, q, active
        self.program, self.pieces = writer.program, writer.pieces
        self.own = {r.name: r for r in active}
        self.moving = {writer.adjoint(r.name) for r in active}
        self.totals: dict[Expr, Expr] = {}  # by the adjoint of a step: its value, once all is added
        self.lagged: dict[Expr, list[Expr]] = {}
        self.passed: list[tuple[Expr, Expr]] = []  # to what does not belong to the group
        self.later: list[tuple[Expr, Expr]] = []  # of these, what is added in the loop
        self.after: dict[Expr, list[Expr]] = {}  # and what is added after it, in stacks
        self.kept: set[Expr] = set()  # the adjoints of a step that are needed after the loop
        self.arrays: list[str] = []
        self.collect()
        self.sort()

    def collect(self) -> None:
        """All contributions, from the last part of a step back."""
        at_once: dict[str, list[Expr]] = {}
        behind = {
            self.program.members[v].of
            for r in self.active
            for v, g in self.pieces.steps[r].exact_gradients.items()
            if self.is_own(v) and self.program.members[v].at != 0 and not is_zero(g)
        }
        for r in reversed(self.active):
            piece = self.pieces.steps[r]
            assert piece.adjoint is not None
            name = self.writer.adjoint(r.name)
            terms = at_once.get(r.name, [])
            if name in self.writer.begun or r.name in behind:
                self.arrays.append(r.name)
                terms = [piece.adjoint, *terms]
            if not terms:
                continue
            total = terms[0] if terms == [piece.adjoint] else core.named(self.named(piece.adjoint), core.add(*terms))
            self.totals[piece.adjoint] = total
            for v, g in piece.exact_gradients.items():
                g = substitute(g, self.own_value(r, piece))
                if is_zero(g):
                    continue
                if not self.is_own(v):
                    self.passed.append((v, g))
                elif self.program.members[v].at == 0:
                    at_once.setdefault(self.program.members[v].of, []).append(substitute(g, {piece.adjoint: total}))
                else:
                    self.lagged.setdefault(v, []).append(substitute(g, {piece.adjoint: total}))

    def named(self, adjoint: Expr) -> str:
        """The name of the whole adjoint of a step."""
        return self.pieces.names.fresh(self.pieces.identified(adjoint).name)

    def is_own(self, v: Expr) -> bool:
        """Whether a variable is a value of the group at a step."""
        what = self.program.members.get(v)
        return what is not None and what.of in self.own and what.index == self.q.run.name

    def own_value(self, r: Recurrence, piece: Piece) -> dict[Expr, Expr]:
        """The value that a step computes, and its name; not where 1 minus it would lose digits, as of tanh."""
        entrywise = record(piece.body.op).scalar_function is not None
        if not piece.body.args or (entrywise and piece.body.op != "exp"):
            return {}
        return {piece.body: self.program.of_family(r.name, self.q.run.name, 0)}

    # -------------------------------------------------------------------------------------------- where they go

    def sort(self) -> None:
        """What is passed on after all steps, in stacks; the rest is left to the loop."""
        stacker = self.writer.stacker(self.q.run)
        for v, g in self.passed:
            what = self.program.members.get(v)
            try:
                if what is None or what.index != self.q.run.name:
                    target: Expr | None = v
                    value = stacker.summed(g)
                else:
                    target = self.writer.stack(v, self.q.run)
                    value = stacker.stacked(g)
                assert target is not None
                self.after.setdefault(target, []).append(value)
                self.kept |= {a for a in self.totals if a in variables((g,))}
            except NoMatrixError:
                self.later.append((v, substitute(g, self.totals)))

    def begins(self) -> Iterator[str]:
        """The arrays that the loop writes to."""
        for a, total in self.totals.items():
            name = self.program.members[a].of.removeprefix(self.pieces.prefix)
            if name in self.arrays or (a in self.kept and total is not a):
                yield from self.writer.begin(self.program.of_family(name, self.q.run.name, 0))
        for v, _ in self.later:
            yield from self.writer.begin_for_loop(v)

    def loop(self, hoister: Hoister) -> Loop:
        """The loop backwards."""
        stores = [(a, total) for a, total in self.totals.items() if a in self.kept and total is not a]
        added = [*((v, core.add(*parts)) for v, parts in self.lagged.items()), *self.later]
        values = iter(hoister.hoisted([e for _, e in (*stores, *added)]))
        made = Loop(self.q.run, backwards=True)
        made.stores = [(v, next(values)) for v, _ in stores]
        made.added = [(v, next(values)) for v, _ in added]
        return made

    def gradients(self, label: str) -> Iterator[str]:
        """What is passed on after all steps."""
        yield from self.writer.passing(label, {v: core.add(*parts) for v, parts in self.after.items()})
