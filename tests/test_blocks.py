"""Hessians and Jacobians of functions that treat rows, or columns, alike: block by block, nothing of size na x nb."""

import numpy as np
import pytest

import matcalc as mc
from matcalc.numeric.evaluate import evaluate
from matcalc.properties import known

SIZES = {"n": 5, "p": 3, "q": 4, "c": 2}
SOFTMAX = "X: n x p\nY: n x c row-stochastic\nW: p x c\nP = softmax(X*W, 2)\n-sum(Y.*log(P))"
HIDDEN = (
    "X: n x p\nY: n x c row-stochastic\nW1: p x q\nb1: 1 x q\nW2: q x c\nb2: 1 x c\n"
    "h = sigmoid(X*W1 + b1)\nP = softmax(h*W2 + b2, 2)\n-sum(Y.*log(P))"
)
DEEP = (
    "h0: n x p\nY: n x p\nW1: p x p\nW2: p x p\nW3: p x p\nh1 = tanh(h0*W1)\nh2 = tanh(h1*W2)\nh3 = tanh(h2*W3)\n"
    "e = h3 - Y\nsum(e.*e)/2"
)
COLUMNS = (
    "X: p x n\nY: c x n\nW1: q x p\nb1: q x 1\nW2: c x q\nh = tanh(W1*X + b1)\nP = softmax(W2*h, 1)\n-sum(Y.*log(P))"
)
WEIGHTED = "X: n x p\nv: n x 1\nW: p x c\nA: c x c\nR = exp(X*W)*A\nsum(v .* sum(R.*R, 2))"
OUTPUTS = "X: n x p\nY: n x c\nW: p x c\nR = X*W\nsum(log(1 + exp(-Y.*R)))"
CASES = [
    *((SOFTMAX, name) for name in ("X", "W", "Y")),
    *((HIDDEN, name) for name in ("X", "W1", "b1", "W2", "b2")),
    *((DEEP, name) for name in ("h0", "W1", "W2", "W3")),
    *((COLUMNS, name) for name in ("X", "W1", "b1", "W2")),
    *((WEIGHTED, name) for name in ("X", "W", "v")),
    *((OUTPUTS, name) for name in ("X", "W")),
]


def arrays_of(d, sizes, seed=0):
    rng = np.random.default_rng(seed)
    arrays = {}
    for name, v in d.graph.declared.items():
        arrays[name] = rng.uniform(0.1, 1, [s if isinstance(s, int) else sizes[str(s)] for s in v.shape])
        if known(v, "row-stochastic"):
            arrays[name] /= arrays[name].sum(axis=1, keepdims=True)
    return arrays


@pytest.mark.parametrize(("source", "name"), CASES)
def test_hessians_are_the_matrices_that_they_stand_for(source, name):
    d = mc.derive(source, wrt=name)
    arrays = arrays_of(d, SIZES)
    expected = evaluate(d.hessian(name).value, arrays, SIZES)
    assert np.allclose(d.function("hessian")(**arrays)[name], expected)


@pytest.mark.parametrize("sizes", [dict.fromkeys("npqc", 1), {**SIZES, "n": 1}, {**SIZES, "p": 1}, {**SIZES, "c": 1}])
@pytest.mark.parametrize(("source", "name"), CASES)
def test_sizes_of_one(source, name, sizes):
    d = mc.derive(source, wrt=name)
    arrays = arrays_of(d, sizes)
    expected = evaluate(d.hessian(name).value, arrays, sizes)
    assert np.allclose(d.function("hessian")(**arrays)[name], expected)


@pytest.mark.parametrize(("source", "name"), CASES)
def test_no_rows(source, name):
    d = mc.derive(source, wrt=name)
    arrays = {
        k: a[:0] if a.shape[0] == 5 else a[:, :0] if a.shape[1] == 5 else a for k, a in arrays_of(d, SIZES).items()
    }
    H = d.function("hessian")(**arrays)[name]
    assert H.shape == (arrays[name].size, arrays[name].size)
    assert not H.any()


@pytest.mark.parametrize("name", ["X", "W"])
@pytest.mark.parametrize("value", ["softmax(X*W, 2)", "tanh(X*W)*A", "A*tanh(W'*X')"])
def test_jacobians(value, name):
    d = mc.derive(f"X: n x p\nW: p x c\nA: c x c\n{value}", wrt=name)
    arrays = arrays_of(d, SIZES)
    assert np.allclose(d.function("jacobian")(**arrays)[name], evaluate(d.jacobian(name).value, arrays, SIZES))


