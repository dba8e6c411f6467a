"""Eigenvalues and eigenvectors.

Eigenvalues are real and in ascending order (a matrix with complex ones has no value here, `nan`); eigenvectors have
length 1 and their entry of largest magnitude is positive. Each is a function of a free matrix: for symmetric X the left
and the right eigenvectors are the same, and that is a simplification.
"""

from __future__ import annotations

from collections.abc import Iterable

from matcalc import core
from matcalc.core import difference, eye, inverse, matmul, minus, number, power, scale
from matcalc.dims import Shape
from matcalc.expr import Expr, node, number_value, record
from matcalc.map_kinds import LinearMap
from matcalc.maps import compose, diagonal, identity, map_sum, mask, negated, sandwich, scaled, to_diag
from matcalc.notation import Call
from matcalc.ops.define import need_square, op, square, square_to_scalar
from matcalc.ops.linalg import adj, spectrum_facts
from matcalc.ops.reductions import tr
from matcalc.properties import BIT

MAGNUS85 = "Magnus, On differentiating eigenvalues and eigenvectors, Econometric Theory 1 (1985)"
MN_EIGEN = "Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 8"


# ------------------------------------------------------------------------------------------------ eigenvalues


def gaps(X: Expr) -> Expr:
    """Entry (i, j) is lambda_j - lambda_i, and 1 on the diagonal."""
    values = eigvals(X)
    return core.plus(difference(values.T, values), eye(X.shape[0]))


def simple(X: Expr) -> tuple[tuple[str, Expr], ...]:
    """No two eigenvalues are equal."""
    return (("nonzero", gaps(X)),)


def simple_extreme(value: str, X: Expr) -> tuple[tuple[str, Expr], ...]:
    """The extreme eigenvalue is simple: the characteristic polynomial has a derivative there, tr(adj(lambda I - X))."""
    return (("nonzero", tr(adj(shifted(value, X)))),)


def shifted(value: str, X: Expr) -> Expr:
    """lambda I - X for an extreme eigenvalue."""
    return difference(scale(node(value, (X,)), eye(X.shape[0])), X)


def _column_of_eigenvalues(X: Expr) -> Shape:
    need_square("eigvals", X)
    return (X.shape[0], 1)


