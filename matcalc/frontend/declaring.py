"""What a text declares: shapes and facts of its variables, families, unknowns, and the names that are dimensions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lark import Token, Tree

from matcalc.dims import Shape, symbols
from matcalc.errors import MatcalcError, shorten
from matcalc.expr import Expr
from matcalc.frontend import loop_statements
from matcalc.frontend.building import Builder
from matcalc.frontend.declarations import form_of, open_sizes, shape_of
from matcalc.frontend.indexed import IndexBuilder
from matcalc.frontend.names import Names, check_free, operation, variable
from matcalc.frontend.syntax import Node, Source
from matcalc.indices.program import Family, Program


class Declaring:
    """Reads the declarations of one text, and finds the names that are dimensions.

    Attributes:
        shapes: those of the declared variables.
        facts: what is known of variables.
        unknowns: the variables whose values are given by equations.
        sums: the sums over indices in the text.
        statements: all that is not a declaration.
    """

    source: Source
    tree: Node
    names: Names
    program: Program | None
    statements: list[Node]
    sums: list[Node]

    def __init__(self, shapes: dict[str, Shape], facts: dict[str, list[str]]) -> None:
        self.shapes, self.facts = shapes, facts
        self.unknowns: dict[str, Expr] = {}

    def free(self, name: str, what: str, place: Node | Token) -> str:
        """The name, if it can be taken; else an error with the place."""
        try:
            return check_free(name, what)
        except MatcalcError as error:
            raise self.source.error(str(error), place) from None

    def declare(self, tree: Node) -> None:
        """`name: rows x columns facts`."""
        head = tree.children[0]
        assert isinstance(head, Token)
        name = self.free(str(head), "variable", head)
        if name in self.shapes or name in self.names.kinds or name in self.names.scope:
            raise self.source.error(f"{shorten(name)} is declared twice", head)
        if name in self.names.later:
            raise self.source.error(f"{shorten(name)} is both a variable and a definition", head)
        shape, facts, kind = self.declared(name, tree)
        if shape is not None:
            self.shapes[name] = shape
        elif self.names.strict:
            raise self.source.error(open_sizes(name, kind), tree)
        elif kind is not None:
            self.names.kinds[name] = kind
        if facts:
            self.facts[name] = facts

    def unknown(self, tree: Node) -> None:
        """`name: rows x columns facts`, then what gives its value."""
        head: Any = tree.children[0]
        if head.value in self.names.scope:
            raise self.source.error(f"{shorten(head.value)} is declared twice", head)
        shape, facts, kind = self.declared(head.value, tree)
        if shape is None:
            raise self.source.error(open_sizes(head.value, kind), tree)
        self.facts.pop(head.value, None)
        self.unknowns[head.value] = variable(head.value, shape, facts)

    def declared(self, name: str, tree: Node) -> tuple[Shape | None, list[str], str | None]:
        """The shape (None where a size is left open), the facts and the kind in `name: rows x columns facts`."""
        form = form_of(self.source, tree)
        shape = shape_of(self.source, name, form, map(self.declared_size, form.sizes), tree)
        given = list(dict.fromkeys([*self.facts.get(name, ()), *form.facts]))
        if shape is not None:
            try:
                variable(name, shape, given)
            except MatcalcError as error:
                raise self.source.error(str(error), form.place) from None
        return shape, given, form.kind

    def declare_family(self, tree: Any) -> None:
        """`name[k=1..K]: rows x columns facts`."""
        name, head, index, ends = loop_statements.family(self.source, tree)
        assert self.program is not None
        if name in self.program.families or name in self.program.recurrences or name in self.shapes:
            raise self.source.error(f"{shorten(name)} is declared twice, or computed too", head)
        self.declare(Tree("declaration", [Token.new_borrow_pos("NAME", name, head.children[0]), *tree.children[1:]]))
        shape, facts = self.shapes.pop(name), self.facts.pop(name, [])
        if index in symbols(shape):
            raise self.source.error(
                f"the shape of {name} depends on its index {index}: all members of a family have one shape", tree
            )
        for t in ends:
            self.take_dims(t)
        if index in self.names.dims:
            raise self.source.error(f"the index {index} is a dimension: an index has a name of its own", tree)
        names = Names(strict=True, dims=self.names.dims)
        run = loop_statements.run_of(IndexBuilder(self.source, names, {}), name, index, ends, head)
        self.program.families[name] = Family(name, run, shape, tuple(facts))

    def declared_size(self, tree: Node) -> Any:
        """A dimension in a declaration: its names are dimensions."""
        self.take_dims(tree)
        builder = Builder(self.source, Names(strict=True, dims=self.names.dims), {})
        return builder.dimension(tree, builder.build(tree), "a dimension")

    def take_dims(self, tree: Node) -> None:
        """Take up the names in an expression of a dimension."""
        for sub in tree.iter_subtrees():
            if sub.data == "name":
                self.names.dims.setdefault(self.free(str(sub.children[0]), "dimension", sub))

    def take_sizes(self) -> None:
        """Undeclared names where a call has a size, as in eye(n), are dimensions."""
        for tree in self.tree.iter_subtrees():
            entry = operation(str(tree.children[0])) if tree.data == "call" else None
            if entry is None or not any(param.kind == "dim" for param in entry.params):
                continue
            self.take_names(tree.children[-len(entry.params) :])

    def take_names(self, sizes: Iterable[Node | Token]) -> None:
        """Undeclared names in sizes are dimensions, unless they are indices."""
        indices = {str(t.children[0]) for t in self.tree.find_data("ranging")}
        for size in sizes:
            if isinstance(size, Token):
                continue
            for sub in size.iter_subtrees():
                name = str(sub.children[0]) if sub.data == "name" else "pi"
                taken = name in self.names.later or name in self.shapes or name in indices
                if not taken and self.names.find(name) is None:
                    self.names.dims.setdefault(self.free(name, "dimension", sub))

    def take_ranges(self) -> None:
        """The names in the range of an index that stand for nothing else are dimensions, or other indices."""
        loops = (s for s in self.statements if s.data == "assignment")
        for name, sub in loop_statements.names_in_ranges((*self.sums, *loops)):
            taken = name in self.shapes or name in self.names.later
            if not taken and self.names.find(name) is None:
                self.names.dims.setdefault(self.free(name, "dimension", sub))
