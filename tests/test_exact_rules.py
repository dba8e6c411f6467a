"""Every rule that is marked exact loses no digit: both sides of its example in float64 beside 60 digits."""

from __future__ import annotations

import numpy as np
import pytest

import matcalc as mc
from matcalc import core
from matcalc.errors import MatcalcError
from matcalc.expr import Expr, node, postorder
from matcalc.numeric.evaluate import evaluate_all
from matcalc.numeric.precise import evaluate_precisely, exactly
from matcalc.numeric.sample import MODES, draw_sizes, sample
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import RULES, Rule
from matcalc.walk import variables

mc.derive  # noqa: B018  (fills the registries)

SEEDS = 2
HALF_UNIT = 2.0**-53
ALLOWED = 100  # times the error of the left side, or that of the condition
FEW = 64  # rounding errors that are allowed anyway
MOVED = 1e-18
OPPOSITE = "nearly opposite"
SCALES = ("ordinary", "nearly equal", "of all sizes", OPPOSITE)
# What 60 digits are not known for.
UNKNOWN = {
    "dadj_of_one_value",
    "transpose_of_adjugate_slope",
    "adjugate_slope_of_nonsingular",
    "adjugate_form_of_nonsingular",
    "frechet_of_power_at_commuting",
    "frechet_of_power_of_scaled",
    "length_of_eigenvector",
    "function_of_eigenvalues",
}
# What is opened only where no term has a minus: see the test below.
GUARDED = {"trace_of_sum"}
EXACT = [rule for rule in RULES.values() if rule.exact and rule.name not in UNKNOWN]


def point(roots: list[Expr], scale: str, seed: int) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Values for the variables, those without facts scaled, and sizes."""
    rng = np.random.default_rng(seed)
    sizes = draw_sizes([d for sub in postorder(roots) for d in sub.shape], rng)
    arrays, _ = sample(variables(roots), rng, sizes, MODES[seed % len(MODES)])
    factored = {v for e in postorder(roots) if e.op == "chol" for v in variables(e.args)}
    powers = {e.args[1] for e in postorder(roots) if e.op == "matpow"}
    first: dict[tuple[int, ...], np.ndarray] = {}
    for v in variables(roots):
        X = arrays[v.params[0]]
        if v in factored:
            X = X @ X.T + np.eye(len(X))
        elif v in powers:
            X = np.array([[2.0]])
        elif not v.params[3]:
            sized = {"nearly equal": 1.5 + 1e-4 * X, "of all sizes": X * 10.0 ** rng.integers(-6, 7, size=X.shape)}
            X = X if scale == "ordinary" else sized.get(scale, X)
            if scale == OPPOSITE:
                X = first[X.shape] * -(1 - 2.0**-30 * X) if X.shape in first else X
                first.setdefault(X.shape, X)
        arrays[v.params[0]] = X
    return arrays, sizes


def error(found: np.ndarray, wanted: np.ndarray) -> float:
    """The largest difference over the largest entry."""
    largest = max((abs(x) for x in wanted.ravel()), default=0)
    gap = max((abs(x - y) for x, y in zip(np.ravel(found), wanted.ravel())), default=0)
    return float(gap / largest) if largest else 0.0


def losses(rule: Rule) -> list[str | None]:
    """At each point where both sides have a value what the right side loses, None where it loses nothing."""
    left, right = rule.example()
    found: list[str | None] = []
    for seed in range(SEEDS):
        for scale in SCALES:
            arrays, sizes = point([left, right], scale, seed)
            rng = np.random.default_rng(seed)
            try:
                given = {v.params[0]: exactly(v, arrays[v.params[0]]) for v in variables([left, right])}
                moves = {n: X * (1 + MOVED * rng.choice([-1.0, 1.0], size=X.shape)) for n, X in given.items()}
                wanted, moved = (evaluate_precisely([left], values, sizes).values[0] for values in (given, moves))
                with np.errstate(all="ignore"):
                    before, after = evaluate_all([left, right], arrays, sizes)
            except (MatcalcError, ValueError, np.linalg.LinAlgError):  # no finite value there
                continue
            if not np.isfinite(before).all():
                continue
            allowed = ALLOWED * error(before, wanted)
            if scale != OPPOSITE:  # where two variables cancel, the left side may lose nothing: the right side neither
                allowed = max(allowed, ALLOWED * HALF_UNIT * error(moved, wanted) / MOVED)
            lost = error(after, wanted) if np.isfinite(after).all() else np.inf
            said = f"{scale}, seed {seed}: {lost:.1e} where {allowed:.1e} is allowed"
            found.append(said if lost > max(FEW * HALF_UNIT, allowed) else None)
    return found


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("rule", EXACT, ids=[rule.name for rule in EXACT])
def test_an_exact_rule_loses_no_digit(rule):
    found = losses(rule)
    assert found, "no point where it has a value"
    lost = [said for said in found if said and not (rule.name in GUARDED and said.startswith(OPPOSITE))]
    assert not lost


def test_what_is_guarded_leaves_differences_whole():
    A, B = core.var("A", "n", "n"), core.var("B", "n", "n")
    exact = Context(exact=True)
    for difference in (core.difference(A, B), core.difference(core.eye("n"), A)):
        assert RULES["trace_of_sum"].apply(node("tr", (difference,)), exact) is None
        assert RULES["trace_of_sum"].apply(node("tr", (difference,)), Context()) is not None


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    "name",
    [
        *("distribute_product", "distribute_scalar", "power_of_sum", "distribute_kron", "sum_of_sum"),
        *("definition_of_pdist2", "logsumexp_is_log_of_sum", "inv_of_low_rank_update", "matrix_power_of_sum"),
    ],
)
def test_a_rule_that_loses_digits_is_seen(name):
    assert not RULES[name].exact
    assert any(losses(RULES[name]))
