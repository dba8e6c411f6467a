"""The two networks of the design by all doors, in the forms of the textbook; deep networks; a real worked example."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from case_support import relative_error

import matcalc as mc
from matcalc.expr import postorder
from matcalc.numeric.evaluate import evaluate
from matcalc.printing.text import text

# ------------------------------------------------------------------------------------------------ one hidden layer

HEAD = "x: 1 x D\nW1: D x H\nb1: 1 x H\nW2: H x C\nb2: 1 x C\ny: 1 x C {facts}\n"
BODY = "r = x*W1 + b1\nh = sigmoid(r)\ntheta = h*W2 + b2\nyhat = softmax(theta, 2)\nJ = -sum(y .* log(yhat))\n"
ROWS = HEAD.replace("x: 1", "x: N").replace("y: 1", "y: N")
PARAMETERS = ["x", "W1", "b1", "W2", "b2"]


def by_text() -> mc.Derivation:
    return mc.derive((HEAD + BODY).format(facts="row-stochastic"), wrt=PARAMETERS)


def symbols() -> list[sp.MatrixSymbol]:
    D, H, C = sp.symbols("D H C")
    shapes = {"x": (1, D), "W1": (D, H), "b1": (1, H), "W2": (H, C), "b2": (1, C), "y": (1, C)}
    return [sp.MatrixSymbol(name, *shape) for name, shape in shapes.items()]


def by_graph() -> mc.Derivation:
    x, W1, b1, W2, b2, y = symbols()
    graph = mc.Graph()
    r = graph.define("r", x * W1 + b1)
    h = graph.define("h", mc.sigmoid(r))
    theta = graph.define("theta", h * W2 + b2)
    yhat = graph.define("yhat", mc.softmax(theta, axis=2))
    graph.define("J", -mc.total(mc.hadamard(y, mc.log(yhat))))
    return mc.derive(graph, wrt=PARAMETERS, facts={"y": "row-stochastic"})


def by_matcalc() -> mc.Derivation:
    x, W1, b1, W2, b2 = (
        mc.var(name, *shape) for name, shape in zip(PARAMETERS, ((1, "D"), ("D", "H"), (1, "H"), ("H", "C"), (1, "C")))
    )
    y = mc.var("y", 1, "C", ["row-stochastic"])
    graph = mc.Graph()
    r = graph.define("r", x @ W1 + b1)
    h = graph.define("h", mc.sigmoid(r))
    theta = graph.define("theta", h @ W2 + b2)
    yhat = graph.define("yhat", mc.softmax(theta, axis=2))
    graph.define("J", -mc.total(mc.hadamard(y, mc.log(yhat))))
    return mc.derive(graph, wrt=PARAMETERS)


def by_unnamed_sympy() -> mc.Derivation:
    x, W1, b1, W2, b2, y = symbols()
    yhat = mc.softmax(mc.sigmoid(x * W1 + b1) * W2 + b2, axis=2)
    return mc.derive(-mc.total(mc.hadamard(y, mc.log(yhat))), wrt=PARAMETERS, facts={"y": "row-stochastic"})


ADJOINTS = {
    "theta": "yhat - y",
    "h": "g_theta*W2'",
    "r": "g_h .* h .* (1 - h)",
    "x": "g_r*W1'",
    "W1": "x'*g_r",
    "b1": "g_r",
    "W2": "h'*g_theta",
    "b2": "g_theta",
}
GRADIENTS = {
    "x": "(((yhat - y)*W2') .* h .* (1 - h))*W1'",
    "W1": "x'*(((yhat - y)*W2') .* h .* (1 - h))",
    "b1": "((yhat - y)*W2') .* h .* (1 - h)",
    "W2": "h'*(yhat - y)",
    "b2": "yhat - y",
}


@pytest.mark.parametrize("door", [by_text, by_graph, by_matcalc])
def test_one_hidden_layer_has_the_textbook_form(door):
    d = door()
    assert {name: text(d.adjoint(name).value) for name in ADJOINTS} == ADJOINTS
    assert {name: str(g) for name, g in d.gradients.items()} == GRADIENTS
    assert d.facts_used == [("y", "row-stochastic")]
    assert d.check().ok


def point(d: mc.Derivation, seed: int = 0, **sizes: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    arrays = {}
    for name, v in d.graph.declared.items():
        shape = [sizes[str(n)] if not isinstance(n, int) else n for n in v.shape]
        arrays[name] = rng.dirichlet(np.ones(shape[1]), shape[0]) if name == "y" else rng.normal(size=shape)
    return arrays


def test_one_hidden_layer_without_names_is_the_same_function():
    named, unnamed = by_text(), by_unnamed_sympy()
    arrays = point(named, D=3, H=4, C=5)
    expected = named.function("value_and_grad")(**arrays)
    value, gradients = unnamed.function("value_and_grad")(**arrays)
    assert relative_error(value, expected[0]) < 1e-12
    for name in PARAMETERS:
        assert relative_error(gradients[name], expected[1][name]) < 1e-12
        assert relative_error(evaluate(unnamed.gradient(name), arrays), expected[1][name]) < 1e-12
    assert "softmax" in str(unnamed.gradient("b2"))
    assert unnamed.check().ok


def test_with_rows_the_biases_get_column_sums():
    d = mc.derive((ROWS + BODY).format(facts="one-hot"), wrt=PARAMETERS)
    rows = {**ADJOINTS, "b1": "sum(g_r, 1)", "b2": "sum(g_theta, 1)"}
    assert {name: text(d.adjoint(name).value) for name in rows} == rows
    assert str(d.gradient("b2")) == "sum(yhat - y, 1)"
    assert d.check().ok


def test_without_the_fact_the_row_sums_stay_and_the_fact_is_wished_for():
    d = mc.derive((HEAD + BODY).format(facts=""), wrt=PARAMETERS)
    assert text(d.adjoint("theta").value) == "sum(y)*yhat - y"
    assert d.facts_used == []
    assert ("y", "row-stochastic") in d.facts_wished
    rows = mc.derive((ROWS + BODY).format(facts=""), wrt=PARAMETERS)
    assert text(rows.adjoint("theta").value) == "sum(y, 2) .* yhat - y"
    assert ("y", "row-stochastic") in rows.facts_wished
    assert d.check().ok
    assert rows.check().ok


@pytest.mark.parametrize("loss", ["-sum(y .* log_softmax(theta, 2))", "cross_entropy(y, softmax(theta, 2))"])
def test_other_names_of_the_loss_give_the_same_adjoint(loss):
    source = (ROWS + BODY).format(facts="one-hot").split("yhat")[0] + f"J = {loss}"
    d = mc.derive(source, wrt=PARAMETERS)
    assert text(d.adjoint("theta").value) == "softmax(theta, 2) - y"
    assert d.check().ok


# ------------------------------------------------------------------------------------------------ batch normalisation

DECLARED = "X: N x P constant\nG1: P x Q\ngamma: 1 x Q\nbeta: 1 x Q\nG2: Q x 1\ny: N x 1 constant\nZ = X*G1\n"
REST = "B = gamma .* Zh + beta\nV = {activation}(B)\ne = y - V*G2\nR = {loss}\n"
NORMALIZED = {
    0: {
        "standardize": "Zh = standardize(Z, 1)\n",
        "std": "mu = mean(Z, 1)\ns = std(Z, 1)\nZh = (Z - mu) ./ s\n",
        "var": "Zh = (Z - mean(Z, 1)) ./ sqrt(var(Z, 1))\n",
        "sums": "m = sum(Z, 1)/N\ns = sqrt(sum((Z - m).^2, 1)/N)\nZh = (Z - m) ./ s\n",
    },
    1: {
        "standardize": "Zh = standardize(Z, 1, 1)\n",
        "std": "s = std(Z, 1, 1)\nZh = (Z - mean(Z, 1)) ./ s\n",
        "sums": "m = mean(Z, 1)\ns = sqrt(sum((Z - m).^2, 1)/(N - 1))\nZh = (Z - m) ./ s\n",
    },
}
LOSSES = {"sum": "sum(e.^2)", "mean": "sum(e.^2)/N"}
WEIGHTS = {"Gamma1": "G1", "gamma": "gamma", "beta": "beta", "Gamma2": "G2"}


def batch_norm(ddof: int, how: str, loss: str, activation: str = "sigmoid") -> mc.Derivation:
    source = DECLARED + NORMALIZED[ddof][how] + REST.format(activation=activation, loss=LOSSES[loss])
    return mc.derive(source, wrt=list(WEIGHTS.values()))


@pytest.mark.parametrize(("ddof", "mean"), [(0, "mean(g_Zh .* Zh, 1) .* Zh"), (1, "sum(g_Zh .* Zh, 1) .* Zh/(N - 1)")])
def test_batch_normalization_has_the_compact_form(ddof, mean):
    d = batch_norm(ddof, "standardize", "mean")
    scale = "std(Z, 1)" if ddof == 0 else "std(Z, 1, 1)"
    expected = {
        "e": "2*e/N",
        "V": "-g_e*G2'",
        "B": "g_V .* V .* (1 - V)",
        "Zh": "g_B .* gamma",
        "Z": f"(g_Zh - mean(g_Zh, 1) - {mean}) ./ {scale}",
        "G2": "-V'*g_e",
        "beta": "sum(g_B, 1)",
        "gamma": "sum(g_B .* Zh, 1)",
        "G1": "X'*g_Z",
    }
    assert {name: text(d.adjoint(name).value) for name in expected} == expected
    assert d.check().ok


def example_data() -> dict:
    return json.loads((Path(__file__).parent / "data" / "batchnorm.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("ddof", "how"), [(ddof, how) for ddof, ways in NORMALIZED.items() for how in ways])
def test_batch_normalization_on_the_data(ddof, how, loss):
    data = example_data()
    reference = data["reference"][f"ddof{ddof}_{loss}"]
    given = {ours: np.array(data[theirs]) for theirs, ours in {**WEIGHTS, "X": "X", "y": "y"}.items()}
    value, gradients = batch_norm(ddof, how, loss, "relu").function("value_and_grad")(**given)
    assert relative_error(value, reference["R"]) < 1e-10
    for theirs, ours in WEIGHTS.items():
        assert relative_error(gradients[ours], reference[theirs]) < 1e-10


# ------------------------------------------------------------------------------------------------ deep networks

DEPTH = 1000


def layers(depth: int) -> str:
    """A network as text: W1, b1, ..., each layer two definitions."""
    lines = ["x: 1 x n", *(f"W{k}: n x n\nb{k}: 1 x n" for k in range(1, depth + 1)), "h0 = x"]
    lines += [f"r{k} = h{k - 1}*W{k} + b{k}\nh{k} = tanh(r{k})" for k in range(1, depth + 1)]
    return "\n".join([*lines, f"J = sum(h{depth}.^2)/2"])


def residual(depth: int) -> sp.Expr:
    """An unnamed SymPy expression: h + tanh(h W), again and again."""
    n = sp.Symbol("n")
    h = sp.MatrixSymbol("x", 1, n)
    for k in range(1, depth + 1):
        h = h + mc.tanh(h * sp.MatrixSymbol(f"W{k}", n, n))
    return mc.total(mc.hadamard(h, h))


def test_a_thousand_layers_derive_and_print_their_code():
    counts = {}
    for depth in (DEPTH // 4, DEPTH):
        d = mc.derive(layers(depth))
        source = d.code()
        compile(source, "<matcalc>", "exec")
        adjoints = [made.value for made in d.reverse.adjoints.values()]
        counts[depth] = (sum(1 for _ in postorder(adjoints)), len(source), len(d.steps))
        assert text(d.adjoint("W7").value) == "h6'*g_r7"
        assert text(d.adjoint("r7").value) == "g_h7 .* (1 - h7.^2)"
        assert text(d.adjoint("h7").value) == "g_r8*W8'"
    for few, many in zip(counts[DEPTH // 4], counts[DEPTH]):
        assert many <= 4.2 * few + 100  # linear in the depth


def test_a_deep_network_computes_what_differences_say():
    d = mc.derive(layers(30), wrt=["W3", "b17", "x"])
    assert d.check(trials=2).ok


def test_unnamed_residual_layers_in_sympy():
    """SymPy flattens each sum h + tanh(h W): the input grows with the square of the depth, the result no faster."""
    d = mc.derive(residual(64))
    assert len(d.names) == 65
    assert len(d.code()) < 100_000
    assert mc.derive(residual(6), wrt=["x", "W1", "W6"]).check(trials=2).ok
    assert mc.derive(residual(30), wrt=["x", "W1", "W30"]).check(trials=1).ok
