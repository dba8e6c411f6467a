"""The index of rules: no rule fires where it is not offered; a user's rule is offered as soon as it is declared."""

from __future__ import annotations

import pytest
from case_support import VALID, derive

import matcalc as mc
from matcalc import core
from matcalc.expr import Expr, postorder
from matcalc.ops.elementwise import cosh
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.rewrite.index import Index, index_of, may_fire
from matcalc.rewrite.rule import RULES, among, but, node_rule, rules_of

mc.derive  # noqa: B018  (fills the registries)


def met() -> list[Expr]:
    """What stands in the examples of the rules, as it is written and as the other rules leave it, and in some cases."""
    sides = [side for rule in RULES.values() for side in rule.example()]
    tidied = [Rewriter(Context(), among()).normal(side) for side in sides]
    others = [Rewriter(Context(), but((name,))).normal(rule.example()[0]) for name, rule in RULES.items()]
    gradients = [case for case in VALID if case["kind"] == "gradient"]
    adjoints = [derive(case).reverse.adjoints.values() for case in gradients[::7]]
    raw = [made.raw for found in adjoints for made in found]
    return list(postorder([*sides, *tidied, *others, *raw]))


def test_no_rule_fires_where_it_is_not_offered():
    by_op: dict[str, list[Expr]] = {}
    for e in met():
        by_op.setdefault(e.op, []).append(e)
    refused = 0
    for rule in RULES.values():
        for e in by_op.get(rule.op, ()):
            if not may_fire(rule, e):
                refused += 1
                assert rule.apply(e, Context()) is None, f"{rule.name} fires at {e}"
    assert refused > 10_000


def test_the_index_offers_what_may_fire_in_the_order_of_the_rules():
    rules = rules_of("collapse", "distribute")
    index = Index(rules)
    for e in met()[::7]:
        assert list(index.offered(e)) == [rule for rule in rules.get(e.op, ()) if may_fire(rule, e)]


def test_the_index_is_made_again_for_a_new_rule():
    X = core.var("X", "m", "n")

    @node_rule(op="cosh", source="Abramowitz & Stegun (1964), ch. 4", having="abs", example=lambda: (cosh(X), cosh(X)))
    def cosh_of_absolute_value(e: Expr, context: Context) -> Expr | None:
        """cosh(abs(X)) = cosh(X)"""
        return cosh(e.args[0].args[0])

    try:
        offered = index_of("collapse").offered(cosh(mc.abs(X)))
        assert RULES["cosh_of_absolute_value"] in offered
        assert RULES["cosh_of_absolute_value"] not in index_of("collapse").offered(cosh(X))
    finally:
        del RULES["cosh_of_absolute_value"]
    assert index_of("collapse").offered(cosh(mc.abs(X))) == ()


@pytest.mark.parametrize("choice", [among("transpose_of_product"), but(("transpose_of_product",))])
def test_choices_with_the_same_names_share_an_index(choice):
    again = type(choice)(choice.names, choice.chosen)
    assert index_of("collapse", only=choice) is index_of("collapse", only=again)
