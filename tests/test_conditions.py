"""What must hold is true, can hold, is not implied, and is named as the user knows it; so is what would help."""

from __future__ import annotations

import numpy as np
import pytest

import matcalc as mc
from matcalc.export.verdicts import verdict_data

SHAPES = {"X": ("n", "d"), "Z": ("m", "d"), "A": ("n", "n"), "S": ("n", "n"), "x": ("n", 1), "y": ("n", 1), "a": (1, 1)}
SHAPES |= {"Y": ("n", "d"), "W": ("n", "n")}


def stated(source: str, wrt: str | None = None, facts: dict[str, str] | None = None) -> str:
    """What the text says of conditions."""
    used = {name: SHAPES[name] for name in SHAPES if name in source.replace("max", "").replace("exp", "")}
    d = mc.derive(source, wrt, shapes=used, facts=facts)
    return "\n".join(line.strip() for line in d.text("result").splitlines() if "Valid" in line or "shorter" in line)


# Functions of the distances r of the rows of one set, and their slopes by r; W are weights.
DISTANCES = [
    ("sum(sqrt(pdist2(X, X)))", lambda r, w: 1.0),
    ("sum(exp(-sqrt(pdist2(X, X))) .* W)", lambda r, w: -np.exp(-r) * w),
    ("D = pdist2(X, X); sum((2*D).^0.5)", lambda r, w: np.sqrt(2)),
    ("R = sqrt(pdist2(X, X)); sum(R.^3 .* W)", lambda r, w: 3 * r**2 * w),
]


@pytest.mark.parametrize(("source", "slope"), DISTANCES)
def test_a_root_of_distances_of_one_set_has_the_subgradient_0_on_its_diagonal(source, slope):
    said = stated(source, "X")
    assert "Valid where: X is a matrix with distinct rows" in said
    assert "subgradient 0" in said
    assert "pdist2(X, X) is positive" not in said
    used = {name: SHAPES[name] for name in "XW" if name in source.replace("exp", "")}
    d = mc.derive(source, "X", shapes=used)
    assert d.check()
    rng = np.random.default_rng(1)
    X, W = rng.normal(size=(4, 2)), rng.normal(size=(4, 4))
    given = {"X": X, "W": W} if "W" in used else {"X": X}
    value, gradients = d.function()(**given)
    assert np.isfinite(value)
    expected = np.zeros_like(X)
    for i in range(4):
        for j in range(4):
            if i != j:  # each pair by hand: the derivative of the distance is the unit vector
                r = np.linalg.norm(X[i] - X[j])
                expected[i] += slope(r, W[i, j]) * (X[i] - X[j]) / r
                expected[j] -= slope(r, W[i, j]) * (X[i] - X[j]) / r
    np.testing.assert_allclose(gradients["X"], expected, rtol=1e-10)
    X[1] = X[0]  # rows coincide: a subgradient, and finite
    assert np.isfinite(d.function()(**given)[1]["X"]).all()


def test_distances_of_two_sets_may_vanish_nowhere():
    assert stated("sum(sqrt(pdist2(X, Z)))", "X") == "Valid where: pdist2(X, Z) is positive"


@pytest.mark.parametrize("source", ["sum(log(pdist2(X, X)))", "sum(1 ./ pdist2(X, X))", "sum(pdist2(X, X).^-2)"])
def test_a_condition_that_can_never_hold_is_an_error(source):
    with pytest.raises(mc.MatcalcError, match="is 0 on its diagonal"):
        stated(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("tr(A*logm(S))", "S is free of real eigenvalues <= 0"),
        ("tr(A*sqrtm(S*A))", "S*A is free of real eigenvalues <= 0"),
        ("x'*S^0.3*x", "S is free of real eigenvalues <= 0"),
        ("log(a) + 1/a", "a is positive"),
        ("logdet(S) + log(det(S))", "det(S) is positive"),
        ("tr(inv(S)*inv(S*S')) + logdet(S)", "S is nonsingular"),
        ("log(x'*x)*sqrt(x'*x)", "x is not the zero vector"),
        ("sqrt(sum(x.^2)) + 1/sum(x.*x)", "x is not the zero vector"),
        ("log(tr(X'*X))", "X is not the zero matrix"),
        ("sum(log(x.^2))", "x is nonzero"),
        ("logdet((S + S')/2) + tr(chol((S + S')/2))", "(S + S')/2 is positive-definite"),
        ("cossim(x, y)", "x is not the zero vector; y is not the zero vector"),
        ("sum(standardize(X, 1) .* Y)", "X is free of constant columns"),
        ("std(x)", "x is not constant"),
        ("1/norm2(x) + log(norm2(x))", "x is not the zero vector"),
    ],
)
def test_conditions_are_minimal_and_named_as_they_are_known(source, expected):
    assert f"Valid where: {expected}" in stated(source).splitlines()


