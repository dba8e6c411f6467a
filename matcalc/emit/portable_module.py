"""The text of a standalone module for another array library: the array API standard, Dask, JAX, PyTorch."""

from __future__ import annotations

import re

from matcalc.emit.portable import Dialect, helpers_of, size_lines, translated
from matcalc.emit.program import SUMMARY, Lowered, plain
from matcalc.emit.trees import wrapped
from matcalc.errors import NoRuleError
from matcalc.templating import render

WIDTH = 108


def portable_text(lowered: Lowered, title: str, formulas: list[str], dialect: Dialect) -> str:
    """The module for another array library.

    Raises:
        NoRuleError: something has no counterpart there.
    """
    program = lowered.program
    if lowered.renamed() or lowered.functions:
        raise NoRuleError(f"no code for {dialect.title} with abstract functions or with names that Python reserves")
    if dialect.prefix in lowered.inputs:
        raise NoRuleError(
            f"no code for {dialect.title} with a variable called {dialect.prefix}: the code needs the name"
        )
    result = lowered.result(plain=True)
    lines = [f"{s.target} = {translated(s.text, dialect)}" for s in lowered.schedule.statements]
    result = translated(result, dialect)
    arrays = [(lowered.inputs[v.params[0]], v.shape) for v in program.variables if not v.is_scalar]
    matrices = [*program.variables, *([] if program.cotangent is None else [program.cotangent])]
    given = [lowered.inputs[v.params[0]] for v in matrices if not v.is_scalar]
    taking = [f"{name} = {dialect.taken}({name})" for name in given] if dialect.taken else []
    taking += size_lines(arrays, lowered.dimensions, [*lines, result])
    if arrays:
        taking.append(f"dtype = {arrays[0][0]}.dtype")
    for wrt, t in program.tangents.items():
        zero = f"{dialect.prefix}.zeros_like({lowered.inputs[wrt]})"
        tangent = f'{dialect.taken}(tangents["{wrt}"])' if dialect.taken else f'tangents["{wrt}"]'
        taking.append(f'{lowered.inputs[t.params[0]]} = {tangent} if "{wrt}" in tangents else {zero}')
    signature = lowered.signature().removesuffix(", dims=None")
    body = [*taking, *lines, result]
    used = "\n".join([*lines, result])
    taking = [t for t in taking if not t.startswith("dtype =") or re.search(r"\bdtype\b", used)]
    return render(
        "portable_module.py.jinja",
        title=plain(title),
        documentation=lowered.documentation(formulas),
        uses_math="math." in used,
        imports=dialect.imports,
        function=lowered.name,
        signature=signature if dialect.imports else f"{signature}, xp",
        summary=SUMMARY[program.kind],
        lines=[*taking, *wrapped(lines, WIDTH)],
        result=result,
        helpers=helpers_of(body),
    )
