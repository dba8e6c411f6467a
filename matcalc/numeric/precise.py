"""Evaluation with 60 digits, for what rounding would decide: values of mpmath in NumPy arrays of objects.

Nothing is rearranged: every operation by its definition, or by its NumPy notation where that only moves, adds or
compares entries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from matcalc import dims
from matcalc.emit.masks import choices_last
from matcalc.errors import MatcalcError, NoRuleError
from matcalc.exact import is_exact
from matcalc.expr import Expr, postorder, record
from matcalc.numeric.binding import Array
from matcalc.numeric.evaluate import compiled
from matcalc.numeric.points import smooth_shift
from matcalc.properties import bits

DIGITS = 60
CERTAIN = 1e-35  # a difference above this part of the largest value on the way is no rounding error
MAX_ENTRIES = 1000  # of a matrix, and
MAX_SIZE = 12  # of one that a function of matrices or a spectrum is taken of: beyond that it takes too long
_REAL = 1e-40  # the largest imaginary part, relative, of what is real
_context = mpmath.mp.clone()
_context.dps = DIGITS

Values = Mapping[str, Array]


class Evaluated:
    """The values of some expressions, and the size of what was computed on the way.

    Attributes:
        values: of the roots, arrays of mpmath numbers.
        largest: the largest absolute value of any subexpression.
    """

    def __init__(self, values: list[Array], largest: Any) -> None:
        self.values, self.largest = values, largest

    @property
    def differ(self) -> bool:
        """Whether the first two values differ by more than rounding explains."""
        first, second = self.values[:2]
        gap = max((abs(x) for x in (first - second).ravel()), default=0)
        return bool(gap > CERTAIN * self.largest)


def evaluate_precisely(roots: list[Expr], values: Values, sizes: Mapping[str, int]) -> Evaluated:
    """The values of some expressions with 60 digits.

    Args:
        roots: expressions in variables that have values.
        values: an array of mpmath numbers for each variable, as `exactly` makes them.
        sizes: of the dimensions.

    Raises:
        NoRuleError: an operation is not known here.
        MatcalcError: there is no finite real value.
    """
    last = choices_last(roots)
    machine = _Machine(values, sizes)
    found = [machine.value(last[root]) for root in roots]
    return Evaluated(found, machine.largest)


def exactly(v: Expr, value: Array) -> Array:
    """The value of a variable with 60 digits; it has the facts of the variable to all of them."""
    X = _mp(value)
    mask = v.params[3]
    if mask & bits("skew"):
        X = (X - X.T) / 2
    elif mask & bits("symmetric", "positive-definite", "positive-semidefinite"):
        X = (X + X.T) / 2
    if mask & bits("orthogonal"):
        return _orthogonal(X)
    if mask & bits("row-stochastic") and mask & bits("column-stochastic", "symmetric"):
        rows, columns = 1 - X.sum(axis=1, keepdims=True), 1 - X.sum(axis=0, keepdims=True)
        return np.asarray(X + (rows + columns - rows.sum() / len(X)) / len(X))
    if mask & bits("row-stochastic", "column-stochastic"):
        return np.asarray(X / X.sum(axis=1 if mask & bits("row-stochastic") else 0, keepdims=True))
    return X


def _orthogonal(X: Array) -> Array:
    """The orthogonal matrix nearest to one that is orthogonal up to rounding: each round doubles the digits."""
    for _ in range(4):
        X = X @ (3 * _eye(len(X)) - X.T @ X) / 2
    return X


def _mp(value: Any) -> Array:
    """An array of mpmath numbers."""
    array = np.asarray(value)
    return _array([_context.mpf(float(x)) for x in array.ravel()], array.shape)


def _array(values: list[Any], shape: tuple[int, ...]) -> Array:
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made.reshape(shape)


def _eye(n: int) -> Array:
    return _mp(np.eye(n))


def _exact(value: Any, sizes: Mapping[str, int]) -> Any:
    """An exact scalar in mpmath's numbers."""
    number = sp.sympify(value)
    number = number.xreplace({s: sp.Integer(sizes[s.name]) for s in number.free_symbols})
    if not number.is_finite or not number.is_real:
        raise MatcalcError(f"{value} is not finite")
    if number.is_Rational:
        return _context.mpf(int(number.p)) / int(number.q)
    return _context.make_mpf(sp.N(number, DIGITS + 5)._to_mpmath(_context.prec + 10)._mpf_)


