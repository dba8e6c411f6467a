"""Matrix chains: the order of multiplication that costs least, with `solve` instead of inverses.

Dimensions whose sizes are not given count as equal and large, so that vectors are multiplied first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from matcalc import core
from matcalc.core import matmul, transpose
from matcalc.dims import Dim, is_one, same
from matcalc.expr import Expr
from matcalc.ops.linalg import solve

_LARGE = 1000
_LONGEST = 32
_MATERIALISE = 2
# Factors with which a product costs less, or more, than with others of their size.
CHEAPER = ("diag", "kron", "inv")
# What is never computed to be multiplied, whatever it is called.
_STRUCTURED = ("diag", "eye", "kron")


def size(d: Dim, sizes: Mapping[str, int]) -> float:
    """A number for a dimension: symbols whose sizes are not given count as large."""
    if isinstance(d, int):
        return d
    return float(d.xreplace({s: sp.Integer(sizes.get(s.name, _LARGE)) for s in d.free_symbols}))


def _step_cost(left: Expr | None, right: Expr | None, m: float, k: float, n: float, sizes: Mapping[str, int]) -> float:
    """The cost of multiplying two parts; single diagonal and inverse factors are given, other parts are None."""
    if (left is not None and left.op == "diag") or (right is not None and right.op == "diag"):
        return m * n
    cost = 2 * m * k * n
    for kron, columns in ((left, n), (right, m)):
        if kron is not None and kron.op == "kron":
            A, B = (tuple(size(d, sizes) for d in f.shape) for f in kron.args)
            work_a, work_b = (0 if f.op == "eye" else 1 for f in kron.args)
            return 2 * columns * (work_a * A[0] * A[1] * B[0] + work_b * B[0] * B[1] * A[1]) + m * n
    if left is not None and left.op == "inv":
        return 2 / 3 * m**3 + cost + (_MATERIALISE * n**3 if right is not None and right.op == "inv" else 0)
    if right is not None and right.op == "inv":
        return 2 / 3 * n**3 + cost
    return cost


Plan = Any  # an int (a factor), a pair of plans, or a product that is there


def best_order(
    factors: tuple[Expr, ...], sizes: Mapping[str, int], made: Mapping[tuple[Expr, ...], Expr] | None = None
) -> Plan:
    """How to bracket a product: nested pairs of positions.

    Args:
        factors: of the product.
        sizes: what is known of the dimensions.
        made: products that are computed anyway, by their factors: they cost nothing.
    """
    count = len(factors)
    made = {} if made is None else {parts: e for parts, e in made.items() if len(parts) < count}
    d = _sizes(factors, sizes)
    if not made and _all_the_same(factors, d):
        return _from_the_left(count)
    if count > _LONGEST:
        return _one_way(factors, sizes)
    cost: dict[tuple[int, int], float] = {(i, i): 0.0 for i in range(count)}
    plan: dict[tuple[int, int], Plan] = {(i, i): i for i in range(count)}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            best = None
            cuts = range(i, j) if d[i] == d[j + 1] == 1 else range(j - 1, i - 1, -1)
            for s in cuts:  # among equals from the left, but x'(A x)
                left, right = (factors[i] if s == i else None), (factors[j] if s + 1 == j else None)
                c = cost[i, s] + cost[s + 1, j] + _step_cost(left, right, d[i], d[s + 1], d[j + 1], sizes)
                if best is None or c < best:
                    best, plan[i, j] = c, (plan[i, s], plan[s + 1, j])
            assert best is not None
            cost[i, j] = best
            if length + 1 < count and factors[i : j + 1] in made:
                cost[i, j], plan[i, j] = 0, made[factors[i : j + 1]]
    return plan[0, count - 1]


def _sizes(factors: tuple[Expr, ...], sizes: Mapping[str, int]) -> list[float]:
    """The rows of all factors, and the columns of the last; each dimension is looked at once."""
    found: dict[Dim, float] = {}
    for d in (*(f.shape[0] for f in factors), factors[-1].shape[1]):
        if d not in found:
            found[d] = size(d, sizes)
    return [found[d] for d in (*(f.shape[0] for f in factors), factors[-1].shape[1])]


def _all_the_same(factors: tuple[Expr, ...], d: list[float]) -> bool:
    """Whether all orders cost the same: square matrices of one size, none of them of a structure."""
    return d[0] != 1 and all(other == d[0] for other in d) and not any(f.op in CHEAPER for f in factors)


def _from_the_left(count: int) -> Plan:
    plan: Plan = 0
    for k in range(1, count):
        plan = (plan, k)
    return plan


def _one_way(factors: tuple[Expr, ...], sizes: Mapping[str, int]) -> Plan:
    """A long chain: from its narrower end to the other."""
    if size(factors[0].shape[0], sizes) <= size(factors[-1].shape[1], sizes):
        return _from_the_left(len(factors))
    plan: Plan = len(factors) - 1
    for k in range(len(factors) - 2, -1, -1):
        plan = (k, plan)
    return plan


def build(factors: tuple[Expr, ...], plan: Plan) -> Expr:
    """The product bracketed as planned, in nodes of two factors each."""
    done: list[Expr] = []
    stack: list[tuple[Plan, bool]] = [(plan, False)]
    while stack:
        part, ready = stack.pop()
        if isinstance(part, (int, Expr)):
            done.append(factors[part] if isinstance(part, int) else part)
        elif ready:
            right = done.pop()
            left = done.pop()
            done.append(pair(left, right))
        else:
            stack += [(part, True), (part[1], False), (part[0], False)]
    return done[0]


def pair(left: Expr, right: Expr) -> Expr:
    """left * right: a solve for an inverse, a scaling of rows or columns for a diagonal matrix."""
    if left.op == "diag" and right.op == "diag":
        return core.diag(core.hadamard(_column(left.args[0]), _column(right.args[0])))
    if left.op == "diag":
        return core.hadamard(core.broadcast(_column(left.args[0]), right.shape), right)
    if right.op == "diag":
        row = transpose(_column(right.args[0]))
        return core.hadamard(left, core.broadcast(row, left.shape))
    if left.op == "inv":
        return solve(left.args[0], right)
    if right.op == "inv":
        return transpose(solve(_transposed(right.args[0]), _transposed(left)))
    return matmul(left, right)


def _column(v: Expr) -> Expr:
    return v if is_one(v.shape[1]) else _transposed(v)


def _transposed(e: Expr) -> Expr:
    return e if e.op == "eye" else core.turned(e)


def expanded(factors: tuple[Expr, ...], shared: Any) -> list[Expr]:
    """The factors of a product with nested products, transposed products and broadcasts taken apart.

    `shared(e)` says whether `e` is computed anyway, and so is kept whole. 1 x 1 factors may be among the result.
    """
    result: list[Expr] = []
    stack = list(reversed(factors))
    while stack:
        f = stack.pop()
        if f.is_scalar:  # a product of vectors, say: it scales the chain as a whole
            result.append(f)
            continue
        while f.op == "named" and f.args[0].op in _STRUCTURED:
            f = f.args[0]
        inner = f.args[0] if f.op == "transpose" else f
        if f.op in ("matmul", "scale") and not shared(f):
            stack.extend(reversed(f.args))
        elif f.op == "transpose" and inner.op in ("matmul", "scale") and not shared(inner):
            stack.extend(_transposed(a) for a in inner.args)
        elif f.op == "transpose" and inner.op == "inv":
            stack.append(core.inverse(_transposed(inner.args[0])))
        elif f.op == "transpose" and inner.op in ("diag", "eye"):
            stack.append(inner)
        elif f.op == "transpose" and inner.op == "kron":
            stack.append(core.kron(*(_transposed(a) for a in inner.args)))
        elif f.op == "transpose" and inner.op == "broadcast":
            stack.append(core.broadcast(_transposed(inner.args[0]), f.shape))
        elif f.op == "transpose" and inner.op == "ones":
            stack.append(core.ones(inner.shape[1], inner.shape[0]))
        elif f.op == "broadcast" or (f.op == "ones" and not is_one(f.shape[0]) and not is_one(f.shape[1])):
            stack.extend(reversed(_rank_one(f)))
        elif f.op != "eye":
            result.append(f)
    return result


def _rank_one(f: Expr) -> list[Expr]:
    """A broadcast as a column times a row (1 x 1 values apart)."""
    m, n = f.shape
    body = core.number(1) if f.op == "ones" else f.args[0]
    if body.is_scalar:
        parts = [core.ones(m, 1), core.ones(1, n)] if not (is_one(m) or is_one(n)) else [core.ones(m, n)]
        return parts if f.op == "ones" else [body, *parts]
    return [core.ones(m, 1), body] if same(body.shape[1], n) else [body, core.ones(1, n)]
