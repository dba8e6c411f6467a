"""The SymPy door: every operation there and back, graphs as users write them, big graphs, and refusals."""

from __future__ import annotations

import pickle
import time
from typing import Any

import numpy as np
import pytest
import sympy as sp
from support import OPERATIONS, example
from sympy.matrices.expressions.hadamard import HadamardPower
from sympy.stats.rv import RandomMatrixSymbol

import matcalc as mc
from matcalc import core
from matcalc.api.operations import _has_function, public, public_names
from matcalc.expr import REGISTRY, Expr, node
from matcalc.frontend.from_sympy import READERS, _known
from matcalc.frontend.sympy_bridge import from_sympy, to_sympy
from matcalc.numeric.evaluate import evaluate
from matcalc.walk import variables

n, p, q = sp.symbols("n p q")
A, B = sp.MatrixSymbol("A", n, n), sp.MatrixSymbol("B", n, n)
X, w = sp.MatrixSymbol("X", n, p), sp.MatrixSymbol("w", p, 1)
x, y = sp.MatrixSymbol("x", n, 1), sp.MatrixSymbol("y", n, 1)
t, a = sp.symbols("t a")
i, j, k = sp.symbols("i j k")
RNG = np.random.default_rng(7)
SIZES = {"n": 4, "p": 3}
VALUES = {
    name: RNG.uniform(0.2, 2.0, shape)
    for name, shape in {"A": (4, 4), "B": (4, 4), "X": (4, 3), "w": (3, 1), "x": (4, 1), "y": (4, 1)}.items()
}


def there_and_back(e: Expr, **names: Expr) -> Expr:
    return from_sympy(to_sympy(e), names=names)


def value(e: Expr) -> Any:
    used = {v.params[0] for v in variables([e])}
    return evaluate(e, {name: v for name, v in VALUES.items() if name in used}, SIZES)


# ------------------------------------------------------------------------------------------------ there and back


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_there_and_back(name: str) -> None:
    e = example(name)
    names = {"Y": e} if e.op == "named" else {}
    written = to_sympy(e)
    assert there_and_back(e, **names) is e
    assert written.func(*written.args) == written
    if not e.is_scalar:
        assert tuple(map(str, written.shape)) == tuple(map(str, e.shape))
    assert isinstance(str(written), str)
    assert isinstance(sp.latex(written), str)


@pytest.mark.parametrize("name", [o for o in OPERATIONS if o not in ("divide", "named")])
def test_every_operation_on_scalars_there_and_back(name: str) -> None:
    e = example(name)
    ones = [core.var(f"s{m}", 1, 1) for m in range(len(e.args))]
    try:
        e = node(name, ones, e.params)
    except mc.MatcalcError:
        pytest.skip("no such operation on 1 x 1")
    assert there_and_back(e) is e


def test_leaves_there_and_back() -> None:
    for e in (
        core.ones(2, "n"),
        core.zeros("m", 3),
        core.eye("n"),
        core.number(sp.Rational(2, 7)),
        core.var("s", 1, 1),
    ):
        assert there_and_back(e) is e
    assert there_and_back(core.commutation("m", 2)) is core.commutation("m", 2)


def test_structure_is_kept() -> None:
    M, N = core.var("M", "n", "n"), core.var("N", "n", "n")
    s = core.trace(M)
    for e in (
        core.matmul(M, N, M),
        core.matmul(core.matmul(M, N), M),
        core.add(M, core.add(N, M)),
        core.scale(core.number(2), s, core.matmul(M, N)),
        core.scale(s, core.add(M, N)),
        core.matmul(core.scale(s, M), N),
        core.hadamard(M, core.transpose(M), N),
        core.plus(s, 1),
        core.minus(core.scale(core.number(core.dim("n")), s)),
        core.plus(core.matmul(core.ones(1, "n"), M, core.ones("n", 1)), 1),
    ):
        assert there_and_back(e).digest == e.digest


def test_a_scalar_quotient_reads_as_a_quotient() -> None:
    top, bottom = core.var("a", 1, 1), core.var("b", 1, 1)
    quotient = core.divide(top, bottom)
    assert there_and_back(quotient) is quotient
    assert from_sympy(sp.Symbol("a") / sp.Symbol("b") ** 2) is core.divide(top, core.power(bottom, 2))


