"""Inverses and determinants of A + U V by those of the small matrix I + V A^-1 U; for proofs (group `expand`).

Each identity is two rules: one towards the dimension whose name comes first (1 before all), one away from it. A proof
tries both directions, one at a time; together they would go round.
"""

from __future__ import annotations

from collections.abc import Callable

from matcalc import core
from matcalc.core import add, inverse, matmul, minus, scale, var
from matcalc.dims import same
from matcalc.expr import Expr, node
from matcalc.ops.elementwise import absolute, log
from matcalc.ops.linalg import det, logdet
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import node_rule
from matcalc.rewrite.terms import join, split
from matcalc.rules.push_through import HENDERSON


def _parts(e: Expr, context: Context, *, up: bool) -> tuple[Expr, Expr, Expr] | None:
    """A, U and V of a sum A + U V, A nonsingular and the product through a dimension in the wanted direction."""
    if e.op != "add":
        return None
    for k, t in enumerate(e.args):
        coefficient, scalars, body = split(t)
        if body is None or body.op != "matmul":
            continue
        A = add(*e.args[:k], *e.args[k + 1 :])
        for cut in range(1, len(body.args)):
            inner = body.args[cut].shape[0]
            wanted = not same(inner, e.shape[0]) and _precedes(inner, e.shape[0]) is not up
            if wanted and (A.op == "eye" or context.known(A, "nonsingular")):
                return A, join(coefficient, scalars, matmul(*body.args[:cut])), matmul(*body.args[cut:])
    return None


def _precedes(inner: object, outer: object) -> bool:
    """Whether a dimension comes before another: numbers first, then by name."""
    first, second = ((not isinstance(d, int), d if isinstance(d, int) else 0, str(d)) for d in (inner, outer))
    return first < second


def _capacitance(A: Expr, U: Expr, V: Expr) -> Expr:
    """I + V A^-1 U."""
    size = V.shape[0]
    unit = core.number(1) if size == 1 else core.eye(size)
    return add(unit, matmul(V, U) if A.op == "eye" else matmul(V, inverse(A), U))


def _inverse(A: Expr, U: Expr, V: Expr) -> Expr:
    C = inverse(_capacitance(A, U, V))
    if A.op == "eye":
        return add(A, minus(matmul(U, C, V)))
    B = inverse(A)
    return add(B, minus(matmul(B, U, C, V, B)))


def _det(A: Expr, U: Expr, V: Expr) -> Expr:
    C = _capacitance(A, U, V)
    small = C if C.is_scalar else det(C)
    return small if A.op == "eye" else scale(det(A), small)


def _logdet(A: Expr, U: Expr, V: Expr) -> Expr:
    C = _capacitance(A, U, V)
    small = log(absolute(C)) if C.is_scalar else logdet(C)
    return small if A.op == "eye" else add(logdet(A), small)


IDENTITIES: dict[str, tuple[Callable[[Expr, Expr, Expr], Expr], str]] = {
    "inv": (_inverse, "(A + U V)^-1 = A^-1 - A^-1 U (I + V A^-1 U)^-1 V A^-1 for nonsingular A"),
    "det": (_det, "det(A + U V) = det(A) det(I + V A^-1 U) for nonsingular A"),
    "logdet": (_logdet, "log|det(A + U V)| = log|det A| + log|det(I + V A^-1 U)| for nonsingular A"),
}


def _declare(op: str, *, up: bool) -> str:
    right, identity = IDENTITIES[op]

    def of_low_rank(e: Expr, context: Context) -> Expr | None:
        found = _parts(e.args[0], context, up=up) if e.args else None
        return None if found is None else right(*found)

    def example() -> tuple[Expr, Expr]:
        n, k = ("k", "n") if up else ("n", "k")
        A, U, V = var("A", n, n, ["nonsingular"]), var("U", n, k), var("V", k, n)
        return node(op, (add(A, U @ V),)), right(A, U, V)

    of_low_rank.__name__ = f"{op}_of_low_rank_update{'_reversed' if up else ''}"
    of_low_rank.__doc__ = identity
    node_rule(op=op, group="expand", source=HENDERSON, example=example)(of_low_rank)
    return of_low_rank.__name__


def _with_inverse() -> tuple[Expr, Expr]:
    C, M = var("C", "k", "k", ["nonsingular"]), var("M", "k", "k")
    return inverse(add(inverse(C), M)), inverse(add(core.eye("k"), C @ M)) @ C


def _cleared(e: Expr) -> tuple[Expr, Expr] | None:
    """C and I + C M for a sum C^-1 + M with one inverse."""
    inverses = [t for t in e.args if t.op == "inv"]
    if len(inverses) != 1:
        return None
    C = inverses[0].args[0]
    M = add(*(t for t in e.args if t is not inverses[0]))
    return C, add(core.eye(C.shape[0]), matmul(C, M))


@node_rule(op="inv", group="expand", source=HENDERSON, example=_with_inverse, having="add")
def inverse_of_sum_with_inverse(e: Expr, context: Context) -> Expr | None:
    """(C^-1 + M)^-1 = (I + C M)^-1 C"""
    found = _cleared(e.args[0])
    return None if found is None else inverse(found[1]) @ found[0]


def _det_with_inverse() -> tuple[Expr, Expr]:
    C, M = var("C", "k", "k", ["nonsingular"]), var("M", "k", "k")
    return det(add(inverse(C), M)), scale(core.power(det(C), -1), det(add(core.eye("k"), C @ M)))


@node_rule(op="det", group="expand", source=HENDERSON, example=_det_with_inverse, having="add")
def det_of_sum_with_inverse(e: Expr, context: Context) -> Expr | None:
    """det(C^-1 + M) = det(I + C M)/det(C)"""
    found = _cleared(e.args[0])
    return None if found is None else scale(core.power(det(found[0]), -1), det(found[1]))


def _logdet_with_inverse() -> tuple[Expr, Expr]:
    C, M = var("C", "k", "k", ["nonsingular"]), var("M", "k", "k")
    return logdet(add(inverse(C), M)), add(logdet(add(core.eye("k"), C @ M)), minus(logdet(C)))


@node_rule(op="logdet", group="expand", source=HENDERSON, example=_logdet_with_inverse, having="add")
def logdet_of_sum_with_inverse(e: Expr, context: Context) -> Expr | None:
    """log|det(C^-1 + M)| = log|det(I + C M)| - log|det C|"""
    found = _cleared(e.args[0])
    return None if found is None else add(logdet(found[1]), minus(logdet(found[0])))


WITH_INVERSE = frozenset(f"{op}_of_sum_with_inverse" for op in ("inverse", "det", "logdet"))
DOWN = frozenset(_declare(op, up=False) for op in IDENTITIES)
UP = frozenset(_declare(op, up=True) for op in IDENTITIES)
