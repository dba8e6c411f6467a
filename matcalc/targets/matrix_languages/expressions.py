"""Expressions of a program in a language with matrices, part by part; a language fills in the words.

A tree of the schedule is NumPy: what it broadcasts by itself, what it does along an axis and what it calls are written
here as the language writes them. What the language lacks is refused by name.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import ClassVar

from matcalc.emit import trees
from matcalc.errors import NoRuleError, no_counterpart
from matcalc.targets.libraries.translation import EINSUM
from matcalc.targets.matrix_languages.pieces import COMPARE, POWER, PRODUCT, SUM, UNARY, Piece
from matcalc.targets.matrix_languages.shapes import SCALAR, Shape, is_number, joint, shape_of_call

_LEVELS: dict[type[ast.operator], int] = {ast.Add: SUM, ast.Sub: SUM, ast.Mult: PRODUCT, ast.Div: PRODUCT}
OPERATORS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARISONS: dict[type[ast.cmpop], str] = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<="}
_CONSTANTS = {"math.pi": math.pi, "math.e": math.e}
_FILLED = {"np.zeros": 0, "np.ones": 1}
_NAMES = {"np.array": "{0}"}
_AXES = 2


def shared_calls(absent: str) -> dict[str, str]:
    """The helper functions that languages of matrices spell alike; `absent` is what stands for an identity factor."""
    times = (("xxx", "{0}", "{1}"), ("-xx", absent, "{1}"), ("x-x", "{0}", absent))
    by_times = (("xxx", "{1}", "{2}"), ("x-x", absent, "{2}"), ("xx-", "{1}", absent))
    return {
        **{"_comm": "commutation({s0}, {s1})", "_dsel": "diagonal_selection({s0})"},
        **{"_dup": "duplication({s0})", "_elim": "elimination({s0})", "_toep": "toeplitz_basis({s0})"},
        **{"_symtoep": "symmetric_toeplitz_basis({s0})", "_skewdup": "skew_basis({s0})"},
        **{f"_kron_times:{k}": f"kron_times({a}, {b}, {{2}})" for k, a, b in times},
        **{f"_times_kron:{k}": f"times_kron({{0}}, {a}, {b})" for k, a, b in by_times},
        "_gram_factor": "gram_factor({0})",
        **{"_blockinner": "block_inner({0}, {1})", "_blocksum": "block_sum({0}, {1})"},
        **{"_slice": "slice({0}, {s1}, {s2}, {s3}, {s4})", "_place": "place({0}, {s1}, {s2}, {s3}, {s4})"},
        **{"_vech": "vech({0})", "_unvech": "unvech({0}, {s1})", "_pdist2": "squared_distances({0}, {1})"},
        "_convmat": "convolution_matrix({0}, {s1})",
    }


class Expressions:
    """Expressions over names whose shapes are known; other names are sizes.

    A language is a subclass: `calls` has the texts of its functions by the names of ours (after a colon the axis),
    with `{0}` for an operand and `{s1}` for a size; the methods say what is no call.
    """

    title: ClassVar[str]
    calls: ClassVar[Mapping[str, str]]
    matmul_level: ClassVar[int] = PRODUCT
    functions: ClassVar[Mapping[str, str]] = {}

    def __init__(self, shapes: dict[str, Shape]) -> None:
        self.shapes = shapes
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

    def called(self, name: str, text: str, shape: Shape) -> Piece:
        """A call."""
        return Piece(text, shape)

    # ------------------------------------------------------------------------------------------------ parts

    def piece(self, tree: ast.expr) -> Piece:
        """A tree in the language."""
        if isinstance(tree, ast.Constant):
            return self._constant(tree)
        if isinstance(tree, ast.Name):
            return self._name(tree.id)
        if isinstance(tree, ast.UnaryOp):
            return self._negative(self.piece(tree.operand))
        if isinstance(tree, ast.BinOp):
            return self._operation(tree)
        if isinstance(tree, ast.Compare):
            return self._comparison(tree)
        if isinstance(tree, ast.Attribute):
            return self._attribute(tree)
        if isinstance(tree, ast.Subscript):
            return self._part(tree)
        if isinstance(tree, ast.Call):
            return self._call(tree)
        raise self.refused(trees.text(tree))

    def _constant(self, tree: ast.Constant) -> Piece:
        if not isinstance(tree.value, (int, float)) or isinstance(tree.value, bool):
            raise self.refused(trees.text(tree))
        return Piece(self.number(tree.value))

    def _name(self, name: str) -> Piece:
        if name not in self.shapes:
            return self.size_in_value(name)
        return self.named(name)

    def named(self, name: str) -> Piece:
        """A value by its name."""
        return Piece(name, self.shapes[name])

    def _negative(self, a: Piece) -> Piece:
        level = UNARY if a.level >= POWER else SUM
        return Piece(f"-{a.at(PRODUCT)}", a.shape, level, array=a.array)

    def _operation(self, tree: ast.BinOp) -> Piece:
        if isinstance(tree.op, ast.MatMult):
            a, b = self.piece(tree.left), self.piece(tree.right)
            if (a.shape[0], b.shape[1]) == SCALAR:
                return self.dot(a, self.transposed(b))
            return self.product(a, b)
        if isinstance(tree.op, ast.Pow):
            return self.power(self.piece(tree.left), self.piece(tree.right))
        if type(tree.op) not in OPERATORS:
            raise self.refused(trees.text(tree))
        a, b = self._operand(tree.left), self._operand(tree.right)
        return self.entrywise(OPERATORS[type(tree.op)], a, b, _LEVELS[type(tree.op)])

    def _operand(self, tree: ast.expr) -> Piece:
        """A part of a sum or product, where a truth value is a number."""
        return self.truth(self.piece(tree)) if isinstance(tree, ast.Compare) else self.piece(tree)

    def _comparison(self, tree: ast.Compare) -> Piece:
        a, b = self.piece(tree.left), self.piece(tree.comparators[0])
        return self.entrywise(_COMPARISONS[type(tree.ops[0])], a, b, COMPARE)

    def _attribute(self, tree: ast.Attribute) -> Piece:
        if trees.text(tree) in _CONSTANTS:
            return Piece(self.number(_CONSTANTS[trees.text(tree)]))
        if tree.attr != "T":
            raise self.refused(trees.text(tree))
        return self.transposed(self.piece(tree.value))

    def _part(self, tree: ast.Subscript) -> Piece:
        call, place = tree.value, trees.text(tree.slice).strip("()")
        name = trees.text(call.func) if isinstance(call, ast.Call) else ""
        if place == "" and isinstance(call, ast.Call):  # [()] of a 1 x 1 matrix
            return self.piece(call)
        if place == "1" and name == "np.linalg.slogdet" and isinstance(call, ast.Call):
            return self._table("np.linalg.slogdet", None, call.args)
        if place in (":, None", "None, :") and isinstance(call, ast.Call):
            return self._call(call)
        if place == ":, 0":
            return self.piece(call)
        if name == "np.eye" and place.startswith(":, ::") and isinstance(call, ast.Call):  # the columns of a diagonal
            step = ast.parse(place.removeprefix(":, ::"), mode="eval").body
            assert isinstance(step, ast.BinOp)
            return self._table("_dsel", None, [step.left])
        raise self.refused(trees.text(tree))

    # ------------------------------------------------------------------------------------------------ calls

    def _call(self, tree: ast.Call) -> Piece:
        name, args = trees.text(tree.func), tree.args
        if isinstance(tree.func, ast.Attribute) and tree.func.attr == "astype":
            return self._operand(tree.func.value)
        if name in ("dtype.type", "np.array"):
            return self._operand(args[0])
        if name == "np.reshape" and trees.text(args[1]) == "()":
            inner = self.piece(args[0])
            return inner if self._gives_number(args[0]) else self.entry(inner)
        if name in _FILLED or name in ("np.full", "np.broadcast_to"):
            return self._filled(name, args)
        if name == "np.eye":
            size = trees.text(args[0])
            return self.identity(self.size(args[0]), (size, size))
        if name == "np.einsum":
            return self._einsum(args)
        if name == "np.vdot":
            return self.dot(self.piece(args[0]), self.piece(args[1]))
        if name == "np.where":
            return self._where(args)
        if name == "np.block":
            return self._blocks(args[0])
        if name == "np.outer":
            return self._outer_product(self.piece(args[0]), self.piece(args[1]))
        if name in ("_kron_times", "_times_kron"):
            return self._kron_product(name, args)
        return self._table(name, self._axis(tree), args)

    def _kron_product(self, name: str, args: list[ast.expr]) -> Piece:
        """A product with a Kronecker product, where None is an identity."""
        missing = [trees.text(a) == "None" for a in args]
        return self._table(f"{name}:{''.join('-' if m else 'x' for m in missing)}", None, args)

    def _gives_number(self, tree: ast.expr) -> bool:
        """Whether an expression gives a number, not a 1 x 1 matrix."""
        if isinstance(tree, ast.Name):
            return self.shapes.get(tree.id, SCALAR) == SCALAR
        if isinstance(tree, ast.Call):
            return self._axis(tree) is None and is_number(trees.text(tree.func))
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.MatMult):
            return False
        return all(map(self._gives_number, trees.children(tree)))

    def _axis(self, tree: ast.Call) -> int | None:
        given = [k.value for k in tree.keywords if k.arg == "axis"]
        if not given:
            return None
        assert isinstance(given[0], ast.Constant)
        return given[0].value if isinstance(given[0].value, int) else None

    def _filled(self, name: str, args: list[ast.expr]) -> Piece:
        shape = args[1] if name == "np.broadcast_to" else args[0]
        if not isinstance(shape, ast.Tuple) or len(shape.elts) != _AXES:
            raise self.refused(f"{name} of blocks")
        sizes = [self.size(s) for s in shape.elts]
        texts = trees.text(shape.elts[0]), trees.text(shape.elts[1])
        if name == "np.broadcast_to":
            return self.along(self.piece(args[0]), texts)
        value = self.piece(args[1]) if name == "np.full" else Piece(self.number(_FILLED[name]))
        return self.filled(value, texts, sizes)

    def _einsum(self, args: list[ast.expr]) -> Piece:
        pattern = trees.text(args[0]).strip('"')
        if pattern not in EINSUM:
            raise self.refused(f"the sum {pattern}")
        turned, axis = EINSUM[pattern]
        a, b = self.piece(args[1]), self.piece(args[2])
        if turned:
            b = self.transposed(b)
        if axis is None:
            return self.dot(a, b)
        entries = self.entrywise("*", a, b, PRODUCT)
        return self._filled_in("np.sum", axis, [entries], [])

    def _where(self, args: list[ast.expr]) -> Piece:
        test, yes, no = (self.piece(a) for a in args)
        shape = joint(test.shape, yes.shape, no.shape)
        if test.shape != shape:
            if not isinstance(args[0], ast.Compare):
                raise self.refused(trees.text(args[0]))
            left, right = self.piece(args[0].left), self.piece(args[0].comparators[0])
            test = self.entrywise(_COMPARISONS[type(args[0].ops[0])], self.along(left, shape), right, COMPARE)
        parts = [p if p.shape in (SCALAR, shape) else self.along(p, shape) for p in (yes, no)]
        return self.chosen(test, *parts)

    def _blocks(self, tree: ast.expr) -> Piece:
        assert isinstance(tree, ast.List)
        rows = []
        for row in tree.elts:
            assert isinstance(row, ast.List)
            rows.append([self.piece(a) for a in row.elts])
        height = " + ".join(row[0].shape[0] for row in rows)
        width = " + ".join(p.shape[1] for p in rows[0])
        return self.blocks(rows, (height, width))

    def _outer_product(self, a: Piece, b: Piece) -> Piece:
        """x y' of the entries of two vectors, whatever way they lie."""
        left = a if a.flags[1] else self.transposed(a)
        right = b if b.flags[0] else self.transposed(b)
        return self.entrywise("*", left, right, PRODUCT)

    def _table(self, name: str, axis: int | None, args: list[ast.expr]) -> Piece:
        """A call by the table of the language."""
        whole = [self._argument(a) for a in args]
        return self._filled_in(name, axis, whole, args)

    def _argument(self, tree: ast.expr) -> Piece:
        """An operand of a call: a value, or a function, or nothing."""
        text = trees.text(tree)
        if text == "None":
            return Piece("")
        if isinstance(tree, ast.Name) and tree.id.startswith("_frechet") and tree.id not in self.shapes:
            if tree.id not in self.functions:
                raise self.refused(tree.id)
            return Piece(self.functions[tree.id])
        if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
            return Piece(tree.value)
        return self._operand(tree)

    def _filled_in(self, name: str, axis: int | None, pieces: list[Piece], args: list[ast.expr]) -> Piece:
        key = name if axis is None else f"{name}:{axis}"
        if name == "np.linalg.norm" and len(args) > 1:
            key = f"{name}:" + trees.text(args[1]).strip('"')
        if key not in self.calls:
            raise self.refused(key.partition(":")[0])
        template = self.calls[key]
        sizes = {f"s{k}": self.size(a) for k, a in enumerate(args) if f"{{s{k}}}" in template}
        if callable(form := self.forms.get(key)):
            return form(self, pieces)
        name = key.partition(":")[0] if ":" in key and axis is None else name
        base = name.partition(":")[0]
        shapes = [p.shape for p in pieces]
        shape = shape_of_call(base, axis, args, shapes)
        text = template.format(*(self.whole(p) for p in pieces), **sizes)
        return self.called(key, text, shape)

    forms: ClassVar[Mapping[str, Callable[..., Piece]]] = {}
