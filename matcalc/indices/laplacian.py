"""Weighted sums of squared distances of the rows of one matrix: the quadratic form of a Laplacian, shown as a step.

The value keeps the distances: nothing cancels there, where the quadratic form loses digits far from the origin.
"""

from __future__ import annotations

from matcalc import core
from matcalc.expr import Expr, postorder
from matcalc.indices.lifting import LAPLACIAN, Lift
from matcalc.ops.pairs import pdist2
from matcalc.ops.products import matmul_
from matcalc.ops.reductions import sum_, tr

LONGEST = 30  # weights that are written four times in a line


def laplacian_steps(value: Expr) -> list[Lift]:
    """For each weighted sum of squared distances in a value the step to its quadratic form."""
    steps = []
    for e in postorder((value,)):
        found = weights_and_points(e)
        if found is not None and len(str(found[0])) <= LONGEST:
            A, X = found
            degrees = core.add(core.total(A, 2), core.transpose(core.total(A, 1)))
            L = core.add(core.diag(degrees), core.minus(A), core.minus(core.transpose(A)))
            steps.append(Lift(LAPLACIAN, (), e, core.trace(core.matmul(core.transpose(X), L, X)), {}))
    return steps


def weights_and_points(e: Expr) -> tuple[Expr, Expr] | None:
    """A and X of tr(A'*pdist2(X, X)) or sum(A .* pdist2(X, X))."""
    if e.op == tr.name and e.args[0].op == matmul_.name and len(e.args[0].args) == 2:
        left, right = e.args[0].args
        pair = [(core.transpose(left), right), (right, left)]
        factors = next(([A, D] for A, D in pair if D.op == pdist2.name), None)
    elif e.op == sum_.name and e.axis is None and e.args[0].op == "hadamard":
        factors = list(e.args[0].args)
    else:
        return None
    distances = [f for f in factors or () if f.op == pdist2.name and f.args[0] is f.args[1]]
    if len(distances) != 1:
        return None
    assert factors is not None
    weights = [f for f in factors if f is not distances[0]]
    A = core.hadamard(*weights)
    if A.op == "transpose" and A.args[0].op == "transpose":
        A = A.args[0].args[0]
    return A, distances[0].args[0]
