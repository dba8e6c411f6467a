"""The pages of a derivation as plain text, line by line; LaTeX and Markdown have templates."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from matcalc.languages import Language
from matcalc.views.layout import Layout, apart, broken, joined, reasoned, wrapped
from matcalc.views.page import Block, Equation, Line, View


def text_page(view: View, style: str, words: Language) -> str:
    """The page in one of the styles."""
    page = TextPage(view, words)
    styles: dict[str, Callable[[], Iterator[str]]] = {
        "steps": page.steps,
        "differential": page.differential,
        "jacobians": page.jacobians,
        "result": page.result,
    }
    return "".join(f"{line}\n" for line in styles[style]())


class TextPage:
    """Writes the lines of a view.

    Args:
        view: what stands on the page.
        words: the language of the fixed words.
    """

    def __init__(self, view: View, words: Language) -> None:
        self.view, self.t, self.layout = view, words.filled, Layout(words)

    # ------------------------------------------------------------------------------------------------ styles

    def steps(self) -> Iterator[str]:
        """The steps back, and the gradients."""
        view, t = self.view, self.t
        yield from self.head()
        if view.steps:
            yield from ("", view.direction)
            for number, step in enumerate(view.steps, 1):
                yield ""
                yield from self.layout.laid_out(step, number)
        yield from ("", view.heading)
        yield from self.layout.gradients(view.gradients) if view.gradients else self.stated(view.results)
        yield from self.second()
        yield from self.said()
        if view.domain:
            yield from ("", t("Valid where: {0}", "; ".join(view.domain)))
        if view.jacobians:
            yield from ("", t("As Jacobians, each kind of step once"))
            for line in view.jacobians:
                yield from apart(f"  {line.formula}")
                yield from reasoned(line.remark) if line.remark else ()

    def differential(self) -> Iterator[str]:
        """The differential, carried back and identified."""
        view, t = self.view, self.t
        yield from self.head()
        yield from self.chains(t("Differentials"), view.differentials)
        yield from self.chains(t("Carried back, from {0}", view.output), view.carried)
        yield from self.chains(t("Identified"), view.identified)
        yield ""
        yield from self.result()

    def jacobians(self) -> Iterator[str]:
        """The local Jacobians and the chain rule, block by block."""
        view, t = self.view, self.t
        yield from self.variables()
        if view.definitions:
            yield from ("", t("Forward graph"), *self.lines(view.definitions))
        yield from self.recognised()
        if view.blocks:
            yield from ("", view.direction)
            for number, block in enumerate(view.blocks, 1):
                yield from self.block(number, block)
        yield ""
        yield from self.result()

    def result(self) -> Iterator[str]:
        """The results, and what they need."""
        view, t = self.view, self.t
        if view.adjoints:
            yield from (t("Adjoints"), *self.lines(view.adjoints), "")
        if view.results:
            yield from (view.heading, *self.lines(view.results))
        yield from self.second()
        yield from self.said()
        if view.domain:
            yield from ("", t("Valid where: {0}", "; ".join(view.domain)), "")

    # ------------------------------------------------------------------------------------------------ parts

    def head(self) -> Iterator[str]:
        """Title, variables, the forward graph, and the functions on the page."""
        view, t = self.view, self.t
        if view.title:
            yield from (view.title, "")
        yield from self.variables()
        if view.forward:
            yield from ("", t("Forward graph"), *self.layout.aligned(view.forward))
        yield from self.recognised()
        if view.needed:
            yield from ("", t("Needed"))
            for fact in view.needed:
                yield from (f"  {line}" for line in joined(fact.first, fact.rest))
                yield from reasoned(fact.remark) if fact.remark else ()

    def variables(self) -> Iterator[str]:
        """The variables with their shapes."""
        t = self.t
        yield t("Variables")
        yield from (f"  {line.formula}: {line.remark}" for line in self.view.variables)

    def recognised(self) -> Iterator[str]:
        """What the source spells out."""
        t = self.t
        if self.view.recognised:
            yield from ("", t("Recognised in the source"))
            for line in self.view.recognised:
                yield from (f"  {line.formula}", "      " + t("by {0}", line.remark))

    def said(self) -> Iterator[str]:
        """The facts that were used or wished for, and the notice."""
        view, t = self.view, self.t
        if view.facts_used:
            yield from ("", t("Facts used: {0}", "; ".join(view.facts_used)))
        if view.facts_wished:
            yield from ("", t("Would be shorter if: {0}", "; ".join(view.facts_wished)))
        if view.notice:
            yield from ("", view.notice)

    def lines(self, lines: list[Line]) -> Iterator[str]:
        """Formulas with their shapes."""
        yield from (f"  {line.formula}   [{line.remark}]" for line in lines)

    def stated(self, lines: list[Line]) -> Iterator[str]:
        """Results, each with its remark behind or below it."""
        yield from (part for line in lines for part in self.layout.stated(line))

    def chains(self, heading: str, equations: list[Equation]) -> Iterator[str]:
        """Chains of equations below a heading; nothing where there are none."""
        if equations:
            yield from ("", heading)
            for equation in equations:
                yield from self.layout.chain(equation)

    def block(self, number: int, block: Block) -> Iterator[str]:
        """The step that finds one adjoint, in the style `jacobians`."""
        t, definition = self.t, f" = {block.definition}" if block.definition else ""
        yield from ("", f"{number}. {block.name}{definition}   [{block.shape}]")
        for edge in block.edges:
            yield "   " + t("through {0}:", edge.start)
            for line in edge.jacobians:
                yield f"     {line.formula}"
                yield from (f"         ({line.remark})",) if line.remark else ()
            yield "     " + t("chain rule:") + f" {edge.chain}"
            yield from ("         " + t("by {0}", rule) for rule in edge.collapse)
        if block.before:
            yield "     " + t("adjoint:") + f" {block.before}"
            for rule in block.rules:
                yield from (f"         {rule.formula}", "             " + t("by {0}", rule.remark))
        if block.after:
            yield f"   => {block.after}   [{block.shape}]"

    def second(self) -> Iterator[str]:
        """The Hessians with their steps."""
        t = self.t
        for part in self.view.second:
            yield from ("", part.heading)
            for equation in part.lines:
                yield from self.layout.chain(equation)
            yield from (part for line in part.definitions for part in broken(f"  {line.formula}"))
            yield from self.layout.concluded(part.result)
            yield from (f"  {line}" for line in wrapped("; ".join(part.remarks)))
            yield from ("  " + t("Valid where: {0}", condition) for condition in part.conditions)
