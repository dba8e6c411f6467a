"""Operations on whatever a traced function computes with: arrays, arrays of rank 3, and conditions.

The libraries' functions are named by these; each takes care of the kinds of its operands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from matcalc import core
from matcalc.dims import Dim, dim, is_one, same
from matcalc.errors import MatcalcError, NoRuleError
from matcalc.expr import Expr, node
from matcalc.frontend.tracing import arrays, masks, tensors
from matcalc.frontend.tracing.arrays import MATRIX, Value, elementwise, entrywise, number, spread
from matcalc.frontend.tracing.masks import Mask
from matcalc.frontend.tracing.reductions import reduced, rooted
from matcalc.frontend.tracing.tensors import Tensor
from matcalc.ops.linalg import solve
from matcalc.ops.products import matmul_

Thing = Value | Tensor | Mask
ONE, TWO = number(1), number(2)


def numeric(a: Thing) -> Value | Tensor:
    """The operand as numbers."""
    return masks.as_numbers(a) if isinstance(a, Mask) else a


def matrix(a: Thing) -> Value:
    """The operand as an array of rank at most 2.

    Raises:
        NoRuleError: it has rank 3.
    """
    if isinstance(a, Tensor):
        raise tensors.refused(a.shape)
    return masks.as_numbers(a) if isinstance(a, Mask) else a


def add(a: Thing, b: Thing) -> Value | Tensor:
    """a + b."""
    x, y = numeric(a), numeric(b)
    if isinstance(x, Value) and isinstance(y, Value):
        return arrays.add(x, y)
    return tensors.added(x, y)


def subtract(a: Thing, b: Thing) -> Value | Tensor:
    """a - b."""
    x, y = numeric(a), numeric(b)
    if isinstance(x, Value) and isinstance(y, Value):
        return arrays.subtract(x, y)
    return tensors.added(x, negative(y))


def multiply(a: Thing, b: Thing) -> Value | Tensor:
    """a * b, entry by entry."""
    x, y = numeric(a), numeric(b)
    if isinstance(x, Value) and isinstance(y, Value):
        if x is y and not x.expr.is_scalar:
            return arrays.power(x, TWO)
        return arrays.multiply(x, y)
    return tensors.multiplied(x, y)


def divide(a: Thing, b: Thing) -> Value | Tensor:
    """a / b, entry by entry."""
    x, y = numeric(a), matrix(b)
    return arrays.divide(x, y) if isinstance(x, Value) else tensors.multiplied(x, arrays.divide(ONE, y))


def negative(a: Thing) -> Value | Tensor:
    """-a."""
    x = numeric(a)
    return arrays.negative(x) if isinstance(x, Value) else tensors.scaled(x, core.number(-1))


def power(a: Thing, b: Thing) -> Value | Tensor:
    """a ** b, entry by entry."""
    x, y = numeric(a), matrix(b)
    if isinstance(x, Value):
        return arrays.power(x, y)
    if y.number is not None and y.number == TWO.number:
        return tensors.squared(x)
    return tensors.mapped(x, lambda e: core.power(e, y.expr))


def square(a: Thing) -> Value | Tensor:
    """a ** 2."""
    return power(a, TWO)


def reciprocal(a: Thing) -> Value | Tensor:
    """1 / a."""
    return divide(ONE, a)


def root(a: Thing) -> Value | Tensor:
    """The square root."""
    return rooted(numeric(a))


def absolute(a: Thing) -> Value | Tensor:
    """The absolute value."""
    return unary("abs")(a)


def unary(operation: str, *params: Any) -> Callable[[Thing], Value | Tensor]:
    """An entrywise function of the catalogue."""

    def call(a: Thing) -> Value | Tensor:
        x = numeric(a)
        if isinstance(x, Tensor):
            return tensors.mapped(x, lambda e: node(operation, (e,), params))
        if x.number is not None and operation == "sqrt":
            return arrays.root(x)
        return entrywise(operation, x, *params)

    call.__name__ = operation
    return call


def extremum(operation: str) -> Callable[[Thing, Thing], Value]:
    """The entrywise maximum or minimum."""
    return lambda a, b: spread(operation, matrix(a), matrix(b))


maximum, minimum = extremum("maximum"), extremum("minimum")


def clip(a: Thing, low: Thing | None, high: Thing | None) -> Value:
    """The entries between two bounds."""
    made = matrix(a) if low is None else maximum(a, low)
    return made if high is None else minimum(made, high)


def compared(relation: str) -> Callable[[Thing, Thing], Mask]:
    """A comparison."""
    return lambda a, b: masks.compared(relation, matrix(a), matrix(b))


def where(condition: Thing, yes: Thing, no: Thing) -> Value:
    """`yes` where the condition holds, `no` elsewhere."""
    if isinstance(condition, Tensor):
        raise tensors.refused(condition.shape)
    return masks.chosen(masks.truth(condition), matrix(yes), matrix(no))


def both(a: Thing, b: Thing) -> Mask:
    """Where both conditions hold."""
    return Mask("and", (_condition(a), _condition(b)))


def either(a: Thing, b: Thing) -> Mask:
    """Where one of the conditions holds."""
    return Mask("or", (_condition(a), _condition(b)))


def inverted(a: Thing) -> Mask:
    """Where a condition does not hold."""
    return masks.inverted(_condition(a))


def _condition(a: Thing) -> Mask:
    if isinstance(a, Tensor):
        raise tensors.refused(a.shape)
    return masks.truth(a)


def total(a: Thing, axis: Any = None, *, keepdims: bool = False) -> Value | Tensor:
    """The sum."""
    return reduced("sum", numeric(a), axis, keepdims=keepdims)


# ------------------------------------------------------------------------------------------------ square matrices


def of_matrix(operation: str, rank: int = MATRIX) -> Callable[[Thing], Value]:
    """A function of one matrix: with a matrix, a column or a number as its value."""

    def call(a: Thing) -> Value:
        x = matrix(a)
        if x.rank != MATRIX:
            raise MatcalcError(f"{operation} needs a matrix, got an array of rank {x.rank}")
        made = node(operation, (x.expr,))
        return Value(made, made.shape[:rank])

    call.__name__ = operation
    return call


def solved(A: Thing, b: Thing) -> Value:
    """The X with A X = b."""
    M, y = matrix(A), matrix(b)
    if M.rank != MATRIX or y.rank == 0:
        raise MatcalcError("solve needs a square matrix and an array")
    return Value(solve(M.expr, y.expr), y.shape)


def diagonal(a: Thing) -> Value:
    """The diagonal matrix of a one-dimensional array, or the diagonal of a square matrix."""
    x = matrix(a)
    if x.rank == 1:
        made = core.diag(x.expr)
        return Value(made, made.shape)
    return diagonal_of(x)


def diagonal_of(a: Thing) -> Value:
    """The diagonal of a square matrix."""
    x = matrix(a)
    if x.rank != MATRIX:
        raise MatcalcError("diagonal needs a matrix")
    made = core.diagvec(x.expr)
    return Value(made, made.shape[:1])


def triangle(operation: str, a: Thing, k: int = 0) -> Value:
    """The lower (`tril`) or upper triangle; for k = -1 and 1 without the diagonal.

    Raises:
        NoRuleError: it is another diagonal.
    """
    x = matrix(a)
    strict = -1 if operation == "tril" else 1
    other = "triu" if operation == "tril" else "tril"
    if k == 0:
        return entrywise(operation, x)
    if k == strict:
        return arrays.subtract(x, entrywise(other, x))
    raise NoRuleError(f"{operation} with k={k}: multiply by a constant mask")


def is_lower(e: Expr) -> bool:
    """Whether a matrix is lower triangular by its form."""
    return e.op in ("chol", "tril", "eye")


def triangular(L: Thing, b: Thing, *, lower: bool, transposed: bool = False, unit: bool = False) -> Value:
    """The solution with the lower or upper triangle of a matrix, or with its transpose."""
    if unit:
        raise NoRuleError("solve_triangular with a unit diagonal: put the ones into the matrix")
    M = matrix(L)
    made = M if _has_form(M.expr, lower=lower) else entrywise("tril" if lower else "triu", M)
    return solved(arrays.transposed(made) if transposed else made, b)


def _has_form(e: Expr, *, lower: bool) -> bool:
    if e.op == "transpose":
        return _has_form(e.args[0], lower=not lower)
    return is_lower(e) if lower else e.op in ("triu", "eye")


def cholesky(a: Thing, *, lower: bool = True) -> Value:
    """The Cholesky factor."""
    made = of_matrix("chol")(a)
    return made if lower else arrays.transposed(made)


def factor_solved(factor: Thing, b: Thing, *, lower: bool) -> Value:
    """The solution with the matrix whose Cholesky factor is given."""
    L = matrix(factor)
    whole = L.expr if lower else core.transpose(L.expr)
    while whole.op == "transpose" and whole.args[0].op == "transpose":
        whole = whole.args[0].args[0]
    if whole.op == "chol":
        return solved(Value(whole.args[0], L.shape), b)
    low = Value(whole, L.shape) if is_lower(whole) else entrywise("tril", Value(whole, L.shape))
    return solved(Value(matmul_(low.expr, core.transpose(low.expr)), L.shape), b)


# ------------------------------------------------------------------------------------------------ form


def transposed(a: Thing, axes: Sequence[int] | None = None) -> Value:
    """The axes in another order."""
    x = matrix(a)
    order = list(axes) if axes is not None else list(range(x.rank))[::-1]
    order = [k + x.rank if k < 0 else k for k in order]
    if sorted(order) != list(range(x.rank)):
        raise MatcalcError(f"transpose: {axes} are not the axes of an array of rank {x.rank}")
    return arrays.transposed(x) if order != list(range(x.rank)) else x


def expanded(a: Thing, axis: int) -> Value | Tensor:
    """A new axis of length 1 at a place."""
    x = matrix(a)
    rank = x.rank + 1
    axis = axis + rank if axis < 0 else axis
    shape = [*x.shape[:axis], 1, *x.shape[axis:]]
    if rank > MATRIX:
        return tensors.expanded(x, shape, [k for k in range(rank) if k != axis])
    return (
        arrays.with_axes(x, shape)
        if axis
        else Value(core.transpose(x.expr), tuple(shape))
        if x.rank
        else Value(x.expr, (1,))
    )


def squeezed(a: Thing, axis: Any = None) -> Value:
    """Without the axes of length 1.

    Raises:
        MatcalcError: an axis that is asked for is longer.
    """
    x = matrix(a)
    given = axis if isinstance(axis, (tuple, list)) else [axis]
    wanted = [k for k, d in enumerate(x.shape) if is_one(d)] if axis is None else [k % x.rank for k in given]
    if any(not is_one(x.shape[k]) for k in wanted):
        raise MatcalcError("squeeze: the axis is not of length 1")
    return arrays.reshaped(x, [d for k, d in enumerate(x.shape) if k not in wanted])


def broadcast_to(a: Thing, shape: Sequence[Dim]) -> Value:
    """The array repeated to a shape."""
    x, target = matrix(a), tuple(map(dim, shape))
    common = arrays.common_shape([x.shape, target], "broadcast_to")
    if len(common) != len(target) or not all(map(same, common, target)):
        raise MatcalcError("broadcast_to: the shapes do not fit")
    return elementwise("broadcast_to", lambda e, _: e, x, arrays.filled(ONE, target))


def filled(value: Thing, shape: Sequence[Dim]) -> Value:
    """An array with one value in all entries."""
    x, target = matrix(value), tuple(map(dim, shape))
    if len(target) > MATRIX:
        raise NoRuleError(f"an array of rank {len(target)}: write it with matrices")
    if x.number is not None and x.number in (0, 1):
        make = core.ones if x.number == 1 else core.zeros
        return Value(make(*arrays.matrix_shape(target)), target)
    return broadcast_to(x, target) if target else x


def arranged(values: Any) -> Value:
    """An array of nested lists of values."""
    if isinstance(values, list):
        return arrays.stacked([arranged(v) for v in values])
    return matrix(values)
