#!/usr/bin/env bash
# Expected: x' P x with a constant positive semidefinite P is convex for CVXPY, however the shape of x is written.
# So it is: for a Variable(3) it is CONVEX, for the column Variable((3, 1)) the same product is UNKNOWN, and a problem
#   with it is refused as not DCP; quad_form takes both. Also x' x of a Variable(3) is UNKNOWN, where x' P x with P = I is not.
# Version: cvxpy 1.9.3 with numpy 2.3.5, Python 3.11.
# Why it matters: formulas from papers use columns; a model is accepted or refused by a shape that means the same, and a
#   comparison of what provers certify depends on it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet cvxpy==1.9.3 numpy==2.3.5
"$folder/env/bin/python" - <<'PYTHON'
import cvxpy as cp
import numpy as np

P = np.diag([1.0, 2.0, 3.0])
flat, column = cp.Variable(3), cp.Variable((3, 1))
found = {
    "x' P x, x of shape (3,)": (flat.T @ P @ flat).curvature,
    "x' P x, x of shape (3, 1)": (column.T @ P @ column).curvature,
    "quad_form, x of shape (3, 1)": cp.quad_form(column, P).curvature,
    "x' x, x of shape (3,)": (flat.T @ flat).curvature,
    "sum_squares, x of shape (3,)": cp.sum_squares(flat).curvature,
}
for what, curvature in found.items():
    print(f"{what:32s} {curvature}")
problem = cp.Problem(cp.Minimize(cp.sum(column.T @ P @ column)), [cp.sum(column) == 1])
print("the problem with the column is DCP:", problem.is_dcp())
assert list(found.values()) == ["CONVEX", "UNKNOWN", "CONVEX", "UNKNOWN", "CONVEX"], found
assert not problem.is_dcp()
PYTHON
