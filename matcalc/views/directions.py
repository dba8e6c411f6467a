"""The differential of a gradient in one direction, as it is written by hand: by the quotient rule, with the names of
the page, and with every number in it read as the inner product of a gradient and the direction.

Source: Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 10.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from matcalc import core
from matcalc.calculus.folds import Folds, folded
from matcalc.calculus.paths import Path, paths_to
from matcalc.calculus.problem import Problem
from matcalc.calculus.reverse import ReverseAccumulation
from matcalc.dims import times
from matcalc.expr import Expr, postorder
from matcalc.linop import adjoint, apply
from matcalc.naming import Names
from matcalc.ops.normalization import standardize
from matcalc.ops.reductions import std
from matcalc.printing.text import text
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.rewrite.terms import coefficient_and_rest, times_number
from matcalc.views.backward import inner
from matcalc.views.gathering import averaged, gathered, multiplied_out
from matcalc.views.oriented import arranged
from matcalc.views.pieces import is_apart
from matcalc.walk import depends, substitute, transform, unchanged

SUMS = ("sum", "mean")
ALIKE = 1.2  # times as many letters as the shortest form has: a form that is read better may have them
LONG = 6  # operations of the factors of a direction that get a name


class Directions:
    """The differentials of the values in a gradient, each in the differentials of the values before it.

    Args:
        d: the problem.
        gradient: the gradient, a named value.
        by: the variable.
        symbols: the differentials of named values, as variables.
        adjoints: the values whose gradients some names of the page are.
        names: a supply for factors.
        given: factors that have a name, by their digests; it takes what is found.
    """

    def __init__(
        self,
        d: Problem,
        gradient: Expr,
        by: Expr,
        symbols: dict[Expr, Expr],
        adjoints: dict[Expr, Expr],
        names: Names,
        given: dict[bytes, Expr],
    ) -> None:
        self.d = d
        self.by = by
        self.symbols = symbols
        self.adjoints = adjoints
        self.fresh = names
        self.given = given
        self.paths: dict[Expr, list[Path]] = {}
        for paths in paths_to(gradient, [by], ()).values():
            for path in paths:
                self.paths.setdefault(path.start, []).append(path)
        values = list(postorder((gradient, *d.graph.definitions.values())))
        self.order = [e for e in postorder((gradient,)) if e in self.paths]
        self.moving = depends((gradient,), [by])
        self.same = _spelled(values)
        self.folds = Folds([*(e for e in values if e.op == "named"), *self.same])
        self.found: dict[tuple[Expr, Expr], Expr] = {}
        self.factors: dict[Expr, Expr] = {}

    def rewriter(self) -> Rewriter:
        """A rewriter with a log of its own."""
        return Rewriter(Context(self.d.domain))

    # ------------------------------------------------------------------------------------------------ one value

    def local(self, of: Expr) -> Expr:
        """The differential of a value in the differentials of those that it is made of."""
        parts = quotient_of(of, self.moving)
        if parts is None:
            short = self.tidied(self._along(of.definition, self.paths[of]))
            return self._by_product_rule(of, short) if of.definition.op == "hadamard" else short
        above, below = parts
        moved = core.add(self._moved(above), core.minus(core.entrywise_product(self._moved(below), of)))
        return self.tidied(core.entrywise_quotient(moved, below))

    def _by_product_rule(self, of: Expr, short: Expr) -> Expr:
        """A product's differential with a term for each factor, where that is about as short as with fewer brackets."""
        ends: dict[Expr, list[Path]] = {}
        for path in self.paths[of]:
            ends.setdefault(path.end, []).append(path)
        terms = core.add(*(self.tidied(self._along(of.definition, paths)) for paths in ends.values()))
        return terms if len(text(terms)) <= ALIKE * len(text(short)) else short

    def _along(self, value: Expr, paths: Iterable[Path]) -> Expr:
        terms = []
        for path in paths:
            term = self.symbols[path.end]
            for j in reversed(path.jacobians):
                term = apply(j.map, term)
            terms.append(term)
        return core.add(*terms) if terms else core.zero_of(value)

    def _moved(self, e: Expr) -> Expr:
        """The differential of an expression in the differentials of named values."""
        if e.op == "broadcast":
            return core.broadcast(self._moved(e.args[0]), e.shape)
        if e in self.symbols and (e in self.paths or e is self.by):
            return self.symbols[e]
        if e not in depends((e,), [self.by]):
            return core.zero_of(e)
        found = paths_to(e, [self.by], ())
        return self.tidied(self._along(e, [path for paths in found.values() for path in paths if path.start is e]))

    # ------------------------------------------------------------------------------------------------ all values

    def total(self, of: Expr) -> Expr:
        """The differential of a gradient in that of what it is the gradient by; of another value that of its parts.

        Long factors of an entrywise product with that differential get a name.
        """
        down_to = self.adjoints.get(of, self.by)
        return self._inserted(of, down_to)

    def _inserted(self, of: Expr, down_to: Expr) -> Expr:
        if of is down_to or of not in self.paths:
            return self.symbols[of]
        if (of, down_to) not in self.found:
            after = depends((of,), [down_to])
            inside = {s: e for e, s in self.symbols.items() if e in after and e is not down_to and e in self.paths}
            before = self.local(of)
            value = self._read(before, inside)
            table = {s: self._step(inside[s], down_to) for s in postorder((value,)) if s in inside}
            if table or value is not before:
                value = self.tidied(substitute(value, table, through_names=False))
            self.found[of, down_to] = value
        return self.found[of, down_to]

    def _step(self, e: Expr, down_to: Expr) -> Expr:
        """What is inserted: of a gradient first its own matrix."""
        own = self.adjoints.get(e)
        if own is None or own is down_to or own is self.by or own not in self.paths:
            return self._inserted(e, down_to)
        value = self.shortened(e)
        moved = self._inserted(own, down_to)
        return self.tidied(substitute(value, {self.symbols[own]: moved}, through_names=False))

    def shortened(self, of: Expr) -> Expr:
        """The differential of a gradient g_v in dv, as one named factor times dv where it is an entrywise product."""
        value = self.total(of)
        v = self.adjoints.get(of)
        if v is None:
            return value
        symbol = self.symbols[v]
        factor = _factor(value, symbol)
        if factor is None or self.rewriter().cost(factor) < LONG:
            return value
        rewriter = self.rewriter()
        others = [rewriter.simplify(factor), *self._by_factors(of, v)]
        factor = min((factor, *others), key=lambda form: len(text(form)))
        if of not in self.factors:
            if factor.digest not in self.given:
                self.given[factor.digest] = core.named(self.fresh.fresh(f"q_{v.name}"), factor, "local")
            self.factors[of] = self.given[factor.digest]
        return core.entrywise_product(self.factors[of], symbol)

    def is_alone(self, of: Expr) -> bool:
        """Whether the differential of a gradient g_v is one in dv alone."""
        dv = self.symbols[self.adjoints[of]]
        inside = set(self.symbols.values())
        return all(s is dv for s in postorder((self.total(of),)) if s in inside)

    def _by_factors(self, of: Expr, v: Expr) -> list[Expr]:
        """The factor as a sum over the values between; none where one of these is no entrywise product."""
        inside = {s: e for e, s in self.symbols.items() if e in self.paths or e is v}
        value = self.local(of)
        terms = []
        for s in (s for s in postorder((value,)) if s in inside):
            e = inside[s]
            inner_ = None if e is v else _factor(self._step(e, v), self.symbols[v])
            if e is not v and inner_ is None:
                return []
            outer = self._coefficient(core.total(value), s)
            terms.append(outer if inner_ is None else core.entrywise_product(outer, inner_))
        rewriter = self.rewriter()
        return [self._by_names(rewriter.simplify(core.add(*terms)), rewriter)] if terms else []

    def is_carried(self, of: Expr) -> bool:
        """Whether a differential is made of that of one other gradient."""
        inside = {s: e for e, s in self.symbols.items()}
        found = [inside[s] for s in postorder((self.local(of),)) if s in inside]
        return len(found) == 1 and found[0] in self.adjoints

    # ------------------------------------------------------------------------------------------------ tidying

    def tidied(self, e: Expr) -> Expr:
        """A differential in its shortest form, with the numbers in it as inner products."""
        rewriter = self.rewriter()
        inside = set(self.symbols.values())
        moving = [s for s in postorder((e,)) if s in inside]
        if not moving:
            return rewriter.simplify(e)
        value = self._by_names(rewriter.simplify(e), rewriter)
        value = self._by_names(rewriter.simplify(self._read(value, {})), rewriter)
        open_ = self._by_names(multiplied_out(value, moving), rewriter)
        forms = [gathered(arranged(form, moving)) for form in (value, open_)]
        return averaged(arranged(min(forms, key=lambda form: len(text(form))), moving))

    def _by_names(self, e: Expr, rewriter: Rewriter) -> Expr:
        while (named := substitute(folded(e, self.folds, rewriter), self.same, through_names=False)) is not e:
            e = named
        for other in self.folds.by_quotients(rewriter.normal(e)):
            shorter = gathered(substitute(rewriter.simplify(other), self.same, through_names=False))
            if rewriter.cost(shorter) < rewriter.cost(e):
                return shorter
        return e

    def _read(self, e: Expr, inserted: Mapping[Expr, Expr]) -> Expr:
        """Numbers as g'*dv, sums along rows or columns as sum(G .* dV, 2), with the names of the page in g and G.

        Where the differentials of values are to be inserted, g and G are carried back through these.
        """
        directions = set(self.symbols.values())
        moving = [s for s in postorder((e,)) if s in directions]
        table: dict[Expr, Expr] = {}
        inside = depends((e,), moving)
        stack = [e]
        while stack:
            part = stack.pop()
            if part not in inside or part in moving or part in table:
                continue
            read = self._functional(part, moving, inserted)
            if read is not None:
                table[part] = read
            else:
                stack.extend(part.args)
        return transform((e,), unchanged, through_names=False, known=dict(table))[e] if table else e

    def _functional(self, part: Expr, moving: Sequence[Expr], inserted: Mapping[Expr, Expr]) -> Expr | None:
        symbols = [s for s in moving if part in depends((part,), [s])]
        if part.is_scalar and not any(s.is_scalar for s in symbols):
            return self._weighed(part, symbols, inserted, 0)
        axis = part.params[0] if part.op in SUMS else None
        if axis is None or not is_apart(part.args[0], axis, moving) or part.args[0] in moving:
            return None
        return self._weighed(part, symbols, inserted, axis)

    def _weighed(self, part: Expr, symbols: Sequence[Expr], inserted: Mapping[Expr, Expr], axis: int) -> Expr | None:
        """A sum as one of weights times differentials; numbers in front."""
        number = core.total(part) if axis else part
        terms = []
        for symbol in symbols:
            coefficient, G = coefficient_and_rest(self._coefficient(number, symbol))
            if G is None:
                return None
            weights = self._carried({symbol: G}, inserted, axis)
            if weights is None or any(W.shape != s.shape for s, W in weights.items()):
                return None
            for s, W in weights.items():
                inside = core.entrywise_product(W, s)
                term = core.total(inside, axis) if axis else inner(W, s)
                count = core.exact_dim(s.shape[axis - 1] if axis else times(*s.shape))
                if part.op == "mean" and not (coefficient * count).free_symbols:
                    term = times_number(count, core.mean(inside, axis or None))
                terms.append(times_number(coefficient, term))
        return core.add(*terms)

    def _carried(self, weights: dict[Expr, Expr], inserted: Mapping[Expr, Expr], axis: int) -> dict[Expr, Expr] | None:
        """Weights of differentials as those of what these are made of; None where rows or columns mix on the way."""
        while waiting := [s for s in weights if s in inserted]:
            last = max(waiting, key=lambda s: self.order.index(inserted[s]))
            v, G = inserted[last], weights.pop(last)
            if axis and not is_apart(self.local(v), axis, list(self.symbols.values())):
                return None
            parts: dict[Expr, list[Expr]] = {}
            for path in self.paths[v]:
                back = G
                for j in path.jacobians:
                    back = apply(adjoint(j.map), back)
                parts.setdefault(self.symbols[path.end], []).append(back)
            for s, terms in parts.items():
                rewriter = self.rewriter()
                known = [weights.pop(s)] if s in weights else []
                weights[s] = self._by_names(rewriter.simplify(core.add(*known, *terms)), rewriter)
        return weights

    def _coefficient(self, number: Expr, symbol: Expr) -> Expr:
        context = Context(self.d.domain)
        made = ReverseAccumulation(number, context, self.d.fresh_names(), self.folds).run([symbol], core.number(1))
        value = made.adjoints[symbol].value
        return self._by_names(value, Rewriter(context))


