"""The text of a standalone module for another array library: the array API standard, Dask, JAX, PyTorch."""

from __future__ import annotations

import re

from matcalc.emit.needed_sizes import statements
from matcalc.emit.program import Lowered, plain
from matcalc.emit.trees import wrapped
from matcalc.errors import NoRuleError
from matcalc.expr import Expr
from matcalc.targets.libraries.dialect import Dialect
from matcalc.targets.libraries.sizes import shape_text, size_lines
from matcalc.targets.libraries.translation import python_numbers, translated
from matcalc.targets.registry import Page
from matcalc.targets.solvers import solver_sources
from matcalc.templating import render

WIDTH = 108


def portable_text(dialect: Dialect, lowered: Lowered, page: Page) -> str:
    """The module for another array library.

    Raises:
        NoRuleError: something has no counterpart there.
    """
    program = lowered.program
    if lowered.functions:
        raise NoRuleError(f"no code for {dialect.title} with abstract functions")
    if dialect.prefix in lowered.inputs:
        raise NoRuleError(
            f"no code for {dialect.title} with a variable called {dialect.prefix}: the code needs the name"
        )
    lines, result = _body(lowered, dialect)
    solvers = solver_sources(lowered, lambda inner: _body(inner, dialect), dialect.prefix)
    if program.kind.value and program.kind.derivatives:
        result = result.removeprefix("(").removesuffix(")")
    arrays = [(lowered.inputs[v.params[0]], v.shape) for v in program.variables if not v.is_scalar]
    given = [lowered.inputs[v.params[0]] for v in program.variables if not v.is_scalar]
    taking = [f"{name} = {dialect.taken}({name})" for name in given] if dialect.taken else []
    checks = statements(lowered.needed, lowered.dimensions)
    weights = [] if program.cotangent is None else [shape_text(program.cotangent.shape, lowered.dimensions)]
    sizes, by_hand = size_lines(arrays, lowered.dimensions, [*lines, result, *checks, *weights])
    reserved = [f"{lowered.inputs[name]} = _renamed(inputs, {_quoted(name)})" for name in lowered.renamed()]
    taking = [*reserved, *(["_nothing_left(inputs)"] if reserved else []), *taking, *sizes, *checks]
    scalars = [lowered.inputs[v.params[0]] for v in program.variables if v.is_scalar]
    typed = len(taking)
    taking.append("")
    taking += [f"{name} = {_number(name, dialect)}" for name in scalars if _reads(lines, result, name)]
    if program.tangents:
        taking.append(f"_directions(tangents, [{', '.join(map(_quoted, program.tangents))}])")
    for wrt, t in program.tangents.items():
        zero = _number("0", dialect) if t.is_scalar else f"{dialect.prefix}.zeros_like({lowered.inputs[wrt]})"
        tangent = _taken(f'tangents["{wrt}"]', t, dialect, f"{lowered.inputs[wrt]}.shape")
        taking.append(f'{lowered.inputs[t.params[0]]} = {tangent} if "{wrt}" in tangents else {zero}')
    if program.cotangent is not None:
        shape = shape_text(program.cotangent.shape, lowered.dimensions)
        taking.append(f"{lowered.inputs['cotangent']} = {_taken('cotangent', program.cotangent, dialect, shape)}")
    signature = lowered.signature().removesuffix(", **inputs").removesuffix(", dims=None")
    signature += (", dims" if by_hand else "") + ("" if dialect.imports else ", xp")
    signature += ", **inputs" if reserved else ""
    body = [*taking, *lines, result]
    used = "\n".join([*lines, result])
    needs_dtype = any(re.search(r"\bdtype\b", t) for t in [used, *taking])
    taking[typed : typed + 1] = [type_line(given, dialect, read=needs_dtype)] if given or needs_dtype else []
    body += taking
    needed = dialect.needed("\n".join([*body, *solvers]))
    helpers = [*solvers, *(source for name, source in dialect.sources.items() if name in needed)]
    everything = "\n".join([*body, *helpers])
    return render(
        "portable_module.py.jinja",
        title=plain(page.title),
        documentation=lowered.documentation(page.formulas),
        uses_math="math." in everything,
        imports=dialect.imported(everything),
        function=lowered.name,
        signature="" if signature == "*" else signature,
        summary=lowered.summary,
        lines=[*taking, *wrapped(lines, WIDTH)],
        result=result,
        helpers=helpers,
    )


def _body(lowered: Lowered, dialect: Dialect) -> tuple[list[str], str]:
    """The lines of the statements, and the text of what is returned."""
    numbers = python_numbers(lowered.dimensions.values(), lowered.schedule.statements)
    own = lowered.solvers.values()
    lines = [f"{s.target} = {translated(s.tree, dialect, numbers, own)}" for s in lowered.schedule.statements]
    return lines, translated(lowered.result_tree(), dialect, numbers, own)


def type_line(arrays: list[str], dialect: Dialect, *, read: bool = True) -> str:
    """The statement that sets the program's type, in which arrays of whole numbers are taken; `read`: it has a name."""
    default = f"{dialect.prefix}.{dialect.default}"
    if not arrays:
        return f"dtype = {default}"
    return (
        f"{'dtype' if read else '_'}, {', '.join(arrays)} = _floating({dialect.prefix}, {default}, {', '.join(arrays)})"
    )


def _number(text: str, dialect: Dialect) -> str:
    """A number as an array of the program's type."""
    return f"{dialect.prefix}.{dialect.scalar}({text}, dtype=dtype)"


def _taken(text: str, of: Expr, dialect: Dialect, shape: str) -> str:
    """A tangent or a cotangent as an array of the library, if it has this shape, that of `of`."""
    if of.is_scalar:
        return _number(text, dialect)
    name = text.replace('"', "'")
    fitting = f'_fitting("{name}", {f"{dialect.taken}({text})" if dialect.taken else text}, {shape})'
    return f"_cast({dialect.prefix}, {fitting}, dtype)"


def _quoted(name: str) -> str:
    return f'"{name}"'


def _reads(lines: list[str], result: str, name: str) -> bool:
    """Whether the program reads a name."""
    return any(re.search(rf"\b{name}\b", text) for text in (*lines, result))
