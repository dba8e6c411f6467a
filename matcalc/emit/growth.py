"""Products and logarithms of what grows like an exponential, above and below, without overflow.

Such a factor is m .* exp(L) with m of moderate size: sinh(X) is sign(X) .* (1 - exp(-2 |X|))/2 .* exp(|X|), and a sum T
of several is exp(c) T' with c the largest of their L. The exponents are added before anything is raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import permutations
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import sympy as sp

from matcalc import core
from matcalc.core import broadcast, minus, number
from matcalc.emit.log_sums import log_of_sum
from matcalc.emit.matching import constant_of, exponent_of, narrow, negation_of, sigmoid_of, sum_of_exponentials
from matcalc.expr import Expr, node, number_value, operations
from matcalc.ops.comparison import maximum
from matcalc.ops.elementwise import absolute, exp, expm1, log, log1p, relu, sign, sinh, softplus, sqrt, tanh
from matcalc.ops.normalization import logsumexp
from matcalc.ops.reductions import max_, mean_, sum_, tr
from matcalc.ops.selection import place
from matcalc.properties import known
from matcalc.rewrite.terms import coefficient_and_rest, factors_of, meaning

# What is linear in its one argument.
_LINEAR = operations(sum_, mean_, tr, place) | {"transpose", "diag", "diagvec", "broadcast", "slice", "vec", "reshape"}
# What stands in an exponent, subtracted, where it was made small.
_TOPS = operations(absolute, maximum, max_, relu, softplus, logsumexp)
_FACTORED = frozenset(("hadamard", "scale", "divide", "power")) | operations(sqrt)
_SUMS_OF_PRODUCTS = _LINEAR | {"add", "block", "matmul", "hadamard", "scale"}
_HALF = number(sp.Rational(1, 2))
_REMEMBERED = 4096
_PRODUCTS = ("hadamard", "scale", "divide", "power")


class Grown(NamedTuple):
    """m .* exp(L); None for an m that is 1."""

    rest: Expr | None
    exponent: Expr


class Factor(NamedTuple):
    """A factor of a product with its exponent, as it stands and as m .* exp(L), where it grows."""

    base: Expr
    power: Any
    grown: Grown | None


@lru_cache(maxsize=_REMEMBERED)
def growth(f: Expr) -> Grown | None:
    """`f` as m .* exp(L), if it grows so."""
    f = joined(f)
    if f.op == "broadcast":
        inner = growth(f.args[0])
        rest = None if inner is None or inner.rest is None else broadcast(inner.rest, f.shape)
        return None if inner is None else Grown(rest, broadcast(inner.exponent, f.shape))
    X = exponent_of(f)
    if X is not None:
        return None if _bounded(X) else Grown(None, X)
    if f.op in ("sinh", "cosh", "expm1"):
        return None if _bounded(f.args[0]) else _of_entries(f)
    if f.op == "prod" and f.is_scalar and exponent_of(f.args[0]) is not None:
        return Grown(None, core.total(meaning(f.args[0]).args[0]))
    if f.op == "power" and f.args[1].op == "number" and number_value(f.args[1]).is_positive:
        inner, k = growth(f.args[0]), number_value(f.args[1])
        rest = None if inner is None or inner.rest is None else core.power(inner.rest, number(k))
        return None if inner is None else Grown(rest, core.scale(number(k), inner.exponent))
    if f.op == "scale" and f.args[0].op == "number" and len(f.args) == 2:
        inner = growth(f.args[1])
        return None if inner is None else Grown(_times(f.args[0], inner.rest, f), inner.exponent)
    found = _of_sum(f)
    if found is not None:
        return found
    total = sum_of_exponentials(f)
    if total is not None:
        return Grown(None, logsumexp(*total))
    logarithm = log_of_sum(f) if f.op in ("add", "sum") and grows(f) else None
    return None if logarithm is None else Grown(None, logarithm)


def _bounded(X: Expr) -> bool:
    """Whether something as large is subtracted from an exponent already."""
    terms = (coefficient_and_rest(narrow(t)) for t in factors_of(meaning(X), "add"))
    return any(rest is not None and c.is_negative and narrow(rest).op in _TOPS for c, rest in terms)


def _of_entries(f: Expr) -> Grown:
    X = f.args[0]
    one = broadcast(number(1), X.shape)
    if f.op == "expm1":
        m = minus(_product([sign(X), expm1(minus(absolute(X)))]))
        return Grown(m, relu(X))
    twice = core.scale(number(-2), absolute(X))
    if f.op == "cosh":
        return Grown(core.scale(_HALF, core.add(one, exp(twice))), absolute(X))
    return Grown(core.scale(minus(_HALF), _product([sign(X), expm1(twice)])), absolute(X))


def _of_sum(f: Expr) -> Grown | None:
    """A 1 x 1 sum of products: exp(c) times the sum of the products by exp(c), c the largest exponent."""
    if not f.is_scalar or f.op not in ("add", "sum", "mean", "matmul", "scale", "tr") or not grows(f):
        return None
    found = _exponents(f)
    if not found or (len(found) == 1 and (found[0] is None or found[0].is_scalar)):
        return None
    tops = [x if x is None or x.is_scalar else max_(x, axis=None) for x in found]
    c: Expr | None = None
    for top in (number(0) if t is None else t for t in dict.fromkeys(tops)):
        c = top if c is None or c is top else maximum(c, top)
    assert c is not None
    return Grown(less(f, c, 1), c)


@lru_cache(maxsize=_REMEMBERED)
def _exponents(f: Expr) -> tuple[Expr | None, ...]:
    """The exponents L in a sum, None for a term without; nothing where none grows or a term grows like a product."""
    if not grows(f):
        return ()
    f = joined(f)
    if f.op in _LINEAR:
        return _exponents(f.args[0])
    if f.op == "add":
        found = tuple(x for a in f.args for x in _exponents(a) or (None,))
        return found if any(x is not None for x in found) else ()
    if f.op in ("matmul", "hadamard", "scale"):
        growing = [part for part in map(_exponents, f.args) if part]
        return growing[0] if len(growing) == 1 else ()
    g = growth(f)
    return () if g is None else (g.exponent,)


_GROWS: WeakKeyDictionary[Expr, bool] = WeakKeyDictionary()


def grows(f: Expr) -> bool:
    """Whether something in a sum of products grows so."""
    waiting = [f]
    while waiting:
        e = waiting[-1]
        inner = joined(e)
        parts = inner.args if inner.op in _SUMS_OF_PRODUCTS else ()
        unknown = [a for a in parts if a not in _GROWS]
        if e not in _GROWS and unknown:
            waiting += unknown
            continue
        if e not in _GROWS:
            _GROWS[e] = any(_GROWS[a] for a in parts) if parts else growth(inner) is not None
        waiting.pop()
    return _GROWS[f]


def less(f: Expr, c: Expr, k: int) -> Expr:
    """f .* exp(-k c) for a 1 x 1 c, which meets the exponentials in `f`."""
    f = joined(f)
    if f.op in _LINEAR and grows(f):
        return node(f.op, (less(f.args[0], c, k),), f.params)
    if f.op in ("add", "block") and grows(f):
        return node(f.op, tuple(a if constant_of(a) == 0 else less(a, c, k) for a in f.args), f.params)
    if f.op in ("matmul", "hadamard", "scale"):
        at = [n for n, a in enumerate(f.args) if grows(a)]
        if at:
            shares = {n: k // len(at) + (place < k % len(at)) for place, n in enumerate(at)}
            return node(f.op, tuple(less(a, c, shares[n]) if shares.get(n) else a for n, a in enumerate(f.args)))
    g = growth(f)
    shift = c if k == 1 else core.scale(number(k), c)
    if g is None:
        return core.scale(exp(minus(shift)), f)
    return _times(exp(core.difference(g.exponent, broadcast(shift, f.shape))), g.rest, f)


@lru_cache(maxsize=_REMEMBERED)
def joined(f: Expr) -> Expr:
    """What a name stands for, with exp(X) - exp(-X) as 2 sinh(X) and exp(X) - 1 as expm1(X) in a sum."""
    f = meaning(f)
    for i, k in permutations(range(len(f.args)), 2) if f.op == "add" else ():
        found = difference_of_exponentials(f.args[i], f.args[k])
        negated = negation_of(f.args[i])
        X = exponent_of(f.args[i] if negated is None else negated)
        if X is not None and constant_of(f.args[k]) == (-1 if negated is None else 1):
            found = expm1(X) if negated is None else minus(expm1(X))
        if found is not None:
            rest = [a for n, a in enumerate(f.args) if n not in (i, k)]
            return joined(core.add(found, *rest)) if rest else found
    return f


def difference_of_exponentials(a: Expr, b: Expr) -> Expr | None:
    """exp(X) - exp(-X) = 2 sinh(X)"""
    X, negated = exponent_of(a), negation_of(b)
    Y = None if negated is None else exponent_of(negated)
    opposite = None if X is None or Y is None else (negation_of(Y) is X or negation_of(X) is Y)
    return core.scale(number(2), sinh(X)) if X is not None and opposite else None


# ------------------------------------------------------------------------------------------------ products


def _times(a: Expr, b: Expr | None, like: Expr) -> Expr:
    if b is None:
        return a if a.shape == like.shape else broadcast(a, like.shape)
    return core.scale(a, b) if a.is_scalar else core.hadamard(a, b)


def _product(factors: Sequence[Expr]) -> Expr:
    scalars = [f for f in factors if f.is_scalar]
    others = [f for f in factors if not f.is_scalar]
    whole = [core.hadamard(*others)] if len(others) > 1 else others
    return core.scale(*scalars, *whole) if len(scalars) + len(whole) > 1 else (scalars + whole)[0]


def _factors(e: Expr) -> list[Factor]:
    """The factors of an entrywise product."""
    found: list[Factor] = []
    stack: list[tuple[Expr, Any]] = [(e, sp.S.One)]
    while stack:
        f, k = stack.pop()
        inner = meaning(f)
        whole = inner.shape
        inner = narrow(inner) if narrow(inner).op in _FACTORED else inner
        X = sigmoid_of(inner) if k.is_positive else None
        if X is not None:  # 1 ./ (1 + exp(-X))
            below = core.add(broadcast(number(1), X.shape), exp(minus(X)))
            stack.append((broadcast(below, whole), -k))
        elif inner.op in _PRODUCTS and not (k.is_integer or all(map(_is_nonnegative, _bases(inner)))):
            found.append(Factor(f, k, growth(f)))  # a root of a product is no product of roots
        elif inner.op in ("hadamard", "scale"):
            stack.extend((broadcast(a, whole) if inner.shape != whole else a, k) for a in inner.args)
        elif inner.op == "divide":
            stack += [(broadcast(inner.args[0], whole), k), (broadcast(inner.args[1], whole), -k)]
        elif inner.op == "sqrt":
            stack.append((broadcast(inner.args[0], whole), k / 2))
        elif inner.op == "power" and inner.args[1].op == "number":
            stack.append((broadcast(inner.args[0], whole), k * number_value(inner.args[1])))
        else:
            found.append(Factor(f, k, growth(f)))
    return found[::-1]


def _bases(e: Expr) -> Sequence[Expr]:
    return e.args[:1] if e.op == "power" else e.args


def _is_nonnegative(a: Expr) -> bool:
    return bool(number_value(a).is_nonnegative) if a.op == "number" else known(a, "nonnegative")


def without_growth(e: Expr) -> Expr | None:
    """A product with such factors above and below, or None where there are none."""
    if e.op == "scale":
        inside = _placed(e)
        if inside is not None:
            return inside
    factors = _factors(e)
    below = [f for f in factors if f.grown is not None and f.power.is_negative]
    if not below:
        joint = _exponents_added(factors)
        return _multiplied_out(e, factors) if joint is None else joint
    if any(f.grown is not None and f.power.is_positive for f in factors):
        return _without_exponents(e, factors)
    shared = _shared_out(factors, below)
    return _multiplied_out(e, factors) if shared is None else shared


def _exponents_added(factors: list[Factor]) -> Expr | None:
    """exp(X) .* exp(-Y) = exp(X - Y)"""
    found = [f for f in factors if f.power == 1 and meaning(f.base).op == "exp" and f.grown is not None]
    falling = [f for f in found if coefficient_and_rest(meaning(meaning(f.base).args[0]))[0].is_negative]
    if not falling or len(found) == len(falling) or len({f.base.shape for f in found}) > 1:
        return None
    joint = exp(core.add(*(meaning(f.base).args[0] for f in found)))
    return _product([joint, *(_raised(f.base, f.power) for f in factors if f not in found)])


def _multiplied_out(e: Expr, factors: list[Factor]) -> Expr | None:
    """exp(X) .* (A + B) with such factors below in A: exp(X) .* A + exp(X) .* B"""
    below = any(f.grown is not None and f.power.is_negative for f in factors)
    for n, f in enumerate(factors):
        total = meaning(f.base)
        if total.op == "add" and f.power == 1 and total.shape == e.shape:
            rest = [_raised(g.base, g.power) for m, g in enumerate(factors) if m != n]
            above = any(g.power.is_positive and grows(g.base) for m, g in enumerate(factors) if m != n)
            if (above and any(map(_falls, total.args))) or (below and all(map(grows, total.args))):
                return core.add(*(_product([*rest, t]) for t in total.args))
    return None


def _falls(t: Expr) -> bool:
    """Whether a term is divided by something that grows."""
    found = _factors(t)
    sums = (a for f in found if meaning(f.base).op == "add" and f.grown is None for a in meaning(f.base).args)
    return any(f.grown is not None and f.power.is_negative for f in found) or any(map(_falls, sums))


def _placed(e: Expr) -> Expr | None:
    """s place(t) = place(s t) and s [t; u] = [s t; s u] for 1 x 1 blocks and an s that grows"""
    body = meaning(e.args[-1])
    if body.op not in ("place", "block") or not all(b.is_scalar for b in body.args) or not any(map(grows, e.args[:-1])):
        return None
    inside = (b if constant_of(b) == 0 else core.scale(*e.args[:-1], b) for b in body.args)
    return node(body.op, tuple(inside), body.params)


def _without_exponents(e: Expr, factors: list[Factor]) -> Expr | None:
    """The exponents of all factors added."""
    factors = _tangents(factors)
    parts: list[Expr] = []
    exponents: dict[Expr, Any] = {}
    for f in factors:
        if f.grown is None:
            parts.append(_raised(f.base, f.power))
            continue
        if f.grown.rest is not None:
            parts.append(_raised(f.grown.rest, f.power))
        exponents[f.grown.exponent] = exponents.get(f.grown.exponent, sp.S.Zero) + f.power
    terms = [core.scale(number(k), x) for x, k in exponents.items() if k != 0]
    if any(not t.is_scalar for t in terms):
        terms = [broadcast(t, e.shape) if t.is_scalar else t for t in terms]
    if any(t.shape not in (e.shape, (1, 1)) for t in terms):
        return None
    parts += [exp(core.add(*terms))] if terms else []
    made = _product(parts) if parts else broadcast(number(1), e.shape)
    return made if made.shape == e.shape else broadcast(made, e.shape) if made.is_scalar else None


def _raised(f: Expr, k: Any) -> Expr:
    return f if k == 1 else core.power(f, number(k))


def _tangents(factors: list[Factor]) -> list[Factor]:
    """sinh(X) ./ cosh(X) = tanh(X), as often as both are there whole: a root of tanh(X) is none of their quotient."""
    for i, j in permutations(range(len(factors)), 2):
        above, below = meaning(factors[i].base), meaning(factors[j].base)
        p, q = factors[i].power, factors[j].power
        times = int(min(abs(p), abs(q)))
        if above.op == "sinh" and below.op == "cosh" and above.args[0] is below.args[0] and p * q < 0 and times:
            k = times if p > 0 else -times
            rest = [f for n, f in enumerate(factors) if n not in (i, j)]
            left = [f._replace(power=r) for f, r in ((factors[i], p - k), (factors[j], q + k)) if r != 0]
            return _tangents([*left, Factor(tanh(above.args[0]), k, None), *rest])
    return factors


def _shared_out(factors: list[Factor], below: list[Factor]) -> Expr | None:
    """1 x 1 factors exp(c) T' below a product of matrices, among those of its factors that grow."""
    whole = [f for f in factors if f.grown is None and f.power == 1 and grows(f.base)]
    small = [f for f in below if narrow(f.base).is_scalar and f.power.is_integer]
    divided = growth(narrow(small[0].base)) if small else None
    if not whole or divided is None:
        return None
    divisor, body = small[0], whole[0]
    parts = [_raised(f.base, f.power) for f in factors if f is not divisor and f is not body]
    if divided.rest is not None:
        parts.append(_raised(divided.rest, divisor.power))
    return _product([*parts, less(body.base, divided.exponent, int(-divisor.power))])


