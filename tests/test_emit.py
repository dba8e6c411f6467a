"""Generated code: it agrees with the evaluator, is stable, builds nothing needless, and takes what users pass."""

from __future__ import annotations

import re

import mpmath
import numpy as np
import pytest
import sympy as sp
from support import OPERATIONS, SIZES, example

import matcalc as mc
from matcalc import core, dims
from matcalc.core import (
    add,
    broadcast,
    diag,
    diagvec,
    eye,
    hadamard,
    inverse,
    kron,
    matmul,
    minus,
    named,
    number,
    ones,
    power,
    scale,
    total,
    trace,
    transpose,
    var,
    vec,
)
from matcalc.emit.module import compile_function, numpy_source
from matcalc.errors import MatcalcError, NoRuleError
from matcalc.exact import is_exact
from matcalc.expr import node
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.sample import sample
from matcalc.ops.user_functions import Function
from matcalc.walk import variables

pytestmark = pytest.mark.filterwarnings("ignore:(divide|invalid|overflow|Degrees):RuntimeWarning")

X, Y, Z = var("X", "m", "n"), var("Y", "m", "n"), var("Z", "m", "n")
A, B = var("A", "n", "n"), var("B", "n", "n")
x, y, c = var("x", "n", 1), var("y", "n", 1), var("c", 1, 1)
W, v = var("W", "n", "p"), var("v", "p", 1)


def exp(e):
    return node("exp", (e,))


def log(e):
    return node("log", (e,))


def one_plus(e):
    return core.plus(1, e)


def code(e, kind="value", gradients=None, **more):
    return numpy_source(e, gradients or {}, kind, variables([e, *(gradients or {}).values()]), **more)


def body(source):
    """The statements of the function, without the helpers and the reading of the inputs."""
    function = source.split("def _")[0]
    return "\n".join(line for line in function.splitlines() if "_matrix(" not in line and "_dtype(" not in line)


def agrees(e, mode="unit", seed=0):
    """Code and evaluator give the same, in both precisions; nothing shares memory with an input."""
    arrays, sizes = sample(variables([e]), seed, SIZES, mode=mode)
    wanted = evaluate(e, arrays, sizes)
    function = compile_function(code(e))
    for dtype, tolerance in ((np.float64, 1e-9), (np.float32, 2e-3)):
        inputs = {k: a.astype(dtype) for k, a in arrays.items()}
        got = function(**inputs, dims=sizes)
        if e.is_scalar:
            assert type(got) is float
        else:
            assert got.shape == wanted.shape
            assert got.dtype == (dtype if inputs else np.float64)
            assert not any(np.shares_memory(got, a) for a in inputs.values())
        assert np.allclose(got, wanted, rtol=tolerance, atol=tolerance, equal_nan=True)
    return body(code(e))


# ------------------------------------------------------------------------------------------------ every operation

SPECIAL = [{}, {"m": 1}, {"n": 1}, {"p": 1}, {"m": 1, "n": 1}, {"n": 1, "p": 1}, dict.fromkeys("mnpq", 1)]
CONTEXTS = [
    lambda e: e,
    lambda e: scale(number(-2), e),
    lambda e: core.plus(transpose(e), 1),
    lambda e: total(e, 1),
    lambda e: matmul(transpose(e), e),
    lambda e: total(core.entrywise_product(e, e)),
    lambda e: core.entrywise_product(e, broadcast(total(e, 2), e.shape)),
]


@pytest.mark.parametrize("ones_at", SPECIAL, ids=str)
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_in_context_agrees_with_the_evaluator(name, ones_at):
    e = example(name)
    try:
        args = [_resized(a, ones_at) for a in e.args]
        params = tuple(dims.substitute(p, ones_at) if is_exact(p) else p for p in e.params)
        e = node(name, args, params)
    except MatcalcError:
        return  # the operation has no such shapes
    for context in CONTEXTS:
        agrees(context(e), mode="large" if name == "arccosh" else "unit")


def _resized(a, sizes):
    if a.op != "variable":
        return a
    return var(a.params[0], *(dims.substitute(d, sizes) for d in a.shape))


# ------------------------------------------------------------------------------------------------ nothing needless

