"""The text of a module with a native function: its C text, and in Python what takes inputs that need a conversion."""

from __future__ import annotations

from matcalc.emit.program import Lowered, plain, quoted
from matcalc.errors import NoRuleError
from matcalc.expr import Expr
from matcalc.targets.native.text import NativeWriter, native_c_text
from matcalc.targets.numpy.inputs import Inputs
from matcalc.targets.numpy.module import used_helpers
from matcalc.targets.registry import Page
from matcalc.templating import render

RUNTIME = ("_compiled", "Compiled")


def native_text(lowered: Lowered, page: Page) -> str:
    """The module.

    Raises:
        NoRuleError: an operation has no counterpart in C.
    """
    if lowered.functions:
        raise NoRuleError("no native code with abstract functions")
    text, writer = native_c_text(lowered)
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
    sizes = _sizes(lowered, writer)
    return render(
        "native_module.py.jinja",
        title=plain(page.title),
        documentation=lowered.documentation(page.formulas),
        text=text.replace('"""', "'''"),
        count=len(writer.results),
        sizes=sizes,
        inputs=_inputs(lowered),
        results=_results(lowered),
        function=lowered.name,
        signature=lowered.signature(),
        summary=lowered.summary,
        prologue=prologue,
        result=result,
        taken=taken.signature(),
        taking=taking,
        helpers=list(used_helpers("\n".join([*prologue, result, *taking])).values()),
    )


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


def _results(lowered: Lowered) -> list[str]:
    """For each result its name, if it is one of several, and its form: that of an input, a number or a matrix."""
    program, kind = lowered.program, lowered.program.kind
    alone = program.output if program.output is not None else program.value if kind.value else None
    found: list[tuple[str | None, str | None]] = []
    if alone is not None:
        found.append((None, "number" if alone.is_scalar else "matrix"))
    if kind.derivatives and program.output is None:
        found += [(name, f"as {name}" if name in lowered.shapes else "matrix") for name in program.results]
    return [repr(pair).replace("'", '"') for pair in found]
