"""`d.check(against=f)` where f reads a part of a matrix only, or where the derivative is one along a set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.linalg import solve_triangular

import matcalc as mc


def by_factor(K: Any, y: Any) -> Any:
    L = np.linalg.cholesky(K)
    a = solve_triangular(L, y, lower=True)
    return 0.5 * a @ a + np.log(np.diag(L)).sum()


def by_system(K: Any, y: Any) -> Any:
    return 0.5 * np.linalg.slogdet(K)[1] + 0.5 * y @ np.linalg.solve(K, y)


def by_eigenvalues(K: Any) -> Any:
    return np.sum(np.log(np.linalg.eigvalsh(K)))


def triangular(K: Any, y: Any) -> Any:
    return np.sum(solve_triangular(K, y, lower=True) ** 2)


SHAPES = {"K": ("n", "n"), "y": "n"}
CASES = [
    (by_factor, "positive-definite", "none"),
    (by_factor, "positive-definite", "symmetric"),
    (by_system, "positive-definite", "none"),
    (by_system, "positive-definite", "symmetric"),
    (by_eigenvalues, "positive-definite", "none"),
    (triangular, "lower nonsingular", "none"),
    (triangular, "lower nonsingular", "lower"),
]


def derived(function: Callable[..., Any], facts: str, structure: str, convention: str = "entries") -> mc.Derivation:
    shapes = {name: SHAPES[name] for name in function.__code__.co_varnames[: function.__code__.co_argcount]}
    along = None if structure == "none" else {"K": structure}
    return mc.derive(function, wrt="K", shapes=shapes, facts={"K": facts}, structure=along, convention=convention)


@pytest.mark.parametrize(("function", "facts", "structure"), CASES)
@pytest.mark.parametrize("convention", ["entries", "projection"])
def test_a_right_gradient_is_not_called_wrong(function, facts, structure, convention):
    report = derived(function, facts, structure, convention).check(against=function, trials=2)
    assert report.ok, report


@pytest.mark.parametrize(("function", "facts", "structure"), CASES)
def test_another_function_is_told(function, facts, structure):
    def other(*arguments):
        return function(*arguments) + 1e-3 * np.sum(np.diag(arguments[0]))

    d = derived(function, facts, structure)
    with pytest.raises(mc.MatcalcError):
        d.check(against=lambda K, z: other(K, z))  # other arguments
    named = (lambda K: other(K)) if function is by_eigenvalues else (lambda K, y: other(K, y))
    assert not d.check(against=named, trials=2).ok


def test_a_gradient_by_jax_is_compared_along_the_set():
    jnp = pytest.importorskip("jax.numpy")
    linalg = pytest.importorskip("jax.scipy.linalg")

    def loss(K, y):
        return jnp.sum(linalg.solve_triangular(K, y, lower=True) ** 2)

    for structure in ("none", "lower"):
        report = derived(loss, "lower nonsingular", structure).check(against=loss, trials=2)
        assert report.ok, report

    def likelihood(K, y):
        return jnp.linalg.slogdet(K)[1] + y @ jnp.linalg.solve(K, y)

    for structure in ("none", "symmetric"):
        d = derived(likelihood, "positive-definite", structure)
        assert d.check(against=likelihood, trials=2).ok
        assert not d.check(against=lambda K, y: likelihood(K, 1.001 * y), trials=2).ok
