"""A program with loops for JAX: recurrences and their adjoints by `lax.scan`, sums by `vmap`; it can be jitted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from textwrap import indent

from matcalc.dims import Dim, Shape, plus
from matcalc.expr import Expr
from matcalc.indices.program import Group, Guard, LoopSum, Member, Recurrence, Run
from matcalc.kinds import GRADIENT
from matcalc.loops import portable_helpers as helpers
from matcalc.loops.code import Writer
from matcalc.loops.library import Library
from matcalc.loops.nests import guards_text
from matcalc.loops.pieces import Piece

JAX = Library(
    "jax",
    "import jax\nimport jax.numpy as jnp\nfrom jax import lax",
    "jnp.zeros(({0}))",
    "jnp.zeros(())",
    "_real(jnp, {0})",
    (
        *(helpers._sizes, helpers._size, helpers._real, helpers._matrix, helpers._members),
        *(helpers._like, helpers._all_like),
    ),
    moved=False,
)


class ScanWriter(Writer):
    """Writes the functions of a module; families and recurrences are arrays whose first axis is the index."""

    inside: Group | None = None  # the group whose step is written: its values are names

    # -------------------------------------------------------------------------------------------- inputs and results

    def checked(self, name: str, shape: str) -> str:
        """An input as a matrix."""
        return f'{name} = _matrix(jnp, "{name}", {name}, {shape}, dims)'

    def checked_members(self, name: str, shape: str, first: str, last: str) -> str:
        """An input as the members of a family."""
        return f'{name} = _members(jnp, "{name}", {name}, {shape}, {first}, {last}, dims)'

    def number_result(self) -> str:
        """The value as it is returned."""
        return "value"

    def returned(self, name: str) -> str:
        """A gradient in the form of the input."""
        return super().returned(name).replace("(", "(jnp, ", 1)

    # -------------------------------------------------------------------------------------------- values

    def steps(self, run: Run) -> str:
        """The values of an index."""
        return f"jnp.arange({self.size(run.first)}, {self.size(plus(run.last, 1))})"

    def member(self, what: Member, shape: Shape, prefix: str) -> str:
        """A member's value, or its adjoint."""
        if self.inside is not None and what.index == self.inside.run.name and not prefix:
            for r in self.inside.parts:
                if r.name == what.of:
                    return f"{r.name}_{-what.at}"
        if what.base is None:
            return super().member(what, shape, prefix)
        sides = self.sides(what)
        name = f"{prefix}{what.base.name}"
        if shape == (1, 1):
            return f"{name}[{', '.join(s or '0' for s in sides)}]"
        return f"{name}[{sides[0]}][None, :]" if sides[0] is not None else f"{name}[:, {sides[1]}][:, None]"

    def sides(self, what: Member) -> list[str | None]:
        """The row and the column of an entry, or None where a side is whole."""
        pairs = ((what.rows, what.index), (what.columns, what.other or what.index))
        return [None if s is None else self.place(index, s, 1) for s, index in pairs]

    def added(self, v: Expr, part: str) -> tuple[str, str]:
        """The adjoint to which a part is added, and the sum."""
        what, prefix = self.program.members.get(v), self.pieces.prefix
        if what is None:
            return f"{prefix}{v.name}", f"{prefix}{v.name} + {part}"
        name = f"{prefix}{what.of if what.base is None else what.base.name}"
        if what.base is None:
            return name, f"{name}.at[{self.place(what.index, what.at, self.low(what.of))}].add({part})"
        sides = self.sides(what)
        if v.is_scalar:
            return name, f"{name}.at[{', '.join(s or '0' for s in sides)}].add({part})"
        if sides[0] is not None:
            return name, f"{name}.at[{sides[0]}, :].add({part}[0])"
        return name, f"{name}.at[:, {sides[1]}].add({part}[:, 0])"

    def summed(self, q: LoopSum) -> Iterator[str]:
        """A sum, or the largest value: all terms at once."""
        name = q.value.name
        yield f"{name} = {self.zeros(q.value.shape)}"
        yield self.unless_empty(*q.runs)
        yield f"    {name} = {self.all_terms(q, q.runs, self.forwards(self.pieces.sums[q]))}"
        if q.largest:
            yield f"{name} = jnp.where(jnp.isfinite({name}), {name}, 0)"

    def all_terms(self, q: LoopSum | Recurrence, runs: Sequence[Run], term: str) -> str:
        """The sum of all terms, or the largest of them."""
        take, least = ("max", "-jnp.inf") if q.largest else ("sum", "0")
        if q.guards:
            term = f"jnp.where({guards_text(q.guards, self.size, ' & ', '({0})')}, {term}, {least})"
        return f"jnp.{take}({self.over_all(runs, term)}, axis={_axes(range(len(runs)))})"

    def over_all(self, runs: Sequence[Run], value: str) -> str:
        """All values of an expression, whose first axes are the indices."""
        for run in reversed(runs):
            value = f"jax.vmap(lambda {run.name}_: {value})({self.steps(run)})"
        return value

    def recurrences(self, q: Group) -> Iterator[str]:
        """The states of a group: a scan that carries the last of them."""
        lags = {r: self.lag(q, r) for r in q.parts}
        names = [f"{r.name}_{k}" for r, lag in lags.items() for k in range(1, lag + 1)]
        first: list[str] = []
        for r, lag in lags.items():
            for p in sorted(r.starts):
                yield f"{r.name}_start_{abs(p)} = {self.start(r, p)}"
            for k in range(1, lag + 1):
                assert isinstance(q.run.first, int)
                first.append(f"{r.name}_start_{abs(q.run.first - k)}")
        step = f"step_{q.parts[0].name}"
        yield f"def {step}(carry, {q.run.name}_):"
        if names:
            yield f"    {_tuple(names)} = carry"
        self.inside = q
        for r in q.parts:
            yield f"    {r.name}_0 = {self.step_value(r)}"
            if r.largest:
                yield f"    {r.name}_0 = jnp.where(jnp.isfinite({r.name}_0), {r.name}_0, 0)"
        self.inside = None
        carried = [f"{r.name}_{k - 1}" for r, lag in lags.items() for k in range(1, lag + 1)]
        yield f"    return {_tuple(carried)}, {_tuple([f'{r.name}_0' for r in q.parts])}"
        yield self.unless_empty(q.run)
        yield f"    _, {_tuple([r.name for r in q.parts])} = lax.scan({step}, {_tuple(first)}, {self.steps(q.run)})"
        yield "else:"
        for r in q.parts:
            assert r.shape is not None
            sizes = [] if r.shape == (1, 1) else [*map(self.size, r.shape)]
            yield f"    {r.name} = jnp.zeros(({', '.join(['0', *sizes])},))"
        for r in q.parts:
            if r.starts:
                starts = ", ".join(f"{r.name}_start_{abs(p)}" for p in sorted(r.starts))
                yield f"{r.name} = jnp.concatenate([jnp.stack([{starts}]), {r.name}])"

    def step_value(self, r: Recurrence) -> str:
        """The value of a step."""
        value = self.forwards(self.pieces.steps[r])
        if not r.inner:
            return value
        assert r.shape is not None
        return f"{self.all_terms(r, r.inner, value)} if {self.filled(*r.inner)} else {self.zeros(r.shape)}"

    def unless_empty(self, *runs: Run) -> str:
        """The condition that loops have steps: what has none is not traced."""
        return f"if {self.filled(*runs)}:"

    def filled(self, *runs: Run) -> str:
        """Whether loops have steps."""
        return " and ".join(f"{self.size(run.first)} <= {self.size(run.last)}" for run in runs)

    def start(self, r: Recurrence, position: int) -> str:
        """A start, of the floating type."""
        assert r.shape is not None
        return f"{self.zeros(r.shape)} + {self.forwards(self.pieces.starts[r, position])}"

    def lag(self, q: Group, r: Recurrence) -> int:
        """How far back the steps of a group look at the values of one of its recurrences."""
        found: list[Dim] = [0]
        for part in q.parts:
            assert part.body is not None
            found += [-m.at for _, m in self.program.used(part.body) if m.of == r.name and m.index == q.run.name]
        return max(int(at) for at in found)

    # -------------------------------------------------------------------------------------------- backwards

    def zero_adjoints(self) -> Iterator[str]:
        """All adjoints, before anything is added."""
        for name, v in self.pieces.declared.items():
            if self.pieces.is_active(name):
                yield f"{self.adjoint(name)} = {self.zeros(v.shape)}"
        found = [q.value.name for q in self.program.quantities if isinstance(q, LoopSum)]
        for name in (*self.program.families, *self.program.recurrences, *found):
            if self.pieces.is_active(name):
                yield f"{self.adjoint(name)} = jnp.zeros_like({name})"

    def backward(self) -> Iterator[str]:
        """The adjoints, from the value back."""
        yield from self.zero_adjoints()
        yield from self.passed(self.pieces.out)
        for q in reversed(self.program.quantities):
            if isinstance(q, LoopSum):
                if self.pieces.is_active(q.value.name):
                    yield self.unless_empty(*q.runs)
                    yield from (f"    {line}" for line in self.all_passed(self.pieces.sums[q], q.runs, q.guards))
                continue
            active = [r for r in q.parts if self.pieces.is_active(r.name)]
            yield from self.through_time(q, active)

    def passed(self, piece: Piece) -> Iterator[str]:
        """What a piece passes back, added to the adjoints."""
        if not piece.active:
            return
        call = self.call(piece, GRADIENT, f"back_{piece.label}")
        parts = self.parts(len(piece.active))
        yield f"{', '.join(parts)} = {call}"
        for v, part in zip(piece.active, parts):
            name, total = self.added(v, part)
            yield f"{name} = {total}"

    def all_passed(self, piece: Piece, runs: Sequence[Run], guards: Sequence[Guard]) -> Iterator[str]:
        """What all terms of a sum pass back, at once."""
        if not piece.active:
            return
        call = self.call(piece, GRADIENT, f"back_{piece.label}")
        parts = self.parts(len(piece.active) + 1)
        mask = parts.pop()
        yield f"{', '.join(parts)} = {self.over_all(runs, call)}"
        if guards:
            yield f"{mask} = {self.over_all(runs, guards_text(guards, self.size, ' & ', '({0})'))}"
        for run in runs:
            yield f"{run.name}_ = {self.steps(run)}"
        for v, part in zip(piece.active, parts):
            if guards:
                axes = f"{mask}.shape + (1,) * ({part}.ndim - {len(runs)})"
                yield f"{part} = jnp.where({mask}.reshape({axes}), {part}, 0)"
            name, total = self.added_all(v, part, [run.name for run in runs])
            yield f"{name} = {total}"

    def added_all(self, v: Expr, part: str, runs: list[str]) -> tuple[str, str]:
        """The adjoint to which parts are added, whose first axes are the indices, and the sum."""
        what = self.program.members.get(v)
        own = [name for name in (() if what is None else what.indices) if name in runs]
        rest = [k for k, name in enumerate(runs) if name not in own]
        whole = f"jnp.sum({part}, axis={_axes(rest)})" if rest else part
        if not own or what is None:
            return self.added(v, whole)
        if len(own) == 2:
            assert what.base is not None
            rows, columns = self.sides(what)
            name = f"{self.pieces.prefix}{what.base.name}"
            turned = f"{whole}.T" if runs.index(own[0]) > runs.index(own[1]) else whole
            return name, f"{name}.at[({rows})[:, None], ({columns})[None, :]].add({turned})"
        name, total = self.added(v, whole)
        if what.base is not None and not v.is_scalar:
            if what.rows is not None:
                return name, total.replace(f"{whole}[0]", f"{whole}[:, 0]")
            return name, total.replace(f"{whole}[:, 0]", f"{whole}[:, :, 0].T")
        return name, total

    def through_time(self, q: Group, active: list[Recurrence]) -> Iterator[str]:
        """The scan of a group backwards, then its starts."""
        lines: list[str] = []
        targets: dict[str, None] = {}
        for r in reversed(active):
            piece = self.pieces.steps[r]
            if r.inner:
                found = list(self.all_passed(piece, r.inner, r.guards))
                lines += [self.unless_empty(*r.inner), *(f"    {line}" for line in found)] if found else []
            else:
                lines += self.passed(piece)
            targets.update(dict.fromkeys(self.added(v, "")[0] for v in piece.active))
        targets.update(dict.fromkeys(self.adjoint(r.name) for r in active))
        if lines:
            back = f"back_{q.parts[0].name}"
            yield f"def {back}(carry, {q.run.name}_):"
            yield f"    {_tuple(list(targets))} = carry"
            yield from (indent(line, "    ") for line in lines)
            yield f"    return {_tuple(list(targets))}, None"
            carried = _tuple(list(targets))
            yield self.unless_empty(q.run)
            yield f"    {carried}, _ = lax.scan({back}, {carried}, {self.steps(q.run)}, reverse=True)"
        for r in active:
            for position in r.starts:
                yield from self.passed(self.pieces.starts[r, position])


def _axes(axes: Iterable[int]) -> str:
    """Axes as an argument."""
    found = list(axes)
    return str(found[0]) if len(found) == 1 else _tuple(list(map(str, found)))


def _tuple(names: list[str]) -> str:
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"