# ------------------------------------------------------------------------------------------------ logarithms


def log_of_growth(e: Expr) -> Expr | None:
    """log of a product with such factors: the sum of their exponents and logarithms."""
    inner = meaning(e)
    if inner.op == "mean" and inner.is_scalar and exponent_of(inner.args[0]) is not None:
        return _log_of_mean(meaning(inner.args[0]).args[0])
    if inner.op in ("hadamard", "scale", "divide", "power", "sinh", "mean", "sum", "matmul", "add", "prod"):
        factors = _factors(inner)
        signed = [f for f in factors if not known(f.base, "positive")]
        if any(f.grown is None for f in signed) or all(f.grown is None for f in factors):
            return None
        if len(signed) > 1 or any(
            (f.power / 2).is_integer for f in signed
        ):  # negative ones may have a positive product
            return None
        return _sum_of_logarithms(inner, factors)
    return None


def _sum_of_logarithms(e: Expr, factors: list[Factor]) -> Expr | None:
    terms: list[Expr] = []
    for f in factors:
        rest = f.base if f.grown is None else f.grown.rest
        if f.grown is not None:
            terms.append(core.scale(number(f.power), f.grown.exponent))
        if rest is not None:
            terms.append(core.scale(number(f.power), log(rest)))
    flat = [t if t.shape == e.shape else broadcast(t, e.shape) for t in terms if t.is_scalar or t.shape == e.shape]
    return core.add(*flat) if len(flat) == len(terms) else None


def _log_of_mean(X: Expr) -> Expr:
    """log(mean(exp(X))) = c + log(1 + mean(exp(X - c) - 1)), c the largest entry."""
    c = max_(X, axis=None)
    return core.add(c, log1p(core.mean(expm1(core.difference(X, broadcast(c, X.shape))))))
