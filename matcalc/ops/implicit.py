"""Values given by equations: the X with F(X, A, B, ...) = 0, and minimisers, whose gradient is 0.

The equation is a closed expression of its own, in the unknown and in formal variables that stand for the arguments.
Differentials are those of the implicit function theorem: dF/dX dX = -(dF/dA dA + ...).

Source: Krantz & Parks, The Implicit Function Theorem (2002), ch. 3.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeAlias

from matcalc import core
from matcalc.core import difference, var
from matcalc.dims import Shape, same_shape, shape_text, symbols
from matcalc.errors import MatcalcError, ShapeError
from matcalc.exact import is_exact
from matcalc.expr import Expr, Op, Param, postorder, record, register
from matcalc.map_kinds import LinearMap, Zero
from matcalc.maps import compose, negated, zero
from matcalc.notation import Builtin
from matcalc.ops.define import at_arguments, gradient_of, linearised
from matcalc.ops.elementwise import tanh
from matcalc.ops.inverted import inverted
from matcalc.ops.products import matmul_
from matcalc.properties import BIT, facts_of, known, names_of
from matcalc.vecform import matrix
from matcalc.walk import substitute, variables

SOLVED = ("positive-definite", "symmetric", "positive")  # what may be known of an unknown: the solver sees to it
Simplify: TypeAlias = Callable[[Expr], Expr]
KRANTZ = "Krantz & Parks, The Implicit Function Theorem (2002), ch. 3"


class Equation:
    """An equation `left = right` for one unknown, in formal variables; for a minimiser with what it minimises.

    Args:
        unknown: the variable that is solved for, with what is known of the solution.
        formals: the variables that stand for the arguments, in order.
        left: the left side.
        right: the right side, of the unknown's shape.
        objective: what the unknown minimises, where the equation says that the gradient is 0.
        simplify: shortens the derivative and the condition.

    Attributes:
        derivative: the matrix on vec of the differential of `left - right` by the unknown, anywhere.
        condition: the same at a solution: what must be nonsingular, at a minimum positive definite.
    """

    def __init__(
        self,
        unknown: Expr,
        formals: tuple[Expr, ...],
        left: Expr,
        right: Expr,
        objective: Expr | None = None,
        simplify: Simplify = lambda e: e,
    ) -> None:
        self.unknown, self.formals, self.left, self.right, self.objective = unknown, formals, left, right, objective
        self.derivative = simplify(matrix(linearised(self.residual, unknown)))
        self.condition = simplify(matrix(self.by_unknown))

    def _key(self) -> tuple[Any, ...]:
        return self.unknown, self.formals, self.left, self.right, self.objective, self.derivative, self.condition

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Equation) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        objective = "" if self.objective is None else self.objective.digest.hex()
        parts = [self.unknown, *self.formals, self.left, self.right]
        return f"Equation({', '.join(e.digest.hex() for e in parts)}, {objective})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, self._key()

    @property
    def name(self) -> str:
        """The unknown's name."""
        return self.unknown.name

    @property
    def words(self) -> tuple[str, ...]:
        """What the solution must be, for the solver."""
        facts = [fact for fact in SOLVED if known(self.unknown, fact)]
        if self.unknown.is_scalar:
            facts = [fact for fact in facts if fact == "positive"]
        return (*facts, "minimum") if self.objective is not None else tuple(facts)

    @cached_property
    def sizes(self) -> list[str]:
        """The names of the dimensions in the equation."""
        exprs = list(postorder([self.unknown, *self.formals, self.residual, self.derivative]))
        return symbols([*(d for e in exprs for d in e.shape), *(p for e in exprs for p in e.params if is_exact(p))])

    @cached_property
    def residual(self) -> Expr:
        """What is 0 at the solution."""
        return difference(self.left, self.right)

    @cached_property
    def settled(self) -> dict[Expr, Expr]:
        """What equals the unknown at the solution: the other side of X = G(X)."""
        for one, other in ((self.left, self.right), (self.right, self.left)):
            if one is self.unknown and other.args:
                return {other: self.unknown}
        return {}

    @cached_property
    def by_unknown(self) -> LinearMap:
        """The differential of the residual by the unknown, at a solution."""
        return at_arguments(linearised(self.residual, self.unknown), self.settled)

    @cached_property
    def by_formals(self) -> tuple[LinearMap, ...]:
        """The differential of the unknown by each formal variable, at a solution."""
        back = inverted(self.by_unknown)
        found = []
        for formal in self.formals:
            L = at_arguments(linearised(self.residual, formal), self.settled)
            new = zero(formal.shape, self.unknown.shape) if isinstance(L, Zero) else compose(back, negated(L))
            found.append(new)
        return tuple(found)

    @cached_property
    def conditions(self) -> tuple[tuple[str, Expr], ...]:
        """What must hold at a solution: the sides have derivatives, and the equation has one solution nearby."""
        sides = [self.left, self.right] if self.objective is None else [self.objective]
        needed = [pair for sub in postorder(sides) for pair in record(sub.op).domain(*sub.args, *sub.params)]
        fact = "nonsingular" if self.objective is None else "positive-definite"
        return *needed, (fact, self.condition)

    def table(self, solved: Expr, args: tuple[Expr, ...]) -> dict[Expr, Expr]:
        """What stands for the unknown and the formal variables."""
        return {self.unknown: solved, **dict(zip(self.formals, args))}

    def shown(self, args: tuple[Expr, ...]) -> tuple[Expr, ...]:
        """The unknown, then the sides of the equation (or what is minimised) at these arguments."""
        table = dict(zip(self.formals, args))
        sides = (self.left, self.right) if self.objective is None else (self.objective,)
        return (self.unknown, *(substitute(side, table) for side in sides))


