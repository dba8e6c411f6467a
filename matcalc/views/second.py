"""Hessians with their steps: the differential of the gradient, value by value, its matrix, and what is known of it.

Where the rows or columns of a variable do not mix, the matrix is that of one row or column; where it is a sum over
rows of a value, it stands as that sum; else it is the matrix on vec.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from matcalc import core
from matcalc.calculus.conditions import further_conditions
from matcalc.calculus.jacobian import hessian_by
from matcalc.calculus.names import is_local
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
from matcalc.printing.text import text
from matcalc.views.blocks import Matrices, PieceBlocks, with_ones
from matcalc.views.directions import Directions, quotient_of
from matcalc.views.layout import listed
from matcalc.views.lesson_page import LessonWriter
from matcalc.views.page import Equation, Line, Second
from matcalc.views.pieces import COLUMNS, ROWS
from matcalc.walk import transform

Known = Callable[[Problem, Expr], Iterable[Remark]]  # what is proved of a Hessian
SHORT = 70  # letters of a matrix on vec that is read as it stands
LONG = 140  # letters of a differential, in one line or two
WIDE = 100  # letters of a matrix in one line
FEW = 40  # letters of one that only inserts another in it
HEADING = "Hessian by {0}: the differential of the gradient"
ON_VEC = "Hessian by {0}: the differential of the gradient, {1}"
ROW = "{0} is row {2} of {1}, as a column"
SEVERAL_ROWS = "{0} are the rows {2} of {1}, as columns"
COLUMN = "{0} is column {2} of {1}"
SEVERAL_COLUMNS = "{0} are the columns {2} of {1}"
ROWS_APART = "by entries of different rows the second derivatives are 0"
COLUMNS_APART = "by entries of different columns the second derivatives are 0"
MESSAGES = (HEADING, ON_VEC, ROW, SEVERAL_ROWS, COLUMN, SEVERAL_COLUMNS, ROWS_APART, COLUMNS_APART)
PIECES = {ROWS: (ROW, SEVERAL_ROWS), COLUMNS: (COLUMN, SEVERAL_COLUMNS)}
APART = {ROWS: ROWS_APART, COLUMNS: COLUMNS_APART}
INDEX = {ROWS: "i", COLUMNS: "j"}


@dataclass
class Shown:
    """What the Hessians of a page have shown so far: lines, and the names of factors."""

    names: Names
    lines: set[tuple[str, str]] = field(default_factory=set)
    factors: dict[bytes, Expr] = field(default_factory=dict)


def second_orders(writer: LessonWriter, known: Known) -> list[Second]:
    """The Hessians by the variables that were asked for, each line once."""
    shown = Shown(Names(_taken(writer.b.d)))
    return [second_order(writer, e, known, shown) for e in writer.b.d.wrt]


def second_order(writer: LessonWriter, e: Expr, known: Known, shown: Shown) -> Second:
    """The Hessian by one variable, from the differentials of the gradient and of the values in it."""
    b = writer.b
    found = hessian_by(b.d, str(e.params[0]))
    gradient, adjoints = _free_gradient(writer, e)
    for value in postorder((gradient,)):
        writer.symbol_for(value)
    remarks = [_remark(writer, remark) for remark in known(b.d, e)]
    if b.structure_of(e) != "none":
        lines = _along_a_set(writer, gradient, e)
        part = _Answer(_result(writer, e, found.value), HEADING, found.value, found.conditions)
    else:
        directions = Directions(b.d, gradient, e, writer.way.symbols, adjoints, shown.names, shown.factors)
        part = _answer(
            writer, e, found.value, found.conditions, Matrices(directions, gradient, partial(_PieceNames, writer))
        )
        lines = _differentials(writer, directions, shown)
        if e.is_scalar or is_one(e.shape[1]):
            lines = _with_matrix(writer, lines, gradient, e, part.value)
    handles = {made.handle for made in b.d.reverse.adjoints.values()} | set(adjoints)  # the page has them already
    return Second(
        of=b.named(e),
        heading=b.words(part.heading).format(b.inline(b.named(e)), part.identified),
        lines=lines,
        definitions=[
            Line(f"{b.w.expr(n)} = {b.w.expr(n.args[0])}")
            for n in locals_of(part.value)
            if n not in handles and n.digest not in {q.digest for q in shown.factors.values()}
        ],
        result=part.result,
        conditions=[b.condition(fact, at) for fact, at in part.conditions],
        remarks=remarks,
    )


def nothing_known(d: Problem, e: Expr) -> Iterable[Remark]:
    """Nothing is said of the Hessian."""
    return ()


def _free_gradient(writer: LessonWriter, e: Expr) -> tuple[Expr, dict[Expr, Expr]]:
    """The gradient without facts that hold at the point only, to be differentiated again; whose gradients are in it."""
    b = writer.b
    d = b.d
    context = d.new_context(closed=False, moving=(e,))
    engine = ReverseAccumulation(d.output, context, d.fresh_names(), d.folds_around((e,)), equations=e.op == "variable")
    made = engine.run([e], core.number(1)).adjoints
    done = transform(
        (made[e].value, *(m.handle for m in made.values())),
        lambda new, old: b.shorthands.get(old, new),
        stop=lambda s: s.op == "named" and not is_local(s),
    )
    gradient = core.named(b.adjoint_name(e) if b.w.plain else ADJOINT + str(e.params[0]), done[made[e].value], "local")
    adjoints = {gradient: e}
    for of, m in made.items():
        if is_local(m.handle):
            adjoints.setdefault(done[m.handle], of)
    return gradient, adjoints


# ---------------------------------------------------------------------------------------------------- differentials


def _along_a_set(writer: LessonWriter, gradient: Expr, e: Expr) -> list[Equation]:
    """The differentials of the values in a gradient and of the gradient, in order of evaluation."""
    by_start: dict[Expr, list[Path]] = {}
    for paths in paths_to(gradient, [e], ()).values():
        for path in paths:
            by_start.setdefault(path.start, []).append(path)
    lines = []
    for start in filter(by_start.__contains__, postorder((gradient,))):
        chain = writer.way.differential(start, by_start[start])
        lines.append(writer.equation(chain, writer.d_of(start)))
    return lines


def _differentials(writer: LessonWriter, made: Directions, shown: Shown) -> list[Equation]:
    """The same, each adjoint's in the differential of its value where that is short; lines of the page are left out."""
    b = writer.b
    lines = []
    for start in made.order:
        left = writer.d_of(start)
        quotient = quotient_of(start, made.moving) is not None
        rows = [Line(writer.expr(made.local(start)), writer.once([b.words("quotient rule")]) if quotient else "")]
        if start in made.adjoints:
            factor = made.shortened(start)
            total = writer.expr(made.total(start))
            if start in made.factors:
                q = made.factors[start]
                lines.append(Equation(b.w.expr(q), [Line(b.w.expr(q.args[0]))]))
                rows = [*([] if total == rows[0].formula else rows), Line(writer.expr(factor))]
            elif len(text(made.total(start))) <= (FEW if made.is_carried(start) else LONG) and made.is_alone(start):
                rows.append(Line(total))
            rows = [row for k, row in enumerate(rows) if not k or row.formula != rows[k - 1].formula]
        lines.append(Equation(left, rows))
    new = []
    for line in lines:
        key = (line.left, " = ".join(r.formula for r in line.rows))
        if key not in shown.lines:
            shown.lines.add(key)
            new.append(line)
    return new


