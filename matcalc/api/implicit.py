"""Values given by equations, for graphs that are built in Python."""

from __future__ import annotations

from typing import Any

from matcalc.core import as_expr, named
from matcalc.expr import Expr
from matcalc.frontend import implicit


def solves(unknown: Expr, left: Any, right: Any) -> Expr:
    """The value of `unknown` for which left = right: a named value, for use like any other.

    Derivatives go through it by the implicit function theorem. Equations that are linear in the unknown, and Riccati's,
    have closed forms; others are solved by Newton's method, in NumPy code that raises where it does not converge.

    Args:
        unknown: a variable, which may be symmetric, positive definite or positive. Its name is that of the value.
        left: an expression of the unknown's shape.
        right: another one, or a number.

    Raises:
        MatcalcError: the unknown is not a variable, or does not occur.
        ShapeError: a side has not the shape of the unknown.

    Example:
        >>> import matcalc as mc
        >>> A, Q, P = (mc.var(name, "n", "n") for name in "AQP")
        >>> d = mc.derive(mc.tr(mc.solves(P, P, A @ P @ A.T + Q)), wrt="Q")
        >>> print(d.gradient("Q"))
        dlyapunov(A', eye(n))
    """
    value = implicit.solves(unknown, as_expr(left), as_expr(right))
    return named(unknown.name, value)


def minimizes(unknown: Expr, objective: Any) -> Expr:
    """The value of `unknown` that minimises a 1 x 1 value: a named value, for use like any other.

    Its gradient is zero there, and its Hessian positive definite: derivatives follow from this equation.

    Args:
        unknown: a variable, which may be symmetric, positive definite or positive. Its name is that of the value.
        objective: a 1 x 1 expression.

    Raises:
        MatcalcError: the unknown is not a variable, or does not occur, or there is no strict minimum.
        ShapeError: the objective is not 1 x 1.

    Example:
        >>> import matcalc as mc
        >>> x, v, t = mc.var("x", 1, 1), mc.var("v", 1, 1), mc.var("t", 1, 1, ["positive"])
        >>> d = mc.derive(mc.minimizes(x, t * mc.softplus(-x) + (x - v) ** 2 / 2), wrt="v")
        >>> print(d.gradient("v"))
        1/(1 + t*sigmoid(-x)*sigmoid(x))
    """
    return named(unknown.name, implicit.minimizes(unknown, as_expr(objective)))
