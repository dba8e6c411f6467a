"""The 0-1 matrix S with `S v = vec(diag(v))` beside Kronecker products: the derivatives of `diag(v)` without either.

S is `dsel(n)`; its column k is e_k (x) e_k, so that (A (x) B) S has the columns a_k (x) b_k.
"""

from __future__ import annotations

from matcalc import core
from matcalc.core import diag, diagvec, hadamard, kron, matmul, var, vec
from matcalc.dims import dim, is_one, same, same_shape
from matcalc.expr import Expr
from matcalc.ops.products import dsel
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import HORN, MAGNUS, node_rule, rule
from matcalc.rewrite.terms import flipped, join, split


def selection(n: object) -> Expr:
    """S with S v = vec(diag(v)): n^2 x n."""
    return dsel(n)


def _is_turned(e: Expr) -> bool:
    return e.op == "transpose" and e.args[0].op == "dsel"


def _row() -> tuple[Expr, Expr]:
    b, A = var("b", "n", 1), var("A", "m", "n")
    return kron(b.T, A) @ selection(dim("n")), A @ diag(b)


@node_rule(op="matmul", source=HORN, example=_row, having="kron")
def kron_with_row_on_diagonal(e: Expr, context: Context) -> Expr | None:
    """(b' (x) A) S = (A (x) b') S = A diag(b), S' (b (x) A) = S' (A (x) b) = diag(b) A, S = dsel(n)"""
    for k, (f, g) in enumerate(zip(e.args, e.args[1:])):
        if f.op == "kron" and g.op == "dsel":
            inside = _on_diagonal(*f.args)
        elif g.op == "kron" and _is_turned(f):
            inside = _from_diagonal(*g.args)
        else:
            continue
        if inside is not None:
            return matmul(*e.args[:k], inside, *e.args[k + 2 :])
    return None


def _on_diagonal(A: Expr, B: Expr) -> Expr | None:
    """(A (x) B) S where A or B is a row."""
    if not same(A.shape[1], B.shape[1]):
        return None
    return B @ diag(flipped(A)) if is_one(A.shape[0]) else A @ diag(flipped(B)) if is_one(B.shape[0]) else None


def _from_diagonal(A: Expr, B: Expr) -> Expr | None:
    """S' (A (x) B) where A or B is a column."""
    if not same(A.shape[0], B.shape[0]):
        return None
    return diag(A) @ B if is_one(A.shape[1]) else diag(B) @ A if is_one(B.shape[1]) else None


@rule(A="m n", B="m n", source="Horn & Johnson, Topics in Matrix Analysis (1991), Lemma 5.1.1")
def hadamard_is_selected_kron(A: Expr, B: Expr) -> tuple[Expr, Expr]:
    """S_m' (A (x) B) S_n = A o B, S = dsel"""
    m, n = A.shape
    return matmul(selection(m).T, kron(A, B), selection(n)), hadamard(A, B)


def _weighted() -> tuple[Expr, Expr]:
    M = var("M", "n", "n")
    S = selection(dim("n"))
    return diag(vec(M)) @ S, S @ diag(diagvec(M))


@node_rule(op="matmul", source=MAGNUS, example=_weighted, having="dsel|transpose")
def diagonal_is_selected(e: Expr, context: Context) -> Expr | None:
    """diag(vec M) S = S diag(diagvec M), S' vec(M) = diagvec(M), K S = S, S' S = I, S = dsel(n); the transposes too"""
    for k, (f, g) in enumerate(zip(e.args, e.args[1:])):
        if g.op == "dsel" and not f.is_scalar:
            inside = _before_selection(f, g)
        elif _is_turned(f) and not g.is_scalar:
            inside = _after_turned(f, g)
        else:
            continue
        if inside is not None:
            return matmul(*e.args[:k], inside, *e.args[k + 2 :])
    return None


def _before_selection(f: Expr, S: Expr) -> Expr | None:
    n = S.params[0]
    if f.op == "comm":
        return S if same_shape(f.params, (n, n)) else None
    if _is_turned(f):
        return core.eye(n)
    if f.op == "diag":
        M = _square_inside(f.args[0], n)
        return None if M is None else S @ diag(diagvec(M))
    M = _square_inside(f.args[0], n) if f.op == "transpose" else None
    return None if M is None else diagvec(M).T


def _after_turned(turned: Expr, g: Expr) -> Expr | None:
    n = turned.args[0].params[0]
    if g.op == "comm":
        return turned if same_shape(g.params, (n, n)) else None
    M = _square_inside(g.args[0] if g.op == "diag" else g, n)
    if M is None:
        return None
    return diag(diagvec(M)) @ turned if g.op == "diag" else diagvec(M)


def _square_inside(v: Expr, n: object) -> Expr | None:
    """M where v is vec(M) of an n x n matrix."""
    return v.args[0] if v.op == "vec" and same_shape(v.args[0].shape, (n, n)) else None


def _sum() -> tuple[Expr, Expr]:
    a, b, A, B = var("a", 1, "n"), var("b", 1, "n"), var("A", "m", "n"), var("B", "m", "n")
    S = selection(dim("n"))
    return core.add(kron(a, B), kron(A, b)) @ S, core.add(kron(a, B) @ S, kron(A, b) @ S)


@node_rule(
    op="matmul",
    source=HORN,
    example=_sum,
    having="add",
    why="sums of Kronecker products reach the selection of a diagonal",
)
def selection_of_sum(e: Expr, context: Context) -> Expr | None:
    """(A (x) b' + c' (x) D) S = (A (x) b') S + (c' (x) D) S, and S_m' (A (x) B + C (x) D) S_n likewise: all collapse"""
    for k, t in enumerate(e.args):
        if t.op != "add":
            continue
        left = e.args[k - 1 : k] if k and _is_turned(e.args[k - 1]) else ()
        right = e.args[k + 1 : k + 2] if k + 1 < len(e.args) and e.args[k + 1].op == "dsel" else ()
        if (left or right) and all(_vanishes(term, bool(left), bool(right)) for term in t.args):
            inside = core.add(*(_between(term, left, right) for term in t.args))
            return matmul(*e.args[: k - len(left)], inside, *e.args[k + 1 + len(right) :])
    return None


def _between(term: Expr, left: tuple[Expr, ...], right: tuple[Expr, ...]) -> Expr:
    coefficient, scalars, body = split(term)
    assert body is not None
    return join(coefficient, scalars, matmul(*left, body, *right))


def _vanishes(term: Expr, left: bool, right: bool) -> bool:
    """Whether the selections beside a term collapse with its outer factors."""
    body = split(term)[2]
    if body is None:
        return False
    first, last = (body.args[0], body.args[-1]) if body.op == "matmul" else (body, body)
    if left and right and first is last:
        return first.op == "kron" and same_shape(first.args[0].shape, first.args[1].shape)
    fits_left = not left or (first.op == "kron" and _from_diagonal(*first.args) is not None)
    return fits_left and (not right or (last.op == "kron" and _on_diagonal(*last.args) is not None))
