"""The runtime functions for adjugates and their derivatives, by functions of the standard; like `matrices`."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from matcalc.targets.libraries.entries import _diag, _diagvec
from matcalc.targets.libraries.matrices import _finite, _nan_where
from matcalc.targets.libraries.structure import _along, _prodothers


def _without(xp, s, numbers, count):
    """The products of the entries of s but those of these numbers (each along one of `count` axes)."""
    last = _along(xp, xp.arange(s.shape[0]), count, count + 1)
    left = last == last
    for k in numbers:
        left = left & (k[..., None] != last)
    factors = _along(xp, s, count, count + 1)
    return xp.prod(xp.where(left, factors, xp.ones_like(factors)), axis=-1)


def _adj(xp, x):
    """The adjugate (also of a singular matrix): det(U V') adj(s) on the singular values."""
    x, bad = _finite(xp, x)
    u, s, vt = xp.linalg.svd(x)
    rest = _prodothers(xp, s[None, :], axis=1)
    return _nan_where(xp, bad, xp.linalg.det(u) * xp.linalg.det(vt) * ((vt.T * rest) @ u.T))


def _dadj(xp, x, v):
    """The derivative of the adjugate at x (also a singular matrix) in the direction v."""
    x, bad = _finite(xp, x)
    u, s, vt = xp.linalg.svd(x)
    number = xp.arange(s.shape[0])
    row, column = number[:, None], number[None, :]
    rest = _without(xp, s, (row, column), 2)
    rest = xp.where(row != column, rest, xp.zeros_like(rest))  # i, j: without s_i and s_j
    turned = u.T @ v @ vt.T
    inner = _diag(xp, rest @ _diagvec(xp, turned)) - rest * turned
    return _nan_where(xp, bad, xp.linalg.det(u) * xp.linalg.det(vt) * (vt.T @ inner @ u.T))


def _turns(count):
    """The permutations of this length with their signs."""
    found = [(list(range(0)), 1)]
    for k in range(count):
        found = [([*t[:i], k, *t[i:]], sign * (-1) ** (k - i)) for t, sign in found for i in range(k + 1)]
    return found


def _dadjform(xp, x, order):
    """The derivative of this order of the adjugate at x on vec: n^2 rows, a column for each tuple of unit matrices."""
    n, count = x.shape[0], 2 * order + 2
    x, bad = _finite(xp, x)
    u, s, vt = xp.linalg.svd(x)
    axes = [_along(xp, xp.arange(n), k, count) for k in range(count)]  # a pair (column, row) for each matrix
    rows, others = [axes[0], *axes[3::2]], [axes[1], *axes[2::2]]
    rest = _without(xp, s, rows, count)
    for k in range(order + 1):
        for other in rows[:k]:
            rest = xp.where(rows[k] != other, rest, xp.zeros_like(rest))
    form = xp.zeros((n,) * count, dtype=x.dtype)
    for turn, sign in _turns(order + 1):
        fits = others[0] == rows[turn[0]]
        for k in range(1, order + 1):
            fits = fits & (others[k] == rows[turn[k]])
        form = form + xp.where(fits, sign * rest, xp.zeros_like(form))
    for turn in (u, vt.T, *(vt.T, u) * order):  # each axis in turn, which then is the last
        form = xp.reshape((turn @ xp.reshape(form, (n, -1))).T, (-1,))
    return _nan_where(xp, bad, xp.linalg.det(u) * xp.linalg.det(vt) * xp.reshape(form, (n * n, -1)))
