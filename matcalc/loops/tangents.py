"""The directional derivative of a program with loops as a program of its own: tangents run along with the values.

Its value is a Jacobian times a vector; its gradient is the Hessian times a vector, and so needs no rules of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from matcalc import core
from matcalc.calculus.forward import forward
from matcalc.expr import Expr
from matcalc.indices.program import Family, Group, LoopSum, Program, Quantity, Recurrence
from matcalc.loops.nests import is_apart
from matcalc.loops.pieces import Pieces
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.walk import variables


@dataclass(frozen=True)
class Tangent:
    """The directional derivative.

    Attributes:
        program: the loops, with those of the tangents.
        output: the derivative.
        declared: the variables, the directions behind them.
        directions: by what is differentiated the name of its direction.
    """

    program: Program
    output: Expr
    declared: list[Expr]
    directions: dict[str, str]


def tangent(pieces: Pieces) -> Tangent:
    """The derivative of the program along a direction for each of what it is differentiated by."""
    return _Maker(pieces).whole()


class _Maker:
    def __init__(self, pieces: Pieces) -> None:
        self.pieces, old = pieces, pieces.program
        self.program = old.begun()
        self.names = pieces.fresh_names()
        self.directions = {name: self.names.fresh(f"dot_{name}") for name in pieces.wrt}
        self.inner = {name: self.names.fresh(f"dot_{name}") for name in (*old.recurrences, *pieces.sum_names)}
        self.rewriter = Rewriter(Context([]))
        for name in pieces.wrt:
            if name in old.families:
                f = old.families[name]
                self.program.families[self.directions[name]] = Family(self.directions[name], f.run, f.shape)
        self.moving = {**self.directions, **self.inner}

    def whole(self) -> Tangent:
        """All of it."""
        made: list[Quantity] = []
        for q in self.pieces.program.quantities:
            made += [q] if isinstance(q, LoopSum) else self.groups(q)
            if isinstance(q, LoopSum) and self.pieces.is_active(q.value.name):
                made.append(replace(q, value=self.of(q.value), body=self.along(q.body)))
        self.program.quantities = made
        given = [self.of(v) for v in self.pieces.declared.values() if v.name in self.directions]
        output = self.along(self.pieces.output)
        return Tangent(self.program, output, [*self.pieces.declared.values(), *given], self.directions)

    def groups(self, q: Group) -> list[Group]:
        """Recurrences with those of their tangents; sums that do not use each other stay apart."""
        whole = self.group(q)
        return [Group(q.run, (r,)) for r in whole.parts] if is_apart(q) else [whole]

    def group(self, q: Group) -> Group:
        """Recurrences with those of their tangents, in one loop."""
        parts: list[Recurrence] = []
        for r in q.parts:
            parts.append(r)
            if not self.pieces.is_active(r.name):
                continue
            name = self.inner[r.name]
            new = self.program.recurrences[name] = Recurrence(name, r.shape, {}, r.run)
            assert r.body is not None
            new.body = self.along(r.body)
            new.inner, new.guards = r.inner, r.guards
            new.starts = {position: self.along(start) for position, start in r.starts.items()}
            parts.append(new)
        return Group(q.run, tuple(parts))

    def of(self, v: Expr) -> Expr:
        """The tangent of a variable."""
        what = self.pieces.program.members.get(v)
        if what is None:
            return core.var(self.moving[v.name], *v.shape)
        if what.base is not None:
            base = core.var(self.moving[what.base.name], *what.base.shape)
            return self.program.slice_member(base, what.index, what.rows, what.columns, what.other)
        name = self.moving[what.of]
        if name not in self.program.families and name not in self.program.recurrences:
            shape = self.pieces.program.recurrences[what.of].shape
            self.program.recurrences[name] = Recurrence(name, shape)
        return self.program.of_family(name, what.index, what.at)

    def along(self, e: Expr) -> Expr:
        """The derivative of a body."""
        active = [v for v in variables((e,)) if self.pieces.moves(v)]
        return forward(e, {v: self.of(v) for v in active}, self.rewriter, self.names)
