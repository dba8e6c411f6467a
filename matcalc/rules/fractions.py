"""Terms of a sum over their common denominator; used by proofs where the expanded forms alone differ."""

from __future__ import annotations

from itertools import product
from typing import Any

from matcalc import core
from matcalc.core import add, broadcast, hadamard, power, scale, var
from matcalc.exact import ZERO
from matcalc.expr import Expr
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MATRIX_ALGEBRA, node_rule
from matcalc.rewrite.terms import base_and_exponent, raised
from matcalc.rules.expansion import MAX_TERMS

MAX_LIFT = 4


def _factors(t: Expr) -> tuple[Expr, ...]:
    """The entrywise factors of a term, its scalars among them."""
    if t.op == "scale":
        return (*t.args[:-1], *_factors(t.args[-1])) if not t.is_scalar else t.args
    return t.args if t.op == "hadamard" else (t,)


def _base(f: Expr) -> tuple[Expr, Any] | None:
    """A power of a sum as the sum (broadcast where the factor is) and a number."""
    spread = f.args[0] if f.op == "broadcast" else f
    base, k = base_and_exponent(spread)
    if base.op == "sqrt":
        base, k = base.args[0], core.number(k.params[0] / 2)
    if base.op != "add" or k.op != "number" or not k.params[0].is_Rational:
        return None
    return (broadcast(base, f.shape) if f.op == "broadcast" else base), k.params[0]


def _exponent(t: Expr, base: Expr) -> object:
    for f in _factors(t):
        found = _base(f)
        if found is not None and found[0].digest == base.digest:
            return found[1]
    return ZERO


def _example() -> tuple[Expr, Expr]:
    x, y = var("x", 1, 1, ["positive"]), var("y", 1, 1, ["positive"])
    S = add(x, y)
    return add(core.number(1), scale(core.number(-1), x, power(S, -1))), scale(y, power(S, -1))


@node_rule(op="add", group="expand", source=MATRIX_ALGEBRA, example=_example)
def common_denominator(e: Expr, context: Context) -> Expr | None:
    """1 - x/(x + y) = y/(x + y): the terms of a sum over one denominator"""
    for t in e.args:
        for f in _factors(t):
            found = _base(f)
            if found is None or not found[1].is_negative:
                continue
            lifted = _lifted(e, found[0])
            if lifted is not None:
                return lifted
    return None


def _lifted(e: Expr, base: Expr) -> Expr | None:
    """Every term with the lowest power of the base that occurs, the rest multiplied out."""
    exponents = [_exponent(t, base) for t in e.args]
    lowest = min(exponents)  # type: ignore[type-var]
    gaps = [k - lowest for k in exponents]  # type: ignore[operator]
    if not any(gaps) or any(not g.is_Integer or g > MAX_LIFT for g in gaps):
        return None
    inner = base.args[0] if base.op == "broadcast" else base
    if sum(len(inner.args) ** int(g) for g in gaps) > MAX_TERMS:
        return None
    terms: list[Expr] = []
    for t, gap in zip(e.args, gaps):
        terms.extend(_times_power(t, base, inner, int(gap), lowest) if gap else (t,))
    return add(*terms)


def _times_power(t: Expr, base: Expr, inner: Expr, gap: int, lowest: object) -> list[Expr]:
    """t, which has the power lowest + gap of the base, as the sum of its products with base^gap times base^lowest."""
    rest = [f for f in _factors(t) if _base(f) is None or _base(f)[0].digest != base.digest]  # type: ignore[index]
    low = _shaped(raised(inner, lowest), base)
    spread = (tuple(_shaped(a, base) for a in inner.args),) * gap
    return [_product(t, [*rest, low, *chosen]) for chosen in product(*spread)]


def _shaped(e: Expr, base: Expr) -> Expr:
    return broadcast(e, base.shape) if base.op == "broadcast" else e


def _product(t: Expr, factors: list[Expr]) -> Expr:
    """The product of 1 x 1 factors and factors in the shape of t."""
    if t.is_scalar:
        return scale(*factors)
    scalars = [f for f in factors if f.is_scalar]
    bodies = [f for f in factors if not f.is_scalar]
    body = hadamard(*bodies) if bodies else core.ones(*t.shape)
    return scale(*scalars, body)
