"""Curvature: statuses and constants of known functions, traits of the records, and no unsound claim on random ones."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
import sympy as sp
from case_support import Case, load

import matcalc as mc
from matcalc.curvature.intervals import POSITIVE
from matcalc.curvature.ranges import Ranges
from matcalc.curvature.univariate import T, range_of_function
from matcalc.expr import REGISTRY
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.sample import sample

CASES = load("curvature")
STRENGTH = {
    "affine": ("affine", "convex", "concave"),
    "convex": ("convex",),
    "strictly convex": ("strictly convex", "convex"),
    "strongly convex": ("strongly convex", "strictly convex", "convex"),
    "concave": ("concave",),
    "strictly concave": ("strictly concave", "concave"),
    "strongly concave": ("strongly concave", "strictly concave", "concave"),
    "neither": ("neither",),
}


def derived(case: Case) -> mc.Derivation:
    structure = {"structure": case["structure"]} if case.get("structure") else {}
    return mc.derive(case["program"], wrt=case["wrt"], **structure)


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_known_functions(case):
    d = derived(case)
    c = d.curvature(*case["wrt"])
    best, least = case["verdict"]["best"], case["verdict"]["least"]
    allowed = STRENGTH[best][: STRENGTH[best].index(least) + 1]
    assert c.status in allowed
    assert c.text().startswith(c.status)
    assert c.status.split()[0] in c.latex()
    for name in ("strong", "smooth"):
        wanted = case.get(name)
        if wanted is not None:
            texts = wanted if isinstance(wanted, list) else [wanted]
            assert any(same_number(d, getattr(c, name), text) for text in texts), getattr(c, name)
    if c.status == "neither":
        need_witness(c)
    else:
        assert c.reasons or c.status == "affine"


def same_number(d: mc.Derivation, found: mc.Expr | None, text: str) -> bool:
    if found is None:
        return False
    arrays, sizes = sample(d.graph.declared.values(), 3)
    wanted = evaluate(d.parse(text), arrays, sizes)
    return bool(np.allclose(evaluate(found, arrays, sizes), wanted))


def need_witness(c) -> None:
    points = [*(c.witness if isinstance(c.witness, tuple) else (c.witness,)), *c.chords]
    signs = {np.sign(value) for point in points if point is not None for value in point.curvatures}
    signs |= {-np.sign(chord.chord) for chord in c.chords if chord.chord is not None}
    assert signs == {1.0, -1.0}


def test_a_curvature_is_no_truth_value_and_names_must_be_variables():
    d = mc.derive("r = X*w; r'*r", wrt="w")
    with pytest.raises(mc.MatcalcError, match="has no truth value"):
        bool(d.curvature())
    with pytest.raises(mc.MatcalcError, match="r is a named value"):
        d.curvature("r")
    with pytest.raises(mc.ShapeError, match="scalar"):
        mc.derive("X*w", wrt="w").curvature()


def test_sets_that_are_not_convex_admit_no_claim():
    for fact in ("orthogonal", "nonsingular"):
        c = mc.derive(f"X: n x n {fact}; norm2(X)^2", wrt="X").curvature()
        assert c.status == "undecided"
        assert fact in c.failed
    assert mc.derive("x: n x 1 nonzero; norm2(x)^2", wrt="x").curvature().status == "undecided"


def test_a_domain_that_is_not_convex_admits_no_claim():
    c = mc.derive("x: n x 1; sum(log(x.^2))", wrt="x").curvature()  # concave on each side of 0
    assert c.status in ("undecided", "neither")


@pytest.mark.parametrize("text", ["sum(tan(x).^2)", "-sum(gammaln(x))", "sum(polygamma(1, x))", "sum(x.^(-2))"])
def test_convexity_does_not_reach_across_a_pole(text):
    assert mc.derive(f"x: n x 1; {text}", wrt="x").curvature().status in ("undecided", "neither")


@pytest.mark.parametrize("text", ["selu(x)", "leakyrelu(x, 2)", "elu(x)", "softsign(x)", "where(x > 0, x, 2*x)"])
def test_a_kink_counts(text):
    """Each has a slope that falls at 0 although the second derivative is nowhere negative above or below it."""
    assert "convex" not in mc.derive(f"x: n x 1; sum({text})", wrt="x").curvature().status
    assert "convex" not in mc.derive(f"x: n x 1; sum({text} + exp(x))", wrt="x").curvature().status


def test_a_kink_outside_of_the_domain_does_not_count():
    assert mc.derive("x: n x 1 positive; sum(softsign(x))", wrt="x").curvature().status == "concave"


@pytest.mark.parametrize("name", [name for name, op in REGISTRY.items() if op.image is not None and op.scalar_function])
def test_traits_of_functions_of_one_number(name):
    entry = REGISTRY[name]
    f = sp.lambdify(T, entry.scalar_function(T), ["scipy", "numpy"])
    with np.errstate(all="ignore"):
        grid = np.linspace(-6, 6, 481)
        values = np.array([complex(f(t)) for t in grid])
    real = np.abs(values.imag) < 1e-12
    finite = real & np.isfinite(values.real)
    t, y = grid[finite], values.real[finite]
    low, high, low_open, high_open = entry.image()
    assert np.all(y >= float(low) - 1e-12)
    assert np.all(y <= float(high) + 1e-12)
    neighbours = np.isclose(np.diff(t), grid[1] - grid[0])
    slopes = np.diff(y)[neighbours]
    if entry.monotone:
        assert np.all(entry.monotone * slopes >= -1e-12)
    if entry.convexity:
        second = np.diff(slopes)
        assert np.all(entry.convexity * second >= -1e-12)
        assert np.isclose(y[np.argmin(entry.convexity * y)], y[np.argmin(np.abs(t))])
    assert isinstance(low_open, bool)
    assert isinstance(high_open, bool)


@pytest.mark.parametrize(
    ("form", "low", "high"),
    [
        (T**2 / (1 + T) ** 2, 0, 1),
        (sp.exp(T) / (1 + sp.exp(T)) ** 2, 0, sp.Rational(1, 4)),
        ((1 + T**2) ** sp.Rational(-3, 2), 0, 1),
        (1 / T**2, 0, sp.oo),
    ],
)
def test_ranges_of_functions(form, low, high):
    found = range_of_function(form, POSITIVE)
    assert (found.low, found.high) == (low, high)
    assert found.nonnegative


def test_a_pole_inside_of_an_interval_leaves_a_range_open():
    x = mc.var("x", "n", 1)
    found = Ranges().of(mc.derive("1 ./ (1 + x)", shapes={"x": ("n", 1)}).output)
    assert (found.low, found.high) == (-sp.oo, sp.oo)
    assert Ranges().of(x).low == -sp.oo


# ------------------------------------------------------------------------------------------------ random functions

FUNCTIONS = ("exp", "softplus", "sigmoid", "tanh", "abs", "relu", "sqrt", "log", "cosh", "sin", "huber", "logsigmoid")


def entries(rng: random.Random, depth: int) -> str:
    """A random column of entries in x."""
    if depth <= 0:
        return rng.choice(("x", "A*x", "A*x + b", "y .* x", "b - x", "M*x", "2*x"))
    a, b = entries(rng, depth - 1), entries(rng, depth - 1)
    forms = (f"{rng.choice(FUNCTIONS)}({a})", f"({a}) + ({b})", f"({a}) .* ({b})", f"-({a})", f"c*({a})")
    powers = f"({a}).^{rng.choice(('2', '3', '4', '(1/2)', '(-1)', '(-2)', '(3/2)'))}"
    return rng.choice((*forms, powers, f"maximum({a}, {b})", f"({a}) ./ ({b})", f"1 + ({a})"))


def function(rng: random.Random, depth: int) -> str:
    """A random scalar function of x."""
    a = entries(rng, depth - 1)
    simple = [f"sum({a})", f"norm2({a})", f"norm2({a})^2", f"logsumexp({a})", f"max({a})", f"c*sum({a})", "x'*P*x"]
    simple += [f"sqrt(1 + ({a})'*({a}))", f"norm1({a})", f"var({a})", "b'*x", f"prod({a})"]
    if depth > 1:
        f, g = function(rng, depth - 1), function(rng, depth - 1)
        simple += [f"({f}) + ({g})", f"({f}) - ({g})", f"exp({f})", f"log({f})", f"({f})^2", f"({f})/({g})"]
        simple += [f"sqrt({f})", f"({f})*({g})", f"maximum({f}, {g})"]
    return rng.choice(simple)


def random_problem(seed: int) -> mc.Derivation | None:
    rng = random.Random(seed)
    facts = ["positive-definite", "symmetric", "positive-semidefinite"]
    lines = [
        f"x: n x 1 {rng.choice(('', 'positive'))}",
        f"M: n x n {rng.choice(('', 'positive', 'nonnegative'))}",
        f"P: n x n {rng.choice(facts)}",
        f"b: n x 1 {rng.choice(('', 'positive'))}",
        f"y: n x 1 {rng.choice(('', 'positive'))}",
        f"c: 1 x 1 {rng.choice(('', 'positive'))}",
        "A: n x n",
        function(rng, rng.choice((1, 2, 2, 3))),
    ]
    try:
        return mc.derive("\n".join(lines), wrt="x")
    except mc.MatcalcError:
        return None


def chords(d: mc.Derivation, seed: int) -> Iterator[tuple[dict, dict, float, float, float]]:
    """Data, sizes, how far the function lies above a chord's middle, the size of the chord, and the tolerance."""
    rng = np.random.default_rng(seed)
    for k in range(24):
        mode = ("free", "positive")[k % 2]
        arrays, sizes = sample(d.graph.declared.values(), rng, {"n": 3}, mode=mode)
        other, _ = sample([d.graph.declared["x"]], rng, sizes, mode=mode)
        first, last = ((1.0, 0.1, 5.0)[k % 3] * a["x"] for a in (arrays, other))
        with np.errstate(all="ignore"):
            values = [
                float(evaluate(d.source.output, {**arrays, "x": first + w * (last - first)}, sizes, {})[0, 0])
                for w in (0.0, 0.5, 1.0)
            ]
        if np.all(np.isfinite(values)):
            gap = values[1] - (values[0] + values[2]) / 2
            yield arrays, sizes, gap, float(np.sum((last - first) ** 2)) / 8, 1e-9 * (1 + max(map(abs, values)))


@pytest.mark.parametrize("seed", range(120))
def test_no_unsound_claim_on_random_functions(seed):
    d = random_problem(seed)
    if d is None:
        return
    c = d.curvature("x")
    if c.status == "neither":
        need_witness(c)
        return
    for arrays, sizes, gap, size, tolerance in chords(d, seed):
        if c.status == "affine" or "convex" in c.status:
            assert gap <= tolerance
        if c.status == "affine" or "concave" in c.status:
            assert gap >= -tolerance
        if c.strong is not None:
            assert abs(gap) >= (1 - 1e-9) * float(evaluate(c.strong, arrays, sizes)[0, 0]) * size - tolerance
        if c.smooth is not None:
            assert abs(gap) <= (1 + 1e-9) * float(evaluate(c.smooth, arrays, sizes)[0, 0]) * size + tolerance
