"""Numbers: a closed form at random data, and random feasible points around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from matcalc.errors import MatcalcError
from matcalc.expr import Expr
from matcalc.numeric.evaluate import evaluate
from matcalc.optimum.drawing import Need, drawn, holds
from matcalc.optimum.question import MAXIMUM, MINIMUM, Question, is_symmetric
from matcalc.properties import known

Array = np.ndarray
STEPS = (1e-4, 3e-6)  # of the differences; an error of these never speaks for a point
NEAR = (1e-3, 1e-2, 0.1, 0.5)


@dataclass(frozen=True)
class Trial:
    """What the numbers say; true where all is well.

    Attributes:
        ok: whether every point was feasible and stationary, and none around it was better.
        stationarity: the largest gradient along feasible directions, relative to 1 + its size at random points.
        infeasibility: the largest residual of a constraint.
        better: by how much a feasible point was better, at most.
        trials: at how many data sets.
        reason: why it is not ok, or empty.
    """

    ok: bool
    stationarity: float
    infeasibility: float
    better: float
    trials: int
    reason: str = ""

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        verdict = "holds" if self.ok else f"FAILS ({self.reason})"
        return (
            f"the closed form {verdict} at {self.trials} random data sets: gradient along feasible directions "
            f"{self.stationarity:.1e}, constraints {self.infeasibility:.1e}, gain of a point nearby {self.better:.1e}"
        )


class Numbers:
    """A question at given data: the function and the constraints of one flat vector."""

    def __init__(self, q: Question, data: dict[str, Array], sizes: dict[str, int], start: dict[str, Array]) -> None:
        self.q, self.data, self.sizes = q, data, sizes
        self.bases = [_basis(v, start[v.name]) for v in q.over]
        self.shapes = [start[v.name].shape for v in q.over]
        parts = [B.T @ start[v.name].ravel() for v, B in zip(q.over, self.bases)]
        self.start: Array = np.concatenate(parts)

    def point(self, z: Array) -> dict[str, Array]:
        found, k = {}, 0
        for v, B, shape in zip(self.q.over, self.bases, self.shapes):
            found[v.name] = (B @ z[k : k + B.shape[1]]).reshape(shape)
            k += B.shape[1]
        return self.data | found

    def value(self, z: Array) -> float:
        return float(evaluate(self.q.function, self.point(z), self.sizes)[0, 0])

    def residual(self, z: Array) -> Array:
        at = self.point(z)
        found = [evaluate(c.residual, at, self.sizes).ravel() for c in self.q.constraints]
        return np.concatenate(found) if found else np.zeros(0)

    def slope(self, f: Callable[[Array], Array], z: Array, step: float = STEPS[0]) -> Array:
        """The derivatives of a function, a row for each coordinate, by differences of the fourth order."""
        rows = []
        for k in range(len(z)):
            e = np.zeros_like(z)
            e[k] = step * max(1.0, abs(z[k]))
            near, far = (np.atleast_1d(f(z + s * e)) - np.atleast_1d(f(z - s * e)) for s in (1, 2))
            rows.append((8 * near - far) / (12 * e[k]))
        return np.array(rows)

    def inside(self, z: Array) -> bool:
        at = self.point(z)
        return all(_in_domain(v, at[v.name]) for v in self.q.over)

    def feasible(self, z: Array) -> Array | None:
        """The nearest feasible point by Gauss-Newton steps."""
        for _ in range(20):
            r = self.residual(z)
            if np.abs(r).max(initial=0.0) < 1e-11:
                break
            z = z - np.linalg.lstsq(self.slope(self.residual, z).T, r, rcond=1e-10)[0]
        good = np.abs(self.residual(z)).max(initial=0.0) < 1e-9 and self.inside(z)
        return z if good else None


def _basis(v: Expr, x: Array) -> Array:
    size = x.size
    if not is_symmetric(v) or v.is_scalar:
        return np.eye(size)
    n = x.shape[0]
    columns = []
    for i in range(n):
        for j in range(i + 1 if not known(v, "diagonal") else i, -1 if not known(v, "diagonal") else i - 1, -1):
            if j > i:
                continue
            E = np.zeros((n, n))
            E[i, j] = E[j, i] = 1.0
            columns.append(E.ravel() / np.linalg.norm(E))
    return np.array(columns).T


def _in_domain(v: Expr, x: Array) -> bool:
    if known(v, "positive-definite") and not v.is_scalar:
        return bool(np.linalg.eigvalsh((x + x.T) / 2).min() > 0)
    if known(v, "positive"):
        return bool(x.min() > 0)
    return not known(v, "nonnegative") or bool(x.min() >= 0)


def tried(q: Question, values: dict[str, Expr], kind: str, trials: int, seed: int, needs: Sequence[Need] = ()) -> Trial:
    """The trial of a closed form, at data that satisfy what it needs.

    Raises:
        MatcalcError: no data were found at which it can be evaluated.
    """
    rng = np.random.default_rng(seed)
    found: list[tuple[float, float, float]] = []
    for _ in range(40 * trials):
        if len(found) == trials:
            break
        one = _tried_once(q, values, kind, rng, needs)
        if one is not None:
            found.append(one)
    if not found:
        raise MatcalcError("no random data were found that satisfy the conditions of the closed form")
    slope, gap, better = (max(row) for row in zip(*found))
    reason = "not feasible" if gap > 1e-8 else "not stationary" if slope > 1e-6 else "a point nearby is better"
    ok = gap <= 1e-8 and slope <= 1e-6 and better <= 1e-9
    return Trial(ok, slope, gap, better, len(found), "" if ok else reason)


def numbers_at_random(
    q: Question, values: dict[str, Expr], rng: np.random.Generator, needs: Sequence[Need] = ()
) -> Numbers | None:
    """The question at random data, with the closed form's value to start from; None where the data do not fit."""
    names = [v.name for v in q.over]
    roots = [q.function, *(c.residual for c in q.constraints), *values.values()]
    found = drawn(roots, names, [d for v in q.over for d in v.shape], rng)
    if found is None:
        return None
    data, sizes = found
    try:
        if not all(holds(evaluate(e, data, sizes), words) for e, words in needs):
            return None
        start = {name: evaluate(e, data, sizes) for name, e in values.items()}
    except (np.linalg.LinAlgError, MatcalcError):
        return None
    if not all(np.isfinite(x).all() for x in start.values()):
        return None
    if not all(_in_domain(v, start[v.name]) for v in q.over):
        return None
    return Numbers(q, data, sizes, start)


