"""The functions of pieces as they stand in a module with loops: without the checks of their inputs, helpers once.

A piece's own module checks what it is given at every call. Inside of a loop all of that is known, so the text of its
function is taken apart: what computes stays, what checks and converts goes.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

from matcalc.functions.request import module
from matcalc.kinds import Kind
from matcalc.loops.pieces import Piece

_INPUTS = "_inputs"
_SHAPE = "shape_"


@dataclass
class Made:
    """The function of a piece.

    Attributes:
        name: of the function.
        parameters: in order; `dims` last where it needs sizes.
        lines: of its body, with the return.
        helpers: the functions that it calls, by name.
        imports: the lines at the top that it needs.
    """

    name: str
    parameters: list[str]
    lines: list[str]
    helpers: dict[str, str] = field(default_factory=dict)
    imports: list[str] = field(default_factory=list)

    @property
    def source(self) -> str:
        """Its text."""
        return "\n".join([f"def {self.name}({', '.join(self.parameters)}):", *self.lines])


def made(piece: Piece, kind: Kind, name: str, target: str = "numpy") -> Made:
    """The function of a piece's value, or of its gradients as a tuple in the order of `piece.active`."""
    problem = piece.backward if kind.derivatives else piece.value
    text = module(problem, kind.name, target)
    tree, lines = ast.parse(text), text.splitlines()
    functions = {f.name: f for f in tree.body if isinstance(f, ast.FunctionDef)}
    imports = [_segment(lines, n) for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom, ast.Try))]
    main = functions.pop(kind.name)
    order = [piece.names[v].name for v in piece.active] if kind.derivatives else None
    taken = [a.arg for a in main.args.kwonlyargs if a.arg != "dims"]
    sizes = _sizes(functions[_INPUTS]) if _INPUTS in functions else {}
    plain = _without_checks(main, lines, taken, order, sizes) if target == "numpy" else None
    if plain is not None:
        body, needs = plain
        found = Made(name, [*taken, *(["dims"] if needs else [])], body)
    else:
        dims = [a.arg for a in main.args.kwonlyargs if a.arg == "dims"]
        found = Made(name, [*taken, *dims], _kept(main, lines, order))
    found.helpers = _called(found.lines, functions, lines)
    everything = "\n".join([*found.lines, *found.helpers.values()])
    found.imports = [i for i in imports if any(re.search(rf"\b{n}\b", everything) for n in _names(i))]
    return found


def _segment(lines: list[str], node: ast.stmt) -> str:
    return "\n".join(lines[node.lineno - 1 : node.end_lineno])


def _sizes(inputs: ast.FunctionDef) -> dict[str, str]:
    """How the function that checks inputs finds each size."""
    found = [(n.targets[0], n.value) for n in inputs.body if isinstance(n, ast.Assign)]
    return {
        ast.unparse(target): ast.unparse(value)
        for target, value in found
        if isinstance(value, ast.Call) and _is(value.func, "_size")
    }


def _names(statement: str) -> list[str]:
    """What an import, or a try around some, brings."""
    found = [n for n in ast.walk(ast.parse(statement)) if isinstance(n, (ast.Import, ast.ImportFrom))]
    return [a.asname or a.name.split(".")[0] for n in found for a in n.names]


def _kept(main: ast.FunctionDef, lines: list[str], order: list[str] | None) -> list[str]:
    """The body with all checks."""
    last = main.body[-1]
    assert isinstance(last, ast.Return)
    return [*lines[main.body[0].end_lineno : last.lineno - 1], _returned(last, order, plain=False)]


def _without_checks(
    main: ast.FunctionDef, lines: list[str], taken: list[str], order: list[str] | None, sizes: dict[str, str]
) -> tuple[list[str], bool] | None:
    """The body without the checks of inputs, and whether it needs sizes; None where it is made otherwise."""
    if len(main.body) < 2 or not isinstance(main.body[-1], ast.Return):
        return None
    first = main.body[1]
    nested = [n for s in main.body for n in ast.walk(s) if isinstance(n, (ast.Return, ast.FunctionDef, ast.Lambda))]
    if len(nested) != 1:
        return None
    given: list[str] = []
    start = main.body[0].end_lineno
    call = first.value if isinstance(first, (ast.Assign, ast.Expr)) else None
    if isinstance(call, ast.Call) and _is(call.func, _INPUTS):
        targets = first.targets if isinstance(first, ast.Assign) else []
        given = [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]
        start = first.end_lineno
    inner = lines[start : main.body[-1].lineno - 1]
    result = _returned(main.body[-1], order, plain=True)
    body = "\n".join([*inner, result])
    known, needs = [], False
    for n in given:
        if n in taken or not re.search(rf"\b{n}\b", body):
            continue
        if n.startswith(_SHAPE) and n.removeprefix(_SHAPE) in taken:
            known.append(f"    {n} = np.shape({n.removeprefix(_SHAPE)})")
        elif n == "dtype":
            known.append("    dtype = np.dtype(np.float64)")
        else:
            needs = True
            known += [f"    {n} = {sizes[n]}"] if n in sizes else []
    needs = needs or bool(re.search(r"\bdims\b", body))
    return [*known, *inner, result], needs


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _returned(last: ast.Return, order: list[str] | None, *, plain: bool) -> str:
    """The return: the value, or the gradients in order, without conversions where `plain`."""
    assert last.value is not None
    if order is None:
        value = last.value
        if plain and isinstance(value, ast.Call) and _is(value.func, "float"):
            value = value.args[0]
            wrapped = isinstance(value, ast.Constant)
            return f"    return np.float64({ast.unparse(value)})" if wrapped else f"    return {ast.unparse(value)}"
        return f"    return {ast.unparse(value)}"
    assert isinstance(last.value, ast.Dict)
    by_name = {k.value: v for k, v in zip(last.value.keys, last.value.values) if isinstance(k, ast.Constant)}
    parts = [ast.unparse(_plain(by_name[n]) if plain else by_name[n]) for n in order]
    return f"    return {', '.join(parts)}"


def _plain(value: ast.expr) -> ast.expr:
    """A derivative without its conversion to the form of the input."""
    if not isinstance(value, ast.Call):
        return value
    function = value.func
    if _is(function, "_form"):
        return _plain(value.args[0])
    if isinstance(function, ast.Attribute) and function.attr == "reshape" and len(value.args) == 1:
        shape = value.args[0]
        if isinstance(shape, ast.Name) and shape.id.startswith(_SHAPE):
            return _plain(function.value)
    if isinstance(function, ast.Attribute) and function.attr == "full" and ast.unparse(value.args[0]) == "(1, 1)":
        return _plain(value.args[1])
    return value


def _called(body: list[str], functions: dict[str, ast.FunctionDef], lines: list[str]) -> dict[str, str]:
    """The helpers that some lines call, and those that these call."""
    found: dict[str, str] = {}
    todo = ["\n".join(["def f():", *body])]
    while todo:
        used = {n.id for n in ast.walk(ast.parse(todo.pop())) if isinstance(n, ast.Name)}
        for name in used & functions.keys() - found.keys():
            found[name] = _segment(lines, functions[name])
            todo.append(found[name])
    return {name: found[name] for name in functions if name in found}
