"""The prover: a rewriter that also expands, keeps a record of every move, and works within a bound.

The record is a relation from an expression to the one that replaces it. Replayed on a whole expression it gives a
chain of steps, each one named move, that ends in the normal form.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from matcalc.expr import Expr, postorder
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter, rebuild_lenient
from matcalc.rewrite.index import Index, index_of
from matcalc.rewrite.rule import RULES, Rule
from matcalc.rules.tidying import tidy_name
from matcalc.steps import Step
from matcalc.walk import transform, unchanged

WORK_LIMIT = 8000
MAX_CHAIN = 4000
# A rule that shortens and leads to one form too: what is spelled out gets its name.
RECOGNISED = ("log_of_one_plus_exponential",)


class WorkLimitError(Exception):
    """The expansion takes more work than a verdict may."""


class Work:
    """How much may still be done; shared by the attempts at one proof."""

    def __init__(self, limit: int = WORK_LIMIT) -> None:
        self.left = limit

    def spend(self, amount: int) -> None:
        """Note that something was done.

        Raises:
            WorkLimitError: it was too much.
        """
        self.left -= amount
        if self.left < 0:
            raise WorkLimitError


@dataclass(frozen=True, slots=True)
class _Proving:
    """The choice of the rules for proofs, without some."""

    without: frozenset[str]

    def __call__(self, r: Rule) -> bool:
        return r.name in RECOGNISED if r.group == "present" else r.name not in self.without


class Prover(Rewriter):
    """Brings expressions to the expanded normal form, in which equality is decided.

    Args:
        context: facts and assumptions.
        without: names of rules that are left out.
        work: what may still be done.
    """

    def __init__(self, context: Context, without: Collection[str] = (), work: Work | None = None) -> None:
        super().__init__(context)
        self._collapse = index_of("collapse", "distribute", "expand", "present", only=_Proving(frozenset(without)))
        self.moves: dict[Expr, Step] = {}
        self.work = Work() if work is None else work

    def _tidy(self, e: Expr) -> Expr:
        self.work.spend(1 + len(e.args))
        after = super()._tidy(e)
        if after is not e:
            rule = RULES[tidy_name(e.op)]
            self.moves[e] = Step(rule.name, e, after, rule.identity, rule.source)
        return after

    def _apply_first(self, e: Expr, rules: Index) -> Expr | None:
        after = super()._apply_first(e, rules)
        if after is not None:
            self.moves[e] = self.context.steps[-1]
        return after

    def chain(self, e: Expr) -> list[Step]:
        """The steps from `e` to its normal form: each a whole expression before and after one named move."""
        steps: list[Step] = []
        for _ in range(MAX_CHAIN):
            move = next(
                (self.moves[sub] for sub in postorder((e,), through_names=False) if sub in self.moves),
                None,
            )
            if move is None:
                break
            after = replaced(e, move.before, move.after)
            steps.append(Step(move.rule, e, after, move.identity, move.source, move.facts))
            e = after
        return steps


class Stages:
    """Two provers one after the other: what is gathered first may not have to be multiplied out.

    Args:
        first: brings to its normal form.
        second: goes on from there.
    """

    def __init__(self, first: Prover, second: Prover) -> None:
        self.first, self.second = first, second

    @property
    def moves(self) -> dict[Expr, Step]:
        """The moves of both."""
        return {**self.first.moves, **self.second.moves}

    def normal(self, e: Expr) -> Expr:
        """The normal form of the normal form."""
        return self.second.normal(self.first.normal(e))

    def chain(self, e: Expr) -> list[Step]:
        """The steps from `e` to it."""
        steps = self.first.chain(e)
        return [*steps, *self.second.chain(steps[-1].after if steps else e)]


def replaced(e: Expr, old: Expr, new: Expr) -> Expr:
    """`e` with a subexpression replaced everywhere; a broadcast that has become needless is dropped."""
    return transform((e,), unchanged, through_names=False, make=rebuild_lenient, known={old: new})[e]
