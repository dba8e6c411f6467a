r"""What mathematics leaves to the shapes: bars, norms, dots, `e^A`; for several readings an error that names them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from matcalc import core
from matcalc.dims import is_one, same, same_shape
from matcalc.errors import MatcalcError
from matcalc.expr import Expr, record
from matcalc.frontend.chains import Operand, product_of
from matcalc.ops.decompositions import normnuc
from matcalc.ops.elementwise import absolute, exp, sqrt
from matcalc.ops.linalg import det
from matcalc.ops.matrix_functions import expm
from matcalc.ops.reductions import max_, norm1, norm2, sum_

Meaning = Callable[[Sequence[Operand]], Expr]


def _is_vector(e: Expr) -> bool:
    return any(is_one(d) for d in e.shape)


def _is_square(e: Expr) -> bool:
    return same(*e.shape) and not e.is_scalar


def bars(operands: Sequence[Operand]) -> Expr:
    """|x| is the absolute value of a scalar, |A| the determinant of a square matrix."""
    (a,) = operands
    if a.value.is_scalar:
        return absolute(a.value)
    if _is_square(a.value):
        return det(a.value)
    raise MatcalcError(
        f"bars around {a.described} are neither an absolute value nor a determinant: "
        f"write abs({a.words}) entry by entry, or a norm"
    )


def norm(operands: Sequence[Operand]) -> Expr:
    """The Euclidean norm of a vector, the Frobenius norm of a matrix."""
    return norm2(operands[0].value)


def spelled_norm(operands: Sequence[Operand]) -> Expr:
    """norm(x): of a vector; of a matrix it is another norm in MATLAB than in NumPy and Julia."""
    (a,) = operands
    if _is_vector(a.value):
        return norm2(a.value)
    raise MatcalcError(
        f"norm of the matrix {a.described} is the largest singular value in MATLAB, normspec({a.words}), and the "
        f"Frobenius norm in NumPy and Julia, norm2({a.words}): write the one that is meant"
    )


def _vector_norm(subscript: str, of_vector: Callable[[Expr], Expr], readings: str) -> Meaning:
    def meaning(operands: Sequence[Operand]) -> Expr:
        (a,) = operands
        if _is_vector(a.value):
            return of_vector(a.value.args[0] if a.value.op == "vec" else a.value)  # by the entries, in any shape
        raise MatcalcError(
            f"the norm with the index {subscript} of the matrix {a.described} has two readings: "
            + readings.format(a.words)
        )

    return meaning


def _largest(e: Expr) -> Expr:
    return max_(absolute(e))


norm_1 = _vector_norm("1", norm1, "the sum of all |entries|, norm1({0}), or the largest column sum")
norm_2 = _vector_norm(
    "2",
    norm2,
    r"the largest singular value, normspec({0}), or the Frobenius norm, norm2({0}) (in LaTeX with the index F)",
)
norm_inf = _vector_norm("inf", _largest, "the largest |entry|, max(abs({0})), or the largest row sum")


def form_by(operands: Sequence[Operand]) -> Expr:
    """The square of the norm with a matrix as its index, x'M x."""
    x, M = operands
    if not is_one(x.value.shape[1]):
        raise MatcalcError(f"the norm with the index {M.words} is that of a column; {x.described} is none")
    return product_of([replace(x, sign="", value=core.transpose(x.value)), replace(M, sign="*"), replace(x, sign="*")])


def norm_by(operands: Sequence[Operand]) -> Expr:
    """The norm with a matrix as its index, sqrt(x'M x)."""
    return sqrt(form_by(operands))


def nuclear(operands: Sequence[Operand]) -> Expr:
    """The sum of the singular values."""
    return normnuc(operands[0].value)


def euler(operands: Sequence[Operand]) -> Expr:
    """e^A is the matrix exponential of a square matrix, else the exponential function."""
    (a,) = operands
    return (expm if _is_square(a.value) else exp)(a.value)


def root(operands: Sequence[Operand]) -> Expr:
    """The square root; of a square matrix it has two readings."""
    return matrix_function("sqrt", "sqrtm")(operands)


def matrix_function(entrywise: str, whole: str) -> Meaning:
    """A function that mathematics also applies to square matrices as a whole."""

    def meaning(operands: Sequence[Operand]) -> Expr:
        (a,) = operands
        if not _is_square(a.value):
            return record(entrywise)(a.value)
        other = f"{whole}({a.words})" if whole else "the function of the matrix as a whole"
        raise MatcalcError(
            f"{entrywise} of the square matrix {a.described} has two readings: entry by entry, "
            f"{entrywise}({a.words}) in the text syntax, or {other}: write the one that is meant there"
        )

    return meaning


