"""Operations whose derivative jumps: derivatives are compared away from there."""

from __future__ import annotations

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
