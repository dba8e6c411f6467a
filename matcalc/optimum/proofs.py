"""What is checked of a candidate: its domain, that it is stationary and feasible, and whether it is the optimum."""

from __future__ import annotations

from dataclasses import dataclass, replace

from matcalc import core
from matcalc.claims.equality import prove
from matcalc.curvature.spectrum import Reason
from matcalc.dims import is_one
from matcalc.expr import Expr, postorder
from matcalc.optimum.answer import Candidate
from matcalc.optimum.drawing import is_satisfiable
from matcalc.optimum.question import MAXIMUM, MINIMUM, STATIONARY, Question, opened, split_scalars
from matcalc.properties import known, names_of
from matcalc.rewrite.normal import is_zero
from matcalc.walk import substitute

FIRST_ORDER = "Boyd & Vandenberghe, Convex Optimization (2004), 3.1.3 and 5.5.3"
OPEN_DOMAINS = ("nonsingular", "nonzero")


@dataclass(frozen=True)
class Checked:
    """A candidate with what was proved of it."""

    candidate: Candidate
    kind: str
    unique: bool | None


def checked(q: Question, found: Candidate) -> Checked | None:
    """The candidate with the strongest that is proved of it; None where it is not proved to be stationary."""
    inside = with_domain(q, found)
    if inside is None:
        return None
    if any(is_impossible(q, fact, e) for fact, e in inside.given):
        return None
    if not is_satisfiable(q, [*((e, f"is {fact}") for fact, e in inside.given), *inside.needs]):
        return None
    known_q = q.with_facts(given=(*q.given, *inside.given))
    if not inside.proved and not is_stationary(known_q, inside) and not inside.lemma:
        return None
    if inside.kind:
        return Checked(inside, inside.kind, inside.unique)
    return _by_curvature(known_q, inside)


# ------------------------------------------------------------------------------------------------ domain


def with_domain(q: Question, found: Candidate) -> Candidate | None:
    """The candidate with the conditions under which it lies in the unknowns' domains; None where that is not shown."""
    given = list(found.given)
    for v, value in found.values.items():
        for fact in names_of(v.params[3]):
            if known(value, fact) or (v, fact) in found.members:
                continue
            if fact in ("symmetric", "nonzero", "positive") and v.is_scalar and fact == "symmetric":
                continue
            need = _membership(q, v, value, fact)
            if need is None:
                return None
            given += need
    return replace(found, given=tuple(dict.fromkeys(given)))


def _membership(q: Question, v: Expr, value: Expr, fact: str) -> list[tuple[str, Expr]] | None:
    """What must hold so that the value has the fact; None where that cannot be said."""
    if fact == "positive":
        if q.sign(value) == 1:
            return []
        return [("positive", value)] if q.is_nonnegative(value) else None
    if fact == "nonnegative":
        return [] if q.is_nonnegative(value) else None
    if fact == "positive-definite":
        if q.is_positive_definite(value):
            return []
        s, body = split_scalars(value)
        plain = body if q.sign(s) == 1 else value
        return [("positive-definite", plain)] if q.is_positive_semidefinite(value) else None
    if fact == "positive-semidefinite":
        return [] if q.is_positive_semidefinite(value) else None
    if fact in OPEN_DOMAINS:
        return [] if q.is_nonzero(value) or known(value, fact) else [(fact, value)]
    return None


def is_impossible(q: Question, fact: str, e: Expr) -> bool:
    """Whether a condition is known not to hold."""
    if e.op == "zeros" or e.number == 0:
        return fact in ("positive", "nonzero", "nonsingular", "positive-definite")
    return fact in ("positive", "positive-definite") and q.sign(e) == -1


# ------------------------------------------------------------------------------------------------ stationarity


def lagrangian(q: Question) -> tuple[Expr, dict[str, Expr]]:
    """The function plus the multipliers times the constraints, and the multipliers as variables."""
    taken = {v.name for v in q.problem.graph.declared.values()}
    multipliers: dict[str, Expr] = {}
    total = [q.function]
    for k, c in enumerate(q.constraints):
        name = next(n for n in (f"L{k + 1}", f"multiplier{k + 1}", f"the_multiplier{k + 1}") if n not in taken)
        L = core.var(name, *c.left.shape)
        multipliers[c.text] = L
        plain = is_one(c.left.shape[1])
        inner = core.product(L.T, c.residual) if plain else core.trace(core.matmul(L.T, c.residual))
        total.append(inner)
    return core.add(*total), multipliers


def equations(q: Question) -> list[tuple[str, Expr]]:
    """The stationarity equations, as `(what is zero, text)`, with multipliers named."""
    whole, _ = lagrangian(q)
    asked = q.with_facts(function=whole, constraints=())
    return [(f"{asked.gradients[v]} = 0", v) for v in q.over] + [(c.text, c.left) for c in q.constraints]


