"""Programs in which the fuzzer found something wrong, shrunk: each stands for its kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fuzz import case, checks, generate

import matcalc as mc

SIZES = {"n": 2, "m": 3}
LIBRARIES = sorted({"jax", "torch", "array-api", "dask"} & checks.CHECKS.keys())
X = np.array([[1.4, -0.4], [0.3, -0.35]])
WIDE = np.array([[0.2, -0.3, 1.2], [-0.5, 1.3, 0.6]])
# Each with the check that failed, and the point.
FOUND: list[tuple[str, str, dict[str, Any]]] = [
    # A constant beside an array of LAPACK's was an array of integers, and so was the result.
    ("gradient", "P: 1 x 1; pinv(adj(P))", {"P": 2.0}),
    ("gradient", "P: 1 x 1; eigmax(adj(P))*P", {"P": 2.0}),
    ("gradient", "a: 1 x 1; dlyapunov(a, a)", {"a": 0.6}),
    ("graph", "a: 1 x 1; dlyapunov(a, a)", {"a": 0.6}),
    ("hvp", "a: 1 x 1; dlyapunov(a, a)", {"a": 6.7}),
    ("jacobian", "P: 1 x 1; care(eye(1), eye(1), eye(1), P)", {"P": 1.04}),
    ("gradient", "a: 1 x 1; b: 1 x 1; lyapunov(a, b)", {"a": 1.0, "b": 1.67}),
    ("gradient", "C: 1 x n; dare(eye(1), C, eye(1), eye(n))", {"C": [[1.7, 0.9]]}),
    ("gradient", "Y: n x n; dare(1, ones(1, n), 1, Y)", {"Y": [[2.2, 0.1], [-0.3, 1.1]]}),
    # A truth value times 2 was to hold a product of floats.
    ("gradient", "C: n x m; Y: n^2 x (m*n); S = blocksum(hardtanh(C), Y); sum(S.*S)", {}),
    # The factor 0 was read as the size of an identity.
    ("factored", "a: 1 x 1; b: 1 x 1; a*b/a", {"a": -2.0, "b": -0.8}),
    ("factored", "b: 1 x 1; sign(b)", {"b": 1.9}),
    ("factored", "b: 1 x 1; eigvecs(b)", {"b": 0.3}),
    ("factored", "a: 1 x 1; mse(a, a)", {"a": 0.02}),
    # What a definition gives a value is lost where that value moves by itself.
    ("named", "C: n x n; h = C + C'; sum(h*h)", {"C": X}),
    ("named", "b: n x 1; h = eye(n); sum(h*(h*b))", {"b": [[0.4], [0.2]]}),
    ("named", "C: n x n; h = C*C'; k = h'*C; sum(k.*(h'*C))", {"C": X}),
    ("named", "C: n x n; h = tril(C); sum(tril(h*h))", {"C": X}),
    # Numbers of Python stood where other libraries take arrays only.
    *((t, "a: 1 x 1; h = adj(a); sigmoid(h)", {"a": 1.0}) for t in LIBRARIES),
    *((t, "b: 1 x 1; where(-1 > -2, b, -1)*b", {"b": 0.8}) for t in LIBRARIES),
    *((t, "a: 1 x 1; h = 3/4; h^a", {"a": 1.1}) for t in LIBRARIES),
    *((t, "a: 1 x 1; h = 1/2; maximum(h, 1/3)*a*abs(h)*softplus(h)", {"a": 1.1}) for t in LIBRARIES),
    # A number that is spread over a square was taken for its rows.
    ("jacobian", "C: m x 1; sum(standardize(diag(C), 2, 1, 0.1), 1)", {"C": [[0.3], [0.8], [0.2]]}),
    ("jacobian", "C: m x 1; sum(standardize(diag(C), 1, 1, 0.1), 2)", {"C": [[0.3], [0.8], [0.2]]}),
    # No axis was looked up among the sizes.
    *((t, "b: 1 x 1; standardize(b, ddof=0, eps=0.1)", {"b": 2.2}) for t in LIBRARIES),
    *((t, "C: n x n; sum(standardize(C, ddof=1, eps=0.1).*C)", {"C": X}) for t in LIBRARIES),
    # sigmoid(x) sigmoid(-x) became one function, and took every sigmoid(x) of the product with it.
    ("gradient", "C: n x n; S = tanh(C) + tanh(C).*tanh(C) + tanh(C); sum(S.*S)", {"C": X}),
    ("jacobian", "C: n x n; tanh(C) + tanh(C).*tanh(C) + tanh(C)", {"C": X}),
    ("hessian", "C: n x n; sum((1 + tanh(C)).^2)", {"C": X}),
    # Of the factors of a mean those with negative exponents were not seen: it was centred, where it is none.
    ("gradient", "P: n x m; Q: n x m; c: 1 x 1; c*var(P ./ Q, ddof=1)", {"P": WIDE, "Q": 2 - WIDE, "c": 1.3}),
    ("gradient", "P: n x m; Q: n x m; c: 1 x 1; c*sum(var(P ./ Q, 1))", {"P": WIDE, "Q": 2 - WIDE, "c": 1.3}),
    # exp(x) over the square of exp(x) - 1 is infinite over infinite where x is large.
    ("hvp", "P: n x n; sum(log1mexp(P))", {"P": [[1104.3, 0.5], [0.2, 40.0]]}),
    ("hvp", "P: n x n; sum(log1mexp(2*P + 1))", {"P": [[1104.3, 0.5], [0.2, 40.0]]}),
    # An exponent that is 0 for one entry moved all the same, times the logarithm of a negative base.
    ("gradient", "b: 1 x 1; P: 1 x 1; b^dprodothers(P, b)", {"b": -0.95, "P": 13.0}),
    ("gradient", "b: 1 x 1; P: 1 x 1; b^dadj(P, b)", {"b": -0.95, "P": 13.0}),
    # A root of a product with a minus was split into roots.
    ("hvp", "P: n x m; K: n x m; sum(arccosh(exp(log1mexp(P) + K)))", {"P": WIDE + 1.2, "K": 1.6 + 0 * WIDE}),
    # A number of Python's was asked whether any of its entries is far below 0.
    ("hessian", "B: 1 x n row-stochastic; normlogcdf(sum(B, 2))", {"B": [[0.4, 0.6]]}),
    # The singular values of nan were looked for.
    ("gradient", "A: n x n; sum(pinv(sqrtm(A*A)))", {"A": X}),
]


@pytest.mark.parametrize(("check", "source", "point"), FOUND, ids=[f"{f[0]} {f[1]}" for f in FOUND])
def test_what_was_found(check: str, source: str, point: dict[str, Any]) -> None:
    output = mc.derive(source).source.output
    rng = np.random.default_rng(7)
    shapes = {"C": (2, 3), "Y": (4, 6)}
    arrays = {k: np.reshape(a, np.shape(a) or (1, 1)) for k, a in point.items()}
    arrays = arrays or {k: 0.8 * rng.normal(size=s) for k, s in shapes.items()}
    program = generate.Program(output, arrays, SIZES, (0, 0))
    assert checks.guarded(check, case.Case(program)) == "right"


def test_every_named_hessian_is_that_of_a_free_value() -> None:
    """The second derivative by a named value is that of the same function of a variable, whatever the definition."""
    free = mc.derive("h: n x n; x: n x 1; x'*h*h'*h*x + tr(h*h)").function("hessian")
    V = np.array([[0.4], [-0.9]])
    for definition in ("C + C'", "C*C'", "tril(C)", "C - C'", "diag(diagvec(C))", "inv(C*C')", "eye(n)"):
        d = mc.derive(f"C: n x n; x: n x 1; h = {definition}; x'*h*h'*h*x + tr(h*h)", wrt="h")
        H = d.function("hessian")(C=X, x=V)["h"]
        h = np.array(mc.derive(f"C: n x n; {definition}", wrt="C").function("value")(C=X, dims={"n": 2}))
        want = free(h=h, x=V)["h"]
        assert np.allclose(H, want, rtol=1e-9, atol=1e-9), definition


def test_factors_of_one_entry_are_floats_and_sizes_are_whole() -> None:
    d = mc.derive("a: 1 x 1; x: n x 1; a*x", wrt=["a", "x"])
    found = d.function("jacobian", form="factored")(a=2.0, x=np.ones((3, 1)))
    kinds = [type(f) for pair in found["x"] for f in pair]
    assert all(issubclass(k, (float, int, np.ndarray)) for k in kinds)
    zero = mc.derive("b: 1 x 1; sign(b)").function("jacobian", form="factored")(b=2.0)["b"]
    assert [(type(s), float(f)) for s, f in zero] == [(int, 0.0)]
    assert isinstance(zero[0][1], float)


def test_the_pseudoinverse_of_what_has_no_value_has_none() -> None:
    """sqrtm of a matrix with a negative eigenvalue is nan, and what follows is: no library's error."""
    f = mc.derive("A: n x n; sum(pinv(sqrtm(A)))").function("value_and_grad")
    value, gradients = f(A=np.array([[-1.0, 2.0], [0.5, 3.0]]))
    assert np.isnan(value)
    assert np.isnan(gradients["A"]).all()


def test_the_sign_of_a_product_is_not_that_of_the_first_term_of_a_factor() -> None:
    f = mc.derive("A: n x n; C: n x n; h = -(A.^2 + ones(n, n)/2) .* C .* cos(A) - exp(C) .* A; h").function("value")
    assert np.allclose(f(A=X, C=X), -(X**2 + 0.5) * X * np.cos(X) - np.exp(X) * X, rtol=1e-12)


def test_a_quotient_whose_shorter_form_is_gathered_back_ends():
    """Multiplied out it is shorter, gathered it is what it was: found by a random program."""
    source = "C: m x n\nY: m x n\nZ: n x p\nU: p x n\nsum(arctan((C + Y)*Z*U) .* arctan((C + Y)*Z*U))"
    assert mc.derive(source).check(trials=1).ok
