"""The reference cases of `tests/cases`: loading, values that satisfy what a case declares, derivatives by differences.

A case is a JSON object: expr, vars (shapes), wrt, kind (gradient, jacobian, hessian), assume (facts), structure,
domain (for sampling only), expected (the closed form, or null), dims (sizes to test).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg
from oracle import evaluate

import matcalc as mc

Array = np.ndarray
Case = dict[str, Any]
Arrays = dict[str, Array]
HERE = Path(__file__).parent / "cases"


def load(*names: str) -> list[Case]:
    """The cases of some files (without their ending)."""
    lines = [line for name in names for line in (HERE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    return [json.loads(line) for line in lines if line.strip()]


VALID = load("cookbook", "matrixcalculus", "ml", "sympy", "textbook")
BAD = load("bad")


def structure_of(case: Case) -> str:
    """How the variable is constrained: `none`, `symmetric`, ..."""
    return str(case.get("structure", "none"))


def derive(case: Case) -> mc.Derivation:
    """The case, derived."""
    structure = structure_of(case)
    return mc.derive(
        case["expr"],
        wrt=case["wrt"],
        shapes=case["vars"],
        facts=case.get("assume"),
        structure=None if structure == "none" else {case["wrt"]: structure},
    )


# ------------------------------------------------------------------------------------------------ values

Draw = Callable[[np.random.Generator, int, int], Array]


def _orthogonal(rng: np.random.Generator, n: int) -> Array:
    return np.asarray(np.linalg.qr(rng.standard_normal((n, n)))[0])


def _invertible(rng: np.random.Generator, n: int, sign: float = 1.0) -> Array:
    x = _orthogonal(rng, n) @ np.diag(rng.uniform(0.7, 1.6, n)) @ _orthogonal(rng, n)
    if np.sign(np.linalg.det(x)) != sign:
        x[0] = -x[0]
    return x


def _positive_definite(rng: np.random.Generator, n: int) -> Array:
    g = rng.standard_normal((n, n))
    return g @ g.T / n + np.eye(n)


def _symmetric(rng: np.random.Generator, n: int) -> Array:
    g = rng.standard_normal((n, n))
    return (g + g.T) / 2


def _rank_deficient(rng: np.random.Generator, n: int) -> Array:
    s = rng.uniform(0.7, 1.6, n)
    s[-1] = 0.0
    return _orthogonal(rng, n) @ np.diag(s) @ _orthogonal(rng, n)


def _one_hot(rng: np.random.Generator, p: int, q: int) -> Array:
    return np.eye(q)[rng.integers(0, q, p)]


def _mask(rng: np.random.Generator, p: int, q: int) -> Array:
    x = (rng.uniform(size=(p, q)) < 0.6).astype(float)
    x[rng.integers(p), rng.integers(q)] = 1.0
    return x


def _toeplitz(rng: np.random.Generator, n: int, symmetric: bool) -> Array:
    column, row = rng.standard_normal(n), rng.standard_normal(n)
    return np.asarray(scipy.linalg.toeplitz(column, column if symmetric else row))


def _adjacency(rng: np.random.Generator, n: int) -> Array:
    g = np.triu((rng.uniform(size=(n, n)) < 0.6).astype(float), 1)
    return g + g.T


DOMAINS: dict[str, Draw] = {
    "symmetric": lambda rng, p, q: _symmetric(rng, p),
    "diagonal": lambda rng, p, q: np.diag(rng.uniform(0.6, 1.8, p)),
    "positive-definite": lambda rng, p, q: _positive_definite(rng, p),
    "invertible": lambda rng, p, q: _invertible(rng, p),
    "negative-det": lambda rng, p, q: _invertible(rng, p, -1.0),
    "rank-deficient": lambda rng, p, q: _rank_deficient(rng, p),
    "orthogonal": lambda rng, p, q: _orthogonal(rng, p),
    "toeplitz": lambda rng, p, q: _toeplitz(rng, p, symmetric=False),
    "symmetric-toeplitz": lambda rng, p, q: _toeplitz(rng, p, symmetric=True),
    "lower": lambda rng, p, q: np.tril(rng.standard_normal((p, q)), -1) + np.diag(rng.uniform(0.6, 1.8, p)),
    "rot90": lambda rng, p, q: np.array([[0.0, -1.0], [1.0, 0.0]]),
    "risk-set": lambda rng, p, q: np.triu(np.ones((p, q))),
    "adjacency": lambda rng, p, q: _adjacency(rng, p),
    "nonneg": lambda rng, p, q: np.abs(rng.standard_normal((p, q))),
    "positive": lambda rng, p, q: rng.uniform(0.4, 1.8, (p, q)),
    "zero": lambda rng, p, q: np.zeros((p, q)),
    "one": lambda rng, p, q: np.ones((p, q)),
    "one-hot": _one_hot,
    "onehot-rows": _one_hot,
    "onehot-cols": lambda rng, p, q: _one_hot(rng, q, p).T,
    "row-stochastic": lambda rng, p, q: rng.dirichlet(np.ones(q), p),
    "simplex-rows": lambda rng, p, q: rng.dirichlet(np.ones(q), p),
    "simplex-cols": lambda rng, p, q: rng.dirichlet(np.ones(p), q).T,
    "labels01": lambda rng, p, q: (rng.uniform(size=(p, q)) < 0.5).astype(float),
    "labelspm1": lambda rng, p, q: np.where(rng.uniform(size=(p, q)) < 0.5, -1.0, 1.0),
    "mask01": _mask,
    "count": lambda rng, p, q: rng.poisson(2.0, (p, q)).astype(float),
    "unit": lambda rng, p, q: rng.uniform(0.1, 0.9, (p, q)),
    "open1": lambda rng, p, q: rng.uniform(-0.8, 0.8, (p, q)),
    "small": lambda rng, p, q: 0.2 * rng.standard_normal((p, q)),
    "large": lambda rng, p, q: 200.0 * rng.standard_normal((p, q)),
    "small-positive": lambda rng, p, q: rng.uniform(0.05, 0.3, (p, q)),
    "gt1": lambda rng, p, q: rng.uniform(1.5, 3.0, (p, q)),
}


def sample(case: Case, dims: Mapping[str, int], seed: int = 0) -> Arrays:
    """Values for the variables of a case, as its `domain` and `assume` say."""
    rng = np.random.default_rng([seed, zlib.crc32(case["id"].encode()), *sorted(dims.values())])
    arrays = {}
    for name, shape in case["vars"].items():
        p, q = (dims[d] if isinstance(d, str) else d for d in shape)
        how = case.get("domain", {}).get(name) or case.get("assume", {}).get(name)
        if how is None:
            arrays[name] = rng.standard_normal((p, q))
        elif how.startswith(("int:", "const:")):
            arrays[name] = np.full((p, q), float(how.split(":")[1]))
        else:
            arrays[name] = np.array(DOMAINS[how](rng, p, q), dtype=float)
        assert arrays[name].shape == (p, q), f"{case['id']}: {name}"
    return arrays


# ------------------------------------------------------------------------------------------------ derivatives


def directions(case: Case, X: Array, rng: np.random.Generator, count: int = 2) -> Iterator[Array]:
    """Random directions in the set in which the variable of a case moves."""
    for _ in range(count):
        V = rng.standard_normal(X.shape)
        structure = structure_of(case)
        if structure == "symmetric":
            V = (V + V.T) / 2
        elif structure == "diagonal":
            V = np.diag(np.diag(V))
        elif structure.endswith("toeplitz"):
            V = _toeplitz(rng, len(X), symmetric=structure == "symmetric-toeplitz")
        yield V


def paired(G: Array, V: Array, structure: str) -> float:
    """The directional derivative that a (structured) gradient says: one term for each free entry."""
    if structure == "symmetric":
        return float(np.sum(np.tril(G * V)))
    if structure == "toeplitz":
        return float(np.sum((G * V)[0]) + np.sum((G * V)[1:, 0]))
    if structure == "symmetric-toeplitz":
        return float(np.sum((G * V)[0]))
    return float(np.sum(G * V))


def relative_error(value: Any, reference: Any) -> float:
    """The largest difference, relative to the largest entry and at least to 1; infinite for another shape or nan."""
    a, b = np.asarray(value, dtype=float), np.asarray(reference, dtype=float)
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("inf")
    return float(np.max(np.abs(a - b), initial=0.0) / max(1.0, np.max(np.abs(b), initial=0.0)))


def difference_error(case: Case, arrays: Arrays, dims: Mapping[str, int], D: Array, seed: int) -> float:
    """The derivative `D` against differences of the oracle's values of `expr`, along random directions."""
    name = case["wrt"]
    X = arrays[name]
    worst = 0.0
    for V in directions(case, X, np.random.default_rng([seed, 7])):

        def at(step: float, V: Array = V) -> Array:
            return evaluate(case["expr"], {**arrays, name: X + step * V}, dims)

        slope, claimed = _both_slopes(case, at, X, D, V)
        scale = max(1.0, float(np.abs(claimed).max()), float(np.abs(at(0.0)).max()))
        worst = max(worst, float(np.max(np.abs(slope - claimed))) / scale)
    return worst


def _both_slopes(case: Case, at: Callable[[float], Array], X: Array, D: Array, V: Array) -> tuple[Array, Array]:
    """The difference quotient and what the derivative says it is."""
    v = V.reshape(-1, 1, order="F")
    if case["kind"] == "hessian":
        h = 1e-3
        second = (-at(2 * h) + 16 * at(h) - 30 * at(0.0) + 16 * at(-h) - at(-2 * h)) / (12 * h * h)
        return second, v.T @ D @ v
    h = 1e-4 * max(1.0, float(np.abs(X).max()) / 10)
    first = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    if case["kind"] == "gradient":
        return first, np.array([[paired(D, V, structure_of(case))]])
    return first.reshape(-1, 1, order="F"), D @ v