class _Machine:
    """The values of subexpressions, each computed once."""

    def __init__(self, values: Values, sizes: Mapping[str, int]) -> None:
        self.values, self.sizes = values, sizes
        self.largest: Any = _context.mpf(0)
        self.done: dict[Expr, Array] = {}

    def value(self, root: Expr) -> Array:
        for e in postorder((root,), stop=lambda s: s in self.done):
            shape = dims.evaluate(e.shape[0], self.sizes), dims.evaluate(e.shape[1], self.sizes)
            if shape[0] * shape[1] > MAX_ENTRIES:
                raise NoRuleError(f"{shape[0]} x {shape[1]} entries are too many for {DIGITS} digits")
            array = np.broadcast_to(_numbers(self._raw(e, [self.done[a] for a in e.args], shape), shape), shape)
            self.largest = max(self.largest, *(abs(x) for x in array.ravel()), 0)
            self.done[e] = array
        return self.done[root]

    def _raw(self, e: Expr, args: list[Array], shape: tuple[int, int]) -> Any:
        try:
            if e.op == "variable":
                return self.values[e.params[0]]
            if e.op == "number":
                return _exact(e.params[0], self.sizes)
            if e.op in _BUILT:
                return _BUILT[e.op](args, shape)
            if e.op in _ENTRYWISE:
                return _each(_ENTRYWISE[e.op], args[0])
            if e.op in _MATRIX:
                return _MATRIX[e.op](*args)
            if e.op == "func" and e.params[0].body is None:
                turn = smooth_shift(e.params[0].name) + e.params[0].order * _context.pi / 2
                return _each(lambda x: _context.sin(x + turn), args[0])
            if e.op == "polygamma":
                return _each(lambda x: _context.psi(e.params[0], x), args[0])
            definition = record(e.op).definition
            if definition is not None and e.op != "broadcast":
                return self.value(definition(*e.args, *e.params))
            parameters = [dims.evaluate(p, self.sizes) if is_exact(p) else p for p in e.params]
            return compiled(e.op, len(args), e.params)(*args, *parameters)
        except MatcalcError:
            raise
        except (ValueError, ZeroDivisionError, OverflowError, IndexError) as error:
            raise MatcalcError(f"{e.op} has no value there: {error}") from None
        except (TypeError, AttributeError) as error:  # NumPy computes it for its own numbers only
            raise NoRuleError(f"{e.op} is not known with {DIGITS} digits: {error}") from None


def _numbers(raw: Any, shape: tuple[int, int]) -> Array:
    """What an operation gave, as an array of finite real numbers."""
    array = np.asarray(raw, dtype=object)
    array = array.reshape(shape) if array.size == shape[0] * shape[1] else array
    return _array([_real(x) for x in array.ravel()], array.shape)


def _real(x: Any) -> Any:
    number = _context.mpmathify(x if not isinstance(x, np.generic) else x.item())
    if isinstance(number, _context.mpc):
        if abs(number.imag) > _REAL * (1 + abs(number)):
            raise ValueError("it is not real")
        number = number.real
    if not _context.isfinite(number):
        raise ValueError("it is not finite")
    return number


def _each(function: Callable[[Any], Any], X: Array) -> Array:
    return _array([function(x) for x in X.ravel()], X.shape)


def _power(args: list[Array], shape: tuple[int, int]) -> Array:
    return np.asarray(np.frompyfunc(_context.power, 2, 1)(*args))


_BUILT: dict[str, Callable[[list[Array], tuple[int, int]], Any]] = {
    "named": lambda args, shape: args[0],
    "ones": lambda args, shape: np.full(shape, _context.mpf(1)),
    "zeros": lambda args, shape: np.full(shape, _context.mpf(0)),
    "eye": lambda args, shape: _eye(shape[0]),
    "add": lambda args, shape: reduce(np.add, args),
    "scale": lambda args, shape: reduce(np.multiply, args),
    "hadamard": lambda args, shape: reduce(np.multiply, args),
    "divide": lambda args, shape: np.divide(*args),
    "matmul": lambda args, shape: reduce(np.matmul, args),
    "broadcast": lambda args, shape: np.broadcast_to(args[0], shape),
    "power": _power,
}

_ENTRYWISE: dict[str, Callable[[Any], Any]] = {
    **{name: getattr(_context, name) for name in ("exp", "log", "log1p", "expm1", "sqrt", "sin", "cos", "tan", "tanh")},
    **{name: getattr(_context, name) for name in ("sinh", "cosh", "sign", "erf", "erfc", "digamma")},
    "abs": abs,
    "arcsin": _context.asin,
    "arccos": _context.acos,
    "arctan": _context.atan,
    "arcsinh": _context.asinh,
    "arccosh": _context.acosh,
    "arctanh": _context.atanh,
    "gammaln": lambda x: _context.log(abs(_context.gamma(x))),
    "sigmoid": lambda x: 1 / (1 + _context.exp(-x)),
    "softplus": lambda x: _context.log(1 + _context.exp(x)),
    "relu": lambda x: max(x, _context.mpf(0)),
    "step": lambda x: _context.mpf(1 if x > 0 else 0),
    "normcdf": lambda x: _context.ncdf(x),
}


# ------------------------------------------------------------------------------------------------ matrices


def _eliminated(A: Array, B: Array) -> tuple[Any, Array]:
    """det(A) and A^-1 B, by elimination with the largest pivots; a singular matrix has no inverse."""
    n = len(A)
    work, sign = np.hstack([A, B]), _context.mpf(1)
    for k in range(n):
        p = k + max(range(n - k), key=lambda i: abs(work[k + i, k]))
        if p != k:
            work[[k, p]] = work[[p, k]]
            sign = -sign
        sign = sign * work[k, k]
        if work[k, k] == 0:
            return sign, np.full(B.shape, _context.nan)
        work[k] = work[k] / work[k, k]
        others = [i for i in range(n) if i != k]
        work[others] = work[others] - work[others, k : k + 1] * work[k]
    return sign, work[:, n:]


