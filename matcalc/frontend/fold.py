"""One walk for SymPy trees: from below, iterative, every shared object once.

Memory is keyed by `id`: hashing or comparing a SymPy tree recurses through it, and is exponential on shared graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import sympy as sp

T = TypeVar("T")
Children = Callable[[Any], Sequence[Any]]


def walk(root: Any, children: Children, done: Callable[[Any], bool] = lambda e: False) -> Iterator[tuple[Any, Any]]:
    """Every object below `root` once, with its children, after them; `done` says what to leave out."""
    seen: dict[int, Any] = {}
    stack: list[tuple[Any, Any]] = [(root, None)]
    while stack:
        e, below = stack.pop()
        if below is not None:
            yield e, below
            continue
        if id(e) in seen or done(e):
            continue
        seen[id(e)] = e
        below = children(e)
        stack.append((e, below))
        stack.extend((c, None) for c in reversed(below) if id(c) not in seen)


def fold(root: Any, children: Children, build: Callable[[Any, list[T]], T], memo: dict[int, tuple[Any, T]]) -> T:
    """The value of `root`, built from the values of its children; `memo` keeps the objects alive and their values."""
    for e, below in walk(root, children, lambda e: id(e) in memo):
        memo[id(e)] = (e, build(e, [memo[id(c)][1] for c in below]))
    return memo[id(root)][1]


ARITHMETIC = (sp.Add, sp.Mul, sp.Pow, sp.Function, sp.Max, sp.Min)

NOT_SCALAR_FUNCTIONS = (sp.Piecewise, sp.KroneckerDelta)  # by SymPy's classes they are functions


def is_arithmetic(e: Any) -> bool:
    """Whether it is scalar arithmetic: a sum, product or power of scalars, or a function of one."""
    return isinstance(e, ARITHMETIC) and not e.is_Matrix and not isinstance(e, NOT_SCALAR_FUNCTIONS)


def arithmetic_args(e: Any) -> Sequence[Any]:
    """What scalar arithmetic is made of; nothing of anything else."""
    return e.args if is_arithmetic(e) else ()
