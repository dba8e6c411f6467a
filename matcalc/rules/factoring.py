"""Common factors of a sum come out: `A X + A Y = A (X + Y)`, `P o A - P o B = P o (A - B)`."""

from __future__ import annotations

import sympy as sp

from matcalc import core
from matcalc.core import add, hadamard, matmul, number, scale, var
from matcalc.expr import Expr
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MATRIX_ALGEBRA, node_rule
from matcalc.rewrite.terms import coefficient_and_rest, factors_of, join, split, times_number


def _left() -> tuple[Expr, Expr]:
    A, X, Y = var("A", "m", "n"), var("X", "n", "p"), var("Y", "n", "p")
    return add(A @ X, A @ Y), A @ add(X, Y)


@node_rule(op="add", group="present", source=MATRIX_ALGEBRA, example=_left)
def common_left_factor(e: Expr, context: Context) -> Expr | None:
    """A X + A Y = A (X + Y)"""
    return _common(e, at=0)


def _right() -> tuple[Expr, Expr]:
    A, X, Y = var("A", "m", "n"), var("X", "p", "m"), var("Y", "p", "m")
    return add(X @ A, Y @ A), add(X, Y) @ A


@node_rule(op="add", group="present", source=MATRIX_ALGEBRA, example=_right)
def common_right_factor(e: Expr, context: Context) -> Expr | None:
    """X A + Y A = (X + Y) A"""
    return _common(e, at=-1)


def _common(e: Expr, at: int) -> Expr | None:
    """Take the first factor that two terms share at one end out of all the terms that have it."""
    groups: dict[bytes, list[int]] = {}
    pieces = []
    for k, t in enumerate(e.args):
        coefficient, scalars, body = split(t)
        factors = factors_of(body, "matmul") if body is not None else ()
        pieces.append((coefficient, scalars, factors))
        if factors:
            groups.setdefault(factors[at].digest, []).append(k)
    for members in groups.values():
        if len(members) < 2:
            continue
        shared = pieces[members[0]][2][at]
        inner = []
        for k in members:
            coefficient, scalars, factors = pieces[k]
            rest = factors[1:] if at == 0 else factors[:-1]
            size = shared.shape[1] if at == 0 else shared.shape[0]
            left = matmul(*rest) if rest else _identity(size)
            if left is None:
                return None
            inner.append(_with_scalars(coefficient, scalars, left))
        coefficient, inner = _shared_number(inner)
        total = add(*inner)
        product = matmul(shared, total) if at == 0 else matmul(total, shared)
        return _with_the_others(e, members, times_number(coefficient, product))
    return None


def _identity(size: object) -> Expr | None:
    return core.eye(size) if size != 1 else number(1)


def _with_scalars(coefficient: object, scalars: list[Expr], body: Expr) -> Expr:
    own, more, inner = split(body)
    return join(coefficient * own, [*scalars, *more], inner)


def _with_the_others(e: Expr, members: list[int], joint: Expr) -> Expr:
    """The sum with the given terms replaced by one, at the place of the first."""
    terms = [joint if k == members[0] else t for k, t in enumerate(e.args) if k == members[0] or k not in members]
    return add(*terms)


def _shared_number(terms: list[Expr]) -> tuple[object, list[Expr]]:
    """The rational that all terms share, and the terms without it; the first one keeps a positive sign."""
    numbers = [coefficient_and_rest(t)[0] for t in terms]
    if not all(c.is_Rational for c in numbers):
        return sp.S.One, terms
    shared = abs(numbers[0]) if all(abs(c) == abs(numbers[0]) for c in numbers) else sp.S.One
    if all(c.is_negative for c in numbers):
        shared = -shared
    return shared, [times_number(1 / shared, t) for t in terms]


def _entrywise() -> tuple[Expr, Expr]:
    P, A, B = var("P", "m", "n"), var("A", "m", "n"), var("B", "m", "n")
    return add(hadamard(P, A), hadamard(P, B)), hadamard(P, add(A, B))


@node_rule(op="add", group="present", source=MATRIX_ALGEBRA, example=_entrywise)
def common_entrywise_factor(e: Expr, context: Context) -> Expr | None:
    """P o A + P o B = P o (A + B)"""
    pieces = []
    groups: dict[bytes, list[int]] = {}
    for k, t in enumerate(e.args):
        coefficient, scalars, body = split(t)
        factors = factors_of(body, "hadamard") if body is not None else ()
        pieces.append((coefficient, scalars, factors))
        for f in dict.fromkeys(factors):
            groups.setdefault(f.digest, []).append(k)
    best = max(groups.values(), key=len, default=[])
    for digest, members in groups.items():
        if len(members) < 2 or len(members) < len(best):
            continue
        shared = next(f for f in pieces[members[0]][2] if f.digest == digest)
        inner = []
        for k in members:
            coefficient, scalars, factors = pieces[k]
            position = next(i for i, f in enumerate(factors) if f.digest == digest)
            rest = factors[:position] + factors[position + 1 :]
            left = hadamard(*rest) if rest else core.broadcast(number(1), e.shape)
            inner.append(_with_scalars(coefficient, scalars, left))
        coefficient, inner = _shared_number(inner)
        return _with_the_others(e, members, times_number(coefficient, hadamard(shared, add(*inner))))
    return None


def _scalar() -> tuple[Expr, Expr]:
    s, A, B = var("s", 1, 1), var("A", "m", "n"), var("B", "m", "n")
    return add(scale(s, A), scale(s, B)), scale(s, add(A, B))


@node_rule(op="add", group="present", source=MATRIX_ALGEBRA, example=_scalar)
def common_scalar_factor(e: Expr, context: Context) -> Expr | None:
    """s A + s B = s (A + B), s a number or a 1 x 1 value"""
    numbers = [coefficient_and_rest(t)[0] for t in e.args]
    if len({abs(c) for c in numbers}) == 1 and abs(numbers[0]) != 1:
        shared = abs(numbers[0])
        return scale(number(shared), add(*(times_number(1 / shared, t) for t in e.args)))
    pieces = [split(t) for t in e.args]
    first = pieces[0][1]
    for s in first:
        positions = [next((i for i, f in enumerate(scalars) if f.digest == s.digest), None) for _, scalars, _ in pieces]
        if any(i is None for i in positions):
            continue
        inner = [
            join(c, [f for k, f in enumerate(scalars) if k != i], body)
            for (c, scalars, body), i in zip(pieces, positions)
        ]
        return scale(s, add(*inner))
    return None
