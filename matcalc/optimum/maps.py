"""Linear maps X -> sum of Q X P', read off their matrices on vec, and the solution of such equations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from matcalc import core
from matcalc.core import matmul, number, transpose
from matcalc.dims import is_one, same, same_shape
from matcalc.expr import Expr
from matcalc.ops.equations import lyapunov, lyapunov_form, sylvester, sylvester_form
from matcalc.ops.matrix_functions import matpow
from matcalc.ops.products import reshape_
from matcalc.ops.selection import dup
from matcalc.optimum.question import Question, inverse_of, is_symmetric, product_of, pseudoinverse, split_scalars, terms
from matcalc.properties import known

Pair = tuple[Expr, Expr]


def kronecker_pairs(
    K: Expr, shape: Sequence[object], image: Sequence[object], *, symmetric: bool = False
) -> list[Pair] | None:
    """The matrix on vec of a map from m x n to k x l as pairs (P, Q), K = sum of kron(P, Q); None where it is not one.

    `symmetric`: the map is applied to symmetric matrices only, which commutation matrices leave as they are.
    """
    m, n = shape
    k, cols = image
    if is_one(n) and is_one(cols):
        return [(number(1), K)]
    if is_one(m) and is_one(k):
        return [(K, number(1))]
    found: list[Pair] = []
    for t in terms(K):
        pair = _pair(t, shape, image, symmetric)
        if pair is None:
            return None
        if pair[0].op != "zeros":
            found.append(pair)
    return found


def _pair(t: Expr, shape: Sequence[object], image: Sequence[object], symmetric: bool) -> Pair | None:
    (m, n), (k, cols) = shape, image
    scalars, e = split_scalars(t)
    if e.op == "zeros":
        return e, e
    if e.op == "add":
        return None
    if e.op == "eye" and same(m, k) and same(n, cols):
        return core.eye(n), _scaled(scalars, core.eye(m))
    if e.op == "comm" and symmetric and same(m, n):
        return core.eye(n), _scaled(scalars, core.eye(m))
    if e.op == "kron" and same_shape(e.args[0].shape, (cols, n)) and same_shape(e.args[1].shape, (k, m)):
        return e.args[0], _scaled(scalars, e.args[1])
    if e.op == "matpow" and e.args[0].op == "kron" and e.args[1].number is not None:
        base = _pair(e.args[0], shape, image, symmetric)
        if base is not None:
            P, Q = (matpow(f, e.args[1]) for f in base)
            return P, _scaled(scalars, Q)
    if e.op == "matmul" and symmetric and "comm" in (e.args[0].op, e.args[-1].op):
        rest = e.args[1:] if e.args[0].op == "comm" else e.args[:-1]
        inner = _pair(matmul(*rest), shape, image, symmetric)
        return None if inner is None else (inner[0], _scaled(scalars, inner[1]))
    return None


def _scaled(scalars: Expr, M: Expr) -> Expr:
    return M if scalars.number == 1 else core.scale(scalars, M)


def with_distributed(q: Question, K: Expr) -> Expr:
    """The matrix as a sum of terms that are not sums: multiples of sums are multiplied out."""
    found = []
    for t in terms(K):
        scalars, e = split_scalars(t)
        found += [_scaled(scalars, part) for part in terms(e)]
    return core.add(*found)


def as_product(q: Question, found: list[Pair]) -> Pair | None:
    """The one pair that a sum of pairs is equal to, where one factor is common."""
    if not found:
        return None
    for first, second in ((0, 1), (1, 0)):
        base = [split_scalars(q.simple(p[first])) for p in found]
        if all(b[1] is base[0][1] for b in base):
            total = q.simple(core.add(*(_scaled(b[0], p[second]) for b, p in zip(base, found))))
            return (base[0][1], total) if first == 0 else (total, base[0][1])
    return None


# ------------------------------------------------------------------------------------------------ one side


@dataclass(frozen=True)
class Solved:
    """The solution of a linear equation.

    Attributes:
        value: it.
        given: what was needed of the data.
        remarks: what is true of all solutions.
        exact: whether a lemma shows that it solves the equation.
        unique: whether it is the only solution (where `given` holds).
        symmetric: whether it is known to be symmetric.
    """

    value: Expr
    given: tuple[tuple[str, Expr], ...] = ()
    remarks: tuple[str, ...] = ()
    unique: bool = True
    symmetric: bool = False
    exact: bool = False


def solved_left(q: Question, M: Expr, R: Expr, *, turned_round: bool = False) -> Solved:
    """The X with M X = R: by the inverse, or by the pseudoinverse where R lies in the range of M.

    With `turned_round` the equation is the transpose of the one that was asked for, X' M' = R', which remarks speak of.
    """
    scalars, body = split_scalars(M)
    if not M.is_scalar and scalars.number != 1 and q.is_nonzero(scalars):
        return solved_left(q, body, q.simple(core.product(core.reciprocal(scalars), R)), turned_round=turned_round)
    turned = q.simple(core.minus(M))
    if M.op == "add" and not M.is_scalar and q.is_positive_definite(turned):
        return solved_left(q, turned, q.simple(core.minus(R)), turned_round=turned_round)
    if q.is_nonsingular(M):
        short = _without_factor(q, M, R)
        return Solved(q.simple(product_of(inverse_of(M), R))) if short is None else short
    if not M.is_scalar:
        short = _by_factor(q, M, R, turned_round)
        if short is not None:
            return short
        if in_range(q, M, R):
            return Solved(q.simple(matmul(pseudoinverse(M), R)), (), (_singular(M),), unique=False, exact=True)
    need = ("nonzero" if M.is_scalar else "nonsingular", M)
    return Solved(q.simple(product_of(inverse_of(M), R)), (need,))


def _without_factor(q: Question, M: Expr, R: Expr) -> Solved | None:
    """F M X = F R with a nonsingular F is M X = R."""
    found = [_factors(split_scalars(t)[1]) for t in q.multiplied_out(M)]
    F = next((f[0] for f in found if len(f) > 1 or f[0].op == "matpow"), None)
    F = F.args[0] if F is not None and F.op == "matpow" else F
    if M.op != "add" or F is None or F.op == "eye" or not q.is_nonsingular(F):
        return None
    rest = [_after(q, e, F) for e in (M, R)]
    if rest[0] is None or rest[1] is None or not q.is_nonsingular(rest[0]):
        return None
    return solved_left(q, rest[0], rest[1])


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
        found.append(_scaled(scalars, matmul(*tail) if tail else core.eye(F.shape[1])))
    return q.simple(core.add(*found))


def _singular(M: Expr) -> str:
    return f"where {M} is singular there are other solutions: they differ by what it sends to zero"


def _by_factor(q: Question, M: Expr, R: Expr, turned_round: bool) -> Solved | None:
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
        rest.append(_scaled(scalars, matmul(*tail)))
    Z = q.simple(product_of(core.reciprocal(s), core.add(*rest)))
    A = q.simple(transpose(matmul(*F)))
    return Solved(
        q.simple(product_of(pseudoinverse(A), Z)), (), (_all_of(q, A, turned_round),), unique=False, exact=True
    )


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


# ------------------------------------------------------------------------------------------------ both sides


def solved_pair(q: Question, pair: Pair, R: Expr) -> Solved:
    """The X with Q X P' = R."""
    P, Q = pair
    left = solved_left(q, Q, R) if Q.number != 1 else Solved(R)
    if P.number == 1:
        return left
    right = solved_left(q, P, q.simple(transpose(left.value)), turned_round=True)
    return Solved(
        q.simple(transpose(right.value)),
        (*left.given, *right.given),
        (*left.remarks, *right.remarks),
        left.unique and right.unique,
        exact=left.exact or right.exact,
    )


