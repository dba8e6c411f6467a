"""Claims that hold on one side of a kink and fail on the other: true for one branch, false as a formula."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matcalc.claims.points import Field, Point
from matcalc.expr import Expr
from matcalc.numeric.binding import Array
from matcalc.numeric.kinks import arguments_of_kinks
from matcalc.walk import variables

ENOUGH = 3  # points at which it must hold


def side_of(claim: Expr, right: Expr, field: Field, points: Sequence[Point]) -> str:
    """The condition, such as `t > 0`, that tells where a claim holds from where it fails; empty where there is none.

    The condition is the sign of a 1 x 1 argument of a kink, or of a 1 x 1 variable in one. Points at which the right
    result is 0 say nothing for the claim.
    """
    candidates = _candidates(right)
    if not candidates:
        return ""
    signs: dict[bool, list[Array]] = {True: [], False: []}
    for p in points:
        differs = field.differ(claim, right, p)
        value, *arguments = field.values([right, *candidates], p)
        if differs is not None and (differs or np.any(value)):
            signs[not differs].append(np.sign([a.item() for a in arguments]))
    if not all(signs.values()):
        return ""
    holds, fails = (np.array(signs[side]) for side in (True, False))
    for k, e in enumerate(candidates):
        for sign, relation in ((1, ">"), (-1, "<")):
            if np.count_nonzero(holds[:, k] == sign) >= ENOUGH and np.all(fails[:, k] == -sign):
                return f"{e} {relation} 0"
    return ""


def _candidates(right: Expr) -> list[Expr]:
    """The 1 x 1 arguments of kinks, and the 1 x 1 variables in any argument of one."""
    kinks = arguments_of_kinks((right,))
    found = [*(e for e in kinks if e.is_scalar), *(v for v in variables(kinks) if v.is_scalar)]
    return list(dict.fromkeys(found))
