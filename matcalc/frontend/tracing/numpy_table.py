"""What NumPy's functions are: by the records of the operations, and here where several make one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from matcalc import core
from matcalc.errors import NoRuleError
from matcalc.expr import Op
from matcalc.frontend.tracing import arrays, operations, products, reductions
from matcalc.frontend.tracing.arrays import MATRIX, Value, number
from matcalc.frontend.tracing.operations import Thing, matrix, numeric, unary
from matcalc.ops.elementwise import log
from matcalc.ops.pairs import conv


@dataclass(frozen=True)
class Entry:
    """A function on what tracers stand for; the first `operands` arguments are arrays."""

    function: Callable[..., Any]
    operands: int = 1


def _reduction(operation: str) -> Callable[..., Any]:
    def call(a: Thing, axis: Any = None, *, keepdims: bool = False) -> Any:
        return reductions.reduced(operation, numeric(a), axis, keepdims=keepdims)

    return call


def _spread(operation: str) -> Callable[..., Any]:
    def call(a: Thing, axis: Any = None, *, ddof: int = 0, keepdims: bool = False) -> Any:
        return reductions.reduced(operation, matrix(a), axis, keepdims=keepdims, params=(ddof,))

    return call


def _slogdet(a: Thing) -> tuple[Value, Value]:
    determinant = operations.of_matrix("det", 0)(a)
    return arrays.entrywise("sign", determinant), operations.of_matrix("logdet", 0)(a)


def _trace(a: Thing, offset: int = 0) -> Value:
    if offset:
        raise NoRuleError("the trace with an offset")
    return operations.of_matrix("tr", 0)(a)


def _diagonal(a: Thing, offset: int = 0) -> Value:
    if offset:
        raise NoRuleError("another diagonal than the main one")
    return operations.diagonal_of(a)


def _diag(a: Thing, k: int = 0) -> Value:
    if k:
        raise NoRuleError("another diagonal than the main one")
    return operations.diagonal(a)


def _svd(a: Thing, full_matrices: bool = True, compute_uv: bool = True) -> Value:
    if compute_uv:
        raise NoRuleError("singular vectors: only the values, np.linalg.svd(X, compute_uv=False), are read")
    return operations.of_matrix("singvals", 1)(a)


def _transpose(a: Thing, axes: Any = None) -> Value:
    return operations.transposed(a, axes)


def _swapped(a: Thing, i: int, j: int) -> Value:
    x = matrix(a)
    return arrays.transposed(x) if x.rank == MATRIX and i % MATRIX != j % MATRIX else x


def _stack(parts: Sequence[Thing], axis: int = 0) -> Value:
    return arrays.stacked([matrix(p) for p in parts], axis)


def _concatenate(parts: Sequence[Thing], axis: Any = 0) -> Value:
    given = [matrix(p) for p in parts]
    return arrays.joined([products.flat(p) for p in given], 0) if axis is None else arrays.joined(given, axis)


def _hstack(parts: Sequence[Thing]) -> Value:
    given = [arrays.reshaped(p, (1,)) if p.rank == 0 else p for p in map(matrix, parts)]
    return arrays.joined(given, 0 if given[0].rank == 1 else 1)


def _vstack(parts: Sequence[Thing]) -> Value:
    return arrays.joined([arrays.with_axes(p, (1, *p.shape)) if p.rank < MATRIX else p for p in map(matrix, parts)], 0)


def column_stack(parts: Sequence[Thing]) -> Value:
    """One-dimensional arrays as columns beside matrices."""
    return arrays.joined([arrays.with_axes(p, (*p.shape, 1)) if p.rank < MATRIX else p for p in map(matrix, parts)], 1)


def _block(rows: Any) -> Value:
    if not isinstance(rows, list):
        return matrix(rows)
    lines = [row if isinstance(row, list) else [row] for row in rows] if isinstance(rows[0], list) else [rows]
    return _vstack([_hstack([two_axes(matrix(p)) for p in line]) for line in lines])


def two_axes(a: Value) -> Value:
    return a if a.rank == MATRIX else arrays.reshaped(a, (1, -1))


def _einsum(subscripts: str, *operands: Any, optimize: Any = None) -> Any:
    return products.einsum(subscripts, [matrix(a) for a in operands])


def _logarithm(base: int) -> Callable[[Thing], Any]:
    divisor = Value(log(core.number(base)), ())
    return lambda a: operations.divide(unary("log")(a), divisor)


def _logaddexp(a: Thing, b: Thing) -> Any:
    return operations.add(b, unary("softplus")(operations.subtract(a, b)))


def _matrix_power(a: Thing, k: int) -> Value:
    x = matrix(a)
    if k == 0:
        return Value(core.eye(x.shape[0]), x.shape)
    if k < -1:
        x, k = operations.of_matrix("inv")(x), -k
    return x if k == 1 else Value(core.matrix_power(x.expr, int(k)), x.shape)


def _average(a: Thing, axis: Any = None, weights: Any = None) -> Any:
    if weights is None:
        return reductions.reduced("mean", numeric(a), axis)
    return reductions.averaged(matrix(a), matrix(weights), axis)


def _convolve(a: Thing, v: Thing, mode: str = "full") -> Value:
    if mode != "full":
        raise NoRuleError(f"convolve with mode={mode!r}")
    made = conv(matrix(a).expr, matrix(v).expr)
    return Value(made, made.shape[:1])


def _expanded(a: Thing, axis: Any) -> Any:
    return operations.expanded(a, axis)


def _like(value: int) -> Callable[..., Value]:
    return lambda a, shape=None: operations.filled(number(value), matrix(a).shape if shape is None else shape)


def _full_like(a: Thing, fill: Any) -> Value:
    return operations.filled(fill if isinstance(fill, Value) else number(fill), matrix(a).shape)


def _reshape(a: Thing, shape: Any, order: str = "C") -> Value:
    x = matrix(a)
    sizes = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if order == "F":
        flipped = arrays.reshaped(arrays.transposed(x), sizes[::-1])
        return arrays.transposed(flipped)
    return arrays.reshaped(x, sizes)


def _ravel(a: Thing, order: str = "C") -> Value:
    return products.flat(arrays.transposed(matrix(a)) if order == "F" else matrix(a))


def _where(condition: Thing, *choices: Any) -> Value:
    if len(choices) != 2:
        raise NoRuleError("np.where(condition) without values gives indices that depend on data")
    return operations.where(condition, *choices)


def norm_of(x: Thing, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002
    exact = ord.number if isinstance(ord, Value) else ord
    return reductions.norm(numeric(x), exact, axis, keepdims=keepdims)


def _clip(a: Thing, a_min: Any = None, a_max: Any = None) -> Value:
    low, high = (number(v) if isinstance(v, (int, float)) else v for v in (a_min, a_max))
    return operations.clip(a, low, high)


def _copied(a: Thing, *_: Any, **__: Any) -> Thing:
    return a


NUMPY: dict[str, Entry] = {
    "matmul": Entry(products.matmul, 2),
    "dot": Entry(products.dot, 2),
    "inner": Entry(lambda a, b: products.inner(matrix(a), matrix(b)), 2),
    "outer": Entry(lambda a, b: products.outer(matrix(a), matrix(b)), 2),
    "linalg.outer": Entry(lambda a, b: products.outer(matrix(a), matrix(b)), 2),
    "vdot": Entry(lambda a, b: products.vdot(matrix(a), matrix(b)), 2),
    "linalg.matmul": Entry(products.matmul, 2),
    "kron": Entry(lambda a, b: products.kron(matrix(a), matrix(b)), 2),
    "einsum": Entry(_einsum, 0),
    "linalg.multi_dot": Entry(lambda parts: products.chain([matrix(p) for p in parts])),
    "linalg.norm": Entry(norm_of),
    "linalg.vector_norm": Entry(norm_of),
    "linalg.matrix_norm": Entry(norm_of),
    "linalg.slogdet": Entry(_slogdet),
    "linalg.svd": Entry(_svd),
    "linalg.svdvals": Entry(operations.of_matrix("singvals", 1)),
    "linalg.eigvalsh": Entry(operations.of_matrix("eigvals", 1)),
    "linalg.solve": Entry(operations.solved, 2),
    "linalg.matrix_power": Entry(_matrix_power),
    "linalg.cholesky": Entry(lambda a: operations.cholesky(a)),
    "trace": Entry(_trace),
    "linalg.trace": Entry(_trace),
    "diagonal": Entry(_diagonal),
    "linalg.diagonal": Entry(_diagonal),
    "diag": Entry(_diag),
    "tril": Entry(lambda m, k=0: operations.triangle("tril", m, k)),
    "triu": Entry(lambda m, k=0: operations.triangle("triu", m, k)),
    "transpose": Entry(_transpose),
    "matrix_transpose": Entry(lambda a: operations.transposed(a)),
    "linalg.matrix_transpose": Entry(lambda a: operations.transposed(a)),
    "swapaxes": Entry(_swapped),
    "reshape": Entry(_reshape),
    "ravel": Entry(_ravel),
    "squeeze": Entry(operations.squeezed),
    "expand_dims": Entry(_expanded),
    "broadcast_to": Entry(operations.broadcast_to),
    "stack": Entry(_stack),
    "concatenate": Entry(_concatenate),
    "hstack": Entry(_hstack),
    "vstack": Entry(_vstack),
    "column_stack": Entry(column_stack),
    "append": Entry(lambda a, values, axis=None: _concatenate([a, values], axis), 2),
    "block": Entry(_block, 0),
    "subtract": Entry(operations.subtract, 2),
    "negative": Entry(operations.negative),
    "positive": Entry(_copied),
    "conjugate": Entry(_copied),
    "real": Entry(_copied),
    "copy": Entry(_copied),
    "square": Entry(operations.square),
    "reciprocal": Entry(operations.reciprocal),
    "cbrt": Entry(lambda a: operations.power(a, arrays.divide(number(1), number(3)))),
    "exp2": Entry(lambda a: operations.power(number(2), a)),
    "log2": Entry(_logarithm(2)),
    "log10": Entry(_logarithm(10)),
    "hypot": Entry(lambda a, b: operations.root(operations.add(operations.square(a), operations.square(b))), 2),
    "logaddexp": Entry(_logaddexp, 2),
    "power": Entry(operations.power, 2),
    "float_power": Entry(operations.power, 2),
    "add": Entry(operations.add, 2),
    "multiply": Entry(operations.multiply, 2),
    "divide": Entry(operations.divide, 2),
    "maximum": Entry(operations.maximum, 2),
    "minimum": Entry(operations.minimum, 2),
    "fmax": Entry(operations.maximum, 2),
    "fmin": Entry(operations.minimum, 2),
    "clip": Entry(_clip),
    "where": Entry(_where, 3),
    "greater": Entry(operations.compared(">"), 2),
    "greater_equal": Entry(operations.compared(">="), 2),
    "less": Entry(operations.compared("<"), 2),
    "less_equal": Entry(operations.compared("<="), 2),
    "equal": Entry(operations.compared("=="), 2),
    "not_equal": Entry(operations.compared("!="), 2),
    "logical_and": Entry(operations.both, 2),
    "logical_or": Entry(operations.either, 2),
    "logical_not": Entry(operations.inverted),
    "var": Entry(_spread("var")),
    "std": Entry(_spread("std")),
    "average": Entry(_average),
    "cumsum": Entry(lambda a, axis=None: reductions.cumulated(matrix(a), axis)),
    "diff": Entry(lambda a: reductions.differences(matrix(a))),
    "convolve": Entry(_convolve, 2),
    "ones_like": Entry(_like(1)),
    "zeros_like": Entry(_like(0)),
    "empty_like": Entry(_like(0)),
    "full_like": Entry(_full_like),
}


def by_record(entry: Op) -> Entry | None:
    """A function as the record of its operation has it."""
    if entry.scalar_function is not None:
        return Entry(unary(entry.name))
    if any(p.kind == "axis" for p in entry.params):
        return Entry(_reduction(entry.name)) if len(entry.params) == 1 else None
    if entry.example[0] in ("n n", "m n") and not entry.params:
        shape = entry.name in ("det", "tr", "logdet")
        return Entry(operations.of_matrix(entry.name, 0 if shape else MATRIX))
    return None
