"""Claims about results of a derivation, and identities without one: parsed, compared, proved, diagnosed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import sympy as sp

from matcalc.calculus.conditions import minimal
from matcalc.calculus.jacobian import Jacobian
from matcalc.calculus.problem import Problem
from matcalc.calculus.wording import worded
from matcalc.claims.assumptions import AWAY_FROM_KINKS, requirements_of
from matcalc.claims.constants import with_constants
from matcalc.claims.diagnosis import Case, diagnose
from matcalc.claims.equality import Proof, prove
from matcalc.claims.points import Field, Point, distance
from matcalc.claims.question import IDENTITY, Question, question, with_adjoints
from matcalc.claims.sides import side_of
from matcalc.claims.slips import slips
from matcalc.claims.verdict import DISPROVED, PROVED, UNDECIDED, Counterexample, Diagnosis, Verdict
from matcalc.core import broadcast, transpose, zeros
from matcalc.dims import same, same_shape, shape_text
from matcalc.errors import MatcalcError, MisfitError, ShapeError, shorten
from matcalc.expr import Expr
from matcalc.frontend.parser import parse_in
from matcalc.graph import Graph, define
from matcalc.languages import said
from matcalc.numeric.binding import bind, matrix
from matcalc.walk import substitute, variables

RANDOM_POINTS = 3
MORE_POINTS = 12
SMALL_POINTS = 8
VISIBLE = 0.01
TURNED = "{0}; it is the transpose of the right result (numerator layout)"
NOWHERE = "random points (there is none at which both sides are defined)"
TRIED = ("the normal form", "expansion into sums of products", "common denominators")


def judged(d: Problem, name: str, claim: Any, kind: str = "gradient", by: Any = None) -> Verdict:
    """The verdict on a claim about a gradient, an adjoint, a Jacobian or a Hessian.

    Args:
        d: the derivation.
        name: of a variable or named value.
        claim: text in the scope of the derivation (its own definitions may shadow names, `g_r` is the right adjoint of
            r), or an expression (SymPy too).
        kind: `gradient`, `adjoint`, `jacobian` or `hessian`.
        by: for a mixed Hessian, the second variable.

    Raises:
        MatcalcError: the text is not in the syntax, or names what does not exist.
    """
    asked = question(d, name, kind, by)
    text = str(claim)
    if isinstance(claim, Jacobian):
        claim = claim.value
    if isinstance(claim, (sp.Basic, sp.MatrixBase)):
        claim = define(claim, d.graph, d.fresh_names().fresh("claim"))[0]
    if isinstance(claim, Expr):
        return decided(asked, text, _adopted(claim, d.graph))
    if not isinstance(claim, str):
        raise MatcalcError(f"a claim must be text or an expression, got {type(claim).__name__}")
    source = with_constants(claim)
    parse = partial(parse_in, scope=with_adjoints(d, source, d.graph.scope), beside=d.roots)
    try:
        parsed = parse(source)
    except MatcalcError as error:
        if not about_shapes(error):
            raise
        return misfitting(asked, parse, source, error)
    return decided(asked, text, parsed)


def _adopted(claim: Expr, graph: Graph) -> Expr:
    """The claim with its variables replaced by those of the graph, which know their facts.

    Raises:
        MatcalcError: a variable is not in the graph, or has another shape there.
    """
    table: dict[Expr, Expr] = {}
    for v in variables([claim]):
        own = graph.find(v.name)
        if not same_shape(own.shape, v.shape):
            message = f"{v.params[0]} is {shape_text(v.shape)} in the claim, {shape_text(own.shape)} in the derivation"
            raise ShapeError(message)
        table[v] = own
    return substitute(claim, table)


def about_shapes(error: MatcalcError) -> bool:
    """Whether a text was refused because shapes do not fit, and not for its syntax or its names."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (ShapeError, MisfitError)):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def decided(asked: Question, text: str, claim: Expr) -> Verdict:
    """The verdict on an expression."""
    right = asked.right
    claim = _zero_matrix(claim, right)
    if not same_shape(claim.shape, right.shape):
        return _wrong_shape(asked, text, claim)
    roots = [right, claim, *([asked.graph.output] if asked.graph.definitions or asked.target is not None else [])]
    field = Field(roots, list(asked.graph.declared.values()))
    points = list(field.random(RANDOM_POINTS))
    verdicts = [field.differ(claim, right, p) for p in points]
    wrong = _one_sided_or_wrong(asked, text, claim, field, points, verdicts)
    if wrong is not None:
        return wrong
    proof = prove(right, claim, asked.assumptions)
    if proof is not None:
        needed = _conditions(asked, claim, proof)
        if needed and not points and not field.missing:  # nothing shows that both sides are defined anywhere
            return Verdict(UNDECIDED, asked.about, text, right, tried=(*TRIED, NOWHERE), assumptions=needed)
        return Verdict(PROVED, asked.about, text, right, proof, agreed=_agreed(verdicts), assumptions=needed)
    more = list(field.random(MORE_POINTS, seed=1))
    others = [field.differ(claim, right, p) for p in more]
    wrong = _one_sided_or_wrong(asked, text, claim, field, more, others)
    if wrong is not None:
        return wrong
    agreed = _agreed(verdicts) + _agreed(others)
    return Verdict(UNDECIDED, asked.about, text, right, agreed=agreed, tried=(*TRIED, *field.missing))