ROW = var("b", 1, "n")
NEEDLESS = re.compile(r"np\.(kron|eye|ones|diag|linalg\.inv|matmul|repeat|tile)\b|_diag\(|_comm|_kron")
FORMS = {
    "diag(v) M": (matmul(diag(x), W), "x * W"),
    "M diag(v)": (matmul(X, diag(x)), "X * x.T"),
    "diagonal of a product": (diagvec(matmul(A, B)), 'np.einsum("ij,ji->i", A, B)[:, None]'),
    "trace of a product": (trace(matmul(A, B)), 'float(np.einsum("ij,ji->", A, B))'),
    "trace of A'B": (trace(matmul(transpose(X), Y)), "float(np.vdot(X, Y))"),
    "inner product": (matmul(transpose(x), y), "float(np.vdot(x, y))"),
    "quadratic form": (matmul(transpose(x), A, x), "float(np.vdot(x, A @ x))"),
    "trace of a dyad": (trace(matmul(A, x, transpose(y))), "float(np.vdot(y, A @ x))"),
    "sum of products": (total(hadamard(X, Y)), "float(np.vdot(X, Y))"),
    "sum of products by column": (total(hadamard(X, Y), 1), 'np.einsum("ij,ij->j", X, Y)[None, :]'),
    "sum of squares": (total(power(X, 2)), "float(np.vdot(X, X))"),
    "Kronecker times vec": (
        matmul(kron(transpose(W), A), vec(var("Q", "n", "n"))),
        "_vec((A @ Q) @ W)",
    ),
    "commutation times vec": (matmul(core.commutation("m", "n"), vec(X)), "np.array(_vec(X.T))"),
    "ones": (matmul(ones(1, "m"), X), "_column_sums(X)"),
    "A + cI": (add(A, scale(c, eye("n"))), "_add_diagonal(A, c)"),
    "A - I": (add(A, minus(eye("n"))), "_add_diagonal(A, -1)"),
    "A + diag(v)": (add(A, diag(x)), "_add_diagonal(A, x)"),
    "A^-1 B": (matmul(inverse(A), B), "np.linalg.solve(A, B)"),
    "B A^-1": (matmul(W.T, inverse(A)), "np.linalg.solve(A.T, W).T"),
    "x' A^-1 y": (matmul(x.T, inverse(A), y), None),
    "tr(A^-1 B)": (trace(matmul(inverse(A), B)), "float(np.trace(np.linalg.solve(A, B)))"),
    "chain": (matmul(A, B, W, v), "A @ (B @ (W @ v))"),
    "chain of nodes": (matmul(matmul(A, B), matmul(W, v)), "A @ (B @ (W @ v))"),
    "row": (matmul(x.T, A, B), "(x.T @ A) @ B"),
    "broadcast": (add(X, broadcast(ROW, X.shape)), "X + b"),
    "broadcast of a function": (hadamard(X, exp(broadcast(ROW, X.shape))), "X * np.exp(b)"),
    "logdet": (node("logdet", (A,)), "float(np.linalg.slogdet(A)[1])"),
    "log of det": (log(node("det", (A,))), "float(_log_det(A))"),
    "quotient": (hadamard(X, power(Y, -1)), "X / Y"),
    "mean": (node("mean", (hadamard(X, Y),), (None,)), "float(np.vdot(X, Y) / (m * n))"),
    "exact number": (scale(number(2 / sp.Symbol("n", integer=True, positive=True)), x), "2 / n * x"),
    "sum of a Kronecker product": (total(kron(X, A)), "float(X.sum() * A.sum())"),
    "sum of a Kronecker product times vec": (
        total(matmul(kron(transpose(W), A), vec(var("Q", "n", "n")))),
        "float(np.sum(_vec((A @ Q) @ W)))",
    ),
    "difference with a broadcast": (add(X, broadcast(minus(ROW), X.shape)), "X - b"),
    "difference": (add(minus(X), Y), "Y - X"),
    "square root": (power(X, sp.Rational(1, 2)), "np.sqrt(X)"),
}


