"""Ridge regression with several outputs: Newton's method with our Hessian, beside the closed form and scikit-learn.

    python examples/fit_ridge.py

The Hessian is constant, so `scipy.optimize.minimize` needs a step or two. Its formula says more than its entries:
2 (t I + I (x) X'X), one small matrix for every output. It needs SciPy; scikit-learn is optional.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.optimize import minimize

import matcalc as mc

try:
    from sklearn.linear_model import Ridge
except ImportError:  # then only the closed form is compared
    Ridge = None

SOURCE = """
X: n x p constant
Y: n x q constant
t: 1 x 1 constant
W: p x q

E = X*W - Y
f = norm2(E)^2 + t*norm2(W)^2
"""


def main() -> int:
    """Fit, compare; 0 where all fits agree."""
    random = np.random.default_rng(0)
    X, Y, t = random.normal(size=(200, 6)), random.normal(size=(200, 3)), 2.5
    d = mc.derive(SOURCE, wrt="W")
    print(f"gradient: {d.gradient('W')}")
    print(f"Hessian:  {d.hessian('W')}")

    f = d.objective(X=X, Y=Y, t=t)
    fit = minimize(f, f.pack(W=np.zeros((6, 3))), jac=True, hess=f.hess, method="trust-exact", tol=1e-10)
    W = f.unpack(fit.x)["W"]

    found = {"the closed form": np.linalg.solve(X.T @ X + t * np.eye(6), X.T @ Y)}
    if Ridge is not None:
        found["scikit-learn"] = Ridge(alpha=t, fit_intercept=False).fit(X, Y).coef_.T
    for name, other in found.items():
        print(f"largest difference from {name}: {np.abs(W - other).max():.1e}")
    return int(any(np.abs(W - other).max() > 1e-8 for other in found.values()))


if __name__ == "__main__":
    sys.exit(main())