# ---------------------------------------------------------------------------------------------------- the matrix


@dataclass
class _Answer:
    result: Equation
    heading: str
    value: Expr
    conditions: list[tuple[str, Expr]]
    identified: str = ""


def _answer(writer: LessonWriter, e: Expr, H: Expr, conditions: list[tuple[str, Expr]], matrices: Matrices) -> _Answer:
    """The Hessian in the form that is read best."""
    b = writer.b
    whole = matrices.whole()
    if _length(whole) < _length(H):
        H, conditions = whole, further_conditions([whole], b.d.domain)
    H = with_ones(H)
    if e.is_scalar or is_one(e.shape[1]):
        return _Answer(_result(writer, e, H), HEADING, H, conditions)
    name = _name_of(writer, H)
    identified = b.inline(f"{b.d_vec(matrices.gradient)} = {b.product([name], b.d_vec(e))}")
    result = Equation(f"{b.w.expr(name)} = {_quotient(writer, e)}", [_row(writer, H)])
    made = _Answer(result, ON_VEC, H, conditions, identified)
    if _length(H) <= SHORT or (_length(H) <= WIDE and _is_one_product(H)):
        return made
    blocks = row_blocks(H, b.d.rewriter, _RowNames(writer))
    if blocks is not None:
        rows = [*(result.rows if _length(H) <= WIDE else []), _by_rows(writer, blocks, ROWS)]
        return _Answer(Equation(result.left, rows), ON_VEC, H, conditions, identified)
    for along in (ROWS, COLUMNS):
        piece = matrices.by_piece(along)
        if piece is not None and len(text(piece.block)) <= LONG:
            return _Answer(_piece(writer, piece), HEADING, piece.block, [])
    for along in (ROWS, COLUMNS):
        blocks = matrices.as_sum(along)
        if blocks is not None and len(text(blocks.term)) <= LONG:
            row = _by_rows(writer, blocks, along)
            return _Answer(Equation(result.left, [row]), ON_VEC, blocks.term, [], identified)
    return made


def _is_one_product(H: Expr) -> bool:
    """Whether it is one Kronecker product, of matrices that are not vec of others."""
    return [e.op for e in postorder((H,), through_names=False) if e.op in ("kron", "vec", "comm")] == ["kron"]


