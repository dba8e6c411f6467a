"""What a page of adjoints says in numbers: its lines evaluated one by one, with nothing of the generated code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from matcalc.errors import ShapeError
from matcalc.expr import Expr
from matcalc.indices.program import Member
from matcalc.loops.evaluation import _Machine
from matcalc.loops.lines import Line, Range, Term
from matcalc.loops.nests import walked
from matcalc.loops.page import backward, gradients
from matcalc.loops.problem import LoopProblem
from matcalc.numeric.evaluate import evaluate
from matcalc.walk import variables


class Page:
    """The gradients that the lines of a page give."""

    def __init__(self, d: LoopProblem, arrays: Mapping[str, Any], sizes: Mapping[str, int] | None = None) -> None:
        self.d, self.machine = d, _Machine(d.pieces, arrays, sizes)
        for q in d.program.quantities:
            self.machine.run(q)
        self.lines = [line for whole in backward(d) for line in (whole, *whole.further)]
        self.done: dict[tuple[str, int], Any] = {}
        self.arrays = arrays

    def gradient(self, name: str) -> Any:
        """The gradient by a variable or a family, as its lines say."""
        found = next(g for g in gradients(self.d) if g.name == name)
        total = np.zeros(np.shape(self.arrays[name]))
        for line in found.lines:
            what = None if line.head is None else self.d.program.members.get(line.head)
            if what is None:
                value = self.terms(line, {})
                total = total + (value.reshape(total.shape) if value.size == total.size else value)
                continue
            first = 0 if what.base is not None else self.machine.number(self.d.program.families[name].run.first)
            for places in self.places(line):
                at, value = self.index(what, places, first), self.terms(line, places)
                total[at] += value.reshape(total[at].shape) if value.size == total[at].size else value
        return total

    def index(self, what: Member, places: Mapping[str, int], first: int) -> Any:
        """Where the value of a member stands."""
        if what.base is None:
            return self.machine.number(what.at) + places.get(what.index, 0) - first
        sides = ((what.rows, what.index), (what.columns, what.other or what.index))
        at = [slice(None) if s is None else places.get(i, 0) + self.machine.number(s) - 1 for s, i in sides]
        return tuple(slice(k, k + 1) if isinstance(k, int) else k for k in at)

    def places(self, line: Line) -> list[dict[str, int]]:
        """The values of indices for which a line holds."""
        found: list[dict[str, int]] = [{}]
        for over in line.ranges:
            found = [{**places, over.index: k} for places in found for k in self.steps(over)]
        number = self.machine.number
        return [p for p in found if all(g.holds(p, number(g.offset)) for g in line.guards)]

    def steps(self, over: Range) -> range:
        """The values of an index, upwards."""
        ends = sorted((self.machine.number(over.first), self.machine.number(over.last)))
        backwards = self.machine.number(over.first) > self.machine.number(over.last)
        shown_backwards = isinstance(over.last, int) and not isinstance(over.first, int)
        return range(ends[0], ends[1] + 1) if backwards == shown_backwards or ends[0] == ends[1] else range(0)

    def terms(self, line: Line, places: Mapping[str, int]) -> Any:
        """The value of a line."""
        return sum((self.term(term, places) for term in line.terms), np.zeros((1, 1)))

    def term(self, term: Term, places: Mapping[str, int]) -> Any:
        """A value, or a sum over indices."""
        machine = self.machine
        if not term.runs:
            return self.value(term.value, places)
        inside = walked(term.runs, machine.steps, term.guards, machine.number, places)
        return sum((self.value(term.value, p) for p in inside), np.zeros((1, 1)))

    def value(self, e: Expr, places: Mapping[str, int]) -> Any:
        """An expression in members and adjoints."""
        return np.asarray(evaluate(e, {v.name: self.leaf(v, places) for v in variables((e,))}, self.machine.dims))

    def leaf(self, v: Expr, places: Mapping[str, int]) -> Any:
        """A variable: an adjoint of the page, or a value of the program."""
        what, prefix = self.d.program.members.get(v), self.d.pieces.prefix
        if what is None and v.name.startswith(prefix):
            line = next((line for line in self.lines if line.head is v), None)
            return self.machine.leaf(v, places) if line is None else self.terms(line, {}) + np.zeros(self.shape(v))
        if what is not None and what.of.startswith(prefix) and what.of not in self.machine.members:
            return self.adjoint(v, what, self.machine.number(what.at) + places.get(what.index, 0))
        try:
            return self.machine.leaf(v, places)
        except (KeyError, ShapeError):  # behind the end, where it stands beside an adjoint that is 0: anything
            return 0.3 + np.random.default_rng(0).random(self.shape(v))

    def shape(self, v: Expr) -> tuple[int, ...]:
        """The shape of a value."""
        return tuple(map(self.machine.number, v.shape))

    def adjoint(self, v: Expr, what: Member, position: int) -> Any:
        """An adjoint at a position, which exactly one line defines."""
        key = what.of, position
        if key in self.done:
            return self.done[key]
        total, said = np.zeros(self.shape(v)), 0
        for line in self.lines:
            head = None if line.head is None else self.d.program.members.get(line.head)
            if head is None or head.of != what.of:
                continue
            if line.over is None:
                here = {} if self.machine.number(head.at) == position else None
            else:
                here = {line.over.index: position} if position in self.steps(line.over) else None
            if here is not None:
                total = total + self.terms(line, here)
                said += line.relation == "="
        assert said == 1, f"{said} lines say what {what.of}[{position}] is"
        self.done[key] = total
        return total
