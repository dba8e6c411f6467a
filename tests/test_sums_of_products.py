"""Sums over several indices of products of differences, squares and quotients, against NumPy on all index tuples."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import matcalc as mc
from matcalc.errors import MatcalcError
from matcalc.indices import contraction
from matcalc.numeric.sums import is_its_sum

SHAPES = {"X": "n x p", "Y": "m x p", "Z": "n x p", "A": "n x m", "w": "p x 1", "u": "n x 1", "v": "m x 1"}
SIZES = {"n": 3, "m": 4, "p": 2}
WIDE = 4  # so many of the factors depend on all three indices
# Factors by their text, and by arrays whose axes are i, j, c.
FACTORS = {
    "(X[i,c] - Y[j,c])": lambda a: a["X"][:, None, :] - a["Y"][None],
    "(X[i,c] - Y[j,c])^2": lambda a: (a["X"][:, None, :] - a["Y"][None]) ** 2,
    "(Z[i,c] + Y[j,c])": lambda a: a["Z"][:, None, :] + a["Y"][None],
    "(X[i,c] - A[i,j]*Y[j,c])^2": lambda a: (a["X"][:, None, :] - a["A"][:, :, None] * a["Y"][None]) ** 2,
    "w[c]": lambda a: a["w"][:, 0],
    "w[c]^2": lambda a: a["w"][:, 0] ** 2,
    "exp(-w[c])": lambda a: np.exp(-a["w"][:, 0]),
    "Z[i,c]": lambda a: a["Z"][:, None, :],
    "A[i,j]": lambda a: a["A"][:, :, None],
    "A[i,j]^2": lambda a: a["A"][:, :, None] ** 2,
    "u[i]": lambda a: a["u"][:, :, None],
    "tanh(v[j])": lambda a: np.tanh(a["v"])[None, :, :],
    "1/(1 + w[c]^2)": lambda a: 1 / (1 + a["w"][:, 0] ** 2),
    "(u[i] - v[j])^2": lambda a: ((a["u"] - a["v"].T) ** 2)[:, :, None],
}


def arrays(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {k: rng.normal(size=[SIZES.get(s, 1) for s in shape.split(" x ")]) for k, shape in SHAPES.items()}


def program(products: list[list[str]]) -> str:
    declared = [f"{k}: {shape}" for k, shape in SHAPES.items()]
    summand = " + ".join(map("*".join, products))
    return "\n".join([*declared, f"sum(i=1..n, sum(j=1..m, sum(c=1..p, {summand})))"])


@pytest.mark.parametrize("seed", range(60))
def test_a_sum_of_products_has_the_value_of_its_terms(seed: int) -> None:
    rng = np.random.default_rng(seed)
    products = [
        [str(rng.choice(list(FACTORS)[:WIDE])), *map(str, rng.choice(list(FACTORS), size=1 + seed % 3))]
        for _ in range(1 + seed % 2)
    ]
    at = arrays(rng)
    try:
        d = mc.derive(program(products))
    except MatcalcError as error:
        if "no matrix form" not in str(error):
            raise
        return
    terms: Any = np.zeros((SIZES["n"], SIZES["m"], SIZES["p"]))
    for names in products:
        terms = terms + math.prod(FACTORS[name](at) for name in names)
    found = d.evaluate(**{k: at[k] for k in d.graph.declared}, dims=SIZES)
    assert found == pytest.approx(terms.sum(), rel=1e-10, abs=1e-10), products


@pytest.mark.parametrize("power", [1, 2, 3])
def test_weighted_distances(power: int) -> None:
    """A weight within the sum that is a distance, and distances to a power: none of two equal factors is lost."""
    at = arrays(np.random.default_rng(power))
    apart = (at["X"][:, None, :] - at["Y"][None]) ** 2
    for weight, array in (("w[c]", at["w"][:, 0]), ("Z[i,c]", at["Z"][:, None, :]), ("1", 1.0)):
        declared = "X: n x p\nY: m x p\nZ: n x p\nw: p x 1\nA: n x m\n"
        inner = f"sum(c=1..p, {weight}*(X[i,c] - Y[j,c])^2)"
        d = mc.derive(f"{declared}sum(i=1..n, sum(j=1..m, A[i,j]*{inner}^{power}))", wrt="X")
        want = (at["A"] * (apart * array).sum(2) ** power).sum()
        assert d.evaluate(**{k: at[k] for k in d.graph.declared}, dims=SIZES) == pytest.approx(want, rel=1e-10)
        assert d.check(trials=2).ok


def test_the_check_compares_a_sum_with_its_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that reads a sum as another function is found by the certificate."""
    source = program([["w[c]", "(X[i,c] - Y[j,c])^2"]])
    assert mc.derive(source).check(trials=1).ok
    monkeypatch.setattr(contraction, "_beside", lambda part, parts: [p for p in parts if p is not part])
    report = mc.derive(source).check(trials=1)
    assert not report.ok
    assert "w[c]*(X[i,c] - Y[j,c])^2" in report.reason


STRANGE = (
    "x: n x 1\nsum(t=2..n, (x[t] - x[t-1])^2)",
    "X: n x p\nmax(i=1..n, sum(c=1..p, X[i,c]^2))",
    "X: n x K\nsum(i=1..n, log(sum(k=1..K, exp(X[i,k]))))",
    "X: n x p\ny: n x 1\nw: p x 1\nmean(i=1..n, log(1 + exp(-y[i]*X[i,:]*w)))",
    "X: n x p\nA: n x n\nsum(i=1..n, j=1..n, i<j, A[i,j]*norm2(X[i,:] - X[j,:])^2)",
    "P: n x K positive\nsum(i=1..n, k=1..K, P[i,k]*log(P[i,k]))",
)


@pytest.mark.parametrize("source", STRANGE)
def test_sums_are_evaluated_as_they_are_written(source: str) -> None:
    d = mc.derive(source)
    assert d.liftings
    assert all(is_its_sum(x, d.graph.declared.values()) for x in d.liftings)
