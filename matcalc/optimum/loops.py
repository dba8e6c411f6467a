"""The optimum of a program with families and recurrences: a closed form, or what an optimum satisfies.

Where the function is quadratic in its unknowns, which is proved term by term (states of affine recurrences count as
affine), one step of Newton's method is exact and gives numbers; without recurrences a single unknown has a closed form
in sums. Else the answer is the gradient that is 0, with the adjoints that it needs: for a convex function a minimum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from matcalc import core
from matcalc.curvature.loops import curvature_of_loops, is_affine, terms_of
from matcalc.curvature.spectrum import Reason
from matcalc.curvature.status import Curvature
from matcalc.errors import NoRuleError, need_one_of
from matcalc.expr import Expr, postorder, record
from matcalc.indices.program import LoopSum
from matcalc.loops.lines import Line, Term, value_text
from matcalc.loops.pieces import Pieces, wanted
from matcalc.loops.problem import LoopProblem
from matcalc.loops.second import hessian_lines
from matcalc.optimum.question import MAXIMUM, MINIMUM, STATIONARY
from matcalc.optimum.result import CLOSED, EQUATION, NONE, Solved
from matcalc.optimum.shown import plain_words
from matcalc.properties import names_of
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.walk import substitute, variables

QUADRATIC = Reason(
    "quadratic",
    "where the gradient is affine, it is 0 at w - inv(H)*g, g and H the gradient and the Hessian at any w",
    "Boyd & Vandenberghe (2004), 9.5",
    core.number(0),
)
CONVEX = Reason(
    "stationary and convex",
    "where its gradient is 0, a convex function has a global minimum, a concave one a global maximum",
    "Boyd & Vandenberghe (2004), 3.1.3",
    core.number(0),
)
KINKS = "The function has kinks: at one of them it may be smallest or largest without these equations."
KINDS = {"convex": MINIMUM, "concave": MAXIMUM}


@dataclass(frozen=True)
class LoopOptimum(Solved[str]):
    """The optimum of a program with loops, or what it satisfies; it has no truth value.

    Attributes:
        over: the unknowns.
        status: `closed-form`, `equation` or `none`.
        kind: `minimum`, `maximum` or `stationary`.
        quadratic: whether it is quadratic in the unknowns: `solved` gives numbers.
        values: closed forms, as text in the notation of sums.
        equations: what holds at it, line by line.
        conditions: what the data must satisfy.
        reasons: the theorems that were used.
        note: what is not said, and why.
    """

    over: tuple[str, ...]
    status: str
    kind: str
    quadratic: bool
    values: dict[str, str] = field(default_factory=dict)
    equations: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    note: str = ""
    newton: Callable[..., dict[str, Any]] | None = None

    def solved(self, *, dims: Mapping[str, int] | None = None, **values: Any) -> dict[str, Any]:
        """The unknowns' values as numbers, for a quadratic function; any numbers may stand for the unknowns.

        Raises:
            NoRuleError: it is not shown to be quadratic.
            ValueError: the Hessian is singular.
        """
        if self.newton is None:
            raise NoRuleError("the function is not shown to be quadratic in the unknowns: see .equations")
        return self.newton(dims=dims, **values)

    @property
    def headline(self) -> str:
        """What it is, in one line."""
        names = ", ".join(self.over)
        kind = "stationary point" if self.kind == STATIONARY else self.kind
        if self.status == NONE:
            return f"no {kind} over {names} is known"
        form = "in closed form" if self.status == CLOSED else "is where the equations hold"
        return f"a {kind} over {names}{',' if self.status == CLOSED else ''} {form}"

    def text(self) -> str:
        """The answer in plain text."""
        lines = [self.headline, *(f"  {name} = {value}" for name, value in self.values.items())]
        lines += [f"  where {condition}" for condition in self.conditions]
        lines += ["stationarity:", *(f"  {e}" for e in self.equations)] if self.equations else []
        lines += ["because:"] if self.reasons else []
        lines += [f"  {r.rule}: {r.statement} [{r.source}]" for r in self.reasons]
        return "\n".join([*lines, *([self.note] if self.note else [])])

    def latex(self) -> str:
        """The answer as one display; formulas in the text notation."""
        rows = [self.headline, *(f"{n} = {v}" for n, v in self.values.items()), *self.equations]
        body = " \\\\\n".join(rf"&\texttt{{{plain_words(row)}}}" for row in rows)
        return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"

    def markdown(self) -> str:
        """The answer as Markdown."""
        return f"```\n{self.text()}\n```\n"

    def code(self) -> str:
        """Nothing: numbers come from `solved`.

        Raises:
            NoRuleError: always.
        """
        raise NoRuleError("no code is written for the optimum of a program with loops: .solved(...) gives numbers")

    def export(self, path: Any, **options: Any) -> Any:
        """Nothing: `text()`, `markdown()` and `data()` have all of it.

        Raises:
            NoRuleError: always.
        """
        raise NoRuleError("the optimum of a program with loops is not exported: text() and markdown() have all of it")

    def data(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "unknowns": list(self.over),
            "status": self.status,
            "kind": self.kind,
            "quadratic": self.quadratic,
            "values": dict(self.values),
            "equations": list(self.equations),
            "conditions": list(self.conditions),
            "steps": [{"rule": r.rule, "statement": r.statement, "source": r.source} for r in self.reasons],
            "note": self.note,
        }

    def __str__(self) -> str:
        return self.text()


def optimum_of_loops(d: LoopProblem, names: Iterable[str], subject_to: Iterable[str], sense: str) -> LoopOptimum:
    """The optimum over some variables and families; by default those of the derivation.

    Raises:
        NoRuleError: there are constraints, or an unknown has facts, so that its gradient need not be 0.
        MatcalcError: a name is neither a variable nor a family.
    """
    need_one_of("sense", sense, (MINIMUM, MAXIMUM, STATIONARY))
    if list(subject_to):
        raise NoRuleError(
            "constraints are not taken for programs with families and recurrences: put their multipliers in"
        )
    chosen = wanted(d.program, d.declared, list(names) or d.names)
    for name in chosen:
        facts = _facts(d, name)
        if facts:
            raise NoRuleError(
                f"{name} is {' '.join(facts)}: its gradient need not be 0; declare it without to ask where it is"
            )
    of = LoopProblem(d.program, d.output, d.declared, chosen)
    curvature = curvature_of_loops(of, chosen)
    kind = _kind(curvature)
    if sense != STATIONARY and kind != sense:
        word = {MINIMUM: "convex", MAXIMUM: "concave"}[sense]
        note = f"The function is not shown to be {word}, so that a stationary point need not be a {sense}."
        return LoopOptimum(tuple(chosen), NONE, sense, False, equations=tuple(_equations(of)), note=note)
    quadratic = is_quadratic(of.pieces)
    values = _closed(of) if quadratic else {}
    reasons = [*([QUADRATIC] if quadratic else []), *([CONVEX, *curvature.reasons] if kind != STATIONARY else [])]
    note = "Its numbers are given by solved(...)." if quadratic else KINKS if _has_kinks(of) else ""
    conditions = ("the Hessian is nonsingular",) if values else ()
    return LoopOptimum(
        tuple(chosen),
        CLOSED if values else EQUATION,
        kind,
        quadratic,
        values,
        tuple(_equations(of)),
        conditions,
        tuple({(r.rule, r.statement): r for r in reasons}.values()),
        note,
        _newton(of) if quadratic else None,
    )


def _facts(d: LoopProblem, name: str) -> tuple[str, ...]:
    if name in d.program.families:
        return tuple(d.program.families[name].facts)
    return tuple(names_of(next(v for v in d.declared if v.name == name).params[3]))


def _kind(c: Curvature) -> str:
    return next((kind for word, kind in KINDS.items() if word in c.status.split()), STATIONARY)


def _has_kinks(d: LoopProblem) -> bool:
    """Whether an operation in the function has kinks."""
    bodies = [d.output]
    for q in d.program.quantities:
        bodies += [q.body] if isinstance(q, LoopSum) else [r.body for r in q.parts if r.body is not None]
    return any(record(e.op).kinks for e in postorder(bodies))


def _equations(d: LoopProblem) -> list[str]:
    """The adjoints, then the gradients, which are 0."""
    before = {str(line): line for name in d.names for line in d.adjoints.before(name)}
    found = list(before)
    for name in d.names:
        lines = d.adjoints.result(name)
        if len(lines) > 1:
            found += [*map(str, lines), f"0 = the sum of these, the gradient by {name}"]
        elif lines and lines[0].head is not None:
            found.append(f"0 = {str(lines[0]).partition(': ')[2]}")
        else:
            found.append(f"0 = {value_text(lines[0])}" if lines else "0 = 0")
    return found


def is_quadratic(pieces: Pieces) -> bool:
    """Whether the function is quadratic in what it is differentiated by: each term is, in what is affine."""
    terms = terms_of(pieces)
    if terms is None:
        return False
    return all(is_affine(g, pieces) for _, e in terms for g in _slopes(pieces, e))


def _slopes(pieces: Pieces, e: Expr) -> list[Expr]:
    """The gradients of a term by all that moves in it."""
    piece = pieces.piece("slope", e)
    return list(piece.gradients.values())


def _closed(d: LoopProblem) -> dict[str, str]:
    """The closed form of a single unknown, where its Hessian is a sum of matrices."""
    name = d.names[0]
    if len(d.names) > 1 or d.adjoints.before(name):
        return {}
    try:
        second = hessian_lines(d, name)
    except NoRuleError:
        return {}
    first = d.adjoints.result(name)
    if len(first) != 1 or len(second) != 1 or first[0].further:
        return {}
    rewriter = Rewriter(Context([]))
    terms = [made for t in first[0].terms if (made := _at_zero(d, name, t, rewriter)) is not None]
    H, g = value_text(Line(None, second[0].terms)), value_text(Line(None, tuple(terms)))
    family = d.program.families.get(name)
    shape = family.shape if family is not None else d.pieces.declared[name].shape
    value = f"({g})/({H})" if shape == (1, 1) else f"inv({H})*({g})"
    value = value if terms else "0"
    if family is None:
        return {name: value}
    over = first[0].over
    return {} if over is None else {f"{name}[{over.index}]": f"{value} for {over.text}"}


def _at_zero(d: LoopProblem, name: str, term: Term, rewriter: Rewriter) -> Term | None:
    """A term of the negative gradient where the unknown is 0; None where it is 0."""
    unknown = {v for v in variables((term.value,)) if _is(d, v, name)}
    value = rewriter.simplify(core.minus(substitute(term.value, {v: core.zeros(*v.shape) for v in unknown})))
    return None if value.op == "zeros" or value.number == 0 else Term(value, term.run, term.inner, term.guards)


def _is(d: LoopProblem, v: Expr, name: str) -> bool:
    what = d.program.members.get(v)
    return v.name == name if what is None else what.of == name or (what.base is not None and what.base.name == name)


def _newton(d: LoopProblem) -> Callable[..., dict[str, Any]]:
    """One step of Newton's method from the numbers that stand for the unknowns."""

    def solved(*, dims: Mapping[str, int] | None = None, **values: Any) -> dict[str, Any]:
        gradient, product = d.compiled("gradient"), d.compiled("hvp")
        points = {name: np.asarray(values[name], float) for name in d.names}
        given = {**values, **points}
        slopes = gradient(**given, dims=dims)
        sizes = [points[name].size for name in d.names]
        ends = np.cumsum([0, *sizes])
        columns = []
        for k in range(ends[-1]):
            unit = np.zeros(ends[-1])
            unit[k] = 1
            tangents = {n: unit[a:b].reshape(points[n].shape) for n, a, b in zip(d.names, ends, ends[1:])}
            made = product(**given, tangents=tangents, dims=dims)
            columns.append(np.concatenate([np.ravel(made[n]) for n in d.names]))
        H, g = np.array(columns).T, np.concatenate([np.ravel(slopes[n]) for n in d.names])
        if np.linalg.matrix_rank(H) < len(H):
            raise ValueError("the Hessian is singular: the optimum is not unique, or there is none")
        step = np.linalg.solve(H, g)
        return {n: points[n] - step[a:b].reshape(points[n].shape) for n, a, b in zip(d.names, ends, ends[1:])}

    return solved
