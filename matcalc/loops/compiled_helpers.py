"""Functions that loops compiled by Numba carry along: what Numba lacks of NumPy, and products of small matrices."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np


def _product(a, b):
    """a @ b."""
    m, k, n = a.shape[0], a.shape[1], b.shape[1]
    if m * k * n > 1000:
        if n == 1:
            return np.dot(np.ascontiguousarray(a), np.ascontiguousarray(b).reshape(k)).reshape((m, 1))
        return np.dot(np.ascontiguousarray(a), np.ascontiguousarray(b))
    c = np.zeros((m, n))
    if n == 1:
        for i in range(m):
            total = 0.0
            for l in range(k):
                total += a[i, l] * b[l, 0]
            c[i, 0] = total
        return c
    for i in range(m):
        for l in range(k):
            for j in range(n):
                c[i, j] += a[i, l] * b[l, j]
    return c


def _product_tn(a, b):
    """a.T @ b."""
    k, m, n = a.shape[0], a.shape[1], b.shape[1]
    if m * k * n > 1000:
        if n == 1:
            return np.dot(np.ascontiguousarray(a).T, np.ascontiguousarray(b).reshape(k)).reshape((m, 1))
        return np.dot(np.ascontiguousarray(a).T, np.ascontiguousarray(b))
    c = np.zeros((m, n))
    for l in range(k):
        for i in range(m):
            for j in range(n):
                c[i, j] += a[l, i] * b[l, j]
    return c


def _product_nt(a, b):
    """a @ b.T."""
    m, k, n = a.shape[0], a.shape[1], b.shape[0]
    if m * k * n > 1000:
        return np.dot(np.ascontiguousarray(a), np.ascontiguousarray(b).T)
    c = np.empty((m, n))
    for i in range(m):
        for j in range(n):
            total = 0.0
            for l in range(k):
                total += a[i, l] * b[j, l]
            c[i, j] = total
    return c


def _vdot(a, b):
    """The sum of all products of entries."""
    total = 0.0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            total += a[i, j] * b[i, j]
    return total


def _row_sums(x):
    """The sums of the rows as a column."""
    sums = np.zeros((x.shape[0], 1))
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            sums[i, 0] += x[i, j]
    return sums


def _col_sums(x):
    """The sums of the columns as a row."""
    sums = np.zeros((1, x.shape[1]))
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            sums[0, j] += x[i, j]
    return sums


def _row_dots(a, b):
    """The inner products of the rows of two matrices."""
    dots = np.zeros(a.shape[0])
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            dots[i] += a[i, j] * b[i, j]
    return dots


def _col_dots(a, b):
    """The inner products of the columns of two matrices."""
    dots = np.zeros(a.shape[1])
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            dots[j] += a[i, j] * b[i, j]
    return dots


def _row_max(x):
    """The largest entries of the rows as a column."""
    largest = np.empty((x.shape[0], 1))
    for i in range(x.shape[0]):
        largest[i, 0] = x[i].max()
    return largest


def _sigmoid(x):
    """1/(1 + exp(-x))"""
    return 1 / (1 + np.exp(-x))


def _sigmoid_of_minus(x):
    """1/(1 + exp(x))"""
    return 1 / (1 + np.exp(x))


def _softplus(x):
    """log(1 + exp(x))"""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def _squared_cosh(x):
    """cosh(x)^2"""
    e = np.exp(np.abs(x))
    return (0.5 * (e + 1 / e)) ** 2


def _slice(x, i, j, k, l):
    """Rows i to j and columns k to l, counted from 1."""
    if not (1 <= i <= j + 1 <= x.shape[0] + 1 and 1 <= k <= l + 1 <= x.shape[1] + 1):
        raise IndexError("rows or columns outside of a matrix")
    return x[i - 1 : j, k - 1 : l].copy()


def _place(x, m, n, i, k):
    """An m x n matrix of zeros with x as its block that starts at row i and column k."""
    result = np.zeros((m, n))
    result[i - 1 : i - 1 + x.shape[0], k - 1 : k - 1 + x.shape[1]] = x
    return result


def _log_det(x):
    """log(det(x)): nan where it is not positive."""
    sign, value = np.linalg.slogdet(np.ascontiguousarray(x))
    return value if sign >= 0 else np.nan


def _diagvec(x):
    """The diagonal as a column."""
    return np.diag(x).copy().reshape(-1, 1)


def _logsumexp_of_all(x):
    """log of the sum of exp of all entries."""
    top = x.max()
    if not np.isfinite(top):
        top = 0.0
    return top + np.log(np.exp(x - top).sum())


def _along(x, axis):
    """The largest entries along an axis."""
    if axis == 1:
        return _row_max(x)
    return _row_max(x.T).T.copy()


def _logsumexp_along(x, axis):
    """log of the sums of exp along an axis."""
    top = _along(x, axis)
    top = np.where(np.isfinite(top), top, np.zeros_like(top))
    e = np.exp(x - top)
    return top + np.log(_row_sums(e) if axis == 1 else _col_sums(e))


def _softmax(x, axis):
    """exp over its sum along an axis."""
    e = np.exp(x - _along(x, axis))
    return e / (_row_sums(e) if axis == 1 else _col_sums(e))


def _one_plus_exp(x):
    """1 + exp(x)"""
    return 1 + np.exp(x)


def _norm(x):
    """The Euclidean norm."""
    return np.sqrt(_vdot(x, x))


def _pdist2(x, z):
    """The squared distances of the rows."""
    found = np.zeros((x.shape[0], z.shape[0]))
    for i in range(x.shape[0]):
        for j in range(z.shape[0]):
            for c in range(x.shape[1]):
                found[i, j] += (x[i, c] - z[j, c]) ** 2
    return found


def _cholesky(s):
    """The lower Cholesky factor of a positive definite matrix."""
    return np.linalg.cholesky(np.ascontiguousarray(s))


def _gram_factor(x):
    """The lower l with l l' = x' x and no negative diagonal, by QR factors."""
    n = x.shape[1]
    found = np.linalg.qr(np.ascontiguousarray(x))[1]
    result = np.zeros((n, n))
    least = 0.0
    for i in range(found.shape[0]):
        sign = -1.0 if found[i, i] < 0 else 1.0
        for j in range(i, n):
            result[j, i] = sign * found[i, j]
        least = max(least, result[i, i])
    for i in range(n):
        if result[i, i] <= max(x.shape[0], n) * 2.220446049250313e-16 * least:
            result[i, i] = 0.0
    return result


def _cholesky_solve(l, b):
    """The solution x of l l' x = b."""
    half = np.linalg.solve(np.ascontiguousarray(l), np.ascontiguousarray(b))
    return np.linalg.solve(np.ascontiguousarray(l.T), half)


def _cholesky_inverse(l):
    """The inverse of l l'."""
    half = np.linalg.inv(np.ascontiguousarray(l))
    return _product_tn(half, half)


def _add_diagonal(x, v):
    """x + diag(v), or x + v I for a scalar v."""
    result, added = x.copy(), np.zeros(x.shape) + v
    for i in range(x.shape[0]):
        result[i, i] += added[i, i]
    return result


def _diag(v):
    """The diagonal matrix of a column or a row."""
    n = v.size
    result, entries = np.zeros((n, n)), np.ascontiguousarray(v).reshape(n)
    for i in range(n):
        result[i, i] = entries[i]
    return result


def _trace_of_product(a, b):
    """tr(a @ b)."""
    total = 0.0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            total += a[i, j] * b[j, i]
    return total


def _reciprocal(norm):
    """1 / norm, and 0 where the norm is 0: the gradient of a norm at 0 is taken to be 0."""
    return (norm != 0) / (norm + (norm == 0))
