"""Linear stationarity equations: from the left, from the right, from both sides, and by systems on vec."""

from __future__ import annotations

from dataclasses import replace

from matcalc import core
from matcalc.core import number
from matcalc.dims import same
from matcalc.expr import Expr
from matcalc.optimum.answer import SOLVERS, Candidate, reason, solver
from matcalc.optimum.lines import Line, put_in, reasoned
from matcalc.optimum.maps import solved_map
from matcalc.optimum.one_side import Solved
from matcalc.optimum.proofs import checked
from matcalc.optimum.question import MINIMUM, STATIONARY, Question, split_scalars
from matcalc.properties import known, names_of
from matcalc.walk import substitute

PENROSE = "Penrose, A generalized inverse for matrices (1955), Theorem 2"
VEC = "Magnus & Neudecker, Matrix Differential Calculus (2019), 2.4"


# What makes the entries of a diagonal matrix positive or nonnegative.
FACTS_OF_DIAGONALS = (
    ("positive", "positive-definite"),
    ("nonnegative", "positive-semidefinite"),
    ("nonnegative", "nonnegative"),
)


def is_quadratic(q: Question) -> bool:
    """Whether the function is quadratic in the only unknown, and not affine."""
    if len(q.over) != 1 or q.hessian is None:
        return False
    return q.free_of(q.hessian) and q.hessian.op != "zeros" and q.hessian.number != 0


def candidate_of(q: Question, solved: Solved, *reasons: object, **more: object) -> Candidate:
    """The candidate that the solution of an equation for the only unknown is."""
    members = frozenset([(q.one, "symmetric")]) if solved.symmetric else frozenset()
    lines = reasoned(solved.lines, ("the terms in ", q.one, " on one side")) if solved.lines else ()
    found = Candidate({q.one: solved.value}, reasons, solved.given, remarks=solved.remarks, members=members, **more)  # type: ignore[arg-type]
    return replace(found, lines=lines)


@solver(source="Boyd & Vandenberghe, Convex Optimization (2004), 1.2.1")
def residual_that_can_vanish(q: Question) -> Candidate | None:
    """norm2(L(X) - C)^2 is 0, its least value, where L(X) = C; a square nonsingular linear map L takes every value"""
    found = _squared_residual(q)
    if found is None or q.constraints or len(q.over) != 1 or q.sense not in (MINIMUM, STATIONARY):
        return None
    X = q.one
    if not same(core.count(found), core.count(X)):
        return None
    K = q.jacobian_of(found, X)
    if K is None or not q.free_of(K) or K.op in ("eye", "scale") or not q.is_nonsingular(q.simple(K)):
        return None
    solved = solved_map(q, X, K, q.simple(core.minus(q.at_zero(found, X))))
    if solved.symmetric:
        return None
    why = reason(residual_that_can_vanish, "Boyd & Vandenberghe, Convex Optimization (2004), 1.2.1", q.function)
    first = Line(found, core.zero_of(found), ("the least value of a square is 0",))
    made = candidate_of(q, solved, why, proved=not solved.given, kind=MINIMUM, unique=True, value=number(0))
    return replace(made, lines=(first, *made.lines), whole=True)


def _squared_residual(q: Question) -> Expr | None:
    """The L of c*norm2(L)^2 with c > 0."""
    scalars, e = split_scalars(q.function)
    if e.op != "power" or e.args[1].number != 2 or e.args[0].op != "norm2":
        return None
    return e.args[0].args[0] if q.free_of(scalars) and q.sign(scalars) == 1 else None


@solver(source=VEC)
def diagonal_unknown(q: Question) -> Candidate | None:
    """a function of a diagonal matrix diag(x) is one of the column x"""
    v = q.one
    if len(q.over) != 1 or q.constraints or v.is_scalar or not known(v, "diagonal"):
        return None
    words = [word for word, fact in FACTS_OF_DIAGONALS if known(v, fact)]
    x = core.var(v.name, v.shape[0], 1, words[:1])
    inner = q.with_facts(function=q.simple(substitute(q.function, {v: core.diag(x)})), over=(x,))
    for rule in SOLVERS:
        candidate = None if rule.apply is diagonal_unknown else rule.apply(inner)
        found = None if candidate is None else checked(inner, candidate)
        if found is not None:
            why = reason(diagonal_unknown, VEC, q.function)
            c = found.candidate
            members = frozenset((v, fact) for fact in names_of(v.params[3]))
            return replace(
                c,
                values={v: q.simple(core.diag(c.values[x]))},
                reasons=(why, *c.reasons),
                kind=found.kind,
                unique=found.unique,
                proved=True,
                members=members,
                lines=put_in(c.lines, {x: core.diagvec(v)}) if not c.whole else (),
                whole=False,
            )
    return None


@solver(source=f"{PENROSE}; {VEC}")
def linear_equation(q: Question) -> Candidate | None:
    """a quadratic function is stationary where a linear equation holds: A X = C, X B = C, A X B = C, one on vec(X)"""
    if q.constraints or not is_quadratic(q):
        return None
    assert q.hessian is not None
    solved = solved_map(q, q.one, q.hessian, q.simple(core.minus(q.start)))
    if solved.given and (
        q.strict or q.curvature.status.startswith("str")
    ):  # the Hessian is definite, whatever the data are
        solved = replace(solved, given=())
    why = reason(linear_equation, f"{PENROSE}; {VEC}", q.gradient)
    return candidate_of(q, solved, why, proved=solved.exact)
