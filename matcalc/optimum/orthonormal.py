"""X'X = c I and X'P X = c I: polar factors for linear functions, eigenvectors for quadratic forms."""

from __future__ import annotations

from dataclasses import dataclass

from matcalc import core
from matcalc.core import matmul, number
from matcalc.dims import is_one, same
from matcalc.expr import Expr
from matcalc.ops.decompositions import normnuc, normspec, polar
from matcalc.ops.elementwise import sqrt
from matcalc.ops.matrix_functions import sqrtm
from matcalc.ops.selection import slice_
from matcalc.ops.spectral import eigmax, eigmin, eigvals, eigvecmax, eigvecmin, eigvecs
from matcalc.optimum.answer import INDEPENDENT, NOT_ZERO, Candidate, reason, solver
from matcalc.optimum.maps import kronecker_pairs, with_distributed
from matcalc.optimum.question import (
    MAXIMUM,
    MINIMUM,
    Constraint,
    Question,
    inverse_of,
    is_column,
    opened,
    product_of,
    split_scalars,
)
from matcalc.properties import known, names_of

SCHOENEMANN = "Schoenemann, A generalized solution of the orthogonal Procrustes problem (1966)"
FAN = "Horn & Johnson, Matrix Analysis (2013), Corollary 4.3.39 (Ky Fan)"
CAUCHY = "Horn & Johnson, Matrix Analysis (2013), 5.1.4 (Cauchy-Schwarz)"


@dataclass(frozen=True)
class Sphere:
    """X'P X = c I: P positive definite (None: the identity), c > 0."""

    P: Expr | None
    c: Expr


def sphere_of(q: Question, v: Expr, c: Constraint) -> Sphere | None:
    """The constraint as X'P X = c I."""
    left, right = (q.simple(opened(side)) for side in (c.left, c.right))
    if not q.free_of(right, (v,)):
        return None
    scalars, body = split_scalars(right)
    if body.op == "eye":
        size = scalars
    elif right.is_scalar:
        size = right
    else:
        return None
    if left.op == "norm2" and left.args[0] is v and right.is_scalar:
        left, size = core.power(left, 2), q.simple(core.power(size, 2))
    if not right.is_scalar and not _is_gram(left, v):
        return None
    P = _middle_of(q, left, v) if not is_column(v) else _by_hessian(q, left, v)
    if P is None or q.sign(size) != 1:
        return None
    scalars, body = split_scalars(P)
    if body.op == "eye":
        return Sphere(None, q.simple(core.product(size, core.reciprocal(scalars)))) if q.sign(scalars) == 1 else None
    return Sphere(P, size) if q.is_positive_definite(P) else None


def _is_gram(left: Expr, v: Expr) -> bool:
    _, body = split_scalars(left)
    return body.op == "matmul" and body.args[-1] is v


def _middle_of(q: Question, left: Expr, v: Expr) -> Expr | None:
    """The P of X'P X."""
    scalars, body = split_scalars(left)
    if body.op != "matmul" or body.args[-1] is not v or body.args[0] is not v.T or not q.free_of(left, ()):
        return None
    inner = matmul(*body.args[1:-1]) if len(body.args) > 2 else core.eye(v.shape[0])
    if not q.free_of(inner, (v,)) or not q.free_of(scalars, (v,)):
        return None
    return inner if scalars.number == 1 else core.scale(scalars, inner)


def _by_hessian(q: Question, left: Expr, v: Expr) -> Expr | None:
    """The P of a quadratic form x'P x."""
    asked = q.with_facts(function=opened(left), over=(v,), constraints=())
    H = asked.hessian
    if H is None or not asked.free_of(H) or not is_zero_at_zero(asked):
        return None
    return q.simple(core.scale(number(core.exact("0.5")), H))


def is_zero_at_zero(q: Question) -> bool:
    """Whether function and gradient are zero at zero: a quadratic form is all that is left."""
    at = q.simple(q.at_zero(q.function, q.one))
    return at.number == 0 and (q.start.op == "zeros" or q.start.number == 0)


@solver(source=f"{SCHOENEMANN}; {FAN}; {CAUCHY}")
def orthonormal_columns(q: Question) -> Candidate | None:
    """on X'X = I the least tr(G'X) is at -polar(G), the extremes of tr(X'S X) are at eigenvectors of S"""
    if len(q.over) != 1 or len(q.constraints) != 1 or q.sense not in (MINIMUM, MAXIMUM):
        return None
    v = q.one
    plain = [w for w in names_of(v.params[3]) if w != "nonzero"]
    if plain or v.is_scalar:
        return None
    sphere = sphere_of(q, v, q.constraints[0])
    if sphere is None or q.hessian is None or not q.free_of(q.hessian):
        return None
    parts = _quadratic_part(q, v, sphere)
    if parts is None:
        return None
    linear = q.start
    if not parts:
        return _linear(q, sphere, linear)
    if linear.op != "zeros" and linear.number != 0:
        return None
    return _eigenvectors(q, sphere, q.simple(core.add(*parts)))


