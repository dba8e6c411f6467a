"""The rows of tables, lists and chains in a note: from the lesson's plain data to markup, for the templates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matcalc.export.lesson import Fact, Lesson, LessonStep, Reasoned, Result, Row, Through
from matcalc.export.markup import DIFFERENTIAL, ITEM, OPERATION, REFERENCE, Markup
from matcalc.export.references import References
from matcalc.export.symbols import Symbol
from matcalc.numeric.report import Report
from matcalc.printing.breaking import width

MANY = 12  # variables from which those of the same shape share a row
SHARED = 4  # facts of one kind that are said one by one
CONVENTIONS = {
    "entries": "Along {0} matrices, the partial derivatives by the independent entries are",
    "projection": "Along {0} matrices, the orthogonal projection of the gradient is",
}
SHORT = 24.0  # em of a definition that is repeated beside its name


def rows_for(f: Markup) -> dict[str, Callable[..., Any]]:
    """The functions that a template calls, for one markup."""
    rows = _Rows(f)
    names = (
        "variables",
        "definitions",
        "recognised",
        "reasons",
        "citations",
        "adjoints",
        "certificate",
        "identities",
        "facts",
    )
    more = ("operations", "results", "value", "chain", "simplified", "boxed", "structured", "noticed", "symbols")
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
        """Name, definition, shape."""
        f = self.f
        return [[f.math(v.name), f.tall(v.definition), f.math(v.shape)] for v in lesson.definitions]

    def value(self, name: str, definition: str) -> str:
        """A value by its name, with its definition where that is short."""
        return self.f.math(f"{name} = {definition}" if definition and width(definition) < SHORT else name)

    def recognised(self, lesson: Lesson) -> list[str]:
        """The functions that the source spells out, each with the number of its identity."""
        return [f"{self.f.math(row.value)} {self.f.math(self.numbers(row.cited))}" for row in lesson.recognised]

    def noticed(self, lesson: Lesson) -> str:
        """What undeclared names were taken for."""
        said = lesson.notice.text(self.f.language.code) if lesson.notice is not None else ""
        return self.f.text(f"{said}.".replace(" x ", " × "))

    # ------------------------------------------------------------------------------------------------ the steps

    def reasons(self, jacobians: list[Reasoned]) -> list[str]:
        """A Jacobian and why it has its form; each reason is given in words once."""
        rows = []
        for j in jacobians:
            reason = "" if j.reason in self.said or j.formal else self.f.small(self.f.t(j.reason))
            self.said.add(j.reason)
            rows.append(self.f.lines(self.f.tall(j.formula, ITEM), reason))
        return rows

    def chain(self, path: Through) -> str:
        """The chain rule along one path: in vec form, then in matrix form."""
        rows = [(path.chain, "")]
        if path.collapsed:
            rows.append((path.collapsed, self.numbers(sorted(number for number, _ in path.cited))))
        return self.f.equations(path.left, rows)

    def numbers(self, cited: list[int]) -> str:
        """Numbers of identities inside a formula."""
        return rf"\text{{{', '.join(f'({n})' for n in cited)}}}" if cited else ""

    def citations(self, cited: list[tuple[int, str]]) -> str:
        """Identities with their numbers."""
        return ", ".join(f"({number}) {self.f.math(formula)}" for number, formula in sorted(cited))

    def because(self, row: Row) -> str:
        """Why a row equals the row before it, inside a formula."""
        f = self.f
        parts = [self.numbers(row.cited)] if row.cited else []
        if row.inserted:
            parts.append(f.reason("inserting {0}", r",\; ".join(row.inserted)))
        if row.note:
            parts.append(f.reason(row.note))
        parts += [
            f.reason("since {0} is {1}", x.formula, rf"\text{{{f.plain(f.language(x.fact))}}}") for x in row.facts
        ]
        return r",\; ".join(parts)

    def simplified(self, step: LessonStep) -> str:
        """The adjoint as the chain rule gives it and the lines to its result, which stands in a frame."""
        *rows, last = step.rows
        shown = self.f.equations(step.adjoint, [(row.value, self.because(row)) for row in rows]) if rows else ""
        return shown + self.f.boxed(f"{step.adjoint} = {last.value}", self.because(last))

    # ------------------------------------------------------------------------------------------------ the results

    def adjoints(self, lesson: Lesson) -> list[list[str]]:
        """The adjoints as equations, and their shapes."""
        f = self.f
        return [[f.tall(f"{s.adjoint} = {s.after}"), f.math(s.shape)] for s in lesson.steps]

    def results(self, lesson: Lesson) -> list[list[str]]:
        """The derivatives asked for, and their shapes."""
        return [[self.f.tall(r.formula), self.f.math(r.shape)] for r in lesson.results]

    def boxed(self, result: Result) -> str:
        """A result in a frame; along a structured set after the formula of the set."""
        rows = [(row.value, "") for row in result.rows[:-1]]
        return (self.f.equations(result.left, rows) if rows else "") + self.f.boxed(result.formula)

    def structured(self, result: Result) -> str:
        """The structured set along which a result is taken, and the convention."""
        kind, convention = result.remarks
        return self.f.t(CONVENTIONS[convention], self.f.t(kind))

    def facts(self, facts: list[Fact]) -> str:
        """Facts in a row; what many values share is said once."""
        f = self.f
        parts = []
        for fact in dict.fromkeys(x.fact for x in facts):
            formulas = [x.formula for x in facts if x.fact == fact]
            if len(formulas) > SHARED:
                parts.append(f"{self.listed(formulas)}: {f.t(fact)}")
            else:
                parts += [f.t("{0} is {1}", f.math(formula), f.t(fact)) for formula in formulas]
        return "; ".join(parts)

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
