"""Objectives for scipy.optimize: packing, agreement of the parts, and fits beside closed forms."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import matcalc as mc
from matcalc.errors import MatcalcError, NoRuleError, ShapeError

optimize = pytest.importorskip("scipy.optimize")
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

LOGISTIC = "X: n x k\ny: n x 1\nw: k x 1\nsum(log(1 + exp(-y.*(X*w)))) + w'*w/2"
FACTORISATION = "U: m x k\nV: n x k\nT: m x n\nnorm2(U*V' - T)^2/2 + norm2(U)^2/10 + norm2(V)^2/10"


def factorisation(seed=0):
    rng = np.random.default_rng(seed)
    f = mc.derive(FACTORISATION, wrt=["U", "V"]).objective(T=rng.normal(size=(5, 4)), dims={"k": 2})
    return f, rng


def test_packing_stacks_columns_and_unpacks():
    f, rng = factorisation()
    U, V = rng.normal(size=(5, 2)), rng.normal(size=(4, 2))
    x = f.pack(U=U, V=V)
    assert np.array_equal(x[:5], U[:, 0])
    assert all(np.array_equal(a, b) for a, b in zip(f.unpack(x).values(), (U, V)))


def test_unpack_gives_the_form_that_was_packed():
    shapes = {"X": ("n", "k"), "w": ("k", 1), "b": (1, 1), "y": ("n", 1)}
    d = mc.derive("norm2(X*w + b - y)^2", wrt=["w", "b"], shapes=shapes)
    f = d.objective(X=np.ones((4, 3)), y=np.ones(4))
    parts = f.unpack(f.pack(w=np.arange(3.0), b=2.0))
    assert parts["w"].shape == (3,)
    assert parts["b"].shape == ()
    value, slope = f(f.pack(w=np.arange(3.0), b=2.0))
    assert value == 64.0
    assert f.unpack(slope)["w"].tolist() == [32.0] * 3
    assert f.unpack(f.pack(w=np.arange(3.0)[:, None], b=[[2.0]]))["w"].shape == (3, 1)


def test_parts_agree():
    f, rng = factorisation()
    x, v = rng.normal(size=18), rng.normal(size=18)
    value, slope = f(x)
    h = 1e-5
    assert value == pytest.approx(f.value(x))
    assert np.allclose(slope, f.gradient(x))
    assert (f.value(x + h * v) - f.value(x - h * v)) / (2 * h) == pytest.approx(slope @ v, rel=1e-6)
    H = f.hess(x)
    assert np.allclose(H, H.T)
    assert np.allclose(H @ v, f.hessp(x, v))
    assert np.allclose((f.gradient(x + h * v) - f.gradient(x - h * v)) / (2 * h), H @ v, atol=1e-6)


def test_logistic_regression_by_newton_cg_and_trust_region():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 3))
    y = np.sign(X @ [1.0, -2.0, 0.5] + rng.normal(size=60))
    f = mc.derive(LOGISTIC, wrt="w").objective(X=X, y=y)
    start = f.pack(w=np.zeros(3))
    found = optimize.minimize(f, start, jac=True, hessp=f.hessp, method="Newton-CG")
    again = optimize.minimize(f, start, jac=True, hess=f.hess, method="trust-exact")
    assert np.abs(f.gradient(found.x)).max() < 1e-4
    assert np.allclose(found.x, again.x, atol=1e-4)


def test_ridge_has_its_closed_form():
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(30, 4)), rng.normal(size=30)
    d = mc.derive("norm2(X*w - y)^2 + t*w'*w", shapes={"X": ("n", "k"), "w": ("k", 1), "y": ("n", 1), "t": (1, 1)})
    f = d.objective("w", X=X, y=y, t=0.5)
    found = optimize.minimize(f, f.pack(w=np.zeros(4)), jac=True, hess=f.hess, method="Newton-CG", tol=1e-10)
    assert np.allclose(found.x, np.linalg.solve(X.T @ X + 0.5 * np.eye(4), X.T @ y), atol=1e-6)


def test_matrix_factorisation_reaches_the_shrunk_singular_values():
    f, rng = factorisation(3)
    T = f.fixed["T"]
    found = optimize.minimize(f, rng.normal(size=18), jac=True, hessp=f.hessp, method="trust-ncg", tol=1e-10)
    parts = f.unpack(found.x)
    got = np.linalg.svd(parts["U"] @ parts["V"].T, compute_uv=False)[:2]
    assert np.allclose(got, np.linalg.svd(T, compute_uv=False)[:2] - 0.2, atol=1e-4)


def test_gaussian_maximum_likelihood_is_the_sample_covariance():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(200, 3)) @ np.array([[1, 0.5, 0], [0, 1, 0.3], [0, 0, 1]])
    source = "L: n x n nonsingular\nX: N x n\nS = L*L'\nN/2*logdet(S) + tr(X*inv(S)*X')/2"
    f = mc.derive(source, wrt="L").objective(X=X)
    found = optimize.minimize(f, f.pack(L=np.eye(3)), jac=True, method="BFGS", options={"gtol": 1e-6})
    L = f.unpack(found.x)["L"]
    assert np.allclose(L @ L.T, X.T @ X / 200, atol=1e-4)


def test_what_is_refused():
    d = mc.derive(LOGISTIC, wrt="w")
    X, y = np.ones((4, 2)), np.ones(4)
    with pytest.raises(MatcalcError, match="no value is given for y"):
        d.objective(X=X)
    with pytest.raises(MatcalcError, match="w cannot be fixed; the fixed variables are: X, y"):
        d.objective(X=X, y=y, w=np.ones(2))
    f = d.objective(X=X, y=y)
    with pytest.raises(ShapeError, match="must have 2 entries"):
        f(np.ones(3))
    with pytest.raises(ShapeError, match="w has the shape 3 x 1"):
        f.pack(w=np.ones(3))
    with pytest.raises(MatcalcError, match="the size k of U"):
        mc.derive(FACTORISATION, wrt=["U", "V"]).objective(T=np.ones((2, 2))).unpack(np.ones(3))
    with pytest.raises(NoRuleError, match="has a structure"):
        mc.derive("tr(S*S)", shapes={"S": ("n", "n")}, structure={"S": "symmetric"}).objective()
    with pytest.raises(ShapeError, match="objective needs a scalar"):
        mc.derive("X*w", shapes={"X": ("n", "k"), "w": ("k", 1)}).objective("w", X=X)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("fit_*.py")), ids=lambda p: p.stem)
def test_the_examples_agree_with_their_references(path):
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "largest" in done.stdout
