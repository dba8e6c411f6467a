"""Programs in a note: the derivation's source in the text syntax, for the cells of a notebook; its generated code."""

from __future__ import annotations

import ast

from matcalc.calculus.problem import Problem
from matcalc.dims import shape_text
from matcalc.errors import NoRuleError
from matcalc.expr import Expr, postorder
from matcalc.kinds import JACOBIAN
from matcalc.printing.text import text
from matcalc.properties import names_of


def source_program(d: Problem) -> str:
    """Declarations, definitions and the output; `derive` reads it back.

    Raises:
        NoRuleError: the source uses entrywise functions with a body of their own, which have no text.

    Example:
        >>> import matcalc as mc
        >>> print(source_program(mc.derive("x'*A*x", facts={"A": "symmetric"})))
        x: n x 1
        A: n x n symmetric
        x'*A*x
    """
    functions = [e for e in postorder((d.output,)) if e.op == "func"]
    if any(e.params[0].body is not None for e in functions):
        raise NoRuleError("a function with a body of its own has no text: this derivation cannot be written as one")
    lines = [
        " ".join([f"{v.params[0]}:", shape_text(v.shape), *names_of(v.params[3])]) for v in d.graph.declared.values()
    ]
    solved = {e.args[0] for e in d.graph.definitions.values()}
    if any(e.op == "root" and e not in solved for e in postorder((d.output,))):
        raise NoRuleError("the solution of an equation has no text of its own: name it by its unknown")
    lines += [_definition(name, e.args[0]) for name, e in d.graph.definitions.items()]
    if d.output.op != "named" or d.output is not list(d.graph.definitions.values())[-1]:
        lines.append(text(d.output))
    return "\n".join(lines)


def _definition(name: str, value: Expr) -> str:
    """`name = value`, or the equation that gives the value."""
    if value.op != "root":
        return f"{name} = {text(value)}"
    unknown, *sides = value.params[0].shown(value.args)
    facts = names_of(unknown.params[3])
    verb = "solves" if len(sides) > 1 else "minimizes"
    return " ".join([f"{name}: {shape_text(unknown.shape)}", *facts, verb, " = ".join(map(text, sides))])


def function_names(d: Problem) -> list[str]:
    """The abstract entrywise functions that the source calls."""
    return list(dict.fromkeys(e.params[0].name for e in postorder((d.output,)) if e.op == "func"))


def code_kind(d: Problem) -> str | None:
    """The kind of function that a note prints: value and gradients by default, Jacobians of a matrix function."""
    return None if d.output.is_scalar else JACOBIAN.name


def main_function(module: str) -> tuple[str, bool]:
    """The imports and the first function of a module, and whether there is more in it than that."""
    if not module:
        return "", False
    tree = ast.parse(module)
    parts = [n for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom))]
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
    shown = [ast.get_source_segment(module, n) or "" for n in (*parts, *functions[:1])]
    return "\n".join([*shown[:-1], "", "", shown[-1]]).strip() + "\n", len(functions) > 1
