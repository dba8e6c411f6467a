"""What the benchmark measures: a derivative, and the same at one size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Arrays = dict[str, Any]


@dataclass(frozen=True)
class Problem:
    """One derivative.

    Attributes:
        name: of the function and the kind of derivative.
        source: the function in the text syntax.
        wrt: the variables.
        kind: of the generated function.
        inputs: from sizes, what makes the arrays.
        by_hand: the same derivative in NumPy, a dict of arrays.
        value_by_hand: the forward pass in NumPy.
        forward: the function for autodiff, of (library, *arrays in the order of the inputs).
        form: of a Hessian, "dense" or "factored".
    """

    name: str
    source: str
    wrt: tuple[str, ...]
    kind: str
    inputs: Callable[..., Callable[[np.random.Generator], Arrays]]
    by_hand: Callable[..., Arrays]
    value_by_hand: Callable[..., float]
    forward: Callable[..., Any]
    form: str = "dense"


@dataclass(frozen=True)
class Workload:
    """A problem at one size.

    Attributes:
        problem: what is derived.
        group: "gradient", "hessian" or "small".
        sizes: for the inputs.
        label: the sizes as the table shows them.
    """

    problem: Problem
    group: str
    sizes: tuple[int, ...]
    label: str

    @property
    def name(self) -> str:
        """The problem and the size."""
        return f"{self.problem.name}, {self.label}"

    def arrays(self) -> Arrays:
        """The inputs, the same in every run."""
        return self.problem.inputs(*self.sizes)(np.random.default_rng(0))


def called(function: Callable[..., Any], arrays: Mapping[str, Any]) -> Callable[[], Any]:
    """The call of a hand-written function, whose arguments are the inputs in order."""
    values = tuple(arrays.values())
    return lambda: function(*values)
