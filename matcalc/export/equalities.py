"""How an adjoint gets from what the chain rule gives to its final form: whole expressions, each with its reasons.

The rewriting is done again by an engine that notes every move, and the moves are replayed on the whole expression.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from matcalc import core
from matcalc.calculus.names import is_local
from matcalc.calculus.problem import Problem
from matcalc.calculus.reverse import Adjoint
from matcalc.claims.prover import replaced
from matcalc.expr import Expr, postorder
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.rewrite.index import Index
from matcalc.rewrite.rule import Choice, among, but
from matcalc.steps import Step
from matcalc.walk import substitute

LONGEST = 6  # lines of one chain; longer ones give several rules at once
MOVES = 400  # after which a chain goes straight to its end
TIDYING = ""  # the rule of moves that need no reason: brackets, signs, the order of terms


@dataclass(slots=True)
class Equality:
    """One line of a chain: the value, the rules that lead to it, and the local names that were replaced by values."""

    value: Expr
    rules: list[Step] = field(default_factory=list)
    inserted: list[Expr] = field(default_factory=list)


# Rules that the normal form needs, but a reader does not: they carry a transpose into sums and entrywise products.
DISTRIBUTING = frozenset({"transpose_of_sum", "transpose_of_hadamard", "transpose_of_broadcast"})
FACTORING = frozenset({"common_entrywise_factor"})  # needless where the normal form cannot take the factor out
OBVIOUS = frozenset({"transpose_of_transpose", "transpose_of_scalar"})


class Chains:
    """The chains of a derivation's adjoints.

    Args:
        d: the derivation.
    """

    def __init__(self, d: Problem) -> None:
        self.tidying = Rewriter(Context(d.domain), among(*OBVIOUS))
        self.engines = [Replay(d, but(left_out)) for left_out in (DISTRIBUTING | FACTORING, DISTRIBUTING, ())]

    def of(self, made: Adjoint, parts: Sequence[Expr]) -> list[Equality]:
        """The lines from the sum of what the chain rule gives to the simplified adjoint; the first line is that sum."""
        start = self.summed(parts) if parts else self.tidying.normal(made.raw)
        if start is made.value or _same_sum(start, made.value):
            return [Equality(made.value)]
        for engine in self.engines:
            lines = engine.lines(start, made.value)
            if lines is not None:
                return [Equality(start), *lines]
        return [Equality(start), *self.engines[-1].onwards(start), Equality(made.value)]

    def summed(self, parts: Sequence[Expr]) -> Expr:
        """The sum of some parts: brackets, signs and numbers in order, no double transposes, and nothing else."""
        return self.tidying.normal(core.add(*parts))


class Replay(Rewriter):
    """A rewriter that notes its moves: which expression was replaced by which, and by which rule.

    Args:
        d: the derivation whose facts it may use.
        rules: which rules it may use.
    """

    def __init__(self, d: Problem, rules: Choice) -> None:
        super().__init__(Context(d.domain), rules)
        self.to_normal: dict[Expr, Step] = {}
        self.to_shortest: dict[Expr, Step] = {}

    def _tidy(self, e: Expr) -> Expr:
        after = super()._tidy(e)
        if after is not e:
            self.to_normal[e] = Step(TIDYING, e, after, "", "")
        return after

    def _apply_first(self, e: Expr, rules: Index) -> Expr | None:
        after = super()._apply_first(e, rules)
        if after is not None:
            self.to_normal[e] = self.context.steps[-1]
        return after

    def _tidied(self, e: Expr) -> Expr:
        after = super()._tidied(e)
        if after is not e:
            self.to_shortest[e] = Step(TIDYING, e, after, "", "")
        return after

    def _shorten(self, e: Expr) -> Expr:
        mark = len(self.context.steps)
        after = super()._shorten(e)
        for step in self.context.steps[mark:]:
            self.to_shortest[step.before] = step
        return after

    def lines(self, start: Expr, end: Expr) -> list[Equality] | None:
        """The lines after `start`, the last of which is `end`; None where these rules do not lead there."""
        if self.simplify(start) is end:
            return self.onwards(start)
        names = [sub for sub in postorder((start,), through_names=False) if is_local(sub)]
        opened = substitute(start, {n: n.args[0] for n in names}, through_names=False)
        if names and self.simplify(opened) is end:
            return [Equality(opened, inserted=names), *self.onwards(opened)]
        return None

    def onwards(self, start: Expr) -> list[Equality]:
        """The lines from an expression to the form that these rules lead to."""
        return shortened(list(self._replayed(start)))

    def _replayed(self, e: Expr) -> Iterator[Equality]:
        """The moves on the whole expression: to the normal form and to the shortest one, in turns."""
        target = self.simplify(e)
        seen = {e}
        left = MOVES
        for table in (self.to_normal, self.to_shortest) * 3:
            while e is not target and left:
                left -= 1
                move = next((table[sub] for sub in postorder((e,), through_names=False) if sub in table), None)
                after = e if move is None else replaced(e, move.before, move.after)
                if move is None or after in seen:
                    break
                seen.add(after)
                e = after
                yield Equality(e, [move] if move.rule != TIDYING else [])
        if e is not target:
            yield Equality(target)


def _same_sum(a: Expr, b: Expr) -> bool:
    """Whether two sums differ in the order of their terms alone."""
    return a.op == b.op == "add" and set(a.args) == set(b.args)


def shortened(lines: list[Equality]) -> list[Equality]:
    """Lines without a rule, and those by the same rule as the line before, joined; the rest in at most `LONGEST`."""
    joined: list[Equality] = []
    for line in lines:
        last = joined[-1] if joined else None
        new = {s.rule for s in line.rules} - ({s.rule for s in last.rules} if last is not None else set())
        if last is not None and not new:
            last.value = line.value
            last.rules += line.rules
        else:
            joined.append(Equality(line.value, list(line.rules)))
    size = -(-len(joined) // LONGEST)
    chunks = [joined[k : k + size] for k in range(0, len(joined), size)] if joined else []
    return [Equality(chunk[-1].value, [s for line in chunk for s in line.rules]) for chunk in chunks]
