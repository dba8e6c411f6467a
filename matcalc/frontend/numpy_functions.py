"""NumPy's functions on matcalc expressions: each gives the operation that it names, or is refused with what to write.

What a function of NumPy is stands in the record of its operation (`numpy_names`, and `numpy` of entrywise functions);
here are those that are written with several operations. Nothing becomes an array of objects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from matcalc import core
from matcalc.dims import is_one, same_shape, shape_text
from matcalc.errors import MatcalcError, shorten
from matcalc.expr import HOOKS, REGISTRY, Expr, Op
from matcalc.notation import Call
from matcalc.ops.comparison import maximum, minimum
from matcalc.ops.decompositions import normnuc
from matcalc.ops.elementwise import log
from matcalc.ops.reductions import norm2
from matcalc.ops.selection import block_of

AXES = {None: None, 0: 1, 1: 2, -1: 2, -2: 1}  # NumPy's axes, and those here
COMPARISONS = ("greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "where")
INSTEAD: dict[str, str] = {
    **dict.fromkeys(COMPARISONS, "comparisons stand in mc.where(A, '>', B, C, D)"),
    "inner": "np.inner is A @ B.T for matrices and x.T @ y for vectors: write the one that is meant",
    "reshape": "NumPy reshapes by rows, mc.reshape(X, m, n) by columns",
    "ravel": "NumPy flattens by rows, mc.vec(X) by columns",
    "slogdet": "write mc.logdet(X), the log of |det|",
    "diag": "write mc.diag(x) for the matrix of a vector, mc.diagvec(X) for the diagonal of a matrix",
    "eigvals": "write mc.eigvals(S) for a symmetric S",
    "eigvalsh": "write mc.eigvals(S) for a symmetric S",
    "eig": "write mc.eigvals(S) for a symmetric S",
    "svd": "write mc.singvals(X) for the singular values",
    "einsum": "write the products and sums that the indices mean",
    "cumsum": "write mc.cumsum(X, axis)",
}


def named(name: str) -> Any:
    """The function of NumPy of this dotted name, `np.linalg.inv`; None where this NumPy has none."""
    head, *rest = name.split(".")
    found: Any = np if head == "np" else None
    for part in rest:
        found = getattr(found, part, None)
    return found


def operation_of(function: Any) -> Op | None:
    """The operation that a function of NumPy names, by the records."""
    for entry in REGISTRY.values():
        names = entry.numpy_names
        if entry.scalar_function is not None and isinstance(entry.numpy, Call):
            names = (*names, entry.numpy.name)
        if any(named(name) is function for name in names):
            return entry
    return None


def as_operand(value: Any) -> Expr:
    """An expression or a number as an expression.

    Raises:
        MatcalcError: it is an array of numbers, or no number.
    """
    if isinstance(value, np.ndarray) and value.size != 1:
        size = " x ".join(map(str, value.shape))
        raise MatcalcError(
            f"an array of numbers ({size}) does not mix with expressions: declare a variable for it, "
            "mc.var('C', rows, columns, ['constant']), and pass its values later; there are mc.ones(m, n), mc.eye(n)"
        )
    if not isinstance(value, (Expr, Real, np.generic, np.ndarray)):
        raise MatcalcError(f"an operand must be an expression or a number, got {shorten(repr(value))}")
    return core.as_expr(value.item() if isinstance(value, (np.ndarray, np.generic)) else value)


def on_ufunc(ufunc: Any, method: str, inputs: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """`np.multiply(A, B)` and the like.

    Raises:
        MatcalcError: it is a reduction, writes into an array, or has no operation.
    """
    if method != "__call__":
        raise MatcalcError(
            f"np.{ufunc.__name__}.{method} is not read on expressions: write np.sum, np.prod or the like"
        )
    if options:
        raise MatcalcError(f"np.{ufunc.__name__} with {', '.join(options)}= is not read on expressions")
    return on_function(ufunc, inputs, {})


def on_function(function: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """`np.sum(A)` and the like.

    Raises:
        MatcalcError: it has no operation, or an option that none has.
    """
    name = function.__name__
    written = WRITTEN.get(name)
    try:
        if written is not None and function in (getattr(np, name, None), getattr(np.linalg, name, None)):
            return written(*args, **options)
        entry = operation_of(function)
        if entry is not None:
            return _called(entry, name, args, options)
    except TypeError as error:
        raise MatcalcError(f"np.{name} on expressions: {error}") from None
    why = INSTEAD.get(name, "write it with the operations of matcalc (mc.sum, mc.hadamard, ...)")
    raise MatcalcError(f"np.{name} is not read on expressions: {why}")


def _called(entry: Op, name: str, args: Sequence[Any], options: Mapping[str, Any]) -> Expr:
    """The operation of a record."""
    count = len(args) if entry.variadic else len(entry.example[0].split(","))
    operands = list(map(as_operand, args[:count]))
    rest = dict(zip(("axis",), args[count:])) | dict(options)
    params: list[Any] = []
    if any(p.kind == "axis" for p in entry.params):
        params = [_axis(name, rest.pop("axis", None), keepdims=rest.pop("keepdims", False))]
    if rest or len(args) > count + len(params):
        raise MatcalcError(f"np.{name} with {', '.join(rest) or 'more arguments'} is not read on expressions")
    if entry.broadcasts:
        return spread(entry, operands)
    return entry(*operands, *params)


def spread(entry: Op, operands: Sequence[Expr]) -> Expr:
    """An operation on operands that stretch to one shape; with 1 x 1 factors a product scales."""
    special: dict[str, Callable[[Any, Any], Expr]] = {
        "hadamard": core.entrywise_product,
        "divide": core.entrywise_quotient,
        "add": core.plus,
    }
    if entry.name in special:
        value = operands[0]
        for operand in operands[1:]:
            value = special[entry.name](value, operand)
        return value
    if entry.name == "power" and operands[1].is_scalar:
        return core.power(*operands)
    return entry(*core.broadcast_pair(operands[0], operands[1], entry.name))


def _axis(name: str, axis: Any, *, keepdims: Any) -> int | None:
    if axis not in AXES or isinstance(axis, bool):
        raise MatcalcError(f"np.{name}: the axis must be None, 0 or 1, got {shorten(repr(axis))}")
    if axis is not None and keepdims is not True:
        raise MatcalcError(
            f"np.{name} with an axis drops it, and every value here is a matrix: add keepdims=True, "
            f"or write mc.{name}(X, axis={AXES[axis]})"
        )
    return AXES[axis]


# ------------------------------------------------------------------------------------------------ written out


def _matmul(A: Any, B: Any) -> Expr:
    return core.matmul(as_operand(A), as_operand(B))


def _dot(A: Any, B: Any) -> Expr:
    return core.product(as_operand(A), as_operand(B))


def _outer(a: Any, b: Any) -> Expr:
    columns = []
    for e in map(as_operand, (a, b)):
        if not (is_one(e.shape[0]) or is_one(e.shape[1])):
            raise MatcalcError(f"np.outer flattens a matrix ({shape_text(e.shape)}) by rows: write x @ y.T of columns")
        columns.append(e if is_one(e.shape[1]) else e.T)
    return core.matmul(columns[0], columns[1].T)


def _vdot(a: Any, b: Any) -> Expr:
    A, B = as_operand(a), as_operand(b)
    if not same_shape(A.shape, B.shape):
        raise MatcalcError(f"np.vdot of {shape_text(A.shape)} and {shape_text(B.shape)}: write x.T @ y of columns")
    return core.total(core.entrywise_product(A, B))


def _norm(x: Any, kind: Any = None, axis: Any = None, **options: Any) -> Expr:
    kind = options.get("ord", kind)
    X = as_operand(x)
    vector = is_one(X.shape[0]) or is_one(X.shape[1])
    if axis is not None:
        raise MatcalcError("np.linalg.norm with an axis: write np.sqrt(np.sum(X**2, axis=..., keepdims=True))")
    if kind in (None, "fro"):
        return norm2(X)
    if kind == "nuc":
        return normnuc(X)
    raise MatcalcError(
        f"np.linalg.norm with ord={kind!r}: write {'mc.norm1(x) or mc.norm2(x)' if vector else 'mc.normspec(X)'}, "
        "which say which norm is meant"
    )


def _transpose(a: Any, axes: Any = None) -> Expr:
    if axes not in (None, (1, 0), [1, 0]):
        raise MatcalcError(f"np.transpose of a matrix has the axes (1, 0), got {axes}")
    return core.transpose(as_operand(a))


def _trace(a: Any, offset: int = 0) -> Expr:
    if offset != 0:
        raise MatcalcError("np.trace with an offset is not read on expressions")
    return core.trace(as_operand(a))


def _clip(a: Any, a_min: Any, a_max: Any) -> Expr:
    low = spread(maximum, (as_operand(a), as_operand(a_min)))
    return spread(minimum, (low, as_operand(a_max)))


def _concatenate(arrays: Sequence[Any], axis: int = 0) -> Expr:
    parts = list(map(as_operand, arrays))
    return block_of([[part] for part in parts] if AXES[axis] == 1 else [parts])


def _log_by(base: int) -> Callable[[Any], Expr]:
    logarithm = log(core.number(base))
    return lambda x: core.quotient(log(as_operand(x)), logarithm)


WRITTEN: dict[str, Callable[..., Any]] = {
    "matmul": _matmul,
    "dot": _dot,
    "outer": _outer,
    "vdot": _vdot,
    "norm": _norm,
    "transpose": _transpose,
    "trace": _trace,
    "clip": _clip,
    "concatenate": _concatenate,
    "hstack": lambda arrays: _concatenate(arrays, 1),
    "vstack": _concatenate,
    "block": lambda rows: block_of([list(map(as_operand, row)) for row in rows]),
    "subtract": lambda A, B: core.difference(as_operand(A), as_operand(B)),
    "negative": lambda A: core.minus(as_operand(A)),
    "positive": as_operand,
    "conjugate": as_operand,
    "square": lambda A: core.power(as_operand(A), 2),
    "reciprocal": lambda A: core.power(as_operand(A), -1),
    "cbrt": lambda A: core.power(as_operand(A), core.number(1) / 3),
    "matrix_power": lambda A, k: core.matrix_power(as_operand(A), int(k)),
    "log2": lambda x: _log_by(2)(x),
    "log10": lambda x: _log_by(10)(x),
    "ones_like": lambda A: core.ones(*A.shape),
    "zeros_like": lambda A: core.zeros(*A.shape),
    "shape": lambda A: A.shape,
}


HOOKS["ufunc"] = on_ufunc
HOOKS["numpy"] = on_function
