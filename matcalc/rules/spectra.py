"""Pseudoinverses, eigenvectors and triangles; scalars move out of linear operations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from matcalc import core
from matcalc.core import eye, inverse, matmul, number, scale, transpose, var
from matcalc.expr import Expr, node, record
from matcalc.ops.decompositions import pinv
from matcalc.ops.elementwise import exp
from matcalc.ops.entry_products import prodothers
from matcalc.ops.linalg import adj
from matcalc.ops.matrix_functions import expm
from matcalc.ops.selection import tril, triu
from matcalc.ops.spectral import VECTORS, deflated, eigvals, eigvecmax, eigvecs, resolvent, shift_of
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import MAGNUS, MATRIX_ALGEBRA, node_rule, rule
from matcalc.rewrite.terms import flipped, meaning
from matcalc.rules.functions import signed

HIGHAM = "Higham, Functions of Matrices (2008), ch. 1"
PENROSE = "Penrose, A generalized inverse for matrices (1955)"


def square(name: str = "X", *facts: str) -> Expr:
    """An n x n variable."""
    return var(name, "n", "n", facts)


# ------------------------------------------------------------------------------------------------ pseudoinverse


@rule(X="n n", facts={"X": "nonsingular"}, source=PENROSE, why="one name for one thing")
def pseudoinverse_of_nonsingular(X: Expr) -> tuple[Expr, Expr]:
    """X^+ = X^-1 for nonsingular X"""
    return pinv(X), inverse(X)


@rule(X="m n", source=PENROSE)
def pseudoinverse_of_pseudoinverse(X: Expr) -> tuple[Expr, Expr]:
    """(X^+)^+ = X"""
    return pinv(pinv(X)), X


@rule(X="m n", source=PENROSE)
def first_penrose_equation(X: Expr) -> tuple[Expr, Expr]:
    """X X^+ X = X"""
    return matmul(X, pinv(X), X), X


@rule(X="m n", source=PENROSE)
def second_penrose_equation(X: Expr) -> tuple[Expr, Expr]:
    """X^+ X X^+ = X^+"""
    return matmul(pinv(X), X, pinv(X)), pinv(X)


# ------------------------------------------------------------------------------------------------ eigenvectors


def _unit() -> tuple[Expr, Expr]:
    v = eigvecmax(square())
    return v.T @ v, number(1)


@node_rule(op="matmul", source=MAGNUS, example=_unit, having="transpose")
def length_of_eigenvector(e: Expr, context: Context) -> Expr | None:
    """v' v = 1 for an eigenvector v"""
    for k, (a, b) in enumerate(zip(e.args, e.args[1:])):
        if b.op in VECTORS and a.op == "transpose" and a.args[0].digest == b.digest:
            rest = (*e.args[:k], *e.args[k + 2 :])
            return matmul(*rest) if rest else number(1)
    return None


def _deflated() -> tuple[Expr, Expr]:
    S = square("S", "symmetric")
    return deflated("eigvecmax", "eigmax", S), resolvent("eigmax", S)


@node_rule(op="matmul", source=MAGNUS, example=_deflated, having="inv, add")
def deflated_inverse_of_symmetric(e: Expr, context: Context) -> Expr | None:
    """(I - v v') (lambda I - S + v v')^-1 = (lambda I - S)^+ for symmetric S with S v = lambda v"""
    for k, (left, right) in enumerate(zip(e.args, e.args[1:])):
        for projector, inverted in ((left, right), (right, left)):
            found = _resolvent_from(projector, inverted, context)
            if found is not None:
                return matmul(*e.args[:k], found, *e.args[k + 2 :])
    return None


def _resolvent_from(projector: Expr, inverted: Expr, context: Context) -> Expr | None:
    """(lambda I - S)^+ for I - v v' and (lambda I - S + v v')^-1."""
    if projector.op != "add" or inverted.op != "inv" or inverted.args[0].op != "add":
        return None
    rest = [t for t in inverted.args[0].args if not is_dyad(t)]
    dyads = [t for t in inverted.args[0].args if is_dyad(t)]
    if len(dyads) != 1 or not rest:
        return None
    v, n = dyads[0].args[0], inverted.shape[0]
    if _bag(projector.args) != _bag((eye(n), core.minus(matmul(v, v.T)))):
        return None
    P = pinv(core.add(*rest))
    return P if shift_of(P.args[0]) == (VECTORS[v.op], v.args[0]) and context.known(v.args[0], "symmetric") else None


def is_dyad(t: Expr) -> bool:
    """Whether it is v v' for an extreme eigenvector."""
    return (
        t.op == "matmul"
        and len(t.args) == len(("v", "v'"))
        and t.args[0].op in VECTORS
        and t.args[1].digest == t.args[0].T.digest
    )


def _bag(terms: Iterable[Expr]) -> list[bytes]:
    return sorted(t.digest for t in terms)


SPECTRAL_FUNCTIONS = {"prodothers": "adj", "exp": "expm", "sqrt": "sqrtm", "log": "logm"}


