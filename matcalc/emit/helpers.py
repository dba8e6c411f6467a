"""The small runtime functions that the catalogue's NumPy notations name.

The evaluator calls them, and generated modules carry the source text of those that they use (and of those that these
use): each stands on NumPy alone, `_gelu` on SciPy. The text goes to users, so it has no annotations.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np

try:
    from scipy import special as special
except ImportError:  # only _gelu needs it, and whoever calls that asks for SciPy first
    special = None


def _sigmoid(x):
    """1 / (1 + exp(-x)), without overflow."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


def _softplus(x):
    """log(1 + exp(x)), without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


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


def _kron_vec(a, b, v):
    """kron(a, b) @ v, without forming the product: vec(b X a') with v = vec(X)."""
    x = v.reshape(b.shape[1], a.shape[1], order="F")
    return (b @ x @ a.T).reshape(-1, 1, order="F")


def _adj(x):
    """The adjugate (also of a singular matrix): det(U V') adj(s) on the singular values."""
    if x.shape[0] == 1:
        return np.ones_like(x)
    u, s, vt = np.linalg.svd(x)
    rest = np.array([np.prod(np.delete(s, k)) for k in range(s.size)], dtype=x.dtype)
    sign = np.linalg.det(u) * np.linalg.det(vt)
    return sign * (vt.T.conj() * rest) @ u.T.conj()


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
    return 1 / norm if norm != 0 else norm


def _log_det(x):
    """log(det(x)), without overflow; nan where the determinant is negative."""
    sign, value = np.linalg.slogdet(x)
    return value if sign >= 0 else value * np.nan


def _prodothers(x, axis=None):
    """The product of all other entries along an axis, also where some are zero."""
    rows = x.reshape(1, -1) if axis is None else x.T if axis == 0 else x
    one = np.ones_like(rows[:, :1])
    before = np.cumprod(np.hstack([one, rows[:, :-1]]), axis=1)
    after = np.cumprod(np.hstack([one, rows[:, :0:-1]]), axis=1)[:, ::-1]
    result = before * after
    return result.reshape(x.shape) if axis is None else result.T if axis == 0 else result


# ------------------------------------------------------------------------------------------------ inputs and results


def _dtype(**inputs):
    """The floating type of the inputs: float64 unless every floating array is narrower."""
    types = []
    for name, value in inputs.items():
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise ValueError(f"{name} must be an array of real numbers, got dtype {array.dtype}")
        if array.dtype.kind == "f" and not isinstance(value, float):
            types.append(array.dtype)
    return np.result_type(*types) if types else np.dtype(np.float64)


def _matrix(name, value, shape, dims, dtype):
    """`value` as an array of this shape (names of dimensions, sizes, or (text, function of dims)); fills in `dims`."""
    array = np.asarray(value, dtype=dtype)
    text = " x ".join(str(d[0] if isinstance(d, tuple) else d) for d in shape)
    if array.ndim == 1 and 1 in shape:
        array = array.reshape(-1, 1) if shape[1] == 1 else array.reshape(1, -1)
    if array.ndim == 0 and shape == (1, 1):
        array = array.reshape(1, 1)
    if array.ndim != 2:
        raise ValueError(f"{name} must be a 2-D array ({text}), got an array of shape {array.shape}")
    for d, size in zip(shape, array.shape):
        needed = dims.setdefault(d, size) if isinstance(d, str) else d[1](dims) if isinstance(d, tuple) else d
        if size != needed:
            known = ", ".join(f"{k} = {v}" for k, v in dims.items() if k in text)
            given = f" with {known}" if known else ""
            raise ValueError(f"{name} has the shape {array.shape[0]} x {array.shape[1]}; needed {text}{given}")
    return array[0, 0] if shape == (1, 1) else array


def _form(value, shape):
    """A derivative in the form of the input that it belongs to: 1-D for a 1-D array, a float for a number."""
    return float(value) if shape == () else np.reshape(value, shape)


def _renamed(inputs, name):
    """The argument `name`, which is no name in Python, or not a free one here; also as `name_`."""
    for key in (name, name + "_"):
        if key in inputs:
            return inputs.pop(key)
    raise TypeError(f"missing the argument {name}: f(**{{{name!r}: ...}})")


def _nothing_left(inputs):
    """Refuse arguments that the function does not have."""
    if inputs:
        raise TypeError(f"unexpected argument {', '.join(inputs)}")


def _given(what, values, names):
    """The arrays of a dict, None where left out; refuses names that are not variables."""
    unknown = [name for name in values if name not in names]
    if unknown:
        raise ValueError(f"{what}: {', '.join(map(str, unknown))} is no variable here; there are: {', '.join(names)}")
    if not values:
        raise ValueError(f"{what} is empty; give one of: {', '.join(names)}")
    return [values.get(name) for name in names]
