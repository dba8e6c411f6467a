"""The certificate of a derivative: generated code against central differences of the source graph.

The source graph is evaluated as it stands, without facts. Directions are random, sizes distinct and other ones at every
trial, values satisfy the facts and stay inside domains and away from kinks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from matcalc.core import var
from matcalc.errors import MatcalcError
from matcalc.expr import Expr, depends, postorder, record, substitute
from matcalc.numeric.binding import Array
from matcalc.numeric.evaluate import evaluate, evaluate_all
from matcalc.numeric.sample import MODES, holds, sample
from matcalc.numeric.structures import direction, independent

TOLERANCE = 1e-6
_VALUE_TOLERANCE = 1e-9
_STEP = 1e-2
_SMOOTH = 1e-2
_ATTEMPTS = 60
_DIRECTIONS = 2
_LARGEST = 1e8


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found; true where everything agreed.

    Attributes:
        ok: whether every derivative agreed within `TOLERANCE` (relative), and at least one point was checked.
        worst: the worst relative error.
        errors: the worst relative error by name.
        trials: how many points were checked.
        seed: of the random numbers; the same seed gives the same report.
        sizes: the sizes of the dimensions at each point.
        reason: why it is not ok, or empty.
    """

    ok: bool
    worst: float
    errors: dict[str, float]
    trials: int
    seed: int
    sizes: tuple[dict[str, int], ...] = ()
    reason: str = ""

    def __bool__(self) -> bool:
        return self.ok

    def _repr_markdown_(self) -> str:
        first, *rest = str(self).splitlines()
        return "\n".join([f"{'✓' if self.ok else '✗'} {first}", *(f"- {line.strip()}" for line in rest)])

    def __str__(self) -> str:
        head = "agrees with" if self.ok else "DISAGREES with" if self.trials else "was not compared with"
        lines = [f"The generated derivative {head} finite differences"]
        if self.trials:
            lines[0] += f": worst relative error {self.worst:.1e} at {self.trials} random points (seed {self.seed})"
            lines += [f"  {name}: {error:.1e}" for name, error in self.errors.items()]
            lines += [f"  sizes: {', '.join(f'{k} = {v}' for k, v in s.items())}" for s in self.sizes[:1] if s]
        if self.reason:
            lines.append(f"  {self.reason}")
        return "\n".join(lines)


@dataclass
class _Point:
    """Values of the variables and of the named values that are differentiated, and all that a trial needs."""

    arrays: dict[str, Array]
    sizes: dict[str, int]
    inputs: dict[str, Array]
    value: float
    rng: np.random.Generator


@dataclass
class _Check:
    output: Expr
    variables: list[Expr]
    function: Callable[..., Any]
    wrt: list[str]
    structure: Mapping[str, str]
    convention: str
    errors: dict[str, float] = field(default_factory=dict)
    reason: str = ""


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
    task = _Check(output, list(variables), function, names, structure or {}, convention, dict.fromkeys(names, 0.0))
    named = _named_values(output, [n for n in names if n not in {v.params[0] for v in variables}])
    sizes = []
    for trial in range(trials):
        point = _checked_point(task, named, trial, seed)
        if point is not None:
            sizes.append(point.sizes)
    worst = max(task.errors.values(), default=0.0)
    reason = task.reason
    if not sizes:
        reason = reason or f"no point with finite values, inside the domains and away from kinks, in {_ATTEMPTS} tries"
    elif not worst <= TOLERANCE:
        bad = [name for name, error in task.errors.items() if not error <= TOLERANCE]
        reason = reason or f"the gradient with respect to {', '.join(bad)} is wrong"
    ok = bool(sizes) and not reason
    return Report(ok, worst, task.errors, len(sizes), seed, tuple(sizes), reason)


def _named_values(output: Expr, names: list[str]) -> dict[str, Expr]:
    """The named values of the output that are called so."""
    found = {e.params[0]: e for e in postorder((output,)) if e.op == "named" and e.params[0] in names}
    missing = [name for name in names if name not in found]
    if missing:
        raise MatcalcError(f"no variable or named value of the output is called {', '.join(missing)}")
    return found


def _checked_point(task: _Check, named: dict[str, Expr], trial: int, seed: int) -> _Point | None:
    """Compare at one point; None where none was found."""
    for attempt in range(_ATTEMPTS):
        rng = np.random.default_rng([seed, trial, attempt])
        point = _point(task, named, rng, MODES[attempt % len(MODES)])
        if point is not None and _compare(task, named, point):
            return point
    return None