def _quadratic_part(q: Question, v: Expr, sphere: Sphere) -> list[Expr] | None:
    """The S of tr(X'S X)/2 without what is constant on the set; None where other terms are left."""
    assert q.hessian is not None
    found = kronecker_pairs(with_distributed(q, q.hessian), v.shape, v.shape)
    if found is None:
        return None
    kept: list[Expr] = []
    square = same(*v.shape) and sphere.P is None
    base = core.eye(v.shape[0]) if sphere.P is None else sphere.P
    for P, Q in found:
        (a, plain_P), (b, plain_Q) = split_scalars(q.simple(P)), split_scalars(q.simple(Q))
        if plain_Q is base or (sphere.P is None and plain_Q.op == "eye") or plain_Q.op == "zeros":
            continue
        if plain_P.op != "eye" and plain_P.number is None:
            return None
        if square:
            continue
        factor = q.simple(core.product(core.product(a, b), plain_P if plain_P.number is not None else number(1)))
        kept.append(core.scale(factor, plain_Q))
    return kept


def _linear(q: Question, sphere: Sphere, G: Expr) -> Candidate | None:
    """tr(G'X) on the set."""
    v = q.one
    if G.op == "zeros":
        return None
    sign = number(1 if q.sense == MAXIMUM else -1)
    root = core.power(sphere.c, core.exact("0.5"))
    needs: tuple[tuple[Expr, str], ...] = ()
    if is_column(v):
        a = G if sphere.P is None else q.simple(matmul(inverse_of(sphere.P), G))
        length = sqrt(q.simple(matmul(G.T, a)))
        g, turn = _direction(q, G)
        b = g if sphere.P is None else q.simple(matmul(inverse_of(sphere.P), g))
        along = sqrt(q.simple(matmul(g.T, b)))
        X = core.scale(turn, sign, root, core.reciprocal(along), b)
        if not q.is_no_zero_vector(G):
            needs = ((G, NOT_ZERO),)
        gain: Expr = length
        source = CAUCHY
    else:
        L = None if sphere.P is None else inverse_of(sqrtm(sphere.P))
        A = G if L is None else q.simple(matmul(L, G))
        A, turn = _direction(q, A)
        Y = polar(A)
        X = core.scale(turn, sign, root, Y if L is None else matmul(L, Y))
        gain = normnuc(q.simple(G if L is None else matmul(L, G)))
        if not (same(*A.shape) and q.is_nonsingular(A)):
            needs = ((A, INDEPENDENT),)
        source = SCHOENEMANN
    rest = q.simple(core.add(q.function, core.minus(_inner(G, v))))
    value = _constant_value(q, rest, core.scale(sign, root, gain), sphere)
    why = reason(orthonormal_columns, source, q.function)
    return Candidate({v: q.simple(X)}, (why,), needs=needs, proved=True, kind=q.sense, unique=True, value=value)


def _direction(q: Question, A: Expr) -> tuple[Expr, Expr]:
    """The matrix without its factors, of which its polar factor sees only the sign, and that sign."""
    s, body = split_scalars(q.simple(A))
    sign = q.sign(s)
    return (body, number(sign)) if sign else (A, number(1))


def _inner(G: Expr, v: Expr) -> Expr:
    return core.trace(matmul(G.T, v)) if not is_column(v) else matmul(G.T, v)


def _constant_value(q: Question, rest: Expr, gain: Expr, sphere: Sphere) -> Expr | None:
    """The optimal value, where the other terms do not depend on the unknown any more."""
    return q.simple(core.add(rest, gain)) if q.free_of(rest) else None


