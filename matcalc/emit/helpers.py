"""The small runtime functions that the catalogue's NumPy notations name.

The evaluator calls them, and generated modules carry the source text of those that they use (and of those that these
use): each stands on NumPy alone, `_gelu` on SciPy. The text goes to users, so it has no annotations.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np

from matcalc.emit.equation_helpers import _care, _dare, _dlyapunov, _lyapunov, _riccati, _sylvester
from matcalc.emit.matrix_helpers import (
    _chol,
    _dpolar,
    _dpolarform,
    _eig,
    _eigmax,
    _eigmin,
    _eigvals,
    _eigvecmax,
    _eigvecmin,
    _eigvecs,
    _expm,
    _extreme,
    _frechet_expm,
    _frechet_logm,
    _frechet_matrix,
    _frechet_sqrtm,
    _frechetpow,
    _frechetpowform,
    _is_symmetric,
    _logm,
    _matpow,
    _nans,
    _pade_exponential,
    _pinv,
    _polar,
    _polar_weights,
    _rank,
    _real,
    _resolvent,
    _sqrtm,
    _upper_right,
)
from matcalc.emit.polynomial_helpers import (
    _adj,
    _dadj,
    _dadjform,
    _dprodothers,
    _prodothers,
    _prodothersform,
    _running,
)
from matcalc.optional import optional

# Only _gelu and the special functions need it, and whoever calls them asks for SciPy first.
special = optional("scipy.special")

# What the notations may name beside the functions below.
POLYNOMIALS = (_adj, _dadj, _dadjform, _prodothers, _dprodothers, _prodothersform, _running)
EQUATIONS = (_care, _dare, _dlyapunov, _lyapunov, _riccati, _sylvester)
MATRIX_FUNCTIONS = (
    *(_chol, _eig, _eigmax, _eigmin, _eigvals, _eigvecmax, _eigvecmin, _eigvecs, _extreme, _is_symmetric, _polar),
    *(_pinv, _resolvent, _rank, _polar_weights, _dpolar, _dpolarform),
    *(_expm, _pade_exponential, _logm, _sqrtm, _matpow, _real, _nans, _upper_right),
    *(_frechet_expm, _frechet_logm, _frechet_sqrtm),
    *(_frechetpow, _frechetpowform, _frechet_matrix),
)


def _sigmoid(x):
    """1 / (1 + exp(-x)), without overflow."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


