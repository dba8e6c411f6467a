"""The page of a Hessian: its steps, its sum over rows, what is proved of it."""

import numpy as np
import pytest

import matcalc as mc
from matcalc.calculus.row_blocks import row_blocks
from matcalc.core import var
from matcalc.curvature.definiteness import definiteness
from matcalc.numeric.evaluate import evaluate

SOFTMAX = "X: n x p constant\nY: n x K constant one-hot\nW: p x K\nS = X*W\nP = softmax(S, 2)\nf = -sum(Y .* log(P))/n"
LOG_SOFTMAX = "X: n x p constant\nY: n x K constant one-hot\nW: p x K\nf = -sum(Y .* log_softmax(X*W, 2))/n"
LOGISTIC = "X: n x p constant\ny: n x 1 constant\nc: 1 x 1 constant\nw: p x 1\n" + (
    "f = sum(log(1 + exp(X*w)) - y .* (X*w)) + c*norm2(w)^2"
)
ROWS = {
    "softmax": SOFTMAX,
    "log_softmax": LOG_SOFTMAX,
    "with a penalty": f"{LOG_SOFTMAX} + norm2(W)^2/2",
    "entrywise": "X: n x p constant\nV: K x K\nW: p x K\nT = tanh(X*W)\nf = sum(T.^3)",
    "on both sides": "X: n x p\nV: K x L constant\nW: p x K\nY: n x L one-hot\nf = -sum(Y .* log_softmax(X*W*V, 2))",
}


def rows_of(e):
    return var(f"{e.name or 'unnamed'}_i", e.shape[1], 1)


@pytest.mark.parametrize("source", ROWS.values(), ids=ROWS)
def test_sum_over_rows_is_the_hessian(source):
    d = mc.derive(source, wrt="W")
    H = d.hessian().value
    blocks = row_blocks(H, d.rewriter, rows_of)
    assert blocks is not None
    rng = np.random.default_rng(0)
    sizes = {"n": 5, "p": 3, "K": 2, "L": 4}
    given = {v.name: rng.normal(size=[sizes[str(s)] for s in v.shape]) for v in d.graph.declared.values()}
    if "Y" in given:
        given["Y"] = np.eye(given["Y"].shape[1])[rng.integers(0, given["Y"].shape[1], 5)]
    total = evaluate(blocks.rest, given, sizes) if blocks.rest is not None else 0.0
    factor = evaluate(blocks.factor, given, sizes)
    for i in range(sizes["n"]):
        columns = {v.name: evaluate(M, given, sizes)[i][:, None] for M, v in blocks.rows.items()}
        total = total + factor * evaluate(blocks.term, {**given, **columns}, sizes)
    np.testing.assert_allclose(total, evaluate(H, given, sizes), rtol=1e-10, atol=1e-12)


def test_nothing_is_said_where_rows_mix():
    for source in ("f = sum(exp(A*X).^2 .* (B*X))", "f = norm2(A*X)^2", "f = logdet(X'*X)"):
        d = mc.derive(source, wrt="X", shapes={"X": ("n", "k"), "A": ("m", "n"), "B": ("m", "n")})
        found = row_blocks(d.hessian().value, d.rewriter, rows_of)
        assert found is None or "A" in found.rows or "B" in found.rows, source


@pytest.mark.parametrize("source", [SOFTMAX, LOG_SOFTMAX])
def test_softmax_regression_has_the_textbook_form(source):
    text = mc.derive(source, wrt="W").text(hessian=True)
    assert "= sum_i kron(diag(p_i) - p_i*p_i', x_i*x_i')/n" in text
    assert "p_i and x_i are the rows i of P and X, as columns" in text
    assert "It is symmetric and positive semidefinite; its eigenvalues are at most eigmax(X'*X)/(2*n)" in text


def test_covariance_of_a_softmax():
    assert str(mc.derive("logsumexp(x)", wrt="x").hessian()) == "diag(softmax(x)) - softmax(x)*softmax(x)'"


def test_facts_of_what_stands_still_are_used():
    text = mc.derive(SOFTMAX, wrt="W").text(hessian=True)
    assert "dg_S = dP/n" in text


SAID = [
    (LOGISTIC, "w", "For positive c it is symmetric and positive definite"),
    ("f = norm2(A*x - b)^2", "x", "it is definite where A has full column rank"),
    ("f = log(x'*A*x)", "x", ""),
    ("X: n x n symmetric\nf = tr(X*X)", "X", ""),  # along symmetric directions only
    ("f = sum(x.^4)", "x", "It is symmetric and positive semidefinite"),
    ("f = sum(abs(x))", "x", ""),
    (
        "c: 1 x 1; e: 1 x 1; x: n x 1; f = c*norm2(x)^2 - e*sum(x)",
        "x",
        "For positive c it is symmetric and positive definite",
    ),
    ("f = -norm2(x)^2", "x", "It is symmetric and negative definite"),
]


@pytest.mark.parametrize(("source", "name", "said"), SAID)
def test_definiteness_is_said_where_it_is_proved(source, name, said):
    d = mc.derive(source, wrt=name)
    found = [
        r.message.format(*(", ".join(map(str, v)) if isinstance(v, tuple) else v for v in r.values))
        for r in definiteness(d, d.find(name))
    ]
    assert (said in found) if said else not found


@pytest.mark.parametrize(
    "source", [SOFTMAX, "f = logsumexp(A*x + b) + norm2(x)^2", "f = sum(sqrt(1 + x.^2))", "f = -sum(exp(x))"]
)
def test_what_is_said_is_so(source):
    d = mc.derive(source, wrt="W" if source is SOFTMAX else "x")
    (e,) = d.wrt
    first, *bounds = definiteness(d, e)
    sizes = {"n": 5, "p": 3, "K": 3, "m": 4}
    rng = np.random.default_rng(2)
    for _ in range(3):
        given = {
            v.name: 2 * rng.normal(size=[sizes[str(s)] if not isinstance(s, int) else s for s in v.shape])
            for v in d.graph.declared.values()
        }
        if "Y" in given:
            given["Y"] = np.eye(3)[rng.integers(0, 3, 5)]
        eigenvalues = np.linalg.eigvalsh(evaluate(d.hessian().value, given, sizes))
        sign = -1 if "negative" in first.message else 1
        assert (sign * eigenvalues).min() > -1e-10
        for bound in bounds:
            values = [float(evaluate(value, given, sizes)[0, 0]) for value in bound.values]
            if "rank" in bound.message:
                continue
            if "least" in bound.message or "between" in bound.message:
                assert eigenvalues[0] > values[0] - 1e-10
            if "most" in bound.message or "between" in bound.message:
                assert eigenvalues[-1] < values[-1] + 1e-10
