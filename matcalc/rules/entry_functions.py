"""Differences that are 0 entry by entry, whatever the entries are: cos(arctan(X)) = 1 ./ sqrt(1 + X.^2)."""

from __future__ import annotations

from math import prod
from typing import Any

from matcalc import core
from matcalc.core import add, minus, number, power, var
from matcalc.dims import is_one, same
from matcalc.exact import sp
from matcalc.expr import Expr, postorder, record
from matcalc.ops.elementwise import arctan, cos, sqrt
from matcalc.ops.linalg import det
from matcalc.ops.selection import rows_of
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import node_rule
from matcalc.rules.entries import Entries
from matcalc.rules.entry_algebra import vanishes
from matcalc.rules.small_matrices import NUMBERS, SmallMatrices, is_small

ALGEBRA = "Lang, Algebra (2002), ch. IV and V"
EQUAL_ENTRIES = frozenset(("equal_functions_of_entries", "singular_by_entries"))
MAX_NODES, MAX_ENTRIES, MAX_COLUMNS = 80, 16, 6


def _example() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    cosine = power(sqrt(add(core.ones("m", "n"), power(X, 2))), -1)
    return add(cos(arctan(X)), minus(cosine)), core.zeros("m", "n")


@node_rule(op="add", group="expand", source=ALGEBRA, example=_example)
def equal_functions_of_entries(e: Expr, context: Context) -> Expr | None:
    """f(X) - g(X) = 0 where f and g are one rational function of exponentials, roots, sines and absolute values"""
    if sum(1 for _ in postorder((e,))) > MAX_NODES:
        return None
    return core.zero_of(e) if _is_zero(e, context) else None


def _singular() -> tuple[Expr, Expr]:
    return det(var("K", 3, 3, ["skew"])), number(0)


@node_rule(op="det", group="expand", source=ALGEBRA, example=_singular)
def singular_by_entries(e: Expr, context: Context) -> Expr | None:
    """det(A) = 0 where that is so whatever the entries are"""
    return number(0) if is_small(e.args[0]) and _is_zero(e, context) else None


def _is_zero(e: Expr, context: Context) -> bool:
    entries = Entries(context)
    reader = _Reader(context, entries, e)
    matrix = None if e.is_scalar else reader.matrices.of(e)
    cells: list[tuple[Expr, int | None]]
    if matrix is not None:
        return all(vanishes(x) for x in matrix)
    if _is_small(e):
        cells = [(x, None) for line in entries.grid(e) for x in line]
    else:
        cells = [(e, k) for k in range(1, e.shape[1] + 1)] if _has_few_columns(e) else [(e, None)]
    return all(vanishes(reader.read(*cell)) for cell in cells)


def _is_small(e: Expr) -> bool:
    return not e.is_scalar and all(isinstance(d, int) for d in e.shape) and prod(e.shape) <= MAX_ENTRIES


def _has_few_columns(e: Expr) -> bool:
    """Whether it is looked at column by column: blocks beside each other, columns, products with a small matrix."""
    columns = e.shape[1]
    return isinstance(columns, int) and 1 < columns <= MAX_COLUMNS and any(s.op in BY_COLUMNS for s in postorder((e,)))


class _Reader:
    """Entries of expressions as functions of numbers; what is no function of entries is a number of its own.

    With a column's number, they are those of that column in any row.
    """

    def __init__(self, context: Context, entries: Entries, whole: Expr) -> None:
        self.context, self.entries, self.whole = context, entries, whole
        self.matrices = SmallMatrices(context, self.read, entries.grid)
        self.found: dict[tuple[Expr, int | None], Any] = {}
        self.symbols: dict[tuple[bytes, int | None], Any] = {}
        self.others = {s.args[0].digest: s for s in postorder((whole,)) if s.op == "prodothers"}

    def read(self, e: Expr, column: int | None = None) -> Any:
        """The entry of `e`, in SymPy."""
        key = e, 1 if column is not None and is_one(e.shape[1]) else column
        if key not in self.found:
            self.found[key] = self._entry(*key)
        return self.found[key]

    def _entry(self, e: Expr, column: int | None) -> Any:
        if e.number is not None:
            return e.number
        if e.op in ("ones", "zeros"):
            return sp.Integer(e.op == "ones")
        if e.op in ("broadcast", "named") or (e.op == "transpose" and e.is_scalar):
            return self.read(e.args[0], column)
        if e.op in BY_ARGUMENTS:
            return BY_ARGUMENTS[e.op](*(self.read(a, column) for a in e.args))
        scalar = record(e.op).scalar_function
        if scalar is not None and len(e.args) == 1 and not e.params:
            return scalar(self.read(e.args[0], column))
        if e.op in NUMBERS and e.is_scalar and all(map(is_small, e.args)):
            matrices = [self.matrices.of(a) for a in e.args]
            if not any(A is None for A in matrices):
                return NUMBERS[e.op](*matrices)
        others = self.others.get(e.args[0].digest) if e.op == "prod" else None
        if others is not None and others.params == e.params and others.shape == self.whole.shape:
            return self.read(others, column) * self.read(e.args[0], column)
        found = BY_COLUMNS[e.op](self, e, column) if column is not None and e.op in BY_COLUMNS else None
        return self._symbol(e, column) if found is None else found

    def _symbol(self, e: Expr, column: int | None) -> Any:
        key = e.digest, column
        if key not in self.symbols:
            sign = {"positive": True} if self.context.known(e, "positive") else {"real": True}
            self.symbols[key] = sp.Dummy(f"x{len(self.symbols)}", **sign)
        return self.symbols[key]

    def block(self, e: Expr, column: int) -> Any:
        """The entry in a column of blocks that stand beside each other."""
        rows = rows_of(e.args, e.params[0])
        for b in rows[0] if len(rows) == 1 else ():
            if not isinstance(b.shape[1], int):
                return None
            if column <= b.shape[1]:
                return self.read(b, column)
            column -= b.shape[1]
        return None

    def slice(self, e: Expr, column: int) -> Any:
        """The entry in a column of some columns."""
        first, last, left, _ = e.params
        whole = is_one(first) and same(last, e.args[0].shape[0])
        return self.read(e.args[0], left + column - 1) if whole and isinstance(left, int) else None

    def total(self, e: Expr, column: int) -> Any:
        """The sum over few columns."""
        count = e.args[0].shape[1]
        few = e.axis == 2 and isinstance(count, int) and count <= MAX_COLUMNS
        return sp.Add(*(self.read(e.args[0], k) for k in range(1, count + 1))) if few else None

    def product(self, e: Expr, column: int) -> Any:
        """The entry in a column of a product with a small matrix."""
        *first, last = e.args
        if not all(isinstance(d, int) and d <= MAX_COLUMNS for d in last.shape):
            return None
        left = core.matmul(*first)
        parts = ((k, self.entries.entry(last, k, column)) for k in range(1, int(last.shape[0]) + 1))
        return sp.Add(*(self.read(left, k) * self.read(x) for k, x in parts))


BY_COLUMNS = {"block": _Reader.block, "slice": _Reader.slice, "matmul": _Reader.product, "sum": _Reader.total}
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
