"""The orchestration: the rules are tried in order, and what one finds is kept only if it is proved."""

from __future__ import annotations

from matcalc.errors import NoRuleError, ShapeError
from matcalc.expr import record
from matcalc.optimum import constrained, entrywise, inverses, joint, linear, monotone, orthonormal, ratios, simplex
from matcalc.optimum.answer import SOLVERS
from matcalc.optimum.proofs import Checked, checked
from matcalc.optimum.question import STATIONARY, Question
from matcalc.walk import depends

# The files of rules, in the order in which they are tried: each registers its own.
CLASSES = (linear, constrained, entrywise, inverses, simplex, orthonormal, ratios, monotone, joint)
_NAMES = [room.__name__ for room in CLASSES]
SOLVERS.sort(key=lambda rule: _NAMES.index(rule.apply.__module__))


def solve(q: Question) -> tuple[Checked | None, str]:
    """The best that the rules find and prove, and a remark on what they found instead."""
    rough = is_rough(q)
    remark = ""
    for rule in SOLVERS:
        if rough and not rule.kinks:
            continue
        try:
            candidate = rule.apply(q)
            found = None if candidate is None else checked(q, candidate)
        except (NoRuleError, ShapeError):
            continue
        if found is None:
            continue
        if q.sense == STATIONARY or found.kind == q.sense:
            return found, ""
        if found.kind == STATIONARY:
            return found, ""
        remark = f"the stationary point is a {found.kind}, and there is no {q.sense} beside it"
    return None, remark


def is_rough(q: Question) -> bool:
    """Whether the function or a constraint has kinks in the unknowns."""
    parts = [q.function, *(c.residual for c in q.constraints)]
    moving = depends(parts, q.over)
    squared = {e.args[0] for e in moving if e.op == "power" and e.args[1].number == 2}
    return any(record(e.op).kinks and e.op != "sqrt" and not (e.op == "norm2" and e in squared) for e in moving)
