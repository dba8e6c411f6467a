"""`optimum_of`: from a problem to the answer."""

from __future__ import annotations

from collections.abc import Iterable

from matcalc.calculus.problem import Problem
from matcalc.errors import need_one_of
from matcalc.expr import Expr
from matcalc.optimum.question import MAXIMUM, MINIMUM, STATIONARY
from matcalc.optimum.reading import question_of
from matcalc.optimum.result import Optimum, closed_form, without_form
from matcalc.optimum.solve import is_rough, solve


def optimum_of(
    problem: Problem, over: Iterable[Expr], subject_to: Iterable[str] = (), sense: str = STATIONARY
) -> Optimum:
    """The optimum of a problem's function.

    Raises:
        ShapeError: the function is not scalar.
        MatcalcError: an unknown is not a variable, or a constraint is not an equation.
    """
    need_one_of("sense", sense, (MINIMUM, MAXIMUM, STATIONARY))
    texts = [subject_to] if isinstance(subject_to, str) else subject_to
    q = question_of(problem, over, texts, sense)
    found, remark = solve(q)
    return without_form(q, remark, rough=is_rough(q)) if found is None else closed_form(q, found)
