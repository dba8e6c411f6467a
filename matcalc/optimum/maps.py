"""Linear maps X -> sum of Q X P', read off their matrices on vec, and the solution of such equations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from matcalc import core
from matcalc.core import matmul, number, transpose
from matcalc.dims import is_one, same, same_shape
from matcalc.expr import Expr
from matcalc.ops.equations import lyapunov, lyapunov_form, sylvester, sylvester_form
from matcalc.ops.matrix_functions import matpow
from matcalc.ops.products import reshape_
from matcalc.ops.selection import dup
from matcalc.optimum.lines import Line, reasoned
from matcalc.optimum.one_side import Solved, scaled, solved_left, why_nonsingular
from matcalc.optimum.question import Question, inverse_of, is_symmetric, product_of, split_scalars, terms
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
        return core.eye(n), scaled(scalars, core.eye(m))
    if e.op == "comm" and symmetric and same(m, n):
        return core.eye(n), scaled(scalars, core.eye(m))
    if e.op == "kron" and same_shape(e.args[0].shape, (cols, n)) and same_shape(e.args[1].shape, (k, m)):
        return e.args[0], scaled(scalars, e.args[1])
    if e.op == "matpow" and e.args[0].op == "kron" and e.args[1].number is not None:
        base = _pair(e.args[0], shape, image, symmetric)
        if base is not None:
            P, Q = (matpow(f, e.args[1]) for f in base)
            return P, scaled(scalars, Q)
    if e.op == "matmul" and symmetric and "comm" in (e.args[0].op, e.args[-1].op):
        rest = e.args[1:] if e.args[0].op == "comm" else e.args[:-1]
        inner = _pair(matmul(*rest), shape, image, symmetric)
        return None if inner is None else (inner[0], scaled(scalars, inner[1]))
    return None


def with_distributed(q: Question, K: Expr) -> Expr:
    """The matrix as a sum of terms that are not sums: multiples of sums are multiplied out."""
    found = []
    for t in terms(K):
        scalars, e = split_scalars(t)
        found += [scaled(scalars, part) for part in terms(e)]
    return core.add(*found)


def as_product(q: Question, found: list[Pair]) -> Pair | None:
    """The one pair that a sum of pairs is equal to, where one factor is common."""
    if not found:
        return None
    for first, second in ((0, 1), (1, 0)):
        base = [split_scalars(q.simple(p[first])) for p in found]
        if all(b[1] is base[0][1] for b in base):
            total = q.simple(core.add(*(scaled(b[0], p[second]) for b, p in zip(base, found))))
            return (base[0][1], total) if first == 0 else (total, base[0][1])
    return None


# ------------------------------------------------------------------------------------------------ both sides


def solved_pair(q: Question, pair: Pair, R: Expr, X: Expr) -> Solved:
    """The X with Q X P' = R."""
    P, Q = pair
    inner = X if _is_one(P) else product_of(X, transpose(P))
    left = solved_left(q, Q, R, inner) if not _is_one(Q) else Solved(R)
    if _is_one(P):
        return left
    right = solved_left(q, P, q.simple(transpose(left.value)), q.simple(transpose(X)), turned_round=True)
    turned = [line.changed(lambda e: q.simple(transpose(e))) for line in right.lines]
    return Solved(
        q.simple(transpose(right.value)),
        (*left.given, *right.given),
        (*left.remarks, *right.remarks),
        left.unique and right.unique,
        exact=left.exact or right.exact,
        lines=(*left.lines, *(turned[1:] if left.lines else turned)),
    )


def _is_one(e: Expr) -> bool:
    """Whether a factor leaves what it multiplies as it is."""
    return e.number == 1 or e.op == "eye"


def solved_map(q: Question, X: Expr, K: Expr, R: Expr) -> Solved:
    """The X at which the map with the matrix K on vec is R: by a product, or by a system on vec."""
    symmetric = is_symmetric(X) and not X.is_scalar
    found = kronecker_pairs(with_distributed(q, K), X.shape, X.shape, symmetric=symmetric)
    pair = None if found is None else as_product(q, found)
    if pair is not None and (not symmetric or _keeps_symmetry(q, pair)):
        solved = solved_pair(q, pair, R, X)
        return replace(solved, symmetric=symmetric)
    two_sided = None if found is None else (_lyapunov if symmetric else _sylvester)(q, found, R, X)
    if two_sided is not None:
        return two_sided
    if found is not None:
        K = _on_symmetric(q, found) if symmetric else core.add(*(core.kron(P, Q) for P, Q in found))
    elif symmetric:
        return _symmetric_on_vec(q, X, K, R)
    K = q.simple(K)
    return replace(solved_on_vec(q, X, K, R), symmetric=symmetric)


