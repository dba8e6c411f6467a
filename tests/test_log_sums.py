"""Logarithms of sums of exponentials far out: the generated code has neither inf nor nan, and the right digits."""

import mpmath
import numpy as np
import pytest

import matcalc as mc

SHAPES = {"x": ("n", 1), "X": ("n", "k"), "a": (1, 1), "b": (1, 1), "w": ("n", 1)}
# The exponents of the terms as functions of the inputs, one list for each row.
SOURCES = {
    "log(1 + sum(exp(x)))": lambda v: [[0, *v["x"][:, 0]]],
    "log(3 + sum(exp(x)))": lambda v: [[mpmath.log(3), *v["x"][:, 0]]],
    "log(sum(exp(x)) + n)": lambda v: [[mpmath.log(3), *v["x"][:, 0]]],
    "log1p(sum(exp(x)))": lambda v: [[0, *v["x"][:, 0]]],
    "log(exp(a) + exp(b))": lambda v: [[v["a"], v["b"]]],
    "log(1 + exp(a) + exp(b))": lambda v: [[0, v["a"], v["b"]]],
    "log(1/2 + 2*exp(a) + sum(exp(x)))": lambda v: [
        [mpmath.log(0.5), mpmath.log(2) + v["a"], *v["x"][:, 0]],
    ],
    "sum(log(1 + sum(exp(X), 2)))": lambda v: [[0, *row] for row in v["X"]],
    "sum(log(2 + sum(exp(X), 1)))": lambda v: [[mpmath.log(2), *row] for row in v["X"].T],
    "t = 1 + sum(exp(x)); log(t)": lambda v: [[0, *v["x"][:, 0]]],
    "sum(log(exp(x) + exp(w)))": lambda v: [list(row) for row in np.hstack([v["x"], v["w"]])],
}
POINTS = (0.7, 1e4, -1e4, 30.0)


def truth(exponents):
    """The sum of the logarithms with 50 digits."""
    with mpmath.workdps(50):
        return mpmath.fsum(mpmath.log(mpmath.fsum(mpmath.exp(mpmath.mpf(t)) for t in row)) for row in exponents)


@pytest.mark.parametrize("size", POINTS)
@pytest.mark.parametrize("source", SOURCES)
def test_value_and_gradient(source, size):
    names = [name for name in SHAPES if name in source.replace("exp", "").replace("max", "")]
    d = mc.derive(source, shapes={name: SHAPES[name] for name in names})
    rng = np.random.default_rng(0)
    sizes = {"n": 3, "k": 2}
    point = {name: size * rng.uniform(0.5, 1, size=[sizes.get(s, s) for s in SHAPES[name]]) for name in names}
    given = {name: float(a.item()) if a.size == 1 else a for name, a in point.items()}
    exponents = SOURCES[source]
    value, gradients = d.function()(**given)
    assert value == pytest.approx(float(truth(exponents(given))), rel=1e-14, abs=1e-300)
    assert gradients.keys() == set(names) != set()
    for name, gradient in gradients.items():
        moved = np.zeros_like(point[name])
        for place in np.ndindex(moved.shape):
            step = np.zeros_like(moved)
            step[place] = 1e-4
            sides = []
            for sign in (1, -1):
                moving = {**point, name: point[name] + sign * step}
                sides.append(truth(exponents({k: a.item() if a.size == 1 else a for k, a in moving.items()})))
            moved[place] = float((sides[0] - sides[1]) / 2e-4)
        assert np.allclose(np.reshape(gradient, moved.shape), moved, rtol=1e-6, atol=1e-8)


def test_a_sum_that_can_vanish_stays_a_logarithm():
    text = mc.derive("log(exp(a) - 3)", shapes={"a": (1, 1)}).code("value")
    assert "np.log(" in text


def test_a_matrix_stays_the_last_factor_of_a_stable_product():
    d = mc.derive("log(exp(norm2(x)^2) + a)", wrt="x", shapes={"x": ("n", 1), "a": (1, 1)}, facts={"a": "positive"})
    assert d.check(kind="hessian")
    x, v = np.array([[0.3], [-0.4], [1.1]]), np.array([[1.0], [2.0], [-0.5]])
    H = d.function("hessian")(x=x, a=2.0)["x"]
    found = d.function("hvp")(x=x, a=2.0, tangents={"x": v})["x"]
    assert np.allclose(found, H @ v, rtol=1e-12)
