"""Kronecker products and vec: collapsed to matrix products wherever they can be."""

from __future__ import annotations

from matcalc import core
from matcalc.core import kron, matmul, scale, total, trace, var, vec
from matcalc.dims import dim, is_one, same, same_shape
from matcalc.expr import Expr, node
from matcalc.ops.products import blockinner, blocksum, dsel, reshape_
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import HORN, MAGNUS, node_rule, rule
from matcalc.rewrite.terms import flipped


@rule(A="p q", X="q r", B="s r", source="Horn & Johnson, Topics in Matrix Analysis (1991), Lemma 4.3.1")
def kron_times_vec(A: Expr, X: Expr, B: Expr) -> tuple[Expr, Expr]:
    """(B' (x) A) vec(X) = vec(A X B)"""
    return kron(B, A) @ vec(X), vec(matmul(A, X, B.T))


@rule(C="m n", A="m p", B="n q", source="Horn & Johnson, Topics in Matrix Analysis (1991), Lemma 4.3.1")
def vec_times_kron(C: Expr, A: Expr, B: Expr) -> tuple[Expr, Expr]:
    """vec(C)' (B (x) A) = vec(A' C B)'"""
    return vec(C).T @ kron(B, A), vec(matmul(A.T, C, B)).T


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
    example=lambda: (kron(core.eye("m"), core.eye("n")), core.eye(dim("m") * dim("n"))),
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
    example=lambda: (reshape_(vec(var("X", "m", "n")), dim("m"), dim("n")), var("X", "m", "n")),
)
def reshape_of_reshape(e: Expr, context: Context) -> Expr | None:
    """unvec(vec(X)) = X: the entries stay in their column-major order"""
    X = e.args[0]
    if X.op in ("vec", "reshape"):
        inner = X.args[0]
        return inner if same_shape(inner.shape, e.shape) else reshape_(inner, *e.params)
    if same_shape(X.shape, e.shape):
        return X
    if is_one(X.shape[1]) and is_one(e.shape[0]):
        return flipped(X)
    if X.op == "scale":
        return scale(*X.args[:-1], reshape_(X.args[-1], *e.params))
    return node(X.op, (), e.params) if X.op in ("ones", "zeros") else None


def _vec_terms() -> tuple[Expr, Expr]:
    X, Y = var("X", "m", "n"), var("Y", "m", "n")
    return core.add(vec(X), vec(Y)), vec(core.add(X, Y))


@node_rule(op="add", source=MAGNUS, example=_vec_terms, having="vec|scale, vec|scale")
def sum_of_vecs(e: Expr, context: Context) -> Expr | None:
    """vec(X) + vec(Y) = vec(X + Y) for X and Y of one shape"""
    bodies: list[Expr] = []
    for t in e.args:
        scalars, body = (t.args[:-1], t.args[-1]) if t.op == "scale" else ((), t)
        if body.op != "vec" or (bodies and not same_shape(bodies[0].shape, body.args[0].shape)):
            return None
        bodies.append(scale(*scalars, body.args[0]))
    return vec(core.add(*bodies))


def _spread_out() -> tuple[Expr, Expr]:
    A, B, X = var("A", "m", "n"), var("B", "m", "n"), var("X", "n", "n")
    both = core.add(kron(A, B), kron(B, A))
    return both @ vec(X), core.add(kron(A, B) @ vec(X), kron(B, A) @ vec(X))


@node_rule(
    op="matmul", source=HORN, example=_spread_out, having="add", why="sums of Kronecker products reach their vec"
)
def sum_of_krons_times(e: Expr, context: Context) -> Expr | None:
    """(A (x) B + C (x) D) Z = (A (x) B) Z + (C (x) D) Z, Z a vec or a Kronecker product: every term collapses"""
    for k, (a, b) in enumerate(zip(e.args, e.args[1:])):
        if a.op == "add" and all(_collapses(t, b) for t in a.args):
            inside = core.add(*(_times(t, b) for t in a.args))
        elif b.op == "add" and all(_collapses_from_left(a, t) for t in b.args):
            inside = core.add(*(_times(a, t) for t in b.args))
        else:
            continue
        return matmul(*e.args[:k], inside, *e.args[k + 2 :])
    return None


def _times(a: Expr, b: Expr) -> Expr:
    """a b, the scalars of both in front."""
    scalars = [*(a.args[:-1] if a.op == "scale" else ()), *(b.args[:-1] if b.op == "scale" else ())]
    return scale(*scalars, matmul(_body(a), _body(b)))


def _body(e: Expr) -> Expr:
    return e.args[-1] if e.op == "scale" else e


def _collapses(term: Expr, right: Expr) -> bool:
    """Whether the last factor of a term and `right` merge into one."""
    body = _body(term)
    last = body.args[-1] if body.op == "matmul" else body
    if right.op == "vec":
        return last.op in ("kron", "comm", "eye") or (last.op == "diag" and last.args[0].op == "vec")
    return right.op == "kron" and _mixes(last, right)


def _collapses_from_left(left: Expr, term: Expr) -> bool:
    """Whether `left` and the first factor of a term merge into one."""
    body = _body(term)
    first = body.args[0] if body.op == "matmul" else body
    if left.op == "transpose" and left.args[0].op == "vec":
        return first.op in ("kron", "comm", "eye")
    return left.op == "kron" and (_mixes(left, first) or first.op == "vec")


