"""The adjoints of a program with loops, as people write backpropagation through time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from matcalc import core
from matcalc.dims import Dim, plus, same, times
from matcalc.errors import NoRuleError
from matcalc.expr import Expr
from matcalc.indices.program import Group, Guard, LoopSum, Member, Recurrence, Run
from matcalc.loops.lines import Line, Range, Term
from matcalc.loops.pieces import Piece, Pieces
from matcalc.walk import substitute

Place: TypeAlias = tuple[Run | None, Dim]  # of a member: its index, if one runs, and the offset or position


@dataclass(frozen=True)
class Part:
    """One contribution to an adjoint: `value`, for all values of an index where it has one.

    Attributes:
        run: the index of what it belongs to; of what has none the first of the loops around.
        others: further indices, over which it is summed.
        guards: conditions between them all.
        across: the second index of what it belongs to, an entry with two.
    """

    what: Member | None
    value: Expr
    run: Run | None
    piece: Piece
    others: tuple[Run, ...] = ()
    guards: tuple[Guard, ...] = ()
    across: Run | None = None

    @property
    def term(self) -> Term:
        """As it stands for one value of its own indices."""
        return summed(self.value, self.others, self.guards)


@dataclass(frozen=True)
class Moved:
    """A contribution to a recurrence for the values `first..last` of its index; `own`: of its own loop, at a lag."""

    value: Expr
    first: Dim
    last: Dim
    own: bool
    lag: int
    owner: str
    others: tuple[Run, ...] = ()
    guards: tuple[Guard, ...] = ()

    @property
    def term(self) -> Term:
        """As it stands for one value of the index."""
        return summed(self.value, self.others, self.guards)


@dataclass(frozen=True)
class Nest:
    """The loops around a piece: their indices, and the conditions on them."""

    runs: tuple[Run, ...] = ()
    guards: tuple[Guard, ...] = ()


def summed(value: Expr, runs: tuple[Run, ...], guards: tuple[Guard, ...]) -> Term:
    """The sum over some indices, or the value where there are none."""
    return Term(value, runs[0], runs[1:], guards) if runs else Term(value)


class Adjoints:
    """All contributions, by the name of what they belong to, and the lines that say so."""

    def __init__(self, pieces: Pieces) -> None:
        self.pieces, self.program = pieces, pieces.program
        self.parts: dict[str, list[Part]] = {}
        self.take(pieces.out, Nest())
        for q in reversed(self.program.quantities):
            if isinstance(q, LoopSum):
                if pieces.is_active(q.value.name):
                    self.take(pieces.sums[q], Nest(q.runs, q.guards))
                continue
            active = [r for r in q.parts if pieces.is_active(r.name)]
            for r in reversed(active):
                self.take(pieces.steps[r], Nest((q.run, *r.inner), r.guards))
            for r in active:
                for position in r.starts:
                    self.take(pieces.starts[r, position], Nest())
        known = self.constants()
        for name, parts in self.parts.items():
            self.parts[name] = [self.with_constants(p, known) for p in parts]
        self.known = {v.name.removeprefix(pieces.prefix) for v in known}

    def with_constants(self, part: Part, known: dict[Expr, Expr]) -> Part:
        """A contribution with numbers for the adjoints that are known."""
        if part.piece.adjoint not in known:
            return part
        return replace(part, value=part.piece.backward.rewriter.simplify(substitute(part.value, known)))

    def constants(self) -> dict[Expr, Expr]:
        """The adjoints of sums that are numbers, which are written where they stand."""
        table = {}
        for q, piece in self.pieces.sums.items():
            parts = self.parts.get(q.value.name, ())
            if piece.adjoint is not None and len(parts) == 1 and parts[0].run is None and parts[0].value.op == "number":
                table[piece.adjoint] = parts[0].value
        return table

    def take(self, piece: Piece, nest: Nest) -> None:
        """What a piece passes back; where the value of a recurrence itself occurs, it has its name."""
        own = self.own_value(piece, nest.runs[0]) if nest.runs else {}
        for v, value in piece.gradients.items():
            value = substitute(value, own) if own else value
            what = self.program.members.get(v)
            name = v.name if what is None else what.base.name if what.base is not None else what.of
            if value.op != "zeros" and not (value.op == "number" and value.number == 0):
                self.parts.setdefault(name, []).append(self.part(what, value, piece, nest))

    def part(self, what: Member | None, value: Expr, piece: Piece, nest: Nest) -> Part:
        """A contribution, its own index apart from those that are summed over."""
        if not nest.runs:
            return Part(what, value, None, piece)
        names = () if what is None else what.indices
        own = [r for name in names for r in nest.runs if r.name == name]
        others = tuple(r for r in nest.runs if r not in own)
        if not own:
            return Part(what, value, others[0], piece, others[1:], nest.guards)
        return Part(what, value, own[0], piece, others, nest.guards, own[1] if len(own) > 1 else None)

    def own_value(self, piece: Piece, run: Run) -> dict[Expr, Expr]:
        """The value that a step computes, and its name."""
        owner = next((r for r, step in self.pieces.steps.items() if step is piece), None)
        if owner is None or not piece.body.args or owner.inner:
            return {}
        return {piece.body: self.program.of_family(owner.name, run.name, 0)}

    # -------------------------------------------------------------------------------------------- lines

    def needed(self, name: str) -> list[str]:
        """The adjoints that the gradient by a name refers to, in the order in which they are computed."""
        order: list[str] = []
        for q in reversed(self.program.quantities):
            order += [q.value.name] if isinstance(q, LoopSum) else [r.name for r in reversed(q.parts)]
        found: set[str] = set()
        todo = [name]
        while todo:
            for part in self.parts.get(todo.pop(), ()):
                owner = self.owner(part.piece)
                if owner and owner not in found:
                    found.add(owner)
                    todo.append(owner)
        return [n for n in order if n in found]

    def owner(self, piece: Piece) -> str:
        """The name of the value whose adjoint a piece passes back; empty for the output."""
        if piece.adjoint is None:
            return ""
        what = self.program.members.get(piece.adjoint)
        return (piece.adjoint.name if what is None else what.of).removeprefix(self.pieces.prefix)

    def lines(self, name: str) -> list[Line]:
        """The gradient by a variable or a family: its adjoint recurrences, then the result."""
        return [*self.before(name), *self.result(name)]

    def before(self, name: str) -> list[Line]:
        """The adjoints that the gradient by a name refers to."""
        lines: list[Line] = []
        for inner in self.needed(name):
            if inner in self.program.recurrences:
                lines += list(self.recurrence(self.program.recurrences[inner]))
            elif inner not in self.known:
                value = next(
                    q.value for q in self.program.quantities if isinstance(q, LoopSum) and q.value.name == inner
                )
                lines.append(Line(self.pieces.adjoint_of(value), self.plain(inner)))
        return lines

    def result(self, name: str) -> list[Line]:
        """The gradient itself."""
        if name in self.program.families:
            return _added(self.members_of(name))
        if any(p.what is not None for p in self.parts.get(name, ())):
            return _added(self.entries_of(name))
        return [Line(None, self.plain(name))]

    def plain(self, name: str) -> tuple[Term, ...]:
        """The adjoint of one matrix: values and sums over an index."""
        whole = [p for p in self.parts.get(name, ()) if p.what is None]
        terms = []
        for key in dict.fromkeys((p.run, p.others, p.guards) for p in whole):
            run, others, guards = key
            values = [p.value for p in whole if (p.run, p.others, p.guards) == key]
            terms.append(Term(self.joined(values), run, others, guards))
        return tuple(terms)

    def joined(self, values: list[Expr]) -> Expr:
        """The sum of contributions."""
        return values[0] if len(values) == 1 else self.pieces.out.backward.rewriter.simplify(core.add(*values))

    def recurrence(self, r: Recurrence) -> Iterator[Line]:
        """The adjoint recurrence of a recurrence, with its boundary values."""
        assert r.run is not None
        run = r.run
        moved = [self.moved(r, p) for p in self.parts.get(r.name, ()) if p.run is not None]
        ends = [p for p in self.parts.get(r.name, ()) if p.run is None and p.what is not None]
        full = [m for m in moved if m.own or (same(m.last, run.last) and m.first in (run.first, r.lowest))]
        rest = [m for m in moved if m not in full]
        deepest: dict[str, int] = {}
        for m in full:
            if m.own and m.lag:
                deepest[m.owner] = max(m.lag, deepest.get(m.owner, 0))
        value = self.terms_of(full)
        head = self.pieces.adjoint_at(r, run.name, 0)
        final = [p for p in ends if p.what is not None and same(p.what.at, run.last)]
        if final and all(m.own and m.lag for m in moved) and len(final) == len(ends):
            yield from self.boundary(run, {name: lag - 1 for name, lag in deepest.items()})
            yield Line(self.at(r, run.last), (Term(core.add(*(p.value for p in final))),))
            if full:
                yield Line(head, value, Range(run.name, plus(run.last, -1), run.first))
            yield from self.at_starts(r, full)
            return
        yield from self.boundary(run, deepest)
        added = [Line(self.at(r, p.what.at), (Term(p.value),), None, "+=") for p in ends if p.what is not None]
        added += [Line(head, (m.term,), Range(run.name, m.first, m.last), "+=") for m in rest]
        yield Line(head, value, Range(run.name, run.last, run.first), "=", tuple(added))
        yield from self.at_starts(r, full)

    def boundary(self, run: Run, lags: dict[str, int]) -> Iterator[Line]:
        """The adjoints behind the end, which are 0: so many of each recurrence."""
        for name, lag in lags.items():
            for k in range(1, lag + 1):
                yield Line(self.at(self.program.recurrences[name], plus(run.last, k)), ())

    def at(self, r: Recurrence, position: Dim) -> Expr:
        """The adjoint at a position."""
        return self.pieces.adjoint_at(r, "", position)

    def terms_of(self, found: Sequence[Moved]) -> tuple[Term, ...]:
        """The sum of contributions: those that are summed over the same indices as one term."""
        terms = []
        for key in dict.fromkeys((m.others, m.guards) for m in found):
            values = [m.value for m in found if (m.others, m.guards) == key]
            terms.append(summed(core.add(*values), *key))
        return tuple(terms)

    def moved(self, r: Recurrence, p: Part) -> Moved:
        """A contribution in a loop, with the index of the recurrence at the value that it belongs to."""
        assert r.run is not None
        assert p.run is not None
        assert p.what is not None
        value = substitute(p.value, self.program.shifted(p.value, p.run.name, times(-1, p.what.at)))
        guards = tuple(g.shifted(p.run.name, -p.what.at) for g in p.guards)
        names = {p.run.name: r.run.name, r.run.name: p.run.name} if p.run.name != r.run.name else {}
        if names:  # the two change places, as an index that is summed over may have the name of the other
            value = self.program.renamed(value, names)
            guards = tuple(g.renamed(names) for g in guards)
        others = tuple(replace(o, name=names.get(o.name, o.name)) for o in p.others)
        first, last = plus(p.run.first, p.what.at), plus(p.run.last, p.what.at)
        own = any(p.piece is self.pieces.steps[part] for part in self.group(r).parts)
        lag = -p.what.at if own and isinstance(p.what.at, int) else 0
        return Moved(value, first, last, own, lag, self.owner(p.piece), others, guards)

    def at_starts(self, r: Recurrence, full: list[Moved]) -> Iterator[Line]:
        """The adjoints of the starts that pass something on."""
        assert r.run is not None
        for position in sorted(r.starts, reverse=True):
            if not self.pieces.starts[r, position].active:
                continue
            here = [m for m in full if isinstance(m.first, int) and m.first <= position]
            if any(r.run.name in (g.left, g.right) for m in here for g in m.guards):
                raise NoRuleError(
                    f"the adjoint of {r.name}[{position}] has a condition on its index: it is not written"
                )
            placed = [
                replace(m, value=substitute(m.value, self.program.placed(m.value, r.run.name, position))) for m in here
            ]
            yield Line(self.at(r, position), self.terms_of(placed))

    def group(self, r: Recurrence) -> Group:
        """The recurrences that are computed with one."""
        return next(q for q in self.program.quantities if isinstance(q, Group) and r in q.parts)

    def members_of(self, name: str) -> Iterator[Line]:
        """The gradient by the members of a family."""
        family = self.program.families[name]
        found: dict[Place, list[Term]] = {}
        for p in self.parts.get(name, ()):
            place, term = self.of_member(p, found)
            found.setdefault(place, []).append(term)
        for (run, at), terms in found.items():
            head = self.program.of_family(name, "" if run is None else run.name, at)
            over = None if run is None else Range(run.name, run.first, run.last)
            yield Line(head, self.joined_terms(terms), over, ":")
        if not found:
            yield Line(self.program.of_family(name, family.run.name, 0), (), None, ":")

    def of_member(self, p: Part, known: Collection[Place]) -> tuple[Place, Term]:
        """A contribution to a member of a family, with the index that others have for the same members."""
        assert p.what is not None
        run = p.run if p.what.indices else None
        if run is None:
            return (None, p.what.at), summed(p.value, p.others if p.run is None else (p.run, *p.others), p.guards)
        alike = [
            (r, at) for r, at in known
            if r is not None and at == p.what.at and same(r.first, run.first) and same(r.last, run.last)
        ]  # fmt: skip
        if not alike or alike[0][0] == run:
            return (run, p.what.at), p.term
        new, at = alike[0]
        assert new is not None
        names = {run.name: new.name, new.name: run.name}
        others = tuple(replace(o, name=names.get(o.name, o.name)) for o in p.others)
        guards = tuple(g.renamed(names) for g in p.guards)
        return (new, at), summed(self.program.renamed(p.value, names), others, guards)

    def joined_terms(self, terms: list[Term]) -> tuple[Term, ...]:
        """The terms, those over the same indices as one."""
        made = []
        for key in dict.fromkeys((t.runs, t.guards) for t in terms):
            values = [t.value for t in terms if (t.runs, t.guards) == key]
            made.append(summed(self.joined(values), *key))
        return tuple(made)

    def entries_of(self, name: str) -> Iterator[Line]:
        """The gradient by a variable of which rows, columns or entries are used in loops."""
        for p in self.parts.get(name, ()):
            if p.what is None:
                yield Line(self.pieces.declared[name], (Term(p.value, p.run, p.others, p.guards),), None, ":")
                continue
            assert p.run is not None
            shown = next(v for v, w in self.program.members.items() if w == p.what)
            across = None if p.across is None else Range(p.across.name, p.across.first, p.across.last)
            over = Range(p.run.name, p.run.first, p.run.last)
            guards = p.guards if across is not None else ()
            yield Line(shown, (p.term,), over, ":", (), across, guards)


def _added(lines: Iterable[Line]) -> list[Line]:
    """Lines of which the first says what the gradient is, and the others what is added to it."""
    long = sorted(lines, key=_length)
    return [line if k == 0 else replace(line, relation="+=") for k, line in enumerate(long)]


def _length(line: Line) -> int:
    """The longest ranges first, as far as that can be said."""
    if line.over is None:
        return 0 if line.relation == ":" and line.terms and line.terms[0].run is not None else 2
    return 0 if line.over.first == 1 else 1
