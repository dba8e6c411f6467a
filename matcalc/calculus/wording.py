"""Conditions in words: `eigmax(S) is a simple eigenvalue` says more than the number that must not be zero."""

from __future__ import annotations

from matcalc.dims import is_one
from matcalc.expr import Expr, postorder
from matcalc.ops.hollow import is_hollow
from matcalc.ops.spectral import simple, simple_extreme

DISTINCT_ROWS = (
    "a matrix with distinct rows (off the diagonal no distance is 0; on it every one is, and has the subgradient 0)"
)
_SPREAD = {None: "not constant", 1: "free of constant columns", 2: "free of constant rows"}


def worded(fact: str, e: Expr) -> tuple[Expr, str]:
    """A condition as a subject and what is said of it: itself, unless it is one that records state by a formula.

    Example:
        >>> import matcalc as mc
        >>> d = mc.derive("eigmax(S)")
        >>> worded(*d.domain[0])
        (eigmax(S), 'a simple eigenvalue')
    """
    if fact == "nonsingular" and e.op == "sqrtm":
        return e.args[0], "free of real eigenvalues <= 0"
    if fact == "positive" and e.op == "add" and e.args[-1].op == "eye" and is_hollow(e.args[0]):
        return next(sub.args[0] for sub in postorder((e,)) if sub.op == "pdist2"), DISTINCT_ROWS
    if fact in ("positive", "nonzero") and e.op == "norm2":
        return e.args[0], "not the zero matrix" if not _is_vector(e.args[0]) else "not the zero vector"
    if fact in ("positive", "nonzero") and e.op == "std":
        return e.args[0], _SPREAD[e.params[0]]
    for sub in postorder((e,)):
        if sub.op in ("eigmax", "eigmin") and simple_extreme(sub.op, sub.args[0]) == ((fact, e),):
            return sub, "a simple eigenvalue"
        if sub.op == "eigvals" and simple(sub.args[0]) == ((fact, e),):
            return sub, "free of repeated values"
    return e, fact


def _is_vector(e: Expr) -> bool:
    return is_one(e.shape[0]) or is_one(e.shape[1])
