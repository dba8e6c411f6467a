"""Functions of entries: with broadcasting, and with inf and nan where Python raises an error."""

from __future__ import annotations

import cmath
import math
import operator
from collections.abc import Callable
from typing import Any

from matcalc.serve.arrays.array import Shape, asarray, broadcast_to, common_shape, ndarray
from matcalc.serve.arrays.scalars import BOOL, COMPLEX, FLOAT, INT, OBJECT, TEXT, DType, boxed, generic, joined, type_of

Plain = Callable[..., Any]
NAN, INF = math.nan, math.inf


class ufunc:  # noqa: N801  (NumPy's name)
    """A function of entries.

    Args:
        name: as NumPy calls it.
        plain: for whole numbers and real ones.
        of_complex: for complex ones; None where there is no such thing.
        of_objects: for entries of any other kind; None where there is no such thing.
        gives: the type of the values; None for that of the arguments.
        real: whether whole numbers are made real ones first.
    """

    def __init__(
        self,
        name: str,
        plain: Plain,
        of_complex: Plain | None = None,
        of_objects: Plain | None = None,
        gives: DType | None = None,
        real: bool = False,
    ) -> None:
        self.__name__, self.gives, self.real = name, gives, real
        self.plain, self.of_complex, self.of_objects = plain, of_complex, of_objects

    def __repr__(self) -> str:
        return f"<ufunc '{self.__name__}'>"

    def __call__(
        self, *given: Any, out: Any = None, where: Any = None, dtype: Any = None, casting: str = "", order: str = ""
    ) -> Any:
        args = [asarray(x) for x in given]
        of = joined(*(a.dtype for a in args))
        shape = common_shape(*(a.shape for a in args))
        function = self._function(of)
        if len(args) == 1:
            entries = args[0].entries()
            values = list(map(function, entries)) if where is None else entries
        else:
            first, second = (broadcast_to(a, shape).entries() for a in args)
            values = list(map(function, first, second)) if where is None else first
        if where is not None:
            return self._some(args, function, shape, where, out)
        return given_back(values, shape, self._type(of), out)

    def _some(self, args: list[ndarray], function: Plain, shape: Shape, where: Any, out: ndarray) -> ndarray:
        """Set those entries of an array that a mask chooses."""
        columns = [broadcast_to(a, shape).entries() for a in (*args, asarray(where), out)]
        out.put([function(*row[:-2]) if row[-2] else row[-1] for row in zip(*columns)])
        return out

    def _function(self, of: DType) -> Plain:
        if of is OBJECT and self.of_objects is not None:
            return self.of_objects
        if of is COMPLEX and self.of_complex is not None:
            return self.of_complex
        if of in (OBJECT, TEXT, COMPLEX):
            raise TypeError(f"ufunc {self.__name__!r} is not known for entries of type {of}")
        return self.plain

    def _type(self, of: DType) -> DType:
        if self.gives is not None and (of is not OBJECT or self.gives is BOOL):
            return self.gives if self.gives is not FLOAT or of is not COMPLEX else COMPLEX
        return FLOAT if (self.real and of in (BOOL, INT)) or (of is COMPLEX and self.of_complex is abs) else of

    @property
    def method(self) -> Plain:
        """It as a method of arrays."""
        return lambda value: self(value)

    def at(self, target: ndarray, key: Any, value: Any) -> None:
        """Combine entries of an array, one after the other, with some values."""
        places = asarray(key).entries()
        values = broadcast_to(asarray(value), asarray(key).shape).entries()
        for place, x in zip(places, values):
            target[place] = self.plain(target[place].item(), x)


def given_back(values: list[Any], shape: Shape, of: DType, out: Any = None) -> Any:
    """Some values as an array, or as a number where there is no axis."""
    if isinstance(out, tuple):
        out = out[0]
    if out is not None:
        if out.shape != shape:
            raise ValueError(f"output array has the shape {out.shape}, the result {shape}")
        out.put(values if of is out.dtype else [out.dtype.plain(x) for x in values])
        return out
    return ndarray(values, shape, of) if shape else boxed(values[0], of)


# ------------------------------------------------------------------------------------------------ arithmetic


def _divide(x: float, y: float) -> float:
    try:
        return x / y
    except ZeroDivisionError:
        return NAN if x == 0 or x != x else math.copysign(INF, x) * math.copysign(1.0, y)
    except OverflowError:
        return math.copysign(INF, x) * math.copysign(1.0, y)


def _complex_divide(x: complex, y: complex) -> complex:
    return x / y if y else complex(NAN, NAN)


def _power(x: float, y: float) -> float:
    try:
        value = x**y
    except ZeroDivisionError:
        return math.copysign(INF, x) if float(y).is_integer() and y % 2 else INF
    except OverflowError:
        return -INF if x < 0 and y % 2 else INF
    return NAN if isinstance(value, complex) else value


def _int_or_real_power(x: Any, y: Any) -> Any:
    if isinstance(x, int) and isinstance(y, int) and y < 0:
        raise ValueError("Integers to negative integer powers are not allowed.")
    return _power(x, y)


