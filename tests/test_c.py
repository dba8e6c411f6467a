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
import support
from case_support import VALID, derive, sample
from refusals import REFUSED, REFUSED_CASES
from support import OPERATIONS, derived, values_of
from test_targets import SOURCES, arrays_of

import matcalc as mc
from matcalc.errors import NoRuleError

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
BLAS = Path(__file__).resolve().parent / "data" / "blas"
GCC = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-O1"]
SHARED = ["-shared", "-fPIC"]
SANITIZED = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
POINTER = ctypes.POINTER(ctypes.c_double)


def run(*command):
    return subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True)


@pytest.fixture(scope="session", autouse=True)
def compiler():
    """Skip where there is no compiler."""
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")


@pytest.fixture(scope="session")
def blas(tmp_path_factory):
    """How to compile with the machine's OpenBLAS, or without one with the few functions that are written out here."""
    folder = tmp_path_factory.mktemp("blas")
    probe, library = folder / "probe.c", folder / "blas.o"
    probe.write_text("#include <cblas.h>\ndouble f(double *x) { return cblas_ddot(1, x, 1, x, 1); }\n")
    if run(*GCC, *SHARED, probe, "-o", folder / "probe.so", "-lopenblas", "-lm").returncode == 0:
        return ["-lopenblas", "-lm"]
    assert run(*GCC, "-fPIC", "-c", BLAS / "blas.c", "-o", library).returncode == 0
    return [f"-I{BLAS}", library, "-lm"]


@pytest.fixture(scope="session")
def checked_blas(tmp_path_factory):
    """The functions written out here, with the sanitizers, which see what they read and write."""
    library = tmp_path_factory.mktemp("checked") / "blas.o"
    done = run(*GCC, *SANITIZED, "-c", BLAS / "blas.c", "-o", library)
    if done.returncode:
        pytest.skip("needs gcc's address sanitizer")
    return [f"-I{BLAS}", library, "-lm"]


@pytest.fixture
def folder(tmp_path, blas):
    """A folder for C files, and how they are linked."""
    return tmp_path, blas


def compiled(text, folder):
    """The one function of a C file."""
    place, blas = folder
    file = place / f"f{len(list(place.iterdir()))}.c"
    file.write_text(text)
    library = file.with_suffix(".so")
    done = run(*GCC, *SHARED, file, "-o", library, *blas)
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
def test_networks_and_likelihoods(name, kind, folder):
    source, wrt = SOURCES[name]
    d = mc.derive(source, wrt=wrt)
    arrays = arrays_of(d)
    extra = {"tangents": {k: np.cos(arrays[k]) for k in wrt}} if kind == "hvp" else {}
    assert agrees(d, arrays, folder, kind, **extra)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.txt")), ids=lambda p: p.stem)
def test_every_example(path, folder):
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
    assert agrees(d, arrays, folder)


@pytest.mark.parametrize("case", VALID[::6], ids=lambda c: c["id"])
def test_reference_cases(case, folder):
    d, dims = derive(case), case["dims"][0]
    if case["id"] in REFUSED_CASES["c"]:
        with pytest.raises(NoRuleError, match="no code for C: "):
            d.code(case["kind"], "c")
        return
    arrays = sample(case, dims)
    assert all(np.isfinite(a).all() for a in d.function(case["kind"])(**arrays, dims=dims).values())
    assert agrees(d, arrays, folder, case["kind"], dims=dims)


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
    "a row that is repeated": ("X: m x n\nx: n x 1\nsum(X .* reshape(x, 1, n))", ["X", "x"]),
    "a column that is repeated": ("X: m x n\nx: 1 x m\nsum((X .* reshape(x, m, 1)).^2) + sum(X*vec(x*X))", ["X", "x"]),
    "signs": ("a: 1 x 1\nb: 1 x 1\n-logsigmoid(a) - (-sin(-b))", ["a", "b"]),
    "signs of matrices": ("X: n x k\nsum(-logsigmoid(X) .* (-(-X)))", ["X"]),
    "roots of numbers": ("X: n x k\na: 1 x 1\nsqrt(2)*max(X)*a + sqrt(3)*sum(max(X, 1))", ["X", "a"]),
    "a number and a determinant": ("A: n x n\na: 1 x 1\nsqrt(2)*logdet(A)*a + pi*sum(inv(A))", ["A", "a"]),
    "diagonals": ("x: n x 1\nA: n x n\nsum(diagvec(A + diag(x)).^2) + sum(tril(A) .* A)", ["x", "A"]),
}


@pytest.mark.parametrize("name", MORE)
def test_corners(name, folder):
    source, wrt = MORE[name]
    d = mc.derive(source, wrt=wrt)
    arrays = {k: a if a.size > 1 else a.item() for k, a in arrays_of(d).items()}
    assert agrees(d, arrays, folder, "value_and_grad" if d.output.is_scalar else "jacobian")
    assert agrees(d, arrays, folder, "value")


def test_sizes_and_singular_matrices_are_reported(folder):
    d = mc.derive("tr(inv(A)*B)", shapes={"A": ("n", "n"), "B": ("n", "n")}, wrt="A")
    text = d.code("gradient", "c")
    f = compiled(text, folder)
    for A, n, wanted in ((np.eye(2), 2, 0), (np.ones((2, 2)), 2, 2), (np.eye(2), 0, -1)):
        status, _ = call(text, f, {"n": n}, {"A": A, "B": np.eye(2)}, {"grad_A": (2, 2)})
        assert status == wanted


