"""Values that depend on indices: a term with the rows and columns that the value itself has, and their arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matcalc import core
from matcalc.dims import Dim, Shape, plus, same, shape_text
from matcalc.expr import number_value
from matcalc.frontend.chains import Operand
from matcalc.indices.conditions import Condition, guarded, unguarded
from matcalc.indices.terms import (
    Apply,
    Entry,
    Index,
    Place,
    Term,
    Total,
    Value,
    negated,
    product_of_terms,
    quotient_of_terms,
    raised,
    renamed,
    side,
    square_of,
    sum_of_terms,
)
from matcalc.ops.elementwise import absolute, sqrt


class NotIndexedError(Exception):
    """Something is not read under an index; `index` is the operand of a chain at which it shows."""

    def __init__(self, message: str, index: int = 0) -> None:
        super().__init__(message)
        self.index = index


class NotLiftedError(NotIndexedError):
    """An operation that has no matrix form under an index; in a loop it has a value."""


@dataclass(frozen=True, eq=False)
class Indexed:
    """A matrix for all values of some indices: its entry at (row, column) is the term.

    Attributes:
        position: the index and the offset, where the value is the number i + offset.
    """

    term: Term
    row: Place = None
    column: Place = None
    position: tuple[Index, Dim] | None = None

    op = "indexed"  # no operation of the catalogue

    @property
    def shape(self) -> Shape:
        """Its rows and columns."""
        return (1 if self.row is None else self.row.size, 1 if self.column is None else self.column.size)

    @property
    def is_scalar(self) -> bool:
        """Whether it is 1 x 1."""
        return self.row is None and self.column is None

    def like(self, term: Term) -> Indexed:
        """Another term with the same rows and columns."""
        return Indexed(term, self.row, self.column)

    @property
    def labels(self) -> list[Index]:
        """Its rows and its columns, where there is more than one."""
        return [p for p in (self.row, self.column) if p is not None]


def as_indexed(value: Any) -> Indexed:
    """Any value as an indexed one."""
    if isinstance(value, Indexed):
        return value
    if value.is_scalar:
        return Indexed(Value(value))
    row, column = (side(size) for size in value.shape)
    return Indexed(Entry(value, row, column), row, column)


def aligned(operands: Sequence[Operand]) -> tuple[list[Term], Place, Place]:
    """The terms of operands in their common shape, over the same rows and columns.

    Raises:
        NotIndexedError: the shapes do not fit.
    """
    values = [as_indexed(o.value) for o in operands]
    row = next((v.row for v in values if v.row is not None), None)
    column = next((v.column for v in values if v.column is not None), None)
    terms = []
    for k, v in enumerate(values):
        table: dict[Index, Place] = {}
        for mine, common in ((v.row, row), (v.column, column)):
            if mine is None or common is None:
                continue
            if not same(mine.size, common.size):
                raise NotIndexedError(
                    f"{operands[k].words} ({shape_text(v.shape)}) does not fit what stands beside it: "
                    f"{mine.size} and {common.size} differ",
                    k,
                )
            table[mine] = common
        terms.append(renamed(v.term, table))
    return terms, row, column


def added(operands: Sequence[Operand], conditions: Sequence[Condition] = ()) -> Indexed:
    """a + b - c."""
    position = _shifted(operands)
    terms, row, column = aligned(operands)
    signed = [negated(t) if o.sign == "-" else t for t, o in zip(terms, operands)]
    return Indexed(sum_of_terms(signed), row, column, position)


def _shifted(operands: Sequence[Operand]) -> tuple[Index, Dim] | None:
    """The position i + k of a sum of one index and whole numbers."""
    moving = [o for o in operands if isinstance(o.value, Indexed)]
    if len(moving) != 1 or moving[0].sign == "-":
        return None
    position = moving[0].value.position  # type: ignore[attr-defined]
    numbers = [o for o in operands if o is not moving[0]]
    if position is None or not all(o.value.op == "number" for o in numbers):
        return None
    values = [number_value(o.value) * (-1 if o.sign == "-" else 1) for o in numbers]
    if not all(v.is_integer for v in values):
        return None
    return position[0], plus(position[1], *(int(v) if v.is_Integer else v for v in values))


def _product(a: Indexed, b: Indexed, words: str, k: int) -> tuple[Indexed, Place]:
    """a*b without its sum, and the index that is to be summed over."""
    if a.column is None or b.row is None:
        if a.column is not b.row:
            raise NotIndexedError(f"cannot multiply {shape_text(a.shape)} by {words} ({shape_text(b.shape)})", k)
        return Indexed(product_of_terms([a.term, b.term]), a.row, b.column), None
    if not same(a.column.size, b.row.size):
        raise NotIndexedError(
            f"cannot multiply {shape_text(a.shape)} by {words} ({shape_text(b.shape)}): "
            f"{a.column.size} and {b.row.size} differ",
            k,
        )
    second = renamed(b.term, {b.row: a.column})
    return Indexed(product_of_terms([a.term, second]), a.row, b.column), a.column


class _Chain:
    """A product from left to right: 1 x 1 factors, divisors, and a chain of matrices with its bound indices."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self.conditions = conditions
        self.scalars: list[Term] = []
        self.divisors: list[Term] = []
        self.bound: list[Index] = []
        self.value: Indexed | None = None

    def guarded(self, divisor: Term) -> Term:
        """A divisor, 1 where the conditions do not hold."""
        return guarded(divisor, self.conditions, core.number(1))

    def summed(self) -> Term:
        """The chain of matrices."""
        assert self.value is not None
        return Total(tuple(self.bound), self.value.term) if self.bound else self.value.term

    def restart(self, value: Indexed | None) -> None:
        """Go on with one value in place of the chain."""
        self.value, self.bound = value, []

    def take(self, o: Operand, k: int) -> None:
        """One operand."""
        v = as_indexed(o.value)
        if o.sign == "/" and not v.is_scalar:
            raise NotIndexedError(f"cannot divide by {o.words} ({shape_text(v.shape)}): / divides by a 1 x 1 value", k)
        if o.sign in ("/", "./") and v.is_scalar:
            self.divisors.append(self.guarded(v.term))
        elif o.sign == "./":
            self.entrywise(o, k, lambda a, b: quotient_of_terms(a, self.guarded(b)))
        elif v.is_scalar:
            self.scalars.append(v.term)
        elif self.value is None:
            self.restart(v)
        elif o.sign == ".*":
            self.entrywise(o, k, lambda a, b: product_of_terms([a, b]))
        else:
            self.value, c = _product(self.value, v, o.words, k)
            self.bound += [] if c is None else [c]
        if self.value is not None and self.value.is_scalar:
            self.scalars.append(self.summed())
            self.restart(None)

    def entrywise(self, o: Operand, k: int, join: Any) -> None:
        """What stands before, entry by entry with an operand."""
        before = Indexed(Value(core.number(1))) if self.value is None else self.value.like(self.summed())
        try:
            (left, right), row, column = aligned([Operand("", before, ""), o])  # type: ignore[arg-type]
        except NotIndexedError as error:
            raise NotIndexedError(str(error), k) from None
        self.restart(Indexed(join(left, right), row, column))


