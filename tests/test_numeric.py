"""Evaluation, binding, random values and the certificate of a derivative."""

from __future__ import annotations

import numpy as np
import pytest
from support import OPERATIONS, SIZES, example

import matcalc as mc
from matcalc import core, dims
from matcalc.core import hadamard, named, total, var
from matcalc.errors import FactError, MatcalcError, ShapeError
from matcalc.expr import node, record
from matcalc.functions import certificate
from matcalc.numeric.binding import bind
from matcalc.numeric.check import check_gradient
from matcalc.numeric.differences import TOLERANCE
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.sample import MODES, holds, sample
from matcalc.ops.linalg import det
from matcalc.properties import NAMES, SQUARE
from matcalc.walk import variables

x, X, A = var("x", "n", 1), var("X", "n", "p"), var("A", "n", "n")


@pytest.mark.parametrize("name", [n for n in OPERATIONS if record(n).definition is not None])
def test_the_definition_by_primitives_has_the_same_value(name):
    e = example(name)
    definition = record(name).definition(*e.args, *e.params)
    arrays, sizes = sample(variables([e]), 0, SIZES, mode="unit")
    assert np.allclose(evaluate(e, arrays, sizes), evaluate(definition, arrays, sizes))


@pytest.mark.parametrize("name", OPERATIONS)
def test_single_precision_stays(name):
    e = example(name)
    arrays, sizes = sample(variables([e]), 0, SIZES, mode="unit")
    single = {k: v.astype(np.float32) for k, v in arrays.items()}
    value = evaluate(e, single, sizes)
    assert value.dtype == np.float32
    assert value.shape == tuple(dims.evaluate(d, sizes) for d in e.shape)


def test_a_long_chain_is_evaluated_without_recursion():
    e = x
    for _ in range(5000):
        e = node("tanh", (e,))
    assert evaluate(e, {"x": np.ones((2, 1))}).shape == (2, 1)


def test_outside_of_a_domain_numpy_decides_without_a_warning():
    assert np.isnan(evaluate(node("log", (x,)), {"x": -np.ones(2)})).all()
    assert np.isnan(evaluate(core.inverse(A), {"A": np.zeros((2, 2))})).all()


def test_complex_values_where_the_operation_has_them():
    assert np.isclose(evaluate(node("exp", (x,)), {"x": np.array([1j])})[0, 0], np.exp(1j))
    with pytest.raises(MatcalcError, match="abs has no complex values"):
        evaluate(node("abs", (x,)), {"x": np.array([1j])})


# ------------------------------------------------------------------------------------------------ binding


def test_vectors_and_numbers_become_matrices():
    row, c = var("b", 1, "n"), var("c", 1, 1)
    arrays, sizes = bind([x, row, c], {"x": [1, 2], "b": np.ones(2), "c": 3})
    assert sizes == {"n": 2}
    assert [arrays[k].shape for k in "xbc"] == [(2, 1), (1, 2), (1, 1)]
    assert arrays["x"].dtype == np.float64


def test_a_compound_dimension_is_solved_or_checked():
    double = var("D", dims.dim(2 * dims.symbol("n")), 1)
    assert bind([double], {"D": np.ones((6, 1))})[1] == {"n": 3}
    with pytest.raises(ShapeError, match=r"D has the shape 5 x 1; needed \(2\*n\) x 1"):
        bind([double], {"D": np.ones((5, 1))})
    product = var("P", dims.times(dims.symbol("n"), dims.symbol("m")), 1)
    assert bind([product, x], {"P": np.ones((6, 1)), "x": np.ones(2)})[1] == {"n": 2, "m": 3}
    with pytest.raises(MatcalcError, match="does not determine"):
        bind([product], {"P": np.ones((6, 1))})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.ones((2, 2, 2)), r"X must be a 2-D array \(n x p\), got a 3-D array"),
        (np.ones((2, 2), dtype=complex), "X must be real"),
        (np.array([["a", "b"]]), "X must be an array of real numbers"),
        (np.array([[None]], dtype=object), "X must be an array of real numbers"),
        ([[1, 2], [3]], "X must be a rectangular array"),
        (np.ones(3), "X must be a 2-D array"),
        (np.ones((4, 3)), "X has the shape 4 x 3; needed n x p with n = 2"),
    ],
)
def test_wrong_arrays_are_refused_by_name(value, message):
    with pytest.raises(MatcalcError, match=message):
        bind([x, X], {"x": np.ones(2), "X": value})
    with pytest.raises(MatcalcError, match="no value is given for X"):
        bind([X], {})


