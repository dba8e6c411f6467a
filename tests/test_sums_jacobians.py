"""Jacobians of programs with loops whose value is no number, beside JAX; what is refused of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import matcalc as mc
from matcalc.errors import MatcalcError, NoRuleError, ShapeError

jax = pytest.importorskip("jax")
jnp = jax.numpy


@pytest.fixture(autouse=True)
def _doubles() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def states(A: Any, x: Any, b: Any) -> Any:
    h = jnp.zeros((A.shape[0], 1))
    for given in x:
        h = jnp.tanh(A @ h + given)
    return h @ jnp.ones((1, 2)) + b


def sums(U: Any, s: Any, X: Any) -> Any:
    return sum(s[k] * jnp.exp(X @ U[k]) for k in range(len(U)))


PROGRAMS = {
    "states": (
        "A: d x d\nx[t=1..T]: d x 1\nb: d x 2\nh[0] = zeros(d, 1)\n"
        "h[t] = tanh(A*h[t-1] + x[t]) for t = 1..T\nh[T]*ones(1, 2) + b",
        states,
        {"A": (3, 3), "x": (4, 3, 1), "b": (3, 2)},
    ),
    "sums": (
        "U[k=1..K]: p x 1\ns[k=1..K]: 1 x 1\nX: n x p\nsum(k=1..K, s[k]*exp(X*U[k]))",
        sums,
        {"U": (3, 2, 1), "s": (3,), "X": (4, 2)},
    ),
}


@pytest.mark.parametrize("target", ["numpy", "native"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_jacobian_is_that_of_jax(name: str, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CFLAGS", "-O0")
    program, function, shapes = PROGRAMS[name]
    rng = np.random.default_rng(1)
    arrays = {n: rng.normal(size=shape) for n, shape in shapes.items()}
    d = mc.derive(program)
    try:
        found = d.function("jacobian", target=target)(**arrays)
    except mc.MissingDependencyError as error:
        pytest.skip(str(error))
    value = d.function("value")(**arrays)
    np.testing.assert_allclose(value, function(**arrays), rtol=1e-12)
    np.testing.assert_allclose(value, d.evaluate(**arrays), rtol=1e-12)
    wanted = jax.jacobian(lambda given: function(**given).T.reshape(-1))(arrays)
    assert found.keys() == arrays.keys()
    for key, rows in wanted.items():
        family = f"{key}[" in program
        for k in range(len(arrays[key]) if family else 1):
            part = rows[:, k] if family else rows
            turned = np.swapaxes(part, 1, 2) if part.ndim == 3 else part
            np.testing.assert_allclose(
                found[key][k] if family else found[key], turned.reshape(len(rows), -1), rtol=1e-9
            )
    cotangent = rng.normal(size=value.shape)
    products = d.function("vjp")(**arrays, cotangent=cotangent)
    for key, product in jax.vjp(lambda given: function(**given), arrays)[1](cotangent)[0].items():
        np.testing.assert_allclose(products[key], product, rtol=1e-9)


def test_the_certificate_is_of_differences() -> None:
    report = mc.derive(PROGRAMS["states"][0], wrt=["A", "x"]).check(trials=1)
    assert report.ok
    assert report.errors.keys() == {"A", "x"}


def test_the_page_is_that_of_the_product_with_a_cotangent() -> None:
    text = mc.derive(PROGRAMS["states"][0], wrt="b").text()
    assert "weighted = tr(cotangent'*(h[T]*ones(1, 2) + b))" in text
    assert text.endswith("dweighted/db = cotangent")


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda d: d.gradient(), ShapeError, "a gradient needs a scalar function, but .* is d x 2"),
        (lambda d: d.function("value_and_grad"), MatcalcError, "kind must be one of value, jacobian, vjp"),
        (lambda d: d.claim("A", "0"), NoRuleError, "is about gradients"),
        (lambda d: d.hessian(), NoRuleError, "is about gradients"),
        (lambda d: d.curvature(), NoRuleError, "is about gradients"),
        (lambda d: d.jacobian(), NoRuleError, "comes as numbers"),
        (lambda d: d.optimum(), NoRuleError, "an optimum is that of a number"),
        (lambda d: d.code(target="jax"), NoRuleError, "numpy, numba, native"),
        (lambda d: d.function(checkpoint=2), NoRuleError, "checkpoint"),
    ],
)
def test_what_is_refused(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call(mc.derive(PROGRAMS["states"][0]))


def test_a_name_that_is_taken() -> None:
    with pytest.raises(MatcalcError, match="cotangent"):
        mc.derive("cotangent: p x 1\nh[0] = cotangent\nh[t] = tanh(h[t-1]) for t = 1..T\nh[T]")
