"""Generated code for other array libraries beside the NumPy one."""

import numpy as np
import pytest
from case_support import VALID, derive, sample

import matcalc as mc
from matcalc.errors import MatcalcError, NoRuleError

SOURCES = {
    "logistic": ("X: n x k\ny: n x 1\nw: k x 1\nsum(log(1 + exp(-y.*(X*w))))", ["w"]),
    "factorisation": ("U: m x k\nV: n x k\nT: m x n\nE = U*V' - T\nsum(E.*E)", ["U", "V"]),
    "network": (
        "X: n x p\nY: n x c row-stochastic\nW1: p x q\nb1: 1 x q\nW2: q x c\nb2: 1 x c\n"
        "h = sigmoid(X*W1 + b1)\nP = softmax(h*W2 + b2, 2)\n-sum(Y.*log(P))/n",
        ["W1", "b1", "W2", "b2"],
    ),
    "batch norm": (
        "X: N x p\nG: p x q\ngamma: 1 x q\nbeta: 1 x q\nZ = standardize(X*G, 1)\n"
        "V = relu(gamma.*Z + beta)\nsum(V.^2)/N",
        ["G", "gamma", "beta"],
    ),
    "Gaussian": ("S: n x n positive-definite\nX: N x n\nN/2*logdet(S) + tr(X*inv(S)*X')/2", ["S"]),
    "attention": ("X: n x d\nW: d x k\nQ = X*W\nP = softmax(Q*Q'/sqrt(k), 2)\nO = P*Q\nsum(O.*O)", ["W"]),
}
SIZES = {"n": 4, "k": 3, "m": 5, "p": 2, "q": 6, "c": 3, "N": 7, "d": 2}


def arrays_of(d):
    rng = np.random.default_rng(0)
    found = {}
    for name, v in d.graph.declared.items():
        A = rng.normal(size=[SIZES[str(s)] if not isinstance(s, int) else s for s in v.shape])
        if name == "S":
            A = A @ A.T + np.eye(len(A))
        if name == "Y":
            A = np.abs(A) / np.abs(A).sum(axis=1, keepdims=True)
        found[name] = A
    return found


def library(target):
    """The name of the extra argument, if any, and how arrays go in and come out."""
    if target == "jax":
        jax = pytest.importorskip("jax")
        jax.config.update("jax_enable_x64", True)
        return {}, jax.numpy.asarray
    if target == "torch":
        return {}, pytest.importorskip("torch").asarray
    if target == "dask":
        da = pytest.importorskip("dask.array")
        return {}, lambda a: da.from_array(a, chunks=(2, -1) if a.shape[0] > 2 and a.shape[0] != a.shape[1] else -1)
    if target == "numpy":
        return {"xp": np}, np.asarray
    xp = pytest.importorskip("array_api_strict")
    return {"xp": xp}, xp.asarray


@pytest.mark.parametrize("target", ["jax", "torch", "dask", "array_api_strict", "numpy"])
@pytest.mark.parametrize("name", SOURCES)
def test_same_as_numpy(name, target):
    source, wrt = SOURCES[name]
    d = mc.derive(source, wrt=wrt)
    arrays = arrays_of(d)
    extra, put = library(target)
    given = {k: put(a) for k, a in arrays.items()}
    dialect = target if target in ("jax", "torch", "dask") else "array-api"
    value, gradients = d.function("value_and_grad", dialect)(**given, **extra)
    wanted, slopes = d.function("value_and_grad")(**arrays)
    assert float(value) == pytest.approx(wanted)
    for key, slope in slopes.items():
        assert np.allclose(np.asarray(gradients[key]), slope)
    tangents = {wrt[0]: np.ones_like(arrays[wrt[0]])}
    products = d.function("hvp", dialect)(**given, tangents={k: put(v) for k, v in tangents.items()}, **extra)
    for key, slope in d.function("hvp")(**arrays, tangents=tangents).items():
        assert np.allclose(np.asarray(products[key]), slope)


def reference(case, target):
    """The derivative of a reference case by a target and by NumPy; None where the target refuses it."""
    d, dims = derive(case), case["dims"][0]
    arrays = sample(case, dims)
    wanted = d.function(case["kind"])(**arrays, dims=dims)
    extra, put = library(target)
    given = {k: float(a.item()) if d.graph.declared[k].is_scalar else put(a) for k, a in arrays.items()}
    dialect = target if target in ("jax", "torch", "dask") else "array-api"
    try:
        found = d.function(case["kind"], dialect)(**given, **extra)
    except NoRuleError:
        return None
    return [(np.asarray(found[k]).reshape(a.shape), a) for k, a in wanted.items() if np.isfinite(a).all()]


