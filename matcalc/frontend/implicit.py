"""Values given by equations, built: in closed form where the equation is linear or Riccati's, else as roots."""

from __future__ import annotations

from functools import partial

from matcalc import core
from matcalc.core import minus, transpose
from matcalc.errors import MatcalcError
from matcalc.expr import Expr
from matcalc.linop import apply
from matcalc.ops.define import linearised
from matcalc.ops.equations import care
from matcalc.ops.implicit import Equation, minimiser_of, solution_of
from matcalc.ops.inverted import Term, inverted, is_on_vec, terms_of
from matcalc.properties import OPEN, known
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter, Spreader
from matcalc.rewrite.normal import is_zero
from matcalc.rewrite.terms import factors_of
from matcalc.vecform import matrix
from matcalc.walk import substitute, variables


def solves(unknown: Expr, left: Expr, right: Expr) -> Expr:
    """The value that solves left = right for a variable: an operation of what else is in the equation.

    Raises:
        MatcalcError: the unknown is not a variable, or does not occur.
        ShapeError: the sides have not its shape.
    """
    value = solution_of(unknown, left, right, simplified)
    equation: Equation = value.params[0]
    closed = _linear(equation)
    closed = _riccati(equation) if closed is None else closed
    return value if closed is None else substitute(closed, dict(zip(equation.formals, value.args)))


def minimizes(unknown: Expr, objective: Expr) -> Expr:
    """The value of a variable that minimises a 1 x 1 value; in closed form for strictly convex quadratic functions.

    Raises:
        MatcalcError: the unknown is not a variable, or does not occur.
        ShapeError: the objective is not 1 x 1.
    """
    value = minimiser_of(unknown, objective, simplified, partial(_on_symmetric, unknown))
    equation: Equation = value.params[0]
    second = equation.condition
    if Context().known(simplified(minus(second)), "positive-semidefinite") or is_zero(second):
        name, derivative = unknown.name, "second derivative" if unknown.is_scalar else "Hessian"
        raise MatcalcError(f"{objective} has no minimum that is strict: its {derivative} by {name} is {second}")
    free = not any(known(unknown, fact) for fact in ("positive-definite", "positive"))
    closed = _linear(equation) if free and Context().known(equation.derivative, "positive-definite") else None
    return value if closed is None else substitute(closed, dict(zip(equation.formals, value.args)))


def simplified(e: Expr) -> Expr:
    """An expression that is differentiated again, in its shortest form."""
    return Rewriter(Context(closed=False)).simplify(e)


def _on_symmetric(unknown: Expr, e: Expr) -> Expr:
    """The gradient by an unknown in its shortest form; by a symmetric one in that on symmetric matrices.

    There S - inv(X)' is S - inv(X), whose derivative is definite at a minimum, which that of the former is not along
    directions that are not symmetric. Such facts of other variables hold at the point only, and are not used.
    """
    if not known(unknown, "symmetric"):
        return simplified(e)
    others = [v for v in variables((e,)) if v is not unknown]
    plain = {v: core.var(v.name, *v.shape, [fact for fact in OPEN if known(v, fact)]) for v in others}
    back = {new: v for v, new in plain.items()}
    return substitute(Rewriter(Context()).simplify(substitute(e, plain)), back)


def _linear(equation: Equation) -> Expr | None:
    """The solution of an equation that is linear in the unknown: of a system, Sylvester's or Lyapunov's equation."""
    L = linearised(equation.residual, equation.unknown)
    if equation.unknown in variables((matrix(L),)):
        return None
    back = inverted(L)
    if is_on_vec(back):
        return None
    constant = substitute(equation.residual, {equation.unknown: core.zero_of(equation.unknown)})
    return simplified(apply(back, minus(simplified(constant))))


# ------------------------------------------------------------------------------------------------ Riccati's equation


def _riccati(equation: Equation) -> Expr | None:
    """care(A, B, Q, R) for A'P + P A - P B R^-1 B'P + Q = 0 with symmetric P, Q and R."""
    P = equation.unknown
    if not known(P, "symmetric") or P.is_scalar:
        return None
    terms = terms_of(linearised(equation.residual, P)) or []
    rights = [Term(t.number, None, simplified(t.right)) for t in terms if t.left is None and t.right is not None]
    plain = [t for t in rights if t.right is not None and P not in variables((t.right,))]
    squares = [t for t in rights if t not in plain]
    if not plain or len(squares) != 1 or squares[0].right is None:
        return None
    sign = -squares[0].number
    A = simplified(core.add(*(core.scale(core.number(t.number / sign), t.right) for t in plain if t.right is not None)))
    weight = _weight(factors_of(squares[0].right, "matmul"), P)
    constant = substitute(equation.residual, {P: core.zero_of(P)})
    Q = simplified(core.scale(core.number(1 / sign), constant))
    if weight is None or not (known(Q, "symmetric") and known(weight[1], "symmetric")):
        return None
    B, R = weight
    own = core.add(transpose(A) @ P, P @ A, minus(P @ B @ core.inverse(R) @ transpose(B) @ P), Q)
    rest = Spreader(Context()).spread(core.add(core.scale(core.number(sign), own), minus(equation.residual)))
    return care(A, B, Q, R) if rest is not None and is_zero(rest) else None


def _weight(factors: tuple[Expr, ...], P: Expr) -> tuple[Expr, Expr] | None:
    """B and R where the factors are those of B R^-1 B' P."""
    *inner, last = factors
    half, odd = divmod(len(inner), 2)
    if last is not P or not odd or inner[half].op != "inv":
        return None
    B, turned = inner[:half], inner[half + 1 :]
    if any(simplified(transpose(f)) is not g for f, g in zip(reversed(B), turned)):
        return None
    R = inner[half].args[0]
    return (core.matmul(*B) if B else core.eye(R.shape[0])), R
