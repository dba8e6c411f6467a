"""A program with loops written out for sizes that are given: an ordinary expression, in a variable for each member.

Whatever is known of ordinary expressions applies to it: numeric checks, witnesses, claims. It holds for these sizes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matcalc import core
from matcalc.dims import Dim, Shape, substitute, symbols
from matcalc.dims import evaluate as evaluate_dim
from matcalc.errors import ShapeError
from matcalc.exact import is_exact
from matcalc.expr import Expr, node, number_value
from matcalc.indices.program import Group, LoopSum, Program, Recurrence, Run
from matcalc.loops.nests import walked
from matcalc.loops.pieces import Pieces
from matcalc.naming import Names
from matcalc.ops.selection import slice_
from matcalc.properties import names_of
from matcalc.walk import transform, variables


@dataclass(frozen=True)
class Unrolled:
    """A program for some sizes.

    Attributes:
        output: the expression.
        variables: those in it, members of families among them.
        members: by the name of a family the names of its members, in order.
        sizes: what was given.
    """

    output: Expr
    variables: list[Expr]
    members: dict[str, list[str]]
    sizes: dict[str, int]

    def packed(self, values: Mapping[str, object]) -> dict[str, object]:
        """Values by the names of the unrolled variables as the arguments of the program: families as lists."""
        inside = {m for names in self.members.values() for m in names}
        plain = {n: v for n, v in values.items() if n not in inside}
        return plain | {family: [values[m] for m in names] for family, names in self.members.items()}


def loop_sizes(program: Program) -> list[str]:
    """The names of the dimensions that say how often loops run."""
    runs = [*program.runs(), *(f.run for f in program.families.values())]
    return list(dict.fromkeys(symbols(d for run in runs for d in (run.first, run.last))))


def unrolled(pieces: Pieces, sizes: Mapping[str, int]) -> Unrolled:
    """The program with loops of these lengths.

    Raises:
        ShapeError: a size makes a range empty.
    """
    return _Unroller(pieces, sizes).whole()


class _Unroller:
    def __init__(self, pieces: Pieces, sizes: Mapping[str, int]) -> None:
        self.pieces, self.program, self.sizes = pieces, pieces.program, dict(sizes)
        self.plain = {n: self.variable(v, n) for n, v in pieces.declared.items()}
        names = Names([*self.plain, *self.program.families, *self.program.recurrences])
        self.values: dict[tuple[str, int], Expr] = {}
        self.members: dict[str, list[str]] = {}
        for name, family in self.program.families.items():
            self.members[name] = []
            for k in self.steps(family.run):
                member = names.fresh(f"{name}_{k}".replace("-", "minus_"))
                rows, cols = (substitute(d, self.sizes) for d in family.shape)
                self.values[name, k] = core.var(member, rows, cols, family.facts)
                self.members[name].append(member)
        self.sums: dict[str, Expr] = {}

    def variable(self, v: Expr, name: str) -> Expr:
        """A variable with the sizes that are given."""
        rows, cols = (substitute(d, self.sizes) for d in v.shape)
        return core.var(name, rows, cols, names_of(v.params[3]))

    def number(self, d: Dim) -> int:
        """A dimension as a number."""
        return d if isinstance(d, int) else evaluate_dim(substitute(d, self.sizes), {})

    def steps(self, run: Run) -> range:
        """The values of an index.

        Raises:
            ShapeError: there are none.
        """
        found = range(self.number(run.first), self.number(run.last) + 1)
        if not found:
            raise ShapeError(f"the range {run.text} is empty")
        return found

    def whole(self) -> Unrolled:
        """All of it."""
        for q in self.program.quantities:
            if isinstance(q, LoopSum):
                terms = [self.term(q, k) for k in self.steps(q.run)]
                self.sums[q.value.name] = core.named(q.value.name, core.add(*terms))
            else:
                self.group(q)
        output = self.of(self.pieces.output, {})
        found = [*self.plain.values(), *(v for (name, _), v in self.values.items() if name in self.program.families)]
        return Unrolled(output, found, self.members, self.sizes)

    def group(self, q: Group) -> None:
        """The values of recurrences."""
        for r in q.parts:
            for position, start in r.starts.items():
                self.keep(r.name, position, self.of(start, {}))
        for t in self.steps(q.run):
            for r in q.parts:
                assert r.body is not None
                at = {q.run.name: t}
                self.keep(r.name, t, self.total(r, r.body.shape, r.inner, at) if r.inner else self.of(r.body, at))

    def term(self, q: LoopSum, k: int) -> Expr:
        """A term of a sum; one that is a sum itself has a name, so that the sum has one term for each value of k."""
        if not q.inner:
            return self.of(q.body, {q.run.name: k})
        value = self.total(q, q.body.shape, q.inner, {q.run.name: k})
        return core.named(f"{q.value.name}_{k}".replace("-", "minus_"), value)

    def total(self, q: LoopSum | Recurrence, shape: Shape, runs: Sequence[Run], at: Mapping[str, int]) -> Expr:
        """The sum of a body over some indices."""
        assert q.body is not None
        terms = [self.of(q.body, places) for places in walked(runs, self.steps, q.guards, self.number, at)]
        return core.add(*terms) if terms else core.zeros(*(substitute(d, self.sizes) for d in shape))

    def keep(self, name: str, position: int, value: Expr) -> None:
        """A value of a recurrence, under a name."""
        self.values[name, position] = core.named(f"{name}_{position}".replace("-", "minus_"), value)

    def of(self, e: Expr, at: Mapping[str, int]) -> Expr:
        """A body where its indices have these values."""
        return _sized(e, self.sizes, {v: self.leaf(v, at) for v in variables((e,))})

    def leaf(self, v: Expr, at: Mapping[str, int]) -> Expr:
        """What a variable stands for."""
        what = self.program.members.get(v)
        if what is None:
            return self.sums[v.name] if v.name in self.sums else self.plain[v.name]
        if what.of:
            return self.values[what.of, self.number(what.at) + (at[what.index] if what.index else 0)]
        if what.base is None:
            return core.number(at[what.index])
        X = self.plain[what.base.name]
        ends: list[Dim] = []
        indices = (what.index, what.other or what.index)
        for side, index, size in zip((what.rows, what.columns), indices, X.shape):
            ends += [1, size] if side is None else 2 * [(at[index] if index else 0) + self.number(side)]
        return slice_(X, *ends)


def _sized(e: Expr, sizes: Mapping[str, int], leaves: Mapping[Expr, Expr]) -> Expr:
    """An expression with other leaves, and with numbers for the sizes in it."""

    def made(old: Expr, args: tuple[Expr, ...]) -> Expr:
        return _rebuilt(old, args, sizes)

    def sized(new: Expr, old: Expr) -> Expr:
        return made(old, old.args) if new is old else new

    return transform((e,), sized, make=made, known=dict(leaves))[e]


def _rebuilt(e: Expr, args: tuple[Expr, ...], sizes: Mapping[str, int]) -> Expr:
    if e.op == "number":
        return core.number(substitute(number_value(e), sizes))
    params = tuple(substitute(p, sizes) if is_exact(p) else p for p in e.params)
    return e if args == e.args and params == e.params else node(e.op, args, params)
