"""SymPy's sums over indices, as it makes them of `[0, 0]` of a product, as terms that become products of matrices."""

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
from matcalc.indices.terms import Apply, Entry, Index, Place, Term, Total, Value

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
    reader = _Reader(values, total)
    try:
        return matrix_of(reader.term(total, {}))
    except NoMatrixError:
        raise reader.refuse() from None


class _Reader:
    def __init__(self, values: Mapping[int, Expr], total: Any) -> None:
        self.values = values
        self.total = total

    def refuse(self) -> NoRuleError:
        return NoRuleError(f"the sum over indices {shorten(str(self.total))} is not a matrix product: {ADVICE}")

    def term(self, e: Any, scope: Mapping[Any, Index]) -> Term:
        """The expression as a term, in the scope of the sums around it."""
        if id(e) in self.values and not isinstance(e, ENTRIES):
            return Value(self.values[id(e)])
        if isinstance(e, ENTRIES):
            return self.entry(e, scope)
        if isinstance(e, sp.Sum):
            inner = {limit[0]: self.index(limit) for limit in e.limits}
            return Total(tuple(inner.values()), self.term(e.function, {**scope, **inner}))
        if not is_arithmetic(e):
            raise self.refuse()
        args = tuple(self.term(a, scope) for a in e.args)
        if isinstance(e, sp.Pow) and e.exp == 2:
            return Apply(lambda values: read_arithmetic(e, [*values, core.number(2)]), args[:1], "square")
        kind = {sp.Add: "add", sp.Mul: "product", sp.Pow: "power"}.get(type(e), "")
        return Apply(partial(read_arithmetic, e), args, kind)

    def index(self, limit: Sequence[Any]) -> Index:
        if len(limit) != 3 or limit[1] != 0:
            raise self.refuse()
        return Index(str(limit[0]), 1, dim(limit[2] + 1))

    def entry(self, e: Any, scope: Mapping[Any, Index]) -> Entry:
        """M[i, j]: an index must run over the whole of its side, a 0 must be on a side of size 1."""
        if isinstance(e, sp.KroneckerDelta):
            if not all(place in scope for place in e.args[:2]):
                raise self.refuse()
            M = core.eye(scope[e.args[0]].size)
            given = e.args[:2]
        else:
            M = self.values[id(e.args[0])]
            given = e.args[1:]
        places: list[Place] = []
        for size, place in zip(M.shape, given):
            if place in scope:
                if not same(scope[place].size, size):
                    raise self.refuse()
                places.append(scope[place])
            elif place == 0 and is_one(size):
                places.append(None)
            else:
                raise self.refuse()
        return Entry(M, places[0], places[1])
