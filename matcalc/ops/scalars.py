"""SymPy expressions of scalars as entrywise expressions: how f' and the user's functions enter."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from matcalc import core
from matcalc.core import number, power
from matcalc.errors import NoRuleError
from matcalc.exact import sp
from matcalc.expr import REGISTRY, Expr, node, record


class SymPyFunction:
    """A function of SymPy by its name there, or the function itself."""

    __slots__ = ("_given",)

    def __init__(self, given: Any) -> None:
        self._given = given

    @property
    def function(self) -> Any:
        """SymPy's class."""
        return getattr(sp, self._given) if isinstance(self._given, str) else self._given

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self.function(*args, **options)


@cache
def unknown(name: str = "x") -> Any:
    """The SymPy symbol in which scalar functions are written."""
    return sp.Symbol(name, real=True)


def spelled(name: str) -> Callable[[Expr], Expr]:
    """The definition of an elementwise operation by its SymPy form."""

    def definition(X: Expr) -> Expr:
        function = record(name).scalar_function
        assert function is not None
        return from_scalar(function(unknown()), {unknown(): X}, X)

    return definition


def functions_of_sympy() -> dict[Any, str]:
    """The elementwise operation that is a function of SymPy, by that."""
    entries = ((entry.scalar_function, name) for name, entry in REGISTRY.items())
    return {f.function: name for f, name in entries if isinstance(f, SymPyFunction)}


def from_scalar(form: Any, values: dict[Any, Expr], like_: Expr) -> Expr:
    """A SymPy expression in scalar symbols as an entrywise expression of the shape of `like_`.

    Raises:
        NoRuleError: a function in it is not in the catalogue.
    """
    value = _entrywise(form, values)
    return core.broadcast(value, like_.shape)


def _entrywise(form: Any, values: dict[Any, Expr]) -> Expr:
    if form in values:
        return values[form]
    if form.is_number or not (form.free_symbols & set(values)):
        return number(form)
    if form.is_Add:
        terms = [_entrywise(a, values) for a in form.args]
        result = terms[0]
        for t in terms[1:]:
            result = core.plus(result, t)
        return result
    if form.is_Mul:
        result = _entrywise(form.args[0], values)
        for a in form.args[1:]:
            result = core.entrywise_product(result, _entrywise(a, values))
        return result
    if form.is_Pow:
        base, exponent = _entrywise(form.base, values), _entrywise(form.exp, values)
        if base.op == "number" and not exponent.is_scalar:
            base = core.broadcast(base, exponent.shape)
        return power(base, exponent)
    if isinstance(form, sp.polygamma) and form.args[0].is_Integer:
        return polygamma_of(int(form.args[0]), _entrywise(form.args[1], values))
    name = functions_of_sympy().get(form.func)
    if name is None or len(form.args) != 1:
        raise NoRuleError(f"no entrywise operation for {form.func.__name__} in {form}")
    return node(name, (_entrywise(form.args[0], values),))


def polygamma_of(order: int, X: Expr) -> Expr:
    """The polygamma function; order 0 is digamma."""
    return record("digamma")(X) if order == 0 else record("polygamma")(X, order)
