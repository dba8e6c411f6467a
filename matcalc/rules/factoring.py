"""Common factors of a sum come out: `A X + A Y = A (X + Y)`, `P o A - P o B = P o (A - B)`, Kronecker factors too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from matcalc import core
from matcalc.core import add, hadamard, kron, matmul, number, scale, var
from matcalc.dims import Shape, same
from matcalc.exact import ONE
from matcalc.expr import Expr
from matcalc.rewrite.context import Context
from matcalc.rewrite.measure import cost
from matcalc.rewrite.rule import HORN, MATRIX_ALGEBRA, node_rule
from matcalc.rewrite.terms import (
    base_and_exponent,
    coefficient_and_rest,
    factors_of,
    join,
    number_and_term,
    numbered_term,
    raised,
    split,
    times_number,
)


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
    """Factor out the shared end factor that saves the most operations."""
    groups: dict[bytes, list[int]] = {}
    pieces = []
    for k, t in enumerate(e.args):
        coefficient, scalars, body = split(t)
        factors = factors_of(body, "matmul") if body is not None else ()
        pieces.append((coefficient, scalars, factors))
        if factors:
            groups.setdefault(factors[at].digest, []).append(k)
    found = []
    for members in groups.values():
        longer = [k for k in members if len(pieces[k][2]) > 1]
        found += [_taken_out(e, pieces, chosen, at) for chosen in (members, longer) if len(chosen) > 1]
    return min(found, key=cost, default=None)


def _taken_out(
    e: Expr, pieces: Sequence[tuple[Any, list[Expr], tuple[Expr, ...]]], members: list[int], at: int
) -> Expr:
    """The sum with the factor at one end taken out of some terms; what is nothing else becomes I."""
    shared = pieces[members[0]][2][at]
    inner = []
    for k in members:
        coefficient, scalars, factors = pieces[k]
        rest = factors[1:] if at == 0 else factors[:-1]
        size = shared.shape[1] if at == 0 else shared.shape[0]
        inner.append(_with_scalars(coefficient, scalars, matmul(*rest) if rest else _identity(size)))
    coefficient, inner = _shared_number(inner)
    total = add(*inner)
    product = matmul(shared, total) if at == 0 else matmul(total, shared)
    return _with_the_others(e, members, times_number(coefficient, product))


def _identity(size: object) -> Expr:
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
        return ONE, terms
    shared = abs(numbers[0]) if all(abs(c) == abs(numbers[0]) for c in numbers) else ONE
    if all(c.is_negative for c in numbers):
        shared = -shared
    return shared, [times_number(1 / shared, t) for t in terms]


def _entrywise() -> tuple[Expr, Expr]:
    P, A, B = var("P", "m", "n"), var("A", "m", "n"), var("B", "m", "n")
    return add(hadamard(P, A), hadamard(P, B)), hadamard(P, add(A, B))


@node_rule(op="add", group="present", source=MATRIX_ALGEBRA, example=_entrywise)
def common_entrywise_factor(e: Expr, context: Context) -> Expr | None:
    """P o A + P o B = P o (A + B), P in the lowest power that occurs"""
    bases: dict[bytes, Expr] = {}
    members: dict[bytes, list[tuple[int, Any]]] = {}
    for k, t in enumerate(e.args):
        body = split(t)[2]
        for base, exponent in _powers(factors_of(body, "hadamard") if body is not None else ()):
            bases.setdefault(base.digest, base)
            members.setdefault(base.digest, []).append((k, exponent))
    found = []
    for key, shared in members.items():
        lowest = _lowest(shared)
        if lowest is None:
            continue
        inner = [_without_factor(e.args[k], bases[key], lowest) for k, _ in shared]
        coefficient, inner = _shared_number(inner)
        product = times_number(coefficient, hadamard(raised(bases[key], lowest), add(*inner)))
        found.append(_with_the_others(e, [k for k, _ in shared], product))
    return min(found, key=cost, default=None)


def _powers(factors: Iterable[Expr]) -> list[tuple[Expr, Any]]:
    """The bases and exponents of some factors: rational powers, of bases that are in one factor only."""
    pairs = [base_and_exponent(f) for f in factors]
    counts = Counter(base.digest for base, _ in pairs)
    return [
        (base, k.params[0])
        for base, k in pairs
        if counts[base.digest] == 1 and k.op == "number" and k.params[0].is_Rational
    ]


def _lowest(shared: list[tuple[int, Any]]) -> Any:
    """The exponent nearest to 0 with which terms share a base; None where they share none."""
    exponents = [exponent for _, exponent in shared]
    if len({k for k, _ in shared}) < 2 or len({exponent.is_negative for exponent in exponents}) > 1:
        return None
    return max(exponents) if exponents[0].is_negative else min(exponents)


def _without_factor(t: Expr, base: Expr, exponent: Any) -> Expr:
    """A term over a power of one of its entrywise factors."""
    coefficient, scalars, body = split(t)
    kept = []
    for f in factors_of(body, "hadamard") if body is not None else ():
        own, k = base_and_exponent(f)
        if own.digest != base.digest:
            kept.append(f)
        elif k.params[0] != exponent:
            kept.append(raised(base, k.params[0] - exponent))
    left = hadamard(*kept) if kept else core.broadcast(number(1), t.shape)
    return _with_scalars(coefficient, scalars, left)


def _scalar() -> tuple[Expr, Expr]:
    s, A, B = var("s", 1, 1), var("A", "m", "n"), var("B", "m", "n")
    return add(scale(s, A), scale(s, B)), scale(s, add(A, B))


@node_rule(op="add", group="present", source=MATRIX_ALGEBRA, example=_scalar)
def common_scalar_factor(e: Expr, context: Context) -> Expr | None:
    """s A + s B = s (A + B), s a number or a 1 x 1 value"""
    numbers = [number_and_term(t)[0] for t in e.args]
    for shared in ({abs(c) for c in numbers}, {abs(c.as_coeff_Mul()[0]) for c in numbers}):
        if len(shared) == 1 and shared != {1}:
            (c,) = shared
            return scale(number(c), add(*(divided(t, c) for t in e.args)))
    return _common_power(e)


def divided(t: Expr, by: Any) -> Expr:
    """A term of a sum over a number."""
    coefficient, rest = number_and_term(t)
    return numbered_term(coefficient / by, rest)


def _common_power(e: Expr) -> Expr | None:
    """Take a 1 x 1 factor that terms share, in its lowest power, out of them: the one that spares most."""
    pieces = [_scalars_of(t) for t in e.args]
    members: dict[bytes, list[tuple[int, Any]]] = {}
    bases: dict[bytes, Expr] = {}
    for k, scalars in enumerate(pieces):
        for base, exponent in _powers(scalars):
            bases.setdefault(base.digest, base)
            members.setdefault(base.digest, []).append((k, exponent))
    found = []
    for key, shared in members.items():
        lowest = _lowest(shared)
        if lowest is None:
            continue
        positions = [k for k, _ in shared]
        inner = add(*(_without(e.args[k], bases[key], lowest) for k in positions))
        found.append(_with_the_others(e, positions, scale(raised(bases[key], lowest), inner)))
    return min(found, key=cost, default=None)


def _scalars_of(t: Expr) -> list[Expr]:
    """The 1 x 1 factors of a term, also of one under a broadcast."""
    return split(t.args[0] if t.op == "broadcast" else t)[1]


def _without(t: Expr, base: Expr, exponent: Any) -> Expr:
    """A term over a power of one of its 1 x 1 factors."""
    if t.op == "broadcast":
        return core.broadcast(_without(t.args[0], base, exponent), t.shape)
    coefficient, scalars, body = split(t)
    kept = []
    for f in scalars:
        own, k = base_and_exponent(f)
        if own.digest != base.digest:
            kept.append(f)
        elif k.params[0] != exponent:
            kept.append(raised(base, k.params[0] - exponent))
    return join(coefficient, kept, body)


def _krons() -> tuple[Expr, Expr]:
    A, B, C = var("A", "m", "n"), var("B", "m", "n"), var("C", "p", "q")
    return add(kron(C, A), kron(C, B)), kron(C, add(A, B))


@node_rule(op="add", group="present", source=HORN, example=_krons)
def common_kron_factor(e: Expr, context: Context) -> Expr | None:
    """A (x) C + B (x) C = (A + B) (x) C, C (x) A + C (x) B = C (x) (A + B), I_pn being I_p (x) I_n"""
    found = []
    for side in (0, 1):
        groups: dict[bytes, Expr] = {}
        for t in e.args:
            body = split(t)[2]
            if body is not None and body.op == "kron":
                groups.setdefault(body.args[side].digest, body)
        for first in groups.values():
            shared, other = first.args[side], first.args[1 - side]
            beside = {k: _beside(t, shared, other.shape, side) for k, t in enumerate(e.args)}
            inner = {k: rest for k, rest in beside.items() if rest is not None}
            if len(inner) > 1:
                coefficient, terms = _shared_number(list(inner.values()))
                pair = (shared, add(*terms)) if side == 0 else (add(*terms), shared)
                found.append(_with_the_others(e, list(inner), times_number(coefficient, kron(*pair))))
    return min(found, key=cost, default=None)


def _beside(t: Expr, shared: Expr, shape: Shape, side: int) -> Expr | None:
    """The other factor, of this shape, of a term that is a Kronecker product with `shared` on one side."""
    coefficient, scalars, body = split(t)
    if body is None:
        return None
    if body.op == "kron" and body.args[side].digest == shared.digest:
        return _with_scalars(coefficient, scalars, body.args[1 - side])
    if body.op == "eye" and shared.op == "eye" and same(*shape):
        return _with_scalars(coefficient, scalars, core.eye(shape[0]))
    return None
