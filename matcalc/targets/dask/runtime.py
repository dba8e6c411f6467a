"""The runtime functions that Dask does otherwise: SciPy's functions of entries, block by block."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import math
from typing import Any

special: Any = None  # the modules import it


def _gelu(xp, x):
    """x times the standard normal distribution function."""
    return x * special.ndtr(x)


def _polygamma(xp, order, x):
    """The derivative of this order of the digamma function."""
    return (-1) ** (order + 1) * math.factorial(order) * special.zeta(order + 1, x)


def _gram_factor(xp, x):
    """The lower Cholesky factor of x' x: Dask's QR factors depend on how its arrays are cut."""
    return xp.linalg.cholesky((x.T @ x).rechunk(-1), lower=True)


def _chol(xp, x):
    """The lower Cholesky factor of the symmetric part."""
    return xp.linalg.cholesky(((x + x.T) / 2).rechunk(-1), lower=True)
