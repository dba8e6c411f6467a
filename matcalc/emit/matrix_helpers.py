"""The runtime functions for eigenvalues, eigenvectors and functions of matrices; like `matcalc.emit.helpers`.

What is not real (eigenvalues, roots, logarithms of a real matrix) is nan. All functions of matrices but
the exponential need SciPy, whose own exponential (1.17) loses up to four digits where the norm is above 2.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np

from matcalc.optional import optional

sla = optional("scipy.linalg")  # whoever calls what needs it asks for SciPy first


# ------------------------------------------------------------------------------------------------ spectra


def _is_symmetric(x):
    """Whether x is symmetric up to rounding."""
    return bool(np.abs(x - x.T).max() <= 8 * len(x) * np.finfo(x.dtype).eps * np.abs(x).max())


def _nans(x):
    """nan in the shape of x."""
    return np.full(x.shape, np.nan, dtype=x.dtype)


def _eig(x):
    """Ascending eigenvalues and their eigenvectors (length 1, largest entry positive); nan where they are complex."""
    if not np.isfinite(x).all():
        return _nans(x)[:, 0], _nans(x)
    if _is_symmetric(x):
        values, vectors = np.linalg.eigh((x + x.T) / 2)
    else:
        values, vectors = np.linalg.eig(x)
    if np.iscomplexobj(values):
        return _nans(x)[:, 0], _nans(x)
    order = np.argsort(values)
    values, vectors = values[order], vectors[:, order]
    top = np.take_along_axis(vectors, np.argmax(np.abs(vectors), axis=0)[None, :], axis=0)
    return values, vectors * np.sign(top)


def _eigvals(x):
    """The eigenvalues in ascending order as a column; nan where they are complex."""
    return _eig(x)[0][:, None]


def _eigvecs(x):
    """The eigenvectors as columns, in the order of the eigenvalues."""
    return _eig(x)[1]


def _extreme(x, sign):
    """The eigenvalue that is largest (sign 1) or smallest (sign -1), and its eigenvector; nan where it is complex."""
    if not np.isfinite(x).all():
        return x.dtype.type(np.nan), _nans(x)[:, :1]
    if _is_symmetric(x):
        values, vectors = np.linalg.eigh((x + x.T) / 2)
    else:
        values, vectors = np.linalg.eig(x)
    k = int(np.argmax(sign * values.real))
    if values[k].imag != 0:
        return x.dtype.type(np.nan), _nans(x)[:, :1]
    vector = vectors[:, k : k + 1].real
    vector = vector / np.linalg.norm(vector)
    return values[k].real, vector * np.sign(vector[np.argmax(np.abs(vector)), 0])


def _eigmax(x):
    """The largest eigenvalue."""
    return _extreme(x, 1)[0]


def _eigmin(x):
    """The smallest eigenvalue."""
    return _extreme(x, -1)[0]


def _eigvecmax(x):
    """The eigenvector of the largest eigenvalue: of length 1, its largest entry positive."""
    return _extreme(x, 1)[1]


def _eigvecmin(x):
    """The eigenvector of the smallest eigenvalue: of length 1, its largest entry positive."""
    return _extreme(x, -1)[1]


def _pinv(x):
    """The pseudoinverse; singular values that are rounding errors count as 0."""
    if not np.isfinite(x).all():
        return _nans(x).T
    return np.linalg.pinv(x, rcond=10 * max(x.shape) * np.finfo(x.dtype).eps)


def _resolvent(x, sign):
    """The pseudoinverse of (t I - x), t the largest (sign 1) or smallest (sign -1) eigenvalue of a symmetric x."""
    values, vectors = np.linalg.eigh((x + x.T) / 2)
    gaps = values[-1 if sign > 0 else 0] - values
    small = np.abs(gaps) <= 10 * len(x) * np.finfo(x.dtype).eps * np.abs(values).max()
    return (vectors * np.where(small, 0, 1 / np.where(small, 1, gaps))) @ vectors.T


def _rank(x, s):
    """The number of singular values that are no rounding errors."""
    return 0 if not s.size else int(np.sum(s > 10 * max(x.shape) * np.finfo(s.dtype).eps * s[0]))


def _polar(x):
    """U V' for x = U diag(s) V', s > 0."""
    if not np.isfinite(x).all():
        return _nans(x)
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    r = _rank(x, s)
    return u[:, :r] @ vt[:r]


def _polar_weights(x):
    """U, V' and the weights of the derivative of U V' at x: U' dX V is weighted, minus its transpose in the corner."""
    u, s, vt = np.linalg.svd(x)
    r = _rank(x, s)
    weights = np.zeros(x.shape, dtype=s.dtype)
    weights[:r], weights[:, :r] = 1 / s[:r, None], 1 / s[:r]
    weights[:r, :r] = 1 / (s[:r, None] + s[:r])
    return u, vt, weights, r


