"""From a derivation to its lesson: each value's differential, its Jacobian, the chain rule, what collapses it."""

from __future__ import annotations

from matcalc import core
from matcalc.calculus.conditions import further_conditions
from matcalc.calculus.jacobian import jacobian_by
from matcalc.calculus.paths import Path, collapse_of, reason_of
from matcalc.calculus.problem import Problem
from matcalc.calculus.reverse import Adjoint
from matcalc.calculus.structured import structured_gradient
from matcalc.calculus.wording import worded
from matcalc.dims import is_one
from matcalc.errors import need_one_of
from matcalc.export.equalities import Chains, Equality
from matcalc.export.lesson import (
    DETAILS,
    Fact,
    Lesson,
    LessonStep,
    Reasoned,
    Result,
    Row,
    Through,
    Variable,
)
from matcalc.export.references import References
from matcalc.expr import Expr, record
from matcalc.languages import ENGLISH, language
from matcalc.linop import adjoint, apply
from matcalc.maps import Identity, Mask
from matcalc.printing.breaking import LINE, width
from matcalc.printing.components import entry, written_out_diagonal
from matcalc.printing.numbers import dim_latex
from matcalc.printing.pieces import locals_of
from matcalc.printing.style import Notation
from matcalc.properties import names_of
from matcalc.rewrite.terms import coefficient_and_rest
from matcalc.views.builder import ViewBuilder
from matcalc.views.page import latex_writer
from matcalc.walk import substitute

# The identities that collapse a chain, by what one sees of them in it; the last also turns a row into vec of one.
SEEN_BY = {
    "diagonal_times_vec": r"\operatorname{diag}",
    "commutation_times_vec": "K_{",
    "kron_times_vec": r"\otimes",
}
ALWAYS = "kron_times_vec"
WIDEST = 2.5 * LINE  # em of a result with everything substituted that is still read


def make_lesson(d: Problem, notation: Notation, references: References, *, detail: str, entries: int = 0) -> Lesson:
    """The lesson of a derivation.

    Args:
        d: the derivation.
        notation: the symbols.
        references: takes up what is cited.
        detail: `full`, or `brief` for the adjoints without their Jacobians.
        entries: for how many entries diagonal Jacobians are written out; 0 for not at all.

    Raises:
        MatcalcError: another detail.
    """
    need_one_of("detail", detail, DETAILS)
    return _Lecture(d, notation, references, detail, entries).lesson()


