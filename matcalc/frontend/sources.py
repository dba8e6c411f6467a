"""What can be derived: the registry of sources. Each kind of source has a reader, chosen by its type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from matcalc.core import var
from matcalc.errors import MatcalcError, ParseError, shorten
from matcalc.expr import Expr
from matcalc.frontend.indexed_ranges import NoMatrixFormError
from matcalc.frontend.names import declared_shapes
from matcalc.frontend.parser import Parsed, parse
from matcalc.graph import DOORS, Graph
from matcalc.languages import Message
from matcalc.ops.user_functions import Function
from matcalc.optional import arrived, later
from matcalc.properties import names_of
from matcalc.walk import substitute

if TYPE_CHECKING:
    from matcalc.frontend.tracing.doors import read as read_function
    from matcalc.frontend.tracing.origin import Origin
    from matcalc.indices.lifting import Lifting
    from matcalc.indices.program import Program
else:
    (read_function,) = later("matcalc.frontend.tracing.doors", "read")

CallableType: Any = Callable  # the abstract class: any object that can be called


@dataclass
class Source:
    """What a reader made of a source.

    Attributes:
        graph: the forward graph.
        inferred: what was inferred of names that were not declared: a line for each.
        notice: one sentence on it.
        origin: the Python function that it comes from, if it does.
        program: the families and recurrences, and the loops over them, where there are some.
        liftings: how sums over indices became matrices.
    """

    graph: Graph
    inferred: list[str] = field(default_factory=list)
    notice: Message | None = None
    origin: Origin | None = None
    program: Program | None = None
    liftings: list[Lifting] = field(default_factory=list)


@dataclass(frozen=True)
class Declared:
    """What is said about a source beside it."""

    shapes: Mapping[str, Any] | None
    facts: dict[str, list[str]]
    functions: Iterable[str | Function] = ()
    syntax: str | None = None


@singledispatch
def read(source: Any, declared: Declared) -> Source:
    """A source as a graph. Further kinds of sources register their types.

    Raises:
        MatcalcError: no reader takes it, or it is wrong.
    """
    if arrived(source, DOORS):
        return read(source, declared)
    raise MatcalcError(
        "the source must be text (a str), a SymPy expression, a matcalc expression, a Graph or a Python function, got "
        f"{type(source).__name__}"
    )


@read.register(str)
def _(source: str, declared: Declared) -> Source:
    parsed = _parsed(source, declared)
    return Source(parsed.graph, parsed.inferred, parsed.notice, program=parsed.program, liftings=parsed.liftings)


def _parsed(source: str, declared: Declared) -> Parsed:
    """The text; sums without a matrix form stay sums, where that can be read."""
    facts, functions, in_loops = declared.facts or None, declared.functions, dict[int, int]()
    first: ParseError | None = None
    while True:
        try:
            return parse(source, shapes=declared.shapes, facts=facts, functions=functions, syntax=declared.syntax,
                         in_loops=in_loops)  # fmt: skip
        except ParseError as error:
            first = first or error
            if not isinstance(error, NoMatrixFormError) or error.place[0] in in_loops:
                raise first from None
            in_loops.update([error.place])


@read.register(Graph)
def _(source: Graph, declared: Declared) -> Source:
    declared_shapes(declared.shapes)
    return Source(_with_facts(source, declared.facts))


@read.register(Expr)
def _(source: Expr, declared: Declared) -> Source:
    declared_shapes(declared.shapes)
    return Source(_with_facts(Graph.of(source), declared.facts))


@read.register(CallableType)
def _(source: Any, declared: Declared) -> Source:
    if arrived(source, DOORS):  # symbols of SymPy can be called
        return read(source, declared)
    made = read_function(source, declared.shapes, declared.facts)
    return Source(made.graph, origin=made.origin)


def _with_facts(graph: Graph, facts: dict[str, list[str]]) -> Graph:
    """The graph with facts added to its variables."""
    if not facts:
        return graph
    table: dict[Expr, Expr] = {}
    for name, words in facts.items():
        if name not in graph.declared:
            raise MatcalcError(f"facts are given for {shorten(name)}, which is not a variable of the graph")
        v = graph.declared[name]
        table[v] = var(name, *v.shape, [*names_of(v.params[3]), *words])
    new = Graph.of(substitute(graph.output, table), (table.get(v, v) for v in graph.declared.values()))
    for definition in graph.definitions.values():
        new.collect(substitute(definition, table))
    return new
