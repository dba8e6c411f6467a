"""Expansion into sums of products: the canonical form in which the equality of two expressions is decided.

The group `distribute` is also a way to shorter results, gathered again after terms have cancelled; `expand` serves
proofs only.
"""

from __future__ import annotations

from itertools import product

from matcalc import core
from matcalc.core import add, broadcast, hadamard, kron, matmul, number, power, scale, total, trace, var
from matcalc.dims import dim, is_one, same_shape
from matcalc.expr import Expr, node
from matcalc.ops.matrix_functions import matpow
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import HORN, MAGNUS, MATRIX_ALGEBRA, node_rule, rule

MAX_TERMS = 240
MAX_POWER = 4


def terms_of(e: Expr) -> tuple[Expr, ...]:
    """The terms of a sum, looked for under a broadcast too; `e` alone where it is none."""
    if e.op == "add":
        return e.args
    if e.op == "broadcast" and e.args[0].op == "add":
        return tuple(broadcast(t, e.shape) for t in e.args[0].args)
    return (e,)


def _count(choices: list[tuple[Expr, ...]]) -> int:
    size = 1
    for c in choices:
        size *= len(c)
    return size


def _spread(e: Expr) -> Expr | None:
    """The product `e` of sums as the sum of all products."""
    choices = [terms_of(f) for f in e.args]
    if not 1 < _count(choices) <= MAX_TERMS:
        return None
    return add(*(node(e.op, factors) for factors in product(*choices)))


def _matrices() -> tuple[Expr, Expr]:
    A, B, C = var("A", "m", "n"), var("B", "n", "p"), var("C", "n", "p")
    return A @ add(B, C), add(A @ B, A @ C)


@node_rule(op="matmul", group="distribute", source=MATRIX_ALGEBRA, example=_matrices, having="add")
def distribute_product(e: Expr, context: Context) -> Expr | None:
    """A (B + C) = A B + A C"""
    return _spread(e) if any(f.op == "add" for f in e.args) else None


def _entries() -> tuple[Expr, Expr]:
    A, B, C = var("A", "m", "n"), var("B", "m", "n"), var("C", "m", "n")
    return hadamard(A, add(B, C)), add(hadamard(A, B), hadamard(A, C))


@node_rule(op="hadamard", group="distribute", source=MATRIX_ALGEBRA, example=_entries)
def distribute_hadamard(e: Expr, context: Context) -> Expr | None:
    """A o (B + C) = A o B + A o C"""
    return _spread(e)


def _scalars() -> tuple[Expr, Expr]:
    s, A, B = var("s", 1, 1), var("A", "m", "n"), var("B", "m", "n")
    return scale(s, add(A, B)), add(scale(s, A), scale(s, B))


@node_rule(op="scale", group="distribute", source=MATRIX_ALGEBRA, example=_scalars, having="add")
def distribute_scalar(e: Expr, context: Context) -> Expr | None:
    """s (A + B) = s A + s B, (s + t) A = s A + t A"""
    return _spread(e) if any(f.op == "add" for f in e.args) else None


def _whole(k: Expr) -> int | None:
    """The exponent, if it is a small whole number."""
    if k.op == "number" and k.params[0].is_Integer and 2 <= k.params[0] <= MAX_POWER:
        return int(k.params[0])
    return None


def _square() -> tuple[Expr, Expr]:
    A, B = var("A", "m", "n"), var("B", "m", "n")
    right = add(power(A, 2), scale(number(2), hadamard(A, B)), power(B, 2))
    return power(add(A, B), 2), right


@node_rule(op="power", group="distribute", source=MATRIX_ALGEBRA, example=_square)
def power_of_sum(e: Expr, context: Context) -> Expr | None:
    """(A + B) .^ 2 = A .^ 2 + 2 A o B + B .^ 2, and so on for small whole exponents"""
    base, k = e.args[0], _whole(e.args[1])
    if base.op != "add" or k is None or len(base.args) ** k > MAX_TERMS:
        return None
    times = scale if e.is_scalar else hadamard
    return add(*(times(*factors) for factors in product(base.args, repeat=k)))


def _matrix_square() -> tuple[Expr, Expr]:
    A, B = var("A", "n", "n"), var("B", "n", "n")
    right = add(matpow(A, number(2)), A @ B, B @ A, matpow(B, number(2)))
    return matpow(add(A, B), number(2)), right


@node_rule(op="matpow", group="distribute", source=MATRIX_ALGEBRA, example=_matrix_square)
def matrix_power_of_sum(e: Expr, context: Context) -> Expr | None:
    """(A + B)^2 = A^2 + A B + B A + B^2, (A B)^2 = A B A B, (s A)^2 = s^2 A^2, (1 1')^2 = n 1 1'"""
    base, k = e.args[0], _whole(e.args[1])
    if k is None:
        return None
    if base.op in ("ones", "broadcast"):
        return scale(power(trace(base), k - 1), base)
    if base.op == "scale":
        return scale(*(power(s, k) for s in base.args[:-1]), matpow(base.args[-1], e.args[1]))
    if base.op == "matmul":
        return matmul(*(base.args * k))
    if base.op == "add" and len(base.args) ** k <= MAX_TERMS:
        return add(*(matmul(*factors) for factors in product(base.args, repeat=k)))
    return None


