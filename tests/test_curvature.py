"""Curvature: statuses and constants of known functions, traits of the records, and no unsound claim on random ones."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from case_support import Case, load
from fuzz.curvature import chord_failure, has_both_signs, hessian_failure, judged, judged_source

import matcalc as mc
from matcalc.curvature.composition import Shape, curvature_of_function
from matcalc.curvature.intervals import EVERYTHING, NONNEGATIVE, POSITIVE, Range, compared
from matcalc.curvature.ranges import Ranges
from matcalc.curvature.status import Curvature
from matcalc.curvature.univariate import T, pieces, range_of_function
from matcalc.expr import REGISTRY
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.sample import sample

CASES = load("curvature")
ATOMS = load("convex_atoms")
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
        assert has_both_signs(c)
    else:
        assert c.reasons or c.status == "affine"


def same_number(d: mc.Derivation, found: mc.Expr | None, text: str) -> bool:
    if found is None:
        return False
    arrays, sizes = sample(d.graph.declared.values(), 3)
    wanted = evaluate(d.parse(text), arrays, sizes)
    return bool(np.allclose(evaluate(found, arrays, sizes), wanted))


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
    c = mc.derive("x: n x 1; t: 1 x 1; -log(t^2 - x'*x)", wrt=["x", "t"]).curvature()  # convex on each of two cones
    assert c.status == "undecided"


@pytest.mark.parametrize("text", ["(x*y)^(2/3)", "(x*y)^2", "-log(x/y)", "x*y/(x + 2*y) - x*y/(x + y)"])
def test_products_that_are_not_convex(text):
    c = mc.derive(f"x: 1 x 1 positive; y: 1 x 1 positive; {text}", wrt=["x", "y"]).curvature()
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
    *ends, low_open, high_open = entry.image()
    low, high = map(sp.sympify, ends)
    assert np.all(y >= float(low) - 1e-12)
    assert np.all(y <= float(high) + 1e-12)
    neighbours = np.isclose(np.diff(t), grid[1] - grid[0])
    slopes = np.diff(y)[neighbours]
    if entry.monotone:
        assert np.all(entry.monotone * slopes >= -1e-12)
    if entry.convexity:
        second = np.diff(slopes)
        assert np.all(entry.convexity * second >= -1e-12)
        if not entry.monotone:
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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (sp.E / (1 + sp.E), 1 / (sp.exp(-1) + 1)),
        ((1 + sp.exp(2)) * sp.exp(-1) / 2, sp.E * (sp.exp(-2) + 1) / 2),
        (sp.sqrt(3 + 2 * sp.sqrt(2)), 1 + sp.sqrt(2)),
    ],
)
def test_equal_ends_are_seen_to_be_equal(one, other):
    assert compared(one, other) == compared(other, one) == 0
    assert compared(one, other + sp.Rational(1, 10**9)) == -1
    both = Range(one, sp.oo, False, True).intersection(Range(other, sp.oo, True, True))
    assert both.low_open
    assert Range(one, sp.oo, False, True).union(Range(other, sp.oo, True, True)).low_open is False
    assert Range(one - other, one - other).nonnegative
    assert not Range(one - other, one - other).positive
    assert Range(one - other, one - other) * NONNEGATIVE == Range(sp.S.Zero, sp.S.Zero)


def test_a_pole_inside_of_an_interval_leaves_a_range_open():
    x = mc.var("x", "n", 1)
    found = Ranges().of(mc.derive("1 ./ (1 + x)", shapes={"x": ("n", 1)}).output)
    assert (found.low, found.high) == (-sp.oo, sp.oo)
    assert Ranges().of(x).low == -sp.oo


@pytest.mark.parametrize("case", ATOMS, ids=[case["id"] for case in ATOMS])
def test_functions_of_convex_analysis_written_out(case):
    """The functions that CVXPY knows by a name, written out by their definitions."""
    c = mc.derive(case["program"], wrt=case["wrt"]).curvature()
    assert case["word"] in c.status or (c.status == "affine" and not c.failed)
    assert c.reasons or c.status == "affine"


def test_more_is_certified_than_by_cvxpy():
    beside = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "curvature.py"))
    theirs = 0
    for case in CASES:
        word = case["verdict"]["best"].split()[-1]
        theirs += word != "neither" and beside["certified_by_cvxpy"](derived(case)) in (word, "affine")
    assert 0 < theirs < sum(case["verdict"]["best"] != "neither" for case in CASES)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("norm2(X*w - y)^2", "strongly convex with mu = 2*eigmin(X'*X) where X has full column rank"),
        (
            "-(X*w - y)'*inv(S)*(X*w - y)",
            "strongly concave with mu = 2*eigmin(X'*inv(S)*X) where X has full column rank",
        ),
        ("sum(exp(X*w))", "strictly convex where X has full column rank"),
        ("w'*Q*w", "strongly convex with mu = 2*eigmin(Q) where Q is positive definite"),
    ],
)
def test_what_full_rank_would_give(text, condition):
    lines = "X: n x p\nw: p x 1\ny: n x 1\nS: n x n positive-definite\nQ: p x p positive-semidefinite\n"
    c = mc.derive(lines + text, wrt="w").curvature()
    assert c.conditions == (condition,)
    assert condition in c.text()
    assert c.data()["conditions"] == [condition]


def test_pieces_join_at_their_slopes():
    huber = sp.Piecewise((T**2, sp.Abs(T) <= 1), (2 * sp.Abs(T) - 1, True))
    assert [(p.low, p.high) for p, _ in pieces(huber, EVERYTHING)] == [(-sp.oo, -1), (-1, 0), (0, 1), (1, sp.oo)]
    assert curvature_of_function(huber, EVERYTHING) == Shape(convex=True, concave=False)
    assert curvature_of_function(sp.Max(T, 2 * T, -1), EVERYTHING) == Shape(convex=True, concave=False)
    assert curvature_of_function(sp.Min(T, 2 * T), EVERYTHING) == Shape(convex=False, concave=True)
    bound = sp.Symbol("M", positive=True)
    parts = pieces(sp.Piecewise((T**2, sp.Abs(T) <= bound), (2 * bound * sp.Abs(T) - bound**2, True)), EVERYTHING)
    assert [p.high for p, _ in parts] == [-bound, 0, bound, sp.oo]
    assert pieces(sp.Abs(T**2 - bound), EVERYTHING) is None
    jump = sp.Piecewise((T, T < 0), (T + 1, True))
    assert curvature_of_function(jump, EVERYTHING) == Shape(convex=False, concave=False)
    assert curvature_of_function(sp.Piecewise((T**2, T < 1), (3 * T - 1, True)), EVERYTHING) == Shape(False, False)


@pytest.mark.parametrize(
    "text",
    [
        "sum(abs(x).^(1/2))",
        "sum(abs(x).^3)^(1/6)",
        "sum(x.^4)^(1/8)",
        "det(diag(x))",
        "prod(x)^(2/n)",
        "exp(2*mean(log(abs(x))))",
        "sum(sin(abs(x)))",
    ],
)
def test_powers_and_means_that_are_not_convex(text):
    assert mc.derive(f"x: n x 1; {text}", wrt="x").curvature().status in ("undecided", "neither")


@pytest.mark.parametrize("rows", ["1", "n"])
@pytest.mark.parametrize("text", ["tr(sqrtm(x*x'))", "sum((x.^2).^(1/2))", "(x'*x)^(3/4)", "(x'*x)^(1/2)"])
def test_roots_of_squares_have_kinks(text, rows):
    """In one dimension the second derivative is not positive anywhere else, and the function is not concave."""
    assert "concave" not in mc.derive(f"x: {rows} x 1; {text}", wrt="x").curvature().status
    assert "convex" not in mc.derive(f"x: {rows} x 1; -{text}", wrt="x").curvature().status
    assert mc.derive(f"x: {rows} x 1; sqrt({text})", wrt="x").curvature().status in ("neither", "undecided", "convex")


@pytest.mark.parametrize("text", ["det(X)^(2/n)", "det(X)", "log(tr(X^2))", "eigmax(X)*eigmin(X)", "tr(X*expm(-X))"])
def test_functions_of_eigenvalues_that_are_not_convex(text):
    assert mc.derive(f"X: n x n positive-definite; {text}", wrt="X").curvature().status in ("undecided", "neither")


# ------------------------------------------------------------------------------------------------ random functions


@pytest.mark.parametrize(
    "text",
    [
        "x: n x 1; M: n x n nonnegative; norm2(gelu((M*x) .* (M*x)))^2",
        "x: n x n positive-semidefinite; A: n x n; b: n x 1; exp(b'*inv(A*x*A')*b)",
        "x: n x n positive-definite; softplus(sum(exp(diag(diagvec(x)))))",
        "x: n x m positive; B: n x m; tr(B'*((-(x)).^(3/2)))",
        "x: n x 1 nonnegative; sum((-x).^(-1/2))",
        "x: n x 1; y: n x 1 positive; P: n x n positive-definite; tr(inv(P + diag(cosh(erf(y .* x)))))",
    ],
)
def test_functions_that_once_ended_in_an_error(text):
    assert not judged_source(1, text, 10).failure


@pytest.mark.parametrize(
    "text",
    [
        "where(x >= 0, where(x > 0, x.^2, 5 + 0*x), x.^2)",
        "where(x >= 1, where(x > 1, 2*x - 1, 0*x), x.^2)",
        "abs(sign(x))",
        "where(x > 0, x, where(x >= 0, 3 + 0*x, -x))",
        "-abs(sign(x)) - x.^2",
    ],
)
def test_one_point_that_lies_elsewhere_counts(text):
    """On both sides of the point the pieces join smoothly, or convexly; at the point itself the value is another."""
    assert mc.derive(f"x: n x 1; sum({text})", wrt="x").curvature().status in ("undecided", "neither")


@pytest.mark.parametrize("number", range(150))
def test_no_unsound_claim_on_random_functions(number):
    assert not judged(number, points=20).failure


def test_a_wrong_claim_is_found():
    d = mc.derive("x: n x 1; y: n x 1\nsum(y .* x.^2)", wrt="x")
    assert "convex" in chord_failure(d, Curvature(tuple(d.wrt), "convex"), 1)
    d = mc.derive("x: n x 1\nsum(x.^4)", wrt="x")
    one = mc.derive("1 + 0*sum(x)", shapes={"x": ("n", 1)}).output
    assert "strong" in hessian_failure(d, Curvature(tuple(d.wrt), "strongly convex", strong=one), 1, 8)


X_Y = (
    "A: k x n; B: k x n; b: k x 1; P: n x n positive-definite; c: 1 x 1 positive; d: 1 x 1 positive; x: n x 1; y: n x 1"
)
JOINT = [
    ("sum(log(1 + exp(A*x - B*y))) + c*norm2(x)^2 + d*norm2(y)^2", "strongly convex", "2*minimum(c, d)", None),
    ("sum(softplus(A*x - B*y))", "convex", None, "eigmax(A*A' + B*B')/4"),
    ("mean(softplus(A*x) - b .* (B*y)) + d*norm2(y)^2", "convex", None, None),
    ("sum(log(cosh(x - y))) + norm2(x)^2 + 3*norm2(y)^2", "strongly convex", "2", "8"),
    ("sum(huber(A*x - B*y)) + c*norm2(x)^2", "convex", None, "eigmax(A*A' + B*B') + 2*c"),
    ("sum(sin(x - y)) + 3*norm2(x)^2 + 3*norm2(y)^2", "strongly convex", "4", "8"),
    ("logsumexp(A*x + B*y) + c*norm2(x)^2 + c*norm2(y)^2", "strongly convex", "2*c", "eigmax(A*A' + B*B')/2 + 2*c"),
    ("norm2(x)^2 + norm2(y)^2 + x'*y", "strongly convex", "1", "3"),
    ("norm2(x)^2 + norm2(y)^2 + 2*x'*y", "convex", None, "4"),
    ("norm2(x)^2 + norm2(y)^2 + 3*x'*y", "neither", None, None),
    ("x'*P*x + y'*P*y - x'*P*y + norm2(x)^2 + norm2(y)^2", "strongly convex", "2 + eigmin(P)", None),
    ("x'*P*x/2 + x'*y + y'*inv(P)*y/2", "convex", None, None),
    ("x'*P*x/2 + x'*y + y'*inv(P)*y/3", "neither", None, None),
    ("-c*sum(sqrt(1 + (x - y).^2)) - norm2(x)^2 - norm2(y)^2", "strongly concave", "2", "2*c + 2"),
    ("norm1(x) + norm2(x - y)^2 + norm2(y)^2 + norm2(x)^2", "strongly convex", "2", None),
    ("log(sum(exp(x)) + sum(exp(y)))", "convex", None, None),
    ("log(exp(norm2(x)^2) + sum(1 ./ (1 + exp(-y))))", "neither", None, None),
    ("sum(exp(x)) + sum(exp(y)) + sum(exp(x - y))", "strictly convex", None, None),
]


@pytest.mark.parametrize(("text", "status", "strong", "smooth"), JOINT, ids=[case[0] for case in JOINT])
def test_joint_constants(text, status, strong, smooth):
    d = mc.derive(f"{X_Y}; {text}", wrt=["x", "y"])
    c = d.curvature("x", "y")
    assert c.status == status
    for found, wanted in ((c.strong, strong), (c.smooth, smooth)):
        assert wanted is None or same_number(d, found, wanted), found
    assert not chord_failure(d, c, 1)
    rng = np.random.default_rng(0)
    for scale in (0.01, 0.1, 1.0) * 20:
        assert_bounds_hold(d, c, rng, scale)


def assert_bounds_hold(d: mc.Derivation, c: Curvature, rng: np.random.Generator, scale: float) -> None:
    """The constants, by the second difference of the function along a random direction."""
    arrays, sizes = sample(d.graph.declared.values(), rng, {"n": 2, "k": 3}, mode=str(rng.choice(["free", "unit"])))
    step = {v.name: scale * rng.standard_normal(arrays[v.name].shape) for v in c.of}
    if rng.random() < 0.5:
        step["y"] = float(rng.choice([-1, 1])) * step["x"]
    f = [evaluate(d.output, {k: a + t * step.get(k, 0) for k, a in arrays.items()}, sizes).item() for t in (-1, 0, 1)]
    bend, length = f[0] + f[2] - 2 * f[1], sum(float(np.sum(s**2)) for s in step.values())
    slack = 1e-12 * max(1.0, *map(abs, f))
    if c.strong is not None:
        assert abs(bend) + slack >= evaluate(c.strong, arrays, sizes).item() * length
    if c.smooth is not None:
        assert abs(bend) - slack <= evaluate(c.smooth, arrays, sizes).item() * length


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("S: n x n spd; A: n x n psd; logdet(S + A) - logdet(S)", "convex"),
        ("S: n x n spd; A: n x n psd; 2*logdet(S) - 2*logdet(S + A)", "concave"),
        ("S: n x n spd; A: n x n symmetric; logdet(S) - logdet(S + A)", "neither"),
        ("S: p x k; X: n x p; Y: n x k nonnegative; -sum(Y .* log(softmax(X*S, 2)))", "convex"),
        ("S: p x k; X: n x p; Y: n x k nonnegative; -sum(Y .* log_softmax(X*S, 2)) + norm2(S)^2", "strongly convex"),
        ("S: n x 1; P: n x n spd; c: 1 x 1 positive; sqrt(c + S'*P*S) + S'*S", "strongly convex"),
    ],
)
def test_further_verdicts(text, status):
    assert mc.derive(text, wrt="S").curvature().status == status
