"""What the catalogue claims of a result, on random values that have the facts of the arguments."""

from __future__ import annotations

import dataclasses
import itertools
from functools import cache

import numpy as np
import pytest
import sympy as sp
from support import OPERATIONS, SIZES, Sample, example, free_arguments, holds

import matcalc as mc
from matcalc import core
from matcalc.errors import FactError, MatcalcError, ShapeError
from matcalc.expr import REGISTRY, Expr, node, record
from matcalc.numeric.sample import sample as fact_sample
from matcalc.ops.define import keeps
from matcalc.properties import NAMES, facts_of, names_of
from matcalc.walk import variables

SEEDS = (0, 1, 2)


def _fact_sets(rank: int) -> list[tuple[str, ...]]:
    return [facts for k in range(rank + 1) for facts in itertools.combinations(NAMES, k)]


def _try_example(name: str, facts: dict[int, tuple[str, ...]], squared: bool) -> Expr | None:
    try:
        return example(name, facts, squared=squared)
    except (FactError, ShapeError):
        return None


def _check_facts(e: Expr, seed: int) -> int:
    """Compare what is claimed of `e` with a sample; how many claims were tested."""
    claimed, denied = (names_of_all(mask) for mask in facts_of(e))
    if not claimed and not denied:
        return 0
    drawn = _draw(tuple(variables((e,))), seed)
    if drawn is None:
        return 0
    tested = 0
    for factor in (1.0, 0.2):
        s = Sample(e, {name: factor * v for name, v in drawn[0].items()}, drawn[1])
        if _still_hold(s) and s.inside(1e-6):
            _compare(s, claimed, denied)
            tested += len(claimed) + len(denied)
    return tested


def _still_hold(s: Sample) -> bool:
    """Whether the variables have their facts."""
    leaves = [v for v in variables((s.expr,)) if v.op == "variable"]
    return all(holds(fact, s.values[v.params[0]]) for v in leaves for fact in names_of(v.params[3]))


def _compare(s: Sample, claimed: list[str], denied: list[str]) -> None:
    value = s.at(s.expr)
    given = [names_of(facts_of(a)[0]) for a in s.expr.args]
    for fact in claimed:
        assert holds(fact, value), f"{s.expr.op} of {given} is not {fact}: {value}"
    for fact in denied:
        assert not holds(fact, np.where(np.abs(value) < 1e-13, 0, value)), f"{s.expr.op} of {given} is {fact}: {value}"


def names_of_all(mask: int) -> list[str]:
    """All facts of a mask, implied ones too."""
    return [name for k, name in enumerate(NAMES) if mask >> k & 1]


@cache
def _draw(leaves: tuple[Expr, ...], seed: int) -> tuple[dict[str, np.ndarray], dict[str, int]] | None:
    """Values with the facts of the variables, rounding errors at zeros removed; None where no matrix has them all."""
    try:
        values, sizes = fact_sample(list(leaves), seed)
    except MatcalcError:
        return None
    return {name: np.where(np.abs(v) < 1e-13, 0, v) for name, v in values.items()}, SIZES | sizes


@pytest.mark.parametrize("name", OPERATIONS)
def test_claimed_facts_hold(name: str) -> None:
    count = len(free_arguments(example(name)))
    if count == 1:
        choices = [{0: facts} for facts in _fact_sets(2)]
    else:
        same = [dict.fromkeys(range(count), facts) for facts in _fact_sets(1)]
        mixed = [{0: (a,), **dict.fromkeys(range(1, count), (b,))} for a, b in itertools.product(NAMES, NAMES)]
        choices = same + mixed
    forms = {_try_example(name, facts, squared) for facts, squared in itertools.product(choices, (False, True))}
    for e in forms:
        if e is not None:
            _check_facts(e, 0)


