"""Native functions: compiled once, never believed without a check, and NumPy's results, forms and messages."""

import ctypes
import gc
import importlib.util
import inspect
import multiprocessing
import os
import re
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from case_support import VALID, derive, sample
from refusals import ASKED, REFUSED_CASES
from support import OPERATIONS, derived
from test_c import EXAMPLES, MORE
from test_targets import SOURCES, arrays_of

import matcalc as mc
from matcalc.errors import MatcalcError, MissingDependencyError, NoRuleError
from matcalc.targets.native import cache, compiler, loading


@pytest.fixture(scope="module", autouse=True)
def tools():
    """Skip where there is no compiler or no SciPy."""
    if importlib.util.find_spec("scipy") is None:
        pytest.skip("needs SciPy")
    try:
        compiler.compiler()
    except MissingDependencyError as error:
        pytest.skip(str(error))


LOGISTIC = SOURCES["logistic"][0]


def logistic(n=6, k=3, dtype=float):
    rng = np.random.default_rng(0)
    return {
        "X": rng.normal(size=(n, k)).astype(dtype),
        "y": np.sign(rng.normal(size=(n, 1))).astype(dtype),
        "w": rng.normal(size=(k, 1)).astype(dtype),
    }


def same(found, wanted, dtype=None, rtol=1e-9, atol=1e-11):
    """Whether two results are equal in structure, forms, types and (nearly) numbers."""
    if isinstance(wanted, tuple):
        assert isinstance(found, tuple)
        assert len(found) == len(wanted)
        return all(same(a, b, dtype, rtol, atol) for a, b in zip(found, wanted))
    if isinstance(wanted, dict):
        assert list(found) == list(wanted)
        return all(same(found[k], wanted[k], dtype, rtol, atol) for k in wanted)
    assert type(found) is type(wanted)
    assert np.shape(found) == np.shape(wanted)
    if isinstance(wanted, np.ndarray):
        assert found.dtype == (dtype or wanted.dtype)
        assert found.flags.c_contiguous
        assert found.flags.writeable
        assert found.flags.owndata or found.base.flags.owndata
    assert np.allclose(found, wanted, rtol=rtol, atol=atol, equal_nan=True)
    return True


def agrees(d, arrays, kind="value_and_grad", **more):
    f, g = d.function(kind, "native"), d.function(kind)
    return same(f(**arrays, **more), g(**arrays, **more))


# ---------------------------------------------------------------------------------------------------- the numbers


@pytest.mark.parametrize("name", SOURCES)
def test_networks_and_likelihoods(name):
    source, wrt = SOURCES[name]
    d = mc.derive(source, wrt=wrt)
    arrays = arrays_of(d)
    tangents = {k: np.cos(arrays[k]) for k in wrt}
    for kind in ("value", "value_and_grad", "gradient"):
        assert agrees(d, arrays, kind)
    assert agrees(d, arrays, "hvp", tangents=tangents)
    assert agrees(d, arrays, "jvp", tangents=tangents)
    assert agrees(d, arrays, "vjp", cotangent=2.5)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.txt")), ids=lambda p: p.stem)
def test_every_example(path):
    d = mc.derive(path.read_text())
    rng = np.random.default_rng(0)
    sizes = {"n": 5, "p": 3, "d": 4, "m": 6, "D": 3, "H": 4, "K": 2, "N": 7, "M": 5, "P": 3, "Q": 4, "R": 2, "k": 3}
    arrays = {}
    for name, v in d.graph.declared.items():
        shape = [s if isinstance(s, int) else sizes[str(s)] for s in v.shape]
        arrays[name] = rng.normal(size=shape)
        if name == "S":
            arrays[name] = arrays[name] @ arrays[name].T + np.eye(shape[0])
        if name in ("Y", "y") and shape[1] > 1:
            arrays[name] = np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]
        if v.is_scalar:
            arrays[name] = abs(arrays[name].item())
    assert agrees(d, arrays)


