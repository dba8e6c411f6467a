"""From a syntax tree to an expression, once the shape of every name is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matcalc import core
from matcalc.core import transpose
from matcalc.dims import Dim, Shape, is_one, shape_text
from matcalc.errors import MatcalcError, MisfitError, ShapeError, shorten
from matcalc.expr import Expr
from matcalc.frontend.by_shape import value_of
from matcalc.frontend.chains import (
    Operand,
    entrywise_power,
    exact_number,
    matrix_power,
    negative,
    product_of,
    star_between_matrices,
    sum_of,
)
from matcalc.frontend.implicit import minimizes, solves
from matcalc.frontend.names import Names
from matcalc.frontend.syntax import Node, Source, derivative_of, fold
from matcalc.frontend.text_calls import Calls
from matcalc.ops.selection import block_of, slice_
from matcalc.ops.user_functions import Function


class Builder(Calls):
    """Builds expressions from subtrees; `constants` gives the shape of every `vector(c)` and `matrix(c)`."""

    def __init__(self, source: Source, names: Names, constants: dict[int, Shape]) -> None:
        self.source, self.names, self.constants = source, names, constants
        self._visitors: dict[str, Callable[[Node, list[Any]], Any]] = {
            "number": self.number,
            "name": self.name,
            "sum": self.sum,
            "product": self.product,
            "signed": self.signed,
            "postfix": self.postfix,
            "call": self.call,
            "derivative": self.derivative,
            "block": self.block,
            "shaped": self.shaped,
        }

    def build(self, tree: Node) -> Expr:
        """The expression that a subtree writes.

        Raises:
            ParseError: it is not well formed, or shapes do not fit; with the place.
        """
        return fold(tree, self.visit, self.source)  # type: ignore[no-any-return]

    def visit(self, tree: Node, values: list[Any]) -> Any:
        """The value of one subtree from those of its children; parts of larger constructions stay lists."""
        visitor = self._visitors.get(tree.data)
        return values if visitor is None else visitor(tree, values)

    # -------------------------------------------------------------------------------------------- leaves and chains

    def number(self, tree: Node, values: list[Any]) -> Expr:
        """A literal, exactly."""
        try:
            return exact_number(values[0].value)
        except MatcalcError as error:
            raise self.source.error(f"{shorten(values[0].value)}: {error}", tree) from None

    def name(self, tree: Node, values: list[Any]) -> Expr:
        """A variable, definition or dimension."""
        name = values[0].value
        found = self.names.find(name)
        if found is None:
            raise self.source.error(self.names.unknown(name), tree)
        return found

    def operands(self, tree: Node, values: list[Any]) -> list[Operand]:
        """The operands of a chain with the operators before them."""
        trees, signs = tree.children[0::2], ["", *(str(sign) for sign in values[1::2])]
        return [self.operand(t, v, s) for t, v, s in zip(trees, values[0::2], signs)]

    def operand(self, tree: Any, value: Expr, sign: str = "") -> Operand:
        """A subtree with its value as an operand."""
        return Operand("*" if sign == "@" else sign, value, self.source.words(tree), tree.data == "signed")

    def sum(self, tree: Node, values: list[Any]) -> Expr:
        """a + b - c."""
        return self._chain(sum_of, tree, values)

    def product(self, tree: Node, values: list[Any]) -> Expr:
        """a * b .* c / d."""
        if "@" in self.source.text:
            self.need_clear_stars(tree, values)
        return self._chain(product_of, tree, values)

    def need_clear_stars(self, tree: Node, values: list[Any]) -> None:
        """Raise ParseError for `*` between matrices in a text with `@`: in NumPy it goes entry by entry."""
        operands = self.operands(tree, values)
        at = star_between_matrices(operands, values[1::2])
        if at:
            a, b = operands[at - 1].described, operands[at].described
            said = f"* between {a} and {b} has two readings in a text with @: write @ for the product, or .*"
            raise self.source.error(said, values[2 * at - 1])

    def _chain(self, join: Callable[[list[Operand]], Expr], tree: Node, values: list[Any]) -> Expr:
        try:
            return join(self.operands(tree, values))
        except MisfitError as error:
            raise self.source.error(error.message, values[2 * error.index - 1]) from None

    def signed(self, tree: Node, values: list[Any]) -> Expr:
        """-a or +a."""
        sign, value = values
        return negative(value) if sign.type == "MINUS" else value

    def postfix(self, tree: Node, values: list[Any]) -> Expr:
        """Transposes and powers, from left to right."""
        suffixes: list[Any] = list(tree.children[1:])
        for before, after in zip(suffixes, suffixes[1:]):
            if before.data == after.data == "powering":
                raise self.source.error("bracket the chained power: (a^b)^c or a^(b^c)", after)
        result: Expr = values[0]
        words = self.source.words(tree.children[0])  # type: ignore[arg-type]
        for suffix, parts in zip(suffixes, values[1:]):
            result = self.suffixed(suffix, parts, Operand("", result, words))
            words = shorten(words + "".join(self.source.words(suffix).split()))
        return result

    def need_mark(self, suffix: Node, base: Operand) -> None:
        """Raise ParseError for the letter T above a number: a power by a T that nobody declared, or no transpose."""
        written = self.source.text[suffix.meta.start_pos : suffix.meta.end_pos]
        if base.value.is_scalar and written.strip("^{} ") == "T":
            said = f"^T of the scalar {base.words} has two readings: declare T (T: scalar) for a power, or leave it out"
            raise self.source.error(said, suffix)

    def suffixed(self, suffix: Node, parts: list[Any], base: Operand) -> Expr:
        """One transpose, power or slice."""
        if suffix.data == "transposition":
            self.need_mark(suffix, base)
            return base.value if base.value.op == "number" else transpose(base.value)
        if suffix.data == "indexing":
            return self.indexed(suffix, parts, base)
        sign, value = parts
        try:
            exponent = self.operand(suffix.children[1], value)
            return matrix_power(base, exponent) if sign.type == "CARET" else entrywise_power(base, exponent)
        except MisfitError as error:
            raise self.source.error(error.message, sign) from None
        except ShapeError as error:
            raise self.misfit(error, sign, [(base.value, base.words)]) from None

    def indexed(self, tree: Node, indices: list[Any], base: Operand) -> Expr:
        """X[i:j, k], counted from 1, ends included; X[i:j] of a vector."""
        (m, n), trees = base.value.shape, list(tree.children)
        if len(indices) == 2:
            ranges = [self.range(*pair) for pair in zip(trees, indices, (m, n))]
        elif is_one(n) or is_one(m):
            one = self.range(trees[0], indices[0], m if is_one(n) else n)
            ranges = [one, (1, 1)] if is_one(n) else [(1, 1), one]
        else:
            shape = shape_text(base.value.shape)
            raise self.source.error(f"{base.words} is {shape}: a matrix needs two indices, as in X[1:2, :]", tree)
        try:
            return slice_(base.value, *ranges[0], *ranges[1])
        except ShapeError as error:
            raise self.misfit(error, tree, [(base.value, base.words)]) from None

    def range(self, tree: Any, parts: list[Any], size: Dim) -> tuple[Dim, Dim]:
        """The first and the last of an index, from 1 to `size` where left out."""
        running = "; one that runs is bound by its range, as in sum(i=1..n, x[i])"
        given = [self.dimension(t, value, "an index", running) for t, value in zip(tree.children, parts)]
        if tree.data == "entry":
            return given[0], given[0]
        first = given.pop(0) if tree.data in ("range", "range_from") else 1
        return first, given.pop(0) if given else size

    def block(self, tree: Node, values: list[Any]) -> Expr:
        """[A, B; C, D]."""
        trees: list[Any] = [t for row in tree.children for t in row.children]  # type: ignore[union-attr]
        words = [(value, self.source.words(t)) for t, value in zip(trees, (v for row in values for v in row))]
        try:
            return block_of(values)
        except ShapeError as error:
            raise self.misfit(error, tree, words) from None

    def shaped(self, tree: Node, values: list[Any]) -> Expr:
        """What shapes decide: bars, norms, an identity whose size follows from the context."""
        if values[0] == "identity":
            return core.eye(self.constants[id(tree)][0])
        operands = [self.operand(t, v) for t, v in zip(tree.children[1:], values[1:])]
        try:
            return value_of(values[0], operands)
        except MisfitError as error:
            raise self.source.error(error.message, tree) from None
        except ShapeError as error:
            raise self.misfit(error, tree, [(o.value, o.words) for o in operands]) from None
        except MatcalcError as error:
            raise self.source.error(str(error), tree) from None

    # -------------------------------------------------------------------------------------------- equations

    def equation(self, unknown: Expr, left: Node, right: Node) -> Expr:
        """The value that an equation gives an unknown."""
        sides = self.build(left), self.build(right)
        words = [(side, self.source.words(tree)) for side, tree in zip(sides, (left, right))]
        try:
            return solves(unknown, *sides)
        except ShapeError as error:
            raise self.misfit(error, left, words) from None
        except MatcalcError as error:
            raise self.source.error(str(error), left) from None

    def minimizer(self, unknown: Expr, tree: Node) -> Expr:
        """The value of an unknown that minimises a 1 x 1 value."""
        objective = self.build(tree)
        try:
            return minimizes(unknown, objective)
        except ShapeError as error:
            raise self.misfit(error, tree, [(objective, self.source.words(tree))]) from None
        except MatcalcError as error:
            raise self.source.error(str(error), tree) from None

    def derivative(self, tree: Node, values: list[Any]) -> Expr:
        """D(phi)(X) or D(phi, k)(X)."""
        function, order = derivative_of(tree, self.source)
        phi = self.names.functions[function]
        if phi.body is not None:
            return phi.expand(values[0], order)
        return Function(phi.name, None, order)(values[0])