def _dpolar(x, v):
    """The derivative of the polar factor at x in the direction v, along matrices of the rank of x."""
    if not np.isfinite(x).all():
        return _nans(x)
    u, vt, weights, r = _polar_weights(x)
    turned = weights * (u.T @ v @ vt.T)
    turned[:r, :r] -= turned[:r, :r].T.copy()
    return u @ turned @ vt


def _dpolarform(x):
    """The matrix of the derivative of the polar factor on vec."""
    if not np.isfinite(x).all():
        return np.full((x.size, x.size), np.nan, dtype=x.dtype)
    u, vt, weights, r = _polar_weights(x)
    inner = np.diag(weights.ravel(order="F"))
    number = np.arange(x.size).reshape(x.shape, order="F")[:r, :r]
    inner[number, number.T] -= weights[:r, :r]
    both = np.kron(vt.T, u)
    return both @ inner @ both.T


def _chol(x):
    """The lower Cholesky factor of the symmetric part; nan where that is not positive definite."""
    try:
        return np.linalg.cholesky((x + x.T) / 2)
    except np.linalg.LinAlgError:
        return _nans(x)


# ------------------------------------------------------------------------------------------------ functions of matrices


def _real(f, x):
    """The function f of the real matrix x as a real matrix; nan where it is not real."""
    if not np.isfinite(x).all():
        return _nans(x)
    if np.iscomplexobj(x):
        return np.asarray(f(x))
    value = np.asarray(f(x.astype(np.float64, copy=False)))
    if not np.iscomplexobj(value):
        return value.astype(x.dtype, copy=False)
    tolerance = 1e-11 * np.abs(value).max()
    return value.real.astype(x.dtype) if np.abs(value.imag).max() <= tolerance else _nans(x)


def _expm(x):
    """The exponential of a matrix."""
    return _real(_pade_exponential, x)


def _pade_exponential(x):
    """exp(x) as 1 + 2 u / (v - u), the Pade approximation of degree 13 at x / 2^k, squared k times."""
    size = np.abs(x).sum(axis=0).max(initial=0)
    times = max(0, int(np.ceil(np.log2(size / 5.37)))) if 0 < size < np.inf else 0
    c = [1.0]
    for k in range(13):
        c.append(c[-1] * (13 - k) / ((26 - k) * (k + 1)))
    x, unit = x / 2.0**times, np.eye(len(x))
    x2 = x @ x
    x4 = x2 @ x2
    x6 = x2 @ x4
    odd = x @ (x6 @ (c[13] * x6 + c[11] * x4 + c[9] * x2) + c[7] * x6 + c[5] * x4 + c[3] * x2 + c[1] * unit)
    even = x6 @ (c[12] * x6 + c[10] * x4 + c[8] * x2) + c[6] * x6 + c[4] * x4 + c[2] * x2 + c[0] * unit
    with np.errstate(over="ignore", invalid="ignore"):
        result = unit + 2 * np.linalg.solve(even - odd, odd)
        for _ in range(times):
            result = result @ result
    return result


def _logm(x):
    """The principal logarithm; nan where it is not real."""
    return _real(sla.logm, x)


def _sqrtm(x):
    """The principal square root; nan where it is not real."""
    return _real(sla.sqrtm, x)


def _matpow(x, k):
    """x^k: the repeated product (of the inverse) for a whole number k, else the principal power."""
    k = np.asarray(np.real(k)).item()
    if k == np.round(k):
        return np.linalg.matrix_power(x, int(k))
    if not np.isfinite(k):
        return _nans(x)
    return _real(lambda z: sla.fractional_matrix_power(z, k), x)


def _upper_right(f, x, v):
    """The upper right block of f([x, v; 0, x])."""
    n = len(x)
    return f(np.block([[x, v], [np.zeros_like(x), x]]))[:n, n:]


def _frechet_expm(x, v):
    """The derivative of the exponential of a matrix at x in the direction v."""
    return _upper_right(_expm, x, v)


def _frechet_logm(x, v):
    """The derivative of the logarithm of a matrix at x in the direction v."""
    return _upper_right(_logm, x, v)


def _frechet_sqrtm(x, v):
    """The derivative of the square root of a matrix at x in the direction v: y with s y + y s = v, s = sqrtm(x)."""
    root = _sqrtm(x)
    return sla.solve_sylvester(root, root, v) if np.isfinite(root).all() else _nans(x)


def _frechetpow(x, v, k):
    """The derivative of x^k at x in the direction v."""
    return _upper_right(lambda z: _matpow(z, k), x, v)


def _frechet_matrix(derivative, x):
    """The matrix whose columns are the vec of the derivatives in the directions of the n^2 unit matrices."""
    n = len(x)
    units = np.eye(n * n, dtype=x.dtype).reshape(n * n, n, n)
    return np.stack([derivative(x, e.T).ravel(order="F") for e in units], axis=1)


def _frechetpowform(x, k):
    """The matrix of the derivative of x^k on vec."""
    return _frechet_matrix(lambda z, v: _frechetpow(z, v, k), x)
