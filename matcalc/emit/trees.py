"""Pieces of our own generated Python as `ast` trees: the terms of sums, the factors of products, shapes, texts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from matcalc.dims import Shape, is_one

Operator: TypeAlias = type[ast.operator]


@dataclass
class Operand:
    """A part of a chain: how it is joined to the rest, and its expression."""

    operator: Operator
    tree: ast.expr


def simple_first(operands: list[Operand]) -> list[Operand]:
    """Names before compound operands, in whose memory a last read may then be overwritten; truth values last.

    A truth value times a whole number is a whole number, into which no product of others can be put.
    """
    return sorted(
        operands, key=lambda o: 2 * isinstance(o.tree, ast.Compare) + isinstance(o.tree, (ast.BinOp, ast.Call))
    )


def terms(tree: ast.expr) -> list[Operand]:
    """The terms of a sum."""
    found: list[Operand] = []
    while isinstance(tree, ast.BinOp) and isinstance(tree.op, (ast.Add, ast.Sub)):
        found.append(Operand(type(tree.op), tree.right))
        tree = tree.left
    found.append(Operand(ast.Add, tree))
    return found[::-1]


def factors(tree: ast.expr) -> tuple[bool, list[Operand]]:
    """The sign and the factors and divisors of a product."""
    negative = False
    found: list[Operand] = []
    while True:
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, (ast.Mult, ast.Div)):
            found.append(Operand(type(tree.op), tree.right))
            tree = tree.left
        elif isinstance(tree, ast.UnaryOp):
            negative = not negative
            tree = tree.operand
        else:
            found.append(Operand(ast.Mult, tree))
            return negative, found[::-1]


def with_sigmoid_below(factors: list[Operand], full: list[Operand]) -> list[Operand]:
    """a * sigmoid(x) as a / (1 + exp(-x)), an operation less; `full` are the factors above in the product's shape."""
    found = next((f for f in full if isinstance(f.tree, ast.Call) and text(f.tree.func) == "_sigmoid"), None)
    if found is None or len(full) == 1:
        return factors
    assert isinstance(found.tree, ast.Call)
    argument = found.tree.args[0]
    turned = without_sign(argument) or ast.UnaryOp(ast.USub(), argument)
    below = Operand(ast.Div, ast.Call(ast.Name("_one_plus_exp"), [turned], []))
    return [*(f for f in factors if f is not found), below]


def product_of(factors: list[Operand], negative: bool) -> ast.expr:
    """The product of 1 x 1 factors."""
    ordered = sorted(factors, key=lambda f: f.operator is not ast.Mult)
    tree = ordered[0].tree if ordered[0].operator is ast.Mult else unit(ordered[0])
    for f in ordered[1:]:
        tree = ast.BinOp(tree, f.operator(), f.tree)
    return ast.UnaryOp(ast.USub(), tree) if negative else tree


def without_sign(tree: ast.expr) -> ast.expr | None:
    """X where the tree is -X, or a product that starts with a minus."""
    if isinstance(tree, ast.UnaryOp):
        return tree.operand
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, (ast.Mult, ast.Div)):
        left = without_sign(tree.left)
        return None if left is None else ast.BinOp(left, tree.op, tree.right)
    return None


def unit(operand: Operand) -> ast.expr:
    """1 / x or -x."""
    if operand.operator is ast.Div:
        return ast.BinOp(ast.Constant(1), ast.Div(), operand.tree)
    return ast.UnaryOp(ast.USub(), operand.tree)


def joint(a: Shape | None, b: Shape | None) -> Shape | None:
    """The shape of an elementwise operation on two arrays."""
    if a is None or b is None:
        return None
    return (b[0] if is_one(a[0]) else a[0], b[1] if is_one(a[1]) else a[1])


def children(tree: ast.AST) -> list[ast.expr]:
    """The expressions right below one."""
    found = []
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.keyword):
            found.append(child.value)
        elif isinstance(child, ast.expr):
            found.append(child)
    return found


class Replaced(ast.NodeTransformer):
    """Parts of a tree replaced by others."""

    def __init__(self, parts: dict[ast.expr, ast.expr]) -> None:
        self.parts = parts

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.expr) and node in self.parts:
            return self.parts[node]
        return self.generic_visit(node)


_VIEWS = frozenset(
    ["reshape", "ravel", "swapaxes", "transpose", "broadcast_to", "asarray", "diagonal", "einsum", "atleast_2d", "view"]
)


def makes_new(tree: ast.expr) -> bool:
    """Whether evaluating a tree makes a new array: arithmetic does, and calls of what gives no view of an argument."""
    if isinstance(tree, ast.Call):
        function = tree.func
        return not isinstance(function, ast.Attribute) or function.attr not in _VIEWS
    return isinstance(tree, (ast.BinOp, ast.Compare)) or (
        isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub)
    )


