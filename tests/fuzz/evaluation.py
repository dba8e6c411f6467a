"""Programs on jets: values and derivatives of expressions at a point, with noise that shows their conditioning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp

from matcalc.exact.scalar import Exact
from matcalc.expr import Expr, postorder

from .constants import LEAVES
from .definitions import TABLE
from .jets import Jet
from .machine import Machine

Arrays = dict[str, np.ndarray]


@lru_cache(maxsize=4096)
def _number(value: Any, sizes: tuple[tuple[str, int], ...]) -> float:
    table = dict(sizes)
    value = sp.sympify(value)
    return float(value.subs({s: table[s.name] for s in value.free_symbols}))


class Evaluation:
    """One evaluation of expressions at a point.

    Args:
        arrays: the values of the variables.
        sizes: of the dimensions.
        wrt: what is differentiated by; the seeds are the entries of these in turn, each stacked by columns.
        along: for second derivatives the direction of each of `wrt`.
        noise: the relative size of random errors that every operand has, and their source.
    """

    def __init__(
        self,
        arrays: Arrays,
        sizes: Mapping[str, int],
        wrt: Iterable[Expr] = (),
        along: Mapping[Expr, np.ndarray] | None = None,
        noise: tuple[float, np.random.Generator] | None = None,
    ) -> None:
        self.arrays, self.sizes, self.noise = arrays, tuple(sorted(sizes.items())), noise
        self.along = along
        self.machine = Machine()
        self.seeds: dict[Expr, int] = {}
        self.count = 0
        self.size = 1.0  # the largest number on the way
        for e in wrt:
            self.seeds[e] = self.count
            self.count += int(np.prod(self.shape(e)))
        self.done: dict[Expr, Jet] = {}

    def shape(self, e: Expr) -> tuple[int, int]:
        """The shape of a value."""
        return int(self.parameter(e.shape[0])), int(self.parameter(e.shape[1]))

    def parameter(self, p: Any) -> Any:
        """A parameter as a definition takes it."""
        if not isinstance(p, (sp.Basic, Exact)):
            return p
        found = _number(p, self.sizes)
        return int(found) if found.is_integer() else found

    def jet(self, e: Expr) -> Jet:
        """The value and derivatives of an expression."""
        for sub in postorder((e,), stop=self.done.__contains__):
            X = self._node(sub)
            if sub in self.seeds:
                X = self._seeded(sub, X)
            self.done[sub] = X
            self.size = max(self.size, float(np.abs(X).max(initial=0)))
        return self.done[e]

    def _node(self, e: Expr) -> Jet:
        orders = 1 if self.along is None else 2
        if e.op == "variable" or e.op in LEAVES:
            X = np.zeros((orders, 1 + self.count, *self.shape(e)))
            X[0, 0] = self.arrays[e.params[0]] if e.op == "variable" else LEAVES[e.op](*map(self._leaf, e.params))
            return X
        with np.errstate(all="ignore"):
            args = [self._noisy(self.done[a]) if e.op != "named" else self.done[a] for a in e.args]
            return TABLE[e.op](self.machine, *args, *map(self.parameter, e.params))

    def _noisy(self, X: Jet) -> Jet:
        """An operand with random relative errors."""
        return X if self.noise is None else X * (1 + self.noise[0] * self.noise[1].standard_normal(X.shape))

    def _leaf(self, p: Any) -> float:
        found = _number(p, self.sizes)
        return int(found) if found.is_integer() else found

    def _seeded(self, e: Expr, X: Jet) -> Jet:
        """The value with its own entries as the seeds that it depends on."""
        m, n = X.shape[-2:]
        X = X.copy() if e.op == "variable" else _held(X)
        for k in range(m * n):
            X[0, 1 + self.seeds[e] + k, k % m, k // m] += 1
        if self.along is not None:
            X[1, 0] += self.along[e]
        return X


def _held(X: Jet) -> Jet:
    """A named value that is differentiated by moves by itself alone."""
    Y = np.zeros_like(X)
    Y[0, 0] = X[0, 0]
    return Y


def value_of(e: Expr, arrays: Arrays, sizes: Mapping[str, int]) -> tuple[np.ndarray, float]:
    """The value of an expression and its distance from kinks."""
    run = Evaluation(arrays, sizes)
    return run.jet(e)[0, 0], run.machine.margin


def jacobian(X: Jet, first: int, count: int) -> np.ndarray:
    """The Jacobian on column-major vec by the seeds from `first` on."""
    d = X[0, 1 + first : 1 + first + count]
    return d.transpose(2, 1, 0).reshape(-1, count)
