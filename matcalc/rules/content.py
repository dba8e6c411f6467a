"""What the terms of a sum share comes out of its powers, roots and inverses; for proofs (the group `expand`)."""

from __future__ import annotations

from typing import Any

from matcalc import core
from matcalc.core import add, broadcast, inverse, number, power, scale, var
from matcalc.expr import Expr
from matcalc.ops.elementwise import sqrt
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MATRIX_ALGEBRA, node_rule
from matcalc.rewrite.terms import base_and_exponent, coefficient_and_rest, split, times_number
from matcalc.rules.canonical import orientation_free


def _ratio() -> tuple[Expr, Expr]:
    x, s = var("x", 1, 1), var("s", 1, 1, ["nonzero"])
    left = power(add(scale(number(2), power(s, -1), x), number(2)), -1)
    return left, scale(number(core.exact("0.5")), s, power(add(x, s), -1))


@node_rule(op="power", group="expand", source=MATRIX_ALGEBRA, example=_ratio)
def content_of_power(e: Expr, context: Context) -> Expr | None:
    """(2 x/s + 2)^-1 = s/2 (x + s)^-1: what the terms share comes out of a power"""
    base, k = e.args
    if base.op != "add" or k.op != "number":
        return None
    shared, rest = _content(base, context, whole=bool(k.params[0].is_Integer))
    return None if rest is None else scale(*(power(c, k.params[0]) for c in shared), power(rest, k.params[0]))


def _root() -> tuple[Expr, Expr]:
    x = var("x", 1, 1)
    left = sqrt(add(scale(number(4), x), number(4)))
    return left, scale(number(2), sqrt(add(x, number(1))))


@node_rule(op="sqrt", group="expand", source=MATRIX_ALGEBRA, example=_root)
def content_of_root(e: Expr, context: Context) -> Expr | None:
    """sqrt(4 x + 4) = 2 sqrt(x + 1): a positive number comes out of a root"""
    if e.args[0].op != "add":
        return None
    shared, rest = _content(e.args[0], context, whole=False)
    return None if rest is None else scale(*(sqrt(c) for c in shared), sqrt(rest))


def _inverse() -> tuple[Expr, Expr]:
    A, B = var("A", "n", "n"), var("B", "n", "n")
    left = inverse(add(scale(number(2), A), scale(number(2), B)))
    return left, scale(number(core.exact("0.5")), inverse(add(A, B)))


@node_rule(op="inv", group="expand", source=MATRIX_ALGEBRA, example=_inverse)
def content_of_inverse(e: Expr, context: Context) -> Expr | None:
    """(2 A + 2 B)^-1 = (A + B)^-1/2"""
    if e.args[0].op != "add":
        return None
    shared, rest = _content(e.args[0], context, whole=True)
    return None if rest is None else scale(*(core.reciprocal(c) for c in shared), inverse(rest))


def lead_of(e: Expr, context: Context) -> Any:
    """The number of the leading term: the first one by a key that does not see transposes."""
    terms = e.args if e.op == "add" else (e,)
    lead = min(terms, key=lambda t: orientation_free(_unscaled(t), context))
    return split(lead.args[0] if lead.op == "broadcast" else lead)[0]


def _content(e: Expr, context: Context, *, whole: bool) -> tuple[list[Expr], Expr | None]:
    """What the terms of a sum share, and the sum without it (None where there is nothing).

    For an exponent that is not whole, only a positive number comes out.
    """
    shared = lead_of(e, context)
    if not whole and shared.is_negative:
        shared = -shared
    factors = _shared_scalars(e, context) if whole else []
    if shared == 0 or (shared == 1 and not factors) or not (whole or shared.is_positive):
        return [], None
    inverses = [power(f, -1) for f in factors]
    rest = add(*(_divided(t, shared, inverses) for t in e.args))
    return [*([number(shared)] if shared != 1 else []), *factors], rest


def _shared_scalars(e: Expr, context: Context) -> list[Expr]:
    """The lowest powers of the 1 x 1 values in the terms of a sum, of those that are known not to be 0."""
    powers: dict[Expr, list[Any]] = {}
    for t in e.args:
        for f in split(t.args[0] if t.op == "broadcast" else t)[1]:
            base, k = base_and_exponent(f)
            if k.op == "number" and k.params[0].is_Integer:
                powers.setdefault(base, []).append(k.params[0])
    shared = []
    for base, found in powers.items():
        lowest = min(found) if len(found) == len(e.args) else min(0, *found)
        if lowest != 0 and context.known(base, "nonzero"):
            shared.append(base if lowest == 1 else power(base, lowest))
    return shared


def _unscaled(t: Expr) -> Expr:
    """A term without its number."""
    if t.op == "broadcast":
        return broadcast(_unscaled(t.args[0]), t.shape)
    rest = coefficient_and_rest(t)[1]
    return number(1) if rest is None else rest


def _divided(t: Expr, by: Any, inverses: list[Expr]) -> Expr:
    if t.op == "broadcast":
        return broadcast(_divided(t.args[0], by, inverses), t.shape)
    return scale(*inverses, times_number(1 / by, t))
