"""Native functions on BLAS and LAPACK of the user's choice, in a process of its own; what cannot be used is refused."""

import ctypes
import ctypes.util
import subprocess

import numpy as np
import pytest
from test_native import tools  # noqa: F401
from test_native_threads import run

import matcalc as mc
from matcalc.errors import MatcalcError
from matcalc.targets.native import blas, compiler

USED = """
import numpy as np
import matcalc as mc
from pathlib import Path
from test_native import same
from test_targets import SOURCES, arrays_of
for source, wrt in SOURCES.values():
    d = mc.derive(source, wrt=wrt)
    arrays = arrays_of(d)
    for given in (arrays, {k: np.float32(a) if np.size(a) > 1 else a for k, a in arrays.items()}):
        error = 1e-9 if given is arrays else 1e-2
        assert same(d.function(target="native")(**given), d.function()(**given), rtol=error, atol=1e-4)
spectra = "eigvals(A)", "singvals(A)", "expm(A)", "pinv(A)", "inv(A)"
for source in (*spectra, "chol(A*A' + eye(n))", "logdet(A*A' + eye(n))"):
    d, A = mc.derive(source, shapes={"A": ("n", "n")}), np.array([[2.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 1.0]])
    assert same(d.function("value", "native")(A=A), d.function("value")(A=A), rtol=1e-9), source
print(sorted({line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "blas" in line}))
"""


def test_libraries_of_the_system():
    found = [ctypes.util.find_library(name) for name in ("blas", "lapack")]
    if None in found:
        pytest.skip("needs libblas and liblapack")
    (printed, *_) = run(USED, MATCALC_BLAS="blas, lapack", MATCALC_CALLER="ctypes")
    assert "libblas.so" in printed


@pytest.fixture
def library(tmp_path):
    """A function that makes a library of a C text."""

    def made(text):
        path = tmp_path / f"lib{len(list(tmp_path.iterdir()))}.so"
        source = path.with_suffix(".c")
        source.write_text(text)
        subprocess.run([*compiler.compiler().command, "-shared", "-fPIC", str(source), "-o", str(path)], check=True)
        return str(path)

    return made


ALL = "".join(f"void {letter}{name}_(void) {{}}\n" for letter in "ds" for name in blas.routines())
SUM = "double dasum_({0} *n, double *x, {0} *step) {{ return *n > 0 ? x[0] * *step : 0; }}\n"


def test_what_cannot_be_used_is_refused(library, monkeypatch, tmp_path):
    d = mc.derive("x'*A*x", shapes={"A": ("n", "n"), "x": ("n", 1)})
    (tmp_path / "text.so").write_text("no library")
    for given, said in (
        ("no-such-blas", "there is no library called no-such-blas"),
        ("/nowhere/libblas.so", r"/nowhere/libblas.so cannot be loaded: .*No such file"),
        (str(tmp_path / "text.so"), "text.so cannot be loaded"),
        (library(ALL.replace("void dgemv_(void) {}", "") + SUM.format("int")), r"has no dgemv: name all libraries"),
        (library(ALL), "has no dasum"),
        (library(ALL + SUM.format("long long")), "takes integers of 64 bits; native functions give 32"),
    ):
        monkeypatch.setenv("MATCALC_BLAS", given)
        with pytest.raises(MatcalcError, match=f"^MATCALC_BLAS: .*{said}"):
            d.function("gradient", "native")
    monkeypatch.setenv("MATCALC_BLAS", library(ALL + SUM.format("int")))
    assert mc.derive("x'*x", shapes={"x": ("n", 1)}).function("value", "native")
    monkeypatch.delenv("MATCALC_BLAS")
    assert d.function("value", "native")(A=np.eye(2), x=np.ones(2)) == 2.0