@pytest.mark.parametrize("name", FORMS)
def test_idioms(name):
    e, wanted = FORMS[name]
    text = agrees(e)
    assert not NEEDLESS.search(text), text
    if wanted is not None:
        assert text.rstrip().endswith(f"return {wanted}"), text


def test_a_mask_multiplies_and_does_not_add_as_a_truth_value():
    step = node("step", (X,))
    assert "Y * (X > 0)" in agrees(hadamard(Y, step), mode="free")
    for e in (minus(step), add(step, step), matmul(transpose(step), step), hadamard(step, node("step", (Y,))), step):
        agrees(e, mode="free")
    zero, one = core.zeros("m", "n"), ones("m", "n")
    agrees(hadamard(X, node("where", (X, Y, one, zero), (">",))), mode="free")
    agrees(node("where", (X, Y, one, zero), (">=",)), mode="free")


# ------------------------------------------------------------------------------------------------ stability

soft = [
    core.divide(exp(X), broadcast(total(exp(X), 2), X.shape)),
    hadamard(exp(X), power(broadcast(total(exp(X), 2), X.shape), -1)),
    hadamard(exp(X), broadcast(power(total(exp(X), 2), -1), X.shape)),
    node("softmax", (X,), (2,)),
]
sigm = [
    core.divide(ones("m", "n"), one_plus(exp(minus(X)))),
    power(one_plus(exp(minus(X))), -1),
    core.divide(exp(X), one_plus(exp(X))),
    node("sigmoid", (X,)),
]
tail = np.array([[1e4, -1e4, 0.0], [800.0, -800.0, 1.0]])


def _value(e, array=tail):
    with np.errstate(all="raise", under="ignore"):
        return compile_function(code(e))(X=array)


def _exact(function):
    with mpmath.workdps(30):
        return np.array([[float(function(mpmath.mpf(t), mpmath)) for t in row] for row in tail])


@pytest.mark.parametrize("e", soft, ids=range(4))
def test_softmax_and_its_logarithm_however_spelled(e):
    shifted = tail - tail.max(axis=1, keepdims=True)
    wanted = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    for P in (e, named("P", e)):
        assert np.allclose(_value(P), np.exp(wanted))
        assert np.allclose(_value(log(P)), wanted)
        assert np.allclose(_value(log(named("E", P))), wanted)


@pytest.mark.parametrize("e", sigm, ids=range(4))
def test_sigmoid_and_its_logarithms_however_spelled(e):
    assert np.allclose(_value(e), _exact(lambda t, mp: 1 / (1 + mp.exp(-t))), rtol=1e-12, atol=1e-300)
    assert np.allclose(_value(log(e)), _exact(lambda t, mp: -mp.log1p(mp.exp(-t))), rtol=1e-12, atol=0)
    wanted = _exact(lambda t, mp: -mp.log1p(mp.exp(t)))
    assert np.allclose(_value(log(core.difference(1, e))), wanted, rtol=1e-12, atol=0)
    assert np.allclose(_value(log(core.difference(1, named("h", e)))), wanted, rtol=1e-12, atol=0)


def test_logarithms_of_sums():
    wanted = _exact(lambda t, mp: mp.log1p(mp.exp(t)))
    for e in (log(one_plus(exp(X))), node("log1p", (exp(X),)), node("softplus", (X,))):
        assert np.allclose(_value(e), wanted, rtol=1e-12, atol=0)
    assert np.allclose(_value(log(total(exp(X), 2))), [[1e4], [800.0]])
    assert np.isclose(_value(log(total(exp(X)))), 1e4)
    assert _value(core.difference(exp(X), 1), np.array([[1e-12]])) == np.expm1(1e-12)
    assert _value(log(one_plus(X)), np.array([[1e-12]])) == np.log1p(1e-12)


def test_cross_entropy_of_a_softmax():
    P = named("P", node("softmax", (X,), (2,)))
    assert "np.vdot(Y, _log_softmax(X, axis=1))" in agrees(node("cross_entropy", (Y, P)))


