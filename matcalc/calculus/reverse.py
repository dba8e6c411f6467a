"""Reverse accumulation: adjoints from the output back, one for each named value, simplified as they arise.

The adjoint of a named value is itself a (local) named value, opaque to what comes after it: so the cost is linear in
the size of the graph. It is opened again where the result gets shorter, as for softmax followed by cross-entropy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from matcalc import core
from matcalc.calculus.names import Names, opened
from matcalc.expr import Expr, depends, postorder, rebuild, record
from matcalc.linop import adjoint, apply
from matcalc.maps import Zero
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
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
    """The engine: gives each value's differential its place in the chain rule.

    Args:
        output: the value that is differentiated.
        context: facts, assumptions, log.
        names: for the adjoints.
        definitions: named values to which equal expressions are folded back.
    """

    def __init__(self, output: Expr, context: Context, names: Names, definitions: Iterable[Expr] = ()) -> None:
        self.output = output
        self.context = context
        self.rewriter = Rewriter(context)
        self.names = names
        self.folds = _folds(definitions, context)
        self.alias: dict[Expr, Expr] = {}
        self.logged = len(context.steps)

    def run(self, targets: Iterable[Expr], seed: Expr) -> Reverse:
        """The adjoints of the targets and of every named value between them and the output; `seed` is the output's."""
        wanted = list(targets)
        order = list(postorder((self.output,)))
        for e in order:
            if e.op == "named":
                self.alias.setdefault(e.args[0], e)
        needed = depends((self.output,), wanted)
        found = Reverse(self.output, {})
        contributions: dict[Expr, list[Expr]] = {self.output: [seed]}
        chosen = set(wanted)
        for e in reversed(order):
            parts = contributions.pop(e, None)
            if parts is None or e not in needed:
                continue
            raw = core.add(*parts)
            if e.op == "named" or e in chosen or e is self.output:
                made = self._adjoint(e, raw)
                found.adjoints[e] = made
                G = made.handle
            else:
                G = self.rewriter.normal(raw)
            self._propagate(e, G, needed, contributions)
        for target in wanted:
            if target not in found.adjoints:
                zero = core.zeros(*target.shape) if not target.is_scalar else core.number(0)
                found.adjoints[target] = Adjoint(target, zero, zero, zero)
        return found

    def _propagate(self, e: Expr, G: Expr, needed: set[Expr], contributions: dict[Expr, list[Expr]]) -> None:
        if not any(a in needed for a in e.args):
            return
        output = self.alias.get(e, e)
        maps = record(e.op).differential(output, *e.args, *e.params)
        for a, L in zip(e.args, maps):
            if a in needed and not isinstance(L, Zero):
                contributions.setdefault(a, []).append(apply(adjoint(L), G))

    def _adjoint(self, e: Expr, raw: Expr) -> Adjoint:
        start = self.logged
        value = self.rewriter.simplify(raw)
        value = opened(value, self.rewriter, raw)
        value = self._folded(value)
        self.logged = len(self.context.steps)
        steps = self.context.steps[start:]  # with those of the unnamed values since the last adjoint
        handle = value
        if e.op == "named" and self.rewriter.cost(value) > 0:
            handle = core.named(self.names.fresh("d_" + e.params[0]), value, "local")
        return Adjoint(e, raw, value, handle, steps)

    def _folded(self, value: Expr) -> Expr:
        """Subexpressions that equal a definition of the graph, replaced by its name."""
        if not self.folds:
            return value
        table = {
            sub: self.folds[sub.digest] for sub in postorder((value,), through_names=False) if sub.digest in self.folds
        }
        if not table:
            return value
        folded = substitute_outermost(value, table)
        self.context.begin()
        self.context.log("fold_name", "what equals a definition is written by its name", "definition", value, folded)
        return folded


def _folds(definitions: Iterable[Expr], context: Context) -> dict[bytes, Expr]:
    """Named values by the digest of their simplified definition; those of one operation or more."""
    quiet = Rewriter(Context(closed=context.closed))
    table: dict[bytes, Expr] = {}
    for name in definitions:
        for form in (quiet.simplify(name.args[0]), name.args[0]):
            if quiet.cost(form) > 0:
                table.setdefault(form.digest, name)
    return table


def substitute_outermost(e: Expr, table: dict[Expr, Expr]) -> Expr:
    """`e` with subexpressions replaced from the top: nothing inside a replaced one is looked at."""
    done: dict[Expr, Expr] = dict(table)
    for sub in postorder((e,), through_names=False, stop=lambda s: s in done):
        if sub.op == "named" or not sub.args:
            done[sub] = sub
        else:
            args = tuple(done[a] for a in sub.args)
            done[sub] = sub if args == sub.args else rebuild(sub, args)
    return done[e]
