"""Quadratic functions under linear equations: the multipliers solve a smaller system."""

from __future__ import annotations

from matcalc import core
from matcalc.core import matmul, number, transpose
from matcalc.dims import is_one
from matcalc.expr import Expr
from matcalc.ops.products import reshape_
from matcalc.ops.selection import block_of, dup, slice_
from matcalc.optimum.answer import Candidate, reason, solver
from matcalc.optimum.linear import is_quadratic
from matcalc.optimum.lines import Line
from matcalc.optimum.maps import Pair, as_product, kronecker_pairs, with_distributed
from matcalc.optimum.proofs import lagrangian
from matcalc.optimum.question import Constraint, Question, inverse_of, is_symmetric, product_of, split_scalars

KKT = "Boyd & Vandenberghe, Convex Optimization (2004), 10.1.1"
SECANT = "Dennis & More, Quasi-Newton methods, SIAM Review 19 (1977), Theorem 7.3"


def jacobian_of(q: Question, c: Constraint) -> Expr | None:
    """The matrix of an affine constraint on vec of the only unknown; None where it is not affine."""
    J = q.jacobian_of(c.residual, q.one)
    if J is None:
        return None
    J = q.simple(J)
    return J if q.free_of(J) else None


def offset_of(q: Question, c: Constraint) -> Expr:
    """The constraint's left side minus its right side at zero."""
    return q.simple(q.at_zero(c.residual, q.one))


def image_pair(q: Question, c: Constraint, J: Expr) -> Pair | None:
    """The pair (P, Q) with left - right = Q X P' + offset."""
    found = kronecker_pairs(with_distributed(q, J), q.one.shape, c.left.shape)
    return None if found is None else as_product(q, found)


def needed(q: Question, M: Expr) -> tuple[tuple[str, Expr], ...]:
    """That a matrix is nonsingular, unless it is known."""
    if q.is_nonsingular(M):
        return ()
    scalars, body = split_scalars(M)
    if scalars.number != 1 and q.is_nonzero(scalars):
        M = body
    return (("nonzero" if M.is_scalar else "nonsingular", M),)


@solver(source=KKT)
def linear_constraints(q: Question) -> Candidate | None:
    """a quadratic function is stationary under C(X) = d where H(X) + g + C*(L) = 0: L solves C H^-1 C* L = C(X0) - d"""
    if not q.constraints or not is_quadratic(q):
        return None
    jacobians = [jacobian_of(q, c) for c in q.constraints]
    if any(J is None for J in jacobians):
        return None
    exact = [J for J in jacobians if J is not None]
    if is_symmetric(q.one) and not q.one.is_scalar:
        return _secant(q) or _stacked(q, exact)
    found = _by_products(q, exact[0]) if len(exact) == 1 else None
    return found or _stacked(q, exact)


def _by_products(q: Question, J: Expr) -> Candidate | None:
    """H and the constraint are single products."""
    (c,) = q.constraints
    assert q.hessian is not None
    pairs = kronecker_pairs(with_distributed(q, q.hessian), q.one.shape, q.one.shape)
    H = None if pairs is None else as_product(q, pairs)
    constraint = image_pair(q, c, J)
    if H is None or constraint is None:
        return None
    (P, Q), (D, C) = H, constraint  # Q X P' + g + C' L D = 0 and C X D' + r = 0
    given = (*needed(q, P), *needed(q, Q))
    Pi, Qi = inverse_of(P), inverse_of(Q)
    X0 = q.simple(core.minus(product_of(Qi, q.start, transpose(Pi))))
    left = q.simple(product_of(C, Qi, transpose(C)))
    right = q.simple(product_of(D, Pi, transpose(D)))
    given += (*needed(q, left), *needed(q, right))
    gap = q.simple(core.add(product_of(C, X0, transpose(D)), offset_of(q, c)))
    L = q.simple(product_of(inverse_of(left), gap, transpose(inverse_of(right))))
    X = q.simple(core.add(X0, core.minus(product_of(Qi, transpose(C), L, D, transpose(Pi)))))
    why = reason(linear_constraints, KKT, q.gradient)
    name = lagrangian(q)[1][c.text]
    free = q.simple(core.add(X0, core.minus(product_of(Qi, transpose(C), name, D, transpose(Pi)))))
    lines = (
        Line(q.one, free, ("the first equation solved for ", q.one)),
        Line(product_of(left, name, right), gap, ("put into the constraint",)),
        Line(name, L, ("solved for ", name)),
        Line(q.one, X, ("put in",)),
    )
    return Candidate({q.one: X}, (why,), given, {c.text: L}, lemma=True, lines=lines)


