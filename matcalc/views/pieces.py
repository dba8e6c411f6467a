"""Row i or column j of an expression, as a column: where the rows or columns of a value do not mix, one says it all.

A sum over axis 1 stays in one column, one over axis 2 in one row; `along` is that axis.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import reduce

from matcalc import core
from matcalc.expr import Expr, record
from matcalc.walk import depends, rebuild

COLUMNS, ROWS = 1, 2
Names = Callable[[Expr, int], "Expr | None"]


class MixedError(Exception):
    """The rows or columns mix, or a part of the expression has no name."""


class Pieces:
    """Column j (`along` 1) or row i (2) of expressions in some differentials.

    Args:
        along: whether of columns or of rows.
        moving: the differentials.
        name: a name for the piece of a named value or variable, and of a differential.
    """

    def __init__(self, along: int, moving: Collection[Expr], name: Names) -> None:
        self.along = along
        self.moving = moving
        self.name = name

    def of(self, e: Expr) -> Expr:
        """The piece of an expression.

        Raises:
            MixedError: it depends on other rows or columns of the differentials.
        """
        if e.op in ("variable", "named"):
            return self._named(e)
        if e.op == "transpose":
            return Pieces(COLUMNS + ROWS - self.along, self.moving, self.name).of(e.args[0])
        if e.op == "broadcast":
            return self._spread(e.args[0], e)
        if e.op == "matmul":
            return self._product(e)
        if e.op in ("sum", "mean") and e.params[0] == self.along:
            return (core.total if e.op == "sum" else core.mean)(self.of(e.args[0]))
        if e.op == "scale":
            return core.scale(*map(self._still, e.args[:-1]), self.of(e.args[-1]))
        if e.op in ("add", "hadamard"):
            return rebuild(e, [self.of(a) for a in e.args])
        if e.op == "power" or (e.args and record(e.op).scalar_function is not None):
            return rebuild(e, [self.of(e.args[0]), *e.args[1:]])
        raise MixedError

    def _named(self, e: Expr) -> Expr:
        found = self.name(e, self.along)
        if found is None:
            raise MixedError
        return found

    def _still(self, e: Expr) -> Expr:
        """What is the same for all pieces, and does not move."""
        if depends((e,), self.moving) & {e}:
            raise MixedError
        return e

    def _spread(self, a: Expr, e: Expr) -> Expr:
        length = e.shape[0] if self.along == COLUMNS else e.shape[1]
        if a.is_scalar:
            return core.broadcast(self._still(a), (length, core.number(1).shape[0]))
        if a.shape[self.along == COLUMNS] == e.shape[self.along == COLUMNS]:  # one number for each piece
            return core.broadcast(self.of(a), (length, core.number(1).shape[0]))
        return self._still(a if self.along == COLUMNS else core.turned(a))

    def _product(self, e: Expr) -> Expr:
        if self.along == COLUMNS:
            *others, last = e.args
            return reduce(core.product, [*map(self._still, others), self.of(last)])
        first, *others = e.args
        return reduce(core.product, [*(core.turned(self._still(f)) for f in reversed(others)), self.of(first)])


def is_apart(e: Expr, along: int, moving: Collection[Expr]) -> bool:
    """Whether each row or column of an expression depends on the same one of the differentials only."""

    def anything(v: Expr, axis: int) -> Expr:
        rows = v.shape[0] if axis == COLUMNS else v.shape[1]
        return core.var(f"{v.name}_", rows, 1)

    try:
        Pieces(along, moving, anything).of(e)
    except MixedError:
        return False
    return True