def multiplied(operands: Sequence[Operand], conditions: Sequence[Condition] = ()) -> Indexed:
    """a * b .* c / d from left to right."""
    chain = _Chain(conditions)
    for k, o in enumerate(operands):
        chain.take(o, k)
    factors = [*chain.scalars, *([chain.summed()] if chain.value is not None else [])]
    term = product_of_terms(factors) if factors else Value(core.number(1))
    for divisor in chain.divisors:
        term = quotient_of_terms(term, divisor)
    return Indexed(term) if chain.value is None else chain.value.like(term)


def powered(base: Operand, exponent: Operand, sign: str, conditions: Sequence[Condition]) -> Indexed:
    """base ^ exponent, base .^ exponent.

    Raises:
        NotIndexedError: a matrix power.
    """
    b, e = as_indexed(base.value), as_indexed(exponent.value)
    if sign == "^" and not (b.is_scalar and e.is_scalar):
        raise NotIndexedError(
            f"{base.words} ({shape_text(b.shape)}) depends on an index: .^ is the power by entries", 1
        )
    whole = isinstance(e.term, Value) and e.term.expr.op == "number"
    number = number_value(e.term.expr) if whole and isinstance(e.term, Value) else None
    if number == 2:
        return b.like(_square_of_norm(b.term))
    even = number is not None and number.is_Integer and number > 2 and number % 2 == 0
    if (
        number is not None and even and isinstance(b.term, Apply) and b.term.kind == "root"
    ):  # |x|^4 is (|x|^2)^2, with derivatives at 0
        half = Value(core.number(number / 2))
        return b.like(Apply(raised, (_square_of_norm(b.term), half), "power"))
    if number is None or not (number.is_Integer and number.is_nonnegative):
        b = b.like(guarded(b.term, conditions, core.number(1)))
    (left, right), row, column = aligned(
        [Operand("", b, base.words), Operand("", e, exponent.words)]  # type: ignore[arg-type]
    )
    return Indexed(Apply(raised, (left, right), "power"), row, column)


def _square_of_norm(term: Term) -> Term:
    """The square; of a norm it is the sum of squares itself."""
    if isinstance(term, Apply) and term.kind == "root":
        return unguarded(term.args[0])
    return square_of(term.args[0] if isinstance(term, Apply) and term.kind == "size" else term)


def norm_of(v: Indexed, conditions: Sequence[Condition]) -> Term:
    """The Euclidean norm; its square is the sum of squares itself."""
    if v.is_scalar:
        return Apply(lambda args: absolute(*args), (v.term,), "size")
    squares: Term = Total(tuple(v.labels), square_of(v.term))
    return Apply(lambda args: sqrt(*args), (guarded(squares, conditions, core.number(1)),), "root")
