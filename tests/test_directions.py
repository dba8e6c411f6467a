"""Tangents and cotangents of other libraries are checked as NumPy's are: what does not fit is never broadcast."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import matcalc as mc

SHAPES = {"x": ("n", 1), "A": ("n", "n")}
x, A = np.array([[1.0], [2.0], [3.0]]), np.arange(9.0).reshape(3, 3)


def _library(target: str) -> Any:
    if target == "numpy":
        return np.asarray
    if target == "jax":
        return pytest.importorskip("jax.numpy").asarray
    return pytest.importorskip("torch").tensor


@pytest.mark.parametrize("target", ["numpy", "jax", "torch"])
def test_wrong_tangents_are_refused(target: str) -> None:
    taken = _library(target)
    f = mc.derive("x .* (A*x)", shapes=SHAPES, wrt="x").function("jvp", target=target)
    right = np.asarray(f(x=taken(x), A=taken(A), tangents={"x": taken(x)}))
    np.testing.assert_allclose(right.reshape(3, 1), 2 * x * (A @ x), rtol=1e-6)
    for wrong in ({"y": taken(x)}, taken(x), {}, {"x": taken(x.T)}, {"x": taken(np.ones((3, 3)))}):
        with pytest.raises(ValueError, match="tangents"):
            f(x=taken(x), A=taken(A), tangents=wrong)


@pytest.mark.parametrize("target", ["numpy", "jax", "torch"])
def test_wrong_cotangents_are_refused(target: str) -> None:
    taken = _library(target)
    f = mc.derive("x .* (A*x)", shapes=SHAPES, wrt="x").function("vjp", target=target)
    right = np.asarray(f(x=taken(x), A=taken(A), cotangent=taken(x))["x"])
    np.testing.assert_allclose(right.reshape(3, 1), x * (A @ x) + A.T @ (x * x), rtol=1e-6)
    for wrong in (x.T, np.ones((3, 3)), np.ones((4, 1))):
        with pytest.raises(ValueError, match="cotangent"):
            f(x=taken(x), A=taken(A), cotangent=taken(wrong))


@pytest.mark.parametrize("target", ["numpy", "jax", "torch"])
@pytest.mark.parametrize("kind", ["gradient", "hvp"])
def test_names_that_python_reserves_are_given_in_a_dict(target: str, kind: str) -> None:
    taken = _library(target)
    d = mc.derive("norm2(A*x)^2 + lambda*x'*x", shapes={**SHAPES, "lambda": (1, 1)}, wrt="x, lambda")
    f = d.function(kind, target=target)
    more = {"tangents": {"lambda": taken(np.array(1.0))}} if kind == "hvp" else {}
    for name in ("lambda", "lambda_"):
        found = f(x=taken(x), A=taken(A), **{name: taken(np.array(2.0))}, **more)
        wanted = 2 * x if kind == "hvp" else 2 * A.T @ A @ x + 4 * x
        np.testing.assert_allclose(np.asarray(found["x"]), wanted, rtol=1e-5)
    with pytest.raises(TypeError, match="unexpected argument c"):
        f(x=taken(x), A=taken(A), c=1, **{"lambda": taken(np.array(2.0))}, **more)
