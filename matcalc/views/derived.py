"""The differentials of decompositions, of solutions of equations and of functions of matrices, in a few lines each."""

from __future__ import annotations

from collections.abc import Callable

from matcalc import core
from matcalc.expr import Expr, Op, postorder
from matcalc.ops.decompositions import chol, pinv, polar, singvals
from matcalc.ops.entry_products import prod
from matcalc.ops.equations import care, dlyapunov, lyapunov, sylvester
from matcalc.ops.linalg import inv, solve
from matcalc.ops.matrix_functions import doubled, expm, frechet_, frechetform, logm, matpow, sqrtm
from matcalc.ops.products import kron
from matcalc.ops.spectral import eigmax, eigmin, eigvals, eigvecmax, eigvecmin, eigvecs
from matcalc.properties import known
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.views.facts import Differential, Fact, Side, Tangent, bare
from matcalc.views.oriented import solved_together

PRODUCT = "product rule"
ONE_BY_ONE = "product rule: one factor after the other"
Derive = Callable[[Expr, Differential, Expr], Fact | None]


def tidy(e: Expr) -> Expr:
    """An expression in its shortest form."""
    return Rewriter(Context()).simplify(e)


def solved(Y: Expr, equation: tuple[Expr, Expr], moved: tuple[Expr, Expr], total: Expr, reason: str = PRODUCT) -> Fact:
    """From an equation that defines a value, by the product rule, to its differential."""
    return Fact((equation, (tidy(moved[0]), tidy(moved[1])), (Tangent(Y), total)), reason)


# ---------------------------------------------------------------------------------------------------- decompositions

HALVED = (
    "{0} times both sides times {1}: on the left stands {2} plus its transpose, "
    "so {2} is the lower triangle of the right side with half of its diagonal"
)


def _chol(Y: Expr, d: Differential, total: Expr) -> Fact:
    X = bare(Y).args[0]
    half = core.number(core.exact("0.5"))
    whole, moved = X, d(X)
    if not known(X, "symmetric"):
        whole, moved = (core.scale(half, core.add(A, A.T)) for A in (X, moved))
    both = core.add(core.matmul(d(Y), Y.T), core.matmul(Y, d(Y).T))
    inverse = inv(Y)
    values = (inverse, tidy(inverse.T), core.matmul(inverse, d(Y)))
    return Fact(((core.matmul(Y, Y.T), whole), (both, moved), (Tangent(Y), total)), HALVED, values)


FROM_THE_LEFT = "multiplied by {0} from the left: {1} = {2}, so the terms with {3} are equal"
NO_DIAGONAL = "multiplied by {0} from the left, the terms with {1} have equal diagonals"


def _extreme(vector: Op) -> Derive:
    def fact(Y: Expr, d: Differential, total: Expr) -> Fact:
        X = bare(Y).args[0]
        v = vector(X)
        u = v if known(X, "symmetric") else vector(X.T)
        left = core.add(core.matmul(d(X), v), core.matmul(X, d(v)))
        right = core.add(core.scale(d(Y), v), core.scale(Y, d(v)))
        values = (u.T, core.matmul(u.T, X), core.scale(Y, u.T), d(v))
        return Fact(((core.matmul(X, v), core.scale(Y, v)), (left, right), (Tangent(Y), total)), FROM_THE_LEFT, values)

    return fact


def _eigvals(Y: Expr, d: Differential, total: Expr) -> Fact:
    X = bare(Y).args[0]
    V = eigvecs(X)
    left = core.add(core.matmul(d(X), V), core.matmul(X, d(V)))
    right = core.add(core.matmul(d(V), core.diag(Y)), core.matmul(V, core.diag(d(Y))))
    equation = (core.matmul(X, V), core.matmul(V, core.diag(Y)))
    return Fact((equation, (left, right), (Tangent(Y), total)), NO_DIAGONAL, (inv(V), d(V)))


PROJECTIONS = "{0} and {1} are symmetric projections, and {2} is the sum of its three parts between these"


def _pinv(Y: Expr, d: Differential, total: Expr) -> Fact:
    X = bare(Y).args[0]
    (m, n), moved = X.shape, d(X)
    left, right = core.matmul(X, Y), core.matmul(Y, X)
    rest, other = (core.add(core.eye(k), core.minus(A)) for k, A in ((m, left), (n, right)))
    clauses: tuple[tuple[Side, ...], ...] = (
        (core.matmul(X, Y, X), X),
        (core.matmul(Y, X, d(Y), X, Y), core.minus(core.matmul(Y, moved, Y))),
        (core.matmul(d(Y), rest), core.matmul(Y, Y.T, moved.T, rest)),
        (core.matmul(other, d(Y)), core.matmul(other, moved.T, Y.T, Y)),
        (Tangent(Y), total),
    )
    return Fact(clauses, PROJECTIONS, (left, right, d(Y)), given=4)


