"""Quotients that do not change with the length of x: Rayleigh quotients, discriminants, Sharpe ratios."""

from __future__ import annotations

from dataclasses import dataclass, replace

from matcalc import core
from matcalc.core import matmul, number
from matcalc.expr import Expr
from matcalc.optimum.answer import Candidate, reason, solver
from matcalc.optimum.lines import Line
from matcalc.optimum.orthonormal import is_zero_at_zero, orthonormal_columns
from matcalc.optimum.question import MAXIMUM, MINIMUM, Constraint, Question, is_column
from matcalc.properties import names_of

RAYLEIGH = "Horn & Johnson, Matrix Analysis (2013), 4.2"


@dataclass(frozen=True)
class Factor:
    """A power of a value."""

    base: Expr
    exponent: object


@solver(source=RAYLEIGH)
def homogeneous_quotient(q: Question) -> Candidate | None:
    """f(t x) = f(x) for t > 0: f = N/(x'P x)^k is optimised by N on the set x'P x = 1"""
    if q.constraints or len(q.over) != 1 or not is_column(q.one) or q.sense not in (MINIMUM, MAXIMUM):
        return None
    v = q.one
    if [w for w in names_of(v.params[3]) if w != "nonzero"]:
        return None
    below, above = _sides(q)
    if len(below) != 1 or not above:
        return None
    form = below[0].base
    power = -core.exact(below[0].exponent)
    inner = q.with_facts(function=form)
    if inner.hessian is None or not inner.free_of(inner.hessian) or not is_zero_at_zero(inner):
        return None
    if not q.is_positive_definite(q.simple(inner.hessian)):
        return None
    N = core.scale(*(core.power(f.base, number(f.exponent)) if f.exponent != 1 else f.base for f in above))
    top = q.with_facts(function=q.simple(N))
    if _degree(top) != 2 * power:
        return None
    sphere = Constraint(f"{form} = 1", form, number(1))
    found = orthonormal_columns(top.with_facts(constraints=(sphere,)))
    if found is None:
        return None
    why = reason(homogeneous_quotient, RAYLEIGH, q.function)
    members = frozenset([(v, "nonzero")])
    return replace(
        found,
        reasons=(why, *found.reasons),
        unique=False,
        members=members,
        remarks=("its length is free",),
        lines=(Line(form, number(1), ("the value does not change with the length of ", v, ", which is chosen so")),),
        whole=False,
    )


def _sides(q: Question) -> tuple[list[Factor], list[Factor]]:
    """What the function divides by, as quadratic forms, and its other factors."""
    below: list[Factor] = []
    above: list[Factor] = []
    e = q.function
    factors = list(e.args) if e.op in ("scale", "hadamard") else [e]
    if e.op == "divide":
        factors = [e.args[0], core.power(e.args[1], -1)]
    flat: list[Expr] = []
    for f in factors:
        flat += list(f.args) if f.op == "scale" else [f]
    for f in flat:
        base, exponent = (f.args[0], f.args[1].number) if f.op == "power" else (f, core.exact(1))
        if base.op == "sqrt" and exponent is not None:
            base, exponent = base.args[0], exponent / 2
        if exponent is not None and exponent.is_negative and not q.free_of(base):
            if base.op == "norm2":
                x = base.args[0]
                base, exponent = matmul(x.T, x), exponent / 2
            below.append(Factor(base, exponent))
        else:
            above.append(Factor(base, exponent if exponent is not None else core.exact(1)))
    return below, above


def _degree(q: Question) -> object:
    """1 for a linear, 2 for a quadratic form, None for anything else."""
    if q.hessian is None or not q.free_of(q.hessian):
        return None
    if q.hessian.op == "zeros":
        at = q.simple(q.at_zero(q.function, q.one))
        return 1 if at.number == 0 else None
    return 2 if is_zero_at_zero(q) else None
