"""The differential view: the page without headings. Differentials forwards, carried back, and identified.

A second differential is the Hessian's business, which the page has where it is asked for.
"""

from __future__ import annotations

from matcalc import core
from matcalc.calculus.jacobian import jacobian_by
from matcalc.calculus.paths import Path
from matcalc.expr import Expr, postorder
from matcalc.printing.pieces import locals_of
from matcalc.views.backward import Chain, Row, inner, kinds_of
from matcalc.views.lesson_page import LessonWriter
from matcalc.views.page import Equation, Line, View


def write_differentials(writer: LessonWriter, view: View) -> None:
    """Fill in the differentials of a scalar function's values, the same carried back, and what is identified."""
    d, way = writer.b.d, writer.way
    view.differentials = _forward(writer)
    shown = {(e.left, e.rows[-1].formula) for e in view.differentials}
    for p in d.reverse.adjoints:
        carried = _carried(writer, p)
        if carried is not None and (carried.left, carried.rows[-1].formula) not in shown:
            view.carried.append(carried)
    total = core.add(*(inner(d.reverse.adjoints[e].value, way.symbols[e]) for e in d.wrt if e in way.symbols))
    view.identified.append(Equation(writer.b.differential_of(d.output), [Line(writer.expr(total))]))


def write_map_differentials(writer: LessonWriter, view: View) -> None:
    """Fill in the differentials of a matrix function's values, and what they are on vec: the first identification."""
    b = writer.b
    view.differentials = _forward(writer)
    for e in b.d.wrt:
        J = jacobian_by(b.d, str(e.params[0])).value
        remark = b.words("along {0} alone").format(b.inline(b.named(e))) if len(b.d.wrt) > 1 else ""
        for n in locals_of(J):
            view.identified.append(Equation(b.named(n), [Line(b.w.expr(n.args[0]), b.words("in what follows"))]))
        view.identified.append(Equation(b.d_vec(b.d.output), [Line(b.product([J], b.d_entries(e)), remark)]))


def _forward(writer: LessonWriter) -> list[Equation]:
    """The differentials of the values, in order of evaluation; by the product rule, then collected."""
    b = writer.b
    by_start: dict[Expr, list[Path]] = {}
    for paths in b.paths.values():
        for path in paths:
            by_start.setdefault(path.start, []).append(path)
    order = filter(by_start.__contains__, postorder((b.d.output,)))
    return [writer.equation(writer.way.differential(e, by_start[e]), b.differential_of(e)) for e in order]


def _carried(writer: LessonWriter, p: Expr) -> Equation | None:
    """<G, dp> in terms of the differentials that dp is made of; None for what nothing enters."""
    d, way = writer.b.d, writer.way
    paths = [path for some in d.paths.values() for path in some if path.start is p]
    if not paths:
        return None
    ends = dict.fromkeys(path.end for path in paths)
    brought = {end: way.brought(end, [path for path in paths if path.end is end], way.rewriter()) for end in ends}
    total = core.add(*(inner(G, way.symbols[end]) for end, G in brought.items()))
    kinds = [kind for path in paths for kind in kinds_of(path)]
    made = d.reverse.adjoints[p]
    left = writer.b.differential_of(p) if p is d.output else writer.expr(inner(made.handle, way.symbols[p]))
    return writer.equation(Chain(p, [Row(total, ["carried"])]), left, kinds)
