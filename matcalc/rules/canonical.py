"""One of several equal ways to write a product, chosen by digest: traces, 1 x 1 products, row and column scalings.

The group `expand` is used by proofs only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matcalc import core
from matcalc.core import broadcast, hadamard, matmul, scale, total, trace, var
from matcalc.dims import is_one
from matcalc.expr import REGISTRY, Expr, node
from matcalc.ops.elementwise import exp
from matcalc.ops.linalg import det
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import HORN, MATRIX_ALGEBRA, node_rule

ENTRYWISE = ("func", "step")
SWAPPED_AXES = ("softmax", "log_softmax", "standardize")


def entrywise(e: Expr) -> bool:
    """Whether the operation applies one function to every entry."""
    return REGISTRY[e.op].scalar_function is not None or e.op in ENTRYWISE


def turned(e: Expr, context: Context) -> Expr:
    """The transpose of a normal form, with transposes at the leaves again."""
    if e.is_scalar or e.op == "eye":
        return e
    if e.op == "transpose":
        return e.args[0]
    rule = TURNS.get(e.op)
    if rule is not None:
        return rule(e, context)
    if entrywise(e):
        return node(e.op, (turned(e.args[0], context),), e.params)
    return e if context.known(e, "symmetric") else core.transpose(e)


def orientation_free(e: Expr, context: Context) -> bytes:
    """A key that `e` and its transpose share."""
    return min(e.digest, turned(e, context).digest)


def _turned_product_of(e: Expr, context: Context) -> Expr:
    """B' A', with the scalings of rows on the left neighbour, where the normal form has them."""
    factors = [turned(f, context) for f in reversed(e.args)]
    for k in range(len(factors) - 1, 0, -1):
        found = _split_off(factors[k], 0)
        if found is not None:
            v, factors[k] = found
            left = factors[k - 1]
            scaling = broadcast(turned(v, context), left.shape)
            factors[k - 1] = hadamard(*(left.args if left.op == "hadamard" else (left,)), scaling)
    return matmul(*factors)


def _each(e: Expr, context: Context) -> Expr:
    return node(e.op, [turned(a, context) for a in e.args], e.params)


# How the transpose of each operation is written, its arguments turned.
TURNS: dict[str, Callable[[Expr, Context], Expr]] = {
    "add": _each,
    "hadamard": _each,
    "kron": _each,
    "inv": _each,
    "adj": _each,
    "dadj": _each,
    "matpow": _each,
    "power": lambda e, c: core.power(turned(e.args[0], c), turned(e.args[1], c)),
    "matmul": lambda e, c: _turned_product_of(e, c),
    "scale": lambda e, c: scale(*e.args[:-1], turned(e.args[-1], c)),
    "broadcast": lambda e, c: broadcast(turned(e.args[0], c), (e.shape[1], e.shape[0])),
    "ones": lambda e, c: core.ones(*e.shape[::-1]),
    "zeros": lambda e, c: core.zeros(*e.shape[::-1]),
    "comm": lambda e, c: core.commutation(*e.params[::-1]),
    "diag": lambda e, c: e,
    **{name: lambda e, c: node(e.op, (turned(e.args[0], c),), _turned_axis(e.params)) for name in SWAPPED_AXES},
}


def _turned_axis(params: tuple[Any, ...]) -> tuple[Any, ...]:
    """The parameters of what is turned: the other axis; all entries stay all."""
    axis, *rest = params
    return (None if axis is None else 3 - axis, *rest)


def _entry_turn() -> tuple[Expr, Expr]:
    A = var("A", "m", "n")
    return core.transpose(exp(A)), exp(A.T)


@node_rule(op="transpose", group="expand", source=MATRIX_ALGEBRA, example=_entry_turn)
def transpose_into_entrywise(e: Expr, context: Context) -> Expr | None:
    """f(A)' = f(A'), f applied to every entry; softmax(A, 2)' = softmax(A', 1)"""
    inner = e.args[0]
    if entrywise(inner):
        return node(inner.op, (core.transpose(inner.args[0]),), inner.params)
    if inner.op in SWAPPED_AXES:
        return node(inner.op, (core.transpose(inner.args[0]),), _turned_axis(inner.params))
    return None


def _cycle() -> tuple[Expr, Expr]:
    A, B = var("A", "n", "m"), var("B", "m", "n")
    pair = (trace(A @ B), trace(B @ A))
    return pair if _smallest(pair[0].args[0], Context()) is not pair[0].args[0] else pair[::-1]


@node_rule(op="tr", group="expand", source=MATRIX_ALGEBRA, example=_cycle)
def trace_is_cyclic(e: Expr, context: Context) -> Expr | None:
    """tr(A B) = tr(B A) = tr(A' B')"""
    word = e.args[0]
    if any(f.op == "hadamard" for f in (word, *word.args)):  # that becomes a sum
        return None
    best = _smallest(word, context)
    return None if best is word or best.op == "transpose" else trace(best)


def _smallest(word: Expr, context: Context) -> Expr:
    """The rotation or transposed rotation of a product with the smallest digest."""
    factors = word.args if word.op == "matmul" else (word,)
    mirrored = tuple(turned(f, context) for f in reversed(factors))
    rotations = [f[k:] + f[:k] for f in (factors, mirrored) for k in range(len(f))]
    best = min(rotations, key=lambda f: tuple(g.digest for g in f))
    return word if _same(best, factors) else matmul(*best)


def _same(a: tuple[Expr, ...], b: tuple[Expr, ...]) -> bool:
    return [x.digest for x in a] == [y.digest for y in b]


def _form() -> tuple[Expr, Expr]:
    x, A, y = var("x", "m", 1), var("A", "m", "n"), var("y", "n", 1)
    left, right = matmul(x.T, A, y), matmul(y.T, A.T, x)
    return (left, right) if bilinear_form_is_symmetric(left, Context()) is not None else (right, left)


@node_rule(op="matmul", group="expand", source=MATRIX_ALGEBRA, example=_form)
def bilinear_form_is_symmetric(e: Expr, context: Context) -> Expr | None:
    """x' A y = y' A' x"""
    if not e.is_scalar:
        return None
    other = tuple(turned(f, context) for f in reversed(e.args))
    first = tuple(f.digest for f in other) < tuple(f.digest for f in e.args)
    return matmul(*other) if first else None


