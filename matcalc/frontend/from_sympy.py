"""From SymPy to matcalc: symbols by name, the structure kept, nothing evaluated by SymPy on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from typing import Any

import sympy as sp
from sympy.matrices.expressions.adjoint import Adjoint
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.diagonal import DiagMatrix, DiagonalMatrix, DiagonalOf
from sympy.matrices.expressions.dotproduct import DotProduct
from sympy.matrices.expressions.hadamard import HadamardPower
from sympy.matrices.expressions.kronecker import KroneckerProduct
from sympy.matrices.expressions.matexpr import MatrixElement

from matcalc import core
from matcalc.dims import Dim, dim, is_one, shape_text
from matcalc.errors import MatcalcError, NoRuleError, ShapeError, shorten
from matcalc.expr import Expr, node
from matcalc.frontend.catalogue import CatalogueMatrix, CatalogueScalar, MatrixOf, Plain, ScalarOf, split
from matcalc.frontend.fold import arithmetic_args, fold, is_arithmetic, walk
from matcalc.frontend.index_sums import leaves_of_sum, read_sum
from matcalc.frontend.scalar_arithmetic import need_scalars, read_arithmetic, read_number, recognised
from matcalc.frontend.scope import Scope
from matcalc.ops.products import diagvec
from matcalc.ops.selection import block

Reader = Callable[["_Walk", Any, list[Expr]], Expr]


def from_sympy(
    expr: Any,
    *,
    shapes: Mapping[str, Any] | None = None,
    facts: Mapping[Any, Any] | None = None,
    constants: Iterable[Any] = (),
    names: Mapping[str, Expr] | None = None,
) -> Expr:
    """A SymPy expression as a matcalc expression.

    Args:
        shapes: the shapes of variables, by name; they must be those of the symbols.
        facts: what holds of variables, by name or symbol: a word or several.
        constants: names or symbols of variables that are constant.
        names: expressions that symbols stand for, such as the named values of a graph.

    Raises:
        NoRuleError: something in it has no operation in the catalogue.
        MatcalcError: a name stands for two things, or a number is not finite and real.

    Example:
        >>> import sympy as sp
        >>> from matcalc.frontend.from_sympy import from_sympy
        >>> X, w = sp.MatrixSymbol("X", sp.Symbol("m"), 3), sp.MatrixSymbol("w", 3, 1)
        >>> from_sympy(X * w).shape
        (m, 1)
    """
    return read(expr, Scope(shapes or {}, facts or {}, constants, names or {}))


def read(expr: Any, scope: Scope) -> Expr:
    """A SymPy expression in a scope; the scope learns its dimensions and symbols.

    Raises:
        MatcalcError: it is no SymPy expression (a text is not: SymPy would execute it).
    """
    try:
        root = sp.sympify(expr, strict=True)
    except sp.SympifyError:
        raise MatcalcError(f"a SymPy expression is needed, got {type(expr).__name__} {shorten(repr(expr))}") from None
    if not isinstance(root, (sp.Expr, sp.MatrixBase)):
        raise NoRuleError(f"a SymPy {type(root).__name__} is not a matrix expression: {shorten(str(root))}")
    for e, _ in walk(root, _children):
        scope.notice(e)
    scope.settle()
    return _Walk(scope).read(root)


class _Walk:
    """One conversion: what each SymPy object has become."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.memo: dict[int, tuple[Any, Expr]] = {}

    def read(self, root: Any) -> Expr:
        return fold(root, _children, self.build, self.memo)

    def build(self, e: Any, args: list[Expr]) -> Expr:
        if e.is_Number or e.is_NumberSymbol or e is sp.I or e is sp.zoo:
            return read_number(e)
        if is_arithmetic(e):
            if isinstance(e, sp.Function) or not _all_matrices(args):
                need_scalars(e, args)
            elif isinstance(e, sp.Mul):
                return core.matmul(*args)
            return read_arithmetic(e, args)
        return _reader(e)(self, e, args)

    def entrywise(self, function: Any, X: Expr) -> Expr:
        """A Lambda applied to every entry of X."""
        if not isinstance(function, sp.Lambda) or len(function.variables) != 1:
            raise NoRuleError(f"only a function of one symbol applies to every entry, not {shorten(str(function))}")
        name = recognised(function)
        if name is not None:
            return node(name, (X,))
        (t,) = function.variables
        memo: dict[int, tuple[Any, Expr]] = {}

        def build(e: Any, args: list[Expr]) -> Expr:
            if e == t:
                return X
            return read_arithmetic(e, args) if is_arithmetic(e) else self.memo[id(e)][1]

        return core.broadcast(fold(function.expr, arithmetic_args, build, memo), X.shape)


