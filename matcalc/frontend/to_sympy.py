"""From matcalc to SymPy: SymPy's own classes where they exist, those of `frontend.catalogue` for the rest.

Everything is built unevaluated and from below, so the cost is linear and no walk of SymPy's goes deep. A 1 x 1 value
is a SymPy scalar, except products of matrices and what is built of such products alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.diagonal import DiagMatrix
from sympy.matrices.expressions.hadamard import HadamardPower
from sympy.matrices.expressions.kronecker import KroneckerProduct

from matcalc.expr import Expr, postorder, record
from matcalc.frontend.catalogue import MatrixOf, ScalarOf, catalogue, sympy_dim
from matcalc.ops.scalars import SymPyFunction
from matcalc.properties import known

_ENTRY = sp.Symbol("x")
HALF = sp.Rational(1, 2)


def to_sympy(
    expr: Expr,
    *,
    leaves: Mapping[Expr, Any] | None = None,
    dims: Mapping[str, Any] | None = None,
    applyfunc: bool = True,
) -> Any:
    """The expression as a SymPy one; named values become symbols.

    Args:
        leaves: SymPy expressions to write for some subexpressions.
        dims: the symbols to write for dimensions, by name.
        applyfunc: whether an entrywise function of a matrix is SymPy's `X.applyfunc(f)`, or an operation of the
            catalogue: SymPy's own would make later sums and products of it walk shared operands exponentially often.

    Example:
        >>> import sympy as sp, matcalc as mc
        >>> X = mc.var("X", "m", "n")
        >>> sp.sympify(mc.tr(X.T @ X) + 1)
        Trace(X.T*X) + 1
    """
    writer = _Writer(dict(leaves or {}), dict(dims or {}), applyfunc)
    for sub in postorder((expr,), through_names=False, stop=writer.done.__contains__):
        written = writer.write(sub)
        hash(written)  # SymPy caches it on the node: no later call recurses deeper than one level
        writer.done[sub] = written
    return writer.done[expr]


class _Writer:
    """What has been written so far, and how to write one more operation."""

    def __init__(self, leaves: dict[Expr, Any], dims: dict[str, Any], applyfunc: bool) -> None:
        self.done = leaves
        self.dims = dims
        self.applyfunc = applyfunc

    def write(self, e: Expr) -> Any:
        native = NATIVE.get(e.op) if e.op in NATIVE else _elementwise if record(e.op).scalar_function else None
        written = native(self, e) if native is not None else None
        if written is not None:
            return written
        shape = (self.dim(e.shape[0]), self.dim(e.shape[1]))
        params = [
            self.dim(value) if param.kind == "dim" else value for param, value in zip(record(e.op).params, e.params)
        ]
        return catalogue(e.op, tuple(self.done[a] for a in e.args), tuple(params), shape)

    def dim(self, size: Any) -> Any:
        return sympy_dim(size, self.dims)

    def matrix(self, e: Expr) -> Any:
        return _as_matrix(self.done[e])

    def scalar(self, e: Expr) -> Any:
        return _as_scalar(self.done[e])

    def matrices(self, e: Expr) -> list[Any]:
        return [self.matrix(a) for a in e.args]


def _as_matrix(value: Any) -> Any:
    if value.is_Matrix:
        return value
    return value.args[0] if isinstance(value, ScalarOf) else sp.Basic.__new__(MatrixOf, value)


def _as_scalar(value: Any) -> Any:
    if not value.is_Matrix:
        return value
    return value.args[0] if isinstance(value, MatrixOf) else sp.Basic.__new__(ScalarOf, value)


def _raw(cls: Any, *args: Any) -> Any:
    """An object of a SymPy class, without its constructor's checks: the shapes are known to fit."""
    return sp.Basic.__new__(cls, *args)


def _symbol(w: _Writer, e: Expr) -> Any:
    name = e.params[0]
    if not e.is_scalar:
        return sp.MatrixSymbol(name, w.dim(e.shape[0]), w.dim(e.shape[1]))
    if e.op == "variable" and known(e, "positive"):
        return sp.Symbol(name, positive=True)
    if e.op == "variable" and known(e, "nonnegative"):
        return sp.Symbol(name, nonnegative=True)
    return sp.Symbol(name)


