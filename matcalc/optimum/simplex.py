"""Separable functions of positive entries with given sums: softmax, proportions, powers."""

from __future__ import annotations

from matcalc import core
from matcalc.core import number
from matcalc.dims import is_one, same_shape, sign
from matcalc.expr import Expr
from matcalc.ops.elementwise import log
from matcalc.ops.normalization import logsumexp, softmax
from matcalc.optimum.answer import Candidate, reason, solver
from matcalc.optimum.constrained import image_pair, jacobian_of, offset_of
from matcalc.optimum.entrywise import filled, moving_term
from matcalc.optimum.question import Question, split_scalars
from matcalc.properties import known
from matcalc.rewrite.normal import is_zero

GIBBS = "Cover & Thomas, Elements of Information Theory (2006), 12.1"


@solver(source=GIBBS)
def entries_with_given_sums(q: Question) -> Candidate | None:
    """f'(p) + L = 0 with sum(p) = s: a log(p) + z gives p = s softmax(-z/a); c p^k gives p in proportion to c^(-1/k)"""
    if len(q.over) != 1 or len(q.constraints) != 1 or not known(q.one, "positive"):
        return None
    found = _sums(q)
    if found is None:
        return None
    axis, s = found
    made = _exponential(q, axis, s) or _proportional(q, axis, s)
    if made is None:
        return None
    value, L = made
    why = reason(entries_with_given_sums, GIBBS, q.gradient)
    given = () if q.sign(s) == 1 else (("positive", s),)
    turned = L if axis != 1 or same_shape(L.shape, q.constraints[0].left.shape) else core.transpose(L)
    return Candidate({q.one: filled(q.simple(value), q.one)}, (why,), given, {q.constraints[0].text: q.simple(turned)})


def _sums(q: Question) -> tuple[int | None, Expr] | None:
    """The axis along which the constraint gives the sums, and the sums."""
    (c,) = q.constraints
    J = jacobian_of(q, c)
    pair = None if J is None else image_pair(q, c, J)
    if pair is None:
        return None
    s = q.simple(core.minus(offset_of(q, c)))
    P, Q = pair
    m, n = q.one.shape
    if s.is_scalar and _is_ones(P) and _is_ones(Q) and is_one(P.shape[0]) and is_one(Q.shape[0]):
        return None if is_one(m) and is_one(n) else (None, s)
    if _is_ones(P) and Q.op == "eye" and is_one(P.shape[0]):
        return 2, s
    if _is_ones(Q) and P.op == "eye" and is_one(Q.shape[0]):
        return 1, s
    return None


def _is_ones(e: Expr) -> bool:
    return e.number == 1 or e.op == "ones" or (e.op == "broadcast" and e.args[0].number == 1)


def _spread(e: Expr, q: Question) -> Expr:
    """Sums in the shape of the unknown."""
    return e if e.is_scalar else core.broadcast(e, q.one.shape)


def _exponential(q: Question, axis: int | None, s: Expr) -> tuple[Expr, Expr] | None:
    """a log(p) + z + L = 0."""
    term, z = moving_term(q, q.gradient)
    if term is None:
        return None
    a, e = split_scalars(term)
    beside = _logarithms(q, e.args[0]) if e.op == "log" else []
    if beside:  # log(p .* w) = log(p) + log(w)
        e, z = log(q.one), core.add(*_terms(z), *(core.product(a, x) for x in beside))
    if e.op != "log" or e.args[0] is not q.one or not q.free_of(a) or q.sign(a) == 0:
        return None
    z = q.simple(core.product(core.minus(core.reciprocal(a)), _without_constants(z)))
    flat = axis is None and not is_one(q.one.shape[0]) and not is_one(q.one.shape[1])
    if flat:
        return None
    along = axis if axis is not None else (1 if is_one(q.one.shape[1]) else 2)
    if is_zero(z):
        return _even(q, a, s, axis, along)
    value = q.simple(softmax(filled(z, q.one), along))
    if z.op == "log":  # softmax(log(w)) is in proportion to w
        value = core.entrywise_quotient(z.args[0], _spread(core.total(z.args[0], axis), q))
    lse = logsumexp(filled(z, q.one), axis)
    L = core.product(a, core.difference(lse, log(s)))
    constants = _constants(moving_term(q, q.gradient)[1])
    L = core.difference(L, constants) if constants is not None else L
    return core.entrywise_product(_spread(s, q), value) if s.number != 1 and not _is_ones(s) else value, L


