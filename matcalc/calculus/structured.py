"""Gradients along structured sets of matrices, from the gradient with respect to a free matrix.

Source: Petersen & Pedersen, The Matrix Cookbook (2012), 2.8.
"""

from __future__ import annotations

from matcalc import core
from matcalc.core import add, diag, diagvec, minus, number, scale, transpose
from matcalc.dims import same
from matcalc.errors import FactError, NoRuleError
from matcalc.expr import Expr

KINDS = ("none", "symmetric", "skew", "diagonal")
CONVENTIONS = ("entries", "projection")


def check_structure(variable: Expr, kind: str, convention: str) -> None:
    """Raise where the structure is unknown, not available, or impossible for the variable's shape."""
    name = variable.params[0]
    if convention not in CONVENTIONS:
        raise FactError(f"convention must be one of {', '.join(CONVENTIONS)}, got {convention!r}")
    if kind not in KINDS:
        raise NoRuleError(f"the structure {kind!r} of {name} is not available; there are: {', '.join(KINDS)}")
    if kind != "none" and not same(*variable.shape):
        raise FactError(f"{name} is {variable.shape[0]} x {variable.shape[1]}: only a square matrix can be {kind}")


def structured_gradient(G: Expr, kind: str, convention: str) -> Expr:
    """The gradient by the independent entries (`entries`), or the orthogonal projection of G (`projection`)."""
    if kind == "none":
        return G
    if kind == "diagonal":
        return diag(diagvec(G))
    other = transpose(G) if kind == "symmetric" else minus(transpose(G))
    if convention == "projection":
        return scale(number(core.exact("0.5")), add(G, other))
    return add(G, other) if kind == "skew" else add(G, other, minus(diag(diagvec(G))))
