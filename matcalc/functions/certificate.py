"""The numeric certificate of a derivation: which generated function is compared with what."""

from __future__ import annotations

from typing import Any

from matcalc.calculus.problem import Problem
from matcalc.errors import NoRuleError, need_one_of
from matcalc.functions.request import function
from matcalc.numeric.check import Report, check_gradient, check_jacobian

CHECKED = ("gradient", "jacobian", "hessian")


def checked(d: Problem, kind: str | None = None, trials: int = 5, seed: int = 0) -> Report:
    """The report on the generated gradients, Jacobians or Hessians (by one variable twice) of a derivation."""
    if kind is None:
        kind = "gradient" if d.output.is_scalar else "jacobian"
    need_one_of("kind", kind, CHECKED)
    source, variables = d.source.output, list(d.graph.declared.values())
    options: dict[str, Any] = {
        "wrt": d.names,
        "trials": trials,
        "seed": seed,
        "structure": d.structure,
        "convention": d.convention,
    }
    if kind != "jacobian":
        d.need_scalar(kind if kind == "gradient" else "Hessian")
        report = check_gradient(source, variables, function(d, "value_and_grad"), **options)
        if kind == "gradient" or not report:
            return report
        inner = [name for name in d.names if name not in d.graph.declared]
        if inner:
            raise NoRuleError(f"{', '.join(inner)} is a named value: Hessians are checked by variables")
    bases = {str(e.params[0]): D for e in d.wrt if (D := d.basis(e)) is not None}
    gradient = function(d, "gradient") if kind == "hessian" else None
    return check_jacobian(source, variables, function(d, kind), gradient=gradient, bases=bases, **options)
