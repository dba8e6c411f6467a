"""A program for a language with matrices: its names, where its sizes come from, its statements and its results."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sympy as sp

from matcalc.core import exact_dim
from matcalc.dims import is_one, shape_text
from matcalc.emit import trees
from matcalc.emit.code import number_code
from matcalc.emit.program import Lowered
from matcalc.errors import NoRuleError
from matcalc.expr import Expr
from matcalc.printing.text import shared
from matcalc.properties import names_of
from matcalc.targets.matrix_languages.expressions import Expressions
from matcalc.targets.matrix_languages.pieces import Piece, Shape
from matcalc.targets.matrix_languages.values import written

_COMMENT = 100


def described(v: Expr) -> str:
    """The shape and the facts of a variable."""
    return " ".join([shape_text(v.shape), ", ".join(names_of(v.params[3]))]).strip()


@dataclass(frozen=True, slots=True)
class Input:
    """A variable, a tangent or the cotangent, under its name in the language."""

    variable: Expr
    name: str

    @property
    def is_vector(self) -> bool:
        """It has one row or one column."""
        return any(map(is_one, self.variable.shape))


@dataclass(frozen=True, slots=True)
class Measured:
    """A size and where it comes from: an axis of an input, as `factor` size plus `offset`."""

    name: str
    of: Input
    axis: int
    factor: int = 1
    offset: str = "0"


@dataclass(frozen=True, slots=True)
class Written:
    """A statement: its target, what it is, its shape, and the formula behind it."""

    target: str
    piece: Piece
    shape: Shape
    comment: str


class Writer:
    """One program in a language.

    Args:
        lowered: the program.
        language: the class of its expressions.
        words: what no name can be.
        keeps: what starts the names of inputs that need no other name than the user's.
    """

    def __init__(self, lowered: Lowered, language: type[Expressions], words: Iterable[str]) -> None:
        if lowered.functions:
            raise NoRuleError(f"no code for {language.title} with abstract functions")
        self.lowered, self.title = lowered, language.title
        self.taken = {*words, lowered.name}
        self.renamed: dict[str, str] = {}
        program = lowered.program
        self.inputs = [self._input(v) for v in program.variables]
        self.tangents = {wrt: self._input(t) for wrt, t in program.tangents.items()}
        self.cotangent = self._input(program.cotangent) if program.cotangent is not None else None
        self.sizes = {d: self.fresh(d) for d in lowered.dimensions}
        self.renamed |= {name: self.sizes[d] for d, name in lowered.dimensions.items()}
        for s in lowered.schedule.statements:
            self.renamed[s.target] = self.fresh(s.target)
        self.expressions = language(self.renamed, self.sizes)
        self.measured, self.given = self._sizes()

    def _input(self, v: Expr) -> Input:
        python = self.lowered.inputs[v.params[0]]
        self.renamed[python] = self.fresh(str(v.params[0]))
        return Input(v, self.renamed[python])

    def fresh(self, wanted: str) -> str:
        """A name that is free."""
        if not wanted.isascii():
            raise NoRuleError(f"no code for {self.title}: {wanted} is no name there")
        wanted = wanted.lstrip("_") or "x"
        while wanted in self.taken:
            wanted += "_"
        self.taken.add(wanted)
        return wanted

    # ------------------------------------------------------------------------------------------------ sizes

    def size(self, d: Any) -> str:
        """A size in the language."""
        return self.expressions.exact_size(d)

    def divisors(self) -> list[tuple[str, str]]:
        """What is divided by and is 0 for some sizes of at least 1: for the reader, and in the language."""
        sizes = [s for n in self.lowered.needed for s in n.sizes if not s[1].is_positive]
        return [(text, self.expressions.size(trees.parsed(number_code(size, self.sizes)[0]))) for text, size in sizes]

    def _sizes(self) -> tuple[list[Measured], list[str]]:
        """The sizes that are measured on inputs, and the names of those that must be given."""
        found: dict[str, Measured] = {}
        arrays = [i for i in self.inputs if not i.variable.is_scalar]
        places = [(i, axis, exact_dim(d)) for i in arrays for axis, d in enumerate(i.variable.shape)]
        for i, axis, d in places:
            if d.is_Symbol:
                found.setdefault(d.name, Measured(self.sizes[d.name], i, axis))
        for i, axis, d in places:
            d = sp.sympify(d)
            unknown = [s for s in d.free_symbols if s.name not in found]
            if len(unknown) != 1 or sp.degree(d, unknown[0]) != 1 or not d.coeff(unknown[0], 1).is_Integer:
                continue
            s = unknown[0]
            offset = self.size(d.coeff(s, 0)) if d.coeff(s, 0) != 0 else "0"
            found[s.name] = Measured(self.sizes[s.name], i, axis, int(d.coeff(s, 1)), offset)
        return list(found.values()), [name for d, name in self.sizes.items() if d not in found]

    # ------------------------------------------------------------------------------------------------ statements

    def statements(self) -> list[Written]:
        """The statements, in order."""
        found = []
        for s in self.lowered.schedule.statements:
            target = self.renamed[s.target]
            piece = written(self.expressions, s.computed)
            comment = f"{s.of.params[0]} = {shared(s.of.args[0]).body}" if s.of is not None else ""
            if len(comment) > _COMMENT or _bare(comment) == _bare(f"{target} = {piece.text}"):
                comment = ""
            found.append(self.stored(Written(target, piece, self.expressions.shape(s.value.shape), comment)))
        return found

    def stored(self, statement: Written) -> Written:
        """A statement as it is written."""
        return statement

    def result(self, e: Expr) -> Piece:
        """The expression of a result."""
        return written(self.expressions, self.lowered.schedule.computed(e))

    def results(self) -> list[tuple[str, Expr, Piece]]:
        """The derivatives by the variables' names, each with its expression."""
        if not self.lowered.program.kind.derivatives or self.lowered.program.output is not None:
            return []
        return [(name, e, self.result(e)) for name, e in self.lowered.program.results.items()]


def _bare(text: str) -> str:
    """A formula without what languages write differently in products."""
    return re.sub(r"[\s.%]", "", text)


def called_names(lines: Iterable[str]) -> set[str]:
    """The names that are followed by a bracket, or handed to others as functions."""
    return {name for line in lines for pair in re.findall(r"(\w+)\(|@(\w+)", line) for name in pair if name}
