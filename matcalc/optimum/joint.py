"""Several unknowns: one is solved for in terms of the others, and the function of those that are left is optimised."""

from __future__ import annotations

from matcalc.expr import Expr
from matcalc.optimum.answer import SOLVERS, Candidate, reason, solver
from matcalc.optimum.lines import Line
from matcalc.optimum.proofs import Checked, checked
from matcalc.optimum.question import MAXIMUM, MINIMUM, SADDLE, STATIONARY, Question
from matcalc.optimum.way import way_of
from matcalc.walk import substitute

BOYD = "Boyd & Vandenberghe, Convex Optimization (2004), 4.1.3 (optimizing over some variables)"


@solver(source=BOYD)
def elimination(q: Question) -> Candidate | None:
    """the least of f(x, y) is the least over y of the least over x: x is solved for in terms of y, then y"""
    if len(q.over) < 2:
        return None
    best: Candidate | None = None
    for u in sorted(q.over, key=lambda v: _difficulty(q, v)):
        found = _eliminated(q, u)
        if found is None:
            continue
        if found.kind and found.kind != STATIONARY:
            return found
        best = best or found
    return best


def _difficulty(q: Question, u: Expr) -> tuple[int, bool]:
    """Which unknown is eliminated first: one whose own Hessian is constant and nonsingular, then scalars."""
    own = q.with_facts(over=(u,), constraints=())
    H = own.hessian
    if H is None or not own.free_of(H, q.over):
        return 2, not u.is_scalar
    return 0 if own.is_nonsingular(own.simple(H)) else 1, not u.is_scalar


def _eliminated(q: Question, u: Expr) -> Candidate | None:
    others = tuple(v for v in q.over if v is not u)
    mine = tuple(c for c in q.constraints if not q.free_of(c.residual, (u,)))
    if any(not q.free_of(c.residual, others) for c in mine):
        return None
    first = best_of(q.with_facts(over=(u,), constraints=mine))
    if first is None:
        return None
    value = first.candidate.values[u]
    rest = tuple(c for c in q.constraints if c not in mine)
    reduced = q.simple(substitute(q.function, {u: value}))
    given = tuple(pair for pair in first.candidate.given if q.free_of(pair[1], others))
    if len(given) != len(first.candidate.given):
        return None
    strict = q.strict or (not q.constraints and q.curvature.status.startswith("str"))
    left = q.with_facts(function=reduced, over=others, constraints=rest, given=(*q.given, *given), strict=strict)
    second = best_of(left)
    if second is None:
        return None
    values = dict(second.candidate.values)
    values[u] = q.simple(substitute(value, values))
    why = reason(elimination, BOYD, q.function)
    kind, unique = _together(first, second)
    way = () if q.constraints else _way(q, u, first.candidate, left, second.candidate)
    return Candidate(
        {v: values[v] for v in q.over},
        (why, *first.candidate.reasons, *second.candidate.reasons),
        (*given, *second.candidate.given),
        {**first.candidate.multipliers, **second.candidate.multipliers},
        (*first.candidate.needs, *second.candidate.needs),
        (*first.candidate.remarks, *second.candidate.remarks),
        proved=True,
        kind=kind,
        unique=unique,
        members=frozenset((u, fact) for v, fact in first.candidate.members if v is u) | second.candidate.members,
        lines=way,
        whole=bool(way),
    )


def _way(q: Question, u: Expr, first: Candidate, left: Question, second: Candidate) -> tuple[Line, ...]:
    """The lines for the unknown that is eliminated, the function that is left, the lines for the others."""
    put = Line(q.function, left.function, ("the function, with this ", u, " put in"))
    return (*way_of(q.with_facts(over=(u,)), first, first.values), put, *way_of(left, second, second.values))


def best_of(q: Question) -> Checked | None:
    """What the rules find for a part of the unknowns."""
    for rule in SOLVERS:
        candidate = rule.apply(q)
        found = None if candidate is None else checked(q, candidate)
        if found is not None:
            return found
    return None


def _together(first: Checked, second: Checked) -> tuple[str, bool | None]:
    """The kind of the point in all unknowns, by the kinds in the eliminated and in the remaining ones."""
    unique = True if first.unique and second.unique else None
    if first.kind == second.kind and first.kind in (MINIMUM, MAXIMUM):
        return first.kind, False if False in (first.unique, second.unique) else unique
    if {first.kind, second.kind} == {MINIMUM, MAXIMUM} and unique:
        return SADDLE, True
    return STATIONARY, unique
