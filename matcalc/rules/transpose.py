"""Transposes: pushed to the leaves in the normal form, pulled out again where that is shorter."""

from __future__ import annotations

from matcalc import core
from matcalc.core import matmul, transpose, var
from matcalc.expr import REGISTRY, Expr, node
from matcalc.ops.elementwise import exp
from matcalc.ops.linalg import adj
from matcalc.ops.matrix_functions import matpow
from matcalc.rewrite.context import Context
from matcalc.rewrite.measure import cost
from matcalc.rewrite.rule import MATRIX_ALGEBRA, node_rule, rule
from matcalc.rewrite.terms import flipped


@rule(A="p q", source=MATRIX_ALGEBRA)
def transpose_of_transpose(A: Expr) -> tuple[Expr, Expr]:
    """(A')' = A"""
    return A.T.T, A


@rule(a="1 1", source=MATRIX_ALGEBRA)
def transpose_of_scalar(a: Expr) -> tuple[Expr, Expr]:
    """a' = a for a 1 x 1 value"""
    return a.T, a


@rule(S="n n", facts={"S": "symmetric"}, source=MATRIX_ALGEBRA, wish=True)
def transpose_of_symmetric(S: Expr) -> tuple[Expr, Expr]:
    """S' = S for symmetric S"""
    return S.T, S


@rule(S="n n", facts={"S": "skew"}, source=MATRIX_ALGEBRA)
def transpose_of_skew(S: Expr) -> tuple[Expr, Expr]:
    """S' = -S for skew S"""
    return S.T, -S


@rule(F="A: m n, B: n p, C: p q", source=MATRIX_ALGEBRA, why="transposes move in")
def transpose_of_product(*F: Expr) -> tuple[Expr, Expr]:
    """(A B)' = B' A'"""
    return matmul(*F).T, matmul(*(f.T for f in reversed(F)))


@rule(F="A: m n, B: m n", source=MATRIX_ALGEBRA, why="transposes move in")
def transpose_of_sum(*F: Expr) -> tuple[Expr, Expr]:
    """(A + B)' = A' + B'"""
    return core.add(*F).T, core.add(*map(transpose, F))


@rule(F="A: m n, B: m n", source=MATRIX_ALGEBRA, why="transposes move in")
def transpose_of_hadamard(*F: Expr) -> tuple[Expr, Expr]:
    """(A o B)' = A' o B'"""
    return core.hadamard(*F).T, core.hadamard(*map(transpose, F))


@rule(A="m n", s="s: 1 1", source=MATRIX_ALGEBRA, why="scalars move out")
def transpose_of_scaled(A: Expr, *s: Expr) -> tuple[Expr, Expr]:
    """(s A)' = s A'"""
    return core.scale(*s, A).T, core.scale(*s, A.T)


@node_rule(
    op="transpose",
    source=MATRIX_ALGEBRA,
    example=lambda: (exp(var("A", "m", "n").T).T, exp(var("A", "m", "n"))),
)
def transpose_of_entrywise(e: Expr, context: Context) -> Expr | None:
    """f(A')' = f(A), f applied to every entry"""
    inner = e.args[0]
    entrywise = REGISTRY[inner.op].scalar_function is not None or inner.op in ("func", "step")
    if entrywise and inner.args[0].op == "transpose":
        return node(inner.op, (inner.args[0].args[0],), inner.params)
    return None


def _by_value(A: Expr, c: Expr) -> tuple[Expr, Expr]:
    return core.power(A, c).T, core.power(A.T, c)


def _by_entries(A: Expr, K: Expr) -> tuple[Expr, Expr]:
    return core.power(A, K).T, core.power(A.T, K.T)


@rule(
    A="m n",
    k="number 2",
    c="1 1",
    K="m n",
    also=[_by_value, _by_entries],
    source=MATRIX_ALGEBRA,
    why="transposes move in",
)
def transpose_of_power(A: Expr, k: Expr) -> tuple[Expr, Expr]:
    """(A .^ k)' = A' .^ k"""
    return core.power(A, k).T, core.power(A.T, k)


@rule(A="n n", source=MATRIX_ALGEBRA, why="transposes move in")
def transpose_of_inverse(A: Expr) -> tuple[Expr, Expr]:
    """(A^-1)' = (A')^-1"""
    return core.inverse(A).T, core.inverse(A.T)


@rule(A="n n", source=MATRIX_ALGEBRA, why="transposes move in")
def transpose_of_adjugate(A: Expr) -> tuple[Expr, Expr]:
    """adj(A)' = adj(A')"""
    return adj(A).T, adj(A.T)


@rule(A="n n", k="1 1", source=MATRIX_ALGEBRA, why="transposes move in")
def transpose_of_matrix_power(A: Expr, k: Expr) -> tuple[Expr, Expr]:
    """(A^k)' = (A')^k"""
    return matpow(A, k).T, matpow(A.T, k)


