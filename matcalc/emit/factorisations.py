"""Code for systems, inverses and log-determinants: one factorisation for each matrix, no inverse unless it is a result.

An inverse that is needed as a matrix anyway is computed once, under a name, and multiplied with; others are systems.
For positive definite matrices everything comes from one Cholesky factor, for X' X from QR factors of X.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from matcalc import core
from matcalc.emit.grams import gram_factor, gram_factor_code, gram_log_determinant_code, mirrors, plain_gram
from matcalc.emit.instructions import Instruction
from matcalc.emit.selection import Choice, Selector
from matcalc.emit.twins import without_twins
from matcalc.expr import Expr, postorder
from matcalc.ops.decompositions import chol
from matcalc.ops.linalg import inv, solve
from matcalc.properties import known
from matcalc.walk import substitute, transform

_PAIR = 2
_SOLVED = 4  # the highest power of an inverse that becomes systems
_FACTORS = ("matmul", "tr", "named")


def explicit_inverses(roots: Iterable[Expr], name: Callable[[str], str]) -> Mapping[Expr, Expr]:
    """For each inverse that is needed as a matrix, a named value that stands for it."""
    roots = list(roots)
    needed = dict.fromkeys(e for e in roots if e.op == "inv")
    for e in postorder(roots):
        if e.op not in _FACTORS:
            inner = (a.args[0] if a.op == "transpose" else a for a in e.args)
            needed |= dict.fromkeys(a for a in inner if a.op == "inv")
    table: dict[Expr, Expr] = {}
    twins = without_twins(e.args[0] for e in needed)
    for e in sorted(needed, key=lambda e: twins[e.args[0]].op == "transpose"):
        X = e.args[0]
        turned = twins[X].args[0] if twins[X].op == "transpose" else None
        first = next((other for other in table if twins[other.args[0]] is turned), None)
        if first is not None:  # inv(X') = inv(X)'
            table[e] = core.transpose(table[first])
        elif not X.is_scalar and X.op != "diag":
            label = X.params[0] if X.op in ("variable", "named") else ""
            table[e] = core.named(name(f"inv_{label}" if label else "inverse"), e, "local")
    return table


def solved_powers(roots: Iterable[Expr]) -> dict[Expr, Expr]:
    """Each root with X^-k in products as k inverses: systems that share one factorisation, and no inverse."""

    def change(new: Expr, _: Expr) -> Expr:
        if new.op != "matmul" or not any(map(_negative_power, new.args)):
            return new
        factors = [(a, _negative_power(a)) for a in new.args]
        return core.matmul(*(f for a, k in factors for f in ([inv(a.args[0])] * k if k else [a])))

    roots = list(roots)
    done = transform(roots, change)
    return {root: done[root] for root in roots}


def _negative_power(e: Expr) -> int:
    """The k of X^-k up to the highest that is solved, 0 for everything else."""
    k = e.args[1].number if e.op == "matpow" and not e.is_scalar else None
    return -int(k) if k is not None and k.is_Integer and -_SOLVED <= k < 0 else 0


def with_names(roots: list[Expr], name: Callable[[str], str], parts: Iterable[Expr]) -> dict[Expr, Expr]:
    """Each root, and some parts of them, with the inverses that the roots need as matrices named."""
    table = dict(explicit_inverses(roots, name))
    return {e: substitute(e, table) for e in (*roots, *parts)} if table else {}


def _is_positive(X: Expr) -> bool:
    return known(X, "positive-definite") and not X.is_scalar


def _factor(X: Expr) -> Expr | None:
    """The lower triangular L with L L' = X for products of a matrix with itself and for positive definite matrices."""
    found = gram_factor(X)
    return chol(X) if found is None and _is_positive(X) else found


def inverse_code(select: Selector, e: Expr) -> Choice | None:
    """The inverse of a 1 x 1 value, of a diagonal matrix, from a Cholesky factor."""
    X = e.args[0]
    if X.is_scalar:
        return core.power(X, -1)
    if X.op == "inv":
        return X.args[0]
    if X.op == "diag":
        return core.diag(core.power(X.args[0], -1))
    L = _factor(X)
    return None if L is None else Instruction("cholesky_inverse", (L,))


def solve_code(select: Selector, e: Expr) -> Choice | None:
    """A system with a 1 x 1 or a diagonal matrix is a division, with a positive definite one two triangular systems."""
    A, B = e.args
    if A.is_scalar:
        return core.scale(core.power(A, -1), B)
    if A.op == "diag":
        return core.matmul(core.diag(core.power(A.args[0], -1)), B)
    if A.op == "transpose" and known(A, "symmetric"):
        return solve(A.args[0], B)
    plain = plain_gram(A)
    if plain is not None and plain is not A:
        return solve(plain, B)
    L = _factor(A)
    return None if L is None else Instruction("cholesky_solve", (L, B))


def log_determinant_code(select: Selector, e: Expr) -> Choice | None:
    """The logarithm of the determinant from the Cholesky factor."""
    X = e.args[0]
    by_gram = gram_log_determinant_code(select, e)
    if by_gram is not None or not _is_positive(X):
        return by_gram
    return Instruction("cholesky_logdet", (chol(X),))


def cholesky_code(select: Selector, e: Expr) -> Choice | None:
    """The factor of a matrix that is known to be symmetric."""
    X = e.args[0]
    by_gram = gram_factor_code(select, e)
    if by_gram is not None:
        return by_gram
    return Instruction("cholesky", (X,)) if known(X, "symmetric") and not X.is_scalar else None


def symmetric_product(factors: list[Expr]) -> Instruction | None:
    """A B B' A' = Z Z' for Z = A B: NumPy computes half of a product of a buffer with itself."""
    half, odd = divmod(len(factors), 2)
    if odd or half < _PAIR or any(not mirrors(a, b) for a, b in zip(factors[:half], reversed(factors))):
        return None
    return Instruction("gram", (core.matmul(*factors[half:]),))
