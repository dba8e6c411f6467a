"""The slips that people make have a diagnosis, and what a diagnosis says gives exactly what was claimed."""

from __future__ import annotations

import numpy as np
import pytest

import matcalc as mc
from matcalc.claims.points import Field, distance
from matcalc.claims.question import question
from matcalc.claims.wrong import mistakes, opened, wrong_gradient

SOFTMAX = ("P = softmax(X, 2); f = sum(G .* P)", "X", {"X": ("n", "k"), "G": ("n", "k")})
ENTROPY = ("p = softmax(z, 1); f = -sum(y .* log(p))", "z", {"z": ("k", 1), "y": ("k", 1)})
LAYER = {"W": ("k", "p"), "x": ("p", 1), "v": ("k", 1)}
TANH = ("a = tanh(W*x); f = v'*a", "x", LAYER)
SIGMOID = ("h = sigmoid(W*x); f = v'*h", "W", LAYER)
RIDGE = (
    "norm2(X*w - y)^2/2 + c*norm2(w)^2/2",
    "w",
    {"X": ("n", "p"), "w": ("p", 1), "y": ("n", 1), "c": (1, 1)},
)
LASSO = ("sum((X*w - y).^2)/n + c*sum(abs(w))", "w", RIDGE[2])
NORM = ("norm2(A*x - b)", "x", {"A": ("m", "n"), "x": ("n", 1), "b": ("m", 1)})
FORM = ("x'*A*x", "x", {"x": ("n", 1), "A": ("n", "n")})
TRACE = ("tr(A*S)", "S", {"S": ("n", "n"), "A": ("n", "n")})

LOGISTIC = (
    "X: n x p constant\ny: n x 1 constant\nc: 1 x 1 constant\nw: p x 1\n"
    "f = sum(softplus(X*w) - y .* (X*w))/n + c*norm2(w)^2/2",
    "w",
    None,
)
CASES = [
    (SOFTMAX, "G .* P .* (1 - P)", "softmax is differentiated entry by entry", "P"),
    (SOFTMAX, "P .* (G - sum(G .* P, 2)) .* P .* (1 - P)", "softmax is differentiated twice", "P"),
    (SOFTMAX, "G", "activation (softmax) is taken as 1", "softmax(X, 2)"),
    (ENTROPY, "(p*sum(y) - y) .* p .* (1 - p)", "softmax is differentiated twice", "p"),
    (TANH, "W'*(v .* (1 - tanh(a).^2))", "tanh is taken at its output a instead of its input W*x", "a"),
    (TANH, "W'*(v .* (1 - (W*x).^2))", "tanh is written with its input W*x where its output a", "a"),
    (
        TANH,
        "W'*(v .* a .* (1 - a))",
        "derivative of sigmoid (in terms of its value) stands in place of that of tanh",
        "a",
    ),
    (TANH, "W'*(v .* (1 - a.^2).^2)", "tanh is differentiated twice", "a"),
    (TANH, "W*(v .* (1 - a.^2))", "the transpose of W is missing", "a"),
    (
        SIGMOID,
        "(v .* (1 - h.^2))*x'",
        "derivative of tanh (in terms of its value) stands in place of that of sigmoid",
        "h",
    ),
    (SIGMOID, "(v .* (1 - tanh(W*x).^2))*x'", "the derivative of tanh stands in place of that of sigmoid", "h"),
    (SIGMOID, "(v .* sigmoid(h) .* (1 - sigmoid(h)))*x'", "sigmoid is taken at its output h", "h"),
    (SIGMOID, "(v .* h)*x'", "missing factor 1 - h", "h"),
    (SIGMOID, "(v .* h .* (1 - h))*x", "the transpose of x is missing", "h"),
    (LOGISTIC, "X'*(X*w - y)/n + c*w", "sigmoid is missing: it is the derivative of softplus", ""),
    (RIDGE, "X'*(X*w - y) + c*norm2(w)", "is c*w; in its place stands a 1 x 1 value, which is broadcast to p x 1", ""),
    (RIDGE, "X'*(X*w - y)", "the term c*norm2(w)^2/2 is forgotten: its gradient is c*w", ""),
    (RIDGE, "X'*(X*w - y) - c*w", "it has the wrong sign", ""),
    (RIDGE, "X'*(X*w - y) + 3*c*w", "in its place stands 3 times that", ""),
    (LASSO, "2*X'*(X*w - y) + c*sign(w)", "in its place stands n times that", ""),
    (LASSO, "2*X'*(X*w - y)/n + c*abs(w)", "abs itself stands in place of its derivative", ""),
    (NORM, "2*A'*(A*x - b)", "the function with norm2(A*x - b)^2 in place of norm2(A*x - b)", ""),
    (FORM, "2*A*x", "it is right only for symmetric A", ""),
    (
        ("tr(X'*A*X*B)", "X", {"X": ("n", "p"), "A": ("n", "n"), "B": ("p", "p")}),
        "2*A*X*B",
        "only for symmetric A, B",
        "",
    ),
    (("log(sum(exp(A*x)))", "x", None), "A'*exp(A*x)", "with sum(exp(A*x)) in place of", ""),
    (TRACE, "A + A' - diag(diagvec(A))", "along symmetric matrices; S is free here", ""),
    (TRACE, "2*A", "it is the transpose of the right result (numerator layout?); in addition, spurious factor 2", ""),
]


