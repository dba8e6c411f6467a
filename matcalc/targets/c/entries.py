"""One entry of an entrywise expression in C: an expression of our Python, read at a row and a column.

What only moves entries (transposes, vec, Kronecker products, diagonals, identities) is a change of the two indices.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

import sympy as sp

from matcalc.emit import trees
from matcalc.errors import NoRuleError, no_counterpart

Shape: TypeAlias = tuple[str, str]
SCALAR: Shape = ("1", "1")

# Functions of one entry: of the C library, of templates/c_helpers.c, and of native functions.
UNARY = {
    **{f"np.{f}": f for f in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{f"np.arc{f}": f"a{f}" for f in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{"np.abs": "fabs", "np.sign": "sign", "np.square": "square", "_sigmoid": "sigmoid", "_softplus": "softplus"},
    "_log1mexp": "log1mexp",
    **{"_squared_cosh": "squared_cosh", "_slope_of_tanh": "slope_of_tanh"},
    **{"_gelu": "gelu", "_selu": "selu", "special.ndtr": "normal_distribution"},
    **{"_reciprocal": "reciprocal", "special.erf": "erf", "special.erfc": "erfc", "special.gammaln": "lgamma"},
    **{"math.sqrt": "sqrt", "math.log": "log", "math.exp": "exp", "math.lgamma": "lgamma", "math.gamma": "tgamma"},
}
BINARY = {
    "np.maximum": "maximum",
    "np.minimum": "minimum",
    "_huber": "huber",
    "_leakyrelu": "leaky_relu",
    "_elu": "elu",
}
_CONSTANTS = {"math.pi": math.pi, "math.e": math.e}
_FILLED = ("np.zeros", "np.ones", "np.full", "np.broadcast_to", "np.eye")
_MOVED = {
    *("_diag", "_add_diagonal", "_vec", "_reshape", "_kron", "np.kron", "_kron_eye", "_eye_kron", "_comm", "_diagvec"),
    *("np.diagonal", "np.tril", "np.triu", "np.outer"),
}
MOVING = frozenset([*_FILLED, *_MOVED])
_DIAGONALS = ("_diagvec", "np.diagonal")
_OPERATORS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_SQUARE = 2


def refused(what: str) -> NoRuleError:
    """The error for what has no counterpart in C."""
    return no_counterpart("C", what)


def size_text(tree: ast.expr) -> str:
    """A size as an integer expression of C."""
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Pow):
        if isinstance(tree.right, ast.Constant) and isinstance(tree.right.value, int):
            return product(*[size_text(tree.left)] * tree.right.value)
        raise refused(f"the size {trees.text(tree)}")
    if isinstance(tree, ast.BinOp) and type(tree.op) in _OPERATORS:
        left, right = size_text(tree.left), size_text(tree.right)
        if isinstance(tree.op, ast.Mult):
            return product(left, right)
        return f"{_bracketed(left)} {_OPERATORS[type(tree.op)]} {_bracketed(right)}"
    if isinstance(tree, ast.Constant) and isinstance(tree.value, int):
        return str(tree.value)
    if isinstance(tree, ast.Name):
        return tree.id
    raise refused(f"the size {trees.text(tree)}")


def exact_size(size: sp.Expr, names: Mapping[str, str]) -> str:
    """An exact size as an integer expression of C: whole divisors come last, where the quotient is whole."""
    above, below = sp.fraction(sp.together(size))
    text = _whole(above, names)
    return text if below == 1 else f"(({text}) / {_whole(below, names)})"


def _whole(size: sp.Expr, names: Mapping[str, str]) -> str:
    """A polynomial in sizes."""
    if size.is_Integer:
        return str(size)
    if size.is_Symbol:
        return names[size.name]
    if size.is_Pow and size.exp.is_Integer and size.exp > 0:
        return product(*[_whole(size.base, names)] * int(size.exp))
    if size.is_Mul and not size.could_extract_minus_sign():
        return reduce(product, (_whole(f, names) for f in size.as_ordered_factors()))
    if size.is_Add:
        return _whole_sum(sorted(size.as_ordered_terms(), key=lambda t: bool(t.could_extract_minus_sign())), names)
    raise refused(f"the size {size}")


def _whole_sum(terms: Sequence[sp.Expr], names: Mapping[str, str]) -> str:
    text = _whole(terms[0], names)
    for t in terms[1:]:
        minus = bool(t.could_extract_minus_sign())
        text = f"{_bracketed(text)} {'-' if minus else '+'} {_bracketed(_whole(-t if minus else t, names))}"
    return text


def _bracketed(text: str) -> str:
    one = text.startswith("(") and text.endswith(")") and ")" not in text[1:-1]
    return text if one or text.replace("_", "").isalnum() else f"({text})"


def product(*factors: str) -> str:
    """The product of sizes, without factors 1."""
    needed = [_bracketed(f) for f in factors if f != "1"]
    return " * ".join(needed) or "1"


def _quotient(index: str, size: str) -> str:
    """index / size; what is 0 stays the constant, which has no sign to compare."""
    return index if size == "1" or index == "0" else f"({index} / {_bracketed(size)})"


def _remainder(index: str, size: str) -> str:
    """index % size."""
    return "0" if size == "1" or index == "0" else f"({index} % {_bracketed(size)})"


def _index(row: str, column: str, rows: str) -> str:
    """row + column * rows."""
    if column == "0":
        return row
    place = column if rows == "1" else f"{column} * {_bracketed(rows)}"
    return f"({place})" if row == "0" else f"({row} + {place})"


def joint(*shapes: Shape) -> Shape:
    """The shape of an operation on entries of matrices of which some may be repeated."""
    rows = next((s[0] for s in shapes if s[0] != "1"), "1")
    columns = next((s[1] for s in shapes if s[1] != "1"), "1")
    return rows, columns


@dataclass(frozen=True, slots=True)
class At:
    """Where an entry is read: at a row and a column, or (flat) at one index of matrices of one shape."""

    row: str
    column: str
    flat: str | None = None


class Entries:
    """Shapes and entries of expressions over names.

    Args:
        shapes: of the names of values; other names are sizes.
        used: collects the helper functions that the entries call.

    Attributes:
        known: the shapes of what instructions compute, by their trees.
    """

    def __init__(self, shapes: Mapping[str, Shape], used: set[str]) -> None:
        self.shapes, self.used = shapes, used
        self.known: dict[ast.expr, Shape] = {}

    @staticmethod
    def is_entrywise(tree: ast.expr) -> bool:
        """Whether a node of a tree (not what is below it) can be read entry by entry."""
        if isinstance(tree, (ast.Name, ast.Constant, ast.UnaryOp, ast.Compare)):
            return True
        if isinstance(tree, ast.BinOp):
            return not isinstance(tree.op, ast.MatMult)
        if isinstance(tree, ast.Attribute):
            return tree.attr == "T" or trees.text(tree) in _CONSTANTS
        if not isinstance(tree, ast.Call):
            return False
        name = trees.text(tree.func)
        if isinstance(tree.func, ast.Attribute) and tree.func.attr == "astype":
            return True
        return (
            name in UNARY
            or name in BINARY
            or name in _FILLED
            or name in _MOVED
            or name in ("np.where", "np.clip", "dtype.type")
        )

    # ------------------------------------------------------------------------------------------------ shapes

    def shape(self, tree: ast.expr) -> Shape:
        """The shape of an entrywise tree: as its instruction has it, or that of its parts together."""
        if isinstance(tree, ast.Name):
            return self.shapes.get(tree.id, SCALAR)
        if tree in self.known:
            return self.known[tree]
        if isinstance(tree, ast.UnaryOp):
            return self.shape(tree.operand)
        if isinstance(tree, ast.BinOp):
            return joint(self.shape(tree.left), self.shape(tree.right))
        if isinstance(tree, ast.Compare):
            return joint(self.shape(tree.left), self.shape(tree.comparators[0]))
        if isinstance(tree, ast.Attribute) and tree.attr == "T":
            return self.shape(tree.value)[::-1]
        if isinstance(tree, ast.Call):
            if isinstance(tree.func, ast.Attribute) and tree.func.attr == "astype":
                return self.shape(tree.func.value)
            return self.shape_of_call(trees.text(tree.func), tree.args)
        return SCALAR

    def shape_of_call(self, name: str, args: list[ast.expr]) -> Shape:
        """The shape of a call that no instruction gives: of a function of entries, of the diagonal of a matrix."""
        if name in _DIAGONALS:
            return self.shape(args[0])[0], "1"
        if name == "np.full" and isinstance(args[0], ast.Tuple):
            rows, columns = map(size_text, args[0].elts)
            return rows, columns
        if name in MOVING:
            raise refused(f"{name} of an unknown shape")
        return joint(*(self.shape(a) for a in args))

    def is_flat(self, tree: ast.expr) -> bool:
        """Whether one index reads all matrices of a tree: they have one shape, and nothing moves."""
        shape = self.shape(tree)
        for part in ast.walk(tree):
            if isinstance(part, ast.Name) and self.shapes.get(part.id, SCALAR) not in (shape, SCALAR):
                return False
            if isinstance(part, ast.Attribute) and part.attr == "T":
                return False
            if isinstance(part, ast.Call) and trees.text(part.func) in {*_FILLED, *_MOVED}:
                return False
        return True

    # ------------------------------------------------------------------------------------------------ entries

    def text(self, tree: ast.expr, at: At | None = None) -> str:
        """The entry of a tree as C; of a 1 x 1 value without a place."""
        return ast.unparse(self._entry(tree, at or At("0", "0")))

    def _call(self, function: str, *args: ast.expr) -> ast.expr:
        self.used.add(function)
        return ast.Call(ast.Name(function), list(args), [])

    def _where(self, left: str, relation: str, right: str, value: ast.expr) -> ast.expr:
        """An entry where two indices are ==, <= or >=, and 0 elsewhere."""
        if left == right:
            return value
        return self._call("choose", ast.Name(f"{left} {relation} {right}"), value, ast.Constant(0.0))

    def _entry(self, tree: ast.expr, at: At) -> ast.expr:
        if isinstance(tree, ast.Constant):
            return ast.Constant(float(tree.value)) if isinstance(tree.value, (int, float)) else tree
        if isinstance(tree, ast.Name):
            return ast.Name(self._read(tree.id, at))
        if isinstance(tree, ast.UnaryOp):
            inner = self._entry(tree.operand, at)
            if isinstance(inner, ast.UnaryOp):  # --x decrements in C
                return inner.operand
            return ast.UnaryOp(tree.op, inner)
        if isinstance(tree, ast.Compare):
            sides = [self._entry(side, at) for side in (tree.left, *tree.comparators)]
            return ast.Compare(sides[0], tree.ops, sides[1:])
        if isinstance(tree, ast.BinOp):
            return self._operation(tree, at)
        if isinstance(tree, ast.Attribute):
            if trees.text(tree) in _CONSTANTS:
                return ast.Constant(_CONSTANTS[trees.text(tree)])
            return self._entry(tree.value, At(at.column, at.row))
        assert isinstance(tree, ast.Call)
        return self._entry_of_call(tree, trees.text(tree.func), at)

    def _operation(self, tree: ast.BinOp, at: At) -> ast.expr:
        left, right = self._entry(tree.left, at), self._entry(tree.right, at)
        if not isinstance(tree.op, ast.Pow):
            return ast.BinOp(left, tree.op, right)
        if isinstance(tree.right, ast.Constant) and tree.right.value == _SQUARE:
            return self._call("square", left)
        return ast.Call(ast.Name("pow"), [left, right], [])

    def _read(self, name: str, at: At) -> str:
        if name not in self.shapes:
            return f"(double){name}"
        rows, columns = self.shapes[name]
        if (rows, columns) == SCALAR:
            return name
        if at.flat is not None:
            return f"{name}[{at.flat}]"
        if columns == "1":
            return f"{name}[{at.row}]"
        if rows == "1":
            return f"{name}[{at.column}]"
        return f"{name}[{_bracketed(at.row)} * {_bracketed(columns)} + {at.column}]"

    def _entry_of_call(self, tree: ast.Call, name: str, at: At) -> ast.expr:
        if isinstance(tree.func, ast.Attribute) and tree.func.attr == "astype":
            inner = self._entry(tree.func.value, at)
            if isinstance(tree.func.value, ast.Compare):
                return self._call("choose", inner, ast.Constant(1.0), ast.Constant(0.0))
            return inner
        if name in UNARY or name in BINARY:
            return self._call((UNARY | BINARY)[name], *(self._entry(a, at) for a in tree.args))
        if name == "dtype.type":
            inner = self._entry(tree.args[0], at)
            if isinstance(tree.args[0], ast.Compare):
                return self._call("choose", inner, ast.Constant(1.0), ast.Constant(0.0))
            return inner
        if name == "np.clip":
            x, low, high = (self._entry(a, at) for a in tree.args)
            return self._call("minimum", self._call("maximum", x, low), high)
        if name == "np.where":
            return self._call("choose", *(self._entry(a, at) for a in tree.args))
        if name in ("np.zeros", "np.ones"):
            return ast.Constant(1.0 if name == "np.ones" else 0.0)
        if name == "np.full":
            return self._entry(tree.args[1], at)
        if name == "np.broadcast_to":
            return self._entry(tree.args[0], at)
        return self._moved(name, tree.args, self._inside(tree, at))

    def _inside(self, tree: ast.expr, at: At) -> At:
        """The place where a tree is read that the rest of an expression may repeat along rows or columns."""
        rows, columns = self.shape(tree)
        return At("0" if rows == "1" else at.row, "0" if columns == "1" else at.column)

    def _moved(self, name: str, args: list[ast.expr], at: At) -> ast.expr:
        i, j = _bracketed(at.row), _bracketed(at.column)
        if name == "np.eye":
            return self._where(i, "==", j, ast.Constant(1.0))
        if name == "_diag":
            return self._where(i, "==", j, self._entry(args[0], At(at.row, at.row)))
        if name in _DIAGONALS:
            return self._entry(args[0], At(at.row, at.row))
        if name == "_add_diagonal":
            added = self._where(i, "==", j, self._entry(args[1], At(at.row, at.row)))
            return ast.BinOp(self._entry(args[0], at), ast.Add(), added)
        if name in ("np.tril", "np.triu"):
            return self._where(j, "<=" if name == "np.tril" else ">=", i, self._entry(args[0], at))
        if name == "np.outer":
            return ast.BinOp(self._entry(args[0], At(i, i)), ast.Mult(), self._entry(args[1], At(j, j)))
        if name == "_comm":
            m, n = (size_text(a) for a in args)
            return self._where(j, "==", _index(_quotient(i, n), _remainder(i, n), m), ast.Constant(1.0))
        if name in ("_vec", "_reshape"):
            rows = self.shape(args[0])[0]
            place = i if name == "_vec" else _index(i, j, size_text(args[1]))
            return self._entry(args[0], At(_remainder(place, rows), _quotient(place, rows)))
        return self._kronecker(name, args, i, j)

    def _kronecker(self, name: str, args: list[ast.expr], i: str, j: str) -> ast.expr:
        if name == "_kron_eye":
            n = size_text(args[1])
            entry = self._entry(args[0], At(_quotient(i, n), _quotient(j, n)))
            return self._where(_remainder(i, n), "==", _remainder(j, n), entry)
        p, q = self.shape(args[1])
        inner = self._entry(args[1], At(_remainder(i, p), _remainder(j, q)))
        if name == "_eye_kron":
            return self._where(_quotient(i, p), "==", _quotient(j, q), inner)
        return ast.BinOp(self._entry(args[0], At(_quotient(i, p), _quotient(j, q))), ast.Mult(), inner)
