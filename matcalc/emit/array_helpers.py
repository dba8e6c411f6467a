"""The runtime functions that generated modules use and the evaluator does not: work in given memory.

Like `matcalc.emit.helpers`: the source text goes to users.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np

from matcalc.optional import optional

lapack = optional("scipy.linalg.lapack")  # NumPy alone will do


def _sigmoid(x, out=None):
    """1 / (1 + exp(-x)), without overflow."""
    out = np.negative(x, out=out)
    inside = out if out.ndim else None
    return np.reciprocal(_one_plus_exp(out, out=inside), out=inside)


def _softplus(x, out=None):
    """log(1 + exp(x)), without overflow."""
    top = np.maximum(x, 0)
    out = np.abs(x, out=out)
    inside = out if out.ndim else None
    out = np.log1p(np.exp(np.negative(out, out=inside), out=inside), out=inside)
    out += top
    return out


def _softmax(x, axis, out=None):
    """exp(x) / sum(exp(x)) along an axis, without overflow."""
    out = np.subtract(x, x.max(axis=axis, keepdims=True) if x.size else 0, out=out)
    np.exp(out, out=out)
    out /= out.sum(axis=axis, keepdims=True)
    return out


def _log_softmax(x, axis, out=None):
    """log(softmax(x)) along an axis, without overflow or underflow."""
    out = np.subtract(x, x.max(axis=axis, keepdims=True) if x.size else 0, out=out)
    out -= np.log(np.exp(out).sum(axis=axis, keepdims=True))
    return out


def _sigmoid_of_minus(x, out=None):
    """1 / (1 + exp(x)), without overflow."""
    out = _one_plus_exp(x, out=out)
    return np.reciprocal(out, out=out if out.ndim else None)


def _one_plus_exp(x, out=None):
    """1 + exp(x), without a warning where that is beyond the largest number."""
    if x.size < 10_000:  # a bound is quicker there than silence
        limit = 709.0 if x.itemsize >= 8 else 88.0 if x.itemsize == 4 else 11.0
        out = np.exp(np.minimum(x, limit, out=out), out=out)
    else:
        with np.errstate(over="ignore"):
            out = np.exp(x, out=out)
    out += 1
    return out


@np.errstate(over="ignore")
def _squared_cosh(x, out=None):
    """cosh(x)^2, without a warning where that is beyond the largest number."""
    out = np.cosh(x, out=out)
    return np.square(out, out=out if out.ndim else None)


def _column_sums(x):
    """The sums of the columns; for large matrices a product is faster than NumPy's sum."""
    if x.size < 10_000:
        return x.sum(axis=0, keepdims=True)
    return np.ones((1, len(x)), dtype=x.dtype) @ x


# ------------------------------------------------------------------------------------------------ structured products


def _weighted_gram(x, d):
    """x' diag(d) x for a column d >= 0: z' z with z = sqrt(d) x is computed as a symmetric product."""
    if x.size < 10_000:
        return (x.T * d.T) @ x
    z = np.sqrt(d) * x
    return z.T @ z


def _kron(a, b):
    """The Kronecker product."""
    (m, n), (p, q) = a.shape, b.shape
    return (a[:, None, :, None] * b[None, :, None, :]).reshape(m * p, n * q)


def _kron_eye(a, n):
    """The Kronecker product of a and the n x n identity."""
    result = np.zeros((a.shape[0], n, a.shape[1], n), dtype=a.dtype)
    np.einsum("pkqk->kpq", result)[...] = a
    return result.reshape(a.shape[0] * n, a.shape[1] * n)


def _eye_kron(n, b):
    """The Kronecker product of the n x n identity and b: b along the diagonal."""
    result = np.zeros((n, b.shape[0], n, b.shape[1]), dtype=b.dtype)
    np.einsum("kpkq->kpq", result)[...] = b
    return result.reshape(n * b.shape[0], n * b.shape[1])


def _kron_times(a, b, m):
    """kron(a, b) @ m without the Kronecker product; None stands for an identity."""
    count = len(m) // max(b.shape[1], 1) if a is None else a.shape[1]
    inner = len(m) // max(count, 1) if b is None else b.shape[1]
    blocks = m.reshape(count, inner, m.shape[1])
    if b is not None:
        blocks = b @ blocks
    if a is not None:
        blocks = (a @ blocks.reshape(count, blocks.shape[1] * m.shape[1])).reshape(len(a), *blocks.shape[1:])
    return blocks.reshape(len(blocks) * blocks.shape[1], m.shape[1])


def _times_kron(m, a, b):
    """m @ kron(a, b) without the Kronecker product; None stands for an identity."""
    return _kron_times(None if a is None else a.T, None if b is None else b.T, m.T).T


