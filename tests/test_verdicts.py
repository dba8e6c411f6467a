"""Verdicts are decided by more digits than rounding can spoil, and truths that people use are proved."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from case_support import relative_error
from support import OPERATIONS, example

import matcalc as mc
from matcalc.claims.points import Field
from matcalc.errors import MatcalcError
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.points import smooth_functions
from matcalc.numeric.precise import evaluate_precisely, exactly
from matcalc.numeric.sample import sample
from matcalc.rewrite.rule import RULES
from matcalc.walk import variables

# What the evaluation with 60 digits does not know: derivatives of functions of matrices at many directions.
UNKNOWN = {"dadj", "dadjform", "frechetform", "frechetpow", "frechetpowform", "care", "dare", "root"}


def precise(e, arrays, sizes):
    values = {v.params[0]: exactly(v, arrays[v.params[0]]) for v in variables([e])}
    return evaluate_precisely([e], values, sizes).values[0]


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - {"broadcast", *UNKNOWN}))
def test_sixty_digits_agree_with_sixteen(name):
    symmetric = name.startswith("eig")
    e = example(name, {0: ("symmetric",)} if symmetric else None)
    seen = 0
    for seed, mode in enumerate(("dominant", "unit", "free", "large") * 2):
        arrays, sizes = sample(variables([e]), seed, {"m": 2, "n": 3, "p": 4, "q": 5}, mode)
        value = evaluate(e, arrays, sizes, smooth_functions(e))
        if not np.isfinite(value).all():
            continue
        found = precise(e, arrays, sizes)
        assert np.allclose(np.array(found.tolist(), dtype=float), value, rtol=1e-9, atol=1e-9)
        seen += 1
    assert seen


def test_what_is_not_known_is_said():
    e = example("dadj")
    arrays, sizes = sample(variables([e]), 0)
    with pytest.raises(MatcalcError, match="60 digits"):
        precise(e, arrays, sizes)


@pytest.mark.parametrize(
    ("facts", "gap"),
    [
        (["orthogonal"], lambda X: X.T @ X - mpmath.mpf(1) * np.eye(len(X), dtype=int)),
        (["orthogonal", "symmetric"], lambda X: X - X.T),
        (["skew"], lambda X: X + X.T),
        (["row-stochastic"], lambda X: X.sum(axis=1) - 1),
        (["row-stochastic", "column-stochastic"], lambda X: X.sum(axis=0) - 1),
        (["row-stochastic", "symmetric"], lambda X: X - X.T),
        (["row-stochastic", "lower"], lambda X: X.sum(axis=1) - 1),
        (["column-stochastic"], lambda X: X.sum(axis=0) - 1),
    ],
)
def test_facts_are_true_to_all_digits(facts, gap):
    X = mc.var("X", "n", "n", facts)
    arrays, _ = sample([X], 1, {"n": 5})
    made = exactly(X, arrays["X"])
    assert max(abs(x) for x in gap(made).ravel()) < 1e-50
    assert np.allclose(np.array(made.tolist(), dtype=float), arrays["X"])


def check_chain(verdict):
    """The steps join, are named rules, and change no value."""
    steps = verdict.steps
    assert all(a.after is b.before for a, b in zip(steps, steps[1:]))
    assert all(step.rule in RULES for step in steps)
    if not steps:
        return
    field = Field([steps[0].before, steps[-1].after])
    point = next(field.random(1))
    values = field.values([steps[0].before, *(step.after for step in steps)], point)
    scale = 1 + max(abs(values[0]).max(), 0)
    assert all(
        relative_error(value, values[0]) < 1e-8 or abs(value - values[0]).max() < 1e-9 * scale for value in values
    )


TRUE = [
    "a: 1 x 1\nsigmoid(a) - (1 - sigmoid(-a)) = 0",
    "X: n x m\nsum(X) - ones(1, n)*X*ones(m, 1) = 0",
    "Q: n x n orthogonal\nlogdet(Q) = 0",
    "x: 2 x 1; y: 2 x 1\ndet(x*y') = 0",
    "A: n x n symmetric; S: n x n skew\ntr(A*S) = 0",
    "Q: n x n orthogonal\nQ*Q' - eye(n) = zeros(n, n)",
    "A: n x n\ntr(expm(A)*A - A*expm(A)) = 0",
    "P: n x n row-stochastic\nsum(P) - n = 0",
    "x: n x 1\nsum(softmax(x, 1)) - 1 = 0",
    "x: n x 1\n1e9*(sum(softmax(x, 1)) - 1) = 0",
]


@pytest.mark.parametrize("text", TRUE)
def test_rounding_disproves_nothing(text):
    assert mc.prove(text).status != "disproved"


FALSE = [
    "x: n x 1\nsum(softmax(x, 1)) - 1 = 1e-20*x'*x",
    "a: 1 x 1\nsigmoid(a) - (1 - sigmoid(-a)) = 1e-25*a",
    "Q: n x n orthogonal\nlogdet(Q) = 1e-18*tr(Q)",
    "A: n x n\nA*expm(A') - expm(A')*A = zeros(n, n)",
]


@pytest.mark.parametrize("text", FALSE)
def test_small_differences_are_found(text):
    verdict = mc.prove(text)
    assert verdict.status == "disproved"
    assert verdict.counterexample is not None


def test_a_slice_that_does_not_fit_is_no_point():
    assert mc.prove("X: n x m\nX[1:n, 1:n] = X[1:n, 1:n]'").status == "disproved"
    verdict = mc.prove("X: n x m\nX[1:n, 1:n] + X[1:n, 1:n] = 2*X[1:n, 1:n]")
    assert verdict.status == "proved"
    assert "m - n + 1 is positive" in str(verdict)
    e = mc.derive("X: n x m\nsum(X[1:n, 1:n])").graph.output
    with pytest.raises(MatcalcError, match="rows 1 to 4"):
        evaluate(e, {"X": np.ones((4, 3))})


PROVED = [
    "a: 1 x 1\nsigmoid(a) - (1 - sigmoid(-a)) = 0",
    "X: n x m\nsum(X) - ones(1, n)*X*ones(m, 1) = 0",
    "Q: n x n orthogonal\nlogdet(Q) = 0",
    "x: 2 x 1\ny: 2 x 1\ndet(x*y') = 0",
    "X: n x n\ntril(X) + triu(X) - diag(diagvec(X)) = X",
    "x: n x 1\nrelu(x) = maximum(x, 0)",
    "x: n x 1\nsoftplus(x) = log(1 + exp(x))",
    "x: n x 1\ny: n x 1\nmaximum(x, y) = maximum(y, x)",
    "x: n x 1\ny: n x 1\nminimum(x, y) = -maximum(-x, -y)",
    "x: n x 1\ny: n x 1\nmaximum(x, y) + minimum(x, y) = x + y",
    "x: n x 1\ny: n x 1\nmaximum(x, y) - minimum(x, y) = abs(x - y)",
    "x: n x 1\nabs(x) = maximum(x, -x)",
    "x: n x 1\nabs(x) = x .* sign(x)",
    "x: n x 1\nabs(x) = sqrt(x.^2)",
    "x: n x 1\nabs(-x) = abs(x)",
    "x: n x 1\nabs(x).^2 = x.^2",
    "x: n x 1\ny: n x 1\nabs(x .* y) = abs(x) .* abs(y)",
    "x: n x 1\nrelu(x) - relu(-x) = x",
    "x: n x 1\nrelu(x) + relu(-x) = abs(x)",
    "x: n x 1\nrelu(x) = (x + abs(x))/2",
    "x: n x 1\nrelu(x) = x .* step(x)",
    "x: n x 1\nabs(abs(x)) = abs(x)",
    "x: n x 1\nrelu(relu(x)) = relu(x)",
    "x: n x 1\ny: n x 1\nwhere(x > y, x, y) = maximum(x, y)",
    "x: n x 1\ny: n x 1\nwhere(x < y, x, y) = minimum(x, y)",
    "x: n x 1\ny: n x 1\nc: n x 1\nwhere(c > 0, x, x) = x",
    "x: n x 1\ny: n x 1\nc: n x 1\nwhere(c > 0, x, y) + where(c > 0, y, x) = x + y",
    "x: n x 1\nwhere(x > 0, x, 0) = relu(x)",
    "x: n x 1\nwhere(x > 0, x, -x) = abs(x)",
    "x: n x 1\nlog(exp(x)) = x",
    "x: n x 1 positive\nexp(log(x)) = x",
    "x: n x 1\nexp(log(x)) = x",
    "x: n x 1\ntan(arctan(x)) = x",
    "x: n x 1\nsin(arcsin(x)) = x",
    "x: n x 1\ncos(arccos(x)) = x",
    "x: n x 1\ntanh(arctanh(x)) = x",
    "x: n x 1\narcsinh(sinh(x)) = x",
    "x: n x 1\nsinh(arcsinh(x)) = x",
    "x: n x 1\nlog(sigmoid(x)) - log(1-sigmoid(x)) = x",
    "x: n x 1\nsqrt(x).^2 = x",
    "X: n x n\nexpm(logm(X)) = X",
    "X: n x n symmetric\nlogm(expm(X)) = X",
    "X: n x n\nsqrtm(X)*sqrtm(X) = X",
    "X: n x m\nvec(reshape(X, n, m)) = vec(X)",
    "x: n x 1\ndiagvec(diag(x)) = x",
    "c: 1 x 1\nx: n x 1\nnorm2(c*x) = abs(c)*norm2(x)",
    "c: 1 x 1\nx: n x 1\nnorm1(c*x) = abs(c)*norm1(x)",
    "c: 1 x 1\nx: n x m\nnormspec(c*x) = abs(c)*normspec(x)",
    "x: n x 1\nnorm2(-x) = norm2(x)",
    "S: n x n skew\nx: n x 1\nx'*S*x = 0",
    "S: n x n skew\ntr(S) = 0",
    "S: n x n skew\ndiagvec(S) = zeros(n, 1)",
    "S: n x n skew\nsum(S) = 0",
    "A: n x n symmetric\nS: n x n skew\ntr(A*S) = 0",
    "A: n x n diagonal\nB: n x n diagonal\nA*B = B*A",
    "a: n x 1\nb: n x 1\ndiag(a)*diag(b) = diag(b)*diag(a)",
    "A: n x n diagonal\nB: n x n diagonal\nA*B*A = A*A*B",
    "A: n x n\ntr(A) = sum(eigvals(A))",
    "A: n x n\ndet(A) = prod(eigvals(A))",
    "A: n x n symmetric\ndet(A) = prod(eigvals(A))",
    "A: n x n positive-definite\nlogdet(A) = sum(log(eigvals(A)))",
    "A: n x n symmetric\ntr(A*A) = sum(eigvals(A).^2)",
    "A: n x n symmetric\ntr(A^3) = sum(eigvals(A).^3)",
    "X: n x n\ninv(X'^2)*X' = inv(X')",
    "X: n x n\nX^5*inv(X) = X^4",
    "X: n x n\ninv(X)^2*X^3 = X",
    "X: n x n\ninv(X^3) = inv(X)^3",
    "X: n x n\n(X^2)^3 = X^6",
    "X: n x n\nX^2*X^3 = X^5",
    "X: n x n\ndet(X^5) = det(X)^5",
    "X: n x n\nX^(-2)*X^2 = eye(n)",
    "X: n x n\ninv(X)*X^2*inv(X) = eye(n)",
    "X: n x n\nX*inv(X + eye(n)) = inv(X + eye(n))*X",
    "X: n x n\nX^2*inv(X + eye(n)) = inv(X + eye(n))*X^2",
    "X: n x n\nX*expm(X) = expm(X)*X",
    "tril(ones(3,3)) + triu(ones(3,3)) - eye(3) = ones(3,3)",
    "X: n x n positive-definite\nsum(log(eigvals(X))) = logdet(X)",
    "X: n x n\ntril(X)' = triu(X')",
    "x: n x 1\nsigmoid(-x) = 1 - sigmoid(x)",
    "x: n x 1\ntanh(x) = 2*sigmoid(2*x) - 1",
    "x: n x 1\nlogsigmoid(x) = -softplus(-x)",
    "x: n x 1\nsoftplus(x) - softplus(-x) = x",
    "x: n x 1\nexp(softplus(x)) = 1 + exp(x)",
    "x: n x 1\nexp(logsigmoid(x)) = sigmoid(x)",
    "x: n x 1\nlogsumexp(x) = log(sum(exp(x)))",
    "x: n x 1\nsin(x).^2 + cos(x).^2 = ones(n, 1)",
    "x: n x 1\nsin(2*x) = 2*sin(x).*cos(x)",
    "x: n x 1\ncosh(x).^2 - sinh(x).^2 = ones(n, 1)",
    "x: n x 1\ntan(x) = sin(x) ./ cos(x)",
    "Q: n x n orthogonal\ndet(Q)^2 = 1",
    "Q: n x n orthogonal\nx: n x 1\nnorm2(Q*x) = norm2(x)",
    "Q: n x n orthogonal\nabs(det(Q)) = 1",
    "x: n x 1\nmax(-x) = -min(x)",
    "x: n x 1\ny: n x 1\nlogdet(eye(n) + x*y') = log(1 + y'*x)",
    "x: n x 1\ny: n x 1\ndet(eye(n) + x*y') = 1 + y'*x",
    "A: n x n\ntr(expm(A)) = sum(exp(eigvals(A)))",
    "A: n x n\ndet(expm(A)) = exp(tr(A))",
    "x: n x 1\ny: n x 1\nwhere(x >= y, x, y) = maximum(x, y)",
    "x: n x 1\ny: n x 1\nz: n x 1\nmaximum(x + z, y + z) = maximum(x, y) + z",
    "x: n x 1\ny: n x 1\nmaximum(x, y) = -minimum(-x, -y)",
    "x: n x 1\ny: n x 1\nmaximum(x, y) = x + relu(y - x)",
    "x: n x 1\ny: n x 1\nminimum(x, y) = x - relu(x - y)",
    "a: 1 x 1\nx: n x 1\nmaximum(2*x, 0) = 2*relu(x)",
    "x: n x 1\nrelu(-x) = relu(x) - x",
    "x: n x 1\nleakyrelu(x, 0.1) = maximum(x, 0.1*x)",
    "x: n x 1\nhardtanh(x) = minimum(maximum(x, -1), 1)",
    "x: n x 1\nrelu(x) + minimum(x, 0) = x",
    "x: n x 1\nrelu(x).^2 = x .* relu(x)",
    "x: n x 1\nabs(x) .* sign(x) = x",
    "x: n x 1\nnorm1(x) = sum(abs(x))",
    "x: n x 1\nnorm1(-2*x) = 2*norm1(x)",
    "x: n x 1\nnorm2(-3*x) = 3*norm2(x)",
    "c: 1 x 1\nX: n x m\nnormnuc(c*X) = abs(c)*normnuc(X)",
    "c: 1 x 1\nX: n x m\nnorm2(X/c) = norm2(X)/abs(c)",
    "X: n x m\nnorm2(X') = norm2(X)",
    "X: n x m\nnorm2(X)^2 = tr(X'*X)",
    "S: n x n skew\nB: n x n\nx: n x 1\nx'*B'*S*B*x = 0",
    "S: n x n skew\nsum(S .* S) = -tr(S*S)",
    "S: n x n skew\nx: n x 1\ny: n x 1\nx'*S*y = -y'*S*x",
    "A: n x n\nx: n x 1\nx'*(A - A')*x = 0",
    "A: n x n\ntr(A - A') = 0",
    "A: n x n diagonal\nB: n x n diagonal\nC: n x n diagonal\nA*B*C = C*B*A",
    "A: n x n diagonal\nB: n x n diagonal\ninv(A)*B = B*inv(A)",
    "A: n x n diagonal\ndiag(diagvec(A)) = A",
    "A: n x n symmetric\nsum(eigvals(A).^2) = norm2(A)^2",
    "A: n x n positive-definite\nsum(1 ./ eigvals(A)) = tr(inv(A))",
    "A: n x n positive-definite\nsum(sqrt(eigvals(A))) = tr(sqrtm(A))",
    "A: n x n positive-definite\nprod(eigvals(A)) = exp(logdet(A))",
    "X: n x n\ninv(inv(X)) = X",
    "X: n x n\ninv(X')*X'^2 = X'",
    "X: n x n\nX^(-1) = inv(X)",
    "X: n x n\nX^2*inv(X^3) = inv(X)",
    "X: n x n\n(X^3)' = (X')^3",
    "X: n x n\ninv(X)*(X + eye(n)) = (X + eye(n))*inv(X)",
    "X: n x n\nexpm(X)*inv(X) = inv(X)*expm(X)",
    "X: n x n\nexpm(X)*expm(-X) = eye(n)",
    "X: n x n\ndet(inv(X)) = 1/det(X)",
    "X: n x n\nlogdet(X^3) = 3*logdet(X)",
    "x: n x 1\nlog1p(x) = log(1 + x)",
    "x: n x 1\nexpm1(x) = exp(x) - 1",
    "x: n x 1\nlogit(sigmoid(x)) = x",
    "x: n x 1\nsigmoid(logit(x)) = x",
    "x: n x 1\nsigmoid(x) = exp(x) ./ (1 + exp(x))",
    "x: n x 1\nsilu(x) = x ./ (1 + exp(-x))",
    "x: n x 1\nsoftplus(x) = x + softplus(-x)",
    "x: n x 1\ntanh(x) = (exp(x) - exp(-x)) ./ (exp(x) + exp(-x))",
    "x: n x 1\ncosh(arccosh(x)) = x",
    "x: n x 1\nerfc(x) = 1 - erf(x)",
    "Q: n x n orthogonal\nX: n x n\ndet(Q*X)^2 = det(X)^2",
    "Q: n x n orthogonal\nX: n x n\nlogdet(Q*X) = logdet(X)",
    "Q: n x n orthogonal\nX: n x n\ntr(Q'*X*Q) = tr(X)",
    "x: 3 x 1\ny: 3 x 1\ndet(x*y') = 0",
    "A: 4 x 2\ndet(A*A') = 0",
    "X: n x n\nvec(X') = comm(n, n)*vec(X)",
    "X: n x m\nreshape(vec(X), n, m) = X",
    "X: n x n symmetric\nunvech(vech(X), n) = tril(X)",
    "X: 2 x m\nX[1:2, 1:m]*ones(m, 1) = sum(X, 2)",
    "x: n x 1\nsoftmax(x + 3, 1) = softmax(x, 1)",
    "x: n x 1\nlog_softmax(x, 1) = x - logsumexp(x)",
    "x: n x 1\nsum(softmax(x, 1)) = 1",
    "x: n x 1\nvar(x) = mean(x.^2) - mean(x)^2",
    "x: n x 1\nstd(2*x) = 2*std(x)",
    "x: n x 1\ny: n x 1\nnorm2(x - y)^2 = norm2(x)^2 - 2*x'*y + norm2(y)^2",
]


@pytest.mark.parametrize("text", PROVED)
def test_relations_are_proved(text):
    verdict = mc.prove(text)
    assert verdict.status == "proved", verdict
    check_chain(verdict)


UNTRUE = [
    "x: n x 1; y: n x 1\nmaximum(x, y) = minimum(x, y)",
    "x: n x 1\nrelu(x) = maximum(x, 1)",
    "x: n x 1\nabs(x) = x",
    "x: n x 1\nsoftplus(x) = log(2 + exp(x))",
    "x: n x 1; y: n x 1\nwhere(x > y, x, y) = minimum(x, y)",
    "x: n x 1; y: n x 1; c: n x 1\nwhere(c > 0, x, y) = where(c > 0, y, x)",
    "x: n x 1\narcsin(sin(x)) = x",
    "c: 1 x 1; x: n x 1\nnorm2(c*x) = c*norm2(x)",
    "S: n x n skew\ntr(S*S) = 0",
    "S: n x n skew; x: n x 1; y: n x 1\nx'*S*y = 0",
    "A: n x n diagonal; B: n x n\nA*B = B*A",
    "A: n x n symmetric; B: n x n symmetric\nA*B = B*A",
    "X: n x n\ninv(X'^2)*X = inv(X')",
    "X: n x n; Y: n x n\ninv(X + eye(n))*inv(Y + eye(n)) = inv(Y + eye(n))*inv(X + eye(n))",
    "X: n x n\n(X^2)^3 = X^5",
    "Q: n x n orthogonal\ndet(Q) = 1",
    "A: 2 x 3\ndet(A*A') = 0",
    "A: n x n\nsum(exp(eigvals(A))) = exp(tr(A))",
    "X: n x n\ntril(X) + triu(X) = X",
    "x: n x 1\nlog(1 - sigmoid(x)) = softplus(x)",
]


@pytest.mark.parametrize("text", UNTRUE)
def test_near_misses_are_disproved(text):
    assert mc.prove(text).status == "disproved"


# ------------------------------------------------------------------------------------------------ whole claims

LAYERS = """W: k x p; x: p x 1; v: k x 1
r = W*x; h = sigmoid(r)
f = v'*h
"""


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("f = x'*A*x; df/dx = 2*A*x", "disproved", "only for symmetric A"),
        ("A: n x n symmetric; f = x'*A*x; df/dx = 2*A*x", "proved", ""),
        ("x'*A*x; d_x = (A + A')*x", "proved", ""),
        ("y = A*x; dy/dx = A", "proved", ""),
        ("y = A*x; dy/dx = A'", "disproved", "transpose of the right result"),
        ("X: 2 x 2\nf = tr([0, 1; 1, 0]*X); df/dX = [0, 1; 1, 0]", "proved", ""),
        (LAYERS + "dh/dr = diag(h .* (1 - h))", "proved", ""),
        (LAYERS + "dh/dx = diag(h)*W", "disproved", "missing factor 1 - h"),
        (LAYERS + "df/dW = d_r*x'", "proved", ""),
        (LAYERS + "d_r = v .* h", "disproved", "missing factor 1 - h"),
    ],
)
def test_a_function_and_a_claim_in_one_text(text, status, said):
    verdict = mc.prove(text)
    assert isinstance(verdict, mc.Verdict)
    assert verdict.status == status
    assert said in verdict.diagnosis


def test_several_claims_in_one_text_have_their_lines():
    found = mc.prove(LAYERS + "d_h = v; d_r = d_h .* h\nd_W = d_r*x'  # right, as if the line before were")
    assert [(line.number, line.verdict.status) for line in found] == [(4, "proved"), (4, "disproved"), (5, "proved")]


def test_what_undeclared_names_were_taken_for_is_said_with_the_verdict():
    assert "A: n x n" in str(mc.prove("f = x'*A*x; df/dx = 2*A*x"))
    assert "A: n x n" in str(mc.prove("f = x'*A*x; d_x = 2*A*x; d_x = (A + A')*x"))


def test_the_adjoint_of_a_value_has_a_name_in_claims():
    d = mc.derive(LAYERS, wrt=["W", "x"])
    assert d.claim("W", "d_r*x'").status == "proved"
    assert d.claim("x", "W'*d_r").status == "proved"
    assert "activation (sigmoid) is taken as 1" in d.claim("W", "d_h*x'").diagnosis
    assert "the transpose of x is missing" in d.claim("W", "d_r*x").diagnosis
    with pytest.raises(MatcalcError, match="d_z"):
        d.claim("W", "d_z*x'")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Q: n x n orthogonal; x: n x 1\nnorm2(Q*x) = norm2(x)", "orthogonal_cancels_left"),
        ("X: n x m\nsum(X) - ones(1, n)*X*ones(m, 1) = 0", "ones_times_matrix"),
        ("inv(eye(n) + U*V)*U = U*inv(eye(m) + V*U)", "push_through"),
        ("x: n x 1; y: n x 1\nlogdet(eye(n) + x*y') = log(1 + y'*x)", "logdet_of_low_rank_update"),
    ],
)
def test_a_proof_marks_the_step_that_matters(text, key):
    verdict = mc.prove(text)
    assert verdict.key is not None
    assert verdict.key.rule == key
    assert len(verdict.rules) == 1 or f"above all {key}: " in str(verdict)


HALF = "A/2 - diag(c .* exp(-u ./ (1 + diagvec(S))/2) .* u ./ (1 + diagvec(S)).^{}/2)"
HALVES = "tr(A'*S)/2 - c'*exp(-u ./ (1 + diagvec(S))/2)"
NORMAL = "-logdet(S)/2 - c'*exp(-u.^2 ./ (1 + diagvec(S))/2)"
TURN = "R*(x + [0, -w[3], w[2]; w[3], 0, -w[1]; -w[2], w[1], 0]*x)"
SPIN = "R*[0, -x[3], x[2]; x[3], 0, -x[1]; -x[2], x[1], 0]"
POINT = {"R": (3, 3), "x": (3, 1), "w": (3, 1)}
ROOTS = "sum(sqrt(1 + x.^2))/4 + a'*x/4"


@pytest.mark.parametrize(
    ("source", "name", "kind", "claim", "status", "given"),
    [
        (
            HALVES,
            "S",
            "gradient",
            "A/2 - diag(c .* exp(-u ./ (1 + diagvec(S))/2) .* u ./ (1 + diagvec(S)).^2)/2",
            "proved",
            {},
        ),
        (
            HALVES,
            "S",
            "gradient",
            "A/2 - diag(c .* exp(-u ./ (1 + diagvec(S))/2) .* u ./ (1 + diagvec(S)).^3)/2",
            "disproved",
            {},
        ),
        (
            NORMAL,
            "S",
            "gradient",
            "-inv(S)/2 - diag(c .* exp(-u.^2 ./ (1 + diagvec(S))/2) .* u.^2 ./ (1 + diagvec(S)).^2)/2",
            "proved",
            {"facts": {"S": "positive-definite"}},
        ),
        (TURN, "w", "jacobian", f"-{SPIN}", "proved", {"shapes": POINT}),
        (TURN, "w", "jacobian", SPIN, "disproved", {"shapes": POINT}),
        (ROOTS, "x", "gradient", "a/4 + x ./ sqrt(1 + x.^2)/4", "proved", {}),
        ("norm2(x'*x)", "x", "gradient", "2*x", "proved", {}),
        (ROOTS, "x", "gradient", "a/4 + x ./ sqrt(1 + x.^2)/2", "disproved", {}),
        ("sum(c ./ (1 + x.^2).^2)", "x", "gradient", "-4*c .* x .* (1 + x.^2).^(-3)", "proved", {}),
        ("log(sum(exp(A*X)))", "X", "gradient", "(exp(X'*A')*A)'/sum(exp(A*X))", "proved", {}),
        (
            "x'*softmax(W*x)",
            "x",
            "gradient",
            "softmax(x'*W')' + W'*(softmax(W*x) .* (x - x'*softmax(W*x)))",
            "proved",
            {},
        ),
    ],
)
def test_claims_of_results(source, name, kind, claim, status, given):
    verdict = mc.derive(source, wrt=name, **given).claim(name, claim, kind=kind)
    assert verdict.status == status, verdict
    check_chain(verdict)
