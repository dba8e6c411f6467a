"""Shapes of undeclared names under an index: what has one index is a column, what has two a matrix, of its size.

Beside that a value under an index has the shape that it has for each value of the index.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from lark import Tree

from matcalc import core
from matcalc.dims import Dim
from matcalc.expr import Expr
from matcalc.frontend.chains import Operand
from matcalc.frontend.names import Names
from matcalc.frontend.stand_ins import StandIns
from matcalc.frontend.syntax import Node, Source, fold
from matcalc.frontend.unifier import placeholders

COLUMN, MATRIX = "vector", "matrix"


def kinds_by_indices(tree: Node) -> dict[str, str]:
    """What the names with running indices are: columns or matrices."""
    running = {str(t.children[0]) for t in tree.find_data("ranging")}
    found: dict[str, str] = {}
    for postfix in tree.find_data("postfix"):
        base, suffix, *_ = postfix.children
        if not (isinstance(base, Tree) and isinstance(suffix, Tree)) or (base.data, suffix.data) != (
            "name",
            "indexing",
        ):
            continue
        if any(str(n.children[0]) in running for n in suffix.find_data("name")):
            found[str(base.children[0])] = (COLUMN, MATRIX)[len(suffix.children) - 1]
    return found


class InferredSums(StandIns):
    """Walks sums over indices on stand-ins, and unifies the sizes of what has an index with its range."""

    def __init__(self, source: Source, names: Names, facts: Mapping[str, list[str]], kinds: Mapping[str, str]) -> None:
        super().__init__(source, names, facts, kinds)
        self.running: dict[str, Dim | None] = {}  # the indices that are bound here, with their sizes if they start at 1

    def name(self, tree: Node, values: list[Any]) -> Expr:
        """A name; an index is a number."""
        name = str(values[0])
        return core.var(name, 1, 1) if name in self.running else super().name(tree, values)

    def over(self, tree: Any) -> Expr:
        """sum(i=1..n, body) has the shape of its body."""
        *heads, body = tree.children[1:]
        before = dict(self.running)
        for part in heads:
            if part.data == "ranging":
                self.running[str(part.children[0])] = self.size_of(part)
        value = fold(body, self.visit, self.source)
        self.running = before
        return self.stand_in(tree, value.shape)

    def size_of(self, ranging: Any) -> Dim | None:
        """The size of an index that starts at 1; unknown where its end is not written."""
        _, low, _, high = ranging.children
        if high.data == "whole":
            return self.unifier.fresh()
        if self.source.words(low) != "1" and low.data != "number":
            return None
        values = [fold(t, self.visit, self.source) for t in (low, high)]
        if any(v.op != "number" for v in values) or values[0].number != 1:
            return None
        return self.dimension(high, values[1], "the upper limit of a sum")

    def suffixed(self, suffix: Node, parts: list[Any], base: Operand) -> Expr:
        """Entries and rows at running indices; else transposes, powers and slices."""
        moving = suffix.data == "indexing" and any(str(n.children[0]) in self.running for n in suffix.find_data("name"))
        return self.running_entry(suffix, base) if moving else super().suffixed(suffix, parts, base)

    def running_entry(self, suffix: Any, base: Operand) -> Expr:
        """X[i, j], X[i, :], y[i]."""
        rows, cols = base.value.shape
        sides: list[Dim] = [rows, cols]
        if len(suffix.children) == 1:
            row = self.unifier.is_hard_one(rows) and not self.unifier.is_hard_one(cols)
            if not row:
                self.agree(cols, 1, partial(self.needs_two, base), suffix)
            sides = [cols if row else rows]
        shape: list[Dim] = [1, 1]
        for k, (place, side) in enumerate(zip(suffix.children, sides)):
            if place.data == "whole":
                shape[k] = side
                continue
            name = str(place.children[0].children[0]) if place.children[0].data == "name" else ""
            size = self.running.get(name)
            if size is not None and placeholders((self.unifier.resolve(side), self.unifier.resolve(size))):
                self.agree(side, size, partial(self.miscounted, name, base), suffix)
        return self.stand_in(suffix, (shape[0], shape[1]))

    def needs_two(self, base: Operand) -> str:
        """The beginning of an error about an index too few."""
        return f"{self.described(base)} needs two indices"

    def miscounted(self, name: str, base: Operand) -> str:
        """The beginning of an error about a range that does not fit."""
        return f"the index {name} does not go through {self.described(base)}"
