"""The value of a program with loops by direct evaluation: no generated code, no rewriting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from matcalc.core import var
from matcalc.dims import Dim, Shape, shape_text, substitute
from matcalc.dims import evaluate as evaluate_dim
from matcalc.errors import MatcalcError, ShapeError
from matcalc.expr import Expr
from matcalc.indices.program import Family, Group, LoopSum, Member, Recurrence, Run
from matcalc.loops.nests import walked
from matcalc.loops.pieces import Pieces
from matcalc.numeric.binding import bind, matrix
from matcalc.numeric.evaluate import evaluate
from matcalc.walk import variables


def evaluate_program(pieces: Pieces, values: Mapping[str, Any], dims: Mapping[str, int] | None) -> Any:
    """The value: a float for 1 x 1, else an array.

    Raises:
        MatcalcError: a value is missing, or does not fit.
    """
    machine = _Machine(pieces, values, dims)
    for q in pieces.program.quantities:
        machine.run(q)
    result = machine.of(pieces.output, {})
    return float(result[0, 0]) if pieces.output.is_scalar else result


class _Machine:
    def __init__(self, pieces: Pieces, values: Mapping[str, Any], dims: Mapping[str, int] | None) -> None:
        self.pieces, self.program = pieces, pieces.program
        unknown = [n for n in values if n not in pieces.declared and n not in self.program.families]
        if unknown:
            raise MatcalcError(f"there is no variable {unknown[0]}")
        leaves, arrays = list(pieces.declared.values()), {n: values[n] for n in pieces.declared if n in values}
        known = dict(dims or {})
        for name, family in self.program.families.items():
            if name not in values:
                raise MatcalcError(f"no value is given for {name}")
            for k, member in enumerate(values[name]):
                leaf = var(f"{name}[{k}]", *family.shape)
                leaves.append(leaf)
                arrays[leaf.name] = matrix(leaf, member)
            last = family.run.last
            if not isinstance(last, int) and last.is_Symbol and isinstance(family.run.first, int):
                count = len(values[name]) + family.run.first - 1
                if known.setdefault(str(last), count) != count:
                    raise ShapeError(f"{name} has members up to {count}, but {last} is {known[str(last)]}")
        found, self.dims = bind(leaves, arrays, known)
        self.plain = {n: found[n] for n in pieces.declared}
        self.members: dict[str, dict[int, Any]] = {}
        for name, family in self.program.families.items():
            self.members[name] = self.family(name, family, len(values[name]), found)
        for r in self.program.recurrences.values():
            self.members[r.name] = {}
        self.sums: dict[str, Any] = {}

    def family(self, name: str, family: Family, count: int, found: Mapping[str, Any]) -> dict[int, Any]:
        """The members of a family by their index."""
        first, last = self.number(family.run.first), self.number(family.run.last)
        if count != last - first + 1:
            raise ShapeError(f"{name} has {count} members; needed are {last - first + 1}")
        return {first + k: found[f"{name}[{k}]"] for k in range(count)}

    def number(self, d: Dim) -> int:
        """A dimension as a number."""
        return d if isinstance(d, int) else evaluate_dim(substitute(d, self.dims), {})

    def steps(self, run: Run) -> range:
        """The values of an index."""
        return range(self.number(run.first), self.number(run.last) + 1)

    def run(self, q: LoopSum | Group) -> None:
        """Compute a quantity."""
        if isinstance(q, LoopSum):
            self.sums[q.value.name] = self.total(q, q.value.shape, q.runs, {})
            return
        for r in q.parts:
            for position, start in r.starts.items():
                self.members[r.name][position] = self.of(start, {})
        for t in self.steps(q.run):
            for r in q.parts:
                assert r.body is not None
                assert r.shape is not None
                at = {q.run.name: t}
                self.members[r.name][t] = self.total(r, r.shape, r.inner, at) if r.inner else self.of(r.body, at)

    def total(self, q: LoopSum | Recurrence, shape: Shape, runs: Sequence[Run], at: Mapping[str, int]) -> Any:
        """The sum, or the largest, of a body over some indices."""
        assert q.body is not None
        found: Any = np.full([self.number(d) for d in shape], -np.inf if q.largest else 0.0)
        for places in walked(runs, self.steps, q.guards, self.number, at):
            found = (np.maximum if q.largest else np.add)(found, self.of(q.body, places))
        return np.where(np.isfinite(found), found, 0) if q.largest else found

    def of(self, e: Expr, at: Mapping[str, int]) -> Any:
        """The value of a body where its indices have these values."""
        values = {v.name: self.leaf(v, at) for v in variables((e,))}
        try:
            return evaluate(e, values, self.dims)
        except ShapeError as error:
            raise MatcalcError(f"{error} ({shape_text(e.shape)})") from None

    def leaf(self, v: Expr, at: Mapping[str, int]) -> Any:
        """The value of a variable."""
        what = self.program.members.get(v)
        if what is None:
            return self.sums[v.name] if v.name in self.sums else self.plain[v.name]
        if what.of:
            return self.members[what.of][self.number(what.at) + (at[what.index] if what.index else 0)]
        if what.base is None:
            return np.array([[float(at[what.index])]])
        return self.part(what, self.plain[what.base.name], at)

    def part(self, what: Member, X: Any, at: Mapping[str, int]) -> Any:
        """A row, a column or an entry."""
        for axis, (side, index) in enumerate(((what.rows, what.index), (what.columns, what.other or what.index))):
            if side is not None:
                k = (at[index] if index else 0) + self.number(side) - 1
                if not 0 <= k < X.shape[axis]:
                    raise ShapeError(f"there is no row or column {k + 1}")
                X = X[k : k + 1] if axis == 0 else X[:, k : k + 1]
        return X
