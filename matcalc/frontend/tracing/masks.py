"""Comparisons of arrays: they choose between values, and count as 1 and 0 where numbers are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matcalc import core
from matcalc.dims import Dim
from matcalc.expr import Expr
from matcalc.frontend.tracing.arrays import Value, common_shape, number, spread, subtract
from matcalc.properties import known

ONE, ZERO = number(1), number(0)


@dataclass(frozen=True, eq=False)
class Mask:
    """A condition on entries: `a > b`, `a >= b`, or `not`, `and`, `or` of conditions."""

    kind: str
    parts: tuple[Any, ...]

    @property
    def shape(self) -> tuple[Dim, ...]:
        """The shape of the array of truth values."""
        return common_shape([part.shape for part in self.parts], "a comparison")

    @property
    def rank(self) -> int:
        """The number of its axes."""
        return len(self.shape)

    @property
    def number(self) -> None:
        """No number."""
        return None


def compared(relation: str, a: Value, b: Value) -> Mask:
    """a > b, a >= b, a < b, a <= b, a == b or a != b."""
    if relation in ("==", "!="):
        return _equal(a, b) if relation == "==" else inverted(_equal(a, b))
    return Mask(relation, (a, b)) if relation in (">", ">=") else Mask(relation.replace("<", ">"), (b, a))


def _equal(a: Value, b: Value) -> Mask:
    for x, y in ((a, b), (b, a)):
        if is_binary(x.expr) and y.number is not None and y.number in (0, 1):
            found = Mask(">", (x, ZERO))
            return found if y.number == 1 else inverted(found)
    return Mask("and", (Mask(">=", (a, b)), Mask(">=", (b, a))))


def is_binary(e: Expr) -> bool:
    """Whether all entries are surely 0 or 1."""
    if e.op in ("ones", "zeros", "eye") or known(e, "one-hot"):
        return True
    if e.op == "number":
        return e.number in (0, 1)
    if e.op == "where":
        return all(map(is_binary, e.args[2:]))
    return e.op in ("tril", "triu", "transpose", "broadcast", "slice", "hadamard") and all(map(is_binary, e.args))


def inverted(mask: Mask) -> Mask:
    """The opposite condition."""
    return mask.parts[0] if mask.kind == "not" else Mask("not", (mask,))


def truth(value: Value | Mask) -> Mask:
    """A mask itself; of numbers, where they are not 0."""
    if isinstance(value, Mask):
        return value
    return Mask(">", (value, ZERO)) if is_binary(value.expr) else inverted(_equal(value, ZERO))


def chosen(mask: Mask, yes: Value, no: Value) -> Value:
    """`yes` where the condition holds, and `no` elsewhere."""
    if mask.kind == "not":
        return chosen(mask.parts[0], no, yes)
    if mask.kind == "and":
        return chosen(mask.parts[0], chosen(mask.parts[1], yes, no), no)
    if mask.kind == "or":
        return chosen(mask.parts[0], yes, chosen(mask.parts[1], yes, no))
    return spread("where", *mask.parts, yes, no, params=(mask.kind,))


def as_numbers(value: Value | Mask) -> Value:
    """An array of truth values as 1 and 0."""
    if isinstance(value, Value):
        return value
    if value.kind == "not":
        return subtract(ONE, as_numbers(value.parts[0]))
    if value.kind == ">" and value.parts[1] is ZERO and is_binary(value.parts[0].expr):
        return value.parts[0]  # type: ignore[no-any-return]
    made = chosen(value, ONE, ZERO)
    return Value(core.broadcast(made.expr, made.expr.shape), made.shape)
