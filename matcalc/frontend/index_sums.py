"""Sums over indices, as SymPy makes them of `[0, 0]` of a product, turned back into products of matrices.

A factor of the summand is a matrix M with two places, M[i, j]. Summing over an index that two factors share is their
product; over an index of one factor, its sum; several factors on one index meet in a diagonal matrix. Every step is
an identity, so what comes out is exactly the sum, or `NoRuleError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixElement

from matcalc import core
from matcalc.dims import dim, is_one, same
from matcalc.errors import NoRuleError, shorten
from matcalc.expr import Expr
from matcalc.frontend.fold import is_arithmetic
from matcalc.frontend.scalar_arithmetic import read_arithmetic

Index: TypeAlias = Any  # a SymPy symbol, or None where there is no index
ENTRIES = (MatrixElement, sp.KroneckerDelta)
ADVICE = "write matcalc.scalar(M) for the value of a 1 x 1 product, or Trace(M)"


def leaves_of_sum(total: Any) -> list[Any]:
    """The expressions without indices inside a sum: its matrices, and scalars such as traces."""
    bound: set[Any] = set()
    leaves: dict[int, Any] = {}
    stack = [total]
    while stack:
        e = stack.pop()
        if isinstance(e, sp.Sum):
            bound.update(limit[0] for limit in e.limits)
            stack.append(e.function)
        elif isinstance(e, MatrixElement):
            leaves.setdefault(id(e.args[0]), e.args[0])
        elif isinstance(e, sp.KroneckerDelta):
            continue
        elif is_arithmetic(e):
            stack.extend(reversed(e.args))
        elif not (e.is_Symbol and e in bound):
            leaves.setdefault(id(e), e)
    return list(leaves.values())


def read_sum(total: Any, values: Mapping[int, Expr]) -> Expr:
    """A sum over indices as a product of matrices; `values` are those of `leaves_of_sum`, by id.

    Raises:
        NoRuleError: it is no such product.
    """
    return _Sums(values, total).entries(total, None, None)


@dataclass(frozen=True)
class _Factor:
    """The product of `matrices`, whose entry [row, column] is a factor of the summand."""

    row: Index
    column: Index
    matrices: tuple[Expr, ...]

    @property
    def matrix(self) -> Expr:
        return core.matmul(*self.matrices)

    @property
    def transposed(self) -> _Factor:
        return _Factor(self.column, self.row, tuple(_transposed(m) for m in reversed(self.matrices)))

    def towards(self, index: Index) -> _Factor:
        """With `index` as its column."""
        return self if self.column == index else self.transposed

    @property
    def places(self) -> frozenset[Index]:
        return frozenset((self.row, self.column))


def _transposed(M: Expr) -> Expr:
    if M.is_scalar or M.op in ("diag", "eye"):
        return M
    return M.args[0] if M.op == "transpose" else core.transpose(M)


class _Sums:
    def __init__(self, values: Mapping[int, Expr], total: Any) -> None:
        self.values = values
        self.total = total
        self.size: dict[Any, Any] = {}

    def refuse(self) -> NoRuleError:
        return NoRuleError(f"the sum over indices {shorten(str(self.total))} is no matrix product: {ADVICE}")

    def entries(self, e: Any, row: Index, column: Index) -> Expr:
        """The matrix whose entry [row, column] is `e`."""
        indices = self.indices(e)
        if not indices <= {row, column}:
            raise self.refuse()
        shape = (self.extent(row), self.extent(column))
        if not indices:
            return core.broadcast(self.scalar(e), shape)
        if isinstance(e, ENTRIES):
            return core.broadcast(_oriented(self.element(e), row, column), shape)
        if isinstance(e, sp.Sum):
            return self.contract(e, row, column)
        if not is_arithmetic(e):
            raise self.refuse()
        return read_arithmetic(e, [self.part(a, row, column) for a in e.args])

    def part(self, e: Any, row: Index, column: Index) -> Expr:
        return self.entries(e, row, column) if self.indices(e) else self.scalar(e)

    def scalar(self, e: Any) -> Expr:
        """The value of an expression without free indices."""
        if id(e) in self.values and not isinstance(e, ENTRIES):
            return self.values[id(e)]
        if isinstance(e, sp.Sum):
            return self.contract(e, None, None)
        if isinstance(e, ENTRIES):
            return self.element(e).matrix
        if not is_arithmetic(e):
            raise self.refuse()
        return read_arithmetic(e, [self.scalar(a) for a in e.args])

    def extent(self, index: Index) -> Any:
        return 1 if index is None else self.size[index]

    def indices(self, e: Any) -> frozenset[Any]:
        """The free indices of an expression."""
        if isinstance(e, sp.Sum):
            for symbol, first, last in self.limits(e):
                size = dim(last + 1 - first)
                if not same(self.size.setdefault(symbol, size), size):
                    raise self.refuse()
            return self.indices(e.function) - {limit[0] for limit in e.limits}
        if isinstance(e, ENTRIES):
            return frozenset(i for i in _places(e) if i in self.size)
        if is_arithmetic(e):
            return frozenset().union(*map(self.indices, e.args))
        return frozenset((e,)) if e.is_Symbol and e in self.size else frozenset()

    def limits(self, e: Any) -> list[tuple[Any, Any, Any]]:
        for limit in e.limits:
            if len(limit) != 3 or limit[1] != 0:
                raise self.refuse()
        return [tuple(limit) for limit in e.limits]

    def element(self, e: Any) -> _Factor:
        """M[i, j] as a factor: an index must run over the whole of its side, a 0 must be on a side of size 1."""
        M = self.identity(e) if isinstance(e, sp.KroneckerDelta) else self.values[id(e.args[0])]
        places: list[Index] = []
        for side, place in zip(M.shape, _places(e)):
            if place in self.size:
                if not same(self.size[place], side):
                    raise self.refuse()
                places.append(place)
            elif place == 0 and is_one(side):
                places.append(None)
            else:
                raise self.refuse()
        if places[0] is not None and places[0] == places[1]:
            return _Factor(places[0], None, (core.diagvec(M),))
        return _Factor(places[0], places[1], (M,))

    def identity(self, e: Any) -> Expr:
        """The identity whose entries a Kronecker delta is."""
        if not all(place in self.size for place in _places(e)):
            raise self.refuse()
        return core.eye(self.size[e.args[0]])

    # -------------------------------------------------------------------------------------------- contraction

    def contract(self, e: Any, row: Index, column: Index) -> Expr:
        """The matrix whose entry [row, column] is the sum `e`."""
        self.indices(e)
        indices = [limit[0] for limit in e.limits]
        terms = e.function.args if isinstance(e.function, sp.Add) else (e.function,)
        return core.add(*(self.contracted(term, indices, row, column) for term in terms))

    def contracted(self, summand: Any, bound: Sequence[Any], row: Index, column: Index) -> Expr:
        """The matrix whose entry [row, column] is the sum of one summand over the bound indices."""
        scalars: list[Expr] = []
        factors: list[_Factor] = []
        for part in _factors(summand):
            self.collect(part, scalars, factors)
        for index in bound:
            self.sum_over(index, scalars, factors)
        shape = (self.extent(row), self.extent(column))
        matrices = [core.broadcast(_oriented(f, row, column), shape) for f in _merged(factors) if f.places != {None}]
        scalars += [_shortest(f) for f in factors if f.places == {None}]
        if not matrices:
            return core.broadcast(core.scale(*scalars), shape)
        return core.scale(*scalars, core.hadamard(*matrices))

    def collect(self, part: Any, scalars: list[Expr], factors: list[_Factor]) -> None:
        indices = sorted(self.indices(part), key=lambda s: (str(s), s.sort_key()))
        if not indices:
            scalars.append(self.scalar(part))
        elif isinstance(part, ENTRIES):
            factors.append(self.element(part))
        elif len(indices) > 2:
            raise self.refuse()
        else:
            row, column = indices[0], indices[1] if len(indices) == 2 else None
            M = self.entries(part, row, column)
            factors.append(_Factor(row, column, M.args if M.op == "matmul" else (M,)))

    def sum_over(self, index: Index, scalars: list[Expr], factors: list[_Factor]) -> None:
        """Carry out the sum over one index, in place."""
        here = [f for f in factors if index in f.places]
        others = [f for f in factors if index not in f.places]
        if len(here) > 2:
            here = _merged(here)
        if len(here) > 2:
            here = _through_diagonal(here, index)
        if len(here) > 2:
            raise self.refuse()
        if not here:
            scalars.append(core.number(core.exact_dim(self.size[index])))
        elif len(here) == 1:
            others.append(_summed(here[0], index))
        else:
            left, right = here[0].towards(index), here[1].towards(index).transposed
            chain = _without_identity(left.matrices + right.matrices)
            if left.row is not None and left.row == right.column:  # a cycle: the diagonal of the product
                others.append(_Factor(left.row, None, (core.diagvec(_shortest(_Factor(left.row, left.row, chain))),)))
            else:
                others.append(_Factor(left.row, right.column, chain))
        factors[:] = others


def _summed(f: _Factor, index: Index) -> _Factor:
    """The factor summed over one of its indices; over the diagonal it is the trace."""
    M = f.matrix
    if f.places == {index, None}:
        return _Factor(None, None, (core.trace(M.args[0]) if M.op == "diagvec" else core.total(M),))
    if f.row == index:
        return _Factor(None, f.column, (core.total(M, 1),))
    return _Factor(f.row, None, (core.total(M, 2),))


def _places(e: Any) -> tuple[Any, ...]:
    """The two indices of an entry."""
    return tuple(e.args[:2] if isinstance(e, sp.KroneckerDelta) else e.args[1:])


def _without_identity(matrices: tuple[Expr, ...]) -> tuple[Expr, ...]:
    return tuple(m for m in matrices if m.op != "eye") or matrices[:1]


def _factors(e: Any) -> list[Any]:
    """The factors of a summand; a whole power counts as often as it says."""
    parts = e.args if isinstance(e, sp.Mul) else (e,)
    result = []
    for part in parts:
        whole = isinstance(part, sp.Pow) and part.exp.is_Integer and part.exp == 2
        result.extend([part.base] * 2 if whole else [part])
    return result


def _merged(factors: Sequence[_Factor]) -> list[_Factor]:
    """Factors on the same two indices as one: their entrywise product."""
    groups: dict[frozenset[Index], list[_Factor]] = {}
    for f in factors:
        groups.setdefault(f.places, []).append(f)
    merged = []
    for group in groups.values():
        first = group[0]
        if len(group) == 1 or first.places == {None}:
            merged.extend(group)
            continue
        aligned = [g.matrix if g.row == first.row else g.transposed.matrix for g in group]
        merged.append(_Factor(first.row, first.column, (core.hadamard(*aligned),)))
    return merged


def _through_diagonal(factors: Sequence[_Factor], index: Index) -> list[_Factor]:
    """A vector on an index where two matrices meet scales it: one of them is multiplied by the diagonal matrix."""
    vectors = [f for f in factors if None in f.places]
    matrices = [f.towards(index) for f in factors if None not in f.places]
    if not vectors or not matrices:
        return [*vectors, *matrices]
    weights = reduce(core.hadamard, (v.towards(None).matrix for v in vectors))
    first = matrices[0]
    return [_Factor(first.row, index, (*first.matrices, core.diag(weights))), *matrices[1:]]


def _oriented(f: _Factor, row: Index, column: Index) -> Expr:
    """The factor as a matrix over [row, column]; it may lack one of the two."""
    if f.row in (row, None) and f.column in (column, None):
        return f.matrix
    return f.transposed.matrix


def _shortest(f: _Factor) -> Expr:
    """A product that may as well be transposed (1 x 1, or for its diagonal): the form with fewer transposes."""

    def count(g: _Factor) -> int:
        return sum(m.op == "transpose" for m in g.matrices)

    return min((f, f.transposed), key=count).matrix
