"""Sums and recurrences as papers write them: values and all gradients against plain loops, differentiated by JAX."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import matcalc as mc

jax = pytest.importorskip("jax")
jnp = jax.numpy
SIZES = {"n": 5, "p": 3, "m": 4, "d": 2, "q": 3, "K": 3, "T": 5}
DECLARED = re.compile(r"(\w+)(?:\[\w+=(-?\w+)\.\.(\w+)\])?: (\w+) x (\w+)(.*)")


@pytest.fixture(autouse=True)
def _doubles() -> Any:
    with jax.enable_x64(True):
        yield


def drawn(program: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Values for what a program declares; families as arrays whose first axis is the index."""
    arrays = {}
    for line in re.split(r"[;\n]", program):
        found = DECLARED.fullmatch(line.strip())
        if not found:
            continue
        name, first, last, rows, columns, facts = found.groups()
        shape = tuple(int(s) if s.isdigit() else SIZES[s] for s in (rows, columns))
        size = () if first is None else (SIZES.get(last) or int(last) - int(first) + 1,)
        values = rng.standard_normal((*size, *shape))
        if "definite" in facts:
            values = values @ np.swapaxes(values, -1, -2) + 2 * np.eye(shape[0])
        elif "positive" in facts:
            values = np.abs(values) + 0.3
        arrays[name] = values
    return arrays


def log1p_exp(x: Any) -> Any:
    return jnp.logaddexp(0.0, x)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + jnp.exp(-x))


def log_sum_exp(values: list[Any]) -> Any:
    values = jnp.stack(values)
    top = values.max()
    return top + jnp.log(jnp.exp(values - top).sum())


def info_nce(Z: Any, V: Any, tau: Any) -> Any:
    n = len(Z)
    s = [[Z[i] @ V[j] / tau[0, 0] for j in range(n)] for i in range(n)]
    return -sum(s[i][i] - log_sum_exp(s[i]) for i in range(n)) / n


def triplet(A: Any, P: Any, N: Any, c: Any) -> Any:
    return sum(
        jnp.maximum(((A[i] - P[i]) ** 2).sum() - ((A[i] - N[j]) ** 2).sum() + c[0, 0], 0)
        for i in range(len(A))
        for j in range(len(N))
    )


def potts(J: Any, h: Any, X: Any) -> Any:
    n, K = X.shape
    pairs = sum(J[i, j] * X[i] @ X[j] for i in range(n) for j in range(i + 1, n))
    return -pairs - sum(h[i, 0] * X[i, 0] for i in range(n)) + 0 * K


def pseudo_likelihood(J: Any, b: Any, X: Any) -> Any:
    n, p = X.shape
    return sum(
        log1p_exp(-2 * X[k, i] * (b[i, 0] + sum(J[i, j] * X[k, j] for j in range(p) if j != i)))
        for k in range(n)
        for i in range(p)
    )


def gru(Wz: Any, Uz: Any, Wr: Any, Ur: Any, Wh: Any, Uh: Any, x: Any, y: Any) -> Any:
    h, total = jnp.zeros((2, 1)), 0.0
    for t in range(len(x)):
        z, r = sigmoid(Wz @ h + Uz @ x[t]), sigmoid(Wr @ h + Ur @ x[t])
        h = (1 - z) * h + z * jnp.tanh(Wh @ (r * h) + Uh @ x[t])
        total += ((h - y[t]) ** 2).sum()
    return total


def auto_regressive(y: Any, a: Any, b: Any) -> Any:
    T = len(y)
    return sum((y[t, 0] - a[0, 0] * y[t - 1, 0] - b[0, 0] * y[t - 2, 0]) ** 2 for t in range(2, T))


def arma(y: Any, a: Any, b: Any) -> Any:
    e, last = [0.0], 0.0
    for t in range(len(y)):
        e.append(y[t, 0] - a[0, 0] * last - b[0, 0] * e[-1])
        last = y[t, 0]
    return sum(v**2 for v in e)


