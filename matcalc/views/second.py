"""Hessians with their steps: the differential of the gradient, value by value, and its matrix."""

from __future__ import annotations

from matcalc import core
from matcalc.calculus.jacobian import hessian_by
from matcalc.calculus.names import is_local
from matcalc.calculus.paths import Path, paths_to
from matcalc.calculus.reverse import ReverseAccumulation
from matcalc.dims import is_one
from matcalc.expr import Expr, postorder
from matcalc.printing.pieces import locals_of
from matcalc.printing.symbols import ADJOINT
from matcalc.views.lesson_page import LessonWriter
from matcalc.views.page import Equation, Line, Second
from matcalc.walk import transform


def second_order(writer: LessonWriter, e: Expr) -> Second:
    """The Hessian by one variable, from the differentials of the gradient and of the values in it."""
    b = writer.b
    found = hessian_by(b.d, str(e.params[0]))
    gradient = core.named(_gradient_name(b.adjoint_name(e), b.w.plain, e), _free_gradient(writer, e), "local")
    lines = _differentials(writer, gradient, e)
    last = _on_vec(writer, gradient, e, found.value)
    if last is not None and lines and lines[-1].left == last.left:
        known = lines.pop()
        last = Equation(last.left, [*known.rows, *(row for row in last.rows if row.formula != known.rows[-1].formula)])
    return Second(
        of=b.named(e),
        lines=lines,
        definitions=[Line(f"{b.named(n)} = {b.w.expr(n.args[0])}") for n in locals_of(found.value)],
        on_vec=last,
        result=Equation(_quotient(writer, e), [Line(b.w.expr(found.value), "", b.w.shape(found.value.shape))]),
        conditions=[b.condition(fact, at) for fact, at in found.conditions],
    )


def _gradient_name(name: str, plain: bool, e: Expr) -> str:
    return name if plain else ADJOINT + str(e.params[0])


def _free_gradient(writer: LessonWriter, e: Expr) -> Expr:
    """The gradient as it is differentiated again: without facts that hold at the point only."""
    d = writer.b.d
    context = d.new_context(closed=False, moving=(e,))
    engine = ReverseAccumulation(d.output, context, d.fresh_names(), d.folds_around((e,)), equations=e.op == "variable")
    value = engine.run([e], core.number(1)).adjoints[e].value
    if not writer.w.plain:
        return value

    def renamed(new: Expr, old: Expr) -> Expr:
        if not is_local(old):
            return new
        return core.named("g_" + str(old.params[0]).removeprefix(ADJOINT), new.args[0], "local")

    return transform((value,), renamed)[value]


def _differentials(writer: LessonWriter, gradient: Expr, e: Expr) -> list[Equation]:
    """The differentials of the values in a gradient and of the gradient, in order of evaluation."""
    by_start: dict[Expr, list[Path]] = {}
    for paths in paths_to(gradient, [e], ()).values():
        for path in paths:
            by_start.setdefault(path.start, []).append(path)
    lines = []
    for value in postorder((gradient,)):
        writer.symbol_for(value)
    for start in filter(by_start.__contains__, postorder((gradient,))):
        chain = writer.way.differential(start, by_start[start])
        lines.append(writer.equation(chain, writer.d_of(start)))
    return lines


def _on_vec(writer: LessonWriter, gradient: Expr, e: Expr, H: Expr) -> Equation | None:
    """The differential of the gradient as a matrix times that of the variable; None along a structured set."""
    b = writer.b
    if b.structure_of(e) != "none":
        return None
    if e.is_scalar or is_one(e.shape[1]):
        return Equation(writer.d_of(gradient), [Line(writer.expr(core.product(H, writer.way.symbols[e])))])
    return Equation(b.d_vec(gradient), [Line(b.product([H], b.d_vec(e)))])


def _quotient(writer: LessonWriter, e: Expr) -> str:
    """d2f/dw2; by the entries of a matrix."""
    b = writer.b
    f, x = b.named(b.d.output), b.by_entries(e)
    if b.w.plain:
        return f"d2{f}/d{x}2" if x == b.named(e) else f"d2{f}/d({x})2"
    square = f"{x}^2" if x == b.named(e) else rf"({x})^2"
    return rf"\frac{{\partial^2 {f}}}{{\partial {square}}}"
