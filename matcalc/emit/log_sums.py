"""Logarithms of sums of exponentials and positive numbers, and exponentials divided by such a sum, without overflow.

log(exp(a) + exp(b)) is the larger of a and b plus log(1 + exp(-|a - b|)); exp(X) ./ T is exp(X - log(T)).
"""

from __future__ import annotations

from itertools import permutations

import sympy as sp

from matcalc import core
from matcalc.core import broadcast, minus, number
from matcalc.emit.matching import constant_of, exponent_of, sum_of_exponentials
from matcalc.expr import Expr, node
from matcalc.ops.comparison import maximum
from matcalc.ops.elementwise import absolute, exp, log, softplus
from matcalc.ops.normalization import logsumexp
from matcalc.properties import known
from matcalc.rewrite.terms import meaning


def log_of_sum(total: Expr) -> Expr | None:
    """log(T) for several terms, each an exponential (or a sum or a multiple of those) or known to be positive.

    T may be the sum of the entries of such a matrix.
    """
    total = meaning(total)
    if total.op == "sum":
        inner = log_of_sum(total.args[0])
        return None if inner is None else logsumexp(inner, total.params[0])
    if total.op != "add" or all(_log_of_exponential(t) is None for t in total.args):
        return None
    logarithms = [_log_of_term(t) for t in total.args]
    joined: Expr | None = None
    for logarithm in sorted((x for x in logarithms if x is not None), key=lambda x: constant_of(x) is None):
        joined = logarithm if joined is None else _joined(joined, logarithm)
    return None if None in logarithms else joined


def _joined(a: Expr, b: Expr) -> Expr:
    """log(exp(a) + exp(b))"""
    if constant_of(a) == 0:
        return softplus(b)
    distance = absolute(core.difference(a, b))
    return core.add(maximum(a, b), softplus(minus(distance)))


def _log_of_term(t: Expr) -> Expr | None:
    c = constant_of(t)
    if c is not None:
        return broadcast(number(sp.log(c)), t.shape) if c.is_positive else None
    found = _log_of_exponential(t)
    if found is not None:
        return found
    t = meaning(t)
    if t.op == "broadcast":
        inner = _log_of_term(t.args[0])
        return None if inner is None else broadcast(inner, t.shape)
    return log(t) if known(t, "positive") else None


def _log_of_exponential(t: Expr) -> Expr | None:
    t = meaning(t)
    if t.op == "broadcast":
        inner = _log_of_exponential(t.args[0])
        return None if inner is None else broadcast(inner, t.shape)
    if t.op == "scale" and len(t.args) == 2:
        inner, logarithm = _log_of_exponential(t.args[1]), _log_of_term(t.args[0])
        return None if inner is None or logarithm is None else core.add(broadcast(logarithm, t.shape), inner)
    if t.op == "power" and t.args[1].op == "number":
        inner = _log_of_exponential(t.args[0])
        return None if inner is None else core.scale(t.args[1], inner)
    total = sum_of_exponentials(t)
    return exponent_of(t) if total is None else logsumexp(total[0], total[1])


def over_sum(e: Expr) -> Expr | None:
    """A product with exp(X) ./ T, T as above: both overflow where the quotient is at most 1."""
    if e.op == "divide":
        return _quotient(*e.args)
    if e.op not in ("hadamard", "scale"):
        return None
    for i, k in permutations(range(len(e.args)), 2):
        below = _reciprocal_of(e.args[k])
        found = None if below is None else _quotient(e.args[i], below)
        if found is not None:
            rest = [a for n, a in enumerate(e.args) if n not in (i, k)]
            rest.insert(sum(n not in (i, k) for n in range(max(i, k))), found)  # a matrix stays the last factor
            return node(e.op, tuple(rest)) if len(rest) > 1 else found
    return None


def _reciprocal_of(e: Expr) -> Expr | None:
    """T where `e` is 1 ./ T, repeated or not."""
    e = meaning(e)
    e = meaning(e.args[0]) if e.op == "broadcast" else e
    inverted = e.op == "power" and e.args[1].number == -1
    return e.args[0] if inverted else None


def _quotient(above: Expr, below: Expr) -> Expr | None:
    X = exponent_of(above)
    below = meaning(below)
    log = None if X is None else log_of_sum(below.args[0] if below.op == "broadcast" else below)
    return None if X is None or log is None else exp(core.difference(X, broadcast(log, X.shape)))
