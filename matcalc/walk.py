"""Walks over expressions: rebuilt, substituted, searched; iterative, each distinct node once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from matcalc.expr import Expr, node, postorder


def rebuild(e: Expr, args: Sequence[Expr]) -> Expr:
    """The same operation on other arguments."""
    return node(e.op, args, e.params)


def substitute(e: Expr, table: dict[Expr, Expr], *, through_names: bool = True) -> Expr:
    """`e` with subexpressions replaced; iterative, linear in the number of distinct nodes."""
    done: dict[Expr, Expr] = {}
    for sub in postorder((e,), through_names=through_names):
        if sub in table:
            done[sub] = table[sub]
        elif not sub.args or (sub.op == "named" and not through_names):
            done[sub] = sub
        else:
            args = tuple(done[a] for a in sub.args)
            done[sub] = sub if args == sub.args else rebuild(sub, args)
    return done[e]


def variables(roots: Iterable[Expr]) -> list[Expr]:
    """The variables in some expressions, in order of first appearance."""
    return [e for e in postorder(roots) if e.op == "variable"]


def depends(roots: Iterable[Expr], on: Iterable[Expr]) -> set[Expr]:
    """Those subexpressions that depend on one of the given ones (names looked through)."""
    hit = set(on)
    for e in postorder(roots):
        if any(a in hit for a in e.args):
            hit.add(e)
    return hit
