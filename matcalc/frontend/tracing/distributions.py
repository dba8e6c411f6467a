"""Densities of scipy.stats, written with functions that are read: on traced values they take the place of SciPy's.

The formulas are those on the support. Outside of it SciPy's logarithms are -inf; a function that is read with values
from there is found to differ when it is compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from matcalc.errors import NoRuleError

LOG_2_PI = np.log(2 * np.pi)


def _special() -> Any:
    """scipy.special; SciPy is there wherever its distributions are traced."""
    from scipy import special  # noqa: PLC0415

    return special


def _placed(density: Callable[..., Any]) -> Callable[..., Any]:
    """The logarithm of a density with a location and a scale, behind its own parameters."""

    def logpdf(x: Any, *args: Any, **options: Any) -> Any:
        count = density.__code__.co_argcount - 1
        own, rest = list(args[:count]), args[count:]
        own += [options.pop(name) for name in density.__code__.co_varnames[1 + len(own) : 1 + count]]
        if len(rest) > 2:
            raise NoRuleError("more parameters than the distribution has")
        loc = rest[0] if rest else options.pop("loc", 0)
        scale = rest[1] if len(rest) > 1 else options.pop("scale", 1)
        z = x if _is(loc, 0) and _is(scale, 1) else (x - loc) / scale
        found = density(z, *own)
        return found if _is(scale, 1) else found - np.log(scale)

    return logpdf


def _is(value: Any, number: float) -> bool:
    return isinstance(value, (int, float)) and value == number


def _norm(z: Any) -> Any:
    return -(z**2) / 2 - LOG_2_PI / 2


def _gamma(z: Any, a: Any) -> Any:
    return (a - 1) * np.log(z) - z - _special().gammaln(a)


def _beta(z: Any, a: Any, b: Any) -> Any:
    gammaln = _special().gammaln
    return (a - 1) * np.log(z) + (b - 1) * np.log1p(-z) - gammaln(a) - gammaln(b) + gammaln(a + b)


def _t(z: Any, df: Any) -> Any:
    gammaln = _special().gammaln
    return gammaln((df + 1) / 2) - gammaln(df / 2) - np.log(df * np.pi) / 2 - (df + 1) / 2 * np.log1p(z**2 / df)


def _lognorm(z: Any, s: Any) -> Any:
    return -((np.log(z) / s) ** 2) / 2 - np.log(z) - np.log(s) - LOG_2_PI / 2


def _logistic(z: Any) -> Any:
    return -z - 2 * np.logaddexp(0, -z)


def _weibull(z: Any, c: Any) -> Any:
    return np.log(c) + (c - 1) * np.log(z) - z**c


CONTINUOUS: dict[str, Callable[..., Any]] = {
    "norm": _norm,
    "expon": lambda z: -z,
    "gamma": _gamma,
    "invgamma": lambda z, a: -(a + 1) * np.log(z) - 1 / z - _special().gammaln(a),
    "beta": _beta,
    "t": _t,
    "cauchy": lambda z: -np.log1p(z**2) - np.log(np.pi),
    "laplace": lambda z: -abs(z) - np.log(2),
    "logistic": _logistic,
    "lognorm": _lognorm,
    "chi2": lambda z, df: _gamma(z / 2, df / 2) - np.log(2),
    "halfnorm": lambda z: _norm(z) + np.log(2),
    "rayleigh": lambda z: np.log(z) - z**2 / 2,
    "pareto": lambda z, b: np.log(b) - (b + 1) * np.log(z),
    "weibull_min": _weibull,
    "gumbel_r": lambda z: -z - np.exp(-z),
}


# ------------------------------------------------------------------------------------------------ counts and vectors


def _poisson(k: Any, mu: Any, loc: Any = 0) -> Any:
    k = k if _is(loc, 0) else k - loc
    return k * np.log(mu) - mu - _special().gammaln(k + 1)


def _bernoulli(k: Any, p: Any) -> Any:
    return k * np.log(p) + (1 - k) * np.log1p(-p)


def _binom(k: Any, n: Any, p: Any) -> Any:
    gammaln = _special().gammaln
    chosen = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return chosen + k * np.log(p) + (n - k) * np.log1p(-p)


def _nbinom(k: Any, n: Any, p: Any) -> Any:
    gammaln = _special().gammaln
    return gammaln(k + n) - gammaln(n) - gammaln(k + 1) + n * np.log(p) + k * np.log1p(-p)


def _multivariate_normal(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    gap = x if mean is None else x - mean
    if allow_singular or np.ndim(gap) not in (1, 2) or np.ndim(cov) != 2:
        raise NoRuleError("multivariate_normal.logpdf of other than rows or a vector with a regular covariance matrix")
    d, logdet = cov.shape[0], np.linalg.slogdet(cov)[1]
    if np.ndim(gap) == 1:
        return -(gap @ np.linalg.solve(cov, gap) + logdet + d * LOG_2_PI) / 2
    return -(np.sum(gap * np.linalg.solve(cov, gap.T).T, axis=1) + logdet + d * LOG_2_PI) / 2


def _dirichlet(x: Any, alpha: Any) -> Any:
    gammaln = _special().gammaln
    return gammaln(np.sum(alpha)) - np.sum(gammaln(alpha)) + np.sum((alpha - 1) * np.log(x))


LOGARITHMS: dict[str, Callable[..., Any]] = {
    **{f"{name}.logpdf": _placed(density) for name, density in CONTINUOUS.items()},
    "poisson.logpmf": _poisson,
    "bernoulli.logpmf": _bernoulli,
    "binom.logpmf": _binom,
    "nbinom.logpmf": _nbinom,
    "multivariate_normal.logpdf": _multivariate_normal,
    "dirichlet.logpdf": _dirichlet,
}


def _standard(x: Any, loc: Any, scale: Any) -> Any:
    return x if _is(loc, 0) and _is(scale, 1) else (x - loc) / scale


def _of_normal(function: str, sign: int = 1) -> Callable[..., Any]:
    """A function of scipy.special of the standardised value, or of its negative."""

    def call(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
        z = _standard(x, loc, scale)
        return getattr(_special(), function)(z if sign == 1 else -z)

    return call


def _density(logarithm: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **options: np.exp(logarithm(*args, **options))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **LOGARITHMS,
    **{name.replace(".log", "."): _density(logarithm) for name, logarithm in LOGARITHMS.items()},
    "norm.cdf": _of_normal("ndtr"),
    "norm.logcdf": _of_normal("log_ndtr"),
    "norm.sf": _of_normal("ndtr", -1),
    "norm.logsf": _of_normal("log_ndtr", -1),
}
