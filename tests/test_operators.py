"""Jacobians and Hessians as linear operators and as Kronecker factors: the matrices that they stand for."""

from time import perf_counter

import numpy as np
import pytest

import matcalc as mc
from matcalc.errors import MatcalcError, NoRuleError
from tests.test_blocks import CASES, SIZES, arrays_of

FACTORISATION = "U: m x k\nV: n x k\nT: m x n\nE = U*V' - T\nsum(E.*E)"
OTHERS = [
    (FACTORISATION, "U", {"m": 4, "n": 3, "k": 2}),
    (FACTORISATION, "V", {"m": 4, "n": 3, "k": 2}),
    ("X: n x k\ny: n x 1\nw: k x 1\nsum(log(1 + exp(-y.*(X*w))))", "w", {"n": 5, "k": 3}),
    ("A: n x n\nX: n x n\ntr(A*X*X*X)", "X", {"n": 3}),
    ("S: n x n\ntr(S*S')^2", "S", {"n": 3}),
    ("x: n x 1\nA: n x n\nx'*A*x*exp(x'*x)", "x", {"n": 3}),
    ("W: p x q\nx: q x 1\ny: p x 1\nsum(tanh(W*x - y))", "W", {"p": 3, "q": 4}),
]


def agrees(operator, dense):
    assert operator.shape == dense.shape
    assert np.allclose(operator @ np.eye(dense.shape[1]), dense)
    assert np.allclose(operator.T @ np.eye(dense.shape[0]), dense.T)


@pytest.mark.parametrize(("source", "name", "sizes"), [*((*case, SIZES) for case in CASES), *OTHERS])
def test_hessians(source, name, sizes):
    d = mc.derive(source, wrt=name)
    arrays = arrays_of(d, sizes)
    agrees(d.hessian(name).linear_operator(**arrays), d.function("hessian")(**arrays)[name])


@pytest.mark.parametrize("name", ["X", "W"])
@pytest.mark.parametrize("value", ["softmax(X*W, 2)", "tanh(X*W)*A", "A*tanh(W'*X')", "W'*X'*X*W", "X*inv(W'*W)"])
def test_jacobians(value, name):
    d = mc.derive(f"X: n x p\nW: p x c\nA: c x c\n{value}", wrt=name) if "inv" not in value else None
    if d is None:
        d = mc.derive("X: n x c\nW: p x c\nA: c x c\nX*inv(W'*W)", wrt=name)
    arrays = arrays_of(d, SIZES)
    agrees(d.jacobian(name).linear_operator(**arrays), d.function("jacobian")(**arrays)[name])


def test_a_deep_network_needs_no_recursion():
    lines = ["h0: n x p", *(f"h{k} = tanh(h{k - 1}*W)" for k in range(1, 121))]
    d = mc.derive("\n".join(["W: p x p constant", *lines, "sum(h120.*h120)"]), wrt="h0")
    rng = np.random.default_rng(0)
    arrays = {"W": rng.normal(size=(3, 3)), "h0": rng.normal(size=(2, 3))}
    operator = d.jacobian("h0").linear_operator(**arrays)
    assert np.allclose(operator @ np.eye(6), d.function("jacobian")(**arrays)["h0"])


def test_factors():
    d = mc.derive(FACTORISATION, wrt="U")
    assert str(d.hessian().factors) == "[(2*V'*V, eye(m))]"
    with pytest.raises(NoRuleError, match="not a sum of Kronecker products"):
        mc.derive("sum(exp(X))", shapes={"X": ("m", "n")}, wrt="X").hessian().factors  # noqa: B018


def test_a_product_costs_the_same_whatever_the_rows():
    d = mc.derive(FACTORISATION, wrt="U")
    rng = np.random.default_rng(0)
    times = []
    for rows in (100, 100_000):
        arrays = {"U": rng.normal(size=(20, 3)), "V": rng.normal(size=(rows, 3)), "T": rng.normal(size=(20, rows))}
        H, v = d.hessian().linear_operator(**arrays), rng.normal(size=60)
        H @ v
        best = []
        for _ in range(20):
            start = perf_counter()
            H @ v
            best.append(perf_counter() - start)
        times.append(min(best))
    assert times[1] < 5 * times[0]


def test_missing_arrays_are_named():
    with pytest.raises(MatcalcError, match="no value is given for T"):
        mc.derive(FACTORISATION, wrt="U").hessian().linear_operator(U=np.ones((2, 1)), V=np.ones((3, 1)))


def test_factors_as_code():
    d = mc.derive(FACTORISATION, wrt=["U", "V"])
    assert 'return {"U": [(H_U_left, m)], "V": [(H_V_left, n)]}' in d.code("hessian", form="factored")
    arrays = arrays_of(d, {"m": 4, "n": 3, "k": 2})
    dense = d.function("hessian")(**arrays)
    for name, [(A, rows)] in d.function("hessian", form="factored")(**arrays).items():
        assert np.allclose(np.kron(A, np.eye(rows)), dense[name])
    operators = d.function("hessian", form="operator")(**arrays)
    assert all(np.allclose(operators[name] @ np.eye(len(H)), H) for name, H in dense.items())


def test_forms_that_are_not():
    d = mc.derive(FACTORISATION, wrt="U")
    with pytest.raises(MatcalcError, match="form must be one of dense, factored, operator"):
        d.function("hessian", form="sparse")
    with pytest.raises(MatcalcError, match="is for the kinds jacobian and hessian in NumPy"):
        d.function("gradient", form="operator")
    with pytest.raises(MatcalcError, match="form='factored' is for"):
        d.code("hessian", target="jax", form="factored")
    with pytest.raises(MatcalcError, match="dims: the size m must be a positive integer"):
        d.code("gradient", dims={"m": "k"})


def test_sizes_that_are_known_steer_the_code():
    d = mc.derive(FACTORISATION, wrt="U")
    assert "U @ V.T" not in d.code("gradient", dims={"m": 500, "n": 400, "k": 10})
    assert "U @ V.T" in d.code("gradient", dims={"m": 50, "n": 40, "k": 40})
    assert "U @ V.T" in d.code("gradient")


def test_the_factors_of_a_hessian_by_a_column():
    d = mc.derive("X: n x p\nw: p x 1\ny: n x 1\nc: 1 x 1\nnorm2(X*w - y)^2 + c*w'*w", wrt="w")
    assert str(d.hessian().factors) == "[(eye(1), 2*(c*eye(p) + X'*X))]"
    arrays = arrays_of(d, {"n": 4, "p": 3})
    ((first, second),) = d.function("hessian", form="factored")(**arrays)["w"]
    assert first == 1
    assert np.allclose(second, 2 * (arrays["X"].T @ arrays["X"] + np.eye(3) * arrays["c"]))