# ------------------------------------------------------------------------------------------------ samples


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fact", NAMES)
def test_samples_have_the_facts_and_no_others(fact, mode):
    v = var("V", "n", "n" if fact in SQUARE else "m", (fact,))
    array = sample([v], 3, mode=mode)[0]["V"]
    assert holds(array, fact)
    if fact in ("nonsingular", "positive", "nonnegative", "row-stochastic", "orthogonal", "nonzero", "lower"):
        assert array.shape[0] != array.shape[1] or not holds(array, "symmetric")


@pytest.mark.parametrize(
    "facts",
    [
        ("symmetric", "nonsingular"),
        ("positive-definite", "positive"),
        ("skew", "nonsingular"),
        ("lower", "nonsingular"),
        ("orthogonal", "symmetric"),
        ("one-hot", "one-hot-column"),
        ("row-stochastic", "column-stochastic"),
        ("row-stochastic", "positive"),
    ],
)
def test_samples_of_several_facts(facts):
    array = sample([var("V", "n", "n", facts)], 0)[0]["V"]
    assert all(holds(array, fact) for fact in facts)


def test_a_contradiction_is_an_error():
    with pytest.raises(FactError, match=r"found no .* value for V"):
        sample([var("V", "n", "n", ("lower", "nonzero"))], 0)


def test_sizes_are_distinct_and_seeded():
    names = [var(f"V{k}", f"n{k}", f"m{k}") for k in range(4)]
    arrays, sizes = sample(names, 7)
    assert len(set(sizes.values())) == 8
    again = sample(names, 7)[0]
    assert all(np.array_equal(arrays[k], again[k]) for k in arrays)
    assert sample([X], 0, {"n": 9})[0]["X"].shape[0] == 9


# ------------------------------------------------------------------------------------------------ the certificate

square = total(hadamard(x, x))


def test_a_right_gradient_passes_and_one_off_by_a_thousandth_fails():
    right = check_gradient(square, [x], lambda x, dims: (float((x**2).sum()), {"x": 2 * x}))
    assert right
    assert right.worst < TOLERANCE
    wrong = check_gradient(square, [x], lambda x, dims: (float((x**2).sum()), {"x": 2.002 * x}))
    assert not wrong
    assert "DISAGREES" in str(wrong)
    assert "gradient with respect to x" in wrong.reason


def test_a_wrong_value_a_nan_and_a_missing_transpose_fail():
    assert "gives the value" in check_gradient(square, [x], lambda x, dims: (0.0, {"x": 2 * x})).reason
    assert not check_gradient(square, [x], lambda x, dims: (float((x**2).sum()), {"x": np.nan * x}))
    J = core.trace(core.matmul(A, A))
    assert check_gradient(J, [A], lambda A, dims: (np.trace(A @ A), {"A": 2 * A.T}))
    assert not check_gradient(J, [A], lambda A, dims: (np.trace(A @ A), {"A": 2 * A}))


def test_kinks_and_domains_are_avoided():
    J = core.plus(total(node("abs", (x,))), total(node("log", (x,))))
    f = lambda x, dims: (float(np.sum(np.abs(x) + np.log(x))), {"x": np.sign(x) + 1 / x})  # noqa: E731
    assert check_gradient(J, [x], f)
    never = total(node("log", (core.minus(hadamard(x, x)),)))
    report = check_gradient(never, [x], lambda x, dims: (0.0, {"x": x}), trials=1)
    assert not report
    assert "no point" in report.reason


