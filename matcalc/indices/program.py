"""Programs with families and recurrences: what runs over an index and is not a product of matrices.

Inside of a loop everything is a matrix expression in *members*: variables that stand for `u[k]`, `h[t - 1]`, `X[k, :]`
or the number k. A program is a list of quantities, each made of earlier ones: sums over an index and groups of
recurrences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from operator import ge, gt, le, lt, ne
from typing import TypeAlias

from matcalc import core
from matcalc.dims import Dim, Shape, plus
from matcalc.dims import text as dim_text
from matcalc.errors import NoRuleError
from matcalc.expr import Expr
from matcalc.properties import names_of
from matcalc.walk import substitute, variables

RELATIONS: dict[str, Callable[[int, int], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge, "!=": ne}


@dataclass(frozen=True)
class Run:
    """An index that runs from `first` to `last` in a loop."""

    name: str
    first: Dim
    last: Dim

    @property
    def text(self) -> str:
        """As the text syntax writes it."""
        return f"{self.name}={dim_text(self.first)}..{dim_text(self.last)}"

    @property
    def count(self) -> Dim:
        """How many values it takes."""
        return plus(self.last, -self.first, 1)


@dataclass(frozen=True)
class Guard:
    """A condition between two indices that run in loops: `left RELATION right + offset`."""

    left: str
    relation: str
    right: str
    offset: Dim = 0

    @property
    def text(self) -> str:
        """As the text syntax writes it."""
        return f"{self.left} {self.relation} {place_text(self.right, self.offset)}"

    def holds(self, places: Mapping[str, int], offset: int) -> bool:
        """Whether it holds where the indices have these values."""
        return RELATIONS[self.relation](places[self.left], places[self.right] + offset)

    def renamed(self, names: Mapping[str, str]) -> Guard:
        """The same with other names for its indices."""
        return replace(self, left=names.get(self.left, self.left), right=names.get(self.right, self.right))

    def shifted(self, index: str, by: Dim) -> Guard:
        """The condition where an index is moved by a number."""
        offset = plus(self.offset, *([by] if self.right == index else []), *([-by] if self.left == index else []))
        return replace(self, offset=offset)


@dataclass(frozen=True, eq=False)
class Family:
    """Variables of one shape, one for each value of an index."""

    name: str
    run: Run
    shape: Shape
    facts: tuple[str, ...] = ()


@dataclass(eq=False)
class Recurrence:
    """Values of one shape, each made of earlier ones; `starts` by position, `body` holds from `run.first` on.

    Where there are `inner` runs, a value is the sum of the body over them, as far as the `guards` hold; with `largest`
    the largest of the values, by entries, taken as constant.
    """

    name: str
    shape: Shape | None = None
    starts: dict[int, Expr] = field(default_factory=dict)
    run: Run | None = None
    body: Expr | None = None
    inner: tuple[Run, ...] = ()
    guards: tuple[Guard, ...] = ()
    largest: bool = False

    @property
    def lowest(self) -> Dim:
        """The first position that has a value."""
        assert self.run is not None
        return min(self.starts) if self.starts else self.run.first


@dataclass(frozen=True)
class Member:
    """What a variable inside of a loop stands for.

    Attributes:
        of: the name of a family or a recurrence; empty for an entry or the index itself.
        base: the matrix whose row, column or entry it is.
        index: the name of the running index; empty for one member alone, `h[T]`.
        at: the offset of the index, or the position.
        rows, columns: of the base: whether this side runs, with its own offset; None where it is whole.
        other: the name of the index of the columns, where it is not that of the rows.
    """

    of: str = ""
    base: Expr | None = None
    index: str = ""
    at: Dim = 0
    rows: Dim | None = None
    columns: Dim | None = None
    other: str = ""

    @property
    def indices(self) -> tuple[str, ...]:
        """The names of the indices that run in it."""
        return tuple(name for name in (self.index, self.other) if name)

    def renamed(self, names: Mapping[str, str]) -> Member:
        """The same with other names for its indices."""
        return replace(self, index=names.get(self.index, self.index), other=names.get(self.other, self.other))


@dataclass(frozen=True, eq=False)
class LoopSum:
    """The sum of a body over an index, as a value of its own.

    Attributes:
        inner: further indices that it runs over, inside of the first.
        guards: conditions on the indices; terms for which one does not hold are left out.
        largest: it is no sum but the largest value, by entries, and taken as constant: what is computed relative to it
            does not depend on it.
    """

    value: Expr
    run: Run
    body: Expr
    largest: bool = False
    inner: tuple[Run, ...] = ()
    guards: tuple[Guard, ...] = ()

    @property
    def runs(self) -> tuple[Run, ...]:
        """All its indices, the outermost first."""
        return (self.run, *self.inner)


@dataclass(frozen=True, eq=False)
class Group:
    """Recurrences over one index that are computed together, in this order."""

    run: Run
    parts: tuple[Recurrence, ...]


Quantity: TypeAlias = LoopSum | Group


@dataclass
class Program:
    """Families, quantities in order, and what the members stand for."""

    families: dict[str, Family] = field(default_factory=dict)
    recurrences: dict[str, Recurrence] = field(default_factory=dict)
    quantities: list[Quantity] = field(default_factory=list)
    members: dict[Expr, Member] = field(default_factory=dict)

    def begun(self) -> Program:
        """A program with the same families, recurrences and members, still without quantities."""
        return Program(dict(self.families), dict(self.recurrences), [], dict(self.members))

    def restart(self) -> None:
        """Forget what was built: the families and the names of recurrences stay."""
        self.quantities, self.members = [], {}
        self.recurrences = {name: Recurrence(name) for name in self.recurrences}

    def runs(self) -> Iterator[Run]:
        """The loops, those inside of others among them."""
        for q in self.quantities:
            yield q.run
            for part in (q,) if isinstance(q, LoopSum) else q.parts:
                yield from part.inner

    def member(self, name: str, shape: Shape, what: Member, facts: Iterable[str] = ()) -> Expr:
        """The variable for a member."""
        made = core.var(name, *shape, facts)
        self.members[made] = what
        return made

    def of_family(self, name: str, index: str, at: Dim) -> Expr:
        """The variable u[k + 1], or u[3] where no index runs."""
        found: Family | Recurrence = self.families[name] if name in self.families else self.recurrences[name]
        facts = found.facts if isinstance(found, Family) else ()
        assert found.shape is not None
        return self.member(f"{name}[{place_text(index, at)}]", found.shape, Member(name, None, index, at), facts)

    def shifted(self, e: Expr, index: str, by: Dim) -> dict[Expr, Expr]:
        """The members of an expression at another value of the index: what takes the place of what."""
        table = {}
        for v in variables((e,)):
            what = self.members.get(v)
            if what is not None and index in what.indices:
                table[v] = self._moved(v, what, by, index)
        return table

    def placed(self, e: Expr, index: str, position: int) -> dict[Expr, Expr]:
        """The members of an expression at one value of the index: what takes the place of what."""
        table = {}
        for v, what in self.used(e):
            if index not in what.indices:
                continue
            if what.other:
                raise NoRuleError(f"{v} is not written for one value of {index} alone")
            if what.of:
                at = plus(what.at, position)
                table[v] = self.member(f"{what.of}[{place_text('', at)}]", v.shape, Member(what.of, None, "", at))
            elif what.base is None:
                table[v] = core.number(position)
            else:
                sides = [None if s is None else plus(s, position) for s in (what.rows, what.columns)]
                table[v] = self.slice_member(what.base, "", sides[0], sides[1])
        return table

    def renamed(self, e: Expr, names: Mapping[str, str]) -> Expr:
        """The same expression with other names for its indices."""
        table = {}
        for v, what in self.used(e):
            if not any(name in names for name in what.indices):
                continue
            new = what.renamed(names)
            if new.of:
                table[v] = self.member(
                    f"{new.of}[{place_text(new.index, new.at)}]", v.shape, new, names_of(v.params[3])
                )
            elif new.base is None:
                table[v] = self.member(new.index, v.shape, new, ["constant"])
            else:
                table[v] = self.slice_member(new.base, new.index, new.rows, new.columns, new.other)
        return substitute(e, table)

    def _moved(self, v: Expr, what: Member, by: Dim, index: str) -> Expr:
        if what.of:
            at = plus(what.at, by)
            name = f"{what.of}[{place_text(what.index, at)}]"
            if what.of in self.families or what.of in self.recurrences:
                return self.of_family(what.of, what.index, at)
            return self.member(name, v.shape, Member(what.of, None, what.index, at))
        if what.base is None:
            return core.plus(v, core.number(core.exact_dim(by)))
        return self.slice_member(
            what.base,
            what.index,
            what.rows if what.rows is None or what.index != index else plus(what.rows, by),
            what.columns if what.columns is None or (what.other or what.index) != index else plus(what.columns, by),
            what.other,
        )

    def slice_member(self, base: Expr, index: str, rows: Dim | None, columns: Dim | None, other: str = "") -> Expr:
        """The variable X[k, :], X[:, k], c[k] or A[k, l]; `other` is the index of the columns if it is another."""
        shape = (base.shape[0] if rows is None else 1, base.shape[1] if columns is None else 1)
        names = (index, other or index)
        sides = [":" if at is None else place_text(name, at) for name, at in zip(names, (rows, columns))]
        vector = base.shape[0] == 1 or base.shape[1] == 1
        shown = next(s for s in sides if s != ":") if vector and shape == (1, 1) else ", ".join(sides)
        return self.member(f"{base}[{shown}]", shape, Member("", base, index, 0, rows, columns, other))

    def used(self, *roots: Expr) -> Iterator[tuple[Expr, Member]]:
        """The members in some expressions."""
        for v in variables(roots):
            if v in self.members:
                yield v, self.members[v]


def place_text(index: str, at: Dim) -> str:
    """k, k + 1, k - 1 or a position."""
    if not index:
        return dim_text(at)
    if at == 0:
        return index
    sign = "-" if isinstance(at, int) and at < 0 else "+"
    return f"{index} {sign} {dim_text(-at if sign == '-' else at)}"
