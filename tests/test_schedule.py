"""Where generated code puts its values: memory that is reused, symmetric products, one factorisation, small corners."""

import re
import subprocess
import sys

import numpy as np
import pytest

import matcalc as mc
from matcalc.emit.module import compile_function, numpy_source

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
    assert "_softmax(P, axis=1, out=P)" in text
    assert "= _one_plus_exp(Z_h, out=Z_h)" in text
    assert text.index("h = _sigmoid(Z_h)") < text.index("_one_plus_exp(Z_h, out=Z_h)")


def test_products_take_memory_that_nobody_reads_any_more():
    text = body("X: n x p\nY: n x p\nW: p x p\nV: p x p\nh = tanh(X*W)\nsum((tanh(h*V) - Y).^2)/2", wrt=["W", "V"])
    assert re.search(r"g_h = np\.matmul\((\w+), V\.T, out=squared_cosh_\w+\)", text)


def test_what_a_sum_reads_beside_it_is_overwritten_by_the_rest():
    source = "X: n x d\nQ: d x k\nK: d x k\nP = softmax(X*Q*(X*K)', 2)\nsum((P*X).^2)/2"
    text = body(source, wrt=["Q", "K"])
    assert re.search(r'np\.subtract\((\w+), np\.einsum\("ij,ij->i", P, \1\)\[:, None\], out=\1\)', text)
    for wrt in ("Q", "K"):
        assert mc.derive(source, wrt=wrt).check().ok


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
    assert body(source, "value_and_grad", wrt="S").count("_cholesky(S)") == 1
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


# ------------------------------------------------------------------------------------------------ operation counts


FACTORISATION = "U: m x k\nV: n x k\nT: m x n\nE = U*V' - T\nsum(E.*E)"


def code_for(source, sizes, kind="gradient", **options):
    """The code for sizes that are known, and the function."""
    d = mc.derive(source, **options)
    derivatives = {name: d.adjoint(name).value for name in d.names}
    text = numpy_source(d.output, derivatives, kind, list(d.graph.declared.values()), sizes=sizes)
    return text, compile_function(text)


@pytest.mark.parametrize("sizes", [(7, 6, 2), (30, 20, 2), (1, 20, 2), (5, 1, 1)])
@pytest.mark.parametrize("penalty", ["", " + l*sum(U.*U)"])
@pytest.mark.parametrize("wrt", [["U", "V"], ["U"], ["V"]])
def test_residuals_of_low_rank(sizes, penalty, wrt):
    m, n, k = sizes
    rng = np.random.default_rng(0)
    arrays = {"U": rng.normal(size=(m, k)), "V": rng.normal(size=(n, k)), "T": rng.normal(size=(m, n))}
    source = FACTORISATION.replace("V: n", "l: 1 x 1 constant\nV: n") + penalty if penalty else FACTORISATION
    if penalty:
        arrays["l"] = 0.5
    E = arrays["U"] @ arrays["V"].T - arrays["T"]
    expected = {"U": 2 * E @ arrays["V"] + (arrays["U"] if penalty else 0), "V": 2 * E.T @ arrays["U"]}
    known = code_for(source, {"m": m, "n": n, "k": k}, wrt=wrt)[1]
    for f in (known, mc.derive(source, wrt=wrt).function("gradient")):
        assert all(np.allclose(g, expected[name]) for name, g in f(**arrays).items())


def test_the_form_follows_the_operation_counts():
    assert "if 2 * k * (m + n) < m * n:" in body(FACTORISATION, wrt=["U", "V"])
    assert "if " not in body(FACTORISATION, "value_and_grad", wrt=["U", "V"])  # the value needs the residual
    assert "if " not in body("X: n x p\nY: n x c\nW: p x c\nE = X*W - Y\nsum(E.*E)", wrt="W")  # p is given by the data
    small, _ = code_for(FACTORISATION, {"m": 500, "n": 400, "k": 10}, wrt=["U", "V"])
    assert "U @ V.T" not in small
    assert "V.T @ V" in small
    large, _ = code_for(FACTORISATION, {"m": 50, "n": 40, "k": 30}, wrt=["U", "V"])
    assert "U @ V.T" in large


def test_chains_follow_the_sizes_that_are_given():
    source = "A: m x n\nB: n x p\nC: p x q\nsum(exp(A*B*C))"
    assert "(A @ B) @ C" in code_for(source, {"m": 2, "n": 500, "p": 500, "q": 500}, "value", wrt="A")[0]
    assert "A @ (B @ C)" in code_for(source, {"m": 500, "n": 500, "p": 500, "q": 2}, "value", wrt="A")[0]


def test_products_with_their_transposes_are_sums_of_squares():
    assert "Xx = X @ x\n    value = np.vdot(Xx, Xx)" in body("X: m x n\nx: n x 1\nx'*X'*X*x", "value_and_grad", wrt="x")
    text = body("A: m x n\nB: n x p\nC: p x q\ntr(A*B*C*C'*B'*A')", "value_and_grad", wrt="B")
    assert "value = np.vdot(ABC, ABC)" in text
    assert "g_B = A.T @ ABC @ C.T" in text


def test_what_is_a_transpose_is_computed_once():
    text = body("X: n x p\nY: n x c\nW: p x c\nsum((X*W - Y).^2)", "value_and_grad", wrt=["X", "W"])
    assert text.count("X @ W") == 1
    assert "W.T @ X.T" not in text


def test_sums_of_products_use_what_is_there():
    source = "X: n x d\nA: d x k\nB: d x k\nC: d x k\nP = softmax(X*A*(X*B)', 2)\nV = X*C\nO = P*V\nsum(O.*O)/2"
    d = mc.derive(source, wrt=["A", "B", "C"])
    text = d.code("gradient")
    assert 'np.einsum("ij,ij->i", O, O)' in text
    assert text.count("*= P") + text.count("np.multiply(P") == 1  # one product for A and B
    assert d.check().ok


def test_no_value_is_taken_for_its_transpose():
    source = "A: n x n\nP: n x n\nB: n x n\nQ: n x n\nsum(exp(P.*A - P.*B).*Q) + sum(exp(P'.*A - P'.*B).*Q')"
    d = mc.derive(source, wrt=["A", "P"])
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(size=(3, 3)) for name in "APBQ"}
    assert d.function("value")(**arrays) == pytest.approx(d.evaluate(**arrays))
    assert d.check().ok
