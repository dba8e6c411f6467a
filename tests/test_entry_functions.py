"""Identities of functions of entries: exponentials, roots, sines, absolute values, each with its relations."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import matcalc as mc
from matcalc.rules.entry_algebra import vanishes

x, y = sp.symbols("x y", real=True)
PROVED = [
    "maximum(x, y) .* minimum(x, y) = x .* y",
    "maximum(x, y).^2 + minimum(x, y).^2 = x.^2 + y.^2",
    "sinh(2*x) = 2*sinh(x) .* cosh(x)",
    "cosh(x + y) = cosh(x) .* cosh(y) + sinh(x) .* sinh(y)",
    "1 - tanh(x).^2 = 1 ./ cosh(x).^2",
    "cos(arctan(x)) = 1 ./ sqrt(1 + x.^2)",
    "sin(arctan(x)) = x ./ sqrt(1 + x.^2)",
    "sin(arccos(x)) = sqrt(1 - x.^2)",
    "tan(arcsin(x)) = x ./ sqrt(1 - x.^2)",
    "cosh(arcsinh(x)) = sqrt(1 + x.^2)",
    "arcsinh(x) - arcsinh(x) .* (sin(y).^2 + cos(y).^2) = zeros(n, 1)",
    "exp(x) ./ (1 + exp(x)).^2 = sigmoid(x) .* (1 - sigmoid(x))",
    "1 ./ (exp(x) + 2 + exp(-x)) = sigmoid(x) .* sigmoid(-x)",
    "exp(x) ./ (exp(x) + exp(-x)) = sigmoid(2*x)",
    "log(cosh(x)) = x + softplus(-2*x) - log(2)",
    "erf(x) = 2*normcdf(sqrt(2)*x) - 1",
    "prodothers(x) .* x = prod(x)*ones(n, 1)",
    "(sqrt(1 + x.^2) - 1) .* (sqrt(1 + x.^2) + 1) = x.^2",
    "sin(3*x) = 3*sin(x) - 4*sin(x).^3",
    "(x + y) ./ (x.^2 - y.^2) = 1 ./ (x - y)",
]
SCALAR = [
    "cos(arctan(a)) = 1/sqrt(1 + a^2)",
    "det([cos(a), -sin(a); sin(a), cos(a)]) = 1",
    "[cos(a), -sin(a); sin(a), cos(a)]*[cos(b), -sin(b); sin(b), cos(b)]"
    " = [cos(a + b), -sin(a + b); sin(a + b), cos(a + b)]",
    "[cosh(a), sinh(a); sinh(a), cosh(a)]*[cosh(a), -sinh(a); -sinh(a), cosh(a)] = eye(2)",
]
FALSE = [
    "maximum(x, y) .* minimum(x, y) = abs(x .* y)",
    "sinh(2*x) = sinh(x) .* cosh(x)",
    "cos(arctan(x)) = x ./ sqrt(1 + x.^2)",
    "sin(arccos(x)) = sqrt(1 + x.^2)",
    "exp(x) ./ (1 + exp(x)).^2 = sigmoid(x) .* sigmoid(x)",
    "log(cosh(x)) = x + softplus(-2*x) + log(2)",
    "sqrt(x.^2) = x",
    "sign(x).^2 .* exp(y) = exp(y) .* cos(sign(x))",
    "abs(x + y) = abs(x) + abs(y)",
    "sin(x + y) = sin(x) .* cos(y) - cos(x) .* sin(y)",
    "prodothers(x) .* y = prod(x)*ones(n, 1)",
    "(x.^4).^(1/2) = x.^2 .* sign(x)",
]


@pytest.mark.parametrize("claim", PROVED)
def test_identities_of_entries_are_proved(claim: str) -> None:
    verdict = mc.prove(f"x: n x 1; y: n x 1; {claim}")
    assert verdict.status == "proved"


@pytest.mark.parametrize("claim", SCALAR)
def test_identities_of_values_and_small_matrices_are_proved(claim: str) -> None:
    assert mc.prove(f"a: 1 x 1; b: 1 x 1; {claim}").status == "proved"


@pytest.mark.parametrize("claim", FALSE)
def test_what_is_false_is_not_proved(claim: str) -> None:
    assert mc.prove(f"x: n x 1; y: n x 1; {claim}").status == "disproved"


COLUMNS = [
    ("[Y[:, 2], Y[:, 1]] = Y*[0, 1; 1, 0]", "proved"),
    ("2*(X - [Y[:, 2], Y[:, 1]]) = 2*X - [2*Y[:, 2], 2*Y[:, 1]]", "proved"),
    ("[exp(X[:, 1]), exp(X[:, 2])] .* Y = exp(X) .* Y", "proved"),
    ("(X + Y)*[1, 1; 0, 1] = [X[:, 1] + Y[:, 1], sum(X + Y, 2)]", "proved"),
    ("[Y[:, 2], Y[:, 1]] = Y", "disproved"),
    ("[Y[:, 2], Y[:, 1]] = Y*[0, 1; 1, 1]", "disproved"),
]


@pytest.mark.parametrize(("claim", "status"), COLUMNS)
def test_matrices_of_few_columns_are_compared_by_columns(claim: str, status: str) -> None:
    assert mc.prove(f"X: n x 2; Y: n x 2; {claim}").status == status


def test_a_gradient_by_columns_is_proved() -> None:
    d = mc.derive("X: n x 2; Y: n x 2; norm2(X - [Y[:, 2], Y[:, 1]])^2")
    assert d.claim("Y", "2*[Y[:, 1] - X[:, 2], Y[:, 2] - X[:, 1]]").status == "proved"
    assert d.claim("Y", "2*[Y[:, 1] - X[:, 1], Y[:, 2] - X[:, 2]]").status == "disproved"


def test_the_proof_names_its_rule_and_its_conditions() -> None:
    verdict = mc.prove("x: n x 1; sin(arccos(x)) = sqrt(1 - x.^2)")
    assert "equal_functions_of_entries" in verdict.rules
    assert "1 - x.^2 is positive" in str(verdict)


TERMS = [
    *(
        sp.exp(x),
        sp.exp(-2 * x),
        sp.sinh(x),
        sp.cosh(x),
        sp.tanh(x),
        sp.sin(x),
        sp.cos(2 * x),
        sp.Abs(x),
        sp.Abs(x - y),
    ),
    *(
        sp.sqrt(1 + x**2),
        sp.sqrt(x**2),
        sp.log(1 + sp.exp(x)),
        sp.log(sp.cosh(x)),
        x,
        y,
        x * y,
        sp.Integer(1),
        sp.tan(x),
    ),
    *(sp.sqrt(2), sp.cos(sp.atan(y)), sp.sign(x), sp.sign(x) ** 2, sp.exp(x / 2), sp.sin(x + y), sp.log(x**2 + 1)),
]


def test_nothing_is_said_to_vanish_that_does_not() -> None:
    """Random combinations: what is found to be 0 is 0 at random points, with signs of all kinds and at 0."""
    rng = np.random.default_rng(8)
    found = 0
    for _ in range(400):
        a, b, c, d = (TERMS[int(k)] for k in rng.integers(len(TERMS), size=4))
        f = int(rng.integers(-2, 3)) * a * b + int(rng.integers(-2, 3)) * c * d + int(rng.integers(-1, 2)) * a * c
        if vanishes(f):
            found += 1
            for point in ((0.7, -0.4), (-1.3, 0.2), (0, 0.9), (-0.5, -2)):
                value = f.subs(dict(zip((x, y), map(sp.Rational, map(str, point))))) if f.free_symbols else f
                assert abs(sp.N(value, 30)) < 1e-20, f
    assert found
