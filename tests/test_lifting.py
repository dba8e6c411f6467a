"""The rules by which sums over indices become matrices: each is used in its example, and each step is true."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import numpy as np
import pytest
from test_sums import LIFTED, drawn

import matcalc as mc
from matcalc.dims import evaluate as size_of
from matcalc.expr import Expr
from matcalc.frontend.parser import parse
from matcalc.indices.lifting import RULES, Lift, Named
from matcalc.numeric.evaluate import evaluate
from matcalc.walk import variables

SIZES = {"n": 5, "p": 3, "m": 4, "d": 2, "K": 3, "T": 4}
TAKEN: dict[str, Any] = {
    **{"sum": np.sum, "max": np.max, "min": np.min, "prod": np.prod, "mean": np.mean, "var": np.var, "std": np.std},
    "logsumexp": lambda values: np.log(np.sum(np.exp(values))),
}
CONDITION = re.compile(r"\[(\w+) (<|<=|>|>=|!=) (.+)\]")


def value_of(named: Named, words: str, at: dict[str, int], step: Lift, arrays: dict[str, Any]) -> float:
    """An entry of a matrix, a condition, or a sum or maximum, where the indices have these values."""
    if named.matrix is None:
        left, relation, right = CONDITION.fullmatch(words).groups()  # type: ignore[union-attr]
        return float(eval(f"{left} {relation} {right}", {}, at))
    if not named.head:
        X = evaluate(named.matrix, arrays, SIZES)
        places = [eval(p, dict(SIZES), at) - 1 for p in named.places]
        return float(X[tuple(places)] if len(places) == 2 else X.ravel()[places[0]])
    (letter,) = named.places
    count = re.search(rf"\b{letter}=(\d+)\.\.([^,]+),", words)
    assert count is not None
    ends = range(int(count[1]), eval(count[2], dict(SIZES)) + 1)
    values = [entry(named.matrix, {**at, letter: k}, step, arrays) for k in ends]
    return float(TAKEN[named.head](values))


def entry(e: Expr, at: dict[str, int], step: Lift, arrays: dict[str, Any]) -> float:
    """An expression in entries, where the indices have these values."""
    inside = {v.name: v for v in variables((e,))}
    values = {
        name: np.array([[value_of(step.names[name], name, at, step, arrays)]]) if name in step.names else arrays[name]
        for name in inside
    }
    return float(evaluate(e, values, SIZES).reshape(()))


def indices_of(step: Lift) -> dict[str, range]:
    """The free indices, and their values, from the matrices whose entries occur."""
    over = {name for name, _, _ in step.over}
    heads = {p for named in step.names.values() if named.head for p in named.places}
    found: dict[str, range] = {}
    for named in step.names.values():
        if named.matrix is None or named.head:
            continue
        shape = [size_of(d, SIZES) for d in named.matrix.shape]
        if len(named.places) == 1:
            shape = [max(shape)]
        for place, size in zip(named.places, shape):
            name = place.split()[0]
            shift = eval(place, dict(SIZES), {name: 0})
            if name not in over | heads:
                found[name] = range(1 - shift, size - shift + 1)
    return found


def holds(step: Lift, arrays: dict[str, Any]) -> bool:
    """Whether both sides are equal, for all values of the free indices."""
    free = indices_of(step)
    ranges = [range(size_of(first, SIZES), size_of(last, SIZES) + 1) for _, first, last in step.over]
    names = [name for name, _, _ in step.over]
    for at in product(*free.values()):
        here = dict(zip(free, at))
        total = sum(entry(step.left, {**here, **dict(zip(names, k))}, step, arrays) for k in product(*ranges))
        if not np.isclose(total, entry(step.right, here, step, arrays), rtol=1e-9, atol=1e-9):
            return False
    return True


def steps_of(program: str) -> list[Lift]:
    return [step for lifting in parse(program).liftings for step in lifting.steps]


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_used_in_its_example_and_true(name: str) -> None:
    rule = RULES[name]
    assert rule.identity
    assert rule.source
    steps = steps_of(rule.example)
    assert name in [step.rule.name for step in steps]
    arrays = drawn(rule.example, np.random.default_rng(5))
    for step in steps:
        assert holds(step, arrays), step.text


@pytest.mark.parametrize("name", LIFTED)
def test_every_step_of_a_sum_is_true(name: str) -> None:
    program = LIFTED[name][0]
    arrays = drawn(program, np.random.default_rng(6))
    for step in steps_of(program):
        assert holds(step, arrays), step.text
        assert step.latex()


def test_a_wrong_step_is_seen() -> None:
    program = RULES["product of matrices"].example
    step = steps_of(program)[0]
    names = {k: Named(v.matrix, v.places[::-1]) if k.startswith("A[") else v for k, v in step.names.items()}
    arrays = {"A": np.random.default_rng(0).normal(size=(5, 5)), "B": np.random.default_rng(1).normal(size=(5, 5))}
    wrong = Lift(step.rule, step.over, step.left, step.right, names)
    old = dict(SIZES)
    SIZES.update(n=5, p=5)
    try:
        assert holds(step, arrays)
        assert not holds(wrong, arrays)
    finally:
        SIZES.update(old)


def test_the_page_shows_the_sum_the_steps_and_the_matrix_form() -> None:
    d = mc.derive("X: n x p\ny: n x 1\nw: p x 1\nsum(i=1..n, exp(X[i,:]*w)*y[i])", wrt="w")
    first = d.text().split("\n")[:4]
    assert first == [
        "Sums as matrices:",
        "  sum(i=1..n, exp(X[i,:]*w)*y[i]) = exp(X*w)'*y",
        "    rows times a vector: sum(c=1..p, X[i, c]*w[c]) = (X*w)[i]",
        "    entry by entry: exp((X*w)[i]) = (exp(X*w))[i]",
    ]
    assert r"\sum_{c=1}^{p} {X}_{i, c} {w}_{c} = \left(X w\right)_{i} \quad \text{(rows times a vector)}" in d.latex()
    assert "rows times a vector" in d.markdown()
    assert not mc.derive("X: n x p\nsum(X)").text().startswith("Sums")