def test_what_a_fact_implies_is_no_condition():
    assert stated("tr(A*logm(S))", "S", {"S": "positive-definite"}).count("Valid") == 0
    assert "eigenvalues" in stated("tr(A*logm(S))", "S", {"S": "nonsingular"})


@pytest.mark.parametrize("identity", ["sqrtm(X)*sqrtm(X) = X", "expm(logm(X)) = X"])
def test_proofs_with_roots_and_logarithms_say_where_these_exist(identity):
    verdict = mc.prove(f"X: n x n; {identity}")
    assert verdict.status == "proved"
    assert "X is free of real eigenvalues <= 0" in str(verdict)
    assert "nonsingular" not in str(verdict)


@pytest.mark.parametrize(
    "source", ["norm2(mean(X, 1))^2", "sum(Y, 1)*X'*x", "sum(standardize(X, 1) .* X)", "log(sum(x))"]
)
def test_no_one_would_think_of_data_as_stochastic(source):
    assert "stochastic" not in stated(source)


@pytest.mark.parametrize(
    ("source", "wish"),
    [
        ("-sum(Y .* log_softmax(X, 2))", "Y is row-stochastic"),
        ("-sum(Y .* log(softmax(X, 2)))", "Y is row-stochastic"),
        ("P = softmax(X, 2); -tr(Y'*log(P))", "Y is row-stochastic"),
        ("x'*A*x", "A is symmetric"),
    ],
)
def test_labels_and_symmetric_matrices_are_what_one_thinks_of(source, wish):
    assert wish in stated(source)


@pytest.mark.parametrize(
    "source",
    ["sum(chol(S*S' + eye(n)))", "logdet(S)", "norm2(S*x)", "sum(sigmoid(S*S))", "sum(expm(S))", "sum(softplus(S*x))"],
)
def test_a_transpose_less_is_no_reason_to_wish_for_a_symmetric_matrix(source):
    assert mc.derive("S: n x n\nx: n x 1\n" + source, wrt="S").facts_wished == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("sum(log(1 - x.^2) + log(1 - x))", "1 - x.^2 is positive"),
        ("sum(log(1 - x) + log(1 + x))", "1 - x is positive; 1 + x is positive"),
        ("sum(sqrt(x.^2 - 4) + 1 ./ (x - 2))", "x.^2 - 4 is positive"),
        ("sum(log(x.^2 - 1) + log(x - 1/2) + log(x - 1))", "x - 1 is positive"),
        ("sum(log(x.^3 - x) + 1 ./ (x.^2 - 1))", "x.^3 - x is positive"),
        ("sum(log(x.^2 - 1) + log(x - 1/2))", "x.^2 - 1 is positive; x - 1/2 is positive"),
    ],
)
def test_conditions_on_the_entries_of_one_value_are_compared_as_sets_of_numbers(source, expected):
    assert f"Valid where: {expected}" in stated(source).splitlines()


def test_facts_used_are_named_as_they_were_declared():
    loss = "X: n x p; W: p x k; Y: n x k {fact}; -sum(Y .* log_softmax(X*W, 2))"
    for fact in ("one-hot", "row-stochastic"):
        assert mc.derive(loss.format(fact=fact), wrt="W").facts_used == [("Y", fact)]


@pytest.mark.parametrize(
    ("source", "gradient"),
    [
        ("abs(x'*x)", "2*x"),
        ("norm1(x'*x)", "2*x"),
        ("norm2(x'*x)", "2*x"),
        ("sum(abs(x.*x))", "2*x"),
        ("relu(x'*x)", "2*x"),
        ("maximum(x'*x, 0)", "2*x"),
        ("std(x'*x)", "zeros(n, 1)"),
        ("x'*x + var(x'*x)", "2*x"),
    ],
)
def test_what_is_no_choice_is_none(source, gradient):
    """A sum of squares is its absolute value, one value has no spread: no sign, no step, no 0/0 is written."""
    d = mc.derive(f"x: n x 1; {source}")
    assert str(d.gradient("x")) == gradient
    assert not d.domain


def test_verdicts_as_data_say_what_was_assumed():
    one = verdict_data(mc.prove("(A*x - b)' = x'*A' - b'"))
    assert "b: n x 1" in one["notice"]
    lines = verdict_data(mc.derive("(A*x - b)'*(A*x - b)").claim_lines("d_x = 2*A'*(A*x - b)"))
    assert "b: n x 1" in lines["notice"]
    assert verdict_data(mc.prove("A: n x n; A'' = A"))["notice"] == ""
