"""Generated code for other array libraries beside the NumPy one."""

import importlib.util
import inspect
import itertools
import shutil
from functools import partial

import numpy as np
import pytest
import support
from case_support import VALID, derive, sample
from refusals import REFUSED, REFUSED_CASES
from support import OPERATIONS, derived, values_of

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


def agrees_on_case(case, target):
    """The derivative of a reference case by a target is NumPy's, or refused where the table says so."""
    d, dims = derive(case), case["dims"][0]
    dialect = target if target in ("jax", "torch", "dask") else "array-api"
    if case["id"] in REFUSED_CASES[dialect]:
        with pytest.raises(NoRuleError):
            d.code(case["kind"], dialect)
        return
    arrays = sample(case, dims)
    wanted = d.function(case["kind"])(**arrays, dims=dims)
    extra, put = library(target)
    given = {k: float(a.item()) if d.graph.declared[k].is_scalar else put(a) for k, a in arrays.items()}
    found = d.function(case["kind"], dialect)(**given, **extra)
    assert found.keys() == wanted.keys() != set()
    for name, array in wanted.items():
        assert np.isfinite(array).all()
        assert np.allclose(np.asarray(found[name]).reshape(array.shape), array, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("case", VALID[1::6], ids=lambda c: c["id"])
def test_reference_cases_by_the_standard(case):
    agrees_on_case(case, "array_api_strict")


@pytest.mark.parametrize("target", ["jax", "torch", "dask"])
@pytest.mark.parametrize("case", VALID[5::40], ids=lambda c: c["id"])
def test_reference_cases_by_libraries(case, target):
    agrees_on_case(case, target)


@pytest.mark.parametrize("kind", ["value", "gradient"])
@pytest.mark.parametrize("target", REFUSED)
def test_the_operations_that_a_target_refuses(target, kind):
    refused = set()
    for name in OPERATIONS:
        d = derived(name, kind)
        try:
            assert d.code(kind, target)
        except NoRuleError:
            refused.add(name)
    assert refused == REFUSED[target][kind]


AVAILABLE = {
    "numba": importlib.util.find_spec("numba") is not None,
    "native": shutil.which("cc") is not None and importlib.util.find_spec("scipy") is not None,
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_and_type(name):
    """Value and gradient by the standard, Numba and C at both precisions, of inputs that nobody may write to."""
    more = [t for t in ("numba", "native") if AVAILABLE[t]]
    for kind in ("value", "gradient"):
        d, arrays = derived(name, kind), values_of(name, kind)
        dims = dict(support.SIZES)
        wanted = d.function(kind)(**arrays, dims=dims)
        targets = [t for t in ("numpy", "array-api", *more) if name not in REFUSED[t][kind]]
        assert "numpy" in targets
        for target, dtype in itertools.product(targets, (np.float64, np.float32)):
            given = {"xp": np} if target == "array-api" else {"dims": dims}
            function = d.function(kind, target)
            if target == "array-api":
                function = function_with_sizes(d, kind, target, dims)
            typed = {k: a.astype(dtype) for k, a in arrays.items()}
            for a in typed.values():
                a.flags.writeable = False
            found = function(**typed, **given)
            pairs = [(found, wanted)] if kind == "value" else [(found[k], wanted[k]) for k in wanted]
            for part, right in pairs:
                assert isinstance(part, float) or part.dtype == dtype, (target, dtype)
                size = max(1, np.abs(right).max())
                assert np.allclose(part, right, rtol=0, atol=(1e-9 if dtype == np.float64 else 1e-3) * size), target


@pytest.mark.parametrize("target", ["jax", "torch", "array_api_strict", "dask"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_by_libraries(name, target):
    """Value and gradient by the libraries themselves, where they are not refused."""
    extra, put = library(target)
    dialect = target if target in ("jax", "torch", "dask") else "array-api"
    for kind in ("value", "gradient"):
        if name in REFUSED[dialect][kind]:
            continue
        d, arrays, dims = derived(name, kind), values_of(name, kind), dict(support.SIZES)
        wanted = d.function(kind)(**arrays, dims=dims)
        found = function_with_sizes(d, kind, dialect, dims)(**{k: put(a) for k, a in arrays.items()}, **extra)
        pairs = [(found, wanted)] if kind == "value" else [(found[k], wanted[k]) for k in wanted]
        for part, right in pairs:
            size = max(1, np.abs(right).max())
            assert np.allclose(np.asarray(part).reshape(np.shape(right)), right, rtol=0, atol=1e-9 * size), kind


def function_with_sizes(d, kind, target, dims):
    """A function of a library, with `dims` where it takes any: sizes that no array has."""
    f = d.function(kind, target)
    return partial(f, dims=dims) if "dims" in inspect.signature(f).parameters else f


ITERATIVE = ["sqrtm", "logm", "matpow", "frechetpow", "eigvals", "eigvecmax", "polar", "adj", "care", "dare", "chol"]


@pytest.mark.parametrize("name", ITERATIVE)
def test_what_branches_on_values_can_be_jitted(name):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    d, arrays = derived(name, "value"), values_of(name, "value")
    assert np.allclose(jax.jit(d.function("value", "jax"))(**arrays), d.function("value")(**arrays), atol=1e-9)


@pytest.mark.filterwarnings("ignore")  # SciPy warns of singular matrices
@pytest.mark.parametrize("target", ["jax", "torch", "array_api_strict"])
@pytest.mark.parametrize(
    ("source", "matrix"),
    [
        ("sqrtm(A)", [[0.0, 1.0], [-1.0, 0.0]]),  # a rotation by a quarter turn
        ("sqrtm(A)", [[-1.0, 2.0], [0.0, 3.0]]),  # not real
        ("sqrtm(A)", [[1.0, 1.0], [1.0, 1.0]]),  # singular
        ("sqrtm(A)", [[1e-9, 1e3], [0.0, 2e-9]]),
        ("logm(A)", [[1.0, 1e6], [0.0, 1.0]]),  # not diagonalisable
        ("logm(A)", [[1e-12, 0.0], [3.0, 1e12]]),
        ("logm(A)", [[-1.0, 0.0], [0.0, 2.0]]),  # not real
        ("expm(A)", [[-30.0, 1.0], [7.0, -50.0]]),
        ("expm(A)", [[0.0, 1e3], [0.0, 0.0]]),
        ("A^(1/3)", [[1.0, 4.0], [0.0, 8.0]]),
        ("A^0.5", [[2.0, 1.0], [1.0, 2.0]]),
        ("A^-2", [[2.0, 1.0], [1.0, 2.0]]),
        ("eigvals(A)", [[0.0, 1.0], [-1.0, 0.0]]),  # complex
        ("eigmax(A)", [[1.0, 5.0], [0.0, 3.0]]),
        ("pinv(A)", [[1.0, 2.0], [2.0, 4.0]]),
        ("adj(A)", [[1.0, 2.0], [2.0, 4.0]]),
    ],
)
def test_matrix_functions_of_special_matrices(source, matrix, target):
    """The same values as NumPy's, nan included, where roots do not exist or matrices are defective."""
    extra, put = library(target)
    dialect = target if target in ("jax", "torch") else "array-api"
    d, A = mc.derive(source, shapes={"A": ("n", "n")}), np.array(matrix)
    wanted, found = d.function("value")(A=A), d.function("value", dialect)(A=put(A), **extra)
    assert np.allclose(np.asarray(found), wanted, rtol=1e-8, atol=1e-10, equal_nan=True)


@pytest.mark.parametrize("target", ["jax", "torch", "array_api_strict"])
@pytest.mark.parametrize(
    "source",
    [
        "sum(minimum(0.5, X).^2)",
        "sum(maximum(X, -1).^2)",
        "sum(huber(X, 1/2).*X)",
        "c = 2; sum(minimum(c, X).^2)",
        "sum(where(X > 0, -1, 2).*X)",
        "sum(minimum(n/3, X).*X)",
        "sum(maximum(sqrt(2), X).*a)",
        "3*a + sum(X)",
    ],
)
def test_numbers_beside_matrices(source, target):
    shapes = {"X": ("n", "k")} | ({"a": (1, 1)} if "a" in source.replace("max", "") else {})
    d = mc.derive(source, shapes=shapes)
    extra, put = library(target)
    X = np.linspace(-2, 2, 12).reshape(4, 3)
    given = {"X": X} | ({"a": 1.5} if "a" in shapes else {})
    wanted = d.function("gradient")(**given)
    dialect = target if target in ("jax", "torch") else "array-api"
    for dtype in (np.float64, np.float32):
        found = d.function("gradient", dialect)(**given | {"X": put(X.astype(dtype))}, **extra)
        assert found.keys() == wanted.keys() != set()
        for name, part in found.items():
            assert str(part.dtype).split(".")[-1] == np.dtype(dtype).name
            assert np.allclose(np.asarray(part), wanted[name], atol=1e-6)


@pytest.mark.parametrize("target", ["jax", "torch", "dask", "array_api_strict", "numpy"])
def test_products_with_cotangents_and_tangents(target):
    d = mc.derive("sin(a*X)*w", shapes={"X": ("n", "k"), "w": ("k", 1), "a": (1, 1)})
    extra, put = library(target)
    dialect = target if target in ("jax", "torch", "dask") else "array-api"
    X, w, G = np.linspace(-1, 1, 12).reshape(4, 3), np.ones((3, 1)), np.arange(4.0)[:, None]
    given = {"X": put(X), "w": put(w), "a": 0.5}
    wanted = d.function("vjp")(X=X, w=w, a=0.5, cotangent=G)
    found = d.function("vjp", dialect)(**given, cotangent=put(G), **extra)
    assert found.keys() == wanted.keys() == {"X", "w", "a"}
    assert all(np.allclose(np.asarray(found[k]), wanted[k]) for k in wanted)
    for tangents in ({"a": 2.0}, {"X": X + 1}, {"a": 1.0, "w": w}):
        moved = {k: t if isinstance(t, float) else put(t) for k, t in tangents.items()}
        product = d.function("jvp", dialect)(**given, tangents=moved, **extra)
        assert np.allclose(np.asarray(product), d.function("jvp")(X=X, w=w, a=0.5, tangents=tangents))
    scalar = mc.derive("sum(sin(X))", shapes={"X": ("n", "k")})
    found = scalar.function("vjp", dialect)(X=put(X), cotangent=2.0, **extra)
    assert np.allclose(np.asarray(found["X"]), 2 * np.cos(X))


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
    d = mc.derive("sum(erf(X))", shapes={"X": ("n", "n")})
    with pytest.raises(NoRuleError, match=r"special\.erf has no counterpart there"):
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


@pytest.mark.parametrize("target", ["jax", "torch", "dask", "array_api_strict"])
@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("sum(X)/2 + 1.5", "gradient"),
        ("sum(sin(X).*X)/2 + 0.5*norm2(X)", "value_and_grad"),
        ("sum(exp(X*w/4))", "gradient"),
        ("0.5*X.*X", "jvp"),
        ("0.5*X", "vjp"),
        ("sum(X.^3)*0.3", "hvp"),
    ],
)
def test_whole_numbers_are_taken_in_the_floating_type(source, kind, target):
    extra, put = library(target)
    d = mc.derive(source, wrt="X", shapes={"X": ("n", "k")} | ({"w": ("k", 1)} if "w" in source else {}))
    X, G = np.arange(12).reshape(4, 3) - 5, np.arange(12).reshape(4, 3)
    along = {"jvp": {"tangents": {"X": G}}, "hvp": {"tangents": {"X": G}}, "vjp": {"cotangent": G}}.get(kind, {})
    wanted = d.function(kind)(**({"X": X, "w": [1, 0, 2]} if "w" in source else {"X": X}), **along)
    dialect = target if target in ("jax", "torch", "dask") else "array-api"
    for floating in ("none", "X", "along"):
        given = {"X": put(X * 1.0 if floating == "X" else X)}
        given |= {"w": put(np.array([[1], [0], [2]]))} if "w" in source else {}
        turned = put(G * 1.0 if floating == "along" else G)
        moved = {name: {"X": turned} if name == "tangents" else turned for name in along}
        found = d.function(kind, dialect)(**given, **moved, **extra)
        for part, right in zip(_leaves(found), _leaves(wanted), strict=True):
            assert np.allclose(np.asarray(part), right), floating


def _leaves(found):
    """The arrays of a result."""
    if isinstance(found, dict):
        return list(found.values())
    return [part for f in found for part in _leaves(f)] if isinstance(found, tuple) else [found]


@pytest.mark.parametrize("target", ["jax", "torch", "dask", "array_api_strict"])
@pytest.mark.parametrize(
    ("source", "shapes", "kind"),
    [
        ("[x[1]*x[2]; x[2]*x[3]; x[3]*x[1]]", {"x": (3, 1)}, "jacobian"),
        ("[cos(t), -sin(t); sin(t), cos(t)]*y", {"y": (2, 1), "t": (1, 1)}, "jacobian"),
        ("sum([A, b; b', sum(b)].^2) + sum(A[1:2, 2:3].^2)", {"A": ("n", "n"), "b": ("n", 1)}, "gradient"),
    ],
)
def test_slices_and_blocks(source, shapes, kind, target):
    extra, put = library(target)
    d = mc.derive(source, shapes=shapes)
    rng = np.random.default_rng(0)
    arrays = {k: rng.normal(size=[SIZES[s] if isinstance(s, str) else s for s in size]) for k, size in shapes.items()}
    wanted = d.function(kind)(**arrays)
    dialect = target if target in ("jax", "torch", "dask") else "array-api"
    found = d.function(kind, dialect)(**{k: put(a) for k, a in arrays.items()}, **extra)
    assert found.keys() == wanted.keys() == shapes.keys()
    assert all(np.allclose(np.asarray(found[k]), wanted[k]) for k in wanted)


@pytest.mark.parametrize("target", ["jax", "torch"])
@pytest.mark.parametrize("name", ["sylvester(A, A, Q)", "dlyapunov(A, Q)", "lyapunov(A, Q)"])
def test_large_systems_for_all_entries_warn(name, target, recwarn):
    d = mc.derive(f"A: n x n; Q: n x n; {name}", wrt="Q")
    extra, into = library(target)
    function = d.function("value", target)
    for n, warned in ((9, 0), (46, 1)):
        recwarn.clear()
        function(A=into(np.eye(n) / 2), Q=into(np.eye(n)), **extra)
        said = [str(w.message) for w in recwarn if "dense system" in str(w.message)]
        assert len(said) == warned
        assert all(f"one dense system of {n * n} equations" in text for text in said)