SELF_ADJOINT = "what solves this with {0} = 0; as a linear map of {1} it is its own adjoint"


def _polar(Y: Expr, d: Differential, total: Expr) -> Fact | None:
    X = bare(Y).args[0]
    if X.shape[0] != X.shape[1]:
        return None
    dX = d(X)
    moved = core.add(core.matmul(Y.T, dX), core.minus(core.matmul(dX.T, Y)))
    same = core.add(core.matmul(X.T, d(Y)), core.minus(core.matmul(d(Y).T, X)))
    skew = core.add(core.matmul(Y.T, d(Y)), core.matmul(d(Y).T, Y))
    clauses: tuple[tuple[Side, ...], ...] = (
        (core.matmul(Y.T, Y), core.eye(X.shape[1])),
        (core.matmul(Y.T, X), core.matmul(X.T, Y)),
        (moved, same),
        (Tangent(Y), total),
    )
    return Fact(clauses, SELF_ADJOINT, (skew, dX), given=2)


ON_THE_DIAGONAL = "{0} is the identity and {1} diagonal, so on the diagonal the terms with {2} cancel"


def _singvals(Y: Expr, d: Differential, total: Expr) -> Fact | None:
    X = bare(Y).args[0]
    V = next((e for e in postorder((total,)) if e.op == eigvecs.name), None)
    if V is None or V.args[0] is not tidy(core.minus(core.matmul(X.T, X))):
        return None
    square = core.matmul(X.T, X)
    two = core.number(2)
    clauses: tuple[tuple[Side, ...], ...] = (
        (core.power(Y, 2), core.diagvec(core.matmul(V.T, square, V))),
        (
            core.scale(two, core.entrywise_product(Y, d(Y))),
            core.scale(two, core.diagvec(core.matmul(V.T, X.T, d(X), V))),
        ),
        (Tangent(Y), total),
    )
    return Fact(clauses, ON_THE_DIAGONAL, (core.matmul(V.T, V), core.matmul(V.T, square, V), d(V)))


# ---------------------------------------------------------------------------------------------------- equations


def _solve(Y: Expr, d: Differential, total: Expr) -> Fact:
    A, B = bare(Y).args
    return solved(Y, (core.matmul(A, Y), B), (core.add(core.matmul(d(A), Y), core.matmul(A, d(Y))), d(B)), total)


AGAIN = "the same equation with another right side"


def _sylvester(Y: Expr, d: Differential, total: Expr) -> Fact:
    A, B, C = bare(Y).args
    kept = core.add(core.matmul(A, d(Y)), core.matmul(d(Y), B))
    rest = core.add(d(C), core.minus(core.matmul(d(A), Y)), core.minus(core.matmul(Y, d(B))))
    return solved(Y, (core.add(core.matmul(A, Y), core.matmul(Y, B)), C), (kept, rest), total, AGAIN)


def _lyapunov(Y: Expr, d: Differential, total: Expr) -> Fact:
    A, Q = bare(Y).args
    kept = core.add(core.matmul(A, d(Y)), core.matmul(d(Y), A.T))
    rest = core.add(d(Q), core.minus(core.matmul(d(A), Y)), core.minus(core.matmul(Y, d(A).T)))
    return solved(Y, (core.add(core.matmul(A, Y), core.matmul(Y, A.T)), Q), (kept, rest), total, AGAIN)


def _dlyapunov(Y: Expr, d: Differential, total: Expr) -> Fact:
    A, Q = bare(Y).args
    kept = core.add(d(Y), core.minus(core.matmul(A, d(Y), A.T)))
    rest = core.add(d(Q), core.matmul(d(A), Y, A.T), core.matmul(A, Y, d(A).T))
    return solved(Y, (core.add(Y, core.minus(core.matmul(A, Y, A.T))), Q), (kept, rest), total, AGAIN)


IN_TANGENT = "a Lyapunov equation in {0}"


