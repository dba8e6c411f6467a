"""Strange sums, families and recurrences: each is refused, at its line, with words that say what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

import matcalc as mc

X = "x: n x 1\n"
U = "u[k=1..K]: p x 1\n"
H = "x: n x 1\nh[0] = x\n"

STRANGE = [
    (X + "sum(i=1..n, x[j])", "not used"),
    (X + "sum(i=n..1, x[i])", "empty"),
    (X + "mean(i=1..0, x[i])", "empty"),
    (X + "sum(i=1..n+1, x[i])", "outside"),
    (X + "sum(i=-1..n, x[i])", "start at 1"),
    (X + "sum(i=1..1.5, x[i])", "whole number"),
    (X + "sum(sum=1..n, x[sum])", "function"),
    (X + "sum(i=1..n, ones(i, 1))", "depends on an index"),
    (X + "sum(i=1..n, x[1]*tr(eye(i)))", "depends on an index"),
    (X + "sum(i=1..n, i<3, x[i])", "two indices"),
    (X + "sum(i=1..n, i<i, x[i])", "different"),
    (X + "sum(i=1..n, x[i])[i]", "not declared"),
    (X + "sum(x[i], i=1..n)", "missing"),
    (X + "sum(i=1..n, x[-i])", "integer"),
    (X + "max(i=1..n, j=1..n, k=1..n, x[i] + x[j]*x[k])", "no matrix form"),
    ("x: 3 x 1\nsum(i=1..4, x[i])", "outside"),
    ("x: 3 x 1\nsum(i=1..3, x[i+1])", "outside"),
    ("X: n x p\nsum(i=1..n, X[i,:][i])", "already"),
    ("X: n x p\nsum(i=1..n, X[:, i])", "outside"),
    ("X: n x p\nsum(i=1..n, X[i,1:i])", "range of entries"),
    ("X: n x p\nsum(i=1..n, sum(j=1..p, X[i,j])*X[1,j])", "not declared"),
    (U + "u", "write u["),
    (U + "sum(k=1..K, u[k,1])", "one index"),
    (U + "sum(k=1..K, norm2(u[k+1]))", "range"),
    (U + "u[0]'*u[1]", "range"),
    (U + "u[K+1]'*u[1]", "range"),
    (U + "k: 1 x 1\nsum(k=1..K, norm2(u[k]))", "already"),
    ("u[k=1..K]: k x 1\nsum(k=1..K, norm2(u[k]))", "shape"),
    (U + U + "norm2(u[1])", "twice"),
    ("u[k=0..-1]: p x 1\nnorm2(u[1])", "empty"),
    ("u[K=1..K]: p x 1\nnorm2(u[1])", "dimension"),
    (H + "h[t] = h[t] + x for t = 1..T\nnorm2(h[T])", "before it is computed"),
    (H + "h[t] = h[t-2] for t = 1..T\nnorm2(h[T])", "start"),
    (H + "h[t] = x' for t = 1..T\nnorm2(h[T])", "two shapes"),
    (H + "h[1] = x\nh[t] = h[t-1] for t = 1..T\nnorm2(h[T])", "range"),
    (H + "h[t] = h[t-1] for t = 1..T\nh[t] = h[t-1] for t = 1..T\nnorm2(h[T])", "twice"),
    (H + "h[t] = h[t-1] for s = 1..T\nnorm2(h[T])", "index"),
    (H + "h[2*t] = h[t-1] for t = 1..T\nnorm2(h[T])", "index"),
    (H + "h[t] = h[t-1] for t = 1..T\nnorm2(h[T+1])", "outside"),
    (H + "h[t] = h[t-1] for t = 1..T\nnorm2(h[T/2])", "must be an integer"),
    (H + "h[t] = h[t-1] for t = 1..T/2\nnorm2(h[1])", "whole number"),
    ("u[k=1..K/2]: p x 1\nnorm2(u[1])", "whole number"),
    (H + "h[t] = h[t-1] for t = T..1\nnorm2(h[T])", "empty"),
    (H + "h[t] = h[t-1]*s[t] for t = 1..T\ns[t] = 2 for t=1..T\nnorm2(h[T])", "before"),
]


@pytest.mark.parametrize(("program", "word"), STRANGE)
def test_a_strange_program_is_refused_at_its_line(program: str, word: str) -> None:
    with pytest.raises(mc.MatcalcError) as caught:
        mc.derive(program)
    first = str(caught.value).split("\n")[0]
    assert "line " in first
    assert word in first


def test_ranges_that_depend_on_each_other() -> None:
    d = mc.derive(X + "sum(i=1..n, j=1..i, k=1..j, x[i]*x[j]*x[k])")
    x = np.random.default_rng(0).normal(size=(4, 1))
    wanted = sum(x[i, 0] * x[j, 0] * x[k, 0] for i in range(4) for j in range(i + 1) for k in range(j + 1))
    assert d.evaluate(x=x) == pytest.approx(wanted)


def test_members_of_two_families_with_different_offsets() -> None:
    d = mc.derive("a[t=1..T]: p x 1\nb[s=1..T]: p x 1\nsum(t=1..T-1, a[t+1]'*b[t])", wrt=["a", "b"])
    a, b = np.random.default_rng(1).normal(size=(2, 5, 3))
    value, gradients = d.function()(a=a, b=b)
    assert value == pytest.approx(np.sum(a[1:] * b[:-1]))
    np.testing.assert_allclose(gradients["a"], np.vstack([np.zeros((1, 3)), b[:-1]]))
