"""Solutions of matrix equations: Sylvester's, Lyapunov's of both kinds, Riccati's of both kinds.

A differential is the solution of a linear equation of the same kind (Lyapunov's at the closed loop for Riccati's), so
that adjoints are as well. The condition is that this equation has one solution: its matrix on vec is nonsingular.
"""

from __future__ import annotations

from matcalc import core
from matcalc.core import eye, inverse, kron, minus, transpose, vec
from matcalc.dims import Shape, same, shape_text, times
from matcalc.errors import ShapeError
from matcalc.expr import Expr
from matcalc.map_kinds import LinearMap
from matcalc.maps import compose, identity, map_sum, negated, sandwich, scaled, solution, transposition
from matcalc.notation import Call
from matcalc.ops.define import need_same, need_square, no_facts, op
from matcalc.ops.products import reshape_
from matcalc.properties import bits

KAO = "Kao & Hennequin, Automatic differentiation of Sylvester, Lyapunov, and algebraic Riccati equations (2020)"
LANCASTER = "Lancaster & Rodman, Algebraic Riccati Equations (1995), ch. 9 and 13"
HALF = core.exact("0.5")
_KEEPS = bits("symmetric", "skew", "constant")


# ------------------------------------------------------------------------------------------------ linear equations


def sylvester_form(A: Expr, B: Expr) -> Expr:
    """The matrix on vec of X -> A X + X B."""
    return core.add(kron(eye(B.shape[0]), A), kron(transpose(B), eye(A.shape[0])))


def lyapunov_form(A: Expr) -> Expr:
    """The matrix on vec of X -> A X + X A'."""
    return core.add(kron(eye(A.shape[0]), A), kron(A, eye(A.shape[0])))


def dlyapunov_form(A: Expr) -> Expr:
    """The matrix on vec of X -> X - A X A'."""
    square = kron(A, A)
    return core.add(eye(square.shape[0]), minus(square))


def by_vec(form: Expr, C: Expr) -> Expr:
    """The solution of an equation from its matrix on vec."""
    return reshape_(inverse(form) @ vec(C), *C.shape)


def _sylvester_shape(A: Expr, B: Expr, C: Expr) -> Shape:
    need_square("sylvester", A)
    need_square("sylvester", B)
    if not (same(C.shape[0], A.shape[0]) and same(C.shape[1], B.shape[0])):
        raise ShapeError(
            f"sylvester: {{}} ({shape_text(A.shape)}), {{}} ({shape_text(B.shape)}) and {{}} ({shape_text(C.shape)}) "
            f"do not fit: the last one must be {A.shape[0]} x {B.shape[0]}",
            *(A, B, C),
        )
    return C.shape


@op(
    shape=_sylvester_shape,
    latex=Call(r"\operatorname{sylvester}"),
    numpy=Call("_sylvester"),
    domain=lambda A, B, C: (("nonsingular", sylvester_form(A, B)),),
    source=KAO,
    example=("m m, n n, m n",),
    facts=no_facts,
    definition=lambda A, B, C: by_vec(sylvester_form(A, B), C),
    real_only=True,
)
def sylvester(Y: Expr, A: Expr, B: Expr, C: Expr) -> tuple[LinearMap, ...]:
    """X = sylvester(A, B, C) solves A X + X B = C: dX = sylvester(A, B, dC - dA X - X dB)"""
    solved = solution("sylvester", sylvester_form, (A, B), C.shape)
    by_left = compose(solved, negated(sandwich(None, Y, A.shape)))
    return by_left, compose(solved, negated(sandwich(Y, None, B.shape))), solved


def _lyapunov_shape(name: str, A: Expr, Q: Expr) -> Shape:
    need_square(name, A)
    return need_same(name, A, Q)


def with_transpose(L: LinearMap) -> LinearMap:
    """dX -> L(dX) + L(dX)'."""
    return map_sum(L, compose(transposition(L.codomain), L))


@op(
    shape=lambda A, Q: _lyapunov_shape("lyapunov", A, Q),
    latex=Call(r"\operatorname{lyapunov}"),
    numpy=Call("_lyapunov"),
    domain=lambda A, Q: (("nonsingular", lyapunov_form(A)),),
    source=KAO,
    example=("n n, n n",),
    facts=lambda e, A, Q: (Q & _KEEPS, 0),
    definition=lambda A, Q: by_vec(lyapunov_form(A), Q),
    real_only=True,
)
def lyapunov(Y: Expr, A: Expr, Q: Expr) -> tuple[LinearMap, ...]:
    """X = lyapunov(A, Q) solves A X + X A' = Q: dX = lyapunov(A, dQ - dA X - X dA')"""
    solved = solution("lyapunov", lyapunov_form, (A,), Q.shape)
    after = compose(sandwich(Y, None, Q.shape), transposition(A.shape))
    return compose(solved, negated(map_sum(sandwich(None, Y, A.shape), after))), solved


@op(
    shape=lambda A, Q: _lyapunov_shape("dlyapunov", A, Q),
    latex=Call(r"\operatorname{dlyapunov}"),
    numpy=Call("_dlyapunov"),
    domain=lambda A, Q: (("nonsingular", dlyapunov_form(A)),),
    source=KAO,
    example=("n n, n n",),
    facts=lambda e, A, Q: (Q & _KEEPS, 0),
    definition=lambda A, Q: by_vec(dlyapunov_form(A), Q),
    real_only=True,
)
def dlyapunov(Y: Expr, A: Expr, Q: Expr) -> tuple[LinearMap, ...]:
    """X = dlyapunov(A, Q) solves X = A X A' + Q: dX = dlyapunov(A, dQ + dA X A' + A X dA')"""
    solved = solution("dlyapunov", dlyapunov_form, (A,), Q.shape)
    before = sandwich(None, Y @ transpose(A), A.shape)
    after = compose(sandwich(A @ Y, None, Q.shape), transposition(A.shape))
    return compose(solved, map_sum(before, after)), solved


