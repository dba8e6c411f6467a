"""Pages of programs with loops: the lines that are printed, evaluated one by one, give the gradients."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import matcalc as mc
from matcalc.loops.problem import LoopProblem
from tests.page_values import Page
from tests.test_sums_nested import PROGRAMS
from tests.test_sums_papers import SIZES, drawn

EXAMPLES = {path.stem: path.read_text() for path in Path("examples/sums").glob("*.txt")}
OTHERS = {
    "used at its end and by another": (
        "W: d x d\nu: d x 1\nh0: d x 1\nh[0] = h0\nc[0] = zeros(1, 1)\nh[t] = tanh(W*h[t-1]) for t = 1..T\n"
        "c[t] = c[t-1] + sum(sin(h[t])) for t = 1..T\nc[T] + u'*h[T]"
    ),
    "two lags": (
        "a: 1 x 1\nb: 1 x 1\nx[t=1..T]: d x 1\nz: d x 1\nh[-1] = z\nh[0] = 2*z\n"
        "h[t] = tanh(a*h[t-1] + b*h[t-2]) + x[t] for t = 1..T\nsum(t=1..T, t*norm2(h[t])^2) + norm2(h[T-1])^2"
    ),
    "momentum": (
        "A: p x p symmetric\nb: p x 1\ns: 1 x 1\nm: 1 x 1\nv[0] = zeros(p, 1)\nw[0] = b\n"
        "v[t] = m*v[t-1] - s*(A*w[t-1] - b) for t = 1..T\nw[t] = w[t-1] + v[t] for t = 1..T\nnorm2(w[T])^2"
    ),
    "differences in time": ("w: p x 1\nx[t=1..T]: p x 1\nr: T x 1\nsum(t=1..T-1, (r[t] + 0.9*w'*x[t+1] - w'*x[t])^2)"),
    "rows and columns": "X: n x p\nu[i=1..n]: p x 1\nsum(i=1..n, log(1 + (X[i,:]*u[i])^2)) + tr(X'*X)",
    "risk sets": "x[i=1..n]: p x 1\nc: n x 1\nw: p x 1\nsum(i=1..n, c[i]*(x[i]'*w - log(sum(j=i..n, exp(x[j]'*w)))))",
    "three levels": "x[i=1..n]: p x 1\nsum(i=1..n, j=1..n, k=1..n, i<j, j<k, exp(-norm2(x[i] - x[j])^2)*(x[j]'*x[k]))",
}
ALL = {**EXAMPLES, **OTHERS, **{name: program for name, (program, _, _) in PROGRAMS.items()}}


@pytest.mark.parametrize("name", ALL)
def test_the_lines_of_the_page_give_the_gradients(name: str) -> None:
    d = mc.derive(ALL[name])
    arrays = drawn(ALL[name], np.random.default_rng(4))
    if not isinstance(d, LoopProblem):
        pytest.skip("it became matrices")
    sizes = {"T": SIZES["T"]} if not re.search(r"\.\.T\]|x T\b|T x", ALL[name]) and "T" in ALL[name] else {}
    page, gradients = Page(d, arrays, sizes), d.function("gradient")(**arrays, dims=sizes)
    for key in d.names:
        np.testing.assert_allclose(page.gradient(key), gradients[key], rtol=1e-7, atol=1e-8)


def test_an_adjoint_at_the_end_has_what_others_at_the_end_pass_back() -> None:
    page = mc.derive(OTHERS["used at its end and by another"], wrt="W").text()
    assert "g_h[t] = g_c[t]*cos(h[t]) + W'*(g_h[t + 1] .* (1 - h[t + 1].^2)) for t = T..1, and g_h[T] += u" in page


def test_the_boundary_is_that_of_the_adjoints_that_are_used() -> None:
    page = mc.derive(EXAMPLES["kalman"]).text()
    assert "g_M[T + 1] = 0" in page
    assert "g_P[T + 1] = 0" not in page


def test_long_lines_of_a_page_are_broken():
    """The page of a mixture of Gaussians has lines that fit a page, and says the same as its lines in full."""
    source = (Path(__file__).resolve().parent.parent / "examples/sums/gaussian_mixture.txt").read_text(encoding="utf-8")
    page = mc.derive(source).text()
    assert max(map(len, page.splitlines())) <= 110
    assert page.count("dJ/d") == 5
