"""Maximum likelihood of a Gaussian: mean and covariance in closed form, and why they are the maximum.

    python examples/optima/gaussian.py

The log-likelihood is not concave in the covariance; it is in its inverse, and that is how the maximum is proved.
"""

from __future__ import annotations

import numpy as np

import matcalc as mc

DECLARED = "X: n x p; m: p x 1; S: p x p spd"
LIKELIHOOD = "-n/2*logdet(S) - tr((X - ones(n,1)*m')*inv(S)*(X - ones(n,1)*m')')/2"


def main() -> None:
    """Print the maximum with its proof, and compare it with NumPy's mean and covariance."""
    o = mc.maximize(f"{DECLARED}; {LIKELIHOOD}", over=["m", "S"])
    print(o)
    assert (o.kind, o.unique) == ("maximum", True)
    assert o.check()
    X = np.random.default_rng(3).standard_normal((50, 3)) @ np.array([[2.0, 0, 0], [1, 1, 0], [0, 0.3, 0.5]])
    found = o.function()(X=X)
    assert np.allclose(found["m"].ravel(), X.mean(axis=0))
    assert np.allclose(found["S"], np.cov(X.T, bias=True))
    print("curvature in the covariance:", mc.derive(f"{DECLARED}; {LIKELIHOOD}", wrt="S").curvature().status)
    precision = LIKELIHOOD.replace("logdet(S)", "logdet(inv(L))").replace("inv(S)", "L")
    print(
        "curvature in its inverse:",
        mc.derive(f"X: n x p; m: p x 1; L: p x p spd; {precision}", wrt="L").curvature().status,
    )


if __name__ == "__main__":
    main()
