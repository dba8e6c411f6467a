"""Generated C: it compiles without a warning, and agrees with the NumPy function."""

import ctypes
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from case_support import VALID, derive, sample
from test_targets import SOURCES, arrays_of

import matcalc as mc
from matcalc.errors import MatcalcError, NoRuleError

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
GCC = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC"]
POINTER = ctypes.POINTER(ctypes.c_double)


@pytest.fixture(scope="session", autouse=True)
def compiler(tmp_path_factory):
    """Skip where there is no compiler or no CBLAS."""
    file = tmp_path_factory.mktemp("c") / "probe.c"
    file.write_text("#include <cblas.h>\ndouble f(double *x) { return cblas_ddot(1, x, 1, x, 1); }\n")
    command = [*GCC, str(file), "-o", str(file.with_suffix(".so")), "-lopenblas", "-lm"]
    if shutil.which("gcc") is None or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("needs gcc and OpenBLAS with its headers")


def compiled(text, folder, *options):
    """The one function of a C file."""
    file = folder / f"f{len(list(folder.iterdir()))}.c"
    file.write_text(text)
    library = file.with_suffix(".so")
    done = subprocess.run(
        [*GCC, *options, str(file), "-o", str(library), "-lopenblas", "-lm"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr + text
    return getattr(ctypes.CDLL(str(library)), re.search(r"^int (\w+)\(", text, re.MULTILINE)[1])


def call(text, function, sizes, inputs, shapes):
    """The results by their names, and the status."""
    parameters = re.search(r"^int \w+\((.*?)\)\n\{", text, re.MULTILINE | re.DOTALL)[1]
    arguments, results = [], {}
    for parameter in re.split(r",\s+", parameters):
        kind, name = re.fullmatch(r"(.*?)(\w+)", parameter).groups()
        key = name.rstrip("_")
        if kind == "int ":
            arguments.append(ctypes.c_int(sizes[key]))
        elif kind == "double ":
            arguments.append(ctypes.c_double(float(np.asarray(inputs[key]).item())))
        elif kind == "const double *":
            array = np.ascontiguousarray(inputs[key], dtype=float)
            arguments.append(array.ctypes.data_as(POINTER))
            results.setdefault("kept", []).append(array)
        else:
            results[key] = np.full(shapes[key], np.nan)
            arguments.append(results[key].ctypes.data_as(POINTER))
    status = function(*arguments)
    results.pop("kept", None)
    return status, results


def agrees(d, arrays, folder, kind="value_and_grad", dims=None, **extra):
    """Whether the C function gives what the NumPy function gives."""
    text = d.code(kind, "c")
    wanted = d.function(kind)(**arrays, **extra, dims=dims)
    value, parts = wanted if kind == "value_and_grad" else (wanted, {}) if kind == "value" else (None, wanted)
    prefix = {"jacobian": "jacobian_", "hessian": "hessian_", "hvp": "product_"}.get(kind, "grad_")
    expected = {f"{prefix}{name}": np.atleast_2d(part) for name, part in parts.items()}
    if value is not None:
        expected["result"] = np.atleast_2d(value)
    sizes = dict(dims or {})
    for name, v in d.graph.declared.items():
        sizes |= {str(s): n for s, n in zip(v.shape, np.shape(arrays[name])) if not isinstance(s, int)}
    inputs = dict(arrays)
    for what in ("tangents", "cotangent"):
        given = extra.get(what, {})
        inputs |= {f"dot_{k}": a for k, a in given.items()} if what == "tangents" else {what: given}
    status, results = call(text, compiled(text, folder), sizes, inputs, {k: a.shape for k, a in expected.items()})
    assert status == 0
    for name, array in expected.items():
        assert np.allclose(results[name].reshape(array.shape), array, rtol=1e-9, atol=1e-11), name
    return True


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("kind", ["value", "value_and_grad", "gradient", "hvp"])
def test_networks_and_likelihoods(name, kind, tmp_path):
    source, wrt = SOURCES[name]
    d = mc.derive(source, wrt=wrt)
    arrays = arrays_of(d)
    extra = {"tangents": {k: np.cos(arrays[k]) for k in wrt}} if kind == "hvp" else {}
    assert agrees(d, arrays, tmp_path, kind, **extra)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.txt")), ids=lambda p: p.stem)
def test_every_example(path, tmp_path):
    d = mc.derive(path.read_text())
    rng = np.random.default_rng(0)
    sizes = {"n": 5, "p": 3, "d": 4, "m": 6, "D": 3, "H": 4, "K": 2, "N": 7, "M": 5, "P": 3, "Q": 4, "R": 2}
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
    assert agrees(d, arrays, tmp_path)


@pytest.mark.parametrize("case", VALID[::6], ids=lambda c: c["id"])
def test_reference_cases(case, tmp_path):
    d, dims = derive(case), case["dims"][0]
    arrays = sample(case, dims)
    if not all(np.isfinite(a).all() for a in d.function(case["kind"])(**arrays, dims=dims).values()):
        return
    try:
        assert agrees(d, arrays, tmp_path, case["kind"], dims=dims)
    except NoRuleError as error:
        assert str(error).startswith("no code for C: ")  # noqa: PT017


MORE = {
    "names of C": ("double: n x k\nint: k x 1\nwork: n x 1\nt = double*int - work\nsum(t.^2)", ["int"]),
    "names of the file": ("i: n x 1\nj: n x 1\nstatus: 1 x 1\nfree = exp(i.*j)*status\nsum(free)", ["i", "status"]),
    "names of helpers": ("dot: n x n\nlargest: n x 1\nsigmoid(largest'*inv(dot)*largest)", ["dot", "largest"]),
    "columns": ("X: n x k\nsum(max(X, 1) .* min(X, 1)) + sum(logsumexp(X, 1)) + sum(prod(X, 1))", ["X"]),
    "rows": ("X: n x k\nsum(softmax(X, 1) .* log_softmax(X, 2)) + max(X) + logsumexp(X)", ["X"]),
    "activations": (
        "X: n x k\nsum(relu(X) + huber(X, 1/2) + leakyrelu(X, 1/10) + elu(X, 2) + softplus(X) + erf(X))",
        ["X"],
    ),
    "a determinant": ("A: n x n nonsingular\ndet(A) + log(det(A)^2)", ["A"]),
    "systems": ("A: n x n\nB: n x k\nsum(solve(A, B).^2) + tr(inv(A))", ["A", "B"]),
    "scalars alone": ("a: 1 x 1\nb: 1 x 1\nsqrt(a^2 + b^2)", ["a", "b"]),
    "an input": ("X: n x k\nX'", ["X"]),
}


@pytest.mark.parametrize("name", MORE)
def test_corners(name, tmp_path):
    source, wrt = MORE[name]
    d = mc.derive(source, wrt=wrt)
    arrays = {k: a if a.size > 1 else a.item() for k, a in arrays_of(d).items()}
    assert agrees(d, arrays, tmp_path, "value_and_grad" if d.output.is_scalar else "jacobian")
    assert agrees(d, arrays, tmp_path, "value")


def test_sizes_and_singular_matrices_are_reported(tmp_path):
    d = mc.derive("tr(inv(A)*B)", shapes={"A": ("n", "n"), "B": ("n", "n")}, wrt="A")
    text = d.code("gradient", "c")
    f = compiled(text, tmp_path)
    for A, n, wanted in ((np.eye(2), 2, 0), (np.ones((2, 2)), 2, 2), (np.eye(2), 0, -1)):
        status, _ = call(text, f, {"n": n}, {"A": A, "B": np.eye(2)}, {"grad_A": (2, 2)})
        assert status == wanted


def test_no_overflow_and_no_invented_numbers(tmp_path):
    d = mc.derive("sum(softplus(x)) + logsumexp(x) + sum(maximum(x, 0))", shapes={"x": ("n", 1)})
    text = d.code("value_and_grad", "c")
    f = compiled(text, tmp_path)
    for x in ([1e4, -1e4, 0.5], [np.nan, 1.0, 2.0]):
        _, found = call(text, f, {"n": 3}, {"x": np.array(x)}, {"result": (1,), "grad_x": (3,)})
        value, gradient = d.function()(x=np.array(x))
        assert np.allclose(found["result"], value, equal_nan=True)
        assert np.allclose(found["grad_x"], gradient["x"], equal_nan=True)


MAIN = """
#include <stdio.h>
int main(void)
{
    double S[9] = {4, 1, 0, 1, 3, 1, 0, 1, 2}, X[6] = {1, 2, 3, 4, 5, 7}, value, gradient[9];
    int good = value_and_grad(3, 2, S, X, &value, gradient);
    S[0] = -1;
    printf("%d %d", good, value_and_grad(3, 2, S, X, &value, gradient));
    return 0;
}
"""


def test_memory_is_freed_and_within_bounds(tmp_path):
    file = tmp_path / "likelihood.c"
    d = mc.derive(*SOURCES["Gaussian"][:1], wrt="S")
    file.write_text(d.code(target="c") + MAIN)
    program = file.with_suffix("")
    options = ["-std=c99", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    command = ["gcc", *options, str(file), "-o", str(program), "-lopenblas", "-lm"]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("needs gcc's address sanitizer")
    done = subprocess.run([str(program)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "0 1"), done.stderr


def test_what_is_refused():
    d = mc.derive("sum(expm(X))", shapes={"X": ("n", "n")})
    with pytest.raises(NoRuleError, match="no code for C: _expm has no counterpart there"):
        d.code("value", "c")
    with pytest.raises(MatcalcError, match="target='c' is the text of a C file"):
        d.function("value", "c")


def test_the_text_is_the_same_in_every_process(tmp_path):
    source = SOURCES["network"][0]
    code = f"import matcalc as mc; print(mc.derive({source!r}).code(target='c'))"
    texts = {
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in "012"
    }
    assert len(texts) == 1
