"""The steps of a lesson in print: what is needed, the way back, what is learnt along structured sets, as Jacobians."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from matcalc import core
from matcalc.calculus.names import is_local
from matcalc.calculus.paths import LocalJacobian, Path, reason_of
from matcalc.calculus.structured import structured_gradient
from matcalc.expr import Expr, postorder
from matcalc.ops.matrix_functions import FUNCTIONS
from matcalc.optional import later
from matcalc.printing.pieces import locals_of
from matcalc.printing.symbols import ADJOINT
from matcalc.properties import known, names_of
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.views.backward import Chain, Row, Step, WayBack, inner
from matcalc.views.builder import ViewBuilder, added
from matcalc.views.facts import Fact, Side, Slope, Tangent
from matcalc.views.kinds import kinds_of_steps
from matcalc.views.needed import needed
from matcalc.views.page import Equation, Line, Needed, StepBack, View
from matcalc.walk import rebuild, substitute

if TYPE_CHECKING:
    from matcalc.printing.latex import latex
else:
    (latex,) = later("matcalc.printing.latex", "latex")

BESIDE = 90  # letters of equations that stand in one line
FEW = 2  # adjoints that are written out in a gradient: with more the reader is lost
SUBSTITUTED = 60  # letters of a gradient with all adjoints written out that is still read
# What carries an adjoint over to the other side, by the operation.
CARRYING = {
    "matmul": "in a trace, factors go round",
    "hadamard": "entrywise factors change sides",
    "broadcast": "what is repeated is summed",
    "transpose": "a trace is that of the transpose",
    "kron": "block by block",
    **dict.fromkeys(FUNCTIONS, "as for a power: term by term the factors go round"),
}
MOVING = {
    "symmetric": "an entry off the diagonal stands in two places, so both count, and the diagonal is not counted twice",
    "skew": "an entry stands in two places with opposite signs",
    "diagonal": "only the entries on the diagonal move",
    "lower": "only the entries on and below the diagonal move",
    "upper": "only the entries on and above the diagonal move",
    "toeplitz": "the entries along a diagonal move together",
    "symmetric-toeplitz": "the entries along two mirrored diagonals move together",
}
REVERSED = "a transpose reverses a product"
SEVERAL = "product rule"
TURNED = "a number is its own transpose"


class LessonWriter:
    """Writes the parts of a lesson.

    Args:
        b: how names and expressions are written.
    """

    def __init__(self, b: ViewBuilder) -> None:
        self.b = b
        b.name_shorthands()
        self.w = b.w
        self.way = WayBack(b.d)
        self.said: set[str] = set()
        self.differentials = {str(v.params[0]): b.differential_of(e) for e, v in self.way.symbols.items()}
        self.unnamed: dict[Expr, Expr] = {}
        self.unnamed_of: dict[str, Expr] = {}  # by the name of the differential
        self.way.symbol_of = self.differential

    def fill(self, view: View) -> None:
        """The parts between the forward graph and the results."""
        steps = self.way.steps()
        jacobians = [
            j
            for step in steps
            for p in step.into
            for v in step.values
            for path in self.b.paths[v]
            if path.start is p
            for j in path.jacobians
        ]
        view.needed = [self.fact(fact) for fact in needed(self.b.d, jacobians, self.differential)]
        view.steps = [self.step(step) for step in steps]
        view.jacobians = self.jacobians()
        view.gradients = self.gradients()

    def fill_map(self, view: View) -> None:
        """The differentials of a matrix function's values, and what they are on vec, from the output down."""
        by_start: dict[Expr, list[Path]] = {}
        for paths in self.b.paths.values():
            for path in paths:
                by_start.setdefault(path.start, []).append(path)
        order = [e for e in (self.b.d.output, *reversed(self.b.paths)) if e in by_start]
        jacobians = [j for e in order for path in by_start[e] for j in path.jacobians]
        view.needed = [self.fact(fact) for fact in needed(self.b.d, jacobians, self.differential)]
        view.steps = [self.map_step(e, by_start[e]) for e in dict.fromkeys(order)]

    def map_step(self, e: Expr, paths: list[Path]) -> StepBack:
        """The differential of one value, and the same on vec."""
        ends = list(dict.fromkeys(path.end for path in paths))
        moved = self.equation(self.way.differential(e, paths), self.b.differential_of(e))
        chains = [self.b.forward_edge(path).chain.partition(" = ") for path in paths]
        total = added(chain for _, _, chain in chains)
        on_vec = Equation(chains[0][0], [Line(total)])
        same = (moved.left, moved.rows[-1].formula.replace(" ", "")) == (on_vec.left, total.replace(" ", ""))
        lines = [[moved]] if same else [[moved], [on_vec]]
        return StepBack([self.b.named(v) for v in ends], [self.b.named(e)], "", lines, [])

    # ------------------------------------------------------------------------------------------------ formulas

    def expr(self, e: Expr) -> str:
        """An expression with differentials in it."""
        if self.w.plain:
            return self.w.expr(e)
        short = self.b.short(e)
        found = {v.name for v in postorder((short,), through_names=False) if v.op == "variable"}
        names = {name: self.differentials[name] for name in found & self.differentials.keys()}
        names |= {name: self.d_of(self.unnamed_of[name]) for name in found & self.unnamed_of.keys()}
        return latex(short, self.w.notation.with_names(names))

    def differential(self, e: Expr) -> Expr:
        """The differential of an expression as a symbol."""
        if e in self.way.symbols:
            return self.way.symbols[e]
        if e not in self.unnamed:
            self.unnamed[e] = core.var(self.d_of(e) if self.w.plain else f"d{len(self.unnamed)}_", *e.shape)
            self.unnamed_of[self.unnamed[e].name] = e
        return self.unnamed[e]

    def symbol_for(self, e: Expr) -> None:
        """A symbol for the differential of a value of the page that is no value of the graph: of an adjoint."""
        if e.op in ("named", "variable") and e not in self.way.symbols:
            self.way.symbols[e] = core.var(f"d{e.params[0]}", *e.shape)
            name = self.w.name(str(e.params[0]), e.is_scalar)
            self.differentials[f"d{e.params[0]}"] = rf"\mathrm{{d}}{name}"

    def d_of(self, e: Expr) -> str:
        """dX of a name, d(X*w) of anything else."""
        if e in self.way.symbols:
            return self.b.differential_of(e) if self.w.plain else self.differentials[str(self.way.symbols[e].params[0])]
        named = self.b.shorthands.get(e)
        if named is not None and named.name:
            name = self.w.name(named.name, e.is_scalar)
            return f"d{name}" if self.w.plain else rf"\mathrm{{d}}{name}"
        if self.w.plain:
            return f"d({self.w.expr(e)})"
        written = self.w.expr(e)
        left, right = (r"\left(", r"\right)") if r"\frac" in written else ("(", ")")
        return rf"\mathrm{{d}}{left}{written}{right}"

    def once(self, remarks: Iterable[str]) -> str:
        """Remarks that were not made before."""
        new = [remark for remark in dict.fromkeys(remarks) if remark and remark not in self.said]
        self.said.update(new)
        return "; ".join(new)

    # ------------------------------------------------------------------------------------------------ what is needed

    def fact(self, fact: Fact) -> Needed:
        """Equations, each of which gives the next one."""
        sentences = [" = ".join(self.side(side) for side in clause) for clause in fact.clauses]
        if not self.w.plain:
            sentences = [f"${sentence}$" for sentence in sentences]
        so, also = self.b.words(", so {0}"), ", {0}"
        rest = [(also if k < fact.given else so).format(s) for k, s in enumerate(sentences[1:], 1)]
        said = fact.reason and self.b.words.has(fact.reason)
        reason = self.b.words(fact.reason).format(*(self.b.inline(self.expr(e)) for e in fact.values)) if said else ""
        return Needed(sentences[0], rest, reason)

    def side(self, side: Side) -> str:
        """One side of an equation."""
        if isinstance(side, Tangent):
            return self.d_of(side.of)
        if isinstance(side, Slope):
            head, bracket, rest = self.w.expr(side.value).partition(r"\left(" if not self.w.plain else "(")
            if not bracket:
                head, bracket, rest = self.w.expr(side.value).partition("(")
            return f"{head}'{bracket}{rest}"
        folds = self.b.d.folds
        return self.expr(rebuild(side, tuple(folds.folded(a) for a in side.args)) if side.args else side)

    # ------------------------------------------------------------------------------------------------ the way back

    def step(self, step: Step) -> StepBack:
        """One step."""
        output = self.b.d.output  # whose whole differential is the last line, where it is not alone
        shown = [c for c in step.differentials if c.of is not output or len(step.into) == 1]
        functions = [kind for kind in self.kinds(step) if kind in FUNCTIONS]  # whose adjoints have to be explained
        differentials = [self.equation(c, self.b.differential_of(c.of), functions) for c in shown]
        inline = ""
        first = differentials[0]
        if step.total is None and len(first.rows) == 1 and not first.rows[0].remark:
            inline = f"{first.left} = {first.rows[0].formula}"
            differentials = []
        lines = self.together(differentials)
        if step.total is not None:
            kinds = self.kinds(step)
            lines.append([self.equation(step.total, self.b.differential_of(self.b.d.output), kinds)])
        found = [self.found(c) for c in step.adjoints if not self.is_one(c)]
        return StepBack(
            [self.b.named(v) for v in step.values], [self.b.named(p) for p in step.into], inline, lines, found
        )

    def is_one(self, chain: Chain) -> bool:
        """Whether an adjoint is the number 1, which needs no line."""
        value = chain.rows[-1].value
        return bool(value.number == 1)

    def kinds(self, step: Step) -> list[str]:
        """The operations that a step carries an adjoint through."""
        return list(dict.fromkeys(k for c in step.differentials for row in c.rows for k in row.kinds))

    def together(self, equations: list[Equation]) -> list[list[Equation]]:
        """Short equations without remarks share a line."""
        lines: list[list[Equation]] = []
        for e in equations:
            if self.w.plain and lines and all(map(_is_short, (*lines[-1], e))) and _length(*lines[-1], e) <= BESIDE:
                lines[-1].append(e)
                continue
            lines.append([e])
        return lines

    def equation(self, chain: Chain, left: str, kinds: Iterable[str] = ()) -> Equation:
        """A chain of equal expressions; a side that looks like the one before is left out."""
        rows: list[Line] = []
        for row in chain.rows:
            formula = self.expr(row.value)
            if rows and rows[-1].formula == formula:
                continue
            rows.append(Line(formula, self.once(self.remarks(row, formula, kinds))))
        return Equation(left, rows)

    def remarks(self, row: Row, formula: str, kinds: Iterable[str]) -> list[str]:
        """Why a side equals the one before it."""
        b = self.b
        found = []
        if "product rule" in row.kinds:
            found.append(b.words(SEVERAL))
        if "turned" in row.kinds:
            found.append(b.words(TURNED))
        turning = "\\operatorname{tr}" if not self.w.plain else "tr("
        if "rotated" in row.kinds and turning in formula:
            found.append(b.words(CARRYING["matmul"]))
        if row.kinds == ["carried"]:
            product = CARRYING["matmul"] if turning in formula else REVERSED
            found += [b.words(product if k == "matmul" else CARRYING[k]) for k in kinds if k in CARRYING]
        elif any(k in QUOTIENTS for k in row.kinds):
            found.append(b.words("quotient rule"))
        if row.inserted:
            made = [f"{self.w.expr(n)} = {self.w.expr(n.args[0])}" for n in row.inserted]
            found.append(b.words("since {0}").format(b.inline(", ".join(made))))
        return found + [self.known(name, fact) for name, fact in row.facts]

    def known(self, name: str, fact: str) -> str:
        """A fact that was used; of what is one-hot, that it adds up to 1."""
        declared = self.b.d.graph.declared.get(name)
        if fact in STOCHASTIC and declared is not None and "one-hot" in names_of(declared.params[3]):
            return self.b.words("{0} is one-hot: its entries add up to 1").format(self.b.inline(self.b.named(declared)))
        return self.b.fact_of(name, fact)

    def found(self, chain: Chain) -> Equation:
        """An adjoint; its last form with the shape."""
        made = self.equation(chain, self.b.adjoint_name(chain.of))
        last = made.rows[-1]
        shape = self.w.shapes_of_product(self.b.short(chain.rows[-1].value)) or self.w.shape(chain.of.shape)
        made.rows[-1] = Line(last.formula, last.remark, shape)
        return made

    # ------------------------------------------------------------------------------------------------ results

    def gradients(self) -> list[Equation]:
        """The gradients as they were found, and with all adjoints written out where that is short."""
        made = []
        for e in self.b.d.wrt:
            if self.b.structure_of(e) != "none":
                made.append(self.along(e))
                continue
            value = self.b.d.reverse.adjoints[e].value
            opened = opened_gradient(self.b, value)
            rows = [Line(self.w.expr(value)), *([Line(opened)] if opened else [])]
            made.append(self.result(e, rows))
        return made

    def result(self, e: Expr, rows: list[Line], remark: str = "") -> Equation:
        """A gradient with its shape, sides that look alike joined."""
        rows = [row for k, row in enumerate(rows) if not k or row.formula != rows[k - 1].formula]
        rows[-1] = Line(rows[-1].formula, rows[-1].remark, "; ".join(filter(None, [self.w.shape(e.shape), remark])))
        return Equation(self.b.quotient(e), rows)

    def along(self, e: Expr) -> Equation:
        """From the free gradient to the one along a structured set."""
        d, name = self.b.d, str(e.params[0])
        kind = d.structure[name]
        free = self.free(e)
        formula = structured_gradient(free, e, kind, d.convention)
        short = Rewriter(Context(d.domain)).simplify(formula)
        value = d.gradient(name)
        defined = rf", \quad {self.w.expr(free)} = {self.w.expr(free.args[0])}" if self.is_called_alike else ""
        is_alike = kind == "symmetric" and short.digest != formula.digest and known(free.args[0], kind)
        reason = self.b.fact(self.b.inline(self.w.expr(free)), self.b.words(kind)) if is_alike else ""
        rows = [Line(self.w.expr(formula)), Line(self.w.expr(short), reason)]
        if not locals_of(value):
            rows.append(Line(self.w.expr(value)))
        rows[-1] = Line(rows[-1].formula + defined, rows[-1].remark)
        made = self.result(e, rows, self.b.along(kind))
        made.before = self.sentence(e)
        return made

    @property
    def is_called_alike(self) -> bool:
        """Whether an adjoint has the name of a result, `df/dS`: the free gradient needs another one then."""
        return self.w.notation.adjoint == "partial" and not self.w.plain

    def free(self, e: Expr) -> Expr:
        """The gradient by a free matrix, under a name."""
        name = self.b.adjoint_name(e) if self.w.plain else ADJOINT + str(e.params[0])
        if self.is_called_alike:
            name = self.b.d.fresh_names().fresh("G")
        return core.named(name, self.b.d.reverse.adjoints[e].value, "local")

    def sentence(self, e: Expr) -> str:
        """Why the gradient along a structured set is another one."""
        kind = self.b.structure_of(e)
        total = self.expr(inner(self.free(e), self.way.symbols[e]))
        df = f"{self.b.differential_of(self.b.d.output)} = {total}"
        moves = self.b.words("{0}, where {1} is {2} too").format(
            self.b.inline(df), self.b.inline(self.b.differential_of(e)), self.b.words(kind)
        )
        return moves + (
            f": {self.b.words(MOVING[kind])}" if kind in MOVING and self.b.d.convention == "entries" else ""
        )

    # ------------------------------------------------------------------------------------------------ as Jacobians

    def jacobians(self) -> list[Line]:
        """The Jacobian of each kind of step: what the differentials are on vec; each reason once."""
        lines: list[Line] = []
        for whole in self.kinds_of_steps():
            reason = self.b.words(reason_of(whole[0]))
            lines.append(Line(self.b.whole_jacobian(whole), "" if reason in [o.remark for o in lines] else reason))
        return lines

    def kinds_of_steps(self) -> list[list[LocalJacobian]]:
        """One operation for each kind of step."""
        return kinds_of_steps(path for paths in self.b.paths.values() for path in paths)