def _diagonal_word() -> tuple[Expr, Expr]:
    A, B = var("A", "m", "n"), var("B", "n", "m")
    left, right = core.diagvec(A @ B), core.diagvec(B.T @ A.T)
    return (left, right) if diagonal_of_turned_product(left, Context()) is not None else (right, left)


@node_rule(op="diagvec", group="expand", source=HORN, example=_diagonal_word)
def diagonal_of_turned_product(e: Expr, context: Context) -> Expr | None:
    """diagvec(A B) = diagvec(B' A')"""
    word = e.args[0]
    if word.op != "matmul" or any(f.op == "hadamard" for f in word.args):  # that becomes a sum, or its scalings move
        return None
    other = turned(word, context)
    return core.diagvec(other) if _key(other) < _key(word) else None


def _key(e: Expr) -> tuple[bytes, ...]:
    return tuple(f.digest for f in e.args)


# ------------------------------------------------------------------------------------------------ entrywise inside


def _weighted_trace() -> tuple[Expr, Expr]:
    A, B, C = var("A", "m", "n"), var("B", "m", "n"), var("C", "n", "m")
    return trace(hadamard(A, B) @ C), total(hadamard(A, B, C.T))


@node_rule(op="tr", group="expand", source=HORN, example=_weighted_trace)
def trace_of_hadamard_product(e: Expr, context: Context) -> Expr | None:
    """tr((A o B) C) = sum(A o B o C')"""
    word = e.args[0]
    if word.op == "hadamard":
        return total(core.diagvec(word))
    if word.op != "matmul":
        return None
    places = [k for k, f in enumerate(word.args) if f.op == "hadamard"]
    if not places:
        return None
    k = min(places, key=lambda k: word.args[k].digest)
    rest = matmul(*word.args[k + 1 :], *word.args[:k])
    return total(hadamard(word.args[k], turned(rest, context)))


