"""What a numeric check compares, and the points where: values with the facts, inside domains, away from kinks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from matcalc.core import var
from matcalc.errors import MatcalcError
from matcalc.expr import Expr, postorder, record
from matcalc.kinds import GRADIENT, Kind
from matcalc.numeric.binding import Array
from matcalc.numeric.differences import Arrays
from matcalc.numeric.evaluate import evaluate_all
from matcalc.numeric.kinks import arguments_of_kinks
from matcalc.numeric.sample import holds, sample
from matcalc.properties import OPEN, names_of
from matcalc.walk import substitute, variables

_LARGEST = 1e8


@dataclass
class Task:
    """What is compared.

    Attributes:
        output: the source; it knows no closed facts, since differences leave the sets where these hold.
        variables: those that `function` takes, with their facts.
        function: the generated function.
        wrt: the names by which it differentiates.
        by: for mixed Hessians the name of the second variable.
        bases: for Jacobians and Hessians, by name the basis of the structured set.
        with_value: whether `function` returns the value too.
        hidden: whether rounding errors hid the differences at a point.
    """

    output: Expr
    variables: list[Expr]
    function: Callable[..., Any]
    wrt: list[str]
    structure: Mapping[str, str]
    convention: str = "entries"
    by: str | None = None
    bases: Mapping[str, Expr] = field(default_factory=dict)
    with_value: bool = False
    kind: Kind = GRADIENT
    errors: dict[str, float] = field(default_factory=dict)
    reason: str = ""
    hidden: bool = False
    named: dict[str, Expr] = field(init=False)

    def __post_init__(self) -> None:
        self.output = without_closed_facts(self.output)
        wanted = [*self.wrt, *([] if self.by is None else [self.by])]
        self.named = _named_values(self.output, [n for n in wanted if n not in {v.params[0] for v in self.variables}])
        self.errors = dict.fromkeys(self.wrt, 0.0)

    def call(self, point: Point, arrays: Arrays) -> Any:
        """What the generated function returns, with smooth functions for the abstract ones that it takes."""
        code = getattr(self.function, "__code__", None)
        taken = set() if code is None else set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
        functions = {k: f for k, f in smooth_functions(self.output).items() if k in taken}
        return self.function(**arrays, **functions, dims=point.sizes)

    def derivative(self, point: Point, name: str, arrays: Arrays) -> Array:
        """The generated derivative by `name`, for these values of the variables."""
        result = self.call(point, arrays)
        return np.asarray((result[1] if self.with_value else result)[name])


@dataclass
class Point:
    """Values of the variables (`arrays`), and of the named values that are differentiated too (`inputs`)."""

    arrays: Arrays
    sizes: dict[str, int]
    inputs: Arrays
    value: Array
    rng: np.random.Generator


def without_closed_facts(e: Expr) -> Expr:
    """`e` in variables that have only those facts that hold around a point."""
    table = {}
    for v in variables((e,)):
        facts = [fact for fact in names_of(v.params[3]) if fact in OPEN]
        table[v] = var(v.params[0], *v.shape, facts)
    return substitute(e, table)


def _named_values(output: Expr, names: list[str]) -> dict[str, Expr]:
    """The named values of the output that are called so."""
    found = {e.params[0]: e for e in postorder((output,)) if e.op == "named" and e.params[0] in names}
    missing = [name for name in names if name not in found]
    if missing:
        raise MatcalcError(f"no variable or named value of the output is called {', '.join(missing)}")
    return found


def drawn(task: Task, rng: np.random.Generator, mode: str, margin: float) -> Point | None:
    """A random point; None where the value is not finite, a domain is left, or a kink is nearer than `margin`."""
    inner = [d for sub in postorder((task.output,)) for d in sub.shape]
    arrays, sizes = sample(task.variables, rng, mode=mode, also=inner)
    functions = smooth_functions(task.output)
    conditions = list(domain_conditions(task.output))
    kinks = arguments_of_kinks((task.output,))
    exprs = [*kinks, task.output, *task.named.values(), *(e for _, e in conditions)]
    try:
        values = evaluate_all(exprs, arrays, sizes, functions)
    except np.linalg.LinAlgError:
        return None
    if any(np.abs(v).min(initial=np.inf) < margin for v in values[: len(kinks)]):
        return None
    values = values[len(kinks) :]
    value, inner, tested = values[0], values[1 : 1 + len(task.named)], values[1 + len(task.named) :]
    if not all(np.all(np.isfinite(v)) and np.abs(v).max() < _LARGEST for v in (value, *tested)):
        return None
    if not all(holds(v, fact) for (fact, _), v in zip(conditions, tested)):
        return None
    return Point(arrays, sizes, arrays | dict(zip(task.named, inner)), value, rng)


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
