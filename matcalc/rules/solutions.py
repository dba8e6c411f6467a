"""Named solutions of linear systems: what their equation makes zero is zero, as the adjoint of a minimiser is.

The gradient of a quadratic function at its minimiser vanishes (the envelope theorem, least squares, ridge regression,
projections): only what depends on the data directly is left of the derivative.
"""

from __future__ import annotations

from collections.abc import Iterator

from matcalc import core
from matcalc.core import add, matmul, minus, var
from matcalc.expr import Expr, postorder
from matcalc.ops.linalg import solve
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import SPREAD_COST, Rewriter, Spreader
from matcalc.rewrite.normal import is_zero
from matcalc.rewrite.rule import node_rule
from matcalc.rewrite.terms import factors_of, join, split, times_number
from matcalc.walk import opened


def _residual() -> tuple[Expr, Expr]:
    A, b = var("A", "n", "n"), var("b", "n", 1)
    w = core.named("w", solve(A, b))
    return add(A @ w, minus(b)), core.zeros("n", 1)


@node_rule(op="add", group="tidy", source="definition of the solution of a linear system", example=_residual)
def solution_solves_its_equation(e: Expr, context: Context) -> Expr | None:
    """A w - B = 0 for w = solve(A, B), and what is a multiple of that when it is multiplied out"""
    solved = (sub for sub in postorder((e,), through_names=False) if sub.op == "named")
    return core.zero_of(e) if any(vanishes(e, w, context) for w in solved) else None


def vanishes(e: Expr, w: Expr, context: Context) -> bool:
    """Whether the equation of the named solution `w` makes `e` zero; names are looked through, that of `w` excepted."""
    equation = equation_of(w)
    if equation is None:
        return False
    A, B = (_opened(side, w) for side in equation)
    inside = _opened(e, w)
    quiet = Rewriter(Context(context.given, closed=context.closed, moving=context.moving))
    if quiet.cost(inside) + quiet.cost(A) + quiet.cost(B) > SPREAD_COST:
        return False
    spreader = Spreader(quiet.context)
    residual = spreader.spread(add(minus(B), matmul(A, w)))
    terms = spreader.spread(inside)
    if residual is None or terms is None:
        return False
    return any(_reduces_to_zero(terms, residual, lead, spreader) for lead in factors_of(residual, "add"))


def equation_of(w: Expr) -> tuple[Expr, Expr] | None:
    """A and B where `w` names solve(A, B) or A^-1 B."""
    value = w.definition
    if value.op == "solve":
        return value.args[0], value.args[1]
    if value.op == "matmul" and value.args[0].op == "inv":
        return value.args[0].args[0], matmul(*value.args[1:])
    return None


def _opened(e: Expr, w: Expr) -> Expr:
    """`e` with all names opened but that of `w`."""
    return opened(e, stop=lambda s: s is w)


def _reduces_to_zero(terms: Expr, residual: Expr, lead: Expr, spreader: Spreader) -> bool:
    """Whether a sum of products is 0 once `lead` stands for the other terms of a residual that is 0."""
    coefficient, scalars, body = split(lead)
    if scalars or body is None:
        return False
    others = [t for t in factors_of(residual, "add") if t is not lead]
    instead = times_number(-1 / coefficient, add(*others)) if others else core.zero_of(lead)
    word = factors_of(body, "matmul")
    replaced = add(*(_with_run(t, word, instead) for t in factors_of(terms, "add")))
    reduced = spreader.spread(replaced) if replaced is not terms else None
    return reduced is not None and is_zero(reduced)


def _with_run(t: Expr, word: tuple[Expr, ...], instead: Expr) -> Expr:
    """A term with a run of its factors replaced."""
    coefficient, scalars, body = split(t)
    factors = factors_of(body, "matmul") if body is not None else ()
    for k in _runs(factors, word):
        return join(coefficient, scalars, matmul(*factors[:k], instead, *factors[k + len(word) :]))
    return t


def _runs(factors: tuple[Expr, ...], word: tuple[Expr, ...]) -> Iterator[int]:
    digests = [f.digest for f in word]
    for k in range(len(factors) - len(word) + 1):
        if [f.digest for f in factors[k : k + len(word)]] == digests:
            yield k
