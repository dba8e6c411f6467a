"""Sums, scalings, the entrywise arithmetic, broadcasts.

The differentials are the elementary rules of Magnus & Neudecker, Matrix Differential Calculus (2019), chapter 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matcalc import core
from matcalc.core import hadamard, number, power, scale
from matcalc.dims import Shape, is_one, same, same_shape, shape_text, sign
from matcalc.errors import ShapeError
from matcalc.expr import Expr, Param, number_value, record
from matcalc.map_kinds import LinearMap
from matcalc.maps import identity, mask, outer, sandwich, scaled, zero
from matcalc.notation import Builtin
from matcalc.ops.define import all_same, anywhere, keeps, need_same, op
from matcalc.ops.hollow import is_hollow, root_domain, where_positive
from matcalc.ops.leaves import ELEMENTARY
from matcalc.properties import BIT

# ------------------------------------------------------------------------------------------------ sums, scalings


def _sum_facts(e: Expr, *masks: int) -> tuple[int, int]:
    keep = ["symmetric", "skew", "diagonal", "lower", "upper", "positive-semidefinite", "nonnegative", "constant"]
    common = sum(BIT[name] for name in keep)
    for m in masks:
        common &= m
    for strong, weak in (("positive", "nonnegative"), ("positive-definite", "positive-semidefinite")):
        if any(m & BIT[strong] for m in masks) and all(m & (BIT[weak] | BIT[strong]) for m in masks):
            common |= BIT[strong]
    if not common & BIT["symmetric"] and same(*e.shape):
        rest = [t for t, m in zip(e.args, masks) if not m & BIT["symmetric"]]
        if rest and _are_closed_under_transposition(rest):
            common |= BIT["symmetric"]
    return common, 0


def _are_closed_under_transposition(terms: list[Expr]) -> bool:
    """Whether the terms are pairs A + A', so that their sum is symmetric."""
    left = list(terms)
    while left:
        t = left.pop()
        partner = next((s for s in left if are_transposes(t, s)), None)
        if partner is None:
            return False
        left.remove(partner)
    return True


def are_transposes(a: Expr, b: Expr) -> bool:
    """Whether one is the other transposed, as far as their form says: X' and X, spread out, scaled or in products."""
    if a.op == "transpose" and b.digest == a.args[0].digest:
        return True
    if b.op == "transpose" and a.digest == b.args[0].digest:
        return True
    if a.op == b.op == "broadcast":
        return are_transposes(a.args[0], b.args[0])
    if a.op == b.op == "scale" and len(a.args) == len(b.args):
        same_scalars = all(s.digest == t.digest for s, t in zip(a.args[:-1], b.args[:-1]))
        return same_scalars and are_transposes(a.args[-1], b.args[-1])
    if a.op == b.op == "matmul" and len(a.args) == len(b.args):
        return all(are_transposes(f, g) for f, g in zip(a.args, reversed(b.args)))
    return False


@op(
    shape=all_same("+"),
    latex=Builtin(),
    numpy=Builtin(),
    domain=anywhere,
    source=ELEMENTARY,
    example=("m n, m n, m n",),
    facts=_sum_facts,
    commutative=True,
    variadic=True,
    broadcasts=True,
    numpy_names=("np.add",),
    syntax="form",
    entrywise=True,
)
def add(Y: Expr, *terms: Expr) -> tuple[LinearMap, ...]:
    """d(X + Z) = dX + dZ"""
    return tuple(identity(t.shape) for t in terms)


def _scale_shape(*factors: Expr) -> Shape:
    for s in factors[:-1]:
        if not s.is_scalar:
            raise ShapeError(f"only a 1 x 1 value scales, but {{}} is {shape_text(s.shape)}", s)
    return factors[-1].shape


def _is_nonnegative(factors: Sequence[Expr], masks: Sequence[int]) -> bool:
    """Whether a product of entries is never negative: each factor that occurs an odd number of times is not."""
    return all(m & BIT["nonnegative"] for f, m in zip(factors, masks) if factors.count(f) % 2)


