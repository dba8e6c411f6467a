"""Gradients with checkpoints outside of NumPy: stretches of steps, each a program of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_sums_papers import PAPERS, RECURRENT, drawn

import matcalc as mc

PROGRAMS = {
    "network": RECURRENT,
    "gru": PAPERS["gru"][0],
    "ranges": """a: 1 x 1
y: T x 1
h[0] = a
h[t] = tanh(h[t-1]*a + y[t]) for t = 1..T
sum(t=2..T, (h[t] - h[t-1])^2*y[t]) + sum(t=1..T, h[t-1]*y[t]) + h[T]*h[T-1] + sum(s=1..T-1, h[s+1]*h[s])""",
    "numbers": """a: 1 x 1
y: T x 1
h[0] = a
h[t] = tanh(h[t-1]*a + t*y[t]) for t = 1..T
sum(t=1..T, t*h[t]^2)""",
    "places": """B: p x T
w: p x 1
x[t=1..T]: p x 1
h[1] = x[1] .* B[:,1]
h[t] = tanh(h[t-1] + w .* x[t] + x[t-1] .* B[:,t]) for t = 2..T
norm2(h[T])^2*norm2(w)^2 + sum(t=1..T, w'*h[t])""",
}


def compared(name: str, target: str, every: int) -> None:
    """The value and the gradients, with and without."""
    d = mc.derive(PROGRAMS[name])
    arrays = drawn(PROGRAMS[name], np.random.default_rng(4))
    value, gradients = d.function()(**arrays)
    found, slopes = d.function(checkpoint=every, target=target)(**arrays)
    assert float(found) == pytest.approx(value, rel=1e-12)
    for key, gradient in gradients.items():
        np.testing.assert_allclose(np.asarray(slopes[key]), gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("every", [1, 2, 20])
def test_native_gradients_are_the_same(name: str, every: int) -> None:
    compared(name, "native", every)


@pytest.fixture
def doubles() -> Any:
    """JAX in double precision."""
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        yield jax


@pytest.mark.parametrize("name", ["network", "ranges", "numbers"])
def test_gradients_of_jax_are_the_same(name: str, doubles: Any) -> None:
    compared(name, "jax", 2)


def test_the_function_of_jax_can_be_jitted_and_does_not_grow(doubles: Any) -> None:
    d = mc.derive(RECURRENT, wrt="W")
    f = d.function(checkpoint=3, target="jax")
    arrays = drawn(RECURRENT, np.random.default_rng(4))
    value, gradients = d.function()(**arrays)
    found, slopes = doubles.jit(f)(**arrays)
    assert float(found) == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(np.asarray(slopes["W"]), gradients["W"], rtol=1e-9)
    rng = np.random.default_rng(0)
    sizes = []
    for steps in (60, 600):
        longer = {**arrays, "x": rng.normal(size=(steps, *arrays["x"].shape[1:])), "y": rng.normal(size=steps)}
        sizes.append(len(str(doubles.make_jaxpr(lambda **given: f(**given))(**longer))))
    assert sizes[1] < 1.1 * sizes[0]


@pytest.mark.parametrize("target", ["native", "jax"])
def test_products_with_the_hessian_are_the_same(target: str, doubles: Any) -> None:
    d = mc.derive(RECURRENT, wrt="W")
    arrays = drawn(RECURRENT, np.random.default_rng(4))
    tangents = {"W": np.random.default_rng(5).normal(size=arrays["W"].shape)}
    wanted = d.function("hvp")(**arrays, tangents=tangents)
    found = d.function("hvp", checkpoint=2, target=target)(**arrays, tangents=tangents)
    np.testing.assert_allclose(np.asarray(found["W"]), wanted["W"], rtol=1e-9)


def test_numba_compiles_the_stretches() -> None:
    source = mc.derive(PROGRAMS["numbers"]).code(checkpoint=2, target="numba")
    assert source.count("numba.njit") >= 4  # each forwards and backwards
    assert source.count("def _module_") == 5


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (RECURRENT.replace("V*h[t]", "V*h[t]*h[1]'*h[t]"), "uses states in another way"),
        (RECURRENT.replace("U*x[t]", "U*x[1]"), "has a place of its own in a step"),
        ("A[k=1..K]: p x p\nw: p x 1\nnorm2(sum(k=1..K, A[k]*w))^2", "one loop of recurrences"),
    ],
)
def test_what_has_no_stretches_is_refused(program: str, said: str) -> None:
    with pytest.raises(mc.NoRuleError, match=said):
        mc.derive(program).code(checkpoint=2, target="native")
