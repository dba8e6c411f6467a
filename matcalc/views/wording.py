"""Conditions in words: `eigmax(S) is a simple eigenvalue` says more than the number that must not be zero."""

from __future__ import annotations

from matcalc.expr import Expr, postorder
from matcalc.ops.spectral import simple, simple_extreme


def worded(fact: str, e: Expr) -> tuple[Expr, str]:
    """A condition as a subject and what is said of it: itself, unless it is one that records state by a formula.

    Example:
        >>> import matcalc as mc
        >>> d = mc.derive("eigmax(S)")
        >>> worded(*d.domain[0])
        (eigmax(S), 'a simple eigenvalue')
    """
    for sub in postorder((e,)):
        if sub.op in ("eigmax", "eigmin") and simple_extreme(sub.op, sub.args[0]) == ((fact, e),):
            return sub, "a simple eigenvalue"
        if sub.op == "eigvals" and simple(sub.args[0]) == ((fact, e),):
            return sub, "free of repeated values"
    return e, fact
