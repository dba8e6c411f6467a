"""Sums over members in the text, which stay sums: over one index, or over several of which each runs in a loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from lark import Token, Tree

from matcalc import core
from matcalc.dims import Shape, plus, times
from matcalc.expr import Expr
from matcalc.frontend.chains import Operand
from matcalc.frontend.indexed_values import Indexed, multiplied
from matcalc.frontend.loop_members import MemberBuilder
from matcalc.frontend.loop_reductions import taken_over
from matcalc.frontend.loop_statements import whole_run
from matcalc.frontend.names import Names
from matcalc.frontend.syntax import Node, Source, fold
from matcalc.indices.contraction import NoMatrixError, matrix_of
from matcalc.indices.program import RELATIONS, Group, Guard, LoopSum, Member, Program, Recurrence, Run
from matcalc.indices.terms import Entry
from matcalc.ops.elementwise import exp, log

LETTERS = "qrvu"  # of the names of sums, products and maxima whose own letter is taken


@dataclass(frozen=True)
class Pending:
    """A sum inside of loops on whose indices, `around`, it depends."""

    name: str
    runs: tuple[Run, ...]
    guards: tuple[Guard, ...]
    body: Expr
    around: tuple[str, ...]


def named_in(tree: Tree[Any]) -> Iterator[Any]:
    """The names in a tree."""
    return tree.find_data("name")


class SumBuilder(MemberBuilder):
    """Builds expressions in which sums over members stand."""

    def __init__(self, source: Source, names: Names, constants: dict[int, Shape], program: Program) -> None:
        super().__init__(source, names, constants, program)
        self.in_loops: Mapping[int, int] = {}  # where sums without a matrix form begin and end, which run in loops
        self.pending: dict[Expr, Pending] = {}  # sums that depend on the loops around them, by their values

    def nested(self, tree: Node, name: str, ranges: list[Any], heads: list[Any], body: Node) -> Any:
        """A sum; an index of members runs in a loop, outside of the others."""
        conditions = [part for part in heads if part.data == "comparison"]
        looping = ranges if self.stays(tree) else self.looping(ranges, conditions, body)
        if not looping:
            return super().nested(tree, name, ranges, heads, body)
        if conditions and name != "sum":
            raise self.source.error(f"a condition can only stand in a sum, not in {name}", tree)
        if name == "mean" and len(ranges) > 1:
            return self.mean_of_several(tree, ranges, body)
        first = looping[0]
        rest = [t for t in ranges if t is not first]
        self.close(first, [*conditions, body])
        run, guards = self.looped(first)
        if guards and name not in ("sum", "logsumexp"):
            said = f"the range of an index of {name} cannot end at another index"
            raise self.source.error(f"{said}; of a mean, divide the sum by the number of its terms", first)
        if run.name in self.running:
            raise self.source.error(f"the index {run.name} is used already: take another name", first)
        self.need_used(run.name, first, [*conditions, body])
        before, self.running = self.running, {**self.running, run.name: (run, self.number_of(run))}
        if rest:
            value = self.nested(tree, name, rest, [*rest, *conditions, body], body)
        else:
            guards += [self.guard(part) for part in conditions]
            value = fold(body, self.visit, self.source)
        self.running = before
        kept = self.kept(tree, run, value, name, tuple(guards))
        if name == "mean":
            weight = core.number(1 / core.exact_dim(run.count))
            if isinstance(kept, Indexed):
                return multiplied([Operand("", weight, ""), Operand("*", kept, "")])  # type: ignore[arg-type]
            return core.scale(weight, kept)
        return kept

    def mean_of_several(self, tree: Node, ranges: list[Any], body: Node) -> Any:
        """A mean over several indices: their sum, divided by the number of terms."""
        names = {str(t.children[0]) for t in ranges}
        counts = []
        for t in ranges:
            ends = [end for end in (t.children[1], t.children[3]) if isinstance(end, Tree)]
            if any(str(n.children[0]) in names for end in ends for n in named_in(end)):
                raise self.source.error("the range of an index of mean cannot end at another index", t)
            self.close(t, [body])
            run, guards = self.looped(t)
            if guards:
                raise self.source.error("the range of an index of mean cannot end at another index", t)
            counts.append(run.count)
        total = self.nested(tree, "sum", ranges, [*ranges, body], body)
        weight = core.number(1 / core.exact_dim(times(*counts)))
        if isinstance(total, Indexed):
            return multiplied([Operand("", weight, ""), Operand("*", total, "")])  # type: ignore[arg-type]
        return core.scale(weight, total)

    def stays(self, tree: Any) -> bool:
        """Whether a sum, or one around it, has no matrix form."""
        begin = tree.meta.start_pos
        return any(first <= begin < last for first, last in self.in_loops.items())

    def looping(self, ranges: list[Any], conditions: list[Any], body: Node) -> list[Any]:
        """The ranges whose index runs in a loop: those of members, and those that a condition ties to such an index."""
        found = [t for t in ranges if self.is_looping(str(t.children[0]), body)]
        known = {*self.running, *(str(t.children[0]) for t in found)}
        ends = [end for t in ranges for end in (t.children[1], t.children[3])]
        tied = {str(n.children[0]) for part in (*conditions, *ends) if isinstance(part, Tree) for n in named_in(part)}
        return ranges if known & tied else found

    def looped(self, tree: Any) -> tuple[Run, list[Guard]]:
        """The range of an index that runs in a loop; an end may be another such index: j=i+1..n is j=2..n, j > i."""
        head, low, _, high = tree.children
        ends = [fold(t, self.visit, self.source) for t in (low, high)]
        places = [self.position(e) if isinstance(e, Expr) else None for e in ends]
        if places == [None, None]:
            index = self.bound(tree)
            return whole_run(self.source, index.name, index.first, index.last, tree), []
        if None not in places:
            raise self.source.error("only one end of a range may be an index: write the other as a condition", tree)
        outer, offset = next(p for p in places if p is not None)
        first = plus(outer.first, offset) if places[0] else self.end(low, str(head))
        last = plus(outer.last, offset) if places[1] else self.end(high, str(head))
        index = self.bound_between(tree, first, last)
        guard = Guard(index.name, ">=" if places[0] else "<=", outer.name, offset)
        return whole_run(self.source, index.name, index.first, index.last, tree), [guard]

    def guard(self, tree: Any) -> Guard:
        """A condition between two indices that run in loops."""
        left, relation, right = (t if isinstance(t, Token) else fold(t, self.visit, self.source) for t in tree.children)
        a, b = (self.position(v) if isinstance(v, Expr) else None for v in (left, right))
        if a is None or b is None or a[0] is b[0] or relation.value not in RELATIONS:
            said = "over members of families a condition compares two different indices, as in i<j or i!=j"
            raise self.source.error(f"{said}; (y[i] > y[j]) is a factor, 1 where it holds", tree)
        return Guard(a[0].name, relation.value, b[0].name, plus(b[1], -a[1]))

    def number_of(self, run: Run) -> Expr:
        """The number that a running index stands for."""
        return self.program.member(run.name, (1, 1), Member("", None, run.name), ["constant"])

    def kept(self, tree: Node, run: Run, value: Any, name: str, guards: tuple[Guard, ...] = ()) -> Any:
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
        if name in ("sum", "mean"):
            made = self.summed(tree, run, body, guards)
        elif name == "logsumexp":
            made = log(self.summed(tree, run, exp(body), guards))
        elif isinstance(run.first, int):
            self.need_alone(tree, run, body, name)
            self.settle(tree, run)
            made = taken_over(self.program, self.fresh_name(name[0]), name, run, body)
        else:
            raise self.source.error(f"{name} over a family begins at a whole number, as in k=1..K", tree)
        if not isinstance(value, Indexed):
            return made
        return Indexed(Entry(made, labels[0], labels[1]), value.row, value.column)

    def summed(self, tree: Node, run: Run, body: Expr, guards: tuple[Guard, ...]) -> Expr:
        """The value of a sum over a running index; what is a sum itself is taken together with it."""
        runs: tuple[Run, ...] = (run,)
        inside = self.pending.pop(body, None)
        if inside is not None:
            self.program.recurrences.pop(inside.name, None)
            runs, guards, body = (run, *inside.runs), (*guards, *inside.guards), inside.body
        self.settle(tree, run)
        own = {r.name for r in runs}
        used = {i for _, what in self.program.used(body) for i in what.indices} | {
            i for guard in guards for i in (guard.left, guard.right)
        }
        around = [self.running[name][0] for name in self.running if name in used - own]
        name = self.fresh_name("s")
        if not around:
            made = core.var(name, *body.shape)
            self.program.quantities.append(LoopSum(made, run, body, inner=runs[1:], guards=guards))
            return made
        if len(around) == 1:
            found = Recurrence(name, body.shape, {}, around[0], body, runs, guards)
            self.program.recurrences[name] = found
            made = self.program.of_family(name, around[0].name, 0)
        else:
            made = core.var(name, *body.shape)
        self.pending[made] = Pending(name, runs, guards, body, tuple(r.name for r in around))
        return made

    def settle(self, tree: Node, run: Run) -> None:
        """The sums inside of a loop as values of their own, before the loop ends.

        Raises:
            ParseError: one depends on a further loop.
        """
        for found in self.ended(tree, run):
            self.program.quantities.append(Group(run, (found,)))

    def ended(self, tree: Any, run: Run) -> list[Recurrence]:
        """The sums that depend on an index whose loop ends here."""
        made = []
        for value, inside in list(self.pending.items()):
            if run.name not in inside.around:
                continue
            if len(inside.around) > 1:
                raise self.source.error(
                    f"a sum over {inside.runs[0].name} that depends on {' and '.join(inside.around)} must be all that "
                    f"is summed over {run.name}: name parts of it that depend on fewer indices",
                    tree,
                )
            del self.pending[value]
            made.append(self.program.recurrences[inside.name])
        return made

    def fresh_name(self, letter: str) -> str:
        """A name for a sum, a product or a maximum that nothing in the program has: a letter and a number.

        The letter is no name itself: of a recurrence `s`, `s1` would be written as the first member, on a page.
        """
        sums = [q.value.name for q in self.program.quantities if isinstance(q, LoopSum)]
        waiting = (inside.name for inside in self.pending.values())
        taken = {*self.names.later, *self.program.families, *self.program.recurrences, *sums, *waiting}
        free = (a for a in (letter, *LETTERS) if a not in taken and self.names.find(a) is None)
        letter = next(free, letter)
        return next(name for k in count(1) if (name := f"{letter}{k}") not in taken and self.names.find(name) is None)

    def need_alone(self, tree: Node, run: Run, body: Expr, name: str) -> None:
        """Raise ParseError for a product or a maximum inside of another loop that depends on the index of that."""
        for _, what in self.program.used(body):
            for index in what.indices:
                if index != run.name and index in self.running:
                    raise self.source.error(
                        f"{name} over {run.name} inside of a loop over {index}, of members of both, is not available: "
                        f"stack one of the two families in a matrix, or write a sum or logsumexp",
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