def _adjugate() -> tuple[Expr, Expr]:
    X = square()
    V, values = eigvecs(X), eigvals(X)
    return matmul(V, core.diag(prodothers(values, None)), inverse(V)), adj(X)


@node_rule(op="matmul", source=HIGHAM, example=_adjugate, having="hadamard")
def function_of_eigenvalues(e: Expr, context: Context) -> Expr | None:
    """V diag(f(lambda)) V^-1 = f(X) for the eigenvalues and eigenvectors of X"""
    for k, (left, scaled_rows) in enumerate(zip(e.args, e.args[1:])):
        if scaled_rows.op != "hadamard" or len(scaled_rows.args) > len(("right", "values")):
            continue
        for right, values in (scaled_rows.args, scaled_rows.args[::-1]):
            if values.op != "broadcast":
                continue
            found = _diagonalized(left, right, values.args[0], context)
            if found is not None:
                return matmul(*e.args[:k], found, *e.args[k + 2 :])
    return None


def _diagonalized(left: Expr, right: Expr, values: Expr, context: Context) -> Expr | None:
    """f(X) for V and V^-1 (V' where X is symmetric), its transpose for V^-T and V'; `values` are the f(lambda)."""
    V = meaning(left)
    if V.op == "eigvecs":
        X = V.args[0]
        by_transpose = right.digest == flipped(left).digest and context.known(X, "symmetric")
        return _function_at(X, values) if by_transpose or right.digest == inverse(left).digest else None
    turned = meaning(right.args[0]) if right.op == "transpose" else right
    if turned.op == "eigvecs" and left.digest == inverse(right).digest:
        found = _function_at(turned.args[0], values)
        return None if found is None else transpose(found)
    return None


def _function_at(X: Expr, values: Expr) -> Expr | None:
    """f(X), where the values are f of the eigenvalues of X: one of the functions above, a whole power, an inverse."""
    values = meaning(values)
    if values.op == "eigvals":
        return X if values.args[0].digest == X.digest else None
    if values.op == "power" and values.args[1].op == "number" and values.args[1].params[0].is_Integer:
        inner = _function_at(X, values.args[0])
        return None if inner is None else core.matrix_power(inner, values.args[1])
    if values.op not in SPECTRAL_FUNCTIONS or meaning(values.args[0]).op != "eigvals":
        return None
    inner = _function_at(X, values.args[0])
    return None if inner is None else node(SPECTRAL_FUNCTIONS[values.op], (inner,))


# ------------------------------------------------------------------------------------------------ triangles


@rule(X="m n", Y="Y: m n", source=MAGNUS, why="masks move out")
def lower_triangle(X: Expr, *Y: Expr) -> tuple[Expr, Expr]:
    """tril(X) o Y = tril(X o Y): what is not defined outside the triangle does not count; X o tril(1) = tril(X)"""
    return core.hadamard(tril(X), *Y), tril(core.hadamard(X, *Y))


@rule(X="m n", Y="Y: m n", source=MAGNUS, why="masks move out")
def upper_triangle(X: Expr, *Y: Expr) -> tuple[Expr, Expr]:
    """triu(X) o Y = triu(X o Y): what is not defined outside the triangle does not count; X o triu(1) = triu(X)"""
    return core.hadamard(triu(X), *Y), triu(core.hadamard(X, *Y))


@rule(X="m n", source=MAGNUS)
def lower_triangle_twice(X: Expr) -> tuple[Expr, Expr]:
    """tril(tril(X)) = tril(X)"""
    return tril(tril(X)), tril(X)


@rule(X="m n", source=MAGNUS)
def upper_triangle_twice(X: Expr) -> tuple[Expr, Expr]:
    """triu(triu(X)) = triu(X)"""
    return triu(triu(X)), triu(X)


def _upper(X: Expr) -> tuple[Expr, Expr]:
    return triu(X).T, tril(X.T)


@rule(X="m n", also=[_upper], source=MAGNUS, why="transposes move in")
def transpose_of_triangle(X: Expr) -> tuple[Expr, Expr]:
    """tril(X)' = triu(X')"""
    return tril(X).T, triu(X.T)


# ------------------------------------------------------------------------------------------------ linear operations

LINEAR = {
    "vech": (),
    "unvech": (3,),
    "tril": (),
    "triu": (),
    "cumsum": (1,),
    "slice": (1, 2, 1, 1),
    "place": (7, 8, 2, 1),
}
PLACED = ("unvech", "slice", "place")  # those with sizes and positions


def _linear_example(op: str) -> tuple[Expr, Expr]:
    s, X = var("s", 1, 1), var("X", 6, 1) if op == "unvech" else var("X", 3, 3)
    return node(op, (scale(s, X),), LINEAR[op]), scale(s, node(op, (X,), LINEAR[op]))


