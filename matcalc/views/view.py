"""The views of a derivation: from a derivation to plain strings, in text or in LaTeX, and into the templates.

The model holds every line of the view; the templates in `templates/` only arrange them.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from matcalc.calculus.conditions import further_conditions
from matcalc.calculus.paths import Path
from matcalc.calculus.problem import Problem
from matcalc.calculus.reverse import Adjoint
from matcalc.errors import MatcalcError, need_one_of
from matcalc.expr import Expr
from matcalc.languages import ENGLISH, Language, language
from matcalc.optional import later
from matcalc.printing.pieces import locals_of, needing_only
from matcalc.printing.style import STANDARD, Notation
from matcalc.printing.symbols import ADJOINT
from matcalc.rules.equations import solutions_by_vec
from matcalc.views.builder import ViewBuilder
from matcalc.views.layout import Layout, joined, reasoned, wrapped
from matcalc.views.lesson_page import LessonWriter
from matcalc.views.named import with_names
from matcalc.views.page import TEXT, Block, Line, View, Writer, latex_writer
from matcalc.views.text_page import text_page

if TYPE_CHECKING:
    from matcalc.calculus.jacobian import jacobian_by
    from matcalc.printing.breaking import row
    from matcalc.printing.components import entry
    from matcalc.templating import render
    from matcalc.views.differential_view import write_differentials, write_map_differentials
    from matcalc.views.second import Known, nothing_known, second_orders
else:
    (jacobian_by,) = later("matcalc.calculus.jacobian", "jacobian_by")
    (row,) = later("matcalc.printing.breaking", "row")
    (entry,) = later("matcalc.printing.components", "entry")
    (render,) = later("matcalc.templating", "render")
    write_differentials, write_map_differentials = later(
        "matcalc.views.differential_view", "write_differentials", "write_map_differentials"
    )
    nothing_known, second_orders = later("matcalc.views.second", "nothing_known", "second_orders")

STYLES = ("steps", "differential", "result", "components", "jacobians")
TRAILING = re.compile(r" ?\\\\(\[\w+\])?\s*\n\\end\{aligned\}")  # the last row ends without a break
SUFFIXES = {"latex": "tex", "markdown": "md"}


def written(
    d: Problem,
    form: str,
    style: str,
    layout: str,
    notation: Notation = STANDARD,
    code: str = ENGLISH,
    *,
    hessian: bool = False,
    known: Known = nothing_known,
) -> str:
    """The derivation as `text`, `latex` (one display) or `markdown`, in one of the `STYLES`.

    Args:
        d: the derivation.
        form: `text`, `latex` or `markdown`.
        style: one of the `STYLES`.
        layout: `denominator` or `numerator`.
        notation: the symbols of LaTeX.
        code: the language of the fixed words.
        hessian: whether the Hessians by the variables follow, with their steps.
        known: what is proved of a Hessian.

    Raises:
        MatcalcError: another style, layout or language.
    """
    need_one_of("style", style, STYLES)
    need_one_of("layout", layout, ("denominator", "numerator"))
    if style == "components" and form == "text":
        raise MatcalcError("the style components is typeset: ask for latex or markdown")
    writer = TEXT if form == "text" else latex_writer(notation)
    words = language(code)
    view = make_view(d, style, layout, writer, words, hessian=hessian, known=known)
    if form == "text":
        return text_page(view, style, words)
    shown = Layout(words)
    functions = {"layout": shown, "joined": joined, "reasoned": reasoned, "wrapped": wrapped}
    text = render(f"{style}.{SUFFIXES[form]}.jinja", view=view, row=row, t=words.filled, **functions)
    return TRAILING.sub(r"\n\\end{aligned}", text)


def make_view(
    d: Problem,
    style: str,
    layout: str,
    writer: Writer,
    words: Language,
    *,
    hessian: bool = False,
    known: Known = nothing_known,
) -> View:
    """The model of a derivation's view; without the steps for the style `result`."""
    pages = Pages(with_names(d) if style in ("steps", "differential") else d, writer, words, layout)
    d = pages.d
    lesson = LessonWriter(pages) if style in ("steps", "differential") or hessian else None
    view = pages.frame()
    if style in ("steps", "differential"):
        view.title = d.title
        view.forward = pages.forward()
    if not d.output.is_scalar:
        if style == "jacobians":
            view.blocks = pages.map_blocks()
        elif lesson is not None and style == "steps":
            lesson.fill_map(view)
        elif lesson is not None and style == "differential":
            write_map_differentials(lesson, view)
        view.results = pages.jacobians()
        return view
    if style == "components":
        view.components = pages.components()
    elif lesson is not None and style == "steps":
        lesson.fill(view)
    elif style == "jacobians":
        view.blocks = [pages.block(made) for made in d.reverse.adjoints.values() if made.of is not d.output]
    elif lesson is not None and style == "differential":
        write_differentials(lesson, view)
    view.adjoints = [] if style == "steps" else pages.adjoints()
    view.results = pages.results()
    view.facts_used = [pages.fact_of(name, fact) for name, fact in d.facts_used]
    view.facts_wished = [pages.fact_of(name, fact) for name, fact in d.facts_wished]
    if lesson is not None and hessian:
        view.second = second_orders(lesson, known)
    return view


