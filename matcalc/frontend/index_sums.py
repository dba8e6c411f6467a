"""SymPy's sums and products over indices as terms that become matrices; it makes them of `[0, 0]` of a product, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixElement

from matcalc import core
from matcalc.dims import dim, is_one, same
from matcalc.errors import NoRuleError, shorten
from matcalc.expr import Expr
from matcalc.frontend.fold import is_arithmetic
from matcalc.frontend.scalar_arithmetic import read_arithmetic
from matcalc.indices.contraction import NoMatrixError, matrix_of
from matcalc.indices.terms import Along, Apply, Entry, Index, Place, Term, Total, Value
from matcalc.ops.entry_products import prod

SUMS = (sp.Sum, sp.Product)
ENTRIES = (MatrixElement, sp.KroneckerDelta)
ADVICE = "write matcalc.scalar(M) for the value of a 1 x 1 product, or Trace(M)"


def leaves_of_sum(total: Any) -> list[Any]:
    """The expressions without indices inside a sum: its matrices, and scalars such as traces."""
    bound: set[Any] = set()
    leaves: dict[int, Any] = {}
    stack = [total]
    while stack:
        e = stack.pop()
        if isinstance(e, SUMS):
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
    reader = _Reader(values, total)
    try:
        return matrix_of(reader.term(total, {}))
    except NoMatrixError:
        raise reader.refuse() from None


class _Reader:
    def __init__(self, values: Mapping[int, Expr], total: Any) -> None:
        self.values = values
        self.total = total
        self.first: dict[Index, Any] = {}

    def refuse(self) -> NoRuleError:
        return NoRuleError(f"the sum over indices {shorten(str(self.total))} is not a matrix product: {ADVICE}")

    def term(self, e: Any, scope: Mapping[Any, Index]) -> Term:
        """The expression as a term, in the scope of the sums around it."""
        if id(e) in self.values and not isinstance(e, ENTRIES):
            return Value(self.values[id(e)])
        if isinstance(e, ENTRIES):
            return self.entry(e, scope)
        if isinstance(e, SUMS):
            inner = {limit[0]: self.index(limit) for limit in e.limits}
            body = self.term(e.function, {**scope, **inner})
            if isinstance(e, sp.Sum):
                return Total(tuple(inner.values()), body)
            for index in inner.values():
                body = Along(lambda values, axis: prod(values, axis=axis), index, body)
            return body
        if not is_arithmetic(e):
            raise self.refuse()
        args = tuple(self.term(a, scope) for a in e.args)
        if isinstance(e, sp.Pow) and e.exp == 2:
            return Apply(lambda values: read_arithmetic(e, [*values, core.number(2)]), args[:1], "square")
        kind = {sp.Add: "add", sp.Mul: "product", sp.Pow: "power"}.get(type(e), "")
        return Apply(partial(read_arithmetic, e), args, kind)

    def index(self, limit: Sequence[Any]) -> Index:
        """The index, from 1 on: SymPy's may start anywhere."""
        if len(limit) != 3:
            raise self.refuse()
        first, last = limit[1:]
        made = Index(str(limit[0]), 1, dim(sp.expand(last - first + 1)))
        self.first[made] = first
        return made

    def entry(self, e: Any, scope: Mapping[Any, Index]) -> Entry:
        """M[i, j]: an index, moved by a number perhaps, within its side; a 0 must be on a side of size 1."""
        if isinstance(e, sp.KroneckerDelta):
            if not all(place in scope for place in e.args[:2]):
                raise self.refuse()
            first, second = (scope[place] for place in e.args[:2])
            if not same(first.size, second.size) or self.first[first] != self.first[second]:
                raise self.refuse()
            return Entry(core.eye(first.size), first, second)
        M = self.values[id(e.args[0])]
        ranges: list[tuple[Any, Any]] = []
        places: list[Place] = []
        for size, place in zip(M.shape, e.args[1:]):
            found = next((s for s in scope if s in place.free_symbols), None)
            if found is None:
                if place != 0 or not is_one(size):
                    raise self.refuse()
                places.append(None)
                ranges.append((1, 1))
                continue
            start = sp.expand(place - found + self.first[scope[found]])  # of the range, counted from 0
            if start.free_symbols & set(scope) or not start.is_Integer or start < 0:
                raise self.refuse()
            places.append(scope[found])
            ranges.append((int(start) + 1, dim(sp.expand(start + scope[found].size))))
        whole = all(first == 1 and same(last, size) for (first, last), size in zip(ranges, M.shape))
        for (_, last), size in zip(ranges, M.shape):
            gap = sp.expand(sp.sympify(size) - last)
            if gap.is_number and gap < 0:
                raise self.refuse()
        part = M if whole else core.part(M, *ranges[0], *ranges[1])
        return Entry(part, places[0], places[1])
