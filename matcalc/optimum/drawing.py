"""Random data for the variables of a question, and whether conditions on them hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from matcalc.dims import symbols
from matcalc.errors import MatcalcError
from matcalc.expr import Expr, postorder
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.sample import sample
from matcalc.optimum.answer import INDEPENDENT, NOT_ZERO, WITHOUT_ZEROS
from matcalc.optimum.question import Question
from matcalc.walk import variables

Array = np.ndarray
Need = tuple[Expr, str]
SINGULAR = 1e-4  # ratio of the extreme singular values below which a matrix counts as singular
TRIES = 80


def drawn(
    roots: Sequence[Expr], without: Sequence[str], dims: Sequence[Any], rng: np.random.Generator
) -> tuple[dict[str, Array], dict[str, int]] | None:
    """Random data for the variables in some expressions; None where the sizes that were drawn do not fit."""
    fixed = [v for v in {v.name: v for v in variables(roots)}.values() if v.name not in without]
    wanted = [d for v in fixed for d in v.shape] + list(dims)
    chosen = {name: int(rng.integers(2, 8)) for name in symbols(wanted)}
    try:
        return sample(fixed, rng, chosen, mode=str(rng.choice(["free", "unit", "positive"])), also=wanted)
    except MatcalcError:
        return None


def holds(x: Array, words: str) -> bool:
    """Whether a condition holds of a value, clearly."""
    if not np.isfinite(x).all():
        return False
    if words == "is positive":
        return bool(x.min() > SINGULAR)
    if words == WITHOUT_ZEROS:
        return bool(np.abs(x).min() > SINGULAR)
    if words in ("is nonzero", NOT_ZERO):
        return bool(np.abs(x).max() > SINGULAR)
    if words == "is positive-definite":
        return bool(np.linalg.eigvalsh((x + x.T) / 2).min() > SINGULAR)
    if words == INDEPENDENT and x.shape[0] < x.shape[1]:
        return False
    spread = np.linalg.svd(x, compute_uv=False)
    return bool(spread.min() > SINGULAR * spread.max())


def is_satisfiable(q: Question, needs: Sequence[Need]) -> bool:
    """Whether some random data satisfy all conditions on them (conditions with unknowns are left out)."""
    names = [v.name for v in q.over]
    asked = [(e, words) for e, words in needs if q.free_of(e)]
    dims = [d for e, _ in asked for s in postorder((e,)) for d in s.shape]
    rng = np.random.default_rng(0)
    for _ in range(TRIES if asked else 0):
        data = drawn([e for e, _ in asked], names, dims, rng)
        if data is None:
            continue
        try:
            if all(holds(evaluate(e, *data), words) for e, words in asked):
                return True
        except (np.linalg.LinAlgError, MatcalcError):
            continue
    return not asked
