"""Diagonal matrices and Hadamard products: why a product with a Jacobian becomes an elementwise one."""

from __future__ import annotations

from matcalc import core
from matcalc.core import broadcast, diag, diagvec, hadamard, matmul, transpose, var, vec
from matcalc.dims import is_one
from matcalc.expr import Expr
from matcalc.ops.selection import tril, triu
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import HORN, node_rule, rule
from matcalc.rewrite.terms import flipped, join, split


@rule(D="m n", X="m n", source=HORN)
def diagonal_times_vec(D: Expr, X: Expr) -> tuple[Expr, Expr]:
    """diag(vec D) vec(X) = vec(D o X)"""
    return diag(vec(D)) @ vec(X), vec(hadamard(D, X))


@rule(D="m n", E="m n", source=HORN)
def product_of_diagonals(D: Expr, E: Expr) -> tuple[Expr, Expr]:
    """diag(vec D) diag(vec E) = diag(vec(D o E))"""
    return diag(vec(D)) @ diag(vec(E)), diag(vec(hadamard(D, E)))


@rule(A="m n", B="m n", source=HORN)
def hadamard_of_vecs(A: Expr, B: Expr) -> tuple[Expr, Expr]:
    """vec(A) o vec(B) = vec(A o B)"""
    return hadamard(vec(A), vec(B)), vec(hadamard(A, B))


def _column() -> tuple[Expr, Expr]:
    v, x = var("v", "n", 1), var("x", "n", 1)
    return diag(v) @ x, hadamard(v, x)


@node_rule(op="matmul", source=HORN, example=_column, having="diag")
def diagonal_times_vector(e: Expr, context: Context) -> Expr | None:
    """diag(v) x = v o x, x' diag(v) = (v o x)', diag(u) diag(v) = diag(u o v)"""
    for k, (a, b) in enumerate(zip(e.args, e.args[1:])):
        if a.op == "diag" and b.op == "diag":
            inside = diag(hadamard(_as_column(a.args[0]), _as_column(b.args[0])))
        elif a.op == "diag" and is_one(b.shape[1]):
            inside = hadamard(_as_column(a.args[0]), b)
        elif b.op == "diag" and is_one(a.shape[0]):
            inside = hadamard(a, flipped(_as_column(b.args[0])))
        else:
            continue
        return matmul(*e.args[:k], inside, *e.args[k + 2 :])
    return None


def _as_column(v: Expr) -> Expr:
    return v if is_one(v.shape[1]) else flipped(v)


def _covariance() -> tuple[Expr, Expr]:
    u, v = var("u", "n", 1), var("v", "n", 1)
    one = core.eye(u.shape[0])
    return diag(u) @ core.add(one, core.minus(broadcast(v.T, one.shape))), core.add(diag(u), core.minus(u @ v.T))


@node_rule(op="matmul", source=HORN, example=_covariance, having="diag, add", why="matrix products become outer ones")
def diagonal_times_identity_and_rows(e: Expr, context: Context) -> Expr | None:
    """diag(u) (I - 1 v') = diag(u) - u v', (I - u 1') diag(v) = diag(v) - u v'"""
    for k, (a, b) in enumerate(zip(e.args, e.args[1:])):
        D, rest = (a, b) if a.op == "diag" else (b, a)
        if D.op != "diag" or rest.op != "add" or not is_spread_beside_identity(rest, rows=D is a):
            continue
        u = _as_column(D.args[0])
        terms = []
        for t in rest.args:
            coefficient, scalars, body = split(t)
            if body is not None and body.op == "broadcast":
                body = _outer(u, body, rows=D is a)
            else:
                body = D
            terms.append(join(coefficient, scalars, body))
        return matmul(*e.args[:k], core.add(*terms), *e.args[k + 2 :])
    return None


def _outer(u: Expr, spread: Expr, *, rows: bool) -> Expr:
    """u v' for the rows 1 v', v u' for the columns v 1'; v may be a number that is spread over both."""
    m, n = spread.shape
    v = broadcast(spread.args[0], (1, n) if rows else (m, 1))
    return matmul(u, v) if rows else matmul(v, flipped(u))


