"""Where generated code puts its values: memory that is reused, symmetric products, one factorisation, small corners."""

import subprocess
import sys

import numpy as np
import pytest

import matcalc as mc

LOGISTIC = "X: n x k\ny: n x 1\nw: k x 1\nsum(log(1 + exp(-y.*(X*w))))"
NETWORK = (
    "X: n x p\nY: n x c row-stochastic\nW1: p x q\nb1: 1 x q\nW2: q x c\n"
    "h = sigmoid(X*W1 + b1)\nP = softmax(h*W2, 2)\n-sum(Y.*log(P))"
)


def body(source, kind="gradient", **options):
    text = mc.derive(source, **options).code(kind)
    return text[text.index("def ") : text.index("def _inputs")]


def test_memory_that_nobody_reads_any_more_is_reused():
    text = body(NETWORK, wrt=["W1", "b1", "W2"])
    assert "_sigmoid(h, out=h)" in text
    assert "= np.subtract(1, h, out=h)" in text
    assert text.index("h.T @ ") < text.index("np.subtract(1, h, out=h)")


def test_a_view_keeps_the_memory_of_what_it_shows():
    d = mc.derive("X: n x n\nA: n x n\nv = vec(1 - X.^2)\nB = tanh(A*X)\nsum(B.*B) + sum(v.^3)", wrt="X")
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(size=(3, 3)) for name in ("X", "A")}
    plain = d.function()(**arrays)
    turned = d.function()(**{k: np.asfortranarray(a) for k, a in arrays.items()})
    assert plain[0] == pytest.approx(d.evaluate(**arrays))
    assert np.allclose(plain[1]["X"], turned[1]["X"])
    assert d.check().ok


def test_gram_matrices_are_symmetric_products():
    text = body(LOGISTIC, "hessian", wrt="w")
    assert "_weighted_gram(X, " in text
    f = mc.derive(LOGISTIC, wrt="w").function("hessian")
    rng = np.random.default_rng(0)
    for n, k in ((5, 3), (600, 20)):
        X, y, w = rng.normal(size=(n, k)), np.sign(rng.normal(size=n)), rng.normal(size=k)
        p = 1 / (1 + np.exp(-X @ w))
        assert np.allclose(f(X=X, y=y, w=w)["w"], (X.T * (p * (1 - p))) @ X)


def test_slopes_of_sigmoids_do_not_cancel():
    f = mc.derive("sum(softplus(x))", shapes={"x": ("n", 1)}).function("hessian")
    for x in (30.0, -30.0):
        assert f(x=np.array([x]))["x"][0, 0] == pytest.approx(np.exp(-30.0), rel=1e-10)


def test_kronecker_factors_stay_factors():
    source = "U: m x k\nV: n x k\nT: m x n\nE = U*V' - T\nsum(E.*E)"
    text = body(source, "hessian", wrt="U")
    assert "_kron_eye(" in text
    rng = np.random.default_rng(0)
    U, V, T = rng.normal(size=(4, 2)), rng.normal(size=(3, 2)), rng.normal(size=(4, 3))
    got = mc.derive(source, wrt="U").function("hessian")(U=U, V=V, T=T)["U"]
    assert np.allclose(got, np.kron(2 * V.T @ V, np.eye(4)))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_one_factor_for_a_positive_definite_matrix(dtype):
    source = "S: n x n positive-definite\nX: N x n\nN/2*logdet(S) + tr(X*inv(S)*X')/2"
    assert body(source, "value_and_grad", wrt="S").count("np.linalg.cholesky(") == 1
    rng = np.random.default_rng(0)
    A, X = rng.normal(size=(4, 4)), rng.normal(size=(6, 4))
    S = A @ A.T + np.eye(4)
    value, slope = mc.derive(source, wrt="S").function()(S=S.astype(dtype), X=X.astype(dtype))
    P = np.linalg.inv(S)
    tolerance = 1e-9 if dtype is np.float64 else 1e-3
    assert value == pytest.approx(3 * np.linalg.slogdet(S)[1] + np.trace(X @ P @ X.T) / 2, rel=tolerance)
    assert slope["S"].dtype == dtype
    assert np.allclose(slope["S"], 3 * P - P @ X.T @ X @ P / 2, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("sizes", [{"n": 1, "p": 1, "q": 1, "c": 1}, {"n": 0, "p": 2, "q": 3, "c": 2}])
def test_one_row_one_column_and_no_rows(sizes):
    d = mc.derive(NETWORK, wrt=["W1", "b1", "W2"])
    shapes = {
        name: [sizes[str(s)] if not isinstance(s, int) else s for s in v.shape] for name, v in d.graph.declared.items()
    }
    value, gradients = d.function()(**{name: np.ones(shape) for name, shape in shapes.items()})
    assert np.isfinite(value)
    assert all(g.shape == tuple(shapes[name]) and np.isfinite(g).all() for name, g in gradients.items())


def test_inputs_are_never_written_to():
    d = mc.derive(NETWORK, wrt=["W1", "b1", "W2"])
    rng = np.random.default_rng(0)
    arrays = {
        name: rng.normal(size=[3 if not isinstance(s, int) else s for s in v.shape])
        for name, v in d.graph.declared.items()
    }
    for a in arrays.values():
        a.flags.writeable = False
    every_second = {k: np.repeat(np.repeat(a, 2, 0), 2, 1)[::2, ::2] for k, a in arrays.items()}
    first, second = d.function()(**arrays), d.function()(**every_second)
    assert all(np.allclose(first[1][k], second[1][k]) for k in first[1])


@pytest.mark.parametrize("kind", ["value_and_grad", "hessian", "hvp"])
@pytest.mark.parametrize("source", [LOGISTIC, NETWORK])
def test_generated_code_is_clean_and_formatted(source, kind, tmp_path):
    file = tmp_path / "generated.py"
    file.write_text(
        mc.derive(source, wrt=["w"] if source is LOGISTIC else ["W1", "b1", "W2"]).code(kind).rstrip() + "\n"
    )
    for arguments in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--isolated", "--line-length", "120", str(file)]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0