def _all_matrices(args: Sequence[Expr]) -> bool:
    return all(not a.is_scalar for a in args)


def _children(e: Any) -> Sequence[Any]:
    """The parts of a SymPy object that are expressions themselves."""
    if isinstance(e, (CatalogueMatrix, CatalogueScalar)):
        return split(e.args[0].value, e.args[1:])[0]
    if isinstance(e, ElementwiseApplyFunction):
        return [e.expr, *_leaves_of_lambda(e.function)]
    if isinstance(e, (sp.Sum, sp.Product)):
        return leaves_of_sum(e)
    if isinstance(e, MatrixElement):
        return tuple(e.args[:1])
    if isinstance(e, LEAVES) or e.is_Atom:
        return ()
    return tuple(e.args) if is_arithmetic(e) or _known(e) else ()


MOST_ENTRIES = 64  # of an explicit matrix
LEAVES = (sp.MatrixSymbol, sp.Identity, sp.OneMatrix, sp.ZeroMatrix, sp.MatrixBase)


def _leaves_of_lambda(function: Any) -> list[Any]:
    if not isinstance(function, sp.Lambda) or len(function.variables) != 1:
        return []
    (t,) = function.variables
    parts = [e for e, below in walk(function.expr, arithmetic_args) if not is_arithmetic(e) and e != t]
    for part in parts:
        if any(e == t for e, _ in walk(part, lambda e: e.args)):
            raise NoRuleError(f"no entrywise operation for SymPy's {type(part).__name__} in {shorten(str(function))}")
    return parts


def _known(e: Any) -> bool:
    return _class(e) in READERS


def _class(e: Any) -> type:
    """The class by which an object is read: its own, a subclass may mean something else; explicit matrices are one."""
    return next((base for base in (sp.MatrixBase, sp.Symbol) if isinstance(e, base)), type(e))


def _reader(e: Any) -> Reader:
    if _known(e):
        return READERS[_class(e)]
    raise NoRuleError(f"no operation of the catalogue is SymPy's {type(e).__name__}")


# ------------------------------------------------------------------------------------------------ one per class


def _matmul(w: _Walk, e: Any, args: list[Expr]) -> Expr:
    scalars = [a for part, a in zip(e.args, args) if not part.is_Matrix]
    matrices = [a for part, a in zip(e.args, args) if part.is_Matrix]
    return core.scale(*scalars, core.matmul(*matrices))


def _catalogue(w: _Walk, e: Any, args: list[Expr]) -> Expr:
    op = e.args[0].value
    return node(op, args, split(op, e.args[1:])[1])


def _element(w: _Walk, e: Any, args: list[Expr]) -> Expr:
    if args[0].is_scalar and is_one(e.args[1] + 1) and is_one(e.args[2] + 1):
        return args[0]
    row, column = (_place(i, size) for i, size in zip(e.args[1:], args[0].shape))
    if row is None or column is None:
        raise NoRuleError(
            f"the entry [{e.args[1]}, {e.args[2]}] of a {shape_text(args[0].shape)} matrix is read where its indices "
            "are numbers inside of the matrix, or those of a Sum"
        )
    return core.part(args[0], row, row, column, column)


def _place(index: Any, size: Dim) -> Dim | None:
    """The place of an entry, counted from 1; None where it is not a number inside."""
    if not isinstance(index, (int, sp.Integer)):
        return None
    place = int(index) + 1
    return place if place >= 1 and not (isinstance(size, int) and place > size) else None


def _hadamard_power(w: _Walk, e: Any, args: list[Expr]) -> Expr:
    base, exponent = args
    return core.power(base if exponent.is_scalar else core.broadcast(base, exponent.shape), exponent)


