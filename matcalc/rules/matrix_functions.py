"""Functions of matrices: their Frechet derivatives at matrices that commute, exponentials and powers."""

from __future__ import annotations

from matcalc import core, exact
from matcalc.core import difference, eye, inverse, matmul, number, scale, trace, var, zeros
from matcalc.expr import Expr, record
from matcalc.ops.elementwise import exp, sqrt
from matcalc.ops.linalg import det, logdet
from matcalc.ops.matrix_functions import expm, frechet_, frechetpow, logm, matpow, sqrtm
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import HORN, node_rule, rule

HIGHAM = "Higham, Functions of Matrices (2008), ch. 1 and 3"
FUNCTIONS = ("expm", "logm", "sqrtm")
HALF = number(exact.HALF)
MAX_DEPTH = 20


def power_of(X: Expr, k: Expr) -> Expr:
    """X^k."""
    return matpow(X, k)


def square(name: str = "X", *facts: str) -> Expr:
    """An n x n variable."""
    return var(name, "n", "n", facts)


# ------------------------------------------------------------------------------------------------ transposes


@rule(X="n n", function=("expm", "logm", "sqrtm", "pinv"), loose=True, source=HIGHAM, why="transposes move in")
def transpose_of_matrix_function(X: Expr, function: str) -> tuple[Expr, Expr]:
    """f(X)' = f(X') for expm, logm, sqrtm and the pseudoinverse"""
    f = record(function)
    return f(X).T, f(X.T)


def _turned_power(X: Expr, V: Expr, k: Expr) -> tuple[Expr, Expr]:
    return frechetpow(X, V, k).T, frechetpow(X.T, V.T, k)


@rule(
    X="n n",
    V="n n",
    k="1 1",
    function=FUNCTIONS,
    also=[_turned_power],
    source=HIGHAM,
    why="transposes move in",
)
def transpose_of_frechet(X: Expr, V: Expr, function: str) -> tuple[Expr, Expr]:
    """L(X, V)' = L(X', V') for the Frechet derivative of a matrix function"""
    return frechet_(X, V, function).T, frechet_(X.T, V.T, function)


# ------------------------------------------------------------------------------------------------ what commutes


def generator(e: Expr, depth: int = 0) -> Expr | None:
    """A matrix of which `e` is a function (a polynomial, an inverse, an exponential, ...); None for multiples of I."""
    if e.op == "eye":
        return None
    if depth > MAX_DEPTH:
        return e
    if e.op == "scale":
        return generator(e.args[-1], depth + 1)
    if e.op in ("matpow", "inv", *FUNCTIONS):
        return generator(e.args[0], depth + 1)
    if e.op in ("add", "matmul"):
        found = {g.digest: g for g in (generator(a, depth + 1) for a in e.args) if g is not None}
        squares = all(a.shape == e.shape for a in e.args)
        if squares and len(found) <= 1:
            return next(iter(found.values()), None)
    return e


def commute(A: Expr, B: Expr) -> bool:
    """Whether A and B are functions of one matrix."""
    first, second = generator(A), generator(B)
    return first is None or second is None or first.digest == second.digest


def slope(e: Expr) -> Expr:
    """f'(X) for a Frechet derivative L(X, V) of f."""
    X = e.args[0]
    if e.op == "frechetpow":
        k = e.args[2]
        return scale(k, power_of(X, difference(k, 1)))
    if e.params[0] == "expm":
        return expm(X)
    return inverse(X) if e.params[0] == "logm" else scale(HALF, inverse(sqrtm(X)))


def _at_commuting(op: str) -> tuple[Expr, Expr]:
    X = square()
    V = matmul(X, X)
    if op == "frechet":
        return frechet_(X, V, "expm"), matmul(expm(X), V)
    k = var("k", 1, 1)
    return frechetpow(X, V, k), scale(k, matmul(power_of(X, difference(k, 1)), V))


def _frechet_at_commuting(e: Expr) -> Expr | None:
    X, V = e.args[:2]
    return matmul(slope(e), V) if commute(X, V) else None


@node_rule(op="frechet", source=HIGHAM, example=lambda: _at_commuting("frechet"), why="derivatives are written out")
def frechet_at_commuting(e: Expr, context: Context) -> Expr | None:
    """L(X, V) = f'(X) V for a function V of X"""
    return _frechet_at_commuting(e)


@node_rule(
    op="frechetpow", source=HIGHAM, example=lambda: _at_commuting("frechetpow"), why="derivatives are written out"
)
def frechet_of_power_at_commuting(e: Expr, context: Context) -> Expr | None:
    """L(X, V, k) = k X^(k-1) V for a function V of X"""
    return _frechet_at_commuting(e)


def _of_zero(X: Expr, function: str) -> tuple[Expr, Expr]:
    return frechet_(X, zeros(*X.shape), function), zeros(*X.shape)


