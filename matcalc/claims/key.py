"""The step of a proof that matters: where the rest is arranging."""

from __future__ import annotations

from collections.abc import Sequence

from matcalc.rewrite.measure import cost
from matcalc.rewrite.rule import RULES
from matcalc.steps import Step

# What moves terms about, against what says something about functions and matrices.
WEIGHTS = {"distribute": 0, "collapse": 1, "present": 2, "expand": 2}


def key_step(steps: Sequence[Step]) -> Step | None:
    """The step that used a fact, else one by an identity of functions or matrices, else the one that changes most.

    None where everything is arranging: like terms, products opened, names.
    """
    told = [s for s in steps if s.rule in RULES and RULES[s.rule].group != "tidy"]
    return max(told, key=_weight, default=None)


def _weight(step: Step) -> tuple[bool, int, int]:
    defines = step.rule.startswith(("definition_of_", "transpose_of_"))
    weight = 0 if defines else WEIGHTS[RULES[step.rule].group]
    return bool(step.facts), weight, abs(cost(step.after) - cost(step.before))
