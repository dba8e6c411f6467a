"""Shapes of undeclared names from their kinds and use, and of `vector(c)` and `matrix(c)` from their context.

Every unknown dimension is a placeholder; each operation unifies the dimensions that must agree. What unification leaves
open is harmless: the expression is built afterwards from real shapes, with every check. Which kinds the names have is
decided in `assumptions.py`; this walk says what fits, and what speaks against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from lark import Tree

from matcalc import core
from matcalc.dims import Dim, Shape, is_one, is_scalar, plus, shape_text, substitute
from matcalc.errors import ParseError, shorten
from matcalc.expr import Expr, Op, node
from matcalc.frontend.assumptions import MILD, NO_SCALAR, ODDS, Reading, kind_of
from matcalc.frontend.by_shape import SCALAR, WEIGHTED
from matcalc.frontend.chains import Operand, product_of, sum_of
from matcalc.frontend.inferred_sums import InferredSums
from matcalc.frontend.syntax import Node, derivative_of, is_indexed
from matcalc.frontend.unifier import placeholders


class Inference(InferredSums):
    """Walks the tree as the builder does, on stand-ins whose shapes hold placeholders, and unifies."""

    def build(self, tree: Node) -> Expr:
        """The stand-in for what a statement says."""
        value = super().build(tree)
        self._inside[value] = self._names_in(tree)
        return value

    def _names_in(self, tree: Any) -> frozenset[str]:
        """The undeclared names that the value of a subtree depends on."""
        found: set[str] = set()
        for sub in tree.iter_subtrees() if isinstance(tree, Tree) else ():
            name = str(sub.children[0]) if sub.data == "name" else ""
            if name in self.names.definitions:
                found |= self._inside.get(self.names.definitions[name], frozenset())
            elif name in self.undeclared:
                found.add(name)
        return frozenset(found)

    def reading(self, output: Expr | None, error: ParseError | None) -> Reading:
        """What came of it: how much speaks against this choice of kinds."""
        if output is not None and self.contracts and not self.is_scalar(output):
            self.odds.append((NO_SCALAR, frozenset(self.undeclared)))
        fixed = frozenset((*self.names.kinds, *self.by_indices))
        return Reading(self.guessed(), self.odds, error, frozenset(self.exponents), fixed)

    def shaped(self, tree: Node, values: list[Any]) -> Expr:
        """What shapes decide has a shape in every reading."""
        operands = [self.operand(t, v) for t, v in zip(tree.children[1:], values[1:])]
        if values[0] == "identity":
            size = self.unifier.fresh()
            self.open.append((tree, (size, size)))
            return self.stand_in(tree, (size, size))
        if values[0] in ("inner", "called_dot"):
            self.together(operands, [None, tree], tree)
        if values[0] in WEIGHTED:
            x, M = operands
            for size in M.value.shape:
                self.agree(x.value.shape[0], size, partial(self.cannot_multiply, x, M), tree)
        if values[0] in SCALAR:
            self.contracts = True
            return self.stand_in(tree, (1, 1))
        if values[0] == "dot" and self._is_column(operands[0]) and self._is_column(operands[1]):
            return self.stand_in(tree, (1, 1))
        if values[0] in ("dot", "cross", "star", "asterisk"):
            joined = Operand(".*" if values[0] == "star" else "*", operands[1].value, operands[1].words)
            return self.stand_in(tree, self.pair(operands[0], joined, tree, tree))
        return self.stand_in(tree, operands[0].value.shape)

    def _is_column(self, operand: Operand) -> bool:
        """Whether it is known to be a column and no scalar."""
        rows, cols = operand.value.shape
        return self.unifier.is_hard_one(cols) and not self.unifier.is_hard_one(rows)

    # -------------------------------------------------------------------------------------------- operators

    def sum(self, tree: Node, values: list[Any]) -> Expr:
        """The terms of a sum have one shape; declared ones and 1 x 1 broadcast."""
        operands = self.operands(tree, values)
        if all(o.value.op == "number" for o in operands):
            return sum_of(operands)
        places = [values[0], *values[1::2]]
        larger = not all(self.is_scalar(o.value) for o in operands)
        for operand, child in zip(operands, tree.children[0::2]):
            if larger and operand.value.op != "number" and self.is_scalar(operand.value):
                self._note_scalar_term(tree, child, operand)
        return self.stand_in(tree, self.together(operands, places, tree))

    def _note_scalar_term(self, tree: Node, child: Any, operand: Operand) -> None:
        """A scalar among larger terms is at odds; mildly if an operation made it: the larger ones may be wrong."""
        if self._is_assumed_scalar(operand.words):
            self.odds.append((ODDS, frozenset((operand.words,))))
        elif child.data != "name":
            self.odds.append((MILD, self._names_in(tree)))

    def together(self, operands: list[Operand], places: list[Any], tree: Node) -> Shape:
        """The common shape of operands that broadcast."""
        shape: list[Dim] = [1, 1]
        matrices = [(o, place) for o, place in zip(operands, places) if not self.is_scalar(o.value)]
        first: Operand | None = None
        for operand, place in matrices:
            for axis in (0, 1):
                d = operand.value.shape[axis]
                if self.unifier.is_hard_one(shape[axis]):
                    shape[axis] = d
                elif not self.unifier.is_hard_one(d):
                    at = place if place is not None and not isinstance(place, Expr) else tree
                    before = first.words if first is not None else "what stands before"
                    self.agree(shape[axis], d, partial(self.clash, before, shape, operand), at)
            first = first or operand
        return shape[0], shape[1]

    def clash(self, before: str, shape: list[Dim], operand: Operand) -> str:
        """The beginning of an error about two operands."""
        left = f"{before} ({shape_text(self.readable((shape[0], shape[1])))})"
        return f"{left} and {operand.words} ({shape_text(self.readable(operand.value.shape))}) do not fit"

    def product(self, tree: Node, values: list[Any]) -> Expr:
        """A product from left to right."""
        operands = self.operands(tree, values)
        if all(o.value.op == "number" for o in operands):
            return self._chain(product_of, tree, values)
        left, last = operands[0].value, operands[0]
        for k, operand in enumerate(operands[1:], start=1):
            sign = values[2 * k - 1]
            self._note_factor(tree, last, left, operand)
            left = self.stand_in(tree, self.pair(Operand("", left, last.words), operand, sign, tree))
            last = operand
        self.contracts |= self._has_inner_product(operands)
        return left

    def _has_inner_product(self, operands: list[Operand]) -> bool:
        """Whether a row stands before a column in a matrix product, whatever stands before them: lambda*x'*A*x."""
        after_row = False
        for operand in operands:
            row, column = map(is_one, self.unifier.shape(operand.value.shape))
            if row and column:
                continue
            if after_row and column and operand.sign == "*":
                return True
            after_row = row or (after_row and operand.sign == "*")
        return False

    def _note_factor(self, tree: Node, before: Operand, left: Expr, right: Operand) -> None:
        """An assumed scalar is at odds beside a matrix entry by entry, where * would do, and mildly to its right."""
        scalar = before if self.is_scalar(left) else right
        if self.is_scalar(left) == self.is_scalar(right.value) or not self._is_assumed_scalar(scalar.words):
            return
        if right.sign in (".*", "./"):
            self.odds.append((ODDS, frozenset((scalar.words,))))
        elif right.sign == "*" and scalar is right:
            self.odds.append((MILD, frozenset((right.words,))))

    def pair(self, left: Operand, right: Operand, sign: Any, tree: Node) -> Shape:
        """The shape of `left sign right`."""
        a, b = left.value, right.value
        if right.sign == "/" and not self.is_scalar(b):
            raise self.source.error(
                f"cannot divide by {self.described(right)}: / divides by a 1 x 1 value, ./ by entries"
                f"{self.as_number(right.words)}",
                sign,
            )
        if right.sign == "/" or (self.is_scalar(b) and right.sign != "./"):
            return a.shape
        if right.sign == "*":
            if self.is_scalar(a):
                return b.shape
            self.agree(a.shape[1], b.shape[0], partial(self.cannot_multiply, left, right), sign)
            self.contracts |= is_scalar(self.unifier.shape((a.shape[0], b.shape[1])))
            return a.shape[0], b.shape[1]
        return self.together([left, right], [None, sign], tree)

    def signed(self, tree: Node, values: list[Any]) -> Expr:
        """-a has the shape of a."""
        return super().signed(tree, values) if values[1].op == "number" else values[1]

    def suffixed(self, suffix: Node, parts: list[Any], base: Operand) -> Expr:
        """Transposes and powers."""
        if suffix.data in ("transposition", "indexing") and self._is_assumed_scalar(base.words):
            self.odds.append((ODDS, frozenset((base.words,))))
        if suffix.data == "transposition" and base.value.op != "number":
            rows, cols = base.value.shape
            return core.var(base.words + "'", cols, rows)
        if suffix.data == "indexing":
            resolved = Operand("", core.var("X", *self.unifier.shape(base.value.shape)), base.words)
            try:
                return self.stand_in(suffix, super().suffixed(suffix, parts, resolved).shape)
            except ParseError as error:
                raise self.source.error(self.lettered(error.message), suffix) from None
        if suffix.data != "powering":
            return super().suffixed(suffix, parts, base)
        sign, exponent = parts
        if base.value.op == exponent.op == "number":
            return super().suffixed(suffix, parts, base)
        if sign.type == "CARET":
            self._need_scalar_exponent(suffix, exponent, sign)
            if not self.is_scalar(base.value):
                self.agree(*base.value.shape, partial(self.not_square, base), sign)
            return base.value
        both = [base, self.operand(suffix.children[1], exponent)]
        return core.var(base.words, *self.together(both, [None, sign], suffix))

    def _need_scalar_exponent(self, suffix: Node, exponent: Expr, sign: Any) -> None:
        if exponent.op == "number" or self.is_scalar(exponent):
            return
        written = self.operand(suffix.children[1], exponent)
        if kind_of(written.words) == "vector" and written.words in self.undeclared:
            self.exponents.add(written.words)
        turned = ", and the transpose is X'" if written.words in ("H", "t") else ""
        message = f"the exponent {self.described(written)} must be 1 x 1 (.^ is the power entry by entry{turned})"
        raise self.source.error(message, sign)

    def block(self, tree: Node, values: list[Any]) -> Expr:
        """Blocks side by side have equally many rows, rows of blocks equally many columns."""
        heights, widths = [], []
        for row, line in zip(tree.children, values):
            operands = [self.operand(t, v) for t, v in zip(row.children, line)]  # type: ignore[union-attr]
            for other in operands[1:]:
                message = partial(self.unfit, "a row of blocks", operands)
                self.agree(operands[0].value.shape[0], other.value.shape[0], message, row)
            heights.append(self.unifier.resolve(line[0].shape[0]))
            widths.append(plus(*(self.unifier.resolve(v.shape[1]) for v in line)))
            self.agree(widths[0], widths[-1], lambda: "rows of blocks differ in their columns", row)
        return self.stand_in(tree, (plus(*heights), widths[0]))

    # -------------------------------------------------------------------------------------------- calls

    def call(self, tree: Node, values: list[Any]) -> Expr:
        """A call of the user's function has the shape of its argument."""
        if is_indexed(tree):
            return self.over(tree)
        if values[0].value in self.names.functions:
            return self.stand_in(tree, self.only_expressions(tree, values, 1)[0].shape)
        return super().call(tree, values)

    def not_callable(self, name: str, tree: Node) -> str:
        """What is said about a call of something that is not a function."""
        if name in self.undeclared:
            return f"{shorten(name)} is a variable, not a function: write {shorten(name)}*(...) for a product"
        return super().not_callable(name, tree)

    def equation(self, unknown: Expr, left: Node, right: Node) -> Expr:
        """Both sides of an equation have the shape of its unknown; a number stands for every entry."""
        sides = [self.operand(tree, self.build(tree)) for tree in (left, right)]
        for tree, side in zip((left, right), sides):
            if side.value.op == "number":
                continue
            for a, b in zip(unknown.shape, side.value.shape):
                self.agree(a, b, partial(self.unfit, f"the equation of {unknown.name}", [side]), tree)
        return unknown

    def minimizer(self, unknown: Expr, tree: Node) -> Expr:
        """What is minimised is built for the shapes in it."""
        self.build(tree)
        return unknown

    def derivative(self, tree: Node, values: list[Any]) -> Expr:
        """D(phi)(X) has the shape of X."""
        derivative_of(tree, self.source)
        return self.stand_in(tree, values[0].shape)

    def apply(self, entry: Op, tree: Node, args: list[Operand], params: list[Any]) -> Expr:
        """The result's shape by the operation's own rule, after unifying what its example says must be equal."""
        if not args:
            return node(entry.name, (), tuple(params))
        if entry.broadcasts:
            common = self.unifier.shape(self.together(args, [None] * len(args), tree))
            spread = [core.var(f"_{k}", *common) for k in range(len(args))]
            return self.stand_in(tree, node(entry.name, spread, tuple(params)).shape)
        entrywise = entry.scalar_function is not None
        bare = frozenset(a.words for a in args if not entrywise and self._is_assumed_scalar(a.words))
        if bare:
            self.odds.append((ODDS, bare))
        dims: dict[str, Dim] = {}
        for pattern, operand in zip(entry.example[0].split(","), args):
            letters = pattern.partition("=")[0].split()
            for letter, d in zip(letters, operand.value.shape):
                if letter.isidentifier():
                    self.agree(dims.setdefault(letter, d), d, partial(self.unfit, entry.name, args), tree)
        shapes = [self.unifier.shape(operand.value.shape) for operand in args]
        stubs = [Operand("", core.var(o.words, *shape), o.words) for o, shape in zip(args, shapes)]
        try:
            result = super().apply(entry, tree, stubs, params)
        except ParseError as error:
            raise self.source.error(self.lettered(error.message), tree) from None
        self.contracts |= is_scalar(result.shape) and not all(self.is_scalar(o.value) for o in args)
        return self.stand_in(tree, args[0].value.shape if result.shape == shapes[0] else result.shape)

    # -------------------------------------------------------------------------------------------- the solution

    def solution(self) -> tuple[dict[str, Shape], dict[int, Shape]]:
        """The shapes of the undeclared names, and those of the constants by the identity of their trees.

        Raises:
            ParseError: the shape of a constant stays open.
        """
        naming = dict(zip(placeholders(self._all_dims()), self.letters()))
        shapes = {name: self._final(e.shape, naming) for name, e in self.undeclared.items()}
        constants = {id(tree): self._final(shape, naming) for tree, shape in self.open}
        for tree, _ in self.open:
            if placeholders(constants[id(tree)]):
                raise self.source.error(
                    f"the shape of {self.source.words(tree)} does not follow from the context", tree
                )
        return shapes, constants

    def guessed(self) -> dict[str, Shape]:
        """The shapes of the undeclared names as far as they are known, for an error."""
        return {name: self.readable(e.shape) for name, e in self.undeclared.items()}

    def _final(self, shape: Shape, naming: Mapping[str, Dim]) -> Shape:
        rows, cols = (substitute(d, naming) for d in self.unifier.shape(shape))
        return rows, cols