def _scale_facts(e: Expr, *masks: int) -> tuple[int, int]:
    scalars, body = masks[:-1], masks[-1]
    true = body & sum(BIT[n] for n in ("symmetric", "skew", "diagonal", "lower", "upper"))
    if all(m & BIT["nonzero"] for m in scalars):
        true |= body & (BIT["nonsingular"] | BIT["nonzero"])
    if all(m & BIT["positive"] for m in scalars):
        true |= body & (BIT["positive"] | BIT["nonnegative"] | BIT["positive-definite"])
    if all(m & BIT["nonnegative"] for m in scalars):
        true |= body & (BIT["nonnegative"] | BIT["positive-semidefinite"])
    if _is_nonnegative(e.args, masks):
        true |= BIT["nonnegative"]
    if all(m & BIT["constant"] for m in masks):
        true |= BIT["constant"]
    if len(masks) == 2 and e.args[0].number == -1:
        true |= body & BIT["orthogonal"]
    return true, 0


@op(
    shape=_scale_shape,
    latex=Builtin(),
    numpy=Builtin(),
    domain=anywhere,
    source=ELEMENTARY,
    example=("1 1, m n",),
    facts=_scale_facts,
    commutative=True,
    variadic=True,
    syntax="form",
)
def scale_(Y: Expr, *factors: Expr) -> tuple[LinearMap, ...]:
    """d(s X) = ds X + s dX"""
    *scalars, X = factors
    maps = [outer(scale(*scalars[:k], *scalars[k + 1 :], X)) for k in range(len(scalars))]
    return (*maps, scaled(scale(*scalars), identity(X.shape)))


# ------------------------------------------------------------------------------------------------ entrywise


def _entrywise_facts(e: Expr, *masks: int) -> tuple[int, int]:
    common = sum(
        BIT[n]
        for n in (
            "symmetric",
            "positive-definite",
            "positive-semidefinite",
            "positive",
            "nonnegative",
            "nonzero",
            "constant",
        )
    )
    any_of = sum(BIT[n] for n in ("diagonal", "lower", "upper"))
    either = 0
    for m in masks:
        common &= m
        either |= m & any_of
    if _scales_without_zeros(e, masks):
        either |= BIT["nonsingular"]
    if _is_nonnegative(e.args, masks):
        either |= BIT["nonnegative"]
    return common | either, 0


def _scales_without_zeros(e: Expr, masks: tuple[int, ...]) -> bool:
    """Whether it is a nonsingular matrix with scaled rows or columns, no factor being 0: diag(u) A diag(v)."""
    pairs = list(zip(e.args, masks))
    rest = [m for f, m in pairs if f.op != "broadcast"]
    scaled = all(m & BIT["nonzero"] for f, m in pairs if f.op == "broadcast")
    return len(rest) == 1 < len(pairs) and scaled and bool(rest[0] & BIT["nonsingular"])


@op(
    shape=all_same(".*"),
    latex=Builtin(),
    numpy=Builtin(),
    domain=anywhere,
    source=ELEMENTARY,
    example=("m n, m n, m n",),
    facts=_entrywise_facts,
    commutative=True,
    variadic=True,
    broadcasts=True,
    also=("multiply", "times"),
    numpy_names=("np.multiply",),
    entrywise=True,
)
def hadamard_(Y: Expr, *factors: Expr) -> tuple[LinearMap, ...]:
    """d(X o Z) = Z o dX + X o dZ"""
    return tuple(mask(hadamard(*factors[:k], *factors[k + 1 :])) for k in range(len(factors)))


@op(
    shape=lambda a, b: need_same("./", a, b),
    latex=Builtin(),
    numpy=Builtin(),
    domain=lambda A, B: (("nonzero", B),),
    source=ELEMENTARY,
    example=("m n, m n",),
    facts=keeps("positive", "symmetric", "constant"),
    definition=lambda A, B: core.entrywise_product(A, power(B, -1)),
    broadcasts=True,
    numpy_names=("np.divide",),
    syntax="form",
    entrywise=True,
)
def divide(Y: Expr, A: Expr, B: Expr) -> tuple[LinearMap, ...]:
    """d(A ./ B) = dA ./ B - Y ./ B o dB"""
    return mask(power(B, -1)), mask(core.minus(core.divide(Y, B)))


def _power_shape(base: Expr, exponent: Expr) -> Shape:
    if not exponent.is_scalar:
        need_same(".^", base, exponent)
    return base.shape


def _power_domain(X: Expr, P: Expr) -> tuple[tuple[str, Any], ...]:
    if P.op == "number":
        k = number_value(P)
        if k.is_integer:
            return (("nonzero", X),) if sign(k) == -1 else ()
        return root_domain(X) if sign(k) == 1 else (("positive", X),)
    return ()  # an exponent that is a variable may be a whole number


