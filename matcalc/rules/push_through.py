"""The push-through identity: a factor moves through the inverse of I plus a product, so that equal terms meet."""

from __future__ import annotations

from typing import Any

from matcalc import core
from matcalc.core import add, inverse, matmul, number, power, scale, var
from matcalc.expr import Expr
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import node_rule
from matcalc.rewrite.terms import factors_of, join, split

HENDERSON = "Henderson & Searle, On deriving the inverse of a sum of matrices, SIAM Review 23 (1981)"


def _parts(e: Expr) -> tuple[Expr, Any, list[Expr], tuple[Expr, ...]] | None:
    """An inverse of s I + t V U as s I, t and the factors of V U."""
    if e.op != "inv" or e.args[0].op != "add" or len(e.args[0].args) != 2:
        return None
    for unit, other in (e.args[0].args, e.args[0].args[::-1]):
        identity = split(unit)[2]
        coefficient, scalars, body = split(other)
        if identity is not None and identity.op == "eye" and body is not None and body.op != "eye":
            return unit, coefficient, scalars, factors_of(body, "matmul")
    return None


def _with_size(unit: Expr, size: object) -> Expr:
    coefficient, scalars, _ = split(unit)
    return join(coefficient, scalars, core.eye(size))


def _resolvent() -> tuple[Expr, Expr]:
    A, B, s = var("A", "n", "m"), var("B", "m", "n"), var("s", 1, 1)
    M = inverse(add(scale(s, core.eye("n")), A @ B))
    return matmul(A, B, M), add(core.eye("n"), core.minus(scale(s, M)))


@node_rule(op="matmul", group="distribute", source=HENDERSON, example=_resolvent)
def product_with_resolvent(e: Expr, context: Context) -> Expr | None:
    """A B (s I + A B)^-1 = I - s (s I + A B)^-1, on either side"""
    for k, f in enumerate(e.args):
        parts = _parts(f)
        found = None if parts is None else _replaced(e, k, parts[1:], [parts[0]], context)
        if found is not None:
            return found
    return None


def _sum_in_inverse() -> tuple[Expr, Expr]:
    A, B = sorted((var("A", "n", "n"), var("B", "n", "n")), key=lambda f: f.digest)
    M = inverse(add(A, B))
    return B @ M, add(core.eye("n"), core.minus(A @ M))


@node_rule(op="matmul", group="expand", source=HENDERSON, example=_sum_in_inverse, having="inv")
def product_with_inverse_of_sum(e: Expr, context: Context) -> Expr | None:
    """A (A + B)^-1 = I - B (A + B)^-1, on either side; A the last term of the sum"""
    for k, f in enumerate(e.args):
        if f.op != "inv" or f.args[0].op != "add":
            continue
        *others, last = sorted(f.args[0].args, key=lambda t: t.digest)
        coefficient, scalars, body = split(last)
        if body is None or body.op == "eye":
            continue
        found = _replaced(e, k, (coefficient, scalars, factors_of(body, "matmul")), others, context)
        if found is not None:
            return found
    return None


def _replaced(
    e: Expr, k: int, term: tuple[Any, list[Expr], tuple[Expr, ...]], others: list[Expr], context: Context
) -> Expr | None:
    """The product with what stands beside its inverse number k replaced, where that is one term of the sum inside."""
    coefficient, scalars, word = term
    if not all(context.known(t, "nonzero") for t in scalars):
        return None
    for start, stop in ((k - len(word), k), (k + 1, k + 1 + len(word))):
        beside = e.args[max(start, 0) : stop]
        if len(beside) != len(word) or any(a.digest != b.digest for a, b in zip(beside, word)):
            continue
        M = e.args[k]
        rest = add(*(_beside(t, M, before=start < k) for t in others))
        scaled = scale(
            number(1 / coefficient), *(power(t, -1) for t in scalars), add(core.eye(M.shape[0]), core.minus(rest))
        )
        return matmul(*e.args[: min(start, k)], scaled, *e.args[max(stop, k + 1) :])
    return None


def _beside(t: Expr, M: Expr, *, before: bool) -> Expr:
    """The term times the inverse, a multiple of I without its I."""
    coefficient, scalars, body = split(t)
    if body is None or body.op == "eye":
        return join(coefficient, scalars, M)
    return t @ M if before else M @ t


def _example() -> tuple[Expr, Expr]:
    U, V = var("U", "m", "n"), var("V", "n", "m")
    left = U @ inverse(add(core.eye("n"), V @ U))
    right = inverse(add(core.eye("m"), U @ V)) @ U
    return (left, right) if push_through(left, Context()) is not None else (right, left)


@node_rule(op="matmul", group="distribute", source=HENDERSON, example=_example)
def push_through(e: Expr, context: Context) -> Expr | None:
    """U (I + V U)^-1 = (I + U V)^-1 U"""
    for k, f in enumerate(e.args):
        parts = _parts(f)
        if parts is None:
            continue
        unit, coefficient, scalars, word = parts
        for size in range(1, len(word)):
            for before in (True, False):
                U = word[-size:] if before else word[:size]
                V = word[:-size] if before else word[size:]
                beside = e.args[max(0, k - size) : k] if before else e.args[k + 1 : k + 1 + size]
                if len(beside) != size or any(a.digest != b.digest for a, b in zip(beside, U)):
                    continue
                turned = (*U, *V) if before else (*V, *U)
                n = turned[0].shape[0]
                new = inverse(add(_with_size(unit, n), join(coefficient, scalars, matmul(*turned))))
                if not _first(new, f):
                    continue
                if before:
                    return matmul(*e.args[: k - size], new, *U, *e.args[k + 1 :])
                return matmul(*e.args[:k], *U, new, *e.args[k + 1 + size :])
    return None


def _first(new: Expr, old: Expr) -> bool:
    """Whether the new inverse comes first: the products inside by their digests."""
    (a, b) = (_parts(new), _parts(old))
    return a is not None and b is not None and [f.digest for f in a[3]] < [f.digest for f in b[3]]
