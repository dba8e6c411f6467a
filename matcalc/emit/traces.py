"""Code for traces and diagonals of products, without the products."""

from __future__ import annotations

from collections.abc import Mapping

from matcalc import core
from matcalc.core import matmul, number, total, trace, transpose
from matcalc.dims import is_one, same
from matcalc.emit.chains import expanded, size
from matcalc.emit.contractions import dot, half_of
from matcalc.emit.instructions import Instruction
from matcalc.emit.selection import Choice, Rule, Selector
from matcalc.expr import Expr
from matcalc.rewrite.terms import is_firm


def trace_code(select: Selector, e: Expr) -> Choice | None:
    """tr(A B) = the sum of A' o B, with the chain cut where that is cheapest."""
    X = e.args[0]
    if X.is_scalar:
        return X
    if X.op in ("add", "scale", "transpose") and not select.shared(X):
        if is_firm(X):  # its terms may cancel entry by entry
            return Instruction("tr", (X,))
        if X.op == "add":
            return core.add(*map(trace, X.args))
        return trace(X.args[0]) if X.op == "transpose" else core.scale(*X.args[:-1], trace(X.args[-1]))
    if X.op == "eye":
        return number(core.exact_dim(X.shape[0]))
    if X.op == "diag":
        return total(X.args[0])
    if X.op == "matmul" and not select.shared(X):
        return _trace_of_product(select, X)
    return Instruction("tr", (X,))


def _trace_of_product(select: Selector, X: Expr) -> Choice:
    flat = expanded(X.args, lambda f: f is not X and select.shared(f))
    scalars = [f for f in flat if f.is_scalar]
    factors = [f for f in flat if not f.is_scalar]
    if scalars:
        return core.scale(*scalars, trace(matmul(*factors)) if factors else trace(core.eye(X.shape[0])))
    if not factors:
        return trace(core.eye(X.shape[0]))
    if len(factors) == 1:
        return trace(factors[0])
    if any(is_one(f.shape[0]) for f in factors):  # tr(A x y' B) = y' B A x
        k = next(k for k, f in enumerate(factors) if is_one(f.shape[0]))
        return matmul(*factors[k:], *factors[:k])
    inverses = [k for k, f in enumerate(factors) if f.op == "inv"]
    if inverses:  # the inverse in front, so that it becomes a solve
        k = inverses[0]
        solved = matmul(*factors[k:], *factors[:k])
        return Instruction("tr", (solved,))
    for k in range(len(factors)):
        half = half_of(factors[k:] + factors[:k])
        if half is not None:
            select.kept.add(half)
            return dot(half, half)
    left, right = _cut(factors, select.sizes)
    if right.op == "transpose":
        return dot(left, right.args[0])
    if left.op == "transpose":
        return dot(left.args[0], right)
    return Instruction("sum_of_products", (left, right), (True, None))


def _cut(factors: list[Expr], sizes: Mapping[str, int]) -> tuple[Expr, Expr]:
    """Two partial products whose trace product is the trace; cut so that the two are as small as possible."""
    count = len(factors)
    turns = [(k, j) for k in range(count) for j in range(1, count)]

    def weight(turn: tuple[int, int]) -> tuple[float, bool]:
        k, j = turn
        turned = factors[k:] + factors[:k]
        entries = size(turned[0].shape[0], sizes) * size(turned[j].shape[0], sizes)
        aligned = any(len(part) == 1 and part[0].op == "transpose" for part in (turned[:j], turned[j:]))
        return entries * (1 if j == 1 else 2) + entries * (1 if count - j == 1 else 2), not aligned

    k, j = min(turns, key=weight)
    turned = factors[k:] + factors[:k]
    return matmul(*turned[:j]), matmul(*turned[j:])


def diagvec_code(select: Selector, e: Expr) -> Choice | None:
    """diagvec(A B) without the product."""
    X = e.args[0]
    if X.is_scalar:
        return X
    if X.op == "diag":
        v = X.args[0]
        return v if same(v.shape[0], e.shape[0]) else transpose(v)
    if X.op == "matmul" and not select.shared(X):
        left, right = (X.args[0], matmul(*X.args[1:])) if len(X.args) > 1 else (X, X)
        if right.op == "transpose":
            return total(core.hadamard(left, right.args[0]), 2)
        if left.op == "transpose":
            return transpose(total(core.hadamard(left.args[0], right), 1))
        return Instruction("sum_of_products", (left, right), (True, 2))
    return None


RULES: dict[str, list[Rule]] = {"tr": [trace_code], "diagvec": [diagvec_code]}
