"""How an operation is declared: the decorator, shape rules, fact rules and example shapes.

The decorator has no defaults for what makes an operation complete, so an incomplete one cannot be imported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

from matcalc.core import add, number, zeros
from matcalc.core import var as variable
from matcalc.dims import Dim, Shape, is_one, same, same_shape, shape_text, times
from matcalc.errors import MatcalcError, ShapeError
from matcalc.expr import Expr, Op, Param, register
from matcalc.linearize import Linearization
from matcalc.linop import adjoint, apply
from matcalc.map_kinds import LinearMap
from matcalc.maps import compose, identity, map_sum, zero
from matcalc.notation import Notation
from matcalc.properties import BIT
from matcalc.walk import substitute

AXIS = Param("axis", "axis", None)
Domain = Callable[..., tuple[tuple[str, Any], ...]]


def op(
    *,
    shape: Callable[..., Shape],
    latex: Notation | Callable[..., Notation],
    numpy: Notation | Callable[..., Notation],
    domain: Domain,
    source: str,
    example: tuple[Any, ...],
    facts: Callable[..., tuple[int, int]],
    **traits: Any,
) -> Callable[[Callable[..., tuple[Any, ...]]], Op]:
    """Declare an operation: the decorated function is its differential, its docstring the identity.

    The function takes the output, the arguments and the parameters, and returns one linear map for each argument;
    `traits` are further ones of the record, by name.
    """

    def declare(differential: Callable[..., tuple[Any, ...]]) -> Op:
        identity = (differential.__doc__ or "").strip()
        if not identity:
            raise TypeError(f"the operation {differential.__name__} states no identity in its docstring")
        return register(
            Op(
                name=differential.__name__.rstrip("_"),
                identity=identity,
                shape=shape,
                differential=differential,
                latex=latex,
                numpy=numpy,
                domain=domain,
                source=source,
                example=example,
                facts=facts,
                **traits,
            )
        )

    return declare


def anywhere(*_: Any) -> tuple[tuple[str, Any], ...]:
    """No condition: differentiable everywhere (or with the stated convention at kinks)."""
    return ()


def map_by_definition(definition: Callable[..., Expr], args: Sequence[Expr], k: int = 0) -> LinearMap:
    """The differential of `definition(*args)` as a map from that of argument `k`, the other arguments held fixed.

    It is taken at fresh variables: arguments may contain each other (a direction that depends on the point).
    """
    fresh = [variable(f"A{i}", *a.shape) for i, a in enumerate(args)]
    return at_arguments(linearised(definition(*fresh), fresh[k]), dict(zip(fresh, args)))


def linearised(e: Expr, wrt: Expr) -> LinearMap:
    """The differential of `e` as a map from that of a variable, all others held fixed."""
    found: dict[Expr, LinearMap] = {wrt: identity(wrt.shape)}
    linear = Linearization((e,), (wrt,))
    for sub in linear.order:
        parts = [compose(L, found[a]) for a, L in linear.local(sub) if a in found] if sub is not wrt else []
        if parts:
            found[sub] = map_sum(*parts)
    return found.get(e, zero(wrt.shape, e.shape))


def gradient_of(e: Expr, wrt: Expr) -> Expr:
    """The gradient of a 1 x 1 value by a variable, as the chain rule gives it."""
    linear = Linearization((e,), (wrt,))
    parts: dict[Expr, list[Expr]] = {e: [number(1)]}
    for sub in reversed(linear.order):
        if sub is wrt or sub not in linear.needed or sub not in parts:
            continue
        G = add(*parts.pop(sub))
        for a, L in linear.local(sub):
            parts.setdefault(a, []).append(apply(adjoint(L), G))
    return add(*parts[wrt]) if wrt in parts else zeros(*wrt.shape)


def at_arguments(L: LinearMap, table: dict[Expr, Expr]) -> LinearMap:
    """A map with expressions in it replaced by others of their shapes."""

    def new(part: Any) -> Any:
        if isinstance(part, Expr):
            return substitute(part, table)
        if isinstance(part, LinearMap):
            return at_arguments(part, table)
        return tuple(map(new, part)) if isinstance(part, tuple) else part

    return type(L)(**{f.name: new(getattr(L, f.name)) for f in fields(L)})


# ------------------------------------------------------------------------------------------------ shapes


def scalar(*_: Any) -> Shape:
    """1 x 1, whatever the arguments are."""
    return (1, 1)


def like(X: Expr, *_: Any) -> Shape:
    """The shape of the (first) argument."""
    return X.shape


def need_plain(name: str, what: str, value: Any) -> None:
    """Raise MatcalcError where a parameter that stands as a number in generated code depends on a size."""
    if value.free_symbols:
        raise MatcalcError(f"{name}: {what} must be a number that no size changes, got {value}")


def need_square(name: str, X: Expr) -> None:
    """Raise ShapeError unless X is square."""
    if not same(*X.shape):
        raise ShapeError(f"{name} needs a square matrix, but {{}} is {shape_text(X.shape)}", X)


def need_vector(name: str, X: Expr) -> None:
    """Raise ShapeError unless X is a column or a row."""
    if not (is_one(X.shape[0]) or is_one(X.shape[1])):
        raise ShapeError(f"{name} needs a vector (n x 1 or 1 x n), but {{}} is {shape_text(X.shape)}", X)


def need_same(name: str, *args: Expr) -> Shape:
    """The common shape of the arguments; raises ShapeError where there is none."""
    first = args[0]
    for other in args[1:]:
        if not same_shape(first.shape, other.shape):
            raise ShapeError(
                f"{name}: shapes {shape_text(first.shape)} and {shape_text(other.shape)} do not fit: {{}} and {{}}",
                first,
                other,
            )
    return first.shape


def square(name: str) -> Callable[..., Shape]:
    """The shape rule of a function from square matrices to matrices of the same shape."""

    def rule(X: Expr, *_: Any) -> Shape:
        need_square(name, X)
        return X.shape

    return rule


def square_to_scalar(name: str) -> Callable[..., Shape]:
    """The shape rule of a scalar function of a square matrix."""

    def rule(X: Expr, *_: Any) -> Shape:
        need_square(name, X)
        return (1, 1)

    return rule


def all_same(name: str) -> Callable[..., Shape]:
    """The shape rule of an operation on matrices of one shape."""
    return lambda *args: need_same(name, *args)


def reduced(X: Expr, axis: int | None, *_: Any) -> Shape:
    """The shape after a reduction: 1 x 1, or 1 x n over rows (axis 1), or m x 1 over columns (axis 2)."""
    if axis not in (None, 1, 2):
        raise ShapeError(f"axis must be 1 (over rows) or 2 (over columns), got {axis}")
    return (1, 1) if axis is None else (1, X.shape[1]) if axis == 1 else (X.shape[0], 1)


def extent(X: Expr, axis: int | None, *_: Any) -> Dim:
    """How many entries one reduction over the axis has."""
    return times(*X.shape) if axis is None else X.shape[axis - 1]


# ------------------------------------------------------------------------------------------------ facts


def no_facts(*_: Any) -> tuple[int, int]:
    """Nothing is known of the result."""
    return 0, 0


def always(*names: str) -> Callable[..., tuple[int, int]]:
    """These facts hold of every result."""
    mask = sum(BIT[name] for name in names)
    return lambda *_: (mask, 0)


def keeps(*names: str) -> Callable[..., tuple[int, int]]:
    """These facts hold of the result where they hold of every argument."""
    mask = sum(BIT[name] for name in names)

    def rule(_: Expr, *masks: int) -> tuple[int, int]:
        common = mask
        for m in masks:
            common &= m
        return common, 0

    return rule
