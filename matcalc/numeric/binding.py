"""Arrays for variables: converted to matrices, and their sizes unified with the symbolic dimensions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from matcalc import dims as dimensions
from matcalc.dims import Dim, is_one, shape_text
from matcalc.errors import MatcalcError, ShapeError, shorten
from matcalc.expr import Expr

Array: TypeAlias = NDArray[Any]


def matrix(variable: Expr, value: Any, *, allow_complex: bool = False) -> Array:
    """`value` as a 2-D floating array for a variable.

    A 1-D array is taken for n x 1 or 1 x n, a number for 1 x 1; integers and truth values become float64.

    Raises:
        ShapeError: it has three dimensions, or fewer than the variable's shape allows.
        MatcalcError: it is complex (unless allowed) or not numeric.
    """
    name = variable.params[0]
    if np.ma.is_masked(value):
        raise MatcalcError(f"{name} has masked entries: fill them first")
    try:
        array = np.asarray(value)
    except ValueError:
        raise MatcalcError(f"{name} must be a rectangular array of real numbers") from None
    kind = array.dtype.kind
    if kind == "c" and not allow_complex:
        raise MatcalcError(f"{name} must be real, got a complex array ({array.dtype})")
    if kind not in "biufc":
        raise MatcalcError(f"{name} must be an array of real numbers, got dtype {array.dtype}")
    if kind in "biu":
        array = array.astype(np.float64)
    rows, cols = variable.shape
    if array.ndim == 2:
        return array
    if array.ndim == 1 and is_one(cols):
        return array.reshape(-1, 1)
    if array.ndim <= 1 and is_one(rows) and (array.ndim == 1 or is_one(cols)):
        return array.reshape(1, -1)
    got = "a number" if array.ndim == 0 else f"a {array.ndim}-D array of shape {array.shape}"
    raise ShapeError(f"{name} must be a 2-D array ({shape_text(variable.shape)}), got {got}")


def matrices(variables: Iterable[Expr], arrays: Mapping[str, Any], *, allow_complex: bool = False) -> dict[str, Array]:
    """The value of each variable as a 2-D array.

    Raises:
        MatcalcError: a variable has no value, or one that cannot be converted.
    """
    result = {}
    for variable in variables:
        name = variable.params[0]
        if name not in arrays:
            raise MatcalcError(f"no value is given for {name} ({shape_text(variable.shape)})")
        result[name] = matrix(variable, arrays[name], allow_complex=allow_complex)
    return result


def bind(
    variables: Iterable[Expr],
    arrays: Mapping[str, Any],
    dims: Mapping[str, Any] | None = None,
    *,
    allow_complex: bool = False,
) -> tuple[dict[str, Array], dict[str, int]]:
    """The value of each variable as a 2-D array, and of every dimension that the arrays and `dims` determine.

    Raises:
        ShapeError: an array does not fit its variable's shape, or two arrays disagree.
        MatcalcError: a variable has no value, or one that is not numeric.
    """
    variables = list(variables)
    values = matrices(variables, arrays, allow_complex=allow_complex)
    known = {name: _size(name, value) for name, value in (dims or {}).items()}
    pending = [(variable, axis) for variable in variables for axis in (0, 1)]
    while pending:
        left = []
        for variable, axis in pending:
            needed = dimensions.substitute(variable.shape[axis], known)
            got = values[variable.params[0]].shape
            if isinstance(needed, int):
                if needed != got[axis]:
                    raise _mismatch(variable, got, known)
            elif not _learn(needed, got[axis], known, variable, got):
                left.append((variable, axis))
        if len(left) == len(pending):
            variable, axis = left[0]
            raise MatcalcError(
                f"the shape of {variable.params[0]} ({shape_text(variable.shape)}) does not determine "
                f"{' and '.join(dimensions.symbols((variable.shape[axis],)))}: give dims={{...}}"
            )
        pending = left
    return values, known


def _size(name: str, value: Any) -> int:
    result = dimensions.dim(value)
    if not isinstance(result, int):
        raise MatcalcError(f"the dimension {name} must be a positive integer, got {shorten(repr(value))}")
    return result


def _learn(needed: Dim, got: int, known: dict[str, int], variable: Expr, shape: tuple[int, ...]) -> bool:
    """Solve `needed == got` for its only symbol if it is linear in it; return whether it could."""
    needed = sp.sympify(needed)
    symbols = sorted(needed.free_symbols, key=str)
    if len(symbols) != 1 or sp.degree(needed, symbols[0]) != 1:
        return False
    slope = needed.coeff(symbols[0], 1)
    value = (got - needed.coeff(symbols[0], 0)) / slope
    if not (value.is_Integer and value > 0):
        raise _mismatch(variable, shape, known)
    known[symbols[0].name] = int(value)
    return True


def _mismatch(variable: Expr, got: tuple[int, ...], known: Mapping[str, int]) -> ShapeError:
    used = [f"{name} = {known[name]}" for name in dimensions.symbols(variable.shape) if name in known]
    given = f" with {', '.join(used)}" if used else ""
    return ShapeError(
        f"{variable.params[0]} has the shape {got[0]} x {got[1]}; needed {shape_text(variable.shape)}{given}"
    )
