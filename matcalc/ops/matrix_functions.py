"""Functions of square matrices (exponential, logarithm, square root, powers) and their Frechet derivatives.

The Frechet derivative L_f(X, V) is the upper right block of f([X, V; 0, X]), which also gives its own derivatives; its
matrix on vec is the upper right block of f([X' (x) I, I; 0, I (x) X]). All functions are principal values.

Source: Higham, Functions of Matrices (2008), ch. 3 (Theorem 3.6: Mathias 1996) and 10.2, 11.8.
"""

from __future__ import annotations

from matcalc import core
from matcalc.core import matmul, minus
from matcalc.dims import Dim, Shape, plus, shape_text, times
from matcalc.errors import MatcalcError, ShapeError
from matcalc.expr import Expr, Param, node, number_value
from matcalc.map_kinds import LinearMap
from matcalc.maps import (
    compose,
    frechet,
    kron_left,
    kron_right,
    map_sum,
    outer,
    placing,
    sandwich,
    taking,
    transposition,
    zero,
)
from matcalc.notation import Builtin, Call, Level, Notation, Template
from matcalc.ops.define import anywhere, need_same, need_square, no_facts, op, square
from matcalc.ops.selection import block_of, slice_
from matcalc.properties import BIT, bits

HIGHAM = "Higham, Functions of Matrices (2008), Theorem 3.6 and ch. 10"
HIGHAM_LOG = "Higham, Functions of Matrices (2008), Theorem 3.6 and ch. 11"
HIGHAM_ROOT = "Higham, Functions of Matrices (2008), Theorem 3.6 and ch. 6"
HIGHAM_KRONECKER = "Higham, Functions of Matrices (2008), sec. 3.2"
FUNCTIONS = ("expm", "logm", "sqrtm")
TRIANGULAR = bits("diagonal", "lower", "upper")


def principal(X: Expr) -> tuple[tuple[str, Expr], ...]:
    """X has no eigenvalue that is zero or real and negative: its principal square root exists and is nonsingular."""
    return (("nonsingular", X), ("nonsingular", sqrtm(X)))


def domain_of(function: str, X: Expr) -> tuple[tuple[str, Expr], ...]:
    """Where a function of matrices is differentiable."""
    return () if function == "expm" else principal(X)


def _expm_facts(e: Expr, X: int) -> tuple[int, int]:
    true = BIT["nonsingular"] | X & (TRIANGULAR | bits("positive", "nonnegative", "constant"))
    if X & BIT["symmetric"]:
        true |= BIT["positive-definite"]
    if X & BIT["skew"]:
        true |= BIT["orthogonal"]
    return true, 0


