"""The runtime functions of generated modules for other array libraries, which are their first argument.

They use what the array API standard, JAX and PyTorch have in common. The text goes to users, so it has no annotations.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations


def _largest(xp, x, axis):
    """The largest entries along an axis, which is kept."""
    return xp.amax(x, axis, keepdims=True) if hasattr(xp, "amax") else xp.max(x, axis=axis, keepdims=True)


def _sigmoid(xp, x):
    """1 / (1 + exp(-x)), without overflow."""
    small = xp.exp(-xp.abs(x))
    return xp.where(x >= 0, 1 / (1 + small), small / (1 + small))


def _softplus(xp, x):
    """log(1 + exp(x)), without overflow."""
    return (x + xp.abs(x)) / 2 + xp.log1p(xp.exp(-xp.abs(x)))


def _softmax(xp, x, axis):
    """exp(x) / sum(exp(x)) along an axis, without overflow."""
    e = xp.exp(x - _largest(xp, x, axis))
    return e / xp.sum(e, axis=axis, keepdims=True)


def _log_softmax(xp, x, axis):
    """log(softmax(x)) along an axis, without overflow or underflow."""
    shifted = x - _largest(xp, x, axis)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))


def _standardize(xp, x, axis, ddof, eps):
    """(x - mean) / sqrt(var + eps) along an axis."""
    centred = x - xp.mean(x, axis=axis, keepdims=True)
    variance = xp.sum(centred * centred, axis=axis, keepdims=True) / (x.shape[axis] - ddof)
    return centred / xp.sqrt(variance + eps)


def _weighted_gram(xp, x, d):
    """x' diag(d) x."""
    return (x * d).T @ x


def _kron(xp, a, b):
    """The Kronecker product."""
    (m, n), (p, q) = a.shape, b.shape
    return xp.reshape(a[:, None, :, None] * b[None, :, None, :], (m * p, n * q))


def _kron_eye(xp, a, n):
    """The Kronecker product of a and the n x n identity."""
    return _kron(xp, a, xp.eye(n, dtype=a.dtype))


def _eye_kron(xp, n, b):
    """The Kronecker product of the n x n identity and b."""
    return _kron(xp, xp.eye(n, dtype=b.dtype), b)


def _cholesky_solve(xp, l, b):
    """The solution x of l l' x = b for a Cholesky factor l."""
    return xp.linalg.solve(l.T, xp.linalg.solve(l, b))


def _cholesky_inverse(xp, l):
    """The inverse of l l' for a Cholesky factor l."""
    half = xp.linalg.inv(l)
    return half.T @ half


def _fitting(name, value, shape):
    """`value`, if it has this shape."""
    if tuple(value.shape) != shape:
        raise ValueError(f"{name} has the shape {tuple(value.shape)}; needed {shape}")
    return value
