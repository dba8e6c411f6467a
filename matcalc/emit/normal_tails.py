"""The normal distribution in its tails: quotients of density and distribution function, however these are spelled."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import sympy as sp

from matcalc import core
from matcalc.core import broadcast, minus, number
from matcalc.emit.matching import negation_of, plus_one
from matcalc.expr import Expr, node, number_value
from matcalc.ops.activations import normcdf, normratio
from matcalc.rewrite.terms import coefficient_and_rest, meaning


def normal_ratio(e: Expr) -> Expr | None:
    """A product with normpdf(X) ./ normcdf(X): both underflow where their ratio is about -X."""
    if e.op == "divide":
        return _ratio(*e.args)
    if e.op not in ("hadamard", "scale"):
        return None
    for i, k in permutations(range(len(e.args)), 2):
        (above, up), (below, down) = base_and_power(e.args[i]), base_and_power(e.args[k])
        rest = [a for n, a in enumerate(e.args) if n not in (i, k)]
        found = _ratio(above, below) if up is not None and up.is_positive and down == -up else None
        if found is not None:
            found = found if up == 1 else core.power(found, up)
            return node(e.op, (*rest, found)) if rest else found
        for divisor in _divisors(e.args[k]) if up == 1 and above.op in ("normpdf", "exp") else ():
            found = _ratio(above, divisor)
            quotient = None if found is None else _times(e.args[k], divisor)
            if found is not None and quotient is not None:
                return node(e.op, (*rest, found, quotient))
    return None


def _ratio(above: Expr, below: Expr) -> Expr | None:
    """normpdf(X) ./ normcdf(X), also where these are spelled otherwise: at -X, by 1 - normcdf(X), by erfc and erf."""
    above, lower = meaning(above), meaning(below)
    rest = plus_one(below)
    tail = None if rest is None else negation_of(rest)
    if above.op == "exp":  # erfc(X), 1 - erf(X), and 1 + erf(X), which is erfc(-X)
        inside = lower if rest is None else _without_sign(rest)
        if inside.op != ("erfc" if rest is None else "erf") or not _is_minus_square(above.args[0], inside.args[0]):
            return None
        X = minus(*inside.args) if rest is not None and tail is None else inside.args[0]
        return core.scale(number(sp.sqrt(sp.pi / 2)), normratio(as_normal(X)))
    if above.op != "normpdf":
        return None
    X = above.args[0]
    if lower is normcdf(X):
        return normratio(X)
    if tail is not None and meaning(tail) is normcdf(X):
        return normratio(negated_form(X))
    reflected = negated_form(X)
    return normratio(reflected) if lower is normcdf(reflected) else None


def _is_minus_square(e: Expr, X: Expr) -> bool:
    """Whether e is -X.^2, also with the factors of X multiplied out."""
    (c, square), (a, rest) = coefficient_and_rest(meaning(e)), coefficient_and_rest(meaning(X))
    base, k = (square, sp.S.One) if square is None else base_and_power(square)
    if base is None or k != 2:
        return False
    b, body = coefficient_and_rest(meaning(base))
    return body is rest and bool(sp.simplify(c * b**2 + a**2) == 0)


def _divisors(e: Expr) -> set[Expr]:
    """What the terms of a sum are divided by."""
    parts = [f for t in e.args for f in _factors(t)] if e.op == "add" else []
    powers = [base_and_power(f) for f in parts]
    return {base for base, k in powers if k is not None and k.is_negative}


def _times(e: Expr, below: Expr) -> Expr | None:
    """A value times what each of its terms is divided by."""
    if e.op == "add":
        terms = [_times(t, below) for t in e.args]
        return None if None in terms else core.add(*(t for t in terms if t is not None))
    factors = _factors(e)
    for n, f in enumerate(factors):
        base, k = base_and_power(f)
        inner = _times(f, below) if f.op == "add" else None
        if inner is not None:
            factors[n] = inner
        elif base is below and k is not None and k.is_negative:
            factors[n : n + 1] = [] if k == -1 else [core.power(below, k + 1)]
        else:
            continue
        matrices = [f for f in factors if not f.is_scalar]
        product = [core.hadamard(*matrices)] if matrices else []
        made = core.scale(*(f for f in factors if f.is_scalar), *product) if factors else number(1)
        return broadcast(made, e.shape)
    return None


def _factors(t: Expr) -> list[Expr]:
    """The factors of a product, of a product among these too."""
    return [f for a in t.args for f in _factors(a)] if t.op in ("hadamard", "scale") else [t]


def base_and_power(e: Expr) -> tuple[Expr, Any]:
    e = meaning(e)
    if e.op != "power":
        return e, sp.S.One
    return e.args[0], number_value(e.args[1]) if e.args[1].op == "number" else None


def as_normal(X: Expr) -> Expr:
    """-sqrt(2) X"""
    factor, rest = -sp.sqrt(2), X
    while rest.op == "scale" and rest.args[0].op == "number":
        factor, rest = factor * number_value(rest.args[0]), core.scale(*rest.args[1:])
    return rest if factor == 1 else core.scale(number(factor), rest)


def is_normal(e: Expr) -> bool:
    """Whether it is a tail of the normal distribution, or twice one."""
    rest = plus_one(e)
    return _without_sign(e if rest is None else rest).op in ("normcdf", "erfc" if rest is None else "erf")


def _without_sign(e: Expr) -> Expr:
    negated = negation_of(e)
    return meaning(e if negated is None else negated)


def negated_form(X: Expr) -> Expr:
    """-X, and Y for -Y."""
    inner = negation_of(X)
    return minus(X) if inner is None else inner
