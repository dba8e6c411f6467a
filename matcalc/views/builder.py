"""What every view writes: names of values, adjoints and differentials, local Jacobians on vec, the chain rule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from matcalc import core
from matcalc.calculus.conditions import minimal
from matcalc.calculus.folds import folded
from matcalc.calculus.paths import LocalJacobian, Path, collapse_of, reason_of
from matcalc.calculus.problem import Problem
from matcalc.calculus.structured import INDEPENDENT, basis
from matcalc.calculus.wording import worded
from matcalc.dims import is_one
from matcalc.expr import Expr, postorder
from matcalc.languages import ENGLISH, Language
from matcalc.map_kinds import Identity
from matcalc.naming import Names
from matcalc.printing.latex import FUNCTIONS
from matcalc.printing.numbers import split
from matcalc.printing.symbols import ADJOINT, name_latex
from matcalc.properties import names_of, words_of
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.rewrite.rule import RULES, Rule
from matcalc.rewrite.terms import coefficient_and_rest
from matcalc.steps import Step
from matcalc.vecform import matrices
from matcalc.views.formulas import formulas, formulas_text
from matcalc.views.named import shorthands
from matcalc.views.page import Edge, Line, Writer, latex_writer
from matcalc.views.solutions import by_solutions
from matcalc.walk import substitute, transform

# What the matrices of Jacobians are tidied by: their form stays, but transposes of transposes go; no facts are used.
MATRIX_RULES = frozenset(
    ("kron_of_constants", "vec_of_vector", "commutation_of_vectors", "diagonal_of_ones", "ones_in_a_sum")
)


def keeps_the_form(rule: Rule) -> bool:
    """Whether the matrices of local Jacobians are tidied by this rule."""
    turns = rule.name.startswith("transpose_of_") and not rule.name.endswith(("_symmetric", "_skew"))
    return turns or rule.name in MATRIX_RULES


class ViewBuilder:
    """Writes the parts of a derivation's views with one writer, in one language.

    Args:
        d: the derivation.
        writer: how formulas are written.
        words: the language of the fixed words.
    """

    def __init__(self, d: Problem, writer: Writer, words: Language) -> None:
        self.d = d
        self.w = writer
        self.words = words
        self.quiet = Rewriter(Context(d.domain), keeps_the_form)
        self.paths = d.paths
        self.labels = self._labels()
        taken = frozenset(FUNCTIONS) & {name_latex(name, writer.notation) for name in d.graph.scope}
        if taken and not writer.plain:
            self.w = latex_writer(replace(writer.notation, taken=taken))
        if writer.notation.adjoint == "partial":
            self.w = latex_writer(self.w.notation.with_output(self.label(d.output)))
        self.shorthands: dict[Expr, Expr] = {}
        self.solutions: dict[Expr, Expr] = {}
        self.defining = self.w.expr  # what stands in a definition: there, values are made of those before
        self.meanings: dict[Expr, str] = {}

    def name_shorthands(self) -> None:
        """Names for what a page writes several times and the source does not name: from here on they are written."""
        if self.shorthands:
            return
        write = self.w.expr
        self.shorthands = shorthands(self.d)
        self.defining = lambda e: write(substitute(e, self.shorthands, through_names=False))
        self.solutions = {e: s for e, s in self.shorthands.items() if e.op == "matmul"}
        self.meanings = {short: write(e) for e, short in self.shorthands.items()}
        if self.shorthands:
            self.w = replace(self.w, expr=lambda e: write(self.short(e)))

    def values_in_order(self) -> list[Expr]:
        """All that has a name on the page and a definition; shorthands as soon as what they are made of is there."""
        waiting = dict.fromkeys(e for e in self.shorthands.values() if e.op == "named")
        made = [*self.d.graph.definitions.values(), *self.labels]
        needs = {s: {e for e in postorder((s.args[0],)) if e in made or (e in waiting and e is not s)} for s in waiting}
        order: dict[Expr, None] = {}
        for e in made:
            for s in [s for s in waiting if e is made[-1] or needs[s] <= order.keys()]:
                order[s] = waiting.pop(s)
            order[e] = None
        return list(order)

    def short(self, e: Expr) -> Expr:
        """An expression with its shorthands."""
        return (
            by_solutions(substitute(e, self.shorthands, through_names=False), self.solutions) if self.shorthands else e
        )

    def _adjoint_text(self, label: str) -> str:
        name = ADJOINT + label
        while name in self.d.graph.declared or name in self.d.graph.definitions:
            name += "_"
        return name

    def _labels(self) -> dict[Expr, str]:
        """Names for unnamed values that the steps stop at, and for an unnamed output."""
        names = Names([*self.d.graph.declared, *self.d.graph.definitions])
        labels = {e: names.numbered("t") for e in self.d.stops}
        if not self.d.output.name:
            labels[self.d.output] = names.fresh("f")
        return labels

    # ------------------------------------------------------------------------------------------------ names

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
        """g_theta for the adjoint of theta; in LaTeX as the notation has it."""
        if self.w.plain:
            return self._adjoint_text(self.label(e))
        return self.w.name(ADJOINT + self.label(e), e.is_scalar)

    def differential_of(self, e: Expr, order: int = 1) -> str:
        """dX; d2f for the second differential; in LaTeX a word keeps its distance from the d."""
        if self.w.plain:
            return f"d{'' if order == 1 else order}{self.label(e)}"
        name = self.named(e)
        d = r"\mathrm{d}" + ("" if order == 1 else f"^{order}")
        return rf"{d}\,{name}" if name.startswith(r"\mathrm") else f"{d}{name}"

    def inline(self, formula: str) -> str:
        """A formula in a line of text."""
        return formula if self.w.plain else f"${formula}$"

    def definition_of(self, e: Expr) -> str:
        """What a value is defined as; empty for a variable."""
        if e in self.meanings:
            return self.meanings[e]
        return self.defining(e.args[0]) if e.op == "named" else self.w.expr(e) if e in self.labels else ""

    def quotient(self, e: Expr) -> str:
        """dJ/dW1 for a gradient, dvec(F)/dvec(X)' for a Jacobian."""
        f, x = self.named(self.d.output), self.named(e)
        if not self.d.output.is_scalar:
            f = self.in_vec(self.d.output, f)
            x = self.by_entries(e) + ("" if e.is_scalar else self.w.transpose)
        return f"d{f}/d{x}" if self.w.plain else rf"\frac{{\partial {f}}}{{\partial {x}}}"

    # ------------------------------------------------------------------------------------------------ words

    def along(self, kind: str) -> str:
        """That a derivative is taken along a structured set, and in which sense."""
        return self.words("along {0} matrices, convention: {1}").format(self.words(kind), self.words(self.d.convention))

    def fact(self, subject: str, fact: str) -> str:
        """What is known of something, as a sentence."""
        return self.words("{0} is {1}").format(subject, self.words(fact))

    def fact_of(self, name: str, fact: str) -> str:
        """The same of a variable or of an expression in the text syntax, by its name in print."""
        found = self.d.graph.declared.get(name, self.d.graph.definitions.get(name))
        return self.fact(name if found is None or self.w.plain else self.inline(self.named(found)), fact)

    def conditions(self) -> list[tuple[str, Expr]]:
        """What must hold where the function has a derivative, as far as no declared fact implies it."""
        return minimal(self.d.domain)

    def condition(self, fact: str, e: Expr) -> str:
        """A condition, as a sentence."""
        subject, said = worded(fact, e)
        if subject is not e:
            subject = Rewriter(Context(self.d.domain)).simplify(subject)
        return self.fact(self.inline(self.w.expr(subject)), said)

    def facts_in_row(self, variable: Expr) -> str:
        """The declared facts of a variable."""
        return (" " if self.w.plain else ", ").join(map(self.words, words_of(variable.params[3])))

    def rule(self, step: Step) -> Line:
        """One application of a rule."""
        because = f" ({'; '.join(self.fact_of(*pair) for pair in step.facts)})" if step.facts else ""
        formula = f"{self.w.expr(step.before)} = {self.w.expr(step.after)}"
        stated = self.stated(step.rule, step.identity, facts=not step.facts)
        if self.w.plain:
            return Line(formula, f"{step.rule}: {stated}{because}")
        named = step.rule.replace("_", " ") if self.words.code == ENGLISH else stated
        return Line(formula, named + because)

    def stated(self, rule: str, identity: str, *, facts: bool = True) -> str:
        """An identity in words; in a language without these words its two sides, with the facts that it needs."""
        if self.words.has(identity) or rule not in RULES:
            return self.words(identity)
        left, right = RULES[rule].example()
        variables = [e for e in postorder((left,)) if e.op == "variable"]
        needed = [self.fact(self.inline(self.w.expr(v)), fact) for v in variables for fact in names_of(v.params[3])]
        formula = self.inline(f"{self.w.expr(left)} = {self.w.expr(right)}")
        return formula + (f" ({'; '.join(needed)})" if needed and facts else "")

    def identity(self, name: str) -> str:
        """A rule's identity: in words, or in LaTeX as the pair of its two sides."""
        if self.w.plain:
            return f"{name}: {self.stated(name, RULES[name].identity)}"
        left, right = RULES[name].example()
        return f"{self.w.expr(left)} = {self.w.expr(right)}"

    # ------------------------------------------------------------------------------------------------ vec

    def in_vec(self, e: Expr, content: str) -> str:
        """vec of something of the shape of e; a column is its own vec."""
        return content if is_one(e.shape[1]) else self._around(self.w.vec, content)

    def by_entries(self, e: Expr) -> str:
        """What a Jacobian is taken by: vec of a value, or its independent entries along a structured set."""
        kind = self.structure_of(e)
        if kind == "none":
            return self.in_vec(e, self.named(e))
        if kind in INDEPENDENT:
            return self.w.expr(INDEPENDENT[kind](e))
        return self._around("entries({0})" if self.w.plain else r"\operatorname{{entries}}({0})", self.named(e))

    def d_entries(self, e: Expr) -> str:
        """The differential of what a Jacobian is taken by."""
        if self.structure_of(e) == "none":
            return self.d_vec(e)
        return f"d {self.by_entries(e)}" if self.w.plain else rf"\mathrm{{d}}{self.by_entries(e)}"

    def entries_of(self, e: Expr) -> str:
        """How vec of a structured variable is made of its independent entries; empty for a free one."""
        D = basis(e, self.structure_of(e))
        return "" if D is None else f"{self.in_vec(e, self.named(e))} = {self.product([D], self.by_entries(e))}"

    def structure_of(self, e: Expr) -> str:
        """The structured set along which a variable is differentiated."""
        return self.d.structure.get(str(e.params[0]), "none")

    def _around(self, form: str, content: str) -> str:
        """A form `name({0})` around something, with brackets of its height."""
        if not self.w.plain and r"\frac" in content:
            form = form.replace("({0})", r"\left({0}\right)")
        return form.format(content)

    def d_vec(self, e: Expr) -> str:
        """The differential of vec of a value; of a column or a 1 x 1 value its own."""
        if not is_one(e.shape[1]):
            return self._around(self.w.differential, self.written(e))
        if e in self.labels or e.name:
            return self.differential_of(e)
        return self._around("d({0})" if self.w.plain else r"\mathrm{{d}}({0})", self.w.expr(e))

    def edge(self, path: Path, *, several: bool = False) -> Edge:
        """One path: its local Jacobians, and their transposes applied to the adjoint that is known.

        Where there are several paths, each adds to the adjoint.
        """
        factors = [self.tidied(m.T) for j in path.jacobians for m in matrices(j.map)]
        known = "" if path.start is self.d.output else self.in_vec(path.start, self.adjoint_name(path.start))
        chain = self.product([*reversed(factors)], known)
        collapse = dict.fromkeys(name for j in path.jacobians for name in collapse_of(j.map))
        equals = ("+=" if self.w.plain else r"\mathrel{+}=") if several else "="
        return Edge(
            start=self.named(path.start),
            jacobians=self.jacobians_of(path),
            chain=f"{self.in_vec(path.end, self.adjoint_name(path.end))} {equals} {chain}",
            collapse=[self.identity(name) for name in collapse],
        )

    def forward_edge(self, path: Path) -> Edge:
        """One path: d vec(start) as a product of local Jacobians, applied to d vec(end)."""
        factors = [self.tidied(m) for j in path.jacobians for m in matrices(j.map)]
        return Edge(
            start=self.named(path.end),
            jacobians=self.jacobians_of(path),
            chain=f"{self.d_vec(path.start)} = {self.product(factors, self.d_vec(path.end))}",
            collapse=[],
        )

    def jacobians_of(self, path: Path) -> list[Line]:
        """The local Jacobians along a path; those that change nothing are left out."""
        return [self.jacobian(j) for j in path.jacobians if not isinstance(j.map, Identity)]

    def jacobian(self, j: LocalJacobian) -> Line:
        """d vec(value) = J d vec(argument), and why J has its form."""
        factors = [self.tidied(m) for m in matrices(j.map)]
        formula = f"{self.d_vec(j.value)} = {self.product(factors, self.d_vec(j.argument))}"
        return Line(formula, self.words(reason_of(j)) or self.rule_of(j))

    def whole_jacobian(self, whole: list[LocalJacobian]) -> str:
        """d vec of a value by all its arguments that move; then with the factors multiplied, where that is shorter."""
        factors = [[self.tidied(m) for m in matrices(j.map)] for j in whole]
        sides = [added(self.product(ms, self.d_vec(j.argument)) for ms, j in zip(factors, whole))]
        if any(len(ms) > 1 for ms in factors):
            products = [[self.multiplied(ms)] if len(ms) > 1 else ms for ms in factors]
            short = added(self.product(ms, self.d_vec(j.argument)) for ms, j in zip(products, whole))
            is_matrix = all(e.op != "hadamard" for ms in products for m in ms for e in postorder((m,)))
            sides += [short] if len(short) < len(sides[0]) and is_matrix else []
        return " = ".join([self.d_vec(whole[0].value), *sides])

    def multiplied(self, factors: list[Expr]) -> Expr:
        """The product of a Jacobian's factors, in the names of the page."""
        rewriter = Rewriter(Context(self.d.domain))
        e = folded(rewriter.simplify(core.matmul(*factors)), self.d.folds, rewriter)
        return transform((e,), lambda new, _: _as_product(new), through_names=False)[e]

    def rule_of(self, j: LocalJacobian) -> str:
        """The identity of an operation's differential, in words or, in other languages, as a formula."""
        if self.words.has(j.identity):
            return self.words(j.identity)
        value = j.value.definition
        if self.w.plain:
            return formulas_text(value.op, value.params).differential
        return f"${formulas(value.op, self.w.notation, value.params).differential}$"

    def tidied(self, m: Expr) -> Expr:
        """A Jacobian's matrix without double transposes and factors of one."""
        e = self.quiet.simplify(m)
        same = {s: s.args[0] for s in postorder((e,)) if s.op == "transpose" and s.args[0].op in ("eye", "diag")}
        return self.quiet.simplify(substitute(e, same, through_names=False)) if same else e

    def product(self, factors: list[Expr], last: str) -> str:
        """The product of matrices and of what they are applied to: numbers and 1 x 1 factors first, no identities.

        What it is applied to may be the number 1, written as nothing.
        """
        scalars: list[Expr] = []
        matrices_: list[str] = []
        for m in factors:
            if m.is_scalar:
                scalars.append(m)
                continue
            coefficient, rest = coefficient_and_rest(m)
            if coefficient != 1:
                scalars.append(core.number(coefficient))
            if rest is not None and rest.op != "eye":
                matrices_.append(self.factor(rest))
        front, sign = self._front(scalars)
        parts = [*front, *matrices_, *([last] if last else [])]
        return sign + (self.w.times.join(parts) or "1")

    def _front(self, scalars: list[Expr]) -> tuple[list[str], str]:
        """The product of 1 x 1 factors, and its sign."""
        if not scalars:
            return [], ""
        coefficient, rest = coefficient_and_rest(self.quiet.simplify(core.scale(*scalars)))
        negative = split(coefficient).negative
        size = core.number(-coefficient if negative else coefficient)
        value = size if rest is None else core.scale(size, rest)
        value = self.quiet.simplify(value)
        return ([] if value.number == 1 else [self.factor(value)]), "-" if negative else ""

    def factor(self, m: Expr) -> str:
        """A matrix as a factor of a product, in brackets where it binds less."""
        written = self.w.expr(m)
        scaled = m.op == "scale" and (self.w.plain or written.startswith("-") or m.args[-1].op == "hadamard")
        loose = m.op in ("add", "kron", "hadamard") or scaled
        brackets = ("({})", r"\left({}\right)" if r"\frac" in written else "({})")[not self.w.plain]
        return written if not loose or (self.w.plain and m.op == "kron") else brackets.format(written)


def _as_product(e: Expr) -> Expr:
    """A column times a row, where a product of entries is one."""
    if e.op != "hadamard" or len(e.args) > 2 or any(a.op != "broadcast" for a in e.args):
        return e
    a, b = sorted((s.args[0] for s in e.args), key=lambda s: not is_one(s.shape[1]))
    return core.matmul(a, b) if is_one(a.shape[1]) and is_one(b.shape[0]) else e


def added(terms: Iterable[str]) -> str:
    """Written terms as a sum."""
    first, *rest = terms
    return first + "".join(f" - {t[1:]}" if t.startswith("-") else f" + {t}" for t in rest)
