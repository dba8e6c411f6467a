"""What stands under an index in the text, `sum(i=1..n, log(1 + exp(-y[i]*X[i,:]*w)))`, becomes matrices.

The subtree is read as a term in entries (`matcalc.indices`), and the term is lifted to the matrix of all its values.
What depends on no index is read as anywhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lark import Tree

from matcalc import core
from matcalc.dims import Dim, Shape, is_one, plus, same, shape_text, surely_negative, surely_nonnegative
from matcalc.dims import text as dim_text
from matcalc.errors import MatcalcError, MisfitError, ShapeError, shorten
from matcalc.expr import Expr, number_value
from matcalc.frontend.building import Builder
from matcalc.frontend.chains import Operand
from matcalc.frontend.indexed_calls import BINDERS, CONDITIONAL, applied, reduced
from matcalc.frontend.indexed_ranges import Ranges
from matcalc.frontend.indexed_shapes import by_shape
from matcalc.frontend.indexed_values import (
    Indexed,
    NotIndexedError,
    NotLiftedError,
    added,
    as_indexed,
    multiplied,
    powered,
)
from matcalc.frontend.names import Names
from matcalc.frontend.syntax import Node, Source, fold, is_indexed
from matcalc.indices.conditions import Condition
from matcalc.indices.contraction import NoMatrixError, matrix_of
from matcalc.indices.laplacian import laplacian_steps
from matcalc.indices.lifting import Lifting, noting
from matcalc.indices.terms import Apply, Entry, Index, Place, Term, negated, renamed, side
from matcalc.ops.comparison import where
from matcalc.ops.selection import cumsum, slice_

LONGEST = 100  # of a range of numbers that is written out, where the index itself is a number in the text


class IndexBuilder(Ranges):
    """Builds expressions from subtrees, sums over indices among them.

    A value is an expression, or `Indexed` where it depends on an index.
    """

    def __init__(self, source: Source, names: Names, constants: dict[int, Shape]) -> None:
        super().__init__(source, names, constants)
        self.liftings: list[Lifting] = []  # the sums that became matrices

    # -------------------------------------------------------------------------------------------- sums

    def call(self, tree: Node, values: list[Any]) -> Any:
        """f(a, b), or a sum over an index."""
        if is_indexed(tree):
            return self.over(tree, list(tree.children[1:]))
        given = [v for v in _flat(values[1:]) if isinstance(v, Indexed)]
        if not given:
            return super().call(tree, values)
        return self.indexed_call(tree, values)

    def over(self, tree: Node, parts: list[Any]) -> Any:
        """sum(i=1..n, j=1..m, i<j, body), from the outermost index on."""
        name = str(tree.children[0])
        if name not in BINDERS:
            raise self.source.error(f"{shorten(name)} does not run over an index: {', '.join(BINDERS)} do", tree)
        *heads, body = parts
        self.around.append(tree)
        try:
            return self.checked_over(tree, name, heads, body)
        finally:
            self.around.pop()

    def checked_over(self, tree: Node, name: str, heads: list[Any], body: Any) -> Any:
        """The same, where what stands inside is a sum."""
        if not isinstance(body, Tree) or body.data in ("ranging", "comparison", "keyword"):
            raise self.source.error(f"write {name}(i=1..n, f): what is to be taken over the index is missing", tree)
        for part in heads:
            if part.data not in ("ranging", "comparison"):
                raise self.source.error(f"before what {name} is taken of stand ranges, i=1..n, and conditions", part)
        return self.nested(tree, name, [p for p in heads if p.data == "ranging"], heads, body)

    def nested(self, tree: Node, name: str, ranges: list[Any], heads: list[Any], body: Node) -> Any:
        """The value over the first of the ranges, of that over the others."""
        if name not in CONDITIONAL and any(p.data == "comparison" for p in heads):
            raise self.source.error(f"a condition can only stand in a sum or a product, not in {name}", tree)
        numbers = self.unrolled(name, ranges, heads, body)
        if numbers is not None:
            return self.written_out(tree, name, ranges, heads, body, numbers)
        scope: dict[str, Any] = {}
        indices: list[Index] = []
        conditions: list[Condition] = []
        with self.within({}, []):
            before = dict(self.scope)
            for t in ranges:
                self.close(t, [*(p for p in heads if p.data == "comparison"), body])
                index, condition = self.triangular(t)
                conditions.extend(condition)
                indices.append(index)
                scope[index.name] = Indexed(_position(index), position=(index, 0))
                self.scope.update({index.name: scope[index.name]})
                self.need_used(index.name, t, [*heads, body])
            conditions.extend(self.condition(p) for p in heads if p.data == "comparison")
            self.scope = before
        if conditions and name not in CONDITIONAL:
            raise self.source.error(f"the range of an index of {name} cannot end at another index", tree)
        with self.within(scope, conditions):
            value = fold(body, self.visit, self.source)
        return self.settled(tree, reduced(name, indices, conditions, as_indexed(value)))

    def unrolled(self, name: str, ranges: list[Any], heads: list[Any], body: Node) -> tuple[int, int] | None:
        """The ends of the first range, if it is one of numbers whose index is a number in the text."""
        head, low, _, high = ranges[0].children
        ends = [fold(t, self.visit, self.source) for t in (low, high)]
        if len(heads) != len(ranges) or name not in ("sum", "prod", "mean"):
            return None
        if not all(isinstance(e, Expr) and e.op == "number" and number_value(e).is_Integer for e in ends):
            return None
        first, last = (int(number_value(e)) for e in ends)
        if not 0 <= last - first < LONGEST or not _is_number(body, str(head)):
            return None
        return first, last

    def written_out(
        self, tree: Node, name: str, ranges: list[Any], heads: list[Any], body: Node, ends: tuple[int, int]
    ) -> Any:
        """A sum over numbers, term by term."""
        index = self.bound(ranges[0])
        self.need_used(index.name, ranges[0], [body])
        values = []
        for k in range(ends[0], ends[1] + 1):
            with self.within({index.name: core.number(k)}, []):
                rest = ranges[1:]
                value = self.nested(tree, name, rest, rest, body) if rest else fold(body, self.visit, self.source)
                values.append(value)
        operands = [Operand("+" if name != "prod" else ".*", v, "") for v in values]
        if any(isinstance(v, Indexed) for v in values):
            joined: Any = added(operands) if name != "prod" else multiplied(operands)
        else:
            joined = core.add(*values) if name != "prod" else core.scale(*values)
        if name == "mean":
            weight = core.number(core.exact(1) / len(values))
            joined = multiplied([Operand("", weight, ""), Operand("*", joined, "")])
        return self.settled(tree, as_indexed(joined))

    def settled(self, tree: Node, value: Indexed) -> Any:
        """The value as an expression, once it depends on no index."""
        own = {p for p in (value.row, value.column) if p is not None}
        if not value.term.free <= own:
            return value
        try:
            with noting() as log:
                made = matrix_of(value.term, value.row, value.column)
            steps = (*log.distinct, *laplacian_steps(made))
            self.liftings.append(Lifting(self.source.whole(tree), value.term, value.row, value.column, steps, made))
            return made
        except NoMatrixError as error:
            raise self.refusal(tree)(str(error)) from None
        except ShapeError as error:
            raise self.source.error(str(error), tree) from None

    # -------------------------------------------------------------------------------------------- arithmetic

    def sum(self, tree: Node, values: list[Any]) -> Any:
        """a + b - c."""
        if self.source.pasted:
            self.need_indices(tree, values)
        return self.joined(tree, values, added) if _any(values) else super().sum(tree, values)

    def product(self, tree: Node, values: list[Any]) -> Any:
        """a * b .* c / d."""
        return self.joined(tree, values, multiplied) if _any(values) else super().product(tree, values)

    def joined(self, tree: Node, values: list[Any], join: Any) -> Indexed:
        """A chain of operands of which some depend on an index."""
        operands = self.operands(tree, values)
        try:
            return join(operands, self.conditions)  # type: ignore[no-any-return]
        except NotIndexedError as error:
            place: Any = values[2 * error.index - 1] if error.index else tree
            raise self.source.error(str(error), place) from None

    def need_indices(self, tree: Node, values: list[Any]) -> None:
        """Raise ParseError for a matrix without an index beside a number with one: in mathematics it lacks its own."""
        operands = self.operands(tree, values)
        numbers = [o for o in operands if isinstance(o.value, Indexed) and o.value.is_scalar]
        for o, place in zip(operands, tree.children[0::2]):
            if numbers and not isinstance(o.value, Indexed) and not o.value.is_scalar:
                shape = shape_text(o.value.shape)
                raise self.source.error(f"{o.words} ({shape}) is not a number, and has no index in the sum", place)

    def shaped(self, tree: Node, values: list[Any]) -> Any:
        """What shapes decide: bars, norms, dots."""
        if not _any(values):
            return super().shaped(tree, values)
        operands = [self.operand(t, v) for t, v in zip(tree.children[1:], values[1:])]
        try:
            return by_shape(values[0], operands, self.conditions)
        except NotIndexedError as error:
            raise self.source.error(str(error), tree) from None
        except MisfitError as error:
            raise self.source.error(error.message, tree) from None
        except ShapeError as error:
            raise self.misfit(error, tree, []) from None
        except MatcalcError as error:
            raise self.source.error(str(error), tree) from None

    def signed(self, tree: Node, values: list[Any]) -> Any:
        """-a or +a."""
        sign, value = values
        if not isinstance(value, Indexed):
            return super().signed(tree, values)
        return value.like(negated(value.term)) if sign.type == "MINUS" else value

    def block(self, tree: Node, values: list[Any]) -> Any:
        """[A, B; C, D]."""
        if any(isinstance(v, Indexed) for row in values for v in row):
            raise self.source.error("a block matrix cannot depend on an index: write its blocks apart", tree)
        return super().block(tree, values)

    def derivative(self, tree: Node, values: list[Any]) -> Any:
        """D(phi)(X)."""
        if not isinstance(values[0], Indexed):
            return super().derivative(tree, values)
        self.need_no_condition(tree)
        return values[0].like(Apply(lambda args: Builder.derivative(self, tree, [args[0]]), (values[0].term,)))

    def suffixed(self, suffix: Node, parts: list[Any], base: Operand) -> Any:
        """Transposes, powers, entries."""
        value: Any = base.value
        if suffix.data == "transposition" and isinstance(value, Indexed):
            return Indexed(value.term, value.column, value.row)
        if suffix.data == "indexing" and (isinstance(value, Indexed) or any(_any(p) for p in parts)):
            return self.entry(suffix, parts, base)
        if suffix.data == "powering" and (isinstance(value, Indexed) or isinstance(parts[1], Indexed)):
            try:
                return powered(base, self.operand(suffix.children[1], parts[1]), str(parts[0]), self.conditions)
            except NotIndexedError as error:
                raise self.source.error(str(error), parts[0]) from None
        return super().suffixed(suffix, parts, base)

    # -------------------------------------------------------------------------------------------- entries

    def entry(self, tree: Node, indices: list[Any], base: Operand) -> Indexed:
        """X[i, j], X[i, :] or y[i]."""
        X: Any = base.value
        if isinstance(X, Indexed):
            return self.entry_of_indexed(tree, indices, base)
        (m, n), trees = X.shape, list(tree.children)
        if len(indices) == 2:
            places = [self.at(*pair, base.words) for pair in zip(trees, indices, (m, n))]
        elif is_one(n) or is_one(m):
            one = self.at(trees[0], indices[0], m if is_one(n) else n, base.words)
            places = [one, ((1, 1), None)] if is_one(n) else [((1, 1), None), one]
        else:
            raise self.source.error(
                f"{base.words} is {shape_text(X.shape)}: a matrix needs two indices, as in {base.words}[i, :]", tree
            )
        (rows, row), (columns, column) = places
        try:
            whole = all(same(first, 1) and same(last, size) for (first, last), size in ((rows, m), (columns, n)))
            M = X if whole else slice_(X, *rows, *columns)
        except ShapeError as error:
            raise self.misfit(error, tree, [(X, base.words)]) from None
        own = [isinstance(p, Index) and not p.name for p in (row, column)]
        return Indexed(Entry(M, row, column), row if own[0] else None, column if own[1] else None)

    def entry_of_indexed(self, tree: Node, indices: list[Any], base: Operand) -> Indexed:
        """(W*X[i,:]')[j]: the index takes the place of the rows, where it goes through all of them."""
        X: Any = base.value
        sides = [X.row, X.column] if len(indices) == 2 else X.labels
        if len(sides) != len(indices):
            raise self.source.error(f"{base.words} is {shape_text(X.shape)}: it has two indices", tree)
        table: dict[Index, Place] = {}
        for own, part, t in zip(sides, indices, tree.children):
            index, offset = self.place(part[0], t) if _any(part) else (None, 0)
            whole = index is None and t.data == "whole"  # type: ignore[union-attr]
            fits = index is not None and own is not None and same(index.size, own.size) and same(index.first, own.first)
            if not whole and not (fits and same(offset, 0)):
                raise self.source.error(
                    f"{base.words} depends on an index already: its entries have an index that goes through all of "
                    "them, or take the entry of a name",
                    tree,
                )
            if not whole:
                table[own] = index
        row, column = (None if p in table else p for p in (X.row, X.column))
        return Indexed(renamed(X.term, table), row, column)

    def at(self, tree: Any, parts: list[Any], size: Dim, words: str) -> tuple[tuple[Dim, Dim], Place]:
        """The first and the last of the rows (or columns) that a place goes through, and its index."""
        if not _any(parts):
            first, last = self.range(tree, parts, size)
            if tree.data == "entry":
                return (first, last), None
            return (first, last), side(plus(last, -first, 1))
        if tree.data != "entry":
            raise self.source.error("a range of entries cannot depend on an index: write a sum over a second one", tree)
        index, offset = self.place(parts[0], tree)
        first, last = plus(index.first, offset), plus(index.last, offset)
        shown = self.source.words(tree) if self.source.pasted else f"{words}[{self.source.words(tree)}]"
        if not surely_nonnegative(plus(first, -1)):
            raise self.source.error(
                f"{shown} is outside: for {index.name} = {dim_text(index.first)} it is {words}[{dim_text(first)}], "
                "and indices start at 1",
                tree,
            )
        room = plus(size, -last)
        if surely_negative(room) or (not surely_nonnegative(room) and not isinstance(last, int)):
            raise self.source.error(
                f"{shown} is outside of its range: {index.name} goes up to {dim_text(index.last)}, and there are "
                f"{dim_text(size)}",
                tree,
            )
        return (first, last), index

    # -------------------------------------------------------------------------------------------- calls

    def indexed_call(self, tree: Node, values: list[Any]) -> Indexed:
        """A call of which an argument depends on an index."""
        name = values[0].value
        entry = self.called(name)
        if name in self.names.functions:
            self.need_no_condition(tree)
            function = self.names.functions[name]
            return values[1].like(Apply(lambda args: function(args[0]), (values[1].term,)))  # type: ignore[no-any-return]
        if entry is None:
            raise self.source.error(self.not_callable(name, tree), tree)
        if name == "where":
            return self.indexed_where(tree, values)
        args, params = self.arguments(entry, tree, values)
        try:
            return applied(entry, args, params, self.conditions)
        except NotLiftedError as error:
            raise self.no_matrix(str(error), tree, self.around[0]) from None
        except NotIndexedError as error:
            raise self.source.error(str(error), tree) from None

    def need_no_condition(self, tree: Node) -> None:
        """Raise ParseError for a function of the user's under a condition: where it has no value is not known."""
        if self.conditions:
            raise self.source.error("a function of your own cannot stand under a condition on indices", tree)

    def indexed_where(self, tree: Node, values: list[Any]) -> Indexed:
        """where(A > B, C, D)."""
        trees: list[Any] = list(tree.children[1:])
        if len(trees) != 3 or trees[0].data != "comparison" or values[1][1].value == "!=":
            raise self.source.error("write where(A > B, C, D): C where A > B holds, D elsewhere", tree)
        left, relation, right = values[1]
        pair = [left, right]
        if relation.startswith("<"):
            pair.reverse()
        args = [Operand("", v, "") for v in (*pair, *values[2:])]
        try:
            return applied(where, args, [relation.value.replace("<", ">")], self.conditions)
        except NotIndexedError as error:
            raise self.source.error(str(error), tree) from None


def _flat(values: list[Any]) -> Iterator[Any]:
    for v in values:
        if isinstance(v, list):
            yield from _flat(v)
        else:
            yield v


def _any(values: list[Any]) -> bool:
    return any(isinstance(v, Indexed) for v in _flat(values))


def _is_number(body: Node, name: str) -> bool:
    """Whether an index is used elsewhere than as a place in brackets."""
    named = sum(1 for t in body.find_data("name") if str(t.children[0]) == name)
    placed = sum(1 for place in body.find_data("entry") for t in place.find_data("name") if str(t.children[0]) == name)
    return named > placed


def _position(index: Index) -> Term:
    """The number that an index stands for."""
    column = cumsum(core.ones(index.size, 1), 1)
    start = core.number(core.exact_dim(plus(index.first, -1)))
    shifted = column if same(index.first, 1) else core.plus(column, start)
    return Entry(shifted, index, None)


__all__ = ["IndexBuilder"]
