"""What is proved of a Hessian: that it is definite, for all data or for positive numbers in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from matcalc.calculus.problem import Problem
from matcalc.calculus.wording import Remark
from matcalc.core import var
from matcalc.curvature.curvature import prove
from matcalc.curvature.status import Curvature
from matcalc.expr import Expr
from matcalc.graph import Graph
from matcalc.properties import known, names_of
from matcalc.walk import opened, substitute

POSITIVE = "positive"
DEFINITE = {
    "strongly convex": "It is symmetric and positive definite",
    "strictly convex": "It is symmetric and positive definite",
    "convex": "It is symmetric and positive semidefinite",
    "strongly concave": "It is symmetric and negative definite",
    "strictly concave": "It is symmetric and negative definite",
    "concave": "It is symmetric and negative semidefinite",
}
WHERE = "For positive {0} it is symmetric and {1}"
RANK = {"column": "it is definite where {0} has full column rank", "row": "it is definite where {0} has full row rank"}
FULL_RANK = re.compile(r"str\w+ \w+ (?:with mu = .+ )?where (\w+) has full (column|row) rank")
AT_LEAST = "its eigenvalues are at least {0}"
BETWEEN = "its eigenvalues lie between {0} and {1}"
AT_MOST = "its eigenvalues are at most {0}"


def definiteness(d: Problem, e: Expr) -> list[Remark]:
    """What is proved of the Hessian by one variable, in words; nothing where nothing is proved.

    What is known along symmetric directions says nothing of the Hessian by a free matrix.
    """
    free = d.structure_of(e) == "none"
    if e.op != "variable" or (free and known(e, "symmetric") and not e.is_scalar):
        return []
    found = prove(Problem(d.graph, [e], source=d.source, structure=d.structure))
    if found.status in DEFINITE:
        return list(_said(found, Remark(DEFINITE[found.status]), d))
    numbers = [v for v in d.graph.declared.values() if _may_be_positive(v, e)]
    found = _where_positive(d, e, numbers)
    if found.status not in DEFINITE:
        return []
    for v in list(numbers):  # those that it does not depend on are not named
        fewer = [w for w in numbers if w is not v]
        other = _where_positive(d, e, fewer)
        if other.status == found.status:
            numbers, found = fewer, other
    definite = DEFINITE[found.status].removeprefix("It is symmetric and ")
    return list(_said(found, Remark(WHERE, (tuple(numbers), definite)), d))


def _where_positive(d: Problem, e: Expr, numbers: list[Expr]) -> Curvature:
    """What is proved where these numbers are positive."""
    table = {v: var(v.name, *v.shape, [*names_of(v.params[3]), POSITIVE]) for v in numbers}
    declared = [table.get(v, v) for v in d.graph.declared.values()]
    graph = Graph.of(substitute(opened(d.output), table), declared)
    return prove(Problem(graph, [e], source=d.source, structure=d.structure))


def _may_be_positive(v: Expr, e: Expr) -> bool:
    """Whether it is a number in the data whose sign nothing says."""
    return v.is_scalar and v is not e and not {POSITIVE, "nonnegative"} & set(names_of(v.params[3]))


def _said(found: Curvature, first: Remark, d: Problem) -> Iterator[Remark]:
    yield first
    low, high = (found.strong, found.smooth) if "convex" in found.status else (None, None)
    if low is not None and high is not None:
        yield Remark(BETWEEN, (low, high))
    elif low is not None:
        yield Remark(AT_LEAST, (low,))
    elif high is not None:
        yield Remark(AT_MOST, (high,))
    for condition in map(FULL_RANK.fullmatch, found.conditions):
        if condition is not None and condition[1] in d.graph.declared:
            yield Remark(RANK[condition[2]], (d.graph.declared[condition[1]],))


MESSAGES = (*DEFINITE.values(), WHERE, *RANK.values(), AT_LEAST, BETWEEN, AT_MOST)
