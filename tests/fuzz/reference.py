"""The oracle's answers at a point, and what right ones may be off by.

The tolerance of a comparison is what rounding may do: the oracle runs again with random relative errors of 1e-9 in
every operation; what that changes, scaled to the precision of a double, times a safety factor, is what a right answer
may be off by (and 1e-10 of the largest entry, for algorithms that are stable as a whole but not entry by entry, and
1,000 times the rounding of the largest number on the way, for what cancels altogether).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from matcalc.expr import Expr

from .evaluation import Evaluation, jacobian
from .generate import Program

NOISE, SAFETY, FLOOR = 1e-9, 1e4, 1e-10
EPS = np.finfo(float).eps
SMOOTH, HUGE = 1e-3, 1e7


class Failure(Exception):  # noqa: N818  (an answer, no breakdown)
    """A wrong or missing answer: the check and what was seen."""

    def __init__(self, check: str, what: str) -> None:
        super().__init__(f"{check}: {what}")
        self.check, self.what = check, what


class Unfit(Exception):  # noqa: N818  (no error: the point says nothing)
    """The point is too near to where a function is not smooth, or too badly conditioned."""


class Reference:
    """The oracle's answers for one output at one point, with what each may be off by."""

    def __init__(self, program: Program, wrt: list[Expr]) -> None:
        self.program, self.wrt = program, wrt
        rng = np.random.default_rng((*program.seed, 2))
        free = Evaluation(program.arrays, program.sizes)
        self.along = {e: rng.standard_normal(free.shape(e)) for e in wrt}
        self.size = 1.0
        self.starts = dict(zip(wrt, np.cumsum([0, *(self.along[e].size for e in wrt)])))

    def _run(self, noise: int | None, second: bool) -> Evaluation:
        with np.errstate(all="ignore"):
            source = None if noise is None else (NOISE, np.random.default_rng((*self.program.seed, 3, noise)))
            run = Evaluation(self.program.arrays, self.program.sizes, self.wrt, self.along if second else None, source)
            try:
                run.jet(self.program.output)
            except np.linalg.LinAlgError:
                raise Unfit from None
            return run

    @cached_property
    def first(self) -> list[np.ndarray]:
        """Value and derivatives by all seeds, and the same with noise, twice."""
        return self._jets(second=False)

    @cached_property
    def second(self) -> list[np.ndarray]:
        """The same with the derivatives along the direction."""
        return self._jets(second=True)

    def _jets(self, second: bool) -> list[np.ndarray]:
        runs = [self._run(None, second), self._run(0, second), self._run(1, second)]
        found = [r.jet(self.program.output) for r in runs]
        self.size = runs[0].size
        if runs[0].machine.margin < SMOOTH or not all(np.isfinite(X).all() and np.abs(X).max() < HUGE for X in found):
            raise Unfit
        return found

    def _answer(self, pick: Callable[[np.ndarray], np.ndarray], jets: list[np.ndarray]) -> Answer:
        exact, *noisy = (pick(X) for X in jets)
        moved = np.maximum(*(np.abs(a - exact) for a in noisy))
        scale = np.abs(exact).max(initial=0)
        if moved.max(initial=0) > 1e-3 * (scale + 1e-300) and moved.max(initial=0) > 1e-6:
            raise Unfit
        return Answer(exact, SAFETY * EPS / NOISE * moved + FLOOR * scale + 1e3 * EPS * self.size)

    def value(self) -> Answer:
        """The value."""
        return self._answer(lambda X: X[0, 0], self.first)

    def jacobian(self, by: Expr) -> Answer:
        """The Jacobian by a variable or named value."""
        return self._answer(lambda X: jacobian(X, self.starts[by], self.along[by].size), self.first)

    def gradient(self, by: Expr) -> Answer:
        """The gradient of a scalar output, in the shape of the variable."""
        shape = self.along[by].shape
        return self._answer(
            lambda X: jacobian(X, self.starts[by], self.along[by].size).reshape(shape, order="F"), self.first
        )

    def jvp(self) -> Answer:
        """The derivative along the direction."""
        return self._answer(lambda X: X[1, 0], self.second)

    def hvp(self, by: Expr) -> Answer:
        """The derivative along the direction of the gradient by one of them."""
        shape, start = self.along[by].shape, 1 + self.starts[by]
        return self._answer(
            lambda X: X[1, start : start + self.along[by].size, 0, 0].reshape(shape, order="F"), self.second
        )


class Answer:
    """An array and what a right one may be off by."""

    def __init__(self, exact: np.ndarray, tolerance: np.ndarray) -> None:
        self.exact, self.tolerance = exact, tolerance

    def compare(self, check: str, found: Any) -> None:
        """Raise Failure where what was found is not the answer."""
        array = np.asarray(found, dtype=float)
        if array.size != self.exact.size:
            raise Failure(check, f"shape {array.shape}, right is {self.exact.shape}")
        array = array.reshape(self.exact.shape)
        wrong = ~(np.abs(array - self.exact) <= self.tolerance)
        if wrong.any():
            at = np.unravel_index(np.argmax(np.where(wrong, np.abs(array - self.exact), -1)), array.shape)
            place = ", ".join(str(int(k) + 1) for k in at)
            off = self.tolerance[at]
            seen, right = float(array[at]), float(self.exact[at])
            raise Failure(check, f"entry ({place}) is {seen!r}, right is {right!r} (may be off by {off:.1e})")

    def widened(self) -> Answer:
        """With room for other libraries' special functions: PyTorch's trigamma has ten digits."""
        return Answer(self.exact, self.tolerance + 1e-8 * np.abs(self.exact).max(initial=0))

    def transformed(self, f: Callable[[np.ndarray], np.ndarray], g: Callable[[np.ndarray], np.ndarray]) -> Answer:
        """A linear function of it, and one of the tolerances."""
        return Answer(f(self.exact), g(self.tolerance))
