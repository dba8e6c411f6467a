"""The rows of tables, lists and chains in a note: from the lesson's plain data to markup, for the templates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matcalc.export.lesson import Fact, Lesson, LocalMatrix, Result
from matcalc.export.markup import DIFFERENTIAL, ITEM, OPERATION, REFERENCE, Markup
from matcalc.export.references import References
from matcalc.export.symbols import Symbol
from matcalc.numeric.report import Report
from matcalc.printing.breaking import width
from matcalc.views.page import Equation, StepBack

MANY = 12  # variables from which those of the same shape share a row
LONG = 50  # letters of a reason that stands below its formula and not beside it
SHARED = 4  # facts of one kind that are said one by one


def rows_for(f: Markup) -> dict[str, Callable[..., Any]]:
    """The functions that a template calls, for one markup."""
    rows = _Rows(f)
    names = (
        "variables",
        "definitions",
        "recognised",
        "reasons",
        "needed",
        "entering",
        "chain",
        "read_off",
        "adjoints",
        "certificate",
        "identities",
        "facts",
    )
    more = ("operations", "results", "boxed", "prose", "noticed", "symbols", "row", "found")
    return {name: getattr(rows, name) for name in (*names, *more)}


class _Rows:
    def __init__(self, f: Markup) -> None:
        self.f = f
        self.said: set[str] = set()

    def symbols(self, found: list[Symbol]) -> list[list[str]]:
        """Symbols and what they mean."""
        return [[self.f.math(s.example), self.f.t(s.meaning, *map(self.f.math, s.formulas))] for s in found]

    # ------------------------------------------------------------------------------------------------ the graph

    def variables(self, lesson: Lesson) -> list[list[str]]:
        """Name, shape, what is known; where there are many, neighbours of the same kind share a row."""
        f = self.f
        many = len(lesson.variables) > MANY
        rows: list[tuple[list[str], str, list[str]]] = []
        for v in lesson.variables:
            if many and rows and rows[-1][1:] == (v.shape, v.facts):
                rows[-1][0].append(v.name)
            else:
                rows.append(([v.name], v.shape, v.facts))
        known = any(facts for _, _, facts in rows)
        return [
            [self.listed(names), f.math(shape), *([", ".join(map(f.t, facts))] if known else [])]
            for names, shape, facts in rows
        ]

    def listed(self, names: list[str]) -> str:
        """Names in a row; of a long one the first and the last."""
        shown = names if len(names) <= MANY else [*names[:2], r"\dots", names[-1]]
        return self.f.math(", ".join(shown))

    def definitions(self, lesson: Lesson) -> list[list[str]]:
        """Name, definition, shape, and what the source says of it."""
        f = self.f
        said = any(v.gloss for v in lesson.definitions)
        return [
            [f.math(v.name), f.tall(v.definition), f.math(v.shape), *([f.text(v.gloss)] if said else [])]
            for v in lesson.definitions
        ]

    def recognised(self, lesson: Lesson) -> list[str]:
        """The functions that the source spells out, each with the number of its identity."""
        return [f"{self.f.math(row.value)} {self.f.math(self.numbers(row.cited))}" for row in lesson.recognised]

    def noticed(self, lesson: Lesson) -> str:
        """What undeclared names were taken for."""
        said = lesson.notice.text(self.f.language.code) if lesson.notice is not None else ""
        return self.f.text(f"{said}.".replace(" x ", " × "))

    # ------------------------------------------------------------------------------------------------ the steps

    def needed(self, lesson: Lesson) -> list[str]:
        """What is derived before it is used: a clause below the other, the reason under them."""
        return [
            self.f.lines(
                *(self.prose(part.removeprefix(", ")) for part in (fact.first, *fact.rest)),
                self.f.small(self.prose(fact.remark)) if fact.remark else "",
            )
            for fact in lesson.needed
        ]

    def entering(self, step: StepBack) -> str:
        """Which values enter which."""
        values, into = ([self.f.math(name) for name in names] for names in (step.values, step.into))
        enters = "{0} enters {1}" if len(values) == 1 else "{0} enter {1}"
        return self.f.t(enters, self.row(values), self.row(into))

    def found(self, step: StepBack) -> list[str]:
        """The names of the adjoints that a step finds."""
        return [self.f.math(e.left) for e in step.found]

    def row(self, names: list[str]) -> str:
        """a, b and c."""
        *first, last = names
        return f"{', '.join(first)} {self.f.t('and')} {last}" if first else last

    def prose(self, text: str) -> str:
        """Words with formulas between dollars."""
        parts = text.split("$")
        return "".join(self.f.math(part) if k % 2 else self.f.text(part) for k, part in enumerate(parts))

    def inside(self, text: str) -> str:
        """Words with formulas between dollars, inside a formula."""
        parts = text.split("$")
        said = [part if k % 2 else rf"\text{{{self.f.plain(part)}}}" if part else "" for k, part in enumerate(parts)]
        return "".join(said)

    def chain(self, e: Equation) -> str:
        """A chain of equal expressions; a long reason stands below."""
        rows = [(row.formula, self.inside(row.remark) if len(row.remark) <= LONG else "") for row in e.rows]
        below = [self.f.lead(self.f.small(self.prose(row.remark))) for row in e.rows if len(row.remark) > LONG]
        return self.f.equations(e.left, rows) + "".join(below)

    def read_off(self, step: StepBack) -> str:
        """The adjoints that a step finds, each in a frame, and the shapes of the products."""
        parts: list[str] = []
        beside: list[str] = []
        for e in step.found:
            *rows, last = e.rows
            formula = f"{e.left} = {last.formula}"
            if rows or last.remark:
                parts += [self.framed(beside), self.chain(Equation(e.left, rows)) if rows else ""]
                parts.append(self.f.boxed(formula, self.inside(last.remark)))
                beside = []
                continue
            if sum(map(width, (*beside, formula))) > self.f.line - 6 * len(beside):
                parts.append(self.framed(beside))
                beside = []
            beside.append(formula)
        parts.append(self.framed(beside))
        shapes = [self.prose(e.rows[-1].shape) for e in step.found if r"\to" in e.rows[-1].shape]
        if shapes:
            parts.append(self.f.paragraph(self.f.small(self.f.t("Shapes: {0}", "; ".join(shapes)))))
        return "".join(parts)

    def framed(self, formulas: list[str]) -> str:
        """Short results side by side, each in a frame."""
        return self.f.boxes(formulas) if len(formulas) > 1 else "".join(map(self.f.boxed, formulas))

    def reasons(self, jacobians: list[LocalMatrix]) -> list[str]:
        """A Jacobian and why it has its form; each reason is given in words once."""
        rows = []
        for j in jacobians:
            reason = "" if j.reason in self.said or not j.reason else self.f.small(self.f.t(j.reason))
            self.said.add(j.reason)
            written = self.f.tall(j.written_out, ITEM) if j.written_out else ""
            rows.append(self.f.lines(self.f.tall(j.formula, ITEM), written, reason))
        return rows

    def numbers(self, cited: int) -> str:
        """The number of an identity inside a formula."""
        return rf"\text{{({cited})}}" if cited else ""

    # ------------------------------------------------------------------------------------------------ the results

    def adjoints(self, lesson: Lesson) -> list[list[str]]:
        """The adjoints as equations, and their shapes."""
        f = self.f
        return [[f.tall(f"{a.name} = {a.value}"), f.math(a.shape)] for a in lesson.adjoints]

    def results(self, lesson: Lesson) -> list[list[str]]:
        """The derivatives asked for, and their shapes."""
        return [[self.f.tall(r.formula), self.f.math(r.shape)] for r in lesson.results]

    def boxed(self, result: Result) -> str:
        """A result in a frame: as it was found, and with all adjoints written out."""
        return self.f.boxed(f"{result.left} = {' = '.join(result.rows)}{result.where}")

    def facts(self, facts: list[Fact]) -> str:
        """Facts in a row; what many values share is said once."""
        f = self.f
        parts = []
        for fact in dict.fromkeys(x.fact for x in facts):
            formulas = [x.formula for x in facts if x.fact == fact]
            if len(formulas) > SHARED:
                parts.append(f"{self.listed(formulas)}: {self.predicate(fact)}")
            else:
                parts += [f.t("{0} is {1}", f.math(formula), self.predicate(fact)) for formula in formulas]
        return "; ".join(parts)

    def predicate(self, fact: str) -> str:
        """What is said of a value; a sign in it is set as one."""
        before, sign, after = self.f.language(fact).partition("<= 0")
        return self.f.text(before) + (self.f.math(r"\le 0") + self.f.text(after) if sign else "")

    def certificate(self, report: Report) -> str:
        """What the numeric check found."""
        f = self.f
        if not report.trials:
            return f.strong(f.t("The numeric check was not made: {0}", f.text(report.reason)))
        if not report.ok:
            return f.strong(f.t("The numeric check failed: {0}", f.text(report.reason)))
        return f.t(
            "The generated code was compared with central differences of the forward graph at {0} random points "
            "(seed {1}): the worst relative error is {2}.",
            f.text(str(report.trials)),
            f.text(str(report.seed)),
            f.math(_power_of_ten(report.worst)),
        )

    def identities(self, references: References) -> list[list[str]]:
        """Number, identity, source."""
        f = self.f
        return [[f"({r.number})", f.tall(r.formula, REFERENCE), f.text(r.source)] for r in references.rules.values()]

    def operations(self, references: References) -> list[list[str]]:
        """The operations, their differentials, the sources."""
        f = self.f
        return [
            [f.tall(r.statement, OPERATION), f.tall(r.formula, DIFFERENTIAL), f.text(r.source)]
            for r in references.operations.values()
        ]


def _power_of_ten(value: float) -> str:
    r"""3.1e-12 as 3.1 \cdot 10^{-12}."""
    mantissa, exponent = f"{value:.1e}".split("e")
    return "0" if value == 0 else rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