@rule(F="X: m n, Y: m n", axis=(1, 2, None), group="distribute", source=MAGNUS)
def sum_of_sum(axis: int | None, *F: Expr) -> tuple[Expr, Expr]:
    """sum(X + Y) = sum(X) + sum(Y)"""
    return total(add(*F), axis), add(*(total(t, axis) for t in F))


def _ends_summed(axis: int | None, first: Expr, *rest: Expr) -> Expr:
    *inner, last = rest
    return matmul(first if axis == 2 else total(first, 1), *inner, last if axis == 1 else total(last, 2))


@rule(F="A: m n, B: n p", axis=(1, 2, None), group="distribute", source=MAGNUS, exact=True)
def sum_of_product(axis: int | None, *F: Expr) -> tuple[Expr, Expr]:
    """sum(A B, 1) = sum(A, 1) B, sum(A B, 2) = A sum(B, 2), sum(A B) = sum(A, 1) sum(B, 2)"""
    return total(matmul(*F), axis), _ends_summed(axis, *F)


@rule(F="A: n n, B: n n", group="distribute", source=HORN)
def diagonal_of_sum(*F: Expr) -> tuple[Expr, Expr]:
    """diagvec(A + B) = diagvec(A) + diagvec(B)"""
    return core.diagvec(add(*F)), add(*map(core.diagvec, F))


def _kron() -> tuple[Expr, Expr]:
    A, B, C = var("A", "m", "n"), var("B", "m", "n"), var("C", "p", "q")
    return kron(add(A, B), C), add(kron(A, C), kron(B, C))


@node_rule(op="kron", group="expand", source=HORN, example=_kron)
def distribute_kron(e: Expr, context: Context) -> Expr | None:
    """(A + B) (x) C = A (x) C + B (x) C"""
    return _spread(e) if any(f.op == "add" for f in e.args) else None


@rule(A="m n", B="p q", C="r s", group="expand", source=HORN)
def kron_is_associative(A: Expr, B: Expr, C: Expr) -> tuple[Expr, Expr]:
    """(A (x) B) (x) C = A (x) (B (x) C)"""
    return kron(kron(A, B), C), kron(A, kron(B, C))


def _rows() -> tuple[Expr, Expr]:
    a, b, X = var("a", 1, "n"), var("b", 1, "n"), var("X", "m", "n")
    shape = (dim("m"), dim("n"))
    return add(broadcast(a, shape), X, broadcast(b, shape)), add(broadcast(add(a, b), shape), X)


@node_rule(op="add", group="expand", source=MAGNUS, example=_rows, having="broadcast, broadcast")
def gather_broadcasts(e: Expr, context: Context) -> Expr | None:
    """1 a + 1 b = 1 (a + b)"""
    groups: dict[str, list[Expr]] = {}
    for t in e.args:
        if t.op == "broadcast":
            rows, cols = t.args[0].shape
            groups.setdefault(f"{is_one(rows)}{is_one(cols)}", []).append(t)
    found = next((g for g in groups.values() if len(g) > 1), None)
    if found is None:
        return None
    joint = broadcast(add(*(t.args[0] for t in found)), e.shape)
    return add(joint, *(t for t in e.args if t not in found))


def _trace_words() -> tuple[Expr, Expr]:
    X, Y = var("X", "m", "n"), var("Y", "m", "n")
    return total(hadamard(X, Y)), trace(X.T @ Y)


@node_rule(op="sum", group="expand", source=MAGNUS, example=_trace_words)
def inner_product_is_trace(e: Expr, context: Context) -> Expr | None:
    """sum(X o Y) = tr(X' Y), x' y for columns"""
    X, axis = e.args[0], e.params[0]
    if axis is not None:
        return None
    if X.op == "power" and X.args[1].number == 2:
        first = second = X.args[0]
    elif X.op == "hadamard" and len(X.args) == 2:
        first, second = X.args
    else:
        return None
    if "broadcast" in (first.op, second.op):
        return None
    if is_one(X.shape[1]):
        return core.transpose(first) @ second
    return first @ core.transpose(second) if is_one(X.shape[0]) else trace(core.transpose(first) @ second)


def _diagonal_words() -> tuple[Expr, Expr]:
    X, Y = var("X", "m", "n"), var("Y", "m", "n")
    return total(hadamard(X, Y), 2), core.diagvec(X @ Y.T)