class _Lecture(ViewBuilder):
    def __init__(self, d: Problem, notation: Notation, references: References, detail: str, entries: int) -> None:
        super().__init__(d, latex_writer(notation), language(ENGLISH))
        self.references = references
        self.full = detail == "full"
        self.entries = entries
        self.chains = Chains(d)
        self.in_differentials = self.w.with_differentials(
            {self.label(e): self.differential_of(e) for e in (*self.paths, d.output)}
        )

    def lesson(self) -> Lesson:
        """All parts."""
        d = self.d
        lesson = Lesson(
            output=self.named(d.output),
            differential=self.differential_of(d.output),
            scalar=d.output.is_scalar,
            shape=shape_latex(d.output),
            variables=[
                Variable(self.named(v), "", shape_latex(v), names_of(v.params[3])) for v in d.graph.declared.values()
            ],
            definitions=[
                Variable(self.named(e), self.definition_of(e), shape_latex(e), [])
                for e in (*d.graph.definitions.values(), *self.labels)
            ],
            notice=d.notice,
            domain=[self.condition_fact(fact, e) for fact, e in self.conditions()],
            recognised=[
                Row(self.rule(s).formula, [number] if (number := self.references.cite(s.rule)) else [])
                for s in d.recognised
            ],
        )
        if not d.output.is_scalar:
            lesson.steps = self.map_steps() if self.full else []
            lesson.results = [self.jacobian_result(e) for e in d.wrt]
            return lesson
        found = [made for made in d.reverse.adjoints.values() if made.of is not d.output]
        lesson.steps = [self.step(made) for made in found]
        lesson.results = [self.result(e) for e in d.wrt]
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

    # ------------------------------------------------------------------------------------------------ steps

    def step(self, made: Adjoint) -> LessonStep:
        """The step that finds one adjoint."""
        e = made.of
        paths = self.paths.get(e, [])
        parts = [self.contribution(path) for path in paths] if self.full else []
        return LessonStep(
            name=self.named(e),
            definition=self.definition_of(e),
            shape=shape_latex(e),
            through=[
                self.through(path, G, k if len(paths) > 1 else 0) for k, (path, G) in enumerate(zip(paths, parts), 1)
            ],
            adjoint=self.adjoint_name(e),
            rows=self.rows(self.chains.of(made, parts)) if self.full else [Row(self.w.expr(made.value))],
            shapes=shape_equation(made.value, self.w.notation),
        )

    def rows(self, lines: list[Equality]) -> list[Row]:
        """Lines of a chain in print; those that look like the line before are joined with it."""
        rows: list[Row] = []
        for line in lines:
            row = self.row(line)
            if rows and rows[-1].value == row.value:
                last = rows.pop()
                row = Row(row.value, last.cited, last.facts, last.inserted, last.note)
            rows.append(row)
        return rows

    def row(self, line: Equality) -> Row:
        """One line of a chain in print."""
        numbers = [self.references.cite(step.rule) for step in line.rules]
        notes = [step.identity for step, number in zip(line.rules, numbers) if not number]
        facts = dict.fromkeys(pair for step in line.rules for pair in step.facts)
        return Row(
            self.w.expr(line.value),
            sorted({number for number in numbers if number}),
            [self.known(*pair) for pair in facts],
            [f"{self.w.expr(n)} = {self.w.expr(n.args[0])}" for n in line.inserted],
            notes[0] if notes else "",
        )

    def through(self, path: Path, G: Expr, part: int) -> Through:
        """One path of the chain rule, which gives G; with its number where there are several."""
        edge = self.edge(path)
        left, _, chain = edge.chain.partition(" = ")
        if part:
            name = self.adjoint_name(path.end)
            name = rf"\left({name}\right)" if r"\frac" in name else name
            left = self.in_vec(path.end, f"{name}^{{({part})}}")
        cited = dict.fromkeys(name for j in path.jacobians for name in collapse_of(j.map))
        for j in path.jacobians:
            if not isinstance(j.map, Identity):
                self.references.use(definition(j.value))
        collapsed = self.in_vec(path.end, self.w.expr(G))
        seen = {name for name, sign in SEEN_BY.items() if sign in chain} | ({ALWAYS} if "vec" in collapsed else set())
        same = collapsed.replace(" ", "") == chain.replace(r"\,", "").replace(" ", "")
        return Through(
            start=self.named(path.start),
            definition=self.definition_of(path.start),
            differential=self.partial_differential(path),
            jacobians=self.reasoned(path),
            left=left,
            chain=chain,
            collapsed="" if same else collapsed,
            cited=[] if same else [(self.references.cite(name), self.identity(name)) for name in cited if name in seen],
            written_out=self.written_out(path) if self.entries else "",
        )

    def contribution(self, path: Path) -> Expr:
        """What one path adds to the adjoint of its end."""
        G = core.number(1) if path.start is self.d.output else self.d.reverse.adjoints[path.start].handle
        for j in path.jacobians:
            G = apply(adjoint(j.map), G)
        return self.chains.summed([G])

    def reasoned(self, path: Path) -> list[Reasoned]:
        """The Jacobians with a reason in words, or with the identity of the differential."""
        shown = [j for j in path.jacobians if not isinstance(j.map, Identity)]
        return [
            Reasoned(line.formula, line.remark, formal=not reason_of(j))
            for line, j in zip(self.jacobians_of(path), shown)
        ]

    def partial_differential(self, path: Path) -> str:
        """The differential of the start along this path, by the differential of its end."""
        value = core.var(f"d{self.label(path.end)}", *path.end.shape)
        for j in reversed(path.jacobians):
            value = apply(j.map, value)
        return f"{self.differential_of(path.start)} = {self.in_differentials(self.d.rewriter.simplify(value))}"

    def written_out(self, path: Path) -> str:
        """A diagonal Jacobian of the path, entry by entry: of an entrywise function, if there is one."""
        found = [j for j in path.jacobians if isinstance(j.map, Mask) and not j.map.by.is_scalar]
        found.sort(key=lambda j: record(definition(j.value).op).scalar_function is None)
        for j in found[:1]:
            if isinstance(j.map, Mask):
                D = self.d.rewriter.simplify(j.map.by)
                content = self.w.expr(D) if is_vector(D) else self.in_vec(D, self.w.expr(D))
                return rf"\operatorname{{diag}}({content}) = " + written_out_diagonal(D, self.entries, self.w.notation)
        return ""

    def map_steps(self) -> list[LessonStep]:
        """For a matrix function: the local Jacobians of every value, from the output down."""
        by_start: dict[Expr, list[Path]] = {self.d.output: []}
        for e in reversed(list(self.paths)):
            by_start.setdefault(e, [])
        for paths in self.paths.values():
            for path in paths:
                by_start[path.start].append(path)
        return [
            LessonStep(self.named(e), self.definition_of(e), shape_latex(e), [self.forwards(path) for path in paths])
            for e, paths in by_start.items()
            if paths
        ]

    def forwards(self, path: Path) -> Through:
        """One path of a matrix function: d vec(start) by d vec(end)."""
        left, _, chain = self.forward_edge(path).chain.partition(" = ")
        for j in path.jacobians:
            if not isinstance(j.map, Identity):
                self.references.use(definition(j.value))
        return Through(
            start=self.named(path.end),
            definition="",
            differential=self.partial_differential(path),
            jacobians=self.reasoned(path),
            left=left,
            chain=chain,
            collapsed="",
            cited=[],
            written_out="",
        )

    # ------------------------------------------------------------------------------------------------ results

    def result(self, e: Expr) -> Result:
        """A gradient that was asked for."""
        name = str(e.params[0])
        kind = self.d.structure.get(name, "none")
        made = self.d.reverse.adjoints[e]
        value = made.value if kind == "none" else self.d.gradient(name)
        left = rf"\frac{{\partial {self.named(self.d.output)}}}{{\partial {self.named(e)}}}"
        rows = [Row(self.w.expr(value))]
        if kind != "none":
            by_name = self.w.notation.adjoint != "partial"  # which would be called as the result is
            free = core.named(f"d_{name}" if by_name else self.d.fresh_names().fresh("G"), made.value, "local")
            formula = self.w.expr(structured_gradient(free, e, kind, self.d.convention))
            rows.insert(0, Row(formula + ("" if by_name else self.where([free]))))
        defined = {m.handle for m in self.d.reverse.adjoints.values()}
        by_entry = entry(value, self.w.notation)
        return Result(
            left=left,
            rows=rows,
            where=self.where([n for n in locals_of(value) if n not in defined]),
            shape=shape_latex(e),
            remarks=[] if kind == "none" else [kind, self.d.convention],
            substituted=self.substituted(value, self.w.expr(value)),
            entries=f"{by_entry.left(left)} = {by_entry.right}" if by_entry is not None else "",
        )

    def substituted(self, value: Expr, shown: str) -> str:
        """The value with the names of adjoints replaced by what they stand for; empty where that is long."""
        for n in reversed(locals_of(value)):
            value = substitute(value, {n: n.args[0]}, through_names=False)
            if self.d.rewriter.cost(value) > WIDEST:
                return ""
        written = self.w.expr(self.d.rewriter.simplify(value))
        return "" if written == shown or width(written) > WIDEST else written

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
            rows=[Row(self.w.expr(J))],
            where=self.where(locals_of(J)) + (rf", \quad {made}" if (made := self.entries_of(e)) else ""),
            shape=shape_latex(J),
            remarks=[],
            conditions=[self.condition_fact(fact, at) for fact, at in further_conditions([J], self.d.domain)],
        )


