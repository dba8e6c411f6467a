"""SymPy classes for the operations that SymPy lacks: one for matrix values, one for 1 x 1 values.

Both are driven by the registry: `args` are the operation's name, its operands and its parameters, so that
`e.func(*e.args)` rebuilds `e`, and the shape is checked by the operation's own record.
"""

from __future__ import annotations

from typing import Any, ClassVar

import sympy as sp
from sympy.core.kind import NumberKind

from matcalc.core import exact, var
from matcalc.dims import Shape, dim, is_scalar
from matcalc.errors import MatcalcError, NoRuleError, ShapeError
from matcalc.exact import is_exact
from matcalc.expr import REQUIRED, Expr, Param, node, record
from matcalc.notation import Call, Template


class Plain(sp.Atom):  # type: ignore[misc]
    """A parameter that is no SymPy object: the name of an operation, an axis left out, a user's function."""

    __slots__ = ("value",)

    def __new__(cls, value: Any) -> Plain:
        obj: Plain = super().__new__(cls)
        obj.value = value
        return obj

    def _hashable_content(self) -> tuple[Any, ...]:
        return (repr(self.value),)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (self.value,)

    def _sympystr(self, printer: Any) -> str:
        return str(getattr(self.value, "name", self.value))

    _latex = _sympystr


def encode(value: Any) -> Any:
    """A parameter of an operation as a SymPy object."""
    if value is None or isinstance(value, str) or not (isinstance(value, int) or is_exact(value)):
        return Plain(value)
    return sp.sympify(value)


def decode(param: Param, value: Any) -> Any:
    """The parameter that a SymPy object stands for.

    Raises:
        MatcalcError: it is not of the parameter's kind.
    """
    if isinstance(value, Plain):
        return value.value
    if param.kind == "dim":
        return dim(value)
    if param.kind == "number":
        return exact(value)
    if param.kind in ("axis", "int") and isinstance(value, sp.Integer):
        return int(value)
    raise MatcalcError(f"the parameter {param.name} cannot be {value}")


def shape_of(operand: Any) -> Shape:
    """The shape of a SymPy expression; scalars are 1 x 1."""
    return (dim(operand.rows), dim(operand.cols)) if operand.is_Matrix else (1, 1)


def own_symbols(operands: tuple[Any, ...]) -> dict[str, Any]:
    """The user's dimension symbols in the shapes of some operands, by name: SymPy compares them with assumptions."""
    found: dict[str, Any] = {}
    for operand in operands:
        if operand.is_Matrix:
            for size in (operand.rows, operand.cols):
                for symbol in getattr(size, "free_symbols", ()):
                    found.setdefault(symbol.name, symbol)
    return found


def sympy_dim(size: Any, symbols: dict[str, Any]) -> Any:
    """A dimension as a SymPy object, in these symbols where it has their names."""
    size = sp.sympify(size)
    if not size.free_symbols or not symbols:
        return size
    return size.xreplace({s: symbols[s.name] for s in size.free_symbols if s.name in symbols})


def stand_in(position: int, operand: Any) -> Expr:
    """A matcalc variable of the shape of a SymPy operand."""
    return var(f"_{position}", *shape_of(operand))


def renamed(error: ShapeError, table: dict[Expr, Any]) -> ShapeError:
    """The error with the user's operands in the place of those that stood in for them."""
    return ShapeError(error.template, *(table.get(o, o) for o in error.operands))


