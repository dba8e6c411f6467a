"""The certificate of a derivative: generated code against central differences of the source graph.

The source graph is evaluated as it stands, without facts. Directions are random, sizes distinct and other ones at every
trial, values satisfy the facts and stay inside domains and away from kinks. A Hessian is compared with differences of
the generated gradient, which is compared itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from matcalc.core import var
from matcalc.errors import MatcalcError
from matcalc.expr import Expr, depends, postorder, record, substitute
from matcalc.languages import ENGLISH
from matcalc.languages import language as language_of
from matcalc.numeric.binding import Array
from matcalc.numeric.differences import TOLERANCE, Arrays, difference, disagreement, scatter
from matcalc.numeric.evaluate import evaluate, evaluate_all
from matcalc.numeric.kinks import KINKED
from matcalc.numeric.sample import MODES, holds, sample
from matcalc.numeric.structures import direction, independent

_VALUE_TOLERANCE = 1e-9
_VALUE_ROUNDING = 1e3
_ATTEMPTS = 60
_DIRECTIONS = 2
_LARGEST = 1e8
_KINK = 2e-2  # how near a point may be to a kink; nearer ones are taken where there are no others


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found; true where everything agreed.

    Attributes:
        ok: whether every derivative agreed within a relative error of 1e-6, and at least one point was checked.
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
        return self.text()

    def text(self, language: str = ENGLISH) -> str:
        """The report in plain text; the reason of a failure stays in English."""
        t = language_of(language).filled
        if not self.trials:
            lines = [t("The generated derivative was not compared with finite differences")]
        else:
            agrees = "The generated derivative agrees with finite differences"
            differs = "The generated derivative DISAGREES with finite differences"
            worst = t(
                "worst relative error {0} at {1} random points (seed {2})",
                *(f"{self.worst:.1e}", str(self.trials), str(self.seed)),
            )
            lines = [f"{t(agrees if self.ok else differs)}: {worst}"]
            lines += [f"  {name}: {error:.1e}" for name, error in self.errors.items()]
            for sizes in self.sizes[:1]:
                if sizes:
                    lines.append("  " + t("sizes: {0}", ", ".join(f"{k} = {v}" for k, v in sizes.items())))
        if self.reason:
            lines.append(f"  {self.reason}")
        return "\n".join(lines)


@dataclass
class _Point:
    """Values of the variables and of the named values that are differentiated, and all that a trial needs."""

    arrays: Arrays
    sizes: dict[str, int]
    inputs: Arrays
    value: Array
    rng: np.random.Generator


@dataclass
class _Check:
    """What is compared.

    Attributes:
        function: the generated function.
        gradient: for a Hessian that of the gradients.
        bases: for Jacobians and Hessians, by name the basis of the structured set.
        with_value: whether `function` returns the value too.
    """

    output: Expr
    variables: list[Expr]
    function: Callable[..., Any]
    wrt: list[str]
    structure: Mapping[str, str]
    convention: str = "entries"
    gradient: Callable[..., Any] | None = None
    bases: Mapping[str, Expr] = field(default_factory=dict)
    with_value: bool = False
    what: str = "gradient"
    errors: dict[str, float] = field(default_factory=dict)
    reason: str = ""
    hidden: bool = False


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
    return _run(
        _Check(output, list(variables), function, names, structure or {}, convention, with_value=True), trials, seed
    )


def check_jacobian(
    output: Expr,
    variables: Sequence[Expr],
    function: Callable[..., Any],
    *,
    wrt: Sequence[str],
    gradient: Callable[..., Any] | None = None,
    trials: int = 5,
    seed: int = 0,
    structure: Mapping[str, str] | None = None,
    convention: str = "entries",
    bases: Mapping[str, Expr] | None = None,
) -> Report:
    """Compare compiled Jacobians of `output`, or (with `gradient`) Hessians, with differences; as `check_gradient`.

    Args:
        output: the expression; 1 x 1 for a Hessian.
        function: `f(**arrays, dims=...)` giving a dict of Jacobians, or of Hessians.
        gradient: for Hessians: `f(**arrays, dims=...)` giving a dict of gradients, whose differences they are.
        bases: by name the basis D of the structured set: `vec(X) = D t`, and the Jacobian is by t.
    """
    what = "Jacobian" if gradient is None else "Hessian"
    task = _Check(
        *(output, list(variables), function, list(wrt), structure or {}, convention, gradient),
        bases=bases or {},
        what=what,
    )
    return _run(task, trials, seed)


def _run(task: _Check, trials: int, seed: int) -> Report:
    """The comparison at every point."""
    task.errors = dict.fromkeys(task.wrt, 0.0)
    named = _named_values(task.output, [n for n in task.wrt if n not in {v.params[0] for v in task.variables}])
    sizes = []
    for trial in range(trials):
        point = _checked_point(task, named, trial, seed)
        if point is not None:
            sizes.append(point.sizes)
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
        reason = reason or f"the {task.what} with respect to {', '.join(bad)} is wrong"
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
        margin = _KINK if attempt < _ATTEMPTS // 2 else 0.0
        point = _point(task, named, rng, MODES[attempt % len(MODES)], margin)
        if point is not None and _compare(task, named, point):
            return point
    return None


def _point(task: _Check, named: dict[str, Expr], rng: np.random.Generator, mode: str, margin: float) -> _Point | None:
    arrays, sizes = sample(task.variables, rng, mode=mode)
    functions = smooth_functions(task.output)
    conditions = list(domain_conditions(task.output))
    kinks = [sub.args[0] for sub in postorder((task.output,)) if sub.op in KINKED]
    exprs = [*kinks, task.output, *named.values(), *(e for _, e in conditions)]
    try:
        values = evaluate_all(exprs, arrays, sizes, functions)
    except np.linalg.LinAlgError:
        return None
    if any(np.abs(v).min(initial=np.inf) < margin for v in values[: len(kinks)]):
        return None
    values = values[len(kinks) :]
    value, inner, tested = values[0], values[1 : 1 + len(named)], values[1 + len(named) :]
    if not all(np.all(np.isfinite(v)) and np.abs(v).max() < _LARGEST for v in (value, *tested)):
        return None
    if not all(holds(v, fact) for (fact, _), v in zip(conditions, tested)):
        return None
    return _Point(arrays, sizes, arrays | dict(zip(named, inner)), value, rng)


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
            shift = smooth_shift(name)
            for order in range(sub.params[0].order + 2):
                functions[name + "_prime" * order] = _shifted_sine(shift + order * np.pi / 2)
    return functions


def smooth_shift(name: str) -> float:
    """The shift of the sine that stands for an abstract function."""
    return 0.3 + 0.1 * (sum(map(ord, name)) % 7)


def _shifted_sine(shift: float) -> Callable[[Array], Any]:
    return lambda x: np.sin(x + shift)


# ------------------------------------------------------------------------------------------------ comparison


def _compare(task: _Check, named: dict[str, Expr], point: _Point) -> bool:
    """Record the errors at a point; False where the differences do not settle (a kink is near) or show nothing."""
    found: dict[str, float] = {}
    functions = smooth_functions(task.output)

    def source(arrays: Arrays) -> Array:
        return evaluate(task.output, arrays, point.sizes, functions)

    with np.errstate(all="ignore"):
        noise = scatter(source, point.arrays, point.rng)
        try:
            result = _called(task, task.function, point, point.arrays)
            if task.with_value and not _is_value(result[0], point.value, noise):
                task.reason = f"the generated code gives the value {result[0]}, the source graph {point.value.item()}"
                return True
            for name in task.wrt:
                for _ in range(_DIRECTIONS):
                    V = direction(point.rng, point.inputs[name], task.structure.get(name, "none"))
                    error = _error(task, named, point, name, V, noise)
                    if error is None:
                        return False
                    found[name] = max(found.get(name, 0.0), error)
        except np.linalg.LinAlgError as error:
            task.reason = f"the generated code failed: {error}"
            return True
    for name, worst in found.items():
        task.errors[name] = max(task.errors[name], worst)
    return True


def _is_value(value: Any, expected: Array, noise: Array) -> bool:
    allowed = _VALUE_TOLERANCE * np.abs(expected) + _VALUE_ROUNDING * noise
    return bool(np.all(np.abs(np.asarray(value) - expected) <= allowed))


def _called(task: _Check, function: Callable[..., Any], point: _Point, arrays: Arrays) -> Any:
    """What a generated function returns, with smooth functions for the abstract ones that it takes."""
    functions = {k: f for k, f in smooth_functions(task.output).items() if k in _parameters(function)}
    return function(**arrays, **functions, dims=point.sizes)


def _parameters(function: Callable[..., Any]) -> set[str]:
    code = getattr(function, "__code__", None)
    return set() if code is None else set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def _error(task: _Check, named: dict[str, Expr], point: _Point, name: str, V: Array, noise: Array) -> float | None:
    """The relative error of the derivative by `name` in the direction V; None where nothing can be said."""
    kind, X = task.structure.get(name, "none"), point.inputs[name]
    D = None if task.what == "gradient" or name not in task.bases else evaluate(task.bases[name], {}, point.sizes)
    coordinates = _vec(V) if D is None else np.linalg.lstsq(D, _vec(V), rcond=None)[0]
    W = V if task.convention == "projection" else independent(V, kind)

    def claimed(arrays: Arrays) -> Array:
        result = _called(task, task.function, point, arrays)
        derivative = np.asarray((result[1] if task.with_value else result)[name])
        if task.with_value:
            return np.full((1, 1), np.sum(derivative.reshape(X.shape) * W))
        return np.asarray(derivative @ coordinates)

    if task.gradient is None:
        along, moved_noise = _source_along(task, named, point, name, V), _vec(noise)
    else:
        gradient = task.gradient

        def entries(arrays: Arrays) -> Array:
            G = _vec(np.asarray(_called(task, gradient, point, arrays)[name]).reshape(X.shape))
            if D is None:
                return G
            return D.T @ G if task.convention == "projection" else G[np.argmax(D > 0, axis=0)]

        moved_noise = scatter(entries, point.arrays, point.rng)

        def along(h: float) -> Array:
            return entries({**point.arrays, name: X + h * V})

    result = _called(task, task.function, point, point.arrays)
    derivative = np.asarray((result[1] if task.with_value else result)[name])
    if task.with_value:
        scale = np.full((1, 1), np.linalg.norm(derivative) * np.linalg.norm(V))
    else:
        scale = np.linalg.norm(derivative, axis=1, keepdims=True) * np.linalg.norm(coordinates)
    settled = difference(along, moved_noise, scale)
    if settled is None:
        return None
    error = disagreement(claimed(point.arrays), scatter(claimed, point.arrays, point.rng), settled, scale)
    task.hidden = task.hidden or error is None
    return error


def _source_along(task: _Check, named: dict[str, Expr], point: _Point, name: str, V: Array) -> Callable[[float], Array]:
    """The values of the source on a line; where a named value moves, it is a variable."""
    output = task.output
    if name in named:
        output = substitute(output, {named[name]: var(name, *named[name].shape)})
    moving = [e for e in postorder((output,)) if e.op == "variable" and e.params[0] == name]
    if output not in depends((output,), moving):
        return lambda h: np.zeros_like(_vec(point.value))
    functions = smooth_functions(output)
    return lambda h: _vec(evaluate(output, {**point.inputs, name: point.inputs[name] + h * V}, point.sizes, functions))


def _vec(X: Array) -> Array:
    return X.reshape(-1, 1, order="F")
