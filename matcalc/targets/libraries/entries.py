"""The runtime functions of generated modules for other array libraries, which are their first argument.

They use what the array API standard, JAX and PyTorch have in common. The text goes to users, so it has no annotations.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations


def _is_floating(xp, x):
    """Whether an array has a floating type."""
    if hasattr(xp, "is_floating_point"):
        return xp.is_floating_point(x)
    return xp.isdtype(x.dtype, "real floating") if hasattr(xp, "isdtype") else x.dtype.kind == "f"


def _cast(xp, x, dtype):
    """An array in a type."""
    if x.dtype == dtype:
        return x
    if hasattr(xp, "is_floating_point"):
        return x.to(dtype)
    return x.astype(dtype) if hasattr(x, "astype") else xp.astype(x, dtype)


def _floating(xp, default, *arrays):
    """The type of the first array of floating type, else the default one; the arrays, whole numbers in that type."""
    dtype = next((x.dtype for x in arrays if _is_floating(xp, x)), default)
    return dtype, *(x if _is_floating(xp, x) else _cast(xp, x, dtype) for x in arrays)


def _slice(xp, x, i, j, k, l):
    """Rows i to j and columns k to l, counted from 1."""
    if not (1 <= i <= j + 1 <= x.shape[0] + 1 and 1 <= k <= l + 1 <= x.shape[1] + 1):
        raise IndexError(f"rows {i} to {j}, columns {k} to {l} of a {x.shape[0]} x {x.shape[1]} matrix")
    return x[i - 1 : j, k - 1 : l]


def _joined(xp, parts, axis):
    """Arrays one after another along an axis."""
    return (xp.concat if hasattr(xp, "concat") else xp.concatenate)(parts, axis=axis)


def _block(xp, rows):
    """The matrix of rows of blocks."""
    return _joined(xp, [_joined(xp, row, 1) for row in rows], 0)


def _place(xp, x, m, n, i, k):
    """An m x n matrix of zeros with x as its block that starts at row i and column k."""
    p, q = x.shape
    if not (1 <= i <= m - p + 1 and 1 <= k <= n - q + 1):
        raise IndexError(f"a {p} x {q} block does not fit into {m} x {n} from ({i}, {k}) on")

    def zeros(rows, columns):
        return xp.zeros((rows, columns), dtype=x.dtype)

    row = _joined(xp, [zeros(p, k - 1), x, zeros(p, n - q - k + 1)], 1)
    return _joined(xp, [zeros(i - 1, n), row, zeros(m - p - i + 1, n)], 0)


def _largest(xp, x, axis):
    """The largest entries along an axis, which is kept."""
    return xp.amax(x, axis, keepdims=True) if hasattr(xp, "amax") else xp.max(x, axis=axis, keepdims=True)


def _dot(xp, a, b):
    """The sum of the products of the entries of two matrices of one shape, or of a row and a column."""
    return xp.sum(a * (b if a.shape == b.shape else b.T))


def _sigmoid(xp, x):
    """1 / (1 + exp(-x)), without overflow."""
    small = xp.exp(xp.where(x >= 0, -x, x))  # not of -abs(x), which has no derivative at 0
    return xp.where(x >= 0, 1 / (1 + small), small / (1 + small))


def _softplus(xp, x):
    """log(1 + exp(x)), without overflow."""
    return xp.where(x >= 0, x, xp.zeros_like(x)) + xp.log1p(xp.exp(xp.where(x >= 0, -x, x)))


def _squared_cosh(xp, x):
    """cosh(x)^2"""
    return xp.cosh(x) ** 2


def _log1mexp(xp, x):
    """log(1 - exp(-x)) for positive x, without cancellation near 0 and where exp(-x) is small."""
    near, one = x < 0.6931471805599453, xp.ones_like(x)
    return xp.where(near, xp.log(-xp.expm1(-xp.where(near, x, one))), xp.log1p(-xp.exp(-xp.where(near, one, x))))


def _mean_excess(xp, x, ratio):
    """x + ratio, where ratio is phi(x)/Phi(x) of the normal distribution: for x < -5 by its continued fraction."""
    far, tail = x < -5, 0.0
    t = xp.where(far, -x, xp.ones_like(x) * 5)
    for k in range(30, 0, -1):
        tail = k / (t + tail)
    return xp.where(far, tail, x + ratio)


def _softmax(xp, x, axis):
    """exp(x) / sum(exp(x)) along an axis, without overflow."""
    e = xp.exp(x - _largest(xp, x, axis))
    return e / xp.sum(e, axis=axis, keepdims=True)


def _log_softmax(xp, x, axis):
    """log(softmax(x)) along an axis, without overflow or underflow."""
    shifted = x - _largest(xp, x, axis)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))


def _standardize(xp, x, axis, ddof, eps):
    """(x - mean) / sqrt(var + eps) along an axis, over all entries without one."""
    centred = x - xp.mean(x, axis=axis, keepdims=True)
    count = x.shape[0] * x.shape[1] if axis is None else x.shape[axis]
    variance = xp.sum(centred * centred, axis=axis, keepdims=True) / (count - ddof)
    return centred / xp.sqrt(variance + eps)


def _weighted_gram(xp, x, d):
    """x' diag(d) x."""
    return (x * d).T @ x