def _length(H: Expr) -> int:
    """The letters of a matrix and of the names in it that stand for parts of it alone."""
    return len(text(H)) + sum(len(text(n.args[0])) for n in locals_of(H) if not n.name.startswith((ADJOINT, "q_")))


def _taken(d: Problem) -> list[str]:
    sizes = symbols(size for v in d.graph.declared.values() for size in v.shape)
    return [*d.graph.declared, *d.graph.definitions, *map(str, sizes)]


def _name_of(writer: LessonWriter, H: Expr) -> Expr:
    """A name for a Hessian on vec."""
    d = writer.b.d
    taken = {*_taken(d), *(n.name for n in locals_of(H))}
    return core.var(next(name for name in ("H", "M", "Q", "H_", "H__") if name not in taken), *H.shape)


def _with_matrix(writer: LessonWriter, lines: list[Equation], gradient: Expr, e: Expr, H: Expr) -> list[Equation]:
    """The differential of the gradient by a column as a matrix times that of the column, after its last line."""
    row = Line(writer.expr(core.product(H, writer.way.symbols[e])))
    left = writer.d_of(gradient)
    if not lines or lines[-1].left != left:
        return [*lines, Equation(left, [row])]
    last = lines[-1]
    rows = last.rows if last.rows[-1].formula == row.formula else [*last.rows, row]
    return [*lines[:-1], Equation(left, rows)]


def _result(writer: LessonWriter, e: Expr, H: Expr) -> Equation:
    """The Hessian by a column, or by the independent entries of a structured variable."""
    return Equation(_quotient(writer, e), [_row(writer, H, e)])


def _row(writer: LessonWriter, H: Expr, e: Expr | None = None) -> Line:
    b = writer.b
    where = f"{b.words('where')} {b.inline(made)}" if e is not None and (made := b.entries_of(e)) else ""
    return Line(b.w.expr(H), where, b.w.shape(H.shape))


class _RowNames:
    """Names for the columns of row i of named matrices: p_i for P."""

    def __init__(self, writer: LessonWriter) -> None:
        self.names = _PieceNames(writer)

    def __call__(self, M: Expr) -> Expr | None:
        return self.names(M, ROWS)


class _PieceNames:
    """Names for row i or column j of named matrices, as columns: p_i and p_j for P, g_z_i for g_Z."""

    def __init__(self, writer: LessonWriter) -> None:
        self.names = Names(_taken(writer.b.d))
        self.shorthands = writer.b.shorthands

    def __call__(self, M: Expr, along: int) -> Expr | None:
        name = self.shorthands.get(M, M).name
        if not name:
            return None
        stem = name if name.lower() == ADJOINT[0] else name.lower()  # g_i would be an adjoint
        return core.var(self.names.fresh(f"{stem}_{INDEX[along]}"), M.shape[along == ROWS], 1)


def _piece(writer: LessonWriter, piece: PieceBlocks) -> Equation:
    """The Hessian by one row or column."""
    b = writer.b
    f, x = b.named(b.d.output), b.w.expr(piece.by)
    left = f"d2{f}/d{x}2" if b.w.plain else rf"\frac{{\partial^2 {f}}}{{\partial {x}^2}}"
    said = [_pieces(writer, piece.pieces), b.words(APART[piece.along])]
    return Equation(left, [Line(b.w.expr(piece.block), "; ".join(said), b.w.shape(piece.block.shape))])


def _pieces(writer: LessonWriter, pieces: dict[tuple[Expr, int], Expr]) -> str:
    """What the names of rows and columns mean."""
    b = writer.b
    said = []
    for along, (one, several) in PIECES.items():
        mine = {M: name for (M, axis), name in pieces.items() if axis == along}
        if mine:
            columns = [b.inline(b.w.expr(v)) for v in mine.values()]
            matrices = [b.inline(b.w.expr(M)) for M in mine]
            message = several if len(columns) > 1 else one
            index = b.inline(INDEX[along])
            said.append(b.words(message).format(listed(columns, b.words), listed(matrices, b.words), index))
    return "; ".join(said)


def _by_rows(writer: LessonWriter, blocks: RowBlocks, along: int) -> Line:
    b = writer.b
    term, index = b.w.expr(blocks.term), INDEX[along]
    if b.w.plain:
        total = core.var(f"sum_{index} {term}", *blocks.term.shape)
        formula = b.w.expr(core.add(core.scale(blocks.factor, total), *([blocks.rest] if blocks.rest else [])))
    else:
        total = core.var("sum_i_", *blocks.term.shape)
        whole = core.add(core.scale(blocks.factor, total), *([blocks.rest] if blocks.rest else []))
        formula = latex(whole, b.w.notation.with_names({"sum_i_": rf"\sum_{index} {term}"}))
    return Line(formula, _pieces(writer, {(M, along): name for M, name in blocks.rows.items()}))


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
