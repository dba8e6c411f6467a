"""Families and recurrences in the text: members such as `u[k]` and `h[t-1]`, and sums over them that stay sums."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

from lark import Token, Tree

from matcalc import core
from matcalc.dims import Dim, Shape, is_one, plus, same_shape, shape_text, surely_nonnegative
from matcalc.dims import text as dim_text
from matcalc.expr import Expr, number_value
from matcalc.frontend.chains import Operand
from matcalc.frontend.indexed import IndexBuilder
from matcalc.frontend.indexed_values import Indexed, multiplied
from matcalc.frontend.loop_reductions import taken_over
from matcalc.frontend.loop_statements import whole_run
from matcalc.frontend.names import Names
from matcalc.frontend.syntax import Node, Source, fold
from matcalc.indices.contraction import NoMatrixError, matrix_of
from matcalc.indices.program import Group, LoopSum, Member, Program, Recurrence, Run
from matcalc.indices.terms import Entry
from matcalc.ops.elementwise import exp, log
from matcalc.walk import variables


@dataclass(frozen=True)
class FamilyName:
    """The name of a family or a recurrence, which stands before brackets only."""

    name: str
    op = "family"


@dataclass(frozen=True)
class Reference:
    """A use of a member: where it stands, and how many quantities there were before."""

    member: Member
    run: Run | None
    tree: Any
    inside: Recurrence | None
    before: int


class LoopBuilder(IndexBuilder):
    """Builds expressions and the program of loops around them."""

    def __init__(self, source: Source, names: Names, constants: dict[int, Shape], program: Program) -> None:
        super().__init__(source, names, constants)
        self.program = program
        self.running: dict[str, tuple[Run, Expr]] = {}  # the indices of the loops around, and their numbers
        self.current: Recurrence | None = None
        self.references: list[Reference] = []

    # -------------------------------------------------------------------------------------------- members

    def name(self, tree: Node, values: list[Any]) -> Any:
        """A name; that of a family needs brackets, and an index that runs in a loop is a number."""
        name = values[0].value
        if name in self.program.families or name in self.program.recurrences:
            if not self.source.text.startswith("[", tree.meta.end_pos):
                raise self.source.error(f"{name} has one member for each index: write {name}[...]", tree)
            return FamilyName(name)
        if name in self.running:
            return self.running[name][1]
        return super().name(tree, values)

    def suffixed(self, suffix: Node, parts: list[Any], base: Operand) -> Any:
        """Transposes, powers, members and entries."""
        value: Any = base.value
        if isinstance(value, FamilyName):
            return self.member(suffix, parts, value.name)
        if suffix.data == "indexing" and isinstance(value, Expr):
            moving = [self.position(p[0]) if len(p) == 1 and isinstance(p[0], Expr) else None for p in parts]
            if any(moving):
                return self.moving_entry(suffix, parts, base, moving)
        return super().suffixed(suffix, parts, base)

    def member(self, tree: Node, parts: list[Any], name: str) -> Expr:
        """u[k], h[t-1], h[T]."""
        if len(parts) != 1 or tree.children[0].data != "entry":  # type: ignore[union-attr]
            raise self.source.error(f"{name} has one index: write {name}[k], then the entries of a member", tree)
        value = parts[0][0]
        if isinstance(value, Indexed):
            raise self.source.error(f"{name}{self.source.words(tree)}: its index does not run in a loop here", tree)
        found = self.position(value)
        if found is not None:
            run, at = found
            return self.referred(tree, name, run, at)
        return self.referred(tree, name, None, self.position_number(tree.children[0], value, name))

    def referred(self, tree: Node, name: str, run: Run | None, at: Dim) -> Expr:
        """The variable for a member, whose use is noted."""
        index = "" if run is None else run.name
        place = Reference(Member(name, None, index, at), run, tree, self.current, len(self.program.quantities))
        self.references.append(place)
        if name in self.program.recurrences and self.program.recurrences[name].shape is None:
            raise self.source.error(
                f"{name}[...] is used before its start or its line: {name}[0] = ... must come first", tree
            )
        return self.program.of_family(name, index, at)

    def position_number(self, tree: Any, value: Expr, name: str) -> Dim:
        """A fixed position: a whole number or a dimension."""
        exact = number_value(value) if value.op == "number" else None
        if exact is None or not exact.is_integer:
            words = self.source.words(tree)
            raise self.source.error(f"an index of {name} must be an integer: k, k - 1 or a number, got {words}", tree)
        return int(exact) if exact.is_Integer else exact

    def position(self, value: Any) -> tuple[Run, Dim] | None:
        """The running index and the offset of k + 1, if the value is that."""
        terms = value.args if value.op == "add" else (value,)
        found, offset = None, []
        for t in terms:
            run = next((r for r, number in self.running.values() if number is t), None)
            if run is not None and found is None:
                found = run
            elif t.op == "number" and number_value(t).is_integer:
                offset.append(int(number_value(t)) if number_value(t).is_Integer else number_value(t))
            else:
                return None
        return None if found is None else (found, plus(0, *offset))

    def moving_entry(self, tree: Node, parts: list[Any], base: Operand, moving: list[Any]) -> Any:
        """X[k, :], V[:, k], c[k], A[k, i] with an index that runs in a loop."""
        X = base.value
        if X.op != "variable":
            raise self.source.error(
                f"{base.words} is computed: rows and entries that run in a loop are those of variables, so write them "
                "out, as in X[t, :]*w",
                tree,
            )
        sides: list[Dim | None] = []
        if len(moving) == 1:
            if not any(is_one(d) for d in X.shape):
                raise self.source.error(f"{base.words} is a matrix: it needs two indices", tree)
            moving = [moving[0], None] if is_one(X.shape[1]) else [None, moving[0]]
            rest: list[Any] = []
        else:
            rest = [None if m else (t, p) for m, t, p in zip(moving, tree.children, parts)]
        if all(moving) and moving[0][0] is not moving[1][0]:
            raise self.source.error("both indices of an entry cannot run in different loops", tree)
        run = next(m[0] for m in moving if m)
        for found, size in zip(moving, X.shape):
            if found:
                self.need_room(base.words, found, size, tree)
            sides.append(found[1] if found else None)
        made = self.program.slice_member(X, run.name, sides[0], sides[1])
        if not any(r is not None and r[0].data != "whole" for r in rest):
            return made
        trees = [t if side is None else Tree("whole", []) for t, side in zip(tree.children, sides)]
        kept = [p if side is None else [] for p, side in zip(parts, sides)]
        inner: Any = Tree("indexing", trees, tree.meta)
        return super().suffixed(inner, kept, Operand("", made, base.words))

    def need_room(self, words: str, found: tuple[Run, Dim], size: Dim, tree: Any) -> None:
        """Raise ParseError unless a running index stays within 1..size."""
        run, at = found
        first, last = plus(run.first, at), plus(run.last, at)
        if surely_nonnegative(plus(first, -1)) and (surely_nonnegative(plus(size, -last)) or isinstance(last, int)):
            return
        raise self.source.error(
            f"{words} is used from {dim_text(first)} to {dim_text(last)}, outside of its range 1..{dim_text(size)}",
            tree,
        )

    # -------------------------------------------------------------------------------------------- sums that stay

    def nested(self, tree: Node, name: str, ranges: list[Any], heads: list[Any], body: Node) -> Any:
        """A sum; an index of members runs in a loop, outside of the others."""
        looping = [t for t in ranges if self.is_looping(str(t.children[0]), body)]
        if not looping:
            return super().nested(tree, name, ranges, heads, body)
        if any(part.data == "comparison" for part in heads):
            raise self.source.error("a condition on the index of a family is not read: choose the range by it", tree)
        first = looping[0]
        rest = [t for t in ranges if t is not first]
        if name != "sum" and rest:
            raise self.source.error(f"write one {name} inside of the other", tree)
        index = self.bound(first)
        if index.name in self.running:
            raise self.source.error(f"the index {index.name} is used already: take another name", first)
        self.need_used(index.name, first, [body])
        run = whole_run(self.source, index.name, index.first, index.last, first)
        with_number = {**self.running, run.name: (run, self.number_of(run))}
        before, self.running = self.running, with_number
        value = self.nested(tree, name, rest, [*rest, body], body) if rest else fold(body, self.visit, self.source)
        self.running = before
        kept = self.kept(tree, run, value, name)
        if name == "mean":
            weight = core.number(1 / core.exact_dim(index.size))
            if isinstance(kept, Indexed):
                return multiplied([Operand("", weight, ""), Operand("*", kept, "")])  # type: ignore[arg-type]
            return core.scale(weight, kept)
        return kept

    def number_of(self, run: Run) -> Expr:
        """The number that a running index stands for."""
        return self.program.member(run.name, (1, 1), Member("", None, run.name), ["constant"])

    def kept(self, tree: Node, run: Run, value: Any, name: str) -> Any:
        """The sum of a body over a running index, or its product or maximum, as a value with a name of its own."""
        labels: list[Any] = []
        body = value
        if isinstance(value, Indexed):
            labels = sorted(value.term.free, key=lambda i: (not i.name, i.name))
            if len(labels) > 2:
                raise self.source.error("the sum depends on too many indices: name parts of it", tree)
            labels = [*labels, None, None][:2]
            try:
                body = matrix_of(value.term, *labels)
            except NoMatrixError as error:
                raise self.refusal(tree)(str(error)) from None
        self.need_alone(tree, run, body)
        if name in ("sum", "mean"):
            made = self.summed(run, body)
        elif name == "logsumexp":
            made = log(self.summed(run, exp(body)))
        elif isinstance(run.first, int):
            made = taken_over(self.program, self.fresh_name(name[0]), name, run, body)
        else:
            raise self.source.error(f"{name} over a family begins at a whole number, as in k=1..K", tree)
        if not isinstance(value, Indexed):
            return made
        return Indexed(Entry(made, labels[0], labels[1]), value.row, value.column)

    def summed(self, run: Run, body: Expr) -> Expr:
        """The value of a sum over a running index."""
        made = core.var(self.fresh_name("s"), *body.shape)
        self.program.quantities.append(LoopSum(made, run, body))
        return made

    def fresh_name(self, letter: str) -> str:
        """A name for a sum, a product or a maximum that nothing in the program has: a letter and a number."""
        sums = [q.value.name for q in self.program.quantities if isinstance(q, LoopSum)]
        taken = {*self.names.later, *self.program.families, *self.program.recurrences, *sums}
        return next(name for k in count(1) if (name := f"{letter}{k}") not in taken and self.names.find(name) is None)

    def need_alone(self, tree: Node, run: Run, body: Expr) -> None:
        """Raise ParseError for a sum inside of another loop that depends on the index of that."""
        for v in variables((body,)):
            what = self.program.members.get(v)
            if what is not None and what.index and what.index != run.name:
                raise self.source.error(
                    f"a sum over {run.name} inside of one over {what.index}, both over members, stays no sum that is "
                    "known: stack one of the two families in a matrix",
                    tree,
                )

    def is_looping(self, index: str, body: Node) -> bool:
        """Whether a member of a family or a recurrence has this index."""
        known = {*self.program.families, *self.program.recurrences}
        for postfix in body.find_data("postfix"):
            head: Any = postfix.children[0]
            if isinstance(head, Token) or head.data != "name" or str(head.children[0]) not in known:
                continue
            if any(str(n.children[0]) == index for n in postfix.children[1].find_data("name")):  # type: ignore[union-attr]
                return True
        return False

    # -------------------------------------------------------------------------------------------- statements

    def assign(self, tree: Any) -> None:
        """`h[0] = value`, or `h[t] = value for t = 1..T`."""
        target, value, *loop = tree.children
        name = str(target.children[0].children[0])
        place = target.children[1].children[0].children[0]
        if loop:
            self.recurrence(tree, name, place, value, loop)
            return
        found = self.program.recurrences[name]
        position = fold(place, self.visit, self.source)
        exact = number_value(position) if isinstance(position, Expr) and position.op == "number" else None
        if exact is None or not exact.is_Integer:
            words = self.source.words(place)
            raise self.source.error(
                f"a start has a number as its index, as in {name}[0], got {words}; a recurrence ends in `for t = 1..T`",
                place,
            )
        start = self.plain(fold(value, self.visit, self.source), value)
        self.need_same(name, found, start, value)
        if int(exact) in found.starts:
            raise self.source.error(f"{name}[{exact}] is given twice", target)
        found.starts[int(exact)] = start

    def plain(self, value: Any, tree: Any) -> Expr:
        """A value that depends on no index."""
        if not isinstance(value, Expr):
            raise self.source.error("the value depends on an index that is not summed over", tree)
        return value

    def need_same(self, name: str, found: Recurrence, value: Expr, tree: Any) -> None:
        """All values of a recurrence have one shape."""
        if found.shape is None:
            found.shape = value.shape
        elif not same_shape(found.shape, value.shape):
            shapes = f"{shape_text(found.shape)} and {shape_text(value.shape)}"
            raise self.source.error(f"{name} has two shapes: {shapes}", tree)

    def recurrence(self, tree: Any, name: str, place: Any, value: Any, loop: list[Any]) -> None:
        """h[t] = f(h[t-1]) for t = 1..T."""
        word, ranging = loop
        if word.value != "for":
            raise self.source.error("a recurrence is `h[t] = ... for t = 1..T`", word)
        index = self.bound(ranging)
        if place.data != "name" or str(place.children[0]) != index.name:
            raise self.source.error(f"a recurrence defines {name}[{index.name}], with its own index alone", place)
        found = self.program.recurrences[name]
        if found.body is not None:
            raise self.source.error(f"{name}[{index.name}] is defined twice", tree)
        if not isinstance(index.first, int):
            raise self.source.error("a recurrence begins at a whole number, as in t = 1..T", ranging)
        run = whole_run(self.source, index.name, index.first, index.last, ranging)
        for position in found.starts:
            if not surely_nonnegative(plus(run.first, -1, -position)):
                raise self.source.error(f"the start {name}[{position}] lies in the range {run.text}", tree)
        self.running, self.current = {run.name: (run, self.number_of(run))}, found
        body = self.plain(fold(value, self.visit, self.source), value)
        self.running, self.current = {}, None
        self.need_same(name, found, body, value)
        found.run, found.body = run, body
        last = self.program.quantities[-1] if self.program.quantities else None
        if isinstance(last, Group) and last.run == run:
            self.program.quantities[-1] = Group(run, (*last.parts, found))
        else:
            self.program.quantities.append(Group(run, (found,)))

    # -------------------------------------------------------------------------------------------- the whole

    def check_references(self) -> None:
        """Raise ParseError for members that have no value, or none yet."""
        for r in self.references:
            shown = f"{r.member.of}{self.source.words(r.tree)}"
            first, last = ends_of(r)
            if r.member.of in self.program.families:
                self.check_family(r, first, last, shown)
            else:
                self.check_recurrence(r, first, last, shown)

    def check_family(self, r: Reference, first: Dim, last: Dim, shown: str) -> None:
        """A family has members in its range only."""
        family = self.program.families[r.member.of]
        low, high = family.run.first, family.run.last
        if not (surely_nonnegative(plus(first, -low)) and surely_nonnegative(plus(high, -last))):
            used = dim_text(first) if first == last else f"{dim_text(first)}..{dim_text(last)}"
            raise self.source.error(
                f"{shown} needs the members {used} of {family.name}, whose range is {family.run.text}", r.tree
            )

    def check_recurrence(self, r: Reference, first: Dim, last: Dim, shown: str) -> None:
        """A value of a recurrence is used after it is computed."""
        found = self.program.recurrences[r.member.of]
        if found.run is None or not isinstance(found.run.first, int):
            raise self.source.error(f"{found.name} has no line `{found.name}[t] = ... for t = 1..T`", r.tree)
        order = self.program.quantities
        at = next(k for k, q in enumerate(order) if isinstance(q, Group) and found in q.parts)
        group = order[at]
        assert isinstance(group, Group)
        if r.inside is not None and r.inside in group.parts:
            self.check_inside(r, found, group, shown)
            last = plus(last, -1) if r.member.at == 0 else last
        elif at >= r.before:
            raise self.source.error(f"{shown} is used before it is computed: its line must come before", r.tree)
        for position in range(first, found.run.first) if isinstance(first, int) else ():
            if position not in found.starts:
                raise self.source.error(
                    f"{found.name}[{position}] is missing: a recurrence needs a start, {found.name}[{position}] = ...",
                    r.tree,
                )
        if not surely_nonnegative(plus(first, -found.lowest)) or not surely_nonnegative(plus(found.run.last, -last)):
            ends = f"from {dim_text(found.lowest)} to {dim_text(found.run.last)}"
            raise self.source.error(f"{shown} is outside: {found.name} has values {ends}", r.tree)

    def check_inside(self, r: Reference, found: Recurrence, group: Group, shown: str) -> None:
        """Inside of the lines that are computed together only earlier values are there."""
        at = r.member.at
        assert r.inside is not None
        if r.run is None:
            raise self.source.error(
                f"{shown}: inside of its own loop only {found.name}[t - 1] and the like are known", r.tree
            )
        if not isinstance(at, int) or at > 0:
            raise self.source.error(f"{shown} is later than {r.run.name}: a recurrence uses earlier values", r.tree)
        if at == 0 and group.parts.index(found) >= group.parts.index(r.inside):
            raise self.source.error(f"{shown} is used before it is computed: its line must come before", r.tree)


def ends_of(r: Reference) -> tuple[Dim, Dim]:
    """The first and the last position that a reference uses."""
    if r.run is None:
        return r.member.at, r.member.at
    return plus(r.run.first, r.member.at), plus(r.run.last, r.member.at)