def _structured() -> dict[str, Expr]:
    """Expressions whose facts come from the form: congruences, numeric factors and exponents."""
    A, B = core.var("A", "m", "n"), core.var("B", "n", "n")
    found: dict[str, Expr] = {
        "gram": A.T @ A,
        "gram-4": core.matmul(B.T, A.T, A, B),
        "outer": A @ A.T,
        "congruence": core.matmul(A.T, core.var("M", "m", "m"), A),
    }
    for word in ("symmetric", "skew", "diagonal", "lower", "orthogonal", "positive-definite", "positive-semidefinite"):
        M, C = core.var("M", "n", "n", (word,)), core.var("C", "n", "n", ("nonsingular",))
        found[f"square-of-{word}"] = core.matmul(M, M)
        found[f"congruence-{word}"] = core.matmul(A, M, A.T)
        found[f"congruence-nonsingular-{word}"] = core.matmul(C, M, C.T)
        found[f"sandwich-by-{word}"] = core.matmul(M, C, M)
        for k in (-2, -1, 0, 1, 2, 3):
            found[f"matpow-{word}-{k}"] = node("matpow", (M, core.number(k)))
        for k in (-1, 0, 2):
            found[f"scale-{word}-{k}"] = core.scale(core.number(k), M)
            found[f"sum-{word}-{k}"] = core.add(M, core.scale(core.number(k), core.eye("n")))
    for word in ("symmetric", "skew", "diagonal", "positive", "nonnegative", "nonzero", "orthogonal", "one-hot"):
        M = core.var("M", "n", "n", (word,))
        for k in ("-2", "-1", "0", "1/2", "1", "2", "3"):
            found[f"power-{word}-{k}"] = core.power(M, core.number(sp.Rational(k)))
    for axis in (1, 2):
        found[f"softmax-{axis}"] = node("softmax", (A,), (axis,))
    for word in ("positive", "nonzero", "nonnegative"):
        v, s = core.var("v", "n", 1, (word,)), core.var("s", 1, 1, (word,))
        found[f"diag-{word}"] = core.diag(v)
        found[f"inverse-scalar-{word}"] = core.inverse(s)
        found[f"norm-{word}"] = node("norm2", (v,))
    return found


STRUCTURED = _structured()


@pytest.mark.parametrize("case", STRUCTURED)
def test_facts_of_forms(case: str) -> None:
    for seed in SEEDS:
        _check_facts(STRUCTURED[case], seed)


@pytest.mark.parametrize(
    ("case", "fact"),
    [
        ("gram", "positive-semidefinite"),
        ("congruence-nonsingular-positive-definite", "positive-definite"),
        ("congruence-positive-semidefinite", "positive-semidefinite"),
        ("square-of-orthogonal", "orthogonal"),
        ("softmax-1", "column-stochastic"),
        ("softmax-2", "row-stochastic"),
        ("diag-positive", "positive-definite"),
        ("power-nonzero-2", "positive"),
    ],
)
def test_facts_that_must_be_found(case: str, fact: str) -> None:
    assert fact in names_of_all(facts_of(STRUCTURED[case])[0])


def test_the_fact_checker_fails_on_wrong_facts() -> None:
    lower = np.tril(np.ones((3, 3)))
    for fact in ("symmetric", "skew", "diagonal", "upper", "orthogonal", "positive", "one-hot", "row-stochastic"):
        assert not holds(fact, lower)
    assert not holds("nonsingular", np.zeros((3, 3)))
    assert not holds("positive-definite", np.diag([1.0, -1.0]))


WRONG_FACTS = [
    ("log1p", "skew"),
    ("inv", "nonnegative"),
    ("matmul", "symmetric"),
    ("matmul", "positive-definite"),
    ("add", "orthogonal"),
    ("hadamard", "orthogonal"),
    ("exp", "diagonal"),
    ("kron", "skew"),
    ("softmax", "symmetric"),
    ("divide", "orthogonal"),
    ("maximum", "orthogonal"),
    ("exp", "row-stochastic"),
]


@pytest.mark.parametrize(("name", "fact"), WRONG_FACTS)
def test_the_fact_tests_fail_on_wrong_propagation(name: str, fact: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REGISTRY, name, dataclasses.replace(record(name), facts=keeps(fact)))
    form = example(name)
    args = [a if a.op == "number" else core.var(f"W{k}", "n", "n", (fact,)) for k, a in enumerate(form.args)]
    e = node(name, args, form.params)

    def check_all() -> None:
        for seed in range(40):  # values in the domain are rare for some
            _check_facts(e, seed)

    with pytest.raises(AssertionError, match="is not"):
        check_all()


def test_facts_about_parts_of_an_expression_are_listed_as_used() -> None:
    lines = "E: n x d\nS: d x d{}\nf = n/2*logdet(S) + tr(inv(S)*E'*E)/2"
    assert mc.derive(lines.format(""), wrt="S").facts_used == []
    d = mc.derive(lines.format(" positive-definite"), wrt="S")
    assert d.facts_used == [("S", "symmetric")]  # the weakest fact that makes inv(S) symmetric
