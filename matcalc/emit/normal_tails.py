"""The normal distribution in its tails: quotients of density and distribution function, however these are spelled."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import permutations
from operator import and_
from typing import Any

import sympy as sp

from matcalc import core
from matcalc.core import broadcast, minus, number
from matcalc.emit.matching import negation_of, plus_one
from matcalc.expr import Expr, number_value
from matcalc.ops.activations import normcdf, normratio
from matcalc.ops.elementwise import exp
from matcalc.rewrite.terms import coefficient_and_rest, meaning, times_number


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
            return product_like([*rest, found], e)
        if above.op == "exp" and below.op == "erfc" and up == down == 1:  # exp(X^2) erfc(X)
            found = _ratio(exp(negated_form(*above.args)), below)
            if found is not None:
                return product_like([*rest, core.power(found, -1)], e)
        found = _over_terms(above, e.args[k]) if up == 1 and above.op in ("normpdf", "exp") else None
        if found is not None:
            return product_like([*rest, found], e)
    return None


def _ratio(above: Expr, below: Expr) -> Expr | None:
    """normpdf(X) ./ normcdf(X), also where these are spelled otherwise: at -X, by 1 - normcdf(X), by erfc and erf."""
    factor, body = coefficient_and_rest(meaning(below))
    if body is not None and factor != 1:
        inner = _ratio(above, body)
        return None if inner is None else core.scale(number(1 / factor), inner)
    above, lower = meaning(above), meaning(below)
    rest = plus_one(below)
    tail = None if rest is None else negation_of(rest)
    if above.op == "exp":  # erfc(X), 1 - erf(X), and 1 + erf(X), which is erfc(-X)
        inside = lower if rest is None else _without_sign(rest)
        if inside.op != ("erfc" if rest is None else "erf") or not is_minus_square(above.args[0], inside.args[0]):
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


def is_minus_square(e: Expr, X: Expr) -> bool:
    """Whether e is -X.^2, also with the factors of X multiplied out."""
    (c, square), (a, rest) = coefficient_and_rest(meaning(e)), coefficient_and_rest(meaning(X))
    base, k = (square, sp.S.One) if square is None else base_and_power(square)
    if base is None or k != 2:
        return False
    b, body = coefficient_and_rest(meaning(base))
    return body is rest and bool(sp.simplify(c * b**2 + a**2) == 0)


def _over_terms(above: Expr, e: Expr) -> Expr | None:
    """f e, where e is a sum with a ./ F + b ./ G + c in it: a (f ./ F) + b (f ./ G) + c f, by each divisor once."""
    groups: dict[Expr | None, list[Counter[Expr]]] = defaultdict(list)
    for divisor, factors in _terms(above, e):
        groups[divisor].append(Counter(factors))
    if set(groups) == {None}:
        return None
    parts = []
    for divisor, terms in groups.items():
        common = reduce(and_, terms)
        rests = [product_like((t - common).elements(), e) for t in terms]
        front = above if divisor is None else _ratio(above, divisor)
        assert front is not None
        whole = [] if terms == [common] else [core.add(*rests)]
        parts.append(product_like([*common.elements(), front, *whole], e))
    return core.add(*parts)


def _terms(above: Expr, e: Expr) -> Iterator[tuple[Expr | None, list[Expr]]]:
    """The terms of a sum as factors: with the divisor, and times it, where it makes a ratio; sums in them opened."""
    e = meaning(e)
    for t in e.args if e.op == "add" else (e,):
        factors = factors_of_product(t)
        rests = [factors[:n] + factors[n + 1 :] for n in range(len(factors))]
        for f, rest in zip(factors, rests):
            base, k = base_and_power(f)
            if k is not None and k.is_negative and _ratio(above, base) is not None:
                yield base, rest if k == -1 else [*rest, core.power(base, k + 1)]
                break
        else:
            for f, rest in zip(factors, rests):
                inner = list(_terms(above, f)) if meaning(f).op == "add" else []
                if any(divisor is not None for divisor, _ in inner):
                    yield from ((divisor, [*rest, *more]) for divisor, more in inner)
                    break
            else:
                yield None, factors


def product_like(factors: Iterable[Expr], like: Expr) -> Expr:
    """The product of scalars and entrywise factors, in the shape of another value."""
    scalars: list[Expr] = []
    matrices: list[Expr] = []
    for f in factors:
        (scalars if f.is_scalar else matrices).append(f)
    product = [core.hadamard(*matrices)] if matrices else []
    return broadcast(core.scale(*scalars, *product) if scalars or product else number(1), like.shape)


def factors_of_product(t: Expr) -> list[Expr]:
    """The factors of a product, of a product among these too."""
    return [f for a in t.args for f in factors_of_product(a)] if t.op in ("hadamard", "scale") else [t]


def base_and_power(e: Expr) -> tuple[Expr, Any]:
    e = meaning(e)
    if e.op != "power":
        return e, sp.S.One
    return e.args[0], number_value(e.args[1]) if e.args[1].op == "number" else None


def as_normal(X: Expr) -> Expr:
    """-sqrt(2) X"""
    factor, rest = -sp.sqrt(2), X
    while True:
        if rest.op == "scale" and rest.args[0].op == "number":
            factor, rest = factor * number_value(rest.args[0]), core.scale(*rest.args[1:])
        elif rest.op == "divide" and rest.args[1].op == "number":
            factor, rest = factor / number_value(rest.args[1]), rest.args[0]
        else:
            return rest if factor == 1 else core.scale(number(factor), rest)


def log_density(X: Expr) -> Expr:
    """log(normpdf(X))"""
    return core.plus(core.scale(number(-sp.S.Half), core.power(X, 2)), number(-sp.log(2 * sp.pi) / 2))


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
    return times_number(-sp.S.One, X) if inner is None else inner
