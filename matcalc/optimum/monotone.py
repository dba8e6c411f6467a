"""An increasing or decreasing function of another function has its optimum where that one has."""

from __future__ import annotations

from dataclasses import replace

from matcalc import core
from matcalc.expr import Expr, record
from matcalc.optimum.answer import SOLVERS, Candidate, reason, solver
from matcalc.optimum.entrywise import moving_term
from matcalc.optimum.lines import Line
from matcalc.optimum.proofs import checked
from matcalc.optimum.question import MAXIMUM, MINIMUM, STATIONARY, Question
from matcalc.optimum.way import stationary_lines

BOYD = "Boyd & Vandenberghe, Convex Optimization (2004), 4.1.3"
TURNED = {MINIMUM: MAXIMUM, MAXIMUM: MINIMUM, STATIONARY: STATIONARY}


@solver(source=BOYD, kinks=True)
def monotone_function(q: Question) -> Candidate | None:
    """g(f(x)) with g strictly increasing is least where f is least; with g strictly decreasing, where f is greatest"""
    found = inner_function(q)
    if found is None:
        return None
    function, direction = found
    sense = q.sense if direction > 0 else TURNED[q.sense]
    inner = q.with_facts(function=function, sense=sense)
    for rule in SOLVERS:
        candidate = rule.apply(inner)
        made = None if candidate is None else checked(inner, candidate)
        if made is None or made.kind not in (MINIMUM, MAXIMUM) or (sense != STATIONARY and made.kind != sense):
            continue
        kind = made.kind if direction > 0 else TURNED[made.kind]
        why = reason(monotone_function, BOYD, q.function)
        return replace(
            made.candidate,
            reasons=(why, *made.candidate.reasons),
            kind=kind,
            unique=made.unique,
            proved=True,
            value=None,
            multipliers={},  # those of the function inside are others
            lines=_way(q, inner, made.candidate),
            whole=not q.constraints,
        )
    return None


def _way(q: Question, inner: Question, c: Candidate) -> tuple[Line, ...]:
    """The lines for the function inside."""
    if q.constraints:
        return ()
    if c.whole:
        return c.lines
    return (*stationary_lines(inner, (" of ", inner.function)), *c.lines)


def inner_function(q: Question) -> tuple[Expr, int] | None:
    """The f of g(f(x)), and 1 for an increasing and -1 for a decreasing g; None where f is the function itself."""
    e, direction, opened_any = q.function, 1, False
    for _ in range(20):
        step = _inside(q, e)
        if step is None:
            break
        e, sign, opens = step
        direction *= sign
        opened_any = opened_any or opens
    return (e, direction) if opened_any else None


def _inside(q: Question, e: Expr) -> tuple[Expr, int, bool] | None:
    """The argument of the outermost function, its direction, and whether it is more than a sum or multiple."""
    if e.op == "add":
        term, _ = moving_term(q, e)
        return None if term is None else (term, 1, False)
    if e.op == "scale":
        moving = [a for a in e.args if not q.free_of(a)]
        fixed = [a for a in e.args if q.free_of(a)]
        sign = q.sign(core.scale(*fixed)) if fixed and len(moving) == 1 else 0
        return None if sign == 0 else (moving[0], sign, False)
    if e.op == "norm2":
        return core.power(e, 2), 1, True
    if e.op == "power" and e.args[1].number is not None and not e.args[0].is_scalar:
        return None
    if e.op == "power" and e.args[1].number is not None:
        return _power(q, e)
    entry = record(e.op)
    if e.op in ("log", "exp", "sqrt") or (entry.scalar_function is not None and entry.monotone and _is_strict(e.op)):
        return e.args[0], 1 if e.op in ("log", "exp", "sqrt") else entry.monotone, True
    return None


def _is_strict(op: str) -> bool:
    """Whether a monotone entrywise function never stays constant."""
    return op in ("tanh", "sigmoid", "arctan", "sinh", "arcsinh", "softplus", "log1p", "expm1", "erf", "logsigmoid")


def _power(q: Question, e: Expr) -> tuple[Expr, int, bool] | None:
    base, exponent = e.args
    k = exponent.number
    if base.op == "norm2" and k == 2:
        return None
    if not k.is_number or k == 1 or k == 0 or not q.is_nonnegative(base):
        return None
    return base, 1 if k.is_positive else -1, True
