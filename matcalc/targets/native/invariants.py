"""What a pass over the entries of a matrix need not compute for each of them.

Terms that are the same in all rows are computed once, as a row; what is divided by a size is multiplied by its
reciprocal, which compilers take out of the loop (a division takes as long as ten multiplications).
"""

from __future__ import annotations

import ast

from matcalc.emit import trees
from matcalc.targets.c.entries import MOVING, Entries, Shape

_SIZED = (ast.Name, ast.Constant, ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Load)
_LARGEST = 10**6
_FACTORS = 2


def moves(tree: ast.expr) -> bool:
    """Whether an entry of a tree is made of entries at other places."""
    return any(
        (isinstance(n, ast.Attribute) and n.attr == "T") or (isinstance(n, ast.Call) and trees.text(n.func) in MOVING)
        for n in ast.walk(tree)
    )


def by_reciprocals(tree: ast.expr, entries: Entries) -> ast.expr:
    """The tree with reciprocals of sizes, and of their roots, as factors."""
    result = _Reciprocals(entries).visit(trees.copied(tree))
    assert isinstance(result, ast.expr)
    return result


class _Reciprocals(ast.NodeTransformer):
    def __init__(self, entries: Entries) -> None:
        self.entries = entries

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if not (isinstance(node.op, ast.Div) and is_matrix(self.entries.shape(node.left))):
            return node
        if not _is_size(node.right, self.entries):
            return node
        return ast.BinOp(node.left, ast.Mult(), ast.BinOp(ast.Constant(1), ast.Div(), node.right))


def _is_size(tree: ast.expr, entries: Entries) -> bool:
    if isinstance(tree, ast.Call) and trees.text(tree.func) in ("np.sqrt", "math.sqrt"):
        return _is_size(tree.args[0], entries)
    parts = list(ast.walk(tree))
    names = [n for n in parts if isinstance(n, ast.Name)]
    numbers = [n.value for n in parts if isinstance(n, ast.Constant)]
    whole = all(isinstance(value, int) and abs(value) <= _LARGEST for value in numbers)
    return (
        bool(names)
        and whole
        and all(isinstance(n, _SIZED) for n in parts)
        and not any(n.id in entries.shapes for n in names)
    )


def terms_of_rows(tree: ast.expr, entries: Entries) -> list[ast.expr]:
    """The largest parts of a tree that are one row and take some time."""
    if isinstance(tree, (ast.Name, ast.Constant)):
        return []
    rows, columns = entries.shape(tree)
    if rows == "1" and columns != "1":
        return [tree] if _takes_time(tree, entries) else []
    inside = [c for c in trees.children(tree) if c is not getattr(tree, "func", None) and not isinstance(c, ast.Tuple)]
    return [found for child in inside for found in terms_of_rows(child, entries)]


def _takes_time(tree: ast.expr, entries: Entries) -> bool:
    """Whether there is more in it than a sum or a multiple of a row."""
    rows = sum(isinstance(n, ast.Name) and n.id in entries.shapes for n in ast.walk(tree))
    return any(
        isinstance(n, ast.Call)
        or (
            isinstance(n, ast.BinOp)
            and (isinstance(n.op, ast.Div) or (isinstance(n.op, ast.Mult) and rows >= _FACTORS))
        )
        for n in ast.walk(tree)
    )


def is_matrix(shape: Shape) -> bool:
    """Whether a shape has rows and columns."""
    return "1" not in shape