@rule(X="n n", V="n n", function=FUNCTIONS, s="s: 1 1", also=[_of_zero], source=HIGHAM, why="scalars move out")
def frechet_of_scaled(X: Expr, V: Expr, function: str, *s: Expr) -> tuple[Expr, Expr]:
    """L(X, s V) = s L(X, V)"""
    return frechet_(X, scale(*s, V), function), scale(*s, frechet_(X, V, function))


def _power_of_zero(X: Expr, k: Expr) -> tuple[Expr, Expr]:
    return frechetpow(X, zeros(*X.shape), k), zeros(*X.shape)


@rule(X="n n", V="n n", k="1 1", s="s: 1 1", also=[_power_of_zero], source=HIGHAM, why="scalars move out")
def frechet_of_power_of_scaled(X: Expr, V: Expr, k: Expr, *s: Expr) -> tuple[Expr, Expr]:
    """L(X, s V, k) = s L(X, V, k)"""
    return frechetpow(X, scale(*s, V), k), scale(*s, frechetpow(X, V, k))


def _trace() -> tuple[Expr, Expr]:
    X, C = square(), square("C")
    return trace(matmul(X, frechet_(X, C, "expm"))), trace(matmul(expm(X), X, C))


@node_rule(op="tr", source=HIGHAM, example=_trace, why="derivatives are written out")
def trace_of_frechet(e: Expr, context: Context) -> Expr | None:
    """tr(B L(X, V)) = tr(f'(X) B V) for a function B of X"""
    inner = e.args[0]
    factors = inner.args if inner.op == "matmul" else (inner,)
    for k, f in enumerate(factors):
        if f.op in ("frechet", "frechetpow"):
            others = (*factors[k + 1 :], *factors[:k])
            if all(commute(f.args[0], b) for b in others):
                return trace(matmul(slope(f), *others, f.args[1]))
    return None


# ------------------------------------------------------------------------------------------------ exponentials


@rule(X="n n", source=HIGHAM, why="determinants become traces")
def det_of_exponential(X: Expr) -> tuple[Expr, Expr]:
    """det(expm(X)) = exp(tr(X))"""
    return det(expm(X)), exp(trace(X))


@rule(X="n n", source=HIGHAM)
def logdet_of_exponential(X: Expr) -> tuple[Expr, Expr]:
    """log|det expm(X)| = tr(X)"""
    return logdet(expm(X)), trace(X)


@rule(X="n n", source=HIGHAM, why="inverses move in")
def inverse_of_exponential(X: Expr) -> tuple[Expr, Expr]:
    """expm(X)^-1 = expm(-X)"""
    return inverse(expm(X)), expm(scale(number(-1), X))


def _exponentials() -> tuple[Expr, Expr]:
    A, s, t = square("A"), var("s", 1, 1), var("t", 1, 1)
    return expm(scale(s, A)) @ expm(scale(t, A)), expm(core.add(scale(s, A), scale(t, A)))


@node_rule(op="matmul", source=HIGHAM, example=_exponentials, having="expm, expm")
def product_of_exponentials(e: Expr, context: Context) -> Expr | None:
    """expm(X) expm(Y) = expm(X + Y) for functions X and Y of one matrix"""
    for k, (a, b) in enumerate(zip(e.args, e.args[1:])):
        if a.op == b.op == "expm" and commute(*a.args, *b.args):
            return matmul(*e.args[:k], expm(core.add(*a.args, *b.args)), *e.args[k + 2 :])
    return None


@rule(X="n n", source=HIGHAM, why="one name for one thing")
def exponential_of_zero(X: Expr) -> tuple[Expr, Expr]:
    """expm(0) = I"""
    return expm(zeros(*X.shape)), eye(X.shape[0])


@rule(X="n n", source=HIGHAM)
def exponential_of_logarithm(X: Expr) -> tuple[Expr, Expr]:
    """expm(logm(X)) = X"""
    return expm(logm(X)), X


@rule(X="n n", source=HIGHAM)
def square_of_root(X: Expr) -> tuple[Expr, Expr]:
    """sqrtm(X)^2 = X"""
    return power_of(sqrtm(X), number(2)), X


@rule(
    X="n n",
    k="number 4",
    drawn={"X": "positive-definite"},
    where=lambda k: bool(k.number.is_even),
    group="expand",
    source=HIGHAM,
)
def even_power_of_root(X: Expr, k: Expr) -> tuple[Expr, Expr]:
    """sqrtm(X)^k = X^(k/2) for even k"""
    return power_of(sqrtm(X), k), power_of(X, k if k.number is None else number(k.number / 2))


@rule(X="n n", facts={"X": "positive-definite"}, group="expand", source=HIGHAM)
def root_of_inverse(X: Expr) -> tuple[Expr, Expr]:
    """sqrtm(X^-1) = sqrtm(X)^-1 for positive definite X"""
    return sqrtm(inverse(X)), inverse(sqrtm(X))


