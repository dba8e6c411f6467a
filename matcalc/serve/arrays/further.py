"""What is used of SciPy: special functions, functions of matrices, matrix equations; mpmath has what Python lacks.

Roots, logarithms and powers of matrices are real ones: where there is none they are nan.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from matcalc.optional import optional
from matcalc.serve.arrays.array import asarray, ndarray
from matcalc.serve.arrays.linalg import LinAlgError, cholesky, inv, norm, solve
from matcalc.serve.arrays.products import kron, matmul
from matcalc.serve.arrays.scalars import COMPLEX, FLOAT
from matcalc.serve.arrays.shaping import block, eye, full_like, iscomplexobj, triu
from matcalc.serve.arrays.ufuncs import given_back

DIGITS = 24
REAL = 1e-13  # the largest imaginary part, relative, of what is real
ROUNDS = 60
NODES = 8
mpmath: Any = optional("mpmath")


@lru_cache(maxsize=1)
def _context() -> Any:
    made = mpmath.mp.clone()
    made.dps = DIGITS
    return made


# ------------------------------------------------------------------------------------------------ special functions


def _special(function: Callable[..., Any], at_pole: float = math.nan) -> Callable[..., Any]:
    def of_entry(x: float) -> float:
        if math.isnan(x):
            return x
        try:
            return float(function(_context(), x))
        except (ValueError, ZeroDivisionError):
            return at_pole
        except OverflowError:
            return math.inf

    def of_array(value: Any) -> Any:
        of = asarray(value)
        return given_back([of_entry(float(x)) for x in of.entries()], of.shape, FLOAT)

    return of_array


def polygamma(order: int, value: Any) -> Any:
    """The derivatives of the digamma function."""
    return _special(lambda mp, x: mp.psi(int(order), x))(value)


def _log_ndtr(mp: Any, x: float) -> Any:
    tail = mp.erfc(abs(x) / mp.sqrt(2)) / 2
    return mp.log(tail) if x < 0 else mp.log1p(-tail)


SPECIAL: dict[str, Any] = {
    "digamma": _special(lambda mp, x: mp.digamma(x)),
    "erf": _special(lambda mp, x: mp.erf(x)),
    "erfc": _special(lambda mp, x: mp.erfc(x)),
    "erfcx": _special(lambda mp, x: mp.exp(mp.mpf(x) ** 2) * mp.erfc(x)),
    "gammaln": _special(lambda mp, x: mp.log(abs(mp.gamma(x))), math.inf),
    "log_ndtr": _special(_log_ndtr),
    "ndtr": _special(lambda mp, x: mp.erfc(-x / mp.sqrt(2)) / 2),
    "polygamma": polygamma,
}


# ------------------------------------------------------------------------------------------------ matrices


def _precise(value: Any) -> Any:
    return _context().matrix(asarray(value).tolist())


def _array(found: Any) -> ndarray:
    """A matrix of mpmath; real where its imaginary part is a rounding error."""
    rows, columns = found.rows, found.cols
    entries = [complex(x) for x in found]
    largest = max(map(abs, entries), default=0.0)
    if all(abs(x.imag) <= REAL * largest for x in entries):
        return ndarray([x.real for x in entries], (rows, columns), FLOAT)
    return ndarray(entries, (rows, columns), COMPLEX)


def sqrtm(value: Any) -> Any:
    """The principal square root, by the iteration of Denman and Beavers."""
    x: Any = asarray(value)
    y: Any = eye(x.shape[0])
    for _ in range(ROUNDS):
        try:
            x, y, last = (x + inv(y)) / 2, (y + inv(x)) / 2, x
        except LinAlgError:
            break
        if not norm(x) < math.inf:
            break
        if norm(x - last) <= 4e-16 * norm(x):
            return x
    root: Any = x
    return root if norm(matmul(root, root) - value) <= 1e-12 * norm(value) else full_like(root, math.nan)


def logm(value: Any) -> Any:
    """The principal logarithm: of a root that is near the identity, by Gauss's quadrature of an integral."""
    x: Any = asarray(value)
    unit: Any = eye(x.shape[0])
    times = 0
    while norm(x - unit) > 0.25:
        x, times = sqrtm(x), times + 1
        if times > ROUNDS or not norm(x) < math.inf:
            return full_like(x, math.nan)
    rest: Any = x - unit
    total: Any = 0.0 * unit
    for node, weight in _quadrature():
        total += solve(unit + node * rest, weight * rest)
    return total * 2.0**times


