"""The text of a module with a native function: its C text, and in Python what takes inputs that need a conversion."""

from __future__ import annotations

import ast
import re

from matcalc.emit import trees
from matcalc.emit.program import Lowered, plain, quoted
from matcalc.errors import NoRuleError
from matcalc.expr import Expr
from matcalc.targets.native.text import NativeWriter, native_c_text
from matcalc.targets.numpy.inputs import Inputs
from matcalc.targets.numpy.module import numpy_body, used_helpers
from matcalc.targets.registry import Page
from matcalc.targets.solvers import solver_sources
from matcalc.templating import render

RUNTIME = ("_compiled", "Compiled", "_into")
BUFFERS = "out"  # the parameter for memory for the results, unless a variable is called so


def native_text(lowered: Lowered, page: Page) -> str:
    """The module.

    Raises:
        NoRuleError: an operation has no counterpart in C.
    """
    if lowered.functions:
        raise NoRuleError("no native code with abstract functions")
    text, writers = native_c_text(lowered)
    writer = writers[0]
    names = {key: lowered.namer.fresh(key) for key in writer.results}
    body, result = _call(lowered, writer, names), _result(lowered, names)
    taken = Inputs(
        *(lowered.program.variables, lowered.program.tangents, lowered.program.cotangent),
        *(lowered.inputs, lowered.dimensions, lowered.shapes),
        lowered.needed,
    )
    call, taking = taken.call("\n".join([body, result]))
    prologue = [f"{lowered.inputs[name]} = _renamed(inputs, {quoted(name)})" for name in lowered.renamed()]
    prologue += [*(["_nothing_left(inputs)"] if prologue else []), call, body]
    kind, buffers = lowered.program.kind, BUFFERS not in lowered.inputs.values()
    if buffers:
        given = BUFFERS
        if BUFFERS in lowered.dimensions.values():  # a size that is called so takes the name
            given = lowered.namer.fresh("buffers")
            prologue.insert(0, f"{given} = {BUFFERS}")
        pair = kind.value and kind.derivatives and lowered.program.output is None
        result = f"_into({given}, {f'({result})' if pair else result})"
    sizes = _sizes(lowered, writer)
    zeros = {k for w in writers for k, key in enumerate(w.results) if w.outputs[key] in w.statements.zeroed}
    asked = [source for k, w in enumerate(writers) for source in _asked(w, k)]
    solvers = solver_sources(lowered, lambda inner: numpy_body(inner, {}))
    helpers = [*solvers, *used_helpers("\n".join([*prologue, result, *taking, *asked, *solvers])).values()]
    everything = "\n".join([*prologue, *taking, *asked, *helpers])
    return render(
        "native_module.py.jinja",
        title=plain(page.title),
        documentation=lowered.documentation(page.formulas),
        text=text.replace('"""', "'''"),
        count=len(writer.results),
        sizes=sizes,
        inputs=_inputs(lowered),
        results=_results(lowered, zeros),
        zeros=sorted(zeros),
        function=lowered.name,
        signature=lowered.signature([f"{BUFFERS}=None"] if buffers else []),
        buffers=buffers,
        summary=lowered.summary,
        prologue=prologue,
        result=result,
        taken=taken.signature(),
        taking=taking,
        uses_math="math." in everything,
        uses_special="special." in everything,
        uses_lapack="lapack." in everything,
        uses_linalg="sla." in everything,
        outside=f", outside=lambda: [{', '.join(re.findall('def (_asked[0-9_]+)', ' '.join(asked)))}]" if asked else "",
        asked=asked,
        helpers=helpers,
    )


def _asked(writer: NativeWriter, k: int) -> list[str]:
    """The functions in Python that compute what has no counterpart in C."""
    found = []
    for number, (tree, read) in enumerate(writer.statements.outside):
        names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        sizes = [name if name in names else "_" for name in writer.sizes.values()]
        lines = [f"def _asked{k}_{number}(sizes, dtype{''.join(f', {name}' for name in read)}):"]
        lines += [f"    {', '.join(sizes)}, = sizes[:{len(sizes)}]"] if set(sizes) - {"_"} else []
        found.append("\n".join([*lines, f"    return {trees.text(tree)}"]))
    return found


def _call(lowered: Lowered, writer: NativeWriter, names: dict[str, str]) -> str:
    """The statement that calls the compiled function."""
    needed = set(writer.needed_sizes())
    sizes = "".join(f"{name if name in needed else 0}, " for name in lowered.dimensions.values())
    given = "".join(f"{lowered.inputs[v.params[0]]}, " for v in writer.inputs)
    return f"{', '.join(names.values())}, = _compiled(dtype, ({sizes}), ({given}))"


def _result(lowered: Lowered, names: dict[str, str]) -> str:
    """The text of what is returned, in the forms of the inputs."""
    program, kind = lowered.program, lowered.program.kind
    if program.output is not None:
        return f"{names['result']}.item()" if program.output.is_scalar else names["result"]
    value = ""
    if kind.value and program.value is not None:
        value = f"{names['result']}.item()" if program.value.is_scalar else names["result"]
        if not kind.derivatives:
            return value
    items = []
    for name, e in program.results.items():
        text = names[f"{kind.argument}_{name}"]
        if name in lowered.shapes:
            shape = lowered.shapes[name]
            text = f"_form({text}[0, 0], {shape})" if e.is_scalar else f"{text}.reshape({shape})"
        items.append(f"{quoted(name)}: {text}")
    grads = f"{{{', '.join(items)}}}"
    return f"{value}, {grads}" if value else grads


# ------------------------------------------------------------------------------------------------ the quick way


def _sizes(lowered: Lowered, writer: NativeWriter) -> list[str] | None:
    """The sizes, all of which the inputs fix; None where they do not, or where an input has another size than these."""
    arrays = [v for v in writer.inputs if not v.is_scalar]
    sizes = {d for v in arrays for d in v.shape if not isinstance(d, int)}
    if lowered.renamed() or not arrays or not all(d.is_Symbol for d in sizes):
        return None
    measured = {lowered.dimensions[str(d)] for d in sizes}
    return list(map(quoted, lowered.dimensions)) if measured.issuperset(writer.needed_sizes()) else None


def _inputs(lowered: Lowered) -> list[str]:
    """For each input its parameter, its name where that is a dict, and its shape."""
    program = lowered.program
    found: list[tuple[str, str | None, Expr]] = [(v.params[0], None, v) for v in program.variables]
    found += [("tangents", name, v) for name, v in program.tangents.items()]
    found += [("cotangent", None, program.cotangent)] if program.cotangent is not None else []
    return [repr((parameter, key, _shape(v))).replace("'", '"') for parameter, key, v in found]


def _shape(v: Expr) -> tuple[object, ...]:
    return () if v.is_scalar else tuple(d if isinstance(d, int) else str(d) for d in v.shape)


def _results(lowered: Lowered, zeros: set[int]) -> list[str]:
    """For each result its name, if it is one of several, and its form: that of an input, a number or a matrix."""
    program, kind = lowered.program, lowered.program.kind
    alone = program.output if program.output is not None else program.value if kind.value else None
    found: list[tuple[str | None, str | None]] = []
    if alone is not None:
        found.append((None, "number" if alone.is_scalar else "matrix"))
    if kind.derivatives and program.output is None:
        found += [(name, f"as {name}" if name in lowered.shapes else "matrix") for name in program.results]
    found = [(name, "zeros" if k in zeros else form) for k, (name, form) in enumerate(found)]
    return [repr(pair).replace("'", '"') for pair in found]