def split(op: str, args: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Operands, and parameters as matcalc holds them; parameters left out at the end get their defaults."""
    entry = record(op)
    count = len(args) - len(entry.params) if entry.variadic else _arity(op)
    operands, given = args[:count], args[count:]
    if len(operands) < count or len(given) > len(entry.params):
        raise MatcalcError(f"{op} takes {count} operands and {len(entry.params)} parameters, got {len(args)} in all")
    params = [decode(p, value) for p, value in zip(entry.params, given)]
    for param in entry.params[len(given) :]:
        if param.default is REQUIRED:
            raise MatcalcError(f"{op} needs the parameter {param.name}")
        params.append(param.default)
    return operands, tuple(params)


def _arity(op: str) -> int:
    shapes = record(op).example[0]
    return len(shapes.split(",")) if shapes else 0


def catalogue(op: str, operands: tuple[Any, ...], params: tuple[Any, ...], shape: Shape) -> Any:
    """The SymPy object for an operation whose shape is known (in the user's dimension symbols)."""
    cls = CatalogueScalar if is_scalar(shape) else CatalogueMatrix
    obj = sp.Basic.__new__(cls, Plain(op), *operands, *map(encode, params))
    if cls is CatalogueMatrix:
        obj._shape = (sp.sympify(shape[0]), sp.sympify(shape[1]))
    return obj


def _checked(name: Any, args: tuple[Any, ...]) -> Any:
    """The SymPy object for an operation, its shape found by the record."""
    op = name.value if isinstance(name, Plain) else str(name)
    operands, params = split(op, tuple(map(sp.sympify, args)))
    stand_ins = [stand_in(k, a) for k, a in enumerate(operands, 1)]
    try:
        value = node(op, stand_ins, params)
    except ShapeError as error:
        raise renamed(error, dict(zip(stand_ins, operands))) from None
    symbols = own_symbols(operands)
    rows, cols = (sympy_dim(size, symbols) for size in value.shape)
    return catalogue(op, operands, value.params, (rows, cols))


class _Printed:
    """How an operation is written: as in the text syntax, and by its record's LaTeX."""

    args: tuple[Any, ...]

    def _sympystr(self, printer: Any) -> str:
        name, *rest = self.args
        if name.value == "func":  # phi(X), D(phi)(X), D(phi, 2)(X), as in the text syntax
            operands, (function,) = split(name.value, tuple(rest))
            return f"{function.written}({', '.join(map(printer.doprint, operands))})"
        shown = [a for a in rest if not (isinstance(a, Plain) and a.value is None)]
        return f"{name.value}({', '.join(printer.doprint(a) for a in shown)})"

    def _latex(self, printer: Any) -> str:
        op = self.args[0].value
        operands, params = split(op, self.args[1:])
        latex = record(op).latex
        notation = latex(*params) if callable(latex) else latex
        texts = [printer.doprint(a) for a in operands]
        if isinstance(notation, Template):
            wrapped = [t if a.is_Atom else rf"\left({t}\right)" for t, a in zip(texts, operands)]
            return notation.text.format(*wrapped, **{f"p{k}": p for k, p in enumerate(params)})
        head = notation.name if isinstance(notation, Call) else rf"\operatorname{{{op}}}".replace("_", r"\_")
        return rf"{head}\left({', '.join(texts)}\right)"


def _no_derivative(*_: Any) -> Any:
    raise NoRuleError("SymPy cannot differentiate an operation of matcalc: use matcalc.derive")


class CatalogueMatrix(_Printed, sp.MatrixExpr):  # type: ignore[misc]
    """A matrix-valued operation of the catalogue on SymPy operands; the shape is stored, so it is cheap to read."""

    __slots__ = ("_shape",)

    def __new__(cls, name: Any, *args: Any) -> Any:
        return _checked(name, args)

    @property
    def shape(self) -> tuple[Any, Any]:
        return self._shape  # type: ignore[no-any-return]

    def doit(self, **hints: Any) -> CatalogueMatrix:
        """Itself: there is nothing to evaluate, and SymPy would walk shared operands exponentially often."""
        return self

    def sort_key(self, order: Any = None) -> Any:
        return self.class_key(), (1, (self.args[0].value,)), sp.S.One.sort_key(), sp.S.One

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        return sp.matrices.expressions.matexpr.MatrixElement(self, i, j)

    _eval_derivative = _eval_derivative_matrix_lines = _no_derivative


class CatalogueScalar(_Printed, sp.Expr):  # type: ignore[misc]
    """A 1 x 1 operation of the catalogue on SymPy operands: a scalar, so that `+ 1` works."""

    __slots__ = ()
    is_commutative: ClassVar[bool] = True
    kind = NumberKind

    def __new__(cls, name: Any, *args: Any) -> Any:
        return _checked(name, args)

    def doit(self, **hints: Any) -> CatalogueScalar:
        """Itself: there is nothing to evaluate."""
        return self

    def _eval_is_real(self) -> bool:
        return True

    _eval_derivative = _no_derivative


class ScalarOf(sp.Expr):  # type: ignore[misc]
    """The value of a 1 x 1 matrix expression as a scalar, where SymPy's `M[0, 0]` would expand into sums."""

    __slots__ = ()
    is_commutative: ClassVar[bool] = True
    kind = NumberKind

    def __new__(cls, matrix: Any) -> Any:
        matrix = sp.sympify(matrix)
        if not matrix.is_Matrix:
            return matrix
        if not is_scalar(shape_of(matrix)):
            raise ShapeError("only a 1 x 1 matrix is a scalar, not {}", matrix)
        return sp.Basic.__new__(cls, matrix)

    def doit(self, **hints: Any) -> ScalarOf:
        """Itself: there is nothing to evaluate."""
        return self

    def _sympystr(self, printer: Any) -> str:
        return f"scalar({printer.doprint(self.args[0])})"

    def _latex(self, printer: Any) -> str:
        return rf"\left({printer.doprint(self.args[0])}\right)"

    def _eval_is_real(self) -> bool:
        return True

    _eval_derivative = _no_derivative


class MatrixOf(sp.MatrixExpr):  # type: ignore[misc]
    """A scalar as a 1 x 1 matrix, where SymPy needs a matrix."""

    __slots__ = ()

    def __new__(cls, value: Any) -> Any:
        value = sp.sympify(value)
        return value if value.is_Matrix else sp.Basic.__new__(cls, value)

    @property
    def shape(self) -> tuple[Any, Any]:
        return sp.S.One, sp.S.One

    def doit(self, **hints: Any) -> MatrixOf:
        """Itself: there is nothing to evaluate."""
        return self

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        return self.args[0]

    def _sympystr(self, printer: Any) -> str:
        return f"[{printer.doprint(self.args[0])}]"

    def _latex(self, printer: Any) -> str:
        return rf"\left[{printer.doprint(self.args[0])}\right]"

    _eval_derivative = _eval_derivative_matrix_lines = _no_derivative