def inner(operands: Sequence[Operand]) -> Expr:
    """<a, b>: the sum of the products of entries, for equal shapes."""
    a, b = operands
    if not same_shape(a.value.shape, b.value.shape):
        raise MatcalcError(f"the inner product of {a.described} and {b.described} needs equal shapes")
    if a.value.is_scalar:
        return core.scale(a.value, b.value)
    if is_one(a.value.shape[1]):
        return core.matmul(core.transpose(a.value), b.value)
    return sum_(core.hadamard(a.value, b.value))


def called_dot(operands: Sequence[Operand]) -> Expr:
    """dot(x, y) of two columns; of matrices it is something else in every system."""
    a, b = operands
    if all(is_one(o.value.shape[1]) for o in operands):
        return inner(operands)
    raise MatcalcError(
        f"dot of {a.described} and {b.described} is a product of matrices in NumPy, {a.words}*{b.words}, and a sum "
        f"elsewhere, tr({a.words}'*{b.words}): write the one that is meant"
    )


def dot(operands: Sequence[Operand]) -> Expr:
    r"""a \cdot b: of two columns the inner product, else the product."""
    a, b = operands
    columns = all(is_one(o.value.shape[1]) and not o.value.is_scalar for o in operands)
    if columns and same_shape(a.value.shape, b.value.shape):
        return inner(operands)
    return product_of([a, Operand("*", b.value, b.words, b.signed)])


def cross(operands: Sequence[Operand]) -> Expr:
    r"""a \times b: with a scalar."""
    a, b = operands
    if a.value.is_scalar or b.value.is_scalar:
        return product_of([a, Operand("*", b.value, b.words, b.signed)])
    raise MatcalcError(
        f"the cross between {a.described} and {b.described} has several readings: write * for the product of "
        "matrices, .* for the one entry by entry; there is no cross product"
    )


def asterisk(operands: Sequence[Operand]) -> Expr:
    """a * b in LaTeX: where it can only be the product of matrices."""
    a, b = operands
    if a.value.is_scalar or b.value.is_scalar or not same_shape(a.value.shape, b.value.shape):
        return product_of([a, Operand("*", b.value, b.words, b.signed)])
    raise MatcalcError(
        f"the star between {a.described} and {b.described} has two readings, the product of matrices and the one entry "
        r"by entry: leave it out, or write \odot"
    )


def star(operands: Sequence[Operand]) -> Expr:
    """a * b of arrays in Python: entry by entry."""
    a, b = operands
    return product_of([a, Operand(".*", b.value, b.words, b.signed)])


def at(operands: Sequence[Operand]) -> Expr:
    """a @ b of arrays in Python: the product; a column that fits no product is an array of one dimension."""
    a, b = operands
    fits = a.value.is_scalar or b.value.is_scalar or same(a.value.shape[1], b.value.shape[0])
    if fits or not is_one(a.value.shape[1]) or not same(a.value.shape[0], b.value.shape[0]):
        return product_of([a, Operand("*", b.value, b.words, b.signed)])
    return inner(operands) if is_one(b.value.shape[1]) else core.matmul(core.transpose(b.value), a.value)


SHAPED: dict[str, Meaning] = {
    "bars": bars,
    "norm": norm,
    "norm_of": spelled_norm,
    "norm_1": norm_1,
    "norm_2": norm_2,
    "norm_inf": norm_inf,
    "nuclear": nuclear,
    "form_by": form_by,
    "norm_by": norm_by,
    "euler": euler,
    "sqrt": root,
    "exp": matrix_function("exp", "expm"),
    "log": matrix_function("log", "logm"),
    **{name: matrix_function(name, "") for name in ("sin", "cos", "sinh", "cosh")},
    "inner": inner,
    "called_dot": called_dot,
    "dot": dot,
    "cross": cross,
    "asterisk": asterisk,
    "star": star,
    "at": at,
}
WEIGHTED = ("form_by", "norm_by")
SCALAR = frozenset(
    ("bars", "norm", "norm_of", "norm_1", "norm_2", "norm_inf", "nuclear", "inner", "called_dot", *WEIGHTED)
)


def value_of(meaning: str, operands: Sequence[Operand]) -> Expr:
    """What is meant, for these shapes.

    Raises:
        MatcalcError: nothing is, or one of several things.
    """
    return SHAPED[meaning](operands)


def identity(size: object) -> Expr:
    """The identity of a size."""
    return core.eye(size)
