"""A hand derivation line by line: every line is judged, and later lines are judged as if earlier ones were right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from matcalc.calculus.problem import Problem
from matcalc.claims.claim import about_shapes, decided, misfitting
from matcalc.claims.constants import with_constants
from matcalc.claims.question import Question, adjoint_named, derivative_question, with_adjoints
from matcalc.claims.verdict import DISPROVED, PROVED, UNDECIDED, Verdict, in_notebook
from matcalc.errors import MatcalcError, ParseError
from matcalc.expr import Expr
from matcalc.frontend.parser import parse_in
from matcalc.languages import ENGLISH, Message
from matcalc.languages import language as language_of

# d_theta = ... or g_theta = ..., dJ/dW1 = ..., dJ/d_W1 = ...
_ADJOINT = re.compile(r"\s*(?:[dg]_(?P<name>\w+)|d_?(?P<of>\w*)\s*/\s*d_?(?P<by>\w+))\s*=(?!=)(?P<claim>.*)", re.DOTALL)
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
        notice: what undeclared names were taken for, if there are any.
    """

    lines: tuple[Line, ...]
    notice: Message | None = None

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

    def _repr_markdown_(self) -> str:
        return in_notebook(self.status, self.text())

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
        if self.notice is not None:
            rows.append(f"     {self.notice.text(language)}")
        return "\n".join(rows)


@dataclass(frozen=True)
class Statement:
    """A statement of a text.

    Attributes:
        text: without comments and blanks around it.
        line: the line on which it begins, from 1.
        start: where it begins in the text.
    """

    text: str
    line: int
    start: int


def statements(text: str) -> Iterator[Statement]:
    """The statements of a text, which semicolons and ends of lines outside of brackets part; comments are left out."""
    depth, start, line, first = 0, 0, 1, 1
    plain = re.sub(r"#[^\n]*", lambda found: " " * len(found.group()), text)
    for k, c in enumerate(plain + "\n"):
        depth += (c in "([") - (c in ")]")
        if (c in ";\n" and depth <= 0) or k == len(plain):
            part = plain[start:k]
            if part.strip():
                yield Statement(part.strip(), first, start)
            start, depth, first = k + 1, 0, line + (c == "\n")
        line += c == "\n"


@dataclass(frozen=True)
class Claimed:
    """What a line claims.

    Attributes:
        of: the value that is differentiated: empty for the output.
        name: the value that it is differentiated by.
        claim: the text of the result.
    """

    of: str
    name: str
    claim: str


def claimed_in(statement: str) -> Claimed | None:
    """What a line `g_NAME = ...` or `dJ/dNAME = ...` claims; None for any other."""
    found = _ADJOINT.fullmatch(statement)
    return None if found is None else Claimed(found["of"] or "", found["name"] or found["by"], found["claim"].strip())


def judged_lines(d: Problem, text: str) -> LineVerdicts:
    """The verdicts on the lines of a hand derivation of the gradient.

    Args:
        d: the derivation of the function.
        text: lines `g_theta = yhat - y`, `dJ/dW1 = x' * d_r`, `dh/dr = ...` for a value h that is not the output;
            others define names for what follows. `g_r` is the right adjoint of r.

    Raises:
        MatcalcError: a line is not in the syntax.
    """
    scope = d.graph.scope
    lines: list[Line] = []
    for statement in statements(text):
        number, shown = statement.line, statement.text
        claimed = claimed_in(shown)
        if claimed is None or claimed.name not in d.graph.scope:
            name, value = _definition(shown, number)
            scope[name] = _parsed(value, with_adjoints(d, value, scope), d.roots, number, shown)
            lines.append(Line(number, shown, None))
            continue
        asked = derivative_question(d, claimed.of, claimed.name)
        lines.append(Line(number, shown, _verdict(d, asked, with_adjoints(d, claimed.claim, scope), claimed.claim)))
        if asked.graph is d.graph and d.output.is_scalar:
            for written in (f"d_{claimed.name}", f"g_{claimed.name}"):
                scope[written] = adjoint_named(d, claimed.name)
    if all(line.verdict is None for line in lines):
        raise MatcalcError("no line claims an adjoint: write d_NAME = ..., NAME a variable or definition of the graph")
    return LineVerdicts(tuple(lines))


def _verdict(d: Problem, asked: Question, scope: dict[str, Expr], claim: str) -> Verdict:
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
        raise ParseError(f"line {number} is neither `g_NAME = ...` nor a definition: {statement}")
    return found[1], found[2].strip()


def _parsed(value: str, scope: dict[str, Expr], beside: tuple[Expr, ...], number: int, statement: str) -> Expr:
    try:
        return parse_in(with_constants(value), scope, beside)
    except MatcalcError as error:
        raise MatcalcError(f"line {number}, {statement}: {error}") from None
