"""What `derive` takes in several forms, and what is said about a word that is almost right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sympy as sp

import matcalc as mc
from matcalc.errors import closest
from matcalc.frontend.names import shape_of


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (("n", "p"), "n x p"),
        (["n", 3], "n x 3"),
        ("n", "n x 1"),
        (("n",), "n x 1"),
        (4, "4 x 1"),
        ((4,), "4 x 1"),
        ((), "1 x 1"),
        (sp.Symbol("n"), "n x 1"),
        (mc.var("X", "n", "p"), "n x p"),
    ],
)
def test_forms_of_a_shape(given: Any, text: str) -> None:
    rows, cols = shape_of("X", given)
    assert f"{rows} x {cols}" == text


@pytest.mark.parametrize(
    "given",
    ["", "n x", "n p", "n, p", "(n, p)", "x x x x x", ("n", "p", "q"), 0, -1, True, None, 2.5, "vector", {"n": 1}],
)
def test_what_is_no_shape(given: Any) -> None:
    with pytest.raises(mc.MatcalcError, match="the shape of x"):
        mc.derive("x", shapes={"x": given})


@pytest.mark.parametrize("given", ["n x p", "n × p", "n by p", ["n", "p"]])
def test_a_shape_as_it_is_written(given: Any) -> None:
    d = mc.derive("l*X*x", wrt="x", shapes={"l": "scalar", "X": given, "x": "p"})
    assert str(d.jacobian()) == "l*X"
    assert mc.derive("sum(X)", shapes={"X": "3x2"}).gradient().shape == (3, 2)
    assert mc.derive("x'*x", shapes={"x": "3"}).gradient().shape == (3, 1)


def test_one_size_is_a_column_at_both_doors() -> None:
    X, w = sp.MatrixSymbol("X", sp.Symbol("n"), sp.Symbol("p")), sp.MatrixSymbol("w", sp.Symbol("p"), 1)
    assert mc.derive(X * w, wrt="w", shapes={"w": "p"}).check().ok
    with pytest.raises(mc.ShapeError, match="two shapes"):
        mc.derive(X * w, wrt="w", shapes={"w": (1, "p")})
    d = mc.derive("norm2(X*w - y)^2/(2*n)", wrt="w", shapes={"X": ("n", "p"), "y": "n", "w": ("p",)})
    assert str(d.gradient("w")) == "X'*(X*w - y)/n"


@pytest.mark.parametrize("wrt", ["x, y", "x,y", "x y", ["x", "y"], ("x", "y")])
def test_several_names(wrt: Any) -> None:
    assert list(mc.derive("x'*y", wrt=wrt).gradients) == ["x", "y"]


D = mc.derive("x'*A*x", shapes={"x": ("n", 1), "A": ("n", "n")})

ALMOST: list[tuple[Callable[[], Any], str]] = [
    (lambda: D.function("grad"), "gradient"),
    (lambda: D.function("hess"), "hessian"),
    (lambda: D.code("jac"), "jacobian"),
    (lambda: D.code(kind="value_and_gradient"), "value_and_grad"),
    (lambda: D.code(target="numpi"), "numpy"),
    (lambda: D.code(target="pytorch"), "torch"),
    (lambda: D.code(target="JAX"), "jax"),
    (lambda: D.code("hessian", form="factor"), "factored"),
    (lambda: D.text("diferential"), "differential"),
    (lambda: D.text(layout="numer"), "numerator"),
    (lambda: D.latex("results"), "result"),
    (lambda: D.check(kind="hess"), "hessian"),
    (lambda: D.claim("x", "0", kind="grad"), "gradient"),
    (lambda: D.gradient("X"), "x"),
    (lambda: mc.derive("beta'*beta", wrt="beat", shapes={"beta": "n"}), "beta"),
    (lambda: mc.derive("sum(A)", facts={"A": "symetric"}), "symmetric"),
    (lambda: mc.derive("logdet(S)", structure={"S": "symmetry"}), "symmetric"),
    (lambda: mc.derive("logdet(S)", structure={"S": "symmetric"}, convention="entrie"), "entries"),
    (lambda: mc.Notation(adjoint="Delta"), "delta"),
]


@pytest.mark.parametrize(("call", "meant"), ALMOST, ids=[meant for _, meant in ALMOST])
def test_a_word_that_is_almost_right(call: Callable[[], Any], meant: str) -> None:
    with pytest.raises(mc.MatcalcError, match=rf"did you mean {meant}\?"):
        call()


def test_nothing_is_suggested_for_what_is_far_off() -> None:
    assert closest("zzz", ["gradient", "hessian"]) == ""
    assert closest("b", ["a", "bcd"]) == ""
    assert closest("gradient" * 10, ["gradient"]) == ""