# Cases whose Hessians read blocks of matrices, sums among them.
BLOCKS = ["ml-moe-G", "ml-batchnorm-eps-W", "tb-fn-lse2"]


@pytest.mark.parametrize("case", [case for case in VALID if case["id"] in BLOCKS], ids=lambda case: case["id"])
def test_hessians_by_blocks(case):
    d, dims = derive(case), case["dims"][0]
    assert agrees(d, sample(case, dims), "hessian", dims=dims)


@pytest.mark.parametrize("case", VALID[::6], ids=lambda c: c["id"])
def test_reference_cases(case):
    d, dims = derive(case), case["dims"][0]
    if case["id"] in REFUSED_CASES["native"]:
        with pytest.raises(NoRuleError):
            d.code(case["kind"], "native")
        return
    arrays = sample(case, dims)
    assert agrees(d, arrays, case["kind"], dims=dims)


@pytest.mark.parametrize("name", MORE)
def test_corners(name):
    source, wrt = MORE[name]
    d = mc.derive(source, wrt=wrt)
    arrays = {k: a if a.size > 1 else a.item() for k, a in arrays_of(d).items()}
    assert agrees(d, arrays, "value_and_grad" if d.output.is_scalar else "jacobian")
    assert agrees(d, arrays, "value")


@pytest.mark.parametrize("kind", ["value", "gradient"])
def test_what_is_asked_of_python(kind):
    """All else is in C: LAPACK's routines by their pointers, loops, products."""
    asked = {name for name in OPERATIONS if " = outside(" in derived(name, kind).code(kind, "native")}
    assert asked == ASKED[kind]


@pytest.mark.filterwarnings("ignore")  # SciPy warns of singular matrices
@pytest.mark.parametrize(
    ("source", "matrix"),
    [
        ("expm(A)", [[-30.0, 1.0], [7.0, -50.0]]),
        ("expm(A)", [[0.0, 1e3], [0.0, 0.0]]),
        ("expm(A)", [[800.0, 0.0], [0.0, 1.0]]),
        ("expm(A)", [[np.nan, 0.0], [0.0, 1.0]]),
        ("eigvals(A)", [[0.0, 1.0], [-1.0, 0.0]]),  # complex
        ("eigvals(A)", [[2.0, 1.0], [0.5, -3.0]]),
        ("eigvals(A)", [[2.0, np.inf], [0.5, -3.0]]),
        ("eigvecs(A)", [[2.0, 1.0], [0.5, -3.0]]),
        ("eigvecs(A)", [[2.0, 1.0], [1.0, -3.0]]),  # symmetric
        ("eigmax(A)", [[1.0, 5.0], [0.0, 3.0]]),
        ("eigmin(A)", [[0.0, 1.0], [-1.0, 0.0]]),
        ("eigmax(A)", [[2.0, 0.0], [0.0, 2.0]]),
        ("pinv(A)", [[1.0, 2.0], [2.0, 4.0]]),
        ("pinv(A)", [[0.0, 0.0], [0.0, 0.0]]),
        ("pinv(A)", [[np.nan, 0.0], [0.0, 1.0]]),
        ("polar(A)", [[1.0, 2.0], [2.0, 4.0]]),
        ("adj(A)", [[1.0, 2.0], [2.0, 4.0]]),
        ("chol(A)", [[1.0, 2.0], [2.0, 1.0]]),  # not positive definite
        ("chol(A)", [[2.0, 0.5], [1.5, 3.0]]),
        ("singvals(A)", [[1.0, 2.0], [2.0, 4.0]]),
        ("normnuc(A) + normspec(A)", [[1.0, 2.0], [3.0, 4.0]]),
        ("logm(A)", [[-1.0, 0.0], [0.0, 2.0]]),  # not real
        ("A^(1/3)", [[1.0, 4.0], [0.0, 8.0]]),
    ],
)
def test_special_matrices(source, matrix):
    """The same values as NumPy's, nan included, where eigenvalues are complex or matrices defective."""
    d, A = mc.derive(source, shapes={"A": ("n", "n")}), np.array(matrix)
    assert same(d.function("value", "native")(A=A), d.function("value")(A=A), rtol=1e-11)


