"""Every rewrite rule, from the registry: true, fires on its own left side, leads somewhere, needs its facts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from case_support import relative_error

import matcalc as mc
from matcalc import core
from matcalc.expr import Expr, postorder
from matcalc.numeric.evaluate import evaluate_all
from matcalc.numeric.sample import MODES, draw_sizes, sample
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.rewrite.measure import cost
from matcalc.rewrite.rule import GROUPS, RULES, Rule, among, but
from matcalc.walk import substitute, variables

mc.derive  # noqa: B018  (fills the registries)

POINTS = 4
TOLERANCE = 1e-9
SHARE_OF_PAIRS = 0.59


ALL = pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
RESULTS = [rule for rule in RULES.values() if rule.group in ("collapse", "present")]
IN_RESULTS = pytest.mark.parametrize("rule", RESULTS, ids=[rule.name for rule in RESULTS])


def values(exprs: list[Expr], seed: int) -> list[np.ndarray] | None:
    """The values of some expressions at one random point that satisfies the facts; None where one is not finite."""
    rng = np.random.default_rng(seed)
    sizes = draw_sizes([d for sub in postorder(exprs) for d in sub.shape], rng)
    arrays, _ = sample(variables(exprs), rng, sizes, MODES[seed % len(MODES)])
    for sub in postorder(exprs):
        if sub.op == "matpow" and sub.args[1].op == "variable":
            arrays[sub.args[1].params[0]] = np.array([[2.0]])
    found = evaluate_all(exprs, arrays, sizes)
    return found if all(np.isfinite(value).all() for value in found) else None


def are_equal(left: Expr, right: Expr) -> bool:
    """Whether two expressions agree at several random points of several sizes."""
    seen = 0
    for seed in range(10 * POINTS):
        found = values([left, right], seed)
        if found is None:
            continue
        if not relative_error(*found) < TOLERANCE:
            return False
        seen += 1
        if seen == POINTS:
            return True
    raise AssertionError(f"too few points where {left} is finite")


def fired(rule: Rule, left: Expr) -> Expr | None:
    """What the rule makes of an expression, or of what tidying or the other rules leave of it."""
    others = but((rule.name,))
    for e in (left, Rewriter(Context(), only=among()).normal(left), Rewriter(Context(), only=others).normal(left)):
        after = rule.apply(e, Context()) if e.op == rule.op else None
        if after is not None:
            return after
    return None


@ALL
def test_true(rule):
    left, right = rule.example()
    assert core.same_shape(left.shape, right.shape)
    assert are_equal(left, right)


@ALL
def test_fires_on_its_own_left_side(rule):
    left, _ = rule.example()
    after = fired(rule, left)
    assert after is not None
    assert after is not left
    assert core.same_shape(after.shape, left.shape)
    assert are_equal(left, after)


@IN_RESULTS
def test_leads_somewhere(rule):
    left, _ = rule.example()
    after = fired(rule, left)
    if rule.why:
        assert rule.group == "collapse"
        again = fired(rule, after)
        assert again is None or cost(again) <= cost(after)
    else:
        assert cost(after) < cost(left)


@IN_RESULTS
def test_both_sides_get_one_form(rule):
    left, right = rule.example()
    first, second = (Rewriter(Context()).simplify(side) for side in (left, right))
    assert first.digest == second.digest, f"{first} and {second}"
    assert rule.group == "collapse" or cost(first) <= cost(right)


@ALL
def test_has_a_name_an_identity_and_a_source(rule):
    assert rule.name in RULES
    assert rule.name.isidentifier()
    assert len(rule.identity) > 5
    assert "\n" not in rule.identity
    assert len(rule.source) > 5
    assert rule.group in GROUPS


def test_most_rules_are_pairs():
    """An identity is stated by its two sides, and only what is an algorithm by a function of the node."""
    assert sum(rule.pair is not None for rule in RULES.values()) >= SHARE_OF_PAIRS * len(RULES)


CONDITIONAL = [rule for rule in RULES.values() if any(v.params[3] for v in variables([rule.example()[0]]))]


@pytest.mark.parametrize("rule", CONDITIONAL, ids=[rule.name for rule in CONDITIONAL])
def test_a_conditional_rule_is_silent_without_its_facts(rule):
    """It says nothing, or something that holds without the facts."""
    left, _ = rule.example()
    bare = substitute(left, {v: core.var(v.params[0], *v.shape) for v in variables([left])})
    after = fired(rule, bare)
    assert after is None or are_equal(bare, after)


# ------------------------------------------------------------------------------------------------ wrong rules


def value_of(right: Expr, left: Expr) -> np.ndarray:
    """A value of the right side where the left side has one too."""
    found = next(filter(None, (values([right, left], seed) for seed in range(10))))
    return found[0]


def negated(e: Expr) -> Expr:
    return core.scale(core.number(-1), e)


def stretched(e: Expr) -> Expr:
    return core.scale(core.number(core.exact("0.999")), e)


def transposed(e: Expr) -> Expr:
    return core.transpose(e)


@pytest.mark.parametrize("wrong", [negated, stretched])
@ALL
def test_the_check_fails_on_a_wrong_right_side(rule, wrong):
    left, right = rule.example()
    if value_of(right, left).any():
        assert not are_equal(left, wrong(right))


@ALL
def test_the_check_fails_on_a_transposed_right_side(rule):
    left, right = rule.example()
    value = value_of(right, left)
    if value.shape != value.T.shape or not np.allclose(value, value.T):
        assert not are_equal(left, transposed(right))


WRONG_TRANSPOSES = {
    "the sign": lambda A, B: negated(B.T @ A.T),
    "the factor": lambda A, B: stretched(B.T @ A.T),
    "the order": lambda A, B: A.T @ B.T,
    "a transpose": lambda A, B: B.T @ A,
}


@pytest.mark.parametrize("wrong", WRONG_TRANSPOSES.values(), ids=list(WRONG_TRANSPOSES))
def test_the_certificate_fails_when_a_wrong_rule_is_at_work(wrong, monkeypatch):
    text, shapes = "sum(((A*X)'.*C).^4)", dict.fromkeys("AXC", ("n", "n"))
    right = mc.derive(text, wrt="X", shapes=shapes)
    assert right.check().ok
    assert "transpose_of_product" in [step.rule for step in right.context.steps]

    sound, met = RULES["transpose_of_product"].apply, []

    def apply(e: Expr, context: Context) -> Expr | None:
        """Wrong the first time only: twice could cancel."""
        inner = e.args[0]
        if met or inner.op != "matmul" or len(inner.args) != 2:
            return sound(e, context)
        met.append(e)
        return wrong(*inner.args)

    monkeypatch.setitem(RULES, "transpose_of_product", replace(RULES["transpose_of_product"], apply=apply))
    report = mc.derive(text, wrt="X", shapes=shapes).check()
    assert not report.ok
    assert "X" in report.reason


@pytest.mark.parametrize("scalars", [False, True])
def test_common_factors_of_unmerged_powers(scalars):
    """Terms with two powers of one base: x .* sqrt(x) is one term, and x.^k has no number to subtract."""
    x = core.var("x", *((1, 1) if scalars else ("n", 1)))
    a, b, k = core.var("a", *x.shape), core.var("b", *x.shape), core.var("k", 1, 1)
    root = core.power(x, core.number(core.exact("0.5")))
    for first in ((x, root), (x, core.power(x, core.power(k, 2))), (root, root, x)):
        for second in ((x, b), (root, b), (core.power(x, 2),)):
            e = core.add(core.hadamard(*first, a), core.hadamard(*second), core.hadamard(*first))
            arrays, sizes = sample(variables([e]), 0, mode="positive")
            values = [RULES[name].apply(e, Context()) for name in ("common_entrywise_factor", "common_scalar_factor")]
            found = [v for v in (*values, Rewriter(Context()).simplify(e)) if v is not None]
            for value in evaluate_all([e, *found], arrays, sizes)[1:]:
                assert relative_error(value, evaluate_all([e], arrays, sizes)[0]) < TOLERANCE