@rule(A="m n", B="p q", source="Horn & Johnson, Topics in Matrix Analysis (1991), ch. 4", why="transposes move in")
def transpose_of_kron(A: Expr, B: Expr) -> tuple[Expr, Expr]:
    """(A (x) B)' = A' (x) B'"""
    return core.kron(A, B).T, core.kron(A.T, B.T)


def _of_zeros(X: Expr) -> tuple[Expr, Expr]:
    return core.zeros(*X.shape).T, core.zeros(*X.shape[::-1])


def _of_commutation(X: Expr) -> tuple[Expr, Expr]:
    return core.commutation(*X.shape).T, core.commutation(*X.shape[::-1])


@rule(X="m n", also=[_of_zeros, _of_commutation], source=MATRIX_ALGEBRA)
def transpose_of_constant(X: Expr) -> tuple[Expr, Expr]:
    """the transpose of a matrix of ones (zeros) is one; K_mn' = K_nm"""
    return core.ones(*X.shape).T, core.ones(*X.shape[::-1])


def _of_column(c: Expr, X: Expr) -> tuple[Expr, Expr]:
    return _spread(c, X)


def _of_value(a: Expr, X: Expr) -> tuple[Expr, Expr]:
    return _spread(a, X)


def _spread(a: Expr, X: Expr) -> tuple[Expr, Expr]:
    return core.broadcast(a, X.shape).T, core.broadcast(a if a.is_scalar else a.T, X.shape[::-1])


@rule(
    b="1 n",
    c="m 1",
    a="1 1",
    X="m n",
    also=[_of_column, _of_value],
    source=MATRIX_ALGEBRA,
    why="transposes move in",
)
def transpose_of_broadcast(b: Expr, X: Expr) -> tuple[Expr, Expr]:
    """(1 b)' = b' 1'"""
    return _spread(b, X)


# ------------------------------------------------------------------------------------------------ pulled out again


def _shared_transpose() -> tuple[Expr, Expr]:
    A, B, T = var("A", "n", "k"), var("B", "k", "m"), var("T", "n", "m")
    return core.add(matmul(B.T, A.T), -T.T), core.add(matmul(A, B), -T).T


@node_rule(op="add", group="present", source=MATRIX_ALGEBRA, example=_shared_transpose)
def sum_of_transposes(e: Expr, context: Context) -> Expr | None:
    """A' + B' = (A + B)'"""
    if not any(_holds_transpose(t) for t in e.args):
        return None
    turned = core.add(*(_turned(t) for t in e.args))
    return transpose(turned) if cost(turned) + 1 < cost(e) else None


def _several() -> tuple[Expr, Expr]:
    A, B, C = var("A", "m", "n"), var("B", "n", "p"), var("C", "p", "q")
    return matmul(C.T, B.T, A.T), matmul(A, B, C).T


@node_rule(op="matmul", group="present", source=MATRIX_ALGEBRA, example=_several)
def product_of_transposes(e: Expr, context: Context) -> Expr | None:
    """B' A' = (A B)'"""
    if e.is_scalar:
        turned = _turned(e)
        return turned if cost(turned) < cost(e) else None
    if len(e.args) < 3 or not all(_is_transposed(f) for f in e.args):
        return None
    return transpose(_turned(e))


def _holds_transpose(t: Expr) -> bool:
    """Whether turning `t` may spare a transpose."""
    body = t.args[-1] if t.op == "scale" else t
    inner = body.args[0] if body.op == "broadcast" else body
    return any(_is_transposed(f) for f in (inner.args if inner.op == "matmul" else (inner,)))


def _is_transposed(f: Expr) -> bool:
    return f.op == "transpose" or (f.op in ("inv", "adj") and f.args[0].op == "transpose")


def _several_entrywise() -> tuple[Expr, Expr]:
    A, B = var("A", "m", "n"), var("B", "m", "n")
    return core.hadamard(A.T, B.T), core.hadamard(A, B).T


@node_rule(op="hadamard", group="present", source=MATRIX_ALGEBRA, example=_several_entrywise)
def hadamard_of_transposes(e: Expr, context: Context) -> Expr | None:
    """A' o B' = (A o B)'"""
    if not any(_holds_transpose(f) for f in e.args):
        return None
    turned = core.hadamard(*(_turned(f) for f in e.args))
    return transpose(turned) if cost(turned) + 1 < cost(e) else None


def _turned(e: Expr) -> Expr:
    """The transpose of `e` with transposes pushed one level in, where that costs nothing."""
    if e.op == "matmul":
        return matmul(*(_turned(f) if f.op in ("inv", "adj") else flipped(f) for f in reversed(e.args)))
    if e.op == "scale" and not e.is_scalar:
        return core.scale(*e.args[:-1], _turned(e.args[-1]))
    if e.op == "broadcast":
        return core.broadcast(flipped(e.args[0]), (e.shape[1], e.shape[0]))
    if e.op in ("ones", "zeros"):
        return node(e.op, (), e.params[::-1])
    if e.op == "eye":
        return e
    if e.op in ("inv", "adj") and e.args[0].op == "transpose":
        return node(e.op, e.args[0].args)
    return flipped(e)
