"""Equal factors of a product gathered into powers: `x x^2 = x^3`, where nothing that may be 0 cancels."""

from __future__ import annotations

from matcalc import core
from matcalc.exact import simplify
from matcalc.expr import Expr
from matcalc.rewrite.context import Context
from matcalc.rewrite.terms import (
    base_and_exponent,
    raised,
    twin,
)


def merged(factors: list[Expr], context: Context) -> list[Expr]:
    """Powers of one base gathered: x x -> x^2; x x^-1 -> 1 only for x known to be nonzero."""
    groups: dict[bytes, list[Expr]] = {}
    for f in factors:
        groups.setdefault(twin(base_and_exponent(f)[0]), []).append(f)
    if all(len(g) == 1 for g in groups.values()):
        return factors
    merged: list[Expr] = []
    for group in groups.values():
        merged.extend(group if len(group) == 1 else _merged_group(group, context))
    return merged


def _merged_group(group: list[Expr], context: Context) -> list[Expr]:
    base = base_and_exponent(group[0])[0]
    exponents = [base_and_exponent(f)[1] for f in group]
    values = [k.params[0] for k in exponents if k.op == "number"]
    if len(values) < len(exponents):
        shifted = len(values) == len(exponents) - 1 and all(v.is_integer for v in values)  # s^(k - 1) s = s^k
        if not context.known(base, "positive") and not (shifted and context.known(base, "nonzero")):
            return group
        total = exponents[0]
        for k in exponents[1:]:
            total = core.plus(total, k)
        return [core.power(base, total)]
    whole = all(v.is_integer for v in values)
    if not whole and not context.known(base, "nonnegative"):
        return group
    if any(v.is_positive is not True for v in values) and not _may_cancel(base, context):
        positive = [f for f, v in zip(group, values) if v.is_positive]
        rest = [f for f, v in zip(group, values) if not v.is_positive]
        return [raised(base, sum(base_and_exponent(f)[1].params[0] for f in part)) for part in (positive, rest) if part]
    exponent = simplify(sum(values))
    if exponent == 0:
        return [] if base.is_scalar else [core.ones(*base.shape)]
    return [raised(base, exponent)]


def _may_cancel(base: Expr, context: Context) -> bool:
    """x x^-1 = 1 needs x nonzero; a norm's reciprocal comes with its argument, which is 0 where the norm is."""
    return base.op == "norm2" or context.known(base, "nonzero")
