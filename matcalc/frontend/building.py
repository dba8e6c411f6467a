"""From a syntax tree to an expression, once the shape of every name is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from lark import Token, Tree

from matcalc import core
from matcalc.core import transpose
from matcalc.dims import Dim, Shape, dim, is_one, same, shape_text
from matcalc.errors import MatcalcError, MisfitError, ShapeError, closest, shorten
from matcalc.expr import REGISTRY, REQUIRED, Expr, Op, Param, node, number_value, synonym
from matcalc.frontend.by_shape import value_of
from matcalc.frontend.chains import (
    Operand,
    broadcast_all,
    entrywise_power,
    exact_number,
    matrix_power,
    negative,
    product_of,
    star_between_matrices,
    sum_of,
)
from matcalc.frontend.hints import SECOND, about_axis, about_call
from matcalc.frontend.implicit import minimizes, solves
from matcalc.frontend.names import CONSTANTS, Names, is_function, operation
from matcalc.frontend.syntax import Node, Source, derivative_of, fold
from matcalc.ops.matrix_functions import FUNCTIONS
from matcalc.ops.selection import block_of, slice_
from matcalc.ops.user_functions import Function

MAX_DEGREE = 20  # of a dimension: they are compared after expansion


def arity(entry: Op) -> int:
    """How many expressions the operation takes."""
    return len(entry.example[0].split(",")) if entry.example[0] else 0


class Builder:
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

    def suffixed(self, suffix: Node, parts: list[Any], base: Operand) -> Expr:
        """One transpose, power or slice."""
        if suffix.data == "transposition":
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
        if values[0] == "extent":
            return self.extent(tree, values)
        operands = [self.operand(t, v) for t, v in zip(tree.children[1:], values[1:])]
        try:
            return value_of(values[0], operands)
        except MisfitError as error:
            raise self.source.error(error.message, tree) from None
        except ShapeError as error:
            raise self.misfit(error, tree, [(o.value, o.words) for o in operands]) from None
        except MatcalcError as error:
            raise self.source.error(str(error), tree) from None

    def extent(self, tree: Node, values: list[Any]) -> Expr:
        """The values of a summand, and the limits of its indices where they are given: rows, then columns."""
        value = values[1]
        for size, t, limit in zip(value.shape, tree.children[2:], values[2:]):
            if isinstance(limit, list):
                continue  # no limit is given
            last = self.dimension(t, limit, "the upper limit of a sum")  # type: ignore[arg-type]
            if not same(size, last):
                raise self.source.error(f"the index ends at {last}, but what it counts has {size} entries", t)
        return value  # type: ignore[no-any-return]

    # -------------------------------------------------------------------------------------------- calls

    def call(self, tree: Node, values: list[Any]) -> Expr:
        """f(a, b, params)."""
        name = values[0].value
        entry = self.called(name)
        if name in CONSTANTS:
            return self.constant(tree, values)
        if name in self.names.functions:
            (value,) = self.only_expressions(tree, values, 1)
            return self.names.functions[name](value)
        if entry is None or (entry.variadic and not entry.broadcasts):
            raise self.source.error(self.not_callable(name, tree), tree)
        if name == "where":
            return self.where(tree, values)
        args, params = self.arguments(entry, tree, values)
        return self.apply(entry, tree, args, params)

    def called(self, name: str) -> Op | None:
        """The operation that is called: by its name, or by one that it has elsewhere if that is nothing else here."""
        if name in self.names.functions or name in self.names.later or self.names.find(name) is not None:
            return operation(name)
        return operation(name) or synonym(name)

    def not_callable(self, name: str, tree: Node) -> str:
        """What is said about a call of something that is no function."""
        known = self.names.find(name)
        if known is not None or name in self.names.later:
            what = "dimension" if name in self.names.dims else "variable" if name in self.names.variables else "value"
            return f"{shorten(name)} is a {what}, not a function: write {shorten(name)}*(...) for a product"
        if name == "D":
            return "D(phi)(X) is the derivative of a function phi at X: the brackets with X are missing"
        if len(name) == 1:
            return f"there is no function {name}: an entry is {name}[1], and a product is written {name}*(...)"
        functions = [*self.names.functions, *filter(is_function, REGISTRY)]
        words = [self.source.words(t) for t in tree.children[1:] if isinstance(t, Tree)]
        return f"there is no function {shorten(name)}{about_call(name, words) or closest(name, functions)}"

    def arguments(self, entry: Op, tree: Node, values: list[Any]) -> tuple[list[Operand], list[Any]]:
        """The expressions and the parameters of a call.

        Raises:
            ParseError: their number or kind is wrong.
        """
        trees, given = list(tree.children[1:]), list(values[1:])
        keywords = {}
        while trees and isinstance(trees[-1], Tree) and trees[-1].data == "keyword":
            keyword: Any = trees.pop()
            name, value = given.pop()
            if name.value == "axis" and any(p.kind == "axis" for p in entry.params):
                given_as = str(number_value(value)) if value.op == "number" else ""
                raise self.source.error(about_axis(entry.name, given_as), keyword)
            if name.value not in (p.name for p in entry.params) or name.value in keywords:
                raise self.source.error(f"{entry.name} has no (or a second) parameter {shorten(name.value)}", keyword)
            keywords[name.value] = (keyword, value)
        for t in trees:
            if isinstance(t, Tree):
                self.need_expression(t, entry.name)
        first = len(entry.params) if entry.parameters_first else 0
        count = len(given) if entry.variadic else arity(entry) + first
        if not count <= len(given) <= count + len(entry.params) - first:
            raise self.source.error(self.wrong_count(entry, len(given)), tree)
        args = [self.operand(t, v) for t, v in zip(trees[first:count], given[first:count])]
        positions = [*range(first), *range(count, len(given))]
        params = []
        for k, param in enumerate(entry.params):
            if k < len(positions):
                if param.name in keywords:
                    raise self.source.error(f"{entry.name}: {param.name} is given twice", keywords[param.name][0])
                at = positions[k]
                params.append(self.parameter(entry, param, trees[at], given[at]))
            elif param.name in keywords:
                params.append(self.parameter(entry, param, *keywords[param.name]))
            elif param.default is REQUIRED:
                raise self.source.error(self.wrong_count(entry, len(given)), tree)
            else:
                params.append(param.default)
        return args, params

    def need_expression(self, tree: Any, name: str) -> None:
        """Raise ParseError for a comparison or keyword where an expression must be."""
        if tree.data == "comparison":
            raise self.source.error("a comparison can only stand in where(A > B, C, D)", tree)
        if tree.data == "keyword":
            raise self.source.error(f"unexpected '=' in an argument of {name}", tree)

    def only_expressions(self, tree: Node, values: list[Any], count: int) -> list[Expr]:
        """The arguments of a call that takes expressions only."""
        name = values[0].value
        for t in tree.children[1:]:
            self.need_expression(t, name)
        if len(values) - 1 != count:
            raise self.source.error(f"{name} takes {count} argument, got {len(values) - 1}", tree)
        return values[1:]

    def wrong_count(self, entry: Op, got: int) -> str:
        """What is said about a wrong number of arguments."""
        required = [p.name for p in entry.params if p.default is REQUIRED]
        optional = [f"[{p.name}]" for p in entry.params if p.default is not REQUIRED]
        letters = (
            [letter for letter, _ in zip("ABCDEF", range(arity(entry)))] if arity(entry) > 1 else ["X"] * arity(entry)
        )
        parts = [*required, *letters] if entry.parameters_first else [*letters, *required]
        count = f"{got} argument{'' if got == 1 else 's'}"
        return f"wrong number of arguments: {entry.name}({', '.join(parts + optional)}) is called with {count}"

    def parameter(self, entry: Op, param: Param, tree: Any, value: Expr) -> Any:
        """A parameter from the expression written in its place."""
        words = self.source.words(tree)
        if param.kind == "function":
            if not isinstance(value, Token) or value.value not in FUNCTIONS:
                known = ", ".join(FUNCTIONS)
                raise self.source.error(f"{entry.name}: {param.name} must be one of {known}, got {words}", tree)
            return value.value
        if param.kind in ("axis", "int"):
            exact = number_value(value) if value.op == "number" else None
            if param.kind == "axis" and exact not in (1, 2):
                message = f"{entry.name}: the axis must be 1 (over rows) or 2 (over columns), got {words}"
                raise self.source.error(message + SECOND.get(entry.name, ""), tree)
            if exact is None or not exact.is_Integer:
                raise self.source.error(f"{entry.name}: {param.name} must be a whole number, got {words}", tree)
            return int(exact)
        if param.kind == "dim":
            return self.dimension(tree, value, f"{entry.name}: a size")
        if value.op != "number":
            raise self.source.error(f"{entry.name}: {param.name} must be a number, got {words}", tree)
        return number_value(value)

    def dimension(self, tree: Node, value: Expr, what: str, hint: str = "") -> Dim:
        """A dimension from an expression: a positive integer, or an expression in dimensions."""
        words = self.source.words(tree)
        exact = number_value(value) if value.op == "number" else None
        if exact is None or not (exact.is_integer or exact.free_symbols) or exact.is_nonpositive:
            raise self.source.error(f"{what} must be a positive integer or a dimension, got {words}{hint}", tree)
        if any(power.exp > MAX_DEGREE for power in exact.atoms(sp.Pow) if power.exp.is_number):
            raise self.source.error(f"{what} may hold powers up to {MAX_DEGREE}, got {words}", tree)
        try:
            return dim(exact)
        except ShapeError:
            raise self.source.error(f"{what} must be a positive integer or a dimension, got {words}", tree) from None

    def apply(self, entry: Op, tree: Node, args: list[Operand], params: list[Any]) -> Expr:
        """The node, its shape errors with the user's words and the place."""
        place = tree.children[0]
        try:
            exprs = broadcast_all(args) if entry.broadcasts else [a.value for a in args]
            return node(entry.name, exprs, tuple(params))
        except MisfitError as error:
            raise self.source.error(f"{entry.name}: {error.message}", place) from None
        except ShapeError as error:
            raise self.misfit(error, place, [(a.value, a.words) for a in args]) from None
        except MatcalcError as error:
            raise self.source.error(f"{entry.name}: {error}", place) from None

    def misfit(self, error: ShapeError, place: Any, words: list[tuple[Expr, str]]) -> MatcalcError:
        """A shape error, naming the operands as they were written."""
        written = [next((w for e, w in words if e is operand), None) or str(operand) for operand in error.operands]
        return self.source.error(error.template.format(*written), place)

    def where(self, tree: Node, values: list[Any]) -> Expr:
        """where(A > B, C, D)."""
        trees: list[Any] = list(tree.children[1:])
        if len(trees) != 3 or trees[0].data != "comparison":
            raise self.source.error("write where(A > B, C, D): C where A > B holds, D elsewhere", tree)
        for t in trees[1:]:
            self.need_expression(t, "where")
        left, relation, right = values[1]
        if relation == "!=":
            raise self.source.error("where compares with >, >=, < or <=", relation)
        pair = [self.operand(trees[0].children[0], left), self.operand(trees[0].children[2], right)]
        if relation.startswith("<"):
            pair.reverse()
        args = [*pair, *(self.operand(t, v) for t, v in zip(trees[1:], values[2:]))]
        entry = operation("where")
        assert entry is not None
        return self.apply(entry, tree, args, [relation.value.replace("<", ">")])

    def constant(self, tree: Node, values: list[Any]) -> Expr:
        """vector(c) or matrix(c), in the shape that the context gives it."""
        value = self.constant_value(tree, values)
        return core.broadcast(value, self.constants[id(tree)])

    def constant_value(self, tree: Node, values: list[Any]) -> Expr:
        """The c of vector(c)."""
        (value,) = self.only_expressions(tree, values, 1)
        if not value.is_scalar:
            words = self.source.words(tree.children[1])  # type: ignore[arg-type]
            raise self.source.error(
                f"{values[0].value}(c) repeats a 1 x 1 value, but {words} is {shape_text(value.shape)}", tree
            )
        return value

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
