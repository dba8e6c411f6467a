"""SymPy's scalar arithmetic as matcalc expressions: of 1 x 1 values, and of entries of matrices of one shape.

The same code reads `Trace(X)**2 + 1` and the body of `X.applyfunc(Lambda(t, t**2 + 1))`, where t stands for X.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, reduce
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from matcalc import core
from matcalc.dims import dim, shape_text
from matcalc.errors import MatcalcError, NoRuleError, shorten
from matcalc.expr import REGISTRY, Expr, node, number_value
from matcalc.ops.elementwise import exp, sqrt
from matcalc.ops.scalars import functions_of_sympy, polygamma_of
from matcalc.ops.user_functions import Function

HALF = sp.Rational(1, 2)
_T = sp.Dummy("t", real=True)  # no symbol of the user equals it


def read_arithmetic(e: Any, args: Sequence[Expr]) -> Expr:
    """The value of a sum, product, power or function whose arguments have the values `args`.

    Raises:
        NoRuleError: no operation of the catalogue does this.
    """
    if not isinstance(e, (sp.Add, sp.Mul, sp.Pow)):
        return _function(e, args)
    if all(a.op == "number" for a in args):
        return _folded(e, args)
    if isinstance(e, sp.Add):
        return core.add(*_one_shape(args))
    return _power(*args) if isinstance(e, sp.Pow) else _quotient(args)


def read_number(e: Any) -> Expr:
    """An exact number.

    Raises:
        MatcalcError: it is not a finite real number.
        NoRuleError: a constant other than pi and e.
    """
    if e is sp.S.Exp1:
        return exp(core.number(1))
    if e.is_finite is not True or e.is_real is not True:
        raise MatcalcError(f"{e} is not a finite real number")
    if isinstance(e, sp.NumberSymbol) and e is not sp.S.Pi:
        raise NoRuleError(f"the constant {e} is not in the catalogue: write its decimal")
    return core.number(e)


def _folded(e: Any, args: Sequence[Expr]) -> Expr:
    """A sum, product or power of numbers alone, as one number."""
    value = e.func(*map(number_value, args))
    if value.is_real is False or value.is_finite is False:
        raise MatcalcError(f"{e} is not a finite real number")
    return core.number(value)


def _one_shape(args: Sequence[Expr]) -> Sequence[Expr]:
    """The arguments, scalars among entries of a matrix spread to its shape."""
    matrix = next((a for a in args if not a.is_scalar), None)
    return args if matrix is None else [core.broadcast(a, matrix.shape) for a in args]


def _product(factors: Sequence[Expr]) -> Expr:
    scalars = [f for f in factors if f.is_scalar]
    matrices = [f for f in factors if not f.is_scalar]
    return core.scale(*scalars, core.hadamard(*matrices)) if matrices else core.scale(*scalars)


def _quotient(args: Sequence[Expr]) -> Expr:
    """A product; its factors with negative constant powers are the denominator, as a reader sees it."""
    above, below = [], []
    for value in args:
        if value.op == "power" and _is_negative(value.args[1]):
            base, exponent = value.args
            k = -number_value(exponent)
            below.append(base if k == 1 else _power(base, core.number(k)))
        else:
            above.append(value)
    if not below:
        return _product(above)
    if not above:
        above = [core.number(1)]
    return core.entrywise_quotient(_product(above), _product(below))


def _is_negative(exponent: Expr) -> bool:
    return exponent.op == "number" and bool(number_value(exponent).is_negative)


def _power(base: Expr, exponent: Expr) -> Expr:
    if exponent.number == HALF:
        return sqrt(base)
    if not exponent.is_scalar:
        base = core.broadcast(base, exponent.shape)
    return core.power(base, exponent)


def _function(e: Any, args: Sequence[Expr]) -> Expr:
    if isinstance(e, AppliedUndef):
        if len(args) != 1:
            raise NoRuleError(f"{e.func.__name__} has {len(args)} arguments; an entrywise function has one")
        return Function(e.func.__name__)(args[0])
    if isinstance(e, (sp.Max, sp.Min)):
        return _extreme("maximum" if isinstance(e, sp.Max) else "minimum", args)
    if isinstance(e, sp.polygamma) and args[0].op == "number" and number_value(args[0]).is_Integer:
        return polygamma_of(int(number_value(args[0])), args[1])
    name = functions_of_sympy().get(e.func)
    if name is None or len(args) != 1:
        raise NoRuleError(f"no operation of the catalogue is SymPy's {e.func.__name__}")
    return node(name, args)


def _extreme(op: str, args: Sequence[Expr]) -> Expr:
    return reduce(lambda a, b: node(op, (a, b)), _one_shape(args))


@cache
def _body(function: Callable[[Any], Any]) -> Any:
    return function(_T)


def _bodies() -> dict[Any, str]:
    """The operations that SymPy writes as an expression in one symbol: sigmoid, softplus, ..."""
    bodies = {_body(f.scalar_function): name for name, f in REGISTRY.items() if f.scalar_function is not None}
    return {body: name for body, name in bodies.items() if not isinstance(body, (sp.Max, sp.Min))}  # those are maximum


def recognised(function: Any) -> str | None:
    """The operation of the catalogue that a SymPy Lambda of one symbol is, if it is one."""
    (t,) = function.variables
    try:
        body = function.expr.xreplace({t: _T})
    except (TypeError, ValueError) as error:
        raise NoRuleError(f"cannot read {shorten(str(function))}: {error}") from None
    return _bodies().get(body)


def need_scalars(e: Any, args: Sequence[Expr]) -> None:
    """Refuse a scalar function or power of a matrix that is not 1 x 1, and mixed sums.

    Raises:
        NoRuleError: an argument is not 1 x 1.
    """
    for a in args:
        if a.is_scalar:
            continue
        size = shape_text(a.shape)
        if isinstance(e, sp.Function):
            name = e.func.__name__
            raise NoRuleError(
                f"{name} of a matrix ({size}): write X.applyfunc({name}) for the entrywise function, "
                f"or, for the matrix function of a square X, expm, logm or sqrtm"
            )
        raise NoRuleError(
            f"a {size} matrix inside SymPy's scalar {e.func.__name__}: use MatAdd, MatMul or HadamardProduct"
        )


def dimension(e: Any) -> Expr:
    """A dimension's symbol as an exact number."""
    return core.number(dim(e))
