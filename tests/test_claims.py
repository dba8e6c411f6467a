"""Verdicts on claims: what is right is proved, what is wrong is disproved with the reason; whole derivations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from case_support import VALID, derive, relative_error

import matcalc as mc
from matcalc import core
from matcalc.claims.assumptions import requirements_of
from matcalc.claims.constants import constant
from matcalc.claims.equality import GATHERING, SLOW, prove
from matcalc.claims.points import Field
from matcalc.claims.prover import Prover
from matcalc.cli import main
from matcalc.errors import MatcalcError
from matcalc.rewrite.context import Context, with_consequences
from matcalc.rewrite.rule import RULES

DATA = Path(__file__).parent / "data" / "batchnorm.json"

NETWORK = """
x: 1 x D; y: 1 x C one-hot
W1: D x p; b1: 1 x p; W2: p x C; b2: 1 x C
r = x*W1 + b1
h = sigmoid(r)
theta = h*W2 + b2
yhat = softmax(theta, 2)
J = -sum(y .* log(yhat))
"""
RIGHT = "((yhat - y)*W2' .* h .* (1-h))*W1'"

BATCHNORM = """
X: N x p; Gamma1: p x q; Gamma2: q x 1; gamma: 1 x q; beta: 1 x q; y: N x 1
Z = X*Gamma1
mu = mean(Z, 1)
s = std(Z, 1, 1)
Zh = (Z - mu) ./ s
B = gamma .* Zh + beta
V = relu(B)
e = y - V*Gamma2
R = sum(e.^2)
"""


@pytest.fixture(scope="module")
def network():
    return mc.derive(NETWORK, wrt=["x", "W1", "b1", "W2", "b2"])


@pytest.fixture(scope="module")
def batchnorm():
    return mc.derive(BATCHNORM, wrt=["Gamma1", "Gamma2", "gamma", "beta"])


@pytest.fixture(scope="module")
def data():
    return json.loads(DATA.read_text())


@pytest.fixture(scope="module")
def squares():
    return mc.derive("norm2(X*w - y)^2", wrt="w", shapes={"X": ("n", "p"), "w": ("p", 1), "y": ("n", 1)})


def check_chain(verdict):
    """The steps join, are named rules, and change no value."""
    steps = verdict.steps
    if not steps:
        assert "the same expression" in str(verdict)
        return
    assert steps[0].before is verdict.expected
    assert all(a.after is b.before for a, b in zip(steps, steps[1:]))
    assert all(step.rule in RULES for step in steps)
    point = next(Field([steps[0].before, steps[-1].after]).random(1))
    field = Field([steps[0].before])
    values = field.values([steps[0].before, *(step.after for step in steps)], point)
    assert all(relative_error(value, values[0]) < 1e-8 for value in values)


# ------------------------------------------------------------------------------------------------ a verdict


def test_a_verdict_has_no_truth_value(squares):
    verdict = squares.claim("w", "2*X'*(X*w - y)")
    assert verdict.status == "proved"
    with pytest.raises(MatcalcError):
        bool(verdict)


def test_a_proof_is_a_chain_of_named_true_steps(squares, network):
    for verdict in (
        squares.claim("w", "2*X'*X*w - 2*X'*y"),
        network.claim("x", RIGHT),
        network.claim("theta", "softmax(h*W2 + b2, 2) - y", kind="adjoint"),
        mc.prove("tr(A*B*C) = tr(C*A*B)"),
        mc.prove("inv(eye(n) + U*V)*U = U*inv(eye(m) + V*U)"),
    ):
        assert verdict.status == "proved", verdict
        check_chain(verdict)
        assert verdict.diagnosis == ""


def test_the_claim_is_where_the_chain_ends(squares):
    claim = squares.parse("2*X'*X*w - 2*X'*y")
    verdict = squares.claim("w", claim)
    assert verdict.steps[-1].after is claim


def test_a_disproof_shows_a_counterexample(squares):
    verdict = squares.claim("w", "X'*(X*w - y)")
    assert verdict.status == "disproved"
    example = verdict.counterexample
    assert example is not None
    assert all(np.all(value == np.rint(value)) for value in example.values.values())
    X, w, y = (example.values[name] for name in "Xwy")
    np.testing.assert_allclose(example.right, 2 * X.T @ (X @ w - y))
    np.testing.assert_allclose(example.claimed, X.T @ (X @ w - y))
    assert "disproved" in str(verdict)


def test_unknown_is_said():
    verdict = mc.prove("normspec(A*B)^2 = eigmax(B'*A'*A*B)")
    assert verdict.status == "undecided", verdict
    assert verdict.agreed > 3
    assert verdict.tried
    assert "random evaluations agreed" in str(verdict)


# ------------------------------------------------------------------------------------------------ diagnoses

WRONG = [
    ("x", "-" + RIGHT, "sign"),
    ("x", "2*" + RIGHT, "spurious factor 2"),
    ("x", RIGHT + "/3", "missing factor 3"),
    ("x", "((yhat - y)*W2' .* h)*W1'", "missing factor 1 - h"),
    ("x", "((yhat - y)*W2')*W1'", "activation"),
    ("x", "(yhat - y)*W2'*(h .* (1-h))*W1'", "elementwise"),
    ("x", "((yhat - y)*W2 .* h .* (1-h))*W1'", "the transpose of W2 is missing"),
    ("x", "W1*((yhat - y)*W2' .* h .* (1-h))'", "transpose of the right result"),
    ("x", "(yhat*W2' .* h .* (1-h))*W1'", "missing"),
    ("W2", "(yhat - y)'*h", "transpose of the right result"),
    ("W1", "((yhat - y)*W2' .* h .* (1-h))'*x", "transpose of the right result"),
]


@pytest.mark.parametrize(("name", "claim", "reason"), WRONG)
def test_diagnosis(network, name, claim, reason):
    verdict = network.claim(name, claim)
    assert verdict.status == "disproved"
    assert reason in verdict.diagnosis


def test_a_missing_transpose_names_the_value_where_it_enters(network):
    assert network.claim("x", "((yhat - y)*W2 .* h .* (1-h))*W1'").diagnosis.node == "theta"


def test_sum_for_mean():
    d = mc.derive("mean((x - y).^2)", wrt="x", shapes={"x": ("n", 1), "y": ("n", 1)})
    assert (
        "missing factor 1/n" in d.claim("x", "2*(x - y)").diagnosis or "factor n" in d.claim("x", "2*(x - y)").diagnosis
    )


def test_order_of_the_chain():
    d = mc.derive("tr(A*X*B)", wrt="X", shapes=dict.fromkeys("AXB", ("n", "n")))
    assert d.claim("X", "A'*B'").status == "proved"
    assert "order" in d.claim("X", "B'*A'").diagnosis


def test_a_value_held_constant():
    d = mc.derive("m = mean(x); s = sum((x - m).^3); s", wrt="x", shapes={"x": ("n", 1)})
    verdict = d.claim("x", "3*(x - m).^2")
    assert verdict.status == "disproved"
    assert "m was held constant" in verdict.diagnosis
    assert verdict.diagnosis.node == "m"


def test_facts_of_the_derivation_count():
    shapes = {"x": ("n", 1), "A": ("n", "n")}
    assert mc.derive("x'*A*x", wrt="x", shapes=shapes).claim("x", "2*A*x").status == "disproved"
    d = mc.derive("x'*A*x", wrt="x", shapes=shapes, facts={"A": "symmetric"})
    assert d.claim("x", "2*A*x").status == "proved"
    assert d.claim("x", "(A + A')*x").status == "proved"


def test_the_definitions_of_a_claim_are_its_own(network):
    assert network.claim("x", "r = yhat - y; (r*W2' .* h .* (1-h))*W1'").status == "proved"
    assert network.claim("x", "r = y - yhat; (r*W2' .* h .* (1-h))*W1'").status == "disproved"


def test_jacobians_and_hessians():
    d = mc.derive("x'*A*x", wrt="x", shapes={"x": ("n", 1), "A": ("n", "n")})
    assert d.claim("x", "A' + A", kind="hessian").status == "proved"
    assert d.claim("x", "2*A", kind="hessian").status == "disproved"
    assert d.claim("x", "x'*(A + A')", kind="jacobian").status == "proved"
    F = mc.derive("A*X*B", wrt="X", shapes={"A": ("p", "m"), "X": ("m", "n"), "B": ("n", "q")})
    assert F.claim("X", "kron(B', A)", kind="jacobian").status == "proved"
    assert F.claim("X", "kron(A, B')", kind="jacobian").status == "disproved"


def test_expressions_are_claims_too(squares):
    n, p = sp.symbols("n p", integer=True, positive=True)
    X, w, y = sp.MatrixSymbol("X", n, p), sp.MatrixSymbol("w", p, 1), sp.MatrixSymbol("y", n, 1)
    assert squares.claim("w", 2 * X.T * X * w - 2 * X.T * y).status == "proved"
    assert squares.claim("w", X.T * X * w - X.T * y).status == "disproved"
    assert squares.claim("w", squares.hessian("w"), kind="hessian").status == "proved"
    with pytest.raises(MatcalcError):
        squares.claim("w", mc.var("nobody", "p", 1))
    with pytest.raises(MatcalcError):
        squares.claim("w", mc.var("X", "p", 1))


def test_a_variable_of_a_claim_is_that_of_the_derivation():
    A, x = mc.var("A", "n", "n"), mc.var("x", "n", 1)
    d = mc.derive("x'*A*x", wrt="x", shapes={"x": ("n", 1), "A": ("n", "n")}, facts={"A": "symmetric"})
    assert d.claim("x", 2 * (A @ x)).status == "proved"


@pytest.mark.parametrize("claim", ["foo", "x +", "x*", "(yhat - y"])
def test_wrong_input_is_an_error(network, claim):
    with pytest.raises(MatcalcError):
        network.claim("x", claim)


def test_wrong_names_and_kinds(network):
    with pytest.raises(MatcalcError):
        network.claim("nobody", "x")
    with pytest.raises(MatcalcError):
        network.claim("x", "x", kind="integral")
    with pytest.raises(MatcalcError):
        network.claim("x", 3)


# ------------------------------------------------------------------------------------------------ numbers


@pytest.mark.parametrize(
    ("name", "key", "reasons"),
    [
        ("beta", "beta", ["taken as 1 everywhere"]),
        ("gamma", "gamma_diag", ["taken as 1 everywhere", "spurious factor gamma"]),
        ("Gamma1", "Gamma1", ["taken as 1 everywhere", "mu and s were held constant", "multiplied instead of divided"]),
    ],
)
def test_the_printed_gradients_of_the_question(batchnorm, data, name, key, reasons):
    at = {k: data[k] for k in ("X", "Gamma1", "Gamma2", "gamma", "beta", "y")}
    verdict = batchnorm.claim_values(name, data["claims_printed_in_the_question"][key], at=at)
    assert verdict.status == "disproved"
    for reason in reasons:
        assert reason in verdict.diagnosis
    assert batchnorm.claim_values(name, data["reference"]["ddof1_sum"][name], at=at).status == "proved"


def test_numbers_of_a_wrong_shape(squares):
    at = {"X": np.ones((4, 2)), "w": np.ones((2, 1)), "y": np.zeros((4, 1))}
    assert squares.claim_values("w", [[16.0], [16.0]], at=at).status == "proved"
    assert "wrong shape" in squares.claim_values("w", [[16.0, 16.0]], at=at).diagnosis
    with pytest.raises(MatcalcError):
        squares.claim_values("w", [[1.0], [1.0]], at={"X": np.ones((4, 2))})


# ------------------------------------------------------------------------------------------------ line by line


def test_one_error_is_one_error(network):
    text = "d_theta = yhat - y\nd_h = d_theta * W2\nd_r = d_h .* h .* (1 - h)\ndJ/dW1 = x' * d_r"
    verdicts = network.claim_lines(text)
    assert [v.status for v in verdicts.verdicts] == ["proved", "disproved", "proved", "proved"]
    assert verdicts.first_wrong.number == 2
    assert verdicts.status == "disproved"
    assert "first error" in str(verdicts)


def test_lines_may_define_names_of_their_own(network):
    verdicts = network.claim_lines("e = yhat - y  # the residual\nd_theta = e; d_h = e*W2'")
    assert verdicts.status == "proved"
    assert [line.verdict is None for line in verdicts] == [True, False, False]
    with pytest.raises(MatcalcError):
        network.claim_lines("e = yhat - y")


# ------------------------------------------------------------------------------------------------ identities

IDENTITIES = [
    ("(A*B)' = B'*A'", "proved"),
    ("(A*B)' = A'*B'", "disproved"),
    ("tr(A*B) = tr(B'*A')", "proved"),
    ("x'*A*y = y'*A'*x", "proved"),
    ("sum(A .* B) = tr(A'*B)", "proved"),
    ("diagvec(A*B) = sum(A .* B', 2)", "proved"),
    ("(A + B)^2 = A^2 + A*B + B*A + B^2", "proved"),
    ("(A + B)^2 = A^2 + 2*A*B + B^2", "disproved"),
    ("det(A*B) = det(B)*det(A)", "proved"),
    ("inv(A*B) = inv(B)*inv(A)", "proved"),
    ("1 - sigmoid(x) = sigmoid(-x)", "proved"),
    ("exp(x)/sum(exp(x)) = softmax(x)", "proved"),
    ("vec(A*X*B) = kron(B', A)*vec(X)", "proved"),
    ("vec(A*X*B) = kron(A, B')*vec(X)", "disproved"),
    ("abs(x) = x", "disproved"),
    ("A: m x n; A = A'", "disproved"),
    ("x: n x 1; 1/(1 + x'*x) + x'*x/(1 + x'*x) = 1", "proved"),
]


@pytest.mark.parametrize(("text", "status"), IDENTITIES)
def test_identities(text, status):
    verdict = mc.prove(text)
    assert verdict.status == status, verdict
    if status == "proved":
        check_chain(verdict)


def test_what_a_claim_needs_is_listed():
    assert ("nonsingular", "A") in mc.prove("inv(A*B) = inv(B)*inv(A)").assumptions
    assert mc.prove("inv(A*B) = inv(B)*inv(A)", facts={"A": "nonsingular", "B": "nonsingular"}).status == "proved"


@pytest.mark.parametrize("text", ["A*B", "A = ", "= A", "A*B = foo("])
def test_no_identity(text):
    with pytest.raises(MatcalcError):
        mc.prove(text)


@pytest.mark.parametrize(
    ("literal", "meaning"),
    [
        ("3.141592653589793", "pi"),
        ("0.333333333333", "(1/3)"),
        ("1.41421356237310", "sqrt(2)"),
        ("0.5", "0.5"),
        ("0.33333333", "0.33333333"),
        ("0.123456789012345", "0.123456789012345"),
    ],
)
def test_long_decimals_stand_for_constants(literal, meaning):
    assert constant(literal) == meaning


def test_short_decimals_are_what_they_say():
    d = mc.derive("x'*x/3", wrt="x", shapes={"x": ("n", 1)})
    assert d.claim("x", "0.666666666666667*x").status == "proved"
    assert d.claim("x", "0.66666667*x").status == "disproved"


# ------------------------------------------------------------------------------------------------ command line


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["(A*B)' = B'*A'"], 0, "proved"),
        (["(A*B)' = A'*B'"], 1, "disproved"),
        (["normspec(A*B)^2 = eigmax(B'*A'*A*B)"], 3, "undecided"),
        (["2*A*x", "--of", "x'*A*x", "--name", "x", "--fact", "A=symmetric"], 0, "proved"),
        (["2*A*x", "--of", "x'*A*x", "--name", "x"], 1, "disproved"),
        (["(A*B)' = B'*A'", "--format", "json"], 0, '"transpose_of_product"'),
    ],
)
def test_command(capsys, arguments, code, words):
    assert main(["claim", *arguments]) == code
    assert words in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["A*B"], ["A = foo("], ["2*A*x", "--of", "x'*A*x"]])
def test_command_with_wrong_input(capsys, arguments):
    assert main(["claim", *arguments]) == 2
    assert "matcalc: error" in capsys.readouterr().err


def test_command_on_a_file(tmp_path, capsys):
    file = tmp_path / "hand.txt"
    file.write_text(f"{NETWORK}d_theta = yhat - y\nd_h = d_theta * W2\nd_r = d_h .* h .* (1 - h)\nd_W1 = x' * d_r\n")
    assert main(["claim", str(file)]) == 1
    out = capsys.readouterr().out
    assert out.count("disproved") == 1
    assert "the transpose of W2 is missing" in out


# ------------------------------------------------------------------------------------------------ soundness

EXPANDING = [rule for rule in RULES.values() if rule.group in ("distribute", "expand")]


@pytest.mark.parametrize("rule", EXPANDING, ids=[rule.name for rule in EXPANDING])
def test_both_sides_of_an_expanding_rule_get_one_form(rule):
    left, right = rule.example()
    assert prove(left, right) is not None


@pytest.mark.parametrize(
    ("source", "by", "claim", "condition"),
    [
        ("t*sum(sign(x).^2)", "t", "n", ("nonzero", "x")),
        ("sum(maximum(x, y))", "x", "step(x - y)", ("nonzero", "x - y")),
        ("sum(abs(x))", "x", "2*step(x) - 1", ("nonzero", "x")),
    ],
)
def test_what_holds_away_from_kinks_says_so(source, by, claim, condition):
    shapes = {"x": ("n", 1), "y": ("n", 1), "t": (1, 1)}
    d = mc.derive(source, wrt=by, shapes={k: s for k, s in shapes.items() if k in source})
    verdict = d.claim(by, claim)
    assert verdict.status == "proved"
    assert condition in verdict.assumptions
    assert d.claim(by, str(d.gradient(by))).assumptions == ()


def test_a_mixed_hessian_can_be_claimed():
    d = mc.derive("x'*A*y + x'*x", wrt=["x", "y"], shapes={"x": ("m", 1), "y": ("n", 1), "A": ("m", "n")})
    assert d.claim("x", "A", kind="hessian", by="y").status == "proved"
    assert d.claim("x", "A'", kind="hessian", by="y").diagnosis.kinds == ("shape", "transposed")
    assert d.claim("x", "2*eye(m)", kind="hessian").status == "proved"
    with pytest.raises(mc.MatcalcError, match="mixed Hessian"):
        d.claim("x", "A", by="y")


def test_what_holds_on_one_side_of_a_kink_is_undecided():
    shapes = {"x": ("n", 1), "y": ("n", 1), "t": (1, 1)}
    d = mc.derive("relu(t + x'*y)*t", wrt="x", shapes=shapes)
    verdict = d.claim("x", "t*y")
    assert (verdict.status, verdict.holds_where) == ("undecided", "t + x'*y > 0")
    assert verdict.counterexample is not None
    assert d.claim("x", "2*t*y").status == d.claim("x", "-t*y*step(t + x'*y)").status == "disproved"
    assert d.claim("x", "t*y*step(t + x'*y)").status == "proved"


def test_a_fact_settles_the_side():
    text = "sum(abs(t)*x.^3)"
    shapes = {"x": ("n", 1), "t": (1, 1)}
    assert mc.derive(text, wrt="x", shapes=shapes).claim("x", "3*t*x.^2").holds_where == "t > 0"
    assert mc.derive(text, wrt="x", shapes=shapes, facts={"t": "positive"}).claim("x", "3*t*x.^2").status == "proved"


def test_a_forgotten_derivative_of_an_activation_is_wrong():
    d = mc.derive("sum(relu(X*w))", wrt="w", shapes={"X": ("n", "d"), "w": ("d", 1)})
    assert d.claim("w", "X'*ones(n, 1)").status == "disproved"


FAIR = [case for case in VALID if case.get("expected") and case.get("claim") is not False]
SAMPLE = FAIR[::6]


@pytest.mark.parametrize("case", SAMPLE, ids=[case["id"] for case in SAMPLE])
def test_closed_forms(case):
    d = derive(case)
    verdict = d.claim(case["wrt"], case["expected"], kind=case["kind"])
    assert verdict.status in ("proved", "undecided")
    if verdict.status == "proved":
        check_chain(verdict)
    right = d.parse(case["expected"])
    for wrong in (core.minus(right), core.scale(core.number(2), right)):
        field = Field([right])
        zero = not any(np.any(field.values([right], point)[0]) for point in field.random(2))
        assert d.claim(case["wrt"], wrong, kind=case["kind"]).status == ("proved" if zero else "disproved")


def test_the_expanded_form_is_reached_from_any_order():
    terms = ["a*X*Y", "X*(Y + Z)", "(X - X2)*Y", "2*X*Z", "-a*X*Z"]
    shapes = {"X": ("m", "n"), "X2": ("m", "n"), "Y": ("n", "p"), "Z": ("n", "p"), "a": (1, 1)}
    rng = np.random.default_rng(0)
    digests = set()
    for _ in range(6):
        order = rng.permutation(len(terms))
        e = mc.derive("sum(" + " + ".join(f"({terms[k]})" for k in order) + ")", wrt="a", shapes=shapes).output
        prover = Prover(Context(with_consequences(requirements_of(e))), SLOW | GATHERING)
        form = prover.normal(e)
        assert prover.normal(form).digest == form.digest
        digests.add(form.digest)
    assert len(digests) == 1


@pytest.mark.parametrize("mask", ["(X*w > 0)", "where(X*w > 0, 1, 0)", "step(X*w)", "(0 < X*w)"])
def test_a_mask_of_ones_and_zeros_is_written_as_a_comparison(mask):
    d = mc.derive("sum(relu(X*w))", wrt="w", shapes={"X": ("n", "p"), "w": ("p", 1)})
    assert d.claim("w", f"X'*{mask}").status == "proved"
    assert d.claim("w", f"2*X'*{mask}").status == "disproved"
