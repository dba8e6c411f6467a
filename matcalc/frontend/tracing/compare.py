"""The value of a function against the expression that it was read to, at random points.

What was read is never returned unless the two agree: this is the last line against a formula that is another one.
"""

from __future__ import annotations

import warnings

import numpy as np

from matcalc.errors import MatcalcError
from matcalc.expr import Expr, postorder
from matcalc.frontend.tracing.origin import Origin
from matcalc.numeric.binding import Array
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.points import domain_conditions
from matcalc.numeric.sample import MODES, holds, sample

POINTS = 3
ATTEMPTS = 24
TOLERANCE = 1e-7


def difference(origin: Origin, output: Expr, variables: list[Expr], seed: int = 0) -> str:
    """Where the function and the expression differ, in words; empty where they agree.

    Raises:
        MatcalcError: the function cannot be called at all.
    """
    found, failed = 0, ""
    for attempt in range(ATTEMPTS):
        if found == POINTS:
            break
        rng = np.random.default_rng([seed, attempt])
        arrays = _drawn(origin, output, variables, rng, MODES[attempt % len(MODES)])
        if arrays is None:
            continue
        values, sizes = arrays
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                mine = evaluate(output, values, sizes)
                theirs = origin.value(values)
            except (MatcalcError, np.linalg.LinAlgError):
                continue
            except Exception as error:
                failed = f"{type(error).__name__}: {error}"
                continue
        if not (np.all(np.isfinite(mine)) and np.all(np.isfinite(theirs))):
            continue
        found += 1
        message = _compared(mine, theirs, sizes)
        if message:
            return message
    if not found and failed:
        raise MatcalcError(f"the function itself fails for arrays of these shapes: {failed}")
    return ""


def _drawn(
    origin: Origin, output: Expr, variables: list[Expr], rng: np.random.Generator, mode: str
) -> tuple[dict[str, Array], dict[str, int]] | None:
    """Random arrays with the facts, inside the domain where one is found."""
    free = [v for v in variables if v.name not in origin.constants]
    inner = [d for sub in postorder((output,)) for d in sub.shape]
    arrays, sizes = sample(free, rng, mode=mode, also=inner)
    arrays |= {name: np.asarray(a).reshape(len(a), -1) for name, a in origin.constants.items()}
    with np.errstate(all="ignore"):
        for fact, e in domain_conditions(output):
            try:
                if not holds(evaluate(e, arrays, sizes), fact):
                    return None
            except np.linalg.LinAlgError:
                return None
    return arrays, sizes


def _compared(mine: Array, theirs: Array, sizes: dict[str, int]) -> str:
    if mine.size != theirs.size:
        return f"the function gives {theirs.size} numbers, and what was read of it {mine.size}"
    a, b = mine.reshape(-1), theirs.reshape(-1)
    if np.abs(a - b).max() <= TOLERANCE * (1 + np.abs(b).max()):
        return ""
    where = ", ".join(f"{k} = {v}" for k, v in sizes.items())
    return (
        f"it gives {b[0]:.8g} where what was read of it gives {a[0]:.8g}{f' ({where})' if where else ''}: "
        "does it depend on anything but its arguments?"
    )


def independent(origin: Origin, a: Expr, b: Expr, variables: list[Expr]) -> bool:
    """Whether two expressions have the same values at random points, and there are such points."""
    found = 0
    for attempt in range(ATTEMPTS):
        drawn = _drawn(origin, a, variables, np.random.default_rng([1, attempt]), MODES[attempt % len(MODES)])
        if drawn is None:
            continue
        with np.errstate(all="ignore"):
            first, second = evaluate(a, *drawn), evaluate(b, *drawn)
        if np.all(np.isfinite(first)) and np.all(np.isfinite(second)):
            found += 1
            if _compared(first, second, drawn[1]):
                return False
        if found == POINTS:
            break
    return found > 0
