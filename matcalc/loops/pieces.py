"""The pieces of a program with loops: each body is a matrix expression, differentiated as any other.

A piece is the output, the body of a sum, the body or a start of a recurrence. Its gradient is that of its inner product
with its adjoint, a variable `g_h[t]`: what the piece passes back to everything in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from matcalc import core
from matcalc.calculus.problem import Problem
from matcalc.calculus.spelled import recognised
from matcalc.dims import Dim, symbols
from matcalc.errors import MatcalcError, NoRuleError
from matcalc.expr import Expr
from matcalc.functions.parts import parts_of
from matcalc.graph import Graph
from matcalc.indices.program import Group, LoopSum, Member, Program, Recurrence, Run, place_text
from matcalc.kinds import GRADIENT
from matcalc.naming import Names
from matcalc.printing.symbols import ADJOINT
from matcalc.properties import names_of
from matcalc.walk import substitute, variables


@dataclass(eq=False)
class Piece:
    """A body and what it passes back.

    Attributes:
        label: what its functions are called in code.
        body: the expression, in the members of its loop.
        adjoint: the variable for the adjoint of its value; None for the output.
        active: the variables of the body that the gradient goes on to.
        names: for code: an identifier for each variable.
    """

    label: str
    body: Expr
    adjoint: Expr | None
    active: list[Expr]
    names: dict[Expr, Expr] = field(default_factory=dict)

    @cached_property
    def inner(self) -> Expr:
        """The 1 x 1 function that is differentiated: the body, or its inner product with the adjoint."""
        if self.adjoint is None:
            return self.body
        if self.body.is_scalar:
            return core.scale(self.adjoint, self.body)
        return core.trace(core.matmul(core.transpose(self.adjoint), self.body))

    @cached_property
    def value(self) -> Problem:
        """The problem whose value is the body."""
        return Problem(Graph.of(substitute(self.body, self.names)), [])

    @cached_property
    def backward(self) -> Problem:
        """The problem whose gradients go back."""
        graph = Graph.of(substitute(self.inner, self.names))
        made, steps = recognised(graph)
        return Problem(made, [self.names[v] for v in self.active], source=graph, recognised=steps)

    @cached_property
    def exact_gradients(self) -> dict[Expr, Expr]:
        """What goes back, for code: without any rewriting that may lose digits."""
        made = parts_of(self.backward, GRADIENT)
        if self.backward.lossy:
            made = parts_of(self.backward.exact_twin, GRADIENT)
        back = {new: old for old, new in self.names.items()}
        return {v: substitute(made.derivatives[self.names[v].name], back) for v in self.active}

    @cached_property
    def exact_value(self) -> Expr:
        """The body as the gradients refer to it, for code; of the output."""
        return substitute(self.backward.output, {new: old for old, new in self.names.items()})

    @cached_property
    def gradients(self) -> dict[Expr, Expr]:
        """What goes back to each active variable."""
        back = {new: old for old, new in self.names.items()}
        return {v: substitute(self.backward.gradient(self.names[v].name), back) for v in self.active}


class Pieces:
    """All pieces of a program, for gradients by some of its variables and families."""

    def __init__(self, program: Program, output: Expr, declared: Iterable[Expr], wrt: Iterable[str]) -> None:
        self.program, self.output = program, output
        self.declared = {v.name: v for v in declared}
        self.wrt = list(wrt)
        self.identifiers: dict[str, str] = {}
        self.prefix = self._prefix()
        self.names = Names([*self.declared, *program.families, *program.recurrences])
        self.active_names = self._active_names()
        self.out = self._piece("output", output, None)
        self.sums: dict[LoopSum, Piece] = {}
        self.steps: dict[Recurrence, Piece] = {}
        self.starts: dict[tuple[Recurrence, int], Piece] = {}
        for q in program.quantities:
            if isinstance(q, LoopSum):
                self.sums[q] = self._piece(f"term_{q.value.name}", q.body, self.adjoint_of(q.value))
                continue
            for r in q.parts:
                assert r.body is not None
                self.steps[r] = self._piece(f"step_{r.name}", r.body, self.adjoint_at(r, q.run.name, 0))
                for position, start in r.starts.items():
                    adjoint = self.adjoint_at(r, "", position)
                    self.starts[r, position] = self._piece(f"start_{r.name}_{abs(position)}", start, adjoint)

    @property
    def sum_names(self) -> list[str]:
        """The names of the sums, in order."""
        return [q.value.name for q in self.program.quantities if isinstance(q, LoopSum)]

    def fresh_names(self) -> Names:
        """A supply of names beside those of variables, families, recurrences, sums and sizes."""
        sizes = symbols(d for v in self.declared.values() for d in v.shape)
        return Names([*self.declared, *self.program.families, *self.program.recurrences, *self.sum_names, *sizes])

    def _prefix(self) -> str:
        """How the names of adjoints begin: g_, unless a name of the program would be one of them."""
        names = [*self.declared, *self.program.families, *self.program.recurrences]
        found = ADJOINT
        while any(f"{found}{name}" in names for name in (*names, *self.sum_names)):
            found = f"g{found}"
        return found

    # -------------------------------------------------------------------------------------------- what depends

    def _active_names(self) -> set[str]:
        """The names of variables, families, recurrences and sums through which the gradient goes."""
        active = set(self.wrt)
        while True:
            before = len(active)
            for q in self.program.quantities:
                if isinstance(q, LoopSum):
                    if not q.largest and any(self._is_active(v, active) for v in variables((q.body,))):
                        active.add(q.value.name)
                    continue
                for r in q.parts:
                    assert r.body is not None
                    if not r.largest and any(
                        self._is_active(v, active) for v in variables((r.body, *r.starts.values()))
                    ):
                        active.add(r.name)
            if len(active) == before:
                return active

    def _is_active(self, v: Expr, active: set[str]) -> bool:
        what = self.program.members.get(v)
        if what is None:
            return v.name in active
        if what.base is not None:
            return what.base.name in active
        return what.of in active

    def moves(self, v: Expr) -> bool:
        """Whether the gradient goes through what a variable of a body stands for."""
        return self._is_active(v, self.active_names)

    def is_active(self, name: str) -> bool:
        """Whether the gradient goes through this name."""
        return name in self.active_names

    # -------------------------------------------------------------------------------------------- variables

    def adjoint_of(self, value: Expr) -> Expr:
        """The adjoint of the value of a sum."""
        return core.var(f"{self.prefix}{value.name}", *value.shape)

    def adjoint_at(self, r: Recurrence, index: str, at: Dim) -> Expr:
        """The adjoint d_h[t]."""
        assert r.shape is not None
        name = f"{self.prefix}{r.name}"
        return self.program.member(f"{name}[{place_text(index, at)}]", r.shape, Member(name, None, index, at))

    def _piece(self, label: str, body: Expr, adjoint: Expr | None) -> Piece:
        inside = [*variables((body,)), *([adjoint] if adjoint is not None else [])]
        active = [v for v in variables((body,)) if self._is_active(v, self.active_names)]
        return Piece(label, body, adjoint, active, {v: self.identified(v) for v in inside})

    def piece(self, label: str, body: Expr) -> Piece:
        """A further 1 x 1 value in the members of the program, to be differentiated."""
        return self._piece(label, body, None)

    def identified(self, v: Expr) -> Expr:
        """The same variable with a name that is an identifier."""
        if v.name not in self.identifiers:
            name = v.name
            if not name.isidentifier():
                signs = name.replace(" + ", "_plus_").replace(" - ", "_minus_").replace(":", "all")
                name = self.names.fresh(re.sub(r"\W+", "_", signs).strip("_"))
            self.names.taken.add(name)
            self.identifiers[v.name] = name
        return core.var(self.identifiers[v.name], *v.shape, names_of(v.params[3]))

    def runs(self) -> Iterator[Run]:
        """The loops."""
        yield from self.program.runs()


def wanted(program: Program, declared: Iterable[Expr], names: Iterable[str] | None) -> list[str]:
    """The names that a gradient is asked for by: variables and families, by default all that are not constant.

    Raises:
        MatcalcError: there is none of a name.
        NoRuleError: it is a value of a recurrence.
    """
    facts = {v.name: names_of(v.params[3]) for v in declared} | {f.name: f.facts for f in program.families.values()}
    known = list(facts)
    if names is None:
        free = [name for name in known if "constant" not in facts[name]]
        if known and not free:
            raise MatcalcError("there is no variable to differentiate by: all are constant")
        return free
    names = [without_index(program, name) for name in names]
    for name in names:
        if name in program.recurrences:
            raise NoRuleError(f"{name} is computed by a recurrence: gradients are by variables and families")
        if name not in known:
            raise MatcalcError(f"no variable or family is called {name!r}; there are: {', '.join(known)}")
    return list(dict.fromkeys(names))


def without_index(program: Program, name: str) -> str:
    """The name of a family where a member with its index is named, `u[k]`."""
    base, _, rest = name.partition("[")
    return base if base in program.families and rest == f"{program.families[base].run.name}]" else name


__all__ = ["Group", "Piece", "Pieces", "wanted", "without_index"]
