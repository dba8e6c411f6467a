"""What is wrong with a claim: a search over usual mistakes, decided by values at a few points.

Families: the whole claim against the right result (sign, factor, transpose) and against other results (the gradient
of a free matrix); what stands in place of one term's gradient; the claim against gradients derived with a mistake (a
value held constant, an activation's derivative taken as 1, at its output, ...); one edit of the claim or of the result;
a symmetry that is not given. A diagnosis is true: what it says gives exactly the claimed values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from itertools import permutations
from time import thread_time

import numpy as np

from matcalc.claims.edits import edits
from matcalc.claims.equality import without_names
from matcalc.claims.factors import CLOSE, Factor, factors
from matcalc.claims.parts import said_of_term, term_gradient, terms_of
from matcalc.claims.points import Field, Point, distance
from matcalc.claims.verdict import Diagnosis
from matcalc.claims.words import mistake_text, name_in_words
from matcalc.claims.wrong import Mistake, mistakes, neighbours, opened, reductions, wrong_gradient
from matcalc.dims import is_one, same
from matcalc.errors import MatcalcError, shorten
from matcalc.expr import REGISTRY, Expr, postorder
from matcalc.graph import Graph
from matcalc.languages import Message, said
from matcalc.numeric.binding import Array
from matcalc.walk import depends, substitute, variables

TIME = 0.6  # seconds of processor time after which the search stops
ENOUGH = 1.0  # an explanation as simple as this ends the search
MAX_SQUARE = 4  # matrices that may have been taken for symmetric
EDITED = 1.1  # an edit of the result is no better than a fact that is not given


@dataclass(frozen=True)
class Case:
    """What a diagnosis needs to know.

    Attributes:
        graph: the forward graph.
        target: what the gradient is taken with respect to; None for anything else than a gradient.
        right: the right result.
        field: evaluates.
        points: where to compare.
        claimed: the values of the claim there.
        claim: the claim as an expression; None where only numbers are claimed.
        others: results that are taken for the right one, and what is to be said then.
    """

    graph: Graph
    target: Expr | None
    right: Expr
    field: Field
    points: Sequence[Point]
    claimed: Sequence[Array]
    claim: Expr | None = None
    others: Sequence[tuple[Message, Expr]] = ()


def diagnose(case: Case) -> Diagnosis:
    """The simplest usual mistake that gives exactly the claimed values; empty where none was found."""
    rights = [case.field.values([case.right], p)[0] for p in case.points]
    start = thread_time()
    derived = case.target is not None and case.graph.output.is_scalar
    best: Found = None
    for search, of_derivation in SEARCHES:
        if (derived or not of_derivation) and (best is None or best[0] > ENOUGH):
            best = _simpler(best, search(case, rights, start))
    if best is None or best[0] >= EDITED:
        best = _simpler(best, _for_symmetric(case))
    return best[1] if best is not None else Diagnosis()


Found = tuple[float, Diagnosis] | None


def _simpler(a: Found, b: Found) -> Found:
    if a is None or b is None:
        return a or b
    return a if a[0] <= b[0] else b


def _same(first: Iterable[Array], second: Iterable[Array]) -> bool:
    return all(
        a.shape == b.shape and bool(np.all(np.isfinite(b))) and distance(a, b) < CLOSE for a, b in zip(first, second)
    )


# ------------------------------------------------------------------------------------------------ as a whole

TRANSPOSED = "it is the transpose of the right result (numerator layout?)"


def _whole(case: Case, rights: list[Array], start: float) -> Found:
    """The claim as a multiple or the transpose of the right result."""
    if _same(case.claimed, [r.T for r in rights]):
        return 0.5, Diagnosis(said(TRANSPOSED), ("transposed",))
    values = [_values(case, p) for p in case.points]
    found: Found = None
    if _same(case.claimed, rights):
        gap = max(distance(a, b) for a, b in zip(case.claimed, rights))
        rounded = said("a constant is rounded: the relative difference is {0}", f"{gap:.0e}")
        return 0.5, Diagnosis(rounded, ("rounding",))
    for factor in factors(list(zip(case.claimed, rights)), values):
        odd = factor.value and values[0][factor.value].size > 1  # something else may explain it better
        found = _simpler(found, (factor.weight + (0.05 if odd else 0), _factor_text(factor, case)))
    if found is None and all(c.shape == r.T.shape for c, r in zip(case.claimed, rights)):
        for factor in factors(list(zip(case.claimed, [r.T for r in rights])), [{} for _ in rights]):
            more = _factor_text(factor, case)
            both = said("{0}; in addition, {1}", said(TRANSPOSED), more)
            found = 1.0 + factor.weight, Diagnosis(both, ("transposed", *more.kinds))
    if found is None and not any(np.any(c) for c in case.claimed) and any(np.any(r) for r in rights):
        return 1.0, Diagnosis(said("it is zero, the right result is not"), ("zero",))
    return found


def _values(case: Case, point: Point) -> dict[str, Array]:
    """What may be a factor: dimensions, variables and named values, by name; later names do not hide earlier ones."""
    found = _sizes(point)
    nodes = [*case.graph.nodes, *(reductions(opened(case.graph.output)[0]) if case.target is not None else ())]
    exprs = [e for e in nodes if is_one(e.shape[0]) or is_one(e.shape[1]) or e.shape == case.right.shape]
    try:
        arrays = case.field.values(exprs, point)
    except MatcalcError:
        return found
    for e, a in zip(exprs, arrays):
        if np.all(np.isfinite(a)):
            found[name_in_words(e)] = a
    return found


def _sizes(point: Point) -> dict[str, Array]:
    """The dimensions and their quotients, by name."""
    sizes = {name: float(size) for name, size in point.sizes.items()}
    found: dict[str, Array] = {name: np.array([[size]]) for name, size in sizes.items()}
    for (first, m), (second, n) in permutations(sizes.items(), 2):
        found[f"{first}/{second}"] = np.array([[m / n]])
    return found


def _factor_text(factor: Factor, case: Case) -> Diagnosis:
    node = factor.value if factor.value in case.graph.definitions else ""
    if not factor.value and factor.number == -1:
        return Diagnosis(said("the sign is wrong"), ("sign",))
    plain = bool(factor.value) and "/" not in factor.value
    absent = plain and case.claim is not None and factor.value not in _names_in(case.claim)
    if factor.value and factor.number == 1 and abs(factor.exponent) == 2 and not absent:
        how = "multiplied instead of divided" if factor.exponent > 0 else "divided instead of multiplied"
        return Diagnosis(said(FACTORS[how], factor.value), ("factor", how), node)
    sizes = {float(size): name for name, size in case.points[0].sizes.items()} if len(case.points) == 1 else {}
    size = max(abs(factor.number), 1 / abs(factor.number))
    natural = (factor.exponent > 0 and not absent) if factor.value else abs(factor.number) > 1
    how = "spurious factor" if natural else "missing factor"
    shown = factor if natural else Factor(1 / factor.number, factor.value, -factor.exponent)
    text = said(FACTORS[how], str(shown))
    if float(size) in sizes:
        text = said("{0} ({1} is {2} here)", text, sizes[float(size)], str(size))
    return Diagnosis(text, ("factor", how), node)


FACTORS = {
    "multiplied instead of divided": "multiplied instead of divided by {0}",
    "divided instead of multiplied": "divided instead of multiplied by {0}",
    "spurious factor": "spurious factor {0}",
    "missing factor": "missing factor {0}",
}


def _names_in(e: Expr) -> set[str]:
    """The names of variables and values that an expression is written with, and of its dimensions."""
    order = list(postorder((e,), through_names=False))
    names = {s.name for s in order if s.name}
    numbers = (s.params[0] for s in order if s.op == "number")
    return names | {str(symbol) for number in numbers for symbol in number.free_symbols}


# ------------------------------------------------------------------------------------------------ other results

SYMMETRIC = "it is right only for symmetric {0}"


def _other_result(case: Case, rights: list[Array], start: float) -> Found:
    """The claim as another result, such as the gradient of a free matrix."""
    for text, other in case.others:
        if _gives(other, list(case.claimed), case):
            return 0.9, Diagnosis(text, ("another result",))
    return None


def _one_term(case: Case, rights: list[Array], start: float) -> Found:
    """What stands in place of the gradient of one term of the function."""
    assert case.target is not None
    for term in terms_of(case.graph.output, case.target):
        gradient = term_gradient(term, case.target)
        try:
            own = [case.field.values([gradient], p)[0] for p in case.points]
        except (MatcalcError, np.linalg.LinAlgError):
            continue
        if all(np.isfinite(g).all() for g in own):
            found = said_of_term(term, gradient, case.claimed, rights, own, [_sizes(p) for p in case.points])
            if found:
                return 0.9, found
    return None


NEIGHBOUR = "it is the gradient of the function with {1} in place of {0}"


def _other_function(case: Case, rights: list[Array], start: float) -> Found:
    """The claim as the gradient of a function that is taken for the given one: a norm for its square, and so on."""
    assert case.target is not None
    for part, other, function in neighbours(case.graph.output):
        if case.target in depends((case.target,), (part,)) or case.target not in set(postorder((function,))):
            continue
        if _gives(wrong_gradient(function, case.target, Mistake()), list(case.claimed), case):
            text = said(NEIGHBOUR, shorten(str(part)), shorten(str(other)))
            return 0.9, Diagnosis(text, ("another function",), node_of(case.graph, part))
    return None


def _for_symmetric(case: Case) -> Found:
    """A claim that is right where a matrix is symmetric, which no fact says."""
    if case.claim is None:
        return None
    square = [v for v in case.field.variables if same(*v.shape) and not v.is_scalar and not v.params[3]][:MAX_SQUARE]
    for chosen in [*((v,) for v in square), *([square] if len(square) > 1 else [])]:
        turned = [reduce(_with_symmetric, (v.name for v in chosen), p) for p in case.points]
        pairs = [case.field.values([case.claim, case.right], p) for p in turned]
        if all(_same([right], [claimed]) and np.any(right) for claimed, right in pairs):
            names = ", ".join(v.name for v in chosen)
            return 1.0, Diagnosis(said(SYMMETRIC, names), ("symmetric assumed",))
    return None


def _with_symmetric(point: Point, name: str) -> Point:
    A = point.arrays[name]
    return replace(point, arrays={**point.arrays, name: (A + A.T) / 2})


# ------------------------------------------------------------------------------------------------ wrong derivations


def _wrong_derivation(case: Case, rights: list[Array], start: float) -> Found:
    """A gradient with values held constant or activations taken for linear, times a factor."""
    assert case.target is not None
    best: Found = None
    values = [_values(case, p) for p in case.points]
    output, target = opened(case.graph.output, case.target)
    for mistake in mistakes(output, target):
        if thread_time() - start > TIME or (best is not None and best[0] <= max(ENOUGH, mistake.weight)):
            break
        if not mistake.weight:
            continue
        try:
            wrong = wrong_gradient(output, target, mistake)
            arrays = [case.field.values([wrong], p)[0] for p in case.points]
        except (MatcalcError, np.linalg.LinAlgError):
            continue
        if not all(np.isfinite(a).all() for a in arrays):
            continue
        for factor in factors(list(zip(case.claimed, arrays)), values):
            text = mistake_text(mistake, case.graph)
            if not factor.is_one:
                more = _factor_text(factor, case)
                both = said("{0}; in addition, {1}", text, more)
                text = Diagnosis(both, (*text.kinds, *more.kinds), text.node or more.node)
            best = _simpler(best, (mistake.weight + factor.weight, text))
    return best


# ------------------------------------------------------------------------------------------------ one edit

# What an edit of the claim that makes it right says, and what an edit of the result that makes it the claim says.
REPAIRS: dict[str, tuple[str, str]] = {
    "drop term": ("spurious term {0}", "term {0} is missing: it was dropped"),
    "drop factor": ("spurious factor {0}", "missing factor {0}"),
    "sign": ("wrong sign of the term {0}", "wrong sign of the term {0}"),
    "transpose": ("{0} must be transposed", "{0} is transposed wrongly"),
    "order": ("the chain is in the wrong order at {0}", "the order of {0} is exchanged"),
    "product": ("elementwise product instead of the matrix product at {0}", "matrix product for an elementwise one"),
    "elementwise": (
        "matrix product instead of the elementwise (Hadamard) product at {0}",
        "elementwise product instead of the matrix product at {0}",
    ),
    "mean": ("sum instead of mean at {0}", "mean instead of sum at {0}"),
    "sum": ("mean instead of sum at {0}", "sum instead of mean at {0}"),
    "degrees of freedom": ("the other degrees of freedom at {0}", "the other degrees of freedom at {0}"),
    "inverse": ("spurious inverse of {0}", "the inverse of {0} is missing"),
    "reciprocal": ("{0} divides where it must multiply, or the reverse", "{0} divides where it must multiply"),
    "power": ("wrong power of {0}", "wrong power of {0}"),
}


def _one_edit(case: Case, rights: list[Array], start: float) -> Found:
    """One edit of the claim that makes it right, or one of the result that makes it the claim."""
    best: Found = None
    for side, goal, column in ((case.claim, rights, 0), (case.right, list(case.claimed), 1)):
        if side is None:
            continue
        begun = thread_time()
        for form in _forms(side):
            for edit in edits(form):
                if thread_time() - begun > TIME / 2:
                    break
                if not _gives(edit.result, goal, case):
                    continue
                text = _edit_text(edit.kind, edit.place, column)
                right = str(edit.result) if column == 0 else ""
                found = Diagnosis(text, (edit.kind,), node_of(case.graph, edit.place), right)
                best = _simpler(best, (1.0 + 0.1 * column + 0.01 * len(text), found))
    return best


def _forms(e: Expr) -> list[Expr]:
    """The expression with its own definitions opened, and with the graph's names in it opened too, one level deep."""
    plain = without_names(e, local_only=True)
    names = {s: s.args[0] for s in postorder((plain,), through_names=False) if s.op == "named"}
    return [plain, substitute(plain, names, through_names=False)] if names else [plain]