def _tried_once(
    q: Question, values: dict[str, Expr], kind: str, rng: np.random.Generator, needs: Sequence[Need]
) -> tuple[float, float, float] | None:
    numbers = numbers_at_random(q, values, rng, needs)
    if numbers is None:
        return None
    z = numbers.start
    with np.errstate(all="ignore"):
        here = numbers.value(z)
        gap = float(np.abs(numbers.residual(z)).max(initial=0.0))
        steep = min(_steepness(numbers, z, step) for step in STEPS)
        if not (np.isfinite(here) and np.isfinite(steep)):
            return None
        scale = 1.0 + abs(here) + float(np.linalg.norm(z))
        return steep / scale, gap, _best_gain(numbers, z, here, kind, rng) / scale


def _steepness(numbers: Numbers, z: Array, step: float) -> float:
    """The gradient along feasible directions; infinite where it cannot be had with this step."""
    g = numbers.slope(lambda x: np.array([numbers.value(x)]), z, step)[:, 0]
    if numbers.q.constraints:
        J = numbers.slope(numbers.residual, z, step)
        g = g - J @ np.linalg.lstsq(J, g, rcond=1e-9)[0] if np.isfinite(J).all() else J[:, 0]
    return float(np.abs(g).max(initial=0.0)) if np.isfinite(g).all() else np.inf


def _best_gain(numbers: Numbers, z: Array, here: float, kind: str, rng: np.random.Generator) -> float:
    """By how much a feasible point around is better; 0 where none is, or nothing is claimed."""
    sign = {MINIMUM: 1.0, MAXIMUM: -1.0}.get(kind)
    best = 0.0
    for size in NEAR if sign is not None else ():
        for _ in range(6):
            other = numbers.feasible(z + size * rng.standard_normal(len(z)))
            if other is not None and np.isfinite(there := numbers.value(other)):
                best = max(best, (sign or 1.0) * (here - there))
    return best