def second_order(a: Any, b: Any, u: Any) -> Any:
    s = [1.0, 0.0]
    for t in range(len(u)):
        s.append(a[0, 0] * s[-1] + b[0, 0] * s[-2] + jnp.sin(u[t, 0]))
    return sum(v**4 for v in s[2:]) + s[-1] * s[-2]


def vector_auto_regression(A: Any, B: Any, S: Any, y: Any) -> Any:
    e = [y[t] - A @ y[t - 1] - B @ y[t - 2] for t in range(2, len(y))]
    return sum((r.T @ jnp.linalg.solve(S, r))[0, 0] for r in e) + (len(y) - 2) * jnp.linalg.slogdet(S)[1]


def egarch(y: Any, w: Any, a: Any, b: Any) -> Any:
    v = [w[0, 0]]
    for t in range(1, len(y)):
        v.append(w[0, 0] + a[0, 0] * jnp.abs(y[t - 1, 0]) * jnp.exp(-v[-1] / 2) + b[0, 0] * v[-1])
    return sum(v[t] + y[t, 0] ** 2 * jnp.exp(-v[t]) for t in range(len(y)))


def em_bound(X: Any, R: Any, m: Any, S: Any) -> Any:
    total = 0.0
    for i in range(len(X)):
        for k in range(len(m)):
            r = X[i][:, None] - m[k]
            total += R[i, k] * (jnp.linalg.slogdet(S[k])[1] + (r.T @ jnp.linalg.solve(S[k], r))[0, 0])
    return -total / 2


def k_means(X: Any, M: Any) -> Any:
    return sum(min_of([((X[i] - M[k]) ** 2).sum() for k in range(len(M))]) for i in range(len(X)))


def min_of(values: list[Any]) -> Any:
    return jnp.stack(values).min()


def fuzzy_means(X: Any, m: Any, R: Any) -> Any:
    return sum(R[i, k] ** 2 * ((X[i][:, None] - m[k]) ** 2).sum() for i in range(len(X)) for k in range(len(m)))


