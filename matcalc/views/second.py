"""Hessians with their steps: the differential of the gradient, value by value, its matrix, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from matcalc import core
from matcalc.calculus.jacobian import hessian_by
from matcalc.calculus.paths import Path, paths_to
from matcalc.calculus.problem import Problem
from matcalc.calculus.reverse import ReverseAccumulation
from matcalc.calculus.row_blocks import RowBlocks, row_blocks
from matcalc.calculus.wording import Remark
from matcalc.dims import is_one, symbols
from matcalc.expr import Expr, postorder
from matcalc.naming import Names
from matcalc.printing.latex import latex
from matcalc.printing.pieces import locals_of
from matcalc.printing.symbols import ADJOINT
from matcalc.views.layout import listed
from matcalc.views.lesson_page import LessonWriter
from matcalc.views.page import Equation, Line, Second

Known = Callable[[Problem, Expr], Iterable[Remark]]  # what is proved of a Hessian
HEADING = "Hessian by {0}: the differential of the gradient"
ON_VEC = "Hessian by {0}: the differential of the gradient, {1}"
ROW = "{0} is row i of {1}, as a column"
ROWS = "{0} are the rows i of {1}, as columns"
MESSAGES = (HEADING, ON_VEC, ROW, ROWS)


def second_order(writer: LessonWriter, e: Expr, known: Known) -> Second:
    """The Hessian by one variable, from the differentials of the gradient and of the values in it."""
    b = writer.b
    found = hessian_by(b.d, str(e.params[0]))
    gradient = core.named(
        b.adjoint_name(e) if b.w.plain else ADJOINT + str(e.params[0]), _free_gradient(writer, e), "local"
    )
    lines = _differentials(writer, gradient, e)
    handles = {made.handle for made in b.d.reverse.adjoints.values()}  # the page has them already
    free = b.structure_of(e) == "none"
    column = e.is_scalar or is_one(e.shape[1])
    H = _name_of(writer, found.value) if free and not column else None
    if free and column:
        lines = _with_matrix(writer, lines, gradient, e, found.value)
    return Second(
        of=b.named(e),
        heading=_heading(writer, gradient, e, H),
        lines=lines,
        definitions=[
            Line(f"{b.w.expr(n)} = {b.w.expr(n.args[0])}") for n in locals_of(found.value) if n not in handles
        ],
        result=_result(writer, e, found.value, H),
        conditions=[b.condition(fact, at) for fact, at in found.conditions],
        remarks=[_remark(writer, remark) for remark in known(b.d, e)],
    )


def nothing_known(d: Problem, e: Expr) -> Iterable[Remark]:
    """Nothing is said of the Hessian."""
    return ()


def _free_gradient(writer: LessonWriter, e: Expr) -> Expr:
    """The gradient as it is differentiated again: without facts that hold at the point only."""
    d = writer.b.d
    context = d.new_context(closed=False, moving=(e,))
    engine = ReverseAccumulation(d.output, context, d.fresh_names(), d.folds_around((e,)), equations=e.op == "variable")
    return engine.run([e], core.number(1)).adjoints[e].value


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


# ---------------------------------------------------------------------------------------------------- the matrix


def _taken(d: Problem) -> list[str]:
    sizes = symbols(size for v in d.graph.declared.values() for size in v.shape)
    return [*d.graph.declared, *d.graph.definitions, *map(str, sizes)]


def _name_of(writer: LessonWriter, H: Expr) -> Expr:
    """A name for a Hessian on vec."""
    d = writer.b.d
    taken = {*_taken(d), *(n.name for n in locals_of(H))}
    return core.var(next(name for name in ("H", "M", "Q", "H_", "H__") if name not in taken), *H.shape)


def _heading(writer: LessonWriter, gradient: Expr, e: Expr, name: Expr | None) -> str:
    b = writer.b
    if name is None:
        return b.words(HEADING).format(b.inline(b.named(e)))
    identification = f"{b.d_vec(gradient)} = {b.product([name], b.d_vec(e))}"
    return b.words(ON_VEC).format(b.inline(b.named(e)), b.inline(identification))


def _with_matrix(writer: LessonWriter, lines: list[Equation], gradient: Expr, e: Expr, H: Expr) -> list[Equation]:
    """The differential of the gradient by a column as a matrix times that of the column, after its last line."""
    row = Line(writer.expr(core.product(H, writer.way.symbols[e])))
    left = writer.d_of(gradient)
    if not lines or lines[-1].left != left:
        return [*lines, Equation(left, [row])]
    last = lines[-1]
    rows = last.rows if last.rows[-1].formula == row.formula else [*last.rows, row]
    return [*lines[:-1], Equation(left, rows)]


def _result(writer: LessonWriter, e: Expr, H: Expr, name: Expr | None) -> Equation:
    """The Hessian; as a sum over rows where it is one; by the independent entries of a structured variable."""
    b = writer.b
    where = f"{b.words('where')} {b.inline(made)}" if (made := b.entries_of(e)) else ""
    rows = [Line(b.w.expr(H), where, b.w.shape(H.shape))]
    blocks = None if name is None else row_blocks(H, b.d.rewriter, _RowNames(writer))
    if blocks is not None:
        rows.append(_by_rows(writer, blocks))
    left = _quotient(writer, e)
    return Equation(left if name is None else f"{b.w.expr(name)} = {left}", rows)


class _RowNames:
    """Names for the columns of row i of named matrices: p_i for P."""

    def __init__(self, writer: LessonWriter) -> None:
        d = writer.b.d
        self.names = Names(_taken(d))
        self.shorthands = writer.b.shorthands

    def __call__(self, M: Expr) -> Expr | None:
        name = self.shorthands.get(M, M).name
        return core.var(self.names.fresh(f"{name.lower()}_i"), M.shape[1], 1) if name else None


def _by_rows(writer: LessonWriter, blocks: RowBlocks) -> Line:
    b = writer.b
    term = b.w.expr(blocks.term)
    if b.w.plain:
        total = core.var(f"sum_i {term}", *blocks.term.shape)
        formula = b.w.expr(core.add(core.scale(blocks.factor, total), *([blocks.rest] if blocks.rest else [])))
    else:
        total = core.var("sum_i_", *blocks.term.shape)
        whole = core.add(core.scale(blocks.factor, total), *([blocks.rest] if blocks.rest else []))
        formula = latex(whole, b.w.notation.with_names({"sum_i_": rf"\sum_i {term}"}))
    columns = [b.inline(b.w.expr(v)) for v in blocks.rows.values()]
    matrices = [b.inline(b.w.expr(M)) for M in blocks.rows]
    message = ROWS if len(columns) > 1 else ROW
    return Line(formula, b.words(message).format(listed(columns, b.words), listed(matrices, b.words)))


def _remark(writer: LessonWriter, remark: Remark) -> str:
    """A remark as a sentence."""
    b = writer.b
    values = []
    for value in remark.values:
        if isinstance(value, str):
            values.append(b.words(value))
        else:
            several = value if isinstance(value, tuple) else (value,)
            values.append(listed([b.inline(b.w.expr(_by_names(b.d, v))) for v in several], b.words))
    return b.words(remark.message).format(*values)


def _by_names(d: Problem, e: Expr) -> Expr:
    """An expression by the names of the page, from the innermost values out."""
    while (named := d.folds.folded(e)) is not e:
        e = named
    return e


def _quotient(writer: LessonWriter, e: Expr) -> str:
    """d2f/dw2; by the entries of a matrix."""
    b = writer.b
    f, x = b.named(b.d.output), b.by_entries(e)
    if b.w.plain:
        return f"d2{f}/d{x}2" if x == b.named(e) else f"d2{f}/d({x})2"
    square = f"{x}^2" if x == b.named(e) else rf"({x})^2"
    return rf"\frac{{\partial^2 {f}}}{{\partial {square}}}"