def quotient_of(of: Expr, moving: Collection[Expr]) -> tuple[Expr, Expr] | None:
    """What stands above and below the line of a named quotient whose denominator moves; None for others."""
    value = of.definition
    if value.op not in ("scale", "hadamard"):
        return None
    above, below = [], []
    for f in value.args:
        bare = f.args[0] if f.op == "broadcast" else f
        if bare.op == "power" and bare.args[1].number == -1 and bare in moving:
            below.append(core.broadcast(bare.args[0], f.shape) if f.op == "broadcast" else bare.args[0])
        else:
            above.append(f)
    if len(below) != 1 or not above:
        return None
    return (core.scale if value.op == "scale" else core.hadamard)(*above), below[0]


def _spelled(values: Iterable[Expr]) -> dict[Expr, Expr]:
    """Standardized values by the quotients that they stand for, under their names."""
    deviations = {e.args[0]: e for e in values if e.op == "named" and e.args[0].op == std.name}
    found = {}
    for e in values:
        if e.op != "named" or e.args[0].op != standardize.name or any(e.args[0].params[1:]):
            continue
        (X,) = e.args[0].args
        axis = e.args[0].params[0]
        s = std(X, axis)
        spelled = core.entrywise_quotient(core.difference(X, core.mean(X, axis)), deviations.get(s, s))
        found[core.named(e.name, spelled)] = e
    return found


def _factor(e: Expr, symbol: Expr) -> Expr | None:
    """C of C .* dv; None for anything else."""
    coefficient, rest = coefficient_and_rest(e)
    if rest is None or rest.op != "hadamard" or symbol not in rest.args:
        return None
    others = [a for a in rest.args if a is not symbol]
    if len(others) + 1 != len(rest.args) or depends(others, [symbol]) & set(others):
        return None
    return core.scale(core.number(coefficient), core.hadamard(*others)) if coefficient != 1 else core.hadamard(*others)
