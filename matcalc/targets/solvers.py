"""The functions in a module that solve the equations of implicit values, by Newton's method with our derivative."""

from __future__ import annotations

from collections.abc import Callable

from matcalc.core import exact_dim
from matcalc.dims import shape_text
from matcalc.emit.code import number_code
from matcalc.emit.program import Lowered, plain, quoted
from matcalc.emit.recipe import Program
from matcalc.errors import NoRuleError
from matcalc.kinds import GRADIENT
from matcalc.ops.implicit import Equation
from matcalc.printing.text import text

Body = Callable[[Lowered], tuple[list[str], str]]


def solver_sources(lowered: Lowered, body: Body, library: str = "") -> list[str]:
    """The functions that a module calls; `body` writes the statements and the result of a program.

    Without a `library`, which `_newton` then takes, they are NumPy's, and name the value that has no solution.

    Raises:
        NoRuleError: an equation holds another one, or an abstract function.
    """
    return [_source(equation, name, body, library) for equation, name in lowered.solvers.items()]


def _source(equation: Equation, name: str, body: Body, library: str) -> str:
    unknown = equation.unknown
    results = dict(zip(_keys(equation), (equation.residual, equation.derivative)))
    inner = Lowered(Program(GRADIENT, None, results, [unknown, *equation.formals]), "equation")
    if inner.solvers or inner.functions:
        raise NoRuleError(f"the equation of {equation.name} holds another equation or an abstract function")
    statements, result = body(inner)
    x = inner.inputs[equation.name]
    parameters = [*(inner.inputs[f.params[0]] for f in equation.formals)]
    parameters += [*(inner.dimensions[d] for d in equation.sizes), "dtype"]
    rows, cols = (number_code(exact_dim(d), inner.dimensions)[0] for d in unknown.shape)
    verb = "solves" if equation.objective is None else "minimises"
    shown = " = ".join(text(side) for side in equation.shown(equation.formals)[1:])
    lines = [
        f"def {name}({', '.join(parameters)}):",
        f'    """The {equation.name} ({shape_text(unknown.shape)}) that {verb} {plain(shown)}."""',
        "",
        f"    def equation({x}):",
        *([f"        {x} = {x}[0, 0]"] if unknown.is_scalar else []),
        *(f"        {line}" for statement in statements for line in statement.split("\n")),
        f"        return tuple({result}.values())",
        "",
        f"    return _newton({library or quoted(equation.name)}, equation, ({rows}, {cols}), {equation.words!r}, dtype)"
        + ("[0, 0]" if unknown.is_scalar else ""),
    ]
    return "\n".join(lines)


def _keys(equation: Equation) -> tuple[str, str]:
    """Names for the residual and its matrix that are no variable's."""
    taken = {equation.name, *(str(f.params[0]) for f in equation.formals)}
    first, second = "residual", "matrix"
    while first in taken or second in taken:
        first, second = first + "_", second + "_"
    return first, second