@pytest.mark.parametrize(("function", "claim", "said", "node"), CASES, ids=[c[1] for c in CASES])
def test_slips_have_their_diagnosis(function, claim, said, node):
    source, name, shapes = function
    verdict = mc.derive(source, wrt=name, shapes=shapes).claim(name, claim)
    assert verdict.status == "disproved"
    assert said in verdict.diagnosis
    assert verdict.diagnosis.node == node


def test_free_gradients_along_a_set_and_the_reverse():
    d = mc.derive("logdet(S)", wrt="S", shapes={"S": ("n", "n")}, structure={"S": "symmetric"})
    assert "it is the gradient of a free S; along symmetric matrices" in d.claim("S", "inv(S)").diagnosis
    d = mc.derive("tr(A*S)", wrt="S", structure={"S": "symmetric"})
    assert "it is the transpose of the gradient of a free S" in d.claim("S", "A").diagnosis
    assert "in the other convention (projection)" in d.claim("S", "(A + A')/2").diagnosis
    d = mc.derive("tr(A*S)", wrt="S", structure={"S": "skew"})
    assert "it is the gradient of a free S; along skew matrices" in d.claim("S", "A'").diagnosis


def test_only_for_symmetric_holds_for_hessians_and_not_where_a_fact_says_it():
    d = mc.derive("H = relu(W*x); f = v'*H", wrt="x")
    assert d.claim("x", "W'*(v .* step(H))").status == "proved"  # the slope of relu at its output is that at its input
    d = mc.derive("x'*A*x", wrt="x")
    assert "only for symmetric A" in d.claim("x", "2*A", kind="hessian").diagnosis
    assert mc.derive("x'*A*x", wrt="x", facts={"A": "symmetric"}).claim("x", "2*A*x").status == "proved"
    assert "symmetric" not in d.claim("x", "3*A*x").diagnosis


@pytest.mark.parametrize("function", [SOFTMAX, TANH, SIGMOID, RIDGE, LASSO])
def test_what_is_said_of_a_mistake_is_what_the_mistake_gives(function):
    """Every mistake, claimed as it is, is disproved with a diagnosis: itself or a simpler one with the same values."""
    source, name, shapes = function
    d = mc.derive(source, wrt=name, shapes=shapes)
    right = question(d, name, "gradient").right
    output, target = opened(d.graph.output, d.graph.find(name))
    field = Field([d.graph.output, right], list(d.graph.declared.values()))
    seen = 0
    for mistake in mistakes(output, target):
        wrong = wrong_gradient(output, target, mistake)
        values = [field.values([wrong, right], p) for p in field.random(3)]
        finite = all(np.isfinite(a).all() for a, _ in values)
        if not finite or max(distance(*v) for v in values) < 1e-6 or len(mistake.held) > 1:
            continue
        verdict = d.claim(name, wrong)
        assert verdict.status in ("disproved", "undecided"), mistake  # undecided: on one side of a kink
        assert verdict.diagnosis or verdict.holds_where, (mistake, str(wrong))
        seen += 1
    assert seen > 1
