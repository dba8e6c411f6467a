"""Evaluation: an expression's value for given arrays, every operation by its record's NumPy notation.

This is the reference that generated code is checked against: no facts, no stability rules, no reordering but that of
`matcalc.emit.masks`: what a branch that is not taken contributes is left out, not multiplied by 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache, reduce
from typing import Any

import numpy as np
import sympy as sp

from matcalc import core, dims
from matcalc.emit import helpers, root_helpers
from matcalc.emit.masks import choices_last
from matcalc.emit.matching import with_sums_of_eigenvalues
from matcalc.errors import MatcalcError, NoRuleError, missing_dependency, shorten
from matcalc.exact import is_exact
from matcalc.expr import Expr, params_text, postorder, record
from matcalc.notation import Builtin, Call
from matcalc.numeric.binding import Array, bind
from matcalc.ops.implicit import Equation
from matcalc.walk import variables

_NEED_SCIPY = (
    *("special.", "_gelu", "_logm", "_sqrtm", "_frechet"),
    *("_sylvester", "_lyapunov", "_dlyapunov", "_care", "_dare"),
)


def evaluate(
    e: Expr,
    values: Mapping[str, Any],
    dims: Mapping[str, Any] | None = None,
    functions: Mapping[str, Callable[[Array], Any]] | None = None,
) -> Array:
    """The value of `e` as a 2-D array (1 x 1 for a scalar), with NumPy's conventions outside of domains.

    Args:
        e: an expression.
        values: an array for each of its variables, by name; complex ones where every operation allows them.
        dims: sizes of dimensions that no array determines.
        functions: abstract functions by their name in code (`phi`, `phi_prime`).

    Raises:
        MatcalcError: a value is missing, does not fit, or an operation has no value for it.
    """
    return evaluate_all([e], values, dims, functions)[0]


def evaluate_all(
    roots: list[Expr],
    values: Mapping[str, Any],
    dims: Mapping[str, Any] | None = None,
    functions: Mapping[str, Callable[[Array], Any]] | None = None,
) -> list[Array]:
    """The values of several expressions that share subexpressions; as `evaluate`."""
    roots = _arranged(tuple(roots))
    leaves = variables(roots)
    arrays, sizes = bind(leaves, values, dims, allow_complex=True)
    dtype = np.result_type(*arrays.values()) if arrays else np.dtype(np.float64)
    machine = _Machine(arrays, sizes, functions or {}, dtype)
    done: dict[Expr, Array] = {}
    with np.errstate(all="ignore"):
        for sub in postorder(roots):
            done[sub] = machine.value(sub, [done[a] for a in sub.args])
    return [done[root] for root in roots]


@lru_cache(maxsize=64)
def _arranged(roots: tuple[Expr, ...]) -> list[Expr]:
    """The expressions as they are computed; a verdict evaluates the same few at many points."""
    summed = with_sums_of_eigenvalues(list(roots))
    last = choices_last(summed)
    return [last[root] for root in summed]


class _Machine:
    """What the value of a node depends on beside its arguments."""

    def __init__(
        self,
        arrays: Mapping[str, Array],
        sizes: Mapping[str, int],
        functions: Mapping[str, Callable[[Array], Any]],
        dtype: Any,
    ) -> None:
        self.arrays, self.sizes, self.functions, self.dtype = arrays, sizes, functions, dtype

    def value(self, e: Expr, args: list[Array]) -> Array:
        if record(e.op).real_only and any(np.iscomplexobj(a) for a in args):
            raise MatcalcError(f"{e.op} has no complex values here")
        result = self._raw(e, args)
        shape = self.shape(e)
        array = np.asarray(result)
        if array.dtype.kind in "biu" or (array.dtype.kind == "f" and array.dtype.itemsize > self.dtype.itemsize):
            array = array.astype(self.dtype)
        return array.reshape(shape) if array.shape != shape else array

    def shape(self, e: Expr) -> tuple[int, int]:
        return dims.evaluate(e.shape[0], self.sizes), dims.evaluate(e.shape[1], self.sizes)

    def _raw(self, e: Expr, args: list[Array]) -> Any:
        direct = _DIRECT.get(e.op)
        if direct is not None:
            return direct(self, e, args)
        notation = record(e.op).numpy
        if isinstance(notation, Builtin):
            raise NoRuleError(f"the evaluator does not know {e.op}")
        try:
            return compiled(e.op, len(args), e.params)(*args, *map(self.parameter, e.params))
        except IndexError as error:
            raise MatcalcError(f"{shorten(str(e))}: {error}") from None
        except np.linalg.LinAlgError as error:
            if "ingular" not in str(error) and all(np.isfinite(a).all() for a in args):
                raise MatcalcError(f"{e.op}: {error}") from None
            return np.full(self.shape(e), np.nan, dtype=self.dtype)

    def parameter(self, p: Any) -> Any:
        """A parameter of an operation as NumPy takes it: dimensions and exact numbers as numbers."""
        return number(p, self.sizes) if is_exact(p) else p


def number(value: Any, sizes: Mapping[str, int]) -> float | int:
    """An exact scalar as a Python number; nan or inf where it is undefined for these sizes."""
    value = sp.sympify(value)
    missing = [s.name for s in value.free_symbols if s.name not in sizes]
    if missing:
        raise MatcalcError(f"no value for the dimension {min(missing)}")
    result = value.xreplace({s: sp.Integer(sizes[s.name]) for s in value.free_symbols})
    if result.is_Integer and abs(result) < 2**53:
        return int(result)
    if result is sp.zoo:
        return math.inf
    return float(result)


@lru_cache(maxsize=1024)
def _compiled(op: str, count: int, key: str, params: tuple[Any, ...]) -> Callable[..., Any]:
    notation = record(op).numpy
    if callable(notation):
        notation = notation(*params)
    names = [f"a{k}" for k in range(count)]
    parameters = [f"p{k}" for k in range(len(params))]
    if isinstance(notation, Call):
        text = f"{notation.name}({', '.join(names + parameters)})"
    elif isinstance(notation, Builtin):
        raise NoRuleError(f"the evaluator does not know {op}")
    else:
        text = notation.text.format(*names, **{p: p for p in parameters})
    if any(name in text for name in _NEED_SCIPY) and helpers.special is None:
        raise missing_dependency(op, "scipy")
    function: Callable[..., Any] = eval(f"lambda {', '.join(names + parameters)}: {text}", vars(helpers).copy())
    return function


def compiled(op: str, count: int, params: tuple[Any, ...]) -> Callable[..., Any]:
    """The function of (*args, *params) that an operation's NumPy notation, our own text, describes."""
    return _compiled(op, count, params_text(params), params)


