"""Walks over expressions: rebuilt, substituted, searched; iterative, each distinct node once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from matcalc.expr import Expr, node, postorder


def rebuild(e: Expr, args: Sequence[Expr]) -> Expr:
    """The same operation on other arguments."""
    return node(e.op, args, e.params)


def transform(
    roots: Iterable[Expr],
    change: Callable[[Expr, Expr], Expr],
    *,
    through_names: bool = True,
    stop: Callable[[Expr], bool] | None = None,
    make: Callable[[Expr, tuple[Expr, ...]], Expr] = rebuild,
    known: dict[Expr, Expr] | None = None,
) -> dict[Expr, Expr]:
    """What every subexpression becomes, from the leaves up, linear in the number of distinct nodes.

    Args:
        roots: the expressions.
        change: `change(new, old)`, where `new` is the operation of `old` on arguments that have become something else.
        through_names: whether named values are looked into; without, they stay as they are.
        stop: what stays as it is, and is not looked into.
        make: how an operation is made on new arguments.
        known: what some subexpressions become, which are not looked into; it takes what is found, and is returned.
    """
    done = {} if known is None else known
    kept = done.__contains__ if stop is None else lambda e: e in done or stop(e)
    for old in postorder(roots, through_names=through_names, stop=stop if known is None else kept):
        whole = old.op == "named" and not through_names
        args = old.args if whole else tuple(done.get(a, a) for a in old.args)
        done[old] = change(old if args == old.args else make(old, args), old)
    return done


def opened(e: Expr, *, stop: Callable[[Expr], bool] | None = None) -> Expr:
    """`e` with its names replaced by what they stand for; `stop` says which ones stay."""
    return transform((e,), lambda new, _: new.definition, stop=stop).get(e, e)


def unchanged(new: Expr, _: Expr) -> Expr:
    """What only the arguments change of, in `transform`."""
    return new


def substitute(e: Expr, table: dict[Expr, Expr], *, through_names: bool = True) -> Expr:
    """`e` with subexpressions replaced; iterative, linear in the number of distinct nodes."""
    return transform((e,), lambda new, old: table.get(old, new), through_names=through_names)[e]


def variables(roots: Iterable[Expr]) -> list[Expr]:
    """The variables in some expressions, in order of first appearance."""
    return [e for e in postorder(roots) if e.op == "variable"]


def depends(roots: Iterable[Expr], on: Iterable[Expr], *, through_names: bool = True) -> set[Expr]:
    """Those subexpressions that depend on one of the given ones."""
    hit = set(on)
    for e in postorder(roots, through_names=through_names):
        if any(a in hit for a in e.args):
            hit.add(e)
    return hit
