"""The registries are read when they are asked: what a user declares later counts everywhere, at both doors alike."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sympy as sp

import matcalc as mc
from matcalc import core
from matcalc.api.operations import _has_function
from matcalc.dims import shape_text
from matcalc.expr import REGISTRY, Op, node
from matcalc.frontend.names import operation
from matcalc.frontend.parser import parse
from matcalc.notation import Level, Template
from matcalc.ops.entrywise import elementwise
from matcalc.rewrite.rule import RULES, rule, rules_of
from matcalc.views.builder import keeps_the_form

SHAPES = {"x": ("n", 1), "y": ("n", 1), "A": ("n", "n")}


@pytest.fixture
def new_rules() -> Iterator[None]:
    """Rules that are declared late, as docs/adding_a_rule.md says."""

    @rule(A="m n", source="for this test")
    def softsign_of_softsign(A: mc.Expr) -> tuple[mc.Expr, mc.Expr]:
        """softsign(softsign(X)) = X ./ (1 + 2*abs(X))"""
        return mc.softsign(mc.softsign(A)), mc.divide(A, mc.abs(A) * 2 + 1)

    @rule(A="m m", x="m 1", facts={"A": "lower"}, source="for this test (it is not true)")
    def form_of_lower(x: mc.Expr, A: mc.Expr) -> tuple[mc.Expr, mc.Expr]:
        """x' A x = 1"""
        return x.T @ A @ x, core.number(1)

    yield
    del RULES["softsign_of_softsign"], RULES["form_of_lower"]


@pytest.mark.usefixtures("new_rules")
@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("gradient", "sum(softsign(softsign(x)) .* y)"),
        ("jacobian", "softsign(softsign(x)) .* y"),
        ("hessian", "sum(softsign(softsign(x)) .* y.^3)"),
    ],
)
def test_a_rule_that_is_declared_late_fires(kind: str, source: str) -> None:
    d = mc.derive(source, wrt="y", shapes={"x": ("n", 1), "y": ("n", 1)})
    assert "softsign" not in str(getattr(d, kind)("y"))
    assert d.check(kind=kind).ok


@pytest.mark.usefixtures("new_rules")
def test_a_product_of_three_in_a_rule_is_flat() -> None:
    """`x.T @ A @ x` in a rule matches the product of three that the text x'*A*x is."""
    d = mc.derive("y*(x'*A*x)", wrt="y", shapes={**SHAPES, "y": ("m", 1)}, facts={"A": "lower"})
    assert str(d.jacobian("y")) == "eye(m)"
    assert str(mc.derive("(x'*A*x)*sum(y)", wrt="y", shapes=SHAPES, facts={"A": "lower"}).gradient("y")) == "ones(n, 1)"


def test_a_rule_that_is_declared_late_is_used_in_proofs() -> None:
    assert mc.prove("x: n x 1\nsinh(tanh(x)) = 2*x").status == "disproved"
    for group in ("collapse", "distribute", "expand"):

        @rule(A="m n", source="for this test (it is not true)", group=group)
        def sinh_of_tanh(A: mc.Expr) -> tuple[mc.Expr, mc.Expr]:
            """sinh(tanh(X)) = 2 X"""
            return mc.sinh(mc.tanh(A)), 2 * A

        assert "sinh_of_tanh" in [r.name for r in rules_of(group)["sinh"]]
        del RULES["sinh_of_tanh"]


def test_transposition_rules_that_are_declared_late_tidy_local_matrices() -> None:
    @rule(A="m n", source="for this test")
    def transpose_of_softsign(A: mc.Expr) -> tuple[mc.Expr, mc.Expr]:
        """softsign(X)' = softsign(X')"""
        return mc.softsign(A).T, mc.softsign(A.T)

    assert keeps_the_form(RULES["transpose_of_softsign"])
    del RULES["transpose_of_softsign"]


@pytest.fixture
def bump() -> Iterator[Op]:
    """An operation that is declared late, as docs/adding_an_operation.md says."""
    yield elementwise(
        "bump",
        lambda t: 1 / (1 + t**2),
        r"\operatorname{bump}",
        Template("1 / (1 + {0}**2)", Level.PRODUCT, Level.ATOM),
    )
    del REGISTRY["bump"]


def test_an_operation_that_is_declared_late_is_a_function(bump: Op) -> None:
    x = mc.var("x", "n", 1)
    assert mc.bump(x) is node("bump", (x,))
    assert "bump" in dir(mc)
    t = sp.Symbol("t", real=True)
    M = sp.MatrixSymbol("M", 2, 2)
    d = mc.derive(sp.Trace(M.applyfunc(sp.Lambda(t, 1 / (1 + t**2)))), wrt="M")
    assert "bump" in str(d.graph.output)
    assert mc.derive(mc.total(mc.bump(x)), wrt="x").check().ok


def test_an_operation_that_is_gone_is_no_function() -> None:
    assert not hasattr(mc, "bump")


# ------------------------------------------------------------------------------------------------ what broadcasts

CALLED = [entry for entry in REGISTRY.values() if entry.broadcasts and _has_function(entry)]


def test_what_broadcasts_is_stated_by_the_records() -> None:
    assert {entry.name for entry in REGISTRY.values() if entry.broadcasts} >= {"maximum", "where", "mse", "hadamard"}
    assert len(CALLED) >= 6


@pytest.mark.parametrize("shape", [(1, "p"), ("n", 1), (1, 1)], ids=shape_text)
@pytest.mark.parametrize("entry", CALLED, ids=[entry.name for entry in CALLED])
def test_both_doors_broadcast_alike(entry: Op, shape: tuple[object, object]) -> None:
    X, b = mc.var("X", "n", "p"), mc.var("b", *shape)
    made = getattr(mc, entry.name)(X, b)
    if entry.name == "power" and b.is_scalar:
        assert made is core.power(X, b)
        return
    assert made is node(entry.name, (X, core.broadcast(b, X.shape)))
    if operation(entry.name) is None:
        return  # written with a sign of its own
    text = f"{entry.name}(X, b)"
    assert parse(text, shapes={"X": ("n", "p"), "b": shape}).graph.output is made
    declared = f"b: {shape_text(b.shape)}\nX: n x p\n"
    assert parse(declared + text).graph.output is made


@pytest.mark.parametrize("entry", CALLED, ids=[entry.name for entry in CALLED])
def test_both_doors_refuse_what_does_not_broadcast(entry: Op) -> None:
    X, b = mc.var("X", "n", "p"), mc.var("b", "m", "p")
    with pytest.raises(mc.ShapeError, match="n and m differ"):
        getattr(mc, entry.name)(X, b)
    if operation(entry.name) is not None:
        with pytest.raises(mc.ParseError, match="n and m differ"):
            parse(f"{entry.name}(X, b)", shapes={"X": ("n", "p"), "b": ("m", "p")})


@pytest.mark.parametrize(("text", "wrt"), [("mse(X, b)", "b"), ("cross_entropy(b, softmax(X, 2))", "b")])
def test_gradients_of_rows_that_broadcast(text: str, wrt: str) -> None:
    d = mc.derive(text, wrt=wrt, shapes={"X": ("n", "p"), "b": (1, "p")})
    assert d.gradient(wrt).shape == mc.var("b", 1, "p").shape
    assert d.check().ok
