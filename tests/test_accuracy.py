"""Generated code keeps the digits: differences stay whole, what cancels or overflows has a stable form."""

from __future__ import annotations

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
    ("normlogcdf(x)", normal_tail, [-1e4, -40, -1, 5, 60]),
    ("normpdf(x) ./ normcdf(x)", lambda t: mpmath.npdf(t) / mpmath.ncdf(t), [-20, -1, 5]),
    ("log(1 - sigmoid(x))", lambda t: -t - mpmath.log(1 + mpmath.exp(-t)), [-40, -1, 5, 800]),
    ("log(sigmoid(x))", lambda t: t - mpmath.log(1 + mpmath.exp(t)), [-800, -1, 5, 40]),
    ("log(1 - tanh(x))", lambda t: mpmath.log(2) - mpmath.log(1 + mpmath.exp(2 * t)), [-3, 1, 30]),
    ("exp(x) - exp(-x)", lambda t: 2 * mpmath.sinh(t), [1e-9, 1]),
    ("1 - normcdf(x)", lambda t: mpmath.ncdf(-t), [30, 1]),
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
