"""The indices of the text: their ranges, conditions between them, and what an index in brackets says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lark import Token, Tree

from matcalc.dims import Dim, Shape, is_one, plus, same, shape_text, surely_negative, surely_nonnegative, times
from matcalc.dims import text as dim_text
from matcalc.errors import MatcalcError, ParseError
from matcalc.expr import number_value
from matcalc.frontend.building import Builder
from matcalc.frontend.indexed_values import Indexed, as_indexed
from matcalc.frontend.names import Names, is_function
from matcalc.frontend.syntax import Node, Source, fold
from matcalc.indices.conditions import Condition, IndexCondition, ValueCondition
from matcalc.indices.terms import Index


class NoMatrixFormError(ParseError):
    """A sum is no matrix; `place` is where its text begins and ends."""

    place = (0, 0)


class Ranges(Builder):
    """Builds expressions in the scope of indices that are bound."""

    def __init__(self, source: Source, names: Names, constants: dict[int, Shape]) -> None:
        super().__init__(source, names, constants)
        self.scope: dict[str, Any] = {}  # the indices that are bound here: their terms, or numbers
        self.conditions: list[Condition] = []
        self.around: list[Node] = []  # the sums in which the text stands that is read
        self.open_ends: dict[int, Dim] = {}  # the ends of ranges that are not written, by the identity of their trees

    def name(self, tree: Node, values: list[Any]) -> Any:
        """A name; an index is the number that it stands for."""
        found = self.scope.get(values[0].value)
        return found if found is not None else super().name(tree, values)

    def dimension(self, tree: Node, value: Any, what: str, hint: str = "") -> Dim:
        """A dimension; it is the same for all values of an index."""
        if isinstance(value, Indexed):
            raise self.source.error(
                f"{what} depends on an index, {self.source.words(tree)}: a shape is the same for all its values", tree
            )
        return super().dimension(tree, value, what, hint)

    def bound(self, tree: Any) -> Index:
        """The index of `i=1..n`."""
        head, low, _, high = tree.children
        name = str(head)
        if self.names.find(name) is not None or name in self.scope or name in self.names.later:
            raise self.source.error(f"the index {name} is declared already: an index has a name of its own", head)
        if is_function(name) or name in self.names.functions:
            raise self.source.error(f"{name} is the name of a function and cannot be an index", head)
        first, last = (self.end(t, name) for t in (low, high))
        if is_empty(first, last):
            raise self.source.error(f"the range {dim_text(first)}..{dim_text(last)} of {name} is empty", tree)
        return Index(name, first, last)

    def end(self, tree: Node, name: str) -> Dim:
        """The first or the last value of an index."""
        if tree.data == "whole":
            return self.open_ends[id(tree)]
        value = fold(tree, self.visit, self.source)
        if isinstance(value, Indexed):
            raise self.source.error(f"the range of {name} depends on an index in this place", tree)
        exact = number_value(value) if value.op == "number" else None
        if exact is None or not (exact.is_integer or exact.free_symbols):
            raise self.source.error(
                f"the range of {name} goes from a whole number to a dimension or a whole number, got "
                f"{self.source.words(tree)}",
                tree,
            )
        return int(exact) if exact.is_Integer else exact

    def close(self, ranging: Any, trees: Sequence[Any]) -> None:
        """Give a range whose end is not written the one that follows from what its index counts.

        Raises:
            ParseError: nothing is counted, or two things of different sizes.
        """
        head, low, _, high = ranging.children
        if high.data != "whole":
            return
        found = [self.counted(base, axis) for base, axis in self.bases(str(head), trees)]
        if not found:
            raise self.source.error(
                f"the range of the index {head} is not written, and nothing that has it says how far it goes: give its "
                f"ends, as in \\sum_{{{head}=1}}^n",
                head,
            )
        for ends in found[1:]:
            if not all(map(same, ends, found[0])):
                counts = " and ".join(dim_text(last) for _, last in (found[0], ends))
                raise self.source.error(f"the index {head} counts {counts} entries: give its ends", head)
        for end, value in zip((low, high), found[0]):
            if end.data == "whole":
                self.open_ends[id(end)] = value

    def bases(self, name: str, trees: Sequence[Any]) -> Iterator[tuple[Any, tuple[int, int]]]:
        """What has an index of its own in a place, and which of how many places that is."""
        inner = {str(t.children[0]) for tree in trees for t in tree.find_data("ranging")} - {*self.scope}
        for postfix in (t for tree in trees for t in tree.find_data("postfix")):
            for k, suffix in enumerate(postfix.children[1:], start=1):
                for axis, place in enumerate(suffix.children if suffix.data == "indexing" else ()):
                    if place.data != "entry" or [t.data for t in place.iter_subtrees()] != ["name", "entry"]:
                        continue
                    if str(place.children[0].children[0]) != name:
                        continue
                    base = postfix.children[0] if k == 1 else Tree("postfix", postfix.children[:k], postfix.meta)
                    if not any(str(n.children[0]) in {*inner, name} for n in base.find_data("name")):
                        yield base, (axis, len(suffix.children))

    def counted(self, base: Any, place: tuple[int, int]) -> tuple[Dim, Dim]:
        """The first and the last value of an index at a place of something."""
        (rows, columns), (axis, places) = fold(base, self.visit, self.source).shape, place
        if places == 1:
            return 1, rows if is_one(columns) else columns
        return 1, (rows, columns)[axis]

    @contextmanager
    def within(self, scope: Mapping[str, Any], conditions: list[Condition]) -> Iterator[None]:
        """Inside of a sum, where its indices stand for something."""
        self.scope.update(scope)
        self.conditions.extend(conditions)
        try:
            yield
        finally:
            for name in scope:
                del self.scope[name]
            if conditions:
                del self.conditions[-len(conditions) :]

    def triangular(self, tree: Any) -> tuple[Index, list[Condition]]:
        """The index of a range, whose end may be another index: j=1..i is j=1..n with j <= i."""
        head, low, _, high = tree.children
        ends = [fold(t, self.visit, self.source) for t in (low, high)]
        if not any(isinstance(e, Indexed) for e in ends):
            return self.bound(tree), []
        index = None
        conditions: list[Condition] = []
        first, last = (None if isinstance(e, Indexed) else self.end(t, str(head)) for e, t in zip(ends, (low, high)))
        outer, offset = self.place(ends[0] if first is None else ends[1], low if first is None else high)
        if first is None and last is None:
            raise self.source.error("only one end of a range may be an index: write the other as a condition", tree)
        index = self.bound_between(
            tree,
            plus(outer.first, offset) if first is None else first,
            plus(outer.last, offset) if last is None else last,
        )
        conditions.append(IndexCondition(index, ">=" if first is None else "<=", outer, offset))
        return index, conditions

    def bound_between(self, tree: Any, first: Dim, last: Dim) -> Index:
        """The index of a range whose ends are known."""
        head = tree.children[0]
        name = str(head)
        if self.names.find(name) is not None or name in self.scope or name in self.names.later:
            raise self.source.error(f"the index {name} is declared already: an index has a name of its own", head)
        return Index(name, first, last)

    def need_used(self, name: str, tree: Any, parts: list[Any]) -> None:
        """Raise ParseError for an index that does not occur."""
        body = parts[-1]
        if not any(str(n.children[0]) == name for n in body.find_data("name")):
            raise self.source.error(
                f"the index {name} is not used in the sum: it does not occur in what is summed, so write the number of "
                "terms as a factor",
                tree,
            )

    def refusal(self, tree: Node) -> Any:
        """The error that says that there is no matrix form."""

        def error(why: str) -> MatcalcError:
            said = f"{self.source.words(tree)} has no matrix form that is known: {why}"
            advice = "name parts of it that depend on fewer indices, or write it with matrices"
            return self.no_matrix(f"{said}; {advice}", tree, tree)

        return error

    def no_matrix(self, message: str, tree: Node, whole: Any) -> NoMatrixFormError:
        """The error at a tree in a sum that has no matrix form."""
        said = self.source.error(message, tree)
        made = NoMatrixFormError(said.message, said.source, said.line, said.column)
        made.place = (whole.meta.start_pos, whole.meta.end_pos)
        return made

    def condition(self, tree: Any) -> Condition:
        """i < j of two indices, or t[j] >= t[i] of two values with indices."""
        left, relation, right = (t if isinstance(t, Token) else fold(t, self.visit, self.source) for t in tree.children)
        sides = [v for v in (left, right) if isinstance(v, Indexed)]
        if any(v.position is None for v in sides):
            return self.value_condition(tree, left, relation.value, right)
        if len(sides) < 2:
            raise self.source.error("a condition compares two indices, as in i<j or i!=j", tree)
        (i, a), (j, b) = self.place(left, tree), self.place(right, tree)
        if i is j:
            raise self.source.error("a condition compares two different indices, as in i<j or i!=j", tree)
        if relation.value == "==":
            raise self.source.error(f"where {i.name} and {j.name} are equal one index is enough", tree)
        return IndexCondition(i, relation.value, j, plus(b, -a))

    def value_condition(self, tree: Node, left: Any, relation: str, right: Any) -> Condition:
        """t[j] >= t[i], or y[i] > 0: of numbers of which one has an index."""
        a, b = as_indexed(left), as_indexed(right)
        if not (a.is_scalar and b.is_scalar):
            shapes = " and ".join(shape_text(v.shape) for v in (a, b))
            raise self.source.error(f"a condition compares two numbers, and these are {shapes}", tree)
        return ValueCondition(a.term, relation, b.term)

    def place(self, value: Any, tree: Any) -> tuple[Index, Dim]:
        """The index and the offset of i + 1."""
        found = value.position if isinstance(value, Indexed) else None
        if found is None:
            raise self.source.error(
                f"an index must be an integer: i, or i plus or minus a whole number, got {self.source.words(tree)}",
                tree,
            )
        return found


def is_empty(first: Dim, last: Dim) -> bool:
    """Whether a range runs backwards, but for sizes at which its ends meet."""
    back = plus(first, times(-1, last))
    return surely_negative(times(-1, back)) or (not same(first, last) and surely_nonnegative(back))
