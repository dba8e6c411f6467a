"""Sizes as numbers: where the sign of a coefficient depends on sizes, it is unknown, and nothing fails for that."""

from __future__ import annotations

import contextlib

import pytest
import sympy as sp
from support import OPERATIONS, example

import matcalc as mc
from matcalc import core, dims
from matcalc.targets.registry import target_names

n, p = dims.symbol("n"), dims.symbol("p")
SHAPES = {"x": ("n", 1), "X": ("n", "p"), "S": ("n", "n"), "B": ("p", 1)}  # B declares p
SCALAR = [
    "x'*x/(n-1)",
    "(n-p)*logdet(S)",
    "sum(x.^(n-2))",
    "sum(maximum(x, n-p))",
    "tr(S^(n-2))",
    "norm2(x)^(n-p)",
    "sum(x.^(-n) + x.^(-p))",
    "(n-p)^(n-1)*sum(x)",
    "0^(n-1)*sum(x)",
    "sqrt(n-p)*sum(x)",
    "abs(n-p)*sum(x)",
    "norm2((n-p)*x)",
    "max((n-p)*x)",
    "det((n-p)*S)",
    "sum(sqrt(x/(n-p)))",
    "sum(softmax(x*(n-p)).*x)",
    "tr(inv(S/(n-p)))",
    "sum(where(x > n - p, x, (n-p)*x))",
    "std(x)*(n-p)",
    "var(x)*n/(n-1)",
    "sum(x)/(n-p) + sum(x.^2)/(n-p)^2",
    "(n - p)/2*log(sum(x.^2)) - (n-p-1)*sum(x)",
    "(n-p)*x'*S*x/(2*(n-p))",
    "sum(standardize(X, 1)/(n-p))",
    "(1-n)*sum(x)",
    "(1-p/n)*sum(x)",
    "(-2)^(n-p)*sum(x)",
    "(n-1)*(p-2)*tr(X'*X)/((n-2)*(p-1))",
]
MATRIX = [
    "X'*X/(n-p)",
    "inv(S/(n-p) - eye(n)*(p-2))",
    "x*x'/(n-p) - (n-p)*eye(n)",
    "x.^(1/(n-1))",
    "kron(X/(n-p), x)",
    "(p-n)*X*(n-p)",
]


def derivation(source: str) -> mc.Derivation:
    used = [name for name in SHAPES if name == "B" or name in source.replace("max", "")]
    return mc.derive(source, used[0], shapes={name: SHAPES[name] for name in used})


@pytest.mark.parametrize("source", [*SCALAR, *MATRIX])
def test_every_view_of_a_coefficient_of_unknown_sign(source):
    d = derivation(source)
    for style in ("steps", "differential", "result"):
        assert d.text(style)
        assert d.latex(style)
    assert d.markdown()
    assert d.text(layout="numerator")
    kinds = ("value_and_grad", "hessian", "hvp") if d.output.is_scalar else ("jacobian",)
    for kind in (*kinds, "jvp", "vjp"):
        assert d.code(kind)
    for target in target_names():
        with contextlib.suppress(mc.NoRuleError):  # a helper has no counterpart there
            assert d.code(target=target)
    assert d.check(trials=2)


@pytest.mark.parametrize("source", ["x'*x/(n-1)", "(n-p)*logdet(S)", "(1-p/n)*sum(x.^3)", "(-2)^(n-p)*sum(x.^2)"])
def test_hessians_with_such_coefficients_are_right(source):
    assert derivation(source).check(kind="hessian", trials=2)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_takes_one(name):
    e = core.scale(core.number((n - p) / (n - 1)), core.total(example(name)))
    d = mc.derive(e)
    if d.wrt:
        assert d.text()
        assert d.latex()
        assert d.code()


def test_code_of_a_matrix_function_is_its_jacobian():
    d = derivation("X'*X/(n-p)")
    assert d.code() == d.code("jacobian")


@pytest.mark.parametrize("source", ["sum(huber(x, n-2))", "sum(leakyrelu(x, 1/(n-p)))", "sum(elu(x, n))"])
def test_a_parameter_that_is_written_into_code_must_be_a_plain_number(source):
    with pytest.raises(mc.MatcalcError, match="must be a number that no size changes"):
        derivation(source)


def test_the_sign_of_a_scalar_is_three_valued():
    assert [dims.sign(value) for value in (2, 0, -3, n, -n * p, sp.Rational(1, 2) / n)] == [1, 0, -1, 1, -1, 1]
    assert [dims.sign(value) for value in (n - p, 1 / (n - 1), (-1) ** n)] == [None, None, None]
