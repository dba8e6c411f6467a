"""A program with loops in little memory: every k-th state is stored, the others are computed again.

The adjoints of a step are there from the first that adds to them to the step itself: what the terms of sums pass back
is computed beside the steps, in one loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent

from matcalc.dims import Dim, plus
from matcalc.errors import NoRuleError
from matcalc.indices.program import Group, LoopSum
from matcalc.kinds import Kind
from matcalc.loops import checkpoint_helpers as helpers
from matcalc.loops.code import Writer
from matcalc.loops.library import NUMPY, Library
from matcalc.loops.nests import need_flat
from matcalc.loops.pieces import Pieces
from matcalc.naming import Names

CHECKPOINTED = Library(
    *(NUMPY.target, NUMPY.import_line, NUMPY.zeros, NUMPY.zero, NUMPY.number),
    (*NUMPY.helpers, helpers._Stretches, helpers._Values, helpers._Adjoints),
)


class CheckpointWriter(Writer):
    """Writes the function of a module.

    Args:
        every: how many steps lie between two states that are stored.
    """

    def __init__(self, pieces: Pieces, kind: Kind, directions: dict[str, str], every: int) -> None:
        super().__init__(pieces, kind, directions, CHECKPOINTED)
        self.every = every
        need_flat(self.program, "checkpoint")
        groups = [q for q in self.program.quantities if isinstance(q, Group)]
        if len(groups) != 1:
            raise NoRuleError(f"checkpoint is for programs with one loop of recurrences; here are {len(groups)}")
        self.group = groups[0]
        self.index = f"{self.group.run.name}_"
        names = Names([*self.inputs_names, *directions.values(), *self.program.recurrences, *pieces.sum_names])
        self.step, self.stretches, self.at = (names.fresh(name) for name in ("step", "stretches", "at"))

    def recurrences(self, q: Group) -> Iterator[str]:
        """A step as a function, and the values that it computes."""
        names = ", ".join(r.name for r in q.parts)
        yield f"def {self.step}({self.index}, {names}):"
        for r in q.parts:
            value = self.forwards(self.pieces.steps[r])
            yield f"    {r.name}[{self.place(q.run.name, 0, r.lowest)}] = {value}"
        starts = []
        for r in q.parts:
            inside = (f"{self.size(plus(p, -r.lowest))}: {self.forwards(self.pieces.starts[r, p])}" for p in r.starts)
            starts.append(f"{{{', '.join(inside)}}}")
        lows = ", ".join(self.size(r.lowest) for r in q.parts)
        ends = f"{self.size(q.run.first)}, {self.size(plus(q.run.last, 1))}"
        made = f"_Stretches({self.step}, [{', '.join(starts)}], [{lows}], {ends}, {self.lag(q)}, {self.every})"
        yield f"{self.stretches} = {made}"
        for k, r in enumerate(q.parts):
            yield f"{r.name} = _Values({self.stretches}, {k})"

    def lag(self, q: Group) -> int:
        """How far back the steps look."""
        found: list[Dim] = [1]
        for r in q.parts:
            assert r.body is not None
            found += [-m.at for _, m in self.program.used(r.body) if m.of in {p.name for p in q.parts}]
        return max(int(at) for at in found)

    def zero_adjoints(self) -> Iterator[str]:
        """All adjoints, before anything is added; those of steps come and go."""
        own = {f"{self.adjoint(r.name)} = ": r for r in self.group.parts}
        for line in super().zero_adjoints():
            r = next((r for head, r in own.items() if line.startswith(head)), None)
            if r is None:
                yield line
            else:
                assert r.shape is not None
                yield f"{self.adjoint(r.name)} = _Adjoints({self.zeros(r.shape)})"

    # -------------------------------------------------------------------------------------------- backwards

    def beside(self) -> dict[LoopSum, tuple[int, int]]:
        """The sums whose terms are passed back beside the steps: by how much the values that they use run ahead."""
        found = {}
        own = {r.name for r in self.group.parts}
        used = {v for q in self.program.quantities if isinstance(q, LoopSum) for v in self.pieces.sums[q].active}
        for q in self.program.quantities:
            if not isinstance(q, LoopSum) or not self.pieces.is_active(q.value.name) or q.value in used:
                continue
            members = [m for v in self.pieces.sums[q].active if (m := self.program.members.get(v)) and m.of in own]
            ats = [m.at for m in members if m.index == q.run.name and isinstance(m.at, int)]
            if ats and len(ats) == len(members):
                found[q] = min(ats), max(ats)
        return found

    def backward(self) -> Iterator[str]:
        """The adjoints, from the value back."""
        yield from self.zero_adjoints()
        yield from self.passed(self.pieces.out)
        beside = self.beside()
        for q in reversed(self.program.quantities):
            if isinstance(q, Group):
                yield from self.through_stretches(q, beside)
            elif self.pieces.is_active(q.value.name) and q not in beside:
                yield self.range(q.run, backwards=True)
                yield from (f"    {line}" for line in self.passed(self.pieces.sums[q]))

    def through_stretches(self, q: Group, beside: dict[LoopSum, tuple[int, int]]) -> Iterator[str]:
        """The steps backwards, beside them the terms of sums, then the starts."""
        active = [r for r in q.parts if self.pieces.is_active(r.name)]
        runs = [(q.run, 0), *((s.run, ahead) for s, (_, ahead) in beside.items())]
        last = ", ".join(self.size(plus(run.last, ahead)) for run, ahead in runs)
        first = ", ".join(self.size(plus(run.first, ahead)) for run, ahead in runs)
        ends = (f"max({last})", f"min({first})") if beside else (last, first)
        yield f"for {self.at} in range({ends[0]}, {ends[1]} - 1, -1):"
        for s, (_, ahead) in beside.items():
            yield (
                f"    {s.run.name}_ = {self.at} - {ahead}"
                if ahead >= 0
                else f"    {s.run.name}_ = {self.at} + {-ahead}"
            )
            yield from self.inside(s, list(self.passed(self.pieces.sums[s])))
        yield f"    {self.index} = {self.at}"
        steps = [line for r in reversed(active) for line in self.passed(self.pieces.steps[r])]
        steps += [f"{self.adjoint(r.name)}.pop({self.place(q.run.name, 0, r.lowest)}, None)" for r in active]
        yield from self.inside(q, steps)
        for r in active:
            for position in r.starts:
                yield from self.passed(self.pieces.starts[r, position])

    def inside(self, q: Group | LoopSum, lines: list[str]) -> Iterator[str]:
        """Lines that hold where the index lies in its range."""
        yield f"    if {self.size(q.run.first)} <= {q.run.name}_ <= {self.size(q.run.last)}:"
        yield indent("\n".join(lines), " " * 8)
