"""Sizes of 0: what has no value over no entries, and what divides by a size, says so on every target."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import support
from fuzz.targets import LIBRARIES

import matcalc as mc
from matcalc.dims import evaluate
from matcalc.errors import NoRuleError
from matcalc.walk import variables

REFUSED = r"has no value over no entries: .+ is 0|is 0, and the function divides by it"
INSTALLED = [target for target, (module, _) in LIBRARIES.items() if find_spec(module) and target != "numba"]
OWN = {"root", "solve"}  # a solver's own messages: no unknowns, a singular matrix


def _outcome(f: Callable[..., Any], **inputs: Any) -> str:
    with np.errstate(all="ignore"):
        try:
            f(**inputs)
        except ValueError as error:
            return str(error)
    return ""


@pytest.mark.parametrize("kind", ["value", "gradient"])
def test_every_operation_takes_inputs_without_entries_or_says_why_not(kind: str) -> None:
    for name in support.OPERATIONS:
        if name in OWN:
            continue
        d = support.derived(name, kind)
        try:
            f = d.function(kind)
        except NoRuleError:
            continue
        inputs = variables([d.graph.output])
        for zero in sorted({s.name for v in inputs for d in v.shape if not isinstance(d, int) for s in d.free_symbols}):
            sizes = {**support.SIZES, zero: 0}
            shapes = {v.params[0]: [evaluate(d, sizes) for d in v.shape] for v in inputs}
            if min(min(s) for s in shapes.values()) < 0:
                continue
            arrays = {k: np.full(s, 0.5) for k, s in shapes.items()}
            message = _outcome(f, **arrays, dims=sizes)
            assert not message or re.search(REFUSED, message), f"{name}, {zero} = 0: {message}"


MESSAGES = [
    ("max(X)", (0, 3), r"max\(X\) has no value over no entries: n is 0"),
    ("max(X)", (3, 0), r"max\(X\) has no value over no entries: m is 0"),
    ("min(2*X, 2)*ones(1, n)*X", (3, 0), r"min\(2\*X, 2\) has no value over no entries: m is 0"),
    ("h = exp(X); logsumexp(h, 1)", (0, 3), r"logsumexp\(h, 1\) has no value over no entries: n is 0"),
    ("mean(X)", (3, 0), r"mean\(X\) has no value over no entries: m is 0"),
    ("mse(X, 2*X)", (3, 0), r"mse\(X, 2\*X\) has no value over no entries: m is 0"),
    ("std(X, 1, 1)", (0, 3), r"std\(X, 1, 1\) has no value over no entries: n is 0"),
    ("var(X, 1, 1)", (1, 3), "n - 1 is 0, and the function divides by it"),
    ("standardize(X, 1, 1)", (1, 3), "n - 1 is 0, and the function divides by it"),
    ("sum(X.*X)/(n^2 - n)", (1, 3), "n - 1 is 0, and the function divides by it"),
    ("sum(X.*X)/(n^2 - n)", (0, 3), "n is 0, and the function divides by it"),
    ("sum(X.*X)/(n - m)", (3, 3), "n - m is 0, and the function divides by it"),
    ("sum(X.*X)/(m - n)", (3, 3), "m - n is 0, and the function divides by it"),
    ("sum(X)/sqrt(n*m)", (3, 0), "m is 0, and the function divides by it"),
]


@pytest.mark.parametrize(("source", "shape", "message"), MESSAGES)
def test_messages(source: str, shape: tuple[int, int], message: str) -> None:
    d = mc.derive(f"X: n x m; {source}")
    for target in ("numpy", *INSTALLED):
        put, extra = (np.asarray, {}) if target == "numpy" else LIBRARIES[target][1]()
        for kind in ("value", "jacobian"):
            try:
                f = d.function(kind, target)
            except NoRuleError:
                continue
            with pytest.raises(ValueError, match=message):
                f(X=put(np.zeros(shape)), **extra)


def test_no_lines_are_no_fault() -> None:
    """Where there are no values, none is missing: the maximum of each of no columns, softmax of no rows."""
    for source, shape in (("max(X, 1)", (3, 0)), ("softmax(X, 2)", (0, 3)), ("sum(X)/(m + 1)", (3, 0))):
        f = mc.derive(f"X: n x m; {source}").function("value")
        assert np.size(f(X=np.zeros(shape))) == (1 if source.startswith("sum") else 0)


def test_c_returns_a_number_for_a_divisor_of_0() -> None:
    text = mc.derive("X: n x m; sum(X.*X)/(n^2 - n)").code("value", "c")
    assert "if (n - 1 == 0)\n        return -1;" in text
    assert "or where n - 1 is 0" in text


def test_the_derivative_by_ddof_is_checked_by_autodiff_too() -> None:
    torch = pytest.importorskip("torch")
    f = mc.derive("X: n x m; sum(var(X, 1, 1))").function("value", "torch", autodiff=True)
    with pytest.raises(ValueError, match="n - 1 is 0"):
        f(X=torch.ones((1, 3), dtype=torch.float64, requires_grad=True))


@pytest.mark.parametrize(
    ("source", "array", "sizes"),
    [
        ("A: m*p x n; m*sum(A)", np.ones((6, 4)), {"m": 3, "p": 2}),
        ("x: n^2 x 1; X = reshape(x, n, n); tr(X*X)", np.ones(9), {"n": 3}),
    ],
)
def test_a_size_that_a_product_of_sizes_leaves_open_is_asked_for(
    source: str, array: np.ndarray, sizes: dict[str, int]
) -> None:
    d = mc.derive(source)
    given = {source[0]: array}
    for kind in ("value", "value_and_grad"):
        with pytest.raises(ValueError, match=f"no argument fixes the size '{next(iter(sizes))}': give dims="):
            d.function(kind)(**given)
        d.function(kind)(**given, dims=sizes)
