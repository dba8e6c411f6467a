"""The derivation of a program with families and recurrences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from matcalc.dims import shape_text
from matcalc.dims import text as dim_text
from matcalc.emit.module import compile_function
from matcalc.errors import MatcalcError, NoRuleError, ShapeError, need_one_of, shorten
from matcalc.expr import Expr
from matcalc.indices.program import LoopSum, Program
from matcalc.kinds import GRADIENT, VALUE_AND_GRAD
from matcalc.loops.adjoints import Adjoints, written
from matcalc.loops.code import loops_source
from matcalc.loops.evaluation import evaluate_program
from matcalc.loops.pieces import Pieces, wanted

# What a derivation of matrices offers and one with loops does not.
ELSEWHERE = frozenset(
    (
        *("jacobian", "hessian", "claim", "claim_values", "claim_lines", "curvature", "objective", "optimum"),
        *("export", "picture", "latex", "markdown", "check", "adjoint", "steps", "paths", "parse"),
    )
)


class LoopGradient(str):
    """A gradient as text, in the notation of sums and recurrences: the adjoints that it needs, then the result."""


class LoopDerivation:
    """The gradients of a scalar program in which families and recurrences stand.

    Attributes:
        program: the loops.
        output: the function, in members and sums.
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

    def gradient(self, name: str | None = None) -> LoopGradient:
        """The gradient by a variable or a family, as text: lines for the adjoints, then the result.

        Raises:
            MatcalcError: it is not among the derived.
        """
        if name is None:
            if len(self.names) != 1:
                raise MatcalcError(f"name the variable: one of {', '.join(self.names)}")
            name = self.names[0]
        if name not in self.names:
            raise MatcalcError(f"{shorten(str(name))} is not among the derived: {', '.join(self.names)}")
        return LoopGradient("\n".join(self.adjoints.lines(name)))

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

    def need_scalar(self, what: str) -> None:
        """Raise NoRuleError for anything but a gradient; the function is 1 x 1 always."""
        if what != GRADIENT.title:
            raise NoRuleError(f"a {what} is not available for programs with families and recurrences")

    def text(self, style: str = "steps", layout: str = "denominator", *, language: str = "en") -> str:
        """The derivation as plain text: `steps` shows the program, the adjoints and the gradients, `result` the last.

        Raises:
            MatcalcError: another style, layout or language.
        """
        need_one_of("style", style, ("steps", "result"))
        need_one_of("layout", layout, ("denominator",))
        need_one_of("language", language, ("en",))
        lines = [] if style == "result" else ["Forward:", *(f"  {line}" for line in self.forward()), ""]
        for name in self.names:
            lines += [f"d{self.title}/d{name}:", *(f"  {line}" for line in self.adjoints.lines(name)), ""]
        return "\n".join(lines).rstrip()

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"LoopDerivation({shorten(self.forward()[-1])}, wrt={', '.join(self.names)})"

    # -------------------------------------------------------------------------------------------- code and numbers

    def code(self, kind: str | None = None, target: str = "numpy") -> str:
        """The source text of a standalone NumPy module with one function: loops with stored states.

        Args:
            kind: `value`, `gradient` or `value_and_grad` (the default).
            target: `numpy`.

        Raises:
            MatcalcError: another kind.
            NoRuleError: another target.
        """
        if target != "numpy":
            raise NoRuleError(f"families and recurrences are written in NumPy only, not for the target {target!r}")
        return loops_source(self.pieces, kind or VALUE_AND_GRAD.name, self.forward())

    def function(self, kind: str | None = None, target: str = "numpy") -> Callable[..., Any]:
        """The compiled function of `code(kind)`.

        A family is a list of arrays, or an array whose first axis is the index; its gradient comes in the same form.
        """
        return compile_function(self.code(kind, target))

    def evaluate(self, *, dims: Mapping[str, int] | None = None, **values: Any) -> Any:
        """The value by direct evaluation of the program."""
        return evaluate_program(self.pieces, values, dims)

    def __getattr__(self, name: str) -> Any:
        if name in ELSEWHERE:
            raise NoRuleError(f"{name} is not available for programs with families and recurrences")
        raise AttributeError(name)