def _weighted_diagonal() -> tuple[Expr, Expr]:
    A, B, C = var("A", "m", "n"), var("B", "m", "n"), var("C", "n", "m")
    return core.diagvec(hadamard(A, B) @ C), total(hadamard(A, B, C.T), 2)


@node_rule(op="diagvec", group="expand", source=HORN, example=_weighted_diagonal)
def diagonal_of_hadamard_product(e: Expr, context: Context) -> Expr | None:
    """diagvec((A o B) C) = sum(A o B o C', 2), diagvec(A o B) = diagvec(A) o diagvec(B)"""
    word = e.args[0]
    if word.op == "hadamard":
        return hadamard(*(core.diagvec(f) for f in word.args))
    if word.op != "matmul":
        return None
    if word.args[0].op == "hadamard":
        return total(hadamard(word.args[0], turned(matmul(*word.args[1:]), context)), 2)
    if word.args[-1].op == "hadamard":
        return total(hadamard(matmul(*word.args[:-1]), turned(word.args[-1], context)), 2)
    return None


def _weighted_form() -> tuple[Expr, Expr]:
    x, y, z = var("x", "n", 1), var("y", "n", 1), var("z", "n", 1)
    return x.T @ hadamard(y, z), total(hadamard(x, y, z))


@node_rule(op="matmul", group="expand", source=HORN, example=_weighted_form)
def form_with_hadamard(e: Expr, context: Context) -> Expr | None:
    """x' (y o z) = sum(x o y o z)"""
    if not e.is_scalar:
        return None
    first, last = e.args[0], e.args[-1]
    ends = [f for f in (turned(first, context), last) if f.op == "hadamard"]
    if not ends:
        return None
    end = min(ends, key=lambda f: f.digest)
    if end is last:
        return total(hadamard(last, turned(matmul(*e.args[:-1]), context)))
    return total(hadamard(end, matmul(*e.args[1:])))


# ------------------------------------------------------------------------------------------------ scalings


def _split_off(f: Expr, axis: int) -> tuple[Expr, Expr] | None:
    """A factor as a vector along its rows (axis 0, a column) or columns and what it scales."""
    if f.op != "hadamard":
        return None
    for k, g in enumerate(f.args):
        if g.op == "broadcast" and not is_one(f.shape[1 - axis]) and is_one(g.args[0].shape[1 - axis]):
            return g.args[0], hadamard(*f.args[:k], *f.args[k + 1 :])
    return None


def _scaled_rows() -> tuple[Expr, Expr]:
    v, A, B = var("v", "m", 1), var("A", "m", "n"), var("B", "n", "p")
    shape = (A.shape[0], B.shape[1])
    return hadamard(broadcast(v, A.shape), A) @ B, hadamard(broadcast(v, shape), A @ B)


@node_rule(op="matmul", group="expand", source=HORN, example=_scaled_rows)
def scalings_move_out(e: Expr, context: Context) -> Expr | None:
    """(v 1' o A) B = v 1' o A B, A (B o 1 w') = A B o 1 w'; A (v 1' o B) = (A o 1 v') B; (A o 1 v') x = A (v o x)"""
    if is_one(e.shape[0]) and is_one(e.shape[1]):
        return None
    factors = e.args
    found = _split_off(factors[0], 0)
    if found is not None:
        v, rest = found
        return hadamard(broadcast(v, e.shape), matmul(rest, *factors[1:]))
    found = _split_off(factors[-1], 1)
    if found is not None:
        v, rest = found
        return hadamard(broadcast(v, e.shape), matmul(*factors[:-1], rest))
    return None


def _scaled_inside() -> tuple[Expr, Expr]:
    v, A, B = var("v", "n", 1), var("A", "m", "n"), var("B", "n", "p")
    return A @ hadamard(broadcast(v, B.shape), B), hadamard(A, broadcast(v.T, A.shape)) @ B


