"""Checks of what a user adds: an operation's three views against differences, a rule against random values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import sympy as sp

from matcalc import core
from matcalc.api.derivation import Derivation
from matcalc.api.derive import derive
from matcalc.dims import dim, same_shape, shape_text
from matcalc.errors import MatcalcError
from matcalc.expr import Expr, Op, node, postorder, record
from matcalc.frontend.parser import parse_in
from matcalc.numeric.binding import Array
from matcalc.numeric.evaluate import evaluate_all
from matcalc.numeric.points import Point, Task, drawn
from matcalc.numeric.report import Report
from matcalc.numeric.sample import MODES, draw_sizes, sample
from matcalc.printing.latex import latex
from matcalc.printing.text import text
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.rewrite.measure import cost
from matcalc.rewrite.rule import RULES, Rule, among, but
from matcalc.walk import substitute, variables

_CLOSE, _ATTEMPTS, _MARGIN = 1e-9, 40, 0.05


def example_of(entry: Op) -> Expr:
    """The operation on fresh variables of the shapes of its record's example."""
    args = []
    for k, part in enumerate(filter(None, (p.strip() for p in entry.example[0].split(",")))):
        shape, _, value = part.partition("=")
        rows, cols = (dim(int(d)) if d.isdigit() else dim(sp.sympify(d)) for d in shape.split())
        args.append(core.number(sp.Rational(value)) if value else core.var(f"A{k}", rows, cols))
    params = [dim(p) if spec.kind == "dim" else p for spec, p in zip(entry.params, entry.example[1:])]
    return node(entry.name, args, tuple(params))


# ------------------------------------------------------------------------------------------------ operations


def check_op(op: Op | str, *, trials: int = 3, seed: int = 0, targets: Iterable[str] = ("numpy",)) -> list[str]:
    """What holds of an operation, tested on its record's example.

    The differential is compared with differences in its three views (matrix, applied, adjoint), the definition, if
    there is one, with the value, the printed text is read back, and code is made for some targets.

    Args:
        op: the record, or its name.
        trials: random points for each comparison.
        seed: of the random numbers.
        targets: for which value and derivatives must have code.

    Returns:
        A line for everything that was found to hold.

    Raises:
        MatcalcError: something does not hold; the message says what.
    """
    entry = record(op) if isinstance(op, str) else op
    if len(entry.example) != 1 + len(entry.params):
        raise MatcalcError(
            f"{entry.name}: the example gives {len(entry.example) - 1} of {len(entry.params)} parameters"
        )
    e = example_of(entry)
    moving = variables([e])
    if not moving:
        raise MatcalcError(f"{entry.name}: its example has no variable to differentiate by")
    names = [v.name for v in moving]
    whole = derive(e, wrt=names)
    held = [_holds(entry, "the matrix of the differential", _checked(whole, "jacobian", trials, seed))]
    weights = core.var("W", *e.shape)
    scalar = derive(core.total(core.hadamard(e, weights)), wrt=names)
    held.append(_holds(entry, "the adjoint of the differential", scalar.check(trials, seed)))
    points = list(_points(scalar, trials, seed))
    if not points:
        raise MatcalcError(f"{entry.name}: no random point lies in its domain")
    held.append(_applied(entry, scalar, points))
    if entry.definition is not None:
        held.append(_defined(entry, e, points))
    held.append(_read_back(entry, e))
    for target in targets:
        for d in (whole, scalar):
            d.code("value", target), d.code(None, target)
        held.append(f"there is code for {target}")
    return held


def _checked(d: Derivation, kind: str, trials: int, seed: int) -> Report:
    return d.check(trials, seed, kind=None if d.output.is_scalar else kind)


def _holds(entry: Op, what: str, report: Report) -> str:
    if not report.ok:
        raise MatcalcError(f"{entry.name}: {what} is wrong: {report.reason}")
    return f"{what} agrees with differences"


def _points(d: Derivation, trials: int, seed: int) -> Iterator[Point]:
    task = Task(d.source.output, list(d.graph.declared.values()), d.function("value"), [], {})
    found = 0
    for attempt in range(_ATTEMPTS):
        point = drawn(task, np.random.default_rng([seed, attempt]), MODES[attempt % len(MODES)], _MARGIN)
        if point is not None:
            found += 1
            yield point
        if found == trials:
            return