def _point(task: _Check, named: dict[str, Expr], rng: np.random.Generator, mode: str) -> _Point | None:
    arrays, sizes = sample(task.variables, rng, mode=mode)
    functions = smooth_functions(task.output)
    conditions = list(domain_conditions(task.output))
    exprs = [task.output, *named.values(), *(e for _, e in conditions)]
    try:
        values = evaluate_all(exprs, arrays, sizes, functions)
    except np.linalg.LinAlgError:
        return None
    value, inner, tested = values[0], values[1 : 1 + len(named)], values[1 + len(named) :]
    if not all(np.all(np.isfinite(v)) and np.abs(v).max() < _LARGEST for v in (value, *tested)):
        return None
    if not all(holds(v, fact) for (fact, _), v in zip(conditions, tested)):
        return None
    return _Point(arrays, sizes, arrays | dict(zip(named, inner)), float(value[0, 0]), rng)


def domain_conditions(e: Expr) -> Iterator[tuple[str, Expr]]:
    """What must hold for `e` to be differentiable: (fact, expression) for every operation with a domain."""
    for sub in postorder((e,)):
        yield from record(sub.op).sampled(*sub.args, *sub.params)


def smooth_functions(e: Expr) -> dict[str, Callable[[Array], Any]]:
    """Values for the abstract functions: shifted sines, whose derivatives are shifted sines."""
    functions: dict[str, Callable[[Array], Any]] = {}
    for sub in postorder((e,)):
        if sub.op == "func" and sub.params[0].body is None:
            name = sub.params[0].name
            shift = 0.3 + 0.1 * (sum(map(ord, name)) % 7)
            for order in range(sub.params[0].order + 2):
                functions[name + "_prime" * order] = _shifted_sine(shift + order * np.pi / 2)
    return functions


def _shifted_sine(shift: float) -> Callable[[Array], Any]:
    return lambda x: np.sin(x + shift)


# ------------------------------------------------------------------------------------------------ comparison


def _compare(task: _Check, named: dict[str, Expr], point: _Point) -> bool:
    """Record the errors at a point; False where the differences do not settle (a kink is near)."""
    found: dict[str, float] = {}
    functions = {k: f for k, f in smooth_functions(task.output).items() if k in _parameters(task)}
    with np.errstate(all="ignore"):
        try:
            value, gradients = task.function(**point.arrays, **functions, dims=point.sizes)
        except np.linalg.LinAlgError as error:
            task.reason = f"the generated code failed: {error}"
            return True
    if not abs(value - point.value) <= _VALUE_TOLERANCE * max(1.0, abs(point.value)):
        task.reason = f"the generated code gives the value {value}, the source graph {point.value}"
        return True
    for name in task.wrt:
        kind = task.structure.get(name, "none")
        free = task.output
        if name in named:  # what depends on it moves, and it is a variable itself
            free = substitute(free, {named[name]: var(name, *named[name].shape)})
        G = np.asarray(gradients[name]).reshape(point.inputs[name].shape)
        for _ in range(_DIRECTIONS):
            V = direction(point.rng, point.inputs[name], kind)
            slope = _difference(free, point, name, V)
            if slope is None:
                return False
            W = V if task.convention == "projection" else independent(V, kind)
            found[name] = max(found.get(name, 0.0), _error(float(np.sum(G * W)), slope, point.value, G, W))
    for name, worst in found.items():
        task.errors[name] = max(task.errors[name], worst)
    return True


def _parameters(task: _Check) -> set[str]:
    code = getattr(task.function, "__code__", None)
    return set() if code is None else set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def _error(claimed: float, slope: float, value: float, G: Array, V: Array) -> float:
    if not np.isfinite(claimed):
        return np.inf
    # below the last term both are rounding: det(X'X) of a wide X, say
    noise = 1e-6 * float(np.linalg.norm(G) * np.linalg.norm(V)) + 1e-5 * abs(value) + 1e-5
    return abs(claimed - slope) / max(abs(claimed), abs(slope), noise)


def _difference(output: Expr, point: _Point, name: str, V: Array) -> float | None:
    """The derivative along V by central differences at three steps, extrapolated; None where they disagree."""
    moving = depends((output,), [e for e in postorder((output,)) if e.op == "variable" and e.params[0] == name])
    if output not in moving:
        return 0.0
    functions = smooth_functions(output)

    def along(h: float) -> float:
        above, below = (
            float(evaluate(output, {**point.inputs, name: point.inputs[name] + t * V}, point.sizes, functions)[0, 0])
            for t in (h, -h)
        )
        return (above - below) / (2 * h)

    for h in (_STEP, _STEP / 10, _STEP / 100):
        coarse, middle, fine = along(h), along(h / 2), along(h / 4)
        first, second = (4 * middle - coarse) / 3, (4 * fine - middle) / 3
        third = (16 * second - first) / 15
        size = max(abs(third), 1e-5 * abs(point.value), 1e-6)
        if abs(coarse - fine) <= _SMOOTH * size and abs(third - second) <= TOLERANCE * size:
            return third
    return None
