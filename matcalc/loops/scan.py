"""A program with loops for JAX: recurrences and their adjoints by `lax.scan`, sums by `vmap`; it can be jitted."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent

from matcalc.dims import Dim, Shape, plus
from matcalc.expr import Expr
from matcalc.indices.program import Group, LoopSum, Member, Recurrence, Run
from matcalc.kinds import GRADIENT
from matcalc.loops import portable_helpers as helpers
from matcalc.loops.code import Library, Writer
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
        sides = [None if s is None else self.place(what.index, s, 1) for s in (what.rows, what.columns)]
        name = f"{prefix}{what.base.name}"
        if shape == (1, 1):
            return f"{name}[{', '.join(s or '0' for s in sides)}]"
        return f"{name}[{sides[0]}][None, :]" if sides[0] is not None else f"{name}[:, {sides[1]}][:, None]"

    def added(self, v: Expr, part: str) -> tuple[str, str]:
        """The adjoint to which a part is added, and the sum."""
        what, prefix = self.program.members.get(v), self.pieces.prefix
        if what is None:
            return f"{prefix}{v.name}", f"{prefix}{v.name} + {part}"
        name = f"{prefix}{what.of or what.base.name}"  # type: ignore[union-attr]
        if what.base is None:
            return name, f"{name}.at[{self.place(what.index, what.at, self.low(what.of))}].add({part})"
        sides = [None if s is None else self.place(what.index, s, 1) for s in (what.rows, what.columns)]
        if v.is_scalar:
            return name, f"{name}.at[{', '.join(s or '0' for s in sides)}].add({part})"
        if sides[0] is not None:
            return name, f"{name}.at[{sides[0]}, :].add({part}[0])"
        return name, f"{name}.at[:, {sides[1]}].add({part}[:, 0])"

    def summed(self, q: LoopSum) -> Iterator[str]:
        """A sum, or the largest value: all terms at once."""
        term, name = self.forwards(self.pieces.sums[q]), q.value.name
        take = "max" if q.largest else "sum"
        yield f"{name} = {self.zeros(q.value.shape)}"
        yield self.unless_empty(q.run)
        yield f"    {name} = jnp.{take}(jax.vmap(lambda {q.run.name}_: {term})({self.steps(q.run)}), axis=0)"
        if q.largest:
            yield f"{name} = jnp.where(jnp.isfinite({name}), {name}, 0)"

    def recurrences(self, q: Group) -> Iterator[str]:
        """The states of a group: a scan that carries the last of them."""
        lags = {r: self.lag(q, r) for r in q.parts}
        names = [f"{r.name}_{k}" for r, lag in lags.items() for k in range(1, lag + 1)]
        first: list[str] = []
        for r, lag in lags.items():
            for p in sorted(r.starts):
                yield f"{r.name}_start_{abs(p)} = {self.start(r, p)}"
            assert isinstance(q.run.first, int)
            first += [f"{r.name}_start_{abs(q.run.first - k)}" for k in range(1, lag + 1)]
        step = f"step_{q.parts[0].name}"
        yield f"def {step}(carry, {q.run.name}_):"
        if names:
            yield f"    {_tuple(names)} = carry"
        self.inside = q
        for r in q.parts:
            yield f"    {r.name}_0 = {self.forwards(self.pieces.steps[r])}"
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

    def unless_empty(self, run: Run) -> str:
        """The condition that a loop has steps: what has none is not traced."""
        return f"if {self.size(run.first)} <= {self.size(run.last)}:"

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
                    yield self.unless_empty(q.run)
                    yield from (f"    {line}" for line in self.sum_passed(q))
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

    def sum_passed(self, q: LoopSum) -> Iterator[str]:
        """What the terms of a sum pass back, all at once."""
        piece = self.pieces.sums[q]
        call = self.call(piece, GRADIENT, f"back_{piece.label}")
        parts = self.parts(len(piece.active))
        index = f"{q.run.name}_"
        yield f"{index} = {self.steps(q.run)}"
        yield f"{', '.join(parts)} = jax.vmap(lambda {index}: {call})({index})"
        for v, part in zip(piece.active, parts):
            what = self.program.members.get(v)
            if what is None or what.index != q.run.name:
                name, total = self.added(v, f"jnp.sum({part}, axis=0)")
            else:
                name, total = self.added(v, part)
                if what.base is not None and not v.is_scalar:
                    total = total.replace(f"{part}[0]", f"{part}[:, 0]") if what.rows is not None else total
                    total = total.replace(f"{part}[:, 0]", f"{part}[:, :, 0].T") if what.rows is None else total
            yield f"{name} = {total}"

    def through_time(self, q: Group, active: list[Recurrence]) -> Iterator[str]:
        """The scan of a group backwards, then its starts."""
        lines: list[str] = []
        targets: dict[str, None] = {}
        for r in reversed(active):
            piece = self.pieces.steps[r]
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


def _tuple(names: list[str]) -> str:
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"
