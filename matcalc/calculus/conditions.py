"""What must hold for an expression to have a value: the domains of its operations, as far as nothing implies them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from matcalc import dims
from matcalc.calculus import intervals
from matcalc.calculus.wording import worded
from matcalc.errors import FactError, MatcalcError, shorten
from matcalc.expr import Expr, postorder, record
from matcalc.ops.hollow import is_hollow
from matcalc.optional import later
from matcalc.properties import Truth, truth
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.walk import depends, substitute, variables

if TYPE_CHECKING:
    from matcalc.emit.masks import choices_last
    from matcalc.numeric.precise import evaluate_precisely
else:
    (choices_last,) = later("matcalc.emit.masks", "choices_last")
    (evaluate_precisely,) = later("matcalc.numeric.precise", "evaluate_precisely")

MANY = 40  # more conditions than these are not compared with each other


def domain_of(*exprs: Expr) -> list[tuple[str, Expr]]:
    """What the operations of some expressions need: `(fact, expression)`, names looked through.

    The branches of `where` do not count: what they need holds only where they are chosen.
    """
    found: dict[tuple[str, Expr], None] = {}
    seen: set[Expr] = set()
    names: dict[Expr, Expr] = {}
    stack = list(reversed(exprs))
    while stack:
        sub = stack.pop()
        if sub in seen:
            continue
        seen.add(sub)
        if sub.op == "named":
            names.setdefault(sub.args[0], sub)
        for fact, at in record(sub.op).domain(*sub.args, *sub.params):
            own = sub in names and sub in depends((at,), (sub,))
            found[fact, substitute(at, {sub: names[sub]}) if own else at] = None
        stack.extend(reversed(sub.args[:2] if sub.op == "where" else sub.args))
    return list(found)


def need_possible(e: Expr) -> None:
    """Raise FactError where `e` inverts, or takes log|det| of, a matrix that is singular whatever its variables are."""
    for fact, at in domain_of(e):
        if fact == "nonsingular" and truth(Rewriter(Context([])).normal(at), fact) is Truth.FALSE:
            raise FactError(f"{shorten(str(at))} is singular: it has no inverse, and no log|det|")
        if fact in ("positive", "nonzero") and is_hollow(at):
            raise FactError(
                f"{shorten(str(at))} is 0 on its diagonal, whatever the variables are: what is taken of it is not "
                f"finite there (add eye({at.shape[0]}) to it, or choose with where)"
            )


def minimal(conditions: Iterable[tuple[str, Expr]]) -> list[tuple[str, Expr]]:
    """Those that neither a declared fact nor the other ones imply; the smaller of two that imply each other."""
    nothing = Context()
    said = {worded(*pair): pair for pair in reversed(list(conditions))}  # two forms of one condition are one
    left = [pair for pair in reversed(said.values()) if not _follows(*pair, nothing) and not _of_numbers(*pair)]
    if len(left) > MANY:
        return left
    candidates = left[::-1]
    candidates.sort(key=lambda pair: -sum(1 for _ in postorder((pair[1],))))  # the largest first
    for fact, e in candidates:
        others = [pair for pair in left if pair != (fact, e)]
        if others and (_follows(fact, e, Context(others)) or intervals.follows((fact, e), others)):
            left = others
    return left


def _follows(fact: str, e: Expr, context: Context) -> bool:
    """Whether a condition holds; that a principal root exists does not follow from X being nonsingular."""
    if fact == "nonsingular" and e.op == "sqrtm":
        return context.known(e.args[0], "positive-definite")
    return context.known(e, fact)


def _of_numbers(fact: str, e: Expr) -> bool:
    """Whether a condition on a number, such as log(2), holds."""
    parts = list(postorder((e,)))
    numbers = (part.number for part in parts if part.number is not None)
    sizes = [*dims.symbols(d for part in parts for d in part.shape), *(s for k in numbers for s in k.free_symbols)]
    if not e.is_scalar or sizes or variables((e,)):
        return False
    try:
        value = evaluate_precisely([e], {}, {}).values[0].item()
    except MatcalcError:
        return False
    return bool({"nonzero": value != 0, "positive": value > 0, "nonnegative": value >= 0}.get(fact, False))


def further_conditions(results: Iterable[Expr], domain: Iterable[tuple[str, Expr]]) -> list[tuple[str, Expr]]:
    """What the forms of results need beyond the domain of their source.

    What is multiplied by the 0 of a branch that is not taken needs nothing there (see `matcalc.emit.masks`). The norm
    is left out: its reciprocal comes with an argument that is 0 where the norm is.
    """
    context = Context(domain)
    needed: dict[tuple[str, Expr], None] = {}
    for fact, at in domain_of(*choices_last(results).values()):
        of = at.args[0] if at.op == "transpose" else at
        if not record(at.op).guarded and not context.known(of, fact):
            needed[fact, of] = None
    return list(needed)
