"""Differences that are 0 entry by entry, whatever the entries are: cos(arctan(X)) = 1 ./ sqrt(1 + X.^2)."""

from __future__ import annotations

from math import prod
from typing import Any

import sympy as sp

from matcalc import core
from matcalc.core import add, minus, number, power, var
from matcalc.expr import Expr, postorder, record
from matcalc.ops.elementwise import arctan, cos, sqrt
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import node_rule
from matcalc.rules.entries import Entries
from matcalc.rules.entry_algebra import vanishes

ALGEBRA = "Lang, Algebra (2002), ch. IV and V"
EQUAL_ENTRIES = "equal_functions_of_entries"
MAX_NODES, MAX_ENTRIES, MAX_DETERMINANT = 80, 16, 3


def _example() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    cosine = power(sqrt(add(core.ones("m", "n"), power(X, 2))), -1)
    return add(cos(arctan(X)), minus(cosine)), core.zeros("m", "n")


@node_rule(op="add", group="expand", source=ALGEBRA, example=_example)
def equal_functions_of_entries(e: Expr, context: Context) -> Expr | None:
    """f(X) - g(X) = 0 where f and g are one rational function of exponentials, roots, sines and absolute values"""
    if sum(1 for _ in postorder((e,))) > MAX_NODES:
        return None
    entries = Entries(context)
    cells = [x for line in entries.grid(e) for x in line] if _is_small(e) else [e]
    reader = _Reader(context, entries, e)
    if not all(vanishes(reader.read(x)) for x in cells):
        return None
    return number(0) if e.is_scalar else core.zeros(*e.shape)


def _is_small(e: Expr) -> bool:
    return not e.is_scalar and all(isinstance(d, int) for d in e.shape) and prod(e.shape) <= MAX_ENTRIES


class _Reader:
    """Entries of expressions as functions of numbers; what is no function of entries is a number of its own."""

    def __init__(self, context: Context, entries: Entries, whole: Expr) -> None:
        self.context, self.entries, self.whole = context, entries, whole
        self.found: dict[Expr, Any] = {}
        self.symbols: dict[bytes, Any] = {}
        self.others = {s.args[0].digest: s for s in postorder((whole,)) if s.op == "prodothers"}

    def read(self, e: Expr) -> Any:
        """The entry of `e`, in SymPy."""
        if e not in self.found:
            self.found[e] = self._entry(e)
        return self.found[e]

    def _entry(self, e: Expr) -> Any:
        if e.number is not None:
            return e.number
        if e.op in ("ones", "zeros"):
            return sp.Integer(e.op == "ones")
        if e.op in ("broadcast", "named") or (e.op == "transpose" and e.is_scalar):
            return self.read(e.args[0])
        if e.op in BY_ARGUMENTS:
            return BY_ARGUMENTS[e.op](*map(self.read, e.args))
        if e.op == "det" and isinstance(e.args[0].shape[0], int) and e.args[0].shape[0] <= MAX_DETERMINANT:
            return sp.Matrix([[self.read(x) for x in line] for line in self.entries.grid(e.args[0])]).det()
        scalar = record(e.op).scalar_function
        if scalar is not None and len(e.args) == 1 and not e.params:
            return scalar(self.read(e.args[0]))
        if (
            e.op == "prod"
            and (others := self.others.get(e.args[0].digest)) is not None
            and self._has_entries(others, e)
        ):
            return self.read(others) * self.read(e.args[0])
        return self._symbol(e)

    def _has_entries(self, others: Expr, e: Expr) -> bool:
        """Whether the product is that of an entry and the others, of the entry that is looked at."""
        return others.params == e.params and others.shape == self.whole.shape

    def _symbol(self, e: Expr) -> Any:
        if e.digest not in self.symbols:
            sign = {"positive": True} if self.context.known(e, "positive") else {"real": True}
            self.symbols[e.digest] = sp.Dummy(f"x{len(self.symbols)}", **sign)
        return self.symbols[e.digest]


BY_ARGUMENTS: dict[str, Any] = {
    "add": lambda *terms: sp.Add(*terms),
    "scale": lambda *factors: sp.Mul(*factors),
    "hadamard": lambda *factors: sp.Mul(*factors),
    "divide": lambda a, b: a / b,
    "power": lambda a, k: a**k,
    "relu": lambda a: (a + sp.Abs(a)) / 2,
    "maximum": lambda a, b: (a + b + sp.Abs(a - b)) / 2,
    "minimum": lambda a, b: (a + b - sp.Abs(a - b)) / 2,
}
