"""From a derivation to its lesson as a note has it: the steps of the views in LaTeX, results, facts, Jacobians."""

from __future__ import annotations

from matcalc.calculus.conditions import further_conditions
from matcalc.calculus.jacobian import jacobian_by
from matcalc.calculus.paths import LocalJacobian, reason_of
from matcalc.calculus.problem import Problem
from matcalc.calculus.structured import structured_gradient
from matcalc.calculus.wording import worded
from matcalc.curvature.definiteness import definiteness
from matcalc.dims import is_one
from matcalc.errors import need_one_of
from matcalc.export.lesson import DETAILS, Adjoint, Fact, Lesson, LocalMatrix, Recognised, Result, Variable
from matcalc.export.references import References
from matcalc.expr import Expr
from matcalc.languages import Language
from matcalc.map_kinds import Mask
from matcalc.printing.components import entry, written_out_diagonal
from matcalc.printing.numbers import dim_latex
from matcalc.printing.pieces import locals_of, needing_only
from matcalc.printing.style import Notation
from matcalc.properties import words_of
from matcalc.views.builder import ViewBuilder
from matcalc.views.lesson_page import LessonWriter
from matcalc.views.named import with_names
from matcalc.views.needed import KNOWN
from matcalc.views.page import View, latex_writer
from matcalc.views.second import second_orders


def make_lesson(
    d: Problem,
    notation: Notation,
    references: References,
    words: Language,
    *,
    detail: str,
    entries: int = 0,
    hessian: bool = False,
) -> Lesson:
    """The lesson of a derivation.

    Args:
        d: the derivation.
        notation: the symbols.
        references: takes up what is cited.
        words: the language.
        detail: `full`, `lesson` without the Jacobians, or `sheet` (`brief`) for the adjoints without their steps.
        entries: for how many entries diagonal Jacobians are written out; 0 for not at all.
        hessian: whether the Hessians of a scalar function follow, with their steps.

    Raises:
        MatcalcError: another detail.
    """
    need_one_of("detail", detail, DETAILS)
    full = detail in ("full", "lesson")
    lecture = _Lecture(with_names(d) if full else d, notation, references, words, full, entries)
    lesson = lecture.lesson()
    if detail == "lesson":
        lesson.jacobians = []
    if hessian and d.output.is_scalar:
        lesson.second = second_orders(lecture.writer, definiteness)
    return lesson


