"""What is the same for all entries that a softmax or a log-sum-exp sums over: it drops out, or comes out."""

from __future__ import annotations

from matcalc.core import add, broadcast, var
from matcalc.dims import is_one
from matcalc.expr import Expr, node
from matcalc.ops.elementwise import exp
from matcalc.ops.normalization import log_softmax, logsumexp, softmax
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import node_rule, rule
from matcalc.rewrite.terms import coefficient_and_rest

BOYD = "Boyd & Vandenberghe, Convex Optimization (2004), 3.1.5"


def _example(op: str) -> tuple[Expr, Expr]:
    X, b = var("X", "m", "n"), var("b", "m", 1)
    return node(op, (add(X, broadcast(b, X.shape)),), (2,)), node(op, (X,), (2,))


def _unshifted(X: Expr, axis: int | None) -> tuple[Expr, Expr] | None:
    """X as a matrix plus what is the same for all entries that are summed; that as row, column or number."""
    if X.op != "add":
        return None
    shifts = [t for t in X.args if t.op == "broadcast" and _is_shift(t.args[0], axis)]
    rest = [t for t in X.args if t not in shifts]
    if not shifts or not rest:
        return None
    shape = {1: (1, X.shape[1]), 2: (X.shape[0], 1)}.get(axis or 0, (1, 1))
    return add(*rest), add(*(broadcast(t.args[0], shape) for t in shifts))


def _is_shift(a: Expr, axis: int | None) -> bool:
    return a.is_scalar or (axis is not None and is_one(a.shape[axis - 1]))


@node_rule(op="softmax", group="present", source=BOYD, example=lambda: _example("softmax"))
def softmax_of_shifted(e: Expr, context: Context) -> Expr | None:
    """softmax(X + b 1', 2) = softmax(X, 2)"""
    found = _unshifted(e.args[0], e.params[0])
    return None if found is None else node(e.op, (found[0],), e.params)


@node_rule(op="log_softmax", group="present", source=BOYD, example=lambda: _example("log_softmax"))
def log_softmax_of_shifted(e: Expr, context: Context) -> Expr | None:
    """log_softmax(X + b 1', 2) = log_softmax(X, 2)"""
    found = _unshifted(e.args[0], e.params[0])
    return None if found is None else node(e.op, (found[0],), e.params)


def _log_sum() -> tuple[Expr, Expr]:
    X, b = var("X", "m", "n"), var("b", "m", 1)
    left = add(logsumexp(add(X, -broadcast(b, X.shape)), 2), b)
    return left, logsumexp(X, 2)


@node_rule(op="add", group="present", source=BOYD, example=_log_sum, having="logsumexp")
def log_sum_exp_of_shifted(e: Expr, context: Context) -> Expr | None:
    """logsumexp(X - b 1', 2) + b = logsumexp(X, 2)"""
    for k, t in enumerate(e.args):
        if t.op != "logsumexp":
            continue
        found = _unshifted(t.args[0], t.params[0])
        if found is None:
            continue
        coefficient, shift = coefficient_and_rest(found[1])
        for i, s in enumerate(e.args):
            own, rest = coefficient_and_rest(s)
            if i != k and rest is not None and rest is shift and own == -coefficient:
                others = [a for n, a in enumerate(e.args) if n not in (i, k)]
                return add(node(t.op, (found[0],), t.params), *others)
    return None


def _minus_log_sum() -> tuple[Expr, Expr]:
    X = var("X", "m", "n")
    left = add(X, -broadcast(logsumexp(X, 2), X.shape))
    return left, log_softmax(X, 2)


@node_rule(op="add", group="present", source=BOYD, example=_minus_log_sum, having="broadcast|scale")
def minus_log_sum_exp(e: Expr, context: Context) -> Expr | None:
    """X - logsumexp(X, 2) 1' = log_softmax(X, 2)"""
    for k, t in enumerate(e.args):
        coefficient, L = coefficient_and_rest(t.args[0] if t.op == "broadcast" else t)
        if coefficient != -1 or L is None or L.op != "logsumexp":
            continue
        X, axis = L.args[0], L.params[0]
        if axis is None:
            axis = 1 if is_one(X.shape[1]) else 2 if is_one(X.shape[0]) else None
        terms = X.args if X.op == "add" else (X,)
        rest = [s for n, s in enumerate(e.args) if n != k]
        if axis is None or any(s not in rest for s in terms):
            continue
        return add(*(s for s in rest if s not in terms), log_softmax(X, axis))
    return None


@rule(X="m n", axis=(2, 1), group="present", source="definition of the function")
def exponential_of_log_softmax(X: Expr, axis: int) -> tuple[Expr, Expr]:
    """exp(log_softmax(X, 2)) = softmax(X, 2)"""
    return exp(log_softmax(X, axis)), softmax(X, axis)


def _shifted_extreme(op: str) -> None:
    """Declare max(X + b 1', 2) = max(X, 2) + b."""

    def shifted(e: Expr, context: Context) -> Expr | None:
        found = _unshifted(e.args[0], e.params[0])
        return None if found is None else add(node(op, (found[0],), e.params), found[1])

    def example() -> tuple[Expr, Expr]:
        X, b = var("X", "m", "n"), var("b", "m", 1)
        return node(op, (add(X, broadcast(b, X.shape)),), (2,)), add(node(op, (X,), (2,)), b)

    shifted.__name__, shifted.__doc__ = f"{op}_of_shifted", f"{op}(X + b 1', 2) = {op}(X, 2) + b"
    node_rule(op=op, group="expand", source="definition of the function", example=example, having="add")(shifted)


for _name in ("max", "min"):
    _shifted_extreme(_name)
