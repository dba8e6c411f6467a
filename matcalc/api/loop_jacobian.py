"""The derivation of a program with loops whose value is no number: its Jacobians."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from matcalc.api.loops import LoopDerivation
from matcalc.emit.module import compile_function
from matcalc.errors import NoRuleError, ShapeError, need_one_of, shorten
from matcalc.expr import Expr
from matcalc.indices.program import Program
from matcalc.kinds import JACOBIAN, kind_of
from matcalc.loops.check import checked_jacobian
from matcalc.loops.evaluation import evaluate_program
from matcalc.loops.jacobian import Rows
from matcalc.loops.problem import LoopGradient, not_scalar
from matcalc.numeric.report import Report


class LoopJacobian(LoopDerivation):
    """The Jacobians of a program with families and recurrences; made by `matcalc.derive`.

    Its page is that of the inner product with a cotangent V, tr(V'*f): the gradient of that is the transposed Jacobian
    times V. Code computes the Jacobian by it, row by row.

    Example:
        >>> import matcalc as mc
        >>> d = mc.derive("A: p x p; h[0] = ones(p, 1); h[t] = tanh(A*h[t-1]) for t = 1..T; h[T]", wrt="A")
        >>> d.function("jacobian")(A=[[1, 0], [0, 1]], dims={"T": 1})["A"].round(3)
        array([[0.42, 0.  , 0.42, 0.  ],
               [0.  , 0.42, 0.  , 0.42]])
    """

    def __init__(self, program: Program, output: Expr, declared: Iterable[Expr], wrt: Iterable[str] | None) -> None:
        self.rows = Rows(program, output, declared, wrt)
        self.value = output
        inner = self.rows.weighted
        super().__init__(program, inner.output, inner.declared, inner.names)

    def gradient(self, name: str | None = None) -> LoopGradient:
        """There is none: raises ShapeError with what there is instead."""
        raise ShapeError(not_scalar(self.value), self.value)

    def code(self, kind: str | None = None, target: str = "numpy", *, checkpoint: int | None = None) -> str:
        """The source text of a standalone module with one function.

        Args:
            kind: `jacobian` (the default), `value`, or `vjp` (which takes `cotangent`).
            target: `numpy`, `numba` or `native`.
            checkpoint: nothing: all states are stored.

        Raises:
            MatcalcError: another kind.
            NoRuleError: another target.
        """
        if checkpoint is not None:
            raise NoRuleError("checkpoint is for gradients")
        return self.rows.source(kind, target)

    def function(
        self, kind: str | None = None, target: str = "numpy", *, checkpoint: int | None = None
    ) -> Callable[..., Any]:
        """The compiled function of `code(kind)`; the Jacobians by members of a family have its index as first axis."""
        return compile_function(self.code(kind, target, checkpoint=checkpoint))

    def evaluate(self, *, dims: Mapping[str, int] | None = None, **values: Any) -> Any:
        """The value by direct evaluation of the program."""
        return evaluate_program(self.rows.pieces, values, dims)

    def check(
        self, trials: int = 5, seed: int = 0, *, kind: Any = None, by: Any = None, target: str = "numpy"
    ) -> Report:
        """The generated Jacobians against differences of the program, written out for small sizes.

        Args:
            trials: how many random points, each of other sizes.
            seed: of the random numbers.
            kind: `jacobian`.
            by: nothing.
            target: `numpy`, `numba` or `native`.
        """
        kind_of(kind or JACOBIAN, (JACOBIAN,))
        if by is not None:
            raise NoRuleError("a mixed Hessian is not available for programs with families and recurrences")
        need_one_of("target", target, ("numpy", "numba", "native"))
        return checked_jacobian(self, self.rows.pieces, self.function(target=target), trials, seed)

    def _no_gradient(self, what: str) -> NoReturn:
        raise NoRuleError(f"{what} is about gradients; {not_scalar(self.value).format('the function')}")

    def jacobian(self, name: str | None = None) -> NoReturn:
        """There is none in a formula: raises NoRuleError."""
        raise NoRuleError('through loops a Jacobian comes as numbers, of function("jacobian")')

    def claim(self, *given: Any, **options: Any) -> NoReturn:
        """There is none: raises NoRuleError."""
        self._no_gradient("claim()")

    def curvature(self, *names: Any) -> NoReturn:
        """There is none: raises NoRuleError."""
        self._no_gradient("curvature()")

    def optimum(self, *names: Any, **options: Any) -> NoReturn:
        """None: a function that is no number has no optimum."""
        raise NoRuleError(f"an optimum is that of a number; {not_scalar(self.value).format('the function')}")

    def hessian(self, name: str | None = None) -> NoReturn:
        """There is none: raises NoRuleError."""
        self._no_gradient("hessian()")

    def need_scalar(self, what: str) -> None:
        """Raise ShapeError: the function is no number."""
        raise ShapeError(not_scalar(self.value), self.value)

    def __repr__(self) -> str:
        return f"LoopJacobian({shorten(str(self.value))}, wrt={', '.join(self.names)})"