def definition(e: Expr) -> Expr:
    """What a name stands for."""
    return e.args[0] if e.op == "named" else e


def is_vector(e: Expr) -> bool:
    """Whether it is a row or a column."""
    return is_one(e.shape[0]) or is_one(e.shape[1])


def shape_latex(e: Expr) -> str:
    r"""m \times n."""
    return rf"{dim_latex(e.shape[0])} \times {dim_latex(e.shape[1])}"


def shape_equation(e: Expr, notation: Notation) -> str:
    r"""The shapes of a product's factors and what they give: `1 \times K \cdot K \times H \to 1 \times H`."""
    _, rest = coefficient_and_rest(e)
    if rest is None or rest.op not in ("matmul", "hadamard"):
        return ""
    factors = [f for f in rest.args if not (f.op == "broadcast" or f.is_scalar)]
    if len(factors) < 2:
        return ""
    mark = r"\cdot" if rest.op == "matmul" else notation.hadamard
    sign = rf" \;{mark}\; "
    return rf"{sign.join(f'({shape_latex(f)})' for f in factors)} \;\to\; {shape_latex(rest)}"


def _verbatim(name: str) -> str:
    return "".join(rf"\{c}" if c in "{}_#$%&" else r"\textasciicircum{}" if c == "^" else c for c in name)
