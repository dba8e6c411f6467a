"""The page of a student: what is right, the first wrong line, what a tutor would say of it, how to go on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap

from matcalc.calculus.problem import Problem
from matcalc.claims.lines import Claimed, Line, LineVerdicts, claimed_in
from matcalc.claims.verdict import DISPROVED, PROVED, UNDECIDED
from matcalc.errors import MatcalcError
from matcalc.expr import Expr
from matcalc.languages import Language, language
from matcalc.views.backward import Step
from matcalc.views.builder import ViewBuilder
from matcalc.views.layout import Layout, listed
from matcalc.views.lesson_page import LessonWriter
from matcalc.views.page import TEXT, Equation, StepBack

WIDTH = 100
ALL_RIGHT = "All is right: {0}."
RIGHT = "Right so far: {0}."
NOTHING_RIGHT = "The first line that claims something is wrong; that happens to everybody."
LATER = "Right again, given the right value before them: {0}."
FIRST_WRONG = "The first error is in line {0}:"
OPEN = "Neither proved nor disproved: {0}."
TUTOR = "What a tutor would say"
ASK = "Which {0} of the shape of {1}, {2}, gives {3}?"
GO_ON = "How to go on"
MEND = "Mend line {0} and hand the page in again; do not change the lines after it before that."
ANOTHER = "Then look at line {0} too: it has an error of its own."
STILL = "Not claimed yet: {0}."
NEXT = "The next value on the way back is {0}: {1}."
DONE = "Nothing is missing: all gradients that were asked for are there."
MESSAGES = (
    *(ALL_RIGHT, RIGHT, NOTHING_RIGHT, LATER, FIRST_WRONG, OPEN, TUTOR, ASK, GO_ON, MEND, ANOTHER, STILL, NEXT, DONE),
)


def tutored(d: Problem, verdicts: LineVerdicts, code: str) -> str:
    """The page for the author of a hand derivation.

    Args:
        d: the derivation of the function.
        verdicts: on the author's lines.
        code: the language.

    Raises:
        MatcalcError: the function has no gradient.
    """
    if not d.output.is_scalar:
        raise MatcalcError("a tutor reads gradients of scalar functions")
    return "\n".join(_Tutor(d, verdicts, language(code)).lines())


class _Tutor:
    def __init__(self, d: Problem, verdicts: LineVerdicts, words: Language) -> None:
        self.d = d
        self.verdicts = verdicts
        self.words = words
        self.builder = ViewBuilder(d, TEXT, words)
        self.writer = LessonWriter(self.builder)
        self.steps = self.writer.way.steps()

    def lines(self) -> Iterator[str]:
        wrong = self.verdicts.first_wrong
        right = self.named_lines(PROVED, before=wrong)
        if wrong is None:
            yield from self.said(ALL_RIGHT if self.verdicts.status == PROVED else RIGHT, right)
        elif right:
            yield from self.said(RIGHT, right)
        else:
            yield from self.said(NOTHING_RIGHT)
        if open_lines := self.named_lines(UNDECIDED):
            yield from self.said(OPEN, open_lines)
        if wrong is not None:
            yield from self.on_the_error(wrong)
        yield ""
        yield self.words(GO_ON)
        for line in self.going_on(wrong):
            yield from (f"  {part}" for part in wrap(line, WIDTH))
        if self.verdicts.notice is not None:
            yield ""
            yield from wrap(f"{self.verdicts.notice.text(self.words.code)}.", WIDTH)

    def said(self, message: str, *values: str) -> list[str]:
        return wrap(self.words(message).format(*values), WIDTH)

    def named_lines(self, status: str, before: Line | None = None, after: Line | None = None) -> str:
        """The claims of this status, `g_h (line 2)`, before or after a line."""
        lines = list(self.verdicts)
        first = lines.index(after) + 1 if after is not None else 0
        last = lines.index(before) if before is not None else len(lines)
        found = []
        for line in lines[first:last]:
            if line.verdict is not None and line.verdict.status == status:
                found.append(f"{line.text.partition('=')[0].strip()} ({line.number})")
        return listed(found, self.words) if found else ""

    # ------------------------------------------------------------------------------------------------ the error

    def on_the_error(self, wrong: Line) -> Iterator[str]:
        yield ""
        yield self.words(FIRST_WRONG).format(wrong.number)
        yield f"  {wrong.text}"
        yield ""
        yield self.words(TUTOR)
        assert wrong.verdict is not None
        diagnosis = wrong.verdict.diagnosis.text(self.words.code)
        if diagnosis:
            yield from (f"  {part}" for part in wrap(f"{diagnosis[0].upper()}{diagnosis[1:]}.", WIDTH))
        elif wrong.verdict.counterexample is not None:
            yield from (f"  {line}" for line in wrong.verdict.counterexample.text(self.words.code).splitlines())
        claimed = claimed_in(wrong.text)
        step = self.step_of(claimed) if claimed is not None else None
        if claimed is not None and step is not None:
            yield from self.hint(claimed.name, step)

    def step_of(self, claimed: Claimed) -> Step | None:
        """The step that finds the gradient by a value; of another function than the output there is none."""
        if claimed.of not in ("", self.builder.label(self.d.output)):
            return None
        return next((s for s in self.steps if any(v.name == claimed.name for v in s.values)), None)

    def hint(self, name: str, step: Step) -> Iterator[str]:
        """The step up to the point from which the result is read off."""
        value = next(v for v in step.values if v.name == name)
        whole = self.writer.step(step)
        lines = [[Equation(e.left, e.rows[:1]) for e in together] for together in whole.lines]
        shown = StepBack([self.builder.named(value)], whole.into, whole.inline, lines, [])
        layout = Layout(self.words)
        head, *rest = layout.laid_out(shown, 0)
        yield f"  {head.removeprefix('0. ')}"
        yield from (f" {line}" for line in rest)
        df = self.builder.differential_of(self.d.output)
        adjoint, dv = self.builder.adjoint_name(value), self.builder.differential_of(value)
        asked = f"{df} = {adjoint}*{dv}" if value.is_scalar else f"{df} = tr({adjoint}'*{dv})"
        shape = self.builder.w.shape(value.shape)
        still = [f"{self.builder.differential_of(v)} = 0" for v in step.values if v is not value]
        asked += f" ({', '.join(still)})" if still else ""
        text = self.words(ASK).format(adjoint, self.builder.named(value), shape, asked)
        yield from (f"  {part}" for part in wrap(text, WIDTH))

    # ------------------------------------------------------------------------------------------------ the way on

    def going_on(self, wrong: Line | None) -> Iterator[str]:
        if wrong is not None:
            yield self.words(MEND).format(wrong.number)
            if later := self.named_lines(PROVED, after=wrong):
                yield self.words(LATER).format(later)
            others = [
                line
                for line in self.verdicts
                if line.verdict is not None and line.verdict.status == DISPROVED and line is not wrong
            ]
            for line in others[:1]:
                yield self.words(ANOTHER).format(line.number)
            return
        claimed = {found.name for line in self.verdicts if (found := claimed_in(line.text)) is not None}
        missing = [e for e in self.d.wrt if e.name not in claimed]
        if not missing:
            yield self.words(DONE)
            return
        yield self.words(STILL).format(listed([self.builder.quotient(e) for e in missing], self.words))
        last = max((k for k, s in enumerate(self.steps) if claimed & set(names_of(s.values))), default=-1)
        step = next((s for s in self.steps[last + 1 :] if not claimed & set(names_of(s.values))), None)
        if step is not None:
            into = [self.builder.named(p) for p in step.into]
            values = [self.builder.named(v) for v in step.values]
            enters = "{0} enters {1}" if len(values) == 1 else "{0} enter {1}"
            said = self.words(enters).format(listed(values, self.words), listed(into, self.words))
            yield self.words(NEXT).format(listed(values, self.words), said)


def names_of(values: Iterable[Expr]) -> list[str]:
    """The names of some values; unnamed ones left out."""
    return [v.name for v in values if v.name]
