"""What is centred in derivatives is centred twice, so that its (weighted) sums are 0 to all digits.

In Y - mean(Y) the rounding of the mean moves all entries by one amount, and the roundings of the entries move their
sum: where a product that follows keeps little but sums (one with a matrix whose entries are nearly equal), those are
what remains. The same holds for G - sum(P .* G), P a softmax, for P .* G - P .* sum(P .* G) and for P .* sum(Y) - Y.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import permutations
from typing import Any

from matcalc import core
from matcalc.core import broadcast, minus, number
from matcalc.dims import is_one
from matcalc.emit.matching import softmax_of
from matcalc.emit.moments import centred
from matcalc.emit.quotients import factors_of_term
from matcalc.expr import Expr, postorder
from matcalc.rewrite.terms import meaning, number_and_term
from matcalc.walk import transform

Powers = frozenset[tuple[Expr, Any]]
_AVERAGES = ("mean", "sum", "matmul")


def centred_twice(roots: Iterable[Expr], values: Iterable[Expr]) -> Mapping[Expr, Expr]:
    """Each of some derivatives with what is centred in it centred again; what the values need stays as it is."""
    forward = set(postorder(values))

    def again(new: Expr, old: Expr) -> Expr:
        if old in forward:
            return new
        return _again(new) if new.op == "add" else _projected(new) if new.op == "matmul" else new

    return transform(roots, again)


def _again(e: Expr) -> Expr:
    """A sum whose (weighted) mean is subtracted, less the mean of what remains."""
    for k, t in enumerate(e.args):
        c, powers = factors_of_term(t)
        for average in [b for b, n in powers.items() if n == 1 and b.op in _AVERAGES]:
            Y, axis = _averaged(average)
            rest = [a for n, a in enumerate(e.args) if n != k]
            if Y is None or Y.shape != e.shape or not rest:
                continue
            outside = Counter({b: n for b, n in powers.items() if b is not average and n != 0})
            found = _weight(average, Y, axis, outside, c, rest)
            if found is not None:
                if found == (None,) and t is broadcast(minus(average), e.shape):
                    e = centred(Y, axis)  # as the code of moments has it
                P = found[0]
                weighted = P is not None and P in outside
                if P is not None:
                    e = _without_normaliser(e, P, axis, weighted, [f for a in rest for f in _terms(a)])
                return _less_mean(e, P, axis, weighted)
    return e


def _projected(e: Expr) -> Expr:
    """A product with I - 1 p', p a softmax, twice with it: the same, as p'*1 = 1."""
    factors: list[Expr] = []
    for f, following in zip(e.args, (*e.args[1:], None)):
        place = None if following is None or not factors else _summed(f)
        mixes = place is not None and following is not None and not _keeps_apart(following, place)
        factors += [f, f] if mixes else [f]
    return core.matmul(*factors) if len(factors) > len(e.args) else e


def _summed(e: Expr) -> int | None:
    """For I - 1 p' for each row or column p of a softmax, on vec, the place of 1 1' in its Kronecker product."""
    e = meaning(e)
    if e.op != "add" or len(e.args) != 2:
        return None
    for one, rest in permutations(e.args):
        c, product = number_and_term(rest)
        if one.op == "eye" and c == -1 and product is not None and product.op == "matmul" and len(product.args) == 2:
            sums, D = product.args
            v = meaning(meaning(D).args[0]) if meaning(D).op == "diag" else None
            P = None if v is None else meaning(v.args[0]) if v.op == "vec" else v
            if P is not None and P.op == "softmax" and sums.op == "kron":
                place = 2 - P.params[0]
                return place if (sums.args[place].op, sums.args[1 - place].op) == ("ones", "eye") else None
    return None


def _keeps_apart(e: Expr, place: int) -> bool:
    """Whether a matrix on vec takes no sums there: a Kronecker product with an identity."""
    return e.op == "kron" and e.args[place].op == "eye"


def _averaged(average: Expr) -> tuple[Expr | None, int | None]:
    """What is summed, and along which axis; x'*y is the sum of x .* y."""
    if average.op != "matmul":
        return average.args[0], average.params[0]
    a, b = average.args[0], average.args[-1]
    if len(average.args) != 2 or not average.is_scalar or a.op != "transpose" or a.args[0].shape != b.shape:
        return None, None
    return core.hadamard(a.args[0], b), None