def _unpickled(*key: Any) -> Equation:
    *given, derivative, condition = key
    equation = Equation(*given)
    equation.derivative, equation.condition = derivative, condition
    return equation


def _shape(*operands: Any) -> Shape:
    *args, equation = operands
    for formal, arg in zip(equation.formals, args):
        if not same_shape(formal.shape, arg.shape):
            needed = shape_text(formal.shape)
            raise ShapeError(f"{{}} is {shape_text(arg.shape)}: the equation of {equation.name} needs {needed}", arg)
    shape: Shape = equation.unknown.shape
    return shape


def _differential(Y: Expr, *operands: Any) -> tuple[LinearMap, ...]:
    *args, equation = operands
    table = equation.table(Y, tuple(args))
    return tuple(at_arguments(L, table) for L in equation.by_formals)


def _domain(*operands: Any) -> tuple[tuple[str, Expr], ...]:
    *args, equation = operands
    table = equation.table(root(*args, equation), tuple(args))
    return tuple((fact, substitute(e, table)) for fact, e in equation.conditions)


def _facts(e: Expr, *masks: int) -> tuple[int, int]:
    true = facts_of(e.params[0].unknown)[0]
    for mask in masks:
        if not mask & BIT["constant"]:
            return true & ~BIT["constant"], 0
    return true | BIT["constant"], 0


def _example() -> Equation:
    z, W, b = var("z", "n", 1), var("W", "n", "n"), var("b", "n", 1)
    inside = core.add(matmul_(W, z), b)
    return Equation(z, (W, b), z, tanh(inside))


root: Op = register(
    Op(
        name="root",
        identity="X solves F(X, A, ...) = 0: dF/dX dX = -(dF/dA dA + ...), the implicit function theorem",
        shape=_shape,
        differential=_differential,
        latex=Builtin(),
        numpy=Builtin(),
        domain=_domain,
        source=KRANTZ,
        facts=_facts,
        params=(Param("equation", "any"),),
        example=("n n, n 1", _example()),
        real_only=True,
        syntax="inner",
    )
)


def solution_of(unknown: Expr, left: Expr, right: Expr, simplify: Simplify) -> Expr:
    """The value of `unknown` that solves left = right, an operation of the other variables and values in it.

    Raises:
        MatcalcError: the unknown does not occur, or `unknown` is not a variable.
        ShapeError: the sides are not of the unknown's shape.
    """
    left, right = (core.broadcast(s, unknown.shape) if s.op == "number" else s for s in (left, right))
    _need_unknown(unknown, left, right)
    for side in (left, right):
        if not same_shape(side.shape, unknown.shape):
            raise ShapeError(
                f"an equation for {unknown.name} needs sides of its shape {shape_text(unknown.shape)}, but {{}} is "
                f"{shape_text(side.shape)}",
                side,
            )
    args, table = _formals(unknown, left, right)
    formals = tuple(table[a] for a in args)
    left, right = (substitute(side, table, through_names=False) for side in (left, right))
    return root(*args, Equation(unknown, formals, left, right, simplify=simplify))


def minimiser_of(unknown: Expr, objective: Expr, simplify: Simplify, form: Simplify) -> Expr:
    """The value of `unknown` that minimises a 1 x 1 value, where its gradient, in the given form, is 0.

    Raises:
        MatcalcError: the unknown does not occur, or `unknown` is not a variable.
        ShapeError: the objective is not 1 x 1.
    """
    _need_unknown(unknown, objective)
    if not objective.is_scalar:
        raise ShapeError(f"what is minimised must be 1 x 1, but {{}} is {shape_text(objective.shape)}", objective)
    args, table = _formals(unknown, objective)
    new = substitute(objective, table, through_names=False)
    gradient = form(gradient_of(new, unknown))
    zeros = core.zero_of(unknown)
    formals = tuple(table[a] for a in args)
    return root(*args, Equation(unknown, formals, gradient, zeros, new, simplify))


def _need_unknown(unknown: Expr, *sides: Expr) -> None:
    if unknown.op != "variable":
        raise MatcalcError(f"the unknown must be a variable, got {unknown}")
    if known(unknown, "constant"):
        raise MatcalcError(f"{unknown.name} is declared constant: it cannot be an unknown")
    if unknown not in variables(sides):
        raise MatcalcError(f"{unknown.name} does not occur in its equation")
    others = [fact for fact in names_of(facts_of(unknown)[0]) if fact not in (*SOLVED, "diagonal")]
    if others and not unknown.is_scalar:
        raise MatcalcError(f"an unknown may be {', '.join(SOLVED)}; {unknown.name} is declared {', '.join(others)}")


def _formals(unknown: Expr, *sides: Expr) -> tuple[list[Expr], dict[Expr, Expr]]:
    """The variables and named values in some expressions, and the formal variables that stand for them."""
    leaves = [e for e in postorder(sides, through_names=False) if e.name and e is not unknown]
    table: dict[Expr, Expr] = {}
    for leaf in leaves:
        if unknown in variables((leaf,)):
            raise MatcalcError(f"{leaf.name} depends on {unknown.name}: write the equation without this name")
        facts = names_of(facts_of(leaf)[0] & ~BIT["constant"])
        table[leaf] = leaf if leaf.op == "variable" else var(leaf.params[0], *leaf.shape, facts)
    return leaves, table
