"""Derivatives along structured sets of matrices, from the derivatives with respect to a free matrix.

By `entries`: the partial derivatives by the independent entries. By `projection`: the orthogonal projection of the
gradient on the set's tangent space. Jacobians and Hessians are by the independent entries: `J D` and `D' H D` with the
basis D of the set.

Source: Petersen & Pedersen, The Matrix Cookbook (2012), 2.8; Magnus & Neudecker, The elimination matrix, SIAM J. Alg.
Disc. Meth. 1 (1980); for the orthogonal group Edelman, Arias & Smith, SIAM J. Matrix Anal. Appl. 20 (1998).
"""

from __future__ import annotations

from collections.abc import Callable

from matcalc import core
from matcalc.core import add, diag, diagvec, entrywise_quotient, hadamard, minus, number, ones, scale, transpose
from matcalc.dims import same
from matcalc.errors import FactError, NoRuleError, closest
from matcalc.expr import Expr
from matcalc.ops.products import dsel
from matcalc.ops.selection import dup, elim, tril, triu, vech_
from matcalc.ops.structures import diagsums, skewdup, symtoep, toep

HALF = number(core.exact("0.5"))
CONVENTIONS = ("entries", "projection")


def _symmetric_entries(G: Expr) -> Expr:
    return add(G, transpose(G), minus(diag(diagvec(G))))


def _toeplitz_mean(G: Expr) -> Expr:
    """The mean along each diagonal."""
    return entrywise_quotient(diagsums(G), diagsums(ones(*G.shape)))


# What the independent entries give, from the gradient G with respect to a free matrix.
ENTRIES: dict[str, Callable[[Expr], Expr]] = {
    "symmetric": _symmetric_entries,
    "skew": lambda G: add(G, minus(transpose(G))),
    "diagonal": lambda G: hadamard(G, core.eye(G.shape[0])),
    "lower": tril,
    "upper": triu,
    "toeplitz": diagsums,
    "symmetric-toeplitz": lambda G: _symmetric_entries(diagsums(G)),
}
# The orthogonal projection of G; for the orthogonal group also the point X.
PROJECTIONS: dict[str, Callable[[Expr, Expr], Expr]] = {
    "symmetric": lambda G, X: scale(HALF, add(G, transpose(G))),
    "skew": lambda G, X: scale(HALF, add(G, minus(transpose(G)))),
    "diagonal": lambda G, X: ENTRIES["diagonal"](G),
    "lower": lambda G, X: ENTRIES["lower"](G),
    "upper": lambda G, X: ENTRIES["upper"](G),
    "toeplitz": lambda G, X: _toeplitz_mean(G),
    "symmetric-toeplitz": lambda G, X: _toeplitz_mean(scale(HALF, add(G, transpose(G)))),
    "orthogonal": lambda G, X: add(G, minus(scale(HALF, X @ add(transpose(X) @ G, transpose(G) @ X)))),
}
# vec(X) = basis times the independent entries.
BASES: dict[str, Callable[[Expr], Expr]] = {
    "symmetric": lambda X: dup(X.shape[0]),
    "diagonal": lambda X: dsel(X.shape[0]),
    "lower": lambda X: transpose(elim(X.shape[0])),
    "upper": lambda X: core.commutation(*X.shape) @ transpose(elim(X.shape[0])),
    "toeplitz": lambda X: toep(X.shape[0]),
    "symmetric-toeplitz": lambda X: symtoep(X.shape[0]),
    "skew": lambda X: skewdup(X.shape[0]),
}
# The independent entries as a column, where that has a name of its own.
INDEPENDENT: dict[str, Callable[[Expr], Expr]] = {
    "symmetric": vech_,
    "diagonal": diagvec,
    "lower": vech_,
    "upper": lambda X: vech_(transpose(X)),
}
KINDS = ("none", *PROJECTIONS)
FACTS = {kind: kind for kind in ("symmetric", "skew", "diagonal", "lower", "upper", "orthogonal")}
FACTS["symmetric-toeplitz"] = "symmetric"


def check_structure(variable: Expr, kind: str, convention: str) -> None:
    """Raise where the structure is unknown, has no such convention, or is impossible for the variable's shape."""
    name = variable.params[0]
    if convention not in CONVENTIONS:
        meant = closest(str(convention), CONVENTIONS)
        raise FactError(f"convention must be one of {', '.join(CONVENTIONS)}, got {convention!r}{meant}")
    if kind not in KINDS:
        meant, have = closest(str(kind), KINDS), ", ".join(KINDS)
        raise NoRuleError(f"the structure {kind!r} of {name} is not available{meant}; there are: {have}")
    if kind == "none":
        return
    if convention == "entries" and kind not in ENTRIES:
        raise NoRuleError(f"{kind} matrices ({name}) have no independent entries: use convention='projection'")
    if not same(*variable.shape):
        raise FactError(f"{name} is {variable.shape[0]} x {variable.shape[1]}: only a square matrix can be {kind}")


def structured_gradient(G: Expr, X: Expr, kind: str, convention: str) -> Expr:
    """The gradient along the structured set, from the gradient G with respect to a free matrix."""
    if kind == "none":
        return G
    return PROJECTIONS[kind](G, X) if convention == "projection" else ENTRIES[kind](G)


def basis(X: Expr, kind: str) -> Expr | None:
    """The matrix D with vec(X) = D times the independent entries; None for a free matrix.

    Raises:
        NoRuleError: the set is not linear (orthogonal matrices).
    """
    if kind == "none":
        return None
    if kind not in BASES:
        raise NoRuleError(
            f"{kind} matrices ({X.params[0]}) have no independent entries: Jacobians and Hessians along them are not "
            "available"
        )
    return BASES[kind](X)