def test_the_gradient_of_a_norm_at_zero_is_zero_but_its_reciprocal_is_infinite():
    J = named("J", node("norm2", (x,)))
    f = compile_function(code(J, "value_and_grad", {"x": scale(power(J, -1), x)}))
    value, gradient = f(x=np.zeros(3))
    assert value == 0
    assert np.array_equal(gradient["x"], np.zeros(3))
    assert np.allclose(f(x=[3.0, 4.0])[1]["x"], [0.6, 0.8])
    with np.errstate(divide="ignore"):
        assert compile_function(code(power(J, -1)))(x=np.zeros(3)) == np.inf


# ------------------------------------------------------------------------------------------------ functions


def network():
    r = named("r", add(matmul(W.T, x), minus(v)))
    J = named("J", matmul(transpose(r), r))
    return J, {"W": scale(number(2), matmul(x, transpose(r))), "v": scale(number(-2), r), "x": matmul(W, r)}


def test_forms_of_inputs_and_results():
    J, gradients = network()
    f = compile_function(code(J, "value_and_grad", gradients))
    inputs = {"W": np.ones((3, 2)), "x": np.arange(3.0), "v": np.ones((2, 1))}
    value, got = f(**inputs)
    assert type(value) is float
    assert {k: g.shape for k, g in got.items()} == {"W": (3, 2), "x": (3,), "v": (2, 1)}
    single = f(**{k: a.astype(np.float32) for k, a in inputs.items()})[1]
    assert all(g.dtype == np.float32 for g in single.values())
    assert f(W=[[1, 2], [3, 4], [5, 6]], x=[1, 2, 3], v=[1, 2])[1]["W"].dtype == np.float64
    assert set(compile_function(code(J, "gradient", gradients))(**inputs)) == {"W", "v", "x"}
    g = compile_function(code(power(c, 2), "value_and_grad", {"c": scale(number(2), c)}))
    assert g(c=3) == (9.0, {"c": 6.0})
    assert g(c=np.array([[3.0]]))[1]["c"].shape == (1, 1)


def test_results_do_not_share_memory():
    J = total(hadamard(X, Y))
    f = compile_function(code(J, "gradient", {"X": Y, "Y": named("G", X)}))
    inputs = {"X": np.ones((2, 3)), "Y": np.ones((2, 3))}
    assert not any(np.shares_memory(a, g) for a in inputs.values() for g in f(**inputs).values())
    D = exp(X)
    got = compile_function(code(J, "gradient", {"X": D, "Y": D}))(**inputs)
    assert not np.shares_memory(got["X"], got["Y"])
    full = compile_function(code(total(X), "gradient", {"X": ones("m", "n")}))(X=np.ones((2, 3)))["X"]
    full += 1


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"x": np.ones(4)}, "x has the shape 4 x 1; needed n x 1 with n = 3"),
        ({"x": np.ones((1, 1, 3))}, "x must be a 2-D array"),
        ({"x": np.ones(3, dtype=complex)}, "x must be an array of real numbers"),
        ({"x": np.array(["a"] * 3)}, "x must be an array of real numbers"),
        ({"x": 1.0}, "x must be a 2-D array"),
    ],
)
def test_wrong_inputs_are_named(inputs, message):
    f = compile_function(code(network()[0]))
    with pytest.raises(ValueError, match=message):
        f(**{"W": np.ones((3, 2)), "x": np.ones(3), "v": np.ones(2)} | inputs)


def test_names_that_python_or_the_code_needs():
    words = ["lambda", "sum", "np", "dims", "t1", "_sigmoid", "dtype"]
    parts = [var(w, "n", 1) for w in words]
    e = named("class", node("sigmoid", (add(*parts),)))
    f = compile_function(code(total(hadamard(e, e)), "value_and_grad", dict.fromkeys(words, e)))
    inputs = {w: np.full(2, 0.1) for w in words if w != "dims"}
    value, gradients = f(**inputs, dims_=np.full(2, 0.1))
    assert np.isclose(value, 2 / (1 + np.exp(-0.7)) ** 2)
    assert set(gradients) == set(words)
    assert f(**{("lambda_" if w == "lambda" else w): a for w, a in inputs.items()}, dims_=np.ones(2))[0] > 0
    with pytest.raises(TypeError, match="missing the argument lambda"):
        f(**{k: a for k, a in inputs.items() if k != "lambda"}, dims_=np.ones(2))
    with pytest.raises(TypeError, match="unexpected argument other"):
        f(**inputs, dims_=np.ones(2), other=1)


