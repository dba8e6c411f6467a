"""The differentials of norms, spreads, eigenvectors and adjugates, in a few lines each."""

from __future__ import annotations

from matcalc import core
from matcalc.expr import Expr, Op, postorder
from matcalc.ops.decompositions import normnuc, normspec, polar
from matcalc.ops.elementwise import absolute
from matcalc.ops.linalg import adj, det, inv
from matcalc.ops.reductions import centred, norm1, var_
from matcalc.ops.spectral import eigmax, eigmin, eigvals, eigvecmax, eigvecmin, eigvecs
from matcalc.properties import known
from matcalc.views.derived import Derive, tidy
from matcalc.views.facts import Differential, Fact, Tangent, bare

TWO = 2
CENTRED = "the entries of {0} add up to 0"
ABSOLUTE = "the derivative of abs(t) is sign(t)"
LARGEST = "among the matrices of spectral norm 1, {0} makes this trace largest: so the term with {1} vanishes"
UNIT = "{0} has length 1 and is an eigenvector, so the terms with {1} vanish"
ACROSS = "{0} = 0, and {1} = 0, because {2} keeps its length"
OFF_DIAGONAL = (
    "multiplied by {0} from the left: off the diagonal this gives the entries of {1}; columns keep their length"
)
OF_A_PRODUCT = "product rule"
MESSAGES = (CENTRED, ABSOLUTE, LARGEST, UNIT, ACROSS, OFF_DIAGONAL)


def _norm1(Y: Expr, d: Differential, total: Expr) -> Fact:
    X = bare(Y).args[0]
    return Fact(((Y, core.total(absolute(X))), (Tangent(Y), total)), ABSOLUTE)


def _var(Y: Expr, d: Differential, total: Expr) -> Fact | None:
    axis, ddof = bare(Y).params
    if ddof != 0:
        return None
    C = centred(bare(Y).args[0], axis)
    return Fact(((Y, core.mean(core.power(C, TWO), axis)), (Tangent(Y), total)), CENTRED, (C,))


def _normnuc(Y: Expr, d: Differential, total: Expr) -> Fact:
    X = bare(Y).args[0]
    Q = polar(X)
    return Fact(((Y, core.trace(core.matmul(Q.T, X))), (Tangent(Y), total)), LARGEST, (Q, d(Q)))


def _normspec(Y: Expr, d: Differential, total: Expr) -> Fact | None:
    X = bare(Y).args[0]
    v = next((e for e in postorder((total,)) if e.op == eigvecmax.name), None)
    if v is None or v.args[0] is not tidy(core.matmul(X.T, X)):
        return None
    two = core.number(TWO)
    moved = core.scale(two, core.matmul(v.T, X.T, d(X), v))
    clauses = (
        (core.power(Y, TWO), core.matmul(v.T, X.T, X, v)),
        (core.scale(two, Y, d(Y)), moved),
        (Tangent(Y), total),
    )
    return Fact(clauses, UNIT, (v, d(v)))


def _eigenvector(value: Op) -> Derive:
    def fact(v: Expr, d: Differential, total: Expr) -> Fact | None:
        X = bare(v).args[0]
        if not known(X, "symmetric"):
            return None
        top = value(X)
        left = core.add(core.scale(top, d(v)), core.minus(core.matmul(X, d(v))))
        right = core.add(core.matmul(d(X), v), core.minus(core.scale(d(top), v)))
        shifted = core.add(core.scale(top, core.eye(X.shape[0])), core.minus(X))
        clauses = ((core.matmul(X, v), core.scale(top, v)), (left, right), (Tangent(v), total))
        return Fact(clauses, ACROSS, (core.matmul(shifted, v), core.matmul(v.T, d(v)), v))

    return fact


def _eigvecs(V: Expr, d: Differential, total: Expr) -> Fact:
    X = bare(V).args[0]
    values = eigvals(X)
    left = core.add(core.matmul(d(X), V), core.matmul(X, d(V)))
    right = core.add(core.matmul(d(V), core.diag(values)), core.matmul(V, core.diag(d(values))))
    equation = (core.matmul(X, V), core.matmul(V, core.diag(values)))
    return Fact((equation, (left, right), (Tangent(V), total)), OFF_DIAGONAL, (inv(V), core.matmul(inv(V), d(V))))


def _adj(Y: Expr, d: Differential, total: Expr) -> Fact:
    X = bare(Y).args[0]
    n = X.shape[0]
    moved = core.add(core.matmul(d(Y), X), core.matmul(Y, d(X)))
    change = core.scale(core.trace(core.matmul(Y, d(X))), core.eye(n))
    clauses = ((core.matmul(Y, X), core.scale(det(X), core.eye(n))), (moved, change), (Tangent(Y), total))
    return Fact(clauses, OF_A_PRODUCT)


FURTHER: dict[str, Derive] = {
    norm1.name: _norm1,
    var_.name: _var,
    normnuc.name: _normnuc,
    normspec.name: _normspec,
    eigvecmax.name: _eigenvector(eigmax),
    eigvecmin.name: _eigenvector(eigmin),
    eigvecs.name: _eigvecs,
    adj.name: _adj,
}
