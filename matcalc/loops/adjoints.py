"""The adjoints of a program with loops, as people write backpropagation through time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from matcalc import core
from matcalc.dims import Dim, plus, same, times
from matcalc.dims import text as dim_text
from matcalc.expr import Expr, postorder
from matcalc.indices.program import Group, LoopSum, Member, Recurrence, Run, place_text
from matcalc.loops.pieces import Piece, Pieces
from matcalc.printing.text import shared
from matcalc.walk import rebuild, substitute


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


def written(e: Expr) -> str:
    """An expression on one line, the names that it has for parts of itself opened."""
    done: dict[Expr, Expr] = {}
    for sub in postorder((e,)):
        args = tuple(done[a] for a in sub.args)
        local = sub.op == "named" and sub.params[1] == "local"
        done[sub] = args[0] if local else sub if args == sub.args else rebuild(sub, args)
    return shared(done[e]).body


def total(run: Run, e: Expr) -> str:
    """A sum over an index, in the notation that is read."""
    return f"sum({run.text}, {written(e)})"


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
            if piece.adjoint is not None and len(parts) == 1 and parts[0].value.op == "number":
                table[piece.adjoint] = parts[0].value
        return table

    def take(self, piece: Piece, run: Run | None) -> None:
        """What a piece passes back."""
        for v, value in piece.gradients.items():
            what = self.program.members.get(v)
            name = v.name if what is None else what.base.name if what.base is not None else what.of
            if value.op != "zeros" and not (value.op == "number" and value.number == 0):
                self.parts.setdefault(name, []).append(Part(what, value, run, piece))

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

    def lines(self, name: str) -> list[str]:
        """The gradient by a variable or a family: its adjoint recurrences, then the result."""
        lines = []
        for inner in self.needed(name):
            if inner in self.program.recurrences:
                lines += list(self.recurrence(self.program.recurrences[inner]))
            elif inner not in self.known:
                lines.append(f"{self.pieces.prefix}{inner} = {self.plain(inner)}")
        if name in self.program.families:
            return [*lines, *self.members_of(name)]
        if any(p.what is not None for p in self.parts.get(name, ())):
            return [*lines, *self.entries_of(name)]
        return [*lines, self.plain(name)]

    def plain(self, name: str) -> str:
        """The adjoint of one matrix: values and sums over an index."""
        whole = [p for p in self.parts.get(name, ()) if p.what is None]
        return self.joined([self.grouped(run, [p for p in whole if p.run == run]) for run in _runs(whole)])

    def grouped(self, run: Run | None, parts: list[Part]) -> str:
        """The contributions over one index as one sum."""
        value = core.add(*(p.value for p in parts))
        return written(value) if run is None else total(run, value)

    def joined(self, texts: list[str]) -> str:
        """A sum of texts."""
        if not texts:
            return "0"
        result = texts[0]
        for t in texts[1:]:
            result += f" - {t[1:]}" if t.startswith("-") and not t.startswith("-(") else f" + {t}"
        return result

    def recurrence(self, r: Recurrence) -> Iterator[str]:
        """The adjoint recurrence of a recurrence, with its boundary values."""
        assert r.run is not None
        run, name = r.run, f"{self.pieces.prefix}{r.name}"
        moved = [self.moved(r, p) for p in self.parts.get(r.name, ()) if p.run is not None]
        ends = [p for p in self.parts.get(r.name, ()) if p.run is None and p.what is not None]
        full = [m for m in moved if m.own or (same(m.last, run.last) and m.first in (run.first, r.lowest))]
        rest = [m for m in moved if m not in full]
        deepest = max((m.lag for m in full if m.own), default=0)
        text = written(core.add(*(m.value for m in full))) if full else "0"
        final = [p for p in ends if p.what is not None and same(p.what.at, run.last)]
        if final and all(m.own for m in moved) and len(final) == len(ends):
            yield from (f"{name}[{dim_text(plus(run.last, k))}] = 0" for k in range(1, deepest))
            yield f"{name}[{dim_text(run.last)}] = {written(core.add(*(p.value for p in final)))}"
            ranged = _range(plus(run.last, -1), run.first)
            yield from [f"{name}[{run.name}] = {text} for {run.name} = {ranged}"] if full else []
            yield from self.at_starts(r, full)
            return
        yield from (f"{name}[{dim_text(plus(run.last, k))}] = 0" for k in range(1, deepest + 1))
        added = [f"{name}[{dim_text(p.what.at)}] += {written(p.value)}" for p in ends if p.what is not None]
        added += [f"{name}[{run.name}] += {written(m.value)} for {run.name} = {_range(m.first, m.last)}" for m in rest]
        further = "".join(f", and {line}" for line in added)
        yield f"{name}[{run.name}] = {text} for {run.name} = {_range(run.last, run.first)}{further}"
        yield from self.at_starts(r, full)

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

    def at_starts(self, r: Recurrence, full: list[Moved]) -> Iterator[str]:
        """The adjoints of the starts that pass something on."""
        assert r.run is not None
        for position in sorted(r.starts, reverse=True):
            if not self.pieces.starts[r, position].active:
                continue
            here = [m for m in full if isinstance(m.first, int) and m.first <= position]
            values = [substitute(m.value, self.program.placed(m.value, r.run.name, position)) for m in here]
            yield f"{self.pieces.prefix}{r.name}[{position}] = {written(core.add(*values)) if values else '0'}"

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

    def members_of(self, name: str) -> Iterator[str]:
        """The gradient by the members of a family."""
        family = self.program.families[name]
        found = self.parts.get(name, ())
        for run in _runs(found):
            parts = [p for p in found if p.run == run]
            for at in dict.fromkeys(p.what.at for p in parts if p.what is not None):
                here = [p.value for p in parts if p.what is not None and p.what.at == at]
                index = "" if run is None else run.name
                text = written(core.add(*here))
                shown = f"{name}[{place_text(index, at)}]"
                yield f"{shown}: {text}" + ("" if run is None else f" for {run.name} = {_range(run.first, run.last)}")
        if not found:
            yield f"{name}[{family.run.name}]: 0"

    def entries_of(self, name: str) -> Iterator[str]:
        """The gradient by a variable of which rows, columns or entries are used in loops."""
        for p in self.parts.get(name, ()):
            if p.what is None:
                yield f"{name}: {written(p.value) if p.run is None else total(p.run, p.value)}"
                continue
            assert p.run is not None
            shown = next(v for v, w in self.program.members.items() if w is p.what).name
            yield f"{shown}: {written(p.value)} for {p.run.name} = {_range(p.run.first, p.run.last)}"


def _range(first: Dim, last: Dim) -> str:
    return f"{dim_text(first)}..{dim_text(last)}"


def _runs(parts: Iterable[Part]) -> list[Run | None]:
    return list(dict.fromkeys(p.run for p in parts))