def test_a_dimension_with_the_name_of_a_variable_and_one_that_no_array_gives():
    n = var("n", "n", 1)
    f = compile_function(code(scale(number(1 / dims.symbol("n")), total(n))))
    assert f(n=[1.0, 2.0, 3.0]) == 2.0
    g = compile_function(code(scale(c, ones("k", 2))))
    assert g(c=2.0, dims={"k": 3}).shape == (3, 2)
    D = var("D", dims.dim(2 * dims.symbol("k") + 1), 1)
    h = compile_function(code(scale(number(dims.symbol("k")), total(D))))
    assert h(D=np.ones(7)) == 21.0
    with pytest.raises(ValueError, match="D has the shape 6 x 1"):
        h(D=np.ones(6))


def test_division_by_a_size_that_is_zero_is_refused():
    n = dims.symbol("n")
    f = compile_function(code(scale(number(1 / (n - 1)), x)))
    with pytest.raises(ValueError, match="n - 1 is 0, and the function divides by it"):
        f(x=[1.0])


def test_numbers_and_identities_alone():
    n = dims.symbol("n")
    identities = matmul(eye("n"), scale(c, eye("n")))
    assert np.array_equal(compile_function(code(identities))(c=2.0, dims={"n": 2}), 2 * np.eye(2))
    assert compile_function(code(power(number(1 / n), -2)))(dims={"n": 3}) == 9.0
    zero = core.difference(1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        assert compile_function(code(power(number(0), -1)))() == np.inf
        assert compile_function(code(core.quotient(2, zero)))() == np.inf
        assert np.isposinf(compile_function(code(core.entrywise_quotient(X, zero)))(X=np.ones((2, 2)))).all()
    agrees(scale(exp(number(1)), X))
    agrees(scale(node("norm2", (number(2),)), X))
    text = agrees(exp(broadcast(ones(1, "m"), (dims.symbol("n"), dims.symbol("m")))))
    assert text.rstrip().endswith("dtype=dtype)")


def test_abstract_functions_and_bodies():
    phi = Function("phi")
    f = compile_function(code(total(phi(X)), "value_and_grad", {"X": phi.derivative(X)}))
    value, gradient = f(X=np.ones((2, 2)), phi=np.sin, phi_prime=np.cos)
    assert np.isclose(value, 4 * np.sin(1))
    assert np.allclose(gradient["X"], np.cos(1))
    t = sp.Symbol("t")
    assert "_sigmoid(X)" in agrees(Function("swish", sp.Lambda(t, t / (1 + sp.exp(-t))))(X))


def test_directional_derivatives_and_products_with_a_cotangent():
    dX, dY = var("dot_X", "m", "n"), var("dot_Y", "m", "n")
    J = total(hadamard(X, Y))
    tangent = add(total(hadamard(dX, Y)), total(hadamard(X, dY)))
    f = compile_function(
        numpy_source(J, {}, "jvp", [X, Y], tangent=tangent, extra={"X": dX, "Y": dY}),
    )
    inputs = {"X": np.ones((2, 3)), "Y": 2 * np.ones((2, 3))}
    assert f(**inputs, tangents={"X": np.ones((2, 3))}) == 12.0
    assert f(**inputs, tangents={"X": np.ones((2, 3)), "Y": np.ones((2, 3))}) == 18.0
    with pytest.raises(ValueError, match="tangents: Z is no variable here"):
        f(**inputs, tangents={"Z": 1})
    with pytest.raises(ValueError, match="has the shape 3 x 3"):
        f(**inputs, tangents={"X": np.ones((3, 3))})
    G = var("cotangent", "m", "n")
    g = compile_function(numpy_source(exp(X), {"X": hadamard(G, exp(X))}, "vjp", [X], extra={"cotangent": G}))
    assert np.allclose(g(X=np.zeros((2, 2)), cotangent=np.eye(2))["X"], np.eye(2))


# ------------------------------------------------------------------------------------------------ the text


def test_the_module_is_documented_and_shares_the_forward_pass():
    J, gradients = network()
    source = code(J, "value_and_grad", gradients, title="A fit", formulas=["J = r'*r"], comments={"r": "W'*x - v"})
    assert source.startswith('"""A fit\n\nJ = r\'*r\n\nShapes:\n')
    assert "    # r = W'*x - v\n    r = W.T @ x\n    r -= v\n" in source
    assert source.count("W.T @ x") == 1
    assert "import scipy" not in source
    assert "from scipy import special" in code(node("gammaln", (X,)))
    assert code(J, "value_and_grad", gradients) == code(J, "value_and_grad", gradients)


def test_text_of_users_is_only_ever_text():
    source = code(total(X), title='x"""\nimport os', formulas=['"""', "a\\"], comments={})
    compile(source, "generated", "exec")
    assert "\nimport os" not in source


def test_errors():
    with pytest.raises(MatcalcError, match=r"kind must be one of .*got 'hess' \(did you mean hessian"):
        numpy_source(total(X), {}, "hess", [X])
    with pytest.raises(MatcalcError, match="not among the variables of the function: Y"):
        numpy_source(total(hadamard(X, Y)), {}, "value", [X])
    assert issubclass(NoRuleError, MatcalcError)


@pytest.mark.parametrize("name_them", [True, False])
def test_a_thousand_layers(name_them):
    h = x
    for k in range(1000):
        h = node("tanh", (matmul(A, h),))
        if name_them:
            h = named(f"h{k}", h)
    f = compile_function(code(total(h)))
    assert np.isfinite(f(A=np.eye(2), x=np.ones(2)))
    e = x
    for _ in range(1000):
        e = add(e, hadamard(e, x))
    assert np.isfinite(compile_function(code(total(e)))(x=np.full(2, 1e-3)))


def test_long_products_and_sums():
    assert compile_function(code(matmul(*[A] * 100, x)))(A=np.eye(2), x=np.ones(2)).shape == (2, 1)
    assert compile_function(code(total(add(*[X] * 500))))(X=np.ones((2, 2))) == 2000.0


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        ("hvp", {"tangents": np.ones((2, 1))}, "tangents must be a dict from names to arrays, got ndarray"),
        ("jvp", {"tangents": None}, "tangents must be a dict"),
        ("hvp", {"tangents": {"x": [[1, 2], [3]]}}, r"tangents\['x'\] must be a rectangular array"),
        ("vjp", {"cotangent": None}, "cotangent must be an array of real numbers"),
        ("gradient", {"A": [[1, 2], [3]]}, "A must be a rectangular array"),
        ("gradient", {"x": [[1, 2], [3]]}, "x must be a rectangular array"),
        ("gradient", {"A": np.ma.masked_array(np.eye(2), mask=np.eye(2))}, "A has masked entries"),
        ("hvp", {"tangents": {"x": np.ma.masked_array([1.0, 2.0], mask=[0, 1])}}, r"tangents\['x'\] has masked"),
    ],
)
def test_wrong_input_is_refused_by_name(kind, given, message):
    d = mc.derive("x'*A*x", wrt="x", shapes={"x": ("n", 1), "A": ("n", "n")})
    with pytest.raises(ValueError, match=message):
        d.function(kind)(**{"x": np.ones((2, 1)), "A": np.eye(2)} | given)
    if kind == "gradient":
        with pytest.raises(mc.MatcalcError, match=message):
            d.evaluate(**{"x": np.ones((2, 1)), "A": np.eye(2)} | given)


