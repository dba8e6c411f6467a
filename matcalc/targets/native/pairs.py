"""Functions that share an exponential, computed together: an activation and its derivative.

The derivatives of `sigmoid` and `tanh` are functions of their arguments that keep their digits where these are flat.
What a later statement needs of them is computed with the activation, in one pass, and takes the place of the argument.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from matcalc.emit import trees
from matcalc.emit.schedule import Statement

ACTIVATIONS = {"_sigmoid": "rest", "np.tanh": "slope"}


@dataclass(frozen=True)
class Partner:
    """What is computed with an activation: its kind and the name of the argument."""

    kind: str
    argument: str

    def tree(self) -> ast.expr:
        """The value: sigmoid(-x) or the derivative of tanh."""
        x = ast.Name(self.argument)
        if self.kind == "rest":
            return ast.Call(ast.Name("_sigmoid"), [ast.UnaryOp(ast.USub(), x)], [])
        return ast.Call(ast.Name("_slope_of_tanh"), [x], [])


def partners(statements: Sequence[Statement]) -> dict[str, list[Partner]]:
    """By the name of the statement that computes an activation what to compute with it, as a later one needs it."""
    last: dict[Partner, int] = {}
    for k, s in enumerate(statements):
        last |= {found: k for n in ast.walk(s.tree) if (found := needed(n)) is not None}
    targets = [s.target for s in statements]
    taken: set[Partner] = set()
    result: dict[str, list[Partner]] = {}
    for k, s in enumerate(statements):
        for n in ast.walk(s.tree):
            partner = _activation(n)
            if partner in taken or partner is None or last.get(partner, k) <= k or s.value.is_scalar:
                continue
            if targets.count(partner.argument) <= 1 and targets.count(s.target) == 1:
                taken.add(partner)
                result.setdefault(s.target, []).append(partner)
    return result


def _activation(n: ast.AST) -> Partner | None:
    if isinstance(n, ast.Call) and isinstance(n.args[0] if n.args else None, ast.Name):
        kind = ACTIVATIONS.get(trees.text(n.func))
        return None if kind is None else Partner(kind, trees.text(n.args[0]))
    return None


def needed(n: ast.AST) -> Partner | None:
    """What an expression is, or by what it divides."""
    if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div) and _calls(n.right, "_squared_cosh"):
        assert isinstance(n.right, ast.Call)
        argument = n.right.args[0]
        return Partner("slope", argument.id) if isinstance(argument, ast.Name) else None
    if isinstance(n, ast.Call) and _calls(n, "_sigmoid"):
        argument = n.args[0]
        if isinstance(argument, ast.UnaryOp) and isinstance(argument.operand, ast.Name):
            return Partner("rest", argument.operand.id)
    return None


def _calls(tree: ast.expr, function: str) -> bool:
    return isinstance(tree, ast.Call) and trees.text(tree.func) == function


class Paired(ast.NodeTransformer):
    """Trees that read partners by their names."""

    def __init__(self, names: dict[Partner, str]) -> None:
        self.names = names

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        partner = needed(node)
        self.generic_visit(node)
        if partner not in self.names:
            return node
        return ast.BinOp(node.left, ast.Mult(), ast.Name(self.names[partner]))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        partner = needed(node)
        self.generic_visit(node)
        return node if partner not in self.names else ast.Name(self.names[partner])