def _mixes(a: Expr, b: Expr) -> bool:
    return a.op == b.op == "kron" and same_shape(
        (a.args[0].shape[1], a.args[1].shape[1]), (b.args[0].shape[0], b.args[1].shape[0])
    )


# ------------------------------------------------------------------------------------------------ block adjoints


@rule(A="m n", C="p q", B="p q", source=MAGNUS)
def block_inner_of_kron(A: Expr, C: Expr, B: Expr) -> tuple[Expr, Expr]:
    """the blocks A_ij C of A (x) C have the inner products A_ij tr(C' B)"""
    return blockinner(kron(A, C), B), scale(trace(C.T @ B), A)


@rule(A="m n", C="m n", D="p q", source=MAGNUS)
def block_sum_of_kron(A: Expr, C: Expr, D: Expr) -> tuple[Expr, Expr]:
    """the sum of the blocks C_ij D of C (x) D weighted by A is tr(A' C) D"""
    return blocksum(A, kron(C, D)), scale(trace(A.T @ C), D)


def _identity() -> tuple[Expr, Expr]:
    A = var("A", "m", "m")
    m, p = dim("m"), dim("p")
    return blocksum(A, core.eye(m * p)), scale(trace(A), core.eye(p))


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
        blockinner(core.eye(dim("m") * dim("p")), var("B", "p", "p")),
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


@rule(X="m n", Y="m n", where=lambda Y: Y.op != "matmul", group="present", source=MAGNUS)
def trace_as_inner_product(X: Expr, Y: Expr) -> tuple[Expr, Expr]:
    """tr(X' Y) = sum(X o Y)"""
    return trace(X.T @ Y), total(core.hadamard(X, Y))


def _weighted() -> tuple[Expr, Expr]:
    x, A, y = var("x", "n", 1), var("A", "m", "n"), var("y", "n", 1)
    unit = core.eye("m")
    return matmul(kron(x.T, unit), core.diag(vec(A)), kron(y, unit)), core.diag(A @ core.hadamard(x, y))


@node_rule(op="matmul", source=HORN, example=_weighted, having="kron")
def weighted_columns_on_a_diagonal(e: Expr, context: Context) -> Expr | None:
    """(x' (x) I) diag(vec A) (y (x) I) = diag(A (x o y)), (I (x) x') diag(vec A) (I (x) y) = diag(A' (x o y))"""
    for k, left in enumerate(e.args[:-1]):
        found = _scaled_kron(e.args[k + 1 : k + 3]) if left.op == "kron" else None
        if found is None:
            continue
        A, right, width = found
        for vector, unit, matrix in ((0, 1, A), (1, 0, core.transpose(A))):
            x, y = left.args[vector], right.args[vector]
            units = left.args[unit].op == right.args[unit].op == "eye"
            fits = is_one(x.shape[0]) and is_one(y.shape[1]) and same(x.shape[1], matrix.shape[1])
            if units and fits and same(left.args[unit].shape[0], matrix.shape[0]):
                inside = core.diag(matrix @ core.hadamard(flipped(x), y))
                return matmul(*e.args[:k], inside, *e.args[k + 1 + width :])
    return None


def _scaled_kron(factors: tuple[Expr, ...]) -> tuple[Expr, Expr, int] | None:
    """A, the Kronecker product and how many factors they are, of diag(vec A) (B (x) C) or vec(A) 1' o (B (x) C)."""
    first, *rest = factors
    if first.op == "diag" and first.args[0].op == "vec" and rest and rest[0].op == "kron":
        return first.args[0].args[0], rest[0], 2
    if first.op == "hadamard" and len(first.args) == 2:
        for scaling, product in (first.args, first.args[::-1]):
            if scaling.op == "broadcast" and scaling.args[0].op == "vec" and product.op == "kron":
                return scaling.args[0].args[0], product, 1
    return None


def _columns() -> tuple[Expr, Expr]:
    A, B = var("A", "m", "n"), var("B", "p", "n")
    left = core.hadamard(kron(A, core.ones("p", 1)), kron(core.ones("m", 1), B))
    return left, kron(A, B) @ dsel(dim("n"))


@node_rule(op="hadamard", group="expand", source=HORN, example=_columns, having="kron, kron")
def kron_of_columns(e: Expr, context: Context) -> Expr | None:
    """(A (x) 1) o (1 (x) B) = (A (x) B) S, S = dsel(n); the transposes too"""
    for k, f in enumerate(e.args):
        for i, g in enumerate(e.args):
            if f.op != "kron" or g.op != "kron" or f.args[1].op != "ones" or g.args[0].op != "ones":
                continue
            A, B = f.args[0], g.args[1]
            n = A.shape[1]
            rest = [h for m, h in enumerate(e.args) if m not in (i, k)]
            if is_one(f.args[1].shape[1]) and is_one(g.args[0].shape[1]) and not is_one(n):
                return core.hadamard(kron(A, B) @ dsel(n), *rest)
            n = A.shape[0]
            if is_one(f.args[1].shape[0]) and is_one(g.args[0].shape[0]) and not is_one(n):
                return core.hadamard(dsel(n).T @ kron(A, B), *rest)
    return None