def _inverse(w: _Walk, e: Any, args: list[Expr]) -> Expr:
    if e.args[1] != -1:
        raise NoRuleError(f"SymPy's Inverse with the exponent {e.args[1]}: use MatPow")
    return core.inverse(args[0])


def _diagonal_part(w: _Walk, e: Any, args: list[Expr]) -> Expr:
    X = args[0]
    if is_one(X.shape[0]) or is_one(X.shape[1]):
        return core.diag(X)
    diagvec(X)  # checks that X is square
    return core.hadamard(X, core.eye(X.shape[0]))


def _dot_product(w: _Walk, e: Any, args: list[Expr]) -> Expr:
    a, b = args
    row = a if is_one(a.shape[0]) else core.transpose(a)
    return core.matmul(row, b if is_one(b.shape[1]) else core.transpose(b))


def _apply(w: _Walk, e: Any, args: list[Expr]) -> Expr:
    return w.entrywise(e.function, args[0])


def _explicit(w: _Walk, e: Any, args: list[Expr]) -> Expr:
    if e.shape == (1, 1):
        return read(e[0, 0], w.scope)
    rows, columns = e.shape
    if not 0 < rows * columns <= MOST_ENTRIES:
        raise NoRuleError(
            f"an explicit {shape_text(e.shape)} matrix is read with 1 to {MOST_ENTRIES} entries: name it as a "
            "MatrixSymbol and pass its entries as a value"
        )
    entries = [read(e[i, j], w.scope) for i in range(rows) for j in range(columns)]
    larger = next((entry for entry in entries if not entry.is_scalar), None)
    if larger is not None:
        raise ShapeError("an entry of an explicit matrix must be 1 x 1, but {} is not", larger)
    return block(*entries, " ".join([str(columns)] * rows))


def _generic(w: _Walk, e: Any, args: list[Expr]) -> Expr:
    raise ShapeError(f"{type(e).__name__} has no shape: use ZeroMatrix(m, n) or Identity(n)")


def _adjoint(w: _Walk, e: Any, args: list[Expr]) -> Expr:
    raise NoRuleError(
        f"SymPy's Adjoint is the conjugate transpose, and every value is real here: write the transpose, X.T, "
        f"in the place of {shorten(str(e))}"
    )


def _parameter(w: _Walk, e: Any, args: list[Expr]) -> Expr:
    raise NoRuleError(f"{e} is a parameter, not an expression")


def _of(op: str) -> Reader:
    return lambda w, e, args: node(op, args)


READERS: dict[type, Reader] = {
    sp.Symbol: lambda w, e, args: w.scope.symbol(e),
    sp.MatrixSymbol: lambda w, e, args: w.scope.matrix_symbol(e),
    sp.Identity: lambda w, e, args: core.eye(dim(e.args[0])),
    sp.OneMatrix: lambda w, e, args: core.ones(*e.args),
    sp.ZeroMatrix: lambda w, e, args: core.zeros(*e.args),
    sp.matrices.expressions.special.GenericIdentity: _generic,
    sp.matrices.expressions.special.GenericZeroMatrix: _generic,
    sp.MatrixBase: _explicit,
    sp.MatAdd: lambda w, e, args: core.add(*args),
    sp.MatMul: _matmul,
    sp.HadamardProduct: lambda w, e, args: core.hadamard(*args),
    HadamardPower: _hadamard_power,
    KroneckerProduct: lambda w, e, args: reduce(core.kron, args),
    sp.Transpose: _of("transpose"),
    Adjoint: _adjoint,
    sp.Inverse: _inverse,
    sp.MatPow: lambda w, e, args: core.matrix_power(*args),
    sp.Trace: _of("tr"),
    sp.Determinant: _of("det"),
    DiagMatrix: _of("diag"),
    DiagonalMatrix: _diagonal_part,
    DiagonalOf: _of("diagvec"),
    DotProduct: _dot_product,
    ElementwiseApplyFunction: _apply,
    MatrixElement: _element,
    CatalogueMatrix: _catalogue,
    CatalogueScalar: _catalogue,
    ScalarOf: lambda w, e, args: args[0],
    MatrixOf: lambda w, e, args: args[0],
    Plain: _parameter,
    **dict.fromkeys((sp.Sum, sp.Product), lambda w, e, args: read_sum(e, dict(zip(map(id, leaves_of_sum(e)), args)))),
}
