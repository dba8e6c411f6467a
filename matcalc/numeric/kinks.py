"""Where derivatives jump: they are compared away from there."""

from __future__ import annotations

from collections.abc import Iterable

from matcalc.expr import Expr, postorder, record


def arguments_of_kinks(roots: Iterable[Expr]) -> list[Expr]:
    """The values whose zeros are kinks: the x of |x|."""
    return list(dict.fromkeys(sub.args[0] for sub in postorder(roots) if record(sub.op).kinks == "zero"))


def has_ties(roots: Iterable[Expr]) -> bool:
    """Whether an operation chooses between entries: at whole numbers ties are common, and a tie is a kink."""
    return any(record(sub.op).kinks in ("ties", "bends") for sub in postorder(roots))
