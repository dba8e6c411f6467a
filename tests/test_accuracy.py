"""Generated code keeps the digits: differences stay whole, what cancels or overflows has a stable form."""

from __future__ import annotations

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
