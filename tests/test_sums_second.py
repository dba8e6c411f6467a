"""Hessians of sums over families: their text against products with vectors, and what has no such form."""

from __future__ import annotations

import numpy as np
import pytest

import matcalc as mc

LEAST_SQUARES = "X[k=1..K]: n x p\ny: n x 1\nw: p x 1\nsum(k=1..K, norm2(X[k]*w - y)^2)/2 + norm2(w)^2"
LOGISTIC = "X[k=1..K]: n x p\ny: n x 1\nw: p x 1\nsum(k=1..K, sum(log(1 + exp(-y .* (X[k]*w)))))"
AND_LINEAR = (
    "X[k=1..K]: n x p\ny: n x 1\nw: p x 1\n3*sum(k=1..K, exp(y'*X[k]*w)) - sum(k=1..K, y'*X[k]*w) + sum(exp(w))"
)


@pytest.mark.parametrize("program", [LEAST_SQUARES, LOGISTIC, AND_LINEAR])
def test_a_hessian_as_text_is_the_one_of_products_with_vectors(program: str) -> None:
    rng = np.random.default_rng(0)
    arrays = {"X": rng.normal(size=(3, 4, 2)), "y": rng.normal(size=(4, 1)), "w": rng.normal(size=(2, 1))}
    d = mc.derive(program, wrt="w")
    declared = program.rpartition("\n")[0]
    form = mc.derive(f"{declared}\nv: p x 1\nH = {d.hessian()}\nv'*H*v", wrt="v")
    v = rng.normal(size=(2, 1))
    product = d.function("hvp")(**arrays, tangents={"w": v})["w"]
    assert form.evaluate(**arrays, v=v) == pytest.approx((v.T @ product).item())


def test_the_hessian_by_a_member() -> None:
    d = mc.derive("u[k=1..K]: p x 1\nX[k=1..K]: n x p\ny: n x 1\nsum(k=1..K, norm2(X[k]*u[k] - y)^2)", wrt="u")
    assert d.hessian() == "u[k]: 2*X[k]'*X[k] for k = 1..K"


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("u[k=1..K]: p x 1\nw: p x 1\nlog(sum(k=1..K, exp(u[k]'*w)))", "no linear function"),
        ("u[k=1..K]: p x 1\nw: p x 1\nh[0]=w\nh[k] = tanh(h[k-1] + u[k]) for k=1..K\nnorm2(h[K])^2", "recurrence"),
        ("u[k=1..K]: p x 1\nw: p x p\nsum(k=1..K, norm2(w*u[k])^2)", "columns and numbers"),
        ("w[k=1..K]: p x 1\nsum(k=1..K-1, norm2(w[k] - w[k+1])^2)", "more than"),
    ],
)
def test_a_hessian_that_is_no_sum_of_matrices_is_refused(program: str, words: str) -> None:
    with pytest.raises(mc.MatcalcError, match=words):
        mc.derive(program, wrt="w").hessian()
