"""Values given by equations: their code and derivatives against equations that are solved without the package."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.linalg as sla
import scipy.special as ssp

import matcalc as mc

CASES = [json.loads(line) for line in (Path(__file__).parent / "cases" / "implicit.jsonl").read_text().splitlines()]
Arrays = dict[str, np.ndarray]


# ------------------------------------------------------------------------------------------------ the oracle


def newton(equation: Any, start: np.ndarray) -> np.ndarray:
    """The root of an equation by Newton's method with a Jacobian by differences."""
    x = np.array(start, dtype=float)
    for _ in range(200):
        r = equation(x)
        J = np.empty((r.size, x.size))
        for k in range(x.size):
            e = np.zeros(x.size)
            e[k] = 1e-6 * (1 + abs(x.ravel()[k]))
            e = e.reshape(x.shape)
            J[:, k] = ((equation(x + e) - equation(x - e)) / (2 * e.max())).ravel()
        step, t = np.linalg.solve(J, r.ravel()).reshape(x.shape), 1.0
        while t > 1e-6 and np.linalg.norm(equation(x - t * step)) > (1 - t / 4) * np.linalg.norm(r) + 1e-13:
            t /= 2
        x = x - t * step
        if t == 1 and np.abs(step).max() < 1e-13 * (1 + np.abs(x).max()):
            break
    assert np.abs(equation(x)).max() < 1e-8
    return x


def reference(case: dict[str, Any]) -> Any:
    """The value of a case by its own reference, which solves the equation."""
    space: dict[str, Any] = {"np": np, "sla": sla, "ssp": ssp, "newton": newton}
    space |= {"sylvester": sla.solve_sylvester, "lyapunov": lambda A, Q: sla.solve_sylvester(A, A.T, Q)}
    space["dlyapunov"] = lambda A, Q: np.linalg.solve(np.eye(A.size) - np.kron(A, A), Q.ravel()).reshape(Q.shape)
    exec(case["reference"], space)
    f = space["reference"]
    names = f.__code__.co_varnames[: f.__code__.co_argcount]
    return lambda arrays: f(**{name: arrays[name] for name in names})[0]


def declared(case: dict[str, Any], dims: dict[str, int]) -> dict[str, tuple[tuple[int, int], list[str]]]:
    """The variables of a program with their sizes and facts; unknowns left out."""
    found = {}
    for line in case["program"].splitlines():
        match = re.fullmatch(r"(\w+): (\S+) x (\S+)([a-z -]*)", line)
        if match and "solves" not in line and "minimizes" not in line:
            shape = tuple(int(eval(part, {}, dict(dims))) for part in match.group(2, 3))
            found[match[1]] = (shape, match[4].split())
    return found


def values(case: dict[str, Any], dims: dict[str, int], seed: int) -> Arrays:
    """Random values with the facts, and what the equation needs to have one solution."""
    rng = np.random.default_rng(seed)
    arrays: Arrays = {}
    for name, (shape, facts) in declared(case, dims).items():
        how, _, amount = case["sampling"].get(name, "").partition(":")
        X = 0.8 * rng.normal(size=shape)
        if how == "hurwitz":
            X = X - (0.5 + np.abs(np.linalg.eigvals(X)).max()) * np.eye(len(X))
        elif how in ("stable", "scale"):
            X = X * float(amount) / (np.linalg.norm(X, 2) if how == "stable" else 1)
        elif how == "unit":
            X = rng.uniform(0.2, 0.8, shape)
        elif how == "range":
            X = rng.uniform(*map(float, amount.split(",")), shape)
        elif how == "labelspm1":
            X = np.where(X > 0, 1.0, -1.0)
        if "positive-definite" in facts:
            X = X @ X.T + np.eye(len(X))
        elif "symmetric" in facts:
            X = (X + X.T) / 2
        elif "positive" in facts:
            X = 0.3 + np.abs(X)
        elif "nonsingular" in facts:
            X = X + 3 * np.eye(len(X))
        elif "row-stochastic" in facts:
            X = np.abs(X) / np.abs(X).sum(axis=1, keepdims=True)
        arrays[name] = X
    return arrays


def slope(f: Any, arrays: Arrays, name: str, V: np.ndarray) -> float:
    """The derivative of f along V, of fourth order."""
    a, b, c, d = (f({**arrays, name: arrays[name] + k * 1e-3 * V}) for k in (1, -1, 2, -2))
    return float((8 * (a - b) - (c - d)) / 12e-3)


# ------------------------------------------------------------------------------------------------ cases


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_code_and_derivatives_are_those_of_the_solved_equation(case: dict[str, Any]) -> None:
    d = mc.derive(case["program"], wrt=case["wrt"])
    value, gradient, f = d.function("value"), d.function("gradient"), reference(case)
    for seed, dims in enumerate(case["dims"] * 2):
        arrays = values(case, dims, seed)
        assert np.isclose(value(**arrays), f(arrays), rtol=1e-7, atol=1e-8)
        found = gradient(**arrays)
        for name in case["wrt"]:
            shape, facts = declared(case, dims)[name]
            V = np.random.default_rng(seed + 9).normal(size=shape)
            if "positive-definite" in facts or "symmetric" in facts:
                V = (V + V.T) / 2
            slope_found, wanted = float(np.sum(found[name] * V)), slope(f, arrays, name, V)
            assert np.isclose(slope_found, wanted, rtol=1e-6, atol=1e-7), name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_check_agrees(case: dict[str, Any]) -> None:
    assert mc.derive(case["program"], wrt=case["wrt"]).check(trials=2)
