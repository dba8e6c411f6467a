"""The runtime functions that solve matrix equations, by functions of the standard; like `matrices`.

What is not finite, or has no (stabilising) solution, gives nan.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import warnings

from matcalc.targets.libraries.entries import _block, _eye_kron, _joined, _kron, _kron_eye, _reshape, _vec
from matcalc.targets.libraries.matrices import _balance, _nan_where, _repeated, _rounding, _size


def _solved(xp, a, b):
    """The solution of a system."""
    return xp.linalg.solve(a, b)


def _warn_of_size(name, entries):
    """A warning where one system for all entries of a solution is large; the code for NumPy needs none."""
    if entries > 2000:
        said = (
            f"{name}: one dense system of {entries} equations takes {8 * entries**2 / 1e6:.0f} MB in double precision"
        )
        warnings.warn(f"{said}; the code for NumPy solves the equation without it", stacklevel=3)


def _sylvester(xp, a, b, c):
    """The x with a x + x b = c, as one system for all its entries."""
    m, n = c.shape
    _warn_of_size("sylvester", m * n)
    system = _eye_kron(xp, n, a) + _kron_eye(xp, b.T, m)
    return _reshape(xp, _solved(xp, system, _vec(xp, c)), m, n)


def _lyapunov(xp, a, q):
    """The x with a x + x a' = q."""
    return _sylvester(xp, a, a.T, q)


def _dlyapunov(xp, a, q):
    """The x with x = a x a' + q, as one system for all its entries."""
    n = a.shape[0]
    _warn_of_size("dlyapunov", n * n)
    system = xp.eye(n * n, dtype=a.dtype) - _kron(xp, a, a)
    return _reshape(xp, _solved(xp, system, _vec(xp, q)), n, n)


def _care(xp, a, b, q, r):
    """The stabilising x with a' x + x a - x b r^-1 b' x + q = 0, from the sign of the Hamiltonian matrix."""
    n, q, r = a.shape[0], (q + q.T) / 2, (r + r.T) / 2
    g = b @ xp.linalg.solve(r, b.T)
    eps = _rounding(xp, a)

    def step(state):
        _, far, z = state
        scale = xp.where(far > 0.01, xp.sqrt(_balance(xp, z @ z)), xp.ones_like(far))
        new = (scale * z + xp.linalg.inv(scale * z)) / 2
        change = _size(xp, new - z) / _size(xp, new)
        return (change > 10 * n * eps) & ((far > 0.01) | (change < far / 2)), change, new

    one = xp.ones_like(_size(xp, a))
    _, _, w = _repeated(xp, step, (one > 0, one, _block(xp, [[a, -g], [-q, -a.T]])), 60)
    unit = xp.eye(n, dtype=a.dtype)
    left = _joined(xp, [w[:n, n:], w[n:, n:] + unit], 0)
    right = _joined(xp, [w[:n, :n] + unit, w[n:, :n]], 0)
    factor, triangle = xp.linalg.qr(left)
    x = -xp.linalg.solve(triangle, factor.T @ right)
    x = (x + x.T) / 2
    rest = a.T @ x + x @ a - x @ g @ x + q
    return _nan_where(xp, ~(_size(xp, rest) <= eps**0.5 * (_size(xp, x) * _size(xp, a) + _size(xp, q))), x)


def _dare(xp, a, b, q, r):
    """The stabilising x with x = a' x a - a' x b (r + b' x b)^-1 b' x a + q, by doubling."""
    n, q, r = a.shape[0], (q + q.T) / 2, (r + r.T) / 2
    unit, eps = xp.eye(n, dtype=a.dtype), _rounding(xp, a)

    def step(state):
        _, s, g, x = state
        w = unit + g @ x
        left, right = xp.linalg.solve(w, s), xp.linalg.solve(w, g)
        g, x = g + s @ right @ s.T, x + s.T @ x @ left
        s = s @ left
        return _size(xp, s) > eps, s, (g + g.T) / 2, (x + x.T) / 2

    start = _size(xp, a) >= 0, a, b @ xp.linalg.solve(r, b.T), q
    _, s, _, x = _repeated(xp, step, start, 60)
    gain = xp.linalg.solve(r + b.T @ x @ b, b.T @ x @ a)
    rest = a.T @ x @ (a - b @ gain) - x + q
    good = (_size(xp, s) <= eps) & (_size(xp, rest) <= eps**0.5 * (_size(xp, x) + _size(xp, q)))
    return _nan_where(xp, ~good, x)
