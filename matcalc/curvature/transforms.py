"""Functions judged as other functions: perspectives by what is under them, spectral functions by eigenvalues."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from matcalc import core
from matcalc.curvature.composition import (
    AFFINE,
    BOYD,
    Composition,
    Shape,
    atom,
    curvature_of_function,
    own_form,
    quotient,
)
from matcalc.expr import Expr, operations, postorder, record
from matcalc.ops.elementwise import absolute, exp, log, sqrt
from matcalc.ops.entry_products import prod
from matcalc.ops.normalization import logsumexp
from matcalc.ops.reductions import max_, mean_, min_, norm1, norm2, sum_, var_
from matcalc.properties import known
from matcalc.walk import depends, rebuild, substitute

_DAVIS = "Davis, All convex invariant functions of Hermitian matrices (1957)"


@atom
def perspective(c: Composition, e: Expr) -> Shape | None:
    """t g(x/t), t > 0: as convex as g."""
    if e.op not in ("scale", "hadamard"):
        return None
    moving = [a for a in e.args if not c.is_constant(a)]
    if len(moving) != 2 or (e.op == "hadamard" and len(e.args) != 2):
        return None
    front = c.ranges.of(core.scale(*[a for a in e.args if a not in moving], core.number(1)))
    if not (front.nonnegative or front.nonpositive):
        return None
    for t, g in (moving, moving[::-1]):
        if not (c.shape[t].affine and c.ranges.of(t).positive):
            continue
        shape = _entrywise_perspective(c, t, g) if e.op == "hadamard" else _scalar_perspective(c, t, g)
        if shape is not None and (shape.convex or shape.concave):
            shape = shape if front.nonnegative else shape.turned()
            return c.says("perspective", "t g(x/t) is as convex as g", f"{BOYD}, 3.2.6", e, shape)
    return None


def _entrywise_perspective(c: Composition, t: Expr, g: Expr) -> Shape | None:
    """The shape of one entrywise function of x/t."""
    form = own_form(g)
    if form is None:
        return None
    top, below = quotient(g.args[0])
    if below is not t or top is None or not c.of(top).affine:
        return None
    return curvature_of_function(form, c.ranges.of(g.args[0]))


def _scalar_perspective(c: Composition, t: Expr, g: Expr) -> Shape | None:
    """The shape of g as a function of the quotients x/t in it, which must be all that moves there."""
    if not t.is_scalar:
        return None
    table: dict[Expr, Expr] = {}
    for sub in postorder((g,)):
        top, below = quotient(sub)
        if top is not None and below is t and c.of(top).affine:
            fact = (
                ("positive",) if c.ranges.of(top).positive else ("nonnegative",) if c.ranges.of(top).nonnegative else ()
            )
            table[sub] = core.var(f"{sub}", *sub.shape, fact)
    if not table:
        return None
    plain = substitute(g, table)
    if any(v in depends((plain,), c.variables) for v in postorder((plain,))):
        return None
    return Composition(table.values(), c.ranges, c.rewriter).of(plain)


@atom
def spectral_function(c: Composition, e: Expr) -> Shape | None:
    """A function of the eigenvalues of one affine symmetric matrix that does not see their order."""
    S = next(_spectral_arguments(c, e), None) if e.is_scalar and not c.is_constant(e) else None
    if S is None:
        return None
    fact = ("positive",) if known(S, "positive-definite") else ()
    fact = ("nonnegative",) if not fact and known(S, "positive-semidefinite") else fact
    eigenvalues = core.var(f"eigvals({S})", S.shape[0], 1, fact)
    table: dict[Expr, Expr | None] = {S: eigenvalues}
    for sub in postorder((e,), stop=lambda sub: sub is S):
        table[sub] = _in_eigenvalues(c, S, sub, table)
    made = table[e]
    if made is None:
        return None
    inner = Composition((eigenvalues,), c.ranges, c.rewriter)
    shape = inner.of(made)
    if not (shape.convex or shape.concave):
        shape = inner.of(c.rewriter.simplify(made))
    if not (shape.convex or shape.concave):
        return None
    statement = "a symmetric function of the eigenvalues of a symmetric matrix is as convex as it is in them"
    return c.says("spectral_function", statement, _DAVIS, e, shape)


def _spectral_arguments(c: Composition, e: Expr) -> Iterator[Expr]:
    """The affine symmetric matrices of which something under `e` is a function by their eigenvalues."""
    for sub in postorder((e,), stop=c.is_constant):
        if sub.op in (*_MATRIX_FUNCTIONS, *_OF_EIGENVALUES, "matpow", "tr", "eigvals", "inv") and sub.args:
            S = sub.args[0]
            if sub.op != "tr" and not S.is_scalar and known(S, "symmetric") and c.shape.get(S) == AFFINE:
                yield S


def _in_eigenvalues(c: Composition, S: Expr, e: Expr, table: dict[Expr, Expr | None]) -> Expr | None:
    """What an operation is in the eigenvalues of S: functions of S become the column of their eigenvalues."""
    args = [table[a] for a in e.args]
    if c.is_constant(e):
        return _constant_in_eigenvalues(S, e)
    if None in args:
        return None
    parts = [a for a in args if a is not None]
    if e.shape == S.shape:
        return _matrix_in_eigenvalues(e, parts)
    if e.args and e.args[0].shape == S.shape:
        made = _OF_EIGENVALUES.get(e.op)
        return None if made is None else made(parts[0])
    if e.op in _SYMMETRIC or _is_entrywise(e):
        return rebuild(e, parts)
    return None


def _constant_in_eigenvalues(S: Expr, e: Expr) -> Expr | None:
    """A constant that is the same for every eigenvalue."""
    if e.is_scalar:
        return e
    if e.op == "eye":
        return core.ones(S.shape[0], 1)
    if e.op == "scale" and e.args[-1].op == "eye":
        return core.scale(*e.args[:-1], core.ones(S.shape[0], 1))
    return e if e.op in ("ones", "zeros") or (e.op == "broadcast" and e.args[0].is_scalar) else None


def _matrix_in_eigenvalues(e: Expr, parts: list[Expr]) -> Expr | None:
    """The eigenvalues of a function of S, in those of its arguments."""
    if e.op in _MATRIX_FUNCTIONS:
        return _MATRIX_FUNCTIONS[e.op](parts[0])
    match e.op:
        case "matpow" if e.args[1].number is not None:
            return core.power(parts[0], e.args[1])
        case "matmul":
            return core.hadamard(*parts)
        case "add" | "scale":
            return rebuild(e, parts)
        case "transpose":
            return parts[0]
    return None


def _is_entrywise(e: Expr) -> bool:
    plain = e.op in ("add", "scale", "hadamard", "divide", "power", "maximum", "minimum")
    return plain or (record(e.op).scalar_function is not None and not e.params)


_MATRIX_FUNCTIONS: dict[str, Callable[[Expr], Expr]] = {
    "inv": lambda v: core.power(v, -1),
    "expm": lambda v: exp(v),
    "logm": lambda v: log(v),
    "sqrtm": lambda v: sqrt(v),
}
_OF_EIGENVALUES: dict[str, Callable[[Expr], Expr]] = {
    "eigvals": lambda v: v,
    "tr": core.total,
    "det": lambda v: prod(v, axis=None),
    "logdet": lambda v: core.total(log(v)),
    "eigmax": lambda v: max_(v, axis=None),
    "eigmin": lambda v: min_(v, axis=None),
    "norm2": lambda v: norm2(v),
    "normspec": lambda v: max_(absolute(v), axis=None),
    "normnuc": lambda v: norm1(v),
}
_SYMMETRIC = operations(sum_, mean_, max_, min_, logsumexp, norm1, norm2, prod, var_)