# ---------------------------------------------------------------------------------------------------- inputs


def test_every_form_of_vectors_and_every_type():
    d = mc.derive("a*sum(log(1 + exp(-y.*(X*w)))) + b*x'*x", shapes=SHAPES, wrt=["w", "b", "a", "x"])
    rng = np.random.default_rng(1)
    X, y, w, x = (rng.normal(size=s) for s in ((6, 3), (6, 1), (3, 1), (4, 1)))
    base = {"X": X, "y": y, "w": w, "x": x, "a": 1.5, "b": 2.0}
    for other in (
        {},
        {"y": y[:, 0], "w": w[:, 0]},
        {"w": w[:, 0].tolist(), "x": x[:, 0]},
        {"a": np.float64(2.0), "b": np.array(3.0)},
        {"a": 2, "b": np.array([[3.0]])},
        {"X": np.asfortranarray(X), "y": np.repeat(y, 2)[::2]},
        {"X": X.astype(int), "w": np.arange(3)},
        {"X": X.astype(">f8")},
        {"X": X.astype(np.float32)},
        {k: a.astype(np.float32) for k, a in base.items() if isinstance(a, np.ndarray)},
        {"X": np.frombuffer(b"0" + X.tobytes(), dtype=float, offset=1, count=18).reshape(6, 3)},
    ):
        given = base | other
        wanted, found = (d.function(target=t)(**given) for t in ("numpy", "native"))
        single = all(a.dtype == np.float32 for a in given.values() if isinstance(a, np.ndarray) and a.size > 1)
        assert same(found, wanted, rtol=1e-4 if single else 1e-9)


SHAPES = {"X": ("n", "k"), "y": ("n", 1), "w": ("k", 1), "x": ("m", 1), "a": (1, 1), "b": (1, 1)}


def test_the_same_messages():
    d = mc.derive(LOGISTIC, wrt="w")
    f, g = d.function("gradient", "native"), d.function("gradient")
    good = logistic()
    for wrong in (
        {"w": good["w"][1:]},
        {"y": good["y"][:, :, None]},
        {"X": good["X"] + 1j},
        {"X": np.array([["a"]])},
        {"w": [[1.0], [2.0, 3.0]]},
        {"dims": {"k": 4}},
        {"dims": {"k": -1}},
        {"X": np.ma.masked_array(good["X"], good["X"] > 0)},
        {"Z": 1.0},
    ):
        said = []
        for function in (f, g):
            with pytest.raises((ValueError, TypeError)) as caught:
                function(**good | wrong)
            said.append((type(caught.value), str(caught.value)))
        assert said[0] == said[1]
    for function in (f, g):
        with pytest.raises(TypeError, match="positional"):
            function(good["X"])
        with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'w'"):
            function(X=good["X"], y=good["y"])
    with pytest.raises(ValueError, match="computes with float64 and float32, got float16"):
        f(**{k: a.astype(np.float16) for k, a in good.items()})


def test_tangents_and_cotangents_of_all_forms():
    d = mc.derive("sin(a*X)*w", shapes={"X": ("n", "k"), "w": ("k", 1), "a": (1, 1)})
    X, w, G = np.linspace(-1, 1, 12).reshape(4, 3), np.ones((3, 1)), np.arange(4.0)[:, None]
    given = {"X": X, "w": w, "a": 0.5}
    for tangents in ({"a": 2.0}, {"X": X + 1}, {"a": 1.0, "w": w}, {"a": 1.0, "w": w, "X": X}):
        assert agrees(d, given, "jvp", tangents=tangents)
    for cotangent in (G, G[:, 0], G.astype(int).tolist()):
        assert agrees(d, given, "vjp", cotangent=cotangent)
    for wrong in ({"tangents": {"Q": X}}, {"tangents": {}}, {"tangents": [X]}):
        for target in ("numpy", "native"):
            with pytest.raises(ValueError, match="tangents"):
                d.function("jvp", target)(**given, **wrong)