def is_spread_beside_identity(e: Expr, *, rows: bool) -> bool:
    """Whether a sum has multiples of I and of 1 v' (of u 1', where it is not by rows) and no other terms."""
    bodies = [split(t)[2] for t in e.args]
    axis = 0 if rows else 1
    ones = [b for b in bodies if b is not None and b.op == "eye"]
    repeated = [b for b in bodies if b is not None and b.op == "broadcast" and is_one(b.args[0].shape[axis])]
    return bool(ones) and bool(repeated) and len(ones) + len(repeated) == len(bodies)


def _rows() -> tuple[Expr, Expr]:
    v, M = var("v", "m", 1), var("M", "m", "n")
    return diag(v) @ M, hadamard(broadcast(v, M.shape), M)


@node_rule(op="matmul", source=HORN, example=_rows, having="diag")
def diagonal_scales_rows_and_columns(e: Expr, context: Context) -> Expr | None:
    """diag(v) M = v 1' o M, M diag(v) = M o 1 v'"""
    for k, f in enumerate(e.args):
        if f.op != "diag":
            continue
        v = f.args[0]
        column = _as_column(v)
        if k + 1 < len(e.args):
            M = e.args[k + 1]
            if M.op == "diag":
                inside = diag(hadamard(column, _as_column(M.args[0])))
            else:
                inside = hadamard(M, broadcast(column, M.shape))
            return matmul(*e.args[:k], inside, *e.args[k + 2 :])
        M = e.args[k - 1]
        return matmul(*e.args[: k - 1], hadamard(M, broadcast(flipped(column), M.shape)))
    return None


def _scaled_vector() -> tuple[Expr, Expr]:
    v, A, x = var("v", "m", 1), var("A", "m", "n"), var("x", "n", 1)
    return hadamard(broadcast(v, A.shape), A) @ x, hadamard(v, A @ x)


@node_rule(op="matmul", source=HORN, example=_scaled_vector, having="hadamard", why="scalings move out")
def scalings_of_a_vector(e: Expr, context: Context) -> Expr | None:
    """(v 1' o A) x = v o (A x) for a column x, y' (A o 1 w') = (y' A) o w' for a row y'"""
    for k, f in enumerate(e.args):
        if f.op != "hadamard" or f.is_scalar:
            continue
        for i, g in enumerate(f.args):
            if g.op != "broadcast" or g.args[0].is_scalar:
                continue
            v, A = g.args[0], hadamard(*f.args[:i], *f.args[i + 1 :])
            if is_one(v.shape[1]) and k + 1 < len(e.args) and is_one(e.shape[1]):
                return matmul(*e.args[:k], hadamard(v, matmul(A, *e.args[k + 1 :])))
            if is_one(v.shape[0]) and k and is_one(e.shape[0]):
                return matmul(hadamard(matmul(*e.args[:k], A), v), *e.args[k + 1 :])
    return None


def _scaled_twice() -> tuple[Expr, Expr]:
    v, M = var("v", "m", 1), var("M", "m", "n")
    return core.add(diag(v) @ M, hadamard(broadcast(v, M.shape), M)), core.scale(core.number(2), diag(v) @ M)


@node_rule(op="add", source=HORN, example=_scaled_twice, why="one name for one thing")
def scaled_rows_beside_a_diagonal(e: Expr, context: Context) -> Expr | None:
    """v 1' o M = diag(v) M in a sum with diag(v), M o 1 v' = M diag(v) likewise"""
    diagonals = {d for t in e.args for d in _diagonals(t)}
    for k, t in enumerate(e.args) if diagonals else ():
        coefficient, scalars, body = split(t)
        if body is None or body.op != "hadamard":
            continue
        for i, f in enumerate(body.args):
            if f.op == "broadcast" and not f.args[0].is_scalar and _as_column(f.args[0]).digest in diagonals:
                D, M = diag(_as_column(f.args[0])), hadamard(*body.args[:i], *body.args[i + 1 :])
                product = D @ M if is_one(f.args[0].shape[1]) else M @ D
                return core.add(*e.args[:k], join(coefficient, scalars, product), *e.args[k + 1 :])
    return None


def _diagonals(t: Expr) -> list[bytes]:
    """The vectors of the diagonal factors of a product."""
    body = split(t)[2]
    factors = body.args if body is not None and body.op == "matmul" else ()
    return [_as_column(f.args[0]).digest for f in factors if f.op == "diag"]


@rule(v="n 1", source=HORN)
def transpose_of_diagonal(v: Expr) -> tuple[Expr, Expr]:
    """diag(v)' = diag(v)"""
    return transpose(diag(v)), diag(v)


