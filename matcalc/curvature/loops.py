"""The curvature of sums over families: a sum of convex terms is convex, whatever its length.

Each term is judged in the members that it holds, jointly. States of a recurrence whose steps are affine are affine, and
count as such members. What is not proved so is disproved by a witness of the program written out for small sizes, or
undecided; through other recurrences nothing is proved.
"""

from __future__ import annotations

from collections.abc import Iterable

from matcalc import core
from matcalc.calculus.problem import Problem
from matcalc.curvature.curvature import curvature_of
from matcalc.curvature.spectrum import Reason
from matcalc.curvature.status import Curvature
from matcalc.expr import Expr, number_value
from matcalc.graph import Graph
from matcalc.indices.program import LoopSum
from matcalc.loops.check import lengths
from matcalc.loops.pieces import Pieces, wanted
from matcalc.loops.problem import LoopProblem
from matcalc.loops.unrolled import unrolled
from matcalc.walk import substitute, variables

CONVEX, CONCAVE, AFFINE, NEITHER, UNDECIDED = "convex", "concave", "affine", "neither", "undecided"
SUM = (
    "sum of terms",
    "a sum of convex functions is convex, of concave ones concave",
    "Boyd & Vandenberghe (2004), 3.2.1",
)


STATES = (
    "affine states",
    "what is affine in affine values is affine, and a convex function of affine values is convex",
    "Boyd & Vandenberghe (2004), 3.2.2",
)


def curvature_of_loops(d: LoopProblem, names: Iterable[str]) -> Curvature:
    """The curvature of a program in some variables and families jointly; by default in those of the derivation.

    Raises:
        MatcalcError: a name is neither a variable nor a family.
    """
    chosen = wanted(d.program, d.declared, list(names) or d.names)
    pieces = Pieces(d.program, d.output, d.declared, chosen)
    of = tuple(_head(d, name) for name in chosen)
    terms = terms_of(pieces)
    found = None if terms is None else _of_terms(pieces, terms)
    if found is not None:
        status, reasons = found
        through = [Reason(*STATES, d.output)] if any(map(pieces.is_active, d.program.recurrences)) else []
        return Curvature(of, status, reasons=(*reasons, *through, Reason(*SUM, d.output)))
    whole = unrolled(pieces, lengths(d))
    members = {m for name in chosen for m in whole.members.get(name, [name])}
    wrt = [v for v in whole.variables if v.name in members]
    small = curvature_of(Problem(Graph.of(whole.output, whole.variables), wrt))
    if small.status == NEITHER:
        return Curvature(of, NEITHER, witness=small.witness, chords=small.chords)
    return Curvature(of, UNDECIDED, failed="a term of a sum, or a recurrence, is not shown to be convex or concave")


def _head(d: LoopProblem, name: str) -> Expr:
    """The variable, or the member of a family with its index."""
    if name in d.program.families:
        return d.program.of_family(name, d.program.families[name].run.name, 0)
    return next(v for v in d.declared if v.name == name)


def is_affine(e: Expr, pieces: Pieces) -> bool:
    """Whether a value is affine in all members and variables of it that move, jointly."""
    active = [v for v in variables((e,)) if pieces.moves(v)]
    if not active:
        return True
    weights = core.var(pieces.fresh_names().fresh("weights"), *e.shape)
    inner = core.trace(core.matmul(core.transpose(weights), e))
    plain = {v: pieces.identified(v) for v in variables((e,))}
    problem = Problem(Graph.of(substitute(inner, plain)), [plain[v] for v in active])
    return curvature_of(problem).status == AFFINE


def has_affine_states(pieces: Pieces) -> bool:
    """Whether all recurrences through which the gradient goes are affine."""
    for q in pieces.program.quantities:
        for r in () if isinstance(q, LoopSum) else q.parts:
            assert r.body is not None
            values = (r.body, *r.starts.values())
            if pieces.is_active(r.name) and not all(is_affine(e, pieces) for e in values):
                return False
    return True


def terms_of(pieces: Pieces) -> list[tuple[int, Expr]] | None:
    """The terms of the output with the signs of their factors: bodies of sums, and what stands outside of them.

    None where it is no sum of such terms, or goes through a recurrence that is not affine.
    """
    if not has_affine_states(pieces):
        return None
    sums = {q.value: q for q in pieces.program.quantities if isinstance(q, LoopSum) and pieces.is_active(q.value.name)}
    found: list[tuple[int, Expr]] = []
    todo = [(1, pieces.output)]
    while todo:
        sign, e = todo.pop()
        inside = [v for v in variables((e,)) if v in sums]
        if not inside:
            found.append((sign, e))
        elif e.op == "named":
            todo.append((sign, e.args[0]))
        elif e.op == "add":
            todo += [(sign, a) for a in e.args]
        elif e.op == "scale" and all(a.op == "number" for a in e.args[:-1]):
            factors = [number_value(a) for a in e.args[:-1]]
            if not all(f.is_positive or f.is_negative for f in factors):
                return None
            todo.append((sign * (-1) ** sum(bool(f.is_negative) for f in factors), e.args[-1]))
        elif e in sums:
            todo.append((sign, sums[e].body))
        else:
            return None
    return found


def _of_terms(pieces: Pieces, terms: list[tuple[int, Expr]]) -> tuple[str, list[Reason]] | None:
    """What all terms are, with the reasons; None where they differ or one is not shown."""
    signs: set[int] = set()
    reasons: list[Reason] = []
    for sign, e in terms:
        active = [v for v in variables((e,)) if pieces.moves(v)]
        if not active:
            continue
        plain = {v: pieces.identified(v) for v in variables((e,))}
        c = curvature_of(Problem(Graph.of(substitute(e, plain)), [plain[v] for v in active]))
        if c.status in (NEITHER, UNDECIDED):
            return None
        reasons += c.reasons
        if c.status != AFFINE:
            signs.add(sign if CONVEX in c.status else -sign)
    if len(signs) > 1:
        return None
    return {1: CONVEX, -1: CONCAVE}[signs.pop()] if signs else AFFINE, reasons
