"""Jacobians of programs with loops: gradients of the inner product with a cotangent, one entry after the other."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from textwrap import indent

from matcalc import core
from matcalc.errors import MatcalcError, NoRuleError
from matcalc.expr import Expr
from matcalc.indices.program import Program
from matcalc.kinds import GRADIENT, JACOBIAN, VALUE, VJP, kind_of
from matcalc.loops import helpers
from matcalc.loops.code import Writer
from matcalc.loops.pieces import Pieces, wanted
from matcalc.loops.problem import LoopProblem

COTANGENT = "cotangent"
TARGETS = ("numpy", "numba", "native")
OFFERED = (VALUE, JACOBIAN, VJP)


class MatrixWriter(Writer):
    """Writes the value of a program that is no number."""

    def number_result(self) -> str:
        """The value as it is returned."""
        return "value"


class Rows:
    """The Jacobians of a program with loops.

    Attributes:
        pieces: of the program.
        weighted: the program of the inner product with the cotangent, by the same variables.
    """

    def __init__(self, program: Program, output: Expr, declared: Iterable[Expr], wrt: Iterable[str] | None) -> None:
        given = list(declared)
        names = wanted(program, given, wrt)
        if COTANGENT in {v.name for v in given} | program.families.keys() | program.recurrences.keys():
            raise MatcalcError(f"nothing can be called {COTANGENT} here: the generated function has a parameter so")
        self.pieces, self.shape = Pieces(program, output, given, names), output.shape
        self.weights = core.var(COTANGENT, *output.shape)
        inner = core.trace(core.matmul(core.transpose(self.weights), output))
        weighted = core.named(self.pieces.fresh_names().fresh("weighted"), inner)
        self.weighted = LoopProblem(program, weighted, [*given, self.weights], names)

    def source(self, given: str | None, target: str = "numpy") -> str:
        """The source text of a module with one function.

        Raises:
            MatcalcError: another kind.
            NoRuleError: another target.
        """
        kind = kind_of(given or JACOBIAN, OFFERED)
        if target not in TARGETS:
            raise NoRuleError(f"Jacobians of programs with loops are written for {', '.join(TARGETS)}, not {target!r}")
        if kind is VALUE:
            return MatrixWriter(self.pieces, VALUE, {}).text(map(str, self.weighted.forward()[:-1]))
        text = self.weighted.source(GRADIENT.name, target)
        if kind is VJP:
            return text.replace(f"def {GRADIENT}(", f"def {VJP}(", 1)
        text = text.replace(f"def {GRADIENT}(", f"{self.function()}\n\n\ndef _products(", 1)
        return f"{text.rstrip()}\n\n\n{HELPER}"

    def function(self) -> str:
        """The function that calls the one of products for each entry of the value."""
        around = Writer(self.pieces, GRADIENT, {})
        checks = [line for line in Writer.inputs(around) if not line.startswith("given_")]
        inputs = around.inputs_names
        given = ", ".join(f'"{n}": {n}' for n in inputs)
        families = [n for n in self.pieces.wrt if n in self.pieces.program.families]
        shape = ", ".join(map(around.size, self.shape))
        lines = [f'"""{JACOBIAN.summary}"""', *checks]
        lines.append(f"return _rows(_products, {{{given}}}, {self.pieces.wrt!r}, {families!r}, ({shape}), dims)")
        return f"def {JACOBIAN}(*, {', '.join([*inputs, 'dims=None'])}):\n{indent(chr(10).join(lines), '    ')}"


HELPER = inspect.getsource(helpers._rows)