def _power(machine: _Machine, e: Expr, args: list[Array]) -> Array:
    base, exponent = args
    return np.power(base, exponent, dtype=np.result_type(base, exponent))


def _variable(machine: _Machine, e: Expr, args: list[Array]) -> Array:
    return machine.arrays[e.params[0]]


def _number(machine: _Machine, e: Expr, args: list[Array]) -> Array:
    return np.full((1, 1), number(e.params[0], machine.sizes), dtype=machine.dtype)


def _function(machine: _Machine, e: Expr, args: list[Array]) -> Any:
    function = e.params[0]
    if function.body is not None:
        X = core.var("X", *args[0].shape)
        return evaluate(function.expand(X), {"X": args[0]})
    name = function.name + "_prime" * function.order
    if name not in machine.functions:
        raise MatcalcError(f"no value is given for the function {name}: functions={{{name!r}: ...}}")
    return machine.functions[name](args[0])


def _root(machine: _Machine, e: Expr, args: list[Array]) -> Any:
    """The solution of an equation; nan where it is not found."""
    equation: Equation = e.params[0]
    values = {f.params[0]: value for f, value in zip(equation.formals, args)}
    system = [equation.residual, equation.derivative]

    def at(x: Array) -> list[Array]:
        return evaluate_all(system, {**values, equation.name: x}, machine.sizes, machine.functions)

    newton: Callable[..., Array] = vars(root_helpers)["_newton"]
    try:
        return newton(equation.name, at, machine.shape(e), equation.words, machine.dtype)
    except ArithmeticError:
        return np.full(machine.shape(e), np.nan, dtype=machine.dtype)


def _matrix_power(machine: _Machine, e: Expr, args: list[Array]) -> Any:
    exponent = args[1].item().real
    if exponent != np.round(exponent) and helpers.special is None:
        raise missing_dependency("a power that is not whole", "scipy")
    power: Callable[[Array, Any], Array] = vars(helpers)["_matpow"]
    return power(args[0], exponent)


_DIRECT: dict[str, Callable[[_Machine, Expr, list[Array]], Any]] = {
    "variable": _variable,
    "number": _number,
    "named": lambda machine, e, args: args[0],
    "ones": lambda machine, e, args: np.ones(machine.shape(e), dtype=machine.dtype),
    "zeros": lambda machine, e, args: np.zeros(machine.shape(e), dtype=machine.dtype),
    "eye": lambda machine, e, args: np.eye(machine.shape(e)[0], dtype=machine.dtype),
    "add": lambda machine, e, args: reduce(np.add, args),
    "scale": lambda machine, e, args: reduce(np.multiply, args),
    "hadamard": lambda machine, e, args: reduce(np.multiply, args),
    "divide": lambda machine, e, args: np.divide(args[0], args[1]),
    "matmul": lambda machine, e, args: reduce(np.matmul, args),
    "broadcast": lambda machine, e, args: np.broadcast_to(args[0], machine.shape(e)),
    "power": _power,
    "func": _function,
    "matpow": _matrix_power,
    "root": _root,
}
