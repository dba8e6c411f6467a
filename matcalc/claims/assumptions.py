"""What may be assumed where both sides of a claim are defined and differentiable, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from matcalc.dims import same
from matcalc.expr import Expr, postorder, record

# Operations with a kink where their argument has a zero: the derivative is claimed away from it.
KINKED = ("abs", "sign", "step", "relu", "norm1")
# Operations that choose between entries: at whole numbers ties are common, and a tie is a kink.
CHOOSING = frozenset(
    (
        "max",
        "min",
        "maximum",
        "minimum",
        "where",
        "hardtanh",
        "huber",
        "leakyrelu",
        "elu",
        "selu",
        "normspec",
        "normnuc",
    )
)


# Rules that hold away from the kinks only.
AWAY_FROM_KINKS = frozenset(("step_by_sign", "squared_sign"))


def domain_of(e: Expr, *, kinks: bool = True) -> Iterator[tuple[str, Expr]]:
    """What must hold for `e` to be defined, and away from kinks: `(fact, expression)`."""
    for sub in postorder((e,)):
        yield from record(sub.op).domain(*sub.args, *sub.params)
        if kinks and sub.op in KINKED:
            yield "nonzero", sub.args[0]
        if sub.op == "sqrt":
            yield "nonnegative", sub.args[0]
        if sub.op == "power" and sub.args[1].op == "number" and sub.args[1].params[0].is_negative:
            yield "nonzero", sub.args[0]
        if sub.op in ("inv", "solve") or (
            sub.op == "matpow" and sub.args[1].op == "number" and sub.args[1].params[0].is_negative
        ):
            yield "nonsingular", sub.args[0]


def closed(given: Iterable[tuple[str, Expr]]) -> list[tuple[str, Expr]]:
    """The given facts and those that follow about parts of their expressions."""
    found: dict[tuple[str, Expr], None] = {}
    queue = list(given)
    while queue:
        pair = queue.pop()
        if pair in found:
            continue
        found[pair] = None
        queue.extend(_implied(*pair))
    return list(found)


def _implied(fact: str, e: Expr) -> Iterator[tuple[str, Expr]]:
    if fact == "nonsingular":
        if e.op in ("transpose", "inv") or (e.op == "matpow" and e.args[1].op == "number" and e.args[1].params[0] != 0):
            yield fact, e.args[0]
        elif (e.op == "matmul" and all(same(*f.shape) for f in e.args)) or (e.op == "kron" and same(*e.args[0].shape)):
            yield from ((fact, f) for f in e.args)
        elif e.op == "scale":
            yield from (("nonzero", s) for s in e.args[:-1])
            yield fact, e.args[-1]
    elif fact == "nonzero":
        if e.op in ("power", "sqrt", "abs", "broadcast", "transpose", "sign"):
            yield "positive" if e.op == "sqrt" else fact, e.args[0]
        elif e.op in ("scale", "hadamard"):
            yield from ((fact, f) for f in e.args)
        elif e.op == "det":
            yield "nonsingular", e.args[0]
    elif fact == "positive" and e.op in ("broadcast", "transpose", "sqrt"):
        yield fact, e.args[0]
