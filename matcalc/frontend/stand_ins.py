"""Stand-ins for values whose shapes are not known yet: placeholders in them, and what errors say about them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from matcalc import core
from matcalc.dims import Dim, Shape, is_scalar, shape_text, substitute, symbol
from matcalc.errors import shorten
from matcalc.expr import Expr
from matcalc.frontend.assumptions import Kinds, kind_of
from matcalc.frontend.building import Builder
from matcalc.frontend.chains import Operand
from matcalc.frontend.names import NEVER_ASSUMED, Names, is_called_elsewhere
from matcalc.frontend.syntax import Node, Source
from matcalc.frontend.unifier import Unifier, placeholders
from matcalc.properties import ALIASES, SQUARE

_LETTERS = ("n", "m", "p", "q", "r", "s", "k", "l", "d", "h")


def _declared(kind: str | None, unify: Unifier) -> Shape:
    """The shape of a name that a word declares, its sizes being open."""
    if kind == "vector":
        return unify.length(), 1
    size = unify.length()
    return (1, size) if kind == "row" else (size, size if kind == "square" else unify.length())


class StandIns(Builder):
    """A builder of values whose shapes hold placeholders.

    Args:
        source: the text.
        names: what is declared.
        facts: the facts by name.
        kinds: of undeclared names, where they are not what the first letter says.
    """

    def __init__(self, source: Source, names: Names, facts: Mapping[str, list[str]], kinds: Kinds) -> None:
        super().__init__(source, names, {})
        self.facts, self.unifier, self.kinds = facts, Unifier(), kinds
        self.undeclared: dict[str, Expr] = {}
        self.by_indices: Mapping[str, str] = {}  # the kinds of names that have indices of sums
        self.open: list[tuple[Node, Shape]] = []
        self.odds: list[tuple[int, frozenset[str]]] = []
        self.exponents: set[str] = set()
        self.contracts = False
        self._inside: dict[Expr, frozenset[str]] = {}  # the undeclared names in the value of a definition

    def _is_assumed_scalar(self, words: str) -> bool:
        return words in self.undeclared and self.is_scalar(self.undeclared[words])

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
        if name in NEVER_ASSUMED:
            raise self.source.error(f"{name} is not declared: {NEVER_ASSUMED[name]}", tree)
        if self.source.text.startswith("[", tree.meta.end_pos) and is_called_elsewhere(name):
            raise self.source.error(f"{name}[...] would be an entry of a matrix: functions take round brackets", tree)
        said = self.names.kinds.get(name) or self.by_indices.get(name)
        kind, unify = said or self.kinds.get(name, kind_of(name)), self.unifier
        if kind is None:
            raise self.source.error(f"{shorten(name)} is not declared, and nothing can be inferred from its name", tree)
        if said is not None:
            rows, cols = _declared(kind, unify)
        else:
            rows = unify.soft_one() if kind == "scalar" else unify.length()
            cols = unify.length() if kind == "matrix" else unify.soft_one()
        new = self.undeclared[name] = core.var(name, rows, cols)
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

    # -------------------------------------------------------------------------------------------- words for errors

    def described(self, operand: Operand) -> str:
        """How an error names an operand: its text and shape."""
        return f"{operand.words} ({shape_text(self.readable(operand.value.shape))})"

    def cannot_multiply(self, left: Operand, right: Operand) -> str:
        """The beginning of an error about a product."""
        columns = self._is_assumed_column(left) and self._is_assumed_column(right)
        written = f" (an inner product is {left.words}'*{right.words}, entry by entry it is .*)" if columns else ""
        return f"cannot multiply {self.described(left)} by {self.described(right)}{written}"

    def not_square(self, base: Operand) -> str:
        """The beginning of an error about a power."""
        said = f"^ needs a square matrix, but {self.described(base)} is not (.^ is the power entry by entry"
        return f"{said}{self.as_number(base.words)})"

    def as_number(self, words: str) -> str:
        """How a name that nothing declares is said to be a number, or a size."""
        if words not in self.undeclared:
            return ""
        size = f", and a size stands in a shape, as in `X: {words} x p`" if words in ("n", "m", "p", "k", "d") else ""
        return f"; a number is declared `{words}: scalar`{size}"

    def _is_assumed_column(self, operand: Operand) -> bool:
        rows, cols = self.unifier.shape(operand.value.shape)
        return is_scalar((cols, 1)) and not is_scalar((rows, 1)) and len(operand.words) < 20

    def unfit(self, name: str, args: list[Operand]) -> str:
        """The beginning of an error about a call."""
        return f"{name} does not fit {', '.join(self.described(a) for a in args)}"
