"""The text door: `parse` reads the syntax of the command line, the page and the printed results into a `Graph`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from matcalc.core import named, number
from matcalc.dims import Shape, shape_text, symbols
from matcalc.errors import FactError, ParseError, shorten
from matcalc.expr import Expr
from matcalc.frontend import loop_statements
from matcalc.frontend.assumptions import Kinds, Reading, choose, notice
from matcalc.frontend.building import Builder
from matcalc.frontend.declaring import Declaring
from matcalc.frontend.foreign_calls import with_readings
from matcalc.frontend.indexed import IndexBuilder
from matcalc.frontend.inference import Inference
from matcalc.frontend.inferred_sums import kinds_by_indices
from matcalc.frontend.loops import LoopBuilder
from matcalc.frontend.names import (
    CONSTANTS,
    Names,
    check_free,
    declared_facts,
    declared_shapes,
    scope_dims,
    scope_functions,
    variable,
)
from matcalc.frontend.pasted.reading import read_any
from matcalc.frontend.pasted.tokens import Known
from matcalc.frontend.syntax import Node, derivative_of, is_indexed
from matcalc.frontend.zero_starts import with_shapes, zero_starts
from matcalc.graph import Graph
from matcalc.indices.lifting import Lifting
from matcalc.indices.program import Program, Recurrence
from matcalc.languages import Message
from matcalc.ops.user_functions import Function

IMPLICIT = ("solved", "minimized")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A text that was read.

    Attributes:
        graph: the variables, the named definitions and the output.
        inferred: one line for each undeclared name, such as `x: n x 1`.
        notice: one sentence on what undeclared names were taken for; None if there are none.
        dims: the names of the dimensions.
        definitions: the values that the text names, as it names them.
        program: the families and recurrences, and the loops over them; None where there are none.
        liftings: how sums over indices became matrices.
    """

    graph: Graph
    inferred: list[str]
    notice: Message | None
    dims: list[str]
    definitions: dict[str, Expr]
    program: Program | None = None
    liftings: list[Lifting] = field(default_factory=list)


def parse(
    text: str,
    *,
    shapes: Mapping[str, Any] | None = None,
    facts: Mapping[str, str | list[str]] | None = None,
    scope: Mapping[str, Expr] | None = None,
    functions: Iterable[str | Function] = (),
    beside: Iterable[Expr] = (),
    syntax: str | None = None,
    in_loops: Mapping[int, int] | None = None,
) -> Parsed:
    """The graph that a text in matcalc's syntax describes.

    Args:
        text: statements separated by `;` or new lines; the last expression or definition is the output.
        shapes: the variables as name -> (rows, columns); with it, a name that is not declared is an error. Without,
            undeclared names get a shape from the context, or by the first letter: a-g scalars, h-z columns, A-Z
            matrices.
        facts: what is known of the variables, as name -> word or words.
        scope: variables and named values that the text may use; its definitions may shadow them.
        functions: abstract entrywise functions that the text calls, by name, or functions of the user's.
        beside: nameless expressions of the scope, whose dimensions and functions the text may use too.
        syntax: `text` or `latex`; by default LaTeX is recognised by its commands, and what the text syntax refuses is
            read as Unicode mathematics or as NumPy, MATLAB and Julia write, where it has one meaning.

        in_loops: where sums without a matrix form begin and end in the text: they stay sums.

    Raises:
        MatcalcError: the text or a declaration is wrong; a `ParseError` where there is a place in the text.

    Example:
        >>> parse("r = X*w - y; r'*r").inferred
        ['X: n x m', 'w: m x 1', 'y: n x 1']
    """
    try:
        return _Reader(text, shapes, facts, scope, functions, tuple(beside), syntax, in_loops or {}).parsed()
    except RecursionError:  # inside SymPy, from a number such as ((n + 1)*n + 1)*n ... of hundreds of brackets
        raise ParseError("a number or a dimension in the text is nested too deeply") from None


