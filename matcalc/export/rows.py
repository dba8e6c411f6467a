"""The rows of tables and lists in a note: from the lesson's plain data to markup, for the templates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matcalc.export.lesson import Applied, Lesson, Reasoned
from matcalc.export.markup import ITEM, REFERENCE, Markup
from matcalc.export.references import References
from matcalc.numeric.check import Report


def rows_for(f: Markup) -> dict[str, Callable[..., Any]]:
    """The functions that a template calls, for one markup."""
    rows = _Rows(f)
    names = ("variables", "definitions", "reasons", "citations", "rules", "adjoints", "certificate", "identities")
    return {name: getattr(rows, name) for name in (*names, "operations", "results")}


MANY = 12  # variables from which those of the same shape share a row


class _Rows:
    def __init__(self, f: Markup) -> None:
        self.f = f
        self.said: set[str] = set()

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
        return [[self.listed(names), f.math(shape), ", ".join(map(f.t, facts))] for names, shape, facts in rows]

    def listed(self, names: list[str]) -> str:
        """Names in a row; of a long one the first and the last."""
        shown = names if len(names) <= MANY else [*names[:2], r"\dots", names[-1]]
        return self.f.math(", ".join(shown))

    def definitions(self, lesson: Lesson) -> list[list[str]]:
        """Name, definition, shape."""
        f = self.f
        return [[f.math(v.name), f.tall(v.definition), f.math(v.shape)] for v in lesson.definitions]

    def reasons(self, jacobians: list[Reasoned]) -> list[str]:
        """A Jacobian and why it has its form; each reason is given in words once."""
        rows = []
        for j in jacobians:
            reason = "" if j.reason in self.said or j.formal else self.f.small(self.f.t(j.reason))
            self.said.add(j.reason)
            rows.append(self.f.lines(self.f.tall(j.formula, ITEM), reason))  # type: ignore[attr-defined]
        return rows

    def citations(self, cited: list[tuple[int, str]]) -> str:
        """Identities with their numbers."""
        return ", ".join(f"{self.f.math(formula)} ({number})" for number, formula in cited)

    def rules(self, applied: list[Applied]) -> list[str]:
        """Equations with the number of the identity, or a note, and the facts used."""
        rows = []
        for a in applied:
            because = f"({a.number})" if a.number else self.f.t(a.note)
            facts = "; ".join(self.f.t("{0} is {1}", self.f.math(x.formula), self.f.t(x.fact)) for x in a.facts)
            remark = f"{because}, {self.f.t('since {0}', facts)}" if facts else because
            rows.append(f"{self.f.tall(a.formula, ITEM)} {remark}")
        return rows

    def adjoints(self, lesson: Lesson) -> list[list[str]]:
        """The adjoints as equations, and their shapes."""
        f = self.f
        return [[f.tall(f"{s.adjoint} = {s.after}"), f.math(s.shape)] for s in lesson.steps]

    def results(self, lesson: Lesson) -> list[list[str]]:
        """The derivatives asked for, and their shapes."""
        return [[self.f.tall(r.formula), self.f.math(r.shape)] for r in lesson.results]

    def certificate(self, report: Report) -> str:
        """What the numeric check found."""
        f = self.f
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
        """The differentials of the operations, with sources."""
        f = self.f
        return [["", f.tall(r.formula, REFERENCE), f.text(r.source)] for r in references.operations.values()]


def _power_of_ten(value: float) -> str:
    r"""3.1e-12 as 3.1 \cdot 10^{-12}."""
    mantissa, exponent = f"{value:.1e}".split("e")
    return "0" if value == 0 else rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
