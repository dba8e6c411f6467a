"""Verdicts are decided by more digits than rounding can spoil, and truths that people use are proved."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from support import OPERATIONS, example

import matcalc as mc
from matcalc.errors import MatcalcError
from matcalc.expr import variables
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.points import smooth_functions
from matcalc.numeric.precise import evaluate_precisely, exactly
from matcalc.numeric.sample import sample

# What the evaluation with 60 digits does not know: derivatives of functions of matrices at many directions.
UNKNOWN = {"dadj", "dadjform", "frechetform", "frechetpow", "frechetpowform"}


def precise(e, arrays, sizes):
    values = {v.params[0]: exactly(v, arrays[v.params[0]]) for v in variables([e])}
    return evaluate_precisely([e], values, sizes).values[0]


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - {"broadcast", *UNKNOWN}))
def test_sixty_digits_agree_with_sixteen(name):
    symmetric = name.startswith("eig")
    e = example(name, {0: ("symmetric",)} if symmetric else None)
    seen = 0
    for seed, mode in enumerate(("dominant", "unit", "free", "large") * 2):
        arrays, sizes = sample(variables([e]), seed, {"m": 2, "n": 3, "p": 4, "q": 5}, mode)
        value = evaluate(e, arrays, sizes, smooth_functions(e))
        if not np.isfinite(value).all():
            continue
        found = precise(e, arrays, sizes)
        assert np.allclose(np.array(found.tolist(), dtype=float), value, rtol=1e-9, atol=1e-9)
        seen += 1
    assert seen


def test_what_is_not_known_is_said():
    e = example("dadj")
    arrays, sizes = sample(variables([e]), 0)
    with pytest.raises(MatcalcError, match="60 digits"):
        precise(e, arrays, sizes)


@pytest.mark.parametrize(
    ("facts", "gap"),
    [
        (["orthogonal"], lambda X: X.T @ X - mpmath.mpf(1) * np.eye(len(X), dtype=int)),
        (["orthogonal", "symmetric"], lambda X: X - X.T),
        (["skew"], lambda X: X + X.T),
        (["row-stochastic"], lambda X: X.sum(axis=1) - 1),
        (["row-stochastic", "column-stochastic"], lambda X: X.sum(axis=0) - 1),
        (["row-stochastic", "symmetric"], lambda X: X - X.T),
        (["row-stochastic", "lower"], lambda X: X.sum(axis=1) - 1),
        (["column-stochastic"], lambda X: X.sum(axis=0) - 1),
    ],
)
def test_facts_are_true_to_all_digits(facts, gap):
    X = mc.var("X", "n", "n", facts)
    arrays, _ = sample([X], 1, {"n": 5})
    made = exactly(X, arrays["X"])
    assert max(abs(x) for x in gap(made).ravel()) < 1e-50
    assert np.allclose(np.array(made.tolist(), dtype=float), arrays["X"])


TRUE = [
    "a: 1 x 1\nsigmoid(a) - (1 - sigmoid(-a)) = 0",
    "X: n x m\nsum(X) - ones(1, n)*X*ones(m, 1) = 0",
    "Q: n x n orthogonal\nlogdet(Q) = 0",
    "x: 2 x 1; y: 2 x 1\ndet(x*y') = 0",
    "A: n x n symmetric; S: n x n skew\ntr(A*S) = 0",
    "Q: n x n orthogonal\nQ*Q' - eye(n) = zeros(n, n)",
    "A: n x n\ntr(expm(A)*A - A*expm(A)) = 0",
    "P: n x n row-stochastic\nsum(P) - n = 0",
    "x: n x 1\nsum(softmax(x, 1)) - 1 = 0",
    "x: n x 1\n1e9*(sum(softmax(x, 1)) - 1) = 0",
]


@pytest.mark.parametrize("text", TRUE)
def test_rounding_disproves_nothing(text):
    assert mc.prove(text).status != "disproved"


FALSE = [
    "x: n x 1\nsum(softmax(x, 1)) - 1 = 1e-20*x'*x",
    "a: 1 x 1\nsigmoid(a) - (1 - sigmoid(-a)) = 1e-25*a",
    "Q: n x n orthogonal\nlogdet(Q) = 1e-18*tr(Q)",
    "A: n x n\nA*expm(A') - expm(A')*A = zeros(n, n)",
]


@pytest.mark.parametrize("text", FALSE)
def test_small_differences_are_found(text):
    verdict = mc.prove(text)
    assert verdict.status == "disproved"
    assert verdict.counterexample is not None


def test_a_slice_that_does_not_fit_is_no_point():
    assert mc.prove("X: n x m\nX[1:n, 1:n] = X[1:n, 1:n]'").status == "disproved"
    verdict = mc.prove("X: n x m\nX[1:n, 1:n] + X[1:n, 1:n] = 2*X[1:n, 1:n]")
    assert verdict.status == "proved"
    assert "m - n + 1 is positive" in str(verdict)
    e = mc.derive("X: n x m\nsum(X[1:n, 1:n])").graph.output
    with pytest.raises(MatcalcError, match="rows 1 to 4"):
        evaluate(e, {"X": np.ones((4, 3))})