def _softplus(x):
    """log(1 + exp(x)), without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _log1mexp(x):
    """log(1 - exp(-x)) for positive x, without cancellation near 0 and where exp(-x) is small."""
    with np.errstate(divide="ignore"):
        return np.where(x < 0.6931471805599453, np.log(-np.expm1(-x)), np.log1p(-np.exp(-x)))[()]


def _mean_excess(x, ratio):
    """x + ratio, where ratio is phi(x)/Phi(x) of the normal distribution: for x < -5 by its continued fraction."""
    far = x < -5
    if not np.any(far):
        return x + ratio
    t, tail = np.maximum(-x, 5.0), 0.0
    for k in range(30, 0, -1):
        tail = k / (t + tail)
    return np.where(far, tail, x + ratio)[()]


def _gelu(x):
    """x times the standard normal distribution function."""
    return x * special.ndtr(x)


def _softmax(x, axis):
    """exp(x) / sum(exp(x)) along an axis, without overflow."""
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def _logsumexp(x, axis=None):
    """log(sum(exp(x))) along an axis, without overflow."""
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, np.zeros_like(top))
    with np.errstate(divide="ignore", over="ignore"):
        result = top + np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True))
    return result.reshape(())[()] if axis is None else result


def _log_softmax(x, axis):
    """log(softmax(x)) along an axis, without overflow or underflow."""
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def _standardize(x, axis, ddof, eps):
    """(x - mean) / sqrt(var + eps) along an axis."""
    centred = x - np.mean(x, axis=axis, keepdims=True)
    return centred / np.sqrt(np.var(x, axis=axis, ddof=ddof, keepdims=True) + eps)


def _vec(x):
    """The columns stacked."""
    return x.reshape(-1, 1, order="F")


def _reshape(x, m, n):
    """The same entries, column-major, as m x n."""
    return x.reshape(m, n, order="F")


def _diag(v):
    """The diagonal matrix with the entries of a vector."""
    return np.diag(np.ravel(v))


def _diagvec(x):
    """The diagonal as a column."""
    return np.diagonal(x).reshape(-1, 1)


def _add_diagonal(x, v):
    """x + diag(v), or x + v I for a scalar v, in new memory."""
    result = np.array(x, dtype=np.result_type(x, v))
    np.einsum("ii->i", result)[...] += np.ravel(v)
    return result


def _comm(m, n):
    """The commutation matrix: vec(X') = _comm(m, n) @ vec(X) for X m x n."""
    return np.eye(m * n)[np.arange(m * n).reshape(m, n, order="F").ravel()]


def _blocks(g, p, q):
    """The p x q blocks of g as an array with axes (block row, row, block column, column)."""
    return g.reshape(g.shape[0] // p, p, g.shape[1] // q, q)


def _blockinner(g, b):
    """The inner products of the blocks of g with b: the adjoint of x -> kron(x, b)."""
    return np.einsum("ipjq,pq->ij", _blocks(g, *b.shape), b)


def _blocksum(a, g):
    """The sum of the blocks of g weighted by a: the adjoint of x -> kron(a, x)."""
    m, n = a.shape
    return np.einsum("ipjq,ij->pq", _blocks(g, g.shape[0] // m, g.shape[1] // n), a)


def _reciprocal(norm):
    """1 / norm, and 0 where the norm is 0: the gradient of a norm at 0 is taken to be 0."""
    if np.ndim(norm):
        return np.divide(1, norm, out=np.zeros_like(norm), where=norm != 0)
    return 1 / norm if norm != 0 else norm


def _log_det(x):
    """log(det(x)), without overflow; nan where the determinant is negative."""
    sign, value = np.linalg.slogdet(x)
    return value if sign >= 0 else value * np.nan


# ------------------------------------------------------------------------------------------------ blocks and triangles


def _slice(x, i, j, k, l):
    """Rows i to j and columns k to l, counted from 1."""
    if not (1 <= i <= j + 1 <= x.shape[0] + 1 and 1 <= k <= l + 1 <= x.shape[1] + 1):
        raise IndexError(f"rows {i} to {j}, columns {k} to {l} of a {x.shape[0]} x {x.shape[1]} matrix")
    return x[i - 1 : j, k - 1 : l].copy()


def _place(x, m, n, i, k):
    """An m x n matrix of zeros with x as its block that starts at row i and column k."""
    if not (1 <= i <= m - x.shape[0] + 1 and 1 <= k <= n - x.shape[1] + 1):
        raise IndexError(f"a {x.shape[0]} x {x.shape[1]} block does not fit into {m} x {n} from ({i}, {k}) on")
    result = np.zeros((m, n), dtype=x.dtype)
    result[i - 1 : i - 1 + x.shape[0], k - 1 : k - 1 + x.shape[1]] = x
    return result


def _vech(x):
    """The columns of the lower triangle, stacked."""
    return x.T[np.triu_indices(x.shape[0])].reshape(-1, 1)


def _unvech(v, n):
    """The lower triangular matrix whose vech is v."""
    result = np.zeros((n, n), dtype=v.dtype)
    result.T[np.triu_indices(n)] = np.ravel(v)
    return result


def _toep(n):
    """The basis of the n x n Toeplitz matrices: vec(T) = _toep(n) @ its diagonals, from the lower left corner up."""
    i, j = np.divmod(np.arange(n * n), n)[::-1]
    return np.eye(2 * n - 1)[j - i + n - 1]


def _symtoep(n):
    """The basis of the symmetric n x n Toeplitz matrices: vec(T) = _symtoep(n) @ the first row of T."""
    i, j = np.divmod(np.arange(n * n), n)
    return np.eye(n)[np.abs(i - j)]


def _skewdup(n):
    """The basis of the skew n x n matrices: vec(S) = _skewdup(n) @ the columns below its diagonal, stacked."""
    column, row = np.triu_indices(n, 1)
    result = np.zeros((n * n, row.size))
    result[row + n * column, np.arange(row.size)] = 1
    result[column + n * row, np.arange(row.size)] = -1
    return result


def _diagsums(g):
    """Entry i, j: the sum of g along the diagonal of i, j."""
    n = g.shape[0]
    offset = np.arange(n)[None, :] - np.arange(n)[:, None] + n - 1
    sums = np.zeros(2 * n - 1, dtype=g.dtype)
    np.add.at(sums, offset, g)
    return sums[offset]


def _dup(n):
    """The duplication matrix: vec(S) = _dup(n) @ vech(S) for symmetric S."""
    number = _unvech(np.arange(1, n * (n + 1) // 2 + 1), n)
    number = number + np.tril(number, -1).T
    return np.eye(n * (n + 1) // 2)[number.ravel(order="F") - 1]


def _elim(n):
    """The elimination matrix: vech(X) = _elim(n) @ vec(X)."""
    return np.eye(n * n)[_vech(np.arange(n * n).reshape(n, n, order="F"))[:, 0]]


def _convmat(w, m):
    """The Toeplitz matrix T with T @ x = np.convolve(x, w) for x of length m."""
    padded = np.vstack([w, np.zeros((m, 1), dtype=w.dtype)])
    return np.tile(padded, (m, 1))[: (len(w) + m - 1) * m].reshape(-1, m, order="F")


def _pdist2(x, z):
    """The squared distances of the rows of x from those of z; where they nearly coincide, from their differences."""
    centre = np.sum(x, axis=0) / max(len(x), 1)
    a, b = x - centre, z - centre
    sizes = np.sum(a**2, axis=1)[:, None] + np.sum(b**2, axis=1)
    result = sizes - 2 * a @ b.T
    if not np.isrealobj(result):
        return result
    near = result < sizes / 8
    if x is z:
        np.einsum("ii->i", result)[...] = 0
        np.einsum("ii->i", near)[...] = False
    for k in np.flatnonzero(near.any(axis=1)):
        result[k, near[k]] = np.sum((x[k] - z[near[k]]) ** 2, axis=1)
    return result


def _huber(x, delta):
    """x^2/2 up to delta, linear beyond."""
    size = np.abs(x)
    return np.where(size > delta, delta * (size - delta / 2), x**2 / 2)[()]


def _leakyrelu(x, slope):
    """x where it is positive, slope x elsewhere."""
    return np.where(x > 0, x, slope * x)[()]


def _elu(x, alpha):
    """x where it is positive, alpha (exp(x) - 1) elsewhere."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))[()]


def _selu(x):
    """The scaled exponential linear unit."""
    return 1.0507009873554805 * _elu(x, 1.6732632423543772)
