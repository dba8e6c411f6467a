"""Inverses and powers of matrices. Nothing cancels unless the matrix is known to be nonsingular."""

from __future__ import annotations

from matcalc import core
from matcalc.core import diag, inverse, kron, matmul, number, power, scale, var
from matcalc.dims import same
from matcalc.expr import Expr
from matcalc.ops.linalg import solve
from matcalc.ops.matrix_functions import expm, matpow
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import HORN, MATRIX_ALGEBRA, node_rule, rule
from matcalc.rewrite.terms import factors_of

SEARLE = "Searle, Matrix Algebra Useful for Statistics (1982)"


@rule(A="n n", facts={"A": "nonsingular"}, source=MATRIX_ALGEBRA)
def inverse_cancels_left(A: Expr) -> tuple[Expr, Expr]:
    """A^-1 A = I for nonsingular A"""
    return inverse(A) @ A, core.eye(A.shape[0])


@rule(A="n n", facts={"A": "nonsingular"}, source=MATRIX_ALGEBRA)
def inverse_cancels_right(A: Expr) -> tuple[Expr, Expr]:
    """A A^-1 = I for nonsingular A"""
    return A @ inverse(A), core.eye(A.shape[0])


@rule(A="n n", facts={"A": "nonsingular"}, source=MATRIX_ALGEBRA)
def inverse_of_inverse(A: Expr) -> tuple[Expr, Expr]:
    """(A^-1)^-1 = A for nonsingular A"""
    return inverse(inverse(A)), A


@rule(Q="n n", facts={"Q": "orthogonal"}, source=MATRIX_ALGEBRA, why="inverses become transposes")
def inverse_of_orthogonal(Q: Expr) -> tuple[Expr, Expr]:
    """Q^-1 = Q' for orthogonal Q"""
    return inverse(Q), Q.T


@rule(Q="n n", facts={"Q": "orthogonal"}, source=MATRIX_ALGEBRA)
def orthogonal_cancels_left(Q: Expr) -> tuple[Expr, Expr]:
    """Q' Q = I for orthogonal Q"""
    return Q.T @ Q, core.eye(Q.shape[0])


@rule(Q="n n", facts={"Q": "orthogonal"}, source=MATRIX_ALGEBRA)
def orthogonal_cancels_right(Q: Expr) -> tuple[Expr, Expr]:
    """Q Q' = I for orthogonal Q"""
    return Q @ Q.T, core.eye(Q.shape[0])


@rule(F="A: n n, B: n n", facts={"F": "nonsingular"}, source=MATRIX_ALGEBRA, why="inverses move in")
def inverse_of_product(*F: Expr) -> tuple[Expr, Expr]:
    """(A B)^-1 = B^-1 A^-1 for nonsingular A and B"""
    return inverse(matmul(*F)), matmul(*map(inverse, reversed(F)))


def _of_value(a: Expr) -> tuple[Expr, Expr]:
    return inverse(a), core.reciprocal(a)


def _of_identity(A: Expr) -> tuple[Expr, Expr]:
    return inverse(core.eye(A.shape[0])), core.eye(A.shape[0])


@rule(
    A="n n",
    s="s: 1 1",
    a="1 1",
    drawn={"s": "positive"},
    where=lambda A, s: not A.is_scalar,
    also=[_of_value, _of_identity],
    source=MATRIX_ALGEBRA,
    why="scalars move out",
)
def inverse_of_scaled(A: Expr, *s: Expr) -> tuple[Expr, Expr]:
    """(s A)^-1 = s^-1 A^-1"""
    return inverse(scale(*s, A)), scale(*map(core.reciprocal, s), inverse(A))


@rule(v="n 1", source=MATRIX_ALGEBRA, why="inverses move in")
def inverse_of_diagonal(v: Expr) -> tuple[Expr, Expr]:
    """diag(v)^-1 = diag(1 ./ v)"""
    return inverse(diag(v)), diag(power(v, -1))