def test_sympify_and_pickle() -> None:
    e = core.plus(core.trace(core.var("A", "n", "n")), 1)
    assert str(sp.sympify(e)) == "Trace(A) + 1"
    s = mc.softmax(X, axis=2)
    assert pickle.loads(pickle.dumps(s)) == s
    assert s.subs(n, 5).shape == (5, p)


# ------------------------------------------------------------------------------------------------ users' graphs


def hidden_layer(D: Any, H: Any, K: Any) -> Any:
    row, W1, b1 = sp.MatrixSymbol("x", 1, D), sp.MatrixSymbol("W1", D, H), sp.MatrixSymbol("b1", 1, H)
    W2, b2, target = sp.MatrixSymbol("W2", H, K), sp.MatrixSymbol("b2", 1, K), sp.MatrixSymbol("y", 1, K)
    h = (row * W1 + b1).applyfunc(lambda s: 1 / (1 + sp.exp(-s)))
    yhat = mc.softmax(h * W2 + b2)
    return -mc.total(mc.hadamard(target, yhat.applyfunc(sp.log)))


@pytest.mark.parametrize("sizes", [sp.symbols("D H K"), (5, 4, 3)])
def test_one_hidden_layer(sizes: Any) -> None:
    J = hidden_layer(*sizes)
    e = from_sympy(J)
    assert str(e) == "-sum(y .* log(softmax(sigmoid(x*W1 + b1)*W2 + b2)))"
    assert there_and_back(e) is e
    assert from_sympy(J + 1).is_scalar
    assert not J.is_Matrix


def test_graph_of_sympy_definitions() -> None:
    D, H, K = sp.symbols("D H K")
    row, W1, b1 = sp.MatrixSymbol("x", 1, D), sp.MatrixSymbol("W1", D, H), sp.MatrixSymbol("b1", 1, H)
    W2, b2, target = sp.MatrixSymbol("W2", H, K), sp.MatrixSymbol("b2", 1, K), sp.MatrixSymbol("y", 1, K)
    g = mc.Graph()
    r = g.define("r", row * W1 + b1)
    h = g.define("h", mc.sigmoid(r))
    theta = g.define("theta", h * W2 + b2)
    yhat = g.define("yhat", mc.softmax(theta))
    # SymPy compares dimensions with their assumptions: the handle has the user's own symbols
    J = g.define("J", -mc.total(sp.HadamardProduct(target, yhat.applyfunc(sp.log))))
    assert yhat == sp.MatrixSymbol("yhat", 1, K)
    assert isinstance(J, sp.Symbol)
    assert str(J) == "J"
    assert str(g.definitions["J"].args[0]) == "-sum(y .* log(yhat))"
    assert g.definitions["h"].args[0].args[0] is g.definitions["r"]


def test_a_definition_may_not_reuse_a_name() -> None:
    g = mc.Graph()
    g.define("r", X * w)
    with pytest.raises(mc.MatcalcError, match="own definition"):
        g.define("A", A + B)
    with pytest.raises(mc.ShapeError, match="r has two shapes"):
        g.define("u", sp.MatrixSymbol("r", p, 1) + w)
    with pytest.raises(mc.MatcalcError, match="v must be a matcalc or a SymPy expression"):
        g.define("v", "x + 1")


def test_dimensions_are_numbers_and_other_symbols_variables() -> None:
    e = from_sympy(t * sp.Trace(A) / n)
    assert [v.params[0] for v in variables([e])] == ["t", "A"]
    assert from_sympy(sp.Trace(A) * n) is core.scale(core.number(core.dim("n")), from_sympy(sp.Trace(A)))
    other = sp.Symbol("n", positive=True)
    assert from_sympy(A * sp.MatrixSymbol("C", other, 2)).shape == (core.dim("n"), 2)