@op(
    shape=square("expm"),
    latex=Call(r"\operatorname{expm}"),
    numpy=Call("_expm"),
    domain=anywhere,
    source=HIGHAM,
    example=("n n",),
    facts=_expm_facts,
    also=("matrix_exp",),
)
def expm(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d expm(X) = L(X, dX), the Frechet derivative of the matrix exponential"""
    return (frechet("expm", X),)


@op(
    shape=square("logm"),
    latex=Call(r"\operatorname{logm}"),
    numpy=Call("_logm"),
    domain=principal,
    source=HIGHAM_LOG,
    example=("n n",),
    facts=lambda e, X: (X & (TRIANGULAR | bits("symmetric", "constant")), 0),
    also=("matrix_log",),
    over=lambda X, *_: X.shape[0],
)
def logm(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d logm(X) = L(X, dX), the Frechet derivative of the principal logarithm"""
    return (frechet("logm", X),)


@op(
    shape=square("sqrtm"),
    latex=Template(r"{0}^{{1/2}}", Level.POSTFIX, Level.ATOM),
    numpy=Call("_sqrtm"),
    domain=principal,
    source=HIGHAM_ROOT,
    example=("n n",),
    facts=lambda e, X: (X & (TRIANGULAR | bits("symmetric", "positive-definite", "nonsingular", "constant")), 0),
)
def sqrtm(Y: Expr, X: Expr) -> tuple[LinearMap, ...]:
    """d sqrtm(X) = L(X, dX), where Y L + L Y = dX"""
    return (frechet("sqrtm", X),)


# ------------------------------------------------------------------------------------------------ Frechet derivatives


def _known(function: str) -> None:
    if function not in FUNCTIONS:
        raise MatcalcError(f"the function must be one of {', '.join(FUNCTIONS)}, got {function}")


def _frechet_shape(X: Expr, V: Expr, function: str) -> Shape:
    _known(function)
    need_square("frechet", X)
    return need_same("frechet", X, V)


def _frechet_latex(function: str) -> Notation:
    return Template(rf"L_{{{{\operatorname{{{{{function}}}}}}}}}\left({{0}}, {{1}}\right)")


def _frechet_numpy(function: str) -> Notation:
    return Template(f"_frechet_{function}({{0}}, {{1}})")


def doubled(X: Expr, V: Expr) -> Expr:
    """[X, V; 0, X]."""
    return block_of([[X, V], [core.zeros(*X.shape), X]])


def upper_right(Y: Expr, n: Dim) -> Expr:
    """The upper right n x n block of a 2n x 2n matrix."""
    return slice_(Y, 1, n, plus(n, 1), times(2, n))


def _block_maps(n: Dim) -> tuple[LinearMap, LinearMap, LinearMap]:
    """dX -> [dX, 0; 0, dX], dV -> [0, dV; 0, 0], and dY -> its upper right block, for n x n blocks."""
    small, large = (n, n), (times(2, n), times(2, n))
    right = plus(n, 1)
    twice = map_sum(placing(small, large, 1, 1), placing(small, large, right, right))
    return twice, placing(small, large, 1, right), taking(large, small, 1, right)


FUNCTION = Param("function", "function")


@op(
    shape=_frechet_shape,
    latex=_frechet_latex,
    numpy=_frechet_numpy,
    domain=lambda X, V, function: domain_of(function, X),
    source=HIGHAM,
    example=("n n, n n", "expm"),
    facts=no_facts,
    params=(FUNCTION,),
    definition=lambda X, V, function: upper_right(node(function, (doubled(X, V),)), X.shape[0]),
    parameters_first=True,
    over=lambda X, *_: X.shape[0],
)
def frechet_(Y: Expr, X: Expr, V: Expr, function: str) -> tuple[LinearMap, ...]:
    """L(X, V) is the upper right block of f([X, V; 0, X]), and linear in V"""
    twice, _, corner = _block_maps(X.shape[0])
    return compose(corner, frechet(function, doubled(X, V)), twice), frechet(function, X)


def _form_shape(X: Expr, function: str | None = None) -> Shape:
    if function is not None:
        _known(function)
    need_square("frechetform", X)
    size = times(*X.shape)
    return (size, size)


def _kronecker_block(X: Expr) -> Expr:
    """[X' (x) I, I; 0, I (x) X]: the upper right block of f of it is the matrix of L_f(X, .) on vec."""
    identity = core.eye(X.shape[0])
    size = times(*X.shape)
    left, right = core.kron(X.T, identity), core.kron(identity, X)
    return block_of([[left, core.eye(size)], [core.zeros(size, size), right]])


def _kronecker_moves(X: Expr) -> tuple[LinearMap, LinearMap]:
    """dX -> the change of the Kronecker block, and dY -> its upper right block."""
    n, size = X.shape[0], times(*X.shape)
    small, large, right = (size, size), (times(2, size), times(2, size)), plus(size, 1)
    identity = core.eye(n)
    first = compose(placing(small, large, 1, 1), kron_left(identity, X.shape), transposition(X.shape))
    second = compose(placing(small, large, right, right), kron_right(identity, X.shape))
    return map_sum(first, second), taking(large, small, 1, right)


@op(
    shape=_form_shape,
    latex=lambda function: Template(rf"K_{{{{\operatorname{{{{{function}}}}}}}}}\left({{0}}\right)"),
    numpy=lambda function: Template(f"_frechet_matrix(_frechet_{function}, {{0}})"),
    domain=lambda X, function: domain_of(function, X),
    source=HIGHAM_KRONECKER,
    example=("n n", "expm"),
    facts=lambda e, X: (X & bits("symmetric", "diagonal", "constant"), 0),
    params=(FUNCTION,),
    definition=lambda X, function: upper_right(node(function, (_kronecker_block(X),)), times(*X.shape)),
    parameters_first=True,
    over=lambda X, *_: X.shape[0],
)
def frechetform(Y: Expr, X: Expr, function: str) -> tuple[LinearMap, ...]:
    """K(X) vec(V) = vec(L(X, V)); it is the upper right block of f([X' (x) I, I; 0, I (x) X])"""
    moves, corner = _kronecker_moves(X)
    return (compose(corner, frechet(function, _kronecker_block(X)), moves),)


# ------------------------------------------------------------------------------------------------ powers


def whole(k: Expr) -> bool:
    """Whether the exponent is a whole number whatever the values are."""
    return k.op == "number" and bool(number_value(k).is_integer)


def power_domain(X: Expr, k: Expr) -> tuple[tuple[str, Expr], ...]:
    """Where X^k is differentiable: anywhere for whole k >= 0, at nonsingular X for whole k < 0, else where principal.

    For an exponent that is a variable the value decides, so nothing follows from its use.
    """
    if k.op != "number" or number_value(k).is_integer is None:
        return ()
    if whole(k):
        return () if number_value(k).is_nonnegative else (("nonsingular", X),)
    return principal(X)


def power_sampling(X: Expr, k: Expr) -> tuple[tuple[str, Expr], ...]:
    """Where random values of X are drawn: at an exponent that is a variable, those with a principal power."""
    return power_domain(X, k) if whole(k) else principal(X)


def need_exponent(k: Expr) -> None:
    """Raise ShapeError unless the exponent is 1 x 1."""
    if not k.is_scalar:
        raise ShapeError(f"the exponent {{}} must be 1 x 1, not {shape_text(k.shape)} (use .^)", k)


def _matpow_shape(X: Expr, k: Expr) -> Shape:
    need_square("^", X)
    need_exponent(k)
    return X.shape


MAX_POWER = 64
POWER_KEEPS = bits("symmetric", "diagonal", "lower", "upper", "orthogonal", "nonsingular", "positive-definite")


def _matpow_facts(e: Expr, X: int, k: int) -> tuple[int, int]:
    exponent = e.args[1].number
    odd = BIT["skew"] if exponent is not None and exponent.is_odd else 0
    return X & (POWER_KEEPS | odd | k & BIT["constant"]), 0


@op(
    shape=_matpow_shape,
    latex=Builtin(),
    numpy=Call("_matpow"),
    domain=power_domain,
    sampling=power_sampling,
    source=HIGHAM,
    example=("n n, 1 1=3",),
    facts=_matpow_facts,
    syntax="form",
)
def matpow(Y: Expr, X: Expr, k: Expr) -> tuple[LinearMap, ...]:
    """d(X^k) = sum over i from 0 to k-1 of X^i dX X^(k-1-i) for whole k > 0; else L(X, dX) + logm(X) X^k dk"""
    if k.op != "number":
        return frechet("matpow", X, k), outer(matmul(logm(X), Y))
    constant = zero((1, 1), X.shape)
    if not number_value(k).is_Integer or abs(number_value(k)) > MAX_POWER:
        return frechet("matpow", X, k), constant
    n = int(number_value(k))
    if n == 0:
        return zero(X.shape, X.shape), constant

    def factor(i: int) -> Expr | None:
        return None if i == 0 else core.matrix_power(X, i) if i != 1 else X

    terms = [sandwich(factor(i), factor(n - 1 - i), X.shape) for i in range(n)]
    if n < 0:  # d(X^-k) = -sum X^-i dX X^-(k+1-i), i = 1..k
        terms = [
            sandwich(minus(core.matrix_power(X, -i)), core.matrix_power(X, n - 1 + i), X.shape) for i in range(1, 1 - n)
        ]
    return map_sum(*terms), constant


def _frechetpow_shape(X: Expr, V: Expr, k: Expr) -> Shape:
    need_square("frechetpow", X)
    need_exponent(k)
    return need_same("frechetpow", X, V)


@op(
    shape=_frechetpow_shape,
    latex=Template(r"L_{{(\cdot)^{{{2}}}}}\left({0}, {1}\right)"),
    numpy=Call("_frechetpow"),
    domain=lambda X, V, k: power_domain(X, k),
    sampling=lambda X, V, k: power_sampling(X, k),
    source=HIGHAM,
    example=("n n, n n, 1 1",),
    facts=no_facts,
    definition=lambda X, V, k: upper_right(matpow(doubled(X, V), k), X.shape[0]),
    real_only=True,
    over=lambda X, *_: X.shape[0],
)
def frechetpow(Y: Expr, X: Expr, V: Expr, k: Expr) -> tuple[LinearMap, ...]:
    """L(X, V, k) is the upper right block of [X, V; 0, X]^k; dL/dk = L_log(X, V) X^k + logm(X) L(X, V, k)"""
    twice, _, corner = _block_maps(X.shape[0])
    by_k = core.add(matmul(frechet_(X, V, "logm"), matpow(X, k)), matmul(logm(X), Y))
    return compose(corner, frechet("matpow", doubled(X, V), k), twice), frechet("matpow", X, k), outer(by_k)


def _powform_shape(X: Expr, k: Expr) -> Shape:
    need_exponent(k)
    return _form_shape(X)


@op(
    shape=_powform_shape,
    latex=Template(r"K_{{(\cdot)^{{{1}}}}}\left({0}\right)"),
    numpy=Call("_frechetpowform"),
    domain=power_domain,
    sampling=power_sampling,
    source=HIGHAM_KRONECKER,
    example=("n n, 1 1",),
    facts=no_facts,
    definition=lambda X, k: upper_right(matpow(_kronecker_block(X), k), times(*X.shape)),
    real_only=True,
    over=lambda X, *_: X.shape[0],
)
def frechetpowform(Y: Expr, X: Expr, k: Expr) -> tuple[LinearMap, ...]:
    """K(X, k) vec(V) = vec(L(X, V, k)), L the Frechet derivative of X^k"""
    moves, corner = _kronecker_moves(X)
    identity = core.eye(X.shape[0])
    by_k = core.add(
        matmul(core.kron(matpow(X, k).T, identity), frechetform(X, "logm")),
        matmul(core.kron(identity, logm(X)), Y),
    )
    return compose(corner, frechet("matpow", _kronecker_block(X), k), moves), outer(by_k)