def _add(w: _Writer, e: Expr) -> Any:
    if e.is_scalar and any(not w.done[a].is_Matrix for a in e.args):
        return sp.Add(*map(w.scalar, e.args), evaluate=False)
    return _raw(sp.MatAdd, *w.matrices(e))


def _scale(w: _Writer, e: Expr) -> Any:
    body = w.done[e.args[-1]]
    factors = [w.scalar(a) for a in e.args[:-1]]
    if not body.is_Matrix:
        return sp.Mul(*factors, body, evaluate=False)
    if e.args[-1].op == "matmul" and isinstance(body, sp.MatMul):
        return _raw(sp.MatMul, *factors, *body.args)
    return _raw(sp.MatMul, *factors, body)


def _power(w: _Writer, e: Expr) -> Any:
    base, exponent = e.args
    if not e.is_scalar:
        return _raw(HadamardPower, w.done[base], w.done[exponent])
    if exponent.number == HALF:
        return None  # SymPy's sqrt is the operation sqrt
    return sp.Pow(w.scalar(base), w.scalar(exponent), evaluate=False)


def _divide(w: _Writer, e: Expr) -> Any:
    if not e.is_scalar:
        return None
    over = sp.Pow(w.scalar(e.args[1]), sp.S.NegativeOne, evaluate=False)
    return sp.Mul(w.scalar(e.args[0]), over, evaluate=False)


def _sqrt(w: _Writer, e: Expr) -> Any:
    return sp.Pow(w.scalar(e.args[0]), HALF, evaluate=False) if e.is_scalar else None


def _elementwise(w: _Writer, e: Expr) -> Any:
    function = record(e.op).scalar_function
    return _apply(w, e, function.function) if isinstance(function, SymPyFunction) else None


def _func(w: _Writer, e: Expr) -> Any:
    f = e.params[0]
    return _apply(w, e, sp.Function(f.name)) if f.body is None and f.order == 0 else None


def _apply(w: _Writer, e: Expr, function: Any) -> Any:
    if e.is_scalar:
        return function(w.scalar(e.args[0]), evaluate=False)
    if not w.applyfunc:
        return None
    return _raw(ElementwiseApplyFunction, sp.Lambda(_ENTRY, function(_ENTRY)), w.done[e.args[0]])


def _polygamma(w: _Writer, e: Expr) -> Any:
    return sp.polygamma(e.params[0], w.scalar(e.args[0]), evaluate=False) if e.is_scalar else None


def _diag(w: _Writer, e: Expr) -> Any:
    vector = w.matrix(e.args[0])
    result = _raw(DiagMatrix, vector)
    result._vector, result._iscolumn = vector, not bool(e.args[0].shape[0] == 1)
    result._shape = (w.dim(e.shape[0]), w.dim(e.shape[1]))
    return result


def _of_matrix(cls: Any, *more: Any) -> Callable[[_Writer, Expr], Any]:
    return lambda w, e: _raw(cls, *w.matrices(e), *more)


def _matrix_only(cls: Any) -> Callable[[_Writer, Expr], Any]:
    return lambda w, e: None if e.is_scalar else _raw(cls, *w.matrices(e))


# The operations that SymPy has; an entry may return None where SymPy's class would read back differently.
NATIVE: dict[str, Callable[[_Writer, Expr], Any]] = {
    "variable": _symbol,
    "named": _symbol,
    "number": lambda w, e: w.dim(e.params[0]),
    "ones": lambda w, e: sp.OneMatrix(*map(w.dim, e.shape)),
    "zeros": lambda w, e: sp.ZeroMatrix(*map(w.dim, e.shape)),
    "eye": lambda w, e: sp.Identity(w.dim(e.shape[0])),
    "add": _add,
    "scale": _scale,
    "power": _power,
    "divide": _divide,
    "sqrt": _sqrt,
    "func": _func,
    "polygamma": _polygamma,
    "diag": _diag,
    "hadamard": _matrix_only(sp.HadamardProduct),
    "matmul": _of_matrix(sp.MatMul),
    "transpose": _of_matrix(sp.Transpose),
    "inv": _of_matrix(sp.Inverse, sp.S.NegativeOne),
    "kron": _of_matrix(KroneckerProduct),
    "tr": _of_matrix(sp.Trace),
    "det": _of_matrix(sp.Determinant),
    "matpow": lambda w, e: None if e.is_scalar else _raw(sp.MatPow, w.matrix(e.args[0]), w.scalar(e.args[1])),
}
