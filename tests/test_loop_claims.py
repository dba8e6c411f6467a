"""Claims about gradients of programs with families and recurrences: never wrong, and decided where they can be."""

from __future__ import annotations

from pathlib import Path

import pytest

import matcalc as mc

ROOT = Path(__file__).resolve().parent.parent
RECURRENT = (ROOT / "examples" / "sums" / "recurrent.txt").read_text(encoding="utf-8")
FAMILY = "X: n x p\ny: n x 1\nu[k=1..K]: p x 1\nr = sum(k=1..K, tanh(X*u[k])) - y\nnorm2(r)^2/2"

JUDGED = [
    (RECURRENT, "W", "sum(t=1..T, (d_h[t] .* (1 - h[t].^2))*h[t-1]')", "proved", ""),
    (RECURRENT, "W", "sum(s=1..T, (d_h[s] .* (1 - tanh(W*h[s-1] + U*x[s]).^2))*h[s-1]')", "proved", ""),
    (RECURRENT, "W", "sum(t=1..T, (d_h[t] .* (1 - h[t].^2))*h[t]')", "disproved", ""),
    (RECURRENT, "W", "2*sum(t=1..T, (d_h[t] .* (1 - h[t].^2))*h[t-1]')", "disproved", "factor 2"),
    (RECURRENT, "W", "sum(t=2..T, (d_h[t] .* (1 - h[t].^2))*h[t-1]')", "proved or undecided", ""),
    (RECURRENT, "V", "sum(t=1..T, (V*h[t] - y[t])*h[t]')", "proved", ""),
    (RECURRENT, "V", "sum(t=1..T, (V*h[t] - y[t])*h[t])", "disproved", "shape"),
    (RECURRENT, "x", "U'*(d_h[t] .* (1 - h[t].^2))", "proved", ""),
    (RECURRENT, "x[t]", "U'*d_h[t]", "disproved", "1 - h"),
    (RECURRENT, "U", "sum(t=2..T, (d_h[t] .* (1 - h[t].^2))*x[t]')", "disproved", ""),
    (FAMILY, "u", "X'*(r .* (1 - tanh(X*u[k]).^2))", "proved", ""),
    (FAMILY, "u[k]", "X'*((1 - tanh(X*u[k]).^2) .* d_s1)", "proved", ""),
    (FAMILY, "u", "X'*(r .* tanh(X*u[k]))", "disproved", ""),
    (FAMILY, "y", "-r", "proved", ""),
    (FAMILY, "y", "r", "disproved", "sign"),
]


@pytest.mark.parametrize(("program", "name", "claim", "status", "words"), JUDGED)
def test_a_claim_about_a_program_with_loops(program: str, name: str, claim: str, status: str, words: str) -> None:
    verdict = mc.derive(program).claim(name, claim)
    assert verdict.status in status.split(" or ")
    assert words in verdict.diagnosis
    assert verdict.text().startswith(verdict.status)


def test_what_is_no_claim_is_refused() -> None:
    d = mc.derive(RECURRENT)
    for name, claim in (("W", "sum(t=1..T, q[t])"), ("Q", "W"), ("W", "sum(t=1..T")):
        with pytest.raises(mc.MatcalcError):
            d.claim(name, claim)


def test_a_name_of_a_sum_may_be_one_that_sums_get() -> None:
    d = mc.derive("u[k=1..K]: p x 1\ns1 = sum(k=1..K, norm2(u[k])^2)\ns1^2")
    assert d.evaluate(u=[[[1.0]], [[2.0]]]) == 25


CURVED = [
    ("X: n x p\ny: n x 1\nu[k=1..K]: p x 1\nsum(k=1..K, norm2(X*u[k] - y)^2 + norm1(u[k]))", ["u"], "convex"),
    ("u[k=1..K]: p x 1\n-2*sum(k=1..K, logsumexp(u[k]))", ["u"], "concave"),
    ("u[k=1..K]: p x 1\nsum(k=1..K-1, norm2(u[k+1] - u[k])) + u[1]'*u[1]", ["u"], "convex"),
    ("u[k=1..K]: p x 1\na: p x 1\nsum(k=1..K, a'*u[k])", ["u"], "affine"),
    ("u[k=1..K]: p x 1\na: p x 1\nsum(k=1..K, a'*u[k])", ["u", "a"], "neither"),
    ("u[k=1..K]: p x 1\nsum(k=1..K, norm2(u[k])^2) - u[1]'*u[1]*2", ["u"], "neither"),
    ("S[k=1..K]: p x p symmetric positive-definite\nsum(k=1..K, -logdet(S[k]))", ["S"], "convex"),
    (RECURRENT, ["W"], "neither"),
    (RECURRENT, ["V"], "convex"),
    ("u[k=1..K]: p x 1\nexp(sum(k=1..K, norm2(u[k])^2))", ["u"], "undecided"),
]


@pytest.mark.parametrize(("program", "names", "status"), CURVED)
def test_the_curvature_of_a_program_with_loops(program: str, names: list[str], status: str) -> None:
    c = mc.derive(program, wrt=names).curvature()
    assert c.status == status
    assert status in c.text()
    assert c.data()["status"] == status
