"""The gradients of a program with families and recurrences, and the programs that are made from it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from matcalc.dims import shape_text
from matcalc.dims import text as dim_text
from matcalc.errors import MatcalcError, ShapeError, shorten
from matcalc.expr import Expr
from matcalc.indices.program import LoopSum, Program
from matcalc.kinds import KINDS, VALUE_AND_GRAD, kind_of
from matcalc.loops.adjoints import Adjoints, written
from matcalc.loops.code import NUMPY, Writer, need_target
from matcalc.loops.pieces import Pieces, wanted
from matcalc.loops.tangents import Tangent, tangent

OFFERED = [kind for kind in KINDS if not (kind.matrix or kind.cotangent)]
TARGETS = {"numpy": (Writer, NUMPY)}


class LoopGradient(str):
    """A gradient as text, in the notation of sums and recurrences: the adjoints that it needs, then the result."""


class LoopProblem:
    """The gradients of a scalar program in which families and recurrences stand.

    Attributes:
        program: the loops.
        output: the function, in members and sums.
        declared: the variables.
        names: what the gradients are by.
    """

    def __init__(self, program: Program, output: Expr, declared: Iterable[Expr], wrt: Iterable[str] | None) -> None:
        if not output.is_scalar:
            raise ShapeError(f"a gradient needs a scalar function, but {{}} is {shape_text(output.shape)}", output)
        self.program, self.output = program, output
        self.declared = list(declared)
        self.names = wanted(program, self.declared, wrt)
        self.pieces = Pieces(program, output, self.declared, self.names)

    @cached_property
    def adjoints(self) -> Adjoints:
        """The adjoints."""
        return Adjoints(self.pieces)

    def one(self, name: str | None) -> str:
        """A name among the derived; without one, the only one.

        Raises:
            MatcalcError: it is not among them, or there are several.
        """
        if name is None:
            if len(self.names) != 1:
                raise MatcalcError(f"name the variable: one of {', '.join(self.names)}")
            return self.names[0]
        if name not in self.names:
            raise MatcalcError(f"{shorten(str(name))} is not among the derived: {', '.join(self.names)}")
        return name

    def gradient(self, name: str | None = None) -> LoopGradient:
        """The gradient by a variable or a family, as text: lines for the adjoints, then the result.

        By a family it is the gradient by a member with a free index: `u[k]: ... for k = 1..K`.

        Raises:
            MatcalcError: it is not among the derived.
        """
        return LoopGradient("\n".join(self.adjoints.lines(self.one(name))))

    @property
    def gradients(self) -> dict[str, LoopGradient]:
        """The gradients by name."""
        return {name: self.gradient(name) for name in self.names}

    def forward(self) -> list[str]:
        """The lines of the program, in order."""
        lines = []
        for q in self.program.quantities:
            if isinstance(q, LoopSum):
                lines.append(f"{q.value.name} = sum({q.run.text}, {written(q.body)})")
                continue
            for r in q.parts:
                lines += [f"{r.name}[{p}] = {written(start)}" for p, start in r.starts.items()]
                assert r.body is not None
                ends = f"{dim_text(q.run.first)}..{dim_text(q.run.last)}"
                lines.append(f"{r.name}[{q.run.name}] = {written(r.body)} for {q.run.name} = {ends}")
        body = self.output.args[0] if self.output.op == "named" else self.output
        return [*lines, f"{self.title} = {written(body)}"]

    @property
    def title(self) -> str:
        """What the function is called."""
        return self.output.name if self.output.op == "named" else "f"

    # -------------------------------------------------------------------------------------------- code

    @cached_property
    def tangent(self) -> Tangent:
        """The program of the directional derivative."""
        return tangent(self.pieces)

    def source(self, kind: str | None = None, target: str = "numpy") -> str:
        """The source text of a standalone module with one function.

        Raises:
            MatcalcError: another kind.
            NoRuleError: a target that has no loops.
        """
        found = kind_of(kind or VALUE_AND_GRAD, OFFERED)
        need_target(target, TARGETS)
        writer, library = TARGETS[target]
        if not found.tangents:
            return writer(self.pieces, found, {}, library).text(self.forward())
        made = self.tangent
        pieces = Pieces(made.program, made.output, made.declared, self.names if found.second else ())
        return writer(pieces, found, made.directions, library).text(self.forward())