# ------------------------------------------------------------------------------------------------ Riccati's equations


def _riccati_shape(name: str, A: Expr, B: Expr, Q: Expr, R: Expr) -> Shape:
    need_square(name, A)
    need_square(name, R)
    if not (same(B.shape[0], A.shape[0]) and same(B.shape[1], R.shape[0])):
        raise ShapeError(
            f"{name}: {{}} ({shape_text(A.shape)}), {{}} ({shape_text(B.shape)}) and {{}} ({shape_text(R.shape)}) "
            f"do not fit: the second must be {A.shape[0]} x {R.shape[0]}",
            *(A, B, R),
        )
    return need_same(name, A, Q)


def symmetric_part(S: Expr) -> Expr:
    """(S + S')/2."""
    return core.scale(core.number(HALF), core.add(S, transpose(S)))


def _care_gain(P: Expr, A: Expr, B: Expr, R: Expr) -> Expr:
    return inverse(symmetric_part(R)) @ transpose(B) @ P


def _dare_gain(P: Expr, A: Expr, B: Expr, R: Expr) -> Expr:
    return inverse(core.add(symmetric_part(R), transpose(B) @ P @ B)) @ transpose(B) @ P @ A


def _closed(A: Expr, B: Expr, K: Expr) -> Expr:
    return core.add(A, minus(B @ K))


def _care_domain(A: Expr, B: Expr, Q: Expr, R: Expr) -> tuple[tuple[str, Expr], ...]:
    K = _care_gain(care(A, B, Q, R), A, B, R)
    return ("nonsingular", symmetric_part(R)), ("nonsingular", lyapunov_form(transpose(_closed(A, B, K))))


def _dare_domain(A: Expr, B: Expr, Q: Expr, R: Expr) -> tuple[tuple[str, Expr], ...]:
    P = dare(A, B, Q, R)
    system = core.add(symmetric_part(R), transpose(B) @ P @ B)
    closed = _closed(A, B, _dare_gain(P, A, B, R))
    return ("nonsingular", system), ("nonsingular", dlyapunov_form(transpose(closed)))


def _weights(A: Expr, B: Expr, Q: Expr, R: Expr) -> tuple[tuple[str, Expr], ...]:
    return ("positive-definite", symmetric_part(Q)), ("positive-definite", symmetric_part(R))


def _by_weight(K: Expr | None, shape: Shape) -> LinearMap:
    """dS -> K' (dS + dS')/2 K."""
    inner = identity(shape) if K is None else sandwich(transpose(K), K, shape)
    return scaled(core.number(HALF), with_transpose(inner))


@op(
    shape=lambda A, B, Q, R: _riccati_shape("care", A, B, Q, R),
    latex=Call(r"\operatorname{care}"),
    numpy=Call("_care"),
    domain=_care_domain,
    sampling=lambda *args: (*_weights(*args), *_care_domain(*args)),
    source=f"{KAO}; {LANCASTER}",
    example=("n n, n m, n n, m m",),
    facts=lambda e, *masks: (bits("symmetric"), 0),
    real_only=True,
    over=lambda A, B, *_: times(*B.shape),
)
def care(P: Expr, A: Expr, B: Expr, Q: Expr, R: Expr) -> tuple[LinearMap, ...]:
    """P = care(A, B, Q, R) solves A'P + P A - P B R^-1 B'P + Q = 0: dP = lyapunov(F', ...), F = A - B R^-1 B'P"""
    K = _care_gain(P, A, B, R)
    solved = solution("lyapunov", lyapunov_form, (transpose(_closed(A, B, K)),), A.shape)
    return (
        compose(solved, negated(with_transpose(sandwich(P, None, A.shape)))),
        compose(solved, with_transpose(sandwich(P, K, B.shape))),
        compose(solved, negated(_by_weight(None, Q.shape))),
        compose(solved, negated(_by_weight(K, R.shape))),
    )


@op(
    shape=lambda A, B, Q, R: _riccati_shape("dare", A, B, Q, R),
    latex=Call(r"\operatorname{dare}"),
    numpy=Call("_dare"),
    domain=_dare_domain,
    sampling=lambda *args: (*_weights(*args), *_dare_domain(*args)),
    source=f"{KAO}; {LANCASTER}",
    example=("n n, n m, n n, m m",),
    facts=lambda e, *masks: (bits("symmetric"), 0),
    real_only=True,
    over=lambda A, B, *_: times(*B.shape),
)
def dare(P: Expr, A: Expr, B: Expr, Q: Expr, R: Expr) -> tuple[LinearMap, ...]:
    """P = dare(A, B, Q, R) solves P = A'P F + Q, F = A - B K, K = (R + B'P B)^-1 B'P A: dP = dlyapunov(F', ...)"""
    K = _dare_gain(P, A, B, R)
    F = _closed(A, B, K)
    solved = solution("dlyapunov", dlyapunov_form, (transpose(F),), A.shape)
    before = transpose(F) @ P
    return (
        compose(solved, with_transpose(sandwich(before, None, A.shape))),
        compose(solved, negated(with_transpose(sandwich(before, K, B.shape)))),
        compose(solved, _by_weight(None, Q.shape)),
        compose(solved, _by_weight(K, R.shape)),
    )