def is_stationary(q: Question, found: Candidate) -> bool:
    """Whether the gradient (of the Lagrangian) is proved zero at the candidate, and the constraints are satisfied."""
    whole, multipliers = lagrangian(q)
    if set(multipliers) - set(found.multipliers):
        return False
    values = {**found.values, **{multipliers[text]: L for text, L in found.multipliers.items()}}
    asked = q.with_facts(function=whole, constraints=())
    wanted = [asked.gradients[v] for v in q.over] + [c.residual for c in q.constraints]
    return all(is_proved_zero(q, substitute(opened(e), values)) for e in wanted)


def is_proved_zero(q: Question, e: Expr) -> bool:
    """Whether the prover shows that an expression is zero."""
    zero = core.zero_of(e)
    if is_zero(q.simple(e)):
        return True
    table = _sums_named(q, e)
    if table:
        given = [(fact, substitute(x, table)) for fact, x in q.given]
        if prove(substitute(e, table), zero, given) is not None:
            return True
    return prove(e, zero, [*q.given]) is not None


def _sums_named(q: Question, e: Expr) -> dict[Expr, Expr]:
    """Innermost sums of matrices as variables, where one occurs with both signs: what holds of every matrix holds."""
    inner: dict[Expr, bool] = {}
    for sub in postorder((e,)):
        below = any(inner.get(a, False) or a.op == "add" for a in sub.args)
        inner[sub] = below
    sums = [s for s, below in inner.items() if s.op == "add" and not below and not s.is_scalar]
    found: dict[Expr, Expr] = {}
    table: dict[Expr, Expr] = {}
    twice = False
    for k, s in enumerate(sums):
        plain, turned = q.rewriter.normal(s), q.rewriter.normal(core.minus(s))
        if turned in found:
            table[s], twice = core.minus(found[turned]), True
        elif plain in found:
            table[s] = found[plain]
        else:
            found[plain] = table[s] = core.var(f"the_sum_{k}", *s.shape)
    return table if twice else {}


# ------------------------------------------------------------------------------------------------ curvature


def _by_curvature(q: Question, found: Candidate) -> Checked:
    c = q.curvature
    if c.status == "affine":
        return Checked(found, STATIONARY, None)
    kind = MINIMUM if "convex" in c.status else MAXIMUM if "concave" in c.status else ""
    if kind and _is_affine(q):
        strict = c.status.startswith("str")
        unique = True if strict else _by_hessian(q)
        word = "convex" if kind == MINIMUM else "concave"
        why = Reason(
            "first_order_condition",
            f"a stationary point of a {c.status} function (under linear equations) is its {kind}"
            + (", the only one where it is strictly so" if strict else ""),
            FIRST_ORDER,
            q.function,
        )
        assert word in c.status
        return Checked(replace(found, reasons=(*found.reasons, *c.reasons, why)), kind, unique)
    turned = by_inverse(q, found)
    return turned if turned is not None else Checked(found, STATIONARY, None)


def _is_affine(q: Question) -> bool:
    """Whether all constraints are affine in the unknowns."""
    found = [q.jacobian_of(c.residual, v) for c in q.constraints for v in q.over]
    return all(J is not None and q.free_of(q.simple(J)) for J in found)


def _by_hessian(q: Question) -> bool | None:
    """Whether the constant Hessian is nonsingular (under what is given)."""
    if len(q.over) != 1 or q.hessian is None or not q.free_of(q.hessian):
        return None
    return True if q.is_nonsingular(q.simple(q.hessian)) else None


def by_inverse(q: Question, found: Candidate) -> Checked | None:
    """The same in terms of the inverse: J -> inv(J) maps the positive (definite) ones onto themselves, smoothly."""
    if len(q.over) != 1 or q.constraints:
        return None
    v = q.one
    if known(v, "positive-definite") and not v.is_scalar:
        J: Expr = core.var(v.name, *v.shape, ["positive-definite"])
        other = core.inverse(J)
    elif known(v, "positive"):
        J = core.var(v.name, *v.shape, ["positive"])
        other = core.power(J, -1)
    else:
        return None
    turned = q.with_facts(function=q.simple(substitute(q.function, {v: other})), over=(J,))
    c = turned.curvature
    kind = MINIMUM if "convex" in c.status else MAXIMUM if "concave" in c.status else ""
    if not kind:
        return None
    why = Reason(
        "curvature_in_the_inverse",
        f"as a function of the inverse of {v.name} it is {c.status}, so that its stationary point is its {kind}",
        FIRST_ORDER,
        turned.function,
    )
    return Checked(
        replace(found, reasons=(*found.reasons, *c.reasons, why)), kind, True if c.status.startswith("str") else None
    )
