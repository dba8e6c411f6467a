"""Kronecker products and vec: collapsed to matrix products wherever they can be."""

from __future__ import annotations

from matcalc import core
from matcalc.core import kron, matmul, scale, total, trace, var, vec
from matcalc.dims import is_one, same_shape
from matcalc.expr import Expr, node
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import HORN, MAGNUS, node_rule, rule
from matcalc.rewrite.terms import flipped


@rule(A="p q", X="q r", B="s r", source="Horn & Johnson, Topics in Matrix Analysis (1991), Lemma 4.3.1")
def kron_times_vec(A: Expr, X: Expr, B: Expr) -> tuple[Expr, Expr]:
    """(B' (x) A) vec(X) = vec(A X B)"""
    return kron(B, A) @ vec(X), vec(matmul(A, X, B.T))


@rule(A="m n", B="p q", C="n r", D="q s", source=HORN)
def kron_mixed_product(A: Expr, B: Expr, C: Expr, D: Expr) -> tuple[Expr, Expr]:
    """(A (x) B)(C (x) D) = AC (x) BD"""
    return kron(A, B) @ kron(C, D), kron(A @ C, B @ D)


@rule(X="m n", Y="m n", source=MAGNUS)
def inner_product_of_vecs(X: Expr, Y: Expr) -> tuple[Expr, Expr]:
    """vec(X)' vec(Y) = sum(X o Y)"""
    return vec(X).T @ vec(Y), total(core.hadamard(X, Y))


@node_rule(
    op="kron",
    source=HORN,
    example=lambda: (kron(core.eye("m"), core.eye("n")), core.eye(core.dim("m") * core.dim("n"))),
)
def kron_of_constants(e: Expr, context: Context) -> Expr | None:
    """I_m (x) I_n = I_mn; a 1 x 1 factor scales; numbers come out"""
    A, B = e.args
    if A.is_scalar:
        return scale(A, B)
    if B.is_scalar:
        return scale(B, A)
    if A.op == B.op and A.op in ("eye", "ones", "zeros"):
        return core.eye(e.shape[0]) if A.op == "eye" else node(A.op, (), e.shape)
    if "zeros" in (A.op, B.op):
        return core.zeros(*e.shape)
    if A.op == "scale":
        return scale(*A.args[:-1], kron(A.args[-1], B))
    if B.op == "scale":
        return scale(*B.args[:-1], kron(A, B.args[-1]))
    if is_one(A.shape[1]) and is_one(B.shape[0]):
        return A @ B  # a column times a row
    return B @ A if is_one(A.shape[0]) and is_one(B.shape[1]) else None


@node_rule(op="vec", source=MAGNUS, example=lambda: (vec(var("x", 1, "n")), var("x", 1, "n").T))
def vec_of_vector(e: Expr, context: Context) -> Expr | None:
    """vec(x) = x for a column, x' for a row; vec(s X) = s vec(X)"""
    X = e.args[0]
    if is_one(X.shape[1]):
        return X
    if is_one(X.shape[0]):
        return flipped(X)
    if X.op == "scale":
        return scale(*X.args[:-1], vec(X.args[-1]))
    if X.op in ("ones", "zeros"):
        return node(X.op, (), e.shape)
    if X.op == "reshape":
        return vec(X.args[0]) if not same_shape(X.args[0].shape, e.shape) else X.args[0]
    return None


@node_rule(
    op="reshape",
    source=MAGNUS,
    example=lambda: (node("reshape", (vec(var("X", "m", "n")),), (core.dim("m"), core.dim("n"))), var("X", "m", "n")),
)
def reshape_of_reshape(e: Expr, context: Context) -> Expr | None:
    """unvec(vec(X)) = X: the entries stay in their column-major order"""
    X = e.args[0]
    if X.op in ("vec", "reshape"):
        inner = X.args[0]
        return inner if same_shape(inner.shape, e.shape) else node("reshape", (inner,), e.params)
    if same_shape(X.shape, e.shape):
        return X
    if is_one(X.shape[1]) and is_one(e.shape[0]):
        return flipped(X)
    if X.op == "scale":
        return scale(*X.args[:-1], node("reshape", (X.args[-1],), e.params))
    return node(X.op, (), e.params) if X.op in ("ones", "zeros") else None