@node_rule(op="sum", group="expand", source=HORN, example=_diagonal_words)
def row_products_are_a_diagonal(e: Expr, context: Context) -> Expr | None:
    """sum(X o Y, 2) = diagvec(X Y'), sum(X o Y, 1) = diagvec(X' Y)'"""
    X, axis = e.args[0], e.params[0]
    if axis is None or is_one(X.shape[0]) or is_one(X.shape[1]):
        return None
    if X.op == "power" and X.args[1].number == 2:
        first = second = X.args[0]
    elif X.op == "hadamard" and len(X.args) == 2:
        first, second = X.args
    else:
        return None
    if "broadcast" in (first.op, second.op):
        return None
    if axis == 2:
        return core.diagvec(first @ core.transpose(second))
    return core.transpose(core.diagvec(core.transpose(first) @ second))


def _rank_one() -> tuple[Expr, Expr]:
    x, y, A = var("x", "m", 1), var("y", 1, "n"), var("A", "m", "n")
    return hadamard(x @ y, A), hadamard(broadcast(x, A.shape), broadcast(y, A.shape), A)


@node_rule(op="hadamard", group="expand", source=HORN, example=_rank_one, having="matmul")
def hadamard_with_rank_one(e: Expr, context: Context) -> Expr | None:
    """x y' o A = x 1' o 1 y' o A: a rank-one factor scales rows and columns"""
    for k, f in enumerate(e.args):
        if f.op != "matmul":
            continue
        for i, g in enumerate(f.args[1:], 1):
            if is_one(g.shape[0]):
                left, right = matmul(*f.args[:i]), matmul(*f.args[i:])
                others = (*e.args[:k], *e.args[k + 1 :])
                return hadamard(broadcast(left, e.shape), broadcast(right, e.shape), *others)
    return None


@node_rule(
    op="diag",
    group="expand",
    source=HORN,
    example=lambda: (
        core.diag(core.diagvec(var("D", "n", "n", ["diagonal"]))),
        var("D", "n", "n", ["diagonal"]),
    ),
)
def diagonal_matrix_from_its_diagonal(e: Expr, context: Context) -> Expr | None:
    """diag(diagvec(D)) = D for diagonal D"""
    v = e.args[0]
    if v.op == "diagvec" and same_shape(v.args[0].shape, e.shape) and context.known(v.args[0], "diagonal"):
        return v.args[0]
    return None


@rule(F="u: n 1, v: n 1", loose=True, group="expand", source=HORN)
def diag_of_sum(*F: Expr) -> tuple[Expr, Expr]:
    """diag(u + v) = diag(u) + diag(v)"""
    return core.diag(add(*F)), add(*map(core.diag, F))


@rule(F="X: m n, Y: m n", group="expand", source=MAGNUS)
def vec_of_sum(*F: Expr) -> tuple[Expr, Expr]:
    """vec(X + Y) = vec(X) + vec(Y)"""
    return core.vec(add(*F)), add(*map(core.vec, F))


def _outer_vec() -> tuple[Expr, Expr]:
    x, y = var("x", "m", 1), var("y", "n", 1)
    return core.vec(x @ y.T), kron(y, x)


@node_rule(op="vec", group="expand", source=HORN, example=_outer_vec)
def vec_of_rank_one(e: Expr, context: Context) -> Expr | None:
    """vec(x y') = y (x) x"""
    X = e.args[0]
    if X.op != "matmul":
        return None
    for k, f in enumerate(X.args[1:], 1):
        if is_one(f.shape[0]):
            return kron(core.transpose(matmul(*X.args[k:])), matmul(*X.args[:k]))
    return None


def _with_vector() -> tuple[Expr, Expr]:
    v, B, M = var("v", "m", 1), var("B", "n", "p"), var("M", "p", "q")
    return kron(v, B) @ M, kron(v, B @ M)


@node_rule(op="matmul", group="expand", source=HORN, example=_with_vector, having="kron")
def kron_with_vector(e: Expr, context: Context) -> Expr | None:
    """(v (x) B) M = v (x) B M and (B (x) v) M = B M (x) v for a column v; M (v' (x) B) = v' (x) M B for a row"""
    for k, f in enumerate(e.args):
        if f.op != "kron":
            continue
        a, b = f.args
        if k + 1 < len(e.args) and (is_one(a.shape[1]) or is_one(b.shape[1])):
            M = e.args[k + 1]
            inside = kron(a, b @ M) if is_one(a.shape[1]) else kron(a @ M, b)
            return matmul(*e.args[:k], inside, *e.args[k + 2 :])
        if k and (is_one(a.shape[0]) or is_one(b.shape[0])):
            M = e.args[k - 1]
            inside = kron(a, M @ b) if is_one(a.shape[0]) else kron(M @ a, b)
            return matmul(*e.args[: k - 1], inside, *e.args[k + 1 :])
    return None
