"""What leaves a loop: parts of its expressions that do not depend on what the loop computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from matcalc import core
from matcalc.expr import Expr, node, number_value, operations
from matcalc.indices.contraction import NoMatrixError
from matcalc.loops.stacks import Stacker
from matcalc.ops.arithmetic import add, broadcast, hadamard_, scale_
from matcalc.ops.leaves import named_
from matcalc.ops.products import transpose
from matcalc.walk import depends, rebuild, variables

_VIEWS = operations(named_, transpose, broadcast)  # they cost nothing where they stand, as leaves
_SUMS_AND_PRODUCTS = operations(add, hadamard_, scale_)


def _overflows(e: Expr) -> bool:
    """Whether an expression is one over a power, or a product with that: beside the others it may still be a number."""
    if e.op == "power":
        exponent = e.args[1]
        return exponent.op == "number" and bool(number_value(exponent) < -1)
    return e.op in _SUMS_AND_PRODUCTS and any(map(_overflows, e.args))


class Hoister:
    """Takes parts out of the expressions of a loop.

    Args:
        stacker: of its index.
        runs: whether a variable is different at every step.
        moves: whether a variable is computed by the loop.
        variable: makes the variable for the value of a part: at one step, or the same at every step.

    Attributes:
        stacks: by the variable of one step's value the matrix of all values.
        constants: by the variable its value, the same at every step.
        roots: the expressions of the loop, in these variables.
    """

    def __init__(
        self,
        stacker: Stacker,
        runs: Callable[[Expr], bool],
        moves: Callable[[Expr], bool],
        variable: Callable[[Expr, bool], Expr],
    ) -> None:
        self.stacker, self.runs, self.moves, self.variable = stacker, runs, moves, variable
        self.stacks: dict[Expr, Expr] = {}
        self.constants: dict[Expr, Expr] = {}
        self.roots: list[Expr] = []
        self.table: dict[Expr, Expr] = {}

    def hoisted(self, roots: Iterable[Expr]) -> list[Expr]:
        """What stays in the loop of some expressions."""
        roots = list(roots)
        inside = variables(roots)
        self.moving = depends(roots, [v for v in inside if self.moves(v)])
        self.running = depends(roots, [v for v in inside if self.runs(v)])
        done: dict[Expr, Expr] = {}
        self.roots = [self.rewritten(e, done) for e in roots]
        return self.roots

    def rewritten(self, root: Expr, done: dict[Expr, Expr]) -> Expr:
        """The expression, in the variables of its parts that leave the loop."""
        todo = [root]
        while todo:
            e = todo[-1]
            if e in done:
                todo.pop()
                continue
            if e not in self.moving:
                taken = self.taken(e)
                if taken is not None:
                    done[e] = taken
                    continue
            missing = [a for a in e.args if a not in done]
            if missing:
                todo += missing
                continue
            product = self.product(e, done)
            done[e] = self.joined(e, [done[a] for a in e.args]) if product is None else product
        return done[root]

    def product(self, e: Expr, done: dict[Expr, Expr]) -> Expr | None:
        """c*(X .* Y) where a number and a matrix leave the loop, together; None for anything else."""
        if e not in self.moving or e.op != scale_.name or e.args[-1].op != hadamard_.name:
            return None
        numbers, matrices = e.args[:-1], e.args[-1].args
        still = [[a for a in args if self.is_still(a)] for args in (numbers, matrices)]
        if not all(still):
            return None
        together = core.scale(*still[0], core.hadamard(*still[1]))
        self.running |= {together} if any(a in self.running for a in (*still[0], *still[1])) else set()
        taken = self.taken(together)
        if taken is None:
            return None
        rest = [core.hadamard(taken, *(done[a] for a in matrices if a not in still[1]))]
        return core.scale(*(done[a] for a in numbers if a not in still[0]), *rest)

    def is_still(self, e: Expr) -> bool:
        """Whether a factor can leave the loop."""
        return e not in self.moving and e.op != "number" and not _overflows(e)

    def joined(self, e: Expr, args: list[Expr]) -> Expr:
        """The operation on rewritten arguments; those of a sum or a product that leave the loop leave it together."""
        if e in self.moving and e.op in _SUMS_AND_PRODUCTS:
            still = [a for a in e.args if self.is_still(a)]
            if e.op == scale_.name and still:
                still = [a for a in e.args if a in still or (a.op == "number" and a.number != -1)]
            if len(still) > 1 and (e.op != "scale" or all(a.is_scalar for a in still)):
                together = node(e.op, tuple(still))
                self.running |= {together} if any(a in self.running for a in still) else set()
                taken = self.taken(together)
                if taken is not None:
                    kept = [new for a, new in zip(e.args, args) if a not in still]
                    return node(e.op, (taken, *kept)) if e.op != "hadamard" or kept else taken
        return e if tuple(args) == e.args else rebuild(e, args)

    def taken(self, e: Expr) -> Expr | None:
        """The variable of a part that leaves the loop; None where it is written where it stands."""
        if not e.args or e.op in _VIEWS or _overflows(e):
            return None
        if e in self.table:
            return self.table[e]
        if e not in self.running:
            made = self.variable(e, False)
            self.constants[made] = e
        else:
            try:
                stack = self.stacker.stacked(e)
            except NoMatrixError:
                return None
            made = self.variable(e, True)
            self.stacks[made] = stack
        self.table[e] = made
        return made
