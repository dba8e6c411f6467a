"""The traits in the records say what the operations do: each is tested for every operation that the registry holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from support import OPERATIONS, SIZES, close, concrete, example, free_arguments, maps, sample, swish

from matcalc.core import var
from matcalc.errors import MatcalcError
from matcalc.expr import REGISTRY, Op, operations, record
from matcalc.frontend.names import operation
from matcalc.notation import Builtin
from matcalc.numeric.evaluate import evaluate
from matcalc.ops.elementwise import exp, log, sign, step
from matcalc.vecform import matrix


def by_name(names: list[str]) -> pytest.MarkDecorator:
    """One test for each operation."""
    return pytest.mark.parametrize("name", names)


def where_(test: Callable[[Op], object]) -> list[str]:
    """The operations with arguments that have a trait."""
    return [name for name in OPERATIONS if test(record(name))]


@by_name(where_(lambda op: not op.real_only))
def test_what_is_not_real_only_has_a_complex_derivative(name: str) -> None:
    """f(X + ih V) = f(X) + ih f'(X) V + O(h^2), and turning the step by i turns the change by i."""
    s = sample(example(name), 0)
    rng = np.random.default_rng(1)
    h = 1e-6
    for _, a in free_arguments(s.expr):
        V = rng.normal(size=concrete(a.shape))

        def moved(step: complex) -> np.ndarray:
            key = a.params[0]  # noqa: B023
            return evaluate(s.expr, {**s.values, key: s.values[key] + step * V}, s.sizes, {"swish": swish})  # noqa: B023

        along, turned = (moved(h) - moved(-h)) / (2 * h), (moved(1j * h) - moved(-1j * h)) / (2j * h)
        assert np.allclose(along, turned, rtol=1e-5, atol=1e-7)


@by_name(where_(lambda op: op.real_only))
def test_what_is_real_only_is_refused_for_complex_values(name: str) -> None:
    s = sample(example(name), 0)
    first = free_arguments(s.expr)[0][1].params[0]
    with pytest.raises(MatcalcError, match="complex"):
        evaluate(s.expr, {**s.values, first: s.values[first] + 1j}, s.sizes, {"swish": swish})


@by_name(where_(lambda op: op.entrywise))
def test_an_entry_of_what_is_entrywise_depends_on_the_same_entries_only(name: str) -> None:
    s = sample(example(name), 0)
    value = evaluate(s.expr, s.values, s.sizes, {"swish": swish})
    moved = {key: np.array(array) for key, array in s.values.items()}
    for array in moved.values():
        array[0, 1:] *= 0.9
    after = evaluate(s.expr, moved, s.sizes, {"swish": swish})
    assert value.shape == next(iter(s.values.values())).shape
    assert np.array_equal(after[1:], value[1:])
    assert np.array_equal(after[:, 0], value[:, 0])
    assert name in operations(step, sign) or not np.array_equal(after, value)


def test_every_function_of_one_entry_is_entrywise() -> None:
    assert all(entry.entrywise for entry in REGISTRY.values() if entry.scalar_function is not None)