@pytest.mark.parametrize("case", VALID[1::6], ids=lambda c: c["id"])
def test_reference_cases_by_the_standard(case):
    for found, wanted in reference(case, "array_api_strict") or ():
        assert np.allclose(found, wanted, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("target", ["jax", "torch", "dask"])
@pytest.mark.parametrize("case", VALID[5::40], ids=lambda c: c["id"])
def test_reference_cases_by_libraries(case, target):
    for found, wanted in reference(case, target) or ():
        assert np.allclose(found, wanted, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("target", ["jax", "torch", "dask", "array_api_strict"])
def test_rows_times_columns_numbers_and_long_sums(target):
    sources = [
        ("x: 1 x n\ny: n x 1\nsin(x*y)", ["x", "y"]),
        ("a: 1 x 1\nb: 1 x 1\nsin(a*b)/exp(a)", ["a", "b"]),
        ("A: 3 x 3\nB: 4 x 2\nM: 6 x 2\nsum((kron(A, B)*M).^2)", ["M"]),
        (
            "X: n x k\nw: k x 1\ny: n x 1\np = sigmoid(X*w)\n"
            "-sum(y .* (1 - p).^2 .* log(p) + (1 - y) .* p.^2 .* log(1 - p))",
            ["w"],
        ),
    ]
    for source, wrt in sources:
        d = mc.derive(source, wrt=wrt)
        arrays = {k: float(a.item()) if a.size == 1 else a for k, a in arrays_of(d).items()}
        extra, put = library(target)
        given = {k: a if isinstance(a, float) else put(a) for k, a in arrays.items()}
        dialect = target if target in ("jax", "torch", "dask") else "array-api"
        value, gradients = d.function(target=dialect)(**given, **extra)
        wanted, slopes = d.function()(**arrays)
        assert float(value) == pytest.approx(wanted)
        assert all(np.allclose(np.asarray(gradients[k]), slope) for k, slope in slopes.items())


def test_jax_code_is_jittable_and_differentiable():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    d = mc.derive(*SOURCES["logistic"][:1], wrt=["w"])
    arrays = arrays_of(d)
    gradient = jax.jit(d.function("gradient", "jax"))(**arrays)["w"]
    value = d.function("value", "jax")
    assert np.allclose(gradient, jax.grad(lambda w: value(**(arrays | {"w": w})))(arrays["w"]))


def test_large_values_do_not_overflow():
    d = mc.derive(*SOURCES["network"][:1], wrt=["W1"])
    arrays = {k: a * (1 if k == "Y" else 1e3) for k, a in arrays_of(d).items()}
    value, gradients = d.function("value_and_grad", "array-api")(**arrays, xp=np)
    assert np.isfinite(value)
    assert np.isfinite(gradients["W1"]).all()


def test_what_is_refused():
    d = mc.derive("sum(expm(X))", shapes={"X": ("n", "n")})
    with pytest.raises(NoRuleError, match="_expm has no counterpart there"):
        d.code("value", "array-api")
    with pytest.raises(
        MatcalcError, match=r"target must be one of numpy, array-api, dask, jax, torch.*, got 'fortran'"
    ):
        d.code("value", "fortran")
    f = mc.derive("sum(X*y)", shapes={"X": ("n", "k"), "y": ("k", 1)}).function("value", "array-api")
    with pytest.raises(ValueError, match="y has the shape"):
        f(X=np.ones((2, 3)), y=np.ones((2, 1)), xp=np)


def test_dask_has_its_own_conventions():
    da = pytest.importorskip("dask.array")
    d = mc.derive(*SOURCES["Gaussian"][:1], wrt=["S"])
    arrays = arrays_of(d)
    lazy = {k: da.from_array(a) for k, a in arrays.items()}
    with pytest.raises(TypeError, match="upper"):  # its factor is the upper one: refused, not wrong
        d.function("value", "array-api")(**lazy, xp=da)
    assert "cholesky(S.rechunk(-1), lower=True)" in d.code("value", "dask")
    assert float(d.function("value", "dask")(**arrays)) == pytest.approx(d.function("value")(**arrays))
    by_rows = {k: da.from_array(a, chunks=(2, -1)) for k, a in arrays.items()}
    assert float(d.function("value", "dask")(**by_rows)) == pytest.approx(d.function("value")(**arrays))
    with pytest.raises(NoRuleError, match=r"no code for Dask: np\.linalg\.slogdet"):
        mc.derive("logdet(X)", shapes={"X": ("n", "n")}).code("value", "dask")
