"""Multiplying out where no digit is lost: sums of quotients, and products that cancel to one difference.

Rules of the group `distribute` that are exact: they lead generated code to `X'*(s - y)` too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import permutations

from matcalc.core import add, difference, hadamard, minus, power, scale, var
from matcalc.expr import Expr
from matcalc.ops.elementwise import sigmoid
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MATRIX_ALGEBRA, node_rule
from matcalc.rewrite.terms import base_and_exponent, factors_of, join, number_and_term, split
from matcalc.rules.functions import negated


def _factors(t: Expr) -> list[Expr]:
    """The entrywise factors of a term; of a 1 x 1 value its factors."""
    _, scalars, body = split(t)
    return scalars if body is None else [*scalars, *factors_of(body, "hadamard")]


def _is_quotient(t: Expr) -> bool:
    pairs = (base_and_exponent(f) for f in _factors(t.args[0] if t.op == "broadcast" else t))
    return any(k.op == "number" and k.params[0].is_negative for _, k in pairs)


def _with_quotients(e: Expr, factors: Iterable[Expr]) -> Expr | None:
    """The product of `e` with a sum of quotients (and one other term) multiplied out; all other sums stay whole."""
    factors = list(factors)
    for k, f in enumerate(factors):
        if f.op == "add" and sum(map(_is_quotient, f.args)) >= len(f.args) - 1:
            others = [*factors[:k], *factors[k + 1 :]]
            times = scale if e.is_scalar else hadamard
            return add(*(times(*others, t) for t in f.args))
    return None


def _entries() -> tuple[Expr, Expr]:
    A, B = var("A", "m", "n"), var("B", "m", "n")
    s, t = var("s", "m", "n", ["positive"]), var("t", "m", "n", ["positive"])
    quotients = add(hadamard(A, power(s, -1)), hadamard(B, power(t, -1)))
    return hadamard(quotients, s, t), add(hadamard(A, t), hadamard(B, s))


@node_rule(op="hadamard", group="distribute", source=MATRIX_ALGEBRA, example=_entries, exact=True)
def distribute_over_quotients(e: Expr, context: Context) -> Expr | None:
    """(A ./ s + B ./ t) o P = A ./ s o P + B ./ t o P: each term is rounded, and what it is divided by may cancel"""
    return _with_quotients(e, e.args)


def _scalars() -> tuple[Expr, Expr]:
    a, b, s, t = var("a", 1, 1), var("b", 1, 1), var("s", 1, 1, ["positive"]), var("t", 1, 1, ["positive"])
    quotients = add(scale(a, power(s, -1)), scale(b, power(t, -1)))
    return scale(quotients, s, t), add(scale(a, t), scale(b, s))


@node_rule(op="scale", group="distribute", source=MATRIX_ALGEBRA, example=_scalars, exact=True)
def distribute_over_scalar_quotients(e: Expr, context: Context) -> Expr | None:
    """(a/s + b/t) p = a/s p + b/t p"""
    return _with_quotients(e, e.args) if e.is_scalar else None


def _complements() -> tuple[Expr, Expr]:
    A, B = var("A", "m", "n"), var("B", "m", "n")
    return add(hadamard(A, difference(1, B)), minus(hadamard(difference(1, A), B))), difference(A, B)


@node_rule(op="add", group="distribute", source=MATRIX_ALGEBRA, example=_complements, exact=True)
def crossed_complements(e: Expr, context: Context) -> Expr | None:
    """A o (1 - B) - (1 - A) o B = A - B"""
    if len(e.args) > MAX_TERMS:
        return None
    for i, k in permutations(range(len(e.args)), 2):
        (c, s), (d, t) = number_and_term(e.args[i]), number_and_term(e.args[k])
        if abs(c) != abs(d) or s is None or t is None:
            continue
        crossed = _crossed(_factors(s), _factors(t))
        if crossed is not None and c * crossed.first == -d * crossed.second:
            product = [*crossed.rest, difference(crossed.A, crossed.B)]
            c = c * crossed.first
            merged = join(c, product, None) if e.is_scalar else join(c, [], hadamard(*product))
            return add(*(merged if n == i else a for n, a in enumerate(e.args) if n != k))
    return None


MAX_TERMS = 8


@dataclass(frozen=True)
class Crossed:
    """Two products: first * A o (1 - B) o rest and second * (1 - A) o B o rest, where first and second are signs."""

    A: Expr
    B: Expr
    rest: list[Expr]
    first: int
    second: int


def _crossed(products: list[Expr], others: list[Expr]) -> Crossed | None:
    """The two products taken apart; None where they are not of this form."""
    for f in products:
        first, B = _complement(f)
        if B is None or B not in others:
            continue
        for g in others:
            second, A = _complement(g)
            if A is None or g.op != "add" or A not in products or A is f:
                continue
            rest, other = list(products), list(others)
            for part in (A, f):
                rest.remove(part)
            for part in (B, g):
                other.remove(part)
            if sorted(r.digest for r in rest) == sorted(r.digest for r in other):
                return Crossed(A, B, rest, first, second)
    return None


def _complement(e: Expr) -> tuple[int, Expr | None]:
    """The sign and B where `e` is 1 - B or B - 1; sigmoid(-X) is 1 - sigmoid(X)."""
    if e.op == "sigmoid":
        return 1, sigmoid(negated(e.args[0]))
    if e.op != "add" or len(e.args) != 2:
        return 0, None
    for one, other in (e.args, e.args[::-1]):
        sign, ones = number_and_term(one)
        c, rest = number_and_term(other)
        if abs(sign) == 1 and (ones is None or ones.op == "ones") and c == -sign:
            return int(sign), rest
    return 0, None
