"""Functions as they are written in practice, through the door for Python functions, against themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import public_code
import pytest

import matcalc as mc

pytest.importorskip("scipy")
from scipy.stats import multivariate_normal, poisson

GLM = {"beta": "p", "X": "n x p", "y": "n"}
FILTER = {"A": "n x n", "x": "n", "P": "n x n", "Q": "n x n", "C": "m x n", "R": "m x m", "y": "m"}
DEFINITE = dict.fromkeys("PQR", "pd")
BLOCK = {
    **{"x": "t x d", "Wq": "d x k", "Wk": "d x k", "Wv": "d x k", "Wo": "k x d", "W1": "d x f", "W2": "f x d"},
    **{"b1": "f", "b2": "d", "g1": "d", "c1": "d", "g2": "d", "c2": "d", "mask": "t x t"},
}
PROCESS = {"X": "n x p", "y": "n"}
# By what it is differentiated, the shapes, and the facts.
CASES: dict[str, tuple[Any, dict[str, Any], dict[str, str]]] = {
    "gaussian": ("beta", {**GLM, "sigma2": ()}, {"sigma2": "positive"}),
    "bernoulli_logit": ("beta", GLM, {}),
    "bernoulli_probit": ("beta", GLM, {}),
    "bernoulli_probit_by_norm": ("beta", GLM, {}),
    "poisson_log": ("beta", GLM, {"y": "positive"}),
    "poisson_offset": ("beta", {**GLM, "exposure": "n"}, {"y": "positive", "exposure": "positive"}),
    "gamma_log": ("beta", {**GLM, "alpha": ()}, {"y": "positive", "alpha": "positive"}),
    "inverse_gaussian": ("beta", {**GLM, "lam": ()}, {"y": "positive", "lam": "positive"}),
    "negative_binomial": ("beta", {**GLM, "alpha": ()}, {"y": "positive", "alpha": "positive"}),
    "multinomial_logit": ("B", {"B": "p x c", "X": "n x p", "Y": "n x c"}, {}),
    "cloglog": ("beta", GLM, {}),
    "elastic_net": ("beta", {**GLM, "alpha": (), "rho": ()}, {}),
    "weighted_ridge": ("beta", {**GLM, "w": "n", "lam": ()}, {"w": "positive"}),
    "tweedie_deviance": ("beta", GLM, {"y": "positive"}),
    "transformer_block": (["Wq", "Wo", "W1", "g1", "b2"], BLOCK, {}),
    "kalman_step": (["A", "P", "R"], FILTER, DEFINITE),
    "kalman_update": (["A", "y"], FILTER, DEFINITE),
    "gp_rbf": (["log_ell", "log_sf", "log_sn"], {"log_ell": (), "log_sf": (), "log_sn": (), **PROCESS}, {}),
    "gp_rational_quadratic": (
        ["ell", "alpha", "sn"],
        {"ell": (), "alpha": (), "sn": (), **PROCESS},
        dict.fromkeys(("ell", "alpha", "sn"), "positive"),
    ),
    "gp_linear": (["c", "s", "sn"], {"c": "p", "s": (), "sn": (), **PROCESS}, {"s": "positive", "sn": "positive"}),
    "gp_periodic": (
        ["ell", "period", "sn"],
        {"ell": (), "period": (), "sn": (), "t": "n", "y": "n"},
        dict.fromkeys(("ell", "period", "sn"), "positive"),
    ),
    "training_loss": ("weights", {"weights": "p", "inputs": "n x p", "targets": "n"}, {}),
    "mlp": (
        ["W1", "b1", "W2", "b2"],
        {"W1": "p x h", "b1": "h", "W2": "h x c", "b2": "c", "X": "n x p", "Y": "n x c"},
        {},
    ),
    "rosenbrock": ("x", {"x": "n"}, {}),
}


@pytest.mark.parametrize("name", CASES)
def test_public_code_is_read_as_what_it_computes(name: str) -> None:
    wrt, shapes, facts = CASES[name]
    function = getattr(public_code, name)
    d = mc.derive(function, wrt=wrt, shapes=shapes, facts=facts)
    report = d.check(trials=2, against=function)
    assert report.ok, report.reason


def test_every_function_of_the_file_is_tried() -> None:
    helpers = {"layer_norm", "softmax", "gelu", "attention", "sqdist", "marginal", "logistic_predictions"}
    own = {name for name, f in vars(public_code).items() if getattr(f, "__module__", "") == "public_code"}
    assert own == set(CASES) | helpers


@pytest.mark.parametrize("seed", range(4))
def test_a_function_that_oscillates_is_not_called_wrong(seed: int) -> None:
    wrt, shapes, facts = CASES["gp_periodic"]
    d = mc.derive(public_code.gp_periodic, wrt=wrt, shapes=shapes, facts=facts)
    assert d.check(trials=3, seed=seed, against=public_code.gp_periodic).ok


def test_another_function_is_still_called_wrong() -> None:
    d = mc.derive(public_code.rosenbrock, wrt="x", shapes={"x": "n"})
    report = d.check(against=lambda x: public_code.rosenbrock(x) + 1e-3 * x[0])
    assert not report.ok
    assert "the function gives" in report.reason


ON_THE_LINE = ["norm.logpdf(x)", "norm.logpdf(x, m, s)", "norm.logpdf(x, loc=m, scale=s)", "norm(m, s).logpdf(x)"]
ON_THE_LINE += ["norm.pdf(x, m)", "norm.cdf(x, m, s)", "norm.cdf(x, scale=2)", "norm.logcdf(x, m, s)"]
ON_THE_LINE += [
    "norm.logsf(x, m, s)",
    "norm.sf(x)",
    "t.logpdf(x, s, m, 2)",
    "t.logpdf(x, df=s)",
    "cauchy.logpdf(x, m, s)",
]
ON_THE_LINE += [
    "cauchy.logpdf(x, m, s)",
    "laplace.logpdf(x, m, s)",
    "logistic.logpdf(x, m, s)",
    "gumbel_r.logpdf(x, m, s)",
    "norm(x).cdf(1)",
]
POSITIVE = ["gamma.logpdf(z, s)", "gamma.logpdf(z, s, scale=2)", "gamma.pdf(z, 2)", "expon.logpdf(z, scale=s)"]
POSITIVE += ["lognorm.logpdf(z, s)", "lognorm.logpdf(z, 0.5, scale=s)", "invgamma.logpdf(z, s)", "chi2.logpdf(z, s)"]
POSITIVE += ["weibull_min.logpdf(z, s)", "rayleigh.logpdf(z)", "halfnorm.logpdf(z, scale=s)", "poisson.logpmf(4, s)"]
POSITIVE += ["nbinom.logpmf(3, s, 0.4)", "pareto.logpdf(1 + z, s)", "beta.logpdf(z/(1 + z), s, 2)"]
POSITIVE += ["poisson.pmf(3, z)", "binom.logpmf(2, 5, z/(1 + z))", "bernoulli.logpmf(1, z/(1 + z))"]
NAMES = "bernoulli, beta, binom, cauchy, chi2, expon, gamma, gumbel_r, halfnorm, invgamma, laplace, logistic, lognorm"
NAMES += ", nbinom, norm, pareto, poisson, rayleigh, t, weibull_min"


@pytest.mark.parametrize("written", [*ON_THE_LINE, *POSITIVE])
def test_functions_of_distributions(written: str) -> None:
    space: dict[str, Any] = {"__name__": "user"}
    exec(
        f"import numpy as np\nfrom scipy.stats import {NAMES}\ndef f(x, z, m, s):\n    return np.sum({written})\n",
        space,
    )
    shapes = {"x": "n", "z": "n", "m": (), "s": ()}
    d = mc.derive(space["f"], wrt=["x", "z", "m", "s"], shapes=shapes, facts={"s": "positive", "z": "positive"})
    assert d.check(against=space["f"], trials=2).ok


@pytest.mark.parametrize("points", [("n", "p"), "p"])
def test_normal_density_of_several_variables(points: Any) -> None:
    def f(x, m, S):
        return np.sum(multivariate_normal.logpdf(x, m, S))

    d = mc.derive(f, wrt=["x", "m"], shapes={"x": points, "m": "p", "S": ("p", "p")}, facts={"S": "spd"})
    assert d.check(against=f, trials=2).ok
    assert "log(2*pi)" in str(d.output)


def test_counts_of_the_data() -> None:
    def f(X, w, k):
        return -np.sum(poisson.logpmf(k, np.exp(X @ w)))

    d = mc.derive(f, wrt="w", shapes={"X": "n x p", "w": "p", "k": "n"})
    X, w, k = np.array([[1.0, 0.5], [0.2, -1.0], [0.3, 0.3]]), np.array([0.4, -0.7]), np.array([2.0, 0.0, 5.0])
    value, slope = d.function("value_and_grad")(X=X, w=w, k=k)
    assert np.isclose(value, f(X, w, k))
    assert np.allclose(slope["w"], X.T @ (np.exp(X @ w) - k))


@pytest.mark.parametrize(
    "written", ["skewnorm.logpdf(x, 2)", "norm.ppf(x)", "norm.logpdf(x, 1, 2, 3)", "norm.entropy(x)"]
)
def test_other_functions_of_distributions_are_refused(written: str) -> None:
    space: dict[str, Any] = {"__name__": "user"}
    exec(
        f"import numpy as np\nfrom scipy.stats import norm, skewnorm\ndef f(x):\n    return np.sum({written})\n", space
    )
    with pytest.raises(mc.MatcalcError):
        mc.derive(space["f"], wrt="x", shapes={"x": "n"})
