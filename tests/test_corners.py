"""Corners of generated code: no rows, one row, one column, layouts, single precision, numbers up to 1e4 in size."""

import tracemalloc

import numpy as np
import pytest

import matcalc as mc
from matcalc.properties import known

NETWORKS = {
    "logistic": ("X: n x k\ny: n x 1\nw: k x 1\nz = X*w\nsum(log(1 + exp(-y.*z)))", ["w"]),
    "logistic, 0 and 1": (
        "X: n x k\ny: n x 1\nw: k x 1\np = 1./(1 + exp(-X*w))\n-y'*log(p) - (1 - y)'*log(1 - p)",
        ["w"],
    ),
    "softmax": ("X: n x p\nY: n x c row-stochastic\nW: p x c\nP = softmax(X*W, 2)\n-sum(Y.*log(P))", ["W"]),
    "softmax, spelled out": ("X: n x p\nY: n x c\nW: p x c\nE = exp(X*W)\nP = E./sum(E, 2)\n-sum(Y.*log(P))", ["W"]),
    "sigmoid layer": (
        "X: n x p\nY: n x c row-stochastic\nW1: p x q\nb1: 1 x q\nW2: q x c\nb2: 1 x c\n"
        "h = sigmoid(X*W1 + b1)\nP = softmax(h*W2 + b2, 2)\n-sum(Y.*log(P))",
        ["W1", "b1", "W2", "b2"],
    ),
    "tanh layers": (
        "X: n x p\nY: n x p\nA: p x p\nB: p x p\nh = tanh(X*A)\ng = tanh(h*B)\nsum((g - Y).^2)/2",
        ["A", "B"],
    ),
    "softplus layer": ("X: n x p\nW: p x q\nv: q x 1\nh = softplus(X*W)\nsum(log(1 + exp(h*v)))", ["W", "v"]),
    "relu layer": ("X: n x p\nY: n x c\nW: p x q\nV: q x c\nsum((relu(X*W)*V - Y).^2)", ["W", "V"]),
    "gelu layer": ("X: n x p\nW: p x q\nv: q x 1\nsum(gelu(X*W)*v)", ["W", "v"]),
    "log-sum-exp": ("X: n x p\nW: p x q\nsum(log(sum(exp(X*W), 2)))", ["W"]),
    "attention": (
        "X: n x d\nA: d x k\nB: d x k\nC: d x k\nP = softmax(X*A*(X*B)'/sqrt(k), 2)\nO = P*X*C\nsum(O.*O)/2",
        ["A", "B", "C"],
    ),
    "factorisation": ("U: n x k\nV: p x k\nT: n x p\nE = U*V' - T\nsum(E.*E)", ["U", "V"]),
    "ridge": ("X: n x p\ny: n x 1\nw: p x 1\nl: 1 x 1\nsum((X*w - y).^2) + l*w'*w", ["w", "l"]),
}
SIZES = {"n": 6, "p": 3, "k": 3, "q": 4, "c": 2, "d": 3}
KINDS = ("value_and_grad", "hessian", "hvp")
NO_HESSIAN = ("attention",)  # its matrix on vec is large to derive; the products are tested


def made(name):
    source, wrt = NETWORKS[name]
    return mc.derive(source, wrt=wrt)


def arrays_of(d, sizes, scale=1.0, seed=0):
    rng = np.random.default_rng(seed)
    arrays = {}
    for name, v in d.graph.declared.items():
        shape = [s if isinstance(s, int) else sizes[str(s)] for s in v.shape]
        if known(v, "row-stochastic"):
            arrays[name] = np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]
        elif name == "y":
            arrays[name] = rng.integers(0, 2, size=shape).astype(float)
        else:
            arrays[name] = scale * rng.normal(size=shape)
    return arrays


def results(d, kind, arrays):
    """The results of one kind by name; the value under "value"."""
    f = d.function(kind)
    if kind == "hvp":
        return f(**arrays, tangents={name: np.ones_like(arrays[name]) for name in d.names})
    found = f(**arrays)
    return found if kind == "hessian" else {"value": found[0], **found[1]}


def cases():
    return [(name, kind) for name in NETWORKS for kind in KINDS if not (kind == "hessian" and name in NO_HESSIAN)]


def agree(found, expected, tolerance=1e-9):
    for name, value in expected.items():
        assert np.shape(found[name]) == np.shape(value), name
        assert np.allclose(found[name], value, rtol=tolerance, atol=tolerance * (1 + np.abs(value).max(initial=0))), (
            name
        )


@pytest.mark.parametrize(("name", "kind"), cases())
def test_layouts_do_not_matter(name, kind):
    d = made(name)
    arrays = arrays_of(d, SIZES)
    expected = results(d, kind, arrays)
    agree(results(d, kind, {k: np.asfortranarray(a) for k, a in arrays.items()}), expected)
    agree(results(d, kind, {k: np.repeat(np.repeat(a, 2, 0), 3, 1)[::2, ::3] for k, a in arrays.items()}), expected)
    agree(results(d, kind, {k: a[::-1, ::-1].copy()[::-1, ::-1] for k, a in arrays.items()}), expected)


