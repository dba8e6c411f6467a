"""The numeric certificate of a derivation: which generated function is compared with what."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from matcalc.calculus.jacobian import hessian_by
from matcalc.calculus.problem import Problem
from matcalc.errors import MatcalcError, MissingDependencyError, NoRuleError
from matcalc.functions.request import function
from matcalc.kinds import HESSIAN, JACOBIAN, SHOWN, VALUE_AND_GRAD, default, kind_of
from matcalc.numeric.binding import Array
from matcalc.numeric.check import check_gradient, check_hessian, check_jacobian
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.points import smooth_functions
from matcalc.numeric.report import Report
from matcalc.numeric.sums import with_sums
from matcalc.targets.registry import target_of


def checked(
    d: Problem, kind: str | None = None, trials: int = 5, seed: int = 0, by: Any = None, target: str = "numpy"
) -> Report:
    """The report on the generated gradients, Jacobians or Hessians of a derivation.

    Args:
        kind: by default `gradient` for a scalar function and `jacobian` for others.
        by: for mixed Hessians the second variable.
        target: whose generated functions are checked.
    """
    report = replace(_report(d, kind, trials, seed, by, target), notice=d.notice)
    return with_sums(report, d.liftings, d.graph.declared.values(), seed)


def _report(d: Problem, given: str | None, trials: int, seed: int, by: Any, target: str) -> Report:
    kind = default(scalar=d.output.is_scalar, among=SHOWN) if given is None else kind_of(given, SHOWN)
    if by is not None and not kind.second:
        raise MatcalcError(f"by= is for a mixed Hessian; the kind is {kind}")
    if by is not None and target != "numpy":
        raise MatcalcError(f"no code is generated for mixed Hessians, so that there is none to check for {target}")
    source, variables = d.source.output, list(d.graph.declared.values())
    options: dict[str, Any] = {"wrt": d.names, "trials": trials, "seed": seed, "structure": d.structure}
    if kind.scalar:
        d.need_scalar(kind.title)
        gradient = in_numpy(d, VALUE_AND_GRAD.name, target)
        report = check_gradient(source, variables, gradient, convention=d.convention, **options)
        if not kind.second or not report:
            return report
    second = None if by is None else d.find(by)
    moving = d.wrt if second is None else [*d.wrt, second]
    if kind.second and (inner := [e.name for e in moving if e.op != "variable"]):
        raise NoRuleError(f"{', '.join(inner)} is a named value: Hessians are checked by variables")
    options["bases"] = {e.name: D for e in moving if (D := d.basis(e)) is not None}
    if not kind.second:
        return check_jacobian(source, variables, in_numpy(d, JACOBIAN.name, target), **options)
    if second is None:
        return check_hessian(source, variables, in_numpy(d, HESSIAN.name, target), **options)
    name = second.name
    return check_hessian(source, variables, _mixed(d, name), by=name, **options)


def in_numpy(d: Problem, kind: str, target: str) -> Callable[..., Any]:
    """A function of a target that takes arrays of NumPy and `dims`, and gives arrays of NumPy."""
    made, called = function(d, kind, target), target_of(target).call
    if called is None:
        return made
    takes_sizes = "dims" in inspect.signature(made).parameters
    numbers = [name for name, v in d.graph.declared.items() if v.is_scalar]

    def call(*, dims: Mapping[str, int], **arrays: Any) -> Any:
        plain = {name: float(np.asarray(arrays[name]).item()) for name in numbers}
        found = called(made, {**arrays, **plain, **({"dims": dims} if takes_sizes else {})})
        value, parts = found if isinstance(found, tuple) else (None, found)
        matrices = {name: np.reshape(part, np.shape(part) or (1, 1)) for name, part in parts.items()}
        return matrices if value is None else (value, matrices)

    return call


def certified(d: Problem, trials: int) -> Report:
    """As `checked`, for a note: where a package is missing the report says which instead of a result."""
    try:
        return checked(d, trials=trials)
    except MissingDependencyError as error:
        return Report(False, 0.0, {}, 0, 0, (), str(error))


def _mixed(d: Problem, by: str) -> Callable[..., dict[str, Array]]:
    """The Hessians by each variable and another one, as they are printed: no code is generated for them."""
    values = {name: hessian_by(d, name, by).value for name in d.names}

    def mixed(*, dims: Mapping[str, int], **arrays: Array) -> dict[str, Array]:
        return {name: evaluate(e, arrays, dims, smooth_functions(e)) for name, e in values.items()}

    return mixed
