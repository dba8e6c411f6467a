"""Values that JAX and PyTorch differentiate by our derivatives: alone and inside of larger models."""

import subprocess
import sys

import numpy as np
import pytest
from test_targets import SOURCES, arrays_of

import matcalc as mc
from matcalc.errors import MatcalcError, NoRuleError

MORE = {
    "matrix valued": ("X: n x k\nW: k x m\nH = tanh(X*W)\nH*H'", ["X", "W"]),
    "scalars": ("a: 1 x 1\nb: 1 x 1\nx: n x 1\nf = sqrt(a^2 + b^2)\nf*sum(x.^2)", ["a", "x"]),
    "norm": ("X: n x k\nnorm2(X)", ["X"]),
    "an input": ("X: n x k\nX'", ["X"]),
    "unused": ("X: n x k\nW: m x k\nsum(exp(X))", ["X", "W"]),
    "unused number": ("x: n x 1\nt: 1 x 1\nsum(x.^2)", ["x", "t"]),
    "row": ("x: 1 x n\nW: n x m\nsum(sigmoid(x*W) .* (x*W))/n/m", ["x", "W"]),
}
ALL = SOURCES | MORE


def case(name):
    source, wrt = ALL[name]
    d = mc.derive(source, wrt=wrt)
    arrays = arrays_of(d)
    for key, v in d.graph.declared.items():
        if v.is_scalar:
            arrays[key] = arrays[key].item()
    G = np.asarray(d.function("value")(**arrays))
    G = np.cos(np.arange(G.size)).reshape(G.shape) if G.ndim else 1.7
    return d, wrt, arrays, G, d.function("vjp")(**arrays, cotangent=G)


def jax_set_up():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    return jax


@pytest.mark.parametrize("name", ALL)
def test_jax_differentiates_by_our_derivative(name):
    jax = jax_set_up()
    d, wrt, arrays, G, wanted = case(name)
    rest = {k: a for k, a in arrays.items() if k not in wrt}
    for f in (d.function(target="jax", autodiff=True), jax.jit(d.function(target="jax", autodiff=True))):
        value, back = jax.vjp(lambda moving, f=f: f(**moving, **rest), {k: jax.numpy.asarray(arrays[k]) for k in wrt})
        (slopes,) = back(jax.numpy.asarray(G))
        assert np.allclose(value, d.function("value")(**arrays))
        assert all(np.allclose(slopes[k], wanted[k]) for k in wrt)
    plain = d.function("value", "jax")
    own = jax.vjp(lambda moving: plain(**moving, **rest), {k: jax.numpy.asarray(arrays[k]) for k in wrt})[1]
    if name != "Gaussian":  # JAX symmetrises
        assert all(np.allclose(own(jax.numpy.asarray(G))[0][k], wanted[k]) for k in wrt)


@pytest.mark.parametrize("name", ALL)
def test_pytorch_differentiates_by_our_derivative(name):
    torch = pytest.importorskip("torch")
    d, wrt, arrays, G, wanted = case(name)
    given = {k: torch.tensor(a, dtype=torch.float64, requires_grad=k in wrt) for k, a in arrays.items()}
    given |= {k: a for k, a in arrays.items() if isinstance(a, float) and k not in wrt}
    value = d.function(target="torch", autodiff=True)(**given)
    assert np.allclose(value.detach(), d.function("value")(**arrays))
    value.backward(torch.as_tensor(G, dtype=torch.float64))
    assert all(np.allclose(given[k].grad, wanted[k]) for k in wrt)


def test_inside_a_larger_jax_model():
    jax = jax_set_up()
    d, _, arrays, _, _ = case("matrix valued")
    f, plain = d.function(target="jax", autodiff=True), d.function("value", "jax")

    def model(part):
        return lambda A: jax.numpy.sum(jax.numpy.sin(part(X=jax.numpy.exp(A) / 4, W=arrays["W"] * A[0, 0])) ** 2)

    A = jax.numpy.asarray(arrays["X"])
    assert np.allclose(jax.grad(model(f))(A), jax.grad(model(plain))(A))
    assert np.allclose(jax.jit(jax.grad(model(f)))(A), jax.grad(model(plain))(A))
    assert np.allclose(jax.hessian(model(plain))(A), jax.jacrev(jax.grad(model(f)))(A))
    batch = jax.numpy.stack([A, 2 * A])
    assert np.allclose(jax.vmap(jax.grad(model(f)))(batch)[1], jax.grad(model(plain))(2 * A))