# ------------------------------------------------------------------------------------------------ blocks by rows


def _add_to_diagonals(blocks, d, fresh=False):
    """The blocks (one for each row of d, or one for all rows) plus diag(d[t]), or plus d I; in place where `fresh`."""
    shape = blocks.shape if np.ndim(d) == 0 else (len(d), *blocks.shape[-2:])
    result = blocks if fresh and blocks.shape == shape else np.array(np.broadcast_to(blocks, shape))
    np.einsum("...ii->...i", result)[...] += d
    return result


def _blocks_gram(x, blocks, z=None):
    """The sum over t of kron(blocks[t], x[t]' z[t]); without z it is x and the blocks are symmetric."""
    (n, a, b), p = blocks.shape, x.shape[1]
    symmetric, z = z is None, x if z is None else z
    q = z.shape[1]
    result = np.empty((a * p, b * q), dtype=blocks.dtype)
    step = max(1, 2**16 // max(n * q, 1))
    for i in range(a):
        for j in range(i if symmetric else 0, b, step):
            weighted = blocks[:, i, j : j + step, None] * z[:, None, :]
            result[i * p : (i + 1) * p, j * q : (j + step) * q] = x.T @ weighted.reshape(n, weighted.shape[1] * q)
        if symmetric:
            result[(i + 1) * p :, i * p : (i + 1) * p] = result[i * p : (i + 1) * p, (i + 1) * p :].T
    return result


def _diagonal_blocks_gram(x, d, z):
    """The sum over t of kron(diag(d[t]), x[t]' z[t]): the blocks x' diag(d[:, i]) z along the diagonal."""
    result = np.zeros((d.shape[1], x.shape[1], d.shape[1], z.shape[1]), dtype=d.dtype)
    for i in range(d.shape[1]):
        result[i, :, i, :] = x.T @ (d[:, i : i + 1] * z)
    return result.reshape(d.shape[1] * x.shape[1], d.shape[1] * z.shape[1])


def _blocks_times(blocks, z):
    """The blocks (each row's in the places of that row) times kron(I, z)."""
    n, a, b = blocks.shape
    return (blocks.swapaxes(0, 1)[:, :, :, None] * z[:, None, :]).reshape(a * n, b * z.shape[1])


def _spread_blocks(blocks):
    """The matrix that has the t-th block in the places of row t."""
    n, a, b = blocks.shape
    result = np.zeros((a, n, b, n), dtype=blocks.dtype)
    np.einsum("itjt->tij", result)[...] = blocks
    return result.reshape(a * n, b * n)


def _factors_swapped(x, p, q):
    """The matrix with kron(a, b) where x has kron(b, a), a being p x q."""
    m, n = x.shape
    return x.reshape(m // max(p, 1), p, n // max(q, 1), q).transpose(1, 0, 3, 2).reshape(m, n)


# ------------------------------------------------------------------------------------------------ factorisations


def _cholesky(s):
    """The lower Cholesky factor of a positive definite matrix."""
    if lapack is None or s.dtype != np.float64 or not s.size:
        return np.linalg.cholesky(s)
    upper, info = lapack.dpotrf(s.T)
    if info:
        raise np.linalg.LinAlgError("Matrix is not positive definite")
    return upper.T


def _gram_factor(x):
    """The lower l with l l' = x' x and no negative diagonal, by QR factors: x' x has the square of x's condition."""
    n = x.shape[1]
    r = np.eye(n, min(x.shape), dtype=x.dtype) @ np.linalg.qr(x, mode="r")
    pivots = np.diagonal(r)
    lost = np.abs(pivots) <= max(x.shape) * np.finfo(x.dtype).eps * np.max(np.abs(pivots), initial=0)
    r[lost, lost] = 0  # x has dependent columns as far as its digits tell
    return (r * np.copysign(1, pivots)[:, None]).T


def _cholesky_solve(l, b):
    """The solution x of l l' x = b for a Cholesky factor l."""
    if lapack is None or l.dtype != np.float64 or b.dtype != np.float64 or not b.size:
        return np.linalg.solve(l.T, np.linalg.solve(l, b))
    if not np.diagonal(l).all():
        raise np.linalg.LinAlgError("Singular matrix")
    return lapack.dpotrs(l.T, b)[0]


def _cholesky_inverse(l):
    """The inverse of l l' for a Cholesky factor l."""
    if lapack is None or l.dtype != np.float64 or not l.size:
        half = np.linalg.inv(l)
        return half.T @ half
    upper, info = lapack.dpotri(l.T)
    if info:
        raise np.linalg.LinAlgError("Singular matrix")
    result = upper + upper.T
    result.flat[:: len(result) + 1] /= 2
    return result