def _agreed(found: Sequence[bool | None]) -> int:
    """At how many points two sides agree that do not differ for certain: rounding is no difference."""
    return sum(differs is not None for differs in found)


def _conditions(asked: Question, claim: Expr, proof: Proof) -> tuple[tuple[str, str], ...]:
    """What the claim needs beyond the declared facts and beyond what the derivative needs itself."""
    kinks = any(move.rule in AWAY_FROM_KINKS for move in proof.prover.moves.values())
    identity = asked.about == IDENTITY
    given = set() if identity else {*asked.assumptions, *requirements_of(asked.right, kinks=False)}
    sides = (asked.right, claim) if identity or kinks else (claim,)
    needed = dict.fromkeys(pair for e in sides for pair in requirements_of(e, kinks=kinks) if pair not in given)
    return tuple((said, shorten(str(subject))) for subject, said in (worded(*pair) for pair in minimal(needed)))


def _wrong_shape(asked: Question, text: str, claim: Expr) -> Verdict:
    right = asked.right
    shapes = shape_text(claim.shape), asked.about, shape_text(right.shape)
    message = said("wrong shape: the claim is {0}, {1} is {2}", *shapes)
    kinds = ["shape"]
    if same_shape(claim.shape, right.shape[::-1]):
        field = Field([right, claim], list(asked.graph.declared.values()))
        found = [field.differ(transpose(claim), right, p) for p in field.random(RANDOM_POINTS)]
        if found and not any(found):
            message = said(TURNED, message)
            kinds.append("transposed")
    return Verdict(DISPROVED, asked.about, text, right, diagnosis=Diagnosis(message, tuple(kinds)))


def misfitting(asked: Question, parse: Callable[[str], Expr], text: str, error: MatcalcError) -> Verdict:
    """The verdict on a text whose shapes do not fit; a slip that makes it right is the diagnosis."""
    reason = getattr(error, "message", str(error))
    field = Field([asked.right], list(asked.graph.declared.values()))
    points = list(field.random(2))
    for kind, part, changed in slips(text):
        try:
            mended = parse(changed)
        except MatcalcError:  # not this slip
            continue
        if not same_shape(mended.shape, asked.right.shape):
            continue
        found = [field.differ(mended, asked.right, p) for p in points]
        if found and all(f is False for f in found):
            slip = said("{0} (wrong shape: {1})", said(SLIPS[kind], part), reason)
            node = _entered_at(asked.graph, kind, part)
            diagnosis = Diagnosis(slip, ("shape", kind), node, changed)
            return Verdict(DISPROVED, asked.about, text, asked.right, diagnosis=diagnosis)
    diagnosis = Diagnosis(said("wrong shape: {0}", reason), ("shape",))
    return Verdict(DISPROVED, asked.about, text, asked.right, diagnosis=diagnosis)


SLIPS = {
    "elementwise": "a matrix product where the elementwise (Hadamard) product is right",
    "product": "an elementwise (Hadamard) product where the matrix product is right",
    "transposed": "{0} must not be transposed",
    "transpose missing": "the transpose of {0} is missing",
    "order": "the chain is in the wrong order at {0}",
}


def _entered_at(graph: Graph, kind: str, part: str) -> str:
    """The value of the graph whose derivative the slip concerns: the first definition that uses what is named.

    The derivative of an entrywise function is written with its output: a wrong product there enters at that value.
    """
    found = re.search(r"[A-Za-z_]\w*", part)
    if found is None:
        return ""
    name = found.group()
    if kind == "elementwise" and name in graph.definitions:
        return name
    e = graph.declared.get(name, graph.definitions.get(name))
    users = (user for user, value in graph.definitions.items() if e is not None and e in _own_parts(value))
    return next(users, "")


def _own_parts(definition: Expr) -> set[Expr]:
    seen: set[Expr] = set()
    stack = list(definition.args)
    while stack:
        e = stack.pop()
        if e not in seen:
            seen.add(e)
            stack.extend(() if e.op == "named" else e.args)
    return seen


def _one_sided_or_wrong(
    asked: Question, text: str, claim: Expr, field: Field, points: Sequence[Point], found: Sequence[bool | None]
) -> Verdict | None:
    """Undecided for what holds on one side of a kink: which side is meant is not said. Else disproved, if it is."""
    wrong = _disproved(asked, text, claim, field, points, found) if any(found) else None
    if wrong is None:
        return None
    tried = [*points, *(field.random(2 * MORE_POINTS, seed=2) if field.kinks else ())]
    side = side_of(claim, asked.right, field, tried) if field.kinks else ""
    return replace(wrong, status=UNDECIDED, holds_where=side, diagnosis=Diagnosis()) if side else wrong


