"""The way back, as people write it: for each value the differential of all that it enters, read off as G' dv.

Every line is an expression in the differentials `dX` of values, as symbols. All occurrences of a value in another one
are taken at once, and values that enter one and the same value are read off together.

Source: Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 9.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from matcalc import core
from matcalc.calculus.folds import folded
from matcalc.calculus.names import is_local
from matcalc.calculus.paths import Path
from matcalc.calculus.problem import Problem
from matcalc.dims import is_one
from matcalc.expr import Expr, postorder
from matcalc.linop import adjoint, apply
from matcalc.map_kinds import Identity
from matcalc.ops.linalg import inv
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.rewrite.rule import Rule
from matcalc.steps import Step as Applied
from matcalc.views.gathering import averaged, gathered
from matcalc.views.oriented import arranged, oriented
from matcalc.walk import depends, substitute

LONG = 40  # operations of a line that helps nobody
WIDE = 24  # operations of the differential of a number that is shown for one value after the other
PLAIN = frozenset(("add", "scale", "named"))  # what needs no reason


@dataclass(slots=True)
class Row:
    """One side of an equation, and why it equals the one before.

    Attributes:
        value: the expression.
        kinds: what was done: `product rule`, `carried`, or an operation whose differential it is.
        facts: the facts that were used.
        inserted: local names that were replaced by what they stand for.
    """

    value: Expr
    kinds: list[str] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    inserted: list[Expr] = field(default_factory=list)


@dataclass(slots=True)
class Chain:
    """The differential of a value, or its adjoint, as a chain of equal expressions."""

    of: Expr
    rows: list[Row]


@dataclass(slots=True)
class Step:
    """One step back.

    Attributes:
        values: the values whose adjoints it finds.
        into: the values that they enter.
        differentials: the differentials of the latter.
        total: that of the output by the adjoints known so far; None where the step shows nothing new.
        adjoints: what is read off.
    """

    values: list[Expr]
    into: list[Expr]
    differentials: list[Chain]
    total: Chain | None
    adjoints: list[Chain]


def _keeps_the_form(rule: Rule) -> bool:
    return rule.name.startswith("transpose_of_") or rule.name in KEPT


KEPT = frozenset(("sum_of_scaled", "identity_times", "times_identity"))


class WayBack:
    """The steps of a scalar function's derivation.

    Args:
        d: the problem, with names for what is shared.
    """

    def __init__(self, d: Problem) -> None:
        self.d = d
        self.paths = d.paths
        self.symbols: dict[Expr, Expr] = {}
        self.symbol_of = self.symbols.__getitem__  # of an unnamed value: whoever writes the page has more
        self.seen: set[str] = set()
        taken = {*d.graph.declared, *d.graph.definitions}
        for e in (*self.paths, d.output):
            name = f"d{label(e)}"
            while name in taken:
                name += "_"
            taken.add(name)
            self.symbols[e] = core.var(name, *e.shape)

    def rewriter(self) -> Rewriter:
        """A rewriter with a log of its own."""
        return Rewriter(Context(self.d.domain))

    def steps(self) -> list[Step]:
        """From the output back."""
        found: list[Step] = []
        done: set[Expr] = set()
        order = [e for e in self.d.reverse.adjoints if e is not self.d.output]
        into = {e: list(dict.fromkeys(path.start for path in self.paths.get(e, []))) for e in order}
        alone: dict[Expr, list[Expr]] = {}  # by a value what enters it and no other
        for v in reversed(order):
            if len(into[v]) == 1:
                alone.setdefault(into[v][0], []).append(v)
        wide: dict[Expr, bool] = {}
        for e in order:
            if e in done or not into[e]:
                continue
            group = alone[into[e][0]] if len(into[e]) == 1 else [e]
            if len(group) > 1:
                start = into[e][0]
                if start not in wide:
                    wide[start] = self.is_wide(group, start)
                group = [e] if wide[start] else group
            done.update(group)
            found.append(self.step(group, into[e]))
        return found

    def step(self, values: list[Expr], into: list[Expr]) -> Step:
        """The step that finds the adjoints of these values."""
        paths = [[path for v in values for path in self.paths[v] if path.start is p] for p in into]
        kinds = dict.fromkeys(kind for some in paths for path in some for kind in kinds_of(path))
        new = [kind for kind in kinds if kind not in self.seen]
        self.seen.update(kinds)
        chains = [self.differential(p, some) for p, some in zip(into, paths)]
        adjoints = [self.adjoint(v, [path for some in paths for path in some if path.end is v]) for v in values]
        carried = Row(
            core.add(*(self.inner(chain.rows[0].value, v) for v, chain in zip(values, adjoints))), ["carried"]
        )
        total: Chain | None
        if len(into) == 1 and self.is_one(into[0]):
            if carried.value is not chains[0].rows[-1].value and new:
                chains[0].rows.append(carried)
            total = None
        elif len(into) > 1 or new:
            parts = [self.term(p, chain.rows[-1].value) for p, chain in zip(into, chains)]
            total = Chain(self.d.output, [Row(core.add(*parts)), carried])
        else:
            total = None
        return Step(values, into, chains, total, adjoints)

    def is_wide(self, values: list[Expr], p: Expr) -> bool:
        """Whether the differential of a number along all these values is too long for one line."""
        if not p.is_scalar:
            return False
        paths = [path for v in values for path in self.paths[v] if path.start is p]
        if len(values) > WIDE:  # a term each
            return True
        return self.d.rewriter.cost(self.differential(p, paths).rows[-1].value) > WIDE

    def is_one(self, e: Expr) -> bool:
        """Whether the adjoint of a value is 1."""
        made = self.d.reverse.adjoints[e]
        return bool(made.value.number == 1)

    def differential(self, of: Expr, paths: list[Path]) -> Chain:
        """The differential of a value along the ends of these paths: by the product rule, then collected."""
        terms = []
        for path in paths:
            value = self.symbols[path.end]
            for j in reversed(path.jacobians):
                value = apply(j.map, value)
            terms.append(value)
        raw = core.add(*terms)
        rewriter = self.rewriter()
        moving = {path.end for path in paths}
        ends = {self.symbols[e] for e in moving}
        value = self.folded(rewriter.simplify(oriented(rewriter.simplify(raw), ends, rewriter)), of, rewriter)
        value = oriented(value, ends, rewriter)
        shown = averaged(arranged(gathered(arranged(value, ends)), ends))
        rows = [Row(shown, kinds=list(dict.fromkeys(k for path in paths for k in kinds_of(path))))]
        rows[0].facts = facts_in(rewriter.context.steps)
        if any(map(_goes_round, paths)):
            rows[0].kinds.append("rotated")
        if any(_meet_in_a_product(a, b) for k, a in enumerate(paths) for b in paths[:k] if a.end is b.end):
            quotient = self.by_quotient_rule(of, moving)
            kind = "divide" if _is_quotient(of.definition, moving) else "product rule"
            first = quotient or Row(arranged(self.spread(terms), ends), [kind])
            if first.value is not rows[0].value and self.d.rewriter.cost(first.value) <= LONG:
                rows.insert(0, first)
                turned = {core.transpose(end) for end in ends}
                if of.is_scalar and not turned.isdisjoint(postorder((first.value,))):
                    rows[1].kinds.append("turned")
                if quotient is not None:
                    rows[1].kinds = [k for k in rows[1].kinds if k != "divide"] + ["product rule"]
        return Chain(of, rows)

    def by_quotient_rule(self, of: Expr, ends: set[Expr]) -> Row | None:
        """(dp - f dq)/q for a number f = p/q where p and q are products; None for any other value."""
        value = of.definition
        if value is of or value.op != "divide" or not value.is_scalar:
            return None
        p, q = value.args
        if p in ends or q in ends or p.op == "named" or q.op == "named":
            return None
        if p.op not in ("matmul", "tr") or q.op not in ("matmul", "tr") or len(depends((p, q), ends) & {p, q}) < 2:
            return None
        moved = core.add(self.symbol_of(p), core.minus(core.scale(of, self.symbol_of(q))))
        return Row(core.quotient(moved, q), ["divide"])

    def folded(self, e: Expr, of: Expr, rewriter: Rewriter) -> Expr:
        """With the names of the source for what equals a definition."""
        return folded(e, self.d.folds if of.name and of is not self.d.output else self.d.folds.without(of), rewriter)

    def spread(self, terms: list[Expr]) -> Expr:
        """The terms of the product rule one by one, each in its shortest form."""
        return core.add(*(self.rewriter().simplify(t) for t in terms))

    def adjoint(self, v: Expr, paths: list[Path]) -> Chain:
        """The adjoint of a value: as it is read off, then with names of other adjoints opened where that is shorter."""
        made = self.d.reverse.adjoints[v]
        rewriter = self.rewriter()
        first = self.brought(v, paths, rewriter)
        if first.digest == made.value.digest:
            return Chain(v, [Row(made.value, facts=facts_in(rewriter.context.steps))])
        last = Row(made.value, facts=facts_in(made.steps))
        if rewriter.cost(first) > LONG or rewriter.cost(first) < rewriter.cost(made.value):
            return Chain(v, [last])
        used = facts_in(rewriter.context.steps)
        last.facts = [pair for pair in last.facts if pair not in used]
        rows = [Row(first, facts=used)]
        names = {n: n.args[0] for n in postorder((first,), through_names=False) if is_local(n)}
        kept = {n for n in postorder((made.value,), through_names=False) if is_local(n)}
        names = {n: e for n, e in names.items() if n not in kept}
        if names:
            inserted = self.quiet(substitute(first, names, through_names=False))
            rows.append(Row(inserted, inserted=list(names)))
            if inserted is made.value:
                return Chain(v, rows)
        rows.append(last)
        return Chain(v, rows)

    def brought(self, v: Expr, paths: list[Path], rewriter: Rewriter) -> Expr:
        """What these paths bring to the adjoint of a value."""
        parts = []
        for path in paths:
            G = self.d.reverse.adjoints[path.start].handle
            for j in path.jacobians:
                G = apply(adjoint(j.map), G)
            parts.append(G)
        return self.folded(rewriter.simplify(core.add(*parts)), v, rewriter)

    def quiet(self, e: Expr) -> Expr:
        """Brackets, signs and numbers in order, and nothing else."""
        return Rewriter(Context(self.d.domain), _keeps_the_form).normal(e)

    def inner(self, G: Expr, v: Expr) -> Expr:
        """<G, dv>: a product of numbers, G' dv for columns, tr(G' dv) for matrices."""
        return inner(G, self.symbols[v])

    def term(self, p: Expr, D: Expr) -> Expr:
        """What a value adds to the differential of the output; its differential by its symbol where it is a sum."""
        made = self.d.reverse.adjoints[p]
        if p is self.d.output:
            return D
        if self.is_one(p):
            return D if D.op != "add" else self.symbols[p]
        return inner(made.handle, self.symbols[p] if D.op == "add" else D)


def _is_quotient(value: Expr, ends: set[Expr]) -> bool:
    """Whether what is differentiated by stands above and below the line."""
    return value.op == "divide" and set(value.args) <= depends(value.args, ends)


def _goes_round(path: Path) -> bool:
    """Whether it leads into a factor of a trace that is not the last one."""
    steps = [(j.value.definition, j.argument) for j in path.jacobians if j.value.definition.op not in PLAIN]
    return any(
        whole.op == "tr" and product.op == "matmul" and factor is not product.args[-1]
        for (whole, _), (product, factor) in zip(steps, steps[1:])
    )


def _meet_in_a_product(a: Path, b: Path) -> bool:
    """Whether two occurrences of a value are in different factors, and not in different terms."""
    for first, second in zip(a.jacobians, b.jacobians):
        if first != second:
            value = first.value.definition
            return value.op != "add"
    return True


def inner(G: Expr, D: Expr) -> Expr:
    """The inner product of an adjoint and a differential, as it is written for their shape; numbers in front."""
    factors: list[Expr] = []
    if D.op == "scale" and not D.is_scalar:
        factors, D = list(D.args[:-1]), D.args[-1]
    if G.number == 1 and G.is_scalar:
        return core.scale(*factors, D)
    if G.is_scalar:
        return core.scale(*factors, G, D)
    if G.op == "scale" and _is_turned(G.args[-1]):
        factors, G = [*factors, *G.args[:-1]], G.args[-1]
    body = core.matmul(_turned_back(G), *(D.args if D.op == "matmul" else (D,)))
    return core.scale(*factors, body if is_one(G.shape[1]) else core.trace(body))


def _is_turned(G: Expr) -> bool:
    return G.op == "transpose" or (G.op == inv.name and G.args[0].op == "transpose")


def _turned_back(G: Expr) -> Expr:
    """The transpose, of M' as M and of inv(M') as inv(M)."""
    if not _is_turned(G):
        return core.transpose(G)
    return G.args[0] if G.op == "transpose" else inv(G.args[0].args[0])


def label(e: Expr) -> str:
    """The name of a value; `f` for an output without one."""
    return e.name or "f"


def kinds_of(path: Path) -> list[str]:
    """The operations along a path that need a reason."""
    kinds = []
    for j in path.jacobians:
        op = j.value.definition.op
        if op not in PLAIN and not isinstance(j.map, Identity):
            kinds.append(op)
    return kinds


def facts_in(steps: list[Applied]) -> list[tuple[str, str]]:
    """The facts that some rules used."""
    return list(dict.fromkeys(pair for step in steps for pair in step.facts))
