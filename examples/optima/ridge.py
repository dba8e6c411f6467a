"""Ridge regression from the gradient to the answer: the optimum, the proof, and its derivative by the penalty.

    python examples/optima/ridge.py

The penalty is then chosen by Newton's method on the loss of a validation set.
"""

from __future__ import annotations

import numpy as np

import matcalc as mc

RIDGE = "X: n x p; y: n x 1; w: p x 1; c: 1 x 1 positive; norm2(X*w - y)^2 + c*norm2(w)^2"
VALIDATION = """
X: n x p; y: n x 1; c: 1 x 1 positive; Z: m x p; v: m x 1
w: p x 1 minimizes norm2(X*w - y)^2 + c*norm2(w)^2
norm2(Z*w - v)^2
"""


def main() -> None:
    """Print the chain, and check it with numbers."""
    o = mc.minimize(RIDGE, over="w")
    print(o)
    c = mc.derive(RIDGE, wrt="w").curvature()
    print(c)
    assert (o.kind, o.unique, c.status) == ("minimum", True, "strongly convex")
    assert o.check()

    d = mc.derive(VALIDATION, wrt="c")
    print("the validation loss by the penalty:", d.gradient("c"))
    assert d.check()
    rng = np.random.default_rng(1)
    X, Z = rng.standard_normal((40, 8)), rng.standard_normal((40, 8))
    w = rng.standard_normal((8, 1))
    y, v = X @ w + 3 * rng.standard_normal((40, 1)), Z @ w + 3 * rng.standard_normal((40, 1))
    slope, bend = d.function("gradient"), d.function("hessian")
    penalty = 1.0
    for _ in range(40):
        data = {"X": X, "y": y, "Z": Z, "v": v, "c": penalty}
        step = float(slope(**data)["c"]) / abs(np.asarray(bend(**data)["c"]).item())
        penalty = max(penalty / 4, min(4 * penalty, penalty - step))
    print(f"the best penalty: {penalty:.4f}, where the slope is {float(slope(**data)['c']):.1e}")
    assert abs(float(slope(**data)["c"])) < 1e-8


if __name__ == "__main__":
    main()