QUOTIENTS = frozenset(("divide",))
STOCHASTIC = frozenset(("row-stochastic", "column-stochastic"))


def opened_gradient(b: ViewBuilder, value: Expr) -> str:
    """A gradient with the names of adjoints replaced by what they stand for; empty where that is long or the same."""
    shown = b.w.expr(value)
    for which in (is_local, _is_number):
        opened = _opened(value, which)
        if opened is not None:
            written = b.w.expr(Rewriter(Context(b.d.domain)).simplify(opened))
            if written != shown and len(written) <= SUBSTITUTED:
                return written
    return ""


def _opened(value: Expr, which: Callable[[Expr], bool]) -> Expr | None:
    """A value with some of its names of adjoints written out; None where these are many."""
    seen: set[Expr] = set()
    while names := [n for n in postorder((value,), through_names=False) if which(n)]:
        seen.update(names)
        if len(seen) > FEW:
            return None
        value = substitute(value, {n: n.args[0] for n in names}, through_names=False)
    return value


def _is_number(e: Expr) -> bool:
    return e.is_scalar and is_local(e)


def _is_short(e: Equation) -> bool:
    return len(e.rows) == 1 and not e.rows[0].remark


def _length(*equations: Equation) -> int:
    return sum(len(e.left) + len(e.rows[0].formula) + 5 for e in equations)
