"""The numeric check passes right derivatives and fails wrong ones: wrong in size, sign, one entry, on or off a set."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

import matcalc as mc
from matcalc.calculus.structured import BASES, ENTRIES, PROJECTIONS
from matcalc.expr import Expr
from matcalc.numeric.check import check_gradient, check_hessian, check_jacobian
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.report import Report
from matcalc.properties import NAMES

Array = np.ndarray
Change = Callable[[Array, Array], Array]  # of a derivative, at a value of the variable
SCALAR = "sum((S*M).^3) + tr(S*A*S*M) + sum(S.^3 .* A)"
MATRIX = "S*A*S + M*S.^2"
SHAPES = dict.fromkeys("SAM", ("n", "n"))
KINDS = ("gradient", "jacobian", "hessian", "mixed")
RNG = np.random.default_rng(4)
FREE, ROWS = RNG.normal(size=(13, 13)), RNG.normal(size=(169, 1))


def _rows_sum_to_zero(R: Array, X: Array) -> Array:
    return R - R.mean(axis=1, keepdims=True)


# The part of a direction R that stays, to first order, on the set where a fact holds (or the structure) at X.
ON_SET: dict[str, Callable[[Array, Array], Array]] = {
    "symmetric": lambda R, X: (R + R.T) / 2,
    "positive-definite": lambda R, X: (R + R.T) / 2,
    "positive-semidefinite": lambda R, X: (R + R.T) / 2,
    "skew": lambda R, X: (R - R.T) / 2,
    "diagonal": lambda R, X: R * np.eye(len(R)),
    "lower": lambda R, X: np.tril(R),
    "upper": lambda R, X: np.triu(R),
    "orthogonal": lambda R, X: X @ (X.T @ R - R.T @ X) / 2,
    "one-hot": lambda R, X: 0 * R,
    "one-hot-column": lambda R, X: 0 * R,
    "row-stochastic": _rows_sum_to_zero,
    "column-stochastic": lambda R, X: _rows_sum_to_zero(R.T, X).T,
    "toeplitz": lambda R, X: _means_along_diagonals(R),
    "symmetric-toeplitz": lambda R, X: _means_along_diagonals((R + R.T) / 2),
}


def _means_along_diagonals(R: Array) -> Array:
    n = len(R)
    return np.array([[np.diagonal(R, j - i).mean() for j in range(n)] for i in range(n)])


def _one_entry(D: Array, X: Array) -> Array:
    changed = D.copy()
    at = np.unravel_index(np.argsort(np.abs(D), axis=None)[-2], D.shape)  # a large one
    changed[at] *= 1.001
    return changed


def _towards(part: Callable[[Array, Array], Array]) -> Change:
    """The derivative changed by a thousandth, only in how it answers to one part of the directions."""

    def change(D: Array, X: Array) -> Array:
        direction = part(FREE[: X.shape[0], : X.shape[1]], X)
        size = 1e-3 * np.abs(D).max()
        if D.shape == X.shape:
            return D + size * direction
        return D + size * ROWS[: len(D)] @ direction.reshape(1, -1, order="F")

    return change


def _everywhere(fact: str) -> Iterator[Change]:
    yield lambda D, X: 1.001 * D
    yield lambda D, X: -D
    yield _one_entry
    if fact not in ON_SET:  # it holds around the point
        return
    if not fact.startswith("one-hot"):  # there the set has no directions
        yield _towards(ON_SET[fact])
    yield _towards(lambda R, X: R - ON_SET[fact](R, X))


def _changed(f: Callable[..., object], change: Change, with_value: bool) -> Callable[..., object]:
    def wrong(*, S: Array, A: Array, M: Array, dims: dict[str, int]) -> object:
        result = f(S=S, A=A, M=M, dims=dims)
        derivatives = result[1] if with_value else result
        derivatives = {"S": change(derivatives["S"], S)}
        return (result[0], derivatives) if with_value else derivatives

    return wrong


def _mixed(e: Expr) -> Callable[..., dict[str, Array]]:
    return lambda *, dims, **arrays: {"S": evaluate(e, arrays, dims)}


def report(d: mc.Derivation, kind: str, change: Change | None, trials: int = 2) -> Report:
    """The report of the check where the derivative by S is changed."""
    what = {"gradient": "value_and_grad", "mixed": "value"}.get(kind, kind)
    f = _mixed(d.hessian("S", "M").value) if kind == "mixed" else d.function(what)
    if change is not None:
        f = _changed(f, change, kind == "gradient")
    options = {"wrt": ["S"], "structure": d.structure, "trials": trials}
    source, variables = d.source.output, list(d.graph.declared.values())
    if kind == "gradient":
        return check_gradient(source, variables, f, convention=d.convention, **options)
    bases = {"S": BASES[d.structure["S"]](d.find("S"))} if d.structure else {}
    if kind == "jacobian":
        return check_jacobian(source, variables, f, bases=bases, **options)
    return check_hessian(source, variables, f, bases=bases, by="M" if kind == "mixed" else None, **options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fact", [*NAMES, "none"])
def test_where_a_fact_holds_wrong_derivatives_are_caught(fact, kind):
    facts = {} if fact == "none" else {"S": fact}
    d = mc.derive(MATRIX if kind == "jacobian" else SCALAR, "S", shapes=SHAPES, facts=facts)
    assert report(d, kind, None, 4)
    for k, change in enumerate(_everywhere(fact)):
        found = report(d, kind, change)
        assert not found, f"change {k} was called right: {found}"
        assert "wrong" in found.reason


LINEAR = [(structure, kind) for structure in BASES for kind in ("jacobian", "hessian", "mixed")]
CURVED = [(structure, "gradient") for structure in PROJECTIONS]


@pytest.mark.parametrize("convention", ["entries", "projection"])
@pytest.mark.parametrize(("structure", "kind"), [*CURVED, *LINEAR])
def test_along_a_structure_wrong_derivatives_are_caught(structure, kind, convention):
    if convention == "entries" and structure not in ENTRIES:
        pytest.skip("the set has no independent entries")
    d = mc.derive(
        *(MATRIX if kind == "jacobian" else SCALAR, "S"),
        **{"shapes": SHAPES, "structure": {"S": structure}, "convention": convention},
    )
    assert report(d, kind, None, 4)
    changes = list(_everywhere(structure)) if kind == "gradient" else list(_everywhere("none"))[:3]
    for k, change in enumerate(changes):
        found = report(d, kind, change)
        assert not found, f"change {k} was called right: {found}"


def test_a_right_derivative_by_the_set_is_wrong_in_free_directions():
    """2 S is the gradient of tr(S*S) for symmetric S, and of no other S: the check is of free directions."""
    d = mc.derive("tr(S*S)", "S", shapes={"S": ("n", "n")}, facts={"S": "symmetric"})
    assert d.check(kind="hessian")
    identity = lambda *, S, dims: {"S": 2 * np.eye(S.size)}  # noqa: E731
    assert not check_hessian(d.source.output, list(d.graph.declared.values()), identity, wrt=["S"])


@pytest.mark.parametrize("fact", ["symmetric", "skew", "diagonal", "positive-definite", "orthogonal", "lower"])
def test_the_public_check_takes_free_directions(fact):
    source = "logdet(S'*S + S*A) + x'*S*S*x"
    shapes = {"S": ("n", "n"), "A": ("n", "n"), "x": ("n", 1)}
    d = mc.derive(source, ["S", "x"], shapes=shapes, facts={"S": fact, "A": "positive-definite"})
    assert d.check(trials=3)
    assert d.check(trials=3, kind="hessian")
    assert d.check(trials=2, kind="hessian", by="x")
    assert d.check(trials=2, kind="hessian", by="A")
    with pytest.raises(mc.MatcalcError, match="mixed Hessian"):
        d.check(by="x")


INEXACT = "sum(log((erf((b - X*w)/sqrt(2)) - erf((a - X*w)/sqrt(2)))/2))"


def test_a_right_derivative_of_what_loses_its_digits_as_it_is_typed_passes() -> None:
    """In the tail erf(b) - erf(a) has no digits in the source's own value: that says nothing of the derivative."""
    shapes = {"X": ("n", "p"), "w": ("p", 1), "a": ("n", 1), "b": ("n", 1)}
    d = mc.derive(INEXACT, wrt="w", shapes=shapes)
    assert all(d.check(seed=seed) for seed in range(3))
    wrong = mc.derive(f"1.001*{INEXACT}", wrt="w", shapes=shapes).function("value_and_grad")
    report = check_gradient(d.source.output, list(d.graph.declared.values()), wrong, wrt=["w"])
    assert not report.ok
    assert "is wrong" in report.reason or "gives the value" in report.reason