@rule(v="n 1", source=HORN)
def diagonal_of_diagonal(v: Expr) -> tuple[Expr, Expr]:
    """diagvec(diag(v)) = v"""
    return diagvec(diag(v)), v


@rule(A="n n", source=HORN)
def diagonal_of_transpose(A: Expr) -> tuple[Expr, Expr]:
    """diagvec(A') = diagvec(A)"""
    return diagvec(A.T), diagvec(A)


@rule(A="n n", s="s: 1 1", loose=True, source=HORN, why="scalars move out")
def diagonal_of_scaled(A: Expr, *s: Expr) -> tuple[Expr, Expr]:
    """diagvec(s A) = s diagvec(A)"""
    return diagvec(core.scale(*s, A)), core.scale(*s, diagvec(A))


def _of_scaled_rows() -> tuple[Expr, Expr]:
    v, A = var("v", "n", 1), var("A", "n", "n")
    return diagvec(hadamard(broadcast(v, A.shape), A)), hadamard(v, diagvec(A))


@node_rule(op="diagvec", source=HORN, example=_of_scaled_rows, why="scalings move out")
def diagonal_of_scaled_rows(e: Expr, context: Context) -> Expr | None:
    """diagvec(v 1' o A) = diagvec(A o 1 v') = v o diagvec(A)"""
    A = e.args[0]
    spread = [f for f in A.args if f.op == "broadcast" and not f.args[0].is_scalar] if A.op == "hadamard" else []
    rest = [f for f in A.args if f not in spread]
    if not spread or not rest:
        return None
    return hadamard(*(_as_column(f.args[0]) for f in spread), diagvec(hadamard(*rest) if len(rest) > 1 else rest[0]))


@rule(X="n n", source=HORN)
def diagonal_of_lower_triangle(X: Expr) -> tuple[Expr, Expr]:
    """diagvec(tril(X)) = diagvec(X)"""
    return diagvec(tril(X)), diagvec(X)


@rule(X="n n", source=HORN)
def diagonal_of_upper_triangle(X: Expr) -> tuple[Expr, Expr]:
    """diagvec(triu(X)) = diagvec(X)"""
    return diagvec(triu(X)), diagvec(X)


def _of_outer() -> tuple[Expr, Expr]:
    x, y = var("x", "n", 1), var("y", 1, "n")
    return diagvec(x @ y), hadamard(x, y.T)


@node_rule(op="diagvec", source=HORN, example=_of_outer, why="matrix products become Hadamard products")
def diagonal_of_rank_one(e: Expr, context: Context) -> Expr | None:
    """diagvec(x y') = x o y, x and y any products with one column"""
    A = e.args[0]
    if A.op != "matmul":
        return None
    for k, f in enumerate(A.args[1:], 1):
        if is_one(f.shape[0]):
            return hadamard(matmul(*A.args[:k]), transpose(matmul(*A.args[k:])))
    return None


def _of_ones(X: Expr) -> tuple[Expr, Expr]:
    return diagvec(core.ones(*X.shape)), core.ones(X.shape[0], 1)


def _of_zeros(X: Expr) -> tuple[Expr, Expr]:
    return diagvec(core.zeros(*X.shape)), core.zeros(X.shape[0], 1)


def _of_value(a: Expr, X: Expr) -> tuple[Expr, Expr]:
    return diagvec(broadcast(a, X.shape)), broadcast(a, (X.shape[0], 1))


def _of_column(c: Expr, X: Expr) -> tuple[Expr, Expr]:
    return diagvec(broadcast(c, X.shape)), c


def _of_spread_row(b: Expr, X: Expr) -> tuple[Expr, Expr]:
    return diagvec(broadcast(b, X.shape)), flipped(b)


@rule(
    X="n n",
    a="1 1",
    b="1 n",
    c="n 1",
    also=[_of_ones, _of_zeros, _of_value, _of_column, _of_spread_row],
    source=HORN,
)
def diagonal_of_constant(X: Expr) -> tuple[Expr, Expr]:
    """diagvec(I) = 1, diagvec(1 1') = 1, diagvec(0) = 0, diagvec(1 b) = b'"""
    return diagvec(core.eye(X.shape[0])), core.ones(X.shape[0], 1)


def _masked() -> tuple[Expr, Expr]:
    A = var("A", "n", "n")
    return hadamard(A, core.eye("n")), diag(diagvec(A))