def solved_map(q: Question, X: Expr, K: Expr, R: Expr) -> Solved:
    """The X at which the map with the matrix K on vec is R: by a product, or by a system on vec."""
    symmetric = is_symmetric(X) and not X.is_scalar
    found = kronecker_pairs(with_distributed(q, K), X.shape, X.shape, symmetric=symmetric)
    pair = None if found is None else as_product(q, found)
    if pair is not None and (not symmetric or _keeps_symmetry(q, pair)):
        solved = solved_pair(q, pair, R)
        return replace(solved, symmetric=symmetric)
    two_sided = None if found is None else (_lyapunov if symmetric else _sylvester)(q, found, R)
    if two_sided is not None:
        return two_sided
    if found is not None:
        K = _on_symmetric(q, found) if symmetric else core.add(*(core.kron(P, Q) for P, Q in found))
    elif symmetric:
        return _symmetric_on_vec(q, X, K, R)
    K = q.simple(K)
    return replace(solved_on_vec(q, X, K, R), symmetric=symmetric)


def _sylvester(q: Question, found: list[Pair], R: Expr) -> Solved | None:
    """A X + X B = R, also from two products Q X P' of which one factor each is nonsingular."""
    left = [(P, Q) for P, Q in found if _identity_factor(P) is not None]
    right = [(P, Q) for P, Q in found if _identity_factor(P) is None and _identity_factor(Q) is not None]
    if left and right and len(left) + len(right) == len(found):
        A = q.simple(core.add(*(core.product(_factor(P), Q) for P, Q in left)))
        C = q.simple(core.add(*(core.product(_factor(Q), transpose(P)) for P, Q in right)))
        K = q.simple(sylvester_form(A, C))
        return Solved(sylvester(A, C, R), _needed(q, K), exact=True)
    if len(found) != 2:
        return None
    for (P1, Q1), (P2, Q2) in (found, found[::-1]):
        if q.is_nonsingular(q.simple(P1)) and q.is_nonsingular(q.simple(Q2)):
            A = q.simple(product_of(inverse_of(Q2), Q1))
            C = q.simple(transpose(product_of(inverse_of(P1), P2)))
            K = q.simple(core.add(*(core.kron(P, Q) for P, Q in found)))
            turned = q.simple(product_of(inverse_of(Q2), R, transpose(inverse_of(P1))))
            return Solved(sylvester(A, C, turned), _needed(q, K), exact=True)
    return None