class _Lecture(ViewBuilder):
    def __init__(
        self, d: Problem, notation: Notation, references: References, words: Language, full: bool, entries: int
    ) -> None:
        super().__init__(d, latex_writer(notation), words)
        self.references = references
        self.full = full
        self.writer = LessonWriter(self)
        self.entries = entries

    def lesson(self) -> Lesson:
        """All parts."""
        d = self.d
        writer = self.writer
        lesson = Lesson(
            output=self.named(d.output),
            differential=self.differential_of(d.output),
            scalar=d.output.is_scalar,
            shape=shape_latex(d.output),
            variables=[
                Variable(self.named(v), "", shape_latex(v), words_of(v.params[3])) for v in d.graph.declared.values()
            ],
            definitions=[
                Variable(self.named(e), self.definition_of(e), shape_latex(e), [], d.glosses.get(self.label(e), ""))
                for e in self.values_in_order()
            ],
            notice=d.notice,
            problem=d,
            domain=[self.condition_fact(fact, e) for fact, e in self.conditions()],
            recognised=[Recognised(self.rule(s).formula, self.references.cite(s.rule)) for s in d.recognised],
        )
        if self.full:
            view = View("", "", [], [], "", [])
            (writer.fill if d.output.is_scalar else writer.fill_map)(view)
            lesson.needed, lesson.steps = view.needed, view.steps
            lesson.jacobians = [self.local_matrix(whole) for whole in writer.kinds_of_steps()]
            if not d.output.is_scalar:  # the steps show most of them
                shown = {
                    f"{e.left} = {row.formula}" for s in view.steps for line in s.lines for e in line for row in e.rows
                }
                lesson.jacobians = [j for j in lesson.jacobians if j.formula not in shown]
        if not d.output.is_scalar:
            lesson.results = [self.jacobian_result(e) for e in d.wrt]
            return lesson
        found = [made for made in d.reverse.adjoints.values() if made.of is not d.output]
        lesson.adjoints = [Adjoint(self.adjoint_name(m.of), self.w.expr(m.value), shape_latex(m.of)) for m in found]
        lesson.results = self.gradients(writer)
        lesson.facts_used = [self.known(*pair) for pair in d.facts_used]
        lesson.facts_wished = [self.known(*pair) for pair in d.facts_wished]
        return lesson

    def known(self, name: str, fact: str) -> Fact:
        """A fact about a variable or an expression that is given in the text syntax."""
        declared = self.d.graph.declared.get(name, self.d.graph.definitions.get(name))
        return Fact(self.named(declared) if declared is not None else rf"\texttt{{{_verbatim(name)}}}", fact)

    def condition_fact(self, fact: str, e: Expr) -> Fact:
        """A condition, in words where a formula would be cryptic."""
        subject, said = worded(fact, e)
        return Fact(self.w.expr(subject), said)

    def local_matrix(self, whole: list[LocalJacobian]) -> LocalMatrix:
        """The Jacobians of a kind of step; a diagonal one written out where that was asked for."""
        j = whole[0]
        value = definition(j.value)
        if value.op not in KNOWN:
            self.references.use(value)
        return LocalMatrix(self.whole_jacobian(whole), reason_of(j), self.written_out(j) if self.entries else "")

    def written_out(self, j: LocalJacobian) -> str:
        """The diagonal Jacobian of an entrywise function, entry by entry; empty for any other."""
        if not isinstance(j.map, Mask) or j.map.by.is_scalar:
            return ""
        D = self.d.rewriter.simplify(j.map.by)
        content = self.w.expr(D) if is_vector(D) else self.in_vec(D, self.w.expr(D))
        return rf"\operatorname{{diag}}({content}) = " + written_out_diagonal(D, self.entries, self.w.notation)

    # ------------------------------------------------------------------------------------------------ results

    def gradients(self, writer: LessonWriter) -> list[Result]:
        """The gradients that were asked for."""
        adjoints = self.d.reverse.adjoints.values()
        defined = {m.handle for m in adjoints}
        whole = needing_only([m.value for m in adjoints], defined)
        results = []
        for e, made in zip(self.d.wrt, writer.gradients()):
            free = self.structure_of(e) == "none"
            value = self.d.reverse.adjoints[e].value if free else self.along_set(e, writer.free(e))
            by_entry = entry(self.short(value), self.w.notation) if value.args and value.op != "named" else None
            if by_entry is not None and by_entry.right == by_entry.left(self.w.expr(value)):
                by_entry = None  # it says nothing new
            results.append(
                Result(
                    left=made.left,
                    rows=[row.formula for row in made.rows],
                    where=self.where([n for n in locals_of(value, whole) if n not in defined]) if free else "",
                    shape=shape_latex(e),
                    remark="" if free else f"{writer.sentence(e)} ({self.along(self.d.structure[e.params[0]])}):",
                    entries=f"{by_entry.left(made.left)} = {by_entry.right}" if by_entry is not None else "",
                )
            )
        return results

    def along_set(self, e: Expr, free: Expr) -> Expr:
        """The gradient along the structured set of a variable, by the free one under its name."""
        d = self.d
        return d.rewriter.simplify(structured_gradient(free, e, d.structure[str(e.params[0])], d.convention))

    def where(self, names: list[Expr]) -> str:
        """Definitions of names, after a formula."""
        return "".join(rf", \quad {self.named(n)} = {self.w.expr(n.args[0])}" for n in names)

    def jacobian_result(self, e: Expr) -> Result:
        """The Jacobian of a matrix function."""
        J = jacobian_by(self.d, str(e.params[0])).value
        F, X = self.in_vec(self.d.output, self.named(self.d.output)), self.by_entries(e)
        left = rf"\frac{{\partial {F}}}{{\partial {X}{'' if e.is_scalar else self.w.transpose}}}"
        return Result(
            left=left,
            rows=[self.w.expr(J)],
            where=self.where(locals_of(J)) + (rf", \quad {made}" if (made := self.entries_of(e)) else ""),
            shape=shape_latex(J),
            conditions=[self.condition_fact(fact, at) for fact, at in further_conditions([J], self.d.domain)],
        )


def definition(e: Expr) -> Expr:
    """What a name stands for."""
    return e.definition


def is_vector(e: Expr) -> bool:
    """Whether it is a row or a column."""
    return is_one(e.shape[0]) or is_one(e.shape[1])


def shape_latex(e: Expr) -> str:
    r"""m \times n."""
    return rf"{dim_latex(e.shape[0])} \times {dim_latex(e.shape[1])}"


def _verbatim(name: str) -> str:
    return "".join(rf"\{c}" if c in "{}_#$%&" else r"\textasciicircum{}" if c == "^" else c for c in name)