@rule(A="m m", B="n n", source=HORN, why="inverses move in")
def inverse_of_kron(A: Expr, B: Expr) -> tuple[Expr, Expr]:
    """(A (x) B)^-1 = A^-1 (x) B^-1 for square A and B"""
    return inverse(kron(A, B)), kron(inverse(A), inverse(B))


def _powers() -> tuple[Expr, Expr]:
    A = var("A", "n", "n")
    return matmul(matpow(A, number(2)), matpow(A, number(3))), matpow(A, number(5))


@node_rule(op="matmul", source=MATRIX_ALGEBRA, example=_powers)
def product_of_powers(e: Expr, context: Context) -> Expr | None:
    """A^j A^k = A^(j+k) for whole j, k of one sign"""
    for k, (a, b) in enumerate(zip(e.args, e.args[1:])):
        base, j = _base(a)
        other, i = _base(b)
        if base.digest != other.digest or base.op == "comm" or not same(*base.shape):
            continue
        if (j > 0) == (i > 0) or context.known(base, "nonsingular"):
            joint = core.eye(base.shape[0]) if i + j == 0 else _power(base, i + j)
            return matmul(*e.args[:k], joint, *e.args[k + 2 :])
    return None


def _base(e: Expr) -> tuple[Expr, int]:
    """A and k where `e` is A^k, also as an inverse of a power or a power of an inverse."""
    if e.op == "inv":
        base, k = _base(e.args[0])
        return base, -k
    if e.op == "matpow" and e.args[1].op == "number" and e.args[1].params[0].is_Integer:
        base, k = _base(e.args[0])
        return base, k * int(e.args[1].params[0])
    return e, 1


def _power(base: Expr, k: int) -> Expr:
    return base if k == 1 else inverse(base) if k == -1 else matpow(base, number(k))


@rule(A="n n", B="n p", source=MATRIX_ALGEBRA, why="one name for one thing")
def solve_is_inverse_times(A: Expr, B: Expr) -> tuple[Expr, Expr]:
    """solve(A, B) = A^-1 B"""
    return solve(A, B), inverse(A) @ B


def _cancelled_product() -> tuple[Expr, Expr]:
    A, B = var("A", "n", "n"), var("B", "n", "n")
    return matmul(inverse(A @ B), A, B), core.eye("n")


@node_rule(op="matmul", source=MATRIX_ALGEBRA, example=_cancelled_product, having="inv")
def inverse_of_product_cancels(e: Expr, context: Context) -> Expr | None:
    """(A B)^-1 A B = A B (A B)^-1 = I"""
    for k, f in enumerate(e.args):
        if f.op != "inv" or f.args[0].op != "matmul":
            continue
        word = f.args[0].args
        for start, stop in ((k + 1, k + 1 + len(word)), (k - len(word), k)):
            beside = e.args[max(start, 0) : stop]
            if len(beside) == len(word) and all(a.digest == b.digest for a, b in zip(beside, word)):
                first, last = min(start, k), max(stop, k + 1)
                return matmul(*e.args[:first], core.eye(f.shape[0]), *e.args[last:])
    return None


def _commuting() -> tuple[Expr, Expr]:
    A = var("A", "n", "n")
    pair = (expm(A), A)
    first, second = sorted(pair, key=lambda f: f.digest, reverse=True)
    return matmul(first, second), matmul(second, first)


@node_rule(op="matmul", group="expand", source=MATRIX_ALGEBRA, example=_commuting)
def functions_of_one_matrix_commute(e: Expr, context: Context) -> Expr | None:
    """f(A) g(A) = g(A) f(A): polynomials, exponentials, logarithms, roots, powers and inverses of one matrix"""
    for k, (f, g) in enumerate(zip(e.args, e.args[1:])):
        if f.digest > g.digest and same(*f.shape) and same(*g.shape):
            A = _argument(f)
            if A is not None and A is _argument(g):
                return matmul(*e.args[:k], g, f, *e.args[k + 2 :])
    return None