@node_rule(
    op="hadamard", source=HORN, example=_masked, having="eye|diag", why="Hadamard products with I become diagonals"
)
def hadamard_with_identity(e: Expr, context: Context) -> Expr | None:
    """A o I = diag(diagvec(A))"""
    for k, f in enumerate(e.args):
        if f.op == "eye":
            return diag(diagvec(hadamard(*e.args[:k], *e.args[k + 1 :])))
        if f.op == "diag":
            v = _as_column(f.args[0])
            return diag(hadamard(diagvec(hadamard(*e.args[:k], *e.args[k + 1 :])), v))
    return None


def _of_ones_row(w: Expr) -> tuple[Expr, Expr]:
    return diag(core.ones(*w.shape)), core.eye(w.shape[1])


def _of_spread(a: Expr, v: Expr) -> tuple[Expr, Expr]:
    return diag(broadcast(a, v.shape)), core.scale(a, core.eye(v.shape[0]))


def _of_spread_along(a: Expr, w: Expr) -> tuple[Expr, Expr]:
    return diag(broadcast(a, w.shape)), core.scale(a, core.eye(w.shape[1]))


def _of_zero_column(v: Expr) -> tuple[Expr, Expr]:
    return diag(core.zeros(*v.shape)), core.zeros(v.shape[0], v.shape[0])


def _of_zero_row(w: Expr) -> tuple[Expr, Expr]:
    return diag(core.zeros(*w.shape)), core.zeros(w.shape[1], w.shape[1])


def _of_multiple(v: Expr, *s: Expr) -> tuple[Expr, Expr]:
    return diag(core.scale(*s, v)), core.scale(*s, diag(v))


def _of_multiple_row(w: Expr, *s: Expr) -> tuple[Expr, Expr]:
    return diag(core.scale(*s, w)), core.scale(*s, diag(w))


@rule(
    v="n 1",
    w="1 n",
    a="1 1",
    s="s: 1 1",
    also=[
        *(_of_ones_row, _of_spread, _of_spread_along, _of_zero_column, _of_zero_row),
        *(_of_multiple, _of_multiple_row),
    ],
    source=HORN,
)
def diagonal_of_ones(v: Expr) -> tuple[Expr, Expr]:
    """diag(1) = I, diag(s v) = s diag(v)"""
    return diag(core.ones(*v.shape)), core.eye(v.shape[0])


def _two_diagonals() -> tuple[Expr, Expr]:
    u, v = var("u", "n", 1), var("v", "n", 1)
    return core.add(diag(u), diag(v)), diag(core.add(u, v))


@node_rule(op="add", source=HORN, example=_two_diagonals, having="diag|scale, diag|scale")
def sum_of_diagonals(e: Expr, context: Context) -> Expr | None:
    """diag(u) + diag(v) = diag(u + v)"""
    inside: list[Expr] = []
    others: list[Expr] = []
    for t in e.args:
        body = t.args[-1] if t.op == "scale" else t
        if body.op == "diag":
            inside.append(core.scale(*(t.args[:-1] if t.op == "scale" else ()), _as_column(body.args[0])))
        else:
            others.append(t)
    return core.add(diag(core.add(*inside)), *others) if len(inside) > 1 else None


@rule(X="m n", source=HORN)
def sum_of_vec(X: Expr) -> tuple[Expr, Expr]:
    """sum(vec(X)) = sum(X)"""
    return core.total(vec(X)), core.total(X)


def _of_row(w: Expr, axis: int | None) -> tuple[Expr, Expr]:
    return core.total(diag(w), axis), core.total(flipped(w)) if axis is None else w if axis == 1 else flipped(w)


@rule(v="n 1", w="1 n", axis=(1, None, 2), also=[_of_row], source=HORN)
def sum_of_diag(v: Expr, axis: int | None) -> tuple[Expr, Expr]:
    """sum(diag(v)) = sum(v), sum(diag(v), 1) = v', sum(diag(v), 2) = v"""
    return core.total(diag(v), axis), core.total(v) if axis is None else flipped(v) if axis == 1 else v


@rule(x="n 1", source=HORN)
def diagonal_of_row(x: Expr) -> tuple[Expr, Expr]:
    """diag(x') = diag(x): the diagonal matrix of a row is that of the column"""
    return diag(x.T), diag(x)
