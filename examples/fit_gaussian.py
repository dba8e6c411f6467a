"""The mean and the covariance of a Gaussian by maximum likelihood, beside scikit-learn and the closed form.

    python examples/fit_gaussian.py

The covariance moves as S = L L' with a free square matrix L, so that every step stays positive definite; the optimum
is the empirical covariance. It needs SciPy; scikit-learn is optional.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.optimize import minimize

import matcalc as mc

try:
    from sklearn.covariance import EmpiricalCovariance
except ImportError:  # then only the closed form is compared
    EmpiricalCovariance = None

SOURCE = """
X: n x d constant
mu: 1 x d
L: d x d nonsingular

S = L*L'
E = X - mu
f = logdet(S)/2 + tr(inv(S)*E'*E)/(2*n)
"""


def main() -> int:
    """Fit, compare; 0 where all fits agree."""
    random = np.random.default_rng(0)
    d = 4
    X = random.normal(size=(300, d)) @ random.normal(size=(d, d)) + np.arange(d)
    f = mc.derive(SOURCE, wrt=["mu", "L"]).objective(X=X)
    start = f.pack(mu=X[0], L=np.diag(X.std(axis=0)))
    fit = minimize(f, start, jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 1000})
    parts = f.unpack(fit.x)
    mean, covariance = parts["mu"], parts["L"] @ parts["L"].T

    found = {"the closed form": (X.mean(axis=0), np.cov(X.T, bias=True))}
    if EmpiricalCovariance is not None:
        other = EmpiricalCovariance().fit(X)
        found["scikit-learn"] = (other.location_, other.covariance_)
    print(f"{fit.nit} steps, {fit.nfev} values and gradients; negative log-likelihood per row {fit.fun:.8f}")
    worst = 0.0
    for name, (location, spread) in found.items():
        difference = max(np.abs(mean - location).max(), np.abs(covariance - spread).max())
        print(f"largest difference from {name}: {difference:.1e}")
        worst = max(worst, difference)
    return int(worst > 1e-4)


if __name__ == "__main__":
    sys.exit(main())
