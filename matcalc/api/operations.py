"""The operations as functions for users: SymPy expressions in, SymPy out; matcalc expressions in, matcalc out.

They are made from the registry. Operands are built as matcalc expressions in both cases (on SymPy operands, of
variables that stand in for them), so shapes, broadcasting and errors are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from inspect import Parameter, Signature
from numbers import Real
from operator import index
from typing import Any

import sympy as sp

import matcalc.ops  # noqa: F401  (fills the registry)
from matcalc import core
from matcalc.dims import dim, is_one, same, shape_text
from matcalc.errors import MatcalcError, NoRuleError, ShapeError, shorten
from matcalc.exact import Exact
from matcalc.expr import REGISTRY, REQUIRED, Expr, Op, synonym
from matcalc.frontend.catalogue import ScalarOf, own_symbols, renamed, stand_in
from matcalc.frontend.to_sympy import to_sympy
from matcalc.ops import comparison

Builder = Callable[..., Expr]

RENAMED = {"var": "variance"}  # matcalc.var declares a variable


def _is_sympy(value: Any) -> bool:
    return isinstance(value, (sp.Basic, sp.MatrixBase))


def on_operands(build: Builder, operands: Sequence[Any]) -> Any:
    """`build` of the operands: of matcalc expressions and numbers, or of SymPy expressions through stand-ins.

    Raises:
        MatcalcError: an operand is none of these.
    """
    for operand in operands:
        if isinstance(operand, bool) or not (isinstance(operand, (Expr, Exact, Real)) or _is_sympy(operand)):
            raise MatcalcError(
                f"an operand must be an expression or a number, got {type(operand).__name__} {shorten(repr(operand))}"
            )
    operands = [a._sympy_() if isinstance(a, Exact) else a for a in operands]
    if not any(_is_sympy(a) and not a.is_Number for a in operands):
        return build(*map(core.as_expr, operands))
    written = [to_sympy(a) if isinstance(a, Expr) else sp.sympify(a) for a in operands]
    stand_ins = [_operand(k, a) for k, a in enumerate(written, 1)]
    table = {s: a for s, a in zip(stand_ins, written) if s.op != "number"}
    try:
        value = build(*stand_ins)
    except ShapeError as error:
        raise renamed(error, table) from None
    return to_sympy(value, leaves=table, dims=own_symbols(tuple(written)), applyfunc=False)


def _operand(position: int, operand: Any) -> Expr:
    if operand.is_Number:
        return core.number(operand)
    if isinstance(operand, sp.MatrixBase):
        raise NoRuleError("an explicit matrix of entries has no operation: name it as a MatrixSymbol")
    if not isinstance(operand, sp.Expr):
        raise MatcalcError(f"an operand must be an expression, got {shorten(str(operand))}")
    return stand_in(position, operand)


def spread_all(sign: str, operands: Sequence[Expr]) -> list[Expr]:
    """All operands in their common shape: 1 x 1, 1 x n and m x 1 stretch to m x n.

    Raises:
        ShapeError: there is no common shape.
    """
    shape = operands[0].shape
    for operand in operands:
        for p, q in zip(shape, operand.shape):
            if not (same(p, q) or is_one(p) or is_one(q)):
                raise ShapeError(
                    f"{sign}: shapes {shape_text(shape)} and {shape_text(operand.shape)} do not fit: {p} and {q} "
                    "differ ({} and {})",
                    operands[0],
                    operand,
                )
        shape = (
            operand.shape[0] if is_one(shape[0]) else shape[0],
            operand.shape[1] if is_one(shape[1]) else shape[1],
        )
    return [core.broadcast(operand, shape) for operand in operands]


def _build(entry: Op, *operands: Expr, params: tuple[Any, ...]) -> Expr:
    if entry.name == "power" and operands[1].is_scalar:
        return core.power(*operands)
    spread = spread_all(entry.name, operands) if entry.broadcasts else operands
    return entry(*spread, *params)


def _parameters(entry: Op) -> tuple[list[str], list[Parameter]]:
    """The names of the operands, and the signature's parameters."""
    count = len(entry.example[0].split(",")) if entry.example[0] else 0
    names = ["X"] if count == 1 else ["A", "B", "C", "D"][:count]
    operands = [Parameter(name, Parameter.POSITIONAL_ONLY) for name in names]
    params = [
        Parameter(
            p.name, Parameter.POSITIONAL_OR_KEYWORD, default=p.default if p.default is not REQUIRED else Parameter.empty
        )
        for p in entry.params
    ]
    return names, [*operands, *params]


