"""Generated code keeps the digits: differences stay whole, what cancels or overflows has a stable form."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import mpmath
import numpy as np
import pytest
from case_support import VALID, derive

import matcalc as mc
from matcalc.rewrite.rule import RULES

# ------------------------------------------------------------------------------------------------ rules

OPENED = [
    ("sum((A*A') .* (1 - eye(n)))", "A"),
    ("0.5*norm2(x - y)^2 + 0.5*norm2(x - z)^2", "x"),
    ("0.5*norm2(x - y)^2 + z'*x", "x"),
    ("sum(exp(-pdist2(X, X)) .* (1 - eye(n)))", "X"),
    ("y'*(eye(n) - X*inv(X'*X)*X')*y", "y"),
]


@pytest.mark.parametrize(("source", "name"), OPENED)
def test_what_is_computed_uses_exact_rules_only(source, name):
    d = mc.derive(source, wrt=name)
    d.code()
    assert d.lossy
    twin = d.exact_twin
    assert not twin.lossy
    assert all(RULES[step.rule].exact for step in twin.steps if step.rule in RULES)


def test_where_nothing_is_opened_there_is_one_derivation():
    d = mc.derive("norm2(X*w - y)^2", wrt="w")
    d.code()
    assert not d.lossy
    assert "exact_twin" not in vars(d)


def test_multiplying_out_is_not_exact():
    for rule in RULES.values():
        if rule.name.startswith("distribute_") and "quotient" not in rule.name:
            assert not rule.exact, rule.name
    assert not RULES["power_of_sum"].exact


def test_every_kind_of_code_is_made_by_exact_rules():
    for case in VALID[::40]:
        d = derive(case)
        d.code({"gradient": "value_and_grad"}.get(case["kind"], case["kind"]))
        assert not d.lossy or not d.exact_twin.lossy, case["id"]


# ------------------------------------------------------------------------------------------------ numbers


def gradient(source, name, values, **options):
    return mc.derive(source, wrt=name, **options).function("gradient")(**values)[name]


def test_a_sum_of_differences_keeps_their_digits():
    x = np.array([1e9, -1e9])
    got = gradient("0.5*norm2(x - y)^2 + 0.5*norm2(x - z)^2", "x", {"x": x, "y": x - 2.0**-20, "z": x - 2.0**-21})
    np.testing.assert_allclose(got, 3 * 2.0**-21, rtol=1e-15)


def test_a_mask_is_not_multiplied_out():
    A = np.array([[1e12], [1.2345678901]])
    got = gradient("sum((A*A') .* (1 - eye(n)))", "A", {"A": A})
    np.testing.assert_allclose(got, 2 * A[::-1], rtol=1e-15)


def normal_tail(t):
    return mpmath.log(mpmath.ncdf(t))


# Formulas that cancel or overflow as they are written: the text, the value at one number, points.
STABLE = [
    ("log(1 - exp(-x))", lambda t: mpmath.log(1 - mpmath.exp(-t)), [1e-11, 0.5, 40, 700]),
    ("log(exp(x) - 1)", lambda t: mpmath.log(mpmath.exp(t) - 1), [1e-11, 0.5, 40, 800]),
    ("sqrt(1 + x.^2) - 1", lambda t: mpmath.sqrt(1 + t * t) - 1, [1e-9, 1, 1e9]),
    ("log(sqrt(4 + x) - 2)", lambda t: mpmath.log(mpmath.sqrt(4 + t) - 2), [1e-11, 1]),
    ("1 - sqrt(1 - x)", lambda t: 1 - mpmath.sqrt(1 - t), [1e-11, 0.5]),
    ("log(cosh(x) - 1)", lambda t: mpmath.log(mpmath.cosh(t) - 1), [1e-8, 1, 20]),
    ("log(1 - cos(x))", lambda t: mpmath.log(1 - mpmath.cos(t)), [1e-8, 1]),
    ("log(normcdf(x))", normal_tail, [-1e4, -40, -1, 5]),
    ("log(1 - normcdf(x))", lambda t: normal_tail(-t), [1e4, 40, 1, -5]),
    ("log(1 + erf(x))", lambda t: normal_tail(t * mpmath.sqrt(2)) + mpmath.log(2), [-1e4, -20, -1, 5]),
    ("1 - erf(x)", mpmath.erfc, [-3, 1, 6, 20]),
    ("1 + erf(x)", lambda t: mpmath.erfc(-t), [3, -1, -6, -20]),
    ("normpdf(x) ./ (1 - normcdf(x))", lambda t: mpmath.npdf(t) / mpmath.ncdf(-t), [40, 6, -1]),
    ("normlogcdf(x)", normal_tail, [-1e4, -40, -1, 5, 60]),
    ("normpdf(x) ./ normcdf(x)", lambda t: mpmath.npdf(t) / mpmath.ncdf(t), [-20, -1, 5]),
    ("log(1 - sigmoid(x))", lambda t: -t - mpmath.log(1 + mpmath.exp(-t)), [-40, -1, 5, 800]),
    ("log(sigmoid(x))", lambda t: t - mpmath.log(1 + mpmath.exp(t)), [-800, -1, 5, 40]),
    ("log(1 - tanh(x))", lambda t: mpmath.log(2) - mpmath.log(1 + mpmath.exp(2 * t)), [-3, 1, 30]),
    ("exp(x) - exp(-x)", lambda t: 2 * mpmath.sinh(t), [1e-9, 1]),
    ("1 - normcdf(x)", lambda t: mpmath.ncdf(-t), [30, 1]),
    ("log(cosh(x))", lambda t: mpmath.log(mpmath.cosh(t)), [-1e5, -800, -1, 0.7, 1e-9, 3]),
    ("log(3 + exp(x))", lambda t: mpmath.log(3 + mpmath.exp(t)), [-5, 1, 800]),
    ("sqrt(2 + x.^2) - x.^2 ./ sqrt(2 + x.^2)", lambda t: 2 / mpmath.sqrt(2 + t * t), [1e7, 1, 1e-9]),
    ("1 - x ./ (1 + x)", lambda t: 1 / (1 + t), [1e12, 1, 1e-9]),
    ("tanh(x) .* (1 - tanh(x).^2)", lambda t: mpmath.tanh(t) * mpmath.sech(t) ** 2, [-30, 0.1, 300]),
    ("log(abs(1 + x))", lambda t: mpmath.log(abs(1 + t)), [1e-11, -1e-11, -2.5, 1e9]),
    ("x.^2 - relu(abs(x) - 2).^2", lambda t: 4 * abs(t) - 4 if abs(t) > 2 else t * t, [1e9, -1e9, 0.5, 3]),
    ("sigmoid(x) .* (1 - sigmoid(x)).^2", lambda t: mpmath.exp(-2 * t) / (1 + mpmath.exp(-t)) ** 3, [-30, 0.1, 300]),
]


@pytest.mark.parametrize(("source", "exact", "points"), STABLE, ids=[source for source, _, _ in STABLE])
def test_a_formula_that_cancels_has_a_stable_form(source, exact, points):
    d = mc.derive(f"sum({source})", wrt="x", shapes={"x": ("n", 1)})
    with mpmath.workdps(120):
        values = [exact(mpmath.mpf(t)) for t in points]
        slopes = [mpmath.diff(exact, mpmath.mpf(t), h=abs(mpmath.mpf(t)) * mpmath.mpf(10) ** -30) for t in points]
    for t, value, slope in zip(points, values, slopes):
        got, gradient = d.function()(x=np.array([float(t)]))
        assert got == pytest.approx(float(value), rel=1e-13)
        assert gradient["x"][0] == pytest.approx(float(slope), rel=2e-12)


# Logarithms of the normal distribution function at a x + b, with a and b.
PROBITS = [
    ("normlogcdf(x)", 1, 0),
    ("log(normcdf(x))", 1, 0),
    ("log(normcdf(-2*x - 1))", -2, -1),
    ("log(1 - normcdf(2*x + 1))", -2, -1),
    ("log(erfc(x))", -(2**0.5), 0),
    ("log(1 - erf(x))", -(2**0.5), 0),
    ("log(1 + erf(x))", 2**0.5, 0),
    ("log(0.5*(1 + erf(x/sqrt(2))))", 1, 0),
    ("log(erfc(-x/sqrt(2))/2)", 1, 0),
    ("log(1 - normcdf(-x))", 1, 0),
]


@pytest.mark.parametrize(("source", "a", "b"), PROBITS, ids=[source for source, _, _ in PROBITS])
def test_the_curvature_of_a_probit_keeps_its_digits_in_the_tail(source: str, a: float, b: float) -> None:
    hessian = mc.derive(f"sum({source})", wrt="x", shapes={"x": ("n", 1)}).function("hessian")
    points = [-1e9, -1e4, -50.0, -6.0, -4.5, 0.5, 3.0]
    found = np.diag(hessian(x=np.array([(t - b) / a for t in points]))["x"]) / a**2
    with mpmath.workdps(60):
        want = [_probit_curvature(mpmath.mpf(t)) for t in points]
    np.testing.assert_allclose(found, want, rtol=5e-14)


@pytest.mark.parametrize(
    ("P", "scale"),
    [
        ("normcdf(x)", 1),
        ("1 - normcdf(-x)", 1),
        ("1/2 + erf(x/sqrt(2))/2", 1),
        ("(1 + erf(x/sqrt(2)))/2", 1),
        ("0.5*erfc(-x/sqrt(2))", 1),
        ("1 - erfc(x)/2", math.sqrt(2)),
    ],
)
@pytest.mark.parametrize(
    "shape", ["P = {0}; sum(y.*log(P) + (1 - y).*log(1 - P))", "sum(y.*log({0}) + (1 - y).*log(1 - ({0})))"]
)
def test_the_likelihood_of_a_probit_in_its_spellings(shape: str, P: str, scale: float) -> None:
    d = mc.derive(shape.format(P), wrt="x", shapes={"x": ("n", 1), "y": ("n", 1)})
    x = np.array([[-60.0], [-3.0], [0.25], [45.0]]) / scale
    for y in (0.0, 1.0):
        t = [(2 * y - 1) * scale * v for v in x.ravel()]
        slopes = [_probit_slope(v) for v in t]
        curved = [-float(s * (s + v)) * scale**2 for s, v in zip(slopes, t)]
        given = {"x": x, "y": np.full_like(x, y)}
        assert math.isclose(
            d.function("value")(**given), sum(float(normal_tail(mpmath.mpf(v))) for v in t), rel_tol=1e-13
        )
        found = d.function("gradient")(**given)["x"].ravel()
        np.testing.assert_allclose(found, [float(s) * (2 * y - 1) * scale for s in slopes], rtol=1e-12, atol=1e-300)
        np.testing.assert_allclose(np.diag(d.function("hessian")(**given)["x"]), curved, rtol=1e-11, atol=1e-300)


def test_a_ratio_of_the_normal_distribution_scales_a_matrix() -> None:
    d = mc.derive("sum(log(normcdf(t))*x)", wrt="t", shapes={"t": (1, 1), "x": ("n", 1)})
    x = np.array([[1.0], [2.0]])
    assert math.isclose(d.function("gradient")(t=-60.0, x=x)["t"], 3 * _probit_slope(-60.0), rel_tol=1e-13)
    d = mc.derive("log(normcdf(t))*x", wrt="t", shapes={"t": (1, 1), "x": ("n", 1)})
    np.testing.assert_allclose(d.function("jacobian")(t=-60.0, x=x)["t"], x * float(_probit_slope(-60.0)), rtol=1e-13)


@pytest.mark.parametrize(
    ("P", "log_P", "log_rest"),
    [
        ("1 - exp(-exp(x))", lambda t: mpmath.log(-mpmath.expm1(-mpmath.exp(t))), lambda t: -mpmath.exp(t)),
        ("(1 + tanh(x))/2", lambda t: -mpmath.log1p(mpmath.exp(-2 * t)), lambda t: -mpmath.log1p(mpmath.exp(2 * t))),
        ("1/2 + tanh(x)/2", lambda t: -mpmath.log1p(mpmath.exp(-2 * t)), lambda t: -mpmath.log1p(mpmath.exp(2 * t))),
    ],
)
def test_the_likelihood_of_other_probabilities_behind_a_name(
    P: str, log_P: Callable[..., mpmath.mpf], log_rest: Callable[..., mpmath.mpf]
) -> None:
    d = mc.derive(f"P = {P}; log(P) + 2*log(1 - P)", wrt="x", shapes={"x": (1, 1)})
    with mpmath.workdps(60):
        for t in (-30.0, -2.0, 0.5, 6.0):
            want = log_P(mpmath.mpf(t)) + 2 * log_rest(mpmath.mpf(t))
            slope = mpmath.diff(lambda s: log_P(s) + 2 * log_rest(s), t)
            assert math.isclose(d.function("value")(x=t), want, rel_tol=1e-14)
            assert math.isclose(d.function("gradient")(x=t)["x"], slope, rel_tol=1e-13)


def _probit_slope(t: float) -> mpmath.mpf:
    with mpmath.workdps(60):
        return mpmath.npdf(t) / mpmath.ncdf(t)


def _probit_curvature(t: mpmath.mpf) -> float:
    """The second derivative of log(normcdf(t)): -r (r + t), where r = -t + 1/(-t + 2/(-t + 3/(-t + ...)))."""
    if t > -5:
        ratio = mpmath.npdf(t) / mpmath.ncdf(t)
        return float(-ratio * (ratio + t))
    tail = mpmath.mpf(0)
    for k in range(400, 0, -1):
        tail = k / (tail - t)
    return float(-(tail - t) * tail)


def test_rows_that_nearly_coincide_have_accurate_distances():
    X = np.array([[1e6, 2.0], [1e6 + 2.0**-20, 2.0], [-3.0, 1e6]])
    value = mc.derive("sum(log(pdist2(X, X) + eye(n)))", wrt="X").function("value")(X=X)
    exact = [2.0**-40, (1e6 + 3) ** 2 + (1e6 - 2) ** 2, (1e6 + 2.0**-20 + 3) ** 2 + (1e6 - 2) ** 2]
    assert value == pytest.approx(2 * np.sum(np.log(exact)), rel=1e-14)


def test_a_sum_is_added_in_its_order():
    x, z = np.array([1e9]), np.array([2.0**-40])
    assert (
        mc.derive("sum(x - y + z)", wrt="x", shapes={"x": ("n", 1), "y": ("n", 1), "z": ("n", 1)}).function("value")(
            x=x, y=x, z=z
        )
        == 2.0**-40
    )
    assert (
        mc.derive("sum(z + (x - y))", wrt="x", shapes={"x": ("n", 1), "y": ("n", 1), "z": ("n", 1)}).function("value")(
            x=x, y=x, z=z
        )
        == 2.0**-40
    )


# ------------------------------------------------------------------------------------------------ centring

NEARLY = {"X": (4, 3), "W": (3, 2), "K": (5, 3), "V": (5, 2), "c": (4, 1), "C": (4, 2), "Y": (4, 2), "Z": (4, 2)}
NEARLY |= {"A": (3, 3), "x": (3, 1)}
CENTRED = [
    ("c'*std(Z, 2)", "Z"),
    ("var(log(1 + (A*x).^2) + A'*A*x)", "x"),
    ("sum(C .* (softmax(X*K', 2)*V))", "X"),
    ("-sum(Y .* log(softmax(tanh(X/4)*W, 2)))", "X"),
]


@pytest.mark.parametrize(("source", "name"), CENTRED, ids=[source for source, _ in CENTRED])
def test_gradients_of_what_is_centred_sum_to_nothing(source, name):
    """Where all entries are nearly equal, what remains of sums that are 0 would be larger than the gradient."""
    rng = np.random.default_rng(5)
    shapes = {n: shape for n, shape in NEARLY.items() if n in re.findall(r"\w+", source)}
    values = {n: (1.5 + 1e-3 * rng.standard_normal(shape)).astype(np.float32) for n, shape in shapes.items()}
    d = mc.derive(source, wrt=name, shapes=shapes)
    exact = d.function("gradient")(**{n: X.astype(float) for n, X in values.items()})[name]
    got = d.function("gradient")(**values)[name]
    assert np.max(np.abs(got - exact)) < 3e-3 * np.max(np.abs(exact))


def test_jacobians_through_a_softmax_keep_their_digits_where_all_is_nearly_equal():
    rng = np.random.default_rng(5)
    shapes = {n: NEARLY[n] for n in ("X", "K", "V")}
    values = {n: (1.5 + 1e-3 * rng.standard_normal(shape)).astype(np.float32) for n, shape in shapes.items()}
    d = mc.derive("softmax(X*K', 2)*V", wrt="X", shapes=shapes)
    exact = d.function("jacobian")(**{n: X.astype(float) for n, X in values.items()})["X"]
    got = d.function("jacobian")(**values)["X"]
    assert np.max(np.abs(got - exact)) < 2e-2 * np.max(np.abs(exact))


@pytest.mark.parametrize("source", ["p = softmax(z)\n-sum(p .* log(p))", "sum(softmax(z) .* log_softmax(z))"])
def test_the_gradient_of_an_entropy_keeps_its_digits_where_all_is_nearly_alike(source):
    z = np.array([2e-9, -3e-9, 5e-9])
    got = mc.derive(source, wrt="z", shapes={"z": (3, 1)}).function("gradient")(z=z)["z"]
    sign = -1 if source.startswith("p") else 1
    np.testing.assert_allclose(got, sign * (z - z.mean()) / 3, rtol=3e-8)


def test_differences_from_a_mean_of_what_has_a_stable_form():
    x = np.array([1e-8, 3e-8, -2e-8])
    value = mc.derive("var(1 - cos(x))", wrt="x", shapes={"x": ("n", 1)}).function("value")(x=x)
    assert value == pytest.approx(np.var(x**2 / 2), rel=1e-12)


def test_distances_that_are_spelled_out_keep_their_digits():
    X = np.array([[1e6, 2.0], [1e6 + 2.0**-20, 2.0]])
    source = "q = sum(X.^2, 2)\nD = q*ones(1, n) + ones(n, 1)*q' - 2*X*X'\nsum(D)"
    assert mc.derive(source, wrt="X").function("value")(X=X) == 2 * 2.0**-40


def test_a_softmax_is_computed_once_whatever_scales_it():
    shapes = {"Q": ("n", "d"), "K": ("m", "d"), "V": ("m", "p"), "C": ("n", "p")}
    code = mc.derive("sum(C .* (softmax(Q*K'/sqrt(d), 2)*V))", wrt="Q", shapes=shapes).code()
    assert code.split("def _inputs")[0].count("_softmax(") == 1


def test_the_square_of_a_denominator_does_not_overflow():
    shapes = {"x": ("n", 1), "A": ("m", "n"), "B": ("p", "n")}
    d = mc.derive("(x'*A'*A*x)/(x'*B'*B*x)", wrt="x", shapes=shapes)
    rng = np.random.default_rng(1)
    values = {n: rng.standard_normal((3, 1 if n == "x" else 3)) for n in shapes}
    exact = d.function("gradient")(**values)["x"] * 1e-6
    got = d.function("gradient")(**{n: (1e6 * X).astype(np.float32) for n, X in values.items()})["x"]
    np.testing.assert_allclose(got, exact, rtol=1e-4)


@pytest.mark.parametrize("size", [0, 1e-9, 1, 4, 20, 60])
def test_the_exponential_of_a_matrix_keeps_its_digits(size):
    X = np.random.default_rng(3).standard_normal((4, 4)) * size
    with mpmath.workdps(60):
        exact = np.array(mpmath.expm(mpmath.matrix(X.tolist())).tolist(), dtype=float)
    got = mc.derive("sum(expm(X) .* W)", wrt="W", shapes={"X": (4, 4), "W": (4, 4)}).function("gradient")(X=X, W=X)["W"]
    assert np.max(np.abs(got - exact)) <= 1e-13 * np.max(np.abs(exact))


# ------------------------------------------------------------------------------------------------ saturation


@pytest.mark.parametrize("target", ["numpy", "jax", "torch"])
@pytest.mark.parametrize(("name", "slope"), [("tanh", lambda t: mpmath.sech(t) ** 2), ("sigmoid", None)])
def test_slopes_keep_their_digits_where_the_stored_value_is_nearly_one(name, slope, target):
    library = pytest.importorskip(target)
    if target == "jax":
        library.config.update("jax_enable_x64", True)
    slope = slope or (lambda t: mpmath.exp(-t) / (1 + mpmath.exp(-t)) ** 2)
    d = mc.derive(f"h = {name}(x)\nv'*h + h'*h", wrt="x", shapes={"x": ("n", 1), "v": ("n", 1)})
    x, v = np.array([[18.0], [-12.0], [0.0], [0.5]]), np.array([[1.0], [-2.0], [1.0], [3.0]])
    arrays = library.numpy if target == "jax" else library
    got = np.asarray(d.function("gradient", target)(x=arrays.asarray(x), v=arrays.asarray(v))["x"])
    value = np.tanh(x) if name == "tanh" else 1 / (1 + np.exp(-x))
    wanted = (v + 2 * value) * np.array([[float(slope(t))] for t in x.ravel()])
    np.testing.assert_allclose(got, wanted, rtol=1e-13)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_slopes_of_tanh_far_away_are_0_without_a_warning(dtype):
    d = mc.derive("h = tanh(x)\nh'*h", wrt="x", shapes={"x": ("n", 1)})
    got = d.function("gradient")(x=np.array([800.0, -2000.0, 1e4], dtype=dtype))["x"]
    np.testing.assert_array_equal(np.abs(got), 0)


@pytest.mark.parametrize("f", ["sigmoid(x)", "softplus(x)", "logsigmoid(x)", "1 - tanh(x).^2", "log(cosh(x))"])
def test_torch_differentiates_values_at_zero(f):
    torch = pytest.importorskip("torch")
    d = mc.derive(f"sum({f} .* (x + 1))", wrt="x", shapes={"x": ("n", 1)})
    x = torch.tensor([[0.0], [1.0]], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(d.function("value", "torch")(x=x), x, create_graph=True)
    (second,) = torch.autograd.grad(slope.sum(), x)
    given = {"x": np.array([0.0, 1.0])}
    np.testing.assert_allclose(slope.detach().numpy()[:, 0], d.function("gradient")(**given)["x"], rtol=1e-12)
    np.testing.assert_allclose(second.numpy()[:, 0], np.diag(d.function("hessian")(**given)["x"]), rtol=1e-12)


def test_a_positive_number_beside_an_exponential_does_not_overflow():
    d = mc.derive("sum(log(r + exp(x)))", wrt=["x", "r"], shapes={"x": ("n", 1), "r": (1, 1)}, facts={"r": "positive"})
    with np.errstate(over="ignore"):
        value, slopes = d.function()(x=np.array([1000.0, 0.5, -1000.0]), r=2.0)
    assert value == pytest.approx(1000 + np.log(2 + np.exp(0.5)) + np.log(2), rel=1e-14)
    np.testing.assert_allclose(slopes["x"], [1, np.exp(0.5) / (2 + np.exp(0.5)), 0], rtol=1e-14, atol=1e-300)
    assert slopes["r"] == pytest.approx(1 / (2 + np.exp(0.5)) + 1 / 2, rel=1e-14)


def test_terms_are_not_joined_by_a_division_that_the_formula_has_not():
    d = mc.derive("sum(sqrt(1 + (x - y)) .* x - (x - y) .* x)", wrt="x", shapes={"x": ("n", 1), "y": ("n", 1)})
    value, slopes = d.function()(x=np.array([2.0]), y=np.array([2.0]))
    assert (value, slopes["x"][0]) == (2, 0)
    d = mc.derive("s = x - y\nsum(s .* x - x .* x)", wrt="y", shapes={"x": ("n", 1), "y": ("n", 1)})
    assert d.function("value")(x=np.array([2.0]), y=np.array([2.0])) == -4


def test_a_sum_of_exponentials_by_ones_does_not_overflow():
    d = mc.derive("log(ones(1, m)*exp(A*x))", wrt="x", shapes={"A": ("m", "n"), "x": ("n", 1)})
    assert d.function("value")(A=np.array([[1000.0], [999.0]]), x=np.ones(1)) == pytest.approx(
        1000 + np.log1p(np.exp(-1))
    )


def test_the_hessian_of_a_smoothed_distance_keeps_its_digits():
    d = mc.derive("sum(sqrt((D*x).^2 + c))", wrt="x", shapes={"D": ("m", "n"), "x": ("n", 1), "c": (1, 1)})
    H = d.function("hessian")(D=np.eye(2), x=np.array([1e6, 2.0]), c=1e-4)
    exact = [1e-4 / mpmath.sqrt(mpmath.mpf(t) ** 2 + mpmath.mpf(1e-4)) ** 3 for t in (1e6, 2)]
    np.testing.assert_allclose(np.diag(H["x"]), np.array(exact, dtype=float), rtol=1e-14)


INTERVALS = {
    "normcdf(t + 1) - normcdf(t)": lambda t: mpmath.ncdf(t + 1) - mpmath.ncdf(t),
    "(erf((t + 1)/sqrt(2)) - erf(t/sqrt(2)))/2": lambda t: mpmath.ncdf(t + 1) - mpmath.ncdf(t),
    "0.5*erfc(t/sqrt(2)) - 0.5*erfc((t + 1)/sqrt(2))": lambda t: mpmath.ncdf(t + 1) - mpmath.ncdf(t),
    "(1 - normcdf(t)) - (1 - normcdf(t + 1))": lambda t: mpmath.ncdf(t + 1) - mpmath.ncdf(t),
    "sigmoid(t + 1) - sigmoid(t)": lambda t: 1 / (1 + mpmath.exp(-t - 1)) - 1 / (1 + mpmath.exp(-t)),
}


@pytest.mark.parametrize("P", INTERVALS)
@pytest.mark.parametrize("shape", ["log({})", "P = {}; log(P)"])
def test_the_logarithm_of_the_probability_of_an_interval(shape: str, P: str) -> None:
    d = mc.derive(f"t: scalar; {shape.format(P)}", wrt="t")
    for t in (-60.0, -8.0, 0.25, 9.0, 60.0):
        with mpmath.workdps(2000):
            value, slope = (mpmath.diff(lambda s: mpmath.log(INTERVALS[P](s)), t, k) for k in (0, 1))
        assert math.isclose(d.function("value")(t=t), value, rel_tol=1e-13)
        assert math.isclose(d.function("gradient")(t=t)["t"], slope, rel_tol=1e-12)


def test_the_mean_of_a_truncated_normal_variable_in_both_tails_and_both_orders() -> None:
    d = mc.derive("a: scalar; b: scalar; (normpdf(a) - normpdf(b))/(normcdf(b) - normcdf(a))", wrt="a")
    for a, b in ((40.0, 41.0), (41.0, 40.0), (-41.0, -40.0), (-3.0, 2.0), (50.0, -50.0)):
        with mpmath.workdps(2000):
            P = mpmath.ncdf(b) - mpmath.ncdf(a)
            mean = (mpmath.npdf(a) - mpmath.npdf(b)) / P
            slope = mpmath.npdf(a) / P * (mean - a)
        assert math.isclose(d.function("value")(a=a, b=b), mean, rel_tol=1e-12, abs_tol=1e-300)
        assert math.isclose(d.function("gradient")(a=a, b=b)["a"], slope, rel_tol=1e-10, abs_tol=1e-300)


@pytest.mark.parametrize(
    ("formula", "exact"),
    [
        ("erfc(t)*exp(t^2)", lambda t: mpmath.erfc(t) * mpmath.exp(t**2)),
        ("log(1 - tanh(t)^2)", lambda t: -2 * mpmath.log(mpmath.cosh(t))),
        ("log(sqrt(1 + exp(2*t)))", lambda t: mpmath.log1p(mpmath.exp(2 * t)) / 2),
    ],
)
def test_what_overflows_or_vanishes_as_it_is_typed(formula: str, exact: Callable[..., mpmath.mpf]) -> None:
    d = mc.derive(f"t: scalar; {formula}", wrt="t")
    for t in (1e-4, 0.5, 30.0, 600.0):
        with mpmath.workdps(600):
            value = exact(mpmath.mpf(t))
            slope = mpmath.diff(exact, t)
        assert math.isclose(d.function("value")(t=t), value, rel_tol=1e-12)
        assert math.isclose(d.function("gradient")(t=t)["t"], slope, rel_tol=1e-9)


DENSITIES = {
    "p*normpdf(x - m) + (1 - p)*normpdf((x + 1)/2)/2": lambda x, m, p: (
        p * mpmath.npdf(x - m) + (1 - p) * mpmath.npdf((x + 1) / 2) / 2
    ),
    "p*exp(-(x - m)^2/2) + (1 - p)*exp(-(x + 1)^2)": lambda x, m, p: (
        p * mpmath.exp(-((x - m) ** 2) / 2) + (1 - p) * mpmath.exp(-((x + 1) ** 2))
    ),
    "2*normpdf(x - m)*normcdf(p*x)": lambda x, m, p: 2 * mpmath.npdf(x - m) * mpmath.ncdf(p * x),
}


@pytest.mark.parametrize(
    ("density", "shape"), [*((q, "log({})") for q in DENSITIES), *((q, "q = {}; log(q)") for q in [*DENSITIES][:2])]
)
@pytest.mark.parametrize("wrt", ["m", "p"])
def test_log_likelihoods_of_densities_far_out(shape: str, density: str, wrt: str) -> None:
    d = mc.derive(f"x: scalar; m: scalar; p: scalar; {shape.format(density)}", wrt=wrt)
    for x in (-120.0, -3.0, 0.5, 90.0):
        given = {"x": x, "m": 0.75, "p": 0.25}

        def exact(moved: mpmath.mpf, given: dict = given) -> mpmath.mpf:
            return mpmath.log(DENSITIES[density](**{**given, wrt: moved}))

        with mpmath.workdps(100):
            value, slope, curve = (mpmath.diff(exact, given[wrt], k, h=mpmath.mpf(10) ** -30) for k in (0, 1, 2))
        assert math.isclose(d.function("value")(**given), value, rel_tol=1e-13)
        assert math.isclose(d.function("gradient")(**given)[wrt], slope, rel_tol=1e-10, abs_tol=1e-300)
        assert math.isclose(d.function("hessian")(**given)[wrt].item(), curve, rel_tol=1e-8, abs_tol=1e-9)


@pytest.mark.parametrize("f", ["sigmoid", "normcdf", "erf"])
def test_the_logarithm_of_one_minus_a_square(f: str) -> None:
    one = {"sigmoid": lambda t: 1 / (1 + mpmath.exp(-t)), "normcdf": mpmath.ncdf, "erf": mpmath.erf}[f]
    d = mc.derive(f"t: scalar; log(1 - {f}(t)^2)", wrt="t")
    for t in (-5.0, -1e-3, 0.5, 6.0):
        with mpmath.workdps(60):
            value, slope = (mpmath.diff(lambda s: mpmath.log1p(-(one(s) ** 2)), t, k) for k in (0, 1))
        assert math.isclose(d.function("value")(t=t), value, rel_tol=1e-12)
        assert math.isclose(d.function("gradient")(t=t)["t"], slope, rel_tol=1e-11)
