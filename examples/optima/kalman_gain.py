"""The Kalman gain: the minimiser of the expected squared error of a filter's update.

    python examples/optima/kalman_gain.py

For any gain K the error of the update x + K (z - H x) has the covariance (I - K H) P (I - K H)' + K R K'; the Kalman
gain is the minimiser of its trace.
"""

from __future__ import annotations

import matcalc as mc

DECLARED = "K: n x m; H: m x n; P: n x n spd; R: m x m spd"
ERROR = "(eye(n) - K*H)*P*(eye(n) - K*H)' + K*R*K'"


def main() -> None:
    """Print the gain with its proof, and the code that solves for it."""
    o = mc.minimize(f"{DECLARED}; tr({ERROR})", over="K")
    print(o)
    assert (str(o["K"]), o.kind, o.unique) == ("P*H'*inv(R + H*P*H')", "minimum", True)
    assert o.check()
    verdict = mc.prove(f"H: m x n; P: n x n spd; R: m x m spd; ({o['K']})*(R + H*P*H') = P*H'")
    print(f"{verdict.status}: K (H P H' + R) = P H'")
    assert verdict.status == "proved"
    print(o.code())


if __name__ == "__main__":
    main()
