"""Optima of programs with families and recurrences, and convexity through affine recurrences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_sums_papers import drawn

import matcalc as mc

LEAST = "X[k=1..K]: n x p\ny: n x 1\nw: p x 1\nsum(k=1..K, norm2(X[k]*w - y)^2)"
CONTROL = """A: p x p
B: p x q
Q: p x p symmetric positive-semidefinite
z: p x 1
u[t=1..T]: q x 1
x[0] = z
x[t] = A*x[t-1] + B*u[t] for t = 1..T
sum(t=1..T, x[t]'*Q*x[t] + norm2(u[t])^2)"""
MOVING = """a: 1 x 1
c: 1 x 1
y: T x 1
e[1] = y[1]
e[t] = y[t] - a - c*e[t-1] for t = 2..T
sum(t=1..T, e[t]^2)"""
NETWORK = """W: d x d
x[t=1..T]: d x 1
h[0] = zeros(d, 1)
h[t] = tanh(W*h[t-1] + x[t]) for t = 1..T
norm2(h[T])^2"""


def arrays_of(program: str) -> dict[str, Any]:
    """Numbers for a program."""
    found = drawn(program, np.random.default_rng(3))
    if "Q" in found:
        found["Q"] = found["Q"] @ found["Q"].T
    return found


@pytest.mark.parametrize(
    ("program", "wrt", "kind"),
    [
        (LEAST, "w", "minimum"),
        (LEAST.replace("sum(k", "-sum(k"), "w", "maximum"),
        (CONTROL, "u", "minimum"),
        (MOVING, "a", "minimum"),
        ("x[t=1..T]: p x 1\nC: p x p\nsum(t=1..T, norm2(C*x[t] - x[t])^2) + norm2(C)^2", "C", "minimum"),
        ("x[t=1..T]: p x 1\nc: p x 1\nv: p x 1\nsum(t=1..T, (x[t]'*c)^2 - (x[t]'*v)^2 + c'*v)", "c, v", "stationary"),
    ],
)
def test_the_numbers_of_a_quadratic_function_are_where_its_gradient_is_0(program: str, wrt: str, kind: str) -> None:
    d = mc.derive(program, wrt=wrt)
    arrays = arrays_of(program)
    o = d.optimum()
    assert (o.kind, o.quadratic) == (kind, True)
    found = o.solved(**arrays)
    slopes = d.function("gradient")(**{**arrays, **found})
    assert all(np.max(np.abs(slope)) < 1e-8 for slope in slopes.values())
    values = d.function("value")
    least = values(**{**arrays, **found})
    rng = np.random.default_rng(0)
    moved = [values(**{**arrays, **{n: v + rng.normal(size=np.shape(v)) for n, v in found.items()}}) for _ in range(5)]
    assert kind != "minimum" or min(moved) >= least
    assert kind != "maximum" or max(moved) <= least


def test_a_single_unknown_has_a_closed_form_in_sums() -> None:
    o = mc.minimize(LEAST, over="w")
    assert o["w"] == "inv(sum(k=1..K, 2*X[k]'*X[k]))*(sum(k=1..K, 2*X[k]'*y))"
    arrays = arrays_of(LEAST)
    X, y = np.asarray(arrays["X"]), np.asarray(arrays["y"]).reshape(-1)
    wanted = np.linalg.solve(sum(M.T @ M for M in X), sum(M.T @ y for M in X))
    np.testing.assert_allclose(np.ravel(o.solved(**arrays)["w"]), wanted)


def test_what_an_optimum_satisfies_has_the_adjoints() -> None:
    o = mc.minimize(CONTROL, over="u")
    assert (o.status, o.kind) == ("equation", "minimum")
    assert o.equations == (
        "g_x[T + 1] = 0",
        "g_x[t] = 2*Q*x[t] + A'*g_x[t + 1] for t = T..1",
        "0 = 2*u[t] + B'*g_x[t] for t = 1..T",
    )
    assert "affine states" in o.text()
    assert o.data()["unknowns"] == ["u"]


def test_nothing_is_said_that_is_not_shown() -> None:
    d = mc.derive(NETWORK, wrt="W")
    o = d.optimum()
    assert (o.status, o.kind, o.quadratic) == ("equation", "stationary", False)
    assert d.optimum(sense="minimum").status == "none"
    with pytest.raises(mc.NoRuleError, match="not shown to be quadratic"):
        o.solved(**arrays_of(NETWORK))
    kinked = mc.derive("u[k=1..K]: p x 1\nw: p x 1\nsum(k=1..K, norm1(u[k] - w))", wrt="w").optimum()
    assert "kinks" in kinked.note


def test_a_singular_hessian_is_an_error() -> None:
    arrays = arrays_of(LEAST)
    arrays["X"] = 0 * np.asarray(arrays["X"])
    with pytest.raises(ValueError, match="singular"):
        mc.minimize(LEAST, over="w").solved(**arrays)


@pytest.mark.parametrize(
    ("program", "over", "options", "said"),
    [
        (LEAST, "w", {"subject_to": ["w = y"]}, "constraints are not taken"),
        (LEAST.replace("w: p x 1", "w: p x 1 nonnegative"), "w", {}, "w is nonnegative: its gradient need not be 0"),
        (LEAST, "w", {"sense": "best"}, "sense"),
        (LEAST, "v", {}, "no variable or family is called"),
    ],
)
def test_what_is_refused(program: str, over: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(mc.MatcalcError, match=said):
        mc.derive(program).optimum(over, **options)


START = "A: p x p\nc: 1 x 1\nx0: p x 1\nu[t=1..T]: p x 1\nx[0] = x0\n"


@pytest.mark.parametrize(
    ("lines", "names", "status"),
    [
        ("x[t] = A*x[t-1] + u[t] for t = 1..T\nsum(t=1..T, sum(exp(x[t])) + norm1(u[t]))", ["u", "x0"], "convex"),
        ("x[t] = A*x[t-1] + u[t] for t = 1..T\n-logsumexp(x[T])", ["u"], "concave"),
        ("x[t] = A*x[t-1] + u[t] for t = 1..T\nsum(t=1..T, sum(x[t]))", ["u"], "affine"),
        ("x[t] = A*x[t-1] + u[t] for t = 1..T\nsum(t=1..T, x[t]'*u[t])", ["u"], "neither"),
        ("x[t] = A*x[t-1] + u[t] for t = 1..T\nnorm2(x[T])^2", ["u", "A"], "neither"),
        ("x[t] = c*x[t-1] + c*u[t] for t = 1..T\nnorm2(x[T])^2", ["u"], "convex"),
        ("x[t] = c*x[t-1] + u[t] for t = 1..T\nnorm2(x[T])^2", ["c"], "neither"),
        ("x[t] = x[t-1] + u[t].^2 for t = 1..T\nsum(sin(x[T]))", ["u"], "neither"),
    ],
)
def test_convexity_through_affine_recurrences(lines: str, names: list[str], status: str) -> None:
    found = mc.derive(START + lines, wrt=names).curvature().status
    assert found == status if status != "neither" else found in ("neither", "undecided")
