"""Products, maxima and minima over the members of a family: recurrences, whose adjoints divide by nothing."""

from __future__ import annotations

from matcalc import core
from matcalc.dims import plus
from matcalc.expr import Expr
from matcalc.indices.program import Group, Program, Recurrence, Run
from matcalc.ops.comparison import maximum, minimum
from matcalc.walk import substitute


def taken_over(program: Program, name: str, take: str, run: Run, body: Expr) -> Expr:
    """The last value of `p[k] = p[k-1] .* body` or `m[k] = maximum(m[k-1], body)`, entry by entry.

    Args:
        program: takes the recurrence.
        name: of its values.
        take: `prod`, `max` or `min`.
        run: the index, from a whole number on.
        body: what is multiplied or compared.
    """
    assert isinstance(run.first, int)
    start = substitute(body, program.placed(body, run.name, run.first))
    steps = Run(run.name, plus(run.first, 1), run.last)
    made = program.recurrences[name] = Recurrence(name, body.shape, {run.first: start}, steps)
    before = program.of_family(name, run.name, -1)
    if take == "prod":
        made.body = core.scale(before, body) if body.is_scalar else core.hadamard(before, body)
    else:
        made.body = (maximum if take == "max" else minimum)(before, body)
    program.quantities.append(Group(steps, (made,)))
    return program.of_family(name, "", run.last)