def test_nothing_of_the_size_of_all_rows_is_formed():
    """4,000 rows: a matrix of 20,000 x 20,000 would not fit."""
    rng = np.random.default_rng(0)
    d = mc.derive(SOFTMAX, wrt="W")
    X, W = rng.normal(size=(4000, 3)), rng.normal(size=(3, 5))
    Y = np.eye(5)[rng.integers(5, size=4000)]
    H = d.function("hessian")(X=X, Y=Y, W=W)["W"]
    P = np.exp(X @ W)
    P /= P.sum(axis=1, keepdims=True)
    blocks = [[X.T @ (P[:, [i]] * ((i == j) - P[:, [j]]) * X) for j in range(5)] for i in range(5)]
    assert np.allclose(H, np.block(blocks))


def test_symmetric_hessians_are_computed_by_half():
    for source, name in ((SOFTMAX, "W"), (DEEP, "W1"), (HIDDEN, "W1")):
        text = mc.derive(source, wrt=name).code("hessian")
        assert "_blocks_gram(" in text
        call = next(line for line in text.splitlines() if "_blocks_gram(" in line and "def " not in line)
        assert "z" not in call
        assert not call.rstrip("})").endswith((" X", " h0")), call


@pytest.mark.parametrize(
    ("source", "name"), [(SOFTMAX, "W"), (HIDDEN, "W1"), (HIDDEN, "b2"), (DEEP, "W3"), (OUTPUTS, "W")]
)
def test_other_libraries(source, name):
    d = mc.derive(source, wrt=name)
    arrays = arrays_of(d, SIZES)
    found = d.function("hessian", target="array-api")(**arrays, xp=np)[name]
    assert np.allclose(found, d.function("hessian")(**arrays)[name])


def test_a_single_output():
    """The weights of the last layer are a column, and the diagonal matrices between are n x n."""
    source = "X: n x p\ny: n x 1\nW: p x q\nv: q x 1\nh = softplus(X*W)\nsum(log(1 + exp(-y.*(h*v))))"
    d = mc.derive(source, wrt=["W", "v"])
    assert "_blocks_gram(X, " in d.code("hessian")
    arrays = arrays_of(d, SIZES)
    found = d.function("hessian")(**arrays)
    for name in d.names:
        assert np.allclose(found[name], evaluate(d.hessian(name).value, arrays, SIZES))


SQUARE = [
    ("X*W + V .* (V*X*W)", "jacobian"),
    ("inv(X) .* (W*inv(X))", "jacobian"),
    ("sum(sin(X*W) .* (V*X*W))", "hessian"),
    ("sum(tanh(W*X) .* (W*X*V) .* (X*W))", "hessian"),
    ("softmax(X*W, 1)*V + V*softmax(W*X, 2) + V .* (W*X*V)", "jacobian"),
    ("V'*log_softmax(X, 1)*W", "jacobian"),
    ("(X*W) ./ (1 + (V*X).^2) + V .* (V*X) .* (X*W)", "jacobian"),
]


@pytest.mark.parametrize("shape", ["n x n", "n x p"])
@pytest.mark.parametrize(("value", "kind"), SQUARE)
def test_rows_and_columns_in_one_program(value, kind, shape):
    """What is stored as blocks by rows is not taken for blocks by columns, also where both have the same size."""
    if shape != "n x n" and value != "V'*log_softmax(X, 1)*W":
        return
    V, W = ("n x n", "n x n") if shape == "n x n" else ("n x c", "p x q")
    d = mc.derive(f"X: {shape}\nW: {W}\nV: {V}\n{value}", wrt="X")
    arrays = arrays_of(d, SIZES)
    if "inv" in value:
        arrays["X"] += 3 * np.eye(5)
    wanted = evaluate((d.jacobian("X") if kind == "jacobian" else d.hessian("X")).value, arrays, SIZES)
    assert np.allclose(d.function(kind)(**arrays)["X"], wanted)


def test_a_quotient_of_sizes_that_is_no_size():
    d = mc.derive("X: 3 x 2; sum(polar(X) .* exp(polar(X)))", wrt="X")
    X = np.array([[1.0, 0.3], [-0.2, 0.8], [0.4, 0.5]])
    assert np.allclose(d.function("hessian")(X=X)["X"], evaluate(d.hessian("X").value, {"X": X}, {}))
    assert d.check(kind="hessian").ok
