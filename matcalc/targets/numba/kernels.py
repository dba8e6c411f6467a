"""Entrywise blocks as compiled kernels: `numba.vectorize` makes ufuncs of them, without memory for what is between.

A pass over the statements of a NumPy module: what several entrywise operations compute of matrices becomes a function
of one entry each, and NumPy broadcasts. Products, sums and factorisations stay NumPy's.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

from matcalc.emit import trees
from matcalc.emit.memory import UNARY
from matcalc.emit.program import Lowered

_BINARY = ("np.maximum", "np.minimum")
_HELPERS = {
    "_sigmoid": "1 / (1 + e) if x >= 0 else e / (1 + e)",
    "_softplus": "(x if x > 0 else 0.0) + np.log1p(e)",
    "_log1mexp": "np.log(-np.expm1(-x)) if x < 0.6931471805599453 else np.log1p(-np.exp(-x))",
    "_squared_cosh": "np.cosh(x) ** 2",
}
_LEAST = 2


class Kernels:
    """The kernels of one module.

    Args:
        matrices: the names of values larger than 1 x 1.
        fresh: makes a new name from a wish.
    """

    def __init__(self, matrices: Iterable[str], fresh: Callable[[str], str]) -> None:
        self.matrices, self.fresh = set(matrices), fresh
        self.sources: list[str] = []
        self.helpers: set[str] = set()

    def text(self, tree: ast.expr, target: str) -> str:
        """A statement's text, with its entrywise blocks as calls of kernels."""
        return trees.text(self._replaced(tree, target))

    def all_sources(self) -> list[str]:
        """The texts of the kernels and of what they call."""
        inner = [
            f'@numba.njit(error_model="numpy")\ndef {name}_entry(x):\n    e = np.exp(-abs(x))\n    return {value}'
            for name, value in _HELPERS.items()
            if name in self.helpers
        ]
        return [*inner, *self.sources]

    def _replaced(self, tree: ast.expr, target: str) -> ast.expr:
        if self._operations(tree) >= _LEAST and self._has_matrix(tree):
            return self._kernel(tree, target)
        parts = {child: self._replaced(child, target) for child in trees.children(tree) if child is not _function(tree)}
        replaced = trees.Replaced(parts).generic_visit(tree)
        assert isinstance(replaced, ast.expr)
        return replaced

    # ------------------------------------------------------------------------------------------------ blocks

    @staticmethod
    def _is_entrywise(tree: ast.expr) -> bool:
        """Whether a kernel can contain a node."""
        if isinstance(tree, (ast.UnaryOp, ast.Compare, ast.Constant)):
            return True
        if isinstance(tree, ast.BinOp):
            return not isinstance(tree.op, ast.MatMult)
        if not isinstance(tree, ast.Call):
            return False
        name = trees.text(tree.func)
        return name in UNARY or name in _BINARY or name in _HELPERS or name == "np.where" or _is_mask(tree)

    def _parts(self, tree: ast.expr) -> list[ast.expr]:
        if isinstance(tree, ast.Call) and _is_mask(tree):
            assert isinstance(tree.func, ast.Attribute)
            return [tree.func.value]
        return [child for child in trees.children(tree) if child is not _function(tree)]

    def _operations(self, tree: ast.expr) -> int:
        if not self._is_entrywise(tree) or isinstance(tree, ast.Constant):
            return 0
        return 1 + sum(map(self._operations, self._parts(tree)))

    def _has_matrix(self, tree: ast.expr) -> bool:
        """Whether an operand of a block is known to be a matrix."""
        if isinstance(tree, ast.Name):
            return tree.id in self.matrices
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.MatMult):
            return True
        if isinstance(tree, ast.Attribute) and tree.attr == "T":
            return True
        return self._is_entrywise(tree) and any(map(self._has_matrix, self._parts(tree)))

    # ------------------------------------------------------------------------------------------------ kernels

    def _kernel(self, tree: ast.expr, target: str) -> ast.expr:
        """The call of a new kernel that computes a block."""
        operands: dict[str, ast.expr] = {}
        body = self._entry(tree, operands)
        name = self.fresh(f"_{target}")
        source = f"@numba.vectorize\ndef {name}({', '.join(operands)}):\n"
        source += f'    """An entry of {target}."""\n    return {trees.hugged(trees.text(body))}'
        self.sources.append(source)
        inputs = [self._replaced(operand, target) for operand in operands.values()]
        call = ast.Call(ast.Name(name), inputs, [])
        return ast.Call(ast.Attribute(call, "astype"), [ast.Name("dtype")], [ast.keyword("copy", ast.Constant(False))])

    def _entry(self, tree: ast.expr, operands: dict[str, ast.expr]) -> ast.expr:
        """A block on numbers; what it reads gets names."""
        if isinstance(tree, ast.Constant):
            return tree
        if not self._is_entrywise(tree):
            return ast.Name(self._operand(tree, operands))
        if isinstance(tree, ast.Call) and (_is_mask(tree) or trees.text(tree.func) == "np.where"):
            test, yes, no = [*self._parts(tree), ast.Constant(1.0), ast.Constant(0.0)][:3]
            return ast.IfExp(*(self._entry(part, operands) for part in (test, yes, no)))
        parts = {part: self._entry(part, operands) for part in self._parts(tree)}
        if isinstance(tree, ast.Call) and trees.text(tree.func) in _HELPERS:
            name = trees.text(tree.func)
            self.helpers.add(name)
            return ast.Call(ast.Name(f"{name}_entry"), list(parts.values()), [])
        replaced = trees.Replaced(parts).generic_visit(tree)
        assert isinstance(replaced, ast.expr)
        return replaced

    @staticmethod
    def _operand(tree: ast.expr, operands: dict[str, ast.expr]) -> str:
        """The name of an operand: its own, or a new one; equal operands are one."""
        text = trees.text(tree)
        for name, known in operands.items():
            if trees.text(known) == text:
                return name
        name = tree.id if isinstance(tree, ast.Name) else f"x{len(operands) + 1}"
        while name in operands:
            name += "_"
        operands[name] = tree
        return name


def _function(tree: ast.expr) -> ast.expr | None:
    return tree.func if isinstance(tree, ast.Call) else None


def _is_mask(tree: ast.Call) -> bool:
    """(x > 0).astype(dtype)"""
    return (
        isinstance(tree.func, ast.Attribute) and tree.func.attr == "astype" and isinstance(tree.func.value, ast.Compare)
    )


def matrices(lowered: Lowered) -> list[str]:
    """Names of the inputs and values larger than 1 x 1."""
    schedules = [lowered, *([] if lowered.alternative is None else [lowered.alternative[2]])]
    values = [(s.target, s.value) for part in schedules for s in part.schedule.statements]
    inputs = [(lowered.inputs[v.params[0]], v) for v in (*lowered.program.variables, *lowered.extra)]
    return [name for name, v in (*inputs, *values) if not v.is_scalar]
