"""Reverse accumulation: adjoints from the output back, one for each named value, simplified as they arise.

The adjoint of a named value is itself a (local) named value, opaque to what comes after it: so the cost is linear in
the size of the graph. It is opened again where the result gets shorter, as for softmax followed by cross-entropy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from matcalc import core
from matcalc.calculus.folds import Folds, folded
from matcalc.calculus.names import inlined, opened
from matcalc.expr import Expr
from matcalc.linearize import Linearization
from matcalc.linop import adjoint, apply
from matcalc.naming import Names
from matcalc.printing.symbols import ADJOINT
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.rewrite.normal import is_zero
from matcalc.rewrite.rule import RULES
from matcalc.rules.solutions import vanishes
from matcalc.steps import Step


@dataclass(slots=True)
class Adjoint:
    """The adjoint of one value: the gradient of the output with respect to it.

    Attributes:
        of: the variable or named value.
        raw: the sum of what the chain rule gives, before any simplification.
        value: the simplified adjoint, in named values and in other adjoints.
        handle: what later adjoints use for it: a local name, or the value itself where it is as short.
        steps: the rules that led from `raw` to `value`.
    """

    of: Expr
    raw: Expr
    value: Expr
    handle: Expr
    steps: list[Step] = field(default_factory=list)


@dataclass(slots=True)
class Reverse:
    """All adjoints of one output.

    Attributes:
        output: the expression that was differentiated.
        adjoints: by value, in the order in which they were found: from the output back.
    """

    output: Expr
    adjoints: dict[Expr, Adjoint]


class ReverseAccumulation:
    """Reverse accumulation over one graph; each adjoint is simplified as it is found.

    Args:
        output: the value that is differentiated.
        context: facts, assumptions, log.
        names: for the adjoints.
        folds: the named values to which equal expressions are folded back.
        equations: whether the equation of a named solution may be used: not where a result is differentiated again by a
            named value, which then moves while what it is defined by does not.
    """

    def __init__(self, output: Expr, context: Context, names: Names, folds: Folds, *, equations: bool = True) -> None:
        self.output = output
        self.context = context
        self.rewriter = Rewriter(context)
        self.names = names
        self.folds = folds
        self.equations = equations
        self.logged = len(context.steps)

    def run(self, targets: Iterable[Expr], seed: Expr) -> Reverse:
        """The adjoints of the targets and of every named value between them and the output; `seed` is the output's."""
        wanted = list(targets)
        linear = Linearization((self.output,), wanted)
        found = Reverse(self.output, {})
        contributions: dict[Expr, list[Expr]] = {self.output: [seed]}
        chosen = set(wanted)
        for e in reversed(linear.order):
            parts = contributions.pop(e, None)
            if parts is None or e not in linear.needed:
                continue
            raw = core.add(*parts)
            if e.op == "named" or e in chosen or e is self.output:
                made = self._adjoint(e, raw)
                found.adjoints[e] = made
                G = made.handle
            else:
                G = self.rewriter.normal(raw)
            _propagate(e, G, linear, contributions)
        for target in wanted:
            if target not in found.adjoints:
                zero = core.zero_of(target)
                found.adjoints[target] = Adjoint(target, zero, zero, zero)
        return found

    def _adjoint(self, e: Expr, raw: Expr) -> Adjoint:
        start = self.logged
        value = self.rewriter.simplify(raw)
        value = opened(value, self.rewriter, raw)
        value = folded(value, self.folds.without(e), self.rewriter)
        if e.op == "variable" and self.folds.has_products:
            value = self._through_names(value)
        value = self._at_solution(e, value)
        self.logged = len(self.context.steps)
        steps = self.context.steps[start:]  # with those of the unnamed values since the last adjoint
        handle = value
        if e.op == "named" and self.rewriter.cost(value) > 0:
            handle = core.named(self.names.fresh(ADJOINT + e.params[0]), value, "local")
        return Adjoint(e, raw, value, handle, steps)

    def _at_solution(self, e: Expr, value: Expr) -> Expr:
        """Zero for the adjoint of the solution of a linear system that its equation makes zero, as at a minimum."""
        if not self.equations or e.op != "named" or is_zero(value) or not vanishes(value, e, self.context):
            return value
        rule, zero = RULES["solution_solves_its_equation"], core.zero_of(value)
        self.context.begin()
        self.context.log(rule.name, rule.identity, rule.source, value, zero)
        return zero

    def _through_names(self, value: Expr) -> Expr:
        """`value` with the adjoints in it written out, where a part then equals a definition and it is no longer."""
        mark = len(self.context.steps)
        other = inlined(value, self.rewriter)
        after = folded(other, self.folds, self.rewriter)
        if after is not other and self.rewriter.cost(after) <= self.rewriter.cost(value):
            return after
        del self.context.steps[mark:]
        return value


def _propagate(e: Expr, G: Expr, linear: Linearization, contributions: dict[Expr, list[Expr]]) -> None:
    """What the adjoint of a value gives to those of its arguments."""
    if is_zero(G):
        for a in e.args:
            if a in linear.needed:
                contributions.setdefault(a, []).append(core.zero_of(a))
        return
    for a, L in linear.local(e):
        contributions.setdefault(a, []).append(apply(adjoint(L), G))