@pytest.mark.parametrize(
    "source",
    [
        "X: m x n; B: n x n; norm2(X + standardize(X*B, 1))",
        "X: m x n; B: n x n; sum(exp(standardize(X*(B^-2 - log_softmax(B, 2)), 1)))",
        "X: m x n; B: m x n; normspec(X - standardize(B, 2))",
        "X: m x n; B: n x n; sum(standardize(exp(X*B), 2).^3)",
    ],
)
def test_blocks_and_matrices_do_not_share_memory(source):
    """Blocks have three axes: what is computed in place for a matrix is not for them."""
    d = mc.derive(source.replace("; ", "\n"))
    rng = np.random.default_rng(0)
    sizes = {"n": 3, "m": 4}
    arrays = {v.params[0]: rng.normal(size=[sizes[str(size)] for size in v.shape]) for v in d.graph.declared.values()}
    for name, found in d.function("hessian")(**arrays).items():
        expected = evaluate(d.hessian(name).as_matrix(), arrays)
        assert np.allclose(found, expected, rtol=1e-8, atol=1e-8)


def test_a_kronecker_product_with_a_number_is_none():
    d = mc.derive("sum(X*kron(c, y))", shapes={"X": ("m", "n"), "c": (1, 1), "y": ("n", 1)})
    X, y = np.arange(6.0).reshape(2, 3), np.arange(3.0)[:, None]
    value, gradients = d.function()(X=X, c=2.0, y=y)
    assert value == 2 * np.sum(X @ y)
    assert gradients["c"] == np.sum(X @ y)


