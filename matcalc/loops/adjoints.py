"""The adjoints of a program with loops, as people write backpropagation through time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from matcalc import core
from matcalc.dims import Dim, plus, same, times
from matcalc.expr import Expr
from matcalc.indices.program import Group, LoopSum, Member, Recurrence, Run, place_text
from matcalc.loops.lines import Line, Range, Term
from matcalc.loops.pieces import Piece, Pieces
from matcalc.walk import substitute


@dataclass(frozen=True)
class Part:
    """One contribution to an adjoint: `value`, for all values of an index where it has one."""

    what: Member | None
    value: Expr
    run: Run | None
    piece: Piece


@dataclass(frozen=True)
class Moved:
    """A contribution to a recurrence for the values `first..last` of its index; `own`: of its own loop, at a lag."""

    value: Expr
    first: Dim
    last: Dim
    own: bool
    lag: int


class Adjoints:
    """All contributions, by the name of what they belong to, and the lines that say so."""

    def __init__(self, pieces: Pieces) -> None:
        self.pieces, self.program = pieces, pieces.program
        self.parts: dict[str, list[Part]] = {}
        self.take(pieces.out, None)
        for q in reversed(self.program.quantities):
            if isinstance(q, LoopSum):
                if pieces.is_active(q.value.name):
                    self.take(pieces.sums[q], q.run)
                continue
            active = [r for r in q.parts if pieces.is_active(r.name)]
            for r in reversed(active):
                self.take(pieces.steps[r], q.run)
            for r in active:
                for position in r.starts:
                    self.take(pieces.starts[r, position], None)
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

    def take(self, piece: Piece, run: Run | None) -> None:
        """What a piece passes back; where the value of a recurrence itself occurs, it has its name."""
        own = {} if run is None else self.own_value(piece, run)
        for v, value in piece.gradients.items():
            value = substitute(value, own) if own else value
            what = self.program.members.get(v)
            name = v.name if what is None else what.base.name if what.base is not None else what.of
            if value.op != "zeros" and not (value.op == "number" and value.number == 0):
                self.parts.setdefault(name, []).append(Part(what, value, run, piece))

    def own_value(self, piece: Piece, run: Run) -> dict[Expr, Expr]:
        """The value that a step computes, and its name."""
        owner = next((r for r, step in self.pieces.steps.items() if step is piece), None)
        if owner is None or not piece.body.args:
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
        for run in _runs(whole):
            terms.append(Term(self.joined([p.value for p in whole if p.run == run]), run))
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
        deepest = max((m.lag for m in full if m.own), default=0)
        value = self.terms_of([m.value for m in full])
        head = self.pieces.adjoint_at(r, run.name, 0)
        final = [p for p in ends if p.what is not None and same(p.what.at, run.last)]
        if final and all(m.own for m in moved) and len(final) == len(ends):
            yield from (Line(self.at(r, plus(run.last, k)), ()) for k in range(1, deepest))
            yield Line(self.at(r, run.last), self.terms_of([p.value for p in final]))
            if full:
                yield Line(head, value, Range(run.name, plus(run.last, -1), run.first))
            yield from self.at_starts(r, full)
            return
        yield from (Line(self.at(r, plus(run.last, k)), ()) for k in range(1, deepest + 1))
        added = [Line(self.at(r, p.what.at), (Term(p.value),), None, "+=") for p in ends if p.what is not None]
        added += [Line(head, (Term(m.value),), Range(run.name, m.first, m.last), "+=") for m in rest]
        yield Line(head, value, Range(run.name, run.last, run.first), "=", tuple(added))
        yield from self.at_starts(r, full)

    def at(self, r: Recurrence, position: Dim) -> Expr:
        """The adjoint at a position."""
        return self.pieces.adjoint_at(r, "", position)

    def terms_of(self, values: list[Expr]) -> tuple[Term, ...]:
        """The sum of values as one term."""
        return (Term(core.add(*values)),) if values else ()

    def moved(self, r: Recurrence, p: Part) -> Moved:
        """A contribution in a loop, with the index of the recurrence at the value that it belongs to."""
        assert r.run is not None
        assert p.run is not None
        assert p.what is not None
        value = substitute(p.value, self.program.shifted(p.value, p.run.name, times(-1, p.what.at)))
        value = value if p.run.name == r.run.name else self.renamed(value, p.run.name, r.run.name)
        first, last = plus(p.run.first, p.what.at), plus(p.run.last, p.what.at)
        own = any(p.piece is self.pieces.steps[part] for part in self.group(r).parts)
        return Moved(value, first, last, own, -p.what.at if own and isinstance(p.what.at, int) else 0)

    def at_starts(self, r: Recurrence, full: list[Moved]) -> Iterator[Line]:
        """The adjoints of the starts that pass something on."""
        assert r.run is not None
        for position in sorted(r.starts, reverse=True):
            if not self.pieces.starts[r, position].active:
                continue
            here = [m for m in full if isinstance(m.first, int) and m.first <= position]
            values = [substitute(m.value, self.program.placed(m.value, r.run.name, position)) for m in here]
            yield Line(self.at(r, position), self.terms_of(values))

    def renamed(self, e: Expr, old: str, new: str) -> Expr:
        """The same expression with another name for its index."""
        table = {}
        for v, what in self.program.used(e):
            if what.index != old:
                continue
            if what.of:
                name = f"{what.of}[{place_text(new, what.at)}]"
                table[v] = self.program.member(name, v.shape, Member(what.of, None, new, what.at))
            elif what.base is None:
                table[v] = self.program.member(new, v.shape, Member("", None, new), ["constant"])
            else:
                table[v] = self.program.slice_member(what.base, new, what.rows, what.columns)
        return substitute(e, table)

    def group(self, r: Recurrence) -> Group:
        """The recurrences that are computed with one."""
        return next(q for q in self.program.quantities if isinstance(q, Group) and r in q.parts)

    def members_of(self, name: str) -> Iterator[Line]:
        """The gradient by the members of a family."""
        family = self.program.families[name]
        found = self.parts.get(name, ())
        for run in _runs(found):
            parts = [p for p in found if p.run == run]
            for at in dict.fromkeys(p.what.at for p in parts if p.what is not None):
                here = [p.value for p in parts if p.what is not None and p.what.at == at]
                head = self.program.of_family(name, "" if run is None else run.name, at)
                over = None if run is None else Range(run.name, run.first, run.last)
                yield Line(head, (Term(self.joined(here)),), over, ":")
        if not found:
            yield Line(self.program.of_family(name, family.run.name, 0), (), None, ":")

    def entries_of(self, name: str) -> Iterator[Line]:
        """The gradient by a variable of which rows, columns or entries are used in loops."""
        for p in self.parts.get(name, ()):
            if p.what is None:
                yield Line(self.pieces.declared[name], (Term(p.value, p.run),), None, ":")
                continue
            assert p.run is not None
            shown = next(v for v, w in self.program.members.items() if w == p.what)
            yield Line(shown, (Term(p.value),), Range(p.run.name, p.run.first, p.run.last), ":")


def _added(lines: Iterable[Line]) -> list[Line]:
    """Lines of which the first says what the gradient is, and the others what is added to it."""
    long = sorted(lines, key=_length)
    return [line if k == 0 else replace(line, relation="+=") for k, line in enumerate(long)]


def _length(line: Line) -> int:
    """The longest ranges first, as far as that can be said."""
    if line.over is None:
        return 0 if line.relation == ":" and line.terms and line.terms[0].run is not None else 2
    return 0 if line.over.first == 1 else 1


def _runs(parts: Iterable[Part]) -> list[Run | None]:
    return list(dict.fromkeys(p.run for p in parts))
