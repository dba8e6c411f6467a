"""The runtime functions for matrix equations (Sylvester, Lyapunov, Riccati); like `matcalc.emit.helpers`.

They need SciPy. What is not finite, or has no (stabilising) solution, gives nan.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np

from matcalc.optional import optional

sla = optional("scipy.linalg")  # whoever calls what needs it asks for SciPy first


def _sylvester(a, b, c):
    """The x with a x + x b = c; nan where it is not the only one."""
    if not all(np.isfinite(m).all() for m in (a, b, c)):
        return np.full(c.shape, np.nan, dtype=c.dtype)
    try:
        return sla.solve_sylvester(a, b, c).astype(c.dtype, copy=False)
    except np.linalg.LinAlgError:
        return np.full(c.shape, np.nan, dtype=c.dtype)


def _lyapunov(a, q):
    """The x with a x + x a' = q; nan where it is not the only one."""
    return _sylvester(a, a.T, q)


def _dlyapunov(a, q):
    """The x with x = a x a' + q, column by column in the Schur form of a."""
    if not (np.isfinite(a).all() and np.isfinite(q).all()):
        return np.full(q.shape, np.nan, dtype=q.dtype)
    t, u = sla.schur(a, output="complex")
    right = u.conj().T @ q @ u
    y = np.zeros_like(right)
    for k in reversed(range(len(a))):
        column = right[:, k] + t @ (y[:, k + 1 :] @ t[k, k + 1 :].conj())
        try:
            y[:, k] = sla.solve_triangular(np.eye(len(a)) - t[k, k].conj() * t, column)
        except np.linalg.LinAlgError:
            return np.full(q.shape, np.nan, dtype=q.dtype)
    return (u @ y @ u.conj().T).real.astype(q.dtype, copy=False)


def _riccati(solver, a, b, q, r):
    """The stabilising solution by a solver of SciPy's, q and r by their symmetric parts; nan where there is none."""
    if not all(np.isfinite(m).all() for m in (a, b, q, r)):
        return np.full(a.shape, np.nan, dtype=a.dtype)
    try:
        return solver(a, b, (q + q.T) / 2, (r + r.T) / 2).astype(a.dtype, copy=False)
    except (np.linalg.LinAlgError, ValueError):
        return np.full(a.shape, np.nan, dtype=a.dtype)


def _care(a, b, q, r):
    """The stabilising x with a' x + x a - x b r^-1 b' x + q = 0."""
    return _riccati(sla.solve_continuous_are, a, b, q, r)


def _dare(a, b, q, r):
    """The stabilising x with x = a' x a - a' x b (r + b' x b)^-1 b' x a + q."""
    return _riccati(sla.solve_discrete_are, a, b, q, r)
