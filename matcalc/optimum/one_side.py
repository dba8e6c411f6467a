"""Equations M X = R in matrices: by inverses, by pseudoinverses, by a factor of both sides."""

from __future__ import annotations

from dataclasses import dataclass, replace

from matcalc import core
from matcalc.core import matmul, number, transpose
from matcalc.expr import Expr
from matcalc.ops.matrix_functions import matpow
from matcalc.optimum.lines import Line, Said, reasoned
from matcalc.optimum.question import Question, inverse_of, product_of, pseudoinverse, split_scalars


def scaled(scalars: Expr, M: Expr) -> Expr:
    """The multiple; M itself for 1."""
    return M if scalars.number == 1 else core.scale(scalars, M)


@dataclass(frozen=True)
class Solved:
    """The solution of a linear equation.

    Attributes:
        value: it.
        given: what was needed of the data.
        remarks: what is true of all solutions.
        exact: whether a lemma shows that it solves the equation.
        lines: the equation and what leads from it to the solution.
        unique: whether it is the only solution (where `given` holds).
        symmetric: whether it is known to be symmetric.
    """

    value: Expr
    given: tuple[tuple[str, Expr], ...] = ()
    remarks: tuple[str, ...] = ()
    unique: bool = True
    symmetric: bool = False
    exact: bool = False
    lines: tuple[Line, ...] = ()


def solved_left(q: Question, M: Expr, R: Expr, X: Expr, *, turned_round: bool = False) -> Solved:
    """The X with M X = R: by the inverse, or by the pseudoinverse where R lies in the range of M.

    With `turned_round` the equation is the transpose of the one that was asked for, X' M' = R', which remarks speak of.
    """
    here = Line(product_of(M, X), R)
    scalars, body = split_scalars(M)
    if not M.is_scalar and scalars.number != 1 and q.is_nonzero(scalars):
        less = q.simple(core.product(core.reciprocal(scalars), R))
        return _after_line(here, solved_left(q, body, less, X, turned_round=turned_round), ("divided by ", scalars))
    turned = q.simple(core.minus(M))
    if M.op == "add" and not M.is_scalar and q.is_positive_definite(turned):
        other = q.simple(core.minus(R))
        return _after_line(here, solved_left(q, turned, other, X, turned_round=turned_round), ("both sides times -1",))
    if q.is_nonsingular(M):
        short = _without_factor(q, M, R, X)
        return _by_inverse(q, here, M, R, X, why_nonsingular(q, M)) if short is None else _after_line(here, *short)
    if not M.is_scalar:
        by_factor = _by_factor(q, M, R, X, turned_round)
        if by_factor is not None:
            return replace(by_factor, lines=(here, *by_factor.lines))
        if in_range(q, M, R):
            value = q.simple(matmul(pseudoinverse(M), R))
            last = Line(X, value, (R, " lies in the range of ", M, ", so that the pseudoinverse gives a solution"))
            return Solved(value, (), (_singular(M),), unique=False, exact=True, lines=(here, last))
    need = ("nonzero" if M.is_scalar else "nonsingular", M)
    why = ("where ", M, " is not zero" if M.is_scalar else " has an inverse")
    return replace(_by_inverse(q, here, M, R, X, why), given=(need,))


def _by_inverse(q: Question, here: Line, M: Expr, R: Expr, X: Expr, why: Said) -> Solved:
    """inv(M) R."""
    value = q.simple(product_of(inverse_of(M), R))
    return Solved(value, lines=(here,) if M.number == 1 else (here, Line(X, value, why)))


def why_nonsingular(q: Question, M: Expr) -> Said:
    """Why a line can be solved for what M multiplies."""
    if M.is_scalar:
        return ("divided by ", M)
    if q.is_positive_definite(M):
        return (M, " is positive definite, and so has an inverse")
    return (M, " has an inverse")


def _after_line(here: Line, solved: Solved, why: Said) -> Solved:
    """The solution of an equation that follows from a line."""
    return replace(solved, lines=(here, *reasoned(solved.lines, why)))


def _without_factor(q: Question, M: Expr, R: Expr, X: Expr) -> tuple[Solved, Said] | None:
    """F M X = F R with a nonsingular F is M X = R."""
    found = [_factors(split_scalars(t)[1]) for t in q.multiplied_out(M)]
    F = next((f[0] for f in found if len(f) > 1 or f[0].op == "matpow"), None)
    F = F.args[0] if F is not None and F.op == "matpow" else F
    if M.op != "add" or F is None or F.op == "eye" or not q.is_nonsingular(F):
        return None
    rest = [_after(q, e, F) for e in (M, R)]
    if rest[0] is None or rest[1] is None or not q.is_nonsingular(rest[0]):
        return None
    return solved_left(q, rest[0], rest[1], X), (F, " has an inverse: it is cancelled from the left")


