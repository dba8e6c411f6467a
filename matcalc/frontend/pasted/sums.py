r"""Sums over indices in pasted mathematics as products of matrices: `\sum_i y_i x_i^\top w` is `sum(y .* (X*w))`.

The summand with an index i and perhaps a second one j becomes a matrix whose entry [i, j] it is: entries become their
matrix or column, what is said of entries is done entry by entry, and a contraction of rows a product of matrices. Each
step is an identity; what is no such sum is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from lark import Token, Tree

from matcalc.dims import same
from matcalc.errors import ParseError, shorten
from matcalc.expr import REGISTRY
from matcalc.frontend import syntax_tree as st
from matcalc.frontend.pasted.calls import MATHEMATICAL, is_literal, own_name
from matcalc.frontend.pasted.tokens import Known
from matcalc.frontend.syntax import Node, Source

ENTRYWISE = frozenset(("maximum", "minimum"))


def free(node: Node | Token) -> frozenset[str]:
    """The indices in a tree that no sum inside it binds."""
    if isinstance(node, Token):
        return frozenset((str(node),)) if node.type == "INDEX" else frozenset()
    if node.data == "indexsum":
        return free(node.children[1]) - {str(i) for i in _indices(node)}
    return frozenset().union(*(free(child) for child in node.children))


def _indices(node: Node) -> list[str]:
    return [str(c) for c in node.children[2:] if isinstance(c, Token) and c.type == "INDEX"]


class Sums:
    """Turns the sums of one text into matrix form."""

    def __init__(self, source: Source, known: Known) -> None:
        self.source, self.known = source, known
        self.limits: dict[str, Node] = {}

    def refuse(self, node: Node, why: str) -> ParseError:
        """The error about a part of a sum."""
        return self.source.error(f"{why}: write the sum in matrix form", node)

    def total(self, node: Node) -> Node:
        """The value of a sum or product over its indices, with no index left."""
        body: Node = node.children[1]  # type: ignore[assignment]
        indices = self._take(node)
        while body.data == "indexsum" and body.children[0] == node.children[0]:
            indices += self._take(body)
            body = body.children[1]  # type: ignore[assignment]
        used = free(body)
        if len(indices) > 2:
            raise self.refuse(node, "a sum over three indices is not read")
        present = [i for i in indices if i in used]
        value = self.entries(body, present[0] if present else "", present[1] if len(present) > 1 else "")
        if present:
            value = self.reduced(node, self._limited(value, present), 0)
        return self._repeated(node, value, [i for i in indices if i not in used])

    def _take(self, node: Node) -> list[str]:
        """The indices of a sum; their limits are kept."""
        indices = _indices(node)
        self.limits.update(zip(indices, node.children[-len(indices) :]))  # type: ignore[arg-type]
        return indices

    def _limited(self, value: Node, indices: Sequence[str]) -> Node:
        return st.shaped("extent", [value, *(self.limits[i] for i in indices)], *st.span(value))

    def _repeated(self, node: Node, value: Node, indices: Sequence[str]) -> Node:
        """The value summed over indices that it does not have: times their limits."""
        for index in indices:
            if node.children[0] != "sum" or self.limits[index].data == "whole":
                raise self.refuse(node, f"the index {index} does not occur in what is summed")
            value = st.pair(self.limits[index], "*", value)
        return value

    def reduced(self, node: Node, value: Node, axis: int) -> Node:
        """The sum or product of the entries, over all or along an axis."""
        a, b = st.span(node)
        options = [st.number(str(axis), a, a)] if axis else []
        return st.call(str(node.children[0]), [value, *options], a, b)

    # -------------------------------------------------------------------------------------------- entries

    def entries(self, node: Node, row: str, col: str) -> Node:
        """The matrix whose entry [row, col] is the value of the tree."""
        if not free(node):
            return node if node.data == "number" else st.shaped("single", [self.closed(node)], *st.span(node))
        if not free(node) <= {row, col}:
            raise self.refuse(node, "a sum over three indices at once is not read")
        match node.data:
            case "indexed":
                return self.entry(node, row, col)
            case "sum":
                return self._mapped(node, row, col)
            case "product":
                return self.product(node, row, col)
            case "signed":
                return st.signed(node.children[0], self.entries(node.children[1], row, col))  # type: ignore[arg-type]
            case "postfix":
                return self.postfix(node, row, col)
            case "call" | "shaped":
                return self.called(node, row, col)
            case "indexsum":
                return self.inner_sum(node, row, col)
        raise self.refuse(node, f"{self.source.words(node)} is a vector where the sum needs a number")

    def closed(self, node: Node) -> Node:
        """A tree without free indices; sums inside it are turned."""
        if node.data == "indexsum":
            return self.total(node)
        children = [self.closed(c) if isinstance(c, Tree) else c for c in node.children]
        return Tree(node.data, children, node.meta)

    def _mapped(self, node: Node, row: str, col: str) -> Node:
        children = [c if isinstance(c, Token) else self.entries(c, row, col) for c in node.children]
        return st.tree(node.data, children, *st.span(node))

    def placed(self, column: Node, index: str, row: str) -> Node:
        """A column that an index counts, at the place of the index."""
        return column if index == row else st.transposed(column, *st.span(column))

    def entry(self, node: Node, row: str, col: str) -> Node:
        """x_i, A_{ij}, A_{ji}, A_{ii}."""
        base: Node = self.closed(node.children[0]) if not free(node.children[0]) else node.children[0]  # type: ignore[assignment,arg-type]
        a, b = st.span(node)
        indices = [str(c) for c in node.children[1:]]
        if free(base):
            raise self.refuse(node, "an entry of something that has an index itself is not read")
        if len(indices) == 1:
            return self.placed(st.shaped("column", [base], a, b), indices[0], row)
        whole = st.shaped("matrix", [base], a, b)
        if indices[0] == indices[1]:
            return self.placed(st.call("diagvec", [whole], a, b), indices[0], row)
        return whole if indices[0] == row else st.transposed(whole, a, b)

    def postfix(self, node: Node, row: str, col: str) -> Node:
        """Powers, and the transpose of a number."""
        *front, suffix = node.children
        base: Node = front[0] if len(front) == 1 else st.tree("postfix", front, *st.span(node))  # type: ignore[assignment]
        assert isinstance(suffix, Tree)
        if suffix.data == "powering" and is_literal(suffix.children[1], "2"):  # type: ignore[arg-type]
            squares = self.squared_norm(base, row)
            if squares is not None:
                return squares
        if suffix.data == "powering":
            exponent: Node = suffix.children[1]  # type: ignore[assignment]
            raised = self.entries(exponent, row, col) if free(exponent) else exponent
            return st.powered(self.entries(base, row, col), ".^", raised, st.span(suffix)[0])
        if suffix.data == "transposition" and self.rows_of(base, row) is None:
            return self.entries(base, row, col)
        raise self.refuse(node, f"{self.source.words(node)} is not a number")

    def called(self, node: Node, row: str, col: str) -> Node:
        """A function of numbers, entry by entry; norms and inner products of rows."""
        meaning = str(node.children[0])
        given: list[Node] = node.children[1:]  # type: ignore[assignment]
        a, b = st.span(node)
        if node.data == "shaped" and meaning in ("dot", "cross", "star", "asterisk", "inner"):
            left = (
                st.transposed(given[0], a, a) if self._is_vectors(given[0]) or self._is_vectors(given[1]) else given[0]
            )
            return self.product(st.pair(left, "*", given[1]), row, col)
        if node.data == "shaped" and meaning.startswith("norm"):
            return self.norm(meaning, given[0], row, col)
        if node.data == "shaped" and meaning == "bars":
            return st.call("abs", [self.entries(given[0], row, col)], a, b)
        if node.data == "shaped" and meaning == "euler":
            return st.call("exp", [self.entries(given[0], row, col)], a, b)
        name = own_name(meaning)
        entry = REGISTRY.get(name)
        entrywise = entry is not None and (entry.scalar_function is not None or name in ENTRYWISE)
        if name in self.known.functions or name in MATHEMATICAL or entrywise:
            return st.call(name, [self.entries(g, row, col) for g in given], a, b)
        if name in ("max", "min") and len(given) == 2:
            return st.call(name + "imum", [self.entries(g, row, col) for g in given], a, b)
        if meaning == "where":
            relation = self._mapped(given[0], row, col)
            return st.call(meaning, [relation, *(self.entries(g, row, col) for g in given[1:])], a, b)
        raise self.refuse(node, f"{meaning} of something with an index is not read")

    def inner_sum(self, node: Node, row: str, col: str) -> Node:
        """A sum inside of a sum: over the columns of what has its free index as row."""
        body: Node = node.children[1]  # type: ignore[assignment]
        (outer,) = free(node) if len(free(node)) == 1 else ("",)
        indices = self._take(node)
        if not outer or len(indices) != 1:
            raise self.refuse(node, "a sum over three indices at once is not read")
        if indices[0] not in free(body):
            return self._repeated(node, self.entries(body, row, col), indices)
        value = self.entries(body, outer, indices[0])
        anything = st.tree("whole", [], *st.span(node))
        value = st.shaped("extent", [value, anything, self.limits[indices[0]]], *st.span(node))
        return self.placed(self.reduced(node, value, 2), outer, row)

    # -------------------------------------------------------------------------------------------- rows

    def _is_vectors(self, node: Node) -> bool:
        return any(t.data == "vectors" for t in node.iter_subtrees())

    def _matrix(self, node: Node) -> Node:
        """The matrix whose rows are the vectors of an index."""
        name, index = str(node.children[0].children[0]), str(node.children[1])  # type: ignore[union-attr]
        shape, limit = self.known.shapes.get(name), self.limits.get(index)
        assert shape is not None
        if same(*shape):
            raise self.refuse(node, f"a row and a column of {name} have two readings")
        by_columns = limit is not None and limit.data == "name" and str(limit.children[0]) == str(shape[1])
        base: Node = node.children[0]  # type: ignore[assignment]
        return st.transposed(base, *st.span(base)) if by_columns else base

    def rows_of(self, node: Node, row: str) -> Node | None:
        """The matrix whose rows are the values of a tree, which are columns; None where these are not columns."""
        if not self._is_vectors(node) or len(free(node)) != 1:
            return None
        if node.data == "vectors":
            return self._matrix(node)
        if node.data == "signed":
            inside = self.rows_of(node.children[1], row)  # type: ignore[arg-type]
            return inside and st.signed(node.children[0], inside)  # type: ignore[arg-type]
        if node.data == "sum":
            return self._sum_of_rows(node, row)
        if node.data == "product":
            factors, last = node.children[:-2], node.children[-1]
            rows = self.rows_of(last, row)  # type: ignore[arg-type]
            if rows is None or node.children[-2] != "*":
                return None
            front: Node = factors[0] if len(factors) == 1 else st.tree("product", factors, *st.span(node))  # type: ignore[assignment]
            if free(front):
                return st.pair(self.entries(front, next(iter(free(front))), ""), ".*", rows)
            return st.pair(rows, "*", _flipped(self.closed(front)))
        if node.data in ("call", "shaped") and len(node.children) == 2:
            name = own_name(str(node.children[0]))
            entry = REGISTRY.get(name)
            rows = self.rows_of(node.children[1], row)  # type: ignore[arg-type]
            if rows is not None and entry is not None and entry.scalar_function is not None:
                return st.call(name, [rows], *st.span(node))
        return None

    def _sum_of_rows(self, node: Node, row: str) -> Node | None:
        children: list[Node | Token] = []
        for child in node.children:
            if isinstance(child, Token):
                children.append(child)
            elif free(child):
                rows = self.rows_of(child, row)
                if rows is None:
                    return None
                children.append(rows)
            else:
                children.append(_flipped(self.closed(child)))
        return st.tree("sum", children, *st.span(node))

    def squared_norm(self, node: Node, row: str) -> Node | None:
        """The square of the norm of a row; None if it is something else."""
        if node.data != "shaped" or node.children[0] not in ("norm", "norm_2"):
            return None
        inside: Node = node.children[1]  # type: ignore[assignment]
        rows = self.rows_of(inside, row)
        if rows is None:
            return None
        a, b = st.span(inside)
        squares = st.powered(rows, ".^", st.number("2", a, b), b)
        (index,) = free(inside)
        return self.placed(st.call("sum", [squares, st.number("2", a, b)], a, b), index, row)

    def norm(self, meaning: str, inside: Node, row: str, col: str) -> Node:
        """The norm of a row, or of a number."""
        a, b = st.span(inside)
        rows = self.rows_of(inside, row)
        if rows is None:
            return st.call("abs", [self.entries(inside, row, col)], a, b)
        (index,) = free(inside)
        if meaning == "norm_1":
            column = st.call("sum", [st.call("abs", [rows], a, b), st.number("2", a, b)], a, b)
        elif meaning in ("norm", "norm_2"):
            squares = st.powered(rows, ".^", st.number("2", a, b), b)
            column = st.call("sqrt", [st.call("sum", [squares, st.number("2", a, b)], a, b)], a, b)
        else:
            raise self.refuse(inside, "this norm in a sum is not read")
        return self.placed(column, index, row)

    def product(self, node: Node, row: str, col: str) -> Node:
        """A product of numbers, some of them contractions of rows."""
        factors: list[Node] = node.children[0::2]  # type: ignore[assignment]
        signs = ["*", *(str(s) for s in node.children[1::2])]
        pieces: list[tuple[str, Node]] = []
        at = 0
        while at < len(factors):
            first = at
            at, piece = self._piece(factors, signs, at, row, col)
            pieces.append((signs[first], piece))
        value = pieces[0][1]
        for operator, piece in pieces[1:]:
            value = st.pair(value, "./" if operator in ("/", "./") else ".*", piece)
        return value

    def _piece(self, factors: Sequence[Node], signs: Sequence[str], at: int, row: str, col: str) -> tuple[int, Node]:
        """The number that begins with a factor, and where the next one begins."""
        first = factors[at]
        rows = self.rows_of(first.children[0], row) if _is_transposed(first) else None  # type: ignore[arg-type]
        if rows is not None:
            (index,) = free(first)
            return self._contracted(rows, index, factors, signs, at + 1, row)
        if free(first):
            return at + 1, self.entries(first, row, col)
        end = at + 1
        while end < len(factors) and signs[end] == "*" and not free(factors[end]):
            end += 1
        run = self._chain([self.closed(f) for f in factors[at:end]])
        vectors = self.rows_of(factors[end], row) if end < len(factors) and signs[end] == "*" else None
        if vectors is None:
            return end, self.entries(run, row, col)
        (index,) = free(factors[end])
        column = st.pair(vectors, "*", _flipped(run))
        return end + 1, self.placed(st.shaped("column", [column], *st.span(column)), index, row)

    def _contracted(
        self, rows: Node, index: str, factors: Sequence[Node], signs: Sequence[str], at: int, row: str
    ) -> tuple[int, Node]:
        """x_i^T A w, x_i^T A z_i as columns of numbers."""
        matrices: list[Node] = []
        while at < len(factors) and signs[at] == "*":
            vectors = self.rows_of(factors[at], row)
            if vectors is not None and free(factors[at]) == {index}:
                left = self._chain([rows, *matrices])
                both = st.pair(left, ".*", vectors)
                column = st.call("sum", [both, st.number("2", *st.span(both))], *st.span(both))
                return at + 1, self.placed(column, index, row)
            if free(factors[at]):
                break
            matrices.append(self.closed(factors[at]))
            at += 1
            if matrices[-1].data == "name" and self.known.is_vector(str(matrices[-1].children[0])):
                break
        if not matrices:
            raise self.refuse(rows, f"{shorten(self.source.words(rows))} is a vector where the sum needs a number")
        column = self._chain([rows, *matrices])
        return at, self.placed(st.shaped("column", [column], *st.span(column)), index, row)

    def _chain(self, nodes: Sequence[Node]) -> Node:
        value = nodes[0]
        for other in nodes[1:]:
            value = st.pair(value, "*", other)
        return value


def _flipped(node: Node) -> Node:
    base = node.children[0]
    return base if _is_transposed(node) and isinstance(base, Tree) else st.transposed(node, *st.span(node))


def _is_transposed(node: Node) -> bool:
    last = node.children[-1] if node.data == "postfix" and len(node.children) == 2 else None
    return isinstance(last, Tree) and last.data == "transposition"