def _declare_scalars_move_out(op: str) -> None:
    """The rule that an operation is homogeneous."""

    def apply(e: Expr, context: Context) -> Expr | None:
        inner = e.args[0]
        return scale(*inner.args[:-1], node(op, (inner.args[-1],), e.params)) if inner.op == "scale" else None

    def sides(X: Expr, axis: int | None, *s: Expr) -> tuple[Expr, Expr]:
        at = {"axis": axis} if record(op).params else {}
        return record(op)(scale(*s, X), **at), scale(*s, record(op)(X, **at))

    apply.__name__ = sides.__name__ = f"{op}_of_scaled"
    apply.__doc__ = sides.__doc__ = f"{op}(s X) = s {op}(X)"
    why = "scalars move out"
    if op in PLACED:
        node_rule(op=op, source=MAGNUS, example=lambda: _linear_example(op), having="scale", why=why)(apply)
    else:
        axes = (1, 2) if record(op).params else (None,)
        rule(X="3 3", axis=axes, s="s: 1 1", loose=True, source=MAGNUS, why=why)(sides)


for _op in LINEAR:
    _declare_scalars_move_out(_op)


OPPOSITE = {"eigmax": "eigmin", "eigmin": "eigmax", "eigvecmax": "eigvecmin", "eigvecmin": "eigvecmax"}


def _extreme_of_negative(op: str) -> None:
    """Declare the rule for one extreme eigenvalue or eigenvector."""
    sign = "-" if op in VECTORS.values() else ""

    def sides(S: Expr) -> tuple[Expr, Expr]:
        found = record(OPPOSITE[op])(S)
        return record(op)(-S), core.minus(found) if sign else found

    sides.__name__, sides.__doc__ = f"{op}_of_negative", f"{op}(-A) = {sign}{OPPOSITE[op]}(A)"
    signed(S="n n", drawn={"S": "symmetric"}, source=MATRIX_ALGEBRA)(sides)


for _op in OPPOSITE:
    _extreme_of_negative(_op)


def _full_rank() -> tuple[Expr, Expr]:
    X = var("X", "n", "n", ["nonsingular"])
    return pinv(X.T), inverse(X.T)


@node_rule(op="pinv", group="expand", source=PENROSE, example=_full_rank)
def pseudoinverse_of_full_rank(e: Expr, context: Context) -> Expr | None:
    """X^+ = (X' X)^-1 X' where X' X is nonsingular, X' (X X')^-1 where X X' is"""
    X = e.args[0]
    turned = flipped(X)
    if context.known(turned @ X, "nonsingular"):
        return inverse(turned @ X) @ turned
    return turned @ inverse(X @ turned) if context.known(X @ turned, "nonsingular") else None


def _shifted_extreme(op: str) -> None:
    """Declare eigmax(A + s I) = eigmax(A) + s, and the like."""

    def shifted(S: Sequence[Expr], multiple: Expr, shift: Expr) -> tuple[Expr, Expr]:
        inner = record(op)(core.add(*S))
        return record(op)(core.add(*S, multiple)), inner if op in VECTORS else core.plus(inner, shift)

    def by_value(s: Expr, *S: Expr) -> tuple[Expr, Expr]:
        return shifted(S, scale(s, eye(S[0].shape[0])), s)

    def by_values(s: Expr, t: Expr, *S: Expr) -> tuple[Expr, Expr]:
        return shifted(S, scale(s, t, eye(S[0].shape[0])), scale(s, t))

    def by_one(*S: Expr) -> tuple[Expr, Expr]:
        return shifted(S, eye(S[0].shape[0]), number(1))

    by_value.__name__ = f"{op}_of_shifted"
    by_value.__doc__ = f"{op}(A + s I) = {op}(A){'' if op in VECTORS else ' + s'}"
    rule(
        S="S: n n",
        s="1 1",
        t="1 1",
        drawn={"S": "symmetric"},
        also=[by_values, by_one],
        group="expand",
        source=MATRIX_ALGEBRA,
    )(by_value)


for _op in (*OPPOSITE, "eigvals"):
    _shifted_extreme(_op)


def _turned_gram(X: Expr) -> tuple[Expr, Expr]:
    return X.T @ pinv(X @ X.T), pinv(X)


@rule(X="m n", also=[_turned_gram], group="expand", source=PENROSE)
def pseudoinverse_by_gram(X: Expr) -> tuple[Expr, Expr]:
    """(X' X)^+ X' = X^+, X' (X X')^+ = X^+"""
    return pinv(X.T @ X) @ X.T, pinv(X)


def _traced() -> tuple[Expr, Expr]:
    X = square()
    return core.total(exp(eigvals(X))), core.trace(expm(X))


@node_rule(op="sum", group="expand", source=HIGHAM, example=_traced)
def sum_of_function_of_eigenvalues(e: Expr, context: Context) -> Expr | None:
    """sum(f(eigvals(X))) = tr(f(X)) for exponentials, roots and logarithms"""
    values = e.args[0]
    if not e.is_scalar or values.op not in SPECTRAL_FUNCTIONS or meaning(values.args[0]).op != "eigvals":
        return None
    return core.trace(node(SPECTRAL_FUNCTIONS[values.op], meaning(values.args[0]).args))
