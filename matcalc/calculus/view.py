"""The step view: from a derivation to plain strings, in text or in LaTeX, and into the templates.

The model holds every line of the view; the templates in `templates/` only arrange them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from matcalc.calculus.conditions import further_conditions
from matcalc.calculus.differential import Differentials
from matcalc.calculus.page import TEXT, Block, Edge, Line, View, Writer, latex_writer
from matcalc.calculus.paths import LocalJacobian, Path, collapse_of, reason_of
from matcalc.calculus.reverse import Adjoint
from matcalc.errors import MatcalcError
from matcalc.expr import Expr
from matcalc.maps import Identity
from matcalc.printing.breaking import row
from matcalc.printing.components import entry
from matcalc.printing.pieces import locals_of
from matcalc.printing.style import STANDARD, Notation
from matcalc.properties import names_of
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.rewrite.rule import RULES
from matcalc.rewrite.terms import coefficient_and_rest
from matcalc.steps import Step
from matcalc.templating import render
from matcalc.vecform import matrices

if TYPE_CHECKING:
    from matcalc.calculus.derivation import Derivation


# What the matrices of Jacobians are tidied by: their form stays, but transposes of transposes go.
MATRIX_RULES = (
    *(name for name in RULES if name.startswith("transpose_of_")),
    "kron_of_constants",
    "vec_of_vector",
    "commutation_of_vectors",
    "diagonal_of_ones",
    "ones_in_a_sum",
)

STYLES = ("steps", "differential", "result", "components")
TRAILING = re.compile(r" ?\\\\(\[\w+\])?\s*\n\\end\{aligned\}")  # the last row ends without a break
SUFFIXES = {"text": "txt", "latex": "tex", "markdown": "md"}


def written(d: Derivation, form: str, style: str, layout: str, notation: Notation = STANDARD) -> str:
    """The derivation as `text`, `latex` (one display) or `markdown`, in one of the `STYLES`.

    Raises:
        MatcalcError: another style or layout.
    """
    if style not in STYLES:
        raise MatcalcError(f"style must be one of {', '.join(STYLES)}, got {style!r}")
    if layout not in ("denominator", "numerator"):
        raise MatcalcError(f"layout must be denominator or numerator, got {layout!r}")
    if style == "components" and form == "text":
        raise MatcalcError("the style components is typeset: ask for latex or markdown")
    writer = TEXT if form == "text" else latex_writer(notation)
    text = render(f"{style}.{SUFFIXES[form]}.jinja", view=make_view(d, style, layout, writer), row=row)
    return TRAILING.sub(r"\n\\end{aligned}", text)


def make_view(d: Derivation, style: str, layout: str, writer: Writer) -> View:
    """The model of a derivation's view; without the steps for the style `result`."""
    builder = ViewBuilder(d, writer, layout)
    view = builder.frame()
    if not d.output.is_scalar:
        view.blocks = builder.map_blocks() if style != "result" else []
        view.results = builder.jacobians()
        return view
    if style == "components":
        view.components = builder.components()
    elif style == "steps":
        view.blocks = [builder.block(made) for made in d.reverse.adjoints.values() if made.of is not d.output]
    elif style == "differential":
        builder.differential(view)
    view.adjoints = builder.adjoints()
    view.results = builder.results()
    view.facts_used = [_fact(name, fact) for name, fact in d.facts_used]
    view.facts_wished = [_fact(name, fact) for name, fact in d.facts_wished]
    return view


def _fact(name: str, fact: str) -> str:
    return f"{name} is {fact}"


