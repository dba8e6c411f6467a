"""Shapes of undeclared names by convention and use, and of `vector(c)` and `matrix(c)` from their context.

Every unknown dimension is a placeholder; each operation unifies the dimensions that must agree. What unification leaves
open is harmless: the expression is built afterwards from real shapes, with every check.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from matcalc import core
from matcalc.dims import Dim, Shape, is_one, is_scalar, plus, same, shape_text, substitute, symbol, symbols
from matcalc.errors import ParseError, shorten
from matcalc.expr import Expr, Op, node
from matcalc.frontend.building import Builder, derivative_of
from matcalc.frontend.chains import Operand, product_of, sum_of
from matcalc.frontend.names import Names
from matcalc.frontend.syntax import Node, Source
from matcalc.properties import ALIASES, SQUARE

_GREEK_WORD = re.compile(
    "(alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|vartheta|iota|kappa|lambda|mu|nu|xi|omicron|rho|varrho|"
    "sigma|tau|upsilon|phi|varphi|chi|psi|omega)_?[0-9]*"
)
_LETTERS = ("n", "m", "p", "q", "r", "s", "k", "l", "d", "h")


def kind_of(name: str) -> str | None:
    """What an undeclared name is taken for: `scalar`, `vector` or `matrix`; None if it has no letter."""
    bare = name.lstrip("_0123456789")
    if not bare:
        return None
    if bare[0].isupper():
        return "matrix"
    return "vector" if _GREEK_WORD.fullmatch(bare) or bare[0] >= "h" else "scalar"


class Unifier:
    """Placeholders for dimensions (symbols named `?1`, `?2`, ...) and what they are equal to.

    A 1 that comes from the convention for names is a *soft* placeholder: it does not broadcast as a declared 1 does.
    """

    def __init__(self) -> None:
        self.equal: dict[str, Dim] = {}
        self.soft: set[str] = set()
        self.lengths: dict[str, str] = {}  # placeholder -> the undeclared vector that it is the length of
        self._count = itertools.count(1)

    def fresh(self) -> Dim:
        """A new unknown."""
        return symbol(f"?{next(self._count)}")

    def soft_one(self) -> Dim:
        """A new 1 by convention."""
        new = self.fresh()
        self.equal[new.name] = 1
        self.soft.add(new.name)
        return new

    def last(self, d: Dim) -> Dim:
        """What the dimension stands for, a soft 1 kept as its placeholder."""
        while not isinstance(d, int) and d.is_Symbol and d.name in self.equal and d.name not in self.soft:
            d = self.equal[d.name]
        return d

    def resolve(self, d: Dim) -> Dim:
        """The dimension with all that is known put in."""
        d = self.last(d)
        while not isinstance(d, int):
            known = {name: self.equal[name] for name in symbols((d,)) if name in self.equal}
            if not known:
                return d
            d = substitute(d, known)
        return d

    def shape(self, shape: Shape) -> Shape:
        """A shape with all that is known put in."""
        return self.resolve(shape[0]), self.resolve(shape[1])

    def is_hard_one(self, d: Dim) -> bool:
        """Whether it is a 1 that broadcasts: declared, or made by an operation."""
        return is_one(self.last(d))

    def unify(self, a: Dim, b: Dim) -> bool:
        """Make two dimensions equal; False if they cannot be. Compound ones that are still open are left alone."""
        a, b = self.last(a), self.last(b)
        if _is_placeholder(b) and b.name not in self.equal:
            a, b = b, a
        if same(self.resolve(a), self.resolve(b)):
            return True
        if _is_placeholder(a) and a.name not in self.equal:
            return self._bind(a, b)
        return bool(placeholders(self.shape((a, b))))

    def _bind(self, a: Dim, b: Dim) -> bool:
        owner = self.lengths.get(a.name)
        if owner is not None:
            if _is_placeholder(b) and b.name in self.soft:
                return False
            if _is_placeholder(b):
                self.lengths.setdefault(b.name, owner)
        if a.name in symbols((self.resolve(b),)):
            return False
        self.equal[a.name] = b
        return True


def _is_placeholder(d: Dim) -> bool:
    return not isinstance(d, int) and d.is_Symbol and d.name.startswith("?")


def placeholders(dims: Iterable[Dim]) -> list[str]:
    """The placeholders in some dimensions, in order."""
    return [name for name in symbols(dims) if name.startswith("?")]


class Inference(Builder):
    """Walks the tree as the builder does, on stand-ins whose shapes hold placeholders, and unifies."""

    def __init__(self, source: Source, names: Names, facts: Mapping[str, list[str]]) -> None:
        super().__init__(source, names, {})
        self.facts, self.unifier = facts, Unifier()
        self.undeclared: dict[str, Expr] = {}
        self.first_use: dict[str, Node] = {}
        self.open: list[tuple[Node, Shape]] = []

    # -------------------------------------------------------------------------------------------- stand-ins

    def stand_in(self, tree: Node, shape: Shape) -> Expr:
        """Something of this shape, called as the text calls it."""
        return core.var(self.source.words(tree), self.unifier.last(shape[0]), self.unifier.last(shape[1]))

    def is_scalar(self, e: Expr) -> bool:
        """Whether it is known to be 1 x 1."""
        return is_scalar(self.unifier.shape(e.shape))

    def agree(self, a: Dim, b: Dim, message: Callable[[], str], place: Any) -> None:
        """Unify two dimensions, or raise ParseError."""
        if not self.unifier.unify(a, b):
            p, q = self.readable((a, b))
            raise self.source.error(f"{message()}: {p} and {q} differ", place)

    def readable(self, shape: Shape) -> Shape:
        """A shape for an error message: placeholders get letters."""
        resolved = self.unifier.shape(shape)
        naming = dict(zip(placeholders(self._all_dims()), self.letters()))
        rows, cols = (substitute(d, naming) for d in resolved)
        return rows, cols

    def lettered(self, message: str) -> str:
        """A message with letters for the placeholders in it."""
        letters = dict(zip(placeholders(self._all_dims()), self.letters()))
        return re.sub(r"\(?(\?[0-9]+)\)?", lambda found: str(letters.get(found[1], "?")), message)

    def _all_dims(self) -> list[Dim]:
        """The resolved dimensions of the undeclared names, in order of appearance."""
        return [self.unifier.resolve(d) for e in self.undeclared.values() for d in e.shape]

    def letters(self) -> Iterable[Dim]:
        """Names for dimensions that stand for nothing else in the text."""
        words = re.findall(r"[A-Za-z_][A-Za-z0-9_]*", self.source.text)
        taken = {*words, *self.names.variables, *self.names.scope, *self.names.dims}
        numbered = (f"n{k}" for k in itertools.count(1))
        return (symbol(name) for name in itertools.chain(_LETTERS, numbered) if name not in taken)

    # -------------------------------------------------------------------------------------------- names and constants

    def name(self, tree: Node, values: list[Any]) -> Expr:
        """A known name, or one that gets its shape by convention."""
        name = values[0].value
        found = self.names.find(name)
        if found is None:
            found = self.undeclared.get(name)
        if found is not None:
            return found
        if self.names.strict or name in self.names.later or self.names.unknown(name).endswith("(...)"):
            raise self.source.error(self.names.unknown(name), tree)
        kind, unify = kind_of(name), self.unifier
        if kind is None:
            raise self.source.error(f"{shorten(name)} is not declared, and nothing can be inferred from its name", tree)
        rows = unify.soft_one() if kind == "scalar" else unify.fresh()
        cols = unify.fresh() if kind == "matrix" else unify.soft_one()
        if kind == "vector":
            unify.lengths[rows.name] = name
        new = core.var(name, rows, cols)
        self.undeclared[name], self.first_use[name] = new, tree
        if any(ALIASES.get(word, word) in SQUARE for word in self.facts.get(name, ())):
            self.agree(rows, cols, lambda: f"{name} must be square for its facts", tree)
        return new

    def constant(self, tree: Node, values: list[Any]) -> Expr:
        """vector(c) or matrix(c) of a shape to be found."""
        self.constant_value(tree, values)
        unify = self.unifier
        shape = (unify.fresh(), unify.fresh() if values[0].value == "matrix" else 1)
        self.open.append((tree, shape))
        return self.stand_in(tree, shape)

    def constant_value(self, tree: Node, values: list[Any]) -> Expr:
        """The c of vector(c); its shape is checked when the expression is built."""
        return self.only_expressions(tree, values, 1)[0]

    # -------------------------------------------------------------------------------------------- operators

    def sum(self, tree: Node, values: list[Any]) -> Expr:
        """The terms of a sum have one shape; declared ones and 1 x 1 broadcast."""
        operands = self.operands(tree, values)
        if all(o.value.op == "number" for o in operands):
            return sum_of(operands)
        places = [values[0], *values[1::2]]
        return self.stand_in(tree, self.together(operands, places, tree))

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
            left = self.stand_in(tree, self.pair(Operand("", left, last.words), operand, sign, tree))
            last = operand
        return left

    def pair(self, left: Operand, right: Operand, sign: Any, tree: Node) -> Shape:
        """The shape of `left sign right`."""
        a, b = left.value, right.value
        if right.sign == "/" or (self.is_scalar(b) and right.sign != "./"):
            return a.shape
        if right.sign == "*":
            if self.is_scalar(a):
                return b.shape
            self.agree(a.shape[1], b.shape[0], partial(self.cannot_multiply, left, right), sign)
            return a.shape[0], b.shape[1]
        return self.together([left, right], [None, sign], tree)

    def described(self, operand: Operand) -> str:
        """How an error names an operand: its text and shape."""
        return f"{operand.words} ({shape_text(self.readable(operand.value.shape))})"

    def cannot_multiply(self, left: Operand, right: Operand) -> str:
        """The beginning of an error about a product."""
        return f"cannot multiply {self.described(left)} by {self.described(right)}"

    def not_square(self, base: Operand) -> str:
        """The beginning of an error about a power."""
        return f"^ needs a square matrix, but {self.described(base)} is not (.^ is the power entry by entry)"

    def unfit(self, name: str, args: list[Operand]) -> str:
        """The beginning of an error about a call."""
        return f"{name} does not fit {', '.join(self.described(a) for a in args)}"

    def signed(self, tree: Node, values: list[Any]) -> Expr:
        """-a has the shape of a."""
        return super().signed(tree, values) if values[1].op == "number" else values[1]

    def suffixed(self, suffix: Node, parts: list[Any], base: Operand) -> Expr:
        """Transposes and powers."""
        if suffix.data == "transposition" and base.value.op != "number":
            rows, cols = base.value.shape
            return core.var(base.words + "'", cols, rows)
        if suffix.data == "indexing":
            resolved = Operand("", core.var("X", *self.unifier.shape(base.value.shape)), base.words)
            return self.stand_in(suffix, super().suffixed(suffix, parts, resolved).shape)
        if suffix.data != "powering":
            return super().suffixed(suffix, parts, base)
        sign, exponent = parts
        if base.value.op == exponent.op == "number":
            return super().suffixed(suffix, parts, base)
        if sign.type == "CARET":
            if not self.is_scalar(base.value):
                self.agree(*base.value.shape, partial(self.not_square, base), sign)
            return base.value
        both = [base, self.operand(suffix.children[1], exponent)]
        return core.var(base.words, *self.together(both, [None, sign], suffix))

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
        if values[0].value in self.names.functions:
            return self.stand_in(tree, self.only_expressions(tree, values, 1)[0].shape)
        return super().call(tree, values)

    def not_callable(self, name: str) -> str:
        """What is said about a call of something that is no function."""
        if name in self.undeclared:
            return f"{shorten(name)} is a variable, not a function: write {shorten(name)}*(...) for a product"
        return super().not_callable(name)

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
