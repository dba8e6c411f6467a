"""Hessians on vec of a matrix as sums over the rows of the data: sum_i (diag(p_i) - p_i p_i') (x) x_i x_i'.

Where the rows of a value do not mix, its Jacobian on vec is made of factors A (x) I and diag(vec P). Row i then has a
Jacobian of the same form, with A and diag(p_i) for the column p_i of row i of P.

Source: Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matcalc import core
from matcalc.calculus.names import is_local
from matcalc.dims import Dim, is_one, same
from matcalc.expr import Expr, postorder
from matcalc.rewrite.engine import Rewriter
from matcalc.rewrite.terms import join, split

Rows = Callable[[Expr], Expr | None]


@dataclass(frozen=True)
class RowBlocks:
    """factor*sum_i kron(block, outer) + rest, with columns of row i of some matrices in block and outer.

    Attributes:
        factor: the number in front of the sum.
        block: the Jacobian of row i.
        outer: x_i x_i', or what else stands beside it.
        rows: the columns of row i, by the matrices whose rows they are.
        rest: what does not depend on rows; None where there is nothing else.
    """

    factor: Expr
    block: Expr
    outer: Expr
    rows: dict[Expr, Expr]
    rest: Expr | None

    @property
    def term(self) -> Expr:
        """The term of row i."""
        return core.kron(self.block, self.outer)


class _MixedRowsError(Exception):
    """Some part mixes the rows, or a matrix has no name."""


@dataclass(frozen=True)
class _Side:
    """block, applied row by row, times (I (x) last)."""

    block: Expr
    last: Expr


class _Reader:
    """Reads factors as blocks of row i.

    Args:
        count: the number of rows.
        rows_of: a name for the column of row i of a matrix.
    """

    def __init__(self, count: Dim, rows_of: Rows) -> None:
        self.count = count
        self.rows_of = rows_of
        self.rows: dict[Expr, Expr] = {}

    def row(self, e: Expr) -> Expr:
        """The column of row i of a matrix."""
        if e not in self.rows:
            name = self.rows_of(e)
            if name is None:
                raise _MixedRowsError
            self.rows[e] = name
        return self.rows[e]

    def side(self, e: Expr) -> _Side:
        """A product that ends in A (x) B with B by rows."""
        if is_local(e):
            return self.side(e.args[0])
        if e.op == "kron" and same(e.args[1].shape[0], self.count):
            return _Side(*e.args)
        if e.op in ("matmul", "scale"):
            found = self.side(e.args[-1])
            if e.op == "scale":
                return _Side(core.scale(*e.args[:-1], found.block), found.last)
            return _Side(core.matmul(*map(self.block, e.args[:-1]), found.block), found.last)
        if e.op == "add":
            sides = [self.side(t) for t in e.args]
            if len({s.last for s in sides}) == 1:
                return _Side(core.add(*(s.block for s in sides)), sides[0].last)
        raise _MixedRowsError

    def block(self, e: Expr) -> Expr:
        """The block of row i of a matrix that does not mix rows."""
        if is_local(e):
            return self.block(e.args[0])
        if e.op == "kron" and e.args[1].op == "eye" and same(e.args[1].shape[0], self.count):
            return e.args[0]
        if e.op == "diag" and e.args[0].op == "vec" and same(e.args[0].args[0].shape[0], self.count):
            return core.diag(self.row(e.args[0].args[0]))
        if e.op == "eye":
            return core.eye(e.shape[0] / self.count)
        if e.op == "matmul":
            return core.matmul(*map(self.block, e.args))
        if e.op == "add":
            return core.add(*map(self.block, e.args))
        if e.op == "scale":
            return core.scale(*e.args[:-1], self.block(e.args[-1]))
        raise _MixedRowsError


def row_blocks(H: Expr, rewriter: Rewriter, rows_of: Rows) -> RowBlocks | None:
    """A Hessian on vec of a matrix as a sum over rows; None where rows mix, or where there is nothing to see.

    Args:
        H: the Hessian.
        rewriter: simplifies the block.
        rows_of: a name for the column of row i of a matrix; None where it has none.
    """
    counts = {e.args[0].args[0].shape[0] for e in postorder((H,)) if e.op == "diag" and e.args[0].op == "vec"}
    if len(counts) != 1 or is_one(*counts):
        return None
    (count,) = counts
    reader = _Reader(count, rows_of)
    terms = H.args if H.op == "add" else (H,)
    found = [part for part in (_of_term(t, reader, rewriter) for t in terms) if part is not None]
    if len(found) != 1:
        return None
    rest = [t for t in terms if t is not found[0][0]]
    if any(e.op == "diag" for e in postorder(rest)):
        return None
    _, factor, block, outer = found[0]
    return RowBlocks(factor, block, outer, reader.rows, core.add(*rest) if rest else None)


def _of_term(t: Expr, reader: _Reader, rewriter: Rewriter) -> tuple[Expr, Expr, Expr, Expr] | None:
    """The term itself, its factor, the block and the outer product; None for one that is not by rows."""
    coefficient, scalars, body = split(t)
    if body is None or body.op != "matmul" or body.args[0].op != "kron":
        return None
    A, B = body.args[0].args
    if not same(B.shape[1], reader.count):
        return None
    try:
        found = reader.side(core.matmul(*body.args[1:]))
        X = core.turned(B)
        x, y = reader.row(X), reader.row(found.last)
    except _MixedRowsError:
        return None
    block = rewriter.simplify(core.matmul(A, found.block))
    return t, join(coefficient, scalars, None), block, core.matmul(x, core.transpose(y))
