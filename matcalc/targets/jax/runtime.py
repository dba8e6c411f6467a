"""The runtime functions that JAX has itself, or does in a way that it can trace."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, import-not-found, import-untyped"

from __future__ import annotations

from typing import Any

from matcalc.targets.libraries.matrices import _logm

jax: Any = None  # the modules import it


def _chosen(xp, test, yes, no, *args):
    """yes(xp, *args) where the test holds, else no(xp, *args)."""
    return jax.lax.cond(test, lambda *given: yes(xp, *given), lambda *given: no(xp, *given), *args)


def _repeated(xp, step, state, most):
    """The state after at most so many steps; it starts with whether another one is needed."""

    def next_state(_, state):
        return jax.lax.cond(state[0], step, lambda state: state, state)

    return jax.lax.fori_loop(0, most, next_state, state)


def _gelu(xp, x):
    """x times the standard normal distribution function."""
    return x * jax.scipy.special.ndtr(x)


def _expm(xp, x):
    """The exponential of a matrix."""
    return jax.scipy.linalg.expm(x)


def _whole_power(xp, x, k):
    """x^k for a whole number k, by repeated squaring."""

    def step(state):
        _, rest, power, result = state
        result = xp.where(rest % 2 == 1, result @ power, result)
        rest = xp.floor(rest / 2)
        return rest > 0, rest, xp.where(rest > 0, power @ power, power), result

    base = xp.where(k < 0, xp.linalg.inv(x), x)
    unit = xp.eye(x.shape[0], dtype=x.dtype)
    return _repeated(xp, step, (k != 0, xp.abs(k), base, unit), 31)[3]


def _principal_power(xp, x, k):
    """x^k by the logarithm."""
    return _expm(xp, k * _logm(xp, x))


def _matpow(xp, x, k):
    """x^k: the repeated product (of the inverse) for a whole number k, else the principal power."""
    k = xp.reshape(xp.asarray(k, dtype=x.dtype), ())
    return _chosen(xp, k == xp.floor(k), _whole_power, _principal_power, x, k)
