"""Quotients and logarithms of what grows like an exponential are finite wherever their values are."""

from math import isfinite

import numpy as np
import pytest

import matcalc as mc
from matcalc.errors import MatcalcError
from matcalc.numeric.precise import evaluate_precisely, exactly

Y = np.array([[0.5], [1.25], [0.75]])
POINTS = ([0.3, 1.2, 0.7], [800.0, 750.0, 720.0], [800.0, 3.0, -800.0], [30.0, 40.0, 50.0])
# At each: value and gradient by differences with 60 digits; the Hessian is finite.
FORMS = (
    "sum(log(exp(x) - 1))",
    "sum(log(sinh(x)))",
    "sum(log(2*cosh(x)))",
    "log(cosh(x[1]))",
    "log(sum(exp(x) + exp(-x)))",
    "log(sum(cosh(x)))",
    "log(sum(exp(x)) + sum(exp(2*x)))",
    "log(sum(exp(x))^2)",
    "log(mean(exp(x)))",
    "log(exp(x[1]) + exp(x[2]) + 1)",
    "log(y'*exp(x))",
    "log(sum(y .* exp(x)))",
    "log(1 + sum(exp(x)))",
    "exp(x[1])*exp(x[2])/(exp(x[1]) + exp(x[2]))^2",
    "sum(exp(x) ./ expm1(x))",
    "sum(cosh(x) ./ sinh(x))",
    "sum(1 ./ cosh(x))",
    "sum(2 ./ (exp(x) + exp(-x)))",
    "sum(exp(x).^2 ./ (1 + exp(x).^2))",
    "sum(x ./ (1 - exp(-x)))",
    "log(exp(x[1])/(1 + exp(x[1]))^2)",
)
# Their Hessians are still written so that parts overflow.
VALUES_AND_GRADIENTS = (
    "sum(x .* exp(x) ./ expm1(x).^2)",
    "sum(exp(x) .* y)/(1 + sum(exp(x)))",
    "sum(exp(x))^2/sum(exp(2*x))",
    "sqrt(sum(exp(x)))/sum(exp(x/2))",
    "sum(1 - exp(-exp(x)))",
)
TOLERANCE = 1e-5  # of the largest entry: conditions reach 800, and at 40 gradients are differences


@pytest.mark.parametrize("formula", [*FORMS, *VALUES_AND_GRADIENTS])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_values_and_gradients_are_right_and_finite(formula: str) -> None:
    d = mc.derive(f"x: 3 x 1; y: 3 x 1; {formula}", wrt="x")
    value, gradient = d.function("value"), d.function("gradient")
    for point in POINTS:
        given = {"x": np.array(point)[:, None], "y": Y}
        given = {name: given[name] for name in d.graph.declared}
        exact = {name: exactly(v, given[name]) for name, v in d.graph.declared.items()}
        if not domain(formula, point):
            continue

        def precise(moved: object, exact: dict = exact) -> object:
            return evaluate_precisely([d.graph.output], {**exact, "x": moved}, {}).values[0][0, 0]

        wanted, size = precise(exact["x"]), max(map(abs, point))
        assert abs(value(**given) - float(wanted)) <= 1e-12 * max(1.0, size) * max(abs(float(wanted)), 1e-9)
        slopes = []
        for k in range(3):
            up, down = exact["x"].copy(), exact["x"].copy()
            h = exact["x"][k, 0] * 0 + 1e-20
            up[k, 0] += h
            down[k, 0] -= h
            slopes.append(float((precise(up) - precise(down)) / (2 * h)))
        found = np.ravel(gradient(**given)["x"])
        assert np.abs(found - slopes).max() <= TOLERANCE * max(max(map(abs, slopes)), 1e-9)


def domain(formula: str, point: list[float]) -> bool:
    """Whether a formula with a logarithm has a value there."""
    return min(point) > 0 or not any(part in formula for part in ("log(exp(x) - 1)", "log(sinh"))


@pytest.mark.parametrize("formula", FORMS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_hessians_are_finite(formula: str) -> None:
    d = mc.derive(f"x: 3 x 1; y: 3 x 1; {formula}", wrt="x")
    hessian = d.function("hessian")
    for point in (p for p in POINTS if domain(formula, p)):
        given = {"x": np.array(point)[:, None], "y": Y}
        found = hessian(**{name: given[name] for name in d.graph.declared})["x"]
        assert np.isfinite(found).all()


@pytest.mark.parametrize("target", ["native", "numba", "torch"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_targets_share_the_forms(target: str) -> None:
    d = mc.derive("x: 3 x 1; y: 3 x 1; log(sum(cosh(x))) + log(y'*exp(x))", wrt="x")
    given = {"x": np.array(POINTS[1])[:, None], "y": Y}
    wanted = d.function("gradient")(**given)["x"]
    try:
        function = d.function("gradient", target)
        if target == "torch":
            import torch  # noqa: PLC0415  (optional)

            given = {name: torch.tensor(v) for name, v in given.items()}
        found = np.asarray(function(**given)["x"])
    except (MatcalcError, ImportError) as missing:
        pytest.skip(str(missing))
    assert isfinite(float(np.sum(found)))
    assert np.allclose(found, wanted, rtol=1e-12)


def test_the_root_of_a_square_is_the_absolute_value():
    x = np.array([-1.2, 0.7])
    value = mc.derive("x: n x 1; sum(sqrt(sinh(x).^2) ./ cosh(x))").function("value")(x=x)
    assert value == pytest.approx(np.sum(np.abs(np.tanh(x))))


@pytest.mark.parametrize(
    ("formula", "exact"),
    [
        ("sqrt(cosh(x))", lambda x: np.sqrt(np.cosh(x))),
        ("log(expm1(x).^2)", lambda x: np.log(np.expm1(x) ** 2)),
        ("log(sinh(x) .* expm1(x))", lambda x: np.log(np.sinh(x) * np.expm1(x))),
        ("log((exp(x) - 1) ./ sinh(x))", lambda x: np.log(np.expm1(x) / np.sinh(x))),
        ("(cosh(x).^3).^(1/2) ./ cosh(x)", lambda x: np.sqrt(np.cosh(x))),
    ],
)
def test_negative_factors_have_roots_and_logarithms_together(formula, exact):
    x, step = np.array([-1.7, -0.3, 0.4, 1.9]), 1e-6
    value, gradient = mc.derive(f"x: n x 1; sum({formula})").function()(x=x)
    assert value == pytest.approx(np.sum(exact(x)))
    assert gradient["x"] == pytest.approx((exact(x + step) - exact(x - step)) / (2 * step), rel=1e-7)