def mmd(X: Any, Y: Any, s: Any) -> Any:
    def k(a: Any, b: Any) -> Any:
        return jnp.exp(-((a - b) ** 2).sum() / (2 * s[0, 0] ** 2))

    n, m = len(X), len(Y)
    xx = sum(k(X[i], X[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    yy = sum(k(Y[i], Y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return xx + yy - 2 * sum(k(X[i], Y[j]) for i in range(n) for j in range(m)) / (n * m)


def kendall(x: Any, y: Any) -> Any:
    n = len(x)
    return sum(jnp.tanh((x[i, 0] - x[j, 0]) * (y[i, 0] - y[j, 0])) for i in range(n) for j in range(i + 1, n)) / (
        n * (n - 1) / 2
    )


def cox(X: Any, w: Any, e: Any) -> Any:
    n = len(X)
    s = [(X[i] @ w)[0] for i in range(n)]
    return -sum(e[i, 0] * (s[i] - log_sum_exp(s[i:])) for i in range(n))


def plackett_luce(s: Any) -> Any:
    n = len(s)
    return -sum(s[i, 0] - jnp.log(sum(jnp.exp(s[j, 0]) for j in range(i, n))) for i in range(n))


def bradley_terry(W: Any, s: Any) -> Any:
    n = len(s)
    return sum(W[i, j] * log1p_exp(s[j, 0] - s[i, 0]) for i in range(n) for j in range(n) if i != j)


def poisson_factors(Y: Any, U: Any, V: Any) -> Any:
    n, m = Y.shape
    return sum(jnp.exp(U[i] @ V[j]) - Y[i, j] * (U[i] @ V[j]) for i in range(n) for j in range(m))


def mixture_far(X: Any, a: Any, m: Any, S: Any) -> Any:
    total = 0.0
    for i in range(len(X)):
        terms = []
        for k in range(len(m)):
            r = X[i][:, None] - m[k]
            terms.append(a[k, 0] - jnp.linalg.slogdet(S[k])[1] / 2 - (r.T @ jnp.linalg.solve(S[k], r))[0, 0] / 2)
        total += log_sum_exp(terms)
    return total


def total_variation(X: Any) -> Any:
    n, m = X.shape
    return sum(jnp.sqrt((X[i + 1, j] - X[i, j]) ** 2 + 0.1) for i in range(n - 1) for j in range(m))


def word_vectors(X: Any, Y: Any, b: Any, c: Any, F: Any, L: Any) -> Any:
    n, m = len(X), len(Y)
    return sum(F[i, j] * (X[i] @ Y[j] + b[i, 0] + c[j, 0] - L[i, j]) ** 2 for i in range(n) for j in range(m))


def momentum(X: Any, y: Any, s: Any, b: Any) -> Any:
    w = v = jnp.zeros((3, 1))
    for _ in range(SIZES["T"]):
        v = b * v - s * X.T @ (X @ w - y)
        w = w + v
    return ((X @ w - y) ** 2).sum()


def sinkhorn(C: Any, e: Any) -> Any:
    K = jnp.exp(-C / e[0, 0])
    n = len(C)
    u = jnp.ones((n, 1)) / n
    for _ in range(SIZES["T"]):
        v = 1 / (n * (K.T @ u))
        u = 1 / (n * (K @ v))
    v = 1 / (n * (K.T @ u))
    return (u * ((K * C) @ v)).sum()


def attention(Q: Any, K: Any, V: Any) -> Any:
    total = 0.0
    for i in range(len(Q)):
        s = jnp.stack([Q[i] @ K[j] / jnp.sqrt(3.0) for j in range(len(K))])
        a = jnp.exp(s - s.max())
        a = a / a.sum()
        total += (sum(a[j] * V[j] for j in range(len(K))) ** 2).sum()
    return total


def random_field(F: Any, A: Any) -> Any:
    l = F[:, 0]
    for t in range(1, F.shape[1]):
        l = jnp.stack([F[k, t] + log_sum_exp([A[j, k] + l[j] for j in range(len(l))]) for k in range(len(l))])
    return log_sum_exp(list(l))


def neural_ode(W: Any, b: Any, x: Any, h: Any) -> Any:
    z = x
    for _ in range(SIZES["T"]):
        k1 = jnp.tanh(W @ z + b)
        k2 = jnp.tanh(W @ (z + h * k1 / 2) + b)
        z = z + h * k2
    return (z**2).sum()


def layers(W: Any, x: Any, y: Any) -> Any:
    h = x
    for k in range(len(W)):
        h = jnp.maximum(W[k] @ h, 0) + h
    return ((h - y) ** 2).sum()


PAPERS: dict[str, tuple[str, Callable[..., Any]]] = {
    "info-nce": (
        "Z: n x p\nV: n x p\ntau: 1 x 1 positive\n"
        "-mean(i=1..n, log(exp(Z[i,:]*V[i,:]'/tau)/sum(j=1..n, exp(Z[i,:]*V[j,:]'/tau))))",
        info_nce,
    ),
    "triplet": (
        "A: n x p\nP: n x p\nN: m x p\nc: 1 x 1\n"
        "sum(i=1..n, j=1..m, relu(norm2(A[i,:] - P[i,:])^2 - norm2(A[i,:] - N[j,:])^2 + c))",
        triplet,
    ),
    "potts": (
        "J: n x n\nh: n x 1\nX: n x K\n-sum(i=1..n, j=1..n, i<j, J[i,j]*X[i,:]*X[j,:]') - sum(i=1..n, h[i]*X[i,1])",
        potts,
    ),
    "pseudo-likelihood": (
        "J: p x p\nb: p x 1\nX: n x p\n"
        "sum(k=1..n, i=1..p, log(1 + exp(-2*X[k,i]*(b[i] + sum(j=1..p, j!=i, J[i,j]*X[k,j])))))",
        pseudo_likelihood,
    ),
    "gru": (
        "Wz: d x d\nUz: d x q\nWr: d x d\nUr: d x q\nWh: d x d\nUh: d x q\nx[t=1..T]: q x 1\ny[t=1..T]: d x 1\n"
        "h[0] = zeros(d, 1)\nz[t] = sigmoid(Wz*h[t-1] + Uz*x[t]) for t = 1..T\n"
        "r[t] = sigmoid(Wr*h[t-1] + Ur*x[t]) for t = 1..T\n"
        "h[t] = (1 - z[t]) .* h[t-1] + z[t] .* tanh(Wh*(r[t] .* h[t-1]) + Uh*x[t]) for t = 1..T\n"
        "sum(t=1..T, norm2(h[t] - y[t])^2)",
        gru,
    ),
    "ar-2": (
        "y: T x 1\na: 1 x 1\nb: 1 x 1\nsum(t=3..T, (y[t] - a*y[t-1] - b*y[t-2])^2)",
        auto_regressive,
    ),
    "arma": (
        "y: T x 1\na: 1 x 1\nb: 1 x 1\ne[1] = y[1]\ne[t] = y[t] - a*y[t-1] - b*e[t-1] for t = 2..T\n"
        "sum(t=1..T, e[t]^2)",
        arma,
    ),
    "two-lags": (
        "a: 1 x 1\nb: 1 x 1\nu: T x 1\ns[-1] = 1\ns[0] = 0\ns[t] = a*s[t-1] + b*s[t-2] + sin(u[t]) for t = 1..T\n"
        "sum(t=1..T, s[t]^4) + s[T]*s[T-1]",
        second_order,
    ),
    "var-2": (
        "A: d x d\nB: d x d\nS: d x d symmetric positive-definite\ny[t=1..T]: d x 1\n"
        "sum(t=3..T, (y[t] - A*y[t-1] - B*y[t-2])'*inv(S)*(y[t] - A*y[t-1] - B*y[t-2])) + (T - 2)*logdet(S)",
        vector_auto_regression,
    ),
    "egarch": (
        "y: T x 1\nw: 1 x 1\na: 1 x 1\nb: 1 x 1\nv[1] = w\n"
        "v[t] = w + a*abs(y[t-1])*exp(-v[t-1]/2) + b*v[t-1] for t = 2..T\nsum(t=1..T, v[t] + y[t]^2*exp(-v[t]))",
        egarch,
    ),
    "em-bound": (
        "X: n x p\nR: n x K positive\nm[k=1..K]: p x 1\nS[k=1..K]: p x p symmetric positive-definite\n"
        "-sum(i=1..n, k=1..K, R[i,k]*(logdet(S[k]) + (X[i,:]' - m[k])'*inv(S[k])*(X[i,:]' - m[k])))/2",
        em_bound,
    ),
    "k-means": ("X: n x p\nM: m x p\nsum(i=1..n, min(k=1..m, norm2(X[i,:] - M[k,:])^2))", k_means),
    "fuzzy-means": (
        "X: n x p\nm[k=1..K]: p x 1\nR: n x K\nsum(i=1..n, k=1..K, R[i,k]^2*norm2(X[i,:]' - m[k])^2)",
        fuzzy_means,
    ),
    "mmd": (
        "X: n x p\nY: m x p\ns: 1 x 1 positive\n"
        "sum(i=1..n, j=1..n, i!=j, exp(-norm2(X[i,:] - X[j,:])^2/(2*s^2)))/(n*(n-1))"
        " + sum(i=1..m, j=1..m, i!=j, exp(-norm2(Y[i,:] - Y[j,:])^2/(2*s^2)))/(m*(m-1))"
        " - 2*mean(i=1..n, j=1..m, exp(-norm2(X[i,:] - Y[j,:])^2/(2*s^2)))",
        mmd,
    ),
    "kendall": (
        "x: n x 1\ny: n x 1\nsum(i=1..n, j=1..n, i<j, tanh((x[i] - x[j])*(y[i] - y[j])))/(n*(n-1)/2)",
        kendall,
    ),
    "cox": (
        "X: n x p\nw: p x 1\ne: n x 1\n-sum(i=1..n, e[i]*(X[i,:]*w - log(sum(j=i..n, exp(X[j,:]*w)))))",
        cox,
    ),
    "plackett-luce": ("s: n x 1\n-sum(i=1..n, log(exp(s[i])/sum(j=i..n, exp(s[j]))))", plackett_luce),
    "bradley-terry": (
        "W: n x n\ns: n x 1\n-sum(i=1..n, j=1..n, i!=j, W[i,j]*log(exp(s[i])/(exp(s[i]) + exp(s[j]))))",
        bradley_terry,
    ),
    "poisson-factors": (
        "Y: n x m\nU: n x p\nV: m x p\nsum(i=1..n, j=1..m, exp(U[i,:]*V[j,:]') - Y[i,j]*U[i,:]*V[j,:]')",
        poisson_factors,
    ),
    "mixture": (
        "X: n x p\na: K x 1\nm[k=1..K]: p x 1\nS[k=1..K]: p x p symmetric positive-definite\n"
        "sum(i=1..n, log(sum(k=1..K, exp(a[k] - logdet(S[k])/2 - (X[i,:]' - m[k])'*inv(S[k])*(X[i,:]' - m[k])/2))))",
        mixture_far,
    ),
    "total-variation": ("X: n x m\nsum(i=1..n-1, j=1..m, sqrt((X[i+1,j] - X[i,j])^2 + 0.1))", total_variation),
    "word-vectors": (
        "X: n x p\nY: m x p\nb: n x 1\nc: m x 1\nF: n x m\nL: n x m\n"
        "sum(i=1..n, j=1..m, F[i,j]*(X[i,:]*Y[j,:]' + b[i] + c[j] - L[i,j])^2)",
        word_vectors,
    ),
    "momentum": (
        "X: n x p\ny: n x 1\ns: 1 x 1\nb: 1 x 1\nv[0] = zeros(p, 1)\nw[0] = zeros(p, 1)\n"
        "v[t] = b*v[t-1] - s*X'*(X*w[t-1] - y) for t = 1..T\nw[t] = w[t-1] + v[t] for t = 1..T\nnorm2(X*w[T] - y)^2",
        momentum,
    ),
    "sinkhorn": (
        "C: n x n\ne: 1 x 1 positive\nK = exp(-C/e)\nu[0] = ones(n, 1)/n\n"
        "v[t] = 1 ./ (n*K'*u[t-1]) for t = 1..T+1\nu[t] = 1 ./ (n*K*v[t]) for t = 1..T+1\n"
        "sum(u[T] .* ((K .* C)*v[T+1]))",
        sinkhorn,
    ),
    "attention": (
        "Q: n x p\nK: m x p\nV: m x d\n"
        "sum(i=1..n, norm2("
        "sum(j=1..m, exp(Q[i,:]*K[j,:]'/sqrt(p))/sum(l=1..m, exp(Q[i,:]*K[l,:]'/sqrt(p)))*V[j,:]))^2)",
        attention,
    ),
    "random-field": (
        "F: K x T\nA: K x K\nl[1] = F[:,1]\nl[t] = F[:,t] + log(exp(A')*exp(l[t-1])) for t = 2..T\nlogsumexp(l[T])",
        random_field,
    ),
    "midpoint-ode": (
        "W: d x d\nb: d x 1\nx: d x 1\nh: 1 x 1\nz[0] = x\n"
        "z[t] = z[t-1] + h*tanh(W*(z[t-1] + h*tanh(W*z[t-1] + b)/2) + b) for t = 1..T\nnorm2(z[T])^2",
        neural_ode,
    ),
    "layers": (
        "W[k=1..K]: p x p\nx: p x 1\ny: p x 1\nh[0] = x\nh[k] = relu(W[k]*h[k-1]) + h[k-1] for k = 1..K\n"
        "norm2(h[K] - y)^2",
        layers,
    ),
}


def sizes_of(name: str) -> dict[str, int]:
    """Sizes that no array fixes."""
    return {"T": SIZES["T"]} if name in ("momentum", "sinkhorn", "midpoint-ode") else {}


@pytest.mark.parametrize("name", PAPERS)
def test_a_sum_of_a_paper(name: str) -> None:
    program, reference = PAPERS[name]
    rng = np.random.default_rng(len(name))
    d = mc.derive(program)
    arrays = drawn(program, rng)
    value, gradients = d.function("value_and_grad")(**arrays, dims=sizes_of(name) or None)
    wanted, slopes = jax.value_and_grad(lambda given: jnp.reshape(reference(**given), ()))(arrays)
    assert value == pytest.approx(float(wanted), rel=1e-11)
    assert gradients.keys() == arrays.keys()
    for key, slope in slopes.items():
        np.testing.assert_allclose(np.asarray(gradients[key]).reshape(slope.shape), slope, rtol=1e-9, atol=1e-11)


LOOPS = ("gru", "arma", "two-lags", "var-2", "egarch", "em-bound", "mixture", "momentum", "sinkhorn", "layers")


@pytest.mark.parametrize("name", LOOPS)
def test_the_hessian_of_a_paper_times_a_vector(name: str) -> None:
    program, reference = PAPERS[name]
    arrays = drawn(program, np.random.default_rng(len(name)))
    tangents = {n: np.cos(np.arange(a.size)).reshape(a.shape) for n, a in arrays.items()}
    d = mc.derive(program)
    sizes = sizes_of(name) or None

    def value(given: Any) -> Any:
        return jnp.reshape(reference(**given), ())

    _, along = jax.jvp(value, (arrays,), (tangents,))
    assert d.function("jvp")(**arrays, tangents=tangents, dims=sizes) == pytest.approx(float(along), rel=1e-9)
    products = d.function("hvp")(**arrays, tangents=tangents, dims=sizes)
    _, wanted = jax.jvp(jax.grad(value), (arrays,), (tangents,))
    for key, product in wanted.items():
        found = np.asarray(products[key]).reshape(product.shape)
        np.testing.assert_allclose(found, product, rtol=1e-7, atol=1e-9 * (1 + np.abs(product).max()))


@pytest.mark.parametrize("target", ["numpy", "jax", "torch"])
def test_a_mixture_of_gaussians_neither_overflows_nor_underflows_for_far_points(target: str) -> None:
    pytest.importorskip(target)
    program, reference = PAPERS["mixture"]
    arrays = drawn(program, np.random.default_rng(2))
    arrays["X"] *= 1000
    wanted, slopes = jax.value_and_grad(lambda given: jnp.reshape(reference(**given), ()))(arrays)
    d = mc.derive(program)
    value, gradients = d.function(target=target)(**arrays)
    assert np.isfinite(float(wanted))
    assert float(value) == pytest.approx(float(wanted), rel=1e-11)
    assert d.evaluate(**arrays) == pytest.approx(float(wanted), rel=1e-11)
    for key, slope in slopes.items():
        found = np.asarray(gradients[key]).reshape(slope.shape)
        np.testing.assert_allclose(found, slope, rtol=1e-8, atol=1e-9 * np.abs(slope).max())


TAKEN = {
    "logsumexp(k=1..K, 300*u[k]'*x)": lambda u, x: log_sum_exp([300 * (v.T @ x)[0, 0] for v in u]),
    "max(k=1..K, u[k]'*x)": lambda u, x: jnp.stack([(v.T @ x)[0, 0] for v in u]).max(),
    "min(k=1..K, norm2(u[k] - x)^2)": lambda u, x: min_of([((v - x) ** 2).sum() for v in u]),
    "prod(k=1..K, u[k]'*x)": lambda u, x: jnp.prod(jnp.stack([(v.T @ x)[0, 0] for v in u])),
    "sum(max(k=1..K, u[k] .* x))": lambda u, x: jnp.stack([v * x for v in u]).max(axis=0).sum(),
    "log(mean(k=1..K, exp(u[k]'*x)))": lambda u, x: log_sum_exp([(v.T @ x)[0, 0] for v in u]) - np.log(len(u)),
}


@pytest.mark.parametrize("source", TAKEN)
def test_products_and_maxima_over_a_family(source: str) -> None:
    u, x = np.random.default_rng(1).normal(size=(4, 3, 1)), np.random.default_rng(2).normal(size=(3, 1))
    if source.startswith("prod"):
        u[1] = u[1] - (u[1].T @ x) * x / (x.T @ x)  # a factor 0: nothing is divided by it
    d = mc.derive(f"u[k=1..K]: p x 1\nx: p x 1\n{source}")
    wanted, slopes = jax.value_and_grad(lambda given: TAKEN[source](**given))({"u": u, "x": x})
    value, gradients = d.function()(u=u, x=x)
    assert value == pytest.approx(float(wanted), abs=1e-14)
    for key, slope in slopes.items():
        np.testing.assert_allclose(gradients[key], slope, rtol=1e-9, atol=1e-11)


def test_what_is_added_to_a_gradient_by_a_member_is_no_second_value() -> None:
    d = mc.derive("u[k=1..K]: p x 1\nx: p x 1\nsum(k=1..K, norm2(u[k])^2) + u[1]'*x + sum(k=2..K, x'*u[k])", wrt="u")
    assert str(d.gradient()).splitlines() == ["u[k]: 2*u[k] for k = 1..K", "u[k] += x for k = 2..K", "u[1] += x"]


CHECKPOINTED = ("gru", "two-lags", "egarch", "sinkhorn", "random-field")


@pytest.mark.parametrize("name", CHECKPOINTED)
def test_gradients_with_checkpoints_are_the_same(name: str) -> None:
    program, _ = PAPERS[name]
    d = mc.derive(program)
    arrays, sizes = drawn(program, np.random.default_rng(4)), sizes_of(name) or None
    value, gradients = d.function()(**arrays, dims=sizes)
    for every in (1, 2, 3, 20):
        found, slopes = d.function(checkpoint=every)(**arrays, dims=sizes)
        assert found == pytest.approx(value, rel=1e-12)
        for key, gradient in gradients.items():
            np.testing.assert_allclose(slopes[key], gradient, rtol=1e-9, atol=1e-12)


RECURRENT = """W: d x d
U: d x q
V: 1 x d
x[t=1..T]: q x 1
y[t=1..T]: 1 x 1
h[0] = zeros(d, 1)
h[t] = tanh(W*h[t-1] + U*x[t]) for t = 1..T
sum(t=1..T, (V*h[t] - y[t])^2)/2"""


def test_checkpoints_need_the_memory_of_a_few_states() -> None:
    rng = np.random.default_rng(0)
    arrays = {"W": rng.normal(size=(20, 20)) / 5, "U": rng.normal(size=(20, 2)), "V": rng.normal(size=(1, 20))}
    arrays |= {"x": rng.normal(size=(4000, 2)), "y": rng.normal(size=4000)}
    d = mc.derive(RECURRENT, wrt="W")
    peaks = {}
    for every in (None, 60):
        f = d.function(checkpoint=every)
        f(**{**arrays, "x": arrays["x"][:5], "y": arrays["y"][:5]})
        tracemalloc.start()
        f(**arrays)
        peaks[every] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks[60] < peaks[None] / 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"checkpoint": 0}, "1 or more"),
        ({"checkpoint": True}, "1 or more"),
        ({"checkpoint": 2, "target": "torch"}, "numpy, native, numba, jax"),
        ({"checkpoint": 2, "kind": "value"}, "gradients"),
    ],
)
def test_a_checkpoint_that_means_nothing_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(mc.MatcalcError, match=words):
        mc.derive(RECURRENT, wrt="W").code(**options)


def test_a_loop_computes_what_depends_on_the_step_before_alone() -> None:
    source = mc.derive(RECURRENT, wrt=["W", "U", "V"]).code()
    loops = [part for part in source.split("\ndef ") if "for t_ in" in part]
    assert len(loops) == 2  # forwards and backwards
    assert all(part.count("@") == 1 for part in loops)  # W*h and W'*d, the products by U and V are outside
