#!/usr/bin/env bash
# Expected: scipy.linalg.expm of a symmetric 2 x 2 matrix of norm 5 has an error of a few roundings; condition number 1.6.
# What is so: SciPy 1.16.3 and 1.17.1 lose 3.5 digits (relative error 6.6e-13), SciPy 1.11.4 none (1.9e-16); other small
#   matrices of whole numbers, with norms from 2 on, lose as much.
# Why it matters: gradients through a matrix exponential (d tr(expm(X)) = expm(X)') carry that error, and comparisons
#   with a tolerance of 1e-13 fail for right derivatives.
# Cause, as far as seen from outside: not conditioning; the Pade approximation of degree 13 written as
#   1 + 2 u / (v - u), with the usual scaling, has an error of 7e-15 there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/measure.py" <<'PY'
import sys

import mpmath
import numpy as np
import scipy.linalg

mpmath.mp.dps = 50
matrices = ([[-1, 4], [4, 1]], [[2, -2, -4], [-2, -1, 4], [-3, 3, 3]], [[3, -2, 4], [-3, 4, -2], [4, -2, -3]])
worst = 0.0
for X in matrices:
    exact = np.array(mpmath.expm(mpmath.matrix(X)).tolist(), dtype=float)
    error = abs(scipy.linalg.expm(np.array(X, dtype=float)) - exact).max() / abs(exact).max()
    worst = max(worst, error)
    print(f"SciPy {scipy.__version__}: expm({X}) has a relative error of {error:.1e}")
sys.exit(int((worst > 1e-13) != (sys.argv[1] == "loses")))
PY
for pair in 1.11.4:keeps 1.16.3:loses 1.17.1:loses; do
  python3 -m venv "$folder/${pair%%:*}"
  "$folder/${pair%%:*}/bin/pip" -q install "scipy==${pair%%:*}" mpmath==1.3.0
  "$folder/${pair%%:*}/bin/python" "$folder/measure.py" "${pair##*:}"
done
