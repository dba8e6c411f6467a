"""Derivatives by named values, and results that are names: what is held fixed, what parses again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import sympy as sp

import matcalc as mc
from matcalc.errors import NoRuleError
from matcalc.expr import REGISTRY
from matcalc.notation import Level, Template
from matcalc.numeric.evaluate import evaluate
from matcalc.ops.entrywise import elementwise
from matcalc.ops.user_functions import Function
from matcalc.walk import substitute

T = sp.Symbol("t", real=True)


@pytest.mark.parametrize(
    ("source", "wrt", "result"),
    [
        ("x: n x 1; z = exp(x); sum(z)", "x", "z"),
        ("X: n x n; Z = inv(X)'; logdet(X) + 0*sum(Z)", "X", "Z"),
        ("x: n x 1; y: n x 1; z = cos(x); w = y .* z; sum(sin(x) .* y)", "x", "w"),
    ],
)
def test_a_result_that_is_a_name(source: str, wrt: str, result: str) -> None:
    d = mc.derive(source, wrt=wrt)
    found = d.gradient()
    assert str(found) == result
    assert d.parse(str(found)) is found


@pytest.mark.parametrize(
    ("source", "functions"),
    [
        ("x: n x 1; sum(ones(m, n)*x)", ()),
        ("x: n x 1; sum(kron(ones(m, 1), x).^3)", ()),
        ("x: n x 1; mean(zeros(p, n)*x + ones(p, 1))", ()),
        ("x: n x 1; y: p x 1; sum(exp(x*ones(1, p)*y)) ", ()),
        ("x: n x 1; sum(phi(x))", ("phi",)),
        ("x: n x 1; x'*phi(x)", ("phi",)),
        ("x: n x 1; x'*swish(x)", (Function("swish", sp.Lambda(T, T / (1 + sp.exp(-T)))),)),
    ],
)
def test_results_parse_in_their_scope(source: str, functions: tuple[str | Function, ...]) -> None:
    d = mc.derive(source, wrt="x", functions=functions)
    for found in (d.gradient("x"), d.hessian("x").value):
        assert str(d.parse(str(found))) == str(found)
    assert d.claim("x", str(d.gradient("x"))).status == "proved"


def test_results_with_registered_operations_parse() -> None:
    elementwise(
        "lorentz", lambda t: 1 / (1 + t**2), r"\lambda", Template("1 / (1 + {0}**2)", Level.PRODUCT, Level.ATOM)
    )
    try:
        d = mc.derive("x: n x 1; sum(ones(m, n)*lorentz(x))", wrt="x")
        for found in (d.gradient(), d.hessian().value):
            assert d.parse(str(found)) is found
    finally:
        del REGISTRY["lorentz"]


# ------------------------------------------------------------------------------------------------ what is held fixed


def _differences(f: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> np.ndarray:
    """The Jacobian of a function of a column by central differences."""
    step = 1e-5
    columns = [(f(at + step * e) - f(at - step * e)) / (2 * step) for e in np.eye(len(at))[:, :, None]]
    return np.hstack(columns)


@pytest.mark.parametrize(
    "source",
    [
        "x: n x 1; u = sin(x); sum(u .* u .* sin(x))",
        "x: n x 1; u = exp(x); sum(u .* exp(x)) + sum(exp(x).^3)",
        "x: n x 1; u = x .* x; v = sum(u .* x .* x .* u)",
        "x: n x 1; u = softmax(x); sum(u.^3 .* softmax(x))",
        "x: n x 1; u = tanh(x); v = u .* tanh(x); sum(v .* v .* u)",
    ],
)
def test_the_hessian_is_the_jacobian_of_the_gradient_as_printed(source: str) -> None:
    d = mc.derive(source, wrt="u")
    free = mc.var("u", "n", 1)
    x = np.array([[0.3], [0.7], [-0.4]])
    u = evaluate(d.graph.find("u"), {"x": x}, {})
    named = d.parse(str(d.gradient("u")))
    shown = substitute(named, {d.graph.find("u"): free})
    expected = _differences(lambda a: evaluate(shown, {"x": x, "u": a}, {"n": 3}), u)
    assert np.allclose(d.function("hessian")(x=x)["u"], expected, atol=1e-8)
    V = np.array([[1.0], [-2.0], [0.5]])
    assert np.allclose(d.function("hvp")(x=x, tangents={"u": V})["u"], expected @ V, atol=1e-8)
    mixed = evaluate(d.hessian("u", "x").value, {"x": x}, {})
    assert np.allclose(mixed, _differences(lambda a: evaluate(named, {"x": a}, {}), x), atol=1e-8)


@pytest.mark.parametrize("body", ["pinv(h)", "inv(h)", "1/h + h^2", "pinv(h)*t"])
def test_what_a_definition_says_of_a_number_does_not_last_while_it_moves(body: str) -> None:
    found = mc.derive(f"t: 1 x 1; h = eigvecmin(t); {body}", wrt="h")
    free = mc.derive(f"t: 1 x 1; h: 1 x 1; {body}", wrt="h")
    given = {"t": 1.7} if "t" in free.graph.declared else {}
    for kind in ("gradient", "hessian"):
        assert np.isclose(found.function(kind)(t=1.7)["h"], free.function(kind)(h=1.0, **given)["h"])


def test_a_value_that_moves_with_a_variable() -> None:
    d = mc.derive("x: n x 1; u = sin(x); sum(u .* u .* sin(x))", wrt=["x", "u"])
    with pytest.raises(NoRuleError, match="u depends on x"):
        d.hessian("x", "u")
    with pytest.raises(NoRuleError, match="u depends on x"):
        d.function("hvp")
    x, V = np.array([[0.3], [0.5]]), np.array([[1.0], [2.0]])
    gradients = d.function("gradient")(x=x)
    along = d.function("jvp")(x=x, tangents={"x": V, "u": V})
    assert np.isclose(along, (gradients["x"] * V).sum() + (gradients["u"] * V).sum())


@pytest.mark.parametrize(
    "source",
    [
        "P: n x n; h = min(log_softmax(P, 2) .* P .* P)",
        "P: n x n; h = max(P .* exp(P) .* P, 1); sum(h.^2)",
        "P: n x n; h = max(3*P*P'*P/7, 2); k = h + 1; sum(k .* h)",
        "P: n x n; h = min(P ./ (1 + P.^2) ./ 3); h*h",
    ],
)
def test_named_extremes_are_compared_with_what_they_come_from(source: str) -> None:
    d = mc.derive(source, wrt="P")
    for seed in range(8):
        P = np.random.default_rng(seed).normal(size=(4, 4))
        found = d.function("gradient")(P=P)["P"]
        step, V = 1e-6, np.random.default_rng(seed + 1).normal(size=(4, 4))
        slope = (d.evaluate(P=P + step * V) - d.evaluate(P=P - step * V)) / (2 * step)
        assert np.isclose((found * V).sum(), slope, rtol=1e-5, atol=1e-7)
