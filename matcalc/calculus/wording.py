"""Conditions in words: `eigmax(S) is a simple eigenvalue` says more than the number that must not be zero."""

from __future__ import annotations

from dataclasses import dataclass

from matcalc.core import transpose
from matcalc.dims import is_one
from matcalc.expr import Expr, postorder
from matcalc.ops.hollow import distances_in, is_hollow
from matcalc.ops.spectral import simple, simple_extreme

DISTINCT_ROWS = (
    "a matrix with distinct rows (off the diagonal no distance is 0; on it every one is, and has the subgradient 0)"
)
POSITIVE_BESIDE = "positive off the diagonal"
_SPREAD = {None: "not constant", 1: "free of constant columns", 2: "free of constant rows"}


@dataclass(frozen=True, slots=True)
class Remark:
    """A fixed message, and what fills its places: an expression, several of them, or a fixed word.

    Example:
        >>> Remark("its eigenvalues are at least {0}", ("0",)).message.format("0")
        'its eigenvalues are at least 0'
    """

    message: str
    values: tuple[Expr | str | tuple[Expr, ...], ...] = ()


def worded(fact: str, e: Expr) -> tuple[Expr, str]:
    """Split a condition into subject and predicate: `eigmax(S)`, "a simple eigenvalue".

    Example:
        >>> import matcalc as mc
        >>> d = mc.derive("eigmax(S)")
        >>> worded(*d.domain[0])
        (eigmax(S), 'a simple eigenvalue')
    """
    if fact == "nonsingular" and e.op == "sqrtm":
        return e.args[0], "free of real eigenvalues <= 0"
    if fact == "nonsingular" and (M := _on_both_sides(e)) is not None:
        return M, "free of eigenvalues a, b with a + b = 0"
    if fact == "positive" and e.op == "add" and e.args[-1].op == "eye" and is_hollow(e.args[0]):
        distances = distances_in(e.args[0])
        return (e.args[0], POSITIVE_BESIDE) if distances is None else (distances.args[0], DISTINCT_ROWS)
    if fact in ("positive", "nonzero") and (X := _measured(e)) is not None:
        return X, "not the zero matrix" if not _is_vector(X) else "not the zero vector"
    if fact in ("positive", "nonzero") and e.op == "power" and _is_even(e.args[1]):
        return worded("nonzero", e.args[0])
    if fact in ("positive", "nonzero") and (rest := _without_number(fact, e)) is not None:
        return worded(fact, rest)
    if fact in ("positive", "nonzero") and e.op == "std":
        return e.args[0], _SPREAD[e.params[0]]
    for sub in postorder((e,)):
        if sub.op in ("eigmax", "eigmin") and simple_extreme(sub.op, sub.args[0]) == ((fact, e),):
            return sub, "a simple eigenvalue"
        if sub.op == "eigvals" and simple(sub.args[0]) == ((fact, e),):
            return sub, "free of repeated values"
    return e, fact


def _on_both_sides(e: Expr) -> Expr | None:
    """The M of kron(I, M) + kron(M, I), the matrix of a Lyapunov equation, not transposed; None for anything else."""
    if e.op != "add" or len(e.args) != 2 or any(t.op != "kron" for t in e.args):
        return None
    right = [t.args[1] for t in e.args if t.args[0].op == "eye"]
    left = [t.args[0] for t in e.args if t.args[1].op == "eye"]
    if len(right) != 1 or len(left) != 1 or right[0].digest != left[0].digest:
        return None
    return left[0].args[0] if left[0].op == "transpose" else left[0]


def _measured(e: Expr) -> Expr | None:
    """The X of which a value is the norm, or the sum of the squares of all entries; None for another value."""
    if e.op == "norm2":
        return e.args[0]
    if e.op in ("matmul", "tr") and e.is_scalar:
        factors = e.args if e.op == "matmul" else e.args[0].args
        if len(factors) == 2 and (e.op == "matmul" or e.args[0].op == "matmul"):
            A, B = factors
            return B if A.digest == transpose(B).digest else None
    if e.op == "sum" and e.is_scalar:
        inner = e.args[0]
        if inner.op == "power" and inner.args[1].number == 2:
            return inner.args[0]
        if inner.op == "hadamard" and len(inner.args) == 2 and inner.args[0] is inner.args[1]:
            return inner.args[0]
    return None


def _without_number(fact: str, e: Expr) -> Expr | None:
    """The X of c*X, where it is the number c that makes no difference to a fact; None for another value."""
    if e.op != "scale" or len(e.args) != 2 or e.args[0].number is None:
        return None
    value = e.args[0].number
    known = bool(value.is_positive) or (fact == "nonzero" and bool(value.is_negative))
    return e.args[1] if known else None


def _is_even(e: Expr) -> bool:
    """Whether it is an even number, or a matrix of one."""
    value = e.args[0].number if e.op == "broadcast" else e.number
    return value is not None and bool(value.is_even)


def _is_vector(e: Expr) -> bool:
    return is_one(e.shape[0]) or is_one(e.shape[1])
