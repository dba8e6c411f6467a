"""What is known of the names of a straight-line program while its lines are written: shapes, memory, reads to come.

It says of an expression over these names what shape it has, whether it is worth its own memory, and what memory is
free: the questions of the pass that writes in place (`matcalc.emit.inplace`).
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from matcalc.dims import Shape, is_one
from matcalc.emit import trees

SCALAR: Shape = (1, 1)
# Ufuncs of one array, and helpers that take `out=` (emit/array_helpers.py).
UNARY = frozenset(
    f"np.{f}"
    for f in (
        *("exp", "expm1", "log", "log1p", "sqrt", "abs", "square", "negative", "reciprocal", "sign"),
        *("sin", "cos", "tan", "tanh", "sinh", "cosh", "arcsin", "arccos", "arctan"),
    )
)
HELPERS = frozenset(["_sigmoid", "_one_plus_exp", "_softplus", "_softmax", "_log_softmax", "_squared_cosh"])
BINARY = frozenset(["np.maximum", "np.minimum"])
AUGMENTED = {ast.Mult: "*=", ast.Div: "/=", ast.Add: "+=", ast.Sub: "-="}
_SMALL = 1000


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of a name: its shape, the value whose memory it shares, and whether that may be overwritten.

    The shape is None for arrays with other than two axes, which are neither overwritten nor put anywhere.
    """

    shape: Shape | None
    root: Any
    owned: bool


class Free:
    """Names whose memory nobody reads any more, by its shape, those that came first at the front."""

    def __init__(self) -> None:
        self._names: dict[Shape, dict[str, None]] = {}
        self._shapes: dict[str, Shape] = {}

    def add(self, name: str, shape: Shape) -> None:
        """A name that may be taken."""
        if self._shapes.get(name, shape) != shape:
            self.discard(name)
        self._shapes[name] = shape
        self._names.setdefault(shape, {})[name] = None

    def discard(self, name: str) -> None:
        """A name that may not be taken any more."""
        if name in self._shapes:
            del self._names[self._shapes.pop(name)][name]

    def has(self, shape: Shape) -> bool:
        """Whether there is memory of this shape."""
        return bool(self._names.get(shape))

    def taken(self, shape: Shape) -> str | None:
        """The first name of this shape, which is free no longer; None where there is none."""
        name = next(iter(self._names.get(shape, ())), None)
        if name is not None:
            self.discard(name)
        return name


class Storage:
    """The names of a program, at one of its lines.

    Args:
        memory: what is known of the names that hold arrays and 1 x 1 values; others are sizes and modules.
        shapes: of what stands inside of statements, by its trees.
        waiting: all that is still to be evaluated.

    Attributes:
        unread: how often the memory of each value is still read.
        free: the shapes of the memory that nobody reads any more, by its names.
    """

    def __init__(
        self, memory: Mapping[str, Memory], shapes: Mapping[ast.expr, Shape | None], waiting: Iterable[ast.expr]
    ) -> None:
        self.memory, self.shapes = dict(memory), shapes
        self.unread: Counter[Any] = Counter()
        for tree in waiting:
            self.unread.update(self._roots(tree))
        self.free = Free()

    def _roots(self, tree: ast.expr) -> list[Any]:
        return [self.memory[n.id].root for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id in self.memory]

    def read(self, tree: ast.expr) -> None:
        """Count what an expression reads; what nobody reads any more is free."""
        for n in ast.walk(tree):
            if isinstance(n, ast.Name) and n.id in self.memory:
                known = self.memory[n.id]
                self.unread[known.root] -= 1
                if self.unread[known.root] == 0 and known.owned and known.shape is not None:
                    self.free.add(n.id, known.shape)

    def shape(self, tree: ast.expr) -> Shape | None:
        """The shape of an expression, known for what an instruction computes; None where it is not known."""
        if tree in self.shapes and not isinstance(tree, ast.Name):
            return self.shapes[tree]
        if isinstance(tree, ast.Name):
            return self.memory[tree.id].shape if tree.id in self.memory else SCALAR
        if isinstance(tree, ast.Constant):
            return SCALAR
        if isinstance(tree, ast.UnaryOp):
            return self.shape(tree.operand)
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.MatMult):
            left, right = self.shape(tree.left), self.shape(tree.right)
            return None if left is None or right is None else (left[0], right[1])
        if isinstance(tree, ast.BinOp):
            return trees.joint(self.shape(tree.left), self.shape(tree.right))
        if isinstance(tree, ast.Compare):
            return trees.joint(self.shape(tree.left), self.shape(tree.comparators[0]))
        if isinstance(tree, ast.Attribute) and tree.attr == "T":
            inner = self.shape(tree.value)
            return None if inner is None else (inner[1], inner[0])
        if isinstance(tree, ast.Call):
            name = trees.text(tree.func)
            if name in UNARY or name in HELPERS:
                return self.shape(tree.args[0])
            if name in BINARY:
                return trees.joint(self.shape(tree.args[0]), self.shape(tree.args[1]))
            if name == "dtype.type" or name.startswith("math."):
                return SCALAR
        return None

    @staticmethod
    def is_large(shape: Shape | None) -> bool:
        """Whether arrays of a shape are worth their own memory."""
        if shape is None or all(map(is_one, shape)):
            return False
        m, n = shape
        return not (isinstance(m, int) and isinstance(n, int) and m * n < _SMALL)

    def is_dead_after(self, tree: ast.expr, reads: int = 1) -> bool:
        """Whether this is the last read (or the last of some) of a name whose memory is ours."""
        if not isinstance(tree, ast.Name) or tree.id not in self.memory:
            return False
        known = self.memory[tree.id]
        return known.owned and self.unread[known.root] == reads

    def elementwise(self, tree: ast.expr) -> bool:
        """Whether it is an operation that this pass can put into given memory, of a large array."""
        if isinstance(tree, ast.BinOp):
            if isinstance(tree.op, ast.Pow):
                return self.is_large(self.shape(tree.left)) and self.shape(tree.right) == SCALAR
            return type(tree.op) in AUGMENTED and self.is_large(self.shape(tree))
        if isinstance(tree, ast.UnaryOp):
            return self.is_large(self.shape(tree))
        if not isinstance(tree, ast.Call) or not self.is_large(self.shape(tree)):
            return False
        name = trees.text(tree.func)
        return name in UNARY or name in HELPERS or (name in BINARY and self.shape(tree.args[0]) == self.shape(tree))

    def fresh_value(self, tree: ast.expr, shape: Shape) -> bool:
        """Whether it makes a new array of this shape, which may be overwritten: a product, a chain."""
        if self.shape(tree) != shape:
            return False
        return (isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.MatMult)) or self.elementwise(tree)

    def operations(self, tree: ast.expr) -> int:
        """How many elementwise operations of its own size a tree consists of."""
        if not self.elementwise(tree):
            return 0
        shape = self.shape(tree)
        return 1 + sum(self.operations(c) for c in trees.children(tree) if self.shape(c) == shape)

    def worthwhile(self, tree: ast.expr) -> bool:
        """Whether placing a tree saves memory: several operations, or one with memory at hand."""
        if not self.elementwise(tree):
            return False
        shape = self.shape(tree)
        assert shape is not None
        if self.operations(tree) > 1 or self.free.has(shape):
            return True
        inner = [c for c in trees.children(tree) if self.shape(c) == shape]
        return any(self.is_dead_after(c) or self.fresh_value(c, shape) for c in inner)

    def spare(self, shape: Shape) -> str | None:
        """Memory of this shape that nobody reads any more."""
        return self.free.taken(shape)
