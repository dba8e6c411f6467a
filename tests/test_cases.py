"""Every reference case: its value, its derivative by three ways, and its printed form.

The derivative that is printed, the one that the generated code computes, the closed form of the source and differences
of an independent evaluator must agree, at all sizes of the case and two seeds.
"""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pytest
from case_support import VALID, Case, derive, difference_error, relative_error, sample, structure_of
from oracle import evaluate as oracle_value

import matcalc as mc
from matcalc.expr import postorder
from matcalc.numeric.evaluate import evaluate
from matcalc.walk import rebuild

SEEDS = (0, 1)
CLOSED_FORM_TOLERANCE = 1e-8
DIFFERENCE_TOLERANCE = {"gradient": 1e-5, "jacobian": 1e-5, "hessian": 2e-4}


@cache
def derived(name: str) -> mc.Derivation:
    """The derivation of a case, made once."""
    return derive(next(case for case in VALID if case["id"] == name))


def printed_form(case: Case) -> mc.Expr:
    """What the derivation prints for a case."""
    result = getattr(derived(case["id"]), case["kind"])(case["wrt"])
    return result if isinstance(result, mc.Expr) else result.as_matrix()


def by_id(cases: list[Case]) -> pytest.MarkDecorator:
    """One test for each case."""
    return pytest.mark.parametrize("case", cases, ids=[case["id"] for case in cases])


def points(case: Case):
    """The sizes and seeds of a case, with values."""
    for dims, seed in product(case["dims"], SEEDS):
        yield dims, seed, sample(case, dims, seed)


def opened(e: mc.Expr) -> mc.Expr:
    """The expression with all names replaced by what they stand for."""
    done: dict[mc.Expr, mc.Expr] = {}
    for sub in postorder((e,)):
        args = [done[a] for a in sub.args]
        done[sub] = args[0] if sub.op == "named" else rebuild(sub, args) if args else sub
    return done[e]


@by_id(VALID)
def test_value_and_derivative(case):
    d = derived(case["id"])
    tolerance = case.get("tol", CLOSED_FORM_TOLERANCE)
    exact = "stability" not in case["tags"]  # what is written naively overflows there; the code must not
    for dims, seed, arrays in points(case):
        value = np.asarray(d.function("value")(**arrays, dims=dims))
        reference = oracle_value(case["expr"], arrays, dims)
        assert relative_error(value.reshape(reference.shape), reference) < tolerance, f"the value of the code, {dims}"
        D = d.function(case["kind"])(**arrays, dims=dims)[case["wrt"]]
        if case.get("expected") is not None:
            closed = oracle_value(case["expected"], arrays, dims)
            assert relative_error(D, closed) < tolerance, f"the code against the closed form, {dims}"
        if not case.get("nofd"):
            error = difference_error(case, arrays, dims, D, seed)
            assert error < DIFFERENCE_TOLERANCE[case["kind"]], f"the code against differences, {dims}"
        if exact:
            by_graph = np.asarray(d.evaluate(**arrays, dims=dims)).reshape(reference.shape)
            assert relative_error(by_graph, reference) < tolerance, f"the value by the graph, {dims}"
            assert relative_error(evaluate(printed_form(case), arrays, dims), D) < tolerance, f"what is printed, {dims}"


@by_id([case for case in VALID if structure_of(case) == "none"])
def test_products_agree_with_the_derivative(case):
    """value_and_grad, jvp, vjp and hvp are the products of the derivative that was tested above."""
    d, name = derived(case["id"]), case["wrt"]
    dims, seed, arrays = next(points(case))
    rng = np.random.default_rng(seed)
    tolerance = case.get("tol", CLOSED_FORM_TOLERANCE)
    D = d.function(case["kind"])(**arrays, dims=dims)[name]
    V = rng.normal(size=arrays[name].shape)
    v = V.reshape(-1, 1, order="F")
    if case["kind"] == "hessian":
        product_with = d.function("hvp")(**arrays, dims=dims, tangents={name: V})[name]
        assert relative_error(product_with.reshape(-1, 1, order="F"), D @ v) < tolerance
        return
    slope = d.function("jvp")(**arrays, dims=dims, tangents={name: V})
    J = D.reshape(1, -1, order="F") if case["kind"] == "gradient" else D
    assert relative_error(np.asarray(slope).reshape(-1, 1, order="F"), J @ v) < tolerance
    value = np.asarray(d.evaluate(**arrays, dims=dims))
    G = rng.normal(size=value.shape or (1, 1))
    back = d.function("vjp")(**arrays, dims=dims, cotangent=G)
    assert relative_error(back[name].reshape(-1, 1, order="F"), J.T @ G.reshape(-1, 1, order="F")) < tolerance
    if case["kind"] == "gradient":
        same_value, gradients = d.function("value_and_grad")(**arrays, dims=dims)
        assert relative_error(same_value, value) < tolerance
        assert relative_error(gradients[name], D) < tolerance


@by_id(VALID)
def test_the_printed_form_parses_back(case):
    d = derived(case["id"])
    printed = printed_form(case)
    parsed = d.parse(str(printed))
    assert parsed.shape == printed.shape
    assert d.rewriter.simplify(opened(parsed)).digest == d.rewriter.simplify(opened(printed)).digest
    dims, _, arrays = next(points(case))
    expected = evaluate(printed, arrays, dims)
    np.testing.assert_allclose(
        evaluate(parsed, arrays, dims), expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max()
    )
