"""Dimensions: positive integers, or exact scalars in sizes that are positive integers.

A dimension is identified by its name: symbols that come in from outside are rebuilt with our own assumptions,
because SymPy holds two `n` with different assumptions for different symbols.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from matcalc import exact
from matcalc.errors import MatcalcError, ShapeError, shorten
from matcalc.exact import Exact, exactly, expand, is_sympy, sp

Dim: TypeAlias = Any  # int, an exact scalar or sympy.Expr (SymPy ships no types)
Shape: TypeAlias = tuple[Dim, Dim]

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def symbol(name: str) -> Dim:
    """The dimension called `name`: a positive integer symbol."""
    return exact.symbol(name)


def dim(value: Any) -> Dim:
    """`value` (a positive integer, a name, or a SymPy expression) as a dimension.

    Raises:
        ShapeError: it is none of these, or not positive.
    """
    if isinstance(value, bool) or value is None:
        raise ShapeError(f"a dimension must be a positive integer or a name, got {value!r}")
    if isinstance(value, str):
        if not NAME.fullmatch(value):
            raise ShapeError(f"a dimension must be a positive integer or a name, got {shorten(repr(value))}")
        return symbol(value)
    if isinstance(value, Exact) or (is_sympy(value) and isinstance(value, sp.Expr)):
        return _rebuilt(value)
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        raise ShapeError(f"a dimension must be a positive integer or a name, got {shorten(repr(value))}") from None
    if number != value or number < 1:
        raise ShapeError(f"a dimension must be a positive integer or a name, got {shorten(repr(value))}")
    return number


def _rebuilt(value: Any) -> Dim:
    if value.is_Symbol:
        return symbol(value.name)
    if value.is_Integer:
        return dim(int(value))
    if isinstance(value, Exact) and value.free_symbols:
        return value
    if not value.free_symbols or value.has(sp.Float, sp.I):
        raise ShapeError(f"a dimension must be a positive integer, got {shorten(str(value))}")
    return simplified(value.xreplace({s: sp.Symbol(s.name, integer=True, positive=True) for s in value.free_symbols}))


def simplified(value: Any) -> Dim:
    """An integer-valued exact scalar as a dimension: an `int` where it is a number."""
    value = expand(value)
    return int(value) if not isinstance(value, int) and value.is_Integer else value


def same(a: Dim, b: Dim) -> bool:
    """Whether two dimensions are provably equal (after expansion)."""
    return a is b or bool(a == b) or (not (isinstance(a, int) and isinstance(b, int)) and _expands_to_zero(a, b))


@lru_cache(maxsize=4096)
def _expands_to_zero(a: Dim, b: Dim) -> bool:
    return bool(expand(exactly(a - b)) == 0)


def times(*dims: Dim) -> Dim:
    """The product of dimensions."""
    product: Dim = 1
    for d in dims:
        product = product * d if isinstance(product, int) and isinstance(d, int) else exact.expanded_product(product, d)
    return product if isinstance(product, int) else simplified(product)


def plus(*dims: Dim) -> Dim:
    """The sum of dimensions."""
    total: Dim = 0
    for d in dims:
        total = total + d
    return total if isinstance(total, int) else simplified(total)


def is_one(d: Dim) -> bool:
    """Whether the dimension is the number 1 (a symbol never is)."""
    return bool(d == 1) if type(d) is int or not isinstance(d, Exact) else d is exact.ONE


def sign(value: Any) -> int | None:
    """The sign of an exact scalar, whatever its dimensions are: 1, 0 or -1; None where they decide it.

    Every question about the size of something symbolic goes through here: `value < 0` has no truth value then.
    """
    value = exact.scalar(value)
    if value.is_zero:
        return 0
    return 1 if value.is_positive else -1 if value.is_negative else None


def surely_negative(d: Dim) -> bool:
    """Whether an exact scalar in positive dimensions is negative whatever they are."""
    return d < 0 if isinstance(d, int) else bool(d.is_negative)


def surely_nonnegative(d: Dim) -> bool:
    """Whether an exact scalar in positive dimensions is nonnegative whatever they are."""
    return d >= 0 if isinstance(d, int) else bool(d.is_nonnegative)


def symbols(dims: Iterable[Dim]) -> list[str]:
    """The names of the symbols in some dimensions, in order of appearance."""
    names: dict[str, None] = {}
    for d in dims:
        if not isinstance(d, int):
            for s in sorted(d.free_symbols, key=lambda s: str(s.name)):
                names.setdefault(s.name)
    return list(names)


def substitute(d: Dim, values: Mapping[str, Dim]) -> Dim:
    """`d` with dimension symbols replaced by name."""
    if isinstance(d, int):
        return d
    if d.is_Symbol:
        return values.get(d.name, d)
    table = {s: exact.scalar(values[s.name]) for s in d.free_symbols if s.name in values}
    return simplified(exactly(d.xreplace(table)))


def evaluate(d: Dim, values: Mapping[str, int]) -> int:
    """The integer that `d` is when its symbols have these values.

    Raises:
        MatcalcError: a symbol has no value.
    """
    result = substitute(d, values)
    if not isinstance(result, int):
        raise MatcalcError(f"no value for the dimension {result}")
    return result


def text(d: Dim) -> str:
    """The dimension as text: `n`, `3`, `2*n + 1`, `n^2`."""
    return str(d).replace("**", "^")


def shape_text(shape: Shape) -> str:
    """The shape as text: `n x 1`; a compound dimension in brackets."""
    return " x ".join(t if NAME.fullmatch(t) or t.isdigit() else f"({t})" for t in map(text, shape))


def same_shape(a: Shape, b: Shape) -> bool:
    """Whether two shapes are provably equal."""
    return a is b or (same(a[0], b[0]) and same(a[1], b[1]))


def is_scalar(shape: Shape) -> bool:
    """Whether the shape is 1 x 1."""
    return is_one(shape[0]) and is_one(shape[1])
