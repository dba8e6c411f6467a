"""Conditions, `i < j` or `t[j] >= t[i]`: masks of ones and zeros, and arguments that stay in the domain where one is 0.

A term under a condition is multiplied by the mask; what would be infinite or no number where the mask is 0 (a logarithm
on the diagonal) gets a harmless argument there, so that neither the sum nor its derivative ever sees it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from matcalc import core
from matcalc.dims import Dim, plus, same
from matcalc.exact import sp
from matcalc.expr import Expr, Op
from matcalc.indices.program import place_text
from matcalc.indices.terms import Apply, Entry, Index, Term, Value, product_of_terms, sum_of_terms
from matcalc.ops.comparison import where
from matcalc.ops.selection import cumsum, lower_ones, upper_ones


class Condition(Protocol):
    """What says which terms count."""

    @property
    def mask(self) -> Term:
        """1 where it holds, 0 elsewhere."""

    @property
    def free(self) -> frozenset[Index]:
        """The indices that it depends on."""


@dataclass(frozen=True)
class ValueCondition:
    """`left RELATION right` of two values with indices, where the relation is one of < <= > >= != ==."""

    left: Term
    relation: str
    right: Term

    @property
    def mask(self) -> Term:
        """1 where it holds, 0 elsewhere."""
        if self.relation == "==":
            return product_of_terms([self._where(">=", False), self._where(">=", True)])
        if self.relation == "!=":
            return sum_of_terms([self._where(">", False), self._where(">", True)])
        return self._where(self.relation.replace("<", ">"), self.relation.startswith("<"))

    def _where(self, relation: str, turned: bool) -> Term:
        pair = (self.right, self.left) if turned else (self.left, self.right)
        numbers = Value(core.number(1)), Value(core.number(0))
        return Apply(lambda args: where(*args, relation), (*pair, *numbers))

    @property
    def free(self) -> frozenset[Index]:
        """The indices that it depends on."""
        return frozenset(self.left.free | self.right.free)


@dataclass(frozen=True)
class IndexCondition:
    """`left RELATION right + offset` of two indices, where the relation is one of < <= > >= !=."""

    left: Index
    relation: str
    right: Index
    offset: Dim = 0

    @property
    def mask(self) -> Entry:
        """1 where it holds, 0 elsewhere."""
        right = place_text(self.right.name, self.offset)
        return Entry(self._matrix(), self.left, self.right, f"[{self.left.name} {self.relation} {right}]")

    @property
    def free(self) -> frozenset[Index]:
        """The indices that it compares."""
        return frozenset((self.left, self.right))

    def _matrix(self) -> Expr:
        m, n = self.left.size, self.right.size
        if same(self.left.first, plus(self.right.first, self.offset)):
            return self._triangle(m, n)
        ones = core.ones(m, n)
        rows = core.plus(cumsum(ones, 1), core.number(core.exact_dim(plus(self.left.first, -1))))
        start = plus(self.right.first, -1, self.offset)
        columns = core.plus(cumsum(ones, 2), core.number(core.exact_dim(start)))
        zeros = core.zeros(m, n)
        if self.relation == "!=":
            return core.add(where(rows, columns, ones, zeros, ">"), where(columns, rows, ones, zeros, ">"))
        pair = (rows, columns) if self.relation.startswith(">") else (columns, rows)
        return where(*pair, ones, zeros, self.relation.replace("<", ">"))

    def _triangle(self, m: Dim, n: Dim) -> Expr:
        """Where both start at the same number: triangles of ones, row i and column j."""
        ones, lower, upper = core.ones(m, n), lower_ones(m, n), upper_ones(m, n)
        if self.relation == "<=":
            return upper
        if self.relation == ">=":
            return lower
        if self.relation == "!=":
            return core.add(ones, core.minus(core.eye(m) if same(m, n) else core.hadamard(lower, upper)))
        return core.add(ones, core.minus(lower if self.relation == "<" else upper))


def mask_of(conditions: Sequence[Condition]) -> Term:
    """1 where all the conditions hold, 0 elsewhere."""
    return product_of_terms([c.mask for c in conditions])


def guarded(term: Term, conditions: Sequence[Condition], safe: Expr) -> Term:
    """The term where the conditions hold that bear on it, and `safe` elsewhere."""
    here = [c for c in conditions if term.free & c.free]
    if not here:
        return term
    half = Value(core.number(core.exact(1) / 2))
    return Apply(lambda args: where(*args, ">"), (mask_of(here), half, term, Value(safe)), "guarded")


def unguarded(term: Term) -> Term:
    """The term itself, where it has a value everywhere."""
    return term.args[2] if isinstance(term, Apply) and term.kind == "guarded" else term


def safe_argument(entry: Op) -> Expr | None:
    """A number at which an entrywise function and its derivative are finite; None where every number is one."""
    x = core.var("x", 1, 1)
    if entry.scalar_function is None or not entry.domain(x):
        return None
    t = sp.Symbol("t", real=True)
    f = entry.scalar_function(t)
    for value in (sp.S.Half, sp.Integer(2)):
        found = [g.subs(t, value) for g in (f, f.diff(t))]
        if all(v.is_finite and v.is_real for v in found):
            return core.number(value)
    return core.number(1)