def test_assumptions_and_facts() -> None:
    scale = sp.Symbol("a", positive=True)
    assert variables([from_sympy(scale + 1)]) == [core.var("a", 1, 1, ["positive"])]
    assert there_and_back(core.var("a", 1, 1, ["positive"])) is core.var("a", 1, 1, ["positive"])
    e = from_sympy(scale * sp.Trace(A), facts={A: ["symmetric"]}, constants=[scale])
    found = {v.params[0]: v for v in variables([e])}
    assert found["a"] is core.var("a", 1, 1, ["positive", "constant"])
    assert found["A"] is core.var("A", "n", "n", ["symmetric"])
    with pytest.raises(mc.MatcalcError, match="not a variable here"):
        from_sympy(sp.Trace(A), facts={"Q": "symmetric"})


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (sp.exp, "exp(A)"),
        (sp.Function("phi"), "phi(A)"),
        (lambda s: sp.Max(s, 0), "maximum(0, A)"),
        (lambda s: s / (1 + sp.exp(-s)), "silu(A)"),
        (lambda s: s**2 + 1, "1 + A.^2"),
        (lambda s: a * s + sp.Trace(B), "a*A + tr(B)"),
        (lambda s: s / (1 + s**2), "A ./ (1 + A.^2)"),
        (lambda s: s, "A"),
        (lambda s: 3, "3*ones(n, n)"),
        (lambda s: sp.log(1 + sp.Symbol("u", real=True)), "log(1 + u)*ones(n, n)"),
        (lambda s: sp.log(1 + sp.Symbol("x", real=True)), "log(1 + x)*ones(n, n)"),
    ],
)
def test_applyfunc(function: Any, text: str) -> None:
    assert str(from_sympy(A.applyfunc(function))) == text


@pytest.mark.parametrize(
    "product",
    [
        x.T * x,
        x.T * A * x,
        (X * w - y).T * (X * w - y),
        x.T * (A + B) * A.I * y,
        2 * x.T * x + sp.Trace(A) * x.T * y,
        x.T * sp.HadamardProduct(A, A * B) * y,
        sp.HadamardProduct(x, y, x).T * y,
        x.T * sp.DiagMatrix(y) * x,
        sp.OneMatrix(1, n) * A * x,
        x.T * A**2 * sp.Identity(n) * y,
        x.T * x * x.T * A * y,
        x.T * (A * y).applyfunc(sp.exp),
        (x.T * y).applyfunc(sp.log),
        (X.T * x).T * w * sp.Trace(A * B),
        x.T * HadamardPower(A, 3) * y,
    ],
)
def test_the_entry_of_a_product_is_turned_back(product: Any) -> None:
    assert np.allclose(value(from_sympy(product[0, 0])), value(from_sympy(product)))


@pytest.mark.parametrize(
    ("total", "text"),
    [
        (sp.Sum(A[i, i], (i, 0, n - 1)), "tr(A)"),
        (sp.Sum(A[i, j] * B[j, i], (i, 0, n - 1), (j, 0, n - 1)), "tr(B*A)"),
        (sp.Sum(A[i, j], (i, 0, n - 1), (j, 0, n - 1)), "sum(A)"),
        (sp.Sum((x[i, 0] - y[i, 0]) ** 2, (i, 0, n - 1)) / n, "(x - y)'*(x - y)/n"),
        (sp.Sum(sp.log(sp.Sum(sp.exp(A[i, j]), (j, 0, n - 1))), (i, 0, n - 1)), "sum(log(sum(exp(A), 2)))"),
        (sp.Sum(x[i, 0] + 1, (i, 0, n - 1)), "n + sum(x)"),
        (sp.Sum(x[i - 1, 0] ** 2, (i, 1, n)), "x'*x"),
        (sp.Sum(A[i - 1, j - 1] * x[i - 1, 0] * y[j - 1, 0], (i, 1, n), (j, 1, n)), "x'*A*y"),
        (sp.Sum(x[i, 0], (i, 1, n - 1)), "sum(x[2:n])"),
        (sp.Sum(x[i, 0] * y[i + 1, 0], (i, 0, n - 2)), "x[1:n - 1]'*y[2:n]"),
        (sp.Product(x[i, 0], (i, 0, n - 1)), "prod(x)"),
        (sp.Sum(sp.Product(A[i, j], (j, 0, n - 1)), (i, 0, n - 1)), "sum(prod(A, 2))"),
    ],
)
def test_sums_over_indices(total: Any, text: str) -> None:
    assert str(from_sympy(total)) == text


@pytest.mark.parametrize(
    "total",
    [
        sp.Sum(i * x[i, 0], (i, 0, n - 1)),
        sp.Sum(x[i, 0], (i, 0, n)),
        sp.Sum(x[i - 1, 0], (i, 0, n - 1)),
        sp.Sum(x[2 * i, 0], (i, 0, n - 1)),
        sp.Sum(A[i, n - 1 - i], (i, 0, n - 1)),
        sp.Sum(A[i, 0], (i, 0, n - 1)),
        sp.Sum(A[i, j] * x[i, 0], (i, 0, n - 1)),
        sp.Sum(t, (t, 1, 3)),
    ],
)
def test_other_sums_are_refused(total: Any) -> None:
    with pytest.raises(mc.NoRuleError, match="not a matrix product"):
        from_sympy(total)


