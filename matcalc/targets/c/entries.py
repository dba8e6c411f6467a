"""One entry of an entrywise expression in C: an expression of our Python, read at a row and a column.

What only moves entries (transposes, vec, Kronecker products, diagonals, identities) is a change of the two indices.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

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


def _joint(*shapes: Shape) -> Shape:
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
    """

    def __init__(self, shapes: Mapping[str, Shape], used: set[str]) -> None:
        self.shapes, self.used = shapes, used

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
        """The shape of an entrywise tree."""
        if isinstance(tree, ast.Name):
            return self.shapes.get(tree.id, SCALAR)
        if isinstance(tree, ast.UnaryOp):
            return self.shape(tree.operand)
        if isinstance(tree, ast.BinOp):
            return _joint(self.shape(tree.left), self.shape(tree.right))
        if isinstance(tree, ast.Compare):
            return _joint(self.shape(tree.left), self.shape(tree.comparators[0]))
        if isinstance(tree, ast.Attribute) and tree.attr == "T":
            return self.shape(tree.value)[::-1]
        if isinstance(tree, ast.Call):
            if isinstance(tree.func, ast.Attribute) and tree.func.attr == "astype":
                return self.shape(tree.func.value)
            return self._shape_of_call(trees.text(tree.func), tree.args)
        return SCALAR

    def _shape_of_call(self, name: str, args: list[ast.expr]) -> Shape:
        if name in ("np.zeros", "np.ones", "np.full"):
            assert isinstance(args[0], ast.Tuple)
            return size_text(args[0].elts[0]), size_text(args[0].elts[1])
        if name == "np.broadcast_to":
            assert isinstance(args[1], ast.Tuple)
            return size_text(args[1].elts[0]), size_text(args[1].elts[1])
        if name == "np.eye":
            return (size_text(args[0]),) * 2
        if name == "_comm":
            return (product(size_text(args[0]), size_text(args[1])),) * 2
        if name == "_reshape":
            return size_text(args[1]), size_text(args[2])
        if name == "_eye_kron":
            rows, columns = self.shape(args[1])
            return product(size_text(args[0]), rows), product(size_text(args[0]), columns)
        shapes = [self.shape(a) for a in args]
        if name == "_kron_eye":
            return product(shapes[0][0], size_text(args[1])), product(shapes[0][1], size_text(args[1]))
        if name in ("_kron", "np.kron"):
            return product(shapes[0][0], shapes[1][0]), product(shapes[0][1], shapes[1][1])
        if name == "_vec":
            return product(*shapes[0]), "1"
        if name == "_diag":
            return (product(*shapes[0]),) * 2
        if name in ("_diagvec", "np.diagonal"):
            return shapes[0][0], "1"
        if name == "np.outer":
            return product(*shapes[0]), product(*shapes[1])
        if name in ("_add_diagonal", "np.tril", "np.triu"):
            return shapes[0]
        return _joint(*shapes)

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
        if name in ("_diagvec", "np.diagonal"):
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