def _sylvester(q: Question, found: list[Pair], R: Expr, X: Expr) -> Solved | None:
    """A X + X B = R, also from two products Q X P' of which one factor each is nonsingular."""
    left = [(P, Q) for P, Q in found if _identity_factor(P) is not None]
    right = [(P, Q) for P, Q in found if _identity_factor(P) is None and _identity_factor(Q) is not None]
    if left and right and len(left) + len(right) == len(found):
        A = q.simple(core.add(*(core.product(_factor(P), Q) for P, Q in left)))
        C = q.simple(core.add(*(core.product(_factor(Q), transpose(P)) for P, Q in right)))
        K = q.simple(sylvester_form(A, C))
        return Solved(sylvester(A, C, R), _needed(q, K), exact=True, lines=_sylvester_lines(X, A, C, R))
    if len(found) != 2:
        return None
    for (P1, Q1), (P2, Q2) in (found, found[::-1]):
        if q.is_nonsingular(q.simple(P1)) and q.is_nonsingular(q.simple(Q2)):
            A = q.simple(product_of(inverse_of(Q2), Q1))
            C = q.simple(transpose(product_of(inverse_of(P1), P2)))
            K = q.simple(core.add(*(core.kron(P, Q) for P, Q in found)))
            turned = q.simple(product_of(inverse_of(Q2), R, transpose(inverse_of(P1))))
            here = Line(core.add(*(product_of(Q, X, transpose(P)) for P, Q in found)), R)
            why = ("multiplied by the inverses of ", Q2, " from the left and of ", transpose(P1), " from the right")
            lines = (here, *reasoned(_sylvester_lines(X, A, C, turned), why))
            return Solved(sylvester(A, C, turned), _needed(q, K), exact=True, lines=lines)
    return None


def _sylvester_lines(X: Expr, A: Expr, C: Expr, R: Expr) -> tuple[Line, ...]:
    """A X + X C = R and its solution."""
    equation = core.add(product_of(A, X), product_of(X, C))
    return (Line(equation, R), Line(X, sylvester(A, C, R), ("a Sylvester equation; its solution has this name",)))


def _needed(q: Question, K: Expr) -> tuple[tuple[str, Expr], ...]:
    return () if q.is_nonsingular(K) else (("nonsingular", K),)


def _identity_factor(e: Expr) -> Expr | None:
    """The s of s*I."""
    s, body = split_scalars(e)
    return s if body.op == "eye" else None


def _factor(e: Expr) -> Expr:
    return split_scalars(e)[0]


def _lyapunov(q: Question, found: list[Pair], R: Expr, X: Expr) -> Solved | None:
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
    value = lyapunov(body, double)
    here = Line(core.add(product_of(body, X), product_of(X, body)), double)
    last = Line(X, value, ("a Lyapunov equation; its solution has this name",))
    return Solved(value, given, symmetric=True, exact=True, lines=(here, last))


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
    here = Line(matmul(transpose(D), K, core.vec(X)), matmul(transpose(D), core.vec(R)))
    last = Line(core.vec(X), q.simple(column), ("solved for the entries on and below the diagonal",))
    return Solved(reshape_(q.simple(column), n, n), given, symmetric=True, exact=True, lines=(here, last))


def solved_on_vec(q: Question, X: Expr, K: Expr, R: Expr) -> Solved:
    """The same as a system for vec(X)."""
    rows, cols = X.shape
    given = () if q.is_nonsingular(K) else (("nonsingular", K),)
    column = q.simple(matmul(inverse_of(K), core.vec(R)))
    where = why_nonsingular(q, K) if not given else ("where ", K, " has an inverse")
    lines = (Line(matmul(K, core.vec(X)), core.vec(R)), Line(core.vec(X), column, where))
    return Solved(reshape_(column, rows, cols), given, exact=True, lines=lines)