def is_sum(tree: ast.expr) -> bool:
    """Whether it is the sums of the products of entries, perhaps as a row or a column."""
    call = tree.value if isinstance(tree, ast.Subscript) else tree
    return isinstance(call, ast.Call) and text(call.func) == "np.einsum" and len(call.args) == 3


def parsed(source: str) -> ast.expr:
    """The tree of a text."""
    return ast.parse(source, mode="eval").body


# ------------------------------------------------------------------------------------------------ templates


@lru_cache(maxsize=4096)
def _template(source: str, operands: int) -> ast.expr:
    """A text with `{0}`, `{1}`, ... as a tree in which names stand for the operands."""
    return parsed(source.format(*(f"__{k}" for k in range(operands))))


def filled(source: str, operands: Sequence[ast.expr], bare: Sequence[bool]) -> ast.expr:
    """The tree of a text with operands in place of `{0}`, `{1}`, ...; `bare`: those that stand without brackets."""
    table = {f"__{k}": operand for k, operand in enumerate(operands)}
    loose = {f"__{k}" for k, without in enumerate(bare) if without}
    return _instance(_template(source, len(operands)), table, loose)


def copied(tree: ast.expr) -> ast.expr:
    """The same tree of new nodes."""
    return _instance(tree, {}, set())


def _instance(tree: ast.expr, table: Mapping[str, ast.expr], loose: set[str]) -> ast.expr:
    """A copy of a tree with some names replaced."""
    if isinstance(tree, ast.Name):
        found = table.get(tree.id)
        return ast.Name(tree.id) if found is None else found
    if isinstance(tree, ast.BinOp):
        return _operations(tree, table, loose)
    if isinstance(tree, ast.UnaryOp):
        inner = _instance(tree.operand, table, loose)
        if not isinstance(tree.op, ast.USub):
            return ast.UnaryOp(tree.op, inner)
        within = isinstance(tree.operand, ast.Name) and tree.operand.id in loose
        return _negative(inner, within)
    if isinstance(tree, ast.Constant):
        return ast.Constant(tree.value)
    new = type(tree)()
    for name, value in ast.iter_fields(tree):
        setattr(new, name, _field(value, table, loose))
    return new


def _field(value: Any, table: Mapping[str, ast.expr], loose: set[str]) -> Any:
    if isinstance(value, list):
        return [_field(part, table, loose) for part in value]
    if isinstance(value, ast.keyword):
        return ast.keyword(value.arg, _instance(value.value, table, loose))
    return _instance(value, table, loose) if isinstance(value, ast.expr) else value


def _operations(tree: ast.BinOp, table: Mapping[str, ast.expr], loose: set[str]) -> ast.expr:
    """A chain of operations, however long: from the left."""
    chain = [tree]
    while isinstance(chain[-1].left, ast.BinOp):
        chain.append(chain[-1].left)
    found = _instance(chain[-1].left, table, loose)
    for step in reversed(chain):
        found = ast.BinOp(found, step.op, _instance(step.right, table, loose))
    return found


def _negative(tree: ast.expr, bare: bool) -> ast.expr:
    """-x; of a product without brackets the first factor is negative, and -(-x) is x."""
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        return tree.operand
    if bare and isinstance(tree, ast.BinOp) and isinstance(tree.op, (ast.Mult, ast.Div, ast.MatMult)):
        return ast.BinOp(_negative(tree.left, bare), tree.op, tree.right)
    return ast.UnaryOp(ast.USub(), tree)


def names(tree: ast.AST) -> set[str]:
    """The names that a tree reads."""
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}


def text(tree: ast.expr) -> str:
    """A tree as Python."""
    return ast.unparse(tree).replace("'", '"')


def hugged(line: str) -> str:
    """A line with powers as formatters write them: `x**2`, `(x + 1) ** 2`."""
    return re.sub(r"([)\]])\*\*", r"\1 ** ", re.sub(r"(\w) \*\* (\w)", r"\1**\2", line))


def wrapped(lines: Iterable[str], width: int) -> list[str]:
    """Assignments of long sums with a line for each term."""
    found: list[str] = []
    for line in lines:
        target, _, value = line.partition(" = ")
        parts = terms(parsed(value)) if len(line) > width and target.isidentifier() else []
        if not parts[1:]:
            found.append(line)
            continue
        texts = [hugged(text(p.tree)) for p in parts]
        texts = [
            f"({t})" if isinstance(p.tree, ast.BinOp) and type(p.tree.op) in (ast.Add, ast.Sub) else t
            for p, t in zip(parts, texts)
        ]
        signs = ["" if k == 0 else "- " if p.operator is ast.Sub else "+ " for k, p in enumerate(parts)]
        found += [f"{target} = (", *(f"    {sign}{t}" for sign, t in zip(signs, texts)), ")"]
    return found