def _cholesky(A: Array) -> Array:
    S = (A + A.T) / 2
    L = np.full(S.shape, _context.mpf(0))
    for j in range(len(S)):
        L[j, j] = _context.sqrt(_positive(S[j, j] - (L[j, :j] @ L[j, :j] if j else 0)))
        for i in range(j + 1, len(S)):
            L[i, j] = (S[i, j] - (L[i, :j] @ L[j, :j] if j else 0)) / L[j, j]
    return L


def _positive(x: Any) -> Any:
    if not x > 0:
        raise ValueError("it is not positive definite")
    return x


def _matrix(A: Array) -> Any:
    """A matrix of mpmath.

    Raises:
        NoRuleError: it is large.
    """
    if max(A.shape) > MAX_SIZE:
        raise NoRuleError(f"a matrix of {A.shape[0]} x {A.shape[1]} is too large for {DIGITS} digits")
    return _context.matrix(A.tolist())


def _by_mpmath(function: Callable[[Any], Any]) -> Callable[[Array], Array]:
    return lambda A: np.array(function(_matrix(A)).tolist(), dtype=object)


def _is_symmetric(A: Array) -> bool:
    return bool(max(abs(x) for x in (A - A.T).ravel()) <= CERTAIN * max(abs(x) for x in A.ravel()))


def _eigenvalues(A: Array) -> Array:
    """In ascending order, as a column."""
    if _is_symmetric(A):
        return _column(list(_context.eigsy(_matrix((A + A.T) / 2), eigvals_only=True)))
    return _column(sorted(_real(x) for x in _context.eig(_matrix(A), left=False, right=False)))


def _eigenvectors(A: Array) -> Array:
    """Of a symmetric matrix, in the order of the eigenvalues, each with its largest entry positive."""
    if not _is_symmetric(A):
        raise NoRuleError("the eigenvectors of a matrix that is not symmetric are not known here")
    V = np.array(_context.eigsy(_matrix((A + A.T) / 2))[1].tolist(), dtype=object)
    for k in range(len(V)):
        V[:, k] = V[:, k] * _context.sign(max(V[:, k], key=abs))
    return V


def _singular_values(A: Array) -> Array:
    return _column(list(_context.svd_r(_matrix(A), compute_uv=False)))


def _pseudoinverse(A: Array) -> Array:
    U, s, V = (np.array(part.tolist(), dtype=object) for part in _context.svd_r(_matrix(A)))
    known = [x > CERTAIN * s[0, 0] for x in s[:, 0]]
    inverted = np.array([1 / x if one else _context.mpf(0) for x, one in zip(s[:, 0], known)], dtype=object)
    return np.asarray((V.T * inverted) @ U.T)


def _adjugate(A: Array) -> Array:
    n = len(A)
    made = np.empty((n, n), dtype=object)
    for i, j in np.ndindex(n, n):
        minor = np.delete(np.delete(A, i, axis=0), j, axis=1)
        made[j, i] = (-1) ** (i + j) * _eliminated(minor, minor[:, :0])[0]
    return made


def _column(values: list[Any]) -> Array:
    return _array(values, (len(values), 1))


def _matrix_power(A: Array, exponent: Array) -> Array:
    k = exponent.item()
    if k == _context.mpf(int(k)):
        base = A if k >= 0 else _eliminated(A, _eye(len(A)))[1]
        return reduce(np.matmul, [base] * abs(int(k)), _eye(len(A)))
    if 2 * k == int(2 * k):
        root = _by_mpmath(_context.sqrtm)(A)
        return _matrix_power(root, 2 * exponent)
    raise NoRuleError("a power of a matrix that is not whole is not known here")


_MATRIX: dict[str, Callable[..., Any]] = {
    "inv": lambda A: _eliminated(A, _eye(len(A)))[1],
    "solve": lambda A, B: _eliminated(A, B)[1],
    "det": lambda A: _eliminated(A, A[:, :0])[0],
    "logdet": lambda A: _context.log(abs(_eliminated(A, A[:, :0])[0])),
    "chol": _cholesky,
    "eigvals": _eigenvalues,
    "eigvecs": _eigenvectors,
    "eigmax": lambda A: _eigenvalues(A)[-1],
    "eigmin": lambda A: _eigenvalues(A)[0],
    "eigvecmax": lambda A: _eigenvectors(A)[:, -1:],
    "eigvecmin": lambda A: _eigenvectors(A)[:, :1],
    "singvals": _singular_values,
    "normspec": lambda A: _singular_values(A)[0],
    "normnuc": lambda A: sum(_singular_values(A)),
    "pinv": _pseudoinverse,
    "adj": _adjugate,
    "expm": _by_mpmath(_context.expm),
    "logm": _by_mpmath(_context.logm),
    "sqrtm": _by_mpmath(_context.sqrtm),
    "matpow": _matrix_power,
}
