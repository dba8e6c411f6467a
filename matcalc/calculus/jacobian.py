"""Jacobians and Hessians as structured matrices on vec: `d vec F = J d vec X`, column-major.

Forward accumulation of the local Jacobians in Kronecker form. The Jacobian of a named value is a local name of its own,
opened where the result gets shorter, so that the cost is linear in the size of the graph.

Source: Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 9 and 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from matcalc import core
from matcalc.calculus.conditions import further_conditions
from matcalc.calculus.forward import forward
from matcalc.calculus.names import opened
from matcalc.calculus.problem import Problem
from matcalc.calculus.reverse import ReverseAccumulation
from matcalc.dims import Shape, is_one, same_shape, shape_text, times
from matcalc.errors import MatcalcError, NoRuleError, ShapeError
from matcalc.expr import Expr
from matcalc.kinds import HESSIAN
from matcalc.linearize import Linearization
from matcalc.naming import Names
from matcalc.optional import later
from matcalc.printing.display import display
from matcalc.printing.latex import program as latex_program
from matcalc.printing.text import program as text_program
from matcalc.rewrite.engine import Rewriter
from matcalc.rewrite.rule import but
from matcalc.vecform import matrix
from matcalc.walk import depends

if TYPE_CHECKING:
    from matcalc.calculus.operators import kronecker_factors, linear_operator
else:
    kronecker_factors, linear_operator = later("matcalc.calculus.operators", "kronecker_factors", "linear_operator")

# The matrix of a Jacobian keeps its diagonal factors: X' diag(d) X is how it is read and computed.
JACOBIAN_RULES = but(("diagonal_scales_rows_and_columns",))


def jacobian_matrix(output: Expr, by: Expr, rewriter: Rewriter, names: Names) -> Expr:
    """The Jacobian of `output` (m x n) with respect to `by` (p x q): mn x pq.

    Args:
        output: the value that is differentiated; names are looked through.
        by: a variable or named value.
        rewriter: simplifies as it goes.
        names: for the Jacobians of named values.
    """
    rows, cols = times(*output.shape), times(*by.shape)
    linear = Linearization((output,), (by,))
    found: dict[Expr, Expr] = {by: core.eye(cols)}
    for e in linear.order:
        if e not in linear.needed or e in found:
            continue
        parts = [core.matmul(matrix(L), found[a]) for a, L in linear.local(e)]
        raw = core.add(*parts) if parts else core.zeros(times(*e.shape), cols)
        if e.op != "named" or e is output:
            found[e] = rewriter.normal(raw)
            continue
        value = opened(rewriter.simplify(raw), rewriter)
        leaf = rewriter.cost(value) <= 1
        found[e] = value if leaf else core.named(names.fresh("J_" + e.params[0]), value, "local")
    if output not in found:
        return core.zeros(rows, cols) if not (is_one(rows) and is_one(cols)) else core.number(0)
    return opened(rewriter.simplify(found[output]), rewriter)


@dataclass(frozen=True)
class Jacobian:
    """A Jacobian: a structured linear map from the differential of `by` to that of `of`.

    Printed, it is its Kronecker form in the text syntax.

    Attributes:
        of: the value that was differentiated (for a Hessian, the gradient).
        by: the variable or named value.
        value: the mn x pq matrix on column-major vec, structured.
        problem: where it belongs.
    """

    of: Expr
    by: Expr
    value: Expr
    problem: Problem

    def as_matrix(self) -> Expr:
        """The matrix on vec: mn x pq, in Kronecker, commutation and diagonal form."""
        return self.value

    @property
    def conditions(self) -> list[tuple[str, Expr]]:
        """What this form needs beyond the domain of the source, as `(fact, expression)`."""
        return further_conditions([self.value], self.problem.domain)

    @property
    def shape(self) -> Shape:
        """mn x pq."""
        return self.value.shape

    def apply(self, direction: Expr) -> Expr:
        """The differential of `of` when the differential of `by` is `direction`: no Kronecker product is formed.

        Raises:
            ShapeError: the direction has not the shape of `by`.
        """
        _need_shape(direction, self.by.shape, "direction")
        d = self.problem
        return forward(self.of, {self.by: direction}, d.rewriter, d.fresh_names())

    def adjoint(self, cotangent: Expr) -> Expr:
        """The adjoint map at `cotangent`: the gradient by `by` of tr(cotangent' of).

        Raises:
            ShapeError: the cotangent has not the shape of `of`.
        """
        _need_shape(cotangent, self.of.shape, "cotangent")
        d = self.problem
        engine = ReverseAccumulation(self.of, d.new_context(), d.fresh_names(), d.folds)
        return engine.run([self.by], cotangent).adjoints[self.by].value

    def jacobian(self, name: Any) -> Jacobian:
        """The Jacobian of vec of this matrix by another variable: a second derivative.

        Facts that hold only at the point wait for it: the first derivative is taken again without them.

        Raises:
            NoRuleError: one of the variables is differentiated along a structured set.
        """
        d = self.problem
        by = d.find(name)
        for variable in (self.by, by):
            if d.structure_of(variable) != "none":
                raise NoRuleError(f"second derivatives along a structured set ({variable.params[0]}): use hessian")
        rewriter = Rewriter(d.new_context(closed=False, moving=(by,)), JACOBIAN_RULES)
        return jacobian_of(d, jacobian_matrix(self.of, self.by, rewriter, d.fresh_names()), by, closed=True)

    @property
    def factors(self) -> list[tuple[Expr, Expr]]:
        """Pairs (A, B) whose Kronecker products add up to the matrix.

        Example:
            >>> import matcalc as mc
            >>> shapes = {"U": ("m", "k"), "V": ("n", "k"), "T": ("m", "n")}
            >>> d = mc.derive("sum((U*V' - T).^2)", shapes=shapes, wrt="U")
            >>> d.hessian().factors
            [(2*V'*V, eye(m))]

        Raises:
            NoRuleError: it is not a sum of Kronecker products.
        """
        return kronecker_factors(self.value, columns=is_one(self.of.shape[1]) and is_one(self.by.shape[1]))

    def linear_operator(self, *, dims: Mapping[str, int] | None = None, **arrays: Any) -> Any:
        """The matrix at a point as a `scipy.sparse.linalg.LinearOperator` on column-major vec; it is never formed.

        Args:
            dims: sizes that no array determines.
            arrays: the values of all variables.

        Example:
            >>> import numpy as np
            >>> import matcalc as mc
            >>> d = mc.derive("x'*A*x", shapes={"x": ("n", 1), "A": ("n", "n")}, wrt="x")
            >>> H = d.hessian().linear_operator(x=np.zeros(2), A=np.array([[1.0, 2.0], [0.0, 3.0]]))
            >>> (H @ np.array([1.0, 1.0])).tolist()
            [4.0, 8.0]

        Raises:
            MissingDependencyError: SciPy is not installed.
            MatcalcError: a value is missing or does not fit.
        """
        return linear_operator(self.value, self.problem.graph.declared.values(), arrays, dims)

    def latex(self) -> str:
        """The matrix in LaTeX."""
        return latex_program(self.value)

    def __str__(self) -> str:
        return text_program(self.value)

    def __repr__(self) -> str:
        return text_program(self.value)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {display(self.value)}$"

    def _sympy_(self) -> Any:
        return self.value._sympy_()


def _need_shape(e: Expr, shape: Shape, what: str) -> None:
    if not isinstance(e, Expr):
        raise MatcalcError(f"the {what} must be a matcalc expression, got {type(e).__name__}")
    if not same_shape(e.shape, shape):
        raise ShapeError(f"the {what} {{}} is {shape_text(e.shape)}; expected {shape_text(shape)}", e)


def jacobian_by(d: Problem, name: Any = None) -> Jacobian:
    """The Jacobian of the problem's output by a variable or named value, along its structured set if it has one."""
    by = d.one(name)
    if d.output.is_scalar:
        value = d.shortened(core.transpose(core.vec(d.reverse_of(by).value)), _matrix_rewriter(d))
        J = Jacobian(d.output, by, value, d)
    else:
        J = jacobian_of(d, d.output, by, closed=True)
    return _along(J, None, d.basis(by))


def hessian_by(d: Problem, name: Any = None, other: Any = None) -> Jacobian:
    """The Hessian by a variable (and by `other`, by default the same), along their structured sets.

    Raises:
        ShapeError: the function is not scalar.
    """
    of = d.one(name)
    by = of if other is None else d.find(other)
    d.need_scalar(HESSIAN.title)
    return _along(hessian_of(d, of, by), d.basis(of), d.basis(by))


def _matrix_rewriter(d: Problem) -> Rewriter:
    """Simplifies the matrices of Jacobians, which keep their diagonal factors."""
    return Rewriter(d.new_context(), JACOBIAN_RULES)


def _along(J: Jacobian, left: Expr | None, right: Expr | None) -> Jacobian:
    """`left' J right`: by the independent entries of structured variables."""
    if left is None and right is None:
        return J
    factors = [f for f in (None if left is None else left.T, J.value, right) if f is not None]
    return replace(J, value=J.problem.shortened(core.matmul(*factors), _matrix_rewriter(J.problem)))


def jacobian_of(d: Problem, output: Expr, by: Expr, *, closed: bool) -> Jacobian:
    """The Jacobian of an expression of the derivation's graph; `closed`: it is the last differentiation."""
    rewriter = Rewriter(d.new_context(closed=closed), JACOBIAN_RULES)
    value = jacobian_matrix(output, by, rewriter, d.fresh_names())
    return Jacobian(output, by, d.shortened(value, rewriter), d)


def hessian_of(d: Problem, of: Expr, by: Expr) -> Jacobian:
    """The Jacobian by `by` of vec of the gradient by `of`.

    Facts that hold only at the point (symmetric, one-hot, ...) wait for the last derivative: the gradient is derived
    without them.

    Raises:
        NoRuleError: `by` is a named value that depends on `of`, whose gradient does not hold it fixed.
    """
    if of is not by:
        need_apart(of, by)
    context = d.new_context(closed=False, moving=(by,))
    folds, free = d.folds_around((by,)), by.op == "variable"
    engine = ReverseAccumulation(d.output, context, d.fresh_names(), folds, equations=free)
    gradient = engine.run([of], core.number(1)).adjoints[of].value
    return jacobian_of(d, gradient, by, closed=True)


def need_apart(of: Expr, by: Expr) -> None:
    """Refuse to differentiate the gradient by `of` by a named value that moves with it.

    Raises:
        NoRuleError: `by` depends on `of`.
    """
    if by.op == "named" and by in depends((by,), (of,)):
        inner, outer = of.params[0], by.params[0]
        raise NoRuleError(
            f"{outer} depends on {inner}: the gradient by {inner} does not hold it fixed; "
            f'ask for hessian("{outer}", "{inner}"), or for one of the two alone'
        )


def hessian_products(d: Problem, tangents: Mapping[Expr, Expr]) -> dict[str, Expr]:
    """The gradients' differentials along the tangents: Hessian-vector products, no Hessian is formed."""
    for by in tangents:
        for of in tangents:
            if of is not by:
                need_apart(of, by)
    context = d.new_context(closed=False, moving=tangents)
    names = d.fresh_names()
    folds, free = d.folds_around(tangents), all(e.op == "variable" for e in tangents)
    engine = ReverseAccumulation(d.output, context, names, folds, equations=free)
    adjoints = engine.run(d.wrt, core.number(1)).adjoints
    return {e.name: forward(adjoints[e].value, tangents, d.rewriter, names) for e in d.wrt}