def test_no_overflow_and_no_invented_numbers(folder):
    d = mc.derive("sum(softplus(x)) + logsumexp(x) + sum(maximum(x, 0))", shapes={"x": ("n", 1)})
    text = d.code("value_and_grad", "c")
    f = compiled(text, folder)
    for x in ([1e4, -1e4, 0.5], [np.nan, 1.0, 2.0]):
        _, found = call(text, f, {"n": 3}, {"x": np.array(x)}, {"result": (1,), "grad_x": (3,)})
        value, gradient = d.function()(x=np.array(x))
        assert np.allclose(found["result"], value, equal_nan=True)
        assert np.allclose(found["grad_x"], gradient["x"], equal_nan=True)


def literal(array):
    return ", ".join(map(repr, np.ravel(array).tolist()))


def main_of(text, sizes, inputs, shapes):
    """A program that calls the function once, with arrays of exactly the right length, and prints the results."""
    name, parameters = re.search(r"^int (\w+)\((.*?)\)\n\{", text, re.MULTILINE | re.DOTALL).groups()
    lines, arguments, taken = [], [], []
    for parameter in re.split(r",\s+", parameters):
        kind, target = re.fullmatch(r"(.*?)(\w+)", parameter).groups()
        key = target.rstrip("_")
        if kind == "int ":
            arguments.append(str(sizes[key]))
        elif kind == "double ":
            arguments.append(repr(float(np.asarray(inputs[key]).item())))
        else:
            size = np.size(inputs[key]) if kind == "const double *" else int(np.prod(shapes[key]))
            variable = f"array{len(taken)}"
            taken.append(variable)
            arguments.append(variable)
            lines.append(f"double *{variable} = malloc({size} * sizeof(double));")
            if kind == "const double *":
                lines.append(
                    f"memcpy({variable}, (const double[]){{{literal(inputs[key])}}}, {size} * sizeof(double));"
                )
            else:
                shapes[key] = (variable, size)
    lines.append(f'printf("%d\\n", {name}({", ".join(arguments)}));')
    for key, (variable, size) in shapes.items():
        lines.append(f'printf("{key}");\nfor (int k = 0; k < {size}; k++)\nprintf(" %.17g", {variable}[k]);\nputs("");')
    lines += [f"free({variable});" for variable in taken]
    head = "\n#include <stdio.h>\n#include <string.h>\nint main(void)\n{\n"
    return head + "\n".join(lines) + "\nreturn 0;\n}\n"


WRITTEN = [name for name in OPERATIONS if name not in REFUSED["c"]["value"] | REFUSED["c"]["gradient"]]
SIZES_OF = {"distinct": support.SIZES, "ones": dict.fromkeys(support.SIZES, 1)}


@pytest.mark.parametrize("name", WRITTEN)
def test_every_operation_within_bounds(name, tmp_path, checked_blas):
    """No warning, no read or write outside of an array, no leak, and NumPy's numbers: value and gradient."""
    d = derived(name, "gradient")
    text = d.code("value_and_grad", "c")
    for label, sizes in SIZES_OF.items():
        if label == "ones" and name in ("var", "std", "standardize"):  # of one row less one degree of freedom
            continue
        try:
            arrays = values_of(name, "gradient", sizes=sizes)
        except AssertionError:  # 1 x 1 values are outside of the domain
            assert label == "ones"
            continue
        value, gradients = d.function()(**arrays, dims=dict(sizes))
        wanted = {"result": value} | {f"grad_{k}": a for k, a in gradients.items()}
        file = tmp_path / f"{label}.c"
        shapes = {k: np.atleast_2d(a).shape for k, a in wanted.items()}
        file.write_text(text + main_of(text, sizes, arrays, shapes))
        done = run(*GCC, *SANITIZED, file, "-o", file.with_suffix(""), *checked_blas)
        assert done.returncode == 0, done.stderr + text
        done = run(file.with_suffix(""))
        assert done.returncode == 0, done.stderr + text
        status, *results = done.stdout.splitlines()
        assert status == "0"
        assert len(results) == len(wanted)
        for line in results:
            key, *numbers = line.split()
            assert np.allclose(np.array(numbers, float), np.ravel(wanted[key]), rtol=1e-9, atol=1e-11), key


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


def test_memory_is_freed_where_a_factorisation_fails(tmp_path, checked_blas):
    file = tmp_path / "likelihood.c"
    d = mc.derive(*SOURCES["Gaussian"][:1], wrt="S")
    file.write_text(d.code(target="c") + MAIN)
    done = run(*GCC, *SANITIZED, file, "-o", file.with_suffix(""), *checked_blas)
    assert done.returncode == 0, done.stderr
    done = run(file.with_suffix(""))
    assert (done.returncode, done.stdout) == (0, "0 1"), done.stderr


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("X: m x n\nA: p x q\nkron(X, A)", "jacobian"),
        ("X: m x n\nA: n x m\nB: n x m\ntr(X*A*X*B)", "hessian"),
        ("X: m x n\nA: n x n\nB: m x m\nC: n x m\ntr(X*A*X'*B*X*C)", "hessian"),
    ],
)
def test_a_size_is_written_in_one_way_as_the_instruction_has_it(source, kind):
    d = mc.derive(source, wrt="X")
    for target in ("c", "native"):
        assert not re.search(r"\((n \* m|q \* p)\)", d.code(kind, target))
    sizes = {"m": 3, "n": 2, "p": 4, "q": 5}
    rng = np.random.default_rng(0)
    arrays = {
        name: rng.normal(size=(sizes[rows], sizes[columns]))
        for name, rows, columns in re.findall(r"(\w): (\w) x (\w)", source)
    }
    found, wanted = (d.function(kind, target)(**arrays)["X"] for target in ("native", "numpy"))
    assert np.allclose(found, wanted, rtol=1e-12)


def test_what_is_refused():
    d = mc.derive("sum(expm(X))", shapes={"X": ("n", "n")})
    with pytest.raises(NoRuleError, match="no code for C: expm has no counterpart there"):
        d.code("value", "c")


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
