"""A derivation as a lesson, in LaTeX: for each value its differential, its Jacobian, the chain rule, what collapses it.

Plain data; the templates `note.*` arrange it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from matcalc import core
from matcalc.calculus.derivation import Derivation
from matcalc.calculus.page import Edge, latex_writer
from matcalc.calculus.paths import Path, collapse_of, reason_of
from matcalc.calculus.reverse import Adjoint
from matcalc.calculus.view import ViewBuilder
from matcalc.errors import MatcalcError
from matcalc.export.references import References
from matcalc.expr import Expr, record
from matcalc.linop import apply
from matcalc.maps import Identity, Mask
from matcalc.printing.components import entry, written_out_diagonal
from matcalc.printing.latex import latex
from matcalc.printing.numbers import dim_latex
from matcalc.printing.pieces import locals_of
from matcalc.printing.style import Notation
from matcalc.properties import names_of
from matcalc.rewrite.terms import coefficient_and_rest
from matcalc.steps import Step

DETAILS = ("full", "brief")


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable or a definition: its name, what it is (empty for a variable), its shape, its facts."""

    name: str
    definition: str
    shape: str
    facts: list[str]


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact about a value."""

    formula: str
    fact: str


@dataclass(frozen=True, slots=True)
class Applied:
    """One application of a rule: the equation, the number of the identity (or 0 and a note), the facts used."""

    formula: str
    number: int
    note: str
    facts: list[Fact]


@dataclass(frozen=True, slots=True)
class Reasoned:
    """An equation and why it holds; `source` for what the reason cites."""

    formula: str
    reason: str
    formal: bool = False


@dataclass(frozen=True, slots=True)
class Through:
    """One path of the chain rule.

    Attributes:
        start: the value that depends on the one in question.
        definition: what that value is.
        differential: its differential along the path.
        jacobians: the local Jacobians in vec form.
        chain: the chain rule in vec form.
        cited: the identities that collapse it, as pairs of a number and a formula.
        written_out: the diagonal Jacobian entry by entry; empty where it was not asked for.
    """

    start: str
    definition: str
    differential: str
    jacobians: list[Reasoned]
    chain: str
    cited: list[tuple[int, str]]
    written_out: str


@dataclass(frozen=True, slots=True)
class LessonStep:
    """How one adjoint is found; for a matrix function, the local Jacobians of one value."""

    name: str
    definition: str
    shape: str
    through: list[Through]
    adjoint: str
    before: str
    rules: list[Applied]
    after: str
    shapes: str


@dataclass(frozen=True, slots=True)
class Result:
    """A gradient or Jacobian: matrix form, shape, what holds of it, and its entries by index."""

    formula: str
    shape: str
    remarks: list[str]
    entries: str


@dataclass(slots=True)
class Lesson:
    """Everything that is said about one derivation."""

    output: str
    differential: str
    scalar: bool
    shape: str
    variables: list[Variable]
    definitions: list[Variable]
    inferred: list[str]
    steps: list[LessonStep] = field(default_factory=list)
    adjoints: list[Result] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    facts_used: list[Fact] = field(default_factory=list)
    facts_wished: list[Fact] = field(default_factory=list)
    domain: list[Fact] = field(default_factory=list)


def make_lesson(d: Derivation, notation: Notation, references: References, *, detail: str, entries: int = 0) -> Lesson:
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
    if detail not in DETAILS:
        raise MatcalcError(f"detail must be {' or '.join(DETAILS)}, got {detail!r}")
    return _LessonBuilder(d, notation, references, detail, entries).lesson()


class _LessonBuilder(ViewBuilder):
    def __init__(self, d: Derivation, notation: Notation, references: References, detail: str, entries: int) -> None:
        super().__init__(d, latex_writer(notation), "denominator")
        self.references = references
        self.full = detail == "full"
        self.entries = entries
        differentials = {
            f"d{self.label(e)}": rf"\mathop{{}}\!{self.differential_of(e)}" for e in (*self.paths, d.output)
        }
        self.with_differentials = self.w.notation.with_names(differentials)

    def lesson(self) -> Lesson:
        """All parts."""
        d, w = self.d, self.w
        lesson = Lesson(
            output=self.named(d.output),
            differential=self.differential_of(d.output),
            scalar=d.output.is_scalar,
            shape=shape_latex(d.output),
            variables=[
                Variable(self.named(v), "", shape_latex(v), names_of(v.params[3])) for v in d.graph.declared.values()
            ],
            definitions=[
                *(self.variable(e, e.args[0]) for e in d.graph.definitions.values()),
                *(self.variable(e, e) for e in self.labels),
            ],
            inferred=d.inferred,
            domain=[Fact(w.expr(e), fact) for fact, e in d.domain],
        )
        if not d.output.is_scalar:
            lesson.steps = self.jacobian_steps()
            lesson.results = [self.jacobian_result(e) for e in d.wrt]
            return lesson
        found = [made for made in d.reverse.adjoints.values() if made.of is not d.output]
        lesson.steps = [self.step(made) for made in found]
        lesson.results = [self.result(e) for e in d.wrt]
        lesson.facts_used = [self.fact(*pair) for pair in d.facts_used]
        lesson.facts_wished = [self.fact(*pair) for pair in d.facts_wished]
        return lesson

    def variable(self, e: Expr, definition: Expr) -> Variable:
        """A line of the forward graph."""
        return Variable(self.named(e), self.w.expr(definition), shape_latex(e), [])

    def fact(self, name: str, fact: str) -> Fact:
        """A fact about a variable or an expression that is given in the text syntax."""
        declared = self.d.graph.declared.get(name, self.d.graph.definitions.get(name))
        return Fact(self.named(declared) if declared is not None else rf"\texttt{{{_verbatim(name)}}}", fact)

    def definition_of(self, e: Expr) -> str:
        """What a value is defined as; empty for a variable."""
        return self.w.expr(e.args[0]) if e.op == "named" else self.w.expr(e) if e in self.labels else ""

    def step(self, made: Adjoint) -> LessonStep:
        """The step that finds one adjoint."""
        e = made.of
        before, after = self.w.expr(made.raw), self.w.expr(made.value)
        return LessonStep(
            name=self.named(e),
            definition=self.definition_of(e),
            shape=shape_latex(e),
            through=[self.through(path) for path in self.paths.get(e, [])] if self.full else [],
            adjoint=self.adjoint_name(e),
            before="" if before == after else before,
            rules=[self.applied(s) for s in made.steps] if self.full else [],
            after=after,
            shapes=shape_equation(made.value),
        )

    def applied(self, step: Step) -> Applied:
        """One application of a rule."""
        number = self.references.cite(step.rule)
        return Applied(
            f"{self.w.expr(step.before)} = {self.w.expr(step.after)}",
            number,
            "" if number else step.identity,
            [self.fact(*pair) for pair in step.facts],
        )

    def through(self, path: Path) -> Through:
        """One path of the chain rule."""
        edge = self.edge(path)
        cited = dict.fromkeys(name for j in path.jacobians for name in collapse_of(j.map))
        for j in path.jacobians:
            if not isinstance(j.map, Identity):
                self.references.use(definition(j.value).op)
        return Through(
            start=self.named(path.start),
            definition=self.definition_of(path.start),
            differential=self.partial_differential(path),
            jacobians=self.reasoned(path, edge),
            chain=edge.chain,
            cited=[(self.references.cite(name), self.identity(name)) for name in cited],
            written_out=self.written_out(path) if self.entries else "",
        )

    def reasoned(self, path: Path, edge: Edge) -> list[Reasoned]:
        """The Jacobians with a reason in words, or with the identity of the differential."""
        shown = [j for j in path.jacobians if not isinstance(j.map, Identity)]
        return [
            Reasoned(line.formula, line.remark, formal=not reason_of(j.map)) for line, j in zip(edge.jacobians, shown)
        ]

    def partial_differential(self, path: Path) -> str:
        """The differential of the start along this path, by the differential of its end."""
        value = core.var(f"d{self.label(path.end)}", *path.end.shape)
        for j in reversed(path.jacobians):
            value = apply(j.map, value)
        written = latex(self.d.rewriter.simplify(value), self.with_differentials)
        return f"{self.differential_of(path.start)} = {written}"

    def differential_of(self, e: Expr) -> str:
        """The differential of a value; a word keeps its distance from the d."""
        name = self.named(e)
        return rf"\mathrm{{d}}\,{name}" if name.startswith(r"\mathrm") else rf"\mathrm{{d}}{name}"

    def written_out(self, path: Path) -> str:
        """A diagonal Jacobian of the path, entry by entry: of an entrywise function, if there is one."""
        found = [j for j in path.jacobians if isinstance(j.map, Mask)]
        found.sort(key=lambda j: record(definition(j.value).op).scalar_function is None)
        for j in found[:1]:
            if isinstance(j.map, Mask):
                D = self.d.rewriter.simplify(j.map.by)
                left = rf"\operatorname{{diag}}({self.w.expr(D)}) = "
                return left + written_out_diagonal(D, self.entries, self.w.notation)
        return ""

    def jacobian_steps(self) -> list[LessonStep]:
        """For a matrix function: the local Jacobians of every value, from the output down."""
        by_start: dict[Expr, list[Path]] = {self.d.output: []}
        for e in reversed(list(self.paths)):
            by_start.setdefault(e, [])
        for paths in self.paths.values():
            for path in paths:
                by_start[path.start].append(path)
        return [
            LessonStep(
                name=self.named(e),
                definition=self.definition_of(e),
                shape=shape_latex(e),
                through=[self.forwards(path) for path in paths],
                adjoint="",
                before="",
                rules=[],
                after="",
                shapes="",
            )
            for e, paths in by_start.items()
            if paths
        ]

    def forwards(self, path: Path) -> Through:
        """One path of a matrix function: d vec(start) by d vec(end)."""
        edge = self.forward_edge(path)
        return Through(
            start=self.named(path.end),
            definition="",
            differential=self.partial_differential(path),
            jacobians=self.reasoned(path, edge),
            chain=edge.chain,
            cited=[],
            written_out="",
        )

    def result(self, e: Expr) -> Result:
        """A gradient that was asked for."""
        name = str(e.params[0])
        kind = self.d.structure.get(name, "none")
        value = self.d.reverse.adjoints[e].value if kind == "none" else self.d.gradient(name)
        remarks = [] if kind == "none" else [kind, self.d.convention]
        left = rf"\frac{{\partial {self.named(self.d.output)}}}{{\partial {self.named(e)}}}"
        where = self.where(value).replace(";", r", \quad")
        by_entry = entry(value, self.w.notation)
        return Result(
            formula=f"{left} = {self.w.expr(value)}{where}",
            shape=shape_latex(e),
            remarks=remarks,
            entries=f"{by_entry.left(left)} = {by_entry.right}" if by_entry is not None else "",
        )

    def jacobian_result(self, e: Expr) -> Result:
        """The Jacobian of a matrix function."""
        J = self.d.jacobian(str(e.params[0])).value
        where = "".join(rf", \quad {self.named(n)} = {self.w.expr(n.args[0])}" for n in locals_of(J))
        F, X = (self.w.in_vec(self.named(v)) for v in (self.d.output, e))
        formula = rf"\frac{{\partial {F}}}{{\partial {X}{self.w.transpose}}} = {self.w.expr(J)}{where}"
        return Result(formula, shape_latex(J), [], "")


def definition(e: Expr) -> Expr:
    """What a name stands for."""
    return e.args[0] if e.op == "named" else e


def shape_latex(e: Expr) -> str:
    r"""m \times n."""
    return rf"{dim_latex(e.shape[0])} \times {dim_latex(e.shape[1])}"


def shape_equation(e: Expr) -> str:
    r"""The shapes of a product's factors and what they give: `1 \times K \cdot K \times H \to 1 \times H`."""
    _, rest = coefficient_and_rest(e)
    if rest is None or rest.op not in ("matmul", "hadamard"):
        return ""
    factors = [f for f in rest.args if not (f.op == "broadcast" or f.is_scalar)]
    if len(factors) < 2:
        return ""
    sign = r" \;\cdot\; " if rest.op == "matmul" else r" \;\odot\; "
    return rf"{sign.join(f'({shape_latex(f)})' for f in factors)} \;\to\; {shape_latex(rest)}"


def _verbatim(name: str) -> str:
    return "".join(rf"\{c}" if c in "{}_#$%&" else r"\textasciicircum{}" if c == "^" else c for c in name)