def sides(name: str, at: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The slopes of an operation from both sides of some values of its first argument, in random directions."""
    e = example(name)
    rng = np.random.default_rng(3)
    values = {a.params[0]: rng.normal(size=concrete(a.shape)) for _, a in free_arguments(e)}
    first = free_arguments(e)[0][1]
    h = 1e-7

    def moved(step: float, V: np.ndarray) -> np.ndarray:
        X = np.broadcast_to(at, concrete(first.shape)) + step * V
        return evaluate(e, {**values, first.params[0]: X}, SIZES, {"swish": swish})

    for _ in range(3):
        V = rng.normal(size=concrete(first.shape))
        middle = moved(0, V)
        yield (moved(h, V) - middle) / h, (middle - moved(-h, V)) / h


@by_name(where_(lambda op: op.kinks == "zero"))
def test_the_slope_jumps_where_the_argument_is_zero(name: str) -> None:
    for right, left in sides(name, np.zeros((1, 1))):
        assert not np.allclose(right, left, rtol=1e-3) or np.abs(right).max() > 1e6  # a kink, or a jump of the value


@by_name(where_(lambda op: op.kinks == "origin"))
def test_there_is_no_slope_where_the_value_is_zero(name: str) -> None:
    with np.errstate(all="ignore"):
        for right, left in sides(name, np.zeros((1, 1))):
            assert not (np.isfinite(right).all() and np.isfinite(left).all() and np.allclose(right, left, rtol=1e-3))


@by_name(where_(lambda op: not op.kinks and op.scalar_function is not None))
def test_there_is_no_kink_where_none_is_stated(name: str) -> None:
    with np.errstate(all="ignore"):
        for point in (0.0, 0.5, 1.0, -0.5, -1.0, 2.0):
            for right, left in sides(name, np.full((1, 1), point)):
                regular = np.isfinite(right) & np.isfinite(left) & (np.abs(right) < 1e3)
                assert np.allclose(right[regular], left[regular], rtol=1e-3, atol=1e-4)


@by_name(where_(lambda op: op.linear))
def test_the_linear_ones_are_sums_of_entries_with_weights_that_are_not_negative(name: str) -> None:
    here, there = sample(example(name), 0), sample(example(name), 1)
    arguments = free_arguments(here.expr)
    for k, _ in arguments:
        J = here.at(matrix(maps(here.expr)[k]))
        assert close(J, there.at(matrix(maps(there.expr)[k]))), "the derivative depends on the point"
        assert np.all(J >= 0)
    nothing = {a.params[0]: np.zeros(concrete(a.shape)) for _, a in arguments}
    assert not np.any(evaluate(here.expr, nothing, SIZES))


@by_name(where_(lambda op: op.norm))
def test_norms(name: str) -> None:
    X, Y = sample(example(name), 0), sample(example(name), 1)
    (_, a), key = free_arguments(X.expr)[0], free_arguments(X.expr)[0][1].params[0]
    x, y, both = X.at(X.expr), Y.at(Y.expr), X.at(X.expr, **{key: X.values[key] + Y.values[key]})
    assert np.all(x > 0)
    assert np.all(both <= x + y)
    assert close(X.at(X.expr, **{key: -2 * X.values[key]}), 2 * x)
    assert not np.any(X.at(X.expr, **{key: np.zeros(concrete(a.shape))}))


@by_name(where_(lambda op: bool(op.monotone) and op.scalar_function is None))
def test_what_increases_in_every_entry(name: str) -> None:
    X, Y = sample(example(name), 0), sample(example(name), 1)
    larger = {key: value + np.abs(Y.values[key]) for key, value in X.values.items()}
    assert np.all(record(name).monotone * (X.at(X.expr, **larger) - X.at(X.expr)) >= 0)


@by_name(where_(lambda op: bool(op.convexity) and op.scalar_function is None))
def test_what_is_convex_or_concave_in_all_arguments(name: str) -> None:
    X = sample(example(name), 0)
    for seed in range(1, 6):
        Y = sample(example(name), seed)
        middle = {key: (value + Y.values[key]) / 2 for key, value in X.values.items()}
        bend = (X.at(X.expr) + Y.at(Y.expr)) / 2 - X.at(X.expr, **middle)
        assert np.all(record(name).convexity * bend >= -1e-12)


@by_name(list(REGISTRY))
def test_only_what_is_not_computed_is_free(name: str) -> None:
    entry = record(name)
    assert entry.cost > 0 or entry.linear or entry.numpy == Builtin()


@by_name(OPERATIONS)
def test_calls_are_written_by_name_and_forms_are_not(name: str) -> None:
    entry = record(name)
    assert operation(name) is (entry if entry.syntax == "call" else None)
    assert entry.syntax != "form" or not str(example(name)).startswith(f"{name}(")


@by_name(where_(lambda op: op.parameters_first))
def test_parameters_that_come_first(name: str) -> None:
    e = example(name)
    assert str(e).startswith(f"{name}({e.params[0]}, ")


def test_operations_are_looked_up_by_name() -> None:
    x = var("x", "n", 1)
    assert exp(x).op in operations(exp, log)
    assert x.op not in operations(exp, log)
