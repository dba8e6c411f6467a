"""The examples of sums and recurrences: values against independent computations, gradients against differences."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from test_sums import differences, flat

import matcalc as mc

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "sums"
N, P, K, T, D, Q, M = 7, 3, 3, 4, 2, 3, 2


def definite(rng: np.random.Generator, n: int) -> np.ndarray:
    A = rng.normal(size=(n, n))
    return A @ A.T + n * np.eye(n)


def hidden_markov(A: Any, B: Any, c: Any) -> float:
    """The logarithm of the sum over all paths."""
    total = 0.0
    for path in product(range(K), repeat=T):
        weight = c[path[0], 0] * B[path[0], 0]
        for t in range(1, T):
            weight *= A[path[t - 1], path[t]] * B[path[t], t]
        total += weight
    return float(np.log(total))


def kalman(A: Any, H: Any, Q: Any, R: Any, P0: Any, y: Any) -> float:
    """The density of all observations, which are jointly Gaussian, without its constant."""
    steps = len(y)
    powers = [np.linalg.matrix_power(A, k) for k in range(steps + 1)]
    S = np.zeros((steps * M, steps * M))
    for s in range(steps):
        for t in range(steps):
            C = powers[s + 1] @ P0 @ powers[t + 1].T
            C = C + sum(powers[s - k] @ Q @ powers[t - k].T for k in range(min(s, t) + 1))
            S[s * M : s * M + M, t * M : t * M + M] = H @ C @ H.T + (R if s == t else 0)
    flat_y = np.concatenate([v.ravel() for v in y])
    return float(-np.linalg.slogdet(S)[1] / 2 - flat_y @ np.linalg.solve(S, flat_y) / 2)


def garch(y: Any, w: Any, a: Any, b: Any) -> float:
    v, total = w[0, 0], 0.0
    for t in range(T):
        v = w[0, 0] + a[0, 0] * y[t - 1, 0] ** 2 + b[0, 0] * v if t else v
        total += np.log(v) + y[t, 0] ** 2 / v
    return total / 2


def lstm(Wi: Any, Wf: Any, Wo: Any, Wg: Any, Ui: Any, Uf: Any, Uo: Any, Ug: Any, V: Any, x: Any, y: Any) -> float:
    s = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731
    h, c, total = np.zeros((D, 1)), np.zeros((D, 1)), 0.0
    for t in range(T):
        c = s(Wf @ h + Uf @ x[t]) * c + s(Wi @ h + Ui @ x[t]) * np.tanh(Wg @ h + Ug @ x[t])
        h = s(Wo @ h + Uo @ x[t]) * np.tanh(c)
        total += float((V @ h - y[t])[0, 0]) ** 2 / 2
    return total


def unrolled_descent(X: Any, y: Any, Z: Any, v: Any, s: Any) -> float:
    w = np.zeros((P, 1))
    for _ in range(T):
        w = w - s[0, 0] * X.T @ (X @ w - y) / len(X)
    return float(np.sum((Z @ w - v) ** 2) / (2 * len(Z)))


def gaussian_mixture(X: Any, a: Any, m: Any, S: Any) -> float:
    weights = np.exp(a[:, 0]) / np.exp(a).sum()
    densities = [multivariate_normal(m[k][:, 0], S[k]).pdf(X) * (2 * np.pi) ** (P / 2) for k in range(K)]
    return float(-np.log(weights @ np.stack(densities)).sum())


def random_field(F: Any, A: Any, Y: Any) -> float:
    labels = Y.argmax(0)

    def score(path: Any) -> float:
        return sum(F[path[t], t] for t in range(T)) + sum(A[path[t - 1], path[t]] for t in range(1, T))

    return float(np.log(sum(np.exp(score(p)) for p in product(range(K), repeat=T))) - score(labels))


def recurrent(W: Any, U: Any, V: Any, x: Any, y: Any) -> float:
    h, total = np.zeros((D, 1)), 0.0
    for t in range(T):
        h = np.tanh(W @ h + U @ x[t])
        total += float((V @ h - y[t])[0, 0]) ** 2 / 2
    return total


def data(name: str, rng: np.random.Generator) -> dict[str, Any]:
    r = rng.normal
    squares = {f"W{g}": r(size=(D, D)) for g in "ifog"}
    inputs = {f"U{g}": r(size=(D, Q)) for g in "ifog"}
    series = {"x": [r(size=(Q, 1)) for _ in range(T)], "y": [r(size=(1, 1)) for _ in range(T)]}
    return {
        "hidden_markov": {"A": rng.random((K, K)) + 0.1, "B": rng.random((K, T)) + 0.1, "c": rng.random((K, 1)) + 0.1},
        "kalman": {
            **{"A": r(size=(D, D)), "H": r(size=(M, D)), "Q": definite(rng, D), "R": definite(rng, M)},
            **{"P0": definite(rng, D), "y": [r(size=(M, 1)) for _ in range(T)]},
        },
        "garch": {"y": r(size=(T, 1)), **{n: rng.random((1, 1)) + 0.1 for n in "wab"}},
        "lstm": {**squares, **inputs, "V": r(size=(1, D)), **series},
        "unrolled_descent": {
            **{"X": r(size=(N, P)), "y": r(size=(N, 1)), "Z": r(size=(M, P)), "v": r(size=(M, 1))},
            "s": rng.random((1, 1)) + 0.1,
        },
        "gaussian_mixture": {
            **{"X": r(size=(N, P)), "a": r(size=(K, 1))},
            **{"m": [r(size=(P, 1)) for _ in range(K)], "S": [definite(rng, P) for _ in range(K)]},
        },
        "random_field": {"F": r(size=(K, T)), "A": r(size=(K, K)), "Y": np.eye(K)[:, rng.integers(K, size=T)]},
        "recurrent": {"W": r(size=(D, D)), "U": r(size=(D, Q)), "V": r(size=(1, D)), **series},
    }[name]


# The reference, and what is differentiated; symmetric variables are compared by check alone.
EXAMPLES: dict[str, tuple[Callable[..., float], list[str], list[str]]] = {
    "hidden_markov": (hidden_markov, ["A", "B", "c"], []),
    "kalman": (kalman, ["A", "H", "y"], ["Q", "R", "P0"]),
    "garch": (garch, ["w", "a", "b", "y"], []),
    "lstm": (lstm, ["Wi", "Wf", "Wo", "Wg", "Ui", "V", "x"], []),
    "unrolled_descent": (unrolled_descent, ["s", "X"], []),
    "gaussian_mixture": (gaussian_mixture, ["a", "m", "X"], ["S"]),
    "random_field": (random_field, ["F", "A"], []),
    "recurrent": (recurrent, ["W", "U", "V"], []),
}


def test_every_example_is_here() -> None:
    assert sorted(p.stem for p in FOLDER.glob("*.txt")) == sorted(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_has_the_value_and_the_gradient_of_its_reference(name: str) -> None:
    reference, names, symmetric = EXAMPLES[name]
    d = mc.derive((FOLDER / f"{name}.txt").read_text(encoding="utf-8"), wrt=[*names, *symmetric])
    text = str(d)
    assert "Gradients:" in text
    arrays = data(name, np.random.default_rng(11))
    dims = {"n": N, "p": P, "K": K, "T": T, "d": D, "q": Q, "m": M}
    value, gradients = d.function()(**arrays, dims=dims if name == "unrolled_descent" else None)
    assert value == pytest.approx(reference(**arrays), rel=1e-9)
    for wrt in names:
        given = arrays[wrt]
        whole = flat(given)

        def moved(x: np.ndarray, of: str = wrt, like: Any = given) -> float:
            return reference(**{**arrays, of: list(x) if isinstance(like, list) else x})

        slope = differences(moved, whole)
        np.testing.assert_allclose(flat(gradients[wrt]), slope, rtol=1e-6, atol=1e-8 * (1 + np.abs(slope).max()))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_passes_its_check(name: str) -> None:
    _, names, symmetric = EXAMPLES[name]
    d = mc.derive((FOLDER / f"{name}.txt").read_text(encoding="utf-8"), wrt=[*names, *symmetric])
    report = d.check(trials=1)
    assert report.ok, str(report)


@pytest.mark.parametrize("wrt", ["s", "X", "y"])
def test_what_the_adjoint_of_unrolled_descent_needs_again_is_stored(wrt: str) -> None:
    program = (FOLDER / "unrolled_descent.txt").read_text()
    d = mc.derive(program, wrt=wrt)
    assert d.check(trials=1).ok
    loops = [part for part in d.code().split("\ndef ") if "for t_ in" in part]
    assert [part.count("@") for part in loops] == [2, 2]
    if wrt == "s":  # the derivative is a sum of inner products of what the loops have stored
        assert "@" not in next(part for part in d.code().split("\ndef ") if part.startswith("_gradients"))
