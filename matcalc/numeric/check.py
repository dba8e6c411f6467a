"""The certificate of a derivative: generated code against central differences of the source graph.

The source graph is evaluated as it stands, without facts. Points are random: of other sizes at every trial, with values
that satisfy the facts and stay inside domains and away from kinks. Directions are free, also where facts hold at the
point, unless the derivative is along a structured set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from matcalc.expr import Expr
from matcalc.kinds import HESSIAN, JACOBIAN
from matcalc.numeric.compare import compare
from matcalc.numeric.differences import TOLERANCE
from matcalc.numeric.points import Point, Task, drawn
from matcalc.numeric.report import Report
from matcalc.numeric.sample import MIXED, MODES

_ATTEMPTS = 120
_UNMIXED = 20  # attempts in which all variables are of one kind
_KINK = 2e-2  # how near a point may be to a kink; nearer ones are taken where there are no others


def check_gradient(
    output: Expr,
    variables: Sequence[Expr],
    function: Callable[..., Any],
    *,
    wrt: Sequence[str] | None = None,
    trials: int = 5,
    seed: int = 0,
    structure: Mapping[str, str] | None = None,
    convention: str = "entries",
) -> Report:
    """Compare a compiled gradient with Richardson-extrapolated central differences of `output`.

    Args:
        output: a 1 x 1 expression.
        variables: every variable that `function` takes.
        function: `f(**arrays, dims=...)` giving the value and a dict of gradients.
        wrt: the names to compare (default: every variable); named values too, then what depends on them moves.
        trials: how many points.
        seed: of the random numbers.
        structure: by name the structured set that the direction stays in, such as "symmetric".
        convention: whether such gradients are by independent "entries" or an orthogonal "projection".

    Example:
        >>> from matcalc.core import hadamard, total, var
        >>> x = var("x", "n", 1)
        >>> report = check_gradient(total(hadamard(x, x)), [x], lambda x, dims: (float((x**2).sum()), {"x": 2 * x}))
        >>> report.ok, bool(check_gradient(total(x), [x], lambda x, dims: (float(x.sum()), {"x": 1.001 + 0 * x})))
        (True, False)
    """
    names = list(wrt) if wrt is not None else [v.params[0] for v in variables]
    task = Task(output, list(variables), function, names, structure or {}, convention, with_value=True)
    return _run(task, trials, seed)


def check_jacobian(
    output: Expr,
    variables: Sequence[Expr],
    function: Callable[..., Any],
    *,
    wrt: Sequence[str],
    trials: int = 5,
    seed: int = 0,
    structure: Mapping[str, str] | None = None,
    bases: Mapping[str, Expr] | None = None,
) -> Report:
    """Compare compiled Jacobians of `output` with differences; as `check_gradient`.

    Args:
        output: the expression.
        function: `f(**arrays, dims=...)` giving a dict of Jacobians.
        bases: by name the basis D of the structured set: `vec(X) = D t`, and the Jacobian is by t.
    """
    task = Task(output, list(variables), function, list(wrt), structure or {}, bases=bases or {}, kind=JACOBIAN)
    return _run(task, trials, seed)


def check_hessian(
    output: Expr,
    variables: Sequence[Expr],
    function: Callable[..., Any],
    *,
    wrt: Sequence[str],
    by: str | None = None,
    trials: int = 5,
    seed: int = 0,
    structure: Mapping[str, str] | None = None,
    bases: Mapping[str, Expr] | None = None,
) -> Report:
    """Compare compiled Hessians of `output` with its mixed second differences; as `check_jacobian`.

    Args:
        output: a 1 x 1 expression.
        function: `f(**arrays, dims=...)` giving a dict of Hessians.
        by: the second variable of each, for mixed Hessians (default: the first one again).
    """
    task = Task(output, list(variables), function, list(wrt), structure or {}, by=by, bases=bases or {}, kind=HESSIAN)
    return _run(task, trials, seed)


def _run(task: Task, trials: int, seed: int) -> Report:
    """The comparison at every point."""
    points = [_checked_point(task, trial, seed) for trial in range(trials)]
    sizes = [point.sizes for point in points if point is not None]
    worst = max(task.errors.values(), default=0.0)
    reason = task.reason
    if not sizes:
        why = (
            "at every point tried rounding errors of the value hide its differences"
            if task.hidden
            else (f"no point with finite values, inside the domains and away from kinks, in {_ATTEMPTS} tries")
        )
        reason = reason or why
    elif not worst <= TOLERANCE:
        bad = [name for name, error in task.errors.items() if not error <= TOLERANCE]
        second = "" if task.by is None else f" and {task.by}"
        reason = reason or f"the {task.kind.title} with respect to {', '.join(bad)}{second} is wrong"
    ok = bool(sizes) and not reason
    return Report(ok, worst, task.errors, len(sizes), seed, tuple(sizes), reason)


def _checked_point(task: Task, trial: int, seed: int) -> Point | None:
    """Compare at one point; None where none was found."""
    for attempt in range(_ATTEMPTS):
        rng = np.random.default_rng([seed, trial, attempt])
        margin = _KINK if attempt < _ATTEMPTS // 2 else 0.0
        mode = MIXED if attempt >= _UNMIXED and attempt % 2 else MODES[attempt % len(MODES)]
        point = drawn(task, rng, mode, margin)
        if point is not None and compare(task, point):
            return point
    return None
