"""c + c tanh(X) = 2 c sigmoid(2 X) and c + c erf(X) = c erfc(-X), in any multiple and behind names.

What recognises log(sigmoid(X)), 1 - sigmoid(X) and the tails of the normal distribution meets one spelling of them. A
normal density is an exponential where no value of the distribution function is about, with which it would make a ratio.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy as sp

from matcalc import core
from matcalc.emit.matching import constant_of
from matcalc.expr import Expr, operations, postorder
from matcalc.ops.activations import normcdf, normlogcdf, normratio
from matcalc.ops.elementwise import erf, erfc, exp, sigmoid
from matcalc.rewrite.context import Context
from matcalc.rewrite.normal import tidy
from matcalc.rewrite.terms import coefficient_and_rest, factors_of, meaning, times_number
from matcalc.walk import transform

_DISTRIBUTION = operations(normcdf, normlogcdf, normratio, erf, erfc)


def without_ones(roots: Iterable[Expr]) -> dict[Expr, Expr]:
    """For each root the same in such forms."""
    roots = list(roots)
    alone = not any(e.op in _DISTRIBUTION for e in postorder(roots))
    done = transform(roots, lambda new, _: _as_exponential(new) if alone and new.op == "normpdf" else _without_one(new))
    return {root: done[root] for root in roots}


def _as_exponential(e: Expr) -> Expr:
    square = core.scale(core.number(-sp.S.Half), core.power(e.args[0], 2))
    return core.scale(core.number(1 / sp.sqrt(2 * sp.pi)), exp(square))


def _without_one(e: Expr) -> Expr:
    """One operation in its form without such a sum, with numbers gathered first: 1/sqrt(2) is one number."""
    if e.args and all(a.op == "number" for a in e.args) and e.is_scalar:
        return tidy(e, Context())
    if e.op == "scale" and (e.args[-1].op == "scale" or sum(a.op == "number" for a in e.args) > 1):
        return times_number(sp.S.One, core.scale(*e.args[:-1], *factors_of(e.args[-1], "scale")))
    for a, b in (e.args, e.args[::-1]) if e.op == "add" and len(e.args) == 2 else ():
        c, (k, f) = constant_of(a), _multiple(b)
        if c is None or f is None:
            continue
        if f.op == "add" and len(f.args) == 2:  # c + k (d + Y) = k Y where c = -k d
            for d, Y in (f.args, f.args[::-1]):
                if constant_of(d) is not None and c + k * constant_of(d) == 0:
                    return times_number(k, Y)
        if f.op == "tanh" and k in (c, -c):
            return times_number(2 * c, sigmoid(times_number(2 * k / c, *f.args)))
        if f.op == "erf" and k in (c, -c):
            return times_number(c, erfc(times_number(-k / c, *f.args)))
        if f.op == "erfc" and 2 * k == -c:
            return times_number(c / 2, erfc(times_number(-sp.S.One, *f.args)))
    return e


def _multiple(e: Expr) -> tuple[Any, Expr | None]:
    """The number and what it multiplies, names opened."""
    e = meaning(e)
    k, f = coefficient_and_rest(e)
    if f is None or f is e:
        return k, f
    inner, f = _multiple(f)
    return k * inner, f
