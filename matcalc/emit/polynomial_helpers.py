"""The runtime functions for adjugates and products of entries: polynomials, and their derivatives wherever they are.

Like `matcalc.emit.helpers`: the source text goes to users.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np


def _prodothers(x, axis=None):
    """The product of all other entries along an axis, also where some are zero."""
    rows = x.reshape(1, -1) if axis is None else x.T if axis == 0 else x
    one = np.ones_like(rows[:, :1])
    before = np.cumprod(np.hstack([one, rows[:, :-1]]), axis=1)
    after = np.cumprod(np.hstack([one, rows[:, :0:-1]]), axis=1)[:, ::-1]
    result = before * after
    return result.reshape(x.shape) if axis is None else result.T if axis == 0 else result


def _running(x, v):
    """The product of the entries before each entry of a row, and its derivative in the direction v."""
    value, slope = np.ones_like(x), np.zeros_like(x)
    for k in range(1, x.shape[1]):
        value[:, k] = value[:, k - 1] * x[:, k - 1]
        slope[:, k] = slope[:, k - 1] * x[:, k - 1] + value[:, k - 1] * v[:, k - 1]
    return value, slope


def _dprodothers(x, v, axis=None):
    """The derivative of _prodothers at x in the direction v, also where entries are zero."""
    rows, moves = (y.reshape(1, -1) if axis is None else y.T if axis == 0 else y for y in (x, v))
    before, before_slope = _running(rows, moves)
    after, after_slope = (y[:, ::-1] for y in _running(rows[:, ::-1], moves[:, ::-1]))
    result = before_slope * after + before * after_slope
    return result.reshape(x.shape) if axis is None else result.T if axis == 0 else result


def _prodothersform(x, order, axis=None):
    """The derivative of this order of _prodothers on vec: a column for each tuple of entries."""
    number = np.arange(x.size).reshape(x.shape, order="F")
    groups = number.reshape(1, -1) if axis is None else number.T if axis == 0 else number
    result = np.zeros((x.size,) * (order + 1), dtype=x.dtype)
    for group in groups:
        n = group.size
        place = np.indices((n,) * (order + 1))
        some = (place[:-1] == place[-1]).any(axis=0)  # the last one is among the others
        factors = np.where(some, 1, x.ravel(order="F")[group]).reshape(-1, n)
        rest = _prodothers(factors, axis=1).reshape(some.shape)
        twice = [place[k] == place[l] for k in range(order + 1) for l in range(k)]
        result[np.ix_(*[group] * (order + 1))] = np.where(np.any(twice, axis=0), 0, rest)
    return result.reshape(x.size, -1)


def _adj(x):
    """The adjugate (also of a singular matrix): det(U V') adj(s) on the singular values."""
    if not np.isfinite(x).all():
        return np.full_like(x, np.nan)
    u, s, vt = np.linalg.svd(x)
    rest = _prodothers(s[None, :], axis=1)
    return np.linalg.det(u) * np.linalg.det(vt) * (vt.T.conj() * rest) @ u.T.conj()


def _dadj(x, v):
    """The derivative of the adjugate at x (also a singular matrix) in the direction v."""
    if not np.isfinite(x).all():
        return np.full_like(x, np.nan)
    u, s, vt = np.linalg.svd(x)
    rest = _prodothers(np.where(np.eye(s.size, dtype=bool), 1, s), axis=1)  # i, j: without s_i and s_j
    np.fill_diagonal(rest, 0)
    turned = u.T.conj() @ v @ vt.T.conj()
    inner = np.diag(rest @ np.diagonal(turned)) - rest * turned
    return np.linalg.det(u) * np.linalg.det(vt) * vt.T.conj() @ inner @ u.T.conj()


def _dadjform(x, order):
    """The derivative of this order of the adjugate at x on vec: n^2 rows, a column for each tuple of unit matrices."""
    n = x.shape[0]
    if not np.isfinite(x).all():
        return np.full((n * n, n ** (2 * order)), np.nan, dtype=x.dtype)
    u, s, vt = np.linalg.svd(x)
    form = np.zeros((n,) * (2 * order + 2), dtype=x.dtype)  # a pair (column, row) for the result and each direction
    rows = np.indices((n,) * (order + 1)).reshape(order + 1, -1)
    rows = rows[:, np.all([rows[k] != rows[l] for k in range(order + 1) for l in range(k)], axis=0)]
    left_out = (rows[:, :, None] == np.arange(n)).any(axis=0)
    rest = np.prod(np.where(left_out, 1, s), axis=1)
    for turn in np.ndindex((order + 1,) * (order + 1)):
        if len(set(turn)) > order:
            pairs = [(rows[t], rows[k]) if k else (rows[k], rows[t]) for k, t in enumerate(turn)]
            form[tuple(i for pair in pairs for i in pair)] += rest * np.linalg.det(np.eye(order + 1)[list(turn)])
    left, right = u.conj(), vt.T.conj()
    for axis, turn in enumerate((left, right, *(right, left) * order)):
        form = np.moveaxis(np.tensordot(turn, form, (1, axis)), 0, axis)
    return np.linalg.det(u) * np.linalg.det(vt) * form.reshape(n * n, -1)