def _stacked(q: Question, jacobians: list[Expr]) -> Candidate | None:
    """On vec, the constraints one below the other."""
    X = q.one
    assert q.hessian is not None
    H, C = q.hessian, jacobians[0] if len(jacobians) == 1 else block_of([[J] for J in jacobians])
    offsets = [core.vec(offset_of(q, c)) if not is_one(c.left.shape[1]) else offset_of(q, c) for c in q.constraints]
    r = offsets[0] if len(offsets) == 1 else block_of([[o] for o in offsets])
    g = q.start if is_one(X.shape[1]) else core.vec(q.start)
    D = dup(X.shape[0]) if is_symmetric(X) and not X.is_scalar else None
    if D is not None:  # by the independent entries
        H, C, g = q.simple(matmul(D.T, H, D)), matmul(C, D), matmul(D.T, g)
    Hi = inverse_of(H)
    x0 = q.simple(core.minus(product_of(Hi, g)))
    M = q.simple(product_of(C, Hi, transpose(C)))
    given = (*needed(q, H), *needed(q, M))
    L = q.simple(product_of(inverse_of(M), core.add(product_of(C, x0), r)))
    x = q.simple(core.add(x0, core.minus(product_of(Hi, transpose(C), L))))
    x = x if D is None else q.simple(matmul(D, x))
    value = x if is_one(X.shape[1]) else x.args[0] if x.op == "vec" else reshape_(x, *X.shape)
    members = frozenset([(X, "symmetric")]) if D is not None else frozenset()
    multipliers = {c.text: L for c in q.constraints} if len(q.constraints) == 1 else _parts(q, L)
    why = reason(linear_constraints, KKT, q.gradient)
    return Candidate({X: value}, (why,), given, multipliers, lemma=True, members=members)


def _parts(q: Question, L: Expr) -> dict[str, Expr]:
    """The multipliers of each constraint, cut out of the stacked ones."""
    parts: dict[str, Expr] = {}
    start = core.exact_dim(0)
    for c in q.constraints:
        size = core.exact_dim(core.count(c.left))
        part = slice_(L, start + 1, start + size, 1, 1)
        parts[c.text] = part if is_one(c.left.shape[1]) else reshape_(part, *c.left.shape)
        start = start + size
    return parts


def _secant(q: Question) -> Candidate | None:
    """tr(W(X - H)W(X - H)) over symmetric X with X y = s: the symmetric secant update."""
    if len(q.constraints) != 1:
        return None
    (c,) = q.constraints
    J = jacobian_of(q, c)
    constraint = None if J is None else image_pair(q, c, J)
    assert q.hessian is not None
    pairs = kronecker_pairs(with_distributed(q, q.hessian), q.one.shape, q.one.shape, symmetric=True)
    H = None if pairs is None else as_product(q, pairs)
    if H is None or constraint is None:
        return None
    (a, P), (b, Q) = (split_scalars(f) for f in H)
    y, C = constraint
    scalar, identity = split_scalars(C)
    if q.rewriter.normal(P) is not q.rewriter.normal(Q) or identity.op != "eye" or not is_one(y.shape[0]):
        return None
    factor = q.simple(core.product(a, b))  # factor W X W + g + (L y + y' L')/2 = 0 with W = P = Q
    y = q.simple(product_of(scalar, transpose(y)))
    W, Wi = P, inverse_of(P)
    X0 = q.simple(core.minus(product_of(core.reciprocal(factor), Wi, q.start, Wi)))
    v = q.simple(product_of(Wi, y))
    d = q.simple(product_of(transpose(y), v))
    r = q.simple(core.minus(core.add(product_of(X0, y), offset_of(q, c))))
    bend = core.product(product_of(transpose(r), y), core.power(d, -2))
    update = core.product(core.reciprocal(d), core.add(matmul(r, transpose(v)), matmul(v, transpose(r))))
    X = q.simple(core.add(X0, update, core.minus(core.product(bend, matmul(v, transpose(v))))))
    L = core.add(
        core.product(core.reciprocal(d), product_of(W, r)),
        core.product(core.scale(number(core.exact("-0.5")), bend), y),
    )
    L = q.simple(core.product(core.scale(number(-2), factor), L))
    given = (*needed(q, P), *needed(q, d))
    why = reason(linear_constraints, f"{KKT}; {SECANT}", q.gradient)
    return Candidate({q.one: X}, (why,), given, {c.text: L}, members=frozenset([(q.one, "symmetric")]), lemma=True)