def _weight(
    average: Expr, Y: Expr, axis: int | None, outside: Counter[Expr], c: Any, rest: list[Expr]
) -> tuple[Expr | None] | None:
    """The softmax P with which the mean is weighted, None for a plain mean, in a tuple; None where it is no mean.

    The rest of the sum, times P, is minus what is averaged times what stands outside.
    """
    wanted = _sum_of_terms(rest)
    inside = _terms(Y)
    given = _sum_of([(k * -c, _product(F, outside)) for k, F in inside])
    if average.op == "mean":
        fits = given == wanted and all(_constant_along(b, axis) for b in outside)
        return (None,) if fits else None
    for P in dict.fromkeys(b for F in ([*outside], *(F for _, F in inside)) for b in F if b.op == "softmax"):
        along = P.params[0]
        if P.shape != Y.shape or (axis != along and not (axis is None and is_one(P.shape[2 - along]))):
            continue
        others = (b for b, n in outside.items() if b is not P or n != 1)
        if given == _sum_of([(k, _product(F, Counter([P]))) for a in rest for k, F in _terms(a)]) and all(
            _constant_along(b, axis) for b in others
        ):
            return (P,)
    return None


def _without_normaliser(
    e: Expr, P: Expr, axis: int | None, weighted: bool, terms: list[tuple[Any, Counter[Expr]]]
) -> Expr:
    """`e` with Z for each logarithm of P = softmax(Z), and without constants: the weighted mean takes away the rest."""
    kept: list[Expr] = []
    found = False
    for c, F in terms:
        others = Counter(F)
        others[P] -= weighted
        logs = [b for b in others if _is_log_of(b, P)]
        others.subtract(logs)
        factors = [b for b, n in others.items() if n != 0]
        simple = len(logs) <= 1 and all(others[b] == 1 and _constant_along(b, axis) for b in factors)
        if not simple or any(others[b] != 0 for b in logs):
            return e
        found = found or bool(logs)
        for _ in logs:
            repeated = (broadcast(b, P.shape) for b in factors)
            kept.append(core.scale(number(c), core.hadamard(*repeated, P.args[0])))
    if not found:
        return e
    D = core.add(*kept)
    C = core.add(D, minus(broadcast(core.total(core.hadamard(P, D), axis), P.shape)))
    return core.hadamard(P, C) if weighted else C


def _is_log_of(b: Expr, P: Expr) -> bool:
    inner = softmax_of(b.args[0]) if b.op == "log" else (b.args[0], b.params[0]) if b.op == "log_softmax" else None
    return inner == (P.args[0], P.params[0])


def _terms(Y: Expr) -> list[tuple[Any, Counter[Expr]]]:
    """The terms of a sum, or of a product with one sum, as numbers and factors with exponents."""
    c, powers = factors_of_term(Y)
    for A in (b for b, n in powers.items() if n == 1 and b.op == "add"):
        others = Counter(powers)
        others[A] -= 1
        return [(c * k, _product(F, others)) for k, F in map(factors_of_term, A.args)]
    return [(c, powers)]


def _product(*factors: Counter[Expr]) -> Counter[Expr]:
    joint = Counter[Expr]()
    for F in factors:
        joint.update(F)
    return joint


def _sum_of_terms(terms: list[Expr]) -> dict[Powers, Any]:
    return _sum_of([found for t in terms for found in _terms(t)])


def _sum_of(terms: list[tuple[Any, Counter[Expr]]]) -> dict[Powers, Any]:
    """The coefficient of each product."""
    total: dict[Powers, Any] = {}
    for c, F in terms:
        key = frozenset((b, n) for b, n in F.items() if n != 0)
        total[key] = total.get(key, 0) + c
    return total


def _constant_along(b: Expr, axis: int | None) -> bool:
    return b.is_scalar or (axis is not None and is_one(b.shape[axis - 1]))


def _less_mean(e: Expr, P: Expr | None, axis: int | None, weighted: bool) -> Expr:
    """e - mean(e); with weights P the sum of P .* e, or where `e` has them already P times its sum."""
    if P is None:
        return centred(e, axis)
    sums = core.total(e if weighted else core.hadamard(P, e), axis)
    repeated = broadcast(sums, e.shape)
    return core.add(e, minus(core.hadamard(P, repeated) if weighted else repeated))
