"""Structural tidying: flatten, gather numbers, collect like terms and equal factors, drop 0 and I.

These are not identities that a reader would call a step. `tidy` looks at the root only: its arguments are tidy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matcalc import core
from matcalc.dims import is_one, same_shape
from matcalc.exact import HALF, ONE, cancel, rational, root
from matcalc.expr import REGISTRY, Expr, node
from matcalc.rewrite.context import Context
from matcalc.rewrite.gathering import merged
from matcalc.rewrite.terms import (
    join,
    number_and_term,
    numbered_term,
    opening_loses_digits,
    raised,
    split,
    times_number,
    twin,
)

Tidier = Callable[[Expr, Context], Expr]
TIDIERS: dict[str, Tidier] = {}


def tidies(*ops: str) -> Callable[[Tidier], Tidier]:
    """Register the tidying of these operations."""

    def put(function: Tidier) -> Tidier:
        for op in ops:
            TIDIERS[op] = function
        return function

    return put


def tidy(e: Expr, context: Context) -> Expr:
    """`e` with its root tidied; `e` itself where nothing is to do."""
    tidier = TIDIERS.get(e.op)
    if tidier is not None:
        return tidier(e, context)
    if REGISTRY[e.op].scalar_function is not None or e.op == "func":
        return _of_broadcast(e, context)
    return e


def is_zero(e: Expr) -> bool:
    """Whether it is the zero matrix or the number 0."""
    return e.op == "zeros" or (e.number == 0)


@tidies("ones", "zeros", "eye")
def _leaf(e: Expr, _: Context) -> Expr:
    if e.is_scalar:
        return core.number(0 if e.op == "zeros" else 1)
    return core.ones(*e.shape) if e.op == "ones" else e


@tidies("number")
def _number(e: Expr, _: Context) -> Expr:
    return e


@tidies("add")
def _add(e: Expr, context: Context) -> Expr:
    """Flatten, collect like terms, drop zeros."""
    whole: dict[bytes, list[Expr]] = {}
    for a in e.args:
        whole.setdefault(a.digest, []).append(a)
    # equal sums are counted before they are opened: r + r = 2 r
    counted = [times_number(rational(len(g)), g[0]) if len(g) > 1 else g[0] for g in whole.values()]
    if any(a.op == "add" for a in counted):
        loses = opening_loses_digits(counted)
        context.lossy |= loses and not context.exact
        if not (loses and context.exact):
            counted = [t for a in counted for t in (a.args if a.op == "add" else (a,))]
    collected: dict[bytes, tuple[Any, Expr | None]] = {}
    for t in counted:
        if is_zero(t):
            continue
        coefficient, rest = number_and_term(t)
        key = b"" if rest is None else twin(rest)
        before = collected.get(key)
        collected[key] = (coefficient, rest) if before is None else (_sum(before[0], coefficient), before[1])
    parts = [numbered_term(c, rest) for c, rest in collected.values() if c != 0]
    if not parts:
        return core.zero_of(e)
    for k, p in enumerate(parts):  # A + A', not A' + A
        if p.op == "transpose" and p.args[0] in parts[k + 1 :]:
            other = parts.index(p.args[0])
            parts[k], parts[other] = parts[other], p
    spread = [core.number(1) if p.op == "ones" else p.args[0] for p in parts if p.op in ("broadcast", "ones")]
    if 1 < len(parts) == len(spread) and all(same_shape(a.shape, spread[0].shape) for a in spread):
        return core.broadcast(core.add(*spread), e.shape)
    return core.add(*parts)


def _sum(a: Any, b: Any) -> Any:
    """The sum of two coefficients, in lowest terms."""
    total = a + b
    return total if total.is_Rational else cancel(total)


@tidies("scale")
def _scale(e: Expr, context: Context) -> Expr:
    """Flatten, multiply the numbers, merge powers of one scalar; a scalar sum with the sign that it needs."""
    coefficient, scalars, body = ONE, [], None
    queue = list(e.args)
    if not e.is_scalar:
        body = queue.pop()
        while body.op == "scale":
            queue.extend(body.args[:-1])
            body = body.args[-1]
    for f in queue:
        own, more, _ = split(f)
        coefficient = coefficient * own
        scalars.extend(more)
    if not coefficient.is_Rational:
        coefficient = cancel(coefficient)
    if coefficient == 0 or (body is not None and body.op == "zeros"):
        return core.zero_of(e)
    scalars = merged(scalars, context)
    while any(s.op == "scale" or s.op == "number" for s in scalars):
        coefficient, scalars = _regather(coefficient, scalars)
    if body is not None and body.op == "broadcast" and (scalars or coefficient != 1):
        return core.broadcast(core.scale(join(coefficient, scalars, None), body.args[0]), e.shape)
    if body is not None and body.op == "ones" and not same_shape(body.shape, (1, 1)):
        return core.broadcast(join(coefficient, scalars, None), e.shape) if scalars or coefficient != 1 else body
    if coefficient.is_negative:
        coefficient, scalars, body = _signs_into_sum(coefficient, scalars, body)
    return join(coefficient, scalars, body)


def _regather(coefficient: Any, scalars: list[Expr]) -> tuple[Any, list[Expr]]:
    flat: list[Expr] = []
    for s in scalars:
        own, more, _ = split(s)
        coefficient = coefficient * own
        flat.extend(more)
    return coefficient, flat


def _signs_into_sum(coefficient: Any, scalars: list[Expr], body: Expr | None) -> tuple[Any, list[Expr], Expr | None]:
    """Turn -(a - b) into b - a wherever a factor is a difference: the minus sign is spent there."""
    for k, s in enumerate(scalars):
        if _is_difference(s):
            return -coefficient, [*scalars[:k], negated_sum(s), *scalars[k + 1 :]], body
    if body is None:
        return coefficient, scalars, body
    if _is_difference(body):
        return -coefficient, scalars, negated_sum(body)
    if body.op in ("matmul", "hadamard"):
        for k, f in enumerate(body.args):
            if _is_difference(f):
                turned = node(body.op, (*body.args[:k], negated_sum(f), *body.args[k + 1 :]))
                return -coefficient, scalars, turned
    return coefficient, scalars, body


def _is_difference(e: Expr) -> bool:
    """Whether half of the terms or more carry a minus sign."""
    if e.op != "add":
        return False
    negative = sum(1 for t in e.args if number_and_term(t)[0].is_negative)
    return 2 * negative >= len(e.args)


def negated_sum(e: Expr) -> Expr:
    """-(a - b) as b - a, term by term."""
    numbers = ((-c, rest) for c, rest in map(number_and_term, e.args))
    terms = [numbered_term(c, rest) for c, rest in sorted(numbers, key=lambda term: bool(term[0].is_negative))]
    return core.add(*terms)


@tidies("hadamard")
def _hadamard(e: Expr, context: Context) -> Expr:
    """Flatten, scalars to the front, drop ones, gather powers, join the factors broadcast along one direction."""
    coefficient, scalars = ONE, []
    factors: list[Expr] = []
    queue = list(reversed(e.args))
    while queue:
        f = queue.pop()
        if f.op == "hadamard":
            queue.extend(reversed(f.args))
        elif f.op == "scale":
            own, more, body = split(f)
            coefficient *= own
            scalars.extend(more)
            if body is not None:
                queue.append(body)
        elif f.op == "divide":
            queue.extend((core.power(f.args[1], -1), f.args[0]))
        elif f.op == "zeros":
            return f
        elif f.op == "broadcast" and f.args[0].is_scalar:
            own, more, _ = split(f.args[0])
            coefficient *= own
            scalars.extend(more)
        elif f.op == "broadcast" and f.args[0].op == "scale":
            own, more, body = split(f.args[0])
            coefficient *= own
            scalars.extend(more)
            if body is not None:
                queue.append(core.broadcast(body, f.shape))
        elif f.op != "ones":
            factors.append(f)
    factors = [f for f in merged(factors, context) if f.op != "ones"]
    factors = _joined_broadcasts(factors)
    if not factors:
        return join(coefficient, scalars, core.ones(*e.shape))
    if len(factors) == 1 and factors[0].op == "broadcast" and (coefficient != 1 or scalars):
        return core.scale(join(coefficient, scalars, None), factors[0])
    return join(coefficient, scalars, core.hadamard(*factors))


def _joined_broadcasts(factors: list[Expr]) -> list[Expr]:
    """(1 a) o (1 b) = 1 (a o b), and the same for columns."""
    rows = [f for f in factors if f.op == "broadcast" and is_one(f.args[0].shape[0])]
    columns = [f for f in factors if f.op == "broadcast" and is_one(f.args[0].shape[1])]
    for group in (rows, columns):
        if len(group) > 1:
            joint = core.broadcast(core.hadamard(*(f.args[0] for f in group)), group[0].shape)
            position = factors.index(group[0])
            factors = [joint if k == position else f for k, f in enumerate(factors) if k == position or f not in group]
    return factors


@tidies("divide")
def _divide(e: Expr, context: Context) -> Expr:
    """A quotient as a product with a reciprocal; the printer writes it as a quotient again."""
    a, b = e.args
    reciprocal = core.reciprocal(b) if b.is_scalar else core.power(b, -1)
    return core.scale(a, reciprocal) if e.is_scalar else core.hadamard(a, reciprocal)


@tidies("power")
def _power(e: Expr, context: Context) -> Expr:
    """Powers of powers, of products and of numbers, where the exponent allows it."""
    base, exponent = e.args
    if base.op == "broadcast" and exponent.is_scalar:
        return core.broadcast(core.power(base.args[0], exponent), e.shape)
    if exponent.op == "broadcast" and exponent.args[0].is_scalar:
        return core.power(base, exponent.args[0])
    if exponent.op != "number":
        return e
    k = exponent.params[0]
    if k == 1:
        return base
    if k == 0:
        return core.number(1) if e.is_scalar else core.ones(*e.shape)
    if base.op == "number":
        value = base.params[0]
        if value != 0 or k.is_positive:
            result = value**k
            if result.is_real and result.is_finite is not False and len(str(result)) < 200:
                return core.number(result)
        return e
    if base.op == "ones":
        return base
    if base.op == "zeros" and k.is_positive:
        return base
    if base.op == "power" and base.args[1].op == "number":
        inner = base.args[1].params[0]
        # for a fraction as the inner exponent the base is nonnegative, or there is no value to begin with
        fits = inner.is_integer is False or (k.is_integer and inner.is_integer)
        if fits or context.known(base.args[0], "positive"):
            return raised(base.args[0], k * inner)
    if abs(k) == HALF:
        return raised(base, k)
    if base.op == "sqrt" and k != -1:
        return raised(base.args[0], k / 2)
    if k.is_integer:
        if base.op == "divide":
            return (
                core.hadamard(core.power(base.args[0], k), core.power(base.args[1], -k))
                if not e.is_scalar
                else core.scale(core.power(base.args[0], k), core.power(base.args[1], -k))
            )
        if base.op == "hadamard":
            return core.hadamard(*(core.power(f, k) for f in base.args))
        if base.op == "scale":
            return core.scale(*(core.power(f, k) for f in base.args))
        if base.op == "abs" and k.is_even:
            return core.power(base.args[0], core.number(k))
    return e


@tidies("matmul")
def _matmul(e: Expr, context: Context) -> Expr:
    """Flatten, scalars to the front, drop identities; a 1 x 1 run inside the product is a scalar."""
    coefficient, scalars = ONE, []
    factors: list[Expr] = []
    queue = list(reversed(e.args))
    while queue:
        f = queue.pop()
        if f.op == "matmul":
            queue.extend(reversed(f.args))
        elif f.op == "zeros":
            return core.zero_of(e)
        elif f.is_scalar:
            own, more, _ = split(f)
            coefficient *= own
            scalars.extend(more)
        elif f.op == "scale":
            own, more, body = split(f)
            coefficient *= own
            scalars.extend(more)
            if body is not None:
                queue.append(body)
        elif f.op != "eye":
            factors.append(f)
    run = _scalar_run(factors)
    while run is not None:
        i, j = run
        scalars.append(core.matmul(*factors[i:j]))
        factors[i:j] = []
        run = _scalar_run(factors)
    if not factors:
        return join(coefficient, scalars, None if e.is_scalar else core.eye(e.shape[0]))
    body = core.matmul(*factors)
    if e.is_scalar:
        return join(coefficient, [*scalars, body], None)
    return join(coefficient, scalars, body)


def _scalar_run(factors: list[Expr]) -> tuple[int, int] | None:
    """The shortest run of factors inside the product whose value is 1 x 1."""
    starts = [k for k, f in enumerate(factors) if is_one(f.shape[0])]
    ends = [k + 1 for k, f in enumerate(factors) if is_one(f.shape[1])]
    runs = [(j - i, i, j) for i in starts for j in ends if i < j and j - i < len(factors)]
    if not runs:
        return None
    _, i, j = min(runs)
    return i, j


@tidies("broadcast")
def _broadcast(e: Expr, context: Context) -> Expr:
    """Broadcasts of broadcasts, of zeros and of ones."""
    a = e.args[0]
    if a.op == "broadcast":
        return core.broadcast(a.args[0], e.shape)
    if is_zero(a):
        return core.zeros(*e.shape)
    if a.op == "ones" or (a.number == 1):
        return core.ones(*e.shape)
    return e


@tidies("matpow")
def _matpow(e: Expr, context: Context) -> Expr:
    X, k = e.args
    if k.op != "number":
        return e
    if k.params[0] == 0:
        return core.eye(X.shape[0])
    if k.params[0] == 1:
        return X
    return core.inverse(X) if k.params[0] == -1 else e


@tidies("sqrt")
def _sqrt(e: Expr, context: Context) -> Expr:
    a = e.args[0]
    if a.number is not None and a.number.is_nonnegative:
        return core.number(root(a.params[0]))
    return _of_broadcast(e, context)


def _of_broadcast(e: Expr, _: Context) -> Expr:
    """f(1 a) = 1 f(a), entry by entry; f(0) and f(1) of matrices of one number."""
    a = e.args[0]
    if a.op == "broadcast":
        return core.broadcast(node(e.op, a.args, e.params), e.shape)
    if a.op in ("zeros", "ones") and not a.is_scalar:
        return core.broadcast(node(e.op, (core.number(0 if a.op == "zeros" else 1),), e.params), e.shape)
    entry = REGISTRY[e.op]
    if a.op == "number" and entry.exact is not None:
        value = entry.exact(a.params[0])
        if value.is_Rational:
            return core.number(value)
    return e
