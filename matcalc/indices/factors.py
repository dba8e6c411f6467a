"""Factors of a summand: matrices with two places, and what is made of several of them on one index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from matcalc import core
from matcalc.expr import Expr
from matcalc.indices import lifting
from matcalc.indices.terms import Entry, Index, Place


@dataclass(frozen=True)
class Factor:
    """The product of `matrices`, whose entry [row, column] is a factor of the summand."""

    row: Place
    column: Place
    matrices: tuple[Expr, ...]

    @property
    def matrix(self) -> Expr:
        return core.matmul(*self.matrices)

    @property
    def transposed(self) -> Factor:
        return Factor(self.column, self.row, tuple(transpose_of(m) for m in reversed(self.matrices)))

    def towards(self, index: Place) -> Factor:
        """With `index` as its column."""
        return self if self.column is index else self.transposed

    @property
    def sided(self) -> lifting.Sided:
        """The matrix with its places."""
        return self.matrix, self.row, self.column

    @property
    def places(self) -> frozenset[Place]:
        return frozenset((self.row, self.column))


def transpose_of(M: Expr) -> Expr:
    if M.is_scalar or M.op in ("diag", "eye"):
        return M
    return core.turned(M)


def element(e: Entry) -> Factor:
    if e.row is not None and e.row is e.column:
        return Factor(e.row, None, (core.diagvec(e.matrix),))
    return Factor(e.row, e.column, (e.matrix,))


def oriented(f: Factor, row: Place, column: Place) -> Expr:
    """The factor as a matrix over [row, column]; it may lack one of the two."""
    if f.row in (row, None) and f.column in (column, None):
        return f.matrix
    return f.transposed.matrix


def without_identity(matrices: tuple[Expr, ...]) -> tuple[Expr, ...]:
    return tuple(m for m in matrices if m.op != "eye") or matrices[:1]


def powers(factors: Sequence[Expr]) -> list[Expr]:
    """Equal factors as a power."""
    return [f if count == 1 else core.power(f, count) for f, count in Counter(factors).items()]


def through_diagonal(factors: Sequence[Factor], index: Index) -> list[Factor]:
    """A vector on an index where two matrices meet scales it: one of them is multiplied by the diagonal matrix."""
    vectors = [f for f in factors if None in f.places]
    matrices = [f.towards(index) for f in factors if None not in f.places]
    if not vectors or not matrices:
        return [*vectors, *matrices]
    weights = reduce(core.hadamard, (v.towards(None).matrix for v in vectors))
    first = matrices[0]
    return [Factor(first.row, index, (*first.matrices, core.diag(weights))), *matrices[1:]]


def merged(factors: Sequence[Factor]) -> list[Factor]:
    """Factors on the same two indices as one: their entrywise product."""
    groups: dict[frozenset[Place], list[Factor]] = {}
    for f in factors:
        groups.setdefault(f.places, []).append(f)
    found = []
    for group in groups.values():
        first = group[0]
        if len(group) == 1 or first.places == {None}:
            found.extend(group)
            continue
        aligned = [g.matrix if g.row is first.row else g.transposed.matrix for g in group]
        found.append(Factor(first.row, first.column, (core.hadamard(*powers(aligned)),)))
    return found


def shortest(f: Factor) -> Expr:
    """A product that may as well be transposed (1 x 1, or for its diagonal): the form with fewer transposes."""

    def count(g: Factor) -> int:
        return sum(m.op == "transpose" for m in g.matrices)

    return min((f, f.transposed), key=count).matrix


def summed_over(f: Factor, index: Index) -> Factor:
    """The factor summed over one of its indices; over the diagonal it is the trace."""
    M = f.matrix
    if f.places == {index, None}:
        return Factor(None, None, (core.trace(M.args[0]) if M.op == "diagvec" else core.total(M),))
    if f.row is index:
        return Factor(None, f.column, (core.total(M, 1),))
    return Factor(f.row, None, (core.total(M, 2),))
