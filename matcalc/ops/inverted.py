"""The inverse of a linear map between matrices of one shape, in the form that its terms allow.

Sums of products from the left, from the right and from both sides, and entrywise multiples: then the inverse is an
inverse matrix, the solution of Sylvester's or Lyapunov's equation, or an entrywise quotient; else a system on vec.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matcalc import core
from matcalc.core import eye, inverse, kron, matmul, minus, ones, power, scale, transpose
from matcalc.dims import is_one, is_scalar, times
from matcalc.exact import ONE, ZERO
from matcalc.expr import Expr, number_value
from matcalc.map_kinds import Compose, Identity, LinearMap, Mask, Reshape, Sandwich, Scaled, Sum
from matcalc.maps import identity, mask, on_vec, sandwich, scaled, solution
from matcalc.ops.equations import dlyapunov_form, lyapunov_form, sylvester_form
from matcalc.vecform import matrix

MAX_TERMS = 24
_ONE = ONE


@dataclass(frozen=True, slots=True)
class Term:
    """dX -> number left dX right; None stands for the identity."""

    number: Any
    left: Expr | None
    right: Expr | None


def inverted(L: LinearMap) -> LinearMap:
    """The map that undoes L, from matrices of one shape to matrices of that shape.

    Adjoint equations are of the same kind: that of Lyapunov's equation is Lyapunov's equation at the transpose.
    """
    shape = L.domain
    if is_scalar(shape):
        return scaled(power(matrix(L), -1), identity(shape))
    weights = _weights(L)
    if weights is not None:
        return mask(power(weights, -1))
    if is_one(shape[1]):
        return sandwich(inverse(matrix(L)), None, shape)
    if is_one(shape[0]):
        return sandwich(None, inverse(transpose(matrix(L))), shape)
    terms = terms_of(L)
    return _by_terms(terms, L) if terms is not None else on_vec(inverse(matrix(L)), shape, shape)


def is_on_vec(L: LinearMap) -> bool:
    """Whether a map is known by its matrix on vec only."""
    match L:
        case Scaled():
            return is_on_vec(L.of)
        case Compose():
            return any(isinstance(f, Reshape) for f in L.factors)
    return False


def _by_terms(terms: list[Term], L: LinearMap) -> LinearMap:
    shape = L.domain
    both = [t for t in terms if t.left is not None and t.right is not None]
    free = [t for t in terms if t.left is None and t.right is None]
    lefts = [t for t in terms if t.left is not None and t.right is None]
    rights = [t for t in terms if t.right is not None and t.left is None]
    if not both and not rights:
        return sandwich(inverse(_total([*free, *lefts], shape[0])), None, shape)
    if not both and not lefts:
        return sandwich(None, inverse(_total([*free, *rights], shape[1])), shape)
    if not both:
        return _sylvester([*free, *lefts], rights, L)
    if len(both) == 1 and not lefts and not rights:
        found = _with_one(both[0], free, L)
        if found is not None:
            return found
    return on_vec(inverse(matrix(L)), shape, shape)


def _sylvester(lefts: list[Term], rights: list[Term], L: LinearMap) -> LinearMap:
    """The solution of A X + X B = C; of c (A X + X A') = C as 1/c of Lyapunov's."""
    common = {t.number for t in (*lefts, *rights)}
    c = common.pop() if len(common) == 1 else _ONE
    plain_left = [Term(t.number / c, t.left, t.right) for t in lefts]
    plain_right = [Term(t.number / c, t.left, t.right) for t in rights]
    A, B = _total(plain_left, L.domain[0]), _total(plain_right, L.domain[1])
    if turned(A).digest == turned(transpose(B)).digest:
        solved = solution("lyapunov", lyapunov_form, (A,), L.domain)
    else:
        solved = solution("sylvester", sylvester_form, (A, B), L.domain)
    return _times(1 / c, solved)


def _with_one(both: Term, free: list[Term], L: LinearMap) -> LinearMap | None:
    """The inverse of dX -> A dX B, or of c (dX - A dX A')."""
    assert both.left is not None
    assert both.right is not None
    total = sum((t.number for t in free), ZERO)
    if not free:
        return _times(1 / both.number, sandwich(inverse(both.left), inverse(both.right), L.domain))
    if total == -both.number and turned(both.left).digest == turned(transpose(both.right)).digest:
        return _times(1 / total, solution("dlyapunov", dlyapunov_form, (both.left,), L.domain))
    if total == -both.number:
        form = core.add(eye(times(*L.domain)), minus(kron(transpose(both.right), both.left)))
        return _times(1 / total, on_vec(inverse(form), L.domain, L.domain))
    return None


def _times(number: Any, L: LinearMap) -> LinearMap:
    return L if number == 1 else scaled(core.number(number), L)


def _total(terms: list[Term], size: object) -> Expr:
    """The sum of the factors of terms on one side."""
    parts = []
    for t in terms:
        factor = t.left if t.left is not None else t.right if t.right is not None else eye(size)
        parts.append(factor if t.number == 1 else scale(core.number(t.number), factor))
    return core.add(*parts)


def turned(e: Expr) -> Expr:
    """The expression with transposes pushed to its leaves: what equals a transpose by form is the same then."""
    if e.op != "transpose":
        return core.add(*map(turned, e.args)) if e.op == "add" else e
    inner = e.args[0]
    if inner.op == "transpose":
        return turned(inner.args[0])
    if inner.op == "add":
        return core.add(*(turned(transpose(a)) for a in inner.args))
    if inner.op == "scale":
        return scale(*inner.args[:-1], turned(transpose(inner.args[-1])))
    if inner.op == "matmul":
        return matmul(*(turned(transpose(a)) for a in reversed(inner.args)))
    if inner.op in ("eye", "number"):
        return inner
    return e


# ------------------------------------------------------------------------------------------------ parts of a map


def terms_of(L: LinearMap) -> list[Term] | None:
    """The terms of a sum of products with dX; None where the map is anything else."""
    match L:
        case Identity():
            return [Term(_ONE, None, None)]
        case Sandwich():
            return [_plain(Term(_ONE, L.left, L.right))]
        case Scaled():
            inner = terms_of(L.of)
            return None if inner is None else [_scaled(L.factor, t, L.domain) for t in inner]
        case Sum():
            parts = [terms_of(t) for t in L.terms]
            return None if None in parts else [t for part in parts if part is not None for t in part]
        case Compose():
            return _composed(L)
    return None


def _composed(L: Compose) -> list[Term] | None:
    found = [Term(_ONE, None, None)]
    for f in reversed(L.factors):
        outer = terms_of(f)
        if outer is None or len(outer) * len(found) > MAX_TERMS:
            return None
        found = [_after(a, b) for a in outer for b in found]
    return found


def _after(outer: Term, inner: Term) -> Term:
    lefts = [f for f in (outer.left, inner.left) if f is not None]
    rights = [f for f in (inner.right, outer.right) if f is not None]
    left, right = (matmul(*fs) if fs else None for fs in (lefts, rights))
    return Term(outer.number * inner.number, left, right)


def _plain(t: Term) -> Term:
    """The term with the numbers in front of its factors taken out."""
    number, left, right = t.number, t.left, t.right
    if left is not None and left.op == "scale" and left.args[0].op == "number":
        number, left = number * number_value(left.args[0]), scale(*left.args[1:])
    if right is not None and right.op == "scale" and right.args[0].op == "number":
        number, right = number * number_value(right.args[0]), scale(*right.args[1:])
    return Term(number, left, right)


def _scaled(factor: Expr, t: Term, shape: tuple[object, object]) -> Term:
    if factor.op == "number":
        return Term(t.number * number_value(factor), t.left, t.right)
    if t.left is None and t.right is not None:
        return Term(t.number, None, scale(factor, t.right))
    return Term(t.number, scale(factor, t.left if t.left is not None else eye(shape[0])), t.right)


def _weights(L: LinearMap) -> Expr | None:
    """The matrix by which a map multiplies entry by entry; None where it does anything else."""
    match L:
        case Identity():
            return ones(*L.domain)
        case Mask():
            return L.by
        case Scaled():
            inner = _weights(L.of)
            return None if inner is None else scale(L.factor, inner)
        case Sum():
            parts = [_weights(t) for t in L.terms]
            return None if None in parts else core.add(*(p for p in parts if p is not None))
        case Compose():
            parts = [_weights(f) for f in L.factors]
            return None if None in parts else core.hadamard(*(p for p in parts if p is not None))
    return None
