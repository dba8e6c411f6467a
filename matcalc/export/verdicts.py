"""Verdicts as plain data: what `matcalc claim --format json` prints."""

from __future__ import annotations

from typing import Any

from matcalc.claims.lines import LineVerdicts
from matcalc.claims.verdict import Counterexample, Verdict


def verdict_data(verdict: Verdict | LineVerdicts) -> dict[str, Any]:
    """A verdict, or those on the lines of a hand derivation.

    Example:
        >>> import matcalc as mc
        >>> data = verdict_data(mc.prove("(A*B)' = B'*A'"))
        >>> data["status"], data["rules"]
        ('proved', ['transpose_of_product'])
    """
    if isinstance(verdict, LineVerdicts):
        wrong = verdict.first_wrong
        return {
            "status": verdict.status,
            "notice": str(verdict.notice or ""),
            "first_wrong": None if wrong is None else wrong.number,
            "lines": [
                {
                    "number": line.number,
                    "text": line.text,
                    "verdict": None if line.verdict is None else verdict_data(line.verdict),
                }
                for line in verdict
            ],
        }
    return {
        "status": verdict.status,
        "notice": str(verdict.notice or ""),
        "about": verdict.about,
        "claim": verdict.claim,
        "right": None if verdict.expected is None else str(verdict.expected),
        "rules": verdict.rules,
        "key": None if verdict.key is None else verdict.key.rule,
        "steps": [{"rule": s.rule, "before": str(s.before), "after": str(s.after)} for s in verdict.steps],
        "assumptions": [{"fact": fact, "expression": e} for fact, e in verdict.assumptions],
        "diagnosis": {
            "text": str(verdict.diagnosis),
            "kinds": list(verdict.diagnosis.kinds),
            "node": verdict.diagnosis.node,
            "right": verdict.diagnosis.right,
        },
        "counterexample": None if verdict.counterexample is None else _example(verdict.counterexample),
        "agreed": verdict.agreed,
        "tried": list(verdict.tried),
        "holds_where": verdict.holds_where,
    }


def _example(example: Counterexample) -> dict[str, Any]:
    return {
        "values": {name: value.tolist() for name, value in example.values.items()},
        "sizes": dict(example.sizes),
        "claimed": example.claimed.tolist(),
        "right": example.right.tolist(),
    }