def _floor_divide(x: Any, y: Any) -> Any:
    return x // y if y else (0 if isinstance(x, int) and isinstance(y, int) else NAN)


def _remainder(x: Any, y: Any) -> Any:
    return x % y if y else (0 if isinstance(x, int) and isinstance(y, int) else NAN)


def _maximum(x: Any, y: Any) -> Any:
    return x if x >= y or x != x else y


def _minimum(x: Any, y: Any) -> Any:
    return x if x <= y or x != x else y


def _fmax(x: Any, y: Any) -> Any:
    return y if x != x or y > x else x


def _fmin(x: Any, y: Any) -> Any:
    return y if x != x or y < x else x


def _sign(x: Any) -> Any:
    return x if x != x else type(x)((x > 0) - (x < 0))


def _sign_of_object(x: Any) -> Any:
    return (x > 0) - (x < 0)


def _conjugate(x: Any) -> Any:
    return x.conjugate()


add = ufunc("add", operator.add, operator.add, operator.add)
subtract = ufunc("subtract", operator.sub, operator.sub, operator.sub)
multiply = ufunc("multiply", operator.mul, operator.mul, operator.mul)
divide = true_divide = ufunc("divide", _divide, _complex_divide, operator.truediv, FLOAT, real=True)
floor_divide = ufunc("floor_divide", _floor_divide, None, operator.floordiv)
remainder = mod = ufunc("remainder", _remainder, None, operator.mod)
power = ufunc("power", _int_or_real_power, operator.pow, operator.pow)
float_power = ufunc("float_power", lambda x, y: _power(float(x), float(y)), operator.pow, None, FLOAT)
negative = ufunc("negative", operator.neg, operator.neg, operator.neg)
positive = ufunc("positive", operator.pos, operator.pos, operator.pos)
absolute = abs_ = ufunc("absolute", abs, abs, abs)
maximum = ufunc("maximum", _maximum, None, _maximum)
minimum = ufunc("minimum", _minimum, None, _minimum)
fmax = ufunc("fmax", _fmax, None, _fmax)
fmin = ufunc("fmin", _fmin, None, _fmin)
sign = ufunc("sign", _sign, None, _sign_of_object)
square = ufunc("square", lambda x: x * x, lambda x: x * x, lambda x: x * x)
reciprocal = ufunc("reciprocal", lambda x: _divide(1.0, x), lambda x: 1 / x, lambda x: 1 / x, real=True)
conjugate = conj = ufunc("conjugate", lambda x: x, _conjugate, _conjugate)
COMPARISONS = {
    name: ufunc(name, function, function if name in ("equal", "not_equal") else None, function, BOOL)
    for name, function in (
        ("greater", operator.gt),
        ("greater_equal", operator.ge),
        ("less", operator.lt),
        ("less_equal", operator.le),
        ("equal", operator.eq),
        ("not_equal", operator.ne),
    )
}
logical_and = ufunc("logical_and", lambda x, y: bool(x and y), None, None, BOOL)
logical_or = ufunc("logical_or", lambda x, y: bool(x or y), None, None, BOOL)
logical_xor = ufunc("logical_xor", lambda x, y: bool(x) != bool(y), None, None, BOOL)
logical_not = ufunc("logical_not", operator.not_, None, None, BOOL)
bitwise_and = ufunc("bitwise_and", operator.and_)
bitwise_or = ufunc("bitwise_or", operator.or_)
bitwise_xor = ufunc("bitwise_xor", operator.xor)
invert = ufunc("invert", lambda x: not x if isinstance(x, bool) else ~x)


# ------------------------------------------------------------------------------------------------ real functions


def _guarded(function: Plain, at_edge: Plain | None = None, beyond: Plain | None = None) -> Plain:
    """A function that gives a value where Python raises: at a pole or outside of the domain, and beyond all numbers."""

    def value(x: Any) -> Any:
        try:
            return function(x)
        except ValueError:
            return NAN if at_edge is None or x != x else at_edge(x)
        except OverflowError:
            return INF if beyond is None else beyond(x)

    return value


def _signed_infinity(x: float) -> float:
    return math.copysign(INF, x)


def _log_edge(x: float) -> float:
    return -INF if x == 0 else NAN


def _cbrt(x: float) -> float:
    return math.cbrt(x)


def _rounded(x: Any) -> Any:
    return float(round(x)) if math.isfinite(x) else x


def _whole(function: Plain) -> Plain:
    return lambda x: float(function(x)) if math.isfinite(x) else x


def _real(name: str, function: Plain, of_complex: Plain | None = None) -> ufunc:
    return ufunc(name, function, of_complex, None, FLOAT)