def test_no_entries():
    d = mc.derive("sum((X*w - y).^2) + sum(X)", shapes={"X": ("n", "k"), "w": ("k", 1), "y": ("n", 1)}, wrt="w")
    for n, k in ((0, 3), (4, 0), (0, 0)):
        assert agrees(d, {"X": np.ones((n, k)), "w": np.ones((k, 1)), "y": np.ones((n, 1))})
    mean = mc.derive("mean(x) + max(x)", shapes={"x": ("n", 1)})
    for target in ("numpy", "native"):
        with pytest.raises(ValueError, match="has no value over no entries: n is 0"):
            mean.function("value", target)(x=np.ones(0))


def test_names_that_python_or_c_has():
    d = mc.derive("lambda: n x k\nint: k x 1\nresult: 1 x 1\nresult*sum((lambda*int).^2)", wrt=["lambda", "int"])
    rng = np.random.default_rng(0)
    assert agrees(d, {"lambda": rng.normal(size=(3, 2)), "int": np.ones((2, 1)), "result": 2.0})


def test_inputs_are_not_written_to_and_results_are_new():
    d = mc.derive("X'", shapes={"X": ("n", "k")})
    same_shape = mc.derive("X", shapes={"X": ("n", "k")})
    X = np.arange(6.0).reshape(2, 3)
    X.flags.writeable = False
    for one in (d, same_shape):
        found = one.function("value", "native")(X=X)
        assert not np.shares_memory(found, X)
        assert same(found, np.array(one.function("value")(X=X), order="C"))


def test_singular_matrices():
    S = mc.derive("S: n x n positive-definite\nx: n x 1\nx'*inv(S)*x + logdet(S)", wrt="x")
    A = mc.derive("x'*inv(A)*x", shapes={"A": ("n", "n"), "x": ("n", 1)}, wrt="x")
    for d, name in ((S, "S"), (A, "A")):
        for target in ("numpy", "native"):
            with pytest.raises(np.linalg.LinAlgError, match=r"positive definite|Singular"):
                d.function("value", target)(**{name: np.zeros((2, 2)), "x": np.ones(2)})


def test_infinities_and_nan():
    d = mc.derive("softplus(x) + sigmoid(x) + maximum(x, 0) + exp(x) + tanh(x)", shapes={"x": ("n", 1)})
    x = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1e4, -1e4, 710.0, -745.5, 5e-324])
    for dtype in (np.float64, np.float32):
        with np.errstate(all="ignore"):
            wanted = d.function("value")(x=x.astype(dtype))
        found = d.function("value", "native")(x=x.astype(dtype))
        assert same(found, wanted, rtol=1e-6 if dtype is np.float32 else 1e-14)


def test_many_rows_as_for_use(monkeypatch):
    """The flags and numbers of rows that users get: several parts of rows, the last of them shorter."""
    monkeypatch.setenv("CFLAGS", "")
    d = mc.derive(LOGISTIC, wrt="w")
    assert "do {" in d.code(target="native")
    arrays = logistic(n=700, k=1500)
    assert same(d.function(target="native")(**arrays), d.function()(**arrays), rtol=1e-8, atol=1e-10)
    source, wrt = SOURCES["attention"]
    d = mc.derive(source, wrt=wrt)
    rng = np.random.default_rng(0)
    arrays = {"X": rng.normal(size=(600, 5)), "W": rng.normal(size=(5, 7))}
    assert same(d.function(target="native")(**arrays), d.function()(**arrays), rtol=1e-8, atol=1e-8)


