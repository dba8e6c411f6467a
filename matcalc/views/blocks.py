"""The matrices of a Hessian: for a column, for row i or column j where these do not mix, as a sum over rows or columns.

Each is put together value by value, from the differentials of the gradient. Where Z = L*X*R, and row i of the gradient
by Z depends on row i of Z only, by a matrix M_i, the Hessian by X is the sum of kron(R*M_i*R', l_i*l_i').

Source: Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 2 and 10.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matcalc import core
from matcalc.calculus.jacobian import JACOBIAN_RULES, jacobian_matrix
from matcalc.calculus.row_blocks import RowBlocks
from matcalc.dims import Dim, is_one, times
from matcalc.expr import Expr, postorder
from matcalc.naming import Names
from matcalc.printing.text import text
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.rewrite.terms import coefficient_and_rest, split, times_number
from matcalc.views.directions import Directions
from matcalc.views.pieces import COLUMNS, ROWS, MixedError, Pieces
from matcalc.walk import depends, transform

BY_ENTRIES = ("hadamard", "vec", "diag", "diagvec", "sum", "mean", "power", "divide", "broadcast")
PieceNames = Callable[[Expr, int], "Expr | None"]


@dataclass(frozen=True)
class PieceBlocks:
    """The Hessian by row i or column j, where different ones have second derivatives 0.

    Attributes:
        along: whether columns or rows.
        by: the row or column of the variable, as a column.
        block: the matrix.
        pieces: names by the matrices whose rows or columns they are.
    """

    along: int
    by: Expr
    block: Expr
    pieces: dict[tuple[Expr, int], Expr]


class Matrices:
    """Puts the matrices together.

    Args:
        made: the differentials.
        gradient: the gradient.
        supply: makes a supply of names for rows and columns of values.
    """

    def __init__(self, made: Directions, gradient: Expr, supply: Callable[[], PieceNames]) -> None:
        self.made = made
        self.gradient = gradient
        self.supply = supply
        self.give = supply()
        self.pieces: dict[tuple[Expr, int], Expr] = {}
        self.along = 0
        self.is_direct = False
        self.found: dict[Expr, Expr] = {}

    def whole(self) -> Expr:
        """The matrix on vec."""
        self.along = 0
        return self._shorter()

    def by_piece(self, along: int) -> PieceBlocks | None:
        """The matrix for one row or column; None where they mix."""
        self.along, self.pieces, self.give = along, {}, self.supply()
        try:
            by = self._name(self.made.by, along)
            block = self._shorter()
        except MixedError:
            return None
        used = set(postorder((block,)))
        return PieceBlocks(along, by, block, {k: v for k, v in self.pieces.items() if v in used or v is by})

    def as_sum(self, along: int) -> RowBlocks | None:
        """The matrix on vec as a sum over rows or columns of the value that the variable enters; None for others."""
        into = self._linear()
        if into is None:
            return None
        v, g, (coefficient, L, R, turned) = into
        ends, other = (L, R) if along == ROWS else (R, L)
        if ends is None:
            return None
        self.along, self.found, self.pieces = along, {v: core.eye(v.shape[along == ROWS])}, {}
        self.is_direct, self.give = False, self.supply()
        try:
            M = self._of(g)
            side = Pieces(along, (), self._name).of(ends)
        except MixedError:
            return None
        if other is not None:
            first = other if along == ROWS else core.turned(other)
            M = self._tidy(core.matmul(first, M, core.turned(first)))
        outer = core.matmul(side, core.turned(side))
        swapped = turned == (along == ROWS)
        rows = {M_: name for (M_, _), name in self.pieces.items()}
        factor = core.scale(*coefficient, *coefficient) if coefficient else core.number(1)
        return RowBlocks(self._tidy(factor), *((outer, M) if swapped else (M, outer)), rows, None)

    def _shorter(self) -> Expr:
        """From the differential in those of the values before it, or in that of the variable alone."""
        forms = []
        for self.is_direct in (False, True):
            self.found = {}
            forms.append(self._of(self.gradient))
        return min(forms, key=lambda form: len(text(form)))

    def _linear(self) -> tuple[Expr, Expr, tuple[list[Expr], Expr | None, Expr | None, bool]] | None:
        """The one value Z = c*L*X*R that the variable enters, and its gradient, if only these lead to the result."""
        made, symbols = self.made, self.made.symbols
        if self.gradient not in made.paths:
            return None
        last = made.local(self.gradient)
        used = [s for s in postorder((last,)) if s in set(symbols.values())]
        g = next((e for e, s in symbols.items() if len(used) == 1 and s is used[0]), None)
        v = made.adjoints.get(g) if g is not None else None
        if g is None or v is None or v is made.by or v not in made.paths or g not in made.paths:
            return None
        dX = symbols[made.by]
        number, scalars, body = split(made.local(v))
        if body is None:
            return None
        factors = list(body.args) if body.op == "matmul" else [body]
        where = [k for k, f in enumerate(factors) if f is dX or (f.op == "transpose" and f.args[0] is dX)]
        if len(where) != 1:
            return None
        k = where[0]
        others = [*scalars, *factors[:k], *factors[k + 1 :]]
        if depends(others, [dX, made.by]) & set(others):
            return None
        coefficient = [*([core.number(number)] if number != 1 else []), *scalars]
        L = core.matmul(*factors[:k]) if k else None
        R = core.matmul(*factors[k + 1 :]) if k + 1 < len(factors) else None
        return v, g, (coefficient, L, R, factors[k] is not dX)

    # ------------------------------------------------------------------------------------------------ one value

    def _of(self, e: Expr) -> Expr:
        """The matrix of a value's differential, by the variable."""
        if e in self.found:
            return self.found[e]
        made = self.made
        if e is made.by:
            return core.eye(self._size(e))
        if e not in made.paths:
            return core.zeros(self._size(e), self._size(made.by))
        own = made.adjoints.get(e)
        if own is made.by:
            value = made.total(e) if self.is_direct else made.local(e)
        else:
            value = made.local(e) if own is None else made.shortened(e)
        inside = {s: v for v, s in made.symbols.items()}
        symbols = [s for s in postorder((value,)) if s in inside]
        expression, directions = self._piece(value, symbols)
        terms = []
        for s in symbols:
            J = jacobian_matrix(expression, directions[s], self._rewriter(), Names([]))
            terms.append(core.matmul(J, self._of(inside[s])))
        self.found[e] = self._tidy(core.add(*terms)) if terms else core.zeros(self._size(e), self._size(made.by))
        return self.found[e]

    def _size(self, e: Expr) -> Dim:
        """The number of entries of a value, or of its row or column."""
        return times(*e.shape) if not self.along else e.shape[self.along == ROWS]

    def _piece(self, value: Expr, symbols: list[Expr]) -> tuple[Expr, dict[Expr, Expr]]:
        if not self.along:
            return value, {s: s for s in symbols}
        directions: dict[Expr, Expr] = {}

        def name(e: Expr, along: int) -> Expr | None:
            if e not in symbols:
                return self._name(e, along)
            if e not in directions:
                directions[e] = core.var(f"{e.name}_piece", e.shape[0] if along == COLUMNS else e.shape[1], 1)
            return directions[e]

        expression = Pieces(self.along, symbols, name).of(value)
        return expression, directions

    def _name(self, e: Expr, along: int) -> Expr:
        if (e, along) not in self.pieces:
            name = self.give(e, along)
            if name is None:
                raise MixedError
            self.pieces[e, along] = name
        return self.pieces[e, along]

    def _rewriter(self) -> Rewriter:
        return Rewriter(Context(self.made.d.domain), JACOBIAN_RULES)

    def _tidy(self, e: Expr) -> Expr:
        rewriter = self._rewriter()
        return rewriter.simplify(with_columns(rewriter.simplify(e)))


