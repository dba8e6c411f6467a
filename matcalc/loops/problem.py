"""The gradients of a program with families and recurrences, and the programs that are made from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, TypeAlias

from matcalc.dims import is_one, shape_text
from matcalc.emit.module import compile_function
from matcalc.errors import MatcalcError, NoRuleError, ShapeError, shorten
from matcalc.expr import Expr, postorder
from matcalc.indices.lifting import Lifting
from matcalc.indices.program import LoopSum, Program
from matcalc.kinds import GRADIENT, HVP, KINDS, VALUE_AND_GRAD, Kind, kind_of
from matcalc.loops.adjoints import Adjoints
from matcalc.loops.checkpoints import CheckpointWriter
from matcalc.loops.code import Writer
from matcalc.loops.compiled import NUMBA, CompiledWriter
from matcalc.loops.library import NUMPY, Library, need_target
from matcalc.loops.lines import Line, Range, Term, heading, single
from matcalc.loops.native import NATIVE, C, CalledWriter, CWriter, NativeWriter
from matcalc.loops.pieces import Pieces, wanted, without_index
from matcalc.loops.scan import JAX, ScanWriter
from matcalc.loops.stabilised import stabilised
from matcalc.loops.staged_back import BackwardWriter
from matcalc.loops.stored import with_stored
from matcalc.loops.stretched import ScanStretchWriter, StretchWriter
from matcalc.loops.tangents import Tangent, tangent
from matcalc.loops.torch import TORCH, TorchWriter

OFFERED = [kind for kind in KINDS if not (kind.matrix or kind.cotangent)]
Writers: TypeAlias = "tuple[tuple[type[Writer], Library], ...]"
TARGETS: dict[str, Writers] = {
    "numpy": ((BackwardWriter, NUMPY), (Writer, NUMPY)),
    "numba": ((CompiledWriter, NUMBA),),
    "native": ((NativeWriter, NATIVE),),
    "c": ((CWriter, C),),
    "jax": ((ScanWriter, JAX),),
    "torch": ((TorchWriter, TORCH),),
}
STRETCHED: dict[str, tuple[type[StretchWriter], Library]] = {  # checkpoints outside of NumPy
    "native": (StretchWriter, NUMPY),
    "numba": (StretchWriter, NUMPY),
    "jax": (ScanStretchWriter, JAX),
}
RUN: dict[str, Writers] = {"c": ((CalledWriter, C),)}  # modules in Python for files in another language


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
            raise ShapeError(not_scalar(output), output)
        self.liftings: Sequence[Lifting] = ()  # how sums over indices in the source became matrices
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
        name = without_index(self.program, str(name))
        if name not in self.names:
            raise MatcalcError(f"{shorten(str(name))} is not among the derived: {', '.join(self.names)}")
        return name

    def gradient(self, name: str | None = None) -> LoopGradient:
        """The gradient by a variable or a family, as text: lines for the adjoints, then the result.

        By a family it is the gradient by a member with a free index: `u[k]: ... for k = 1..K`.

        Raises:
            MatcalcError: it is not among the derived.
        """
        return LoopGradient("\n".join(map(str, self.adjoints.lines(self.one(name)))))

    @property
    def gradients(self) -> dict[str, LoopGradient]:
        """The gradients by name."""
        return {name: self.gradient(name) for name in self.names}

    def forward(self) -> list[Line]:
        """The lines of the program, in order."""
        lines: list[Line] = []
        seen: set[Expr] = set()

        def defined(*roots: Expr) -> None:
            for e in postorder(roots):
                if e.op == "named" and e.params[1] != "local" and e is not self.output and e not in seen:
                    seen.add(e)
                    lines.append(Line(e, (Term(e.args[0]),)))

        for q in self.program.quantities:
            if isinstance(q, LoopSum):
                defined(q.body)
                lines.append(Line(q.value, (Term(q.body, q.run, q.inner, q.guards),)))
                continue
            for r in q.parts:
                assert r.body is not None
                defined(r.body, *r.starts.values())
                for position, start in r.starts.items():
                    lines.append(Line(self.program.of_family(r.name, "", position), single(start)))
            for r in q.parts:
                assert r.body is not None
                head = self.program.of_family(r.name, q.run.name, 0)
                term = Term(r.body, r.inner[0], r.inner[1:], r.guards) if r.inner else Term(r.body)
                lines.append(Line(head, (term,), Range(q.run.name, q.run.first, q.run.last)))
        body = self.output.definition
        defined(body)
        return [*lines, Line(heading(self.title, body), (Term(body),))]

    @property
    def title(self) -> str:
        """What the function is called."""
        return self.output.name if self.output.op == "named" else "f"

    # -------------------------------------------------------------------------------------------- code

    @cached_property
    def computed_pieces(self) -> Pieces:
        """The pieces as they are computed."""
        return stabilised(self.pieces)

    @cached_property
    def tangent(self) -> Tangent:
        """The program of the directional derivative."""
        return tangent(self.computed_pieces)

    def source(
        self, kind: str | None = None, target: str = "numpy", checkpoint: int | None = None, *, to_run: bool = False
    ) -> str:
        """The source text of a standalone module with one function; `to_run`: in Python, whatever the target.

        Raises:
            MatcalcError: another kind, or a checkpoint that is no number of steps.
            NoRuleError: a target that has no loops.
        """
        found = kind_of(kind or VALUE_AND_GRAD, OFFERED)
        need_target(target, TARGETS)
        if found.tangents:
            made = self.tangent
            pieces = Pieces(made.program, made.output, made.declared, self.names if found.second else ())
            directions = made.directions
        else:
            pieces, directions = self.computed_pieces, {}
        if checkpoint is None:
            stored = found.derivatives and not found.tangents
            writers = RUN.get(target, TARGETS[target]) if to_run else TARGETS[target]
            return self.written(writers, with_stored(pieces) if stored else pieces, found, directions)
        if isinstance(checkpoint, bool) or not isinstance(checkpoint, int) or checkpoint < 1:
            raise MatcalcError(f"checkpoint is a number of steps, 1 or more, got {shorten(repr(checkpoint))}")
        if found not in (GRADIENT, VALUE_AND_GRAD, HVP):
            raise NoRuleError(f"checkpoint is for gradients and hvp, got {found}: it stores no states")
        if target in STRETCHED:
            writer, library = STRETCHED[target]
            cut = writer(pieces, found, directions, library, target, checkpoint, self.part)
            return cut.text(map(str, self.forward()))
        if target != "numpy":
            offered = ", ".join(["numpy", *STRETCHED])
            raise NoRuleError(f"checkpoint is for {offered}, not for {target}, whose code stores all states")
        return CheckpointWriter(pieces, found, directions, checkpoint).text(map(str, self.forward()))

    def compiled(self, kind: str) -> Callable[..., Any]:
        """The function of a kind, in NumPy."""
        return compile_function(self.source(kind))

    def part(self, pieces: Pieces, kind: Kind, target: str) -> str:
        """The module of a part of the program, by the gradients of which it is computed in little memory."""
        return self.written(TARGETS[target], with_stored(pieces), kind, {}, ())

    def written(
        self,
        writers: Writers,
        pieces: Pieces,
        kind: Kind,
        directions: dict[str, str],
        notes: Iterable[str] | None = None,
    ) -> str:
        """The text by the first of some writers that has what it needs."""
        *before, last = writers
        lines = list(map(str, self.forward()) if notes is None else notes)
        for writer, library in before:
            try:
                return writer(pieces, kind, directions, library).text(lines)
            except NoRuleError:
                continue
        return last[0](pieces, kind, directions, last[1]).text(lines)


def not_scalar(output: Expr) -> str:
    """Why there is no gradient, and what gives products with the Jacobian."""
    shape = shape_text(output.shape)
    weights, weighted = ("v", "v'*f") if is_one(output.shape[1]) else ("V", "tr(V'*f)")
    return (
        f"a gradient needs a scalar function, but {{}} is {shape}; of {weighted}, with {weights}: {shape} declared, "
        f"the gradient is the transposed Jacobian times {weights}"
    )