def test_no_rows_in_a_loop_over_rows():
    d = mc.derive(LOGISTIC, wrt="w")
    assert agrees(d, {"X": np.ones((0, 3)), "y": np.ones((0, 1)), "w": np.ones((3, 1))})


def test_what_is_asked_of_python_raises_its_errors():
    f = mc.derive("A^(1/2) + logm(A)", shapes={"A": ("n", "n")}).function("value", "native")
    g = mc.derive("A^(1/2) + logm(A)", shapes={"A": ("n", "n")}).function("value")
    A = np.array([[2.0, 1.0], [1.0, 3.0]])
    assert same(f(A=A), g(A=A))
    assert np.isnan(f(A=-A)).all()
    power = mc.derive("A^k", shapes={"A": ("n", "n"), "k": (1, 1)}, wrt="A")
    for target in ("numpy", "native"):
        with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
            power.function("value", target)(A=np.zeros((2, 2)), k=-1.0)


def test_two_functions_of_one_text_ask_python_for_their_own_values():
    """The C text is the same, and so is the library; the equations are not."""
    text = "A: n x n\nb: n x 1\nz: n x 1 solves z = {}(A*z + b)\nsum(z)"
    A, b = np.array([[0.2, 0.1], [0.0, 0.3]]), np.array([[0.5], [0.4]])
    made = [mc.derive(text.format(f), wrt="b") for f in ("tanh", "sin")]
    functions = [d.function("value", "native") for d in made]
    for k in (0, 1, 0):
        assert functions[k](A=A, b=b) == pytest.approx(made[k].function("value")(A=A, b=b))
    del functions[1], made[1]
    gc.collect()
    assert functions[0](A=A, b=b) == pytest.approx(made[0].function("value")(A=A, b=b))


