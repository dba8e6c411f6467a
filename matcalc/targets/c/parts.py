"""What statements in C are made of: steps, matrices in memory, texts of sizes and of calls of CBLAS."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from matcalc.emit import trees
from matcalc.targets.c.entries import Shape, product

_BRACKETS = ("", "None, :", ":, None")


@dataclass(slots=True)
class Step:
    """Lines of C, the matrix that they write (if any), and the names that they read."""

    lines: list[str]
    writes: str | None
    reads: set[str]


@dataclass(frozen=True, slots=True)
class Stored:
    """A matrix in memory: its name, the shape of the memory, and whether it stands for the transpose of that."""

    name: str
    shape: Shape
    turned: bool


def line_of(shape: Shape, axis: int | None) -> tuple[str, str, str, str]:
    """The number of lines, the length of one, the step inside of it, and the start of line i as a multiple of i."""
    rows, columns = shape
    if axis is None:
        return "1", product(*shape), "1", "0"
    return (columns, rows, columns, "1") if axis == 0 else (rows, columns, "1", columns)


def count(shape: Shape) -> str:
    """The number of entries as a size_t."""
    factors = [group(s) for s in shape if s != "1"]
    return f"(size_t){' * '.join(factors)}" if factors else "1"


def group(size: str) -> str:
    return size if size.replace("_", "").isalnum() else f"({size})"


def turn(turned: bool) -> str:
    return "CblasTrans" if turned else "CblasNoTrans"


def gemv(matrix: Stored, turned: bool, x: str, y: str) -> str:
    rows, columns = matrix.shape
    return (
        f"cblas_dgemv(CblasRowMajor, {turn(turned)}, {rows}, {columns}, 1.0, "
        f"{matrix.name}, {columns}, {x}, 1, 0.0, {y}, 1);"
    )


def bare(tree: ast.expr) -> ast.expr:
    """A tree without what is nothing in C: copies, conversions, brackets that make columns, rows and scalars."""
    while True:
        if isinstance(tree, ast.Subscript) and trees.text(tree.slice).strip("()") in _BRACKETS:
            tree = tree.value
        elif isinstance(tree, ast.Call) and trees.text(tree.func) == "np.array":
            tree = tree.args[0]
        elif isinstance(tree, ast.Call) and trees.text(tree.func) == "np.reshape" and _is_empty(tree.args[1]):
            tree = tree.args[0]  # a 1 x 1 value
        else:
            return tree


def is_number(tree: ast.expr) -> bool:
    """Whether a tree is a constant or a function of Python's `math`."""
    return trees.text(tree.func if isinstance(tree, ast.Call) else tree).startswith("math.") and (
        isinstance(tree, (ast.Attribute, ast.Call))
    )


def _is_empty(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Tuple) and not tree.elts
