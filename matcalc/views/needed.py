"""What a lesson needs beyond the product rule: the differentials of its functions, each derived in a line or two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from matcalc import core
from matcalc.calculus.paths import LocalJacobian
from matcalc.calculus.problem import Problem
from matcalc.dims import is_one, symbols
from matcalc.expr import Expr, Op, record
from matcalc.linop import apply
from matcalc.map_kinds import Mask
from matcalc.ops.comparison import maximum
from matcalc.ops.elementwise import cosh, exp, log, relu, sigmoid, sinh, softplus, sqrt, step, tanh
from matcalc.ops.linalg import det, inv, logdet
from matcalc.ops.normalization import deviation, log_softmax, logsumexp, softmax, standardize
from matcalc.ops.products import kron
from matcalc.ops.reductions import centred, norm2, std
from matcalc.rewrite.context import Context
from matcalc.rewrite.engine import Rewriter
from matcalc.views.derived import DERIVED
from matcalc.views.derived_norms import FURTHER
from matcalc.views.facts import Differential, Fact, Slope, Tangent, bare
from matcalc.walk import depends

QUOTIENT = "quotient rule"
PRODUCT = "product rule"
ABOVE_ZERO = "1 for positive arguments, 0 for negative ones"
LINEAR_IN_ROWS = "along each row the determinant is linear, with its cofactors in front"
# What nobody needs to be told, besides linear operations and products.
KNOWN = frozenset((
    "add", "scale", "hadamard", "matmul", "transpose", "broadcast", "sum", "mean", "tr", "vec", "reshape",
    "diag", "diagvec", "slice", "place", "block", "tril", "triu", "vech", "unvech", "cumsum", "divide",
    "power", "exp", "log", "sqrt", "sin", "cos", "step", "named", "outer", "kron", "quadform", "dsel",
))  # fmt: skip


def spread(e: Expr, shape_of: Expr) -> Expr:
    """A row, a column or a number repeated to a shape."""
    return core.broadcast(e, shape_of.shape)


def over(X: Expr, Y: Expr) -> Expr:
    """X ./ Y, with Y repeated."""
    return core.divide(X, spread(Y, X))


def times(X: Expr, Y: Expr) -> Expr:
    """X .* Y for matrices, the product for numbers."""
    return core.entrywise_product(X, Y)


# ------------------------------------------------------------------------------------------------ functions of entries

SPELLED: dict[str, Callable[[Expr], Expr]] = {
    sigmoid.name: lambda t: core.quotient(1, 1 + exp(-t)),
    softplus.name: lambda t: log(1 + exp(t)),
    tanh.name: lambda t: core.quotient(sinh(t), cosh(t)),
    relu.name: lambda t: maximum(t, core.number(0)),
}
BETWEEN: dict[str, Callable[[Expr], Expr]] = {  # the derivative as the rules of school give it
    sigmoid.name: lambda t: core.quotient(exp(-t), core.power(1 + exp(-t), 2)),
    softplus.name: lambda t: core.quotient(exp(t), 1 + exp(t)),
    tanh.name: lambda t: core.quotient(core.power(cosh(t), 2) - core.power(sinh(t), 2), core.power(cosh(t), 2)),
}


def entrywise(function: Op, j: LocalJacobian, t: Expr) -> Fact | None:
    """A function of one number and its derivative."""
    value = j.value.definition
    Y = function(t, *value.params)
    (L, *_) = function.differential(Y, t, *value.params)
    if not isinstance(L, Mask):
        return None
    slope = Rewriter(Context()).simplify(L.by)
    spelled = SPELLED.get(function.name, function.definition)
    between = BETWEEN.get(function.name)
    middle = () if between is None else (between(t),)
    derivative = (Slope(Y), *middle, slope)
    if spelled is None:
        return Fact((derivative,))
    reason = ABOVE_ZERO if slope.op == step.name else ""
    return Fact(((Y, spelled(t, *value.params)), derivative), reason)


# ------------------------------------------------------------------------------------------------ functions of matrices


def _softmax(Y: Expr, X: Expr, d: Differential) -> Fact:
    axis = bare(Y).params[0]
    written = over(exp(X), core.total(exp(X), axis))
    moved = times(Y, d(X)) - times(Y, spread(core.total(times(Y, d(X)), axis), Y))
    return Fact(((Y, written), (Tangent(Y), moved)), QUOTIENT)


def _log_softmax(Y: Expr, X: Expr, d: Differential) -> Fact:
    axis = bare(Y).params[0]
    written = X - spread(log(core.total(exp(X), axis)), X)
    moved = d(X) - spread(core.total(times(softmax(X, axis), d(X)), axis), X)
    return Fact(((Y, written), (Tangent(Y), moved)))


def _logsumexp(Y: Expr, X: Expr, d: Differential) -> Fact:
    axis = bare(Y).params[0]
    total = core.total(exp(X), axis)
    ratio = core.entrywise_quotient(core.total(times(exp(X), d(X)), axis), total)
    return Fact(((Y, log(total)), (Tangent(Y), ratio)))


def _standardize(Y: Expr, X: Expr, d: Differential) -> Fact | None:
    axis, ddof, eps = bare(Y).params
    if ddof != 0 or eps != 0:
        return None
    s = deviation(X, axis, ddof, eps)
    C, dC = centred(X, axis), d(X) - spread(core.mean(d(X), axis), X)
    ds = core.mean(times(Y, d(X)), axis)
    square = core.power(s, 2)
    return Fact(
        (
            (Y, over(C, s)),
            (square, core.mean(core.power(C, 2), axis)),
            (Tangent(s), ds),
            (Tangent(Y), over(dC - times(Y, spread(ds, X)), s)),
        ),
        QUOTIENT,
        given=2,
    )


def _std(Y: Expr, X: Expr, d: Differential) -> Fact | None:
    axis, ddof = bare(Y).params
    if ddof != 0:
        return None
    C = centred(X, axis)
    moved = core.entrywise_quotient(core.mean(times(C, d(X)), axis), Y)
    return Fact(((core.power(Y, 2), core.mean(core.power(C, 2), axis)), (Tangent(Y), moved)))


def _norm2(Y: Expr, X: Expr, d: Differential) -> Fact:
    """The square of a norm, which has a differential everywhere; and the norm."""
    own, moved = core.matmul(X.T, X), core.matmul(X.T, d(X))
    if not is_one(X.shape[1]):
        own, moved = core.trace(own), core.trace(moved)
    if bare(Y).op == "power":
        return Fact(((Y, own), (Tangent(Y), core.scale(core.number(2), moved))), PRODUCT)
    return Fact(((Y, sqrt(own)), (Tangent(Y), core.quotient(moved, Y))))


def _inv(Y: Expr, X: Expr, d: Differential) -> Fact:
    one, zero = core.eye(X.shape[0]), core.zeros(*X.shape)
    moved = core.minus(core.matmul(Y, d(X), Y))
    change = Tangent(core.matmul(Y, X))
    return Fact(((core.matmul(Y, X), one), (change, zero), (Tangent(Y), moved)), PRODUCT)


def _det(Y: Expr, X: Expr, d: Differential) -> Fact:
    moved = core.scale(Y, core.trace(core.matmul(inv(X), d(X))))
    return Fact(((Tangent(Y), moved),), LINEAR_IN_ROWS)


def _logdet(Y: Expr, X: Expr, d: Differential) -> Fact:
    moved = core.trace(core.matmul(inv(X), d(X)))
    change = (Tangent(det(X)), core.scale(det(X), moved))
    return Fact((change, (Tangent(Y), moved)), LINEAR_IN_ROWS)


EXPLAINED: dict[str, Callable[[Expr, Expr, Differential], Fact | None]] = {
    softmax.name: _softmax,
    log_softmax.name: _log_softmax,
    logsumexp.name: _logsumexp,
    standardize.name: _standardize,
    std.name: _std,
    norm2.name: _norm2,
    inv.name: _inv,
    det.name: _det,
    logdet.name: _logdet,
}


# ------------------------------------------------------------------------------------------------ of a derivation


WORKED = {**DERIVED, **FURTHER}


def needed(d: Problem, jacobians: Iterable[LocalJacobian], differential: Differential) -> Iterator[Fact]:
    """A fact for each function of a derivation that one has to be told about, in the order of their use."""
    seen: set[str] = set()
    jacobians = list(jacobians)
    t = core.var(_free_letter(d), 1, 1)

    def moved(e: Expr) -> Expr:
        return differential(e) if e in depends((e,), d.wrt) else core.zero_of(e)

    for k, j in enumerate(jacobians):
        value = bare(j.value)
        function = record(value.op)
        if (function.name in KNOWN and (function is not kron or d.output.is_scalar)) or function.name in seen:
            continue
        seen.add(function.name)
        if function.scalar_function is not None:
            fact = entrywise(function, j, t)
        elif function.name in EXPLAINED:
            squared = function is norm2 and k > 0 and _is_square_of(jacobians[k - 1].value, j.value)
            fact = EXPLAINED[function.name](jacobians[k - 1].value if squared else j.value, j.argument, moved)
        elif function.name in WORKED:
            fact = WORKED[function.name](j.value, moved, _total(j.value, jacobians, differential))
        else:
            fact = Fact(((Tangent(j.value), _total(j.value, jacobians, differential)),), j.identity)
        if fact is None and function.name in WORKED:
            fact = Fact(((Tangent(j.value), _total(j.value, jacobians, differential)),), j.identity)
        if fact is not None:
            yield fact


def _total(value: Expr, jacobians: Iterable[LocalJacobian], differential: Differential) -> Expr:
    """The differential of a value by all its arguments that move."""
    parts = {j.argument: j for j in jacobians if j.value is value}
    quiet = Rewriter(Context())
    return core.add(*(quiet.simplify(apply(j.map, differential(a))) for a, j in parts.items()))


def _is_square_of(e: Expr, base: Expr) -> bool:
    square = bare(e)
    return square.op == "power" and square.args[0] is base and square.args[1].number == 2


def _free_letter(d: Problem) -> str:
    """A letter for the argument of a function of one number."""
    sizes = symbols(size for v in d.graph.declared.values() for size in v.shape)
    taken = {*d.graph.declared, *d.graph.definitions, *sizes}
    return next(letter for letter in ("t", "u", "a", "tau", "t_", "t__") if letter not in taken)
