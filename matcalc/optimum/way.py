"""The whole way from the gradient to the answer: what is zero, the lines of the rule, the values."""

from __future__ import annotations

from matcalc import core
from matcalc.expr import Expr
from matcalc.optimum.answer import Candidate
from matcalc.optimum.lines import Line, Said, without_repeats
from matcalc.optimum.proofs import lagrangian
from matcalc.optimum.question import MAXIMUM, MINIMUM, Question, is_symmetric
from matcalc.optimum.shown import flat


def gradients_of(q: Question) -> list[Expr]:
    """What is zero at the optimum: the gradients of the function or its Lagrangian by the unknowns."""
    whole, _ = lagrangian(q)
    asked = q.with_facts(function=whole, constraints=())
    plain = [asked.problem.gradient(v.name) for v in q.over]
    return [asked.gradients[v] if is_symmetric(v) else G for v, G in zip(q.over, plain)]


def equations_of(q: Question) -> tuple[str, ...]:
    """The stationarity equations, and the constraints, as texts."""
    return (*(f"{flat(g)} = 0" for g in gradients_of(q)), *(c.text for c in q.constraints))


def stationary_lines(q: Question, of: Said = ()) -> tuple[Line, ...]:
    """That the gradients are zero, and the constraints; `of` says of what they are the gradients."""
    whole, _ = lagrangian(q)
    if q.constraints and not of:
        of = (" of the Lagrangian ", whole)
    zeros = [
        Line(G, core.zero_of(G), ("the gradient by ", v, *of, " is zero")) for G, v in zip(gradients_of(q), q.over)
    ]
    return (*zeros, *(Line(c.left, c.right, ("the constraint",)) for c in q.constraints))


def way_of(q: Question, c: Candidate, values: dict[Expr, Expr]) -> tuple[Line, ...]:
    """The lines from the gradient to the values of the unknowns."""
    lines = [*(() if c.whole else stationary_lines(q)), *c.lines]
    for v in q.over:
        found = [line for line in lines if line.left is v]
        if found and found[-1].right is values[v]:
            continue
        why: Said = (
            ("with what was found put in",) if found else (f"by the rule {c.reasons[0].rule.replace('_', ' ')}",)
        )
        lines.append(Line(v, values[v], why))
    return without_repeats(lines)


def second_of(q: Question, kind: str) -> tuple[Expr, str] | None:
    """The Hessian by the only unknown, where it is constant, and what its sign says of the point."""
    v = q.one
    free = len(q.over) == 1 and not q.constraints and not (is_symmetric(v) and not v.is_scalar)
    if kind not in (MINIMUM, MAXIMUM) or not free or q.hessian is None or not q.free_of(q.hessian):
        return None
    H = q.simple(q.hessian)
    sign, turned = ("positive", H) if kind == MINIMUM else ("negative", q.simple(core.minus(H)))
    bent = "convex" if kind == MINIMUM else "concave"
    if q.is_positive_definite(turned):
        kinds = sign if v.is_scalar else f"{sign} definite"
        return H, f"{kinds}: the function is strictly {bent}, and the point its only {kind}"
    if q.is_positive_semidefinite(turned):
        kinds = f"not {'negative' if kind == MINIMUM else 'positive'}" if v.is_scalar else f"{sign} semidefinite"
        return H, f"{kinds}: the function is {bent}, and every such point a {kind}"
    return None