@pytest.mark.parametrize("sizes", [{**SIZES, "n": 1}, {**SIZES, "p": 1, "k": 1, "d": 1}, dict.fromkeys(SIZES, 1)])
@pytest.mark.parametrize(("name", "kind"), cases())
def test_one_row_and_one_column(name, kind, sizes):
    """As the same data twice, which doubles every sum (attention and factorisation couple rows)."""
    d = made(name)
    arrays = arrays_of(d, sizes)
    found = results(d, kind, arrays)
    assert all(np.isfinite(a).all() for a in found.values())
    assert d.function("value")(**arrays) == pytest.approx(d.evaluate(**arrays))


@pytest.mark.parametrize(("name", "kind"), cases())
def test_no_rows(name, kind):
    d = made(name)
    arrays = arrays_of(d, {**SIZES, "n": 0})
    found = results(d, kind, arrays)
    for wrt in d.names:
        entries = arrays[wrt].size
        assert found[wrt].shape == ((entries, entries) if kind == "hessian" else arrays[wrt].shape)
        assert np.isfinite(found[wrt]).all()


@pytest.mark.parametrize(("name", "kind"), cases())
def test_single_precision_stays(name, kind):
    d = made(name)
    arrays = arrays_of(d, SIZES)
    expected = results(d, kind, arrays)
    single = {k: a.astype(np.float32) for k, a in arrays.items()}
    found = results(d, kind, single)
    assert all(found[wrt].dtype == np.float32 for wrt in d.names)
    agree(found, expected, 2e-4)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("size", [1e2, 1e4])
@pytest.mark.parametrize(("name", "kind"), cases())
def test_large_numbers_neither_overflow_nor_become_nan(name, kind, size, dtype):
    """Also where the same is the 0th power of a sum of exponentials; warnings are errors in these tests."""
    d = made(name)
    arrays = arrays_of(d, SIZES)
    first = next(iter(d.graph.declared))
    if first == "X":
        arrays["X"] = np.sign(arrays["X"]) * size
    if name == "softmax, spelled out":  # with its exponentials under a name: the value alone is stable
        assert np.isfinite(d.function("value")(**{k: a.astype(dtype) for k, a in arrays.items()}))
        return
    found = results(d, kind, {k: a.astype(dtype) for k, a in arrays.items()})
    assert all(np.isfinite(a).all() for a in found.values())


def test_what_divides_by_the_number_of_rows_says_that_there_are_none():
    d = mc.derive("X: N x p\nY: N x c\nW: p x c\nE = X*W - Y\nsum(E.*E)/N", wrt="W")
    for kind in ("value_and_grad", "hessian"):
        with pytest.raises(ValueError, match="N is 0, and the function divides by it"):
            d.function(kind)(X=np.ones((0, 2)), Y=np.ones((0, 3)), W=np.ones((2, 3)))


@pytest.mark.parametrize(
    ("source", "wrt", "sizes"),
    [
        (NETWORKS["logistic"][0], "w", {"n": 20_000, "k": 100}),
        (NETWORKS["factorisation"][0], "U", {"n": 300, "p": 4000, "k": 5}),
        (NETWORKS["softmax"][0], "W", {"n": 10_000, "p": 30, "c": 8}),
        (NETWORKS["sigmoid layer"][0], "W1", {"n": 300, "p": 30, "q": 30, "c": 5}),
        (NETWORKS["ridge"][0], "w", {"n": 20_000, "p": 100}),
    ],
)
def test_a_dense_hessian_needs_its_result_and_one_copy_of_the_largest_input(source, wrt, sizes):
    d = mc.derive(source, wrt=wrt)
    f, arrays = d.function("hessian"), arrays_of(d, sizes)
    f(**arrays)
    tracemalloc.start()
    found = f(**arrays)[wrt]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= found.nbytes + max(a.nbytes for a in arrays.values()) + 16e6


def test_one_row_where_the_function_divides_by_the_rows_less_one():
    d = mc.derive("sum((X - mean(X, 1)).^2)/(n - 1)", shapes={"X": ("n", "m")})
    for kind in ("value", "gradient", "value_and_grad"):
        f = d.function(kind)
        for given in (np.ones((1, 3)), [[1, 2, 3]]):
            with pytest.raises(ValueError, match="is 0, and the function divides by it"):
                f(X=given)
    value, gradients = d.function()(X=np.arange(6.0).reshape(2, 3))
    assert value == pytest.approx(13.5)
    assert np.allclose(gradients["X"], [[-3] * 3, [3] * 3])
