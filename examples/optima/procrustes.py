"""Orthogonal Procrustes: the rotation that takes one set of points nearest to another, with its multiplier.

python examples/optima/procrustes.py
"""

from __future__ import annotations

import numpy as np

import matcalc as mc


def main() -> None:
    """Print the answer, and find a rotation that is known."""
    o = mc.minimize("A: m x n; B: m x n; Q: n x n; norm2(A*Q - B)^2", over="Q", subject_to=["Q'*Q = eye(n)"])
    print(o)
    assert (str(o["Q"]), o.kind) == ("polar(A'*B)", "minimum")
    assert o.check()
    rng = np.random.default_rng(7)
    A = rng.standard_normal((30, 3))
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    B = A @ turn + 1e-3 * rng.standard_normal((30, 3))
    found = o.function()(A=A, B=B)["Q"]
    print("distance from the rotation that made the data:", np.linalg.norm(found - turn).round(5))
    assert np.allclose(found, turn, atol=1e-2)


if __name__ == "__main__":
    main()
