"""Sums over indices, evaluated as they are written: what their matrices are compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np

from matcalc import core
from matcalc.dims import evaluate as size_of
from matcalc.expr import Expr
from matcalc.indices.lifting import Lifting
from matcalc.indices.terms import Along, Apply, Entry, Index, Place, Term, Total, Value
from matcalc.numeric.binding import Array
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.points import smooth_functions
from matcalc.numeric.report import Report
from matcalc.numeric.sample import sample
from matcalc.walk import variables

_MODES = ("free", "positive", "unit")  # of the values: some sums have none for numbers of both signs
_CLOSE = 1e-7
Functions = Mapping[str, Callable[[Array], Any]]
Indices = Mapping[Index, int]


def with_sums(report: Report, liftings: Iterable[Lifting], declared: Iterable[Expr], seed: int) -> Report:
    """The report, which is of a failure where a sum in the source and its matrix differ.

    What mentions more than the declared variables, as members of families do, is compared where it is written out.
    """
    known = set(declared)
    for lifting in liftings:
        if known.issuperset(variables((lifting.value,))) and not is_its_sum(lifting, known, seed):
            return replace(report, ok=False, reason=f"the matrix form of {lifting.words} is not that sum")
    return report


def is_its_sum(lifting: Lifting, declared: Iterable[Expr], seed: int = 0) -> bool:
    """Whether the matrix of a sum has its values, at random values of the variables with their facts."""
    given_by = sorted(declared, key=lambda v: v.name)
    functions = smooth_functions(lifting.value)
    for mode in _MODES:
        arrays, sizes = sample(given_by, seed, mode=mode, also=lifting.value.shape)
        with np.errstate(all="ignore"):
            given = Terms(arrays, sizes, functions).matrix(lifting.term, lifting.row, lifting.column)
            found = evaluate(lifting.value, arrays, sizes, functions)
        both = np.isfinite(given) & np.isfinite(found)
        if (np.abs(given[both] - found[both]) > _CLOSE * (1 + np.abs(given[both]).max(initial=0))).any():
            return False
    return True


@dataclass
class Terms:
    """Evaluates terms one tuple of indices at a time.

    Attributes:
        arrays: of the variables, by name.
        sizes: of the dimensions.
        functions: of the user, by name.
    """

    arrays: Mapping[str, Array]
    sizes: Mapping[str, int]
    functions: Functions
    _known: dict[Expr, Array] = field(default_factory=dict)
    _built: dict[tuple[Apply, tuple[float, ...]], float] = field(default_factory=dict)

    def matrix(self, term: Term, row: Place, column: Place) -> Array:
        """All values of a term: a row for each value of `row`, a column for each of `column`."""
        rows, columns = ([None] if p is None else self._range(p) for p in (row, column))
        found = [
            [
                self.value(term, {p: k for p, k in ((row, i), (column, j)) if p is not None and k is not None})
                for j in columns
            ]
            for i in rows
        ]
        return np.array(found, dtype=float).reshape(len(rows), len(columns))

    def value(self, term: Term, at: Indices) -> float:
        """A term where its free indices have these values."""
        match term:
            case Value(expr=e):
                return float(self._matrix(e)[0, 0])
            case Entry(matrix=e, row=row, column=column):
                i, j = (0 if p is None else at[p] - size_of(p.first, self.sizes) for p in (row, column))
                return float(self._matrix(e)[i, j])
            case Apply(build=build, args=args):
                numbers = tuple(self.value(a, at) for a in args)
                if (term, numbers) not in self._built:
                    letters = [core.var(f"t{k}", 1, 1) for k in range(len(numbers))]
                    arrays = {v.name: np.array([[x]]) for v, x in zip(letters, numbers)}
                    self._built[term, numbers] = float(
                        evaluate(build(letters), arrays, self.sizes, self.functions)[0, 0]
                    )
                return self._built[term, numbers]
            case Total(bound=bound, body=body):
                ranges = [self._range(index) for index in bound]
                return sum(self.value(body, {**at, **dict(zip(bound, tuple_))}) for tuple_ in product(*ranges))
            case Along(build=along, index=index, body=body, keeps=keeps):
                values = [self.value(body, {**at, index: k}) for k in self._range(index)]
                v = core.var("t", len(values), 1)
                found = evaluate(along(v, None), {"t": np.array(values)[:, None]}, self.sizes, self.functions)
                return float(found[at[index] - size_of(index.first, self.sizes) if keeps else 0, 0])

    def _range(self, index: Index) -> range:
        return range(size_of(index.first, self.sizes), size_of(index.last, self.sizes) + 1)

    def _matrix(self, e: Expr) -> Array:
        if e not in self._known:
            self._known[e] = evaluate(e, self.arrays, self.sizes, self.functions)
        return self._known[e]
