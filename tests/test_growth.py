"""The work of deriving grows with the size of the graph, and less than with its square; calls of Python are counted."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import numpy as np
import pytest

import matcalc as mc
from matcalc.numeric.evaluate import evaluate

AT_MOST = 3.2  # times the calls, for twice the size: below the square, which is 4


def nested(function: str, depth: int) -> mc.Expr:
    e = mc.var("x", "n", 1)
    for _ in range(depth):
        e = getattr(mc, function)(e)
    return mc.total(e)


def sines(count: int) -> mc.Expr:
    x = mc.var("x", "n", 1)
    terms = [mc.total(mc.sin(mc.var(f"A{k}", "m", "n") @ x)) for k in range(count)]
    return sum(terms[1:], terms[0])


def layers(depth: int) -> mc.Graph:
    """Named layers, each of weights of its own."""
    g, h = mc.Graph(), mc.var("x", "N", "d")
    for k in range(depth):
        h = g.define(f"h{k}", mc.tanh(h @ mc.var(f"W{k}", "d", "d")))
    g.define("J", mc.total(mc.hadamard(h, h)))
    return g


def recurrent(steps: int) -> mc.Graph:
    """Named states, all with the same weights."""
    g, h = mc.Graph(), mc.var("h", "n", 1)
    W, U = mc.var("W", "n", "n"), mc.var("U", "n", "m")
    for t in range(steps):
        h = g.define(f"h{t}", mc.tanh(W @ h + U @ mc.var(f"x{t}", "m", 1)))
    g.define("J", mc.total(mc.hadamard(h, h)) / 2)
    return g


def chain(count: int) -> mc.Expr:
    """The trace of a product, whose gradients are products of all other factors."""
    product = mc.var("A0", "n", "n")
    for k in range(1, count):
        product = product @ mc.var(f"A{k}", "n", "n")
    return mc.tr(product)


def calls(source: mc.Expr | mc.Graph, view: str = "gradients") -> int:
    """The calls of Python functions while all gradients are found, or a view of them is written."""
    seen = [0]

    def count(frame: FrameType, event: str, _: Any) -> None:
        seen[0] += event == "call"

    derivation = mc.derive(source)
    sys.setprofile(count)
    try:
        assert getattr(derivation, view) if view == "gradients" else getattr(derivation, view)()
    finally:
        sys.setprofile(None)
    return seen[0]


@pytest.mark.parametrize(
    ("make", "size"),
    [(partial(nested, "sigmoid"), 20), (partial(nested, "tanh"), 20), (sines, 12)],
    ids=["sigmoids", "hyperbolic tangents", "a sum of sines"],
)
def test_the_work_grows_less_than_with_the_square(make: Callable[[int], mc.Expr], size: int) -> None:
    calls(make(3))  # what is loaded late, and what is kept
    once, twice = calls(make(size)), calls(make(2 * size))
    assert twice < AT_MOST * once, f"{once} calls, and {twice} for twice the size"


NEARLY_LINEAR = 2.3


@pytest.mark.parametrize("make", [layers, recurrent])
def test_deep_networks_are_derived_in_time_that_is_linear(make: Callable[[int], mc.Graph]) -> None:
    calls(make(3))
    once, twice = calls(make(60)), calls(make(120))
    assert twice < NEARLY_LINEAR * once, f"{once} calls, and {twice} for twice the size"


@pytest.mark.parametrize("make", [layers, recurrent])
@pytest.mark.parametrize("view", ["code", "text"])
def test_so_are_their_code_and_their_pages(make: Callable[[int], mc.Graph], view: str) -> None:
    calls(make(3), view)
    once, twice = calls(make(30), view), calls(make(60), view)
    assert twice < NEARLY_LINEAR * once, f"{once} calls, and {twice} for twice the size"


def test_a_chain_is_planned_once() -> None:
    """The code has as many products as the square of the number of factors: four times."""
    calls(chain(3), "code")
    once, twice = calls(chain(12), "code"), calls(chain(24), "code")
    assert twice < 5 * once, f"{once} calls, and {twice} for twice the size"


def test_the_gradient_of_a_deep_network_is_the_same_program_with_all_its_lines() -> None:
    """Adjoints that a long result needs keep their names; the value is the same."""
    d = mc.derive(layers(40))
    rng = np.random.default_rng(0)
    arrays = {f"W{k}": np.eye(3) + rng.normal(size=(3, 3)) / 10 for k in range(40)} | {"x": rng.normal(size=(2, 3))}
    _, gradients = d.function()(**arrays)
    lines = str(d.gradients["W0"]).split("; ")
    assert len(lines) > 30
    assert lines[0] == "g_h39 = 2*h39"
    for name in ("W0", "W20", "W39"):
        value = evaluate(d.gradients[name], arrays, {"N": 2, "d": 3}, {})
        assert np.allclose(value, gradients[name], rtol=1e-9)