def test_the_negative_of_a_scalar_mask():
    d = mc.derive("relu(logdet(X))", shapes={"X": ("n", "n")})
    X, V = 2 * np.eye(3), np.arange(9.0).reshape(3, 3)
    for value, sign in ((X, 1), (X / 8, 0)):
        expected = -sign * np.linalg.inv(value).T @ V.T @ np.linalg.inv(value).T
        assert np.allclose(d.function("hvp")(X=value, tangents={"X": V})["X"], expected)


def test_of_a_matrix_and_its_transpose_one_inverse_is_computed():
    for source, wrt, shapes in (
        ("v'*inv(A + u*u')*v", "u", {"A": ("n", "n"), "u": ("n", 1), "v": ("n", 1)}),
        ("K = A + t*eye(n)\ny'*inv(K)*y", "y", {"A": ("n", "n"), "t": (1, 1), "y": ("n", 1)}),
    ):
        d = mc.derive(source, wrt=wrt, shapes=shapes)
        assert d.code().split("def _inputs")[0].count("np.linalg.inv(") == 1
        assert d.check()


def test_a_sum_of_products_is_multiplied_with_a_column_term_by_term():
    shapes = {"x": ("n", 1), "A": ("m", "n"), "B": ("p", "n")}
    code = mc.derive("(x'*A'*A*x)/(x'*B'*B*x)", wrt="x", shapes=shapes).code().split("def _inputs")[0]
    assert not re.search(r"A\.T @ A\b", code)
    assert not re.search(r"B\.T @ B\b", code)


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("text", ["convmat(vech(B), 4)", "kron(vech(B), B)", "vech(B)*vech(B*B)'", "(n*(n + 1))/2*B"])
def test_sizes_that_are_fractions_on_paper_are_whole_numbers(text, size):
    """The size of vech(B) is n (n + 1)/2; the size of an identity beside it must be no float."""
    d = mc.derive(f"B: n x n\n{text}", wrt="B")
    B = np.random.default_rng(size).standard_normal((size, size))
    value, J = d.function("value"), d.function("jacobian")(B=B)["B"]
    units = [unit.reshape((size, size), order="F") for unit in np.eye(size * size)]
    differences = [(value(B=B + 1e-6 * E) - value(B=B - 1e-6 * E)) / 2e-6 for E in units]
    np.testing.assert_allclose(J, np.column_stack([np.ravel(D, order="F") for D in differences]), atol=1e-7)


@pytest.mark.parametrize(
    ("source", "wrt"),
    [("A: n x n; b: n x 1; c: n x 1; b'*A^(-3)*c", "b"), ("S: n x n spd; B: n x m; tr(B'*S^(-2)*B)", "B")],
)
def test_powers_of_inverses_in_products_are_systems(source, wrt):
    d = mc.derive(source, wrt=wrt)
    text = d.code("gradient")
    assert "matrix_power" not in text
    assert "linalg.inv" not in text
    assert d.check()


def test_an_implicit_derivative_reuses_the_factorisation():
    source = "X: n x p; y: n x 1; c: 1 x 1 positive; v: p x 1; w: p x 1 minimizes norm2(X*w - y)^2 + c*norm2(w)^2; v'*w"
    text = mc.derive(source, wrt="c").code("value_and_grad")
    body = text[text.index("def value_and_grad") : text.index("def _")]
    assert body.count("cholesky(") == 1
    assert "matrix_power" not in body
