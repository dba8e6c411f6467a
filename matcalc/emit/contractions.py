"""Code for matrix products, traces, sums of products and linear systems, without what need not be formed."""

from __future__ import annotations

from collections import Counter

from matcalc import core
from matcalc.core import matmul, number, total, trace, transpose, turned
from matcalc.dims import is_one, times
from matcalc.emit.chains import best_order, build, expanded
from matcalc.emit.entrywise import stripped
from matcalc.emit.factorisations import (
    cholesky_code,
    inverse_code,
    log_determinant_code,
    solve_code,
    symmetric_product,
)
from matcalc.emit.grams import (
    gram_adjugate_code,
    gram_determinant_code,
    gram_log_determinant_code,
    gram_power_code,
    mirrors,
)
from matcalc.emit.instructions import Instruction
from matcalc.emit.matching import apart
from matcalc.emit.selection import Choice, Rule, Selector
from matcalc.emit.structured import kron_code, kron_product, weighted_gram
from matcalc.expr import Expr, node, number_value
from matcalc.ops.elementwise import log
from matcalc.ops.linalg import det
from matcalc.ops.products import comm, reshape_
from matcalc.ops.spectral import shift_of
from matcalc.properties import known
from matcalc.rewrite.terms import meaning

_SQUARE = 2


def _untransposed(e: Expr) -> Expr:
    return e.args[0] if e.op == "transpose" else e


def dot(a: Expr, b: Expr) -> Instruction:
    """The sum of the products of the entries of two matrices of one shape."""
    if a.op == "vec" and b.op == "vec" and a.args[0].shape == b.args[0].shape:
        a, b = a.args[0], b.args[0]
    return Instruction("dot", (a, b))


# ------------------------------------------------------------------------------------------------ products


def matmul_code(select: Selector, e: Expr) -> Choice | None:
    """A product in the cheapest order; products with ones are sums, those with diagonals scale rows or columns."""
    if e in select.ordered:
        return _two_factors(select, e)
    shared = select.shared
    flat = expanded(e.args, lambda f: f is not e and shared(f))
    scalars = [f for f in flat if f.is_scalar]
    factors = [f for f in flat if not f.is_scalar]
    if scalars or not factors:
        return _scaled(scalars, factors, e)
    if any(f.op == "zeros" for f in factors):
        return core.zeros(*e.shape)
    if len(factors) == 1:
        return factors[0] if factors[0].shape == e.shape else None
    without = _kronecker_vector(factors)
    if without is not None:
        return without
    if e.is_scalar:
        half = half_of(factors)
        if half is not None:
            select.kept.add(half)
            return dot(half, half)
    gram = None if e.is_scalar else weighted_gram(select, factors) or symmetric_product(factors)
    if gram is not None:
        return gram
    factors_t = tuple(factors)
    built = build(factors_t, best_order(factors_t, select.sizes, select.products))
    select.ordered.add(built)
    if e in select.kept:
        select.products[factors_t] = built
    if built is e:
        return _two_factors(select, e)
    return built


def half_of(factors: list[Expr]) -> Expr | None:
    """P where the factors are those of P' P, or of P P'."""
    count, odd = divmod(len(factors), _SQUARE)
    if odd or not all(mirrors(a, b) for a, b in zip(factors[:count], reversed(factors))):
        return None
    return matmul(*min(factors[count:], factors[:count], key=lambda part: sum(f.op == "transpose" for f in part)))


def _scaled(scalars: list[Expr], factors: list[Expr], e: Expr) -> Expr:
    if factors:
        return core.scale(*scalars, matmul(*factors))
    return core.scale(*scalars) if e.is_scalar else core.scale(*scalars, core.eye(e.shape[0]))


def _two_factors(select: Selector, e: Expr) -> Choice:
    a, b = e.args
    if is_one(a.shape[0]) and is_one(b.shape[1]):
        if a.op == "ones" and b.op == "ones":
            return number(core.exact_dim(a.shape[1]))
        if a.op == "ones" or b.op == "ones":
            return total(b if a.op == "ones" else a)
        return dot(_untransposed(a), b) if a.op == "transpose" else dot(a, turned(b) if b.op == "transpose" else b)
    if a.op == "ones" and is_one(a.shape[0]):
        return total(b, 1)
    if b.op == "ones" and is_one(b.shape[1]):
        return total(a, 2)
    if is_one(a.shape[1]):
        if a.op == "ones" or b.op == "ones":
            return core.broadcast(b if a.op == "ones" else a, e.shape)
        return core.hadamard(core.broadcast(a, e.shape), core.broadcast(b, e.shape))
    applied = kron_product(a, b)
    return applied or Instruction("matmul", (a, b))


