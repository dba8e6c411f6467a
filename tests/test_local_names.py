"""The local variables of generated code: names that a person would pick, without a change of what is computed."""

import ast
import re

import numpy as np
import pytest

import matcalc as mc
from matcalc.emit import schedule
from matcalc.functions import request

LSTM_GATE = (
    "x: D x 1 constant\nh0: H x 1\nWi: H x D\nUi: H x H\nbi: H x 1\nv: H x 1 constant\n"
    "i = sigmoid(Wi*x + Ui*h0 + bi)\nL = v'*(i .* i)"
)
SOURCES = {
    "attention": "Q: n x d\nK: m x d\nV: m x p\nG: n x p constant\nA = softmax(Q*K'/sqrt(d), 2)\nsum(G .* (A*V))",
    "log_softmax": "X: n x p constant\nY: n x K constant one-hot\nW: p x K\nS = X*W\nP = softmax(S, 2)\n"
    "-sum(Y .* log(P))",
    "infonce": "A: n x d\nB: n x d\nS = A*B'\n-tr(log_softmax(S, 2))/n",
    "normalised": "X: N x P constant\nG: P x Q\nC: N x Q constant\nZ = X*G\nZh = standardize(Z, 1)\nsum(C .* tanh(Zh))",
    "rayleigh": "A: n x n symmetric constant\nx: n x 1\n(x'*A*x)/(x'*x)",
    "mahalanobis": "x: n x 1\nm: n x 1\nS: n x n symmetric positive-definite constant\nsqrt((x - m)'*inv(S)*(x - m))",
    "logistic": "X: n x p constant\ny: n x 1 constant\nw: p x 1\ns = X*w\nsum(softplus(s) - y .* s)/n",
    "gate": LSTM_GATE,
}
NAMES = {
    "attention": ["g_Z"],
    "log_softmax": ["log_P"],
    "infonce": ["P"],
    "normalised": ["Z_centred", "s"],
    "rayleigh": ["Ax", "xtx"],
    "mahalanobis": ["e", "chol_S", "inv_S_e"],
    "logistic": ["terms"],
    "gate": ["z"],
}


def assigned(code):
    """The names that the first function of a module assigns, in order."""
    function = next(node for node in ast.parse(code).body if isinstance(node, ast.FunctionDef))
    stores = (node for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    return [node.id for node in sorted(stores, key=lambda node: (node.lineno, node.col_offset))]


@pytest.mark.parametrize("name", SOURCES)
def test_values_are_called_as_a_person_would(name):
    found = assigned(mc.derive(SOURCES[name]).code("value_and_grad"))
    assert set(NAMES[name]) <= set(found)


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("kind", ["value_and_grad", "hvp"])
def test_names_do_not_change_what_is_computed(name, kind, monkeypatch):
    with_names = mc.derive(SOURCES[name]).code(kind)
    monkeypatch.setattr(request, "labels", lambda _: {})
    monkeypatch.setattr(schedule, "described", lambda *_: "")
    monkeypatch.setattr(schedule, "of_operation", lambda *_: "")
    monkeypatch.setattr(schedule, "of_call", lambda _: "")
    monkeypatch.setattr(schedule, "TERMS", "")
    numbered = mc.derive(SOURCES[name]).code(kind)

    def shape_of(code):
        return [
            re.sub(r"\b[A-Za-z_]\w*\b", "x", line) for line in code.splitlines() if not line.lstrip().startswith("#")
        ]

    assert shape_of(with_names) == shape_of(numbered)


@pytest.mark.parametrize("target", ["jax", "torch", "c", "r", "octave", "stan", "cpp", "armadillo", "numba"])
def test_all_targets_have_them(target):
    text = mc.derive(SOURCES["rayleigh"]).code("value_and_grad", target=target)
    assert re.search(r"\bAx\b", text)


@pytest.mark.parametrize("taken", ["Ax", "xtx", "t1", "Ax_"])
def test_names_of_the_source_come_first(taken):
    source = f"A: n x n symmetric constant\nx: n x 1\n{taken}: n x 1 constant\n(x'*A*x)/(x'*x) + x'*{taken}"
    d = mc.derive(source, wrt="x")
    rng = np.random.default_rng(0)
    A, x, b = rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=4)
    value, grads = d.function("value_and_grad")(A=A + A.T, x=x, **{taken: b})
    q = x @ (A + A.T) @ x / (x @ x)
    assert np.isclose(value, q + x @ b)
    assert np.allclose(grads["x"], 2 * ((A + A.T) @ x - q * x) / (x @ x) + b)


def test_a_name_that_comes_later_is_kept_free():
    # `Ax` is what the product would be called, and the name of a value further down
    source = "A: n x n constant\nx: n x 1\ns = sum(exp(A*x) + (A*x).^2)\nAx = s*x\nf = Ax'*Ax"
    names = assigned(mc.derive(source).code("value_and_grad"))
    assert names.count("Ax") == 1
    assert "Ax_" not in names
    assert mc.derive(source).check().ok


def test_shared_parts_of_results_have_the_letters_of_textbooks() -> None:
    """D for a diagonal matrix and E for an exponential; the letter with a number where it is taken or several are."""
    kernel = "M: n x n symmetric constant\ny: n x 1 constant\ns: 1 x 1 positive\nlogdet(exp(-M/(2*s^2)) + eye(n))"
    assert "E = exp(-M/(2*s^2))" in str(mc.derive(kernel).hessian("s"))
    rows = "X: n x p constant\nW: p x K\nsum(logsumexp(X*W, 2))"
    assert str(mc.derive(rows).hessian("W")).startswith("D = diag(vec(softmax(X*W, 2)));")
    taken = "X: n x D constant\nW: D x K\nsum(logsumexp(X*W, 2))"
    assert str(mc.derive(taken).hessian("W")).startswith("D1 = diag(vec(softmax(X*W, 2)));")
