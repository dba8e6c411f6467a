"""Sums over several families at a time: values, gradients and products with Hessians against plain loops."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

import matcalc as mc
from matcalc.errors import NoRuleError, ParseError
from tests.test_sums_papers import drawn

jax = pytest.importorskip("jax")
jnp = jax.numpy


@pytest.fixture(autouse=True)
def _doubles() -> Any:
    with jax.enable_x64(True):
        yield


def mixture(x: Any, a: Any, m: Any, S: Any) -> Any:
    total = 0.0
    for point in x:
        exponents = [
            a[k, 0]
            - jnp.linalg.slogdet(S[k])[1] / 2
            - ((point - m[k]).T @ jnp.linalg.inv(S[k]) @ (point - m[k]))[0, 0] / 2
            for k in range(len(m))
        ]
        total -= jax.scipy.special.logsumexp(jnp.stack(exponents))
    return total + len(x) * jax.scipy.special.logsumexp(a)


def graph(x: Any, A: Any) -> Any:
    n = len(x)
    return sum(A[i, j] * ((x[i] - x[j]) ** 2).sum() for i in range(n) for j in range(n) if i < j)


def ranking(x: Any, w: Any) -> Any:
    n = len(x)
    return sum(jnp.logaddexp(0, -(w.T @ (x[i] - x[j]))[0, 0]) for i in range(n) for j in range(i + 1, n))


def unequal(x: Any) -> Any:
    n = len(x)
    return sum(jnp.log(((x[i] - x[j]) ** 2).sum()) for i in range(n) for j in range(n) if i != j)


def experts(W: Any, g: Any, x: Any) -> Any:
    h, total = jnp.zeros_like(x[0]), 0.0
    for u in x:
        h = jnp.tanh(sum(g[k, 0, 0] * W[k] @ h for k in range(len(W))) + u)
        total += (h**2).sum()
    return total


def linear_experts(W: Any, x: Any) -> Any:
    h = jnp.ones_like(x[0])
    for u in x:
        h = sum(W[k] @ h + u for k in range(len(W)))
    return (h**2).sum() + sum((u.T @ W[k] @ u)[0, 0] for u in x for k in range(len(W)))


def attention(q: Any, k: Any, v: Any) -> Any:
    total = 0.0
    for query in q:
        weights = [jnp.exp((query.T @ key)[0, 0]) for key in k]
        total += ((sum(w * value for w, value in zip(weights, v)) / sum(weights)) ** 2).sum()
    return total


def three(x: Any, y: Any, z: Any) -> Any:
    return sum(jnp.exp(-((a - b) ** 2).sum()) * (b.T @ c)[0, 0] for a in x for b in y for c in z)


def products(A: Any, B: Any, C: Any) -> Any:
    return sum(jnp.trace(A[i] @ B[k] @ C) ** 2 / (1 + C[i, k] ** 2) for i in range(len(A)) for k in range(len(B)))


PROGRAMS: dict[str, tuple[str, list[str], Callable[..., Any]]] = {
    "mixture": (
        "x[i=1..n]: p x 1\na: K x 1\nm[k=1..K]: p x 1\nS[k=1..K]: p x p symmetric positive-definite\n"
        "-sum(i=1..n, log(sum(k=1..K, exp(a[k] - logdet(S[k])/2 - (x[i] - m[k])'*inv(S[k])*(x[i] - m[k])/2))))"
        " + n*log(sum(exp(a)))",
        ["m", "a", "x"],
        mixture,
    ),
    "graph": (
        "x[i=1..n]: p x 1\nA: n x n\nsum(i=1..n, j=1..n, i<j, A[i,j]*norm2(x[i] - x[j])^2)",
        ["x", "A"],
        graph,
    ),
    "ranking": (
        "x[i=1..n]: p x 1\nw: p x 1\nsum(i=1..n, j=i+1..n, log(1 + exp(-w'*(x[i] - x[j]))))",
        ["x", "w"],
        ranking,
    ),
    "unequal": ("x[i=1..n]: p x 1\nsum(i=1..n, j=1..n, i != j, log(norm2(x[i] - x[j])^2))", ["x"], unequal),
    "experts": (
        "W[k=1..K]: d x d\ng[k=1..K]: 1 x 1\nx[t=1..T]: d x 1\nh[0] = zeros(d, 1)\n"
        "h[t] = tanh(sum(k=1..K, g[k]*W[k]*h[t-1]) + x[t]) for t = 1..T\nsum(t=1..T, norm2(h[t])^2)",
        ["W", "g", "x"],
        experts,
    ),
    "linear_experts": (
        "W[k=1..K]: d x d\nx[t=1..T]: d x 1\nh[0] = ones(d, 1)\nh[t] = sum(k=1..K, W[k]*h[t-1] + x[t]) for t = 1..T\n"
        "norm2(h[T])^2 + sum(t=1..T, k=1..K, x[t]'*W[k]*x[t])",
        ["W", "x"],
        linear_experts,
    ),
    "attention": (
        "q[t=1..T]: d x 1\nk[s=1..T]: d x 1\nv[s=1..T]: d x 1\n"
        "sum(t=1..T, norm2(sum(s=1..T, exp(q[t]'*k[s])*v[s])/sum(s=1..T, exp(q[t]'*k[s])))^2)",
        ["q", "k", "v"],
        attention,
    ),
    "three": (
        "x[i=1..n]: p x 1\ny[j=1..m]: p x 1\nz[l=1..K]: p x 1\n"
        "sum(i=1..n, j=1..m, l=1..K, exp(-norm2(x[i] - y[j])^2)*(y[j]'*z[l]))",
        ["x", "y", "z"],
        three,
    ),
    "products": (
        "A[i=1..n]: d x q\nB[k=1..2]: q x n\nC: n x d\nsum(i=1..n, k=1..2, tr(A[i]*B[k]*C)^2/(1 + C[i,k]^2))",
        ["A", "B", "C"],
        products,
    ),
}
COMPILED = sorted(set(PROGRAMS) - {"experts", "linear_experts"})  # sums inside of recurrences are not


@cache
def given(name: str) -> tuple[mc.Derivation, dict[str, np.ndarray], Any, dict[str, Any]]:
    program, wrt, loops = PROGRAMS[name]
    arrays = drawn(program, np.random.default_rng(3))
    value, gradients = jax.value_and_grad(lambda moving: loops(**{**arrays, **moving}))({n: arrays[n] for n in wrt})
    return mc.derive(program, wrt=wrt), arrays, value, gradients


CASES = [*(("numpy", name) for name in PROGRAMS), *(("jax", n) for n in ("graph", "experts"))]
CASES += [("torch", "linear_experts"), ("torch", "unequal")]


@pytest.mark.parametrize(("target", "name"), CASES)
def test_values_and_gradients_are_those_of_plain_loops(target: str, name: str) -> None:
    d, arrays, value, gradients = given(name)
    if target == "torch":
        pytest.importorskip("torch")
    found, made = d.function(target=target)(**arrays)
    assert float(found) == pytest.approx(float(value), rel=1e-10)
    assert d.evaluate(**arrays) == pytest.approx(float(value), rel=1e-10)
    for key, expected in gradients.items():
        np.testing.assert_allclose(np.asarray(made[key]), expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", ["mixture", "products"])
def test_numba_compiles_them(name: str) -> None:
    pytest.importorskip("numba")
    d, arrays, value, gradients = given(name)
    found, made = d.function(target="numba")(**arrays)
    assert found == pytest.approx(float(value), rel=1e-10)
    for key, expected in gradients.items():
        np.testing.assert_allclose(made[key], expected, rtol=1e-8, atol=1e-9)


def test_numba_says_what_it_does_not_compile() -> None:
    with pytest.raises(NoRuleError, match="sum over k inside of the recurrence h is not compiled for numba"):
        mc.derive(PROGRAMS["experts"][0]).code(target="numba")
    assert all("njit" in mc.derive(PROGRAMS[name][0], wrt=PROGRAMS[name][1]).code(target="numba") for name in COMPILED)


@pytest.mark.parametrize("name", ["mixture", "graph", "linear_experts", "attention"])
def test_the_page_is_checked_and_products_with_the_hessian_are_differences(name: str) -> None:
    d, arrays, _, _ = given(name)
    assert d.check(trials=1).ok
    rng = np.random.default_rng(5)
    along = {n: rng.standard_normal(arrays[n].shape) for n in d.names}
    product = d.function("hvp")(**arrays, tangents=along)
    product = product[1] if isinstance(product, tuple) else product
    moved = ({n: arrays[n] + step * along[n] for n in along} for step in (1e-6, -1e-6))
    ends = [d.function("gradient")(**{**arrays, **new}) for new in moved]
    for key in d.names:
        difference = (ends[0][key] - ends[1][key]) / 2e-6
        np.testing.assert_allclose(product[key], difference, rtol=1e-4, atol=1e-4 * np.abs(difference).max())


def test_a_mixture_is_printed_as_in_papers() -> None:
    d = given("mixture")[0]
    lines = d.text().splitlines()
    assert any(
        line.startswith("  s1[i] = sum(k=1..K, exp(a[k] - ") and line.endswith(" for i = 1..n") for line in lines
    )
    assert "  g_s1[i] = -1/s1[i] for i = n..1" in lines
    assert any(line.startswith("  df/dm[k] = sum(i=1..n, ") for line in lines)
    assert r"\sum_{i=1}^{n}" in d.latex()


def test_pairs_of_members_are_gathered_by_one_index() -> None:
    lines = given("graph")[0].text().splitlines()
    whole = "sum(j=1..n, i < j, 2*A[i, j]*(x[i] - x[j])) + sum(j=1..n, j < i, 2*A[j, i]*(x[i] - x[j]))"
    assert f"df/dx[i] = {whole} for i = 1..n" in " ".join(line.strip() for line in lines)
    assert "  df/dA[i, j] = norm2(x[i] - x[j])^2 for i = 1..n, j = 1..n, i < j" in lines


def test_far_points_of_a_mixture_do_not_overflow() -> None:
    d, arrays, _, _ = given("mixture")
    arrays = {**arrays, "x": arrays["x"] + 1e3}
    value, gradients = jax.value_and_grad(lambda m: mixture(**{**arrays, "m": m}))(arrays["m"])
    for target in ("numpy", "jax"):
        found, made = d.function(target=target)(**arrays)
        assert float(found) == pytest.approx(float(value), rel=1e-9)
        np.testing.assert_allclose(np.asarray(made["m"]), gradients, rtol=1e-6, atol=1e-6)


def test_a_chain_of_log_sums_in_a_recurrence_does_not_overflow() -> None:
    program = (
        "A[k=1..K]: d x 1\nx[t=1..T]: d x 1\nh[0] = zeros(1, 1)\n"
        "h[t] = h[t-1] + log(sum(k=1..K, exp(A[k]'*x[t]))) for t = 1..T\nh[T]"
    )
    d = mc.derive(program, wrt="A")
    arrays = drawn(program, np.random.default_rng(0))
    arrays["x"] = 1e4 * arrays["x"]
    value, gradients = d.function()(**arrays)
    expected = jax.grad(
        lambda A: sum(jax.scipy.special.logsumexp(jnp.stack([(a.T @ x)[0, 0] for a in A])) for x in arrays["x"])
    )(arrays["A"])
    assert np.isfinite(value)
    np.testing.assert_allclose(gradients["A"], expected, rtol=1e-8, atol=1e-6)


def test_claims_on_them_are_judged() -> None:
    d = given("graph")[0]
    right = "sum(j=1..n, i<j, 2*A[i,j]*(x[i] - x[j])) + sum(j=1..n, j<i, 2*A[j,i]*(x[i] - x[j]))"
    assert d.claim("x", right).status != "disproved"
    assert d.claim("x", "sum(j=1..n, i<j, 2*A[i,j]*(x[i] - x[j]))").status == "disproved"
    d = given("three")[0]
    assert d.claim("z[l]", "sum(i=1..n, j=1..m, exp(-norm2(x[i] - y[j])^2)*y[j])").status == "proved"
    assert d.claim("z[l]", "sum(i=1..n, exp(-norm2(x[i] - y[1])^2)*y[1])").status == "disproved"
    assert given("experts")[0].claim("W[k]", "sum(t=1..T, g[k]*g_s1[t]*h[t-1]')").status == "proved"


def test_the_hessian_of_such_a_sum_and_its_convexity() -> None:
    d = mc.derive(PROGRAMS["ranking"][0], wrt="w")
    assert str(d.hessian()).startswith("sum(i=1..n, j=2..n, j >= i + 1, ")
    assert d.curvature().status == "convex"


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("x[i=1..n]: p x 1; y[j=1..m]: p x 1; sum(i=1..n, prod(j=1..m, x[i]'*y[j]))", "prod over j inside of a loop"),
        ("x[i=1..n]: p x 1; sum(i=1..n, j=1..n, i<i, x[i]'*x[j])", "two different indices"),
        ("x[i=1..n]: p x 1; sum(i=1..n, j=i..i+1, x[i]'*x[j])", "one end"),
        (
            "x[i=1..n]: p x 1; h[0] = x[1]\nh[t] = sum(s=1..n, h[s]) for t = 1..n\nnorm2(h[n])^2",
            "inside of its own loop",
        ),
        (
            "x[i=1..n]: p x 1; sum(i=1..n, j=1..n, log(1 + sum(k=1..n, (x[i]'*x[j] + x[k]'*x[j])^2)))",
            "must be all that is summed over j",
        ),
    ],
)
def test_what_is_not_read_is_said(program: str, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        mc.derive(program.replace("; ", "\n"))
