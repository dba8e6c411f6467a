"""Gradients where SymPy's own `diff` answers 0 or fails: the closed form is reached and the numbers are right.

Closed forms: The Matrix Cookbook (2012), sections 2 and 9, and the textbooks of machine learning.
"""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from case_support import relative_error

import matcalc as mc
from matcalc.expr import postorder
from matcalc.numeric.evaluate import evaluate
from matcalc.rewrite.measure import weight

m, n, p, q = sp.symbols("m n p q", positive=True, integer=True)
a, b, c, k = sp.symbols("a b c k")


def matrix(name: str, rows=n, cols=n) -> sp.MatrixSymbol:
    return sp.MatrixSymbol(name, rows, cols)


A, B, C, S, X = (matrix(name) for name in "ABCSX")
x, z = matrix("x", n, 1), matrix("z", n, 1)
D, U, V = matrix("D", m, n), matrix("U", m, p), matrix("V", p, n)
P, W, Y = matrix("P", m, n), matrix("W", n, p), matrix("Y", m, p)
Q, K, M, G = matrix("Q", m, p), matrix("K", n, p), matrix("M", n, q), matrix("G", m, q)
rows = sp.OneMatrix(p, 1)
exponentials = (P * W).applyfunc(sp.Lambda(a, sp.exp(a)))
Yhat = mc.softmax(P * W, axis=2)
Positive = {"S": "positive-definite"}
OneHot = {"Y": "one-hot"}
R = D - U * V

# The function, the variable, the closed form, the facts.
CASES = {
    "log det X": (sp.log(sp.det(X)), "X", "inv(X)'", {}),
    "log det S + tr(S^-1 C)": (
        sp.log(sp.det(S)) + sp.trace(S.I * C),
        "S",
        "inv(S) - inv(S)*C'*inv(S)",
        Positive,
    ),
    "matrix factorization": (
        sp.trace(R.T * R) / 2 + k * sp.trace(U.T * U) / 2,
        "U",
        "(U*V - D)*V' + k*U",
        {},
    ),
    "matrix factorization by V": (sp.trace(R.T * R) / 2 + k * sp.trace(U.T * U) / 2, "V", "U'*(U*V - D)", {}),
    "tr(X) + 1": (sp.trace(X) + 1, "X", "eye(n)", {}),
    "Rayleigh quotient": (
        sp.trace(x.T * A * x) / sp.trace(x.T * x),
        "x",
        "((A + A')*x - 2*(x'*A*x)*x/(x'*x))/(x'*x)",
        {},
    ),
    "Gaussian": (
        sp.exp(-sp.trace((x - z).T * (x - z)) / 2),
        "x",
        "exp(-norm2(x - z)^2/2)*(z - x)",
        {},
    ),
    "softmax cross-entropy by primitives": (
        -mc.total(mc.hadamard(Y, P * W))
        + mc.total(mc.hadamard(Y * rows, (exponentials * rows).applyfunc(sp.Lambda(a, sp.log(a))))),
        "W",
        "P'*(softmax(P*W, 2) - Y)",
        OneHot,
    ),
    "softmax cross-entropy by names": (
        -mc.total(mc.hadamard(Y, mc.log(Yhat))),
        "W",
        "P'*(softmax(P*W, 2) - Y)",
        OneHot,
    ),
    "sigmoid regression": (
        mc.norm2(mc.sigmoid(P * W) - Y) ** 2,
        "W",
        "2*P'*((sigmoid(P*W) - Y) .* sigmoid(P*W) .* (1 - sigmoid(P*W)))",
        {},
    ),
    "layer norm": (
        sp.trace(Y.T * mc.standardize(P * W, axis=2)),
        "W",
        "Z = standardize(P*W, 2); P'*((Y - mean(Y, 2) - mean(Y .* Z, 2) .* Z) ./ std(P*W, 2))",
        {},
    ),
    "two layers by the first weights": (
        mc.norm2(mc.tanh(P * W) * matrix("V", p, q) - G) ** 2 / 2,
        "W",
        "P'*(((tanh(P*W)*V - G)*V') .* (1 - tanh(P*W).^2))",
        {},
    ),
    "traces of Kronecker products": (
        sp.trace(sp.KroneckerProduct(A, S) * sp.KroneckerProduct(B, C)),
        "S",
        "tr(A*B)*C'",
        {},
    ),
    **{
        f"attention by {name}": (sp.trace(G.T * mc.softmax(Q * K.T / sp.sqrt(p), axis=2) * M), name, closed, {})
        for name, closed in {
            "Q": "T = softmax(Q*K'/sqrt(p), 2); E = G*M'; (T .* (E - sum(E .* T, 2)))*K/sqrt(p)",
            "K": "T = softmax(Q*K'/sqrt(p), 2); E = G*M'; (T .* (E - sum(E .* T, 2)))'*Q/sqrt(p)",
            "M": "softmax(Q*K'/sqrt(p), 2)'*G",
        }.items()
    },
}


@pytest.mark.parametrize(("source", "name", "closed", "facts"), CASES.values(), ids=list(CASES))
def test_gradient(source, name, closed, facts):
    d = mc.derive(source, wrt=name, facts=facts)
    expected, got = d.parse(closed), d.gradient(name)
    report = d.check()
    assert report.ok, str(report)
    rng = np.random.default_rng(3)
    sizes = {"m": 3, "n": 4, "p": 2, "q": 5}
    arrays = {v.params[0]: value(v, sizes, rng) for v in d.graph.declared.values()}
    assert relative_error(evaluate(got, arrays, sizes), evaluate(expected, arrays, sizes)) < 1e-10
    code = d.function("gradient")(**arrays, dims=sizes)[name]
    assert relative_error(code, evaluate(expected, arrays, sizes)) < 1e-10
    assert operations(got) <= 1.25 * operations(expected)


def operations(e: mc.Expr) -> int:
    """The operations of an expression, repeated ones counted once."""
    return sum(weight(sub) for sub in postorder((e,)))


def value(v: mc.Expr, sizes: dict[str, int], rng: np.random.Generator) -> np.ndarray:
    """A value with the facts that the functions above are given."""
    rows, cols = (int(d) if isinstance(d, int) else sizes[str(d)] for d in v.shape)
    if v.params[0] == "Y":
        return np.eye(cols)[rng.integers(0, cols, rows)]
    drawn = rng.normal(size=(rows, cols))
    return drawn @ drawn.T + np.eye(rows) if v.params[0] in ("S", "X") else drawn