class Pages(ViewBuilder):
    """Writes the blocks and results of the views.

    Args:
        d: the derivation.
        writer: how formulas are written.
        words: the language of the fixed words.
        layout: `denominator` or `numerator`.
    """

    def __init__(self, d: Problem, writer: Writer, words: Language, layout: str) -> None:
        super().__init__(d, writer, words)
        self.layout = layout

    def frame(self) -> View:
        """Title, variables, definitions."""
        d, w = self.d, self.w
        variables = [
            Line(self.named(v), " ".join([w.shape(v.shape), self.facts_in_row(v)]).strip())
            for v in d.graph.declared.values()
        ]
        definitions = [line for e in self.values_in_order() for line in self.definition_lines(e)]
        return View(
            output=self.named(d.output),
            shape=w.shape(d.output.shape),
            variables=variables,
            inferred=d.inferred,
            notice=d.notice.text(self.words.code) if d.notice is not None else "",
            definitions=definitions,
            recognised=[self.rule(s) for s in d.recognised],
            domain=[self.condition(fact, e) for fact, e in self.conditions()],
            layout=self.layout,
            heading=self.words("Gradients" if d.output.is_scalar else "Jacobians"),
            direction=self.direction(),
        )

    def definition_lines(self, e: Expr) -> list[Line]:
        """A definition with its shape, and the closed forms of solutions in it."""
        own = Line(f"{self.named(e)} = {self.definition_of(e)}", self.w.shape(e.shape))
        return [own, *(Line(formula, by) for formula, by in self.forms_by_vec(e))]

    def forms_by_vec(self, e: Expr) -> list[tuple[str, str]]:
        """The solutions of linear equations in a definition, by vec, with the rules that say so."""
        value, found = e.definition, []
        for solution, form, rule in solutions_by_vec(value):
            left = self.named(e) if solution is value else self.w.expr(solution)
            name = rule if self.w.plain else rule.replace("_", " ")
            found.append((f"{left} = {self.w.expr(form)}", self.words.filled("by {0}", name)))
        return found

    def forward(self) -> list[Line]:
        """The definitions with their shapes, and with what the source says of them."""
        lines = []
        for e in self.values_in_order():
            shape, gloss = self.w.shape(e.shape), self.d.glosses.get(self.label(e), "")
            lines.append(Line(f"{self.named(e)} = {self.definition_of(e)}", gloss, shape))
            lines += [Line(formula, by, shape) for formula, by in self.forms_by_vec(e)]
        return lines

    def direction(self) -> str:
        """The heading of the steps."""
        f = self.inline(self.named(self.d.output))
        if not self.d.output.is_scalar:
            return self.words("Local Jacobians, from {0}").format(f)
        letter = next(x for x in ("v", "u", "q", "a", "v_") if x not in self.d.graph.scope)
        v, adjoint = (
            self.inline(self.w.name(letter, True)),
            self.w.name(ADJOINT + letter, True),
        )
        df = self.differential_of(self.d.output)
        if self.w.plain:
            meaning = f"{df} = tr({adjoint}'*d{letter})"
        else:
            meaning = rf"{df} = \operatorname{{tr}}({adjoint}{self.w.transpose} \,\mathrm{{d}}{letter})"
        head = self.words("Backward, from {0}").format(f)
        says = self.words("for each value {0} find {1}, the gradient by it, with {2}")
        return f"{head}: {says.format(v, self.inline(adjoint), self.inline(meaning))}"

    def block(self, made: Adjoint) -> Block:
        """The step that finds one adjoint."""
        e = made.of
        paths = self.paths.get(e, [])
        before, after = self.w.expr(self.tidied(made.raw)), self.w.expr(made.value)
        return Block(
            name=self.named(e),
            definition=self.definition_of(e),
            shape=self.w.shape(e.shape),
            edges=[self.edge(path, several=len(paths) > 1) for path in paths],
            adjoint=self.adjoint_name(e),
            before="" if before == after else before,
            rules=[self.rule(s) for s in made.steps],
            after=f"{self.adjoint_name(e)} = {after}",
        )

    def adjoints(self) -> list[Line]:
        """The adjoints that have a name of their own."""
        return [
            Line(f"{self.adjoint_name(m.of)} = {self.w.expr(m.value)}", self.w.shape(m.of.shape))
            for m in self.d.reverse.adjoints.values()
            if m.of.op == "named" and m.handle.op == "named" and m.handle.params[1] == "local"
        ]

    def components(self) -> list[Line]:
        """The adjoints and the gradients by their entries; left out where that would be too long."""
        lines = []
        for made in self.d.reverse.adjoints.values():
            found = entry(made.value, self.w.notation) if made.of is not self.d.output else None
            if found is not None:
                name = self.quotient(made.of) if made.of in self.d.wrt else self.adjoint_name(made.of)
                lines.append(Line(f"{found.left(name)} = {found.right}"))
        return lines

    def map_blocks(self) -> list[Block]:
        """For a matrix function: every value with its local Jacobians, from the output down."""
        by_start: dict[Expr, list[Path]] = {}
        for paths in self.paths.values():
            for path in paths:
                by_start.setdefault(path.start, []).append(path)
        order = [self.d.output, *(e for e in reversed(list(self.paths)) if e is not self.d.output)]
        return [
            Block(
                name=self.named(e),
                definition=self.definition_of(e),
                shape=self.w.shape(e.shape),
                edges=[self.forward_edge(path) for path in by_start[e]],
                adjoint="",
                before="",
                rules=[],
                after="",
            )
            for e in order
            if e in by_start
        ]

    def jacobians(self) -> list[Line]:
        """The Jacobians of a matrix function by the variables asked for; transposed in denominator layout."""
        lines = []
        for e in self.d.wrt:
            J = jacobian_by(self.d, str(e.params[0])).value
            layout = "its transpose is the Jacobian in denominator layout"
            if self.layout == "numerator":
                layout = "numerator layout: d vec(F) = J d vec(X)"
            remark = f"{self.w.shape(J.shape)}; {self.words(layout)}"
            if made := self.entries_of(e):
                remark += f"; {self.words('where')} {self.inline(made)}"
            where = self.definitions_of(J)
            for fact, at in further_conditions([J], self.d.domain):
                remark += f"; {self.words('where')} {self.condition(fact, at)}"
            lines.append(Line(f"{self.quotient(e)} = {self.w.expr(J)}{where}", remark))
        return lines

    def results(self) -> list[Line]:
        """The gradients asked for."""
        lines = []
        adjoints = self.d.reverse.adjoints.values()
        defined = {made.handle for made in adjoints}
        whole = needing_only([made.value for made in adjoints], defined)
        for e in self.d.wrt:
            name = str(e.params[0])
            made = self.d.reverse.adjoints[e]
            kind = self.d.structure.get(name, "none")
            value = made.value if kind == "none" else self.d.gradient(name)
            shape = (e.shape[1], e.shape[0]) if self.layout == "numerator" else e.shape
            remark = self.w.shape(shape)
            if kind != "none":
                remark += "; " + self.along(kind)
            if self.layout == "numerator":
                value = self.d.rewriter.simplify(value if e.is_scalar else value.T)
                remark += ", " + self.words("transposed (numerator layout)")
            where = self.definitions_of(value, defined, whole)
            lines.append(Line(f"{self.quotient(e)} = {self.w.expr(value)}{where}", remark))
        return lines

    def definitions_of(self, value: Expr, defined: Collection[Expr] = (), whole: Collection[Expr] = ()) -> str:
        """The definitions of names in a result that no line above it defines; what is whole needs none."""
        return "".join(
            f"; {self.w.name(n.params[0], n.is_scalar)} = {self.w.expr(n.args[0])}"
            for n in locals_of(value, whole)
            if n not in defined
        )