def _needed(q: Question, K: Expr) -> tuple[tuple[str, Expr], ...]:
    return () if q.is_nonsingular(K) else (("nonsingular", K),)


def _identity_factor(e: Expr) -> Expr | None:
    """The s of s*I."""
    s, body = split_scalars(e)
    return s if body.op == "eye" else None


def _factor(e: Expr) -> Expr:
    return split_scalars(e)[0]


def _lyapunov(q: Question, found: list[Pair], R: Expr) -> Solved | None:
    """M X + X M = 2 R for symmetric X, M and R."""
    parts = []
    for P, Q in found:
        if _identity_factor(P) is not None:
            parts.append(core.product(_factor(P), Q))
        elif _identity_factor(Q) is not None:
            parts.append(core.product(_factor(Q), P))
        else:
            return None
    M = q.simple(core.add(*parts))
    if not known(M, "symmetric"):
        return None
    s, body = split_scalars(M)
    if s.number is None or q.sign(s) == 0:
        s, body = number(1), M
    given: tuple[tuple[str, Expr], ...] = ()
    if not q.is_positive_definite(body):
        given = (("nonsingular", body if q.is_positive_semidefinite(body) else q.simple(lyapunov_form(body))),)
    double = q.simple(core.product(core.reciprocal(s), core.scale(number(2), R)))
    return Solved(lyapunov(body, double), given, symmetric=True, exact=True)


def _keeps_symmetry(q: Question, pair: Pair) -> bool:
    """Whether Q X P' is symmetric for every symmetric X: then P and Q are multiples of one matrix."""
    (_, P), (_, Q) = (split_scalars(f) for f in pair)
    return q.rewriter.normal(P) is q.rewriter.normal(Q)


def _on_symmetric(q: Question, found: list[Pair]) -> Expr:
    """The matrix of the symmetric part of the sum, which is a map from symmetric matrices to symmetric ones."""
    half = number(core.exact("0.5"))
    return core.add(*(core.scale(half, core.add(core.kron(P, Q), core.kron(Q, P))) for P, Q in found))


def _symmetric_on_vec(q: Question, X: Expr, K: Expr, R: Expr) -> Solved:
    """The symmetric solution, by the distinct entries: K is symmetric, and taken along symmetric directions."""
    n = X.shape[0]
    D = dup(n)
    M = q.simple(matmul(transpose(D), K, D))
    given = () if q.is_nonsingular(M) else (("nonsingular", M),)
    column = matmul(D, core.inverse(M), transpose(D), core.vec(R))
    return Solved(reshape_(q.simple(column), n, n), given, symmetric=True, exact=True)


def solved_on_vec(q: Question, X: Expr, K: Expr, R: Expr) -> Solved:
    """The same as a system for vec(X)."""
    rows, cols = X.shape
    given = () if q.is_nonsingular(K) else (("nonsingular", K),)
    column = matmul(inverse_of(K), core.vec(R))
    return Solved(reshape_(q.simple(column), rows, cols), given, exact=True)