@node_rule(op="matmul", group="expand", source=HORN, example=_scaled_inside)
def scalings_move_to_the_left(e: Expr, context: Context) -> Expr | None:
    """A (v 1' o B) = (A o 1 v') B, and (A o 1 v') x = A (v o x) for a column x"""
    for k, f in enumerate(e.args[1:], 1):
        left = e.args[k - 1]
        found = _split_off(f, 0)
        if found is not None:
            v, rest = found
            scaled = hadamard(left, broadcast(turned(v, context), left.shape))
            return matmul(*e.args[: k - 1], scaled, rest, *e.args[k + 1 :])
        found = _split_off(left, 1) if is_one(f.shape[1]) else None
        if found is not None:
            v, rest = found
            return matmul(*e.args[: k - 1], rest, hadamard(turned(v, context), f), *e.args[k + 1 :])
    return None


def _scaled_product() -> tuple[Expr, Expr]:
    w, A, B, C = var("w", 1, "p"), var("A", "m", "n"), var("B", "n", "p"), var("C", "p", "q")
    left = hadamard(A @ B, broadcast(w, (A.shape[0], B.shape[1]))) @ C
    return left, matmul(A, hadamard(B, broadcast(w, B.shape)), C)


@node_rule(op="matmul", group="expand", source=HORN, example=_scaled_product)
def scalings_inside_a_product(e: Expr, context: Context) -> Expr | None:
    """(A B o 1 w') C = A (B o 1 w') C: inside a product, a scaling of a product is one of its last factor"""
    for k, f in enumerate(e.args):
        if f.op != "hadamard" or any(g.op not in ("broadcast", "matmul") for g in f.args):
            continue
        products = [g for g in f.args if g.op == "matmul"]
        if len(products) != 1:
            continue
        factors = list(products[0].args)
        for g in f.args:
            if g.op == "broadcast":
                end = 0 if is_one(g.args[0].shape[1]) else -1
                factors[end] = hadamard(factors[end], broadcast(g.args[0], factors[end].shape))
        return matmul(*e.args[:k], *factors, *e.args[k + 1 :])
    return None


def _two_vectors() -> tuple[Expr, Expr]:
    x, y = var("x", "m", 1), var("y", 1, "n")
    shape = (x.shape[0], y.shape[1])
    return hadamard(broadcast(x, shape), broadcast(y, shape)), x @ y


@node_rule(op="hadamard", group="expand", source=HORN, example=_two_vectors, having="broadcast, broadcast")
def outer_product_of_broadcasts(e: Expr, context: Context) -> Expr | None:
    """x 1' o 1 y' = x y'"""
    if len(e.args) != 2 or any(f.op != "broadcast" for f in e.args):
        return None
    x, y = (f.args[0] for f in e.args)
    if is_one(x.shape[0]):
        x, y = y, x
    return x @ y if is_one(x.shape[1]) and is_one(y.shape[0]) else None


def _turned_det() -> tuple[Expr, Expr]:
    A, B = var("A", "n", "n"), var("B", "n", "n")
    left, right = det(core.add(A, B)), det(core.add(A.T, B.T))
    return (left, right) if det_of_turned(left, Context()) is not None else (right, left)


@node_rule(op="det", group="expand", source=MATRIX_ALGEBRA, example=_turned_det)
def det_of_turned(e: Expr, context: Context) -> Expr | None:
    """det(A' + B') = det(A + B)"""
    other = turned(e.args[0], context)
    return det(other) if other.op != "transpose" and other.digest < e.args[0].digest else None


def _turned_sum() -> tuple[Expr, Expr]:
    A, B = var("A", "m", "n"), var("B", "n", "m")
    left = total(hadamard(A, B.T), 1)
    right = core.transpose(total(hadamard(A.T, B), 2))
    return (left, right) if sum_of_turned(left, Context()) is not None else (right.args[0], core.transpose(left))


@node_rule(op="sum", group="expand", source=MATRIX_ALGEBRA, example=_turned_sum)
def sum_of_turned(e: Expr, context: Context) -> Expr | None:
    """sum(A' o B) = sum(A o B'), sum(A' o B, 1) = sum(A o B', 2)', sum(S, 1) = sum(S, 2)' for symmetric S"""
    X, axis = e.args[0], e.params[0]
    if is_one(X.shape[0]) or is_one(X.shape[1]) or X.op == "matmul":
        return None
    other = turned(X, context)
    if other.op == "transpose" or other.digest > X.digest or (other.digest == X.digest and axis != 1):
        return None
    return total(other) if axis is None else core.transpose(total(other, 3 - axis))
