"""The question as it is read: unknowns with their domains, and equations from their texts."""

from __future__ import annotations

from collections.abc import Iterable

from matcalc import core
from matcalc.calculus.problem import Problem
from matcalc.curvature.ranges import Ranges
from matcalc.dims import same
from matcalc.errors import MatcalcError, ShapeError
from matcalc.expr import Expr
from matcalc.frontend.parser import parse_in
from matcalc.optimum.question import Constraint, Question, opened, split_scalars
from matcalc.properties import known, names_of
from matcalc.walk import substitute


def question_of(problem: Problem, over: Iterable[Expr], subject_to: Iterable[str], sense: str) -> Question:
    """The question about a problem's function.

    Raises:
        MatcalcError: an unknown is not a variable, or a constraint is not an equation.
        ShapeError: the function is not scalar, or the sides of a constraint have different shapes.
    """
    problem.need_scalar("optimum")
    unknowns = tuple(over)
    inner = [v.name for v in unknowns if v.op != "variable"]
    if inner:
        raise MatcalcError(f"{', '.join(inner)} is a named value: an optimum is over variables")
    constraints = tuple(_constraint(text, problem) for text in subject_to)
    function = opened(problem.output)
    for v in unknowns:
        if known(v, "orthogonal"):
            n = v.shape[0]
            constraints += (Constraint(f"{v.name}'*{v.name} = eye({n})", core.matmul(v.T, v), core.eye(n)),)
    moved = {v: _symmetric(v, constraints) for v in unknowns}
    kept = tuple(
        Constraint(c.text, substitute(c.left, moved), substitute(c.right, moved))
        for c in constraints
        if not _says_symmetric(c, unknowns)
    )
    return Question(substitute(function, moved), tuple(moved.values()), kept, sense)


def _constraint(text: str, problem: Problem) -> Constraint:
    signs = list(_outside_of_brackets(text))
    if any(ch == "," for _, ch in signs):
        raise MatcalcError(f"several constraints are a list of texts, one for each: {text!r} has a comma")
    for k, ch in signs:
        if ch == "=" and text[k - 1 : k] not in ("<", ">", "!", "=") and text[k + 1 : k + 2] != "=":
            parts = text[:k], text[k + 1 :]
            if not all(part.strip() for part in parts):
                raise MatcalcError(f"the constraint {text!r} has an empty side")
            return _fitted(text, *(opened(parse_in(part, problem.graph.scope, problem.roots)) for part in parts))
    raise MatcalcError(_why_no_equation(text))


def _outside_of_brackets(text: str) -> Iterable[tuple[int, str]]:
    depth = 0
    for k, ch in enumerate(text):
        depth += (ch in "([") - (ch in ")]")
        if depth == 0:
            yield k, ch


def _why_no_equation(text: str) -> str:
    """What is said of a constraint that is no equation."""
    if "!=" in text or "≠" in text:
        return f"what is not zero is declared, as in 'x: n x 1 nonzero': {text!r} is no equation"
    if any(sign in text for sign in "<>≤≥"):
        return (
            f"inequalities such as {text!r} are not handled: constraints are equations. Signs and definiteness are "
            "facts of the unknown, as in 'x: n x 1 positive' or 'S: n x n positive-definite'"
        )
    return f"a constraint is an equation such as sum(w) = 1, got {text!r}"


def _fitted(text: str, left: Expr, right: Expr) -> Constraint:
    if not all(same(p, q) for p, q in zip(left.shape, right.shape)):
        if right.is_scalar and right.number == 0:
            right = core.zeros(*left.shape)
        else:
            raise ShapeError(f"the sides of the constraint {text!r} have different shapes: {{}} and {{}}", left, right)
    return _squared(Constraint(text, left, right))


def _squared(c: Constraint) -> Constraint:
    """norm2(x) = c for c >= 0 as norm2(x)^2 = c^2, and Q Q' = c I for square Q as Q'Q = c I."""
    if c.left.op == "norm2" and Ranges().of(c.right).nonnegative:
        return Constraint(c.text, core.power(c.left, 2), core.power(c.right, 2))
    if c.left.op == "matmul" and len(c.left.args) == 2 and split_scalars(c.right)[1].op == "eye":
        Q, turned = c.left.args
        if Q.op == "variable" and turned is core.transpose(Q) and same(*Q.shape):
            return Constraint(c.text, core.matmul(turned, Q), c.right)
    return c


def _says_symmetric(c: Constraint, unknowns: Iterable[Expr]) -> bool:
    return any(c.left in (v, v.T) and c.right in (v, v.T) and c.left is not c.right for v in unknowns)


def _symmetric(v: Expr, constraints: Iterable[Constraint]) -> Expr:
    """The unknown with the facts that its constraints give it; `orthogonal` is a constraint, not a fact."""
    words = [w for w in names_of(v.params[3]) if w not in ("orthogonal", "constant")]
    if any(_says_symmetric(c, (v,)) for c in constraints):
        words.append("symmetric")
    return core.var(v.name, *v.shape, words)
