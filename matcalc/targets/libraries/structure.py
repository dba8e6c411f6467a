"""The runtime functions for triangles, blocks, Toeplitz matrices and products of entries, by functions of the standard.

Like `entries`: the library is the first argument, and the text goes to users. Nothing is written in place and
nothing branches on values, so that JAX can trace it.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from matcalc.targets.libraries.entries import _cast, _joined, _permuted


def _outer(xp, a, b):
    """The products of the entries of two vectors."""
    return xp.reshape(a, (-1, 1)) * xp.reshape(b, (1, -1))


def _pdist2(xp, x, z):
    """The squared distances of the rows of x from those of z, from their differences."""
    difference = x[:, None, :] - z[None, :, :]
    return xp.sum(difference * difference, axis=2)


def _padded(xp, x, top, bottom, left, right):
    """x with zeros around it."""
    rows = [xp.zeros((k, x.shape[1]), dtype=x.dtype) for k in (top, bottom)]
    x = _joined(xp, [rows[0], x, rows[1]], 0)
    columns = [xp.zeros((x.shape[0], k), dtype=x.dtype) for k in (left, right)]
    return _joined(xp, [columns[0], x, columns[1]], 1)


def _blocks(xp, g, p, q):
    """The p x q blocks of g as an array with axes (block row, row, block column, column)."""
    return xp.reshape(g, (g.shape[0] // p, p, g.shape[1] // q, q))


def _blockinner(xp, g, b):
    """The inner products of the blocks of g with b: the adjoint of x -> kron(x, b)."""
    return xp.sum(_blocks(xp, g, b.shape[0], b.shape[1]) * b[None, :, None, :], axis=(1, 3))


def _blocksum(xp, a, g):
    """The sum of the blocks of g weighted by a: the adjoint of x -> kron(a, x)."""
    m, n = a.shape
    return xp.sum(_blocks(xp, g, g.shape[0] // m, g.shape[1] // n) * a[:, None, :, None], axis=(0, 2))


def _blocks_times(xp, blocks, z):
    """The blocks (each row's in the places of that row) times kron(I, z)."""
    n, a, b = blocks.shape
    return xp.reshape(_permuted(xp, blocks, (1, 0, 2))[:, :, :, None] * z[:, None, :], (a * n, b * z.shape[1]))


def _spread_blocks(xp, blocks):
    """The matrix that has the t-th block in the places of row t."""
    n, a, b = blocks.shape
    spread = _permuted(xp, blocks, (1, 0, 2))[:, :, :, None] * xp.eye(n, dtype=blocks.dtype)[None, :, None, :]
    return xp.reshape(spread, (a * n, b * n))


def _factors_swapped(xp, x, p, q):
    """The matrix with kron(a, b) where x has kron(b, a), a being p x q."""
    m, n = x.shape
    return xp.reshape(_permuted(xp, xp.reshape(x, (m // p, p, n // q, q)), (1, 0, 3, 2)), (m, n))


# ------------------------------------------------------------------------------------------------ triangles


def _vech(xp, x):
    """The columns of the lower triangle, stacked."""
    return _joined(xp, [x[k:, k : k + 1] for k in range(x.shape[0])], 0)


def _unvech(xp, v, n):
    """The lower triangular matrix whose vech is v."""
    flat, columns, start = xp.reshape(v, (-1, 1)), [], 0
    for k in range(n):
        columns.append(_padded(xp, flat[start : start + n - k, :], k, 0, 0, 0))
        start += n - k
    return _joined(xp, columns, 1)


def _unit_rows(xp, index, n):
    """The unit vectors of these numbers as rows."""
    distance = xp.reshape(index, (-1, 1)) - xp.reshape(xp.arange(0.0, n), (1, -1))
    return xp.where(distance == 0, xp.ones_like(distance), xp.zeros_like(distance))


def _places(xp, n):
    """The row and the column of each entry of vec(X) for X n x n."""
    number = xp.arange(0.0, n * n)
    column = xp.floor((number + 0.5) / n)
    return number - n * column, column


def _dup(xp, n):
    """The duplication matrix: vec(S) = _dup(n) @ vech(S) for symmetric S."""
    row, column = _places(xp, n)
    high, low = xp.where(row > column, row, column), xp.where(row > column, column, row)
    return _unit_rows(xp, n * low - low * (low + 1) / 2 + high, n * (n + 1) // 2)


def _elim(xp, n):
    """The elimination matrix: vech(X) = _elim(n) @ vec(X)."""
    unit = xp.eye(n * n)
    return _joined(xp, [unit[k * n + k : (k + 1) * n, :] for k in range(n)], 0)


def _toep(xp, n):
    """The basis of the n x n Toeplitz matrices: vec(T) = _toep(n) @ its diagonals, from the lower left corner up."""
    row, column = _places(xp, n)
    return _unit_rows(xp, column - row + n - 1, 2 * n - 1)


def _symtoep(xp, n):
    """The basis of the symmetric n x n Toeplitz matrices: vec(T) = _symtoep(n) @ the first row of T."""
    row, column = _places(xp, n)
    return _unit_rows(xp, xp.abs(row - column), n)


def _skewdup(xp, n):
    """The basis of the skew n x n matrices: vec(S) = _skewdup(n) @ the columns below its diagonal, stacked."""
    row, column = _places(xp, n)
    high, low = xp.where(row > column, row, column), xp.where(row > column, column, row)
    number = n * low - low * (low + 1) / 2 + high - low - 1
    unit = _unit_rows(xp, xp.where(row == column, xp.zeros_like(number) - 1, number), n * (n - 1) // 2)
    return xp.reshape(xp.sign(row - column), (-1, 1)) * unit


def _diagsums(xp, g):
    """Entry i, j: the sum of g along the diagonal of i, j."""
    n = g.shape[0]
    row, column = _places(xp, n)
    unit = _cast(xp, _unit_rows(xp, column - row + n - 1, 2 * n - 1), g.dtype)
    return xp.reshape(unit @ (unit.T @ xp.reshape(g.T, (-1, 1))), (n, n)).T


def _convmat(xp, w, m):
    """The Toeplitz matrix T with T @ x = the convolution of x and w, for x of length m."""
    return _joined(xp, [_padded(xp, w, k, m - 1 - k, 0, 0) for k in range(m)], 1)


def _convolve(xp, a, b):
    """The convolution of two vectors."""
    return _convmat(xp, a[:, None], b.shape[0]) @ b


# ------------------------------------------------------------------------------------------------ products of entries


def _moved(xp, x, step, value, back):
    """Each row moved on by some places (`back`: to the front), with a value in those that become free."""
    step = min(step, x.shape[1])
    free = value + xp.zeros((x.shape[0], step), dtype=x.dtype)
    return _joined(xp, [x[:, step:], free] if back else [free, x[:, : x.shape[1] - step]], 1)


def _running(xp, x, v, back):
    """The product of the entries before each entry of a row (behind it: `back`), and its derivative along v."""
    value, slope = _moved(xp, x, 1, 1.0, back), _moved(xp, v, 1, 0.0, back)
    step = 1
    while step < x.shape[1]:
        other, change = _moved(xp, value, step, 1.0, back), _moved(xp, slope, step, 0.0, back)
        value, slope = value * other, slope * other + value * change
        step *= 2
    return value, slope


def _in_rows(xp, x, axis):
    """The lines along an axis as rows; all entries as one row without an axis."""
    return xp.reshape(x, (1, -1)) if axis is None else x.T if axis == 0 else x


def _from_rows(xp, rows, shape, axis):
    """The matrix of this shape of which `rows` are the lines along an axis."""
    return xp.reshape(rows, shape) if axis is None else rows.T if axis == 0 else rows


def _prodothers(xp, x, axis=None):
    """The product of all other entries along an axis, also where some are zero."""
    return _dprodothers(xp, x, xp.zeros_like(x), axis, 0)


def _dprodothers(xp, x, v, axis=None, order=1):
    """The derivative of _prodothers at x in the direction v, also where entries are zero."""
    rows, moves = _in_rows(xp, x, axis), _in_rows(xp, v, axis)
    before, behind = _running(xp, rows, moves, False), _running(xp, rows, moves, True)
    found = before[1] * behind[0] + before[0] * behind[1] if order else before[0] * behind[0]
    return _from_rows(xp, found, x.shape, axis)


def _along(xp, x, axis, count):
    """A vector along one of `count` axes."""
    return xp.reshape(x, (1,) * axis + (-1,) + (1,) * (count - axis - 1))


def _prodothersform(xp, x, order, axis=None):
    """The derivative of this order of _prodothers on vec: a column for each tuple of entries."""
    m, n = x.shape
    entries, number = xp.reshape(x.T, (-1,)), xp.arange(m * n)
    line = number * 0 if axis is None else number // m if axis == 0 else number % m
    count = order + 2
    numbers, lines = ([_along(xp, k, axis, count) for axis in range(count)] for k in (number, line))
    rest = lines[0] == lines[-1]
    for k in numbers[:-1]:
        rest = rest & (k != numbers[-1])
    factors = _along(xp, entries, count - 1, count)
    products = xp.prod(xp.where(rest, factors, xp.ones_like(factors)), axis=-1)
    numbers, lines = ([_along(xp, k, axis, order + 1) for axis in range(order + 1)] for k in (number, line))
    apart = lines[0] == lines[0]
    for k in range(1, order + 1):
        apart = apart & (lines[0] == lines[k])
        for other in numbers[:k]:
            apart = apart & (numbers[k] != other)
    return xp.reshape(xp.where(apart, products, xp.zeros_like(products)), (m * n, -1))
