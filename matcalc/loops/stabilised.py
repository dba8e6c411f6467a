"""log(sum(k, exp(x[k]))) over an index as code computes it: relative to the largest x[k], so that nothing overflows.

`top = max(k, x[k])` is taken as constant: top + log(sum(k, exp(x[k] - top))) is the same for every top, and so are its
derivatives. What is printed has the sum as it was written.
"""

from __future__ import annotations

from collections.abc import Iterator

from matcalc import core
from matcalc.expr import Expr, operations, postorder
from matcalc.indices.program import Group, LoopSum, Program, Quantity, Recurrence
from matcalc.loops.pieces import Pieces
from matcalc.ops.arithmetic import hadamard_, scale_
from matcalc.ops.elementwise import exp, log
from matcalc.ops.leaves import named_
from matcalc.walk import substitute, transform

_PRODUCTS = operations(hadamard_, scale_)
_AROUND = operations(named_, scale_)


def stabilised(pieces: Pieces) -> Pieces:
    """The same program, sums of exponentials of which logarithms are taken relative to their largest terms."""
    program = pieces.program
    tops: dict[Expr, tuple[Expr, Expr]] = {}
    logs: dict[Expr, Expr] = {}
    names = pieces.fresh_names()
    for q in program.quantities:
        exponential = exponential_in(q.body) if isinstance(q, LoopSum) and not q.largest else None
        if exponential is None:
            continue
        assert isinstance(q, LoopSum)
        around = logarithms_of(q.value, list(bodies(program, pieces.output)))
        if around:
            top = core.var(names.fresh(f"top_{q.value.name}"), *exponential.shape)
            tops[q.value] = top, exponential
            logs |= dict.fromkeys(around, top)
    return _rewritten(pieces, tops, logs) if tops else pieces


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


def _rewritten(pieces: Pieces, tops: dict[Expr, tuple[Expr, Expr]], logs: dict[Expr, Expr]) -> Pieces:
    """The program with the largest terms as values of their own."""

    def new(e: Expr) -> Expr:
        changed = transform((e,), lambda made, old: core.plus(logs[old], made) if old in logs else made)
        return changed[e]

    program = pieces.program.begun()
    made: list[Quantity] = []
    for q in pieces.program.quantities:
        if isinstance(q, Group):
            parts = []
            for r in q.parts:
                assert r.body is not None
                starts = {position: new(start) for position, start in r.starts.items()}
                program.recurrences[r.name] = Recurrence(r.name, r.shape, starts, r.run, new(r.body))
                parts.append(program.recurrences[r.name])
            made.append(Group(q.run, tuple(parts)))
            continue
        body = new(q.body)
        if q.value in tops:
            top, exponential = tops[q.value]
            exponent = new(exponential.args[0])
            made.append(LoopSum(top, q.run, exponent, largest=True))
            body = substitute(body, {new(exponential): exp(core.difference(exponent, top))})
        made.append(LoopSum(q.value, q.run, body, q.largest))
    program.quantities = made
    return Pieces(program, new(pieces.output), pieces.declared.values(), pieces.wrt)
