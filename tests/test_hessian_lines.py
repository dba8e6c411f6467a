"""Every differential, block and sum on the page of a Hessian against forward accumulation and the Hessian on vec."""

from functools import partial

import numpy as np
import pytest

import matcalc as mc
from matcalc.calculus.forward import forward
from matcalc.calculus.jacobian import hessian_by
from matcalc.core import var
from matcalc.expr import postorder
from matcalc.languages import language
from matcalc.naming import Names
from matcalc.numeric.evaluate import evaluate
from matcalc.properties import names_of
from matcalc.views import second
from matcalc.views.blocks import Matrices
from matcalc.views.directions import Directions
from matcalc.views.lesson_page import LessonWriter
from matcalc.views.named import with_names
from matcalc.views.page import TEXT
from matcalc.views.view import Pages

SIZES = {"n": 4, "m": 5, "p": 3, "q": 2, "k": 2, "h": 3, "d": 2, "K": 3}
SOURCES = {
    "Rayleigh": "A: n x n symmetric constant\nx: n x 1\nf = (x'*A*x)/(x'*x)",
    "generalised Rayleigh": (
        "A: n x n symmetric constant\nB: n x n symmetric positive-definite constant\nx: n x 1\nf = (x'*A*x)/(x'*B*x)"
    ),
    "batch norm": "C: n x q constant\nZ: n x q\nf = sum(C .* standardize(Z, 1))",
    "batch norm of a product": "X: n x p constant\nC: n x q constant\nW: p x q\nf = sum(C .* standardize(X*W, 1))",
    "layer norm of rows": "X: n x p constant\nC: n x q constant\nW: p x q\nZ = X*W\nf = sum(C .* standardize(Z, 2))",
    "layer norm": "c: n x 1 constant\nx: n x 1\nz = standardize(x)\nf = c'*z",
    "layer norm by hand": "c: n x 1 constant\nx: n x 1\nm = mean(x)\ns = std(x)\nz = (x - m)/s\nf = c'*z",
    "attention": (
        "Q: n x d\nK: m x d\nV: m x p constant\nG: n x p constant\nA = softmax(Q*K'/sqrt(d), 2)\nf = sum(G .* (A*V))"
    ),
    "attention of squares": "Q: n x n\nK: n x n\nG: n x n constant\nA = softmax(Q*K', 2)\nf = sum(G .* A)",
    "network": (
        "X: n x p constant\nY: n x K constant one-hot\nW1: p x h\nW2: h x K\nB = tanh(X*W1)\nP = softmax(B*W2, 2)\n"
        "f = -sum(Y .* log(P))/n"
    ),
    "gates": "x: p x 1 constant\nW: h x p\nU: h x p\nc: h x 1\na = sigmoid(W*x)\nf = sum(a .* tanh(U*x) .* tanh(c).^2)",
    "layers of tanh": (
        "x: p x 1 constant\ny: k x 1 constant\nW: h x p\nV: k x h constant\nz = W*x\na = tanh(z)\n"
        "u = V*a\nb = tanh(u)\nf = norm2(b - y)^2/2"
    ),
    "cosine": "x: n x 1\ny: n x 1 constant\nf = x'*y/(norm2(x)*norm2(y))",
    "zero": "x: n x 1\nA: n x m\ny: m x 1 constant\nf = x'*A*y",
    "columns": "X: n x p constant\nW: p x K\nS = softmax(X*W, 1)\nG: n x K constant\nf = sum(G .* S)",
}


class Page:
    """The parts of a page of Hessians, and values."""

    def __init__(self, source):
        self.d = with_names(mc.derive(source))
        self.writer = LessonWriter(Pages(self.d, TEXT, language("en"), "denominator"))
        self.shown = second.Shown(Names(second._taken(self.d)))
        self.random = np.random.default_rng(3)
        self.given = {v.name: self.sample(v) for v in self.d.graph.declared.values()}
        self.sizes = {name: n for name, n in SIZES.items() if name not in self.given}

    def sample(self, v):
        shape = [SIZES[str(s)] if not isinstance(s, int) else s for s in v.shape]
        facts, X = names_of(v.params[3]), self.random.normal(size=shape)
        if "one-hot" in facts:
            return np.eye(shape[1])[self.random.integers(0, shape[1], shape[0])]
        return X @ X.T + np.eye(len(X)) if {"symmetric", "positive-definite"} & set(facts) else X

    def value(self, e, more=()):
        return np.atleast_2d(np.asarray(evaluate(e, {**self.given, **dict(more)}, self.sizes), float))

    def parts(self, e):
        gradient, adjoints = second._free_gradient(self.writer, e)
        for value in postorder((gradient,)):
            self.writer.symbol_for(value)
        symbols = self.writer.way.symbols
        made = Directions(self.d, gradient, e, symbols, adjoints, self.shown.names, self.shown.factors)
        return made, Matrices(made, gradient, partial(second._PieceNames, self.writer))


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-9 * (1 + np.abs(b).max()))


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_lines_and_matrices(source):
    page = Page(source)
    for e in page.d.wrt:
        made, matrices = page.parts(e)
        H = page.value(hessian_by(page.d, e.name).value)
        close(np.broadcast_to(page.value(matrices.whole()), H.shape), H)
        differentials(page, made, e)
        for along in (1, 2):
            if not e.is_scalar and e.shape[1] != 1:
                pieces(page, matrices.by_piece(along), e, H)
                sums(page, matrices.as_sum(along), along, H)


