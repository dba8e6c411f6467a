"""Calls in the text: what is called, its arguments, parameters and sizes, and what is said where they do not fit."""

from __future__ import annotations

from typing import Any

from lark import Token, Tree

from matcalc import core
from matcalc.dims import Dim, Shape, dim, shape_text
from matcalc.errors import MatcalcError, MisfitError, ShapeError, closest, shorten
from matcalc.exact import exponents
from matcalc.expr import REGISTRY, REQUIRED, Expr, Op, Param, node, number_value, synonym
from matcalc.frontend.chains import Operand, broadcast_all
from matcalc.frontend.hints import SECOND, about_axis, about_call, about_misspelt
from matcalc.frontend.names import CONSTANTS, Names, is_function, operation
from matcalc.frontend.syntax import Node, Source
from matcalc.ops.matrix_functions import FUNCTIONS

MAX_DEGREE = 20  # of a dimension: they are compared after expansion


def arity(entry: Op) -> int:
    """How many expressions the operation takes."""
    return len(entry.example[0].split(",")) if entry.example[0] else 0


class Calls:
    """The part of a builder that reads calls; `constants` gives the shape of every `vector(c)` and `matrix(c)`."""

    source: Source
    names: Names
    constants: dict[int, Shape]

    def operand(self, tree: Any, value: Expr, sign: str = "") -> Operand:
        raise NotImplementedError

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
        """What is said about a call of something that is not a function."""
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
        about = about_call(name, words) or closest(name, functions) or about_misspelt(name, words)
        return f"there is no function {shorten(name)}{about}"

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
            raise self.source.error(
                "a comparison stands in where(A > B, C, D), or in brackets of its own: ((A > B))", tree
            )
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
        if any(exponent > MAX_DEGREE for exponent in exponents(exact)):
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
            raise self.source.error("what is compared entry by entry compares with >, >=, < or <=", relation)
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