@rule(X="n n", facts={"X": "positive-definite"}, group="expand", source=HIGHAM)
def trace_of_logarithm(X: Expr) -> tuple[Expr, Expr]:
    """tr(logm(X)) = log|det X| for positive definite X"""
    return trace(logm(X)), logdet(X)


@rule(X="n n", facts={"X": "positive-definite"}, group="expand", source=HIGHAM)
def logdet_of_root(X: Expr) -> tuple[Expr, Expr]:
    """log|det sqrtm(X)| = log|det X|/2 for positive definite X"""
    return logdet(sqrtm(X)), scale(HALF, logdet(X))


@rule(X="n n", facts={"X": "positive-definite"}, group="expand", source=HIGHAM)
def det_of_root(X: Expr) -> tuple[Expr, Expr]:
    """det(sqrtm(X)) = sqrt(det(X)) for positive definite X"""
    return det(sqrtm(X)), sqrt(det(X))


def _similar() -> tuple[Expr, Expr]:
    P, A = square("P", "nonsingular"), square("A")
    return expm(matmul(P, A, inverse(P))), matmul(P, expm(A), inverse(P))


@node_rule(op="expm", group="expand", source=HIGHAM, example=_similar, having="matmul")
def exponential_of_similar(e: Expr, context: Context) -> Expr | None:
    """expm(P A P^-1) = P expm(A) P^-1"""
    if e.args[0].op != "matmul":
        return None
    first, *inner, last = e.args[0].args
    orthogonal = last is core.turned(first) and context.known(first, "orthogonal")
    if not inner or not (orthogonal or last is inverse(first) or first is inverse(last)):
        return None
    return matmul(first, expm(matmul(*inner)), last)


@rule(v="n 1", k="number 3", where=lambda k: bool(k.number.is_Integer), group="expand", source=HIGHAM)
def power_of_diagonal(v: Expr, k: Expr) -> tuple[Expr, Expr]:
    """diag(v)^k = diag(v .^ k) for whole k"""
    return power_of(core.diag(v), k), core.diag(core.power(v, k))


@rule(A="m m", B="n n", k="number 2", where=lambda k: bool(k.number.is_Integer), group="expand", source=HORN)
def power_of_kron(A: Expr, B: Expr, k: Expr) -> tuple[Expr, Expr]:
    """(A (x) B)^k = A^k (x) B^k for square A and B and whole k"""
    return power_of(core.kron(A, B), k), core.kron(power_of(A, k), power_of(B, k))


def _of_diagonal(name: str, entry: str, facts: dict[str, str]) -> None:
    def sides(v: Expr) -> tuple[Expr, Expr]:
        return record(name)(core.diag(v)), core.diag(record(entry)(v))

    sides.__name__ = f"{name}_of_diagonal"
    sides.__doc__ = f"{name}(diag(v)) = diag({entry}(v)){' for positive v' if facts else ''}"
    rule(v="n 1", facts=facts, group="expand", source=HIGHAM)(sides)


_of_diagonal("expm", "exp", {})
_of_diagonal("sqrtm", "sqrt", {"v": "positive"})
_of_diagonal("logm", "log", {"v": "positive"})


# ------------------------------------------------------------------------------------------------ powers


def _exponent(e: Expr) -> tuple[Expr, Expr]:
    if e.op == "matpow":
        return e.args[0], e.args[1]
    return (e.args[0], number(-1)) if e.op == "inv" else (e, number(1))


def _powers() -> tuple[Expr, Expr]:
    X, k = square("X", "nonsingular"), var("k", 1, 1)
    return power_of(X, k) @ X, power_of(X, core.plus(k, 1))


@node_rule(op="matmul", source=HIGHAM, example=_powers, having="matpow", why="exponents are gathered")
def product_of_symbolic_powers(e: Expr, context: Context) -> Expr | None:
    """X^j X^k = X^(j+k) for nonsingular X"""
    for k, (a, b) in enumerate(zip(e.args, e.args[1:])):
        (base, i), (other, j) = _exponent(a), _exponent(b)
        if base.digest != other.digest or "matpow" not in (a.op, b.op):
            continue
        if (i.op, j.op) != ("number", "number") and context.known(base, "nonsingular"):
            return matmul(*e.args[:k], power_of(base, core.plus(i, j)), *e.args[k + 2 :])
    return None


@rule(
    X="n n",
    k="1 1",
    facts={"X": "nonsingular"},
    where=lambda k: k.number is None,
    source=HIGHAM,
    why="inverses move in",
)
def inverse_of_symbolic_power(X: Expr, k: Expr) -> tuple[Expr, Expr]:
    """(X^k)^-1 = X^-k for nonsingular X"""
    return inverse(power_of(X, k)), power_of(X, scale(number(-1), k))


@rule(X="n n", k="1 1", source=HIGHAM, why="determinants move in")
def det_of_matrix_power(X: Expr, k: Expr) -> tuple[Expr, Expr]:
    """det(X^k) = det(X)^k"""
    return det(power_of(X, k)), core.power(det(X), k)
