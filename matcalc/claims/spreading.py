"""Expressions in sums as one list of terms: products with sums are multiplied out, equal nests of indices collected.

`sum(k, X[k]'*X[k])*w - sum(k, X[k]'*y)` is the sum over k of `X[k]'*X[k]*w - X[k]'*y`: two expressions are equal where
the terms over each nest of indices are, whatever sums they were written in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import TypeAlias

from matcalc import core
from matcalc.dims import same
from matcalc.dims import text as dim_text
from matcalc.expr import Expr, operations
from matcalc.indices.program import Guard, LoopSum, Program, Recurrence, Run
from matcalc.ops.arithmetic import add, hadamard_, scale_
from matcalc.ops.products import matmul_, transpose
from matcalc.walk import substitute, variables

LINEAR = operations(add, hadamard_, matmul_, scale_, transpose)  # in each of their arguments, or in all of them
TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!="}
Nest: TypeAlias = tuple[tuple[Run, ...], frozenset[Guard]]
Term: TypeAlias = tuple[tuple[Run, ...], tuple[Guard, ...], Expr]


class Spreading:
    """Multiplies the sums of a program out.

    Args:
        program: the program.
        kept: the names of sums that stay values.
        own: the index of the member that the terms are about; it keeps its name.
        known: sums that a sum with the same values is called by: a claim writes sums of the program out.
    """

    def __init__(
        self, program: Program, kept: Collection[str], own: str = "", known: Sequence[Recurrence] = ()
    ) -> None:
        self.program, self.own = program, own
        sums = (q for q in program.quantities if isinstance(q, LoopSum))
        self.sums = {q.value: q for q in sums if q.value.name not in kept and not q.largest}
        self.inner = {r.name: r for r in program.recurrences.values() if is_sum(r) and r.name not in kept}
        pairs = ((r, next((k for k in known if self._alike(r, k)), None)) for r in self.inner.values())
        self.alike = {r.name: k for r, k in pairs if k is not None}
        self._names = count(1)

    def collected(self, terms: Iterable[Term]) -> dict[Nest, Expr]:
        """The terms over each nest of indices, added."""
        found: dict[Nest, list[Expr]] = {}
        for runs, guards, value in terms:
            for term in self.spread(runs, guards, value):
                nest, body = self.canonical(*term)
                found.setdefault(nest, []).append(body)
        return {nest: core.add(*bodies) for nest, bodies in found.items()}

    def spread(self, runs: tuple[Run, ...], guards: tuple[Guard, ...], e: Expr) -> Iterator[Term]:
        """The terms of an expression under some indices, each without sums that can be multiplied out."""
        for v in variables((e,)):
            opened = self.opened(v)
            terms = None if opened is None else linear_terms(e, v)
            if opened is None or terms is None:
                continue
            further, conditions, body = opened
            for term in terms:
                if v in variables((term,)):
                    inside = substitute(term, {v: body})
                    yield from self.spread((*runs, *further), (*guards, *conditions), inside)
                else:
                    yield from self.spread(runs, guards, term)
            return
        for term in e.args if e.op == "add" else (e,):
            yield runs, guards, term

    def opened(self, v: Expr) -> Term | None:
        """What a variable is the sum of, over indices with new names; None where it is no sum."""
        found: LoopSum | Recurrence | None = self.sums.get(v)
        names: dict[str, str] = {}
        if isinstance(found, LoopSum):
            runs = found.runs
        else:
            what = self.program.members.get(v)
            found = self.inner.get(what.of) if what is not None else None
            if found is None or what is None or what.of in self.alike or not what.index or not same(what.at, 0):
                return None
            assert found.run is not None
            runs, names[found.run.name] = found.inner, what.index
        names |= {run.name: run.name if run.name == self.own else f"_{next(self._names)}" for run in runs}
        assert found.body is not None
        body = self.program.renamed(found.body, names)
        return tuple(replace(r, name=names[r.name]) for r in runs), tuple(g.renamed(names) for g in found.guards), body

    def canonical(self, runs: tuple[Run, ...], guards: tuple[Guard, ...], e: Expr) -> tuple[Nest, Expr]:
        """The nest with names by the ends of the ranges; an index that nothing has is a factor."""
        used = {i for _, what in self.program.used(e) for i in what.indices} | {
            i for g in guards for i in (g.left, g.right)
        }
        for run in runs:
            if run.name not in used and run.name != self.own:
                e = core.scale(core.number(core.exact_dim(run.count)), e)
        kept = [r for r in runs if r.name in used or r.name == self.own]
        ordered = sorted(kept, key=lambda r: (r.name != self.own, dim_text(r.first), dim_text(r.last)))
        names = {r.name: r.name if r.name == self.own else f"index_{k}" for k, r in enumerate(ordered)}
        nest = tuple(replace(r, name=names[r.name]) for r in ordered)
        conditions = frozenset(_turned(g.renamed(names)) for g in guards)
        return (nest, conditions), self.as_known(self.program.renamed(e, names))

    def as_known(self, e: Expr) -> Expr:
        """An expression with the members of known sums for those of sums that have the same values."""
        table = {}
        for v, what in list(self.program.used(e)):
            if what.of in self.alike:
                table[v] = self.program.of_family(self.alike[what.of].name, what.index, what.at)
        return substitute(e, table)

    def _alike(self, one: Recurrence, other: Recurrence) -> bool:
        """Whether two sums have the same values."""
        runs, others = ((r.run, *r.inner) for r in (one, other))
        if len(runs) != len(others) or one is other:
            return False
        ends = zip(runs, others)
        if not all(a and b and same(a.first, b.first) and same(a.last, b.last) for a, b in ends):
            return False
        names = {b.name: a.name for a, b in zip(runs, others) if a is not None and b is not None}
        assert other.body is not None
        if self.program.renamed(other.body, names) is not one.body:
            return False
        return [g.renamed(names) for g in other.guards] == list(one.guards)


def is_sum(r: Recurrence) -> bool:
    """Whether its values are sums, which do not depend on earlier ones."""
    return bool(r.inner) and not r.starts and not r.largest and r.run is not None


def linear_terms(e: Expr, v: Expr) -> list[Expr] | None:
    """Terms whose sum is the expression, with the variable as a factor of some; None where it is anything else."""
    if e is v or v not in variables((e,)):
        return [e]
    inside = [a for a in e.args if v in variables((a,))]
    if e.op not in LINEAR:
        return None
    if e.op == "add":
        parts = [linear_terms(a, v) for a in e.args]
        return None if None in parts else [t for part in parts if part is not None for t in part]
    if len(inside) != 1:
        return None
    terms = linear_terms(inside[0], v)
    return None if terms is None else [substitute(e, {inside[0]: t}) for t in terms]


def _turned(g: Guard) -> Guard:
    """i > j is j < i."""
    if g.left <= g.right or not same(g.offset, 0):
        return g
    return Guard(g.right, TURNED[g.relation], g.left)