def test_inside_a_larger_pytorch_model():
    torch = pytest.importorskip("torch")
    d, _, arrays, _, _ = case("network")
    names = ("W1", "b1", "W2", "b2")
    f, plain = d.function(target="torch", autodiff=True), d.function("value", "torch")
    found = []
    for loss in (f, plain):
        torch.manual_seed(0)
        before = torch.nn.Linear(2, 2, dtype=torch.float64)
        weights = {k: torch.tensor(arrays[k], requires_grad=True) for k in names}
        d_all = mc.derive(SOURCES["network"][0], wrt=["X", *names])
        inner = d_all.function(target="torch", autodiff=True) if loss is f else loss
        X = torch.relu(before(torch.tensor(arrays["X"])))
        total = inner(X=X, Y=torch.tensor(arrays["Y"]), **weights) ** 2 + before.weight.square().sum()
        total.backward()
        found.append([before.weight.grad, before.bias.grad, *(w.grad for w in weights.values())])
    assert all(torch.allclose(a, b) for a, b in zip(*found))


def test_what_has_no_derivative_is_refused_not_zero():
    jax = jax_set_up()
    d, _, arrays, _, _ = case("logistic")
    f = d.function(target="jax", autodiff=True)
    with pytest.raises(ValueError, match="X is held fixed here"):
        jax.grad(lambda X: f(X=X, y=arrays["y"], w=arrays["w"]))(arrays["X"])
    torch = pytest.importorskip("torch")
    given = {k: torch.tensor(a, requires_grad=True) for k, a in arrays.items()}
    with pytest.raises(ValueError, match="X is held fixed here"):
        d.function(target="torch", autodiff=True)(**given)


def test_second_derivatives_are_right_or_refused():
    jax = jax_set_up()
    d = mc.derive("tr(S*S*S)", shapes={"S": ("n", "n")}, facts={"S": "symmetric"})
    f = d.function(target="jax", autodiff=True)
    S = np.array([[2.0, 1.0], [1.0, 3.0]])
    assert np.allclose(jax.grad(lambda S: f(S=S))(S), 3 * S @ S)
    with pytest.raises(NotImplementedError, match="S is symmetric: that was used"):
        jax.hessian(lambda S: f(S=S))(S)
    torch = pytest.importorskip("torch")
    S = torch.tensor(S, requires_grad=True)
    with pytest.raises(RuntimeError, match="S is symmetric: that was used"):
        torch.autograd.grad(d.function(target="torch", autodiff=True)(S=S), S, create_graph=True)


@pytest.mark.parametrize("name", ["logistic", "network", "scalars", "norm", "attention"])
def test_pytorch_differentiates_twice(name):
    torch = pytest.importorskip("torch")
    d, wrt, arrays, *_ = case(name)
    rest = {k: torch.tensor(a, dtype=torch.float64) for k, a in arrays.items() if k not in wrt}
    found = []
    for f in (d.function(target="torch", autodiff=True), d.function("value", "torch")):
        moving = {k: torch.tensor(arrays[k], dtype=torch.float64, requires_grad=True) for k in wrt}
        slopes = torch.autograd.grad(f(**moving, **rest), list(moving.values()), create_graph=True)
        sum(s.square().sum() for s in slopes).backward()
        found.append([v.grad for v in moving.values()])
    assert all(torch.allclose(a, b) for a, b in zip(*found))


def test_when_it_is_refused():
    d = mc.derive("tr(S*S)", shapes={"S": ("n", "n")}, structure={"S": "symmetric"})
    with pytest.raises(NoRuleError, match="S has a structure"):
        d.code(target="jax", autodiff=True)
    with pytest.raises(MatcalcError, match="autodiff=True is for the value and for jax and torch, got value, numpy"):
        d.code(autodiff=True)
    with pytest.raises(MatcalcError, match="got gradient, jax"):
        d.code("gradient", "jax", autodiff=True)


@pytest.mark.parametrize("target", ["jax", "torch"])
def test_the_text_is_formatted(target, tmp_path):
    for k, (source, wrt) in enumerate(ALL.values()):
        (tmp_path / f"module_{k}.py").write_text(mc.derive(source, wrt=wrt).code(target=target, autodiff=True))
    ruff = [sys.executable, "-m", "ruff"]
    subprocess.run([*ruff, "check", "--isolated", "--line-length=120", str(tmp_path)], check=True)
    subprocess.run([*ruff, "format", "--isolated", "--check", "--line-length=120", str(tmp_path)], check=True)
