"""A formula as it is typed, with one rounding in each of its operations: what its notation loses by itself.

The rounding of an operation is a factor for each entry of its result (and of the terms, where there are many) that is a
variable of its own: derivatives of the formula see it as a constant, as they do in arithmetic with few digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from matcalc import core
from matcalc.expr import Expr, postorder
from matcalc.numeric.precise import evaluate_precisely, exactly
from matcalc.walk import rebuild

LEAVES = frozenset(["variable", "number", "ones", "zeros", "eye"])
MANY = frozenset(["matmul", "sum", "mean", "solve", "inv", "det", "logdet", "chol"])  # operations on many terms


class Typed:
    """The formula, rounded.

    Args:
        output: the formula.
        values: of its variables, with many digits.
        sizes: of the dimensions.
        dtype: the type in which numbers are rounded.

    Attributes:
        overflows: whether a value on the way is beyond the numbers of the type.
    """

    def __init__(self, output: Expr, values: Any, sizes: dict[str, int], dtype: str) -> None:
        self.output, self.given = output, values
        nodes = list(postorder([output]))
        self.values = dict(zip(nodes, evaluate_precisely(nodes, values, sizes).values))
        self.limits = np.finfo(dtype)
        largest = max((float(abs(x)) for X in self.values.values() for x in X.ravel()), default=0.0)
        self.overflows = largest > float(self.limits.max)

    def rounded(self, size: float, seed: int) -> tuple[Expr, Any]:
        """The formula with roundings of this relative size, and all values; what underflows in the type is 0."""
        rng, factors, done = np.random.default_rng(seed), dict[str, Any](), dict[Expr, Expr]()

        def rounding(of: Expr, e: Expr) -> Expr:
            X, v = self.values[of], core.var(f"rounding{len(factors)}", *e.shape)
            kept = [[x == 0 or abs(x) >= float(self.limits.tiny) for x in row] for row in X]
            moves = exactly(v, rng.choice([-1.0, 1.0], size=X.shape)) * size
            factors[v.params[0]] = (1 + moves) * exactly(v, np.array(kept, dtype=float))
            return core.scale(v, e) if e.is_scalar else core.hadamard(v, e)

        for e in self.values:
            args = [done[a] for a in e.args]
            if e.op in MANY:
                args = [rounding(a, b) for a, b in zip(e.args, args)]
            done[e] = e if not e.args else rebuild(e, args)
            if e.op not in (*LEAVES, "named"):
                done[e] = rounding(e, done[e])
        return done[self.output], {**self.given, **factors}
