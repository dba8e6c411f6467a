"""A step of a derivation: plain data from which every view is printed."""

from __future__ import annotations

from dataclasses import dataclass

from matcalc.expr import Expr


@dataclass(frozen=True, slots=True)
class Step:
    """One application of a named rule.

    Attributes:
        rule: the rule's name, as `matcalc rules` lists it.
        before: the expression it was applied to.
        after: what it became; equal in value and shape to `before`.
        identity: the identity that the rule states.
        source: where the identity is published.
        facts: the facts that it used, such as `("y", "row-stochastic")`.
    """

    rule: str
    before: Expr
    after: Expr
    identity: str
    source: str
    facts: tuple[tuple[str, str], ...] = ()
