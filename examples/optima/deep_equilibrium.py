"""A deep equilibrium layer z = tanh(W z + U x + b): gradients through the equation, and a fit.

    python examples/optima/deep_equilibrium.py

The adjoint is one linear system at the solution, whatever the number of steps that the solver took.
"""

from __future__ import annotations

import numpy as np

import matcalc as mc

LAYER = """
W: h x h; U: h x k; x: k x 1; b: h x 1; V: m x h; y: m x 1
z: h x 1 solves z = tanh(W*z + U*x + b)
norm2(V*z - y)^2/2
"""


def main() -> None:
    """Print the gradients, check them against differences of the solved equation, and descend."""
    d = mc.derive(LAYER, wrt=["W", "b", "V"])
    for name in ("W", "b", "V"):
        print(f"by {name}:", d.gradient(name))
    assert d.check()
    f = d.function("value_and_grad")
    rng = np.random.default_rng(2)
    data = {
        "W": 0.3 * rng.standard_normal((4, 4)),
        "U": rng.standard_normal((4, 2)),
        "x": rng.standard_normal((2, 1)),
        "b": np.zeros((4, 1)),
        "V": rng.standard_normal((3, 4)),
        "y": np.array([[0.5], [-0.2], [0.1]]),
    }
    losses = []
    for _ in range(200):
        loss, gradients = f(**data)
        losses.append(float(loss))
        for name, g in gradients.items():
            data[name] = data[name] - 0.1 * g
    print(f"the loss falls from {losses[0]:.3f} to {losses[-1]:.1e}")
    assert losses[-1] < 1e-6 * losses[0]


if __name__ == "__main__":
    main()
