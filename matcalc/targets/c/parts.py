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


def sizes_of(a: Stored, b: Stored) -> tuple[str, str, str]:
    """The rows of a product, what is summed over, and its columns."""
    m, k = a.shape[::-1] if a.turned else a.shape
    return m, k, b.shape[0] if b.turned else b.shape[1]


def multiplied(a: Stored, b: Stored, name: str, beta: str = "0.0") -> str:
    """The call for the product of two matrices, added to beta times what is there."""
    m, k, n = sizes_of(a, b)
    if n == "1":
        return _gemv(a, a.turned, b.name, name, beta)
    if m == "1":
        return _gemv(b, not b.turned, a.name, name, beta)
    return (
        f"cblas_dgemm(CblasRowMajor, {turn(a.turned)}, {turn(b.turned)}, {m}, {n}, {k}, 1.0, "
        f"{a.name}, {a.shape[1]}, {b.name}, {b.shape[1]}, {beta}, {name}, {n});"
    )


def _gemv(matrix: Stored, turned: bool, x: str, y: str, beta: str) -> str:
    rows, columns = matrix.shape
    return (
        f"cblas_dgemv(CblasRowMajor, {turn(turned)}, {rows}, {columns}, 1.0, "
        f"{matrix.name}, {columns}, {x}, 1, {beta}, {y}, 1);"
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


def converted(tree: ast.expr) -> ast.expr | None:
    """What a tree converts to another type of numbers; None where it is no conversion."""
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Attribute) and tree.func.attr == "astype":
        return tree.func.value
    return None


def know(known: dict[ast.expr, Shape], tree: ast.expr, shape: Shape) -> None:
    """Note the shape of a tree, and of what it only converts."""
    while not isinstance(tree, ast.Name):
        known[tree] = shape
        inner = bare(tree)
        inner = converted(tree) or tree if inner is tree else inner
        if inner is tree:
            return
        tree = inner


def copied(known: dict[ast.expr, Shape], tree: ast.expr) -> ast.expr:
    """A copy of a tree, of which the same is known."""
    new = trees.copied(tree)
    for old, node in zip(ast.walk(tree), ast.walk(new)):
        if isinstance(old, ast.expr) and isinstance(node, ast.expr) and old in known:
            known[node] = known[old]
    return new


def is_number(tree: ast.expr) -> bool:
    """Whether a tree is a constant or a function of Python's `math`."""
    return trees.text(tree.func if isinstance(tree, ast.Call) else tree).startswith("math.") and (
        isinstance(tree, (ast.Attribute, ast.Call))
    )


def _is_empty(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Tuple) and not tree.elts