@lru_cache(maxsize=1)
def _quadrature() -> list[tuple[float, float]]:
    """Nodes and weights on the interval from 0 to 1."""
    mp, nodes = _context(), []
    for root in mp.polyroots(mp.taylor(lambda t: mp.legendre(NODES, t), 0, NODES)[::-1], maxsteps=200, extraprec=80):
        slope = mp.diff(lambda t: mp.legendre(NODES, t), root)
        nodes.append((float((1 + root) / 2), float(1 / ((1 - root**2) * slope**2))))
    return nodes


def fractional_matrix_power(value: Any, exponent: float) -> Any:
    """The principal power."""
    found: Any = logm(value)
    return _exponential(found * exponent)


def _exponential(x: Any) -> Any:
    """By the series of a matrix that is halved until it is small, and then squared as often."""
    if not norm(x) < math.inf:
        return x
    times = max(0, math.ceil(math.log2(4 * norm(x)))) if norm(x) else 0
    small: Any = x / 2.0**times
    made: Any = eye(x.shape[0])
    for k in range(20, 0, -1):
        made = eye(x.shape[0]) + matmul(small, made) / k
    for _ in range(times):
        made = matmul(made, made)
    return made


def schur(value: Any, output: str = "complex") -> tuple[ndarray, ndarray]:
    """The complex Schur form t and the unitary u with a = u t u*."""
    u, t = _context().schur(_precise(asarray(value).astype(complex)))
    return tuple(_array(part).astype(complex) for part in (t, u))  # type: ignore[return-value]


def solve_triangular(first: Any, second: Any, **options: Any) -> ndarray:
    """The x with a x = b."""
    return solve(first, second)


def solve_sylvester(a: Any, b: Any, c: Any) -> ndarray:
    """The x with a x + x b = c, by its equation on vec."""
    a, b, c = map(asarray, (a, b, c))
    m, n = c.shape
    system: Any = kron(eye(n), a) + kron(b.T, eye(m))  # type: ignore[operator]
    x = solve(system, c.reshape(-1, 1, order="F"))
    return x.reshape(m, n, order="F")


def solve_discrete_are(a: Any, b: Any, q: Any, r: Any) -> Any:
    """The stabilising x with x = a' x a - a' x b (r + b' x b)^-1 b' x a + q, by the doubling algorithm."""
    a, g, h = asarray(a), matmul(b, solve(r, asarray(b).T)), asarray(q)
    for _ in range(ROUNDS):
        middle = inv(eye(a.shape[0]) + matmul(g, h))
        step = matmul(a.T, matmul(h, matmul(middle, a)))
        a, g, h = matmul(a, matmul(middle, a)), g + matmul(a, matmul(middle, matmul(g, a.T))), h + step
        if norm(step) <= 1e-15 * norm(h):
            return (h + h.T) / 2
    raise LinAlgError("Failed to find a finite solution.")


def solve_continuous_are(a: Any, b: Any, q: Any, r: Any) -> Any:
    """The stabilising x with a' x + x a - x b r^-1 b' x + q = 0, by the stable invariant subspace."""
    a = asarray(a)
    n = a.shape[0]
    hamiltonian = block([[a, -matmul(b, solve(r, asarray(b).T))], [-asarray(q), -a.T]])  # type: ignore[operator]
    values, vectors = _context().eig(_precise(hamiltonian))
    stable = [k for k in range(2 * n) if values[k].real < 0]
    if len(stable) != n:
        raise LinAlgError("Failed to find a finite solution.")
    upper = _context().matrix([[vectors[i, k] for k in stable] for i in range(n)])
    lower = _context().matrix([[vectors[n + i, k] for k in stable] for i in range(n)])
    found = _array(lower * _context().inverse(upper))
    if iscomplexobj(found):
        raise LinAlgError("Failed to find a finite solution.")
    return (found + found.T) / 2  # type: ignore[operator]


SCIPY_LINALG: dict[str, Any] = {
    function.__name__: function
    for function in (
        *(logm, sqrtm, fractional_matrix_power, schur, solve_triangular),
        *(solve_sylvester, solve_discrete_are, solve_continuous_are),
    )
}


def _potrf(s: Any) -> tuple[Any, int]:
    try:
        return cholesky(s).T, 0
    except LinAlgError:
        return s, 1


LAPACK: dict[str, Any] = {
    "dpotrf": _potrf,
    "dpotrs": lambda u, b: (solve(u, solve(u.T, b)), 0),
    "dpotri": lambda u: (triu(matmul(inv(u), inv(u).T)), 0),
}
