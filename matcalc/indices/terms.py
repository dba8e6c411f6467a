"""Indexed expressions: entries of matrices, arithmetic of 1 x 1 values, sums and reductions over indices.

A term is a 1 x 1 value that depends on its free indices. Every index is an object of its own: what is written twice is
two indices, and nothing is captured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import TypeAlias

from matcalc import core
from matcalc.dims import Dim, is_one, plus
from matcalc.expr import Expr

Build: TypeAlias = Callable[[Sequence[Expr]], Expr]


@dataclass(frozen=True, eq=False, slots=True)
class Index:
    """An index that runs from `first` to `last`; `name` is what the text calls it, empty for rows and columns."""

    name: str
    first: Dim
    last: Dim

    @property
    def size(self) -> Dim:
        """How many values it takes."""
        return plus(self.last, -self.first, 1)


def side(size: Dim) -> Index | None:
    """A new index for the rows or the columns of a matrix; None where there is one only."""
    return None if is_one(size) else Index("", 1, size)


Place: TypeAlias = Index | None
Free: TypeAlias = frozenset[Index]


@dataclass(frozen=True, eq=False, slots=True)
class Value:
    """A 1 x 1 value that depends on no index."""

    expr: Expr
    free: Free = frozenset()


@dataclass(frozen=True, eq=False, slots=True)
class Entry:
    """The entry of a matrix at two indices; an index is None on a side of size 1.

    `words` says what it is, where that is not its matrix: `[i < j]`.
    """

    matrix: Expr
    row: Place
    column: Place
    words: str = ""
    free: Free = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "free", frozenset(p for p in (self.row, self.column) if p is not None))


@dataclass(frozen=True, eq=False, slots=True)
class Apply:
    """An operation, entry by entry; `build` makes the matrix of its values from those of its arguments.

    `kind` is "add", "product" or "quotient", "square" for the product of its argument with itself.
    """

    build: Build
    args: tuple[Term, ...]
    kind: str = ""
    free: Free = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "free", free_of(self.args))


@dataclass(frozen=True, eq=False, slots=True)
class Total:
    """The sum of a term over bound indices."""

    bound: tuple[Index, ...]
    body: Term
    free: Free = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "free", self.body.free - frozenset(self.bound))


@dataclass(frozen=True, eq=False, slots=True)
class Along:
    """A reduction of a term over one index (a maximum), or an operation along it that keeps it (a softmax).

    `build` takes the matrix of values, and the axis along which the index runs: None for a vector.
    """

    build: Callable[[Expr, int | None], Expr]
    index: Index
    body: Term
    keeps: bool = False
    free: Free = field(init=False)

    def __post_init__(self) -> None:
        gone = frozenset() if self.keeps else frozenset((self.index,))
        object.__setattr__(self, "free", self.body.free - gone)


Term: TypeAlias = Value | Entry | Apply | Total | Along


def free_of(terms: Sequence[Term]) -> Free:
    """The free indices of several terms."""
    return reduce(frozenset.union, (t.free for t in terms), frozenset())


def renamed(term: Term, table: Mapping[Index, Place]) -> Term:
    """The term with free indices replaced."""
    here = {old: new for old, new in table.items() if old in term.free}
    if not here:
        return term

    def place(p: Place) -> Place:
        return here.get(p, p) if p is not None else None

    if isinstance(term, Entry):
        return Entry(term.matrix, place(term.row), place(term.column), term.words)
    if isinstance(term, Apply):
        return Apply(term.build, tuple(renamed(a, here) for a in term.args), term.kind)
    if isinstance(term, Total):
        return Total(term.bound, renamed(term.body, here))
    if isinstance(term, Along):
        index = place(term.index)
        assert index is not None
        return Along(term.build, index, renamed(term.body, here), term.keeps)
    return term


def opened(total: Total) -> Total:
    """The same sum over new indices, so that its summand can stand beside others."""
    new = {index: Index(index.name, index.first, index.last) for index in total.bound}
    return Total(tuple(new.values()), renamed(total.body, dict(new.items())))


# ------------------------------------------------------------------------------------------------ arithmetic


def added(args: Sequence[Expr]) -> Expr:
    """The sum of values of one shape."""
    return core.add(*args)


def multiplied(args: Sequence[Expr]) -> Expr:
    """The product, entry by entry, 1 x 1 factors in front."""
    scalars = [a for a in args if a.is_scalar]
    matrices = [a for a in args if not a.is_scalar]
    return core.scale(*scalars, core.hadamard(*matrices)) if matrices else core.scale(*scalars)


def divided(args: Sequence[Expr]) -> Expr:
    """The quotient, entry by entry."""
    above, below = args
    if below.is_scalar:
        return core.scale(core.reciprocal(below), above)
    return core.divide(core.broadcast(above, below.shape), below)


def raised(args: Sequence[Expr]) -> Expr:
    """The power, entry by entry."""
    base, exponent = args
    if exponent.number == 1:
        return base
    if base.is_scalar and exponent.is_scalar:
        return core.matrix_power(base, exponent)
    return core.power(base if exponent.is_scalar else core.broadcast(base, exponent.shape), exponent)


def sum_of_terms(terms: Sequence[Term]) -> Term:
    """The sum of terms."""
    return terms[0] if len(terms) == 1 else Apply(added, tuple(terms), "add")


def product_of_terms(terms: Sequence[Term]) -> Term:
    """The product of terms."""
    return terms[0] if len(terms) == 1 else Apply(multiplied, tuple(terms), "product")


def negated(term: Term) -> Term:
    """-term."""
    return product_of_terms([Value(core.number(-1)), term])


def quotient_of_terms(above: Term, below: Term) -> Term:
    """above/below."""
    if isinstance(below, Value):
        return product_of_terms([Value(core.reciprocal(below.expr)), above])
    return Apply(divided, (above, below), "quotient")


def square_of(term: Term) -> Term:
    """term^2."""
    return Apply(lambda args: raised([args[0], core.number(2)]), (term,), "square")


def total(bound: Sequence[Place], body: Term) -> Term:
    """The sum over indices, those that are there."""
    indices = tuple(b for b in bound if b is not None)
    return Total(indices, body) if indices else body
