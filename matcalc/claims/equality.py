"""Proof of equality: both sides are brought to one normal form by named rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from matcalc.claims.assumptions import requirements_of
from matcalc.claims.prover import Prover, Stages, Work, WorkLimitError
from matcalc.core import add, diag, minus, transpose, var
from matcalc.errors import NoRuleError, ShapeError
from matcalc.expr import Expr, postorder
from matcalc.naming import Names
from matcalc.ops.elementwise import exp, log, log1p, softplus
from matcalc.ops.normalization import logsumexp
from matcalc.properties import known
from matcalc.rewrite.context import Context, with_consequences
from matcalc.rewrite.normal import is_zero
from matcalc.rewrite.rule import RULES
from matcalc.rewrite.terms import factors_of, number_and_term
from matcalc.rules.entry_functions import EQUAL_ENTRIES
from matcalc.rules.logarithms import MERGED, log_of_exponential
from matcalc.rules.scales import BY_EXPONENTIALS
from matcalc.rules.tidying import ADD_ZERO, BY_DIAGONAL, EXPAND_NAME, REORDER, tidy_name
from matcalc.rules.woodbury import DOWN, UP, WITH_INVERSE
from matcalc.steps import Step
from matcalc.walk import opened, substitute, variables

# What brings all to one form only at a price is tried last: fractions over one denominator, softmax by exponentials.
LOGISTIC = "reciprocal_of_one_plus_exponential"
SLOW = frozenset(
    (
        "common_denominator",
        "softmax_by_exponentials",
        "exponential_of_sum",
        "exponential_of_total",
        "tanh_by_sigmoid",
        "sinh_by_exponentials",
        "cosh_by_exponentials",
        "squared_tanh",
        LOGISTIC,
    )
)
LOGARITHMS = frozenset(record.name for record in (log, log1p, softplus, logsumexp))
LOW_RANK = DOWN | UP | WITH_INVERSE  # one direction at a time
RESOLVENT = frozenset(("product_with_inverse_of_sum",))  # instead of those that look for one inverse
LAST = EQUAL_ENTRIES | RESOLVENT | MERGED | BY_EXPONENTIALS
# Rules that gather what the expansion spreads.
GATHERING = frozenset(("sum_of_diagonals", "sum_of_vecs"))
RECOGNISING = frozenset(
    (
        "exponentials_over_their_sum",
        "exponentials_over_their_total",
        "exponential_times_sigmoid",
        "scalar_exponential_times_sigmoid",
    )
)


@dataclass(frozen=True)
class Proof:
    """That two expressions are equal wherever both are defined.

    Attributes:
        left: one side.
        right: the other.
        opened: both sides with the names opened that the proof looks into.
        prover: what brought them to one form; it knows every move.
    """

    left: Expr
    right: Expr
    opened: tuple[Expr, Expr]
    prover: Prover | Stages
    by_difference: bool = False

    @cached_property
    def steps(self) -> list[Step]:
        """The chain from the left side to the right one: whole expressions, one named move each."""
        return self._through_zero() if self.by_difference else self._through_one_form()

    def _through_zero(self) -> list[Step]:
        """left = (left - right) + right, and the difference is brought to 0."""
        left, right = self.opened
        first, last = (_openings(side, opened) for side, opened in zip((self.left, self.right), self.opened))
        gap = difference_of(left, right)
        zero, gather = RULES[ADD_ZERO], RULES[tidy_name("add")]
        steps = [*first, Step(zero.name, left, add(gap, right), zero.identity, zero.source)]
        for s in self.prover.chain(gap):
            steps.append(Step(s.rule, add(s.before, right), add(s.after, right), s.identity, s.source, s.facts))
        steps.append(Step(gather.name, steps[-1].after, right, gather.identity, gather.source))
        return [*steps, *_reversed(last)]

    def _through_one_form(self) -> list[Step]:
        """Both sides to their common form, the second way backwards."""
        first, second = (
            [*_openings(side, opened), *self.prover.chain(opened)]
            for side, opened in zip((self.left, self.right), self.opened)
        )
        middle = first[-1].after if first else self.left
        other = second[-1].after if second else self.right
        steps = list(first)
        if middle is not other:
            rule = RULES[REORDER]
            steps.append(Step(rule.name, middle, other, rule.identity, rule.source))
        return [*steps, *_reversed(second)]


def _reversed(steps: list[Step]) -> list[Step]:
    """The chain from its end to its beginning."""
    return [Step(s.rule, s.after, s.before, s.identity, s.source, s.facts) for s in reversed(steps)]


@dataclass(frozen=True)
class ProofByExponentials(Proof):
    """That two expressions are equal because their exponentials are, entry by entry; `prover` is about those."""

    @cached_property
    def steps(self) -> list[Step]:
        """left = log(exp(left)), the proof inside of the logarithm, log(exp(right)) = right."""
        rule = log_of_exponential
        first, last = (Step(rule.name, log(exp(e)), e, rule.identity, rule.source) for e in (self.left, self.right))
        inner = Proof(exp(self.left), exp(self.right), self.opened, self.prover, self.by_difference)
        inside = [Step(s.rule, log(s.before), log(s.after), s.identity, s.source, s.facts) for s in inner.steps]
        return [*_reversed([first]), *inside, last]


def difference_of(left: Expr, right: Expr) -> Expr:
    """left - right."""
    return add(left, minus(right))


def prove(left: Expr, right: Expr, assumptions: Iterable[tuple[str, Expr]] = ()) -> Proof | None:
    """A proof that the two sides are equal, or None where none was found; bounded work.

    Args:
        left: one side.
        right: the other, of the same shape.
        assumptions: `(fact, expression)` pairs that hold where the claim is made.
    """
    given = list(assumptions)
    proof = _proved(left, right, given) or _by_exponentials(left, right, given)
    table = diagonals((left, right)) if proof is None else {}
    if not table:
        return proof
    one, other, *about = (substitute(e, table) for e in (left, right, *(e for _, e in given)))
    found = _proved(one, other, [(fact, e) for (fact, _), e in zip(given, about)])
    return None if found is None else replace(found, left=left, right=right)


def diagonals(sides: Iterable[Expr]) -> dict[Expr, Expr]:
    """diag(d) for each diagonal variable D, with the facts about d that those about D give."""
    found = variables(sides)
    names = Names(v.name for v in found)
    table: dict[Expr, Expr] = {}
    for D in (v for v in found if known(v, "diagonal") and not v.is_scalar):
        facts = [entry for whole, entry in _ON_DIAGONAL.items() if known(D, whole)]
        table[D] = diag(var(names.fresh(D.name.lower()), D.shape[0], 1, facts))
    return table


def _by_exponentials(left: Expr, right: Expr, given: list[tuple[str, Expr]]) -> ProofByExponentials | None:
    """A proof that both sides have one exponential, where a logarithm is a term of them."""
    terms = (t for side in (left, right) for t in factors_of(without_names(side), "add"))
    if not any(_bare(t) in LOGARITHMS for t in terms):
        return None
    inner = _proved(exp(left), exp(right), given)
    if inner is None:
        return None
    return ProofByExponentials(left, right, inner.opened, inner.prover, inner.by_difference)


def _bare(term: Expr) -> str:
    """The operation of a term without its number and the shape that it is repeated to."""
    inner = number_and_term(term)[1]
    if inner is None:
        return ""
    return inner.args[0].op if inner.op == "broadcast" else inner.op


_ON_DIAGONAL = {"positive-definite": "positive", "positive-semidefinite": "nonnegative", "nonsingular": "nonzero"}


def _proved(left: Expr, right: Expr, assumptions: list[tuple[str, Expr]]) -> Proof | None:
    """A proof without changes of the variables."""
    given = list(assumptions)
    sides = (left, right)
    given.extend(pair for side in sides for pair in requirements_of(side))
    local = (without_names(left, local_only=True), without_names(right, local_only=True))
    opened = (without_names(left), without_names(right))
    expanding, definitions = _expanding(), _definitions()
    attempts = [(local, expanding)]
    attempts += [(local, SLOW | definitions)] if local != opened else []
    attempts += [
        (opened, SLOW | definitions),
        (opened, SLOW),
        (opened, SLOW - {"common_denominator"}),
        (opened, SLOW - {"squared_tanh"}),
        (opened, RECOGNISING | {LOGISTIC}),
        (opened, SLOW - {LOGISTIC}),
    ]
    attempts = [(pair, without | LOW_RANK | LAST) for pair, without in attempts]
    attempts += [(opened, SLOW | definitions | {"push_through"} | LAST | other) for other in (UP, DOWN)]
    if any(e.op == "inv" for e in postorder(opened)):
        attempts.append((opened, SLOW | definitions | {"push_through"} | LOW_RANK | (LAST - RESOLVENT)))
    if any(e.op == "exp" for e in postorder(opened)):
        attempts.append((opened, SLOW | LOW_RANK | (LAST - MERGED)))
    if {e.op for e in postorder(opened)} & {RULES[name].op for name in BY_EXPONENTIALS}:
        attempts.append((opened, SLOW | definitions | LOW_RANK | (LAST - BY_EXPONENTIALS)))
    work = Work()
    for pair, without in attempts:
        prover = _attempt(work, pair, given, without if without >= expanding else without | GATHERING)
        if prover is not None:
            return Proof(left, right, pair, prover)
    staged = _attempt(work, opened, given, SLOW | GATHERING | LOW_RANK | LAST, first=expanding | LOW_RANK)
    if staged is not None:
        return Proof(left, right, opened, staged)
    prover = _vanishing(work, opened, given) or _entry_by_entry(opened, given)
    return None if prover is None else Proof(left, right, opened, prover, by_difference=True)


def _expanding() -> frozenset[str]:
    """The rules that multiply out, also those declared since."""
    return frozenset(name for name, rule in RULES.items() if rule.group in ("distribute", "expand"))


def _definitions() -> frozenset[str]:
    """The rules that write an operation by primitives."""
    return frozenset(name for name in RULES if name.startswith("definition_of_"))


def _vanishing(work: Work, pair: tuple[Expr, Expr], given: list[tuple[str, Expr]]) -> Prover | None:
    """The prover, if it brings the difference of the two sides to 0 over common denominators."""
    without = (SLOW - {"common_denominator"}) | GATHERING | LOW_RANK | LAST
    gap = difference_of(*pair)
    try:
        prover = _prepared(work, given, without)
        return prover if is_zero(prover.normal(gap)) else None
    except (WorkLimitError, RuntimeError, NoRuleError, ShapeError):  # beyond the bound: nothing is proved
        return None


def _entry_by_entry(pair: tuple[Expr, Expr], given: list[tuple[str, Expr]]) -> Prover | None:
    """The prover, if the difference of the two sides is 0 for each entry by itself."""
    gap = difference_of(*pair)
    try:
        prover = Prover(Context(given), frozenset(RULES) - EQUAL_ENTRIES)
        return prover if is_zero(prover.normal(gap)) else None
    except (WorkLimitError, RuntimeError, NoRuleError, ShapeError):
        return None


def _attempt(
    work: Work,
    pair: tuple[Expr, Expr],
    given: list[tuple[str, Expr]],
    without: frozenset[str],
    first: frozenset[str] | None = None,
) -> Prover | Stages | None:
    """The prover, if it brings both sides to one form; with `first`, after one without these rules."""
    try:
        last = _prepared(work, given, without)
        prover = last if first is None else Stages(_prepared(work, given, first), last)
        one, other = (prover.normal(side) for side in pair)
    except (WorkLimitError, RuntimeError, NoRuleError, ShapeError):  # beyond the bound: nothing is proved
        return None
    return prover if one.digest == other.digest else None


def _prepared(work: Work, given: list[tuple[str, Expr]], without: frozenset[str]) -> Prover:
    """A prover that knows the given facts also of the normal forms of what they are about."""
    plain = [(fact, without_names(e)) for fact, e in given]
    assumed = with_consequences([*given, *plain])
    quiet = Prover(Context(assumed), without, work)
    turned = [(fact, transpose(e)) for fact, e in assumed if fact == "nonsingular"]
    normal = [(fact, quiet.normal(e)) for fact, e in (*assumed, *turned) if e.op != "variable"]
    return Prover(Context([*assumed, *normal]), without, work)


def without_names(e: Expr, *, local_only: bool = False) -> Expr:
    """`e` with the names opened: all, or those that the results and claims define for themselves."""
    return opened(e, stop=lambda s: local_only and s.op == "named" and s.params[1] != "local")


def _openings(side: Expr, whole: Expr) -> list[Step]:
    """The steps that open the names, innermost last."""
    rule = RULES[EXPAND_NAME]
    steps: list[Step] = []
    while side is not whole:
        name = next((sub for sub in postorder((side,)) if sub.op == "named" and _is_opened(sub, whole)), None)
        if name is None:
            break
        after = substitute(side, {name: name.args[0]})
        steps.append(Step(rule.name, side, after, rule.identity, rule.source))
        side = after
    if side is not whole:
        rule = RULES[BY_DIAGONAL]
        steps.append(Step(rule.name, side, whole, rule.identity, rule.source))
    return steps


def _is_opened(name: Expr, whole: Expr) -> bool:
    return all(sub is not name for sub in postorder((whole,)))