def differentials(page, made, e):
    direction = var("direction", *e.shape)
    given = {"direction": page.random.normal(size=page.value(e).shape)}
    tangents = {made.symbols[e].name: given["direction"]}
    for v in made.order:
        along = forward(v, {e: direction}, page.d.rewriter, Names([]))
        tangents[made.symbols[v].name] = page.value(along, given)
    for v in made.order:
        forms = [made.local(v), *([made.total(v), made.shortened(v)] if v in made.adjoints else [])]
        for form in forms:
            close(page.value(form, tangents), tangents[made.symbols[v].name])


def piece(X, k, along):
    return X[:, [k]] if along == 1 else X[[k], :].T


def pieces(page, found, e, H):
    if found is None:
        return
    rows, columns = page.value(e).shape
    whole = np.zeros_like(H)
    for k in range(columns if found.along == 1 else rows):
        given = {name.name: piece(page.value(X), k, axis) for (X, axis), name in found.pieces.items()}
        where = [i + rows * k for i in range(rows)] if found.along == 1 else [k + rows * j for j in range(columns)]
        whole[np.ix_(where, where)] = page.value(found.block, given)
    close(whole, H)


def sums(page, found, along, H):
    if found is None:
        return
    count = page.value(next(iter(found.rows))).shape[0 if along == 2 else 1]
    given = [{name.name: piece(page.value(X), k, along) for X, name in found.rows.items()} for k in range(count)]
    close(page.value(found.factor) * sum(page.value(found.term, g) for g in given), H)


TEXTBOOK = [
    ("Rayleigh", "x", "d2f/dx2 = 2*(A - f*eye(n) - g_x*x' - x*g_x')/(x'*x)"),
    ("attention", "Q", "d2f/dq_i2 = K'*(diag(g_z_i) - g_z_i*a_i' - a_i*g_z_i')*K/d"),
    ("attention", "K", "sum_i kron(q_i*q_i', diag(g_z_i) - g_z_i*a_i' - a_i*g_z_i')/d"),
    ("attention", "Q", "dg_Z = (g_A - sum(g_A .* A, 2)) .* dA - A .* sum(g_A .* dA, 2)"),
    ("attention", "Q", "= g_Z .* (dZ - sum(A .* dZ, 2)) - A .* sum(g_Z .* dZ, 2)"),
    ("gates", "W", "kron(x*x', diag(g_a .* (1 - 2*a) .* a .* (1 - a)))"),
    ("layers of tanh", "W", "dg_z = (1 - a.^2) .* dg_a - 2*a .* g_a .* da"),
    ("layers of tanh", "W", "diag(1 - a.^2)*V'*diag(q_u)*V*diag(1 - a.^2)"),
    ("layer norm", "x", "dg_x = (-mean(c .* dz)*z - mean(c .* z)*dz - ds*g_x)/s"),
    ("layer norm by hand", "x", "g_m*(-z*ones(1, n) - ones(n, 1)*z')/n^2"),
]


@pytest.mark.parametrize(("name", "by", "line"), TEXTBOOK)
def test_lines_of_a_textbook(name, by, line):
    text = mc.derive(SOURCES[name]).text(hessian=True)
    assert line in text.partition(f"Hessian by {by}")[2], text


def test_rows_that_do_not_mix_are_said_to_be_apart():
    text = mc.derive(SOURCES["batch norm"]).text(hessian=True)
    assert "the columns j of Z, s, Zh, C and g_Z" in text
    assert "by entries of different columns the second derivatives are 0" in " ".join(text.split())
    assert max(map(len, text.partition("As Jacobians")[0].splitlines())) <= 112


@pytest.mark.parametrize(("code", "said"), [("es", "Matriz hessiana respecto de Q"), ("hi", "Q के सापेक्ष")])
def test_the_page_is_in_its_language(code, said):
    text = mc.derive(SOURCES["attention"]).text(hessian=True, language=code)
    assert said in text
    assert not any(word in text for word in ("Hessian by", "are the rows", "second derivatives"))