def _exact(kind: str, value: Any) -> Any:
    """A parameter as its kind wants it.

    Raises:
        MatcalcError: it is of another kind.
    """
    if kind == "dim":
        return dim(value)
    if kind == "number":
        return core.exact(value)
    if kind == "int" or (kind == "axis" and value is not None):
        try:
            return _whole(value)
        except TypeError:
            raise MatcalcError(f"an axis or count must be a whole number, got {shorten(repr(value))}") from None
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    return index(value)


@cache
def public_function(entry: Op) -> Callable[..., Any]:
    """The function that users call for an operation of the catalogue."""
    name = RENAMED.get(entry.name, entry.name)
    operand_names, parameters = _parameters(entry)
    signature = Signature(parameters)

    def function(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise MatcalcError(f"{name}{signature}: {error}") from None
        bound.apply_defaults()
        operands = [bound.arguments[o] for o in operand_names]
        params = tuple(_exact(p.kind, bound.arguments[p.name]) for p in entry.params)
        return on_operands(partial(_build, entry, params=params), operands)

    function.__name__ = function.__qualname__ = name
    function.__signature__ = signature  # type: ignore[attr-defined]
    function.__doc__ = (
        f"The operation `{entry.name}` on SymPy or matcalc expressions.\n\n"
        f"Differential: {entry.identity}\n\nSource: {entry.source}"
    )
    return function


def hadamard(*factors: Any) -> Any:
    """The entrywise product, with broadcasting; a 1 x 1 factor scales.

    Raises:
        MatcalcError: there is no factor.
    """
    if not factors:
        raise MatcalcError("hadamard needs at least one factor")
    return on_operands(_hadamard, factors)


def _hadamard(*factors: Expr) -> Expr:
    scalars = [f for f in factors if f.is_scalar]
    matrices = [f for f in factors if not f.is_scalar]
    return core.scale(*scalars, core.hadamard(*spread_all("hadamard", matrices))) if matrices else core.scale(*scalars)


def where(A: Any, relation: str, B: Any, C: Any, D: Any) -> Any:
    """C where A > B (or >=, <, <=) and D elsewhere, entry by entry, with broadcasting.

    Raises:
        MatcalcError: the relation is another.
    """
    turned = {"<": ">", "<=": ">="}
    if relation not in (">", ">=", *turned):
        raise MatcalcError(f"where compares by >, >=, < or <=, not {relation!r}")

    def build(*operands: Expr) -> Expr:
        A, B, C, D = spread_all("where", operands)
        pair = (B, A) if relation in turned else (A, B)
        return comparison.where(*pair, C, D, turned.get(relation, relation))

    return on_operands(build, (A, B, C, D))


def scalar(M: Any) -> Any:
    """The value of a 1 x 1 matrix expression as a scalar, so that it mixes with scalars: `scalar(x.T*x) + 1`.

    Raises:
        ShapeError: it is not 1 x 1.
    """
    if not isinstance(M, Expr):
        return ScalarOf(M)
    if not M.is_scalar:
        raise ShapeError(f"only a 1 x 1 matrix is a scalar, not {{}} ({shape_text(M.shape)})", M)
    return M


# Functions with a signature of their own.
WRITTEN: dict[str, Callable[..., Any]] = {function.__name__: function for function in (hadamard, where, scalar)}


def _has_function(entry: Op) -> bool:
    return entry.syntax != "inner" and not entry.variadic and entry.name not in WRITTEN


def public_names() -> list[str]:
    """The names of all functions of `matcalc`, those of the user's own operations too; no synonyms."""
    made = [RENAMED.get(entry.name, entry.name) for entry in REGISTRY.values() if _has_function(entry)]
    return [*made, *WRITTEN]


def public(name: str) -> Callable[..., Any] | None:
    """The function of `matcalc` of this name, read from the registry at every call; None where there is none."""
    if name in WRITTEN:
        return WRITTEN[name]
    renamed = {new: old for old, new in RENAMED.items()}
    entry = None if name in RENAMED else REGISTRY.get(renamed.get(name, name)) or synonym(name)
    return public_function(entry) if entry is not None and _has_function(entry) else None