def _applied(entry: Op, d: Derivation, points: Iterable[Point]) -> str:
    """The maps applied to directions, against the gradients, which come from their adjoints."""
    along, slopes = d.function("jvp"), d.function("gradient")
    for point in points:
        V = {name: point.rng.normal(size=point.arrays[name].shape) for name in d.names}
        G = slopes(**point.arrays, dims=point.sizes)
        wanted = sum(float(np.sum(np.asarray(G[name]) * V[name])) for name in d.names)
        found = along(**point.arrays, tangents=V, dims=point.sizes)
        if not _close(np.array(found), np.array(wanted)):
            raise MatcalcError(f"{entry.name}: the differential applied to a direction is not what its adjoint gives")
    return "the differential applied to directions agrees with its adjoint"


def _defined(entry: Op, e: Expr, points: Iterable[Point]) -> str:
    assert entry.definition is not None
    definition = entry.definition(*e.args, *e.params)
    if not same_shape(definition.shape, e.shape):
        raise MatcalcError(
            f"{entry.name}: the definition is {shape_text(definition.shape)}, the operation {shape_text(e.shape)}"
        )
    for point in points:
        if not _close(*evaluate_all([e, definition], point.arrays, point.sizes)):
            raise MatcalcError(f"{entry.name}: the NumPy form and the definition have other values")
    return "the NumPy form agrees with the definition"


def _read_back(entry: Op, e: Expr) -> str:
    printed = text(e)
    if parse_in(printed, {v.name: v for v in variables([e])}, (e,)) is not e:
        raise MatcalcError(f"{entry.name}: the text {printed} is read as something else")
    if not latex(e).strip():
        raise MatcalcError(f"{entry.name}: the LaTeX form is empty")
    return f"{printed} is read back"


def _close(a: Array, b: Array) -> bool:
    return bool(np.abs(a - b).max(initial=0.0) <= _CLOSE * max(1.0, np.abs(b).max(initial=0.0)))


# ------------------------------------------------------------------------------------------------ rules


def check_rule(rule: Rule | str, *, trials: int = 4, seed: int = 0) -> list[str]:
    """What holds of a rule, tested on its own two sides.

    Both sides have the same values at random points that satisfy its facts, the rule fires on its left side, is silent
    (or still true) without its facts, and a rule for the shortest form makes the expression shorter.

    Raises:
        MatcalcError: something does not hold; the message says what.
    """
    if isinstance(rule, str):
        if rule not in RULES:
            raise MatcalcError(f"no rule is called {rule}")
        rule = RULES[rule]
    left, right = rule.example()
    if not same_shape(left.shape, right.shape):
        raise MatcalcError(f"{rule.name}: the sides are {shape_text(left.shape)} and {shape_text(right.shape)}")
    _need_equal(rule, left, right, trials, seed)
    held = ["both sides have the same values"]
    after = _fired(rule, left)
    if after is None:
        raise MatcalcError(f"{rule.name}: it does not fire on its left side {left}")
    held.append(f"{left} becomes {after}")
    bare = substitute(left, {v: core.var(v.name, *v.shape) for v in variables([left])})
    if bare is not left and (loose := _fired(rule, bare)) is not None:
        _need_equal(rule, bare, loose, trials, seed)
    if rule.group == "present":
        if cost(after) >= cost(left):
            raise MatcalcError(f"{rule.name}: {after} is not shorter than {left}, which its group is for")
        held.append("the result is shorter")
    return held


def _fired(rule: Rule, left: Expr) -> Expr | None:
    """What the rule makes of an expression, or of what tidying or the other rules leave of it."""
    for only in (None, among(), but((rule.name,))):
        e = left if only is None else Rewriter(Context(), only=only).normal(left)
        after = rule.apply(e, Context()) if e.op == rule.op else None
        if after is not None:
            return after
    return None


def _need_equal(rule: Rule, left: Expr, right: Expr, trials: int, seed: int) -> None:
    seen = 0
    for attempt in range(10 * trials):
        rng = np.random.default_rng([seed, attempt])
        sizes = draw_sizes([d for sub in postorder([left, right]) for d in sub.shape], rng)
        arrays, _ = sample(variables([left, right]), rng, sizes, MODES[attempt % len(MODES)])
        first, second = evaluate_all([left, right], arrays, sizes)
        if not (np.isfinite(first).all() and np.isfinite(second).all()):
            continue
        if not _close(first, second):
            raise MatcalcError(f"{rule.name}: {left} and {right} have other values at a random point")
        seen += 1
        if seen == trials:
            return
    raise MatcalcError(f"{rule.name}: too few random points where {left} is finite")