class ViewBuilder:
    def __init__(self, d: Derivation, writer: Writer, layout: str) -> None:
        self.d = d
        self.w = writer
        self.layout = layout
        self.quiet = Rewriter(Context(d.domain), MATRIX_RULES)
        self.paths = d.paths
        self.labels = self._labels()
        if writer.notation.adjoint == "partial":
            self.w = latex_writer(writer.notation.with_output(self.label(d.output)))

    def _labels(self) -> dict[Expr, str]:
        """Names for unnamed values that the steps stop at, and for an unnamed output."""
        taken = {*self.d.graph.declared, *self.d.graph.definitions}
        labels: dict[Expr, str] = {}
        count = 0
        for e in self.d.stops:
            count += 1
            while f"t{count}" in taken:
                count += 1
            labels[e] = f"t{count}"
        if self.d.output.op not in ("named", "variable"):
            labels[self.d.output] = "f" if "f" not in taken else "f_" if "f_" not in taken else "f__"
        return labels

    def label(self, e: Expr) -> str:
        """The name of a value as it is written."""
        return self.labels[e] if e in self.labels else str(e.params[0])

    def written(self, e: Expr) -> str:
        """An expression, by its label where it has one."""
        return self.named(e) if e in self.labels else self.w.expr(e)

    def named(self, e: Expr) -> str:
        """The name of a value in print."""
        return self.w.name(self.label(e), e.is_scalar)

    def adjoint_name(self, e: Expr) -> str:
        """d_theta for the adjoint of theta."""
        return self.w.name("d_" + self.label(e), e.is_scalar)

    def frame(self) -> View:
        """Title, variables, definitions."""
        d, w = self.d, self.w
        variables = [
            Line(w.name(v.params[0], v.is_scalar), " ".join([w.shape(v.shape), *names_of(v.params[3])]))
            for v in d.graph.declared.values()
        ]
        definitions = [
            Line(f"{w.name(name, e.is_scalar)} = {w.expr(e.args[0])}", w.shape(e.shape))
            for name, e in d.graph.definitions.items()
        ]
        for e, name in self.labels.items():
            definitions.append(Line(f"{w.name(name, e.is_scalar)} = {w.expr(e)}", w.shape(e.shape)))
        return View(
            output=self.named(d.output),
            shape=w.shape(d.output.shape),
            variables=variables,
            inferred=d.inferred,
            definitions=definitions,
            domain=[Line(w.expr(e), fact) for fact, e in d.domain],
            layout=self.layout,
            heading="Gradients" if d.output.is_scalar else "Jacobians",
            direction=self.direction(),
        )

    def direction(self) -> str:
        """The heading of the steps."""
        f = self.named(self.d.output)
        f = f if self.w.plain else f"${f}$"
        if not self.d.output.is_scalar:
            return f"Local Jacobians, from {f}"
        v = self.w.name("d_v", True)
        v = v if self.w.plain else f"${v}$"
        return f"Backward, from {f} (the adjoint {v} of a value v is the gradient with respect to v)"

    def block(self, made: Adjoint) -> Block:
        """The step that finds one adjoint."""
        e = made.of
        edges = [self.edge(path) for path in self.paths.get(e, [])]
        definition = ""
        if e.op == "named":
            definition = self.w.expr(e.args[0])
        elif e in self.labels:
            definition = self.w.expr(e)
        before = self.w.expr(made.raw)
        after = self.w.expr(made.value)
        return Block(
            name=self.named(e),
            definition=definition,
            shape=self.w.shape(e.shape),
            edges=edges,
            adjoint=self.adjoint_name(e),
            before="" if before == after else before,
            rules=[self.rule(s) for s in made.steps],
            after=f"{self.adjoint_name(e)} = {after}",
        )

    def rule(self, step: Step) -> Line:
        """One application of a rule."""
        because = f" ({'; '.join(_fact(*pair) for pair in step.facts)})" if step.facts else ""
        name = step.rule if self.w.plain else step.rule.replace("_", " ")
        remark = f"{name}: {step.identity}{because}" if self.w.plain else f"{name}{because}"
        return Line(f"{self.w.expr(step.before)} = {self.w.expr(step.after)}", remark)

    def edge(self, path: Path) -> Edge:
        """One path: its local Jacobians, and their transposes applied to the adjoint that is known."""
        shown = [j for j in path.jacobians if not isinstance(j.map, Identity)]
        factors = [self.tidied(m.T) for j in path.jacobians for m in matrices(j.map)]
        known = self.w.in_vec(self.adjoint_name(path.start))
        chain = self._product([*reversed(factors)], known)
        collapse = dict.fromkeys(name for j in path.jacobians for name in collapse_of(j.map))
        return Edge(
            start=self.named(path.start),
            jacobians=[self.jacobian(j) for j in shown],
            chain=f"{self.w.in_vec(self.adjoint_name(path.end))} = {chain}",
            collapse=[self.identity(name) for name in collapse],
        )

    def identity(self, name: str) -> str:
        """A rule's identity: in words, or in LaTeX as the pair of its two sides."""
        if self.w.plain:
            return f"{name}: {RULES[name].identity}"
        left, right = RULES[name].example()
        return f"{self.w.expr(left)} = {self.w.expr(right)}"

    def tidied(self, m: Expr) -> Expr:
        """A Jacobian's matrix without double transposes and factors of one."""
        return self.quiet.simplify(m)

    def _product(self, factors: list[Expr], last: str) -> str:
        """The product of matrices and of what they are applied to; identities left out, a sign in front."""
        sign = ""
        written = []
        for m in factors:
            if m.op == "eye" or (m.op == "number" and m.params[0] == 1):
                continue
            coefficient, rest = coefficient_and_rest(m)
            if coefficient == -1:
                sign = "" if sign else "-"
                if rest is None or rest.op == "eye":
                    continue
                m = rest
            written.append(self._factor(m))
        return sign + self.w.times.join([*written, last])

    def _factor(self, m: Expr) -> str:
        written = self.w.expr(m)
        loose = m.op in ("add", "scale", "kron", "hadamard")
        brackets = ("({})", r"\left({}\right)")[not self.w.plain]
        return written if not loose or (self.w.plain and m.op == "kron") else brackets.format(written)

    def jacobian(self, j: LocalJacobian) -> Line:
        """d vec(value) = J d vec(argument), and why J has its form."""
        left = self.w.differential.format(self.written(j.value))
        right = self.w.differential.format(self.written(j.argument))
        factors = [self.tidied(m) for m in matrices(j.map)]
        return Line(f"{left} = {self._product(factors, right)}", reason_of(j.map) or j.identity)

    def differential(self, view: View) -> None:
        """The successive differentials, forwards and back, of first and second order."""
        pairs = Differentials(self.d)
        labels = {e: self.label(e) for e in (*self.d.paths, self.d.output)}
        for line in pairs.forward(labels):
            remark = "; ".join(line.identities) if self.w.plain else ""
            view.differentials.append(Line(f"{self.d_name(line.of)} = {self.w.expr(line.value)}", remark))
        for carried in pairs.backward():
            left = (
                self.d_name(self.d.output)
                if carried.of is self.d.output
                else self.trace(self.adjoint_name(carried.of), carried.of)
            )
            right = " + ".join(self.trace(self._bracketed(G), end) for end, G in carried.parts)
            view.carried.append(Line(f"{left} = {right}", ", ".join(carried.rules).replace("_", " ")))
        total = [self.trace(self._bracketed(self.d.reverse.adjoints[e].value), e) for e in self.d.wrt]
        view.identified.append(Line(f"{self.d_name(self.d.output)} = {' + '.join(total)}"))
        for e in self.d.wrt:
            if self.d.structure.get(str(e.params[0]), "none") == "none":
                view.identified += self.second_order(e)

    def second_order(self, e: Expr) -> list[Line]:
        """d2f = d vec(X)' H d vec(X): the second identification; then the names that H needs."""
        H = self.d.hessian(str(e.params[0])).value
        remark = f"along {self.inline(self.named(e))} alone"
        if H.op == "zeros" or (H.op == "number" and H.params[0] == 0):
            return [Line(f"{self.d_name(self.d.output, order=2)} = 0", remark)]
        step = self.w.differential.format(self.written(e))
        wide = f"({step})" if self.w.plain else rf"\left({step}\right)"
        product = f"{wide}{self.w.transpose}{self.w.times}{self._factor(H)}{self.w.times}{step}"
        return [
            Line(f"{self.d_name(self.d.output, order=2)} = {product}", remark),
            *(Line(f"{self.named(n)} = {self.w.expr(n.args[0])}", "in this Hessian") for n in locals_of(H)),
        ]

    def inline(self, formula: str) -> str:
        """A formula in a line of text."""
        return formula if self.w.plain else f"${formula}$"

    def d_name(self, e: Expr, order: int = 1) -> str:
        """dX; d2f for the second differential."""
        if self.w.plain:
            return f"d{'' if order == 1 else order}{self.label(e)}"
        return rf"\mathrm{{d}}{'' if order == 1 else f'^{order}'}{self.named(e)}"

    def trace(self, G: str, e: Expr) -> str:
        """tr(G' dX); for scalars the product."""
        if e.is_scalar:
            return f"{G}{self.w.times}{self.d_name(e)}"
        if self.w.plain:
            return f"tr({G}' * {self.d_name(e)})"
        return rf"\operatorname{{tr}}\left({G}{self.w.transpose} {self.d_name(e)}\right)"

    def _bracketed(self, G: Expr) -> str:
        written = self.w.expr(G)
        if not G.args or G.op == "named":
            return written
        return f"({written})" if self.w.plain else rf"\left({written}\right)"

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
        f = self.named(self.d.output)
        for made in self.d.reverse.adjoints.values():
            found = entry(made.value, self.w.notation) if made.of is not self.d.output else None
            if found is not None:
                asked = made.of in self.d.wrt
                name = (
                    rf"\frac{{\partial {f}}}{{\partial {self.named(made.of)}}}" if asked else self.adjoint_name(made.of)
                )
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
                definition=self.w.expr(e.args[0] if e.op == "named" else e),
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

    def forward_edge(self, path: Path) -> Edge:
        """One path: d vec(start) as a product of local Jacobians, applied to d vec(end)."""
        factors = [self.tidied(m) for j in path.jacobians for m in matrices(j.map)]
        left, right = (self.w.differential.format(self.named(e)) for e in (path.start, path.end))
        return Edge(
            start=self.named(path.end),
            jacobians=[self.jacobian(j) for j in path.jacobians if not isinstance(j.map, Identity)],
            chain=f"{left} = {self._product(factors, right)}",
            collapse=[],
        )

    def jacobians(self) -> list[Line]:
        """The Jacobians of a matrix function by the variables asked for; transposed in denominator layout."""
        lines = []
        for e in self.d.wrt:
            J = self.d.jacobian(str(e.params[0])).value
            size = self.w.shape(J.shape)
            remark = f"{size}, numerator layout: d vec(F) = J d vec(X)"
            if self.layout == "denominator":
                remark = f"{size}; its transpose is the Jacobian in denominator layout"
            F, X = (self.w.in_vec(self.named(v)) for v in (self.d.output, e))
            middle = "".join(
                f"; {self.w.name(n.params[0], n.is_scalar)} = {self.w.expr(n.args[0])}" for n in locals_of(J)
            )
            if not self.w.plain:
                formula = rf"\frac{{\partial {F}}}{{\partial {X}{self.w.transpose}}} = {self.w.expr(J)}"
            else:
                formula = f"d{F}/d{X}' = {self.w.expr(J)}"
            for fact, at in further_conditions([J], self.d.domain):
                remark += f"; where {self.w.expr(at)} is {fact}" if self.w.plain else ""
            lines.append(Line(formula + middle, remark))
        return lines

    def results(self) -> list[Line]:
        """The gradients asked for."""
        lines = []
        for e in self.d.wrt:
            name = str(e.params[0])
            made = self.d.reverse.adjoints[e]
            kind = self.d.structure.get(name, "none")
            value = made.value if kind == "none" else self.d.gradient(name)
            shape = (e.shape[1], e.shape[0]) if self.layout == "numerator" else e.shape
            remark = self.w.shape(shape)
            if kind != "none":
                remark += f"; along {kind} matrices, convention: {self.d.convention}"
            if self.layout == "numerator":
                value = self.d.rewriter.simplify(value if e.is_scalar else value.T)
                remark += ", transposed (numerator layout)"
            lines.append(Line(self.gradient_equation(e, value) + self.where(value), remark))
        return lines

    def where(self, value: Expr) -> str:
        """The definitions of names in a result that no line above it defines."""
        defined = {made.handle for made in self.d.reverse.adjoints.values()}
        return "".join(
            f"; {self.w.name(n.params[0], n.is_scalar)} = {self.w.expr(n.args[0])}"
            for n in locals_of(value)
            if n not in defined
        )

    def gradient_equation(self, e: Expr, value: Expr) -> str:
        """d J/d W1 = ..."""
        f, x = self.named(self.d.output), self.named(e)
        if not self.w.plain:
            return rf"\frac{{\partial {f}}}{{\partial {x}}} = {self.w.expr(value)}"
        return f"d{f}/d{x} = {self.w.expr(value)}"
