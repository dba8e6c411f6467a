"""What may be assumed where both sides of a claim are defined and differentiable."""

from __future__ import annotations

from collections.abc import Iterator

from matcalc.expr import Expr, postorder, record

# Rules that hold away from the kinks only.
AWAY_FROM_KINKS = frozenset(("step_by_sign", "squared_sign", "sign_of_nonnegative"))


def requirements_of(e: Expr, *, kinks: bool = True) -> Iterator[tuple[str, Expr]]:
    """What must hold for `e` to be defined, and away from kinks: `(fact, expression)`."""
    for sub in postorder((e,)):
        yield from record(sub.op).domain(*sub.args, *sub.params)
        if kinks and record(sub.op).kinks == "zero":
            yield "nonzero", sub.args[0]
        if sub.op == "sqrt":
            yield "nonnegative", sub.args[0]
        if sub.op == "power" and sub.args[1].number is not None and sub.args[1].number.is_negative:
            yield "nonzero", sub.args[0]
        exponent = sub.args[1] if sub.op == "matpow" else None
        unsure = exponent is not None and (exponent.number is None or exponent.number.is_negative)
        if sub.op in ("inv", "solve") or unsure:
            yield "nonsingular", sub.args[0]