def _kronecker_vector(factors: list[Expr]) -> Expr | None:
    """kron(A, B) vec(X) = vec(B X A') and comm vec(X) = vec(X'), at either end of a product."""
    if is_one(factors[-1].shape[1]) and factors[-2].op in ("kron", "comm"):
        return _product([*factors[:-2], _on_vector(factors[-2], factors[-1])])
    if is_one(factors[0].shape[0]) and factors[1].op in ("kron", "comm"):
        K = factors[1]
        flipped = comm(*K.params[::-1]) if K.op == "comm" else core.kron(*(turned(a) for a in K.args))
        return _product([transpose(_on_vector(flipped, turned(factors[0]))), *factors[2:]])
    return None


def _product(factors: list[Expr]) -> Expr:
    return matmul(*factors)


def _on_vector(K: Expr, v: Expr) -> Expr:
    if K.op == "comm":
        m, n = K.params
        return core.vec(transpose(_unvec(v, m, n)))
    A, B = K.args
    return core.vec(matmul(B, _unvec(v, B.shape[1], A.shape[1]), turned(A)))


def _unvec(v: Expr, m: object, n: object) -> Expr:
    if v.op == "vec" and v.args[0].shape == (m, n):
        return v.args[0]
    return v if is_one(n) else reshape_(v, m, n)


def transpose_code(select: Selector, e: Expr) -> Choice | None:
    """A view; of a broadcast the broadcast of the transpose."""
    a = select.decide(e.args[0])
    if a.is_scalar:
        return a
    if a.op in ("transpose",):
        return a.args[0]
    if a.op == "broadcast":
        return core.broadcast(transpose(a.args[0]), e.shape)
    if a.op in ("ones", "zeros"):
        return node(a.op, (), e.shape)
    if a.op in ("eye", "diag"):
        return a
    return Instruction("transpose", (a,), view=True, cheap=True)


# ------------------------------------------------------------------------------------------------ sums


def sum_code(select: Selector, e: Expr) -> Choice | None:
    """Sums of products without the products: dot products and einsum."""
    (X,), axis = e.args, e.params[0]
    X = select.decide(X) if select.decide(X).op in ("broadcast", "ones", "zeros", "transpose") else X
    if axis is not None and is_one(X.shape[axis - 1]):
        return X
    if axis is not None and e.is_scalar:
        return total(X)
    if X.is_scalar:
        return X
    if meaning(X).op == "eigvals" and axis is None:  # also where they are complex
        return trace(meaning(X).args[0])
    if X.op in ("broadcast", "ones"):
        return _sum_of_broadcast(stripped(select, X), X, axis)
    if X.op == "transpose":
        inner = X.args[0]
        return total(inner) if axis is None else transpose(total(inner, 3 - axis))
    if X.op == "scale" and not select.shared(X):
        return core.scale(*X.args[:-1], total(X.args[-1], axis))
    if X.op == "kron" and not select.shared(X):
        return core.kron(*(total(a, axis) for a in X.args))
    if X.op == "matmul" and not select.shared(X) and not _is_outer(X) and not _acts_on_vec(X):
        first, *middle, last = X.args
        first = total(first, 1) if axis != 2 else first
        last = total(last, 2) if axis != 1 else last
        return matmul(first, *middle, last)
    if axis is not None:
        known_sum = _with_known_sum(select, X, axis)
        if known_sum is not None:
            return known_sum
    pair = _pair_of(select, X)
    if pair is not None:
        return dot(*pair) if axis is None else _sum_of_pair(*_narrower(select, *pair, axis), axis)
    return Instruction("sum", (X,), (axis,))


def _with_known_sum(select: Selector, X: Expr, axis: int) -> Expr | None:
    """sum(1 r .* A) = r .* sum(A), where that sum is computed anyway."""
    repeated, rest = apart(X, axis)
    found = select.sums.get((axis, frozenset(Counter(rest).items()))) if repeated else None
    if found is None or found.args[0] is X:
        return None
    return core.hadamard(*(core.broadcast(r, found.shape) for r in repeated), found)


def _acts_on_vec(X: Expr) -> bool:
    return any(f.op in ("kron", "comm") for f in X.args)


def _is_outer(X: Expr) -> bool:
    return len(X.args) == _SQUARE and is_one(X.args[0].shape[1])


