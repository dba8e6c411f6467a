"""All values of an expression over the index of a loop as one matrix: what need not be computed step by step.

A member that is a vector or a number has a stack, the matrix whose rows are its values. `W*h[t]` over t is the product
of the stack of h with W', and `sum(t, d[t]*h[t]')` is the product of two stacks. The rules are those by which sums over
indices become matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from matcalc.dims import is_one
from matcalc.expr import Expr, record
from matcalc.frontend.chains import Operand
from matcalc.frontend.indexed_calls import applied
from matcalc.frontend.indexed_values import Indexed, NotIndexedError, added, as_indexed, multiplied, powered
from matcalc.indices.contraction import NoMatrixError, matrix_of
from matcalc.indices.program import Run
from matcalc.indices.terms import Entry, Index, side, total
from matcalc.ops.arithmetic import add, divide, hadamard_, scale_
from matcalc.ops.products import matmul_
from matcalc.walk import depends, variables


class Stacker:
    """Lifts expressions over one index.

    Args:
        run: the index.
        stack: the variable for the stack of a member; None where it has none.
    """

    def __init__(self, run: Run, stack: Callable[[Expr], Expr | None]) -> None:
        self.index = Index(run.name, run.first, run.last)
        self.stack = stack
        self.done: dict[Expr, Indexed | Expr] = {}

    def stacked(self, e: Expr) -> Expr:
        """The matrix whose rows are the values of a vector, a row or a number.

        Raises:
            NoMatrixError: it has none.
        """
        if not any(map(is_one, e.shape)):
            raise NoMatrixError("the values of a matrix are no rows")
        value = self.lifted(e)
        return matrix_of(value.term, self.index, value.row if value.row is not None else value.column)

    def summed(self, e: Expr) -> Expr:
        """The sum of all values.

        Raises:
            NoMatrixError: it is no product of matrices.
        """
        value = self.lifted(e)
        return matrix_of(total([self.index], value.term), value.row, value.column)

    def lifted(self, e: Expr) -> Indexed:
        """The expression in entries."""
        moving = [v for v in variables((e,)) if self.stack(v) is not None]
        self.moving = depends((e,), moving)
        try:
            return as_indexed(self.of(e))
        except NotIndexedError as error:
            raise NoMatrixError(str(error)) from None

    def of(self, e: Expr) -> Indexed | Expr:
        """A part of it: in entries where it depends on the index."""
        if e not in self.moving:
            return e
        if e not in self.done:
            self.done[e] = self.leaf(e) if e.op == "variable" else self.operation(e)
        return self.done[e]

    def leaf(self, v: Expr) -> Indexed:
        """A member as an entry of its stack."""
        stack = self.stack(v)
        assert stack is not None
        if v.is_scalar:
            return Indexed(Entry(stack, self.index, None))
        label = side(v.shape[0] if is_one(v.shape[1]) else v.shape[1])
        entry = Entry(stack, self.index, label)
        return Indexed(entry, label, None) if is_one(v.shape[1]) else Indexed(entry, None, label)

    def operation(self, e: Expr) -> Indexed | Expr:
        """An operation of which an argument depends on the index."""
        if e.op == "named":
            return self.of(e.args[0])
        if e.op == "broadcast":
            return self.broadcast(e)
        values = [self.of(a) for a in e.args]
        if e.op == "transpose":
            value = as_indexed(values[0])
            return Indexed(value.term, value.column, value.row)
        if e.op in CHAINS:
            join, sign = CHAINS[e.op]
            operands = [Operand(sign if k else "", v, "") for k, v in enumerate(values)]  # type: ignore[arg-type]
            return join(operands)
        if e.op == "power":
            base, exponent = (Operand("", v, "") for v in values)  # type: ignore[arg-type]
            return powered(base, exponent, ".^", ())
        return applied(record(e.op), [Operand("", v, "") for v in values], list(e.params), ())  # type: ignore[arg-type]

    def broadcast(self, e: Expr) -> Indexed:
        """A number, a column or a row that is repeated."""
        value = as_indexed(self.of(e.args[0]))
        row = value.row if value.row is not None else side(e.shape[0])
        column = value.column if value.column is not None else side(e.shape[1])
        return Indexed(value.term, row, column)


CHAINS: Mapping[str, tuple[Callable[..., Indexed], str]] = {
    add.name: (added, "+"),
    scale_.name: (multiplied, "*"),
    matmul_.name: (multiplied, "*"),
    hadamard_.name: (multiplied, ".*"),
    divide.name: (multiplied, "./"),
}