@op(
    shape=_column_of_eigenvalues,
    latex=Call(r"\operatorname{eigvals}"),
    numpy=Call("_eigvals"),
    domain=simple,
    source=MN_EIGEN,
    example=("n n",),
    facts=spectrum_facts,
    also=("eigenvalues",),
    real_only=True,
    kinks="crossings",
    over=lambda X, *_: X.shape[0],
)
def eigvals(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d lambda_i = (V^-1 dX V)_ii, V the eigenvectors, for simple eigenvalues"""
    V = eigvecs(X)
    return (compose(diagonal(X.shape[0], Y.shape), sandwich(inverse(V), V, X.shape)),)


def _eigvecs_facts(e: Expr, X: int) -> tuple[int, int]:
    return BIT["nonsingular"] | X & BIT["constant"] | (BIT["orthogonal"] if X & BIT["symmetric"] else 0), 0


@op(
    shape=square("eigvecs"),
    latex=Call(r"\operatorname{eigvecs}"),
    numpy=Call("_eigvecs"),
    domain=simple,
    source=MAGNUS85,
    example=("n n",),
    facts=_eigvecs_facts,
    real_only=True,
    over=lambda X, *_: X.shape[0],
)
def eigvecs(V: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """dV = Z - V diag(V' Z), Z = V (F o (V^-1 dX V)), F_ij = 1/(lambda_j - lambda_i) off the diagonal"""
    n = X.shape[0]
    F = difference(power(gaps(X), -1), eye(n))
    Z = compose(sandwich(V, None, X.shape), mask(F), sandwich(inverse(V), V, X.shape))
    along = compose(sandwich(V, None, X.shape), to_diag((n, 1), n), diagonal(n, (n, 1)), sandwich(V.T, None, X.shape))
    return (compose(map_sum(identity(X.shape), negated(along)), Z),)


def _extreme(vector: str, X: Expr) -> LinearMap:
    """dX -> u' dX v / u' v, for the right eigenvector v and the left one u."""
    v, u = node(vector, (X,)), node(vector, (X.T,))
    return compose(scaled(power(matmul(u.T, v), -1), identity((1, 1))), sandwich(u.T, v, X.shape))


@op(
    shape=square_to_scalar("eigmax"),
    latex=Call(r"\lambda_{\max}"),
    numpy=Call("_eigmax"),
    domain=lambda X: simple_extreme("eigmax", X),
    source=MN_EIGEN,
    example=("n n",),
    facts=spectrum_facts,
    real_only=True,
    kinks="crossings",
    over=lambda X: X.shape[0],
)
def eigmax(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d lambda = u' dX v / u' v, u and v the left and right eigenvectors of a simple eigenvalue"""
    return (_extreme("eigvecmax", X),)


@op(
    shape=square_to_scalar("eigmin"),
    latex=Call(r"\lambda_{\min}"),
    numpy=Call("_eigmin"),
    domain=lambda X: simple_extreme("eigmin", X),
    source=MN_EIGEN,
    example=("n n",),
    facts=spectrum_facts,
    real_only=True,
    kinks="crossings",
    over=lambda X: X.shape[0],
)
def eigmin(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d lambda = u' dX v / u' v, u and v the left and right eigenvectors of a simple eigenvalue"""
    return (_extreme("eigvecmin", X),)


def resolvent(value: str, X: Expr) -> Expr:
    """(lambda I - X)^+ for an extreme eigenvalue."""
    return record("pinv")(shifted(value, X))


def deflated(vector: str, value: str, X: Expr) -> Expr:
    """(I - v v') (lambda I - X + v u')^-1: the inverse exists, and for symmetric X this is (lambda I - X)^+."""
    v, u = node(vector, (X,)), node(vector, (X.T,))
    return matmul(difference(eye(X.shape[0]), v @ v.T), inverse(core.add(shifted(value, X), v @ u.T)))


def _moving_vector(v: Expr, vector: str, value: str, X: Expr) -> LinearMap:
    """dX -> (I - v v') (lambda I - X + v u')^-1 dX v."""
    return sandwich(deflated(vector, value, X), v, X.shape)


def _vector_facts(e: Expr, X: int) -> tuple[int, int]:
    return X & BIT["constant"], 0


@op(
    shape=_column_of_eigenvalues,
    latex=Call(r"\operatorname{eigvecmax}"),
    numpy=Call("_eigvecmax"),
    domain=lambda X: simple_extreme("eigmax", X),
    source=MAGNUS85,
    example=("n n",),
    facts=_vector_facts,
    real_only=True,
    over=lambda X: X.shape[0],
)
def eigvecmax(v: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """dv = (I - v v') (lambda I - X + v u')^-1 dX v; for symmetric X, (lambda I - X)^+ dX v"""
    return (_moving_vector(v, "eigvecmax", "eigmax", X),)


@op(
    shape=_column_of_eigenvalues,
    latex=Call(r"\operatorname{eigvecmin}"),
    numpy=Call("_eigvecmin"),
    domain=lambda X: simple_extreme("eigmin", X),
    source=MAGNUS85,
    example=("n n",),
    facts=_vector_facts,
    real_only=True,
    over=lambda X: X.shape[0],
)
def eigvecmin(v: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """dv = (I - v v') (lambda I - X + v u')^-1 dX v; for symmetric X, (lambda I - X)^+ dX v"""
    return (_moving_vector(v, "eigvecmin", "eigmin", X),)


VECTORS = {"eigvecmax": "eigmax", "eigvecmin": "eigmin"}


def shift_of(e: Expr) -> tuple[str, Expr] | None:
    """("eigmax" or "eigmin", X) where `e` is lambda I - X for that eigenvalue of X."""
    for t in e.args if e.op == "add" else ():
        if t.op == "scale" and len(t.args) == len(("lambda", "I")) and t.args[1].op == "eye":
            value = t.args[0]
            if value.op in VECTORS.values():
                X = value.args[0]
                rest = [other for other in e.args if other is not t]
                return (value.op, X) if _bag(map(minus, _terms(X))) == _bag(_terms(core.add(*rest))) else None
    return None


def _terms(e: Expr) -> list[Expr]:
    """The terms of a sum, scalars multiplied into the sums that they scale."""
    terms: list[Expr] = []
    for t in e.args if e.op == "add" else (e,):
        if t.op == "scale" and t.args[-1].op == "add":
            terms.extend(scale(*t.args[:-1], part) for part in t.args[-1].args)
        else:
            terms.append(t)
    return terms


def _bag(terms: Iterable[Expr]) -> list[bytes]:
    """The terms in any order, each with its numbers multiplied and its scalars in one product."""
    return sorted(_flat(t).digest for t in terms)


def _flat(t: Expr) -> Expr:
    scalars: list[Expr] = []
    while t.op == "scale":
        scalars.extend(t.args[:-1])
        t = t.args[-1]
    coefficient = core.exact(1)
    for s in scalars:
        if s.op == "number":
            coefficient = coefficient * number_value(s)
    rest = [s for s in scalars if s.op != "number"]
    return scale(number(coefficient), *rest, t)