# ------------------------------------------------------------------------------------------------ functions


@pytest.mark.parametrize("name", sorted(set(public_names()) - {"hadamard", "where", "scalar"}))
def test_public_functions_agree_on_both_languages(name: str) -> None:
    function = public(name)
    assert function is not None
    assert function.__doc__
    op = {"variance": "var", "total": "sum", "trace": "tr", "inverse": "inv"}.get(name, name)
    e = example(op)
    operands = list(e.args)
    assert function(*operands, *e.params) is e
    if operands:
        assert from_sympy(function(*map(to_sympy, operands), *e.params)) is e


def test_functions_are_made_for_every_operation() -> None:
    made = {name for name in REGISTRY if _has_function(REGISTRY[name]) and not REGISTRY[name].variadic}
    assert made - set(public_names()) == {"var"}


def test_broadcasting() -> None:
    row, square = sp.MatrixSymbol("r", 1, p), sp.MatrixSymbol("Z", n, p)
    assert str(from_sympy(mc.hadamard(row, square))) == str(mc.hadamard(*map(from_sympy, (row, square))))
    assert from_sympy(mc.maximum(square, 0)).op == "maximum"
    assert from_sympy(mc.where(square, "<", 1, row, 0)).shape == (core.dim("n"), core.dim("p"))
    assert mc.hadamard(2, square) == 2 * square
    with pytest.raises(mc.ShapeError, match=r"n and p differ \(v and Z\)|p and n differ"):
        mc.hadamard(sp.MatrixSymbol("v", 1, n), square)


def test_a_product_as_a_scalar() -> None:
    value = mc.scalar(x.T * x) + 1
    assert str(value) == "scalar(x.T*x) + 1"
    assert str(from_sympy(value)) in ("x'*x + 1", "1 + x'*x")
    with pytest.raises(mc.ShapeError, match="only a 1 x 1"):
        mc.scalar(x)


def test_functions_refuse_bad_operands() -> None:
    with pytest.raises(mc.MatcalcError, match="operand must be an expression"):
        mc.sigmoid("x")
    with pytest.raises(mc.MatcalcError, match="axis"):
        mc.softmax(X, axis="rows")
    with pytest.raises(mc.ShapeError, match=r"softmax of a matrix needs an axis.*X is one"):
        mc.softmax(X)
    with pytest.raises(mc.MatcalcError, match="sigmoid"):
        mc.sigmoid(X, 2)
    with pytest.raises(mc.NoRuleError, match="explicit matrix"):
        mc.sigmoid(sp.ImmutableMatrix([[1, 2]]))


def test_sympy_cannot_differentiate_our_operations() -> None:
    with pytest.raises(mc.NoRuleError, match=r"matcalc\.derive"):
        mc.norm2(t * x).diff(t)


# ------------------------------------------------------------------------------------------------ size


def test_deep_expressions() -> None:
    e = core.var("X", "n", "n")
    for m in range(1000):
        e = core.matmul(e, core.var(f"W{m}", "n", "n")) if m % 2 else node("tanh", (e,))
    assert there_and_back(e) is e
    s = core.var("s", 1, 1)
    for _ in range(1000):
        s = core.plus(node("sin", (s,)), 1)
    assert there_and_back(s) is s


@pytest.mark.parametrize("style", ["applyfunc", "catalogue"])
def test_shared_layers(style: str) -> None:
    state, W = sp.MatrixSymbol("Y", n, n), sp.MatrixSymbol("W", n, n)
    for _ in range(64):
        if style == "applyfunc":
            state = sp.MatAdd(state, sp.MatMul(state, W).applyfunc(sp.tanh))
        else:
            state = state + mc.tanh(state * W)
    begin = time.process_time()
    e = from_sympy(state)
    back = there_and_back(e)
    assert time.process_time() - begin < 0.5
    assert back is e


