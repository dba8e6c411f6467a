"""The functions of one entry in native code: their errors in units of the last place, and what is not finite."""

import ctypes
import subprocess

import mpmath as mp
import numpy as np
import pytest

from matcalc.errors import MissingDependencyError
from matcalc.targets.native import cache, compiler
from matcalc.targets.native.helpers import prelude


def _slope(x):
    """The derivative of tanh; as NumPy's cosh overflows there, by an exponential far from 0."""
    with np.errstate(all="ignore"):
        return np.where(np.abs(x) < 300, 1 / np.cosh(x) ** 2, 4 * np.exp(-2 * np.abs(x)))


# By function its truth, the intervals where it is tried, and the largest error that the text of it states.
FUNCTIONS = {
    "exp": (mp.exp, np.exp, [(-708, 709), (-1, 1), (-1e-5, 1e-5)], 1.0),
    "expm1": (mp.expm1, np.expm1, [(-50, 700), (-1, 1), (-1e-5, 1e-5)], 2.0),
    "log": (mp.log, np.log, [(0, 10), (0.5, 2), (0.999, 1.001), (0, 1e300), (0, 1e-300)], 1.0),
    "log1p": (mp.log1p, np.log1p, [(-1, 1), (-1e-3, 1e-3), (0, 1e10), (-0.5, 3)], 1.0),
    "tanh": (mp.tanh, np.tanh, [(-20, 20), (-1, 1), (-1e-4, 1e-4)], 3.0),
    "slope_of_tanh": (lambda x: mp.sech(x) ** 2, _slope, [(-350, 350), (-1, 1), (-1e-4, 1e-4), (-20, 20)], 5.0),
}
OTHERS = ["sin", "cos", "tan", "sinh", "cosh", "asin", "acos", "atan", "asinh", "acosh", "atanh", "erf", "erfc"]
LOOP = """
void entries_of_{name}(size_t n, const double *restrict x, double *restrict y)
{{
    INDEPENDENT
    for (size_t i = 0; i < n; i++)
        y[i] = {name}(x[i]);
}}
"""
STRANGE = [np.inf, -np.inf, np.nan, 0.0, -0.0, 1.0, -1.0, 709.78, 709.79, 710.1, -745.1, -745.2, -708.5, -740.0, -2.0]
STRANGE += [5e-324, -5e-324, 2.3e-308, np.finfo(float).max, -np.finfo(float).max, np.finfo(float).tiny]


@pytest.fixture(scope="module")
def call():
    """A function of a name and an array, compiled as for use."""
    try:
        compiler.compiler()
    except MissingDependencyError as error:
        pytest.skip(str(error))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CFLAGS", "")
        text = prelude() + "".join(LOOP.format(name=name) for name in (*FUNCTIONS, *OTHERS))
        library = ctypes.CDLL(str(cache.built(text)))

    def called(name, x):
        y = np.empty_like(x)
        pointers = (ctypes.c_void_p(a.ctypes.data) for a in (x, y))
        getattr(library, f"entries_of_{name}")(ctypes.c_size_t(len(x)), *pointers)
        return y

    return called


@pytest.mark.parametrize("name", FUNCTIONS)
def test_errors_in_units_of_the_last_place(name, call):
    truth, _, intervals, most = FUNCTIONS[name]
    worst = 0.0
    for low, high in intervals:
        x = np.random.default_rng(0).uniform(low, high, 600)
        with mp.workprec(120):
            for a, b in zip(x, call(name, x), strict=True):
                right = truth(mp.mpf(float(a)))
                unit = float(np.spacing(abs(float(right))))
                worst = max(worst, abs(float((mp.mpf(float(b)) - right) / unit)))
    assert 0.4 < worst <= most


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_not_finite_and_what_is_tiny(name, call):
    x = np.array(STRANGE)
    with np.errstate(all="ignore"):
        wanted = FUNCTIONS[name][1](x)
    found = call(name, x)
    assert np.array_equal(np.isnan(found), np.isnan(wanted))
    known = ~np.isnan(wanted)
    assert np.array_equal(np.signbit(found[known]), np.signbit(wanted[known]))
    finite = np.isfinite(wanted)
    assert np.array_equal(found[known & ~finite], wanted[known & ~finite])
    assert (np.abs(found[finite] - wanted[finite]) <= 4 * np.spacing(np.abs(wanted[finite]))).all()


@pytest.mark.parametrize("name", OTHERS)
def test_the_vector_functions_of_the_c_library(name, call):
    x = np.concatenate([np.random.default_rng(1).uniform(-3, 3, 200), STRANGE])
    truth = getattr(mp, name)
    found = call(name, x)
    for a, b in zip(x[:200], found):
        right = truth(mp.mpf(float(a)))
        if isinstance(right, mp.mpc) and right.imag:
            assert np.isnan(b)
        else:
            assert b == pytest.approx(float(mp.re(right)), rel=2e-15, abs=1e-300)
    with mp.workprec(53):
        assert np.isnan(found[200 + 2])


def test_the_loops_compute_several_entries_at_once(tmp_path):
    """GCC reports it for every function that is written out; a loop that it did not understand would be slow."""
    cc = compiler.compiler()
    if "Free Software Foundation" not in cc.version:
        pytest.skip("needs GCC's reports")
    text = tmp_path / "loops.c"
    for name in FUNCTIONS:
        text.write_text(prelude() + LOOP.format(name=name))
        command = [
            *cc.command,
            *compiler.TUNED,
            "-std=gnu11",
            "-fopt-info-vec",
            "-c",
            str(text),
            "-o",
            str(tmp_path / "o"),
        ]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        last = len(text.read_text().splitlines())
        found = [int(line.split(":")[1]) for line in done.stderr.splitlines() if "loop vectorized" in line]
        assert max(found, default=0) > last - 8, name
