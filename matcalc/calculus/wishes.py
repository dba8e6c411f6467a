"""Which facts a reader would think of: those that data like the variable usually have."""

from __future__ import annotations

from matcalc.expr import Expr, operations, postorder
from matcalc.ops.activations import logsigmoid
from matcalc.ops.elementwise import log, log1p, softplus
from matcalc.ops.normalization import log_softmax, logsumexp
from matcalc.walk import depends

_STOCHASTIC = ("row-stochastic", "column-stochastic")
_LOGARITHMS = operations(log, log1p, log_softmax, logsigmoid, logsumexp, softplus)


def is_usual(variable: Expr, fact: str, source: Expr) -> bool:
    """Whether the fact is a usual property of a variable that is used as it is in the source.

    That the rows or columns sum to 1 is one of probabilities and labels, which weigh logarithms: `-sum(Y .* log(P))`.
    """
    return fact not in _STOCHASTIC or _weighs_logarithms(variable, source)


def turned_too(e: Expr) -> set[Expr]:
    """The variables that occur in `e` both as they are and transposed: what is symmetric makes one of the two."""
    plain: set[Expr] = set()
    turned: set[Expr] = set()
    for sub in postorder((e,), through_names=False):
        if sub.op == "transpose":
            turned.add(sub.args[0])
        else:
            plain.update(sub.args)
    return {v for v in plain & turned if v.op == "variable"}


def _weighs_logarithms(variable: Expr, source: Expr) -> bool:
    for e in postorder((source,)):
        if e.op == "cross_entropy" and _is(e.args[0], variable):
            return True
        if e.op in ("hadamard", "matmul", "scale") and any(_is(a, variable) for a in e.args):
            others = [a for a in e.args if not _is(a, variable)]
            logarithms = [s for s in postorder(others) if s.op in _LOGARITHMS]
            if any(a in depends((a,), logarithms) for a in others):
                return True
    return False


def _is(e: Expr, variable: Expr) -> bool:
    """Whether e is the variable, perhaps transposed, named or with its sign turned."""
    while e.op in ("transpose", "named", "scale", "broadcast"):
        e = e.args[-1]
    return e.digest == variable.digest
