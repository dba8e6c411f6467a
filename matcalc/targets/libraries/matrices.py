"""The runtime functions for spectra, matrix functions and adjugates, by functions of the standard.

Like `entries`: the library is the first argument, and the text goes to users. Branches and loops that depend
on values go through `_chosen` and `_repeated`, which JAX does in its own way; what is not real is nan.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from matcalc.targets.libraries.entries import _block, _cast, _diag, _joined, _kron, _reshape, _vec
from matcalc.targets.libraries.structure import _padded


def _chosen(xp, test, yes, no, *args):
    """yes(xp, *args) where the test holds, else no(xp, *args)."""
    return yes(xp, *args) if bool(test) else no(xp, *args)


def _repeated(xp, step, state, most):
    """The state after at most so many steps; it starts with whether another one is needed."""
    for _ in range(most):
        if not bool(state[0]):
            break
        state = step(state)
    return state


def _nan_where(xp, test, x):
    """x, and nan where the test holds."""
    return xp.where(test, xp.full_like(x, float("nan")), x)


def _finite(xp, x):
    """x, or zeros where it is not finite; whether it is not."""
    bad = ~xp.all(xp.isfinite(x))
    return xp.where(bad, xp.zeros_like(x), x), bad


def _rounding(xp, x):
    """The relative rounding error of the type of x."""
    return float(xp.finfo(x.dtype).eps)


def _size(xp, x):
    """The largest size of an entry."""
    return xp.max(xp.abs(x))


def _is_symmetric(xp, x):
    """Whether x is symmetric up to rounding."""
    return _size(xp, x - x.T) <= 8 * x.shape[0] * _rounding(xp, x) * _size(xp, x)


# ------------------------------------------------------------------------------------------------ spectra


def _columns(xp, x, order):
    """The columns of x in another order."""
    return xp.take(x, order, axis=1)


def _symmetric_eig(xp, x):
    """The ascending eigenvalues, as a row, and the eigenvectors of a symmetric matrix."""
    values, vectors = xp.linalg.eigh((x + x.T) / 2)
    return values[None, :], vectors


def _general_eig(xp, x):
    """The ascending eigenvalues, as a row, and the eigenvectors; nan where some are complex."""
    values, vectors = xp.linalg.eig(x)
    bad = xp.any(xp.imag(values) != 0)
    values, vectors = xp.real(values)[None, :], xp.real(vectors)
    order = xp.argsort(values[0, :])
    return _nan_where(xp, bad, _columns(xp, values, order)), _nan_where(xp, bad, _columns(xp, vectors, order))


def _upright(xp, vectors):
    """Columns with the sign that makes their largest entry positive."""
    number = xp.arange(vectors.shape[0])[:, None]
    top = xp.where(number == xp.argmax(xp.abs(vectors), axis=0)[None, :], vectors, xp.zeros_like(vectors))
    return vectors * xp.sign(xp.sum(top, axis=0, keepdims=True))


def _eig(xp, x):
    """Ascending eigenvalues, as a row, and their eigenvectors (length 1, largest entry positive)."""
    x, bad = _finite(xp, x)
    values, vectors = _chosen(xp, _is_symmetric(xp, x), _symmetric_eig, _general_eig, x)
    return _nan_where(xp, bad, values), _nan_where(xp, bad, _upright(xp, vectors))


def _eigvals(xp, x):
    """The eigenvalues in ascending order as a column; nan where they are complex."""
    return _eig(xp, x)[0].T


def _eigvecs(xp, x):
    """The eigenvectors as columns, in the order of the eigenvalues."""
    return _eig(xp, x)[1]


def _largest_pair(xp, x):
    """The largest eigenvalue of a symmetric matrix, and its eigenvector."""
    values, vectors = xp.linalg.eigh((x + x.T) / 2)
    return values[-1], vectors[:, -1:]


def _largest_real_pair(xp, x):
    """The eigenvalue with the largest real part, and its eigenvector; nan where it is complex."""
    values, vectors = xp.linalg.eig(x)
    chosen = xp.arange(x.shape[0]) == xp.argmax(xp.real(values))
    value = xp.sum(xp.where(chosen, values, xp.zeros_like(values)))
    vector = xp.real(xp.sum(xp.where(chosen[None, :], vectors, xp.zeros_like(vectors)), axis=1, keepdims=True))
    bad = xp.imag(value) != 0
    vector = vector / xp.sqrt(xp.sum(vector * vector))
    return _nan_where(xp, bad, xp.real(value)), _nan_where(xp, bad, vector)


def _extreme(xp, x, sign):
    """The eigenvalue that is largest (sign 1) or smallest (sign -1), and its eigenvector."""
    x, bad = _finite(xp, sign * x)
    value, vector = _chosen(xp, _is_symmetric(xp, x), _largest_pair, _largest_real_pair, x)
    return _nan_where(xp, bad, sign * value), _nan_where(xp, bad, _upright(xp, vector))


def _eigmax(xp, x):
    """The largest eigenvalue."""
    return _extreme(xp, x, 1)[0]


def _eigmin(xp, x):
    """The smallest eigenvalue."""
    return _extreme(xp, x, -1)[0]


def _eigvecmax(xp, x):
    """The eigenvector of the largest eigenvalue: of length 1, its largest entry positive."""
    return _extreme(xp, x, 1)[1]


def _eigvecmin(xp, x):
    """The eigenvector of the smallest eigenvalue: of length 1, its largest entry positive."""
    return _extreme(xp, x, -1)[1]


def _chol(xp, x):
    """The lower Cholesky factor of the symmetric part."""
    return xp.linalg.cholesky((x + x.T) / 2)


def _pinv(xp, x):
    """The pseudoinverse; singular values that are rounding errors count as 0."""
    x, bad = _finite(xp, x)
    return _nan_where(xp, bad, xp.linalg.pinv(x, rtol=10 * max(x.shape) * _rounding(xp, x)))


def _resolvent(xp, x, sign):
    """The pseudoinverse of (t I - x), t the largest (sign 1) or smallest (sign -1) eigenvalue of a symmetric x."""
    values, vectors = xp.linalg.eigh((x + x.T) / 2)
    gaps = values[-1 if sign > 0 else 0] - values
    small = xp.abs(gaps) <= 10 * x.shape[0] * _rounding(xp, x) * _size(xp, values)
    one = xp.ones_like(gaps)
    return (vectors * xp.where(small, 0 * one, 1 / xp.where(small, one, gaps))) @ vectors.T


def _kept(xp, x, s):
    """Which singular values are no rounding errors."""
    return s > 10 * max(x.shape) * _rounding(xp, x) * s[0]


def _polar(xp, x):
    """U V' for x = U diag(s) V', s > 0."""
    x, bad = _finite(xp, x)
    u, s, vt = xp.linalg.svd(x, full_matrices=False)
    kept = _cast(xp, _kept(xp, x, s), x.dtype)
    return _nan_where(xp, bad, (u * kept) @ vt)


def _polar_weights(xp, x):
    """U, V', the weights of the derivative of U V' at x, and those of its corner."""
    m, n = x.shape
    u, s, vt = xp.linalg.svd(x)
    row = xp.where(_kept(xp, x, s), s, xp.zeros_like(s))[None, :]
    rows, columns = _padded(xp, row, 0, 0, 0, m - s.shape[0]).T, _padded(xp, row, 0, 0, 0, n - s.shape[0])
    sums = rows + columns
    one = xp.ones_like(sums)
    weights = xp.where(sums > 0, 1 / xp.where(sums > 0, sums, one), 0 * one)
    return u, vt, weights, xp.where((rows > 0) & (columns > 0), weights, 0 * one)


def _dpolar(xp, x, v):
    """The derivative of the polar factor at x in the direction v, along matrices of the rank of x."""
    x, bad = _finite(xp, x)
    u, vt, weights, corner = _polar_weights(xp, x)
    turned, (m, n) = u.T @ v @ vt.T, x.shape
    k = min(m, n)
    square = (corner * turned)[:k, :k]
    inner = weights * turned - _padded(xp, square.T, 0, m - k, 0, n - k)
    return _nan_where(xp, bad, u @ inner @ vt)


def _dpolarform(xp, x):
    """The matrix of the derivative of the polar factor on vec."""
    x, bad = _finite(xp, x)
    m, n = x.shape
    u, vt, weights, corner = _polar_weights(xp, x)
    number = xp.arange(m * n)
    row, column = number % m, number // m
    turned = (row[:, None] == column[None, :]) & (column[:, None] == row[None, :])
    swapped = xp.where(turned, _vec(xp, corner), xp.zeros((m * n, m * n), dtype=x.dtype))
    both = _kron(xp, vt.T, u)
    return _nan_where(xp, bad, both @ (_diag(xp, _vec(xp, weights)) - swapped) @ both.T)


# ------------------------------------------------------------------------------------------------ functions of matrices


def _balance(xp, x):
    """The number by which the determinant of a multiple of x has the size 1."""
    return xp.exp(-xp.linalg.slogdet(x)[1] / x.shape[0])


def _general_root(xp, x):
    """The principal square root by Denman and Beavers' iteration; nan where it does not converge to a real one."""
    unit, eps = xp.eye(x.shape[0], dtype=x.dtype), _rounding(xp, x)

    def step(state):
        _, far, y, m = state
        scale = xp.where(far > 0.01, _balance(xp, m), xp.ones_like(far))
        m = scale * m
        inverse = xp.linalg.inv(m)
        y = xp.sqrt(scale) * ((y + y @ inverse) / 2)
        m = (unit + (m + inverse) / 2) / 2
        new = _size(xp, m - unit)
        return (new > x.shape[0] * eps) & ((far > 0.01) | (new < far / 2)), new, y, m

    one = xp.ones_like(_size(xp, x))
    _, _, y, _ = _repeated(xp, step, (one > 0, one, x, x), 60)
    return _nan_where(xp, ~(_size(xp, y @ y - x) <= eps**0.5 * (_size(xp, y) ** 2)), y)


