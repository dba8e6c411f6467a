"""Logistic regression with a ridge penalty: Newton's method with our Hessian-vector products, beside scikit-learn.

    python examples/fit_logistic_regression.py
    python examples/fit_logistic_regression.py --rows 20000 --columns 100

The loss, its gradient and the product with its Hessian are generated from examples/logistic_regression.txt. They are
what `scipy.optimize.minimize(method="Newton-CG")` asks for. It needs SciPy, and scikit-learn for the comparison.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

import matcalc as mc

try:
    from sklearn.linear_model import LogisticRegression
except ImportError:  # then only the gradient is shown
    LogisticRegression = None

SOURCE = Path(__file__).with_name("logistic_regression.txt")


def main() -> int:
    """Fit, compare; 0 where the two fits agree."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--penalty", type=float, default=0.01, help="c in the source (default 0.01)")
    options = parser.parse_args()
    random = np.random.default_rng(0)
    X = random.normal(size=(options.rows, options.columns))
    truth = random.normal(size=options.columns)
    y = (random.random(options.rows) < 1 / (1 + np.exp(-X @ truth))).astype(float)

    f = mc.derive(SOURCE.read_text(encoding="utf-8"), wrt="w").objective(X=X, y=y, c=options.penalty)
    start = f.pack(w=np.zeros(options.columns))
    fit = minimize(f, start, jac=True, hessp=f.hessp, method="Newton-CG", options={"xtol": 1e-10})
    w = f.unpack(fit.x)["w"]

    size = np.abs(f.gradient(fit.x)).max()
    print(f"{fit.nit} steps, {fit.nhev} products with the Hessian; loss {fit.fun:.12f}, largest slope {size:.1e}")
    if LogisticRegression is None:
        return int(size > 1e-6)
    strength = 1 / (options.penalty * options.rows)  # scikit-learn adds the losses, and weighs them
    other = LogisticRegression(C=strength, fit_intercept=False, solver="newton-cholesky", tol=1e-12).fit(X, y)
    difference = np.abs(w - other.coef_[0]).max()
    print(f"largest difference from scikit-learn: {difference:.1e}")
    return int(difference > 1e-6)


if __name__ == "__main__":
    sys.exit(main())
