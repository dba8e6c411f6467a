"""Members in the text: `u[k]`, `h[t-1]`, rows and entries whose index runs in a loop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lark import Tree

from matcalc import core
from matcalc.dims import Dim, Shape, is_one, plus, surely_nonnegative
from matcalc.dims import text as dim_text
from matcalc.expr import Expr, number_value
from matcalc.frontend.chains import Operand
from matcalc.frontend.indexed import IndexBuilder
from matcalc.frontend.indexed_values import Indexed
from matcalc.frontend.names import Names
from matcalc.frontend.syntax import Node, Source
from matcalc.indices.program import Member, Program, Recurrence, Run


@dataclass(frozen=True)
class FamilyName:
    """The name of a family or a recurrence, which stands before brackets only."""

    name: str
    op = "family"


@dataclass(frozen=True)
class Reference:
    """A use of a member: where it stands, and how many quantities there were before."""

    member: Member
    run: Run | None
    tree: Any
    inside: Recurrence | None
    before: int


class MemberBuilder(IndexBuilder):
    """Builds expressions in which members stand."""

    def __init__(self, source: Source, names: Names, constants: dict[int, Shape], program: Program) -> None:
        super().__init__(source, names, constants)
        self.program = program
        self.running: dict[str, tuple[Run, Expr]] = {}  # the indices of the loops around, and their numbers
        self.current: Recurrence | None = None
        self.leading, self.ahead = "", 0  # in h[t+1] = ..., the loop's t is that of the line plus 1
        self.references: list[Reference] = []

    def name(self, tree: Node, values: list[Any]) -> Any:
        """A name; that of a family needs brackets, and an index that runs in a loop is a number."""
        name = values[0].value
        if name in self.program.families or name in self.program.recurrences:
            if not self.source.pasted and not self.source.text.startswith("[", tree.meta.end_pos):
                raise self.source.error(f"{name} has one member for each index: write {name}[...]", tree)
            return FamilyName(name)
        if name in self.running:
            number = self.running[name][1]
            return core.plus(number, core.number(-self.ahead)) if self.ahead and name == self.leading else number
        return super().name(tree, values)

    def suffixed(self, suffix: Node, parts: list[Any], base: Operand) -> Any:
        """Transposes, powers, members and entries."""
        value: Any = base.value
        if isinstance(value, FamilyName):
            return self.member(suffix, parts, value.name)
        if suffix.data == "indexing" and isinstance(value, Expr):
            moving = [self.position(p[0]) if len(p) == 1 and isinstance(p[0], Expr) else None for p in parts]
            if any(moving):
                return self.moving_entry(suffix, parts, base, moving)
        return super().suffixed(suffix, parts, base)

    def counted(self, base: Any, place: tuple[int, int]) -> tuple[Dim, Dim]:
        """The first and the last value of an index; of a family it is the family's."""
        name = str(base.children[0]) if base.data == "name" else ""
        found = self.program.families.get(name) or self.program.recurrences.get(name)
        if found is None:
            return super().counted(base, place)
        if found.run is None:
            raise self.source.error(f"{name} is used before it is computed: its line must come before", base)
        return found.run.first, found.run.last

    def member(self, tree: Node, parts: list[Any], name: str) -> Expr:
        """u[k], h[t-1], h[T]."""
        if len(parts) != 1 or tree.children[0].data != "entry":  # type: ignore[union-attr]
            raise self.source.error(f"{name} has one index: write {name}[k], then the entries of a member", tree)
        value = parts[0][0]
        if isinstance(value, Indexed):
            raise self.source.error(f"{self.shown(name, tree)}: its index does not run in a loop here", tree)
        found = self.position(value)
        if found is not None:
            run, at = found
            return self.referred(tree, name, run, at)
        return self.referred(tree, name, None, self.position_number(tree.children[0], value, name))

    def shown(self, name: str, suffix: Node) -> str:
        """A member as it is written."""
        return self.source.words(suffix) if self.source.pasted else f"{name}{self.source.words(suffix)}"

    def referred(self, tree: Node, name: str, run: Run | None, at: Dim) -> Expr:
        """The variable for a member, whose use is noted."""
        index = "" if run is None else run.name
        place = Reference(Member(name, None, index, at), run, tree, self.current, len(self.program.quantities))
        self.references.append(place)
        if name in self.program.recurrences and self.program.recurrences[name].shape is None:
            first = at if run is None else plus(run.first, at)
            start = f"{name}[{first if isinstance(first, int) else 0}] = ..."
            raise self.source.error(f"{name} is used before its start or its line: {start} must come first", tree)
        return self.program.of_family(name, index, at)

    def position_number(self, tree: Any, value: Expr, name: str) -> Dim:
        """A fixed position: a whole number or a dimension."""
        exact = number_value(value) if value.op == "number" else None
        if exact is None or not exact.is_integer:
            words = self.source.words(tree)
            raise self.source.error(f"an index of {name} must be an integer: k, k - 1 or a number, got {words}", tree)
        return int(exact) if exact.is_Integer else exact

    def position(self, value: Any) -> tuple[Run, Dim] | None:
        """The running index and the offset of k + 1, if the value is that."""
        found, offset = None, []
        for t in _terms(value):
            run = next((r for r, number in self.running.values() if number is t), None)
            if run is not None and found is None:
                found = run
            elif t.op == "number" and number_value(t).is_integer:
                offset.append(int(number_value(t)) if number_value(t).is_Integer else number_value(t))
            else:
                return None
        return None if found is None else (found, plus(0, *offset))

    def moving_entry(self, tree: Node, parts: list[Any], base: Operand, moving: list[Any]) -> Any:
        """X[k, :], V[:, k], c[k], A[k, i] with an index that runs in a loop."""
        X = base.value
        if X.op != "variable":
            raise self.source.error(
                f"{base.words} is computed: rows and entries that run in a loop are those of variables, so write them "
                "out, as in X[t, :]*w",
                tree,
            )
        sides: list[Dim | None] = []
        if len(moving) == 1:
            if not any(is_one(d) for d in X.shape):
                raise self.source.error(f"{base.words} is a matrix: it needs two indices", tree)
            moving = [moving[0], None] if is_one(X.shape[1]) else [None, moving[0]]
            rest: list[Any] = []
        else:
            rest = [None if m else (t, p) for m, t, p in zip(moving, tree.children, parts)]
        run = next(m[0] for m in moving if m)
        other = moving[1][0].name if all(moving) and moving[0][0] is not moving[1][0] else ""
        for found, size in zip(moving, X.shape):
            if found:
                self.need_room(base.words, found, size, tree)
            sides.append(found[1] if found else None)
        made = self.program.slice_member(X, run.name, sides[0], sides[1], other)
        if not any(r is not None and r[0].data != "whole" for r in rest):
            return made
        trees = [t if side is None else Tree("whole", []) for t, side in zip(tree.children, sides)]
        kept = [p if side is None else [] for p, side in zip(parts, sides)]
        inner: Any = Tree("indexing", trees, tree.meta)
        return super().suffixed(inner, kept, Operand("", made, base.words))

    def need_room(self, words: str, found: tuple[Run, Dim], size: Dim, tree: Any) -> None:
        """Raise ParseError unless a running index stays within 1..size."""
        run, at = found
        first, last = plus(run.first, at), plus(run.last, at)
        if surely_nonnegative(plus(first, -1)) and (surely_nonnegative(plus(size, -last)) or isinstance(last, int)):
            return
        raise self.source.error(
            f"{words} is used from {dim_text(first)} to {dim_text(last)}, outside of its range 1..{dim_text(size)}",
            tree,
        )


def _terms(value: Any) -> Iterator[Any]:
    """What is added up: k, -1 and 1 of (k - 1) + 1."""
    if value.op != "add":
        yield value
        return
    for part in value.args:
        yield from _terms(part)
