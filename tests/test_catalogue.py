"""The later part of the catalogue: gradients with their certificate, text that parses back, conventions."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from support import close, difference_quotient

import matcalc as mc
from matcalc import core
from matcalc.errors import MatcalcError, MissingDependencyError, NoRuleError, ParseError, ShapeError
from matcalc.expr import node
from matcalc.frontend.parser import parse
from matcalc.numeric import evaluate as evaluation
from matcalc.numeric.evaluate import evaluate
from matcalc.ops.entry_products import prod
from matcalc.printing.latex import latex
from matcalc.printing.text import text
from matcalc.properties import known

SHAPES = {
    **dict.fromkeys("ABS", ("n", "n")),
    **dict.fromkeys("XY", ("m", "n")),
    **dict.fromkeys("uv", ("n", 1)),
    "T": (5, 3),
    "W": (3, 5),
    "Z": ("p", "n"),
    "y": ("m", 1),
    "k": (1, 1),
}
FACTS = {"S": "positive-definite"}

GRADIENTS = [
    *("tr(expm(A)*B)", "sum(logm(A) .* B)", "sum(sqrtm(A) .* B)", "sum(A^k .* B)", "tr(A^(1/2))", "sum(A^-1.5 .* B)"),
    *("det(A^k)", "logdet(expm(A)*B)", "sum(frechet(expm, A, B) .* S)", "u'*expm(k*A)*v", "tr(A^70)"),
    *("sum(pinv(X) .* Y')", "sum((pinv(T)*T) .* (W*T))", "u'*eigvals(A)", "prod(eigvals(A))", "sum(log(eigvals(S)))"),
    *("eigmax(A)", "eigmin(A)*eigmax(B)", "u'*eigvecmax(A)", "u'*eigvecmin(A)", "eigmax(X'*X)", "u'*eigvecs(A)*v"),
    *("normnuc(X)", "normspec(X)", "sum(singvals(T).^3)", "sum(singvals(W))", "sum(polar(T) .* W')"),
    *("sum(chol(S) .* B)", "logdet(chol(S))", "sum(chol(A*A' + eye(n)) .* B)", "det(adj(A))"),
    *("vech(A)'*vech(B*B)", "sum(unvech(vech(A), n).^2)", "sum(tril(A)*triu(B))", "sum(cumsum(X, 1) .* Y)"),
    *("sum(cumsum(X, 2) .* cumsum(Y, 1))", "u'*cumsum(v)", "sum(outer(u, v) .* A)", "quadform(u, A)", "cossim(X, Y)"),
    *("sum(sqrt(pdist2(X, Z)))", "sum(exp(-pdist2(X, X)))", "sum(conv(u, y).^2)", "sum(convmat(y, 3).^2 *ones(3, 1))"),
    *("sum(huber(X, 0.5))", "sum(leakyrelu(X).^2)", "sum(elu(X))", "sum(selu(X))", "sum(softsign(X))"),
    *("sum(logsigmoid(X))", "sum(hardtanh(X))", "sum(logit(sigmoid(X)))", "sum(normcdf(X) .* normpdf(Y))"),
    *("sum(T[2:4, 1]) * T[1, 2]", "T[:, 2]'*T[:, 3]", "sum(W[1:2, 2:3]^2)", "u[2]*v[1]", "sum(u[2:n])"),
    *("logdet([S, u; u', 1 + u'*u])", "norm2([X; Z]*u)^2", "tr([A, B; B, A]^2)", "sum(sin([u; v; k]))"),
]  # fmt: skip


@pytest.mark.parametrize("source", GRADIENTS)
def test_gradients(source: str) -> None:
    d = mc.derive(source, shapes=_used(source), facts={k: f for k, f in FACTS.items() if k in _used(source)})
    report = d.check(trials=3)
    assert report.ok, str(report)
    for v in d.graph.free_variables():
        gradient = d.gradient(v.params[0])
        assert gradient.shape == v.shape
        assert parse(str(gradient), scope=d.graph.declared).graph.output.shape == v.shape


def _used(source: str) -> dict[str, tuple[object, object]]:
    letters = set("".join(c if c.isalnum() else " " for c in source).split())
    return {name: shape for name, shape in SHAPES.items() if name in letters}


# ------------------------------------------------------------------------------------------------ printed results


@pytest.mark.parametrize(
    ("source", "wrt", "facts", "expected"),
    [
        ("tr(expm(A))", "A", {}, "expm(A')"),
        ("tr(A^k)", "A", {}, "k*A'^(k - 1)"),
        ("det(A^k)", "A", {"A": "nonsingular"}, "k*det(A)^k*inv(A')"),
        ("det(expm(A))", "A", {}, "exp(tr(A))*eye(n)"),
        ("tr(B*expm(k*A))", "k", {}, "tr(B*A*expm(k*A))"),
        ("sum(eigvals(A))", "A", {}, "eye(n)"),
        ("eigmax(A)", "A", {"A": "symmetric"}, "eigvecmax(A)*eigvecmax(A)'"),
        ("normnuc(X)", "X", {}, "polar(X)"),
        ("tr(pinv(A)*B)", "A", {"A": "nonsingular"}, "-(inv(A)*B*inv(A))'"),
        ("sum(tril(A) .* B)", "A", {}, "tril(B)"),
        ("vech(A)'*vech(A)", "A", {}, "2*unvech(vech(A), n)"),
        ("sum(T[2:3, 1])", "T", {}, "place(ones(2, 1), 5, 3, 2, 1)"),
        ("cossim(u, v)", "u", {}, None),
        ("sum(huber(X))", "X", {}, "minimum(maximum(X, -1), 1)"),
    ],
)
def test_results(source: str, wrt: str, facts: dict[str, str], expected: str | None) -> None:
    gradient = mc.derive(source, wrt=wrt, shapes=_used(source), facts=facts).gradient(wrt)
    if expected is not None:
        assert str(gradient) == expected


def test_eigenvector_jacobian_of_a_symmetric_matrix() -> None:
    shapes = {"A": ("n", "n"), "B": ("n", "n"), "k": (1, 1)}
    d = mc.derive("eigvecmax(A + k*B)", wrt="k", shapes=shapes, facts={"A": "symmetric", "B": "symmetric"})
    assert str(d.jacobian("k")) == "pinv(eigmax(A + k*B)*eye(n) - (A + k*B))*B*eigvecmax(A + k*B)"


# ------------------------------------------------------------------------------------------------ blocks and slices

M = np.arange(1.0, 21.0).reshape(4, 5)
X45, COLUMN, ROW = core.var("X", 4, 5), core.var("c", 4, 1), core.var("r", 1, 5)
SCOPE = {"X": X45, "c": COLUMN, "r": ROW}
ARRAYS = {"X": M, "c": M[:, :1], "r": M[:1]}


@pytest.mark.parametrize(
    ("source", "value", "printed"),
    [
        ("X[2, 3]", M[1:2, 2:3], "X[2, 3]"),
        ("X[:, 2]", M[:, 1:2], "X[:, 2]"),
        ("X[2:3, :]", M[1:3], "X[2:3, :]"),
        ("X[2:, :3]", M[1:, :3], "X[2:4, 1:3]"),
        ("X[:, :]", M, "X[:, :]"),
        ("c[3]", M[2:3, :1], "c[3]"),
        ("r[2:4]", M[:1, 1:4], "r[2:4]"),
        ("r[2:]", M[:1, 1:], "r[2:5]"),
        ("X'[2, 3]", M.T[1:2, 2:3], "X'[2, 3]"),
        ("X[2, 3]'", M[1:2, 2:3], "X[2, 3]'"),
        ("X[1:2, 1:2]^2", np.linalg.matrix_power(M[:2, :2], 2), "X[1:2, 1:2]^2"),
        ("X[1:3, 2:4][2, :]", M[1:2, 1:4], "X[1:3, 2:4][2, :]"),
        ("(X + X)[1, 1]", 2 * M[:1, :1], "(X + X)[1, 1]"),
        ("[c, X]", np.hstack([M[:, :1], M]), "[c, X]"),
        ("[X; r]", np.vstack([M, M[:1]]), "[X; r]"),
        ("[1, 2; 3, 4]", np.array([[1.0, 2], [3, 4]]), "[1, 2; 3, 4]"),
        ("[X, c; r, 7]", np.block([[M, M[:, :1]], [M[:1], 7 * np.ones((1, 1))]]), "[X, c; r, 7]"),
        ("[c]", M[:, :1], "c"),
        ("[X, c]'*[c, X]", np.hstack([M, M[:, :1]]).T @ np.hstack([M[:, :1], M]), "[X, c]'*[c, X]"),
    ],
)
def test_blocks_and_slices(source: str, value: np.ndarray, printed: str) -> None:
    e = parse(source, scope=SCOPE).graph.output
    assert close(evaluate(e, {k: a for k, a in ARRAYS.items() if k in source}), value, 1e-15)
    assert text(e) == printed
    assert parse(printed, scope=SCOPE).graph.output is e
    assert latex(e).count("{") == latex(e).count("}")


def test_latex_of_blocks_and_slices() -> None:
    assert latex(parse("X[2:3, 1]", scope=SCOPE).graph.output) == r"\left[X\right]_{2:3,\, 1}"
    written = latex(parse("[X, c; r, 7]", scope=SCOPE).graph.output)
    assert written == r"\begin{bmatrix} X & c \\ r & 7 \end{bmatrix}"


def test_slices_with_symbolic_ends() -> None:
    d = mc.derive("sum(x[k:n].^2)", wrt="x", shapes={"x": ("n", 1), "z": ("k", 1)})
    gradient = d.function(kind="gradient")(x=np.arange(1.0, 6.0), z=np.ones(3))["x"]
    assert gradient.tolist() == [0, 0, 6, 8, 10]
    with pytest.raises(IndexError, match="rows 7 to 5"):
        d.function(kind="gradient")(x=np.arange(1.0, 6.0), z=np.ones(7))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("X[5, 1]", "no row 5"),
        ("X[1, 6]", "no column 6"),
        ("X[3:2, 1]", "empty"),
        ("X[2]", "two indices"),
        ("X[0, 1]", "positive"),
        ("X[1/2, 1]", "positive"),
        ("X[c, 1]", "positive"),
        ("[X, r]", "equally many rows"),
        ("[X; c]", "equally many columns"),
        ("frechet(sin, X, X)", "must be one of"),
        ("frechet(expm, X, X)", "square"),
    ],
)
def test_errors_of_blocks_and_slices(source: str, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        parse(source, scope=SCOPE)


def test_shapes_of_blocks_are_inferred() -> None:
    inferred = dict(line.split(": ") for line in parse("norm2([A; B]*x)^2 + y[2:3]'*z").inferred)
    assert inferred["A"].split(" x ")[1] == inferred["B"].split(" x ")[1] == inferred["x"].split(" x ")[0]
    assert inferred["z"] == "2 x 1"


# ------------------------------------------------------------------------------------------------ conventions


def test_eigenvalues_ascend_and_eigenvectors_have_a_sign() -> None:
    A = core.var("A", 3, 3)
    value = np.array([[2.0, 1.0, 0.0], [0.5, -3.0, 1.0], [0.0, 2.0, 1.0]])
    found = evaluate(node("eigvals", (A,)), {"A": value})[:, 0]
    assert (np.diff(found) > 0).all()
    V = evaluate(node("eigvecs", (A,)), {"A": value})
    assert close(value @ V, V * found)
    assert close((V**2).sum(axis=0), np.ones(3))
    assert (V[np.argmax(np.abs(V), axis=0), range(3)] > 0).all()
    for name, k in (("eigvecmax", -1), ("eigvecmin", 0)):
        assert close(evaluate(node(name, (A,)), {"A": value})[:, 0], V[:, k])


def test_complex_eigenvalues_have_no_value_but_a_sum_and_a_product() -> None:
    A = core.var("A", 2, 2)
    turn = {"A": np.array([[1.0, -2.0], [3.0, 1.0]])}
    values = node("eigvals", (A,))
    assert np.isnan(evaluate(values, turn)).all()
    assert evaluate(core.total(values), turn).item() == 2
    assert close(evaluate(prod(values, None), turn), np.array([[7.0]]))
    for name in ("eigmax", "eigvecmin"):
        assert np.isnan(evaluate(node(name, (A,)), turn)).all()
    for name in ("logm", "sqrtm"):
        assert np.isnan(evaluate(node(name, (A,)), {"A": np.diag([1.0, -1.0])})).any()


def test_cholesky_is_a_function_of_the_symmetric_part() -> None:
    A = core.var("A", 2, 2)
    value = np.array([[2.0, 1.0], [0.0, 3.0]])
    L = evaluate(node("chol", (A,)), {"A": value})
    assert close(L @ L.T, (value + value.T) / 2)
    assert np.isnan(evaluate(node("chol", (A,)), {"A": -value})).all()


def test_powers_with_an_exponent_that_moves() -> None:
    d = mc.derive("sum(A^k .* B)", shapes={"A": (3, 3), "B": (3, 3), "k": (1, 1)})
    f = d.function(kind="value_and_grad")
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(3, 3)) + 4 * np.eye(3), rng.normal(size=(3, 3))
    for k in (2.0, 0.5, -1.3):
        _, gradients = f(A=A, B=B, k=k)
        by_k = difference_quotient(lambda t: np.asarray(f(A=A, B=B, k=k + t)[0]))  # noqa: B023
        assert close(np.asarray(gradients["k"]), by_k, 1e-7)
    whole = f(A=-A, B=B, k=3.0)[1]["A"]  # whole exponents need no logarithm for the gradient by A
    V = rng.normal(size=(3, 3))
    assert close(np.sum(whole * V), difference_quotient(lambda t: np.asarray(f(A=-A + t * V, B=B, k=3.0)[0])), 1e-7)


def test_kinks_are_those_of_relu() -> None:
    X = core.var("X", 1, 1)
    for name, slope in (("leakyrelu", 0.01), ("elu", 1.0), ("huber", 0.0)):
        d = mc.derive(node(name, (X,)), wrt="X")
        assert evaluate(d.gradient("X"), {"X": np.zeros((1, 1))}).item() == slope


def test_duplication_and_elimination() -> None:
    S = np.array([[1.0, 2, 3], [2, 4, 5], [3, 5, 6]])
    X = core.var("X", 3, 3)
    vech = evaluate(node("vech", (X,)), {"X": S})
    assert vech[:, 0].tolist() == [1, 2, 3, 4, 5, 6]
    assert (evaluate(node("dup", (), (3,)), {}) @ vech == S.reshape(-1, 1, order="F")).all()
    assert (evaluate(node("elim", (), (3,)), {}) @ S.reshape(-1, 1, order="F") == vech).all()
    assert (evaluate(node("unvech", (node("vech", (X,)),), (3,)), {"X": S}) == np.tril(S)).all()


def test_convolution_is_numpys() -> None:
    x, w = core.var("x", 4, 1), core.var("w", 3, 1)
    a, b = np.arange(1.0, 5.0), np.array([2.0, -1.0, 0.5])
    found = evaluate(node("conv", (x, w)), {"x": a, "w": b})
    assert close(found[:, 0], np.convolve(a, b))
    assert close(evaluate(node("convmat", (w,), (4,)) @ x, {"x": a, "w": b}), found)


def test_facts() -> None:
    S = core.var("S", "n", "n", ["symmetric"])
    assert known(node("expm", (S,)), "positive-definite")
    assert known(node("eigvecs", (S,)), "orthogonal")
    assert known(node("expm", (core.var("K", "n", "n", ["skew"]),)), "orthogonal")
    assert not known(node("eigvecs", (core.var("A", "n", "n"),)), "orthogonal")
    assert not known(node("pinv", (core.var("L", "n", "n", ["lower"]),)), "lower")


# ------------------------------------------------------------------------------------------------ refusals


def test_refusals() -> None:
    X, A = core.var("X", "m", "n"), core.var("A", "n", "n")
    with pytest.raises(ShapeError, match="smaller dimension"):
        node("singvals", (X,))
    with pytest.raises(NoRuleError, match="larger"):
        mc.derive(core.total(node("polar", (X,))), wrt="X").hessian("X")
    with pytest.raises(MatcalcError, match="one of expm"):
        node("frechet", (A, A), ("sinm",))
    with pytest.raises(MatcalcError, match="positive"):
        node("huber", (X,), (sp.Integer(-1),))
    for name in ("expm", "eigvals", "chol", "vech", "eigmax"):
        with pytest.raises(ShapeError, match="square"):
            node(name, (X,))


def test_scipy_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation.helpers, "special", None)
    evaluation._compiled.cache_clear()
    A = core.var("A", 2, 2)
    for e in (node("sqrtm", (A,)), node("matpow", (A, core.number(0.5))), node("frechetpowform", (A, core.number(2)))):
        with pytest.raises(MissingDependencyError, match="SciPy"):
            evaluate(e, {"A": np.eye(2)})
    evaluation._compiled.cache_clear()