def _logarithms(q: Question, e: Expr) -> list[Expr]:
    """The logarithms whose sum is log(w) for the positive w of p .* w; none where it is something else."""
    if e.op not in ("hadamard", "scale", "divide"):
        return []
    factors = (e.args[0], core.power(e.args[1], -1)) if e.op == "divide" else e.args
    others = [a for a in factors if a is not q.one]
    if len(others) != len(factors) - 1 or not all(q.free_of(a) and q.sign(a) == 1 for a in others):
        return []
    logs = [core.minus(log(a.args[0])) if a.op == "power" and a.args[1].number == -1 else log(a) for a in others]
    return [filled(x, q.one) for x in logs]


def _even(q: Question, a: Expr, s: Expr, axis: int | None, along: int) -> tuple[Expr, Expr]:
    """The same with z = 0: all entries are equal."""
    n = number(core.exact_dim(q.one.shape[along - 1]))
    share = q.simple(core.entrywise_quotient(s, n))
    L = core.product(core.minus(a), log(share))
    constants = _constants(moving_term(q, q.gradient)[1])
    L = core.difference(L, constants) if constants is not None else L
    return core.scale(share, core.ones(*q.one.shape)) if share.is_scalar else _spread(share, q), L


def _constants(z: Expr) -> Expr | None:
    """The sum of the terms that are equal in all entries, as a scalar."""
    found = [t for t in _terms(z) if _scalar_of(t) is not None]
    return core.add(*(x for t in found if (x := _scalar_of(t)) is not None)) if found else None


def _scalar_of(t: Expr) -> Expr | None:
    s, body = split_scalars(t)
    if body.op == "ones" or (body.op == "broadcast" and body.args[0].is_scalar):
        return s if body.op == "ones" else core.product(s, body.args[0])
    return t if t.is_scalar and body.op == "number" else None


def _without_constants(z: Expr) -> Expr:
    kept = [t for t in _terms(z) if _scalar_of(t) is None]
    return core.add(*kept) if kept else core.zeros(*z.shape)


def _terms(z: Expr) -> list[Expr]:
    return list(z.args) if z.op == "add" else [z]


def _proportional(q: Question, axis: int | None, s: Expr) -> tuple[Expr, Expr] | None:
    """c p^k + L = 0 with c of one sign."""
    term, rest = moving_term(q, q.gradient)
    if term is None or not (rest.op == "zeros" or _without_constants(rest).op == "zeros"):
        return None
    scalars, e = split_scalars(term)
    v = q.one
    if e.op == "divide" and e.args[1] is v and q.free_of(e.args[0]):
        c, k = e.args[0], number(-1)
    elif e.op == "power" and e.args[0] is v and e.args[1].number is not None:
        c, k = core.broadcast(number(1), v.shape), e.args[1]
    elif e.op == "hadamard" and len(e.args) == 2 and any(_is_power(a, v) for a in e.args):
        powered = next(a for a in e.args if _is_power(a, v))
        c, k = next(a for a in e.args if a is not powered), powered.args[1]
    else:
        return None
    falling = k.number is not None and sign(k.number) == -1  # an entry 0 of c then gives an entry 0
    fits = q.is_nonnegative(c) if falling else q.sign(c) == 1
    if not (fits and q.free_of(c) and q.free_of(scalars) and q.sign(scalars)) or k.number == 0:
        return None
    u = q.simple(core.power(c, number(-1 / k.number)))
    sums = q.simple(core.total(u, axis))
    ratio = core.entrywise_quotient(s, sums)  # p = u*ratio, c p^k = ratio^k
    value = core.entrywise_product(u, _spread(ratio, q))
    L = core.minus(core.product(scalars, core.power(ratio, k)))
    constants = _constants(rest)
    return value, core.difference(L, constants) if constants is not None else L


def _is_power(e: Expr, v: Expr) -> bool:
    return e.op == "power" and e.args[0] is v and e.args[1].number is not None