def _symmetric_root(xp, x):
    """The square root of a symmetric matrix; nan where an eigenvalue is negative."""
    values, vectors = xp.linalg.eigh((x + x.T) / 2)
    small = xp.abs(values) <= x.shape[0] * _rounding(xp, x) * _size(xp, values)
    return (vectors * xp.sqrt(xp.where(small, xp.abs(values), values))) @ vectors.T


def _sqrtm(xp, x):
    """The principal square root; nan where it is not real."""
    x, bad = _finite(xp, x)
    return _nan_where(xp, bad, _chosen(xp, _is_symmetric(xp, x), _symmetric_root, _general_root, x))


def _symmetric_log(xp, x):
    """The logarithm of a symmetric matrix; nan where it is not real."""
    values, vectors = xp.linalg.eigh((x + x.T) / 2)
    return (vectors * xp.log(values)) @ vectors.T


def _general_log(xp, x):
    """The principal logarithm: roots until the matrix is near I, then a Pade approximation by Gauss's quadrature."""
    unit = xp.eye(x.shape[0], dtype=x.dtype)

    def distance(root):
        return xp.max(xp.sum(xp.abs(root - unit), axis=0))

    def step(state):
        _, root, factor = state
        root = _general_root(xp, root)
        return distance(root) > 0.25, root, 2 * factor

    far = distance(x)
    _, root, factor = _repeated(xp, step, (far > 0.25, x, xp.ones_like(far)), 50)
    root, result = root - unit, xp.zeros_like(x)
    nodes = (0.0, 0.4058451513773972, 0.7415311855993945, 0.9491079123427585)
    weights = (0.4179591836734694, 0.3818300505051189, 0.27970539148927664, 0.1294849661688697)
    for node, weight in zip(nodes, weights):
        for place in (node, -node) if node else (node,):
            result = result + weight / 2 * xp.linalg.solve(unit + (1 + place) / 2 * root, root)
    return factor * result


