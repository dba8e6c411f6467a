"""How a language with matrices writes what instructions are made of; what it lacks is refused by name."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from matcalc.dims import Shape as Sizes
from matcalc.emit import trees
from matcalc.emit.code import Level, is_whole, number_code, size_text
from matcalc.errors import NoRuleError, no_counterpart
from matcalc.targets.matrix_languages.pieces import POWER, PRODUCT, SCALAR, SUM, UNARY, Piece, Shape

_OPERATORS: dict[type[ast.operator], tuple[str, int]] = {
    **{ast.Add: ("+", SUM), ast.Sub: ("-", SUM)},
    **{ast.Mult: ("*", PRODUCT), ast.Div: ("/", PRODUCT)},
}
# The matrix functions whose derivatives along a direction are functions of their own, and what these are called.
SLOPES = (("expm", "exp"), ("logm", "log"), ("sqrtm", "sqrt"))
_CONSTANTS = {"math.pi": math.pi, "math.e": math.e}


def shared_calls(absent: str) -> dict[str, str]:
    """The helper functions that languages of matrices spell alike; `absent` is what stands for an identity factor."""
    kinds = (("xx", "{0}", "{1}", "{2}"), ("-x", absent, "{0}", "{1}"), ("x-", "{0}", absent, "{1}"))
    return {
        **{"comm": "commutation({s0}, {s1})", "dsel": "diagonal_selection({s0})"},
        **{"dup": "duplication({s0})", "elim": "elimination({s0})", "toep": "toeplitz_basis({s0})"},
        **{"symtoep": "symmetric_toeplitz_basis({s0})", "skewdup": "skew_basis({s0})"},
        **{f"kron_times:{k}": f"kron_times({a}, {b}, {m})" for k, a, b, m in kinds},
        **{f"times_kron:{k}": f"times_kron({m}, {a}, {b})" for k, a, b, m in kinds},
        "gram_factor": "gram_factor({0})",
        **{"blockinner": "block_inner({0}, {1})", "blocksum": "block_sum({0}, {1})"},
        **{"slice": "slice({0}, {s1}, {s2}, {s3}, {s4})", "place": "place({0}, {s1}, {s2}, {s3}, {s4})"},
        **{"vech": "vech({0})", "unvech": "unvech({0}, {s1})", "pdist2": "squared_distances({0}, {1})"},
        "convmat": "convolution_matrix({0}, {s1})",
    }


class Expressions:
    """One language.

    A language is a subclass: `calls` has the texts of its functions by the names of instructions (after a colon the
    axis, or another choice), with `{0}` for an operand or option and `{s1}` for one that is a size; `forms` has
    functions of the pieces instead; the methods say what is no call.

    Args:
        names: of values, by their names in the program.
        sizes: the names of dimensions.
    """

    title: ClassVar[str]
    calls: ClassVar[Mapping[str, str]]
    forms: ClassVar[Mapping[str, Callable[..., Piece]]] = {}
    numbered: ClassVar[frozenset[str]] = frozenset(["matpow"])

    def __init__(self, names: Mapping[str, str], sizes: Mapping[str, str]) -> None:
        self.value_names, self.size_names = names, sizes
        self.uppers: set[str] = set()

    def refused(self, what: str) -> NoRuleError:
        """The error for what has no counterpart."""
        return no_counterpart(self.title, what)

    # ------------------------------------------------------------------------------------------------ the language's

    def number(self, value: float) -> str:
        """A number."""
        return repr(value)

    def size_in_value(self, name: str) -> Piece:
        """A size among numbers."""
        return Piece(name)

    def size(self, tree: ast.expr) -> str:
        """A size as an argument."""
        raise NotImplementedError

    def entrywise(self, operator: str, a: Piece, b: Piece, level: int) -> Piece:
        """a operator b for each entry."""
        raise NotImplementedError

    def along(self, a: Piece, shape: Shape) -> Piece:
        """A number, a row or a column, repeated to a shape."""
        raise NotImplementedError

    def power(self, a: Piece, b: Piece) -> Piece:
        """a to the b, entry by entry."""
        raise NotImplementedError

    def transposed(self, a: Piece) -> Piece:
        """The transpose; of a transpose, what it is of."""
        if a.shape == SCALAR:
            return a
        return self.turned(a) if a.turned is None else a.turned

    def turned(self, a: Piece) -> Piece:
        """The transpose of a matrix, which remembers it."""
        raise NotImplementedError

    def product(self, a: Piece, b: Piece) -> Piece:
        """The matrix product."""
        return Piece(f"{a.at(PRODUCT)} * {b.at(PRODUCT + 1)}", (a.shape[0], b.shape[1]), PRODUCT)

    def dot(self, a: Piece, b: Piece) -> Piece:
        """The sum of the products of the entries."""
        raise NotImplementedError

    def chosen(self, test: Piece, yes: Piece, no: Piece) -> Piece:
        """An entry of `yes` where the test holds, else of `no`; all in one shape, or numbers."""
        raise NotImplementedError

    def truth(self, test: Piece) -> Piece:
        """The truth values of a comparison as numbers."""
        raise NotImplementedError

    def filled(self, value: Piece, shape: Shape, sizes: list[str]) -> Piece:
        """A matrix with one number everywhere."""
        raise NotImplementedError

    def identity(self, size: str, shape: Shape) -> Piece:
        """The identity."""
        raise NotImplementedError

    def blocks(self, rows: list[list[Piece]], shape: Shape) -> Piece:
        """A matrix of blocks."""
        raise NotImplementedError

    def entry(self, a: Piece) -> Piece:
        """The one entry of a 1 x 1 matrix as a number."""
        raise NotImplementedError

    def whole(self, a: Piece) -> str:
        """The text of a matrix that is handed to a function."""
        return a.text

    def called(self, text: str, shape: Shape) -> Piece:
        """A call."""
        return Piece(text, shape)

    def named(self, name: str, shape: Shape) -> Piece:
        """A value by its name."""
        return Piece(name, shape)

    # ------------------------------------------------------------------------------------------------ calls

    def call(self, key: str, pieces: list[Piece], shape: Shape, sizes: Mapping[str, str] | None = None) -> Piece:
        """A function on pieces.

        Raises:
            NoRuleError: the language lacks it.
        """
        if key in self.forms:
            return self.forms[key](self, pieces)
        if key not in self.calls:
            raise self.refused(key.partition(":")[0])
        return self.called(self.calls[key].format(*map(self.whole, pieces), **(sizes or {})), shape)

    def negative(self, a: Piece) -> Piece:
        """-a"""
        level = UNARY if a.level >= POWER else SUM
        return Piece(f"-{a.at(PRODUCT)}", a.shape, level, array=a.array)

    # ------------------------------------------------------------------------------------------------ sizes, numbers

    def shape(self, shape: Sizes | None) -> Shape:
        """A shape, its sizes under their names in the language.

        Raises:
            NoRuleError: it is that of blocks, which have three axes.
        """
        if shape is None:
            raise self.refused("an array with three axes")
        rows, columns = (size_text(d, self.size_names) for d in shape)
        return rows, columns

    def exact_size(self, d: Any) -> str:
        """An exact size as an argument."""
        return self.size(trees.parsed(size_text(d, self.size_names)))

    def whole_number(self, value: int) -> Piece:
        """A whole number."""
        return Piece(self.number(value))

    def exact(self, number: Any, *, minus: bool = False) -> Piece:
        """An exact number, or its negative."""
        whole = is_whole(number)
        text, level = (
            (size_text(number, self.size_names), Level.TIMES) if whole else number_code(number, self.size_names)
        )
        if minus and level >= Level.TIMES:
            return self._arithmetic(trees.parsed(f"-{text}"))
        found = self._arithmetic(trees.parsed(text))
        return self.negative(found) if minus else found

    def _arithmetic(self, tree: ast.expr) -> Piece:
        """An exact number in the notation of `number_code`."""
        if isinstance(tree, ast.Constant) and isinstance(tree.value, (int, float)):
            return Piece(self.number(tree.value))
        if isinstance(tree, ast.Name):
            return self.size_in_value(tree.id)
        if isinstance(tree, ast.UnaryOp):
            return self.negative(self._arithmetic(tree.operand))
        if isinstance(tree, ast.Attribute):
            return Piece(self.number(_CONSTANTS[trees.text(tree)]))
        if isinstance(tree, ast.Call):
            return self.call(trees.text(tree.func), [self._arithmetic(a) for a in tree.args], SCALAR)
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Pow):
            return self.power(self._arithmetic(tree.left), self._arithmetic(tree.right))
        if isinstance(tree, ast.BinOp) and type(tree.op) in _OPERATORS:
            operator, level = _OPERATORS[type(tree.op)]
            return self.entrywise(operator, self._arithmetic(tree.left), self._arithmetic(tree.right), level)
        raise self.refused(trees.text(tree))
