"""The adjoints of Kronecker products, `blocksum` and `blockinner`, at outer products: y' (B (x) A) x by A and by B."""

from __future__ import annotations

from collections.abc import Callable

from matcalc import core
from matcalc.core import add, matmul, var, vec
from matcalc.dims import Shape, is_one, same_shape
from matcalc.expr import Expr, node
from matcalc.ops.products import blockinner, blocksum, reshape_
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MAGNUS, node_rule
from matcalc.rewrite.terms import flipped, join, split


def _inner() -> tuple[Expr, Expr]:
    P, Q, C = var("P", "p", "m"), var("Q", "q", "n"), var("C", "p", "q")
    return blockinner(vec(P) @ vec(Q).T, C), matmul(P.T, C, Q)


@node_rule(op="blockinner", source=MAGNUS, example=_inner)
def block_inner_of_vecs(e: Expr, context: Context) -> Expr | None:
    """the blocks of vec(P) vec(Q)' have the inner products P' C Q with C"""
    return _inner_products(e) if e.args[0].op == "matmul" else None


def _inner_products(e: Expr) -> Expr | None:
    G, C = e.args
    (p, q), (m, n) = C.shape, e.shape
    return _at_outer_products(G, (p, m), (q, n), lambda P, Q: matmul(core.transpose(P), C, Q))


def _sum() -> tuple[Expr, Expr]:
    P, Q, A = var("P", "p", "m"), var("Q", "q", "n"), var("A", "m", "n")
    return blocksum(A, vec(P) @ vec(Q).T), matmul(P, A, Q.T)


@node_rule(op="blocksum", source=MAGNUS, example=_sum)
def block_sum_of_vecs(e: Expr, context: Context) -> Expr | None:
    """the sum of the blocks of vec(P) vec(Q)' weighted by A is P A Q'"""
    return _weighted(e) if e.args[1].op == "matmul" else None


def _weighted(e: Expr) -> Expr | None:
    A, G = e.args
    (m, n), (p, q) = A.shape, e.shape
    return _at_outer_products(G, (p, m), (q, n), lambda P, Q: matmul(P, A, core.transpose(Q)))


def _two_outer_products() -> tuple[Expr, list[tuple[Expr, Expr]]]:
    pairs = [(var(f"P{k}", "p", "m"), var(f"Q{k}", "q", "n")) for k in (1, 2)]
    return add(*(vec(P) @ vec(Q).T for P, Q in pairs)), pairs


def _inner_terms() -> tuple[Expr, Expr]:
    C, (G, pairs) = var("C", "p", "q"), _two_outer_products()
    return blockinner(G, C), add(*(matmul(P.T, C, Q) for P, Q in pairs))


@node_rule(op="blockinner", source=MAGNUS, example=_inner_terms, exact=False)
def block_inner_of_vec_terms(e: Expr, context: Context) -> Expr | None:
    """blockinner(vec(P) vec(Q)' + vec(R) vec(S)', C) = P' C Q + R' C S"""
    return _inner_products(e) if e.args[0].op == "add" else None


def _sum_terms() -> tuple[Expr, Expr]:
    A, (G, pairs) = var("A", "m", "n"), _two_outer_products()
    return blocksum(A, G), add(*(matmul(P, A, Q.T) for P, Q in pairs))


@node_rule(op="blocksum", source=MAGNUS, example=_sum_terms, exact=False)
def block_sum_of_vec_terms(e: Expr, context: Context) -> Expr | None:
    """blocksum(A, vec(P) vec(Q)' + vec(R) vec(S)') = P A Q' + R A S'"""
    return _weighted(e) if e.args[1].op == "add" else None


def _at_outer_products(G: Expr, left: Shape, right: Shape, value: Callable[[Expr, Expr], Expr]) -> Expr | None:
    """The sum of the values at outer products vec(P) vec(Q)', P and Q of these shapes; None for any other matrix."""
    terms = []
    for t in G.args if G.op == "add" else (G,):
        coefficient, scalars, body = split(t)
        found = None if body is None else _outer(body, left, right)
        if found is None:
            return None
        terms.append(join(coefficient, scalars, value(*found)))
    return add(*terms)


def _outer(G: Expr, left: Shape, right: Shape) -> tuple[Expr, Expr] | None:
    """P and Q of an outer product vec(P) vec(Q)', one of which is written as a vec."""
    for k, f in enumerate(G.args[1:], 1) if G.op == "matmul" else ():
        if is_one(f.shape[0]):
            u, v = matmul(*G.args[:k]), flipped(matmul(*G.args[k:]))
            P, Q = _unstacked(u, left), _unstacked(v, right)
            return None if P.op == Q.op == "reshape" else (P, Q)
    return None


def _unstacked(v: Expr, shape: Shape) -> Expr:
    """The matrix of this shape whose columns are stacked in v."""
    if v.op == "vec" and same_shape(v.args[0].shape, shape):
        return v.args[0]
    return v if same_shape(v.shape, shape) else reshape_(v, *shape)


def _linear(e: Expr) -> Expr | None:
    """The sum over the terms of a sum in either argument."""
    for k, a in enumerate(e.args):
        if a.op == "add":
            return add(*(node(e.op, (*e.args[:k], t, *e.args[k + 1 :])) for t in a.args))
    return None


def _linear_example(op: str) -> tuple[Expr, Expr]:
    A, B, C = var("A", 2, 2), var("B", 2, 2), var("C", 4, 6)
    if op == "blockinner":
        A, B, C = var("A", 4, 6), var("B", 4, 6), var("C", 2, 2)
    return node(op, (add(A, B), C)), add(node(op, (A, C)), node(op, (B, C)))


@node_rule(op="blockinner", group="expand", source=MAGNUS, example=lambda: _linear_example("blockinner"))
def block_inner_is_linear(e: Expr, context: Context) -> Expr | None:
    """blockinner(G + H, B) = blockinner(G, B) + blockinner(H, B), and so in B"""
    return _linear(e)


@node_rule(op="blocksum", group="expand", source=MAGNUS, example=lambda: _linear_example("blocksum"))
def block_sum_is_linear(e: Expr, context: Context) -> Expr | None:
    """blocksum(A + B, G) = blocksum(A, G) + blocksum(B, G), and so in G"""
    return _linear(e)
