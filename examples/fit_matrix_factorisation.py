"""A matrix as a product of two thin ones, with a ridge penalty: trust-region Newton, beside the closed form.

    python examples/fit_matrix_factorisation.py
    python examples/fit_matrix_factorisation.py --rank 5

The best penalised factors are known: the product has the leading singular vectors, and their singular values less the
penalty. The objective is not convex, but it has no other minima. It needs SciPy.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from scipy.optimize import minimize

import matcalc as mc

SOURCE = """
T: m x n constant
t: 1 x 1 constant
U: m x k
V: n x k

E = U*V' - T
f = norm2(E)^2/2 + t/2*(norm2(U)^2 + norm2(V)^2)
"""


def main() -> int:
    """Fit, compare; 0 where the fit is the shrunk singular value decomposition."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=40)
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--rank", type=int, default=3)
    parser.add_argument("--penalty", type=float, default=1.0)
    options = parser.parse_args()
    m, n, k = options.rows, options.columns, options.rank
    random = np.random.default_rng(0)
    T = random.normal(size=(m, k)) @ random.normal(size=(k, n)) + random.normal(size=(m, n)) / 4

    d = mc.derive(SOURCE, wrt=["U", "V"])
    print(f"gradients: {d.gradient('U')}  and  {d.gradient('V')}")
    f = d.objective(T=T, t=options.penalty)
    start = f.pack(U=random.normal(size=(m, k)), V=random.normal(size=(n, k)))
    fit = minimize(f, start, jac=True, hessp=f.hessp, method="trust-ncg", options={"gtol": 1e-8, "maxiter": 500})
    parts = f.unpack(fit.x)

    left, values, right = np.linalg.svd(T, full_matrices=False)
    best = left[:, :k] * np.maximum(values[:k] - options.penalty, 0) @ right[:k]
    difference = np.abs(parts["U"] @ parts["V"].T - best).max()
    print(f"{fit.nit} steps; largest difference from the shrunk singular value decomposition: {difference:.1e}")
    return int(difference > 1e-6)


if __name__ == "__main__":
    sys.exit(main())