# ------------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (sp.exp(A), r"applyfunc\(exp\).*expm"),
        (sp.log(A) + 1, "applyfunc"),
        (sp.ones(9, 9), "explicit 9 x 9"),
        (sp.Integral(t, t), "Integral"),
        (sp.Derivative(sp.Function("f")(t), t), "Derivative"),
        (sp.Piecewise((t, t > 0), (0, True)), "Piecewise"),
        (A.applyfunc(lambda s: sp.Piecewise((s, s > 0), (0, True))), "Piecewise"),
        (sp.I * t, "finite real"),
        (sp.nan, "finite real"),
        (-sp.oo, "finite real"),
        (sp.sqrt(-2), "finite real"),
        (A[sp.Symbol("i"), 0], r"entry \[i, 0\]"),
        (sp.MatrixSymbol("M", 2, 2)[0, 1] + A[n - 1, 0], r"entry \[n - 1, 0\]"),
        (sp.Trace(A) + sp.Symbol("A"), "A has two shapes"),
        (sp.Trace(A) + sp.Trace(B * sp.MatrixSymbol("A", n, p) * X.T), "A has two shapes"),
        (sp.Add(t, A, evaluate=False), "n x n matrix inside"),
        (sp.Symbol("z", imaginary=True), "not real"),
        (sp.Symbol("sum") + 1, "name of a function"),
        (sp.Symbol("a b"), "identifier"),
        (sp.Dummy("q"), "Dummy"),
        (sp.Eq(t, 1), "Equality"),
        ("x + 1", "SymPy expression is needed"),
        (sp.GoldenRatio * t, "GoldenRatio"),
    ],
)
def test_refusals(expression: Any, message: str) -> None:
    with pytest.raises(mc.MatcalcError, match=message):
        from_sympy(expression)


def test_numbers_are_exact() -> None:
    assert from_sympy(sp.Float(0.1)) is core.number(sp.Rational(1, 10))
    assert from_sympy(sp.Matrix([[t]])) is core.var("t", 1, 1)


def test_sympy_objects_do_not_slip_into_matcalc_expressions() -> None:
    with pytest.raises(mc.MatcalcError, match="does not mix"):
        core.var("M", "n", "n") + A


def test_the_text_of_an_abstract_function_shows_how_often_it_is_differentiated() -> None:
    d = mc.derive("sum(phi(A*x))", "x", shapes={"x": ("n", 1), "A": ("m", "n")}, functions=["phi"])
    assert str(sp.sympify(d.gradient("x"))) == "A.T*D(phi)(A*x)"
    assert "D(phi, 2)(A*x)" in str(sp.sympify(d.hessian("x").value))


# ------------------------------------------------------------------------------------------------ what means more there

REAL = sp.Symbol("r", real=True)
MEANS_MORE = [
    sp.Symbol("z", complex=True) ** 2,
    sp.Symbol("z", real=False),
    sp.Symbol("z", extended_real=False),
    sp.Symbol("z", imaginary=True) ** 2,
    sp.Symbol("z", commutative=False),
    sp.Symbol("z", antihermitian=True) ** 2,
    sp.Symbol("z", infinite=True),
    sp.Symbol("z", zero=True) + REAL,
    sp.Wild("w") + REAL,
    sp.conjugate(sp.Symbol("z")),
    sp.re(sp.Symbol("z")),
    sp.im(sp.Symbol("z")),
    sp.arg(sp.Symbol("z")),
    sp.I * REAL,
    sp.oo * REAL,
    sp.Trace(sp.MatrixSymbol("A", 2, 2).adjoint()),
    sp.Trace(sp.Adjoint(sp.MatrixSymbol("A", 2, 2) * sp.MatrixSymbol("B", 2, 2))),
    sp.Trace(sp.MatrixSymbol("A", 2, 2).conjugate()),
    sp.Trace(RandomMatrixSymbol("A", 2, 2)),
    sp.Trace(sp.FunctionMatrix(2, 2, sp.Lambda((sp.Symbol("i"), sp.Symbol("j")), 1))),
    sp.Trace(sp.MatrixSymbol("A", 3, 3)[:2, :2]),
    sp.Trace(sp.BlockMatrix([[sp.MatrixSymbol("A", 2, 2)]])),
    sp.Permanent(sp.MatrixSymbol("A", 2, 2)),
    sp.Derivative(REAL**2, REAL, evaluate=False),
    sp.Integral(REAL**2, REAL),
    sp.Piecewise((REAL, REAL > 0), (0, True)),
    sp.Heaviside(REAL),
    sp.DiracDelta(REAL),
    sp.atan2(REAL, sp.Symbol("s")),
    sp.Mod(REAL, 2),
]