def _disproved(
    asked: Question, text: str, claim: Expr, field: Field, points: Sequence[Point], found: Sequence[bool | None]
) -> Verdict | None:
    """The verdict with a counterexample; None where only rounding makes the sides differ."""
    bad = [p for p, differs in zip(points, found) if differs]
    readable = _readable(field, claim, asked.right)
    candidates = (p for p in (readable, *bad) if p is not None and field.certain(claim, asked.right, p))
    small = next(candidates, None)
    if small is None:
        return None
    a, b = field.values([claim, asked.right], small)
    named = {v.params[0]: small.arrays[v.params[0]] for v in field.variables}
    example = Counterexample(named, small.sizes, a, b)
    case_points = bad[:3]
    values = [field.values([claim], p)[0] for p in case_points]
    case = Case(asked.graph, asked.target, asked.right, field, case_points, values, claim, asked.others)
    return Verdict(
        DISPROVED,
        asked.about,
        text,
        asked.right,
        counterexample=example,
        diagnosis=diagnose(case),
        agreed=list(found).count(False),
    )


def _readable(field: Field, claim: Expr, right: Expr) -> Point | None:
    """A point of small integers at which the two differ, if there is one where the difference is seen at a glance."""
    found = [p for p in field.small(SMALL_POINTS) if p.whole and field.differ(claim, right, p)]
    for p in found:
        a, b = field.values([claim, right], p)
        if distance(a, b) > VISIBLE and VISIBLE < max(np.abs(a).max(), np.abs(b).max()) < 1 / VISIBLE**2:
            return p
    return found[0] if found else None


def judged_values(
    d: Problem,
    name: str,
    array: Any,
    at: Mapping[str, Any],
    *,
    dims: Mapping[str, int] | None = None,
    tolerance: float = 1e-6,
) -> Verdict:
    """Whether an array holds the gradient with respect to `name` at some data; the usual mistakes where it does not.

    Raises:
        MatcalcError: a value is missing, or does not fit.
    """
    asked = question(d, name, "gradient")
    about = said("the values of {0} at the data", asked.about)
    declared = list(d.graph.declared.values())
    arrays, sizes = bind(declared, at, dims)
    field = Field([asked.right, d.graph.output], declared)
    point = Point(arrays, sizes, False)
    right = field.values([asked.right], point)[0]
    target = d.find(name)
    claimed = matrix(target, array)
    text = shorten(" ".join(str(np.asarray(array)).split()))
    if claimed.shape != right.shape:
        turned = claimed.shape == right.shape[::-1]
        message = said("wrong shape: {0}, right is {1}", shape_text(claimed.shape), shape_text(right.shape))
        if turned and np.allclose(claimed.T, right, rtol=tolerance, atol=tolerance * np.abs(right).max()):
            message = said(TURNED, message)
        diagnosis = Diagnosis(message, ("shape", "transposed") if turned else ("shape",))
        return Verdict(DISPROVED, about, text, asked.right, diagnosis=diagnosis)
    size = max(float(np.abs(right).max()), float(np.abs(claimed).max()), 1e-300)
    if float(np.abs(claimed - right).max()) <= tolerance * size:
        return Verdict(PROVED, about, text, asked.right, agreed=1)
    example = Counterexample(arrays, sizes, claimed, right)
    case = Case(d.graph, asked.target, asked.right, field, [point], [claimed], others=asked.others)
    return Verdict(DISPROVED, about, text, asked.right, counterexample=example, diagnosis=diagnose(case))


def _zero_matrix(e: Expr, beside: Expr) -> Expr:
    """The number 0 beside a matrix is the zero matrix of its shape."""
    return zeros(*beside.shape) if e.number == 0 and not beside.is_scalar else e


def _in_full(e: Expr, beside: Expr) -> Expr:
    """A number as a side of an identity: the matrix of it in every entry.

    Raises:
        MatcalcError: beside a square matrix, where it may be meant as a multiple of I.
    """
    if e.number is None or e.number == 0 or beside.is_scalar:
        return _zero_matrix(e, beside)
    if same(*beside.shape):
        rows, columns = map(str, beside.shape)
        times = "" if e.number == 1 else f"{e}*"
        raise ShapeError(
            f"{e} beside a square matrix has two readings: write {times}eye({rows}), or {times}ones({rows}, {columns})"
        )
    return broadcast(e, beside.shape)


def identity_judged(left: Expr, right: Expr, declared: Iterable[Expr], text: str) -> Verdict:
    """The verdict on `left = right`, without a derivative."""
    left, right = _in_full(left, right), _in_full(right, left)
    graph = Graph()
    for v in declared:
        graph.declare(v)
    graph.set_output(left)
    if not same_shape(left.shape, right.shape):
        shapes = shape_text(left.shape), shape_text(right.shape)
        message = said("wrong shape: the left side is {0}, the right side {1}", *shapes)
        return Verdict(DISPROVED, IDENTITY, text, diagnosis=Diagnosis(message, ("shape",)))
    return decided(Question(IDENTITY, left, graph, None, ()), text, right)