def _edit_text(kind: str, place: Expr, column: int) -> Message:
    if kind.startswith("factor"):
        number = Fraction(kind.split()[1])
        number = number if column else 1 / number
        if number > 1:
            return said("spurious factor {0} in the term {1}", str(number), str(place))
        return said("missing factor {0} in the term {1}", str(1 / number), str(place))
    return said(REPAIRS[kind][column], str(place))


def _gives(e: Expr, goal: list[Array], case: Case) -> bool:
    for point, wanted in zip(case.points, goal):
        try:
            value = case.field.values([e], point)[0]
        except (MatcalcError, np.linalg.LinAlgError):
            return False
        if not _same([wanted], [value]):
            return False
    return True


def node_of(graph: Graph, place: Expr) -> str:
    """The first value of the graph whose own definition uses `place`, or its first variable.

    What is written with the output of an entrywise function, such as 1 - h, belongs to the derivative of that function.
    """
    wanted: list[Callable[[Expr], bool]] = [lambda s: s.digest == place.digest]
    leaves = [e for e in postorder((place,), through_names=False) if e.name]
    outputs = (e for e in leaves if e.op == "named" and REGISTRY[e.args[0].op].scalar_function is not None)
    output = next(outputs, None)
    if output is not None and output is not place:
        return output.name
    wanted += [lambda s, leaf=leaf: s is leaf for leaf in (*leaves, *variables([place]))]  # type: ignore[misc]
    for fits in wanted:
        for name, definition in graph.definitions.items():
            if any(fits(sub) for sub in postorder(definition.args, through_names=False)):
                return name
    return ""


# The searches in their order, and whether each needs a derivation.
SEARCHES: tuple[tuple[Callable[[Case, list[Array], float], Found], bool], ...] = (
    (_whole, False),
    (_other_result, False),
    (_one_term, True),
    (_other_function, True),
    (_one_edit, False),
    (_wrong_derivation, True),
)
