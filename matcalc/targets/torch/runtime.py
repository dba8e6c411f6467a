"""The runtime functions that PyTorch has itself, or calls otherwise."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from typing import Any

torch: Any = None  # the modules import it


def _gelu(xp, x):
    """x times the standard normal distribution function."""
    return x * torch.special.ndtr(x)


def _columns(xp, x, order):
    """The columns of x in another order."""
    return x[:, order]


def _chol(xp, x):
    """The lower Cholesky factor of the symmetric part; nan where that is not positive definite."""
    factor, failed = torch.linalg.cholesky_ex((x + x.T) / 2)
    return torch.where(failed != 0, torch.full_like(factor, float("nan")), factor)


def _solved(xp, a, b):
    """The solution of a system; nan where it is not the only one."""
    x, failed = torch.linalg.solve_ex(a, b)
    return torch.where(failed != 0, torch.full_like(x, float("nan")), x)


def _expm(xp, x):
    """The exponential of a matrix."""
    return torch.linalg.matrix_exp(x)