def parse_in(text: str, scope: Mapping[str, Expr], beside: Iterable[Expr] = ()) -> Expr:
    """The value of a text that may use the names of a scope, and the sizes and functions in what stands beside it."""
    parsed = parse(text, scope=scope, beside=beside)
    if parsed.program is not None:
        raise ParseError("families and recurrences cannot stand in this text: only in one that is derived")
    return parsed.graph.output


class _Reader(Declaring):
    """Reads one text: declarations first, then shapes that must be inferred, then the expressions."""

    def __init__(
        self,
        text: str,
        shapes: Any,
        facts: Any,
        scope: Any,
        functions: Iterable[str | Function],
        beside: tuple[Expr, ...],
        syntax: str | None,
        in_loops: Mapping[int, int],
    ) -> None:
        self.known = (*(scope or {}).values(), *beside)
        functions = list(functions)
        super().__init__(declared_shapes(shapes), declared_facts(facts))
        self.liftings: list[Lifting] = []
        self.source, self.tree = read_any(text, self.beforehand(scope or {}, functions, shapes), syntax)
        self.names = Names(strict=shapes is not None or scope is not None, scope=dict(scope or {}))
        statements: list[Any] = self.tree.children
        self.declarations: list[Node] = [s for s in statements if s.data in ("declaration", "family")]
        self.statements: list[Node] = [s for s in statements if s.data not in ("declaration", "family")]
        self.in_loops = in_loops
        loops = in_loops or any(s.data in ("assignment", "family") for s in statements)
        self.program = Program() if loops else None
        defining = (s for s in self.statements if s.data not in ("expression", "assignment"))
        self.names.later = frozenset(str(s.children[0]) for s in defining)
        self.functions(functions)
        self.sums = [tree for tree in self.tree.iter_subtrees() if is_indexed(tree)]
        if (self.sums and not self.source.pasted) or self.program is not None:  # every size must be known there
            self.names.strict = True
        self.by_indices = kinds_by_indices(self.tree) if self.sums else {}
        with_readings(self.tree, self.is_taken)

    def beforehand(self, scope: Mapping[str, Expr], functions: Iterable[str | Function], shapes: Any) -> Known:
        """The names that stand for something before the text is read."""
        values = {name: value.shape for name, value in scope.items()}
        called = [f if isinstance(f, str) else f.name for f in functions]
        return Known.of({**values, **self.shapes}, called, strict=shapes is not None or bool(scope))

    def is_taken(self, name: str) -> bool:
        """Whether a name stands for something in the text."""
        declared = {str(d.children[0]) for d in self.declarations}
        names = self.names
        return (
            name in self.shapes
            or name in declared
            or name in names.later
            or name in names.functions
            or (name in names.scope or name in symbols(d for s in self.shapes.values() for d in s))
        )

    def functions(self, given: Iterable[str | Function]) -> None:
        """Take up the abstract functions: given, in the scope, or differentiated in the text."""
        known = scope_functions(self.known)
        for entry in given:
            function = entry if isinstance(entry, Function) else Function(check_free(entry, "function"))
            known[function.name] = function
        for tree in self.tree.iter_subtrees():
            if tree.data == "derivative":
                name, _ = derivative_of(tree, self.source)
                known.setdefault(name, Function(self.free(name, "function", tree)))
        self.names.functions = known

    def parsed(self) -> Parsed:
        """The result."""
        self.check_order()
        for name, shape in self.shapes.items():
            self.names.add_dims(symbols(shape), name)
        for declaration in self.declarations:
            if declaration.data == "family":
                self.declare_family(declaration)
            else:
                self.declare(declaration)
        for statement in self.statements:
            if statement.data in IMPLICIT:
                self.unknown(statement)
        self.names.add_dims(scope_dims(self.known), "the scope")
        if not self.names.strict or self.sums or self.program is not None:
            self.take_sizes()
        self.take_ranges()
        unknown = [name for name in self.facts if name not in self.shapes]
        if unknown and self.names.strict:
            raise FactError(f"facts are given for {shorten(str(unknown[0]))}, which is not declared")
        for name, shape in self.shapes.items():
            self.names.variables[name] = variable(name, shape, self.facts.get(name, ()))
        self.names.check_clashes()
        inferred, constants, notice = self.infer()
        for name in self.facts:
            if name not in self.names.variables and name not in inferred:
                raise FactError(f"facts are given for {shorten(str(name))}, which does not occur")
        for name, shape in inferred.items():
            self.names.add_dims(symbols(shape), name)
            self.names.variables[name] = variable(name, shape, self.facts.get(name, ()))
        try:
            output = self.built(constants)
        except ParseError as error:
            raise with_notice(error, notice) from None
        return Parsed(
            self.graph(output),
            _lines(inferred),
            notice,
            list(self.names.dims),
            dict(self.names.definitions),
            self.program,
            self.liftings,
        )

    def built(self, constants: dict[int, Shape]) -> Expr:
        """The output, and the loops of the program."""
        if self.program is not None:
            starts = zero_starts(self.source, self.statements) if self.source.pasted else {}
            if not starts:
                return self.looped(constants, {})
            sizes = [*self.shapes.values(), *(f.shape for f in self.program.families.values())]
            return with_shapes(self.source, starts, sizes, lambda zeros: self.looped(constants, zeros))
        builder = IndexBuilder(self.source, self.names, constants)
        output = self.run(builder, naming=True)
        self.liftings = builder.liftings
        return output

    def looped(self, constants: dict[int, Shape], zeros: dict[str, Shape]) -> Expr:
        """The output and the loops, where the starts of some recurrences are zeros of a shape."""
        assert self.program is not None
        self.program.restart()
        self.names.definitions.clear()
        builder = LoopBuilder(self.source, self.names, constants, self.program, zeros)
        builder.in_loops = self.in_loops
        output = self.run(builder, naming=True)
        builder.check_references()
        self.liftings = builder.liftings
        return output

    # -------------------------------------------------------------------------------------------- statements

    def check_order(self) -> None:
        """Raise ParseError unless exactly the last statement is the output, and names are defined once."""
        if not self.statements:
            raise ParseError("there are only declarations: an expression is missing")
        for statement in self.statements[:-1]:
            if statement.data == "expression":
                raise self.source.error(
                    "only definitions may come before the final expression: name this one (`r = ...;`) or remove it",
                    statement,
                )
        seen: set[str] = set()
        if self.statements[-1].data == "assignment":
            last = self.statements[-1]
            loop_statements.target(self.source, last)
            raise self.source.error("the last line must be the function: an expression or `J = ...`", last)
        for statement in self.statements:
            if statement.data == "assignment":
                name, place = loop_statements.target(self.source, statement)
                if name in self.names.later or name in self.shapes:
                    raise self.source.error(f"{name} is a variable or a definition, and cannot be a recurrence", place)
                assert self.program is not None
                self.program.recurrences.setdefault(name, Recurrence(self.free(name, "recurrence", place)))
            elif statement.data != "expression":
                head: Any = statement.children[0]
                if head.value in seen:
                    raise self.source.error(f"{shorten(head.value)} is defined twice", head)
                if head.value in self.shapes or (self.program and head.value in self.program.families):
                    message = f"{shorten(head.value)} is a declared variable and cannot be defined"
                    raise self.source.error(message, head)
                seen.add(self.free(head.value, "definition", head))

    def infer(self) -> tuple[dict[str, Shape], dict[int, Shape], Message | None]:
        """The shapes that the text leaves open, and what is said about them."""
        calls = (t for t in self.tree.iter_subtrees() if t.data in ("call", "shaped"))
        if self.program is not None:
            loop_statements.need_shapes(self.source, calls, (*CONSTANTS, "identity"))
            return {}, {}, None
        if self.names.strict and not any(t.children[0] in (*CONSTANTS, "identity") for t in calls):
            return {}, {}, None
        tried: list[Inference] = []
        kinds: Kinds = {}
        try:
            kinds = choose(lambda kinds: self.read(kinds, tried))
            chosen = next(inference for inference in tried if inference.kinds is kinds)
            shapes, constants = chosen.solution()
        except ParseError as error:
            guessed = next(inference for inference in tried if inference.kinds == kinds).guessed()
            raise with_notice(error, notice(self.assumed(guessed), kinds)) from None
        return shapes, constants, notice(self.assumed(shapes), {**kinds, **self.by_indices})

    def assumed(self, shapes: dict[str, Shape]) -> dict[str, Shape]:
        """The shapes of the names that nothing declares."""
        return {name: shape for name, shape in shapes.items() if name not in self.names.kinds}

    def read(self, kinds: Kinds, tried: list[Inference]) -> Reading:
        """The text with these kinds of undeclared names."""
        inference = Inference(self.source, self.names, self.facts, kinds)
        inference.by_indices = self.by_indices
        tried.append(inference)
        output: Expr | None = None
        failure: ParseError | None = None
        try:
            output = self.run(inference, naming=False)
        except ParseError as error:
            failure = error
        self.names.definitions.clear()
        return inference.reading(output, failure)

    def run(self, builder: Builder, *, naming: bool) -> Expr:
        """The value of the last statement; definitions are kept, as named nodes if `naming`."""
        value: Expr = number(0)
        for statement in self.statements:
            if statement.data == "assignment" and isinstance(builder, LoopBuilder):
                builder.assign(statement)
                continue
            value = self.solved(builder, statement) if statement.data in IMPLICIT else builder.build(_body(statement))
            if statement.data != "expression":
                head: Any = statement.children[0]
                if head.value in self.names.dims or head.value in self.names.variables:
                    what = "dimension" if head.value in self.names.dims else "variable"
                    raise self.source.error(f"{shorten(head.value)} is a {what} already and cannot be defined", head)
                if head.value in self.names.functions:
                    raise self.source.error(f"{shorten(head.value)} is a function already and cannot be defined", head)
                value = self.define(head.value, value) if naming else value
                self.names.definitions[head.value] = value
        return value

    def solved(self, builder: Builder, statement: Node) -> Expr:
        """What an equation, or a function that it minimises, gives an unknown for its value."""
        head: Any = statement.children[0]
        unknown = self.unknowns[head.value]
        self.names.definitions[head.value] = unknown
        try:
            if statement.data == "minimized":
                return builder.minimizer(unknown, _body(statement))
            left, right = statement.children[-2:]
            return builder.equation(unknown, left, right)  # type: ignore[arg-type]
        finally:
            del self.names.definitions[head.value]

    def define(self, name: str, value: Expr) -> Expr:
        """The value under its name; the bare value where the name means something else in the scope."""
        new = named(name, value, "local" if self.names.scope else "")
        return value if self.names.scope.get(name, new) is not new else new

    def graph(self, output: Expr) -> Graph:
        """The graph with what the text declares, defines and puts out."""
        graph = Graph()
        for v in self.names.variables.values():
            graph.declare(v)
        for value in self.names.definitions.values():
            graph.collect(value)
        graph.set_output(output)
        return graph


def _body(statement: Node) -> Node:
    """The last part of a statement."""
    return statement.children[-1]  # type: ignore[return-value]


def _lines(inferred: Mapping[str, Shape]) -> list[str]:
    return [f"{name}: {shape_text(shape)}" for name, shape in inferred.items()]


def with_notice(error: ParseError, said: Message | None) -> ParseError:
    """The error, with what the undeclared names were taken for."""
    if said is None:
        return error
    message = f"{error.message} ({said[0].lower()}{said[1:]})"
    return ParseError(message, error.source, error.line, error.column)


__all__ = ["Parsed", "parse"]
