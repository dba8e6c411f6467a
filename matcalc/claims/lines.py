"""A hand derivation line by line: every line is judged, and later lines are judged as if earlier ones were right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from matcalc.calculus.problem import Problem
from matcalc.claims.claim import about_shapes, decided, misfitting, question
from matcalc.claims.constants import with_constants
from matcalc.claims.verdict import DISPROVED, PROVED, UNDECIDED, Verdict
from matcalc.core import named
from matcalc.errors import MatcalcError, ParseError
from matcalc.expr import Expr
from matcalc.frontend.parser import parse_in
from matcalc.graph import Graph
from matcalc.languages import ENGLISH
from matcalc.languages import language as language_of

# d_theta = ..., dJ/dW1 = ..., dJ/d_W1 = ...
_ADJOINT = re.compile(r"\s*(?:d_(?P<name>\w+)|d\w*\s*/\s*d_?(?P<by>\w+))\s*=(?P<claim>.*)", re.DOTALL)
_DEFINITION = re.compile(r"\s*([A-Za-z_]\w*)\s*=(?!=)(.*)", re.DOTALL)


@dataclass(frozen=True)
class Line:
    """One line of a hand derivation.

    Attributes:
        number: of the line in the text, from 1.
        text: as it was written.
        verdict: None for a definition that claims nothing.
    """

    number: int
    text: str
    verdict: Verdict | None


@dataclass(frozen=True)
class LineVerdicts(Sequence[Line]):
    """The lines of a hand derivation with their verdicts.

    Attributes:
        lines: in order.
    """

    lines: tuple[Line, ...]

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, index: int) -> Line:  # type: ignore[override]
        return self.lines[index]

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)

    @property
    def verdicts(self) -> list[Verdict]:
        """The verdicts of the lines that claim something."""
        return [line.verdict for line in self.lines if line.verdict is not None]

    @property
    def first_wrong(self) -> Line | None:
        """The first line that is disproved."""
        wrong = (line for line in self.lines if line.verdict is not None and line.verdict.status == DISPROVED)
        return next(wrong, None)

    @property
    def status(self) -> str:
        """Disproved if a line is, else undecided if a line is, else proved."""
        found = {verdict.status for verdict in self.verdicts}
        return DISPROVED if DISPROVED in found else UNDECIDED if UNDECIDED in found else PROVED

    def __str__(self) -> str:
        return self.text()

    def text(self, language: str = ENGLISH) -> str:
        """The lines with their verdicts in plain text."""
        t = language_of(language)
        rows: list[str] = []
        wrong = self.first_wrong
        for line in self.lines:
            status = t("definition" if line.verdict is None else line.verdict.status)
            mark = f"   <- {t('the first error is here')}" if line is wrong else ""
            rows.append(f"{line.number:3d}  {status:10s}  {line.text}{mark}")
            if line.verdict is not None and line.verdict.status != PROVED:
                rows.extend(f"       {row}" for row in line.verdict.text(language).splitlines()[2:])
        return "\n".join(rows)


def statements(text: str) -> Iterator[tuple[int, str]]:
    """The statements of a text with the numbers of their lines; comments and blanks left out."""
    for number, row in enumerate(text.splitlines(), 1):
        for part in row.split("#")[0].split(";"):
            if part.strip():
                yield number, part.strip()


def claimed_name(statement: str, graph: Graph) -> tuple[str, str] | None:
    """The value whose adjoint a line claims, and the claim; None for a line that claims no adjoint of the graph."""
    found = _ADJOINT.fullmatch(statement)
    if found is None:
        return None
    name = found["name"] or found["by"]
    known = name in graph.declared or name in graph.definitions
    return (name, found["claim"].strip()) if known else None


def judged_lines(d: Problem, text: str) -> LineVerdicts:
    """The verdicts on the lines of a hand derivation of the gradient.

    Args:
        d: the derivation of the function.
        text: lines `d_theta = yhat - y`, `dJ/dW1 = x' * d_r`; others define names for what follows.

    Raises:
        MatcalcError: a line is not in the syntax.
    """
    scope = d.graph.scope
    lines: list[Line] = []
    for number, statement in statements(text):
        claimed = claimed_name(statement, d.graph)
        if claimed is None:
            name, value = _definition(statement, number)
            scope[name] = _parsed(value, scope, d.roots, number, statement)
            lines.append(Line(number, statement, None))
            continue
        name, claim = claimed
        asked = question(d, name, "gradient")
        lines.append(Line(number, statement, _verdict(d, scope, name, claim)))
        right = named(f"d_{name}", asked.right, "local") if asked.right.args else asked.right
        scope[f"d_{name}"] = right
    if all(line.verdict is None for line in lines):
        raise MatcalcError("no line claims an adjoint: write d_NAME = ..., NAME a variable or definition of the graph")
    return LineVerdicts(tuple(lines))


def _verdict(d: Problem, scope: dict[str, Expr], name: str, claim: str) -> Verdict:
    asked = question(d, name, "gradient")
    source = with_constants(claim)
    parse = partial(parse_in, scope=scope, beside=d.roots)
    try:
        value = parse(source)
    except MatcalcError as error:
        if not about_shapes(error):
            raise
        return misfitting(asked, parse, source, error)
    return decided(asked, claim, value)


def _definition(statement: str, number: int) -> tuple[str, str]:
    found = _DEFINITION.fullmatch(statement)
    if found is None:
        raise ParseError(f"line {number} is neither `d_NAME = ...` nor a definition: {statement}")
    return found[1], found[2].strip()


def _parsed(value: str, scope: dict[str, Expr], beside: tuple[Expr, ...], number: int, statement: str) -> Expr:
    try:
        return parse_in(with_constants(value), scope, beside)
    except MatcalcError as error:
        raise MatcalcError(f"line {number}, {statement}: {error}") from None
