"""Functions that are sums: what a claim has in place of the gradient of one term, such as a penalty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from matcalc import core
from matcalc.claims.factors import CLOSE, factors
from matcalc.claims.points import distance
from matcalc.claims.verdict import Diagnosis
from matcalc.claims.wrong import Mistake, wrong_gradient
from matcalc.dims import shape_text
from matcalc.errors import shorten
from matcalc.expr import Expr
from matcalc.languages import said
from matcalc.numeric.binding import Array
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.walk import depends

MAX_TERMS = 6
FORGOTTEN = "the term {0} is forgotten: its gradient is {1}"
BROADCAST = "the gradient of the term {0} is {1}; in its place stands a 1 x 1 value, which is broadcast to {2}"
OPPOSITE = "the gradient of the term {0} is {1}; it has the wrong sign"
SCALED = "the gradient of the term {0} is {1}; in its place stands {2} times that"


def terms_of(output: Expr, target: Expr) -> list[Expr]:
    """The terms of a sum that depend on a value, factors and names of the sum looked through; none where it is one."""
    terms = [t for t in _terms(output) if depends((t,), (target,))]
    return terms if 1 < len(terms) <= MAX_TERMS else []


def _terms(e: Expr) -> Iterator[Expr]:
    if e.op == "named":
        yield from _terms(e.args[0])
    elif e.op == "add":
        for t in e.args:
            yield from _terms(t)
    elif e.op == "scale" and any(True for t in _terms(e.args[-1]) if t is not e.args[-1]):
        yield from (core.scale(*e.args[:-1], t) for t in _terms(e.args[-1]))
    else:
        yield e


def term_gradient(term: Expr, target: Expr) -> Expr:
    """The gradient of one term."""
    return wrong_gradient(term, target, Mistake())


def said_of_term(
    term: Expr,
    gradient: Expr,
    claimed: Sequence[Array],
    right: Sequence[Array],
    own: Sequence[Array],
    sizes: Sequence[Mapping[str, Array]],
) -> Diagnosis:
    """What stands in a claim in place of a term's gradient; empty where that is nothing usual.

    Args:
        term: of the function.
        gradient: its gradient.
        claimed: the values of the claim at some points.
        right: the right values there.
        own: the values of the term's gradient there.
        sizes: by name, what may be a factor.
    """
    rest = [c - r + g for c, r, g in zip(claimed, right, own)]
    scale = [float(np.abs(c).max(initial=0)) + float(np.abs(g).max(initial=0)) for c, g in zip(right, own)]
    shown = Rewriter(Context()).simplify(gradient)
    about = shorten(str(term)), shorten(str(shown))
    if not any(np.abs(g).max(initial=0) > CLOSE * s for g, s in zip(own, scale)):
        return Diagnosis()
    if all(np.abs(v).max(initial=0) <= CLOSE * s for v, s in zip(rest, scale)):
        return Diagnosis(said(FORGOTTEN, *about), ("forgotten term",))
    constant = all(v.size > 1 and distance(v, np.full(v.shape, v.flat[0])) < CLOSE for v in rest)
    if constant:
        return Diagnosis(said(BROADCAST, *about, shape_text(gradient.shape)), ("broadcast",))
    factor = next(factors(list(zip(rest, own)), sizes), None)
    if factor is not None and not factor.value and factor.number == -1:
        return Diagnosis(said(OPPOSITE, *about), ("sign",))
    if factor is not None and not factor.is_one:
        return Diagnosis(said(SCALED, *about, str(factor)), ("factor of a term",))
    return Diagnosis()