def _power_sampling(X: Expr, P: Expr) -> tuple[tuple[str, Any], ...]:
    return _power_domain(X, P) if P.op == "number" else (("positive", X),)


def _power_facts(e: Expr, base: int, exponent: int) -> tuple[int, int]:
    true = base & (BIT["positive"] | BIT["nonzero"])
    if base & exponent & BIT["constant"]:
        true |= BIT["constant"]
    P = e.args[1]
    if P.op == "number":
        k = number_value(P)
        true |= base & BIT["symmetric"]
        if k.is_positive:
            true |= base & (BIT["nonnegative"] | BIT["diagonal"])
        if k.is_integer and k.is_even:
            true |= BIT["nonnegative"]
            if base & BIT["nonzero"]:
                true |= BIT["positive"]
    return true, 0


@op(
    shape=_power_shape,
    latex=Builtin(),
    numpy=Builtin(),
    domain=_power_domain,
    sampling=_power_sampling,
    source=ELEMENTARY,
    example=("m n, m n",),
    facts=_power_facts,
    broadcasts=True,
    numpy_names=("np.power", "np.float_power"),
    syntax="form",
    entrywise=True,
)
def power_(Y: Expr, X: Expr, P: Expr) -> tuple[LinearMap, ...]:
    """d(X .^ p) = p o X .^ (p - 1) o dX + Y o log(X) o dp"""
    if P.op == "number":
        k = number_value(P)
        slope = zero_like(X) if k == 0 else scale(number(k), power(X, number(k - 1)))
        if sign(k) == 1 and sign(k - 1) == -1 and is_hollow(X):
            slope = where_positive(X, slope)
        return mask(slope), zero((1, 1), X.shape)
    if P.is_scalar:
        by_base = mask(scale(P, power(X, core.difference(P, 1))))
        return by_base, outer(core.entrywise_product(Y, record("log")(X)))
    by_base = mask(hadamard(P, power(X, core.difference(P, 1))))
    return by_base, mask(hadamard(Y, record("log")(X)))


def zero_like(X: Expr) -> Expr:
    """The zero matrix of the shape of X."""
    return core.zeros(*X.shape)


# ------------------------------------------------------------------------------------------------ broadcast


def _broadcast_facts(e: Expr, a: int) -> tuple[int, int]:
    true = a & (BIT["positive"] | BIT["nonnegative"] | BIT["nonzero"] | BIT["constant"])
    if e.args[0].is_scalar and same(*e.shape):
        true |= BIT["symmetric"]
    return true, 0


def _broadcast_shape(a: Expr, m: Any, n: Any) -> Shape:
    for have, want in zip(a.shape, (m, n)):
        if not (same(have, want) or is_one(have)):
            raise ShapeError(f"{{}} ({shape_text(a.shape)}) does not broadcast to {shape_text((m, n))}", a)
    if same_shape(a.shape, (m, n)):
        raise ShapeError(f"{{}} has the shape {shape_text((m, n))} already", a)
    return (m, n)


@op(
    shape=_broadcast_shape,
    latex=Builtin(),
    numpy=Builtin(),
    domain=anywhere,
    source=ELEMENTARY,
    example=("1 n", "m", "n"),
    facts=_broadcast_facts,
    params=(Param("m", "dim"), Param("n", "dim")),
    definition=lambda a, m, n: spread(a, m, n),
    linear=True,
    cost=0,
)
def broadcast(Y: Expr, a: Expr, m: Any, n: Any) -> tuple[LinearMap, ...]:
    """broadcasting is a product with ones: 1 a (rows), a 1' (columns), so its adjoint is a sum"""
    if a.is_scalar:
        return (outer(core.ones(m, n)),)
    if is_one(a.shape[0]):
        return (sandwich(core.ones(m, 1), None, a.shape),)
    return (sandwich(None, core.ones(1, n), a.shape),)


def spread(a: Expr, m: Any, n: Any) -> Expr:
    """The broadcast written as a product with ones."""
    if a.is_scalar:
        return scale(a, core.ones(m, n))
    if is_one(a.shape[0]):
        return core.matmul(core.ones(m, 1), a)
    return core.matmul(a, core.ones(1, n))