def with_columns(e: Expr) -> Expr:
    """Products with Kronecker products of a column or a row as one: kron(x, A)*B*kron(x', C) = kron(x*x', A*B*C)."""

    def change(new: Expr, _: Expr) -> Expr:
        if new.op != "matmul":
            return new
        factors: list[Expr] = []
        for f in new.args:
            factors.append(f)
            while len(factors) > 1 and (joined := _joined(factors[-2], factors[-1])) is not None:
                factors[-2:] = [joined]
        return core.matmul(*factors) if len(factors) > 1 else factors[0]

    return transform((e,), change, through_names=False)[e]


def _joined(a: Expr, b: Expr) -> Expr | None:
    """kron(x, A)*B = kron(x, A*B) for a column x, B*kron(y', C) = kron(y', B*C) for a row y', and both."""
    number, left = coefficient_and_rest(a)
    second, right = coefficient_and_rest(b)
    if left is None or right is None:
        return None
    number *= second
    row = right.op == "kron" and is_one(right.args[0].shape[0])
    if left.op == "kron" and is_one(left.args[0].shape[1]):
        x, A = left.args
        if row:
            y, B = right.args
            return times_number(number, core.kron(core.product(x, y), core.matmul(A, B)))
        return times_number(number, core.kron(x, core.matmul(A, right)))
    if row:
        y, B = right.args
        return times_number(number, core.kron(y, core.matmul(left, B)))
    return None


def with_ones(e: Expr) -> Expr:
    """Sums of matrices in which columns, rows and numbers that are repeated are written as products with ones."""

    def change(new: Expr, _: Expr) -> Expr:
        if new.op != "add" or is_one(new.shape[0]) or is_one(new.shape[1]):
            return new
        return core.add(*map(_times_ones, new.args))

    return transform((e,), change, through_names=False, stop=lambda s: s.op in BY_ENTRIES).get(e, e)


def _times_ones(t: Expr) -> Expr:
    number, body = coefficient_and_rest(t)
    if body is None or body.op != "broadcast":
        return t
    (a,), (rows, columns) = body.args, body.shape
    inner, rest = coefficient_and_rest(a)
    if rest is None or a.is_scalar:
        return times_number(number, core.product(a, core.ones(rows, columns)))
    if is_one(rest.shape[1]):
        return times_number(number * inner, core.matmul(rest, core.ones(1, columns)))
    return times_number(number * inner, core.matmul(core.ones(rows, 1), rest))
