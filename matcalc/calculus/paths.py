"""The local Jacobians of a graph and the paths of the chain rule: what the steps show.

A path leads from a named value down through the operations of its definition to the next named value or variable.
Unnamed values that are used several times are stops too, so that the number of paths stays linear.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from matcalc.dims import is_one
from matcalc.expr import Expr, postorder, record
from matcalc.linearize import Linearization
from matcalc.map_kinds import (
    Compose,
    Diagonal,
    Identity,
    Inner,
    LinearMap,
    Mask,
    Outer,
    Reshape,
    Sandwich,
    Scaled,
    Sum,
    ToDiag,
    Transposition,
)
from matcalc.walk import depends


@dataclass(frozen=True, slots=True)
class LocalJacobian:
    """One operation seen from one of its arguments: d vec(value) = J d vec(argument).

    Attributes:
        value: the output of the operation.
        argument: the argument.
        map: the linear map from the argument's differential to the output's.
        identity: the identity of the operation's differential.
        source: where it is published.
    """

    value: Expr
    argument: Expr
    map: LinearMap
    identity: str
    source: str


@dataclass(frozen=True, slots=True)
class Path:
    """A path of the chain rule: the operations from `start` (a named value, or the output) down to `end`."""

    start: Expr
    end: Expr
    jacobians: tuple[LocalJacobian, ...]


def shared_values(output: Expr, targets: Iterable[Expr]) -> list[Expr]:
    """The unnamed values on the way to the targets that are used more than once, in order of evaluation."""
    needed = depends((output,), targets)
    uses: dict[Expr, int] = {}
    for e in postorder((output,)):
        if e in needed:
            for a in e.args:
                if a in needed:
                    uses[a] = uses.get(a, 0) + 1
    return [e for e, n in uses.items() if n > 1 and e.args and e.op not in ("named", "transpose", "broadcast")]


def paths_to(output: Expr, targets: Iterable[Expr], stops: Iterable[Expr]) -> dict[Expr, list[Path]]:
    """For each stop, named value and target: the paths that lead to it from the values that use it."""
    wanted = list(targets)
    linear = Linearization((output,), wanted)
    halting = {*stops, *wanted}
    found: dict[Expr, list[Path]] = {}
    starts = [e for e in linear.order if e in linear.needed and (e.op == "named" or e in halting or e is output)]
    for start in starts:
        root = start.definition
        stack: list[tuple[Expr, tuple[LocalJacobian, ...]]] = [(root, ())]
        while stack:
            e, so_far = stack.pop()
            if e.op == "named" or (e in halting and e is not root) or not e.args:
                if e is not start:
                    found.setdefault(e, []).append(Path(start, e, so_far))
                continue
            stack.extend((a, (*so_far, jacobian)) for a, jacobian in reversed(_local(e, linear)))
    return found


def _local(e: Expr, linear: Linearization) -> list[tuple[Expr, LocalJacobian]]:
    entry, value = record(e.op), linear.written(e)
    return [(a, LocalJacobian(value, a, L, entry.identity, entry.source)) for a, L in linear.local(e)]


def collapse_of(L: LinearMap) -> list[str]:
    """The names of the rules that turn the transposed matrix of a map, times vec, into a matrix expression."""
    kinds: list[tuple[type[LinearMap], str]] = [
        (Mask, "diagonal_times_vec"),
        (Sandwich, "kron_times_vec"),
        (Transposition, "commutation_times_vec"),
    ]
    parts = [L]
    names: dict[str, None] = {}
    while parts:
        part = parts.pop(0)
        if isinstance(part, Compose):
            parts = [*part.factors, *parts]
        elif isinstance(part, Sum):
            parts = [*part.terms, *parts]
        elif isinstance(part, Scaled):
            parts = [part.of, *parts]
        for kind, name in kinds:
            if isinstance(part, kind):
                names[name] = None
    return list(names)


def reason_of(j: LocalJacobian) -> str:
    """Why the Jacobian has its form, in one sentence."""
    if isinstance(j.map, Mask) and j.value.is_scalar:
        return NUMBERS
    is_row, is_column = (is_one(d) for d in j.argument.shape)
    if isinstance(j.map, Transposition) and (is_row or is_column):
        return VECTOR_TURNED
    if isinstance(j.map, Sandwich) and is_column and j.map.right is None:
        return COLUMN
    if isinstance(j.map, Sandwich) and is_row and j.map.left is None:
        return ROW
    return next((reason for kind, reason in REASONS if isinstance(j.map, kind)), "")


NUMBERS = "a function of one number: the Jacobian is its derivative"
VECTOR_TURNED = "the transpose of a vector: vec takes it for the same column"
COLUMN = "a matrix times a column: the Jacobian is the matrix"
ROW = "a row times a matrix: the Jacobian is the transpose of the matrix"


REASONS: tuple[tuple[type[LinearMap], str], ...] = (
    (Mask, "every entry depends on one entry only: the Jacobian is diagonal, and its product is elementwise"),
    (Sandwich, "a matrix product: the Jacobian is a Kronecker product"),
    (Transposition, "a transpose: the Jacobian is a commutation matrix"),
    (Inner, "a scalar function: the Jacobian is one row"),
    (Outer, "a scalar argument: the Jacobian is one column"),
    (Identity, "the differential passes unchanged"),
    (ToDiag, "entries move to the diagonal: the Jacobian selects"),
    (Diagonal, "entries are taken from the diagonal: the Jacobian selects"),
    (Reshape, "entries keep their column-major order: the Jacobian is the identity"),
)