def _eigenvectors(q: Question, sphere: Sphere, S: Expr) -> Candidate | None:
    """tr(X'S X)/2 on the set."""
    v = q.one
    low = q.sense == MINIMUM
    root = core.power(sphere.c, core.exact("0.5"))
    single = _rank_one(q, sphere, S) if is_column(v) and not low else None
    why = reason(orthonormal_columns, FAN, q.function)
    if single is not None:
        return Candidate(
            {v: q.simple(core.scale(root, single))},
            (why,),
            needs=() if q.is_no_zero_vector(single) else ((single, NOT_ZERO),),
            proved=True,
            kind=q.sense,
            unique=False,
        )
    L = None if sphere.P is None else inverse_of(sqrtm(sphere.P))
    A = S if L is None else matmul(L, S, L)
    A = q.simple(A)
    s, body = split_scalars(A)
    if q.sign(s) == 0:
        s, body = number(1), A
    if q.sign(s) == -1:
        s, body = q.simple(core.minus(s)), core.minus(body)
    if not known(body, "symmetric"):
        half = number(core.exact("0.5"))
        body = q.simple(core.scale(half, core.add(body, body.T)))
    n, k = v.shape
    if is_column(v):
        Y = (eigvecmin if low else eigvecmax)(body)
        best = (eigmin if low else eigmax)(body)
    else:
        first, last = (1, k) if low else (core.exact_dim(n) - core.exact_dim(k) + 1, n)
        Y = slice_(eigvecs(body), 1, n, first, last)
        best = core.total(slice_(eigvals(body), first, last, 1, 1))
    X = Y if L is None else matmul(L, Y)
    value = None
    form = q.with_facts(constraints=())
    if is_zero_at_zero(form) and _only_quadratic(q, sphere):
        value = q.simple(core.scale(number(core.exact("0.5")), sphere.c, s, best))
    remark = "the sign is free" if is_column(v) else "any rotation of the columns is as good"
    return Candidate(
        {v: q.simple(core.scale(root, X))},
        (why,),
        remarks=(remark,),
        proved=True,
        kind=q.sense,
        unique=False,
        value=value,
    )


def _only_quadratic(q: Question, sphere: Sphere) -> bool:
    """Whether no term was dropped as constant on the set."""
    assert q.hessian is not None
    found = kronecker_pairs(with_distributed(q, q.hessian), q.one.shape, q.one.shape) or []
    base = core.eye(q.one.shape[0]) if sphere.P is None else sphere.P
    return all(split_scalars(q.simple(Q))[1] is not base for _, Q in found)


def _rank_one(q: Question, sphere: Sphere, S: Expr) -> Expr | None:
    """The unit vector at which x'(s a a')x is greatest: in the direction of P^-1 a."""
    s, body = split_scalars(q.simple(S))
    if q.sign(s) != 1 or body.op != "matmul" or len(body.args) % 2:
        return None
    half = len(body.args) // 2
    a = matmul(*body.args[:half])
    if not is_one(a.shape[1]) or q.rewriter.normal(a.T) is not q.rewriter.normal(matmul(*body.args[half:])):
        return None
    b = a if sphere.P is None else q.simple(product_of(inverse_of(sphere.P), a))
    return core.scale(core.power(q.simple(matmul(a.T, b)), core.exact("-0.5")), b)


@solver(source="Horn & Johnson, Matrix Analysis (2013), Theorem 7.3.4")
def leading_singular_vectors(q: Question) -> Candidate | None:
    """u'A v on unit vectors is greatest at the leading singular vectors of A, where it is normspec(A)"""
    if len(q.over) != 2 or len(q.constraints) != 2 or q.sense not in (MINIMUM, MAXIMUM):
        return None
    u, v = q.over
    if any(names_of(x.params[3]) for x in q.over) or not (is_column(u) and is_column(v)):
        return None
    spheres = {}
    for x in q.over:
        other = v if x is u else u
        for c in q.constraints:
            if q.free_of(c.residual, (other,)) and not q.free_of(c.residual, (x,)):
                spheres[x] = sphere_of(q, x, c)
    if len(spheres) != 2 or any(s is None or s.P is not None for s in spheres.values()):
        return None
    A = q.jacobian_of(q.gradients[u], v)
    if A is None or not q.free_of(A) or not q.free_of(q.gradients[u], (u,)) or not q.free_of(q.gradients[v], (v,)):
        return None
    A = q.simple(A)
    rest = q.simple(core.add(q.function, core.minus(matmul(u.T, A, v))))
    if rest.number != 0:
        return None
    sizes = [core.power(s.c, core.exact("0.5")) for x in q.over if (s := spheres[x]) is not None]
    first = eigvecmax(q.simple(matmul(A, A.T)))
    sign = number(1 if q.sense == MAXIMUM else -1)
    norm = normspec(A)
    second = core.scale(sign, core.reciprocal(norm), matmul(A.T, first))
    why = reason(leading_singular_vectors, "Horn & Johnson, Matrix Analysis (2013), Theorem 7.3.4", q.function)
    return Candidate(
        {u: q.simple(core.scale(sizes[0], first)), v: q.simple(core.scale(sizes[1], second))},
        (why,),
        needs=() if q.is_nonzero(A) else ((A, NOT_ZERO),),
        proved=True,
        kind=q.sense,
        unique=False,
        value=q.simple(core.scale(sign, sizes[0], sizes[1], norm)),
        remarks=("both signs may change together",),
    )
