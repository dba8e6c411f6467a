"""A program after one of its passes, as text: for whoever looks for the pass that does something."""

from __future__ import annotations

from collections.abc import Iterator

from matcalc.dims import shape_text
from matcalc.emit.instructions import Value
from matcalc.emit.passes import PASSES
from matcalc.emit.program import Lowered
from matcalc.emit.recipe import Program
from matcalc.errors import need_one_of
from matcalc.expr import Expr, postorder
from matcalc.printing.text import text

LATER = {
    "instructions": "what each statement computes, with its shape",
    "schedule": "the statements in their order, each value computed once",
    "memory": "the same with results put where nobody reads any more what is there",
}
PASS_NAMES = (*(p.name for p in PASSES), *LATER)


def after(lowered: Lowered, name: str) -> str:
    """The program after a pass: expressions by their names, then statements.

    Raises:
        MatcalcError: there is no such pass.
    """
    need_one_of("pass", name, PASS_NAMES)
    if name in lowered.after:
        return "\n".join(_expressions(lowered.after[name]))
    if name == "instructions":
        named = [(s.target, s.computed) for s in lowered.schedule.statements]
        named += [(f"return {name}", value) for name, value in lowered.result_values().items()]
        return "\n".join(f"{name}: {_shape(value)} = {value}" for name, value in named)
    if name == "schedule":
        lines = [f"{s.target} = {s.text}" for s in lowered.schedule.statements]
    else:
        inputs = {v: lowered.inputs[v.params[0]] for v in (*lowered.program.variables, *lowered.extra)}
        lines = [line for _, part in lowered.schedule.lines(inputs, lowered.returned()) for line in part]
    return "\n".join([*lines, f"return {lowered.result()}"])


def _shape(value: Value) -> str:
    return "blocks" if value.shape is None else shape_text(value.shape)


def _expressions(program: Program) -> Iterator[str]:
    roots = program.roots
    named: dict[Expr, str] = {e: str(e.params[0]) for e in postorder(roots) if e.op == "named"}
    yield from (f"{name} = {text(e.args[0])}" for e, name in named.items())
    yield from (f"{name} = {text(e)}" for e, name in roots.items() if named.get(e) != name)
    if program.alternative is not None:
        less, more, other = program.alternative
        yield f"where {text_of_count(less)} < {text_of_count(more)}:"
        yield from (f"    {line}" for line in _expressions(other))


def text_of_count(count: object) -> str:
    """A number of operations."""
    return str(count).replace("**", "^")
