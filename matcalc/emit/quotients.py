"""Two terms of a sum that cancel where a quotient is near 1: T - T .* B ./ (B + R) = T .* R ./ (B + R)."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from typing import Any

import sympy as sp

from matcalc import core
from matcalc.core import broadcast, number
from matcalc.emit.matching import constant_of
from matcalc.expr import Expr, number_value
from matcalc.ops.elementwise import exp
from matcalc.rewrite.terms import meaning

Factors = tuple[Any, "Counter[Expr]"]


def without_common_part(e: Expr) -> Expr | None:
    """The sum `e` with two such terms as one, or None where there are none."""
    if not any(_parts(base) for t in e.args for base in factors_of_term(t)[1]):
        return None
    found = [factors_of_term(t) for t in e.args]
    for i, k in permutations(range(len(e.args)), 2):
        joint = _joint(e.args[i], found[i], found[k])
        if joint is not None:
            rest = [a for n, a in enumerate(e.args) if n not in (i, k)]
            return core.add(joint, *rest)
    return None


def _joint(t: Expr, first: Factors, second: Factors) -> Expr | None:
    """The term t plus another, whose quotient is -B ./ (B + R)."""
    quotient = Counter(second[1])
    quotient.subtract(first[1])
    for A in [base for base, k in quotient.items() if k == -1 and _parts(base) and second[1][base] < 0]:
        above = Counter({base: k for base, k in quotient.items() if k != 0 and base is not A})
        for n, part in enumerate(_parts(A)):
            c, factors = factors_of_term(part)
            if factors == above and second[0] == -first[0] * c:
                R = core.add(*(a for m, a in enumerate(_parts(A)) if m != n))
                return _times(t, core.divide(broadcast(R, A.shape), A))
    return None


def _parts(A: Expr) -> tuple[Expr, ...]:
    """The terms of a sum, and of exp(X) - 1; none of anything else."""
    if A.op == "expm1":
        return exp(A.args[0]), broadcast(number(-1), A.shape)
    return A.args if A.op == "add" else ()


def _times(t: Expr, q: Expr) -> Expr | None:
    if q.is_scalar:
        return core.scale(q, t)
    return core.hadamard(t, q) if q.shape == t.shape else None


def factors_of_term(t: Expr) -> Factors:
    """The number in front of a term, and its factors with their exponents."""
    coefficient, powers = sp.S.One, Counter[Expr]()
    stack = [(t, sp.S.One)]
    while stack:
        f, k = stack.pop()
        f = meaning(f)
        c = constant_of(f)
        if c is not None and c != 0:
            coefficient *= c**k
        elif f.op in ("hadamard", "scale"):
            stack.extend((a, k) for a in f.args)
        elif f.op == "divide":
            stack += [(f.args[0], k), (f.args[1], -k)]
        elif f.op == "broadcast":
            stack.append((f.args[0], k))
        elif f.op == "power" and f.args[1].op == "number" and (k.is_Integer or number_value(f.args[1]) == -1):
            stack.append((f.args[0], k * number_value(f.args[1])))
        elif f.op == "sqrt":
            stack.append((f.args[0], k / 2))
        else:
            powers[f] += k
    return coefficient, powers