def _after(q: Question, e: Expr, F: Expr) -> Expr | None:
    """The Z with e = F Z, where every term begins with F."""
    found = []
    for t in q.multiplied_out(e):
        scalars, body = split_scalars(t)
        first, *tail = _factors(body)
        if first.op == "matpow" and first.args[0] is F and first.args[1].number is not None:
            tail.insert(0, matpow(F, number(first.args[1].number - 1)))
        elif first is not F:
            return None
        found.append(scaled(scalars, matmul(*tail) if tail else core.eye(F.shape[1])))
    return q.simple(core.add(*found))


def _singular(M: Expr) -> str:
    return f"where {M} is singular there are other solutions: they differ by what it sends to zero"


def _by_factor(q: Question, M: Expr, R: Expr, X: Expr, turned_round: bool) -> Solved | None:
    """F F' X = F Z is solved by pinv(F') Z."""
    s, core_part = split_scalars(M)
    factors = _factors(core_part)
    half = len(factors) // 2
    if len(factors) % 2 or not _is_palindrome(q, factors):
        return None
    F = factors[:half]
    rest: list[Expr] = []
    for t in q.multiplied_out(R):
        scalars, body = split_scalars(t)
        parts = _factors(body)
        if not _starts(q, parts, F):
            return None
        tail = parts[half:]
        if not tail:
            tail = [core.eye(F[-1].shape[1])]
        rest.append(scaled(scalars, matmul(*tail)))
    Z = q.simple(product_of(core.reciprocal(s), core.add(*rest)))
    A = q.simple(transpose(matmul(*F)))
    value = q.simple(product_of(pseudoinverse(A), Z))
    best = q.simple(transpose(A)) if turned_round else A
    last = Line(X, value, ("the pseudoinverse of ", best, " gives the shortest solution"))
    return Solved(value, (), (_all_of(q, A, turned_round),), unique=False, exact=True, lines=(last,))


def _all_of(q: Question, A: Expr, turned_round: bool) -> str:
    """All least-squares solutions of A X = B, or of X A' = B."""
    B = q.simple(transpose(A)) if turned_round else A
    kept = matmul(B, pseudoinverse(B)) if turned_round else matmul(pseudoinverse(B), B)
    rest = core.difference(core.eye(kept.shape[0]), kept)
    lines, free = ("rows", f"Z*({rest})") if turned_round else ("columns", f"({rest})*Z")
    return f"where {B} has dependent {lines} there are other solutions: add {free} for any Z"


def _factors(e: Expr) -> list[Expr]:
    return list(e.args) if e.op == "matmul" else [e]


def _is_palindrome(q: Question, factors: list[Expr]) -> bool:
    """Whether a product reads F W F' with a middle W or none."""
    half = len(factors) // 2
    return all(q.rewriter.normal(transpose(factors[k])) is q.rewriter.normal(factors[-1 - k]) for k in range(half))


def _starts(q: Question, parts: list[Expr], F: list[Expr]) -> bool:
    return len(parts) >= len(F) and all(
        a is b or q.rewriter.normal(a) is q.rewriter.normal(b) for a, b in zip(parts, F)
    )


def in_range(q: Question, M: Expr, R: Expr) -> bool:
    """Whether M is a sum of positive semidefinite F W F', and every term of R begins with some F W, or F where W > 0.

    The range of such a sum is the sum of the ranges: then M pinv(M) R = R.
    """
    starts: list[list[Expr]] = []
    for t in q.multiplied_out(M):
        scalars, body = split_scalars(t)
        factors = _factors(body)
        half, odd = len(factors) // 2, len(factors) % 2
        middle = factors[half] if odd else None
        if q.sign(scalars) < 1 or not _is_palindrome(q, factors):
            return False
        if middle is None or q.is_positive_definite(middle):
            starts.append(factors[:half])
        elif q.is_positive_semidefinite(middle):
            starts.append(factors[: half + 1])
        else:
            return False
    for t in q.multiplied_out(R):
        parts = _factors(split_scalars(t)[1])
        if not any(_starts(q, parts, F) for F in starts if F):
            return False
    return bool(starts)
