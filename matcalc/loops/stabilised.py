"""log(sum(k, exp(x[k]))) over an index as code computes it: relative to the largest x[k], so that nothing overflows.

`top = max(k, x[k])` is taken as constant: top + log(sum(k, exp(x[k] - top))) is the same for every top, and so are its
derivatives. What is printed has the sum as it was written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from matcalc import core
from matcalc.expr import Expr, operations, postorder
from matcalc.indices.program import Group, LoopSum, Program, Quantity, Recurrence
from matcalc.loops.nests import is_apart
from matcalc.loops.pieces import Pieces
from matcalc.ops.arithmetic import hadamard_, scale_
from matcalc.ops.elementwise import exp, log
from matcalc.ops.leaves import named_
from matcalc.walk import substitute, transform, variables

_PRODUCTS = operations(hadamard_, scale_)
_AROUND = operations(named_, scale_)


def stabilised(pieces: Pieces) -> Pieces:
    """The same program, sums of exponentials of which logarithms are taken relative to their largest terms."""
    program = pieces.program
    found = _Tops(pieces)
    for q in program.quantities:
        if isinstance(q, LoopSum):
            found.see(q, q.value.name, [q.value])
            continue
        for r in q.parts:
            if r.inner:
                found.see(r, r.name, [v for v, what in program.members.items() if what.of == r.name])
    return _rewritten(pieces, found) if found.tops else pieces


class _Tops:
    """The largest terms that are needed.

    Attributes:
        tops: by the name of a sum what its largest term is called, and its exponential.
        logs: by a logarithm what is added to it.
    """

    def __init__(self, pieces: Pieces) -> None:
        self.program, self.names = pieces.program.begun(), pieces.fresh_names()
        self.roots = list(bodies(pieces.program, pieces.output))
        self.tops: dict[str, tuple[str, Expr]] = {}
        self.logs: dict[Expr, Expr] = {}

    def see(self, q: LoopSum | Recurrence, name: str, values: list[Expr]) -> None:
        """Note a sum of exponentials, if all that is used of it are logarithms of its values.

        Args:
            q: the sum.
            name: of it.
            values: the variables for its values.
        """
        assert q.body is not None
        exponential = None if q.largest else exponential_in(q.body)
        if exponential is None:
            return
        used = [v for v in values if v in set(variables(self.roots))]
        around = [logarithms_of(v, self.roots) for v in used]
        if not used or not all(around):
            return
        top = self.names.fresh(f"top_{name}")
        self.tops[name] = top, exponential
        if isinstance(q, Recurrence):
            self.program.recurrences[top] = Recurrence(top, exponential.shape, {}, q.run)
        for v, found in zip(used, around):
            self.logs |= dict.fromkeys(found, self.of(v, top, exponential))

    def of(self, v: Expr, top: str, exponential: Expr) -> Expr:
        """The variable for the largest term of a value."""
        what = self.program.members.get(v)
        if what is None:
            return core.var(top, *exponential.shape)
        return self.program.of_family(top, what.index, what.at)


def exponential_in(body: Expr) -> Expr | None:
    """The one exponential in a product."""
    if body.op == exp.name:
        return body
    found = [e for a in body.args if (e := exponential_in(a)) is not None] if body.op in _PRODUCTS else []
    return found[0] if len(found) == 1 else None


def bodies(program: Program, output: Expr) -> Iterator[Expr]:
    """All expressions of a program."""
    for q in program.quantities:
        if isinstance(q, LoopSum):
            yield q.body
            continue
        for r in q.parts:
            assert r.body is not None
            yield from (r.body, *r.starts.values())
    yield output


def logarithms_of(value: Expr, roots: list[Expr]) -> list[Expr]:
    """The logarithms of a value, of multiples of it and of its names; none if it stands elsewhere too."""
    parents: dict[Expr, list[Expr]] = {}
    for e in postorder(roots):
        for a in e.args:
            parents.setdefault(a, []).append(e)
    found: list[Expr] = []
    todo = [value]
    while todo:
        e = todo.pop()
        if e in roots:
            return []
        for parent in parents.get(e, ()):
            if parent.op == log.name:
                found.append(parent)
            elif parent.op in _AROUND and parent.args[-1] is e:
                todo.append(parent)
            else:
                return []
    return found


def _rewritten(pieces: Pieces, found: _Tops) -> Pieces:
    """The program with the largest terms as values of their own."""
    logs, program = found.logs, found.program

    def new(e: Expr) -> Expr:
        changed = transform((e,), lambda made, old: core.plus(logs[old], made) if old in logs else made)
        return changed[e]

    def relative(q: LoopSum | Recurrence, name: str, top: Expr) -> tuple[Expr, Expr]:
        """The exponent of a sum of exponentials, and its term relative to the largest."""
        assert q.body is not None
        exponential = found.tops[name][1]
        exponent = new(exponential.args[0])
        return exponent, substitute(new(q.body), {new(exponential): exp(core.difference(exponent, top))})

    made: list[Quantity] = []
    for q in pieces.program.quantities:
        if isinstance(q, Group):
            parts = []
            for r in q.parts:
                assert r.body is not None
                starts = {position: new(start) for position, start in r.starts.items()}
                body = new(r.body)
                if r.name in found.tops:
                    top = found.tops[r.name][0]
                    exponent, body = relative(r, r.name, program.of_family(top, q.run.name, 0))
                    largest = program.recurrences[top]
                    largest.body, largest.inner, largest.guards, largest.largest = exponent, r.inner, r.guards, True
                    if is_apart(q):
                        made.append(Group(q.run, (largest,)))
                    else:
                        parts.append(largest)
                program.recurrences[r.name] = replace(r, starts=starts, body=body)
                parts.append(program.recurrences[r.name])
            made.append(Group(q.run, tuple(parts)))
            continue
        body = new(q.body)
        if q.value.name in found.tops:
            name, exponential = found.tops[q.value.name]
            top_value = core.var(name, *exponential.shape)
            exponent, body = relative(q, q.value.name, top_value)
            made.append(replace(q, value=top_value, body=exponent, largest=True))
        made.append(replace(q, body=body))
    program.quantities = made
    return Pieces(program, new(pieces.output), pieces.declared.values(), pieces.wrt)
