"""Programs with loops of strange forms: empty ranges, names that code uses too, lags, slices, what is unused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_sums_papers import DECLARED

import matcalc as mc

PROGRAMS: dict[str, tuple[str, dict[str, int]]] = {
    "rows": (
        "x[t=1..T]: 1 x q\n"
        "A: q x q\n"
        "h[0] = zeros(1,q)\n"
        "h[t] = tanh(h[t-1]*A + x[t]) for t=1..T\n"
        "sum(t=1..T, h[t]*h[t]')",
        {"q": 3, "T": 4},
    ),
    "lagsum": (
        "x[t=1..T]: q x 1\nsum(t=2..T, norm2(x[t] - x[t-1])^2) + sum(t=1..T-1, x[t]'*x[t+1]) + x[1]'*x[T]",
        {"q": 3, "T": 4},
    ),
    "entries": (
        "A: n x n\n"
        "c: n x 1\n"
        "r: 1 x n\n"
        "s[0]=1\n"
        "s[k]=s[k-1]*c[k] + A[k,k]*r[k] + k for k=1..n\n"
        "sum(k=1..n, s[k]^2) + A[1,2]*s[n]",
        {"n": 4},
    ),
    "cols": (
        "X: p x n\n"
        "W: p x p\n"
        "h[0]=zeros(p,1)\n"
        "h[t]=sigmoid(W*h[t-1] + X[:,t]) for t=1..n\n"
        "sum(t=1..n, log(h[t])'*X[:,t])",
        {"n": 4, "p": 3},
    ),
    "mats": (
        "S[k=1..K]: p x p\n"
        "B: p x p\n"
        "M[0] = eye(p)\n"
        "M[k] = S[k]*M[k-1]*B + M[k-1]' for k=1..K\n"
        "tr(M[K]) + sum(k=1..K, tr(S[k]*M[k-1]))",
        {"p": 2, "K": 3},
    ),
    "twog": (
        "x[t=1..T]: q x 1\n"
        "A: q x q\n"
        "B: q x q\n"
        "h[0]=zeros(q,1)\n"
        "h[t]=tanh(A*h[t-1]+x[t]) for t=1..T\n"
        "g[0]=h[T]\n"
        "g[s]=tanh(B*g[s-1]+h[s]) for s=1..T\n"
        "sum(s=1..T, norm2(g[s])^2)*norm2(h[1])",
        {"q": 2, "T": 3},
    ),
    "sumin": (
        "x[t=1..T]: q x 1\nA: q x q\nm = sum(t=1..T, x[t])\nh[0]=m\nh[t]=tanh(A*h[t-1] + m) for t=1..T\nnorm2(h[T])^2",
        {"q": 2, "T": 3},
    ),
    "sumofsum": (
        "u[k=1..K]: p x 1\nx: p x 1\na = sum(k=1..K, exp(u[k]'*x))\nsum(k=1..K, exp(u[k]'*x)/a*norm2(u[k])^2)",
        {"p": 2, "K": 3},
    ),
    "softmaxmix": (
        "u[k=1..K]: p x 1\nX: n x p\nsum(log(sum(k=1..K, exp(X*u[k]))))",
        {"p": 2, "K": 3, "n": 4},
    ),
    "lag3": (
        "a: 1 x 1\n"
        "b: 1 x 1\n"
        "s[-2]=1\n"
        "s[-1]=b\n"
        "s[0]=a*b\n"
        "s[t]=a*s[t-3]+sin(b*s[t-1]) for t=1..T\n"
        "s[T]*s[T-2] + sum(t=-1..T, s[t]^3)",
        {"T": 5},
    ),
    "index": (
        "x: n x 1\nu[k=1..n]: n x 1\nsum(k=1..n, k*x[k]*u[k]'*x/(1+k^2))",
        {"n": 4},
    ),
    "broad": (
        "x[t=1..T]: q x 1\nb: 1 x 1\nsum(t=1..T, sum(softmax(x[t] + b) .* x[t])) + sum(t=1..T, max(x[t])) ",
        {"q": 3, "T": 4},
    ),
    "inv": (
        "A: q x q\nx[t=1..T]: q x 1\nc: q x 1\nsum(t=1..T, x[t]'*inv(A + 3*eye(q))*c) + sum(t=1..T, norm2(A*x[t]-c))",
        {"q": 3, "T": 4},
    ),
    "shadow": (
        "t1: q x 1\n"
        "all_h_t: q x q\n"
        "out1: q x 1\n"
        "total: 1 x 1\n"
        "x[t=1..T]: q x 1\n"
        "h[0]=t1\n"
        "h[t]=tanh(all_h_t*h[t-1] + x[t] + out1*total) for t=1..T\n"
        "sum(t=1..T, norm2(h[t])^2)",
        {"q": 2, "T": 3},
    ),
    "names": (
        "part1_: q x 1\n"
        "value1: q x 1\n"
        "ahead1: q x q\n"
        "x[t=1..T]: q x 1\n"
        "T_: 1 x 1\n"
        "h[0]=part1_\n"
        "h[t]=tanh(ahead1*h[t-1] + ahead1*x[t] + value1*T_) for t=1..T\n"
        "sum(t=1..T, norm2(h[t])^2)",
        {"q": 2, "T": 3},
    ),
    "dimnames": (
        "t: 1 x 1\n"
        "x[s=1..t2]: n x 1\n"
        "W: n x n\n"
        "h[0]=zeros(n,1)\n"
        "h[s]=tanh(W*h[s-1]+t*x[s]) for s=1..t2\n"
        "sum(s=1..t2, norm2(h[s])^2)",
        {"n": 2, "t2": 3},
    ),
    "neg": (
        "a[i=0..m]: 1 x 1\nx: 1 x 1\nsum(i=0..m, a[i]*x^i)",
        {"m": 3},
    ),
    "horner": (
        "a[i=0..m]: 1 x 1\nx: 1 x 1\nb[0]=a[m]\nb[i]=b[i-1]*x + a[i] for i=1..m\nb[m]^2",
        {"m": 3},
    ),
    "unused": (
        "x[t=1..T]: q x 1\ny[t=1..T]: q x 1\nA: q x q\nsum(t=1..T, norm2(x[t])^2)",
        {"q": 2, "T": 3},
    ),
    "startfam": (
        "x[t=0..T]: q x 1\nA: q x q\nh[0]=x[0]\nh[t]=A*h[t-1]+x[t] for t=1..T\nnorm2(h[T])^2",
        {"q": 2, "T": 3},
    ),
    "abs": (
        "x[t=1..T]: q x 1\n"
        "w: q x 1\n"
        "sum(t=1..T, abs(w'*x[t])) + sum(t=1..T, relu(1 - w'*x[t])) + sum(t=1..T, norm1(x[t] - w))",
        {"q": 2, "T": 3},
    ),
    "sqrtm": (
        "S[k=1..K]: p x p symmetric positive-definite\nw: p x 1\nsum(k=1..K, w'*inv(S[k])*w + logdet(S[k]))/K",
        {"p": 2, "K": 3},
    ),
    "meanfam": (
        "u[k=1..K]: p x 1\nw: p x 1\nmean(k=1..K, norm2(u[k] - w)^2) + norm2(mean(k=1..K, u[k]))^2",
        {"p": 2, "K": 3},
    ),
    "where": (
        "x[t=1..T]: 1 x 1\na: 1 x 1\nv[0]=a\nv[t]=where(x[t] > v[t-1], v[t-1] + a*x[t], a*v[t-1]) for t=1..T\nv[T]",
        {"T": 4},
    ),
    "stateless": (
        "x[t=1..T]: q x 1\nW: q x q\nz[t]=tanh(W*x[t]) for t=1..T\nsum(t=1..T, norm2(z[t])^2)",
        {"q": 2, "T": 3},
    ),
    "matmat": (
        "X[k=1..K]: n x p\nW: p x m\nsum(k=1..K, norm2(X[k]*W)^2)",
        {"n": 2, "p": 3, "m": 2, "K": 3},
    ),
    "T1hmm": (
        "A: K x K\n"
        "B: K x T\n"
        "c: K x 1\n"
        "a[1] = c .* B[:,1]\n"
        "a[t] = B[:,t] .* (A'*a[t-1])/sum(a[t-1]) for t = 2..T\n"
        "sum(t=1..T, log(sum(a[t])))",
        {"K": 2, "T": 1},
    ),
    "maxK1": (
        "u[k=1..K]: p x 1\nx: p x 1\nmax(k=1..K, u[k]'*x) + logsumexp(k=1..K, u[k]'*x)+prod(k=1..K, u[k]'*x)",
        {"p": 2, "K": 1},
    ),
    "const": (
        "x[t=1..T]: q x 1\nb: q x 1\nh[0]=b\nh[t]=b + 0*h[t-1] for t=1..T\nh[T]'*x[T]",
        {"q": 2, "T": 3},
    ),
}


def drawn(program: str, sizes: dict[str, int]) -> dict[str, Any]:
    """Values for what is declared, families as lists."""
    rng = np.random.default_rng(3)
    values: dict[str, Any] = {}
    for line in program.split("\n"):
        found = DECLARED.fullmatch(line)
        if not found:
            continue
        name, first, last, rows, columns, facts = found.groups()
        shape = tuple(int(s) if s.isdigit() else sizes[s] for s in (rows, columns))
        members = rng.normal(size=(1 if first is None else sizes[last] - int(first) + 1, *shape))
        if "definite" in facts:
            members = members @ np.swapaxes(members, -1, -2) + 2 * np.eye(shape[0])
        values[name] = members[0] if first is None else list(members)
    return values


@pytest.mark.parametrize("name", PROGRAMS)
def test_code_of_a_strange_program(name: str) -> None:
    program, sizes = PROGRAMS[name]
    d = mc.derive(program)
    values = drawn(program, sizes)
    value, gradients = d.function()(**values, dims=sizes)
    assert value == pytest.approx(d.evaluate(**values, dims=sizes), rel=1e-12)
    for key, gradient in gradients.items():
        assert type(gradient) is type(values[key])
        assert np.shape(gradient) == np.shape(values[key])
    along = {key: np.cos(np.arange(np.size(v))).reshape(np.shape(v)) for key, v in values.items()}
    slope = sum(np.vdot(gradients[key], v) for key, v in along.items())
    assert d.function("jvp")(**values, tangents=along, dims=sizes) == pytest.approx(float(slope), rel=1e-9, abs=1e-12)
    h = 1e-5
    sides = [d.evaluate(**moved(values, along, s * h), dims=sizes) for s in (1, -1)]
    assert (sides[0] - sides[1]) / (2 * h) == pytest.approx(float(slope), rel=1e-5, abs=1e-7)


def moved(values: dict[str, Any], along: dict[str, Any], by: float) -> dict[str, Any]:
    """The values a step along a direction."""
    return {k: [a + by * b for a, b in zip(v, along[k])] if isinstance(v, list) else v + by * along[k]
            for k, v in values.items()}  # fmt: skip


@pytest.mark.parametrize("name", ["entries", "lag3", "names", "T1hmm", "maxK1"])
def test_jax_computes_strange_programs_too(name: str) -> None:
    jax = pytest.importorskip("jax")
    program, sizes = PROGRAMS[name]
    values = drawn(program, sizes)
    d = mc.derive(program)
    value, gradients = d.function()(**values, dims=sizes)
    with jax.enable_x64(True):
        found, slopes = d.function(target="jax")(**values, dims=sizes)
        assert float(found) == pytest.approx(value, rel=1e-11)
        for key, gradient in gradients.items():
            np.testing.assert_allclose(np.asarray(slopes[key]), gradient, rtol=1e-9, atol=1e-11)