@pytest.mark.parametrize("e", MEANS_MORE, ids=[str(e)[:40] for e in MEANS_MORE])
def test_what_means_more_in_sympy_is_refused(e: sp.Expr) -> None:
    with pytest.raises(mc.MatcalcError):
        mc.derive(e)


def _subclasses(cls: type) -> set[type]:
    return {cls, *(below for sub in cls.__subclasses__() for below in _subclasses(sub))}


def test_a_class_of_sympy_is_read_by_its_own_reader_or_refused() -> None:
    """A subclass means more than its base: only explicit matrices are read by a common base."""
    outside = _subclasses(sp.MatrixExpr) - READERS.keys() - {sp.MatrixExpr}
    assert {RandomMatrixSymbol, sp.BlockMatrix, sp.FunctionMatrix} <= outside
    for cls in (*outside, sp.Wild):
        made = object.__new__(cls)
        assert not _known(made) or isinstance(made, (sp.MatrixBase, sp.Symbol))


@pytest.mark.parametrize(
    "assumption", ["real", "positive", "nonnegative", "negative", "integer", "nonzero", "hermitian"]
)
def test_real_symbols_are_read(assumption: str) -> None:
    t = sp.Symbol("t", **{assumption: True})
    assert str(mc.derive(t**3, wrt="t").gradient("t")) == "3*t^2"


def test_maximum_of_sympy_has_the_subgradient_of_maximum() -> None:
    t = sp.Symbol("t", real=True)
    for e in (sp.Max(t, 0), sp.Max(0, t), sp.Min(t, 0)):
        name = "maximum" if isinstance(e, sp.Max) else "minimum"
        ours = mc.derive(f"{name}(t, 0)", shapes={"t": (1, 1)}).function("gradient")
        theirs = mc.derive(e, wrt="t").function("gradient")
        for value in (-1.0, 0.0, 2.0):
            assert theirs(t=value)["t"] == ours(t=value)["t"]


def test_explicit_matrices_of_entries() -> None:
    a, b, c = sp.symbols("a b c")
    v = sp.MatrixSymbol("v", 2, 1)
    R = sp.Matrix([[sp.cos(a), -sp.sin(a)], [sp.sin(a), sp.cos(a)]])
    form = v.T * R * sp.Matrix([[b, 1], [1, c]]) * R.T * v
    d = mc.derive(form, wrt=["a", "b", "c", "v"])
    assert d.check().ok
    values = {"a": 0.3, "b": 1.2, "c": -0.7, "v": np.array([[0.4], [1.1]])}
    exact = (form.subs({a: 0.3, b: 1.2, c: -0.7}).subs(v, sp.Matrix([[0.4], [1.1]]))).doit()
    assert d.evaluate(**values) == pytest.approx(float(exact[0, 0]))
    assert str(from_sympy(sp.Matrix([[a, b]]) * v)) == "[a, b]*v"
    assert from_sympy(sp.Matrix([[1, 2], [3, 4]])).shape == (2, 2)
    with pytest.raises(mc.NoRuleError, match="1 to 64 entries"):
        from_sympy(sp.Matrix(0, 2, []))


def test_single_entries() -> None:
    M, u = sp.MatrixSymbol("M", 3, 3), sp.MatrixSymbol("u", 3, 1)
    d = mc.derive(M[0, 1] * u[2, 0] ** 2 + M[1, 1], wrt=["M", "u"])
    assert str(d.gradient("M")) == "[0, u[3]^2, 0; 0, 1, 0; 0, 0, 0]"
    assert d.check().ok


def test_results_go_back_into_derive() -> None:
    shapes = {"X": ("n", "p"), "w": ("p", 1), "y": ("n", 1)}
    gradient = sp.sympify(mc.derive("norm2(X*w - y)^2/2", wrt="w", shapes=shapes).gradient("w"))
    w = sp.MatrixSymbol("w", sp.Symbol("p"), 1)
    assert str(mc.derive(gradient.T * gradient, wrt="w").gradient()) == "2*X'*X*X'*(X*w - y)"
    stepped = w - gradient / 10
    assert mc.derive(stepped.T * stepped, wrt="w").check().ok
