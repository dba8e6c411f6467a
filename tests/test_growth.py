"""The work of deriving grows with the size of the graph, and less than with its square; calls of Python are counted."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest

import matcalc as mc

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


def calls(source: mc.Expr) -> int:
    """The calls of Python functions while all gradients are found."""
    seen = [0]

    def count(frame: FrameType, event: str, _: Any) -> None:
        seen[0] += event == "call"

    derivation = mc.derive(source)
    sys.setprofile(count)
    try:
        assert derivation.gradients
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