def _vec_terms() -> tuple[Expr, Expr]:
    X, Y = var("X", "m", "n"), var("Y", "m", "n")
    return core.add(vec(X), vec(Y)), vec(core.add(X, Y))


@node_rule(op="add", source=MAGNUS, example=_vec_terms)
def sum_of_vecs(e: Expr, context: Context) -> Expr | None:
    """vec(X) + vec(Y) = vec(X + Y) for X and Y of one shape"""
    bodies = []
    for t in e.args:
        scalars, body = (t.args[:-1], t.args[-1]) if t.op == "scale" else ((), t)
        if body.op != "vec" or (bodies and not same_shape(bodies[0].shape, body.args[0].shape)):
            return None
        bodies.append(scale(*scalars, body.args[0]))
    return vec(core.add(*bodies))


# ------------------------------------------------------------------------------------------------ block adjoints


@rule(A="m n", C="p q", B="p q", source=MAGNUS)
def block_inner_of_kron(A: Expr, C: Expr, B: Expr) -> tuple[Expr, Expr]:
    """the blocks A_ij C of A (x) C have the inner products A_ij tr(C' B)"""
    return node("blockinner", (kron(A, C), B)), scale(trace(C.T @ B), A)


@rule(A="m n", C="m n", D="p q", source=MAGNUS)
def block_sum_of_kron(A: Expr, C: Expr, D: Expr) -> tuple[Expr, Expr]:
    """the sum of the blocks C_ij D of C (x) D weighted by A is tr(A' C) D"""
    return node("blocksum", (A, kron(C, D))), scale(trace(A.T @ C), D)


def _identity() -> tuple[Expr, Expr]:
    A = var("A", "m", "m")
    m, p = core.dim("m"), core.dim("p")
    return node("blocksum", (A, core.eye(m * p))), scale(trace(A), core.eye(p))


@node_rule(op="blocksum", source=MAGNUS, example=_identity)
def block_sum_of_constant(e: Expr, context: Context) -> Expr | None:
    """the sum of the blocks of I weighted by a square A is tr(A) I; of ones, sum(A) times ones; linear in both"""
    A, G = e.args
    if G.op == "eye" and same_shape(A.shape, A.shape[::-1]):
        return scale(trace(A), core.eye(e.shape[0]))
    if G.op == "ones":
        return scale(total(A), core.ones(*e.shape))
    return _linear(e)


@node_rule(
    op="blockinner",
    source=MAGNUS,
    example=lambda: (
        node("blockinner", (core.eye(core.dim("m") * core.dim("p")), var("B", "p", "p"))),
        scale(trace(var("B", "p", "p")), core.eye("m")),
    ),
)
def block_inner_of_constant(e: Expr, context: Context) -> Expr | None:
    """the blocks of I have the inner products tr(B) I with a square B; of ones, sum(B) times ones; linear in both"""
    G, B = e.args
    if G.op == "eye" and same_shape(B.shape, B.shape[::-1]):
        return scale(trace(B), core.eye(e.shape[0]))
    if G.op == "ones":
        return scale(total(B), core.ones(*e.shape))
    return _linear(e)


def _linear(e: Expr) -> Expr | None:
    """Scalars come out of either argument."""
    for k, a in enumerate(e.args):
        if a.op == "scale" and not a.is_scalar:
            args = list(e.args)
            args[k] = a.args[-1]
            return scale(*a.args[:-1], node(e.op, args))
        if a.op == "zeros":
            return core.zeros(*e.shape)
        if a.op == "broadcast" and a.args[0].is_scalar:
            args = list(e.args)
            args[k] = core.ones(*a.shape)
            return scale(a.args[0], node(e.op, args))
    return None


def _trace() -> tuple[Expr, Expr]:
    X, Y = var("X", "m", "n"), var("Y", "m", "n")
    return trace(X.T @ Y), total(core.hadamard(X, Y))


@node_rule(op="tr", group="present", source=MAGNUS, example=_trace)
def trace_as_inner_product(e: Expr, context: Context) -> Expr | None:
    """tr(X' Y) = sum(X o Y)"""
    inner = e.args[0]
    if inner.op != "matmul" or inner.args[0].op != "transpose":
        return None
    rest = matmul(*inner.args[1:])
    return total(core.hadamard(inner.args[0].args[0], rest)) if rest.op != "matmul" else None
