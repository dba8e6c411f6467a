"""Sums of matrices with numbers, compared as polynomials in what is multiplied entry by entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import product
from typing import Any

from matcalc import core
from matcalc.expr import Expr, postorder
from matcalc.properties import known
from matcalc.rewrite.terms import meaning, number_and_term

Weights = list[tuple[Any, Expr | None]]
Polynomial = Counter[tuple[bytes, ...]]  # the number of each product of entries, of factors in order
TURNED = b"'"


def polynomial(weights: Iterable[tuple[Any, Expr]], *, diagonal: bool = False) -> Polynomial:
    """A sum of matrices with numbers; with `diagonal` that of their diagonals, where transposes are no matter."""
    made: Polynomial = Counter()
    for c, W in weights:
        _collect(made, c, _expanded(W, b"" if diagonal else None))
    return made


def less(first: Polynomial, second: Polynomial) -> Polynomial:
    """The difference."""
    made: Polynomial = Counter(first)
    made.subtract(second)
    return made


def is_zero(p: Polynomial) -> bool:
    """Whether all cancels."""
    return all(c == 0 for c in p.values())


def stochastic(rest: Polynomial, number: Any, among: Iterable[tuple[Any, Expr]]) -> Expr | None:
    """The one matrix W with W 1 = 1 that is left, with this number; transposed where its columns add up to 1."""
    left = [(factors, c) for factors, c in rest.items() if c != 0]
    if len(left) != 1 or left[0][1] != number or len(left[0][0]) != 1:
        return None
    key = left[0][0][0].removesuffix(TURNED)
    W = next((s for s in postorder(W for _, W in among) if s.digest == key), None)
    if W is None:
        return None
    return W if known(W, "row-stochastic") else core.turned(W) if known(W, "column-stochastic") else None


def _collect(total: Polynomial, c: Any, p: Polynomial) -> None:
    for factors, k in p.items():
        total[factors] += c * k


def _expanded(W: Expr, mark: bytes | None) -> Polynomial:
    """One matrix; `mark` is what its factors are marked with (None: nothing yet, and transposes mark)."""
    c, rest = number_and_term(meaning(W))
    rest = None if rest is None else meaning(rest)
    if rest is None or rest.op == "ones":
        return Counter({(): c})
    made: Polynomial = Counter()
    if rest.op == "transpose":
        _collect(made, c, _expanded(rest.args[0], TURNED if mark is None else None if mark else mark))
    elif rest.op == "add":
        for t in rest.args:
            _collect(made, c, _expanded(t, mark))
    elif rest.op in ("hadamard", "scale"):
        made[()] = c
        for f in rest.args:
            once, made = made, Counter()
            for (first, k), (second, j) in product(once.items(), _expanded(f, mark).items()):
                made[tuple(sorted((*first, *second)))] += k * j
    elif rest.op == "broadcast" and meaning(rest.args[0]).op == "sum" and not rest.args[0].is_scalar:
        sums = meaning(rest.args[0])
        for factors, k in _expanded(sums.args[0], None).items():
            made[b"%d(" % sums.params[0] + b"*".join(factors) + b")" + (mark or b""),] += c * k
    else:
        made[rest.digest + (mark or b""),] += c
    return made