def test_named_values_and_structured_gradients():
    r = named("r", core.scale(core.number(3), x))
    J = total(hadamard(r, r))
    f = lambda x, dims: (float(9 * (x**2).sum()), {"r": 6 * x, "x": 18 * x})  # noqa: E731
    assert check_gradient(J, [x], f, wrt=["r", "x"])
    S = total(hadamard(A, core.matmul(A, A)))

    def entries(A, dims):
        G = A @ A + A @ A.T + A.T @ A
        return float(np.sum(A * (A @ A))), {"A": G + G.T - np.diag(np.diag(G))}

    assert check_gradient(S, [A], entries, structure={"A": "symmetric"})
    assert not check_gradient(S, [A], entries, structure={"A": "symmetric"}, convention="projection")


# ------------------------------------------------------------------------------------------------ small derivatives


@pytest.mark.parametrize("size", [1e-12, 1e-9, 1.0, 1e6])
@pytest.mark.parametrize(("error", "passes"), [(1.0, True), (1.001, False), (0.999, False), (-1.0, False)])
def test_a_derivative_of_any_size_is_judged(size, error, passes):
    J = core.scale(core.number(size), total(core.power(x, 3)))
    f = lambda x, dims: (float(size * np.sum(x**3)), {"x": 3 * size * error * x**2})  # noqa: E731
    assert bool(check_gradient(J, [x], f, trials=2)) is passes
    assert not check_gradient(J, [x], lambda x, dims: (f(x, dims)[0] * 1.001, f(x, dims)[1]), trials=1)


def test_a_derivative_that_is_zero_but_for_rounding():
    """det(X'X) of a wide X is 0, and what is computed is not."""
    wide = var("X", 3, 5)
    d = mc.derive(det(core.matmul(wide.T, wide)))
    assert d.check()
    f = lambda X, dims: (0.0, {"X": np.ones_like(X)})  # noqa: E731
    assert not check_gradient(d.output, [wide], f)


def test_rounding_that_hides_the_derivative_is_said():
    J = core.plus(1e6, core.scale(core.number(1e-6), total(core.power(x, 3))))
    report = check_gradient(J, [x], lambda x, dims: (1e6 + 1e-6 * np.sum(x**3), {"x": 3.3e-6 * x**2}), trials=1)
    assert not report
    assert "rounding errors" in report.reason


@pytest.mark.parametrize("kind", ["jacobian", "hessian"])
@pytest.mark.parametrize("structure", [None, "symmetric", "skew", "upper"])
def test_jacobians_and_hessians_are_checked(kind, structure, monkeypatch):
    source = "A*S*A" if kind == "jacobian" else "sum((S*A).^3)"
    sets = {} if structure is None else {"structure": {"S": structure}}
    d = mc.derive(source, "S", shapes={"A": ("n", "n"), "S": ("n", "n")}, **sets)
    assert d.check(kind=kind, trials=2)
    assert d.check(trials=2)
    wrong = mc.derive(source, "S", shapes={"A": ("n", "n"), "S": ("n", "n")}, **sets)
    right = certificate.function

    def off_by_a_thousandth(problem, asked, *options):
        made = right(problem, asked, *options)
        return (lambda **given: {"S": 1.001 * made(**given)["S"]}) if asked == kind else made

    monkeypatch.setattr(certificate, "function", off_by_a_thousandth)
    report = wrong.check(kind=kind, trials=2)
    assert not report
    assert f"{kind.capitalize()} with respect to S is wrong" in report.reason


def test_kinds_of_checks():
    d = mc.derive("A*X", shapes={"A": ("m", "n"), "X": ("n", "p")})
    with pytest.raises(ShapeError, match="scalar"):
        d.check(kind="hessian")
    with pytest.raises(MatcalcError, match="kind must be one of"):
        d.check(kind="value")