def _logm(xp, x):
    """The principal logarithm; nan where it is not real."""
    x, bad = _finite(xp, x)
    return _nan_where(xp, bad, _chosen(xp, _is_symmetric(xp, x), _symmetric_log, _general_log, x))


def _expm(xp, x):
    """The exponential of a matrix: a Pade approximation of a part of it, squared again."""
    x, bad = _finite(xp, x)
    size = float(xp.max(xp.sum(xp.abs(x), axis=0)))
    times = 0
    while size > 2.0**times * 0.5:
        times += 1
    x, unit = x / 2.0**times, xp.eye(x.shape[0], dtype=x.dtype)
    power, above, below, weight = unit, unit, unit, 1.0
    for k in range(1, 9):
        weight *= (9 - k) / (k * (17 - k))
        power = power @ x
        above, below = above + weight * power, below + (-1) ** k * weight * power
    result = xp.linalg.solve(below, above)
    for _ in range(times):
        result = result @ result
    return _nan_where(xp, bad, result)


def _matpow(xp, x, k):
    """x^k: the repeated product (of the inverse) for a whole number k, else the principal power."""
    k = float(k) if isinstance(k, (int, float)) else float(xp.reshape(k, ()))
    if k == int(k):
        return xp.linalg.matrix_power(x, int(k))
    return _expm(xp, k * _logm(xp, x))


def _upper_right(xp, f, x, v):
    """The upper right block of f([x, v; 0, x])."""
    n = x.shape[0]
    return f(xp, _block(xp, [[x, v], [xp.zeros_like(x), x]]))[:n, n:]


def _frechet_expm(xp, x, v):
    """The derivative of the exponential of a matrix at x in the direction v."""
    return _upper_right(xp, _expm, x, v)


def _frechet_logm(xp, x, v):
    """The derivative of the logarithm of a matrix at x in the direction v."""
    return _upper_right(xp, _logm, x, v)


def _frechet_sqrtm(xp, x, v):
    """The derivative of the square root of a matrix at x in the direction v."""
    return _upper_right(xp, _sqrtm, x, v)


def _frechetpow(xp, x, v, k):
    """The derivative of x^k at x in the direction v."""
    return _upper_right(xp, lambda xp, z: _matpow(xp, z, k), x, v)


def _frechet_matrix(xp, derivative, x):
    """The matrix whose columns are the vec of the derivatives in the directions of the n^2 unit matrices."""
    n = x.shape[0]
    unit = xp.eye(n * n, dtype=x.dtype)
    return _joined(xp, [_vec(xp, derivative(xp, x, _reshape(xp, unit[:, k : k + 1], n, n))) for k in range(n * n)], 1)


def _frechetpowform(xp, x, k):
    """The matrix of the derivative of x^k on vec."""
    return _frechet_matrix(xp, lambda xp, z, v: _frechetpow(xp, z, v, k), x)