REAL = {
    "exp": (_guarded(math.exp), cmath.exp),
    "exp2": (_guarded(lambda x: 2.0**x), None),
    "expm1": (_guarded(math.expm1), None),
    "log": (_guarded(math.log, _log_edge), cmath.log),
    "log2": (_guarded(math.log2, _log_edge), None),
    "log10": (_guarded(math.log10, _log_edge), None),
    "log1p": (_guarded(math.log1p, lambda x: _log_edge(x + 1)), None),
    "sqrt": (_guarded(math.sqrt), cmath.sqrt),
    "cbrt": (_cbrt, None),
    "sin": (_guarded(math.sin), cmath.sin),
    "cos": (_guarded(math.cos), cmath.cos),
    "tan": (_guarded(math.tan), cmath.tan),
    "sinh": (_guarded(math.sinh, None, _signed_infinity), cmath.sinh),
    "cosh": (_guarded(math.cosh), cmath.cosh),
    "tanh": (_guarded(math.tanh), cmath.tanh),
    "arcsin": (_guarded(math.asin), cmath.asin),
    "arccos": (_guarded(math.acos), cmath.acos),
    "arctan": (_guarded(math.atan), cmath.atan),
    "arcsinh": (_guarded(math.asinh), cmath.asinh),
    "arccosh": (_guarded(math.acosh), cmath.acosh),
    "arctanh": (_guarded(math.atanh, lambda x: _signed_infinity(x) if abs(x) == 1 else NAN), cmath.atanh),
    "rint": (_rounded, None),
    "floor": (_whole(math.floor), None),
    "ceil": (_whole(math.ceil), None),
}
FUNCTIONS = {name: _real(name, *both) for name, both in REAL.items()}
exp, log, sqrt, rint = (FUNCTIONS[name] for name in ("exp", "log", "sqrt", "rint"))
isfinite = ufunc("isfinite", math.isfinite, cmath.isfinite, None, BOOL)
isnan = ufunc("isnan", math.isnan, cmath.isnan, None, BOOL)
isinf = ufunc("isinf", math.isinf, cmath.isinf, None, BOOL)
signbit = ufunc("signbit", lambda x: math.copysign(1.0, x) < 0, None, None, BOOL)
hypot = ufunc("hypot", math.hypot, None, None, FLOAT)
arctan2 = ufunc("arctan2", math.atan2, None, None, FLOAT)
copysign = ufunc("copysign", math.copysign, None, None, FLOAT)


def _logaddexp(x: float, y: float) -> float:
    top, gap = max(x, y), -abs(x - y)
    return top if math.isinf(top) else top + math.log1p(math.exp(gap))


logaddexp = ufunc("logaddexp", _logaddexp, None, None, FLOAT)


def frompyfunc(function: Plain, count: int, results: int) -> Plain:
    """A function of entries as one of arrays of objects."""
    return ufunc(getattr(function, "__name__", "function"), function, function, function, OBJECT)


def result_type(*given: Any) -> DType:
    """The type that holds what is computed of arrays, numbers and types."""
    return joined(
        *(x if isinstance(x, DType) else type_of(x) if isinstance(x, type) else asarray(x).dtype for x in given)
    )


# ------------------------------------------------------------------------------------------------ operators


def stranger(other: Any) -> bool:
    """Whether a value has operators of its own for arrays."""
    return hasattr(type(other), "__array_ufunc__") and not isinstance(other, ndarray)


def _binary(function: ufunc, *, turned: bool = False) -> Plain:
    def operation(self: Any, other: Any) -> Any:
        known = isinstance(other, (int, float, complex, ndarray, generic))
        if not known and (not isinstance(self, ndarray) or stranger(other)):
            return NotImplemented
        return function(other, self) if turned else function(self, other)

    return operation


def _in_place(function: ufunc) -> Plain:
    def operation(self: ndarray, other: Any) -> ndarray:
        value = asarray(function(self, other))
        if value.dtype.rank > self.dtype.rank:
            raise TypeError(f"cannot cast the result of {function.__name__!r} from {value.dtype} to {self.dtype}")
        self.put([self.dtype.plain(x) for x in broadcast_to(value, self.shape).entries()])
        return self

    return operation


PAIRS = {
    "add": add,
    "sub": subtract,
    "mul": multiply,
    "truediv": divide,
    "floordiv": floor_divide,
    "mod": remainder,
    "pow": power,
    "and": bitwise_and,
    "or": bitwise_or,
    "xor": bitwise_xor,
}
RELATIONS = {"gt": "greater", "ge": "greater_equal", "lt": "less", "le": "less_equal", "eq": "equal", "ne": "not_equal"}


def operators() -> dict[str, Plain]:
    """The methods behind the operators that arrays and numbers share."""
    found: dict[str, Plain] = {}
    for name, function in PAIRS.items():
        found[f"__{name}__"] = _binary(function)
        found[f"__r{name}__"] = _binary(function, turned=True)
    for name, relation in RELATIONS.items():
        found[f"__{name}__"] = _binary(COMPARISONS[relation])
    for name, one in (("neg", negative), ("pos", positive), ("abs", absolute), ("invert", invert)):
        found[f"__{name}__"] = lambda self, one=one: one(self)
    return found


def in_place() -> dict[str, Plain]:
    """The methods behind `+=` and the like."""
    return {f"__i{name}__": _in_place(function) for name, function in PAIRS.items()}
