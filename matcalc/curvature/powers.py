"""Powers of sums of powers (p-norms and their kin), and of products (weighted geometric means)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp

from matcalc import core
from matcalc.curvature.composition import BOYD, CONCAVE, CONVEX, Composition, Shape, atom
from matcalc.expr import Expr, operations
from matcalc.ops.arithmetic import broadcast
from matcalc.ops.products import diagvec, reshape_, transpose, vec
from matcalc.ops.reductions import mean_, sum_
from matcalc.ops.selection import slice_
from matcalc.walk import rebuild

_MINKOWSKI = "Hardy, Littlewood & Polya, Inequalities (1934)"
_SUMS = operations(sum_, mean_, broadcast, transpose, diagvec, vec, reshape_, slice_)


@dataclass(frozen=True, slots=True)
class _Summands:
    """Terms u^p with one p: of convex nonnegative u, or of concave positive u; p is None for constants alone."""

    p: sp.Expr | None
    convex: bool
    concave: bool

    def beside(self, other: _Summands) -> _Summands | None:
        """Both together."""
        if self.p is not None and other.p is not None and self.p != other.p:
            return None
        p = other.p if self.p is None else self.p
        return _Summands(p, self.convex and other.convex, self.concave and other.concave)


@atom
def power_of_power_sum(c: Composition, e: Expr) -> Shape | None:
    """(sum of u^p)^(r/p): a power r of a p-norm of u."""
    base, outer = powered(e)
    if base is e or outer is None or not outer.is_number or c.is_constant(base):
        return None
    found = _summands(c, base)
    if found is None or found.p is None:
        return None
    r = found.p * outer
    if found.p >= 1 and r >= 1 and found.convex:
        statement = "a p-norm, p >= 1, of convex nonnegative values is convex, and so are its powers above 1"
        return c.says("norm_of_powers", statement, _MINKOWSKI, e, CONVEX)
    if found.p < 1 and found.concave and r <= 1 and r != 0:
        statement = "(sum u^p)^(1/p), p < 1, of concave positive values is concave; its powers below 0 are convex"
        return c.says("reverse_minkowski", statement, _MINKOWSKI, e, CONCAVE if r > 0 else CONVEX)
    return None


def powered(e: Expr) -> tuple[Expr, sp.Expr | None]:
    """Base and exponent, where the exponent is a number, in sizes perhaps."""
    if e.op == "sqrt":
        return e.args[0], sp.Rational(1, 2)
    if e.op == "power" and e.args[1].number is not None:
        return e.args[0], e.args[1].number
    return e, sp.S.One


def _summands(c: Composition, e: Expr) -> _Summands | None:
    """The terms of a sum, or of an entry of it."""
    if c.is_constant(e):
        r = c.ranges.of(e)
        return _Summands(None, True, True) if r.nonnegative else None
    if e.op == "add":
        total = _Summands(None, True, True)
        for a in e.args:
            part = _summands(c, a)
            both = None if part is None else total.beside(part)
            if both is None:
                return None
            total = both
        return total
    if c.is_square(e):
        return _Summands(sp.Integer(2), True, False)
    if e.op in _SUMS:
        return _summands(c, e.args[0])
    if e.op in ("scale", "hadamard", "matmul"):
        moving = [a for a in e.args if not c.is_constant(a)]
        if len(moving) == 1 and all(c.ranges.of(a).nonnegative for a in e.args if a is not moving[0]):
            return _summands(c, moving[0])
    return _one(c, e)


def _one(c: Composition, e: Expr) -> _Summands | None:
    """A term: a power of a value, or the value itself."""
    base, p = powered(e)
    if p is None or not p.is_number or base not in c.shape:
        return None
    shape, r = c.shape[base], c.ranges.of(base)
    if shape.affine and not r.nonnegative and p.is_integer and p.is_even and p > 0:
        return _Summands(p, True, False)
    if not r.nonnegative or (p < 0 and not r.positive):
        return None
    return _Summands(p, shape.convex, shape.concave) if shape.convex or shape.concave else None


@atom
def product_of_powers(c: Composition, e: Expr) -> Shape | None:
    """Products of powers of positive affine values: concave as a weighted geometric mean, or log-convex."""
    factors = e.args if e.op in ("scale", "hadamard") else (e,)
    moving = [f for f in factors if not c.is_constant(f)]
    weights = [_weight(c, f) for f in moving]
    if not weights or None in weights or not all(c.ranges.of(f).nonnegative for f in factors if f not in moving):
        return None
    if len(weights) == 1 and powered(moving[0])[0].op != "prod":
        return None  # a function of one number
    found = [w for w in weights if w is not None]
    if all(w.is_negative for w in found):
        statement = "a product of negative powers of positive affine values is log-convex"
        return c.says("log_convex_product", statement, f"{BOYD}, 3.5", e, CONVEX)
    if all(w.is_positive for w in found) and sp.simplify(1 - sum(found)).is_nonnegative:
        statement = "x^a y^b is concave for x, y > 0, a, b >= 0, a + b <= 1"
        return c.says("geometric_mean", statement, f"{BOYD}, 3.1.5", e, CONCAVE)
    return None


def _weight(c: Composition, e: Expr) -> Any:
    """The sum of the exponents in a power of an affine positive value, or of the product of its entries."""
    base, exponent = powered(e)
    inner = base.args[0] if base.op == "prod" else base
    if exponent is None or inner not in c.shape or not (c.shape[inner].affine and c.ranges.of(inner).positive):
        return None
    entries = core.exact_dim(core.count(inner)) / core.exact_dim(core.count(base))
    return sp.simplify(exponent * entries)


@atom
def exponential_of_logarithms(c: Composition, e: Expr) -> Shape | None:
    """exp(sum of a log(u)), a >= 0 with the sum 1 at most: a weighted geometric mean."""
    if e.op != "exp":
        return None
    weight = _log_weight(c, e.args[0])
    total = None if weight is None else c.rewriter.simplify(weight).number
    if total is None or not (1 - total).is_nonnegative:
        return None
    statement = "a weighted geometric mean of concave positive values is concave"
    return c.says("geometric_mean", statement, f"{BOYD}, 3.1.5", e, CONCAVE)


def _log_weight(c: Composition, e: Expr) -> Expr | None:
    """`e` with each logarithm of a concave value replaced by 1, and constants by 0: the weights of the logarithms."""
    if c.is_constant(e):
        return core.zeros(*e.shape)
    if e.op == "log" and c.shape[e.args[0]].concave:
        return core.ones(*e.shape)
    if e.op in ("add", "sum", "mean", "transpose", "diagvec"):
        parts = [_log_weight(c, a) for a in e.args]
        return None if None in parts else rebuild(e, [p for p in parts if p is not None])
    if e.op in ("scale", "hadamard", "matmul"):
        moving = [k for k, a in enumerate(e.args) if not c.is_constant(a)]
        if len(moving) == 1 and all(c.ranges.of(a).nonnegative for k, a in enumerate(e.args) if k != moving[0]):
            part = _log_weight(c, e.args[moving[0]])
            return None if part is None else rebuild(e, [part if k == moving[0] else a for k, a in enumerate(e.args)])
    return None