def _comm(xp, m, n):
    """The commutation matrix: vec(X') = _comm(m, n) @ vec(X) for X m x n."""
    entries = xp.arange(0.0, m * n)
    column = xp.floor(entries / n)
    distance = xp.abs(column[:, None] + (entries - n * column)[:, None] * m - entries[None, :])
    return xp.where(distance == 0, xp.ones_like(distance), xp.zeros_like(distance))


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


def _kron_times(xp, a, b, m):
    """kron(a, b) @ m without the Kronecker product; None stands for an identity."""
    rows, columns = m.shape
    inner = rows // a.shape[1] if b is None else b.shape[1]
    blocks = xp.reshape(m, (rows // inner, inner, columns))
    if b is not None:
        blocks = b @ blocks
    if a is not None:
        flat = a @ xp.reshape(blocks, (blocks.shape[0], blocks.shape[1] * columns))
        blocks = xp.reshape(flat, (a.shape[0], blocks.shape[1], columns))
    return xp.reshape(blocks, (blocks.shape[0] * blocks.shape[1], columns))


def _times_kron(xp, m, a, b):
    """m @ kron(a, b) without the Kronecker product; None stands for an identity."""
    return _kron_times(xp, None if a is None else a.T, None if b is None else b.T, m.T).T


def _gram_factor(xp, x):
    """The lower l with l l' = x' x and no negative diagonal, by QR factors: x' x has the square of x's condition."""
    n, least = x.shape[1], min(x.shape)
    r = xp.eye(n, dtype=x.dtype)[:, :least] @ xp.linalg.qr(x)[1]
    eye = xp.eye(n, dtype=x.dtype)
    on_diagonal = xp.sum(r * eye, axis=1, keepdims=True)
    size = xp.abs(on_diagonal)
    lost = size <= max(x.shape) * xp.finfo(x.dtype).eps * xp.max(size)
    return xp.where(lost & (eye > 0), 0 * r, xp.where(on_diagonal < 0, -r, r)).T


def _cholesky_solve(xp, l, b):
    """The solution x of l l' x = b for a Cholesky factor l."""
    return xp.linalg.solve(l.T, xp.linalg.solve(l, b))


def _cholesky_inverse(xp, l):
    """The inverse of l l' for a Cholesky factor l."""
    half = xp.linalg.inv(l)
    return half.T @ half


def _logsumexp(xp, x, axis=None):
    """log(sum(exp(x))) along an axis, without overflow."""
    top = xp.max(x) if axis is None else _largest(xp, x, axis)
    top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    parts = xp.exp(x - top)
    return top + xp.log(xp.sum(parts) if axis is None else xp.sum(parts, axis=axis, keepdims=True))


def _reciprocal(xp, norm):
    """1 / norm, and 0 where the norm is 0: the gradient of a norm at 0 is taken to be 0."""
    zero = xp.zeros_like(norm)
    return xp.where(norm != 0, 1 / xp.where(norm != 0, norm, zero + 1), zero)


def _log_det(xp, x):
    """log(det(x)), without overflow; nan where the determinant is negative."""
    sign, value = xp.linalg.slogdet(x)
    return value + xp.log(sign)


def _vec(xp, x):
    """The columns stacked."""
    return xp.reshape(x.T, (-1, 1))


def _reshape(xp, x, m, n):
    """The same entries, column-major, as m x n."""
    return xp.reshape(xp.reshape(x.T, (-1,)), (n, m)).T


def _diag(xp, v):
    """The diagonal matrix with the entries of a vector."""
    flat = xp.reshape(v, (1, -1))
    return xp.eye(flat.shape[1], dtype=v.dtype) * flat


def _diagvec(xp, x):
    """The diagonal as a column."""
    n = x.shape[0]
    return xp.sum(x * xp.eye(n, dtype=x.dtype), axis=1, keepdims=True)


def _add_diagonal(xp, x, v):
    """x + diag(v), or x + v I for a scalar v."""
    weights = v if not hasattr(v, "shape") or v.shape == () else xp.reshape(v, (1, -1))
    return x + weights * xp.eye(x.shape[0], dtype=x.dtype)


def _permuted(xp, x, axes):
    """The axes in another order."""
    name = next(name for name in ("permute_dims", "permute", "transpose") if hasattr(xp, name))
    return getattr(xp, name)(x, axes)


def _add_to_diagonals(xp, blocks, d, fresh=False):
    """The blocks (one for each row of d, or one for all rows) plus diag(d[t]), or plus d I for a number d."""
    unit = xp.eye(blocks.shape[-1], dtype=blocks.dtype)
    return blocks + (d[:, :, None] * unit if len(getattr(d, "shape", ())) > 1 else d * unit)


def _blocks_gram(xp, x, blocks, z=None):
    """The sum over t of kron(blocks[t], x[t]' z[t]); without z it is x."""
    z = x if z is None else z
    (n, a, b), p, q = blocks.shape, x.shape[1], z.shape[1]
    pairs = xp.reshape(x[:, :, None] * z[:, None, :], (n, p * q))
    result = xp.reshape(pairs.T @ xp.reshape(blocks, (n, a * b)), (p, q, a, b))
    return xp.reshape(_permuted(xp, result, (2, 0, 3, 1)), (a * p, b * q))


def _diagonal_blocks_gram(xp, x, d, z):
    """The sum over t of kron(diag(d[t]), x[t]' z[t])."""
    unit = xp.eye(d.shape[1], dtype=d.dtype)
    return _blocks_gram(xp, x, d[:, :, None] * unit, z)


def _huber(xp, x, delta):
    """x^2/2 up to delta, linear beyond."""
    size = xp.abs(x)
    return xp.where(size > delta, delta * (size - delta / 2), x * x / 2)


def _leakyrelu(xp, x, slope):
    """x where it is positive, slope x elsewhere."""
    return xp.where(x > 0, x, slope * x)


def _elu(xp, x, alpha):
    """x where it is positive, alpha (exp(x) - 1) elsewhere."""
    return xp.where(x > 0, x, alpha * xp.expm1(xp.where(x > 0, xp.zeros_like(x), x)))


def _selu(xp, x):
    """The scaled exponential linear unit."""
    return 1.0507009873554805 * _elu(xp, x, 1.6732632423543772)


def _fitting(name, value, shape):
    """`value`, if it has this shape."""
    if tuple(value.shape) != shape:
        raise ValueError(f"{name} has the shape {tuple(value.shape)}; needed {tuple(shape)}")
    return value


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


def _directions(tangents, names):
    """Refuse tangents that are no dict, or of what is no variable: a missing one counts as 0."""
    if not hasattr(tangents, "keys"):
        raise ValueError(f"tangents must be a dict from names to arrays, got {type(tangents).__name__}")
    unknown = [name for name in tangents if name not in names]
    if unknown:
        raise ValueError(f"tangents: {', '.join(map(str, unknown))} is no variable here; there are: {', '.join(names)}")
    if not tangents:
        raise ValueError(f"tangents is empty; give one of: {', '.join(names)}")


def _nonzero(sizes):
    """Refuse sizes of 0 that the function divides by."""
    for name, size in sizes.items():
        if size == 0:
            raise ValueError(f"{name} is 0, and the function divides by it")


def _not_empty(what, sizes):
    """Refuse sizes of 0 over which there is no value."""
    for name, size in sizes.items():
        if size == 0:
            raise ValueError(f"{what} has no value over no entries: {name} is 0")
