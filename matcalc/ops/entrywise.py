"""How an elementwise function is declared: its slope from its SymPy form, the usual facts, domains and images."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import inf
from typing import Any

from matcalc import core
from matcalc.core import power
from matcalc.exact import sp
from matcalc.expr import REGISTRY, Expr, Op, register
from matcalc.map_kinds import LinearMap
from matcalc.maps import mask
from matcalc.notation import Call, Notation
from matcalc.ops.define import anywhere, like, no_facts
from matcalc.ops.scalars import SymPyFunction, from_scalar, unknown
from matcalc.properties import BIT, bits

CALCULUS = "Abramowitz & Stegun, Handbook of Mathematical Functions (1964)"
# Intervals of values: low, high, and whether each end is left out; an end as SymPy reads it.
ALL = (-inf, inf, True, True)
ABOVE_ZERO = (0, inf, True, True)
FROM_ZERO = (0, inf, False, True)
WITHIN_ONE = (-1, 1, False, False)
INSIDE_ONE = (-1, 1, True, True)
PROBABILITY = (0, 1, True, True)


def elementwise(
    name: str,
    scalar: Callable[[Any], Any] | str | None,
    latex: Notation | str,
    numpy: Notation | str,
    *,
    slope: Callable[[Expr, Expr], Expr] | None = None,
    domain: Callable[..., tuple[tuple[str, Expr], ...]] = anywhere,
    sampling: Callable[..., tuple[tuple[str, Expr], ...]] | None = None,
    facts: Callable[..., tuple[int, int]] = no_facts,
    source: str = CALCULUS,
    example: str = "m n",
    image: tuple[Any, Any, bool, bool] = ALL,
    folds: bool = False,
    exact: Callable[[Any], Any] | None = None,
    **traits: Any,
) -> Op:
    """Declare an elementwise function: its SymPy form, or SymPy's name, gives f', unless `slope(Y, X)` states it.

    `domain(X)` says what must hold for f and f' to exist, `sampling(X)` where to draw random values, `image`
    where its values are, `folds` whether simplification evaluates it at numbers, exp(0) = 1; `traits` are further
    ones of the record, by name.
    """

    def differential(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
        return (mask(slope(Y, X) if slope is not None else derived_slope(name, Y, X)),)

    function = SymPyFunction(scalar) if isinstance(scalar, (str, type)) else scalar
    return register(
        Op(
            name=name,
            identity=f"d {name}(X) = {name}'(X) o dX: every entry depends on one entry only",
            shape=like,
            differential=differential,
            latex=Call(latex) if isinstance(latex, str) else latex,
            numpy=Call(numpy) if isinstance(numpy, str) else numpy,
            domain=domain,
            sampling=sampling,
            source=source,
            example=(example,),
            facts=_with_constant(facts),
            entrywise=True,
            scalar_function=function,
            image=lambda: image,
            exact=function if folds else exact,
            **traits,
        )
    )


def _with_constant(facts: Callable[..., tuple[int, int]]) -> Callable[..., tuple[int, int]]:
    def rule(e: Expr, X: int) -> tuple[int, int]:
        true, false = facts(e, X)
        return true | X & (BIT["constant"] | BIT["symmetric"]), false

    return rule


@cache
def _slope_form(name: str) -> Any:
    """f'(x) as a SymPy expression in x and the output y, whichever is shorter."""
    scalar = REGISTRY[name].scalar_function
    assert scalar is not None
    x = unknown()
    f = scalar(x)
    plain = sp.diff(f, x)
    with_output = plain.subs(f, unknown("y"))
    return min((with_output, plain), key=lambda form: (sp.count_ops(form), form.has(x)))


def derived_slope(name: str, Y: Expr, X: Expr) -> Expr:
    """f'(X) with f' from SymPy, written with the output Y where that is shorter."""
    return from_scalar(_slope_form(name), {unknown(): X, unknown("y"): Y}, X)


SIGN_KEEPING = bits("positive", "nonnegative", "nonzero", "diagonal", "lower", "upper")


def keeps_sign(e: Expr, X: int) -> tuple[int, int]:
    """Facts of an increasing function with f(0) = 0."""
    return X & SIGN_KEEPING, 0


def odd(e: Expr, X: int) -> tuple[int, int]:
    """Facts of an odd function that keeps signs."""
    return X & (SIGN_KEEPING | BIT["skew"]), 0


def positive(e: Expr, X: int) -> tuple[int, int]:
    """Every value is positive."""
    return BIT["positive"], 0


def nonnegative(e: Expr, X: int) -> tuple[int, int]:
    """Every value is nonnegative; positive where the argument is."""
    return BIT["nonnegative"] | X & BIT["positive"], 0


def above_zero(X: Expr) -> tuple[tuple[str, Expr], ...]:
    """Every entry is positive."""
    return (("positive", X),)


def above_one(X: Expr) -> tuple[tuple[str, Expr], ...]:
    """Every entry is above 1."""
    return (("positive", core.difference(X, 1)),)


def above_minus_one(X: Expr) -> tuple[tuple[str, Expr], ...]:
    """Every entry is above -1."""
    return (("positive", core.plus(1, X)),)


def within_one(X: Expr) -> tuple[tuple[str, Expr], ...]:
    """Every entry is between -1 and 1."""
    return (("positive", core.difference(1, power(X, 2))),)