def test_threads_share_a_function():
    """The lock of Python is released, and nothing is shared between calls."""
    d = mc.derive(*SOURCES["network"][:1], wrt=SOURCES["network"][1])
    f, arrays = d.function(target="native"), arrays_of(d)
    wanted, wrong = f(**arrays), []

    def work(scale):
        given = arrays | {"X": arrays["X"] * scale}
        right = f(**given)
        wrong.extend(1 for _ in range(200) if not same(f(**given), right, rtol=0, atol=0))

    threads = [threading.Thread(target=work, args=(s,)) for s in (1.0, 2.0, 3.0)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
    assert same(f(**arrays), wanted, rtol=0, atol=0)


def test_objectives():
    d = mc.derive(LOGISTIC, wrt="w")
    arrays = logistic()
    fixed = {k: a for k, a in arrays.items() if k != "w"}
    one, other = d.objective(target="native", **fixed), d.objective(**fixed)
    x = one.pack(w=arrays["w"])
    other.pack(w=arrays["w"])
    assert same(one(x), other(x))
    assert same(one.hess(x), other.hess(x))
    assert same(one.hessp(x, x), other.hessp(x, x))
    assert one.value(x) == pytest.approx(other.value(x))
    with pytest.raises(MatcalcError, match="target of an objective must be one of numpy, numba, native, got 'jax'"):
        d.objective(target="jax", **fixed)
    named = mc.derive("(target - x)'*(target - x)", shapes={"x": ("n", 1), "target": ("n", 1)}, wrt="x")
    assert named.objective(target=np.ones(2)).value(np.zeros(2)) == 2


# ---------------------------------------------------------------------------------------------------- the cache


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A cache of a test's own."""
    monkeypatch.setenv("MATCALC_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


TEXT = "double answer(void) { return 42; }"


def libraries(place):
    return sorted(place.glob("*.so"))


def test_compiled_once_into_a_private_folder(place, monkeypatch):
    first = cache.built(TEXT)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    monkeypatch.setattr(compiler, "compiled", lambda *_: pytest.fail("compiled again"))
    assert cache.built(TEXT) == first
    place.chmod(0o755)
    assert cache.built(TEXT) == first
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_another_text_flag_or_processor_is_another_library(place, monkeypatch):
    found = {cache.built(TEXT), cache.built(f"{TEXT}\n")}
    monkeypatch.setenv("CFLAGS", "-O0")
    found.add(cache.built(TEXT))
    monkeypatch.setattr(compiler, "processor", lambda: "another")
    found.add(cache.built(TEXT))
    assert len(found) == 4
    assert len(libraries(place)) == 4


@pytest.mark.parametrize("damage", ["cut", "empty", "foreign", "changed", "gone", "link", "no name", "other function"])
def test_what_is_broken_or_foreign_is_built_again(damage, place, tmp_path):
    library = cache.built(TEXT)
    contents = library.read_bytes()
    (key,) = [f for f in place.iterdir() if f.suffix != ".so"]
    if damage == "cut":
        library.write_bytes(contents[: len(contents) // 2])
    elif damage == "empty":
        library.write_bytes(b"")
    elif damage == "foreign":
        library.write_bytes(b"#!/bin/sh\nexit 1\n")
    elif damage == "changed":
        library.write_bytes(contents.replace(b"answer", b"anzwer"))
    elif damage == "gone":
        library.unlink()
    elif damage == "link":
        (tmp_path / "elsewhere").write_bytes(b"nothing")
        library.unlink()
        library.symlink_to(tmp_path / "elsewhere")
    elif damage == "no name":
        key.write_text("../../../tmp/x")
    else:
        key.write_text(cache.built("double question(void) { return 0; }").stem)
    assert cache.built(TEXT).read_bytes() == contents
    assert loading.ctypes.CDLL(str(cache.built(TEXT))).answer is not None


def test_a_folder_of_somebody_else_is_not_used(place, monkeypatch):
    place.mkdir()
    monkeypatch.setattr(os, "getuid", lambda: place.stat().st_uid + 1)
    with pytest.raises(MatcalcError, match="belongs to another user: set MATCALC_CACHE"):
        cache.built(TEXT)


def started(queue, barrier):
    """What one of many processes does: all compile the same texts at once."""
    barrier.wait()
    found = []
    for k in range(3):
        library = cache.built(f"double answer(void) {{ return {k}; }}")
        answer = ctypes.CDLL(str(library)).answer
        answer.restype = ctypes.c_double
        found.append(answer())
    queue.put(found)


def test_many_processes_at_once(place):
    """All start with an empty cache; none meets half a file, and nothing is left behind."""
    context = multiprocessing.get_context("spawn")
    queue, barrier = context.Queue(), context.Barrier(6)
    running = [context.Process(target=started, args=(queue, barrier)) for _ in range(6)]
    for process in running:
        process.start()
    found = [queue.get(timeout=120) for _ in running]
    for process in running:
        process.join()
    assert found == [[0.0, 1.0, 2.0]] * 6
    assert len(libraries(place)) == 3
    assert not list(place.glob("building-*"))


def test_no_compiler(place, monkeypatch, tmp_path):
    d = mc.derive("sum(x.^3)", shapes={"x": ("n", 1)})
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(
        MissingDependencyError, match=r"needs a C compiler, and \$CC is no-such-compiler.*apt-get install gcc"
    ):
        d.function("value", "native")
    monkeypatch.setenv("CC", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(compiler.sysconfig, "get_config_var", lambda name: None)
    with pytest.raises(MissingDependencyError, match="there is no cc, gcc or clang on the path"):
        d.function("value", "native")
    assert d.code("value", "native")  # the text needs none


def test_a_compiler_that_does_not_take_the_flags_or_the_text(place, tmp_path, monkeypatch):
    cc = compiler.compiler().command[0]
    script = tmp_path / "oldcc"
    script.write_text(f'#!/bin/sh\ncase "$*" in *march*) echo "unknown flag" >&2; exit 1;; esac\nexec {cc} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("CC", str(script))
    f = mc.derive("sum(x.^3)", shapes={"x": ("n", 1)}).function("value", "native")
    assert f(x=np.full(2, 2.0)) == 16
    with pytest.raises(MatcalcError, match=r"the C compiler does not take the text: .*error"):
        cache.built("this is no C")


def test_without_the_headers_of_python(monkeypatch):
    """The way through ctypes gives the same."""
    monkeypatch.setattr(loading, "_calling", lambda: None)
    d = mc.derive("2*sum(log(1 + exp(-y.*(X*w))))", shapes={k: SHAPES[k] for k in "Xyw"}, wrt="w")
    f = d.function(target="native")
    assert inspect.isfunction(f)
    assert same(f(**logistic()), d.function()(**logistic()))
    assert same(f(**logistic(dtype=np.float32)), d.function()(**logistic(dtype=np.float32)), rtol=1e-5)


CHECKED = """
import numpy as np, sys
import matcalc as mc
from support import SIZES, derived, values_of
from test_targets import SOURCES, arrays_of
for source, wrt in SOURCES.values():
    d = mc.derive(source, wrt=wrt)
    arrays = arrays_of(d)
    value, gradients = d.function(target="native")(**arrays)
    wanted, slopes = d.function()(**arrays)
    assert np.isclose(value, wanted) and all(np.allclose(gradients[k], slopes[k]) for k in slopes)
for name in sys.argv[1:]:
    d, arrays = derived(name, "gradient"), values_of(name, "gradient")
    found, wanted = (d.function("gradient", t)(**arrays, dims=dict(SIZES)) for t in ("native", "numpy"))
    assert all(np.allclose(found[k], wanted[k]) for k in wanted), name
print("clean")
"""
SOME = ["expm", "eigvals", "pinv", "singvals", "kron", "blocksum", "cumsum", "logsumexp", "standardize", "det"]


def test_no_read_or_write_outside_of_memory():
    """The C texts under the address sanitizer and that for undefined behaviour, which the process is started with."""
    files = [
        subprocess.run(["cc", f"-print-file-name={name}"], capture_output=True, text=True, check=False).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    if not all(map(os.path.isabs, files)):
        pytest.skip("needs GCC's sanitizers")
    here = Path(__file__).resolve().parent
    environment = os.environ | {
        "LD_PRELOAD": " ".join(files),
        "ASAN_OPTIONS": "detect_leaks=0:verify_asan_link_order=0",
        "CFLAGS": os.environ.get("CFLAGS", "") + " -fsanitize=address,undefined -fno-sanitize-recover=undefined",
        "PYTHONPATH": os.pathsep.join(map(str, (here.parent, here))),
    }
    command = [sys.executable, "-c", CHECKED, *SOME]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "clean"), done.stderr[-3000:]


def test_the_example_of_the_documentation():
    page = (EXAMPLES.parent / "docs" / "native.md").read_text()
    names: dict = {}
    for code in re.findall(r"```python\n(import numpy.*?|slopes.*?)```", page, re.DOTALL):
        exec(code, names)
    assert names["value"] == pytest.approx(np.log(2))
    assert names["gradients"]["w"] is names["slopes"]["w"]
    assert names["slopes"]["w"].shape == (32,)


def test_the_function_tells_what_it_is():
    f = mc.derive(LOGISTIC, wrt="w").function("gradient", "native")
    assert str(inspect.signature(f)) == "(*, X, y, w, dims=None, out=None)"
    assert f.__name__ == "gradient"
    assert f.__doc__ == "The gradients, by the variables' names."


def test_a_module_on_its_own(tmp_path):
    """The printed text is a module: it compiles itself when it is imported."""
    d = mc.derive(LOGISTIC, wrt="w")
    (tmp_path / "logistic.py").write_text(d.code("gradient", "native"))
    code = "import logistic, numpy as np; print(logistic.gradient(X=np.eye(2), y=[1, 1], w=[0, 0])['w'])"
    root = str(Path(__file__).resolve().parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[-0.5 -0.5]"), done.stderr