def _narrower(select: Selector, a: Expr, b: Expr, axis: int) -> tuple[Expr, Expr]:
    """sum((A B') .* P, 2) = sum(A .* (P B), 2), where P B is computed anyway."""
    for product, other in ((a, b), (b, a)) if axis == 2 else ():
        inner = meaning(product)
        if inner.op == "matmul" and len(inner.args) == _SQUARE:
            A, B = inner.args[0], turned(inner.args[1])
            if select.uses[matmul(other, B)]:
                return A, matmul(other, B)
    return a, b


def _sum_of_pair(a: Expr, b: Expr, axis: int) -> Instruction:
    return Instruction("sum_of_products", (a, b), (False, axis))


def _sum_of_broadcast(body: Expr, X: Expr, axis: int | None) -> Expr:
    """The sum over a repeated axis is a multiple."""
    axes = (1, 2) if axis is None else (axis,)
    repeated = [a for a in axes if is_one(body.shape[a - 1])]
    for a in axes:
        if a not in repeated:
            body = total(body, a)
    factor = number(core.exact_dim(times(*(X.shape[a - 1] for a in repeated))))
    shape = (1 if 1 in axes else X.shape[0], 1 if 2 in axes else X.shape[1])
    return core.broadcast(core.scale(factor, body), shape)


def _pair_of(select: Selector, X: Expr) -> tuple[Expr, Expr] | None:
    """Two matrices of full shape whose entrywise product is X."""
    if select.shared(X):
        return None
    if X.op == "power" and X.args[1].number == _SQUARE:
        base = X.args[0]
        return (base, base) if stripped(select, base).shape == X.shape else None
    if X.op != "hadamard" or select.decide(X) is not X:
        return None
    full = [a for a in X.args if stripped(select, a).shape == X.shape and a.op != "step"]
    if len(full) < _SQUARE:
        return None
    last = full[-1]
    k = len(X.args) - 1 - X.args[::-1].index(last)
    return core.hadamard(*X.args[:k], *X.args[k + 1 :]), last


def mean_code(select: Selector, e: Expr) -> Choice | None:
    """A mean is a sum, which may be one of products, over the number of entries."""
    (X,), axis = e.args, e.params[0]
    entries = core.count(X) if axis is None else X.shape[axis - 1]
    return core.scale(number(1 / core.exact_dim(entries)), total(X, axis))


# ------------------------------------------------------------------------------------------------ systems


def prod_code(select: Selector, e: Expr) -> Choice | None:
    """The product of the eigenvalues is the determinant, also where they are complex."""
    X = meaning(e.args[0])
    return det(*X.args) if X.op == "eigvals" and e.is_scalar else None


def matrix_power_code(select: Selector, e: Expr) -> Choice | None:
    """A whole number as the exponent needs no SciPy."""
    X, k = e.args
    if k.op != "number" or not number_value(k).is_Integer or X.is_scalar:
        return None
    return Instruction("whole_power", (X,), (int(number_value(k)),))


def pseudoinverse_code(select: Selector, e: Expr) -> Choice | None:
    """(t I - S)^+ at an eigenvalue t of a symmetric S: what is 0 there is known, not guessed from rounding errors."""
    shift = shift_of(e.args[0])
    if shift is None or not known(shift[1], "symmetric"):
        return None
    return Instruction("resolvent", (shift[1],), (shift[0],))


def log_code(select: Selector, e: Expr) -> Choice | None:
    """log(det(X)) without overflow."""
    X = e.args[0]
    if X.op == "named":
        X = X.args[0]
    if X.op != "det" or X.args[0].is_scalar:
        return None
    by_gram = gram_log_determinant_code(select, X)
    return Instruction("log_det", (X.args[0],)) if by_gram is None else by_gram


def cross_entropy_code(select: Selector, e: Expr) -> Choice | None:
    """-sum(Y o log(P)), with the logarithm in its stable form."""
    Y, P = e.args
    return core.minus(total(core.entrywise_product(Y, log(P))))


RULES: dict[str, list[Rule]] = {
    "matmul": [matmul_code],
    "transpose": [transpose_code],
    "sum": [sum_code],
    "mean": [mean_code],
    "inv": [inverse_code],
    "solve": [solve_code],
    "kron": [kron_code],
    "det": [gram_determinant_code],
    "adj": [gram_adjugate_code],
    "logdet": [log_determinant_code],
    "chol": [cholesky_code],
    "log": [log_code],
    "pinv": [pseudoinverse_code],
    "prod": [prod_code],
    "matpow": [gram_power_code, matrix_power_code],
    "cross_entropy": [cross_entropy_code],
}