def _care(Y: Expr, d: Differential, total: Expr) -> Fact:
    A, B, Q, R = bare(Y).args
    inner = core.matmul(B, inv(symmetric(R)), B.T)
    F = tidy(core.add(A, core.minus(core.matmul(inner, Y))))
    zero = core.zeros(*Y.shape)
    own = core.add(core.matmul(A.T, Y), core.matmul(Y, A), core.minus(core.matmul(Y, inner, Y)), symmetric(Q))
    right = (
        symmetric(d(Q)),
        core.matmul(d(A).T, Y),
        core.matmul(Y, d(A)),
        core.minus(core.matmul(Y, d(B), inv(symmetric(R)), B.T, Y)),
        core.minus(core.matmul(Y, B, inv(symmetric(R)), d(B).T, Y)),
        core.matmul(Y, B, inv(symmetric(R)), symmetric(d(R)), inv(symmetric(R)), B.T, Y),
    )
    moved = core.add(core.matmul(F.T, d(Y)), core.matmul(d(Y), F), tidy(core.add(*right)))
    whole = solved_together(total) if total.op == "add" else total
    return Fact(((own, zero), (moved, zero), (Tangent(Y), whole)), IN_TANGENT, (d(Y),))


def symmetric(A: Expr) -> Expr:
    """The symmetric part."""
    return A if known(A, "symmetric") else core.scale(core.number(core.exact("0.5")), core.add(A, A.T))


# ---------------------------------------------------------------------------------------------------- functions

SERIES = "{0} is {1} + ..., the power series term by term, and the upper right block of {2}; {3} is its matrix on vec"
INVERSE = (
    "{0} is what solves this linear equation, {1} is its matrix on vec; {2} is the differential of the exponential"
)
NAMED = "{0} is what solves this equation, and {1} is its matrix on vec"


def _expm(Y: Expr, d: Differential, total: Expr) -> Fact:
    X = bare(Y).args[0]
    dX = d(X)
    half = core.number(core.exact("0.5"))
    first = core.add(dX, core.scale(half, core.add(core.matmul(dX, X), core.matmul(X, dX))))
    values = (total, first, expm(doubled(X, dX)), frechetform(X, expm.name))
    return Fact(((Tangent(Y), total),), SERIES, values)


def _logm(Y: Expr, d: Differential, total: Expr) -> Fact:
    X = bare(Y).args[0]
    clauses: tuple[tuple[Side, ...], ...] = (
        (expm(Y), X),
        (frechet_(Y, d(Y), expm.name), d(X)),
        (Tangent(Y), total),
    )
    return Fact(clauses, INVERSE, (total, frechetform(X, logm.name), frechet_(Y, d(Y), expm.name)))


def _sqrtm(Y: Expr, d: Differential, total: Expr) -> Fact:
    X = bare(Y).args[0]
    moved = core.add(core.matmul(d(Y), Y), core.matmul(Y, d(Y)))
    clauses = ((core.matmul(Y, Y), X), (moved, d(X)), (Tangent(Y), total))
    return Fact(clauses, NAMED, (total, frechetform(X, sqrtm.name)))


def _by_factors(Y: Expr, d: Differential, total: Expr) -> Fact:
    return Fact(((Tangent(Y), total),), ONE_BY_ONE)


SWAPPED = "both have the products of all entries; the commutation matrix exchanges columns of {0} with rows of {1}"


def _kron(Y: Expr, d: Differential, total: Expr) -> Fact:
    A, B = bare(Y).args
    (m, n), (p, q) = A.shape, B.shape
    swap = core.kron(core.kron(core.eye(n), core.commutation(q, m)), core.eye(p))
    return Fact(((core.vec(Y), core.matmul(swap, core.kron(core.vec(A), core.vec(B)))),), SWAPPED, (B, A))


DERIVED: dict[str, Derive] = {
    chol.name: _chol,
    pinv.name: _pinv,
    polar.name: _polar,
    singvals.name: _singvals,
    eigmax.name: _extreme(eigvecmax),
    eigmin.name: _extreme(eigvecmin),
    eigvals.name: _eigvals,
    solve.name: _solve,
    sylvester.name: _sylvester,
    lyapunov.name: _lyapunov,
    dlyapunov.name: _dlyapunov,
    care.name: _care,
    expm.name: _expm,
    logm.name: _logm,
    sqrtm.name: _sqrtm,
    matpow.name: _by_factors,
    prod.name: _by_factors,
    kron.name: _kron,
}

MESSAGES = (
    HALVED, PROJECTIONS, SELF_ADJOINT, ON_THE_DIAGONAL, FROM_THE_LEFT, NO_DIAGONAL, AGAIN, IN_TANGENT, SERIES, INVERSE,
    NAMED, ONE_BY_ONE, SWAPPED,
)  # fmt: skip
