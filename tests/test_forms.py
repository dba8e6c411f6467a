"""Results are written as a person would write them: cancelled, gathered, functions by their names.

Each pair is a source and the form of its gradient (up to the order of terms); the derivative is checked too.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

import matcalc as mc
from matcalc import core
from matcalc.calculus.names import is_local
from matcalc.expr import Expr, postorder
from matcalc.walk import rebuild

SHAPES = {
    **dict.fromkeys("ABS", ("n", "n")),
    **dict.fromkeys("XY", ("n", "d")),
    **dict.fromkeys("xyz", ("n", 1)),
    "w": ("d", 1),
    "c": (1, 1),
    "U": ("n", "k"),
    "V": ("k", "n"),
}

CANCELLED = [
    ("sum((X - mean(X, 1)).^2)", "X", "2*(X - mean(X, 1))"),
    ("norm2((eye(n) - ones(n, n)/n)*x)^2", "x", "2*(x - mean(x))"),
    ("tr(A*S) + tr(S*A)", "A", "2*S'"),
    ("tr(A*B)*x'*x + tr(B*A)*x'*x", "x", "4*tr(B*A)*x"),
    ("logdet(A) + logdet(B*A)", "A", "2*inv(A')"),
    ("x'*A*x/(x'*x)", "x", "((A + A')*x - 2*(x'*A*x)*x/(x'*x))/(x'*x)"),
    ("exp(-norm2(x - y)^2/c)*x'*y", "x", "exp(-norm2(x - y)^2/c)*(y + 2*(x'*y)*(y - x)/c)"),
    ("sum(log(1 + exp(X*w)) - y .* (X*w))", "w", "X'*(sigmoid(X*w) - y)"),
    ("tr(A*inv(A + B))", "B", "-(inv(A + B)*A*inv(A + B))'"),
    ("tr(inv(A)*inv(B))", "A", "-inv(A*B*A)'"),
]
SPELLED = [
    ("log(sum(exp(x)))", "x", "softmax(x)"),
    ("sum(Y .* log(exp(X) ./ sum(exp(X), 2)))", "X", "Y - sum(Y, 2) .* softmax(X, 2)"),
    ("sum(Y .* (X - log(sum(exp(X), 2))))", "X", "Y - sum(Y, 2) .* softmax(X, 2)"),
    ("max(x) + log(sum(exp(x - max(x))))", "x", "softmax(x)"),
    ("y'*log(exp(x - max(x))/sum(exp(x - max(x))))", "x", "y - sum(y)*softmax(x)"),
    ("sum((exp(x) - exp(-x)) ./ (exp(x) + exp(-x)))", "x", "1 - tanh(x).^2"),
    ("sum((exp(2*x) - 1) ./ (exp(2*x) + 1))", "x", "1 - tanh(x).^2"),
    ("sum(log(1 + exp(x)))", "x", "sigmoid(x)"),
    ("-sum(y .* log(1 ./ (1 + exp(-X*w))) + (1 - y) .* log(1 - 1 ./ (1 + exp(-X*w))))", "w", "X'*(sigmoid(X*w) - y)"),
    ("sum(exp(x) ./ (1 + exp(x)))", "x", "sigmoid(x) .* (1 - sigmoid(x))"),
]


def derived(source: str, name: str) -> mc.Derivation:
    """The derivation with the shapes of the names that occur."""
    return mc.derive(source, wrt=name, shapes={k: s for k, s in SHAPES.items() if re.search(rf"\b{k}\b", source)})


@pytest.mark.parametrize(("source", "name", "form"), CANCELLED + SPELLED, ids=[s for s, _, _ in CANCELLED + SPELLED])
def test_gradient_is_written_so(source, name, form):
    d = derived(source, name)
    assert d.check(trials=2).ok
    wanted = d.parse(form)
    simplified = d.rewriter.normal(d.gradient(name)).digest
    assert simplified == d.rewriter.normal(wanted).digest, str(d.gradient(name))
    assert d.rewriter.cost(d.gradient(name)) <= d.rewriter.cost(wanted) + 1


def test_a_softmax_in_named_parts_is_folded_back():
    d = mc.derive(
        "E = exp(X*W)\ns = sum(E, 2)\nP = E ./ s\nJ = -sum(Y .* log(P))",
        wrt=["W", "E", "s"],
        shapes={"X": ("n", "d"), "W": ("d", "c"), "Y": ("n", "c")},
        facts={"Y": "one-hot"},
    )
    assert str(d.gradient("W")) == "X'*(P - Y)"
    assert str(d.gradient("s")) == "1 ./ s"
    assert d.check(trials=2).ok


def test_a_softmax_in_named_parts_does_not_overflow():
    d = mc.derive("E = exp(X)\ns = sum(E, 2)\nP = E ./ s\nJ = -sum(Y .* log(P))", wrt="X", facts={"Y": "one-hot"})
    assert str(d.gradient("X")) == "P - Y"
    value, gradient = d.function()(X=np.array([[1e4, 0.0]]), Y=np.array([[0.0, 1.0]]))
    assert value == 1e4
    np.testing.assert_allclose(gradient["X"], [[1.0, -1.0]])


def test_what_was_recognised_is_a_step_and_the_source_stays():
    d = mc.derive("P = exp(X) ./ sum(exp(X), 2)\nJ = sum(Y .* log(P))", wrt="X")
    assert [s.rule for s in d.recognised] == ["exponentials_over_their_sum"]
    assert d.recognised[0] in d.steps
    assert [e.op for e in postorder((d.source.output,)) if e.op in ("exp", "softmax")] == ["exp"]
    assert "exp(" not in str(d.graph.definitions["P"].args[0])


def test_a_recognised_function_does_not_overflow():
    f = mc.derive("log(sum(exp(x)))", wrt="x", shapes={"x": ("n", 1)}).function()
    value, gradient = f(x=[1e4, 1e4])
    assert value == pytest.approx(1e4 + 0.6931471805599453)
    assert gradient["x"] == pytest.approx([0.5, 0.5])


# ------------------------------------------------------------------------------------------------ confluence

SHUFFLED = [
    ("tr(X'*A*X) + x'*A*x + norm2(X*w - y)^2", "X"),
    ("sum((X*w - y).^2 .* z) + c*w'*w", "w"),
    ("-sum(y .* log(sigmoid(X*w)) + (1 - y) .* log(1 - sigmoid(X*w)))", "w"),
    ("logdet(A*A' + B) + tr(inv(A*A' + B)*S)", "A"),
    ("x'*A*x/(x'*B*x) + y'*x", "x"),
    ("sum(softmax(X, 2) .* Y) - sum(X .* Y)/n", "X"),
    ("norm2(A*x + y)*norm2(x - z) + sum(exp(x .* y))", "x"),
]


def shuffled(e: Expr, rng) -> Expr:
    """An equal expression: terms and factors in another order, scalars and traces turned round."""
    done: dict[Expr, Expr] = {}
    for sub in postorder((e,)):
        args = [done[a] for a in sub.args]
        if sub.op in ("add", "hadamard"):
            rng.shuffle(args)
        elif sub.op == "tr" and args[0].op == "matmul":
            k = int(rng.integers(len(args[0].args)))
            args = [core.matmul(*args[0].args[k:], *args[0].args[:k])]
        new = rebuild(sub, tuple(args)) if args else sub
        if new.op == "matmul" and new.is_scalar and rng.random() < 0.5:
            new = core.matmul(*(core.transpose(f) for f in reversed(new.args)))
        elif new.op == "add" and not new.is_scalar and rng.random() < 0.5:
            new = core.transpose(core.add(*map(core.transpose, new.args)))
        done[sub] = new
    return done[e]


@pytest.mark.parametrize(("source", "name"), SHUFFLED)
def test_shuffled_sources_reach_one_form(source, name):
    d = derived(source, name)
    form = d.rewriter.simplify(_without_locals(d.gradient(name)))
    for seed in range(6):
        e = shuffled(d.graph.output, np.random.default_rng(seed))
        other = mc.derive(mc.Graph.of(e), wrt=name)
        got = other.rewriter.simplify(_without_locals(other.gradient(name)))
        assert got.digest == form.digest, f"{e}: {got}, not {form}"


def _without_locals(e: Expr) -> Expr:
    done: dict[Expr, Expr] = {}
    for sub in postorder((e,)):
        args = tuple(done[a] for a in sub.args)
        done[sub] = args[0] if is_local(sub) else rebuild(sub, args) if args else sub
    return done[e]


@pytest.mark.parametrize(
    "loss",
    [
        "-y'*log(p) - (1 - y)'*log(1 - p)",
        "-sum(y.*log(p) + (1 - y).*log(1 - p))",
        "-sum(y.*log(p) + (1 - y).*log1p(-p))",
    ],
)
def test_the_gradient_of_a_binary_cross_entropy(loss):
    d = mc.derive(f"X: n x k\ny: n x 1\nw: k x 1\np = sigmoid(X*w)\n{loss}", wrt="w")
    assert str(d.gradient()) == "X'*(p - y)"
    assert str(d.hessian()) == "X'*diag(p .* (1 - p))*X"
    assert d.check().ok
    assert all("sum 0" not in str(step.before) + str(step.after) for step in d.steps)


@pytest.mark.parametrize("source", ["sum(sqrt(tril(K).^2), 1)*x", "x'*tril(log(K))*x"])
def test_what_a_triangle_leaves_out_does_not_count(source):
    d = mc.derive(source, wrt="K", shapes={"K": ("n", "n"), "x": ("n", 1)})
    with np.errstate(divide="ignore", invalid="ignore"):
        gradient = d.function("gradient")(K=np.array([[1.0, 0.0], [3.0, 4.0]]), x=np.array([1.0, 2.0]))
    assert np.isfinite(gradient["K"]).all()
    assert gradient["K"][0, 1] == 0
