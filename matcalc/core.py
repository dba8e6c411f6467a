"""The core constructors: leaves, sums, the products, transpose and broadcast.

They check shapes and coerce Python numbers, and simplify nothing: tidying belongs to `rewrite/normal.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from matcalc.dims import Dim, Shape, dim, is_one, same, same_shape, shape_text, sign, times
from matcalc.errors import MatcalcError, ShapeError
from matcalc.exact import Exact, exactly, is_sympy, rational, scalar, sp
from matcalc.expr import HOOKS, Expr, node, number_value
from matcalc.properties import variable_mask


def var(name: str, rows: Any, cols: Any, facts: Iterable[str] = ()) -> Expr:
    """The variable `name`, rows x cols, about which these facts hold."""
    shape = (dim(rows), dim(cols))
    return node("variable", (), (name, *shape, variable_mask(name, shape, facts)))


def number(value: Any) -> Expr:
    """An exact 1 x 1 scalar: an int, Fraction, float (as the decimal it prints), or SymPy expression in dimensions."""
    return node("number", (), (exact(value),))


def exact(value: Any) -> Any:
    """A Python or SymPy number as an exact scalar; a float as the decimal that it prints as.

    Raises:
        MatcalcError: it is complex, infinite, or no number.
    """
    if isinstance(value, Exact):
        return value
    if is_sympy(value) and isinstance(value, sp.Expr):
        if value.is_Rational:
            return exactly(value)
        if not value.is_Number and value.has(sp.MatrixExpr):
            raise MatcalcError(f"a SymPy matrix is not a number, and does not mix with matcalc expressions: {value}")
        result = value
        if value.has(sp.Float):
            result = value.xreplace({f: sp.Rational(str(f)) for f in value.atoms(sp.Float)})
    elif isinstance(value, (int, Fraction)) and not isinstance(value, bool):
        return rational(value)
    else:
        try:
            return rational(repr(float(value)))
        except (TypeError, ValueError, OverflowError):
            raise MatcalcError(f"{value!r} is not a finite real number") from None
    if result.has(sp.I, sp.nan, sp.zoo, sp.oo, -sp.oo):
        raise MatcalcError(f"{value!r} is not a finite real number")
    return exactly(result)


def ones(rows: Any, cols: Any) -> Expr:
    """The rows x cols matrix of ones."""
    return node("ones", (), (dim(rows), dim(cols)))


def zeros(rows: Any, cols: Any) -> Expr:
    """The rows x cols zero matrix."""
    return node("zeros", (), (dim(rows), dim(cols)))


def eye(n: Any) -> Expr:
    """The n x n identity."""
    return node("eye", (), (dim(n),))


def commutation(m: Any, n: Any) -> Expr:
    """K_{m,n}, mn x mn: K vec(X) = vec(X') for X m x n."""
    return node("comm", (), (dim(m), dim(n)))


def named(name: str, definition: Expr, role: str = "") -> Expr:
    """The value `definition` under a name: opaque to rewriting and printing, transparent to differentiation.

    `role` is "" for a value of the graph and "local" for one that a result defines for itself (an adjoint).
    """
    return node("named", (definition,), (name, role))


def as_expr(value: Any) -> Expr:
    """`value` as an expression: itself, or a 1 x 1 number.

    Raises:
        MatcalcError: it is an array of numbers, or no number.
    """
    if getattr(value, "size", 1) != 1 and hasattr(value, "dtype"):
        raise MatcalcError("an array of numbers does not mix with expressions: declare a variable, and pass its values")
    return value if isinstance(value, Expr) else number(value)


def add(*terms: Expr) -> Expr:
    """The sum of matrices of one shape."""
    return terms[0] if len(terms) == 1 else node("add", terms)


def scale(*factors: Expr) -> Expr:
    """The product of 1 x 1 scalars and, last, one matrix."""
    return factors[0] if len(factors) == 1 else node("scale", factors)


def hadamard(*factors: Expr) -> Expr:
    """The entrywise product of matrices of one shape."""
    return factors[0] if len(factors) == 1 else node("hadamard", factors)


def matmul(*factors: Expr) -> Expr:
    """The matrix product."""
    return factors[0] if len(factors) == 1 else node("matmul", factors)


def divide(a: Expr, b: Expr) -> Expr:
    """The entrywise quotient of two matrices of one shape."""
    return node("divide", (a, b))


def power(base: Expr, exponent: Any) -> Expr:
    """Entrywise power; the exponent is 1 x 1 or of the base's shape."""
    return node("power", (base, as_expr(exponent)))


def transpose(a: Expr) -> Expr:
    """The transpose."""
    return node("transpose", (a,))


def turned(a: Expr) -> Expr:
    """The transpose; of a transpose what is transposed there."""
    return a.args[0] if a.op == "transpose" else transpose(a)


def broadcast(a: Expr, shape: Shape) -> Expr:
    """`a` repeated along its dimensions of size 1 to the given shape; `a` itself where it has that shape."""
    return a if same_shape(a.shape, shape) else node("broadcast", (a,), shape)


def zero_of(e: Expr) -> Expr:
    """Zero in the shape of `e`."""
    return number(0) if e.is_scalar else zeros(*e.shape)


def inverse(a: Expr) -> Expr:
    """The inverse of a square matrix."""
    return node("inv", (a,))


def kron(a: Expr, b: Expr) -> Expr:
    """The Kronecker product."""
    return node("kron", (a, b))


def vec(a: Expr) -> Expr:
    """The columns of a matrix stacked."""
    return node("vec", (a,))


def diag(v: Expr) -> Expr:
    """The diagonal matrix with the entries of a column or row vector."""
    return node("diag", (v,))


def diagvec(a: Expr) -> Expr:
    """The diagonal of a square matrix as a column."""
    return node("diagvec", (a,))


def trace(a: Expr) -> Expr:
    """The trace of a square matrix."""
    return node("tr", (a,))


def total(a: Expr, axis: int | None = None) -> Expr:
    """The sum of all entries, or over the rows (axis 1, giving 1 x n), or over the columns (axis 2, giving m x 1)."""
    return node("sum", (a,), (axis,))


def mean(a: Expr, axis: int | None = None) -> Expr:
    """The mean of all entries, or over the rows (axis 1), or over the columns (axis 2)."""
    return node("mean", (a,), (axis,))


def minus(a: Expr) -> Expr:
    """-a."""
    return node("scale", (number(-1), a))


def broadcast_pair(a: Expr, b: Expr, sign: str) -> tuple[Expr, Expr]:
    """Both operands in their common shape: 1 x 1, 1 x n and m x 1 stretch to m x n, as in NumPy.

    Raises:
        ShapeError: the shapes have no common one.
    """
    if same_shape(a.shape, b.shape):
        return a, b
    shape = []
    for p, q in zip(a.shape, b.shape):
        if not (same(p, q) or is_one(p) or is_one(q)):
            raise ShapeError(
                f"shapes {shape_text(a.shape)} and {shape_text(b.shape)} do not fit: "
                f"{{}} {sign} {{}}: {p} and {q} differ",
                a,
                b,
            )
        shape.append(q if is_one(p) else p)
    target = (shape[0], shape[1])
    return broadcast(a, target), broadcast(b, target)


def plus(a: Any, b: Any) -> Expr:
    """a + b with broadcasting."""
    return node("add", broadcast_pair(as_expr(a), as_expr(b), "+"))


def difference(a: Any, b: Any) -> Expr:
    """a - b with broadcasting."""
    a, b = broadcast_pair(as_expr(a), as_expr(b), "-")
    return node("add", (a, minus(b)))


def entrywise_product(a: Any, b: Any) -> Expr:
    """a .* b with broadcasting; a 1 x 1 operand scales."""
    a, b = as_expr(a), as_expr(b)
    if a.is_scalar or b.is_scalar:
        return scale(a, b) if a.is_scalar else scale(b, a)
    return node("hadamard", broadcast_pair(a, b, ".*"))


def entrywise_quotient(a: Any, b: Any) -> Expr:
    """a ./ b with broadcasting."""
    a, b = as_expr(a), as_expr(b)
    if b.is_scalar and not a.is_scalar:
        return scale(reciprocal(b), a)
    if b.op == "number":
        return product(a, b**-1)
    return node("divide", broadcast_pair(a, b, "./"))


def product(a: Any, b: Any) -> Expr:
    """a * b: the matrix product; a 1 x 1 operand scales."""
    a, b = as_expr(a), as_expr(b)
    if a.is_scalar:
        return scale(a, b)
    if b.is_scalar:
        return scale(b, a)
    return node("matmul", (a, b))


def reciprocal(a: Expr) -> Expr:
    """1/a for a 1 x 1 value."""
    if a.op == "number" and number_value(a) != 0:
        return number(1 / number_value(a))
    return power(a, -1)


def quotient(a: Any, b: Any) -> Expr:
    """a / b for a 1 x 1 value b.

    Raises:
        ShapeError: b is not 1 x 1.
    """
    a, b = as_expr(a), as_expr(b)
    if not b.is_scalar:
        raise ShapeError(f"cannot divide by {{}} ({shape_text(b.shape)}): only by a 1 x 1 value (use ./ or inv)", b)
    return entrywise_quotient(a, b)


def matrix_power(base: Any, exponent: Any) -> Expr:
    """a ^ k: power of a 1 x 1 value; of a square matrix the repeated product, ^-1 the inverse."""
    a, k = as_expr(base), as_expr(exponent)
    if a.is_scalar:
        if a.op == "number" and k.op == "number" and (sign(number_value(a)) != 0 or sign(number_value(k)) == 1):
            value = number_value(a) ** number_value(k)
            if value.is_real and value.is_finite:
                return number(value)
        return power(a, k)
    if k.number == -1:
        return inverse(a)
    return node("matpow", (a, k))


def reshape(a: Expr, rows: Dim, cols: Dim) -> Expr:
    """The same entries, column-major, as rows x cols."""
    return node("reshape", (a,), (rows, cols))


def part(a: Expr, first: Dim, last: Dim, left: Dim, right: Dim) -> Expr:
    """The rows first to last and the columns left to right, from 1 and inclusive."""
    return node("slice", (a,), (first, last, left, right))


def place(a: Expr, rows: Dim, cols: Dim, row: Dim, column: Dim) -> Expr:
    """The rows x cols matrix with `a` at (row, column) and zeros around it."""
    return node("place", (a,), (rows, cols, row, column))


def block_inner(a: Expr, b: Expr) -> Expr:
    """The inner products of the blocks of `a` with `b`."""
    return node("blockinner", (a, b))


def block_sum(weights: Expr, a: Expr) -> Expr:
    """The sum of the blocks of `a`, weighted."""
    return node("blocksum", (weights, a))


def diagonal_sums(a: Expr) -> Expr:
    """The sums over the diagonals of a square matrix."""
    return node("diagsums", (a,))


def vech(a: Expr) -> Expr:
    """The columns from the diagonal down, stacked."""
    return node("vech", (a,))


def unvech(a: Expr, n: Dim) -> Expr:
    """The lower triangular n x n matrix with this vech."""
    return node("unvech", (a,), (n,))


def elimination(n: Dim) -> Expr:
    """The L with L vec(X) = vech(X) for X n x n."""
    return node("elim", (), (n,))


def diagonal_selection(n: Dim) -> Expr:
    """The S with S d = vec(diag(d)) for d n x 1."""
    return node("dsel", (), (n,))


def toeplitz_basis(n: Dim) -> Expr:
    """The matrix whose columns are vec of the basis of the n x n Toeplitz matrices."""
    return node("toep", (), (n,))


def exact_dim(d: Dim) -> Any:
    """A dimension as an exact scalar."""
    return scalar(d)


def count(a: Expr) -> Dim:
    """The number of entries."""
    return times(*a.shape)


HOOKS.update(
    transpose=transpose,
    negative=minus,
    plus=plus,
    minus=difference,
    product=product,
    quotient=quotient,
    power=matrix_power,
)