def _argument(f: Expr) -> Expr | None:
    """A where the factor is a function of A; itself elsewhere; None where it is a function of several matrices."""
    if f.op in ("expm", "logm", "sqrtm", "inv") or (f.op == "matpow" and f.args[1].op == "number"):
        return _argument(f.args[0])
    if f.op == "scale":
        return _argument(f.args[-1])
    if f.op not in ("add", "matmul"):
        return f
    found = {_argument(t) for t in f.args if not _is_unit(t)}
    return found.pop() if len(found) == 1 else None


def _is_unit(t: Expr) -> bool:
    return (t.args[-1] if t.op == "scale" else t).op == "eye"


def _power_of_power() -> tuple[Expr, Expr]:
    A = var("A", "n", "n")
    return matpow(matpow(A, number(2)), number(3)), matpow(A, number(6))


@node_rule(op="matpow", source=MATRIX_ALGEBRA, example=_power_of_power)
def matrix_power_of_power(e: Expr, context: Context) -> Expr | None:
    """(A^j)^k = A^(j k) for whole j and k"""
    base, j = _base(e.args[0])
    k = e.args[1]
    if base is e.args[0] or k.op != "number" or not k.params[0].is_Integer or k.params[0] == 0 or j == 0:
        return None
    return _power(base, j * int(k.params[0]))


def _parallel() -> tuple[Expr, Expr]:
    A, B = var("A", "n", "n", ["nonsingular"]), var("B", "n", "n", ["nonsingular"])
    first, second = sorted((A, B), key=lambda f: f.digest)
    return inverse(core.add(inverse(A), inverse(B))), matmul(first, inverse(core.add(A, B)), second)


@rule(A="n n", B="n n", drawn={"A": "nonsingular", "B": "nonsingular"}, group="expand", source=SEARLE)
def inverse_of_sum_of_inverses(A: Expr, B: Expr) -> tuple[Expr, Expr]:
    """(A^-1 + B^-1)^-1 = A (A + B)^-1 B"""
    first, second = sorted((A, B), key=lambda f: f.digest)
    return inverse(core.add(inverse(A), inverse(B))), matmul(first, inverse(core.add(first, second)), second)


def _parallel_turned() -> tuple[Expr, Expr]:
    left = _parallel()[1]
    return matmul(left.args[2], left.args[1], left.args[0]), left


@node_rule(op="matmul", group="expand", source=SEARLE, example=_parallel_turned, having="inv")
def parallel_sum_commutes(e: Expr, context: Context) -> Expr | None:
    """B (A + B)^-1 A = A (A + B)^-1 B"""
    for k, (a, f, b) in enumerate(zip(e.args, e.args[1:], e.args[2:])):
        if f.op != "inv" or f.args[0].op != "add" or a.digest <= b.digest:
            continue
        terms = sorted(t.digest for t in f.args[0].args)
        if terms == sorted(t.digest for s in (a, b) for t in (s.args if s.op == "add" else (s,))):
            return matmul(*e.args[:k], b, f, a, *e.args[k + 3 :])
    return None


def _merged() -> tuple[Expr, Expr]:
    A, B = var("A", "n", "n"), var("B", "n", "n")
    return inverse(A) @ inverse(B), inverse(B @ A)


@node_rule(op="matmul", group="present", source=MATRIX_ALGEBRA, example=_merged, exact=False, having="inv, inv")
def product_of_inverses(e: Expr, context: Context) -> Expr | None:
    """A^-1 B^-1 = (B A)^-1"""
    for k, (f, g) in enumerate(zip(e.args, e.args[1:])):
        if f.op == "inv" and g.op == "inv":
            word = (*factors_of(g.args[0], "matmul"), *factors_of(f.args[0], "matmul"))
            return matmul(*e.args[:k], inverse(matmul(*word)), *e.args[k + 2 :])
    return None
